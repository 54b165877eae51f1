/* fuzz_http.c: any bytes as what a client sends to the HTTP server.
 *
 * Server and routes are the real ones, on a loop that is turned by hand and a
 * socket without a port; the worker is ours and has the small world's users.
 * Whatever comes in:
 *
 *   - what goes out is one answer after another: known headers, each once and
 *     in printable characters, and a body as long as they say
 *   - where a token is needed, no route hears of who did not send it
 *   - 200 is said to those only whom a route answers
 *   - the next client gets his 200
 *
 * The first byte chooses (enum way). A byte WRITE_ENDS is not sent: it ends a
 * write, and lets the worker go on. */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/http/route_table.h"
#include "daemon/http/routes.h"
#include "daemon/kafka/owners.h"
#include "daemon/partition/names.h"
#include "lib/base/text.h"
#include "tests/fuzz/require.h"
#include "tests/support/small_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKEN      "secret"
#define WRITE_ENDS 0xff
#define PARTITIONS 2 /* The first one is the worker's. */

enum way {
    WITH_TOKEN = 1,
    LEAVE_EARLY = 2, /* Without waiting for an answer. */
    STOPPING = 4,
    BUSY = 8,          /* The worker answers after a write, or the last. */
    ENDED = 16,        /* It has ended by then, or when the server closes. */
    VERDICT = 32 + 64, /* Of the group; enum owners_verdict. */
    REFUSES = 128,     /* Nobody can be asked. */
};

static unsigned way;
static struct seg_catalogue *catalogue;
static struct seg_engine *engine;
static struct metrics *metrics;
static struct metric_process process;
static struct loop *loop;
static struct server *server;
static struct routes routes;
static struct sockaddr_un address; /* Of the server. */
static socklen_t address_len;
static struct buf sent;   /* By clients, so far. */
static int heard_count;   /* Requests that the routes heard of. */
static int welcome_count; /* Of those: which may have a 200. */

/* ---- the worker, and the group ------------------------------------------- */

static struct worker {
    struct names names;
    worker_run *run; /* Of the closure that waits. */
    void *arg;
} worker;

static int state(void)
{
    return way & REFUSES ? WORKER_RESTORING : WORKER_RUNNING;
}

int workers_count(const struct workers *workers)
{
    (void)workers;
    return 1;
}

struct worker *workers_at(struct workers *workers, int index)
{
    (void)workers, (void)index;
    return &worker;
}

int workers_partition_count(struct workers *workers)
{
    (void)workers;
    return PARTITIONS;
}

struct worker *workers_owner(struct workers *workers, int partition)
{
    (void)workers;
    return partition == 0 ? &worker : NULL;
}

int workers_ready(struct workers *workers, char reason[WORKERS_REASON_BYTES])
{
    (void)workers;
    strcpy(reason, "It is restored.");
    return state() == WORKER_RUNNING;
}

int workers_board(struct workers *workers, struct workers_row *out, int max)
{
    (void)workers;
    if (max)
        *out = (struct workers_row){.state = state()};
    return 1;
}

const char *worker_state_name(int number)
{
    (void)number;
    return "restoring";
}

int worker_post(struct worker *to, enum worker_when when, worker_run *run,
                void *arg)
{
    (void)when;
    if (way & REFUSES)
        return SEG_ERR_NOT_FOUND;
    if (way & BUSY) {
        require(!to->run); /* One client is answered one thing at a time. */
        to->run = run;
        to->arg = arg;
    } else {
        run(way & ENDED ? NULL : to, arg);
    }
    return 0;
}

/* The closure that waits, at last. */
static void work(void)
{
    worker_run *run = worker.run;
    worker.run = NULL;
    if (run)
        run(way & ENDED ? NULL : &worker, worker.arg);
}

static void set_partition(struct worker_partition *out)
{
    *out = (struct worker_partition){.state = state(),
                                     .engine = engine,
                                     .incarnation = 1,
                                     .changes_position = 7};
}

int worker_partition(struct worker *of, int partition,
                     struct worker_partition *out)
{
    (void)of;
    set_partition(out);
    return partition == 0 ? 0 : SEG_ERR_NOT_FOUND;
}

void worker_each_partition(
    struct worker *of,
    void (*each)(void *arg, const struct worker_partition *partition),
    void *arg)
{
    struct worker_partition partition;
    (void)of;
    set_partition(&partition);
    each(arg, &partition);
}

int worker_find_user(struct worker *of, struct seg_text id,
                     struct worker_partition *partition,
                     const struct seg_user **user)
{
    (void)of;
    set_partition(partition);
    *user = seg_user_find(engine, id);
    return *user ? 0 : SEG_ERR_NOT_FOUND;
}

