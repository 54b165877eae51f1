/* tail.c: one consumer with partitions assigned by hand.
 *
 * librdkafka's way to change what is read is to assign the whole list again,
 * with the offset of each: what it had fetched for the old list it drops. Lists
 * change when partitions come, go, or their view is made anew; assigning waits
 * until somebody reads, so that ten changes in a row are one. Seeking instead
 * races with offset queries in 2.0.2. */
#include "daemon/kafka/tail.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>

#include "daemon/base/log.h"
#include "daemon/kafka/client.h"
#include "lib/base/alloc.h"

struct tail {
    rd_kafka_t *rk;
    const char *topic;
    struct place {
        int partition;
        int64_t next; /* Offset to go on with. */
    } * places;
    size_t count, cap;
    int changed;                 /* Since the last assignment. */
    rd_kafka_message_t *message; /* Returned last. */
};

int tail_open(struct tail **ret, const struct conf *conf, const char *bootstrap,
              const char *topic)
{
    struct client client = {.conf = conf, .bootstrap = bootstrap, .worker = -1};
    char why[CLIENT_WHY_BYTES];
    struct tail *tail = calloc(1, sizeof(*tail));
    if (!tail)
        return SEG_ERR_NOMEM;
    rd_kafka_conf_t *kafka = client_conf(&client, CLIENT_READER, why);
    tail->topic = topic;
    tail->rk = kafka ? client_new(kafka, CLIENT_READER, why) : NULL;
    if (!tail->rk) {
        log_error("cannot read the change topic", "reason=\"%s\"", why);
        tail_free(tail);
        return SEG_ERR_INVALID;
    }
    *ret = tail;
    return 0;
}

static void drop_message(struct tail *tail)
{
    if (tail->message)
        rd_kafka_message_destroy(tail->message);
    tail->message = NULL;
}

void tail_free(struct tail *tail)
{
    if (!tail)
        return;
    drop_message(tail);
    if (tail->rk) {
        rd_kafka_consumer_close(tail->rk);
        rd_kafka_destroy(tail->rk);
    }
    free(tail->places);
    free(tail);
}

static struct place *find(struct tail *tail, int partition)
{
    for (size_t i = 0; i < tail->count; i++)
        if (tail->places[i].partition == partition)
            return &tail->places[i];
    return NULL;
}

int tail_start(struct tail *tail, int partition, int64_t offset)
{
    struct place *place = find(tail, partition);
    if (!place) {
        if (alloc_grow((void **)&tail->places, &tail->cap, tail->count + 1,
                       sizeof(*tail->places)) < 0)
            return SEG_ERR_NOMEM;
        place = &tail->places[tail->count++];
    }
    *place = (struct place){partition, offset};
    tail->changed = 1;
    return 0;
}

void tail_stop(struct tail *tail, int partition)
{
    struct place *place = find(tail, partition);
    if (!place)
        return;
    *place = tail->places[--tail->count];
    tail->changed = 1;
}

static void assign(struct tail *tail)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)tail->count);
    for (size_t i = 0; i < tail->count; i++)
        rd_kafka_topic_partition_list_add(list, tail->topic,
                                          tail->places[i].partition)
            ->offset = tail->places[i].next;
    rd_kafka_resp_err_t error = rd_kafka_assign(tail->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (error)
        log_error("cannot read the change topic, trying again", "reason=\"%s\"",
                  rd_kafka_err2str(error));
    tail->changed = error != RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* What the message that was just taken from librdkafka is to PLACE. */
static int judge(struct tail *tail, struct place *place,
                 struct tail_record *out)
{
    const rd_kafka_message_t *message = tail->message;
    *out = (struct tail_record){
        .partition = place->partition,
        .offset = message->offset,
    };
    switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        if (message->offset < place->next)
            return TAIL_NOTHING;
        place->next = message->offset + 1;
        out->timestamp_ms = rd_kafka_message_timestamp(message, NULL);
        out->value = message->payload;
        out->len = message->len;
        return TAIL_RECORD;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (message->offset < place->next)
            return TAIL_NOTHING;
        place->next = message->offset;
        return TAIL_END;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        tail_stop(tail, place->partition);
        return TAIL_GONE;
    default: /* Brokers come and go; librdkafka logs it and tries again. */
        return TAIL_NOTHING;
    }
}

int tail_next(struct tail *tail, int timeout_ms, struct tail_record *out)
{
    int answer = TAIL_NOTHING;
    if (tail->changed)
        assign(tail);
    while (answer == TAIL_NOTHING) {
        drop_message(tail);
        tail->message = rd_kafka_consumer_poll(tail->rk, timeout_ms);
        if (!tail->message)
            return TAIL_NOTHING;
        struct place *place =
            tail->message->rkt ? find(tail, tail->message->partition) : NULL;
        if (place)
            answer = judge(tail, place, out);
        timeout_ms = 0;
    }
    return answer;
}

int tail_bounds(struct tail *tail, int partition, int timeout_ms, int64_t *low,
                int64_t *high)
{
    return rd_kafka_query_watermark_offsets(tail->rk, tail->topic, partition,
                                            low, high, timeout_ms)
               ? SEG_ERR_NOT_FOUND
               : 0;
}
