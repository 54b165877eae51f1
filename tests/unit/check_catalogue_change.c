/* check_catalogue_change.c: one process goes over to another catalogue, and
 * whatever may happen to it on the way. Random ways are in check_protocol.c. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/partition/partition_inside.h"
#include "daemon/protocol/ledger.h"
#include "daemon/protocol/record.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/sim_catalogue.h"
#include "tests/support/sim_feed.h"
#include "tests/support/sim_world.h"
#include "tests/support/solo.h"
#include "tests/support/suite.h"

static struct solo solo;

static void setup(void)
{
    solo_init(&solo, 1);
    solo.options.restore_per_turn = 1; /* Everything takes several turns. */
}

static void teardown(void)
{
    solo_done(&solo);
}

static void again(void)
{
    teardown();
    setup();
}

static struct sim_log *log_of(int topic)
{
    return &solo.sim.logs[topic][0];
}

static void deploy(int number)
{
    solo.ledger.catalogue = sim_catalogue(number);
}

static int is_swept(void)
{
    return !ledger_is_outdated(solo_ledger(&solo)) &&
           seg_engine_swept(solo_ledger(&solo)->engine);
}

/* No restore has found anything to repair. */
static void check_repairs(void)
{
    struct partition_stats stats;

    partition_stats(solo.partition, &stats);
    ck_assert_uint_eq(stats.repairs, 0);
    ck_assert_msg(partition_state(solo.partition) != PARTITION_REFUSED, "%s",
                  partition_reason(solo.partition));
}

static void kill_9(void)
{
    check_repairs();
    solo_kill(&solo);
    solo_start(&solo);
}

/* u is in `twice` and `some`, v in `gap`, w in `some`. */
static void live(void)
{
    solo_start(&solo);
    solo_settle(&solo);
    solo_track(&solo, 0, "u", "A", 0);
    solo_track(&solo, 0, "u", "A", 1000);
    solo_track(&solo, 0, "v", "B", 1500);
    solo_track(&solo, 0, "w", "A", 2000);
    solo_settle(&solo);
}

/* ---- what was said ------------------------------------------------------ */

/* The sign in front of the last KEY in TEXT; '-' if there is none. */
static char last_of(const char *text, const char *key)
{
    size_t len = strlen(key);
    char sign = '-';

    for (const char *at = text; (at = strstr(at, key)); at += len)
        if (!at[len] || at[len] == ' ' || at[len] == '*')
            sign = at[-1];
    return sign;
}

/* The committed changes of USER in order, as "+some -some", with a `*` after
 * what a sweep has decided. Numbers are without a gap, signs alternate. */
static const char *changes_of(const char *user)
{
    static char text[1024];
    char key[32];
    uint32_t seq = 0;
    struct record_back back;

    *text = '\0';
    for (int64_t i = 0; i < sim_end(log_of(BROKER_CHANGES)); i++) {
        const struct sim_entry *entry = &log_of(BROKER_CHANGES)->entries[i];
        size_t len = strlen(text);
        if (entry->is_marker || entry->status != SIM_COMMITTED ||
            strncmp(entry->key, user, entry->key_len))
            continue;
        ck_assert_int_eq(
            record_read(&back, entry->value, entry->value_len, NULL), 0);
        ck_assert_uint_eq(back.restored.seq, ++seq);
        snprintf(key, sizeof(key), "%.*s", (int)back.restored.segment.len,
                 back.restored.segment.bytes);
        ck_assert_msg((last_of(text, key) == '+') != back.restored.member,
                      "%s once more after %s", key, text);
        snprintf(text + len, sizeof(text) - len, "%s%c%s%s", len ? " " : "",
                 back.restored.member ? '+' : '-', key,
                 strstr(entry->value, "\"cause\":\"catalogue\"") ? "*" : "");
        record_back_done(&back);
    }
    return text;
}

