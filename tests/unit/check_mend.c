/* check_mend.c: what is refused, mended: the restore that takes what there is,
 * and that what it ends with, written in one transaction, is all that the next
 * restore needs. tests/process/reset.py does the same with segmentctl on a real
 * broker. */
#include "daemon/protocol/mend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/protocol/restore.h"
#include "daemon/protocol/share.h"
#include "tests/support/solo.h"
#include "tests/support/suite.h"

static struct solo solo;
static struct mend mend;

static void setup(void)
{
    solo_init(&solo, 2);
}

static void teardown(void)
{
    mend_done(&mend);
    solo_done(&solo);
}

static struct sim_log *log_of(int topic)
{
    return &solo.sim.logs[topic][0];
}

/* Some life of two users; everybody is written if FLUSHED; then it ends. */
static void live(int flushed)
{
    solo_start(&solo);
    solo_settle(&solo);
    for (int i = 0; i < 6; i++)
        solo_track(&solo, i % 2, i < 4 ? "u" : "v", i % 3 ? "A" : "B",
                   1000 * i);
    solo_settle(&solo);
    if (flushed) {
        solo.sim.now_ms += 40000;
        solo_settle(&solo);
    }
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_RUNNING);
    solo_kill(&solo);
    while (sim_step_marker(&solo.sim))
        ;
}

/* ---- mending, as segmentctl does ---------------------------------------- */

static enum restore_state restore(struct ledger *ledger)
{
    struct restore *restore;
    enum restore_state state;

    ck_assert_int_eq(restore_new(&restore, &solo.client.broker, ledger), 0);
    restore_mend(restore, &mend);
    do {
        state = restore_turn(restore, solo_now(&solo), 100);
    } while (state == RESTORE_BUSY || state == RESTORE_WAITS);
    restore_free(restore);
    return state;
}

static void send_records(struct broker *broker, struct share *share)
{
    struct share_room *room = calloc(1, sizeof(*room));
    struct broker_record record;

    for (size_t at = 0; share_record(share, at, room, &record); at++) {
        record.partition = 0;
        record.timestamp_ms = solo_now(&solo);
        ck_assert_int_eq(broker->produce(broker->impl, &record), BROKER_OK);
    }
    buf_done(&room->meta);
    free(room);
}

static void write_all(struct ledger *ledger)
{
    struct broker *broker = &solo.client.broker;
    struct share share = {.ledger = ledger,
                          .in = 1,
                          .users = seg_engine_dirty_count(ledger->engine),
                          .with_meta = 1,
                          .with_catalogue = 1};
    struct broker_offset offsets[2];
    char metadata[BROKER_METADATA_BYTES];

    while (broker->renew(broker->impl) != BROKER_OK)
        sim_step_marker(&solo.sim);
    ck_assert_int_eq(broker->begin(broker->impl), BROKER_OK);
    share_begin(&share, broker->random(broker->impl));
    send_records(broker, &share);
    meta_offsets_write(metadata, &share.offsets);
    for (int i = 0; i < 2; i++)
        offsets[i] =
            (struct broker_offset){i, 0, ledger->inputs[i].position, metadata};
    solo.sim.member[0] = 1;
    ck_assert_int_eq(broker->send_offsets(broker->impl, offsets, 2), BROKER_OK);
    ck_assert_int_eq(broker->commit(broker->impl), BROKER_OK);
    while (sim_step_marker(&solo.sim))
        ;
    solo.sim.member[0] = 0;
}

/* Mend in MODE. Returns how the restore ended; what it puts out stands in *OUT.
 */
static enum restore_state mended(enum mend_mode mode, const int64_t *to,
                                 int write, struct seg_engine_stats *out)
{
    struct ledger *ledger;
    enum restore_state state;

    mend_done(&mend);
    mend_init(&mend, mode);
    for (int i = 0; to && i < 2; i++)
        mend.to[i] = to[i];
    sim_client_init(&solo.client, &solo.sim, 0);
    ck_assert_int_eq(ledger_new(&ledger, &solo.ledger, 0), 0);
    state = restore(ledger);
    *out = (struct seg_engine_stats){0};
    if (state == RESTORE_DONE) {
        seg_engine_stats(ledger->engine, out);
        ck_assert_uint_eq(seg_engine_dirty_count(ledger->engine),
                          seg_engine_user_count(ledger->engine));
        if (write)
            write_all(ledger);
    }
    ledger_free(ledger);
    return state;
}

/* ---- what the outputs hold ---------------------------------------------- */

/* The number of the change at ENTRY, if it is one of USER; 0. */
static long seq_of(const struct sim_entry *entry, const char *user)
{
    const char *seq;

    if (entry->is_marker || entry->status != SIM_COMMITTED || !entry->key ||
        entry->key[0] != user[0])
        return 0;
    seq = strstr(entry->value, "\"seq\":");
    return seq ? strtol(seq + 6, NULL, 10) : 0;
}

