/* commit.c: exactly once, step by step.
 *
 * What a transaction holds. Everything a worker writes goes out in transactions
 * of its one producer. A transaction holds, for each partition that takes part:
 *
 *     outbox    changes, triggers, dead letters: what was decided since the
 *               last
 *     slice     records of users who have been dirty for long, and with them
 *               the meta record: where a restore must begin (flush.c)
 *     offsets   of ALL inputs, with metadata v1:<txn>:<clock>:<tag>, also when
 *               only timers fired: only offsets are fenced by the group
 *
 * The three are one cut: the state after the last record applied. From the
 * start of the first attempt until the outcome is known nothing is applied, so
 * that each attempt sends the same; only the tag, drawn per attempt, differs.
 *
 *             start                     all records are queued
 *     IDLE ----------> BEGIN -> PRODUCE ----------------------> OFFSETS
 *      ^  ^              ^          |                              |
 *      |  | not slow     |          | abort, refused, lost         v
 *      |  SETTLE <-------|----------|--------------------------- COMMIT
 *      |    | slow       |          v                              |
 *      |    |         BACKOFF <-- ABORT --+                        | fatal,
 *      |    v            ^                |                        | fenced,
 *      |  RENEW <--------|----------------+------------------------+ too slow
 *      |    |            | not ours
 *      +----+-------> RESOLVE: are the offsets committed ours, by txn and tag?
 *                        | ours: as if the commit had said so
 *                        +-----> IDLE
 *
 * What happens when we are killed (or thrown out, for ever) after each step:
 *
 *   before PRODUCE   Nothing was written. The state of memory is lost; whoever
 *                    restores starts from the last cut, reads the same input
 *                    again and decides the same.
 *   in PRODUCE,      An open transaction remains. The next producer with our
 *   OFFSETS          transactional id (renew), or its time-out, aborts it: its
 *                    records are never seen by a read_committed reader. Offsets
 *                    that are pending are waited out by whoever restores. As
 *                    above then.
 *   in COMMIT        The coordinator has decided, or not. Decided: markers
 *                    follow whatever becomes of us; a restore waits for the
 *                    offsets, sees txn and tag of this cut, and folds changes
 *                    and triggers up to the read_uncommitted end, so it sees
 *                    all of them. Not decided: as above.
 *   after COMMIT     The cut is in Kafka. What was cleared in memory is not
 *                    needed by anyone.
 *
 * So a cut becomes visible whole or not at all, and the next cut is decided
 * from the state that belongs to exactly this one. That leaves two ways to
 * write something twice, each closed by one rule:
 *
 *   A zombie, stopped and continued after its partition went to somebody else.
 *   Its group generation is old: send_offsets answers LOST, and there is no
 *   transaction without offsets. If its offsets were accepted before, then the
 *   new owner saw them pending and waited for the end of this transaction,
 *   which its restore then found in the outputs.
 *
 *   An outcome that is not known (a fatal error, a commit that took too long).
 *   The producer is destroyed and made again: init_transactions settles the old
 *   transaction and raises the epoch, so that a request still under way is
 *   void. Then the committed offsets tell. Comparing txn is not enough: another
 *   owner's transaction may have the same number; so the tag. And a producer
 *   whose call was merely slow is replaced too: its request may have been sent
 *   twice, and the second EndTxn would decide the next transaction.
 *
 * An abort undoes nothing: outbox and dirty marks are as they were. A partition
 * lost meanwhile takes its records along: they cannot be taken out of an open
 * transaction, so that is aborted first, then its ledger leaves, and the rest
 * is sent again. A partition revoked while an attempt is undecided keeps its
 * state under the txn and tag of that attempt: when it comes back, the
 * committed offsets say whether the state is that of Kafka. */
#include "daemon/protocol/commit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/fail.h"
#include "daemon/protocol/commit_inside.h"
#include "daemon/protocol/mutation.h"
#include "lib/base/alloc.h"

