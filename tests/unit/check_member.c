/* check_member.c: the segments a user is in, and since when. */
#include "lib/user/member.h"

#include "tests/model/random.h"
#include "tests/support/one_user.h"
#include "tests/support/suite.h"

#define T0       INT64_C(1700000000000)
#define SEGMENTS 200

static struct one_user one;

static void setup(void)
{
    one_user_begin(&one, T0);
}

static void teardown(void)
{
    one_user_end(&one);
}

START_TEST(a_user_is_in_nothing_at_first)
{
    struct members members = member_read(one.user);
    ck_assert_uint_eq(member_count(one.user), 0);
    ck_assert(!member_find(one.user, 0, NULL));
    ck_assert(!member_in(&members, 0));
}
END_TEST

START_TEST(memberships_stand_in_order_of_segments)
{
    static const uint32_t order[] = {5, 1, 99999, 0, 7};
    static const uint32_t sorted[] = {0, 1, 5, 7, 99999};
    struct member_walk walk;
    uint32_t segment;
    int64_t entered_ms;
    for (int i = 0; i < COUNT(order); i++)
        ck_assert_int_eq(
            member_add(&one.store, &one.user, order[i], T0 + order[i]), 0);
    ck_assert_uint_eq(member_count(one.user), COUNT(order));
    member_walk_start(one.user, &walk);
    for (uint32_t i = 0; i < COUNT(sorted); i++) {
        ck_assert(member_walk_next(&walk, &segment, &entered_ms));
        ck_assert_uint_eq(segment, sorted[i]);
        ck_assert_int_eq(entered_ms, T0 + sorted[i]);
    }
    ck_assert(!member_walk_next(&walk, &segment, &entered_ms));
}
END_TEST

/* A membership may be older than the user's base, or lie far ahead. */
static const int64_t instants[] = {T0, 0, -T0, T0 + INT64_C(400) * 86400000,
                                   T0 - INT64_C(400) * 86400000};

START_TEST(since_when_is_kept_to_the_millisecond_however_long_ago)
{
    int64_t entered_ms;
    ck_assert_int_eq(member_add(&one.store, &one.user, 3, T0 + 1), 0);
    ck_assert_int_eq(member_add(&one.store, &one.user, 2, instants[_i]), 0);
    ck_assert_int_eq(member_add(&one.store, &one.user, 4, T0 - 1), 0);
    ck_assert(member_find(one.user, 2, &entered_ms));
    ck_assert_int_eq(entered_ms, instants[_i]);
    ck_assert(member_find(one.user, 3, &entered_ms));
    ck_assert_int_eq(entered_ms, T0 + 1);
    ck_assert(member_find(one.user, 4, &entered_ms));
    ck_assert_int_eq(entered_ms, T0 - 1);
}
END_TEST

/* Whether the user is in those segments since when TWIN says, INT64_MIN: not.
 */
static void expect_twin(const int64_t *twin)
{
    struct members members = member_read(one.user);
    int64_t entered_ms;
    uint32_t count = 0;
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        int in = twin[i] != INT64_MIN;
        ck_assert_int_eq(member_find(one.user, i, &entered_ms), in);
        ck_assert_int_eq(member_in(&members, i), in);
        count += (uint32_t)in;
        if (in)
            ck_assert_int_eq(entered_ms, twin[i]);
    }
    ck_assert_uint_eq(member_count(one.user), count);
}

START_TEST(entering_and_leaving_at_random_is_as_in_an_array)
{
    int64_t twin[SEGMENTS];
    struct random random = {1 + (uint64_t)_i};
    for (int i = 0; i < SEGMENTS; i++)
        twin[i] = INT64_MIN;
    for (int n = 0; n < 1000; n++) {
        uint32_t segment = (uint32_t)random_below(&random, SEGMENTS);
        if (twin[segment] == INT64_MIN) {
            twin[segment] = T0 + n * INT64_C(100000000);
            ck_assert_int_eq(
                member_add(&one.store, &one.user, segment, twin[segment]), 0);
        } else {
            twin[segment] = INT64_MIN;
            member_remove(&one.store, &one.user, segment);
        }
        ck_assert(user_validate(one.user));
        if (n % 20 == 0)
            expect_twin(twin);
    }
    expect_twin(twin);
}
END_TEST

START_TEST(leaving_the_last_segment_leaves_nothing_behind)
{
    uint32_t used = one.user->used;
    ck_assert_int_eq(member_add(&one.store, &one.user, 3, T0), 0);
    ck_assert_uint_gt(one.user->used, used);
    member_remove(&one.store, &one.user, 3);
    ck_assert_uint_eq(one.user->used, used);
}
END_TEST

SUITE("member", setup, teardown, TEST(a_user_is_in_nothing_at_first),
      TEST(memberships_stand_in_order_of_segments),
      TABLE(since_when_is_kept_to_the_millisecond_however_long_ago, instants),
      TIMES(entering_and_leaving_at_random_is_as_in_an_array, 3),
      TEST(leaving_the_last_segment_leaves_nothing_behind))
