/* segment_json_block.c: definitions from JSON. */
#include <string.h>

#include "lib/segment/segment_json_inside.h"

/* ---- properties ------------------------------------------------------ */

static int put_property(struct json_reader *r, json_t *property)
{
    if (json_known(r, property, "name|value|path|measure") < 0 ||
        json_member(r, property, "name", json_put_names) < 0)
        return -1;
    if (json_object_size(property) != 2)
        return json_wrong(r, "one of `value`, `path` and `measure` is "
                             "missing.");
    buf_str(r->text, " = ");
    if (json_if_there(r, property, "path", "", json_put_path) < 0 ||
        json_if_there(r, property, "measure", "", json_put_measure) < 0)
        return -1;
    return json_if_there(r, property, "value", "", json_put_property_value);
}

static int put_member(struct json_reader *r, json_t *member)
{
    if (json_known(r, member, "name|value") < 0 ||
        json_member(r, member, "name", json_put_names) < 0)
        return -1;
    buf_str(r->text, " = ");
    return json_member(r, member, "value", json_put_property_value);
}

static int put_members(struct json_reader *r, json_t *list)
{
    return json_each(r, list, ", ", put_member);
}

/* A value, or null. */
static int put_plain(struct json_reader *r, json_t *value)
{
    if (!json_is_null(value))
        return json_put_value(r, value);
    buf_str(r->text, "null");
    return 0;
}

/* What stands in a list: a value, or an object. */
static int put_list_item(struct json_reader *r, json_t *item)
{
    if (!json_object_get(item, "object"))
        return put_plain(r, item);
    buf_str(r->text, "{ ");
    if (json_known(r, item, "object") < 0 ||
        json_member(r, item, "object", put_members) < 0)
        return -1;
    buf_str(r->text, " }");
    return 0;
}

int json_put_property_value(struct json_reader *r, json_t *value)
{
    if (!json_is_array(value))
        return put_plain(r, value);
    buf_char(r->text, '[');
    int ret = json_each(r, value, ", ", put_list_item);
    buf_char(r->text, ']');
    return ret;
}

static int put_properties(struct json_reader *r, json_t *list)
{
    buf_str(r->text, " { ");
    int ret = json_each(r, list, ", ", put_property);
    buf_str(r->text, " }");
    return ret;
}

/* ---- segments -------------------------------------------------------- */

static int put_once(struct json_reader *r, json_t *once)
{
    buf_str(r->text, " once");
    if (json_is_string(once) && !strcmp(json_string_value(once), "ever"))
        return 0;
    buf_str(r->text, " per ");
    return json_put_duration(r, once);
}

static int put_on(struct json_reader *r, json_t *on)
{
    const char *word = json_string_value(on);
    if (!word || (strcmp(word, "enter") && strcmp(word, "exit")))
        return json_wrong(r, "\"enter\" or \"exit\" is missing.");
    buf_printf(r->text, "\n  on %s trigger ", word);
    return 0;
}

static int put_trigger(struct json_reader *r, json_t *trigger)
{
    if (json_known(r, trigger, "on|trigger|properties|once") < 0 ||
        json_member(r, trigger, "on", put_on) < 0 ||
        json_member(r, trigger, "trigger", json_put_text) < 0 ||
        json_if_there(r, trigger, "properties", "", put_properties) < 0)
        return -1;
    return json_if_there(r, trigger, "once", "", put_once);
}

static int put_triggers(struct json_reader *r, json_t *list)
{
    return json_each(r, list, "", put_trigger);
}

static int put_tags(struct json_reader *r, json_t *list)
{
    buf_char(r->text, '[');
    int ret = json_each(r, list, ", ", json_put_text);
    buf_char(r->text, ']');
    return ret;
}

static int put_segment(struct json_reader *r, json_t *segment)
{
    static const struct {
        const char *name, *before;
        json_put *put;
    } fields[] = {{"title", "\n  title ", json_put_text},
                  {"owner", "\n  owner ", json_put_text},
                  {"tags", "\n  tags ", put_tags},
                  {"docs", "\n  docs ", json_put_text},
                  {"when", "\n  when ", json_put_cond},
                  {"until", "\n  until ", json_put_cond},
                  {"include", "\n  include ", json_put_values},
                  {"exclude", "\n  exclude ", json_put_values},
                  {"triggers", "", put_triggers}};
    if (json_known(r, segment,
                   "segment|title|owner|tags|docs|shadow|when|until|include|"
                   "exclude|triggers") < 0)
        return -1;
    buf_str(r->text, "segment ");
    if (json_member(r, segment, "segment", json_put_key) < 0)
        return -1;
    buf_str(r->text, " {");
    if (json_flag(r, segment, "shadow", "\n  shadow") < 0)
        return -1;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (json_if_there(r, segment, fields[i].name, fields[i].before,
                          fields[i].put) < 0)
            return -1;
    buf_str(r->text, "\n}\n");
    return 0;
}

/* ---- lists, scores, traits ------------------------------------------- */

static int put_list(struct json_reader *r, json_t *list)
{
    buf_str(r->text, "list ");
    if (json_known(r, list, "list|values") < 0 ||
        json_member(r, list, "list", json_put_key) < 0)
        return -1;
    buf_str(r->text, " = ");
    if (!json_is_array(json_object_get(list, "values")))
        return json_wrong(r, "`values` is missing, a list.");
    if (json_member(r, list, "values", json_put_property_value) < 0)
        return -1;
    buf_char(r->text, '\n');
    return 0;
}

static int put_weight(struct json_reader *r, json_t *weight)
{
    buf_str(r->text, "\n  ");
    if (json_known(r, weight, "event|weight") < 0 ||
        json_member(r, weight, "event", json_put_event) < 0)
        return -1;
    buf_char(r->text, ' ');
    return json_member(r, weight, "weight", json_put_integer);
}

