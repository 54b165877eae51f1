/* check_dedupe.c: message ids seen of a user. */
#include "lib/user/dedupe.h"

#include "lib/base/text.h"
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

static void add(uint64_t hash, int64_t timestamp_ms, int64_t now_ms)
{
    ck_assert_int_eq(
        dedupe_add(&one.store, &one.user, hash, timestamp_ms, now_ms), 0);
    ck_assert(user_validate(one.user));
}

START_TEST(an_id_is_one_of_its_topic)
{
    struct seg_text id = text_of("m-1");
    ck_assert_uint_eq(dedupe_hash(7, id), dedupe_hash(7, text_of("m-1")));
    ck_assert_uint_ne(dedupe_hash(7, id), dedupe_hash(8, id));
    ck_assert_uint_ne(dedupe_hash(7, id), dedupe_hash(7, text_of("m-2")));
    ck_assert_uint_ne(dedupe_hash(7, id), dedupe_hash(7, text_of("")));
}
END_TEST

/* When the id came a second time, after it had come at T0. */
static const struct {
    int64_t after_ms;
    int duplicate;
} again[] = {
    {0, 1},
    {SEG_ID_WINDOW_MS - 1, 1},
    {SEG_ID_WINDOW_MS, 0},
    {SEG_ID_WINDOW_MS + 1, 0},
    {-SEG_ID_WINDOW_MS + 1, 1}, /* A record of another producer, behind. */
    {-SEG_ID_WINDOW_MS, 0},
};

START_TEST(the_same_id_within_a_day_of_records_is_a_duplicate)
{
    int64_t timestamp_ms = T0 + again[_i].after_ms;
    add(5, T0, T0);
    ck_assert_int_eq(dedupe_seen(one.user, 5, timestamp_ms, T0),
                     again[_i].duplicate);
    ck_assert_int_eq(dedupe_seen(one.user, 6, timestamp_ms, T0), 0);
}
END_TEST

START_TEST(an_id_comes_back_after_a_day_and_counts_from_then_on)
{
    add(5, T0, T0);
    add(5, T0 + SEG_ID_WINDOW_MS, T0 + SEG_ID_WINDOW_MS);
    ck_assert_uint_eq(dedupe_count(one.user), 2);
    ck_assert(dedupe_seen(one.user, 5, T0 + 2 * SEG_ID_WINDOW_MS - 1,
                          T0 + SEG_ID_WINDOW_MS));
    ck_assert(!dedupe_seen(one.user, 5, T0 + 2 * SEG_ID_WINDOW_MS,
                           T0 + SEG_ID_WINDOW_MS));
}
END_TEST

static const int counts[] = {SEG_IDS_MAX - 1, SEG_IDS_MAX, SEG_IDS_MAX + 1,
                             SEG_IDS_MAX * 3};

START_TEST(the_last_ids_are_kept_the_oldest_goes_first)
{
    int64_t timestamp_ms;
    uint32_t count = (uint32_t)counts[_i];
    uint32_t kept = count < SEG_IDS_MAX ? count : SEG_IDS_MAX;
    for (uint32_t i = 0; i < count; i++)
        add(100 + i, T0 + i, T0 + i);
    ck_assert_uint_eq(dedupe_count(one.user), kept);
    for (uint32_t i = 0; i < kept; i++) {
        ck_assert_uint_eq(dedupe_at(one.user, i, &timestamp_ms),
                          100 + count - kept + i);
        ck_assert_int_eq(timestamp_ms, T0 + count - kept + i);
    }
    for (uint32_t i = 0; i < count; i++)
        ck_assert_int_eq(dedupe_seen(one.user, 100 + i, T0, T0 + count),
                         i >= count - kept);
}
END_TEST

START_TEST(ids_are_forgotten_two_days_after_their_record)
{
    add(1, T0, T0);
    add(2, T0 + 10, T0 + 10);
    ck_assert_int_eq(dedupe_next(one.user), T0 + 10 + DEDUPE_KEEP_MS);
    dedupe_age(&one.store, &one.user, T0 + DEDUPE_KEEP_MS - 1);
    ck_assert_uint_eq(dedupe_count(one.user), 2);
    dedupe_age(&one.store, &one.user, T0 + DEDUPE_KEEP_MS);
    ck_assert_uint_eq(dedupe_count(one.user), 1);
    dedupe_age(&one.store, &one.user, T0 + 10 + DEDUPE_KEEP_MS);
    ck_assert_uint_eq(dedupe_count(one.user), 0);
    ck_assert_int_eq(dedupe_next(one.user), SEG_NEVER);
    ck_assert(user_validate(one.user));
}
END_TEST

START_TEST(what_is_old_enough_to_be_forgotten_is_not_remembered)
{
    add(1, T0, T0 + DEDUPE_KEEP_MS);
    ck_assert_uint_eq(dedupe_count(one.user), 0);
    add(1, T0 + 1, T0 + DEDUPE_KEEP_MS);
    ck_assert_uint_eq(dedupe_count(one.user), 1);
}
END_TEST

/* Nobody else may remember it: by the clock of a restore all would be old. */
START_TEST(a_restore_forgets_nothing)
{
    add(1, T0, DEDUPE_NEVER);
    add(2, T0 + INT64_C(200) * SEG_ID_WINDOW_MS, DEDUPE_NEVER);
    ck_assert_uint_eq(dedupe_count(one.user), 2);
    ck_assert(dedupe_seen(one.user, 1, T0 + 5, DEDUPE_NEVER));
    ck_assert(!dedupe_seen(one.user, 1, T0 + SEG_ID_WINDOW_MS, DEDUPE_NEVER));
}
END_TEST

/* Behind a younger one an old id may stay, but it does not count. */
START_TEST(an_old_id_that_arrived_late_is_not_seen)
{
    add(1, T0 + 10, T0 + 10);
    add(2, T0, T0 + 10);
    ck_assert(!dedupe_seen(one.user, 2, T0, T0 + DEDUPE_KEEP_MS));
    ck_assert_int_eq(dedupe_next(one.user), T0 + 10 + DEDUPE_KEEP_MS);
}
END_TEST

START_TEST(a_full_user_keeps_the_ids_he_has)
{
    uint64_t count = 10;
    int ret = 0;
    for (uint64_t i = 0; i < count; i++)
        add(i, T0, T0);
    one.store.user_bytes_max = one.user->used;
    while (ret == 0 && count < SEG_IDS_MAX) {
        ret = dedupe_add(&one.store, &one.user, count, T0, T0);
        count += ret == 0;
        ck_assert(user_validate(one.user));
    }
    ck_assert_int_eq(ret, SEG_ERR_USER_BYTES);
    ck_assert_uint_eq(dedupe_count(one.user), count);
    for (uint64_t i = 0; i < count; i++)
        ck_assert(dedupe_seen(one.user, i, T0, T0));
    ck_assert(!dedupe_seen(one.user, count, T0, T0));
}
END_TEST

SUITE("dedupe", setup, teardown, TEST(an_id_is_one_of_its_topic),
      TABLE(the_same_id_within_a_day_of_records_is_a_duplicate, again),
      TEST(an_id_comes_back_after_a_day_and_counts_from_then_on),
      TABLE(the_last_ids_are_kept_the_oldest_goes_first, counts),
      TEST(ids_are_forgotten_two_days_after_their_record),
      TEST(what_is_old_enough_to_be_forgotten_is_not_remembered),
      TEST(a_restore_forgets_nothing),
      TEST(an_old_id_that_arrived_late_is_not_seen),
      TEST(a_full_user_keeps_the_ids_he_has))
