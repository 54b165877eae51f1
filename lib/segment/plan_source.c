/* plan_source.c: what conditions measure, and what a new measure concerns.
 *
 * A counting feature is known only as far as its tests ask: each test of a
 * count yields *flips*, the counts at which its truth changes (`at least 3`: 3;
 * `exactly 1`: 1 and 2). Between two flips nothing changes, beyond the last one
 * nothing ever does: so that many events are kept. Where a count is compared
 * with another measure every change of it may matter, and all are kept. */
#include <math.h>
#include <stdlib.h>

#include <seg/error.h>

#include "lib/segment/planner.h"

#define FLIP_NONE  0          /* Gather the segments of all predicates, */
#define FLIP_EVERY UINT32_MAX /* of those that every change concerns. */

_Static_assert(SEG_FEATURES_MAX + SEG_ATTRIBUTES_MAX + SEG_SEGMENTS_MAX <
                   USER_ITEM_SPECIAL,
               "a source's number is the id of an item");

/* ---- flips --------------------------------------------------------------- */

int predicate_passes(const struct predicate *predicate, int64_t count)
{
    struct seg_value value = {.type = SEG_INT, .as.integer = count};
    struct test_context context = {0};
    if (predicate->kind == PREDICATE_RANGE)
        return count >= predicate->low && count <= predicate->high;
    return value_test(&predicate->test, &value, &context);
}

/* FLIPS gets COUNT if PREDICATE's truth changes there. */
static int try_flip(struct growing *flips, const struct predicate *predicate,
                    int64_t count)
{
    if (count < 1 || count >= FLIP_EVERY ||
        predicate_passes(predicate, count - 1) ==
            predicate_passes(predicate, count))
        return 0;
    return growing_add(flips, (uint32_t)count);
}

static int find_flips(struct growing *flips, const struct predicate *predicate)
{
    if (predicate->kind == PREDICATE_RANGE) {
        int ret = try_flip(flips, predicate, predicate->low);
        if (ret == 0 && predicate->high < UINT32_MAX)
            ret = try_flip(flips, predicate, predicate->high + 1);
        return ret;
    }
    for (int i = 0; i < predicate->test.rule->values.count; i++) {
        const struct seg_value *value = &predicate->test.operands[i].value;
        double number = value->type == SEG_INT      ? (double)value->as.integer
                        : value->type == SEG_DOUBLE ? value->as.number
                                                    : -1;
        if (!(number >= -1 && number < UINT32_MAX))
            continue;
        for (int64_t more = 0; more <= 1; more++) {
            int ret = try_flip(flips, predicate, (int64_t)ceil(number) + more);
            if (ret < 0)
                return ret;
        }
    }
    return 0;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void sort_unique(struct growing *list)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->items, list->count, sizeof(*list->items), by_number);
    for (size_t i = 0; i < list->count; i++)
        if (!kept || list->items[kept - 1] != list->items[i])
            list->items[kept++] = list->items[i];
    list->count = kept;
}

/* Whether what FLIP says concerns PREDICATE. */
static int is_concerned(const struct predicate *predicate, uint32_t flip)
{
    if (flip == FLIP_NONE)
        return 1;
    if (flip == FLIP_EVERY || predicate->kind == PREDICATE_COMPARE)
        return flip == FLIP_EVERY && predicate->kind == PREDICATE_COMPARE;
    return predicate_passes(predicate, flip - INT64_C(1)) !=
           predicate_passes(predicate, flip);
}

/* The segments of the predicates of a source whose truth changes at FLIP. */
static int gather_segments(struct planner *planner,
                           const struct growing *predicates, uint32_t flip,
                           struct number_list *ret)
{
    struct growing list = {0};
    for (size_t i = 0; i < predicates->count; i++) {
        uint32_t n = predicates->items[i];
        if (!is_concerned(&planner->predicate_items[n], flip))
            continue;
        for (size_t j = 0; j < planner->users[n].count; j++)
            if (growing_add(&list, planner->users[n].items[j]) < 0) {
                free(list.items);
                return SEG_ERR_NOMEM;
            }
    }
    sort_unique(&list);
    return growing_take(planner, &list, ret);
}

int predicate_highest(const struct predicate *predicate, uint32_t *highest)
{
    struct growing flips = {0};
    int ret = find_flips(&flips, predicate);
    *highest = 0;
    for (size_t i = 0; ret == 0 && i < flips.count; i++)
        if (flips.items[i] > *highest)
            *highest = flips.items[i];
    free(flips.items);
    return ret;
}

