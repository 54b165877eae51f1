/* flow.c: merging and the clock.
 *
 * One turn of a running partition:
 *
 *     heads of the inputs --merge--> the record that goes next, if any may
 *          |                             |
 *          |                             v  clock -> its instant, timers fire
 *          |                             v  apply, outputs to the outbox
 *          v
 *     none may: an empty input is asked for its watermark; when a timer is due
 *     all are, and the clock follows the wall to the instant that is proven
 *
 * The clock is the instant through which every timer has fired. A record moves
 * it to its own timestamp, at most to the wall (with `clock records` there is
 * no wall). The wall moves it only as far as every input is proven to have been
 * applied: so an outage delays exits and never invents them. Work is bounded: a
 * turn that has not fired all timers due leaves the record where it is. */
#include "daemon/partition/partition_inside.h"
#include "daemon/protocol/mutation.h"

/* ---- proofs -------------------------------------------------------------- */

/* Everything of INPUT below this has been applied. */
static int64_t applied(const struct input *input)
{
    const struct input_record *first = queue_first(&input->queue);

    if (MUTATED(PROOF_BY_FETCHED))
        return input->expected;
    return first ? first->offset : input->expected;
}

static void look_for_answers(struct partition *partition)
{
    for (int i = 0; i < partition->input_count; i++)
        proof_look(&partition->inputs[i].proof, partition->options->broker,
                   BROKER_INPUT(i), partition->ledger->partition);
}

int flow_is_asking(const struct partition *partition)
{
    for (int i = 0; i < partition->input_count; i++)
        if (partition->inputs[i].proof.question)
            return 1;
    return 0;
}

/* As of when nothing more of INPUT, whose queue is empty, will come. */
static int64_t ended_ms(const struct partition *partition,
                        const struct input *input)
{
    if (partition->options->ledger->clock_records ||
        MUTATED(STALE_END_OF_INPUT))
        return input->at_end ? INT64_MAX : INT64_MIN;
    return proof_instant(&input->proof, input->expected);
}

/* ---- records ------------------------------------------------------------- */

static void fill_heads(struct partition *partition)
{
    for (int i = 0; i < partition->input_count; i++) {
        const struct input *input = &partition->inputs[i];
        const struct input_record *first = queue_first(&input->queue);
        partition->heads[i] =
            (struct merge_head){first != NULL, first ? first->timestamp_ms : 0,
                                first ? 0 : ended_ms(partition, input)};
    }
}

/* A record waits because inputs may have older ones: ask for their ends, unless
 * an answer is there that has only not been reached yet. */
static void ask_for_ends(struct partition *partition, int64_t now_ms)
{
    struct partition_stats *stats = &partition->stats;
    int64_t needed_ms;

    if (stats->waits_since_ms == SEG_NEVER)
        stats->waits_since_ms = now_ms;
    needed_ms =
        partition->heads[merge_least(partition->heads, partition->input_count)]
            .timestamp_ms;
    if (needed_ms > stats->waits_since_ms)
        needed_ms = stats->waits_since_ms;
    for (int i = 0; i < partition->input_count; i++)
        if (!partition->heads[i].has_record) {
            stats->waits_for = i;
            if (!partition->options->ledger->clock_records &&
                (partition->inputs[i].proof.as_of_ms < needed_ms ||
                 partition->inputs[i].proof.as_of_ms == INT64_MIN))
                proof_ask(&partition->inputs[i].proof,
                          partition->options->broker, now_ms);
        }
}

int flow_choose(struct partition *partition, int64_t now_ms)
{
    int64_t since_ms = partition->stats.waits_since_ms;
    int next;

    fill_heads(partition);
    next = merge_next(partition->heads, partition->input_count,
                      since_ms == SEG_NEVER ? now_ms : since_ms);
    if (next == MERGE_WAITS) {
        ask_for_ends(partition, now_ms);
        look_for_answers(partition);
        fill_heads(partition);
        next = merge_next(partition->heads, partition->input_count,
                          partition->stats.waits_since_ms);
    }
    /* What is paused stays where it is, and holds up what is younger. */
    if (next >= 0 && partition_alarm(partition, next))
        return MERGE_WAITS;
    return next;
}

