/* format_writer.h: the lines of a segment file being written, each with the
 * comments that belong to it. */
#ifndef SEGMENT_FORMAT_WRITER_H
#define SEGMENT_FORMAT_WRITER_H

#include "lib/base/buf.h"
#include "lib/segment/format_anchor.h"

#define COLUMNS_MAX  80
#define FIELD_INDENT 2
#define INNER_INDENT 4

struct writer {
    struct buf *buf;
    struct anchors anchors;
};

/* COLUMNS spaces. */
void writer_indent(struct writer *writer, int columns);

/* End the line, the last one before the anchor NEXT, with its comment. */
void writer_end_line(struct writer *writer, uint64_t next);

/* The comments that stand before the anchor AT on lines of their own. With
 * LINE, that of AT, empty lines around comments are kept, as one. */
void writer_lead(struct writer *writer, uint64_t at, int columns,
                 uint32_t line);

/* Go on in a new line with the anchor AT. */
void writer_break_line(struct writer *writer, uint64_t at, int columns);

/* Whether the line being written is short enough. */
int writer_fits(const struct writer *writer);

/* Begin a line of a definition with WORD, which stood at POS. */
void writer_begin_field(struct writer *writer, struct rule_pos pos,
                        const char *word);

/* End it; LAST is the place of its last anchor. */
void writer_end_field(struct writer *writer, struct rule_pos last);

/* format_lines.c: what may need several lines. A condition that begins behind
 * the anchor FROM; values that begin behind it between MARKS, END being the
 * anchor before the second one in a list, 0 in a field of a segment. */
void writer_cond(struct writer *writer, const struct rule_cond *cond,
                 uint64_t from, int brackets, int columns);
void writer_values(struct writer *writer, const struct rule_values *values,
                   const char *marks, uint64_t from, uint64_t end);

#endif
