/* check_score.c: scores beside the same sum in long double. */
#include "lib/user/score.h"

#include <math.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/user/times.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kind.h"
#include "tests/support/kind_nomem.h"
#include "tests/support/suite.h"

static struct kind kind;

/* Weights by role: usual ones, the extremes, and none. */
static const int64_t weights[] = {10,         40,          -30, 1,
                                  1000000000, -1000000000, 0,   25};

static struct feature_score score = {.weight_count = COUNT(weights),
                                     .weights = weights};

enum { USUAL = 4 }; /* Roles from 0. */

static void begin(int64_t half_life_ms, int64_t now_ms)
{
    score.half_life_ms = half_life_ms;
    kind.feature = (struct feature){
        .kind = FEATURE_SCORE,
        .item = 3,
        .from_ms = FEATURE_LIFETIME,
        .keep = FEATURE_KEEP_ALL,
        .of.score = &score,
    };
    kind_begin(&kind, now_ms);
}

static double measured(int64_t now_ms)
{
    struct seg_value value;
    score_ops.measure(kind.one.user, &kind.feature, now_ms, NULL, &value);
    if (value.type != SEG_DOUBLE)
        ck_abort_msg("type %d", value.type);
    return value.as.number;
}

/* 2^(-age / half-life), the age split so that nothing is lost. */
static long double factor(int64_t time_ms, int64_t now_ms)
{
    int64_t age_ms = now_ms - time_ms, h = score.half_life_ms;
    return ldexpl(exp2l(-(long double)(age_ms % h) / (long double)h),
                  age_ms / h > 16000 ? -16000 : -(int)(age_ms / h));
}

/* The exact score, and what it would be if all weights were positive. */
static long double exact(int64_t now_ms, long double *all)
{
    long double sum = 0;
    *all = 0;
    for (int i = 0; i < kind.count; i++) {
        long double more = (long double)weights[kind.events[i].value] *
                           factor(kind.events[i].time_ms, now_ms);
        sum += more;
        *all += fabsl(more);
    }
    return sum;
}

/* How far the measure may be off, as score.c says. */
static long double stated(long double score_is, long double all)
{
    long double rounding =
        fabsl(score_is) < 8192 ? 0.5e-9L : ldexpl(fabsl(score_is), -44);
    return rounding + ldexpl(all > 1 ? all : 1, -44);
}

static void must_be_right(int64_t now_ms)
{
    long double all, want = exact(now_ms, &all);
    double got = measured(now_ms);
    if (!(fabsl((long double)got - want) <= stated(want, all)))
        ck_abort_msg("at %lld, half-life %lld: got %.17g, want %.20Lg",
                     (long long)now_ms, (long long)score.half_life_ms, got,
                     want);
}

static const int64_t half_lives[] = {
    1,      2,          7,           1000,           DAY_MS,
    999983, 7 * DAY_MS, 30 * DAY_MS, 36500 * DAY_MS, 36500 * DAY_MS - 1};

static const int64_t starts[] = {0, -40 * DAY_MS, INT64_C(1764112000000),
                                 INSTANT_MIN};

START_TEST(a_score_is_the_sum_of_what_is_left_of_its_weights)
{
    for (uint64_t seed = 0; seed < EFFORT(40); seed++) {
        struct random random = {seed};
        int64_t now_ms = starts[seed % COUNT(starts)];
        int64_t h = half_lives[_i];
        int roles = random_chance(&random, 50) ? USUAL : COUNT(weights);
        begin(h, now_ms);
        for (int i = 0; i < 100; i++) {
            now_ms += random_below(&random, h / 4 + 2);
            int64_t age_ms = random_chance(&random, 20)
                                 ? random_below(&random, h * 60)
                                 : random_below(&random, h + 1);
            kind_fold_only(&kind, now_ms - age_ms, random_below(&random, roles),
                           now_ms);
            must_be_right(now_ms);
        }
        for (int i = 0; i < 100; i++)
            must_be_right(now_ms + random_below(&random, 70 * h));
        kind_check_record(&kind, now_ms);
        kind_end(&kind);
    }
}
END_TEST

