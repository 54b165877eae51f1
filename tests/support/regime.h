/* regime.h: one partition under one catalogue after the other.
 *
 * An engine, and what happens to it: messages of two topics ("app", "web") at
 * hours after SMALL_WORLD_START_MS, and another catalogue now and then. Nothing
 * may fail unless it is said how. */
#ifndef TESTS_SUPPORT_REGIME_H
#define TESTS_SUPPORT_REGIME_H

#include "lib/engine/engine.h"
#include "tests/support/small_world.h"

struct regime {
    struct seg_catalogue *catalogue;
    struct seg_engine *engine;
    int64_t positions[2]; /* Of the next message of each topic. */
};

void regime_begin(struct regime *regime, const char *text);
void regime_end(struct regime *regime);

/* A new engine of CATALOGUE with the clock at CLOCK_MS. */
struct seg_engine *regime_engine(const struct seg_catalogue *catalogue,
                                 int64_t clock_ms);

/* The next message of TOPIC, its record at HOURS. What is dated or arrives
 * later than the clock may go to, CLOCK_HOURS, is parked. */
void regime_send(struct regime *regime, double hours, double clock_hours,
                 int topic, const char *json);

/* USER did EVENT, or has TRAITS (members of a JSON object), at HOURS. */
void regime_did(struct regime *regime, double hours, const char *user,
                const char *event);
void regime_is(struct regime *regime, double hours, const char *user,
               const char *traits);

/* Time passes until HOURS. */
void regime_pass(struct regime *regime, double hours);

/* The catalogue TEXT comes into force, its users moved WORK_MAX a call. */
void regime_adopt(struct regime *regime, const char *text, int work_max);

/* All are judged by it, WORK_MAX a call. Returns how many calls that took. */
int regime_sweep(struct regime *regime, int work_max);

/* What happened since the last time is WANT: a line each, "48.0 ada +key cause
 * seq" or "48.0 ada !trigger seq". */
void regime_expect(struct regime *regime, const char *want);

/* The same appended to BUF. */
void regime_said(struct regime *regime, struct buf *buf);

/* A timer is a lower bound: an event may leave it earlier than it need be. */
enum regime_timers { REGIME_NO_TIMERS, REGIME_TIMERS };

/* Append whatever is known of the users of ENGINE: memberships, timers, what is
 * explained of every segment. */
void regime_describe(const struct seg_engine *engine, enum regime_timers timers,
                     struct buf *buf);

/* Two such descriptions, or any texts, are the same. */
void regime_same(const struct buf *got, const struct buf *want);

#endif
