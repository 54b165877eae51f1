/* oracle_warming.c: what nobody can know of a user, because it was not read
 * from the start.
 *
 * Since when it is read stands in oracle_observe.c.
 * Of a user born before that, messages are hidden: all that came before. They
 * may have been anything, at any instants up to `since` (and now). The truth of
 * a leaf is known if it is the same for every conceivable hidden past, which is
 * tried:
 *
 *   count         0, 1, 2 ... further events, if the window reaches `since`; if
 *                 some are kept, the last of them. So days, distinct, and the
 *                 blocks of a habit
 *   a sequence    true or not, if the window of its first event reaches `since`;
 *                 one that was seen is, but none begins up to `since` if what
 *                 was hidden could forbid it
 *   days_since    no event, or one at each instant up to `since` near which the
 *                 test changes its mind
 *   first, last   an event of any value, if it could be the first, the last
 *   min, max      a lesser one, a greater one
 *   sum, avg      anything
 *   score         anything, for 64 half-lives
 *   entered, left an earlier one, which is not the latest if one was seen
 *
 * The engine may say unknown though that is known (it must never do the
 * reverse), and so does the oracle, just here:
 *
 *   what is kept  until as many events up to `since` have left the window,
 *                 though some may have been seen later
 *   last          in a window from X to Y ago: until the window has left
 *                 `since` behind
 *   days_since    with =, != or between: unless no age does from the youngest
 *                 that is conceivable on; so for != always
 *   min, max, sum, avg, score: but for < and <= of a min and > and >= of a max,
 *                 which were seen to hold, until the window has left `since`
 *   a habit       of at most so many, exactly so many: until then, too
 *   a comparison  unless both sides are known, whatever it asks
 *   attributes    a scalar is kept though nobody reads it, so a hidden write is
 *                 known by it; a list or object is not
 *   a path below an attribute: until that is written */
#include <assert.h>
#include <math.h>

#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

/* ---- conceivable pasts --------------------------------------------------- */

struct past {
    const struct oracle *oracle;
    const struct oracle_user *user;
    const struct rule_cond *leaf;
    const struct oracle_source *source;
    struct oracle_side side;
    int64_t since_ms, now_ms;
    int seen_true, seen_false;
};

static void see(struct past *p, const struct naive_value *value)
{
    if (oracle_eval_passes(p->leaf, value, p->now_ms))
        p->seen_true = 1;
    else
        p->seen_false = 1;
}

static int verdict(const struct past *p)
{
    return p->seen_true && p->seen_false ? SEG_UNKNOWN
           : p->seen_true                ? SEG_TRUE
                                         : SEG_FALSE;
}

/* Whether some instant up to `since` lies in the window now. */
static int reaches(const struct past *p)
{
    int64_t shift = MUTATED(WARM_END_LATE) - MUTATED(WARM_END_EARLY);
    return p->side.after_ms <= p->since_ms &&
           (p->side.from_ms == INT64_MAX ||
            p->now_ms - p->since_ms < p->side.from_ms + shift);
}

/* Whether fewer events up to `since` are in the window than were kept, so that
 * none was left out. */
static int nothing_left_out(const struct past *p)
{
    int64_t since_ms = p->since_ms, late = 0, before = 0;
    if (!p->side.counts || !p->source->kept)
        return 0;
    const struct oracle_selection *all =
        oracle_selection(p->oracle, p->user, p->side.event);
    for (int i = 0; i < all->count; i++) {
        const struct oracle_message *m = all->items[i];
        if (m->time_ms > since_ms || m->time_ms > p->now_ms ||
            p->now_ms - m->time_ms >= p->side.from_ms)
            continue;
        if (m->generation < p->source->since)
            before++;
        else
            late++;
    }
    if (before > p->source->kept)
        before = p->source->kept;
    return before + late < p->source->kept + MUTATED(WARM_KEPT_ONE);
}

static int try_counts(struct past *p, const struct naive_value *seen)
{
    int64_t more = oracle_shown_most(p->leaf) + 1;
    struct naive_value value = *seen;
    if (MUTATED(WARM_COUNT_ONE))
        more = 1;
    if (!reaches(p) || nothing_left_out(p))
        more = 0;
    for (int64_t k = 0; k <= more; k++, value.integer++)
        see(p, &value);
    return verdict(p);
}

