/* check_commit.c: the machine, call by call, against answers written down here.
 * Whether the machine is right about exactly once is seen in check_protocol.c.
 */
#include "daemon/protocol/commit.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/sim_catalogue.h"
#include "tests/support/sim_world.h"
#include "tests/support/suite.h"

/* ---- a broker that answers as it is told -------------------------------- */

enum call { BEGIN, PRODUCE, OFFSETS, COMMIT, ABORT, RENEW, COMMITTED, CALLS };

static const char *const names[CALLS] = {
    "begin", "produce", "offsets", "commit", "abort", "renew", "committed"};

/* What the committed offsets say. */
enum said { NOTHING, OURS, BEFORE, FOREIGN };

static struct fake {
    char log[2048]; /* Calls made, in order. */
    int answers[CALLS][8], count[CALLS], next[CALLS];
    enum said said;
    struct broker_offset offsets[8];
    char metadata[8][BROKER_METADATA_BYTES]; /* Sent last. */
    int offset_count;
    char before[BROKER_METADATA_BYTES];
    int topics[64], partitions[64]; /* Of what was produced. */
    size_t produced;
    uint64_t random;
} fake;

static int answer(enum call call)
{
    size_t len = strlen(fake.log);
    int given = BROKER_OK;

    if (fake.next[call] < fake.count[call])
        given = fake.answers[call][fake.next[call]++];
    snprintf(fake.log + len, sizeof(fake.log) - len, "%s%s", len ? " " : "",
             names[call]);
    return given;
}

static int fake_begin(void *impl)
{
    (void)impl;
    fake.produced = 0;
    return answer(BEGIN);
}

static int fake_produce(void *impl, const struct broker_record *record)
{
    int given = answer(PRODUCE);

    (void)impl;
    if (given == BROKER_OK) {
        fake.topics[fake.produced] = record->topic;
        fake.partitions[fake.produced++] = record->partition;
    }
    return given;
}

static int fake_offsets(void *impl, const struct broker_offset *offsets,
                        int count)
{
    (void)impl;
    fake.offset_count = count;
    for (int i = 0; i < count; i++) {
        fake.offsets[i] = offsets[i];
        snprintf(fake.metadata[i], BROKER_METADATA_BYTES, "%s",
                 offsets[i].metadata);
    }
    return answer(OFFSETS);
}

static int fake_commit(void *impl)
{
    int given = answer(COMMIT);

    (void)impl;
    if (given == BROKER_OK)
        snprintf(fake.before, sizeof(fake.before), "%s", fake.metadata[0]);
    return given;
}

static int fake_abort(void *impl)
{
    (void)impl;
    return answer(ABORT);
}

static int fake_renew(void *impl)
{
    (void)impl;
    return answer(RENEW);
}

static int64_t fake_delivered(void *impl, int topic, int partition)
{
    (void)impl;
    for (size_t i = 0; i < fake.produced; i++)
        if (fake.topics[i] == topic && fake.partitions[i] == partition)
            return 1000;
    return -1;
}

static int fake_committed(void *impl, uint64_t question, int partition,
                          struct broker_committed *out)
{
    int given = answer(COMMITTED);
    const char *metadata = "";

    (void)impl;
    (void)question;
    (void)partition;
    if (fake.said == OURS)
        metadata = fake.metadata[0];
    if (fake.said == BEFORE)
        metadata = fake.before;
    if (fake.said == FOREIGN)
        metadata = "v1:2:0:00000000000000ff";
    out->offset = metadata[0] ? 1 : -1;
    snprintf(out->metadata, sizeof(out->metadata), "%s", metadata);
    return given;
}

static uint64_t fake_random(void *impl)
{
    (void)impl;
    return ++fake.random;
}

static struct broker broker = {.begin = fake_begin,
                               .produce = fake_produce,
                               .send_offsets = fake_offsets,
                               .commit = fake_commit,
                               .abort = fake_abort,
                               .renew = fake_renew,
                               .delivered = fake_delivered,
                               .committed = fake_committed,
                               .random = fake_random};

