/* check_sum.c: sums and means beside ones that are added up anew. */
#include <string.h>

#include "lib/base/instant.h"
#include "lib/user/sum.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kind.h"
#include "tests/support/kind_nomem.h"
#include "tests/support/measured.h"
#include "tests/support/suite.h"

static struct kind kind;

/* The value of an event that is noted as CODE: mostly CODE itself, else what
 * is not whole, too large for a sum, or no number. */
static struct seg_value value_of(int64_t code)
{
    struct seg_value value = {.type = SEG_DOUBLE};
    switch (code % 8) {
    case 1:
        value.as.number = (double)code / 100;
        return value;
    case 3:
        value.as.number = (double)code * 0x1p-37;
        return value;
    case -3:
        value.as.number = 1e22;
        return value;
    case -5:
        return (struct seg_value){.type = SEG_TEXT, .len = 1, .as.text = "5"};
    case -7:
        return (struct seg_value){.type = SEG_MISSING};
    default:
        return value_of_int(code);
    }
}

static int is_in(int64_t time_ms, int64_t now_ms)
{
    const struct feature *feature = &kind.feature;
    return feature->from_ms == FEATURE_LIFETIME ||
           (now_ms - time_ms >= feature->to_ms &&
            now_ms - time_ms < feature->from_ms);
}

static struct seg_value naive_value(int64_t now_ms)
{
    struct seg_value result = {.type = SEG_MISSING}, value;
    decimal sum = 0, n;
    uint64_t count = 0;
    for (int i = 0; i < kind.count; i++) {
        value = value_of(kind.events[i].value);
        if (is_in(kind.events[i].time_ms, now_ms) && decimal_of(&value, &n)) {
            sum += n;
            count++;
        }
    }
    if (kind.feature.kind == FEATURE_SUM)
        return decimal_value(sum);
    if (count) {
        result.type = SEG_DOUBLE;
        result.as.number = decimal_mean(sum, count);
    }
    return result;
}

/* As kind.h goes by numbers: the bits of an integer or a double. */
static uint64_t naive(const struct kind *self, int64_t now_ms)
{
    (void)self;
    return (uint64_t)naive_value(now_ms).as.integer;
}

static void begin(enum feature_kind of, int64_t from_ms, int64_t to_ms,
                  int64_t now_ms)
{
    kind.naive = naive;
    measured_begin(&kind, of, from_ms, to_ms, now_ms);
}

static void fold(int64_t time_ms, int64_t code, int64_t now_ms)
{
    const struct fold event = {.time_ms = time_ms, .value = value_of(code)};
    decimal n;
    one_user_fold_event(&kind.one, &kind.feature, &event, now_ms);
    ck_assert_int_eq(kind.one.folded.mismatch,
                     event.value.type != SEG_MISSING &&
                         !decimal_of(&event.value, &n));
    ck_assert_int_eq(kind.one.folded.next_ms,
                     one_user_next(&kind.one, &kind.feature, now_ms));
    ck_assert_int_lt(kind.count, KIND_EVENTS_MAX);
    kind.events[kind.count++] = (struct kind_event){time_ms, code};
    struct seg_value got = one_user_measure(&kind.one, &kind.feature, now_ms);
    struct seg_value want = naive_value(now_ms);
    if (!user_item(kind.one.user, 3).coarse) {
        ck_assert_int_eq(got.type, want.type);
        ck_assert_int_eq(got.as.integer, want.as.integer);
    }
}

static const struct measured windows[] = {
    {FEATURE_SUM, FEATURE_LIFETIME, 0},
    {FEATURE_SUM, 1, 0},
    {FEATURE_SUM, 1000, 0},
    {FEATURE_SUM, 90 * DAY_MS, 0},
    {FEATURE_SUM, 28 * DAY_MS, 14 * DAY_MS},
    {FEATURE_SUM, 1000, 999},
    {FEATURE_AVG, FEATURE_LIFETIME, 0},
    {FEATURE_AVG, 1000, 0},
    {FEATURE_AVG, 28 * DAY_MS, 14 * DAY_MS},
};

START_TEST(sums_and_next_changes_are_right_at_every_edge)
{
    measured_at_every_edge(&kind, &windows[_i], begin, fold);
}
END_TEST

START_TEST(folding_in_any_order_ends_in_the_same_bytes)
{
    measured_in_any_order(&kind, &windows[_i], begin, fold);
}
END_TEST

