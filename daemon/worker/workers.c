/* workers.c: all workers of the process, and what the others know of them. */
#include "daemon/worker/workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/base/conf.h"
#include "daemon/base/log.h"
#include "daemon/worker/memory.h"
#include "lib/base/alloc.h"

struct workers {
    struct workers_options options;
    struct worker **items;
    struct memory *memory;
    int count;
    atomic_int ended, partitions;
    atomic_ullong change;

    pthread_mutex_t lock;                /* For the rest. */
    char (*waits)[WORKERS_REASON_BYTES]; /* By worker: see workers_say. */
    struct workers_row *rows;            /* In order of partitions. */
    size_t row_count, row_cap;
    int failed;

    char state_labels[WORKER_STATE_COUNT][32];
    const char *labels[WORKER_STATE_COUNT];
};

const char *worker_state_name(int state)
{
    static const char *const names[] = {
#define X(name, text) text,
        WORKER_STATE_TABLE(X)
#undef X
    };
    return state >= 0 && state < WORKER_STATE_COUNT ? names[state] : "unknown";
}

const char *const *workers_state_labels(const struct workers *workers)
{
    return workers->labels;
}

/* ---- life cycle ---------------------------------------------------------- */

static void make_labels(struct workers *workers)
{
    for (int i = 0; i < WORKER_STATE_COUNT; i++) {
        snprintf(workers->state_labels[i], sizeof(workers->state_labels[i]),
                 "state=\"%s\"", worker_state_name(i));
        workers->labels[i] = workers->state_labels[i];
    }
}

static int start_all(struct workers *workers)
{
    struct worker_options options = {.conf = workers->options.conf,
                                     .catalogue = workers->options.catalogue,
                                     .metrics = workers->options.metrics,
                                     .embedded = workers->options.embedded,
                                     .watchdog = workers->options.watchdog,
                                     .workers = workers};
    int64_t limit = memory_limit(workers->options.conf->memory_max_bytes);
    int count = workers->count, r;
    workers->count = 0;
    r = memory_new(&workers->memory, limit, count);
    options.memory = workers->memory;
    for (options.index = 0; options.index < count && r >= 0; options.index++) {
        r = worker_new(&workers->items[options.index], &options);
        workers->count += r >= 0;
    }
    for (int i = 0; i < workers->count && r >= 0; i++)
        r = worker_start(workers->items[i]);
    return r;
}

int workers_start(struct workers **ret, const struct workers_options *options)
{
    struct workers *workers = calloc(1, sizeof(*workers));
    int r = SEG_ERR_NOMEM;
    if (!workers)
        return r;
    workers->options = *options;
    workers->count = conf_workers(options->conf);
    pthread_mutex_init(&workers->lock, NULL);
    make_labels(workers);
    workers->items = calloc((size_t)workers->count, sizeof(*workers->items));
    workers->waits = calloc((size_t)workers->count, sizeof(*workers->waits));
    if (workers->items && workers->waits)
        r = start_all(workers);
    if (r < 0) {
        workers_stop(workers);
        workers_free(workers);
    } else {
        *ret = workers;
    }
    return r;
}

static void set_catalogue(struct worker *worker, void *arg)
{
    struct seg_catalogue *catalogue = arg;
    if (worker)
        worker_set_catalogue(worker, catalogue);
    seg_catalogue_free(catalogue);
}

void workers_set_catalogue(struct workers *workers,
                           const struct seg_catalogue *catalogue)
{
    for (int i = 0; i < workers->count; i++) {
        struct seg_catalogue *shared = seg_catalogue_share(catalogue);
        int r =
            worker_post(workers->items[i], WORKER_NOW, set_catalogue, shared);
        if (r == SEG_ERR_NOMEM)
            log_error("there is no memory to tell a worker of another "
                      "catalogue: the one before stays until the next reload",
                      "worker=%d", i);
        if (r < 0)
            seg_catalogue_free(shared);
    }
}

void workers_stop(struct workers *workers)
{
    for (int i = 0; workers->items && i < workers->count; i++)
        worker_stop(workers->items[i]);
}

int workers_ended(struct workers *workers)
{
    return atomic_load(&workers->ended) == workers->count;
}

void workers_free(struct workers *workers)
{
    if (!workers)
        return;
    for (int i = 0; workers->items && i < workers->count; i++)
        worker_free(workers->items[i]);
    pthread_mutex_destroy(&workers->lock);
    memory_free(workers->memory);
    free(workers->items);
    free(workers->waits);
    free(workers->rows);
    free(workers);
}

int workers_count(const struct workers *workers)
{
    return workers->count;
}

struct worker *workers_at(struct workers *workers, int index)
{
    return workers->items[index];
}

void workers_fail(struct workers *workers, int status)
{
    pthread_mutex_lock(&workers->lock);
    int first = !workers->failed;
    workers->failed = 1;
    pthread_mutex_unlock(&workers->lock);
    if (first && workers->options.failed)
        workers->options.failed(workers->options.arg, status);
}

