/* check_scripts.c: is the simulated broker right?
 *
 * Whatever is proved against tests/support/sim_broker.c is worth what that is
 * worth. So the same scripts of calls and faults, drawn by seed, are run against
 * it and against a real broker, and every answer must be the same:
 *
 *   calls    begin, produce, send offsets, commit, abort, renew; by two producers
 *            of one transactional id, of which the later one fences the former
 *   faults   a process dies in its transaction, also right after it asked for
 *            the commit; a transaction is longer open than it may be
 *   looked   what a read_committed reader sees and how far it gets (the last
 *   at       stable offset), the read_uncommitted end, committed offsets with
 *            their metadata
 *
 * Where the real broker may do either, a commit whose asker dies, it is asked
 * what it did, and the simulation is told. Offsets are compared from the end of
 * the script before: all of them share topics.
 *
 * scripts.py starts a broker and runs this with KAFKA=host:port.
 *
 *     check_scripts FROM COUNT     so many scripts
 *     check_scripts SEED           one, step by step */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/kafka/admin.h"
#include "daemon/kafka/broker.h"
#include "daemon/kafka/consumer.h"
#include "tests/model/random.h"
#include "tests/support/sim_broker.h"

enum {
    PRODUCERS = 2,
    STEPS = 14,
    WAIT_MS = 60000,
    TIMEOUT_MS = 1000, /* transaction.timeout.ms of those that run into it. */
    TOPICS = 2,        /* BROKER_CHANGES, BROKER_TRIGGERS. */
    VALUES_MAX = 64
};

/* One producer, twice. Both have the same transactional id. */
struct producer_pair {
    struct kafka_broker *kafka;
    struct broker *real;
    struct sim_client sim;
    int open;   /* A transaction is, as far as it knows. */
    int usable; /* It was made, and was not told that it is of no use. */
    int sent;   /* Offsets, in this transaction. */
};

static struct conf conf;
static struct conf_property properties[4];
static struct conf_input input;
static struct client client;
static struct bell bell;
static struct consumer *consumer;
static int assigned;

static struct run {
    uint64_t seed;
    int trace;
    struct random random;
    struct sim sim;
    struct producer_pair pairs[PRODUCERS];
    int64_t base[TOPICS]; /* Ends before the script began. */
    int64_t next_offset;
    int produced;
    char bad[512];
} run;

__attribute__((format(printf, 1, 2))) static void wrong(const char *format, ...)
{
    va_list args;

    if (run.bad[0])
        return;
    va_start(args, format);
    vsnprintf(run.bad, sizeof(run.bad), format, args);
    va_end(args);
}

