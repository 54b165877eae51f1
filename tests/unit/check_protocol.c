/* The protocol against a simulated broker: seeded runs with crashes, zombies,
 * lost answers, rebalances and changes of catalogue, judged by an engine that
 * was never interrupted.
 *
 *     check_protocol              the runs of `make check`
 *     check_protocol SEED         one run, step by step
 *     check_protocol FROM COUNT   many runs */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/protocol/commit.h"
#include "tests/support/effort.h"
#include "tests/support/sim_world.h"

enum { RUNS = EFFORT_OR(100000, 750) };

/* What is counted, see struct world. */
#define TOTAL_TABLE(X) \
    X(steps)           \
    X(crashes)         \
    X(kicks)           \
    X(revokes)         \
    X(warm)            \
    X(restores)        \
    X(redone)          \
    X(unknown)         \
    X(aborted)         \
    X(committed)       \
    X(lost)            \
    X(refused)         \
    X(deployed)        \
    X(cut_moves)       \
    X(cut_sweeps)      \
    X(warmed)          \
    X(traits)          \
    X(traits_exact)    \
    X(filled)          \
    X(cut_fills)

struct total {
#define X(name) uint64_t name;
    TOTAL_TABLE(X)
#undef X
};

static void add(struct total *t, const struct world *w)
{
#define X(name) t->name += w->name;
    TOTAL_TABLE(X)
#undef X
}

static void sum(struct total *t, const struct total *more)
{
#define X(name) t->name += more->name;
    TOTAL_TABLE(X)
#undef X
}

static void print(const struct total *t, uint64_t runs)
{
    printf(
        "%llu runs, %llu steps: %llu transactions, %llu aborted, %llu of "
        "unknown outcome, %llu lost; %llu crashes, %llu kicks, %llu revokes; "
        "%llu restores (%llu warm) that read %llu input records again; %llu "
        "events too large for their user; %llu other catalogues, %llu moves "
        "and %llu sweeps cut short, %llu partitions warm in the end; %llu "
        "traits, %llu as undisturbed; %llu backfills, %llu cut short after the "
        "swap began\n",
        (unsigned long long)runs, (unsigned long long)t->steps,
        (unsigned long long)t->committed, (unsigned long long)t->aborted,
        (unsigned long long)t->unknown, (unsigned long long)t->lost,
        (unsigned long long)t->crashes, (unsigned long long)t->kicks,
        (unsigned long long)t->revokes, (unsigned long long)t->restores,
        (unsigned long long)t->warm, (unsigned long long)t->redone,
        (unsigned long long)t->refused, (unsigned long long)t->deployed,
        (unsigned long long)t->cut_moves, (unsigned long long)t->cut_sweeps,
        (unsigned long long)t->warmed, (unsigned long long)t->traits,
        (unsigned long long)t->traits_exact, (unsigned long long)t->filled,
        (unsigned long long)t->cut_fills);
}

/* A run in which nothing happens proves nothing. */
static int is_rich(const struct total *t, uint64_t runs)
{
    return t->crashes >= runs / 4 && t->kicks >= runs / 4 &&
           t->revokes >= runs / 4 && t->unknown >= runs / 4 &&
           t->aborted >= runs / 4 && t->lost >= runs / 20 &&
           t->warm >= runs / 40 && t->redone >= runs &&
           t->refused >= runs / 4 && t->deployed >= runs / 2 &&
           t->cut_moves >= runs / 500 && t->cut_sweeps >= runs / 20 &&
           t->warmed >= runs / 5 && t->traits >= runs &&
           t->traits_exact >= runs / 10 && t->filled >= runs / 20 &&
           t->cut_fills >= runs / 100;
}

/* The runs AT, AT + STEP, ... of COUNT from FROM on into TOTAL. Returns how many
 * failed; five are enough. */
static int run(struct total *total, uint64_t from, uint64_t count, uint64_t at,
               uint64_t step)
{
    static struct world world;
    int failed = 0;

    for (; at < count && failed < 5; at += step) {
        if (world_run(&world, from + at, 0)) {
            printf("seed %llu: %s\n", (unsigned long long)(from + at),
                   world.bad);
            failed++;
        }
        add(total, &world);
        world_done(&world);
    }
    return failed;
}

/* What one of several processes has to say. */
struct part {
    struct total total;
    int failed, done;
};

/* The same, one process for each processor, side by side. */
static int run_all(struct total *total, uint64_t from, uint64_t count)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    size_t size = (size_t)n * sizeof(struct part);
    struct part *parts = mmap(NULL, size, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int failed = 0;

    assert(n > 0 && parts != MAP_FAILED);
    fflush(stdout);
    for (long i = 0; i < n; i++) {
        pid_t child = fork();
        assert(child >= 0);
        if (child)
            continue;
        parts[i].failed =
            run(&parts[i].total, from, count, (uint64_t)i, (uint64_t)n);
        parts[i].done = 1;
        exit(EXIT_SUCCESS);
    }
    while (wait(NULL) > 0)
        ;
    for (long i = 0; i < n; i++) {
        sum(total, &parts[i].total);
        failed += parts[i].failed + !parts[i].done;
        if (!parts[i].done)
            printf("process %ld of %ld died\n", i + 1, n);
    }
    munmap(parts, size);
    return failed;
}

static int show(uint64_t seed)
{
    static struct world world;

    if (world_run(&world, seed, 1))
        printf("seed %llu: %s\n", (unsigned long long)seed, world.bad);
    world_done(&world);
    return world.bad[0] ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct total total = {0};
    uint64_t from = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t runs = argc > 2 ? strtoull(argv[2], NULL, 10) : RUNS;
    int failed;

    if (argc == 2)
        return show(from);
    failed = run_all(&total, from, runs);
    print(&total, runs);
    if (argc == 1 && !failed && !is_rich(&total, runs)) {
        printf("too little happened\n");
        failed = 1;
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
