/* attempts_inside.h: what the files of attempts.h share. */
#ifndef USER_ATTEMPTS_INSIDE_H
#define USER_ATTEMPTS_INSIDE_H

#include "lib/user/attempts.h"

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

static inline int is_final(const struct feature_sequence *sequence,
                           const struct attempt *attempt, int64_t from_ms)
{
    return next_step(sequence, attempt->step) == sequence->step_count &&
           from_ms - attempt->last_ms >= quiet_after(sequence, attempt->step);
}

/* From when to when a complete attempt holds. */
struct span {
    int64_t from_ms, to_ms;
};

/* An attempt that is not complete: at no time. */
static inline struct span span_of(const struct feature *feature,
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

/* The steps of ATTEMPTS, for a loop: the lowest of *STEPS, which goes out. */
static inline uint32_t take_step(uint32_t *steps)
{
    uint32_t step = (uint32_t)__builtin_ctz(*steps);
    *steps &= *steps - 1;
    return step;
}

/* Before an item is looked at. */
static inline void attempts_read(struct attempts *attempts)
{
    if (attempts->unread)
        attempts_read_all(attempts);
}

/* Whether one of ATTEMPTS may be final. */
static inline int may_have_final(const struct attempts *attempts,
                                 const struct feature_sequence *sequence,
                                 int64_t from_ms)
{
    for (uint32_t steps = attempts->bounds.steps; steps;) {
        uint32_t s = take_step(&steps);
        if (next_step(sequence, s) == sequence->step_count &&
            from_ms - attempts->bounds.at[s].last_ms >=
                quiet_after(sequence, s))
            return 1;
    }
    return 0;
}

#endif
