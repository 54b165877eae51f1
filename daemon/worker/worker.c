/* worker.c: one thread, its member of the consumer group and its producer.
 *
 * The turn of a worker is `work` below. Two machines of the protocol do what
 * matters: the commit machine (daemon/protocol/commit.h), which has the first
 * word in every turn, because nothing may be applied while an outcome is not
 * known; and the partitions (daemon/partition), each a bounded piece of work.
 *
 *     CHECKING   the brokers answer, the topics are there and fit together
 *     PRODUCER   init_transactions: what was open under our name is settled,
 *                before anybody waits for us in the group
 *     MEMBER     partitions come, are restored, work, and go
 *     STOPPING   users that are dirty are written, half of stop_timeout long
 *     FAILED     the process has to end; waits for that */
#include <stdio.h>
#include <stdlib.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/kafka/embedded.h"
#include "daemon/protocol/mutation.h"
#include "daemon/protocol/options.h"
#include "daemon/worker/memory.h"
#include "daemon/worker/worker_inside.h"

#define IDLE_MS        250  /* Longest sleep of a worker that works ... */
#define WAIT_MS        1000 /* ... and of one that waits for the brokers. */
#define BUSY_WINDOW_MS 100  /* Records per window tell how busy we are: */
#define BUSY_RECORDS   4    /* from here on the linger is that for busy. */
#define QUEUE_RECORDS  4096 /* Of one input of one partition that wait. */
#define GOODBYE_MS     5000 /* Longest time to leave the group. */
#define LONG_MS        5000 /* A transaction undecided for so long is told. */

/* ---- the turn ------------------------------------------------------------ */

static enum commit_load load_of(struct worker *worker)
{
    if (worker->now_ms - worker->window_ms >= BUSY_WINDOW_MS) {
        int one = worker->now_ms - worker->window_ms < 2 * BUSY_WINDOW_MS;
        worker->before = one ? worker->window : 0;
        worker->window = 0;
        worker->window_ms = worker->now_ms;
    }
    if (worker->behind)
        return COMMIT_LOAD_BEHIND;
    return worker->window + worker->before >= BUSY_RECORDS ? COMMIT_LOAD_BUSY
                                                           : COMMIT_LOAD_IDLE;
}

/* When the next transaction should start. */
static int64_t commit_at(struct worker *worker)
{
    int64_t due_ms = commit_due_ms(worker->commit, load_of(worker));
    int full =
        worker->uncommitted >= (uint64_t)worker->conf->transaction_events;
    return full && due_ms != SEG_NEVER ? worker->now_ms : due_ms;
}

static void begin_commit(struct worker *worker)
{
    worker->uncommitted = 0;
    measure_commit_start(worker);
    commit_start(worker->commit, worker->now_ms);
}

/* Somebody has our name: no transaction will ever succeed. */
static void fail_fenced(struct worker *worker)
{
    log_error("another process has our transactional id: ending",
              "worker=%d fix=\"give every process a name of its own: process, "
              "instance_id or http.address\"",
              worker->index);
    worker->phase = PHASE_FAILED;
    workers_fail(worker->workers, 75);
}

/* There is no producer yet, because of WHY; "": the brokers do not answer. */
static void tell_no_producer(struct worker *worker, const char *why)
{
    char reason[WORKERS_REASON_BYTES];
    if (!why[0] || worker->told_ms)
        return;
    log_error("no transaction can be begun, trying again",
              "worker=%d reason=\"%s\"", worker->index, why);
    snprintf(reason, sizeof(reason), "Worker %d has no producer. %.400s",
             worker->index, why);
    workers_say(worker->workers, worker->index, reason);
    worker->told_ms = worker->now_ms;
}

/* A transaction takes long: readers wait, and somebody may have to act. If it
 * is because of a topic, the check of the topics knows better why. */
static void tell_busy(struct worker *worker)
{
    char reason[WORKERS_REASON_BYTES];
    const char *why = worker->broker->reason(worker->broker->impl);
    if (!worker->busy_ms)
        worker->busy_ms = worker->now_ms;
    if (worker->phase == PHASE_PRODUCER)
        tell_no_producer(worker, why);
    if (worker->phase != PHASE_MEMBER ||
        worker->now_ms - worker->busy_ms < LONG_MS)
        return;
    if (worker->check && !membership_check(worker))
        return;
    if (worker->now_ms - worker->told_ms < LONG_MS)
        return;
    if (!worker->told_ms)
        log_warn("a transaction takes long", "worker=%d phase=%s reason=\"%s\"",
                 worker->index, commit_phase_name(worker->commit), why);
    snprintf(reason, sizeof(reason),
             "A transaction of worker %d has not ended for %lld s. %.300s",
             worker->index,
             (long long)(worker->now_ms - worker->busy_ms) / 1000, why);
    workers_say(worker->workers, worker->index, reason);
    worker->told_ms = worker->now_ms;
    worker->check = broker_question(worker->broker);
}

