/* check_snapshot_limits.c: what a record of one user may say, and what not.
 *
 * Records are laid out by hand, as lib/engine/snapshot.h has it; each row is
 * one of them, on one side of a limit. */
#include <stdio.h>

#include "lib/engine/engine.h"
#include "lib/engine/snapshot.h"
#include "lib/user/feature.h"
#include "lib/user/member.h"
#include "lib/user/update.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

static struct seg_catalogue *catalogue;
static struct seg_engine *engine;
static struct buf record;

static void setup(void)
{
    catalogue = small_world_catalogue();
    engine = small_world_engine(catalogue);
    buf_init(&record);
}

static void teardown(void)
{
    buf_done(&record);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
}

/* Returns what the library says to RECORD, whose end is added. */
static int import(void)
{
    struct seg_error detail = {0};
    buf_u8(&record, SECTION_END);
    int ret =
        seg_engine_restore_user(engine, record.bytes, record.len, &detail);
    if (ret < 0)
        ck_assert_int_eq(detail.code, ret);
    for (uint32_t i = 0; i < engine->store.user_count; i++)
        ck_assert(user_validate(store_at(&engine->store, i)));
    return ret;
}

/* The head of a record of user "u", of whom nothing is known. */
static void lay_head(uint64_t seq, int64_t last_ms, int64_t due_ms)
{
    buf_reset(&record);
    buf_u8(&record, SEG_STATE_VERSION);
    buf_varint(&record, 1);
    buf_str(&record, "u");
    buf_u8(&record, 0);
    buf_u8(&record, 0);
    buf_varint(&record, 0);
    buf_varint(&record, seq);
    buf_varint(&record, 0);
    buf_u64(&record, (uint64_t)last_ms);
    buf_u64(&record, (uint64_t)due_ms);
    buf_varint(&record, 1);
}

static void lay_section(enum section section, uint64_t count)
{
    lay_head(0, CHANGES_NONE, SEG_NEVER);
    buf_u8(&record, (uint8_t)section);
    buf_varint(&record, count);
}

static void lay_feature(enum feature_kind kind)
{
    uint32_t i = 0;
    while (engine->plan->features[i].kind != kind)
        i++;
    lay_section(SECTION_FEATURES, 1);
    buf_u64(&record, engine->plan->features[i].key);
    buf_u8(&record, (uint8_t)feature_code(kind));
}

static void lay_write(int64_t time_ms)
{
    buf_u64(&record, (uint64_t)time_ms);
    buf_u8(&record, 0);
    buf_varint(&record, 0);
    buf_u64(&record, 0);
}

static void id_of_bytes(int64_t n)
{
    buf_reset(&record);
    buf_u8(&record, SEG_STATE_VERSION);
    buf_varint(&record, (uint64_t)n);
    for (int64_t i = 0; i < n; i++)
        buf_char(&record, 'u');
    buf_u8(&record, 0);
    buf_u8(&record, 0);
    for (int i = 0; i < 3; i++)
        buf_varint(&record, 0);
    buf_u64(&record, 0);
    buf_u64(&record, 0);
    buf_varint(&record, 1);
}

static void seq_of(int64_t n)
{
    lay_head((uint64_t)n, CHANGES_NONE, SEG_NEVER);
}

static void epoch_of(int64_t n)
{
    lay_head(0, CHANGES_NONE, SEG_NEVER);
    record.len--;
    buf_varint(&record, (uint64_t)n);
}

static void last_change_at(int64_t n)
{
    lay_head(0, n, SEG_NEVER);
}

static void due_at(int64_t n)
{
    lay_head(0, CHANGES_NONE, n);
}

static void times_in_a_window(int64_t n)
{
    lay_feature(FEATURE_WINDOW);
    buf_u8(&record, 0);
    buf_varint(&record, (uint64_t)n);
    buf_u64(&record, 5);
    for (int64_t i = 1; i < n; i++)
        buf_varint(&record, 1);
}

