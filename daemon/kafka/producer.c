/* producer.c: the transactional producer of one worker.
 *
 * What an error of the library means for a transaction:
 *
 *     before the commit is asked for   abortable: ABORT, or REFUSED if people
 *                                      must mend something; the group does not
 *                                      know us: LOST; retriable: AGAIN; the
 *                                      transaction has failed behind our back
 *                                      (_STATE): ABORT
 *     from then on                     AGAIN while it says so, else nobody
 *                                      knows what the coordinator decided:
 *                                      FATAL. Even "abortable": a transaction
 *                                      may fail here while its EndTxn succeeds
 *                                      there.
 *     fatal                            FATAL; FENCED if the epoch was raised
 *
 * Offsets are fenced by the group's member id and generation, and by nothing
 * else. A consumer that was thrown out has neither, and offsets that come with
 * neither are accepted from anybody: so without a member id nothing is sent.
 *
 * The library waits out linger.ms before it sends, unless it is flushed: a
 * commit flushes until every delivery is reported, then asks. */
#include "daemon/kafka/producer.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/base/fail.h"
#include "daemon/base/log.h"
#include "daemon/base/watchdog.h"
#include "daemon/protocol/mutation.h"
#include "lib/base/alloc.h"

#define REASON_BYTES 1024

/* What the running transaction has written to one partition of an output. */
struct written {
    uint64_t transaction; /* To which the rest belongs. */
    uint32_t produced, reported;
    int64_t end; /* After the last one reported; -1: its offset is not known. */
};

struct producer {
    const struct client *client;
    int embedded;
    rd_kafka_t *member; /* Borrowed. */
    rd_kafka_t *rk;     /* NULL before the first producer_renew. */
    rd_kafka_topic_t *topics[BROKER_OUTPUTS];
    int renewing; /* `rk` is new, init_transactions goes on. */
    char reason[REASON_BYTES];

    /* The transaction. */
    uint64_t transaction; /* Number of it, of this process. */
    int open;
    int asked;  /* The commit was asked for. */
    int failed; /* enum broker_answer of the first failed delivery, or 0. */
    struct written *written[BROKER_OUTPUTS];
    size_t written_cap[BROKER_OUTPUTS];
    rd_kafka_topic_partition_list_t *offsets; /* Embedded: what was sent. */
};

/* ---- what errors mean ---------------------------------------------------- */