static void tell_settled(struct worker *worker)
{
    if (worker->told_ms && worker->phase == PHASE_MEMBER) {
        log_info("transactions go on", "worker=%d", worker->index);
        workers_say(worker->workers, worker->index, "");
    }
    worker->busy_ms = worker->told_ms = 0;
}

/* Take the commit machine a step further. Returns 1 when nothing is undecided;
 * else *WAKE_MS is when to come back. */
static int settle(struct worker *worker, int64_t *wake_ms)
{
    switch (commit_turn(worker->commit, worker->now_ms)) {
    case COMMIT_BUSY:
        tell_busy(worker);
        *wake_ms = commit_wait_ms(worker->commit);
        return 0;
    case COMMIT_FENCED:
        if (worker->phase != PHASE_FAILED)
            fail_fenced(worker);
        *wake_ms = SEG_NEVER;
        return 0;
    case COMMIT_LOST: /* The consumer will hear of it, too. */
    case COMMIT_IDLE:
        break;
    }
    tell_settled(worker);
    measure_commit_end(worker);
    return 1;
}

static void earlier(int64_t *wake_ms, int64_t than_ms)
{
    if (than_ms < *wake_ms)
        *wake_ms = than_ms;
}

/* Whether the partitions may take more is known from what they have taken. */
static void weigh(struct worker *worker)
{
    int64_t bytes = 0;
    if (!memory_max_bytes(worker->options.memory))
        return;
    for (int p = 0; p < worker->slot_count; p++)
        if (worker->slots[p].partition)
            bytes += (int64_t)partition_bytes(worker->slots[p].partition);
    worker->partition.full =
        memory_note(worker->options.memory, worker->index, bytes);
}

/* A turn of each partition. Returns 1 if one has more to do; *WAKE_MS is when
 * the others have. */
static int turn_all(struct worker *worker, int64_t *wake_ms)
{
    int more = 0;
    for (int p = 0; p < worker->slot_count; p++) {
        struct slot *slot = &worker->slots[p];
        more |= membership_turn(worker, slot);
        if (slot->partition)
            earlier(wake_ms, partition_wake_ms(slot->partition));
    }
    return more;
}

/* One turn: poll, apply, emit, commit. Returns when the next one is due. */
static int64_t work(struct worker *worker)
{
    int64_t wake_ms = SEG_NEVER;
    if (consumer_poll(worker->consumer) < 0) {
        worker->phase = PHASE_FAILED;
        workers_fail(worker->workers, 75);
        return wake_ms;
    }
    if (!settle(worker, &wake_ms)) {
        if (MUTATED(APPLIES_WHILE_UNDECIDED))
            turn_all(worker, &wake_ms);
        return wake_ms;
    }
    errand_settled(worker);
    membership_check(worker);
    worker->behind = 0;
    weigh(worker);
    int more = turn_all(worker, &wake_ms);
    int64_t due_ms = commit_at(worker);
    earlier(&wake_ms, due_ms);
    if (due_ms <= worker->now_ms)
        begin_commit(worker);
    else if (worker->behind)
        kafka_broker_serve(worker->kafka);
    return more ? worker->now_ms : wake_ms;
}

/* ---- before and after ---------------------------------------------------- */

static int make_slots(struct worker *worker)
{
    int count = worker->ledger.partition_count;
    worker->slots = calloc((size_t)count, sizeof(*worker->slots));
    if (!worker->slots)
        return SEG_ERR_NOMEM;
    worker->slot_count = count;
    for (int p = 0; p < count; p++)
        worker->slots[p].state = -1;
    workers_set_partition_count(worker->workers, count);
    return measure_slots(worker);
}

static int make_commit(struct worker *worker)
{
    const struct conf *conf = worker->conf;
    int64_t socket_ms = kafka_broker_socket_ms(worker->kafka);
    int64_t transaction_ms = kafka_broker_transaction_ms(worker->kafka);
    struct commit_options options = {
        .broker = worker->broker,
        .linger_idle_ms = conf->linger_idle_ms,
        .linger_busy_ms = conf->linger_busy_ms,
        .linger_behind_ms = conf->linger_behind_ms,
        .transaction_age_ms = conf->transaction_age_ms,
        .outbox_bytes = (size_t)conf->transaction_bytes,
        .transaction_timeout_ms = transaction_ms,
        .deadline_ms = transaction_ms,
        .slow_ms = socket_ms > 2 * BROKER_CALL_MS ? socket_ms - BROKER_CALL_MS
                                                  : socket_ms / 2,
        .retry_ms = 100,
        .retry_max_ms = 5000,
    };
    int r = commit_new(&worker->commit, &options);
    worker->partition.commit = worker->commit;
    return r;
}

