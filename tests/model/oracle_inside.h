/* oracle_inside.h: what the files of the oracle share.
 *
 *   oracle_message.c  one message, read
 *   oracle_eval.c     the truth of a condition at an instant
 *   oracle_measure.c  what measures say
 *   oracle_sequence.c whether steps follow each other
 *   oracle_evidence.c why it is so
 *   oracle_observe.c  since when what it asks is read
 *   oracle_warming.c  whether it is known
 *   oracle_edge.c     the instants at which it may change by time alone
 *   oracle_catalogue.c  the one in force
 *   oracle_change.c   another catalogue
 *   oracle.c          users, duplicates, changes
 *   oracle_query.c    what it knows */
#ifndef MODEL_ORACLE_INSIDE_H
#define MODEL_ORACLE_INSIDE_H

#include <jansson.h>

#include <seg/query.h>

#include "tests/model/naive_value.h"
#include "tests/model/oracle.h"

struct oracle_message {
    enum seg_event_type type;
    enum seg_time_state time_state;
    int duplicate; /* Kept only to be counted. */
    json_t *json;  /* Owned; the texts borrow from it. */
    struct seg_text user_id, name, message_id, group_id;
    int64_t time_ms;   /* Of the event, clamped. */
    int64_t given_ms;  /* The same before that. */
    int64_t record_ms; /* Of the record. */
    int64_t clock_ms;  /* When it was applied. */
    int topic;
    int64_t offset;
    int generation; /* Catalogue changes before it came. */
    char *selected; /* By selector: 0 not asked, 1 no, 2 yes. */
};

/* Messages in order of arrival, borrowed. */
struct oracle_selection {
    struct oracle_message **items;
    int count, cap;
    int looked_at; /* So many of the user's messages. */
};

/* Read TEXT into MESSAGE. Returns 0 or the enum seg_err. */
int oracle_message_read(struct oracle_message *message, const char *text,
                        size_t len, int topic, int64_t offset,
                        int64_t record_ms);
void oracle_message_done(struct oracle_message *message);

/* The value at PATH (of the event) of MESSAGE. */
struct naive_value oracle_message_value(const struct oracle_message *message,
                                        const struct path *path);

/* The value below JSON that NAMES lead to; NULL if none. */
json_t *oracle_message_below(json_t *json, const struct seg_text *names,
                             int count);

/* The order of events: (event time, topic name, offset). Topics are numbered in
 * order of their names. */
int oracle_message_before(const struct oracle_message *a,
                          const struct oracle_message *b);

/* Where to look for EVENT among the selectors. */
size_t oracle_selector_slot(const struct oracle *oracle,
                            const struct rule_event *event);

/* Whether MESSAGE is something that EVENT counts. */
int oracle_message_selected(const struct oracle *oracle,
                            const struct oracle_message *message,
                            const struct rule_event *event);

/* All messages of USER that EVENT counts. */
const struct oracle_selection *oracle_selection(const struct oracle *oracle,
                                                const struct oracle_user *user,
                                                const struct rule_event *event);
void oracle_selection_add(struct oracle_selection *selection,
                          struct oracle_message *message);

struct oracle_user {
    struct seg_text id; /* Owned. */
    int birth_topic;
    int64_t birth_offset;
    int generation; /* Catalogue changes before he was born. */
    int unswept;    /* Not judged by the catalogue in force yet. */
    struct oracle_message **messages; /* In order of arrival, owned. */
    int count, cap;
    struct oracle_selection *selections; /* By selector. */
    int selection_count;
    struct oracle_selection setters; /* What identify and group sent. */
    uint32_t seq, trigger_seq;
    int64_t last_at_ms;
    int64_t settled_ms; /* Judged at all edges up to here. */
    struct oracle_membership {
        int member;
        int stale; /* Another one than the truth, since the catalogue began. */
        int64_t entered_at_ms;
        uint32_t seq; /* For a mutant. */
        /* The latest entry and exit, as far as they are watched; INT64_MIN. */
        int64_t watch_entered_ms, watch_left_ms;
    } * memberships;        /* By segment. */
    struct oracle_retired { /* Memberships of segments that are no more. */
        struct seg_text key;
        int shadow;
        int64_t entered_at_ms;
    } * retired;
    int retired_count;
    size_t retired_cap;
    int64_t *fired_ms;   /* By trigger of all segments; INT64_MIN: never. */
    struct oracle_gone { /* Triggers that are no more. */
        struct seg_text key, name;
        int on_enter;
        int64_t at_ms;
    } * gone;
    int gone_count;
    size_t gone_cap;
    int64_t *edges; /* A heap, least first. */
    size_t edge_count, edge_cap;
};