static int is_fenced(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR__FENCED ||
           err == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           err == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

static int is_lost(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           err == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID ||
           err == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

/* Whether it stays so until somebody mends it. */
static int is_refused(rd_kafka_resp_err_t err)
{
    switch ((int)err) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
        return 1;
    }
    return 0;
}

/* Answer ANSWER, with the reason TEXT unless it is good news. */
static int say(struct producer *producer, int answer, const char *doing,
               const char *text)
{
    if (answer != BROKER_OK && answer != BROKER_AGAIN)
        snprintf(producer->reason, sizeof(producer->reason), "%s: %s.", doing,
                 text);
    return answer;
}

static int meaning(const struct producer *producer,
                   const rd_kafka_error_t *error)
{
    rd_kafka_resp_err_t err = rd_kafka_error_code(error);
    if (rd_kafka_error_is_fatal(error) ||
        rd_kafka_fatal_error(producer->rk, NULL, 0))
        return is_fenced(err) ? BROKER_FENCED : BROKER_FATAL;
    if (rd_kafka_error_is_retriable(error))
        return BROKER_AGAIN;
    if (producer->asked)
        return BROKER_FATAL;
    if (is_lost(err))
        return BROKER_LOST;
    if (is_refused(err))
        return BROKER_REFUSED;
    return rd_kafka_error_txn_requires_abort(error) ||
                   err == RD_KAFKA_RESP_ERR__STATE
               ? BROKER_ABORT
               : BROKER_FATAL;
}

/* The watchdog knows that the brokers are waited for, or no longer. */
static void enter(const struct producer *producer)
{
    watchdog_enter(producer->client->mark);
}

static void leave(const struct producer *producer)
{
    watchdog_turn(producer->client->mark);
}

/* The answer to ERROR (NULL: none), which is taken. A call was left with it. */
static int judge(struct producer *producer, rd_kafka_error_t *error,
                 const char *doing)
{
    leave(producer);
    if (!error)
        return BROKER_OK;
    int answer = meaning(producer, error);
    /* That a transaction has failed says less than why one did before. */
    if (rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR__STATE ||
        !producer->reason[0])
        say(producer, answer, doing, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return answer;
}

/* ---- deliveries ---------------------------------------------------------- */

/* A delivery report finds its place by a number, (partition, topic). */
static void *place_of(int topic, int partition)
{
    return (void *)((uintptr_t)partition * BROKER_OUTPUTS + (uintptr_t)topic);
}

/* The place of PARTITION of TOPIC, of this transaction; NULL: no memory. */
static struct written *written_at(struct producer *producer, int topic,
                                  int partition)
{
    size_t had = producer->written_cap[topic];
    if (alloc_grow((void **)&producer->written[topic],
                   &producer->written_cap[topic], (size_t)partition + 1,
                   sizeof(struct written)) < 0)
        return NULL;
    if (producer->written_cap[topic] > had)
        memset(producer->written[topic] + had, 0,
               (producer->written_cap[topic] - had) * sizeof(struct written));
    struct written *written = &producer->written[topic][partition];
    if (written->transaction != producer->transaction)
        *written = (struct written){.transaction = producer->transaction};
    return written;
}

/* What ERR, met while a transaction is written, calls for. */
static int meaning_of_code(const struct producer *producer,
                           rd_kafka_resp_err_t err)
{
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(producer->rk, NULL, 0);
    if (is_fenced(err) || is_fenced(fatal))
        return BROKER_FENCED;
    if (fatal)
        return BROKER_FATAL;
    return is_refused(err) ? BROKER_REFUSED : BROKER_ABORT;
}

static void note_failure(struct producer *producer, int topic, size_t partition,
                         rd_kafka_resp_err_t err)
{
    char doing[CLIENT_TOPIC_BYTES + 64], name[CLIENT_TOPIC_BYTES];
    snprintf(doing, sizeof(doing), "Writing to %s, partition %zu",
             client_topic(producer->client->conf, topic, name), partition);
    producer->failed = say(producer, meaning_of_code(producer, err), doing,
                           rd_kafka_err2str(err));
}

/* Whether a record was thrown away because its transaction is given up: why that
 * is so has been said. */
static int is_purged(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
           err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message,
                        void *arg)
{
    struct producer *producer = arg;
    uintptr_t place = (uintptr_t)message->_private;
    int topic = (int)(place % BROKER_OUTPUTS);
    size_t partition = place / BROKER_OUTPUTS;
    struct written *written = &producer->written[topic][partition];
    (void)rk;
    written->reported++;
    if (!message->err)
        written->end = message->offset < 0 ? -1 : message->offset + 1;
    else if (!producer->failed && !is_purged(message->err))
        note_failure(producer, topic, partition, message->err);
}

int64_t producer_delivered(const struct producer *producer, int topic,
                           int partition)
{
    if ((size_t)partition >= producer->written_cap[topic])
        return -1;
    const struct written *written = &producer->written[topic][partition];
    return written->transaction == producer->transaction && written->produced &&
                   written->produced == written->reported
               ? written->end
               : -1;
}

void producer_serve(struct producer *producer)
{
    if (producer->rk)
        rd_kafka_poll(producer->rk, 0);
}

/* ---- the producer -------------------------------------------------------- */

static void end(struct producer *producer)
{
    if (!producer->rk)
        return;
    rd_kafka_purge(producer->rk, RD_KAFKA_PURGE_F_QUEUE |
                                     RD_KAFKA_PURGE_F_INFLIGHT |
                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
    for (int i = 0; i < BROKER_OUTPUTS; i++) {
        if (producer->topics[i])
            rd_kafka_topic_destroy(producer->topics[i]);
        producer->topics[i] = NULL;
    }
    enter(producer);
    rd_kafka_destroy(producer->rk);
    leave(producer);
    producer->rk = NULL;
}

/* A new producer. Returns 0, or -1 with the reason. */
static int make(struct producer *producer)
{
    char why[CLIENT_WHY_BYTES], name[CLIENT_TOPIC_BYTES];
    rd_kafka_conf_t *conf = client_conf(producer->client, CLIENT_PRODUCER, why);
    if (conf) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        rd_kafka_conf_set_opaque(conf, producer);
        producer->rk = client_new(conf, CLIENT_PRODUCER, why);
    }
    if (!producer->rk) {
        say(producer, BROKER_REFUSED, "Making a producer", why);
        return -1;
    }
    for (int i = 0; i < BROKER_OUTPUTS; i++)
        if (i != BROKER_TRAITS)
            producer->topics[i] = rd_kafka_topic_new(
                producer->rk, client_topic(producer->client->conf, i, name),
                NULL);
    return 0;
}

/* Find the leaders of an output now: for a topic it does not know yet the
 * library looks once a second only, and the first transaction waits for that.
 */
static void find_leader(struct producer *producer, int topic)
{
    const rd_kafka_metadata_t *metadata;
    enter(producer);
    if (producer->topics[topic] &&
        !rd_kafka_metadata(producer->rk, 0, producer->topics[topic], &metadata,
                           BROKER_CALL_MS / BROKER_OUTPUTS))
        rd_kafka_metadata_destroy(metadata);
    leave(producer);
}

static void find_leaders(struct producer *producer)
{
    for (int i = 0; i < BROKER_OUTPUTS; i++)
        find_leader(producer, i);
}

/* The topic of traits is there only where there are some: to ask for it may
 * make it, so that is left to the first record of it. */
static void need_topic(struct producer *producer, int topic)
{
    char name[CLIENT_TOPIC_BYTES];
    if (producer->topics[topic])
        return;
    producer->topics[topic] = rd_kafka_topic_new(
        producer->rk, client_topic(producer->client->conf, topic, name), NULL);
    find_leader(producer, topic);
}

int producer_renew(struct producer *producer)
{
    if (!producer->renewing) {
        end(producer);
        producer->open = producer->asked = producer->failed = 0;
        producer->transaction++;
        if (make(producer) < 0)
            return BROKER_REFUSED;
        producer->renewing = 1;
    }
    if (FAIL_POINT(INIT_TRANSACTIONS))
        return BROKER_AGAIN;
    enter(producer);
    int answer = judge(producer,
                       rd_kafka_init_transactions(producer->rk, BROKER_CALL_MS),
                       "init_transactions");
    if (answer == BROKER_AGAIN)
        return answer;
    producer->renewing = 0;
    if (answer == BROKER_OK)
        find_leaders(producer);
    /* Anything else takes a new producer to try again, and not at once: it may
     * well be a right that is missing. */
    return answer == BROKER_FATAL || answer == BROKER_ABORT ? BROKER_REFUSED
                                                            : answer;
}

int producer_begin(struct producer *producer)
{
    enter(producer);
    int answer = judge(producer, rd_kafka_begin_transaction(producer->rk),
                       "begin_transaction");
    if (answer != BROKER_OK)
        return answer == BROKER_FENCED ? answer : BROKER_FATAL;
    producer->transaction++;
    producer->open = 1;
    producer->asked = producer->failed = 0;
    return FAIL_POINT(BEGIN) ? BROKER_FATAL : BROKER_OK;
}

/* HEADERS for the library, NULL: no memory. */
static rd_kafka_headers_t *headers_of(const struct broker_record *record)
{
    rd_kafka_headers_t *headers =
        rd_kafka_headers_new((size_t)record->header_count);
    for (int i = 0; i < record->header_count; i++)
        rd_kafka_header_add(headers, record->headers[i].name, -1,
                            record->headers[i].value,
                            (ssize_t)record->headers[i].len);
    return headers;
}

/* The last argument is NULL, or taken when all is well. */
static rd_kafka_resp_err_t enqueue(struct producer *producer,
                                   const struct broker_record *record,
                                   rd_kafka_headers_t *headers)
{
    rd_kafka_vu_t vus[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = producer->topics[record->topic]},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = record->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {.ptr = (void *)record->key, .size = record->key_len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {.ptr = (void *)record->value, .size = record->value_len}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE,
         .u.ptr = place_of(record->topic, record->partition)},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t n = sizeof(vus) / sizeof(vus[0]) - !headers;
    rd_kafka_error_t *error = rd_kafka_produceva(producer->rk, vus, n);
    rd_kafka_resp_err_t err = error ? rd_kafka_error_code(error) : 0;
    if (error)
        rd_kafka_error_destroy(error);
    return err;
}

/* The failpoints behind an output; user records have one of their own, FLUSH.
 */
static int fail_produced(int topic)
{
    if (topic == BROKER_DEAD_LETTERS)
        return FAIL_POINT(DEAD_LETTER);
    return topic != BROKER_STATE && FAIL_POINT(EMIT);
}

int producer_produce(struct producer *producer,
                     const struct broker_record *record)
{
    struct written *written =
        written_at(producer, record->topic, record->partition);
    if (producer->failed)
        return producer->failed;
    if (!written)
        return say(producer, BROKER_ABORT, "produce", "no memory");
    need_topic(producer, record->topic);
    rd_kafka_headers_t *headers =
        record->header_count ? headers_of(record) : NULL;
    rd_kafka_resp_err_t err = enqueue(producer, record, headers);
    if (!err) {
        written->produced++;
        return fail_produced(record->topic) ? BROKER_ABORT : BROKER_OK;
    }
    if (headers)
        rd_kafka_headers_destroy(headers);
    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(producer->rk, BROKER_CALL_MS / 100);
        return BROKER_AGAIN;
    }
    return say(producer, meaning_of_code(producer, err), "produce",
               rd_kafka_err2str(err));
}

/* ---- offsets
 * ---------------------------------------------------------------------------
 */

static rd_kafka_topic_partition_list_t *
list_of(const struct producer *producer, const struct broker_offset *offsets,
        int count)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++) {
        rd_kafka_topic_partition_t *element = rd_kafka_topic_partition_list_add(
            list, producer->client->conf->inputs[offsets[i].input].topic,
            offsets[i].partition);
        size_t n = strlen(offsets[i].metadata);
        element->offset = offsets[i].offset;
        element->metadata = malloc(n + 1); /* The list frees it. */
        if (element->metadata) {
            memcpy(element->metadata, offsets[i].metadata, n + 1);
            element->metadata_size = n;
        }
    }
    return list;
}

