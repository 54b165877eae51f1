/* check_fired.c: when each trigger was last fired for a user. */
#include "lib/user/fired.h"

#include "tests/support/one_user.h"
#include "tests/support/suite.h"

static struct one_user one;

static void setup(void)
{
    one_user_begin(&one, 0);
}

static void teardown(void)
{
    one_user_end(&one);
}

START_TEST(a_trigger_that_never_fired_is_not_found)
{
    int64_t at_ms;
    ck_assert(!fired_find(one.user, 0, &at_ms));
    ck_assert_uint_eq(fired_count(one.user), 0);
}
END_TEST

START_TEST(of_each_trigger_the_last_time_is_kept)
{
    int64_t at_ms;
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t trigger = 0; trigger < 500; trigger++) {
            ck_assert_int_eq(fired_set(&one.store, &one.user, trigger * 7,
                                       -5 + (int64_t)(round * 1000 + trigger)),
                             0);
            ck_assert(user_validate(one.user));
        }
    ck_assert_uint_eq(fired_count(one.user), 500);
    for (uint32_t trigger = 0; trigger < 500; trigger++) {
        ck_assert(fired_find(one.user, trigger * 7, &at_ms));
        ck_assert_int_eq(at_ms, 1995 + trigger);
        ck_assert_uint_eq(fired_at(one.user, trigger, &at_ms), trigger * 7);
        ck_assert(!fired_find(one.user, trigger * 7 + 1, &at_ms));
    }
}
END_TEST

START_TEST(a_full_user_keeps_the_cooldowns_he_has)
{
    int64_t at_ms;
    ck_assert_int_eq(fired_set(&one.store, &one.user, 1, 10), 0);
    one.store.user_bytes_max = one.user->used;
    ck_assert_int_eq(fired_set(&one.store, &one.user, 2, 20),
                     SEG_ERR_USER_BYTES);
    ck_assert_int_eq(fired_set(&one.store, &one.user, 1, 30), 0);
    ck_assert(fired_find(one.user, 1, &at_ms));
    ck_assert_int_eq(at_ms, 30);
    ck_assert_uint_eq(fired_count(one.user), 1);
}
END_TEST

SUITE("fired", setup, teardown, TEST(a_trigger_that_never_fired_is_not_found),
      TEST(of_each_trigger_the_last_time_is_kept),
      TEST(a_full_user_keeps_the_cooldowns_he_has))