static void last_time_in_a_window(int64_t n)
{
    lay_feature(FEATURE_WINDOW);
    buf_u8(&record, 0);
    buf_varint(&record, 2);
    buf_u64(&record, (uint64_t)(n - 1));
    buf_varint(&record, 1);
}

static void number_in_a_bucket(int64_t n)
{
    lay_feature(FEATURE_WINDOW);
    buf_u8(&record, 1);
    buf_varint(&record, 1);
    buf_u64(&record, 5);
    buf_varint(&record, (uint64_t)n);
}

static void second_bucket_at(int64_t n)
{
    lay_feature(FEATURE_WINDOW);
    buf_u8(&record, 1);
    buf_varint(&record, 2);
    buf_u64(&record, 5);
    buf_varint(&record, 1);
    buf_u64(&record, (uint64_t)n);
    buf_varint(&record, 1);
}

static void second_value_at(int64_t n)
{
    lay_feature(FEATURE_FIRST);
    buf_u8(&record, 0);
    buf_varint(&record, 2);
    for (int i = 0; i < 2; i++) {
        buf_u64(&record, i ? (uint64_t)n : 5);
        buf_u8(&record, 0);
        buf_varint(&record, 0);
        buf_u8(&record, SEG_MISSING);
    }
}

static void first_time_of(int64_t n)
{
    lay_feature(FEATURE_FIRST_TIME);
    buf_u64(&record, (uint64_t)n);
}

static void ids_of(int64_t n)
{
    lay_section(SECTION_IDS, (uint64_t)n);
    for (int64_t i = 0; i < n; i++) {
        buf_u64(&record, (uint64_t)i);
        buf_u64(&record, 5);
    }
}

static void names_of_a_path(int64_t n)
{
    lay_section(SECTION_ATTRIBUTES, 1);
    buf_u8(&record, 0);
    buf_varint(&record, (uint64_t)n);
    for (int64_t i = 0; i < n; i++) {
        buf_varint(&record, 1);
        buf_str(&record, "a");
    }
    lay_write(5);
    buf_u8(&record, SEG_MISSING);
}

static void nested_lists(int64_t n)
{
    lay_section(SECTION_SPARE, 1);
    buf_u8(&record, 0);
    buf_varint(&record, 1);
    buf_str(&record, "a");
    lay_write(5);
    for (int64_t i = 0; i < n; i++) {
        buf_u8(&record, SEG_LIST);
        buf_varint(&record, 1);
    }
    buf_u8(&record, SEG_MISSING);
}

static void value_of_type(int64_t n)
{
    lay_section(SECTION_SPARE, 1);
    buf_u8(&record, 0);
    buf_varint(&record, 1);
    buf_str(&record, "a");
    lay_write(5);
    buf_u8(&record, (uint8_t)n);
}

static void double_of_exponent(int64_t n)
{
    value_of_type(SEG_DOUBLE);
    buf_u64(&record, (uint64_t)n << 52);
}

static void spare_of_kind(int64_t n)
{
    lay_section(SECTION_SPARE, 1);
    buf_u8(&record, (uint8_t)n);
    buf_varint(&record, 1);
    buf_str(&record, "a");
    lay_write(5);
    buf_u8(&record, SEG_OBJECT);
}

static void account_of_type(int64_t n)
{
    lay_head(0, CHANGES_NONE, SEG_NEVER);
    buf_u8(&record, SECTION_ACCOUNT);
    lay_write(5);
    buf_u8(&record, (uint8_t)n);
    buf_u8(&record, 0);
}

static void parked_of_kind(int64_t n)
{
    lay_section(SECTION_PARKED, 1);
    buf_u8(&record, (uint8_t)n);
    buf_u8(&record, 0); /* Target: of the user. */
    buf_varint(&record, 1);
    buf_str(&record, "a");
    lay_write(5);
    buf_u8(&record, SEG_MISSING);
}

static void section_tag(int64_t n)
{
    lay_section((enum section)n, 0);
}