enum { POLL_MS = 5 }; /* Between two looks for an answer. */

/* Somebody else has the partition: nothing of ours is worth anything. */
static void drop(struct commit *commit, struct share *share)
{
    struct ledger *ledger = share->ledger;

    commit_take_out(commit, share);
    if (MUTATED(CACHED_AFTER_LOST)) {
        outbox_clear(&ledger->outbox);
        ledger->moved_ms = SEG_NEVER;
    } else {
        ledger_drop(ledger);
    }
    ledger->lost = 1;
}

/* ---- what an answer means ---------------------------------------------- */

void commit_enter(struct commit *commit, enum commit_phase phase)
{
    commit->phase = phase;
    commit->again = 0;
}

static void enter_backoff(struct commit *commit, enum commit_phase phase,
                          int64_t now_ms)
{
    int64_t *retry_ms = &commit->retry_ms;

    *retry_ms = *retry_ms ? 2 * *retry_ms : commit->options.retry_ms;
    if (*retry_ms > commit->options.retry_max_ms)
        *retry_ms = commit->options.retry_max_ms;
    commit->retry_at_ms = now_ms + *retry_ms;
    commit_enter(commit, phase);
}

/* The producer is asked for the last time what it delivered. */
static void note_delivered(struct commit *commit)
{
    for (size_t i = 0; i < commit->count; i++)
        if (commit->shares[i].in)
            share_delivered(&commit->shares[i], commit->broker);
}

void commit_unknown(struct commit *commit)
{
    if (!commit->unsettled && commit_any_in(commit)) {
        note_delivered(commit);
        commit->stats.unknown++;
    }
    commit->unsettled = 1;
    commit_enter(commit, RENEW);
}

/* A call of the producer has failed with ANSWER. */
static void failed(struct commit *commit, int answer)
{
    switch ((enum broker_answer)answer) {
    case BROKER_LOST:
        commit->lost = 1;
        commit->stats.lost++;
        commit_enter(commit, ABORT);
        return;
    case BROKER_FATAL:
        commit_unknown(commit);
        return;
    case BROKER_FENCED:
        commit_enter(commit, SUSPECT);
        return;
    case BROKER_ABORT:
    case BROKER_REFUSED:
    case BROKER_GONE:
        commit_enter(commit, ABORT);
        return;
    case BROKER_OK:
    case BROKER_AGAIN:
        break;
    }
    assert(!"an answer that is no failure");
}

/* Note when a call that may take long begins; whether it has been given up. */
static int overdue(struct commit *commit, int64_t now_ms)
{
    if (commit->call_ms == SEG_NEVER)
        commit->call_ms = now_ms;
    return now_ms - commit->call_ms >= commit->options.deadline_ms;
}

/* At the start of a turn: how long did the last call take? Time is an argument,
 * so only now can we tell. */
static void judge_call(struct commit *commit, int64_t now_ms)
{
    if (commit->call_ms != SEG_NEVER &&
        now_ms - commit->call_ms >= commit->options.slow_ms)
        commit->slow = 1;
    if (!commit->again)
        commit->call_ms = SEG_NEVER;
}

/* ---- the transaction --------------------------------------------------- */

static void success(struct commit *commit, struct share *share, int64_t now_ms)
{
    commit->stats.records += share->ledger->outbox.count;
    commit->stats.users += share->users;
    share_committed(share, now_ms);
}

static void ended(struct commit *commit, int64_t now_ms)
{
    if (commit->stats.begun_ms != SEG_NEVER)
        commit->stats.last_ms = now_ms - commit->stats.begun_ms;
    commit->stats.begun_ms = SEG_NEVER;
    commit->open = 0;
    commit->asked = 0;
}

