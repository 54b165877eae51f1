/* cost.c: what a catalogue costs, by segment and by event.
 *
 *   event name --dispatch--> selectors --> features     links of a name
 *   feature --> names                                   the same, turned round
 *   segment --> predicates --> features --> names       its cost
 *
 * Numbers that are counted once are marked with the number of the part, or of
 * the name, that is being counted. */
#include <stdlib.h>
#include <string.h>

#include <seg/cost.h>

#include "lib/base/arena.h"
#include "lib/segment/catalogue.h"

#define ENTRY_BYTES      2 /* Of an item in a user's directory (user.h), */
#define ENTRY_BYTES_LONG 6 /* of a long one. */
#define ENTRY_LONG       255
#define WATCH_BYTES      16 /* watch.c */

/* Names that feed each feature: those of FEATURE begin at from[FEATURE]. */
struct links {
    uint32_t *from; /* One more than there are features. */
    uint32_t *names;
    unsigned char *any; /* By feature: every event feeds it. */
};

struct costing {
    struct seg_cost cost; /* First: it is what the caller has. */
    struct arena arena;
    const struct plan *plan;
    struct links links;
    uint32_t *seen; /* By source, then predicate, then segment, then name:
                          marks. */
    uint32_t mark;
    uint32_t *readers; /* By source: parts that read it, */
    int counting;      /* while these are counted. */
    uint32_t *list;    /* Features of the present part. */
    uint32_t list_count;
};

/* ---- marks --------------------------------------------------------------- */

/* Whether thing I, of those that begin at AT, is new in this count. */
static int is_new(struct costing *costing, uint32_t at, uint32_t i)
{
    int new = costing->seen[at + i] != costing->mark;
    costing->seen[at + i] = costing->mark;
    return new;
}

static int new_source(struct costing *costing, uint32_t i)
{
    return is_new(costing, 0, i);
}

static int new_predicate(struct costing *costing, uint32_t i)
{
    return is_new(costing, costing->plan->source_count, i);
}

static int new_segment(struct costing *costing, uint32_t i)
{
    const struct plan *plan = costing->plan;
    return is_new(costing, plan->source_count + plan->predicate_count, i);
}

static int new_name(struct costing *costing, uint32_t i)
{
    const struct plan *plan = costing->plan;
    return is_new(
        costing,
        plan->source_count + plan->predicate_count + plan->segment_count, i);
}

/* ---- what an event feeds ------------------------------------------------- */

typedef void each_feature(struct costing *costing, uint32_t feature, void *arg);

static void walk_selectors(struct costing *costing,
                           const struct number_list *list, each_feature *each,
                           void *arg)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct selector *selector =
            &costing->plan->selectors[list->items[i]];
        for (uint32_t j = 0; j < selector->features.count; j++)
            each(costing, selector->features.items[j], arg);
        for (uint32_t j = 0; j < selector->role_count; j++)
            each(costing, selector->roles[j].feature, arg);
    }
}

static void walk_dispatch(struct costing *costing,
                          const struct dispatch *dispatch, each_feature *each,
                          void *arg)
{
    walk_selectors(costing, &dispatch->always, each, arg);
    for (uint32_t i = 0; i < dispatch->switch_count; i++)
        for (uint32_t j = 0; j < dispatch->switches[i].values.count; j++)
            walk_selectors(costing, &dispatch->switches[i].lists[j], each, arg);
}

static void count_link(struct costing *costing, uint32_t feature, void *arg)
{
    (void)arg;
    if (new_source(costing, feature))
        costing->links.from[feature + 1]++;
}

/* The place of the next name of a feature is where from[feature] stands; when
 * all are put it is where those of the next one begin. */
static void put_link(struct costing *costing, uint32_t feature, void *arg)
{
    if (new_source(costing, feature))
        costing->links.names[costing->links.from[feature]++] =
            *(const uint32_t *)arg;
}

static void mark_any(struct costing *costing, uint32_t feature, void *arg)
{
    (void)arg;
    costing->links.any[feature] = 1;
}

static void walk_names(struct costing *costing, each_feature *each)
{
    for (uint32_t i = 0; i < costing->plan->spec.names.count; i++) {
        costing->mark++;
        walk_dispatch(costing, &costing->plan->by_name[i], each, &i);
    }
}

