/* attempts_ask.c: what attempts say (attempts.h). */
#include "lib/user/attempts_inside.h"

/* No complete attempt holds before that; SEG_NEVER: there is none. */
static int64_t first_span(const struct attempts *attempts,
                          const struct feature *feature)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    int64_t first_ms = SEG_NEVER;
    for (uint32_t steps = attempts->bounds.steps; steps;) {
        uint32_t s = take_step(&steps);
        const struct attempt earliest = {attempts->bounds.at[s].first_ms,
                                         attempts->bounds.at[s].last_ms, 0, s,
                                         0};
        int64_t from_ms = span_of(feature, &earliest).from_ms;
        if (next_step(sequence, s) == sequence->step_count &&
            from_ms < first_ms)
            first_ms = from_ms;
    }
    return first_ms;
}

int attempts_hold(struct attempts *attempts, const struct feature *feature,
                  int64_t now_ms)
{
    if (first_span(attempts, feature) > now_ms)
        return 0;
    attempts_read(attempts);
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

/* Whether first_span of ATTEMPTS, whose bounds are no wider than they need be,
 * is when the first one begins to hold: no span is empty. */
static int is_exact(const struct attempts *attempts,
                    const struct feature *feature)
{
    const struct feature_sequence *sequence = feature->of.sequence;
    int64_t longest_ms = attempts->bounds.length_max_ms;
    for (uint32_t steps = attempts->bounds.steps; steps;) {
        uint32_t s = take_step(&steps);
        if (next_step(sequence, s) == sequence->step_count &&
            feature->from_ms != FEATURE_LIFETIME &&
            longest_ms + quiet_after(sequence, s) >= feature->from_ms)
            return 0;
    }
    return !feature->to_ms;
}

int64_t attempts_next(struct attempts *attempts, const struct feature *feature,
                      int64_t now_ms)
{
    int64_t next_ms = SEG_NEVER;
    if (attempts_hold(attempts, feature, now_ms))
        return end_of(attempts, feature, now_ms);
    attempts_bound(attempts);
    int64_t first_ms = first_span(attempts, feature);
    if (first_ms == SEG_NEVER ||
        (first_ms > now_ms && is_exact(attempts, feature)))
        return first_ms;
    if (feature->from_ms != FEATURE_LIFETIME &&
        first_ms >= attempts->bounds.first_max_ms + feature->from_ms)
        return SEG_NEVER; /* All have left the window by then. */
    attempts_read(attempts);
    for (uint32_t i = 0; i < attempts->count; i++) {
        struct span span = span_of(feature, &attempts->items[i]);
        if (span.from_ms > now_ms && span.from_ms < span.to_ms &&
            span.from_ms < next_ms)
            next_ms = span.from_ms;
    }
    return next_ms;
}

const struct attempt *attempts_final(struct attempts *attempts,
                                     const struct feature *feature,
                                     int64_t from_ms)
{
    const struct attempt *found = NULL;
    if (!may_have_final(attempts, feature->of.sequence, from_ms))
        return NULL;
    attempts_read(attempts);
    for (uint32_t i = 0; i < attempts->count; i++) {
        const struct attempt *attempt = &attempts->items[i];
        if (is_final(feature->of.sequence, attempt, from_ms) &&
            (!found || attempt->first_ms > found->first_ms))
            found = attempt;
    }
    return found;
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

const struct attempt *attempts_best(struct attempts *attempts,
                                    const struct feature *feature,
                                    int64_t now_ms)
{
    const struct attempt *best = NULL;
    attempts_read(attempts);
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
