/* run.h: cases run in child processes, as many as there are processors, so that
 * a crash is a finding.
 *
 * Parent and children share one piece of memory: where each child is, what it
 * has seen, and what it found. */
#ifndef MODEL_RUN_H
#define MODEL_RUN_H

#include "tests/model/drive.h"

#define RUN_CHILDREN_MAX 16

struct run {
    uint64_t current; /* Number of the case being run. */
    int result;       /* enum drive_result of the last one. */
    char failure[DRIVE_FAILURE_BYTES];
    struct drive_stats stats;
};

/* Shared memory of SIZE, all zero. Ends the program if there is none. */
void *run_share(size_t size);
void run_unshare(void *memory, size_t size);

/* How many children at a time: as many as processors may be used. */
int run_children(void);

/* The seed of case NUMBER in a run of SEED. */
uint64_t run_case_seed(uint64_t seed, uint64_t number);

/* Run COUNT cases of SEED from FROM on, until one is not DRIVE_SAME. Returns
 * the least number of such a case, or -1. A child that dies counts as a
 * difference. RUN, which is shared, gets what all have seen, and the failure. */
int64_t run_cases(struct run *run, uint64_t seed, uint64_t from,
                  uint64_t count);

/* Run case NUMBER of SEED here; RUN gets what comes out, and what was seen if
 * STATS. */
void run_here(struct run *run, uint64_t seed, uint64_t number, int stats);

/* Run one given case in a child, at most some seconds. Returns enum
 * drive_result. */
int run_one(struct run *run, const struct history *history);

/* Whether the child that ended with STATUS says nothing of a difference; if it
 * died RUN says how. */
int run_ended_well(struct run *run, int status);

#endif