/* Add the flips of PREDICATE to FLIPS. Beyond its own last one a test of a
 * count says the same of all counts: so far a count is shown. */
static int add_flips(struct growing *flips, struct predicate *predicate)
{
    uint32_t highest;
    if (predicate->kind == PREDICATE_COMPARE)
        return 0;
    int ret = predicate_highest(predicate, &highest);
    if (ret == 0)
        ret = find_flips(flips, predicate);
    if (ret == 0 && predicate->kind == PREDICATE_VALUE)
        predicate->shown_max = highest;
    return ret;
}

static int make_flips(struct planner *planner, struct feature *feature,
                      const struct growing *predicates, struct source *source)
{
    struct growing flips = {0};
    struct number_list made;
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < predicates->count; i++)
        ret =
            add_flips(&flips, &planner->predicate_items[predicates->items[i]]);
    sort_unique(&flips);
    int taken = growing_take(planner, &flips, &made);
    ret = ret < 0 ? ret : taken;
    if (ret < 0)
        return ret;
    feature->flip_count = made.count;
    feature->flips = made.items;
    ret = gather_segments(planner, predicates, FLIP_EVERY, &source->every);
    feature->every |= source->every.count > 0;
    if (feature->to_ms || feature->every)
        feature->keep = FEATURE_KEEP_ALL;
    else if (feature->keep != FEATURE_KEEP_ALL)
        feature->keep = made.count ? made.items[made.count - 1] : 1;
    struct number_list *segments =
        arena_calloc(planner->arena, made.count, sizeof(*segments));
    if (!segments)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < made.count && ret == 0; i++)
        ret = gather_segments(planner, predicates, made.items[i], &segments[i]);
    source->flip_segments = segments;
    source->counts = 1;
    return ret;
}

static int make_source(struct planner *planner, uint32_t number,
                       struct growing *predicates, struct source *source)
{
    struct number_list list;
    int ret =
        gather_segments(planner, predicates, FLIP_NONE, &source->segments);
    for (size_t i = 0; i < predicates->count; i++)
        source->timed |= planner->predicate_items[predicates->items[i]].timed;
    if (ret == 0 && number < planner->features.count &&
        feature_counts(planner->feature_items[number].kind))
        ret = make_flips(planner, &planner->feature_items[number], predicates,
                         source);
    if (ret == 0)
        ret = growing_take(planner, predicates, &list);
    if (ret < 0)
        return ret;
    source->predicate_count = list.count;
    source->predicates = list.items;
    return 0;
}

uint32_t planner_settle(const struct planner *planner, uint32_t source)
{
    uint32_t features = planner->features.count;
    if (source & PLANNED_ATTRIBUTE)
        return (source & ~PLANNED_ATTRIBUTE) + features;
    if (source & PLANNED_WATCH)
        return (source & ~PLANNED_WATCH) + features + planner->attributes.count;
    return source;
}

static int make_watches(struct planner *planner)
{
    struct plan *plan = planner->plan;
    plan->watch_count = (uint32_t)planner->watches.count;
    plan->watches = planner_keep(planner, planner->watches.items,
                                 planner->watches.count, sizeof(uint32_t));
    for (uint32_t i = 0; plan->watches && i < plan->watch_count; i++) {
        struct segment *segment =
            (struct segment *)&plan->segments[plan->watches[i]];
        segment->watch = planner_settle(planner, i | PLANNED_WATCH);
    }
    return plan->watches ? 0 : SEG_ERR_NOMEM;
}

static int make_sources(struct planner *planner)
{
    struct plan *plan = planner->plan;
    uint32_t count = planner->features.count + planner->attributes.count +
                     (uint32_t)planner->watches.count;
    struct growing *of_source = calloc(count + 1ul, sizeof(*of_source));
    struct source *sources =
        arena_calloc(planner->arena, count, sizeof(*sources));
    int ret = of_source && sources ? 0 : SEG_ERR_NOMEM;
    plan->source_count = count;
    plan->sources = sources;
    for (uint32_t i = 0; ret == 0 && i < plan->predicate_count; i++) {
        struct predicate *predicate = &planner->predicate_items[i];
        predicate->source = planner_settle(planner, predicate->source);
        ret = growing_add(&of_source[predicate->source], i);
        if (ret == 0 && predicate->kind == PREDICATE_COMPARE)
            ret = growing_add(&of_source[predicate->other], i);
    }
    for (uint32_t i = 0; ret == 0 && i < count; i++)
        ret = make_source(planner, i, &of_source[i], &sources[i]);
    for (uint32_t i = 0; of_source && i < count; i++)
        free(of_source[i].items);
    free(of_source);
    return ret;
}

