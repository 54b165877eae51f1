/* thing.c: what a catalogue is made of, to be compared with another one. */
#include "lib/segment/thing.h"

#include "lib/base/buf.h"
#include "lib/base/instant.h"
#include "lib/segment/format.h"
#include "lib/segment/meaning.h"

/* What things are made with. */
struct making {
    const struct seg_catalogue *catalogue;
    struct arena *arena;
    struct buf buf;
    int failed;
};

/* What was written since the last time; "" if there is no memory. */
static const char *take(struct making *making)
{
    struct buf *buf = &making->buf;
    struct seg_text written = {buf_string(buf), buf->len};
    const char *text =
        buf_failed(buf) ? NULL : arena_text(making->arena, written).bytes;
    making->failed |= !text;
    buf_reset(buf);
    return text ? text : "";
}

static void add_field(struct thing *thing, const char *name, const char *shown,
                      const char *meaning)
{
    thing->fields[thing->field_count++] =
        (struct thing_field){name, shown, meaning};
}

/* ---- lists, scores, traits ----------------------------------------------- */

static void make_list(struct making *making, uint32_t i, struct thing *thing)
{
    const struct rule_list *list = &making->catalogue->rules.lists[i];
    thing->name = list->key.bytes;
    format_values(&making->buf, &list->values, FORMAT_LIST_VALUES);
    const char *shown = take(making);
    format_values(&making->buf, &list->values, FORMAT_LIST_SETS);
    add_field(thing, "values", shown, take(making));
}

static const char *score_text(struct making *making,
                              const struct rule_score *score,
                              enum format_lists lists)
{
    struct buf *buf = &making->buf;
    for (int i = 0; i < score->weight_count; i++) {
        buf_str(buf, i ? ", " : "");
        format_event(buf, &score->weights[i].event, lists);
        buf_printf(buf, " %+lld", (long long)score->weights[i].weight);
    }
    return take(making);
}

static void make_score(struct making *making, uint32_t i, struct thing *thing)
{
    const struct rule_score *score = &making->catalogue->rules.scores[i];
    thing->name = score->key.bytes;
    duration_format(&making->buf, score->half_life_ms);
    const char *half_life = take(making);
    add_field(thing, "half-life", half_life, half_life);
    const char *shown = score_text(making, score, FORMAT_LIST_NAMES);
    add_field(thing, "events", shown,
              score_text(making, score, FORMAT_LIST_VALUES));
}

static void make_trait(struct making *making, uint32_t i, struct thing *thing)
{
    const struct plan *plan = &making->catalogue->plan;
    const struct rule_trait *trait = plan->traits[i].rule;
    thing->name = trait->key.bytes;
    format_measure(&making->buf, &trait->measure, FORMAT_LIST_NAMES);
    const char *shown = take(making);
    meaning_of_source(&making->buf, plan, plan->traits[i].source);
    add_field(thing, "measure", shown, take(making));
}

/* ---- segments and triggers ----------------------------------------------- */

static const char *shown_cond(struct making *making,
                              const struct rule_cond *cond)
{
    if (cond)
        format_cond(&making->buf, cond, FORMAT_LIST_NAMES);
    return take(making);
}

static const char *cond_meaning(struct making *making, const struct cond *cond)
{
    const char *text =
        meaning_of_cond(&making->catalogue->plan, cond, making->arena);
    making->failed |= !text;
    return text ? text : "";
}

static const char *ids(struct making *making, const struct rule_values *values,
                       enum format_lists lists)
{
    if (values->count || values->list.bytes)
        format_values(&making->buf, values, lists);
    return take(making);
}

static void make_segment(struct making *making, uint32_t i, struct thing *thing)
{
    const struct segment *segment = &making->catalogue->plan.segments[i];
    const struct rule_segment *rule = segment->rule;
    const char *shadow = rule->shadow ? "yes" : "";
    thing->name = rule->key.bytes;
    add_field(thing, "when", shown_cond(making, rule->when),
              cond_meaning(making, segment->when));
    add_field(thing, "until", shown_cond(making, rule->until),
              cond_meaning(making, segment->until));
    add_field(thing, "include", ids(making, &rule->include, FORMAT_LIST_NAMES),
              ids(making, &rule->include, FORMAT_LIST_SETS));
    add_field(thing, "exclude", ids(making, &rule->exclude, FORMAT_LIST_NAMES),
              ids(making, &rule->exclude, FORMAT_LIST_SETS));
    add_field(thing, "shadow", shadow, shadow);
}

