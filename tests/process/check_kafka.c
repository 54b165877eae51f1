/* check_kafka.c: daemon/kafka against a real broker.
 *
 * kafka.py starts one and runs this with KAFKA=host:port and KAFKA_PID. The
 * machine may be busy: sessions and transactions last long but where a test is
 * about their end, and whatever takes its time is waited for. */
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/kafka/broker.h"
#include "daemon/kafka/consumer.h"
#include "tests/support/suite.h"

#define PARTITIONS 4
#define WAIT_MS    30000

/* ---- one process's worth of handles ------------------------------------- */

struct member {
    struct client client;
    struct bell bell;
    struct kafka_broker *kafka;
    struct broker *calls;
    struct consumer *consumer;
    int assigned[PARTITIONS];
    int assignments, revocations, losses;
    int lost_first; /* The first revocation was a loss. */
};

static char app[64];
static struct conf_input inputs[2];
static struct conf_property properties[8];
static struct conf conf;
static int64_t now_ms; /* About. Half a minute after its start, and later, the
                        * broker deletes what is older than the topic keeps. */

static const char *name_of(const char *suffix)
{
    static char names[8][CLIENT_TOPIC_BYTES];
    static int next;
    char *out = names[next++ % 8];
    snprintf(out, CLIENT_TOPIC_BYTES, "%s.%s", app, suffix);
    return out;
}

static void property(const char *name, const char *value)
{
    properties[conf.property_count++] =
        (struct conf_property){.name = name, .value = {.value = value}};
}

static void make_topic(rd_kafka_t *rk, const char *name)
{
    char why[256];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(name, PARTITIONS, 1, why, sizeof(why));
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    ck_assert_ptr_nonnull(event);
    ck_assert_msg(!rd_kafka_event_error(event), "%s",
                  rd_kafka_event_error_string(event));
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
}

/* Whether the broker itself knows TOPIC, with a leader of each partition. */
static int is_known(rd_kafka_t *rk, const char *name)
{
    const rd_kafka_metadata_t *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    int led = 0;
    if (!rd_kafka_metadata(rk, 0, topic, &metadata, 1000)) {
        for (int p = 0; p < metadata->topics[0].partition_cnt; p++)
            led += metadata->topics[0].partitions[p].leader >= 0;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    return led == PARTITIONS;
}

/* What is made is known to the controller; the broker hears of it later. */
static void wait_known(rd_kafka_t *rk, const char *name)
{
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;
    while (!is_known(rk, name)) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "no topic %s", name);
        poll(NULL, 0, 10);
    }
}

static void tell(void *arg, const char *topic, int partitions,
                 const char *error)
{
    (void)arg;
    ck_assert_msg(!error && partitions == PARTITIONS, "%s: %s", topic, error);
}

/* Topics of its own for every test. */
static void setup(void)
{
    char why[CLIENT_WHY_BYTES] = "", output[CLIENT_TOPIC_BYTES];
    struct client client = {.conf = &conf, .worker = -1};
    ck_assert_msg(getenv("KAFKA") != NULL, "KAFKA is not set");
    clock_open();
    now_ms = clock_wall_ms() - 60000;
    snprintf(app, sizeof(app), "check%d-%lld", getpid(),
             (long long)clock_monotonic_us());
    memset(&conf, 0, sizeof(conf));
    conf.app = app;
    conf.group = conf.process = conf.instance_id = "";
    conf.process = "one";
    conf.http_advertise.text = "";
    conf.flush_interval_ms = 30000;
    conf.http_address = (struct conf_address){"127.0.0.1:1", "127.0.0.1", 1};
    conf.path = "test.conf";
    conf.input_count = 2;
    conf.inputs = inputs;
    inputs[0].topic = strdup(name_of("in-a"));
    inputs[1].topic = strdup(name_of("in-b"));
    conf.properties = properties;
    property("bootstrap.servers", getenv("KAFKA"));
    property("session.timeout.ms", "30000");
    property("heartbeat.interval.ms", "200");
    rd_kafka_conf_t *config = client_conf(&client, CLIENT_WATCHER, why);
    ck_assert_msg(config != NULL, "%s", why);
    rd_kafka_t *rk = client_new(config, CLIENT_WATCHER, why);
    make_topic(rk, inputs[0].topic);
    make_topic(rk, inputs[1].topic);
    wait_known(rk, inputs[0].topic);
    wait_known(rk, inputs[1].topic);
    int r = admin_create(&client, 0, 1, tell, NULL, why);
    ck_assert_msg(r == 0, "%d %s", r, why);
    for (int i = 0; i < BROKER_OUTPUTS; i++)
        wait_known(rk, client_topic(&conf, i, output));
    rd_kafka_destroy(rk);
}

