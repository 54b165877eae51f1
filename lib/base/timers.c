/* timers.c: one timer per id, on exact milliseconds. */
#include "lib/base/timers.h"

#include <stdlib.h>

#include <seg/error.h>

/* A group of level 0 is a cache line. Those above it are smaller, as less is
 * looked at when the earliest timer goes. */
#define FIRST_BITS 4
#define BITS       3

#define NOT_SET TIMERS_NOT_SET
#define FAR     TIMERS_FAR

/* An epoch lies this far behind now before another one is begun, so that so
 * much less than FAR can always be said. */
#define EPOCH_MS (UINT64_C(1) << 30)

static uint64_t after(int64_t at_ms, int64_t before_ms)
{
    return (uint64_t)at_ms - (uint64_t)before_ms;
}

static int64_t later(int64_t from_ms, uint32_t by_ms)
{
    return from_ms > TIMERS_NEVER - 1 - (int64_t)by_ms
               ? TIMERS_NEVER - 1
               : from_ms + (int64_t)by_ms;
}

void timers_init(struct timers *timers, int64_t now_ms)
{
    *timers = (struct timers){
        .now_ms = now_ms, .bound_ms = TIMERS_NEVER, .epoch_ms = now_ms};
}

void timers_done(struct timers *timers)
{
    for (uint32_t i = 0; i < TIMERS_LEVELS; i++)
        free(timers->levels[i]);
    free(timers->far_ms);
    timers_init(timers, 0);
}

static uint32_t bits_of(uint32_t level)
{
    return level ? BITS : FIRST_BITS;
}

static uint32_t round_up(uint32_t count, uint32_t bits)
{
    return (count + (1u << bits) - 1) >> bits << bits;
}

/* The size of the level above LEVEL, which has SIZE. */
static uint32_t above(uint32_t level, uint32_t size)
{
    return round_up(size >> bits_of(level), BITS);
}

/* ---- minima ----------------------------------------------------------- */

static inline uint32_t least(const uint32_t *group, uint32_t bits)
{
    uint32_t least = group[0];
    for (uint32_t i = 1; i < 1u << bits; i++)
        least = group[i] < least ? group[i] : least;
    return least;
}

/* The least of group INDEX of LEVEL. */
static inline uint32_t least_of(const struct timers *timers, uint32_t level,
                                uint32_t index)
{
    const uint32_t *numbers = timers->levels[level];
    return level ? least(numbers + (index << BITS), BITS)
                 : least(numbers + (index << FIRST_BITS), FIRST_BITS);
}

/* The highest level has changed. */
static void note_bound(struct timers *timers)
{
    uint32_t first = least_of(timers, timers->level_count - 1, 0);
    timers->bound_ms =
        first == NOT_SET ? TIMERS_NEVER : later(timers->epoch_ms, first);
}

/* Timer ID becomes NUMBER; so do the minima above of which it is the least. */
static void put(struct timers *timers, uint32_t id, uint32_t number)
{
    uint32_t old = timers->levels[0][id], index = id;
    timers->levels[0][id] = number;
    for (uint32_t level = 0; level + 1 < timers->level_count; level++) {
        index >>= bits_of(level);
        uint32_t *minimum = &timers->levels[level + 1][index], was = *minimum;
        if (number < old ? number >= was : old > was)
            return;
        if (number > old)
            number = least_of(timers, level, index);
        if (number == was)
            return;
        *minimum = number;
        old = was;
    }
    note_bound(timers);
}

/* All minima, from level 0. */
static void build(struct timers *timers)
{
    uint32_t size = timers->count;
    for (uint32_t level = 0; level + 1 < timers->level_count; level++) {
        for (uint32_t i = 0; i < size >> bits_of(level); i++)
            timers->levels[level + 1][i] = least_of(timers, level, i);
        size = above(level, size);
    }
    note_bound(timers);
}

/* ---- room --------------------------------------------------------------- */

/* Make level LEVEL SIZE large, with nothing in what is new. */
static int grow_level(struct timers *timers, uint32_t level, uint32_t size)
{
    uint32_t used = timers->count;
    for (uint32_t i = 0; i < level; i++)
        used = above(i, used);
    used = level < timers->level_count ? used : 0;
    uint32_t *numbers = realloc(timers->levels[level], size * sizeof(*numbers));
    if (!numbers)
        return SEG_ERR_NOMEM;
    timers->levels[level] = numbers;
    for (uint32_t i = used; i < size; i++)
        numbers[i] = NOT_SET;
    return 0;
}

static int grow_far(struct timers *timers, uint32_t count)
{
    int64_t *far_ms = realloc(timers->far_ms, count * sizeof(*far_ms));
    if (!far_ms)
        return SEG_ERR_NOMEM;
    timers->far_ms = far_ms;
    return 0;
}

/* Levels that were made before memory ran out are larger than they need be, and
 * are there when this is called again. */
