/* check_restore.c: from Kafka back to the state, and when that is refused. What
 * crashes and zombies do to it is in check_protocol.c. */
#include "daemon/protocol/restore.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/sim_catalogue.h"
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

/* Some life: two users, changes, a trigger; everybody is written if FLUSHED. */
static void live(int flushed)
{
    solo_start(&solo);
    solo_settle(&solo);
    for (int i = 0; i < 6; i++)
        solo_track(&solo, i % 2, i < 4 ? "u" : "v", i % 3 ? "A" : "B",
                   1000 * i);
    solo_settle(&solo);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_RUNNING);
    ck_assert_int_gt(solo_count(&solo, BROKER_CHANGES), 3);
    if (flushed) {
        solo.sim.now_ms += 40000;
        solo_settle(&solo);
        ck_assert_uint_eq(seg_engine_dirty_count(solo_ledger(&solo)->engine),
                          0);
    }
}

static void start_again(void)
{
    solo_kill(&solo);
    solo_start(&solo);
    solo_settle(&solo);
}

static void must_refuse(const char *const *words, int count)
{
    const char *reason = partition_reason(solo.partition);

    ck_assert_msg(partition_state(solo.partition) == PARTITION_REFUSED,
                  "state %d: %s", partition_state(solo.partition), reason);
    for (int i = 0; i < count && words[i]; i++)
        ck_assert_msg(strstr(reason, words[i]) != NULL, "\"%s\" is not in: %s",
                      words[i], reason);
    ck_assert_ptr_null(partition_engine(solo.partition));
}

static void must_run(void)
{
    struct partition_stats stats;

    partition_stats(solo.partition, &stats);
    ck_assert_msg(partition_state(solo.partition) == PARTITION_RUNNING,
                  "state %d: %s", partition_state(solo.partition),
                  partition_reason(solo.partition));
    ck_assert_uint_eq(stats.repairs, 0);
}

START_TEST(a_new_partition_commits_where_it_starts)
{
    solo_track(&solo, 0, "u", "A", 0);
    solo_start(&solo);
    for (int i = 0; i < 100 && !solo_ledger(&solo)->committed.txn; i++) {
        ck_assert(partition_state(solo.partition) == PARTITION_RESTORING ||
                  solo_ledger(&solo)->inputs[0].position == 0);
        if (commit_turn(solo.commit, solo_now(&solo)) != COMMIT_IDLE)
            continue;
        partition_turn(solo.partition, solo_now(&solo));
        if (commit_due_ms(solo.commit, COMMIT_LOAD_IDLE) <= solo_now(&solo))
            commit_start(solo.commit, solo_now(&solo));
    }
    /* Nothing was applied; start positions, catalogue and meta record are
     * committed. */
    while (sim_step_marker(&solo.sim))
        ;
    ck_assert_int_eq(solo.sim.committed[0][0].offset, 0);
    ck_assert_int_eq(solo_count(&solo, BROKER_STATE), 2);
    ck_assert_int_eq(solo_count(&solo, BROKER_CHANGES), 0);
}
END_TEST

static const struct {
    int64_t start_ms, want;
} starts[] = {
    {LEDGER_EARLIEST, 0}, {LEDGER_LATEST, 3}, {1704067200000, 0},
    {1704067201500, 2},   {1704067209999, 3},
};

START_TEST(a_new_partition_starts_as_configured)
{
    for (int i = 0; i < 3; i++)
        solo_track(&solo, 0, "u", "A", 1000 * i);
    solo.inputs[0].start_ms = starts[_i].start_ms;
    solo_start(&solo);
    while (partition_state(solo.partition) == PARTITION_RESTORING)
        partition_turn(solo.partition, solo_now(&solo));
    ck_assert_msg(partition_position(solo.partition, 0) == starts[_i].want,
                  "row %d: got %d, want %d", _i,
                  (int)partition_position(solo.partition, 0),
                  (int)starts[_i].want);
}
END_TEST

