/* attempts.c: see attempts.h. */
#include "lib/user/attempts.h"

#include <assert.h>
#include <string.h>

#define FEW 8 /* Attempts of which each is compared with each other one. */

void sequence_link(struct feature_step *steps, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = i + 1;
        steps[i].quiet_ms = 0;
        for (; next < count && steps[next].without; next++)
            if (steps[next].within_ms > steps[i].quiet_ms)
                steps[i].quiet_ms = steps[next].within_ms;
        steps[i].next = next;
        steps[i].least_ms = steps[i].quiet_ms;
        if (next < count && steps[next].after_ms > steps[i].least_ms)
            steps[i].least_ms = steps[next].after_ms;
    }
}

static inline uint32_t next_step(const struct feature_sequence *sequence,
                                 uint32_t step)
{
    return sequence->steps[step].next;
}

static inline int64_t quiet_after(const struct feature_sequence *sequence,
                                  uint32_t step)
{
    return sequence->steps[step].quiet_ms;
}

static int plays(const struct seen *seen, uint32_t role)
{
    return role != FEATURE_NO_ROLE && (seen->roles >> role & 1);
}

int sequence_only_grows(const struct feature_sequence *sequence)
{
    if (sequence->no_between != FEATURE_NO_ROLE)
        return 0;
    for (uint32_t i = 0; i < sequence->step_count; i++)
        if (sequence->steps[i].without || sequence->steps[i].directly)
            return 0;
    return 1;
}

uint32_t sequence_roles(const struct feature_sequence *sequence)
{
    uint32_t roles = (uint32_t)((UINT64_C(1) << sequence->step_count) - 1);
    if (sequence->no_between != FEATURE_NO_ROLE)
        roles |= UINT32_C(1) << sequence->no_between;
    if (sequence->activity != FEATURE_NO_ROLE)
        roles |= UINT32_C(1) << sequence->activity;
    return roles;
}

void attempts_copy(struct attempts *to, const struct attempts *from)
{
    to->count = from->count;
    to->dropped = from->dropped;
    memcpy(to->items, from->items, from->count * sizeof(*from->items));
}

/* ---- one event --------------------------------------------------------- */

/* Whether SEEN, later than all of ATTEMPT, matches its next step. */
static int fits(const struct feature_sequence *sequence,
                const struct attempt *attempt, uint32_t next,
                const struct seen *seen)
{
    const struct feature_step *step = &sequence->steps[next];
    int64_t gap_ms = seen->time_ms - attempt->last_ms;
    return plays(seen, next) && seen->same == attempt->same &&
           gap_ms >= step->after_ms &&
           (!step->within_ms || gap_ms < step->within_ms) &&
           gap_ms >= quiet_after(sequence, attempt->step) &&
           (!sequence->all_within_ms ||
            seen->time_ms - attempt->first_ms < sequence->all_within_ms);
}

/* Whether SEEN is what a step `without` behind the last one of ATTEMPT forbids.
 */
static int breaks_quiet(const struct feature_sequence *sequence,
                        const struct attempt *attempt, const struct seen *seen)
{
    for (uint32_t i = attempt->step + 1;
         i < sequence->step_count && sequence->steps[i].without; i++)
        if (plays(seen, i) && seen->same == attempt->same &&
            seen->time_ms - attempt->last_ms < sequence->steps[i].within_ms)
            return 1;
    return 0;
}

/* Whether no event at or after TIME_MS fits ATTEMPT, whose next step is NEXT.
 */
static int is_over(const struct feature_sequence *sequence,
                   const struct attempt *attempt, uint32_t next,
                   int64_t time_ms)
{
    if (next == sequence->step_count)
        return 0;
    int64_t within_ms = sequence->steps[next].within_ms;
    return (within_ms && time_ms - attempt->last_ms >= within_ms) ||
           (sequence->all_within_ms &&
            time_ms - attempt->first_ms >= sequence->all_within_ms);
}

/* Whether ATTEMPT, whose next step is NEXT, stays open after SEEN. */
static int survives(const struct feature_sequence *sequence,
                    const struct attempt *attempt, uint32_t next,
                    const struct seen *seen)
{
    if (breaks_quiet(sequence, attempt, seen))
        return 0;
    if (next == sequence->step_count)
        return 1;
    return !plays(seen, sequence->no_between) &&
           !(sequence->steps[next].directly &&
             plays(seen, sequence->activity)) &&
           !is_over(sequence, attempt, next, seen->time_ms);
}

