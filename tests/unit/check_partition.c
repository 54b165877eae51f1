/* check_partition.c: merging, the clock and its proof, the life of a partition.
 */
#include "daemon/partition/partition.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/fail_alloc.h"
#include "tests/support/sim_feed.h"
#include "tests/support/sim_world.h"
#include "tests/support/solo.h"
#include "tests/support/suite.h"

static struct solo solo;

static void setup(void)
{
    solo_init(&solo, 2);
}

static void teardown(void)
{
    solo_done(&solo);
}

/* A running partition; with WALL the clock is that of the wall. */
static void run(int wall)
{
    solo.ledger.clock_records = !wall;
    solo_start(&solo);
    solo_settle(&solo);
    ck_assert_msg(partition_state(solo.partition) == PARTITION_RUNNING, "%s",
                  partition_reason(solo.partition));
}

static int64_t clock_ms(void)
{
    return seg_engine_clock(partition_engine(solo.partition)) - WORLD_START_MS;
}

static int64_t applied(int input)
{
    return solo_ledger(&solo)->inputs[input].position;
}

/* Feed COUNT records of INPUT, then take one turn. */
static void feed(int input, int count)
{
    sim_feed(&solo.sim, solo.partition, input, count, &solo.handles);
    partition_turn(solo.partition, solo_now(&solo));
}

static void tick(int64_t ms)
{
    solo.sim.now_ms += ms;
}

/* ---- merging ------------------------------------------------------------ */

START_TEST(with_clock_records_an_end_told_is_enough)
{
    solo_track(&solo, 0, "u", "A", 1000);
    solo_track(&solo, 0, "u", "A", 3000);
    solo_track(&solo, 1, "u", "A", 2000);
    solo_start(&solo);
    while (!solo_ledger(&solo)->committed.txn) {
        if (commit_turn(solo.commit, solo_now(&solo)) != COMMIT_IDLE)
            continue;
        partition_turn(solo.partition, solo_now(&solo));
        commit_start(solo.commit, solo_now(&solo));
    }
    while (commit_turn(solo.commit, solo_now(&solo)) != COMMIT_IDLE)
        ;
    feed(0, 2);
    ck_assert_int_eq(applied(0), 0); /* Nothing was heard of b. */
    feed(1, 1);                      /* Its record, then its end. */
    ck_assert_int_eq(applied(0), 2);
    ck_assert_int_eq(applied(1), 1);
    ck_assert_int_eq(clock_ms(), 3000);
}
END_TEST

START_TEST(with_clock_wall_an_end_is_proven_after_the_record_came)
{
    struct partition_stats stats;

    run(1);
    tick(5000);
    solo_track(&solo, 0, "u", "A", 4000);
    solo_track(&solo, 1, "v", "A", 3500);
    /* What is read of b is its old end; its watermark says that more came. */
    sim_feed(&solo.sim, solo.partition, 0, 1, &solo.handles);
    partition_turn(solo.partition, solo_now(&solo));
    ck_assert_int_eq(applied(0), 0);
    partition_stats(solo.partition, &stats);
    ck_assert_int_eq(stats.waits_for, 1);
    ck_assert_int_eq(stats.waits_since_ms, solo_now(&solo));
    feed(1, 1);
    ck_assert_int_eq(applied(0), 1);
    ck_assert_int_eq(applied(1), 1);
    partition_stats(solo.partition, &stats);
    ck_assert_int_eq(stats.waits_for, -1);
}
END_TEST

START_TEST(an_open_transaction_in_one_input_holds_up_the_other)
{
    run(1);
    tick(5000);
    sim_append(&solo.sim, 1, 0, WORLD_START_MS + 1000, "v", "{}", 2, 1);
    solo_track(&solo, 0, "u", "A", 4000);
    solo_settle(&solo);
    ck_assert_int_eq(applied(0), 0);
    sim_foreign_end(&solo.sim, 1, 0, 0); /* Aborted. */
    solo_settle(&solo);
    ck_assert_int_eq(applied(0), 1);
    ck_assert_int_eq(applied(1), 2); /* Over the record and the marker. */
}
END_TEST

