/* sim_explore_world.h: the world that sim_explore.c walks, a step at a time. */
#ifndef TESTS_SUPPORT_SIM_EXPLORE_WORLD_H
#define TESTS_SUPPORT_SIM_EXPLORE_WORLD_H

#include "daemon/partition/partition.h"
#include "tests/support/sim_explore.h"
#include "tests/support/sim_spy.h"
#include "tests/support/solo.h"

#define EXPLORE_WORKERS 2

enum explore_step {
    STEP_START,  /* A process starts. */
    STEP_COMMIT, /* The commit machine takes a step. */
    STEP_LOSE,   /* The same, its commit is done and the answer lost. */
    STEP_LATE,   /* The same, its commit stays under way. */
    STEP_FATAL,  /* The same, its call fails for good. */
    STEP_BEGIN,  /* A transaction begins. */
    STEP_TURN,   /* A record comes, and the partition takes a step. */
    STEP_ASSIGN,
    STEP_REVOKE,
    STEP_KICK,
    STEP_NOTICE,
    STEP_CRASH,
    STEP_TIMEOUT, /* The broker ends a transaction. */
    STEP_DELIVER, /* A commit under way arrives. */
    STEP_TICK,    /* Time passes, for whoever waits. */
    STEP_OFFSETS, /* The offsets' marker; then, or all at once: */
    STEP_MARKERS, /* STEP_MARKERS + t: that of topic t. */
    STEP_COUNT = STEP_MARKERS + BROKER_OUTPUTS
};

/* A set of steps: bit `step * EXPLORE_WORKERS + worker`. */
typedef uint64_t explore_steps;

struct explore_world {
    const struct explore_options *options;
    const struct solo *undisturbed; /* With what is expected. */
    struct sim sim;
    int assigned_once; /* To anybody. */
    int ticks;
    int owner; /* As the group knows; -1: nobody. */
    int left[EXPLORE_FAULTS];
    int64_t handles;
    struct explore_worker {
        int alive, joined, assigned, starts;
        struct sim_spy spy;
        struct commit *commit;
        struct partition_options partition_options;
        struct partition *partition;
    } workers[EXPLORE_WORKERS];
    char bad[512];
};

/* An undisturbed run of OPTIONS, to its end. */
void explore_undisturbed(struct solo *solo,
                         const struct explore_options *options);

/* The beginning: two workers that are members, a partition of nobody. */
void explore_world_init(struct explore_world *world,
                        const struct explore_options *options,
                        const struct solo *undisturbed);
void explore_world_done(struct explore_world *world);

/* The steps that may be taken now; *FREE: those that are no faults. */
explore_steps explore_enabled(const struct explore_world *world,
                              explore_steps *free);

/* Take STEP (its bit's number). What is wrong afterwards goes to world->bad. */
void explore_take(struct explore_world *world, int step);

uint64_t explore_hash(const struct explore_world *world);

/* Whether all is applied, committed and visible. */
int explore_is_complete(const struct explore_world *world);

/* Restore from what there is, and compare with the undisturbed run. */
void explore_check_end(struct explore_world *world);

/* "turn 1": for traces. */
void explore_step_name(char *out, size_t size, int step);

#endif
