/* parse_property.c: properties of triggers and of events in tests. */
#include "lib/segment/parse_property.h"

#include "lib/base/text.h"
#include "lib/segment/parse_measure.h"
#include "lib/segment/parse_path.h"
#include "lib/segment/parse_value.h"

/* ---- values ---------------------------------------------------------- */

/* As parse_value, but what belongs into an event: `null` is missing there. */
static int parse_plain_value(struct cursor *cursor, struct rule_value *value)
{
    *value =
        (struct rule_value){.pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (cursor_accept(cursor, "null"))
        return 0;
    if (parse_value(cursor, value) < 0)
        return -1;
    if (value->is_date) {
        value->is_date = 0;
        value->value = (struct seg_value){.type = SEG_TEXT,
                                          .len = (uint32_t)value->spelling.len,
                                          .as.text = value->spelling.bytes};
    }
    return 0;
}

static int parse_members(struct cursor *cursor, int depth,
                         struct seg_value *value);

/* What stands in a list DEPTH deep. */
static int parse_list_item(struct cursor *cursor, int depth,
                           struct rule_value *value)
{
    *value = (struct rule_value){0};
    return cursor_at(cursor, 0, "{")
               ? parse_members(cursor, depth, &value->value)
               : parse_plain_value(cursor, value);
}

/* `[a, b]` or `[]`; its items are DEPTH deep in lists and objects. */
static int parse_list(struct cursor *cursor, int depth,
                      struct rule_value *value)
{
    struct rule_pos pos = cursor_pos(cursor, &cursor->last);
    size_t from = cursor->stack_len;
    struct rule_value item;
    uint32_t count = 0;
    int more = !cursor_accept(cursor, "]");
    while (more > 0) {
        if (count == RULE_VALUES_MAX)
            return cursor_error(cursor, "A list has at most %d values.",
                                RULE_VALUES_MAX);
        if (parse_list_item(cursor, depth, &item) < 0 ||
            cursor_push(cursor, &item.value, sizeof(item.value)) < 0)
            return -1;
        count++;
        more = next_item(cursor, "]");
    }
    if (more < 0)
        return -1;
    *value =
        (struct rule_value){.value = {.type = SEG_LIST,
                                      .len = count,
                                      .as.items = cursor_pop(cursor, from)},
                            .pos = cursor_span(cursor, pos)};
    return value->value.as.items ? 0 : -1;
}

/* The value of a property whose name ends DEPTH deep. */
static int parse_value_at(struct cursor *cursor, int depth,
                          struct rule_value *value)
{
    if (depth >= RULE_NESTED_MAX)
        return cursor_error_at(cursor, cursor_pos(cursor, &cursor->last),
                               "Names and lists are nested more than %d deep.",
                               RULE_NESTED_MAX);
    if (cursor_at(cursor, 0, "{")) {
        cursor_error(cursor, "An object stands only in a list.");
        return cursor_suggest(cursor, "write each member alone, such as "
                                      "`goal.id = \"g1\"`");
    }
    return cursor_accept(cursor, "[") ? parse_list(cursor, depth + 1, value)
                                      : parse_plain_value(cursor, value);
}

int parse_property_value(struct cursor *cursor, struct rule_value *value)
{
    return parse_value_at(cursor, 0, value);
}

/* ---- names ----------------------------------------------------------- */

/* Whether one of A and B is the other, or an object that holds it. */
static int overlap(const struct rule_property *a, const struct rule_property *b)
{
    return property_shares(
        a, b, a->name_count < b->name_count ? a->name_count : b->name_count);
}

static int check_overlap(struct cursor *cursor,
                         const struct rule_property *properties, int count)
{
    for (int i = 1; i < count; i++)
        for (int j = 0; j < i; j++)
            if (overlap(&properties[i], &properties[j]))
                return cursor_error_at(cursor, properties[i].pos,
                                       "This property stands already before "
                                       "in these brackets.");
    return 0;
}

/* The object of the members that share the DEPTH names LIKE begins with. */
static int make_object(struct cursor *cursor,
                       const struct rule_property *members, int count,
                       const struct rule_property *like, int depth,
                       struct seg_value *value)
{
    struct seg_value *items;
    uint32_t len = 0;
    int i = -1;
    while ((i = property_member(members, count, i + 1, like, depth)) < count)
        len += 2;
    *value = (struct seg_value){.type = SEG_OBJECT, .len = len};
    value->as.items = items = cursor_alloc(cursor, len * sizeof(*items));
    if (!items)
        return -1;
    i = -1;
    while ((i = property_member(members, count, i + 1, like, depth)) < count) {
        struct seg_text name = members[i].names[depth];
        *items++ = (struct seg_value){
            .type = SEG_TEXT, .len = (uint32_t)name.len, .as.text = name.bytes};
        if (members[i].name_count == depth + 1)
            *items = members[i].value.value;
        else if (make_object(cursor, members, count, &members[i], depth + 1,
                             items) < 0)
            return -1;
        items++;
    }
    return 0;
}

/* ---- properties ------------------------------------------------------ */

/* A path of the user or a measure as the value, in a trigger. */
static int parse_taken(struct cursor *cursor, struct rule_property *property)
{
    struct rule_measure *measure;
    if (cursor_at_any(cursor, 0, "user account") && cursor_at(cursor, 1, ".")) {
        property->kind = PROPERTY_PATH;
        return parse_user_path(cursor, &property->path);
    }
    if (measure_at(cursor, 0) == MEASURE_COUNT_)
        return parse_value_at(cursor, property->name_count, &property->value);
    measure = cursor_alloc(cursor, sizeof(*measure));
    property->kind = PROPERTY_MEASURE;
    property->measure = measure;
    return measure ? parse_measure(cursor, measure) : -1;
}

/* `name { . name } =`; the value comes next. */
static int parse_property_name(struct cursor *cursor,
                               struct rule_property *property)
{
    struct path path;
    *property = (struct rule_property){
        .pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (parse_names(cursor, &path) < 0)
        return -1;
    property->names = path.names;
    property->name_count = path.count;
    property->pos = cursor_span(cursor, property->pos);
    if (cursor_accept(cursor, ":") || cursor_accept(cursor, "=="))
        return cursor_error_at(cursor, cursor_pos(cursor, &cursor->last),
                               "A property is written name = value.");
    return cursor_expect(cursor, "=");
}

/* What stands in brackets that are DEPTH deep. */
static int parse_braces(struct cursor *cursor, enum properties_of of, int depth,
                        const struct rule_property **properties, int *count)
{
    size_t from = cursor->stack_len;
    struct rule_property property;
    int more;
    if (cursor_expect(cursor, "{") < 0)
        return -1;
    *count = 0;
    do {
        if (*count == RULE_PROPERTIES_MAX)
            return cursor_error(cursor, "Here stand at most %d properties.",
                                RULE_PROPERTIES_MAX);
        if (parse_property_name(cursor, &property) < 0 ||
            (of == PROPERTIES_OF_TRIGGER
                 ? parse_taken(cursor, &property)
                 : parse_value_at(cursor, depth + property.name_count,
                                  &property.value)) < 0 ||
            cursor_push(cursor, &property, sizeof(property)) < 0)
            return -1;
        ++*count;
        more = next_item(cursor, "}");
    } while (more > 0);
    if (more < 0)
        return -1;
    *properties = cursor_pop(cursor, from);
    return *properties ? check_overlap(cursor, *properties, *count) : -1;
}

int parse_properties(struct cursor *cursor, enum properties_of of,
                     const struct rule_property **properties, int *count)
{
    return parse_braces(cursor, of, 0, properties, count);
}

/* `{ name = value, ... }` in a list, the brackets included. */
static int parse_members(struct cursor *cursor, int depth,
                         struct seg_value *value)
{
    const struct rule_property *members;
    int count;
    return parse_braces(cursor, PROPERTIES_OF_EVENT, depth, &members, &count) <
                   0
               ? -1
               : make_object(cursor, members, count, NULL, 0, value);
}