/* ---- a worker with some partitions --------------------------------------- */

enum { LEDGERS = 3, NOW = 1000000 };

static struct ledger_input inputs[2] = {{"a", PARTITIONER_TRUST, 0},
                                        {"b", PARTITIONER_TRUST, 0}};
static struct ledger_options options;
static struct commit_options settings;
static struct commit *commit;
static struct ledger *ledgers[LEDGERS];
static int64_t now_ms;

static void setup(void)
{
    const struct meta_mark zero[SEG_TOPICS_MAX] = {
        {0, -1, 0, 0}, {0, -1, 0, 0}, {0, -1, 0, 0}};

    memset(&fake, 0, sizeof(fake));
    now_ms = NOW;
    options = (struct ledger_options){.catalogue = sim_catalogue(0),
                                      .app = "app",
                                      .version = "0",
                                      .inputs = inputs,
                                      .input_count = 2,
                                      .partition_count = 8,
                                      .clock_records = 1,
                                      .trigger_max_age_ms = INT64_C(1) << 40,
                                      .flush_interval_ms = 30000,
                                      .refresh_ms = INT64_C(1) << 40,
                                      .users_per_flush = 2,
                                      .record_bytes_max = 1 << 20,
                                      .dead_letter_bytes = 100};
    settings = (struct commit_options){.broker = &broker,
                                       .linger_busy_ms = 20,
                                       .linger_behind_ms = 250,
                                       .transaction_age_ms = 1000,
                                       .outbox_bytes = 4000,
                                       .transaction_timeout_ms = 10000,
                                       .deadline_ms = 8000,
                                       .slow_ms = 4000,
                                       .retry_ms = 100,
                                       .retry_max_ms = 500};
    ck_assert_int_eq(commit_new(&commit, &settings), 0);
    while (commit_turn(commit, now_ms) != COMMIT_IDLE)
        ;
    for (int p = 0; p < LEDGERS; p++) {
        ck_assert_int_eq(ledger_new(&ledgers[p], &options, p), 0);
        ck_assert_int_eq(ledger_reset(ledgers[p], 0), 0);
        flush_start(ledgers[p], zero, zero, now_ms);
        ck_assert_int_eq(commit_add(commit, ledgers[p]), 0);
    }
}

static void teardown(void)
{
    commit_free(commit);
    for (int p = 0; p < LEDGERS; p++)
        ledger_free(ledgers[p]);
}

/* USER did A at OFFSET of input 0 of partition P. */
static void apply(int p, const char *user, int64_t offset)
{
    char json[200];
    struct seg_event event;
    struct broker_record record = {.topic = BROKER_INPUT(0),
                                   .partition = p,
                                   .offset = offset,
                                   .timestamp_ms = 1000,
                                   .value = json};

    record.value_len = (size_t)snprintf(
        json, sizeof(json),
        "{\"type\":\"track\",\"userId\":\"%s\",\"event\":\"A\"}", user);
    seg_decoder_reset(ledgers[p]->decoder);
    int reason = ledger_decode(ledgers[p], ledgers[p]->decoder, 0, json,
                               record.value_len, &event);
    ck_assert_int_eq(
        ledger_apply(ledgers[p], 0, &record, &event, reason, now_ms), 0);
}

/* Take turns until idle, fenced, or for long; every turn takes STEP_MS. */
static enum commit_state finish(int64_t step_ms)
{
    enum commit_state state = COMMIT_BUSY;

    for (int i = 0; i < 60 && state == COMMIT_BUSY; i++) {
        state = commit_turn(commit, now_ms);
        now_ms += step_ms;
    }
    return state;
}

static void clear_log(void)
{
    fake.log[0] = 0;
}

static uint64_t dirty(void)
{
    uint64_t sum = 0;

    for (int p = 0; p < LEDGERS; p++)
        if (ledgers[p]->engine)
            sum += seg_engine_dirty_count(ledgers[p]->engine);
    return sum;
}

/* ---- a transaction ------------------------------------------------------ */