static void begin(struct commit *commit, int64_t now_ms)
{
    struct broker *broker = commit->broker;
    uint64_t tag = broker->random(broker->impl);
    int answer;

    /* The attempt has its name before anything can fail: the one before is
     * committed, and must not be taken for this. */
    for (size_t i = 0; i < commit->count; i++)
        if (commit->shares[i].in)
            share_begin(&commit->shares[i], tag);
    commit->share_at = commit->record_at = 0;
    commit->asked = 0;
    commit->stats.begun_ms = now_ms;
    answer = broker->begin(broker->impl);
    if (answer != BROKER_OK) {
        failed(commit, answer);
        return;
    }
    commit->open = 1;
    commit_enter(commit, PRODUCE);
}

/* Produce what is left of SHARE. Returns an answer. */
static int produce_share(struct commit *commit, struct share *share,
                         int64_t now_ms)
{
    struct broker *broker = commit->broker;
    struct broker_record record;
    int more, answer;

    while ((more = share_record(share, commit->record_at, &commit->room,
                                &record)) > 0) {
        record.partition = share->ledger->partition;
        record.timestamp_ms = now_ms;
        answer = broker->produce(broker->impl, &record);
        if (answer != BROKER_OK)
            return answer;
        share_produced(share, &record);
        commit->record_at++;
    }
    if (share->users && FAIL_POINT(FLUSH))
        return BROKER_ABORT;
    return more < 0 ? BROKER_ABORT : BROKER_OK;
}

static void produce(struct commit *commit, int64_t now_ms)
{
    int answer;

    for (; commit->share_at < commit->count;
         commit->share_at++, commit->record_at = 0) {
        struct share *share = &commit->shares[commit->share_at];
        if (!share->in)
            continue;
        answer = produce_share(commit, share, now_ms);
        if (answer == BROKER_AGAIN)
            return;
        if (answer != BROKER_OK) {
            failed(commit, answer);
            return;
        }
        if (MUTATED(FLUSHED_BEFORE_COMMIT)) {
            seg_engine_flushed(share->ledger->engine, share->users);
            share->users = 0;
        }
    }
    commit_enter(commit, OFFSETS);
}

/* The offsets of all inputs of SHARE into commit->offsets from COUNT on. */
static int add_offsets(struct commit *commit, const struct share *share,
                       size_t *count)
{
    const struct ledger *ledger = share->ledger;
    size_t inputs = (size_t)ledger->options->input_count;
    void *offsets = commit->offsets, *metadata = commit->metadata;
    int err = alloc_grow(&offsets, &commit->offsets_cap, *count + inputs,
                         sizeof(*commit->offsets));

    commit->offsets = offsets;
    if (err || *count + inputs > commit->metadata_cap)
        err = err ? err
                  : alloc_grow(&metadata, &commit->metadata_cap,
                               *count + inputs, sizeof(*commit->metadata));
    commit->metadata = metadata;
    if (err)
        return err;
    for (size_t i = 0; i < inputs; i++, ++*count) {
        meta_offsets_write(commit->metadata[*count], &share->offsets);
        commit->offsets[*count] = (struct broker_offset){
            (int)i, ledger->partition, ledger->inputs[i].position, NULL};
    }
    return 0;
}

static int is_timers_only(const struct share *share)
{
    return share->ledger->moved_ms == SEG_NEVER && !share->with_meta;
}

static void send_offsets(struct commit *commit, int64_t now_ms)
{
    struct broker *broker = commit->broker;
    size_t count = 0;
    int answer, late = overdue(commit, now_ms);

    for (size_t i = 0; i < commit->count; i++) {
        const struct share *share = &commit->shares[i];
        if (!share->in ||
            (MUTATED(TIMERS_WITHOUT_OFFSETS) && is_timers_only(share)))
            continue;
        if (add_offsets(commit, share, &count)) {
            commit_enter(commit, ABORT);
            return;
        }
    }
    for (size_t i = 0; i < count; i++)
        commit->offsets[i].metadata = commit->metadata[i];
    answer =
        count ? broker->send_offsets(broker->impl, commit->offsets, (int)count)
              : BROKER_OK;
    commit->again = answer == BROKER_AGAIN;
    if (answer == BROKER_OK)
        commit_enter(commit, COMMIT);
    else if (answer != BROKER_AGAIN)
        failed(commit, answer);
    else if (late)
        commit_unknown(commit);
}