struct oracle {
    struct oracle_options options;
    const struct rules *rules;
    int64_t clock_ms, wall_ms;
    int *order;        /* Segments by (rank, key). */
    int *trigger_base; /* By segment: its first trigger among all. */
    int trigger_count;
    const void **selectors; /* Of struct rule_event; hash table by address. */
    int *selector_index;
    size_t selector_slots; /* A power of two. */
    int selector_count;
    int generation;    /* Catalogue changes so far. */
    int backfilled;    /* The sweep under way is of a backfill. */
    int64_t *since_ms; /* By generation: its greatest hidden instant. */
    int64_t latest_ms; /* Of all messages. */
    struct oracle_source {
        char *text;
        int since;       /* Generation. */
        int64_t most;    /* A count is kept so far. */
        int64_t from_ms; /* Of a window of which events are kept. */
        int64_t kept;    /* So many of the newest events before `since`. */
    } * sources;
    int source_count;
    size_t source_cap;
    struct oracle_leaf {
        const void *what; /* A condition, or a measure of one. */
        int source;
    } * leaves; /* By address. */
    int leaf_count;
    size_t leaf_cap;
    struct oracle_hint {
        struct seg_text user_id, key; /* Owned. */
        int shadow;
        int64_t at_ms;
    } * hints;
    size_t hint_count, hint_cap;
    struct oracle_user **users;
    int user_count;
    size_t user_cap;
    int *slots; /* User index + 1 by hash of id. */
    size_t slot_count;
    struct oracle_change *changes;
    size_t change_count, change_cap;
    struct oracle_stats stats;
    int unsure; /* See oracle_unsure. */
    /* For oracle_deciders: this leaf is taken the other way round. */
    const struct rule_cond *flipped;
};

void oracle_user_messages_add(struct oracle_user *user,
                              struct oracle_message *message);

/* What is known of which messages are selected is for the selectors of now. */
void oracle_user_selections(const struct oracle *oracle,
                            struct oracle_user *user);

/* What a leaf measures of USER at NOW_MS; missing if it measures nothing. */
struct naive_value oracle_eval_value(const struct oracle *oracle,
                                     const struct oracle_user *user,
                                     const struct rule_cond *leaf,
                                     int64_t now_ms);

/* The same of all that SOURCE (NULL: all there was) has seen. */
struct naive_value oracle_eval_measure(const struct oracle *oracle,
                                       const struct oracle_user *user,
                                       const struct rule_cond *leaf,
                                       const struct oracle_source *source,
                                       int64_t now_ms);

/* The attribute at PATH, of roots USER and ACCOUNT. */
struct naive_value oracle_eval_attribute(const struct oracle_user *user,
                                         const struct path *path,
                                         int64_t now_ms);

/* 1: SEGMENT includes USER by name, 0: it excludes him, -1: neither. */
int oracle_eval_listed(const struct oracle_user *user,
                       const struct rule_segment *segment);

/* Whether LEAF holds of what it measured, all being known. */
int oracle_eval_passes(const struct rule_cond *leaf,
                       const struct naive_value *value, int64_t now_ms);

/* What was last written at the top-level name of PATH, and who did; NULL:
 * nobody. */
json_t *oracle_eval_written(const struct oracle_user *user,
                            const struct path *path, int64_t now_ms,
                            const struct oracle_message **writer);

/* A count of LEAF is shown, and matters, so far. */
int64_t oracle_shown_most(const struct rule_cond *leaf);