START_TEST(the_first_turns_make_a_producer)
{
    ck_assert_str_eq(fake.log, "renew");
}
END_TEST

START_TEST(nothing_to_say_is_no_transaction)
{
    clear_log();
    commit_start(commit, now_ms);
    ck_assert_int_eq(finish(1), COMMIT_IDLE);
    ck_assert_str_eq(fake.log, "");
    ck_assert(commit_due_ms(commit, COMMIT_LOAD_IDLE) == SEG_NEVER);
}
END_TEST

START_TEST(offsets_of_all_inputs_of_those_who_write_are_sent)
{
    struct meta_offsets offsets;

    apply(0, "u", 7);
    apply(2, "v", 3);
    commit_start(commit, now_ms);
    ck_assert_int_eq(finish(1), COMMIT_IDLE);
    ck_assert_int_eq(fake.offset_count, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(fake.offsets[i].partition, i < 2 ? 0 : 2);
        ck_assert_int_eq(fake.offsets[i].input, i % 2);
        ck_assert_int_eq(fake.offsets[i].offset, i % 2 ? 0 : i < 2 ? 8 : 4);
        ck_assert_int_eq(meta_offsets_read(fake.metadata[i], &offsets), 0);
        ck_assert_uint_eq(offsets.txn, 1);
        ck_assert_uint_eq(offsets.tag, fake.random);
    }
    ck_assert_uint_eq(ledgers[0]->committed.txn, 1);
    ck_assert_uint_eq(ledgers[1]->committed.txn, 0);
    ck_assert_int_eq(ledgers[0]->outputs[0].position, 1000);
    ck_assert_int_eq(ledgers[0]->outputs[0].witness, 999);
}
END_TEST

/* Outputs, then users, then the meta record. */
START_TEST(the_meta_record_goes_last)
{
    apply(0, "u", 7);
    now_ms += 30000;
    commit_start(commit, now_ms);
    ck_assert_int_eq(finish(1), COMMIT_IDLE);
    size_t changes = 0;
    while (fake.topics[changes] != BROKER_STATE)
        changes++;
    ck_assert_uint_gt(changes, 0);
    ck_assert_uint_eq(fake.produced, changes + 2);
    ck_assert_uint_eq(dirty(), 0);
}
END_TEST

/* ---- when calls fail ---------------------------------------------------- */

#define ANSWERS(...) {__VA_ARGS__}, sizeof((int[]){__VA_ARGS__}) / sizeof(int)

