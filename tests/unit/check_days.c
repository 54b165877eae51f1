/* check_days.c: dates in a window beside a set of them made anew. */
#include <string.h>

#include "lib/base/instant.h"
#include "lib/user/times.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kind.h"
#include "tests/support/kind_nomem.h"
#include "tests/support/suite.h"

#define HOUR_MS (DAY_MS / 24)

static struct kind kind;
static uint32_t flips[] = {1, 2, 5};

static int64_t date_of(int64_t time_ms)
{
    return time_ms / DAY_MS - (time_ms % DAY_MS < 0);
}

static int in_window(int64_t time_ms, int64_t now_ms)
{
    const struct feature *feature = &kind.feature;
    return feature->from_ms == FEATURE_LIFETIME ||
           (now_ms - time_ms >= feature->to_ms &&
            now_ms - time_ms < feature->from_ms);
}

static uint64_t naive(const struct kind *self, int64_t now_ms)
{
    uint64_t result = 0;
    for (int i = 0; i < self->count; i++) {
        int known = !in_window(self->events[i].time_ms, now_ms);
        for (int j = 0; j < i && !known; j++)
            known = in_window(self->events[j].time_ms, now_ms) &&
                    date_of(self->events[j].time_ms) ==
                        date_of(self->events[i].time_ms);
        result += !known;
    }
    return result;
}

static void begin(int64_t from_ms, int64_t to_ms, int every, int64_t now_ms)
{
    kind.feature = (struct feature){
        .kind = FEATURE_DAYS,
        .item = 3,
        .from_ms = from_ms,
        .to_ms = to_ms,
        .keep = FEATURE_KEEP_ALL,
        .every = every,
        .flip_count = every ? 0 : COUNT(flips),
        .flips = flips,
    };
    kind.naive = naive;
    kind.edges = kind_window_edges;
    kind_begin(&kind, now_ms);
}

/* Windows that end now, in the past with two ends a day or more apart, or less.
 */
static const struct {
    int64_t from_ms, to_ms;
} windows[] = {
    {FEATURE_LIFETIME, 0},
    {1, 0},
    {6 * HOUR_MS, 0},
    {DAY_MS, 0},
    {7 * DAY_MS, 0},
    {28 * DAY_MS + 5, 0},
    {5 * DAY_MS, 2 * DAY_MS},
    {2 * DAY_MS, DAY_MS},
    {30 * HOUR_MS, 6 * HOUR_MS},
    {30 * HOUR_MS, 6 * HOUR_MS + 1},
    {12 * HOUR_MS, 6 * HOUR_MS},
    {3 * DAY_MS, 3 * DAY_MS - 1},
    {10 * DAY_MS, 10 * DAY_MS - 20 * HOUR_MS},
};

/* Base instants: beside 0, negative, where they are today. */
static const int64_t starts[] = {0, -40 * DAY_MS, INT64_C(1764112000000),
                                 INSTANT_MIN};

/* Mostly around the seams of dates. */
static int64_t random_time(struct random *random, int64_t now_ms, int64_t span)
{
    int64_t time_ms = now_ms - random_below(random, span);
    if (random_chance(random, 60))
        time_ms = date_of(time_ms) * DAY_MS + random_between(random, -1, 1);
    return time_ms < now_ms ? time_ms : now_ms;
}

static int64_t span_of(int i)
{
    return windows[i].from_ms == FEATURE_LIFETIME
               ? 100 * DAY_MS
               : windows[i].from_ms + 2 * DAY_MS;
}

START_TEST(dates_and_next_changes_are_right_at_every_edge)
{
    for (uint64_t seed = 0; seed < EFFORT(24); seed++) {
        struct random random = {seed};
        int64_t now_ms = starts[seed % COUNT(starts)], span = span_of(_i);
        begin(windows[_i].from_ms, windows[_i].to_ms,
              random_chance(&random, 30), now_ms);
        for (int i = 0; i < 40; i++) {
            now_ms += random_below(&random, span / 12 + 2);
            kind_fold(&kind, random_time(&random, now_ms, span), 0, now_ms);
            if (i % 8 == 0)
                kind_compare(&kind, now_ms);
        }
        kind_compare(&kind, now_ms);
        if (user_item(kind.one.user, 3).bytes)
            kind_check_record(&kind, now_ms);
        kind_end(&kind);
    }
}
END_TEST

/* ---- order -------------------------------------------------------------- */

enum { EVENTS = 60 };

START_TEST(folding_in_any_order_ends_in_the_same_bytes)
{
    struct buf first, other;
    buf_init(&first);
    buf_init(&other);
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct random random = {seed};
        int64_t times[EVENTS], end_ms = starts[seed % COUNT(starts)];
        for (int i = 0; i < EVENTS; i++)
            times[i] = random_time(&random, end_ms, span_of(_i));
        for (int round = 0; round < 6; round++) {
            int64_t now_ms = INT64_MIN;
            begin(windows[_i].from_ms, windows[_i].to_ms, 0, end_ms);
            for (int i = 0; i < EVENTS; i++) {
                now_ms = times[i] > now_ms ? times[i] : now_ms;
                kind_fold_only(&kind, times[i], 0, round % 2 ? end_ms : now_ms);
            }
            kind_fold_only(&kind, end_ms, 0, end_ms);
            buf_reset(&other);
            kind_write(&kind, round ? &other : &first);
            if (round) {
                ck_assert_uint_eq(other.len, first.len);
                ck_assert_mem_eq(other.bytes, first.bytes, first.len);
            }
            kind_end(&kind);
            random_shuffle(&random, times, EVENTS, sizeof(*times));
        }
        buf_reset(&first);
    }
    buf_done(&first);
    buf_done(&other);
}
END_TEST

