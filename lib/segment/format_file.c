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
#include "lib/segment/definition.h"
#include "lib/segment/format.h"
#include "lib/segment/format_writer.h"
#include "lib/segment/parse.h"

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
    format_properties(writer->buf, properties, count, FORMAT_LIST_NAMES);
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

static void write_text_field(struct writer *writer, struct rule_pos pos,
                             const char *word, struct seg_text text)
{
    if (!text.bytes)
        return;
    writer_begin_field(writer, pos, word);
    buf_json_text(writer->buf, text);
    writer_end_field(writer, pos);
}

static void write_ids(struct writer *writer, struct rule_pos pos,
                      const char *word, const struct rule_values *values)
{
    if (!values->list.bytes && !values->count)
        return;
    writer_begin_field(writer, pos, word);
    if (values->list.bytes) {
        format_values(writer->buf, values, FORMAT_LIST_NAMES);
        writer_end_field(writer, pos);
        return;
    }
    writer_values(writer, values, "()", anchor_of(pos), 0);
    writer_end_field(writer, values->items[values->count - 1].pos);
}

static void write_cond_field(struct writer *writer, struct rule_pos pos,
                             const char *word, const struct rule_cond *cond)
{
    if (!cond)
        return;
    writer_begin_field(writer, pos, word);
    writer_cond(writer, cond, anchor_of(pos), 0, INNER_INDENT);
    writer_end_field(writer, anchor_last(cond));
}

static void write_segment(struct writer *writer,
                          const struct rule_segment *segment)
{
    const struct rule_pos *pos = segment->field_pos;
    buf_str(writer->buf, "segment ");
    buf_text(writer->buf, segment->key);
    buf_str(writer->buf, " {");
    writer_end_field(writer, segment->pos);
    write_text_field(writer, pos[FIELD_TITLE], "title ", segment->title);
    write_text_field(writer, pos[FIELD_OWNER], "owner ", segment->owner);
    if (segment->tag_count) {
        writer_begin_field(writer, pos[FIELD_TAGS], "tags ");
        write_strings(writer, segment->tags, segment->tag_count);
        writer_end_field(writer, pos[FIELD_TAGS]);
    }
    write_text_field(writer, pos[FIELD_DOCS], "docs ", segment->docs);
    if (segment->shadow) {
        writer_begin_field(writer, pos[FIELD_SHADOW], "shadow");
        writer_end_field(writer, pos[FIELD_SHADOW]);
    }
    write_cond_field(writer, pos[FIELD_WHEN], "when ", segment->when);
    write_cond_field(writer, pos[FIELD_UNTIL], "until ", segment->until);
    write_ids(writer, pos[FIELD_INCLUDE], "include ", &segment->include);
    write_ids(writer, pos[FIELD_EXCLUDE], "exclude ", &segment->exclude);
    for (int i = 0; i < segment->trigger_count; i++) {
        writer_begin_field(writer, segment->triggers[i].pos, "");
        write_trigger(writer, &segment->triggers[i]);
        writer_end_field(writer, segment->triggers[i].pos);
    }
    writer_lead(writer, anchor_of(segment->end), FIELD_INDENT, 0);
    buf_char(writer->buf, '}');
    writer_end_field(writer, segment->end);
}

/* ---- lists, scores, traits, tests --------------------------------------- */

static void write_list(struct writer *writer, const struct rule_list *list)
{
    buf_str(writer->buf, "list ");
    buf_text(writer->buf, list->key);
    buf_str(writer->buf, " = ");
    writer_values(writer, &list->values, "[]", anchor_of(list->pos),
                  anchor_of(list->end));
    writer_end_field(writer, list->end);
}