static const struct {
    const char *what;
    enum call call; /* Which call answers ... */
    int answers[8]; /* ... this, then OK. */
    size_t count;
    enum said said;
    int64_t step_ms; /* Time passes by it at each turn. */
    const char *log;
    enum commit_state state;
    int sent; /* 1: in the end it is committed, once. */
} failures[] = {
    {"nothing",
     BEGIN,
     {0},
     0,
     NOTHING,
     1,
     "begin produce offsets commit",
     COMMIT_IDLE,
     1},
    {"a full queue goes on where it was", PRODUCE,
     ANSWERS(BROKER_AGAIN, BROKER_AGAIN), NOTHING, 1,
     "begin produce produce produce offsets commit", COMMIT_IDLE, 1},
    {"a failed record", PRODUCE, ANSWERS(BROKER_ABORT), NOTHING, 60,
     "begin produce abort begin produce offsets commit", COMMIT_IDLE, 1},
    {"refused offsets", OFFSETS, ANSWERS(BROKER_REFUSED), NOTHING, 60,
     "begin produce offsets abort begin produce offsets commit", COMMIT_IDLE,
     1},
    {"offsets take long", OFFSETS, ANSWERS(BROKER_AGAIN), NOTHING, 1,
     "begin produce offsets offsets commit", COMMIT_IDLE, 1},
    {"an aborted commit", COMMIT, ANSWERS(BROKER_ABORT), NOTHING, 60,
     "begin produce offsets commit abort begin produce offsets commit",
     COMMIT_IDLE, 1},
    {"a commit that takes long", COMMIT, ANSWERS(BROKER_AGAIN, BROKER_AGAIN),
     NOTHING, 1, "begin produce offsets commit commit commit", COMMIT_IDLE, 1},
    {"an answer lost, committed", COMMIT, ANSWERS(BROKER_FATAL), OURS, 60,
     "begin produce offsets commit renew committed", COMMIT_IDLE, 1},
    {"an answer lost, not committed", COMMIT, ANSWERS(BROKER_FATAL), BEFORE, 60,
     "begin produce offsets commit renew committed "
     "begin produce offsets commit",
     COMMIT_IDLE, 1},
    {"an answer lost, taken over", COMMIT, ANSWERS(BROKER_FATAL), FOREIGN, 60,
     "begin produce offsets commit renew committed", COMMIT_IDLE, 0},
    {"a producer dead at the start", BEGIN, ANSWERS(BROKER_FATAL), BEFORE, 60,
     "begin renew committed begin produce offsets commit", COMMIT_IDLE, 1},
    {"a producer dead at the offsets", OFFSETS, ANSWERS(BROKER_FATAL), BEFORE,
     60, "begin produce offsets renew committed begin produce offsets commit",
     COMMIT_IDLE, 1},
    {"a commit given up", COMMIT,
     ANSWERS(BROKER_AGAIN, BROKER_AGAIN, BROKER_AGAIN, BROKER_AGAIN), OURS,
     4000, "begin produce offsets commit commit commit renew committed",
     COMMIT_IDLE, 1},
    {"a slow commit costs the producer", COMMIT, ANSWERS(BROKER_AGAIN), NOTHING,
     4000, "begin produce offsets commit commit renew", COMMIT_IDLE, 1},
    {"thrown out of the group", OFFSETS, ANSWERS(BROKER_LOST), NOTHING, 1,
     "begin produce offsets abort", COMMIT_LOST, 0},
    {"fenced by another process", PRODUCE, ANSWERS(BROKER_FENCED), NOTHING, 1,
     "begin produce", COMMIT_FENCED, 0},
    {"fenced by the time-out (the last call is slow, too)", OFFSETS,
     ANSWERS(BROKER_FENCED), BEFORE, 5000,
     "begin produce offsets renew committed begin produce offsets commit renew",
     COMMIT_IDLE, 1},
};

START_TEST(a_failed_call_is_answered_as_the_protocol_says)
{
    enum commit_state state;
    struct commit_stats stats;

    /* One transaction before, so that there is something to compare with. */
    apply(0, "u", 0);
    commit_start(commit, now_ms);
    ck_assert_int_eq(finish(1), COMMIT_IDLE);
    apply(0, "v", 1); /* One change is enough. */
    ck_assert_uint_ge(ledgers[0]->outbox.count, 1);
    ledgers[0]->outbox.count = 1;
    clear_log();
    fake.said = failures[_i].said;
    fake.count[failures[_i].call] = (int)failures[_i].count;
    fake.next[failures[_i].call] = 0;
    memcpy(fake.answers[failures[_i].call], failures[_i].answers,
           sizeof(failures[_i].answers));
    commit_start(commit, now_ms);
    state = finish(failures[_i].step_ms);
    ck_assert_msg(!strcmp(fake.log, failures[_i].log), "%s:\n got %s\nwant %s",
                  failures[_i].what, fake.log, failures[_i].log);
    ck_assert_msg(state == failures[_i].state, "%s: state %d, want %d",
                  failures[_i].what, state, failures[_i].state);
    commit_stats(commit, &stats);
    ck_assert_msg(stats.committed == 1 + (uint64_t)failures[_i].sent,
                  "%s: %d committed", failures[_i].what, (int)stats.committed);
    if (failures[_i].sent) {
        ck_assert_uint_eq(ledgers[0]->outbox.count, 0);
        ck_assert_uint_eq(ledgers[0]->committed.txn, 2);
    }
}
END_TEST

