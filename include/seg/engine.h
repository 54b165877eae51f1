/* engine.h: the state of one partition, and what changes in it.
 *
 * An engine holds the users of one partition: their features, attributes and
 * memberships. Events are applied in the order of the merged input; each
 * event, and each instant at which a condition changes by time alone, may make
 * users enter or leave segments. What happened stands in the outputs.
 *
 *            event + where it came from             a later instant
 *                       |                                  |
 *                seg_engine_apply                  seg_engine_advance
 *                       |      one user's block            |
 *   dedupe -> attributes -> features -> segments -> triggers
 *                       |
 *               seg_engine_outputs   changes, triggers and traits, oldest first
 *
 * The engine has no clock of its own. Its *clock* is the instant through which
 * every timer has fired; it only grows, moved by seg_engine_advance. An event
 * is judged at the clock (or, for a user whose last change is later, at that:
 * per user `at` never decreases). A caller therefore advances to the instant of
 * a record before it applies it.
 *
 * Not thread-safe: one engine, one thread. The catalogue is shared. */
#ifndef SEG_ENGINE_H
#define SEG_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include <seg/catalogue.h>
#include <seg/error.h>
#include <seg/event.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SEG_TOPICS_MAX   64 /* Input topics of one engine. */
#define SEG_EVIDENCE_MAX 8  /* Conditions shown as evidence of a change. */
#define SEG_NEVER        INT64_MAX /* An instant that does not come. */
/* A duplicate: the same message id of one user and topic within this time of
 * records and the last so many accepted ids. */
#define SEG_ID_WINDOW_MS (24 * 3600 * 1000)
#define SEG_IDS_MAX      64

/* The version of all records of the state topic, meta records included: a build
 * reads its own and the one before, and writes either; the newer one in any
 * case where a catalogue asks for what the older one has no room for. Tests
 * compile it one higher; every record then ends with SEG_STATE_TAIL, four bytes. */
#ifndef SEG_STATE_VERSION
#define SEG_STATE_VERSION 2
#endif
#define SEG_STATE_VERSION_OLDEST \
    (SEG_STATE_VERSION > 1 ? SEG_STATE_VERSION - 1 : 1)
#define SEG_STATE_TAIL 0x6c696174

struct seg_engine;

struct seg_engine_options {
    const struct seg_catalogue *catalogue; /* Borrowed; required. */
    int topic_count;                       /* 1 to SEG_TOPICS_MAX. */
    const char *const *topics; /* Input topics, sorted by name; copied. */
    uint64_t hash_seed;        /* Random; never stored. */
    int64_t clock_ms;       /* Where the clock starts; 0 for a new partition. */
    int64_t future_skew_ms; /* Later events are counted; 0: 5 min. */
    int64_t trigger_max_age_ms; /* Older changes fire no trigger; 0: 5 min. */
    int64_t trait_interval_ms;  /* Traits of a user are published at most once
                                   within; 0: 10 s. */
    int64_t lateness_ms;        /* Later events are counted; 0: 24 h. */
    uint32_t user_bytes_max;    /* Of one user's record; 0: 256 KiB. */
    uint32_t
        attribute_bytes; /* Of attributes that no segment reads; 0: 1 KiB. */
    uint32_t users_max;  /* 0: 2^31. */
    int state_version;   /* Of the records written; 0: SEG_STATE_VERSION. */
};

/* Create an engine without users. *RET is written only on success.
 * Returns 0, SEG_ERR_NOMEM, or SEG_ERR_INVALID for options out of range. */
int seg_engine_new(struct seg_engine **ret,
                   const struct seg_engine_options *options);

/* End ENGINE, which may be NULL, with all its users. */
void seg_engine_free(struct seg_engine *engine);

/* The catalogue in force; lives as ENGINE. */
const struct seg_catalogue *
seg_engine_catalogue(const struct seg_engine *engine);

/* ---- input ----------------------------------------------------------- */

/* Where an event was read. */
struct seg_origin {
    int topic;            /* Index into the engine's topics. */
    int64_t offset;       /* Of the record in the engine's partition. */
    int64_t timestamp_ms; /* Of the record. */
};

enum seg_applied {
    SEG_APPLIED = 0,
    SEG_APPLIED_DUPLICATE = 1, /* Its message id was there already: ignored. */
};

