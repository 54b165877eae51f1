/* check_habit.c: blocks with as many events as wanted beside counting anew. */
#include <string.h>

#include "lib/base/instant.h"
#include "lib/user/habit_row.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kind.h"
#include "tests/support/kind_nomem.h"
#include "tests/support/suite.h"

#define WEEK_MS (7 * DAY_MS)

static struct kind kind;
static struct feature_habit habit;
static uint32_t flips[1];

/* Whether block I has low to high events at NOW_MS. */
static int is_satisfied(const struct kind *self, int64_t i, int64_t now_ms)
{
    int64_t count = 0;
    for (int e = 0; e < self->count; e++) {
        int64_t age_ms = now_ms - self->events[e].time_ms;
        count +=
            age_ms >= i * habit.period_ms && age_ms < (i + 1) * habit.period_ms;
    }
    return count >= habit.low && count <= habit.high;
}

static uint64_t naive(const struct kind *self, int64_t now_ms)
{
    uint64_t result = 0;
    for (int64_t i = 0; i < habit.periods; i++)
        result += (uint64_t)is_satisfied(self, i, now_ms);
    return result;
}

static int edges(const struct kind *self, int64_t *to)
{
    int n = 0;
    for (int e = 0; e < self->count; e++)
        for (int64_t i = 1; i <= habit.periods; i++)
            to[n++] = self->events[e].time_ms + i * habit.period_ms;
    return n;
}

static void begin(const struct feature_habit *of, int64_t now_ms)
{
    habit = *of;
    flips[0] = (uint32_t)habit.periods;
    kind.feature = (struct feature){
        .kind = FEATURE_HABIT,
        .item = 3,
        .from_ms = habit.period_ms * habit.periods,
        .keep = FEATURE_KEEP_ALL,
        .of.habit = &habit,
        .flip_count = 1,
        .flips = flips,
    };
    kind.naive = naive;
    kind.edges = edges;
    kind_begin(&kind, now_ms);
}

static const struct feature_habit habits[] = {
    {WEEK_MS, 4, 3, INT64_MAX}, {DAY_MS, 7, 1, INT64_MAX},
    {DAY_MS, 3, 0, 2},          {WEEK_MS, 2, 0, 0},
    {DAY_MS, 5, 2, 2},          {10, 4, 2, 3},
    {DAY_MS, 1, 5, INT64_MAX},  {10, 3, 1, INT64_MAX},
    {DAY_MS, 30, 1, INT64_MAX}, {WEEK_MS, 3, 0, INT64_MAX},
    {1000, 2, 1000, INT64_MAX},
};

static const int64_t starts[] = {0, -40 * DAY_MS, INT64_C(1764112000000),
                                 INSTANT_MIN};

/* Often on the seams of the fixed cells, or of the blocks at NOW_MS. */
static int64_t random_time(struct random *random, int64_t now_ms)
{
    int64_t period = habit.period_ms;
    int64_t time_ms =
        now_ms - random_below(random, period * (habit.periods + 1));
    if (random_chance(random, 30))
        time_ms = time_ms / period * period + random_between(random, -1, 1);
    else if (random_chance(random, 30))
        time_ms = now_ms - (now_ms - time_ms) / period * period +
                  random_between(random, -1, 1);
    return time_ms < now_ms ? time_ms : now_ms;
}

START_TEST(blocks_and_next_changes_are_right_at_every_edge)
{
    for (uint64_t seed = 0; seed < EFFORT(16); seed++) {
        struct random random = {seed};
        int64_t now_ms = starts[seed % COUNT(starts)];
        /* From a few to many in a block. */
        int64_t events = random_between(&random, 10, 120);
        begin(&habits[_i], now_ms);
        ck_assert_uint_eq(kind_measure(&kind, now_ms),
                          habit.low ? 0 : (uint64_t)habit.periods);
        for (int i = 0; i < events; i++) {
            now_ms += random_below(
                &random, habit.period_ms * habit.periods * 2 / events + 2);
            kind_fold(&kind, random_time(&random, now_ms), 0, now_ms);
            if (i % 30 == 0)
                kind_compare(&kind, now_ms);
        }
        kind_compare(&kind, now_ms);
        if (user_item(kind.one.user, 3).bytes)
            kind_check_record(&kind, now_ms);
        kind_end(&kind);
    }
}
END_TEST

