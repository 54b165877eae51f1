/* backfill.c: reading again, beside a partition that goes on.
 *
 *     inputs  |---------------------------------|----->
 *             starts         at                 positions of the ledger
 *             shadow:        ~~~>               live
 *
 * The readers are those of a restore: no members of the group, read_committed.
 * Records below the ledger's positions are merged as ever and folded into the
 * shadow. The positions go on meanwhile; what is read last must be what was
 * applied last, for every input, in one turn. So when little is missing the
 * partition is held: nothing is applied for some milliseconds, until the rest
 * has come, at most HOLD_MS; if it does not come, the partition goes on, and it
 * is tried again later. Then, still held, the swap, in slices. Held is what is
 * applied: transactions go on, and so do other partitions.
 *
 * After the swap the partition goes on as before, and knows more than it says:
 * a sweep is due, but held until it may say it.
 * When all users of the swap are flushed it is published: the next transaction
 * carries the catalogue record that says so, and the sweep begins. Whoever dies
 * before that begins anew, after it the sweep is finished by who restores.
 *
 *     swap     the catalogue record of the swap's epoch is due at once: with or
 *              before the first user of it
 *     publish  ... again, after the last
 *
 * Whatever comes between (another catalogue, a revoke, a restore, a refusal)
 * frees the backfill; the partition makes a new one when it runs again, which
 * looks whether something is still to be done.
 *
 * What a record is worth is decided as ever (ledger_decode). Only for what is
 * refused for its user's size there is no second refusal: a shadow's users are
 * not the size of the engine's, so it may count what the partition did not. */
#include "daemon/protocol/backfill.h"

#include <stdlib.h>

#include "daemon/base/fail.h"
#include "daemon/protocol/merge.h"
#include "daemon/protocol/mutation.h"

enum {
    NEAR_RECORDS = 4096, /* If no more are missing the partition is held ... */
    HOLD_MS = 500,       /* ... at most so long ... */
    HOLD_AGAIN_MS = 10000, /* ... and again after this. */
    RETRY_MS = 60000,      /* From one that was given up to the next. */
    CREDIT_MS = 200,       /* What was not read in time is not made up for. */
    PIECE_RECORDS = 1024,  /* Of one turn: live events wait so long. */
    STALL_MS = 30000,      /* Who gets no further lets others read. */
    BUSY_WAKE_MS = 20,
    HOLD_WAKE_MS = 2
};

struct input {
    int64_t position; /* Of the reader. */
    int has_record;   /* It is read, and not folded. */
    int open;
    struct broker_record record;
};

struct backfill {
    struct broker *broker;
    struct ledger *ledger;
    struct backfill_pace *pace;
    enum backfill_step step;
    uint64_t question;
    int at; /* Input that was asked for last; slices of the swap. */
    struct input inputs[SEG_TOPICS_MAX];
    struct merge_head heads[SEG_TOPICS_MAX];
    int64_t starts[SEG_TOPICS_MAX];
    int64_t since_ms;
    struct seg_engine *shadow;
    struct seg_decoder *decoder;
    uint64_t read;
    struct {
        enum backfill_step step;
        uint64_t read;
        int64_t since_ms; /* Since when it is there. */
    } place;
    int64_t turn_ms;
    int64_t held_ms;  /* Since when the partition is held; SEG_NEVER. */
    int64_t retry_ms; /* Not before: hold, or begin. */
    const char *why;
};

int backfill_new(struct backfill **ret, struct broker *broker,
                 struct ledger *ledger, struct backfill_pace *pace)
{
    struct backfill *backfill = calloc(1, sizeof(*backfill));

    if (!backfill)
        return SEG_ERR_NOMEM;
    backfill->broker = broker;
    backfill->ledger = ledger;
    backfill->pace = pace;
    backfill->since_ms = INT64_MIN;
    backfill->held_ms = SEG_NEVER;
    backfill->retry_ms = INT64_MIN;
    *ret = backfill;
    return 0;
}

static int input_count(const struct backfill *backfill)
{
    return backfill->ledger->options->input_count;
}

