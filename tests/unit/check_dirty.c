/* check_dirty.c: which users must be written, oldest first. */
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

static struct seg_catalogue *catalogue;
static struct seg_engine *engine;
static struct seg_decoder *decoder;
static int64_t offset;

static void setup(void)
{
    catalogue = small_world_catalogue();
    engine = small_world_engine(catalogue);
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
    offset = 0;
}

static void teardown(void)
{
    seg_decoder_free(decoder);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
}

static void visit(int user)
{
    char json[128];
    const struct small_step step = {1, 0, json};
    snprintf(json, sizeof(json),
             "{\"type\":\"track\",\"userId\":\"u%d\",\"event\":\"Visited\"}",
             user);
    ck_assert_int_eq(small_world_apply(engine, decoder, &step, offset++), 0);
}

/* The number of the dirty user at INDEX, -1 at the end. */
static int dirty_at(uint32_t index)
{
    static const int64_t positions[2];
    struct seg_text id, record;
    int user = -1;
    if (seg_engine_dirty_record(engine, index, positions, &id, &record) < 0)
        return -1;
    ck_assert_int_eq(sscanf(id.bytes, "u%d", &user), 1);
    ck_assert_uint_gt(record.len, id.len);
    ck_assert_mem_eq(record.bytes + 2, id.bytes, id.len);
    return user;
}

START_TEST(nobody_is_dirty_at_first)
{
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 0);
    ck_assert_int_eq(dirty_at(0), -1);
    ck_assert_uint_eq(seg_engine_dirty_since(engine, 0), 0);
    seg_engine_flushed(engine, 5);
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 0);
}
END_TEST

START_TEST(a_user_stands_once_where_he_became_dirty_first)
{
    visit(1);
    visit(2);
    visit(1);
    visit(3);
    visit(2);
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 3);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(dirty_at((uint32_t)i), i + 1);
    ck_assert_int_eq(dirty_at(3), -1);
}
END_TEST

START_TEST(whoever_is_flushed_comes_again_at_the_end)
{
    visit(1);
    visit(2);
    visit(3);
    seg_engine_flushed(engine, 2);
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 1);
    ck_assert_int_eq(dirty_at(0), 3);
    visit(1);
    ck_assert_int_eq(dirty_at(0), 3);
    ck_assert_int_eq(dirty_at(1), 1);
    seg_engine_flushed(engine, 100);
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 0);
}
END_TEST

START_TEST(a_generation_holds_for_its_users_and_later_ones)
{
    visit(1);
    uint64_t second = seg_engine_generation(engine);
    visit(2);
    visit(1); /* Stays of the first. */
    uint64_t third = seg_engine_generation(engine);
    visit(3);
    ck_assert_uint_eq(third, second + 1);
    ck_assert_uint_eq(seg_engine_dirty_since(engine, 0), second - 1);
    ck_assert_uint_eq(seg_engine_dirty_since(engine, 1), second);
    ck_assert_uint_eq(seg_engine_dirty_since(engine, 2), third);
    ck_assert_uint_eq(seg_engine_dirty_since(engine, 3), 0);
    seg_engine_flushed(engine, 1);
    visit(1);
    ck_assert_uint_eq(seg_engine_dirty_since(engine, 2), third);
}
END_TEST

/* The queue keeps the low half of a generation. */
START_TEST(generations_may_pass_four_billion)
{
    engine->generation = UINT32_MAX - UINT64_C(1);
    visit(1);
    ck_assert_uint_eq(seg_engine_generation(engine), UINT32_MAX);
    visit(2);
    ck_assert_uint_eq(seg_engine_generation(engine), UINT64_C(1) << 32);
    visit(3);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_uint_eq(seg_engine_dirty_since(engine, i),
                          UINT32_MAX - UINT64_C(1) + i);
}
END_TEST

/* A twin in an array, through growth of the ring and round its end. */
START_TEST(any_number_of_users_keeps_its_order)
{
    enum { USERS = 2000 };
    int queue[USERS], head = 0, count = 0, dirty[USERS] = {0};
    unsigned state = 7;
    for (int n = 0; n < 8000; n++) {
        state = state * 1103515245u + 12345u;
        int user = (int)(state >> 16) % USERS;
        visit(user);
        if (!dirty[user]) {
            dirty[user] = 1;
            queue[(head + count++) % USERS] = user;
        }
        if (n % 700 == 699) {
            int flushed = count / 2;
            seg_engine_flushed(engine, (uint32_t)flushed);
            for (; flushed; flushed--, count--) {
                dirty[queue[head]] = 0;
                head = (head + 1) % USERS;
            }
        }
    }
    ck_assert_uint_eq(seg_engine_dirty_count(engine), (uint32_t)count);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(dirty_at((uint32_t)i), queue[(head + i) % USERS]);
}
END_TEST

START_TEST(a_timer_makes_dirty_only_if_it_changes_something)
{
    static const char json[] = "{\"type\":\"track\",\"userId\":\"u1\","
                               "\"messageId\":\"m\",\"event\":\"Other\"}";
    const struct small_step step = {1, 0, json};
    ck_assert_int_eq(small_world_apply(engine, decoder, &step, 1), 0);
    seg_engine_flushed(engine, 1);
    /* The message id is forgotten after two days: a timer, but no change. */
    struct seg_engine_stats stats;
    ck_assert_int_eq(
        seg_engine_advance(engine, SMALL_WORLD_START_MS + 60 * HOUR_MS, 10), 0);
    seg_engine_stats(engine, &stats);
    ck_assert_uint_gt(stats.timers, 0);
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 0);
    visit(1);
    seg_engine_flushed(engine, 1);
    ck_assert_int_eq(
        seg_engine_advance(engine, SMALL_WORLD_START_MS + 10 * DAY_MS, 10), 0);
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 1);
}
END_TEST

SUITE("dirty", setup, teardown, TEST(nobody_is_dirty_at_first),
      TEST(a_user_stands_once_where_he_became_dirty_first),
      TEST(whoever_is_flushed_comes_again_at_the_end),
      TEST(a_generation_holds_for_its_users_and_later_ones),
      TEST(generations_may_pass_four_billion),
      TEST(any_number_of_users_keeps_its_order),
      TEST(a_timer_makes_dirty_only_if_it_changes_something))
