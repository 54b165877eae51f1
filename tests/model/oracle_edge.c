/* oracle_edge.c: instants at which time alone may change a truth.
 *
 * A score, and an age that is compared with something else, move all the time:
 * between two neighbouring edges of such a condition it turns once at most, and
 * where is found by halving.
 *
 * Each edge stands in the user's heap three times: 1 ms before, at, 1 ms after.
 * A message brings its edges once, when it arrives: what its time and the dates
 * in it have to do with the durations of the conditions that read it. Whether
 * it will still matter then is found out then. */
#include <math.h>
#include <stdlib.h>

#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

int64_t oracle_edge_least(const struct oracle_user *user)
{
    return user->edge_count ? user->edges[0] : SEG_NEVER;
}

static void swap(int64_t *a, int64_t *b)
{
    int64_t c = *a;
    *a = *b;
    *b = c;
}

void oracle_edge_push(struct oracle_user *user, int64_t ms)
{
    user->edges = oracle_grow(user->edges, &user->edge_cap,
                              user->edge_count + 1, sizeof(*user->edges));
    size_t i = user->edge_count++;
    user->edges[i] = ms;
    for (; i && user->edges[i] < user->edges[(i - 1) / 2]; i = (i - 1) / 2)
        swap(&user->edges[i], &user->edges[(i - 1) / 2]);
}

void oracle_edge_pop(struct oracle_user *user)
{
    size_t i = 0, n = --user->edge_count;
    user->edges[0] = user->edges[n];
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < n && user->edges[child] < user->edges[least])
                least = child;
        if (least == i)
            return;
        swap(&user->edges[i], &user->edges[least]);
        i = least;
    }
}

struct edges {
    struct oracle *oracle;
    struct oracle_user *user;
    const struct oracle_message *message; /* NULL: a catalogue began. */
    struct edge_list {                    /* Not NULL: they go here. */
        int64_t *items;
        size_t count, cap;
    } * list;
};

static void add(void *arg, int64_t ms)
{
    const struct edges *e = arg;
    struct edge_list *list = e->list;
    for (int64_t t = ms - 1; t <= ms + 1; t++) {
        if (t <= e->oracle->clock_ms)
            continue;
        if (!list) {
            oracle_edge_push(e->user, t);
            continue;
        }
        list->items = oracle_grow(list->items, &list->cap, list->count + 1,
                                  sizeof(*list->items));
        list->items[list->count++] = t;
    }
}

static void add_window(struct edges *e, const struct rule_window *window)
{
    int64_t t = e->message->time_ms;
    if (window->kind == WINDOW_IN || window->kind == WINDOW_FROM_TO)
        add(e, t + window->from_ms);
    if (window->kind == WINDOW_FROM_TO)
        add(e, t + window->to_ms);
}

/* days_since passes from one side of a number to the other. */
static void add_days(struct edges *e, const struct rule_test *test)
{
    for (int i = 0; i < test->values.count; i++) {
        const struct rule_value *v = &test->values.items[i];
        if (v->value.type != SEG_INT && v->value.type != SEG_DOUBLE)
            continue;
        long double ms = naive_value_days_ms(v);
        if (fabsl(ms) < 1e15L)
            add(e, e->message->time_ms + (int64_t)floorl(ms));
    }
}

static int is_selected(const struct edges *e, const struct rule_event *event)
{
    return oracle_message_selected(e->oracle, e->message, event);
}

/* When the message begins or ceases to count in MEASURE. */
static void add_measure(struct edges *e, const struct rule_measure *measure)
{
    measure = oracle_resolve(e->oracle, measure);
    if (measure->kind == MEASURE_SCORE) {
        const struct rule_score *score =
            &e->oracle->rules->scores[measure->definition];
        for (int i = 0; i < score->weight_count; i++)
            if (is_selected(e, &score->weights[i].event))
                add(e, e->message->time_ms + 64 * score->half_life_ms);
    } else if (is_selected(e, &measure->event)) {
        add(e, e->message->time_ms);
        add_window(e, &measure->window);
    }
}

static void add_tested(struct edges *e, const struct rule_cond *cond)
{
    const struct rule_measure *measure =
        oracle_resolve(e->oracle, &cond->measure);
    struct naive_value value;
    add_measure(e, measure);
    if (measure->kind == MEASURE_SCORE || !is_selected(e, &measure->event))
        return;
    if (measure->kind == MEASURE_DAYS_SINCE_FIRST ||
        measure->kind == MEASURE_DAYS_SINCE_LAST)
        add_days(e, &cond->test);
    if (!measure->path.count)
        return;
    value = oracle_message_value(e->message, &measure->path);
    naive_value_edges(&value, &cond->test, add, e);
}

static void add_attribute(struct edges *e, const struct rule_cond *cond)
{
    const struct path *path = &cond->path;
    json_t *traits = json_object_get(e->message->json, "traits");
    struct naive_value value =
        naive_value_of(oracle_message_below(traits, path->names, path->count));
    naive_value_edges(&value, &cond->test, add, e);
}

