/* check_window.c: counts in a window beside counting anew at every millisecond.
 */
#include <string.h>

#include "lib/base/instant.h"
#include "lib/user/times.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/one_user.h"
#include "tests/support/suite.h"

#define NOTHING ((struct seg_value){.type = SEG_MISSING})

enum { EVENTS_MAX = 2000, FLIPS_MAX = 4 };

static struct one_user one;
static struct feature feature;
static uint32_t flips[FLIPS_MAX];
static int64_t events[EVENTS_MAX]; /* All that were ever folded. */
static int count;

/* As the planner makes it: what is kept follows from the flips. */
static void begin(int64_t from_ms, int64_t to_ms, int flip_count,
                  int64_t now_ms)
{
    feature = (struct feature){
        .kind = FEATURE_WINDOW,
        .item = 3,
        .from_ms = from_ms,
        .to_ms = to_ms,
        .keep = to_ms ? FEATURE_KEEP_ALL : flips[flip_count - 1],
        .flip_count = (uint32_t)flip_count,
        .flips = flips,
    };
    count = 0;
    one_user_begin(&one, now_ms);
}

static void end(void)
{
    one_user_end(&one);
}

/* Events of ages TO to below FROM at NOW_MS. */
static uint64_t naive(int64_t from_ms, int64_t to_ms, int64_t now_ms)
{
    uint64_t result = 0;
    for (int i = 0; i < count; i++)
        result += now_ms - events[i] >= to_ms && now_ms - events[i] < from_ms;
    return result;
}

/* Up to what is kept. */
static uint64_t naive_count(int64_t now_ms)
{
    uint64_t n = naive(feature.from_ms, feature.to_ms, now_ms);
    return n < feature.keep ? n : feature.keep;
}

static uint64_t measured(int64_t now_ms)
{
    return (uint64_t)one_user_measure(&one, &feature, now_ms).as.integer;
}

static void fold(int64_t time_ms, int64_t now_ms)
{
    uint64_t before = measured(now_ms);
    one_user_fold(&one, &feature, time_ms, 0, NOTHING, now_ms);
    events[count++] = time_ms;
    ck_assert_uint_eq(one.folded.before, before);
    ck_assert_uint_eq(one.folded.after, measured(now_ms));
}

static uint32_t region(int64_t now_ms)
{
    return feature_region(&feature, naive_count(now_ms));
}

/* The measure and the next change at every millisecond from NOW_MS until all is
 * over. */
static void compare_every_ms(int64_t now_ms)
{
    int64_t end_ms = now_ms + feature.from_ms + 2, next = SEG_NEVER;
    for (int64_t ms = end_ms; ms >= now_ms; ms--) {
        uint64_t got = measured(ms), want = naive_count(ms);
        ck_assert_msg(got == want,
                      "at %lld: got %llu, want %llu (from %lld to %lld, keep "
                      "%u, now %lld)",
                      (long long)ms, (unsigned long long)got,
                      (unsigned long long)want, (long long)feature.from_ms,
                      (long long)feature.to_ms, feature.keep,
                      (long long)now_ms);
        int64_t got_next = one_user_next(&one, &feature, ms);
        ck_assert_msg(got_next == next, "next after %lld: got %lld, want %lld",
                      (long long)ms, (long long)got_next, (long long)next);
        if (region(ms) != region(ms - 1))
            next = ms;
    }
}

static void random_flips(struct random *random, int flip_count)
{
    uint32_t last = 0;
    for (int i = 0; i < flip_count; i++)
        last = flips[i] = last + 1 + (uint32_t)random_below(random, 3);
}

/* Base instants: the times are beside 0, negative, and where they are today. */
static const int64_t starts[] = {0, -1000, INT64_C(1764112000000), INSTANT_MIN};

START_TEST(counts_and_next_changes_are_right_at_every_millisecond)
{
    for (uint64_t seed = 0; seed < EFFORT(250); seed++) {
        struct random random = {seed};
        int64_t from_ms = random_between(&random, 2, 30), now_ms = starts[_i];
        int64_t to_ms =
            random_chance(&random, 50) ? random_below(&random, from_ms) : 0;
        int flip_count = (int)random_between(&random, 1, FLIPS_MAX);
        random_flips(&random, flip_count);
        begin(from_ms, to_ms, flip_count, now_ms);
        for (int i = 0; i < 25; i++) {
            now_ms += random_below(&random, 6);
            fold(now_ms - random_below(&random, from_ms + 4), now_ms);
            if (i % 4 == 0)
                compare_every_ms(now_ms);
        }
        compare_every_ms(now_ms);
        end();
    }
}
END_TEST

