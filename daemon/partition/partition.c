/* partition.c: the life of a partition; how its records flow is in flow.c, what
 * is said of it when it does not run in reason.c.
 *
 * `expected` of an input is the offset after what was pushed last, or the end
 * that an EOF event told, which moves over markers and aborted records. What is
 * *applied* is the same only when the queue is empty. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/partition/partition_inside.h"
#include "daemon/protocol/mutation.h"

enum {
    QUEUE_BYTES = 16 << 20, /* Of one input that wait, about. */
    LOOK_MS = 2,            /* Between two looks for an answer. */
    LOST_MS = 1000,         /* From a loss to the next restore. */
    NO_ROOM_MS = 1000       /* From one that found no memory to the next. */
};

static _Atomic uint64_t incarnations; /* Of all partitions of the process. */

/* ---- life cycle ---------------------------------------------------------- */

int partition_new(struct partition **ret,
                  const struct partition_options *options, int number)
{
    size_t inputs = (size_t)options->ledger->input_count;
    struct partition *partition =
        calloc(1, sizeof(*partition) + inputs * sizeof(partition->inputs[0]));

    if (!partition)
        return SEG_ERR_NOMEM;
    partition->options = options;
    partition->input_count = (int)inputs;
    for (int i = 0; i < partition->input_count; i++)
        partition->inputs[i].applied = (struct partition_applied){-1, -1};
    if (ledger_new(&partition->ledger, options->ledger, number)) {
        free(partition);
        return SEG_ERR_NOMEM;
    }
    partition_assign(partition);
    *ret = partition;
    return 0;
}

void partition_release(struct partition *partition, void *handle)
{
    if (partition->options->release)
        partition->options->release(partition->options->arg, handle);
}

/* Whether PARTITION may go over to another catalogue now. */
static int may_move(const struct partition *partition)
{
    const struct partition **mover = partition->options->mover;

    return !mover || !*mover || *mover == partition;
}

static void end_move(struct partition *partition)
{
    const struct partition **mover = partition->options->mover;

    if (mover && *mover == partition)
        *mover = NULL;
}

static void end_backfill(struct partition *partition)
{
    backfill_free(partition->backfill);
    partition->backfill = NULL;
}

/* Forget what was pushed and what is known of ends; also of a move or backfill,
 * which goes on if this goes on. */
static void forget_inputs(struct partition *partition)
{
    end_move(partition);
    end_backfill(partition);
    for (int i = 0; i < partition->input_count; i++) {
        struct input *input = &partition->inputs[i];
        while (input->queue.count) {
            partition_release(partition, queue_first(&input->queue)->handle);
            queue_pop(&input->queue);
        }
        ahead_done(&input->ahead); /* The next catalogue may be another. */
        input->at_end = 0;
        proof_init(&input->proof);
    }
    partition->broken_input = 0;
    partition->stats.waits_since_ms = SEG_NEVER;
    partition->stats.waits_for = -1;
}

void partition_assign(struct partition *partition)
{
    forget_inputs(partition);
    restore_free(partition->restore);
    partition->restore = NULL;
    partition->state = PARTITION_RESTORING;
    partition->incarnation = ++incarnations;
    partition->held = 0;
    partition->retry_ms = INT64_MIN;
}

void partition_free(struct partition *partition)
{
    if (!partition)
        return;
    commit_remove(partition->options->commit, partition->ledger, 0,
                  partition->turn_ms);
    forget_inputs(partition);
    for (int i = 0; i < partition->input_count; i++) {
        queue_done(&partition->inputs[i].queue);
        ahead_done(&partition->inputs[i].ahead);
    }
    restore_free(partition->restore);
    ledger_free(partition->ledger);
    free(partition);
}

int partition_revoke(struct partition *partition, int64_t now_ms)
{
    int kept =
        commit_remove(partition->options->commit, partition->ledger, 1, now_ms);

    forget_inputs(partition);
    restore_free(partition->restore);
    partition->restore = NULL;
    partition->state = PARTITION_WARM;
    return kept && !partition->ledger->lost;
}

/* The ledger is about to be dropped: keep what the metrics say of it. */
static void keep_applied(struct partition *partition)
{
    for (int i = 0; i < partition->input_count; i++)
        partition->inputs[i].applied = partition_applied(partition, i);
}

/* Nothing in memory can be trusted: from Kafka again. Whoever was thrown out of
 * the group, and has not heard of it, would come here again and again: not at
 * once. */