START_TEST(an_event_weighs_all_of_its_weight_at_its_instant)
{
    struct random random = {(uint64_t)_i};
    int64_t h = half_lives[_i];
    for (int i = 0; i < EFFORT(400); i++) {
        int64_t role = random_below(&random, COUNT(weights));
        int64_t at = starts[i % COUNT(starts)] +
                     random_below(&random, 40 * h < DAY_MS ? DAY_MS : h * 40);
        begin(h, at);
        kind_fold_only(&kind, at, role, at);
        double weight = (double)weights[role];
        if (measured(at) != weight || measured(at + h) != weight / 2 ||
            measured(at + 3 * h) != weight / 8)
            ck_abort_msg("at %lld: %.17g of %g", (long long)at, measured(at),
                         weight);
        kind_end(&kind);
    }
}
END_TEST

/* ---- as time passes ----------------------------------------------------- */

static void fold_some(struct random *random, int64_t now_ms, int roles)
{
    for (int i = 0; i < 12; i++)
        kind_fold_only(&kind,
                       now_ms - random_below(random, 5 * score.half_life_ms),
                       random_below(random, roles), now_ms);
}

START_TEST(a_score_never_moves_away_from_0)
{
    for (uint64_t seed = 0; seed < EFFORT(60); seed++) {
        struct random random = {seed};
        int64_t h = half_lives[_i], now_ms = starts[seed % COUNT(starts)];
        begin(h, now_ms);
        fold_some(&random, now_ms, seed % 2 ? COUNT(weights) : USUAL);
        for (int i = 0; i < 300; i++) {
            /* Somewhere, or on the seam of two half-lives. */
            int64_t at = now_ms + random_below(&random, 50 * h);
            if (i % 2 && at / h * h > now_ms + 2)
                at = at / h * h - 1 + (i & 2) / 2;
            double a = measured(at), b = measured(at + 1);
            if (fabs(b) > fabs(a) || (a < 0) != (b < 0 || (b == 0 && a < 0)))
                ck_abort_msg("at %lld: %.17g, then %.17g", (long long)at, a, b);
        }
        kind_end(&kind);
    }
}
END_TEST

/* Not before it is reached, and not a millisecond later. */
static void must_cross(int64_t now_ms, double bound, int past)
{
    int64_t at =
        score_reaches(kind.one.user, &kind.feature, bound, past, now_ms);
    double sign = measured(now_ms) < 0 ? -1 : 1, size = bound * sign;
    double now = fabs(measured(now_ms));
    int ever = size >= 0 && (past ? size > 0 && now >= size : now > size);
    if (ever != (at != SEG_NEVER))
        ck_abort_msg("%.17g from %.17g: %lld", bound, now, (long long)at);
    if (!ever)
        return;
    double before = fabs(measured(at - 1)), then = fabs(measured(at)),
           after = fabs(measured(at + 1));
    if (at <= now_ms || (past ? before < size : before <= size) ||
        (past ? then >= size : then > size) || after > then)
        ck_abort_msg("%.17g at %lld: %.17g, %.17g, %.17g", bound, (long long)at,
                     before, then, after);
    /* So does the exact sum, but for what is stated. */
    long double all, left = exact(at - 1, &all) * (long double)sign;
    long double right = exact(at, &all) * (long double)sign;
    if (left < (long double)size - stated(left, all) ||
        right > (long double)size + stated(right, all))
        ck_abort_msg("%.17g at %lld: %.20Lg, %.20Lg", bound, (long long)at,
                     left, right);
}

