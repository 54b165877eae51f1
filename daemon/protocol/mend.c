/* mend.c: see mend.h.
 *
 * Every decision ends in the same few fields of the restore: the committed
 * offset of an input, and the marks in the meta record from where logs are
 * folded. All that follows reads those. */
#include "daemon/protocol/mend.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/protocol/restore_inside.h"
#include "lib/base/text.h"

enum { ODD_SHOWN = 3 };

void mend_init(struct mend *mend, enum mend_mode mode)
{
    *mend = (struct mend){.mode = mode};
    buf_init(&mend->said);
    for (int i = 0; i < SEG_TOPICS_MAX; i++)
        mend->to[i] = -1;
}

void mend_done(struct mend *mend)
{
    buf_done(&mend->said);
}

int mend_takes(const struct restore *restore)
{
    return restore->mend && restore->mend->mode != MEND_MOVE;
}

static void say(struct restore *restore, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Something is to be mended. */
static void say(struct restore *restore, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    buf_add(&restore->mend->said, line, strlen(line));
    buf_char(&restore->mend->said, '\n');
    restore->mend->found = 1;
}

void mend_begin(struct restore *restore)
{
    struct mend *mend = restore->mend;

    buf_reset(&mend->said);
    mend->found = mend->lost = 0;
    mend->records = mend->odd = 0;
    mend->leap[0] = mend->leap[1] = 0;
}

static const char *input_topic(const struct restore *restore, int input)
{
    return restore->ledger->options->inputs[input].topic;
}

/* COUNT records are gone, which judging must make up for. */
static void lose(struct restore *restore, int64_t count)
{
    restore->mend->lost = 1;
    restore->mend->records += (uint64_t)count;
}

/* ---- committed offsets --------------------------------------------------- */

/* The newest transaction of ours that some input names; txn 0: none. */
static struct meta_offsets newest(const struct restore *restore)
{
    struct meta_offsets best = {0}, offsets;

    for (int i = 0; i < restore->ledger->options->input_count; i++)
        if (restore->committed[i].offset >= 0 &&
            !meta_offsets_read(restore->committed[i].metadata, &offsets) &&
            offsets.txn > best.txn)
            best = offsets;
    return best;
}

int mend_committed(struct restore *restore)
{
    int partition = restore->ledger->partition;
    struct meta_offsets ours = newest(restore), offsets;

    restore->offsets = ours;
    for (int i = 0; i < restore->ledger->options->input_count; i++) {
        struct broker_committed *committed = &restore->committed[i];
        if (committed->offset < 0 && ours.txn)
            say(restore, "topic %s partition %d has no committed offset",
                input_topic(restore, i), partition);
        if (committed->offset < 0 ||
            (!meta_offsets_read(committed->metadata, &offsets) &&
             offsets.txn == ours.txn && offsets.tag == ours.tag))
            continue;
        say(restore,
            "topic %s partition %d: the committed offset %" PRId64
            " is not the one of transaction %" PRIu64 " and is not used",
            input_topic(restore, i), partition, committed->offset, ours.txn);
        committed->offset = -1;
    }
    return 1;
}

/* ---- the meta record ----------------------------------------------------- */

/* META's inputs in the order of the configured ones; those that it does not
 * name have no offset. */
static int sort_inputs(struct restore *restore)
{
    const struct ledger_options *options = restore->ledger->options;
    struct meta *meta = &restore->meta;
    struct meta_input sorted[SEG_TOPICS_MAX];
    int same = meta->input_count == options->input_count;

    for (int i = 0; i < options->input_count; i++) {
        struct seg_text topic = text_of(options->inputs[i].topic);
        memset(&sorted[i], 0, sizeof(sorted[i]));
        sorted[i].topic = topic;
        sorted[i].offset = -1;
        sorted[i].redo.witness = -1;
        for (int j = 0; j < meta->input_count; j++)
            if (text_equal(meta->inputs[j].topic, topic))
                sorted[i] = meta->inputs[j];
        same &= sorted[i].offset >= 0;
    }
    memcpy(meta->inputs, sorted, sizeof(sorted));
    meta->input_count = options->input_count;
    return same;
}

/* There is none that can be used. */
static void make_meta(struct restore *restore)
{
    struct meta *meta = &restore->meta;
    struct broker *broker = restore->broker;

    memset(meta, 0, sizeof(*meta));
    sort_inputs(restore);
    meta->incarnation = broker->random(broker->impl);
    for (int i = 0; i < META_OUTPUTS; i++)
        meta->outputs[i].fold.witness = -1;
}

/* Input I goes on where the meta record was written. */
static void go_back(struct restore *restore, int i)
{
    const struct meta *meta = &restore->meta;

    restore->committed[i].offset = meta->inputs[i].offset;
    say(restore,
        "topic %s partition %d goes on at offset %" PRId64
        ", where the meta record of transaction %" PRIu64
        " stands: later events that were applied are applied again",
        input_topic(restore, i), restore->ledger->partition,
        meta->inputs[i].offset, meta->offsets.txn);
}

/* Positions that fit the state. */
static void fit_offsets(struct restore *restore)
{
    const struct meta *meta = &restore->meta;
    int set_back = meta->offsets.txn > restore->offsets.txn ||
                   (meta->offsets.txn == restore->offsets.txn &&
                    meta->offsets.tag != restore->offsets.tag);

    restore->offsets_gone = !restore->offsets.txn && !restore->mend->found;
    if (set_back && restore->offsets.txn)
        say(restore,
            "partition %d: the committed offsets are of transaction %" PRIu64
            ", the state is of %" PRIu64,
            restore->ledger->partition, restore->offsets.txn,
            meta->offsets.txn);
    if (set_back)
        restore->offsets = meta->offsets;
    for (int i = 0; i < meta->input_count; i++) {
        if (restore->offsets_gone)
            restore->committed[i].offset = meta->inputs[i].offset;
        else if (set_back ||
                 meta->inputs[i].offset > restore->committed[i].offset)
            go_back(restore, i);
    }
}

static int refuse_rebuild(struct restore *restore, const char *why)
{
    char name[RESTORE_NAME_BYTES];

    restore_refuse(restore, "topic %s partition %d: %s. " RESTORE_MEND_REBUILD,
                   restore_topic(restore, BROKER_STATE, name),
                   restore->ledger->partition, why, restore->ledger->partition);
    return 0;
}

int mend_meta(struct restore *restore)
{
    struct seg_error detail = {0};
    struct meta *meta = &restore->meta;
    int rebuild = restore->mend->mode == MEND_REBUILD, err = SEG_ERR_RECORD;

    if (restore->has_meta)
        err = meta_read(meta, restore->meta_bytes.bytes,
                        restore->meta_bytes.len, &detail);
    if (err == SEG_ERR_RECORD_VERSION)
        return restore_refuse(restore, "%s", detail.message), 0;
    if (err && !rebuild)
        return refuse_rebuild(restore, restore->has_meta
                                           ? detail.message
                                           : "there is no meta record");
    restore_set_version(restore, err ? 0 : meta->version);
    if (err)
        make_meta(restore);
    else if (!sort_inputs(restore) && !rebuild)
        return refuse_rebuild(restore, "it was written with other inputs");
    else
        fit_offsets(restore);
    restore->mend->found |= rebuild;
    restore->has_meta = !err;
    return 1;
}

/* ---- the logs ------------------------------------------------------------ */

/* From where changes or triggers are folded. */
static void fit_output(struct restore *restore, int topic)
{
    int i = meta_output(topic);
    const struct restore_log *log = &restore->logs[topic];
    struct mend *mend = restore->mend;
    struct meta_mark *fold = &restore->meta.outputs[i].fold;
    int64_t from = restore->has_meta ? fold->position : 0,
            lost = log->low - from;
    char name[RESTORE_NAME_BYTES];

    restore_topic(restore, topic, name);
    if (mend->remade[topic] || from > log->high ||
        (!restore->has_meta && !log->high && restore->offsets.txn > 1)) {
        lost = MEND_LEAP;
        say(restore,
            "lost: what topic %s partition %d held from offset %" PRId64
            " on: it is another topic, from %" PRId64 " to %" PRId64,
            name, log->partition, from, log->low, log->high);
    } else if (lost > 0) {
        say(restore,
            "lost: %" PRId64 " records of topic %s partition %d, from offset "
            "%" PRId64 " to %" PRId64,
            lost, name, log->partition, from, log->low - 1);
    } else {
        if (!restore->has_meta)
            *fold = (struct meta_mark){log->low, -1, 0, 0};
        return;
    }
    lose(restore, lost == MEND_LEAP ? 0 : lost);
    mend->leap[i] = lost > UINT32_MAX ? UINT32_MAX : (uint32_t)lost;
    *fold = (struct meta_mark){log->low, -1, 0, 0};
}

/* From where input I is folded, and where it goes on. */
static void fit_input(struct restore *restore, int i)
{
    const struct restore_log *log = &restore->logs[BROKER_INPUT(i)];
    struct meta_mark *redo = &restore->meta.inputs[i].redo;
    int64_t *committed = &restore->committed[i].offset, from = redo->position;

    if (restore->mend->remade[BROKER_INPUT(i)] || *committed > log->high) {
        say(restore,
            "lost: events of topic %s partition %d from offset %" PRId64
            " to %" PRId64 " that no user record has yet: it is another topic, "
            "which is read from offset %" PRId64,
            input_topic(restore, i), log->partition, from, *committed - 1,
            log->low);
        lose(restore, *committed - from);
        *committed = log->low;
    } else if (from < log->low) {
        int64_t end = *committed < log->low ? *committed : log->low;
        if (end > from)
            say(restore,
                "lost: events of topic %s partition %d from offset %" PRId64
                " to %" PRId64 " that no user record has yet",
                input_topic(restore, i), log->partition, from, end - 1);
        if (*committed < log->low)
            say(restore,
                "lost: %" PRId64 " events of topic %s partition %d that were "
                "never read, from offset %" PRId64 " to %" PRId64,
                log->low - *committed, input_topic(restore, i), log->partition,
                *committed, log->low - 1);
        lose(restore, log->low - from);
        if (*committed < log->low)
            *committed = log->low;
    } else {
        return;
    }
    *redo = (struct meta_mark){log->low, -1, 0, 0};
}

int mend_marks(struct restore *restore)
{
    struct mend *mend = restore->mend;

    fit_output(restore, BROKER_CHANGES);
    fit_output(restore, BROKER_TRIGGERS);
    for (int i = 0; mend->mode == MEND_ACCEPT && i < restore->meta.input_count;
         i++)
        fit_input(restore, i);
    if (!restore_read_catalogue(restore))
        return 0;
    seg_engine_accept_gaps(restore->ledger->engine);
    if (mend->mode == MEND_REBUILD)
        seg_engine_forget_inputs(restore->ledger->engine);
    return 1;
}

void mend_start(struct restore *restore)
{
    struct meta *meta = &restore->meta;

    for (int i = 0; i < meta->input_count; i++) {
        const struct restore_log *log = &restore->logs[BROKER_INPUT(i)];
        int64_t from =
            restore->ledger->options->inputs[i].start_ms == LEDGER_LATEST
                ? log->low
                : restore->start[i];
        int64_t *committed = &restore->committed[i].offset;
        if (*committed > log->high || *committed < from) {
            if (*committed >= 0)
                say(restore,
                    "topic %s partition %d goes on at offset %" PRId64
                    ": offset %" PRId64 " is not in it",
                    input_topic(restore, i), log->partition, from, *committed);
            *committed = from;
        }
        say(restore,
            "topic %s partition %d: everybody is built anew from offset "
            "%" PRId64 " to %" PRId64 "; it begins at %" PRId64,
            input_topic(restore, i), log->partition, from, *committed - 1,
            log->low);
        meta->inputs[i].redo = (struct meta_mark){from, -1, 0, 0};
        meta->inputs[i].offset = from;
        memset(&meta->inputs[i].bad, 0, sizeof(meta->inputs[i].bad));
    }
    restore->mend->lost = 1;
    restore->has_meta = 1;
}

void mend_remade(struct restore *restore, int topic)
{
    restore->mend->remade[topic] = 1;
    restore_enter(restore, RESTORE_BEGIN);
}

/* ---- what is folded ------------------------------------------------------ */

void mend_output(struct restore *restore, const struct broker_record *record,
                 int err)
{
    struct mend *mend = restore->mend;
    uint32_t *leap = &mend->leap[meta_output(record->topic)];
    char name[RESTORE_NAME_BYTES];

    if (++mend->odd <= ODD_SHOWN)
        say(restore,
            "topic %s partition %d: the record at offset %" PRId64 " %s",
            restore_topic(restore, record->topic, name), record->partition,
            record->offset,
            err < 0 ? "cannot be read and is passed over"
                    : "does not follow the one of its user before it");
    mend->lost = 1;
    *leap += err < 0 && *leap < UINT32_MAX;
}

/* The group's offsets are gone, and the meta record is not the last word. */
int mend_after_meta(struct restore *restore)
{
    int later = restore->state_end > restore->meta_end;

    if (restore->mend->odd > ODD_SHOWN)
        say(restore, "and %" PRIu64 " records more like that",
            restore->mend->odd - ODD_SHOWN);
    for (int i = 0; i < META_OUTPUTS; i++)
        later |= restore->own[i] != restore->meta.outputs[i].own;
    if (!restore->offsets_gone || !later)
        return 1;
    for (int i = 0; i < restore->meta.input_count; i++)
        go_back(restore, i);
    return 1;
}

int mend_judge(struct restore *restore)
{
    const struct mend *mend = restore->mend;
    struct seg_mend how = {mend->leap[0], mend->leap[1],
                           mend->mode != MEND_MOVE && mend->lost};

    return seg_engine_mend(restore->ledger->engine, &how);
}
