/* restore.c: the six steps.
 *
 *   (1) committed offsets of the partition, with txn, clock and tag in their
 *       metadata; pending ones are waited out. A state kept from before with
 *       the same txn and tag is used as it is, and we are done.
 *   (2) the state topic, up to its read_uncommitted end: user records, and the
 *       meta record, which says from where to fold again.
 *   (3) changes and triggers, from the meta record's positions to their ends:
 *       memberships, seq and trigger history. What a user record has already
 *       is skipped; a gap in a user's seq is refused. Dead letters: which
 *       events were refused (refused.h).
 *   (4) the inputs, from the redo positions to the committed offsets, merged
 *       as they were: events and attributes are folded, nobody is judged. What
 *       a user record has already is skipped.
 *   (5) once, at the stored clock: everybody touched by (3) and (4) or due by
 *       then is judged. Memberships and features must agree; a difference is
 *       put out as a repair and counted.
 *   (6) the committed offsets again. If they moved, a zombie of ours or of the
 *       owner before was in between: all we read is of different moments,
 *       begin again at (1). Only now does a refusal stand.
 *
 * Why the two ends fit together. The committed offsets (1) name one cut. All
 * outputs of that cut and before were appended before its offsets became
 * visible or have their markers pending in the same transaction; in both cases
 * they lie below the read_uncommitted ends asked for in (2) and (3), after (1).
 * Whoever commits later moves the offsets, which (6) sees; and nobody commits
 * for this partition after (6) but us: others are fenced by the group.
 *
 * A refusal names topic, partition, the two numbers that disagree and the
 * command that mends it. Nothing is ever guessed: a partition that would lose
 * or double something stops. That command makes the same restore, told to take
 * what there is (mend.h). */
#include "daemon/protocol/restore.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/fail.h"
#include "daemon/protocol/merge.h"
#include "daemon/protocol/mutation.h"
#include "daemon/protocol/restore_inside.h"

int restore_new(struct restore **ret, struct broker *broker,
                struct ledger *ledger)
{
    struct restore *restore = calloc(1, sizeof(*restore));

    if (!restore)
        return SEG_ERR_NOMEM;
    restore->broker = broker;
    restore->ledger = ledger;
    buf_init(&restore->catalogue_bytes);
    buf_init(&restore->meta_bytes);
    restore->since_ms = INT64_MIN;
    for (int i = 0; i < SEG_TOPICS_MAX; i++)
        restore->committed[i].offset = -1;
    restore_enter(restore, RESTORE_BEGIN);
    *ret = restore;
    return 0;
}

void restore_mend(struct restore *restore, struct mend *mend)
{
    restore->mend = mend;
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
    buf_done(&restore->catalogue_bytes);
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

/* ---- step 1 -------------------------------------------------------------- */

/* Forget what was read; an engine to fold into. */
static enum restore_state blank(struct restore *restore)
{
    struct ledger *ledger = restore->ledger;

    close_logs(restore);
    for (int i = 0; i < RESTORE_LOGS; i++)
        restore_log_init(&restore->logs[i], restore->broker, &restore->wait, i,
                         ledger->partition);
    buf_reset(&restore->catalogue_bytes);
    buf_reset(&restore->meta_bytes);
    restore->has_meta = 0;
    restore->refusal = (struct seg_error){0};
    memset(restore->own, 0, sizeof(restore->own));
    refused_reset(&restore->refused);
    for (int i = 0; i < SEG_TOPICS_MAX; i++)
        restore->heads[i] = (struct merge_head){0, 0, INT64_MIN};
    if (ledger_reset(ledger, MUTATED(STEP5_AT_META_CLOCK)
                                 ? 0
                                 : restore->offsets.clock_ms)) {
        restore_enter(restore, RESTORE_BEGIN);
        return RESTORE_NO_ROOM;
    }
    restore_enter(restore, RESTORE_STATE);
    return RESTORE_BUSY;
}

static int is_kept(const struct restore *restore)
{
    const struct ledger *ledger = restore->ledger;

    if (!ledger->engine || !ledger->committed.txn)
        return 0;
    return MUTATED(WARM_NOT_COMPARED) ||
           (ledger->committed.txn == restore->offsets.txn &&
            (ledger->committed.tag == restore->offsets.tag ||
             MUTATED(TAG_NOT_COMPARED)));
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
    if (restore->mend)
        mend_begin(restore);
    if (!(mend_takes(restore) ? mend_committed(restore)
                              : restore_check_committed(restore)))
        return RESTORE_BUSY;
    if (is_kept(restore)) {
        restore->stats.warm = 1;
        return RESTORE_DONE;
    }
    return blank(restore);
}

/* ---- steps 5 and 6 ------------------------------------------------------- */

static enum restore_state judge(struct restore *restore, int work)
{
    int64_t clock_ms = MUTATED(STEP5_AT_META_CLOCK) && restore->has_meta
                           ? restore->meta.offsets.clock_ms
                           : restore->offsets.clock_ms;
    int more = 0;

    if (restore->mend && !restore->at++)
        more = mend_judge(restore);
    if (more == 0)
        more =
            seg_engine_restore_finish(restore->ledger->engine, clock_ms, work);

    if (more == SEG_ERR_RECORD) {
        restore_refuse(restore,
                       "partition %d: users are in a segment that neither the "
                       "catalogue nor the changes name. " RESTORE_MEND_REBUILD,
                       restore->ledger->partition, restore->ledger->partition);
        return RESTORE_BUSY;
    }
    if (more < 0) {
        restore_enter(restore, RESTORE_BEGIN);
        return RESTORE_NO_ROOM;
    }
    if (!more)
        restore_enter(restore, RESTORE_RECHECK);
    return RESTORE_BUSY;
}

/* The ledger of a partition that is all there. */
static void seal(struct restore *restore, int64_t now_ms)
{
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
        const struct restore_log *log = &restore->logs[meta_topic(i)];
        struct meta_mark *mark = &ledger->outputs[i];
        *mark = old && i < 2 ? log->last : (struct meta_mark){0, -1, 0, 0};
        mark->position = log->high;
        outputs[i] = old ? meta->outputs[i].fold : *mark;
    }
    ledger->incarnation = old ? meta->incarnation
                              : restore->broker->random(restore->broker->impl);
    ledger->committed = restore->offsets;
    for (int i = 0; restore->mend && i < ledger->options->input_count; i++)
        if (restore->mend->to[i] >= 0)
            ledger->inputs[i] =
                (struct meta_mark){restore->mend->to[i], -1, 0, 0};
    flush_start(ledger, inputs, outputs, now_ms);
    ledger->catalogue_due =
        !old || restore->mend || meta->version != ledger->state_version ||
        strcmp(meta->catalogue, seg_catalogue_hash(ledger->catalogue)) != 0;
    ledger->flush.meta_due = ledger->catalogue_due || restore->offsets_gone;
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
        return RESTORE_REFUSED;
    }
    seal(restore, now_ms);
    ledger_drain(ledger, now_ms);
    return RESTORE_DONE;
}