START_TEST(an_undecided_commit_is_told_until_it_is_decided)
{
    struct commit_stats stats;
    int told = 0;

    apply(0, "u", 0);
    fake.answers[COMMIT][0] = BROKER_FATAL;
    fake.count[COMMIT] = 1;
    fake.said = BEFORE;
    commit_start(commit, now_ms);
    for (int turn = 0; turn < 20 && commit_turn(commit, now_ms) == COMMIT_BUSY;
         turn++) {
        commit_stats(commit, &stats);
        told += stats.undecided;
        ck_assert_int_eq(stats.undecided, stats.unknown && !stats.aborted);
        now_ms += 60;
    }
    ck_assert_int_gt(told, 1);
    commit_stats(commit, &stats);
    ck_assert_int_eq(stats.undecided, 0);
}
END_TEST

START_TEST(every_attempt_has_a_tag_of_its_own)
{
    char first[BROKER_METADATA_BYTES];

    apply(0, "u", 0);
    fake.count[COMMIT] = 1;
    fake.answers[COMMIT][0] = BROKER_ABORT;
    commit_start(commit, now_ms);
    while (!strstr(fake.log, "commit"))
        commit_turn(commit, now_ms++);
    snprintf(first, sizeof(first), "%s", fake.metadata[0]);
    ck_assert_int_eq(finish(60), COMMIT_IDLE);
    ck_assert_str_ne(first, fake.metadata[0]);
    ck_assert_uint_eq(ledgers[0]->committed.tag, fake.random);
}
END_TEST

/* One producer is refused its transactions, or one after the other is. */
static const enum broker_answer refusals[] = {BROKER_REFUSED, BROKER_FATAL};

START_TEST(the_wait_after_an_abort_doubles)
{
    int64_t waits[6], count = 0;

    apply(0, "u", 0);
    fake.said = BEFORE;
    fake.count[COMMIT] = 6;
    for (int i = 0; i < 6; i++)
        fake.answers[COMMIT][i] = refusals[_i];
    commit_start(commit, now_ms);
    for (int i = 0; i < 200 && count < 6; i++) {
        commit_turn(commit, now_ms);
        if (commit_wait_ms(commit) > now_ms) {
            waits[count++] = commit_wait_ms(commit) - now_ms;
            now_ms = commit_wait_ms(commit);
        }
    }
    ck_assert_int_eq(count, 6);
    ck_assert_int_eq(waits[0], 100);
    ck_assert_int_eq(waits[1], 200);
    ck_assert_int_eq(waits[2], 400);
    ck_assert_int_eq(waits[3], 500);
    ck_assert_int_eq(waits[5], 500);
    ck_assert_int_eq(finish(1), COMMIT_IDLE);
}
END_TEST

START_TEST(all_are_lost_when_the_group_says_so)
{
    apply(0, "u", 0);
    fake.count[OFFSETS] = 1;
    fake.answers[OFFSETS][0] = BROKER_LOST;
    commit_start(commit, now_ms);
    ck_assert_int_eq(finish(1), COMMIT_LOST);
    for (int p = 0; p < LEDGERS; p++) {
        ck_assert(ledgers[p]->lost);
        ck_assert_ptr_null(ledgers[p]->engine);
    }
    ck_assert_int_eq(commit_state(commit), COMMIT_IDLE);
    ck_assert(commit_due_ms(commit, COMMIT_LOAD_IDLE) == SEG_NEVER);
}
END_TEST

/* ---- leaving ------------------------------------------------------------ */

/* Partition 0 leaves after TURNS turns; 1 and 2 stay and are sent. */
static const struct {
    int turns, keep, again;
    const char *log;
    int kept;
} leavers[] = {
    {0, 1, 0, "begin produce offsets commit", 0},
    {1, 1, 0, "begin abort begin produce offsets commit", 0},
    {2, 1, 0, "begin produce produce abort begin produce offsets commit", 0},
    {3, 1, 0,
     "begin produce produce offsets abort begin produce offsets commit", 0},
    {4, 1, 1,
     "begin produce produce offsets commit renew committed "
     "begin produce offsets commit",
     1},
    {4, 0, 1,
     "begin produce produce offsets commit renew committed "
     "begin produce offsets commit",
     0},
};

