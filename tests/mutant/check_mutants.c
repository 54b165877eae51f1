/* Can the simulation see? Every rule of daemon/protocol/mutation.h is broken,
 * one at a time, and some seeded run must fail.
 *
 * The files that keep the rules are compiled once more here, with
 * PROTOCOL_MUTATIONS, and take the place of the daemon's own.
 *
 *     check_mutants              all of them
 *     check_mutants NAME         one, with the runs that fail
 *     check_mutants NAME SEED    one run of it, step by step */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/protocol/mutation.h"
#include "tests/support/sim_world.h"

enum { RUNS = 20000 };

int protocol_mutation;

static const struct {
    const char *name, *text;
} table[] = {{"NONE", "no rule is broken"},
#define X(name, text) {#name, text},
             MUTATION_TABLE(X)
#undef X
};

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
                       table[mutation].name, (unsigned long long)seed,
                       world.bad);
            found = found ? found : seed;
        }
        world_done(&world);
    }
    return found;
}

static int find(const char *name)
{
    for (int i = 0; i < MUTATION_COUNT; i++)
        if (!strcmp(table[i].name, name))
            return i;
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
        printf("caught %s: %s\n", table[mutation].name,
               strsignal(WTERMSIG(status)));
    return status != 0;
}

int main(int argc, char **argv)
{
    int missed = 0;

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
    for (int i = 1; i < MUTATION_COUNT; i++)
        if (!is_caught(i, RUNS)) {
            printf("MISSED %s: %s\n", table[i].name, table[i].text);
            missed++;
        }
    printf("%d of %d mutations caught\n", MUTATION_COUNT - 1 - missed,
           MUTATION_COUNT - 1);
    return missed ? EXIT_FAILURE : EXIT_SUCCESS;
}
