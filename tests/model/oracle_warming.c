/* oracle_warming.c: what nobody can know of a user, because it was not read
 * from the start.
 *
 * What a leaf measures is named by its one spelling: the event with its `where`
 * and the window, or the path. It is read since the catalogue change (its
 * *generation*) from which on every catalogue has had it. Of a window that ends
 * now only so many of the newest events are kept as the greatest number that
 * its catalogue compares their count with: a greater one is read anew, but
 * those that were kept are there.
 *
 * Of a user born before that, messages are hidden: all that came before. They
 * may have been anything, at any instants up to `since` (and now). The truth of
 * a leaf is known if it is the same for every conceivable hidden past, which is
 * tried:
 *
 *   count         0, 1, 2 ... further events, if the window reaches `since`; if
 *                 some are kept, the last of them
 *   days_since    no event, or one at each instant up to `since` near which the
 *                 test changes its mind
 *   first, last   an event of any value, if it could be the first, the last
 *
 * The engine may say unknown though that is known (it must never do the
 * reverse), and so does the oracle, just here:
 *
 *   what is kept: until as many events up to `since` have left the window,
 * though some may have been seen later last in a window from X to Y ago: until
 * the window has left `since` behind days_since with =, != or between: unless
 * no age does from the youngest that is conceivable on; so for != always
 *   attributes    a scalar is kept though nobody reads it, so a hidden write is
 *                 known by it; a list or object is not
 *   a path below an attribute: until that is written */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/segment/format.h"
#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

/* ---- what is read since when ------------------------------------------- */

static char *spelling(const struct rule_cond *leaf)
{
    struct rule_measure count = {
        .kind = MEASURE_COUNT, .event = leaf->event, .window = leaf->window};
    struct buf text;
    buf_init(&text);
    if (leaf->kind == COND_PATH)
        format_path(&text, &leaf->path);
    else
        format_measure(&text, leaf->kind == COND_DID ? &count : &leaf->measure,
                       FORMAT_LIST_VALUES);
    return buf_take(&text);
}

static const struct rule_window *window_of(const struct rule_cond *leaf)
{
    return leaf->kind == COND_DID ? &leaf->window : &leaf->measure.window;
}

static int is_count(const struct rule_cond *leaf)
{
    return leaf->kind == COND_DID ||
           (leaf->kind == COND_MEASURE && leaf->measure.kind == MEASURE_COUNT);
}

static struct oracle_source *find_source(struct oracle_source *sources,
                                         int count, const char *text)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(sources[i].text, text))
            return &sources[i];
    return NULL;
}

static void add_leaf(struct oracle *o, const struct rule_cond *leaf)
{
    char *text = spelling(leaf);
    struct oracle_source *source =
        find_source(o->sources, o->source_count, text);
    if (!source) {
        o->sources =
            oracle_grow(o->sources, &o->source_cap, (size_t)o->source_count + 1,
                        sizeof(*o->sources));
        source = &o->sources[o->source_count++];
        *source = (struct oracle_source){.text = text};
    } else {
        free(text);
    }
    if (is_count(leaf) && window_of(leaf)->kind == WINDOW_IN) {
        int64_t most = oracle_shown_most(leaf);
        source->from_ms = window_of(leaf)->from_ms;
        source->most = most > source->most ? most : source->most;
        source->most = source->most > 1 ? source->most : 1;
    }
    o->leaves = oracle_grow(o->leaves, &o->leaf_cap, (size_t)o->leaf_count + 1,
                            sizeof(*o->leaves));
    o->leaves[o->leaf_count++] =
        (struct oracle_leaf){leaf, (int)(source - o->sources)};
}

static void add_leaves(struct oracle *o, const struct rule_cond *cond)
{
    for (int i = 0; i < cond->count; i++)
        add_leaves(o, cond->children[i]);
    if (cond->kind == COND_DID || cond->kind == COND_MEASURE ||
        cond->kind == COND_PATH)
        add_leaf(o, cond);
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct oracle_leaf *)a)->cond;
    uintptr_t y = (uintptr_t)((const struct oracle_leaf *)b)->cond;
    return (x > y) - (x < y);
}

static void free_sources(struct oracle_source *sources, int count)
{
    for (int i = 0; i < count; i++)
        free(sources[i].text);
    free(sources);
}

