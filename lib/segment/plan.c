/* plan.c: syntax trees to the tables of a catalogue.
 *
 * First the conditions are compiled, gathering predicates, features,
 * attributes, selectors and paths as they are met; then each of these gets its
 * tables (plan_source.c, plan_event.c); then what concerns whole segments: the
 * order of judgement, who is in without having done anything, triggers, listed
 * users. */
#include "lib/segment/plan.h"

#include <stdlib.h>
#include <string.h>

#include <seg/query.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/segment/format.h"
#include "lib/segment/planner.h"

int growing_add(struct growing *list, uint32_t number)
{
    void *items = list->items;
    if (list->count && list->items[list->count - 1] == number)
        return 0;
    if (alloc_grow(&items, &list->cap, list->count + 1, sizeof(number)) < 0)
        return SEG_ERR_NOMEM;
    list->items = items;
    list->items[list->count++] = number;
    return 0;
}

void *planner_keep(struct planner *planner, const void *items, size_t count,
                   size_t size)
{
    void *kept = arena_alloc(planner->arena, count * size);
    if (kept && count)
        memcpy(kept, items, count * size);
    return kept;
}

int growing_take(struct planner *planner, struct growing *list,
                 struct number_list *ret)
{
    ret->items =
        planner_keep(planner, list->items, list->count, sizeof(*list->items));
    ret->count = (uint32_t)list->count;
    free(list->items);
    *list = (struct growing){0};
    return ret->items ? 0 : SEG_ERR_NOMEM;
}

const char *planner_text(struct planner *planner)
{
    if (buf_failed(&planner->text))
        return NULL;
    return arena_text(planner->arena,
                      (struct seg_text){planner->text.bytes, planner->text.len})
        .bytes;
}

/* ---- conditions ------------------------------------------------------------
 */

static const char *spelling(struct planner *planner,
                            const struct rule_cond *cond)
{
    buf_reset(&planner->text);
    format_cond(&planner->text, cond, FORMAT_LIST_NAMES);
    return planner_text(planner);
}

static int compile_cond(struct planner *planner, const struct rule_cond *rule,
                        uint32_t segment, struct cond *cond);

