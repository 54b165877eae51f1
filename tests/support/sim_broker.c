/* sim_broker.c: see sim_broker.h. Kafka's rules, one small function each. */
#include "tests/support/sim_broker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- logs ---------------------------------------------------------------- */

static char *copy(const char *bytes, size_t len)
{
    char *made;

    if (!bytes)
        return NULL;
    made = malloc(len + 1);
    assert(made);
    memcpy(made, bytes, len);
    made[len] = 0;
    return made;
}

static struct sim_entry *append(struct sim *sim, int topic, int partition)
{
    struct sim_log *log = &sim->logs[topic][partition];

    if (log->count == log->cap) {
        log->cap = log->cap ? 2 * log->cap : 16;
        log->entries = realloc(log->entries, log->cap * sizeof(*log->entries));
        assert(log->entries);
    }
    log->entries[log->count] = (struct sim_entry){
        .status = SIM_COMMITTED, .producer = -1, .appended_ms = sim->now_ms};
    return &log->entries[log->count++];
}

int64_t sim_stable_end(const struct sim_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        if (!log->entries[i].is_marker && log->entries[i].status == SIM_OPEN)
            return (int64_t)i;
    return sim_end(log);
}

void sim_append(struct sim *sim, int input, int partition, int64_t timestamp_ms,
                const char *key, const char *value, size_t value_len, int open)
{
    struct sim_entry *entry = append(sim, BROKER_INPUT(input), partition);

    entry->status = open ? SIM_OPEN : SIM_COMMITTED;
    entry->timestamp_ms = timestamp_ms;
    entry->key_len = key ? strlen(key) : 0;
    entry->key = copy(key, entry->key_len);
    entry->value = copy(value, value_len);
    entry->value_len = value_len;
}

/* Decide the open records of PRODUCER in a log, and write the marker. */
static void mark(struct sim *sim, int topic, int partition, int producer,
                 int commit)
{
    struct sim_log *log = &sim->logs[topic][partition];

    for (size_t i = 0; i < log->count; i++)
        if (log->entries[i].status == SIM_OPEN &&
            log->entries[i].producer == producer)
            log->entries[i].status = commit ? SIM_COMMITTED : SIM_ABORTED;
    append(sim, topic, partition)->is_marker = 1;
}

void sim_foreign_end(struct sim *sim, int input, int partition, int commit)
{
    mark(sim, BROKER_INPUT(input), partition, -1, commit);
}

void sim_retain(struct sim *sim, int topic, int partition, int64_t before_ms)
{
    struct sim_log *log = &sim->logs[topic][partition];

    while (log->low < sim_stable_end(log) &&
           log->entries[log->low].appended_ms < before_ms)
        log->low++;
}

void sim_cut(struct sim *sim, int topic, int partition, int64_t end)
{
    struct sim_log *log = &sim->logs[topic][partition];

    while (sim_end(log) > end) {
        log->count--;
        free(log->entries[log->count].key);
        free(log->entries[log->count].value);
    }
}

static int is_same_key(const struct sim_entry *a, const struct sim_entry *b)
{
    return a->key_len == b->key_len && !memcmp(a->key, b->key, a->key_len);
}

void sim_compact(struct sim *sim, int partition)
{
    struct sim_log *log = &sim->logs[BROKER_STATE][partition];
    int64_t end = sim_stable_end(log);

    for (int64_t i = 0; i < end; i++)
        for (int64_t j = i + 1; j < end && !log->entries[i].is_marker; j++)
            if (!log->entries[j].is_marker &&
                log->entries[j].status == SIM_COMMITTED &&
                is_same_key(&log->entries[i], &log->entries[j]))
                log->entries[i].gone = 1;
}

/* ---- transactions, at the coordinator ----------------------------------- */

static void decide(struct sim_tx *tx, int commit)
{
    tx->state = commit ? SIM_COMMITTING : SIM_ABORTING;
}

static int any_marker(const struct sim *sim, const struct sim_tx *tx)
{
    for (int t = 0; t < SIM_TOPICS_MAX; t++)
        for (int p = 0; p < sim->partitions; p++)
            if (tx->touched[t][p])
                return 1;
    for (int p = 0; p < sim->partitions; p++)
        if (tx->offsets_set[p])
            return 1;
    return 0;
}

