/* drive_inside.h: what the files of the driver share.
 *
 *   drive.c          the steps
 *   drive_compare.c  what the two say
 *   drive_explain.c  why, by their words
 *   drive_attribute.c what is known of users
 *   drive_trait.c    what is told of their traits
 *   drive_restore.c  a new engine from records, changes and redo
 *   drive_change.c   another catalogue, and its sweep
 *   drive_backfill.c what was not read before is read again
 *   drive_order.c    the same messages in another order of arrival
 *   drive_dense.c    users beyond the exact limits */
#ifndef MODEL_DRIVE_INSIDE_H
#define MODEL_DRIVE_INSIDE_H

#include "lib/base/arena.h"
#include "lib/segment/rule.h"
#include "tests/model/drive.h"

/* A change or trigger, of either side. */
struct effect {
    struct seg_text user_id;
    int kind, trigger, member, cause, trigger_count, shadow;
    int segment;                  /* -1: of one that is no more. */
    struct seg_text key;          /* Of the segment. */
    struct seg_text trigger_name; /* Of a trigger of the engine. */
    uint32_t seq;
    int64_t at_ms, entered_at_ms;
    int source_topic;
    int64_t source_offset;
    struct seg_text message_id;
    int birth_topic;
    int64_t birth_offset;
    const struct seg_evidence *evidence; /* Of a change of the engine. */
    int evidence_count;                  /* -1: not kept. */
    /* Of a trigger of the engine; NULL: not kept. */
    const struct seg_trigger_property *properties;
};

struct effects {
    struct effect *items;
    size_t count, cap;
};

struct drive {
    const struct history *history;
    struct drive_stats *stats;
    char *failure;
    struct drive_version {
        struct rules rules;
        struct seg_catalogue *catalogue;
    } versions[HISTORY_CATALOGUES_MAX]; /* Of the catalogue. */
    const struct rules *rules;          /* Of that in force. */
    const struct seg_catalogue *catalogue;
    struct seg_text catalogue_record; /* As written last. */
    int64_t latest_ms; /* As of the last flush; seg_engine_latest. */
    struct seg_decoder *decoder;
    struct seg_engine *engine;
    struct oracle *oracle;
    int restores;  /* The engine may be replaced. */
    int step;      /* Being run. */
    int changed;   /* The step after the last change of catalogue. */
    char *refused; /* By step: 1 if its user had no room for it. */
    int64_t wall_ms;
    int64_t positions[WORLD_TOPICS_MAX];
    struct arena arena;   /* Of the log and the records. */
    struct effects log;   /* All that the engine has said. */
    struct drive_record { /* What the state topic would hold. */
        struct seg_text user_id;
        struct seg_text record;
        int step;         /* All before it are in the record. */
        size_t log_count; /* Likewise. */
    } * records;
    int record_count;
    size_t record_cap;
    struct effects engine_effects, oracle_effects; /* Scratch. */
    struct drive_told {                            /* Traits, last. */
        const struct oracle_user *user;
        int64_t at_ms;
        char *content; /* NULL: nothing. */
    } * told;
    int told_count;
    size_t told_cap;
    struct seg_text asked_id; /* Of the user asked when he changes by himself. */
    int64_t changes_at_ms[CATALOGUE_SEGMENTS_MAX]; /* What was said. */
};

/* Say that the two differ. Returns DRIVE_DIFFERENT. */
int drive_fail(struct drive *drive, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether the engine need not be exact: then only drive_dense compares. */
static inline int drive_is_dense(const struct drive *drive)
{
    return drive->history->kind == HISTORY_DENSE ||
           drive->history->kind == HISTORY_LATE;
}

struct seg_engine *drive_new_engine(const struct drive *drive, int64_t clock_ms,
                                    uint64_t hash_seed);

/* Decode the message of STEP. Returns 0 or the error. */
int drive_decode(struct drive *drive, const struct step *step,
                 struct seg_event *event, struct seg_origin *origin);

/* Take the outputs of both sides and compare them, per user in order. */
int drive_compare_effects(struct drive *drive);

/* Compare users, memberships, sizes; with EXPLAIN what seg_explain says. */
int drive_compare_state(struct drive *drive, int explain);

/* Put the outputs of the engine by, for the next drive_compare_effects: it is
 * about to be replaced. */
void drive_carry(struct drive *drive);

/* Whether both are the same value. */
int drive_same_value(const struct seg_value *got,
                     const struct naive_value *want);

/* Compare the attributes of GOT with those of WANT. */
int drive_attributes(struct drive *drive, const struct oracle_user *want,
                     const struct seg_user *got);

/* Compare the evidence of a change of the engine, just made. */
int drive_evidence(struct drive *drive, const struct effect *change);

/* Compare what a trigger of the engine, just fired, says of paths and measures.
 */
int drive_properties(struct drive *drive, const struct effect *trigger);

/* Compare what seg_explain says of GOT with what the oracle knows of WANT. */
int drive_explain(struct drive *drive, const struct oracle_user *want,
                  const struct seg_user *got);

/* Before an advance: ask somebody when he may change by time alone. After it: he
 * did not do so earlier. */
void drive_ask_when(struct drive *drive);
int drive_was_told(struct drive *drive);

/* STEP_FLUSH, STEP_EXPORT, STEP_REDO. */
int drive_flush(struct drive *drive, uint32_t count);
int drive_export(struct drive *drive, uint32_t variant);
int drive_redo(struct drive *drive, uint32_t variant);

/* The same halfway through an advance: the engine's clock is behind, some
 * timers of the next instant may have fired. */
int drive_restart(struct drive *drive, uint32_t variant);

/* Write the catalogue record. */
int drive_write_catalogue(struct drive *drive);

/* An engine of the catalogue in force, from what is written; it is not finished
 * yet if it is NULL. */
struct seg_engine *drive_restored(struct drive *drive, uint32_t variant);

/* From here on ENGINE is the one. */
int drive_replace(struct drive *drive, struct seg_engine *engine);

/* Compare what the engine has just told of traits; whether more is owed of USER.
 */
int drive_traits(struct drive *drive);
int drive_traits_owed(struct drive *drive, const struct oracle_user *user);
void drive_traits_done(struct drive *drive);

/* STEP_CHANGE, STEP_SWEEP. */
int drive_change(struct drive *drive, const struct step *step);
int drive_sweep(struct drive *drive, uint32_t users);

/* STEP_BACKFILL. */
int drive_backfill(struct drive *drive, uint32_t variant);

/* Tell the oracle what the engine has said (oracle_hint). */
void drive_hint(struct drive *drive);

/* Let catalogue NUMBER be in force in D; the engine comes later. */
int drive_set_version(struct drive *d, int number);

/* After the last step of a HISTORY_ORDER. */
int drive_order(struct drive *drive);

/* After a step of a HISTORY_DENSE or HISTORY_LATE. */
int drive_dense(struct drive *drive);

#endif
