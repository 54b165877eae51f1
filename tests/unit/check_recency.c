/* check_recency.c: when the first or the last event was. */
#include "lib/base/instant.h"
#include "tests/model/random.h"
#include "tests/support/one_user.h"
#include "tests/support/suite.h"

#define NOTHING ((struct seg_value){.type = SEG_MISSING})

static struct one_user one;
static const struct feature features[] = {
    {.kind = FEATURE_FIRST_TIME, .item = 0, .from_ms = FEATURE_LIFETIME},
    {.kind = FEATURE_LAST_TIME, .item = 0, .from_ms = FEATURE_LIFETIME},
};

static void setup(void)
{
    one_user_begin(&one, 0);
}

static void teardown(void)
{
    one_user_end(&one);
}

START_TEST(days_of_nothing_are_missing)
{
    ck_assert_uint_eq(one_user_measure(&one, &features[_i], 5).type,
                      SEG_MISSING);
    ck_assert_int_eq(one_user_next(&one, &features[_i], 5), SEG_NEVER);
}
END_TEST

START_TEST(the_age_is_that_of_the_first_or_last_in_any_order)
{
    struct random random = {(uint64_t)_i};
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (int n = 0; n < 200; n++) {
        int64_t time_ms = random_between(&random, -100 * DAY_MS, 100 * DAY_MS);
        int64_t now_ms = 101 * DAY_MS + n;
        one_user_fold(&one, &features[_i], time_ms, 0, NOTHING, now_ms);
        first = time_ms < first ? time_ms : first;
        last = time_ms > last ? time_ms : last;
        double want = (double)(now_ms - (_i ? last : first)) / 86400000.0;
        struct seg_value got = one_user_measure(&one, &features[_i], now_ms);
        ck_assert_uint_eq(got.type, SEG_DOUBLE);
        ck_assert(got.as.number == want);
    }
}
END_TEST

static const struct {
    int64_t age_ms;
    double days;
} ages[] = {{0, 0},
            {1, 1.0 / 86400000},
            {DAY_MS, 1},
            {DAY_MS * 5 / 2, 2.5},
            {36500 * DAY_MS, 36500}};

START_TEST(ages_are_days_with_their_fraction)
{
    one_user_fold(&one, &features[1], 1000, 0, NOTHING, 1000);
    struct seg_value got =
        one_user_measure(&one, &features[1], 1000 + ages[_i].age_ms);
    ck_assert(got.as.number == ages[_i].days);
}
END_TEST

SUITE("recency", setup, teardown, TABLE(days_of_nothing_are_missing, features),
      TABLE(the_age_is_that_of_the_first_or_last_in_any_order, features),
      TABLE(ages_are_days_with_their_fraction, ages))
