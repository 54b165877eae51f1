/* sequence.c: whether a user did one thing, then another.
 *
 * Events may arrive late, and a late one may be what forbids a match, or makes
 * one. So there are two parts: what older events came to, as attempts
 * (attempts.h), and behind it, in the order of events, those themselves that a
 * late one may still come before:
 *
 *       frozen            frontier            tail
 *     attempts at            |    A      B   .   A     C
 *     the frontier           |----x------x-------x-----x----> time
 *                            |               ^         ^ M, the newest
 *                       M - lateness      a late event is put at its place
 *
 * To ask is to let the tail happen to a copy of the frozen attempts; where the
 * tail is long, what that gave is kept as *live* attempts, to which an event in
 * order happens as well. The frontier is `lateness` before the newest event of
 * this user here, not before the clock: an event that is no later than that
 * when it arrives is never before the frontier, for the newest event is not
 * after the clock; and so the state is the same in whatever order the events
 * came. What passes the frontier happens to the frozen attempts and is
 * forgotten.
 *
 * A restore reads events again at a later clock, those from the future not in
 * their turn: until it has all of them nothing is late, and nothing passes.
 *
 * What can be left out, and why nothing changes:
 *
 *   a frozen attempt whose next step, or whose window, is over; one that
 *     another dominates        attempts.h
 *   an event as old as the window is long, of whatever step
 *                              all steps of a match are behind its first event,
 *                              which would be at least as old
 *   an event before the first date of `since` or `between`     likewise
 *   of a sequence that only grows (nothing forbidden, attempts.h), everything
 *     before the first event of the latest match
 *                              that match stays, and what begins before it
 *                              leaves the window first
 *   everything, once a match of a sequence without a window is there for good:
 *     it is *settled*
 *
 * The bounds: SEQUENCE_ATTEMPTS_MAX attempts, and up to ROOM of them; of more
 * the oldest are given up;
 * SEQUENCE_TAIL_MAX events, of more the oldest pass the frontier early, and the
 * *edge* says how far: a late event before it comes too late. One that comes
 * too late takes back what it forbids, or may, and makes a match only of a
 * sequence that only grows: no bound ever makes a match that is none, but what is
 * settled stays. A user beyond a bound is coarse. */
#include "lib/user/sequence.h"

#include <string.h>

#include "lib/user/sequence_state.h"

/* ---- one event ---------------------------------------------------------- */

/* FOLD as FEATURE sees it; no roles: not at all. */
static struct seen seen_of(const struct feature *feature,
                           const struct fold *fold)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    struct seen seen = {.time_ms = fold->time_ms,
                        .stamp = fold->stamp,
                        .roles = fold->roles & sequence_roles(sequence)};
    uint32_t keyless = 0;
    if (fold->time_ms < feature->after_ms)
        seen.roles = 0;
    if (fold->time_ms > feature->before_ms)
        seen.roles &= ~UINT32_C(1);
    if (!sequence->same)
        return seen;
    if (sequence->no_between != FEATURE_NO_ROLE)
        keyless |= UINT32_C(1) << sequence->no_between;
    if (sequence->activity != FEATURE_NO_ROLE)
        keyless |= UINT32_C(1) << sequence->activity;
    seen.same = fold->same;
    seen.roles &= fold->same ? UINT32_MAX : keyless;
    return seen;
}

/* Leave out what is as old as the window is long. Returns 1 if anything was. */
static int expire(struct sequence_state *state, const struct feature *feature,
                  int64_t now_ms)
{
    uint32_t gone = 0;
    uint32_t frozen = state->frozen.count;
    if (feature->from_ms == FEATURE_LIFETIME)
        return 0;
    attempts_expire(&state->frozen, now_ms - feature->from_ms);
    attempts_expire(&state->live, now_ms - feature->from_ms);
    while (gone < state->tail_count &&
           state->tail[gone].time_ms <= now_ms - feature->from_ms)
        gone++;
    state->tail_count -= gone;
    memmove(state->tail, state->tail + gone,
            state->tail_count * sizeof(*state->tail));
    return gone || state->frozen.count < frozen;
}

