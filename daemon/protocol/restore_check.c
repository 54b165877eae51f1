/* restore_check.c: when a restore refuses.
 *
 * Every message names the topic, the partition and the two numbers that
 * disagree, and the command that mends it (mend.h). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/protocol/mutation.h"
#include "daemon/protocol/restore_inside.h"
#include "lib/base/text.h"

const char *restore_topic(const struct restore *restore, int topic,
                          char name[RESTORE_NAME_BYTES])
{
    const struct ledger_options *options = restore->ledger->options;

    if (topic >= BROKER_OUTPUTS)
        return options->inputs[topic - BROKER_OUTPUTS].topic;
    snprintf(name, RESTORE_NAME_BYTES, "%s.%s", options->app,
             broker_topic_name(topic));
    return name;
}

int restore_ask_committed(struct restore *restore, struct broker_committed *out)
{
    struct broker *broker = restore->broker;

    int answer = broker->committed(broker->impl, restore->question,
                                   restore->ledger->partition, out);

    if (answer != BROKER_OK)
        restore_wait_note(&restore->wait, broker, RESTORE_ASKED_COMMITTED, 0,
                          answer);
    return answer != BROKER_OK;
}

static const char *input_topic(const struct restore *restore, int input)
{
    return restore->ledger->options->inputs[input].topic;
}

/* ---- the committed offsets --------------------------------------------- */

/* An input with a committed offset, or one without; -1: there is none. */
static int find_input(const struct restore *restore, int committed)
{
    for (int i = 0; i < restore->ledger->options->input_count; i++)
        if ((restore->committed[i].offset >= 0) == committed)
            return i;
    return -1;
}

static int is_of_one(const struct meta_offsets *a, const struct meta_offsets *b)
{
    return a->txn == b->txn && a->tag == b->tag && a->clock_ms == b->clock_ms;
}

/* What the first offset of ours that is committed says; txn 0: none is ours. */
static struct meta_offsets find_ours(const struct restore *restore)
{
    struct meta_offsets offsets = {0};

    for (int i = 0; i < restore->ledger->options->input_count; i++)
        if (!meta_offsets_read(restore->committed[i].metadata, &offsets))
            return offsets;
    return (struct meta_offsets){0};
}

int restore_check_committed(struct restore *restore)
{
    int partition = restore->ledger->partition;
    int with = find_input(restore, 1), without = find_input(restore, 0);
    struct meta_offsets offsets;
    char expected[64] = "v1:<transaction>:<clock>:<tag>";

    if (with < 0)
        return 1;
    if (without >= 0) {
        restore_refuse(restore,
                       "topic %s partition %d has no committed offset, but %s "
                       "has %" PRId64 ": was the input added or its offset "
                       "deleted? " RESTORE_MEND,
                       input_topic(restore, without), partition,
                       input_topic(restore, with),
                       restore->committed[with].offset, partition);
        return 0;
    }
    restore->offsets = find_ours(restore);
    if (restore->offsets.txn)
        snprintf(expected, sizeof(expected), "that of transaction %" PRIu64,
                 restore->offsets.txn);
    for (int i = 0; i < restore->ledger->options->input_count; i++) {
        const struct broker_committed *committed = &restore->committed[i];
        if (meta_offsets_read(committed->metadata, &offsets) ||
            !is_of_one(&offsets, &restore->offsets)) {
            restore_refuse(
                restore,
                "topic %s partition %d: the committed offset %" PRId64
                " is not one of ours (metadata \"%.64s\", expected "
                "%s): somebody has reset it. " RESTORE_MEND,
                input_topic(restore, i), partition, committed->offset,
                committed->metadata, expected, partition);
            return 0;
        }
    }
    return 1;
}

/* ---- the meta record ----------------------------------------------------- */

static int check_inputs(struct restore *restore)
{
    const struct meta *meta = &restore->meta;
    const struct ledger_options *options = restore->ledger->options;
    int same = meta->input_count == options->input_count;

    for (int i = 0; same && i < options->input_count; i++)
        same = text_equal(meta->inputs[i].topic,
                          text_of(options->inputs[i].topic));
    if (!same)
        restore_refuse(restore,
                       "partition %d was written with %d inputs, the first one "
                       "%.*s; configured are %d, the first one %s. Configure "
                       "the old ones, or " RESTORE_MEND_REBUILD,
                       restore->ledger->partition, meta->input_count,
                       meta->input_count ? (int)meta->inputs[0].topic.len : 0,
                       meta->input_count ? meta->inputs[0].topic.bytes : "",
                       options->input_count, options->inputs[0].topic,
                       restore->ledger->partition);
    return same;
}

