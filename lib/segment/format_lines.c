/* format_lines.c: conditions and lists that need several lines. */
#include <string.h>

#include "lib/segment/format.h"
#include "lib/segment/format_writer.h"

/* ---- conditions ------------------------------------------------------ */

static void write_children(struct writer *writer, const struct rule_cond *cond,
                           uint64_t from, int columns);

/* The steps of COND on lines of their own, what follows them with the last. */
static void write_steps(struct writer *writer, const struct rule_cond *cond,
                        int columns)
{
    const struct rule_sequence *sequence = cond->sequence;
    format_sequence_start(writer->buf, cond, FORMAT_LIST_NAMES);
    for (int i = 0; i < sequence->step_count; i++) {
        writer_break_line(writer, anchor_of(sequence->steps[i].pos), columns);
        format_step(writer->buf, &sequence->steps[i], FORMAT_LIST_NAMES);
    }
    size_t mark = writer->buf->len;
    format_sequence_end(writer->buf, sequence, FORMAT_LIST_NAMES);
    if (writer->buf->len == mark || writer->buf->failed || writer_fits(writer))
        return;
    writer->buf->len = mark;
    buf_char(writer->buf, '\n');
    writer_indent(writer, columns - 1);
    format_sequence_end(writer->buf, sequence, FORMAT_LIST_NAMES);
}

void writer_cond(struct writer *writer, const struct rule_cond *cond,
                 uint64_t from, int brackets, int columns)
{
    int breaks = cond->count > 0 || cond->kind == COND_SEQUENCE;
    struct buf *buf = writer->buf;
    size_t mark = buf->len;
    if (brackets)
        buf_char(buf, '(');
    if (!anchor_comments(&writer->anchors, from,
                         anchor_of(anchor_last(cond)))) {
        format_cond(buf, cond, FORMAT_LIST_NAMES);
        if (brackets)
            buf_char(buf, ')');
        if (!breaks || buf->failed || writer_fits(writer))
            return;
        buf->len = mark + (size_t)brackets;
    } else if (!breaks) {
        format_cond(buf, cond, FORMAT_LIST_NAMES);
    }
    write_children(writer, cond, from, columns);
    if (brackets)
        buf_char(buf, ')');
}

static void write_children(struct writer *writer, const struct rule_cond *cond,
                           uint64_t from, int columns)
{
    if (cond->kind == COND_SEQUENCE)
        write_steps(writer, cond, columns);
    if (cond->kind == COND_NOT)
        buf_str(writer->buf, "not ");
    for (int i = 0; i < cond->count; i++) {
        const struct rule_cond *child = cond->children[i];
        if (i) {
            from = anchor_of(child->pos);
            writer_break_line(writer, from, columns);
            buf_str(writer->buf, cond->kind == COND_AND ? "and " : "or ");
        }
        writer_cond(writer, child, from,
                    format_needs_brackets(cond->kind, child, FORMAT_LIST_NAMES),
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
            if (writer_fits(writer))
                continue;
            writer->buf->len = mark;
        }
        writer_break_line(writer, anchor_of(values->items[i].pos), columns);
        write_one_value(writer, values, i);
    }
}

void writer_values(struct writer *writer, const struct rule_values *values,
                   const char *marks, uint64_t from, uint64_t end)
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
        if (buf->failed || writer_fits(writer))
            return;
        buf->len = mark + 1;
    }
    write_broken(writer, values, anchor_comments(&writer->anchors, from, last),
                 columns + FIELD_INDENT);
    if (end) {
        writer_end_line(writer, end);
        writer_lead(writer, end, columns + FIELD_INDENT, 0);
    } else {
        buf_char(buf, '\n');
    }
    writer_indent(writer, columns);
    buf_char(buf, marks[1]);
}
