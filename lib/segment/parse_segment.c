/* parse_segment.c: segments of a segment file, field by field. */
#include "lib/base/alloc.h"
#include "lib/segment/parse_block.h"
#include "lib/segment/parse_cond.h"
#include "lib/segment/parse_habit.h"
#include "lib/segment/parse_measure.h"
#include "lib/segment/parse_property.h"
#include "lib/segment/parse_value.h"

/* A segment being read. */
struct building {
    struct rule_segment segment;
    size_t from; /* Its triggers stand on the cursor's stack above. */
    int wrong;   /* It had an error and is not kept. */
};

static const char *const field_words[] = {
    [FIELD_TITLE] = "title",     [FIELD_OWNER] = "owner",
    [FIELD_TAGS] = "tags",       [FIELD_DOCS] = "docs",
    [FIELD_WHEN] = "when",       [FIELD_INCLUDE] = "include",
    [FIELD_EXCLUDE] = "exclude", [FIELD_ON] = "on",
    [FIELD_SHADOW] = "shadow",   [FIELD_UNTIL] = "until",
};

/* ---- triggers -------------------------------------------------------- */

static int parse_once(struct cursor *cursor, struct rule_trigger *trigger)
{
    if (cursor_at(cursor, 0, "per")) {
        cursor_error(cursor, "`once` is missing before `per`.");
        return cursor_suggest(cursor, "write, for example, `once per 30d`");
    }
    if (!cursor_accept(cursor, "once"))
        return 0;
    trigger->once = 1;
    if (cursor_at_any(cursor, 0, "a an every each in daily weekly")) {
        cursor_error(cursor, "How long a trigger waits is said by `once per`.");
        return cursor_suggest(cursor, "write, for example, `once per 1d`");
    }
    if (!cursor_accept(cursor, "per"))
        return 0;
    return parse_duration(cursor, "per", 1, &trigger->cooldown_ms);
}

