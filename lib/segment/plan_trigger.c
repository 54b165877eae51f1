/* plan_trigger.c: what is told when somebody enters or exits, and traits.
 *
 * A property of a trigger may stand for an attribute or a measure: a source
 * that is read when the trigger fires. No predicate tests it, so nothing
 * happens when it changes; but all of it is kept. A trait is such a source with
 * a name, of which every change is to be told. */
#include <seg/error.h>

#include "lib/base/hash.h"
#include "lib/segment/planner.h"

uint64_t plan_trigger_hash(struct buf *room, struct seg_text key, int on_enter,
                           struct seg_text name)
{
    buf_reset(room);
    buf_text(room, key);
    buf_str(room, on_enter ? " enter " : " exit ");
    buf_text(room, name);
    return hash_bytes(room->bytes, room->len, 0);
}

/* The source of MEASURE, of which all is kept. */
static int find_whole(struct planner *planner,
                      const struct rule_measure *measure, uint32_t *source)
{
    int ret = planner_feature(planner, measure, FEATURE_KEEP_ALL, source);
    if (ret == 0)
        planner->feature_items[*source].keep = FEATURE_KEEP_ALL;
    return ret;
}

static int find_source(struct planner *planner,
                       const struct rule_property *property, uint32_t *source)
{
    *source = PLAN_NONE;
    switch (property->kind) {
    case PROPERTY_VALUE:
        return 0;
    case PROPERTY_PATH:
        return planner_attribute(planner, &property->path, source);
    case PROPERTY_MEASURE:
        break;
    }
    return find_whole(planner, property->measure, source);
}

static int compile_trigger(struct planner *planner, uint32_t segment,
                           const struct rule_trigger *rule,
                           struct trigger *trigger)
{
    size_t count = (size_t)rule->property_count;
    struct seg_trigger_property *properties =
        arena_calloc(planner->arena, count, sizeof(*properties));
    uint32_t *sources = arena_calloc(planner->arena, count, sizeof(*sources));
    if (!properties || !sources)
        return SEG_ERR_NOMEM;
    *trigger = (struct trigger){.segment = segment,
                                .rule = rule,
                                .properties = properties,
                                .sources = sources};
    for (size_t i = 0; i < count; i++) {
        const struct rule_property *property = &rule->properties[i];
        properties[i] = (struct seg_trigger_property){
            property->name_count, property->names, property->value.value};
        int ret = find_source(planner, property, &sources[i]);
        if (ret < 0)
            return ret;
        trigger->measured |= sources[i] != PLAN_NONE;
    }
    trigger->key_hash =
        plan_trigger_hash(&planner->text, planner->rules->segments[segment].key,
                          rule->on_enter, rule->name);
    return buf_failed(&planner->text) ? SEG_ERR_NOMEM : 0;
}

int planner_triggers(struct planner *planner, struct segment *segments)
{
    struct plan *plan = planner->plan;
    size_t count = 0;
    for (uint32_t i = 0; i < plan->segment_count; i++)
        count += (size_t)segments[i].rule->trigger_count;
    struct trigger *triggers =
        arena_calloc(planner->arena, count, sizeof(*triggers));
    uint32_t *numbers = arena_calloc(planner->arena, count, sizeof(*numbers));
    if (!triggers || !numbers)
        return SEG_ERR_NOMEM;
    plan->triggers = triggers;
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct rule_segment *rule = segments[i].rule;
        segments[i].triggers = (struct number_list){
            (uint32_t)rule->trigger_count, numbers + plan->trigger_count};
        for (int t = 0; t < rule->trigger_count; t++) {
            uint32_t n = plan->trigger_count++;
            numbers[n] = n;
            int ret =
                compile_trigger(planner, i, &rule->triggers[t], &triggers[n]);
            if (ret < 0)
                return ret;
        }
    }
    return 0;
}

int planner_traits(struct planner *planner)
{
    struct plan *plan = planner->plan;
    size_t count = (size_t)planner->rules->trait_count;
    struct trait *traits = arena_calloc(planner->arena, count, sizeof(*traits));
    int ret = traits ? 0 : SEG_ERR_NOMEM;
    plan->traits = traits;
    for (size_t i = 0; ret == 0 && i < count; i++) {
        traits[i].rule = &planner->rules->traits[i];
        ret = find_whole(planner, &traits[i].rule->measure, &traits[i].source);
        if (ret == 0)
            planner->feature_items[traits[i].source].every = 1;
        plan->trait_count++;
    }
    return ret;
}

void planner_settle_triggers(struct planner *planner)
{
    struct plan *plan = planner->plan;
    for (uint32_t i = 0; i < plan->trigger_count; i++) {
        uint32_t *sources = (uint32_t *)plan->triggers[i].sources;
        for (int p = 0; p < plan->triggers[i].rule->property_count; p++)
            if (sources[p] != PLAN_NONE)
                sources[p] = planner_settle(planner, sources[p]);
    }
    for (uint32_t i = 0; i < plan->trait_count; i++) {
        struct source *sources = (struct source *)plan->sources;
        sources[plan->traits[i].source].trait = 1;
    }
}
