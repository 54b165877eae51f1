/* bench_topic.c: the workload in a topic, and a consumer that does nothing.
 *
 *   bench_topic fill BROKERS TOPIC PARTITIONS EVENTS USERS
 *   bench_topic raw BROKERS TOPIC PARTITIONS EVENTS
 *   bench_topic segments
 *   bench_topic expect EVENTS USERS
 *
 * `fill` writes the workload, partition = user mod PARTITIONS, dated from a
 * minute ago until now. `raw` reads it and throws it away, one thread and as
 * librdkafka is quickest: the yardstick. `segments` prints the catalogue as a
 * segment file. `expect` says by brute force what has to come of the workload:
 * all of its events lie within one window, so nobody leaves, and the changes
 * are the memberships of the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

#include "tests/bench/workload.h"

#define BATCH 2000

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_topic: %s: %s\n", what, why);
    exit(1);
}

/* A client with SETTINGS, pairs of name and value up to a NULL. */
static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers,
                          const char *const *settings)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why,
                          sizeof(why)) ||
        rd_kafka_conf_set(conf, "log_level", "3", why, sizeof(why)))
        fail("configuration", why);
    for (; *settings; settings += 2)
        if (rd_kafka_conf_set(conf, settings[0], settings[1], why, sizeof(why)))
            fail("configuration", why);
    rd_kafka_t *kafka = rd_kafka_new(type, conf, why, sizeof(why));
    if (!kafka)
        fail("kafka", why);
    return kafka;
}

/* ---- fill --------------------------------------------------------------- */

/* Returns when everything was sent; the caller counts what is in the topic. */
static int fill(const char *brokers, const char *name, int partitions,
                int64_t events, int64_t users)
{
    static const char *const settings[] = {"linger.ms",
                                           "20",
                                           "batch.num.messages",
                                           "10000",
                                           "batch.size",
                                           "1000000",
                                           "enable.idempotence",
                                           "true",
                                           "queue.buffering.max.messages",
                                           "500000",
                                           "queue.buffering.max.kbytes",
                                           "400000",
                                           NULL};
    rd_kafka_t *kafka = client(RD_KAFKA_PRODUCER, brokers, settings);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, name, NULL);
    char value[WORKLOAD_EVENT_BYTES], key[32];
    struct workload workload;
    workload_init(&workload, events, users, ((int64_t)time(NULL) - 60) * 1000);
    for (int64_t i = 0; i < events; i++) {
        int64_t user;
        size_t len = workload_event(&workload, value, &user, NULL);
        int key_len = snprintf(key, sizeof(key), "u%07lld", (long long)user);
        while (rd_kafka_produce(topic, (int32_t)(user % partitions),
                                RD_KAFKA_MSG_F_COPY, value, len, key,
                                (size_t)key_len, NULL))
            rd_kafka_poll(kafka, 50);
        if (i % 1024 == 0)
            rd_kafka_poll(kafka, 0);
    }
    return rd_kafka_flush(kafka, 120000) != 0;
}

/* ---- raw ---------------------------------------------------------------- */

static double wall_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static int64_t discard(rd_kafka_queue_t *queue)
{
    static rd_kafka_message_t *batch[BATCH];
    ssize_t count = rd_kafka_consume_batch_queue(queue, 50, batch, BATCH);
    int64_t got = 0;
    for (ssize_t i = 0; i < count; i++) {
        got += batch[i]->err == 0;
        rd_kafka_message_destroy(batch[i]);
    }
    return got;
}