/* Three a day for three days, an hour apart, seen to the millisecond. */
START_TEST(a_habit_begins_and_ends_at_an_instant)
{
    const struct feature_habit often = {DAY_MS, 3, 2, INT64_MAX};
    begin(&often, 0);
    for (int64_t i = 0; i < 6; i++) {
        int64_t at = i / 2 * DAY_MS + i % 2 * 1000;
        kind_fold(&kind, at, 0, at);
    }
    int64_t last = 2 * DAY_MS + 1000; /* All three days have two. */
    ck_assert_uint_eq(kind_measure(&kind, last), 3);
    ck_assert_int_eq(one_user_next(&kind.one, &kind.feature, last), 3 * DAY_MS);
    ck_assert_uint_eq(kind_measure(&kind, 3 * DAY_MS - 1), 3);
    ck_assert_uint_lt(kind_measure(&kind, 3 * DAY_MS), 3);
    kind_end(&kind);
}
END_TEST

/* ---- many of them ------------------------------------------------------- */

/* In order as a rule, each about as long after the last as is wanted. */
static const struct {
    struct feature_habit of;
    int64_t late; /* So many of a hundred. */
} streams[] = {
    {{DAY_MS, 60, 1, INT64_MAX}, 0}, {{DAY_MS, 50, 1, INT64_MAX}, 5},
    {{DAY_MS, 60, 1, 2}, 3},         {{DAY_MS, 25, 2, INT64_MAX}, 3},
    {{WEEK_MS, 8, 7, INT64_MAX}, 3}, {{DAY_MS, 40, 0, 1}, 3},
    {{WEEK_MS, 9, 5, 9}, 3},
};

/* The dial that is there says the same as one that is made anew. */
static int compare_dials(int64_t now_ms)
{
    struct habit_row row, anew;
    habit_row_find(kind.one.user, &kind.feature, &row);
    if (!row.has_dial)
        return 0;
    anew = row;
    anew.has_dial = 0;
    for (int64_t i = 0; i < 48; i++) {
        int64_t next_ms, at = now_ms + i * habit.period_ms / 24;
        ck_assert_int_eq(habit_rough_count(&row, &habit, at, &next_ms) ==
                             (uint64_t)habit.periods,
                         habit_rough_count(&anew, &habit, at, &next_ms) ==
                             (uint64_t)habit.periods);
    }
    return row.dial.count > 0 ? 2 : 1;
}

START_TEST(events_in_order_and_late_ones_are_known_by_the_dial)
{
    int with[3] = {0};
    for (uint64_t seed = 0; seed < EFFORT_OR(4, 2); seed++) {
        struct random random = {seed};
        int64_t now_ms = starts[seed % COUNT(starts)];
        begin(&streams[_i].of, now_ms);
        int64_t wanted = habit.low ? habit.low : habit.high;
        /* With even seeds hardly ever too late, with others often. */
        int64_t step = habit.period_ms * (seed % 2 ? 14 : 9) / 10 / wanted;
        for (int i = 0; i < 120; i++) {
            now_ms += random_between(&random, step / 2, step);
            int late = random_chance(&random, streams[_i].late);
            kind_fold(&kind, late ? random_time(&random, now_ms) : now_ms, 0,
                      now_ms);
            with[compare_dials(now_ms)]++;
            if (i == 59)
                kind_compare(&kind, now_ms);
        }
        kind_check_record(&kind, now_ms);
        kind_end(&kind);
    }
    ck_assert_int_gt(with[0], 0);
    ck_assert_int_gt(with[2], 0);
}
END_TEST

/* Instants between here and there beside counting anew, where all edges would
 * be too many. */
static void compare_some(int64_t now_ms)
{
    for (int64_t i = 0; i < 300; i++) {
        int64_t at = now_ms + i * habit.period_ms * 7 / 100;
        ck_assert_uint_eq(kind_measure(&kind, at), naive(&kind, at));
    }
    compare_dials(now_ms);
}

static const struct feature_habit daily = {DAY_MS, 60, 1, INT64_MAX};

