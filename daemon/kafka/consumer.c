/* consumer.c: a worker's membership in the group, and the records it gets.
 *
 * How a partition comes to be read (measured with 2.0.2 on a real broker; each
 * step is there because leaving it out lost or doubled records):
 *
 *     get the queue of the partition, split it off the consumer's
 *     pause it before it is assigned: nothing is fetched for a moment
 *     assign it at offset 0, not at a logical offset: the answer to such a
 *         query may come after a seek, half a second later, and moves it back
 *     ... restore ...
 *     seek to the true offset, look at the error of each element
 *     resume
 *
 * To stop: pause. To go on: seek to the offset expected next, resume; the
 * library's own idea of where it was is not relied on. What it still delivers
 * below the expected offset is dropped.
 *
 * A queue rings when it was empty; `ready` says so to consumer_take, which
 * lowers it when it found nothing. Lest a ring be missed, all queues are looked
 * at every BACKSTOP_MS. */
#include "daemon/kafka/consumer.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/base/fail.h"
#include "daemon/base/log.h"
#include "daemon/base/watchdog.h"

#define BATCH       1024 /* Messages taken from the library at a time. */
#define BACKSTOP_MS 250
#define STUCK_MS    2000 /* A seek not taken for so long: assign all again. */

/* One input of one partition. Its place never moves: queues point to it. */
struct source {
    struct consumer *consumer;
    rd_kafka_queue_t *queue; /* NULL: not assigned. */
    atomic_int ready;
    int running;  /* Started, not held. */
    int64_t next; /* Offset expected next, if running. */
};

struct consumer {
    rd_kafka_t *rk;
    rd_kafka_queue_t *events_queue;
    const struct client *client;
    struct bell *bell;
    struct consumer_events events;
    int partitions, inputs;
    struct source *sources;  /* [partition][input] */
    unsigned char *assigned; /* By partition. */
    int *list;               /* Room for the partitions of a rebalance. */
    int fenced;              /* It will never be a member again. */
    int64_t backstop_ms;
    int64_t stuck_ms; /* Since when seeks are not taken; 0: they are. */
    rd_kafka_message_t *batch[BATCH];
};

static atomic_int abandoned; /* Consumers that could not be closed. */

static struct source *source_at(struct consumer *consumer, int partition,
                                int input)
{
    return &consumer->sources[partition * consumer->inputs + input];
}

/* ---- queues -------------------------------------------------------------- */

static void on_records(rd_kafka_t *rk, void *arg)
{
    struct source *source = arg;
    (void)rk;
    atomic_store_explicit(&source->ready, 1, memory_order_release);
    bell_ring(source->consumer->bell);
}

static void on_event(rd_kafka_t *rk, void *arg)
{
    struct consumer *consumer = arg;
    (void)rk;
    bell_ring(consumer->bell);
}

static void source_open(struct consumer *consumer, int partition, int input)
{
    struct source *source = source_at(consumer, partition, input);
    source->queue = rd_kafka_queue_get_partition(
        consumer->rk, consumer->client->conf->inputs[input].topic, partition);
    source->running = 0;
    if (!source->queue)
        return;
    rd_kafka_queue_forward(source->queue, NULL);
    rd_kafka_queue_cb_event_enable(source->queue, on_records, source);
}

static void source_close(struct consumer *consumer, int partition, int input)
{
    struct source *source = source_at(consumer, partition, input);
    source->running = 0;
    if (!source->queue)
        return;
    rd_kafka_queue_cb_event_enable(source->queue, NULL, NULL);
    rd_kafka_queue_destroy(source->queue);
    source->queue = NULL;
}

/* ---- assignment ---------------------------------------------------------- */

/* All inputs of PARTITION, at their offsets if they are running. */
static void add_inputs(struct consumer *consumer, int partition,
                       rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < consumer->inputs; i++) {
        const struct source *source = source_at(consumer, partition, i);
        rd_kafka_topic_partition_list_add(
            list, consumer->client->conf->inputs[i].topic, partition)
            ->offset = source->running ? source->next : 0;
    }
}

