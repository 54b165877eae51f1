/* sim_spy.c: see sim_spy.h. */
#include "tests/support/sim_spy.h"

#include <string.h>

#include "lib/base/hash.h"

enum call {
    BEGIN,
    PRODUCE,
    SEND,
    COMMIT,
    ABORT,
    RENEW,
    DELIVERED,
    COMMITTED,
    WATERMARKS,
    START,
    READ
};

static void mix(struct sim_spy *spy, const void *bytes, size_t len)
{
    spy->history = hash_bytes(bytes, len, spy->history);
}

static void mix_number(struct sim_spy *spy, int64_t number)
{
    mix(spy, &number, sizeof(number));
}

void sim_spy_note(struct sim_spy *spy, int what, int64_t value)
{
    int64_t both[] = {what, value};

    mix(spy, both, sizeof(both));
}

/* ANSWER to CALL about TOPIC. To be told to come again is news once. Returns
 * ANSWER. */
static int heard(struct sim_spy *spy, enum call call, int topic, int answer)
{
    uint64_t bit = UINT64_C(1) << (((int)call * 6 + topic) % 64);

    if (answer == BROKER_AGAIN && spy->waited & bit)
        return answer;
    spy->waited = answer == BROKER_AGAIN ? spy->waited | bit : 0;
    spy->moved = 1;
    sim_spy_note(spy, (int)call * 64 + topic, answer);
    return answer;
}

static int spy_begin(void *impl)
{
    struct sim_spy *spy = impl;

    return heard(spy, BEGIN, 0, spy->client.broker.begin(&spy->client));
}

static int spy_produce(void *impl, const struct broker_record *record)
{
    struct sim_spy *spy = impl;

    return heard(spy, PRODUCE, record->topic,
                 spy->client.broker.produce(&spy->client, record));
}

static int spy_send_offsets(void *impl, const struct broker_offset *offsets,
                            int count)
{
    struct sim_spy *spy = impl;

    return heard(spy, SEND, 0,
                 spy->client.broker.send_offsets(&spy->client, offsets, count));
}

static int spy_commit(void *impl)
{
    struct sim_spy *spy = impl;

    return heard(spy, COMMIT, 0, spy->client.broker.commit(&spy->client));
}

static int spy_abort(void *impl)
{
    struct sim_spy *spy = impl;

    return heard(spy, ABORT, 0, spy->client.broker.abort(&spy->client));
}

static int spy_renew(void *impl)
{
    struct sim_spy *spy = impl;

    return heard(spy, RENEW, 0, spy->client.broker.renew(&spy->client));
}

static int64_t spy_delivered(void *impl, int topic, int partition)
{
    struct sim_spy *spy = impl;
    int64_t end = spy->client.broker.delivered(&spy->client, topic, partition);

    sim_spy_note(spy, DELIVERED * 64 + topic, end);
    return end;
}

static int spy_committed(void *impl, uint64_t question, int partition,
                         struct broker_committed *out)
{
    struct sim_spy *spy = impl;
    int answer =
        spy->client.broker.committed(&spy->client, question, partition, out);

    for (int i = 0; answer == BROKER_OK && i < spy->client.sim->inputs; i++) {
        mix_number(spy, out[i].offset);
        mix(spy, out[i].metadata, strlen(out[i].metadata));
    }
    return heard(spy, COMMITTED, 0, answer);
}

static int spy_watermarks(void *impl, uint64_t question, int topic,
                          int partition, int64_t *low, int64_t *high)
{
    struct sim_spy *spy = impl;
    int answer = spy->client.broker.watermarks(&spy->client, question, topic,
                                               partition, low, high);

    if (answer == BROKER_OK) {
        mix_number(spy, low ? *low : 0);
        mix_number(spy, *high);
    }
    return heard(spy, WATERMARKS, topic, answer);
}

static int spy_start_offset(void *impl, uint64_t question, int topic,
                            int partition, int64_t instant_ms, int64_t *offset)
{
    struct sim_spy *spy = impl;
    int answer = spy->client.broker.start_offset(&spy->client, question, topic,
                                                 partition, instant_ms, offset);

    if (answer == BROKER_OK)
        mix_number(spy, *offset);
    return heard(spy, START, topic, answer);
}

static int spy_read(void *impl, int topic, int partition, int64_t from,
                    int64_t until, struct broker_read *out)
{
    struct sim_spy *spy = impl;
    int answer = spy->client.broker.read(&spy->client, topic, partition, from,
                                         until, out);

    if (answer == BROKER_OK) {
        mix(spy, out->record.key, out->record.key_len);
        mix(spy, out->record.value, out->record.value_len);
    }
    if (answer == BROKER_AGAIN && out->position > from) {
        sim_spy_note(spy, READ * 64 + topic, out->position);
        spy->moved = 1;
    }
    return heard(spy, READ, topic, answer);
}

static void spy_stop(void *impl, int topic, int partition)
{
    struct sim_spy *spy = impl;

    spy->client.broker.stop(&spy->client, topic, partition);
}

/* The same for the same process, and for no other. */
static uint64_t spy_random(void *impl)
{
    struct sim_spy *spy = impl;

    return hash_bytes(&spy->client.id, sizeof(spy->client.id), ++spy->draws);
}

static const char *spy_reason(void *impl)
{
    struct sim_spy *spy = impl;

    return spy->client.broker.reason(&spy->client);
}

void sim_spy_init(struct sim_spy *spy, struct sim *sim, int id, int starts)
{
    memset(spy, 0, sizeof(*spy));
    sim_client_init(&spy->client, sim, id);
    spy->draws = (uint64_t)starts << 32;
    sim_spy_note(spy, id, starts);
    spy->broker = (struct broker){.impl = spy,
                                  .begin = spy_begin,
                                  .produce = spy_produce,
                                  .send_offsets = spy_send_offsets,
                                  .commit = spy_commit,
                                  .abort = spy_abort,
                                  .renew = spy_renew,
                                  .delivered = spy_delivered,
                                  .committed = spy_committed,
                                  .watermarks = spy_watermarks,
                                  .start_offset = spy_start_offset,
                                  .read = spy_read,
                                  .stop = spy_stop,
                                  .random = spy_random,
                                  .reason = spy_reason};
}
