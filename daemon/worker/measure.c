/* measure.c: metrics and the board.
 *
 * Engines and partitions count since they were made; what they counted since
 * the last look is added to the worker's counters once a second, and before
 * they end. Gauges of a partition are written in the same round. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/worker/worker_inside.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"

#define EVERY_MS 1000

/* ---- counters of engines and partitions ---------------------------------- */

/* What NOW has more than SEEN. One that is less began anew. */
static int64_t more(uint64_t now, uint64_t seen)
{
    return (int64_t)(now >= seen ? now - seen : now);
}

/* A limit of segmentd.conf was reached, which its name and value tell. */
static void say_limit(const char *message, int partition, const char *name,
                      int64_t bytes)
{
    log_kind(LOG_LEVEL_WARN, message, name, "partition=%d %s=%" PRId64 "B",
             partition, name, bytes);
}

static void fold_engine(struct worker *worker, struct slot *slot)
{
    const struct seg_engine *engine = partition_engine(slot->partition);
    struct seg_engine_stats now, *seen = &slot->seen.engine;
    if (!engine)
        return;
    seg_engine_stats(engine, &now);
#define FOLD(name) metric_add(&worker->metric.name, more(now.name, seen->name))
    FOLD(events);
    FOLD(duplicates);
    FOLD(time_missing);
    FOLD(time_unreadable);
    FOLD(future_events);
    FOLD(late_events);
    FOLD(type_mismatches);
    FOLD(attributes_dropped);
    FOLD(coarse_features);
    FOLD(timers);
    FOLD(triggers);
    FOLD(triggers_suppressed);
    FOLD(triggers_cooling);
    FOLD(traits);
    FOLD(traits_throttled);
#undef FOLD
    if (now.attributes_dropped && !seen->attributes_dropped)
        say_limit("attributes that no segment reads are not kept",
                  (int)(slot - worker->slots), "attribute_bytes",
                  worker->conf->attribute_bytes);
    *seen = now;
}

void measure_fold(struct worker *worker, struct slot *slot)
{
    struct partition_stats now, *seen = &slot->seen.partition;
    fold_engine(worker, slot);
    partition_stats(slot->partition, &now);
    metric_add(&worker->metric.restores, more(now.restores, seen->restores));
    metric_add(&worker->metric.warm_hits, more(now.warm, seen->warm));
    metric_add(&worker->metric.repairs, more(now.repairs, seen->repairs));
    metric_add(&worker->metric.restored_records,
               more(now.restored, seen->restored));
    *seen = now;
}

void measure_output(void *arg, const struct seg_output *output)
{
    struct worker *worker = arg;
    uint32_t number = output->kind == SEG_OUTPUT_CHANGE
                          ? intern_find(&worker->keys, output->segment_key)
                          : INTERN_NONE;
    if (number >= worker->segment_count)
        return;
    struct metric_segment *segment = &worker->segments[number];
    metric_add(output->member ? &segment->entered : &segment->exited, 1);
}

void measure_bad(void *arg, int partition, int input, int error, int cut)
{
    struct worker *worker = arg;
    if (error == SEG_ERR_USER_BYTES)
        say_limit("an event would make its user too large and is a dead letter",
                  partition, "user_bytes", worker->conf->user_bytes);
    if (cut) {
        say_limit("a dead letter holds only the beginning of its record",
                  partition, "dead_letter_bytes",
                  worker->conf->dead_letter_bytes);
        metric_add(&worker->metric.dead_letters_cut, 1);
    }
    metric_add(&worker->slots[partition].inputs[input].bad, 1);
    metric_add(&worker->reasons[metric_reason_index(error)].dead_letters, 1);
}

/* ---- transactions -------------------------------------------------------- */

/* When the oldest output that waits was made; SEG_NEVER if none does. */
static int64_t first_output_ms(const struct worker *worker)
{
    int64_t first_ms = SEG_NEVER;
    for (int p = 0; p < worker->slot_count; p++) {
        const struct slot *slot = &worker->slots[p];
        if (!slot->assigned || !slot->partition)
            continue;
        const struct outbox *outbox =
            &partition_ledger(slot->partition)->outbox;
        if (outbox->count && outbox->first_ms < first_ms)
            first_ms = outbox->first_ms;
    }
    return first_ms;
}

void measure_commit_start(struct worker *worker)
{
    worker->commit_us = clock_monotonic_us();
    metric_set(&worker->own.transaction_since_ms, worker->commit_us / 1000);
    worker->first_ms = first_output_ms(worker);
}

