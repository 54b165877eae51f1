/* readers.c: committed records of single partitions, for a restore.
 *
 * Records come in batches of BATCH; the one given out last is kept until the
 * next call, because its caller borrows it. The position follows the records
 * and the EOF events, whose offset moves over markers and aborted records. */
#include "daemon/kafka/readers.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/base/watchdog.h"

#define BATCH        512
#define REASON_BYTES 512

struct reader {
    struct reader *next;
    int topic, partition;
    char name[CLIENT_TOPIC_BYTES];
    rd_kafka_queue_t *queue;
    int64_t position;
    int at, count; /* batch[at] is the next. */
    rd_kafka_message_t *batch[BATCH];
    rd_kafka_message_t *lent;
    struct broker_header headers[BROKER_HEADERS_MAX]; /* Of `lent`. */
};

struct readers {
    rd_kafka_t *rk;
    const struct client *client;
    struct bell *bell;
    struct reader *first;
    char reason[REASON_BYTES];
};

int readers_new(struct readers **ret, rd_kafka_t *rk,
                const struct client *client, struct bell *bell)
{
    struct readers *readers = calloc(1, sizeof(*readers));
    if (!readers)
        return SEG_ERR_NOMEM;
    readers->rk = rk;
    readers->client = client;
    readers->bell = bell;
    *ret = readers;
    return 0;
}

const char *readers_reason(const struct readers *readers)
{
    return readers->reason;
}

/* ---- opening and closing ------------------------------------------------- */

static void on_records(rd_kafka_t *rk, void *arg)
{
    (void)rk;
    bell_ring(arg);
}

/* Change the assignment of the handle by one partition. Returns 0, or -1 with
 * the reason. */
static int assign(struct readers *readers, const struct reader *reader, int on)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, reader->name, reader->partition)
        ->offset = reader->position;
    watchdog_enter(readers->client->mark);
    rd_kafka_error_t *error =
        on ? rd_kafka_incremental_assign(readers->rk, list)
           : rd_kafka_incremental_unassign(readers->rk, list);
    watchdog_turn(readers->client->mark);
    rd_kafka_topic_partition_list_destroy(list);
    if (!error)
        return 0;
    snprintf(readers->reason, sizeof(readers->reason),
             "Topic %s, partition %d cannot be read: %s.", reader->name,
             reader->partition, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return -1;
}

static void give_back(struct reader *reader)
{
    if (reader->lent)
        rd_kafka_message_destroy(reader->lent);
    reader->lent = NULL;
}

static void reader_free(struct readers *readers, struct reader *reader)
{
    give_back(reader);
    while (reader->at < reader->count)
        rd_kafka_message_destroy(reader->batch[reader->at++]);
    if (reader->queue) {
        rd_kafka_queue_cb_event_enable(reader->queue, NULL, NULL);
        assign(readers, reader, 0);
        rd_kafka_queue_destroy(reader->queue);
    }
    free(reader);
}

static struct reader **find(struct readers *readers, int topic, int partition)
{
    struct reader **at = &readers->first;
    while (*at && ((*at)->topic != topic || (*at)->partition != partition))
        at = &(*at)->next;
    return at;
}

void readers_stop(struct readers *readers, int topic, int partition)
{
    struct reader **at = find(readers, topic, partition);
    struct reader *reader = *at;
    if (!reader)
        return;
    *at = reader->next;
    reader_free(readers, reader);
}

void readers_free(struct readers *readers)
{
    if (!readers)
        return;
    while (readers->first)
        readers_stop(readers, readers->first->topic, readers->first->partition);
    free(readers);
}