static void ask_commit(struct commit *commit, int64_t now_ms)
{
    struct broker *broker = commit->broker;
    int answer, late = overdue(commit, now_ms);

    commit->asked = 1;
    answer = broker->commit(broker->impl);
    commit->again = answer == BROKER_AGAIN;
    if (answer == BROKER_AGAIN) {
        if (late)
            commit_unknown(commit);
        return;
    }
    if (answer != BROKER_OK) {
        failed(commit, answer);
        return;
    }
    note_delivered(commit);
    for (size_t i = 0; i < commit->count; i++)
        if (commit->shares[i].in)
            success(commit, &commit->shares[i], now_ms);
    commit->stats.committed++;
    commit->retry_ms = 0;
    ended(commit, now_ms);
    (void)FAIL_POINT(AFTER_ACK);
    commit_enter(commit, SETTLE);
}

/* ---- when it goes wrong ------------------------------------------------ */

/* The transaction is certainly over and not committed. */
static void aborted(struct commit *commit, int64_t now_ms)
{
    ended(commit, now_ms);
    commit->stats.aborted++;
    if (commit->lost) {
        commit->lost = 0;
        while (commit->count)
            drop(commit, &commit->shares[0]);
        commit->told = 1;
        commit_enter(commit, SETTLE);
        return;
    }
    if (MUTATED(OUTBOX_DROPPED_ON_ABORT))
        for (size_t i = 0; i < commit->count; i++) {
            outbox_clear(&commit->shares[i].ledger->outbox);
            commit->shares[i].in = 0;
        }
    if (commit_any_in(commit))
        enter_backoff(commit, BACKOFF, now_ms);
    else
        commit_enter(commit, SETTLE);
}

static void ask_abort(struct commit *commit, int64_t now_ms)
{
    struct broker *broker = commit->broker;
    int answer, late = overdue(commit, now_ms);

    if (!commit->open) {
        aborted(commit, now_ms);
        return;
    }
    answer = broker->abort(broker->impl);
    commit->again = answer == BROKER_AGAIN;
    if (answer == BROKER_OK)
        aborted(commit, now_ms);
    else if (answer == BROKER_FENCED)
        commit_enter(commit, SUSPECT);
    else if (answer != BROKER_AGAIN || late)
        commit_unknown(commit);
}

/* The outcome is settled, and there is a producer. */
static void settled(struct commit *commit, int64_t now_ms)
{
    int over = commit->unsettled;

    commit->unsettled = 0;
    commit->slow = 0;
    if (commit->lost || (over && commit_any_in(commit))) {
        aborted(commit, now_ms);
    } else {
        ended(commit, now_ms);
        commit_enter(commit, commit_any_in(commit) ? BEGIN : SETTLE);
    }
}

static void renew(struct commit *commit, int64_t now_ms)
{
    struct broker *broker = commit->broker;
    int answer = BROKER_FATAL;

    if (MUTATED(PRODUCER_NOT_REPLACED) && commit->stats.renewed)
        answer = broker->abort(broker->impl);
    if (answer == BROKER_FATAL || answer == BROKER_FENCED)
        answer = broker->renew(broker->impl);
    if (answer == BROKER_AGAIN)
        return;
    if (answer == BROKER_FENCED) {
        commit_enter(commit, FENCED);
        return;
    }
    if (answer != BROKER_OK) {
        enter_backoff(commit, RENEW, now_ms);
        return;
    }
    commit->stats.renewed++;
    commit->open = 0;
    if (commit->unsettled && !commit->lost && commit_any_in(commit)) {
        commit->question = broker_question(broker);
        commit_enter(commit, RESOLVE);
    } else {
        settled(commit, now_ms);
    }
}