/* ---- exactness ----------------------------------------------------------- */

static double sum_at(int64_t now_ms)
{
    struct seg_value value = one_user_measure(&kind.one, &kind.feature, now_ms);
    return value.type == SEG_INT ? (double)value.as.integer : value.as.number;
}

static void fold_number(double number, int64_t time_ms)
{
    const struct fold event = {
        .time_ms = time_ms, .value = {.type = SEG_DOUBLE, .as.number = number}};
    one_user_fold_event(&kind.one, &kind.feature, &event, time_ms);
}

START_TEST(what_leaves_leaves_nothing_behind)
{
    begin(FEATURE_SUM, 1000, 0, 0);
    fold_number(0.1, 0);
    fold_number(1e20, 1);
    fold_number(0.2, 2);
    fold_number(-1e20, 3);
    ck_assert_double_eq(sum_at(3), 0.3);
    ck_assert_double_eq(sum_at(1000), 0.2);
    ck_assert_double_eq(sum_at(1001), 0.2 - 1e20);
    ck_assert_double_eq(sum_at(1002), -1e20);
    ck_assert_double_eq(sum_at(1003), 0);
    fold_number(0.7, 1002);
    ck_assert_double_eq(sum_at(1003), 0.7);
    kind_end(&kind);
}
END_TEST

START_TEST(a_sum_may_be_beyond_what_an_integer_holds)
{
    begin(FEATURE_SUM, FEATURE_LIFETIME, 0, 0);
    fold(1, INT64_MAX - 7, 1);
    ck_assert_int_eq(one_user_measure(&kind.one, &kind.feature, 1).as.integer,
                     INT64_MAX - 7);
    fold(2, 8, 2);
    struct seg_value value = one_user_measure(&kind.one, &kind.feature, 2);
    ck_assert_int_eq(value.type, SEG_DOUBLE);
    ck_assert_double_eq(value.as.number, 9223372036854775808.0);
    ck_assert(sum_units(kind.one.user, &kind.feature, 2) ==
              ((decimal)INT64_MAX + 1) * DECIMAL_ONE);
    fold(3, -8, 3);
    value = one_user_measure(&kind.one, &kind.feature, 3);
    ck_assert_int_eq(value.type, SEG_INT);
    ck_assert_int_eq(value.as.integer, INT64_MAX - 7);
    kind_end(&kind);
}
END_TEST

START_TEST(nothing_sums_to_0_and_has_no_mean)
{
    for (int i = 0; i < COUNT(windows); i++) {
        begin(windows[i].kind, windows[i].from_ms, windows[i].to_ms, 0);
        fold(0, -5, 0);
        fold(0, -7, 0);
        struct seg_value value = one_user_measure(&kind.one, &kind.feature, 0);
        ck_assert_int_eq(
            value.type, windows[i].kind == FEATURE_SUM ? SEG_INT : SEG_MISSING);
        ck_assert_int_eq(value.as.integer, 0);
        ck_assert_ptr_null(user_item(kind.one.user, 3).bytes);
        kind_end(&kind);
    }
}
END_TEST

/* Orders of some tens, in cents: sums of 7 bytes. */
START_TEST(an_order_costs_15_bytes)
{
    begin(FEATURE_SUM, 90 * DAY_MS, 0, 0);
    for (int i = 0; i < 100; i++)
        fold_number(19.99 + i, i * DAY_MS / 2);
    ck_assert_uint_le(user_item(kind.one.user, 3).len, 8 + 100 * 15);
    kind_end(&kind);
    begin(FEATURE_SUM, FEATURE_LIFETIME, 0, 0);
    for (int i = 0; i < 100; i++)
        fold_number(19.99 + i, i);
    ck_assert_uint_le(user_item(kind.one.user, 3).len, 7);
    kind_end(&kind);
}
END_TEST

/* ---- the exact limit ----------------------------------------------------- */

#define FROM_MS (INT64_C(64) * 1000)
#define TO_MS   (INT64_C(32) * 1000)

/* The sum of the window between EARLY ms and 0 ms ahead of NOW_MS: values are
 * positive, so it lies between those of the smaller and the larger window. */