const struct names *worker_names(const struct worker *of)
{
    return &of->names;
}

int worker_resume(struct worker *of)
{
    (void)of;
    return 1;
}

int owners_ask(struct owners *owners, struct owners_question *question)
{
    (void)owners;
    if (way & REFUSES)
        return SEG_ERR_LIMIT;
    question->verdict = (way & VERDICT) / 32;
    question->list = calloc(1, sizeof(*question->list));
    require(question->list);
    question->count = 1;
    strcpy(question->list->address, "10.0.0.9:7070");
    strcpy(question->list->host, "10.0.0.9");
    question->told(question->arg);
    return 0;
}

/* ---- the server ---------------------------------------------------------- */

/* In the place of libevent's: a socket that no port is needed for, on which
 * what is written is there at once. */
struct evhttp_bound_socket *evhttp_bind_socket_with_handle(struct evhttp *http,
                                                           const char *host,
                                                           ev_uint16_t port)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)host, (void)port;
    address = (struct sockaddr_un){.sun_family = AF_UNIX};
    address_len = sizeof(address);
    require(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
    require(getsockname(fd, (struct sockaddr *)&address, &address_len) == 0);
    struct evconnlistener *listener = evconnlistener_new(
        loop_base(loop), NULL, NULL, LEV_OPT_CLOSE_ON_FREE, 1, fd);
    require(listener);
    return evhttp_bind_listener(http, listener);
}

static const struct {
    const char *method, *path;
} table[] = {
#define X(name, method, path, help) {method, path},
    ROUTE_TABLE(X)
#undef X
};
#define ROUTE_COUNT (sizeof(table) / sizeof(table[0]))

/* A path of as many parts that begins like it, and whose method it is. */
static int is_of_route(const struct request *request, size_t route)
{
    const char *method = request_method(request), *path = table[route].path + 1;
    int count = 1;
    for (const char *at = path; *at; at++)
        count += *at == '/';
    return count == request_part_count(request) &&
           text_equal(request_part(request, 0),
                      (struct seg_text){path, strcspn(path, "/")}) &&
           (!strcmp(method, table[route].method) ||
            (!strcmp(method, "HEAD") && !strcmp(table[route].method, "GET")));
}

/* How many times the token was sent, as a word. */
static int sent_tokens(void)
{
    const size_t len = strlen(TOKEN);
    int count = 0;
    for (size_t i = 1; i + len < sent.len; i++)
        count += !memcmp(sent.bytes + i, TOKEN, len) &&
                 strchr(" \t", sent.bytes[i - 1]) &&
                 strchr(" \t\r\n", sent.bytes[i + len]);
    return count;
}

static void handle(void *arg, struct request *request)
{
    int is_welcome = 0;
    heard_count++;
    require(!(way & WITH_TOKEN) || heard_count <= sent_tokens());
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        is_welcome |= is_of_route(request, i);
    welcome_count += is_welcome;
    routes_handle(arg, request);
}

static int reload(void *arg, struct buf *said)
{
    (void)arg;
    buf_str(said, "x.seg:1: \"so\"\n");
    return way & REFUSES ? SEG_ERR_INVALID : 0;
}

static void no_measure(void *arg)
{
    (void)arg;
}

static void open_server(void)
{
    struct server_options options = {.host = "",
                                     .token = way & WITH_TOKEN ? TOKEN : "",
                                     .metrics = &process,
                                     .handle = handle,
                                     .arg = &routes};
    require(loop_open(&loop) == 0);
    options.loop = loop;
    routes = (struct routes){.loop = loop,
                             .metrics = metrics,
                             .process = &process,
                             .catalogue = catalogue,
                             .reload = reload,
                             .workers = (struct workers *)&worker,
                             .measure = no_measure,
                             .stopping = !!(way & STOPPING),
                             .app = "acme",
                             .partitioner = PARTITIONER_MURMUR2,
                             .boot = 1};
    require(server_open(&server, &options) == 0);
}

/* As main does. */
static void close_server(void)
{
    server_close(server);
    work();
    routes.workers = NULL;
    loop_free(loop);
}

/* ---- a client ------------------------------------------------------------ */

static int dial(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(connect(fd, (struct sockaddr *)&address, address_len) == 0);
    return fd;
}

/* What it refuses to read is not said. */
static void say(int fd, const char *bytes, size_t len)
{
    ssize_t n = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        buf_add(&sent, bytes, (size_t)n);
}

static void turn(void)
{
    event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
}

/* All that can happen happens; what the server says goes to OUT. */
static void listen_to(int fd, struct buf *out)
{
    char bytes[16384];
    ssize_t got;
    do {
        turn();
        got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got > 0)
            buf_add(out, bytes, (size_t)got);
    } while (got > 0);
}

