/* plan_predicate.c: each condition of each segment becomes a predicate.
 *
 * Its text is shown as it was written there; what it measures is shared. */
#include <string.h>

#include <seg/error.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/base/instant.h"
#include "lib/segment/format.h"
#include "lib/segment/planner.h"

/* ---- attributes and watches ---------------------------------------------- */

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
    planner->attribute_items[*number] =
        (struct attribute){.path = *path, .trait_path = trait_path};
    return 0;
}

int planner_attribute(struct planner *planner, const struct path *path,
                      uint32_t *source)
{
    int ret = find_attribute(planner, path, source);
    *source |= PLANNED_ATTRIBUTE;
    return ret;
}

/* Some segment looks into the objects of what feature NUMBER keeps: what another
 * catalogue kept of them is not enough. */
static int look_into_feature(struct planner *planner, uint32_t number)
{
    struct feature *feature = &planner->feature_items[number];
    const char *text = planner->feature_texts[number];
    feature->key = hash_bytes(text, strlen(text), 1);
    return growing_add(&planner->whole_paths, feature->path);
}

/* Some segment looks into the objects of attribute NUMBER. */
static int look_into_attribute(struct planner *planner, uint32_t number)
{
    struct attribute *attribute = &planner->attribute_items[number];
    attribute->whole = 1;
    if (attribute->trait_path != PLAN_NONE)
        return growing_add(&planner->whole_trait_paths, attribute->trait_path);
    planner->plan->spec.whole_traits = 1;
    return 0;
}

/* The watch of a segment: one for all who ask. */
static int find_watch(struct planner *planner, uint32_t segment,
                      uint32_t *number)
{
    struct segment *watched =
        (struct segment *)&planner->plan->segments[segment];
    if (watched->watch == PLAN_NONE) {
        if (growing_add(&planner->watches, segment) < 0)
            return SEG_ERR_NOMEM;
        watched->watch = (uint32_t)planner->watches.count - 1;
    }
    *number = watched->watch | PLANNED_WATCH;
    return 0;
}

/* ---- what is needed ------------------------------------------------------ */

static void range_text(struct buf *text, const struct rule_cond *cond,
                       const struct predicate *to)
{
    const struct rule_times *times = &cond->times;
    if (cond->kind == COND_SEQUENCE)
        buf_str(text, "all steps");
    else if (times->period_ms)
        buf_printf(text, "all %lld %ss", (long long)to->low,
                   times->period_ms == DAY_MS ? "day" : "week");
    else if (times->kind == TIMES_BETWEEN)
        buf_printf(text, "between %lld and %lld", (long long)to->low,
                   (long long)to->high);
    else if (to->high == INT64_MAX)
        buf_printf(text, "at least %lld", (long long)to->low);
    else
        buf_printf(text, "%s %lld",
                   times->kind == TIMES_EXACTLY ? "exactly" : "at most",
                   (long long)to->high);
}

static int needed_text(struct planner *planner, const struct rule_cond *cond,
                       struct predicate *to)
{
    struct buf *text = &planner->text;
    buf_reset(text);
    switch (to->kind) {
    case PREDICATE_RANGE:
        range_text(text, cond, to);
        break;
    case PREDICATE_VALUE:
    case PREDICATE_DAYS:
    case PREDICATE_SCORE:
        format_test(text, to->test.rule, FORMAT_LIST_NAMES);
        break;
    case PREDICATE_COMPARE:
        buf_str(text, rule_op_info(cond->test.op)->words);
        buf_char(text, ' ');
        if (cond->percent.spelling.bytes) {
            buf_text(text, cond->percent.spelling);
            buf_str(text, "% of ");
        }
        format_measure(text, cond->other, FORMAT_LIST_NAMES);
        break;
    case PREDICATE_ENTERED:
    case PREDICATE_LEFT:
        buf_str(text, "in ");
        duration_format(text, to->low);
        break;
    }
    to->needed = planner_text(planner);
    return to->needed ? 0 : SEG_ERR_NOMEM;
}

/* ---- predicates ---------------------------------------------------------- */

/* What MEASURE says becomes the source of TO, which tests it. */
static int find_count(struct planner *planner,
                      const struct rule_measure *measure, struct predicate *to)
{
    uint32_t highest = 0;
    int ret = 0;
    if (measure->kind == MEASURE_COUNT)
        ret = predicate_highest(to, &highest);
    return ret < 0 ? ret
                   : planner_feature(planner, measure, highest, &to->source);
}

