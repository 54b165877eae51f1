/* timers.h: one timer per id, on exact milliseconds.
 *
 * Ids are small and dense, and what is asked is which timer is the earliest. So
 * the instants lie in an array by id, and above it stands a tree of minima: in
 * level 1 a number is the least of a group of 16 in level 0, in a higher one of
 * a group of 8 below it.
 *
 *   level 2   [ 3 ......................... ]      the highest: one group
 *   level 1   [ 3     8      .. ] [ 7 ..    ]
 *   level 0   [ 5 3 - .. ] [ - 8 .. ] [ 9 7 ]      by id; -: not set
 *
 * Setting a timer changes the minima above it as far as they change: usually
 * none, as another one of the group is earlier. The earliest is found by going
 * down where the minimum is. Numbers have 4 bytes: a timer takes 4.3 in all.
 *
 * The numbers are milliseconds after an *epoch*, which follows time in steps of
 * two weeks: then every number is written anew, which costs about a millisecond
 * for a million of timers. What is further ahead than 37 days may stand there
 * as *far*, with its instant in an array of its own; there is none while no
 * timer is far.
 *
 * Example: the epoch is 1000 and timers 1 and 16 are set to 1003 and 1008. The
 * first group of level 0 has 3 in place 1, the second 8 in place 0, the first
 * group of level 1 begins 3, 8. Popping 1 leaves -, 8 there.
 *
 * Timers of one instant are popped in order of their ids. */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

#define TIMERS_LEVELS 10 /* 16 * 8^9 ids. */
#define TIMERS_NONE   UINT32_MAX
#define TIMERS_NEVER  INT64_MAX

struct timers {
    int64_t now_ms;   /* Nothing is set before it. */
    int64_t bound_ms; /* No timer is due before it; NEVER: none is set. */
    int64_t epoch_ms; /* Not after now. */
    uint32_t *levels[TIMERS_LEVELS];
    uint32_t level_count;
    uint32_t count;     /* Ids that there is room for. */
    uint32_t set_count; /* Timers that are set, */
    uint32_t far_count; /* those of them that are far, */
    int64_t *far_ms;    /* and when, by id. NULL: none. */
};

/* Start at NOW_MS, which may be anything but must not be above later instants.
 */
void timers_init(struct timers *timers, int64_t now_ms);
void timers_done(struct timers *timers);

/* Make room for ids below COUNT, which is at most 2^31. Returns 0 or
 * SEG_ERR_NOMEM. */
int timers_reserve(struct timers *timers, uint32_t count);

/* Set timer ID, which may be set already, to AT_MS, or to now if that is
 * before; TIMERS_NEVER clears it. If there is no memory to note an instant
 * further ahead than 37 days it is set as late as can be, but before it. */
void timers_set(struct timers *timers, uint32_t id, int64_t at_ms);

/* As numbers: not set, and far. */
#define TIMERS_NOT_SET UINT32_MAX
#define TIMERS_FAR     (UINT32_MAX - 1)

/* When timer ID is due; TIMERS_NEVER if it is not set. */
static inline int64_t timers_at(const struct timers *timers, uint32_t id)
{
    uint32_t number = timers->levels[0][id];
    if (number < TIMERS_FAR)
        return timers->epoch_ms + (int64_t)number;
    return number == TIMERS_FAR ? timers->far_ms[id] : TIMERS_NEVER;
}

/* The earliest instant that may have a timer: exact if it is not far, else a
 * lower bound. TIMERS_NEVER: no timer is set. */
static inline int64_t timers_next(const struct timers *timers)
{
    return timers->bound_ms;
}

/* Bring what is needed to set timer ID into the CPU's caches. */
static inline void timers_prefetch(const struct timers *timers, uint32_t id)
{
    if (id < timers->count)
        __builtin_prefetch(&timers->levels[0][id], 1);
}

/* If no timer is due at or before TO_MS, move now there and return 1: what
 * nearly always happens between two events, at the cost of a comparison. Else
 * 0: timers_pop finds out. */
static inline int timers_skip(struct timers *timers, int64_t to_ms)
{
    if (to_ms >= timers->bound_ms)
        return 0;
    if (to_ms > timers->now_ms)
        timers->now_ms = to_ms;
    return 1;
}

/* Take one timer that is due at or before TO_MS, the earliest. Returns its id,
 * with *AT_MS its instant, which is now then; or TIMERS_NONE, with now = TO_MS.
 */
uint32_t timers_pop(struct timers *timers, int64_t to_ms, int64_t *at_ms);

/* All memory that TIMERS hold. */
size_t timers_bytes(const struct timers *timers);

#endif