/* The shadow is not needed any more, nor are the readers. */
static void stop_reading(struct backfill *backfill)
{
    struct broker *broker = backfill->broker;

    for (int i = 0; i < input_count(backfill); i++) {
        if (backfill->inputs[i].open)
            broker->stop(broker->impl, BROKER_INPUT(i),
                         backfill->ledger->partition);
        backfill->inputs[i] = (struct input){0};
    }
    seg_engine_free(backfill->shadow);
    seg_decoder_free(backfill->decoder);
    backfill->shadow = NULL;
    backfill->decoder = NULL;
    backfill->held_ms = SEG_NEVER;
    if (backfill->pace->reader == backfill)
        backfill->pace->reader = NULL;
}

void backfill_free(struct backfill *backfill)
{
    if (!backfill)
        return;
    stop_reading(backfill);
    if (backfill->ledger->engine)
        seg_engine_backfill_drop(backfill->ledger->engine);
    free(backfill);
}

/* Give up, because of WHY; begin anew in a while if AGAIN. */
static enum backfill_turn give_up(struct backfill *backfill, const char *why,
                                  int again)
{
    stop_reading(backfill);
    seg_engine_backfill_drop(backfill->ledger->engine);
    backfill->why = why;
    backfill->pace->dropped++;
    backfill->retry_ms = backfill->turn_ms + RETRY_MS;
    backfill->step = again ? BACKFILL_LOOKS : BACKFILL_RESTS;
    return BACKFILL_IDLE;
}

static enum backfill_turn no_memory(struct backfill *backfill)
{
    return give_up(backfill, "there is no memory for it", 1);
}

static enum backfill_turn rest(struct backfill *backfill, const char *why)
{
    stop_reading(backfill);
    backfill->why = why;
    backfill->step = BACKFILL_RESTS;
    return BACKFILL_IDLE;
}

/* ---- what there is to do ------------------------------------------------- */

static int is_wanted(const struct backfill *backfill)
{
    return seg_engine_backfill_wanted(backfill->ledger->engine,
                                      backfill->starts, backfill->since_ms);
}

static enum backfill_turn look(struct backfill *backfill)
{
    struct backfill_pace *pace = backfill->pace;
    const struct ledger *ledger = backfill->ledger;

    if (!ledger->committed.txn || !seg_engine_swept(ledger->engine) ||
        backfill->turn_ms < backfill->retry_ms || pace->reader)
        return BACKFILL_IDLE;
    for (int i = 0; i < input_count(backfill); i++)
        backfill->starts[i] = 0;
    backfill->since_ms = INT64_MIN;
    if (!pace->rate || !is_wanted(backfill))
        return rest(backfill, NULL);
    if (pace->off)
        return rest(backfill, pace->off);
    pace->reader = backfill;
    backfill->read = 0;
    backfill->at = 0;
    backfill->question = broker_question(backfill->broker);
    backfill->step = BACKFILL_ASKS;
    return BACKFILL_MORE;
}

/* The first record that is left of every input. No record is dated before 1970
 * that a producer of today has written. */
static enum backfill_turn ask(struct backfill *backfill)
{
    struct broker *broker = backfill->broker;

    for (; backfill->at < input_count(backfill); backfill->at++) {
        int i = backfill->at;
        int answer = broker->start_offset(
            broker->impl, backfill->question, BROKER_INPUT(i),
            backfill->ledger->partition, 0, &backfill->starts[i]);
        if (answer == BROKER_AGAIN)
            return BACKFILL_IDLE;
        if (answer != BROKER_OK)
            return give_up(backfill,
                           "the brokers do not say where an input "
                           "begins",
                           1);
        backfill->inputs[i].position = backfill->starts[i];
    }
    if (!is_wanted(backfill))
        return rest(backfill, "the inputs do not reach back far enough");
    backfill->step = BACKFILL_DATES;
    return BACKFILL_MORE;
}

/* ---- records ------------------------------------------------------------- */

enum head { HEAD_RECORD, HEAD_END, HEAD_WAITS, HEAD_GONE };

/* The next record of INPUT that the ledger has applied. */
static enum head fill_head(struct backfill *backfill, int index)
{
    struct input *input = &backfill->inputs[index];
    struct broker *broker = backfill->broker;
    int64_t target = backfill->ledger->inputs[index].position;
    struct broker_read read;
    int answer;