static int compile_children(struct planner *planner,
                            const struct rule_cond *rule, uint32_t segment,
                            struct cond *cond)
{
    struct cond *children =
        arena_calloc(planner->arena, (size_t)rule->count, sizeof(*children));
    if (!children)
        return SEG_ERR_NOMEM;
    cond->count = (uint32_t)rule->count;
    cond->children = children;
    for (int i = 0; i < rule->count; i++) {
        int ret =
            compile_cond(planner, rule->children[i], segment, &children[i]);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int compile_cond(struct planner *planner, const struct rule_cond *rule,
                        uint32_t segment, struct cond *cond)
{
    switch (rule->kind) {
    case COND_AND:
    case COND_OR:
    case COND_NOT:
        cond->op = rule->kind == COND_AND  ? OP_AND
                   : rule->kind == COND_OR ? OP_OR
                                           : OP_NOT;
        return compile_children(planner, rule, segment, cond);
    case COND_EVERYONE:
    case COND_IN_SEGMENT:
        cond->op = rule->kind == COND_EVERYONE ? OP_EVERYONE : OP_MEMBER;
        cond->number = (uint32_t)rule->segment;
        cond->text = spelling(planner, rule);
        return cond->text ? 0 : SEG_ERR_NOMEM;
    case COND_DID:
    case COND_MEASURE:
    case COND_PATH:
        break;
    }
    cond->op = OP_PREDICATE;
    return planner_predicate(planner, rule, segment, &cond->number);
}

static int compile_segment(struct planner *planner, uint32_t i,
                           struct segment *segment)
{
    const struct rule_segment *rule = &planner->rules->segments[i];
    struct seg_text key = rule->key;
    uint32_t number;
    segment->rule = rule;
    segment->key_hash = hash_bytes(key.bytes, key.len, 0);
    segment->when_text = "";
    if (intern_add(&planner->plan->segment_keys, key, &number) < 0)
        return SEG_ERR_NOMEM;
    if (!rule->when)
        return 0;
    segment->when_text = spelling(planner, rule->when);
    struct cond *cond = arena_calloc(planner->arena, 1, sizeof(*cond));
    if (!cond || !segment->when_text)
        return SEG_ERR_NOMEM;
    segment->when = cond;
    return compile_cond(planner, rule->when, i, cond);
}

/* ---- the order of judgement
 * -------------------------------------------------- */

/* Call EACH with every segment that COND asks `in segment`. */
static int each_asked(const struct cond *cond,
                      int (*each)(void *arg, uint32_t segment), void *arg)
{
    if (cond->op == OP_MEMBER)
        return each(arg, cond->number);
    for (uint32_t i = 0; i < cond->count; i++) {
        int ret = each_asked(&cond->children[i], each, arg);
        if (ret < 0)
            return ret;
    }
    return 0;
}

struct depths {
    const struct segment *segments;
    uint32_t *depth; /* 0: not known yet; else depth + 1. */
    uint32_t deepest;
    struct growing *dependents;
    uint32_t current;
};

static uint32_t depth_of(struct depths *depths, uint32_t segment);

static int deepen(void *arg, uint32_t segment)
{
    struct depths *depths = arg;
    uint32_t deepest = depths->deepest, depth = depth_of(depths, segment);
    depths->deepest = depth > deepest ? depth : deepest;
    return 0;
}

/* 1 for a segment that refers to no other, else 1 + that of the deepest. */
static uint32_t depth_of(struct depths *depths, uint32_t segment)
{
    if (!depths->depth[segment]) {
        depths->deepest = 0;
        if (depths->segments[segment].when)
            each_asked(depths->segments[segment].when, deepen, depths);
        depths->depth[segment] = depths->deepest + 1;
    }
    return depths->depth[segment];
}

static int add_dependent(void *arg, uint32_t segment)
{
    struct depths *depths = arg;
    return growing_add(&depths->dependents[segment], depths->current);
}

static int by_depth(const void *a, const void *b, void *arg)
{
    const struct depths *depths = arg;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    uint32_t dx = depths->depth[x], dy = depths->depth[y];
    return dx != dy ? (dx > dy) - (dx < dy) : (x > y) - (x < y);
}

static int rank_segments(struct planner *planner, struct segment *segments,
                         struct depths *depths)
{
    uint32_t count = planner->plan->segment_count;
    uint32_t *by_rank = arena_calloc(planner->arena, count, sizeof(*by_rank));
    if (!by_rank)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        by_rank[i] = i;
        depth_of(depths, i);
        depths->current = i;
        if (segments[i].when &&
            each_asked(segments[i].when, add_dependent, depths) < 0)
            return SEG_ERR_NOMEM;
    }
    qsort_r(by_rank, count, sizeof(*by_rank), by_depth, depths);
    for (uint32_t i = 0; i < count; i++)
        segments[by_rank[i]].rank = i;
    planner->plan->by_rank = by_rank;
    for (uint32_t i = 0; i < count; i++)
        if (growing_take(planner, &depths->dependents[i],
                         &segments[i].dependents) < 0)
            return SEG_ERR_NOMEM;
    return 0;
}

static int order_segments(struct planner *planner, struct segment *segments)
{
    size_t count = planner->plan->segment_count;
    struct depths depths = {
        .segments = segments,
        .depth = calloc(count + 1, sizeof(uint32_t)),
        .dependents = calloc(count + 1, sizeof(struct growing)),
    };
    int ret = depths.depth && depths.dependents
                  ? rank_segments(planner, segments, &depths)
                  : SEG_ERR_NOMEM;
    for (size_t i = 0; depths.dependents && i < count; i++)
        free(depths.dependents[i].items);
    free(depths.dependents);
    free(depths.depth);
    return ret;
}

/* ---- who is in without having done anything
 * ---------------------------------- */

/* What PREDICATE says of a user without events and attributes. */
static int empty_passes(const struct plan *plan,
                        const struct predicate *predicate)
{
    struct seg_value nothing = {.type = SEG_MISSING};
    struct seg_value zero = {.type = SEG_INT};
    struct test_context context = {0};
    if (predicate->kind == PREDICATE_RANGE)
        return predicate->low == 0;
    return value_test(
        &predicate->test,
        plan->sources[predicate->source].counts ? &zero : &nothing, &context);
}

/* The truth of COND for such a user; other segments are unknown. */
static int empty_truth(const struct plan *plan, const struct cond *cond)
{
    int all = SEG_TRUE, any = SEG_FALSE;
    for (uint32_t i = 0; i < cond->count; i++) {
        int truth = empty_truth(plan, &cond->children[i]);
        all = truth < all ? truth : all;
        any = truth > any ? truth : any;
    }
    switch (cond->op) {
    case OP_AND:
        return all;
    case OP_OR:
        return any;
    case OP_NOT:
        return SEG_TRUE - all;
    case OP_EVERYONE:
        return SEG_TRUE;
    case OP_MEMBER:
        return SEG_UNKNOWN;
    case OP_PREDICATE:
        break;
    }
    return empty_passes(plan, &plan->predicates[cond->number]) ? SEG_TRUE
                                                               : SEG_FALSE;
}

static int find_born(struct planner *planner)
{
    struct plan *plan = planner->plan;
    struct growing born = {0};
    for (uint32_t i = 0; i < plan->segment_count; i++)
        if (plan->segments[i].when &&
            empty_truth(plan, plan->segments[i].when) != SEG_FALSE &&
            growing_add(&born, i) < 0) {
            free(born.items);
            return SEG_ERR_NOMEM;
        }
    return growing_take(planner, &born, &plan->born);
}

/* ---- triggers
 * ------------------------------------------------------------------ */

uint64_t plan_trigger_hash(struct buf *room, struct seg_text key, int on_enter,
                           struct seg_text name)
{
    buf_reset(room);
    buf_text(room, key);
    buf_str(room, on_enter ? " enter " : " exit ");
    buf_text(room, name);
    return hash_bytes(room->bytes, room->len, 0);
}

static int compile_trigger(struct planner *planner, uint32_t segment,
                           const struct rule_trigger *rule,
                           struct trigger *trigger)
{
    struct seg_trigger_property *properties = arena_calloc(
        planner->arena, (size_t)rule->property_count, sizeof(*properties));
    if (!properties)
        return SEG_ERR_NOMEM;
    for (int i = 0; i < rule->property_count; i++)
        properties[i] = (struct seg_trigger_property){
            rule->properties[i].name_count, rule->properties[i].names,
            rule->properties[i].value.value};
    uint64_t hash =
        plan_trigger_hash(&planner->text, planner->rules->segments[segment].key,
                          rule->on_enter, rule->name);
    *trigger = (struct trigger){segment, hash, rule, properties};
    return buf_failed(&planner->text) ? SEG_ERR_NOMEM : 0;
}

static int make_triggers(struct planner *planner, struct segment *segments)
{
    struct plan *plan = planner->plan;
    size_t count = 0;
    for (uint32_t i = 0; i < plan->segment_count; i++)
        count += (size_t)segments[i].rule->trigger_count;
    struct trigger *triggers =
        arena_calloc(planner->arena, count, sizeof(*triggers));
    uint32_t *numbers = arena_calloc(planner->arena, count, sizeof(*numbers));
    if (!triggers || !numbers)
        return SEG_ERR_NOMEM;
    plan->triggers = triggers;
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct rule_segment *rule = segments[i].rule;
        segments[i].triggers = (struct number_list){
            (uint32_t)rule->trigger_count, numbers + plan->trigger_count};
        for (int t = 0; t < rule->trigger_count; t++) {
            uint32_t n = plan->trigger_count++;
            numbers[n] = n;
            if (compile_trigger(planner, i, &rule->triggers[t], &triggers[n]) <
                0)
                return SEG_ERR_NOMEM;
        }
    }
    return 0;
}