START_TEST(a_record_from_the_future_does_not_wait_for_its_date)
{
    run(1);
    tick(5000);
    solo_track(&solo, 0, "u", "A", 3600000);
    solo_settle(&solo);
    ck_assert_int_eq(applied(0), 1);
    ck_assert_int_le(clock_ms(), 5000);
}
END_TEST

/* ---- the clock ---------------------------------------------------------- */

START_TEST(a_record_moves_the_clock_at_most_to_the_wall)
{
    run(1);
    tick(2000);
    solo_track(&solo, 0, "u", "A", 1500);
    solo_settle(&solo);
    ck_assert_int_eq(clock_ms(), 1500);
    solo_track(&solo, 0, "u", "A", 9000);
    solo_settle(&solo);
    ck_assert_int_eq(clock_ms(), 2000);
}
END_TEST

START_TEST(the_wall_fires_timers_when_nothing_is_unread)
{
    int changes;

    run(1);
    tick(1000);
    solo_track(&solo, 0, "u", "A", 1000);
    solo_settle(&solo);
    changes = solo_count(&solo, BROKER_CHANGES);
    tick(3999);
    solo_settle(&solo);
    ck_assert_int_eq(solo_count(&solo, BROKER_CHANGES), changes);
    tick(1);
    solo_settle(&solo);
    tick(50); /* Watermarks are not asked for more often. */
    solo_settle(&solo);
    ck_assert_int_eq(solo_count(&solo, BROKER_CHANGES), changes + 1);
    ck_assert_int_ge(clock_ms(), 5000);
}
END_TEST

/* Eight seconds pass unseen; meanwhile the event came that keeps him in. */
START_TEST(the_wall_does_not_run_past_what_is_unread)
{
    int changes;

    run(1);
    tick(1000);
    solo_track(&solo, 0, "u", "A", 1000);
    solo_settle(&solo);
    changes = solo_count(&solo, BROKER_CHANGES);
    tick(3000);
    solo_track(&solo, 0, "u", "A", 4000);
    tick(3000);
    for (int i = 0; i < 10; i++, tick(60))
        partition_turn(solo.partition, solo_now(&solo));
    ck_assert_uint_eq(solo_ledger(&solo)->outbox.count, 0);
    solo_settle(&solo);
    /* Twice by now; and nobody left at 5000. */
    ck_assert_int_eq(solo_count(&solo, BROKER_CHANGES), changes + 1 + 1);
}
END_TEST

START_TEST(watermarks_are_not_asked_for_all_the_time)
{
    struct broker *broker = &solo.client.broker;
    uint64_t before;

    run(1);
    tick(1000);
    solo_track(&solo, 0, "u", "A", 1000);
    solo_settle(&solo);
    sim_append(&solo.sim, 1, 0, WORLD_START_MS + 1000, "v", "{}", 2, 1);
    tick(10000); /* A timer is due, and cannot be proven. */
    before = broker->questions;
    for (int i = 0; i < 1000; i++, tick(1))
        partition_turn(solo.partition, solo_now(&solo));
    ck_assert_uint_gt(broker->questions, before);
    ck_assert_uint_le(broker->questions, before + 2 * (1000 / 50 + 1));
}
END_TEST

/* Its answer rings a bell: who waits for it need not look all the time. */
START_TEST(a_proof_that_is_missing_is_looked_for_at_leisure)
{
    int turns = 0;

    run(1);
    tick(1000);
    solo_track(&solo, 0, "u", "A", 1000);
    solo_settle(&solo);
    sim_append(&solo.sim, 1, 0, WORLD_START_MS + 1000, "v", "{}", 2, 1);
    tick(10000); /* A timer is due, and cannot be proven. */
    for (int64_t end_ms = solo_now(&solo) + 1000; solo_now(&solo) < end_ms;) {
        partition_turn(solo.partition, solo_now(&solo));
        tick(partition_wake_ms(solo.partition) - solo_now(&solo));
        turns++;
    }
    ck_assert_int_le(turns, 1000 / 50 + 1);
    ck_assert_int_ge(turns, 1000 / 50);
}
END_TEST