static int has_word(const char *text, const char *word, size_t len)
{
    for (const char *at = text; (at = strstr(at, word)); at++)
        if ((at == text || at[-1] == ' ') && (!at[len] || at[len] == ' '))
            return 1;
    return 0;
}

/* USER's changes are those of WANT, which has each once. What one moment
 * decides is said in any order. */
static void check_changes(const char *user, const char *want)
{
    const char *got = changes_of(user);
    char copy[256], word[32];
    int used;

    ck_assert_msg(strlen(got) == strlen(want), "%s: got %s, want %s", user, got,
                  want);
    snprintf(copy, sizeof(copy), "%s", want);
    for (const char *at = copy; sscanf(at, "%31s%n", word, &used) == 1;
         at += used)
        ck_assert_msg(has_word(got, word, strlen(word)), "%s: got %s, want %s",
                      user, got, want);
}

static int is_member(const char *user, const char *segment)
{
    return last_of(changes_of(user), segment) == '+';
}

/* ---- what becomes of segments ------------------------------------------- */

START_TEST(a_segment_is_renamed_and_another_removed)
{
    int triggers;

    live();
    check_changes("u", "+some +quiet +twice");
    triggers = solo_count(&solo, BROKER_TRIGGERS);
    deploy(1);
    solo_settle(&solo);
    ck_assert(is_swept());
    check_changes("u", "+some +quiet +twice -twice* -some* +double*");
    check_changes("v", "+gap");
    check_changes("w", "+some +quiet -some*");
    /* Neither the exit from `some` nor the entry into `double`. */
    ck_assert_int_eq(solo_count(&solo, BROKER_TRIGGERS), triggers);
}
END_TEST

START_TEST(a_removed_segment_is_brought_back)
{
    live();
    deploy(1);
    solo_settle(&solo);
    deploy(0);
    solo_settle(&solo);
    ck_assert(is_swept());
    /* `did "A" in 4s` was watched all the time, if for another segment. */
    check_changes("u", "+quiet +some +twice -some* -twice* +double* -double* "
                       "+some* +twice*");
}
END_TEST

START_TEST(what_was_never_watched_lets_nobody_in_at_once)
{
    live();
    deploy(3);
    solo_settle(&solo);
    ck_assert(is_swept());
    ck_assert(!is_member("v", "calm")); /* `did not "A" in 5s` */
    solo_track(&solo, 0, "x", "B", 6900);
    solo_settle(&solo);
    ck_assert(!is_member("v", "calm"));
    ck_assert(is_member("x", "calm")); /* Born after it. */
    solo_track(&solo, 0, "x", "B", 7000);
    solo_settle(&solo);
    ck_assert(is_member("v", "calm"));
}
END_TEST

/* `some` needs one event, `twice` of the next catalogue three: what is watched
 * is the same, how much of it is kept is not. */
START_TEST(an_event_from_the_future_is_still_to_come_after_the_move)
{
    solo.ledger.clock_records = 0;
    deploy(4);
    solo_start(&solo);
    solo_settle(&solo);
    solo_track(&solo, 0, "u", "A", 0);
    solo_track(&solo, 0, "u", "A", 2000); /* The wall is not there yet. */
    solo_settle(&solo);
    ck_assert(is_member("u", "some"));
    if (_i) {
        deploy(2);
        solo_settle(&solo);
    } else {
        solo_kill(&solo);
        deploy(2);
        solo_start(&solo);
        solo_settle(&solo);
    }
    ck_assert(is_swept());
    solo.sim.now_ms += 4500; /* The first has left the window. */
    solo_settle(&solo);
    ck_assert_int_ge(seg_engine_clock(solo_ledger(&solo)->engine),
                     WORLD_START_MS + 4000);
    ck_assert(is_member("u", "some"));
    solo.sim.now_ms += 2000;
    solo_settle(&solo);
    ck_assert(!is_member("u", "some"));
}
END_TEST

