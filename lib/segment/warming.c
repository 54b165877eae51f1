/* warming.c: see warming.h. */
#include "lib/segment/warming.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/segment/eval.h"
#include "lib/user/attribute.h"
#include "lib/user/codec.h"
#include "lib/user/score.h"

void warming_done(struct warming *warming)
{
    for (uint32_t i = 0; i < warming->epoch_count; i++)
        free(warming->epochs[i].positions);
    free(warming->epochs);
    free(warming->of_source);
    free(warming->kept);
    free(warming->ends);
    *warming = (struct warming){.epoch_count = 0};
}

const struct warming_epoch *warming_epoch_of(const struct warming *warming,
                                             const struct user *user,
                                             uint32_t source)
{
    uint32_t index = warming->of_source[source];
    if (!index || !user)
        return NULL;
    const struct warming_epoch *epoch = &warming->epochs[index - 1];
    return stamp_offset(user_birth(user)) <
                   epoch->positions[stamp_topic(user_birth(user))]
               ? epoch
               : NULL;
}

int warming_observes(const struct warming *warming, uint32_t source,
                     uint64_t stamp)
{
    uint32_t index = warming->of_source[source];
    return !index ||
           stamp_offset(stamp) >=
               warming->epochs[index - 1].positions[stamp_topic(stamp)];
}

/* ---- truth -------------------------------------------------------------- */

static int is_days(const struct feature *feature)
{
    return feature->kind == FEATURE_FIRST_TIME ||
           feature->kind == FEATURE_LAST_TIME;
}

/* How old an event is that FEATURE does not go by any more; FEATURE_LIFETIME.
 */
static int64_t reach_of(const struct feature *feature)
{
    int64_t half_life_ms;
    if (feature->kind != FEATURE_SCORE)
        return is_days(feature) ? FEATURE_LIFETIME : feature->from_ms;
    half_life_ms = feature->of.score->half_life_ms;
    return half_life_ms > FEATURE_LIFETIME / SCORE_HALF_LIVES
               ? FEATURE_LIFETIME
               : half_life_ms * SCORE_HALF_LIVES;
}

int64_t warming_end_of(const struct feature *feature, int64_t since_ms)
{
    int64_t reach_ms = reach_of(feature);
    if (feature->after_ms > since_ms)
        return INT64_MIN;
    return reach_ms == FEATURE_LIFETIME || since_ms > SEG_NEVER - reach_ms
               ? SEG_NEVER
               : since_ms + reach_ms;
}

/* The last event that FEATURE keeps, INT64_MIN if there is none: of those kinds
 * that keep one event, the last of all, in front of their item. */
static int64_t last_kept(const struct view *view, const struct feature *feature)
{
    struct item item = user_item(view->user, feature->item);
    return item.bytes ? codec_get_i64(item.words) : INT64_MIN;
}

/* An age that is at least that of AT_MS, or, unless EXISTS, none at all. */
static int days_truth(const struct view *view,
                      const struct predicate *predicate, int64_t at_ms,
                      int exists)
{
    static const struct seg_value none = {.type = SEG_MISSING};
    const struct value_test *test = &predicate->test;
    struct test_context context = {view->now_ms, view->scratch, NULL};
    /* What is dated later than now has not come yet. */
    int64_t age_ms = view->now_ms < at_ms ? 0 : view->now_ms - at_ms;
    if (value_test_days_stays(test))
        return exists && value_test_days(test, age_ms) ? SEG_TRUE : SEG_UNKNOWN;
    if (!exists && value_test(test, &none, &context))
        return SEG_UNKNOWN;
    return age_ms >= value_test_days_past(test) ? SEG_FALSE : SEG_UNKNOWN;
}

/* Whether an event at KEPT_MS decides, though a later one may be hidden: the
 * last cannot be older. */
static int is_bound(const struct view *view, const struct predicate *predicate,
                    int64_t kept_ms)
{
    const struct value_test *test = &predicate->test;
    if (kept_ms == INT64_MIN)
        return 0;
    int passes = value_test_days(test, view->now_ms - kept_ms);
    return passes ? test->rule->op == OP_LT || test->rule->op == OP_LE
                  : test->rule->op == OP_GT || test->rule->op == OP_GE;
}