/* The offsets' own marker: all partitions at once, they are in one log. */
static void mark_offsets(struct sim *sim, struct sim_tx *tx)
{
    for (int p = 0; p < sim->partitions; p++) {
        if (tx->offsets_set[p] && tx->state == SIM_COMMITTING)
            memcpy(sim->committed[p], tx->offsets[p],
                   sizeof(sim->committed[p]));
        tx->offsets_set[p] = 0;
    }
}

/* The marker of TX at place AT: a topic's partition, or, after all of these, the
 * offsets. Returns 0 if none is missing there. */
static int write_at(struct sim *sim, struct sim_tx *tx, int at)
{
    int commit = tx->state == SIM_COMMITTING, producer = (int)(tx - sim->tx);
    int topic = at / sim->partitions, partition = at % sim->partitions, set = 0;

    if (at < SIM_TOPICS_MAX * sim->partitions) {
        if (!tx->touched[topic][partition])
            return 0;
        mark(sim, topic, partition, producer, commit);
        tx->touched[topic][partition] = 0;
        return 1;
    }
    for (int p = 0; p < sim->partitions; p++)
        set |= tx->offsets_set[p];
    if (set)
        mark_offsets(sim, tx);
    return set;
}

static void end_when_marked(const struct sim *sim, struct sim_tx *tx)
{
    if (!any_marker(sim, tx))
        tx->state = SIM_NONE;
}

/* One of the markers of TX, by chance. */
static void write_marker(struct sim *sim, struct sim_tx *tx)
{
    int places = SIM_TOPICS_MAX * sim->partitions + 1;
    int at = (int)random_below(&sim->random, places);

    for (int n = 0; n < places; n++, at = (at + 1) % places)
        if (write_at(sim, tx, at))
            break;
    end_when_marked(sim, tx);
}

int sim_marker_at(struct sim *sim, int id, int at)
{
    struct sim_tx *tx = &sim->tx[id];
    int written;

    if (tx->state != SIM_COMMITTING && tx->state != SIM_ABORTING)
        return 0;
    written = write_at(sim, tx, at);
    end_when_marked(sim, tx);
    return written;
}

int sim_step_marker(struct sim *sim)
{
    int first = (int)random_below(&sim->random, SIM_CLIENTS_MAX);

    for (int n = 0; n < SIM_CLIENTS_MAX; n++) {
        struct sim_tx *tx = &sim->tx[(first + n) % SIM_CLIENTS_MAX];
        if (tx->state != SIM_COMMITTING && tx->state != SIM_ABORTING)
            continue;
        write_marker(sim, tx);
        return 1;
    }
    return 0;
}

int sim_step_deliver(struct sim *sim)
{
    for (int i = 0; i < SIM_CLIENTS_MAX; i++) {
        struct sim_tx *tx = &sim->tx[i];
        if (!tx->in_flight)
            continue;
        if (tx->flight_epoch != tx->epoch) {
            tx->in_flight = 0;
            continue;
        }
        if (tx->state != SIM_ONGOING)
            continue;
        tx->in_flight = 0;
        decide(tx, 1);
        return 1;
    }
    return 0;
}

static void abort_and_fence(struct sim_tx *tx)
{
    decide(tx, 0);
    tx->epoch++;
}

int sim_expire(struct sim *sim, int id)
{
    if (sim->tx[id].state != SIM_ONGOING)
        return 0;
    abort_and_fence(&sim->tx[id]);
    return 1;
}

int sim_step_expire(struct sim *sim)
{
    int expired = 0;

    for (int i = 0; i < SIM_CLIENTS_MAX; i++) {
        struct sim_tx *tx = &sim->tx[i];
        if (tx->state == SIM_ONGOING &&
            sim->now_ms - tx->begun_ms >= sim->transaction_timeout_ms) {
            abort_and_fence(tx);
            expired++;
        }
    }
    return expired;
}

int sim_is_quiet(const struct sim *sim)
{
    for (int i = 0; i < SIM_CLIENTS_MAX; i++)
        if (sim->tx[i].state != SIM_NONE)
            return 0;
    return 1;
}

/* ---- the producer ------------------------------------------------------- */

static struct sim_tx *tx_of(struct sim_client *client)
{
    return &client->sim->tx[client->id];
}

static int chance(struct sim_client *client, int percent)
{
    return percent && random_chance(&client->sim->random, percent);
}

static int broke(struct sim_client *client, const char *what)
{
    client->sim->bad = what;
    return BROKER_FATAL;
}

