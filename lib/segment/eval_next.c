/* eval_next.c: when a condition changes by time alone.
 *
 * What a feature measures changes at instants that the feature tells, one after
 * the other; between them only what grows or decays all the time changes: an
 * age, a score. Such a thing moves in one direction, so its order against a
 * number, or against another measure, changes at most once before the next of
 * those instants, and the first millisecond of the new order is found by
 * bisection:
 *
 *      score |*
 *            |  *  *
 *         50 |-------*--*---------     order: > > > = < <
 *            |             *                      ^ first other one
 *            +---+----------+----> t
 *               now      the next event that leaves some window
 */
#include "lib/event/value.h"
#include "lib/segment/eval.h"
#include "lib/user/codec.h"
#include "lib/user/score.h"

#define WALK_MAX   64 /* Instants that are looked at; then it is a bound. */
#define FAR_MS     (INT64_C(1) << 50) /* Nothing decays for longer. */
#define ORDER_NONE 2                  /* They do not compare. */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* VIEW of another instant, by what was seen: nothing of the present is known
 * there. */
static struct view view_at(const struct view *view, int64_t now_ms)
{
    struct view other = *view;
    other.now_ms = now_ms;
    other.memo = NULL;
    other.mismatches = NULL;
    other.warming = NULL;
    return other;
}

static int64_t next_measure(const struct view *view, uint32_t source)
{
    const struct feature *feature = source < view->plan->feature_count
                                        ? &view->plan->features[source]
                                        : NULL;
    return feature ? feature_ops_of(feature->kind)
                         ->next(view->user, feature, view->now_ms)
                   : SEG_NEVER;
}

/* ---- what moves all the time -------------------------------------------- */

/* The order of the two measures that PREDICATE compares. */
static int order_at(const struct view *view, const struct predicate *predicate,
                    int64_t at_ms)
{
    struct view there = view_at(view, at_ms);
    struct measured left = eval_measured(&there, predicate->source);
    struct measured right = eval_measured(&there, predicate->other);
    int order;
    if (!compare_order(&left, &right, predicate->percent, &order))
        return ORDER_NONE;
    return (order > 0) - (order < 0);
}

/* The first instant after now, not after LAST_MS, at which that is another one;
 * SEG_NEVER. Until then it is that of now. */
static int64_t next_order(const struct view *view,
                          const struct predicate *predicate, int64_t last_ms)
{
    int64_t low = view->now_ms, high = low, step = 1;
    int now = order_at(view, predicate, low);
    if (last_ms > low + FAR_MS)
        last_ms = low + FAR_MS;
    for (;;) {
        if (low >= last_ms)
            return SEG_NEVER;
        high = last_ms - low > step ? low + step : last_ms;
        if (order_at(view, predicate, high) != now)
            break;
        low = high;
        step *= 2;
    }
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (order_at(view, predicate, middle) == now)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* When the score comes to a number that it is tested with, or leaves it. */
static int64_t next_score(const struct view *view,
                          const struct predicate *predicate)
{
    const struct feature *feature = &view->plan->features[predicate->source];
    const struct value_test *test = &predicate->test;
    int64_t next = SEG_NEVER;
    for (int i = 0; i < test->rule->values.count; i++) {
        const struct seg_value *value = &test->operands[i].value;
        double bound = value->type == SEG_INT ? (double)value->as.integer
                                              : value->as.number;
        if (test->operands[i].is_date ||
            (value->type != SEG_INT && value->type != SEG_DOUBLE))
            continue;
        int64_t at = score_reaches(view->user, feature, bound, 0, view->now_ms);
        if (at == SEG_NEVER)
            at = score_reaches(view->user, feature, bound, 1, view->now_ms);
        next = earlier(next, at);
    }
    return next;
}

static int64_t next_compare(const struct view *view,
                            const struct predicate *predicate)
{
    int64_t until = earlier(next_measure(view, predicate->source),
                            next_measure(view, predicate->other));
    return next_order(view, predicate, until == SEG_NEVER ? until : until - 1);
}

static int64_t next_days(const struct view *view,
                         const struct predicate *predicate)
{
    struct item item = user_item(view->user, predicate->source);
    return item.words
               ? value_test_next_days(&predicate->test,
                                      codec_get_i64(item.words), view->now_ms)
               : SEG_NEVER;
}

static int64_t next_watch(const struct view *view,
                          const struct predicate *predicate)
{
    int64_t at_ms = eval_watched(view, predicate);
    if (at_ms == WATCH_NEVER || view->now_ms - at_ms >= predicate->low)
        return SEG_NEVER;
    return at_ms + predicate->low;
}

/* Of a timed predicate: what it measures stays, or moves all the time. */
static int64_t next_timed(const struct view *view,
                          const struct predicate *predicate)
{
    struct seg_value value;
    switch (predicate->kind) {
    case PREDICATE_DAYS:
        return next_days(view, predicate);
    case PREDICATE_SCORE:
        return next_score(view, predicate);
    case PREDICATE_COMPARE:
        return next_compare(view, predicate);
    case PREDICATE_ENTERED:
    case PREDICATE_LEFT:
        return next_watch(view, predicate);
    case PREDICATE_RANGE:
    case PREDICATE_VALUE:
        break;
    }
    eval_measure(view, predicate->source, &value);
    return value_test_next(&predicate->test, &value, view->now_ms);
}

/* ---- all of it ---------------------------------------------------------- */

/* The next instant at which what PREDICATE goes by may change. */
static int64_t next_step(const struct view *view,
                         const struct predicate *predicate)
{
    int64_t next = next_measure(view, predicate->source);
    if (predicate->kind == PREDICATE_COMPARE)
        next = earlier(next, next_measure(view, predicate->other));
    return predicate->timed ? earlier(next, next_timed(view, predicate)) : next;
}

int64_t eval_predicate_next(const struct view *view,
                            const struct predicate *predicate)
{
    struct seg_value value;
    if (!view->user)
        return SEG_NEVER;
    struct view there = view_at(view, view->now_ms);
    int truth = eval_predicate(&there, predicate, &value);
    int64_t next = SEG_NEVER;
    for (int i = 0; i < WALK_MAX; i++) {
        next = next_step(&there, predicate);
        if (next == SEG_NEVER)
            return SEG_NEVER;
        there.now_ms = next;
        if (eval_predicate(&there, predicate, &value) != truth)
            return next;
    }
    return next;
}

int64_t eval_source_next(const struct view *view, uint32_t source)
{
    const struct source *s = &view->plan->sources[source];
    int64_t next = next_measure(view, source);
    for (uint32_t i = 0; s->timed && i < s->predicate_count; i++) {
        const struct predicate *predicate =
            &view->plan->predicates[s->predicates[i]];
        if (predicate->timed)
            next = earlier(next, next_timed(view, predicate));
    }
    return next;
}
