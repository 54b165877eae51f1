/* ledger.c: applying records, live and again.
 *
 * Live (ledger_apply) and in a restore (ledger_redo) a record takes the same
 * way: decode and check the partition (ledger_decode), fold. Whether it is bad
 * is decided by the same lines, so that both agree about which events a user
 * has. The difference is what becomes of it: live there are outputs, dead
 * letters and a position that moves.
 *
 * Memory may run out between folding a record and writing down what it changed.
 * The engine keeps its outputs then, and `drained` says how many of them are in
 * the outbox already: ledger_drain goes on from there. */
#include "daemon/protocol/ledger.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/fail.h"
#include "lib/base/error.h"
#include "lib/base/instant.h"
#include "lib/base/text.h"

enum {
    RECORD_OVERHEAD = 512, /* Framing of one record and its headers. */
    WITNESS_EVERY = 64     /* Offsets from one witness to the next. */
};

int ledger_new(struct ledger **ret, const struct ledger_options *options,
               int partition)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));

    if (!ledger)
        return SEG_ERR_NOMEM;
    ledger->options = options;
    ledger->partition = partition;
    ledger->moved_ms = SEG_NEVER;
    outbox_init(&ledger->outbox);
    record_init(&ledger->record);
    if (flush_init(&ledger->flush, options->input_count) ||
        ledger_use_catalogue(ledger)) {
        ledger_free(ledger);
        return SEG_ERR_NOMEM;
    }
    *ret = ledger;
    return 0;
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    ledger_drop(ledger);
    seg_decoder_free(ledger->decoder);
    seg_catalogue_free(ledger->catalogue);
    flush_done(&ledger->flush);
    outbox_done(&ledger->outbox);
    record_done(&ledger->record);
    free(ledger);
}

void ledger_drop(struct ledger *ledger)
{
    seg_engine_free(ledger->engine);
    ledger->engine = NULL;
    seg_engine_free(ledger->next.engine);
    seg_catalogue_free(ledger->next.catalogue);
    ledger->next = (struct ledger_next){NULL, NULL};
    ledger->catalogue_due = 0;
    outbox_clear(&ledger->outbox);
    ledger->drained = 0;
    ledger->incarnation = 0;
    ledger->committed = (struct meta_offsets){0};
    for (int i = 0; i < SEG_TOPICS_MAX; i++)
        ledger->inputs[i] = (struct meta_mark){0, -1, 0, 0};
    for (int i = 0; i < META_OUTPUTS; i++)
        ledger->outputs[i] = (struct meta_mark){0, -1, 0, 0};
    memset(ledger->bad, 0, sizeof(ledger->bad));
    ledger->moved_ms = SEG_NEVER;
    ledger->flush.meta_due = 0;
    ledger->lost = 0;
    ledger->broken = (struct seg_error){0};
}

int ledger_reset(struct ledger *ledger, int64_t clock_ms)
{
    ledger_drop(ledger);
    if (ledger_is_outdated(ledger) && ledger_use_catalogue(ledger))
        return SEG_ERR_NOMEM;
    return ledger_engine(ledger, ledger->catalogue, clock_ms, &ledger->engine);
}

struct meta_mark ledger_mark(const struct broker_record *record)
{
    return (struct meta_mark){record->offset + 1, record->offset,
                              record->timestamp_ms,
                              meta_checksum(record->key, record->key_len,
                                            record->value, record->value_len)};
}

/* The position of INPUT moves past RECORD. Any record before it will do as a
 * witness: hashing one of 64 is enough. */
static void move(struct ledger *ledger, int input,
                 const struct broker_record *record, int64_t now_ms)
{
    struct meta_mark *mark = &ledger->inputs[input];

    if (mark->witness < 0 || record->offset - mark->witness >= WITNESS_EVERY)
        *mark = ledger_mark(record);
    mark->position = record->offset + 1;
    if (ledger->moved_ms == SEG_NEVER)
        ledger->moved_ms = now_ms;
}

void ledger_reached(struct ledger *ledger, int input, int64_t position)
{
    if (ledger->inputs[input].position < position)
        ledger->inputs[input].position = position;
}

/* ---- bytes to event ---------------------------------------------------- */

int ledger_decode(const struct ledger *ledger, struct seg_decoder *decoder,
                  int input, const char *value, size_t len,
                  struct seg_event *event)
{
    const struct ledger_options *options = ledger->options;
    int err, partition;

    if (!value)
        return SEG_ERR_EMPTY;
    err = seg_decode(decoder, value, len, event, NULL);
    if (err)
        return err;
    partition = partitioner_partition(options->inputs[input].partitioner,
                                      event->user_id.bytes, event->user_id.len,
                                      options->partition_count);
    return partition >= 0 && partition != ledger->partition ? SEG_ERR_PARTITION
                                                            : 0;
}

/* Whether ERR is about us, not about the record. */
static int is_ours(int err)
{
    return err == SEG_ERR_NOMEM || err == SEG_ERR_LIMIT;
}

int64_t ledger_instant(int64_t timestamp_ms)
{
    return timestamp_ms < INSTANT_MIN   ? INSTANT_MIN
           : timestamp_ms > INSTANT_MAX ? INSTANT_MAX
                                        : timestamp_ms;
}

static struct seg_origin origin(int input, const struct broker_record *record)
{
    return (struct seg_origin){input, record->offset,
                               ledger_instant(record->timestamp_ms)};
}