/* Everything that is assigned but not running. */
static rd_kafka_topic_partition_list_t *idle(struct consumer *consumer)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(8);
    for (int p = 0; p < consumer->partitions; p++)
        for (int i = 0; i < consumer->inputs; i++)
            if (consumer->assigned[p] && !source_at(consumer, p, i)->running)
                rd_kafka_topic_partition_list_add(
                    list, consumer->client->conf->inputs[i].topic, p);
    return list;
}

/* Tell the library what is assigned, with all that is not running paused. */
static void assign_all(struct consumer *consumer)
{
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(8);
    rd_kafka_topic_partition_list_t *paused = idle(consumer);
    for (int p = 0; p < consumer->partitions; p++)
        if (consumer->assigned[p])
            add_inputs(consumer, p, all);
    if (paused->cnt)
        rd_kafka_pause_partitions(consumer->rk, paused);
    watchdog_enter(consumer->client->mark);
    rd_kafka_resp_err_t err = rd_kafka_assign(consumer->rk, all);
    watchdog_turn(consumer->client->mark);
    if (err)
        log_error("an assignment was refused; the group will repeat it",
                  "error=\"%s\"", rd_kafka_err2str(err));
    if (paused->cnt) /* Newer versions forget the pause when they assign. */
        rd_kafka_pause_partitions(consumer->rk, paused);
    rd_kafka_topic_partition_list_destroy(paused);
    rd_kafka_topic_partition_list_destroy(all);
}

/* The partitions named in LIST, each once, into consumer->list. */
static int partitions_of(const struct consumer *consumer,
                         const rd_kafka_topic_partition_list_t *list)
{
    int n = 0;
    for (int i = 0; i < list->cnt; i++) {
        int partition = list->elems[i].partition, known = 0;
        for (int k = 0; k < n; k++)
            known |= consumer->list[k] == partition;
        if (!known && partition < consumer->partitions)
            consumer->list[n++] = partition;
    }
    return n;
}

static void on_assigned(struct consumer *consumer, int n)
{
    (void)FAIL_POINT(ASSIGN);
    for (int k = 0; k < n; k++) {
        consumer->assigned[consumer->list[k]] = 1;
        for (int i = 0; i < consumer->inputs; i++)
            source_open(consumer, consumer->list[k], i);
    }
    assign_all(consumer);
    consumer->stuck_ms = 0;
    consumer->events.assigned(consumer->events.arg, consumer->list, n);
}

/* The library does not call an assignment lost when a revocation was waiting
 * for us already while the group threw us out; but then we have no member id.
 */
static int is_lost(rd_kafka_t *rk)
{
    char *id = rd_kafka_memberid(rk);
    int lost = rd_kafka_assignment_lost(rk) || !id || !id[0];
    if (id)
        rd_kafka_mem_free(rk, id);
    return lost;
}

static void on_revoked(struct consumer *consumer, int n)
{
    int lost = is_lost(consumer->rk);
    (void)(lost ? FAIL_POINT(LOST) : FAIL_POINT(REVOKE));
    consumer->events.revoked(consumer->events.arg, consumer->list, n, lost);
    for (int k = 0; k < n; k++) {
        consumer->assigned[consumer->list[k]] = 0;
        for (int i = 0; i < consumer->inputs; i++)
            source_close(consumer, consumer->list[k], i);
    }
    watchdog_enter(consumer->client->mark);
    rd_kafka_assign(consumer->rk, NULL);
    watchdog_turn(consumer->client->mark);
}

/* `range` uses the eager protocol: a list is always the whole assignment. */
static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                         rd_kafka_topic_partition_list_t *list, void *arg)
{
    struct consumer *consumer = arg;
    int n = partitions_of(consumer, list);
    (void)rk;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        on_assigned(consumer, n);
    else
        on_revoked(consumer, n);
}

/* ---- starting and holding ------------------------------------------------ */

static rd_kafka_topic_partition_list_t *
one_partition(const struct consumer *consumer, int partition,
              const int64_t *offsets)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(consumer->inputs);
    for (int i = 0; i < consumer->inputs; i++)
        rd_kafka_topic_partition_list_add(
            list, consumer->client->conf->inputs[i].topic, partition)
            ->offset = offsets[i];
    return list;
}

