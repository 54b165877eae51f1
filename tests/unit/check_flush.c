/* check_flush.c: who is written when, and what the meta record says then. */
#include "daemon/protocol/flush.h"

#include <stdio.h>
#include <string.h>

#include "daemon/protocol/ledger.h"
#include "tests/support/sim_catalogue.h"
#include "tests/support/sim_world.h"
#include "tests/support/suite.h"

enum { NOW = 1000000, INTERVAL = 32000 };

static struct ledger_input inputs[1] = {{"a", PARTITIONER_TRUST, 0}};
static struct ledger_options options;
static struct ledger *ledger;
static struct meta meta;

static void setup(void)
{
    const struct meta_mark redo[SEG_TOPICS_MAX] = {{40, 39, 0, 0}};
    const struct meta_mark fold[META_OUTPUTS] = {
        {4, 3, 0, 0}, {5, 4, 0, 0}, {6, 5, 0, 0}};

    options = (struct ledger_options){.catalogue = sim_catalogue(0),
                                      .app = "app",
                                      .version = "0",
                                      .inputs = inputs,
                                      .input_count = 1,
                                      .partition_count = 1,
                                      .flush_interval_ms = INTERVAL,
                                      .refresh_ms = 100000,
                                      .users_per_flush = 1000,
                                      .record_bytes_max = 1 << 20};
    ck_assert_int_eq(ledger_new(&ledger, &options, 0), 0);
    ck_assert_int_eq(ledger_reset(ledger, 0), 0);
    ledger->inputs[0] = (struct meta_mark){100, 99, 0, 0};
    ledger->outputs[0] = (struct meta_mark){10, 9, 0, 0};
    ledger->outputs[1] = (struct meta_mark){11, 10, 0, 0};
    ledger->outputs[2] = (struct meta_mark){12, 11, 0, 0};
    flush_start(ledger, redo, fold, NOW);
}

static void teardown(void)
{
    ledger_free(ledger);
}

/* USER becomes dirty by a record at OFFSET. */
static void touch(const char *user, int64_t offset)
{
    struct seg_event event = {.type = SEG_TRACK,
                              .time_state = SEG_TIME_MISSING,
                              .name_id = SEG_NAME_NONE,
                              .user_id = {user, strlen(user)}};
    struct broker_record record = {.offset = offset, .timestamp_ms = 0};

    ck_assert_int_eq(ledger_apply(ledger, 0, &record, &event, 0, NOW), 0);
}

/* A transaction that writes COUNT users is committed at NOW + MS; changes go on
 * to CHANGES. */
static void committed(uint32_t count, int64_t changes, int64_t ms)
{
    ledger->outputs[0].position = changes;
    flush_committed(ledger, count, count > 0, NOW + ms);
}

/* What the meta record would say if COUNT users were written now. */
static void check_meta(uint32_t count, int64_t redo, int64_t fold)
{
    const struct meta_offsets offsets = {7, 1, 2};

    flush_meta(ledger, count, &offsets, &meta);
    ck_assert_int_eq(meta.inputs[0].redo.position, redo);
    ck_assert_int_eq(meta.outputs[0].fold.position, fold);
    ck_assert_int_eq(meta.inputs[0].offset, ledger->inputs[0].position);
    ck_assert_int_eq(meta.outputs[0].tail, ledger->outputs[0].position);
}

START_TEST(with_nobody_dirty_meta_says_here)
{
    check_meta(0, 100, 10);
    ck_assert(flush_due_ms(ledger) == SEG_NEVER);
}
END_TEST

START_TEST(the_oldest_dirty_user_bounds_the_redo)
{
    touch("u", 100);
    check_meta(0, 100, 10);
    committed(0, 20, 1000);
    touch("v", 101);
    check_meta(0, 100, 10);
    /* With u written, v is the oldest; he became dirty after that commit. */
    check_meta(1, 101, 20);
    check_meta(2, 102, 20);
}
END_TEST

START_TEST(generations_are_not_closed_at_every_commit)
{
    touch("u", 100);
    committed(0, 20, INTERVAL / 32 - 1);
    touch("v", 101);
    check_meta(1, 100, 10); /* The bound of u's generation: lower is safe. */
    committed(0, 30, INTERVAL / 32);
    touch("w", 102);
    check_meta(2, 102, 30);
}
END_TEST

START_TEST(a_bound_nobody_needs_keeps_up)
{
    for (int i = 1; i < 500; i++)
        committed(0, 10 + i, i);
    touch("u", 100);
    check_meta(0, 100, 509);
}
END_TEST

START_TEST(users_are_due_after_the_interval)
{
    touch("u", 100);
    committed(0, 20, 5000);
    touch("v", 101);
    ck_assert_int_eq(flush_due_ms(ledger), NOW + INTERVAL);
    ck_assert_uint_eq(flush_count(ledger, NOW + INTERVAL - 1, 0), 0);
    ck_assert_uint_eq(flush_count(ledger, NOW + INTERVAL, 0), 1);
    ck_assert_uint_eq(flush_count(ledger, NOW + INTERVAL + 4999, 0), 1);
    ck_assert_uint_eq(flush_count(ledger, NOW + INTERVAL + 5000, 0), 2);
    ck_assert_uint_eq(flush_count(ledger, NOW, 1), 2);
    options.users_per_flush = 1;
    ck_assert_uint_eq(flush_count(ledger, NOW, 1), 1);
    options.users_per_flush = 1000;
    options.flush_interval_ms = 0;
    ck_assert_uint_eq(flush_count(ledger, NOW, 0), 2);
}
END_TEST

