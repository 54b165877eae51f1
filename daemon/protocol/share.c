/* share.c: what is sent, in which order, and what it means to have sent it.
 *
 *     at   0 .. outbox          changes, triggers, dead letters
 *          .. + users           user records
 *          .. + 0 or 1          the catalogue record, when it is another
 *          last                 the meta record, so that whoever reads the
 *                               state topic can tell that nothing was
 *                               committed after
 */
#include "daemon/protocol/share.h"

#include <string.h>

#include "daemon/protocol/mutation.h"

void share_begin(struct share *share, uint64_t tag)
{
    const struct ledger *ledger = share->ledger;

    share->offsets = (struct meta_offsets){
        ledger->committed.txn + 1, seg_engine_clock(ledger->engine), tag};
    if (MUTATED(CLOCK_AHEAD_OF_TIMERS))
        share->offsets.clock_ms += 5000;
    share->verdict = SHARE_UNKNOWN;
    for (int i = 0; i < META_OUTPUTS; i++)
        share->last[i].position = -1;
}

static int user_record(struct share *share, uint32_t index,
                       struct share_room *room, struct broker_record *record)
{
    struct ledger *ledger = share->ledger;
    int64_t positions[SEG_TOPICS_MAX];
    struct seg_text id, value;
    int err;

    for (int i = 0; i < ledger->options->input_count; i++)
        positions[i] = ledger->inputs[i].position;
    err =
        seg_engine_dirty_record(ledger->engine, index, positions, &id, &value);
    if (err)
        return err;
    room->key[0] = META_KEY_USER;
    memcpy(room->key + 1, id.bytes, id.len);
    record->key_len = id.len + 1;
    record->value = value.bytes;
    record->value_len = value.len;
    return 1;
}

static int catalogue_record(struct share *share, struct share_room *room,
                            struct broker_record *record)
{
    struct seg_text value;

    if (seg_engine_catalogue_record(share->ledger->engine, &value))
        return SEG_ERR_NOMEM;
    room->key[0] = META_KEY_CATALOGUE;
    record->key_len = 1;
    record->value = value.bytes;
    record->value_len = value.len;
    return 1;
}

static int meta_record(struct share *share, struct share_room *room,
                       struct broker_record *record)
{
    struct meta meta;

    flush_meta(share->ledger, share->users, &share->offsets, &meta);
    buf_reset(&room->meta);
    meta_write(&room->meta, &meta);
    if (buf_failed(&room->meta))
        return SEG_ERR_NOMEM;
    room->key[0] = META_KEY_META;
    record->key_len = 1;
    record->value = room->meta.bytes;
    record->value_len = room->meta.len;
    return 1;
}

int share_record(struct share *share, size_t at, struct share_room *room,
                 struct broker_record *record)
{
    const struct outbox *outbox = &share->ledger->outbox;

    if (at < outbox->count) {
        outbox_at(outbox, at, record, room->headers);
        return 1;
    }
    at -= outbox->count;
    memset(record, 0, sizeof(*record));
    record->topic = BROKER_STATE;
    record->key = room->key;
    if (at < share->users)
        return user_record(share, (uint32_t)at, room, record);
    at -= share->users;
    if (share->with_catalogue && at-- == 0)
        return catalogue_record(share, room, record);
    return at == 0 && share->with_meta ? meta_record(share, room, record) : 0;
}

void share_produced(struct share *share, const struct broker_record *record)
{
    struct meta_mark *last;

    if (record->topic == BROKER_STATE || record->topic == BROKER_TRAITS)
        return;
    last = &share->last[meta_output(record->topic)];
    *last = ledger_mark(record);
    last->position = -1; /* Until it is delivered. */
}

void share_delivered(struct share *share, struct broker *broker)
{
    for (int i = 0; i < META_OUTPUTS; i++) {
        int64_t end = broker->delivered(broker->impl, meta_topic(i),
                                        share->ledger->partition);
        share->last[i].position = end;
        share->last[i].witness = end - 1;
    }
}

enum share_verdict share_judge(const struct share *share,
                               const struct broker_committed *committed)
{
    const struct meta_offsets *before = &share->ledger->committed;
    struct meta_offsets last = {0};

    if (committed->offset >= 0 && meta_offsets_read(committed->metadata, &last))
        return SHARE_FOREIGN;
    if (MUTATED(TXN_NOT_COMPARED))
        return SHARE_OURS;
    if (last.txn == share->offsets.txn &&
        (last.tag == share->offsets.tag || MUTATED(TAG_NOT_COMPARED)))
        return SHARE_OURS;
    if (last.txn == before->txn && last.tag == before->tag)
        return SHARE_BEFORE;
    return SHARE_FOREIGN;
}

void share_committed(struct share *share, int64_t now_ms)
{
    struct ledger *ledger = share->ledger;

    ledger->committed = share->offsets;
    for (int i = 0; i < META_OUTPUTS; i++)
        if (share->last[i].position >= 0)
            ledger->outputs[i] = share->last[i];
    outbox_clear(&ledger->outbox);
    ledger->moved_ms = SEG_NEVER;
    share->in = 0;
    if (share->with_catalogue)
        ledger->catalogue_due = 0;
    flush_committed(ledger, share->users, share->with_meta, now_ms);
}
