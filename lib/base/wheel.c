/* wheel.c: a hierarchical timing wheel on exact milliseconds. */
#include "lib/base/wheel.h"

#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

/* Instants as unsigned digits in order: the sign bit is flipped. */
static uint64_t key_of(int64_t ms)
{
    return (uint64_t)ms ^ (UINT64_C(1) << 63);
}

static int64_t ms_of(uint64_t key)
{
    return (int64_t)(key ^ (UINT64_C(1) << 63));
}

static unsigned digit(uint64_t key, int level)
{
    return key >> 6 * level & 63;
}

/* The level of KEY as seen from NOW: the highest digit in which they differ. */
static int level_of(uint64_t key, uint64_t now)
{
    uint64_t differ = key ^ now;
    return differ ? (63 - __builtin_clzll(differ)) / 6 : 0;
}

void wheel_init(struct wheel *wheel, int64_t now_ms)
{
    *wheel = (struct wheel){.now_ms = now_ms, .bound_ms = INT64_MIN};
    memset(wheel->heads, 0xff, sizeof(wheel->heads));
}

void wheel_done(struct wheel *wheel)
{
    free(wheel->timers);
    wheel_init(wheel, 0);
}

int wheel_reserve(struct wheel *wheel, uint32_t count)
{
    if (count <= wheel->count)
        return 0;
    uint32_t want = wheel->count + wheel->count / 16 + 64;
    if (want < count)
        want = count;
    struct wheel_timer *timers =
        realloc(wheel->timers, (size_t)want * sizeof(*timers));
    if (!timers)
        return SEG_ERR_NOMEM;
    wheel->timers = timers;
    for (; wheel->count < want; wheel->count++)
        timers[wheel->count] =
            (struct wheel_timer){WHEEL_NEVER, WHEEL_NONE, WHEEL_NONE};
    return 0;
}

/* Time must not slip into the slot that begins at KEY: it has timers. */
static void wake(struct wheel *wheel, uint64_t key)
{
    if (ms_of(key) < wheel->bound_ms)
        wheel->bound_ms = ms_of(key);
}

static void link_timer(struct wheel *wheel, uint32_t id)
{
    struct wheel_timer *timer = &wheel->timers[id];
    uint64_t key = key_of(timer->at_ms);
    int level = level_of(key, key_of(wheel->now_ms));
    wake(wheel, key >> 6 * level << 6 * level);
    uint32_t *head = &wheel->heads[level][digit(key, level)];
    timer->prev = WHEEL_NONE;
    timer->next = *head;
    if (*head != WHEEL_NONE)
        wheel->timers[*head].prev = id;
    *head = id;
    wheel->filled[level] |= UINT64_C(1) << digit(key, level);
}

static void unlink_timer(struct wheel *wheel, uint32_t id)
{
    struct wheel_timer *timer = &wheel->timers[id];
    if (timer->next != WHEEL_NONE)
        wheel->timers[timer->next].prev = timer->prev;
    if (timer->prev != WHEEL_NONE) {
        wheel->timers[timer->prev].next = timer->next;
        return;
    }
    uint64_t key = key_of(timer->at_ms);
    int level = level_of(key, key_of(wheel->now_ms));
    unsigned slot = digit(key, level);
    wheel->heads[level][slot] = timer->next;
    if (timer->next == WHEEL_NONE)
        wheel->filled[level] &= ~(UINT64_C(1) << slot);
}

void wheel_set(struct wheel *wheel, uint32_t id, int64_t at_ms)
{
    struct wheel_timer *timer = &wheel->timers[id];
    if (at_ms < wheel->now_ms)
        at_ms = wheel->now_ms;
    if (timer->at_ms == at_ms)
        return;
    if (timer->at_ms != WHEEL_NEVER) {
        unlink_timer(wheel, id);
        wheel->set_count--;
    }
    timer->at_ms = at_ms;
    if (at_ms != WHEEL_NEVER) {
        link_timer(wheel, id);
        wheel->set_count++;
    }
}

/* The first slot with timers after now, as the key where it begins. Lower
 * levels come first; within a level all slots lie behind now's digit. */
static uint64_t next_slot(const struct wheel *wheel, int *level)
{
    for (*level = 0; *level < WHEEL_LEVELS; ++*level) {
        if (!wheel->filled[*level])
            continue;
        unsigned slot = (unsigned)__builtin_ctzll(wheel->filled[*level]);
        uint64_t now = key_of(wheel->now_ms);
        int above = 6 * (*level + 1);
        uint64_t high = above < 64 ? now >> above << above : 0;
        return high | (uint64_t)slot << 6 * *level;
    }
    return UINT64_MAX;
}

int64_t wheel_next(const struct wheel *wheel)
{
    int level;
    if (!wheel->set_count)
        return WHEEL_NEVER;
    return ms_of(next_slot(wheel, &level));
}

/* Move now to TO_KEY - 1 for a slot of LEVEL that begins at TO_KEY, and let its
 * timers fall to lower levels. As seen from just before a slot its timers still
 * belong to LEVEL, so now is set to the slot's beginning first. */
static void cascade(struct wheel *wheel, int level, uint64_t to_key)
{
    unsigned slot = digit(to_key, level);
    uint32_t id = wheel->heads[level][slot];
    wheel->heads[level][slot] = WHEEL_NONE;
    wheel->filled[level] &= ~(UINT64_C(1) << slot);
    wheel->now_ms = ms_of(to_key);
    while (id != WHEEL_NONE) {
        uint32_t next = wheel->timers[id].next;
        link_timer(wheel, id);
        id = next;
    }
}

uint32_t wheel_pop(struct wheel *wheel, int64_t to_ms, int64_t *at_ms)
{
    int level;
    while (wheel->set_count) {
        uint64_t key = next_slot(wheel, &level);
        if (ms_of(key) > to_ms) {
            wheel->bound_ms = ms_of(key);
            break;
        }
        if (level > 0) {
            cascade(wheel, level, key);
            continue;
        }
        uint32_t id = wheel->heads[0][digit(key, 0)];
        *at_ms = wheel->timers[id].at_ms;
        unlink_timer(wheel, id);
        wheel->timers[id].at_ms = WHEEL_NEVER;
        wheel->set_count--;
        return id;
    }
    if (to_ms > wheel->now_ms)
        wheel->now_ms = to_ms;
    return WHEEL_NONE;
}
