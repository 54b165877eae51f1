/* attempts_item.c: attempts as they stand in an item.
 *
 *     | count | widths | bounds      | attempt | attempt | ...
 *       1       1        of many
 *
 *     widths   bytes of a first and of a length, 4 bits each
 *     bounds   where there are more than ATTEMPTS_FEW, numbers of 7 bits a byte:
 *              steps, the latest first, the greatest length, then for each step
 *              the earliest first, the earliest and the latest last
 *     attempt  step (1 byte), time of the first event beside the user's base,
 *              time between first and last, key (8 bytes, if there are keys)
 *
 * Of many the bounds alone are read, which say what an event cannot do to any of
 * them; and what has not changed is copied as it stands there. */
#include <string.h>

#include "lib/user/attempts_inside.h"
#include "lib/user/number.h"
#include "lib/user/times.h"

/* ---- reading ------------------------------------------------------------ */

static void set_widths(struct attempts_stored *stored,
                       const struct feature *feature, uint32_t first,
                       uint32_t length)
{
    stored->first_bytes = first;
    stored->length_bytes = length;
    stored->bytes = 1 + first + length +
                    (feature->of.sequence->same ? sizeof(uint64_t) : 0);
}

static const uint8_t *get_ms(const uint8_t *from, const struct user *user,
                             int64_t *time_ms)
{
    uint64_t beside;
    from = get_number(from, &beside);
    *time_ms = times_from(user, beside);
    return from;
}

static const uint8_t *get_bounds(const uint8_t *from, const struct user *user,
                                 struct attempt_bounds *bounds)
{
    uint64_t steps, length;
    from = get_number(from, &steps);
    from = get_ms(from, user, &bounds->first_max_ms);
    from = get_number(from, &length);
    bounds->steps = (uint32_t)steps;
    bounds->length_max_ms = (int64_t)length;
    for (uint32_t left = bounds->steps; left;) {
        uint32_t s = take_step(&left);
        from = get_ms(from, user, &bounds->at[s].first_ms);
        from = get_ms(from, user, &bounds->at[s].last_ms);
        from = get_ms(from, user, &bounds->at[s].last_max_ms);
    }
    return from;
}

const uint8_t *attempts_get(const uint8_t *from, const struct user *user,
                            const struct feature *feature,
                            struct attempts *attempts)
{
    struct attempts_stored *stored = &attempts->stored;
    uint32_t count = *from++;
    if (!count)
        return from;
    set_widths(stored, feature, *from & 15, *from >> 4);
    from++;
    if (count > ATTEMPTS_FEW)
        from = get_bounds(from, user, &attempts->bounds);
    stored->count = attempts->unread = attempts->count = count;
    stored->at = from;
    stored->user = user;
    if (count <= ATTEMPTS_FEW)
        attempts_bound(attempts);
    else
        attempts->bounds.count = count;
    return from + count * stored->bytes;
}

/* Where the key stands in an attempt, if there are keys. */
static uint32_t key_place(const struct attempts_stored *stored)
{
    return 1 + stored->first_bytes + stored->length_bytes;
}

void attempts_read_all(struct attempts *attempts)
{
    const struct attempts_stored stored = attempts->stored;
    uint32_t key = key_place(&stored);
    const uint8_t *at = stored.at;
    struct attempt *attempt = attempts->items;
    for (uint32_t i = 1; i <= attempts->unread; i++, at += stored.bytes) {
        int64_t length_ms = 0;
        uint64_t same = 0;
        if (stored.length_bytes)
            length_ms = (int64_t)times_load(at + 1 + stored.first_bytes,
                                            stored.length_bytes);
        if (key < stored.bytes)
            memcpy(&same, at + key, sizeof(same));
        attempt->step = *at;
        attempt->stored = (uint16_t)i;
        attempt->first_ms =
            times_from(stored.user, times_load(at + 1, stored.first_bytes));
        attempt->last_ms = attempt->first_ms + length_ms;
        attempt->same = same;
        attempt++;
    }
    attempts->unread = 0;
}

