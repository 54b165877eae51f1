/* check_member_twin.c: memberships in few bytes beside a plain array of
 * instants. */
#include "lib/user/member.h"

#include <string.h>

#include <seg/error.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/user/times.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/suite.h"

enum { SEGMENTS_MAX = 3000 };

static int in[SEGMENTS_MAX];
static int64_t since[SEGMENTS_MAX];
static uint32_t segments[SEGMENTS_MAX]; /* The numbers that are used. */
static int count;

static struct store store;
static struct user *user;

/* COUNT segments with numbers STRIDE apart. */
static void begin(int64_t born_ms, int segment_count, uint32_t stride)
{
    struct seg_text id = text_of("user");
    store_init(&store, 1);
    ck_assert_int_eq(
        store_add(&store, id, store_hash(&store, id), born_ms, &user), 0);
    memset(in, 0, sizeof(in));
    count = segment_count;
    for (int i = 0; i < count; i++)
        segments[i] = (uint32_t)i * stride;
}

static void end(void)
{
    store_done(&store);
}

static void compare(void)
{
    struct members members = member_read(user);
    struct member_walk walk;
    uint32_t segment, number = 0;
    int64_t entered_ms;
    ck_assert(user_validate(user));
    member_walk_start(user, &walk);
    for (int i = 0; i < count; i++) {
        entered_ms = 0;
        ck_assert_int_eq(member_in(&members, segments[i]), in[i]);
        ck_assert_int_eq(member_find(user, segments[i], &entered_ms), in[i]);
        ck_assert(!member_in(&members, segments[i] + 1) ||
                  (i + 1 < count && segments[i] + 1 == segments[i + 1]));
        if (!in[i])
            continue;
        ck_assert_int_eq(entered_ms, since[i]);
        ck_assert(member_walk_next(&walk, &segment, &entered_ms));
        ck_assert_uint_eq(segment, segments[i]);
        ck_assert_int_eq(entered_ms, since[i]);
        number++;
    }
    ck_assert(!member_walk_next(&walk, &segment, &entered_ms));
    ck_assert_uint_eq(member_count(user), number);
}

static int flip(int i, int64_t now_ms)
{
    int ret = in[i] ? member_remove(&store, &user, segments[i])
                    : member_add(&store, &user, segments[i], now_ms);
    if (ret == 0) {
        in[i] = !in[i];
        since[i] = now_ms;
    }
    return ret;
}

static const struct {
    int count;
    uint32_t stride;
    int64_t born_ms, step_ms, unit;
} worlds[] = {
    {1, 1, 0, 1000, 1},
    {3, 1, 0, 1000, 1},
    {3, 100000, INT64_C(1764112000000), 1000, 1},
    {40, 1, INT64_C(1764112000000), 5000, 1},
    {100, 1, INT64_C(1764112000000), 2 * DAY_MS, 1000},
    {1200, 1, INT64_C(1764112000000), 1000, 1},
    {100, 7, INSTANT_MIN, 100000, 1},
    {60, 33, INT64_C(1764112000000), 90 * DAY_MS, 1},
    {60, 70000, 0, 1, 1},
    {30, 10000000, INSTANT_MAX, 1000000, 1000},
};

START_TEST(memberships_are_what_an_array_would_be)
{
    for (uint64_t seed = 0; seed < EFFORT(4); seed++) {
        struct random random = {seed};
        int64_t now_ms = worlds[_i].born_ms;
        begin(now_ms, worlds[_i].count, worlds[_i].stride);
        for (int n = 0; n < 800; n++) {
            int i = (int)random_below(&random, count);
            /* Times of full and of empty. */
            if (n / 200 % 2 == in[i] && random_chance(&random, 80))
                continue;
            if (random_chance(&random, 40))
                now_ms += random_below(&random, worlds[_i].step_ms) /
                          worlds[_i].unit * worlds[_i].unit;
            ck_assert_int_eq(flip(i, now_ms), 0);
            if (count < 200 || n % 20 == 0)
                compare();
        }
        end();
    }
}
END_TEST

/* A record lists them by segment, not by instant. */
START_TEST(instants_may_come_in_any_order)
{
    for (uint64_t seed = 0; seed < EFFORT(30); seed++) {
        struct random random = {seed};
        begin(0, 80, 1 + (uint32_t)seed % 3);
        for (int i = 0; i < count; i++) {
            flip(i, random_between(&random, -10, 10) * 777777);
            compare();
        }
        for (int i = count - 1; i >= 0; i--) {
            flip(i, 0);
            compare();
        }
        ck_assert_uint_eq(user->directory_len, 0);
        end();
    }
}
END_TEST

/* As a record has them: all at once, in any order, some twice. */
START_TEST(a_user_can_be_filled_at_once)
{
    static struct membership all[400];
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct random random = {seed};
        uint32_t rows = (uint32_t)random_below(&random, COUNT(all));
        begin(0, 100, 1 + (uint32_t)seed % 40);
        for (uint32_t n = 0; n < rows; n++) {
            int i = (int)random_below(&random, count);
            all[n].segment = segments[i];
            all[n].entered_ms = random_between(&random, -20, 20) * 777777;
            if (!in[i])
                since[i] = all[n].entered_ms;
            in[i] = 1;
        }
        ck_assert_int_eq(member_fill(&store, &user, all, rows), 0);
        compare();
        end();
    }
}
END_TEST

