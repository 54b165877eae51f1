/* partition_inside.h: a partition, for partition.c and flow.c. */
#ifndef PARTITION_PARTITION_INSIDE_H
#define PARTITION_PARTITION_INSIDE_H

#include "daemon/partition/ahead.h"
#include "daemon/partition/partition.h"
#include "daemon/partition/proof.h"
#include "daemon/partition/queue.h"
#include "daemon/protocol/backfill.h"
#include "daemon/protocol/merge.h"

struct input {
    struct queue queue;
    struct ahead ahead; /* Its first records, decoded. */
    int64_t expected;   /* Next offset to be pushed. */
    int at_end;         /* The last thing heard of it was its end. */
    struct proof proof;
    struct partition_applied applied; /* Kept when the ledger is dropped. */
};

struct partition {
    const struct partition_options *options;
    struct ledger *ledger;
    struct restore *restore;
    struct backfill *backfill; /* Made when it first runs. */
    enum partition_state state;
    uint64_t incarnation;
    int input_count;
    struct merge_head heads[SEG_TOPICS_MAX];
    int broken_input;  /* A push failed: restore anew. */
    int held;          /* Why the record that goes next was not applied; 0. */
    int held_input;    /* Its input. */
    int64_t retry_ms;  /* Not restored before. */
    int64_t turn_ms;   /* Of the last turn. */
    int64_t told_ms;   /* When `waiting` was written. */
    char waiting[512]; /* What a restore waits for, if it takes long. */
    struct partition_stats stats;
    struct input inputs[]; /* As many as input_count: they are large. */
};

/* Give HANDLE back to the consumer. */
void partition_release(struct partition *partition, void *handle);

/* Write down what a restore waits for, now and then. */
void reason_tell(struct partition *partition, int64_t now_ms);

/* The input whose record goes next; negative (merge.h): none may. */
int flow_choose(struct partition *partition, int64_t now_ms);

/* Advance to the first record of INPUT and apply it. Returns 1 if that is done,
 * 0 if not: timers left over, or no memory. */
int flow_take(struct partition *partition, int input, int64_t now_ms);

/* Fire timers that the wall has made due. Returns 1 if some are left over. */
int flow_follow_wall(struct partition *partition, int64_t now_ms);

/* When to look again while a proof is missing: when the next question may be
 * asked. What else helps, an answer or records, rings. */
int64_t flow_wait_ms(const struct partition *partition);

/* Whether a question is under way. */
int flow_is_asking(const struct partition *partition);

#endif
