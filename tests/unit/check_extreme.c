/* check_extreme.c: minima and maxima beside ones that are looked for anew. */
#include <math.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/event/value.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kind.h"
#include "tests/support/kind_nomem.h"
#include "tests/support/measured.h"
#include "tests/support/suite.h"

static struct kind kind;

/* The value of an event that is noted as CODE: mostly CODE itself, else what
 * is not whole, or whole and a double, or no number. */
static struct seg_value value_of(int64_t code)
{
    struct seg_value value = {.type = SEG_DOUBLE};
    switch (code % 8) {
    case 1:
        value.as.number = (double)code / 100;
        return value;
    case 3:
        value.as.number = (double)code; /* Beside an integer, or not. */
        return value;
    case -1:
        value.as.number = (double)code * 1e30;
        return value;
    case -3:
        value.as.number = code % 16 == -3 ? INFINITY : -0.0;
        return value;
    case -5:
        return (struct seg_value){.type = SEG_TEXT, .len = 1, .as.text = "5"};
    case -7:
        return (struct seg_value){.type = SEG_MISSING};
    default:
        return value_of_int(code);
    }
}

static int is_number(const struct seg_value *value)
{
    return value->type == SEG_INT ||
           (value->type == SEG_DOUBLE && isfinite(value->as.number));
}

/* The most extreme value in the window at NOW_MS, that of the feature or
 * another one. */
static struct seg_value extreme_in(int64_t from_ms, int64_t to_ms,
                                   int64_t now_ms)
{
    struct seg_value best = {.type = SEG_MISSING}, value;
    int order;
    for (int i = 0; i < kind.count; i++) {
        int64_t age_ms = now_ms - kind.events[i].time_ms;
        value = value_of(kind.events[i].value);
        if (!is_number(&value) || (from_ms != FEATURE_LIFETIME &&
                                   (age_ms < to_ms || age_ms >= from_ms)))
            continue;
        if (best.type == SEG_MISSING || !value_compare(&value, &best, &order) ||
            (kind.feature.kind == FEATURE_MIN ? order < 0 : order > 0))
            best = value;
    }
    return best;
}

/* What is whole and fits is an integer. */
static struct seg_value naive_value(int64_t now_ms)
{
    struct seg_value best =
        extreme_in(kind.feature.from_ms, kind.feature.to_ms, now_ms);
    double number = best.as.number;
    if (best.type == SEG_DOUBLE && number == trunc(number) &&
        fabs(number) < 9e18)
        return value_of_int((int64_t)number);
    return best;
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
    one_user_fold_event(&kind.one, &kind.feature, &event, now_ms);
    ck_assert_int_eq(kind.one.folded.mismatch,
                     event.value.type != SEG_MISSING &&
                         !is_number(&event.value));
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
    {FEATURE_MIN, FEATURE_LIFETIME, 0},
    {FEATURE_MIN, 1, 0},
    {FEATURE_MIN, 1000, 0},
    {FEATURE_MIN, 28 * DAY_MS, 14 * DAY_MS},
    {FEATURE_MAX, FEATURE_LIFETIME, 0},
    {FEATURE_MAX, 1000, 0},
    {FEATURE_MAX, 365 * DAY_MS, 0},
    {FEATURE_MAX, 1000, 500},
    {FEATURE_MAX, 1000, 999},
};

START_TEST(extremes_and_next_changes_are_right_at_every_edge)
{
    measured_at_every_edge(&kind, &windows[_i], begin, fold);
}
END_TEST

START_TEST(folding_in_any_order_ends_in_the_same_bytes)
{
    measured_in_any_order(&kind, &windows[_i], begin, fold);
}
END_TEST

/* ---- what is kept -------------------------------------------------------- */

static uint32_t cells(void)
{
    return user_item(kind.one.user, 3).len / 16;
}

START_TEST(only_steps_are_kept)
{
    begin(FEATURE_MAX, 1000, 0, 0);
    for (int i = 0; i < 500; i++)
        fold(i, i * 8, i);
    ck_assert_uint_eq(cells(), 1);
    for (int i = 500; i < 600; i++)
        fold(i, (600 - i) * 8, i);
    ck_assert_uint_eq(cells(), 101);
    fold(300, 600 * 8, 600); /* Late, and above all that is older. */
    fold(550, 24, 600);      /* Late, and below what is newer. */
    ck_assert_uint_eq(cells(), 102);
    fold(600, 300 * 8, 600);
    ck_assert_uint_eq(cells(), 3);
    kind_compare(&kind, 600);
    kind_end(&kind);
}
END_TEST