    while (!input->has_record && input->position < target) {
        input->open = 1;
        answer = broker->read(broker->impl, BROKER_INPUT(index),
                              backfill->ledger->partition, input->position,
                              target, &read);
        if (answer == BROKER_GONE)
            return HEAD_GONE;
        if (answer == BROKER_OK) {
            input->has_record = 1;
            input->record = read.record;
        } else if (answer != BROKER_AGAIN || read.position <= input->position) {
            return HEAD_WAITS;
        }
        input->position = read.position;
    }
    return input->has_record && input->record.offset < target ? HEAD_RECORD
                                                              : HEAD_END;
}

static enum backfill_turn gone(struct backfill *backfill)
{
    return give_up(backfill, "retention deleted what was to be read", 1);
}

/* Whether nothing was ever lost. */
static int is_complete(const struct backfill *backfill)
{
    for (int i = 0; i < input_count(backfill); i++)
        if (backfill->starts[i])
            return 0;
    return 1;
}

static enum backfill_turn begin(struct backfill *backfill)
{
    struct ledger *ledger = backfill->ledger;

    if (!is_complete(backfill) && !is_wanted(backfill))
        return rest(backfill, "the inputs do not reach back far enough");
    if (ledger_engine(ledger, ledger->catalogue, 0, &backfill->shadow) ||
        seg_decoder_new(&backfill->decoder, ledger->catalogue) ||
        seg_engine_backfill_begin(backfill->shadow, ledger->engine,
                                  backfill->starts, backfill->since_ms))
        return no_memory(backfill);
    backfill->why = NULL;
    backfill->step = BACKFILL_READS;
    return BACKFILL_MORE;
}

/* Of an input that has lost records nothing is known of before the first one
 * that is left. */
static enum backfill_turn date(struct backfill *backfill)
{
    int64_t since_ms = INT64_MIN;

    for (int i = 0; i < input_count(backfill); i++) {
        int64_t ms = INT64_MAX;
        if (!backfill->starts[i])
            continue;
        switch (fill_head(backfill, i)) {
        case HEAD_RECORD:
            ms = ledger_instant(backfill->inputs[i].record.timestamp_ms);
            break;
        case HEAD_END:
            break;
        case HEAD_GONE:
            return gone(backfill);
        case HEAD_WAITS:
            return BACKFILL_IDLE;
        }
        since_ms = ms > since_ms ? ms : since_ms;
    }
    backfill->since_ms = since_ms;
    return begin(backfill);
}

/* ---- reading ------------------------------------------------------------- */

static int64_t remaining(const struct backfill *backfill)
{
    int64_t count = 0;

    for (int i = 0; i < input_count(backfill); i++) {
        const struct input *input = &backfill->inputs[i];
        int64_t target = backfill->ledger->inputs[i].position;
        int64_t at = input->has_record ? input->record.offset : input->position;
        count += target > at ? target - at : 0;
    }
    return count;
}

/* Records that may be read now. */
static int64_t credit(struct backfill_pace *pace, int64_t now_ms)
{
    int64_t most = pace->rate * CREDIT_MS / 1000 + 1;
    int64_t more = pace->rate * (now_ms - pace->at_ms) / 1000;

    if (!pace->at_ms || now_ms - pace->at_ms > CREDIT_MS)
        more = most;
    if (more > 0)
        pace->at_ms = now_ms;
    pace->credit += more > 0 ? more : 0;
    if (pace->credit > most)
        pace->credit = most;
    return pace->credit;
}

/* The input whose record goes next; MERGE_EMPTY: all that was applied is read;
 * MERGE_WAITS; or MERGE_GONE. */
#define MERGE_GONE (-3)

static int choose(struct backfill *backfill)
{
    int waits = 0;

    for (int i = 0; i < input_count(backfill); i++) {
        struct merge_head *head = &backfill->heads[i];
        *head = (struct merge_head){0, 0, INT64_MAX};
        switch (fill_head(backfill, i)) {
        case HEAD_RECORD:
            head->has_record = 1;
            head->timestamp_ms = backfill->inputs[i].record.timestamp_ms;
            break;
        case HEAD_END:
            break;
        case HEAD_WAITS:
            waits = 1;
            break;
        case HEAD_GONE:
            return MERGE_GONE;
        }
    }
    return waits
               ? MERGE_WAITS
               : merge_next(backfill->heads, input_count(backfill), INT64_MAX);
}

