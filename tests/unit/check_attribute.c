/* check_attribute.c: what was last written on a user and on his account. */
#include "lib/user/attribute.h"

#include <string.h>

#include "lib/base/text.h"
#include "tests/support/one_user.h"
#include "tests/support/suite.h"

#define ITEM    12 /* Of some attribute. */
#define NOTHING ((struct seg_value){.type = SEG_MISSING})

static struct one_user one;

static void setup(void)
{
    one_user_begin(&one, 0);
}

static void teardown(void)
{
    one_user_end(&one);
}

static struct seg_value text_value(const char *text)
{
    return (struct seg_value){
        .type = SEG_TEXT, .len = (uint32_t)strlen(text), .as.text = text};
}

static int write_at(int64_t time_ms, uint64_t stamp, uint64_t owner,
                    struct seg_value value)
{
    const struct write write = {time_ms, stamp, owner, value};
    int ret = attribute_write(&one.store, &one.user, ITEM, &write);
    ck_assert(user_validate(one.user));
    return ret;
}

static int64_t read_int(void)
{
    struct seg_value value;
    ck_assert_int_eq(attribute_read(one.user, ITEM, &one.arena, &value), 0);
    return value.type == SEG_INT ? value.as.integer : -1;
}

static int join(int64_t time_ms, uint64_t stamp, const char *group)
{
    const struct write write = {time_ms, stamp, attribute_owner(text_of(group)),
                                text_value(group)};
    return account_write(&one.store, &one.user, &write);
}

/* ---- the last writer --------------------------------------------------- */

/* A write of 2 after one of 1 at time 100, topic 1, offset 5. */
static const struct {
    int64_t time_ms;
    int topic;
    int64_t offset;
    int64_t holds;
} second[] = {
    {101, 0, 0, 2}, {99, 9, 9, 1},  {100, 2, 0, 2}, {100, 0, 9, 1},
    {100, 1, 6, 2}, {100, 1, 4, 1}, {100, 1, 5, 1}, /* The same again. */
};

START_TEST(the_later_write_holds_in_whatever_order_they_come)
{
    uint64_t first = fold_stamp(1, 5);
    uint64_t stamp = fold_stamp(second[_i].topic, second[_i].offset);
    int64_t time_ms = second[_i].time_ms;
    ck_assert_int_eq(write_at(100, first, 0, value_of_int(1)), 1);
    ck_assert_int_eq(write_at(time_ms, stamp, 0, value_of_int(2)),
                     second[_i].holds == 2);
    ck_assert_int_eq(read_int(), second[_i].holds);
    if (time_ms == 100 && stamp == first)
        return;
    teardown();
    setup();
    ck_assert_int_eq(write_at(time_ms, stamp, 0, value_of_int(2)), 1);
    ck_assert_int_eq(write_at(100, first, 0, value_of_int(1)),
                     second[_i].holds == 1);
    ck_assert_int_eq(read_int(), second[_i].holds);
}
END_TEST

START_TEST(a_null_removes_and_an_older_value_does_not_come_back)
{
    struct write write;
    ck_assert_int_eq(write_at(100, 1, 0, value_of_int(1)), 1);
    ck_assert_int_eq(write_at(200, 1, 0, NOTHING), 1);
    ck_assert_int_eq(read_int(), -1);
    ck_assert_int_eq(write_at(150, 1, 0, value_of_int(3)), 0);
    ck_assert_int_eq(read_int(), -1);
    ck_assert_int_eq(attribute_last(one.user, ITEM, &one.arena, &write), 1);
    ck_assert_int_eq(write.time_ms, 200);
    ck_assert_int_eq(write.value.type, SEG_MISSING);
}
END_TEST

START_TEST(a_value_may_become_longer_and_shorter)
{
    static const char *const texts[] = {"", "a", "a much longer text", "abcd"};
    struct seg_value value;
    for (int i = 0; i < COUNT(texts); i++) {
        ck_assert_int_eq(write_at(i, 0, 0, text_value(texts[i])), 1);
        attribute_read(one.user, ITEM, &one.arena, &value);
        ck_assert_uint_eq(value.len, strlen(texts[i]));
        ck_assert_mem_eq(value.as.text, texts[i], value.len);
    }
}
END_TEST

START_TEST(a_full_user_keeps_the_value_he_has)
{
    ck_assert_int_eq(write_at(1, 0, 0, value_of_int(1)), 1);
    one.store.user_bytes_max = one.user->used;
    ck_assert_int_eq(write_at(2, 0, 0, text_value("too long for him")),
                     SEG_ERR_USER_BYTES);
    ck_assert_int_eq(read_int(), 1);
}
END_TEST

/* ---- accounts -------------------------------------------------------- */