static int make_links(struct costing *costing)
{
    struct links *links = &costing->links;
    uint32_t count = costing->plan->feature_count;
    links->from = arena_calloc(&costing->arena, count + 2ul, sizeof(uint32_t));
    links->any = arena_calloc(&costing->arena, count + 1ul, 1);
    if (!links->from || !links->any)
        return SEG_ERR_NOMEM;
    walk_names(costing, count_link);
    for (uint32_t i = 0; i < count; i++)
        links->from[i + 1] += links->from[i];
    links->names = arena_calloc(&costing->arena, links->from[count] + 1ul,
                                sizeof(uint32_t));
    if (!links->names)
        return SEG_ERR_NOMEM;
    walk_names(costing, put_link);
    memmove(links->from + 1, links->from, count * sizeof(*links->from));
    links->from[0] = 0;
    walk_dispatch(costing, &costing->plan->any, mark_any, NULL);
    return 0;
}

/* ---- one event ----------------------------------------------------------- */

static void add_fed(struct costing *costing, uint32_t feature, void *arg)
{
    struct seg_event_cost *cost = arg;
    const struct source *source = &costing->plan->sources[feature];
    if (!new_source(costing, feature))
        return;
    cost->feature_count++;
    for (uint32_t i = 0; i < source->predicate_count; i++)
        cost->condition_count += new_predicate(costing, source->predicates[i]);
    for (uint32_t i = 0; i < source->segments.count; i++)
        cost->segment_count += new_segment(costing, source->segments.items[i]);
}

static int by_name(const void *a, const void *b)
{
    const struct seg_event_cost *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int make_events(struct costing *costing)
{
    const struct plan *plan = costing->plan;
    uint32_t count = plan->spec.names.count;
    struct seg_event_cost *events =
        arena_calloc(&costing->arena, count + 1ul, sizeof(*events));
    if (!events)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i <= count; i++) {
        costing->mark++;
        walk_dispatch(costing, &plan->any, add_fed, &events[i]);
        if (i == count)
            break;
        events[i].name = plan->spec.names.texts[i].bytes;
        walk_dispatch(costing, &plan->by_name[i], add_fed, &events[i]);
    }
    qsort(events, count, sizeof(*events), by_name);
    costing->cost.events = events;
    costing->cost.event_count = (int)count + 1;
    return 0;
}

/* ---- one segment, one trait ---------------------------------------------- */

static uint64_t source_bytes(const struct plan *plan, uint32_t source)
{
    uint64_t bytes = source < plan->feature_count
                         ? feature_bytes_max(&plan->features[source])
                         : WATCH_BYTES;
    return bytes + (bytes < ENTRY_LONG ? ENTRY_BYTES : ENTRY_BYTES_LONG);
}

static int is_quiet(const struct feature *feature)
{
    for (uint32_t i = 0; i < feature->of.sequence->step_count; i++)
        if (feature->of.sequence->steps[i].without)
            return 1;
    return 0;
}

/* Whether what SOURCE measures changes by time alone. */
static int is_timed(const struct plan *plan, uint32_t source)
{
    if (source >= plan->feature_count)
        return 0;
    const struct feature *feature = &plan->features[source];
    return feature->from_ms != FEATURE_LIFETIME ||
           feature->kind == FEATURE_SCORE || feature->kind == FEATURE_HABIT ||
           (feature->kind == FEATURE_SEQUENCE && is_quiet(feature));
}

static void add_source(struct costing *costing, struct seg_part_cost *part,
                       uint32_t source)
{
    const struct plan *plan = costing->plan;
    if (!new_source(costing, source))
        return;
    if (costing->counting) {
        costing->readers[source]++;
        return;
    }
    if (plan_is_attribute(plan, source)) {
        part->attribute_count++;
        return;
    }
    part->bytes_max += source_bytes(plan, source);
    if (source >= plan->feature_count)
        return;
    costing->list[costing->list_count++] = source;
    part->feature_count++;
    part->text_count += feature_holds_text(&plan->features[source]);
    part->shared_count += costing->readers[source] > 1;
    part->any_event |= costing->links.any[source];
}

static void add_cond(struct costing *costing, struct seg_part_cost *part,
                     const struct cond *cond)
{
    if (!cond)
        return;
    for (uint32_t i = 0; i < cond->count; i++)
        add_cond(costing, part, &cond->children[i]);
    if (cond->op != OP_PREDICATE)
        return;
    const struct predicate *predicate =
        &costing->plan->predicates[cond->number];
    int compare = predicate->kind == PREDICATE_COMPARE;
    part->condition_count++;
    part->timed_count += predicate->timed ||
                         is_timed(costing->plan, predicate->source) ||
                         (compare && is_timed(costing->plan, predicate->other));
    add_source(costing, part, predicate->source);
    if (compare)
        add_source(costing, part, predicate->other);
}