static int has_error(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err)
            return 1;
    return 0;
}

/* Seek everything in LIST. Returns 1 unless all of it did. */
static int seek(struct consumer *consumer,
                rd_kafka_topic_partition_list_t *list)
{
    /* 2.0.2 takes a time-out a thousand times too short. The seek is done by a
     * thread of the library, no broker is asked: it does not last. */
    watchdog_enter(consumer->client->mark);
    rd_kafka_error_t *error = rd_kafka_seek_partitions(consumer->rk, list, -1);
    watchdog_turn(consumer->client->mark);
    int failed = error || has_error(list);
    if (error)
        rd_kafka_error_destroy(error);
    return failed;
}

/* A seek was not taken: the library has not begun with the partition, or has
 * given it up. If that lasts, assigning everything again helps. */
static void stuck(struct consumer *consumer)
{
    int64_t now_ms = clock_monotonic_ms();
    if (!consumer->stuck_ms) {
        consumer->stuck_ms = now_ms;
    } else if (now_ms - consumer->stuck_ms > STUCK_MS) {
        log_warn("a partition cannot be sought: assigning all of them again",
                 "client=%s", rd_kafka_name(consumer->rk));
        assign_all(consumer);
        consumer->stuck_ms = now_ms;
    }
}

int consumer_start(struct consumer *consumer, int partition,
                   const int64_t *offsets)
{
    if (!consumer->assigned[partition] || FAIL_POINT(SEEK))
        return 1;
    for (int i = 0; i < consumer->inputs; i++)
        if (!source_at(consumer, partition, i)->queue)
            return 1; /* No memory: its records would come mixed with others. */
    rd_kafka_topic_partition_list_t *list =
        one_partition(consumer, partition, offsets);
    int failed = seek(consumer, list);
    if (!failed)
        failed =
            rd_kafka_resume_partitions(consumer->rk, list) || has_error(list);
    rd_kafka_topic_partition_list_destroy(list);
    if (failed) {
        stuck(consumer);
        return 1;
    }
    consumer->stuck_ms = 0;
    for (int i = 0; i < consumer->inputs; i++) {
        struct source *source = source_at(consumer, partition, i);
        source->next = offsets[i];
        source->running = 1;
        atomic_store(&source->ready, 1);
    }
    return 0;
}