START_TEST(while_another_moves_it_goes_on_with_the_old_one)
{
    int other;
    const struct partition *mover = (const struct partition *)&other;

    solo.options.mover = &mover;
    live();
    deploy(1);
    solo_track(&solo, 0, "x", "A", 3000);
    for (int i = 0; i < 100; i++)
        partition_turn(solo.partition, solo_now(&solo));
    ck_assert(ledger_is_outdated(solo_ledger(&solo)));
    mover = NULL;
    solo_settle(&solo);
    ck_assert(is_swept() && !mover);
}
END_TEST

START_TEST(the_same_meaning_needs_no_sweep)
{
    struct seg_catalogue *same =
        sim_compile("segment pro { when user.plan = \"pro\" }\n");
    struct seg_catalogue *titled =
        sim_compile("segment pro { title \"x\" when user.plan = \"pro\" }\n");
    int changes;

    solo.ledger.catalogue = same;
    live();
    changes = solo_count(&solo, BROKER_CHANGES);
    solo.ledger.catalogue = titled;
    solo_settle(&solo);
    ck_assert(is_swept());
    ck_assert_ptr_eq(solo_ledger(&solo)->catalogue, titled);
    ck_assert_int_eq(solo_count(&solo, BROKER_CHANGES), changes);
    solo_kill(&solo);
    seg_catalogue_free(same);
    seg_catalogue_free(titled);
}
END_TEST

/* ---- the move ----------------------------------------------------------- */

/* Commit what waits, without a step of the partition. */
static void commit_all(void)
{
    if (commit_state(solo.commit) == COMMIT_IDLE)
        commit_start(solo.commit, solo_now(&solo));
    do
        sim_step_marker(&solo.sim);
    while (commit_turn(solo.commit, solo_now(&solo)) != COMMIT_IDLE);
    while (sim_step_marker(&solo.sim))
        ;
}

static struct ledger *the_ledger(void)
{
    return (struct ledger *)solo_ledger(&solo);
}

START_TEST(others_go_on_while_users_move)
{
    struct ledger *other;
    struct seg_event event;
    static const char json[] =
        "{\"type\":\"track\",\"userId\":\"z\",\"event\":\"A\"}";
    struct broker_record record = {.topic = BROKER_INPUT(0),
                                   .offset = 0,
                                   .timestamp_ms = WORLD_START_MS,
                                   .value = json,
                                   .value_len = sizeof(json) - 1};

    live();
    ck_assert_int_eq(ledger_new(&other, &solo.ledger, 1), 0);
    ck_assert_int_eq(ledger_reset(other, WORLD_START_MS), 0);
    deploy(1);
    ck_assert_int_eq(ledger_adopt(the_ledger(), 1, 0), 1);
    ck_assert(ledger_is_outdated(other));
    ck_assert_int_eq(ledger_decode(other, other->decoder, 0, record.value,
                                   record.value_len, &event),
                     0);
    ck_assert_int_eq(ledger_apply(other, 0, &record, &event, 0, 0), 0);
    ck_assert_uint_gt(other->outbox.topics[BROKER_CHANGES], 0);
    ck_assert_ptr_eq(other->catalogue, sim_catalogue(0));
    ledger_free(other);
}
END_TEST

START_TEST(one_that_comes_during_the_move_takes_its_place)
{
    struct ledger *ledger;

    live();
    ledger = the_ledger();
    deploy(3);
    ck_assert_int_eq(ledger_adopt(ledger, 1, 0), 1);
    ck_assert_ptr_eq(ledger->next.catalogue, sim_catalogue(3));
    deploy(1);
    ck_assert_int_eq(ledger_adopt(ledger, 1, 0), 1);
    ck_assert_ptr_eq(ledger->next.catalogue, sim_catalogue(1));
    solo_settle(&solo);
    check_changes("u", "+some +quiet +twice -twice* -some* +double*");
    check_changes("w", "+some +quiet -some*");
    ck_assert_uint_eq(ledger->committed.txn, solo_ledger(&solo)->committed.txn);
}
END_TEST

