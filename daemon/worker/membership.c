/* membership.c: partitions come and go.
 *
 *     assigned -> topics looked at -> partition made, or the warm one taken
 *              -> restored, a step per turn -> read -> revoked -> warm or gone
 *
 * A revocation is answered inside the callback: what waits is committed first,
 * as long as that takes no longer than FINISH_MS; the group waits for us with
 * its other members meanwhile. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/protocol/mutation.h"
#include "daemon/worker/worker_inside.h"
#include "lib/base/instant.h"

#define FINISH_MS  5000   /* For the last commit of a revocation. */
#define WARM_MS    300000 /* A partition that did not come back is dropped. */
#define RECHECK_MS 1000   /* Until the topics are looked at again. */
#define TAKE_MIN   64     /* Least records of an input taken in a turn. */
#define POLL_MS    5      /* Between two looks while a commit waits. */

/* ---- the topics ---------------------------------------------------------- */

/* Tell of a verdict that is not good, once in the log. */
static void complain(struct worker *worker, const struct admin_check *check)
{
    if (worker->verdict != check->verdict)
        log_warn("cannot work with the topics: waiting",
                 "worker=%d reason=\"%s\"", worker->index, check->reason);
    workers_say(worker->workers, worker->index, check->reason);
}

static int take_verdict(struct worker *worker, const struct admin_check *check)
{
    int known = worker->slot_count;
    int differ = check->verdict == ADMIN_DIFFER ||
                 (check->verdict == ADMIN_OK && known &&
                  check->partition_count != known);
    worker->check_at_ms = worker->now_ms + RECHECK_MS;
    if (differ) {
        log_error("the numbers of partitions do not fit: ending",
                  "was=%d is=%d reason=\"%s\"", known, check->partition_count,
                  check->reason);
        worker->phase = PHASE_FAILED;
        workers_fail(worker->workers, 78);
    } else if (check->verdict != ADMIN_OK) {
        complain(worker, check);
    } else {
        worker->ledger.partition_count = check->partition_count;
        worker->ledger.refresh_ms = check->retention_ms / 4;
        worker->pace.off = check->compacted ? "an input is compacted" : NULL;
        /* What is said of a transaction that takes long stands. */
        if (worker->phase == PHASE_MEMBER && worker->verdict != ADMIN_OK)
            workers_say(worker->workers, worker->index, "");
    }
    worker->verdict = differ ? ADMIN_DIFFER : check->verdict;
    return worker->verdict == ADMIN_OK;
}

int membership_check(struct worker *worker)
{
    struct admin_check check;
    if (!worker->check) {
        if (worker->verdict == ADMIN_OK)
            return 1;
        if (worker->now_ms < worker->check_at_ms)
            return 0;
        worker->check = broker_question(worker->broker);
    }
    if (kafka_broker_check(worker->kafka, worker->check, &check) != BROKER_OK)
        return 0;
    worker->check = 0;
    if (seg_catalogue_trait_count(worker->ledger.catalogue))
        admin_need_traits(&check, worker->conf);
    return take_verdict(worker, &check);
}

/* ---- revocations --------------------------------------------------------- */

int membership_finish(struct worker *worker, int64_t until_ms)
{
    int started = 0;
    while (clock_monotonic_ms() < until_ms) {
        worker->now_ms = clock_wall_ms();
        enum commit_state state = commit_turn(worker->commit, worker->now_ms);
        if (state == COMMIT_FENCED || state == COMMIT_LOST)
            return 0;
        if (state == COMMIT_BUSY) {
            if (commit_wait_ms(worker->commit) > worker->now_ms)
                bell_wait(&worker->bell, -1, POLL_MS);
            continue;
        }
        measure_commit_end(worker);
        if (started ||
            commit_due_ms(worker->commit, COMMIT_LOAD_IDLE) == SEG_NEVER)
            return 1;
        measure_commit_start(worker);
        commit_start(worker->commit, worker->now_ms);
        started = 1;
    }
    return 0;
}

static void slot_drop(struct worker *worker, struct slot *slot)
{
    measure_fold(worker, slot);
    slot->seen = (struct slot_seen){0};
    partition_free(slot->partition);
    slot->partition = NULL;
}

/* SLOT is not ours any more. Its state may come in handy if it comes back,
 * unless it was LOST, or is none. */
