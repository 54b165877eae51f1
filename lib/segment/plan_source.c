/* plan_source.c: what conditions measure, and what a new measure concerns.
 *
 * A counting feature is known only as far as its tests ask: each test of a
 * count yields *flips*, the counts at which its truth changes (`at least 3`: 3;
 * `exactly 1`: 1 and 2). Between two flips nothing changes, beyond the last one
 * nothing ever does: so that many events are kept. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/segment/format.h"
#include "lib/segment/planner.h"

_Static_assert(SEG_FEATURES_MAX + SEG_ATTRIBUTES_MAX < USER_ITEM_SPECIAL,
               "a source's number is the id of an item");

/* ---- features and attributes ------------------------------------------- */

static enum feature_kind kind_of(const struct rule_measure *measure)
{
    switch (measure->kind) {
    case MEASURE_FIRST:
        return FEATURE_FIRST;
    case MEASURE_LAST:
        return FEATURE_LAST;
    case MEASURE_DAYS_SINCE_FIRST:
        return FEATURE_FIRST_TIME;
    case MEASURE_DAYS_SINCE_LAST:
        return FEATURE_LAST_TIME;
    case MEASURE_COUNT:
    case MEASURE_COUNT_:
        break;
    }
    return measure->window.kind == WINDOW_LIFETIME ? FEATURE_TALLY
                                                   : FEATURE_WINDOW;
}

static int add_feature(struct planner *planner,
                       const struct rule_measure *measure, uint32_t number)
{
    void *items = planner->feature_items, *texts = planner->feature_texts;
    uint32_t selector, path = 0;
    int lifetime = measure->window.kind == WINDOW_LIFETIME;
    if (number >= SEG_FEATURES_MAX)
        return SEG_ERR_LIMIT;
    const char *text = planner_text(planner);
    if (!text || alloc_grow(&items, &planner->feature_cap, number + 1ul,
                            sizeof(*planner->feature_items)) < 0)
        return SEG_ERR_NOMEM;
    planner->feature_items = items;
    if (alloc_grow(&texts, &planner->feature_text_cap, number + 1ul,
                   sizeof(*planner->feature_texts)) < 0)
        return SEG_ERR_NOMEM;
    planner->feature_texts = texts;
    planner->feature_texts[number] = text;
    enum feature_kind kind = kind_of(measure);
    if ((kind == FEATURE_FIRST || kind == FEATURE_LAST) &&
        planner_path(planner, &measure->path, &path) < 0)
        return SEG_ERR_NOMEM;
    planner->feature_items[number] = (struct feature){
        .kind = kind,
        .item = number,
        .key = hash_bytes(text, strlen(text), 0),
        .from_ms = lifetime ? FEATURE_LIFETIME : measure->window.from_ms,
        .to_ms = measure->window.to_ms,
        .path = path,
    };
    if (planner_selector(planner, &measure->event, &selector) < 0)
        return SEG_ERR_NOMEM;
    return growing_add(&planner->selector_items[selector].features, number);
}

static int find_feature(struct planner *planner,
                        const struct rule_measure *measure, uint32_t *number)
{
    buf_reset(&planner->text);
    format_measure(&planner->text, measure, FORMAT_LIST_VALUES);
    int ret = planner_intern(planner, &planner->features, number);
    return ret <= 0 ? ret : add_feature(planner, measure, *number);
}

static int find_attribute(struct planner *planner, const struct path *path,
                          uint32_t *number)
{
    void *items = planner->attribute_items;
    uint32_t trait_path = PLAN_NONE;
    buf_reset(&planner->text);
    format_path(&planner->text, path);
    int ret = planner_intern(planner, &planner->attributes, number);
    if (ret <= 0)
        return ret;
    if (*number >= SEG_ATTRIBUTES_MAX)
        return SEG_ERR_LIMIT;
    if (path->count > 1) {
        void *paths = planner->trait_path_items;
        if (planner_intern(planner, &planner->trait_paths, &trait_path) < 0 ||
            alloc_grow(&paths, &planner->trait_path_cap, trait_path + 1ul,
                       sizeof(*path)) < 0)
            return SEG_ERR_NOMEM;
        planner->trait_path_items = paths;
        planner->trait_path_items[trait_path] = *path;
    }
    if (alloc_grow(&items, &planner->attribute_cap, *number + 1ul,
                   sizeof(*planner->attribute_items)) < 0)
        return SEG_ERR_NOMEM;
    planner->attribute_items = items;
    planner->attribute_items[*number] = (struct attribute){*path, trait_path};
    return 0;
}