START_TEST(a_bound_is_crossed_at_the_first_millisecond)
{
    for (uint64_t seed = 0; seed < EFFORT(40); seed++) {
        struct random random = {seed};
        int64_t h = half_lives[_i], now_ms = starts[seed % COUNT(starts)];
        begin(h, now_ms);
        fold_some(&random, now_ms, seed % 2 ? COUNT(weights) : USUAL);
        double now = measured(now_ms);
        for (int past = 0; past <= 1; past++) {
            for (int i = 0; i < 12; i++)
                must_cross(now_ms,
                           now * (double)random_below(&random, 1100) / 1000,
                           past);
            must_cross(now_ms, now, past);
            must_cross(now_ms, 50, past);
            must_cross(now_ms, -50, past);
            must_cross(now_ms, 0, past);
            must_cross(now_ms, 1e-9, past);
            must_cross(now_ms, 1e300, past);
        }
        kind_end(&kind);
    }
}
END_TEST

START_TEST(a_score_that_is_worn_out_is_0)
{
    begin(half_lives[_i], 0);
    kind_fold_only(&kind, 0, 4, 0); /* 10^9 is 2^29.9, 10^-9 / 2 2^-30.9. */
    ck_assert(measured(60 * score.half_life_ms) > 0);
    ck_assert(measured(61 * score.half_life_ms) == 0);
    ck_assert_int_le(score_reaches(kind.one.user, &kind.feature, 0, 0, 0),
                     61 * score.half_life_ms);
    kind_end(&kind);
}
END_TEST

START_TEST(without_events_it_is_0)
{
    begin(DAY_MS, 0);
    ck_assert(measured(0) == 0);
    ck_assert_int_eq(score_reaches(kind.one.user, &kind.feature, 0, 0, 0),
                     SEG_NEVER);
    kind_fold_only(&kind, 0, 0, 0);
    kind_fold_only(&kind, 0, 1, 0);
    kind_fold_only(&kind, -DAY_MS, 2, 0);
    kind_fold_only(&kind, 0, 2, 0);
    kind_fold_only(&kind, 0, 2, 0);
    ck_assert(measured(0) == 10 + 40 - 15 - 60);
    ck_assert(measured(DAY_MS) == -12.5);
    /* To nothing at all. */
    kind_fold_only(&kind, 0, 7, 0);
    ck_assert(measured(0) == 0);
    kind_end(&kind);
}
END_TEST

/* ---- what is forgotten -------------------------------------------------- */

START_TEST(what_is_64_half_lives_older_than_the_newest_is_forgotten)
{
    int64_t h = half_lives[_i];
    for (int late = 0; late <= 1; late++) {
        begin(h, 0);
        /* Where a block begins the most is kept, the least where it ends. */
        int64_t newest = 80 * h,
                times[] = {newest, newest - 64 * h, newest - 81 * h};
        if (h > 1)
            newest = times[0] = 80 * h + h / 2;
        for (int i = 0; i < 3; i++)
            kind_fold_only(&kind, times[late ? i : 2 - i], i ? 0 : 4, newest);
        ck_assert_uint_eq(user_item(kind.one.user, 3).len, 2 * 24);
        kind_check_record(&kind, newest);
        kind_end(&kind);
    }
}
END_TEST

/* ---- order -------------------------------------------------------------- */

enum { EVENTS = 80 };

START_TEST(folding_in_any_order_ends_in_the_same_bytes)
{
    struct buf first, other;
    buf_init(&first);
    buf_init(&other);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct random random = {seed};
        struct kind_event events[EVENTS];
        int64_t h = half_lives[_i], end_ms = starts[seed % COUNT(starts)];
        for (int i = 0; i < EVENTS; i++)
            events[i] =
                (struct kind_event){end_ms - random_below(&random, 150 * h),
                                    random_below(&random, COUNT(weights))};
        for (int round = 0; round < 6; round++) {
            begin(h, end_ms);
            for (int i = EVENTS - 1; i > 0; i--) {
                int j = (int)random_below(&random, i + 1);
                struct kind_event swapped = events[i];
                events[i] = events[j];
                events[j] = swapped;
            }
            for (int i = 0; i < EVENTS; i++)
                kind_fold_only(&kind, events[i].time_ms, events[i].value,
                               round % 2 ? end_ms : events[i].time_ms);
            buf_reset(&other);
            kind_write(&kind, round ? &other : &first);
            if (round) {
                ck_assert_uint_eq(other.len, first.len);
                ck_assert_mem_eq(other.bytes, first.bytes, first.len);
            }
            kind_end(&kind);
        }
        buf_reset(&first);
    }
    buf_done(&first);
    buf_done(&other);
}
END_TEST

