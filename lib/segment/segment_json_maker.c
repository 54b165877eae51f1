/* segment_json_maker.c: values, names and paths of segment files as JSON.
 *
 * jansson answers NULL when memory ran out and passes NULL on when it is added
 * to something; maker_set and maker_append remember it, the rest need not look.
 */
#include "lib/segment/segment_json_maker.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/base/instant.h"
#include "lib/base/text.h"

void maker_set(struct maker *m, json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value) < 0)
        m->failed = 1;
}

void maker_append(struct maker *m, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        m->failed = 1;
}

/* ---- values ---------------------------------------------------------- */

json_t *maker_text(struct seg_text text)
{
    return json_stringn(text.bytes, text.len);
}

json_t *maker_duration(int64_t ms)
{
    struct buf buf;
    buf_init(&buf);
    if (ms)
        duration_format(&buf, ms);
    else
        buf_str(&buf, "0d");
    json_t *result = buf_failed(&buf) ? NULL : json_string(buf_string(&buf));
    buf_done(&buf);
    return result;
}

/* As a number if so many digits are enough, else spelled out. */
static json_t *real(struct maker *m, double number)
{
    struct seg_value value = {.type = SEG_DOUBLE, .as.number = number};
    char digits[64];
    struct buf spelling;
    snprintf(digits, sizeof(digits), "%.*g", MAKER_DIGITS, number);
    if (strtod(digits, NULL) == number)
        return json_real(number);
    json_t *object = json_object();
    buf_init(&spelling);
    buf_json_value(&spelling, &value);
    m->failed |= buf_failed(&spelling);
    maker_set(m, object, "number", json_string(buf_string(&spelling)));
    buf_done(&spelling);
    return object;
}

static json_t *plain_value(struct maker *m, const struct seg_value *value);

/* Add the members of OBJECT below the DEPTH names, each with all of them. */
static void add_members(struct maker *m, json_t *list,
                        const struct seg_value *object,
                        struct seg_text names[RULE_NESTED_MAX], int depth)
{
    for (uint32_t i = 0; i < object->len; i += 2) {
        const struct seg_value *name = &object->as.items[i];
        names[depth] = (struct seg_text){name->as.text, name->len};
        if (name[1].type == SEG_OBJECT) {
            add_members(m, list, &name[1], names, depth + 1);
            continue;
        }
        json_t *member = json_object();
        maker_set(m, member, "name", maker_names(m, names, depth + 1));
        maker_set(m, member, "value", plain_value(m, &name[1]));
        maker_append(m, list, member);
    }
}

/* {"object": [{"name": ["price"], "value": 120}]}: a list may hold some. */
static json_t *object_of(struct maker *m, const struct seg_value *value)
{
    struct seg_text names[RULE_NESTED_MAX];
    json_t *object = json_object();
    json_t *members = json_array();
    add_members(m, members, value, names, 0);
    maker_set(m, object, "object", members);
    return object;
}

static json_t *plain_value(struct maker *m, const struct seg_value *value)
{
    json_t *list;
    switch (value->type) {
    case SEG_BOOL:
        return json_boolean(value->as.boolean);
    case SEG_INT:
        return json_integer(value->as.integer);
    case SEG_DOUBLE:
        return real(m, value->as.number);
    case SEG_TEXT:
        return json_stringn(value->as.text, value->len);
    case SEG_LIST:
        list = json_array();
        for (uint32_t i = 0; i < value->len; i++)
            maker_append(m, list, plain_value(m, &value->as.items[i]));
        return list;
    case SEG_OBJECT:
        return object_of(m, value);
    case SEG_MISSING:
        break;
    }
    return json_null();
}

/* {"date": "2026-01-31"}, and {"number": "1.50"} where the number alone would
 * be spelled in another way. */
json_t *maker_value(struct maker *m, const struct rule_value *value)
{
    struct buf plain;
    int same;
    if (!value->spelling.bytes)
        return plain_value(m, &value->value);
    buf_init(&plain);
    buf_json_value(&plain, &value->value);
    same = !value->is_date && value->value.type != SEG_TEXT &&
           text_equal(value->spelling, text_of(buf_string(&plain)));
    m->failed |= buf_failed(&plain);
    buf_done(&plain);
    if (same)
        return plain_value(m, &value->value);
    json_t *object = json_object();
    maker_set(m, object,
              value->is_date || value->value.type == SEG_TEXT ? "date"
                                                              : "number",
              maker_text(value->spelling));
    return object;
}

json_t *maker_items(struct maker *m, const struct rule_values *values)
{
    json_t *list = json_array();
    for (int i = 0; i < values->count; i++)
        maker_append(m, list, maker_value(m, &values->items[i]));
    return list;
}

/* ["a", "b"], or {"list": "key"}. */
json_t *maker_values(struct maker *m, const struct rule_values *values)
{
    if (!values->list.bytes)
        return maker_items(m, values);
    json_t *object = json_object();
    maker_set(m, object, "list", maker_text(values->list));
    return object;
}

json_t *maker_names(struct maker *m, const struct seg_text *names, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        maker_append(m, list, maker_text(names[i]));
    return list;
}

/* ["user", "plan"] */
json_t *maker_path(struct maker *m, const struct path *path)
{
    static const char *const roots[] = {
        [PATH_PROPERTIES] = "properties", [PATH_CONTEXT] = "context",
        [PATH_EVENT] = "event",           [PATH_USER] = "user",
        [PATH_ACCOUNT] = "account",       [PATH_ELEMENT] = "element"};
    json_t *list = maker_names(m, path->names, path->count);
    if (json_array_insert_new(list, 0, json_string(roots[path->root])) < 0)
        m->failed = 1;
    return list;
}