/* Whether two measures compare as LEAF says. */
int oracle_eval_compares(const struct rule_cond *leaf,
                         const struct naive_value *left,
                         const struct naive_value *right);

/* Whether N events are as TIMES says. */
int oracle_did(const struct rule_times *times, int64_t n);

/* ---- oracle_measure.c, oracle_sequence.c ---- */

/* MEASURE, or what the trait of that key measures. */
const struct rule_measure *oracle_resolve(const struct oracle *oracle,
                                          const struct rule_measure *measure);

/* Whether M is inside WINDOW at NOW_MS, and not older than generation SINCE. */
int oracle_counts(const struct oracle_message *m,
                  const struct rule_window *window, int since, int64_t now_ms);

/* What MEASURE says of USER at NOW_MS, of all that SOURCE (NULL: all) has seen.
 */
struct naive_value oracle_measure(const struct oracle *oracle,
                                  const struct oracle_user *user,
                                  const struct rule_measure *measure,
                                  const struct oracle_source *source,
                                  int64_t now_ms);

/* The same, but of KIND and in WINDOW, of all that there was. */
struct naive_value oracle_measure_over(const struct oracle *oracle,
                                       const struct oracle_user *user,
                                       const struct rule_measure *measure,
                                       enum rule_measure_kind kind,
                                       const struct rule_window *window,
                                       int64_t now_ms);

/* Whether the score MEASURE lies so near to the middle between two multiples of
 * 1e-9 that the engine, which counts with 44 digits, may take either. */
int oracle_score_unsure(const struct oracle *oracle,
                        const struct oracle_user *user,
                        const struct rule_measure *measure, int64_t now_ms);

/* How many of the last blocks are as LEAF, a DID `per day` or `per week`, says.
 */
int64_t oracle_habit(const struct oracle *oracle,
                     const struct oracle_user *user,
                     const struct rule_cond *leaf,
                     const struct oracle_source *source, int64_t now_ms);

/* The name of the last event of LEAF, a LATEST; bytes = NULL: there is none. */
struct seg_text oracle_latest(const struct oracle *oracle,
                              const struct oracle_user *user,
                              const struct rule_cond *leaf, int since,
                              int64_t now_ms);

/* Whether the steps of COND, a SEQUENCE, are matched. */
int oracle_sequence(const struct oracle *oracle, const struct oracle_user *user,
                    const struct rule_cond *cond,
                    const struct oracle_source *source, int64_t now_ms);

/* The same of the events that came at most 24 h late; whether some of USER did
 * not; whether nothing can undo a match of SEQUENCE. */
int oracle_sequence_in_time(const struct oracle *oracle,
                            const struct oracle_user *user,
                            const struct rule_cond *cond, int64_t now_ms);
int oracle_sequence_late(const struct oracle_user *user);
int oracle_sequence_only_grows(const struct rule_sequence *sequence);

/* ---- oracle_observe.c ---- */

/* One thing that is measured; in a comparison there are two. */
struct oracle_side {
    const struct rule_event *event; /* NULL: none, or several. */
    const struct rule_window *window;
    enum rule_measure_kind kind; /* A LATEST is a LAST. */
    int counts;                  /* It is a number of events. */
    int64_t from_ms;  /* It does not go by what is older; INT64_MAX. */
    int64_t after_ms; /* Nor by what is before. */
};

struct oracle_side oracle_side_of_measure(const struct oracle *oracle,
                                          const struct rule_measure *measure);

/* Of a LEAF that has one side: no path, entry, exit or comparison. */
struct oracle_side oracle_side_of(const struct oracle *oracle,
                                  const struct rule_cond *leaf);

/* All that messages tell is known from the start; what watches tell is not. */
void oracle_warming_forget(struct oracle *oracle);

/* A catalogue begins: since when is read what its leaves measure? */
void oracle_warming_read(struct oracle *oracle);
void oracle_warming_done(struct oracle *oracle);

/* What WHAT, a leaf or one of its measures, measures; NULL: all of it is known.
 */