static void on_assigned(void *arg, const int *partitions, int count)
{
    struct member *member = arg;
    member->assignments++;
    for (int i = 0; i < count; i++)
        member->assigned[partitions[i]] = 1;
}

static void on_revoked(void *arg, const int *partitions, int count, int lost)
{
    struct member *member = arg;
    if (!member->revocations++)
        member->lost_first = lost;
    member->losses += lost;
    for (int i = 0; i < count; i++)
        member->assigned[partitions[i]] = 0;
}

static void open_member(struct member *member, int worker)
{
    char why[CLIENT_WHY_BYTES] = "";
    memset(member, 0, sizeof(*member));
    member->client = (struct client){.conf = &conf, .worker = worker};
    ck_assert_int_eq(bell_open(&member->bell), 0);
    int r = kafka_broker_open(&member->kafka, &member->client, &member->bell, 0,
                              why);
    ck_assert_msg(r == 0, "%d %s", r, why);
    member->calls = kafka_broker_calls(member->kafka);
}

static void join(struct member *member)
{
    char why[CLIENT_WHY_BYTES] = "";
    struct consumer_events events = {
        .arg = member, .assigned = on_assigned, .revoked = on_revoked};
    int r = consumer_open(&member->consumer, &member->client, &member->bell,
                          PARTITIONS, &events, why);
    ck_assert_msg(r == 0, "%d %s", r, why);
    kafka_broker_set_member(member->kafka, consumer_handle(member->consumer));
}

static void close_member(struct member *member)
{
    kafka_broker_set_member(member->kafka, NULL);
    consumer_close(member->consumer, 5000);
    kafka_broker_close(member->kafka);
    bell_close(&member->bell);
}

/* ---- waiting ------------------------------------------------------------ */

/* Evaluates EXPRESSION until it is not BROKER_AGAIN. */
#define FINISH(member, expression)                                        \
    ({                                                                    \
        int64_t until_ = clock_monotonic_ms() + WAIT_MS;                  \
        int answer_;                                                      \
        while ((answer_ = (expression)) == BROKER_AGAIN) {                \
            ck_assert_msg(clock_monotonic_ms() < until_, "%s: no answer", \
                          #expression);                                   \
            bell_wait(&(member)->bell, -1, 10);                           \
        }                                                                 \
        answer_;                                                          \
    })

#define ANSWERS(member, expression, want)                                      \
    do {                                                                       \
        int got_ = FINISH(member, expression);                                 \
        ck_assert_msg(got_ == (want), "%s: got %s, want %s (%s)", #expression, \
                      broker_answer_name(got_), broker_answer_name(want),      \
                      (member)->calls->reason((member)->calls->impl));         \
    } while (0)

#define CALL(member, name, ...) \
    (member)->calls->name((member)->calls->impl, ##__VA_ARGS__)

static int owned(const struct member *member)
{
    int n = 0;
    for (int p = 0; p < PARTITIONS; p++)
        n += member->assigned[p];
    return n;
}

/* Poll until MEMBER owns COUNT partitions. */
static void wait_owned(struct member *member, struct member *other, int count)
{
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;
    while (owned(member) != count) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "owns %d, want %d",
                      owned(member), count);
        consumer_poll(member->consumer);
        if (other)
            consumer_poll(other->consumer);
        bell_wait(&member->bell, -1, 10);
    }
}

static int has_id(const struct member *member)
{
    rd_kafka_t *rk = consumer_handle(member->consumer);
    char *id = rd_kafka_memberid(rk);
    int has = id && id[0];
    if (id)
        rd_kafka_mem_free(rk, id);
    return has;
}

/* Until MEMBER, which does not poll, has heard by a heartbeat that the group
 * threw it out; OTHER stays. */
static void wait_thrown_out(struct member *member, struct member *other)
{
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;
    while (has_id(member)) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "it is a member still");
        consumer_poll(other->consumer);
        bell_wait(&other->bell, -1, 10);
    }
}

/* ---- producing and looking ---------------------------------------------- */

static struct broker_record record(int topic, int partition, const char *value)
{
    return (struct broker_record){.topic = topic,
                                  .partition = partition,
                                  .timestamp_ms = now_ms,
                                  .key = "u1",
                                  .key_len = 2,
                                  .value = value,
                                  .value_len = value ? strlen(value) : 0};
}

static void put(struct member *member, int topic, int partition,
                const char *value)
{
    struct broker_record r = record(topic, partition, value);
    ANSWERS(member, CALL(member, produce, &r), BROKER_OK);
}

/* Until what was put into partition 1 of the changes is in the log. */
static void wait_delivered(struct member *member)
{
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;
    while (CALL(member, delivered, BROKER_CHANGES, 1) < 0) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "not delivered: %s",
                      CALL(member, reason));
        kafka_broker_serve(member->kafka);
        bell_wait(&member->bell, -1, 5);
    }
}