START_TEST(one_that_is_taken_back_during_the_move_leaves_no_trace)
{
    int state;

    live();
    state = solo_count(&solo, BROKER_STATE);
    deploy(1);
    ck_assert_int_eq(ledger_adopt(the_ledger(), 1, 0), 1);
    deploy(0);
    solo_settle(&solo);
    ck_assert(is_swept());
    check_changes("u", "+some +quiet +twice");
    ck_assert_int_eq(solo_count(&solo, BROKER_STATE), state);
    /* And what is applied meanwhile is there when it comes once more. */
    solo_track(&solo, 0, "u", "B", 2500);
    solo_settle(&solo);
    deploy(1);
    solo_settle(&solo);
    check_changes("u", "+some +quiet +twice -quiet -twice* -some* +double*");
}
END_TEST

START_TEST(what_waits_and_who_is_dirty_survives_the_move)
{
    struct ledger *ledger;
    struct meta before, after;
    uint64_t since[3];
    uint32_t dirty;
    size_t waiting;

    live();
    ledger = the_ledger();
    solo_track(&solo, 0, "v", "A", 3000);
    while (!ledger->outbox.count)
        solo_turn(&solo);
    commit_all();
    solo_track(&solo, 0, "w", "A", 3100);
    for (int i = 0; i < 5; i++)
        sim_feed(&solo.sim, solo.partition, 0, 10, &solo.handles);
    while (!ledger->outbox.count)
        partition_turn(solo.partition, solo_now(&solo));
    waiting = ledger->outbox.count;
    dirty = seg_engine_dirty_count(ledger->engine);
    ck_assert_uint_eq(dirty, 3);
    for (uint32_t i = 0; i < dirty; i++)
        since[i] = seg_engine_dirty_since(ledger->engine, i);
    flush_meta(ledger, 0, &ledger->committed, &before);
    deploy(1);
    while (ledger_adopt(ledger, 1, 0) > 0)
        ;
    flush_meta(ledger, 0, &ledger->committed, &after);
    ck_assert_uint_eq(ledger->outbox.count, waiting);
    ck_assert_uint_eq(seg_engine_dirty_count(ledger->engine), dirty);
    for (uint32_t i = 0; i < dirty; i++)
        ck_assert_uint_eq(seg_engine_dirty_since(ledger->engine, i), since[i]);
    ck_assert_mem_eq(&before.inputs[0].redo, &after.inputs[0].redo,
                     sizeof(before.inputs[0].redo));
    ck_assert_mem_eq(before.outputs, after.outputs, sizeof(before.outputs));
    ck_assert_str_eq(after.catalogue, seg_catalogue_hash(sim_catalogue(1)));
    ck_assert(before.swept && !after.swept);
    solo_settle(&solo);
    check_changes("w", "+some +quiet +twice -twice* -some* +double*");
}
END_TEST

/* ---- the transaction after it ------------------------------------------- */

static const struct sim_entry *last_state(char key)
{
    const struct sim_log *log = log_of(BROKER_STATE);

    for (int64_t i = sim_end(log); i-- > 0;)
        if (!log->entries[i].is_marker &&
            log->entries[i].status == SIM_COMMITTED &&
            log->entries[i].key[0] == key)
            return &log->entries[i];
    ck_abort_msg("no record of key %d", key);
}