START_TEST(a_turn_fires_a_bounded_number_of_timers)
{
    char user[16];

    solo.options.timers_per_turn = 2;
    run(0);
    for (int i = 0; i < 9; i++) {
        snprintf(user, sizeof(user), "u%d", i);
        solo_track(&solo, 0, user, "A", 1000);
    }
    solo_settle(&solo);
    solo_track(&solo, 0, "last", "A", 90000);
    sim_feed(&solo.sim, solo.partition, 0, 1, &solo.handles);
    int turns = 0;
    while (partition_turn(solo.partition, solo_now(&solo)) == PARTITION_MORE) {
        ck_assert_int_eq(applied(0), 9);
        ck_assert_int_lt(clock_ms(), 90000);
        turns++;
    }
    ck_assert_int_eq(applied(0), 10);
    ck_assert_int_ge(turns, 5);
    ck_assert_int_eq(clock_ms(), 90000);
}
END_TEST

START_TEST(a_stored_clock_ahead_of_the_wall_waits)
{
    run(1);
    tick(400000);
    solo_track(&solo, 0, "u", "A", 400000);
    solo_settle(&solo);
    solo_kill(&solo);
    tick(-400000 + 90000); /* The new owner's wall is behind. */
    solo_start(&solo);
    solo_settle(&solo);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_WAITING);
    ck_assert_ptr_nonnull(strstr(partition_reason(solo.partition), "ahead"));
    tick(10000 - 1);
    solo_settle(&solo);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_WAITING);
    ck_assert_int_eq(partition_wake_ms(solo.partition), solo_now(&solo) + 1);
    tick(1);
    solo_settle(&solo);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_RUNNING);
}
END_TEST

/* ---- records in --------------------------------------------------------- */

START_TEST(there_is_room_for_so_many_records)
{
    solo.options.records_max = 3;
    run(1);
    ck_assert_uint_eq(partition_room(solo.partition, 0), 3);
    for (int i = 0; i < 5; i++)
        solo_track(&solo, 0, "u", "A", 1000);
    sim_append(&solo.sim, 1, 0, WORLD_START_MS, "v", "{}", 2, 1);
    tick(1000);
    feed(0, 2);
    ck_assert_uint_eq(partition_room(solo.partition, 0), 1);
    feed(0, 2);
    ck_assert_uint_eq(partition_room(solo.partition, 0), 0);
}
END_TEST

START_TEST(records_pushed_twice_are_applied_once)
{
    struct input_record record = {.offset = 0, .timestamp_ms = WORLD_START_MS};

    run(0);
    solo_track(&solo, 0, "u", "A", 1000);
    solo_settle(&solo);
    ck_assert_int_eq(applied(0), 1);
    record.handle = &record;
    solo.handles++;
    ck_assert_int_eq(partition_push(solo.partition, 0, &record, 1), 0);
    ck_assert_int_eq(solo.handles, 0); /* Released at once. */
}
END_TEST

/* A turn without memory. Returns how many allocations failed. */
static long turn_without_memory(void)
{
    fail_alloc_begin(1, FAIL_ALLOC_FROM);
    partition_turn(solo.partition, solo_now(&solo));
    return fail_alloc_end();
}

/* There is none from turn _i of a restore on, for three seconds. */
START_TEST(a_restore_without_memory_pauses_before_the_next)
{
    solo_start(&solo);
    for (int i = 0; i < _i; i++)
        partition_turn(solo.partition, solo_now(&solo));
    for (int times = 0; times < 3; times++) {
        int turns = 0;
        while (!turn_without_memory())
            ck_assert_int_lt(turns++, 100);
        ck_assert(partition_stands(solo.partition));
        ck_assert_ptr_nonnull(
            strstr(partition_reason(solo.partition), "no memory"));
        ck_assert_int_eq(partition_wake_ms(solo.partition),
                         solo_now(&solo) + 1000);
        tick(999);
        ck_assert_int_eq(turn_without_memory(), 0); /* Not tried. */
        ck_assert(partition_stands(solo.partition));
        tick(1);
    }
    solo_settle(&solo);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_RUNNING);
    ck_assert(!partition_stands(solo.partition));
    ck_assert_str_eq(partition_reason(solo.partition), "");
}
END_TEST