static void write_score(struct writer *writer, const struct rule_score *score)
{
    struct buf *buf = writer->buf;
    buf_str(buf, "score ");
    buf_text(buf, score->key);
    buf_str(buf, " half-life ");
    duration_format(buf, score->half_life_ms);
    buf_str(buf, " {");
    writer_end_field(writer, score->pos);
    for (int i = 0; i < score->weight_count; i++) {
        const struct rule_weight *weight = &score->weights[i];
        writer_begin_field(writer, weight->pos, "");
        format_selector(buf, &weight->event, 0, FORMAT_LIST_NAMES);
        buf_char(buf, ' ');
        buf_int(buf, weight->weight);
        if (i + 1 < score->weight_count)
            buf_char(buf, ',');
        writer_end_field(writer, weight->pos);
    }
    writer_lead(writer, anchor_of(score->end), FIELD_INDENT, 0);
    buf_char(buf, '}');
    writer_end_field(writer, score->end);
}

static void write_trait(struct writer *writer, const struct rule_trait *trait)
{
    buf_str(writer->buf, "trait ");
    buf_text(writer->buf, trait->key);
    buf_str(writer->buf, " = ");
    format_measure(writer->buf, &trait->measure, FORMAT_LIST_NAMES);
    writer_end_field(writer, trait->pos);
}

/* KEY compare value */
static void write_expect_trait(struct buf *buf, const struct rule_line *line)
{
    struct rule_test test = {.op = line->op,
                             .values = {.count = 1, .items = &line->value}};
    buf_text(buf, line->name);
    buf_char(buf, ' ');
    format_test(buf, &test, FORMAT_LIST_NAMES);
}

static void write_line(struct writer *writer, const struct rule_line *line)
{
    static const char *const expects[] = {[EXPECT_IN] = "in",
                                          [EXPECT_OUT] = "out",
                                          [EXPECT_ENTER] = "enter",
                                          [EXPECT_EXIT] = "exit",
                                          [EXPECT_TRAIT] = "trait "};
    static const char *const happenings[] = {
        [LINE_EVENT] = " event",   [LINE_IDENTIFY] = " identify",
        [LINE_GROUP] = " group",   [LINE_PAGE] = " page",
        [LINE_SCREEN] = " screen",
    };
    struct buf *buf = writer->buf;
    if (line->kind == LINE_SET) {
        struct rule_property value = {.value = line->value};
        buf_str(buf, "set ");
        format_path(buf, &line->path);
        format_properties(buf, &value, 1, FORMAT_LIST_NAMES);
        return;
    }
    buf_str(buf, "at ");
    if (line->at_ms)
        duration_format(buf, line->at_ms);
    else
        buf_str(buf, "0d");
    if (line->kind == LINE_EXPECT) {
        buf_printf(buf, " expect %s", expects[line->expect]);
        if (line->expect == EXPECT_TRAIT)
            write_expect_trait(buf, line);
        return;
    }
    buf_str(buf, happenings[line->kind]);
    if (line->name.len) {
        buf_char(buf, ' ');
        buf_json_text(buf, line->name);
    }
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
    writer_end_field(writer, test->pos);
    for (int i = 0; i < test->line_count; i++) {
        writer_begin_field(writer, test->lines[i].pos, "");
        write_line(writer, &test->lines[i]);
        writer_end_field(writer, test->lines[i].pos);
    }
    writer_lead(writer, anchor_of(test->end), FIELD_INDENT, 0);
    buf_char(writer->buf, '}');
    writer_end_field(writer, test->end);
}

/* Lists that followed each other line by line still do, and so do traits. */
static int is_apart(const struct definition *before,
                    const struct definition *definition)
{
    int lines = (before->list && definition->list) ||
                (before->trait && definition->trait);
    return !lines || definition->pos.line > before->end.line + 1;
}

static void write_definition(struct writer *writer,
                             const struct definition *definition)
{
    writer_lead(writer, anchor_of(definition->pos), 0, definition->pos.line);
    if (definition->list)
        write_list(writer, definition->list);
    else if (definition->score)
        write_score(writer, definition->score);
    else if (definition->trait)
        write_trait(writer, definition->trait);
    else if (definition->segment)
        write_segment(writer, definition->segment);
    else
        write_test(writer, definition->test);
}

static void write_file(struct writer *writer, uint32_t file)
{
    size_t count;
    int first, end;
    struct definition *items =
        definitions_of(writer->anchors.rules, file, &count);
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
    writer_lead(writer, ANCHOR_END, 0, UINT32_MAX);
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
