/* run.h: cases run in a child process, so that a crash is a finding.
 *
 * Parent and child share one piece of memory: where the child is, what it has
 * seen, and what it found. */
#ifndef MODEL_RUN_H
#define MODEL_RUN_H

#include "tests/model/drive.h"

struct run {
    uint64_t current; /* Number of the case being run. */
    int result;       /* enum drive_result of the last one. */
    char failure[DRIVE_FAILURE_BYTES];
    struct drive_stats stats;
};

/* Shared memory for one run, all zero. Ends the program if there is none. */
struct run *run_new(void);
void run_free(struct run *run);

/* The seed of case NUMBER in a run of SEED. */
uint64_t run_case_seed(uint64_t seed, uint64_t number);

/* Run COUNT cases of SEED from FROM on, until one is not DRIVE_SAME. Returns
 * the number of that case, or -1. A child that dies counts as a difference. */
int64_t run_cases(struct run *run, uint64_t seed, uint64_t from,
                  uint64_t count);

/* Run one given case, at most some seconds. Returns enum drive_result. */
int run_one(struct run *run, const struct history *history);

#endif
