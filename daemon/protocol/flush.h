/* flush.h: which users are written when, and what the meta record then says.
 *
 * A user is dirty from his first change after he was written until he is
 * written again. Engines number dirty users by *generation*; to each generation
 * belongs a *bound*: positions of inputs and outputs noted before the first
 * user of it became dirty. The bound of the oldest user who stays dirty is
 * where a restore must begin:
 *
 *     bounds   | g 7 | g 8 | g 9 = current |
 *     dirty      u3    u9 u1   u4 u5           oldest first
 *                ^ flushed now, so meta says: redo from the bound of g 8
 */
#ifndef PROTOCOL_FLUSH_H
#define PROTOCOL_FLUSH_H

#include <stdint.h>

#include "daemon/protocol/broker.h"
#include "daemon/protocol/meta.h"

struct ledger;

#define FLUSH_BOUNDS_MAX 64 /* Generations told apart. */

struct flush_bound {
    uint64_t generation;
    int64_t since_ms;        /* Users of it are dirty since then, or later. */
    struct meta_mark *marks; /* Of the inputs, then META_OUTPUTS outputs. */
};

struct flush {
    struct flush_bound bounds[FLUSH_BOUNDS_MAX]; /* Oldest first. */
    int count;
    struct meta_mark *marks; /* Room for all bounds. */
    int64_t meta_ms;         /* When the meta record was committed last. */
    int meta_due;            /* The next transaction carries a meta record. */
    /* High watermarks of the outputs for a quiet partition. */
    uint64_t questions[META_OUTPUTS];
    int64_t ends[META_OUTPUTS]; /* -1: not known. */
    int asking;
};

/* FLUSH for a partition of INPUTS inputs. Returns 0 or SEG_ERR_NOMEM. */
int flush_init(struct flush *flush, int inputs);
void flush_done(struct flush *flush);

/* Begin anew: the engine's first generation is bound by INPUTS and OUTPUTS, and
 * its users are to be written at once. */
void flush_start(struct ledger *ledger, const struct meta_mark *inputs,
                 const struct meta_mark *outputs, int64_t now_ms);

/* The instant from which on users of LEDGER, or its meta record, should be
 * written; SEG_NEVER if there is nothing to write. */
int64_t flush_due_ms(const struct ledger *ledger);

/* How many of the oldest dirty users a transaction at NOW_MS should write:
 * those dirty for longer than the interval, or ALL; at most users_per_flush. */
uint32_t flush_count(const struct ledger *ledger, int64_t now_ms, int all);

/* Fill META for a transaction OFFSETS that writes the COUNT oldest dirty users
 * of LEDGER and all of its outbox. Texts borrow from the options. */
void flush_meta(const struct ledger *ledger, uint32_t count,
                const struct meta_offsets *offsets, struct meta *meta);

/* A transaction that wrote COUNT users, and WITH_META the meta record, is
 * committed and the ledger's marks are those after it. */
void flush_committed(struct ledger *ledger, uint32_t count, int with_meta,
                     int64_t now_ms);

/* If the meta record grows old, find out where the outputs end and make it due.
 * To be called between transactions, as often as you like. */
void flush_refresh(struct ledger *ledger, struct broker *broker,
                   int64_t now_ms);

#endif