static int offsets(struct member *member, int64_t offset, const char *metadata)
{
    struct broker_offset list[] = {{0, 1, offset, metadata},
                                   {1, 1, offset + 1, metadata}};
    return CALL(member, send_offsets, list, 2);
}

/* Read TOPIC to its uncommitted end; the values, one after the other. */
static int64_t read_all(struct member *member, int topic, int partition,
                        char *out)
{
    int64_t low, high, at = 0;
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;
    uint64_t question = broker_question(member->calls);
    struct broker_read read;
    *out = '\0';
    ANSWERS(member,
            CALL(member, watermarks, question, topic, partition, &low, &high),
            BROKER_OK);
    while (at < high) {
        int r = CALL(member, read, topic, partition, at, high, &read);
        ck_assert_msg(clock_monotonic_ms() < until_ms, "stuck at %lld of %lld",
                      (long long)at, (long long)high);
        ck_assert_msg(r == BROKER_OK || r == BROKER_AGAIN, "%s: %s",
                      broker_answer_name(r), CALL(member, reason));
        at = read.position;
        if (r == BROKER_OK)
            strncat(out, read.record.value ? read.record.value : "(null)",
                    read.record.value ? read.record.value_len : 6);
        else
            bell_wait(&member->bell, -1, 10);
    }
    CALL(member, stop, topic, partition);
    return at;
}

static void committed(struct member *member, int64_t *offset, char *metadata)
{
    struct broker_committed list[2];
    uint64_t question = broker_question(member->calls);
    ANSWERS(member, CALL(member, committed, question, 1, list), BROKER_OK);
    *offset = list[0].offset;
    strcpy(metadata, list[0].metadata);
    ck_assert_int_eq(list[1].offset, *offset < 0 ? -1 : *offset + 1);
}

/* ---- the tests ---------------------------------------------------------- */

START_TEST(a_transaction_is_seen_whole)
{
    struct member a;
    struct broker_header header = {"reason", "bad", 3};
    struct broker_record letter = record(BROKER_DEAD_LETTERS, 3, NULL);
    char text[256], metadata[BROKER_METADATA_BYTES];
    int64_t offset;
    open_member(&a, 0);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    join(&a);
    wait_owned(&a, NULL, PARTITIONS);
    committed(&a, &offset, metadata);
    ck_assert_int_eq(offset, -1);
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    put(&a, BROKER_CHANGES, 1, "x");
    put(&a, BROKER_CHANGES, 1, "y");
    put(&a, BROKER_STATE, 1, NULL);
    letter.headers = &header;
    letter.header_count = 1;
    ANSWERS(&a, CALL(&a, produce, &letter), BROKER_OK);
    ANSWERS(&a, offsets(&a, 41, "v1:1:2:3"), BROKER_OK);
    ANSWERS(&a, CALL(&a, commit), BROKER_OK);
    ck_assert_int_eq(CALL(&a, delivered, BROKER_CHANGES, 1), 2);
    ck_assert_int_eq(CALL(&a, delivered, BROKER_STATE, 1), 1);
    ck_assert_int_eq(CALL(&a, delivered, BROKER_CHANGES, 0), -1);
    committed(&a, &offset, metadata);
    ck_assert_int_eq(offset, 41);
    ck_assert_str_eq(metadata, "v1:1:2:3");
    read_all(&a, BROKER_CHANGES, 1, text);
    ck_assert_str_eq(text, "xy");
    read_all(&a, BROKER_STATE, 1, text);
    ck_assert_str_eq(text, "(null)");
    /* And the next one, right behind it. */
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    put(&a, BROKER_CHANGES, 1, "z");
    ANSWERS(&a, offsets(&a, 42, "v1:2:2:4"), BROKER_OK);
    ANSWERS(&a, CALL(&a, commit), BROKER_OK);
    ck_assert_int_eq(CALL(&a, delivered, BROKER_CHANGES, 1), 4);
    ck_assert_int_eq(CALL(&a, delivered, BROKER_STATE, 1), -1);
    read_all(&a, BROKER_CHANGES, 1, text);
    ck_assert_str_eq(text, "xyz");
    close_member(&a);
}
END_TEST

START_TEST(an_aborted_transaction_is_not_seen)
{
    struct member a;
    char text[256], metadata[BROKER_METADATA_BYTES];
    int64_t offset;
    open_member(&a, 0);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    join(&a);
    wait_owned(&a, NULL, PARTITIONS);
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    put(&a, BROKER_CHANGES, 1, "x");
    wait_delivered(&a);
    ANSWERS(&a, offsets(&a, 41, "v1:1:2:3"), BROKER_OK);
    ANSWERS(&a, CALL(&a, abort), BROKER_OK);
    ANSWERS(&a, CALL(&a, abort), BROKER_OK);
    committed(&a, &offset, metadata);
    ck_assert_int_eq(offset, -1);
    ck_assert_int_ge(read_all(&a, BROKER_CHANGES, 1, text), 1);
    ck_assert_str_eq(text, "");
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    put(&a, BROKER_CHANGES, 1, "y");
    ANSWERS(&a, offsets(&a, 41, "v1:1:2:4"), BROKER_OK);
    ANSWERS(&a, CALL(&a, commit), BROKER_OK);
    read_all(&a, BROKER_CHANGES, 1, text);
    ck_assert_str_eq(text, "y");
    close_member(&a);
}
END_TEST

