/* feed.h: where a view gets its changes and its users from.
 *
 * A struct of calls: the change topic and the workers in the daemon
 * (feed_open), arrays in tests. All calls are made by the view's thread. */
#ifndef REDIS_FEED_H
#define REDIS_FEED_H

#include <stdint.h>

#include "daemon/kafka/tail.h"
#include "daemon/redis/slice.h"

struct conf;
struct workers;

struct feed {
    void *impl; /* First argument of every call. */

    /* A number that is another one whenever `owned` may say something new. */
    uint64_t (*change)(void *impl);

    /* The partitions of this process, up to MAX into OUT, ascending. Returns
     * how many there are. */
    int (*owned)(void *impl, int *out, int max);

    /* Partitions of the change topic; 0: not known yet. */
    int (*partition_count)(void *impl);

    /* As tail_start, tail_stop, tail_next, tail_bounds. */
    int (*start)(void *impl, int partition, int64_t offset);
    void (*stop)(void *impl, int partition);
    int (*next)(void *impl, int timeout_ms, struct tail_record *out);
    int (*bounds)(void *impl, int partition, int64_t *low, int64_t *high);

    /* Whether a worker runs PARTITION, so that it has users to hand over. */
    int (*running)(void *impl, int partition);

    /* Have SLICE filled by the worker that runs its partition. Returns 1, and
     * takes SLICE until it comes back through `answer`; 0 if no worker does. */
    int (*ask)(void *impl, struct slice *slice);

    /* A slice that came back, or NULL. */
    struct slice *(*answer)(void *impl);

    /* Do nothing for MS. */
    void (*rest)(void *impl, int ms);

    void (*close)(void *impl);
};

/* The feed of the daemon, of the topic `<app>.OUTPUT`. WORKERS is used until
 * feed->close; the rest is borrowed as long. Returns 0; SEG_ERR_NOMEM; SEG_ERR_INVALID (logged). */
int feed_open(struct feed *feed, const struct conf *conf, const char *bootstrap,
              struct workers *workers, const char *output);

#endif
