/* oracle.h: what segments should do, slowly and obviously.
 *
 * The oracle keeps every message of every user and finds the truth of a
 * condition by walking the syntax tree over all of them. It shares nothing with
 * the engine but the parser. Time is not polled: all instants at which time
 * alone can change a truth are *edges*
 *
 *     time of an event + a duration of a condition that selects it
 *     a date value, and that value ± the duration of a test on it
 *     the time of a message from the future
 *     the instant up to which messages are hidden + a duration
 *
 * and the oracle judges a user at each edge, 1 ms before and 1 ms after. That
 * nothing changes between edges is not believed but tried (oracle->probe).
 *
 * When another catalogue comes into force, it may ask for what was not read
 * before: then truth has a third value, see oracle_warming.c.
 *
 * It is correct by reading, not by cleverness; a user's cost is quadratic in
 * his messages. Memory that runs out ends the program. */
#ifndef MODEL_ORACLE_H
#define MODEL_ORACLE_H

#include <stddef.h>
#include <stdint.h>

#include <seg/engine.h>

#include "tests/model/naive_value.h"

struct oracle;
struct oracle_user;

/* A change of a user, or a trigger that follows one. */
struct oracle_change {
    const struct oracle_user *user;
    int segment; /* Index in the rules, in order of keys; -1: of one that
                    they do not have any more. */
    struct seg_text key; /* Of the segment. */
    int trigger;         /* Index among the segment's triggers; -1: a change. */
    int member;          /* 1 entered, 0 exited; of a trigger: its change. */
    int cause;           /* enum seg_cause: all but REPAIR. */
    int trigger_count;   /* Of a change: triggers that follow. */
    int shadow; /* Of a segment that is not published: it has no seq. */
    uint32_t seq;
    int64_t at_ms, entered_at_ms;
    int source_topic; /* -1: a timer. */
    int64_t source_offset;
    struct seg_text message_id; /* Of the source; bytes = NULL: none. */
};

struct oracle_options {
    const struct rules *rules; /* Checked; borrowed. */
    int64_t trigger_max_age_ms;
    /* Try that nothing changes between edges; a difference ends the program.
     * Must be off while a mutant is on. */
    int probe;
    /* Judge nobody, only take messages in: for who measures by himself. */
    int only_listens;
};

struct oracle *oracle_new(const struct oracle_options *options);
void oracle_free(struct oracle *oracle);

/* Take in the message TEXT that was read at TOPIC, OFFSET, of a record of
 * RECORD_MS, and judge its user at the clock. Returns 0, 1 for a duplicate, or
 * the enum seg_err that makes it no event. */
int oracle_apply(struct oracle *oracle, const char *text, size_t len, int topic,
                 int64_t offset, int64_t record_ms);

/* Move the clock to TO_MS (no further back) and let all timers fire. */
void oracle_advance(struct oracle *oracle, int64_t to_ms);

/* The same for the clock alone: users catch up one by one, when their next
 * message comes or oracle_settle is called. For input of many users. */
void oracle_set_clock(struct oracle *oracle, int64_t to_ms);
void oracle_settle(struct oracle *oracle);

/* The wall, by which triggers are too old; SEG_NEVER: the clock. */
void oracle_set_wall(struct oracle *oracle, int64_t wall_ms);
int64_t oracle_clock(const struct oracle *oracle);

/* Changes and triggers since the last clear, per user in order. */
const struct oracle_change *oracle_changes(const struct oracle *oracle,
                                           size_t *count);
void oracle_changes_clear(struct oracle *oracle);

/* ---- another catalogue (oracle_change.c has the whole story) ------------- */

/* From now on RULES hold; those before are borrowed still. */
void oracle_change_catalogue(struct oracle *oracle, const struct rules *rules);

/* The sweep has come to the user ID. */
void oracle_sweep(struct oracle *oracle, struct seg_text id);

/* Users whom it has not come to; whether it has not come to USER. */
int oracle_unswept(const struct oracle *oracle);
int oracle_is_unswept(const struct oracle_user *user);

/* All messages that were not read by the catalogue in force have been read
 * again: nothing is hidden any more, and a sweep is due. */
void oracle_backfill(struct oracle *oracle);

/* The engine says that user ID changes in the segment KEY, which may be a
 * SHADOW, at AT_MS: before his
 * sweep that may be earlier than the oracle can tell. Until the changes are
 * cleared. */
void oracle_hint(struct oracle *oracle, struct seg_text id, struct seg_text key,
                 int shadow, int64_t at_ms);

/* How many segments that are no more USER is in, and which. */
int oracle_retired(const struct oracle_user *user);
struct seg_text oracle_retired_at(const struct oracle_user *user, int index,
                                  int64_t *entered_at_ms);

/* ---- queries ------------------------------------------------------------- */

int oracle_user_count(const struct oracle *oracle);
const struct oracle_user *oracle_user_at(const struct oracle *oracle,
                                         int index);
const struct oracle_user *oracle_user_find(const struct oracle *oracle,
                                           struct seg_text id);