/* Whether what was not seen can only make FEATURE count more. */
static int is_growing(const struct feature *feature)
{
    if (feature->kind == FEATURE_HABIT)
        return feature->of.habit->high == INT64_MAX;
    return feature_counts(feature->kind);
}

/* A seen maximum that is large enough is so whatever else there was. */
static int extreme_truth(const struct feature *feature,
                         const struct predicate *predicate, int truth)
{
    if (truth != SEG_TRUE || predicate->kind != PREDICATE_VALUE)
        return SEG_UNKNOWN;
    enum rule_op op = predicate->test.rule->op;
    int decided = feature->kind == FEATURE_MAX   ? op == OP_GT || op == OP_GE
                  : feature->kind == FEATURE_MIN ? op == OP_LT || op == OP_LE
                                                 : 0;
    return decided ? SEG_TRUE : SEG_UNKNOWN;
}

int warming_is_known(const struct view *view, uint32_t source)
{
    const struct feature *feature = &view->plan->features[source];
    const struct warming_epoch *epoch =
        warming_epoch_of(view->warming, view->user, source);
    if (!epoch || view->now_ms >= warming_end_of(feature, epoch->since_ms))
        return 1;
    if (feature->kind == FEATURE_WINDOW)
        return warming_kept_end(view->warming, view->plan, view->user, source,
                                view->now_ms) <= view->now_ms;
    return (feature->kind == FEATURE_LAST_TIME ||
            (feature->kind == FEATURE_LAST && feature->to_ms == 0)) &&
           last_kept(view, feature) > epoch->since_ms;
}

/* The latest entry is known of who is in; of others what was seen. */
static int watch_truth(const struct view *view,
                       const struct predicate *predicate, int64_t since_ms,
                       int truth)
{
    uint32_t segment = (uint32_t)predicate->rule->segment;
    return truth == SEG_TRUE || view->now_ms - since_ms >= predicate->low ||
                   (predicate->kind == PREDICATE_ENTERED &&
                    eval_is_member(view, segment))
               ? truth
               : SEG_UNKNOWN;
}

static int feature_truth(const struct view *view,
                         const struct predicate *predicate, int64_t since_ms,
                         int truth, int64_t count)
{
    const struct feature *feature = &view->plan->features[predicate->source];
    int64_t kept;
    if (view->now_ms >= warming_end_of(feature, since_ms))
        return truth;
    if (feature->kind == FEATURE_WINDOW &&
        warming_kept_end(view->warming, view->plan, view->user,
                         predicate->source, view->now_ms) <= view->now_ms)
        return truth;
    if (is_growing(feature))
        return count >= predicate->shown_max ? truth : SEG_UNKNOWN;
    if (feature->kind == FEATURE_LAST)
        return feature->to_ms == 0 && last_kept(view, feature) > since_ms
                   ? truth
                   : SEG_UNKNOWN;
    if (!is_days(feature))
        return extreme_truth(feature, predicate, truth);
    kept = last_kept(view, feature);
    if (feature->kind == FEATURE_FIRST_TIME)
        return days_truth(view, predicate, kept == INT64_MIN ? since_ms : kept,
                          kept != INT64_MIN);
    return kept > since_ms || is_bound(view, predicate, kept)
               ? truth
               : days_truth(view, predicate, since_ms, kept != INT64_MIN);
}

/* Whether an attribute of USER's may have been set without a trace. */
static int lost_attributes(const struct user *user)
{
    struct spare spare;
    uint32_t at = 0;
    while (spare_next(user, &at, &spare))
        if (spare.account == SPARE_LOST)
            return 1;
    return 0;
}

static int attribute_truth(const struct view *view,
                           const struct predicate *predicate, int truth)
{
    const struct attribute *attribute =
        &view->plan->attributes[predicate->source - view->plan->feature_count];
    struct write write;
    if (!attribute_last(view->user, predicate->source, view->scratch, &write))
        return attribute->path.count > 1 || lost_attributes(view->user)
                   ? SEG_UNKNOWN
                   : truth;
    return write.value.type == SEG_OBJECT &&
                   !warming_observes(view->warming, predicate->source,
                                     write.stamp)
               ? SEG_UNKNOWN
               : truth;
}

