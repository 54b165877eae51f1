/* commit_share.c: life cycle, who takes part, and when a transaction starts. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/protocol/commit_inside.h"
#include "daemon/protocol/mutation.h"
#include "lib/base/alloc.h"

int commit_new(struct commit **ret, const struct commit_options *options)
{
    struct commit *commit = calloc(1, sizeof(*commit));

    if (!commit)
        return SEG_ERR_NOMEM;
    commit->options = *options;
    commit->broker = options->broker;
    commit->phase = RENEW;
    commit->call_ms = SEG_NEVER;
    commit->retry_at_ms = INT64_MIN;
    commit->stats.begun_ms = SEG_NEVER;
    buf_init(&commit->room.meta);
    *ret = commit;
    return 0;
}

void commit_free(struct commit *commit)
{
    if (!commit)
        return;
    buf_done(&commit->room.meta);
    free(commit->shares);
    free(commit->offsets);
    free(commit->metadata);
    free(commit);
}

int commit_add(struct commit *commit, struct ledger *ledger)
{
    void *shares = commit->shares;

    assert(commit->phase == IDLE && ledger->engine);
    if (alloc_grow(&shares, &commit->cap, commit->count + 1,
                   sizeof(*commit->shares)))
        return SEG_ERR_NOMEM;
    commit->shares = shares;
    commit->shares[commit->count++] = (struct share){.ledger = ledger};
    return 0;
}

void commit_take_out(struct commit *commit, struct share *share)
{
    size_t index = (size_t)(share - commit->shares);

    memmove(share, share + 1, (commit->count - index - 1) * sizeof(*share));
    commit->count--;
    /* One that takes no part may leave while others are being produced. */
    if (index < commit->share_at)
        commit->share_at--;
    else if (index == commit->share_at)
        commit->record_at = 0;
}

int commit_any_in(const struct commit *commit)
{
    for (size_t i = 0; i < commit->count; i++)
        if (commit->shares[i].in)
            return 1;
    return 0;
}

/* ---- leaving ----------------------------------------------------------- */

/* Whether SHARE, not in the transaction, has nothing that Kafka lacks (dirty
 * users aside: they can be made again). */
static int is_committed(const struct share *share)
{
    const struct ledger *ledger = share->ledger;
    size_t outputs;

    if (!ledger->engine || ledger->broken.code)
        return 0;
    seg_engine_outputs(ledger->engine, &outputs);
    return !outputs && ledger->committed.txn && !ledger->outbox.count &&
           ledger->moved_ms == SEG_NEVER;
}

/* SHARE leaves the transaction; it takes the name of the attempt along. */
static int leave(struct commit *commit, struct share *share, int64_t now_ms)
{
    struct meta_offsets before = share->ledger->committed;
    int asked = commit->asked;

    if (!commit->unsettled)
        share_delivered(share, commit->broker);
    share_committed(share, now_ms);
    if (MUTATED(FAILED_FINISH_KEEPS_OLD_TAG)) {
        share->ledger->committed = before;
        return 1;
    }
    return asked;
}

/* What was produced of a partition that left cannot be taken out. */
static void give_up(struct commit *commit)
{
    switch (commit->phase) {
    case PRODUCE:
        if (!MUTATED(LOST_RECORDS_STAY))
            commit_enter(commit, ABORT);
        break;
    case OFFSETS:
    case COMMIT:
        if (MUTATED(LOST_RECORDS_STAY))
            break;
        if (commit->again)
            commit_unknown(commit);
        else
            commit_enter(commit, ABORT);
        break;
    case BEGIN:
    case BACKOFF:
        if (!commit_any_in(commit))
            commit_enter(commit, SETTLE);
        break;
    case RENEW:
    case RESOLVE:
    case SETTLE:
    case ABORT:
    case SUSPECT:
    case FENCED:
    case IDLE:
        break;
    }
}