/* The reader, opened or moved so that FROM comes next; NULL with the reason. */
static struct reader *reader_at(struct readers *readers, int topic,
                                int partition, int64_t from)
{
    struct reader *reader = *find(readers, topic, partition);
    if (reader && reader->position == from)
        return reader;
    readers_stop(readers, topic, partition);
    reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->topic = topic;
    reader->partition = partition;
    reader->position = from;
    client_topic(readers->client->conf, topic, reader->name);
    /* The queue is split off before there is anything to fetch. */
    reader->queue =
        rd_kafka_queue_get_partition(readers->rk, reader->name, partition);
    if (!reader->queue) {
        free(reader);
        return NULL;
    }
    rd_kafka_queue_forward(reader->queue, NULL);
    rd_kafka_queue_cb_event_enable(reader->queue, on_records, readers->bell);
    if (assign(readers, reader, 1) < 0) {
        rd_kafka_queue_destroy(reader->queue);
        free(reader);
        return NULL;
    }
    reader->next = readers->first;
    readers->first = reader;
    return reader;
}

/* ---- reading ------------------------------------------------------------- */

static void view_headers(struct reader *reader, rd_kafka_message_t *message,
                         struct broker_record *out)
{
    rd_kafka_headers_t *headers;
    struct broker_header *at = reader->headers;
    const void *value;
    if (rd_kafka_message_headers(message, &headers))
        return;
    while (out->header_count < BROKER_HEADERS_MAX &&
           !rd_kafka_header_get_all(headers, (size_t)out->header_count,
                                    &at->name, &value, &at->len)) {
        at->value = value ? value : "";
        at++;
        out->header_count++;
    }
    out->headers = reader->headers;
}

static void view(struct reader *reader, rd_kafka_message_t *message,
                 struct broker_record *out)
{
    *out = (struct broker_record){
        .topic = reader->topic,
        .partition = reader->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = message->key,
        .key_len = message->key_len,
        .value = message->payload,
        .value_len = message->len,
    };
    if (reader->topic == BROKER_DEAD_LETTERS)
        view_headers(reader, message, out);
}

/* What to answer to an error event of READER. */
static int judge(struct readers *readers, const struct reader *reader,
                 const rd_kafka_message_t *message)
{
    int r = BROKER_AGAIN;
    switch ((int)message->err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        r = BROKER_GONE;
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        r = BROKER_REFUSED;
        break;
    }
    snprintf(readers->reason, sizeof(readers->reason),
             "Topic %s, partition %d at offset %lld: %s.", reader->name,
             reader->partition, (long long)reader->position,
             rd_kafka_message_errstr(message));
    return r;
}

/* The next message of READER, or NULL. */
static rd_kafka_message_t *next(struct reader *reader)
{
    if (reader->at == reader->count) {
        ssize_t n = rd_kafka_consume_batch_queue(reader->queue, 0,
                                                 reader->batch, BATCH);
        reader->at = 0;
        reader->count = n > 0 ? (int)n : 0;
    }
    return reader->at < reader->count ? reader->batch[reader->at++] : NULL;
}

/* Serve what is nobody's in particular: errors of the handle. */
static void serve(struct readers *readers)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(readers->rk, 0);
    if (message)
        rd_kafka_message_destroy(message);
}

int readers_read(struct readers *readers, int topic, int partition,
                 int64_t from, struct broker_read *out)
{
    struct reader *reader = reader_at(readers, topic, partition, from);
    rd_kafka_message_t *message;
    int r = BROKER_AGAIN;
    if (!reader)
        return BROKER_REFUSED;
    readers->reason[0] = '\0';
    give_back(reader);
    while ((message = next(reader))) {
        if (!message->err && message->offset >= reader->position) {
            reader->lent = message;
            reader->position = message->offset + 1;
            view(reader, message, &out->record);
            r = BROKER_OK;
            break;
        }
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            if (message->offset > reader->position)
                reader->position = message->offset;
        } else if (message->err) {
            r = judge(readers, reader, message);
        }
        rd_kafka_message_destroy(message);
        if (r != BROKER_AGAIN)
            break;
    }
    if (r == BROKER_AGAIN)
        serve(readers);
    out->position = reader->position;
    return r;
}
