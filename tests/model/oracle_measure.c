/* oracle_measure.c: what a measure says of a user, by walking over all his
 * messages.
 *
 * A message whose time has not come (from the future) is not there yet; one
 * that came before its catalogue's measure was read (oracle_warming.c) never
 * is, unless it was kept.
 *
 *   sum      in units of 1e-9, each value rounded once
 *   avg      that over the number of values
 *   score    the sum of weight * 2^(-age / half-life), rounded to a multiple of
 *            1e-9: the engine's word for it */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

#define DAY INT64_C(86400000)

const struct rule_measure *oracle_resolve(const struct oracle *oracle,
                                          const struct rule_measure *measure)
{
    const struct rule_trait *traits = oracle->rules->traits;
    if (measure->kind != MEASURE_TRAIT)
        return measure;
    return MUTATED(TRAIT_FIRST) ? &traits[0].measure
                                : &traits[measure->definition].measure;
}

/* ---- windows ------------------------------------------------------------- */

static int is_from_future(const struct oracle_message *m, int64_t now,
                          const struct rule_window *window)
{
    if (m->time_ms <= now)
        return 0;
    return !(MUTATED(LIFETIME_FUTURE) && window->kind == WINDOW_LIFETIME) &&
           !(MUTATED(IN_FUTURE) && window->kind == WINDOW_IN);
}

/* Ages from TO up to, but not at, FROM. */
static int is_between(const struct rule_window *window, int64_t age)
{
    int64_t from = window->from_ms, to = window->to_ms;
    if (MUTATED(FROM_CLOSED) && age == from)
        return 1;
    if (MUTATED(FROM_SHORT) && age == from - 1)
        return 0;
    if (MUTATED(TO_OPEN) && age == to)
        return 0;
    if (MUTATED(TO_EARLY) && age == to - 1)
        return 1;
    return to <= age && age < from;
}

/* What stands there, not what the parser made of it: `since` and both ends of
 * `between` are in, `before` is not. */
static int is_dated(const struct rule_window *window, int64_t time)
{
    int64_t from = window->dates[0].value.as.integer;
    int64_t to = window->dates[1].value.as.integer;
    if (window->kind == WINDOW_SINCE)
        return MUTATED(SINCE_OPEN) ? time > from : time >= from;
    if (window->kind == WINDOW_BEFORE)
        return MUTATED(WINDOW_BEFORE_CLOSED) ? time <= to : time < to;
    return (MUTATED(DATES_LOW) ? time > from : time >= from) &&
           (MUTATED(DATES_HIGH) ? time < to : time <= to);
}

static int is_inside(const struct rule_window *window, int64_t time,
                     int64_t now)
{
    int64_t from = window->from_ms, age = now - time;
    switch (window->kind) {
    case WINDOW_LIFETIME:
        return 1;
    case WINDOW_IN:
        if (MUTATED(IN_CLOSED) && age == from)
            return 1;
        if (MUTATED(IN_SHORT) && age == from - 1)
            return 0;
        if (MUTATED(IN_OPEN) && age == 0)
            return 0;
        return age < from;
    case WINDOW_SINCE:
    case WINDOW_BEFORE:
    case WINDOW_BETWEEN:
        return is_dated(window, time);
    case WINDOW_FROM_TO:
        break;
    }
    return is_between(window, age);
}

int oracle_counts(const struct oracle_message *m,
                  const struct rule_window *window, int since, int64_t now)
{
    return m->generation >= since && !is_from_future(m, now, window) &&
           is_inside(window, m->time_ms, now);
}

int64_t oracle_eval_count(const struct oracle *oracle,
                          const struct oracle_user *user,
                          const struct rule_event *event,
                          const struct rule_window *window,
                          const struct oracle_source *source, int64_t now)
{
    const struct oracle_selection *all = oracle_selection(oracle, user, event);
    int64_t n = 0, before = 0, waited = 0;
    for (int i = 0; i < all->count; i++) {
        const struct oracle_message *m = all->items[i];
        if (!oracle_counts(m, window, 0, now))
            continue;
        if (!source || m->generation >= source->since) {
            n++;
            continue;
        }
        before++;
        waited += m->time_ms > m->clock_ms;
    }
    if (!source || before <= source->kept)
        return n + before;
    if (source->kept && waited)
        ((struct oracle *)oracle)->unsure++;
    return n + source->kept;
}

/* ---- one event ----------------------------------------------------------- */

/* Whom and what to measure. */
struct measuring {
    const struct oracle *oracle;
    const struct oracle_user *user;
    const struct rule_measure *measure; /* Its events and path. */
    enum rule_measure_kind kind;
    const struct rule_window *window;
    int since; /* Generation. */
    int64_t now;
    const struct oracle_selection *of; /* Its events; of a score NULL. */
};