static const struct {
    int64_t from_ms, to_ms;
} windows[] = {
    {10, 0}, {7 * DAY_MS, 0}, {28 * DAY_MS, 14 * DAY_MS}, {36500 * DAY_MS, 0}};

START_TEST(an_event_counts_from_its_edge_to_its_edge)
{
    int64_t from_ms = windows[_i].from_ms, to_ms = windows[_i].to_ms;
    flips[0] = 1;
    begin(from_ms, to_ms, 1, 0);
    fold(0, 0);
    ck_assert_uint_eq(measured(to_ms), 1);
    if (to_ms)
        ck_assert_uint_eq(measured(to_ms - 1), 0);
    ck_assert_uint_eq(measured(from_ms - 1), 1);
    ck_assert_uint_eq(measured(from_ms), 0);
    ck_assert_int_eq(one_user_next(&one, &feature, 0), to_ms ? to_ms : from_ms);
    ck_assert_int_eq(one_user_next(&one, &feature, to_ms), from_ms);
    ck_assert_int_eq(one_user_next(&one, &feature, from_ms), SEG_NEVER);
    end();
}
END_TEST

static const int late[] = {-1, 0, 1};

START_TEST(an_event_that_is_too_late_leaves_nothing)
{
    flips[0] = 1;
    begin(1000, 0, 1, 5000);
    fold(5000 - 1000 - late[_i], 5000);
    ck_assert((user_item(one.user, 3).bytes != NULL) == (late[_i] < 0));
    end();
}
END_TEST

START_TEST(folding_in_any_order_ends_in_the_same)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct random random = {seed};
        int64_t times[60], now_ms = 60;
        random_flips(&random, 2);
        for (int i = 0; i < COUNT(times); i++)
            times[i] = random_below(&random, 60);
        for (int round = 0; round < 4; round++) {
            begin(50, _i ? 20 : 0, 2, 0);
            for (int i = COUNT(times) - 1; i > 0; i--) {
                int j = (int)random_below(&random, i + 1);
                int64_t swapped = times[i];
                times[i] = times[j];
                times[j] = swapped;
            }
            for (int i = 0; i < COUNT(times); i++)
                fold(times[i], round % 2      ? now_ms
                               : times[i] > i ? times[i]
                                              : i);
            compare_every_ms(now_ms);
            end();
        }
    }
}
END_TEST

/* ---- the exact limit ---------------------------------------------------- */

static int is_coarse(void)
{
    return user_item(one.user, feature.item).coarse;
}

static const struct {
    uint32_t flip;
    int64_t to_ms;
    int pairs;
    int coarse;
} limits[] = {
    /* `at least 256` and `at most 256` are exact however many there are. */
    {255, 0, 2000, 0},
    {256, 0, 2000, 0},
    {257, 0, 2000, 0},
    /* Above, and with two ends, up to 256 pairs are. */
    {258, 0, 255, 0},
    {258, 0, 256, 0},
    {258, 0, 257, 1},
    {1, 500, 255, 0},
    {1, 500, 256, 0},
    {1, 500, 257, 1},
};

START_TEST(up_to_the_limit_all_is_exact)
{
    flips[0] = limits[_i].flip;
    begin(64000, limits[_i].to_ms, 1, 0);
    for (int i = 0; i < limits[_i].pairs; i++) {
        fold(i, i);
        ck_assert_int_eq(one.folded.coarse, limits[_i].coarse && i == 256);
    }
    ck_assert_int_eq(is_coarse(), limits[_i].coarse);
    for (int64_t ms = 2000; !limits[_i].coarse && ms < 66500; ms += 7)
        ck_assert_uint_eq(measured(ms), naive_count(ms));
    end();
}
END_TEST

/* A bucket counts as if all of it were at its start: an event leaves, and comes
 * in, less than a bucket early, never late. */
static void check_coarse(int64_t ms)
{
    int64_t width_ms = feature_bucket_ms(&feature);
    uint64_t got = measured(ms);
    uint64_t least = naive(feature.from_ms - width_ms + 1, feature.to_ms, ms);
    uint64_t most = naive(feature.from_ms, feature.to_ms - width_ms + 1, ms);
    ck_assert_msg(got >= least && got <= most,
                  "at %lld: got %llu, want %llu to %llu", (long long)ms,
                  (unsigned long long)got, (unsigned long long)least,
                  (unsigned long long)most);
    int64_t next = one_user_next(&one, &feature, ms);
    uint32_t now = feature_region(&feature, got);
    if (next == SEG_NEVER)
        return;
    ck_assert(feature_region(&feature, measured(next)) != now);
    ck_assert(feature_region(&feature, measured(next - 1)) == now);
}

