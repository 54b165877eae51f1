/* run.c: cases in child processes. See run.h. */
#include "tests/model/run.h"

#include <assert.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/model/random.h"

#define CASE_SECONDS 120

void *run_share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(memory != MAP_FAILED);
    return memory;
}

void run_unshare(void *memory, size_t size)
{
    munmap(memory, size);
}

int run_children(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);
    return count > RUN_CHILDREN_MAX ? RUN_CHILDREN_MAX : count;
}

uint64_t run_case_seed(uint64_t seed, uint64_t number)
{
    struct random r = {seed};
    r.state = random_bits(&r) + number;
    return random_bits(&r);
}

int run_ended_well(struct run *run, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return run->result == DRIVE_SAME;
    run->result = DRIVE_DIFFERENT;
    if (WIFSIGNALED(status))
        snprintf(run->failure, sizeof(run->failure), "ended by signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(run->failure, sizeof(run->failure), "ended with status %d",
                 WEXITSTATUS(status));
    return 0;
}

static pid_t start(struct run *run)
{
    fflush(NULL);
    run->result = DRIVE_SAME;
    run->failure[0] = 0;
    pid_t child = fork();
    assert(child >= 0);
    return child;
}

void run_here(struct run *run, uint64_t seed, uint64_t number, int stats)
{
    struct history history;
    run->current = number;
    alarm(CASE_SECONDS);
    history_init(&history, run_case_seed(seed, number));
    run->result =
        (int)drive_run(&history, stats ? &run->stats : NULL, run->failure);
    history_done(&history);
}

/* ---- many ---------------------------------------------------------------- */

/* All numbers of a run. */
static void add_stats(struct drive_stats *to, const struct drive_stats *from)
{
    _Static_assert(sizeof(*to) % sizeof(uint64_t) == 0, "plain numbers");
    uint64_t *sum = (uint64_t *)to;
    const uint64_t *one = (const uint64_t *)from;
    for (size_t i = 0; i < sizeof(*to) / sizeof(uint64_t); i++)
        sum[i] += one[i];
}

/* Every CHILDREN-th case from FROM on, none behind the first that failed. */
static void run_share_of(struct run *all, int self, int children, uint64_t seed,
                         uint64_t from, uint64_t count)
{
    struct run *run = &all[self];
    for (uint64_t i = from + (uint64_t)self; i < from + count;
         i += (uint64_t)children) {
        for (int c = 0; c < children; c++)
            if (all[c].result != DRIVE_SAME && all[c].current < i)
                return;
        run_here(run, seed, i, 1);
        if (run->result != DRIVE_SAME)
            return;
    }
}

/* Waits for all; RUN gets what they have seen. Returns the least case that
 * failed, or -1. */
static int64_t gather(struct run *run, struct run *all, const pid_t *child,
                      int children)
{
    int64_t failed = -1;
    for (int c = 0; c < children; c++) {
        int status = 0;
        waitpid(child[c], &status, 0);
        add_stats(&run->stats, &all[c].stats);
        if (run_ended_well(&all[c], status) ||
            (failed >= 0 && all[c].current > (uint64_t)failed))
            continue;
        failed = (int64_t)all[c].current;
        run->result = all[c].result;
        memcpy(run->failure, all[c].failure, sizeof(run->failure));
    }
    return failed;
}

int64_t run_cases(struct run *run, uint64_t seed, uint64_t from, uint64_t count)
{
    int children = run_children();
    size_t size = (size_t)children * sizeof(*run);
    struct run *all = run_share(size);
    pid_t child[RUN_CHILDREN_MAX];
    for (int c = 0; c < children; c++) {
        child[c] = start(&all[c]);
        if (child[c])
            continue;
        run_share_of(all, c, children, seed, from, count);
        exit(0);
    }
    int64_t failed = gather(run, all, child, children);
    run_unshare(all, size);
    return failed;
}

/* ---- one ----------------------------------------------------------------- */

int run_one(struct run *run, const struct history *history)
{
    int status = 0;
    pid_t child = start(run);
    if (!child) {
        alarm(CASE_SECONDS);
        run->result = (int)drive_run(history, NULL, run->failure);
        exit(0);
    }
    waitpid(child, &status, 0);
    run_ended_well(run, status);
    return run->result;
}
