/* segment_json_write.c: segment files to JSON.
 *
 * Values and names are made in segment_json_maker.c. */
#include "lib/segment/segment_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/segment/definition.h"
#include "lib/segment/segment_json_maker.h"

/* ---- tests, events --------------------------------------------------- */

static json_t *where_of(struct maker *m, const struct rule_where *where);

static json_t *test_of(struct maker *m, const struct rule_test *test)
{
    const struct rule_op_info *info = rule_op_info(test->op);
    json_t *object = json_object();
    maker_set(m, object, "op", json_string(info->words));
    switch (info->operand) {
    case OPERAND_VALUE:
    case OPERAND_ORDERED:
    case OPERAND_STRING:
    case OPERAND_DATE:
        maker_set(m, object, "value", maker_value(m, &test->values.items[0]));
        break;
    case OPERAND_RANGE:
    case OPERAND_VALUES:
        maker_set(m, object, "values", maker_values(m, &test->values));
        break;
    case OPERAND_DURATION:
        maker_set(m, object, "duration", maker_duration(test->duration_ms));
        break;
    case OPERAND_WHERE:
        maker_set(m, object, "where", where_of(m, test->where));
        break;
    case OPERAND_NONE:
        break;
    }
    if (test->ignoring_case)
        maker_set(m, object, "ignoring_case", json_true());
    return object;
}

static json_t *where_of(struct maker *m, const struct rule_where *where)
{
    json_t *object = json_object(), *list = json_array();
    for (int i = 0; i < where->count; i++)
        maker_append(m, list, where_of(m, where->children[i]));
    if (where->kind == WHERE_TEST) {
        maker_set(m, object, "path", maker_path(m, &where->path));
        maker_set(m, object, "test", test_of(m, &where->test));
    } else if (where->kind == WHERE_NOT) {
        maker_set(m, object, "not", json_incref(json_array_get(list, 0)));
    } else {
        maker_set(m, object, where->kind == WHERE_AND ? "all" : "any",
                  json_incref(list));
    }
    json_decref(list);
    return object;
}

static json_t *event_of(struct maker *m, const struct rule_event *event)
{
    json_t *object = json_object(), *names;
    if (event->any) {
        maker_set(m, object, "any", json_true());
    } else {
        names = json_array();
        for (int i = 0; i < event->count; i++)
            maker_append(m, names, maker_text(event->names[i].text));
        maker_set(m, object, "names", names);
    }
    if (event->where)
        maker_set(m, object, "where", where_of(m, event->where));
    return object;
}

static void set_window(struct maker *m, json_t *object,
                       const struct rule_window *window)
{
    json_t *inner = json_object();
    switch (window->kind) {
    case WINDOW_LIFETIME:
        json_decref(inner);
        return;
    case WINDOW_IN:
        maker_set(m, inner, "in", maker_duration(window->from_ms));
        break;
    case WINDOW_FROM_TO:
        maker_set(m, inner, "from", maker_duration(window->from_ms));
        maker_set(m, inner, "to", maker_duration(window->to_ms));
        break;
    case WINDOW_SINCE:
        maker_set(m, inner, "since", maker_text(window->dates[0].spelling));
        break;
    case WINDOW_BEFORE:
        maker_set(m, inner, "before", maker_text(window->dates[1].spelling));
        break;
    case WINDOW_BETWEEN:
        maker_set(m, inner, "between",
                  maker_names(m,
                              (struct seg_text[]){window->dates[0].spelling,
                                                  window->dates[1].spelling},
                              2));
        break;
    }
    maker_set(m, object, "window", inner);
}

static json_t *measure_of(struct maker *m, const struct rule_measure *measure)
{
    const struct rule_measure_info *info = rule_measure_info(measure->kind);
    json_t *object = json_object();
    char name[32] = "";
    strncat(name, info->word, sizeof(name) - 1);
    if (strchr(name, '('))
        *strchr(name, '(') = '_';
    if (info->operand == MEASURED_KEY) {
        maker_set(m, object, name, maker_text(measure->key));
        return object;
    }
    maker_set(m, object, name, event_of(m, &measure->event));
    if (info->operand == MEASURED_EVENT_PATH)
        maker_set(m, object, "path", maker_path(m, &measure->path));
    set_window(m, object, &measure->window);
    return object;
}