START_TEST(what_leaves_takes_its_records_along)
{
    int kept;

    apply(0, "u", 0);
    ledgers[0]->outbox.count = 1;
    apply(1, "v", 0);
    ledgers[1]->outbox.count = 1;
    clear_log();
    fake.said = NOTHING; /* Nobody has ever committed. */
    fake.count[COMMIT] = leavers[_i].again;
    fake.answers[COMMIT][0] = BROKER_AGAIN;
    commit_start(commit, now_ms);
    for (int i = 0; i < leavers[_i].turns; i++)
        commit_turn(commit, now_ms++);
    kept = commit_remove(commit, ledgers[0], leavers[_i].keep, now_ms);
    ck_assert_int_eq(finish(60), COMMIT_IDLE);
    ck_assert_msg(!strcmp(fake.log, leavers[_i].log),
                  "row %d:\n got %s\nwant %s", _i, fake.log, leavers[_i].log);
    ck_assert_int_eq(kept, leavers[_i].kept);
    /* The last transaction holds nothing of it. */
    for (size_t i = 0; i < fake.produced; i++)
        ck_assert_int_eq(fake.partitions[i], 1);
    ck_assert_int_eq(fake.offset_count, 2);
    ck_assert_int_eq(fake.offsets[0].partition, 1);
}
END_TEST

START_TEST(a_kept_state_has_the_name_of_the_attempt)
{
    struct meta_offsets sent;

    apply(0, "u", 0);
    fake.count[COMMIT] = 1;
    fake.answers[COMMIT][0] = BROKER_AGAIN;
    commit_start(commit, now_ms);
    for (int i = 0; i < 4; i++)
        commit_turn(commit, now_ms++);
    ck_assert_int_eq(commit_remove(commit, ledgers[0], 1, now_ms), 1);
    ck_assert_int_eq(meta_offsets_read(fake.metadata[0], &sent), 0);
    ck_assert_uint_eq(ledgers[0]->committed.tag, sent.tag);
    ck_assert_uint_eq(ledgers[0]->committed.txn, 1);
    ck_assert_uint_eq(ledgers[0]->outbox.count, 0);
}
END_TEST

/* One that takes no part leaves while others are being produced. */
START_TEST(leaving_does_not_disturb_the_others)
{
    apply(1, "u", 0);
    ledgers[1]->outbox.count = 1;
    apply(2, "v", 0);
    ledgers[2]->outbox.count = 1;
    fake.count[PRODUCE] = 2;
    fake.answers[PRODUCE][1] = BROKER_AGAIN;
    commit_start(commit, now_ms);
    commit_turn(commit, now_ms);
    commit_turn(commit, now_ms); /* Partition 2 waits for room. */
    commit_remove(commit, ledgers[0], 1, now_ms);
    ck_assert_int_eq(finish(1), COMMIT_IDLE);
    ck_assert_uint_eq(fake.produced, 2);
    ck_assert_int_eq(fake.partitions[0], 1);
    ck_assert_int_eq(fake.partitions[1], 2);
}
END_TEST

/* ---- when --------------------------------------------------------------- */

static const struct {
    enum commit_load load;
    int64_t due_ms;
} lingers[] = {
    {COMMIT_LOAD_IDLE, 0}, {COMMIT_LOAD_BUSY, 20}, {COMMIT_LOAD_BEHIND, 250}};

START_TEST(the_first_output_waits_as_the_load_says)
{
    apply(0, "u", 0);
    now_ms += 5;
    apply(1, "v", 0);
    int64_t due_ms = commit_due_ms(commit, lingers[_i].load);
    ck_assert_msg(due_ms == NOW + lingers[_i].due_ms, "got %d, want %d",
                  (int)(due_ms - NOW), (int)lingers[_i].due_ms);
}
END_TEST

