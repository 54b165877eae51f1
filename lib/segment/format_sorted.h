/* format_sorted.h: what means the same in any order, in one order. */
#ifndef SEGMENT_FORMAT_SORTED_H
#define SEGMENT_FORMAT_SORTED_H

#include "lib/base/buf.h"

/* Append piece I of what OF is. */
typedef void format_piece(struct buf *buf, const void *of, int i);

/* Append COUNT pieces in the order of their bytes, each once, BETWEEN between
 * them. */
void format_sorted(struct buf *buf, int count, const char *between,
                   format_piece *piece, const void *of);

#endif