/* BROKER_OK if the producer may be used, and the faults that any call has. */
static int check(struct sim_client *client)
{
    struct sim *sim = client->sim;

    if (client->epoch < 0)
        return broke(client, "a producer is used that was never made");
    if (client->fatal)
        return BROKER_FATAL;
    if (client->epoch != tx_of(client)->epoch) {
        client->fatal = 1;
        return BROKER_FENCED;
    }
    if (chance(client, sim->faults.fatal)) {
        client->fatal = 1;
        return BROKER_FATAL;
    }
    return BROKER_OK;
}

static int sim_begin(void *impl)
{
    struct sim_client *client = impl;
    int answer = check(client);

    if (answer)
        return answer;
    if (client->begun)
        return broke(client, "begin in a transaction");
    client->begun = 1;
    client->used = 0;
    memset(client->delivered, -1, sizeof(client->delivered));
    return BROKER_OK;
}

/* AddPartitionsToTxn: not before the markers of the one before are written. */
static int open_tx(struct sim_client *client)
{
    struct sim_tx *tx = tx_of(client);

    if (tx->state == SIM_COMMITTING || tx->state == SIM_ABORTING)
        return BROKER_AGAIN;
    if (tx->state == SIM_NONE)
        tx->begun_ms = client->sim->now_ms;
    tx->state = SIM_ONGOING;
    client->used = 1;
    return BROKER_OK;
}

static void header_text(char *out, size_t size,
                        const struct broker_header *header)
{
    snprintf(out, size, "%.*s", (int)header->len, header->value);
}

static void note_headers(struct sim_entry *entry,
                         const struct broker_record *record)
{
    char number[32];

    for (int i = 0; i < record->header_count; i++) {
        const struct broker_header *header = &record->headers[i];
        if (!strcmp(header->name, "reason"))
            header_text(entry->reason, sizeof(entry->reason), header);
        if (!strcmp(header->name, "topic"))
            header_text(entry->topic, sizeof(entry->topic), header);
        if (!strcmp(header->name, "offset")) {
            header_text(number, sizeof(number), header);
            entry->offset = strtoll(number, NULL, 10);
        }
    }
}

static int sim_produce(void *impl, const struct broker_record *record)
{
    struct sim_client *client = impl;
    struct sim *sim = client->sim;
    struct sim_entry *entry;
    int answer = check(client);

    if (!answer && !client->begun)
        return broke(client, "produce outside a transaction");
    if (!answer && chance(client, sim->faults.again))
        answer = BROKER_AGAIN;
    if (!answer && chance(client, sim->faults.refuse))
        answer = BROKER_ABORT;
    if (!answer)
        answer = open_tx(client);
    if (answer)
        return answer;
    entry = append(sim, record->topic, record->partition);
    entry->status = SIM_OPEN;
    entry->producer = client->id;
    entry->timestamp_ms = record->timestamp_ms;
    entry->key = copy(record->key, record->key_len);
    entry->key_len = record->key_len;
    entry->value = copy(record->value, record->value_len);
    entry->value_len = record->value_len;
    note_headers(entry, record);
    tx_of(client)->touched[record->topic][record->partition] = 1;
    client->delivered[record->topic][record->partition] =
        sim_end(&sim->logs[record->topic][record->partition]);
    return BROKER_OK;
}

static void set_offset(struct sim_tx *tx, const struct broker_offset *offset)
{
    struct broker_committed *to =
        &tx->offsets[offset->partition][offset->input];

    tx->offsets_set[offset->partition] = 1;
    to->offset = offset->offset;
    snprintf(to->metadata, sizeof(to->metadata), "%s", offset->metadata);
}

static int sim_send_offsets(void *impl, const struct broker_offset *offsets,
                            int count)
{
    struct sim_client *client = impl;
    struct sim *sim = client->sim;
    int answer = check(client), lost;

    if (!answer && !client->begun)
        return broke(client, "send_offsets outside a transaction");
    if (!answer && chance(client, sim->faults.again))
        answer = BROKER_AGAIN;
    if (!answer && chance(client, sim->faults.refuse))
        answer = BROKER_ABORT;
    if (!answer)
        answer = open_tx(client);
    if (answer)
        return answer;
    /* Here, and nowhere else, the group is asked. */
    if (!sim->member[client->id])
        return BROKER_LOST;
    for (int i = 0; i < count; i++)
        set_offset(tx_of(client), &offsets[i]);
    lost = chance(client, sim->faults.again);
    return lost ? BROKER_AGAIN : BROKER_OK; /* Done, and to be done again. */
}