void measure_commit_end(struct worker *worker)
{
    struct commit_stats now, *seen = &worker->commits;
    if (!worker->commit_us)
        return;
    commit_stats(worker->commit, &now);
    metric_observe(&worker->metric.commit_us,
                   clock_monotonic_us() - worker->commit_us);
    if (now.committed > seen->committed && worker->first_ms != SEG_NEVER)
        metric_observe(&worker->metric.commit_wait_us,
                       (clock_wall_ms() - worker->first_ms) * 1000);
    worker->commit_us = 0;
    metric_set(&worker->own.transaction_since_ms, 0);
}

static void fold_commits(struct worker *worker)
{
    struct commit_stats now, *seen = &worker->commits;
    commit_stats(worker->commit, &now);
    metric_add(&worker->metric.commits, more(now.committed, seen->committed));
    metric_add(&worker->metric.aborts, more(now.aborted, seen->aborted));
    metric_add(&worker->metric.resolved_commits,
               more(now.unknown, seen->unknown));
    metric_add(&worker->metric.producers, more(now.renewed, seen->renewed));
    metric_add(&worker->metric.flushed_users, more(now.users, seen->users));
    metric_set(&worker->metric.undecided_commits, now.undecided);
    *seen = now;
}

/* ---- gauges -------------------------------------------------------------- */

/* The end of INPUT, -1 if not known. What the consumer knows is newer while it
 * reads, and stands still when it does not. */
static int64_t end_of(struct worker *worker, int partition, int input)
{
    int64_t heard = consumer_end(worker->consumer, partition, input);
    int64_t asked =
        kafka_broker_end(worker->kafka, BROKER_INPUT(input), partition);
    return heard > asked ? heard : asked;
}

/* In every state: who stands still must see what piles up. */
static void gauge_input(struct worker *worker, struct slot *slot, int input)
{
    struct metric_input *metric = &slot->inputs[input];
    int64_t end = end_of(worker, (int)(slot - worker->slots), input);
    struct partition_applied applied =
        partition_applied(slot->partition, input);
    int64_t lag = applied.position >= 0 && end > applied.position
                      ? end - applied.position
                      : 0;
    metric_set(&metric->lag_records, lag);
    metric_set(&metric->lag_ms, lag && applied.timestamp_ms >= 0 &&
                                        worker->now_ms > applied.timestamp_ms
                                    ? worker->now_ms - applied.timestamp_ms
                                    : 0);
    metric_set(&metric->paused, partition_alarm(slot->partition, input));
}

/* Records between the bound of the oldest dirty user and what is applied. */
static int64_t redo_of(const struct ledger *ledger, int inputs)
{
    int64_t redo = 0;
    if (!ledger->flush.count)
        return 0;
    for (int i = 0; i < inputs; i++)
        redo += ledger->inputs[i].position -
                ledger->flush.bounds[0].marks[i].position;
    return redo;
}

/* With `clock records` timers wait for records: they are never late. */
static int64_t timer_late_ms(const struct worker *worker,
                             const struct seg_engine *engine)
{
    int64_t due_ms = seg_engine_next_due(engine);
    return worker->ledger.clock_records || due_ms >= worker->now_ms
               ? 0
               : worker->now_ms - due_ms;
}

static void gauge_partition(struct worker *worker, struct slot *slot)
{
    const struct ledger *ledger = partition_ledger(slot->partition);
    const struct seg_engine *engine = partition_engine(slot->partition);
    const struct partition_stats *stats = &slot->seen.partition;
    struct metric_partition *metric = &slot->metric;
    int64_t now_ms = worker->now_ms, clock_ms = seg_engine_clock(engine);
    uint32_t dirty = seg_engine_dirty_count(engine);
    metric_set(&metric->clock_behind_ms,
               clock_ms && now_ms > clock_ms ? now_ms - clock_ms : 0);
    metric_set(&metric->timer_late_ms, timer_late_ms(worker, engine));
    metric_set(&metric->merge_stalled_ms, stats->waits_since_ms == SEG_NEVER
                                              ? 0
                                              : now_ms - stats->waits_since_ms);
    metric_set(&metric->users, seg_engine_user_count(engine));
    metric_set(&metric->user_bytes, (int64_t)seg_engine_bytes(engine));
    metric_set(&metric->dirty_users, dirty);
    metric_set(&metric->dirty_age_ms,
               dirty && ledger->flush.count
                   ? now_ms - ledger->flush.bounds[0].since_ms
                   : 0);
    metric_set(&metric->redo_records,
               redo_of(ledger, worker->conf->input_count));
    metric_set(&metric->txn, (int64_t)ledger->committed.txn);
}

static void add_sizes(struct worker *worker, const struct seg_engine *engine)
{
    const struct seg_catalogue *catalogue = seg_engine_catalogue(engine);
    for (int s = 0; s < seg_catalogue_segment_count(catalogue); s++) {
        struct seg_segment_info info;
        seg_catalogue_segment(catalogue, s, &info);
        uint32_t number = intern_find(&worker->keys, text_of(info.key));
        if (number < worker->segment_count)
            worker->sizes[number] += seg_engine_segment_size(engine, s);
    }
}