/* The end of each block that the message is in. */
static void add_blocks(struct edges *e, const struct rule_times *times)
{
    for (int64_t i = 1; i <= times->periods; i++)
        add(e, e->message->time_ms + i * times->period_ms);
}

/* Whatever the message is to the steps: all that they can have begun with it. */
static void add_sequence(struct edges *e, const struct rule_cond *cond)
{
    const struct rule_sequence *sequence = cond->sequence;
    int plays = is_selected(e, &cond->event);
    if (plays)
        add_window(e, &cond->window);
    for (int i = 0; i < sequence->step_count; i++)
        plays |= is_selected(e, &sequence->steps[i].event);
    for (int i = 0; i < sequence->step_count && plays; i++)
        if (sequence->steps[i].without)
            add(e, e->message->time_ms + sequence->steps[i].within_ms);
}

/* The latest entry and exit, when a catalogue begins. */
static void add_watched(struct edges *e, const struct rule_cond *cond)
{
    const struct oracle_membership *m = &e->user->memberships[cond->segment];
    int64_t at_ms =
        cond->kind == COND_ENTERED ? m->watch_entered_ms : m->watch_left_ms;
    if (at_ms != INT64_MIN)
        add(e, at_ms + cond->duration_ms);
}

static void add_of_message(struct edges *e, const struct rule_cond *cond)
{
    switch (cond->kind) {
    case COND_DID:
        if (is_selected(e, &cond->event) && cond->times.period_ms)
            add_blocks(e, &cond->times);
        else if (is_selected(e, &cond->event))
            add_window(e, &cond->window);
        return;
    case COND_LATEST:
        if (is_selected(e, &cond->event))
            add_window(e, &cond->window);
        return;
    case COND_SEQUENCE:
        add_sequence(e, cond);
        return;
    case COND_MEASURE:
        add_tested(e, cond);
        return;
    case COND_COMPARE:
        add_measure(e, &cond->measure);
        add_measure(e, cond->other);
        return;
    case COND_PATH:
        add_attribute(e, cond);
        return;
    case COND_AND:
    case COND_OR:
    case COND_NOT:
    case COND_EVERYONE:
    case COND_IN_SEGMENT:
    case COND_ENTERED:
    case COND_LEFT:
    case COND_SHARE:
        return;
    }
}

/* ---- what moves all the time --------------------------------------------- */

static int is_moving(const struct oracle *o, const struct rule_measure *measure)
{
    measure = oracle_resolve(o, measure);
    return measure->kind == MEASURE_SCORE ||
           measure->kind == MEASURE_DAYS_SINCE_FIRST ||
           measure->kind == MEASURE_DAYS_SINCE_LAST;
}

/* Ages that are tested have their edges. */
static int has_crossings(const struct oracle *o, const struct rule_cond *cond)
{
    if (cond->kind == COND_MEASURE)
        return oracle_resolve(o, &cond->measure)->kind == MEASURE_SCORE;
    return cond->kind == COND_COMPARE &&
           (is_moving(o, &cond->measure) || is_moving(o, cond->other));
}

/* Whether the message is counted by MEASURE. */
static int is_measured(const struct edges *e,
                       const struct rule_measure *measure)
{
    int found = 0;
    measure = oracle_resolve(e->oracle, measure);
    if (measure->kind != MEASURE_SCORE)
        return is_selected(e, &measure->event);
    const struct rule_score *score =
        &e->oracle->rules->scores[measure->definition];
    for (int i = 0; i < score->weight_count; i++)
        found |= is_selected(e, &score->weights[i].event);
    return found;
}

/* Whether COND crosses elsewhere since the message came. */
static int is_moved(const struct edges *e, const struct rule_cond *cond)
{
    return !e->message || is_measured(e, &cond->measure) ||
           (cond->kind == COND_COMPARE && is_measured(e, cond->other));
}

static int by_instant(const void *a, const void *b);

#define HORIZON_MS (INT64_C(400) * 365 * 86400000)

/* The order of what COND measures against its number INDEX, or of its sides; 9
 * if there is none. */
static int order_at(const struct edges *e, const struct rule_cond *cond,
                    int index, int64_t at_ms)
{
    struct naive_value left, right;
    int64_t hundredths = 10000;
    int order = 9;
    left = oracle_shown(e->oracle, e->user, cond, at_ms);
    if (cond->kind == COND_COMPARE) {
        right = oracle_other(e->oracle, e->user, cond, at_ms);
        if (cond->percent.spelling.bytes)
            hundredths = cond->percent.hundredths;
    } else {
        right = (struct naive_value){
            .type = NAIVE_UNITS,
            .units = naive_value_literal(&cond->test.values.items[index])};
        left.type = NAIVE_UNITS;
    }
    return naive_value_order(&left, &right, hundredths, &order) ? order : 9;
}

/* Between FROM, where it is BEFORE, and TO it turns from above to equal to
 * below, or upwards. Returns what it is at TO. */
static int halve(struct edges *e, const struct rule_cond *cond, int index,
                 int before, int64_t from, int64_t to)
{
    int after = order_at(e, cond, index, to);
    for (int end = 0; end < 2 && before != after; end++) {
        int64_t low = from, high = to;
        while (high - low > 1) {
            int64_t middle = low + (high - low) / 2;
            int order = order_at(e, cond, index, middle);
            if (end ? order == after : order != before)
                high = middle;
            else
                low = middle;
        }
        add(e, high);
    }
    return after;
}

