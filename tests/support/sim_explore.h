/* sim_explore.h: everything that can happen to two workers with one partition.
 *
 * A seeded run (sim_world.h) takes one of many orders of steps. Here all of
 * them are taken, from a few records and a few faults: who does the next step,
 * which marker the broker writes next, where a process dies, is thrown out,
 * gets no answer. Two ways that lead to the same state go on as one.
 *
 * A *state* is the broker's logs and transactions, the group, what faults are
 * left, and of each worker the history of what it was told (sim_spy.h). It is
 * known by a hash. Breadth first: what fails, fails by the shortest way. To
 * come back to a state its steps are taken again from the beginning.
 *
 *   in every state   what a reader sees of changes and triggers is the
 *                    beginning of what an undisturbed worker puts out: nothing
 *                    lost, doubled, out of order, or of a zombie; nothing is
 *                    refused, nothing repaired
 *   in the end       where nothing is left to do but faults, it is all there,
 *                    offsets and outputs, and whoever restores then finds the
 *                    users as an undisturbed worker leaves them */
#ifndef TESTS_SUPPORT_SIM_EXPLORE_H
#define TESTS_SUPPORT_SIM_EXPLORE_H

#include <stddef.h>
#include <stdint.h>

/* How often each fault may happen on one way. */
enum explore_fault {
    EXPLORE_CRASH,
    EXPLORE_KICK,    /* Thrown out of the group; notices later, or never. */
    EXPLORE_REVOKE,  /* Taken away in good order. */
    EXPLORE_LOSE,    /* A commit is done, and its answer lost. */
    EXPLORE_LATE,    /* A commit is under way, and arrives later or never. */
    EXPLORE_FATAL,   /* A call of the producer fails for good. */
    EXPLORE_TIMEOUT, /* The broker gives a transaction up that is served. */
    EXPLORE_FAULTS
};

struct explore_options {
    const char *name;
    int records;               /* How many of the history, see sim_explore.c. */
    int64_t flush_interval_ms; /* 0: users are written with every commit. */
    int each_marker; /* Logs get their markers one by one, not all at once. */
    int faults[EXPLORE_FAULTS];
    int by_hand;         /* Too large for every day. */
    uint32_t states_max; /* More are not looked at; 0: as many as there are. */
};

struct explore_result {
    uint32_t states, ends;
    uint64_t transitions;
    int depth;     /* Steps of the longest of the shortest ways. */
    int cut;       /* states_max was reached. */
    char bad[512]; /* What failed first, "" if nothing did. */
};

/* Those there are; the last has no name. */
extern const struct explore_options explore_configurations[];

/* Explore. TRACE: print the steps of what fails. */
void explore(const struct explore_options *options,
             struct explore_result *result, int trace);

#endif
