/* check_timers.c: timers beside a naive list of instants. */
#include "lib/base/timers.h"

#include <string.h>

#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/suite.h"

enum { IDS = 300 }; /* Three levels. */

static struct timers timers;
static int64_t instants[IDS]; /* The naive twin. */
static int64_t now;

static void begin(int64_t at_ms)
{
    timers_init(&timers, at_ms);
    ck_assert_int_eq(timers_reserve(&timers, IDS), 0);
    now = at_ms;
    for (int i = 0; i < IDS; i++)
        instants[i] = TIMERS_NEVER;
}

static void teardown(void)
{
    timers_done(&timers);
}

static void set(uint32_t id, int64_t at_ms)
{
    timers_set(&timers, id, at_ms);
    instants[id] = at_ms < now ? now : at_ms;
}

static int64_t earliest(void)
{
    int64_t least = TIMERS_NEVER;
    for (int i = 0; i < IDS; i++)
        least = instants[i] < least ? instants[i] : least;
    return least;
}

static int set_count(void)
{
    int count = 0;
    for (int i = 0; i < IDS; i++)
        count += instants[i] != TIMERS_NEVER;
    return count;
}

static void compare(void)
{
    for (uint32_t i = 0; i < IDS; i++)
        if (timers_at(&timers, i) != instants[i])
            ck_abort_msg("timer %u: got %lld, want %lld", i,
                         (long long)timers_at(&timers, i),
                         (long long)instants[i]);
    int64_t bound = timers_next(&timers), least = earliest();
    ck_assert_msg(bound <= least, "next is %lld, the earliest %lld",
                  (long long)bound, (long long)least);
    ck_assert((bound == TIMERS_NEVER) == (least == TIMERS_NEVER));
    ck_assert_int_le(timers.now_ms, now);
    ck_assert_int_eq((int)timers.set_count, set_count());
}

/* Pop until nothing is due by TO_MS, with the twin at every step; sometimes the
 * popped timer is set anew, as an engine does. */
static void pop_all(struct random *random, int64_t to_ms)
{
    int64_t at_ms;
    uint32_t id;
    while (!timers_skip(&timers, to_ms) &&
           (id = timers_pop(&timers, to_ms, &at_ms)) != TIMERS_NONE) {
        ck_assert_int_eq(at_ms, earliest());
        ck_assert_int_eq(at_ms, instants[id]);
        ck_assert_int_le(at_ms, to_ms);
        ck_assert_int_le(timers.now_ms, at_ms);
        instants[id] = TIMERS_NEVER;
        now = at_ms > now ? at_ms : now;
        if (random_chance(random, 30)) {
            timers_set(&timers, id, at_ms + 1 + random_below(random, 5000));
            instants[id] = timers_at(&timers, id);
        }
    }
    ck_assert_int_gt(earliest(), to_ms);
    now = to_ms > now ? to_ms : now;
    ck_assert_int_eq(timers.now_ms, now);
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
                set(id, TIMERS_NEVER);
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
        timers_done(&timers);
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
    ck_assert_uint_eq(timers_pop(&timers, 999998, &at_ms), TIMERS_NONE);
    ck_assert_int_eq(timers.now_ms, 999998);
    ck_assert_uint_eq(timers_pop(&timers, 1000000, &at_ms), 5);
    ck_assert_int_eq(at_ms, 999999);
    ck_assert_uint_eq(timers_pop(&timers, 1000000, &at_ms), 3);
    ck_assert_uint_eq(timers_pop(&timers, 1000000, &at_ms), TIMERS_NONE);
}
END_TEST

#define DAY_MS INT64_C(86400000)

START_TEST(next_is_exact_within_37_days_and_a_lower_bound_beyond)
{
    begin(128);
    ck_assert_int_eq(timers_next(&timers), TIMERS_NEVER);
    set(0, 191);
    ck_assert_int_eq(timers_next(&timers), 191);
    set(1, 150);
    ck_assert_int_eq(timers_next(&timers), 150);
    set(0, TIMERS_NEVER);
    set(1, 37 * DAY_MS);
    ck_assert_int_eq(timers_next(&timers), 37 * DAY_MS);
    set(1, 100 * DAY_MS);
    ck_assert_int_le(timers_next(&timers), 100 * DAY_MS);
    ck_assert_int_gt(timers_next(&timers), 37 * DAY_MS);
}
END_TEST

START_TEST(timers_of_one_instant_come_in_order_of_their_ids)
{
    int64_t at_ms;
    begin(0);
    for (uint32_t id = IDS; id-- > 0;)
        set(id, 5000);
    for (uint32_t id = 0; id < IDS; id++)
        ck_assert_uint_eq(timers_pop(&timers, 5000, &at_ms), id);
}
END_TEST

