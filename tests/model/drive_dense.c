/* drive_dense.c: users beyond the exact limits, and sequences of events that
 * come more than `lateness` late.
 *
 * Up to 256 pairs in a window the count is exact; beyond,
 * pairs fold into buckets of window/64, so that what is measured is that of a
 * window whose edges are early or late by at most so much.
 *
 * An event that comes too late for a sequence takes back what it forbids, and
 * makes a match only of one that only grows: so there is never a match that is
 * none (but where no window moves one that was there for good stays), and of a
 * sequence that only grows none is lost that the others make.
 * Where nothing came late all is exact. */
#include <stdlib.h>

#include "tests/model/drive_inside.h"
#include "tests/model/oracle_inside.h"

#define PAIRS_MAX 256
#define BUCKETS   64

static struct rule_window window_of(int64_t from_ms, int64_t to_ms)
{
    return (struct rule_window){
        .kind = WINDOW_FROM_TO, .from_ms = from_ms, .to_ms = to_ms};
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

/* ---- numbers ------------------------------------------------------------- */

/* What lies between LOW and HIGH, or is missing if MISSING. */
struct bounds {
    long double low, high;
    int missing;
};

static long double number_of(const struct naive_value *value)
{
    return value->type == NAIVE_INT     ? (long double)value->integer
           : value->type == NAIVE_UNITS ? (long double)value->units / NAIVE_UNIT
                                        : (long double)value->real;
}

/* Amounts differ all, so that as many are distinct as there are. */
static struct naive_value over(struct drive *d, const struct oracle_user *user,
                               const struct rule_measure *measure,
                               enum rule_measure_kind kind,
                               const struct rule_window *window)
{
    return oracle_measure_over(d->oracle, user, measure,
                               kind == MEASURE_DISTINCT ? MEASURE_COUNT : kind,
                               window, oracle_clock(d->oracle));
}

/* Amounts are positive, so a sum grows with its window; a mean lies between the
 * least and the greatest of all that it may be of. */
static struct bounds bounds_of(struct drive *d, const struct oracle_user *user,
                               const struct rule_measure *measure)
{
    int64_t from = measure->window.from_ms, to = measure->window.to_ms;
    int64_t error = from / BUCKETS + 1;
    const struct rule_window narrow = window_of(from - error, to + error);
    const struct rule_window wide = window_of(from + error, to - error);
    enum rule_measure_kind kind = measure->kind;
    struct naive_value in = over(d, user, measure, kind, &narrow);
    struct naive_value out = over(d, user, measure, kind, &wide);
    struct naive_value least = out, most = out;
    if (kind != MEASURE_DAYS) {
        least = over(d, user, measure, MEASURE_MIN, &wide);
        most = over(d, user, measure, MEASURE_MAX, &wide);
    }
    int none = in.type == NAIVE_MISSING, all = out.type == NAIVE_MISSING;
    struct bounds b = {0, 0, none};
    if (all)
        return b;
    b.low = number_of(kind == MEASURE_AVG ? &least : none ? &out : &in);
    b.high = number_of(kind == MEASURE_AVG ? &most : &out);
    if (kind == MEASURE_MIN && none)
        b.low = number_of(&most);
    if (kind == MEASURE_MAX && none)
        b.low = number_of(&least);
    if (b.low > b.high) {
        long double low = b.high;
        b.high = b.low;
        b.low = low;
    }
    return b;
}

#define SKETCH_ERRORS 5 /* Standard errors of a sketch, 6.5 % each. */

static int check_number(struct drive *d, const struct oracle_user *user,
                        const struct rule_cond *when,
                        const struct seg_value *value)
{
    struct bounds b = bounds_of(d, user, &when->measure);
    long double got = value->type == SEG_INT ? (long double)value->as.integer
                                             : (long double)value->as.number;
    if (when->measure.kind == MEASURE_DISTINCT) {
        b.low -= b.low * SKETCH_ERRORS * 0.065L + 1;
        b.high += b.high * SKETCH_ERRORS * 0.065L + 1;
    }
    if (when->measure.kind == MEASURE_DISTINCT ||
        when->measure.kind == MEASURE_DAYS) {
        int64_t limit = when->test.values.items[0].value.as.integer;
        b.low = b.low < limit ? b.low : limit; /* Shown so far. */
    }
    if (d->stats)
        d->stats->coarse_checks += b.low < b.high;
    if (value->type == SEG_MISSING)
        return b.missing ? DRIVE_SAME : drive_fail(d, "dense: no number");
    if (got < b.low - 1e-6L || got > b.high + 1e-6L)
        return drive_fail(d, "dense: %Lg is not between %Lg and %Lg", got,
                          b.low, b.high);
    return DRIVE_SAME;
}

static int is_at(enum rule_measure_kind kind)
{
    return kind == MEASURE_FIRST || kind == MEASURE_LAST;
}

static int check(struct drive *d, const struct oracle_user *user, int segment)
{
    const struct rule_cond *when = d->rules->segments[segment].when;
    struct seg_value value = {.type = SEG_MISSING};
    if (!when) /* While a case is made small. */
        return DRIVE_SAME;
    int truth = SEG_UNKNOWN;
    if (explained(d, user, segment, &truth, &value) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    int result =
        when->measure.kind == MEASURE_COUNT ? check_count(d, user, when, &value)
        : is_at(when->measure.kind)         ? check_value(d, user, when, &value)
                                    : check_number(d, user, when, &value);
    struct naive_value as_value = naive_value_int(value.as.integer);
    if (value.type == SEG_DOUBLE)
        as_value = naive_value_real(value.as.number);
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

/* ---- sequences ----------------------------------------------------------- */

static int check_sequence(struct drive *d, const struct oracle_user *user,
                          int segment)
{
    const struct rule_cond *when = d->rules->segments[segment].when;
    int64_t now = oracle_clock(d->oracle);
    struct seg_value value;
    int truth;
    if (!when)
        return DRIVE_SAME;
    if (explained(d, user, segment, &truth, &value) != DRIVE_SAME)
        return DRIVE_DIFFERENT;
    int got = truth == SEG_TRUE;
    int all = oracle_sequence(d->oracle, user, when, NULL, now);
    int some = oracle_sequence_in_time(d->oracle, user, when, now);
    int late = oracle_sequence_late(user);
    if (d->stats) {
        d->stats->late_checks += (uint64_t)late;
        d->stats->late_lost += (uint64_t)(all && !got);
    }
    if (!late && got != all)
        return drive_fail(d, "late: nothing is, but it is %d, not %d", got,
                          all);
    int rolls =
        when->window.kind == WINDOW_IN || when->window.kind == WINDOW_FROM_TO;
    if (got && !all && rolls)
        return drive_fail(d, "late: a match that is none");
    if (!got && some && oracle_sequence_only_grows(when->sequence))
        return drive_fail(d, "late: a match was lost");
    return DRIVE_SAME;
}

int drive_dense(struct drive *d)
{
    int result = DRIVE_SAME;
    for (int u = 0; u < oracle_user_count(d->oracle); u++)
        for (int s = 0; s < d->rules->segment_count && result == DRIVE_SAME;
             s++)
            result = d->history->kind == HISTORY_LATE
                         ? check_sequence(d, oracle_user_at(d->oracle, u), s)
                         : check(d, oracle_user_at(d->oracle, u), s);
    seg_engine_outputs_clear(d->engine);
    oracle_changes_clear(d->oracle);
    return result;
}