static int end_commit(struct sim_client *client)
{
    client->begun = 0;
    client->in_commit = 0;
    return BROKER_OK;
}

/* Whether CLIENT's transaction holds nothing: then nobody is asked how it ends,
 * so that not even being fenced shows. */
static int is_empty(const struct sim_client *client)
{
    return client->begun && !client->used && !client->fatal;
}

static int sim_commit(void *impl)
{
    struct sim_client *client = impl;
    struct sim *sim = client->sim;
    struct sim_tx *tx = tx_of(client);
    int answer = is_empty(client) ? BROKER_OK : check(client);

    if (answer)
        return answer;
    if (!client->begun)
        return broke(client, "commit outside a transaction");
    if (client->in_commit) {
        /* The request was sent; is it answered by now? */
        if (tx->in_flight || tx->state == SIM_ONGOING)
            return chance(client, sim->faults.fatal + 5)
                       ? (client->fatal = 1, BROKER_FATAL)
                       : BROKER_AGAIN;
        return end_commit(client);
    }
    if (chance(client, sim->faults.again))
        return BROKER_AGAIN;
    if (chance(client, sim->faults.refuse))
        return BROKER_ABORT;
    if (!client->used || tx->state == SIM_NONE)
        return end_commit(client); /* Nothing was in it. */
    client->in_commit = 1;
    if (chance(client, sim->faults.late)) {
        tx->in_flight = 1;
        tx->flight_epoch = tx->epoch;
        return BROKER_AGAIN;
    }
    decide(tx, 1);
    if (chance(client, sim->faults.lose)) {
        client->fatal = chance(client, 50);
        return client->fatal ? BROKER_FATAL : BROKER_AGAIN;
    }
    return end_commit(client);
}

static int sim_abort(void *impl)
{
    struct sim_client *client = impl;
    struct sim *sim = client->sim;
    struct sim_tx *tx = tx_of(client);
    int answer = is_empty(client) ? BROKER_OK : check(client);

    if (!answer && chance(client, sim->faults.again))
        answer = BROKER_AGAIN;
    if (answer)
        return answer;
    if (client->used && tx->state == SIM_ONGOING)
        decide(tx, 0);
    client->begun = 0;
    client->in_commit = 0;
    return BROKER_OK;
}

static int sim_renew(void *impl)
{
    struct sim_client *client = impl;
    struct sim *sim = client->sim;
    struct sim_tx *tx = tx_of(client);

    client->begun = 0;
    client->in_commit = 0;
    client->fatal = 1;
    if (tx->state == SIM_ONGOING)
        abort_and_fence(tx);
    if (tx->state != SIM_NONE || chance(client, sim->faults.again))
        return BROKER_AGAIN;
    client->epoch = ++tx->epoch;
    client->fatal = 0;
    return BROKER_OK;
}

static int64_t sim_delivered(void *impl, int topic, int partition)
{
    struct sim_client *client = impl;

    return client->delivered[topic][partition];
}

/* ---- questions ---------------------------------------------------------- */

static int is_pending(const struct sim *sim, int partition)
{
    for (int i = 0; i < SIM_CLIENTS_MAX; i++)
        if (sim->tx[i].offsets_set[partition])
            return 1;
    return 0;
}

static int sim_committed(void *impl, uint64_t question, int partition,
                         struct broker_committed *out)
{
    struct sim_client *client = impl;
    struct sim *sim = client->sim;

    if (question < client->committed_number[partition])
        return broke(client, "an old question is asked again");
    client->committed_number[partition] = question;
    if (is_pending(sim, partition) || chance(client, sim->faults.again))
        return BROKER_AGAIN;
    memcpy(out, sim->committed[partition], (size_t)sim->inputs * sizeof(*out));
    return BROKER_OK;
}

/* The answer is of the moment of the question, or of now: both are allowed. */
static int sim_watermarks(void *impl, uint64_t question, int topic,
                          int partition, int64_t *low, int64_t *high)
{
    struct sim_client *client = impl;
    struct sim *sim = client->sim;
    struct sim_question *asked = &client->questions[topic][partition];
    const struct sim_log *log = &sim->logs[topic][partition];

    if (question < asked->number)
        return broke(client, "an old question is asked again");
    if (question > asked->number || chance(client, 30))
        *asked = (struct sim_question){question, log->low, sim_end(log)};
    if (chance(client, sim->faults.again))
        return BROKER_AGAIN;
    if (low)
        *low = asked->low;
    *high = asked->high;
    return BROKER_OK;
}