START_TEST(a_restore_says_how_far_it_is)
{
    const char *last = "";
    int told = 0;

    solo_start(&solo);
    while (partition_state(solo.partition) == PARTITION_RESTORING) {
        const char *reason = partition_reason(solo.partition);
        ck_assert_ptr_nonnull(strstr(reason, "restored"));
        told += reason != last;
        last = reason;
        partition_turn(solo.partition, solo_now(&solo));
    }
    ck_assert_int_ge(told, 4);
    ck_assert_str_eq(partition_reason(solo.partition), "");
}
END_TEST

/* Turns at the present instant, until it can get no further. */
static void turns(void)
{
    for (int i = 0; i < 50; i++)
        partition_turn(solo.partition, solo_now(&solo));
}

START_TEST(a_restore_that_waits_tells_for_what)
{
    struct restore_waits waits;
    const char *reason;

    run(0);
    solo_kill(&solo);
    solo.sim.tx[3].offsets_set[0] = 1; /* Somebody's, and pending. */
    solo_start(&solo);
    strcpy(solo.client.reason, "It is pending.");
    turns();
    ck_assert(!strstr(partition_reason(solo.partition), "waited"));
    tick(9999);
    turns();
    ck_assert(!partition_waits(solo.partition, &waits));
    tick(1001);
    turns();
    ck_assert(partition_waits(solo.partition, &waits));
    ck_assert_int_eq(waits.step, 1);
    ck_assert_str_eq(waits.asked, "committed offsets");
    ck_assert_str_eq(waits.topic, "a, b");
    ck_assert_str_eq(waits.answer, "again");
    ck_assert_str_eq(waits.why, "It is pending.");
    ck_assert_int_eq(waits.since_ms, solo_now(&solo) - 11000);
    reason = partition_reason(solo.partition);
    ck_assert_msg(strstr(reason,
                         "For 11 s it has waited for: committed offsets, "
                         "topic a, b; last answer: again. It is pending."),
                  "%s", reason);
    solo.sim.tx[3].offsets_set[0] = 0;
    solo_settle(&solo);
    ck_assert(!partition_waits(solo.partition, &waits));
    ck_assert_str_eq(partition_reason(solo.partition), "");
}
END_TEST

/* What was said of one question is not told of the next, and each step has its
 * own ten seconds. */
START_TEST(a_restore_that_goes_on_waits_anew)
{
    struct restore_waits waits;
    struct sim_log *state = &solo.sim.logs[BROKER_STATE][0];

    run(0);
    solo_kill(&solo);
    solo.sim.tx[3].offsets_set[0] = 1;
    solo_start(&solo);
    strcpy(solo.client.reason, "It is pending.");
    turns();
    tick(11000);
    turns();
    state->entries[0].status = SIM_OPEN;
    solo.sim.tx[3].offsets_set[0] = 0;
    solo.client.reason[0] = '\0';
    turns();
    ck_assert(!partition_waits(solo.partition, &waits));
    tick(10000);
    turns();
    ck_assert(partition_waits(solo.partition, &waits));
    ck_assert_int_eq(waits.step, 2);
    ck_assert_str_eq(waits.asked, "records");
    ck_assert_ptr_nonnull(strstr(waits.topic, ".state"));
    ck_assert_int_eq(waits.from, 0);
    ck_assert_int_eq(waits.until, sim_end(state));
    ck_assert_str_eq(waits.why, "");
    ck_assert_ptr_nonnull(
        strstr(partition_reason(solo.partition), "records from 0 to "));
    state->entries[0].status = SIM_COMMITTED;
    solo_settle(&solo);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_RUNNING);
}
END_TEST