/* ---- conditions ------------------------------------------------------ */

static json_t *times_of(struct maker *m, const struct rule_times *times)
{
    static const char *const names[] = {[TIMES_AT_LEAST] = "at_least",
                                        [TIMES_AT_MOST] = "at_most",
                                        [TIMES_EXACTLY] = "exactly",
                                        [TIMES_BETWEEN] = "between"};
    json_t *object = json_object(), *number = json_integer(times->low);
    if (times->kind == TIMES_BETWEEN) {
        json_t *pair = json_array();
        maker_append(m, pair, number);
        maker_append(m, pair, json_integer(times->high));
        number = pair;
    }
    maker_set(m, object, names[times->kind], number);
    if (times->period_ms) {
        maker_set(m, object, "per",
                  json_string(times->period_ms == DAY_MS ? "day" : "week"));
        maker_set(m, object, "for", json_integer(times->periods));
    }
    return object;
}

static void set_did(struct maker *m, json_t *object,
                    const struct rule_cond *cond)
{
    maker_set(m, object, cond->times.kind == TIMES_NOT ? "did_not" : "did",
              event_of(m, &cond->event));
    if (cond->times.kind > TIMES_NOT)
        maker_set(m, object, "times", times_of(m, &cond->times));
    set_window(m, object, &cond->window);
}

static json_t *step_of(struct maker *m, const struct rule_step *step)
{
    json_t *object = json_object();
    maker_set(m, object, step->without ? "without" : "then",
              event_of(m, &step->event));
    if (step->directly)
        maker_set(m, object, "directly", json_true());
    if (step->after_ms)
        maker_set(m, object, "after", maker_duration(step->after_ms));
    if (step->within_ms)
        maker_set(m, object, "within", maker_duration(step->within_ms));
    return object;
}

static void set_sequence(struct maker *m, json_t *object,
                         const struct rule_cond *cond)
{
    const struct rule_sequence *sequence = cond->sequence;
    json_t *steps = json_array();
    set_did(m, object, cond);
    for (int i = 0; i < sequence->step_count; i++)
        maker_append(m, steps, step_of(m, &sequence->steps[i]));
    maker_set(m, object, "steps", steps);
    if (sequence->all_within_ms)
        maker_set(m, object, "all_within",
                  maker_duration(sequence->all_within_ms));
    if (sequence->no_between)
        maker_set(m, object, "with_no", event_of(m, sequence->no_between));
    if (sequence->same.count)
        maker_set(m, object, "same", maker_path(m, &sequence->same));
}

static void set_compare(struct maker *m, json_t *object,
                        const struct rule_cond *cond)
{
    json_t *inner = json_object();
    maker_set(m, object, "measure", measure_of(m, &cond->measure));
    maker_set(m, inner, "op", json_string(rule_op_info(cond->test.op)->words));
    if (cond->percent.spelling.bytes)
        maker_set(m, inner, "percent", maker_text(cond->percent.spelling));
    maker_set(m, inner, "measure", measure_of(m, cond->other));
    maker_set(m, object, "compare", inner);
}

static json_t *cond_of(struct maker *m, const struct rule_cond *cond);

static json_t *children_of(struct maker *m, const struct rule_cond *cond)
{
    json_t *list = json_array();
    for (int i = 0; i < cond->count; i++)
        maker_append(m, list, cond_of(m, cond->children[i]));
    return list;
}