/* ---- domination ---------------------------------------------------------- */

static int is_final(const struct feature_sequence *sequence,
                    const struct attempt *attempt, int64_t from_ms)
{
    return next_step(sequence, attempt->step) == sequence->step_count &&
           from_ms - attempt->last_ms >= quiet_after(sequence, attempt->step);
}

/* Whether the first event of A is as good as that of B; LATER: in `all within`
 * a later one is better. */
static inline int first_as_good(const struct feature *feature,
                                const struct attempt *a,
                                const struct attempt *b, int later)
{
    if (feature->to_ms)
        return a->first_ms == b->first_ms;
    return (feature->from_ms == FEATURE_LIFETIME && !later) ||
           a->first_ms >= b->first_ms;
}

/* Whether no event at or after FROM_MS is too early for A but not for B. Most
 * pairs are told apart by this. */
static inline int last_as_good(const struct feature_sequence *sequence,
                               const struct attempt *a, const struct attempt *b,
                               int64_t from_ms)
{
    return a->last_ms <= b->last_ms ||
           from_ms - a->last_ms >= sequence->steps[a->step].least_ms;
}

/* Whether A makes B, at the same step with the same key, unnecessary, all events
 * to come being at or after FROM_MS. */
static int dominates_step(const struct feature *feature,
                          const struct attempt *a, const struct attempt *b)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    uint32_t next = next_step(sequence, a->step);
    int open = next < sequence->step_count;
    if (!first_as_good(feature, a, b, open && sequence->all_within_ms))
        return 0;
    return !open || !sequence->steps[next].within_ms ||
           a->last_ms >= b->last_ms;
}

/* Whether A makes B unnecessary, likewise. */
static inline int dominates(const struct feature *feature,
                            const struct attempt *a, const struct attempt *b,
                            int64_t from_ms)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    if (a->step == b->step && a->same == b->same &&
        last_as_good(sequence, a, b, from_ms) && dominates_step(feature, a, b))
        return 1;
    return is_final(sequence, a, from_ms) && first_as_good(feature, a, b, 0);
}

/* Whether B goes for A: of two that dominate each other the one with the
 * earlier first event does, so that what is left does not depend on when it was
 * asked.
 */
static int beats(const struct feature *feature, const struct attempt *a,
                 const struct attempt *b, int64_t from_ms)
{
    return dominates(feature, a, b, from_ms) &&
           !(a->first_ms < b->first_ms && dominates(feature, b, a, from_ms));
}

/* Whether A, final or not, may beat B at all; most pairs are told apart here. */
static inline int may_beat(const struct feature *feature, int final,
                           const struct attempt *a, const struct attempt *b,
                           int64_t from_ms)
{
    return first_as_good(feature, a, b, 0) &&
           (final || (a->step == b->step && a->same == b->same &&
                      last_as_good(feature->of.sequence, a, b, from_ms)));
}

/* Add ATTEMPT unless another beats it; what it beats goes. */
static void add(struct attempts *attempts, const struct feature *feature,
                struct attempt attempt, int64_t from_ms)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    struct attempt *items = attempts->items;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < attempts->count; i++)
        if (may_beat(feature, is_final(sequence, &items[i], from_ms), &items[i],
                     &attempt, from_ms) &&
            beats(feature, &items[i], &attempt, from_ms))
            return;
    int final = is_final(sequence, &attempt, from_ms);
    for (uint32_t i = 0; i < attempts->count; i++)
        if (!may_beat(feature, final, &attempt, &items[i], from_ms) ||
            !beats(feature, &attempt, &items[i], from_ms))
            items[kept++] = items[i];
    items[kept++] = attempt;
    attempts->count = kept;
}

static void take_out(struct attempts *attempts, uint32_t index)
{
    attempts->count--;
    memmove(&attempts->items[index], &attempts->items[index + 1],
            (attempts->count - index) * sizeof(*attempts->items));
}

