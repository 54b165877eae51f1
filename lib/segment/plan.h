/* plan.h: a catalogue as the engine sees it.
 *
 * The planner turns syntax trees into tables that answer, without a search:
 *
 *   which selectors may this event pass?        dispatch, by name and equality
 *   which features does a selector feed?        selector -> features
 *   which segments may a crossing change?       source -> flips -> segments
 *   in what order are segments judged?          rank
 *
 * A *source* is whatever a predicate measures: a feature, an attribute, or a
 * *watch*: when the user entered and left a segment last. Its number is also the
 * id of its item in a user's block: features come first, then attributes, then
 * watches. A *predicate* is a test of a source, or of two. Features with one
 * canonical text are one, however many segments use them.
 *
 *   event --dispatch--> selector --> feature --crossed a flip--> segments
 *                                                    |
 *                                         condition: and or not predicate
 *
 * Everything is made once, lies in the arena of its rules, and never changes.
 */
#ifndef SEGMENT_PLAN_H
#define SEGMENT_PLAN_H

#include <stdint.h>

#include <seg/catalogue.h>

#include "lib/base/buf.h"
#include "lib/event/event_spec.h"
#include "lib/segment/rule.h"
#include "lib/segment/value_test.h"
#include "lib/user/feature.h"

#define PLAN_NONE UINT32_MAX

/* Some numbers of segments, selectors ... */
struct number_list {
    uint32_t count;
    const uint32_t *items;
};

enum filter_kind { FILTER_AND, FILTER_OR, FILTER_NOT, FILTER_TEST };

/* A `where`: a condition on one event. */
struct filter {
    enum filter_kind kind;
    uint32_t count;
    const struct filter *children;
    uint32_t path; /* TEST: a seg_field's. */
    struct value_test test;
};

/* A set of events: those of some names that pass a filter. */
struct selector {
    const struct filter *filter; /* NULL: all. */
    struct number_list features; /* Fed by them. */
    uint32_t role_count;         /* Those that ask in which role. */
    const struct selector_role {
        uint32_t feature;
        uint32_t role; /* feature.h: of a SCORE, of a SEQUENCE. */
    } * roles;
};

/* The selectors that an event of one name may pass: those without a known
 * equality, and, by the value of a property, those with one. */
struct dispatch {
    struct number_list always;
    uint32_t switch_count;
    const struct dispatch_switch {
        uint32_t path;
        struct intern values;            /* Texts that some selector wants. */
        const struct number_list *lists; /* By number of the value. */
    } * switches;
};

enum predicate_kind {
    PREDICATE_RANGE,   /* A count lies within low to high. */
    PREDICATE_VALUE,   /* A test of the measure. */
    PREDICATE_DAYS,    /* A test of an age in days (recency.c). */
    PREDICATE_SCORE,   /* A test of a score (score.c). */
    PREDICATE_COMPARE, /* Two measures against each other. */
    PREDICATE_ENTERED, /* The latest entry into a segment was within low ms; */
    PREDICATE_LEFT,    /* the latest exit. */
};

struct predicate {
    enum predicate_kind kind;
    uint32_t source;
    uint32_t other;    /* COMPARE: source of the right side. */
    int64_t low, high; /* RANGE; high may be INT64_MAX. */
    int64_t percent;   /* COMPARE: hundredths of a percent of the right side. */
    struct value_test test; /* VALUE, DAYS, SCORE; COMPARE: its op alone. */
    int64_t shown_max;      /* A count is shown up to this. */
    int timed;          /* May change by time alone while the measures stay. */
    const char *text;   /* Canonical spelling. */
    const char *needed; /* What explain says is needed. */
    const struct rule_cond *rule;
};

enum cond_op {
    OP_AND,
    OP_OR,
    OP_NOT,
    OP_EVERYONE,
    OP_PREDICATE,
    OP_MEMBER,
    OP_SHARE, /* `user in 10% by "salt"`. */
};

struct cond {
    enum cond_op op;
    uint32_t count; /* Children. */
    const struct cond *children;
    uint32_t number;  /* PREDICATE: which; MEMBER: segment. */
    const char *text; /* EVERYONE, MEMBER, SHARE: canonical spelling. */
    const struct rule_cond *rule; /* SHARE. */
};

#define SEGMENT_NEEDS 2

struct segment {
    const struct rule_segment *rule;
    const struct cond *when;  /* NULL: nobody but those included. */
    const struct cond *until; /* NULL: until not `when`. */
    const char *when_text;
    uint64_t key_hash;
    uint32_t rank;  /* Place in the order of judgement. */
    uint32_t watch; /* Source that tells of its entries and exits; PLAN_NONE. */
    uint32_t needs[SEGMENT_NEEDS]; /* Features (plan_needs.c), or PLAN_NONE. */
    struct number_list dependents; /* Segments that ask `in segment` this. */
    struct number_list triggers;
};