static void converse(const char *bytes, size_t len, struct buf *out)
{
    int fd = dial();
    while (len) {
        const char *ends = memchr(bytes, WRITE_ENDS, len);
        size_t part = ends ? (size_t)(ends - bytes) : len;
        say(fd, bytes, part);
        if (!(way & LEAVE_EARLY))
            listen_to(fd, out);
        if (ends)
            work();
        part += ends != NULL;
        bytes += part;
        len -= part;
    }
    if (!(way & LEAVE_EARLY)) {
        shutdown(fd, SHUT_WR);
        listen_to(fd, out);
    }
    close(fd);
    turn();
}

/* ---- what it was told ---------------------------------------------------- */

static const char *const headers[] = {
    "Allow", "Cache-Control", "Connection",  "Content-Length",  "Content-Type",
    "Date",  "Location",      "Retry-After", "WWW-Authenticate"};
#define HEADER_COUNT (sizeof(headers) / sizeof(headers[0]))
#define NO_LENGTH    SIZE_MAX

/* Read one header of the LEN bytes at LINE; SEEN and *LENGTH are of this head.
 */
static void read_header(const char *line, size_t len, unsigned *seen,
                        size_t *length)
{
    const char *colon = memchr(line, ':', len);
    unsigned i = 0;
    require(colon);
    struct seg_text name = {line, (size_t)(colon - line)};
    while (i < HEADER_COUNT && !text_equal(name, text_of(headers[i])))
        i++;
    require(i < HEADER_COUNT && !(*seen & 1u << i));
    *seen |= 1u << i;
    for (size_t at = 0; at < len; at++)
        require(line[at] >= ' ' && line[at] <= '~');
    if (!strcmp(headers[i], "Content-Length"))
        *length = strtoul(colon + 1, NULL, 10);
}

/* Read the answers at TEXT. Returns how many are 200. */
static int read_answers(const char *text)
{
    int good = 0, major, minor, status;
    while (*text) {
        const char *end = strstr(text, "\r\n\r\n");
        size_t length = NO_LENGTH;
        unsigned seen = 0;
        require(end);
        /* In the version that was asked in: so it is with evhttp. */
        require(sscanf(text, "HTTP/%d.%d %3d ", &major, &minor, &status) == 3);
        good += status == 200;
        for (text = strstr(text, "\r\n"); text < end;) {
            text += 2;
            size_t len = (size_t)(strstr(text, "\r\n") - text);
            read_header(text, len, &seen, &length);
            text += len;
        }
        text = end + 4;
        if (length != NO_LENGTH) {
            require(strnlen(text, length) == length);
            text += length;
        } else if (strncmp(text, "HTTP/", 5)) {
            /* A body until the end: in HTTP/1.0, or a page of evhttp's own. */
            require(!*text || *text == '<' || major < 1 || minor < 1);
            break;
        }
    }
    return good;
}

static void require_alive(void)
{
    static const char good[] = "GET /healthz HTTP/1.1\r\n"
                               "Authorization: Bearer " TOKEN "\r\n\r\n";
    struct buf out;
    int fd = dial();
    buf_init(&out);
    say(fd, good, strlen(good));
    listen_to(fd, &out);
    close(fd);
    require(!strncmp(buf_string(&out), "HTTP/1.1 200 ", 13));
    buf_done(&out);
}

/* ---- all of it ----------------------------------------------------------- */

/* It stands still: what is tried must be the same at every run. */
static int64_t no_time(void)
{
    return 1;
}

static void ignore(void *arg, const char *line)
{
    (void)arg, (void)line;
}

static void prepare(void)
{
    signal(SIGPIPE, SIG_IGN); /* As main does. */
    clock_source(no_time, no_time);
    clock_open();
    log_capture(ignore, NULL);
    catalogue = small_world_catalogue();
    engine = small_world_engine(catalogue);
    small_world_run(engine, catalogue);
    names_init(&worker.names, SMALL_WORLD_START_MS);
    require(metrics_new(&metrics, catalogue) == 0);
    require(metrics_add(metrics, METRIC_PROCESS, &process, 1, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out;
    if (!catalogue)
        prepare();
    if (!size)
        return 0;
    way = data[0];
    heard_count = welcome_count = 0;
    buf_init(&sent);
    buf_init(&out);
    open_server();
    converse((const char *)data + 1, size - 1, &out);
    require(read_answers(buf_string(&out)) <= welcome_count);
    if (!(way & ENDED))
        work();
    require_alive();
    close_server();
    buf_done(&sent);
    buf_done(&out);
    return 0;
}
