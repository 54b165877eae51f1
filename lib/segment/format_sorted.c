/* format_sorted.c: what means the same in any order, in one order.
 *
 * `in (1, 2)` and `in (2, 1)` are one test, `include ("a", "b")` and `include
 * ("b", "a")` the same users. */
#include "lib/segment/format_sorted.h"

#include <stdlib.h>
#include <string.h>

static int by_bytes(const void *a, const void *b)
{
    const struct seg_text *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->bytes, y->bytes, len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Write the PIECES of TEXT, which lie one behind the other, in their order. */
static void write_pieces(struct buf *buf, const char *text,
                         struct seg_text *pieces, int count,
                         const char *between)
{
    const char *at = text;
    for (int i = 0; i < count; i++) {
        pieces[i].bytes = at;
        at += pieces[i].len;
    }
    qsort(pieces, (size_t)count, sizeof(*pieces), by_bytes);
    for (int i = 0; i < count; i++) {
        if (i && !by_bytes(&pieces[i], &pieces[i - 1]))
            continue;
        if (i)
            buf_str(buf, between);
        buf_text(buf, pieces[i]);
    }
}

void format_sorted(struct buf *buf, int count, const char *between,
                   format_piece *piece, const void *of)
{
    struct buf text;
    struct seg_text *pieces = calloc((size_t)count + 1, sizeof(*pieces));
    buf_init(&text);
    for (int i = 0; pieces && i < count; i++) {
        size_t from = text.len;
        piece(&text, of, i);
        pieces[i].len = text.len - from;
    }
    if (!pieces || buf_failed(&text))
        buf->failed = 1;
    else
        write_pieces(buf, text.bytes, pieces, count, between);
    buf_done(&text);
    free(pieces);
}
