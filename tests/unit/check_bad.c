/* check_bad.c: the share of bad records. */
#include "daemon/protocol/bad.h"

#include "tests/model/random.h"
#include "tests/support/suite.h"

START_TEST(the_alarm_comes_with_more_than_half)
{
    struct bad bad = {0};

    for (int i = 0; i < BAD_WINDOW / 2; i++)
        bad_note(&bad, 1);
    ck_assert(!bad_alarm(&bad));
    bad_note(&bad, 1);
    ck_assert(bad_alarm(&bad));
}
END_TEST

START_TEST(only_the_last_thousand_count)
{
    struct bad bad = {0};

    for (int i = 0; i < 3 * BAD_WINDOW; i++)
        bad_note(&bad, i % 2);
    ck_assert(!bad_alarm(&bad));
    ck_assert_int_eq(bad.count, BAD_WINDOW);
    ck_assert_int_eq(bad.bad, BAD_WINDOW / 2);
    for (int i = 0; i < BAD_WINDOW; i++)
        bad_note(&bad, 0);
    ck_assert_int_eq(bad.bad, 0);
}
END_TEST

START_TEST(records_are_told_oldest_first)
{
    struct random random = {3};
    struct bad bad = {0};
    char all[3 * BAD_WINDOW];

    for (int n = 0; n < COUNT(all); n++) {
        all[n] = (char)random_chance(&random, 40);
        bad_note(&bad, all[n]);
        int sum = 0;
        for (int i = 0; i < bad.count; i++) {
            sum += bad_at(&bad, i);
            if (n % 97 == 0)
                ck_assert_int_eq(bad_at(&bad, i), all[n + 1 - bad.count + i]);
        }
        ck_assert_int_eq(bad.bad, sum);
    }
}
END_TEST

SUITE("bad", NULL, NULL, TEST(the_alarm_comes_with_more_than_half),
      TEST(only_the_last_thousand_count), TEST(records_are_told_oldest_first))
