/* guests.h: the connections of the HTTP server: how many, and for how long.
 *
 *     bytes come in    evhttp answers   all is sent
 *     |<---------- an exchange ---------->|         idle         |<-- next
 *
 * evhttp ends a connection on which nothing happens for a while, but not one on
 * which something happens now and then: a client that sends a byte every ten
 * seconds, or reads one, could stay for ever, and so could ten thousand. So an
 * exchange has its time as a whole, GUESTS_EXCHANGE_S, and there are at most
 * GUESTS_MAX connections. One more costs the idle one that has been there the
 * longest its place; if none is idle it is the new one that is closed.
 *
 * Everything on the thread of the loop. */
#ifndef HTTP_GUESTS_H
#define HTTP_GUESTS_H

#include "daemon/base/loop.h"
#include "daemon/base/metric.h"

#define GUESTS_MAX        256
#define GUESTS_EXCHANGE_S 60

struct bufferevent;
struct guests;

struct guests_options {
    struct loop *loop;              /* Borrowed until guests_close. */
    struct metric_process *metrics; /* Counts who is closed. Borrowed. */
    int64_t exchange_ms;            /* 0: as above. */
};

/* Returns 0 or SEG_ERR_NOMEM. */
int guests_open(struct guests **ret, const struct guests_options *options);

/* After evhttp_free: no guest comes any more. NULL: nothing. */
void guests_close(struct guests *guests);

/* What evhttp_set_bevcb wants: a buffered connection without a socket yet, for
 * the next guest. NULL: no memory, and evhttp makes one of its own. */
struct bufferevent *guests_enter(struct event_base *base, void *guests);

/* How many there are. */
int guests_count(const struct guests *guests);

#endif