START_TEST(who_is_written_and_changes_again_goes_last)
{
    touch("u", 100);
    committed(0, 20, 5000);
    touch("v", 101);
    committed(1, 21, 10000); /* u is written. */
    touch("u", 102);
    check_meta(1, 102, 21);
    ck_assert_uint_eq(flush_count(ledger, NOW + INTERVAL + 5000, 0), 1);
}
END_TEST

/* Users who wait for very long do not use up the bounds. */
START_TEST(bounds_never_run_out)
{
    char user[16];

    for (int i = 0; i < 10 * FLUSH_BOUNDS_MAX; i++) {
        snprintf(user, sizeof(user), "u%d", i);
        touch(user, 100 + i);
        committed(0, 20 + i, (i + 1) * INTERVAL);
        ck_assert_int_le(ledger->flush.count, FLUSH_BOUNDS_MAX);
    }
    check_meta(0, 100, 10);
    for (uint32_t left = 10 * FLUSH_BOUNDS_MAX; left; left--) {
        const struct meta_mark *first = ledger->flush.bounds[0].marks;
        ck_assert_int_le(first->position, 100 + 640 - (int64_t)left);
        committed(1, 1000, 100 * INTERVAL * 100);
    }
    check_meta(0, 740, 1000);
}
END_TEST

START_TEST(restored_users_keep_the_old_bound_and_are_due)
{
    struct seg_error error;
    struct seg_restored change = {
        .user_id = {"u", 1}, .segment = {"some", 4}, .member = 1, .seq = 1};
    const struct meta_mark redo[SEG_TOPICS_MAX] = {{40, 39, 0, 0}};
    const struct meta_mark fold[META_OUTPUTS] = {{4, 3, 0, 0}};

    ck_assert_int_eq(ledger_reset(ledger, 0), 0);
    ledger->inputs[0] = (struct meta_mark){100, 99, 0, 0};
    ledger->outputs[0] = (struct meta_mark){10, 9, 0, 0};
    ck_assert_int_eq(seg_engine_restore_change(ledger->engine, &change, &error),
                     0);
    while (seg_engine_restore_finish(ledger->engine, 0, 10) > 0)
        ;
    seg_engine_outputs_clear(ledger->engine); /* A repair, no matter. */
    flush_start(ledger, redo, fold, NOW);
    check_meta(0, 40, 4);
    ck_assert(flush_due_ms(ledger) <= NOW);
    touch("v", 100);
    check_meta(1, 100, 10);
    committed(1, 10, 1);
    check_meta(0, 100, 10);
    ck_assert_int_eq(flush_due_ms(ledger), NOW + INTERVAL);
}
END_TEST

/* ---- a quiet partition -------------------------------------------------- */

static int asked, known;

static int watermarks(void *impl, uint64_t question, int topic, int partition,
                      int64_t *low, int64_t *high)
{
    (void)impl;
    (void)question;
    (void)partition;
    (void)low;
    asked++;
    *high = 500 + topic;
    return known ? BROKER_OK : BROKER_AGAIN;
}

START_TEST(an_old_meta_record_is_written_again)
{
    struct broker broker = {.watermarks = watermarks};

    asked = 0;
    flush_refresh(ledger, &broker, NOW + 99999);
    ck_assert_int_eq(asked, 0);
    known = 0;
    flush_refresh(ledger, &broker, NOW + 100000);
    ck_assert_int_eq(asked, 3);
    ck_assert(flush_due_ms(ledger) == SEG_NEVER);
    known = 1;
    flush_refresh(ledger, &broker, NOW + 100001);
    ck_assert(flush_due_ms(ledger) <= NOW);
    check_meta(0, 100, 500);
    ck_assert_int_eq(meta.outputs[2].fold.position, 503);
    /* Not before it is committed do we say that we know so much. */
    ck_assert_int_eq(ledger->outputs[0].position, 10);
    flush_committed(ledger, 0, 1, NOW + 100002);
    ck_assert_int_eq(ledger->outputs[0].position, 500);
    ck_assert(flush_due_ms(ledger) == SEG_NEVER);
    asked = 0;
    flush_refresh(ledger, &broker, NOW + 200001);
    ck_assert_int_eq(asked, 0);
}
END_TEST

SUITE("flush", setup, teardown, TEST(with_nobody_dirty_meta_says_here),
      TEST(the_oldest_dirty_user_bounds_the_redo),
      TEST(generations_are_not_closed_at_every_commit),
      TEST(a_bound_nobody_needs_keeps_up),
      TEST(users_are_due_after_the_interval),
      TEST(who_is_written_and_changes_again_goes_last),
      TEST(bounds_never_run_out),
      TEST(restored_users_keep_the_old_bound_and_are_due),
      TEST(an_old_meta_record_is_written_again))
