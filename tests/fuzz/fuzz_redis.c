/* fuzz_redis.c: any bytes as what a Redis server answers.
 *
 * What it will say on a connection stands there before it is asked, and nothing
 * comes after it; a byte CLOSES is not said, it ends what one connection has.
 * The first byte chooses (enum way): one link is sent over and over, and a
 * reader of our own says what each answer is; or a view of two partitions takes
 * its turns.
 *
 *   - a link is done when the answer is 1, or the marker that it would set
 *   - a marker is taken as a whole, or not at all
 *   - a partition is followed from where its marker says, within the topic
 *   - nobody is removed whom a worker knows
 *   - the changes that wait are counted */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/redis/connection.h"
#include "daemon/redis/mirror.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLOSES     0xff
#define DIGITS_MAX 5 /* Of the length of an array. */
#define PARTITIONS 2
#define USERS      3 /* Of a partition. */
#define LOW        2 /* Where the topic begins. */
#define END_MAX    20
#define TURNS      50 /* Of a view, and how many times a link is sent. */
#define START_MS   INT64_C(1700000000000)
#define TURN_MS    400

enum way {
    VIEW = 1, /* Else a link. */
    TRAITS = 2,
    TRUST = 4, /* The partitioner. */
    PASSWORD = 8,
    USER = 16,
    DATABASE = 32,
    AWAY = 64,        /* No worker has users to hand over. */
    TWO_GUARDS = 128, /* Of the link. */
};

static unsigned way;
static struct seg_text text; /* All that will be said. */
static struct seg_text left; /* On later connections. */
static int is_over;          /* All was said, and the connection closed. */
static int server = -1;      /* Its end of the connection. */
static redisReader *reader;  /* Ours, of what is said on it. */
static int64_t clock_us;
static int draws; /* Of getrandom. */

/* ---- a server ------------------------------------------------------------ */

static struct seg_text next_text(void)
{
    const char *end = memchr(left.bytes, CLOSES, left.len);
    size_t len = end ? (size_t)(end - left.bytes) : left.len;
    struct seg_text next = {left.bytes, len};
    is_over = !left.len;
    len += end != NULL;
    left = (struct seg_text){left.bytes + len, left.len - len};
    return next;
}

static void hang_up(void)
{
    if (server >= 0)
        close(server);
    if (reader)
        redisReaderFree(reader);
    server = -1;
    reader = NULL;
}

/* In the place of hiredis's. What it is asked the server does not read. */
redisContext *redisConnectUnixWithTimeout(const char *path,
                                          const struct timeval limit)
{
    struct seg_text next = next_text();
    int pair[2];
    (void)path, (void)limit;
    hang_up();
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    server = pair[1];
    ssize_t sent = send(server, next.bytes, next.len, MSG_DONTWAIT);
    reader = redisReaderCreate();
    require(reader && sent >= 0);
    redisReaderFeed(reader, next.bytes, (size_t)sent);
    shutdown(server, SHUT_WR);
    return redisConnectFd(pair[0]);
}

/* In the place of the C library's, and not random. */
ssize_t getrandom(void *bytes, size_t len, unsigned flags)
{
    (void)flags;
    memset(bytes, ++draws, len);
    return (ssize_t)len;
}

/* The next answer on this connection; NULL: there is none. To be freed. */
static redisReply *next_reply(void)
{
    void *reply = NULL;
    redisReaderGetReply(reader, &reply);
    return reply;
}

/* The text of REPLY, if it is one that fits into a marker; else "". */
static const char *marker_of(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING &&
                   reply->len < LINK_MARKER_BYTES &&
                   strlen(reply->str) == reply->len
               ? reply->str
               : "";
}

static struct connection_options options_of(void)
{
    return (struct connection_options){.host = "redis",
                                       .port = -1,
                                       .user = way & USER ? "bob" : "",
                                       .password = way & PASSWORD ? "x" : "",
                                       .database = way & DATABASE ? 3 : 0,
                                       .timeout_ms = 1000};
}

/* ---- one link ------------------------------------------------------------ */

static void fill(struct link *link)
{
    link_init(link, "app", way & TRAITS ? LINK_TRAITS : LINK_MEMBERSHIPS);
    link_guard(link, 0, &(struct link_marker){"41"});
    if (way & TWO_GUARDS)
        link_guard(link, 1, &(struct link_marker){""});
    link_put(link, text_of("ada"), text_of("vip"), START_MS);
    link_drop(link, text_of("ada"), text_of("trial"));
    link_clear(link, text_of("bob"));
    strcpy(link->next.text, "42");
}

/* CONNECTION is READY or not as it was greeted. */
static void judge_greeting(int ready)
{
    int calls = 1 + !!(way & (USER | PASSWORD)) + !!(way & DATABASE), good = 1;
    for (int i = 0; good && i < calls; i++) {
        redisReply *reply = next_reply();
        good = reply && reply->type != REDIS_REPLY_ERROR;
        freeReplyObject(reply);
    }
    require(ready == good);
}