static decimal naive_between(int64_t from_ms, int64_t to_ms, int64_t now_ms)
{
    decimal sum = 0;
    for (int i = 0; i < kind.count; i++) {
        int64_t age_ms = now_ms - kind.events[i].time_ms;
        if (age_ms >= to_ms && age_ms < from_ms)
            sum += (decimal)kind.events[i].value * DECIMAL_ONE;
    }
    return sum;
}

static const int numbers[] = {255, 256, 257, 2000};

static void fold_positive(struct random *random, int i, int64_t now_ms)
{
    int64_t late = i % 5 ? 0 : random_below(random, 20000);
    fold(now_ms - late, 8 * random_between(random, 1, 1000), now_ms);
}

static void look_beyond(struct random *random, int64_t to_ms, int64_t now_ms)
{
    int coarse = user_item(kind.one.user, 3).coarse;
    int64_t width_ms = feature_bucket_ms(&kind.feature);
    for (int i = 0; i < 1000; i++) {
        int64_t at = now_ms + random_below(random, FROM_MS + 1000);
        int64_t early = coarse ? width_ms - 1 : 0;
        decimal got = sum_units(kind.one.user, &kind.feature, at);
        decimal low = naive_between(FROM_MS - early, to_ms, at);
        decimal high = naive_between(FROM_MS, to_ms ? to_ms - early : 0, at);
        ck_assert_msg(got >= low && got <= high, "at %lld", (long long)at);
    }
}

START_TEST(beyond_the_limit_events_come_and_go_early_by_less_than_a_64th)
{
    for (int ends = 0; ends < 2; ends++) {
        struct random random = {(uint64_t)_i};
        int64_t now_ms = 0, to_ms = ends ? TO_MS : 0;
        begin(FEATURE_SUM, FROM_MS, to_ms, 0);
        for (int i = 0; i < numbers[_i]; i++) {
            now_ms += numbers[_i] > 1000 ? 20 : 100;
            fold_positive(&random, i, now_ms);
            ck_assert_int_eq(kind.one.folded.coarse, i == 256);
        }
        ck_assert_int_eq(user_item(kind.one.user, 3).coarse, numbers[_i] > 256);
        ck_assert_uint_le(user_item(kind.one.user, 3).len, 256 * 16 + 9);
        look_beyond(&random, to_ms, now_ms);
        kind_check_record(&kind, now_ms);
        /* Once empty it is exact again. */
        now_ms += FROM_MS;
        fold(now_ms, 8, now_ms);
        ck_assert(!user_item(kind.one.user, 3).coarse);
        ck_assert(sum_units(kind.one.user, &kind.feature, now_ms + to_ms) ==
                  8 * (decimal)DECIMAL_ONE);
        kind_end(&kind);
    }
}
END_TEST

/* The 256th event needs wider sums: the row is made anew, exact. */
START_TEST(a_large_value_makes_nothing_coarse)
{
    begin(FEATURE_SUM, 1000, 0, 0);
    for (int i = 0; i < 256; i++)
        fold(i, i < 255 ? 8 : INT64_C(1) << 50, i);
    ck_assert(!user_item(kind.one.user, 3).coarse);
    fold(256, 8, 256);
    ck_assert(user_item(kind.one.user, 3).coarse);
    kind_end(&kind);
}
END_TEST

START_TEST(what_has_left_already_is_not_kept)
{
    for (int coarse = 0; coarse < 2; coarse++) {
        begin(FEATURE_SUM, 1000, 0, 0);
        for (int i = 0; i < 300 * coarse; i++)
            fold(0, 8, 0);
        fold(0, 8, 1000);
        ck_assert_ptr_null(user_item(kind.one.user, 3).bytes);
        fold(1, 8, 1000);
        ck_assert_ptr_nonnull(user_item(kind.one.user, 3).bytes);
        kind_end(&kind);
    }
}
END_TEST

/* ---- records ------------------------------------------------------------- */

/* Records of a window of 64000 ms: coarse, cells, then those: a time (8 bytes)
 * or the ms since the one before, a width, a value, and of coarse ones how many.
 */
