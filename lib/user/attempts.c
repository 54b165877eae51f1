/* attempts.c: see attempts.h. */
#include "lib/user/attempts_inside.h"

#include <assert.h>
#include <string.h>

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

/* Whether one of ATTEMPTS may be over. */
static int may_have_over(const struct attempts *attempts,
                         const struct feature_sequence *sequence,
                         int64_t time_ms)
{
    for (uint32_t steps = attempts->bounds.steps; steps;) {
        uint32_t s = take_step(&steps);
        const struct attempt earliest = {attempts->bounds.at[s].first_ms,
                                         attempts->bounds.at[s].last_ms, 0, s,
                                         0};
        if (is_over(sequence, &earliest, next_step(sequence, s), time_ms))
            return 1;
    }
    return 0;
}

/* The roles by which an event goes on with an attempt at STEP, or ends it. */
static uint32_t roles_for(const struct feature_sequence *sequence,
                          uint32_t step)
{
    uint32_t next = next_step(sequence, step), roles = 0;
    for (uint32_t i = step + 1; i < next; i++)
        roles |= UINT32_C(1) << i;
    if (next == sequence->step_count)
        return roles;
    roles |= UINT32_C(1) << next;
    if (sequence->no_between != FEATURE_NO_ROLE)
        roles |= UINT32_C(1) << sequence->no_between;
    if (sequence->steps[next].directly && sequence->activity != FEATURE_NO_ROLE)
        roles |= UINT32_C(1) << sequence->activity;
    return roles;
}

/* Whether SEEN may do something to one of ATTEMPTS, whatever their keys. */
static int may_touch(const struct attempts *attempts,
                     const struct feature_sequence *sequence,
                     const struct seen *seen)
{
    for (uint32_t steps = attempts->bounds.steps; steps;)
        if (seen->roles & roles_for(sequence, take_step(&steps)))
            return 1;
    return may_have_over(attempts, sequence, seen->time_ms);
}

/* ---- domination ---------------------------------------------------------- */

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

/* Whether one of ATTEMPTS may beat ATTEMPT. */
static int may_be_beaten(const struct attempts *attempts,
                         const struct feature *feature,
                         const struct attempt *attempt, int64_t from_ms)
{
    const struct attempt_bounds *bounds = &attempts->bounds;
    if (feature->from_ms != FEATURE_LIFETIME &&
        bounds->first_max_ms < attempt->first_ms)
        return 0;
    return (bounds->steps >> attempt->step & 1) ||
           may_have_final(attempts, feature->of.sequence, from_ms);
}

/* Whether ATTEMPT may beat one of ATTEMPTS. */
static int may_beat_some(const struct attempts *attempts,
                         const struct feature *feature,
                         const struct attempt *attempt, int64_t from_ms)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    const struct attempt_bounds *bounds = &attempts->bounds;
    if (is_final(sequence, attempt, from_ms))
        return 1;
    return (bounds->steps >> attempt->step & 1) &&
           (attempt->last_ms <= bounds->at[attempt->step].last_max_ms ||
            from_ms - attempt->last_ms >=
                sequence->steps[attempt->step].least_ms) &&
           attempts_may_have(attempts, attempt->step, attempt->same);
}

static int is_beaten(struct attempts *attempts, const struct feature *feature,
                     const struct attempt *attempt, int64_t from_ms)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    const struct attempt *items = attempts->items;
    attempts_read(attempts);
    for (uint32_t i = 0; i < attempts->count; i++)
        if (may_beat(feature, is_final(sequence, &items[i], from_ms), &items[i],
                     attempt, from_ms) &&
            beats(feature, &items[i], attempt, from_ms))
            return 1;
    return 0;
}

/* Whether ATTEMPT, final or not, beats B. */
static inline int goes_for(const struct feature *feature, int final,
                           const struct attempt *attempt,
                           const struct attempt *b, int64_t from_ms)
{
    return may_beat(feature, final, attempt, b, from_ms) &&
           beats(feature, attempt, b, from_ms);
}