static void judge_script(int ready)
{
    redisReply *reply = next_reply();
    require(ready == (reply && reply->type == REDIS_REPLY_STRING &&
                      strlen(reply->str) == 40));
    freeReplyObject(reply);
}

static void judge_link(const struct link *link, int answer,
                       const struct link_marker *where)
{
    redisReply *reply = next_reply();
    if (!reply) {
        require(answer == LINK_WAIT);
        return;
    }
    int is_done = reply->type == REDIS_REPLY_INTEGER
                      ? reply->integer == 1
                      : link->guard_count == 1 &&
                            !strcmp(marker_of(reply), link->next.text);
    if (reply->type == REDIS_REPLY_ERROR)
        require(answer != LINK_DONE && answer != LINK_ELSEWHERE);
    else
        require(answer == (is_done ? LINK_DONE : LINK_ELSEWHERE));
    if (answer == LINK_ELSEWHERE)
        require(!strcmp(where->text, marker_of(reply)));
    freeReplyObject(reply);
}

static void send_link(void)
{
    struct connection_options options = options_of();
    struct connection *connection;
    struct link_script script = {{0}, 0};
    struct link_marker where;
    struct link link;
    fill(&link);
    require(connection_new(&connection, &options) == 0);
    int ready = connection_ready(connection, START_MS);
    judge_greeting(ready);
    if (ready) {
        ready = link_script_ready(&script, connection, START_MS);
        judge_script(ready);
    }
    for (int i = 0; ready && i < TURNS; i++) {
        require(link_send(&link, &script, connection) == 0);
        int answer = link_answer(&link, &script, connection, START_MS, &where);
        judge_link(&link, answer, &where);
        ready = answer != LINK_WAIT;
    }
    connection_free(connection);
    link_done(&link);
}

/* ---- the world of a view ------------------------------------------------- */

/* Where murmur2 has them. */
static const char *const users[PARTITIONS][USERS] = {{"bob", "cid", "eve"},
                                                     {"ada", "dan", "gus"}};

static struct {
    int64_t end; /* Of the topic. */
    int64_t next[PARTITIONS];
    int is_on[PARTITIONS];
    struct slice *back; /* Slices that were filled. */
    char json[256];
} world;

static uint64_t feed_change(void *impl)
{
    (void)impl;
    return 1;
}

static int feed_owned(void *impl, int *out, int max)
{
    (void)impl;
    require(max >= PARTITIONS);
    for (int p = 0; p < PARTITIONS; p++)
        out[p] = p;
    return PARTITIONS;
}

static int feed_partition_count(void *impl)
{
    (void)impl;
    return PARTITIONS;
}

static int feed_start(void *impl, int partition, int64_t offset)
{
    (void)impl;
    require(offset >= LOW && offset <= world.end);
    world.is_on[partition] = 1;
    world.next[partition] = offset;
    return 0;
}

static void feed_stop(void *impl, int partition)
{
    (void)impl;
    world.is_on[partition] = 0;
}

static const char *json_of(const char *user, int64_t offset)
{
    snprintf(world.json, sizeof(world.json),
             way & TRAITS ? "{\"userId\":\"%s\",\"traits\":{\"n\":%" PRId64 "}}"
                          : "{\"type\":\"track\",\"event\":\"Segment Entered\","
                            "\"userId\":\"%s\",\"timestamp\":\"2026-01-01T00:"
                            "00:00.000Z\",\"properties\":{\"segment\":\"vip\","
                            "\"member\":true,\"entered_at\":\"2026-01-01T00:"
                            "00:00.000Z\",\"seq\":%" PRId64 "}}",
             user, offset + 1);
    return world.json;
}

static int feed_next(void *impl, int timeout_ms, struct tail_record *out)
{
    int p = 0;
    (void)impl, (void)timeout_ms;
    while (p < PARTITIONS && !(world.is_on[p] && world.next[p] < world.end))
        p++;
    if (p == PARTITIONS)
        return TAIL_NOTHING;
    int64_t offset = world.next[p]++;
    *out = (struct tail_record){.partition = p,
                                .offset = offset,
                                .timestamp_ms = START_MS,
                                .value =
                                    json_of(users[p][offset % USERS], offset)};
    out->len = strlen(out->value);
    return TAIL_RECORD;
}

static int feed_bounds(void *impl, int partition, int64_t *low, int64_t *high)
{
    (void)impl, (void)partition;
    *low = LOW;
    *high = world.end;
    return 0;
}

static int feed_running(void *impl, int partition)
{
    (void)impl, (void)partition;
    return !(way & AWAY);
}

/* A user at a time. */
static int feed_ask(void *impl, struct slice *slice)
{
    struct seg_text id = text_of(users[slice->partition][slice->cursor++]);
    (void)impl;
    link_clear(&slice->link, id);
    link_put(&slice->link, id, text_of("vip"), START_MS);
    slice->users = malloc(sizeof(*slice->users));
    require(slice->users);
    slice->users[slice->count++] = slice_hash(id);
    slice->more = slice->cursor < USERS;
    slice->incarnation = 1;
    slice->position = world.end;
    slice->after = world.back;
    world.back = slice;
    return 1;
}