START_TEST(the_transaction_after_the_move_names_the_catalogue)
{
    const struct sim_entry *catalogue, *meta;
    struct meta_offsets offsets;
    struct meta read;

    live();
    deploy(1);
    while (ledger_is_outdated(solo_ledger(&solo)))
        solo_turn(&solo);
    ck_assert(solo_ledger(&solo)->catalogue_due);
    commit_all();
    ck_assert(!is_swept());
    catalogue = last_state(META_KEY_CATALOGUE);
    meta = last_state(META_KEY_META);
    ck_assert_ptr_eq(catalogue + 1, meta); /* They lie next to each other. */
    ck_assert_int_eq(meta_read(&read, meta->value, meta->value_len, NULL), 0);
    ck_assert_str_eq(read.catalogue, seg_catalogue_hash(sim_catalogue(1)));
    ck_assert(!read.swept);
    ck_assert_int_eq(read.inputs[0].offset, 4);
    ck_assert_int_eq(solo.sim.committed[0][0].offset, 4);
    ck_assert_int_eq(
        meta_offsets_read(solo.sim.committed[0][0].metadata, &offsets), 0);
    ck_assert_uint_eq(offsets.tag, read.offsets.tag);
    ck_assert(!solo_ledger(&solo)->catalogue_due);
    solo_settle(&solo);
    meta = last_state(META_KEY_META);
    ck_assert_int_eq(meta_read(&read, meta->value, meta->value_len, NULL), 0);
    ck_assert(read.swept);
}
END_TEST

START_TEST(whoever_restores_after_it_sweeps_again)
{
    live();
    deploy(1);
    while (ledger_is_outdated(solo_ledger(&solo)))
        solo_turn(&solo);
    commit_all();
    while (!seg_engine_swept(solo_ledger(&solo)->engine)) {
        kill_9();
        while (partition_state(solo.partition) != PARTITION_RUNNING)
            solo_turn(&solo);
        ck_assert(!seg_engine_swept(solo_ledger(&solo)->engine));
        for (int i = 0; i < 3 + 20 * _i; i++)
            solo_turn(&solo);
        if (!_i)
            break;
    }
    solo_settle(&solo);
    ck_assert(is_swept());
    check_repairs();
    check_changes("u", "+some +quiet +twice -twice* -some* +double*");
    check_changes("w", "+some +quiet -some*");
}
END_TEST

START_TEST(users_of_a_catalogue_that_is_not_recorded_are_refused)
{
    int first = 1;

    live();
    deploy(1);
    solo_settle(&solo);
    deploy(2);
    solo_settle(&solo);
    solo.sim.now_ms += 40000; /* Everybody is written. */
    solo_settle(&solo);
    ck_assert_uint_eq(seg_engine_dirty_count(solo_ledger(&solo)->engine), 0);
    for (int64_t i = 0; i < sim_end(log_of(BROKER_STATE)); i++) {
        struct sim_entry *entry = &log_of(BROKER_STATE)->entries[i];
        if (entry->is_marker || entry->key[0] != META_KEY_CATALOGUE)
            continue;
        entry->gone = !first; /* Only that of the first is left. */
        first = 0;
    }
    kill_9();
    solo_settle(&solo);
    ck_assert_int_eq(partition_state(solo.partition), PARTITION_REFUSED);
    ck_assert_ptr_nonnull(strstr(partition_reason(solo.partition),
                                 "topic sim.state partition 0"));
    ck_assert_ptr_nonnull(
        strstr(partition_reason(solo.partition), "catalogue 3"));
}
END_TEST

/* ---- and whatever happens on the way ------------------------------------ */

static void take_away(void)
{
    if (partition_state(solo.partition) == PARTITION_WARM)
        return;
    if (!partition_revoke(solo.partition, solo_now(&solo))) {
        partition_free(solo.partition);
        if (partition_new(&solo.partition, &solo.options, 0))
            abort();
        return;
    }
    partition_assign(solo.partition);
}

static void refuse(void)
{
    solo.sim.faults.refuse = 100;
}

static void lose(void)
{
    solo.sim.faults.lose = 100;
}

static void break_producer(void)
{
    solo.sim.faults.fatal = 100;
}

/* Another one for a moment, see disturb. */
static void change(void)
{
    deploy(2);
}

static void put_back(void)
{
    deploy(0);
}

static void restart_with_another(void)
{
    deploy(2);
    kill_9();
}