int warming_truth(const struct view *view, const struct predicate *predicate,
                  int truth, int64_t count)
{
    if (predicate->kind == PREDICATE_COMPARE)
        return warming_is_known(view, predicate->source) &&
                       warming_is_known(view, predicate->other)
                   ? truth
                   : SEG_UNKNOWN;
    const struct warming_epoch *epoch =
        warming_epoch_of(view->warming, view->user, predicate->source);
    if (!epoch)
        return truth;
    if (plan_is_watch(view->plan, predicate->source))
        return watch_truth(view, predicate, epoch->since_ms, truth);
    return predicate->source < view->plan->feature_count
               ? feature_truth(view, predicate, epoch->since_ms, truth, count)
               : attribute_truth(view, predicate, truth);
}

/* ---- ends --------------------------------------------------------------- */

/* When an age that is at least that of AT_MS, or, unless EXISTS, none at all,
 * decides PREDICATE by growing. */
static int64_t days_decides(const struct view *view,
                            const struct predicate *predicate, int64_t at_ms,
                            int exists)
{
    const struct value_test *test = &predicate->test;
    int64_t next_ms = view->now_ms, past_ms;
    if (!value_test_days_stays(test)) {
        past_ms = value_test_days_past(test);
        return past_ms == SEG_NEVER || test->rule->op == OP_IS_NOT_SET
                   ? SEG_NEVER
                   : at_ms + past_ms;
    }
    do
        next_ms =
            exists ? value_test_next_days(test, at_ms, next_ms) : SEG_NEVER;
    while (next_ms != SEG_NEVER && !value_test_days(test, next_ms - at_ms));
    return next_ms;
}

/* The same of SOURCE, of which all must be known. */
static int64_t known_at(const struct view *view, uint32_t source,
                        int64_t *since_ms)
{
    const struct warming_epoch *epoch =
        warming_epoch_of(view->warming, view->user, source);
    if (!epoch)
        return INT64_MIN;
    if (warming_is_known(view, source))
        return INT64_MIN;
    *since_ms = epoch->since_ms;
    return view->plan->features[source].kind == FEATURE_WINDOW
               ? warming_kept_end(view->warming, view->plan, view->user, source,
                                  view->now_ms)
               : warming_end_of(&view->plan->features[source], epoch->since_ms);
}

int64_t warming_decides(const struct view *view,
                        const struct predicate *predicate, int64_t *since_ms)
{
    if (predicate->kind == PREDICATE_COMPARE) {
        int64_t left = known_at(view, predicate->source, since_ms);
        int64_t right = known_at(view, predicate->other, since_ms);
        return left > right ? left : right;
    }
    const struct warming_epoch *epoch =
        warming_epoch_of(view->warming, view->user, predicate->source);
    if (!epoch)
        return SEG_NEVER;
    *since_ms = epoch->since_ms;
    if (plan_is_watch(view->plan, predicate->source))
        return epoch->since_ms + predicate->low;
    if (predicate->source >= view->plan->feature_count)
        return SEG_NEVER;
    const struct feature *feature = &view->plan->features[predicate->source];
    if (feature->kind == FEATURE_WINDOW)
        return known_at(view, predicate->source, since_ms);
    if (!is_days(feature))
        return warming_end_of(feature, epoch->since_ms);
    int64_t kept = last_kept(view, feature);
    return kept == INT64_MIN || feature->kind == FEATURE_LAST_TIME
               ? days_decides(view, predicate, epoch->since_ms,
                              kept != INT64_MIN)
               : days_decides(view, predicate, kept, 1);
}

int64_t warming_kept_end(const struct warming *warming, const struct plan *plan,
                         const struct user *user, uint32_t source,
                         int64_t now_ms)
{
    const struct feature *feature = &plan->features[source];
    const struct warming_epoch *epoch = warming_epoch_of(warming, user, source);
    int64_t time_ms;
    if (!epoch)
        return INT64_MIN;
    if (!warming->kept[source])
        return warming_end_of(feature, epoch->since_ms);
    /* What was left out is not later than the oldest of those kept. */
    return window_newest(user, feature, now_ms, epoch->since_ms,
                         warming->kept[source] - 1, &time_ms)
               ? time_ms + feature->from_ms
               : INT64_MIN;
}

