/* reference.c: which lists, scores, traits and segments a definition names. */
#include "lib/segment/reference.h"

static void see_values(const struct reference_walk *walk,
                       const struct rule_values *values)
{
    if (values->list.bytes)
        walk->each(walk->arg, SEG_DIFF_LIST, values->list);
}

static void see_where(const struct reference_walk *walk,
                      const struct rule_where *where);

static void see_test(const struct reference_walk *walk,
                     const struct rule_test *test)
{
    see_values(walk, &test->values);
    if (test->where)
        see_where(walk, test->where);
}

static void see_where(const struct reference_walk *walk,
                      const struct rule_where *where)
{
    if (where->kind == WHERE_TEST)
        see_test(walk, &where->test);
    for (int i = 0; i < where->count; i++)
        see_where(walk, where->children[i]);
}

static void see_event(const struct reference_walk *walk,
                      const struct rule_event *event)
{
    if (event->where)
        see_where(walk, event->where);
}

void references_of_measure(const struct reference_walk *walk,
                           const struct rule_measure *measure)
{
    if (measure->kind == MEASURE_SCORE)
        walk->each(walk->arg, SEG_DIFF_SCORE, measure->key);
    if (measure->kind == MEASURE_TRAIT)
        walk->each(walk->arg, SEG_DIFF_TRAIT, measure->key);
    see_event(walk, &measure->event);
}

static void see_sequence(const struct reference_walk *walk,
                         const struct rule_sequence *sequence)
{
    for (int i = 0; i < sequence->step_count; i++)
        see_event(walk, &sequence->steps[i].event);
    if (sequence->no_between)
        see_event(walk, sequence->no_between);
}

static void see_cond(const struct reference_walk *walk,
                     const struct rule_cond *cond)
{
    switch (cond->kind) {
    case COND_AND:
    case COND_OR:
    case COND_NOT:
        for (int i = 0; i < cond->count; i++)
            see_cond(walk, cond->children[i]);
        break;
    case COND_MEASURE:
    case COND_COMPARE:
        references_of_measure(walk, &cond->measure);
        if (cond->other)
            references_of_measure(walk, cond->other);
        break;
    case COND_IN_SEGMENT:
    case COND_ENTERED:
    case COND_LEFT:
        walk->each(walk->arg, SEG_DIFF_SEGMENT, cond->key);
        break;
    case COND_DID:
    case COND_SEQUENCE:
    case COND_LATEST:
    case COND_PATH:
    case COND_EVERYONE:
    case COND_SHARE:
        break;
    }
    see_event(walk, &cond->event);
    see_test(walk, &cond->test);
    if (cond->sequence)
        see_sequence(walk, cond->sequence);
}

void references_of_segment(const struct reference_walk *walk,
                           const struct rule_segment *segment)
{
    if (segment->when)
        see_cond(walk, segment->when);
    if (segment->until)
        see_cond(walk, segment->until);
    see_values(walk, &segment->include);
    see_values(walk, &segment->exclude);
}

void references_of_score(const struct reference_walk *walk,
                         const struct rule_score *score)
{
    for (int i = 0; i < score->weight_count; i++)
        see_event(walk, &score->weights[i].event);
}

void references_of_trigger(const struct reference_walk *walk,
                           const struct rule_trigger *trigger)
{
    for (int i = 0; i < trigger->property_count; i++)
        if (trigger->properties[i].measure)
            references_of_measure(walk, trigger->properties[i].measure);
}