static void start_anew(struct partition *partition)
{
    int lost = partition->ledger->lost;

    keep_applied(partition);
    commit_remove(partition->options->commit, partition->ledger, 0,
                  partition->turn_ms);
    if (!MUTATED(CACHED_AFTER_LOST))
        ledger_drop(partition->ledger);
    partition->ledger->lost = 0;
    partition_assign(partition);
    if (lost)
        partition->retry_ms = partition->turn_ms + LOST_MS;
}

/* It will not go on; ledger->broken says why. */
static void refuse(struct partition *partition, enum partition_state state)
{
    struct seg_error why = partition->ledger->broken;

    keep_applied(partition);
    commit_remove(partition->options->commit, partition->ledger, 0,
                  partition->turn_ms);
    ledger_drop(partition->ledger);
    partition->ledger->broken = why;
    forget_inputs(partition);
    partition->state = state;
}

/* ---- restoring ----------------------------------------------------------- */

static int is_clock_ahead(const struct partition *partition, int64_t now_ms)
{
    return !partition->options->ledger->clock_records &&
           seg_engine_clock(partition->ledger->engine) >
               now_ms + partition->options->future_skew_ms;
}

static void count_restore(struct partition *partition)
{
    struct restore_stats stats;

    restore_stats(partition->restore, &stats);
    partition->stats.restores++;
    partition->stats.warm += (uint64_t)stats.warm;
    partition->stats.repairs += stats.repairs;
    partition->stats.redone += stats.inputs;
    partition->stats.restored += stats.users + stats.outputs + stats.inputs;
}

/* There is no memory for it: others need time to give some back. It stays held
 * until it is restored, so that this is told once. */
static enum partition_turn no_room(struct partition *partition, int64_t now_ms)
{
    partition->held = SEG_ERR_NOMEM;
    partition->retry_ms = now_ms + NO_ROOM_MS;
    return PARTITION_IDLE;
}

static enum partition_turn restored(struct partition *partition, int64_t now_ms)
{
    struct ledger *ledger = partition->ledger;

    if (commit_add(partition->options->commit, ledger))
        return no_room(partition, now_ms); /* It answers DONE again. */
    partition->held = 0;
    count_restore(partition);
    restore_free(partition->restore);
    partition->restore = NULL;
    for (int i = 0; i < partition->input_count; i++)
        partition->inputs[i].expected = ledger->inputs[i].position;
    partition->state = is_clock_ahead(partition, now_ms) ? PARTITION_WAITING
                                                         : PARTITION_RUNNING;
    return PARTITION_SEEK;
}

static enum partition_turn step_restore(struct partition *partition,
                                        int64_t now_ms)
{
    if (now_ms < partition->retry_ms || partition->options->full)
        return PARTITION_IDLE;
    if (!partition->restore &&
        restore_new(&partition->restore, partition->options->broker,
                    partition->ledger))
        return no_room(partition, now_ms);
    switch (restore_turn(partition->restore, now_ms,
                         partition->options->restore_per_turn)) {
    case RESTORE_BUSY:
        return PARTITION_MORE;
    case RESTORE_WAITS:
        reason_tell(partition, now_ms);
        return PARTITION_IDLE;
    case RESTORE_NO_ROOM:
        return no_room(partition, now_ms);
    case RESTORE_DONE:
        return restored(partition, now_ms);
    case RESTORE_REFUSED:
        refuse(partition, PARTITION_REFUSED);
        return PARTITION_IDLE;
    }
    return PARTITION_IDLE;
}

/* ---- turns --------------------------------------------------------------- */

/* A piece of the way to another catalogue: what was decoded was decoded by the
 * one before. */
static enum partition_turn adopt(struct partition *partition, int64_t now_ms)
{
    int more;

    if (partition->options->mover)
        *partition->options->mover = partition;
    end_backfill(partition);
    for (int i = 0; i < partition->input_count; i++)
        ahead_done(&partition->inputs[i].ahead);
    more = ledger_adopt(partition->ledger, partition->options->restore_per_turn,
                        now_ms);
    if (more <= 0)
        end_move(partition);
    return more < 0 ? no_room(partition, now_ms) : PARTITION_MORE;
}

/* A piece of the backfill. */
static enum backfill_turn fill(struct partition *partition, int64_t now_ms)
{
    const struct partition_options *options = partition->options;