static json_t *cond_of(struct maker *m, const struct rule_cond *cond)
{
    json_t *object = json_object();
    switch (cond->kind) {
    case COND_AND:
        maker_set(m, object, "all", children_of(m, cond));
        break;
    case COND_OR:
        maker_set(m, object, "any", children_of(m, cond));
        break;
    case COND_NOT:
        maker_set(m, object, "not", cond_of(m, cond->children[0]));
        break;
    case COND_EVERYONE:
        maker_set(m, object, "everyone", json_true());
        break;
    case COND_DID:
        set_did(m, object, cond);
        break;
    case COND_SEQUENCE:
        set_sequence(m, object, cond);
        break;
    case COND_LATEST:
        maker_set(m, object, "latest", event_of(m, &cond->event));
        maker_set(m, object, "was", maker_text(cond->text));
        set_window(m, object, &cond->window);
        break;
    case COND_MEASURE:
        maker_set(m, object, "measure", measure_of(m, &cond->measure));
        maker_set(m, object, "test", test_of(m, &cond->test));
        break;
    case COND_COMPARE:
        set_compare(m, object, cond);
        break;
    case COND_PATH:
        maker_set(m, object, "path", maker_path(m, &cond->path));
        maker_set(m, object, "test", test_of(m, &cond->test));
        break;
    case COND_IN_SEGMENT:
        maker_set(m, object, "in_segment", maker_text(cond->key));
        break;
    case COND_ENTERED:
    case COND_LEFT:
        maker_set(m, object,
                  cond->kind == COND_ENTERED ? "entered_segment"
                                             : "left_segment",
                  maker_text(cond->key));
        maker_set(m, object, "in", maker_duration(cond->duration_ms));
        break;
    case COND_SHARE:
        maker_set(m, object, "user_in_percent",
                  maker_text(cond->percent.spelling));
        maker_set(m, object, "by", maker_text(cond->text));
        break;
    }
    return object;
}

/* ---- definitions ----------------------------------------------------- */

static json_t *properties_of(struct maker *m,
                             const struct rule_property *properties, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        const struct rule_property *property = &properties[i];
        json_t *object = json_object();
        maker_set(m, object, "name",
                  maker_names(m, property->names, property->name_count));
        if (property->kind == PROPERTY_VALUE)
            maker_set(m, object, "value", maker_value(m, &property->value));
        if (property->kind == PROPERTY_PATH)
            maker_set(m, object, "path", maker_path(m, &property->path));
        if (property->kind == PROPERTY_MEASURE)
            maker_set(m, object, "measure", measure_of(m, property->measure));
        maker_append(m, list, object);
    }
    return list;
}

static json_t *trigger_of(struct maker *m, const struct rule_trigger *trigger)
{
    json_t *object = json_object();
    maker_set(m, object, "on",
              json_string(trigger->on_enter ? "enter" : "exit"));
    maker_set(m, object, "trigger", maker_text(trigger->name));
    if (trigger->property_count)
        maker_set(
            m, object, "properties",
            properties_of(m, trigger->properties, trigger->property_count));
    if (trigger->once)
        maker_set(m, object, "once",
                  trigger->cooldown_ms ? maker_duration(trigger->cooldown_ms)
                                       : json_string("ever"));
    return object;
}

static void set_text(struct maker *m, json_t *object, const char *name,
                     struct seg_text value)
{
    if (value.bytes)
        maker_set(m, object, name, maker_text(value));
}

static void set_segment(struct maker *m, json_t *object,
                        const struct rule_segment *segment)
{
    json_t *triggers = json_array();
    maker_set(m, object, "segment", maker_text(segment->key));
    set_text(m, object, "title", segment->title);
    set_text(m, object, "owner", segment->owner);
    if (segment->tag_count)
        maker_set(m, object, "tags",
                  maker_names(m, segment->tags, segment->tag_count));
    set_text(m, object, "docs", segment->docs);
    if (segment->shadow)
        maker_set(m, object, "shadow", json_true());
    if (segment->when)
        maker_set(m, object, "when", cond_of(m, segment->when));
    if (segment->until)
        maker_set(m, object, "until", cond_of(m, segment->until));
    if (segment->include.list.bytes || segment->include.count)
        maker_set(m, object, "include", maker_values(m, &segment->include));
    if (segment->exclude.list.bytes || segment->exclude.count)
        maker_set(m, object, "exclude", maker_values(m, &segment->exclude));
    for (int i = 0; i < segment->trigger_count; i++)
        maker_append(m, triggers, trigger_of(m, &segment->triggers[i]));
    if (segment->trigger_count)
        maker_set(m, object, "triggers", json_incref(triggers));
    json_decref(triggers);
}