static enum restore_state step(struct restore *restore, int64_t now_ms,
                               int work)
{
    switch (restore->step) {
    case RESTORE_BEGIN:
        return begin(restore);
    case RESTORE_STATE:
        return restore_read_state(restore, work);
    case RESTORE_MARKS:
        return restore_ask_marks(restore);
    case RESTORE_START:
        return restore_find_start(restore);
    case RESTORE_OUTPUTS:
        return restore_read_outputs(restore, work);
    case RESTORE_INPUTS:
        return restore_read_inputs(restore, work);
    case RESTORE_JUDGE:
        return judge(restore, work);
    case RESTORE_RECHECK:
        return recheck(restore, now_ms);
    }
    return RESTORE_WAITS;
}

/* Grows with all that is done within a step. */
static int64_t done_so_far(const struct restore *restore)
{
    int64_t done = restore->at;

    for (int i = 0; i < RESTORE_LOGS; i++)
        done += restore->logs[i].known + restore->logs[i].position;
    return done;
}

enum restore_state restore_turn(struct restore *restore, int64_t now_ms,
                                int work)
{
    enum restore_step before = restore->step;
    int64_t done = done_so_far(restore);
    enum restore_state state;

    restore->wait.noted = 0;
    state = step(restore, now_ms, work);
    if (state != RESTORE_WAITS || restore->step != before ||
        done_so_far(restore) != done || restore->since_ms == INT64_MIN) {
        restore->since_ms = now_ms;
        if (!restore->wait.noted)
            restore->wait = (struct restore_wait){0};
    }
    return state;
}

/* The names of all inputs. */
static void name_inputs(const struct restore *restore, char *out, size_t size)
{
    const struct ledger_options *options = restore->ledger->options;
    size_t len = 0;

    *out = '\0';
    for (int i = 0; i < options->input_count && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s", i ? ", " : "",
                                options->inputs[i].topic);
}

void restore_waits(const struct restore *restore, struct restore_waits *waits)
{
    static const char *const asked[] = {
        [RESTORE_ASKED_NOTHING] = "nothing",
        [RESTORE_ASKED_COMMITTED] = "committed offsets",
        [RESTORE_ASKED_ENDS] = "first and last offset",
        [RESTORE_ASKED_START] = "offset to start at",
        [RESTORE_ASKED_RECORDS] = "records",
    };
    const struct restore_wait *wait = &restore->wait;
    struct restore_stats stats;
    char name[RESTORE_NAME_BYTES];

    restore_stats(restore, &stats);
    *waits = (struct restore_waits){
        .step = stats.step,
        .asked = asked[wait->asked],
        .from = wait->from,
        .until = wait->until,
        .answer = broker_answer_name(wait->answer),
        .why = wait->why,
        .since_ms = restore->since_ms,
    };
    if (wait->asked == RESTORE_ASKED_COMMITTED)
        name_inputs(restore, waits->topic, sizeof(waits->topic));
    else if (wait->asked != RESTORE_ASKED_NOTHING)
        snprintf(waits->topic, sizeof(waits->topic), "%s",
                 restore_topic(restore, wait->topic, name));
}

int restore_position(const struct restore *restore, int input,
                     int64_t *position, int64_t *clock_ms)
{
    *position = restore->committed[input].offset;
    *clock_ms = restore->offsets.txn ? restore->offsets.clock_ms : -1;
    return *position >= 0;
}

void restore_stats(const struct restore *restore, struct restore_stats *stats)
{
    static const int steps[] = {1, 2, 3, 3, 3, 4, 5, 6};

    *stats = restore->stats;
    stats->step = steps[restore->step];
}