    if (!options->pace || (!partition->backfill &&
                           backfill_new(&partition->backfill, options->broker,
                                        partition->ledger, options->pace)))
        return BACKFILL_IDLE;
    return backfill_turn(partition->backfill, now_ms, options->restore_per_turn,
                         options->full != NULL);
}

static enum partition_turn run(struct partition *partition, int64_t now_ms)
{
    struct ledger *ledger = partition->ledger;
    int left = partition->options->records_per_turn, next = MERGE_EMPTY;
    enum backfill_turn filling;
    int more, sweep;

    /* Before the first record the start positions are committed. */
    if (!ledger->committed.txn)
        return PARTITION_IDLE;
    if (partition->held == SEG_ERR_NOMEM && now_ms < partition->retry_ms)
        return PARTITION_IDLE;
    partition->held = 0;
    if (ledger_is_outdated(ledger) && may_move(partition)) {
        enum partition_turn turn = adopt(partition, now_ms);
        if (!MUTATED(APPLIES_WHILE_MOVING))
            return turn;
    } else if (!ledger_is_outdated(ledger)) {
        ledger_stay(ledger);
    }
    filling =
        ledger_is_outdated(ledger) ? BACKFILL_IDLE : fill(partition, now_ms);
    if (filling == BACKFILL_HOLDS)
        return backfill_wake_ms(partition->backfill) > now_ms ? PARTITION_IDLE
                                                              : PARTITION_MORE;
    if (!partition->options->ledger->clock_records)
        seg_engine_set_wall(ledger->engine, now_ms);
    if (partition->options->full)
        left = 0;
    while (left-- > 0 && (next = flow_choose(partition, now_ms)) >= 0)
        if (!flow_take(partition, next, now_ms))
            break;
    more = flow_follow_wall(partition, now_ms);
    sweep = ledger_sweep(ledger, partition->options->restore_per_turn, now_ms);
    if (sweep < 0)
        partition->held = sweep;
    if (ledger->broken.code) {
        refuse(partition, PARTITION_REFUSED);
        return PARTITION_IDLE;
    }
    for (int i = 0; i < partition->input_count; i++)
        if (!partition->inputs[i].queue.count)
            ledger_reached(ledger, i, partition->inputs[i].expected);
    flush_refresh(ledger, partition->options->broker, now_ms);
    if (partition->held == SEG_ERR_NOMEM)
        return no_room(partition, now_ms);
    return (next >= 0 && !partition->held) || more || sweep > 0 ||
                   filling == BACKFILL_MORE
               ? PARTITION_MORE
               : PARTITION_IDLE;
}

enum partition_turn partition_turn(struct partition *partition, int64_t now_ms)
{
    struct ledger *ledger = partition->ledger;

    assert(commit_state(partition->options->commit) == COMMIT_IDLE ||
           MUTATED(APPLIES_WHILE_UNDECIDED));
    partition->turn_ms = now_ms;
    if (ledger->lost || partition->broken_input)
        start_anew(partition);
    switch (partition->state) {
    case PARTITION_RESTORING:
        return step_restore(partition, now_ms);
    case PARTITION_WAITING:
        if (is_clock_ahead(partition, now_ms))
            return PARTITION_IDLE;
        partition->state = PARTITION_RUNNING;
        return run(partition, now_ms);
    case PARTITION_RUNNING:
        return run(partition, now_ms);
    case PARTITION_REFUSED:
    case PARTITION_WARM:
        break;
    }
    return PARTITION_IDLE;
}

static int64_t wake_running(const struct partition *partition)
{
    int64_t wake_ms;

    if (partition->held == SEG_ERR_NOMEM)
        return partition->retry_ms;
    if (ledger_is_outdated(partition->ledger) && may_move(partition))
        return partition->turn_ms;
    /* An answer rings, and so do records that a proof waits for. */
    if (flow_is_asking(partition) || partition->ledger->flush.asking)
        return flow_wait_ms(partition);
    wake_ms = partition->ledger->flush.meta_ms +
              partition->options->ledger->refresh_ms;
    if (!partition->options->ledger->clock_records &&
        seg_engine_next_due(partition->ledger->engine) < wake_ms)
        wake_ms = seg_engine_next_due(partition->ledger->engine);
    return wake_ms > partition->turn_ms ? wake_ms : flow_wait_ms(partition);
}