static void feature_code_of(int64_t n)
{
    lay_section(SECTION_FEATURES, 1);
    buf_u64(&record, 12345); /* Of no feature: its state is read past. */
    buf_u8(&record, (uint8_t)n);
    buf_u64(&record, 0);
}

static void membership_twice(int64_t n)
{
    lay_section(SECTION_MEMBERS, (uint64_t)n);
    for (int64_t i = 0; i < n; i++) {
        buf_u64(&record, engine->plan->segments[0].key_hash);
        buf_u64(&record, 5);
    }
}

#define LIMIT(lay, n, accepted) \
    {                           \
#lay, lay, n, accepted  \
    }

static const struct {
    const char *what;
    void (*lay)(int64_t n);
    int64_t n;
    int accepted;
} limits[] = {
    LIMIT(id_of_bytes, SEG_ID_BYTES_MAX - 1, 1),
    LIMIT(id_of_bytes, SEG_ID_BYTES_MAX, 1),
    LIMIT(id_of_bytes, SEG_ID_BYTES_MAX + 1, 0),
    LIMIT(seq_of, UINT32_MAX - INT64_C(1), 1),
    LIMIT(seq_of, UINT32_MAX, 1),
    LIMIT(seq_of, UINT32_MAX + INT64_C(1), 0),
    LIMIT(epoch_of, UINT32_MAX, 1),
    LIMIT(epoch_of, UINT32_MAX + INT64_C(1), 0),
    LIMIT(last_change_at, SNAPSHOT_MS_MAX, 1),
    LIMIT(last_change_at, SNAPSHOT_MS_MAX + 1, 0),
    LIMIT(last_change_at, -SNAPSHOT_MS_MAX, 1),
    LIMIT(last_change_at, -SNAPSHOT_MS_MAX - 1, 0),
    LIMIT(last_change_at, CHANGES_NONE, 1),
    LIMIT(last_change_at, SEG_NEVER, 0),
    LIMIT(due_at, SNAPSHOT_MS_MAX, 1),
    LIMIT(due_at, SNAPSHOT_MS_MAX + 1, 1),
    LIMIT(due_at, SEG_NEVER, 1),
    LIMIT(due_at, INT64_MIN, 1),
    LIMIT(times_in_a_window, FEATURE_KEPT_MAX - 1, 1),
    LIMIT(times_in_a_window, FEATURE_KEPT_MAX, 1),
    LIMIT(times_in_a_window, FEATURE_KEPT_MAX + 1, 0),
    LIMIT(last_time_in_a_window, SNAPSHOT_MS_MAX, 1),
    LIMIT(last_time_in_a_window, SNAPSHOT_MS_MAX + 1, 0),
    LIMIT(number_in_a_bucket, 0, 0),
    LIMIT(number_in_a_bucket, 1, 1),
    LIMIT(number_in_a_bucket, INT32_MAX, 1),
    LIMIT(number_in_a_bucket, INT32_MAX + INT64_C(1), 0),
    LIMIT(second_bucket_at, 5, 0),
    LIMIT(second_bucket_at, 6, 1),
    LIMIT(second_bucket_at, SNAPSHOT_MS_MAX + 1, 0),
    LIMIT(second_value_at, 4, 0),
    LIMIT(second_value_at, 5, 1),
    LIMIT(second_value_at, SNAPSHOT_MS_MAX + 1, 0),
    LIMIT(first_time_of, SNAPSHOT_MS_MAX, 1),
    LIMIT(first_time_of, SNAPSHOT_MS_MAX + 1, 0),
    LIMIT(ids_of, SEG_IDS_MAX - 1, 1),
    LIMIT(ids_of, SEG_IDS_MAX, 1),
    LIMIT(ids_of, SEG_IDS_MAX + 1, 0),
    LIMIT(names_of_a_path, 0, 0),
    LIMIT(names_of_a_path, 1, 1),
    LIMIT(names_of_a_path, 64, 1),
    LIMIT(names_of_a_path, 65, 0),
    LIMIT(nested_lists, 63, 1),
    LIMIT(nested_lists, 64, 1),
    LIMIT(nested_lists, 65, 0),
    LIMIT(value_of_type, SEG_MISSING, 1),
    LIMIT(value_of_type, SEG_OBJECT, 1),
    LIMIT(value_of_type, SEG_OBJECT + 1, 0),
    LIMIT(spare_of_kind, 1, 1),
    LIMIT(spare_of_kind, SPARE_LOST, 1),
    LIMIT(spare_of_kind, SPARE_LOST + 1, 0),
    LIMIT(double_of_exponent, 0x7fe, 1),
    LIMIT(double_of_exponent, 0x7ff, 0),
    LIMIT(account_of_type, SEG_TEXT, 1),
    LIMIT(account_of_type, SEG_LIST, 0),
    LIMIT(parked_of_kind, UPDATE_SPARE, 1),
    LIMIT(parked_of_kind, UPDATE_SPARE + 1, 0),
    LIMIT(section_tag, SECTION_WATCHES, 1),
    LIMIT(section_tag, SECTION_WATCHES + 1, 0),
    LIMIT(feature_code_of, 0, 0),
    LIMIT(feature_code_of, 3, 1),
    LIMIT(feature_code_of, 7, 0),
    LIMIT(membership_twice, 1, 1),
    LIMIT(membership_twice, 2, 1),
};