static void pause_source(struct consumer *consumer, int partition, int input)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(
        list, consumer->client->conf->inputs[input].topic, partition);
    rd_kafka_pause_partitions(consumer->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

void consumer_hold(struct consumer *consumer, int partition, int input)
{
    struct source *source = source_at(consumer, partition, input);
    if (!source->running)
        return;
    source->running = 0;
    pause_source(consumer, partition, input);
}

/* ---- taking -------------------------------------------------------------- */

static void view(rd_kafka_message_t *message, struct input_record *out)
{
    *out = (struct input_record){
        .key = message->key,
        .key_len = message->key_len,
        .value = message->payload,
        .value_len = message->len,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .handle = message,
    };
}

/* An event of SOURCE that is no record. */
static void take_event(struct source *source, int partition,
                       const rd_kafka_message_t *message,
                       struct consumer_taken *taken)
{
    switch ((int)message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (message->offset >= source->next)
            taken->end = source->next = message->offset;
        return;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        taken->gone = 1;
        source->running = 0;
        break;
    }
    log_warn("an input cannot be read", "partition=%d offset=%lld error=\"%s\"",
             partition, (long long)source->next,
             rd_kafka_message_errstr(message));
}

void consumer_take(struct consumer *consumer, int partition, int input,
                   struct input_record *out, size_t max,
                   struct consumer_taken *taken)
{
    struct source *source = source_at(consumer, partition, input);
    *taken = (struct consumer_taken){.end = -1};
    if (!source->running || !max ||
        !atomic_exchange_explicit(&source->ready, 0, memory_order_acquire))
        return;
    ssize_t n = rd_kafka_consume_batch_queue(source->queue, 0, consumer->batch,
                                             max < BATCH ? max : BATCH);
    for (ssize_t k = 0; k < n; k++) {
        rd_kafka_message_t *message = consumer->batch[k];
        if (!message->err && message->offset >= source->next) {
            source->next = message->offset + 1;
            taken->end = -1;
            view(message, &out[taken->count++]);
            continue;
        }
        if (message->err)
            take_event(source, partition, message, taken);
        rd_kafka_message_destroy(message);
    }
    if (n > 0) {
        atomic_store_explicit(&source->ready, 1, memory_order_relaxed);
        taken->more = 1;
    }
}

void consumer_release(void *handle)
{
    rd_kafka_message_destroy(handle);
}

int64_t consumer_end(struct consumer *consumer, int partition, int input)
{
    int64_t low = -1, high = -1;
    if (rd_kafka_get_watermark_offsets(
            consumer->rk, consumer->client->conf->inputs[input].topic,
            partition, &low, &high))
        return -1;
    return high < 0 ? -1 : high;
}

/* ---- polling ------------------------------------------------------------- */

/* It will never be a member again, and says so in TEXT. */
static void fenced(struct consumer *consumer, const char *text)
{
    char fatal[256] = "";
    int taken = rd_kafka_fatal_error(consumer->rk, fatal, sizeof(fatal)) ==
                RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
    if (!consumer->fenced)
        log_error(taken ? "another process uses this instance id: give every "
                          "process one of its own"
                        : "the consumer cannot go on",
                  "client=%s error=\"%s\"", rd_kafka_name(consumer->rk),
                  fatal[0] ? fatal : text);
    consumer->fenced = 1;
}

/* Anything else is in the log, and the library tries again. */
static void on_error(rd_kafka_t *rk, int err, const char *text, void *arg)
{
    (void)rk;
    if (err == RD_KAFKA_RESP_ERR__FATAL)
        fenced(arg, text);
}

/* An event of the group that is no record. What is fatal for a member the
 * library tells here, and not to on_error (seen with 2.0.2). */
static void take_error(struct consumer *consumer,
                       const rd_kafka_message_t *message)
{
    const char *text = rd_kafka_message_errstr(message);
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return;
    if (message->err == RD_KAFKA_RESP_ERR__FATAL) {
        fenced(consumer, text);
        return;
    }
    log_warn("the consumer reports an error", "client=%s error=\"%s\"",
             rd_kafka_name(consumer->rk), text);
    if (consumer->events.troubled)
        consumer->events.troubled(consumer->events.arg, text);
}

/* Once in a while look at every queue, rung or not. */
static void backstop(struct consumer *consumer)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - consumer->backstop_ms < BACKSTOP_MS)
        return;
    consumer->backstop_ms = now_ms;
    for (int k = 0; k < consumer->partitions * consumer->inputs; k++)
        atomic_store_explicit(&consumer->sources[k].ready, 1,
                              memory_order_relaxed);
}

int consumer_poll(struct consumer *consumer)
{
    rd_kafka_message_t *message;
    while ((message = rd_kafka_consumer_poll(consumer->rk, 0))) {
        if (message->err)
            take_error(consumer, message);
        rd_kafka_message_destroy(message);
    }
    backstop(consumer);
    return consumer->fenced ? SEG_ERR_LIMIT : 0;
}

rd_kafka_t *consumer_handle(struct consumer *consumer)
{
    return consumer->rk;
}

/* ---- life cycle ---------------------------------------------------------- */