static const struct oracle_message *seen_event(const struct past *p, int last)
{
    const struct oracle_message *best = NULL;
    const struct oracle_selection *all =
        oracle_selection(p->oracle, p->user, p->side.event);
    for (int i = 0; i < all->count; i++) {
        const struct oracle_message *m = all->items[i];
        if (m->generation < p->source->since || m->time_ms > p->now_ms ||
            m->time_ms < p->side.after_ms ||
            (p->side.window->kind > WINDOW_FROM_TO &&
             m->time_ms > p->side.window->to_ms))
            continue;
        if (!best ||
            (last ? m->time_ms >= best->time_ms : m->time_ms < best->time_ms))
            best = m;
    }
    return best;
}

/* One hidden event at AT_MS. */
static void try_instant(struct past *p, int64_t at_ms,
                        const struct oracle_message *seen)
{
    int last = p->side.kind == MEASURE_DAYS_SINCE_LAST;
    if (at_ms > p->since_ms || at_ms > p->now_ms)
        return;
    if (seen && (last ? seen->time_ms > at_ms : seen->time_ms < at_ms))
        at_ms = seen->time_ms;
    struct naive_value value = naive_value_days(p->now_ms - at_ms);
    see(p, &value);
}

#define LONG_AGO_MS (INT64_C(400000) * 86400000)

static void try_instants(struct past *p, const struct oracle_message *seen)
{
    const struct rule_values *values = &p->leaf->test.values;
    try_instant(p, p->since_ms < p->now_ms ? p->since_ms : p->now_ms, seen);
    try_instant(p, p->now_ms - LONG_AGO_MS, seen);
    for (int i = 0; i < values->count; i++) {
        const struct rule_value *v = &values->items[i];
        if (v->value.type != SEG_INT && v->value.type != SEG_DOUBLE)
            continue;
        int64_t ms = (int64_t)floorl(naive_value_days_ms(v));
        for (int64_t t = ms - 1; t <= ms + 1; t++)
            try_instant(p, p->now_ms - t, seen);
    }
}

static int is_days_inexact(const struct rule_test *test)
{
    return test->op == OP_EQ || test->op == OP_NE || test->op == OP_BETWEEN;
}

/* What the engine makes of =, != and between: all ages from the youngest on. */
static int days_inexact(struct past *p, const struct oracle_message *seen,
                        int last)
{
    struct past all = *p;
    all.seen_true = all.seen_false = 0;
    if (last && seen && seen->time_ms > p->since_ms)
        return verdict(p);
    if (!last && seen)
        all.since_ms = seen->time_ms;
    try_instants(&all, NULL);
    return all.seen_true || p->leaf->test.op == OP_NE ? SEG_UNKNOWN : SEG_FALSE;
}

static int try_days(struct past *p, const struct naive_value *value)
{
    int last = p->side.kind == MEASURE_DAYS_SINCE_LAST;
    const struct oracle_message *seen = seen_event(p, last);
    see(p, value);
    if (MUTATED(WARM_DAYS_SEEN) && seen)
        return verdict(p);
    try_instants(p, seen);
    if (!is_days_inexact(&p->leaf->test))
        return verdict(p);
    int truth = days_inexact(p, seen, last);
    assert(mutant_on || truth == SEG_UNKNOWN || truth == verdict(p));
    return truth;
}

/* A hidden event may be the first as soon as the window reaches it; the last if
 * no later one was seen. */
static int try_value(struct past *p, const struct naive_value *value)
{
    const struct rule_window *window = p->side.window;
    int last = p->side.kind == MEASURE_LAST;
    const struct oracle_message *seen = seen_event(p, 1);
    see(p, value);
    if (!reaches(p))
        return verdict(p);
    if (last && window->kind != WINDOW_FROM_TO && seen &&
        seen->time_ms > p->since_ms - MUTATED(WARM_LAST))
        return verdict(p);
    return SEG_UNKNOWN;
}

/* A lesser minimum, a greater maximum, any sum. */
static int try_number(struct past *p, const struct naive_value *value)
{
    enum rule_op op = p->leaf->test.op;
    int decides = p->side.kind == MEASURE_MAX   ? op == OP_GT || op == OP_GE
                  : p->side.kind == MEASURE_MIN ? op == OP_LT || op == OP_LE
                                                : 0;
    see(p, value);
    if (!reaches(p) || (decides && p->seen_true && !MUTATED(WARM_EXTREME)))
        return verdict(p);
    return SEG_UNKNOWN;
}