/* All verdicts are there. A transaction is one: if it is ours for one
 * partition, another that says otherwise has gone to somebody else. */
static void judge(struct commit *commit, int64_t now_ms)
{
    int ours = 0;

    for (size_t i = 0; i < commit->count; i++)
        ours |= commit->shares[i].in && commit->shares[i].verdict == SHARE_OURS;
    if (ours) {
        commit->stats.committed++;
        commit->stats.unknown_ours++;
    }
    for (size_t i = commit->count; i-- > 0;) {
        struct share *share = &commit->shares[i];
        if (!share->in)
            continue;
        if (share->verdict == SHARE_OURS)
            success(commit, share, now_ms);
        else if (share->verdict == SHARE_FOREIGN || ours)
            drop(commit, share);
    }
    settled(commit, now_ms);
}

static void resolve(struct commit *commit, int64_t now_ms)
{
    struct broker *broker = commit->broker;
    struct broker_committed committed[SEG_TOPICS_MAX];

    for (size_t i = 0; i < commit->count; i++) {
        struct share *share = &commit->shares[i];
        if (!share->in || share->verdict != SHARE_UNKNOWN)
            continue;
        if (broker->committed(broker->impl, commit->question,
                              share->ledger->partition,
                              committed) != BROKER_OK) {
            commit->retry_at_ms = now_ms + POLL_MS;
            return;
        }
        share->verdict = share_judge(share, &committed[0]);
    }
    judge(commit, now_ms);
}

/* The epoch of our transactional id was raised. If our transaction was old
 * enough for the coordinator to have given it up, that was it; else it was
 * another process of our name. Asked a turn later, when time is told anew: we
 * may have been stopped for an hour inside the call that was fenced. */
static void suspect(struct commit *commit, int64_t now_ms)
{
    int64_t begun_ms = commit->stats.begun_ms;

    if (begun_ms != SEG_NEVER &&
        now_ms - begun_ms >= commit->options.transaction_timeout_ms)
        commit_unknown(commit);
    else
        commit_enter(commit, FENCED);
}

/* ---- turns ------------------------------------------------------------- */

static void step(struct commit *commit, int64_t now_ms)
{
    switch (commit->phase) {
    case RENEW:
        if (now_ms >= commit->retry_at_ms)
            renew(commit, now_ms);
        break;
    case RESOLVE:
        resolve(commit, now_ms);
        break;
    case BEGIN:
        begin(commit, now_ms);
        break;
    case PRODUCE:
        produce(commit, now_ms);
        break;
    case OFFSETS:
        send_offsets(commit, now_ms);
        break;
    case COMMIT:
        ask_commit(commit, now_ms);
        break;
    case SETTLE:
        commit_enter(commit, IDLE);
        if (commit->slow)
            commit_unknown(commit);
        break;
    case ABORT:
        ask_abort(commit, now_ms);
        break;
    case BACKOFF:
        if (now_ms >= commit->retry_at_ms && !FAIL_POINT(RESEND))
            commit_enter(commit, commit->slow ? RENEW : BEGIN);
        break;
    case SUSPECT:
        suspect(commit, now_ms);
        break;
    case IDLE:
    case FENCED:
        break;
    }
}

enum commit_state commit_turn(struct commit *commit, int64_t now_ms)
{
    judge_call(commit, now_ms);
    step(commit, now_ms);
    if (commit->phase == IDLE && commit->told) {
        commit->told = 0;
        return COMMIT_LOST;
    }
    return commit_state(commit);
}

enum commit_state commit_state(const struct commit *commit)
{
    if (commit->phase == FENCED)
        return COMMIT_FENCED;
    return commit->phase == IDLE ? COMMIT_IDLE : COMMIT_BUSY;
}

int64_t commit_wait_ms(const struct commit *commit)
{
    return commit->phase == BACKOFF || commit->phase == RENEW ||
                   commit->phase == RESOLVE
               ? commit->retry_at_ms
               : INT64_MIN;
}
