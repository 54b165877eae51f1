/* The protocol in every order: two workers, one partition, few records, all
 * interleavings and crashes (tests/support/sim_explore.h).
 *
 *     check_explore              the small ones, for `make check`
 *     check_explore NAME [MAX]   one of them all, at most MAX states */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/effort.h"
#include "tests/support/sim_explore.h"

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Returns 1 if it failed. */
static int run(const struct explore_options *options)
{
    struct explore_result result;
    double began = seconds();

    explore(options, &result, 1);
    printf(
        "%-10s %8u states %9llu transitions, depth %3d, %5u ends, %.1f s%s\n",
        options->name, result.states, (unsigned long long)result.transitions,
        result.depth, result.ends, seconds() - began,
        result.cut ? ", cut" : "");
    if (result.bad[0])
        printf("%s FAILED: %s\n", options->name, result.bad);
    fflush(stdout);
    return result.bad[0] || (!result.cut && !result.ends);
}

int main(int argc, char **argv)
{
    struct explore_options options;
    int failed = 0, found = 0;

    for (int i = 0; explore_configurations[i].name; i++) {
        options = explore_configurations[i];
        if (argc > 1 ? strcmp(argv[1], options.name) : options.by_hand)
            continue;
        if (EFFORT_OR(0, 1)) /* Each state is a run: a sanitizer sees enough. */
            options.states_max = 300;
        if (argc > 2)
            options.states_max = (uint32_t)strtoul(argv[2], NULL, 10);
        failed += run(&options);
        found++;
    }
    return failed || !found ? EXIT_FAILURE : EXIT_SUCCESS;
}