/* Members of every segment, over the partitions that are ours. */
static void gauge_segments(struct worker *worker)
{
    int64_t sweeping = 0;
    for (uint32_t s = 0; s < worker->segment_count; s++)
        worker->sizes[s] = 0;
    for (int p = 0; p < worker->slot_count; p++) {
        const struct slot *slot = &worker->slots[p];
        const struct seg_engine *engine =
            slot->assigned && slot->partition && !slot->checking
                ? partition_engine(slot->partition)
                : NULL;
        if (!engine)
            continue;
        add_sizes(worker, engine);
        sweeping += !seg_engine_swept(engine);
    }
    for (uint32_t s = 0; s < worker->segment_count; s++)
        metric_set(&worker->segments[s].members, worker->sizes[s]);
    metric_set(&worker->metric.sweeping, sweeping);
}

/* ---- the board ----------------------------------------------------------- */

static int state_of(const struct slot *slot)
{
    if (slot->checking)
        return WORKER_CHECKING;
    switch (partition_state(slot->partition)) {
    case PARTITION_RUNNING:
        return slot->start_due                        ? WORKER_RESTORING
               : partition_reason(slot->partition)[0] ? WORKER_WAITING
                                                      : WORKER_RUNNING;
    case PARTITION_WAITING:
        return WORKER_WAITING;
    case PARTITION_REFUSED:
        return WORKER_REFUSED;
    case PARTITION_RESTORING:
    case PARTITION_WARM:
        break;
    }
    return WORKER_RESTORING;
}

void measure_board(struct worker *worker, struct slot *slot)
{
    int state = state_of(slot);
    const char *reason = slot->checking ? "The topics are being looked at."
                                        : partition_reason(slot->partition);
    if (state == slot->state && !strcmp(reason, slot->reason))
        return;
    if (slot->state >= 0)
        metric_add(&worker->states[slot->state].partitions, -1);
    metric_add(&worker->states[state].partitions, 1);
    slot->state = state;
    snprintf(slot->reason, sizeof(slot->reason), "%s", reason);
    workers_put(worker->workers, worker->index, (int)(slot - worker->slots),
                state, reason);
}

/* ---- coming and going ---------------------------------------------------- */

static void make_label(char *out, size_t size, const char *topic, int partition)
{
    struct buf buf;
    char number[16];
    buf_init(&buf);
    snprintf(number, sizeof(number), "%d", partition);
    if (topic)
        metric_label(&buf, "topic", topic);
    metric_label(&buf, "partition", number);
    snprintf(out, size, "%s", buf_string(&buf));
    buf_done(&buf);
}

/* Room for the inputs of SLOT, kept until the end. Returns 0 or -1. */
static int make_inputs(struct worker *worker, struct slot *slot)
{
    size_t n = (size_t)worker->conf->input_count;
    int number = (int)(slot - worker->slots);
    if (slot->input_labels)
        return 0;
    slot->inputs = calloc(n, sizeof(*slot->inputs));
    slot->input_label = calloc(n, sizeof(*slot->input_label));
    slot->input_labels = calloc(n, sizeof(*slot->input_labels));
    if (!slot->inputs || !slot->input_label || !slot->input_labels)
        return -1;
    make_label(slot->label, sizeof(slot->label), NULL, number);
    slot->labels[0] = slot->label;
    for (size_t i = 0; i < n; i++) {
        make_label(slot->input_label[i], sizeof(slot->input_label[i]),
                   worker->conf->inputs[i].topic, number);
        slot->input_labels[i] = slot->input_label[i];
    }
    return 0;
}

void measure_add(struct worker *worker, struct slot *slot)
{
    struct metrics *metrics = worker->options.metrics;
    size_t n = (size_t)worker->conf->input_count;
    memset(&slot->metric, 0, sizeof(slot->metric));
    memset(slot->inputs, 0, n * sizeof(*slot->inputs));
    if (metrics_add(metrics, METRIC_PARTITION, &slot->metric, 1,
                    slot->labels) >= 0)
        metrics_add(metrics, METRIC_INPUT, slot->inputs, (int)n,
                    slot->input_labels);
}

void measure_remove(struct worker *worker, struct slot *slot)
{
    if (slot->state >= 0) {
        metric_add(&worker->states[slot->state].partitions, -1);
        workers_drop(worker->workers, worker->index,
                     (int)(slot - worker->slots));
        slot->state = -1;
    }
    metrics_remove(worker->options.metrics, &slot->metric);
    metrics_remove(worker->options.metrics, slot->inputs);
}

