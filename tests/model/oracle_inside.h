/* oracle_inside.h: what the files of the oracle share.
 *
 *   oracle_message.c  one message, read
 *   oracle_eval.c     the truth of a condition at an instant
 *   oracle_evidence.c why it is so
 *   oracle_edge.c     the instants at which it may change by time alone
 *   oracle.c          users, duplicates, changes */
#ifndef MODEL_ORACLE_INSIDE_H
#define MODEL_ORACLE_INSIDE_H

#include <jansson.h>

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
    char *selected; /* By selector: 0 not asked, 1 no, 2 yes. */
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

/* DESIGN.md section 5: (event time, topic name, offset). Topics are numbered in
 * order of their names. */
int oracle_message_before(const struct oracle_message *a,
                          const struct oracle_message *b);

/* Whether MESSAGE is something that EVENT counts. */
int oracle_message_selected(const struct oracle *oracle,
                            const struct oracle_message *message,
                            const struct rule_event *event);

struct oracle_user {
    struct seg_text id; /* Owned. */
    int birth_topic;
    int64_t birth_offset;
    struct oracle_message **messages; /* In order of arrival, owned. */
    int count, cap;
    uint32_t seq, trigger_seq;
    int64_t last_at_ms;
    int64_t settled_ms; /* Judged at all edges up to here. */
    struct oracle_membership {
        int member;
        int64_t entered_at_ms;
        uint32_t seq; /* For a mutant. */
    } *memberships; /* By segment. */
    int64_t *fired_ms; /* By trigger of all segments; INT64_MIN: never. */
    int64_t *edges; /* A heap, least first. */
    size_t edge_count, edge_cap;
};

struct oracle {
    struct oracle_options options;
    const struct rules *rules;
    int64_t clock_ms, wall_ms;
    int *order;         /* Segments by (rank, key). */
    int *trigger_base;  /* By segment: its first trigger among all. */
    int trigger_count;
    const void **selectors; /* Of struct rule_event; hash table by address. */
    int *selector_index;
    size_t selector_slots;
    int selector_count;
    struct oracle_user **users;
    int user_count;
    size_t user_cap;
    int *slots; /* User index + 1 by hash of id. */
    size_t slot_count;
    struct oracle_change *changes;
    size_t change_count, change_cap;
    struct oracle_stats stats;
    /* For oracle_deciders: this leaf is taken the other way round. */
    const struct rule_cond *flipped;
};

void oracle_user_messages_add(struct oracle_user *user,
                              struct oracle_message *message);

/* What a leaf measures of USER at NOW_MS; missing if it measures nothing. */
struct naive_value oracle_eval_value(const struct oracle *oracle,
                                     const struct oracle_user *user,
                                     const struct rule_cond *leaf,
                                     int64_t now_ms);

/* The attribute at PATH, of roots USER and ACCOUNT. */
struct naive_value oracle_eval_attribute(const struct oracle_user *user,
                                         const struct path *path,
                                         int64_t now_ms);

/* 1: SEGMENT includes USER by name, 0: it excludes him, -1: neither. */
int oracle_eval_listed(const struct oracle_user *user,
                       const struct rule_segment *segment);

/* Whether USER is in segment INDEX at NOW_MS: list, then condition. */
int oracle_eval_segment(const struct oracle *oracle,
                        const struct oracle_user *user, int index,
                        int64_t now_ms);

/* How many events of USER have ages [TO_MS, FROM_MS), see rule_window. */
int64_t oracle_eval_count(const struct oracle *oracle,
                          const struct oracle_user *user,
                          const struct rule_event *event,
                          const struct rule_window *window, int64_t now_ms);

/* Add the edges that MESSAGE brings to USER. */
void oracle_edge_add(struct oracle *oracle, struct oracle_user *user,
                     const struct oracle_message *message);

/* The least edge of USER, or SEG_NEVER; and take it out. */
int64_t oracle_edge_least(const struct oracle_user *user);
void oracle_edge_pop(struct oracle_user *user);

void *oracle_grow(void *items, size_t *cap, size_t need, size_t size);

#endif
