/* format_file.c: whole segment files in their one spelling, comments kept.
 *
 * Definitions stay in the order of the file, fields of a segment come in one
 * order. What fits into 80 columns stays on one line; a longer condition is
 * broken before each `and` or `or` of its outermost group, then of the groups
 * inside that still do not fit:
 *
 *     when did "Signed Up" in 7d
 *       and (did "Project Created" at least 2 times   # why
 *         or user.plan = "pro") */
#include <seg/catalogue.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/segment/format.h"
#include "lib/segment/format_anchor.h"
#include "lib/segment/parse.h"

#define COLUMNS_MAX  80
#define FIELD_INDENT 2
#define INNER_INDENT 4

struct writer {
    struct buf *buf;
    struct anchors anchors;
};

/* ---- lines and comments ---------------------------------------------- */

static void indent(struct writer *writer, int columns)
{
    while (columns-- > 0)
        buf_char(writer->buf, ' ');
}

/* End the line, the last one before the anchor NEXT, with its comment. */
static void end_line(struct writer *writer, uint64_t next)
{
    const struct rule_comment *comment =
        anchor_trailing(&writer->anchors, next);
    if (comment) {
        buf_str(writer->buf, "  ");
        buf_text(writer->buf, comment->text);
    }
    buf_char(writer->buf, '\n');
}

/* The comments that stand before the anchor AT on lines of their own. With
 * LINE, that of AT, empty lines around comments are kept, as one. */
static void lead(struct writer *writer, uint64_t at, int columns, uint32_t line)
{
    const struct rule_comment *comments = writer->anchors.rules->comments;
    int first, end;
    anchor_gap(&writer->anchors, at, &first, &end);
    first += anchor_trailing(&writer->anchors, at) != NULL;
    for (int i = first; i < end; i++) {
        uint32_t next = i + 1 < end ? comments[i + 1].pos.line : line;
        indent(writer, columns);
        buf_text(writer->buf, comments[i].text);
        buf_char(writer->buf, '\n');
        if (line && next > comments[i].pos.line + 1 && next != UINT32_MAX)
            buf_char(writer->buf, '\n');
    }
}

/* Go on in a new line with the anchor AT. */
static void break_line(struct writer *writer, uint64_t at, int columns)
{
    end_line(writer, at);
    lead(writer, at, columns, 0);
    indent(writer, columns);
}

/* Whether the line being written is short enough. */
static int fits(const struct writer *writer)
{
    const struct buf *buf = writer->buf;
    size_t at = buf->len;
    int columns = 0;
    for (; at > 0 && buf->bytes[at - 1] != '\n'; at--)
        if ((buf->bytes[at - 1] & 0xc0) != 0x80 && ++columns > COLUMNS_MAX)
            return 0;
    return 1;
}

/* ---- conditions ------------------------------------------------------ */

static void write_children(struct writer *writer, const struct rule_cond *cond,
                           uint64_t from, int columns);

/* COND, which begins behind the anchor FROM, in BRACKETS or not. */
static void write_cond(struct writer *writer, const struct rule_cond *cond,
                       uint64_t from, int brackets, int columns)
{
    struct buf *buf = writer->buf;
    size_t mark = buf->len;
    if (brackets)
        buf_char(buf, '(');
    if (!anchor_comments(&writer->anchors, from,
                         anchor_of(anchor_last(cond)))) {
        format_cond(buf, cond, FORMAT_LIST_NAMES);
        if (brackets)
            buf_char(buf, ')');
        if (!cond->count || buf->failed || fits(writer))
            return;
        buf->len = mark + (size_t)brackets;
    } else if (!cond->count) {
        format_cond(buf, cond, FORMAT_LIST_NAMES);
    }
    write_children(writer, cond, from, columns);
    if (brackets)
        buf_char(buf, ')');
}

static void write_children(struct writer *writer, const struct rule_cond *cond,
                           uint64_t from, int columns)
{
    if (cond->kind == COND_NOT)
        buf_str(writer->buf, "not ");
    for (int i = 0; i < cond->count; i++) {
        const struct rule_cond *child = cond->children[i];
        if (i) {
            from = anchor_of(child->pos);
            break_line(writer, from, columns);
            buf_str(writer->buf, cond->kind == COND_AND ? "and " : "or ");
        }
        write_cond(writer, child, from,
                   format_needs_brackets(cond->kind, child),
                   columns + FIELD_INDENT);
    }
}