/* The past that is read again. */
static void fold_backfills(struct worker *worker)
{
    const struct backfill_pace *now = &worker->pace, *seen = &worker->paced;
    struct backfill_status status = {.remaining = 0};
    metric_add(&worker->metric.backfill_records,
               more(now->records, seen->records));
    metric_add(&worker->metric.backfills,
               more(now->published, seen->published));
    metric_add(&worker->metric.backfills_dropped,
               more(now->dropped, seen->dropped));
    if (now->reader)
        backfill_status(now->reader, &status);
    metric_set(&worker->own.backfill_remaining, status.remaining);
    worker->paced = *now;
}

void measure_all(struct worker *worker)
{
    if (worker->now_ms - worker->measured_ms < EVERY_MS)
        return;
    worker->measured_ms = worker->now_ms;
    if (worker->commit)
        fold_commits(worker);
    if (!worker->consumer)
        return;
    for (int p = 0; p < worker->slot_count; p++) {
        struct slot *slot = &worker->slots[p];
        if (!slot->assigned || !slot->partition || slot->checking)
            continue;
        measure_fold(worker, slot);
        if (partition_engine(slot->partition))
            gauge_partition(worker, slot);
        for (int i = 0; i < worker->conf->input_count; i++)
            gauge_input(worker, slot, i);
    }
    gauge_segments(worker);
    fold_backfills(worker);
}

int measure_slots(struct worker *worker)
{
    for (int p = 0; p < worker->slot_count; p++)
        if (make_inputs(worker, &worker->slots[p]) < 0)
            return SEG_ERR_NOMEM;
    return 0;
}

/* The keys of CATALOGUE, new ones at the end: all workers come to the same
 * numbers, which are those of the labels. */
static int add_keys(struct worker *worker,
                    const struct seg_catalogue *catalogue)
{
    uint32_t number;
    for (int i = 0; i < seg_catalogue_segment_count(catalogue); i++) {
        struct seg_segment_info info;
        seg_catalogue_segment(catalogue, i, &info);
        if (intern_add(&worker->keys, text_of(info.key), &number) < 0)
            return SEG_ERR_NOMEM;
    }
    return 0;
}

int measure_catalogue(struct worker *worker)
{
    struct metric_segment *segments;
    int64_t *sizes;
    if (add_keys(worker, worker->ledger.catalogue) < 0)
        return SEG_ERR_NOMEM;
    sizes = realloc(worker->sizes, (worker->keys.count + 1ul) * sizeof(*sizes));
    if (!sizes)
        return SEG_ERR_NOMEM;
    worker->sizes = sizes;
    segments = calloc(worker->keys.count + 1ul, sizeof(*segments));
    if (!segments)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < worker->segment_count; i++) {
        metric_set(&segments[i].entered,
                   metric_get(&worker->segments[i].entered));
        metric_set(&segments[i].exited,
                   metric_get(&worker->segments[i].exited));
    }
    if (metrics_replace(worker->options.metrics, METRIC_SEGMENT,
                        worker->segments, segments,
                        (int)worker->keys.count) < 0) {
        free(segments);
        return SEG_ERR_NOMEM;
    }
    free(worker->segments);
    worker->segments = segments;
    worker->segment_count = worker->keys.count;
    return 0;
}

int measure_open(struct worker *worker)
{
    struct metrics *metrics = worker->options.metrics;
    int r;
    worker->reasons = calloc(METRIC_REASON_COUNT, sizeof(*worker->reasons));
    if (!worker->reasons)
        return SEG_ERR_NOMEM;
    r = metrics_add(metrics, METRIC_PROCESS, &worker->metric, 1, NULL);
    if (r >= 0)
        r = measure_catalogue(worker);
    if (r >= 0)
        r = metrics_add(metrics, METRIC_REASON, worker->reasons,
                        METRIC_REASON_COUNT, NULL);
    if (r >= 0)
        r = metrics_add(metrics, METRIC_STATE, worker->states,
                        WORKER_STATE_COUNT,
                        workers_state_labels(worker->workers));
    snprintf(worker->label, sizeof(worker->label), "worker=\"%d\"",
             worker->index);
    worker->labels[0] = worker->label;
    if (r >= 0)
        r = metrics_add(metrics, METRIC_WORKER, &worker->own, 1,
                        worker->labels);
    return r;
}

void measure_close(struct worker *worker)
{
    struct metrics *metrics = worker->options.metrics;
    metrics_remove(metrics, &worker->metric);
    metrics_remove(metrics, &worker->own);
    metrics_remove(metrics, worker->states);
    metrics_remove(metrics, worker->segments);
    metrics_remove(metrics, worker->reasons);
    free(worker->segments);
    free(worker->sizes);
    intern_done(&worker->keys);
    free(worker->reasons);
    for (int p = 0; p < worker->slot_count; p++) {
        free(worker->slots[p].inputs);
        free(worker->slots[p].input_label);
        free(worker->slots[p].input_labels);
    }
}
