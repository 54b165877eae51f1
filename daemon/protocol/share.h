/* share.h: the part of one partition in a transaction.
 *
 * One cut of a ledger: its outbox, the records of its oldest dirty users, the
 * catalogue record, the meta record, and the offsets. The same at each attempt
 * but for the tag. */
#ifndef PROTOCOL_SHARE_H
#define PROTOCOL_SHARE_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/protocol/broker.h"
#include "daemon/protocol/ledger.h"
#include "daemon/protocol/meta.h"

/* What the committed offsets say of an attempt. */
enum share_verdict {
    SHARE_UNKNOWN,
    SHARE_OURS,   /* It is committed. */
    SHARE_BEFORE, /* The one before it still is the last. */
    SHARE_FOREIGN /* Somebody else has committed. */
};

struct share {
    struct ledger *ledger;
    int in;         /* It takes part; all below is about that. */
    uint32_t users; /* So many are written. */
    int with_meta;
    int with_catalogue;
    struct meta_offsets offsets;
    struct meta_mark last[META_OUTPUTS]; /* Of its last record of each output;
                                            position -1: not known. */
    enum share_verdict verdict;
};

/* Room for one record being made. */
struct share_room {
    struct broker_header headers[BROKER_HEADERS_MAX];
    char key[1 + SEG_ID_BYTES_MAX];
    struct buf meta;
};

/* SHARE is about to be sent (again), with TAG. */
void share_begin(struct share *share, uint64_t tag);

/* The AT-th record of SHARE into RECORD, made in ROOM; partition and timestamp
 * are the caller's. Returns 1; 0 past the last; SEG_ERR_NOMEM. Borrowed until
 * the next call on the ledger or with ROOM. */
int share_record(struct share *share, size_t at, struct share_room *room,
                 struct broker_record *record);

/* RECORD of SHARE was produced. */
void share_produced(struct share *share, const struct broker_record *record);

/* What the delivery reports say; to be asked before the producer is used for
 * something else. */
void share_delivered(struct share *share, struct broker *broker);

/* What COMMITTED, the offsets of its first input, say of SHARE. */
enum share_verdict share_judge(const struct share *share,
                               const struct broker_committed *committed);

/* SHARE is committed: its ledger is as Kafka. */
void share_committed(struct share *share, int64_t now_ms);

#endif
