/* broker.h: all that the protocol core sees of the world.
 *
 * A struct of calls, made by one worker: its transactional producer, readers
 * for a restore, watermarks and committed offsets. daemon/kafka/broker.c stands
 * behind it in the daemon, tests/support/sim_broker.c in tests. No type of a
 * client library passes through it, and no clock: whoever calls knows the time.
 *
 *     commit.c    begin  produce*  send_offsets  commit | abort | renew
 *     restore.c   committed  watermarks  start_offset  read*  stop
 *     daemon/partition  watermarks (the proof that nothing older is unread)
 *
 * Rules that hold for every call:
 *
 *   - Only the worker's own thread calls, one call at a time, never from inside
 *     another call or a callback. What runs in threads of its own behind a call
 *     (questions, see below) is the implementation's affair.
 *   - A call takes at most about BROKER_CALL_MS, then answers BROKER_AGAIN.
 * What it began goes on: the same call with the same arguments resumes it.
 * After BROKER_AGAIN from send_offsets, commit, abort or renew no other call of
 *     the producer but the same one, or renew, is made.
 *   - What is passed in is borrowed during the call only.
 *   - No call decides policy: no retry without bound, no exit, no sleep.
 */
#ifndef PROTOCOL_BROKER_H
#define PROTOCOL_BROKER_H

#include <stddef.h>
#include <stdint.h>

#define BROKER_CALL_MS 1000 /* The longest a call may block. */
#define BROKER_METADATA_BYTES \
    128                       /* Room for offset metadata, with its NUL. \
                               */
#define BROKER_HEADERS_MAX 16 /* Headers of one record. */

/* What a call answers. The first two are good news, the rest say what the
 * caller must do. */
enum broker_answer {
    BROKER_OK,
    BROKER_AGAIN,  /* Not finished: the same call again, later. */
    BROKER_ABORT,  /* This transaction cannot be committed, and that is certain:
                      abort it, then the same records may be sent again. */
    BROKER_FATAL,  /* The producer is of no use any more and the outcome of its
                      transaction, if one was open, is unknown: renew. */
    BROKER_FENCED, /* As FATAL, because somebody raised the epoch of our
                      transactional id: a newer process of our name, or the
                      coordinator whose time-out passed. The core tells the two
                      apart by the age of the transaction. */
    BROKER_LOST,   /* The group does not count us a member of this generation:
                      every assigned partition is somebody else's. The
                      transaction must be aborted. */
    BROKER_GONE,   /* The offset asked for is not in the log: below its start or
                      beyond its end. */
    BROKER_REFUSED /* It will be refused until somebody mends it: no such topic,
                      not authorized, record too large. `reason` says what. In a
                      transaction: as ABORT. */
};

/* Topics are small numbers. Outputs first, then the inputs in the order of
 * their names (as in struct seg_engine_options). */
enum broker_topic {
    BROKER_CHANGES,
    BROKER_TRIGGERS,
    BROKER_STATE,
    BROKER_DEAD_LETTERS,
    BROKER_TRAITS,
    BROKER_OUTPUTS /* How many outputs; the number of the first input. */
};
#define BROKER_INPUT(index) (BROKER_OUTPUTS + (index))

struct broker_header {
    const char *name; /* Terminated. */
    const char *value;
    size_t len;
};

/* One record, to be produced or read. */
struct broker_record {
    int topic; /* enum broker_topic or BROKER_INPUT(i). */
    int partition;
    int64_t offset;       /* Read: its offset. Produce: ignored. */
    int64_t timestamp_ms; /* Since 1970 UTC. Produce: to be set explicitly.
                             Read: of either type; -1 if the record has none. */
    const char *key;      /* NULL: none. */
    size_t key_len;
    const char *value; /* NULL: none, which in a compacted topic deletes. */
    size_t value_len;
    const struct broker_header *headers; /* Read: of dead letters only. */
    int header_count;
};

/* An offset to be committed: that of the next record to be read. */
struct broker_offset {
    int input; /* Index of the input topic. */
    int partition;
    int64_t offset;
    const char *metadata; /* ASCII, terminated, below BROKER_METADATA_BYTES. */
};

/* An offset committed by the group. */
struct broker_committed {
    int64_t offset;                       /* -1: none. */
    char metadata[BROKER_METADATA_BYTES]; /* "" if none; cut when longer. */
};

/* What a read answers. */
struct broker_read {
    int64_t
        position; /* Every record below it that was or ever will be committed
                     has been returned since the reader was opened. Set with
                     OK and AGAIN. Moves over markers and aborted records. */
    struct broker_record record; /* With OK; its offset is position - 1. */
};

struct broker {
    void *impl; /* First argument of every call. */

    /* The number of the last question, see broker_question. */
    uint64_t questions;

    /* ---- the transactional producer ----------------------------------------
     */

    /* Begin a transaction. Local: no request is sent. What `delivered` knows of
     * the transaction before is forgotten.
     * OK, FATAL, FENCED. */
    int (*begin)(void *impl);

