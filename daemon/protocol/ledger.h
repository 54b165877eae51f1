/* ledger.h: what the protocol knows of one partition.
 *
 * The state of the partition's users (an engine), up to where inputs and
 * outputs are folded into it, what waits to be committed, and the name (txn,
 * tag) of the transaction committed last. Nothing here calls the broker.
 *
 *     restore.c   fills a ledger from Kafka
 *     partition   applies records and moves the clock: the outbox fills
 *     commit.c    commits the outbox, a flush slice and the positions
 *
 * Between two commits a ledger is ahead of Kafka; whoever drops it then loses
 * nothing, because the input is the redo log. */
#ifndef PROTOCOL_LEDGER_H
#define PROTOCOL_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include <seg/engine.h>

#include "daemon/protocol/bad.h"
#include "daemon/protocol/broker.h"
#include "daemon/protocol/flush.h"
#include "daemon/protocol/meta.h"
#include "daemon/protocol/outbox.h"
#include "daemon/protocol/partitioner.h"
#include "daemon/protocol/record.h"

/* Where a new group begins to read an input. */
#define LEDGER_EARLIEST INT64_MIN
#define LEDGER_LATEST   INT64_MAX

/* One input topic. */
struct ledger_input {
    const char *topic;
    enum partitioner partitioner;
    int64_t start_ms; /* An instant, or one of the above. */
};

/* What is the same for all partitions. Borrowed by every ledger. */
struct ledger_options {
    const struct seg_catalogue *catalogue; /* May be exchanged, see
                                              ledger_adopt. */
    const char *app;                       /* Prefix of the output topics. */
    const char *version;                   /* Of the program. */
    const struct ledger_input *inputs;     /* Sorted by topic. */
    int input_count;                       /* 1 to SEG_TOPICS_MAX. */
    int partition_count;
    int clock_records; /* `clock records`: the clock stands for the wall. */
    /* The engine's limits; catalogue, topics and clock_ms are set by us. */
    struct seg_engine_options engine;
    int64_t trigger_max_age_ms;
    int64_t flush_interval_ms; /* 0: every user with every transaction. */
    int64_t refresh_ms; /* A meta record is not left older: a quarter of the
                           shortest retention of the outputs and inputs. */
    uint32_t users_per_flush; /* Of one partition in one transaction. */
    size_t record_bytes_max;  /* Of a record with key and headers, as the broker
                                 takes it; above the engine's user_bytes_max. */
    size_t dead_letter_bytes; /* Of an original kept in a dead letter. */
    int stop_on_bad; /* `on_bad_input stop`: a bad record is not passed by. */
    /* For counters, each may be NULL: an output, or a dead letter because of
     * ERROR (enum seg_err), its original CUT or not, went to an outbox. */
    void (*on_output)(void *arg, const struct seg_output *output);
    void (*on_bad)(void *arg, int partition, int input, int error, int cut);
    void *arg;
};

struct ledger {
    const struct ledger_options *options;
    int partition;
    struct seg_engine *engine; /* NULL: nothing is known (yet, or any more). */
    struct seg_catalogue *catalogue; /* Of engine and decoder; shared. */
    struct seg_decoder *decoder;
    struct ledger_next { /* What takes their place, see ledger_adopt. */
        struct seg_engine *engine;
        struct seg_catalogue *catalogue;
    } next;
    int catalogue_due; /* The catalogue record goes with the next meta record.
                        */

    int state_version; /* Records are written as; known after a restore. */
    uint64_t incarnation;
    struct meta_offsets committed; /* The transaction committed last; txn 0:
                                      none, the start positions come first. */
    struct meta_mark inputs[SEG_TOPICS_MAX]; /* Applied up to here. */
    struct bad bad[SEG_TOPICS_MAX];
    struct meta_mark outputs[META_OUTPUTS]; /* All that is committed below it is
                                               folded into the engine. */
    int64_t
        moved_ms; /* Since when positions wait to be committed; SEG_NEVER. */
    struct outbox outbox;
    struct flush flush;

    int lost;                /* Somebody else has the partition: drop it. */
    struct seg_error broken; /* code < 0: it cannot go on; a sentence. */

    /* Inside. */
    struct record record;
    size_t drained; /* Outputs of the engine that are in the outbox. */
};

