/* planner.h: the making of a plan, shared by the files plan*.c.
 *
 * Arrays grow on the heap while the plan is made; when it is done they move
 * into the arena of the rules. */
#ifndef SEGMENT_PLANNER_H
#define SEGMENT_PLANNER_H

#include "lib/base/buf.h"
#include "lib/segment/plan.h"

/* A growing list of numbers; see list_add. */
struct growing {
    uint32_t *items;
    size_t count, cap;
};

struct planner {
    struct plan *plan;
    struct rules *rules;
    struct arena *arena; /* Of the rules. */
    struct buf text;     /* Scratch. */
    struct intern paths, trait_paths, selectors, features, attributes;
    struct planned_selector {
        struct rule_event event;
        struct growing features;
        struct selector_role *roles;
        size_t role_count, role_cap;
    } * selector_items;
    size_t selector_cap;
    struct feature *feature_items;
    const char **feature_texts;
    size_t feature_cap, feature_text_cap;
    struct attribute *attribute_items;
    size_t attribute_cap;
    struct path *path_items, *trait_path_items;
    size_t path_cap, trait_path_cap;
    struct predicate *predicate_items;
    size_t predicate_cap;
    struct growing *users; /* Of each predicate: the segments that use it. */
    size_t user_cap;
    struct growing watches; /* Segments. */
    /* Paths, and trait paths, into whose lists some segment looks. */
    struct growing whole_paths, whole_trait_paths;
};

/* Attributes are numbered after the features, watches after the attributes;
 * until there are all of them a source has one of these bits, and its number
 * among its like. */
#define PLANNED_ATTRIBUTE (UINT32_C(1) << 31)
#define PLANNED_WATCH     (UINT32_C(1) << 30)

/* Add NUMBER to LIST unless it is its last. Returns 0 or SEG_ERR_NOMEM. */
int growing_add(struct growing *list, uint32_t number);

/* LIST as it stays, in the arena; LIST is freed. Sets *RET. */
int growing_take(struct planner *planner, struct growing *list,
                 struct number_list *ret);

/* COUNT items of SIZE at ITEMS, copied into the arena; NULL: no memory. */
void *planner_keep(struct planner *planner, const void *items, size_t count,
                   size_t size);

/* The scratch text as a terminated string in the arena; NULL: no memory. */
const char *planner_text(struct planner *planner);

/* The number of the scratch text in INTERN; returns as intern_add. A text that
 * is not whole must not be taken for another one. */
static inline int planner_intern(const struct planner *planner,
                                 struct intern *intern, uint32_t *number)
{
    const struct seg_text text = {planner->text.bytes, planner->text.len};
    return buf_failed(&planner->text) ? SEG_ERR_NOMEM
                                      : intern_add(intern, text, number);
}

/* plan_trigger.c: triggers and traits, their sources still to be settled. */
int planner_triggers(struct planner *planner, struct segment *segments);
int planner_traits(struct planner *planner);
void planner_settle_triggers(struct planner *planner);

/* plan_listed.c: listed users. */
int planner_listed(struct planner *planner);

/* plan_event.c: number of the path PATH of an event. */
int planner_path(struct planner *planner, const struct path *path,
                 uint32_t *number);
/* Number of the selector of EVENT. */
int planner_selector(struct planner *planner, const struct rule_event *event,
                     uint32_t *number);
/* Make selectors and dispatch from what was gathered. */
int planner_events(struct planner *planner);
void planner_events_done(struct plan *plan);

/* plan_feature.c: number of the feature that MEASURE asks for, whose count, if
 * it is one, is looked at up to HIGHEST; FEATURE_KEEP_ALL: all of it. */
int planner_feature(struct planner *planner, const struct rule_measure *measure,
                    uint32_t highest, uint32_t *number);
/* The same for COND, a sequence or a habit. */
int planner_feature_of(struct planner *planner, const struct rule_cond *cond,
                       uint32_t *number);
/* MEASURE, or what the trait measures that it names. */
const struct rule_measure *planner_resolve(const struct planner *planner,
                                           const struct rule_measure *measure);
/* The counts that TIMES asks for: LOW to HIGH. */
void planner_range(const struct rule_times *times, int64_t *low, int64_t *high);

/* plan_predicate.c: source of the attribute PATH, still to be settled. */
int planner_attribute(struct planner *planner, const struct path *path,
                      uint32_t *source);
/* The predicate of COND, used by SEGMENT. */
int planner_predicate(struct planner *planner, const struct rule_cond *cond,
                      uint32_t segment, uint32_t *number);
/* plan_source.c: make features, attributes, predicates and sources from what
 * was gathered. */
int planner_sources(struct planner *planner);
/* The number of SOURCE, which may have one of the bits above. */
uint32_t planner_settle(const struct planner *planner, uint32_t source);
void planner_sources_done(struct plan *plan);
/* Whether COUNT passes PREDICATE, which is about one. */
int predicate_passes(const struct predicate *predicate, int64_t count);
/* The highest count at which PREDICATE's truth changes; 0: it never does. */
int predicate_highest(const struct predicate *predicate, uint32_t *highest);

/* plan_needs.c: the needs of all SEGMENTS; sources are made. */
void planner_needs(const struct planner *planner, struct segment *segments);

#endif
