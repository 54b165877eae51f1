/* server.c: HTTP requests in, answers out, within limits (libevent).
 *
 * evhttp keeps a request until it is answered, also when its connection breaks
 * meanwhile; only evhttp_free does not. So closing answers first. */
#include "daemon/http/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include <seg/error.h>

#include "daemon/base/log.h"
#include "daemon/http/guests.h"
#include "daemon/http/render.h"

static const struct {
    enum evhttp_cmd_type type;
    const char *name;
} methods[] = {
    {EVHTTP_REQ_GET, "GET"},         {EVHTTP_REQ_HEAD, "HEAD"},
    {EVHTTP_REQ_POST, "POST"},       {EVHTTP_REQ_PUT, "PUT"},
    {EVHTTP_REQ_DELETE, "DELETE"},   {EVHTTP_REQ_PATCH, "PATCH"},
    {EVHTTP_REQ_OPTIONS, "OPTIONS"}, {EVHTTP_REQ_TRACE, "TRACE"},
    {EVHTTP_REQ_CONNECT, "CONNECT"},
};
#define METHOD_COUNT (sizeof(methods) / sizeof(methods[0]))

struct server {
    struct server_options options;
    struct evhttp *http;
    struct guests *guests;
    struct evconnlistener *listener;
    struct event *listen; /* Again, after a while. */
    struct server *next;
    int port;
    struct request *first; /* Waiting for their answers. */
    int count;
};

struct request {
    struct server *server; /* NULL: closed. */
    struct request *next, **link;
    struct evhttp_request *http; /* NULL: answered by closing. */
    struct evkeyvalq query;
    int part_count;
    struct seg_text parts[SERVER_PARTS_MAX];
};

/* ---- taking a request apart ------------------------------------------ */

static int add_part(struct request *request, const char *start, size_t len)
{
    size_t decoded_len;
    char *raw = strndup(start, len);
    char *decoded = raw ? evhttp_uridecode(raw, 0, &decoded_len) : NULL;
    free(raw);
    if (!decoded)
        return SEG_ERR_NOMEM;
    request->parts[request->part_count++] =
        (struct seg_text){decoded, decoded_len};
    return 0;
}

/* Parts of a path beyond SERVER_PARTS_MAX are one part with the last. */
static int split(struct request *request, const char *path)
{
    int err = 0;
    while (!err && *path) {
        path += *path == '/';
        size_t len = request->part_count < SERVER_PARTS_MAX - 1
                         ? strcspn(path, "/")
                         : strlen(path);
        err = add_part(request, path, len);
        path += len;
    }
    return err;
}

static void request_free(struct request *request)
{
    if (request->server) {
        *request->link = request->next;
        if (request->next)
            request->next->link = request->link;
        request->server->count--;
    }
    for (int i = 0; i < request->part_count; i++)
        free((char *)request->parts[i].bytes);
    evhttp_clear_headers(&request->query);
    free(request);
}

/* NULL: no memory. */
static struct request *request_new(struct server *server,
                                   struct evhttp_request *http)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
    const char *path = evhttp_uri_get_path(uri);
    const char *query = evhttp_uri_get_query(uri);
    struct request *request = calloc(1, sizeof(*request));
    if (!request)
        return NULL;
    TAILQ_INIT(&request->query);
    request->server = server;
    request->http = http;
    request->next = server->first;
    request->link = &server->first;
    if (request->next)
        request->next->link = &request->next;
    server->first = request;
    server->count++;
    int err = split(request, path ? path : "");
    if (!err && query && *query &&
        evhttp_parse_query_str(query, &request->query) < 0)
        evhttp_clear_headers(&request->query);
    if (err < 0) {
        request_free(request);
        return NULL;
    }
    return request;
}

const char *request_method(const struct request *request)
{
    for (size_t i = 0; i < METHOD_COUNT; i++)
        if (methods[i].type == evhttp_request_get_command(request->http))
            return methods[i].name;
    return "?";
}

int request_part_count(const struct request *request)
{
    return request->part_count;
}

struct seg_text request_part(const struct request *request, int index)
{
    return request->parts[index];
}

const char *request_query(const struct request *request, const char *name)
{
    return evhttp_find_header(&request->query, name);
}