START_TEST(instants_at_the_ends_of_64_bits_are_kept)
{
    static const int64_t ends[] = {INT64_MAX,     INT64_MIN,     0, 1,
                                   INT64_MAX - 1, INT64_MIN + 1, 5, 1};
    for (int born = 0; born < COUNT(ends); born++) {
        begin(ends[born], COUNT(ends), 3);
        for (int i = 0; i < count; i++) {
            ck_assert_int_eq(flip(i, ends[i]), 0);
            compare();
        }
        for (int i = 0; i < count; i++) {
            ck_assert_int_eq(flip(i, 0), 0);
            compare();
        }
        end();
    }
}
END_TEST

START_TEST(a_user_in_thousands_of_segments)
{
    struct random random = {3};
    begin(0, SEGMENTS_MAX, 2);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(flip(i, random_below(&random, DAY_MS)), 0);
    compare();
    for (int i = 0; i < count; i += 2)
        ck_assert_int_eq(flip(i, 0), 0);
    compare();
    end();
}
END_TEST

START_TEST(at_the_limit_nothing_is_lost)
{
    struct random random = {9};
    int refused = 0;
    begin(0, 200, 50);
    store.user_bytes_max = 300;
    for (int n = 0; n < 600; n++) {
        int ret = flip((int)random_below(&random, count),
                       random_below(&random, 10000 * DAY_MS));
        ck_assert(ret == 0 || ret == SEG_ERR_USER_BYTES);
        refused += ret < 0;
        compare();
    }
    ck_assert_int_gt(refused, 30);
    end();
}
END_TEST

static int form(void)
{
    return user_item(user, USER_ITEM_MEMBERS).bytes[0] >> 3 & 7;
}

enum { BITMAP = 0, DENSE = 4 };

/* Each segment has an index then, also those that he is not in. */
START_TEST(who_is_in_nearly_all_segments_has_no_set)
{
    begin(0, 100, 1);
    for (int n = 0; n < count; n++) {
        flip(n * 37 % count, (int64_t)(n / 4) * 777777);
        compare();
    }
    /* 100 indexes of 5 bits, 24 differences of 20, the rest. */
    ck_assert_int_eq(form(), DENSE);
    ck_assert_uint_eq(user_item(user, USER_ITEM_MEMBERS).len, 63 + 60 + 8);
    for (int i = 0; i < 90; i += 9) {
        flip(i, 0); /* Others came with him. */
        compare();
    }
    ck_assert_int_eq(form(), DENSE);
    for (int i = 0; i < 90; i += 9) {
        flip(i, since[99 * 73 % 100] + INT64_C(30) * 777777);
        compare();
    }
    ck_assert_int_eq(form(), DENSE);
    for (int i = count; i-- > 0;) {
        if (i % 5)
            flip(i, 0);
        compare();
    }
    ck_assert_int_eq(form(), BITMAP);
    end();
}
END_TEST

/* The example of member.h. */
START_TEST(the_bytes_are_as_documented)
{
    static const uint8_t want[] = {0x83, 0x02, 0x01, 0x04, 0x18, 0x02,
                                   0x00, 0x00, 0x00, 0x80, 0x2a};
    begin(0, 10, 1);
    ck_assert_int_eq(flip(3, (INT64_C(1) << 30) - 10000), 0);
    ck_assert_int_eq(flip(9, (INT64_C(1) << 30) - 10000), 0);
    ck_assert_int_eq(flip(4, INT64_C(1) << 30), 0);
    struct item item = user_item(user, USER_ITEM_MEMBERS);
    ck_assert_uint_eq(item.len, sizeof(want));
    ck_assert_mem_eq(item.bytes, want, sizeof(want));
    compare();
    end();
}
END_TEST

static const struct {
    int count;
    uint32_t stride;
    int64_t since_ms[3];
    uint32_t bytes;
} sizes[] = {
    {1, 1, {DAY_MS}, 8},
    {2, 1, {DAY_MS, DAY_MS}, 8},
    {3, 1, {DAY_MS, DAY_MS, DAY_MS}, 8},
    {2, 200, {DAY_MS, DAY_MS}, 9},
    {2, 300, {DAY_MS, DAY_MS}, 11},
    {2, 1, {DAY_MS, DAY_MS + 1}, 9},
    {3, 1, {DAY_MS, DAY_MS + 60000, DAY_MS + 3600000}, 12},
};

START_TEST(few_memberships_take_few_bytes)
{
    begin(0, sizes[_i].count, sizes[_i].stride);
    for (int i = 0; i < count; i++)
        flip(i, sizes[_i].since_ms[i]);
    ck_assert_uint_eq(user_item(user, USER_ITEM_MEMBERS).len, sizes[_i].bytes);
    compare();
    end();
}
END_TEST

SUITE("member_twin", NULL, NULL,
      TABLE(memberships_are_what_an_array_would_be, worlds),
      TEST(instants_may_come_in_any_order), TEST(a_user_can_be_filled_at_once),
      TEST(instants_at_the_ends_of_64_bits_are_kept),
      TEST(a_user_in_thousands_of_segments), TEST(at_the_limit_nothing_is_lost),
      TEST(who_is_in_nearly_all_segments_has_no_set),
      TEST(the_bytes_are_as_documented),
      TABLE(few_memberships_take_few_bytes, sizes))
