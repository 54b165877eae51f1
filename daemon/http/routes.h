/* routes.h: the answers of segmentd to HTTP requests.
 *
 * Metrics and readiness are answered at once. Users live in the threads of the
 * workers: such a question goes to all of them as a closure, each answers when
 * it comes to it, and the answers come back to the loop. Who has to wait for
 * more than ROUTES_WAIT_MS is asked to try again. */
#ifndef HTTP_ROUTES_H
#define HTTP_ROUTES_H

#include "daemon/base/loop.h"
#include "daemon/base/metric.h"
#include "daemon/http/server.h"
#include "daemon/protocol/partitioner.h"
#include "daemon/worker/workers.h"

/* A worker may block for a second. */
#define ROUTES_WAIT_MS 2500

/* Explained in one answer, which is made between two turns of a worker. */
#define ROUTES_EXPLAIN_SEGMENTS 200

/* All borrowed, as long as requests may come or workers live. */
struct owners;

struct routes {
    struct loop *loop;
    struct metrics *metrics;
    struct metric_process *process; /* Counts late answers. */
    const struct seg_catalogue *catalogue;
    /* Read the segment files anew and set `catalogue` (see reload_run). */
    int (*reload)(void *arg, struct buf *said);
    struct workers *workers;    /* NULL before they start and after they end. */
    void (*measure)(void *arg); /* Before metrics are printed. */
    void *arg;
    int stopping;          /* Not ready any more. */
    int resuming;          /* Inputs, once all is committed. Set by routes.c. */
    const char *app;       /* Prefix of the topics. */
    struct owners *owners; /* Whom to ask for other processes. */
    enum partitioner partitioner; /* Of user ids; TRUST: it cannot be told. */
    uint64_t boot; /* Of cursors, see cursor.h. Set by members.c. */
    int listing;   /* Pages of members under way. Likewise. */
};

/* Answer REQUEST; ROUTES is a struct routes, for struct server_options. */
void routes_handle(void *routes, struct request *request);

/* Answer REQUEST with STATUS and MESSAGE, a sentence; 503 is worth another try.
 */
void routes_fail(struct request *request, int status, const char *message);

#endif