/* Whoever asks for committed offsets waits until the transaction they are
 * pending in has ended. */
START_TEST(pending_offsets_are_waited_for)
{
    struct member a, b;
    struct broker_committed list[2];
    open_member(&a, 0);
    open_member(&b, 1);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    join(&a);
    wait_owned(&a, NULL, PARTITIONS);
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    put(&a, BROKER_CHANGES, 1, "x");
    ANSWERS(&a, offsets(&a, 7, "v1:1:2:3"), BROKER_OK);
    uint64_t question = broker_question(b.calls);
    for (int64_t until_ms = clock_monotonic_ms() + 600;
         clock_monotonic_ms() < until_ms; bell_wait(&b.bell, -1, 10))
        ck_assert_int_eq(CALL(&b, committed, question, 1, list), BROKER_AGAIN);
    ANSWERS(&a, CALL(&a, commit), BROKER_OK);
    ANSWERS(&b, CALL(&b, committed, question, 1, list), BROKER_OK);
    ck_assert_int_eq(list[0].offset, 7);
    close_member(&a);
    close_member(&b);
}
END_TEST

/* They do not keep others waiting: neither the committed offsets of partitions
 * where nothing is pending, nor watermarks, by which timers fire. */
START_TEST(pending_offsets_delay_nobody_else)
{
    struct member a, b;
    struct broker_committed list[2];
    int64_t low, high;
    int quick = 0;
    struct broker_offset pending[] = {
        {0, 1, 7, "v1:1:2:3"}, {0, 2, 7, "v1:1:2:3"}, {0, 3, 7, "v1:1:2:3"}};
    uint64_t questions[PARTITIONS];
    open_member(&a, 0);
    open_member(&b, 1);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    join(&a);
    wait_owned(&a, NULL, PARTITIONS);
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    ANSWERS(&a, CALL(&a, send_offsets, pending, 3), BROKER_OK);
    for (int p = 0; p < PARTITIONS; p++)
        questions[p] = broker_question(b.calls);
    for (int p = 1; p < PARTITIONS; p++)
        CALL(&b, committed, questions[p], p, list);
    ANSWERS(&b, CALL(&b, committed, questions[0], 0, list), BROKER_OK);
    for (int i = 0; i < 20; i++) {
        uint64_t q = broker_question(b.calls);
        int64_t began_ms = clock_monotonic_ms();
        ANSWERS(&b, CALL(&b, watermarks, q, BROKER_CHANGES, 1, &low, &high),
                BROKER_OK);
        quick += clock_monotonic_ms() - began_ms < 200;
        for (int p = 1; p < PARTITIONS; p++)
            ck_assert_int_eq(CALL(&b, committed, questions[p], p, list),
                             BROKER_AGAIN);
    }
    ck_assert_msg(strstr(CALL(&b, reason), "partition 3") != NULL, "%s",
                  CALL(&b, reason));
    /* Each would take that long behind offsets; one or the other may be slow
     * because the machine is. */
    ck_assert_msg(quick > 10, "%d of 20 watermarks were quick", quick);
    ANSWERS(&a, CALL(&a, commit), BROKER_OK);
    for (int p = 1; p < PARTITIONS; p++) {
        ANSWERS(&b, CALL(&b, committed, questions[p], p, list), BROKER_OK);
        ck_assert_int_eq(list[0].offset, 7);
        ck_assert_str_eq(list[0].metadata, "v1:1:2:3");
        ck_assert_int_eq(list[1].offset, -1);
    }
    close_member(&a);
    close_member(&b);
}
END_TEST

/* Whoever only wants to know how much there is, asks again and again; that
 * takes no answer from him who needs one of a certain moment. */
START_TEST(an_end_is_known_without_reading)
{
    struct member a;
    int64_t low, high, until_ms = clock_monotonic_ms() + WAIT_MS;
    open_member(&a, 0);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    ck_assert_int_eq(kafka_broker_end(a.kafka, BROKER_CHANGES, 1), -1);
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    put(&a, BROKER_CHANGES, 1, "x");
    wait_delivered(&a);
    uint64_t question = broker_question(a.calls);
    CALL(&a, watermarks, question, BROKER_CHANGES, 1, &low, &high);
    while (kafka_broker_end(a.kafka, BROKER_CHANGES, 1) != 1) {
        ck_assert_int_lt(clock_monotonic_ms(), until_ms);
        bell_wait(&a.bell, -1, 10);
    }
    ANSWERS(&a, CALL(&a, watermarks, question, BROKER_CHANGES, 1, &low, &high),
            BROKER_OK);
    ck_assert_int_eq(high, 1);
    ANSWERS(&a, CALL(&a, abort), BROKER_OK);
    close_member(&a);
}
END_TEST