/* A feature, attribute or watch, with all that depends on it. */
struct source {
    uint32_t predicate_count;
    const uint32_t *predicates;
    struct number_list segments; /* All that have such a predicate. */
    struct number_list every; /* Counting features: those of them that depend on
                                 every change of the count. */
    /* Counting features: flip i concerns flip_segments[i]. */
    const struct number_list *flip_segments;
    int counts; /* Whether it is a counting feature. */
    int timed;  /* Whether some predicate is, see there. */
    int trait;  /* Whether some trait is what it measures. */
};

struct attribute {
    struct path path;    /* Of the user or account. */
    uint32_t trait_path; /* Below a top-level attribute: the seg_field's path;
                            else PLAN_NONE. */
    int whole;           /* Lists are kept with the members of their objects. */
};

struct trigger {
    uint32_t segment;
    uint64_t key_hash; /* Of segment, on and name. */
    const struct rule_trigger *rule;
    const struct seg_trigger_property *properties;
    const uint32_t
        *sources; /* Of each property; PLAN_NONE: it is as it says. */
    int measured; /* Some property has a source. */
};

struct trait {
    const struct rule_trait *rule;
    uint32_t source;
};

/* A user named in include or exclude. */
struct listed {
    uint32_t count;
    const struct listed_segment {
        uint32_t segment;
        int include; /* 1: included, 0: excluded. */
    } * segments;
};

/* Numbers by hash, sorted: what a record names. */
struct hash_index {
    uint32_t count;
    const struct hash_number {
        uint64_t hash;
        uint32_t number;
    } * items;
};

struct plan {
    struct event_spec spec;
    uint32_t selector_count;
    const struct selector *selectors;
    const struct dispatch *by_name; /* By name_id. */
    struct dispatch any;            /* Selectors of `any`. */
    uint32_t feature_count;
    const struct feature *features;
    const char *const *feature_texts; /* Canonical. */
    uint32_t attribute_count;
    const struct attribute *attributes; /* Source feature_count + i. */
    /* Attributes by their top-level name: `user` and `account` apart. */
    struct intern trait_names[2];
    const struct number_list *trait_attributes[2];
    struct number_list account_segments; /* That read some account attribute. */
    uint32_t watch_count;
    const uint32_t *watches; /* Segment; source: after the attributes. */
    uint32_t source_count;
    const struct source *sources;
    uint32_t predicate_count;
    const struct predicate *predicates;
    uint32_t segment_count;
    const struct segment *segments; /* By key. */
    const uint32_t *by_rank;        /* Segment at each rank. */
    struct number_list
        born; /* Segments that a user without events may be in. */
    uint32_t trigger_count;
    const struct trigger *triggers;
    uint32_t trait_count;
    const struct trait *traits;
    struct intern listed_ids;
    const struct listed *listed; /* By number of the id. */
    struct intern segment_keys;  /* Number = index of the segment. */
    struct hash_index segment_hashes, feature_hashes, trigger_hashes;
    uint64_t hash;     /* Of the meaning of it all. */
    int state_version; /* The oldest of records that have room for it. */
};

/* Make the plan of RULES, which are checked and stay. Returns 0, SEG_ERR_LIMIT
 * beyond SEG_FEATURES_MAX, SEG_ATTRIBUTES_MAX or SEG_SEGMENTS_MAX, or
 * SEG_ERR_NOMEM; PLAN is to be ended in any case. */
int plan_init(struct plan *plan, struct rules *rules);
void plan_done(struct plan *plan);

/* The hash of segment KEY. A shadow is another segment than the one that is
 * published under its key: who is in the one need not be in the other. */
uint64_t plan_segment_hash(struct seg_text key, int shadow);

/* The hash of the trigger NAME of segment KEY; made in ROOM. */
uint64_t plan_trigger_hash(struct buf *room, struct seg_text key, int on_enter,
                           struct seg_text name);

/* What SOURCE measures of a user of whom nothing is known; of a counting one,
 * the count. */
struct seg_value plan_empty(const struct plan *plan, uint32_t source);
int64_t plan_empty_count(const struct plan *plan, uint32_t source);

/* The number that HASH has in INDEX, or PLAN_NONE. */
uint32_t plan_find(const struct hash_index *index, uint64_t hash);

/* Source number of attribute I. */
static inline uint32_t plan_attribute_source(const struct plan *plan,
                                             uint32_t i)
{
    return plan->feature_count + i;
}

static inline int plan_is_attribute(const struct plan *plan, uint32_t source)
{
    return source >= plan->feature_count &&
           source < plan->feature_count + plan->attribute_count;
}

static inline uint32_t plan_watch_source(const struct plan *plan, uint32_t i)
{
    return plan->feature_count + plan->attribute_count + i;
}

static inline int plan_is_watch(const struct plan *plan, uint32_t source)
{
    return source >= plan_watch_source(plan, 0) && source < plan->source_count;
}

#endif