START_TEST(a_restart_goes_on_where_it_was)
{
    int changes;
    struct partition_stats stats;

    live(_i);
    changes = solo_count(&solo, BROKER_CHANGES);
    start_again();
    must_run();
    ck_assert_int_eq(solo_count(&solo, BROKER_CHANGES), changes);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(partition_position(solo.partition, i), 3);
    /* Whoever was not written is read again, the others are not. */
    partition_stats(solo.partition, &stats);
    ck_assert_uint_eq(stats.redone, _i ? 0 : 6);
    solo_track(&solo, 0, "u", "A", 20000);
    solo_settle(&solo);
    ck_assert_int_gt(solo_count(&solo, BROKER_CHANGES), changes);
}
END_TEST

START_TEST(a_state_that_was_kept_is_used_again)
{
    struct partition_stats stats;

    live(0);
    ck_assert(partition_revoke(solo.partition, solo_now(&solo)));
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_WARM);
    partition_assign(solo.partition);
    solo_settle(&solo);
    must_run();
    partition_stats(solo.partition, &stats);
    ck_assert_uint_eq(stats.warm, 1);
    ck_assert_uint_eq(stats.redone, 0);
}
END_TEST

START_TEST(a_state_that_was_kept_too_long_is_not_used)
{
    struct partition_stats stats;

    live(0);
    ck_assert(partition_revoke(solo.partition, solo_now(&solo)));
    snprintf(solo.sim.committed[0][0].metadata, BROKER_METADATA_BYTES,
             "v1:%d:1704067205000:00000000000000ff",
             (int)solo_ledger(&solo)->committed.txn);
    memcpy(solo.sim.committed[0][1].metadata, solo.sim.committed[0][0].metadata,
           BROKER_METADATA_BYTES);
    partition_assign(solo.partition);
    solo_settle(&solo);
    partition_stats(solo.partition, &stats);
    ck_assert_uint_eq(stats.warm, 0);
}
END_TEST

/* ---- refusals ----------------------------------------------------------- */

static struct sim_log *log_of(int topic)
{
    return &solo.sim.logs[topic][0];
}

static void truncate_changes(void)
{
    log_of(BROKER_CHANGES)->low = sim_end(log_of(BROKER_CHANGES));
}

static void truncate_triggers(void)
{
    log_of(BROKER_TRIGGERS)->low = sim_end(log_of(BROKER_TRIGGERS));
}

static void truncate_input(void)
{
    log_of(BROKER_INPUT(1))->low = 2;
}

static void shorten_changes(void)
{
    sim_cut(&solo.sim, BROKER_CHANGES, 0, 1);
}

static void shorten_input(void)
{
    sim_cut(&solo.sim, BROKER_INPUT(0), 0, 2);
}

static void empty_state(void)
{
    sim_cut(&solo.sim, BROKER_STATE, 0, 0);
}

static void remake_changes(void)
{
    for (int64_t i = 0; i < sim_end(log_of(BROKER_CHANGES)); i++)
        if (!log_of(BROKER_CHANGES)->entries[i].is_marker)
            log_of(BROKER_CHANGES)->entries[i].value[30] ^= 1;
}

static void abort_changes(void)
{
    for (int64_t i = 0; i < sim_end(log_of(BROKER_CHANGES)); i++)
        log_of(BROKER_CHANGES)->entries[i].status = SIM_ABORTED;
}

static void remake_input(void)
{
    for (int64_t i = 0; i < sim_end(log_of(BROKER_INPUT(0))); i++)
        log_of(BROKER_INPUT(0))->entries[i].timestamp_ms++;
}

static void reset_offset(void)
{
    solo.sim.committed[0][1].offset = 1;
    solo.sim.committed[0][1].metadata[0] = 0;
}

static void delete_offset(void)
{
    solo.sim.committed[0][1].offset = -1;
}

static void set_back(int txn, int64_t offset)
{
    for (int i = 0; i < 2; i++) {
        solo.sim.committed[0][i].offset = offset;
        snprintf(solo.sim.committed[0][i].metadata, BROKER_METADATA_BYTES,
                 "v1:%d:1704067205000:00000000000000ff", txn);
    }
}

static void set_back_offsets(void)
{
    set_back((int)solo_ledger(&solo)->committed.txn - 1, 0);
}

static void set_back_position(void)
{
    set_back((int)solo_ledger(&solo)->committed.txn + 1, 0);
}

