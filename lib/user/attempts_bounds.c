/* attempts_bounds.c: sets of attempts, and what bounds them (attempts.h). */
#include <string.h>

#include "lib/user/attempts_inside.h"

void attempts_copy(struct attempts *to, struct attempts *from)
{
    attempts_read(from);
    to->count = from->count;
    to->dropped = from->dropped;
    to->unread = to->stored.count = 0;
    to->bounds = from->bounds;
    memcpy(to->items, from->items, from->count * sizeof(*from->items));
}

void attempts_clear(struct attempts *attempts)
{
    attempts->count = attempts->unread = attempts->stored.count = 0;
    attempts->dropped = 0;
    attempts->bounds.count = attempts->bounds.steps = 0;
    attempts->bounds.first_max_ms = INT64_MIN;
    attempts->bounds.length_max_ms = 0;
}

/* Widen BOUNDS by COUNT attempts at ITEMS, all at the same step. */
static void widen(struct attempt_bounds *bounds, const struct attempt *items,
                  uint32_t count)
{
    uint32_t s = items->step, bit = UINT32_C(1) << s;
    int64_t first_max_ms = bounds->first_max_ms,
            length_max_ms = bounds->length_max_ms, first_ms, last_ms,
            last_max_ms;
    first_ms = bounds->steps & bit ? bounds->at[s].first_ms : INT64_MAX;
    last_ms = bounds->steps & bit ? bounds->at[s].last_ms : INT64_MAX;
    last_max_ms = bounds->steps & bit ? bounds->at[s].last_max_ms : INT64_MIN;
    for (const struct attempt *a = items; a < items + count; a++) {
        int64_t length_ms = a->last_ms - a->first_ms;
        first_ms = a->first_ms < first_ms ? a->first_ms : first_ms;
        first_max_ms = a->first_ms > first_max_ms ? a->first_ms : first_max_ms;
        last_ms = a->last_ms < last_ms ? a->last_ms : last_ms;
        last_max_ms = a->last_ms > last_max_ms ? a->last_ms : last_max_ms;
        length_max_ms = length_ms > length_max_ms ? length_ms : length_max_ms;
    }
    bounds->count += count;
    bounds->steps |= bit;
    bounds->first_max_ms = first_max_ms;
    bounds->length_max_ms = length_max_ms;
    bounds->at[s].first_ms = first_ms;
    bounds->at[s].last_ms = last_ms;
    bounds->at[s].last_max_ms = last_max_ms;
}

void attempts_append(struct attempts *attempts, const struct attempt *attempt)
{
    attempts->items[attempts->count++] = *attempt;
    widen(&attempts->bounds, attempt, 1);
}

void attempts_bound(struct attempts *attempts)
{
    struct attempt_bounds *bounds = &attempts->bounds;
    const struct attempt *items = attempts->items;
    if (bounds->count == attempts->count)
        return;
    attempts_read(attempts);
    bounds->count = bounds->steps = 0;
    bounds->first_max_ms = INT64_MIN;
    bounds->length_max_ms = 0;
    for (uint32_t i = 0, n; i < attempts->count; i += n) {
        for (n = 1;
             i + n < attempts->count && items[i + n].step == items[i].step;)
            n++;
        widen(bounds, items + i, n);
    }
}

/* Whether one of ATTEMPTS may begin at or before TIME_MS. */
static int may_have_first(const struct attempts *attempts, int64_t time_ms)
{
    for (uint32_t steps = attempts->bounds.steps; steps;)
        if (attempts->bounds.at[take_step(&steps)].first_ms <= time_ms)
            return 1;
    return 0;
}

void attempts_expire(struct attempts *attempts, int64_t time_ms)
{
    struct attempt *items = attempts->items, *kept = items;
    if (!may_have_first(attempts, time_ms))
        return;
    attempts_read(attempts);
    const struct attempt *end = items + attempts->count;
    for (const struct attempt *next = items; next < end;) {
        while (next < end && next->first_ms <= time_ms)
            next++;
        const struct attempt *from = next;
        while (next < end && next->first_ms > time_ms)
            next++;
        memmove(kept, from, (size_t)(next - from) * sizeof(*from));
        kept += next - from;
    }
    attempts->count = (uint32_t)(kept - items);
    attempts_bound(attempts);
}