static void drop_dominated(struct attempts *attempts,
                           const struct feature *feature, int64_t from_ms)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    struct attempt *items = attempts->items;
    for (uint32_t i = 0; i < attempts->count; i++) {
        int final = is_final(sequence, &items[i], from_ms);
        for (uint32_t j = attempts->count; j-- > 0;)
            if (j != i &&
                may_beat(feature, final, &items[i], &items[j], from_ms) &&
                beats(feature, &items[i], &items[j], from_ms)) {
                take_out(attempts, j);
                i -= j < i;
            }
    }
}

static uint32_t oldest_of(const struct attempts *attempts)
{
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < attempts->count; i++)
        if (attempts->items[i].first_ms < attempts->items[oldest].first_ms)
            oldest = i;
    return oldest;
}

static void limit(struct attempts *attempts, const struct feature *feature,
                  int64_t from_ms)
{
    if (attempts->count <= SEQUENCE_ATTEMPTS_ROOM)
        return;
    drop_dominated(attempts, feature, from_ms);
    if (attempts->count <= SEQUENCE_ATTEMPTS_ROOM)
        return;
    attempts->dropped = 1;
    while (attempts->count > SEQUENCE_ATTEMPTS_MAX)
        take_out(attempts, oldest_of(attempts));
}

/* Attempts made by SEEN stand behind the first COUNT, of which KEPT survived.
 */
static void add_made(struct attempts *attempts, const struct feature *feature,
                     uint32_t kept, uint32_t count, uint32_t made)
{
    attempts->count = kept;
    for (uint32_t i = 0; i < made; i++) {
        struct attempt attempt = attempts->items[count + i];
        add(attempts, feature, attempt, attempt.last_ms);
    }
}

void attempts_see(struct attempts *attempts, const struct feature *feature,
                  const struct seen *seen)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    struct attempt *items = attempts->items;
    uint32_t count = attempts->count, kept = 0, made = 0;
    assert(count <= SEQUENCE_ATTEMPTS_ROOM);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = next_step(sequence, items[i].step);
        if (next < sequence->step_count &&
            fits(sequence, &items[i], next, seen))
            items[count + made++] = (struct attempt){
                items[i].first_ms, seen->time_ms, seen->same, next};
        if (survives(sequence, &items[i], next, seen))
            items[kept++] = items[i];
    }
    if (plays(seen, 0))
        items[count + made++] =
            (struct attempt){seen->time_ms, seen->time_ms, seen->same, 0};
    add_made(attempts, feature, kept, count, made);
    limit(attempts, feature, seen->time_ms);
}

/* ---- one event that is too late ----------------------------------------- */

/* Whether SEEN may stand between two steps that ATTEMPT has matched, and forbid
 * that: when those were is not known, but for the first and the last. */
static int may_forbid(const struct feature_sequence *sequence,
                      const struct attempt *attempt, const struct seen *seen)
{
    if (seen->time_ms < attempt->first_ms || seen->time_ms > attempt->last_ms)
        return 0;
    for (uint32_t i = 1; i <= attempt->step; i++) {
        const struct feature_step *step = &sequence->steps[i];
        if (step->without ? plays(seen, i) && seen->same == attempt->same
                          : step->directly && plays(seen, sequence->activity))
            return 1;
    }
    return 0;
}

/* As survives, though ATTEMPT may have gone on since SEEN. Which of two came
 * first at one time is not known. */
static int survives_late(const struct feature_sequence *sequence,
                         const struct attempt *attempt, const struct seen *seen)
{
    uint32_t next = next_step(sequence, attempt->step);
    int open = next < sequence->step_count;
    int later = seen->time_ms >= attempt->last_ms;
    if ((later && breaks_quiet(sequence, attempt, seen)) ||
        may_forbid(sequence, attempt, seen))
        return 0;
    if (plays(seen, sequence->no_between) &&
        seen->time_ms >= attempt->first_ms &&
        (open || seen->time_ms <= attempt->last_ms))
        return 0;
    return !(open && later && sequence->steps[next].directly &&
             plays(seen, sequence->activity));
}