START_TEST(a_dial_is_in_no_record_but_made_when_that_is_read)
{
    struct buf buf;
    struct reader reader;
    const uint8_t topics[FEATURE_TOPICS] = {0};
    int64_t now_ms = 0;
    buf_init(&buf);
    begin(&daily, now_ms);
    for (int i = 0; i < HABIT_DIAL_FROM + 5; i++, now_ms += DAY_MS * 9 / 8)
        kind_fold(&kind, now_ms, 0, now_ms);
    ck_assert_int_eq(compare_dials(now_ms), 2);
    kind_write(&kind, &buf);
    /* coarse, how many, the first, then a time each */
    ck_assert_uint_le(buf.len, 1 + 1 + 8 + (HABIT_DIAL_FROM + 4) * 4);
    struct item item = user_item(kind.one.user, 3);
    user_resize(&kind.one.store, &kind.one.user, 3, 0, &item);
    reader_init(&reader, (struct seg_text){buf.bytes, (uint32_t)buf.len});
    ck_assert_int_eq(habit_ops.read(&kind.one.store, &kind.one.user,
                                    &kind.feature, &reader, topics),
                     0);
    ck_assert_int_eq(compare_dials(now_ms), 2);
    kind_fold(&kind, now_ms, 0, now_ms);
    ck_assert_int_eq(compare_dials(now_ms), 2);
    buf_done(&buf);
    kind_end(&kind);
}
END_TEST

/* Fold what comes a bit too late each day, at another time of each. */
static int64_t fold_too_late(int64_t now_ms, int count)
{
    struct habit_row row;
    int given_up = 0;
    for (int i = 0; i < count; i++) {
        now_ms += DAY_MS + 300000 + (i % 2 ? 17 : 11) * 60000;
        kind_fold(&kind, now_ms, 0, now_ms);
        habit_row_find(kind.one.user, &kind.feature, &row);
        given_up += row.given_up;
        ck_assert_uint_le(row.dial.count, row.row.count);
    }
    ck_assert_int_gt(given_up, 0);
    return now_ms;
}

/* All of it is passed over again then. */
START_TEST(a_dial_of_more_parts_than_times_is_given_up)
{
    begin(&daily, 0);
    int64_t now_ms = fold_too_late(0, 80);
    compare_some(now_ms);
    kind_fold(&kind, now_ms - 10 * DAY_MS, 0, now_ms);
    compare_some(now_ms);
    kind_check_record(&kind, now_ms);
    /* Few are left, then many of another sort. */
    now_ms += 50 * DAY_MS;
    for (int i = 0; i < 100; i++, now_ms += DAY_MS * 7 / 8)
        kind_fold(&kind, now_ms, 0, now_ms);
    ck_assert_int_eq(compare_dials(now_ms), 1);
    compare_some(now_ms);
    kind_end(&kind);
}
END_TEST

/* ---- order -------------------------------------------------------------- */

enum { EVENTS = 150 };

