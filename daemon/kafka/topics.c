/* topics.c: what topics are like: one question for each topic's partitions, and
 * one for the settings of all that are there. */
#include "daemon/kafka/topics.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/kafka/away.h"

/* ---- partitions -------------------------------------------------------- */

static void take_partitions(const rd_kafka_metadata_topic_t *topic,
                            struct topics_info *row)
{
    if (topic->err) {
        snprintf(row->error, sizeof(row->error), "%s",
                 rd_kafka_err2str(topic->err));
        return;
    }
    row->partitions = topic->partition_cnt;
    for (int i = 0; i < topic->partition_cnt; i++) {
        const rd_kafka_metadata_partition_t *one = &topic->partitions[i];
        if (!i || one->replica_cnt < row->replicas)
            row->replicas = one->replica_cnt;
        row->leaderless += one->leader < 0;
    }
}

static int ask_partitions(rd_kafka_t *rk, struct topics_info *row, char *why)
{
    const rd_kafka_metadata_t *metadata = NULL;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, row->name, NULL);
    if (!rkt) {
        snprintf(row->error, sizeof(row->error), "no name of a topic");
        return 0;
    }
    rd_kafka_resp_err_t err =
        rd_kafka_metadata(rk, 0, rkt, &metadata, TOPICS_TIMEOUT_MS);
    rd_kafka_topic_destroy(rkt);
    if (err) {
        away_say(why, "The brokers do not answer", err, rd_kafka_err2str(err));
        return SEG_ERR_INVALID;
    }
    if (metadata->topic_cnt == 1)
        take_partitions(&metadata->topics[0], row);
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

/* ---- settings ---------------------------------------------------------- */

static void take_setting(struct topics_info *row, const char *name,
                         const char *value)
{
    if (!strcmp(name, "cleanup.policy"))
        snprintf(row->cleanup, sizeof(row->cleanup), "%s", value);
    else if (!strcmp(name, "retention.ms"))
        row->retention_ms = strtoll(value, NULL, 10);
    else if (!strcmp(name, "retention.bytes"))
        row->retention_bytes = strtoll(value, NULL, 10);
    else if (!strcmp(name, "max.message.bytes"))
        row->message_bytes = strtoll(value, NULL, 10);
}

static void take_settings(struct topics_info *row,
                          const rd_kafka_ConfigResource_t *resource)
{
    size_t count;
    if (rd_kafka_ConfigResource_error(resource)) {
        const char *text = rd_kafka_ConfigResource_error_string(resource);
        snprintf(row->error, sizeof(row->error), "%s", text ? text : "refused");
        return;
    }
    const rd_kafka_ConfigEntry_t **entries =
        rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        take_setting(row, rd_kafka_ConfigEntry_name(entries[i]),
                     value ? value : "");
    }
}

static struct topics_info *row_of(struct topics_info *rows, int count,
                                  const char *name)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    return NULL;
}

/* All topics of RESOURCES in one question. NULL if there was no answer. */
static rd_kafka_event_t *
describe(rd_kafka_t *rk, rd_kafka_ConfigResource_t **resources, size_t count)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_AdminOptions_set_request_timeout(options, TOPICS_TIMEOUT_MS, NULL,
                                              0);
    rd_kafka_DescribeConfigs(rk, resources, count, options, queue);
    rd_kafka_event_t *event =
        rd_kafka_queue_poll(queue, TOPICS_TIMEOUT_MS + 100);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return event;
}

static int ask_settings(rd_kafka_t *rk, struct topics_info *rows, int count,
                        char *why)
{
    rd_kafka_ConfigResource_t **resources =
        calloc((size_t)count + 1, sizeof(rd_kafka_ConfigResource_t *));
    size_t asked = 0, n = 0;
    if (!resources)
        return SEG_ERR_NOMEM;
    for (int i = 0; i < count; i++)
        if (rows[i].partitions)
            resources[asked++] = rd_kafka_ConfigResource_new(
                RD_KAFKA_RESOURCE_TOPIC, rows[i].name);
    rd_kafka_event_t *event = asked ? describe(rk, resources, asked) : NULL;
    int good = !asked || (event && !rd_kafka_event_error(event));
    const rd_kafka_ConfigResource_t **found =
        asked && good ? rd_kafka_DescribeConfigs_result_resources(
                            rd_kafka_event_DescribeConfigs_result(event), &n)
                      : NULL;
    for (size_t i = 0; i < n; i++) {
        struct topics_info *row =
            row_of(rows, count, rd_kafka_ConfigResource_name(found[i]));
        if (row)
            take_settings(row, found[i]);
    }
    if (!good)
        away_say(why, "The brokers do not answer",
                 event ? rd_kafka_event_error(event)
                       : RD_KAFKA_RESP_ERR__TIMED_OUT,
                 event ? rd_kafka_event_error_string(event) : "time-out");
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy_array(resources, asked);
    free(resources);
    return good ? 0 : SEG_ERR_INVALID;
}

int topics_describe(const struct client *client, struct topics_info *rows,
                    int count, char *why)
{
    rd_kafka_conf_t *conf = client_conf(client, CLIENT_WATCHER, why);
    rd_kafka_t *rk = conf ? client_new(conf, CLIENT_WATCHER, why) : NULL;
    int r = rk ? 0 : SEG_ERR_INVALID;
    for (int i = 0; i < count && r >= 0; i++) {
        struct topics_info *row = &rows[i];
        row->partitions = row->replicas = row->leaderless = 0;
        row->cleanup[0] = row->error[0] = '\0';
        row->retention_ms = row->retention_bytes = row->message_bytes = -1;
        r = ask_partitions(rk, row, why);
    }
    if (r >= 0)
        r = ask_settings(rk, rows, count, why);
    if (rk)
        rd_kafka_destroy(rk);
    return r;
}