/* The topics, then the producer, then the group: one step. */
static int64_t prepare(struct worker *worker)
{
    int64_t wake_ms = worker->now_ms + WAIT_MS;
    if (worker->phase == PHASE_CHECKING) {
        if (!membership_check(worker))
            return wake_ms;
        if ((!worker->slots && make_slots(worker) < 0) ||
            (!worker->commit && make_commit(worker) < 0))
            return wake_ms; /* No memory: again. */
        workers_say(worker->workers, worker->index,
                    "Waiting for the transaction coordinator.");
        worker->phase = PHASE_PRODUCER;
    }
    if (!settle(worker, &wake_ms))
        return wake_ms;
    worker->phase = PHASE_MEMBER;
    if (membership_join(worker) < 0) {
        worker->phase = PHASE_FAILED;
        workers_fail(worker->workers, 78);
    }
    return worker->now_ms;
}

/* How long the group may take to let us go. */
static int64_t goodbye_ms(const struct worker *worker)
{
    int64_t ms = worker->conf->stop_timeout_ms / 4;
    return ms < GOODBYE_MS ? ms : GOODBYE_MS;
}

static void end(struct worker *worker, int64_t timeout_ms)
{
    if (worker->consumer)
        membership_leave(worker, timeout_ms);
    worker->phase = PHASE_ENDED;
}

int64_t worker_flush_until_ms(const struct worker *worker)
{
    return worker->stop_ms + worker->conf->stop_timeout_ms / 2;
}

/* One step of the shutdown. Others may want our partitions before we are done:
 * the group is served like in any other turn. */
static int64_t stop(struct worker *worker)
{
    int64_t until_ms = worker_flush_until_ms(worker), wake_ms = SEG_NEVER;
    if (consumer_poll(worker->consumer) < 0) {
        end(worker, 0);
    } else if (worker->now_ms >= until_ms) {
        log_warn(
            "not everything could be written in time: the next start reads "
            "it again",
            "worker=%d", worker->index);
        end(worker, 0);
    } else if (!settle(worker, &wake_ms)) {
        earlier(&wake_ms, until_ms);
    } else if (commit_due_ms(worker->commit, COMMIT_LOAD_IDLE) != SEG_NEVER) {
        begin_commit(worker);
        wake_ms = worker->now_ms;
    } else {
        end(worker, goodbye_ms(worker));
    }
    return wake_ms;
}

/* Somebody asked us to end. One who failed has nothing to write, but others
 * wait for his partitions. */
static void begin_stop(struct worker *worker)
{
    worker->stop_ms = worker->now_ms;
    if (worker->phase == PHASE_MEMBER) {
        worker->phase = PHASE_STOPPING;
        commit_flush_all(worker->commit, 1);
    } else if (worker->phase != PHASE_STOPPING) {
        end(worker, worker->phase == PHASE_FAILED ? goodbye_ms(worker) : 0);
    }
}

/* ---- the thread ---------------------------------------------------------- */

static int64_t step(struct worker *worker)
{
    if (atomic_load(&worker->stop) && worker->phase != PHASE_STOPPING)
        begin_stop(worker);
    switch (worker->phase) {
    case PHASE_CHECKING:
    case PHASE_PRODUCER:
        return prepare(worker);
    case PHASE_MEMBER:
        return work(worker);
    case PHASE_STOPPING:
        return stop(worker);
    case PHASE_FAILED:
    case PHASE_ENDED:
        break;
    }
    return SEG_NEVER;
}

/* Until WAKE_MS, the bell, or a letter; never long. */
static void sleep_until(struct worker *worker, int64_t wake_ms)
{
    int64_t now_ms = clock_wall_ms();
    if (wake_ms <= now_ms)
        return;
    bell_wait(&worker->bell, mailbox_fd(worker->mailbox),
              wake_ms < now_ms + IDLE_MS ? wake_ms - now_ms : IDLE_MS);
}

static void *run(void *arg)
{
    struct worker *worker = arg;
    while (worker->phase != PHASE_ENDED) {
        watchdog_turn(&worker->mark);
        worker->now_ms = clock_wall_ms();
        mailbox_drain(worker->mailbox, worker);
        int64_t wake_ms = step(worker);
        measure_all(worker);
        if (worker->phase != PHASE_MEMBER)
            errand_settled(worker);
        if (worker->phase != PHASE_ENDED)
            sleep_until(worker, wake_ms);
    }
    watchdog_end(&worker->mark);
    errand_gone(worker);
    workers_say(worker->workers, worker->index, "The process is ending.");
    workers_tell_ended(worker->workers);
    return NULL;
}

