/* partition.h: one partition of all input topics, owned by a worker.
 *
 *     assigned -> RESTORING -> RUNNING -> revoked -> WARM -> RESTORING
 *                     |           |                  (at once, if nobody
 *                     v           +- lost -> free     committed since)
 *                  REFUSED
 *
 * Records are handed over as they are polled; the partition merges its inputs,
 * advances its clock, applies, and fills its ledger, which the worker's commit
 * machine commits. It is as pure as the protocol: the broker is a struct of
 * calls, time is an argument (the wall of clock.h, which never goes back),
 * records are borrowed views with a handle that goes back when they are used.
 */
#ifndef PARTITION_PARTITION_H
#define PARTITION_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/protocol/backfill.h"
#include "daemon/protocol/broker.h"
#include "daemon/protocol/commit.h"
#include "daemon/protocol/input.h"
#include "daemon/protocol/ledger.h"
#include "daemon/protocol/restore.h"

struct names;
struct partition;

struct partition_options {
    const struct ledger_options *ledger; /* Borrowed. */
    /* Of all with these options, the one that goes over to another catalogue:
     * one at a time has its users twice. NULL: as many as like. */
    const struct partition **mover;
    struct backfill_pace *pace; /* Of backfills; NULL: there are none. */
    struct broker *broker;      /* Borrowed, as is the next. */
    struct commit *commit;
    void (*release)(void *arg, void *handle); /* A record is not needed any
                                                 more. */
    void *arg;
    uint32_t records_max;      /* Of one input that wait at most: 4096. */
    int records_per_turn;      /* 1000 */
    int timers_per_turn;       /* 1000 */
    int restore_per_turn;      /* Records or users of a restore: 1000. */
    int64_t proof_interval_ms; /* Watermarks for timers are asked at most so
                                  often: 50. */
    int64_t
        future_skew_ms;  /* A stored clock further ahead of the wall waits. */
    struct names *names; /* Of the events that come in; NULL: nobody asks. */
    const char *full;    /* Why no records may be taken: there is no memory left
                           for   what they add. NULL: there is. */
};

enum partition_state {
    PARTITION_RESTORING,
    PARTITION_RUNNING,
    PARTITION_WAITING, /* The stored clock is ahead of the wall. */
    PARTITION_REFUSED, /* It will not go on; see partition_reason. */
    PARTITION_WARM,    /* Not ours now; its state is kept. */
};

/* A partition just assigned, to be restored. OPTIONS is borrowed. Returns 0 or
 * SEG_ERR_NOMEM. */
int partition_new(struct partition **ret,
                  const struct partition_options *options, int number);

/* End PARTITION (may be NULL): lost, or a WARM one that is not wanted. It
 * leaves the commit machine without being kept; waiting records are released.
 */
void partition_free(struct partition *partition);

/* A WARM partition was assigned again. */
void partition_assign(struct partition *partition);

/* It is taken away in good order. Finish the transaction before, if you can
 * (see commit_start). Returns 1 when its state is worth keeping (it is WARM
 * now), 0 when it is to be freed. Call commit_turn until idle afterwards:
 * records of it may be in an open transaction. */
int partition_revoke(struct partition *partition, int64_t now_ms);

enum partition_turn {
    PARTITION_IDLE, /* Nothing to do before records, answers or timers come. */
    PARTITION_MORE, /* Work was left over: call again soon. */
    PARTITION_SEEK, /* Just restored: read every input from partition_position
                       on. Records pushed before are dropped. */
};

/* Do a bounded piece of work at NOW_MS: a step of the restore, or apply what
 * waits, or move the clock. Only while no transaction is undecided. */
enum partition_turn partition_turn(struct partition *partition, int64_t now_ms);

/* How many more records of INPUT are wanted; 0: none, for now. */
uint32_t partition_room(const struct partition *partition, int input);

/* COUNT records of INPUT in order. Records below the position expected are
 * dropped (released), as are all while it is not running. HANDLEs belong to the
 * partition from here on. Returns 0, or SEG_ERR_NOMEM with the rest dropped:
 * the partition restores itself anew then. */
int partition_push(struct partition *partition, int input,
                   const struct input_record *records, size_t count);

/* INPUT was read to its end, OFFSET: every record below it has been pushed. */
void partition_eof(struct partition *partition, int input, int64_t offset);

/* The offset of INPUT from which to read. */
int64_t partition_position(const struct partition *partition, int input);

/* When partition_turn has something to do by time alone, or may find an answer
 * of the broker; SEG_NEVER. */
int64_t partition_wake_ms(const struct partition *partition);

int partition_number(const struct partition *partition);
enum partition_state partition_state(const struct partition *partition);

/* Why it does not run, as one sentence; "" if it does. Lives until the next
 * call that is no query. */
const char *partition_reason(const struct partition *partition);

/* Whether it stands still though nothing of Kafka's is missing: somebody should
 * be told the reason. */
int partition_stands(const struct partition *partition);

/* What its restore has waited for, at one step and without getting further, for
 * ten seconds or more. Returns 0 if it does not. As restore_waits otherwise. */
int partition_waits(const struct partition *partition,
                    struct restore_waits *waits);

/* How far an input is applied, whatever the state. */
struct partition_applied {
    int64_t position;     /* The offset of the next record; -1: not known. */
    int64_t timestamp_ms; /* About that of the last one applied; -1: none. */
};

struct partition_applied partition_applied(const struct partition *partition,
                                           int input);

/* Whether INPUT is paused because more than half of its last 1000 records were
 * bad. It survives restarts; partition_forgive ends it. */
int partition_alarm(const struct partition *partition, int input);
void partition_forgive(struct partition *partition, int input);

/* Its engine, NULL unless RUNNING or WAITING, for queries only. */
const struct seg_engine *partition_engine(const struct partition *partition);

/* Another number with each restore, also one that it makes by itself: indexes
 * of users are good as long as it stays. No two partitions of the process have
 * the same; never 0. */
uint64_t partition_incarnation(const struct partition *partition);
const struct ledger *partition_ledger(const struct partition *partition);

/* How far the backfill of its history is. Returns 0 if there is none. */
int partition_backfill(const struct partition *partition,
                       struct backfill_status *status);

/* Memory that its users take, in whatever state it is. */
size_t partition_bytes(const struct partition *partition);

/* The position of the change topic that belongs to the state, while no
 * transaction is undecided: all changes below it are in it, none from there. */
int64_t partition_changes_position(const struct partition *partition);

struct partition_stats {
    uint64_t records;  /* Applied. */
    uint64_t bad;      /* Of these, dead letters. */
    uint64_t restores; /* Finished, warm ones included. */
    uint64_t warm;     /* Of these, without reading anything. */
    uint64_t repairs;
    uint64_t redone;        /* Records of the input read by restores. */
    uint64_t restored;      /* All records read by restores. */
    uint64_t proofs;        /* Questions for watermarks. */
    int64_t waits_since_ms; /* Since when a record waits for another input;
                               SEG_NEVER. */
    int waits_for;          /* The input it waits for, -1. */
};

void partition_stats(const struct partition *partition,
                     struct partition_stats *stats);

#endif