/* Where INPUT goes on. */
static int64_t place(const struct restore *restore, int input)
{
    int64_t offset = restore->committed[input].offset;
    int64_t to = restore->mend ? restore->mend->to[input] : -1;

    return to >= 0 && to < offset ? to : offset;
}

void restore_set_version(struct restore *restore, int version)
{
    struct ledger *ledger = restore->ledger;
    int wanted = ledger->options->engine.state_version;

    ledger->state_version = wanted    ? wanted
                            : version ? version
                                      : SEG_STATE_VERSION;
    seg_engine_set_state_version(ledger->engine, ledger->state_version);
}

/* Which catalogues the users' records are of. A partition that was written with
 * another one than ours goes over to ours where the committed offsets are. */
int restore_read_catalogue(struct restore *restore)
{
    int64_t positions[SEG_TOPICS_MAX];
    struct seg_error detail = {0};
    char name[RESTORE_NAME_BYTES];
    int partition = restore->ledger->partition, err;

    if (mend_takes(restore) && !restore->catalogue_bytes.len)
        return 1; /* The first of the partition. */
    for (int i = 0; i < restore->meta.input_count; i++)
        positions[i] = MUTATED(TAKEN_OVER_FROM_START) ? 0
                       : MUTATED(TAKEN_OVER_FROM_REDO)
                           ? restore->meta.inputs[i].redo.position
                           : place(restore, i);
    err = seg_engine_restore_catalogue(restore->ledger->engine,
                                       restore->catalogue_bytes.bytes,
                                       restore->catalogue_bytes.len, positions,
                                       restore->meta.latest_ms, &detail);
    if (err == SEG_ERR_NOMEM) {
        restore_enter(restore, RESTORE_BEGIN);
        return 0;
    }
    if (err == SEG_ERR_RECORD && mend_takes(restore) &&
        restore->mend->mode == MEND_REBUILD)
        return 1;
    if (err == SEG_ERR_RECORD_VERSION)
        restore_refuse(restore,
                       "topic %s partition %d: %s. Start the newer "
                       "segmentd",
                       restore_topic(restore, BROKER_STATE, name), partition,
                       detail.message);
    else if (err < 0)
        restore_refuse(restore,
                       "topic %s partition %d: %s. " RESTORE_MEND_REBUILD,
                       restore_topic(restore, BROKER_STATE, name), partition,
                       detail.message, partition);
    return err == 0;
}

/* The group's offsets have expired: those of the meta record, if nothing was
 * committed after it (which is seen after the outputs are read). */
static void use_meta_offsets(struct restore *restore)
{
    restore->offsets_gone = 1;
    restore->offsets = restore->meta.offsets;
    for (int i = 0; i < restore->meta.input_count; i++)
        restore->committed[i].offset = restore->meta.inputs[i].offset;
}

static int check_positions(struct restore *restore)
{
    const struct meta *meta = &restore->meta;
    char name[RESTORE_NAME_BYTES];
    int partition = restore->ledger->partition;

    if (meta->offsets.txn > restore->offsets.txn ||
        (meta->offsets.txn == restore->offsets.txn &&
         meta->offsets.tag != restore->offsets.tag)) {
        restore_refuse(restore,
                       "topic %s partition %d is of transaction %" PRIu64
                       " (%016" PRIx64 "), the committed offsets of the inputs "
                       "are of %" PRIu64 " (%016" PRIx64
                       "): they were set back. " RESTORE_MEND,
                       restore_topic(restore, BROKER_STATE, name), partition,
                       meta->offsets.txn, meta->offsets.tag,
                       restore->offsets.txn, restore->offsets.tag, partition);
        return 0;
    }
    for (int i = 0; i < meta->input_count; i++)
        if (meta->inputs[i].offset > restore->committed[i].offset) {
            restore_refuse(
                restore,
                "topic %s partition %d: the committed offset %" PRId64
                " is before %" PRId64 ", up to which the state "
                "goes: it was set back. " RESTORE_MEND,
                input_topic(restore, i), partition,
                restore->committed[i].offset, meta->inputs[i].offset,
                partition);
            return 0;
        }
    return 1;
}

static int read_meta(struct restore *restore)
{
    struct seg_error detail = {0};
    char name[RESTORE_NAME_BYTES], mend[128] = "Start the newer segmentd";
    int partition = restore->ledger->partition;
    int err = meta_read(&restore->meta, restore->meta_bytes.bytes,
                        restore->meta_bytes.len, &detail);

    if (err != SEG_ERR_RECORD_VERSION)
        snprintf(mend, sizeof(mend), RESTORE_MEND_REBUILD, partition);
    if (err)
        restore_refuse(restore,
                       "topic %s partition %d, offset %" PRId64 ": %s. %s",
                       restore_topic(restore, BROKER_STATE, name), partition,
                       restore->meta_end - 1, detail.message, mend);
    return !err;
}