/* ---- listed users
 * ----------------------------------------------------------------- */

struct listing {
    struct listed_segment *items;
    size_t count, cap;
};

struct listings {
    struct listing *items;
    size_t cap;
};

static int list_user(struct planner *planner, struct listings *listings,
                     const struct seg_value *id, uint32_t segment, int include)
{
    uint32_t number;
    void *items = listings->items;
    if (id->type != SEG_TEXT)
        return 0;
    int ret = intern_add(&planner->plan->listed_ids,
                         (struct seg_text){id->as.text, id->len}, &number);
    if (ret < 0 || alloc_grow(&items, &listings->cap, number + 1ul,
                              sizeof(*listings->items)) < 0)
        return SEG_ERR_NOMEM;
    listings->items = items;
    struct listing *listing = &listings->items[number];
    if (ret == 1)
        *listing = (struct listing){0};
    void *segments = listing->items;
    if (alloc_grow(&segments, &listing->cap, listing->count + 1,
                   sizeof(*listing->items)) < 0)
        return SEG_ERR_NOMEM;
    listing->items = segments;
    listing->items[listing->count++] =
        (struct listed_segment){segment, include};
    return 0;
}

static int list_segment(struct planner *planner, struct listings *listings,
                        uint32_t segment)
{
    const struct rule_segment *rule = &planner->rules->segments[segment];
    int ret = 0;
    for (int i = 0; ret == 0 && i < rule->include.count; i++)
        ret = list_user(planner, listings, &rule->include.items[i].value,
                        segment, 1);
    for (int i = 0; ret == 0 && i < rule->exclude.count; i++)
        ret = list_user(planner, listings, &rule->exclude.items[i].value,
                        segment, 0);
    return ret;
}