static void slot_give_up(struct worker *worker, struct slot *slot, int lost)
{
    if (slot->partition) {
        int whole = partition_engine(slot->partition) != NULL;
        measure_fold(worker, slot); /* It may come back only in a while. */
        int kept =
            !lost && whole && partition_revoke(slot->partition, worker->now_ms);
        if (!kept && !(lost && MUTATED(CACHED_AFTER_LOST)))
            slot_drop(worker, slot);
        slot->warm_ms = worker->now_ms;
    }
    slot->assigned = slot->checking = slot->start_due = 0;
    measure_remove(worker, slot);
}

/* How long the group may wait for what we have to commit. */
static int64_t finish_ms(const struct worker *worker)
{
    int64_t left_ms;
    if (worker->phase == PHASE_MEMBER)
        return FINISH_MS;
    if (worker->phase != PHASE_STOPPING)
        return 0;
    left_ms = worker_flush_until_ms(worker) - worker->now_ms;
    return left_ms < FINISH_MS ? left_ms : FINISH_MS;
}

static void on_revoked(void *arg, const int *partitions, int count, int lost)
{
    struct worker *worker = arg;
    worker->now_ms = clock_wall_ms();
    if (lost)
        log_warn(
            "thrown out of the group: partitions are lost and what was not "
            "committed is done again by others",
            "worker=%d partitions=%d", worker->index, count);
    else
        log_info("partitions revoked", "worker=%d partitions=%d", worker->index,
                 count);
    metric_add(lost ? &worker->metric.losses : &worker->metric.revocations, 1);
    worker->is_assigned = 0;
    if (!lost)
        membership_finish(worker, clock_monotonic_ms() + finish_ms(worker));
    for (int i = 0; i < count && !(lost && MUTATED(LOST_IS_FINISHED)); i++)
        slot_give_up(worker, &worker->slots[partitions[i]], lost);
    workers_say(worker->workers, worker->index, "The group is rebalancing.");
}

/* ---- assignments --------------------------------------------------------- */

static void on_assigned(void *arg, const int *partitions, int count)
{
    struct worker *worker = arg;
    log_info("partitions assigned", "worker=%d partitions=%d", worker->index,
             count);
    metric_add(&worker->metric.assignments, 1);
    worker->is_assigned = 1;
    workers_say(worker->workers, worker->index, "");
    for (int i = 0; i < count; i++) {
        struct slot *slot = &worker->slots[partitions[i]];
        slot->assigned = slot->checking = 1;
        slot->start_due = slot->refused = slot->stands = slot->waits = 0;
        slot->state = -1;
        measure_add(worker, slot);
        measure_board(worker, slot);
    }
    /* Somebody may have changed the topics meanwhile. */
    worker->check = broker_question(worker->broker);
}

/* TEXT says why the group has not assigned any, if it has not. */
static void on_troubled(void *arg, const char *text)
{
    struct worker *worker = arg;
    char reason[WORKERS_REASON_BYTES];
    if (worker->is_assigned)
        return;
    snprintf(reason, sizeof(reason),
             "Waiting for the group to assign partitions. %.400s.", text);
    workers_say(worker->workers, worker->index, reason);
}

int membership_join(struct worker *worker)
{
    char why[CLIENT_WHY_BYTES] = "";
    struct consumer_events events = {.arg = worker,
                                     .assigned = on_assigned,
                                     .revoked = on_revoked,
                                     .troubled = on_troubled};
    int r = consumer_open(&worker->consumer, &worker->client, &worker->bell,
                          worker->slot_count, &events, why);
    if (r < 0) {
        log_error("cannot join the group", "worker=%d reason=\"%s\"",
                  worker->index, why);
        return r;
    }
    kafka_broker_set_member(worker->kafka, consumer_handle(worker->consumer));
    workers_say(worker->workers, worker->index,
                "Waiting for the group to assign partitions.");
    return 0;
}

/* ---- a partition at work ------------------------------------------------- */

static void slot_open(struct worker *worker, struct slot *slot)
{
    int number = (int)(slot - worker->slots);
    if (slot->partition)
        partition_assign(slot->partition);
    else if (partition_new(&slot->partition, &worker->partition, number) < 0)
        return; /* No memory: again next turn. */
    else        /* What came to it elsewhere is not known here. */
        worker->names.since_ms = worker->now_ms;
    slot->checking = 0;
}