START_TEST(without_membership_offsets_are_refused)
{
    struct member a;
    char text[256], metadata[BROKER_METADATA_BYTES];
    int64_t offset;
    open_member(&a, 0);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    put(&a, BROKER_CHANGES, 1, "x");
    ANSWERS(&a, offsets(&a, 41, "v1:1:2:3"), BROKER_LOST);
    ANSWERS(&a, CALL(&a, abort), BROKER_OK);
    committed(&a, &offset, metadata);
    ck_assert_int_eq(offset, -1);
    read_all(&a, BROKER_CHANGES, 1, text);
    ck_assert_str_eq(text, "");
    close_member(&a);
}
END_TEST

/* A member that did not poll for too long is thrown out: it may not commit what
 * it had begun, whether the transaction holds records or not. */
START_TEST(a_zombie_cannot_commit)
{
    struct member a, b;
    char text[256];
    int with_records = _i;
    property("session.timeout.ms", "3000");
    property("max.poll.interval.ms", "3000");
    open_member(&a, 0);
    open_member(&b, 1);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    join(&a);
    wait_owned(&a, NULL, PARTITIONS);
    join(&b);
    wait_owned(&b, NULL, PARTITIONS); /* A does not poll any more. */
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    if (with_records)
        put(&a, BROKER_CHANGES, 1, "x");
    ANSWERS(&a, offsets(&a, 41, "v1:1:2:3"), BROKER_LOST);
    ANSWERS(&a, CALL(&a, abort), BROKER_OK);
    read_all(&b, BROKER_CHANGES, 1, text);
    ck_assert_str_eq(text, "");
    wait_thrown_out(&a, &b);
    wait_owned(&a, &b, PARTITIONS / 2);
    /* On a busy machine it may be thrown out again, and is told so again. */
    ck_assert_msg(a.lost_first && a.revocations < a.assignments,
                  "%d of %d revocations are losses, %d assignments", a.losses,
                  a.revocations, a.assignments);
    close_member(&a);
    close_member(&b);
}
END_TEST

START_TEST(a_newer_producer_fences_the_older)
{
    struct member a, b;
    char text[256];
    open_member(&a, 0);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    join(&a);
    wait_owned(&a, NULL, PARTITIONS);
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    put(&a, BROKER_CHANGES, 1, "x");
    ANSWERS(&a, offsets(&a, 41, "v1:1:2:3"), BROKER_OK);
    open_member(&b, 0);
    ANSWERS(&b, CALL(&b, renew), BROKER_OK);
    ANSWERS(&a, CALL(&a, commit), BROKER_FENCED);
    read_all(&b, BROKER_CHANGES, 1, text);
    ck_assert_str_eq(text, "");
    close_member(&a);
    close_member(&b);
}
END_TEST

/* The coordinator gives up a transaction that is open for too long; for the
 * producer that looks like being fenced, and renewing helps. */
START_TEST(a_transaction_that_timed_out_is_fenced)
{
    struct member a;
    char text[256];
    property("transaction.timeout.ms", "2000");
    open_member(&a, 0);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    join(&a);
    wait_owned(&a, NULL, PARTITIONS);
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    put(&a, BROKER_CHANGES, 1, "x");
    ANSWERS(&a, offsets(&a, 41, "v1:1:2:3"), BROKER_OK);
    int64_t low, high = 0;
    for (int64_t until_ms = clock_monotonic_ms() + WAIT_MS;
         high < 2 && clock_monotonic_ms() < until_ms;
         bell_wait(&a.bell, -1, 20)) {
        uint64_t question = broker_question(a.calls);
        consumer_poll(a.consumer);
        ANSWERS(&a,
                CALL(&a, watermarks, question, BROKER_CHANGES, 1, &low, &high),
                BROKER_OK);
    }
    ck_assert_int_eq(high, 2); /* The record and its abort. */
    ANSWERS(&a, CALL(&a, commit), BROKER_FENCED);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    read_all(&a, BROKER_CHANGES, 1, text);
    ck_assert_str_eq(text, "");
    close_member(&a);
}
END_TEST

/* SIGSTOP, and wait until it has stopped. */
static void freeze(int pid)
{
    char path[64], state = 'R';
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    kill(pid, SIGSTOP);
    while (state != 'T') {
        FILE *file = fopen(path, "r");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fscanf(file, "%*d %*s %c", &state), 1);
        fclose(file);
    }
}

