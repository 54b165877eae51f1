/* wheel.h: a hierarchical timing wheel on exact milliseconds.
 *
 * One timer per id, ids are small and dense. Level 0 has a slot for each
 * millisecond of the current 64, level n one for each 64^n; eleven levels hold
 * every instant of an int64_t. A timer sits in the lowest level at which its
 * instant shares all higher digits (base 64) with the wheel's:
 *
 *     level 1   ..  [now's 64 ms]  [+64] [+128] ..      a slot is a list
 *     level 0        . . x . . x x . .                  x = due at that ms
 *
 * Set, clear and pop are O(1) but for the cascade: when time enters a slot of
 * level n > 0 its timers fall to lower levels, at most ten times in a life.
 * Empty time is jumped over by the bitmap of each level, so that years cost no
 * more than milliseconds. (Varghese and Lauck, 1987; the digits are h2o's.)
 *
 * Timers of one instant are popped in no particular order. */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stddef.h>
#include <stdint.h>

#define WHEEL_LEVELS 11
#define WHEEL_NONE   UINT32_MAX
#define WHEEL_NEVER  INT64_MAX

struct wheel_timer {
    int64_t at_ms; /* WHEEL_NEVER: not set. */
    uint32_t next, prev;
};

struct wheel {
    int64_t now_ms;   /* Nothing is set before it. */
    int64_t bound_ms; /* No slot with timers begins between now and it. */
    struct wheel_timer *timers; /* By id. */
    uint32_t count;             /* Ids that there is room for. */
    uint32_t set_count;
    uint64_t filled[WHEEL_LEVELS]; /* A bit for each slot with timers. */
    uint32_t heads[WHEEL_LEVELS][64];
};

/* Start at NOW_MS, which may be anything but must not be above later instants.
 */
void wheel_init(struct wheel *wheel, int64_t now_ms);
void wheel_done(struct wheel *wheel);

/* Make room for ids below COUNT. Returns 0 or SEG_ERR_NOMEM. */
int wheel_reserve(struct wheel *wheel, uint32_t count);

/* Set timer ID, which may be set already, to AT_MS, or to now if that is
 * before; WHEEL_NEVER clears it. */
void wheel_set(struct wheel *wheel, uint32_t id, int64_t at_ms);

/* When timer ID is due; WHEEL_NEVER if it is not set. */
static inline int64_t wheel_at(const struct wheel *wheel, uint32_t id)
{
    return wheel->timers[id].at_ms;
}

/* The earliest instant that may have a timer: exact when it lies in level 0,
 * else a lower bound. WHEEL_NEVER: no timer is set. */
int64_t wheel_next(const struct wheel *wheel);

/* If it is known that no timer is due at or before TO_MS, move now there and
 * return 1: what nearly always happens between two events, at the cost of a
 * comparison. Else 0: wheel_pop finds out. */
static inline int wheel_skip(struct wheel *wheel, int64_t to_ms)
{
    if (to_ms >= wheel->bound_ms)
        return 0;
    if (to_ms > wheel->now_ms)
        wheel->now_ms = to_ms;
    return 1;
}

/* Take one timer that is due at or before TO_MS, the earliest. Returns its id,
 * with *AT_MS its instant and the wheel's now not after it; or WHEEL_NONE, with
 * now = TO_MS. */
uint32_t wheel_pop(struct wheel *wheel, int64_t to_ms, int64_t *at_ms);

#endif