int ledger_redo(struct ledger *ledger, int input,
                const struct broker_record *record)
{
    struct seg_event event;
    struct seg_origin from = origin(input, record);
    int err;

    seg_decoder_reset(ledger->decoder);
    err = ledger_decode(ledger, ledger->decoder, input, record->value,
                        record->value_len, &event);
    if (!err)
        err = seg_engine_redo(ledger->engine, &event, &from);
    if (err < 0 && is_ours(err))
        return err;
    return err < 0;
}

/* ---- outputs ----------------------------------------------------------- */

static size_t record_bytes(const struct record *record, struct seg_text key)
{
    return record->bytes.len + key.len + RECORD_OVERHEAD;
}

static int topic_of(const struct seg_output *output)
{
    static const int topics[] = {[SEG_OUTPUT_CHANGE] = BROKER_CHANGES,
                                 [SEG_OUTPUT_TRIGGER] = BROKER_TRIGGERS,
                                 [SEG_OUTPUT_TRAITS] = BROKER_TRAITS};

    return topics[output->kind];
}

/* A record of ours that no broker takes stops the partition before it stops the
 * worker: once in a transaction it would fail it for ever. Told by what caused
 * it: ids of users stay out of logs. */
static void too_large(struct ledger *ledger, const struct seg_output *output,
                      size_t bytes)
{
    char cause[320] = "a timer";

    if (output->source_topic.bytes)
        snprintf(cause, sizeof(cause), "topic %.*s offset %" PRId64,
                 (int)output->source_topic.len, output->source_topic.bytes,
                 output->source_offset);
    error_set(&ledger->broken, SEG_ERR_LIMIT,
              "a record of %s in partition %d, caused by %s, has %zu bytes, "
              "more than "
              "the %zu that one record may have",
              broker_topic_name(topic_of(output)), ledger->partition, cause,
              bytes, ledger->options->record_bytes_max);
}

static int add_output(struct ledger *ledger, const struct seg_output *output,
                      int64_t now_ms)
{
    const struct ledger_options *options = ledger->options;
    struct record_names names = {options->app, options->version,
                                 ledger->catalogue, ledger->partition,
                                 options->trigger_max_age_ms};

    if (record_output(&ledger->record, &names, output))
        return SEG_ERR_NOMEM;
    if (record_bytes(&ledger->record, output->user_id) >
        options->record_bytes_max) {
        too_large(ledger, output,
                  record_bytes(&ledger->record, output->user_id));
        return 0;
    }
    return outbox_add(&ledger->outbox, topic_of(output), output->user_id,
                      &ledger->record, now_ms);
}

int ledger_drain(struct ledger *ledger, int64_t now_ms)
{
    size_t count;
    const struct seg_output *outputs =
        seg_engine_outputs(ledger->engine, &count);

    if (!count)
        return 0;
    for (; ledger->drained < count; ledger->drained++) {
        if (outputs[ledger->drained].shadow)
            continue;
        if (add_output(ledger, &outputs[ledger->drained], now_ms))
            return SEG_ERR_NOMEM;
        if (ledger->options->on_output)
            ledger->options->on_output(ledger->options->arg,
                                       &outputs[ledger->drained]);
    }
    seg_engine_outputs_clear(ledger->engine);
    ledger->drained = 0;
    return 1;
}

/* The dead letter of RECORD. A key that leaves no room is cut, then the value.
 */
static int add_letter(struct ledger *ledger, int input,
                      const struct broker_record *record, int err,
                      int64_t now_ms)
{
    const struct ledger_options *options = ledger->options;
    struct seg_text key = {record->key, record->key_len};
    size_t room = options->record_bytes_max - RECORD_OVERHEAD;
    struct record_letter letter = {
        seg_error_name(err), options->inputs[input].topic, ledger->partition,
        record->offset,      record->timestamp_ms,         record->value,
        record->value_len,   options->dead_letter_bytes};

    room -= strlen(letter.topic) < room ? strlen(letter.topic) : room;
    if (key.len > room / 2)
        key.len = room / 2;
    if (letter.bytes_max > room - key.len)
        letter.bytes_max = room - key.len;
    if (record_dead_letter(&ledger->record, &letter))
        return SEG_ERR_NOMEM;
    if (outbox_add(&ledger->outbox, BROKER_DEAD_LETTERS, key, &ledger->record,
                   now_ms))
        return SEG_ERR_NOMEM;
    if (options->on_bad)
        options->on_bad(options->arg, ledger->partition, input, err,
                        record->value_len > letter.bytes_max);
    return 0;
}

int ledger_apply(struct ledger *ledger, int input,
                 const struct broker_record *record,
                 const struct seg_event *event, int reason, int64_t now_ms)
{
    struct seg_origin from = origin(input, record);
    int err = ledger_drain(ledger, now_ms);

    if (err < 0)
        return err;
    err = reason ? reason : seg_engine_apply(ledger->engine, event, &from);
    if (err < 0 && (is_ours(err) || ledger->options->stop_on_bad))
        return err;
    if (err < 0 && add_letter(ledger, input, record, err, now_ms))
        return SEG_ERR_NOMEM;
    bad_note(&ledger->bad[input], err < 0);
    move(ledger, input, record, now_ms);
    ledger_drain(ledger, now_ms); /* What does not fit now waits. */
    return err < 0;
}

int ledger_advance(struct ledger *ledger, int64_t to_ms, int work_max,
                   int64_t now_ms)
{
    int more = ledger_drain(ledger, now_ms);

    if (more < 0)
        return more;
    more = seg_engine_advance(ledger->engine, to_ms, work_max);
    if (more >= 0 && ledger_drain(ledger, now_ms) > 0)
        (void)FAIL_POINT(ADVANCE);
    return more;
}
