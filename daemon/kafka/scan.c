/* scan.c: one consumer with partitions assigned by hand, read to where each is
 * to end. An end event moves over commit markers and aborted records, so that a
 * partition whose last record is a marker ends, too. */
#include "daemon/kafka/scan.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/kafka/away.h"
#include "lib/base/alloc.h"

struct scan {
    rd_kafka_t *rk;
    struct client client;
    struct place {
        const char *topic;
        int partition;
        int64_t next, to;
    } * places;
    size_t count, cap;
    size_t open; /* Places not at their end. */
    int assigned;
    rd_kafka_message_t *message; /* Returned last. */
};

static int say(char *why, const char *topic, int partition,
               rd_kafka_resp_err_t err)
{
    snprintf(why, CLIENT_WHY_BYTES, "%s, partition %d: %s", topic, partition,
             rd_kafka_err2str(err));
    return SEG_ERR_INVALID;
}

/* ---- life cycle -------------------------------------------------------- */

int scan_open(struct scan **ret, const struct client *client, int committed,
              char *why)
{
    struct scan *scan = calloc(1, sizeof(*scan));
    if (!scan)
        return SEG_ERR_NOMEM;
    scan->client = *client;
    rd_kafka_conf_t *conf = client_conf(client, CLIENT_READER, why);
    char text[256];
    if (conf && !committed)
        rd_kafka_conf_set(conf, "isolation.level", "read_uncommitted", text,
                          sizeof(text));
    scan->rk = conf ? client_new(conf, CLIENT_READER, why) : NULL;
    if (!scan->rk) {
        scan_close(scan);
        return SEG_ERR_INVALID;
    }
    *ret = scan;
    return 0;
}

static void drop_message(struct scan *scan)
{
    if (scan->message)
        rd_kafka_message_destroy(scan->message);
    scan->message = NULL;
}

void scan_close(struct scan *scan)
{
    if (!scan)
        return;
    drop_message(scan);
    if (scan->rk) {
        rd_kafka_consumer_close(scan->rk);
        rd_kafka_destroy(scan->rk);
    }
    free(scan->places);
    free(scan);
}

/* ---- questions --------------------------------------------------------- */

int scan_partitions(struct scan *scan, const char *topic, char *why)
{
    const rd_kafka_metadata_t *metadata = NULL;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(scan->rk, topic, NULL);
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__INVALID_ARG;
    int count = 0;
    if (rkt) {
        err = rd_kafka_metadata(scan->rk, 0, rkt, &metadata, SCAN_TIMEOUT_MS);
        rd_kafka_topic_destroy(rkt);
    }
    if (!err && metadata->topic_cnt == 1) {
        err = metadata->topics[0].err;
        count = metadata->topics[0].partition_cnt;
    }
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    if (!err && count)
        return count;
    char what[CLIENT_TOPIC_BYTES + 8];
    snprintf(what, sizeof(what), "Topic %s", topic);
    away_say(why, what, err,
             err ? rd_kafka_err2str(err) : "it has no partitions");
    return SEG_ERR_NOT_FOUND;
}

int scan_bounds(struct scan *scan, const char *topic, int partition,
                int64_t *low, int64_t *high, char *why)
{
    rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(
        scan->rk, topic, partition, low, high, SCAN_TIMEOUT_MS);
    return err ? say(why, topic, partition, err) : 0;
}

int scan_offset_at(struct scan *scan, const char *topic, int partition,
                   int64_t instant_ms, int64_t *offset, char *why)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset =
        instant_ms;
    rd_kafka_resp_err_t err =
        rd_kafka_offsets_for_times(scan->rk, list, SCAN_TIMEOUT_MS);
    if (!err)
        err = list->elems[0].err;
    *offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    if (err)
        return say(why, topic, partition, err);
    int64_t low;
    return *offset >= 0
               ? 0
               : scan_bounds(scan, topic, partition, &low, offset, why);
}

/* A handle whose group is GROUP. NULL with a sentence in WHY. */
static rd_kafka_t *open_group(const struct scan *scan, const char *group,
                              char *why)
{
    char text[256];
    rd_kafka_conf_t *conf = client_conf(&scan->client, CLIENT_READER, why);
    if (!conf)
        return NULL;
    rd_kafka_conf_set(conf, "group.id", group, text, sizeof(text));
    return client_new(conf, CLIENT_READER, why);
}

