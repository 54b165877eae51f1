/* test.c: segmentctl test.
 *
 * Results are printed as they come and, for JUnit, collected: its root element
 * holds the totals, so the file is written at the end. */
#include <stdlib.h>

#include "daemon/ctl/brokers.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/files.h"
#include "daemon/ctl/test_report.h"

struct options {
    const char *junit; /* NULL: none. */
    int tap, coverage;
    int least; /* Per cent. */
};

struct results {
    int tap;
    struct test_junit junit; /* It counts, whoever wants it written. */
    struct test_coverage coverage;
};

static void report(void *arg, const struct seg_test_result *result)
{
    struct results *results = arg;
    test_junit_case(&results->junit, result);
    if (results->tap)
        test_tap(result, results->junit.count);
    else
        test_text(result);
}

static void cover(void *arg, const struct seg_coverage *one)
{
    struct results *results = arg;
    test_coverage_add(&results->coverage, one);
}

static void print_total(const struct results *results)
{
    int count = results->junit.count;
    if (results->tap)
        test_tap_end(count);
    else
        printf("%d test%s, %d failed\n", count, count == 1 ? "" : "s",
               results->junit.failed);
}

static int run(const struct seg_catalogue *catalogue,
               const struct options *options, struct results *results)
{
    int status = CTL_GOOD;
    if (options->tap)
        test_tap_begin();
    int failed = seg_catalogue_test_coverage(
        catalogue, report, options->coverage ? cover : NULL, results);
    if (failed < 0) {
        if (options->tap)
            test_tap_abort(seg_error_sentence(failed));
        return ctl_fail("%s", seg_error_sentence(failed));
    }
    print_total(results);
    if (options->coverage &&
        test_coverage_print(&results->coverage, options->least) != CTL_GOOD)
        status = CTL_FAILED;
    if (options->junit &&
        test_junit_write(options->junit, &results->junit) != CTL_GOOD)
        status = CTL_FAILED;
    return failed ? CTL_FAILED : status;
}

static int test(const struct segment_files *files,
                const struct options *options)
{
    struct seg_catalogue *catalogue;
    int status = files_compile(&catalogue, files);
    if (status != CTL_GOOD)
        return status;
    struct results results = {
        .tap = options->tap,
        .junit = {.coverage = options->coverage ? &results.coverage : NULL,
                  .least = options->least}};
    buf_init(&results.junit.cases);
    test_coverage_init(&results.coverage, options->tap ? "# " : "");
    status = run(catalogue, options, &results);
    buf_done(&results.junit.cases);
    test_coverage_done(&results.coverage);
    seg_catalogue_free(catalogue);
    return status;
}

static int read_percent(const char *text, int *percent)
{
    int64_t value = brokers_number(text, 100);
    if (value < 0)
        return ctl_usage("test", "--coverage-min: from 0 to 100, not %s", text);
    *percent = (int)value;
    return CTL_GOOD;
}

static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"junit", required_argument, NULL, 'j'},
        {"tap", no_argument, NULL, 't'},
        {"coverage", no_argument, NULL, 'c'},
        {"coverage-min", required_argument, NULL, 'm'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = ctl_option(argc, argv, known)) != -1;) {
        if (option == '?' ||
            (option == 'm' && read_percent(optarg, &options->least)))
            return CTL_USAGE;
        if (option == 'j')
            options->junit = optarg;
        options->tap |= option == 't';
        options->coverage |= option == 'c' || option == 'm';
    }
    return optind < argc ? CTL_GOOD : ctl_usage("test", "which files?");
}

int ctl_test(int argc, char **argv)
{
    struct options options = {0};
    struct segment_files files;
    if (read_options(&options, argc, argv) != CTL_GOOD)
        return CTL_USAGE;
    int status = files_read(&files, argv + optind, argc - optind);
    if (status == CTL_GOOD)
        status = test(&files, &options);
    segment_files_done(&files);
    return status;
}