static int is_late(const struct sequence_state *state, const struct seen *seen,
                   int64_t lateness_ms)
{
    return (state->has_edge &&
            seen_before(seen, state->edge_ms, state->edge_stamp)) ||
           (state->tail_count &&
            seen->time_ms <
                state->tail[state->tail_count - 1].time_ms - lateness_ms);
}

/* SEEN happens to STATE. */
static void happen(struct sequence_state *state, const struct feature *feature,
                   const struct seen *seen, int64_t lateness_ms)
{
    uint32_t at = state->tail_count;
    if (is_late(state, seen, lateness_ms)) {
        attempts_see_late(&state->frozen, feature, seen);
        sequence_state_replay(state, feature);
        return;
    }
    while (at > 0 && seen_before(seen, state->tail[at - 1].time_ms,
                                 state->tail[at - 1].stamp))
        at--;
    memmove(state->tail + at + 1, state->tail + at,
            (state->tail_count - at) * sizeof(*state->tail));
    state->tail[at] = *seen;
    state->tail_count++;
    if (at + 1 == state->tail_count)
        attempts_see(&state->live, feature, seen);
    else
        sequence_state_replay(state, feature);
}

/* Move what stands before the frontier from the tail to the frozen attempts.
 * Returns the frontier. */
static int64_t freeze(struct sequence_state *state,
                      const struct feature *feature, int64_t lateness_ms)
{
    uint32_t gone = 0;
    if (!state->tail_count) /* All that is frozen is older still. */
        return -SEQUENCE_MS_MAX;
    int64_t frontier_ms =
        state->tail[state->tail_count - 1].time_ms - lateness_ms;
    for (; gone < state->tail_count; gone++) {
        const struct seen *seen = &state->tail[gone];
        int early = seen->time_ms >= frontier_ms;
        if (early && state->tail_count - gone <= SEQUENCE_TAIL_MAX)
            break;
        attempts_see(&state->frozen, feature, seen);
        if (early) {
            state->has_edge = 1;
            state->edge_ms = seen->time_ms;
            state->edge_stamp = seen->stamp;
        }
    }
    state->tail_count -= gone;
    memmove(state->tail, state->tail + gone,
            state->tail_count * sizeof(*state->tail));
    if (state->has_edge && state->edge_ms < frontier_ms)
        state->has_edge = 0;
    return state->has_edge ? state->edge_ms : frontier_ms;
}

/* Of a sequence that only grows, FINAL is its latest match: nothing before its
 * first event matters. */
static void forget_before(struct sequence_state *state,
                          const struct attempt *final)
{
    const int64_t first_ms = final->first_ms;
    uint32_t gone = 0;
    if (state->frozen.count == SEQUENCE_ATTEMPTS_ROOM)
        return;
    attempts_expire(&state->frozen, first_ms);
    /* That it holds is all that is left of it. */
    const struct attempt held = {first_ms, first_ms, 0, final->step, 0};
    attempts_append(&state->frozen, &held);
    while (gone < state->tail_count && state->tail[gone].time_ms < first_ms)
        gone++;
    state->tail_count -= gone;
    memmove(state->tail, state->tail + gone,
            state->tail_count * sizeof(*state->tail));
}

/* Bring STATE into its least form. */
static void reduce(struct sequence_state *state, const struct feature *feature,
                   int64_t lateness_ms, int64_t now_ms)
{
    int lifetime = feature->from_ms == FEATURE_LIFETIME;
    int grows = sequence_only_grows(feature->of.sequence);
    int64_t from_ms = freeze(state, feature, lateness_ms);
    attempts_prune(&state->frozen, feature, from_ms, now_ms);
    int frozen_final = attempts_final(&state->frozen, feature, from_ms) != NULL;
    if (state->tail_count)
        from_ms = state->tail[state->tail_count - 1].time_ms;
    attempts_prune(&state->live, feature, from_ms, now_ms);
    const struct attempt *final =
        grows ? attempts_final(&state->live, feature, now_ms) : NULL;
    if (final && !lifetime && !feature->to_ms)
        forget_before(state, final);
    state->settled = lifetime && (final || frozen_final);
    state->frozen.dropped |= state->live.dropped;
    if (!state->frozen.count && !state->live.count)
        state->frozen.dropped = 0;
}