/* ---- how much is kept --------------------------------------------------- */

START_TEST(a_date_costs_a_few_bytes_however_many_its_events)
{
    begin(28 * DAY_MS, 0, 0, 0);
    for (int64_t day = 0; day < 28; day++)
        for (int i = 0; i < 50; i++)
            kind_fold_only(&kind, day * DAY_MS + i, 0, day * DAY_MS + i);
    ck_assert_uint_eq(kind_measure(&kind, 28 * DAY_MS - 1), 28);
    ck_assert_uint_le(user_item(kind.one.user, 3).len, 28 * 5);
    kind_end(&kind);
    begin(28 * DAY_MS, 7 * DAY_MS, 0, 0);
    for (int64_t day = 0; day < 28; day++)
        for (int i = 0; i < 50; i++)
            kind_fold_only(&kind, day * DAY_MS + i, 0, day * DAY_MS + i);
    ck_assert_uint_le(user_item(kind.one.user, 3).len, 28 * 2 * 5);
    kind_end(&kind);
}
END_TEST

START_TEST(all_dates_of_a_hundred_years_are_kept)
{
    begin(FEATURE_LIFETIME, 0, 0, 0);
    for (int64_t day = 0; day < 36500; day++) {
        const struct fold fold = {.time_ms = -day * DAY_MS};
        one_user_fold_event(&kind.one, &kind.feature, &fold, 0);
    }
    ck_assert_uint_eq(kind_measure(&kind, 0), 36500);
    ck_assert_uint_le(user_item(kind.one.user, 3).len, 36500 / 32 * 8 + 20);
    kind_check_record(&kind, 0);
    kind_end(&kind);
}
END_TEST

/* Times no calendar knows: the outermost dates are one. */
START_TEST(far_away_times_are_dates_too)
{
    begin(FEATURE_LIFETIME, 0, 0, 0);
    kind_fold_only(&kind, INT64_MIN, 0, 0);
    kind_fold_only(&kind, INT64_MIN + 1, 0, 0);
    kind_fold_only(&kind, INT64_MAX, 0, INT64_MAX);
    ck_assert_uint_eq(kind_measure(&kind, 0), 2);
    kind_end(&kind);
}
END_TEST

/* ---- the exact limit ---------------------------------------------------- */

#define FROM_MS (64 * HOUR_MS)
#define TO_MS   (50 * HOUR_MS)

/* Events of one window or another in sight: those whose bucket may be. */
static uint64_t naive_of(int64_t from_ms, int64_t to_ms, int64_t now_ms)
{
    kind.feature.from_ms = from_ms;
    kind.feature.to_ms = to_ms;
    uint64_t result = naive(&kind, now_ms);
    kind.feature.from_ms = FROM_MS;
    kind.feature.to_ms = TO_MS;
    return result;
}

static const int numbers[] = {255, 256, 257, 600};

START_TEST(beyond_the_limit_events_come_and_go_early_by_less_than_a_64th)
{
    struct random random = {(uint64_t)_i};
    begin(FROM_MS, TO_MS, 0, 0);
    int64_t width_ms = feature_bucket_ms(&kind.feature);
    for (int i = 0; i < numbers[_i]; i++) {
        kind_fold_only(&kind, i * 5 * 60000, 0, i * 5 * 60000);
        ck_assert_int_eq(kind.one.folded.coarse, i == 256);
    }
    int coarse = user_item(kind.one.user, 3).coarse;
    ck_assert_int_eq(coarse, numbers[_i] > 256);
    int64_t now_ms = (numbers[_i] - 1) * INT64_C(5) * 60000;
    for (int i = 0; i < 2000; i++) {
        int64_t at = now_ms + random_below(&random, FROM_MS + HOUR_MS);
        uint64_t got = kind_measure(&kind, at);
        uint64_t low = naive_of(FROM_MS - width_ms + 1, TO_MS, at);
        uint64_t high = naive_of(FROM_MS, TO_MS - width_ms + 1, at);
        if (!coarse)
            low = high = naive(&kind, at);
        ck_assert_msg(got >= low && got <= high, "at %lld: %llu", (long long)at,
                      (unsigned long long)got);
    }
    kind_check_record(&kind, now_ms);
    /* Once empty it is exact again. */
    kind_fold_only(&kind, now_ms + FROM_MS, 0, now_ms + FROM_MS);
    ck_assert(!user_item(kind.one.user, 3).coarse);
    kind_end(&kind);
}
END_TEST

START_TEST(without_memory_nothing_is_half_done)
{
    begin(windows[_i].from_ms, windows[_i].to_ms, 0, 0);
    long failures = 0;
    for (int i = 0; i < 120; i++)
        failures += kind_fold_nomem(&kind, i * 7 * HOUR_MS, 0, i * 7 * HOUR_MS);
    ck_assert_int_gt(failures, 0);
    kind_compare(&kind, 120 * 7 * HOUR_MS);
    kind_end(&kind);
}
END_TEST

SUITE("days", NULL, NULL,
      TABLE(dates_and_next_changes_are_right_at_every_edge, windows),
      TABLE(folding_in_any_order_ends_in_the_same_bytes, windows),
      TEST(a_date_costs_a_few_bytes_however_many_its_events),
      TEST(all_dates_of_a_hundred_years_are_kept),
      TEST(far_away_times_are_dates_too),
      TABLE(beyond_the_limit_events_come_and_go_early_by_less_than_a_64th,
            numbers),
      TABLE(without_memory_nothing_is_half_done, windows))
