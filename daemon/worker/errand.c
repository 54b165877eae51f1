/* errand.c: closures of other threads.
 *
 * They come through the mailbox. One that waits for a commit is put into a list
 * and run when nothing is undecided and no output of any partition waits: what
 * the engines know is then what readers of the topics can know. */
#include <stdlib.h>

#include <seg/error.h>

#include "daemon/base/log.h"
#include "daemon/worker/worker_inside.h"

struct errand {
    struct errand *next;
    enum worker_when when;
    worker_run *run;
    void *arg;
};

static void errand_run(struct errand *errand, struct worker *worker)
{
    errand->run(worker, errand->arg);
    free(errand);
}

/* In the mailbox's owner; CONTEXT is NULL when the worker has ended. */
static void arrive(void *context, void *arg)
{
    struct worker *worker = context;
    struct errand *errand = arg;
    if (!worker || errand->when == WORKER_NOW) {
        errand_run(errand, worker);
        return;
    }
    errand->next = NULL;
    *worker->last_errand = errand;
    worker->last_errand = &errand->next;
}

int worker_post(struct worker *worker, enum worker_when when, worker_run *run,
                void *arg)
{
    struct errand *errand = calloc(1, sizeof(*errand));
    if (!errand)
        return SEG_ERR_NOMEM;
    errand->when = when;
    errand->run = run;
    errand->arg = arg;
    int r = mailbox_post(worker->mailbox, arrive, errand);
    if (r < 0)
        free(errand);
    return r;
}

/* Take the whole list, lest an errand that posts another one never ends. */
static void run_all(struct worker *worker, struct worker *context)
{
    struct errand *errand = worker->errands, *next;
    worker->errands = NULL;
    worker->last_errand = &worker->errands;
    for (; errand; errand = next) {
        next = errand->next;
        errand_run(errand, context);
    }
}

/* Whether LEDGER has put out something that is not committed, or could not even
 * write it down for want of memory. */
static int owes(const struct ledger *ledger)
{
    size_t pending = 0;
    if (ledger->engine)
        seg_engine_outputs(ledger->engine, &pending);
    return ledger->outbox.count || pending;
}

static int is_settled(const struct worker *worker)
{
    if (worker->commit && commit_state(worker->commit) != COMMIT_IDLE)
        return 0;
    for (int p = 0; p < worker->slot_count; p++) {
        const struct slot *slot = &worker->slots[p];
        if (slot->assigned && slot->partition &&
            owes(partition_ledger(slot->partition)))
            return 0;
    }
    return 1;
}

void errand_settled(struct worker *worker)
{
    if (worker->errands && is_settled(worker))
        run_all(worker, worker);
}

void errand_gone(struct worker *worker)
{
    mailbox_close(worker->mailbox);
    run_all(worker, NULL);
}

/* ---- for closures -------------------------------------------------------- */

static void describe_backfill(const struct partition *partition,
                              struct worker_partition *out)
{
    struct backfill_status status;
    if (!partition_backfill(partition, &status) ||
        (status.step == BACKFILL_RESTS && !status.why))
        return;
    out->backfill = backfill_step_name((int)status.step);
    out->backfill_read = status.read;
    out->backfill_remaining = status.remaining;
    out->backfill_reason = status.why;
}

static void describe(const struct worker *worker, int number,
                     struct worker_partition *out)
{
    const struct slot *slot = &worker->slots[number];
    int open = !slot->checking && slot->partition != NULL;
    *out = (struct worker_partition){
        .partition = number,
        .state = slot->state,
        .engine = open ? partition_engine(slot->partition) : NULL,
    };
    if (!out->engine)
        return;
    out->incarnation = partition_incarnation(slot->partition);
    out->changes_position = partition_changes_position(slot->partition);
    describe_backfill(slot->partition, out);
}

const struct names *worker_names(const struct worker *worker)
{
    return &worker->names;
}

int worker_partition(struct worker *worker, int partition,
                     struct worker_partition *out)
{
    if (partition < 0 || partition >= worker->slot_count ||
        !worker->slots[partition].assigned)
        return SEG_ERR_NOT_FOUND;
    describe(worker, partition, out);
    return 0;
}

void worker_each_partition(
    struct worker *worker,
    void (*each)(void *arg, const struct worker_partition *partition),
    void *arg)
{
    struct worker_partition partition;
    for (int p = 0; p < worker->slot_count; p++)
        if (worker_partition(worker, p, &partition) >= 0)
            each(arg, &partition);
}

int worker_find_user(struct worker *worker, struct seg_text id,
                     struct worker_partition *partition,
                     const struct seg_user **user)
{
    for (int p = 0; p < worker->slot_count; p++) {
        if (worker_partition(worker, p, partition) < 0 || !partition->engine)
            continue;
        *user = seg_user_find(partition->engine, id);
        if (*user)
            return 0;
    }
    return SEG_ERR_NOT_FOUND;
}

int worker_resume(struct worker *worker)
{
    int resumed = 0;
    for (int p = 0; p < worker->slot_count; p++) {
        const struct slot *slot = &worker->slots[p];
        struct partition *partition = slot->assigned ? slot->partition : NULL;
        for (int i = 0; partition && i < worker->conf->input_count; i++) {
            if (!partition_alarm(partition, i))
                continue;
            partition_forgive(partition, i);
            log_info("a paused input goes on", "topic=%s partition=%d",
                     worker->conf->inputs[i].topic, p);
            resumed++;
        }
    }
    return resumed;
}
