/* test_line.c: lines of a `test` block as messages. */
#include "lib/engine/test_line.h"

#include <stdlib.h>

#include <seg/error.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"

void test_line_value(struct buf *buf, const struct rule_value *value)
{
    if (value->is_date)
        buf_json_text(buf, value->spelling);
    else
        buf_json_value(buf, &value->value);
}

struct seg_text test_line_event(const struct rule_line *line)
{
    return line->kind == LINE_EVENT    ? line->name
           : line->kind == LINE_PAGE   ? text_of("Page Viewed")
           : line->kind == LINE_SCREEN ? text_of("Screen Viewed")
                                       : text_of("");
}

/* Dotted names with their values, to be written as an object. */
struct named {
    const struct rule_property *properties;
    int count;
    int context_apart; /* Names that begin with `context` are not written. */
};

static int is_context(const struct rule_property *property)
{
    return property->name_count > 1 &&
           text_equal(property->names[0], text_of("context"));
}

/* The members, below those that share the first DEPTH names with LIKE, of the
 * object that dotted names make: goal.id and goal.name are one goal. */
static void put_object(struct buf *buf, const struct named *named,
                       const struct rule_property *like, int depth)
{
    int members = 0, i = -1;
    buf_char(buf, '{');
    while ((i = property_member(named->properties, named->count, i + 1, like,
                                depth)) < named->count) {
        const struct rule_property *property = &named->properties[i];
        if (named->context_apart && is_context(property))
            continue;
        if (members++)
            buf_char(buf, ',');
        buf_json_text(buf, property->names[depth]);
        buf_char(buf, ':');
        if (property->name_count == depth + 1)
            test_line_value(buf, &property->value);
        else
            put_object(buf, named, property, depth + 1);
    }
    buf_char(buf, '}');
}

/* The properties of an event; what begins with `context` is its context. */
static void put_event(struct buf *buf, const struct rule_line *line)
{
    struct named named = {line->properties, line->property_count, 0};
    for (int i = 0; i < named.count && !named.context_apart; i++) {
        if (!is_context(&named.properties[i]))
            continue;
        buf_str(buf, ",\"context\":");
        put_object(buf, &named, &named.properties[i], 1);
        named.context_apart = 1;
    }
    buf_str(buf, ",\"properties\":");
    put_object(buf, &named, NULL, 0);
}

static void begin_message(struct buf *json, const char *type, int64_t at_ms)
{
    buf_reset(json);
    buf_printf(json,
               "{\"type\":\"%s\",\"userId\":\"" TEST_USER "\",\"timestamp\":\"",
               type);
    instant_format(json, at_ms);
    buf_char(json, '"');
}

void test_line_message(struct buf *json, const struct rule_line *line,
                       int64_t at_ms)
{
    static const char *const types[] = {[LINE_EVENT] = "track",
                                        [LINE_IDENTIFY] = "identify",
                                        [LINE_GROUP] = "group",
                                        [LINE_PAGE] = "page",
                                        [LINE_SCREEN] = "screen"};
    static const char *const names[] = {[LINE_EVENT] = ",\"event\":",
                                        [LINE_GROUP] = ",\"groupId\":",
                                        [LINE_PAGE] = ",\"name\":",
                                        [LINE_SCREEN] = ",\"name\":"};
    begin_message(json, types[line->kind], at_ms);
    if (line->name.len) {
        buf_str(json, names[line->kind]);
        buf_json_text(json, line->name);
    }
    if (test_line_event(line).len) {
        put_event(json, line);
    } else {
        const struct named traits = {line->properties, line->property_count, 0};
        buf_str(json, ",\"traits\":");
        put_object(json, &traits, NULL, 0);
    }
    buf_char(json, '}');
}

int test_line_settings(struct buf *json, const struct rule_test_block *block,
                       enum path_root root)
{
    struct rule_property *set =
        calloc((size_t)block->line_count + 1, sizeof(*set));
    int count = 0;
    if (!set)
        return SEG_ERR_NOMEM;
    for (int i = 0; i < block->line_count; i++) {
        const struct rule_line *line = &block->lines[i];
        if (line->kind == LINE_SET && line->path.root == root)
            set[count++] =
                (struct rule_property){.name_count = line->path.count,
                                       .names = line->path.names,
                                       .value = line->value,
                                       .pos = line->pos};
    }
    begin_message(json, root == PATH_USER ? "identify" : "group",
                  TEST_START_MS);
    if (root == PATH_ACCOUNT)
        buf_str(json, ",\"groupId\":\"" TEST_ACCOUNT "\"");
    buf_str(json, ",\"traits\":");
    put_object(json, &(struct named){set, count, 0}, NULL, 0);
    buf_char(json, '}');
    free(set);
    return count;
}