/* evhttp lets through what no URL may hold; as a header of the answer it would
 * be left out for a CR, and hold the rest as it is. */
static void add_encoded(struct buf *out, const char *text)
{
    for (; *text; text++)
        if (*text > ' ' && *text <= '~')
            buf_char(out, *text);
        else
            buf_printf(out, "%%%02X", (unsigned char)*text);
}

void request_target(const struct request *request, struct buf *out)
{
    if (!request->http)
        return;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->http);
    const char *query = evhttp_uri_get_query(uri);
    add_encoded(out, evhttp_uri_get_path(uri));
    if (query && *query) {
        buf_char(out, '?');
        add_encoded(out, query);
    }
}

int request_wants_text(const struct request *request)
{
    const char *accept = evhttp_find_header(
        evhttp_request_get_input_headers(request->http), "Accept");
    return accept && !strncmp(accept, "text/plain", 10);
}

/* ---- answering ------------------------------------------------------- */

void request_header(struct request *request, const char *name,
                    const char *value)
{
    if (request->http)
        evhttp_add_header(evhttp_request_get_output_headers(request->http),
                          name, value);
}

static void free_body(const void *body, size_t len, void *arg)
{
    (void)len, (void)arg;
    free((void *)body);
}

static void send_answer(struct evhttp_request *http, int status,
                        const char *type, char *body)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(http);
    struct evbuffer *buffer = evbuffer_new();
    int is_head = evhttp_request_get_command(http) == EVHTTP_REQ_HEAD;
    if (!body || !buffer ||
        evbuffer_add_reference(buffer, body, strlen(body), free_body, NULL) <
            0) {
        free(body);
        status = 503;
    }
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Cache-Control", "no-store");
    /* evhttp would send the body of a HEAD. */
    evhttp_send_reply(http, status, NULL, is_head ? NULL : buffer);
    if (buffer)
        evbuffer_free(buffer);
}

void request_answer(struct request *request, int status, const char *type,
                    char *body)
{
    if (request->http)
        send_answer(request->http, status, type, body);
    else
        free(body);
    request_free(request);
}

/* ---- serving --------------------------------------------------------- */

/* Takes as long for every wrong token of the right length. */
static int is_same(const char *given, const char *token)
{
    size_t len = strlen(token);
    unsigned char difference = 0;
    if (strlen(given) != len)
        return 0;
    for (size_t i = 0; i < len; i++)
        difference |= (unsigned char)(given[i] ^ token[i]);
    return !difference;
}

static int is_allowed(const struct server *server, struct evhttp_request *http)
{
    const char *given = evhttp_find_header(
        evhttp_request_get_input_headers(http), "Authorization");
    if (!*server->options.token)
        return 1;
    return given && !strncasecmp(given, "Bearer ", 7) &&
           is_same(given + 7, server->options.token);
}

/* Whether a web page in somebody's browser sends HTTP to change something. A
 * browser says so with every such request, and a page cannot hinder it; we have
 * no pages of our own. With a token it is no matter: a page does not know it.
 */
static int is_forged(const struct server *server, struct evhttp_request *http)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(http);
    enum evhttp_cmd_type type = evhttp_request_get_command(http);
    const char *site = evhttp_find_header(headers, "Sec-Fetch-Site");
    if (*server->options.token || type == EVHTTP_REQ_GET ||
        type == EVHTTP_REQ_HEAD)
        return 0;
    return evhttp_find_header(headers, "Origin") ||
           (site && strcmp(site, "none"));
}

static void refuse(struct server *server, struct evhttp_request *http,
                   int status, const char *why)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(http);
    metric_add(&server->options.metrics->http_refused, 1);
    if (status == 401)
        evhttp_add_header(headers, "WWW-Authenticate", "Bearer");
    else if (status == 503)
        evhttp_add_header(headers, "Retry-After", "1");
    send_answer(http, status, "application/json", render_error(why));
}