/* ---- lists of values ------------------------------------------------- */

static void write_one_value(struct writer *writer,
                            const struct rule_values *values, int i)
{
    struct rule_values one = {.count = 1, .items = &values->items[i]};
    struct buf *buf = writer->buf;
    size_t mark = buf->len;
    format_values(buf, &one, FORMAT_LIST_NAMES);
    if (buf->failed)
        return;
    /* Without its brackets. */
    memmove(buf->bytes + mark, buf->bytes + mark + 1, buf->len - mark - 2);
    buf->len -= 2;
    if (i + 1 < values->count)
        buf_char(buf, ',');
}

/* VALUES on lines of their own: each on one if ALONE, else as many as fit. */
static void write_broken(struct writer *writer,
                         const struct rule_values *values, int alone,
                         int columns)
{
    for (int i = 0; i < values->count; i++) {
        size_t mark = writer->buf->len;
        if (i && !alone) {
            buf_char(writer->buf, ' ');
            write_one_value(writer, values, i);
            if (fits(writer))
                continue;
            writer->buf->len = mark;
        }
        break_line(writer, anchor_of(values->items[i].pos), columns);
        write_one_value(writer, values, i);
    }
}

/* VALUES, which begin behind the anchor FROM, between MARKS. Before the second
 * mark stands the anchor END, in a list; 0 in a field of a segment. */
static void write_values(struct writer *writer,
                         const struct rule_values *values, const char *marks,
                         uint64_t from, uint64_t end)
{
    struct buf *buf = writer->buf;
    size_t mark = buf->len;
    int columns = end ? 0 : FIELD_INDENT;
    uint64_t last = anchor_of(values->items[values->count - 1].pos);
    buf_char(buf, marks[0]);
    if (!anchor_comments(&writer->anchors, from, end ? end : last)) {
        for (int i = 0; i < values->count; i++) {
            if (i)
                buf_char(buf, ' ');
            write_one_value(writer, values, i);
        }
        buf_char(buf, marks[1]);
        if (buf->failed || fits(writer))
            return;
        buf->len = mark + 1;
    }
    write_broken(writer, values, anchor_comments(&writer->anchors, from, last),
                 columns + FIELD_INDENT);
    if (end) {
        end_line(writer, end);
        lead(writer, end, columns + FIELD_INDENT, 0);
    } else {
        buf_char(buf, '\n');
    }
    indent(writer, columns);
    buf_char(buf, marks[1]);
}

/* ---- segments -------------------------------------------------------- */

static void write_strings(struct writer *writer, const struct seg_text *texts,
                          int count)
{
    buf_char(writer->buf, '[');
    for (int i = 0; i < count; i++) {
        if (i)
            buf_str(writer->buf, ", ");
        buf_json_text(writer->buf, texts[i]);
    }
    buf_char(writer->buf, ']');
}

static void write_properties(struct writer *writer,
                             const struct rule_property *properties, int count)
{
    if (!count)
        return;
    buf_str(writer->buf, " { ");
    format_properties(writer->buf, properties, count);
    buf_str(writer->buf, " }");
}

static void write_trigger(struct writer *writer,
                          const struct rule_trigger *trigger)
{
    buf_str(writer->buf,
            trigger->on_enter ? "on enter trigger " : "on exit trigger ");
    buf_json_text(writer->buf, trigger->name);
    write_properties(writer, trigger->properties, trigger->property_count);
    if (trigger->once)
        buf_str(writer->buf, " once");
    if (trigger->cooldown_ms) {
        buf_str(writer->buf, " per ");
        duration_format(writer->buf, trigger->cooldown_ms);
    }
}

static void begin_field(struct writer *writer, struct rule_pos pos,
                        const char *word)
{
    lead(writer, anchor_of(pos), FIELD_INDENT, 0);
    indent(writer, FIELD_INDENT);
    buf_str(writer->buf, word);
}

/* LAST is the place of the last anchor of the field. */
static void end_field(struct writer *writer, struct rule_pos last)
{
    end_line(writer, anchor_after(&writer->anchors, anchor_of(last)));
}

