/* sum_row.h: the row of cells of which sum.c makes the sums of a window.
 *
 * Cells stand oldest first, each with the sum of all before it; so the sum of
 * any part of the row is a difference, and one more event at its end is one
 * more cell:
 *
 *     width | sum 0 | time | sum 1 | time | sum 2 | time | sum 3
 *       1       w      8       w      8       w      8       w
 *             nothing of   the first    the second
 *             the row yet
 *
 *     events of 5 at 10:00, 7 at 10:30, -2 at 11:00:
 *     0    10:00 5    10:30 12    11:00 10       from 10:15 on: 10 - 5
 *
 * The first cells are cut off as they leave the window; what is left goes on
 * with the sums it has. Sums are as wide as the widest needs; when one needs
 * more the row is made anew from sum 0 = 0. The cells of a coarse item have the
 * number of events (8 bytes) behind each sum. */
#ifndef USER_SUM_ROW_H
#define USER_SUM_ROW_H

#include "lib/base/decimal.h"
#include "lib/user/codec.h"
#include "lib/user/feature.h"

#define SUM_BYTES       ((uint32_t)sizeof(decimal))
#define SUM_TIME_BYTES  8u
#define SUM_COUNT_BYTES 8u
#define SUM_CELLS_MAX   (FEATURE_EXACT_MAX + 1)

/* ---- numbers in bytes ---------------------------------------------------- */

/* Least bytes that hold N, at least 1. */
uint32_t sum_width(decimal n);

static inline decimal sum_get(const uint8_t *bytes, uint32_t width)
{
    decimal_bits n = bytes[width - 1] & 0x80 ? ~(decimal_bits)0 : 0;
    while (width--)
        n = n << 8 | bytes[width];
    return (decimal)n;
}

void sum_put(uint8_t *bytes, uint32_t width, decimal n);

/* ---- reading ------------------------------------------------------------- */

struct sum_cell {
    decimal value;
    int64_t time_ms;
    uint64_t count;
};

struct sum_row {
    struct item item;
    uint32_t width;  /* Bytes of a sum; */
    uint32_t stride; /* of a cell. */
    uint32_t count;  /* Cells with a time. */
};

/* Bytes in front of the first time, if there is one. */
static inline uint32_t sum_row_front(const struct sum_row *row)
{
    return 1 + row->stride - SUM_TIME_BYTES;
}

static inline void sum_row_read(struct sum_row *row)
{
    row->count = 0;
    row->width = row->stride = 0;
    if (!row->item.bytes)
        return;
    row->width = row->item.bytes[0];
    row->stride =
        SUM_TIME_BYTES + row->width + (row->item.coarse ? SUM_COUNT_BYTES : 0);
    row->count = (row->item.len - sum_row_front(row)) / row->stride;
}

static inline void sum_row_find(const struct user *user,
                                const struct feature *feature,
                                struct sum_row *row)
{
    row->item = user_item(user, feature->item);
    sum_row_read(row);
}

/* Where the time of cell I is. */
static inline word *sum_row_cell(const struct sum_row *row, uint32_t i)
{
    return (word *)(row->item.bytes + sum_row_front(row) + i * row->stride);
}

static inline int64_t sum_row_time(const struct sum_row *row, uint32_t i)
{
    return codec_get_i64(sum_row_cell(row, i));
}

/* The sum of the first N cells. */
static inline decimal sum_row_sum(const struct sum_row *row, uint32_t n)
{
    return sum_get(row->item.bytes + 1 + n * row->stride, row->width);
}

static inline decimal sum_row_value(const struct sum_row *row, uint32_t i)
{
    return decimal_minus(sum_row_sum(row, i + 1), sum_row_sum(row, i));
}

/* The number of events in the first N cells. */
static inline uint64_t sum_row_events(const struct sum_row *row, uint32_t n)
{
    const uint8_t *sum = row->item.bytes + 1 + n * row->stride;
    return row->item.coarse ? codec_get_u64((const word *)(sum + row->width))
                            : n;
}

/* The first cell later than TIME_MS. */
uint32_t sum_row_after(const struct sum_row *row, int64_t time_ms);

/* Cells [leave, enter) count at NOW_MS. */
struct sum_span {
    uint32_t leave, enter;
};

struct sum_span sum_row_span(const struct sum_row *row,
                             const struct feature *feature, int64_t now_ms);

/* Cells that the row has from number FROM on. */
uint32_t sum_row_load(const struct sum_row *row, uint32_t from,
                      struct sum_cell cells[SUM_CELLS_MAX]);

/* ---- changing ------------------------------------------------------------ */

/* Cut off the first GONE cells; cannot fail. */
void sum_row_cut(struct store *store, struct user **user,
                 const struct feature *feature, uint32_t gone,
                 struct sum_row *row);

/* Write the sum of the first N cells, of which there is one. */
void sum_put_total(struct sum_row *row, uint32_t n, decimal sum,
                   uint64_t count);

/* Make the row COUNT cells, one at least. Returns 0, SEG_ERR_USER_BYTES or
 * SEG_ERR_NOMEM. */
int sum_row_store(struct store *store, struct user **user,
                  const struct feature *feature, const struct sum_cell *cells,
                  uint32_t count, int coarse, struct sum_row *row);

#endif
