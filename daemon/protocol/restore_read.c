/* restore_read.c: steps (2) to (4) of a restore: what is read, and what becomes
 * of it. restore.c says why. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/base/fail.h"
#include "daemon/protocol/merge.h"
#include "daemon/protocol/mutation.h"
#include "daemon/protocol/restore_inside.h"
#include "lib/base/error.h"

/* ---- step 2 -------------------------------------------------------------- */

/* A record of the state topic. Returns 0, or the error of the engine. */
static int fold_state(struct restore *restore,
                      const struct broker_record *record,
                      struct seg_error *detail)
{
    struct seg_text id;

    restore->state_end = record->offset + 1;
    switch (
        meta_key_read(record->key, record->key ? record->key_len : 0, &id)) {
    case META_KEY_IS_META:
        buf_reset(&restore->meta_bytes);
        buf_add(&restore->meta_bytes, record->value, record->value_len);
        restore->has_meta = record->value != NULL;
        restore->meta_end = restore->state_end;
        return buf_failed(&restore->meta_bytes) ? SEG_ERR_NOMEM : 0;
    case META_KEY_IS_CATALOGUE:
        buf_reset(&restore->catalogue_bytes);
        buf_add(&restore->catalogue_bytes, record->value, record->value_len);
        return buf_failed(&restore->catalogue_bytes) ? SEG_ERR_NOMEM : 0;
    case META_KEY_IS_USER:
        restore->stats.users++;
        return record->value
                   ? seg_engine_restore_user(restore->ledger->engine,
                                             record->value, record->value_len,
                                             detail)
                   : 0;
    case META_KEY_IS_UNKNOWN:
        break;
    }
    return error_set(detail, SEG_ERR_RECORD, "its key is none of ours");
}

/* What reading LOG came to, other than a record: 1 and what to answer in
 * *STATE, or 0 when it has ended. */
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
    if (mend_takes(restore)) {
        mend_remade(restore, log->topic);
        return 1;
    }
    restore_refuse(restore,
                   "topic %s partition %d is not the one it was: the record at "
                   "offset %" PRId64 " before position %" PRId64
                   " is another. Was it deleted and made again? " RESTORE_MEND,
                   restore_topic(restore, log->topic, name), log->partition,
                   log->mark.witness, log->mark.position, log->partition);
    return 1;
}

/* There is no room for what was read. Memory may come back; a limit is there
 * for good. */
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
    return RESTORE_NO_ROOM;
}

/* What a check came to: it went on, has refused, or begins again because there
 * was no memory. */
static enum restore_state checked(const struct restore *restore)
{
    return restore->step == RESTORE_BEGIN ? RESTORE_NO_ROOM : RESTORE_BUSY;
}

/* A record that cannot be read: refuse, unless it is about room. */
static enum restore_state bad_record(struct restore *restore,
                                     const struct broker_record *record,
                                     int err, const struct seg_error *detail)
{
    char name[RESTORE_NAME_BYTES], mend[256];

    if (err == SEG_ERR_NOMEM || err == SEG_ERR_LIMIT)
        return no_room(restore, err);
    if (err == SEG_ERR_RECORD_VERSION)
        snprintf(mend, sizeof(mend), "Start the newer segmentd");
    else if (record->topic == BROKER_STATE)
        snprintf(mend, sizeof(mend),
                 "Delete this topic, then `segmentctl topics create`, then "
                 "`segmentctl reset --rebuild`");
    else
        snprintf(mend, sizeof(mend), RESTORE_MEND, record->partition);
    restore_refuse(
        restore,
        "topic %s partition %d: the record at offset %" PRId64
        " cannot be used: %s. %s",
        restore_topic(restore, record->topic, name), record->partition,
        record->offset,
        detail->message[0] ? detail->message : seg_error_sentence(err), mend);
    return RESTORE_BUSY;
}

enum restore_state restore_read_state(struct restore *restore, int work)
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
    if (mend_takes(restore) ? mend_meta(restore) : restore_check_meta(restore))
        restore_enter(restore, RESTORE_MARKS);
    return checked(restore);
}

