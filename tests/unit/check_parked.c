/* check_parked.c: updates from the future. */
#include <string.h>

#include <seg/engine.h>

#include "lib/base/text.h"
#include "lib/user/update.h"
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

static void park(uint32_t target, int64_t time_ms, const char *text)
{
    const struct update update = {
        .kind = UPDATE_SPARE,
        .target = target,
        .time_ms = time_ms,
        .stamp = fold_stamp(3, target),
        .owner = 77,
        .name = text_of(text),
        .value = {.type = SEG_TEXT,
                  .len = (uint32_t)strlen(text),
                  .as.text = text},
    };
    ck_assert_int_eq(parked_add(&one.store, &one.user, &update), 0);
    ck_assert(user_validate(one.user));
}

/* The target of the next one due at NOW_MS, -1 if there is none. */
static int take(int64_t now_ms, struct update *update)
{
    int ret = parked_take(&one.store, &one.user, now_ms, &one.arena, update);
    ck_assert_int_ge(ret, 0);
    ck_assert(user_validate(one.user));
    return ret ? (int)update->target : -1;
}

START_TEST(nothing_is_parked_at_first)
{
    struct update update;
    uint32_t at = 0;
    ck_assert_int_eq(parked_next(one.user), SEG_NEVER);
    ck_assert_int_eq(take(INT64_MAX, &update), -1);
    ck_assert_int_eq(parked_at(one.user, &at, &one.arena, &update), 0);
}
END_TEST

START_TEST(an_update_waits_for_its_instant)
{
    struct update update;
    park(5, 100, "five");
    ck_assert_int_eq(parked_next(one.user), 100);
    ck_assert_int_eq(take(99, &update), -1);
    ck_assert_int_eq(take(100, &update), 5);
    ck_assert_int_eq(update.kind, UPDATE_SPARE);
    ck_assert_int_eq(update.time_ms, 100);
    ck_assert_uint_eq(update.stamp, fold_stamp(3, 5));
    ck_assert_uint_eq(update.owner, 77);
    ck_assert(text_equal(update.name, text_of("five")));
    ck_assert_uint_eq(update.value.len, 4);
    ck_assert_mem_eq(update.value.as.text, "five", 4);
    ck_assert_int_eq(take(INT64_MAX, &update), -1);
    ck_assert_int_eq(parked_next(one.user), SEG_NEVER);
}
END_TEST

START_TEST(those_that_are_due_come_in_order_of_arrival)
{
    struct update update;
    park(1, 300, "a");
    park(2, 100, "a longer one");
    park(3, 200, "");
    park(4, 100, "d");
    ck_assert_int_eq(parked_next(one.user), 100);
    ck_assert_int_eq(take(200, &update), 2);
    ck_assert_int_eq(take(200, &update), 3);
    ck_assert_int_eq(take(200, &update), 4);
    ck_assert_int_eq(take(200, &update), -1);
    ck_assert_int_eq(parked_next(one.user), 300);
    ck_assert_int_eq(take(300, &update), 1);
}
END_TEST

/* What was taken must outlive the block, which moves as the update happens. */
START_TEST(what_is_taken_is_a_copy)
{
    static const struct seg_value items[] = {
        {.type = SEG_TEXT, .len = 1, .as.text = "x"}, {.type = SEG_BOOL}};
    struct update update = {
        .kind = UPDATE_FEATURE,
        .time_ms = 1,
        .value = {.type = SEG_LIST, .len = COUNT(items), .as.items = items}};
    ck_assert_int_eq(parked_add(&one.store, &one.user, &update), 0);
    update = (struct update){0};
    ck_assert_int_eq(take(1, &update), 0);
    for (int i = 0; i < 100; i++)
        park(9, 5, "written over it all");
    ck_assert_int_eq(update.value.type, SEG_LIST);
    ck_assert_uint_eq(update.value.len, COUNT(items));
    ck_assert_mem_eq(update.value.as.items[0].as.text, "x", 1);
    ck_assert_int_eq(update.value.as.items[1].type, SEG_BOOL);
}
END_TEST

START_TEST(a_walk_sees_them_all_and_takes_none)
{
    struct update update;
    uint32_t at = 0;
    for (uint32_t i = 0; i < 300; i++)
        park(i, 1000 - i, "walk");
    for (uint32_t i = 0; i < 300; i++) {
        ck_assert_int_eq(parked_at(one.user, &at, &one.arena, &update), 1);
        ck_assert_uint_eq(update.target, i);
        ck_assert_int_eq(update.time_ms, 1000 - i);
    }
    ck_assert_int_eq(parked_at(one.user, &at, &one.arena, &update), 0);
    ck_assert_int_eq(parked_next(one.user), 701);
}
END_TEST

START_TEST(a_full_user_parks_no_more)
{
    struct update update = {.kind = UPDATE_ACCOUNT, .time_ms = 9};
    park(1, 5, "kept");
    one.store.user_bytes_max = one.user->used;
    ck_assert_int_eq(parked_add(&one.store, &one.user, &update),
                     SEG_ERR_USER_BYTES);
    ck_assert(user_validate(one.user));
    ck_assert_int_eq(take(9, &update), 1);
    ck_assert_int_eq(take(9, &update), -1);
}
END_TEST

SUITE("parked", setup, teardown, TEST(nothing_is_parked_at_first),
      TEST(an_update_waits_for_its_instant),
      TEST(those_that_are_due_come_in_order_of_arrival),
      TEST(what_is_taken_is_a_copy), TEST(a_walk_sees_them_all_and_takes_none),
      TEST(a_full_user_parks_no_more))