/* A restore begins; the partition may have said so itself. */
static void slot_restores(struct slot *slot)
{
    uint64_t incarnation = partition_incarnation(slot->partition);
    if (slot->incarnation == incarnation)
        return;
    slot->incarnation = incarnation;
    slot->restore_us = clock_monotonic_us();
}

/* The consumer cannot go on where it was: the restore will say what is wrong.
 */
static void slot_restart(struct worker *worker, struct slot *slot)
{
    slot_drop(worker, slot);
    slot->start_due = 0;
    slot->checking = 1; /* Until there is memory for it. */
    slot_open(worker, slot);
}

/* Read SLOT from where its state ends. */
static void slot_start(struct worker *worker, struct slot *slot)
{
    int64_t positions[SEG_TOPICS_MAX];
    int number = (int)(slot - worker->slots);
    for (int i = 0; i < worker->conf->input_count; i++)
        positions[i] = partition_position(slot->partition, i);
    if (consumer_start(worker->consumer, number, positions))
        return;
    slot->start_due = 0;
    log_info("partition running", "partition=%d txn=%" PRIu64 " users=%u",
             number, partition_ledger(slot->partition)->committed.txn,
             seg_engine_user_count(partition_engine(slot->partition)));
}

static void count_input(const struct worker *worker,
                        struct metric_input *metric, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += worker->records[i].value_len;
    metric_add(&metric->records, (int64_t)count);
    metric_add(&metric->bytes, (int64_t)bytes);
}

/* Hand records of INPUT to the partition. Returns 1 if there may be more. */
static int feed_input(struct worker *worker, struct slot *slot, int input,
                      uint32_t share)
{
    struct consumer_taken taken;
    int number = (int)(slot - worker->slots);
    uint32_t room = partition_room(slot->partition, input);
    if (room > share)
        room = share;
    if (!room)
        return 0;
    consumer_take(worker->consumer, number, input, worker->records, room,
                  &taken);
    if (taken.count) {
        count_input(worker, &slot->inputs[input], taken.count);
        partition_push(slot->partition, input, worker->records, taken.count);
        worker->window += (uint32_t)taken.count;
        worker->uncommitted += taken.count;
    }
    if (taken.gone) {
        slot_restart(worker, slot);
        return 1;
    }
    if (taken.end >= 0)
        partition_eof(slot->partition, input, taken.end);
    worker->behind |= taken.count == room;
    return taken.more;
}

static int feed(struct worker *worker, struct slot *slot)
{
    int inputs = worker->conf->input_count, owned = 0, more = 0;
    for (int p = 0; p < worker->slot_count; p++)
        owned += worker->slots[p].assigned;
    uint32_t share = (uint32_t)(worker->conf->batch_events / (owned * inputs));
    if (share < TAKE_MIN)
        share = TAKE_MIN;
    for (int i = 0; i < inputs && !slot->checking; i++)
        more |= feed_input(worker, slot, i, share);
    return more;
}

/* Say once why SLOT does not go on. */
static void slot_refused(struct worker *worker, struct slot *slot)
{
    int number = (int)(slot - worker->slots);
    if (slot->refused || partition_state(slot->partition) != PARTITION_REFUSED)
        return;
    slot->refused = 1;
    metric_add(&worker->metric.refusals, 1);
    log_error("partition refused", "partition=%d reason=\"%s\"", number,
              partition_reason(slot->partition));
    for (int i = 0; i < worker->conf->input_count; i++)
        consumer_hold(worker->consumer, number, i);
}

/* Say once that the restore of SLOT waits, and for what; and when it goes on.
 */
static void slot_waits(struct slot *slot, int number)
{
    struct restore_waits waits;
    int said = slot->waits;
    slot->waits = partition_waits(slot->partition, &waits);
    if (slot->waits && !said)
        log_warn("a restore waits for the brokers",
                 "topic=\"%s\" partition=%d step=%d asked=\"%s\" from=%lld "
                 "to=%lld answer=%s reason=\"%s\"",
                 waits.topic, number, waits.step, waits.asked,
                 (long long)waits.from, (long long)waits.until, waits.answer,
                 waits.why);
    else if (said && !slot->waits)
        log_info("a restore goes on", "partition=%d", number);
}