START_TEST(folding_in_any_order_ends_in_the_same_bytes)
{
    struct buf first, other;
    buf_init(&first);
    buf_init(&other);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct random random = {seed};
        int64_t times[EVENTS], end_ms = starts[seed % COUNT(starts)];
        habit = habits[_i];
        for (int i = 0; i < EVENTS; i++)
            times[i] = random_time(&random, end_ms);
        for (int round = 0; round < 6; round++) {
            int64_t now_ms = INT64_MIN;
            begin(&habits[_i], end_ms);
            for (int i = 0; i < EVENTS; i++) {
                now_ms = times[i] > now_ms ? times[i] : now_ms;
                kind_fold_only(&kind, times[i], 0, round % 2 ? end_ms : now_ms);
            }
            kind_fold_only(&kind, end_ms, 0, end_ms);
            buf_reset(&other);
            if (user_item(kind.one.user, 3).bytes)
                kind_write(&kind, round ? &other : &first);
            ck_assert_uint_eq(round ? other.len : first.len, first.len);
            if (round && first.len)
                ck_assert_mem_eq(other.bytes, first.bytes, first.len);
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

static uint32_t times_kept(void)
{
    struct habit_row row;
    habit_row_find(kind.one.user, &kind.feature, &row);
    return row.row.count;
}

START_TEST(no_more_is_kept_than_blocks_can_tell_apart)
{
    begin(&habits[_i], 0);
    if (!habit.low && habit.high == INT64_MAX)
        goto done;
    uint32_t cap =
        (uint32_t)(habit.high == INT64_MAX ? habit.low : habit.high + 1);
    int64_t step = habit.period_ms / 40 + 1, now_ms = 0;
    uint32_t most = 0;
    for (int i = 0; i < 2000; i++, now_ms += step) {
        kind_fold_only(&kind, now_ms, 0, now_ms);
        most = times_kept() > most ? times_kept() : most;
    }
    ck_assert_uint_le(most, 2 * cap * (uint32_t)(habit.periods + 1));
    ck_assert(!user_item(kind.one.user, 3).coarse);
done:
    kind_end(&kind);
}
END_TEST

/* ---- the exact limit ---------------------------------------------------- */

/* As many as that in each block, more than can be kept exactly. */
static const struct feature_habit large = {DAY_MS, 30, 400, INT64_MAX};

START_TEST(beyond_the_limit_events_count_early_by_less_than_a_16th)
{
    begin(&large, 0);
    int64_t now_ms = 0, width_ms = DAY_MS / HABIT_BUCKETS, step = DAY_MS / 620;
    int folded = 0;
    for (; folded < HABIT_EXACT_MAX + 2000; folded++, now_ms += step) {
        const struct fold fold = {.time_ms = now_ms};
        int ret = habit_ops.fold(&kind.one.store, &kind.one.user, &kind.feature,
                                 &fold, now_ms, &kind.one.folded);
        int full = folded == HABIT_EXACT_MAX;
        if (ret < 0 || kind.one.folded.coarse != full)
            ck_abort_msg("event %d: %d, %d", folded, ret,
                         kind.one.folded.coarse);
    }
    ck_assert(user_item(kind.one.user, 3).coarse);
    ck_assert_uint_lt(user_item(kind.one.user, 3).len,
                      31 * HABIT_BUCKETS * BUCKET_BYTES);
    /* 620 a day since 0: a block is satisfied while it holds 400, give or take
     * a bucket. */
    for (int64_t at = now_ms; at < now_ms + 3 * DAY_MS; at += DAY_MS / 50) {
        uint64_t got = kind_measure(&kind, at), low = 0, high = 0;
        for (int64_t i = 0; i < 30; i++) {
            int64_t begin_ms = at - (i + 1) * DAY_MS, end_ms = at - i * DAY_MS;
            int64_t first = begin_ms < 0 ? 0 : begin_ms;
            int64_t last = end_ms < now_ms ? end_ms : now_ms;
            int64_t span = last > first ? last - first : 0;
            low += (uint64_t)((span - width_ms) / step - 1 >= 400);
            high += (uint64_t)((span + width_ms) / step + 1 >= 400);
        }
        ck_assert_msg(got >= low && got <= high, "at %lld: %llu", (long long)at,
                      (unsigned long long)got);
        int64_t next = one_user_next(&kind.one, &kind.feature, at);
        ck_assert_int_gt(next, at);
    }
    kind_check_record(&kind, now_ms);
    kind_fold_only(&kind, now_ms + 31 * DAY_MS, 0, now_ms + 31 * DAY_MS);
    ck_assert(!user_item(kind.one.user, 3).coarse);
    kind_end(&kind);
}
END_TEST

START_TEST(without_memory_nothing_is_half_done)
{
    begin(&habits[_i], 0);
    long failures = 0;
    int64_t now_ms = 0;
    for (int i = 0; i < 120; i++, now_ms += habit.period_ms / 5 + 1)
        failures += kind_fold_nomem(&kind, now_ms, 0, now_ms);
    ck_assert(failures > 0 || (!habit.low && habit.high == INT64_MAX));
    if (habit.periods < 30)
        kind_compare(&kind, now_ms);
    kind_end(&kind);
}
END_TEST

START_TEST(becoming_coarse_without_memory_is_refused)
{
    begin(&large, 0);
    int64_t step = DAY_MS / 620, now_ms = 0;
    for (int i = 0; i < HABIT_EXACT_MAX; i++, now_ms += step) {
        const struct fold fold = {.time_ms = now_ms};
        habit_ops.fold(&kind.one.store, &kind.one.user, &kind.feature, &fold,
                       now_ms, &kind.one.folded);
    }
    ck_assert(!user_item(kind.one.user, 3).coarse);
    ck_assert_int_gt(kind_fold_nomem(&kind, now_ms, 0, now_ms), 0);
    ck_assert(user_item(kind.one.user, 3).coarse);
    kind_end(&kind);
}
END_TEST

SUITE("habit", NULL, NULL,
      TABLE(blocks_and_next_changes_are_right_at_every_edge, habits),
      TEST(a_habit_begins_and_ends_at_an_instant),
      TABLE(events_in_order_and_late_ones_are_known_by_the_dial, streams),
      TEST(a_dial_is_in_no_record_but_made_when_that_is_read),
      TEST(a_dial_of_more_parts_than_times_is_given_up),
      TABLE(folding_in_any_order_ends_in_the_same_bytes, habits),
      TABLE(no_more_is_kept_than_blocks_can_tell_apart, habits),
      TEST(beyond_the_limit_events_count_early_by_less_than_a_16th),
      TABLE(without_memory_nothing_is_half_done, habits),
      TEST(becoming_coarse_without_memory_is_refused))