void attempts_see_late(struct attempts *attempts, const struct feature *feature,
                       const struct seen *seen)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    struct attempt *items = attempts->items;
    uint32_t count = attempts->count, kept = 0, made = 0;
    int grows = sequence_only_grows(sequence);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = next_step(sequence, items[i].step);
        if (grows && next < sequence->step_count &&
            seen->time_ms > items[i].last_ms &&
            fits(sequence, &items[i], next, seen))
            items[count + made++] = (struct attempt){
                items[i].first_ms, seen->time_ms, seen->same, next};
        if (survives_late(sequence, &items[i], seen))
            items[kept++] = items[i];
    }
    if (grows && plays(seen, 0))
        items[count + made++] =
            (struct attempt){seen->time_ms, seen->time_ms, seen->same, 0};
    add_made(attempts, feature, kept, count, made);
    limit(attempts, feature, seen->time_ms);
}

/* ---- what the attempts say ---------------------------------------------- */

/* From when to when a complete attempt holds. */
struct span {
    int64_t from_ms, to_ms;
};

/* An attempt that is not complete: at no time. */
static struct span span_of(const struct feature *feature,
                           const struct attempt *attempt)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    struct span span = {SEG_NEVER, SEG_NEVER};
    if (next_step(sequence, attempt->step) < sequence->step_count)
        return span;
    span.from_ms = attempt->last_ms + quiet_after(sequence, attempt->step);
    if (attempt->first_ms + feature->to_ms > span.from_ms)
        span.from_ms = attempt->first_ms + feature->to_ms;
    if (feature->from_ms != FEATURE_LIFETIME)
        span.to_ms = attempt->first_ms + feature->from_ms;
    return span;
}

int attempts_hold(const struct attempts *attempts,
                  const struct feature *feature, int64_t now_ms)
{
    for (uint32_t i = 0; i < attempts->count; i++) {
        struct span span = span_of(feature, &attempts->items[i]);
        if (span.from_ms <= now_ms && now_ms < span.to_ms)
            return 1;
    }
    return 0;
}

/* The end of the spans that hold at NOW_MS and of those that follow without a
 * gap. */
static int64_t end_of(const struct attempts *attempts,
                      const struct feature *feature, int64_t now_ms)
{
    int64_t end_ms = now_ms;
    for (int moved = 1; moved;) {
        moved = 0;
        for (uint32_t i = 0; i < attempts->count; i++) {
            struct span span = span_of(feature, &attempts->items[i]);
            if (span.from_ms <= end_ms && span.to_ms > end_ms) {
                end_ms = span.to_ms;
                moved = 1;
            }
        }
    }
    return end_ms;
}

int64_t attempts_next(const struct attempts *attempts,
                      const struct feature *feature, int64_t now_ms)
{
    int64_t next_ms = SEG_NEVER;
    if (attempts_hold(attempts, feature, now_ms))
        return end_of(attempts, feature, now_ms);
    for (uint32_t i = 0; i < attempts->count; i++) {
        struct span span = span_of(feature, &attempts->items[i]);
        if (span.from_ms > now_ms && span.from_ms < span.to_ms &&
            span.from_ms < next_ms)
            next_ms = span.from_ms;
    }
    return next_ms;
}

const struct attempt *attempts_final(const struct attempts *attempts,
                                     const struct feature *feature,
                                     int64_t from_ms)
{
    const struct attempt *found = NULL;
    for (uint32_t i = 0; i < attempts->count; i++) {
        const struct attempt *attempt = &attempts->items[i];
        if (is_final(feature->of.sequence, attempt, from_ms) &&
            (!found || attempt->first_ms > found->first_ms))
            found = attempt;
    }
    return found;
}

/* ---- pruning ------------------------------------------------------------ */

/* Of those that hold for good, whether two hold at all times of B, one from
 * before it to when the other begins. */
static int is_covered(const struct attempts *attempts,
                      const struct feature *feature, uint32_t b,
                      int64_t from_ms)
{
    struct span middle = span_of(feature, &attempts->items[b]);
    int64_t reach_ms = INT64_MIN, begin_ms = SEG_NEVER;
    for (uint32_t i = 0; i < attempts->count; i++) {
        const struct attempt *attempt = &attempts->items[i];
        if (i == b || !is_final(feature->of.sequence, attempt, from_ms))
            continue;
        struct span span = span_of(feature, attempt);
        if (span.to_ms <= middle.to_ms && span.from_ms <= middle.from_ms &&
            span.to_ms > reach_ms)
            reach_ms = span.to_ms;
        if (span.to_ms >= middle.to_ms && span.from_ms < begin_ms)
            begin_ms = span.from_ms;
    }
    return begin_ms <= reach_ms;
}