/* Fold the record of INPUT. Returns 0, 1 if timers come first, or the error of
 * the engine. */
static int fold(struct backfill *backfill, int index, int work)
{
    struct ledger *ledger = backfill->ledger;
    struct input *input = &backfill->inputs[index];
    const struct broker_record *record = &input->record;
    struct seg_origin origin = {index, record->offset,
                                ledger_instant(record->timestamp_ms)};
    int64_t clock_ms = seg_engine_clock(ledger->engine);
    struct seg_event event;
    int ret = seg_engine_backfill_advance(
        backfill->shadow,
        origin.timestamp_ms < clock_ms ? origin.timestamp_ms : clock_ms, work);

    if (ret)
        return ret;
    seg_decoder_reset(backfill->decoder);
    ret = ledger_decode(ledger, backfill->decoder, index, record->value,
                        record->value_len, &event);
    if (!ret)
        ret = seg_engine_backfill_fold(backfill->shadow, ledger->engine, &event,
                                       &origin);
    if (ret == SEG_ERR_NOMEM || ret == SEG_ERR_LIMIT)
        return ret;
    input->has_record = 0;
    backfill->read++;
    backfill->pace->records++;
    backfill->pace->credit--;
    return 0;
}

/* Little is missing: whether the partition is held for it. */
static enum backfill_turn hold(struct backfill *backfill)
{
    int64_t now_ms = backfill->turn_ms;

    if (now_ms < backfill->retry_ms)
        return BACKFILL_IDLE;
    if (backfill->held_ms == SEG_NEVER)
        backfill->held_ms = now_ms;
    if (now_ms - backfill->held_ms <= HOLD_MS)
        return BACKFILL_HOLDS;
    backfill->held_ms = SEG_NEVER;
    backfill->retry_ms = now_ms + HOLD_AGAIN_MS;
    return BACKFILL_IDLE;
}

static enum backfill_turn caught_up(struct backfill *backfill)
{
    backfill->at = 0;
    backfill->step = BACKFILL_SWAPS;
    return BACKFILL_HOLDS;
}

static enum backfill_turn read_on(struct backfill *backfill, int work)
{
    int64_t may = credit(backfill->pace, backfill->turn_ms);
    int is_near = remaining(backfill) <= NEAR_RECORDS, next = MERGE_WAITS, ret;

    if (is_near)
        may = work;
    else if (may > PIECE_RECORDS)
        may = PIECE_RECORDS;
    while (may-- > 0) {
        next = choose(backfill);
        if (next == MERGE_EMPTY)
            return caught_up(backfill);
        if (next == MERGE_GONE)
            return gone(backfill);
        if (next < 0)
            break;
        ret = fold(backfill, next, work);
        if (ret == SEG_ERR_LIMIT)
            return give_up(backfill, "users_max is reached", 0);
        if (ret < 0)
            return no_memory(backfill);
        (void)FAIL_POINT(BACKFILL_FOLD);
    }
    if (is_near)
        return hold(backfill);
    return next >= 0 && backfill->pace->credit > 0 ? BACKFILL_MORE
                                                   : BACKFILL_IDLE;
}

/* ---- coming into force --------------------------------------------------- */

static void write_catalogue(struct ledger *ledger)
{
    ledger->catalogue_due = 1;
    ledger->flush.meta_due = 1;
}

static enum backfill_turn swap(struct backfill *backfill, int work)
{
    struct ledger *ledger = backfill->ledger;
    int more;

    if (!backfill->at++ && !MUTATED(BACKFILL_EPOCH_NOT_WRITTEN))
        write_catalogue(ledger);
    more = seg_engine_backfill_swap(ledger->engine, backfill->shadow, work);
    (void)FAIL_POINT(BACKFILL_SWAP);
    if (more == SEG_ERR_LIMIT)
        return give_up(backfill, "users_max is reached", 0);
    if (more < 0)
        return no_memory(backfill);
    if (more)
        return BACKFILL_HOLDS;
    stop_reading(backfill);
    backfill->step = BACKFILL_WRITES;
    return BACKFILL_MORE;
}

static enum backfill_turn publish(struct backfill *backfill)
{
    struct ledger *ledger = backfill->ledger;