/* Of the lag, which must not freeze or vanish when a partition stands still. */
START_TEST(what_is_applied_is_known_in_every_state)
{
    struct partition_applied applied;

    run(0);
    solo_track(&solo, 0, "u", "A", 1000);
    solo_track(&solo, 0, "u", "A", 2000);
    solo_settle(&solo);
    applied = partition_applied(solo.partition, 0);
    ck_assert_int_eq(applied.position, 2);
    ck_assert_int_ge(applied.timestamp_ms, WORLD_START_MS + 1000);
    solo_kill(&solo);
    solo_start(&solo);
    ck_assert_int_eq(partition_applied(solo.partition, 0).position, -1);
    solo.sim.logs[BROKER_STATE][0].entries[0].status = SIM_OPEN;
    turns(); /* It has read what is committed, and waits in step (2). */
    applied = partition_applied(solo.partition, 0);
    ck_assert_int_eq(applied.position, 2);
    ck_assert_int_eq(applied.timestamp_ms, WORLD_START_MS + 2000);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_RESTORING);
    solo.sim.logs[BROKER_STATE][0].entries[0].status = SIM_COMMITTED;
    sim_cut(&solo.sim, BROKER_INPUT(0), 0, 0); /* Made again: refused. */
    solo_settle(&solo);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_REFUSED);
    ck_assert_int_eq(partition_applied(solo.partition, 0).position, 2);
}
END_TEST

START_TEST(nothing_is_taken_before_it_runs)
{
    struct input_record record = {.offset = 0};

    solo_start(&solo);
    record.handle = &record;
    solo.handles++;
    ck_assert_uint_eq(partition_room(solo.partition, 0), 0);
    partition_push(solo.partition, 0, &record, 1);
    partition_eof(solo.partition, 0, 100);
    ck_assert_int_eq(solo.handles, 0);
    solo_settle(&solo);
    ck_assert_int_eq(partition_position(solo.partition, 0), 0);
}
END_TEST

START_TEST(what_waits_is_released_at_the_end)
{
    run(1);
    for (int i = 0; i < 5; i++)
        solo_track(&solo, 0, "u", "A", 1000);
    sim_append(&solo.sim, 1, 0, WORLD_START_MS, "v", "{}", 2, 1);
    tick(1000);
    feed(0, 5);
    ck_assert_int_eq(solo.handles, 5);
    solo_kill(&solo);
    ck_assert_int_eq(solo.handles, 0);
}
END_TEST

/* ---- bad input ---------------------------------------------------------- */

static void append_bad(int count)
{
    for (int i = 0; i < count; i++)
        sim_append(&solo.sim, 0, 0, WORLD_START_MS + 1000, "k", "?", 1, 0);
}

START_TEST(an_input_that_is_mostly_bad_pauses)
{
    run(0);
    append_bad(600);
    solo_settle(&solo);
    ck_assert_int_eq(applied(0), BAD_WINDOW / 2 + 1);
    ck_assert(partition_alarm(solo.partition, 0));
    ck_assert(!partition_alarm(solo.partition, 1));
    ck_assert_uint_eq(partition_room(solo.partition, 0), 0);
    ck_assert_int_eq(solo_count(&solo, BROKER_DEAD_LETTERS),
                     BAD_WINDOW / 2 + 1);
    ck_assert_ptr_nonnull(strstr(partition_reason(solo.partition), "bad"));
}
END_TEST

START_TEST(the_alarm_survives_a_restart)
{
    run(0);
    append_bad(600);
    solo_settle(&solo);
    if (_i) { /* After a flush the window stands in the meta record. */
        tick(60000);
        partition_forgive(solo.partition, 1);
        solo_settle(&solo);
    }
    solo_kill(&solo);
    solo_start(&solo);
    solo_settle(&solo);
    ck_assert(partition_alarm(solo.partition, 0));
    ck_assert_int_eq(applied(0), BAD_WINDOW / 2 + 1);
    partition_forgive(solo.partition, 0);
    solo_settle(&solo);
    ck_assert_int_eq(applied(0), 600);
    solo_kill(&solo);
    solo_start(&solo);
    solo_settle(&solo);
    ck_assert(!partition_alarm(solo.partition, 0));
}
END_TEST