const struct oracle_source *oracle_warming_source(const struct oracle *oracle,
                                                  const void *what);

/* ---- oracle_warming.c ---- */

/* The truth of LEAF, a COMPARE. */
int oracle_warming_compare(const struct oracle *oracle,
                           const struct oracle_user *user,
                           const struct rule_cond *leaf, int64_t now_ms);

/* Whether the entries and exits of segment INDEX are watched, and were before
 * the catalogue came. */
int oracle_warming_watches(const struct oracle *oracle, int index);

/* Whether a change of USER in it at AT_MS comes before it is watched. */
int oracle_warming_hides(const struct oracle *oracle,
                         const struct oracle_user *user, int index,
                         int64_t at_ms);

/* The truth of LEAF, of which VALUE was seen. */
int oracle_warming_truth(const struct oracle *oracle,
                         const struct oracle_user *user,
                         const struct rule_cond *leaf,
                         const struct naive_value *value, int64_t now_ms);

/* Calls EDGE with the instants near which LEAF may become known. */
void oracle_warming_edges(const struct oracle *oracle, struct oracle_user *user,
                          const struct rule_cond *leaf,
                          void (*edge)(void *arg, int64_t ms), void *arg);

/* ---- oracle.c, for oracle_change.c ---- */

struct cause {
    int64_t at_ms;
    const struct oracle_message *message; /* NULL: time alone. */
    int sweep;
};

/* Take the catalogue RULES in: selectors, order, triggers. */
void oracle_load(struct oracle *oracle, const struct rules *rules);
void oracle_unload(struct oracle *oracle);

/* Compare every membership with the truth at TRUTH_MS. */
void oracle_judge(struct oracle *oracle, struct oracle_user *user,
                  const struct cause *cause, int64_t truth_ms);

/* A change of USER in SEGMENT, -1: one that is no more, which has KEY. One that
 * is published is counted. */
struct oracle_change *oracle_emit(struct oracle *oracle,
                                  struct oracle_user *user,
                                  const struct cause *cause, int segment,
                                  struct seg_text key);
void oracle_count(struct oracle_user *user, struct oracle_change *change,
                  int shadow);

/* Whether the engine has said that USER changes in SEGMENT at AT_MS. */
int oracle_hinted(const struct oracle *oracle, const struct oracle_user *user,
                  const struct rule_segment *segment, int64_t at_ms);

/* Whether USER is in segment INDEX at NOW_MS, enum seg_truth: list, then
 * condition. */
int oracle_eval_segment(const struct oracle *oracle,
                        const struct oracle_user *user, int index,
                        int64_t now_ms);

/* How many events of USER have ages [TO_MS, FROM_MS), see rule_window; of those
 * that SOURCE (NULL: all) has seen. */
int64_t oracle_eval_count(const struct oracle *oracle,
                          const struct oracle_user *user,
                          const struct rule_event *event,
                          const struct rule_window *window,
                          const struct oracle_source *source, int64_t now_ms);

/* Add the edges that MESSAGE (NULL: the catalogue) brings to USER. */
void oracle_edge_add(struct oracle *oracle, struct oracle_user *user,
                     const struct oracle_message *message);

/* The same for a USER who entered or left SEGMENT at AT_MS. */
void oracle_edge_watch(struct oracle *oracle, struct oracle_user *user,
                       int segment, int64_t at_ms);

/* The edges of USER after the clock, up to UNTIL_MS, sorted, each once. *COUNT
 * gets their number. Heap; free(). */
int64_t *oracle_user_edges(const struct oracle *oracle,
                           const struct oracle_user *user, int64_t until_ms,
                           size_t *count);

/* The least edge of USER, or SEG_NEVER; and take it out. */
int64_t oracle_edge_least(const struct oracle_user *user);
void oracle_edge_push(struct oracle_user *user, int64_t ms);
void oracle_edge_pop(struct oracle_user *user);

void *oracle_grow(void *items, size_t *cap, size_t need, size_t size);
void *oracle_zeroed(size_t count, size_t size);

#endif
