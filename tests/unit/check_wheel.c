/* check_wheel.c: the timing wheel beside a naive list of instants. */
#include "lib/base/wheel.h"

#include <string.h>

#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/suite.h"

enum { IDS = 40 };

static struct wheel wheel;
static int64_t instants[IDS]; /* The naive twin. */
static int64_t now;

static void begin(int64_t at_ms)
{
    wheel_init(&wheel, at_ms);
    ck_assert_int_eq(wheel_reserve(&wheel, IDS), 0);
    now = at_ms;
    for (int i = 0; i < IDS; i++)
        instants[i] = WHEEL_NEVER;
}

static void teardown(void)
{
    wheel_done(&wheel);
}

static void set(uint32_t id, int64_t at_ms)
{
    wheel_set(&wheel, id, at_ms);
    instants[id] = at_ms < now ? now : at_ms;
}

static int64_t earliest(void)
{
    int64_t least = WHEEL_NEVER;
    for (int i = 0; i < IDS; i++)
        least = instants[i] < least ? instants[i] : least;
    return least;
}

static int set_count(void)
{
    int count = 0;
    for (int i = 0; i < IDS; i++)
        count += instants[i] != WHEEL_NEVER;
    return count;
}

static void compare(void)
{
    for (uint32_t i = 0; i < IDS; i++)
        ck_assert_msg(wheel_at(&wheel, i) == instants[i],
                      "timer %u: got %lld, want %lld", i,
                      (long long)wheel_at(&wheel, i), (long long)instants[i]);
    int64_t bound = wheel_next(&wheel), least = earliest();
    ck_assert_msg(bound <= least, "next is %lld, the earliest %lld",
                  (long long)bound, (long long)least);
    ck_assert((bound == WHEEL_NEVER) == (least == WHEEL_NEVER));
    ck_assert_int_le(wheel.now_ms, now);
    ck_assert_int_eq((int)wheel.set_count, set_count());
}

/* Pop until nothing is due by TO_MS, with the twin at every step; sometimes the
 * popped timer is set anew, as an engine does. */
static void pop_all(struct random *random, int64_t to_ms)
{
    int64_t at_ms;
    uint32_t id;
    while (!wheel_skip(&wheel, to_ms) &&
           (id = wheel_pop(&wheel, to_ms, &at_ms)) != WHEEL_NONE) {
        ck_assert_int_eq(at_ms, earliest());
        ck_assert_int_eq(at_ms, instants[id]);
        ck_assert_int_le(at_ms, to_ms);
        ck_assert_int_le(wheel.now_ms, at_ms);
        instants[id] = WHEEL_NEVER;
        now = at_ms > now ? at_ms : now;
        if (random_chance(random, 30)) {
            wheel_set(&wheel, id, at_ms + 1 + random_below(random, 5000));
            instants[id] = wheel_at(&wheel, id);
        }
    }
    ck_assert_int_gt(earliest(), to_ms);
    now = to_ms > now ? to_ms : now;
    ck_assert_int_eq(wheel.now_ms, now);
}

/* How far apart: ms, seconds, days, years, ages. */
static const int64_t spreads[] = {3,
                                  100,
                                  5000,
                                  100000,
                                  86400000,
                                  INT64_C(31536000000),
                                  INT64_C(3153600000000),
                                  INT64_C(1) << 50,
                                  INT64_C(1) << 60};

static const int64_t starts[] = {0,
                                 -1,
                                 -64,
                                 63,
                                 4095,
                                 INT64_C(1700000000000),
                                 INT64_C(-62167219200000),
                                 INT64_MIN};

START_TEST(timers_come_in_order_whatever_is_set_cleared_and_moved)
{
    struct random random = {(uint64_t)_i};
    for (int round = 0; round < EFFORT(60); round++) {
        begin(RANDOM_OF(&random, starts));
        for (int step = 0; step < 300 && now < INT64_C(1) << 61; step++) {
            int64_t spread = RANDOM_OF(&random, spreads);
            uint32_t id = (uint32_t)random_below(&random, IDS);
            int64_t at_ms = now + random_below(&random, spread);
            switch (random_below(&random, 8)) {
            case 0:
                set(id, WHEEL_NEVER);
                break;
            case 1: /* The same instant as another. */
                set(id, instants[random_below(&random, IDS)]);
                break;
            case 2: /* In the past. */
                set(id, now < -INT64_MAX / 2 ? now : now - spread);
                break;
            case 3:
                pop_all(&random, at_ms);
                break;
            default:
                set(id, at_ms);
            }
            compare();
        }
        wheel_done(&wheel);
    }
    begin(0);
}
END_TEST

