/* outbox.h: records that wait to be committed.
 *
 * What a partition has to say (changes, triggers, dead letters), in order, kept
 * until a transaction that holds it is known to be committed. May be sent any
 * number of times. */
#ifndef PROTOCOL_OUTBOX_H
#define PROTOCOL_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/protocol/broker.h"
#include "daemon/protocol/record.h"
#include "lib/base/buf.h"

struct outbox {
    struct buf bytes;
    struct outbox_entry *entries;
    size_t count, cap;
    struct outbox_header *headers;
    size_t header_count, header_cap;
    int64_t first_ms;                /* When the first record came. */
    uint32_t topics[BROKER_OUTPUTS]; /* Records by topic. */
};

void outbox_init(struct outbox *outbox);
void outbox_done(struct outbox *outbox);

/* Empty it; memory is kept for the next. */
void outbox_clear(struct outbox *outbox);

/* Append a copy of RECORD for TOPIC with KEY (bytes = NULL: none) at NOW_MS.
 * Returns 0, or SEG_ERR_NOMEM with the outbox as it was. */
int outbox_add(struct outbox *outbox, int topic, struct seg_text key,
               const struct record *record, int64_t now_ms);

/* The INDEX-th record as one to be produced (partition and timestamp are the
 * caller's), with HEADERS as room for BROKER_HEADERS_MAX. Borrowed until the
 * next add or clear. */
void outbox_at(const struct outbox *outbox, size_t index,
               struct broker_record *record, struct broker_header *headers);

/* Bytes held by its records. */
static inline size_t outbox_bytes(const struct outbox *outbox)
{
    return outbox->bytes.len;
}

#endif