static const char *const users[] = {"u", "v"};

/* The highest number of each user's changes up to now. */
static void note_numbers(long highest[2])
{
    const struct sim_log *log = log_of(BROKER_CHANGES);

    for (int u = 0; u < 2; u++)
        for (int64_t i = 0; i < sim_end(log); i++)
            if (seq_of(&log->entries[i], users[u]) > highest[u])
                highest[u] = seq_of(&log->entries[i], users[u]);
}

/* Changes from FROM on go on after HIGHEST: with the next number, unless
 * something LEAPS, and never with one that was used. */
static void check_numbers(int64_t from, const long highest[2], int leaps)
{
    const struct sim_log *log = log_of(BROKER_CHANGES);

    for (int u = 0; u < 2; u++) {
        long last = highest[u];
        for (int64_t i = from; i < sim_end(log); i++) {
            long seq = seq_of(&log->entries[i], users[u]);
            if (!seq)
                continue;
            ck_assert_msg(seq == last + 1 || (leaps && seq > last),
                          "user %s: %ld after %ld", users[u], seq, last);
            last = seq;
        }
        ck_assert_int_gt(last, highest[u]);
    }
}

/* The daemon starts, finds nothing to repair, and goes on. */
static void goes_on(void)
{
    struct partition_stats stats;

    solo_start(&solo);
    solo_settle(&solo);
    ck_assert_msg(partition_state(solo.partition) == PARTITION_RUNNING,
                  "state %d: %s", partition_state(solo.partition),
                  partition_reason(solo.partition));
    partition_stats(solo.partition, &stats);
    ck_assert_uint_eq(stats.repairs, 0);
    for (int i = 0; i < 6; i++)
        solo_track(&solo, i % 2, i < 3 ? "u" : "v", i % 3 ? "A" : "B",
                   60000 + 1000 * i);
    solo_settle(&solo);
    solo_kill(&solo);
    solo_start(&solo);
    solo_settle(&solo);
    partition_stats(solo.partition, &stats);
    ck_assert_uint_eq(stats.repairs, 0);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_RUNNING);
    solo_kill(&solo);
    while (sim_step_marker(&solo.sim))
        ;
}

/* ---- faults ------------------------------------------------------------- */

static void no_fault(void)
{
}

static void truncate_changes(void)
{
    log_of(BROKER_CHANGES)->low = 2;
}

static void truncate_all_changes(void)
{
    log_of(BROKER_CHANGES)->low = sim_end(log_of(BROKER_CHANGES));
}

static void truncate_triggers(void)
{
    log_of(BROKER_TRIGGERS)->low = 1;
}

static void truncate_input(void)
{
    log_of(BROKER_INPUT(1))->low = 2;
}

static void truncate_unread(void)
{
    for (int i = 0; i < 3; i++)
        solo_track(&solo, 1, "v", "A", 20000 + i);
    log_of(BROKER_INPUT(1))->low = 5;
}

static void shorten_changes(void)
{
    sim_cut(&solo.sim, BROKER_CHANGES, 0, 0);
}

static void shorten_input(void)
{
    sim_cut(&solo.sim, BROKER_INPUT(0), 0, 1);
}

static void remake_input(void)
{
    for (int64_t i = 0; i < sim_end(log_of(BROKER_INPUT(0))); i++)
        log_of(BROKER_INPUT(0))->entries[i].timestamp_ms++;
}

static void empty_state(void)
{
    sim_cut(&solo.sim, BROKER_STATE, 0, 0);
}

static void set_offsets(int first, int64_t offset, const char *metadata)
{
    for (int i = first; i < 2; i++) {
        solo.sim.committed[0][i].offset = offset;
        snprintf(solo.sim.committed[0][i].metadata, BROKER_METADATA_BYTES, "%s",
                 metadata);
    }
}

static void reset_offset(void)
{
    set_offsets(1, 1, "");
}

static void reset_offsets(void)
{
    set_offsets(0, 0, "");
}

static void delete_offset(void)
{
    set_offsets(1, -1, "");
}

static void delete_offsets(void)
{
    set_offsets(0, -1, "");
}

static void older_offsets(void)
{
    set_offsets(0, 0, "v1:1:1704067200000:00000000000000ff");
}

static void spoil_change(void)
{
    log_of(BROKER_CHANGES)->entries[0].value[0] = '[';
}

static void lose_change(void)
{
    log_of(BROKER_CHANGES)->entries[0].status = SIM_ABORTED;
}

static void lose_all_but_outputs(void)
{
    empty_state();
    delete_offsets();
}

