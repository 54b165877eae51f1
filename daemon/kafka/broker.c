/* broker.c: struct broker of daemon/protocol with librdkafka behind it.
 *
 * Every call is handed on: to the producer, to the thread that asks questions,
 * or to the readers. What was wrong, last, is a copy of their reason. */
#include "daemon/kafka/broker.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include <seg/error.h>

#include "daemon/kafka/producer.h"
#include "daemon/kafka/questions.h"
#include "daemon/kafka/readers.h"

struct kafka_broker {
    struct broker calls;
    const struct client *client;
    const char *reason; /* Of one of the next. */
    struct producer *producer;
    rd_kafka_t *reader, *watcher;
    struct readers *readers;
    struct questions *questions;
    int64_t transaction_ms, socket_ms;
};

/* ---- the producer -------------------------------------------------------- */

static int produced(struct kafka_broker *broker, int answer)
{
    if (answer != BROKER_OK)
        broker->reason = producer_reason(broker->producer);
    return answer;
}

static int call_begin(void *impl)
{
    struct kafka_broker *broker = impl;
    return produced(broker, producer_begin(broker->producer));
}

static int call_produce(void *impl, const struct broker_record *record)
{
    struct kafka_broker *broker = impl;
    return produced(broker, producer_produce(broker->producer, record));
}

static int call_send_offsets(void *impl, const struct broker_offset *offsets,
                             int count)
{
    struct kafka_broker *broker = impl;
    return produced(broker,
                    producer_send_offsets(broker->producer, offsets, count));
}

static int call_commit(void *impl)
{
    struct kafka_broker *broker = impl;
    return produced(broker, producer_commit(broker->producer));
}

static int call_abort(void *impl)
{
    struct kafka_broker *broker = impl;
    return produced(broker, producer_abort(broker->producer));
}

static int call_renew(void *impl)
{
    struct kafka_broker *broker = impl;
    return produced(broker, producer_renew(broker->producer));
}

static int64_t call_delivered(void *impl, int topic, int partition)
{
    struct kafka_broker *broker = impl;
    return producer_delivered(broker->producer, topic, partition);
}

/* ---- questions and readers ----------------------------------------------- */

static int asked(struct kafka_broker *broker, int answer)
{
    if (answer != BROKER_OK)
        broker->reason = questions_reason(broker->questions);
    return answer;
}

static int call_committed(void *impl, uint64_t question, int partition,
                          struct broker_committed *out)
{
    struct kafka_broker *broker = impl;
    return asked(broker, questions_committed(broker->questions, question,
                                             partition, out));
}

static int call_watermarks(void *impl, uint64_t question, int topic,
                           int partition, int64_t *low, int64_t *high)
{
    struct kafka_broker *broker = impl;
    return asked(broker, questions_watermarks(broker->questions, question,
                                              topic, partition, low, high));
}

static int call_start_offset(void *impl, uint64_t question, int topic,
                             int partition, int64_t instant_ms, int64_t *offset)
{
    struct kafka_broker *broker = impl;
    return asked(broker,
                 questions_start_offset(broker->questions, question, topic,
                                        partition, instant_ms, offset));
}

static int call_read(void *impl, int topic, int partition, int64_t from,
                     int64_t until, struct broker_read *out)
{
    struct kafka_broker *broker = impl;
    (void)until;
    int answer = readers_read(broker->readers, topic, partition, from, out);
    if (answer != BROKER_OK)
        broker->reason = readers_reason(broker->readers);
    return answer;
}

static void call_stop(void *impl, int topic, int partition)
{
    struct kafka_broker *broker = impl;
    readers_stop(broker->readers, topic, partition);
}