START_TEST(ever_one_value_is_kept)
{
    begin(FEATURE_MIN, FEATURE_LIFETIME, 0, 0);
    for (int i = 0; i < 300; i++)
        fold(i, 8 * (i * 37 % 300), i);
    ck_assert_uint_eq(user_item(kind.one.user, 3).len, 12);
    kind_end(&kind);
}
END_TEST

/* 2^53 + 1 is no double, and more than 2^53 as one; 2^63 is no integer. */
START_TEST(integers_and_doubles_compare_exactly)
{
    static const struct seg_value rising[] = {
        {.type = SEG_DOUBLE, .as.number = -1e300},
        {.type = SEG_INT, .as.integer = INT64_MIN},
        {.type = SEG_DOUBLE, .as.number = 0.1},
        {.type = SEG_DOUBLE, .as.number = 9007199254740992.0},
        {.type = SEG_INT, .as.integer = 9007199254740993},
        {.type = SEG_INT, .as.integer = INT64_MAX},
        {.type = SEG_DOUBLE, .as.number = 9223372036854775808.0},
        {.type = SEG_DOUBLE, .as.number = 1.7976931348623157e308},
    };
    begin(FEATURE_MAX, 1000, 0, 0);
    for (int i = 0; i < COUNT(rising); i++) {
        const struct fold event = {.time_ms = i, .value = rising[i]};
        one_user_fold_event(&kind.one, &kind.feature, &event, i);
        struct seg_value got = one_user_measure(&kind.one, &kind.feature, i);
        ck_assert(value_equal(&got, &rising[i]));
        ck_assert_uint_eq(cells(), 1);
    }
    kind_end(&kind);
}
END_TEST

START_TEST(minus_zero_is_zero)
{
    const struct fold event = {
        .value = {.type = SEG_DOUBLE, .as.number = -0.0}};
    begin(FEATURE_MIN, FEATURE_LIFETIME, 0, 0);
    one_user_fold_event(&kind.one, &kind.feature, &event, 0);
    struct seg_value got = one_user_measure(&kind.one, &kind.feature, 0);
    ck_assert_int_eq(got.type, SEG_INT);
    ck_assert_int_eq(got.as.integer, 0);
    kind_end(&kind);
}
END_TEST

/* ---- the exact limit ----------------------------------------------------- */

#define FROM_MS (INT64_C(64) * 1000)
#define TO_MS   (INT64_C(32) * 1000)

static const int numbers[] = {255, 256, 257, 1500};

/* -1, 0 or 1; nothing is less extreme than anything. */
static int extremer(const struct seg_value *a, const struct seg_value *b)
{
    int order = 0;
    if (a->type == SEG_MISSING || b->type == SEG_MISSING)
        return (a->type != SEG_MISSING) - (b->type != SEG_MISSING);
    value_compare(a, b, &order);
    return kind.feature.kind == FEATURE_MIN ? -order : order;
}

/* What is measured lies between the extremes of the windows that are smaller
 * and larger by what a bucket may be early. */
static void look_beyond(struct random *random, int64_t to_ms, int64_t now_ms)
{
    int coarse = user_item(kind.one.user, 3).coarse;
    int64_t early_ms = coarse ? feature_bucket_ms(&kind.feature) - 1 : 0;
    for (int i = 0; i < 1000; i++) {
        int64_t at = now_ms + random_below(random, FROM_MS + 1000);
        struct seg_value got = one_user_measure(&kind.one, &kind.feature, at);
        struct seg_value low = extreme_in(FROM_MS - early_ms, to_ms, at);
        struct seg_value high =
            extreme_in(FROM_MS, to_ms ? to_ms - early_ms : 0, at);
        ck_assert_msg(extremer(&got, &low) >= 0 && extremer(&got, &high) <= 0,
                      "at %lld", (long long)at);
    }
}

/* Values that fall, and now and then one that does not: each is a step. */
START_TEST(beyond_the_limit_events_come_and_go_early_by_less_than_a_64th)
{
    for (int ends = 0; ends < 2; ends++) {
        struct random random = {(uint64_t)_i};
        int64_t now_ms = 0, to_ms = ends ? TO_MS : 0;
        begin(FEATURE_MAX, FROM_MS, to_ms, 0);
        for (int i = 0; i < numbers[_i]; i++) {
            int64_t late_ms =
                ends && i % 5 == 0 ? random_below(&random, 999) : 0;
            now_ms += numbers[_i] > 1000 ? 30 : 100;
            fold(now_ms - late_ms,
                 8 * (ends ? random_between(&random, 1, 1000) : 5000 - i),
                 now_ms);
            ck_assert_int_eq(kind.one.folded.coarse, i == 256);
        }
        ck_assert_int_eq(user_item(kind.one.user, 3).coarse, numbers[_i] > 256);
        ck_assert_uint_le(cells(), 256);
        look_beyond(&random, to_ms, now_ms);
        kind_check_record(&kind, now_ms);
        /* Once empty it is exact again. */
        now_ms += FROM_MS;
        fold(now_ms, 8, now_ms);
        ck_assert(!user_item(kind.one.user, 3).coarse);
        kind_end(&kind);
    }
}
END_TEST

