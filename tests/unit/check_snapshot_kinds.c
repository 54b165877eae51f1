/* check_snapshot_kinds.c: records of users with features of all kinds.
 *
 * Random messages under the segments of tests/support/everything.h beside those of
 * small_world.h, whose users are there as well; now and then each user is written,
 * read into a new engine and written again: the bytes are the same, and so is all
 * that can be asked. With RECORDS=FOLDER in the environment some of the records
 * are kept: seeds of fuzz_user_record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/engine/engine.h"
#include "lib/user/feature.h"
#include "lib/user/feature_table.h"
#include "tests/support/everything.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

#define HISTORIES 8
#define MESSAGES  120
#define LOOKS     4 /* At the users, in one history. */

static struct seg_catalogue *catalogue;
static struct seg_decoder *decoder;
static struct seg_engine *engine;
static int64_t now_ms;

#define X(name, ops, code, counts) +1
enum { KINDS = FEATURE_TABLE(X) };
#undef X

static void setup(void)
{
    struct buf text;
    buf_init(&text);
    buf_str(&text, small_world_text);
    buf_str(&text, everything_text);
    catalogue = small_world_compile(buf_string(&text));
    buf_done(&text);
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
    engine = small_world_engine(catalogue);
    small_world_run(engine, catalogue);
    now_ms = SMALL_WORLD_START_MS + 3 * DAY_MS;
}

static void teardown(void)
{
    seg_engine_free(engine);
    seg_decoder_free(decoder);
    seg_catalogue_free(catalogue);
}

static void send(struct random *dice, int64_t offset)
{
    struct seg_event event;
    struct buf json;
    const struct seg_origin origin = {0, offset, now_ms};
    buf_init(&json);
    everything_message(dice, now_ms, &json);
    ck_assert_int_eq(seg_decode(decoder, json.bytes, json.len, &event, NULL),
                     0);
    ck_assert_int_eq(seg_engine_advance(engine, now_ms, 10000), 0);
    ck_assert_int_ge(seg_engine_apply(engine, &event, &origin), 0);
    seg_decoder_reset(decoder);
    buf_done(&json);
    now_ms += everything_pause(dice);
}

/* All segments of USER explained, behind each other. */
static void put_all(const struct seg_engine *of, const struct user *user,
                    struct buf *to)
{
    for (int i = 0; i < seg_catalogue_segment_count(catalogue); i++) {
        struct seg_explanation *why;
        ck_assert_int_eq(
            seg_explain(&why, of, (const struct seg_user *)user, i), 0);
        char *text = seg_explanation_text(why);
        ck_assert_ptr_nonnull(text);
        buf_str(to, text);
        free(text);
        seg_explanation_free(why);
    }
}

static void expect_same_text(struct buf *a, struct buf *b)
{
    ck_assert_str_eq(buf_string(a), buf_string(b));
    buf_done(a);
    buf_done(b);
}

/* USER's RECORD, read into a new engine. */
static void expect_comes_back(const struct user *user, const struct buf *record)
{
    struct seg_engine *other = small_world_engine(catalogue);
    struct buf again, here, there;
    buf_init(&again);
    buf_init(&here);
    buf_init(&there);
    ck_assert_int_eq(
        seg_engine_restore_user(other, record->bytes, record->len, NULL), 0);
    ck_assert(user_validate(store_at(&other->store, 0)));
    small_world_record(other, store_at(&other->store, 0), &again);
    ck_assert_uint_eq(again.len, record->len);
    ck_assert_mem_eq(again.bytes, record->bytes, record->len);
    ck_assert_int_eq(
        seg_engine_restore_finish(other, seg_engine_clock(engine), 10), 0);
    put_all(engine, user, &here);
    put_all(other, store_at(&other->store, 0), &there);
    expect_same_text(&here, &there);
    buf_done(&again);
    seg_engine_free(other);
}

START_TEST(a_user_of_all_kinds_comes_back)
{
    struct random dice = {(uint64_t)_i + 1};
    struct buf record;
    buf_init(&record);
    for (int i = 1; i <= MESSAGES; i++) {
        send(&dice, i);
        for (uint32_t u = 0;
             i % (MESSAGES / LOOKS) == 0 && u < engine->store.user_count; u++) {
            char name[64];
            buf_reset(&record);
            small_world_record(engine, store_at(&engine->store, u), &record);
            ck_assert_int_eq(record.bytes[0], 2);
            snprintf(name, sizeof(name), "kinds_%d_%d_%.1s", _i, i,
                     user_id(store_at(&engine->store, u)).bytes);
            if (_i < 2 &&
                user_id(store_at(&engine->store, u)).len == 1) /* u, v */
                small_world_keep(&record, name);
            expect_comes_back(store_at(&engine->store, u), &record);
        }
    }
    buf_done(&record);
}
END_TEST

/* Every kind that a record can have must be among them. */
START_TEST(no_kind_is_left_out)
{
    char seen[256] = {0};
    const struct plan *plan = engine->plan;
    struct random dice = {1};
    for (int i = 1; i <= MESSAGES; i++)
        send(&dice, i);
    for (uint32_t f = 0; f < plan->feature_count; f++)
        for (uint32_t u = 0; u < engine->store.user_count; u++)
            if (user_item(store_at(&engine->store, u), plan->features[f].item)
                    .bytes)
                seen[plan->features[f].kind] = 1;
    for (int kind = 0; kind < KINDS; kind++)
        ck_assert_msg(seen[kind], "nobody has a feature of kind %d", kind);
}
END_TEST

SUITE("snapshot_kinds", setup, teardown,
      TIMES(a_user_of_all_kinds_comes_back, HISTORIES),
      TEST(no_kind_is_left_out))
