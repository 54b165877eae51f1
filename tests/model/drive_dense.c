/* drive_dense.c: users beyond the exact limits.
 *
 * Up to 256 pairs in a window the count is exact; beyond,
 * pairs fold into buckets of window/64, so that what is measured is that of a
 * window whose edges are early or late by at most so much. */
#include <stdlib.h>

#include "tests/model/drive_inside.h"
#include "tests/model/oracle_inside.h"

#define PAIRS_MAX 256
#define BUCKETS   64

static struct rule_window window_of(int64_t from_ms, int64_t to_ms)
{
    return (struct rule_window){WINDOW_FROM_TO, from_ms, to_ms, {0}};
}

/* Count and value of a segment as the engine explains them. */
static int explained(struct drive *d, const struct oracle_user *user,
                     int segment, int *truth, struct seg_value *value)
{
    struct seg_explanation *explanation;
    const struct seg_user *got = seg_user_find(d->engine, oracle_user_id(user));
    if (seg_explain(&explanation, d->engine, got, segment) < 0)
        return drive_fail(d, "seg_explain ran out of memory");
    *truth = seg_explanation_at(explanation, 0)->truth;
    *value = seg_explanation_at(explanation, 0)->value; /* Number or missing. */
    int member = seg_explanation_member(explanation, NULL);
    seg_explanation_free(explanation);
    /* All that was due is done: he is in it just if it is true. */
    return member == (*truth == SEG_TRUE)
               ? DRIVE_SAME
               : drive_fail(d, "dense: what is %s has him %s",
                            member ? "false" : "true", member ? "in" : "out");
}

static int64_t at_most(int64_t n, int64_t most)
{
    return n < most ? n : most;
}

/* The count is that of a window that begins and ends a little earlier or
 * later. */
static int check_count(struct drive *d, const struct oracle_user *user,
                       const struct rule_cond *when,
                       const struct seg_value *value)
{
    const struct rule_measure *measure = &when->measure;
    int64_t from = measure->window.from_ms, to = measure->window.to_ms;
    int64_t error = from / BUCKETS + 1, now = oracle_clock(d->oracle);
    struct rule_window narrow = window_of(from - error, to + error);
    struct rule_window wide = window_of(from + error, to - error);
    int64_t limit = when->test.values.items[0].value.as.integer;
    int64_t low =
        oracle_eval_count(d->oracle, user, &measure->event, &narrow, NULL, now);
    int64_t high =
        oracle_eval_count(d->oracle, user, &measure->event, &wide, NULL, now);
    low = at_most(low, limit);
    high = at_most(high, limit + 1);
    if (d->stats)
        d->stats->coarse_checks += low != high;
    if (value->type != SEG_INT || value->as.integer < low ||
        value->as.integer > high)
        return drive_fail(d, "dense: the count is %lld, not %lld to %lld",
                          (long long)value->as.integer, (long long)low,
                          (long long)high);
    return DRIVE_SAME;
}

static int is_in(const struct rule_window *window, int64_t age)
{
    return window->to_ms <= age && age < window->from_ms;
}

/* The age of the first or last event in the narrow window; SEG_NEVER: none. */
static int64_t narrow_age(struct drive *d, const struct oracle_user *user,
                          const struct rule_measure *measure,
                          const struct rule_window *narrow)
{
    int64_t best = SEG_NEVER, now = oracle_clock(d->oracle);
    for (int i = 0; i < user->count; i++) {
        const struct oracle_message *m = user->messages[i];
        int64_t age = now - m->time_ms;
        if (!is_in(narrow, age) ||
            !oracle_message_selected(d->oracle, m, &measure->event))
            continue;
        if (best == SEG_NEVER ||
            (measure->kind == MEASURE_LAST ? age < best : age > best))
            best = age;
    }
    return best;
}

/* The event whose number (property amount) is VALUE must lie where the first or
 * last one may lie: inside the wide window, and no further in than that of the
 * narrow one. */
static int check_value(struct drive *d, const struct oracle_user *user,
                       const struct rule_cond *when,
                       const struct seg_value *value)
{
    const struct rule_measure *measure = &when->measure;
    int64_t from = measure->window.from_ms, to = measure->window.to_ms;
    int64_t error = from / BUCKETS + 1, now = oracle_clock(d->oracle);
    const struct rule_window narrow = window_of(from - error, to + error);
    const struct rule_window wide = window_of(from + error, to - error);
    int64_t best = narrow_age(d, user, measure, &narrow);
    if (value->type == SEG_MISSING)
        return best == SEG_NEVER
                   ? DRIVE_SAME
                   : drive_fail(d, "dense: no value, but there are events");
    for (int i = 0; i < user->count; i++) {
        const struct oracle_message *m = user->messages[i];
        struct naive_value own = oracle_message_value(m, &measure->path);
        int64_t age = now - m->time_ms;
        int far = best == SEG_NEVER ||
                  (measure->kind == MEASURE_LAST ? age <= best : age >= best);
        if (own.integer == value->as.integer && far && is_in(&wide, age))
            return DRIVE_SAME;
    }
    return drive_fail(d, "dense: %lld is no value of an event that may be it",
                      (long long)value->as.integer);
}

static int check(struct drive *d, const struct oracle_user *user, int segment)
{
    const struct rule_cond *when = d->rules->segments[segment].when;
    struct seg_value value = {.type = SEG_MISSING};
    int truth = SEG_UNKNOWN;
    if (explained(d, user, segment, &truth, &value) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    int result = when->measure.kind == MEASURE_COUNT
                     ? check_count(d, user, when, &value)
                     : check_value(d, user, when, &value);
    struct naive_value as_value = naive_value_int(value.as.integer);
    if (value.type == SEG_MISSING)
        as_value = naive_value_of(NULL);
    if (result == DRIVE_SAME &&
        (truth == SEG_TRUE) != naive_value_passes(&as_value, &when->test, 0))
        result = drive_fail(d, "dense: %lld decided wrongly",
                            (long long)value.as.integer);
    if (d->stats)
        d->stats->dense_checks++;
    return result;
}

int drive_dense(struct drive *d)
{
    int result = DRIVE_SAME;
    for (int u = 0; u < oracle_user_count(d->oracle); u++)
        for (int s = 0; s < d->rules->segment_count && result == DRIVE_SAME;
             s++)
            result = check(d, oracle_user_at(d->oracle, u), s);
    seg_engine_outputs_clear(d->engine);
    oracle_changes_clear(d->oracle);
    return result;
}