static const struct {
    const char *name;
    void (*happens)(void);
    int turns;  /* For so long. */
    int others; /* Other catalogues were in force: only the end is the same. */
} disturbances[] = {
    {"killed", kill_9, 0, 0},
    {"revoked", take_away, 0, 0},
    {"a call refused", refuse, 4, 0},
    {"an answer lost", lose, 4, 0},
    {"the producer broken", break_producer, 4, 0},
    {"another catalogue", change, 3, 1},
    {"another catalogue for longer", change, 30, 1},
    {"the one before again", put_back, 12, 1},
    {"killed, and an older build started", restart_with_another, 10, 1},
};

/* Everything up to where the catalogue is on its way, N turns on, then it
 * happens, then everything else. Returns 0 if N turns are more than it takes.
 */
static int disturb(int row, int n)
{
    int late = 0;

    live();
    solo_track(&solo, 0, "w", "A", 2500); /* `double`, whoever says it. */
    solo_track(&solo, 0, "v", "A", 2600); /* Leaves `gap`. */
    deploy(1);
    for (int i = 0; i < n; i++)
        late = solo_turn(&solo) ? 0 : late + 1;
    disturbances[row].happens();
    for (int i = 0; i < disturbances[row].turns; i++) {
        solo_turn(&solo);
        solo.sim.now_ms += 100;
    }
    solo.sim.faults = (struct sim_faults){0};
    deploy(1);
    for (int i = 0; i < 300; i++) {
        solo_turn(&solo);
        solo.sim.now_ms += 100; /* Deadlines and pauses pass. */
    }
    solo_settle(&solo);
    return late < 3;
}

/* What must have become of everybody, N turns on. */
static void check_end(int row, int n)
{
    static const char *const members[][4] = {
        {"u", "double", "quiet", NULL},
        {"v", NULL},
        {"w", "double", "quiet", NULL},
    };
    static const char *const segments[] = {"twice", "double", "some", "gap",
                                           "quiet", "calm",   "both"};

    ck_assert_msg(is_swept(), "%s, turn %d: %s", disturbances[row].name, n,
                  partition_reason(solo.partition));
    check_repairs();
    for (int i = 0; i < COUNT(members); i++)
        for (int j = 0; j < COUNT(segments); j++) {
            int want = 0;
            for (int k = 1; k < 4 && members[i][k]; k++)
                want |= !strcmp(members[i][k], segments[j]);
            ck_assert_msg(is_member(members[i][0], segments[j]) == want,
                          "%s, turn %d: %s in %s: %s", disturbances[row].name,
                          n, members[i][0], segments[j],
                          changes_of(members[i][0]));
        }
    if (!disturbances[row].others) {
        check_changes("u", "+some +quiet +twice -twice* -some* +double*");
        ck_assert_int_eq(solo_count(&solo, BROKER_TRIGGERS), 2);
    }
}

START_TEST(whatever_happens_on_the_way_it_ends_the_same)
{
    int changes, n = 0;

    while (disturb(_i, n)) {
        check_end(_i, n);
        /* And whoever restores now has nothing to do. */
        changes = solo_count(&solo, BROKER_CHANGES);
        kill_9();
        solo_settle(&solo);
        check_end(_i, n);
        ck_assert_int_eq(solo_count(&solo, BROKER_CHANGES), changes);
        again();
        n++;
    }
    ck_assert_int_gt(n, 15);
}
END_TEST

/* ---- memory ------------------------------------------------------------- */

START_TEST(a_move_without_memory_begins_again)
{
    struct ledger *ledger;
    long n;
    int more;

    live();
    ledger = the_ledger();
    deploy(1);
    for (n = 1;; n++) {
        fail_alloc_begin(n, FAIL_ALLOC_ONE);
        while ((more = ledger_adopt(ledger, 1, 0)) > 0)
            ;
        if (!fail_alloc_end())
            break;
        if (more < 0) {
            ck_assert(ledger_is_outdated(ledger));
            ck_assert_ptr_null(ledger->next.engine);
        } else {
            break;
        }
    }
    ck_assert_int_gt(n, 10);
    solo_settle(&solo);
    ck_assert(is_swept());
    check_changes("u", "+some +quiet +twice -twice* -some* +double*");
}
END_TEST