/* The message I if it counts, else NULL. */
static const struct oracle_message *counted(const struct measuring *by, int i)
{
    const struct oracle_message *m = by->of->items[i];
    return oracle_counts(m, by->window, by->since, by->now) ? m : NULL;
}

static int lacks(const struct oracle_message *m, const struct path *path)
{
    return oracle_message_value(m, path).type == NAIVE_MISSING;
}

/* The first (or last) event inside the window, by event time. */
static const struct oracle_message *find(const struct measuring *by, int last)
{
    const struct path *path = &by->measure->path;
    const struct oracle_message *best = NULL;
    for (int i = 0; i < by->of->count; i++) {
        const struct oracle_message *m = counted(by, i);
        if (!m || (MUTATED(LAST_SET) && last && path->count && lacks(m, path)))
            continue;
        if (!best || (last ? !oracle_message_before(m, best)
                           : oracle_message_before(m, best)))
            best = m;
    }
    return best;
}

static struct naive_value value_at(const struct measuring *by, int last)
{
    const struct oracle_message *m = find(by, last);
    return m ? oracle_message_value(m, &by->measure->path)
             : naive_value_of(NULL);
}

static struct naive_value days_since(const struct measuring *by, int last)
{
    const struct oracle_message *m = find(by, last);
    if (!m)
        return MUTATED(DAYS_ZERO) ? naive_value_days(0) : naive_value_of(NULL);
    return naive_value_days(by->now - m->time_ms);
}

struct seg_text oracle_latest(const struct oracle *oracle,
                              const struct oracle_user *user,
                              const struct rule_cond *leaf, int since,
                              int64_t now)
{
    static const struct rule_window lifetime = {.kind = WINDOW_LIFETIME};
    const struct rule_window *window =
        MUTATED(LATEST_WINDOW) ? &lifetime : &leaf->window;
    const struct oracle_selection *all =
        oracle_selection(oracle, user, &leaf->event);
    const struct oracle_message *m = NULL;
    for (int i = 0; i < all->count; i++) {
        const struct oracle_message *own = all->items[i];
        if (!oracle_counts(own, window, since, now))
            continue;
        if (!m || (MUTATED(LATEST_FIRST) ? oracle_message_before(own, m)
                                         : !oracle_message_before(own, m)))
            m = own;
    }
    return m ? m->name : (struct seg_text){NULL, 0};
}

/* ---- many events --------------------------------------------------------- */

static int64_t date_of(int64_t time)
{
    int64_t zone = MUTATED(DATES_ZONE) ? DAY / 2 : 0;
    time += zone;
    return (time >= 0 ? time : time - DAY + 1) / DAY;
}

/* Whether event I has what an earlier one in the list has, too. */
static int is_known(const struct measuring *by, int i,
                    const struct naive_value *value)
{
    const struct oracle_message *m = by->of->items[i];
    for (int j = i - 1; j >= 0; j--) {
        const struct oracle_message *other = counted(by, j);
        if (!other)
            continue;
        if (!value) {
            if (date_of(other->time_ms) == date_of(m->time_ms))
                return 1;
            continue;
        }
        struct naive_value known =
            oracle_message_value(other, &by->measure->path);
        if (naive_value_same(&known, value))
            return 1;
    }
    return 0;
}

static struct naive_value days(const struct measuring *by)
{
    int64_t n = 0;
    for (int i = 0; i < by->of->count; i++)
        n += counted(by, i) && !is_known(by, i, NULL);
    return naive_value_int(n);
}

static struct naive_value distinct(const struct measuring *by)
{
    int64_t n = 0;
    for (int i = 0; i < by->of->count; i++) {
        const struct oracle_message *m = counted(by, i);
        if (!m)
            continue;
        struct naive_value value = oracle_message_value(m, &by->measure->path);
        int none = value.type == NAIVE_MISSING || value.type == NAIVE_OBJECT ||
                   value.type == NAIVE_LIST;
        if (none && !(MUTATED(DISTINCT_MISSING) && value.type == NAIVE_MISSING))
            continue;
        n += !is_known(by, i, &value);
    }
    return naive_value_int(n);
}

/* What the numbers come to. */
struct numbers {
    naive_units sum;
    int64_t count;
    struct naive_value least, most;
};

static int is_less(const struct naive_value *a, const struct naive_value *b)
{
    int order = 0;
    naive_value_order(a, b, 10000, &order);
    return order < 0;
}

static void add_number(struct numbers *to, const struct naive_value *value)
{
    to->sum += naive_value_units_of(value);
    if (!to->count || is_less(value, &to->least))
        to->least = *value;
    if (!to->count || is_less(&to->most, value))
        to->most = *value;
    to->count++;
}