/* ---- life cycle
 * ---------------------------------------------------------------------------
 */

static void release(void *arg, void *handle)
{
    (void)arg;
    consumer_release(handle);
}

static void set_options(struct worker *worker)
{
    const struct conf *conf = worker->conf;
    struct ledger_options *ledger = &worker->ledger;
    ledger_options_init(ledger, worker->inputs, conf);
    ledger->catalogue = seg_catalogue_share(worker->options.catalogue);
    ledger->engine.hash_seed = worker->broker->random(worker->broker->impl);
    ledger->on_output = measure_output;
    ledger->on_bad = measure_bad;
    ledger->arg = worker;
    worker->pace.rate =
        conf->backfill == CONF_BACKFILL_ON ? conf->backfill_rate : 0;
    worker->partition = (struct partition_options){
        .ledger = &worker->ledger,
        .mover = &worker->mover,
        .names = &worker->names,
        /* The embedded broker does not say where a topic begins. */
        .pace = worker->options.embedded ? NULL : &worker->pace,
        .broker = worker->broker,
        .release = release,
        .records_max = QUEUE_RECORDS,
        .records_per_turn = (int)conf->batch_events,
        .timers_per_turn = (int)conf->batch_timers,
        .restore_per_turn = (int)conf->batch_events,
        .proof_interval_ms = 50,
        .future_skew_ms = conf->future_skew_ms,
    };
}

static int open_parts(struct worker *worker)
{
    char why[CLIENT_WHY_BYTES] = "";
    int r = bell_open(&worker->bell);
    if (r >= 0)
        r = mailbox_open(&worker->mailbox);
    if (r >= 0)
        r = kafka_broker_open(&worker->kafka, &worker->client, &worker->bell,
                              worker->options.embedded != NULL, why);
    if (r == SEG_ERR_INVALID)
        log_error("librdkafka refuses its configuration",
                  "worker=%d reason=\"%s\"", worker->index, why);
    if (r < 0)
        return r;
    worker->broker = kafka_broker_calls(worker->kafka);
    worker->records = calloc(QUEUE_RECORDS, sizeof(*worker->records));
    return worker->records ? 0 : SEG_ERR_NOMEM;
}

int worker_new(struct worker **ret, const struct worker_options *options)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (!worker)
        return SEG_ERR_NOMEM;
    worker->options = *options;
    worker->conf = options->conf;
    worker->workers = options->workers;
    worker->index = options->index;
    worker->client = (struct client){
        .conf = options->conf,
        .bootstrap =
            options->embedded ? embedded_bootstrap(options->embedded) : NULL,
        .worker = options->index,
        .mark = &worker->mark,
    };
    watchdog_add(options->watchdog, &worker->mark, options->index);
    worker->bell.fd = -1;
    worker->verdict = -1;
    worker->last_errand = &worker->errands;
    intern_init(&worker->keys);
    names_init(&worker->names, clock_wall_ms());
    int r = open_parts(worker);
    if (r >= 0) {
        set_options(worker);
        r = measure_open(worker);
    }
    if (r < 0) {
        worker_free(worker);
        return r;
    }
    workers_say(worker->workers, worker->index, "Waiting for the brokers.");
    *ret = worker;
    return 0;
}

void worker_set_catalogue(struct worker *worker,
                          const struct seg_catalogue *catalogue)
{
    const struct seg_catalogue *before = worker->ledger.catalogue;
    if (catalogue == before)
        return;
    worker->ledger.catalogue = catalogue;
    if (measure_catalogue(worker) < 0) {
        worker->ledger.catalogue = before;
        log_error("there is no memory for another catalogue: the one before "
                  "stays until the next reload",
                  "worker=%d catalogue=%s", worker->index,
                  seg_catalogue_hash(before));
        return;
    }
    seg_catalogue_share(catalogue);
    seg_catalogue_free((struct seg_catalogue *)before);
}

int worker_start(struct worker *worker)
{
    if (pthread_create(&worker->thread, NULL, run, worker))
        return SEG_ERR_LIMIT;
    worker->started = 1;
    return 0;
}

void worker_stop(struct worker *worker)
{
    atomic_store(&worker->stop, 1);
    bell_ring(&worker->bell);
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    if (worker->started)
        pthread_join(worker->thread, NULL);
    watchdog_remove(&worker->mark);
    membership_done(worker);
    commit_free(worker->commit);
    kafka_broker_close(worker->kafka);
    measure_close(worker);
    names_done(&worker->names);
    mailbox_free(worker->mailbox);
    bell_close(&worker->bell);
    seg_catalogue_free((struct seg_catalogue *)worker->ledger.catalogue);
    free(worker->records);
    free(worker->slots);
    free(worker);
}
