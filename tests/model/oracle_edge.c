/* oracle_edge.c: instants at which time alone may change a truth.
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
};

static void add(void *arg, int64_t ms)
{
    const struct edges *e = arg;
    for (int64_t t = ms - 1; t <= ms + 1; t++)
        if (t > e->oracle->clock_ms)
            oracle_edge_push(e->user, t);
}

static void add_window(struct edges *e, const struct rule_window *window)
{
    int64_t t = e->message->time_ms;
    if (window->kind != WINDOW_LIFETIME)
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

static void add_measure(struct edges *e, const struct rule_cond *cond)
{
    const struct rule_measure *measure = &cond->measure;
    struct naive_value value;
    if (!oracle_message_selected(e->oracle, e->message, &measure->event))
        return;
    if (measure->kind == MEASURE_DAYS_SINCE_FIRST ||
        measure->kind == MEASURE_DAYS_SINCE_LAST) {
        add_days(e, &cond->test);
        return;
    }
    add_window(e, &measure->window);
    if (measure->kind == MEASURE_COUNT)
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

static void add_cond(struct edges *e, const struct rule_cond *cond)
{
    for (int i = 0; i < cond->count; i++)
        add_cond(e, cond->children[i]);
    if (!e->message) {
        if (cond->kind == COND_DID || cond->kind == COND_MEASURE)
            oracle_warming_edges(e->oracle, e->user, cond, add, e);
        return;
    }
    if (cond->kind == COND_MEASURE)
        add_measure(e, cond);
    if (cond->kind == COND_PATH)
        add_attribute(e, cond);
    if (cond->kind == COND_DID &&
        oracle_message_selected(e->oracle, e->message, &cond->event))
        add_window(e, &cond->window);
}

void oracle_edge_add(struct oracle *oracle, struct oracle_user *user,
                     const struct oracle_message *message)
{
    struct edges e = {oracle, user, message};
    if (message)
        add(&e, message->time_ms);
    for (int i = 0; i < oracle->rules->segment_count; i++)
        if (oracle->rules->segments[i].when)
            add_cond(&e, oracle->rules->segments[i].when);
}

static int by_instant(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int64_t *oracle_edges(const struct oracle *oracle, int64_t until_ms,
                      size_t *count)
{
    int64_t *all = NULL;
    size_t cap = 0, n = 0, distinct = 0;
    for (int u = 0; u < oracle->user_count; u++) {
        const struct oracle_user *user = oracle->users[u];
        all = oracle_grow(all, &cap, n + user->edge_count + 1, sizeof(*all));
        for (size_t i = 0; i < user->edge_count; i++)
            if (user->edges[i] > oracle->clock_ms && user->edges[i] <= until_ms)
                all[n++] = user->edges[i];
    }
    if (n)
        qsort(all, n, sizeof(*all), by_instant);
    for (size_t i = 0; i < n; i++)
        if (!distinct || all[i] != all[distinct - 1])
            all[distinct++] = all[i];
    *count = distinct;
    return all;
}