/* The group metadata of this moment if it names us as a member, else NULL. */
static rd_kafka_consumer_group_metadata_t *membership(rd_kafka_t *member)
{
    if (!member || rd_kafka_assignment_lost(member))
        return NULL;
    char *before = rd_kafka_memberid(member);
    rd_kafka_consumer_group_metadata_t *metadata =
        rd_kafka_consumer_group_metadata(member);
    char *after = rd_kafka_memberid(member);
    int same = before && after && before[0] && strcmp(before, after) == 0;
    if (before)
        rd_kafka_mem_free(member, before);
    if (after)
        rd_kafka_mem_free(member, after);
    if (same || !metadata)
        return metadata;
    rd_kafka_consumer_group_metadata_destroy(metadata);
    return NULL;
}

int producer_send_offsets(struct producer *producer,
                          const struct broker_offset *offsets, int count)
{
    if (producer->failed)
        return producer->failed;
    if (FAIL_POINT(BEFORE_SEND_OFFSETS))
        return say(producer, BROKER_ABORT, "send_offsets", "failpoint");
    rd_kafka_consumer_group_metadata_t *metadata = membership(producer->member);
    if (!metadata)
        return say(producer,
                   MUTATED(LOST_IS_FINISHED) ? BROKER_AGAIN : BROKER_LOST,
                   "send_offsets", "no member of the group any more");
    rd_kafka_topic_partition_list_t *list = list_of(producer, offsets, count);
    enter(producer);
    int answer = judge(producer,
                       rd_kafka_send_offsets_to_transaction(
                           producer->rk, list, metadata, BROKER_CALL_MS),
                       "send_offsets_to_transaction");
    rd_kafka_consumer_group_metadata_destroy(metadata);
    if (producer->embedded && answer == BROKER_OK) {
        if (producer->offsets)
            rd_kafka_topic_partition_list_destroy(producer->offsets);
        producer->offsets = list;
    } else {
        rd_kafka_topic_partition_list_destroy(list);
    }
    return FAIL_POINT(AFTER_SEND_OFFSETS) ? BROKER_FATAL : answer;
}