static void add_crossings(struct edges *e, const struct rule_cond *cond)
{
    struct edge_list list = {0};
    struct edges all = *e;
    int numbers = cond->kind == COND_COMPARE ? 1 : cond->test.values.count;
    all.list = &list;
    add(&all, e->oracle->clock_ms + HORIZON_MS);
    oracle_warming_edges(e->oracle, e->user, cond, add, &all);
    for (int i = 0; i < e->user->count; i++) {
        all.message = e->user->messages[i];
        add_of_message(&all, cond);
        add(&all, all.message->time_ms);
    }
    qsort(list.items, list.count, sizeof(*list.items), by_instant);
    all.list = NULL;
    for (int n = 0; n < numbers; n++) {
        int64_t from = e->oracle->clock_ms;
        int order = order_at(&all, cond, n, from);
        for (size_t i = 0; i < list.count; from = list.items[i++])
            order = halve(&all, cond, n, order, from, list.items[i]);
    }
    free(list.items);
}

/* ---- all ----------------------------------------------------------------- */

static void add_cond(struct edges *e, const struct rule_cond *cond)
{
    for (int i = 0; i < cond->count; i++)
        add_cond(e, cond->children[i]);
    if (e->message)
        add_of_message(e, cond);
    else
        oracle_warming_edges(e->oracle, e->user, cond, add, e);
    if (!e->message && (cond->kind == COND_ENTERED || cond->kind == COND_LEFT))
        add_watched(e, cond);
    if (has_crossings(e->oracle, cond) && is_moved(e, cond))
        add_crossings(e, cond);
}

void oracle_edge_add(struct oracle *oracle, struct oracle_user *user,
                     const struct oracle_message *message)
{
    struct edges e = {oracle, user, message, NULL};
    if (message)
        add(&e, message->time_ms);
    for (int i = 0; i < oracle->rules->segment_count; i++) {
        const struct rule_segment *segment = &oracle->rules->segments[i];
        if (segment->when)
            add_cond(&e, segment->when);
        if (segment->until)
            add_cond(&e, segment->until);
    }
}

/* ---- entries and exits --------------------------------------------------- */

struct watching {
    struct oracle_user *user;
    int segment;
    int64_t at_ms;
};

static void watch(const struct watching *w, const struct rule_cond *cond)
{
    for (int i = 0; i < cond->count; i++)
        watch(w, cond->children[i]);
    if ((cond->kind != COND_ENTERED && cond->kind != COND_LEFT) ||
        cond->segment != w->segment)
        return;
    int64_t at_ms = w->at_ms + cond->duration_ms;
    for (int64_t t = at_ms - 1; t <= at_ms + 1; t++)
        if (t > w->at_ms)
            oracle_edge_push(w->user, t);
}

/* The clock may be further on already: edges up to it are still to come. */
void oracle_edge_watch(struct oracle *oracle, struct oracle_user *user,
                       int segment, int64_t at_ms)
{
    const struct watching w = {user, segment, at_ms};
    for (int i = 0; i < oracle->rules->segment_count; i++) {
        const struct rule_segment *one = &oracle->rules->segments[i];
        if (one->when)
            watch(&w, one->when);
        if (one->until)
            watch(&w, one->until);
    }
}

static int by_instant(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The edges of USER after the clock, up to UNTIL_MS, behind the N of ALL. */
static int64_t *add_edges(const struct oracle *oracle,
                          const struct oracle_user *user, int64_t until_ms,
                          int64_t *all, size_t *cap, size_t *n)
{
    all = oracle_grow(all, cap, *n + user->edge_count + 1, sizeof(*all));
    for (size_t i = 0; i < user->edge_count; i++)
        if (user->edges[i] > oracle->clock_ms && user->edges[i] <= until_ms)
            all[(*n)++] = user->edges[i];
    return all;
}

/* Sorted, each once. Returns how many are left. */
static size_t sort_edges(int64_t *all, size_t n)
{
    size_t distinct = 0;
    if (n)
        qsort(all, n, sizeof(*all), by_instant);
    for (size_t i = 0; i < n; i++)
        if (!distinct || all[i] != all[distinct - 1])
            all[distinct++] = all[i];
    return distinct;
}

int64_t *oracle_user_edges(const struct oracle *oracle,
                           const struct oracle_user *user, int64_t until_ms,
                           size_t *count)
{
    size_t cap = 0, n = 0;
    int64_t *all = add_edges(oracle, user, until_ms, NULL, &cap, &n);
    *count = sort_edges(all, n);
    return all;
}

int64_t *oracle_edges(const struct oracle *oracle, int64_t until_ms,
                      size_t *count)
{
    int64_t *all = NULL;
    size_t cap = 0, n = 0;
    for (int u = 0; u < oracle->user_count; u++)
        all = add_edges(oracle, oracle->users[u], until_ms, all, &cap, &n);
    *count = sort_edges(all, n);
    return all;
}