    /* Append RECORD, which is copied, to the open transaction. Local: the
     * record is queued. Order is kept per topic and partition. OK; AGAIN when
     * the queue is full (delivery reports were served meanwhile); ABORT,
     * REFUSED (also for a failed delivery of an earlier record); FATAL, FENCED.
     */
    int (*produce)(void *impl, const struct broker_record *record);

    /* Add COUNT > 0 OFFSETS of our group to the open transaction, with the
     * group metadata of this moment (never cached): by that, and by nothing
     * else, a process that was thrown out of the group is fenced. OK; AGAIN;
     * ABORT, REFUSED; FATAL, FENCED; LOST. */
    int (*send_offsets)(void *impl, const struct broker_offset *offsets,
                        int count);

    /* Wait for all delivery reports, then commit.
     * OK: committed, and every record and offset of it is or will be visible.
     * AGAIN: undecided, call again (or renew). ABORT, REFUSED: certainly not
     * committed, also when a delivery failed before the coordinator was asked.
     * LOST: as ABORT. FATAL, FENCED: nobody knows. */
    int (*commit)(void *impl);

    /* Abort the open transaction; OK also if none is open any more. Queued
     * records are dropped.
     * OK; AGAIN; FATAL, FENCED (its records are not and never will be visible
     * unless a commit was called before). */
    int (*abort)(void *impl);

    /* Destroy the producer (without waiting for its queues), create it again,
     * init_transactions. Also the first thing a worker does, before it joins
     * the group.
     * OK: whatever was open under our transactional id is settled, one way or
     * the other, and nothing of the old producer can have an effect any more.
     * AGAIN: call again, as often as it takes. FENCED: a newer process took our
     * transactional id while we asked. REFUSED: `reason` says why; trying again
     * is allowed. */
    int (*renew)(void *impl);

    /* The offset after the last record of the running (or last) transaction in
     * an output topic and PARTITION, by its delivery reports. -1 when none was
     * produced there or not every one of them was reported yet. Complete once
     * commit answered OK; valid until begin or renew. */
    int64_t (*delivered)(void *impl, int topic, int partition);

    /* ---- questions ---------------------------------------------------------
     */

    /* An answer must be the broker's at some moment after the question was
     * first put. QUESTION names it (broker_question draws a number): the first
     * call with a new number puts the question, and drops an older one about
     * the same thing; later calls with that number get AGAIN until the answer
     * is there. An answer to an older number is never given. An answer may be
     * taken more than once. Implementations may block (up to BROKER_CALL_MS) or
     * ask in a thread of their own, which is better: other partitions keep
     * running. */

    /* What our group has committed for PARTITION of every input topic: one
     * element of OUT (as many as inputs) each. Offsets pending in an undecided
     * transaction are waited out (AGAIN), never passed over.
     * OK; AGAIN; REFUSED. */
    int (*committed)(void *impl, uint64_t question, int partition,
                     struct broker_committed *out);

    /* The first offset and the read_uncommitted end (high watermark: the offset
     * of the next record, whatever is undecided before it) of PARTITION of
     * TOPIC. LOW may be NULL: not asked for. OK; AGAIN; REFUSED. */
    int (*watermarks)(void *impl, uint64_t question, int topic, int partition,
                      int64_t *low, int64_t *high);

    /* The offset of the first record of PARTITION of the input TOPIC whose
     * timestamp is at or after INSTANT_MS; the end if there is none.
     * OK; AGAIN; REFUSED. */
    int (*start_offset)(void *impl, uint64_t question, int topic, int partition,
                        int64_t instant_ms, int64_t *offset);

    /* ---- readers for a restore ---------------------------------------------
     */

    /* The next committed record of PARTITION of TOPIC at or after FROM.
     *
     * The first call opens a reader at FROM; the next are made with FROM = the
     * position returned last. Any other FROM moves the reader. It is no part of
     * the group and reads read_committed. UNTIL is the offset at which the
     * caller will stop: records from there on may be returned, but need not be
     * fetched. Many readers may be open at a time, at most one per topic and
     * partition.
     *
     * OK: OUT->record, borrowed until the next read or stop of this topic and
     * partition. AGAIN: nothing at hand; OUT->position may still have moved
     * (markers, aborted records, the end). GONE; REFUSED. Blocks at most 10 ms.
     */
    int (*read)(void *impl, int topic, int partition, int64_t from,
                int64_t until, struct broker_read *out);

    /* Close the reader, if there is one. */
    void (*stop)(void *impl, int topic, int partition);

    /* ---- chance ------------------------------------------------------------
     */

    /* 64 random bits that no other process draws: tags and incarnations. */
    uint64_t (*random)(void *impl);

    /* ---- messages ----------------------------------------------------------
     */

    /* What the last answer other than OK was about, as one sentence for the
     * log: of a question or a reader that answers AGAIN the error met last, if
     * any;
     * "" if there was none. Valid until the next call. */
    const char *(*reason)(void *impl);
};

/* A number for a new question. */
static inline uint64_t broker_question(struct broker *broker)
{
    return ++broker->questions;
}

/* "ok", "again", ...: for logs and tests. Static. */
const char *broker_answer_name(int answer);

/* "changes", "input", ...: for logs and tests. Static. */
const char *broker_topic_name(int topic);

#endif