/* Blocks that hold too many already are not looked at. */
static int try_habit(struct past *p, const struct naive_value *value)
{
    int64_t more = p->leaf->times.periods;
    struct naive_value any = *value;
    see(p, value);
    if (!reaches(p))
        return verdict(p);
    if (p->leaf->times.kind != TIMES_AT_LEAST)
        return SEG_UNKNOWN;
    for (; any.integer < more; any.integer++)
        see(p, &any);
    see(p, &any);
    return verdict(p);
}

/* ---- entries and exits --------------------------------------------------- */

static int try_watched(struct past *p, const struct naive_value *value)
{
    see(p, value);
    int member = p->user->memberships[p->leaf->segment].member;
    int64_t within = p->leaf->duration_ms - MUTATED(WARM_WATCH);
    if (p->seen_true || p->now_ms - p->since_ms >= within ||
        (p->leaf->kind == COND_ENTERED && member))
        return verdict(p);
    return SEG_UNKNOWN;
}

/* ---- attributes ---------------------------------------------------------- */

static int attribute_is_known(const struct past *p)
{
    const struct oracle_message *writer;
    json_t *value =
        oracle_eval_written(p->user, &p->leaf->path, p->now_ms, &writer);
    if (writer && writer->generation >= p->source->since)
        return 1;
    if (p->leaf->path.count > 1)
        return 0;
    if (!writer)
        return 1;
    if (MUTATED(WARM_SCALAR))
        return 0;
    if (MUTATED(WARM_LIST) && json_is_array(value))
        return 1;
    return !json_is_array(value) && !json_is_object(value);
}

/* ---- truth --------------------------------------------------------------- */

static int try_measure(struct past *p, const struct naive_value *value)
{
    switch (p->side.kind) {
    case MEASURE_COUNT:
    case MEASURE_DAYS:
    case MEASURE_DISTINCT:
        return try_counts(p, value);
    case MEASURE_FIRST:
    case MEASURE_LAST:
        return try_value(p, value);
    case MEASURE_DAYS_SINCE_FIRST:
    case MEASURE_DAYS_SINCE_LAST:
        return try_days(p, value);
    case MEASURE_SUM:
    case MEASURE_AVG:
    case MEASURE_MIN:
    case MEASURE_MAX:
    case MEASURE_SCORE:
        return try_number(p, value);
    case MEASURE_TRAIT:
    case MEASURE_COUNT_:
        break;
    }
    assert(!"a measure of no kind");
    return SEG_UNKNOWN;
}

static int try_all(struct past *p, const struct naive_value *value)
{
    switch (p->leaf->kind) {
    case COND_PATH:
        see(p, value);
        return attribute_is_known(p) ? verdict(p) : SEG_UNKNOWN;
    case COND_ENTERED:
    case COND_LEFT:
        return try_watched(p, value);
    case COND_DID:
        return p->leaf->times.period_ms ? try_habit(p, value)
                                        : try_counts(p, value);
    case COND_SEQUENCE:
        return try_counts(p, value);
    case COND_LATEST:
    case COND_MEASURE:
    case COND_COMPARE:
    case COND_AND:
    case COND_OR:
    case COND_NOT:
    case COND_EVERYONE:
    case COND_IN_SEGMENT:
    case COND_SHARE:
        break;
    }
    return try_measure(p, value);
}

/* Whether LEAF turns where VALUE, a score, lies. */
static int is_turning(const struct rule_cond *leaf,
                      const struct naive_value *value, int64_t now_ms)
{
    struct naive_value less = *value, more = *value;
    if (value->type != NAIVE_SCORE || leaf->kind != COND_MEASURE)
        return 0;
    less.units--;
    more.units++;
    int truth = oracle_eval_passes(leaf, value, now_ms);
    return oracle_eval_passes(leaf, &less, now_ms) != truth ||
           oracle_eval_passes(leaf, &more, now_ms) != truth;
}

/* What really was hidden is one of the conceivable pasts. Where a score is
 * rounded what is left of it after 64 half-lives tells. */
static void check(const struct past *p, int truth)
{
    struct naive_value all =
        oracle_eval_measure(p->oracle, p->user, p->leaf, NULL, p->now_ms);
    assert(truth == SEG_UNKNOWN || is_turning(p->leaf, &all, p->now_ms) ||
           oracle_eval_passes(p->leaf, &all, p->now_ms) == (truth == SEG_TRUE));
}

