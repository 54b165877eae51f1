/* check_first_last.c: the first or last value in a window beside a search over
 * all events. */
#include <string.h>

#include "lib/base/instant.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/one_user.h"
#include "tests/support/suite.h"

enum { EVENTS_MAX = 1000 };

static struct one_user one;
static struct feature feature;
static struct fold events[EVENTS_MAX];
static int count;

static void begin(enum feature_kind kind, int64_t from_ms, int64_t to_ms,
                  int64_t now_ms)
{
    feature = (struct feature){
        .kind = kind, .item = 5, .from_ms = from_ms, .to_ms = to_ms};
    count = 0;
    one_user_begin(&one, now_ms);
}

static void end(void)
{
    one_user_end(&one);
}

/* Each event has a value of its own: its number. */
static void fold(int64_t time_ms, uint64_t stamp, int64_t now_ms)
{
    struct fold event = {
        .time_ms = time_ms, .stamp = stamp, .value = value_of_int(count)};
    one_user_fold(&one, &feature, time_ms, stamp, event.value, now_ms);
    events[count++] = event;
}

static int in_sight(const struct fold *event, int64_t now_ms)
{
    int64_t age = now_ms - event->time_ms;
    return age >= feature.to_ms &&
           (feature.from_ms == FEATURE_LIFETIME || age < feature.from_ms);
}

static int is_earlier(const struct fold *a, const struct fold *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms
                                    : a->stamp < b->stamp;
}

/* The event that is sought at NOW_MS; NULL if none is in sight. */
static const struct fold *naive(int64_t now_ms)
{
    const struct fold *found = NULL;
    for (int i = 0; i < count; i++)
        if (in_sight(&events[i], now_ms) &&
            (!found ||
             is_earlier(&events[i], found) == (feature.kind == FEATURE_FIRST)))
            found = &events[i];
    return found;
}

static void compare(int64_t now_ms)
{
    struct seg_value got = one_user_measure(&one, &feature, now_ms);
    const struct fold *want = naive(now_ms);
    if (!want) {
        ck_assert_uint_eq(got.type, SEG_MISSING);
        return;
    }
    ck_assert_msg(
        got.type == SEG_INT && got.as.integer == want->value.as.integer,
        "%s from %lld to %lld at %lld: got %lld, want %lld",
        feature.kind == FEATURE_FIRST ? "first" : "last",
        (long long)feature.from_ms, (long long)feature.to_ms, (long long)now_ms,
        (long long)got.as.integer, (long long)want->value.as.integer);
}

/* `next` may come early, never late. */
static void compare_every_ms(int64_t now_ms, int64_t ms_after)
{
    const struct fold *present = naive(now_ms);
    int64_t next = one_user_next(&one, &feature, now_ms);
    for (int64_t ms = now_ms; ms < now_ms + ms_after; ms++) {
        compare(ms);
        if (ms >= next) {
            present = naive(ms);
            next = one_user_next(&one, &feature, ms);
        }
        ck_assert_msg(naive(ms) == present, "at %lld, before next at %lld",
                      (long long)ms, (long long)next);
    }
}

static const struct {
    enum feature_kind kind;
    int64_t from_ms, to_ms;
    int keeps_one;
} kinds[] = {
    {FEATURE_FIRST, FEATURE_LIFETIME, 0, 1},
    {FEATURE_LAST, FEATURE_LIFETIME, 0, 1},
    {FEATURE_FIRST, 25, 0, 0},
    {FEATURE_LAST, 25, 0, 1},
    {FEATURE_FIRST, 25, 10, 0},
    {FEATURE_LAST, 25, 10, 0},
    {FEATURE_FIRST, 2, 1, 0},
    {FEATURE_LAST, 1, 0, 1},
};

static uint32_t item_words(void)
{
    return user_item(one.user, feature.item).len / WORD_BYTES;
}

START_TEST(values_are_right_at_every_millisecond)
{
    static const int64_t starts[] = {0, -5000, INT64_C(1764112000000)};
    for (uint64_t seed = 0; seed < EFFORT(100); seed++) {
        struct random random = {seed};
        int64_t now_ms = RANDOM_OF(&random, starts);
        begin(kinds[_i].kind, kinds[_i].from_ms, kinds[_i].to_ms, now_ms);
        for (int i = 0; i < 40; i++) {
            now_ms += random_below(&random, 5);
            /* Equal times come up often: the stamp decides. */
            fold(now_ms - random_below(&random, 30),
                 fold_stamp((int)random_below(&random, 3), count), now_ms);
            if (i % 5 == 0)
                compare_every_ms(now_ms, 40);
            if (kinds[_i].keeps_one)
                ck_assert_uint_le(item_words(), 7);
        }
        end();
    }
}
END_TEST