static void spoil_catalogue(void)
{
    for (int64_t i = 0; i < sim_end(log_of(BROKER_STATE)); i++) {
        struct sim_entry *entry = &log_of(BROKER_STATE)->entries[i];
        if (!entry->is_marker && entry->key[0] == META_KEY_CATALOGUE)
            entry->value[entry->value_len / 2] ^= 1;
    }
}

/* ACCEPT and REBUILD: what is found, or refused; whether numbers leap; whether
 * something is to be put out (-1: that depends). */
static const struct row {
    const char *what;
    void (*fault)(void);
    int flushed;
    enum mend_mode mode;
    const char *said; /* NULL: it is refused. */
    int lost, leaps, repairs;
} cases[] = {
    {"changes truncated", truncate_changes, 0, MEND_ACCEPT,
     "lost: 2 records of topic sim.changes partition 0, from offset 0 to 1", 1,
     1, -1},
    {"all changes truncated", truncate_all_changes, 0, MEND_ACCEPT,
     "of topic sim.changes partition 0, from offset 0", 1, 1, -1},
    {"triggers truncated", truncate_triggers, 0, MEND_ACCEPT,
     "lost: 1 records of topic sim.triggers", 1, 0, 0},
    {"an input truncated", truncate_input, 0, MEND_ACCEPT,
     "topic b partition 0 from offset 0 to 1 that no user record", 1, 0, -1},
    {"an input truncated, all flushed", truncate_input, 1, MEND_ACCEPT, "", 0,
     0, 0},
    {"events that were never read", truncate_unread, 1, MEND_ACCEPT,
     "lost: 2 events of topic b partition 0 that were never read, from offset "
     "3 "
     "to 4",
     1, 0, 0},
    {"changes made again", shorten_changes, 1, MEND_ACCEPT,
     "sim.changes partition 0 held from offset", 1, 1, 0},
    {"an input made again, shorter", shorten_input, 1, MEND_ACCEPT,
     "another topic, which is read from offset 0", 1, 0, 0},
    {"an input made again", remake_input, 1, MEND_ACCEPT,
     "another topic, which is read from offset 0", 1, 0, 0},
    {"no state, accepted", empty_state, 1, MEND_ACCEPT, NULL, 0, 0, 0},
    {"no state", empty_state, 1, MEND_REBUILD, "built anew from offset 0 to 2",
     1, 0, 0},
    {"no state, nothing flushed", empty_state, 0, MEND_REBUILD,
     "built anew from offset 0 to 2", 1, 0, 0},
    {"an offset set", reset_offset, 1, MEND_ACCEPT,
     "topic b partition 0 goes on at offset 3", 0, 0, 0},
    {"all offsets set", reset_offsets, 1, MEND_ACCEPT, "goes on at offset 3", 0,
     0, 0},
    {"all offsets set, nothing flushed", reset_offsets, 0, MEND_ACCEPT,
     "goes on at offset 0", 0, 0, 0},
    {"an offset deleted", delete_offset, 1, MEND_ACCEPT,
     "topic b partition 0 has no committed offset", 0, 0, 0},
    {"all offsets deleted", delete_offsets, 1, MEND_ACCEPT, "", 0, 0, 0},
    {"all offsets deleted, nothing flushed", delete_offsets, 0, MEND_ACCEPT,
     "where the meta record of transaction 1 stands", 0, 0, 0},
    {"offsets of an older transaction", older_offsets, 1, MEND_ACCEPT,
     "the committed offsets are of transaction 1", 0, 0, 0},
    {"a change that cannot be read", spoil_change, 0, MEND_ACCEPT,
     "the record at offset 0 cannot be read and is passed over", 1, 1, -1},
    {"a change that is missing", lose_change, 0, MEND_ACCEPT,
     "does not follow the one of its user before it", 1, 1, -1},
    {"no state, no offsets", lose_all_but_outputs, 1, MEND_REBUILD,
     "built anew from offset 0 to -1", 1, 0, -1},
    {"a broken catalogue record, accepted", spoil_catalogue, 1, MEND_ACCEPT,
     NULL, 0, 0, 0},
    {"a broken catalogue record", spoil_catalogue, 1, MEND_REBUILD,
     "built anew", 1, 0, 0},
    {"nothing is wrong", no_fault, 0, MEND_REBUILD, "built anew", 1, 0, 0},
    {"nothing is wrong, accepted", no_fault, 0, MEND_ACCEPT, "", 0, 0, 0},
};

