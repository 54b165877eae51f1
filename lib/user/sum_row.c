/* sum_row.c: the row of cells of which sum.c makes the sums of a window. */
#include "lib/user/sum_row.h"

#include "lib/user/times.h"

uint32_t sum_width(decimal n)
{
    decimal_bits bits = n < 0 ? ~(decimal_bits)n : (decimal_bits)n;
    uint64_t high = (uint64_t)(bits >> 63); /* The sign has a bit as well. */
    return high ? 8 + times_width(high) : times_width((uint64_t)bits << 1);
}

void sum_put(uint8_t *bytes, uint32_t width, decimal n)
{
    for (uint32_t i = 0; i < width; i++, n >>= 8)
        bytes[i] = (uint8_t)n;
}

uint32_t sum_row_after(const struct sum_row *row, int64_t time_ms)
{
    uint32_t low = 0, high = row->count;
    if (!high || sum_row_time(row, 0) > time_ms)
        return 0;
    if (sum_row_time(row, high - 1) <= time_ms)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sum_row_time(row, middle) > time_ms)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct sum_span sum_row_span(const struct sum_row *row,
                             const struct feature *feature, int64_t now_ms)
{
    return (struct sum_span){sum_row_after(row, now_ms - feature->from_ms),
                             feature->to_ms
                                 ? sum_row_after(row, now_ms - feature->to_ms)
                                 : row->count};
}

void sum_row_cut(struct store *store, struct user **user,
                 const struct feature *feature, uint32_t gone,
                 struct sum_row *row)
{
    int32_t len = (int32_t)(gone * row->stride);
    if (!gone)
        return;
    if (gone == row->count)
        user_resize(store, user, feature->item, 0, &row->item);
    else
        user_splice(store, user, feature->item, 1, -len, &row->item);
    sum_row_read(row);
}

uint32_t sum_row_load(const struct sum_row *row, uint32_t from,
                      struct sum_cell cells[SUM_CELLS_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = from; i < row->count; i++)
        cells[count++] = (struct sum_cell){
            sum_row_value(row, i), sum_row_time(row, i),
            sum_row_events(row, i + 1) - sum_row_events(row, i)};
    return count;
}

void sum_put_total(struct sum_row *row, uint32_t n, decimal sum, uint64_t count)
{
    uint8_t *bytes = row->item.bytes + 1 + n * row->stride;
    sum_put(bytes, row->width, sum);
    if (row->item.coarse)
        codec_put_u64((word *)(bytes + row->width), count);
}

int sum_row_store(struct store *store, struct user **user,
                  const struct feature *feature, const struct sum_cell *cells,
                  uint32_t count, int coarse, struct sum_row *row)
{
    decimal sum = 0;
    uint32_t width = 1;
    for (uint32_t i = 0; i < count; i++) {
        sum = decimal_plus(sum, cells[i].value);
        uint32_t need = sum_width(sum);
        width = need > width ? need : width;
    }
    uint32_t more = width + (coarse ? SUM_COUNT_BYTES : 0);
    int ret =
        user_resize(store, user, feature->item,
                    1 + more + count * (SUM_TIME_BYTES + more), &row->item);
    if (ret == 0)
        ret = user_set_coarse(store, user, &row->item, coarse);
    if (ret < 0)
        return ret;
    row->item.bytes[0] = (uint8_t)width;
    sum_row_read(row);
    sum_put_total(row, 0, 0, 0);
    for (uint32_t i = 0; i < count; i++) {
        codec_put_i64(sum_row_cell(row, i), cells[i].time_ms);
        sum_put_total(row, i + 1,
                      decimal_plus(sum_row_sum(row, i), cells[i].value),
                      sum_row_events(row, i) + cells[i].count);
    }
    return 0;
}
