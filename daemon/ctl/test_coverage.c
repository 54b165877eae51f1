/* test_coverage.c: which conditions tests have seen true, and which false.
 *
 *   coverage of eager:
 *     true  false  eager.seg:3:8: did "Tried" at least 2 times in 1h
 *     true  -      eager.seg:4:7: user.plan = "pro"
 *   coverage: 1 of 2 conditions seen true and false, 50 %
 *
 * Percentages are rounded down: 100 % is all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/test_report.h"
#include "lib/base/alloc.h"

void test_coverage_init(struct test_coverage *coverage, const char *prefix)
{
    *coverage = (struct test_coverage){.prefix = prefix};
    buf_init(&coverage->table);
    buf_init(&coverage->segment);
}

void test_coverage_done(struct test_coverage *coverage)
{
    buf_done(&coverage->table);
    buf_done(&coverage->segment);
    free(coverage->missed);
}

static void add_missed(struct test_coverage *coverage,
                       const struct seg_coverage *one)
{
    size_t missed = (size_t)(coverage->count - coverage->covered);
    void *items = coverage->missed;
    if (alloc_grow(&items, &coverage->missed_cap, missed, sizeof(*one)) < 0) {
        coverage->failed = 1;
        return;
    }
    coverage->missed = items;
    coverage->missed[missed - 1] = *one;
}

void test_coverage_add(struct test_coverage *coverage,
                       const struct seg_coverage *one)
{
    struct buf *table = &coverage->table;
    coverage->count++;
    if (one->seen_true && one->seen_false)
        coverage->covered++;
    else
        add_missed(coverage, one);
    if (strcmp(buf_string(&coverage->segment), one->segment) != 0) {
        buf_reset(&coverage->segment);
        buf_str(&coverage->segment, one->segment);
        buf_printf(table, "%scoverage of %s:\n", coverage->prefix,
                   one->segment);
    }
    buf_printf(table, "%s  %-4s  %-5s  %s:%d:%d: ", coverage->prefix,
               one->seen_true ? "true" : "-", one->seen_false ? "false" : "-",
               one->file, one->line, one->column);
    buf_str(table, one->condition);
    buf_char(table, '\n');
}

long test_coverage_percent(const struct test_coverage *coverage)
{
    return coverage->count ? coverage->covered * 100 / coverage->count : 100;
}

int test_coverage_enough(const struct test_coverage *coverage, int least)
{
    return coverage->covered * 100 >= (long)least * coverage->count;
}

int test_coverage_print(const struct test_coverage *coverage, int least)
{
    long count = coverage->count, covered = coverage->covered;
    if (buf_failed(&coverage->table) || buf_failed(&coverage->segment) ||
        coverage->failed)
        return ctl_fail("%s", seg_error_sentence(SEG_ERR_NOMEM));
    fwrite(coverage->table.bytes, 1, coverage->table.len, stdout);
    printf("%scoverage: %ld of %ld condition%s seen true and false, %ld %%\n",
           coverage->prefix, covered, count, count == 1 ? "" : "s",
           test_coverage_percent(coverage));
    if (test_coverage_enough(coverage, least))
        return CTL_GOOD;
    return ctl_fail("less than %d %% of the conditions are covered", least);
}
