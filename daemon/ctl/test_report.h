/* test_report.h: what `segmentctl test` says, as text, TAP and JUnit. */
#ifndef CTL_TEST_REPORT_H
#define CTL_TEST_REPORT_H

#include <seg/catalogue.h>

#include "lib/base/buf.h"

/* ---- test_text.c --------------------------------------------------------- */

/* TEXT, each line of it behind PREFIX. */
void test_indented(const char *prefix, const char *text);

void test_text(const struct seg_test_result *result);

/* ---- test_tap.c: version 13, which every reader knows -------------------- */

/* The result of test NUMBER, from 1. */
void test_tap(const struct seg_test_result *result, int number);
void test_tap_begin(void);

/* There were COUNT tests; or all ended because of ERROR. */
void test_tap_end(int count);
void test_tap_abort(const char *error);

/* ---- test_coverage.c ----------------------------------------------------- */

struct test_coverage {
    const char *prefix;          /* In front of every line. */
    struct buf table;            /* What is printed in the end. */
    struct buf segment;          /* Key of the last one in the table. */
    long count, covered;         /* Conditions; those seen both ways, */
    struct seg_coverage *missed; /* and the others. */
    size_t missed_cap;
    int failed; /* There was no memory for them. */
};

void test_coverage_init(struct test_coverage *coverage, const char *prefix);
void test_coverage_done(struct test_coverage *coverage);
void test_coverage_add(struct test_coverage *coverage,
                       const struct seg_coverage *one);

/* Whether at least LEAST per cent are covered. */
int test_coverage_enough(const struct test_coverage *coverage, int least);

/* Per cent, rounded down. */
long test_coverage_percent(const struct test_coverage *coverage);

/* Print the table and the total. Returns CTL_GOOD, or CTL_FAILED if less than
 * LEAST per cent are covered, which is said. */
int test_coverage_print(const struct test_coverage *coverage, int least);

/* ---- test_junit.c -------------------------------------------------------- */

struct test_junit {
    struct buf cases; /* <testcase> elements. */
    int count, failed;
    const struct test_coverage *coverage; /* NULL: nobody asked. */
    int least;                            /* Per cent. */
};

/* Append RESULT as a <testcase>. */
void test_junit_case(struct test_junit *junit,
                     const struct seg_test_result *result);

/* Write the report to PATH. Returns an exit status. */
int test_junit_write(const char *path, const struct test_junit *junit);

#endif