START_TEST(what_was_refused_goes_on)
{
    const struct row *row = &cases[_i];
    struct seg_engine_stats out;
    long highest[2] = {0};
    int64_t end;

    live(row->flushed);
    note_numbers(highest);
    row->fault();
    end = sim_end(log_of(BROKER_CHANGES));
    if (!row->said) {
        ck_assert_int_eq(mended(row->mode, NULL, 0, &out), RESTORE_REFUSED);
        return;
    }
    ck_assert_int_eq(mended(row->mode, NULL, 1, &out), RESTORE_DONE);
    ck_assert_msg(strstr(buf_string(&mend.said), row->said) != NULL,
                  "%s: \"%s\" is not in:\n%s", row->what, row->said,
                  buf_string(&mend.said));
    ck_assert_msg(mend.found == (row->said[0] != 0), "%s: found", row->what);
    ck_assert_msg(mend.lost == row->lost, "%s: lost", row->what);
    ck_assert_msg((mend.leap[0] > 0) == row->leaps || row->fault == lose_change,
                  "%s: leap of %u", row->what, mend.leap[0]);
    ck_assert_msg(row->repairs < 0 || (int)out.repairs == row->repairs,
                  "%s: %d repairs", row->what, (int)out.repairs);
    ck_assert_uint_eq(out.triggers, 0);
    goes_on();
    check_numbers(end, highest, row->leaps);
    /* Once more finds nothing that is wrong, but for what was left out. */
    ck_assert_int_eq(mended(MEND_ACCEPT, NULL, 0, &out), RESTORE_DONE);
    ck_assert_msg(!mend.found, "%s: %s", row->what, buf_string(&mend.said));
}
END_TEST

/* What REBUILD throws away comes back: the records are the same as those of who
 * was read from the inputs at once. */
START_TEST(rebuilt_users_are_what_they_were)
{
    const struct sim_log *log = log_of(BROKER_STATE);
    const struct sim_entry *last[2][2] = {{NULL}};
    struct seg_engine_stats out;
    int64_t end;

    live(0);
    ck_assert_int_eq(mended(MEND_MOVE, NULL, 1, &out), RESTORE_DONE);
    end = sim_end(log);
    ck_assert_int_eq(mended(MEND_REBUILD, NULL, 1, &out), RESTORE_DONE);
    for (int64_t i = 0; i < sim_end(log); i++)
        if (!log->entries[i].is_marker && log->entries[i].key_len == 2)
            last[log->entries[i].key[1] == 'v'][i >= end] = &log->entries[i];
    for (int u = 0; u < 2; u++) {
        ck_assert_ptr_nonnull(last[u][0]);
        ck_assert_ptr_nonnull(last[u][1]);
        ck_assert_uint_eq(last[u][0]->value_len, last[u][1]->value_len);
        ck_assert_mem_eq(last[u][0]->value, last[u][1]->value,
                         last[u][0]->value_len);
    }
}
END_TEST

static const struct {
    const char *what;
    int64_t to[2];
    int exact; /* Nobody is another than before. */
} moves[] = {
    {"nowhere", {3, 3}, 1},
    {"one back", {0, -1}, 0},
    {"one forth", {-1, 5}, 1},
    {"back and forth", {1, 5}, 0},
};

START_TEST(an_input_goes_on_elsewhere)
{
    struct seg_engine_stats out;
    struct meta_offsets offsets;
    long highest[2] = {0};
    int64_t end = sim_end(log_of(BROKER_CHANGES));

    live(_i % 2);
    for (int i = 0; i < 2; i++)
        solo_track(&solo, 1, "w", "A", 20000 + i);
    ck_assert_int_eq(mended(MEND_MOVE, moves[_i].to, 1, &out), RESTORE_DONE);
    ck_assert_uint_eq(out.repairs, 0);
    for (int i = 0; i < 2; i++) {
        int64_t want = moves[_i].to[i] < 0 ? 3 : moves[_i].to[i];
        ck_assert_msg(solo.sim.committed[0][i].offset == want,
                      "%s: input %d at %d", moves[_i].what, i,
                      (int)solo.sim.committed[0][i].offset);
        ck_assert_int_eq(
            meta_offsets_read(solo.sim.committed[0][i].metadata, &offsets), 0);
        ck_assert_uint_gt(offsets.txn, 1);
    }
    goes_on();
    check_numbers(end, highest, 0);
}
END_TEST

START_TEST(a_move_is_refused_where_something_is_wrong)
{
    static const int64_t to[] = {0, -1};
    struct seg_engine_stats out;

    live(1);
    reset_offset();
    ck_assert_int_eq(mended(MEND_MOVE, to, 0, &out), RESTORE_REFUSED);
}
END_TEST

SUITE("mend", setup, teardown, TABLE(what_was_refused_goes_on, cases),
      TEST(rebuilt_users_are_what_they_were),
      TABLE(an_input_goes_on_elsewhere, moves),
      TEST(a_move_is_refused_where_something_is_wrong))