static void spoil_user(void)
{
    for (int64_t i = 0; i < sim_end(log_of(BROKER_STATE)); i++) {
        struct sim_entry *entry = &log_of(BROKER_STATE)->entries[i];
        if (!entry->is_marker && entry->key[0] == META_KEY_USER)
            entry->value_len /= 2;
    }
}

static void spoil_meta(void)
{
    for (int64_t i = 0; i < sim_end(log_of(BROKER_STATE)); i++) {
        struct sim_entry *entry = &log_of(BROKER_STATE)->entries[i];
        if (!entry->is_marker && entry->key[0] == META_KEY_META)
            entry->value[0] = SEG_STATE_VERSION + 1;
    }
}

static void spoil_catalogue(void)
{
    for (int64_t i = 0; i < sim_end(log_of(BROKER_STATE)); i++) {
        struct sim_entry *entry = &log_of(BROKER_STATE)->entries[i];
        if (!entry->is_marker && entry->key[0] == META_KEY_CATALOGUE)
            entry->value[entry->value_len / 2] ^= 1;
    }
}

static void lose_catalogue(void)
{
    for (int64_t i = 0; i < sim_end(log_of(BROKER_STATE)); i++) {
        struct sim_entry *entry = &log_of(BROKER_STATE)->entries[i];
        if (!entry->is_marker && entry->key[0] == META_KEY_CATALOGUE)
            entry->gone = 1;
    }
}

static void spoil_change(void)
{
    struct sim_entry *entry = &log_of(BROKER_CHANGES)->entries[0];

    entry->value[0] = '[';
}

static void lose_change(void)
{
    log_of(BROKER_CHANGES)->entries[0].status = SIM_ABORTED;
}

static void foreign_key(void)
{
    struct sim_entry *entry = &log_of(BROKER_STATE)->entries[0];

    entry->key[0] = 'x';
}

static void other_input(void)
{
    solo.inputs[1].topic = "c";
}

/* The state topic and the offsets are gone, but there are changes. */
static void lose_all_but_outputs(void)
{
    empty_state();
    for (int i = 0; i < 2; i++)
        solo.sim.committed[0][i].offset = -1;
}

static const struct {
    void (*fault)(void);
    int flushed;
    const char *words[4];
} refusals[] = {
    {truncate_changes, 0, {"sim.changes partition 0", "truncated", "offset 0"}},
    {truncate_triggers, 0, {"sim.triggers partition 0", "truncated"}},
    {truncate_input, 0, {"topic b partition 0", "offset 0", "begins at 2"}},
    {truncate_input, 1, {NULL}}, /* Nothing below it is needed any more. */
    {shorten_changes, 1, {"sim.changes partition 0", "ends at 1"}},
    {shorten_input, 0, {"topic a partition 0", "offset 3", "ends at 2"}},
    {empty_state, 0, {"sim.state partition 0", "no meta record", "offset 3"}},
    {remake_changes, 1, {"sim.changes partition 0", "is not the one it was"}},
    {abort_changes, 1, {"sim.changes partition 0", "is not the one it was"}},
    {remake_input, 1, {"topic a partition 0", "is not the one it was"}},
    {reset_offset, 0, {"topic b partition 0", "offset 1", "reset"}},
    {delete_offset, 0, {"topic b partition 0", "no committed offset", "has 3"}},
    {set_back_offsets, 1, {"partition 0", "set back"}},
    {set_back_position, 1, {"topic a partition 0", "offset 0", "before 3"}},
    {spoil_user, 1, {"sim.state partition 0", "cannot be used"}},
    {spoil_meta, 1, {"sim.state partition 0", "version 3", "up to 2"}},
    {spoil_catalogue, 0, {"sim.state partition 0", "catalogue record"}},
    {lose_catalogue, 1, {"sim.state partition 0", "catalogue record"}},
    {spoil_change, 0, {"sim.changes partition 0", "offset 0", "JSON"}},
    {lose_change, 0, {"sim.changes partition 0", "offset", "follows"}},
    {foreign_key, 0, {"sim.state partition 0", "offset 0", "key"}},
    {other_input, 0, {"inputs"}},
    {lose_all_but_outputs, 0, {"sim.changes partition 0", "0 offsets"}},
};

