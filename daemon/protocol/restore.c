/* restore.c: the six steps.
 *
 *   (1) committed offsets of the partition, with txn, clock and tag in their
 *       metadata; pending ones are waited out. A state kept from before with the
 *       same txn and tag is used as it is, and we are done.
 *   (2) the state topic, up to its read_uncommitted end: user records, and the
 *       meta record, which says from where to fold again.
 *   (3) changes and triggers, from the meta record's positions to their ends:
 *       memberships, seq and trigger history. What a user record has already is
 *       skipped; a gap in a user's seq is refused. Dead letters: which events
 *       were refused (refused.h).
 *   (4) the inputs, from the redo positions to the committed offsets, merged as
 *       they were: events and attributes are folded, nobody is judged. What a
 *       user record has already is skipped.
 *   (5) once, at the stored clock: everybody touched by (3) and (4) or due by
 *       then is judged. Memberships and features must agree; a difference is put
 *       out as a repair and counted.
 *   (6) the committed offsets again. If they moved, a zombie of ours or of the
 *       owner before was in between: all we read is of different moments, begin
 *       again at (1). Only now does a refusal stand.
 *
 * Why the two ends fit together. The committed offsets (1) name one cut. All
 * outputs of that cut and before were appended before its offsets became visible
 * or have their markers pending in the same transaction; in both cases they lie
 * below the read_uncommitted ends asked for in (2) and (3), after (1). Whoever
 * commits later moves the offsets, which (6) sees; and nobody commits for this
 * partition after (6) but us: others are fenced by the group.
 *
 * A refusal names topic, partition and the two numbers that disagree. Nothing is
 * ever guessed: a partition that would lose or double something stops. */
#include "daemon/protocol/restore.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/fail.h"
#include "daemon/protocol/merge.h"
#include "daemon/protocol/mutation.h"
#include "daemon/protocol/restore_inside.h"
#include "lib/base/error.h"
#include "lib/base/text.h"

int restore_new(struct restore **ret, struct broker *broker,
                struct ledger *ledger)
{
    struct restore *restore = calloc(1, sizeof(*restore));

    if (!restore)
        return SEG_ERR_NOMEM;
    restore->broker = broker;
    restore->ledger = ledger;
    buf_init(&restore->meta_bytes);
    restore_enter(restore, RESTORE_BEGIN);
    *ret = restore;
    return 0;
}

static void close_logs(struct restore *restore)
{
    for (int i = 0; i < RESTORE_LOGS; i++)
        restore_log_done(&restore->logs[i]);
}

void restore_free(struct restore *restore)
{
    if (!restore)
        return;
    close_logs(restore);
    refused_reset(&restore->refused);
    buf_done(&restore->meta_bytes);
    free(restore);
}

void restore_enter(struct restore *restore, enum restore_step step)
{
    restore->step = step;
    restore->at = 0;
    restore->question = broker_question(restore->broker);
}

void restore_refuse(struct restore *restore, const char *format, ...)
{
    struct seg_error *broken = &restore->refusal;
    va_list args;

    *broken = (struct seg_error){.code = SEG_ERR_INVALID};
    va_start(args, format);
    vsnprintf(broken->message, sizeof(broken->message), format, args);
    va_end(args);
    restore_enter(restore, RESTORE_RECHECK);
}

/* ---- step 1 ---------------------------------------------------------------- */

/* Forget what was read; an engine to fold into. */
static enum restore_state blank(struct restore *restore)
{
    struct ledger *ledger = restore->ledger;

    close_logs(restore);
    for (int i = 0; i < RESTORE_LOGS; i++)
        restore_log_init(&restore->logs[i], restore->broker, i,
                         ledger->partition);
    buf_reset(&restore->meta_bytes);
    restore->has_meta = 0;
    restore->refusal = (struct seg_error){0};
    restore->other_catalogue = 0;
    memset(restore->own, 0, sizeof(restore->own));
    refused_reset(&restore->refused);
    for (int i = 0; i < SEG_TOPICS_MAX; i++)
        restore->heads[i] = (struct merge_head){0, 0, INT64_MIN};
    if (ledger_reset(ledger, MUTATED(STEP5_AT_META_CLOCK)
                                 ? 0
                                 : restore->offsets.clock_ms)) {
        restore_enter(restore, RESTORE_BEGIN);
        return RESTORE_WAITS;
    }
    restore_enter(restore, RESTORE_STATE);
    return RESTORE_BUSY;
}