/* The first end after NOW_MS of a source that has some events from before. */
static int64_t next_kept(const struct warming *warming, const struct plan *plan,
                         const struct user *user, int64_t now_ms)
{
    int64_t next_ms = SEG_NEVER;
    for (uint32_t i = 0; i < warming->end_count; i++) {
        uint32_t source = warming->ends[i].source;
        if (source >= plan->feature_count || !warming->kept[source])
            continue;
        int64_t end_ms = warming_kept_end(warming, plan, user, source, now_ms);
        if (end_ms > now_ms && end_ms < next_ms)
            next_ms = end_ms;
    }
    return next_ms;
}

int64_t warming_next(const struct warming *warming, const struct plan *plan,
                     const struct user *user, int64_t now_ms)
{
    int64_t next_ms = next_kept(warming, plan, user, now_ms);
    for (uint32_t i = 0; i < warming->end_count; i++)
        if (warming->ends[i].at_ms > now_ms &&
            warming_epoch_of(warming, user, warming->ends[i].source))
            return warming->ends[i].at_ms < next_ms ? warming->ends[i].at_ms
                                                    : next_ms;
    return next_ms;
}

static int add_end(struct warming *warming, size_t *cap, int64_t at_ms,
                   uint32_t source)
{
    void *ends = warming->ends;
    if (at_ms == SEG_NEVER || at_ms == INT64_MIN)
        return 0;
    if (alloc_grow(&ends, cap, warming->end_count + 1ul,
                   sizeof(*warming->ends)) < 0)
        return SEG_ERR_NOMEM;
    warming->ends = ends;
    warming->ends[warming->end_count++] =
        (struct warming_end){at_ms, source, warming->of_source[source] - 1};
    return 0;
}

/* All instants at which an event at SINCE_MS grows out of a test of its age. */
static int add_days(struct warming *warming, size_t *cap,
                    const struct plan *plan, uint32_t source, int64_t since_ms)
{
    const struct source *s = &plan->sources[source];
    int ret = 0;
    for (uint32_t i = 0; i < s->predicate_count; i++) {
        const struct value_test *test =
            &plan->predicates[s->predicates[i]].test;
        int64_t at_ms = since_ms;
        while (ret == 0 && (at_ms = value_test_next_days(test, since_ms,
                                                         at_ms)) != SEG_NEVER)
            ret = add_end(warming, cap, at_ms, source);
    }
    return ret;
}

/* When entries and exits before SINCE_MS are too old for each who asks. */
static int add_watched(struct warming *warming, size_t *cap,
                       const struct plan *plan, uint32_t source,
                       int64_t since_ms)
{
    const struct source *s = &plan->sources[source];
    int ret = 0;
    for (uint32_t i = 0; ret == 0 && i < s->predicate_count; i++)
        ret =
            add_end(warming, cap,
                    since_ms + plan->predicates[s->predicates[i]].low, source);
    return ret;
}

static int by_instant(const void *a, const void *b)
{
    const struct warming_end *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return (x->source > y->source) - (x->source < y->source);
}

void warming_set_bits(struct warming *warming, const struct plan *plan)
{
    warming->bits = 0;
    for (uint32_t i = 0; i < plan->feature_count; i++)
        if (warming->of_source[i])
            warming->bits |= UINT64_C(1) << i % 64;
}

int warming_find_ends(struct warming *warming, const struct plan *plan)
{
    size_t cap = 0;
    int ret = 0;
    free(warming->ends);
    warming->ends = NULL;
    warming->end_count = 0;
    for (uint32_t i = 0; ret == 0 && i < plan->source_count; i++) {
        const struct feature *feature = &plan->features[i];
        if (!warming->of_source[i] || plan_is_attribute(plan, i))
            continue;
        int64_t since_ms = warming->epochs[warming->of_source[i] - 1].since_ms;
        if (plan_is_watch(plan, i))
            ret = add_watched(warming, &cap, plan, i, since_ms);
        else
            ret = is_days(feature)
                      ? add_days(warming, &cap, plan, i, since_ms)
                      : add_end(warming, &cap,
                                warming_end_of(feature, since_ms), i);
    }
    if (warming->end_count)
        qsort(warming->ends, warming->end_count, sizeof(*warming->ends),
              by_instant);
    return ret;
}