static rd_kafka_t *join(struct consumer *consumer, char *why)
{
    const struct conf *ours = consumer->client->conf;
    rd_kafka_conf_t *conf = client_conf(consumer->client, CLIENT_MEMBER, why);
    if (!conf)
        return NULL;
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_opaque(conf, consumer);
    rd_kafka_t *rk = client_new(conf, CLIENT_MEMBER, why);
    if (!rk)
        return NULL;
    consumer->rk = rk;
    consumer->events_queue = rd_kafka_queue_get_consumer(rk);
    rd_kafka_queue_cb_event_enable(consumer->events_queue, on_event, consumer);
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new(ours->input_count);
    for (int i = 0; i < ours->input_count; i++)
        rd_kafka_topic_partition_list_add(topics, ours->inputs[i].topic,
                                          RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t err = rd_kafka_subscribe(rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (!err)
        return rk;
    snprintf(why, CLIENT_WHY_BYTES, "%s", rd_kafka_err2str(err));
    return NULL;
}

static void consumer_free(struct consumer *consumer)
{
    if (consumer->events_queue) {
        rd_kafka_queue_cb_event_enable(consumer->events_queue, NULL, NULL);
        rd_kafka_queue_destroy(consumer->events_queue);
    }
    watchdog_enter(consumer->client->mark);
    if (consumer->rk)
        rd_kafka_destroy_flags(consumer->rk,
                               RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    watchdog_turn(consumer->client->mark);
    free(consumer->sources);
    free(consumer->assigned);
    free(consumer->list);
    free(consumer);
}

int consumer_open(struct consumer **ret, const struct client *client,
                  struct bell *bell, int partitions,
                  const struct consumer_events *events, char *why)
{
    struct consumer *consumer = calloc(1, sizeof(*consumer));
    int r = SEG_ERR_NOMEM;
    if (!consumer)
        return r;
    consumer->client = client;
    consumer->bell = bell;
    consumer->events = *events;
    consumer->partitions = partitions;
    consumer->inputs = client->conf->input_count;
    size_t sources = (size_t)partitions * (size_t)consumer->inputs;
    consumer->sources = calloc(sources, sizeof(*consumer->sources));
    consumer->assigned = calloc((size_t)partitions, 1);
    consumer->list = calloc((size_t)partitions, sizeof(*consumer->list));
    if (consumer->sources && consumer->assigned && consumer->list) {
        for (size_t k = 0; k < sources; k++)
            consumer->sources[k].consumer = consumer;
        r = join(consumer, why) ? 0 : SEG_ERR_INVALID;
    }
    if (r < 0)
        consumer_free(consumer);
    else
        *ret = consumer;
    return r;
}

/* Whether the coordinator of our group answers within TIMEOUT_MS: the one
 * question that the library asks of it for us. What it answers does not matter.
 */
static int is_coordinator_there(struct consumer *consumer, int64_t timeout_ms)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(
        list, consumer->client->conf->inputs[0].topic, 0);
    rd_kafka_resp_err_t err =
        rd_kafka_committed(consumer->rk, list, (int)timeout_ms);
    rd_kafka_topic_partition_list_destroy(list);
    return err >= 0; /* Negative ones are the library's own. */
}

/* Close the handle. Returns 1 if that was done by UNTIL_MS. */
static int close_handle(struct consumer *consumer, int64_t until_ms)
{
    (void)FAIL_POINT(CLOSE);
    rd_kafka_queue_t *goodbye = rd_kafka_queue_new(consumer->rk);
    rd_kafka_error_t *error =
        rd_kafka_consumer_close_queue(consumer->rk, goodbye);
    int failed = error != NULL;
    if (error)
        rd_kafka_error_destroy(error);
    while (!failed && !rd_kafka_consumer_closed(consumer->rk) &&
           clock_monotonic_ms() < until_ms)
        rd_kafka_queue_poll_callback(goodbye, 100);
    int closed = failed || rd_kafka_consumer_closed(consumer->rk);
    rd_kafka_queue_destroy(goodbye);
    return closed;
}

/* Leave the handle as it is, for ever; nothing of it calls us any more. */
static void abandon(struct consumer *consumer)
{
    for (int p = 0; p < consumer->partitions; p++)
        for (int i = 0; i < consumer->inputs; i++)
            source_close(consumer, p, i);
    rd_kafka_queue_cb_event_enable(consumer->events_queue, NULL, NULL);
    atomic_fetch_add(&abandoned, 1);
}

int consumer_close(struct consumer *consumer, int64_t timeout_ms)
{
    if (!consumer)
        return 0;
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    if (timeout_ms > 0 && is_coordinator_there(consumer, timeout_ms / 2) &&
        close_handle(consumer, until_ms)) {
        consumer_free(consumer);
        return 0;
    }
    log_warn("the group cannot be left in good order: its other members wait "
             "for the session to time out",
             "client=%s", rd_kafka_name(consumer->rk));
    abandon(consumer);
    return 1;
}

int consumer_abandoned(void)
{
    return atomic_load(&abandoned);
}
