/* backfill.h: a partition reads its history again for a new catalogue.
 *
 * What a catalogue asks for and the one before did not is warming: nobody knows
 * what was before (lib/engine/backfill.c). As far as the inputs hold it, it is
 * read again beside the running partition, at a pace, and then comes into force
 * in one step. A machine with one step a turn, as a restore is. */
#ifndef PROTOCOL_BACKFILL_H
#define PROTOCOL_BACKFILL_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/protocol/broker.h"
#include "daemon/protocol/ledger.h"

struct backfill;

/* What all backfills of one worker share: one reads at a time, so that there is
 * one shadow, and all together read no faster than that. Zeroed but for the
 * first two. */
struct backfill_pace {
    int64_t rate;    /* Records a second; 0: there is no backfill. */
    const char *off; /* Why there is none, though it is wanted; NULL. */
    const struct backfill *reader; /* The one that reads. */
    int64_t at_ms;                 /* When `credit` was right ... */
    int64_t credit;                /* ... records that may be read. */
    /* Counters. */
    uint64_t records; /* Read. */
    uint64_t published;
    uint64_t dropped; /* Given up before; most begin anew. */
};

enum backfill_step {
    BACKFILL_LOOKS, /* Whether there is something to do. */
    BACKFILL_ASKS,  /* Where do the inputs begin? */
    BACKFILL_DATES, /* And since when? */
    BACKFILL_READS,
    BACKFILL_SWAPS,
    BACKFILL_WRITES, /* What was swapped is flushed. */
    BACKFILL_SWEEPS, /* Published: everybody is judged. */
    BACKFILL_RESTS   /* There is nothing to do, or no more. */
};

/* A backfill beside LEDGER, which has an engine. All is borrowed. Returns 0 or
 * SEG_ERR_NOMEM. */
int backfill_new(struct backfill **ret, struct broker *broker,
                 struct ledger *ledger, struct backfill_pace *pace);

/* End it (may be NULL) at any point: what is not published is dropped. */
void backfill_free(struct backfill *backfill);

enum backfill_turn {
    BACKFILL_IDLE, /* Nothing to do before time passes, or an answer or records
                      come. */
    BACKFILL_MORE, /* Call again soon. */
    BACKFILL_HOLDS /* Likewise, and nothing may be applied to the ledger before
                      that. */
};

/* A piece of work of about WORK records or users at NOW_MS, between
 * transactions. FULL: there is no memory for it. */
enum backfill_turn backfill_turn(struct backfill *backfill, int64_t now_ms,
                                 int work, int full);

/* When the next turn may have something to do by time alone; SEG_NEVER. */
int64_t backfill_wake_ms(const struct backfill *backfill);

/* Memory that its users take. */
size_t backfill_bytes(const struct backfill *backfill);

struct backfill_status {
    enum backfill_step step;
    uint64_t read;     /* Records, by the present or last attempt. */
    int64_t remaining; /* Offsets still to be read. */
    int complete;      /* Nothing was ever lost: it is known from the start. */
    int64_t since_ms;  /* Else since then; INT64_MIN: not known yet. */
    const char *why;   /* Why the last attempt was given up, or none is made: a
                          sentence, static; NULL. */
};

void backfill_status(const struct backfill *backfill,
                     struct backfill_status *status);

/* "reads", ... Static. */
const char *backfill_step_name(int step);

#endif