static int raw(const char *brokers, const char *name, int partitions,
               int64_t events)
{
    static const char *const settings[] = {"group.id",
                                           "raw",
                                           "enable.auto.commit",
                                           "false",
                                           "check.crcs",
                                           "false",
                                           "isolation.level",
                                           "read_committed",
                                           "queued.min.messages",
                                           "200000",
                                           "queued.max.messages.kbytes",
                                           "200000",
                                           "fetch.wait.max.ms",
                                           "5",
                                           NULL};
    rd_kafka_t *kafka = client(RD_KAFKA_CONSUMER, brokers, settings);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(partitions);
    rd_kafka_poll_set_consumer(kafka);
    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, name, p)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(kafka, list);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(kafka);
    double start_s = wall_s();
    int64_t got = 0;
    while (got < events)
        got += discard(queue);
    printf("{\"bench\":\"raw\",\"librdkafka\":\"%s\",\"events\":%lld,"
           "\"wall_s\":%.3f,\"cpu_s\":%.3f,\"peak_kib\":%ld}\n",
           rd_kafka_version_str(), (long long)got, wall_s() - start_s,
           workload_cpu(), peak_kib());
    fflush(stdout);
    _exit(0); /* Leaving in good order would be measured, too. */
}

/* ---- what has to come of it --------------------------------------------- */

static int memberships(const unsigned char *counts)
{
    int in = 0;
    for (int s = 0; s < WORKLOAD_SEGMENTS; s++) {
        int least = 1 + s / 10 % WORKLOAD_THRESHOLD_MAX;
        if (least < WORKLOAD_THRESHOLD_MIN)
            least = WORKLOAD_THRESHOLD_MIN;
        in += counts[s % 10] >= least && (s % 100 < 50 || counts[(s + 3) % 10]);
    }
    return in;
}

/* The feature of an event, found in its text like a stranger would. */
static int feature_of(const char *value)
{
    const char *name = strstr(value, "\"event\":\"") + strlen("\"event\":\"");
    for (int i = 0; i < WORKLOAD_FEATURES; i++)
        if (!strncmp(name, workload_name(i), strlen(workload_name(i))))
            return i;
    fail(name, "is no name of the workload");
    return -1;
}

static int expect(int64_t events, int64_t users)
{
    unsigned char(*counts)[WORKLOAD_FEATURES] =
        calloc((size_t)users, sizeof(*counts));
    char value[WORKLOAD_EVENT_BYTES];
    struct workload workload;
    int64_t touched = 0, changes = 0, user;
    if (!counts)
        fail("expect", "no memory");
    workload_init(&workload, events, users, 0);
    for (int64_t i = 0; i < events; i++) {
        workload_event(&workload, value, &user, NULL);
        unsigned char *count = &counts[user][feature_of(value)];
        *count += *count < 255;
    }
    for (user = 0; user < users; user++) {
        int seen = 0;
        for (int i = 0; i < WORKLOAD_FEATURES; i++)
            seen |= counts[user][i];
        touched += seen != 0;
        changes += memberships(counts[user]);
    }
    printf("{\"changes\":%lld,\"touched\":%lld}\n", (long long)changes,
           (long long)touched);
    free(counts);
    return 0;
}

static int print_segments(void)
{
    const struct workload_plan plan = {WORKLOAD_SEGMENTS, 0, 0};
    char *text = workload_segments(&plan);
    if (!text)
        fail("segments", "no memory");
    fputs(text, stdout);
    free(text);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 7 && !strcmp(argv[1], "fill"))
        return fill(argv[2], argv[3], atoi(argv[4]), atoll(argv[5]),
                    atoll(argv[6]));
    if (argc == 6 && !strcmp(argv[1], "raw"))
        return raw(argv[2], argv[3], atoi(argv[4]), atoll(argv[5]));
    if (argc == 4 && !strcmp(argv[1], "expect"))
        return expect(atoll(argv[2]), atoll(argv[3]));
    if (argc == 2 && !strcmp(argv[1], "segments"))
        return print_segments();
    fputs("usage: bench_topic fill BROKERS TOPIC PARTITIONS EVENTS USERS\n"
          "       bench_topic raw BROKERS TOPIC PARTITIONS EVENTS\n"
          "       bench_topic segments\n"
          "       bench_topic expect EVENTS USERS\n",
          stderr);
    return 2;
}