int restore_check_meta(struct restore *restore)
{
    char name[RESTORE_NAME_BYTES];
    int partition = restore->ledger->partition;

    if (!restore->has_meta) {
        restore_set_version(restore, 0);
        if (!restore->offsets.txn)
            return 1;
        restore_refuse(restore,
                       "topic %s partition %d holds no meta record, but offset "
                       "%" PRId64 " of %s is committed (transaction %" PRIu64
                       "): was it deleted? " RESTORE_MEND_REBUILD,
                       restore_topic(restore, BROKER_STATE, name), partition,
                       restore->committed[0].offset, input_topic(restore, 0),
                       restore->offsets.txn, partition);
        return 0;
    }
    if (!read_meta(restore))
        return 0;
    restore_set_version(restore, restore->meta.version);
    if (!check_inputs(restore))
        return 0;
    if (!restore->offsets.txn)
        use_meta_offsets(restore);
    return check_positions(restore) && restore_read_catalogue(restore);
}

/* ---- the logs ------------------------------------------------------------ */

/* FROM up to TO must be in LOG. */
static int check_range(struct restore *restore, const struct restore_log *log,
                       int64_t from, int64_t to)
{
    char name[RESTORE_NAME_BYTES];
    const char *topic = restore_topic(restore, log->topic, name);

    if (from < log->low)
        restore_refuse(restore,
                       "topic %s partition %d was truncated: offset %" PRId64
                       " is needed, but it begins at %" PRId64
                       ". " RESTORE_MEND,
                       topic, log->partition, from, log->low, log->partition);
    else if (to > log->high)
        restore_refuse(restore,
                       "topic %s partition %d is not the one it was: offset "
                       "%" PRId64 " was reached, but it ends at %" PRId64
                       ". Was it deleted and made again? " RESTORE_MEND,
                       topic, log->partition, to, log->high, log->partition);
    return from >= log->low && to <= log->high;
}

/* Nobody has committed anything: then there is nothing to be continued. */
static int check_unused(struct restore *restore, const struct restore_log *log)
{
    char name[RESTORE_NAME_BYTES];

    if (log->high == 0)
        return 1;
    restore_refuse(restore,
                   "topic %s partition %d ends at offset %" PRId64
                   ", but 0 offsets are committed and there is no meta record: "
                   "what it holds cannot be continued. " RESTORE_MEND_REBUILD,
                   restore_topic(restore, log->topic, name), log->partition,
                   log->high, log->partition);
    return 0;
}

int restore_check_marks(struct restore *restore)
{
    const struct meta *meta = &restore->meta;
    const struct restore_log *logs = restore->logs;
    int64_t position;

    if (!restore->has_meta)
        return check_unused(restore, &logs[BROKER_CHANGES]) &&
               check_unused(restore, &logs[BROKER_TRIGGERS]);
    for (int topic = BROKER_CHANGES; topic <= BROKER_TRIGGERS; topic++) {
        position = meta->outputs[meta_output(topic)].fold.position;
        if (!check_range(restore, &logs[topic], position, position))
            return 0;
    }
    for (int i = 0; i < meta->input_count; i++)
        if (!check_range(restore, &logs[BROKER_INPUT(i)],
                         meta->inputs[i].redo.position,
                         restore->committed[i].offset))
            return 0;
    return 1;
}

int restore_check_after_meta(struct restore *restore)
{
    const struct meta *meta = &restore->meta;
    char name[RESTORE_NAME_BYTES];
    int partition = restore->ledger->partition;

    if (!restore->offsets_gone)
        return 1;
    for (int i = 0; i < META_OUTPUTS; i++)
        if (restore->own[i] != meta->outputs[i].own) {
            restore_refuse(restore,
                           "the group's offsets of partition %d are gone, and "
                           "from offset %" PRId64 " on topic %s holds %" PRIu32
                           " records where the meta record knows %" PRIu32
                           ": it cannot be continued from there. " RESTORE_MEND,
                           partition, meta->outputs[i].tail,
                           restore_topic(restore, meta_topic(i), name),
                           restore->own[i], meta->outputs[i].own, partition);
            return 0;
        }
    if (restore->state_end > restore->meta_end) {
        restore_refuse(
            restore,
            "the group's offsets of partition %d are gone, and topic "
            "%s holds records up to offset %" PRId64
            " after the meta record at %" PRId64
            ": it cannot be continued from there. " RESTORE_MEND,
            partition, restore_topic(restore, BROKER_STATE, name),
            restore->state_end - 1, restore->meta_end - 1, partition);
        return 0;
    }
    return 1;
}