/* Fold EVENT, read at ORIGIN, and emit what it changes.
 *
 * Returns enum seg_applied; SEG_ERR_USER_BYTES when the user would grow beyond
 * user_bytes_max, SEG_ERR_LIMIT beyond users_max, or SEG_ERR_NOMEM: nothing is
 * changed then. EVENT is not kept. Cost depends on the features it touches and
 * the segments whose thresholds they cross. */
int seg_engine_apply(struct seg_engine *engine, const struct seg_event *event,
                     const struct seg_origin *origin);

/* Load what applying EVENT will touch into the CPU's caches. Optional; the
 * first some hundred ns before the second (for a whole batch after decoding
 * it), the second as long before the event is applied (some events ahead, one
 * after the other in the order in which they are applied). */
void seg_engine_prefetch(const struct seg_engine *engine,
                         const struct seg_event *event);
void seg_engine_prefetch_user(struct seg_engine *engine,
                              const struct seg_event *event);

/* Move the clock towards TO_MS and emit what changes by time alone.
 *
 * At most WORK_MAX timers fire. Returns 0 when the clock is at TO_MS (or was
 * beyond it already); 1 if more are due: the clock is then the last instant all
 * of whose timers have fired (call again); or SEG_ERR_NOMEM with no user
 * half-done. */
int seg_engine_advance(struct seg_engine *engine, int64_t to_ms, int work_max);

/* Tell the engine the wall, by which changes older than trigger_max_age are
 * known. SEG_NEVER (as at the start): the clock stands for the wall. */
void seg_engine_set_wall(struct seg_engine *engine, int64_t wall_ms);

int64_t seg_engine_clock(const struct seg_engine *engine);

/* A lower bound of the next instant at which something may change by time
 * alone; SEG_NEVER if there is none. */
int64_t seg_engine_next_due(const struct seg_engine *engine);

/* ---- outputs --------------------------------------------------------- */

enum seg_cause {
    SEG_CAUSE_EVENT,     /* A track, page or screen event. */
    SEG_CAUSE_TIMER,     /* Time alone. */
    SEG_CAUSE_ATTRIBUTE, /* An identify or group message. */
    SEG_CAUSE_CATALOGUE, /* Another catalogue, see seg_engine_sweep. */
    SEG_CAUSE_BACKFILL,  /* What the past made true, see the backfill. */
    SEG_CAUSE_REPAIR,    /* Restore found it; must not happen. */
};

/* "event", "timer", ... Static. */
const char *seg_cause_name(int cause);

/* One condition that decided a change, and what it measured. */
struct seg_evidence {
    const char *condition;  /* Canonical spelling; lives as the catalogue. */
    struct seg_value value; /* SEG_MISSING if there is nothing to show. */
};

enum seg_output_kind {
    SEG_OUTPUT_CHANGE,
    SEG_OUTPUT_TRIGGER,
    SEG_OUTPUT_TRAITS,
};

/* A change (a user entered or exited a segment), a trigger decided on it, or
 * what the traits of a user are.
 * A trigger follows its change and repeats its segment, at and origin.
 * Traits are all of the catalogue's, but for those that are warming, sorted by
 * name; SEG_MISSING: without a value. They come when one of them has changed,
 * or a day after the last time if one changes all the time (an age in days, a
 * score); of one user not more than one output within trait_interval. They have
 * no number: the last one holds. After a restore the same may come again. */