static int make_listed(struct planner *planner)
{
    struct plan *plan = planner->plan;
    struct listings listings = {0};
    int ret = 0;
    for (uint32_t i = 0; ret == 0 && i < plan->segment_count; i++)
        ret = list_segment(planner, &listings, i);
    uint32_t count = plan->listed_ids.count;
    struct listed *made = arena_calloc(planner->arena, count, sizeof(*made));
    plan->listed = made;
    for (uint32_t i = 0; ret == 0 && made && i < count; i++) {
        made[i].count = (uint32_t)listings.items[i].count;
        made[i].segments =
            planner_keep(planner, listings.items[i].items, made[i].count,
                         sizeof(struct listed_segment));
        ret = made[i].segments ? 0 : SEG_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < count && i < listings.cap; i++)
        free(listings.items[i].items);
    free(listings.items);
    return made ? ret : SEG_ERR_NOMEM;
}

/* ---- numbers by hash
 * ----------------------------------------------------------------- */

static int by_hash(const void *a, const void *b)
{
    uint64_t x = ((const struct hash_number *)a)->hash;
    uint64_t y = ((const struct hash_number *)b)->hash;
    return (x > y) - (x < y);
}

uint32_t plan_find(const struct hash_index *index, uint64_t hash)
{
    struct hash_number wanted = {hash, 0};
    const struct hash_number *found =
        index->count ? bsearch(&wanted, index->items, index->count,
                               sizeof(wanted), by_hash)
                     : NULL;
    return found ? found->number : PLAN_NONE;
}

/* An index of COUNT hashes, one in each STRIDE bytes from FIRST on. */
static int make_index(struct planner *planner, const uint64_t *first,
                      uint32_t count, size_t stride, struct hash_index *index)
{
    struct hash_number *items =
        arena_calloc(planner->arena, count, sizeof(*items));
    if (!items)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct hash_number){
            *(const uint64_t *)((const char *)first + i * stride), i};
    if (count)
        qsort(items, count, sizeof(*items), by_hash);
    *index = (struct hash_index){count, items};
    return 0;
}

static int make_indexes(struct planner *planner)
{
    struct plan *plan = planner->plan;
    int ret =
        make_index(planner, &plan->segments->key_hash, plan->segment_count,
                   sizeof(struct segment), &plan->segment_hashes);
    if (ret == 0)
        ret = make_index(planner, &plan->features->key, plan->feature_count,
                         sizeof(struct feature), &plan->feature_hashes);
    return ret < 0 ? ret
                   : make_index(planner, &plan->triggers->key_hash,
                                plan->trigger_count, sizeof(struct trigger),
                                &plan->trigger_hashes);
}