/* ---- attributes by name ------------------------------------------------- */

static int make_trait_names(struct planner *planner, int account)
{
    struct plan *plan = planner->plan;
    struct intern *names = &plan->trait_names[account];
    uint32_t number, count = plan->attribute_count;
    struct growing *lists = calloc(count + 1ul, sizeof(*lists));
    struct number_list *made =
        arena_calloc(planner->arena, count, sizeof(*made));
    int ret = lists && made ? 0 : SEG_ERR_NOMEM;
    for (uint32_t i = 0; ret == 0 && i < count; i++) {
        const struct path *path = &plan->attributes[i].path;
        if ((path->root == PATH_ACCOUNT) != account)
            continue;
        if (intern_add(names, path->names[0], &number) < 0 ||
            growing_add(&lists[number], i) < 0)
            ret = SEG_ERR_NOMEM;
    }
    for (uint32_t i = 0; ret == 0 && i < names->count; i++)
        ret = growing_take(planner, &lists[i], &made[i]);
    plan->trait_attributes[account] = made;
    for (uint32_t i = 0; lists && i < count; i++)
        free(lists[i].items);
    free(lists);
    return ret;
}

static int make_account_segments(struct planner *planner)
{
    struct plan *plan = planner->plan;
    struct growing list = {0};
    for (uint32_t i = 0; i < plan->attribute_count; i++) {
        const struct source *source =
            &plan->sources[plan_attribute_source(plan, i)];
        if (plan->attributes[i].path.root != PATH_ACCOUNT)
            continue;
        for (uint32_t j = 0; j < source->segments.count; j++)
            if (growing_add(&list, source->segments.items[j]) < 0) {
                free(list.items);
                return SEG_ERR_NOMEM;
            }
    }
    sort_unique(&list);
    return growing_take(planner, &list, &plan->account_segments);
}

int planner_sources(struct planner *planner)
{
    struct plan *plan = planner->plan;
    plan->feature_count = planner->features.count;
    plan->attribute_count = planner->attributes.count;
    int ret = make_watches(planner);
    if (ret == 0)
        ret = make_sources(planner);
    if (ret < 0)
        return ret;
    plan->features = planner_keep(planner, planner->feature_items,
                                  plan->feature_count, sizeof(struct feature));
    plan->feature_texts = planner_keep(planner, planner->feature_texts,
                                       plan->feature_count, sizeof(char *));
    plan->attributes =
        planner_keep(planner, planner->attribute_items, plan->attribute_count,
                     sizeof(struct attribute));
    plan->predicates =
        planner_keep(planner, planner->predicate_items, plan->predicate_count,
                     sizeof(struct predicate));
    if (!plan->features || !plan->feature_texts || !plan->attributes ||
        !plan->predicates)
        return SEG_ERR_NOMEM;
    ret = make_trait_names(planner, 0);
    if (ret == 0)
        ret = make_trait_names(planner, 1);
    return ret == 0 ? make_account_segments(planner) : ret;
}

void planner_sources_done(struct plan *plan)
{
    for (uint32_t i = 0; plan->predicates && i < plan->predicate_count; i++)
        value_test_done((struct value_test *)&plan->predicates[i].test);
    intern_done(&plan->trait_names[0]);
    intern_done(&plan->trait_names[1]);
}

/* ---- of a user of whom nothing is known --------------------------------- */

int64_t plan_empty_count(const struct plan *plan, uint32_t source)
{
    return source < plan->feature_count &&
                   feature_counts(plan->features[source].kind)
               ? (int64_t)feature_empty(&plan->features[source])
               : 0;
}

struct seg_value plan_empty(const struct plan *plan, uint32_t source)
{
    struct seg_value value = {.type = SEG_MISSING};
    if (source < plan->feature_count &&
        (feature_counts(plan->features[source].kind) ||
         feature_is_zero(plan->features[source].kind))) {
        value.type = SEG_INT;
        value.as.integer = plan_empty_count(plan, source);
    }
    return value;
}