/* ---- predicates --------------------------------------------------------- */

static struct rule_measure counted(const struct rule_cond *cond)
{
    return (struct rule_measure){.kind = MEASURE_COUNT,
                                 .event = cond->event,
                                 .window = cond->window,
                                 .pos = cond->pos};
}

static void range_of(const struct rule_times *times, struct predicate *to)
{
    to->low = times->low;
    to->high = INT64_MAX;
    switch (times->kind) {
    case TIMES_NONE:
        to->low = 1;
        break;
    case TIMES_NOT:
        to->low = to->high = 0;
        break;
    case TIMES_AT_LEAST:
        break;
    case TIMES_AT_MOST:
        to->high = times->low;
        to->low = 0;
        break;
    case TIMES_EXACTLY:
        to->high = times->low;
        break;
    case TIMES_BETWEEN:
        to->high = times->high;
        break;
    }
    to->shown_max = to->high == INT64_MAX ? to->low : to->high + 1;
}

static int needed_text(struct planner *planner, const struct rule_cond *cond,
                       struct predicate *to)
{
    const struct rule_times *times = &cond->times;
    buf_reset(&planner->text);
    if (cond->kind != COND_DID) {
        format_test(&planner->text, &cond->test, FORMAT_LIST_NAMES);
    } else if (times->kind == TIMES_BETWEEN) {
        buf_printf(&planner->text, "between %lld and %lld", (long long)to->low,
                   (long long)to->high);
    } else if (to->high == INT64_MAX) {
        buf_printf(&planner->text, "at least %lld", (long long)to->low);
    } else {
        buf_printf(&planner->text, "%s %lld",
                   times->kind == TIMES_EXACTLY ? "exactly" : "at most",
                   (long long)to->high);
    }
    to->needed = planner_text(planner);
    return to->needed ? 0 : SEG_ERR_NOMEM;
}

static int compile_predicate(struct planner *planner,
                             const struct rule_cond *cond, struct predicate *to)
{
    struct rule_measure count;
    const struct rule_measure *measure = &cond->measure;
    int ret;
    to->rule = cond;
    if (cond->kind == COND_DID) {
        count = counted(cond);
        range_of(&cond->times, to);
        return find_feature(planner, &count, &to->source);
    }
    ret = value_test_init(&to->test, planner->arena, &cond->test);
    if (ret < 0)
        return ret;
    to->kind = PREDICATE_VALUE;
    to->timed = value_test_timed(&to->test);
    if (cond->kind == COND_PATH) {
        ret = find_attribute(planner, &cond->path, &to->source);
        to->source |= PLANNED_ATTRIBUTE;
        return ret;
    }
    to->shown_max = INT64_MAX; /* Of a count: its last flip, see make_flips. */
    if (measure->kind == MEASURE_DAYS_SINCE_FIRST ||
        measure->kind == MEASURE_DAYS_SINCE_LAST) {
        to->kind = PREDICATE_DAYS;
        to->timed = 1;
    }
    return find_feature(planner, measure, &to->source);
}

/* Each condition of each segment is a predicate of its own: its text is shown
 * as it was written there. What they measure is shared. */