/* The broker stands still in the middle of a commit: nobody knows. A new
 * producer settles it, then the committed offsets tell. */
START_TEST(an_unknown_outcome_is_settled_by_renewing)
{
    struct member a;
    char text[256], metadata[BROKER_METADATA_BYTES];
    int64_t offset;
    int broker = atoi(getenv("KAFKA_PID"));
    open_member(&a, 0);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    join(&a);
    wait_owned(&a, NULL, PARTITIONS);
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    put(&a, BROKER_CHANGES, 1, "x");
    wait_delivered(&a);
    ANSWERS(&a, offsets(&a, 41, "v1:1:2:3"), BROKER_OK);
    freeze(broker);
    int64_t began_ms = clock_monotonic_ms();
    int first = CALL(&a, commit), second = CALL(&a, commit);
    int64_t took_ms = clock_monotonic_ms() - began_ms;
    int renew = CALL(&a, renew);
    int64_t renewed_ms = clock_monotonic_ms() - began_ms - took_ms;
    kill(broker, SIGCONT);
    ck_assert_int_eq(first, BROKER_AGAIN);
    ck_assert_int_eq(second, BROKER_AGAIN);
    ck_assert_int_lt(took_ms, 8000); /* The library itself waits for ever. */
    ck_assert_int_eq(renew, BROKER_AGAIN);
    ck_assert_int_lt(renewed_ms, 8000);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    committed(&a, &offset, metadata);
    read_all(&a, BROKER_CHANGES, 1, text);
    ck_assert_str_eq(text, offset == 41 ? "x" : "");
    close_member(&a);
}
END_TEST

/* The library crashes now and then when it is told to close and the coordinator
 * is away: it is left alone, and within the time given. */
START_TEST(without_a_coordinator_nothing_is_closed)
{
    struct member a, b;
    int broker = atoi(getenv("KAFKA_PID"));
    open_member(&a, 0);
    open_member(&b, 1);
    join(&a);
    wait_owned(&a, NULL, PARTITIONS);
    ck_assert_int_eq(consumer_close(a.consumer, WAIT_MS), 0); /* It is there. */
    ck_assert_int_eq(a.revocations, 1);
    ck_assert_int_eq(consumer_abandoned(), 0);
    join(&b);
    wait_owned(&b, NULL, PARTITIONS);
    freeze(broker);
    int64_t began_ms = clock_monotonic_ms();
    int left = consumer_close(b.consumer, 2000);
    int64_t took_ms = clock_monotonic_ms() - began_ms;
    kill(broker, SIGCONT);
    ck_assert_int_eq(left, 1);
    ck_assert_int_eq(b.revocations, 0); /* As it would be by a close. */
    ck_assert_int_eq(consumer_abandoned(), 1);
    ck_assert_int_le(took_ms, 2000);
    a.consumer = b.consumer = NULL;
    close_member(&a);
    close_member(&b);
}
END_TEST

START_TEST(what_cannot_be_written_is_refused)
{
    struct member a;
    static char large[1100 * 1024];
    open_member(&a, 0);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    struct broker_record r = record(BROKER_CHANGES, 1, NULL);
    r.value = large;
    r.value_len = sizeof(large);
    ANSWERS(&a, CALL(&a, produce, &r), BROKER_REFUSED);
    ck_assert_ptr_nonnull(strstr(CALL(&a, reason), "size"));
    ANSWERS(&a, CALL(&a, abort), BROKER_OK);
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    r = record(BROKER_CHANGES, PARTITIONS + 5, "x");
    int answer = FINISH(&a, CALL(&a, produce, &r));
    if (answer == BROKER_OK)
        answer = FINISH(&a, CALL(&a, commit));
    ck_assert_msg(answer == BROKER_REFUSED, "%s: %s",
                  broker_answer_name(answer), CALL(&a, reason));
    close_member(&a);
}
END_TEST