void workers_tell_ended(struct workers *workers)
{
    atomic_fetch_add(&workers->ended, 1);
    if (workers->options.ended)
        workers->options.ended(workers->options.arg);
}

/* ---- the board ----------------------------------------------------------- */

/* The index of the row of PARTITION, or of the place for it. */
static size_t row_index(const struct workers *workers, int partition)
{
    size_t i = 0;
    while (i < workers->row_count && workers->rows[i].partition < partition)
        i++;
    return i;
}

static struct workers_row *row_find(struct workers *workers, int partition)
{
    size_t i = row_index(workers, partition);
    return i < workers->row_count && workers->rows[i].partition == partition
               ? &workers->rows[i]
               : NULL;
}

/* A row for PARTITION, made if there is none; NULL: no memory. */
static struct workers_row *row_make(struct workers *workers, int partition)
{
    struct workers_row *row = row_find(workers, partition);
    if (row || alloc_grow((void **)&workers->rows, &workers->row_cap,
                          workers->row_count + 1, sizeof(*workers->rows)) < 0)
        return row;
    size_t i = row_index(workers, partition);
    memmove(&workers->rows[i + 1], &workers->rows[i],
            (workers->row_count - i) * sizeof(*workers->rows));
    workers->row_count++;
    workers->rows[i] =
        (struct workers_row){.partition = partition, .state = -1};
    return &workers->rows[i];
}

void workers_put(struct workers *workers, int worker, int partition, int state,
                 const char *reason)
{
    pthread_mutex_lock(&workers->lock);
    struct workers_row *row = row_make(workers, partition);
    if (row) {
        if (row->state != state || row->worker != worker)
            atomic_fetch_add(&workers->change, 1);
        row->worker = worker;
        row->state = state;
        snprintf(row->reason, sizeof(row->reason), "%s", reason);
    }
    pthread_mutex_unlock(&workers->lock);
}

void workers_drop(struct workers *workers, int worker, int partition)
{
    pthread_mutex_lock(&workers->lock);
    struct workers_row *row = row_find(workers, partition);
    if (row && row->worker == worker) {
        size_t after = (size_t)(row - workers->rows) + 1;
        memmove(row, row + 1, (workers->row_count - after) * sizeof(*row));
        workers->row_count--;
        atomic_fetch_add(&workers->change, 1);
    }
    pthread_mutex_unlock(&workers->lock);
}

void workers_say(struct workers *workers, int worker, const char *reason)
{
    pthread_mutex_lock(&workers->lock);
    snprintf(workers->waits[worker], WORKERS_REASON_BYTES, "%s", reason);
    pthread_mutex_unlock(&workers->lock);
}

struct worker *workers_owner(struct workers *workers, int partition)
{
    pthread_mutex_lock(&workers->lock);
    const struct workers_row *row = row_find(workers, partition);
    int has =
        row && (row->state == WORKER_RUNNING || row->state == WORKER_WAITING);
    struct worker *owner = has ? workers->items[row->worker] : NULL;
    pthread_mutex_unlock(&workers->lock);
    return owner;
}

int workers_board(struct workers *workers, struct workers_row *out, int max)
{
    pthread_mutex_lock(&workers->lock);
    int count = (int)workers->row_count;
    if (count && max > 0)
        memcpy(out, workers->rows,
               (size_t)(count < max ? count : max) * sizeof(*out));
    pthread_mutex_unlock(&workers->lock);
    return count;
}

/* Why the first that is not ready is not; 0 if all are. */
static int find_reason(const struct workers *workers, char *reason)
{
    for (int i = 0; i < workers->count; i++)
        if (workers->waits[i][0]) {
            snprintf(reason, WORKERS_REASON_BYTES, "%s", workers->waits[i]);
            return 1;
        }
    for (size_t i = 0; i < workers->row_count; i++) {
        const struct workers_row *row = &workers->rows[i];
        if (row->state == WORKER_RUNNING)
            continue;
        snprintf(reason, WORKERS_REASON_BYTES, "Partition %d is %s. %.400s",
                 row->partition, worker_state_name(row->state), row->reason);
        return 1;
    }
    return 0;
}

int workers_ready(struct workers *workers, char reason[WORKERS_REASON_BYTES])
{
    pthread_mutex_lock(&workers->lock);
    int waits = find_reason(workers, reason);
    pthread_mutex_unlock(&workers->lock);
    if (!waits)
        reason[0] = '\0';
    return !waits;
}

void workers_measure(const struct workers *workers,
                     struct metric_process *metrics)
{
    metric_set(&metrics->memory_max, memory_max_bytes(workers->memory));
    metric_set(&metrics->memory_paused, memory_is_full(workers->memory));
}

int workers_partition_count(struct workers *workers)
{
    return atomic_load(&workers->partitions);
}

void workers_set_partition_count(struct workers *workers, int count)
{
    atomic_store(&workers->partitions, count);
}

uint64_t workers_change(struct workers *workers)
{
    return atomic_load(&workers->change);
}