START_TEST(what_does_not_fit_is_refused)
{
    live(refusals[_i].flushed);
    refusals[_i].fault();
    start_again();
    if (refusals[_i].words[0])
        must_refuse(refusals[_i].words, 4);
    else
        must_run();
}
END_TEST

START_TEST(more_users_than_allowed_now_are_refused)
{
    static const char *const words[] = {"users_max", "1"};

    live(_i); /* Both in the state topic, or in the redo. */
    solo.ledger.engine.users_max = 1;
    start_again();
    must_refuse(words, 2);
    solo.ledger.engine.users_max = 2;
    start_again();
    must_run();
}
END_TEST

/* Everybody who left or entered because of the catalogue, by the change topic.
 */
static int count_swept(void)
{
    int count = 0;

    for (int64_t i = 0; i < sim_end(log_of(BROKER_CHANGES)); i++) {
        const struct sim_entry *entry = &log_of(BROKER_CHANGES)->entries[i];
        if (entry->is_marker || entry->status != SIM_COMMITTED)
            continue;
        ck_assert_ptr_null(strstr(entry->value, "\"cause\":\"repair\""));
        count += strstr(entry->value, "\"cause\":\"catalogue\"") != NULL;
    }
    return count;
}

START_TEST(another_catalogue_is_taken_over)
{
    struct meta meta;
    const struct sim_entry *last = NULL;

    live(_i);
    solo_kill(&solo);
    ck_assert_int_eq(count_swept(), 0);
    solo.ledger.catalogue = sim_catalogue(1);
    solo_start(&solo);
    solo_settle(&solo);
    must_run();
    ck_assert_int_eq(count_swept(), 4); /* u: -some; v: -some -twice +double */
    for (int64_t i = 0; i < sim_end(log_of(BROKER_STATE)); i++)
        if (!log_of(BROKER_STATE)->entries[i].is_marker &&
            log_of(BROKER_STATE)->entries[i].key[0] == META_KEY_META)
            last = &log_of(BROKER_STATE)->entries[i];
    ck_assert_int_eq(meta_read(&meta, last->value, last->value_len, NULL), 0);
    ck_assert_str_eq(meta.catalogue, seg_catalogue_hash(sim_catalogue(1)));
    ck_assert(meta.swept);
    start_again();
    must_run();
    ck_assert_int_eq(count_swept(), 4);
}
END_TEST

/* ---- a group that has expired ------------------------------------------- */

static void forget_offsets(void)
{
    for (int i = 0; i < 2; i++)
        solo.sim.committed[0][i] = (struct broker_committed){.offset = -1};
}

START_TEST(without_offsets_it_goes_on_from_the_meta_record)
{
    int changes;

    live(1);
    changes = solo_count(&solo, BROKER_CHANGES);
    forget_offsets();
    start_again();
    must_run();
    ck_assert_int_eq(partition_position(solo.partition, 0), 3);
    ck_assert_int_eq(solo.sim.committed[0][0].offset, 3);
    ck_assert_int_eq(solo_count(&solo, BROKER_CHANGES), changes);
}
END_TEST

START_TEST(without_offsets_whatever_came_after_meta_is_refused)
{
    static const char *const words[] = {"offsets of partition 0 are gone",
                                        "sim.changes"};

    live(0);
    forget_offsets();
    start_again();
    must_refuse(words, COUNT(words));
}
END_TEST

START_TEST(without_offsets_a_dead_letter_after_meta_is_refused)
{
    static const char *const words[] = {"offsets of partition 0 are gone",
                                        "sim.dead-letters"};

    live(1);
    sim_append(&solo.sim, 0, 0, WORLD_START_MS, "u", "?", 1, 0);
    solo_settle(&solo);
    ck_assert_int_eq(solo_count(&solo, BROKER_DEAD_LETTERS), 1);
    forget_offsets();
    start_again();
    must_refuse(words, COUNT(words));
}
END_TEST

/* ---- waiting ------------------------------------------------------------ */