static int fold_sequence(struct store *store, struct user **user,
                         const struct feature *feature, const struct fold *fold,
                         int64_t now_ms, struct folded *folded)
{
    struct item item = user_item(*user, feature->item);
    struct seen seen = seen_of(feature, fold);
    struct sequence_state state;
    int was_coarse = item.coarse;
    sequence_state_read(*user, feature, &item, &state);
    *folded = (struct folded){.before = 1, .after = 1, .next_ms = SEG_NEVER};
    if (state.settled)
        return 0;
    int changed = expire(&state, feature, now_ms);
    if (!state.has_live)
        sequence_state_replay(&state, feature);
    folded->before = (uint64_t)attempts_hold(&state.live, feature, now_ms);
    if (seen.roles && (feature->from_ms == FEATURE_LIFETIME ||
                       now_ms - seen.time_ms < feature->from_ms)) {
        happen(&state, feature, &seen, store->lateness_ms);
        reduce(&state, feature, store->lateness_ms, now_ms);
        changed = 1;
    }
    folded->after = (uint64_t)attempts_hold(&state.live, feature, now_ms);
    folded->next_ms = attempts_next(&state.live, feature, now_ms);
    if (!changed)
        return 0;
    int ret = sequence_state_write(store, user, feature, &state, &item);
    folded->coarse = ret == 0 && item.coarse && !was_coarse;
    return ret;
}

/* ---- asking ------------------------------------------------------------- */

static int measure_sequence(const struct user *user,
                            const struct feature *feature, int64_t now_ms,
                            struct arena *arena, struct seg_value *value)
{
    struct item item = user_item(user, feature->item);
    struct sequence_state state;
    (void)arena;
    *value = (struct seg_value){.type = SEG_INT};
    if (!item.bytes)
        return 0;
    sequence_state_ask(user, feature, &item, &state);
    value->as.integer =
        state.settled || attempts_hold(&state.live, feature, now_ms);
    return 0;
}

static int64_t next_sequence(const struct user *user,
                             const struct feature *feature, int64_t now_ms)
{
    struct item item = user_item(user, feature->item);
    struct sequence_state state;
    if (!item.bytes)
        return SEG_NEVER;
    sequence_state_ask(user, feature, &item, &state);
    return attempts_next(&state.live, feature, now_ms);
}

void sequence_progress(const struct user *user, const struct feature *feature,
                       int64_t now_ms, struct sequence_progress *progress)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    struct sequence_state state;
    struct item item;
    *progress = (struct sequence_progress){.until_ms = SEG_NEVER};
    for (uint32_t i = 0; i < sequence->step_count; i++)
        progress->steps += !sequence->steps[i].without;
    if (!user || !(item = user_item(user, feature->item)).bytes)
        return;
    sequence_state_ask(user, feature, &item, &state);
    const struct attempt *best = attempts_best(&state.live, feature, now_ms);
    if (!best)
        return;
    progress->matched = attempt_matched(best, sequence);
    progress->since_ms = best->last_ms;
    progress->until_ms = attempt_until(best, feature, now_ms);
}

/* The last and the first event of the attempt that came furthest. Of a complete
 * one the last may be forgotten: the first stands for it then. */
static void sequence_events(const struct user *user,
                            const struct feature *feature, int64_t now_ms,
                            struct feature_events *events)
{
    struct item item = user_item(user, feature->item);
    struct sequence_state state;
    if (!item.bytes)
        return;
    sequence_state_ask(user, feature, &item, &state);
    const struct attempt *best = attempts_best(&state.live, feature, now_ms);
    if (!best)
        return;
    if (best->last_ms != best->first_ms)
        feature_events_add(events, best->last_ms);
    feature_events_add(events, best->first_ms);
}

const struct feature_ops sequence_ops = {
    .fold = fold_sequence,
    .measure = measure_sequence,
    .next = next_sequence,
    .events = sequence_events,
    .write = sequence_state_encode,
    .read = sequence_state_decode,
};