/* ---- limits ------------------------------------------------------------- */

/* A record may say more than events ever could. */
START_TEST(a_sum_stops_at_its_end)
{
    struct buf buf;
    struct reader reader;
    buf_init(&buf);
    begin(DAY_MS, 0);
    buf_varint(&buf, 1);
    buf_u64(&buf, 0);
    buf_u64(&buf, UINT64_MAX);
    buf_u64(&buf, UINT64_MAX >> 1);
    reader_init(&reader, (struct seg_text){buf.bytes, buf.len});
    ck_assert_int_eq(score_ops.read(&kind.one.store, &kind.one.user,
                                    &kind.feature, &reader, NULL),
                     0);
    double most = measured(0);
    kind_fold_only(&kind, 0, 4, 0);
    ck_assert(measured(0) == most && most > 1e23);
    ck_assert(measured(200 * DAY_MS) == 0);
    kind_end(&kind);
    buf_done(&buf);
}
END_TEST

/* Nor may it be of a time that no event has: what is computed would overflow. */
static const struct {
    int64_t time_ms; /* Of the block's first event, or 16 half-lives off. */
    int half_lives;
    int ret;
} blocks[] = {
    {TIMES_MS_MAX, 0, 0},
    {TIMES_MS_MAX, 16, SEG_ERR_RECORD},
    {-TIMES_MS_MAX, 0, 0},
    {-TIMES_MS_MAX, -16, SEG_ERR_RECORD},
    {0, 0, 0},
};

START_TEST(a_block_is_of_a_time_that_an_event_can_have)
{
    struct buf buf;
    struct reader reader;
    int64_t lives = (blocks[_i].time_ms - (blocks[_i].time_ms < 0)) / DAY_MS;
    buf_init(&buf);
    begin(DAY_MS, 0);
    buf_varint(&buf, 1);
    buf_u64(&buf, (uint64_t)((lives + blocks[_i].half_lives) >> 4));
    buf_u64(&buf, UINT64_C(1) << 60);
    buf_u64(&buf, 0);
    reader_init(&reader, (struct seg_text){buf.bytes, buf.len});
    ck_assert_int_eq(score_ops.read(&kind.one.store, &kind.one.user,
                                    &kind.feature, &reader, NULL),
                     blocks[_i].ret);
    if (blocks[_i].ret == 0)
        ck_assert_int_gt(score_reaches(kind.one.user, &kind.feature, 1, 0, 0),
                         0);
    kind_end(&kind);
    buf_done(&buf);
}
END_TEST

START_TEST(without_memory_nothing_is_half_done)
{
    begin(half_lives[_i], 0);
    long failures = 0;
    for (int i = 0; i < 30; i++)
        failures += kind_fold_nomem(&kind, i * score.half_life_ms, i % USUAL,
                                    i * score.half_life_ms);
    ck_assert_int_gt(failures, 0);
    must_be_right(30 * score.half_life_ms);
    kind_end(&kind);
}
END_TEST

SUITE("score", NULL, NULL,
      TABLE(a_score_is_the_sum_of_what_is_left_of_its_weights, half_lives),
      TABLE(an_event_weighs_all_of_its_weight_at_its_instant, half_lives),
      TABLE(a_score_never_moves_away_from_0, half_lives),
      TABLE(a_bound_is_crossed_at_the_first_millisecond, half_lives),
      TABLE(a_score_that_is_worn_out_is_0, half_lives),
      TEST(without_events_it_is_0),
      TABLE(what_is_64_half_lives_older_than_the_newest_is_forgotten,
            half_lives),
      TABLE(folding_in_any_order_ends_in_the_same_bytes, half_lives),
      TEST(a_sum_stops_at_its_end),
      TABLE(a_block_is_of_a_time_that_an_event_can_have, blocks),
      TABLE(without_memory_nothing_is_half_done, half_lives))
