/* plan_event.c: from an event to the features it may feed.
 *
 * Each distinct `event` of a rule is a selector. For every event name there is
 * a dispatch: the selectors of that name, and, where a selector demands that
 * some path equals some texts, a switch on that path instead, so that a
 * thousand selectors `"Order Placed" where sku = "…"` cost one look-up. */
#include <stdlib.h>

#include <seg/error.h>

#include "lib/base/alloc.h"
#include "lib/base/text.h"
#include "lib/segment/format.h"
#include "lib/segment/planner.h"

int planner_path(struct planner *planner, const struct path *path,
                 uint32_t *number)
{
    void *items = planner->path_items;
    buf_reset(&planner->text);
    format_path(&planner->text, path);
    int ret = planner_intern(planner, &planner->paths, number);
    if (ret <= 0)
        return ret;
    if (alloc_grow(&items, &planner->path_cap, *number + 1ul, sizeof(*path)) <
        0)
        return SEG_ERR_NOMEM;
    planner->path_items = items;
    planner->path_items[*number] = *path;
    return 0;
}

static int compile_filter(struct planner *planner,
                          const struct rule_where *where, struct filter *filter)
{
    static const enum filter_kind kinds[] = {
        [WHERE_AND] = FILTER_AND,
        [WHERE_OR] = FILTER_OR,
        [WHERE_NOT] = FILTER_NOT,
        [WHERE_TEST] = FILTER_TEST,
    };
    filter->kind = kinds[where->kind];
    if (where->kind == WHERE_TEST) {
        int ret = planner_path(planner, &where->path, &filter->path);
        if (ret == 0 && where->test.op == OP_HAS_ONE)
            ret = growing_add(&planner->whole_paths, filter->path);
        return ret < 0 ? ret
                       : value_test_init(&filter->test, planner->arena,
                                         &where->test);
    }
    struct filter *children =
        arena_calloc(planner->arena, (size_t)where->count, sizeof(*children));
    if (!children)
        return SEG_ERR_NOMEM;
    filter->children = children;
    filter->count = (uint32_t)where->count;
    for (int i = 0; i < where->count; i++) {
        int ret = compile_filter(planner, where->children[i], &children[i]);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static void filter_done(const struct filter *filter)
{
    value_test_done((struct value_test *)&filter->test);
    for (uint32_t i = 0; i < filter->count; i++)
        filter_done(&filter->children[i]);
}

int planner_selector(struct planner *planner, const struct rule_event *event,
                     uint32_t *number)
{
    void *items = planner->selector_items;
    uint32_t name;
    buf_reset(&planner->text);
    format_event(&planner->text, event, FORMAT_LIST_VALUES);
    int ret = planner_intern(planner, &planner->selectors, number);
    if (ret <= 0)
        return ret;
    if (alloc_grow(&items, &planner->selector_cap, *number + 1ul,
                   sizeof(*planner->selector_items)) < 0)
        return SEG_ERR_NOMEM;
    planner->selector_items = items;
    planner->selector_items[*number] =
        (struct planned_selector){.event = *event};
    for (int i = 0; i < event->count; i++)
        if (intern_add(&planner->plan->spec.names, event->names[i].text,
                       &name) < 0)
            return SEG_ERR_NOMEM;
    return 0;
}

/* ---- dispatch ---------------------------------------------------------- */

/* The test by which FILTER demands that a path equals one of some texts; NULL
 * if there is none. */
static const struct filter *find_equality(const struct filter *filter)
{
    if (!filter)
        return NULL;
    if (filter->kind == FILTER_AND) {
        for (uint32_t i = 0; i < filter->count; i++) {
            const struct filter *found = find_equality(&filter->children[i]);
            if (found)
                return found;
        }
        return NULL;
    }
    if (filter->kind != FILTER_TEST || filter->test.rule->ignoring_case ||
        (filter->test.rule->op != OP_EQ && filter->test.rule->op != OP_IN))
        return NULL;
    for (int i = 0; i < filter->test.rule->values.count; i++) {
        const struct rule_value *value = &filter->test.operands[i];
        if (value->is_date || value->value.type != SEG_TEXT)
            return NULL;
    }
    return filter;
}

/* A dispatch in the making. */
struct dispatching {
    struct growing always;
    struct switching {
        uint32_t path;
        struct intern values;
        struct growing *lists;
        size_t cap;
    } * switches;
    size_t count, cap;
};

static struct switching *find_switch(struct dispatching *to, uint32_t path)
{
    void *items = to->switches;
    for (size_t i = 0; i < to->count; i++)
        if (to->switches[i].path == path)
            return &to->switches[i];
    if (alloc_grow(&items, &to->cap, to->count + 1, sizeof(*to->switches)) < 0)
        return NULL;
    to->switches = items;
    to->switches[to->count] = (struct switching){.path = path};
    intern_init(&to->switches[to->count].values);
    return &to->switches[to->count++];
}

static int add_to_switch(struct dispatching *to, const struct filter *equality,
                         uint32_t selector)
{
    struct switching *sw = find_switch(to, equality->path);
    uint32_t number;
    if (!sw)
        return SEG_ERR_NOMEM;
    for (int i = 0; i < equality->test.rule->values.count; i++) {
        const struct seg_value *value = &equality->test.operands[i].value;
        void *lists = sw->lists;
        int ret =
            intern_add(&sw->values,
                       (struct seg_text){value->as.text, value->len}, &number);
        if (ret < 0 || alloc_grow(&lists, &sw->cap, sw->values.count,
                                  sizeof(*sw->lists)) < 0)
            return SEG_ERR_NOMEM;
        sw->lists = lists;
        if (ret == 1)
            sw->lists[number] = (struct growing){0};
        if (growing_add(&sw->lists[number], selector) < 0)
            return SEG_ERR_NOMEM;
    }
    return 0;
}

static int add_selector(struct dispatching *to, const struct filter *filter,
                        uint32_t selector)
{
    const struct filter *equality = find_equality(filter);
    return equality ? add_to_switch(to, equality, selector)
                    : growing_add(&to->always, selector);
}

static int take_switch(struct planner *planner, struct switching *from,
                       struct dispatch_switch *to)
{
    struct number_list *lists =
        arena_calloc(planner->arena, from->values.count, sizeof(*lists));
    if (!lists)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < from->values.count; i++)
        if (growing_take(planner, &from->lists[i], &lists[i]) < 0)
            return SEG_ERR_NOMEM;
    *to = (struct dispatch_switch){from->path, from->values, lists};
    intern_init(&from->values); /* It is the plan's now. */
    return 0;
}

static int take_dispatch(struct planner *planner, struct dispatching *from,
                         struct dispatch *to)
{
    struct dispatch_switch *switches =
        arena_calloc(planner->arena, from->count, sizeof(*switches));
    if (!switches || growing_take(planner, &from->always, &to->always) < 0)
        return SEG_ERR_NOMEM;
    to->switches = switches;
    for (size_t i = 0; i < from->count; i++) {
        if (take_switch(planner, &from->switches[i], &switches[i]) < 0)
            return SEG_ERR_NOMEM;
        to->switch_count++;
    }
    return 0;
}

static void dispatching_done(struct dispatching *to)
{
    for (size_t i = 0; i < to->count; i++) {
        struct switching *sw = &to->switches[i];
        /* Of the last value there may be no list: no memory. */
        for (uint32_t j = 0; j < sw->values.count && j < sw->cap; j++)
            free(sw->lists[j].items);
        intern_done(&sw->values);
        free(sw->lists);
    }
    free(to->switches);
    free(to->always.items);
}

/* Put selector I under each of its names, or under `any`. */
static int spread(struct planner *planner, uint32_t i,
                  struct dispatching *by_name, struct dispatching *any)
{
    const struct rule_event *event = &planner->selector_items[i].event;
    const struct filter *filter = planner->plan->selectors[i].filter;
    if (event->any)
        return add_selector(any, filter, i);
    for (int n = 0; n < event->count; n++) {
        uint32_t name =
            intern_find(&planner->plan->spec.names, event->names[n].text);
        if (add_selector(&by_name[name], filter, i) < 0)
            return SEG_ERR_NOMEM;
    }
    return 0;
}

static int make_dispatch(struct planner *planner)
{
    struct plan *plan = planner->plan;
    uint32_t names = plan->spec.names.count;
    struct dispatching any = {0}, *by_name = calloc(names + 1ul, sizeof(any));
    struct dispatch *made = arena_calloc(planner->arena, names, sizeof(*made));
    int ret = by_name && made ? 0 : SEG_ERR_NOMEM;
    if (ret < 0)
        goto done;
    plan->by_name = made;
    for (uint32_t i = 0; ret == 0 && i < plan->selector_count; i++)
        ret = spread(planner, i, by_name, &any);
    for (uint32_t i = 0; ret == 0 && i < names; i++)
        ret = take_dispatch(planner, &by_name[i], &made[i]);
    if (ret == 0)
        ret = take_dispatch(planner, &any, &plan->any);
done:
    for (uint32_t i = 0; by_name && i < names; i++)
        dispatching_done(&by_name[i]);
    dispatching_done(&any);
    free(by_name);
    return ret;
}

static int make_selectors(struct planner *planner)
{
    struct plan *plan = planner->plan;
    uint32_t count = planner->selectors.count;
    struct selector *selectors =
        arena_calloc(planner->arena, count, sizeof(*selectors));
    if (!selectors)
        return SEG_ERR_NOMEM;
    plan->selectors = selectors;
    for (uint32_t i = 0; i < count; i++) {
        struct planned_selector *from = &planner->selector_items[i];
        plan->selector_count = i + 1;
        selectors[i].role_count = (uint32_t)from->role_count;
        selectors[i].roles = planner_keep(
            planner, from->roles, from->role_count, sizeof(*from->roles));
        if (growing_take(planner, &from->features, &selectors[i].features) <
                0 ||
            !selectors[i].roles)
            return SEG_ERR_NOMEM;
        if (!from->event.where)
            continue;
        struct filter *filter =
            arena_calloc(planner->arena, 1, sizeof(*filter));
        if (!filter)
            return SEG_ERR_NOMEM;
        selectors[i].filter = filter;
        int ret = compile_filter(planner, from->event.where, filter);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int make_whole(struct planner *planner)
{
    const struct growing *paths = &planner->whole_paths;
    const struct growing *traits = &planner->whole_trait_paths;
    uint8_t *whole = arena_calloc(
        planner->arena, planner->paths.count + planner->trait_paths.count, 1);
    if (!whole)
        return SEG_ERR_NOMEM;
    for (size_t i = 0; i < paths->count; i++)
        whole[paths->items[i]] = 1;
    for (size_t i = 0; i < traits->count; i++)
        whole[planner->paths.count + traits->items[i]] = 1;
    if (paths->count || traits->count)
        planner->plan->spec.whole = whole;
    return 0;
}

int planner_events(struct planner *planner)
{
    struct event_spec *spec = &planner->plan->spec;
    int ret = make_selectors(planner);
    if (ret == 0)
        ret = make_dispatch(planner);
    if (ret == 0)
        ret = make_whole(planner);
    if (ret < 0)
        return ret;
    spec->path_count = (int)planner->paths.count;
    spec->trait_path_count = (int)planner->trait_paths.count;
    spec->paths = planner_keep(planner, planner->path_items,
                               planner->paths.count, sizeof(*spec->paths));
    spec->trait_paths =
        planner_keep(planner, planner->trait_path_items,
                     planner->trait_paths.count, sizeof(*spec->paths));
    return spec->paths && spec->trait_paths ? 0 : SEG_ERR_NOMEM;
}

static void dispatch_done(const struct dispatch *dispatch)
{
    for (uint32_t i = 0; i < dispatch->switch_count; i++)
        intern_done((struct intern *)&dispatch->switches[i].values);
}

void planner_events_done(struct plan *plan)
{
    for (uint32_t i = 0; i < plan->selector_count; i++)
        if (plan->selectors[i].filter)
            filter_done(plan->selectors[i].filter);
    for (uint32_t i = 0; plan->by_name && i < plan->spec.names.count; i++)
        dispatch_done(&plan->by_name[i]);
    dispatch_done(&plan->any);
    intern_done(&plan->spec.names);
}