START_TEST(a_sweep_without_memory_goes_on_later)
{
    struct ledger *ledger;

    live();
    ledger = the_ledger();
    deploy(1);
    while (ledger_adopt(ledger, 1, 0) > 0)
        ;
    for (long n = 1; !seg_engine_swept(ledger->engine); n++) {
        fail_alloc_begin(n % 7 + 1, FAIL_ALLOC_FROM);
        ledger_sweep(ledger, 1, 0);
        fail_alloc_end();
        ck_assert_int_lt(n, 100);
        if (n > 50)
            ledger_sweep(ledger, 1, 0);
    }
    solo_settle(&solo);
    ck_assert(is_swept());
    check_changes("u", "+some +quiet +twice -twice* -some* +double*");
    check_changes("w", "+some +quiet -some*");
}
END_TEST

/* One turn for which there is no memory; whether it asked for some. */
static int turn_without_memory(void)
{
    fail_alloc_begin(1, FAIL_ALLOC_FROM);
    partition_turn(solo.partition, solo_now(&solo));
    return fail_alloc_end() > 0;
}

START_TEST(a_sweep_without_memory_pauses_before_the_next)
{
    live();
    deploy(1);
    while (ledger_is_outdated(solo_ledger(&solo)))
        partition_turn(solo.partition, solo_now(&solo));
    for (int times = 0; times < 3; times++) {
        int turns = 0;
        while (!turn_without_memory())
            ck_assert_int_lt(turns++, 100);
        ck_assert(!seg_engine_swept(solo_ledger(&solo)->engine));
        ck_assert_ptr_nonnull(
            strstr(partition_reason(solo.partition), "memory"));
        ck_assert_int_eq(partition_wake_ms(solo.partition),
                         solo_now(&solo) + 1000);
        solo.sim.now_ms += 999;
        ck_assert_int_eq(turn_without_memory(), 0); /* Not tried. */
        solo.sim.now_ms += 1;
    }
    solo_settle(&solo);
    ck_assert(is_swept());
    ck_assert_str_eq(partition_reason(solo.partition), "");
    check_changes("u", "+some +quiet +twice -twice* -some* +double*");
    check_changes("w", "+some +quiet -some*");
}
END_TEST

/* An outbox that has no room yet. */
static void empty_outbox(struct ledger *ledger)
{
    ck_assert_uint_eq(ledger->outbox.count, 0);
    outbox_done(&ledger->outbox);
    outbox_init(&ledger->outbox);
}

/* Whether ENGINE holds a change; traits, which a restore owes, are none. */
static int holds_change(const struct seg_engine *engine)
{
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(engine, &count);

    for (size_t i = 0; i < count; i++)
        if (outputs[i].kind == SEG_OUTPUT_CHANGE)
            return 1;
    return 0;
}

START_TEST(what_is_not_in_the_outbox_yet_is_not_lost_by_the_move)
{
    struct ledger *ledger;

    live();
    kill_9();
    solo_settle(&solo);
    solo_track(&solo, 0, "w", "B", 2500); /* Traits are owed until then. */
    solo_settle(&solo);
    ledger = the_ledger();
    empty_outbox(ledger);
    solo_track(&solo, 0, "x", "A", 3000);
    sim_feed(&solo.sim, solo.partition, 0, 10, &solo.handles);
    /* There is memory to fold it, but none to write down what it changes: of so
     * many pieces a turn the engine keeps some, until it needs no more. */
    for (int n = 10;; n++) {
        solo.partition->retry_ms = INT64_MIN; /* It would wait for memory. */
        fail_alloc_begin(n / 10, FAIL_ALLOC_FROM);
        partition_turn(solo.partition, solo_now(&solo));
        fail_alloc_end();
        if (holds_change(ledger->engine))
            break;
        ck_assert_int_lt(n, 1000);
        ck_assert_uint_eq(ledger->outbox.topics[BROKER_CHANGES], 0);
    }
    solo.partition->retry_ms = INT64_MIN;
    deploy(1);
    while (ledger_is_outdated(ledger))
        partition_turn(solo.partition, solo_now(&solo));
    solo_settle(&solo);
    check_changes("x", "+some +quiet -some*");
}
END_TEST