static int put_weights(struct json_reader *r, json_t *list)
{
    return json_each(r, list, ",", put_weight);
}

static int put_score(struct json_reader *r, json_t *score)
{
    buf_str(r->text, "score ");
    if (json_known(r, score, "score|half_life|weights") < 0 ||
        json_member(r, score, "score", json_put_key) < 0)
        return -1;
    buf_str(r->text, " half-life ");
    if (json_member(r, score, "half_life", json_put_duration) < 0)
        return -1;
    buf_str(r->text, " {");
    if (json_member(r, score, "weights", put_weights) < 0)
        return -1;
    buf_str(r->text, "\n}\n");
    return 0;
}

static int put_trait(struct json_reader *r, json_t *trait)
{
    buf_str(r->text, "trait ");
    if (json_known(r, trait, "trait|measure") < 0 ||
        json_member(r, trait, "trait", json_put_key) < 0)
        return -1;
    buf_str(r->text, " = ");
    if (json_member(r, trait, "measure", json_put_measure) < 0)
        return -1;
    buf_char(r->text, '\n');
    return 0;
}

/* ---- tests ----------------------------------------------------------- */

static int put_word(struct json_reader *r, json_t *value)
{
    static const char *const words[] = {"in", "out", "enter", "exit"};
    for (int i = 0; i < 4; i++)
        if (json_is_string(value) &&
            !strcmp(json_string_value(value), words[i])) {
            buf_str(r->text, words[i]);
            return 0;
        }
    return json_wrong(r, "\"in\", \"out\", \"enter\" or \"exit\" is missing.");
}

static int put_compare_op(struct json_reader *r, json_t *value)
{
    for (int op = 0; op <= OP_GE; op++) {
        const char *words = rule_op_info((enum rule_op)op)->words;
        if (json_is_string(value) && !strcmp(json_string_value(value), words)) {
            buf_printf(r->text, " %s ", words);
            return 0;
        }
    }
    return json_wrong(r, "`op` is missing: = != < <= > or >=.");
}

static int put_expect_trait(struct json_reader *r, json_t *line)
{
    buf_str(r->text, " expect trait ");
    if (json_member(r, line, "expect_trait", json_put_key) < 0 ||
        json_member(r, line, "op", put_compare_op) < 0)
        return -1;
    return json_member(r, line, "value", json_put_value);
}

static int put_name_if_any(struct json_reader *r, json_t *name)
{
    return json_is_string(name) && !json_string_length(name)
               ? 0
               : json_put_text(r, name);
}

/* A line with an instant; each has one member that says what it is. */
static int put_at(struct json_reader *r, json_t *line)
{
    static const struct {
        const char *name, *names, *before;
        json_put *put;
    } rows[] = {
        {"event", "at|event|properties", " event ", json_put_text},
        {"group", "at|group|properties", " group ", json_put_text},
        {"page", "at|page|properties", " page ", put_name_if_any},
        {"screen", "at|screen|properties", " screen ", put_name_if_any},
        {"identify", "at|identify", " identify", put_properties},
        {"expect", "at|expect", " expect ", put_word},
    };
    buf_str(r->text, "at ");
    if (json_member(r, line, "at", json_put_duration) < 0)
        return -1;
    if (json_object_get(line, "expect_trait"))
        return json_known(r, line, "at|expect_trait|op|value") < 0
                   ? -1
                   : put_expect_trait(r, line);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!json_object_get(line, rows[i].name))
            continue;
        return json_known(r, line, rows[i].names) < 0 ||
                       json_if_there(r, line, rows[i].name, rows[i].before,
                                     rows[i].put) < 0
                   ? -1
                   : json_if_there(r, line, "properties", "", put_properties);
    }
    return json_wrong(r, "one of `event`, `group`, `page`, `screen`, "
                         "`identify`, `expect` and `expect_trait` is "
                         "missing.");
}

static int put_line(struct json_reader *r, json_t *line)
{
    buf_str(r->text, "\n  ");
    if (!json_object_get(line, "set"))
        return put_at(r, line);
    buf_str(r->text, "set ");
    if (json_known(r, line, "set|value") < 0 ||
        json_member(r, line, "set", json_put_path) < 0)
        return -1;
    buf_str(r->text, " = ");
    return json_member(r, line, "value", json_put_property_value);
}

static int put_lines(struct json_reader *r, json_t *list)
{
    return json_each(r, list, "", put_line);
}

static int put_test(struct json_reader *r, json_t *test)
{
    buf_str(r->text, "test ");
    if (json_known(r, test, "test|name|lines") < 0 ||
        json_member(r, test, "test", json_put_key) < 0)
        return -1;
    buf_char(r->text, ' ');
    if (json_member(r, test, "name", json_put_text) < 0)
        return -1;
    buf_str(r->text, " {");
    if (json_member(r, test, "lines", put_lines) < 0)
        return -1;
    buf_str(r->text, "\n}\n");
    return 0;
}

/* ---- all of them ----------------------------------------------------- */

static int put_definition(struct json_reader *r, json_t *definition)
{
    static const struct {
        const char *name;
        json_put *put;
    } rows[] = {{"segment", put_segment},
                {"list", put_list},
                {"score", put_score},
                {"trait", put_trait},
                {"test", put_test}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (json_object_get(definition, rows[i].name))
            return rows[i].put(r, definition);
    return json_wrong(r, "one of `segment`, `list`, `score`, `trait` and "
                         "`test` is missing.");
}

int json_put_definitions(struct json_reader *r, json_t *list)
{
    return json_each(r, list, "", put_definition);
}
