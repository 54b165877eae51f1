/* server.h: HTTP requests in, answers out, within limits (libevent).
 *
 * All on the thread of the loop. A request is taken apart here: its path into
 * decoded parts, so that %2F in an id is no separator. It waits for its answer
 * as long as it takes; every request that was handed over is answered exactly
 * once, by request_answer, even if its client or the server is gone. How many may
 * be connected, and for how long, see guests.h.
 *
 * Without a token whoever reaches the address may ask. That goes for programs:
 * what a web page sends to change something (it has Origin or Sec-Fetch-Site)
 * is refused, lest any page in a browser on this machine be an operator. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <seg/event.h>

#include "daemon/base/loop.h"
#include "daemon/base/metric.h"
#include "lib/base/buf.h"

#define SERVER_HEADER_BYTES_MAX 16384 /* Request line included. */
#define SERVER_BODY_BYTES_MAX   4096  /* No route reads one. */
#define SERVER_TIMEOUT_S        20    /* Nothing sent, nothing read. */
#define SERVER_REQUESTS_MAX     64    /* Waiting for their answers. */
#define SERVER_ACCEPT_PAUSE_MS  100   /* When nobody can be let in. */
#define SERVER_PARTS_MAX        8     /* Of a path. */

struct server;
struct request;

struct server_options {
    struct loop *loop;              /* Borrowed until server_close. */
    const char *host;               /* Numeric, or a name. */
    int port;                       /* 0: any free one. */
    const char *token;              /* "": none needed. Borrowed. */
    struct metric_process *metrics; /* Counts requests. Borrowed. */
    void (*handle)(void *arg, struct request *request);
    void *arg;
    int64_t exchange_ms; /* Of one request as a whole; 0: see guests.h. */
};

/* Listen. Returns 0; SEG_ERR_INVALID if the address cannot be had, with the
 * reason in errno; or SEG_ERR_NOMEM. */
int server_open(struct server **ret, const struct server_options *options);

/* Close all connections; who still waits is told so. NULL: nothing. */
void server_close(struct server *server);

/* The port it listens on. */
int server_port(const struct server *server);

/* How many are connected. */
int server_connections(const struct server *server);

/* "GET", "HEAD", "POST" ... Static. */
const char *request_method(const struct request *request);

/* How many parts the path has; /v1/users/a%2Fb has three: v1, users, a/b. */
int request_part_count(const struct request *request);

/* Part INDEX, decoded; borrowed from REQUEST. */
struct seg_text request_part(const struct request *request, int index);

/* The decoded value of NAME in the query, borrowed; NULL: not there. */
const char *request_query(const struct request *request, const char *name);

/* Append path and query as they came, still encoded, to OUT; what should have
 * been encoded is, so that a header can hold it. */
void request_target(const struct request *request, struct buf *out);

/* Whether the client asks for text/plain rather than JSON. */
int request_wants_text(const struct request *request);

/* An additional header of the answer. */
void request_header(struct request *request, const char *name,
                    const char *value);

/* Answer with STATUS, the content type TYPE and BODY, a heap string that is
 * taken; NULL: memory ran out, which is answered instead. Ends REQUEST. */
void request_answer(struct request *request, int status, const char *type,
                    char *body);

#endif
