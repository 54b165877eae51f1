/* check_ranks.c: a set of small numbers that gives back the least first. */
#include "lib/engine/ranks.h"

#include <stdlib.h>

#include "tests/model/random.h"
#include "tests/support/suite.h"

static struct ranks ranks;

static void setup(void)
{
}

static void teardown(void)
{
    ranks_done(&ranks);
}

static const uint32_t sizes[] = {0, 1, 63, 64, 65, 4095, 4096, 4097, 100000};

/* A twin in an array of flags. */
START_TEST(numbers_come_back_once_each_and_in_order)
{
    uint32_t size = sizes[_i];
    char *twin = calloc(size + 1ul, 1);
    struct random random = {size};
    ck_assert_ptr_nonnull(twin);
    ck_assert_int_eq(ranks_init(&ranks, size), 0);
    ck_assert_uint_eq(ranks_take(&ranks), RANKS_NONE);
    for (int round = 0; round < 20 && size; round++) {
        for (int n = 0; n < 50; n++) {
            uint32_t rank = (uint32_t)random_below(&random, size);
            ranks_add(&ranks, rank);
            twin[rank] = 1;
        }
        ranks_add(&ranks, size - 1);
        twin[size - 1] = 1;
        for (uint32_t rank = 0; rank < size; rank++)
            if (twin[rank]) {
                ck_assert_uint_eq(ranks_take(&ranks), rank);
                twin[rank] = 0;
            }
        ck_assert_uint_eq(ranks_take(&ranks), RANKS_NONE);
    }
    free(twin);
}
END_TEST

/* As judging does: one that is taken out puts others in, all behind it. */
START_TEST(what_is_put_in_meanwhile_takes_its_place)
{
    static const uint32_t want[] = {1, 2, 5, 70, 5000, 9999};
    ck_assert_int_eq(ranks_init(&ranks, 10000), 0);
    ranks_add(&ranks, 5);
    ranks_add(&ranks, 1);
    for (int i = 0; i < COUNT(want); i++) {
        ck_assert_uint_eq(ranks_take(&ranks), want[i]);
        if (want[i] == 1)
            ranks_add(&ranks, 2);
        if (want[i] == 5) {
            ranks_add(&ranks, 9999);
            ranks_add(&ranks, 70);
        }
        if (want[i] == 70)
            ranks_add(&ranks, 5000);
    }
    ck_assert_uint_eq(ranks_take(&ranks), RANKS_NONE);
}
END_TEST

START_TEST(cleared_it_is_empty)
{
    ck_assert_int_eq(ranks_init(&ranks, 5000), 0);
    for (uint32_t rank = 0; rank < 5000; rank += 7)
        ranks_add(&ranks, rank);
    ranks_clear(&ranks);
    ck_assert_uint_eq(ranks_take(&ranks), RANKS_NONE);
    ranks_add(&ranks, 4999);
    ck_assert_uint_eq(ranks_take(&ranks), 4999);
}
END_TEST

SUITE("ranks", setup, teardown,
      TABLE(numbers_come_back_once_each_and_in_order, sizes),
      TEST(what_is_put_in_meanwhile_takes_its_place), TEST(cleared_it_is_empty))