START_TEST(too_many_users_stop_it_without_loss)
{
    solo.ledger.engine.users_max = 2;
    run(0);
    solo_track(&solo, 0, "u", "A", 1000);
    solo_track(&solo, 0, "v", "A", 1000);
    solo_track(&solo, 0, "w", "A", 1000);
    solo_track(&solo, 0, "u", "A", 2000);
    solo_settle(&solo);
    ck_assert_int_eq(applied(0), 2);
    ck_assert_ptr_nonnull(strstr(partition_reason(solo.partition), "users"));
    ck_assert_int_eq(solo_count(&solo, BROKER_DEAD_LETTERS), 0);
}
END_TEST

START_TEST(without_memory_for_users_it_takes_no_records_until_there_is_some)
{
    solo.options.full = "Full.";
    solo_start(&solo);
    for (int i = 0; i < 20; i++)
        partition_turn(solo.partition, solo_now(&solo));
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_RESTORING);
    ck_assert_str_eq(partition_reason(solo.partition), "Full.");
    solo.options.full = NULL;
    solo_settle(&solo);
    solo_track(&solo, 0, "u", "A", 1000);
    solo_track(&solo, 0, "v", "A", 2000);
    feed(0, 1);
    ck_assert_int_eq(applied(0), 1);
    size_t bytes = partition_bytes(solo.partition);
    ck_assert_uint_gt(bytes, 0);
    sim_feed(&solo.sim, solo.partition, 0, 1, &solo.handles); /* It waits. */
    solo.options.full = "Full.";
    solo_settle(&solo);
    ck_assert_int_eq(applied(0), 1);
    ck_assert_uint_eq(partition_bytes(solo.partition), bytes);
    ck_assert_uint_eq(partition_room(solo.partition, 0), 0);
    ck_assert_str_eq(partition_reason(solo.partition), "Full.");
    ck_assert(!partition_stands(solo.partition)); /* Told for all at once. */
    solo.options.full = NULL;
    solo_settle(&solo);
    ck_assert_int_eq(applied(0), 2);
    ck_assert_str_eq(partition_reason(solo.partition), "");
}
END_TEST

START_TEST(on_bad_input_stop_stops_at_the_first)
{
    solo.ledger.stop_on_bad = 1;
    run(0);
    solo_track(&solo, 0, "u", "A", 500);
    append_bad(1);
    solo_track(&solo, 0, "u", "A", 2000);
    solo_settle(&solo);
    ck_assert_int_eq(applied(0), 1);
    ck_assert_int_eq(solo.sim.committed[0][0].offset, 1);
    ck_assert_int_eq(solo_count(&solo, BROKER_DEAD_LETTERS), 0);
    ck_assert_ptr_nonnull(strstr(partition_reason(solo.partition), "stop"));
}
END_TEST

START_TEST(an_output_too_large_refuses_the_partition_only)
{
    solo.ledger.record_bytes_max = 700;
    run(0);
    solo_track(&solo, 0, "u", "A", 1000);
    solo_settle(&solo);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_REFUSED);
    ck_assert_ptr_nonnull(strstr(partition_reason(solo.partition), "700"));
    ck_assert_int_eq(solo_count(&solo, BROKER_CHANGES), 0);
    ck_assert_int_eq(solo.sim.committed[0][0].offset, 0);
    ck_assert_int_eq(commit_state(solo.commit), COMMIT_IDLE);
}
END_TEST

/* ---- owners
 * -----------------------------------------------------------------------------
 */