START_TEST(folding_in_any_order_ends_in_the_same)
{
    enum { ALL = 30 };
    struct random random = {9};
    for (int round = 0; round < EFFORT(50); round++) {
        struct fold all[ALL];
        for (int i = 0; i < ALL; i++)
            all[i] = (struct fold){.time_ms = random_below(&random, 20),
                                   .stamp = fold_stamp(i % 2, i),
                                   .value = value_of_int(i)};
        for (int order = 0; order < 4; order++) {
            begin(kinds[_i].kind, kinds[_i].from_ms, kinds[_i].to_ms, 0);
            for (int i = ALL - 1; i > 0; i--) {
                int j = (int)random_below(&random, i + 1);
                struct fold swapped = all[i];
                all[i] = all[j];
                all[j] = swapped;
            }
            for (int i = 0; i < ALL; i++) {
                events[count++] = all[i];
                one_user_fold(&one, &feature, all[i].time_ms, all[i].stamp,
                              all[i].value, order % 2 ? 20 : all[i].time_ms);
            }
            compare_every_ms(20, 30);
            end();
        }
    }
}
END_TEST

static const int pairs[] = {255, 256, 257};

START_TEST(up_to_the_limit_all_is_exact)
{
    begin(FEATURE_FIRST, 64000, 0, 0);
    for (int i = 0; i < pairs[_i]; i++)
        fold(i, (uint64_t)i, i);
    int coarse = user_item(one.user, feature.item).coarse;
    ck_assert_int_eq(coarse, pairs[_i] > FEATURE_EXACT_MAX);
    ck_assert_int_eq(one.folded.coarse, coarse);
    for (int64_t ms = 300; !coarse && ms < 65000; ms += 3)
        compare(ms);
    end();
}
END_TEST

/* The value shown is one that was right less than a bucket before or will be
 * right less than a bucket from now. */
START_TEST(beyond_the_limit_the_error_is_less_than_a_64th_of_the_window)
{
    for (uint64_t seed = 0; seed < EFFORT(6); seed++) {
        struct random random = {seed};
        enum feature_kind kind = _i % 2 ? FEATURE_FIRST : FEATURE_LAST;
        int64_t now_ms = 0, width_ms;
        begin(kind, 6400, 2000, 0);
        width_ms = feature_bucket_ms(&feature);
        for (int i = 0; i < 500; i++) {
            now_ms += random_below(&random, 8);
            fold(now_ms - random_below(&random, 500), (uint64_t)i, now_ms);
        }
        ck_assert(user_item(one.user, 5).coarse);
        ck_assert_uint_lt(item_words(), 70 * 7);
        for (int64_t ms = now_ms; ms < now_ms + 7000; ms += 11) {
            struct seg_value got = one_user_measure(&one, &feature, ms);
            int right = 0;
            for (int64_t at = ms - width_ms + 1; at < ms + width_ms; at++) {
                const struct fold *want = naive(at);
                right |= want ? got.type == SEG_INT &&
                                    got.as.integer == want->value.as.integer
                              : got.type == SEG_MISSING;
            }
            ck_assert_msg(right, "at %lld: got %lld", (long long)ms,
                          (long long)got.as.integer);
        }
        end();
    }
}
END_TEST

START_TEST(once_empty_it_is_exact_again)
{
    begin(FEATURE_FIRST, 6400, 0, 0);
    for (int i = 0; i < 300; i++)
        fold(i, (uint64_t)i, i);
    ck_assert(user_item(one.user, 5).coarse);
    fold(6000, 1000, 6000);
    ck_assert(user_item(one.user, 5).coarse);
    fold(20000, 1001, 20000);
    ck_assert(!user_item(one.user, 5).coarse);
    compare_every_ms(20000, 7000);
    end();
}
END_TEST

START_TEST(values_of_every_type_are_kept)
{
    static const struct seg_value items[] = {
        {.type = SEG_TEXT, .len = 3, .as.text = "one"},
        {.type = SEG_INT, .as.integer = 2}};
    static const struct seg_value values[] = {
        {.type = SEG_MISSING},
        {.type = SEG_BOOL, .as.boolean = 1},
        {.type = SEG_DOUBLE, .as.number = 0.1},
        {.type = SEG_TEXT, .len = 5, .as.text = "hello"},
        {.type = SEG_TEXT},
        {.type = SEG_LIST, .len = 2, .as.items = items},
        {.type = SEG_OBJECT},
    };
    begin(FEATURE_LAST, 1000, 0, 0);
    for (int i = 0; i < COUNT(values); i++) {
        one_user_fold(&one, &feature, i, 0, values[i], i);
        struct seg_value got = one_user_measure(&one, &feature, i);
        ck_assert_uint_eq(got.type, values[i].type);
        ck_assert_uint_eq(got.len, values[i].len);
        if (got.type == SEG_TEXT && got.len)
            ck_assert_mem_eq(got.as.text, values[i].as.text, got.len);
        if (got.type == SEG_LIST)
            ck_assert_mem_eq(got.as.items[0].as.text, "one", 3);
    }
    end();
}
END_TEST

SUITE("first_last", NULL, NULL,
      TABLE(values_are_right_at_every_millisecond, kinds),
      TABLE(folding_in_any_order_ends_in_the_same, kinds),
      TABLE(up_to_the_limit_all_is_exact, pairs),
      TABLE(beyond_the_limit_the_error_is_less_than_a_64th_of_the_window,
            ((int[]){0, 1})),
      TEST(once_empty_it_is_exact_again), TEST(values_of_every_type_are_kept))
