/* check_dial.c: dials beside a list of all that was noted. */
#include <string.h>

#include <seg/engine.h>

#include "lib/user/dial.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/suite.h"

enum { NOTED_MAX = 200, LOOK = 32 };

static struct {
    uint8_t room[(DIAL_MAX + 1) * DIAL_PART_BYTES];
    struct dial dial;
    int count;
    int64_t start_ms[NOTED_MAX], end_ms[NOTED_MAX];
} of;

static void begin(int64_t period_ms)
{
    of.dial = (struct dial){period_ms, 0, of.room + 1}; /* Any address. */
    of.count = 0;
}

static void note(int64_t start_ms, int64_t end_ms)
{
    ck_assert(dial_note(&of.dial, start_ms, end_ms));
    of.start_ms[of.count] = start_ms;
    of.end_ms[of.count++] = end_ms;
}

static int naive(int64_t periods, int64_t now_ms)
{
    for (int i = 0; i < of.count; i++)
        for (int64_t k = 0; k < periods; k++) {
            int64_t at_ms = now_ms - k * of.dial.period_ms;
            if (at_ms >= of.start_ms[i] && at_ms < of.end_ms[i])
                return 1;
        }
    return 0;
}

/* At NOW_MS and until the answer changes. */
static void compare(int64_t periods, int64_t now_ms)
{
    int64_t next_ms, last_ms = now_ms + (periods + 2) * of.dial.period_ms;
    int is = dial_ask(&of.dial, periods, now_ms, &next_ms);
    ck_assert_int_eq(is, naive(periods, now_ms));
    ck_assert_int_gt(next_ms, now_ms);
    for (int64_t at = now_ms + 1; at < next_ms && at <= last_ms; at++)
        if (naive(periods, at) != is)
            ck_abort_msg("changes at %lld, next %lld", (long long)at,
                         (long long)next_ms);
    if (of.dial.count <= LOOK && next_ms != SEG_NEVER)
        ck_assert_int_ne(naive(periods, next_ms), is);
}

static void compare_period(int64_t periods, int64_t now_ms)
{
    for (int64_t at = now_ms; at <= now_ms + of.dial.period_ms; at++)
        compare(periods, at);
    compare(periods, now_ms + (periods - 1) * of.dial.period_ms);
    compare(periods, now_ms + periods * of.dial.period_ms);
}

START_TEST(a_dial_knows_what_was_noted_in_the_last_periods)
{
    for (uint64_t seed = 0; seed < EFFORT(60); seed++) {
        struct random random = {seed};
        int64_t periods = random_between(&random, 1, 12);
        int64_t now_ms = random_between(&random, -500, 500);
        begin(random_between(&random, 1, seed % 3 ? 24 : 90));
        for (int i = 0; i < 60; i++) {
            int64_t start = now_ms + random_below(&random, 30);
            /* As a rule some of a period, now and then more than one. */
            int64_t len = random_chance(&random, 5)
                              ? random_between(&random, 1, 60)
                              : random_between(&random, 1, 4);
            note(start, start + len);
            now_ms = start + len;
            if (random_chance(&random, 10))
                dial_forget(&of.dial, periods, now_ms);
            if (i % 6 == 0)
                compare_period(periods, now_ms);
        }
    }
}
END_TEST

/* A crowd, noted once more with each that joins it. */
START_TEST(what_follows_in_the_same_period_is_one_part)
{
    begin(100);
    for (int64_t at = 10; at < 60; at++)
        note(at, at + 30);
    ck_assert_uint_eq(of.dial.count, 3);
    compare_period(3, 90);
    note(210, 230);
    ck_assert_uint_eq(of.dial.count, 4);
    compare_period(3, 230);
}
END_TEST

START_TEST(what_is_too_long_ago_is_forgotten)
{
    begin(100);
    for (int64_t i = 0; i < 9; i++)
        note(1000 * i + 10 * i, 1000 * i + 10 * i + 5);
    ck_assert_uint_gt(of.dial.count, 17);
    dial_forget(&of.dial, 30, 8100);
    compare_period(30, 8100);
    ck_assert_uint_lt(of.dial.count, 9);
    dial_forget(&of.dial, 30, 12000);
    ck_assert_uint_eq(of.dial.count, 0);
    compare_period(30, 12000);
}
END_TEST

START_TEST(one_part_too_many_is_refused)
{
    begin(INT64_C(1) << 40);
    int64_t at = 10;
    for (int i = 0; i < DIAL_MAX / 2 - 1; i++, at += 10)
        ck_assert(dial_note(&of.dial, at, at + 5));
    ck_assert_uint_eq(of.dial.count, DIAL_MAX - 1);
    ck_assert(!dial_note(&of.dial, at, at + 5));
    ck_assert_uint_eq(of.dial.count, DIAL_MAX - 1);
}
END_TEST

SUITE("dial", NULL, NULL, TEST(a_dial_knows_what_was_noted_in_the_last_periods),
      TEST(what_follows_in_the_same_period_is_one_part),
      TEST(what_is_too_long_ago_is_forgotten),
      TEST(one_part_too_many_is_refused))