int attempts_may_have(const struct attempts *attempts, uint32_t step,
                      uint64_t same)
{
    const struct attempts_stored *stored = &attempts->stored;
    uint32_t key = key_place(stored), bytes = stored->bytes;
    const uint8_t *at = stored->at; /* NULL if nothing is stored. */
    if (attempts->unread && key == bytes)
        return 1;
    for (uint32_t i = 0; i < attempts->unread; i++, at += bytes) {
        uint64_t its;
        memcpy(&its, at + key, sizeof(its));
        if (its == same && *at == step)
            return 1;
    }
    for (uint32_t i = attempts->unread; i < attempts->count; i++)
        if (attempts->items[i].same == same && attempts->items[i].step == step)
            return 1;
    return 0;
}

/* ---- writing ------------------------------------------------------------ */

static uint8_t *put_ms(uint8_t *to, const struct user *user, int64_t time_ms)
{
    return put_number(to, times_beside(user, time_ms));
}

static uint8_t *put_bounds(uint8_t *to, const struct user *user,
                           const struct attempt_bounds *bounds)
{
    to = put_number(to, bounds->steps);
    to = put_ms(to, user, bounds->first_max_ms);
    to = put_number(to, (uint64_t)bounds->length_max_ms);
    for (uint32_t left = bounds->steps; left;) {
        uint32_t s = take_step(&left);
        to = put_ms(to, user, bounds->at[s].first_ms);
        to = put_ms(to, user, bounds->at[s].last_ms);
        to = put_ms(to, user, bounds->at[s].last_max_ms);
    }
    return to;
}

/* What is furthest from the base is the earliest or the latest. */
static uint32_t first_width(const struct user *user,
                            const struct attempt_bounds *bounds)
{
    uint64_t beside = times_beside(user, bounds->first_max_ms);
    for (uint32_t left = bounds->steps; left;)
        beside |= times_beside(user, bounds->at[take_step(&left)].first_ms);
    return times_width(beside);
}

static uint8_t *put_attempt(uint8_t *to, const struct user *user,
                            const struct attempt *attempt,
                            const struct attempts_stored *as)
{
    *to++ = (uint8_t)attempt->step;
    times_store(to, as->first_bytes, times_beside(user, attempt->first_ms));
    to += as->first_bytes;
    times_store(to, as->length_bytes,
                (uint64_t)(attempt->last_ms - attempt->first_ms));
    to += as->length_bytes;
    if (key_place(as) == as->bytes)
        return to;
    memcpy(to, &attempt->same, sizeof(attempt->same));
    return to + sizeof(attempt->same);
}

/* How many of ATTEMPTS from I on stand one after the other in the item. */
static uint32_t stored_run(const struct attempts *attempts, uint32_t i)
{
    uint32_t n = 0, first = attempts->items[i].stored;
    if (i < attempts->unread)
        return attempts->unread - i;
    while (first && i + n < attempts->count &&
           attempts->items[i + n].stored == first + n)
        n++;
    return n;
}

uint8_t *attempts_put(uint8_t *to, const struct user *user,
                      const struct feature *feature, struct attempts *attempts)
{
    struct attempts_stored *stored = &attempts->stored, as;
    *to++ = (uint8_t)attempts->count;
    if (!attempts->count)
        return to;
    attempts_bound(attempts);
    uint64_t length = (uint64_t)attempts->bounds.length_max_ms;
    set_widths(&as, feature, first_width(user, &attempts->bounds),
               length ? times_width(length) : 0);
    int same = stored->count && as.first_bytes == stored->first_bytes &&
               as.length_bytes == stored->length_bytes;
    if (!same)
        attempts_read(attempts);
    *to++ = (uint8_t)(as.first_bytes | as.length_bytes << 4);
    if (attempts->count > ATTEMPTS_FEW)
        to = put_bounds(to, user, &attempts->bounds);
    for (uint32_t i = 0; i < attempts->count;) {
        uint32_t run = same ? stored_run(attempts, i) : 0;
        if (!run) {
            to = put_attempt(to, user, &attempts->items[i++], &as);
            continue;
        }
        uint32_t at = i < attempts->unread ? i : attempts->items[i].stored - 1u;
        memcpy(to, stored->at + at * as.bytes, run * as.bytes);
        to += run * as.bytes;
        i += run;
    }
    return to;
}