static void on_request(struct evhttp_request *http, void *arg)
{
    struct server *server = arg;
    metric_add(&server->options.metrics->http_requests, 1);
    if (!is_allowed(server, http)) {
        refuse(server, http, 401, "The right bearer token is missing.");
        return;
    }
    if (is_forged(server, http)) {
        refuse(server, http, 403, "Web pages may not change anything here.");
        return;
    }
    struct request *request =
        server->count < SERVER_REQUESTS_MAX ? request_new(server, http) : NULL;
    if (request)
        server->options.handle(server->options.arg, request);
    else
        refuse(server, http, 503, "Too many requests wait; try again.");
}

static int bound_port(struct evhttp_bound_socket *socket)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    if (getsockname(evhttp_bound_socket_get_fd(socket),
                    (struct sockaddr *)&address, &len) < 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6
                     ? ((struct sockaddr_in6 *)&address)->sin6_port
                     : ((struct sockaddr_in *)&address)->sin_port);
}

/* All of this process. */
static struct server *servers;

static void on_listen(evutil_socket_t fd, short what, void *arg)
{
    struct server *server = arg;
    (void)fd, (void)what;
    evconnlistener_enable(server->listener);
}

/* No connection can be accepted, most likely as there are no descriptors: they
 * would be told of again and again. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    static const struct timeval pause = {0, SERVER_ACCEPT_PAUSE_MS * 1000};
    struct server *server = servers;
    (void)arg; /* evhttp's. */
    log_warn("an HTTP connection could not be accepted", "error=\"%s\"",
             strerror(errno));
    while (server && server->listener != listener)
        server = server->next;
    if (!server)
        return;
    evconnlistener_disable(listener);
    evtimer_add(server->listen, &pause);
}

/* Listen, and know the guests. Leaves errno. */
static int open_socket(struct server *server)
{
    struct evhttp_bound_socket *socket = evhttp_bind_socket_with_handle(
        server->http, server->options.host, (ev_uint16_t)server->options.port);
    if (!socket)
        return SEG_ERR_INVALID;
    server->port = bound_port(socket);
    server->listener = evhttp_bound_socket_get_listener(socket);
    evconnlistener_set_error_cb(server->listener, on_accept_error);
    evhttp_set_bevcb(server->http, guests_enter, server->guests);
    return 0;
}

static int open_all(struct server *server)
{
    struct guests_options options = {.loop = server->options.loop,
                                     .metrics = server->options.metrics,
                                     .exchange_ms =
                                         server->options.exchange_ms};
    server->http = evhttp_new(loop_base(server->options.loop));
    server->listen =
        evtimer_new(loop_base(server->options.loop), on_listen, server);
    if (!server->http || !server->listen)
        return SEG_ERR_NOMEM;
    int err = guests_open(&server->guests, &options);
    return err < 0 ? err : open_socket(server);
}

int server_open(struct server **ret, const struct server_options *options)
{
    struct server *server = calloc(1, sizeof(*server));
    unsigned allowed = 0;
    if (!server)
        return SEG_ERR_NOMEM;
    server->options = *options;
    server->next = servers;
    servers = server;
    int err = open_all(server);
    if (err < 0) {
        int saved = errno;
        server_close(server);
        errno = saved;
        return err;
    }
    for (size_t i = 0; i < METHOD_COUNT; i++)
        allowed |= methods[i].type;
    /* All, so that we can say what is wrong with the others. */
    evhttp_set_allowed_methods(server->http, (ev_uint16_t)allowed);
    evhttp_set_max_headers_size(server->http, SERVER_HEADER_BYTES_MAX);
    evhttp_set_max_body_size(server->http, SERVER_BODY_BYTES_MAX);
    evhttp_set_timeout(server->http, SERVER_TIMEOUT_S);
    evhttp_set_gencb(server->http, on_request, server);
    *ret = server;
    return 0;
}

void server_close(struct server *server)
{
    struct server **link = &servers;
    if (!server)
        return;
    for (struct request *request = server->first; request;
         request = request->next) {
        send_answer(request->http, 503, "application/json",
                    render_error("segmentd ends."));
        request->http = NULL;
        request->server = NULL;
    }
    if (server->http)
        evhttp_free(server->http);
    if (server->listen)
        event_free(server->listen);
    guests_close(server->guests);
    while (*link != server)
        link = &(*link)->next;
    *link = server->next;
    free(server);
}

int server_port(const struct server *server)
{
    return server->port;
}

int server_connections(const struct server *server)
{
    return guests_count(server->guests);
}