/* Say once that SLOT stands still, and because of which input. */
static void slot_stands(struct worker *worker, struct slot *slot)
{
    int number = (int)(slot - worker->slots), alarmed = 0;
    const char *reason = partition_reason(slot->partition);
    int said = slot->stands;
    slot->stands = partition_stands(slot->partition) != 0;
    if (said || !slot->stands)
        return;
    for (int i = 0; i < worker->conf->input_count; i++) {
        if (!partition_alarm(slot->partition, i))
            continue;
        alarmed = 1;
        log_error("an input is paused, and its partition with it: mend what "
                  "writes to it",
                  "topic=%s partition=%d reason=\"%s\"",
                  worker->conf->inputs[i].topic, number, reason);
    }
    if (!alarmed)
        log_error("partition stands still", "partition=%d reason=\"%s\"",
                  number, reason);
}

/* Say once that another catalogue has come into force in SLOT, for all users.
 */
static void slot_swept(struct slot *slot, int number)
{
    const struct seg_engine *engine = partition_engine(slot->partition);
    int sweeping = engine && !seg_engine_swept(engine);
    if (slot->sweeping && engine && !sweeping)
        log_info("all users are judged by the new catalogue",
                 "partition=%d catalogue=%s users=%u", number,
                 seg_catalogue_hash(seg_engine_catalogue(engine)),
                 seg_engine_user_count(engine));
    slot->sweeping = sweeping;
}

/* Say what has come into force. */
static void tell_published(const struct backfill_status *fill, int number)
{
    char since[25] = "the beginning";
    if (!fill->complete)
        instant_string(since, fill->since_ms);
    log_info("new features are filled from the past",
             "partition=%d records=%" PRIu64 " since=\"%s\"", number,
             fill->read, since);
}

/* Say how the backfill of SLOT begins and ends. */
static void slot_fills(struct slot *slot, int number)
{
    struct backfill_status fill = {.step = BACKFILL_LOOKS};
    partition_backfill(slot->partition, &fill);
    if (fill.why && fill.why != slot->unfilled)
        log_warn("new features are not filled from the past: they are warming",
                 "partition=%d reason=\"%s\" records=%" PRIu64, number,
                 fill.why, fill.read);
    slot->unfilled = fill.why;
    if (slot->filling == (int)fill.step)
        return;
    if (fill.step == BACKFILL_READS)
        log_info("reading the past for new features",
                 "partition=%d records=%" PRId64, number, fill.remaining);
    else if (fill.step == BACKFILL_SWEEPS)
        tell_published(&fill, number);
    slot->filling = (int)fill.step;
}

int membership_turn(struct worker *worker, struct slot *slot)
{
    int more = 0;
    if (!slot->assigned) {
        if (slot->partition && (worker->partition.full ||
                                worker->now_ms - slot->warm_ms > WARM_MS))
            slot_drop(worker, slot);
        return 0;
    }
    if (slot->checking && worker->verdict == ADMIN_OK && !worker->check)
        slot_open(worker, slot);
    if (slot->checking)
        return 0;
    if (slot->start_due)
        slot_start(worker, slot);
    else if (partition_engine(slot->partition))
        more = feed(worker, slot);
    if (slot->checking)
        return 1;
    slot_restores(slot);
    switch (partition_turn(slot->partition, worker->now_ms)) {
    case PARTITION_IDLE:
        break;
    case PARTITION_MORE:
        more = 1;
        break;
    case PARTITION_SEEK:
        slot->start_due = more = 1;
        metric_observe(&worker->metric.restore_us,
                       clock_monotonic_us() - slot->restore_us);
        break;
    }
    slot_restores(slot);
    slot_waits(slot, (int)(slot - worker->slots));
    slot_swept(slot, (int)(slot - worker->slots));
    slot_fills(slot, (int)(slot - worker->slots));
    slot_refused(worker, slot);
    slot_stands(worker, slot);
    measure_board(worker, slot);
    return more;
}

/* ---- the end ------------------------------------------------------------- */

void membership_leave(struct worker *worker, int64_t timeout_ms)
{
    /* What was taken goes back first. */
    if (timeout_ms <= 0 || worker->phase == PHASE_FAILED)
        for (int p = 0; p < worker->slot_count; p++)
            slot_give_up(worker, &worker->slots[p], 1);
    kafka_broker_set_member(worker->kafka, NULL);
    consumer_close(worker->consumer, timeout_ms);
    worker->consumer = NULL;
}

void membership_done(struct worker *worker)
{
    for (int p = 0; p < worker->slot_count; p++)
        if (worker->slots[p].partition)
            slot_drop(worker, &worker->slots[p]);
}