int timers_reserve(struct timers *timers, uint32_t count)
{
    if (count <= timers->count)
        return 0;
    uint32_t want = timers->count + timers->count / 16 + 64, level = 0;
    want = round_up(want < count ? count : want, FIRST_BITS);
    if (timers->far_ms && grow_far(timers, want) < 0)
        return SEG_ERR_NOMEM;
    for (uint32_t size = want;; size = above(level++, size)) {
        if (grow_level(timers, level, size) < 0)
            return SEG_ERR_NOMEM;
        if (size == 1u << BITS)
            break;
    }
    level++;
    int higher = level > timers->level_count;
    timers->count = want;
    timers->level_count = level;
    if (higher)
        build(timers);
    return 0;
}

size_t timers_bytes(const struct timers *timers)
{
    size_t numbers = 0, size = timers->count;
    for (uint32_t i = 0; i < timers->level_count; i++) {
        numbers += size;
        size = above(i, (uint32_t)size);
    }
    return numbers * sizeof(uint32_t) +
           (timers->far_ms ? timers->count * sizeof(int64_t) : 0);
}

/* ---- epochs -------------------------------------------------------------- */

static void forget_far(struct timers *timers)
{
    if (timers->far_count)
        return;
    free(timers->far_ms);
    timers->far_ms = NULL;
}

/* Begin an epoch now. */
static void begin_epoch(struct timers *timers)
{
    uint64_t passed = after(timers->now_ms, timers->epoch_ms);
    uint32_t *numbers = timers->levels[0];
    timers->epoch_ms = timers->now_ms;
    for (uint32_t i = 0; i < timers->count; i++) {
        if (numbers[i] < FAR) {
            numbers[i] -= (uint32_t)passed;
        } else if (numbers[i] == FAR) {
            uint64_t number = after(timers->far_ms[i], timers->epoch_ms);
            if (number >= FAR)
                continue;
            numbers[i] = (uint32_t)number;
            timers->far_count--;
        }
    }
    forget_far(timers);
    build(timers);
}

static int64_t least_far(const struct timers *timers)
{
    int64_t least_ms = TIMERS_NEVER;
    for (uint32_t i = 0; i < timers->count; i++)
        if (timers->levels[0][i] == FAR && timers->far_ms[i] < least_ms)
            least_ms = timers->far_ms[i];
    return least_ms;
}

/* AT_MS, which is not before now, as a number. */
static uint32_t number_of(struct timers *timers, int64_t at_ms)
{
    if (at_ms == TIMERS_NEVER)
        return NOT_SET;
    uint64_t number = after(at_ms, timers->epoch_ms);
    if (number >= FAR && after(timers->now_ms, timers->epoch_ms) >= EPOCH_MS) {
        begin_epoch(timers);
        number = after(at_ms, timers->epoch_ms);
    }
    if (number < FAR)
        return (uint32_t)number;
    if (timers->far_ms || grow_far(timers, timers->count) == 0)
        return FAR;
    return FAR - 1;
}

/* ---- timers -------------------------------------------------------------- */

void timers_set(struct timers *timers, uint32_t id, int64_t at_ms)
{
    if (at_ms < timers->now_ms)
        at_ms = timers->now_ms;
    uint32_t number = number_of(timers, at_ms);
    uint32_t old = timers->levels[0][id];
    timers->set_count += (number != NOT_SET) - (unsigned)(old != NOT_SET);
    timers->far_count += (number == FAR) - (unsigned)(old == FAR);
    if (number == FAR)
        timers->far_ms[id] = at_ms;
    if (number != old)
        put(timers, id, number);
    if (old == FAR)
        forget_far(timers);
}

/* The first id that has NUMBER, the least of all. */
static uint32_t find(const struct timers *timers, uint32_t number)
{
    uint32_t index = 0;
    for (uint32_t level = timers->level_count; level-- > 0;) {
        index <<= bits_of(level);
        while (timers->levels[level][index] != number)
            index++;
    }
    return index;
}

/* If only far timers are left, go to the first of them or to TO_MS. Returns
 * whether there may be one that is due. */
static int reach_far(struct timers *timers, int64_t to_ms)
{
    int64_t least_ms = least_far(timers);
    int64_t to = least_ms < to_ms ? least_ms : to_ms;
    if (to > timers->now_ms)
        timers->now_ms = to;
    begin_epoch(timers);
    return least_ms <= to_ms;
}

uint32_t timers_pop(struct timers *timers, int64_t to_ms, int64_t *at_ms)
{
    while (timers->set_count && timers->bound_ms <= to_ms) {
        uint64_t number = after(timers->bound_ms, timers->epoch_ms);
        if (number >= FAR) {
            if (reach_far(timers, to_ms))
                continue;
            break;
        }
        uint32_t id = find(timers, (uint32_t)number);
        *at_ms = timers->now_ms = timers_at(timers, id);
        timers->set_count--;
        put(timers, id, NOT_SET);
        return id;
    }
    if (to_ms > timers->now_ms)
        timers->now_ms = to_ms;
    return TIMERS_NONE;
}