/* Whether something is hidden of WHAT, a leaf or one of its measures. */
static int begin(struct past *p, const struct oracle *o,
                 const struct oracle_user *user, const void *what,
                 int64_t now_ms)
{
    const struct oracle_source *source = oracle_warming_source(o, what);
    if (!source || (user->generation >= source->since && !MUTATED(WARM_BORN)))
        return 0;
    *p = (struct past){.oracle = o,
                       .user = user,
                       .source = source,
                       .since_ms = o->since_ms[source->since],
                       .now_ms = now_ms};
    return 1;
}

static int begin_leaf(struct past *p, const struct oracle *o,
                      const struct oracle_user *user,
                      const struct rule_cond *leaf, int64_t now_ms)
{
    if (!begin(p, o, user, leaf, now_ms))
        return 0;
    p->leaf = leaf;
    if (leaf->kind != COND_PATH && leaf->kind != COND_ENTERED &&
        leaf->kind != COND_LEFT)
        p->side = oracle_side_of(o, leaf);
    return 1;
}

/* A score that could be rounded either way, and that decides. */
static void see_unsure(const struct oracle *o, const struct oracle_user *user,
                       const struct rule_cond *leaf,
                       const struct naive_value *value, int64_t now_ms)
{
    if (is_turning(leaf, value, now_ms) &&
        oracle_score_unsure(o, user, oracle_resolve(o, &leaf->measure), now_ms))
        ((struct oracle *)o)->unsure++;
}

int oracle_warming_truth(const struct oracle *o, const struct oracle_user *user,
                         const struct rule_cond *leaf,
                         const struct naive_value *value, int64_t now_ms)
{
    struct past p;
    see_unsure(o, user, leaf, value, now_ms);
    if (!begin_leaf(&p, o, user, leaf, now_ms))
        return oracle_eval_passes(leaf, value, now_ms) ? SEG_TRUE : SEG_FALSE;
    int truth = try_all(&p, value);
    if (o->options.probe && leaf->kind != COND_ENTERED &&
        leaf->kind != COND_LEFT)
        check(&p, truth);
    return truth;
}

/* ---- comparisons --------------------------------------------------------- */

/* Whether what MEASURE says is known, whatever it is. */
static int is_known(struct past *p, const struct rule_measure *measure)
{
    p->side = oracle_side_of_measure(p->oracle, measure);
    if (!reaches(p) || nothing_left_out(p))
        return 1;
    int last = p->side.kind == MEASURE_DAYS_SINCE_LAST ||
               (p->side.kind == MEASURE_LAST &&
                p->side.window->kind != WINDOW_FROM_TO);
    const struct oracle_message *seen = last ? seen_event(p, 1) : NULL;
    return seen && seen->time_ms > p->since_ms;
}

/* The same as a double is; one at which a comparison may turn. */
static int is_near(const struct naive_value *a, const struct naive_value *b)
{
    int less, more;
    struct naive_value x = *a, y = *b;
    struct naive_value *score = a->type == NAIVE_SCORE ? &x : &y;
    if (a->type != NAIVE_SCORE && b->type != NAIVE_SCORE)
        return 0;
    score->units -= 2;
    if (!naive_value_order(&x, &y, 10000, &less))
        return 0;
    score->units += 4;
    return naive_value_order(&x, &y, 10000, &more) && less != more;
}

int oracle_warming_compare(const struct oracle *o,
                           const struct oracle_user *user,
                           const struct rule_cond *leaf, int64_t now_ms)
{
    const struct rule_measure *sides[] = {&leaf->measure, leaf->other};
    struct naive_value values[2], all[2];
    int known = 1;
    for (int i = 0; i < 2; i++) {
        struct past p;
        values[i] = oracle_measure(o, user, sides[i],
                                   oracle_warming_source(o, sides[i]), now_ms);
        all[i] = oracle_measure(o, user, sides[i], NULL, now_ms);
        if (begin(&p, o, user, sides[i], now_ms))
            known &= is_known(&p, sides[i]);
    }
    for (int i = 0; i < 2; i++)
        if (values[i].type == NAIVE_SCORE && is_near(&values[0], &values[1]) &&
            oracle_score_unsure(o, user, oracle_resolve(o, sides[i]), now_ms))
            ((struct oracle *)o)->unsure++;
    int truth = oracle_eval_compares(leaf, &values[0], &values[1]);
    if (!known && !MUTATED(WARM_COMPARE))
        return SEG_UNKNOWN;
    assert(!o->options.probe || is_near(&values[0], &values[1]) ||
           truth == oracle_eval_compares(leaf, &all[0], &all[1]));
    return truth ? SEG_TRUE : SEG_FALSE;
}

