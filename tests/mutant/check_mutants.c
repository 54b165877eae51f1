/* Can the simulation see? Every rule of daemon/protocol/mutation.h is broken,
 * one at a time, and some seeded run must fail.
 *
 * The files that keep the rules are compiled once more here, with
 * PROTOCOL_MUTATIONS, and take the place of the daemon's own.
 *
 *     check_mutants              all of them
 *     check_mutants NAME         one, with the runs that fail
 *     check_mutants NAME SEED    one run of it, step by step
 *     check_mutants NAME WHERE   explore it (sim_explore.h), shortest way */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROTOCOL_MUTATIONS
#include "daemon/protocol/mutation.h"
#include "tests/support/sim_explore.h"
#include "tests/support/sim_world.h"

enum { RUNS = 20000 };

static struct world world;

/* The first seed that fails, 0 if none does. */
static uint64_t hunt(int mutation, uint64_t runs, int all)
{
    uint64_t found = 0;

    protocol_mutation = mutation;
    for (uint64_t seed = 1; seed <= runs && (!found || all); seed++) {
        if (world_run(&world, seed, 0)) {
            if (!found || all)
                printf("%s %s: seed %llu: %s\n", found ? "   again" : "caught",
                       mutation_name(mutation), (unsigned long long)seed,
                       world.bad);
            found = found ? found : seed;
        }
        world_done(&world);
    }
    return found;
}

static int find(const char *name)
{
    int mutation = mutation_find(name);

    if (mutation >= 0)
        return mutation;
    fprintf(stderr, "no mutation is called %s\n", name);
    exit(2);
}

/* Whether some run fails, or dies of an assertion, in a process of its own. */
static int is_caught(int mutation, uint64_t runs)
{
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (!child)
        exit(hunt(mutation, runs, 0) ? 1 : 0);
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("check_mutants");
        exit(2);
    }
    if (WIFSIGNALED(status))
        printf("caught %s: %s\n", mutation_name(mutation),
               strsignal(WTERMSIG(status)));
    return status != 0;
}

/* Some are looked for by way of every order of steps as well: that sees them
 * too, and shows the shortest way. */
static const struct {
    enum mutation mutation;
    const char *configuration;
} explored[] = {{MUTATION_RESTORE_STOPS_AT_LSO, "crash"},
                {MUTATION_REDO_SKIPPED, "redo"},
                {MUTATION_CHANGE_FOLD_SKIPPED, "redo"},
                {MUTATION_TXN_NOT_COMPARED, "fatal"},
                {MUTATION_OUTBOX_DROPPED_ON_ABORT, "fatal"},
                {MUTATION_CLOCK_AHEAD_OF_TIMERS, "redo"},
                {MUTATION_FLUSHED_BEFORE_COMMIT, "fatal"},
                {MUTATION_NO_META_BEFORE_FIRST_FLUSH, "redo"}};

static const struct explore_options *configuration(const char *name)
{
    const struct explore_options *options = explore_configurations;

    while (strcmp(options->name, name))
        options++;
    return options;
}

static int explore_mutation(int mutation, const char *name, int trace)
{
    struct explore_options options = *configuration(name);
    struct explore_result result;

    protocol_mutation = mutation;
    options.states_max = 200000;
    explore(&options, &result, trace);
    printf("%s %s: explored, %s: %d steps, %u states: %s\n",
           result.bad[0] ? "caught" : "MISSED", mutation_name(mutation), name,
           result.depth, result.states, result.bad);
    return result.bad[0] != 0;
}

/* Returns how many were missed. */
static int explore_all(void)
{
    size_t count = sizeof(explored) / sizeof(explored[0]);
    int missed = 0;

    for (size_t i = 0; i < count; i++)
        missed += !explore_mutation((int)explored[i].mutation,
                                    explored[i].configuration, 0);
    printf("%d of %d of these also by exploring\n", (int)count - missed,
           (int)count);
    return missed;
}

int main(int argc, char **argv)
{
    int missed = 0;

    if (argc > 2 && !strtoull(argv[2], NULL, 10))
        return explore_mutation(find(argv[1]), argv[2], 1) ? EXIT_SUCCESS
                                                           : EXIT_FAILURE;
    if (argc > 2) {
        protocol_mutation = find(argv[1]);
        world_run(&world, strtoull(argv[2], NULL, 10), 1);
        printf("%s\n", world.bad);
        return EXIT_SUCCESS;
    }
    if (argc > 1) {
        hunt(find(argv[1]), 1000, 1);
        return EXIT_SUCCESS;
    }
    /* The same build without a mutation is clean, else nothing is proven. */
    if (is_caught(MUTATION_NONE, 500))
        return EXIT_FAILURE;
    for (int i = 1; i < MUTATION_SIMULATED; i++)
        if (!is_caught(i, RUNS)) {
            printf("MISSED %s: %s\n", mutation_name(i), mutation_text(i));
            missed++;
        }
    printf("%d of %d mutations caught\n", MUTATION_SIMULATED - 1 - missed,
           MUTATION_SIMULATED - 1);
    missed += explore_all();
    return missed ? EXIT_FAILURE : EXIT_SUCCESS;
}