static void drop_beaten_by(struct attempts *attempts,
                           const struct feature *feature,
                           const struct attempt *attempt, int64_t from_ms)
{
    struct attempt *items = attempts->items;
    int final = is_final(feature->of.sequence, attempt, from_ms);
    uint32_t i = 0, kept;
    attempts_read(attempts);
    if (!final) /* Of another step, or with another key: most are passed. */
        while (i < attempts->count && (items[i].same != attempt->same ||
                                       items[i].step != attempt->step))
            i++;
    while (i < attempts->count &&
           !goes_for(feature, final, attempt, &items[i], from_ms))
        i++;
    for (kept = i; i < attempts->count; i++)
        if (!goes_for(feature, final, attempt, &items[i], from_ms))
            items[kept++] = items[i];
    attempts->count = kept;
}

/* Add ATTEMPT unless another beats it; what it beats goes. */
static void add(struct attempts *attempts, const struct feature *feature,
                const struct attempt *attempt, int64_t from_ms)
{
    if (may_be_beaten(attempts, feature, attempt, from_ms) &&
        is_beaten(attempts, feature, attempt, from_ms))
        return;
    if (may_beat_some(attempts, feature, attempt, from_ms))
        drop_beaten_by(attempts, feature, attempt, from_ms);
    attempts_append(attempts, attempt);
}

static void take_out(struct attempts *attempts, uint32_t index)
{
    attempts->count--;
    memmove(&attempts->items[index], &attempts->items[index + 1],
            (attempts->count - index) * sizeof(*attempts->items));
}

/* Whether attempt I may beat one behind it or before, where MIN_FIRST_MS is the
 * earliest first event of those behind. They are in the order of last_ms. */
static int may_beat_any(const struct attempts *attempts,
                        const struct feature *feature, uint32_t i,
                        int64_t min_first_ms, int64_t from_ms)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    const struct attempt *a = &attempts->items[i];
    if (feature->from_ms == FEATURE_LIFETIME ||
        is_final(sequence, a, from_ms) ||
        from_ms - a->last_ms >= sequence->steps[a->step].least_ms)
        return 1;
    return min_first_ms <= a->first_ms || (i && a[-1].last_ms >= a->last_ms);
}

/* SKIP[i] gets whether attempt i beats none. */
static void find_idle(const struct attempts *attempts,
                      const struct feature *feature, int64_t from_ms,
                      uint8_t *skip)
{
    const struct attempt *items = attempts->items;
    int64_t min_first_ms = INT64_MAX;
    uint8_t with_key[1024] = {0};
    int ordered = 1;
    for (uint32_t i = 0; i < attempts->count; i++) {
        uint8_t *with = &with_key[items[i].same >> 54 ^ items[i].step];
        *with += *with < 2;
        ordered &= !i || items[i - 1].last_ms <= items[i].last_ms;
    }
    for (uint32_t i = attempts->count; i-- > 0;) {
        int final = is_final(feature->of.sequence, &items[i], from_ms);
        int alone = with_key[items[i].same >> 54 ^ items[i].step] < 2;
        skip[i] = (alone && !final) ||
                  (ordered &&
                   !may_beat_any(attempts, feature, i, min_first_ms, from_ms));
        if (items[i].first_ms < min_first_ms)
            min_first_ms = items[i].first_ms;
    }
}

static void drop_dominated(struct attempts *attempts,
                           const struct feature *feature, int64_t from_ms)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    struct attempt *items = attempts->items;
    uint8_t skip[2 * SEQUENCE_ATTEMPTS_ROOM + 1] = {0};
    attempts_read(attempts);
    if (attempts->count > ATTEMPTS_FEW)
        find_idle(attempts, feature, from_ms, skip);
    for (uint32_t i = 0; i < attempts->count; i++) {
        int final = is_final(sequence, &items[i], from_ms);
        if (skip[i])
            continue;
        for (uint32_t j = attempts->count; j-- > 0;)
            if (j != i &&
                may_beat(feature, final, &items[i], &items[j], from_ms) &&
                beats(feature, &items[i], &items[j], from_ms)) {
                take_out(attempts, j);
                memmove(skip + j, skip + j + 1, attempts->count - j);
                i -= j < i;
            }
    }
}