static struct slice *feed_answer(void *impl)
{
    struct slice *slice = world.back;
    (void)impl;
    if (slice)
        world.back = slice->after;
    return slice;
}

static void feed_rest(void *impl, int ms)
{
    (void)impl, (void)ms;
}

/* ---- a view -------------------------------------------------------------- */

/* MARKER as a number; -1: it is none. */
static int64_t position_of(const char *marker)
{
    return *marker && strspn(marker, "0123456789") == strlen(marker)
               ? strtoll(marker, NULL, 10)
               : -1;
}

/* Ours, or the whole of what was said. */
static void judge_marker(const char *marker)
{
    char whole[LINK_MARKER_BYTES + 16];
    require(memchr(marker, 0, LINK_MARKER_BYTES));
    if (!*marker || *marker == 'R' || position_of(marker) >= 0)
        return;
    snprintf(whole, sizeof(whole), "$%zu\r\n%s", strlen(marker), marker);
    require(memmem(text.bytes, text.len, whole, strlen(whole)));
}

static void judge_removal(const struct link *link)
{
    for (size_t i = link->guard_count; i < link->key_count; i++) {
        struct seg_text key = {link->bytes.bytes + link->keys[i].at,
                               link->keys[i].len};
        require(key.len >= 9 && !memcmp(key.bytes, "app:user:", 9));
        key = (struct seg_text){key.bytes + 9, key.len - 9};
        for (int p = 0; p < PARTITIONS; p++)
            for (int u = 0; u < USERS; u++)
                require(!text_equal(key, text_of(users[p][u])));
    }
}

static void judge_view(const struct view *view)
{
    size_t pending = 0;
    for (size_t i = 0; i < view->count; i++) {
        const struct mirror *mirror = view->mirrors[i];
        const char *marker = mirror->marker.text;
        judge_marker(marker);
        if (mirror->state == MIRROR_TAILING) {
            int64_t position = position_of(marker);
            pending += link_steps(&mirror->own);
            require(way & TRAITS ||
                    (position >= LOW && position <= mirror->next));
        }
        if (mirror->state == MIRROR_SLICED && mirror->link)
            judge_removal(mirror->link);
    }
    require(view->pending == pending);
    require(memchr(view->scan.cursor, 0, sizeof(view->scan.cursor)));
    require(strnlen(view->script.sha, 41) % 40 == 0);
}

static void turn_view(void)
{
    const struct feed feed = {.change = feed_change,
                              .owned = feed_owned,
                              .partition_count = feed_partition_count,
                              .start = feed_start,
                              .stop = feed_stop,
                              .next = feed_next,
                              .bounds = feed_bounds,
                              .running = feed_running,
                              .ask = feed_ask,
                              .answer = feed_answer,
                              .rest = feed_rest};
    struct connection_options options = options_of();
    struct view *view;
    require(turn_new(&view, "app", &options, &feed) == 0);
    view->kind = way & TRAITS ? LINK_TRAITS : LINK_MEMBERSHIPS;
    view->partitioner = way & TRUST ? PARTITIONER_TRUST : PARTITIONER_MURMUR2;
    memset(&world, 0, sizeof(world));
    world.end = LOW + 1;
    for (int i = 0; i < TURNS && !is_over; i++) {
        world.end += world.end < END_MAX;
        turn(view, START_MS + i * TURN_MS, 0);
        judge_view(view);
    }
    turn_free(view);
    for (struct slice *slice; (slice = feed_answer(NULL));)
        slice_free(slice);
}

/* ---- all of it ----------------------------------------------------------- */

static int64_t now_us(void)
{
    return clock_us;
}

static void ignore(void *arg, const char *line)
{
    (void)arg, (void)line;
}

static void prepare(void)
{
    clock_source(now_us, now_us);
    log_capture(ignore, NULL);
    for (int p = 0; p < PARTITIONS; p++)
        for (int u = 0; u < USERS; u++)
            require(partitioner_partition(PARTITIONER_MURMUR2, users[p][u],
                                          strlen(users[p][u]),
                                          PARTITIONS) == p);
}

/* An array is to have more elements than are worth the memory, which hiredis
 * takes before they come. */
static int is_vast(void)
{
    int digits = -1; /* After a `*`. */
    for (size_t i = 0; i < text.len && digits < DIGITS_MAX; i++) {
        if (text.bytes[i] == '*')
            digits = 0;
        else if (digits >= 0 && text.bytes[i] >= '0' && text.bytes[i] <= '9')
            digits++;
        else
            digits = -1;
    }
    return digits == DIGITS_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!clock_us)
        prepare();
    if (!size)
        return 0;
    way = data[0];
    text = left = (struct seg_text){(const char *)data + 1, size - 1};
    if (is_vast())
        return -1;
    is_over = draws = 0;
    clock_us += (LOG_REPEAT_MS + 1) * 1000; /* Or the log would be quiet. */
    if (way & VIEW)
        turn_view();
    else
        send_link();
    hang_up();
    return 0;
}