START_TEST(a_large_outbox_waits_for_nobody)
{
    char user[16];

    for (int i = 0; outbox_bytes(&ledgers[0]->outbox) <= 4000; i++) {
        ck_assert(commit_due_ms(commit, COMMIT_LOAD_BEHIND) > now_ms);
        snprintf(user, sizeof(user), "u%d", i);
        apply(0, user, i);
    }
    ck_assert(commit_due_ms(commit, COMMIT_LOAD_BEHIND) <= now_ms);
}
END_TEST

START_TEST(positions_alone_wait_longer)
{
    apply(0, "u", 0);
    commit_start(commit, now_ms);
    ck_assert_int_eq(finish(0), COMMIT_IDLE);
    now_ms += 10;
    apply(0, "u", 1);
    outbox_clear(&ledgers[0]->outbox);
    ck_assert_int_eq(commit_due_ms(commit, COMMIT_LOAD_IDLE), now_ms + 1000);
}
END_TEST

START_TEST(one_partition_is_flushed_at_a_time)
{
    int flushed[LEDGERS] = {0};

    for (int p = 0; p < LEDGERS; p++)
        for (int u = 0; u < 3; u++)
            apply(p, u == 0 ? "u" : u == 1 ? "v" : "w", u);
    commit_start(commit, now_ms);
    ck_assert_int_eq(finish(0), COMMIT_IDLE);
    ck_assert_uint_eq(dirty(), 9);
    now_ms += 40000;
    for (int n = 1; n <= 6; n++) {
        ck_assert(commit_due_ms(commit, COMMIT_LOAD_IDLE) <= now_ms);
        commit_start(commit, now_ms);
        ck_assert_int_eq(finish(0), COMMIT_IDLE);
        for (size_t i = 1; i < fake.produced; i++)
            ck_assert_int_eq(fake.partitions[i], fake.partitions[0]);
        flushed[fake.partitions[0]]++;
        /* Two of three at the first visit, the last at the second. */
        if (n == LEDGERS)
            ck_assert_uint_eq(dirty(), 3);
    }
    ck_assert_uint_eq(dirty(), 0);
    for (int p = 0; p < LEDGERS; p++)
        ck_assert_int_eq(flushed[p], 2);
    ck_assert(commit_due_ms(commit, COMMIT_LOAD_IDLE) == SEG_NEVER);
}
END_TEST

START_TEST(a_shutdown_flushes_all)
{
    for (int p = 0; p < LEDGERS; p++) {
        apply(p, "u", 0);
        apply(p, "v", 1);
        apply(p, "w", 2);
    }
    commit_flush_all(commit, 1);
    for (int n = 0; commit_due_ms(commit, COMMIT_LOAD_IDLE) != SEG_NEVER; n++) {
        ck_assert_int_lt(n, 3);
        commit_start(commit, now_ms);
        ck_assert_int_eq(finish(0), COMMIT_IDLE);
    }
    ck_assert_uint_eq(dirty(), 0);
}
END_TEST

SUITE("commit", setup, teardown, TEST(the_first_turns_make_a_producer),
      TEST(nothing_to_say_is_no_transaction),
      TEST(offsets_of_all_inputs_of_those_who_write_are_sent),
      TEST(the_meta_record_goes_last),
      TABLE(a_failed_call_is_answered_as_the_protocol_says, failures),
      TEST(an_undecided_commit_is_told_until_it_is_decided),
      TEST(every_attempt_has_a_tag_of_its_own),
      TABLE(the_wait_after_an_abort_doubles, refusals),
      TEST(all_are_lost_when_the_group_says_so),
      TABLE(what_leaves_takes_its_records_along, leavers),
      TEST(a_kept_state_has_the_name_of_the_attempt),
      TEST(leaving_does_not_disturb_the_others),
      TABLE(the_first_output_waits_as_the_load_says, lingers),
      TEST(a_large_outbox_waits_for_nobody), TEST(positions_alone_wait_longer),
      TEST(one_partition_is_flushed_at_a_time), TEST(a_shutdown_flushes_all))