/* ---- commit and abort ---------------------------------------------------- */

/* The embedded broker forgets offsets of transactions: once more, plainly. */
static void commit_plainly(struct producer *producer)
{
    if (!producer->offsets || !producer->member)
        return;
    enter(producer);
    rd_kafka_resp_err_t err =
        rd_kafka_commit(producer->member, producer->offsets, 0);
    leave(producer);
    if (err)
        log_warn("the embedded broker did not take offsets", "error=\"%s\"",
                 rd_kafka_err2str(err));
}

int producer_commit(struct producer *producer)
{
    if (!producer->asked) {
        enter(producer);
        int waits = rd_kafka_flush(producer->rk, BROKER_CALL_MS) != 0;
        leave(producer);
        if (waits && !producer->failed)
            return BROKER_AGAIN;
        if (producer->failed)
            return producer->failed;
        if (FAIL_POINT(BEFORE_COMMIT))
            return say(producer, BROKER_ABORT, "commit", "failpoint");
    }
    producer->asked = 1;
    enter(producer);
    (void)FAIL_POINT(DURING_COMMIT);
    int answer = judge(
        producer, rd_kafka_commit_transaction(producer->rk, BROKER_CALL_MS),
        "commit_transaction");
    if (answer == BROKER_OK) {
        producer->open = 0;
        producer->reason[0] = '\0';
        commit_plainly(producer);
    }
    if (FAIL_POINT(AFTER_COMMIT)) /* As if the answer had been lost. */
        return say(producer, BROKER_FATAL, "commit", "failpoint");
    return answer;
}

