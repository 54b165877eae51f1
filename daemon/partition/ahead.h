/* ahead.h: the next records of an input, decoded before their turn.
 *
 * A user's block is in no cache when his event comes. Decoding some records
 * ahead tells whose blocks will be wanted, so that memory is fetched while
 * others are worked on. */
#ifndef PARTITION_AHEAD_H
#define PARTITION_AHEAD_H

#include <stdint.h>

#include "daemon/partition/queue.h"
#include "daemon/protocol/ledger.h"

#define AHEAD_MAX 32 /* Records decoded at a time. */

struct names;

struct ahead {
    struct seg_decoder *decoder; /* Made when first needed. */
    unsigned char *seen;         /* By name_id: the name was noted. */
    size_t seen_cap;
    uint32_t next, count; /* events[next .. count - 1] are to come. */
    struct seg_event events[AHEAD_MAX];
    int reasons[AHEAD_MAX]; /* Why it is no event; 0: it is one. */
};

/* The event of the first record of QUEUE, of INPUT of LEDGER, into *EVENT. Its
 * name is noted in NAMES (NULL: nowhere). Returns 0, or why it is none: SEG_ERR_NOMEM is no reason but asks to try
 * again. */
int ahead_first(struct ahead *ahead, const struct ledger *ledger, int input,
                const struct queue *queue, struct names *names,
                const struct seg_event **event);

/* The first record of the queue was taken off. */
void ahead_pop(struct ahead *ahead);

/* Forget what was decoded and how: the queue was emptied, or another catalogue
 * is in force. It may be used again. */
void ahead_done(struct ahead *ahead);

#endif
