/* model.c: what the two programs of the model test do. See model.h. */
#include "tests/model/model.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/mutant.h"
#include "tests/model/report.h"
#include "tests/model/shrink.h"
#include "tests/support/effort.h"

#define SEED         1 /* Of those who give none: all run the same cases. */
#define CASES        EFFORT(20000)
#define MUTANT_CASES 20000

struct options {
    uint64_t seed, from, cases;
    int print;
};

static int usage(void)
{
    fputs("usage: check_model or check_mutants [--cases N] [--seed S] "
          "[--from N] [--mutant NAME] [--print]\n",
          stderr);
    return 2;
}

static void print_case(uint64_t seed, uint64_t number)
{
    struct history history;
    history_init(&history, run_case_seed(seed, number));
    history_print(&history);
    history_done(&history);
}

/* Make the failing case NUMBER small and show it. */
static void show(struct run *run, uint64_t seed, uint64_t number)
{
    struct history history;
    char first[DRIVE_FAILURE_BYTES];
    memcpy(first, run->failure, sizeof(first));
    fprintf(stderr, "case %llu of seed %llu fails: %s\n",
            (unsigned long long)number, (unsigned long long)seed, first);
    history_init(&history, run_case_seed(seed, number));
    if (run->result == DRIVE_DIFFERENT)
        shrink(run, &history);
    fprintf(stderr, "---- shrunk ----\n");
    history_print(&history);
    fprintf(stderr,
            "%s\nreplay: check_model --seed %llu --from %llu --cases 1\n",
            run->failure[0] ? run->failure : first, (unsigned long long)seed,
            (unsigned long long)number);
    history_done(&history);
}

static int run_model(struct run *run, const struct options *options)
{
    printf("model: seed %llu, cases %llu to %llu\n",
           (unsigned long long)options->seed, (unsigned long long)options->from,
           (unsigned long long)(options->from + options->cases - 1));
    int64_t failed =
        run_cases(run, options->seed, options->from, options->cases);
    if (failed >= 0) {
        show(run, options->seed, (uint64_t)failed);
        return EXIT_FAILURE;
    }
    int low = report(&run->stats);
    if (low)
        fprintf(stderr, "model: %d numbers are below their floors\n", low);
    return low ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {
        {"cases", required_argument, NULL, 'c'},
        {"seed", required_argument, NULL, 's'},
        {"from", required_argument, NULL, 'f'},
        {"mutant", required_argument, NULL, 'm'},
        {"print", no_argument, NULL, 'p'},
        {NULL, 0, NULL, 0}};
    int c;
    while ((c = getopt_long(argc, argv, "", names, NULL)) >= 0) {
        if (c == 'c')
            o->cases = strtoull(optarg, NULL, 10);
        else if (c == 's')
            o->seed = strtoull(optarg, NULL, 10);
        else if (c == 'f')
            o->from = strtoull(optarg, NULL, 10);
        else if (c == 'p')
            o->print = 1;
        else if (c != 'm' || (mutant_on = mutant_find(optarg)) == MUTANT_NONE)
            return -1;
    }
    return optind == argc ? 0 : -1;
}

static int begin(int argc, char **argv, struct options *options, uint64_t cases)
{
    *options = (struct options){.seed = SEED, .cases = cases};
    setvbuf(stdout, NULL, _IOLBF, 0);
    return read_options(argc, argv, options);
}

int model_main(int argc, char **argv)
{
    struct options options;
    if (begin(argc, argv, &options, CASES) < 0)
        return usage();
    if (options.print) {
        for (uint64_t i = 0; i < options.cases; i++)
            print_case(options.seed, options.from + i);
        return EXIT_SUCCESS;
    }
    struct run *run = run_share(sizeof(*run));
    int result = run_model(run, &options);
    run_unshare(run, sizeof(*run));
    return result;
}

int model_mutants_main(int argc, char **argv)
{
    struct options options;
    if (begin(argc, argv, &options, MUTANT_CASES) < 0)
        return usage();
    return mutants_run(options.seed, options.from, options.cases, mutant_on)
               ? EXIT_FAILURE
               : EXIT_SUCCESS;
}
