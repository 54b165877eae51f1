/* run.c: cases in a child process. See run.h. */
#include "tests/model/run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/model/random.h"

#define CASE_SECONDS 120

struct run *run_new(void)
{
    struct run *run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(run != MAP_FAILED);
    return run;
}

void run_free(struct run *run)
{
    munmap(run, sizeof(*run));
}

uint64_t run_case_seed(uint64_t seed, uint64_t number)
{
    struct random r = {seed};
    r.state = random_bits(&r) + number;
    return random_bits(&r);
}

/* Waits for CHILD; whether it ended well. */
static int ended_well(struct run *run, pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 1;
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

static void run_some(struct run *run, uint64_t seed, uint64_t from,
                     uint64_t count)
{
    for (uint64_t i = from; i < from + count; i++) {
        struct history history;
        run->current = i;
        alarm(CASE_SECONDS);
        history_init(&history, run_case_seed(seed, i));
        run->result = (int)drive_run(&history, &run->stats, run->failure);
        history_done(&history);
        if (run->result != DRIVE_SAME)
            return;
    }
}

int64_t run_cases(struct run *run, uint64_t seed, uint64_t from, uint64_t count)
{
    pid_t child = start(run);
    if (!child) {
        run_some(run, seed, from, count);
        exit(0);
    }
    int well = ended_well(run, child);
    return well && run->result == DRIVE_SAME ? -1 : (int64_t)run->current;
}

int run_one(struct run *run, const struct history *history)
{
    pid_t child = start(run);
    if (!child) {
        alarm(CASE_SECONDS);
        run->result = (int)drive_run(history, NULL, run->failure);
        exit(0);
    }
    ended_well(run, child);
    return run->result;
}
