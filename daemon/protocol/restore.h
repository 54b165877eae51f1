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
    RESTORE_DONE,    /* The ledger holds the state, its positions say where to
                        read on. */
    RESTORE_REFUSED, /* ledger->broken says why, and what mends it. */
    RESTORE_CATALOGUE, /* The state belongs to another catalogue; ledger->broken
                          names both. */
};

/* Start to restore LEDGER, which holds the state kept by a revoke (and is then
 * done at once if nobody committed since) or nothing. BROKER and LEDGER are
 * borrowed. Returns 0 or SEG_ERR_NOMEM. */
int restore_new(struct restore **ret, struct broker *broker,
                struct ledger *ledger);

/* End it at any point: readers are closed, the ledger is left half restored
 * unless the last turn answered RESTORE_DONE. */
void restore_free(struct restore *restore);

/* Do at most about WORK records or users more at NOW_MS. */
enum restore_state restore_turn(struct restore *restore, int64_t now_ms,
                                int work);

struct restore_stats {
    int step;          /* 1 to 6. */
    int warm;          /* 1: the kept state was still good. */
    int again;         /* Times it began again at step (1). */
    uint64_t users;    /* Records of the state topic. */
    uint64_t outputs;  /* Changes and triggers. */
    uint64_t inputs;   /* Records of the input, the redo. */
    uint64_t repairs;  /* Differences found in step (5). */
};

void restore_stats(const struct restore *restore, struct restore_stats *stats);

#endif
