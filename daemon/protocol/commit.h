/* commit.h: the transactions of one worker.
 *
 * One producer, one transaction at a time, over all partitions of the worker
 * that have something to say. A state machine: commit_turn takes one step and
 * comes back; time is an argument. See commit.c for why nothing is lost or
 * doubled, whatever crashes when.
 *
 *     commit_new                 the first turns make the producer
 *     commit_turn until COMMIT_IDLE, THEN join the group
 *     loop:
 *         while commit_turn is COMMIT_BUSY: nothing may be applied
 *         apply records, move clocks           (ledgers fill)
 *         if commit_due_ms <= now: commit_start
 *
 * Ledgers are borrowed from commit_add to commit_remove. */
#ifndef PROTOCOL_COMMIT_H
#define PROTOCOL_COMMIT_H

#include <stdint.h>

#include "daemon/protocol/broker.h"
#include "daemon/protocol/ledger.h"

struct commit;

/* How busy the worker is, for the linger. */
enum commit_load {
    COMMIT_LOAD_IDLE,  /* No record waits. */
    COMMIT_LOAD_BUSY,  /* Records keep coming. */
    COMMIT_LOAD_BEHIND /* More wait than one turn takes. */
};

struct commit_options {
    struct broker *broker;
    /* How long the first output of a transaction waits for others. */
    int64_t linger_idle_ms;     /* 0 */
    int64_t linger_busy_ms;     /* 20 */
    int64_t linger_behind_ms;   /* 250 */
    int64_t transaction_age_ms; /* Positions alone wait so long: 1000. */
    size_t outbox_bytes;        /* More than that waits for nobody: 8 MiB. */
    int64_t transaction_timeout_ms; /* transaction.timeout.ms */
    int64_t deadline_ms; /* An undecided call is given up after it. */
    int64_t slow_ms;     /* After a slower call the producer is replaced: below
                            socket.timeout.ms by BROKER_CALL_MS. */
    int64_t retry_ms, retry_max_ms; /* After an abort; doubles. 100, 5000. */
};

/* Create the machine. OPTIONS is copied, its broker borrowed. Returns 0 or
 * SEG_ERR_NOMEM. */
int commit_new(struct commit **ret, const struct commit_options *options);

/* End COMMIT (may be NULL). Ledgers are left as they are. */
void commit_free(struct commit *commit);

enum commit_state {
    COMMIT_IDLE, /* Nothing is undecided: ledgers may be changed. */
    COMMIT_BUSY, /* Call commit_turn again, at once (it blocks as its calls do)
                    or, while commit_wait_ms is later, at that instant. */
    COMMIT_LOST, /* As IDLE, told once: the group has thrown us out. All
                    ledgers were dropped, marked `lost` and removed. */
    COMMIT_FENCED, /* For ever: another process has our transactional id. */
};

/* Take one step at NOW_MS. */
enum commit_state commit_turn(struct commit *commit, int64_t now_ms);

/* What the last turn answered, without taking a step. */
enum commit_state commit_state(const struct commit *commit);

/* Until when there is nothing to do, while COMMIT_BUSY; else INT64_MIN. */
int64_t commit_wait_ms(const struct commit *commit);

/* LEDGER (restored, not busy) takes part from now on. Returns 0 or
 * SEG_ERR_NOMEM. Only while COMMIT_IDLE. */
int commit_add(struct commit *commit, struct ledger *ledger);

/* LEDGER leaves, at any time.
 *
 * With KEEP (a revoke) its state may be used again if the partition comes back:
 * returns 1 if so, with the ledger's txn and tag naming the transaction it
 * belongs to, even if nobody knows yet whether that was committed. Returns 0 if
 * the state is worth nothing: its last changes are in no transaction. Without
 * KEEP (lost) always 0. Its records leave the outbox: a transaction that holds
 * some of them is aborted first, by the next turns. */
int commit_remove(struct commit *commit, struct ledger *ledger, int keep,
                  int64_t now_ms);

/* The instant at which the next transaction should start, given LOAD; SEG_NEVER
 * if there is no reason for one. Only while COMMIT_IDLE. */
int64_t commit_due_ms(const struct commit *commit, enum commit_load load);

/* Start a transaction of all that waits. Nothing happens if nothing does. Only
 * while COMMIT_IDLE; nothing may be applied from here until COMMIT_IDLE. */
void commit_start(struct commit *commit, int64_t now_ms);

/* From now on every transaction writes all dirty users: for a shutdown, which
 * goes on until commit_due_ms is SEG_NEVER. */
void commit_flush_all(struct commit *commit, int all);

struct commit_stats {
    uint64_t committed;    /* Transactions. */
    uint64_t aborted;      /* Sent again, or dropped with their partitions. */
    uint64_t unknown;      /* Outcomes that had to be found out. */
    uint64_t unknown_ours; /* Of these, committed. */
    uint64_t renewed;      /* Producers made, the first included. */
    uint64_t lost;         /* Thrown out of the group. */
    uint64_t records;      /* Produced and committed. */
    uint64_t users;        /* User records among them. */
    int undecided; /* 1: the commit was asked for, and there is no answer yet.
                    */
    int64_t begun_ms; /* Of the transaction under way; SEG_NEVER: none. */
    int64_t last_ms;  /* How long the last one took. */
};

void commit_stats(const struct commit *commit, struct commit_stats *stats);

/* What is being done, as a word for logs and tests. Static. */
const char *commit_phase_name(const struct commit *commit);

#endif
