/* worker_inside.h: a worker, for the files of this folder.
 *
 *     worker.c       the thread and its turn; beginning and end
 *     membership.c   partitions come and go
 *     errand.c       closures of other threads
 *     measure.c      metrics and the board */
#ifndef WORKER_WORKER_INSIDE_H
#define WORKER_WORKER_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "daemon/base/conf.h"
#include "daemon/base/mailbox.h"
#include "daemon/base/metric.h"
#include "daemon/base/watchdog.h"
#include "daemon/kafka/admin.h"
#include "daemon/kafka/bell.h"
#include "daemon/kafka/broker.h"
#include "daemon/kafka/client.h"
#include "daemon/kafka/consumer.h"
#include "daemon/partition/names.h"
#include "daemon/partition/partition.h"
#include "daemon/protocol/commit.h"
#include "daemon/worker/worker.h"
#include "daemon/worker/workers.h"
#include "lib/base/intern.h"

/* What a slot was worth to the metrics when it was last looked at. */
struct slot_seen {
    struct seg_engine_stats engine;
    struct partition_stats partition;
};

/* One partition, by its number. */
struct slot {
    struct partition *partition; /* NULL: neither owned nor kept warm. */
    int assigned;
    int checking;         /* The topics are looked at, then it is restored. */
    int start_due;        /* It is restored; the consumer is to read it. */
    uint64_t incarnation; /* Of the partition, as of the last turn. */
    int64_t warm_ms;      /* Since when it is kept warm. */
    int64_t restore_us;   /* When its restore began. */
    int state;            /* On the board; -1: no row. */
    char reason[WORKERS_REASON_BYTES]; /* Likewise. */
    int refused, stands;  /* Refused, or standing still: that is in the log. */
    int waits;            /* So is that its restore waits. */
    int sweeping;         /* Its users are judged by another catalogue. */
    int filling;          /* enum backfill_step that was told last. */
    const char *unfilled; /* Why its backfill was given up: that is told. */
    struct slot_seen seen;
    struct metric_partition metric;
    struct metric_input *inputs; /* One per input. */
    char label[48];              /* Of `metric`, and of `inputs` below. */
    const char *labels[1];
    char (*input_label)[CLIENT_TOPIC_BYTES + 64];
    const char **input_labels;
};

enum worker_phase {
    PHASE_CHECKING, /* Are the topics there, and fit together? */
    PHASE_PRODUCER, /* The producer is made: init_transactions. */
    PHASE_MEMBER,   /* In the group. */
    PHASE_FAILED,   /* Waits to be stopped. */
    PHASE_STOPPING, /* Writes what is dirty. */
    PHASE_ENDED,
};

struct worker {
    struct worker_options options;
    const struct conf *conf;
    struct workers *workers;
    int index;
    pthread_t thread;
    int started;
    atomic_int stop;
    struct watchdog_mark mark;
    enum worker_phase phase;

    struct client client;
    struct bell bell;
    struct mailbox *mailbox;
    struct errand *errands, **last_errand; /* For the next commit. */
    struct kafka_broker *kafka;
    struct broker *broker; /* Its calls. */
    struct consumer *consumer;
    struct commit *commit;

    struct ledger_input inputs[SEG_TOPICS_MAX];
    struct ledger_options ledger;
    struct partition_options partition;
    struct names names;            /* Of the events that came in. */
    const struct partition *mover; /* See there. */
    struct backfill_pace pace;     /* Likewise. */
    struct backfill_pace paced;    /* What of it is counted already. */
    struct slot *slots;            /* By partition number. */
    int slot_count;
    struct input_record *records; /* Room for one take. */

    int is_assigned; /* The group has assigned partitions, perhaps none. */

    uint64_t check;      /* The question about the topics; 0: none. */
    int64_t check_at_ms; /* When to ask it again. */
    int verdict;         /* The last answer: enum admin_verdict. */

    int64_t now_ms;  /* The wall of this turn. */
    int64_t stop_ms; /* When stopping began. */
    int64_t busy_ms; /* Since when a transaction is undecided; 0: none is. */
    int64_t told_ms; /* When that was last told; 0: not since then. */

    /* How busy it is. */
    int behind;              /* More waited than one turn takes. */
    int64_t window_ms;       /* Start of the present window ... */
    uint32_t window, before; /* ... records in it and in the one before. */
    uint64_t uncommitted; /* Records taken since the last transaction began. */

    /* What is measured. */
    struct metric_process metric;
    struct metric_worker own;
    char label[24]; /* Of `own`. */
    const char *labels[1];
    struct metric_segment *segments; /* By number of the key in `keys` ... */
    uint32_t segment_count;          /* ... as many of these as had memory. */
    struct intern keys; /* Of all segments there were; only grows. */
    int64_t *sizes;     /* By the same numbers. */
    struct metric_reason *reasons;
    struct metric_state states[WORKER_STATE_COUNT];
    struct commit_stats commits; /* As of the last look. */
    int64_t commit_us, first_ms; /* Of the transaction under way. */
    int64_t measured_ms;
};

/* ---- membership.c -------------------------------------------------------- */

/* Look after the question about the topics, if one is open. Returns 1 when they
 * are as they must be (or no question is open), 0 while that is not known. */
int membership_check(struct worker *worker);

/* Join the group. Returns 0, or a negative error, logged. */
int membership_join(struct worker *worker);

/* One turn of the partition in SLOT. Returns 1 if work was left over. */
int membership_turn(struct worker *worker, struct slot *slot);

/* Commit what waits and find out how it went, until UNTIL_MS (monotonic).
 * Returns 1 if nothing is undecided. */
int membership_finish(struct worker *worker, int64_t until_ms);

/* Leave the group, politely if there are TIMEOUT_MS left for it. */
void membership_leave(struct worker *worker, int64_t timeout_ms);

/* Free slots. */
void membership_done(struct worker *worker);

/* ---- worker.c ------------------------------------------------------------ */

/* Until when (wall) a worker that stops may write what is dirty. */
int64_t worker_flush_until_ms(const struct worker *worker);

/* ---- errand.c ------------------------------------------------------------ */

/* Run what waits for a commit, if all is committed. */
void errand_settled(struct worker *worker);

/* Answer everything that waits: the worker ends. */
void errand_gone(struct worker *worker);

/* ---- measure.c ----------------------------------------------------------- */

/* Make the worker known to the metrics. Returns 0 or SEG_ERR_NOMEM. */
int measure_open(struct worker *worker);
void measure_close(struct worker *worker);

/* Room for all slots, once there are some. Returns 0 or SEG_ERR_NOMEM. */
int measure_slots(struct worker *worker);

/* Add up what the partition of SLOT counted since the last time; also before it
 * ends. */
void measure_fold(struct worker *worker, struct slot *slot);

/* A partition appears in the metrics, or leaves them. */
void measure_add(struct worker *worker, struct slot *slot);
void measure_remove(struct worker *worker, struct slot *slot);

/* Write the row of SLOT if its state changed. */
void measure_board(struct worker *worker, struct slot *slot);

/* The catalogue of worker->ledger is in force from now on. Returns 0 or
 * SEG_ERR_NOMEM, with all as it was. */
int measure_catalogue(struct worker *worker);

/* Once a second: everything. */
void measure_all(struct worker *worker);

/* A transaction was started; the last one ended. */
void measure_commit_start(struct worker *worker);
void measure_commit_end(struct worker *worker);

/* For the ledgers: an output was made, a record was bad. */
void measure_output(void *arg, const struct seg_output *output);
void measure_bad(void *arg, int partition, int input, int error, int cut);

#endif
