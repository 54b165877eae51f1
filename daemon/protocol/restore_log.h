/* restore_log.h: one log that a restore reads from a mark to its end. */
#ifndef PROTOCOL_RESTORE_LOG_H
#define PROTOCOL_RESTORE_LOG_H

#include <stdint.h>

#include "daemon/protocol/broker.h"
#include "daemon/protocol/meta.h"
#include "daemon/protocol/restore_wait.h"

struct restore_log {
    struct broker *broker;
    struct restore_wait *wait; /* To be told what was not answered. */
    int topic, partition;
    uint64_t question;
    int known;             /* The watermarks are. */
    int64_t low, high;     /* The first offset, and the read_uncommitted end. */
    struct meta_mark mark; /* From where records are wanted. */
    int64_t position;      /* Read up to here. */
    int64_t target;        /* Where it stops. */
    int proving;           /* The witness has not come yet. */
    int open;
    struct meta_mark last; /* After the last record read. */
};

/* LOG is about PARTITION of TOPIC; nothing is asked yet. BROKER and WAIT are
 * borrowed. */
void restore_log_init(struct restore_log *log, struct broker *broker,
                      struct restore_wait *wait, int topic, int partition);

/* Ask for the watermarks. Returns 1 when they are known, else 0: again later.
 */
int restore_log_ask(struct restore_log *log);

/* Read from MARK to TARGET: from the witness, if that is still there, so that
 * it can be compared. The watermarks are known, MARK is within them. */
void restore_log_start(struct restore_log *log, const struct meta_mark *mark,
                       int64_t target);

enum restore_log_state {
    RESTORE_LOG_RECORD, /* A record at or after the mark. */
    RESTORE_LOG_WAITS,
    RESTORE_LOG_END,    /* Every committed record below the target was there. */
    RESTORE_LOG_REMADE, /* The witness is another record. */
    RESTORE_LOG_MISSING, /* The witness, of an output, is not there. */
    RESTORE_LOG_GONE     /* Retention was faster: ask again. */
};

/* The next record into RECORD, borrowed until the next call for LOG. */
enum restore_log_state restore_log_next(struct restore_log *log,
                                        struct broker_record *record);

/* Close its reader. */
void restore_log_done(struct restore_log *log);

#endif