static void add_triggers(struct costing *costing, struct seg_part_cost *part,
                         const struct segment *segment)
{
    for (uint32_t i = 0; i < segment->triggers.count; i++) {
        const struct trigger *trigger =
            &costing->plan->triggers[segment->triggers.items[i]];
        for (int j = 0; j < trigger->rule->property_count; j++)
            if (trigger->sources[j] != PLAN_NONE)
                add_source(costing, part, trigger->sources[j]);
    }
}

static void add_part(struct costing *costing, struct seg_part_cost *part,
                     uint32_t i)
{
    const struct plan *plan = costing->plan;
    costing->mark++;
    costing->list_count = 0;
    if (i < plan->segment_count) {
        const struct segment *segment = &plan->segments[i];
        part->key = segment->rule->key.bytes;
        add_cond(costing, part, segment->when);
        add_cond(costing, part, segment->until);
        add_triggers(costing, part, segment);
        return;
    }
    const struct trait *trait = &plan->traits[i - plan->segment_count];
    part->key = trait->rule->key.bytes;
    part->is_trait = 1;
    add_source(costing, part, trait->source);
}

/* The names of the events that feed the present part. */
static int list_events(struct costing *costing, struct seg_part_cost *part)
{
    const struct links *links = &costing->links;
    uint32_t room = 0;
    for (uint32_t i = 0; i < costing->list_count; i++)
        room +=
            links->from[costing->list[i] + 1] - links->from[costing->list[i]];
    const char **events =
        arena_calloc(&costing->arena, room + 1ul, sizeof(*events));
    if (!events)
        return SEG_ERR_NOMEM;
    part->events = events;
    for (uint32_t i = 0; i < costing->list_count; i++) {
        uint32_t feature = costing->list[i];
        for (uint32_t j = links->from[feature]; j < links->from[feature + 1];
             j++)
            if (new_name(costing, links->names[j]))
                events[part->event_count++] =
                    costing->plan->spec.names.texts[links->names[j]].bytes;
    }
    return 0;
}

static int make_parts(struct costing *costing)
{
    const struct plan *plan = costing->plan;
    uint32_t count = plan->segment_count + plan->trait_count;
    struct seg_part_cost *parts =
        arena_calloc(&costing->arena, count + 1ul, sizeof(*parts));
    if (!parts)
        return SEG_ERR_NOMEM;
    costing->counting = 1;
    for (uint32_t i = 0; i < count; i++)
        add_part(costing, &parts[i], i);
    costing->counting = 0;
    for (uint32_t i = 0; i < count; i++) {
        parts[i] = (struct seg_part_cost){0};
        add_part(costing, &parts[i], i);
        if (list_events(costing, &parts[i]) < 0)
            return SEG_ERR_NOMEM;
    }
    costing->cost.parts = parts;
    costing->cost.part_count = (int)count;
    return 0;
}

/* ---- all of it ----------------------------------------------------------- */

static int make_room(struct costing *costing)
{
    const struct plan *plan = costing->plan;
    size_t things = (size_t)plan->source_count + plan->predicate_count +
                    plan->segment_count + plan->spec.names.count;
    costing->seen = arena_calloc(&costing->arena, things + 1, sizeof(uint32_t));
    costing->readers = arena_calloc(&costing->arena, plan->source_count + 1ul,
                                    sizeof(uint32_t));
    costing->list = arena_calloc(&costing->arena, plan->feature_count + 1ul,
                                 sizeof(uint32_t));
    return costing->seen && costing->readers && costing->list ? 0
                                                              : SEG_ERR_NOMEM;
}

int seg_catalogue_cost(struct seg_cost **ret,
                       const struct seg_catalogue *catalogue)
{
    struct costing *costing = calloc(1, sizeof(*costing));
    if (!costing)
        return SEG_ERR_NOMEM;
    const struct plan *plan = costing->plan = &catalogue->plan;
    arena_init(&costing->arena);
    costing->cost.feature_count = (int)plan->feature_count;
    costing->cost.attribute_count = (int)plan->attribute_count;
    for (uint32_t i = 0; i < plan->source_count; i++)
        if (!plan_is_attribute(plan, i))
            costing->cost.bytes_max += source_bytes(plan, i);
    if (make_room(costing) < 0 || make_links(costing) < 0 ||
        make_events(costing) < 0 || make_parts(costing) < 0) {
        seg_cost_free(&costing->cost);
        return SEG_ERR_NOMEM;
    }
    *ret = &costing->cost;
    return 0;
}

void seg_cost_free(struct seg_cost *cost)
{
    struct costing *costing = (struct costing *)cost;
    if (!costing)
        return;
    arena_done(&costing->arena);
    free(costing);
}
