/* clock.h: the only place that asks what time it is.
 *
 * Wall: CLOCK_REALTIME when we started, plus CLOCK_BOOTTIME since. It goes on
 * while the machine sleeps and never steps: when somebody sets the system's
 * clock later, by more than CLOCK_STEP_MS, we say so and keep our own until the
 * next start. Any thread, once clock_open was called. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_STEP_MS 1000

/* Read both clocks and start from there. */
void clock_open(void);

/* Milliseconds since 1970 UTC. */
int64_t clock_wall_ms(void);

/* Since some instant before the start; only differences mean anything. Sleep
 * of the machine included. */
int64_t clock_monotonic_us(void);
int64_t clock_monotonic_ms(void);

/* Since clock_open. */
int64_t clock_uptime_ms(void);

/* Compare the system's clock with ours: called by the main loop every second.
 * Logs when a step was made since the last call. Returns the system's less
 * ours, in milliseconds. */
int64_t clock_check(void);

/* The two clocks of the system in microseconds, for tests; NULL: the real
 * ones. Takes effect with the next clock_open. */
void clock_source(int64_t (*realtime_us)(void), int64_t (*boottime_us)(void));

#ifdef SEGMENTD_FAILPOINTS
/* From now on both clocks are ahead of the system's by what stands in the file
 * PATH, two int64_t in the byte order of the machine: milliseconds of the
 * realtime, then of the boottime. It may be written at any time, and what is
 * written is true at once. Returns 0, or -1 if it cannot be mapped. */
int clock_shift(const char *path);
#endif

#endif
