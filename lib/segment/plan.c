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
#include "lib/segment/compare.h"
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

/* ---- conditions --------------------------------------------------------- */

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
    case COND_SHARE:
        cond->op = rule->kind == COND_EVERYONE     ? OP_EVERYONE
                   : rule->kind == COND_IN_SEGMENT ? OP_MEMBER
                                                   : OP_SHARE;
        cond->number = (uint32_t)rule->segment;
        cond->rule = rule;
        cond->text = spelling(planner, rule);
        return cond->text ? 0 : SEG_ERR_NOMEM;
    case COND_DID:
    case COND_SEQUENCE:
    case COND_LATEST:
    case COND_MEASURE:
    case COND_COMPARE:
    case COND_PATH:
    case COND_ENTERED:
    case COND_LEFT:
        break;
    }
    cond->op = OP_PREDICATE;
    return planner_predicate(planner, rule, segment, &cond->number);
}

/* Another seed would not do: of short keys, one with seed 1 and another with
 * seed 0 may have the same hash ("s12" and "s15"). */
uint64_t plan_segment_hash(struct seg_text key, int shadow)
{
    uint64_t hash = hash_bytes(key.bytes, key.len, 0);
    return shadow ? ~hash : hash;
}

/* RULE, a condition of segment I or NULL, as *RET. */
static int compile_root(struct planner *planner, const struct rule_cond *rule,
                        uint32_t i, const struct cond **ret)
{
    struct cond *cond =
        rule ? arena_calloc(planner->arena, 1, sizeof(*cond)) : NULL;
    *ret = cond;
    if (!rule)
        return 0;
    return cond ? compile_cond(planner, rule, i, cond) : SEG_ERR_NOMEM;
}

static int compile_segment(struct planner *planner, uint32_t i,
                           struct segment *segment)
{
    const struct rule_segment *rule = &planner->rules->segments[i];
    struct seg_text key = rule->key;
    uint32_t number;
    segment->rule = rule;
    segment->key_hash = plan_segment_hash(key, rule->shadow);
    segment->when_text = "";
    if (intern_add(&planner->plan->segment_keys, key, &number) < 0)
        return SEG_ERR_NOMEM;
    if (rule->when)
        segment->when_text = spelling(planner, rule->when);
    if (!segment->when_text)
        return SEG_ERR_NOMEM;
    int ret = compile_root(planner, rule->when, i, &segment->when);
    return ret < 0 ? ret
                   : compile_root(planner, rule->until, i, &segment->until);
}

/* ---- the order of judgement --------------------------------------------- */

/* Call EACH with every segment that COND asks about: `in segment`, `entered`,
 * `left`. */