/* ---- between 2 and 3: where do the logs begin and end? ------------------- */

static int log_count(const struct restore *restore)
{
    return BROKER_OUTPUTS + restore->ledger->options->input_count;
}

/* Dead letters may be deleted by hand or by retention: they are no part of the
 * state. */
static void start_letters(struct restore *restore)
{
    struct restore_log *log = &restore->logs[BROKER_DEAD_LETTERS];
    int64_t from = restore->meta.outputs[2].fold.position;

    restore_log_start(
        log, &(struct meta_mark){from < log->low ? log->low : from, -1, 0, 0},
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

/* A partition nobody has committed before: its start positions. */
enum restore_state restore_find_start(struct restore *restore)
{
    const struct ledger_options *options = restore->ledger->options;
    struct broker *broker = restore->broker;

    for (int i = restore->at; i < options->input_count; i++) {
        const struct restore_log *log = &restore->logs[BROKER_INPUT(i)];
        int64_t *offset = &restore->start[i];
        int answer = BROKER_OK;
        if (options->inputs[i].start_ms == LEDGER_EARLIEST)
            *offset = log->low;
        else if (options->inputs[i].start_ms == LEDGER_LATEST)
            *offset = log->high;
        else
            answer = broker->start_offset(broker->impl, restore->question,
                                          BROKER_INPUT(i),
                                          restore->ledger->partition,
                                          options->inputs[i].start_ms, offset);
        if (answer != BROKER_OK) {
            restore_wait_note(&restore->wait, broker, RESTORE_ASKED_START,
                              BROKER_INPUT(i), answer);
            return RESTORE_WAITS;
        }
        restore->at = i + 1;
    }
    if (!mend_takes(restore)) {
        restore_enter(restore, RESTORE_JUDGE);
        return RESTORE_BUSY;
    }
    mend_start(restore);
    start_logs(restore);
    restore_enter(restore, RESTORE_OUTPUTS);
    return RESTORE_BUSY;
}

enum restore_state restore_ask_marks(struct restore *restore)
{
    int known = 1;

    for (int i = 0; i < log_count(restore); i++)
        if (i != BROKER_TRAITS) /* The last value holds: not read again. */
            known &= restore_log_ask(&restore->logs[i]);
    if (!known)
        return RESTORE_WAITS;
    if (!(mend_takes(restore) ? mend_marks(restore)
                              : restore_check_marks(restore)))
        return checked(restore);
    if (!restore->has_meta ||
        (restore->mend && restore->mend->mode == MEND_REBUILD)) {
        restore_enter(restore, RESTORE_START);
        return RESTORE_BUSY;
    }
    start_logs(restore);
    restore_enter(restore, RESTORE_OUTPUTS);
    return RESTORE_BUSY;
}

/* ---- step 3 -------------------------------------------------------------- */

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
        err = change
                  ? seg_engine_restore_change(engine, &back.restored, detail)
                  : seg_engine_restore_trigger(engine, &back.restored, detail);
    record_back_done(&back);
    if ((err == SEG_ERR_RECORD || err > 0) && mend_takes(restore))
        mend_output(restore, record, err);
    else
        return err;
    return 0;
}

enum restore_state restore_read_outputs(struct restore *restore, int work)
{
    enum restore_log_state read = RESTORE_LOG_END;
    struct seg_error detail = {0};
    struct broker_record record;
    enum restore_state state;
    int err;

    for (; restore->at < META_OUTPUTS; restore->at++) {
        struct restore_log *log = &restore->logs[meta_topic(restore->at)];
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
    if (mend_takes(restore) ? mend_after_meta(restore)
                            : restore_check_after_meta(restore))
        restore_enter(restore, RESTORE_INPUTS);
    return RESTORE_BUSY;
}

/* ---- step 4 -------------------------------------------------------------- */

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

enum restore_state restore_read_inputs(struct restore *restore, int work)
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
