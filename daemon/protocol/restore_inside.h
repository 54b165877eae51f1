/* restore_inside.h: a restore under way, for the files restore*.c. */
#ifndef PROTOCOL_RESTORE_INSIDE_H
#define PROTOCOL_RESTORE_INSIDE_H

#include "daemon/protocol/mend.h"
#include "daemon/protocol/merge.h"
#include "daemon/protocol/refused.h"
#include "daemon/protocol/restore.h"
#include "daemon/protocol/restore_log.h"
#include "lib/base/buf.h"

#define RESTORE_LOGS       (BROKER_OUTPUTS + SEG_TOPICS_MAX)
#define RESTORE_NAME_BYTES 300 /* Of a topic's name. */

/* What mends a refusal, for a format; the partition is its argument. */
#define RESTORE_MEND                                                         \
    "`segmentctl reset --partition %d --accept-loss` says what is lost and " \
    "goes on"
#define RESTORE_MEND_REBUILD                                               \
    "`segmentctl reset --partition %d --rebuild` builds it anew from the " \
    "inputs"

enum restore_step {
    RESTORE_BEGIN,   /* (1) */
    RESTORE_STATE,   /* (2) */
    RESTORE_MARKS,   /* Where do the other logs begin and end? */
    RESTORE_START,   /* A new partition: where to begin. */
    RESTORE_OUTPUTS, /* (3) */
    RESTORE_INPUTS,  /* (4) */
    RESTORE_JUDGE,   /* (5) */
    RESTORE_RECHECK  /* (6) */
};

struct restore {
    struct broker *broker;
    struct ledger *ledger;
    struct mend *mend; /* NULL: what does not fit is refused. */
    enum restore_step step;
    int at; /* Within the step. */
    uint64_t question;
    struct restore_stats stats;
    struct restore_wait wait;
    int64_t since_ms;         /* When it got further last. */
    struct seg_error refusal; /* Does not stand before step (6). */

    /* (1) What was committed, as read; then as used: of the meta record when
     * the group's offsets are gone. */
    struct broker_committed committed_first[SEG_TOPICS_MAX];
    struct broker_committed committed[SEG_TOPICS_MAX];
    struct broker_committed committed_now[SEG_TOPICS_MAX];
    struct meta_offsets offsets;
    int offsets_gone;

    struct restore_log logs[RESTORE_LOGS]; /* By topic. */

    /* (2) */
    struct buf catalogue_bytes;
    struct buf meta_bytes;
    int has_meta;
    struct meta meta;
    int64_t meta_end, state_end; /* After the meta record; after the last. */

    int64_t start[SEG_TOPICS_MAX]; /* Of a new partition. */
    uint32_t
        own[META_OUTPUTS];  /* (3) Records from the meta record's tail on. */
    struct refused refused; /* (3) By their dead letters. */

    /* (4) */
    struct merge_head heads[SEG_TOPICS_MAX];
    struct broker_record records[SEG_TOPICS_MAX];
};

void restore_enter(struct restore *restore, enum restore_step step);

/* Refuse, if step (6) finds that nothing moved meanwhile. */
void restore_refuse(struct restore *restore, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The name of TOPIC, in NAME if it must be made. */
const char *restore_topic(const struct restore *restore, int topic,
                          char name[RESTORE_NAME_BYTES]);

/* Ask for the committed offsets into OUT. Returns 0 when they are there. */
int restore_ask_committed(struct restore *restore,
                          struct broker_committed *out);

/* restore_read.c: the steps in between, a piece of each. */
enum restore_state restore_read_state(struct restore *restore, int work);
enum restore_state restore_ask_marks(struct restore *restore);
enum restore_state restore_find_start(struct restore *restore);
enum restore_state restore_read_outputs(struct restore *restore, int work);
enum restore_state restore_read_inputs(struct restore *restore, int work);

/* Go on from the catalogue record, where the committed offsets are. Returns 1,
 * or 0 when it was refused or begins again. */
int restore_read_catalogue(struct restore *restore);

/* Records are of VERSION (0: there are none yet), and are written as the
 * setting, if there is one, says. */
void restore_set_version(struct restore *restore, int version);

/* The checks. Each returns 1 if all is well, else it has refused. */

/* After (1): the offsets of all inputs are of one transaction of ours. */
int restore_check_committed(struct restore *restore);

/* After (2): the meta record is there, can be read, and fits the offsets. */
int restore_check_meta(struct restore *restore);

/* The logs still hold, and reach, the positions needed. */
int restore_check_marks(struct restore *restore);

/* After (3), if the offsets are gone: nothing was committed after meta. */
int restore_check_after_meta(struct restore *restore);

#endif