/* ---- a partition that comes back ---------------------------------------- */

START_TEST(a_state_kept_from_before_goes_over)
{
    struct partition_stats stats;

    live();
    deploy(1);
    if (_i)
        ck_assert_int_eq(ledger_adopt(the_ledger(), 1, 0), 1);
    ck_assert(partition_revoke(solo.partition, solo_now(&solo)));
    partition_assign(solo.partition);
    solo_settle(&solo);
    partition_stats(solo.partition, &stats);
    ck_assert_uint_eq(stats.warm, 1);
    ck_assert(is_swept());
    check_changes("u", "+some +quiet +twice -twice* -some* +double*");
}
END_TEST

START_TEST(after_a_restore_events_are_decoded_for_the_new_catalogue)
{
    /* Names have other numbers in it. */
    struct seg_catalogue *other =
        sim_compile("segment z { when did \"Z\" at least 2 times in 1h }\n"
                    "segment a { when did \"A\" at least 2 times in 1h }\n");

    live();
    ck_assert(partition_revoke(solo.partition, solo_now(&solo)));
    snprintf(solo.sim.committed[0][0].metadata, BROKER_METADATA_BYTES,
             "v1:%d:%lld:00000000000000ff",
             (int)solo_ledger(&solo)->committed.txn,
             (long long)WORLD_START_MS + 2000);
    solo.ledger.catalogue = other;
    partition_assign(solo.partition);
    solo_settle(&solo);
    solo_track(&solo, 0, "x", "A", 3000);
    solo_track(&solo, 0, "x", "A", 3100);
    solo_track(&solo, 0, "y", "Z", 3200);
    solo_track(&solo, 0, "y", "Z", 3300);
    solo_settle(&solo);
    check_changes("x", "+a");
    check_changes("y", "+z");
    solo_kill(&solo);
    seg_catalogue_free(other);
}
END_TEST

SUITE("catalogue_change", setup, teardown,
      TEST(a_segment_is_renamed_and_another_removed),
      TEST(a_removed_segment_is_brought_back),
      TEST(what_was_never_watched_lets_nobody_in_at_once),
      {&an_event_from_the_future_is_still_to_come_after_the_move, 2, 0},
      TEST(while_another_moves_it_goes_on_with_the_old_one),
      TEST(the_same_meaning_needs_no_sweep),
      TEST(others_go_on_while_users_move),
      TEST(one_that_comes_during_the_move_takes_its_place),
      TEST(one_that_is_taken_back_during_the_move_leaves_no_trace),
      TEST(what_waits_and_who_is_dirty_survives_the_move),
      TEST(the_transaction_after_the_move_names_the_catalogue),
      {&whoever_restores_after_it_sweeps_again, 2, 0},
      TEST(users_of_a_catalogue_that_is_not_recorded_are_refused),
      TABLE(whatever_happens_on_the_way_it_ends_the_same, disturbances),
      TEST(a_move_without_memory_begins_again),
      TEST(a_sweep_without_memory_goes_on_later),
      TEST(a_sweep_without_memory_pauses_before_the_next),
      TEST(what_is_not_in_the_outbox_yet_is_not_lost_by_the_move),
      {&a_state_kept_from_before_goes_over, 2, 0},
      TEST(after_a_restore_events_are_decoded_for_the_new_catalogue))
