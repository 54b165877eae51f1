/* check_partition_backfill.c: a partition reads its history again: at which
 * pace, when it stands still, what makes it give up. Crashes and lost answers
 * are check_protocol.c's affair. */
#include <stdio.h>
#include <string.h>

#include "daemon/partition/partition_inside.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/sim_catalogue.h"
#include "tests/support/sim_feed.h"
#include "tests/support/sim_world.h"
#include "tests/support/solo.h"
#include "tests/support/suite.h"

enum { MANY = 6000, PASSED_MS = 31000 };

static struct solo solo;
static struct backfill_pace pace;

static void setup(void)
{
    solo_init(&solo, 1);
    pace = (struct backfill_pace){.rate = 1000};
    solo.options.pace = &pace;
}

static void teardown(void)
{
    solo_done(&solo);
}

static struct backfill_status status(void)
{
    struct backfill_status found = {.step = BACKFILL_LOOKS};
    partition_backfill(solo.partition, &found);
    return found;
}

/* COUNT times A of u, once B of v; then the catalogue that asks for all that
 * ever was. */
static void live(int count)
{
    solo_start(&solo);
    solo_settle(&solo);
    solo_track(&solo, 0, "v", "B", 0);
    for (int i = 0; i < count; i++)
        solo_track(&solo, 0, "u", "A", i);
    solo_settle(&solo);
    solo.ledger.catalogue = sim_catalogue(4);
    while (ledger_is_outdated(solo_ledger(&solo)) ||
           !seg_engine_swept(solo_ledger(&solo)->engine))
        solo_turn(&solo);
}

static int go_to(enum backfill_step step)
{
    for (int i = 0; i < 2 * PASSED_MS && status().step != step; i++) {
        solo.sim.now_ms++;
        solo_turn(&solo);
    }
    return status().step == step;
}

/* How often SIGN and KEY were said of `never` or `ever` with cause backfill. */
static int said(const char *user, const char *segment)
{
    const struct sim_log *log = &solo.sim.logs[BROKER_CHANGES][0];
    char mark[64];
    int count = 0;

    snprintf(mark, sizeof(mark), "\"segment\":\"%s\"", segment);
    for (int64_t i = 0; i < sim_end(log); i++)
        count += !log->entries[i].is_marker &&
                 log->entries[i].status == SIM_COMMITTED &&
                 !strncmp(log->entries[i].key, user, 1) &&
                 strstr(log->entries[i].value, mark) &&
                 strstr(log->entries[i].value, "\"cause\":\"backfill\"");
    return count;
}

static void settle_all(void)
{
    solo_settle(&solo);
    solo.sim.now_ms += PASSED_MS; /* Everybody is written. */
    solo_settle(&solo);
}

START_TEST(when_all_is_written_it_is_published)
{
    live(3);
    solo_settle(&solo);
    ck_assert_int_eq(status().step, BACKFILL_WRITES);
    ck_assert_int_eq(said("u", "ever"), 0);
    solo.sim.now_ms += PASSED_MS;
    solo_settle(&solo);
    ck_assert_int_eq(status().step, BACKFILL_RESTS);
    ck_assert_ptr_null(status().why);
    ck_assert_int_eq(said("u", "ever"), 1);
    ck_assert_int_eq(said("u", "never"), 1);
    ck_assert_int_eq(said("v", "never"), 0);
    ck_assert_uint_eq(pace.records, 4);
    ck_assert_uint_eq(pace.published, 1);
    ck_assert_uint_eq(pace.dropped, 0);
    ck_assert_ptr_null(pace.reader);
}
END_TEST

