/* worker.h: one thread, its member of the consumer group and its producer.
 *
 *     Kafka -> poll -> decode -> apply -> emit -> commit -> Kafka
 *                        one partition's engine after the other
 *
 * A worker owns partitions as long as the group says so. Nothing of it is
 * shared: who wants to know something posts a closure, which runs on the
 * worker's thread between two turns. The functions that take a struct worker
 * are for such closures only, except worker_post.
 *
 * workers.h has all workers of the process, and is where others begin. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include <seg/engine.h>
#include <seg/query.h>

struct conf;
struct embedded;
struct memory;
struct metrics;
struct worker;
struct workers;

/* What a partition is doing. */
#define WORKER_STATE_TABLE(X)                                              \
    X(CHECKING, "checking") /* Topics and their settings are looked at. */ \
    X(RESTORING, "restoring")                                              \
    X(WAITING, "waiting") /* Restored, but something holds it up. */       \
    X(RUNNING, "running")                                                  \
    X(REFUSED, "refused") /* Until somebody mends what `reason` says. */

enum worker_state {
#define X(state, name) WORKER_##state,
    WORKER_STATE_TABLE(X)
#undef X
        WORKER_STATE_COUNT
};

/* "checking", ... Static. */
const char *worker_state_name(int state);

/* When a closure runs. */
enum worker_when {
    WORKER_NOW,          /* Between two turns; a transaction may be open. */
    WORKER_AFTER_COMMIT, /* When no transaction is open or undecided: what the
                            engines know is committed. At once if that is so
                            already. */
};

/* A closure. WORKER is NULL when the worker ended before. */
typedef void worker_run(struct worker *worker, void *arg);

/* Have RUN called on WORKER's thread. Any thread. Returns 0; SEG_ERR_NOMEM, or
 * SEG_ERR_NOT_FOUND when WORKER has ended: RUN will not be called then. */
int worker_post(struct worker *worker, enum worker_when when, worker_run *run,
                void *arg);

/* ---- for closures ------------------------------------------------------ */

/* A partition that WORKER owns, as it is now. */
struct worker_partition {
    int partition;
    int state;                       /* enum worker_state. */
    const struct seg_engine *engine; /* NULL unless RUNNING or WAITING. Borrowed
                                        during the closure. */
    uint64_t incarnation;     /* Another number whenever it was restored, or was
                             away: cursors end there. Only with an engine. */
    int64_t changes_position; /* After the last change of it that is known to be
                                 committed: with WORKER_AFTER_COMMIT the place
                                 in the change topic that belongs to the
                                 engine's state. Only with an engine. */
    /* The backfill that is under way, or was given up; NULL: there is none. */
    const char *backfill; /* What it does, a word. Static. */
    uint64_t backfill_read;
    int64_t backfill_remaining;  /* Records. */
    const char *backfill_reason; /* Why it was given up; NULL. Static. */
};

/* The partition PARTITION. Returns 0, or SEG_ERR_NOT_FOUND if WORKER does not
 * own it. */
int worker_partition(struct worker *worker, int partition,
                     struct worker_partition *out);

/* All partitions that WORKER owns: calls EACH with every one. */
void worker_each_partition(
    struct worker *worker,
    void (*each)(void *arg, const struct worker_partition *partition),
    void *arg);

/* The user ID and his partition among those with an engine. Returns 0 or
 * SEG_ERR_NOT_FOUND. What is found is borrowed during the closure. */
int worker_find_user(struct worker *worker, struct seg_text id,
                     struct worker_partition *partition,
                     const struct seg_user **user);

/* The names of the events that came to WORKER, borrowed during the closure. */
const struct names *worker_names(const struct worker *worker);

/* Let go on every input of WORKER's that is paused because most of its records
 * were bad; a transaction must not be open (WORKER_AFTER_COMMIT). Returns how
 * many there were. */
int worker_resume(struct worker *worker);

/* CATALOGUE comes into force: every partition goes over to it as soon as it
 * can. */
void worker_set_catalogue(struct worker *worker,
                          const struct seg_catalogue *catalogue);

/* ---- life cycle, for workers.c ----------------------------------------- */

struct worker_options {
    const struct conf *conf;
    const struct seg_catalogue *catalogue;
    struct metrics *metrics;
    struct embedded *embedded; /* NULL: a real broker. */
    struct watchdog *watchdog; /* Of the main thread; NULL: none. */
    struct memory *memory;     /* What all workers may hold. */
    struct workers *workers;   /* Who is told, see workers.h. */
    int index;                 /* From 0. */
};

/* A worker that is not running yet. All pointers in OPTIONS are borrowed until
 * worker_free. Returns 0; SEG_ERR_NOMEM; SEG_ERR_LIMIT without descriptors
 * left; SEG_ERR_INVALID (logged) if librdkafka refuses its configuration. */
int worker_new(struct worker **ret, const struct worker_options *options);

/* Start its thread. It joins the group when the brokers answer and its producer
 * is ready; until then it says why not (workers_say). Returns 0 or
 * SEG_ERR_LIMIT. */
int worker_start(struct worker *worker);

/* Ask WORKER to write what is dirty, commit, leave the group and end. Any
 * thread; asked twice is asked once. */
void worker_stop(struct worker *worker);

/* Wait for its end, if it was started, and free it (NULL: nothing). worker_stop
 * was called. */
void worker_free(struct worker *worker);

#endif