static int is_kept(const struct restore *restore)
{
    const struct ledger *ledger = restore->ledger;

    return ledger->engine && ledger->committed.txn &&
           ledger->committed.txn == restore->offsets.txn &&
           (ledger->committed.tag == restore->offsets.tag ||
            MUTATED(TAG_NOT_COMPARED));
}

static enum restore_state begin(struct restore *restore)
{
    if (restore_ask_committed(restore, restore->committed_first))
        return RESTORE_WAITS;
    (void)FAIL_POINT(RESTORE_COMMITTED);
    memcpy(restore->committed, restore->committed_first,
           sizeof(restore->committed));
    restore->offsets = (struct meta_offsets){0};
    restore->offsets_gone = 0;
    if (!restore_check_committed(restore))
        return RESTORE_BUSY;
    if (is_kept(restore)) {
        restore->stats.warm = 1;
        return RESTORE_DONE;
    }
    return blank(restore);
}

/* ---- step 2 ------------------------------------------------------------------ */

/* A record of the state topic. Returns 0, or the error of the engine. */
static int fold_state(struct restore *restore,
                      const struct broker_record *record,
                      struct seg_error *detail)
{
    struct seg_text id;

    restore->state_end = record->offset + 1;
    switch (meta_key_read(record->key, record->key ? record->key_len : 0,
                          &id)) {
    case META_KEY_IS_META:
        buf_reset(&restore->meta_bytes);
        buf_add(&restore->meta_bytes, record->value, record->value_len);
        restore->has_meta = record->value != NULL;
        restore->meta_end = restore->state_end;
        return buf_failed(&restore->meta_bytes) ? SEG_ERR_NOMEM : 0;
    case META_KEY_IS_USER:
        restore->stats.users++;
        return record->value ? seg_engine_restore_user(
                                   restore->ledger->engine, record->value,
                                   record->value_len, detail)
                             : 0;
    case META_KEY_IS_UNKNOWN:
        break;
    }
    return error_set(detail, SEG_ERR_RECORD, "its key is none of ours");
}

/* What reading LOG came to, other than a record: 1 and what to answer in *STATE,
 * or 0 when it has ended. */
static int is_held_up(struct restore *restore, struct restore_log *log,
                      enum restore_log_state read, enum restore_state *state)
{
    char name[RESTORE_NAME_BYTES];

    *state = RESTORE_BUSY;
    switch (read) {
    case RESTORE_LOG_RECORD:
    case RESTORE_LOG_END:
        return 0;
    case RESTORE_LOG_WAITS:
        *state = RESTORE_WAITS;
        return 1;
    case RESTORE_LOG_GONE:
        restore_enter(restore, RESTORE_BEGIN);
        *state = RESTORE_WAITS;
        return 1;
    case RESTORE_LOG_MISSING:
    case RESTORE_LOG_REMADE:
        break;
    }
    restore_refuse(restore,
                   "topic %s partition %d is not the one it was: the record at "
                   "offset %" PRId64 " before position %" PRId64
                   " is another. Was it deleted and made again? `segmentctl "
                   "reset` says how to go on",
                   restore_topic(restore, log->topic, name), log->partition,
                   log->mark.witness, log->mark.position);
    return 1;
}

/* There is no room for what was read. Memory may come back; a limit is there for
 * good. */
static enum restore_state no_room(struct restore *restore, int err)
{
    if (err == SEG_ERR_LIMIT) {
        restore_refuse(restore,
                       "partition %d holds more users than users_max, %" PRIu32
                       ", lets it have: raise it",
                       restore->ledger->partition,
                       restore->ledger->options->engine.users_max);
        return RESTORE_BUSY;
    }
    restore_enter(restore, RESTORE_BEGIN);
    return RESTORE_WAITS;
}

/* A record that cannot be read: refuse, unless it is about room. */
static enum restore_state bad_record(struct restore *restore,
                                     const struct broker_record *record,
                                     int err, const struct seg_error *detail)
{
    char name[RESTORE_NAME_BYTES];

    if (err == SEG_ERR_NOMEM || err == SEG_ERR_LIMIT)
        return no_room(restore, err);
    restore_refuse(restore,
                   "topic %s partition %d: the record at offset %" PRId64
                   " cannot be used: %s",
                   restore_topic(restore, record->topic, name),
                   record->partition, record->offset,
                   detail->message[0] ? detail->message
                                      : seg_error_sentence(err));
    return RESTORE_BUSY;
}

