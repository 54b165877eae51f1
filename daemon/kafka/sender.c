/* sender.c: a transactional producer that waits for everything. */
#include "daemon/kafka/sender.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#define POLL_MS 100 /* While the queue is full. */

struct sender {
    rd_kafka_t *rk;
};

/* Take ERROR, if there is one. */
static int settle(rd_kafka_error_t *error, char *why)
{
    if (!error)
        return 0;
    snprintf(why, CLIENT_WHY_BYTES, "%s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return SEG_ERR_INVALID;
}

/* There is no session that it must end before. */
static void set_timeout(rd_kafka_conf_t *conf)
{
    char ms[32], text[256];
    snprintf(ms, sizeof(ms), "%d", SENDER_TRANSACTION_MS);
    rd_kafka_conf_set(conf, "transaction.timeout.ms", ms, text, sizeof(text));
}

int sender_open(struct sender **ret, const struct client *client, char *why)
{
    struct sender *sender = calloc(1, sizeof(*sender));
    if (!sender)
        return SEG_ERR_NOMEM;
    rd_kafka_conf_t *conf = client_conf(client, CLIENT_PRODUCER, why);
    if (conf)
        set_timeout(conf);
    sender->rk = conf ? client_new(conf, CLIENT_PRODUCER, why) : NULL;
    int r =
        sender->rk
            ? settle(rd_kafka_init_transactions(sender->rk, SENDER_TIMEOUT_MS),
                     why)
            : SEG_ERR_INVALID;
    if (r < 0)
        sender_close(sender);
    else
        *ret = sender;
    return r;
}

void sender_close(struct sender *sender)
{
    if (!sender)
        return;
    if (sender->rk)
        rd_kafka_destroy(sender->rk);
    free(sender);
}

int sender_begin(struct sender *sender, char *why)
{
    return settle(rd_kafka_begin_transaction(sender->rk), why);
}

int sender_send(struct sender *sender, const struct sender_record *record,
                char *why)
{
    rd_kafka_headers_t *headers =
        rd_kafka_headers_new((size_t)record->header_count);
    rd_kafka_resp_err_t err;
    for (int i = 0; i < record->header_count; i++)
        rd_kafka_header_add(headers, record->headers[i].name, -1,
                            record->headers[i].value,
                            (ssize_t)record->headers[i].len);
    do {
        err = rd_kafka_producev(
            sender->rk, RD_KAFKA_V_TOPIC(record->topic),
            RD_KAFKA_V_PARTITION(record->partition),
            RD_KAFKA_V_TIMESTAMP(record->timestamp_ms),
            RD_KAFKA_V_KEY(record->key, record->key_len),
            RD_KAFKA_V_VALUE((void *)record->value, record->len),
            RD_KAFKA_V_HEADERS(headers),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(sender->rk, POLL_MS);
    } while (err == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (!err)
        return 0;
    rd_kafka_headers_destroy(headers);
    snprintf(why, CLIENT_WHY_BYTES, "%s: %s", record->topic,
             rd_kafka_err2str(err));
    return SEG_ERR_INVALID;
}

int sender_note(struct sender *sender, const char *group, const char *topic,
                int partition, int64_t offset, const char *metadata, char *why)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_consumer_group_metadata_t *member =
        rd_kafka_consumer_group_metadata_new(group);
    rd_kafka_topic_partition_t *element =
        rd_kafka_topic_partition_list_add(list, topic, partition);
    element->offset = offset;
    element->metadata = metadata ? strdup(metadata) : NULL; /* The list's. */
    element->metadata_size = element->metadata ? strlen(metadata) : 0;
    int r = settle(rd_kafka_send_offsets_to_transaction(
                       sender->rk, list, member, SENDER_TIMEOUT_MS),
                   why);
    rd_kafka_consumer_group_metadata_destroy(member);
    rd_kafka_topic_partition_list_destroy(list);
    return r;
}

int sender_commit(struct sender *sender, char *why)
{
    int r =
        settle(rd_kafka_commit_transaction(sender->rk, SENDER_TIMEOUT_MS), why);
    if (r < 0)
        sender_abort(sender);
    return r;
}

void sender_abort(struct sender *sender)
{
    char ignored[CLIENT_WHY_BYTES];
    settle(rd_kafka_abort_transaction(sender->rk, SENDER_TIMEOUT_MS), ignored);
}