int oracle_trait_is_known(const struct oracle *o,
                          const struct oracle_user *user, int index,
                          int64_t at_ms)
{
    const struct rule_measure *measure = &o->rules->traits[index].measure;
    struct past p;
    return !begin(&p, o, user, measure, at_ms) || is_known(&p, measure) ||
           MUTATED(TRAIT_WARMING);
}

/* ---- for those who ask --------------------------------------------------- */

/* Of a comparison: a side that is not known, the right one if neither is. */
static const void *observed_of(const struct oracle *o,
                               const struct oracle_user *user,
                               const struct rule_cond *leaf, int64_t now_ms)
{
    struct past p;
    if (leaf->kind != COND_COMPARE)
        return leaf;
    return begin(&p, o, user, leaf->other, now_ms) && !is_known(&p, leaf->other)
               ? leaf->other
               : (const void *)&leaf->measure;
}

int64_t oracle_observed(const struct oracle *o, const struct oracle_user *user,
                        const struct rule_cond *leaf, int64_t now_ms)
{
    const struct oracle_source *source =
        oracle_warming_source(o, observed_of(o, user, leaf, now_ms));
    return source ? o->since_ms[source->since] : SEG_NEVER;
}

int oracle_is_warming(const struct oracle *o, const struct oracle_user *user,
                      const struct rule_cond *leaf, int64_t now_ms)
{
    struct past p;
    if (leaf->kind == COND_COMPARE)
        return (begin(&p, o, user, &leaf->measure, now_ms) &&
                !is_known(&p, &leaf->measure)) ||
               (begin(&p, o, user, leaf->other, now_ms) &&
                !is_known(&p, leaf->other));
    return begin_leaf(&p, o, user, leaf, now_ms) &&
           (!p.side.window || reaches(&p));
}

/* ---- edges --------------------------------------------------------------- */

struct ending {
    int64_t since_ms;
    void (*edge)(void *arg, int64_t ms);
    void *arg;
};

static void end_side(const struct ending *e, const struct oracle_side *side)
{
    if (side->from_ms != INT64_MAX)
        e->edge(e->arg, e->since_ms + side->from_ms);
}

static void end_days(const struct ending *e, const struct rule_test *test)
{
    for (int i = 0; i < test->values.count; i++) {
        const struct rule_value *v = &test->values.items[i];
        if (v->value.type != SEG_INT && v->value.type != SEG_DOUBLE)
            continue;
        long double ms = naive_value_days_ms(v);
        if (fabsl(ms) < 1e15L)
            e->edge(e->arg, e->since_ms + (int64_t)floorl(ms));
    }
}

static void end_compare(const struct oracle *o, const struct oracle_user *user,
                        const struct rule_cond *leaf, struct ending *e)
{
    const struct rule_measure *sides[] = {&leaf->measure, leaf->other};
    struct past p;
    for (int i = 0; i < 2; i++) {
        if (!begin(&p, o, user, sides[i], 0))
            continue;
        struct oracle_side side = oracle_side_of_measure(o, sides[i]);
        e->since_ms = p.since_ms;
        end_side(e, &side);
    }
}

void oracle_warming_edges(const struct oracle *o, struct oracle_user *user,
                          const struct rule_cond *leaf,
                          void (*edge)(void *arg, int64_t ms), void *arg)
{
    struct ending e = {0, edge, arg};
    struct past p;
    if (leaf->kind == COND_COMPARE) {
        end_compare(o, user, leaf, &e);
        return;
    }
    if (!begin_leaf(&p, o, user, leaf, 0) || leaf->kind == COND_PATH)
        return;
    e.since_ms = p.since_ms;
    if (!p.side.window)
        edge(arg, p.since_ms + leaf->duration_ms);
    else if (p.side.kind == MEASURE_DAYS_SINCE_FIRST ||
             p.side.kind == MEASURE_DAYS_SINCE_LAST)
        end_days(&e, &leaf->test);
    else
        end_side(&e, &p.side);
}