static struct naive_value none(void)
{
    return MUTATED(AVG_ZERO) ? naive_value_int(0) : naive_value_of(NULL);
}

/* UNITS / N as the nearest double: divided as at school, as far as it goes
 * without a 1 behind it standing for what is left. */
static double quotient(naive_units units, int64_t n)
{
    enum { DIGITS = 40 };
    char text[2 * DIGITS + 16];
    int64_t digits[DIGITS] = {0};
    naive_units by = (naive_units)n * NAIVE_UNIT, rest = units;
    int len = 0, count = 0;
    if (units < 0)
        rest = -units;
    text[len++] = units < 0 ? '-' : '+';
    for (naive_units whole = rest / by; whole; whole /= 10)
        digits[count++] = (int64_t)(whole % 10);
    while (count)
        text[len++] = (char)('0' + digits[--count]);
    text[len++] = '.';
    for (rest %= by; rest && len < (int)sizeof(text) - 2; rest %= by) {
        rest *= 10;
        text[len++] = (char)('0' + (int)(rest / by));
    }
    text[len++] = rest ? '1' : '0';
    text[len] = 0;
    return strtod(text, NULL);
}

static struct naive_value average(const struct numbers *n)
{
    if (!n->count)
        return none();
    return naive_value_real(quotient(n->sum, n->count));
}

static struct naive_value extreme(const struct numbers *n, int most)
{
    if (!n->count)
        return none();
    struct naive_value value = most ? n->most : n->least;
    value.spelled_freely = 1;
    return value;
}

static struct naive_value of_numbers(const struct measuring *by)
{
    enum rule_measure_kind kind = by->kind;
    struct numbers n = {0};
    for (int i = 0; i < by->of->count; i++) {
        const struct oracle_message *m = counted(by, i);
        if (!m)
            continue;
        struct naive_value value = oracle_message_value(m, &by->measure->path);
        int number = value.type == NAIVE_INT || value.type == NAIVE_REAL;
        if (number)
            add_number(&n, &value);
        else
            n.count += kind == MEASURE_AVG && MUTATED(AVG_ALL);
        if (number && MUTATED(SUM_WHOLE) && kind == MEASURE_SUM)
            n.sum -= n.sum % NAIVE_UNIT;
    }
    if (kind == MEASURE_SUM)
        return naive_value_units(n.sum);
    if (kind == MEASURE_AVG)
        return average(&n);
    return extreme(&n, (kind == MEASURE_MAX) != MUTATED(MIN_MAX));
}

/* ---- scores -------------------------------------------------------------- */

/* 2^-HALF_LIVES; where that is beyond all that can be told, nothing. */
static long double decay(long double half_lives)
{
    return half_lives < 256 ? exp2l(-half_lives) : 0;
}

/* The score before it is rounded; *SPREAD gets what it would be if all weights
 * were positive. */
static long double exact_score(const struct measuring *by, long double *spread)
{
    const struct rule_score *score =
        &by->oracle->rules->scores[by->measure->definition];
    long double sum = 0;
    *spread = 0;
    for (int w = 0; w < score->weight_count; w++) {
        const struct oracle_selection *all =
            oracle_selection(by->oracle, by->user, &score->weights[w].event);
        for (int i = 0; i < all->count; i++) {
            const struct oracle_message *m = all->items[i];
            if (!oracle_counts(m, by->window, by->since, by->now))
                continue;
            long double age = by->now - m->time_ms;
            long double part = decay(age / score->half_life_ms);
            if (MUTATED(SCORE_LINEAR))
                part = age < 2 * score->half_life_ms
                           ? 1 - age / (2 * score->half_life_ms)
                           : 0;
            *spread += part * fabsl((long double)score->weights[w].weight);
            sum += part * (MUTATED(SCORE_NEGATIVE)
                               ? fabsl((long double)score->weights[w].weight)
                               : (long double)score->weights[w].weight);
            if (MUTATED(SCORE_ONCE))
                break;
        }
    }
    return sum;
}

static struct naive_value score(const struct measuring *by)
{
    long double spread;
    long double units = exact_score(by, &spread) * NAIVE_UNIT;
    assert(fabsl(units) < 8192 * (long double)NAIVE_UNIT);
    return (struct naive_value){.type = NAIVE_SCORE,
                                .units = (naive_units)roundl(units)};
}

int oracle_score_unsure(const struct oracle *oracle,
                        const struct oracle_user *user,
                        const struct rule_measure *measure, int64_t now)
{
    static const struct rule_window lifetime = {.kind = WINDOW_LIFETIME};
    const struct measuring by = {oracle,    user, measure, measure->kind,
                                 &lifetime, 0,    now,     NULL};
    long double spread, units = exact_score(&by, &spread) * NAIVE_UNIT;
    long double off = fabsl(fabsl(units - truncl(units)) - 0.5L);
    return off <= spread * NAIVE_UNIT * 0x1p-43L;
}