START_TEST(what_is_lost_is_restored_from_kafka)
{
    struct partition_stats stats;
    uint64_t incarnation;
    int changes;

    run(0);
    solo_track(&solo, 0, "u", "A", 1000);
    solo_settle(&solo);
    incarnation = partition_incarnation(solo.partition);
    changes = solo_count(&solo, BROKER_CHANGES);
    solo_track(&solo, 0, "u", "A", 2000);
    feed(0, 1);
    solo.sim.member[0] = 0; /* Thrown out of the group. */
    commit_start(solo.commit, solo_now(&solo));
    while (commit_turn(solo.commit, solo_now(&solo)) == COMMIT_BUSY)
        sim_step_marker(&solo.sim);
    ck_assert_int_eq(partition_turn(solo.partition, solo_now(&solo)),
                     PARTITION_IDLE);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_RESTORING);
    ck_assert_int_eq(partition_wake_ms(solo.partition), solo_now(&solo) + 1000);
    tick(1000);
    solo.sim.member[0] = 1;
    solo_settle(&solo);
    partition_stats(solo.partition, &stats);
    ck_assert_uint_eq(stats.restores, 2);
    ck_assert_uint_eq(stats.warm, 0);
    ck_assert_int_eq(solo_count(&solo, BROKER_CHANGES), changes + 1);
    /* Its users may have other indexes now. */
    ck_assert_uint_ne(partition_incarnation(solo.partition), incarnation);
}
END_TEST

START_TEST(a_quiet_partition_keeps_its_meta_record_young)
{
    int64_t end;

    solo.ledger.refresh_ms = 60000;
    run(1);
    tick(1000);
    solo_track(&solo, 0, "u", "A", 1000);
    solo_settle(&solo);
    tick(50000);
    solo_settle(&solo); /* He has left everything, and is written. */
    end = sim_end(&solo.sim.logs[BROKER_STATE][0]);
    tick(59999);
    solo_settle(&solo);
    ck_assert_int_eq(sim_end(&solo.sim.logs[BROKER_STATE][0]), end);
    tick(1);
    solo_settle(&solo);
    ck_assert_int_gt(sim_end(&solo.sim.logs[BROKER_STATE][0]), end);
    ck_assert_int_eq(partition_changes_position(solo.partition),
                     sim_end(&solo.sim.logs[BROKER_CHANGES][0]));
}
END_TEST

SUITE("partition", setup, teardown,
      TEST(with_clock_records_an_end_told_is_enough),
      TEST(with_clock_wall_an_end_is_proven_after_the_record_came),
      TEST(an_open_transaction_in_one_input_holds_up_the_other),
      TEST(a_record_from_the_future_does_not_wait_for_its_date),
      TEST(a_record_moves_the_clock_at_most_to_the_wall),
      TEST(the_wall_fires_timers_when_nothing_is_unread),
      TEST(the_wall_does_not_run_past_what_is_unread),
      TEST(watermarks_are_not_asked_for_all_the_time),
      TEST(a_proof_that_is_missing_is_looked_for_at_leisure),
      TEST(a_turn_fires_a_bounded_number_of_timers),
      TEST(a_stored_clock_ahead_of_the_wall_waits),
      TEST(there_is_room_for_so_many_records),
      TEST(records_pushed_twice_are_applied_once),
      TIMES(a_restore_without_memory_pauses_before_the_next, 2),
      TEST(a_restore_says_how_far_it_is),
      TEST(a_restore_that_waits_tells_for_what),
      TEST(a_restore_that_goes_on_waits_anew),
      TEST(what_is_applied_is_known_in_every_state),
      TEST(nothing_is_taken_before_it_runs),
      TEST(what_waits_is_released_at_the_end),
      TEST(an_input_that_is_mostly_bad_pauses),
      {&the_alarm_survives_a_restart, 2, 0},
      TEST(too_many_users_stop_it_without_loss),
      TEST(without_memory_for_users_it_takes_no_records_until_there_is_some),
      TEST(on_bad_input_stop_stops_at_the_first),
      TEST(an_output_too_large_refuses_the_partition_only),
      TEST(what_is_lost_is_restored_from_kafka),
      TEST(a_quiet_partition_keeps_its_meta_record_young))