int producer_abort(struct producer *producer)
{
    if (!producer->open)
        return BROKER_OK;
    if (FAIL_POINT(ABORT))
        return say(producer, BROKER_FATAL, "abort", "failpoint");
    enter(producer);
    int answer = judge(producer,
                       rd_kafka_abort_transaction(producer->rk, BROKER_CALL_MS),
                       "abort_transaction");
    if (answer == BROKER_OK)
        producer->open = 0;
    /* An abort that cannot be done is one for a new producer. */
    return answer == BROKER_OK || answer == BROKER_AGAIN ||
                   answer == BROKER_FENCED
               ? answer
               : BROKER_FATAL;
}

/* ---- life cycle ---------------------------------------------------------- */

int producer_new(struct producer **ret, const struct client *client,
                 int embedded)
{
    struct producer *producer = calloc(1, sizeof(*producer));
    if (!producer)
        return SEG_ERR_NOMEM;
    producer->client = client;
    producer->embedded = embedded;
    *ret = producer;
    return 0;
}

void producer_free(struct producer *producer)
{
    if (!producer)
        return;
    end(producer);
    if (producer->offsets)
        rd_kafka_topic_partition_list_destroy(producer->offsets);
    for (int i = 0; i < BROKER_OUTPUTS; i++)
        free(producer->written[i]);
    free(producer);
}

void producer_set_member(struct producer *producer, rd_kafka_t *member)
{
    producer->member = member;
}

const char *producer_reason(const struct producer *producer)
{
    return producer->reason;
}