static void drop_covered(struct attempts *attempts,
                         const struct feature *feature, int64_t from_ms)
{
    for (uint32_t i = attempts->count; i-- > 0;)
        if (is_final(feature->of.sequence, &attempts->items[i], from_ms) &&
            is_covered(attempts, feature, i, from_ms))
            take_out(attempts, i);
}

/* Drop what the best final one dominates. */
static void drop_before_final(struct attempts *attempts,
                              const struct feature *feature, int64_t from_ms)
{
    const struct attempt *found = attempts_final(attempts, feature, from_ms);
    uint32_t kept = 0;
    if (!found)
        return;
    struct attempt final = *found;
    uint32_t place = (uint32_t)(found - attempts->items);
    for (uint32_t i = 0; i < attempts->count; i++)
        if (i == place || !beats(feature, &final, &attempts->items[i], from_ms))
            attempts->items[kept++] = attempts->items[i];
    attempts->count = kept;
}

void attempts_expire(struct attempts *attempts, int64_t time_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < attempts->count; i++)
        if (attempts->items[i].first_ms > time_ms)
            attempts->items[kept++] = attempts->items[i];
    attempts->count = kept;
}

void attempts_prune(struct attempts *attempts, const struct feature *feature,
                    int64_t from_ms, int64_t now_ms)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    uint32_t kept = 0;
    if (feature->from_ms != FEATURE_LIFETIME)
        attempts_expire(attempts, now_ms - feature->from_ms);
    for (uint32_t i = 0; i < attempts->count; i++) {
        struct attempt attempt = attempts->items[i];
        uint32_t next = next_step(sequence, attempt.step);
        if (!is_over(sequence, &attempt, next, from_ms))
            attempts->items[kept++] = attempt;
    }
    attempts->count = kept;
    drop_before_final(attempts, feature, from_ms);
    if (attempts->count < 2 || attempts->count > FEW)
        return;
    drop_dominated(attempts, feature, from_ms);
    if (feature->to_ms && attempts->count > 2)
        drop_covered(attempts, feature, from_ms);
}

/* ---- for explain -------------------------------------------------------- */

uint32_t attempt_matched(const struct attempt *attempt,
                         const struct feature_sequence *sequence)
{
    uint32_t matched = 0;
    for (uint32_t i = 0; i <= attempt->step; i++)
        matched += !sequence->steps[i].without;
    return matched;
}

int64_t attempt_until(const struct attempt *attempt,
                      const struct feature *feature, int64_t now_ms)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    uint32_t next = next_step(sequence, attempt->step);
    int64_t until_ms = feature->from_ms == FEATURE_LIFETIME
                           ? SEG_NEVER
                           : attempt->first_ms + feature->from_ms;
    if (next == sequence->step_count) {
        int64_t from_ms = span_of(feature, attempt).from_ms;
        return from_ms > now_ms && from_ms < until_ms ? from_ms : until_ms;
    }
    int64_t within_ms = sequence->steps[next].within_ms;
    if (within_ms && attempt->last_ms + within_ms < until_ms)
        until_ms = attempt->last_ms + within_ms;
    if (sequence->all_within_ms &&
        attempt->first_ms + sequence->all_within_ms < until_ms)
        until_ms = attempt->first_ms + sequence->all_within_ms;
    return until_ms;
}

const struct attempt *attempts_best(const struct attempts *attempts,
                                    const struct feature *feature,
                                    int64_t now_ms)
{
    const struct attempt *best = NULL;
    for (uint32_t i = 0; i < attempts->count; i++) {
        const struct attempt *attempt = &attempts->items[i];
        if (attempt_until(attempt, feature, now_ms) > now_ms &&
            (!best || attempt->step > best->step ||
             (attempt->step == best->step &&
              attempt->first_ms > best->first_ms)))
            best = attempt;
    }
    return best;
}