START_TEST(an_attribute_of_an_account_is_seen_by_its_members_only)
{
    uint64_t acme = attribute_owner(text_of("acme"));
    ck_assert_int_eq(write_at(10, 0, acme, value_of_int(5)), 1);
    ck_assert_int_eq(read_int(), -1); /* He is nobody's yet. */
    ck_assert_ptr_null(account_id(one.user).bytes);
    ck_assert_int_eq(join(20, 0, "acme"), 1);
    ck_assert_int_eq(read_int(), 5);
    ck_assert_int_eq(join(30, 0, "zen"), 1);
    ck_assert_int_eq(read_int(), -1);
    ck_assert_int_eq(join(25, 0, "acme"), 0); /* Late: he left since. */
    ck_assert(text_equal(account_id(one.user), text_of("zen")));
    ck_assert_int_eq(join(40, 0, "acme"), 1);
    ck_assert_int_eq(read_int(), 5);
}
END_TEST

START_TEST(every_group_has_an_owner_that_is_not_nobody)
{
    ck_assert_uint_ne(attribute_owner(text_of("")), ATTRIBUTE_NO_OWNER);
    ck_assert_uint_ne(attribute_owner(text_of("a")),
                      attribute_owner(text_of("b")));
}
END_TEST

/* ---- spare attributes ------------------------------------------------ */

static int spare_at(int account, const char *name, int64_t time_ms,
                    struct seg_value value, uint32_t limit_bytes)
{
    const struct spare spare = {
        account,
        text_of(name),
        {time_ms, 0, account ? attribute_owner(text_of("acme")) : 0, value}};
    int ret = spare_write(&one.store, &one.user, &spare, limit_bytes);
    ck_assert(user_validate(one.user));
    return ret;
}

/* The spare attribute NAME; NULL if it never was. */
static const struct spare *find_spare(int account, const char *name)
{
    static struct spare spare;
    uint32_t at = 0;
    while (spare_next(one.user, &at, &spare))
        if (spare.account == account && text_equal(spare.name, text_of(name)))
            return &spare;
    return NULL;
}

START_TEST(spare_attributes_are_kept_by_name_for_user_and_account_apart)
{
    ck_assert_int_eq(spare_at(0, "n", 1, value_of_int(1), 1000), 1);
    ck_assert_int_eq(spare_at(1, "n", 1, value_of_int(2), 1000), 1);
    ck_assert_int_eq(spare_at(0, "m", 1, text_value("long enough"), 1000), 1);
    ck_assert_int_eq(spare_at(0, "n", 2, text_value("other"), 1000), 1);
    ck_assert_int_eq(spare_at(0, "n", 1, value_of_int(9), 1000), 0);
    ck_assert_mem_eq(find_spare(0, "n")->write.value.as.text, "other", 5);
    ck_assert_int_eq(find_spare(1, "n")->write.value.as.integer, 2);
    ck_assert_mem_eq(find_spare(0, "m")->write.value.as.text, "long", 4);
    ck_assert_ptr_null(find_spare(1, "m"));
    ck_assert(!spare_visible(one.user, find_spare(1, "n")));
    ck_assert_int_eq(join(5, 0, "acme"), 1);
    ck_assert(spare_visible(one.user, find_spare(1, "n")));
    ck_assert(spare_visible(one.user, find_spare(0, "n")));
    ck_assert_int_eq(spare_at(0, "n", 3, NOTHING, 1000), 1);
    ck_assert(!spare_visible(one.user, find_spare(0, "n")));
}
END_TEST

/* Bytes of one spare attribute "n" with an integer. */
static uint32_t spare_bytes(void)
{
    uint32_t used = one.user->used;
    ck_assert_int_eq(spare_at(0, "n", 1, value_of_int(1), 1 << 20), 1);
    struct item item = user_item(one.user, USER_ITEM_SPARE);
    ck_assert_uint_gt(one.user->used, used);
    return item.len;
}

static const int around[] = {-4, 0, 4};

START_TEST(attributes_beyond_their_bytes_are_dropped)
{
    uint32_t limit = 2 * spare_bytes() + (uint32_t)around[_i];
    int ret = spare_at(0, "m", 1, value_of_int(2), limit);
    ck_assert_int_eq(ret, around[_i] < 0 ? SPARE_DROPPED : 1);
    ck_assert_int_eq(find_spare(0, "n")->write.value.as.integer, 1);
    /* Of what did not fit it is known that it was set, if that fits. */
    ck_assert_int_eq(find_spare(0, "m")->write.value.type,
                     around[_i] < 0 ? SEG_OBJECT : SEG_INT);
    ck_assert_ptr_null(find_spare(SPARE_LOST, ""));
}
END_TEST

