/* mutants.c: every mutant is noticed, in as few cases as need be.
 *
 * A mutant that nothing asks for while a case runs cannot be noticed by it. So
 * some cases are run without any first, and it is written down what each asked
 * for; then every mutant that is still at large tries those that asked for it.
 * Then the next cases.
 *
 *              case 0   1   2   3 ...
 *   lt_le           .   x   .   x        runs 1, then 3 unless 1 differed
 *   tie_topic       x   x   x   x        runs 0 ... */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/model/model.h"
#include "tests/model/mutant.h"
#include "tests/model/run.h"

#define SOME 400 /* Cases at a time. */

struct hunt {
    uint64_t seed, from; /* The cases of now. */
    int count;
    char asked[SOME][MUTANT_COUNT_];
    int64_t caught[MUTANT_COUNT_]; /* By which case; -1. */
    struct run runs[RUN_CHILDREN_MAX];
};

/* ---- without a mutant ---------------------------------------------------- */

static void record(struct hunt *hunt, int self, int children)
{
    struct run *run = &hunt->runs[self];
    mutant_recording = 1;
    for (int i = self; i < hunt->count; i += children) {
        memset(mutant_asked, 0, sizeof(mutant_asked));
        run_here(run, hunt->seed, hunt->from + (uint64_t)i, 0);
        if (run->result != DRIVE_SAME)
            return;
        memcpy(hunt->asked[i], mutant_asked, sizeof(mutant_asked));
    }
}

/* Returns whether engine and oracle agree. */
static int record_all(struct hunt *hunt)
{
    int children = run_children(), well = 1;
    pid_t child[RUN_CHILDREN_MAX];
    fflush(NULL);
    for (int c = 0; c < children; c++) {
        child[c] = fork();
        assert(child[c] >= 0);
        if (child[c])
            continue;
        record(hunt, c, children);
        _exit(0); /* What ran is of no interest (branches.sh). */
    }
    for (int c = 0; c < children; c++) {
        int status = 0;
        waitpid(child[c], &status, 0);
        if (run_ended_well(&hunt->runs[c], status))
            continue;
        printf("case %llu differs without a mutant: %s\n",
               (unsigned long long)hunt->runs[c].current,
               hunt->runs[c].failure);
        well = 0;
    }
    return well;
}

/* ---- with one ------------------------------------------------------------ */

static void try_mutant(struct hunt *hunt, struct run *run, enum mutant mutant)
{
    mutant_on = mutant;
    for (int i = 0; i < hunt->count; i++) {
        if (!hunt->asked[i][mutant])
            continue;
        run_here(run, hunt->seed, hunt->from + (uint64_t)i, 0);
        if (run->result != DRIVE_SAME)
            return;
    }
}

struct trial {
    pid_t child;
    enum mutant mutant;
};

static void start_trial(struct hunt *hunt, struct trial *trials, int place,
                        enum mutant mutant)
{
    struct run *run = &hunt->runs[place];
    run->result = DRIVE_SAME;
    run->failure[0] = 0;
    fflush(NULL);
    pid_t child = fork();
    assert(child >= 0);
    if (!child) {
        try_mutant(hunt, run, mutant);
        _exit(0);
    }
    trials[place] = (struct trial){child, mutant};
}

/* Waits until one of the CHILDREN is done. Returns its place. */
static int end_trial(struct hunt *hunt, struct trial *trials, int children)
{
    int status = 0, place = 0;
    pid_t ended = waitpid(-1, &status, 0);
    assert(ended > 0);
    while (place < children && trials[place].child != ended)
        place++;
    assert(place < children);
    trials[place].child = 0;
    if (!run_ended_well(&hunt->runs[place], status))
        hunt->caught[trials[place].mutant] = (int64_t)hunt->runs[place].current;
    return place;
}

static void try_all(struct hunt *hunt, enum mutant only)
{
    struct trial trials[RUN_CHILDREN_MAX] = {{0}};
    int children = run_children(), running = 0, place = 0;
    for (int m = 1; m < MUTANT_COUNT_; m++) {
        if (hunt->caught[m] >= 0 || (only && m != (int)only))
            continue;
        if (running == children)
            place = end_trial(hunt, trials, children);
        else
            place = running++;
        start_trial(hunt, trials, place, (enum mutant)m);
    }
    for (; running; running--)
        end_trial(hunt, trials, children);
}

/* ---- all ----------------------------------------------------------------- */

static int at_large(const struct hunt *hunt, enum mutant only)
{
    int count = 0;
    for (int m = 1; m < MUTANT_COUNT_; m++)
        count += hunt->caught[m] < 0 && (!only || m == (int)only);
    return count;
}

static void report(const struct hunt *hunt, enum mutant only, uint64_t cases)
{
    for (int m = 1; m < MUTANT_COUNT_; m++) {
        if (only && m != (int)only)
            continue;
        printf("%-20s %-60s ", mutant_name((enum mutant)m),
               mutant_what((enum mutant)m));
        if (hunt->caught[m] >= 0)
            printf("caught by case %lld\n", (long long)hunt->caught[m]);
        else
            printf("MISSED in %llu cases\n", (unsigned long long)cases);
    }
}

int mutants_run(uint64_t seed, uint64_t from, uint64_t cases, enum mutant only)
{
    struct hunt *hunt = run_share(sizeof(*hunt));
    uint64_t end = from + cases;
    int well = 1, missed;
    mutant_on = MUTANT_NONE;
    hunt->seed = seed;
    for (int m = 0; m < MUTANT_COUNT_; m++)
        hunt->caught[m] = -1;
    for (; from < end && well && at_large(hunt, only); from += SOME) {
        hunt->from = from;
        hunt->count = end - from < SOME ? (int)(end - from) : SOME;
        well = record_all(hunt);
        if (well)
            try_all(hunt, only);
    }
    missed = at_large(hunt, only);
    report(hunt, only, cases);
    printf("%d mutants, %d missed, seed %llu\n", only ? 1 : MUTANT_COUNT_ - 1,
           missed, (unsigned long long)seed);
    run_unshare(hunt, sizeof(*hunt));
    return missed || !well;
}