int commit_remove(struct commit *commit, struct ledger *ledger, int keep,
                  int64_t now_ms)
{
    size_t i = 0;
    int was_in, kept;

    while (i < commit->count && commit->shares[i].ledger != ledger)
        i++;
    if (i == commit->count)
        return 0;
    was_in = commit->shares[i].in;
    kept = was_in ? leave(commit, &commit->shares[i], now_ms)
                  : is_committed(&commit->shares[i]);
    commit_take_out(commit, &commit->shares[i]);
    if (was_in)
        give_up(commit);
    return keep && kept;
}

/* ---- when to start ----------------------------------------------------- */

static int64_t linger_ms(const struct commit *commit, enum commit_load load)
{
    switch (load) {
    case COMMIT_LOAD_IDLE:
        return commit->options.linger_idle_ms;
    case COMMIT_LOAD_BUSY:
        return commit->options.linger_busy_ms;
    case COMMIT_LOAD_BEHIND:
        return commit->options.linger_behind_ms;
    }
    return 0;
}

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t commit_due_ms(const struct commit *commit, enum commit_load load)
{
    int64_t due_ms = SEG_NEVER, linger = linger_ms(commit, load);
    size_t bytes = 0;

    for (size_t i = 0; i < commit->count; i++) {
        const struct ledger *ledger = commit->shares[i].ledger;
        if (ledger->broken.code)
            continue; /* Takes no part, see commit_start. */
        if (ledger->outbox.count)
            due_ms = min_ms(due_ms, ledger->outbox.first_ms + linger);
        if (ledger->moved_ms != SEG_NEVER)
            due_ms = min_ms(due_ms, ledger->moved_ms +
                                        commit->options.transaction_age_ms);
        due_ms = min_ms(due_ms, flush_due_ms(ledger));
        bytes += outbox_bytes(&ledger->outbox);
        if (commit->all &&
            (ledger_has_news(ledger) || seg_engine_dirty_count(ledger->engine)))
            return INT64_MIN;
    }
    return bytes > commit->options.outbox_bytes ? INT64_MIN : due_ms;
}

void commit_start(struct commit *commit, int64_t now_ms)
{
    size_t next = commit->turn;
    int taken = 0;

    assert(commit->phase == IDLE);
    for (size_t n = 0; n < commit->count; n++) {
        size_t i = (commit->turn + n) % commit->count;
        struct share *share = &commit->shares[i];
        struct ledger *ledger = share->ledger;
        share->users = 0;
        share->in = 0;
        /* Positions without their outputs would be no cut. */
        if (ledger_drain(ledger, now_ms) < 0 || ledger->broken.code)
            continue;
        if (!taken || commit->all || !ledger->options->flush_interval_ms)
            share->users = flush_count(ledger, now_ms, commit->all);
        if (share->users && !taken)
            next = i + 1;
        taken |= share->users > 0;
        share->with_meta = share->users || ledger->flush.meta_due;
        share->with_catalogue =
            share->with_meta && ledger->catalogue_due &&
            !(MUTATED(CATALOGUE_NOT_WRITTEN) && ledger->committed.txn);
        if (MUTATED(NO_META_BEFORE_FIRST_FLUSH))
            share->with_meta = share->users > 0;
        share->in = ledger_has_news(ledger) || share->users;
    }
    commit->turn = next;
    commit->lost = 0;
    if (commit_any_in(commit))
        commit_enter(commit, BEGIN);
}

void commit_flush_all(struct commit *commit, int all)
{
    commit->all = all;
}

void commit_stats(const struct commit *commit, struct commit_stats *stats)
{
    *stats = commit->stats;
    stats->undecided =
        commit_any_in(commit) &&
        (commit->unsettled || (commit->phase == COMMIT && commit->again));
}

const char *commit_phase_name(const struct commit *commit)
{
    static const char *const names[] = {
        "renew",  "resolve", "idle",  "begin",   "produce", "send_offsets",
        "commit", "settle",  "abort", "backoff", "suspect", "fenced"};

    return names[commit->phase];
}