START_TEST(what_has_left_already_is_not_kept)
{
    begin(FEATURE_MIN, 1000, 0, 0);
    fold(0, 8, 1000);
    ck_assert_ptr_null(user_item(kind.one.user, 3).bytes);
    fold(1, 8, 1000);
    ck_assert_ptr_nonnull(user_item(kind.one.user, 3).bytes);
    kind_end(&kind);
}
END_TEST

/* ---- records ------------------------------------------------------------- */

static void put_record(struct buf *buf, int coarse, int64_t first_ms,
                       int64_t then_ms, double a, double b)
{
    const double numbers_of[] = {a, b};
    buf_reset(buf);
    buf_u8(buf, (uint8_t)coarse);
    buf_varint(buf, 2);
    for (int i = 0; i < 2; i++) {
        uint64_t bits;
        memcpy(&bits, &numbers_of[i], sizeof(bits));
        if (i)
            buf_varint(buf, (uint64_t)then_ms);
        else
            buf_u64(buf, (uint64_t)first_ms);
        buf_u8(buf, 1);
        buf_u64(buf, bits);
    }
}

/* Of a maximum over 64000 ms, that ends now or not: two doubles. */
static const struct {
    int ret, ends, coarse;
    int64_t first_ms, then_ms;
    double a, b;
} records[] = {
    {0, 0, 0, 5, 1, 2.5, 1.5},
    {SEG_ERR_RECORD, 0, 0, 5, 1, 1.5, 1.5},
    {SEG_ERR_RECORD, 0, 0, 5, 0, 2.5, 1.5},
    {SEG_ERR_RECORD, 0, 0, 5, 1, 3.0, 1.5}, /* 3 is kept as an integer. */
    {SEG_ERR_RECORD, 0, 0, 5, 1, INFINITY, 1.5},
    {0, 0, 1, 2000, 1000, 2.5, 1.5},
    {SEG_ERR_RECORD, 0, 1, 2000, 1001, 2.5, 1.5},
    {0, 1, 0, 5, 0, 1.5, 1.5},
    {SEG_ERR_RECORD, 1, 0, 5, 0, 2.5, 1.5},
    {0, 1, 1, 2000, 1000, 1.5, 2.5},
    {SEG_ERR_RECORD, 1, 1, 2000, 0, 1.5, 2.5},
    {SEG_ERR_RECORD, 1, 2, 2000, 1000, 1.5, 2.5},
};

START_TEST(records_that_no_fold_makes_are_refused)
{
    static const uint8_t topics[FEATURE_TOPICS];
    struct reader reader;
    struct buf buf;
    buf_init(&buf);
    begin(FEATURE_MAX, 64000, records[_i].ends ? 1000 : 0, 0);
    put_record(&buf, records[_i].coarse, records[_i].first_ms,
               records[_i].then_ms, records[_i].a, records[_i].b);
    reader_init(&reader, (struct seg_text){buf.bytes, buf.len});
    ck_assert_int_eq(max_ops.read(&kind.one.store, &kind.one.user,
                                  &kind.feature, &reader, topics),
                     records[_i].ret);
    ck_assert(user_validate(kind.one.user));
    kind_end(&kind);
    buf_done(&buf);
}
END_TEST

START_TEST(without_memory_nothing_is_half_done)
{
    begin(windows[_i].kind, windows[_i].from_ms, windows[_i].to_ms, 0);
    long failures = 0;
    for (int i = 0; i < 120; i++)
        failures +=
            kind_fold_nomem(&kind, i * 7, 8 * (i * 7 % 50 + i % 3 * i), i * 7);
    ck_assert_int_ge(failures, windows[_i].from_ms > 1000);
    kind_compare(&kind, 120 * 7);
    kind_end(&kind);
}
END_TEST

SUITE("extreme", NULL, NULL,
      TABLE(extremes_and_next_changes_are_right_at_every_edge, windows),
      TABLE(folding_in_any_order_ends_in_the_same_bytes, windows),
      TEST(only_steps_are_kept), TEST(ever_one_value_is_kept),
      TEST(integers_and_doubles_compare_exactly), TEST(minus_zero_is_zero),
      TABLE(beyond_the_limit_events_come_and_go_early_by_less_than_a_64th,
            numbers),
      TEST(what_has_left_already_is_not_kept),
      TABLE(records_that_no_fold_makes_are_refused, records),
      TABLE(without_memory_nothing_is_half_done, windows))