    if (!seg_engine_backfill_flushed(ledger->engine) &&
        !MUTATED(PUBLISHED_BEFORE_FLUSHED))
        return BACKFILL_IDLE;
    if (seg_engine_backfill_publish(ledger->engine))
        return BACKFILL_HOLDS;
    write_catalogue(ledger);
    backfill->step = BACKFILL_SWEEPS;
    (void)FAIL_POINT(BACKFILL_PUBLISH);
    return BACKFILL_MORE;
}

static enum backfill_turn swept(struct backfill *backfill)
{
    if (!seg_engine_swept(backfill->ledger->engine))
        return BACKFILL_IDLE;
    backfill->pace->published++;
    return rest(backfill, NULL);
}

/* Whether it has not got further for so long that others should read. */
static int is_stalled(struct backfill *backfill)
{
    if (backfill->step != backfill->place.step ||
        backfill->read != backfill->place.read) {
        backfill->place.step = backfill->step;
        backfill->place.read = backfill->read;
        backfill->place.since_ms = backfill->turn_ms;
    }
    return backfill->pace->reader == backfill &&
           backfill->step < BACKFILL_SWAPS &&
           backfill->turn_ms - backfill->place.since_ms > STALL_MS;
}

enum backfill_turn backfill_turn(struct backfill *backfill, int64_t now_ms,
                                 int work, int full)
{
    backfill->turn_ms = now_ms;
    if (is_stalled(backfill))
        return give_up(backfill, "the brokers do not give its records", 1);
    if (full && backfill->shadow && backfill->step == BACKFILL_READS)
        return no_memory(backfill);
    switch (backfill->step) {
    case BACKFILL_LOOKS:
        return full ? BACKFILL_IDLE : look(backfill);
    case BACKFILL_ASKS:
        return ask(backfill);
    case BACKFILL_DATES:
        return date(backfill);
    case BACKFILL_READS:
        return read_on(backfill, work);
    case BACKFILL_SWAPS:
        return swap(backfill, work);
    case BACKFILL_WRITES:
        return publish(backfill);
    case BACKFILL_SWEEPS:
        return swept(backfill);
    case BACKFILL_RESTS:
        break;
    }
    return BACKFILL_IDLE;
}

/* ---- looking ------------------------------------------------------------- */

int64_t backfill_wake_ms(const struct backfill *backfill)
{
    switch (backfill->step) {
    case BACKFILL_ASKS:
    case BACKFILL_DATES:
        return backfill->turn_ms + BUSY_WAKE_MS;
    case BACKFILL_READS:
        return backfill->turn_ms +
               (backfill->held_ms == SEG_NEVER ? BUSY_WAKE_MS : HOLD_WAKE_MS);
    case BACKFILL_SWAPS:
        return backfill->turn_ms;
    case BACKFILL_LOOKS:
    case BACKFILL_WRITES:
    case BACKFILL_SWEEPS:
    case BACKFILL_RESTS:
        break;
    }
    return SEG_NEVER;
}

size_t backfill_bytes(const struct backfill *backfill)
{
    return backfill && backfill->shadow ? seg_engine_bytes(backfill->shadow)
                                        : 0;
}

void backfill_status(const struct backfill *backfill,
                     struct backfill_status *status)
{
    int dated =
        backfill->step >= BACKFILL_READS && backfill->step < BACKFILL_RESTS;

    *status = (struct backfill_status){
        .step = backfill->step,
        .read = backfill->read,
        .remaining = backfill->step == BACKFILL_READS ? remaining(backfill) : 0,
        .complete = dated && is_complete(backfill),
        .since_ms = dated ? backfill->since_ms : INT64_MIN,
        .why = backfill->why,
    };
}

const char *backfill_step_name(int step)
{
    static const char *const names[] = {
        [BACKFILL_LOOKS] = "looks",   [BACKFILL_ASKS] = "asks",
        [BACKFILL_DATES] = "dates",   [BACKFILL_READS] = "reads",
        [BACKFILL_SWAPS] = "swaps",   [BACKFILL_WRITES] = "writes",
        [BACKFILL_SWEEPS] = "sweeps", [BACKFILL_RESTS] = "rests"};

    return names[step];
}