static int compile_did(struct planner *planner, const struct rule_cond *cond,
                       struct predicate *to)
{
    const struct rule_measure count = {.kind = MEASURE_COUNT,
                                       .event = cond->event,
                                       .window = cond->window,
                                       .pos = cond->pos};
    to->kind = PREDICATE_RANGE;
    planner_range(&cond->times, &to->low, &to->high);
    if (cond->times.period_ms)
        to->low = to->high = cond->times.periods;
    if (cond->kind == COND_SEQUENCE) {
        to->low = 1;
        to->high = INT64_MAX;
    }
    to->shown_max = cond->times.period_ms   ? to->high
                    : to->high == INT64_MAX ? to->low
                                            : to->high + 1;
    return cond->kind == COND_SEQUENCE || cond->times.period_ms
               ? planner_feature_of(planner, cond, &to->source)
               : find_count(planner, &count, to);
}

/* `latest(E) was "X"`: the last event's name is X. */
static int compile_latest(struct planner *planner, const struct rule_cond *cond,
                          struct predicate *to)
{
    static const struct seg_text name = {"name", 4};
    struct rule_measure last = {.kind = MEASURE_LAST,
                                .event = cond->event,
                                .path = {PATH_EVENT, 1, &name},
                                .window = cond->window,
                                .pos = cond->pos};
    struct rule_test *test = arena_calloc(planner->arena, 1, sizeof(*test));
    struct rule_value *wanted =
        arena_calloc(planner->arena, 1, sizeof(*wanted));
    if (!test || !wanted)
        return SEG_ERR_NOMEM;
    wanted->value = (struct seg_value){.type = SEG_TEXT,
                                       .len = (uint32_t)cond->text.len,
                                       .as.text = cond->text.bytes};
    wanted->pos = cond->text_pos;
    test->op = OP_EQ;
    test->values.count = 1;
    test->values.items = wanted;
    test->pos = cond->text_pos;
    to->kind = PREDICATE_VALUE;
    int ret = value_test_init(&to->test, planner->arena, test);
    return ret < 0 ? ret : planner_feature(planner, &last, 0, &to->source);
}

/* Whether what MEASURE says changes all the time. */
static int is_continuous(const struct planner *planner,
                         const struct rule_measure *measure)
{
    enum rule_measure_kind kind = planner_resolve(planner, measure)->kind;
    return kind == MEASURE_DAYS_SINCE_FIRST ||
           kind == MEASURE_DAYS_SINCE_LAST || kind == MEASURE_SCORE;
}

static int compile_measure(struct planner *planner,
                           const struct rule_cond *cond, struct predicate *to)
{
    const struct rule_measure *measure =
        planner_resolve(planner, &cond->measure);
    to->shown_max = INT64_MAX; /* Of a count: its last flip, see make_flips. */
    to->kind = PREDICATE_VALUE;
    to->timed |= is_continuous(planner, measure);
    if (to->timed && is_continuous(planner, measure))
        to->kind =
            measure->kind == MEASURE_SCORE ? PREDICATE_SCORE : PREDICATE_DAYS;
    if (cond->kind == COND_MEASURE) {
        int ret = find_count(planner, measure, to);
        return ret == 0 && cond->test.op == OP_HAS_ONE
                   ? look_into_feature(planner, to->source)
                   : ret;
    }
    to->kind = PREDICATE_COMPARE;
    to->percent =
        cond->percent.spelling.bytes ? cond->percent.hundredths : 10000;
    to->timed |= is_continuous(planner, cond->other);
    int ret = planner_feature(planner, measure, FEATURE_KEEP_ALL, &to->source);
    return ret < 0 ? ret
                   : planner_feature(planner, cond->other, FEATURE_KEEP_ALL,
                                     &to->other);
}

static int compile_predicate(struct planner *planner,
                             const struct rule_cond *cond, struct predicate *to)
{
    int ret;
    to->rule = cond;
    if (cond->kind == COND_DID || cond->kind == COND_SEQUENCE)
        return compile_did(planner, cond, to);
    if (cond->kind == COND_LATEST)
        return compile_latest(planner, cond, to);
    if (cond->kind == COND_ENTERED || cond->kind == COND_LEFT) {
        to->kind =
            cond->kind == COND_ENTERED ? PREDICATE_ENTERED : PREDICATE_LEFT;
        to->low = cond->duration_ms;
        to->timed = 1;
        return find_watch(planner, (uint32_t)cond->segment, &to->source);
    }
    ret = value_test_init(&to->test, planner->arena, &cond->test);
    if (ret < 0)
        return ret;
    to->timed = value_test_timed(&to->test);
    if (cond->kind != COND_PATH)
        return compile_measure(planner, cond, to);
    to->kind = PREDICATE_VALUE;
    ret = planner_attribute(planner, &cond->path, &to->source);
    if (ret == 0 && cond->test.op == OP_HAS_ONE)
        ret = look_into_attribute(planner, to->source & ~PLANNED_ATTRIBUTE);
    return ret;
}

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