struct seg_output {
    uint8_t kind;   /* enum seg_output_kind. */
    uint8_t member; /* Change: 1 entered, 0 exited. Trigger: of its change. */
    uint8_t cause;  /* enum seg_cause. */
    uint8_t evidence_count;
    uint8_t shadow; /* Change: of a shadow segment, not to be published: it has
                       no number (seq 0) and fires nothing. */
    uint16_t trigger_count; /* Change: triggers that follow it. */
    int segment;            /* Index in the catalogue; at or above its count: of
                               one that it does not have any more. */
    struct seg_text segment_key; /* Lives as the engine. */
    int trigger;                 /* Index in the catalogue; -1 in a change. */
    uint32_t seq;          /* Of the user's changes, from 1; of his triggers. */
    int64_t at_ms;         /* When it was true, see the file head. */
    int64_t entered_at_ms; /* Of the membership begun or ended. */
    struct seg_text user_id;
    struct seg_text birth_topic; /* The event that created the user. */
    int64_t birth_offset;
    struct seg_text
        source_topic;           /* The event that caused it; bytes = NULL if */
    int64_t source_offset;      /* it was a timer. */
    struct seg_text message_id; /* Of that event, or bytes = NULL. */
    const struct seg_evidence *evidence;
    /* Trigger: its properties, as many as seg_catalogue_trigger says, with what
     * paths and measures among them were when it fired (SEG_MISSING: nothing).
     */
    const struct seg_trigger_property *properties;
    const struct seg_trait *traits; /* Of SEG_OUTPUT_TRAITS. */
    uint32_t trait_count;
};

/* The outputs since the last clear, in order. *COUNT gets their number. They
 * borrow from ENGINE: valid until the next call that is not a query. */
const struct seg_output *seg_engine_outputs(const struct seg_engine *engine,
                                            size_t *count);

void seg_engine_outputs_clear(struct seg_engine *engine);

/* Counters since the engine was made; what a metric of the same name shows. */
struct seg_engine_stats {
    uint64_t events; /* Applied, duplicates included. */
    uint64_t duplicates;
    uint64_t time_missing;        /* No timestamp: the record's was taken. */
    uint64_t time_unreadable;     /* One that cannot be read: likewise. */
    uint64_t future_events;       /* Clamped by more than future_skew. */
    uint64_t late_events;         /* More than lateness behind the clock. */
    uint64_t timers;              /* Fired. */
    uint64_t entered, exited;     /* Changes. */
    uint64_t triggers;            /* Fired. */
    uint64_t triggers_suppressed; /* By trigger_max_age. */
    uint64_t triggers_cooling;    /* By their cooldown. */
    uint64_t traits;              /* Published: outputs, each with all. */
    uint64_t traits_throttled;    /* Events of traits held back by
                                     trait_interval: the timer that follows
                                     tells their sum. */
    uint64_t type_mismatches;     /* Compared, and so false; or no number, and
                                     so left out of a sum, say. */
    uint64_t attributes_dropped;  /* Beyond attribute_bytes. */
    uint64_t repairs;             /* Changes of cause repair. */
    uint64_t coarse_features; /* Features that went beyond the exact limit. */
};

void seg_engine_stats(const struct seg_engine *engine,
                      struct seg_engine_stats *stats);

/* Users known, and bytes held for them (blocks, index, timers). */
uint32_t seg_engine_user_count(const struct seg_engine *engine);
size_t seg_engine_bytes(const struct seg_engine *engine);

/* Members of segment INDEX now. */
uint32_t seg_engine_segment_size(const struct seg_engine *engine, int index);

/* ---- what must be written: dirty users ------------------------------- */

/* A user is *dirty* when anything of his record differs from the one that was
 * flushed last. Dirty users stand in a queue, oldest first. The caller closes a
 * *generation* whenever it notes new lower bounds (positions of the inputs and
 * outputs): users that become dirty afterwards belong to the next one. */

/* Close the current generation and return the number of the new one (from 1,
 * growing by 1). */
uint64_t seg_engine_generation(struct seg_engine *engine);

/* The generation of the oldest dirty user after the first SKIP; 0 if there is
 * none. */
uint64_t seg_engine_dirty_since(const struct seg_engine *engine, uint32_t skip);

uint32_t seg_engine_dirty_count(const struct seg_engine *engine);

/* Write the record of the INDEX-th dirty user (0 = oldest) with POSITIONS (one
 * per topic: the offset after the last event folded).
 *
 * *ID and *RECORD get his id and record, borrowed from ENGINE until the next
 * call on it. Returns 0, SEG_ERR_NOT_FOUND or SEG_ERR_NOMEM. The format is
 * documented in lib/engine/snapshot.h. */
int seg_engine_dirty_record(struct seg_engine *engine, uint32_t index,
                            const int64_t *positions, struct seg_text *id,
                            struct seg_text *record);

/* The oldest COUNT dirty users are written: they are clean. Nothing may have
 * been applied or advanced since their records were taken. */