/* For months, a timer set anew each hour to what is a month ahead. */
START_TEST(what_is_within_37_days_of_now_is_never_far)
{
    int64_t at_ms;
    begin(0);
    for (int64_t hour = 0; hour < 24 * 200; hour++) {
        now = hour * (DAY_MS / 24);
        ck_assert_uint_eq(timers_pop(&timers, now, &at_ms), TIMERS_NONE);
        set((uint32_t)hour % 7, now + 37 * DAY_MS);
        set(8, now + 100);
        ck_assert_uint_eq(timers_pop(&timers, now + 100, &at_ms), 8);
        instants[8] = TIMERS_NEVER;
        ck_assert_uint_eq(timers.far_count, 0);
        ck_assert_ptr_null(timers.far_ms);
    }
    now += 100;
    compare();
}
END_TEST

START_TEST(instants_far_away_take_memory_only_while_there_are_any)
{
    begin(0);
    size_t bytes = timers_bytes(&timers);
    set(3, 50 * DAY_MS);
    set(4, 60 * DAY_MS);
    ck_assert_uint_eq(timers_bytes(&timers),
                      bytes + timers.count * sizeof(int64_t));
    ck_assert_int_eq(timers_reserve(&timers, 5000), 0);
    ck_assert_uint_eq(timers_bytes(&timers) / timers.count, 12);
    compare();
    set(3, 10);
    compare();
    ck_assert_ptr_nonnull(timers.far_ms);
    set(4, TIMERS_NEVER);
    ck_assert_ptr_null(timers.far_ms);
    ck_assert_uint_eq(timers_bytes(&timers) / timers.count, 4);
    compare();
}
END_TEST

/* Each lies further from the one before than can be said without an epoch. */
START_TEST(years_without_a_timer_are_passed_at_once)
{
    int64_t at_ms;
    begin(-7);
    for (uint32_t id = 0; id < 50; id++)
        set(id, (50 - id) * 400 * DAY_MS);
    for (uint32_t id = 50; id-- > 0;) {
        ck_assert_uint_eq(timers_pop(&timers, instants[id] - 1, &at_ms),
                          TIMERS_NONE);
        ck_assert_uint_eq(timers_pop(&timers, INT64_MAX, &at_ms), id);
        ck_assert_int_eq(at_ms, (50 - id) * 400 * DAY_MS);
    }
    ck_assert_ptr_null(timers.far_ms);
}
END_TEST

START_TEST(a_timer_at_every_millisecond_of_an_hour_comes_at_its_own)
{
    enum { HOUR = 3600 * 1000 / 10 };
    int64_t at_ms, last = -1;
    timers_init(&timers, 0);
    ck_assert_int_eq(timers_reserve(&timers, HOUR), 0);
    for (uint32_t i = 0; i < HOUR; i++)
        timers_set(&timers, i, (int64_t)i * 7919 % HOUR * 10);
    for (uint32_t i = 0; i < HOUR; i++) {
        ck_assert_uint_ne(timers_pop(&timers, INT64_MAX, &at_ms), TIMERS_NONE);
        ck_assert_int_eq(at_ms, last < 0 ? 0 : last + 10);
        last = at_ms;
    }
    ck_assert_uint_eq(timers.set_count, 0);
}
END_TEST

START_TEST(the_last_instant_of_all_can_be_set_and_popped)
{
    int64_t at_ms;
    begin(INT64_MIN);
    set(0, TIMERS_NEVER - 1);
    set(1, INT64_MIN);
    ck_assert_uint_eq(timers_pop(&timers, INT64_MIN, &at_ms), 1);
    ck_assert_int_eq(at_ms, INT64_MIN);
    ck_assert_uint_eq(timers_pop(&timers, TIMERS_NEVER - 2, &at_ms),
                      TIMERS_NONE);
    ck_assert_uint_eq(timers_pop(&timers, TIMERS_NEVER - 1, &at_ms), 0);
    ck_assert_int_eq(at_ms, TIMERS_NEVER - 1);
}
END_TEST

START_TEST(more_room_leaves_timers_as_they_were)
{
    begin(0);
    set(7, 12345);
    ck_assert_int_eq(timers_reserve(&timers, 100000), 0);
    ck_assert_int_eq(timers_reserve(&timers, 5), 0);
    ck_assert_uint_ge(timers.count, 100000);
    ck_assert_int_eq(timers_at(&timers, 7), 12345);
    ck_assert_int_eq(timers_at(&timers, 99999), TIMERS_NEVER);
}
END_TEST

SUITE("timers", NULL, teardown,
      TABLE(timers_come_in_order_whatever_is_set_cleared_and_moved, starts),
      TEST(one_pop_takes_one_timer_and_time_stands_till_it_is_its_turn),
      TEST(next_is_exact_within_37_days_and_a_lower_bound_beyond),
      TEST(timers_of_one_instant_come_in_order_of_their_ids),
      TEST(what_is_within_37_days_of_now_is_never_far),
      TEST(instants_far_away_take_memory_only_while_there_are_any),
      TEST(years_without_a_timer_are_passed_at_once),
      TEST(a_timer_at_every_millisecond_of_an_hour_comes_at_its_own),
      TEST(the_last_instant_of_all_can_be_set_and_popped),
      TEST(more_room_leaves_timers_as_they_were))