static const struct {
    int ret;
    uint8_t len;
    uint8_t bytes[32];
} records[] = {
    {0, 13, {0, 1, 5, 0, 0, 0, 0, 0, 0, 0, 1, 7}},
    {0, 15, {0, 2, 5, 0, 0, 0, 0, 0, 0, 0, 1, 7, 0, 1, 8}},
    {SEG_ERR_RECORD, 15, {0, 2, 5, 0, 0, 0, 0, 0, 0, 0, 1, 7, 0, 1, 6}},
    {0, 15, {0, 2, 5, 0, 0, 0, 0, 0, 0, 0, 1, 7, 1, 1, 6}},
    {SEG_ERR_RECORD, 2, {0, 0}},
    {SEG_ERR_RECORD, 13, {2, 1, 5, 0, 0, 0, 0, 0, 0, 0, 1, 7, 1}},
    {SEG_ERR_RECORD, 13, {0, 1, 5, 0, 0, 0, 0, 0, 0, 0, 0, 7}},
    {SEG_ERR_RECORD, 28, {0, 1, 5, 0, 0, 0, 0, 0, 0, 0, 17, 7}},
    {SEG_ERR_RECORD, 13, {0, 1, 5, 0, 0, 0, 0, 0, 0, 127, 1, 7}},
    /* 1000 is the start of a bucket, 1001 is none; two are not one. */
    {0, 13, {1, 1, 0xe8, 3, 0, 0, 0, 0, 0, 0, 1, 7, 9}},
    {SEG_ERR_RECORD, 13, {1, 1, 0xe9, 3, 0, 0, 0, 0, 0, 0, 1, 7, 9}},
    {SEG_ERR_RECORD, 13, {1, 1, 0xe8, 3, 0, 0, 0, 0, 0, 0, 1, 7, 0}},
    {SEG_ERR_RECORD,
     16,
     {1, 2, 0xe8, 3, 0, 0, 0, 0, 0, 0, 1, 7, 9, 0, 1, 7, 1}},
};

START_TEST(records_that_no_fold_makes_are_refused)
{
    static const uint8_t topics[FEATURE_TOPICS];
    struct reader reader;
    begin(FEATURE_SUM, 64000, 0, 0);
    reader_init(&reader, (struct seg_text){(const char *)records[_i].bytes,
                                           records[_i].len});
    ck_assert_int_eq(sum_ops.read(&kind.one.store, &kind.one.user,
                                  &kind.feature, &reader, topics),
                     records[_i].ret);
    ck_assert(user_validate(kind.one.user));
    kind_end(&kind);
}
END_TEST

/* All in one bucket: the mean is exact still. */
START_TEST(a_coarse_mean_knows_its_number_of_events)
{
    begin(FEATURE_AVG, 64000, 0, 0);
    for (int i = 0; i < 600; i++) {
        const struct fold event = {.time_ms = i, .value = value_of_int(i)};
        one_user_fold_event(&kind.one, &kind.feature, &event, 599);
    }
    ck_assert(user_item(kind.one.user, 3).coarse);
    struct seg_value value = one_user_measure(&kind.one, &kind.feature, 63999);
    ck_assert_double_eq(value.as.number, 299.5);
    value = one_user_measure(&kind.one, &kind.feature, 64000);
    ck_assert_int_eq(value.type, SEG_MISSING);
    kind_end(&kind);
}
END_TEST

START_TEST(without_memory_nothing_is_half_done)
{
    begin(windows[_i].kind, windows[_i].from_ms, windows[_i].to_ms, 0);
    long failures = 0;
    for (int i = 0; i < 120; i++)
        failures +=
            kind_fold_nomem(&kind, i * 7, (int64_t)i << i % 40 << 3, i * 7);
    ck_assert_int_gt(failures, 0);
    kind_compare(&kind, 120 * 7);
    kind_end(&kind);
}
END_TEST

SUITE("sum", NULL, NULL,
      TABLE(sums_and_next_changes_are_right_at_every_edge, windows),
      TABLE(folding_in_any_order_ends_in_the_same_bytes, windows),
      TEST(what_leaves_leaves_nothing_behind),
      TEST(a_sum_may_be_beyond_what_an_integer_holds),
      TEST(nothing_sums_to_0_and_has_no_mean), TEST(an_order_costs_15_bytes),
      TABLE(beyond_the_limit_events_come_and_go_early_by_less_than_a_64th,
            numbers),
      TEST(a_large_value_makes_nothing_coarse),
      TEST(what_has_left_already_is_not_kept),
      TABLE(records_that_no_fold_makes_are_refused, records),
      TEST(a_coarse_mean_knows_its_number_of_events),
      TABLE(without_memory_nothing_is_half_done, windows))