void seg_engine_flushed(struct seg_engine *engine, uint32_t count);

/* ---- restore (daemon/protocol/restore.h has the whole story) ---------- */

/* Step 2: a user record. Its positions are remembered until step 5.
 * Returns 0, SEG_ERR_RECORD, SEG_ERR_RECORD_VERSION, SEG_ERR_NOMEM; after an
 * error the user is half there. A second record of one user replaces the first,
 * so the same may be tried again. */
int seg_engine_restore_user(struct seg_engine *engine, const char *record,
                            size_t len, struct seg_error *detail);

/* After step 2: the catalogue record (seg_engine_catalogue_record), which says
 * what is observed since when. POSITIONS (one per topic) are those at which
 * another catalogue than the record's begins: where the restore ends; LATEST_MS
 * is what seg_engine_latest said when users were flushed last. Returns as
 * seg_engine_restore_user. */
int seg_engine_restore_catalogue(struct seg_engine *engine, const char *record,
                                 size_t len, const int64_t *positions,
                                 int64_t latest_ms, struct seg_error *detail);

/* Step 3: a change read back. SEGMENT is its key. One whose seq the user has
 * already is skipped. Returns 0; SEG_ERR_SEQ_GAP when one is missing before it;
 * SEG_ERR_NOMEM. */
struct seg_restored {
    struct seg_text user_id;
    struct seg_text segment;
    struct seg_text trigger; /* Of a trigger: its name. */
    int member;              /* Of a change. */
    uint32_t seq;
    int64_t at_ms;
    int64_t entered_at_ms; /* Of a change. */
};
int seg_engine_restore_change(struct seg_engine *engine,
                              const struct seg_restored *change,
                              struct seg_error *detail);
int seg_engine_restore_trigger(struct seg_engine *engine,
                               const struct seg_restored *trigger,
                               struct seg_error *detail);

/* Step 4: fold EVENT without judging anybody, unless the user's record has it
 * already. Returns as seg_engine_apply. */
int seg_engine_redo(struct seg_engine *engine, const struct seg_event *event,
                    const struct seg_origin *origin);

/* Step 5, in slices of WORK_MAX users: with the clock at CLOCK_MS judge every
 * user touched in steps 3 and 4 and every user due by then; a difference is an
 * output of cause repair; while the catalogue is not swept nobody is judged.
 * Users of steps 3 and 4 are dirty, in the first generation. Returns 1 while
 * there is more to do, then 0; SEG_ERR_NOMEM with no user half-judged (call
 * again); or SEG_ERR_RECORD if users are in a segment that nothing has named.
 */
int seg_engine_restore_finish(struct seg_engine *engine, int64_t clock_ms,
                              int work_max);

/* Write records of VERSION from now on. Called before step 5, users whose
 * record is of another one are dirty after it. */
void seg_engine_set_state_version(struct seg_engine *engine, int version);

/* ---- mending what is lost (lib/engine/mend.c has the whole story) ------- */

/* After step 2: forget all of the users that comes from the inputs, which are
 * then read again from their beginnings. */
void seg_engine_forget_inputs(struct seg_engine *engine);

/* Before step 3: a change or trigger need not follow the one before. If it does
 * not, seg_engine_restore_change and _trigger return 1. */
void seg_engine_accept_gaps(struct seg_engine *engine);

/* Before step 5: everybody is dirty after it, and judged in it, or nobody is;
 * no trigger fires. So many numbers may be known of changes and triggers that
 * are lost. */
struct seg_mend {
    uint32_t changes_lost, triggers_lost;
    int judge;
};
/* Returns 0, or SEG_ERR_NOMEM: then restore again from the beginning. */
int seg_engine_mend(struct seg_engine *engine, const struct seg_mend *mend);

/* ---- another catalogue (lib/engine/observed.h has the whole story) ------ */

/* Move the users of FROM, whose outputs are taken, into ENGINE, which is new,
 * has another catalogue, and else FROM's options and clock; at most WORK_MAX a
 * call. POSITIONS (one per topic) are where its catalogue begins to be in
 * force. FROM is as it was but for what is dirty; nothing may be done to it
 * meanwhile but seg_engine_dirty_record and seg_engine_flushed. Returns 1 while
 * there is more to do, then 0, when ENGINE takes its place; or SEG_ERR_NOMEM:
 * begin again with another new engine. */
