/* oracle_catalogue.c: the catalogue that comes into force: the events that it
 * selects, its triggers, and the order in which segments are judged. */
#include <stdlib.h>

#include "tests/model/mutant.h"
#include "tests/model/oracle_inside.h"

/* At first they are only counted. */
static void add_selector(struct oracle *o, const struct rule_event *event)
{
    if (!o->selectors) {
        o->selector_count++;
        return;
    }
    size_t slot = oracle_selector_slot(o, event);
    while (o->selectors[slot])
        slot = (slot + 1) & (o->selector_slots - 1);
    o->selectors[slot] = event;
    o->selector_index[slot] = o->selector_count++;
}

static void add_measure(struct oracle *o, const struct rule_measure *measure)
{
    if (measure->kind != MEASURE_SCORE && measure->kind != MEASURE_TRAIT)
        add_selector(o, &measure->event);
}

static void add_steps(struct oracle *o, const struct rule_sequence *sequence)
{
    for (int i = 0; i < sequence->step_count; i++)
        add_selector(o, &sequence->steps[i].event);
    if (sequence->no_between)
        add_selector(o, sequence->no_between);
}

static void add_selectors(struct oracle *o, const struct rule_cond *cond)
{
    for (int i = 0; i < cond->count; i++)
        add_selectors(o, cond->children[i]);
    if (cond->kind == COND_DID || cond->kind == COND_LATEST ||
        cond->kind == COND_SEQUENCE)
        add_selector(o, &cond->event);
    if (cond->kind == COND_SEQUENCE)
        add_steps(o, cond->sequence);
    if (cond->kind == COND_MEASURE || cond->kind == COND_COMPARE)
        add_measure(o, &cond->measure);
    if (cond->kind == COND_COMPARE)
        add_measure(o, cond->other);
}

/* What triggers tell. */
static void add_told(struct oracle *o, const struct rule_segment *segment)
{
    for (int i = 0; i < segment->trigger_count; i++) {
        const struct rule_trigger *trigger = &segment->triggers[i];
        for (int p = 0; p < trigger->property_count; p++)
            if (trigger->properties[p].kind == PROPERTY_MEASURE)
                add_measure(o, trigger->properties[p].measure);
    }
}

/* Traits and scores, which many may ask for. */
static void add_defined(struct oracle *o)
{
    for (int i = 0; i < o->rules->trait_count; i++)
        add_measure(o, &o->rules->traits[i].measure);
    for (int i = 0; i < o->rules->score_count; i++)
        for (int w = 0; w < o->rules->scores[i].weight_count; w++)
            add_selector(o, &o->rules->scores[i].weights[w].event);
}

static int rank_of_segment(const struct rules *rules, int index);

static int rank_of_cond(const struct rules *rules, const struct rule_cond *cond)
{
    int rank = 0;
    if (cond->kind == COND_IN_SEGMENT || cond->kind == COND_ENTERED ||
        cond->kind == COND_LEFT)
        return 1 + rank_of_segment(rules, cond->segment);
    for (int i = 0; i < cond->count; i++) {
        int child = rank_of_cond(rules, cond->children[i]);
        rank = child > rank ? child : rank;
    }
    return rank;
}

static int rank_of_segment(const struct rules *rules, int index)
{
    const struct rule_segment *segment = &rules->segments[index];
    int when = segment->when ? rank_of_cond(rules, segment->when) : 0;
    int until = segment->until ? rank_of_cond(rules, segment->until) : 0;
    return when > until ? when : until;
}

/* All segments of rank 0 in order of keys, then those of rank 1, ... */
static void make_order(struct oracle *o)
{
    int n = o->rules->segment_count, done = 0;
    o->order = oracle_zeroed((size_t)n, sizeof(*o->order));
    for (int i = 0; MUTATED(RANK) && i < n; i++)
        o->order[done++] = i;
    for (int rank = 0; done < n; rank++)
        for (int i = 0; i < n; i++)
            if (rank_of_segment(o->rules, i) == rank)
                o->order[done++] = i;
}

static void add_all_selectors(struct oracle *o)
{
    o->selector_count = 0;
    for (int i = 0; i < o->rules->segment_count; i++) {
        const struct rule_segment *segment = &o->rules->segments[i];
        if (segment->when)
            add_selectors(o, segment->when);
        if (segment->until)
            add_selectors(o, segment->until);
        add_told(o, segment);
    }
    add_defined(o);
}

void oracle_load(struct oracle *o, const struct rules *rules)
{
    o->rules = rules;
    o->trigger_count = 0;
    o->selectors = NULL;
    add_all_selectors(o);
    for (o->selector_slots = 2;
         o->selector_slots <= 2 * (size_t)o->selector_count;)
        o->selector_slots *= 2;
    o->selectors = oracle_zeroed(o->selector_slots, sizeof(*o->selectors));
    o->selector_index =
        oracle_zeroed(o->selector_slots, sizeof(*o->selector_index));
    add_all_selectors(o);
    o->trigger_base =
        oracle_zeroed((size_t)rules->segment_count, sizeof(*o->trigger_base));
    for (int i = 0; i < rules->segment_count; i++) {
        o->trigger_base[i] = o->trigger_count;
        o->trigger_count += rules->segments[i].trigger_count;
    }
    make_order(o);
    oracle_warming_read(o);
}

void oracle_unload(struct oracle *o)
{
    free(o->selectors);
    free(o->selector_index);
    free(o->trigger_base);
    free(o->order);
}