static void make_trigger(struct making *making, uint32_t i, struct thing *thing)
{
    const struct plan *plan = &making->catalogue->plan;
    const struct trigger *trigger = &plan->triggers[i];
    const struct rule_trigger *rule = trigger->rule;
    struct buf *buf = &making->buf;
    buf_text(buf, plan->segments[trigger->segment].rule->key);
    buf_str(buf, rule->on_enter ? " on enter " : " on exit ");
    buf_json_text(buf, rule->name);
    thing->name = take(making);
    format_properties(buf, rule->properties, rule->property_count,
                      FORMAT_LIST_NAMES);
    const char *shown = take(making);
    format_properties(buf, rule->properties, rule->property_count,
                      FORMAT_LIST_VALUES);
    for (int p = 0; p < rule->property_count; p++)
        if (trigger->sources[p] != PLAN_NONE) {
            buf_str(buf, "; ");
            meaning_of_source(buf, plan, trigger->sources[p]);
        }
    add_field(thing, "properties", shown, take(making));
    buf_str(buf, rule->once ? "once" : "each time");
    if (rule->cooldown_ms) {
        buf_str(buf, " per ");
        duration_format(buf, rule->cooldown_ms);
    }
    const char *cooldown = take(making);
    add_field(thing, "cooldown", cooldown, cooldown);
}

/* ---- what is kept -------------------------------------------------------- */

uint32_t thing_source(const struct seg_catalogue *catalogue,
                      enum seg_diff_part part, uint32_t i)
{
    const struct plan *plan = &catalogue->plan;
    if (part == SEG_DIFF_ATTRIBUTE)
        return plan_attribute_source(plan, i);
    return i < plan->feature_count
               ? i
               : plan_watch_source(plan, i - plan->feature_count);
}

static void make_source(struct making *making, uint32_t source,
                        struct thing *thing)
{
    meaning_of_source(&making->buf, &making->catalogue->plan, source);
    thing->name = take(making);
}

static void make_feature(struct making *making, uint32_t i, struct thing *thing)
{
    make_source(making, thing_source(making->catalogue, SEG_DIFF_FEATURE, i),
                thing);
}

static void make_attribute(struct making *making, uint32_t i,
                           struct thing *thing)
{
    make_source(making, thing_source(making->catalogue, SEG_DIFF_ATTRIBUTE, i),
                thing);
}

/* ---- all together -------------------------------------------------------- */

static uint32_t count_of(const struct seg_catalogue *catalogue,
                         enum seg_diff_part part)
{
    const struct rules *rules = &catalogue->rules;
    const struct plan *plan = &catalogue->plan;
    switch (part) {
    case SEG_DIFF_LIST:
        return (uint32_t)rules->list_count;
    case SEG_DIFF_SCORE:
        return (uint32_t)rules->score_count;
    case SEG_DIFF_TRAIT:
        return plan->trait_count;
    case SEG_DIFF_SEGMENT:
        return plan->segment_count;
    case SEG_DIFF_TRIGGER:
        return plan->trigger_count;
    case SEG_DIFF_FEATURE:
        return plan->feature_count + plan->watch_count;
    case SEG_DIFF_ATTRIBUTE:
        return plan->attribute_count;
    case SEG_DIFF_PARTS:
        break;
    }
    return 0;
}

int things_of(struct things *ret, const struct seg_catalogue *catalogue,
              enum seg_diff_part part, struct arena *arena)
{
    static void (*const make[])(struct making *, uint32_t, struct thing *) = {
        [SEG_DIFF_LIST] = make_list,
        [SEG_DIFF_SCORE] = make_score,
        [SEG_DIFF_TRAIT] = make_trait,
        [SEG_DIFF_SEGMENT] = make_segment,
        [SEG_DIFF_TRIGGER] = make_trigger,
        [SEG_DIFF_FEATURE] = make_feature,
        [SEG_DIFF_ATTRIBUTE] = make_attribute,
    };
    struct making making = {.catalogue = catalogue, .arena = arena};
    ret->count = count_of(catalogue, part);
    ret->items = arena_calloc(arena, ret->count, sizeof(*ret->items));
    if (!ret->items)
        return SEG_ERR_NOMEM;
    buf_init(&making.buf);
    for (uint32_t i = 0; i < ret->count; i++)
        make[part](&making, i, &ret->items[i]);
    buf_done(&making.buf);
    return making.failed ? SEG_ERR_NOMEM : 0;
}