static int sim_start_offset(void *impl, uint64_t question, int topic,
                            int partition, int64_t instant_ms, int64_t *offset)
{
    struct sim_client *client = impl;
    const struct sim_log *log = &client->sim->logs[topic][partition];

    (void)question;
    for (*offset = log->low; *offset < sim_end(log); ++*offset)
        if (!log->entries[*offset].is_marker &&
            log->entries[*offset].timestamp_ms >= instant_ms)
            break;
    return BROKER_OK;
}

/* ---- readers ------------------------------------------------------------ */

/* The headers of a dead letter, as far as a restore asks for them. */
static void show_headers(struct sim_client *client,
                         const struct sim_entry *entry,
                         struct broker_record *record)
{
    struct broker_header *h = client->headers;
    int len = snprintf(client->number, sizeof(client->number), "%lld",
                       (long long)entry->offset);

    h[0] =
        (struct broker_header){"reason", entry->reason, strlen(entry->reason)};
    h[1] = (struct broker_header){"topic", entry->topic, strlen(entry->topic)};
    h[2] = (struct broker_header){"offset", client->number, (size_t)len};
    record->headers = h;
    record->header_count = 3;
}

static int sim_read(void *impl, int topic, int partition, int64_t from,
                    int64_t until, struct broker_read *out)
{
    struct sim_client *client = impl;
    struct sim *sim = client->sim;
    const struct sim_log *log = &sim->logs[topic][partition];
    int64_t stable = sim_stable_end(log);

    (void)until;
    if (from < log->low || from > sim_end(log))
        return BROKER_GONE;
    out->position = from;
    if (chance(client, sim->faults.again))
        return BROKER_AGAIN;
    for (; out->position < stable; out->position++) {
        const struct sim_entry *entry = &log->entries[out->position];
        if (entry->is_marker || entry->gone || entry->status != SIM_COMMITTED)
            continue;
        out->record =
            (struct broker_record){.topic = topic,
                                   .partition = partition,
                                   .offset = out->position,
                                   .timestamp_ms = entry->timestamp_ms,
                                   .key = entry->key,
                                   .key_len = entry->key_len,
                                   .value = entry->value,
                                   .value_len = entry->value_len};
        if (topic == BROKER_DEAD_LETTERS)
            show_headers(client, entry, &out->record);
        out->position++;
        return BROKER_OK;
    }
    return BROKER_AGAIN;
}

static void sim_stop(void *impl, int topic, int partition)
{
    (void)impl;
    (void)topic;
    (void)partition;
}

static uint64_t sim_random(void *impl)
{
    struct sim_client *client = impl;

    return random_bits(&client->sim->random);
}

static const char *sim_reason(void *impl)
{
    struct sim_client *client = impl;

    return client->reason;
}

/* ---- life cycle --------------------------------------------------------- */

void sim_init(struct sim *sim, uint64_t seed, int inputs, int partitions)
{
    memset(sim, 0, sizeof(*sim));
    sim->random.state = seed;
    sim->inputs = inputs;
    sim->partitions = partitions;
    sim->transaction_timeout_ms = 10000;
    for (int p = 0; p < partitions; p++)
        for (int i = 0; i < inputs; i++)
            sim->committed[p][i].offset = -1;
}

void sim_done(struct sim *sim)
{
    for (int t = 0; t < SIM_TOPICS_MAX; t++)
        for (int p = 0; p < SIM_PARTITIONS_MAX; p++) {
            struct sim_log *log = &sim->logs[t][p];
            for (size_t i = 0; i < log->count; i++) {
                free(log->entries[i].key);
                free(log->entries[i].value);
            }
            free(log->entries);
        }
}

void sim_client_init(struct sim_client *client, struct sim *sim, int id)
{
    memset(client, 0, sizeof(*client));
    client->sim = sim;
    client->id = id;
    client->epoch = -1;
    memset(client->delivered, -1, sizeof(client->delivered));
    client->broker = (struct broker){.impl = client,
                                     .begin = sim_begin,
                                     .produce = sim_produce,
                                     .send_offsets = sim_send_offsets,
                                     .commit = sim_commit,
                                     .abort = sim_abort,
                                     .renew = sim_renew,
                                     .delivered = sim_delivered,
                                     .committed = sim_committed,
                                     .watermarks = sim_watermarks,
                                     .start_offset = sim_start_offset,
                                     .read = sim_read,
                                     .stop = sim_stop,
                                     .random = sim_random,
                                     .reason = sim_reason};
}