int64_t partition_wake_ms(const struct partition *partition)
{
    int64_t wake_ms, fill_ms;

    switch (partition->state) {
    case PARTITION_RESTORING:
        return partition->retry_ms > partition->turn_ms
                   ? partition->retry_ms
                   : partition->turn_ms + LOOK_MS;
    case PARTITION_WAITING:
        return seg_engine_clock(partition->ledger->engine) -
               partition->options->future_skew_ms;
    case PARTITION_RUNNING:
        wake_ms = wake_running(partition);
        fill_ms = partition->backfill ? backfill_wake_ms(partition->backfill)
                                      : SEG_NEVER;
        return fill_ms < wake_ms ? fill_ms : wake_ms;
    case PARTITION_REFUSED:
    case PARTITION_WARM:
        break;
    }
    return SEG_NEVER;
}

/* ---- records in ---------------------------------------------------------- */

static int is_open(const struct partition *partition)
{
    return partition->state == PARTITION_RUNNING ||
           partition->state == PARTITION_WAITING;
}

uint32_t partition_room(const struct partition *partition, int index)
{
    const struct queue *queue = &partition->inputs[index].queue;
    uint32_t max = partition->options->records_max;

    if (!is_open(partition) || partition_alarm(partition, index) ||
        partition->options->full || queue->count >= max ||
        queue->bytes >= QUEUE_BYTES)
        return 0;
    return max - queue->count;
}

int partition_push(struct partition *partition, int index,
                   const struct input_record *records, size_t count)
{
    struct input *input = &partition->inputs[index];

    for (size_t i = 0; i < count; i++) {
        const struct input_record *record = &records[i];
        if (!is_open(partition) || partition->broken_input ||
            record->offset < input->expected) {
            partition_release(partition, record->handle);
        } else if (queue_push(&input->queue, record)) {
            partition_release(partition, record->handle);
            partition->broken_input = 1;
        } else {
            input->expected = record->offset + 1;
            input->at_end = 0;
        }
    }
    return partition->broken_input ? SEG_ERR_NOMEM : 0;
}

void partition_eof(struct partition *partition, int index, int64_t offset)
{
    struct input *input = &partition->inputs[index];

    if (!is_open(partition) || offset < input->expected)
        return;
    input->expected = offset;
    input->at_end = 1;
}

int64_t partition_position(const struct partition *partition, int index)
{
    return partition->inputs[index].expected;
}

/* ---- queries ------------------------------------------------------------- */

struct partition_applied partition_applied(const struct partition *partition,
                                           int index)
{
    const struct meta_mark *mark = &partition->ledger->inputs[index];
    struct partition_applied applied;

    if (is_open(partition))
        return (struct partition_applied){
            mark->position, mark->witness < 0 ? -1 : mark->timestamp_ms};
    if (partition->restore &&
        restore_position(partition->restore, index, &applied.position,
                         &applied.timestamp_ms))
        return applied;
    return partition->inputs[index].applied;
}

int partition_number(const struct partition *partition)
{
    return partition->ledger->partition;
}

enum partition_state partition_state(const struct partition *partition)
{
    return partition->state;
}

int partition_alarm(const struct partition *partition, int input)
{
    return bad_alarm(&partition->ledger->bad[input]);
}

void partition_forgive(struct partition *partition, int input)
{
    partition->ledger->bad[input] = (struct bad){0};
    if (is_open(partition))
        partition->ledger->flush.meta_due = 1;
}

const struct seg_engine *partition_engine(const struct partition *partition)
{
    return is_open(partition) ? partition->ledger->engine : NULL;
}

uint64_t partition_incarnation(const struct partition *partition)
{
    return partition->incarnation;
}

const struct ledger *partition_ledger(const struct partition *partition)
{
    return partition->ledger;
}

int partition_backfill(const struct partition *partition,
                       struct backfill_status *status)
{
    if (partition->backfill)
        backfill_status(partition->backfill, status);
    return partition->backfill != NULL;
}

size_t partition_bytes(const struct partition *partition)
{
    const struct seg_engine *engine = partition->ledger->engine;

    const struct seg_engine *next = partition->ledger->next.engine;

    return (engine ? seg_engine_bytes(engine) : 0) +
           (next ? seg_engine_bytes(next) : 0) +
           backfill_bytes(partition->backfill);
}

int64_t partition_changes_position(const struct partition *partition)
{
    return partition->ledger->outputs[0].position;
}

void partition_stats(const struct partition *partition,
                     struct partition_stats *stats)
{
    *stats = partition->stats;
}