START_TEST(one_pop_takes_one_timer_and_time_stands_till_it_is_its_turn)
{
    int64_t at_ms;
    begin(0);
    set(3, 1000000);
    set(5, 999999);
    ck_assert_uint_eq(wheel_pop(&wheel, 999998, &at_ms), WHEEL_NONE);
    ck_assert_int_eq(wheel.now_ms, 999998);
    ck_assert_uint_eq(wheel_pop(&wheel, 1000000, &at_ms), 5);
    ck_assert_int_eq(at_ms, 999999);
    ck_assert_uint_eq(wheel_pop(&wheel, 1000000, &at_ms), 3);
    ck_assert_uint_eq(wheel_pop(&wheel, 1000000, &at_ms), WHEEL_NONE);
}
END_TEST

/* The slot of the second timer begins before the instant up to which the first
 * one had promised quiet. */
START_TEST(time_does_not_slip_into_a_slot_that_was_filled_since)
{
    int64_t at_ms;
    begin(0);
    set(3, 64 * 64 * 9);
    ck_assert_uint_eq(wheel_pop(&wheel, 10, &at_ms), WHEEL_NONE);
    set(5, 64 * 64 + 70);
    ck_assert_int_eq(wheel_skip(&wheel, 64 * 64 - 1), 1);
    ck_assert_int_eq(wheel_skip(&wheel, 64 * 64 + 66), 0);
    ck_assert_uint_eq(wheel_pop(&wheel, 64 * 64 + 66, &at_ms), WHEEL_NONE);
    ck_assert_int_gt(wheel_next(&wheel), wheel.now_ms);
    ck_assert_uint_eq(wheel_pop(&wheel, 64 * 64 + 70, &at_ms), 5);
}
END_TEST

START_TEST(next_is_exact_within_the_present_64_ms_and_a_lower_bound_beyond)
{
    begin(128);
    ck_assert_int_eq(wheel_next(&wheel), WHEEL_NEVER);
    set(0, 191);
    ck_assert_int_eq(wheel_next(&wheel), 191);
    set(1, 150);
    ck_assert_int_eq(wheel_next(&wheel), 150);
    set(0, WHEEL_NEVER);
    set(1, 10000);
    ck_assert_int_le(wheel_next(&wheel), 10000);
    ck_assert_int_gt(wheel_next(&wheel), 128);
}
END_TEST

START_TEST(a_timer_at_every_millisecond_of_an_hour_comes_at_its_own)
{
    enum { HOUR = 3600 * 1000 / 10 };
    int64_t at_ms, last = -1;
    wheel_init(&wheel, 0);
    ck_assert_int_eq(wheel_reserve(&wheel, HOUR), 0);
    for (uint32_t i = 0; i < HOUR; i++)
        wheel_set(&wheel, i, (int64_t)i * 7919 % HOUR * 10);
    for (uint32_t i = 0; i < HOUR; i++) {
        ck_assert_uint_ne(wheel_pop(&wheel, INT64_MAX, &at_ms), WHEEL_NONE);
        ck_assert_int_eq(at_ms, last < 0 ? 0 : last + 10);
        last = at_ms;
    }
    ck_assert_uint_eq(wheel.set_count, 0);
}
END_TEST

START_TEST(the_last_instant_of_all_can_be_set_and_popped)
{
    int64_t at_ms;
    begin(INT64_MIN);
    set(0, WHEEL_NEVER - 1);
    set(1, INT64_MIN);
    ck_assert_uint_eq(wheel_pop(&wheel, INT64_MIN, &at_ms), 1);
    ck_assert_int_eq(at_ms, INT64_MIN);
    ck_assert_uint_eq(wheel_pop(&wheel, WHEEL_NEVER - 2, &at_ms), WHEEL_NONE);
    ck_assert_uint_eq(wheel_pop(&wheel, WHEEL_NEVER - 1, &at_ms), 0);
    ck_assert_int_eq(at_ms, WHEEL_NEVER - 1);
}
END_TEST

START_TEST(more_room_leaves_timers_as_they_were)
{
    begin(0);
    set(7, 12345);
    ck_assert_int_eq(wheel_reserve(&wheel, 100000), 0);
    ck_assert_int_eq(wheel_reserve(&wheel, 5), 0);
    ck_assert_uint_ge(wheel.count, 100000);
    ck_assert_int_eq(wheel_at(&wheel, 7), 12345);
    ck_assert_int_eq(wheel_at(&wheel, 99999), WHEEL_NEVER);
}
END_TEST

SUITE("wheel", NULL, teardown,
      TABLE(timers_come_in_order_whatever_is_set_cleared_and_moved, starts),
      TEST(one_pop_takes_one_timer_and_time_stands_till_it_is_its_turn),
      TEST(time_does_not_slip_into_a_slot_that_was_filled_since),
      TEST(next_is_exact_within_the_present_64_ms_and_a_lower_bound_beyond),
      TEST(a_timer_at_every_millisecond_of_an_hour_comes_at_its_own),
      TEST(the_last_instant_of_all_can_be_set_and_popped),
      TEST(more_room_leaves_timers_as_they_were))