START_TEST(questions_are_answered)
{
    struct member a;
    int64_t low = -1, high = -1, offset = -1;
    struct broker_read read;
    open_member(&a, 0);
    ANSWERS(&a, CALL(&a, renew), BROKER_OK);
    ANSWERS(&a, CALL(&a, begin), BROKER_OK);
    for (int i = 0; i < 3; i++) {
        struct broker_record r = record(BROKER_CHANGES, 2, "x");
        r.timestamp_ms = now_ms + i * 1000;
        ANSWERS(&a, CALL(&a, produce, &r), BROKER_OK);
    }
    ANSWERS(&a, CALL(&a, commit), BROKER_OK);
    uint64_t q;
    do { /* Until the marker has come. */
        q = broker_question(a.calls);
        ANSWERS(&a, CALL(&a, watermarks, q, BROKER_CHANGES, 2, &low, &high),
                BROKER_OK);
    } while (high < 4);
    ck_assert_int_eq(low, 0);
    ANSWERS(&a, CALL(&a, watermarks, q, BROKER_CHANGES, 2, NULL, &high),
            BROKER_OK);
    const struct {
        int64_t instant_ms, offset;
    } rows[] = {{0, 0},
                {now_ms, 0},
                {now_ms + 1, 1},
                {now_ms + 2000, 2},
                {now_ms + 2001, 3}};
    for (int i = 0; i < COUNT(rows); i++) {
        q = broker_question(a.calls);
        ANSWERS(&a,
                CALL(&a, start_offset, q, BROKER_CHANGES, 2, rows[i].instant_ms,
                     &offset),
                BROKER_OK);
        ck_assert_msg(offset == rows[i].offset, "row %d: got %lld", i,
                      (long long)offset);
    }
    q = broker_question(a.calls);
    ANSWERS(
        &a,
        CALL(&a, watermarks, q, BROKER_CHANGES, PARTITIONS + 3, &low, &high),
        BROKER_REFUSED);
    ANSWERS(&a, CALL(&a, read, BROKER_CHANGES, 2, 9, 10, &read), BROKER_GONE);
    struct admin_check check;
    q = broker_question(a.calls);
    ck_assert_int_eq(FINISH(&a, kafka_broker_check(a.kafka, q, &check)),
                     BROKER_OK);
    ck_assert_msg(check.verdict == ADMIN_OK, "%s", check.reason);
    ck_assert_int_eq(check.partition_count, PARTITIONS);
    ck_assert_int_eq(check.retention_ms, 604800000);
    close_member(&a);
}
END_TEST

/* ---- nothing lost, nothing doubled -------------------------------------- */

#define RECORDS 20000 /* Of each input of each partition. */
#define CHANGES 6     /* A member comes, it goes, it comes ... */

/* Numbers 0..RECORDS-1 as values, some of them in transactions that abort. */
static void fill(void)
{
    char why[CLIENT_WHY_BYTES] = "";
    struct client client = {.conf = &conf, .worker = 99};
    rd_kafka_conf_t *config = client_conf(&client, CLIENT_PRODUCER, why);
    rd_kafka_t *rk = client_new(config, CLIENT_PRODUCER, why);
    ck_assert_ptr_null(rd_kafka_init_transactions(rk, WAIT_MS));
    for (int from = 0; from < RECORDS;) {
        int aborts = rand() % 4 == 0, n = 500;
        ck_assert_ptr_null(rd_kafka_begin_transaction(rk));
        for (int k = 0; k < n * 2 * PARTITIONS; k++) {
            int value = aborts ? -1 : from + k / (2 * PARTITIONS);
            ck_assert_int_eq(
                rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(inputs[k % 2].topic),
                                  RD_KAFKA_V_PARTITION(k / 2 % PARTITIONS),
                                  RD_KAFKA_V_VALUE(&value, sizeof(value)),
                                  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                  RD_KAFKA_V_END),
                0);
        }
        ck_assert_int_eq(rd_kafka_flush(rk, WAIT_MS), 0);
        ck_assert_ptr_null(aborts ? rd_kafka_abort_transaction(rk, WAIT_MS)
                                  : rd_kafka_commit_transaction(rk, WAIT_MS));
        from += aborts ? 0 : n;
    }
    rd_kafka_destroy(rk);
}

static struct progress {
    int next;       /* Value expected. */
    int64_t offset; /* To go on from. */
    int64_t end;    /* Of the EOF after the last record, or 0. */
    struct member *reader;
} progress[PARTITIONS][2];

static void check_value(const struct input_record *r, struct progress *at)
{
    int value;
    ck_assert_uint_eq(r->value_len, sizeof(value));
    memcpy(&value, r->value, sizeof(value));
    ck_assert_msg(value == at->next, "offset %lld: got %d, want %d",
                  (long long)r->offset, value, at->next);
    at->next++;
    at->offset = r->offset + 1;
    at->end = 0;
}

/* How many records AT may give at a time, at random. Members come and go while
 * there is more to read: after so many CHANGES so much of it, not more. */
static size_t room(const struct progress *at, int changes)
{
    int left = RECORDS * (changes + 1) / (CHANGES + 1) - at->next;
    int most = 1 + rand() % 100;
    return (size_t)(changes == CHANGES || left > most ? most : left);
}

