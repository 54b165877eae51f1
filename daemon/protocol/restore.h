/* restore.h: from Kafka back to the state of a partition.
 *
 * Features and attributes are a fold of the input topics; memberships, sequence
 * numbers and trigger history a fold of the output topics; the state topic is a
 * lazily written cache of both. See restore.c for the six steps. Stepped: other
 * partitions of the worker keep running between two turns. */
#ifndef PROTOCOL_RESTORE_H
#define PROTOCOL_RESTORE_H

#include <stdint.h>

#include "daemon/protocol/broker.h"
#include "daemon/protocol/ledger.h"

struct restore;

enum restore_state {
    RESTORE_BUSY,    /* Call again at once: there is more to do. */
    RESTORE_WAITS,   /* Call again a little later: Kafka has not answered. */
    RESTORE_NO_ROOM, /* There was no memory, it begins again: call again when
                        there may be some. */
    RESTORE_DONE,    /* The ledger holds the state, its positions say where to
                        read on. */
    RESTORE_REFUSED, /* ledger->broken says why, and what mends it. */
};

/* Start to restore LEDGER, which holds the state kept by a revoke (and is then
 * done at once if nobody committed since) or nothing. BROKER and LEDGER are
 * borrowed. Returns 0 or SEG_ERR_NOMEM. */
int restore_new(struct restore **ret, struct broker *broker,
                struct ledger *ledger);

/* Before the first turn: take what there is, as MEND (mend.h) says, which gets
 * what was found. Borrowed. */
struct mend;
void restore_mend(struct restore *restore, struct mend *mend);

/* End it at any point: readers are closed, the ledger is left half restored
 * unless the last turn answered RESTORE_DONE. */
void restore_free(struct restore *restore);

/* Do at most about WORK records or users more at NOW_MS. */
enum restore_state restore_turn(struct restore *restore, int64_t now_ms,
                                int work);

struct restore_stats {
    int step;         /* 1 to 6. */
    int warm;         /* 1: the kept state was still good. */
    int again;        /* Times it began again at step (1). */
    uint64_t users;   /* Records of the state topic. */
    uint64_t outputs; /* Changes and triggers. */
    uint64_t inputs;  /* Records of the input, the redo. */
    uint64_t repairs; /* Differences found in step (5). */
};

void restore_stats(const struct restore *restore, struct restore_stats *stats);

/* What it waits for, if it does. */
struct restore_waits {
    int step;            /* 1 to 6. */
    const char *asked;   /* "records", "committed offsets", ...; "nothing". */
    char topic[300];     /* Of which topic, or topics. */
    int64_t from, until; /* Of records: their offsets; else 0. */
    const char *answer;  /* Of the brokers, the last one: "again", "refused". */
    const char *why;  /* What they said of it, a sentence; "" if nothing. Lives
                         until the next turn. */
    int64_t since_ms; /* When it got further last; INT64_MIN: no turn yet. */
};

void restore_waits(const struct restore *restore, struct restore_waits *waits);

/* Up to where INPUT is applied by what was committed, and the stored clock of
 * that moment, -1 if there is none. Returns 0 while that is not known, also if
 * nothing was ever committed. */
int restore_position(const struct restore *restore, int input,
                     int64_t *position, int64_t *clock_ms);

#endif