static int each_in(const struct plan *plan, const struct cond *cond,
                   int (*each)(void *arg, uint32_t segment), void *arg)
{
    if (cond->op == OP_MEMBER)
        return each(arg, cond->number);
    if (cond->op == OP_PREDICATE) {
        const struct predicate *predicate = &plan->predicates[cond->number];
        return predicate->kind == PREDICATE_ENTERED ||
                       predicate->kind == PREDICATE_LEFT
                   ? each(arg, (uint32_t)predicate->rule->segment)
                   : 0;
    }
    for (uint32_t i = 0; i < cond->count; i++) {
        int ret = each_in(plan, &cond->children[i], each, arg);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int each_asked(const struct plan *plan, uint32_t segment,
                      int (*each)(void *arg, uint32_t segment), void *arg)
{
    const struct segment *of = &plan->segments[segment];
    int ret = of->when ? each_in(plan, of->when, each, arg) : 0;
    if (ret == 0 && of->until)
        ret = each_in(plan, of->until, each, arg);
    return ret;
}

struct ordering {
    const struct plan *plan;
    struct ordered {
        uint32_t depth;  /* 1 if it asks about no other, else 1 + that of the
                            deepest it asks about. */
        uint32_t awaits; /* So many of those it asks about have none yet. */
        struct growing dependents;
    } * items;
    uint32_t current;
};

static int add_dependent(void *arg, uint32_t segment)
{
    struct ordering *ordering = arg;
    return growing_add(&ordering->items[segment].dependents, ordering->current);
}

/* Fill BY_RANK with all COUNT segments, which ask in no circle, each behind
 * those it asks about: a chain may be as long as there are segments. */
static void find_depths(struct ordering *ordering, uint32_t *by_rank,
                        uint32_t count)
{
    struct ordered *items = ordering->items;
    uint32_t end = 0;
    for (uint32_t i = 0; i < count; i++) {
        items[i].depth = 1;
        for (size_t k = 0; k < items[i].dependents.count; k++)
            items[items[i].dependents.items[k]].awaits++;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!items[i].awaits)
            by_rank[end++] = i;
    for (uint32_t at = 0; at < end; at++) {
        const struct ordered *of = &items[by_rank[at]];
        for (size_t i = 0; i < of->dependents.count; i++) {
            struct ordered *to = &items[of->dependents.items[i]];
            if (to->depth <= of->depth)
                to->depth = of->depth + 1;
            if (--to->awaits == 0)
                by_rank[end++] = of->dependents.items[i];
        }
    }
}

static int by_depth(const void *a, const void *b, void *arg)
{
    const struct ordering *ordering = arg;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    uint32_t dx = ordering->items[x].depth, dy = ordering->items[y].depth;
    return dx != dy ? (dx > dy) - (dx < dy) : (x > y) - (x < y);
}

static int rank_segments(struct planner *planner, struct segment *segments,
                         struct ordering *ordering)
{
    uint32_t count = planner->plan->segment_count;
    uint32_t *by_rank = arena_calloc(planner->arena, count, sizeof(*by_rank));
    if (!by_rank)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        ordering->current = i;
        if (each_asked(ordering->plan, i, add_dependent, ordering) < 0)
            return SEG_ERR_NOMEM;
    }
    find_depths(ordering, by_rank, count);
    qsort_r(by_rank, count, sizeof(*by_rank), by_depth, ordering);
    for (uint32_t i = 0; i < count; i++)
        segments[by_rank[i]].rank = i;
    planner->plan->by_rank = by_rank;
    for (uint32_t i = 0; i < count; i++)
        if (growing_take(planner, &ordering->items[i].dependents,
                         &segments[i].dependents) < 0)
            return SEG_ERR_NOMEM;
    return 0;
}

static int order_segments(struct planner *planner, struct segment *segments)
{
    size_t count = planner->plan->segment_count;
    struct ordering ordering = {
        .plan = planner->plan,
        .items = calloc(count + 1, sizeof(*ordering.items)),
    };
    int ret = ordering.items ? rank_segments(planner, segments, &ordering)
                             : SEG_ERR_NOMEM;
    for (size_t i = 0; ordering.items && i < count; i++)
        free(ordering.items[i].dependents.items);
    free(ordering.items);
    return ret;
}

/* ---- who is in without having done anything ----------------------------- */

static int empty_compares(const struct plan *plan,
                          const struct predicate *predicate)
{
    struct measured left = measured_of(plan_empty(plan, predicate->source));
    struct measured right = measured_of(plan_empty(plan, predicate->other));
    return compare_measured(predicate, &left, &right, NULL);
}

/* What PREDICATE says of a user without events and attributes. */
static int empty_passes(const struct plan *plan,
                        const struct predicate *predicate)
{
    struct test_context context = {0};
    int64_t count = plan_empty_count(plan, predicate->source);
    switch (predicate->kind) {
    case PREDICATE_RANGE:
        return count >= predicate->low && count <= predicate->high;
    case PREDICATE_COMPARE:
        return empty_compares(plan, predicate);
    case PREDICATE_ENTERED:
    case PREDICATE_LEFT:
        return 0;
    case PREDICATE_VALUE:
    case PREDICATE_DAYS:
    case PREDICATE_SCORE:
        break;
    }
    struct seg_value value = plan_empty(plan, predicate->source);
    return value_test(&predicate->test, &value, &context);
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
    case OP_SHARE:
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

/* ---- numbers by hash ---------------------------------------------------- */

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

/* ---- the name of it all ------------------------------------------------- */

/* What scores and traits mean that segments name. */
static void hash_definitions(struct planner *planner)
{
    const struct rules *rules = planner->rules;
    struct buf *text = &planner->text;
    for (int i = 0; i < rules->score_count; i++) {
        const struct rule_score *score = &rules->scores[i];
        if (!score->used)
            continue;
        buf_str(text, "score ");
        buf_text(text, score->key);
        buf_printf(text, " %lld", (long long)score->half_life_ms);
        for (int w = 0; w < score->weight_count; w++) {
            buf_char(text, '\n');
            format_event(text, &score->weights[w].event, FORMAT_LIST_VALUES);
            buf_printf(text, " %lld", (long long)score->weights[w].weight);
        }
        buf_char(text, '\n');
    }
    for (int i = 0; i < rules->trait_count; i++) {
        buf_str(text, "trait ");
        buf_text(text, rules->traits[i].key);
        buf_str(text, " = ");
        format_measure(text, &rules->traits[i].measure, FORMAT_LIST_VALUES);
        buf_char(text, '\n');
    }
}

/* All that segments mean: neither titles, comments, tests, order nor spelling.
 */
static int hash_plan(struct planner *planner)
{
    struct buf *text = &planner->text;
    buf_reset(text);
    for (uint32_t i = 0; i < planner->plan->segment_count; i++) {
        const struct rule_segment *rule = &planner->rules->segments[i];
        buf_text(text, rule->key);
        if (rule->shadow)
            buf_str(text, "\nshadow");
        if (rule->when) {
            buf_str(text, "\nwhen ");
            format_cond(text, rule->when, FORMAT_LIST_VALUES);
        }
        if (rule->until) {
            buf_str(text, "\nuntil ");
            format_cond(text, rule->until, FORMAT_LIST_VALUES);
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
                              trigger->property_count, FORMAT_LIST_VALUES);
        }
        buf_char(text, '\n');
    }
    hash_definitions(planner);
    planner->plan->hash = hash_bytes(text->bytes, text->len, 0);
    return buf_failed(text) ? SEG_ERR_NOMEM : 0;
}

/* ---- all together ------------------------------------------------------- */

#define VERSION_OF_FIRST_KINDS 1
#define VERSION_OF_ALL         2

static void find_version(struct plan *plan)
{
    plan->state_version = plan->watch_count || plan->trait_count ||
                                  plan->spec.whole || plan->spec.whole_traits
                              ? VERSION_OF_ALL
                              : VERSION_OF_FIRST_KINDS;
    for (uint32_t i = 0; i < plan->feature_count; i++)
        if (feature_code(plan->features[i].kind) > FEATURE_CODE_FIRST_MAX)
            plan->state_version = VERSION_OF_ALL;
}

static int make_plan(struct planner *planner)
{
    struct plan *plan = planner->plan;
    uint32_t count = (uint32_t)planner->rules->segment_count;
    struct segment *segments =
        arena_calloc(planner->arena, count, sizeof(*segments));
    int ret = segments ? 0 : SEG_ERR_NOMEM;
    plan->segments = segments;
    plan->segment_count = count;
    for (uint32_t i = 0; segments && i < count; i++)
        segments[i].watch = PLAN_NONE;
    for (uint32_t i = 0; ret == 0 && i < count; i++)
        ret = compile_segment(planner, i, &segments[i]);
    if (ret == 0)
        ret = planner_triggers(planner, segments);
    if (ret == 0)
        ret = planner_traits(planner);
    if (ret == 0)
        ret = planner_sources(planner);
    if (ret == 0)
        planner_needs(planner, segments);
    if (ret == 0)
        ret = planner_events(planner);
    if (ret == 0)
        find_version(plan);
    if (ret == 0)
        ret = order_segments(planner, segments);
    if (ret == 0)
        ret = find_born(planner);
    if (ret == 0)
        planner_settle_triggers(planner);
    if (ret == 0)
        ret = planner_listed(planner);
    if (ret == 0)
        ret = make_indexes(planner);
    return ret == 0 ? hash_plan(planner) : ret;
}

static void selector_free(struct planned_selector *selector)
{
    free(selector->features.items);
    free(selector->roles);
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
        selector_free(&planner->selector_items[i]);
    free(planner->watches.items);
    free(planner->whole_paths.items);
    free(planner->whole_trait_paths.items);
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