/* An empty ledger of PARTITION. OPTIONS is borrowed. Returns 0 or
 * SEG_ERR_NOMEM; *RET is written only on success. */
int ledger_new(struct ledger **ret, const struct ledger_options *options,
               int partition);
void ledger_free(struct ledger *ledger);

/* Forget all that is known and start with an engine without users whose clock
 * is at CLOCK_MS. Returns 0 or SEG_ERR_NOMEM, with no engine then. */
int ledger_reset(struct ledger *ledger, int64_t clock_ms);

/* Forget all that is known; there is no engine then. */
void ledger_drop(struct ledger *ledger);

/* The instant of a record dated TIMESTAMP_MS. A broker takes any 64 bits for a
 * date: what lies outside the calendar is moved to its first or last instant.
 */
int64_t ledger_instant(int64_t timestamp_ms);

/* Decode the value of a record of INPUT (NULL: it has none) into EVENT, which
 * borrows from DECODER. Returns 0, or why it is no event of this partition. */
int ledger_decode(const struct ledger *ledger, struct seg_decoder *decoder,
                  int input, const char *value, size_t len,
                  struct seg_event *event);

/* Apply RECORD of INPUT, decoded to EVENT, or not, for REASON (0: it was): fold
 * it, put what it changes into the outbox, or a dead letter if it is none we
 * can use, and move the position past it.
 *
 * NOW_MS is the wall. Returns 1 if the record was bad, 0 if not. SEG_ERR_NOMEM,
 * SEG_ERR_LIMIT (users_max), or with stop_on_bad the reason why it is bad:
 * nothing was done, try again later. */
int ledger_apply(struct ledger *ledger, int input,
                 const struct broker_record *record,
                 const struct seg_event *event, int reason, int64_t now_ms);

/* Move the engine's clock towards TO_MS, see seg_engine_advance; outputs go to
 * the outbox. */
int ledger_advance(struct ledger *ledger, int64_t to_ms, int work_max,
                   int64_t now_ms);

/* Put outputs that the engine still holds into the outbox. Returns 1 if there
 * were some, 0 if not; or SEG_ERR_NOMEM: call again, before anything else is
 * done to the engine and before anything of it is committed. */
int ledger_drain(struct ledger *ledger, int64_t now_ms);

/* ---- another catalogue (catalogue.c) ------------------------------------- */

/* An engine of CATALOGUE without users, its clock at CLOCK_MS. */
int ledger_engine(const struct ledger *ledger,
                  const struct seg_catalogue *catalogue, int64_t clock_ms,
                  struct seg_engine **ret);

/* Decode by the catalogue of the options from now on. Returns 0 or
 * SEG_ERR_NOMEM. */
int ledger_use_catalogue(struct ledger *ledger);

/* Whether the options name another catalogue than the one in force. */
static inline int ledger_is_outdated(const struct ledger *ledger)
{
    return ledger->catalogue != ledger->options->catalogue;
}

/* Move WORK_MAX users to the catalogue of the options. Between transactions;
 * nothing may be applied before it is done. Returns 1 while there is more to
 * do, 0 when it is in force; SEG_ERR_NOMEM: it begins again. */
int ledger_adopt(struct ledger *ledger, int work_max, int64_t now_ms);

/* The catalogue in force is (again) that of the options: forget what was moved.
 * To be called before anything is applied. */
void ledger_stay(struct ledger *ledger);

/* Judge WORK_MAX users by a catalogue that came into force. Returns 1 while
 * there is more to do, then 0; or SEG_ERR_NOMEM. */
int ledger_sweep(struct ledger *ledger, int work_max, int64_t now_ms);

/* Step (4) of a restore: fold RECORD of INPUT without judging anybody. Returns
 * as ledger_apply. */
int ledger_redo(struct ledger *ledger, int input,
                const struct broker_record *record);

/* INPUT was read up to POSITION and there are no records before it that were
 * not applied (its end moved over markers). */
void ledger_reached(struct ledger *ledger, int input, int64_t position);

/* MARK after RECORD. */
struct meta_mark ledger_mark(const struct broker_record *record);

/* Whether something other than dirty users waits to be committed. */
static inline int ledger_has_news(const struct ledger *ledger)
{
    return ledger->outbox.count || ledger->moved_ms != SEG_NEVER ||
           ledger->flush.meta_due;
}

#endif
