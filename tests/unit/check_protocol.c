/* The protocol against a simulated broker: seeded runs with crashes, zombies,
 * lost answers, rebalances and changes of catalogue, judged by an engine that
 * was never interrupted.
 *
 *     check_protocol              the runs of `make check`
 *     check_protocol SEED         one run, step by step
 *     check_protocol FROM COUNT   many runs */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/protocol/commit.h"
#include "tests/support/effort.h"
#include "tests/support/sim_world.h"

enum { RUNS = EFFORT(3000) };

struct total {
    uint64_t steps, crashes, kicks, revokes, warm, restores, redone, unknown,
        aborted, committed, lost, refused, deployed, cut_moves, cut_sweeps,
        warmed, traits, traits_exact, filled, cut_fills;
};

static void add(struct total *t, const struct world *w)
{
    t->steps += w->steps;
    t->crashes += w->crashes;
    t->kicks += w->kicks;
    t->revokes += w->revokes;
    t->warm += w->warm;
    t->restores += w->restores;
    t->redone += w->redone;
    t->unknown += w->unknown;
    t->aborted += w->aborted;
    t->committed += w->committed;
    t->lost += w->lost;
    t->refused += w->refused;
    t->deployed += w->deployed;
    t->cut_moves += w->cut_moves;
    t->cut_sweeps += w->cut_sweeps;
    t->warmed += w->warmed;
    t->traits += w->traits;
    t->traits_exact += w->traits_exact;
    t->filled += w->filled;
    t->cut_fills += w->cut_fills;
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

int main(int argc, char **argv)
{
    static struct world world;
    struct total total = {0};
    uint64_t from = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t runs = argc > 2   ? strtoull(argv[2], NULL, 10)
                    : argc > 1 ? 1
                               : RUNS;
    int failed = 0;

    for (uint64_t seed = from; seed < from + runs && failed < 5; seed++) {
        if (world_run(&world, seed, argc == 2)) {
            printf("seed %llu: %s\n", (unsigned long long)seed, world.bad);
            failed++;
        }
        add(&total, &world);
        world_done(&world);
    }
    print(&total, runs);
    if (argc == 1 && !failed && !is_rich(&total, runs)) {
        printf("too little happened\n");
        failed = 1;
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