START_TEST(beyond_the_limit_the_error_is_less_than_a_64th_of_the_window)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct random random = {seed};
        int64_t now_ms = starts[_i];
        flips[0] = 20;
        flips[1] = 400;
        begin(random_chance(&random, 50) ? 6400 : 5000,
              random_chance(&random, 50) ? 1500 : 0, 2, now_ms);
        for (int i = 0; i < 700; i++) {
            now_ms += random_below(&random, 6);
            int64_t age = random_below(&random, feature.from_ms / 2);
            fold(now_ms - age, now_ms);
            if (i > 300 && i % 50 == 0)
                for (int64_t ms = now_ms; ms < now_ms + 7000; ms += 13)
                    check_coarse(ms);
        }
        ck_assert(is_coarse());
        ck_assert_uint_lt(user_item(one.user, 3).len, BUCKET_BYTES * 67);
        end();
    }
}
END_TEST

/* Its bucket begins where events do not count any more. */
START_TEST(a_late_event_may_be_out_of_sight_with_its_bucket)
{
    flips[0] = 300;
    begin(6400, 0, 1, 0);
    for (int i = 0; i < 299; i++)
        fold(5000 + i, 5300);
    ck_assert(is_coarse());
    fold(50, 6399);
    ck_assert_uint_eq(one.folded.after, 300);
    ck_assert_int_eq(one.folded.next_ms, 6400);
    fold(50, 6440);
    ck_assert_uint_eq(one.folded.after, 299);
    ck_assert_int_eq(one.folded.next_ms, SEG_NEVER);
    end();
}
END_TEST

START_TEST(once_empty_it_is_exact_again)
{
    flips[0] = 1;
    begin(6400, 100, 1, 0);
    for (int i = 0; i < 300; i++)
        fold(i, i);
    ck_assert(is_coarse());
    fold(6299, 6299);
    ck_assert(is_coarse());
    fold(30000, 30000);
    ck_assert(!is_coarse());
    compare_every_ms(30000);
    end();
}
END_TEST

START_TEST(buckets_are_a_millisecond_at_least)
{
    flips[0] = 1;
    begin(20, 10, 1, 0);
    ck_assert_int_eq(feature_bucket_ms(&feature), 1);
    for (int i = 0; i < 600; i++)
        fold(i / 40, 15);
    ck_assert(is_coarse());
    compare_every_ms(15);
    end();
}
END_TEST

/* More is kept than is needed when the catalogue that asked for more is gone.
 */
START_TEST(what_is_more_than_needed_goes_with_the_next_event)
{
    flips[0] = 50;
    begin(10000, 0, 1, 0);
    for (int i = 0; i < 50; i++)
        fold(i, i);
    flips[0] = 3;
    feature.keep = 3;
    fold(10, 60);
    fold(60, 60);
    struct item item = user_item(one.user, 3);
    struct times times;
    times_read(one.user, &item, &times);
    ck_assert_uint_eq(times.count, 3);
    compare_every_ms(60);
    end();
}
END_TEST

/* As much as a bounded window keeps, then needed without bound. */
START_TEST(a_full_window_becomes_coarse_when_more_is_asked_of_it)
{
    flips[0] = 257;
    begin(64000, 0, 1, 0);
    for (int i = 0; i < 300; i++)
        fold(i, i);
    flips[0] = 1000;
    feature.keep = 1000;
    fold(300, 300);
    ck_assert(is_coarse());
    ck_assert_uint_eq(measured(300), 258);
    end();
}
END_TEST

SUITE("window", NULL, NULL,
      TABLE(counts_and_next_changes_are_right_at_every_millisecond, starts),
      TABLE(an_event_counts_from_its_edge_to_its_edge, windows),
      TABLE(an_event_that_is_too_late_leaves_nothing, late),
      TABLE(folding_in_any_order_ends_in_the_same, ((int[]){0, 1})),
      TABLE(up_to_the_limit_all_is_exact, limits),
      TABLE(beyond_the_limit_the_error_is_less_than_a_64th_of_the_window,
            starts),
      TEST(a_late_event_may_be_out_of_sight_with_its_bucket),
      TEST(once_empty_it_is_exact_again),
      TEST(buckets_are_a_millisecond_at_least),
      TEST(what_is_more_than_needed_goes_with_the_next_event),
      TEST(a_full_window_becomes_coarse_when_more_is_asked_of_it))
