/* sim_traits.h: whether a simulated run published the traits of its users.
 *
 *   as it goes   `at` of a user never goes back, but for a millisecond after a
 *                restore; two outputs are an interval
 *                apart and say something else, but for the first one after a
 *                restore, which knows only what was flushed
 *   in the end   the last output of a user, and what comes in the next seconds,
 *                says what an engine measures then
 *   undisturbed  with `clock records` and no restore the outputs are those of an
 *                engine that was never interrupted */
#ifndef TESTS_SUPPORT_SIM_TRAITS_H
#define TESTS_SUPPORT_SIM_TRAITS_H

#include "tests/support/sim_world.h"

#define TRAITS_MAX 1024

/* Traits of a user, as they stand in a record: `{"as":1}`. */
struct sim_told {
    char user[16];
    int64_t at_ms;
    char text[96];
};

struct sim_traits {
    struct sim_told items[TRAITS_MAX];
    int count;
};

/* Append OUTPUT, if it is traits. Returns 1 if it was. */
int sim_traits_take(struct sim_traits *traits, const struct seg_output *output);

/* What is committed of partition P. */
void sim_traits_read(struct world *w, int p, struct sim_traits *traits);

/* How often a partition was restored that had been there before: each time one
 * output of a user may come too early. */
int sim_traits_restores(const struct world *w);

/* As it goes: LOG is committed. */
void sim_traits_check(struct world *w, int p, const struct sim_traits *log);

/* In the end: LOG, then FUTURE, which ENGINE, called WHAT, has put out. */
void sim_traits_check_last(struct world *w, int p, const char *what,
                           const struct sim_traits *log,
                           const struct sim_traits *future,
                           const struct seg_engine *engine);

/* Undisturbed: what an engine puts out that was never interrupted is WANT. */
void sim_traits_compare(struct world *w, int p, const struct sim_traits *log,
                        const struct sim_traits *want);

#endif
