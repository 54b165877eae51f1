/* check_distinct.c: distinct values beside counting them anew; sketches beside
 * what their formula says of their error. */
#include <math.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/event/value.h"
#include "lib/user/distinct.h"
#include "lib/user/sketch.h"
#include "lib/user/times.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kind.h"
#include "tests/support/kind_nomem.h"
#include "tests/support/suite.h"

static struct kind kind;
static uint32_t flips[] = {2, 3, 7};

static int in_window(const struct kind *self, int i, int64_t now_ms)
{
    int64_t age_ms = now_ms - self->events[i].time_ms;
    return self->feature.from_ms == FEATURE_LIFETIME ||
           (age_ms >= self->feature.to_ms && age_ms < self->feature.from_ms);
}

/* Values are below this. */
#define VALUES_MAX KIND_EVENTS_MAX

static uint64_t naive(const struct kind *self, int64_t now_ms)
{
    static uint32_t seen[VALUES_MAX], round; /* Value: when it was last seen. */
    uint64_t result = 0;
    round++;
    for (int i = 0; i < self->count; i++) {
        uint32_t *at = &seen[self->events[i].value];
        if (*at == round || !in_window(self, i, now_ms))
            continue;
        *at = round;
        result++;
    }
    return result;
}

static void begin(int64_t from_ms, int64_t to_ms, int every, int64_t now_ms)
{
    kind.feature = (struct feature){
        .kind = FEATURE_DISTINCT,
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

static const struct {
    int64_t from_ms, to_ms;
} windows[] = {
    {FEATURE_LIFETIME, 0},    {1, 0},         {1000, 0}, {7 * DAY_MS, 0},
    {5 * DAY_MS, 2 * DAY_MS}, {1000, 999},    {1000, 1}, {36500 * DAY_MS, 0},
    {36500 * DAY_MS, DAY_MS}, {6400, 64 * 50}};

static const int64_t starts[] = {0, -40 * DAY_MS, INT64_C(1764112000000),
                                 INSTANT_MIN};

static int64_t span_of(int i)
{
    return windows[i].from_ms == FEATURE_LIFETIME
               ? 100 * DAY_MS
               : windows[i].from_ms + windows[i].from_ms / 8 + 2;
}

START_TEST(values_and_next_changes_are_right_at_every_edge)
{
    for (uint64_t seed = 0; seed < EFFORT(32); seed++) {
        struct random random = {seed};
        int64_t now_ms = starts[seed % COUNT(starts)], span = span_of(_i);
        int64_t values = random_between(&random, 1, 30);
        begin(windows[_i].from_ms, windows[_i].to_ms,
              random_chance(&random, 30), now_ms);
        for (int i = 0; i < 60; i++) {
            now_ms += random_below(&random, span / 12 + 2);
            kind_fold(&kind, now_ms - random_below(&random, span),
                      random_below(&random, values), now_ms);
            if (i % 16 == 0)
                kind_compare(&kind, now_ms);
        }
        kind_compare(&kind, now_ms);
        if (seed % 8 == 0 && user_item(kind.one.user, 3).bytes)
            kind_check_record(&kind, now_ms);
        kind_end(&kind);
    }
}
END_TEST

/* ---- values ------------------------------------------------------------- */

#define TEXT(t)                                                              \
    {                                                                        \
        .type = SEG_TEXT, .len = sizeof(t) - 1, .as.text = (const char *)(t) \
    }

/* Of one kind each: what is equal has the same number. */
static const struct {
    int number; /* 0: no value at all. */
    struct seg_value value;
} values[] = {
    {1, {.type = SEG_INT, .as.integer = 1}},
    {1, {.type = SEG_DOUBLE, .as.number = 1.0}},
    {2, {.type = SEG_DOUBLE, .as.number = 1.5}},
    {3, {.type = SEG_BOOL, .as.boolean = 1}},
    {3, {.type = SEG_BOOL, .as.boolean = 2}},
    {4, {.type = SEG_BOOL, .as.boolean = 0}},
    {5, {.type = SEG_INT, .as.integer = 0}},
    {5, {.type = SEG_DOUBLE, .as.number = -0.0}},
    {6, TEXT("1")},
    {7, TEXT("")},
    {8, {.type = SEG_INT, .as.integer = INT64_MAX}},
    {9, {.type = SEG_DOUBLE, .as.number = 9223372036854775808.0}},
    {10, {.type = SEG_INT, .as.integer = INT64_MIN}},
    {10, {.type = SEG_DOUBLE, .as.number = -9223372036854775808.0}},
    {11, {.type = SEG_DOUBLE, .as.number = 1e300}},
    {0, {.type = SEG_MISSING}},
    {0, {.type = SEG_OBJECT}},
    {0, {.type = SEG_LIST, .len = 1, .as.items = &values[0].value}},
};

START_TEST(equal_values_count_once_and_lists_never)
{
    uint64_t seen = 0;
    begin(windows[_i].from_ms, windows[_i].to_ms, 0, 0);
    kind.feature.from_ms = FEATURE_LIFETIME;
    for (int i = 0; i < COUNT(values); i++) {
        for (int j = 0; j < i; j++)
            ck_assert_int_eq(value_equal(&values[i].value, &values[j].value),
                             values[i].number &&
                                 values[i].number == values[j].number);
        one_user_fold(&kind.one, &kind.feature, 5, 0, values[i].value, 5);
        seen |= UINT64_C(1) << values[i].number;
        ck_assert_uint_eq(kind_measure(&kind, 5),
                          (uint64_t)__builtin_popcountll(seen & ~UINT64_C(1)));
    }
    kind_end(&kind);
}
END_TEST

/* ---- order -------------------------------------------------------------- */

static const struct {
    int window, events, values;
} orders[] = {{0, 60, 40},   {3, 60, 40},  {4, 60, 40}, {0, 400, 300},
              {3, 400, 300}, {4, 400, 30}, {9, 400, 30}};

enum { EVENTS_MAX = 400 };

/* Also over the limit, but for sketches of the past: all at one instant, so
 * that it becomes coarse with the same events in the window. */
START_TEST(folding_in_any_order_ends_in_the_same_bytes)
{
    struct buf first, other;
    buf_init(&first);
    buf_init(&other);
    int window = orders[_i].window, count = orders[_i].events;
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct random random = {seed};
        struct kind_event events[EVENTS_MAX];
        int64_t end_ms = starts[seed % COUNT(starts)];
        for (int i = 0; i < count; i++)
            events[i] = (struct kind_event){
                end_ms - random_below(&random, span_of(window)),
                random_below(&random, orders[_i].values)};
        for (int round = 0; round < 6; round++) {
            int64_t now_ms = INT64_MIN;
            begin(windows[window].from_ms, windows[window].to_ms, 0, end_ms);
            for (int i = 0; i < count; i++) {
                now_ms =
                    events[i].time_ms > now_ms ? events[i].time_ms : now_ms;
                kind_fold_only(&kind, events[i].time_ms, events[i].value,
                               round % 2 || count > 64 ? end_ms : now_ms);
            }
            kind_fold_only(&kind, end_ms, 1000, end_ms);
            buf_reset(&other);
            kind_write(&kind, round ? &other : &first);
            if (round) {
                ck_assert_uint_eq(other.len, first.len);
                ck_assert_mem_eq(other.bytes, first.bytes, first.len);
            } else {
                kind_check_record(&kind, end_ms);
            }
            kind_end(&kind);
            random_shuffle(&random, events, count, sizeof(*events));
        }
        buf_reset(&first);
    }
    buf_done(&first);
    buf_done(&other);
}
END_TEST

/* ---- the limits --------------------------------------------------------- */

static const struct {
    int64_t from_ms, to_ms;
    int number;
    int coarse;
} limits[] = {
    {FEATURE_LIFETIME, 0, 63, 0},
    {FEATURE_LIFETIME, 0, 64, 0},
    {FEATURE_LIFETIME, 0, 65, 1},
    {1000, 0, 63, 0},
    {1000, 0, 64, 0},
    {1000, 0, 65, 1},
    {1000, 500, 255, 0},
    {1000, 500, 256, 0},
    {1000, 500, 257, 1},
};

START_TEST(up_to_the_limit_all_is_exact)
{
    begin(limits[_i].from_ms, limits[_i].to_ms, 0, 0);
    int last = limits[_i].number - 1;
    for (int i = 0; i <= last; i++) {
        kind_fold_only(&kind, i, i, i);
        kind_fold_only(&kind, i, i, i); /* The same again. */
        ck_assert_int_eq(user_item(kind.one.user, 3).coarse,
                         i == last && limits[_i].coarse);
    }
    if (!limits[_i].coarse)
        kind_compare(&kind, last);
    else if (limits[_i].from_ms == FEATURE_LIFETIME)
        ck_assert_uint_ge(kind_measure(&kind, last), 65);
    if (limits[_i].from_ms != FEATURE_LIFETIME) {
        /* Once empty it is exact again. */
        kind_fold_only(&kind, last + 1000, 1, last + 1000);
        ck_assert(!user_item(kind.one.user, 3).coarse);
    }
    kind_end(&kind);
}
END_TEST

/* Of how many values, by which sketch. */
static const struct {
    int64_t from_ms, to_ms;
    int values;
    int bits;
} sketches[] = {
    {FEATURE_LIFETIME, 0, 100, DISTINCT_BITS},
    {FEATURE_LIFETIME, 0, 1000, DISTINCT_BITS},
    {FEATURE_LIFETIME, 0, 10000, DISTINCT_BITS},
    {DAY_MS, 0, 100, DISTINCT_BITS},
    {DAY_MS, 0, 3000, DISTINCT_BITS},
    {2 * DAY_MS, DAY_MS, 300, DISTINCT_PAST_BITS},
    {2 * DAY_MS, DAY_MS, 3000, DISTINCT_PAST_BITS},
};

/* The root of the mean square of many estimates is what the formula says, and
 * their mean is near the truth. */
START_TEST(the_error_beyond_the_limit_is_what_is_stated)
{
    int seeds = EFFORT_OR(100, 12);
    double n = sketches[_i].values, sum = 0, squares = 0;
    double stated = 1.04 / sqrt((double)(1 << sketches[_i].bits));
    for (int seed = 0; seed < seeds; seed++) {
        begin(sketches[_i].from_ms, sketches[_i].to_ms, 0, 0);
        for (int i = 0; i < sketches[_i].values; i++) {
            const struct fold fold = {
                .value = value_of_int(i + seed * INT64_C(1000000))};
            distinct_ops.fold(&kind.one.store, &kind.one.user, &kind.feature,
                              &fold, 0, &kind.one.folded);
        }
        double off = (double)kind_measure(&kind, sketches[_i].to_ms) / n - 1;
        sum += off;
        squares += off * off;
        kind_end(&kind);
    }
    double rms = sqrt(squares / seeds);
    ck_assert_msg(rms < 1.25 * stated && fabs(sum / seeds) < 0.4 * stated,
                  "error %.4f, bias %.4f, stated %.4f", rms, sum / seeds,
                  stated);
}
END_TEST

START_TEST(what_is_stated_of_errors_is_their_formula)
{
    double formula = 104 / sqrt(1 << DISTINCT_BITS);
    double past_formula = 104 / sqrt(1 << DISTINCT_PAST_BITS);
    ck_assert(fabs(strtod(DISTINCT_ERROR, NULL) - formula) <= 0.051);
    ck_assert(fabs(strtod(DISTINCT_PAST_ERROR, NULL) - past_formula) <= 0.051);
}
END_TEST

/* Whether the sketch still has event I: it leaves at the end of its bucket. */
static int in_sketch(int i, int64_t now_ms)
{
    int64_t width = kind.feature.from_ms / 64;
    int64_t begin_ms = now_ms - kind.feature.from_ms;
    begin_ms -= ((begin_ms % width) + width) % width;
    return kind.events[i].time_ms > begin_ms &&
           kind.events[i].time_ms <= now_ms;
}

/* A twin that keeps all events: the number of values in the window or, beyond
 * the limit, its estimate, each made from nothing. */
static uint64_t naive_sketch(int64_t now_ms)
{
    static uint8_t tops[1 << DISTINCT_BITS];
    struct sketch sketch;
    uint64_t count = naive(&kind, now_ms);
    if (count <= DISTINCT_EXACT_MAX)
        return count;
    sketch_clear(&sketch, DISTINCT_BITS);
    memset(tops, 0, sizeof(tops));
    for (int i = 0; i < kind.count; i++) {
        const struct seg_value value = value_of_int(kind.events[i].value);
        uint16_t spot = sketch_spot(value_hash(&value), DISTINCT_BITS);
        uint8_t *top = &tops[spot_register(spot)];
        if (!in_sketch(i, now_ms) || spot_rank(spot) <= *top)
            continue;
        sketch_raise(&sketch, *top, spot_rank(spot));
        *top = (uint8_t)spot_rank(spot);
    }
    count = sketch_estimate(&sketch, DISTINCT_BITS);
    return count > DISTINCT_EXACT_MAX ? count : DISTINCT_EXACT_MAX + 1;
}

START_TEST(a_sliding_sketch_is_one_of_what_is_in_the_window)
{
    struct random random = {7};
    int64_t now_ms = starts[_i];
    begin(1000, 0, 1, now_ms);
    for (int i = 0; i < EFFORT_OR(2000, 650); i++) {
        now_ms += random_below(&random, 5);
        kind_fold_only(&kind, now_ms - random_below(&random, 300),
                       random_below(&random, 2000), now_ms);
        if (i < 500 || i % 150)
            continue;
        ck_assert(user_item(kind.one.user, 3).coarse);
        /* At each instant at which next() says that it changes, and at none
         * between. */
        int64_t at = now_ms;
        for (int step = 0; step < 30 && at < now_ms + 1000; step++) {
            uint64_t count = naive_sketch(at);
            int64_t next = one_user_next(&kind.one, &kind.feature, at);
            ck_assert(kind_measure(&kind, at) == count && next > at &&
                      naive_sketch(next - 1) == count);
            at = next;
        }
        ck_assert_uint_eq(kind_measure(&kind, now_ms + 1000), 0);
    }
    kind_check_record(&kind, now_ms);
    kind_end(&kind);
}
END_TEST

static uint32_t wide_flips[] = {1, 5, 30, 64, 65};

static uint32_t region_of(uint64_t count)
{
    return feature_region(&kind.feature, count);
}

/* Up and down over the limit: whoever asks for a number up to it gets an exact
 * answer, and the exact instant of the next one. */
START_TEST(numbers_up_to_the_limit_are_exact_at_any_rate)
{
    struct random random = {(uint64_t)_i};
    int64_t now_ms = starts[_i];
    begin(1000, 0, 0, now_ms);
    kind.feature.flips = wide_flips;
    kind.feature.flip_count = COUNT(wide_flips);
    for (int i = 0; i < EFFORT_OR(1200, 300); i++) {
        int64_t gap = i / 150 % 2 ? 60 : 5; /* Some 30 values, or 200. */
        now_ms += random_below(&random, gap);
        kind_fold_only(&kind, now_ms - random_below(&random, 500),
                       random_below(&random, 500), now_ms);
        ck_assert_int_eq(user_item(kind.one.user, 3).coarse,
                         naive(&kind, now_ms) > DISTINCT_EXACT_MAX);
        if (i % 25)
            continue;
        for (int64_t at = now_ms, next; at != SEG_NEVER; at = next) {
            uint32_t region = region_of(naive(&kind, at));
            next = one_user_next(&kind.one, &kind.feature, at);
            int same = next == SEG_NEVER ||
                       (next > at && region_of(naive(&kind, next)) != region &&
                        region_of(naive(&kind, next - 1)) == region);
            if (region_of(kind_measure(&kind, at)) != region || !same)
                ck_abort_msg("at %lld, next %lld", (long long)at,
                             (long long)next);
        }
    }
    kind_end(&kind);
}
END_TEST

/* In a window of the past values come and leave early by less than a bucket. */
START_TEST(a_sketch_of_the_past_is_one_of_its_buckets)
{
    struct random random = {9};
    begin(6400, 3200, 1, 0);
    int64_t now_ms = 0;
    for (int i = 0; i < 600; i++) {
        now_ms += random_below(&random, 6);
        kind_fold_only(&kind, now_ms, i, now_ms);
    }
    ck_assert(user_item(kind.one.user, 3).coarse);
    for (int64_t at = now_ms; at < now_ms + 6600; at += 31) {
        kind.feature.from_ms -= 99;
        double low = (double)naive(&kind, at);
        kind.feature.from_ms += 99;
        kind.feature.to_ms -= 99;
        double high = (double)naive(&kind, at);
        kind.feature.to_ms += 99;
        double got = (double)kind_measure(&kind, at);
        ck_assert_msg(got > low * 0.75 - 2 && got < high * 1.25 + 2,
                      "at %lld: got %g, want %g to %g", (long long)at, got, low,
                      high);
    }
    ck_assert_uint_eq(kind_measure(&kind, now_ms + 6400), 0);
    kind_check_record(&kind, now_ms);
    kind_end(&kind);
}
END_TEST

START_TEST(without_memory_nothing_is_half_done)
{
    begin(windows[_i].from_ms, windows[_i].to_ms, 0, 0);
    long failures = 0;
    int64_t step = span_of(_i) / 700;
    for (int i = 0; i < 300; i++)
        failures += kind_fold_nomem(&kind, i * step, i, i * step);
    ck_assert_int_gt(failures, 0);
    kind_end(&kind);
}
END_TEST

SUITE("distinct", NULL, NULL,
      TABLE(values_and_next_changes_are_right_at_every_edge, windows),
      TABLE(equal_values_count_once_and_lists_never, windows),
      TABLE(folding_in_any_order_ends_in_the_same_bytes, orders),
      TABLE(up_to_the_limit_all_is_exact, limits),
      TABLE(the_error_beyond_the_limit_is_what_is_stated, sketches),
      TEST(what_is_stated_of_errors_is_their_formula),
      TABLE(a_sliding_sketch_is_one_of_what_is_in_the_window, starts),
      TABLE(numbers_up_to_the_limit_are_exact_at_any_rate, starts),
      TEST(a_sketch_of_the_past_is_one_of_its_buckets),
      TABLE(without_memory_nothing_is_half_done, windows))