static void write_text_field(struct writer *writer, struct rule_pos pos,
                             const char *word, struct seg_text text)
{
    if (!text.bytes)
        return;
    begin_field(writer, pos, word);
    buf_json_text(writer->buf, text);
    end_field(writer, pos);
}

static void write_ids(struct writer *writer, struct rule_pos pos,
                      const char *word, const struct rule_values *values)
{
    if (!values->list.bytes && !values->count)
        return;
    begin_field(writer, pos, word);
    if (values->list.bytes) {
        format_values(writer->buf, values, FORMAT_LIST_NAMES);
        end_field(writer, pos);
        return;
    }
    write_values(writer, values, "()", anchor_of(pos), 0);
    end_field(writer, values->items[values->count - 1].pos);
}

static void write_segment(struct writer *writer,
                          const struct rule_segment *segment)
{
    const struct rule_pos *pos = segment->field_pos;
    buf_str(writer->buf, "segment ");
    buf_text(writer->buf, segment->key);
    buf_str(writer->buf, " {");
    end_field(writer, segment->pos);
    write_text_field(writer, pos[FIELD_TITLE], "title ", segment->title);
    write_text_field(writer, pos[FIELD_OWNER], "owner ", segment->owner);
    if (segment->tag_count) {
        begin_field(writer, pos[FIELD_TAGS], "tags ");
        write_strings(writer, segment->tags, segment->tag_count);
        end_field(writer, pos[FIELD_TAGS]);
    }
    write_text_field(writer, pos[FIELD_DOCS], "docs ", segment->docs);
    if (segment->when) {
        begin_field(writer, pos[FIELD_WHEN], "when ");
        write_cond(writer, segment->when, anchor_of(pos[FIELD_WHEN]), 0,
                   INNER_INDENT);
        end_field(writer, anchor_last(segment->when));
    }
    write_ids(writer, pos[FIELD_INCLUDE], "include ", &segment->include);
    write_ids(writer, pos[FIELD_EXCLUDE], "exclude ", &segment->exclude);
    for (int i = 0; i < segment->trigger_count; i++) {
        begin_field(writer, segment->triggers[i].pos, "");
        write_trigger(writer, &segment->triggers[i]);
        end_field(writer, segment->triggers[i].pos);
    }
    lead(writer, anchor_of(segment->end), FIELD_INDENT, 0);
    buf_char(writer->buf, '}');
    end_field(writer, segment->end);
}

/* ---- lists, tests, files --------------------------------------------- */

static void write_list(struct writer *writer, const struct rule_list *list)
{
    buf_str(writer->buf, "list ");
    buf_text(writer->buf, list->key);
    buf_str(writer->buf, " = ");
    write_values(writer, &list->values, "[]", anchor_of(list->pos),
                 anchor_of(list->end));
    end_field(writer, list->end);
}

static void write_line(struct writer *writer, const struct rule_line *line)
{
    static const char *const expects[] = {[EXPECT_IN] = "in",
                                          [EXPECT_OUT] = "out",
                                          [EXPECT_ENTER] = "enter",
                                          [EXPECT_EXIT] = "exit"};
    struct buf *buf = writer->buf;
    if (line->kind == LINE_SET) {
        struct rule_property value = {.value = line->value};
        buf_str(buf, "set ");
        format_path(buf, &line->path);
        format_properties(buf, &value, 1);
        return;
    }
    buf_str(buf, "at ");
    if (line->at_ms)
        duration_format(buf, line->at_ms);
    else
        buf_str(buf, "0d");
    if (line->kind == LINE_EXPECT) {
        buf_printf(buf, " expect %s", expects[line->expect]);
        return;
    }
    buf_str(buf, line->kind == LINE_EVENT      ? " event "
                 : line->kind == LINE_IDENTIFY ? " identify"
                                               : " group ");
    if (line->kind != LINE_IDENTIFY)
        buf_json_text(buf, line->name);
    write_properties(writer, line->properties, line->property_count);
}