/* One turn of MEMBER: start, take, hold, at random. */
static void turn(struct member *member, int changes)
{
    struct input_record records[200];
    struct consumer_taken taken;
    ck_assert_int_eq(consumer_poll(member->consumer), 0);
    for (int p = 0; p < PARTITIONS; p++) {
        int64_t from[2] = {progress[p][0].offset, progress[p][1].offset};
        if (!member->assigned[p])
            continue;
        if (progress[p][0].reader != member && rand() % 3 == 0 &&
            consumer_start(member->consumer, p, from) == 0)
            progress[p][0].reader = member;
        for (int i = 0; i < 2; i++) {
            consumer_take(member->consumer, p, i, records,
                          room(&progress[p][i], changes), &taken);
            ck_assert(!taken.gone);
            for (size_t k = 0; k < taken.count; k++) {
                check_value(&records[k], &progress[p][i]);
                consumer_release(records[k].handle);
            }
            if (taken.end >= 0)
                progress[p][i].offset = progress[p][i].end = taken.end;
        }
        if (progress[p][0].reader == member && rand() % 50 == 0) {
            consumer_hold(member->consumer, p, 0);
            consumer_hold(member->consumer, p, 1);
            progress[p][0].reader = NULL;
        }
    }
}

static int all_read(void)
{
    for (int p = 0; p < PARTITIONS; p++)
        for (int i = 0; i < 2; i++)
            if (progress[p][i].next < RECORDS || !progress[p][i].end)
                return 0;
    return 1;
}

static int count_read(void)
{
    int n = 0;
    for (int p = 0; p < PARTITIONS; p++)
        n += progress[p][0].next + progress[p][1].next;
    return n;
}

struct closing {
    struct consumer *consumer;
    int left;
    atomic_int done;
};

static void *run_closing(void *arg)
{
    struct closing *closing = arg;
    closing->left = consumer_close(closing->consumer, WAIT_MS);
    atomic_store(&closing->done, 1);
    return NULL;
}

/* B goes, while A reads on: the group answers nobody who joins it before all
 * others have joined again. */
static void leave(struct member *b, struct member *a, int changes)
{
    struct closing closing = {.consumer = b->consumer};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, run_closing, &closing), 0);
    while (!atomic_load(&closing.done)) {
        turn(a, changes);
        bell_wait(&a->bell, -1, 2);
    }
    pthread_join(thread, NULL);
    ck_assert_int_eq(closing.left, 0);
    b->consumer = NULL;
}

/* A reads all there is, at times together with B. */
static void read_together(struct member *a, struct member *b)
{
    int both = 0, changes = 0, before = -1;
    int64_t next_ms = clock_monotonic_ms() + 1000, until_ms = 0;
    while (!all_read()) {
        if (count_read() + changes > before)
            until_ms = clock_monotonic_ms() + WAIT_MS;
        before = count_read() + changes;
        ck_assert_msg(clock_monotonic_ms() < until_ms,
                      "%d records were read, with %d changes", count_read(),
                      changes);
        turn(a, changes);
        if (both)
            turn(b, changes);
        bell_wait(&a->bell, -1, 2);
        /* When B goes for the first time, it was there. */
        if (clock_monotonic_ms() < next_ms || changes == CHANGES ||
            (changes == 1 && !b->assignments))
            continue;
        if (both)
            leave(b, a, changes);
        else
            join(b);
        both = !both;
        changes++;
        next_ms = clock_monotonic_ms() + 300 + rand() % 500;
    }
}

/* Two members, one of which comes and goes; partitions held and started again
 * at random; every record once, in order; the end told, past the last marker.
 */
START_TEST(nothing_is_lost_around_holds_and_rebalances)
{
    struct member a, b;
    srand((unsigned)_i + 1);
    fill();
    memset(progress, 0, sizeof(progress));
    open_member(&a, 0);
    open_member(&b, 1);
    join(&a);
    read_together(&a, &b);
    for (int p = 0; p < PARTITIONS; p++)
        for (int i = 0; i < 2; i++) {
            int64_t low, high;
            uint64_t q = broker_question(a.calls);
            ANSWERS(&a,
                    CALL(&a, watermarks, q, BROKER_INPUT(i), p, &low, &high),
                    BROKER_OK);
            ck_assert_int_eq(progress[p][i].end, high);
        }
    ck_assert_int_gt(a.assignments, 2);
    close_member(&a);
    close_member(&b);
}
END_TEST

SUITE("kafka", setup, NULL, TEST(a_transaction_is_seen_whole),
      TEST(an_aborted_transaction_is_not_seen),
      TEST(pending_offsets_are_waited_for),
      TEST(pending_offsets_delay_nobody_else),
      TEST(an_end_is_known_without_reading),
      TEST(without_membership_offsets_are_refused),
      {&a_zombie_cannot_commit, 2, 0}, TEST(a_newer_producer_fences_the_older),
      TEST(a_transaction_that_timed_out_is_fenced),
      TEST(an_unknown_outcome_is_settled_by_renewing),
      TEST(without_a_coordinator_nothing_is_closed),
      TEST(what_cannot_be_written_is_refused), TEST(questions_are_answered),
      {&nothing_is_lost_around_holds_and_rebalances, 3, 0})