struct seg_text oracle_user_id(const struct oracle_user *user);

/* The groupId of his account now; bytes = NULL: none. */
struct seg_text oracle_user_account(const struct oracle *oracle,
                                    const struct oracle_user *user);

/* Where the message stood that made him known. */
void oracle_user_birth(const struct oracle_user *user, int *topic,
                       int64_t *offset);

/* Whether he is in SEGMENT as decided last, and since when. */
int oracle_member(const struct oracle_user *user, int segment,
                  int64_t *entered_at_ms);

/* Members of SEGMENT. */
uint32_t oracle_segment_size(const struct oracle *oracle, int segment);

/* The truth (enum seg_truth) about SEGMENT for USER at AT_MS, from all messages
 * known now. */
int oracle_truth(const struct oracle *oracle, const struct oracle_user *user,
                 int segment, int64_t at_ms);

/* The first edge (or 1 ms beside one) after the clock at which a membership of
 * somebody differs from now; SEG_NEVER if there is none. */
int64_t oracle_next_change(const struct oracle *oracle);

/* All instants after the clock, up to UNTIL_MS, at which users would be judged,
 * sorted. *COUNT gets their number. Heap; free(). */
int64_t *oracle_edges(const struct oracle *oracle, int64_t until_ms,
                      size_t *count);

/* The leaves of SEGMENT's condition that decide about USER at AT_MS, as a
 * change shows them: up to MOST into OUT. Returns how many; -1 if a list
 * decides. */
int oracle_evidence(const struct oracle *oracle, const struct oracle_user *user,
                    int segment, int64_t at_ms, const struct rule_cond **out,
                    int most);

/* What is shown of LEAF: its measure, a count no further than it matters. */
struct naive_value oracle_shown(const struct oracle *oracle,
                                const struct oracle_user *user,
                                const struct rule_cond *leaf, int64_t at_ms);

/* What PROPERTY of a trigger says of USER at AT_MS, into *VALUE. Returns 0 if it
 * stands there as it is, or is not known. */
int oracle_property(const struct oracle *oracle, const struct oracle_user *user,
                    const struct rule_property *property, int64_t at_ms,
                    struct naive_value *value);

/* Whether what trait INDEX of the rules measures of USER is known at AT_MS, and
 * what that is. */
int oracle_trait_is_known(const struct oracle *oracle,
                          const struct oracle_user *user, int index,
                          int64_t at_ms);
struct naive_value oracle_trait(const struct oracle *oracle,
                                const struct oracle_user *user, int index,
                                int64_t at_ms);

/* The truth of COND, a part of some segment's condition. */
int oracle_eval(const struct oracle *oracle, const struct oracle_user *user,
                const struct rule_cond *cond, int64_t at_ms);

/* Whether something of what LEAF measures of USER may be hidden at AT_MS. */
int oracle_is_warming(const struct oracle *oracle,
                      const struct oracle_user *user,
                      const struct rule_cond *leaf, int64_t at_ms);

/* Whether USER has sent something that is dated after AT_MS. */
int oracle_awaits(const struct oracle_user *user, int64_t at_ms);

/* Since when what LEAF measures is read; SEG_NEVER: from the start. */
int64_t oracle_observed(const struct oracle *oracle,
                        const struct oracle_user *user,
                        const struct rule_cond *leaf, int64_t at_ms);

/* What the other side of LEAF, a COMPARE, measures. */
struct naive_value oracle_other(const struct oracle *oracle,
                                const struct oracle_user *user,
                                const struct rule_cond *leaf, int64_t at_ms);

/* Whether truth is a matter of what was in force before, so that an instant
 * behind the clock cannot be judged again. */
int oracle_remembers(const struct oracle *oracle);

/* How often more than one answer was right, so that whatever differs from then
 * on proves nothing: a score lay where the engine may round it either way, and
 * that decided something; events counted that had waited for their time when
 * more of them began to be kept, each of which it may know (carry.c); a backfill
 * read more ids than are kept, in another order. */
int oracle_unsure(const struct oracle *oracle);

/* ---- how much a run has proved ------------------------------------------- */

/* Calls SEEN for each leaf (DID, MEASURE, PATH ...) of SEGMENT's condition that
 * decided that USER entered (MEMBER) or left it: were it the other way round, so
 * were the segment. */
void oracle_deciders(const struct oracle *oracle,
                     const struct oracle_user *user, int segment, int member,
                     int64_t at_ms,
                     void (*seen)(void *arg, const struct rule_cond *leaf),
                     void *arg);

struct oracle_stats {
    uint64_t messages, duplicates, late, out_of_order, equal_times;
    uint64_t time_missing, time_unreadable, clamped, from_future;
    uint64_t entered, exited, triggers, suppressed, cooling;
    uint64_t catalogues, swept,
        retired; /* By a sweep; exits of what is no more. */
};

void oracle_stats(const struct oracle *oracle, struct oracle_stats *stats);

#endif
