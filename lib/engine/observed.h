/* observed.h: what a partition watches since when, across its catalogues.
 *
 * warming.h says what an epoch is. A partition's first catalogue is epoch 1,
 * and all that it reads is observed from the start; each other catalogue that
 * comes into force begins the next one. What it reads and the one before did
 * not, or of which it keeps more, is observed since then; a source left out and
 * read again begins anew. Users' records name the epoch in which they were
 * written, so that what a record holds of such a source is known to be stale.
 *
 * Memberships of segments that the catalogue has no more stay until the *sweep*
 * has ended them. Such a segment is *retired*: its number follows those of the
 * catalogue, and nothing is known of it but its key.
 *
 * The catalogue record, byte by byte (numbers as in snapshot.h):
 *
 *   u8    version (SEG_STATE_VERSION)
 *   u64   hash of the catalogue's meaning
 *   n     epoch
 *   u8    1: the sweep is done; 2 (version 2 on): it is due for a backfill
 *   u8    input topics k; for each: u64 hash of its name
 *   n     epochs that some source below is observed since; for each: n number,
 *         ms since, k times n position
 *   n     features: u64 hash of the canonical text, n epoch, 0: from the start,
 *         n events kept from before it (warming.h), n events that are kept
 *   n     attributes: u64 hash of root and names, n epoch
 *   n     watches (version 2 on): u64 hash of the segment's key, n epoch
 *   n     segments that users may be in: text key, of a shadow with a byte 1
 *         behind it
 *   u64   XXH3 of all bytes before */
#ifndef ENGINE_OBSERVED_H
#define ENGINE_OBSERVED_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/segment/warming.h"

struct seg_engine;

struct observed {
    uint32_t epoch; /* Of the catalogue in force. */
    int swept;
    int backfilled; /* The sweep is due for a backfill, not for a catalogue. */
    struct warming warming;
    uint32_t retired_count;
    size_t retired_cap;
    struct retired {
        uint64_t hash;       /* Of the key. */
        struct seg_text key; /* bytes = NULL: not known yet. */
        int shadow;
    } * retired;
    struct arena arena; /* Of their keys. */
    uint64_t *triggers; /* Hashes of some that the catalogue does not have: when
                           they fired is kept, for they may come back. Their
                           numbers follow those of the catalogue. */
    uint32_t trigger_count;
    size_t trigger_cap;
    int64_t latest_ms;    /* No event, nor parked update, is dated later. */
    uint32_t swept_users; /* By the sweep under way; before it, settled ones
                             (adopt.c). */
    struct buf record;
};

/* For an engine that is the first of its partition. Returns 0 or
 * SEG_ERR_NOMEM. */
int observed_init(struct seg_engine *engine);
void observed_done(struct seg_engine *engine);

/* The number of the segment whose key has HASH, that of a retired one if the
 * catalogue does not have it. KEY may have bytes = NULL. Returns 0 or
 * SEG_ERR_NOMEM. */
int observed_segment(struct seg_engine *engine, uint64_t hash,
                     struct seg_text key, uint32_t *segment);

/* Whether SEGMENT is a shadow. */
int observed_is_shadow(const struct seg_engine *engine, uint32_t segment);

/* The key of segment SEGMENT; bytes = NULL if nobody has said it. */
struct seg_text observed_key(const struct seg_engine *engine, uint32_t segment);

/* The number of the trigger of HASH, see struct observed. Returns 0 or
 * SEG_ERR_NOMEM. */
int observed_trigger(struct seg_engine *engine, uint64_t hash,
                     uint32_t *trigger);

uint64_t observed_trigger_hash(const struct seg_engine *engine,
                               uint32_t trigger);

void observed_encode(struct seg_engine *engine, struct buf *buf);

/* Go on from RECORD, that of the catalogue before, which may be the same.
 * Another one begins an epoch at POSITIONS; since when is settled later.
 * Returns 0, SEG_ERR_RECORD, SEG_ERR_RECORD_VERSION or SEG_ERR_NOMEM. */
int observed_continue(struct seg_engine *engine, struct seg_text record,
                      const int64_t *positions, struct seg_error *detail);

/* Of a *USER of whom it was not known when he was born, while what he entered
 * and left was read back: forget what nobody watched. Returns 0 or
 * SEG_ERR_NOMEM. */
int observed_unwatch(struct seg_engine *engine, struct user **user);

/* A backfill has read all inputs again from POSITIONS: what WANTED says, by
 * source, and is still warming, is observed since SINCE_MS, or, if POSITIONS
 * are all 0, from the start. Its epoch is that of the catalogue in force.
 * Returns 0, or SEG_ERR_NOMEM: call again. */
int observed_since(struct seg_engine *engine, const uint8_t *wanted,
                   const int64_t *positions, int64_t since_ms);

/* The epoch begun last is since the clock, or the latest event: one that came
 * from the future was not seen by what begins. Returns 0 or SEG_ERR_NOMEM. */
int observed_settle(struct seg_engine *engine);

/* forget.c: what *USER's record, written in EPOCH, holds of sources that are observed
 * since a later one. Returns 0 or SEG_ERR_NOMEM. */
int observed_forget(struct seg_engine *engine, struct user **user,
                    uint32_t epoch);

/* *USER entered (MEMBER) or left, at AT_MS, the segment whose watch is SOURCE.
 * Returns 0, SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
int observed_watch(struct seg_engine *engine, struct user **user,
                   uint32_t source, int member, int64_t at_ms);

/* Whether ORIGIN, read again, lies before SOURCE was observed. */
static inline int observed_before(const struct observed *observed,
                                  uint32_t source, uint64_t stamp)
{
    return observed->warming.epoch_count &&
           !warming_observes(&observed->warming, source, stamp);
}

/* Something is dated TIME_MS. */
static inline void observed_note(struct observed *observed, int64_t time_ms)
{
    if (time_ms > observed->latest_ms)
        observed->latest_ms = time_ms;
}

/* forget.c: what is warm by the clock does not concern anybody any more. */
void observed_prune(struct seg_engine *engine);

#endif
