/* feed.c: the change topic and the workers.
 *
 * A slice travels: view -> closure on the worker -> box -> view. The box is
 * shared, for a worker may be busy when the view ends; the last to let go of it
 * frees it, and whatever slices are in it. */
#include "daemon/redis/feed.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "daemon/base/conf.h"
#include "daemon/worker/workers.h"

#define BOUNDS_TIMEOUT_MS 1000
#define ROWS_MAX          4096 /* Partitions of one process. */

struct box {
    pthread_mutex_t lock;
    struct slice *slices; /* Newest first. */
    int holders;
};

struct source {
    struct tail *tail;
    char *topic;
    struct workers *workers;
    struct workers_row *rows;
    struct box *box;
};

/* What a worker is asked to do. */
struct errand {
    struct slice *slice;
    struct box *box;
};

/* ---- the box ----------------------------------------------------------- */

static struct box *box_new(void)
{
    struct box *box = calloc(1, sizeof(*box));
    if (box)
        pthread_mutex_init(&box->lock, NULL);
    if (box)
        box->holders = 1;
    return box;
}

static void box_hold(struct box *box)
{
    pthread_mutex_lock(&box->lock);
    box->holders++;
    pthread_mutex_unlock(&box->lock);
}

/* Put SLICE, if not NULL, in and let go of the box. */
static void box_release(struct box *box, struct slice *slice)
{
    pthread_mutex_lock(&box->lock);
    if (slice) {
        slice->after = box->slices;
        box->slices = slice;
    }
    int left = --box->holders;
    pthread_mutex_unlock(&box->lock);
    if (left)
        return;
    while ((slice = box->slices)) {
        box->slices = slice->after;
        slice_free(slice);
    }
    pthread_mutex_destroy(&box->lock);
    free(box);
}

static struct slice *box_take(struct box *box)
{
    pthread_mutex_lock(&box->lock);
    struct slice *slice = box->slices;
    if (slice)
        box->slices = slice->after;
    pthread_mutex_unlock(&box->lock);
    return slice;
}

/* ---- slices ------------------------------------------------------------ */

/* On the worker's thread, or with NULL when it has ended. */
static void run_errand(struct worker *worker, void *arg)
{
    struct errand *errand = arg;
    struct slice *slice = errand->slice;
    struct worker_partition here;
    slice->gone =
        !worker || worker_partition(worker, slice->partition, &here) < 0 ||
        !here.engine ||
        (slice->incarnation && slice->incarnation != here.incarnation);
    if (!slice->gone) {
        slice->incarnation = here.incarnation;
        slice->position = here.changes_position;
        slice_fill(slice, here.engine);
    }
    box_release(errand->box, slice);
    free(errand);
}

static int feed_running(void *impl, int partition)
{
    struct source *source = impl;
    return workers_owner(source->workers, partition) != NULL;
}

static int feed_ask(void *impl, struct slice *slice)
{
    struct source *source = impl;
    struct worker *worker = workers_owner(source->workers, slice->partition);
    struct errand *errand = worker ? malloc(sizeof(*errand)) : NULL;
    if (!errand)
        return 0;
    *errand = (struct errand){slice, source->box};
    box_hold(source->box);
    if (worker_post(worker, WORKER_AFTER_COMMIT, run_errand, errand) == 0)
        return 1;
    box_release(source->box, NULL);
    free(errand);
    return 0;
}

static struct slice *feed_answer(void *impl)
{
    struct source *source = impl;
    return box_take(source->box);
}

/* ---- the change topic and the board ------------------------------------ */

static uint64_t feed_change(void *impl)
{
    struct source *source = impl;
    return workers_change(source->workers);
}

static int feed_owned(void *impl, int *out, int max)
{
    struct source *source = impl;
    int count = workers_board(source->workers, source->rows, ROWS_MAX);
    for (int i = 0; i < count && i < max && i < ROWS_MAX; i++)
        out[i] = source->rows[i].partition;
    return count < ROWS_MAX ? count : ROWS_MAX;
}

static int feed_partition_count(void *impl)
{
    struct source *source = impl;
    return workers_partition_count(source->workers);
}

static int feed_start(void *impl, int partition, int64_t offset)
{
    struct source *source = impl;
    return tail_start(source->tail, partition, offset);
}

static void feed_stop(void *impl, int partition)
{
    struct source *source = impl;
    tail_stop(source->tail, partition);
}

static int feed_next(void *impl, int timeout_ms, struct tail_record *out)
{
    struct source *source = impl;
    return tail_next(source->tail, timeout_ms, out);
}

static int feed_bounds(void *impl, int partition, int64_t *low, int64_t *high)
{
    struct source *source = impl;
    return tail_bounds(source->tail, partition, BOUNDS_TIMEOUT_MS, low, high);
}

static void feed_rest(void *impl, int ms)
{
    (void)impl;
    poll(NULL, 0, ms);
}

/* ---- life cycle -------------------------------------------------------- */

static void feed_close(void *impl)
{
    struct source *source = impl;
    tail_free(source->tail);
    if (source->box)
        box_release(source->box, NULL);
    free(source->rows);
    free(source->topic);
    free(source);
}

int feed_open(struct feed *feed, const struct conf *conf, const char *bootstrap,
              struct workers *workers, const char *output)
{
    struct source *source = calloc(1, sizeof(*source));
    int got = SEG_ERR_NOMEM;
    if (!source)
        return got;
    source->workers = workers;
    source->box = box_new();
    source->rows = malloc(ROWS_MAX * sizeof(*source->rows));
    if (asprintf(&source->topic, "%s.%s", conf->app, output) < 0)
        source->topic = NULL;
    if (source->box && source->rows && source->topic)
        got = tail_open(&source->tail, conf, bootstrap, source->topic);
    if (got < 0) {
        feed_close(source);
        return got;
    }
    *feed = (struct feed){
        .impl = source,
        .change = feed_change,
        .owned = feed_owned,
        .partition_count = feed_partition_count,
        .start = feed_start,
        .stop = feed_stop,
        .next = feed_next,
        .bounds = feed_bounds,
        .running = feed_running,
        .ask = feed_ask,
        .answer = feed_answer,
        .rest = feed_rest,
        .close = feed_close,
    };
    return 0;
}
