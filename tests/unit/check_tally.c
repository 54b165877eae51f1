/* check_tally.c: how many events there were, ever; and what features share. */
#include "tests/support/one_user.h"
#include "tests/support/suite.h"

#define NOTHING ((struct seg_value){.type = SEG_MISSING})

static struct one_user one;
static const uint32_t flips[] = {2, 5};
static const struct feature feature = {.kind = FEATURE_TALLY,
                                       .item = 9,
                                       .from_ms = FEATURE_LIFETIME,
                                       .flip_count = 2,
                                       .flips = flips};

static void setup(void)
{
    one_user_begin(&one, 0);
}

static void teardown(void)
{
    one_user_end(&one);
}

START_TEST(every_event_counts_however_old)
{
    ck_assert_uint_eq(feature_count(one.user, &feature, 0), 0);
    for (uint64_t n = 0; n < 1000; n++) {
        one_user_fold(&one, &feature, -(int64_t)(n * n), 0, NOTHING, 0);
        ck_assert_uint_eq(one.folded.before, n);
        ck_assert_uint_eq(one.folded.after, n + 1);
        ck_assert_uint_eq(feature_count(one.user, &feature, 0), n + 1);
    }
    ck_assert_int_eq(one_user_next(&one, &feature, 0), SEG_NEVER);
}
END_TEST

static const struct {
    uint64_t count;
    uint32_t region;
} regions[] = {{0, 0}, {1, 0}, {2, 1}, {4, 1}, {5, 2}, {6, 2}, {UINT64_MAX, 2}};

START_TEST(a_region_is_the_number_of_flips_reached)
{
    ck_assert_uint_eq(feature_region(&feature, regions[_i].count),
                      regions[_i].region);
}
END_TEST

START_TEST(every_kind_has_a_code_of_its_own_and_is_found_by_it)
{
    static const enum feature_kind kinds[] = {
#define X(name, ops, code, counts) FEATURE_##name,
        FEATURE_TABLE(X)
#undef X
    };
    for (int i = 0; i < COUNT(kinds); i++) {
        ck_assert_int_eq(feature_kind_of_code(feature_code(kinds[i])),
                         (int)kinds[i]);
        ck_assert_ptr_nonnull(feature_ops_of(kinds[i]));
        for (int j = 0; j < i; j++)
            ck_assert_int_ne(feature_code(kinds[i]), feature_code(kinds[j]));
    }
    ck_assert_int_eq(feature_kind_of_code(0), -1);
    ck_assert_int_eq(feature_kind_of_code(255), -1);
}
END_TEST

SUITE("tally", setup, teardown, TEST(every_event_counts_however_old),
      TABLE(a_region_is_the_number_of_flips_reached, regions),
      TEST(every_kind_has_a_code_of_its_own_and_is_found_by_it))