static enum restore_state read_state(struct restore *restore, int work)
{
    struct restore_log *log = &restore->logs[BROKER_STATE];
    enum restore_log_state read = RESTORE_LOG_END;
    struct seg_error detail = {0};
    struct broker_record record;
    enum restore_state state;
    int err;

    if (!log->known) {
        if (!restore_log_ask(log))
            return RESTORE_WAITS;
        restore_log_start(log, &(struct meta_mark){log->low, -1, 0, 0},
                          log->high);
    }
    while (work-- > 0 &&
           (read = restore_log_next(log, &record)) == RESTORE_LOG_RECORD) {
        err = fold_state(restore, &record, &detail);
        if (err < 0)
            return bad_record(restore, &record, err, &detail);
        (void)FAIL_POINT(RESTORE_STATE_HALF);
    }
    if (read == RESTORE_LOG_RECORD)
        return RESTORE_BUSY;
    if (is_held_up(restore, log, read, &state))
        return state;
    restore_log_done(log);
    (void)FAIL_POINT(RESTORE_STATE_END);
    if (restore_check_meta(restore))
        restore_enter(restore, RESTORE_MARKS);
    return RESTORE_BUSY;
}

/* ---- between 2 and 3: where do the logs begin and end? ----------------------------- */

static int log_count(const struct restore *restore)
{
    return BROKER_OUTPUTS + restore->ledger->options->input_count;
}

/* A partition nobody has committed before: its start positions. */
static enum restore_state find_start(struct restore *restore)
{
    const struct ledger_options *options = restore->ledger->options;
    struct broker *broker = restore->broker;

    for (int i = restore->at; i < options->input_count; i++) {
        const struct restore_log *log = &restore->logs[BROKER_INPUT(i)];
        int64_t *offset = &restore->start[i];
        if (options->inputs[i].start_ms == LEDGER_EARLIEST)
            *offset = log->low;
        else if (options->inputs[i].start_ms == LEDGER_LATEST)
            *offset = log->high;
        else if (broker->start_offset(broker->impl, restore->question,
                                      BROKER_INPUT(i),
                                      restore->ledger->partition,
                                      options->inputs[i].start_ms,
                                      offset) != BROKER_OK)
            return RESTORE_WAITS;
        restore->at = i + 1;
    }
    restore_enter(restore, RESTORE_JUDGE);
    return RESTORE_BUSY;
}

/* Dead letters may be deleted by hand or by retention: they are no part of the
 * state. */
static void start_letters(struct restore *restore)
{
    struct restore_log *log = &restore->logs[BROKER_DEAD_LETTERS];
    int64_t from = restore->meta.outputs[2].fold.position;

    restore_log_start(log,
                      &(struct meta_mark){from < log->low ? log->low : from, -1,
                                          0, 0},
                      log->high);
}

static void start_logs(struct restore *restore)
{
    const struct meta *meta = &restore->meta;
    struct restore_log *logs = restore->logs;

    for (int i = 0; i < meta->input_count; i++) {
        restore_log_start(&logs[BROKER_INPUT(i)], &meta->inputs[i].redo,
                          restore->committed[i].offset);
        restore->ledger->bad[i] = meta->inputs[i].bad;
    }
    restore_log_start(&logs[BROKER_CHANGES], &meta->outputs[0].fold,
                      logs[BROKER_CHANGES].high);
    restore_log_start(&logs[BROKER_TRIGGERS], &meta->outputs[1].fold,
                      logs[BROKER_TRIGGERS].high);
    start_letters(restore);
}

static enum restore_state ask_marks(struct restore *restore)
{
    int known = 1;

    for (int i = 0; i < log_count(restore); i++)
        known &= restore_log_ask(&restore->logs[i]);
    if (!known)
        return RESTORE_WAITS;
    if (!restore_check_marks(restore))
        return RESTORE_BUSY;
    if (!restore->has_meta) {
        restore_enter(restore, RESTORE_START);
        return RESTORE_BUSY;
    }
    start_logs(restore);
    restore_enter(restore, RESTORE_OUTPUTS);
    return RESTORE_BUSY;
}

/* ---- step 3 -------------------------------------------------------------------------- */

static int fold_output(struct restore *restore,
                       const struct broker_record *record,
                       struct seg_error *detail)
{
    struct seg_engine *engine = restore->ledger->engine;
    int output = meta_output(record->topic), change = output == 0;
    struct record_back back;
    int err;