static json_t *line_of(struct maker *m, const struct rule_line *line)
{
    static const char *const expects[] = {[EXPECT_IN] = "in",
                                          [EXPECT_OUT] = "out",
                                          [EXPECT_ENTER] = "enter",
                                          [EXPECT_EXIT] = "exit"};
    static const char *const named[] = {[LINE_EVENT] = "event",
                                        [LINE_GROUP] = "group",
                                        [LINE_PAGE] = "page",
                                        [LINE_SCREEN] = "screen"};
    json_t *object = json_object();
    if (line->kind == LINE_SET) {
        maker_set(m, object, "set", maker_path(m, &line->path));
        maker_set(m, object, "value", maker_value(m, &line->value));
        return object;
    }
    maker_set(m, object, "at", maker_duration(line->at_ms));
    if (line->kind == LINE_EXPECT && line->expect == EXPECT_TRAIT) {
        maker_set(m, object, "expect_trait", maker_text(line->name));
        maker_set(m, object, "op", json_string(rule_op_info(line->op)->words));
        maker_set(m, object, "value", maker_value(m, &line->value));
    } else if (line->kind == LINE_EXPECT) {
        maker_set(m, object, "expect", json_string(expects[line->expect]));
    } else if (line->kind == LINE_IDENTIFY) {
        maker_set(m, object, "identify",
                  properties_of(m, line->properties, line->property_count));
    } else {
        maker_set(m, object, named[line->kind],
                  line->name.len ? maker_text(line->name) : json_string(""));
        if (line->property_count)
            maker_set(m, object, "properties",
                      properties_of(m, line->properties, line->property_count));
    }
    return object;
}

static void set_score(struct maker *m, json_t *object,
                      const struct rule_score *score)
{
    json_t *weights = json_array();
    maker_set(m, object, "score", maker_text(score->key));
    maker_set(m, object, "half_life", maker_duration(score->half_life_ms));
    for (int i = 0; i < score->weight_count; i++) {
        json_t *weight = json_object();
        maker_set(m, weight, "event", event_of(m, &score->weights[i].event));
        maker_set(m, weight, "weight", json_integer(score->weights[i].weight));
        maker_append(m, weights, weight);
    }
    maker_set(m, object, "weights", weights);
}

static void set_test(struct maker *m, json_t *object,
                     const struct rule_test_block *test)
{
    json_t *lines = json_array();
    maker_set(m, object, "test", maker_text(test->segment));
    maker_set(m, object, "name", maker_text(test->name));
    for (int i = 0; i < test->line_count; i++)
        maker_append(m, lines, line_of(m, &test->lines[i]));
    maker_set(m, object, "lines", lines);
}

static json_t *definition_of(struct maker *m,
                             const struct definition *definition)
{
    json_t *object = json_object();
    if (definition->list) {
        maker_set(m, object, "list", maker_text(definition->list->key));
        maker_set(m, object, "values",
                  maker_items(m, &definition->list->values));
    } else if (definition->score) {
        set_score(m, object, definition->score);
    } else if (definition->trait) {
        maker_set(m, object, "trait", maker_text(definition->trait->key));
        maker_set(m, object, "measure",
                  measure_of(m, &definition->trait->measure));
    } else if (definition->segment) {
        set_segment(m, object, definition->segment);
    } else {
        set_test(m, object, definition->test);
    }
    return object;
}

void segment_json_write(struct buf *buf, const struct rules *rules,
                        uint32_t file)
{
    struct maker maker = {0};
    size_t count;
    struct definition *definitions = definitions_of(rules, file, &count);
    json_t *all = json_object(), *list = json_array();
    for (size_t i = 0; definitions && i < count; i++)
        maker_append(&maker, list, definition_of(&maker, &definitions[i]));
    maker_set(&maker, all, "definitions", list);
    char *dump =
        json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(MAKER_DIGITS));
    if (dump && definitions && !maker.failed) {
        buf_str(buf, dump);
        buf_char(buf, '\n');
    } else {
        buf->failed = 1;
    }
    free(dump);
    free(definitions);
    json_decref(all);
}