static struct broker_record as_record(const struct partition *partition,
                                      int input,
                                      const struct input_record *record)
{
    return (struct broker_record){.topic = BROKER_INPUT(input),
                                  .partition = partition->ledger->partition,
                                  .offset = record->offset,
                                  .timestamp_ms = record->timestamp_ms,
                                  .key = record->key,
                                  .key_len = record->key_len,
                                  .value = record->value,
                                  .value_len = record->value_len};
}

int flow_take(struct partition *partition, int index, int64_t now_ms)
{
    struct input *input = &partition->inputs[index];
    const struct input_record *first = queue_first(&input->queue);
    struct broker_record record = as_record(partition, index, first);
    struct ledger *ledger = partition->ledger;
    const struct seg_event *event = NULL;
    int64_t to_ms = ledger_instant(first->timestamp_ms);
    int bad, reason, more;

    if ((!partition->options->ledger->clock_records ||
         MUTATED(RECORDS_CAPPED)) &&
        to_ms > now_ms)
        to_ms = now_ms;
    more = ledger_advance(ledger, to_ms, partition->options->timers_per_turn,
                          now_ms);
    if (more < 0)
        partition->held = more;
    if (more)
        return 0;
    reason = ahead_first(&input->ahead, ledger, index, &input->queue,
                         partition->options->names, &event);
    bad = ledger_apply(ledger, index, &record, event, reason, now_ms);
    partition->held = bad < 0 ? bad : 0;
    partition->held_input = index;
    if (bad < 0)
        return 0;
    partition->stats.records++;
    partition->stats.bad += (uint64_t)bad;
    partition->stats.waits_since_ms = SEG_NEVER;
    partition->stats.waits_for = -1;
    partition_release(partition, first->handle);
    queue_pop(&input->queue);
    ahead_pop(&input->ahead);
    return 1;
}

/* ---- the wall ------------------------------------------------------------ */

/* The instant to which the wall may move the clock. */
static int64_t proven_ms(const struct partition *partition, int64_t now_ms)
{
    int64_t least_ms = INT64_MAX;

    if (MUTATED(WALL_WITHOUT_PROOF))
        return now_ms;
    for (int i = 0; i < partition->input_count; i++) {
        const struct input *input = &partition->inputs[i];
        int64_t ms = proof_instant(&input->proof, applied(input));
        if (ms < least_ms)
            least_ms = ms;
    }
    return least_ms;
}

/* Ask all inputs whose last answer is older than DUE_MS. */
static void ask_all(struct partition *partition, int64_t due_ms, int64_t now_ms)
{
    for (int i = 0; i < partition->input_count; i++) {
        struct proof *proof = &partition->inputs[i].proof;
        int64_t interval_ms = partition->options->proof_interval_ms;
        if (proof->as_of_ms < due_ms &&
            (proof->asked_ms == INT64_MIN ||
             now_ms - proof->asked_ms >= interval_ms))
            proof_ask(proof, partition->options->broker, now_ms);
    }
}

int64_t flow_wait_ms(const struct partition *partition)
{
    int64_t interval_ms = partition->options->proof_interval_ms;
    int64_t due_ms = seg_engine_next_due(partition->ledger->engine);
    int64_t wait_ms = partition->turn_ms + interval_ms;

    for (int i = 0; i < partition->input_count; i++) {
        const struct proof *proof = &partition->inputs[i].proof;
        int64_t ask_ms = proof->asked_ms + interval_ms;
        if (!proof->question && proof->as_of_ms < due_ms &&
            ask_ms > partition->turn_ms && ask_ms < wait_ms)
            wait_ms = ask_ms;
    }
    return wait_ms;
}

int flow_follow_wall(struct partition *partition, int64_t now_ms)
{
    struct ledger *ledger = partition->ledger;
    int64_t due_ms = seg_engine_next_due(ledger->engine), to_ms;
    int more;

    if (partition->options->ledger->clock_records || due_ms > now_ms)
        return 0;
    look_for_answers(partition);
    to_ms = proven_ms(partition, now_ms);
    if (to_ms < due_ms) {
        ask_all(partition, due_ms, now_ms);
        look_for_answers(partition);
        to_ms = proven_ms(partition, now_ms);
    }
    if (to_ms < due_ms)
        return 0;
    more = ledger_advance(ledger, to_ms, partition->options->timers_per_turn,
                          now_ms);
    if (more < 0)
        partition->held = more;
    return more > 0;
}