static void write_test(struct writer *writer,
                       const struct rule_test_block *test)
{
    buf_str(writer->buf, "test ");
    buf_text(writer->buf, test->segment);
    buf_char(writer->buf, ' ');
    buf_json_text(writer->buf, test->name);
    buf_str(writer->buf, " {");
    end_field(writer, test->pos);
    for (int i = 0; i < test->line_count; i++) {
        begin_field(writer, test->lines[i].pos, "");
        write_line(writer, &test->lines[i]);
        end_field(writer, test->lines[i].pos);
    }
    lead(writer, anchor_of(test->end), FIELD_INDENT, 0);
    buf_char(writer->buf, '}');
    end_field(writer, test->end);
}

/* A definition of the file, one of the three. */
struct definition {
    const struct rule_list *list;
    const struct rule_segment *segment;
    const struct rule_test_block *test;
    struct rule_pos pos, end;
};

static int order(const void *a, const void *b)
{
    const struct definition *x = a, *y = b;
    uint64_t p = anchor_of(x->pos), q = anchor_of(y->pos);
    return (p > q) - (p < q);
}

/* The definitions of FILE in its order, *COUNT of them; NULL: no memory. */
static struct definition *collect(const struct rules *rules, uint32_t file,
                                  size_t *count)
{
    size_t all = (size_t)rules->list_count + (size_t)rules->segment_count +
                 (size_t)rules->test_count;
    struct definition *items = calloc(all + 1, sizeof(*items));
    *count = 0;
    if (!items)
        return NULL;
    for (int i = 0; i < rules->list_count; i++)
        items[(*count)++] = (struct definition){.list = &rules->lists[i],
                                                .pos = rules->lists[i].pos,
                                                .end = rules->lists[i].end};
    for (int i = 0; i < rules->segment_count; i++)
        items[(*count)++] = (struct definition){.segment = &rules->segments[i],
                                                .pos = rules->segments[i].pos};
    for (int i = 0; i < rules->test_count; i++)
        items[(*count)++] = (struct definition){.test = &rules->tests[i],
                                                .pos = rules->tests[i].pos};
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (items[i].pos.file == file)
            items[kept++] = items[i];
    *count = kept;
    qsort(items, kept, sizeof(*items), order);
    return items;
}

/* Lists that followed each other line by line still do. */
static int is_apart(const struct definition *before,
                    const struct definition *definition)
{
    return !before->list || !definition->list ||
           definition->pos.line > before->end.line + 1;
}

static void write_definition(struct writer *writer,
                             const struct definition *definition)
{
    lead(writer, anchor_of(definition->pos), 0, definition->pos.line);
    if (definition->list)
        write_list(writer, definition->list);
    else if (definition->segment)
        write_segment(writer, definition->segment);
    else
        write_test(writer, definition->test);
}

static void write_file(struct writer *writer, uint32_t file)
{
    size_t count;
    int first, end;
    struct definition *items = collect(writer->anchors.rules, file, &count);
    if (!items) {
        writer->buf->failed = 1;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (i && is_apart(&items[i - 1], &items[i]))
            buf_char(writer->buf, '\n');
        write_definition(writer, &items[i]);
    }
    anchor_gap(&writer->anchors, ANCHOR_END, &first, &end);
    first += anchor_trailing(&writer->anchors, ANCHOR_END) != NULL;
    if (count && first < end)
        buf_char(writer->buf, '\n');
    lead(writer, ANCHOR_END, 0, UINT32_MAX);
    free(items);
}

void format_rules(struct buf *buf, const struct rules *rules, uint32_t file)
{
    struct writer writer = {.buf = buf};
    anchors_init(&writer.anchors, rules, file);
    if (writer.anchors.failed)
        buf->failed = 1;
    else
        write_file(&writer, file);
    anchors_done(&writer.anchors);
}

int seg_format(char **ret, const struct seg_source *source,
               struct seg_diagnostics *diagnostics)
{
    struct rules rules;
    struct buf buf;
    rules_init(&rules);
    buf_init(&buf);
    int status = parse_source(&rules, source, diagnostics);
    if (status == 0) {
        format_rules(&buf, &rules, 0);
        char *text = buf_take(&buf);
        if (text)
            *ret = text;
        else
            status = SEG_ERR_NOMEM;
    }
    buf_done(&buf);
    rules_done(&rules);
    return status;
}