/* After it has caught up to the last thousands the pace is nobody's concern. */
START_TEST(no_more_is_read_than_the_pace_lets)
{
    int64_t began;
    uint64_t before;

    live(MANY);
    ck_assert(go_to(BACKFILL_READS));
    began = solo.sim.now_ms;
    before = pace.records;
    while (pace.records < 1500) {
        int64_t ms = solo.sim.now_ms - began;
        ck_assert_int_le((int64_t)(pace.records - before),
                         ms * pace.rate / 1000 + pace.rate / 5 + 1);
        ck_assert_int_eq(status().remaining, MANY + 1 - (int64_t)pace.records);
        solo.sim.now_ms += 7;
        solo_turn(&solo);
    }
    /* Nothing is made up for. */
    before = pace.records;
    solo.sim.now_ms += 100000;
    solo_turn(&solo);
    ck_assert_uint_le(pace.records - before, 201);
    ck_assert(go_to(BACKFILL_WRITES));
    settle_all();
    ck_assert_int_eq(said("u", "ever"), 1);
}
END_TEST

static int64_t applied(void)
{
    return solo_ledger(&solo)->inputs[0].position;
}

static void feed_and_turn(void)
{
    sim_feed(&solo.sim, solo.partition, 0, 1000, &solo.handles);
    partition_turn(solo.partition, solo_now(&solo));
}

/* The brokers say nothing when the last records are wanted. */
START_TEST(it_holds_up_the_partition_for_half_a_second_at_most)
{
    int64_t position, held = 0;

    live(10);
    ck_assert(go_to(BACKFILL_DATES));
    solo.sim.faults.again = 100;
    feed_and_turn();
    ck_assert_int_eq(status().step, BACKFILL_READS);
    position = applied();
    solo_track(&solo, 0, "u", "A", 100);
    for (; applied() == position && held < 2000; held++) {
        feed_and_turn();
        solo.sim.now_ms++;
    }
    ck_assert_int_ge(held, 500);
    ck_assert_int_le(held, 510);
    /* And goes on for a while. */
    for (int i = 0; i < 5000; i += 100) {
        position = applied();
        solo_track(&solo, 0, "u", "A", 200 + i);
        feed_and_turn();
        ck_assert_int_gt(applied(), position);
        solo.sim.now_ms += 100;
    }
    solo.sim.faults.again = 0;
    ck_assert(go_to(BACKFILL_WRITES));
    settle_all();
    ck_assert_int_eq(status().step, BACKFILL_RESTS);
    ck_assert_int_eq(said("u", "never"), 1);
}
END_TEST

START_TEST(what_retention_takes_meanwhile_is_not_read)
{
    live(MANY);
    ck_assert(go_to(BACKFILL_READS));
    solo.sim.logs[BROKER_INPUT(0)][0].low = 3000;
    for (int i = 0; i < 1000 && !pace.dropped; i++) {
        solo.sim.now_ms += 7;
        solo_turn(&solo);
    }
    ck_assert_uint_eq(pace.dropped, 1);
    ck_assert_str_eq(status().why, "retention deleted what was to be read");
    solo.sim.now_ms += 60001;
    ck_assert(go_to(BACKFILL_READS));
    ck_assert(!status().complete);
    ck_assert_int_eq(status().since_ms, WORLD_START_MS + 2999);
    settle_all();
    settle_all();
    ck_assert_int_eq(status().step, BACKFILL_RESTS);
    ck_assert_int_eq(said("u", "ever"), 1);
    ck_assert_int_eq(said("u", "never"), 0); /* Something is missing. */
}
END_TEST

START_TEST(without_memory_it_waits)
{
    live(MANY);
    ck_assert(go_to(BACKFILL_READS));
    solo.options.full = "There is no memory.";
    solo_turn(&solo);
    ck_assert_int_eq(status().step, BACKFILL_LOOKS);
    ck_assert_str_eq(status().why, "there is no memory for it");
    ck_assert_uint_eq(pace.dropped, 1);
    ck_assert_ptr_null(pace.reader);
    solo.sim.now_ms += 60001;
    solo_settle(&solo);
    ck_assert_int_eq(status().step, BACKFILL_LOOKS);
    solo.options.full = NULL;
    ck_assert(go_to(BACKFILL_WRITES));
    settle_all();
    ck_assert_int_eq(said("u", "ever"), 1);
}
END_TEST

