/* check_version.c: SemVer 2.0. */
#include "lib/event/version.h"

#include <string.h>

#include "lib/base/text.h"
#include "tests/support/suite.h"

/* In ascending order; many from https://semver.org, section 11. */
static const char *const ascending[] = {
    "0.0.0-0",
    "0.0.0",
    "0.0.1",
    "0.0.2",
    "0.0.10",
    "0.1.0",
    "1.0.0-0",
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0-99999999999999999999998",
    "1.0.0-99999999999999999999999",
    "1.0.0-100000000000000000000000",
    "1.0.0--",
    "1.0.0-0a",
    "1.0.0-1-",
    "1.0.0-A",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.1.0",
    "1.0.0-alpha.beta",
    "1.0.0-alpha-",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "1.10.0",
    "2.0.0",
    "10.0.0",
    "18446744073709551615.0.0",
    "18446744073709551616.0.0",
};

START_TEST(versions_have_the_order_of_the_table)
{
    for (int i = 0; i < COUNT(ascending); i++) {
        int order, want = (_i > i) - (_i < i);
        ck_assert(version_compare(text_of(ascending[_i]), text_of(ascending[i]),
                                  &order));
        ck_assert_msg((order > 0) - (order < 0) == want,
                      "%s, %s: got %d, want %d", ascending[_i], ascending[i],
                      order, want);
    }
}
END_TEST

static const char *const builds[][2] = {
    {"1.0.0", "1.0.0+20130313144700"},
    {"1.0.0-beta+exp.sha.5114f85", "1.0.0-beta"},
    {"1.0.0+001", "1.0.0+21AF26D3---117B344092BD"},
};

START_TEST(what_stands_behind_a_plus_plays_no_part)
{
    int order;
    ck_assert(version_compare(text_of(builds[_i][0]), text_of(builds[_i][1]),
                              &order));
    ck_assert_int_eq(order, 0);
}
END_TEST

static const char *const unreadable[] = {
    "",           "1",         "1.2",       "1.2.3.4",        "v1.2.3",
    "1.2.x",      "01.2.3",    "1.02.3",    "1.2.03",         "00.0.0",
    "1.2.3-",     "1.2.3-01",  "1.2.3-a.",  "1.2.3-.a",       "1.2.3-a..b",
    "1.2.3-a.00", "1.2.3+",    "1.2.3+a+b", "1.2.3+a.",       "1.2.3-a_b",
    " 1.2.3",     "1.2.3 ",    "1.2.3\n",   "-1.2.3",         "1.-2.3",
    "1..3",       "1.2.",      ".1.2",      "1.2.3-\xc3\xa9", "1,2,3",
    "1.2.3-a+",   "1.2.3beta", "a.b.c",     "+1.2.3",
};

START_TEST(anything_else_is_no_version)
{
    int order = 9;
    struct seg_text bad = text_of(unreadable[_i]), good = text_of("1.2.3");
    ck_assert_msg(!version_compare(bad, good, &order) &&
                      !version_compare(good, bad, &order) &&
                      !version_compare(bad, bad, &order),
                  "%s", unreadable[_i]);
    ck_assert_int_eq(order, 9);
}
END_TEST

START_TEST(absent_and_long_texts_are_harmless)
{
    enum { LEN = 100000 };
    int order;
    char *digits = malloc(LEN + 5);
    memset(digits, '9', LEN);
    memcpy(digits + LEN, ".0.0", 5);
    ck_assert(
        !version_compare((struct seg_text){NULL, 0}, text_of("1.0.0"), &order));
    ck_assert(version_compare(text_of(digits), text_of("9.0.0"), &order));
    ck_assert_int_gt(order, 0);
    free(digits);
}
END_TEST

SUITE("version", NULL, NULL,
      TABLE(versions_have_the_order_of_the_table, ascending),
      TABLE(what_stands_behind_a_plus_plays_no_part, builds),
      TABLE(anything_else_is_no_version, unreadable),
      TEST(absent_and_long_texts_are_harmless))