int seg_engine_adopt(struct seg_engine *engine, struct seg_engine *from,
                     const int64_t *positions, int work_max);

/* Judge the next WORK_MAX users by the catalogue they were not judged by yet;
 * who is in segments that it does not have leaves them. Changes are of cause
 * catalogue, or backfill after one, and fire no triggers. Between two calls anything else may happen.
 * Returns 1 while there is more to do, then 0; or SEG_ERR_NOMEM with no user
 * half-judged. */
int seg_engine_sweep(struct seg_engine *engine, int work_max);

/* No event applied, nor dated ahead and waiting, is later; INT64_MIN: there was
 * none. What another catalogue reads is not observed before that. */
int64_t seg_engine_latest(const struct seg_engine *engine);

/* Whether that is done: 1 for the first catalogue of a partition. */
int seg_engine_swept(const struct seg_engine *engine);

/* The catalogue record, to be kept for seg_engine_restore_catalogue whenever it
 * is another: at first, when a catalogue comes into force, when it is swept.
 * Borrowed from ENGINE until the next call on it. Returns 0 or SEG_ERR_NOMEM.
 */
int seg_engine_catalogue_record(struct seg_engine *engine,
                                struct seg_text *record);

/* ---- backfill (lib/engine/backfill.c has the whole story) ---------------- */

/* Whether something that ENGINE is warming would be known better if the inputs
 * were read again from STARTS (one per topic), which are what is left of them.
 * SINCE_MS: nothing that is not left happened later; INT64_MIN: not known yet.
 * Starts of 0 only mean that nothing was ever lost. */
int seg_engine_backfill_wanted(const struct seg_engine *engine,
                               const int64_t *starts, int64_t since_ms);

/* SHADOW, which is new and has ENGINE's catalogue and topics and its clock at
 * 0, is to fold for ENGINE what the inputs hold from STARTS on. Its calls are
 * those of this chapter, and to be freed. Returns 0 or SEG_ERR_NOMEM. */
int seg_engine_backfill_begin(struct seg_engine *shadow,
                              const struct seg_engine *engine,
                              const int64_t *starts, int64_t since_ms);

/* Move SHADOW's clock towards TO_MS; nobody is judged. As seg_engine_advance.
 */
int seg_engine_backfill_advance(struct seg_engine *shadow, int64_t to_ms,
                                int work_max);

/* Fold EVENT, which ENGINE has folded, into SHADOW, whose clock was moved to
 * its record, not beyond ENGINE's. Returns as seg_engine_apply. */
int seg_engine_backfill_fold(struct seg_engine *shadow,
                             const struct seg_engine *engine,
                             const struct seg_event *event,
                             const struct seg_origin *origin);

/* SHADOW has folded exactly the events that ENGINE has: let ENGINE's users have
 * what it holds of them, at most WORK_MAX a call. They are dirty then. Nothing
 * may be done to ENGINE meanwhile but seg_engine_dirty_record and
 * seg_engine_flushed; the catalogue record is another from the first call on,
 * and must not be written later than any user. Returns 1 while there is more
 * to do, then 0, when SHADOW may be freed; SEG_ERR_LIMIT beyond users_max, or
 * SEG_ERR_NOMEM, with no user half-done: seg_engine_backfill_drop then. */
int seg_engine_backfill_swap(struct seg_engine *engine,
                             struct seg_engine *shadow, int work_max);

/* Whether a swap has begun and is neither published nor dropped. A sweep is due
 * from its beginning on, so that nothing is repaired meanwhile, and must wait. */
int seg_engine_backfill_pending(const struct seg_engine *engine);

/* Whether all that the swap made dirty has been flushed. */
int seg_engine_backfill_flushed(const struct seg_engine *engine);

/* From now on it is known; the sweep is to follow, and the catalogue record is
 * another. Returns 0, or SEG_ERR_NOMEM: call again before anything else is done
 * to ENGINE. */
int seg_engine_backfill_publish(struct seg_engine *engine);

/* A swap that began is not to be published. */
void seg_engine_backfill_drop(struct seg_engine *engine);

#ifdef __cplusplus
}
#endif
#endif
