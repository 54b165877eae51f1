/* ask.c: GETs with libevent's HTTP client, each from opening to closing.
 *
 * Addresses are looked up and files read without an event loop: there is
 * nothing else to do meanwhile. */
#include "daemon/ctl/ask.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <jansson.h>

#include "daemon/base/conf.h"
#include "daemon/ctl/ctl.h"
#include "lib/base/buf.h"

#define TOKEN_BYTES_MAX 8192

/* Whom to ask. */
struct server {
    char host[256];
    int port;
    struct buf token; /* Empty: none. */
};

/* What came back. */
struct answer {
    struct event_base *base;
    int status; /* 0: nothing came. */
    struct buf *body;
};

struct asker {
    struct server server;
};

int ask_take(struct ask_options *options, int found)
{
    const char **where = found == 'u'   ? &options->url
                         : found == 'c' ? &options->conf
                         : found == 't' ? &options->token_file
                                        : NULL;
    if (where)
        *where = optarg;
    return where != NULL;
}

int ask_read(struct ask_options *options, int argc, char **argv)
{
    static const struct option long_options[] = {
        ASK_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    *options = (struct ask_options){.verb = argv[0]};
    for (int option; (option = ctl_option(argc, argv, long_options)) != -1;) {
        if (option == '?')
            return CTL_USAGE;
        ask_take(options, option);
    }
    return CTL_GOOD;
}

/* ---- whom to ask ------------------------------------------------------- */

/* HOST without the brackets of IPv6. */
static void set_host(struct server *server, const char *host)
{
    size_t len = strlen(host);
    if (len > 1 && *host == '[' && host[len - 1] == ']')
        host++, len -= 2;
    snprintf(server->host, sizeof(server->host), "%.*s", (int)len, host);
}

/* SERVER is the one at URL. Returns 0, or -1 if that is none of ours. */
static int set_url(struct server *server, const char *url)
{
    struct evhttp_uri *uri = evhttp_uri_parse(url);
    const char *scheme = uri ? evhttp_uri_get_scheme(uri) : NULL;
    const char *host = uri ? evhttp_uri_get_host(uri) : NULL;
    int good = scheme && !strcmp(scheme, "http") && host && *host;
    if (good) {
        set_host(server, host);
        server->port = evhttp_uri_get_port(uri);
        if (server->port < 0)
            server->port = 80;
    }
    if (uri)
        evhttp_uri_free(uri);
    return good ? 0 : -1;
}

static int read_url(struct server *server, const struct ask_options *options)
{
    return !set_url(server, options->url)
               ? CTL_GOOD
               : ctl_usage(options->verb,
                           "--url: %s is not like http://127.0.0.1:7070",
                           options->url);
}

static int read_conf(struct server *server, const struct ask_options *options)
{
    const char *path = options->conf ? options->conf : CTL_CONF_PATH;
    struct conf_options how = {.embedded = 1};
    struct conf *conf = NULL;
    struct buf errors;
    int status = CTL_GOOD;
    buf_init(&errors);
    if (conf_load(&conf, path, &how, &errors) < 0) {
        fputs(buf_string(&errors), stderr);
        status = ctl_fail("where is segmentd? Say --url, or --conf");
    } else {
        set_host(server, conf->http_address.host);
        server->port = conf->http_address.port;
        buf_str(&server->token, conf->http_token.value);
    }
    buf_done(&errors);
    conf_free(conf);
    return status;
}

/* The first line of the file PATH. */
static int read_token(struct server *server, const char *path)
{
    char line[TOKEN_BYTES_MAX];
    FILE *in = fopen(path, "r");
    int good = in && fgets(line, sizeof(line), in);
    if (in)
        fclose(in);
    if (!good)
        return ctl_fail("%s: cannot be read", path);
    buf_reset(&server->token);
    buf_add(&server->token, line, strcspn(line, "\r\n"));
    return CTL_GOOD;
}

static int find_server(struct server *server, const struct ask_options *options)
{
    int status =
        options->url ? read_url(server, options) : read_conf(server, options);
    if (status == CTL_GOOD && options->token_file)
        status = read_token(server, options->token_file);
    return status;
}

/* ---- asking ------------------------------------------------------------ */

static void take_answer(struct evhttp_request *request, void *arg)
{
    struct answer *answer = arg;
    if (request) {
        struct evbuffer *body = evhttp_request_get_input_buffer(request);
        size_t len = evbuffer_get_length(body);
        char *room = buf_reserve(answer->body, len);
        answer->status = evhttp_request_get_response_code(request);
        if (room && evbuffer_remove(body, room, len) == (int)len)
            answer->body->len += len;
    }
    event_base_loopbreak(answer->base);
}

static void send_request(struct evhttp_connection *connection,
                         const struct server *server, const char *path,
                         const char *accept, struct answer *answer)
{
    struct evhttp_request *request = evhttp_request_new(take_answer, answer);
    if (!request)
        return;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct buf value;
    buf_init(&value);
    buf_str(&value, "Bearer ");
    buf_add(&value, server->token.bytes, server->token.len);
    evhttp_add_header(headers, "Host", server->host);
    evhttp_add_header(headers, "Accept", accept);
    evhttp_add_header(headers, "Connection", "close");
    if (server->token.len)
        evhttp_add_header(headers, "Authorization", buf_string(&value));
    buf_done(&value);
    if (!evhttp_make_request(connection, request, EVHTTP_REQ_GET, path))
        event_base_dispatch(answer->base);
}

/* GET PATH from SERVER into ANSWER, whose status stays 0 without one. */
static void get(struct answer *answer, const struct server *server,
                const char *path, const char *accept)
{
    answer->base = event_base_new();
    struct evhttp_connection *connection =
        answer->base
            ? evhttp_connection_base_new(answer->base, NULL, server->host,
                                         (uint16_t)server->port)
            : NULL;
    if (connection) {
        evhttp_connection_set_timeout(connection, ASK_TIMEOUT_S);
        send_request(connection, server, path, accept, answer);
        evhttp_connection_free(connection);
    }
    if (answer->base)
        event_base_free(answer->base);
}

int ask_complain(const struct asker *asker, int status, const struct buf *body)
{
    const struct server *server = &asker->server;
    if (!status)
        return ctl_fail("no answer from segmentd at %s:%d", server->host,
                        server->port);
    json_t *json = json_loadb(body->bytes, body->len, 0, NULL);
    const char *error = json_string_value(json_object_get(json, "error"));
    if (error)
        ctl_fail("%s", error);
    else
        ctl_fail("%s:%d answers %d", server->host, server->port, status);
    json_decref(json);
    return CTL_FAILED;
}

int ask_open(struct asker **ret, const struct ask_options *options)
{
    struct asker *asker = calloc(1, sizeof(*asker));
    if (!asker)
        return ctl_fail("out of memory");
    buf_init(&asker->server.token);
    int status = find_server(&asker->server, options);
    if (status == CTL_GOOD)
        *ret = asker;
    else
        ask_close(asker);
    return status;
}

void ask_close(struct asker *asker)
{
    if (asker)
        buf_done(&asker->server.token);
    free(asker);
}

int ask_get(struct asker *asker, const char *path, const char *accept,
            struct buf *body)
{
    struct answer answer = {.body = body};
    buf_reset(body);
    get(&answer, &asker->server, path, accept);
    return answer.status;
}

int ask_go(struct asker *asker, const char *url)
{
    return set_url(&asker->server, url);
}

void ask_escape(struct buf *path, const char *text)
{
    char *escaped = evhttp_uriencode(text, -1, 0);
    buf_str(path, escaped ? escaped : "");
    free(escaped);
}

/* ---- users, whoever has them -------------------------------------------- */

/* Ask every process that BODY names, until one knows him. Returns as ask_get.
 */
static int ask_each(struct asker *asker, const char *path, const char *accept,
                    struct buf *body)
{
    json_t *json = json_loadb(body->bytes, body->len, 0, NULL);
    json_t *owners = json_object_get(json, "owners"), *url;
    size_t i;
    int got = 421;
    json_array_foreach(owners, i, url)
    {
        if (got != 200 && json_is_string(url) &&
            !ask_go(asker, json_string_value(url)))
            got = ask_get(asker, path, accept, body);
    }
    json_decref(json);
    return got;
}

/* ASKER goes to the process that BODY names. Returns 0, or -1 if it names none.
 */
static int go_to_owner(struct asker *asker, const struct buf *body)
{
    json_t *json = json_loadb(body->bytes, body->len, 0, NULL);
    const char *url = json_string_value(json_object_get(json, "owner"));
    int ret = url ? ask_go(asker, url) : -1;
    json_decref(json);
    return ret;
}

/* As ask_get, of whoever has the user: who does not says who does. The token
 * goes along: a group has one. */
static int ask_owner(struct asker *asker, const char *path, const char *accept,
                     struct buf *body)
{
    int got = ask_get(asker, path, accept, body);
    for (int i = 0; got == 307 && i < ASK_FOLLOW_MAX; i++) {
        if (go_to_owner(asker, body) < 0)
            break;
        got = ask_get(asker, path, accept, body);
    }
    return got == 421 ? ask_each(asker, path, accept, body) : got;
}

int ask_user(struct buf *body, const struct ask_options *options,
             const char *id, const char *suffix, const char *accept)
{
    struct asker *asker = NULL;
    struct buf path;
    int status = ask_open(&asker, options);
    if (status != CTL_GOOD)
        return status;
    buf_init(&path);
    buf_str(&path, "/v1/users/");
    ask_escape(&path, id);
    buf_str(&path, suffix);
    int got = ask_owner(asker, buf_string(&path), accept, body);
    if (got != 200)
        status = ask_complain(asker, got, body);
    buf_done(&path);
    ask_close(asker);
    return status;
}
