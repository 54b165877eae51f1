/* check_fit.c: which partitioner a topic was written with. */
#include "daemon/ctl/fit.h"

#include <stdio.h>

#include "lib/base/text.h"
#include "tests/support/suite.h"

static struct fit fit;

static void setup(void)
{
    fit = (struct fit){.partitions = 8};
}

static void teardown(void)
{
}

/* COUNT users where PARTITIONER puts them, or in partition n % 8 with TRUST. */
static void add(enum partitioner partitioner, int count)
{
    for (int i = 0; i < count; i++) {
        char id[32];
        snprintf(id, sizeof(id), "user-%d", i);
        int p =
            partitioner_partition(partitioner, id, strlen(id), fit.partitions);
        fit_add(&fit, p < 0 ? i % fit.partitions : p, text_of(id));
    }
}

/* Records by murmur2, by crc32, by neither, without an id; what comes of it. */
static const struct {
    int murmur2, crc32, neither, nobody;
    enum fit_verdict want;
} samples[] = {
    {0, 0, 0, 0, FIT_UNKNOWN},   {0, 0, 0, 50, FIT_UNKNOWN},
    {100, 0, 0, 0, FIT_MURMUR2}, {0, 100, 0, 0, FIT_CRC32},
    {0, 0, 100, 0, FIT_NONE},    {100, 0, 0, 900, FIT_MURMUR2},
    {95, 0, 5, 0, FIT_MURMUR2},  {0, 95, 5, 0, FIT_CRC32},
    {50, 50, 0, 0, FIT_NONE},    {80, 0, 20, 0, FIT_NONE},
};

START_TEST(most_records_decide)
{
    add(PARTITIONER_MURMUR2, samples[_i].murmur2);
    add(PARTITIONER_CRC32, samples[_i].crc32);
    add(PARTITIONER_TRUST, samples[_i].neither);
    for (int i = 0; i < samples[_i].nobody; i++)
        fit_add(&fit, 0, (struct seg_text){NULL, 0});
    ck_assert_int_eq(fit_judge(&fit), samples[_i].want);
}
END_TEST

START_TEST(of_one_partition_any_is_right)
{
    fit.partitions = 1;
    ck_assert_int_eq(fit_judge(&fit), FIT_ANY);
    add(PARTITIONER_TRUST, 3);
    ck_assert_int_eq(fit_judge(&fit), FIT_ANY);
}
END_TEST

START_TEST(one_record_that_both_put_there_tells_nothing)
{
    char id[32];
    for (int i = 0;; i++) { /* About every eighth is one. */
        snprintf(id, sizeof(id), "user-%d", i);
        int p = partitioner_partition(PARTITIONER_MURMUR2, id, strlen(id), 8);
        if (p != partitioner_partition(PARTITIONER_CRC32, id, strlen(id), 8))
            continue;
        fit_add(&fit, p, text_of(id));
        break;
    }
    ck_assert_int_eq(fit_judge(&fit), FIT_UNKNOWN);
}
END_TEST

/* Nine of ten are enough; less is not. */
static const struct {
    int right;
    enum fit_verdict want;
} limits[] = {{89, FIT_NONE}, {90, FIT_MURMUR2}, {91, FIT_MURMUR2}};

START_TEST(some_may_be_strays)
{
    fit.sampled = 120;
    fit.without_id = 20;
    fit.murmur2 = limits[_i].right;
    fit.crc32 = 12;
    ck_assert_int_eq(fit_judge(&fit), limits[_i].want);
    ck_assert_int_eq(fit_right(&fit, PARTITIONER_MURMUR2), limits[_i].right);
    ck_assert_int_eq(fit_right(&fit, PARTITIONER_CRC32), 12);
    ck_assert_int_eq(fit_right(&fit, PARTITIONER_TRUST), 100);
}
END_TEST

SUITE("fit", setup, teardown, TABLE(most_records_decide, samples),
      TEST(of_one_partition_any_is_right),
      TEST(one_record_that_both_put_there_tells_nothing),
      TABLE(some_may_be_strays, limits))
