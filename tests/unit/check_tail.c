/* check_tail.c: following a topic, on librdkafka's mock cluster.
 *
 * It knows neither markers nor aborted records; tests/process/view.py has them
 * on a real broker. */
#include "daemon/kafka/tail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "daemon/base/conf.h"
#include "daemon/base/log.h"
#include "lib/base/text.h"
#include "tests/support/suite.h"

#define TOPIC      "app.changes"
#define PARTITIONS 3
#define RECORDS    2000
#define PATIENCE   500 /* Polls of 20 ms. */

static rd_kafka_t *producer;
static struct conf *conf;
static struct tail *tail;

static void write_records(int partition, int from, int count)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, TOPIC, NULL);
    for (int i = from; i < from + count; i++) {
        char value[32];
        int len = snprintf(value, sizeof(value), "%d-%d", partition, i);
        while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, value,
                                (size_t)len, NULL, 0, NULL) != 0)
            rd_kafka_poll(producer, 10);
    }
    rd_kafka_topic_destroy(topic);
    ck_assert_int_eq(rd_kafka_flush(producer, 10000), 0);
}

static void ignore(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

static void setup(void)
{
    char why[256];
    struct buf errors;
    rd_kafka_conf_t *kafka = rd_kafka_conf_new();
    log_capture(ignore, NULL);
    rd_kafka_conf_set(kafka, "test.mock.num.brokers", "1", why, sizeof(why));
    rd_kafka_conf_set(kafka, "linger.ms", "1", why, sizeof(why));
    rd_kafka_conf_set(kafka, "log_level", "3", why, sizeof(why));
    producer = rd_kafka_new(RD_KAFKA_PRODUCER, kafka, why, sizeof(why));
    ck_assert_ptr_nonnull(producer);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_handle_mock_cluster(producer);
    rd_kafka_mock_topic_create(cluster, TOPIC, PARTITIONS, 1);
    buf_init(&errors);
    ck_assert_msg(
        conf_parse(&conf, "/x.conf",
                   text_of("segments [\"/x\"]\n"
                           "input \"in\" { partitioner trust start latest }\n"
                           "kafka { bootstrap.servers = \"x:1\" }\n"),
                   &(struct conf_options){.embedded = 1}, &errors) == 0,
        "%s", buf_string(&errors));
    buf_done(&errors);
    ck_assert_int_eq(tail_open(&tail, conf,
                               rd_kafka_mock_cluster_bootstraps(cluster),
                               TOPIC),
                     0);
}

static void teardown(void)
{
    tail_free(tail);
    conf_free(conf);
    rd_kafka_destroy(producer);
}

/* The next that is not NOTHING. */
static int next(struct tail_record *record)
{
    for (int i = 0; i < PATIENCE; i++) {
        int answer = tail_next(tail, 20, record);
        if (answer != TAIL_NOTHING)
            return answer;
    }
    return TAIL_NOTHING;
}

/* Records FROM .. TO - 1 of PARTITION, in order, then the end. */
static void expect_records(int partition, int64_t from, int64_t to)
{
    struct tail_record record;
    for (int64_t offset = from; offset < to; offset++) {
        char want[32];
        int len =
            snprintf(want, sizeof(want), "%d-%" PRId64, partition, offset);
        ck_assert_int_eq(next(&record), TAIL_RECORD);
        ck_assert_int_eq(record.partition, partition);
        ck_assert_int_eq(record.offset, offset);
        ck_assert_int_gt(record.timestamp_ms, 0);
        ck_assert_int_eq(record.len, (size_t)len);
        ck_assert_mem_eq(record.value, want, record.len);
    }
    ck_assert_int_eq(next(&record), TAIL_END);
    ck_assert_int_eq(record.partition, partition);
    ck_assert_int_eq(record.offset, to);
}

START_TEST(records_come_in_order_and_then_the_end)
{
    write_records(1, 0, RECORDS);
    tail_start(tail, 1, 0);
    expect_records(1, 0, RECORDS);
    struct tail_record record;
    ck_assert_int_eq(tail_next(tail, 0, &record), TAIL_NOTHING);
    write_records(1, RECORDS, 10);
    expect_records(1, RECORDS, RECORDS + 10);
}
END_TEST

/* Whatever was fetched before is not returned any more. */
START_TEST(a_partition_moves_back_and_forth)
{
    struct tail_record record;
    write_records(0, 0, RECORDS);
    for (int round = 0; round < 10; round++) {
        tail_start(tail, 0, 1000);
        ck_assert_int_eq(next(&record), TAIL_RECORD);
        ck_assert_int_eq(record.offset, 1000);
        tail_start(tail, 0, 7);
        ck_assert_int_eq(next(&record), TAIL_RECORD);
        ck_assert_int_eq(record.offset, 7);
    }
    tail_start(tail, 0, RECORDS - 2);
    expect_records(0, RECORDS - 2, RECORDS);
}
END_TEST

START_TEST(other_partitions_go_on_where_they_were)
{
    struct tail_record record;
    int64_t seen = -1;
    write_records(0, 0, RECORDS);
    write_records(2, 0, 100);
    tail_start(tail, 0, 0);
    for (int i = 0; i < 500; i++) {
        ck_assert_int_eq(next(&record), TAIL_RECORD);
        ck_assert_int_eq(record.offset, ++seen);
    }
    tail_start(tail, 2, 50);
    for (int ends = 0, others = 0; ends < 2;) {
        int answer = next(&record);
        ck_assert_int_ne(answer, TAIL_NOTHING);
        ck_assert_int_ne(answer, TAIL_GONE);
        if (answer == TAIL_END)
            ends++;
        else if (record.partition == 0)
            ck_assert_int_eq(record.offset, ++seen);
        else
            ck_assert_int_eq(record.offset, 50 + others++);
    }
    ck_assert_int_eq(seen, RECORDS - 1);
    tail_stop(tail, 0);
    write_records(0, RECORDS, 1);
    write_records(2, 100, 1);
    expect_records(2, 100, 101);
}
END_TEST

START_TEST(what_is_not_in_the_log_is_gone)
{
    struct tail_record record;
    write_records(0, 0, 10);
    tail_start(tail, 0, 1000000);
    ck_assert_int_eq(next(&record), TAIL_GONE);
    ck_assert_int_eq(record.partition, 0);
    tail_start(tail, 0, 5);
    expect_records(0, 5, 10);
}
END_TEST

START_TEST(bounds_are_those_of_the_log)
{
    int64_t low = -1, high = -1;
    write_records(1, 0, 42);
    ck_assert_int_eq(tail_bounds(tail, 1, 10000, &low, &high), 0);
    ck_assert_int_eq(low, 0);
    ck_assert_int_eq(high, 42);
    ck_assert_int_lt(tail_bounds(tail, 99, 1000, &low, &high), 0);
}
END_TEST

SUITE("tail", setup, teardown, TEST(records_come_in_order_and_then_the_end),
      TEST(a_partition_moves_back_and_forth),
      TEST(other_partitions_go_on_where_they_were),
      TEST(what_is_not_in_the_log_is_gone), TEST(bounds_are_those_of_the_log))