static void drop_oldest(struct attempts *attempts)
{
    const struct attempt *items = attempts->items;
    uint32_t oldest = 0, gone = attempts->count - SEQUENCE_ATTEMPTS_MAX, i = 1;
    while (i < attempts->count && items[i - 1].first_ms <= items[i].first_ms)
        i++;
    if (i == attempts->count) { /* In order, as a rule. */
        attempts->count -= gone;
        memmove(attempts->items, items + gone,
                attempts->count * sizeof(*items));
        return;
    }
    for (i = 1; i < attempts->count; i++)
        if (items[i].first_ms < items[oldest].first_ms)
            oldest = i;
    take_out(attempts, oldest);
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
        drop_oldest(attempts);
}

/* Attempts made by SEEN stand behind the first COUNT, of which KEPT survived.
 */
static void add_made(struct attempts *attempts, const struct feature *feature,
                     uint32_t kept, uint32_t count, uint32_t made)
{
    attempts->count = kept;
    for (uint32_t i = 0; i < made; i++) {
        struct attempt attempt = attempts->items[count + i];
        add(attempts, feature, &attempt, attempt.last_ms);
    }
}

void attempts_see(struct attempts *attempts, const struct feature *feature,
                  const struct seen *seen)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    struct attempt *items = attempts->items;
    uint32_t count = attempts->count, kept = 0, made = 0;
    assert(count <= SEQUENCE_ATTEMPTS_ROOM);
    if (may_touch(attempts, sequence, seen))
        attempts_read(attempts);
    else
        kept = count;
    for (uint32_t i = kept; i < count; i++) {
        uint32_t next = next_step(sequence, items[i].step);
        if (next < sequence->step_count &&
            fits(sequence, &items[i], next, seen))
            items[count + made++] = (struct attempt){
                items[i].first_ms, seen->time_ms, seen->same, next, 0};
        if (survives(sequence, &items[i], next, seen))
            items[kept++] = items[i];
    }
    if (plays(seen, 0))
        items[count + made++] =
            (struct attempt){seen->time_ms, seen->time_ms, seen->same, 0, 0};
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
    attempts_read(attempts);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = next_step(sequence, items[i].step);
        if (grows && next < sequence->step_count &&
            seen->time_ms > items[i].last_ms &&
            fits(sequence, &items[i], next, seen))
            items[count + made++] = (struct attempt){
                items[i].first_ms, seen->time_ms, seen->same, next, 0};
        if (survives_late(sequence, &items[i], seen))
            items[kept++] = items[i];
    }
    if (grows && plays(seen, 0))
        items[count + made++] =
            (struct attempt){seen->time_ms, seen->time_ms, seen->same, 0, 0};
    add_made(attempts, feature, kept, count, made);
    limit(attempts, feature, seen->time_ms);
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

static void drop_over(struct attempts *attempts,
                      const struct feature_sequence *sequence, int64_t from_ms)
{
    uint32_t kept = 0;
    attempts_read(attempts);
    for (uint32_t i = 0; i < attempts->count; i++) {
        struct attempt attempt = attempts->items[i];
        uint32_t next = next_step(sequence, attempt.step);
        if (!is_over(sequence, &attempt, next, from_ms))
            attempts->items[kept++] = attempt;
    }
    attempts->count = kept;
}

void attempts_prune(struct attempts *attempts, const struct feature *feature,
                    int64_t from_ms, int64_t now_ms)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    if (feature->from_ms != FEATURE_LIFETIME)
        attempts_expire(attempts, now_ms - feature->from_ms);
    if (may_have_over(attempts, sequence, from_ms))
        drop_over(attempts, sequence, from_ms);
    drop_before_final(attempts, feature, from_ms);
    if (attempts->count < 2 || attempts->count > ATTEMPTS_FEW)
        return;
    drop_dominated(attempts, feature, from_ms);
    if (feature->to_ms && attempts->count > 2)
        drop_covered(attempts, feature, from_ms);
}
