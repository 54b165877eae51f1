/* questions_ask.c: how each kind of question is put to the brokers, and what
 * their answers mean. Who asks when is in questions.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/kafka/questions_inside.h"

#define ASK_MS     1000 /* Longest wait for one answer. */
#define FIRST_MS   50  /* Likewise; for offsets that may be pending, at first */
#define PENDING_MS 200 /* and when they are asked for again. */

/* Whether ERR is one that only people can mend. */
static int is_refusal(rd_kafka_resp_err_t err)
{
    switch ((int)err) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return 1;
    }
    return 0;
}

/* QUESTION could not be answered because of ERR: refused, or open still. */
static void fail(const struct questions *questions, struct question *question,
                 rd_kafka_resp_err_t err)
{
    char topic[CLIENT_TOPIC_BYTES] = "";
    if (is_refusal(err)) {
        question->stage = ANSWERED;
        question->answer = BROKER_REFUSED;
    }
    if (question->kind != COMMITTED)
        client_topic(questions->options.client->conf, question->topic, topic);
    snprintf(question->reason, sizeof(question->reason),
             "%s of partition %d%s%s: %s.",
             question->kind == COMMITTED ? "Committed offsets" : "Offsets",
             question->partition, topic[0] ? " of topic " : "", topic,
             rd_kafka_err2str(err));
}

/* Ask for the offsets at TIME (-1: the end, -2: the start, else milliseconds)
 * of the COUNT questions at LIST; each finds its element in the same order. */
static rd_kafka_topic_partition_list_t *
ask_offsets(const struct questions *questions, struct question *const *list,
            int count, int64_t time)
{
    char topic[CLIENT_TOPIC_BYTES];
    rd_kafka_topic_partition_list_t *offsets =
        rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++) {
        client_topic(questions->options.client->conf, list[i]->topic, topic);
        rd_kafka_topic_partition_list_add(offsets, topic, list[i]->partition)
            ->offset = time;
    }
    rd_kafka_resp_err_t err =
        rd_kafka_offsets_for_times(questions->options.watcher, offsets, ASK_MS);
    for (int i = 0; err && i < count; i++)
        offsets->elems[i].err = err;
    return offsets;
}

/* The embedded broker knows no offsets by time. */
static void ask_embedded(const struct questions *questions,
                         struct question *question)
{
    char topic[CLIENT_TOPIC_BYTES];
    client_topic(questions->options.client->conf, question->topic, topic);
    rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(
        questions->options.watcher, topic, question->partition, &question->low,
        &question->high, ASK_MS);
    if (err)
        fail(questions, question, err);
    else
        question->stage = ANSWERED;
}

/* The ends of COUNT partitions, and the starts of those who want them. */
static void ask_watermarks(const struct questions *questions,
                           struct question *const *list, int count)
{
    int low = 0;
    for (int i = 0; i < count; i++)
        low |= list[i]->want_low;
    rd_kafka_topic_partition_list_t *starts =
        low ? ask_offsets(questions, list, count, RD_KAFKA_OFFSET_BEGINNING)
            : NULL;
    rd_kafka_topic_partition_list_t *ends =
        ask_offsets(questions, list, count, RD_KAFKA_OFFSET_END);
    for (int i = 0; i < count; i++) {
        rd_kafka_resp_err_t err = ends->elems[i].err;
        if (!err && low)
            err = starts->elems[i].err;
        if (err) {
            fail(questions, list[i], err);
            continue;
        }
        list[i]->stage = ANSWERED;
        list[i]->high = ends->elems[i].offset;
        list[i]->low = low ? starts->elems[i].offset : 0;
    }
    rd_kafka_topic_partition_list_destroy(ends);
    if (starts)
        rd_kafka_topic_partition_list_destroy(starts);
}

static void ask_start(const struct questions *questions,
                      struct question *question)
{
    if (questions->options.embedded) {
        question->stage = ANSWERED;
        question->answer = BROKER_REFUSED;
        snprintf(question->reason, sizeof(question->reason),
                 "The embedded broker knows no offsets by time.");
        return;
    }
    rd_kafka_topic_partition_list_t *found =
        ask_offsets(questions, &question, 1, question->instant_ms);
    if (!found->elems[0].err && found->elems[0].offset < 0) {
        rd_kafka_topic_partition_list_destroy(found); /* Later than the end. */
        found = ask_offsets(questions, &question, 1, RD_KAFKA_OFFSET_END);
    }
    if (found->elems[0].err) {
        fail(questions, question, found->elems[0].err);
    } else {
        question->stage = ANSWERED;
        question->offset = found->elems[0].offset;
    }
    rd_kafka_topic_partition_list_destroy(found);
}

static void take_committed(const rd_kafka_topic_partition_t *element,
                           struct broker_committed *out)
{
    size_t n = element->metadata ? element->metadata_size : 0;
    if (n >= sizeof(out->metadata))
        n = sizeof(out->metadata) - 1;
    out->offset = element->offset < 0 ? -1 : element->offset;
    if (n)
        memcpy(out->metadata, element->metadata, n);
    out->metadata[n] = '\0';
}

static void ask_committed(const struct questions *questions,
                          struct question *question)
{
    const struct conf *conf = questions->options.client->conf;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(conf->input_count);
    for (int i = 0; i < conf->input_count; i++)
        rd_kafka_topic_partition_list_add(list, conf->inputs[i].topic,
                                          question->partition);
    rd_kafka_resp_err_t err =
        rd_kafka_committed(questions->options.reader, list,
                           question->tries ? PENDING_MS : FIRST_MS);
    for (int i = 0; i < list->cnt && !err; i++)
        err = list->elems[i].err;
    if (err) {
        fail(questions, question, err);
    } else {
        question->stage = ANSWERED;
        for (int i = 0; i < list->cnt; i++)
            take_committed(&list->elems[i], &question->committed[i]);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

/* Have the reader know all topics and their leaders, before it reads: of one it
 * does not know it would learn only a second later. */
static void find_leaders(const struct questions *questions)
{
    const rd_kafka_metadata_t *metadata;
    char topic[CLIENT_TOPIC_BYTES];
    int count = BROKER_OUTPUTS + questions->options.client->conf->input_count;
    for (int i = 0; i < count; i++) {
        if (i == BROKER_TRAITS) /* Not read, perhaps not there. */
            continue;
        client_topic(questions->options.client->conf, i, topic);
        if (!questions->known[i])
            questions->known[i] =
                rd_kafka_topic_new(questions->options.reader, topic, NULL);
        if (questions->known[i] &&
            !rd_kafka_metadata(questions->options.reader, 0,
                               questions->known[i], &metadata, ASK_MS))
            rd_kafka_metadata_destroy(metadata);
    }
}

static void ask_one(const struct questions *questions,
                    struct question *question)
{
    switch (question->kind) {
    case WATERMARKS:
    case END:
        ask_embedded(questions, question);
        break;
    case START_OFFSET:
        ask_start(questions, question);
        break;
    case CHECK:
        admin_check(questions->options.watcher, questions->options.client,
                    questions->options.embedded, ASK_MS, question->check);
        if (question->check->verdict == ADMIN_OK)
            find_leaders(questions);
        question->stage = ANSWERED;
        break;
    case COMMITTED:
        ask_committed(questions, question);
        break;
    }
}

void questions_ask(const struct questions *questions, struct question **list,
                   int count)
{
    int first = 0;
    if (!questions->options.embedded) {
        while (first < count && list[first]->kind <= END)
            first++;
        if (first)
            ask_watermarks(questions, list, first);
    }
    for (int i = first; i < count; i++)
        ask_one(questions, list[i]);
}