__attribute__((format(printf, 1, 2))) static void trace(const char *format, ...)
{
    va_list args;

    if (!run.trace)
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

/* ---- both answers ------------------------------------------------------------ */

/* EXPRESSION until it is not BROKER_AGAIN. */
#define FINISH_REAL(expression)                            \
    ({                                                     \
        int64_t until_ = clock_monotonic_ms() + WAIT_MS;   \
        int answer_;                                       \
        while ((answer_ = (expression)) == BROKER_AGAIN && \
               clock_monotonic_ms() < until_)              \
            bell_wait(&bell, -1, 5);                       \
        answer_;                                           \
    })

#define FINISH_SIM(expression)                            \
    ({                                                    \
        int answer_;                                      \
        for (int n_ = 0; n_ < 100; n_++) {                \
            if ((answer_ = (expression)) != BROKER_AGAIN) \
                break;                                    \
            sim_step_marker(&run.sim);                    \
        }                                                 \
        answer_;                                          \
    })

/* FATAL and FENCED ask for the same: renew. Who was fenced by an older request
 * of its own is told the one or the other. */
static int alike(int a, int b)
{
    int lost_a = a == BROKER_FATAL || a == BROKER_FENCED;
    int lost_b = b == BROKER_FATAL || b == BROKER_FENCED;

    return a == b || (lost_a && lost_b);
}

/* Compare the answers to CALL of producer I. Returns the simulation's. */
static int same(const char *call, int i, int real, int sim)
{
    struct producer_pair *pair = &run.pairs[i];

    trace("  %d %-12s %s\n", i, call, broker_answer_name(real));
    if (!alike(real, sim))
        wrong("%s of producer %d: the broker says %s (%s), the simulation %s",
              call, i, broker_answer_name(real),
              pair->real->reason(pair->real->impl), broker_answer_name(sim));
    if (sim == BROKER_FATAL || sim == BROKER_FENCED)
        pair->usable = pair->open = 0;
    return sim;
}

/* ---- steps ------------------------------------------------------------------- */

static void open_pair(int i)
{
    struct producer_pair *pair = &run.pairs[i];
    char why[CLIENT_WHY_BYTES] = "";

    memset(pair, 0, sizeof(*pair));
    if (kafka_broker_open(&pair->kafka, &client, &bell, 0, why)) {
        fprintf(stderr, "check_scripts: %s\n", why);
        exit(2);
    }
    pair->real = kafka_broker_calls(pair->kafka);
    kafka_broker_set_member(pair->kafka, consumer_handle(consumer));
    sim_client_init(&pair->sim, &run.sim, 0);
}

static void close_pair(int i)
{
    kafka_broker_close(run.pairs[i].kafka);
    run.pairs[i].kafka = NULL;
}

static void renew(int i)
{
    struct producer_pair *pair = &run.pairs[i];
    int real = FINISH_REAL(pair->real->renew(pair->real->impl));
    int sim = FINISH_SIM(pair->sim.broker.renew(&pair->sim));

    if (same("renew", i, real, sim) == BROKER_OK)
        pair->usable = 1;
    pair->open = pair->sent = 0;
}

static void begin(int i)
{
    struct producer_pair *pair = &run.pairs[i];
    int real = pair->real->begin(pair->real->impl);
    int sim = pair->sim.broker.begin(&pair->sim);

    pair->open = same("begin", i, real, sim) == BROKER_OK;
    pair->sent = 0;
}

/* Until what was produced is in the log: librdkafka sends when it likes. */
static void wait_delivered(struct producer_pair *pair, int topic)
{
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;

    while (pair->real->delivered(pair->real->impl, topic, 0) < 0 &&
           clock_monotonic_ms() < until_ms) {
        kafka_broker_serve(pair->kafka);
        bell_wait(&bell, -1, 2);
    }
}

static void produce(int i)
{
    struct producer_pair *pair = &run.pairs[i];
    char value[48];
    int topic = (int)random_below(&run.random, TOPICS);
    struct broker_record record = {.topic = topic,
                                   .timestamp_ms = clock_wall_ms(),
                                   .key = "k",
                                   .key_len = 1,
                                   .value = value};
    int64_t real_end, sim_end_at;
    int real, sim;

    record.value_len =
        (size_t)snprintf(value, sizeof(value), "%llu.%d",
                         (unsigned long long)run.seed, ++run.produced);
    real = FINISH_REAL(pair->real->produce(pair->real->impl, &record));
    sim = FINISH_SIM(pair->sim.broker.produce(&pair->sim, &record));
    if (same("produce", i, real, sim) != BROKER_OK || run.bad[0])
        return;
    wait_delivered(pair, topic);
    real_end = pair->real->delivered(pair->real->impl, topic, 0);
    sim_end_at = pair->sim.broker.delivered(&pair->sim, topic, 0);
    if (real_end - run.base[topic] != sim_end_at)
        wrong("delivered to %s: %lld, the simulation %lld",
              broker_topic_name(topic), (long long)(real_end - run.base[topic]),
              (long long)sim_end_at);
}

static void send_offsets(int i)
{
    struct producer_pair *pair = &run.pairs[i];
    char metadata[48];
    struct broker_offset offset = {0, 0, ++run.next_offset, metadata};
    int real, sim;

    snprintf(metadata, sizeof(metadata), "v:%llu:%lld",
             (unsigned long long)run.seed, (long long)run.next_offset);
    real = FINISH_REAL(pair->real->send_offsets(pair->real->impl, &offset, 1));
    sim = FINISH_SIM(pair->sim.broker.send_offsets(&pair->sim, &offset, 1));
    pair->sent = same("send_offsets", i, real, sim) == BROKER_OK;
}

static void commit(int i)
{
    struct producer_pair *pair = &run.pairs[i];
    int real = FINISH_REAL(pair->real->commit(pair->real->impl));
    int sim = FINISH_SIM(pair->sim.broker.commit(&pair->sim));

    same("commit", i, real, sim);
    pair->open = 0;
}

static void abort_it(int i)
{
    struct producer_pair *pair = &run.pairs[i];
    int real = FINISH_REAL(pair->real->abort(pair->real->impl));
    int sim = FINISH_SIM(pair->sim.broker.abort(&pair->sim));

    same("abort", i, real, sim);
    pair->open = 0;
}

/* The process is gone, and another one comes. */
static void die(int i)
{
    trace("  %d dies\n", i);
    close_pair(i);
    open_pair(i);
}

static void compare_all(int settled);

/* It asks for the commit, of a transaction with offsets, and dies: which of both
 * the broker did its offsets tell. The simulation does the same. */
static void commit_and_die(int i)
{
    struct producer_pair *pair = &run.pairs[i];
    struct broker_committed committed;
    const struct broker_committed *pending = &run.sim.tx[0].offsets[0][0];
    char metadata[BROKER_METADATA_BYTES];
    int64_t until_ms = clock_monotonic_ms() + random_below(&run.random, 20);
    uint64_t question;

    snprintf(metadata, sizeof(metadata), "%s", pending->metadata);
    while (pair->real->commit(pair->real->impl) == BROKER_AGAIN &&
           clock_monotonic_ms() < until_ms)
        ;
    close_pair(i);
    /* Whoever has the id now settles it. */
    open_pair(i);
    pair = &run.pairs[i];
    same("commit, dies", i, FINISH_REAL(pair->real->renew(pair->real->impl)),
         BROKER_OK);
    question = broker_question(pair->real);
    if (FINISH_REAL(pair->real->committed(pair->real->impl, question, 0,
                                          &committed)) != BROKER_OK)
        wrong("no committed offsets");
    run.sim.tx[0].in_flight = !strcmp(committed.metadata, metadata);
    run.sim.tx[0].flight_epoch = run.sim.tx[0].epoch;
    trace("  %d it was %s\n", i,
          run.sim.tx[0].in_flight ? "committed" : "aborted");
    sim_step_deliver(&run.sim);
    FINISH_SIM(pair->sim.broker.renew(&pair->sim));
    pair->usable = 1;
}

/* The broker gives the transaction up, and what comes then is too late. */
static void run_into_timeout(int i)
{
    struct producer_pair *pair = &run.pairs[i];
    int64_t until_ms =
        clock_monotonic_ms() + kafka_broker_transaction_ms(pair->kafka);

    /* No fact tells of it but the calls that fail then. */
    while (clock_monotonic_ms() < until_ms + 1500)
        bell_wait(&bell, -1, 100);
    trace("  %d time-out\n", i);
    sim_expire(&run.sim, 0);
    while (sim_step_marker(&run.sim))
        ;
    commit(i);
}

/* ---- looking ----------------------------------------------------------------- */

struct view {
    int64_t position, end;
    int count;
    char values[VALUES_MAX][32];
};

static void see(struct view *view, const struct broker_record *record)
{
    if (view->count < VALUES_MAX)
        snprintf(view->values[view->count++], sizeof(view->values[0]), "%.*s",
                 (int)record->value_len, record->value);
}

static void look_sim(struct producer_pair *pair, int topic, struct view *view)
{
    struct broker *broker = &pair->sim.broker;
    struct broker_read read;

    memset(view, 0, sizeof(*view));
    broker->watermarks(&pair->sim, broker_question(broker), topic, 0, NULL,
                       &view->end);
    while (broker->read(&pair->sim, topic, 0, view->position, view->end,
                        &read) == BROKER_OK) {
        see(view, &read.record);
        view->position = read.position;
    }
    view->position = read.position;
}

/* As far as WANT says that it comes; what comes beyond shows itself later. */
static void look_real(struct producer_pair *pair, int topic,
                      const struct view *want, struct view *view)
{
    struct broker *broker = pair->real;
    int64_t base = run.base[topic], at = base;
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;
    struct broker_read read;

    memset(view, 0, sizeof(*view));
    /* Markers follow what was answered. */
    do {
        uint64_t question = broker_question(broker);
        if (FINISH_REAL(broker->watermarks(broker->impl, question, topic, 0,
                                           NULL, &view->end)) != BROKER_OK)
            wrong("no watermarks: %s", broker->reason(broker->impl));
    } while (view->end < base + want->end && clock_monotonic_ms() < until_ms);
    view->end -= base;
    while (at < base + want->position && clock_monotonic_ms() < until_ms) {
        int answer =
            broker->read(broker->impl, topic, 0, at, base + view->end, &read);
        at = read.position;
        if (answer == BROKER_OK)
            see(view, &read.record);
        else
            bell_wait(&bell, -1, 5);
    }
    broker->stop(broker->impl, topic, 0);
    view->position = at - base;
}

static void compare_topic(int topic)
{
    static struct view real, sim;
    struct producer_pair *pair = &run.pairs[0];

    look_sim(pair, topic, &sim);
    look_real(pair, topic, &sim, &real);
    if (real.end != sim.end)
        wrong("%s ends at %lld, in the simulation at %lld",
              broker_topic_name(topic), (long long)real.end,
              (long long)sim.end);
    if (real.position != sim.position)
        wrong("%s is read to %lld, in the simulation to %lld",
              broker_topic_name(topic), (long long)real.position,
              (long long)sim.position);
    for (int i = 0; i < real.count || i < sim.count; i++)
        if (strcmp(real.values[i], sim.values[i]))
            wrong("%s, number %d: read \"%s\", in the simulation \"%s\"",
                  broker_topic_name(topic), i + 1, real.values[i],
                  sim.values[i]);
}

/* Committed offsets are compared where none are pending: the one before would
 * be waited out. */
static void compare_all(int settled)
{
    struct producer_pair *pair = &run.pairs[0];
    struct broker_committed real = {0}, sim = {0};
    uint64_t question = broker_question(pair->real);

    while (sim_step_marker(&run.sim))
        ;
    for (int t = 0; t < TOPICS && !run.bad[0]; t++)
        compare_topic(t);
    if (run.sim.tx[0].offsets_set[0] && !settled)
        return;
    if (FINISH_REAL(pair->real->committed(pair->real->impl, question, 0,
                                          &real)) != BROKER_OK)
        wrong("no committed offsets: %s", pair->real->reason(pair->real->impl));
    pair->sim.broker.committed(&pair->sim, broker_question(&pair->sim.broker),
                               0, &sim);
    if (sim.offset >= 0 &&
        (real.offset != sim.offset || strcmp(real.metadata, sim.metadata)))
        wrong("committed %lld \"%s\", in the simulation %lld \"%s\"",
              (long long)real.offset, real.metadata, (long long)sim.offset,
              sim.metadata);
}

/* ---- a script ---------------------------------------------------------------- */

static int chance(int percent)
{
    return random_chance(&run.random, percent);
}

static void step(int i)
{
    struct producer_pair *pair = &run.pairs[i];
    int fenced = pair->sim.epoch != run.sim.tx[0].epoch;

    if (!pair->usable || chance(4)) {
        renew(i);
    } else if (!pair->open) {
        if (fenced) /* Beginning is local: nobody tells him yet. */
            renew(i);
        else
            begin(i);
    } else if (chance(3)) {
        die(i);
    } else if (fenced) {
        chance(50) ? send_offsets(i) : commit(i);
    } else if (pair->sent && chance(10)) {
        commit_and_die(i);
    } else if (chance(50)) {
        produce(i);
    } else if (!pair->sent && chance(60)) {
        send_offsets(i);
    } else {
        chance(70) ? commit(i) : abort_it(i);
    }
}

static void start(uint64_t seed, int steps_shown)
{
    struct broker *broker;

    memset(&run, 0, sizeof(run));
    run.seed = seed;
    run.trace = steps_shown;
    run.random.state = seed;
    run.next_offset = (int64_t)seed * 100;
    sim_init(&run.sim, seed, 1, 1);
    run.sim.member[0] = 1;
    for (int i = 0; i < PRODUCERS; i++)
        open_pair(i);
    renew(0); /* Nothing of the script before is open then. */
    broker = run.pairs[0].real;
    for (int t = 0; t < TOPICS; t++) {
        uint64_t question = broker_question(broker);
        if (FINISH_REAL(broker->watermarks(broker->impl, question, t, 0, NULL,
                                           &run.base[t])) != BROKER_OK)
            wrong("no watermarks: %s", broker->reason(broker->impl));
    }
}

static int run_script(uint64_t seed, int steps_shown)
{
    int timeout;

    start(seed, steps_shown);
    timeout = chance(2);
    for (int n = 0; n < STEPS && !run.bad[0]; n++) {
        step((int)random_below(&run.random, PRODUCERS));
        if (chance(15) && !run.bad[0])
            compare_all(0);
    }
    for (int i = 0; timeout && i < PRODUCERS && !run.bad[0]; i++)
        if (run.sim.tx[0].state == SIM_ONGOING && run.pairs[i].open &&
            run.pairs[i].sim.epoch == run.sim.tx[0].epoch)
            run_into_timeout(i);
    if (!run.bad[0])
        renew((int)random_below(&run.random, PRODUCERS));
    if (!run.bad[0])
        compare_all(1);
    for (int i = 0; i < PRODUCERS; i++)
        close_pair(i);
    sim_done(&run.sim);
    if (run.bad[0])
        printf("script %llu: %s\n", (unsigned long long)seed, run.bad);
    return run.bad[0] != 0;
}

/* ---- the real broker --------------------------------------------------------- */

static void on_assigned(void *arg, const int *partitions, int count)
{
    (void)arg;
    (void)partitions;
    assigned += count;
}

static void on_revoked(void *arg, const int *partitions, int count, int lost)
{
    (void)arg;
    (void)partitions;
    (void)count;
    (void)lost;
}

static void tell(void *arg, const char *topic, int partitions,
                 const char *error)
{
    (void)arg;
    (void)partitions;
    if (error)
        fprintf(stderr, "check_scripts: %s: %s\n", topic, error);
}

static void property(const char *name, const char *value)
{
    properties[conf.property_count++] =
        (struct conf_property){.name = name, .value = {.value = value}};
}

static void describe(void)
{
    conf.app = "scripts";
    conf.group = conf.instance_id = "";
    conf.process = "one";
    conf.http_advertise.text = "";
    conf.flush_interval_ms = 30000;
    conf.http_address = (struct conf_address){"127.0.0.1:1", "127.0.0.1", 1};
    conf.path = "scripts.conf";
    conf.input_count = 1;
    conf.inputs = &input;
    input.topic = "scripts.in";
    conf.properties = properties;
    property("bootstrap.servers", getenv("KAFKA"));
    property("session.timeout.ms", "30000");
    client = (struct client){.conf = &conf, .worker = 0};
}

static int open_all(void)
{
    char why[CLIENT_WHY_BYTES] = "";
    struct consumer_events events = {.assigned = on_assigned,
                                     .revoked = on_revoked};
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;

    describe();
    if (admin_create(&client, 0, 1, tell, NULL, why) || bell_open(&bell) ||
        consumer_open(&consumer, &client, &bell, 1, &events, why)) {
        fprintf(stderr, "check_scripts: %s\n", why);
        return 0;
    }
    while (!assigned && clock_monotonic_ms() < until_ms) {
        consumer_poll(consumer);
        bell_wait(&bell, -1, 10);
    }
    return assigned;
}

int main(int argc, char **argv)
{
    uint64_t from = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    int failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    clock_open();
    if (!getenv("KAFKA") || !open_all()) {
        fprintf(stderr, "check_scripts: no broker, or no partition of it\n");
        return 2;
    }
    for (uint64_t seed = from; seed < from + count && failed < 5; seed++) {
        failed += run_script(seed, argc == 2);
        consumer_poll(consumer);
    }
    consumer_close(consumer, 5000);
    bell_close(&bell);
    printf("scripts: %llu tests, %d failed\n", (unsigned long long)count,
           failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