START_TEST(an_open_transaction_in_an_output_is_waited_out)
{
    live(1);
    solo_kill(&solo);
    /* A zombie has a record open in the change topic. */
    log_of(BROKER_CHANGES)->entries =
        realloc(log_of(BROKER_CHANGES)->entries,
                (log_of(BROKER_CHANGES)->cap + 2) * sizeof(struct sim_entry));
    log_of(BROKER_CHANGES)->cap += 2;
    struct sim_entry *entry =
        &log_of(BROKER_CHANGES)->entries[log_of(BROKER_CHANGES)->count++];
    memset(entry, 0, sizeof(*entry));
    entry->status = SIM_OPEN;
    entry->producer = 2;
    solo_start(&solo);
    solo_settle(&solo);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_RESTORING);
    entry->status = SIM_ABORTED;
    solo_settle(&solo);
    must_run();
}
END_TEST

START_TEST(offsets_that_move_meanwhile_start_it_again)
{
    struct restore *restore;
    struct restore_stats stats;
    struct ledger *ledger;
    enum restore_state state;
    int moved = 0;

    live(1);
    solo_kill(&solo);
    ck_assert_int_eq(ledger_new(&ledger, &solo.ledger, 0), 0);
    ck_assert_int_eq(restore_new(&restore, &solo.client.broker, ledger), 0);
    do {
        state = restore_turn(restore, solo_now(&solo), 1);
        restore_stats(restore, &stats);
        if (stats.step == 4 && !moved++)
            for (int i = 0; i < 2; i++)
                snprintf(solo.sim.committed[0][i].metadata,
                         BROKER_METADATA_BYTES,
                         "v1:99:1704067205000:00000000000000ff");
    } while (state == RESTORE_BUSY);
    ck_assert_int_eq(state, RESTORE_DONE);
    ck_assert_int_eq(stats.again, 1);
    ck_assert_uint_eq(ledger->committed.txn, 99);
    restore_free(restore);
    ledger_free(ledger);
}
END_TEST

START_TEST(a_refusal_stands_only_if_nothing_moved)
{
    struct restore *restore;
    struct restore_stats stats;
    struct ledger *ledger;
    enum restore_state state;

    live(1);
    truncate_changes();
    solo_kill(&solo);
    ck_assert_int_eq(ledger_new(&ledger, &solo.ledger, 0), 0);
    ck_assert_int_eq(restore_new(&restore, &solo.client.broker, ledger), 0);
    log_of(BROKER_CHANGES)->count--; /* What was needed ends before. */
    do {
        state = restore_turn(restore, solo_now(&solo), 1);
        restore_stats(restore, &stats);
        if (stats.step == 6 && !stats.again) {
            snprintf(solo.sim.committed[0][0].metadata, BROKER_METADATA_BYTES,
                     "v1:99:1704067205000:00000000000000ff");
            memcpy(solo.sim.committed[0][1].metadata,
                   solo.sim.committed[0][0].metadata, BROKER_METADATA_BYTES);
            log_of(BROKER_CHANGES)->count++;
            log_of(BROKER_CHANGES)->low = 0;
        }
    } while (state == RESTORE_BUSY);
    ck_assert_int_eq(stats.again, 1);
    ck_assert_msg(state == RESTORE_DONE, "state %d: %s", state,
                  ledger->broken.message);
    restore_free(restore);
    ledger_free(ledger);
}
END_TEST

SUITE("restore", setup, teardown, TEST(a_new_partition_commits_where_it_starts),
      TABLE(a_new_partition_starts_as_configured, starts),
      {&a_restart_goes_on_where_it_was, 2, 0},
      TEST(a_state_that_was_kept_is_used_again),
      TEST(a_state_that_was_kept_too_long_is_not_used),
      TABLE(what_does_not_fit_is_refused, refusals),
      {&more_users_than_allowed_now_are_refused, 2, 0},
      {&another_catalogue_is_taken_over, 2, 0},
      TEST(without_offsets_it_goes_on_from_the_meta_record),
      TEST(without_offsets_whatever_came_after_meta_is_refused),
      TEST(without_offsets_a_dead_letter_after_meta_is_refused),
      TEST(an_open_transaction_in_an_output_is_waited_out),
      TEST(offsets_that_move_meanwhile_start_it_again),
      TEST(a_refusal_stands_only_if_nothing_moved))