static void commit_all(void)
{
    do
        sim_step_marker(&solo.sim);
    while (commit_turn(solo.commit, solo_now(&solo)) != COMMIT_IDLE);
}

/* The n-th allocation of a turn fails, and later ones of the turns after it. */
START_TEST(an_allocation_that_fails_costs_no_more_than_a_minute)
{
    long failed = 0;

    live(3);
    for (long n = 0; n < 4000 && !pace.published; n++) {
        uint64_t dropped = pace.dropped;
        commit_all();
        fail_alloc_begin(1 + n / 3 % 40, FAIL_ALLOC_ONE);
        partition_turn(solo.partition, solo_now(&solo));
        failed += fail_alloc_end();
        solo.sim.now_ms += pace.dropped > dropped ? 60001 : 1001;
        solo_turn(&solo);
    }
    ck_assert_int_gt(failed, 5);
    ck_assert_uint_gt(pace.dropped, 2);
    settle_all();
    ck_assert_int_ne(partition_state(solo.partition), PARTITION_REFUSED);
    ck_assert_int_eq(said("u", "ever"), 1);
    ck_assert_int_eq(said("u", "never"), 1);
}
END_TEST

START_TEST(one_of_a_worker_reads_at_a_time)
{
    struct backfill *other;

    live(3);
    ck_assert_int_eq(backfill_new(&other, solo.options.broker,
                                  (struct ledger *)solo_ledger(&solo), &pace),
                     0);
    backfill_free(solo.partition->backfill);
    solo.partition->backfill = NULL;
    pace.reader = other;
    settle_all();
    ck_assert_int_eq(status().step, BACKFILL_LOOKS);
    backfill_free(other);
    ck_assert_ptr_null(pace.reader);
    settle_all();
    ck_assert_int_eq(said("u", "ever"), 1);
}
END_TEST

START_TEST(another_catalogue_ends_it_at_any_step)
{
    live(3);
    ck_assert(go_to((enum backfill_step)_i));
    solo.ledger.catalogue = sim_catalogue(0);
    settle_all();
    solo.ledger.catalogue = sim_catalogue(4);
    settle_all();
    settle_all();
    ck_assert_int_eq(status().step, BACKFILL_RESTS);
    /* Once published it was said, and again when it was asked again. */
    ck_assert_int_ge(said("u", "ever"), 1);
    ck_assert_int_le(said("u", "ever"), 1 + (_i == BACKFILL_SWEEPS));
    ck_assert_int_ne(partition_state(solo.partition), PARTITION_REFUSED);
}
END_TEST

START_TEST(nothing_is_read_that_is_not_wanted)
{
    if (_i == 0)
        pace.rate = 0;
    else if (_i == 1)
        pace.off = "an input is compacted";
    else
        solo.options.pace = NULL;
    live(3);
    settle_all();
    ck_assert_uint_eq(pace.records, 0);
    ck_assert_int_eq(said("u", "ever"), 0);
    if (_i < 2) {
        ck_assert_int_eq(status().step, BACKFILL_RESTS);
        ck_assert_ptr_eq(status().why, pace.off);
    }
}
END_TEST

SUITE("partition_backfill", setup, teardown,
      TEST(when_all_is_written_it_is_published),
      TEST(no_more_is_read_than_the_pace_lets),
      TEST(it_holds_up_the_partition_for_half_a_second_at_most),
      TEST(what_retention_takes_meanwhile_is_not_read),
      TEST(without_memory_it_waits),
      TEST(an_allocation_that_fails_costs_no_more_than_a_minute),
      TEST(one_of_a_worker_reads_at_a_time),
      TIMES(another_catalogue_ends_it_at_any_step, BACKFILL_SWEEPS + 1),
      TIMES(nothing_is_read_that_is_not_wanted, 3))