int scan_committed(struct scan *scan, const char *group, const char *topic,
                   int count, int64_t *offsets,
                   char (*metadata)[SCAN_METADATA_BYTES], char *why)
{
    rd_kafka_t *rk = open_group(scan, group, why);
    if (!rk)
        return SEG_ERR_INVALID;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(count);
    rd_kafka_topic_partition_list_add_range(list, topic, 0, count - 1);
    rd_kafka_resp_err_t err = rd_kafka_committed(rk, list, SCAN_TIMEOUT_MS);
    for (int p = 0; p < count && !err; p++) {
        const rd_kafka_topic_partition_t *one =
            rd_kafka_topic_partition_list_find(list, topic, p);
        err = one->err;
        offsets[p] = one->offset >= 0 ? one->offset : -1;
        if (metadata)
            snprintf(metadata[p], SCAN_METADATA_BYTES, "%.*s",
                     (int)one->metadata_size,
                     one->metadata ? (const char *)one->metadata : "");
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    if (err)
        snprintf(why, CLIENT_WHY_BYTES, "What group %s committed of %s: %s.",
                 group, topic, rd_kafka_err2str(err));
    return err ? SEG_ERR_INVALID : 0;
}

/* ---- reading ----------------------------------------------------------- */

int scan_add(struct scan *scan, const char *topic, int partition, int64_t from,
             int64_t to)
{
    if (from >= to)
        return 0;
    if (alloc_grow((void **)&scan->places, &scan->cap, scan->count + 1,
                   sizeof(*scan->places)) < 0)
        return SEG_ERR_NOMEM;
    scan->places[scan->count++] = (struct place){topic, partition, from, to};
    scan->open++;
    return 0;
}

/* All places that are not at their end. */
static int assign(struct scan *scan, char *why)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)scan->count);
    for (size_t i = 0; i < scan->count; i++)
        rd_kafka_topic_partition_list_add(list, scan->places[i].topic,
                                          scan->places[i].partition)
            ->offset = scan->places[i].next;
    rd_kafka_resp_err_t err = rd_kafka_assign(scan->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    scan->assigned = 1;
    return err ? say(why, "reading", -1, err) : 0;
}

static struct place *place_of(struct scan *scan,
                              const rd_kafka_message_t *message)
{
    const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : "";
    for (size_t i = 0; i < scan->count; i++)
        if (scan->places[i].partition == message->partition &&
            !strcmp(scan->places[i].topic, topic))
            return &scan->places[i];
    return NULL;
}

/* PLACE is read up to NEXT. */
static void advance(struct scan *scan, struct place *place, int64_t next)
{
    int was_open = place->next < place->to;
    place->next = next;
    scan->open -= was_open && next >= place->to;
}

static void take_headers(const rd_kafka_message_t *message,
                         struct scan_record *out)
{
    rd_kafka_headers_t *headers;
    const void *value;
    if (rd_kafka_message_headers(message, &headers))
        return;
    while (out->header_count < SCAN_HEADERS_MAX) {
        struct scan_header *header = &out->headers[out->header_count];
        if (rd_kafka_header_get_all(headers, (size_t)out->header_count,
                                    &header->name, &value, &header->len))
            return;
        header->value = value;
        out->header_count++;
    }
}

static void take_record(const struct place *place,
                        const rd_kafka_message_t *message,
                        struct scan_record *out)
{
    *out = (struct scan_record){
        .topic = place->topic,
        .partition = place->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = message->key,
        .key_len = message->key_len,
        .value = message->payload,
        .len = message->len,
    };
    take_headers(message, out);
}

/* What the message taken last is to PLACE. */
static int judge(struct scan *scan, struct place *place,
                 struct scan_record *out, char *why)
{
    const rd_kafka_message_t *message = scan->message;
    int wanted = message->offset >= place->next && message->offset < place->to;
    switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        if (message->offset >= place->next)
            advance(scan, place, message->offset + 1);
        if (!wanted)
            return SCAN_NOTHING;
        take_record(place, message, out);
        return SCAN_RECORD;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (message->offset >= place->next)
            advance(scan, place, message->offset);
        return SCAN_NOTHING;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return say(why, place->topic, place->partition,
                   RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    default: /* Brokers come and go; librdkafka logs it and tries again. */
        return SCAN_NOTHING;
    }
}

int scan_next(struct scan *scan, int timeout_ms, struct scan_record *out,
              char *why)
{
    int answer = SCAN_NOTHING;
    if (!scan->assigned && assign(scan, why) < 0)
        return SEG_ERR_INVALID;
    while (answer == SCAN_NOTHING) {
        drop_message(scan);
        if (!scan->open)
            return SCAN_END;
        scan->message = rd_kafka_consumer_poll(scan->rk, timeout_ms);
        if (!scan->message)
            return SCAN_NOTHING;
        struct place *place = place_of(scan, scan->message);
        if (place)
            answer = judge(scan, place, out, why);
    }
    return answer;
}

const struct scan_header *scan_header(const struct scan_record *record,
                                      const char *name)
{
    for (int i = 0; i < record->header_count; i++)
        if (!strcmp(record->headers[i].name, name))
            return &record->headers[i];
    return NULL;
}