int planner_predicate(struct planner *planner, const struct rule_cond *cond,
                      uint32_t segment, uint32_t *number)
{
    void *items = planner->predicate_items, *users = planner->users;
    uint32_t n = planner->plan->predicate_count;
    if (alloc_grow(&items, &planner->predicate_cap, n + 1ul,
                   sizeof(*planner->predicate_items)) < 0)
        return SEG_ERR_NOMEM;
    planner->predicate_items = items;
    if (alloc_grow(&users, &planner->user_cap, n + 1ul,
                   sizeof(*planner->users)) < 0)
        return SEG_ERR_NOMEM;
    planner->users = users;
    planner->users[n] = (struct growing){0};
    planner->predicate_items[n] = (struct predicate){.kind = PREDICATE_RANGE};
    planner->plan->predicate_count++;
    *number = n;
    int ret = compile_predicate(planner, cond, &planner->predicate_items[n]);
    if (ret < 0)
        return ret;
    ret = needed_text(planner, cond, &planner->predicate_items[n]);
    if (ret < 0)
        return ret;
    buf_reset(&planner->text);
    format_cond(&planner->text, cond, FORMAT_LIST_NAMES);
    planner->predicate_items[n].text = planner_text(planner);
    if (!planner->predicate_items[n].text)
        return SEG_ERR_NOMEM;
    return growing_add(&planner->users[n], segment);
}

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
    if (count < 1 || count > UINT32_MAX ||
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

/* The segments of the predicates of SOURCE whose truth changes at FLIP; all of
 * them if FLIP is 0. */
static int gather_segments(struct planner *planner,
                           const struct growing *predicates, uint32_t flip,
                           struct number_list *ret)
{
    struct growing list = {0};
    for (size_t i = 0; i < predicates->count; i++) {
        uint32_t n = predicates->items[i];
        const struct predicate *predicate = &planner->predicate_items[n];
        if (flip && predicate_passes(predicate, flip - INT64_C(1)) ==
                        predicate_passes(predicate, flip))
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

/* Add the flips of PREDICATE to FLIPS. Beyond its own last one a test of a
 * count says the same of all counts: so far a count is shown. */
static int add_flips(struct growing *flips, struct predicate *predicate)
{
    struct growing own = {0};
    uint32_t last = 0;
    int ret = find_flips(&own, predicate);
    for (size_t i = 0; ret == 0 && i < own.count; i++) {
        last = own.items[i] > last ? own.items[i] : last;
        ret = growing_add(flips, own.items[i]);
    }
    if (predicate->kind == PREDICATE_VALUE)
        predicate->shown_max = last;
    free(own.items);
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
    feature->keep = feature->to_ms ? FEATURE_KEEP_ALL
                    : made.count   ? made.items[made.count - 1]
                                   : 1;
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

static int is_counting(const struct feature *feature)
{
    return feature->kind == FEATURE_TALLY || feature->kind == FEATURE_WINDOW;
}

static int make_source(struct planner *planner, uint32_t number,
                       struct growing *predicates, struct source *source)
{
    struct number_list list;
    int ret = gather_segments(planner, predicates, 0, &source->segments);
    for (size_t i = 0; i < predicates->count; i++)
        source->timed |= planner->predicate_items[predicates->items[i]].timed;
    if (ret == 0 && number < planner->features.count &&
        is_counting(&planner->feature_items[number]))
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

static int make_sources(struct planner *planner)
{
    struct plan *plan = planner->plan;
    uint32_t count = planner->features.count + planner->attributes.count;
    struct growing *of_source = calloc(count + 1ul, sizeof(*of_source));
    struct source *sources =
        arena_calloc(planner->arena, count, sizeof(*sources));
    int ret = of_source && sources ? 0 : SEG_ERR_NOMEM;
    plan->source_count = count;
    plan->sources = sources;
    for (uint32_t i = 0; ret == 0 && i < plan->predicate_count; i++) {
        uint32_t *source = &planner->predicate_items[i].source;
        if (*source & PLANNED_ATTRIBUTE)
            *source = (*source & ~PLANNED_ATTRIBUTE) + planner->features.count;
        ret = growing_add(&of_source[*source], i);
    }
    for (uint32_t i = 0; ret == 0 && i < count; i++)
        ret = make_source(planner, i, &of_source[i], &sources[i]);
    for (uint32_t i = 0; of_source && i < count; i++)
        free(of_source[i].items);
    free(of_source);
    return ret;
}

/* ---- attributes by name ----------------------------------------------------
 */

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
    int ret = make_sources(planner);
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
