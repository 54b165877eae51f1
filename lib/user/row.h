/* row.h: the item of a WINDOW or a HABIT: its events by time, exact (times.h) or
 * coarse: buckets of three words, start and number of events. */
#ifndef USER_ROW_H
#define USER_ROW_H

#include "lib/user/codec.h"
#include "lib/user/feature.h"
#include "lib/user/times.h"

/* An item, exact or coarse, as a row of (time, weight). */
struct row {
    struct item item;
    uint32_t count;
    struct times times; /* Exact. */
};

static inline void row_read(const struct user *user, struct row *row)
{
    if (row->item.coarse) {
        row->count = row->item.len / BUCKET_BYTES;
        return;
    }
    times_read(user, &row->item, &row->times);
    row->count = row->times.count;
}

static inline void row_find(const struct user *user,
                            const struct feature *feature, struct row *row)
{
    row->item = user_item(user, feature->item);
    row_read(user, row);
}

static inline int64_t row_time(const struct row *row, uint32_t i)
{
    return row->item.coarse ? codec_get_i64(row->item.words + i * BUCKET_WORDS)
                            : times_at(&row->times, i);
}

static inline uint32_t row_weight(const struct row *row, uint32_t i)
{
    return row->item.coarse ? row->item.words[i * BUCKET_WORDS + 2] : 1;
}

/* The first of entries LOW to below HIGH that is later than TIME_MS; HIGH if none
 * is. */
static inline uint32_t row_search(const struct row *row, int64_t time_ms,
                                  uint32_t low, uint32_t high)
{
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (row_time(row, middle) > time_ms)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* How many events entries FROM to below TO are. */
static inline uint64_t row_sum(const struct row *row, uint32_t from,
                               uint32_t to)
{
    uint64_t sum = 0;
    if (!row->item.coarse)
        return to > from ? to - from : 0;
    for (uint32_t i = from; i < to; i++)
        sum += row_weight(row, i);
    return sum;
}

/* Drop the first GONE entries. */
static inline int row_cut(struct store *store, struct user **user,
                          const struct feature *feature, struct row *row,
                          uint32_t gone)
{
    int ret = row->item.coarse
                  ? user_splice(store, user, feature->item, 0,
                                -(int32_t)(gone * BUCKET_BYTES), &row->item)
                  : times_cut(store, user, feature->item, gone, &row->item,
                              &row->times);
    row_read(*user, row);
    return ret;
}

#endif
