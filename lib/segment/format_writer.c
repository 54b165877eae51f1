/* format_writer.c: lines of a segment file being written, with comments. */
#include "lib/segment/format_writer.h"

void writer_indent(struct writer *writer, int columns)
{
    while (columns-- > 0)
        buf_char(writer->buf, ' ');
}

void writer_end_line(struct writer *writer, uint64_t next)
{
    const struct rule_comment *comment =
        anchor_trailing(&writer->anchors, next);
    if (comment) {
        buf_str(writer->buf, "  ");
        buf_text(writer->buf, comment->text);
    }
    buf_char(writer->buf, '\n');
}

void writer_lead(struct writer *writer, uint64_t at, int columns, uint32_t line)
{
    const struct rule_comment *comments = writer->anchors.rules->comments;
    int first, end;
    anchor_gap(&writer->anchors, at, &first, &end);
    first += anchor_trailing(&writer->anchors, at) != NULL;
    for (int i = first; i < end; i++) {
        uint32_t next = i + 1 < end ? comments[i + 1].pos.line : line;
        writer_indent(writer, columns);
        buf_text(writer->buf, comments[i].text);
        buf_char(writer->buf, '\n');
        if (line && next > comments[i].pos.line + 1 && next != UINT32_MAX)
            buf_char(writer->buf, '\n');
    }
}

void writer_break_line(struct writer *writer, uint64_t at, int columns)
{
    writer_end_line(writer, at);
    writer_lead(writer, at, columns, 0);
    writer_indent(writer, columns);
}

int writer_fits(const struct writer *writer)
{
    const struct buf *buf = writer->buf;
    size_t at = buf->len;
    int columns = 0;
    for (; at > 0 && buf->bytes[at - 1] != '\n'; at--)
        if ((buf->bytes[at - 1] & 0xc0) != 0x80 && ++columns > COLUMNS_MAX)
            return 0;
    return 1;
}

void writer_begin_field(struct writer *writer, struct rule_pos pos,
                        const char *word)
{
    writer_lead(writer, anchor_of(pos), FIELD_INDENT, 0);
    writer_indent(writer, FIELD_INDENT);
    buf_str(writer->buf, word);
}

void writer_end_field(struct writer *writer, struct rule_pos last)
{
    writer_end_line(writer, anchor_after(&writer->anchors, anchor_of(last)));
}
