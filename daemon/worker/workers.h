/* workers.h: all workers of the process, and what the others know of them.
 *
 *     main            starts and stops them, hears when one fails
 *     daemon/http     asks each for a user (workers_each), shows the status
 *     daemon/redis    finds the owner of a partition and posts to it
 *
 * The board holds one row per partition owned here. Workers write it, anybody
 * reads it: it may be a moment old. */
#ifndef WORKER_WORKERS_H
#define WORKER_WORKERS_H

#include <stdint.h>

#include "daemon/base/metric.h"
#include "daemon/worker/worker.h"

#define WORKERS_REASON_BYTES 512

struct workers_options {
    const struct conf *conf;
    const struct seg_catalogue *catalogue;
    struct metrics *metrics;
    struct embedded *embedded; /* NULL: a real broker. */
    struct watchdog *watchdog; /* Of the loop of the caller. */
    /* Called on a worker's thread: the process cannot go on. STATUS is its exit
     * status (75: somebody else has our name, 78: mend the configuration), the
     * reason is logged already. Workers go on waiting until they are stopped.
     */
    void (*failed)(void *arg, int status);
    /* Called on a worker's thread when it has ended. */
    void (*ended)(void *arg);
    void *arg;
};

/* Start conf_workers() workers. OPTIONS' pointers are borrowed until
 * workers_free. Returns as worker_new and worker_start; on failure nothing is
 * left. */
int workers_start(struct workers **ret, const struct workers_options *options);

/* CATALOGUE, whose segments the metrics know, comes into force. */
void workers_set_catalogue(struct workers *workers,
                           const struct seg_catalogue *catalogue);

/* Ask all to end; see worker_stop. */
void workers_stop(struct workers *workers);

/* Whether all threads have ended. */
int workers_ended(struct workers *workers);

/* Wait for their end and free all (NULL: nothing). */
void workers_free(struct workers *workers);

int workers_count(const struct workers *workers);
struct worker *workers_at(struct workers *workers, int index);

/* The worker for which PARTITION is RUNNING or WAITING, or NULL. Any thread.
 * Ask again in a closure: it may have moved meanwhile. */
struct worker *workers_owner(struct workers *workers, int partition);

/* ---- the board ---------------------------------------------------------- */

struct workers_row {
    int partition;
    int worker;                        /* Its index. */
    int state;                         /* enum worker_state. */
    char reason[WORKERS_REASON_BYTES]; /* One sentence; "" if RUNNING. */
};

/* Up to MAX rows in order of partitions into OUT. Returns how many there are.
 */
int workers_board(struct workers *workers, struct workers_row *out, int max);

/* Whether every worker is a member of the group and all partitions owned are
 * RUNNING. Else *REASON (WORKERS_REASON_BYTES) says what is not. */
int workers_ready(struct workers *workers, char reason[WORKERS_REASON_BYTES]);

/* Bring what METRICS says of memory_max up to date. */
void workers_measure(const struct workers *workers,
                     struct metric_process *metrics);

/* Partitions of the input topics, 0 while not known. */
int workers_partition_count(struct workers *workers);

/* A number that grows whenever a row is added, removed or changes its state. */
uint64_t workers_change(struct workers *workers);

/* ---- for workers --------------------------------------------------------- */

/* Write the row of PARTITION; REASON may be "". */
void workers_put(struct workers *workers, int worker, int partition, int state,
                 const char *reason);

/* Take the row of PARTITION out, if it is WORKER's. */
void workers_drop(struct workers *workers, int worker, int partition);

/* What WORKER waits for before it is a member ("" when it is one). */
void workers_say(struct workers *workers, int worker, const char *reason);

void workers_set_partition_count(struct workers *workers, int count);
/* The labels of metric_state, in the order of enum worker_state. */
const char *const *workers_state_labels(const struct workers *workers);

void workers_fail(struct workers *workers, int status);
void workers_tell_ended(struct workers *workers);

#endif