START_TEST(a_record_keeps_to_its_limits)
{
    char name[64];
    limits[_i].lay(limits[_i].n);
    int ret = import();
    ck_assert_msg(ret == (limits[_i].accepted ? 0 : SEG_ERR_RECORD),
                  "%s %lld: %s", limits[_i].what, (long long)limits[_i].n,
                  seg_error_name(ret));
    if (ret == 0) {
        snprintf(name, sizeof(name), "%s_%lld", limits[_i].what,
                 (long long)limits[_i].n);
        small_world_keep(&record, name);
    }
}
END_TEST

/* What he did last lies as far ahead as can be: what is due lies beyond. */
START_TEST(a_user_of_the_far_future_is_written_and_read)
{
    first_time_of(SNAPSHOT_MS_MAX);
    ck_assert_int_eq(import(), 0);
    ck_assert_int_eq(seg_engine_restore_finish(engine, SNAPSHOT_MS_MAX, 10), 0);
    const struct user *user = store_at(&engine->store, 0);
    ck_assert_int_gt(timer_at(engine, user), SNAPSHOT_MS_MAX);
    ck_assert_int_ne(timer_at(engine, user), SEG_NEVER);
    buf_reset(&record);
    small_world_record(engine, user, &record);
    small_world_keep(&record, "far_ahead");
    seg_engine_free(engine);
    engine = small_world_engine(catalogue);
    ck_assert_int_eq(
        seg_engine_restore_user(engine, record.bytes, record.len, NULL), 0);
}
END_TEST

START_TEST(a_membership_counts_once_however_often_it_stands_there)
{
    membership_twice(2);
    ck_assert_int_eq(import(), 0);
    ck_assert_uint_eq(member_count(store_at(&engine->store, 0)), 1);
}
END_TEST

START_TEST(a_feature_stands_there_once)
{
    for (int times = 1; times <= 2; times++) {
        lay_section(SECTION_FEATURES, (uint64_t)times);
        for (int i = 0; i < times; i++) {
            uint32_t f = 0;
            while (engine->plan->features[f].kind != FEATURE_TALLY)
                f++;
            buf_u64(&record, engine->plan->features[f].key);
            buf_u8(&record, (uint8_t)feature_code(FEATURE_TALLY));
            buf_varint(&record, 7);
        }
        ck_assert_int_eq(import(), times == 1 ? 0 : SEG_ERR_RECORD);
    }
}
END_TEST

SUITE("snapshot_limits", setup, teardown,
      TABLE(a_record_keeps_to_its_limits, limits),
      TEST(a_user_of_the_far_future_is_written_and_read),
      TEST(a_membership_counts_once_however_often_it_stands_there),
      TEST(a_feature_stands_there_once))