/* ---- all ----------------------------------------------------------------- */

static const struct rule_window *window_of(const struct rule_measure *measure)
{
    static const struct rule_window lifetime = {.kind = WINDOW_LIFETIME};
    int none = measure->kind == MEASURE_DAYS_SINCE_FIRST ||
               measure->kind == MEASURE_DAYS_SINCE_LAST ||
               measure->kind == MEASURE_SCORE ||
               (measure->kind == MEASURE_COUNT && MUTATED(COUNT_WINDOW)) ||
               (measure->kind == MEASURE_FIRST && MUTATED(FIRST_WINDOW)) ||
               (measure->kind == MEASURE_LAST && MUTATED(LAST_WINDOW)) ||
               (measure->kind == MEASURE_DAYS && MUTATED(DAYS_WINDOW)) ||
               (measure->kind == MEASURE_SUM && MUTATED(SUM_WINDOW)) ||
               (measure->kind == MEASURE_AVG && MUTATED(AVG_WINDOW)) ||
               (measure->kind == MEASURE_MIN && MUTATED(MIN_WINDOW)) ||
               (measure->kind == MEASURE_MAX && MUTATED(MAX_WINDOW)) ||
               (measure->kind == MEASURE_DISTINCT && MUTATED(DISTINCT_WINDOW));
    return none ? &lifetime : &measure->window;
}

static struct naive_value measured(const struct measuring *by,
                                   const struct oracle_source *source)
{
    switch (by->kind) {
    case MEASURE_COUNT:
        return naive_value_int(oracle_eval_count(by->oracle, by->user,
                                                 &by->measure->event,
                                                 by->window, source, by->now));
    case MEASURE_FIRST:
        return value_at(by, MUTATED(FIRST_LAST));
    case MEASURE_LAST:
        return value_at(by, !MUTATED(LAST_FIRST));
    case MEASURE_DAYS_SINCE_FIRST:
        return days_since(by, MUTATED(DAYS_FIRST));
    case MEASURE_DAYS_SINCE_LAST:
        return days_since(by, !MUTATED(DAYS_LAST));
    case MEASURE_DAYS:
        return days(by);
    case MEASURE_SUM:
    case MEASURE_AVG:
    case MEASURE_MIN:
    case MEASURE_MAX:
        return of_numbers(by);
    case MEASURE_DISTINCT:
        return distinct(by);
    case MEASURE_SCORE:
        return score(by);
    case MEASURE_TRAIT:
    case MEASURE_COUNT_:
        break;
    }
    assert(!"a measure of no kind");
    return naive_value_of(NULL);
}

static const struct oracle_selection *
selection_of(const struct oracle *oracle, const struct oracle_user *user,
             const struct rule_measure *measure)
{
    return measure->kind == MEASURE_SCORE
               ? NULL
               : oracle_selection(oracle, user, &measure->event);
}

struct naive_value oracle_measure(const struct oracle *oracle,
                                  const struct oracle_user *user,
                                  const struct rule_measure *measure,
                                  const struct oracle_source *source,
                                  int64_t now)
{
    measure = oracle_resolve(oracle, measure);
    const struct measuring by = {oracle,
                                 user,
                                 measure,
                                 measure->kind,
                                 window_of(measure),
                                 source ? source->since : 0,
                                 now,
                                 selection_of(oracle, user, measure)};
    return measured(&by, source);
}

struct naive_value oracle_measure_over(const struct oracle *oracle,
                                       const struct oracle_user *user,
                                       const struct rule_measure *measure,
                                       enum rule_measure_kind kind,
                                       const struct rule_window *window,
                                       int64_t now)
{
    const struct measuring by = {
        oracle, user, measure, kind,
        window, 0,    now,     selection_of(oracle, user, measure)};
    return measured(&by, NULL);
}

/* ---- habits -------------------------------------------------------------- */

int64_t oracle_habit(const struct oracle *oracle,
                     const struct oracle_user *user,
                     const struct rule_cond *leaf,
                     const struct oracle_source *source, int64_t now)
{
    int64_t good = 0, period = leaf->times.period_ms;
    const struct oracle_selection *all =
        oracle_selection(oracle, user, &leaf->event);
    for (int64_t i = 0; i < leaf->times.periods + MUTATED(HABIT_MORE); i++) {
        const struct rule_window block = {.kind = WINDOW_FROM_TO,
                                          .from_ms = (i + 1) * period,
                                          .to_ms = i * period};
        int64_t n = 0;
        for (int j = 0; j < all->count; j++)
            n += oracle_counts(all->items[j], &block,
                               source ? source->since : 0, now);
        good += oracle_did(&leaf->times, n);
    }
    return good;
}