/* SOURCE was read BEFORE, if that is not NULL. */
static void read_on(const struct oracle *o, struct oracle_source *source,
                    const struct oracle_source *before)
{
    source->since = MUTATED(WARM_OFF) ? 0 : o->generation;
    if (!before)
        return;
    if (before->most >= source->most || MUTATED(WARM_GREATER)) {
        source->since = before->since;
        source->kept = before->kept;
        return;
    }
    int over = !before->since ||
               o->since_ms[before->since] + source->from_ms <= o->clock_ms;
    source->kept = before->most;
    if (!over && before->kept < before->most)
        source->kept = before->kept;
    if (MUTATED(WARM_KEPT))
        source->kept = 0;
}

void oracle_warming_read(struct oracle *o)
{
    struct oracle_source *old = o->sources;
    int old_count = o->source_count;
    o->sources = NULL;
    o->source_count = o->leaf_count = 0;
    o->source_cap = 0;
    for (int i = 0; i < o->rules->segment_count; i++)
        if (o->rules->segments[i].when)
            add_leaves(o, o->rules->segments[i].when);
    if (o->leaf_count)
        qsort(o->leaves, (size_t)o->leaf_count, sizeof(*o->leaves), by_address);
    for (int i = 0; i < o->source_count; i++) {
        struct oracle_source *source = &o->sources[i];
        const struct oracle_source *before =
            find_source(old, old_count, source->text);
        read_on(o, source, before);
    }
    free_sources(old, old_count);
}

void oracle_warming_done(struct oracle *o)
{
    free_sources(o->sources, o->source_count);
    free(o->leaves);
    free(o->since_ms);
}

const struct oracle_source *oracle_warming_source(const struct oracle *o,
                                                  const struct rule_cond *leaf)
{
    struct oracle_leaf key = {leaf, 0};
    if (!o->generation || !o->leaf_count)
        return NULL;
    const struct oracle_leaf *found = bsearch(
        &key, o->leaves, (size_t)o->leaf_count, sizeof(key), by_address);
    return found && o->sources[found->source].since ? &o->sources[found->source]
                                                    : NULL;
}

/* ---- conceivable pasts --------------------------------------------------- */

struct past {
    const struct oracle *oracle;
    const struct oracle_user *user;
    const struct rule_cond *leaf;
    const struct oracle_source *source;
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
    const struct rule_window *window = window_of(p->leaf);
    int64_t shift = MUTATED(WARM_END_LATE) - MUTATED(WARM_END_EARLY);
    return window->kind == WINDOW_LIFETIME ||
           p->now_ms - p->since_ms < window->from_ms + shift;
}

/* Whether fewer events up to `since` are in the window than were kept, so that
 * none was left out. */