START_TEST(what_does_not_fit_does_not_leave_the_old_value)
{
    uint32_t limit = spare_bytes();
    ck_assert_int_eq(
        spare_at(0, "n", 2, text_value("longer than an integer"), limit),
        SPARE_DROPPED);
    ck_assert_int_eq(find_spare(0, "n")->write.value.type, SEG_OBJECT);
    ck_assert_int_eq(spare_at(0, "n", 1, value_of_int(3), limit), 0);
    ck_assert_int_eq(find_spare(0, "n")->write.value.type, SEG_OBJECT);
}
END_TEST

START_TEST(an_absence_that_does_not_fit_is_lost_like_anything_else)
{
    uint32_t limit = spare_bytes();
    ck_assert_int_eq(spare_at(0, "n", 2, NOTHING, limit), 1);
    ck_assert_int_eq(find_spare(0, "n")->write.value.type, SEG_MISSING);
    limit = user_item(one.user, USER_ITEM_SPARE).len;
    ck_assert_int_eq(spare_at(0, "m", 2, NOTHING, limit), SPARE_DROPPED);
    ck_assert_ptr_null(find_spare(0, "m"));
    ck_assert_ptr_nonnull(find_spare(SPARE_LOST, ""));
}
END_TEST

START_TEST(where_not_even_a_mark_fits_it_is_noted_that_something_is_lost)
{
    uint32_t limit = spare_bytes();
    ck_assert_int_eq(spare_at(0, "m", 1, value_of_int(2), limit),
                     SPARE_DROPPED);
    ck_assert_ptr_null(find_spare(0, "m"));
    ck_assert_int_eq(find_spare(0, "n")->write.value.as.integer, 1);
    struct item item = user_item(one.user, USER_ITEM_SPARE);
    uint32_t len = item.len;
    ck_assert_int_eq(find_spare(SPARE_LOST, "")->write.time_ms, 1);
    ck_assert_int_eq(spare_at(0, "l", 2, value_of_int(2), limit),
                     SPARE_DROPPED);
    item = user_item(one.user, USER_ITEM_SPARE);
    ck_assert_uint_eq(item.len, len); /* Said once. */
}
END_TEST

/* The note lies beyond the limit, and all that is there with it. */
START_TEST(what_is_there_is_replaced_though_something_was_lost)
{
    uint32_t limit = spare_bytes();
    ck_assert_int_eq(spare_at(0, "m", 1, value_of_int(2), limit),
                     SPARE_DROPPED);
    ck_assert_int_eq(spare_at(0, "n", 2, value_of_int(7), limit), 1);
    ck_assert_int_eq(find_spare(0, "n")->write.value.as.integer, 7);
    ck_assert_int_eq(
        spare_at(0, "n", 3, text_value("longer than an integer"), limit),
        SPARE_DROPPED);
    ck_assert_int_eq(find_spare(0, "n")->write.value.type, SEG_OBJECT);
    ck_assert_int_eq(find_spare(0, "n")->write.time_ms, 3);
    ck_assert_int_eq(spare_at(0, "n", 4, NOTHING, limit), 1);
    ck_assert_int_eq(find_spare(0, "n")->write.value.type, SEG_MISSING);
}
END_TEST

static const struct {
    struct seg_value value;
    enum seg_value_type kept;
} kept_values[] = {
    {{.type = SEG_MISSING}, SEG_MISSING},
    {{.type = SEG_BOOL}, SEG_BOOL},
    {{.type = SEG_INT}, SEG_INT},
    {{.type = SEG_DOUBLE}, SEG_DOUBLE},
    {{.type = SEG_TEXT, .as.text = ""}, SEG_TEXT},
    {{.type = SEG_LIST}, SEG_OBJECT},
    {{.type = SEG_OBJECT}, SEG_OBJECT},
};

START_TEST(of_what_is_no_scalar_it_is_kept_that_it_is_set)
{
    ck_assert_int_eq(spare_value(kept_values[_i].value).type,
                     kept_values[_i].kept);
}
END_TEST

SUITE("attribute", setup, teardown,
      TABLE(the_later_write_holds_in_whatever_order_they_come, second),
      TEST(a_null_removes_and_an_older_value_does_not_come_back),
      TEST(a_value_may_become_longer_and_shorter),
      TEST(a_full_user_keeps_the_value_he_has),
      TEST(an_attribute_of_an_account_is_seen_by_its_members_only),
      TEST(every_group_has_an_owner_that_is_not_nobody),
      TEST(spare_attributes_are_kept_by_name_for_user_and_account_apart),
      TABLE(attributes_beyond_their_bytes_are_dropped, around),
      TEST(what_does_not_fit_does_not_leave_the_old_value),
      TEST(an_absence_that_does_not_fit_is_lost_like_anything_else),
      TEST(where_not_even_a_mark_fits_it_is_noted_that_something_is_lost),
      TEST(what_is_there_is_replaced_though_something_was_lost),
      TABLE(of_what_is_no_scalar_it_is_kept_that_it_is_set, kept_values))