static int parse_trigger(struct cursor *cursor, struct rule_trigger *trigger)
{
    *trigger = (struct rule_trigger){
        .pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    cursor_take(cursor);
    if (cursor_accept(cursor, "enter"))
        trigger->on_enter = 1;
    else if (!cursor_accept(cursor, "exit"))
        return cursor_wrong_word(cursor, NULL, "enter|exit");
    if (cursor_expect(cursor, "trigger") < 0 ||
        parse_string(cursor, "The name of a trigger", SEG_NAME_BYTES_MAX,
                     &trigger->name) < 0)
        return -1;
    if (!trigger->name.len)
        return cursor_error_at(cursor, cursor_pos(cursor, &cursor->last),
                               "The name of a trigger is not empty.");
    if (cursor_at(cursor, 0, "{") &&
        parse_properties(cursor, PROPERTIES_OF_TRIGGER, &trigger->properties,
                         &trigger->property_count) < 0)
        return -1;
    if (parse_once(cursor, trigger) < 0)
        return -1;
    trigger->pos = cursor_span(cursor, trigger->pos);
    return 0;
}

static int add_trigger(struct cursor *cursor, struct rule_segment *segment)
{
    struct rule_trigger trigger;
    if (segment->trigger_count == RULE_NAMES_MAX)
        return cursor_error(cursor, "A segment has at most %d triggers.",
                            RULE_NAMES_MAX);
    if (parse_trigger(cursor, &trigger) < 0 ||
        cursor_push(cursor, &trigger, sizeof(trigger)) < 0)
        return -1;
    segment->trigger_count++;
    return 0;
}

/* ---- fields ---------------------------------------------------------- */

/* The field whose word stands here; FIELD_COUNT_ if none. */
static enum rule_field find_field(struct cursor *cursor)
{
    int field = 0;
    while (field < FIELD_COUNT_ && !cursor_at(cursor, 0, field_words[field]))
        field++;
    return (enum rule_field)field;
}

/* Whether field FIELD begins here, in the middle of a line: its word, and what
 * must follow it, as the words are good names of properties too. */
static int field_is_here(struct cursor *cursor, enum rule_field field)
{
    const struct token *next = cursor_peek(cursor, 1);
    if (!cursor_at(cursor, 0, field_words[field]))
        return 0;
    switch (field) {
    case FIELD_TITLE:
    case FIELD_OWNER:
    case FIELD_DOCS:
        return next->kind == TOKEN_STRING;
    case FIELD_TAGS:
        return cursor_at(cursor, 1, "[");
    case FIELD_INCLUDE:
    case FIELD_EXCLUDE:
        return cursor_at(cursor, 1, "(") || next->kind == TOKEN_LIST;
    case FIELD_ON:
        return cursor_at_any(cursor, 1, "enter exit");
    case FIELD_WHEN:
        return next->kind == TOKEN_WORD || cursor_at(cursor, 1, "(");
    case FIELD_SHADOW:
        return next->kind == TOKEN_WORD || cursor_at(cursor, 1, "}");
    case FIELD_UNTIL:
        return next->kind == TOKEN_WORD || cursor_at(cursor, 1, "(");
    case FIELD_COUNT_:
        break;
    }
    return 0;
}

static int wrong_field(struct cursor *cursor)
{
    if (habit_said(cursor, HABIT_FIELD) < 0)
        return -1;
    if (cursor_at_any(cursor, 0, "did not user account")) {
        cursor_error(cursor, "A condition stands after `when`.");
        return cursor_instead(cursor, 0, "when ", " ...");
    }
    return cursor_wrong_word(cursor, "field of a segment",
                             "title|owner|tags|docs|shadow|when|until|include|"
                             "exclude|on");
}

/* Whether the last field was a condition. */
static int is_behind_cond(const struct rule_segment *segment)
{
    int last = FIELD_TITLE;
    for (int i = 0; i < FIELD_COUNT_; i++) {
        struct rule_pos at = segment->field_pos[i];
        struct rule_pos before = segment->field_pos[last];
        if (at.line > before.line ||
            (at.line == before.line && at.column > before.column))
            last = i;
    }
    return last == FIELD_WHEN || last == FIELD_UNTIL;
}

/* What stands after a field instead of the next one. */
static int wrong_after_field(struct cursor *cursor,
                             const struct rule_segment *segment)
{
    if (cursor_at_any(cursor, 0, "and or"))
        return cursor_missing(cursor, "A condition");
    if (!is_behind_cond(segment))
        return wrong_field(cursor);
    if (cursor_at_any(cursor, 0,
                      "did not user account everyone latest entered left in") ||
        measure_at(cursor, 0) != MEASURE_COUNT_)
        return cursor_missing(cursor, "`and` or `or`");
    return habit_said(cursor, HABIT_AFTER_COND) < 0 ? -1 : wrong_field(cursor);
}

static int parse_text_field(struct cursor *cursor, const char *what,
                            struct seg_text *text)
{
    cursor_take(cursor);
    if (cursor_at_any(cursor, 0, "= :"))
        return cursor_error(cursor, "Between a field and its text stands "
                                    "nothing.");
    return parse_string(cursor, what, SEG_STRING_BYTES_MAX, text);
}

static int parse_ids(struct cursor *cursor, struct rule_values *values)
{
    cursor_take(cursor);
    return parse_values(cursor, values);
}

static int parse_cond_field(struct cursor *cursor, struct rule_cond **cond)
{
    cursor_take(cursor);
    *cond = parse_cond(cursor);
    return *cond ? 0 : -1;
}

static int parse_shadow(struct cursor *cursor, struct rule_segment *segment)
{
    cursor_take(cursor);
    segment->shadow = 1;
    if (cursor_at_any(cursor, 0, "= true false yes no") ||
        cursor_peek(cursor, 0)->kind == TOKEN_STRING)
        return cursor_error(cursor, "`shadow` stands alone: a segment that is "
                                    "published has none.");
    return 0;
}

static int parse_field(struct cursor *cursor, enum rule_field field,
                       struct rule_segment *segment)
{
    switch (field) {
    case FIELD_TITLE:
        return parse_text_field(cursor, "A title", &segment->title);
    case FIELD_OWNER:
        return parse_text_field(cursor, "An owner", &segment->owner);
    case FIELD_DOCS:
        return parse_text_field(cursor, "The text of docs", &segment->docs);
    case FIELD_TAGS:
        cursor_take(cursor);
        return parse_strings(cursor, "A tag", SEG_NAME_BYTES_MAX,
                             &segment->tags, &segment->tag_count);
    case FIELD_WHEN:
        return parse_cond_field(cursor, &segment->when);
    case FIELD_UNTIL:
        return parse_cond_field(cursor, &segment->until);
    case FIELD_SHADOW:
        return parse_shadow(cursor, segment);
    case FIELD_INCLUDE:
        return parse_ids(cursor, &segment->include);
    case FIELD_EXCLUDE:
        return parse_ids(cursor, &segment->exclude);
    case FIELD_ON:
        return add_trigger(cursor, segment);
    case FIELD_COUNT_:
        break;
    }
    return wrong_after_field(cursor, segment);
}

/* One field, not said before. */
static int parse_next_field(struct cursor *cursor, struct rule_segment *segment)
{
    enum rule_field field = find_field(cursor);
    struct rule_pos pos = cursor_pos(cursor, cursor_peek(cursor, 0));
    if (field < FIELD_COUNT_) {
        uint32_t line = segment->field_pos[field].line;
        if (line && field != FIELD_ON)
            return cursor_error(cursor, "`%s` stands already in line %u.",
                                field_words[field], line);
        if (!line)
            segment->field_pos[field] = pos;
    }
    return parse_field(cursor, field, segment);
}

/* To the next field, or what ends the segment: a `}` when there are no more
 * than BRACES to close. */
static void skip_field(struct cursor *cursor, int braces)
{
    for (; cursor_peek(cursor, 0)->kind != TOKEN_END; cursor_take(cursor)) {
        int after_dot =
            cursor->last.source.len == 1 && cursor->last.source.bytes[0] == '.';
        if (definition_is_here(cursor) && cursor_peek(cursor, 0)->starts_line)
            return;
        if (cursor->braces > braces || after_dot)
            continue;
        if (cursor_at(cursor, 0, "}") || (cursor_peek(cursor, 0)->starts_line &&
                                          find_field(cursor) != FIELD_COUNT_))
            return;
        for (int i = 0; i < FIELD_COUNT_; i++)
            if (field_is_here(cursor, (enum rule_field)i))
                return;
    }
}

/* ---- the segment ----------------------------------------------------- */

static int add_segment(struct cursor *cursor, struct building *building)
{
    struct rules *rules = cursor->rules;
    struct rule_segment *segment = &building->segment;
    void *segments = rules->segments;
    segment->triggers = cursor_pop(cursor, building->from);
    if (!segment->triggers)
        return -1;
    if (rules->segment_count == SEG_SEGMENTS_MAX)
        return cursor_error_at(cursor, segment->pos,
                               "There are at most %d segments.",
                               SEG_SEGMENTS_MAX);
    if (alloc_grow(&segments, &rules->segment_cap,
                   (size_t)rules->segment_count + 1, sizeof(*segment)) < 0)
        return cursor_no_memory(cursor);
    rules->segments = segments;
    rules->segments[rules->segment_count++] = *segment;
    return 0;
}

/* Go on behind an error in the field at whose start TAKEN tokens were read. */
static void recover(struct cursor *cursor, int taken, int braces)
{
    if (cursor->taken == taken)
        cursor_take(cursor);
    skip_field(cursor, braces);
}

static int parse_fields(struct cursor *cursor, struct building *building)
{
    struct rule_segment *segment = &building->segment;
    int braces = cursor->braces;
    while (!cursor_at(cursor, 0, "}")) {
        size_t from = cursor->stack_len;
        int taken = cursor->taken;
        if (cursor_peek(cursor, 0)->kind != TOKEN_END &&
            !definition_is_here(cursor)) {
            if (parse_next_field(cursor, segment) == 0)
                continue;
            building->wrong = 1;
            cursor->stack_len = from;
            recover(cursor, taken, braces);
            continue;
        }
        /* Behind an error the brace may have been passed over. */
        if (!building->wrong)
            cursor_error_at(cursor, segment->pos,
                            "The segment `%s` has no closing `}`.",
                            segment->key.bytes);
        return -1;
    }
    segment->end = cursor_pos(cursor, cursor_take(cursor));
    return 0;
}

int parse_segment(struct cursor *cursor)
{
    struct building building = {
        .segment = {.pos = cursor_pos(cursor, cursor_peek(cursor, 0))},
        .from = cursor->stack_len};
    if (parse_key(cursor, "segment", &building.segment.key) < 0)
        return -1;
    if (cursor_at(cursor, 0, "of") && cursor_at(cursor, 1, "account"))
        return cursor_not_yet(cursor, "A segment of accounts");
    if (cursor_expect(cursor, "{") < 0 || parse_fields(cursor, &building) < 0)
        return -1;
    if (!building.wrong)
        return add_segment(cursor, &building);
    cursor->stack_len = building.from;
    return 0;
}