/* ---- the name of it all
 * ------------------------------------------------------------ */

/* All that segments mean: neither titles, comments, tests, order nor spelling.
 */
static int hash_plan(struct planner *planner)
{
    struct buf *text = &planner->text;
    buf_reset(text);
    for (uint32_t i = 0; i < planner->plan->segment_count; i++) {
        const struct rule_segment *rule = &planner->rules->segments[i];
        buf_text(text, rule->key);
        if (rule->when) {
            buf_str(text, "\nwhen ");
            format_cond(text, rule->when, FORMAT_LIST_VALUES);
        }
        buf_str(text, "\ninclude ");
        format_values(text, &rule->include, FORMAT_LIST_VALUES);
        buf_str(text, "\nexclude ");
        format_values(text, &rule->exclude, FORMAT_LIST_VALUES);
        for (int t = 0; t < rule->trigger_count; t++) {
            const struct rule_trigger *trigger = &rule->triggers[t];
            buf_printf(text, "\non %s once %d per %lld trigger ",
                       trigger->on_enter ? "enter" : "exit", trigger->once,
                       (long long)trigger->cooldown_ms);
            buf_json_text(text, trigger->name);
            format_properties(text, trigger->properties,
                              trigger->property_count);
        }
        buf_char(text, '\n');
    }
    planner->plan->hash = hash_bytes(text->bytes, text->len, 0);
    return buf_failed(text) ? SEG_ERR_NOMEM : 0;
}

/* ---- all together
 * -------------------------------------------------------------------- */

static int make_plan(struct planner *planner)
{
    struct plan *plan = planner->plan;
    uint32_t count = (uint32_t)planner->rules->segment_count;
    struct segment *segments =
        arena_calloc(planner->arena, count, sizeof(*segments));
    int ret = segments ? 0 : SEG_ERR_NOMEM;
    plan->segments = segments;
    plan->segment_count = count;
    for (uint32_t i = 0; ret == 0 && i < count; i++)
        ret = compile_segment(planner, i, &segments[i]);
    if (ret == 0)
        ret = planner_sources(planner);
    if (ret == 0)
        planner_needs(planner, segments);
    if (ret == 0)
        ret = planner_events(planner);
    if (ret == 0)
        ret = order_segments(planner, segments);
    if (ret == 0)
        ret = find_born(planner);
    if (ret == 0)
        ret = make_triggers(planner, segments);
    if (ret == 0)
        ret = make_listed(planner);
    if (ret == 0)
        ret = make_indexes(planner);
    return ret == 0 ? hash_plan(planner) : ret;
}

/* A predicate that did not get into the plan owns a set perhaps. */
static void planner_done(struct planner *planner)
{
    struct plan *plan = planner->plan;
    for (uint32_t i = 0; i < plan->predicate_count; i++) {
        free(planner->users[i].items);
        if (!plan->predicates)
            value_test_done(&planner->predicate_items[i].test);
    }
    for (uint32_t i = 0;
         i < planner->selectors.count && i < planner->selector_cap; i++)
        free(planner->selector_items[i].features.items);
    free(planner->users);
    free(planner->predicate_items);
    free(planner->selector_items);
    free(planner->feature_items);
    free(planner->feature_texts);
    free(planner->attribute_items);
    free(planner->path_items);
    free(planner->trait_path_items);
    intern_done(&planner->paths);
    intern_done(&planner->trait_paths);
    intern_done(&planner->selectors);
    intern_done(&planner->features);
    intern_done(&planner->attributes);
    buf_done(&planner->text);
}

int plan_init(struct plan *plan, struct rules *rules)
{
    struct planner planner = {
        .plan = plan, .rules = rules, .arena = &rules->arena};
    *plan = (struct plan){0};
    if (rules->segment_count > SEG_SEGMENTS_MAX)
        return SEG_ERR_LIMIT;
    int ret = make_plan(&planner);
    planner_done(&planner);
    return ret;
}

void plan_done(struct plan *plan)
{
    planner_events_done(plan);
    planner_sources_done(plan);
    intern_done(&plan->listed_ids);
    intern_done(&plan->segment_keys);
}