static int nothing_left_out(const struct past *p)
{
    const struct rule_cond *leaf = p->leaf;
    const struct rule_event *event =
        leaf->kind == COND_DID ? &leaf->event : &leaf->measure.event;
    int64_t since_ms = p->since_ms, late = 0, before = 0;
    for (int i = 0; i < p->user->count; i++) {
        const struct oracle_message *m = p->user->messages[i];
        if (m->time_ms > since_ms || m->time_ms > p->now_ms ||
            p->now_ms - m->time_ms >= window_of(leaf)->from_ms ||
            !oracle_message_selected(p->oracle, m, event))
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
    for (int i = 0; i < p->user->count; i++) {
        const struct oracle_message *m = p->user->messages[i];
        if (m->generation < p->source->since || m->time_ms > p->now_ms ||
            !oracle_message_selected(p->oracle, m, &p->leaf->measure.event))
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
    int last = p->leaf->measure.kind == MEASURE_DAYS_SINCE_LAST;
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
    int last = p->leaf->measure.kind == MEASURE_DAYS_SINCE_LAST;
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
    const struct rule_window *window = window_of(p->leaf);
    int last = p->leaf->measure.kind == MEASURE_LAST;
    const struct oracle_message *seen = seen_event(p, 1);
    see(p, value);
    if (!reaches(p))
        return verdict(p);
    if (last && window->kind != WINDOW_FROM_TO && seen &&
        seen->time_ms > p->since_ms - MUTATED(WARM_LAST))
        return verdict(p);
    return SEG_UNKNOWN;
}

/* ---- attributes ------------------------------------------------------------
 */

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

/* ---- truth
 * ------------------------------------------------------------------- */

static int try_all(struct past *p, const struct naive_value *value)
{
    int passes = oracle_eval_passes(p->leaf, value, p->now_ms);
    if (p->leaf->kind == COND_PATH)
        return !attribute_is_known(p) ? SEG_UNKNOWN
               : passes               ? SEG_TRUE
                                      : SEG_FALSE;
    if (is_count(p->leaf))
        return try_counts(p, value);
    if (p->leaf->measure.kind == MEASURE_FIRST ||
        p->leaf->measure.kind == MEASURE_LAST)
        return try_value(p, value);
    return try_days(p, value);
}

/* What really was hidden is one of the conceivable pasts. */
static void check(const struct past *p, int truth)
{
    struct naive_value all =
        oracle_eval_measure(p->oracle, p->user, p->leaf, NULL, p->now_ms);
    assert(truth == SEG_UNKNOWN ||
           oracle_eval_passes(p->leaf, &all, p->now_ms) == (truth == SEG_TRUE));
}

/* Whether something is hidden of what LEAF measures of USER. */
static int begin(struct past *p, const struct oracle *o,
                 const struct oracle_user *user, const struct rule_cond *leaf,
                 int64_t now_ms)
{
    const struct oracle_source *source = oracle_warming_source(o, leaf);
    if (!source || (user->generation >= source->since && !MUTATED(WARM_BORN)))
        return 0;
    *p = (struct past){.oracle = o,
                       .user = user,
                       .leaf = leaf,
                       .source = source,
                       .since_ms = o->since_ms[source->since],
                       .now_ms = now_ms};
    return 1;
}

int oracle_warming_truth(const struct oracle *o, const struct oracle_user *user,
                         const struct rule_cond *leaf,
                         const struct naive_value *value, int64_t now_ms)
{
    struct past p;
    if (!begin(&p, o, user, leaf, now_ms))
        return oracle_eval_passes(leaf, value, now_ms) ? SEG_TRUE : SEG_FALSE;
    int truth = try_all(&p, value);
    if (o->options.probe)
        check(&p, truth);
    return truth;
}

int64_t oracle_observed(const struct oracle *o, const struct rule_cond *leaf)
{
    const struct oracle_source *source = oracle_warming_source(o, leaf);
    return source ? o->since_ms[source->since] : SEG_NEVER;
}

int oracle_is_warming(const struct oracle *o, const struct oracle_user *user,
                      const struct rule_cond *leaf, int64_t now_ms)
{
    struct past p;
    return begin(&p, o, user, leaf, now_ms) &&
           (leaf->kind == COND_PATH ||
            (leaf->kind == COND_MEASURE &&
             (leaf->measure.kind == MEASURE_DAYS_SINCE_FIRST ||
              leaf->measure.kind == MEASURE_DAYS_SINCE_LAST)) ||
            reaches(&p));
}

/* ---- edges
 * -------------------------------------------------------------------- */

void oracle_warming_edges(const struct oracle *o, struct oracle_user *user,
                          const struct rule_cond *leaf,
                          void (*edge)(void *arg, int64_t ms), void *arg)
{
    const struct oracle_source *source = oracle_warming_source(o, leaf);
    if (!source || user->generation >= source->since || leaf->kind == COND_PATH)
        return;
    int64_t since_ms = o->since_ms[source->since];
    if (is_count(leaf) || leaf->measure.kind == MEASURE_FIRST ||
        leaf->measure.kind == MEASURE_LAST) {
        if (window_of(leaf)->kind != WINDOW_LIFETIME)
            edge(arg, since_ms + window_of(leaf)->from_ms);
        return;
    }
    for (int i = 0; i < leaf->test.values.count; i++) {
        const struct rule_value *v = &leaf->test.values.items[i];
        if (v->value.type != SEG_INT && v->value.type != SEG_DOUBLE)
            continue;
        long double ms = naive_value_days_ms(v);
        if (fabsl(ms) < 1e15L)
            edge(arg, since_ms + (int64_t)floorl(ms));
    }
}