    if (record->offset >= restore->meta.outputs[output].tail)
        restore->own[output]++;
    if (record->topic == BROKER_DEAD_LETTERS)
        return refused_note(&restore->refused, restore->ledger->options,
                            record);
    if ((change && MUTATED(CHANGE_FOLD_SKIPPED)) ||
        (!change && MUTATED(TRIGGER_FOLD_SKIPPED)))
        return 0;
    restore->stats.outputs++;
    err = record_read(&back, record->value, record->value_len, detail);
    if (!err && back.kind != (change ? SEG_OUTPUT_CHANGE : SEG_OUTPUT_TRIGGER))
        err = error_set(detail, SEG_ERR_RECORD, "it is of the other kind");
    if (!err)
        err = change ? seg_engine_restore_change(engine, &back.restored, detail)
                     : seg_engine_restore_trigger(engine, &back.restored,
                                                  detail);
    record_back_done(&back);
    return err;
}

static enum restore_state read_outputs(struct restore *restore, int work)
{
    static const int topics[META_OUTPUTS] = {BROKER_CHANGES, BROKER_TRIGGERS,
                                             BROKER_DEAD_LETTERS};
    enum restore_log_state read = RESTORE_LOG_END;
    struct seg_error detail = {0};
    struct broker_record record;
    enum restore_state state;
    int err;

    for (; restore->at < META_OUTPUTS; restore->at++) {
        struct restore_log *log = &restore->logs[topics[restore->at]];
        while ((read = restore_log_next(log, &record)) == RESTORE_LOG_RECORD) {
            err = fold_output(restore, &record, &detail);
            if (err < 0)
                return bad_record(restore, &record, err, &detail);
            if (--work <= 0)
                return RESTORE_BUSY;
        }
        if (is_held_up(restore, log, read, &state))
            return state;
        restore_log_done(log);
    }
    (void)FAIL_POINT(RESTORE_CHANGES);
    if (restore_check_after_meta(restore))
        restore_enter(restore, RESTORE_INPUTS);
    return RESTORE_BUSY;
}

/* ---- step 4 -------------------------------------------------------------------------- */

/* Fill the head of every input. Returns 1 when all are known, 0 with *STATE. */
static int fill_heads(struct restore *restore, enum restore_state *state)
{
    int waits = 0;

    for (int i = 0; i < restore->ledger->options->input_count; i++) {
        struct restore_log *log = &restore->logs[BROKER_INPUT(i)];
        struct merge_head *head = &restore->heads[i];
        enum restore_log_state read;
        if (head->has_record || head->ended_ms == INT64_MAX)
            continue;
        read = restore_log_next(log, &restore->records[i]);
        if (read == RESTORE_LOG_RECORD) {
            head->has_record = 1;
            head->timestamp_ms = restore->records[i].timestamp_ms;
        } else if (read == RESTORE_LOG_END) {
            head->ended_ms = INT64_MAX;
            restore_log_done(log);
        } else if (read == RESTORE_LOG_WAITS) {
            waits = 1;
        } else {
            return !is_held_up(restore, log, read, state);
        }
    }
    *state = RESTORE_WAITS;
    return !waits;
}

/* RECORD of INPUT is folded again. */
static int fold_input(struct restore *restore, int input)
{
    const struct broker_record *record = &restore->records[input];
    struct ledger *ledger = restore->ledger;
    int bad = !MUTATED(REFUSED_FOLDED) &&
              refused_has(&restore->refused, input, record->offset);

    if (!bad && !MUTATED(REDO_SKIPPED))
        bad = ledger_redo(ledger, input, record);
    if (bad < 0)
        return bad;
    if (record->offset >= restore->meta.inputs[input].offset)
        bad_note(&ledger->bad[input], bad);
    restore->heads[input].has_record = 0;
    restore->stats.inputs++;
    (void)FAIL_POINT(RESTORE_REDO_HALF);
    return 0;
}

static enum restore_state read_inputs(struct restore *restore, int work)
{
    int count = restore->ledger->options->input_count;
    enum restore_state state;
    int next, err;

    while (work-- > 0) {
        if (!fill_heads(restore, &state))
            return state;
        next = merge_next(restore->heads, count, INT64_MAX);
        if (next == MERGE_EMPTY) {
            (void)FAIL_POINT(RESTORE_REDO_END);
            restore_enter(restore, RESTORE_JUDGE);
            return RESTORE_BUSY;
        }
        assert(next >= 0);
        err = fold_input(restore, next);
        if (err < 0)
            return no_room(restore, err);
    }
    return RESTORE_BUSY;
}

