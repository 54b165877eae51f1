/* check_changes.c: how many changes of a user there were, and when the last. */
#include "lib/user/changes.h"

#include <seg/error.h>

#include "lib/base/instant.h"
#include "tests/support/one_user.h"
#include "tests/support/suite.h"

#define T0 INT64_C(1700000000000)

static struct one_user one;

static void setup(void)
{
    one_user_begin(&one, T0);
}

static void teardown(void)
{
    one_user_end(&one);
}

static void set(int64_t last_at_ms, uint32_t seq, uint32_t trigger_seq)
{
    const struct changes changes = {last_at_ms, seq, trigger_seq};
    ck_assert_int_eq(changes_set(&one.store, &one.user, &changes), 0);
    ck_assert(user_validate(one.user));
}

static void expect(int64_t last_at_ms, uint32_t seq, uint32_t trigger_seq)
{
    struct changes changes = changes_of(one.user);
    ck_assert_int_eq(changes.last_at_ms, last_at_ms);
    ck_assert_int_eq(changes_last(one.user), last_at_ms);
    ck_assert_uint_eq(changes.seq, seq);
    ck_assert_uint_eq(changes.trigger_seq, trigger_seq);
}

static void put_item(uint32_t id, uint32_t len)
{
    struct item item = user_item(one.user, id);
    ck_assert_int_eq(user_resize(&one.store, &one.user, id, len, &item), 0);
    for (uint32_t i = 0; i < len; i++)
        item.bytes[i] = (uint8_t)i;
}

static const struct {
    int64_t last_at_ms;
    uint32_t seq, trigger_seq, bytes;
} numbers[] = {
    {CHANGES_NONE, 0, 0, 0},
    {T0, 1, 0, 6},
    {T0, 255, 1, 7},
    {T0, 256, 255, 8},
    {T0 + 60 * DAY_MS, 1, 0, 7},
    {CHANGES_NONE, 7, 0, 10},
    {CHANGES_NONE, 0, 1, 11},
    {INT64_MAX, UINT32_MAX, UINT32_MAX, 17},
    {INSTANT_MIN, 1u << 24, 65536, 14},
    {INSTANT_MAX, 65535, 1u << 31, 14},
    {0, 0, 0, 8},
};

/* Whatever else the user has before and after it. */
START_TEST(what_was_set_is_found)
{
    for (int others = 0; others < 4; others++) {
        put_item(USER_ITEM_ACCOUNT, others & 1 ? 40 : 0);
        put_item(0, others & 2 ? 200 : 0);
        set(numbers[_i].last_at_ms, numbers[_i].seq, numbers[_i].trigger_seq);
        expect(numbers[_i].last_at_ms, numbers[_i].seq,
               numbers[_i].trigger_seq);
        ck_assert_uint_eq(user_item(one.user, USER_ITEM_CHANGES).len,
                          numbers[_i].bytes);
        set(T0 + 1, 3, 4);
        expect(T0 + 1, 3, 4);
        set(CHANGES_NONE, 0, 0);
        expect(CHANGES_NONE, 0, 0);
    }
}
END_TEST

/* The example of changes.h. */
START_TEST(the_bytes_are_as_documented)
{
    static const uint8_t want[] = {0x00, 0x02, 0x02};
    one_user_end(&one);
    one_user_begin(&one, 0);
    set(1, 2, 0);
    struct item item = user_item(one.user, USER_ITEM_CHANGES);
    ck_assert_uint_eq(item.len, sizeof(want));
    ck_assert_mem_eq(item.bytes, want, sizeof(want));
}
END_TEST

START_TEST(a_full_user_keeps_what_he_has)
{
    const struct changes more = {T0, 256, 1};
    set(T0, 255, 0);
    one.store.user_bytes_max = one.user->used;
    ck_assert_int_eq(changes_set(&one.store, &one.user, &more),
                     SEG_ERR_USER_BYTES);
    expect(T0, 255, 0);
    set(T0 + 1, 254, 0);
    expect(T0 + 1, 254, 0);
}
END_TEST

SUITE("changes", setup, teardown, TABLE(what_was_set_is_found, numbers),
      TEST(the_bytes_are_as_documented), TEST(a_full_user_keeps_what_he_has))