static uint64_t call_random(void *impl)
{
    uint64_t bits = 0;
    (void)impl;
    while (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
        ;
    return bits;
}

static const char *call_reason(void *impl)
{
    struct kafka_broker *broker = impl;
    return broker->reason;
}

/* ---- life cycle
 * -----------------------------------------------------------------------------
 */

static const struct broker calls = {
    .begin = call_begin,
    .produce = call_produce,
    .send_offsets = call_send_offsets,
    .commit = call_commit,
    .abort = call_abort,
    .renew = call_renew,
    .delivered = call_delivered,
    .committed = call_committed,
    .watermarks = call_watermarks,
    .start_offset = call_start_offset,
    .read = call_read,
    .stop = call_stop,
    .random = call_random,
    .reason = call_reason,
};

static rd_kafka_t *handle(const struct client *client, enum client_kind kind,
                          char *why)
{
    rd_kafka_conf_t *conf = client_conf(client, kind, why);
    return conf ? client_new(conf, kind, why) : NULL;
}

/* What the producer's configuration will be; also whether it is one. */
static int producer_timeouts(struct kafka_broker *broker, char *why)
{
    char text[32];
    size_t size = sizeof(text);
    rd_kafka_conf_t *conf = client_conf(broker->client, CLIENT_PRODUCER, why);
    if (!conf)
        return SEG_ERR_INVALID;
    rd_kafka_conf_get(conf, "transaction.timeout.ms", text, &size);
    broker->transaction_ms = strtoll(text, NULL, 10);
    size = sizeof(text);
    rd_kafka_conf_get(conf, "socket.timeout.ms", text, &size);
    broker->socket_ms = strtoll(text, NULL, 10);
    rd_kafka_conf_destroy(conf);
    return 0;
}

int kafka_broker_open(struct kafka_broker **ret, const struct client *client,
                      struct bell *bell, int embedded, char *why)
{
    int r = SEG_ERR_NOMEM;
    struct kafka_broker *broker = calloc(1, sizeof(*broker));
    if (!broker)
        return r;
    broker->calls = calls;
    broker->calls.impl = broker;
    broker->client = client;
    broker->reason = "";
    r = producer_timeouts(broker, why);
    if (r < 0)
        goto done;
    r = SEG_ERR_INVALID;
    broker->reader = handle(client, CLIENT_READER, why);
    broker->watcher =
        broker->reader ? handle(client, CLIENT_WATCHER, why) : NULL;
    if (!broker->watcher)
        goto done;
    struct questions_options options = {.reader = broker->reader,
                                        .watcher = broker->watcher,
                                        .client = client,
                                        .bell = bell,
                                        .embedded = embedded};
    r = producer_new(&broker->producer, client, embedded);
    if (r >= 0)
        r = readers_new(&broker->readers, broker->reader, client, bell);
    if (r >= 0)
        r = questions_open(&broker->questions, &options);
done:
    if (r < 0)
        kafka_broker_close(broker);
    else
        *ret = broker;
    return r;
}

void kafka_broker_close(struct kafka_broker *broker)
{
    if (!broker)
        return;
    questions_close(broker->questions);
    readers_free(broker->readers);
    producer_free(broker->producer);
    if (broker->reader)
        rd_kafka_destroy_flags(broker->reader,
                               RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (broker->watcher)
        rd_kafka_destroy_flags(broker->watcher,
                               RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(broker);
}

struct broker *kafka_broker_calls(struct kafka_broker *broker)
{
    return &broker->calls;
}

void kafka_broker_set_member(struct kafka_broker *broker, rd_kafka_t *member)
{
    producer_set_member(broker->producer, member);
}

void kafka_broker_serve(struct kafka_broker *broker)
{
    producer_serve(broker->producer);
}

int kafka_broker_check(struct kafka_broker *broker, uint64_t question,
                       struct admin_check *check)
{
    return questions_check(broker->questions, question, check);
}

int64_t kafka_broker_end(struct kafka_broker *broker, int topic, int partition)
{
    return questions_end(broker->questions, topic, partition);
}

int64_t kafka_broker_transaction_ms(const struct kafka_broker *broker)
{
    return broker->transaction_ms;
}

int64_t kafka_broker_socket_ms(const struct kafka_broker *broker)
{
    return broker->socket_ms;
}