/* ---- steps 5 and 6 ------------------------------------------------------------------- */

static enum restore_state judge(struct restore *restore, int work)
{
    int64_t clock_ms = MUTATED(STEP5_AT_META_CLOCK) && restore->has_meta
                           ? restore->meta.offsets.clock_ms
                           : restore->offsets.clock_ms;
    int more = seg_engine_restore_finish(restore->ledger->engine, clock_ms,
                                         work);

    if (more < 0) {
        restore_enter(restore, RESTORE_BEGIN);
        return RESTORE_WAITS;
    }
    if (!more)
        restore_enter(restore, RESTORE_RECHECK);
    return RESTORE_BUSY;
}

/* The ledger of a partition that is all there. */
static void seal(struct restore *restore, int64_t now_ms)
{
    static const int topics[META_OUTPUTS] = {BROKER_CHANGES, BROKER_TRIGGERS,
                                             BROKER_DEAD_LETTERS};
    struct ledger *ledger = restore->ledger;
    const struct meta *meta = &restore->meta;
    struct meta_mark inputs[SEG_TOPICS_MAX], outputs[META_OUTPUTS];
    struct seg_engine_stats stats;
    int old = restore->has_meta;

    for (int i = 0; i < ledger->options->input_count; i++) {
        struct meta_mark *mark = &ledger->inputs[i];
        *mark = old ? restore->logs[BROKER_INPUT(i)].last
                    : (struct meta_mark){0, -1, 0, 0};
        mark->position = old ? restore->committed[i].offset : restore->start[i];
        inputs[i] = old ? meta->inputs[i].redo : *mark;
    }
    for (int i = 0; i < META_OUTPUTS; i++) {
        const struct restore_log *log = &restore->logs[topics[i]];
        struct meta_mark *mark = &ledger->outputs[i];
        *mark = old && i < 2 ? log->last : (struct meta_mark){0, -1, 0, 0};
        mark->position = log->high;
        outputs[i] = old ? meta->outputs[i].fold : *mark;
    }
    ledger->incarnation = old ? meta->incarnation
                              : restore->broker->random(restore->broker->impl);
    ledger->committed = restore->offsets;
    flush_start(ledger, inputs, outputs, now_ms);
    ledger->flush.meta_due = !old || restore->offsets_gone;
    seg_engine_stats(ledger->engine, &stats);
    restore->stats.repairs = stats.repairs;
}

static int is_same(const struct restore *restore)
{
    for (int i = 0; i < restore->ledger->options->input_count; i++)
        if (restore->committed_now[i].offset !=
                restore->committed_first[i].offset ||
            strcmp(restore->committed_now[i].metadata,
                   restore->committed_first[i].metadata))
            return 0;
    return 1;
}

static enum restore_state recheck(struct restore *restore, int64_t now_ms)
{
    struct ledger *ledger = restore->ledger;

    if (restore_ask_committed(restore, restore->committed_now))
        return RESTORE_WAITS;
    if (!is_same(restore) && !MUTATED(RESTORE_NOT_RECHECKED)) {
        restore->stats.again++;
        restore_enter(restore, RESTORE_BEGIN);
        return RESTORE_BUSY;
    }
    if (restore->refusal.code) {
        ledger_drop(ledger);
        ledger->broken = restore->refusal;
        return restore->other_catalogue ? RESTORE_CATALOGUE : RESTORE_REFUSED;
    }
    seal(restore, now_ms);
    ledger_drain(ledger, now_ms);
    return RESTORE_DONE;
}

enum restore_state restore_turn(struct restore *restore, int64_t now_ms,
                                int work)
{
    switch (restore->step) {
    case RESTORE_BEGIN:
        return begin(restore);
    case RESTORE_STATE:
        return read_state(restore, work);
    case RESTORE_MARKS:
        return ask_marks(restore);
    case RESTORE_START:
        return find_start(restore);
    case RESTORE_OUTPUTS:
        return read_outputs(restore, work);
    case RESTORE_INPUTS:
        return read_inputs(restore, work);
    case RESTORE_JUDGE:
        return judge(restore, work);
    case RESTORE_RECHECK:
        return recheck(restore, now_ms);
    }
    return RESTORE_WAITS;
}

void restore_stats(const struct restore *restore, struct restore_stats *stats)
{
    static const int steps[] = {1, 2, 3, 3, 3, 4, 5, 6};

    *stats = restore->stats;
    stats->step = steps[restore->step];
}
