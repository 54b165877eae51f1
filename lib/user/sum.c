/* sum.c: the sum, or the mean, of a property over the events in a window.
 *
 * All arithmetic is of decimals (lib/base/decimal.h): a value is rounded once,
 * on entry, to 1e-9; a sum depends on no order, and what leaves the window
 * leaves the sum as if it had never been there. A value that is no number, or
 * beyond 1e21, is left out and counted as a mismatch; one that is missing is
 * left out.
 *
 * Ever, the item is the sum alone, behind the number of events if a mean is
 * asked for. Of a window it is a row of cells (sum_row.h). A late event is put
 * between others, and all sums behind it change. Events of one instant stand in
 * the order of their values, so that the row is the same however they came.
 *
 * Beyond FEATURE_EXACT_MAX events the item becomes coarse: a cell for each
 * bucket of window / FEATURE_BUCKETS, which counts as if all its events were at
 * its start: they enter and leave early, by less than that. Once empty it is
 * exact again. */
#include "lib/user/sum.h"

#include <assert.h>
#include <string.h>

#include <seg/error.h>

#include "lib/user/sum_row.h"
#include "lib/user/times.h"

/* No window has more buckets: their width is window / 64, rounded down. */
_Static_assert(2 * FEATURE_BUCKETS + 1 < FEATURE_EXACT_MAX, "buckets");

/* ---- folding into a row -------------------------------------------------- */

static int64_t bucket_start(const struct feature *feature, int64_t time_ms)
{
    int64_t width = feature_bucket_ms(feature);
    return time_ms - ((time_ms % width) + width) % width;
}

/* Where CELL goes. */
static uint32_t place_of(const struct sum_row *row, const struct sum_cell *cell)
{
    uint32_t at = sum_row_after(row, cell->time_ms);
    while (!row->item.coarse && at &&
           sum_row_time(row, at - 1) == cell->time_ms &&
           sum_row_value(row, at - 1) > cell->value)
        at--;
    return at;
}

/* Whether the sums from that of the first AT cells on are wide enough for VALUE
 * more. */
static int are_wide_enough(const struct sum_row *row, uint32_t at,
                           decimal value)
{
    for (; at <= row->count; at++)
        if (sum_width(decimal_plus(sum_row_sum(row, at), value)) > row->width)
            return 0;
    return 1;
}

/* Put CELL into the row as it stands, GONE cells leaving at the front: among
 * the others at its place, or to the bucket of its time. Returns 1, 0 if the
 * row must be made anew for it, or SEG_ERR_USER_BYTES, SEG_ERR_NOMEM. */
static int put_in_place(struct store *store, struct user **user,
                        const struct feature *feature,
                        const struct sum_cell *cell, uint32_t gone,
                        struct sum_row *row)
{
    uint32_t at = place_of(row, cell);
    int there = row->item.coarse && at > gone &&
                sum_row_time(row, at - 1) == cell->time_ms;
    assert(at >= gone); /* What is folded now has not left. */
    if (gone >= row->count ||
        (!there && row->count - gone >= FEATURE_EXACT_MAX) ||
        !are_wide_enough(row, at, cell->value))
        return 0;
    sum_row_cut(store, user, feature, gone, row);
    at -= gone;
    if (!there) {
        uint32_t begin = sum_row_front(row) + at * row->stride;
        int ret = user_splice(store, user, feature->item, begin,
                              (int32_t)row->stride, &row->item);
        if (ret < 0)
            return ret;
        row->count++;
        codec_put_i64(sum_row_cell(row, at), cell->time_ms);
        sum_put_total(row, at + 1, sum_row_sum(row, at),
                      sum_row_events(row, at));
        at++;
    }
    for (; at <= row->count; at++)
        sum_put_total(row, at, decimal_plus(sum_row_sum(row, at), cell->value),
                      sum_row_events(row, at) + cell->count);
    return 1;
}

/* Put CELL among COUNT cells in its order, or if BUCKETS to that of its time;
 * returns how many there are then. */
static uint32_t put_in(struct sum_cell cells[SUM_CELLS_MAX], uint32_t count,
                       const struct sum_cell *cell, int buckets)
{
    uint32_t at = count;
    while (at && (cells[at - 1].time_ms > cell->time_ms ||
                  (cells[at - 1].time_ms == cell->time_ms && !buckets &&
                   cells[at - 1].value > cell->value)))
        at--;
    int full = count == FEATURE_EXACT_MAX; /* A record may have said so. */
    if (buckets && at && (full || cells[at - 1].time_ms == cell->time_ms)) {
        cells[at - 1].value = decimal_plus(cells[at - 1].value, cell->value);
        cells[at - 1].count += cell->count;
        return count;
    }
    assert(count < SUM_CELLS_MAX);
    memmove(&cells[at + 1], &cells[at], (count - at) * sizeof(*cells));
    cells[at] = *cell;
    return count + 1;
}

static uint32_t make_coarse(const struct feature *feature,
                            struct sum_cell *cells, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct sum_cell cell = cells[i];
        cell.time_ms = bucket_start(feature, cell.time_ms);
        kept = put_in(cells, kept, &cell, 1);
    }
    return kept;
}

/* Fold CELL, an event in the window or not yet in it, into ROW, of which GONE
 * cells have left. */
static int fold_cell(struct store *store, struct user **user,
                     const struct feature *feature, struct sum_cell *cell,
                     uint32_t gone, struct sum_row *row, int *coarse)
{
    struct sum_cell cells[SUM_CELLS_MAX];
    int was_coarse = row->item.coarse && gone < row->count;
    if (was_coarse)
        cell->time_ms = bucket_start(feature, cell->time_ms);
    int ret = put_in_place(store, user, feature, cell, gone, row);
    if (ret)
        return ret < 0 ? ret : 0;
    uint32_t count = sum_row_load(row, gone, cells);
    count = put_in(cells, count, cell, was_coarse);
    *coarse = !was_coarse && count > FEATURE_EXACT_MAX;
    if (*coarse)
        count = make_coarse(feature, cells, count);
    return sum_row_store(store, user, feature, cells, count,
                         *coarse || was_coarse, row);
}

/* The next instant at which a cell enters the window or leaves it. */
static int64_t next_change(const struct sum_row *row,
                           const struct feature *feature, int64_t now_ms)
{
    struct sum_span span = sum_row_span(row, feature, now_ms);
    int64_t next = SEG_NEVER;
    if (span.leave < row->count)
        next = sum_row_time(row, span.leave) + feature->from_ms;
    if (span.enter < row->count &&
        sum_row_time(row, span.enter) + feature->to_ms < next)
        next = sum_row_time(row, span.enter) + feature->to_ms;
    return next;
}

static int fold_window(struct store *store, struct user **user,
                       const struct feature *feature, struct sum_cell *cell,
                       int64_t now_ms, struct folded *folded)
{
    struct sum_row row;
    sum_row_find(*user, feature, &row);
    uint32_t gone = sum_row_after(&row, now_ms - feature->from_ms);
    int ret = 0;
    if (now_ms - cell->time_ms < feature->from_ms)
        ret =
            fold_cell(store, user, feature, cell, gone, &row, &folded->coarse);
    else
        sum_row_cut(store, user, feature, gone, &row);
    if (ret == 0)
        folded->next_ms = next_change(&row, feature, now_ms);
    return ret;
}

/* ---- ever ---------------------------------------------------------------- */

/* What counts at an instant. */
struct total {
    decimal sum;
    uint64_t count;
};

static uint32_t count_bytes(const struct feature *feature)
{
    return feature->kind == FEATURE_AVG ? SUM_COUNT_BYTES : 0;
}

static struct total ever_read(const struct feature *feature,
                              const struct item *item)
{
    uint32_t front = count_bytes(feature);
    struct total total = {0};
    if (!item->bytes)
        return total;
    total.sum = sum_get(item->bytes + front, item->len - front);
    total.count = front ? codec_get_u64(item->words) : 0;
    return total;
}

static int ever_write(struct store *store, struct user **user,
                      const struct feature *feature, const struct total *total,
                      struct item *item)
{
    uint32_t front = count_bytes(feature), width = sum_width(total->sum);
    int ret = user_resize(store, user, feature->item, front + width, item);
    if (ret < 0)
        return ret;
    sum_put(item->bytes + front, width, total->sum);
    if (front)
        codec_put_u64(item->words, total->count);
    return 0;
}

static int fold_ever(struct store *store, struct user **user,
                     const struct feature *feature, decimal value)
{
    struct item item = user_item(*user, feature->item);
    struct total total = ever_read(feature, &item);
    total.sum = decimal_plus(total.sum, value);
    total.count++;
    return ever_write(store, user, feature, &total, &item);
}

/* ---- both ---------------------------------------------------------------- */

static int is_ever(const struct feature *feature)
{
    return feature->from_ms == FEATURE_LIFETIME;
}

static int64_t next_sum(const struct user *user, const struct feature *feature,
                        int64_t now_ms)
{
    struct sum_row row;
    if (is_ever(feature))
        return SEG_NEVER;
    sum_row_find(user, feature, &row);
    return next_change(&row, feature, now_ms);
}

static int fold_sum(struct store *store, struct user **user,
                    const struct feature *feature, const struct fold *fold,
                    int64_t now_ms, struct folded *folded)
{
    struct sum_cell cell = {.time_ms = fold->time_ms, .count = 1};
    *folded = (struct folded){.next_ms = SEG_NEVER};
    if (!decimal_of(&fold->value, &cell.value)) {
        folded->mismatch = fold->value.type != SEG_MISSING;
        folded->next_ms = next_sum(*user, feature, now_ms);
        return 0;
    }
    return is_ever(feature)
               ? fold_ever(store, user, feature, cell.value)
               : fold_window(store, user, feature, &cell, now_ms, folded);
}

static struct total total_at(const struct user *user,
                             const struct feature *feature, int64_t now_ms)
{
    struct sum_row row;
    row.item = user_item(user, feature->item);
    if (is_ever(feature))
        return ever_read(feature, &row.item);
    sum_row_read(&row);
    if (!row.count)
        return (struct total){0};
    struct sum_span span = sum_row_span(&row, feature, now_ms);
    return (struct total){decimal_minus(sum_row_sum(&row, span.enter),
                                        sum_row_sum(&row, span.leave)),
                          sum_row_events(&row, span.enter) -
                              sum_row_events(&row, span.leave)};
}

decimal sum_units(const struct user *user, const struct feature *feature,
                  int64_t now_ms)
{
    return total_at(user, feature, now_ms).sum;
}

static int measure_sum(const struct user *user, const struct feature *feature,
                       int64_t now_ms, struct arena *arena,
                       struct seg_value *value)
{
    (void)arena;
    *value = decimal_value(total_at(user, feature, now_ms).sum);
    return 0;
}

static int measure_avg(const struct user *user, const struct feature *feature,
                       int64_t now_ms, struct arena *arena,
                       struct seg_value *value)
{
    struct total total = total_at(user, feature, now_ms);
    (void)arena;
    *value = (struct seg_value){.type = SEG_MISSING};
    if (!total.count)
        return 0;
    value->type = SEG_DOUBLE;
    value->as.number = decimal_mean(total.sum, total.count);
    return 0;
}

static void sum_events(const struct user *user, const struct feature *feature,
                       int64_t now_ms, struct feature_events *events)
{
    struct sum_row row;
    if (is_ever(feature))
        return;
    sum_row_find(user, feature, &row);
    struct sum_span span = sum_row_span(&row, feature, now_ms);
    for (uint32_t i = row.item.coarse ? 0 : span.enter; i > span.leave; i--)
        if (!feature_events_add(events, sum_row_time(&row, i - 1)))
            return;
}

/* ---- records ----------------------------------------------------------------
 *
 *   ever     n events (of a mean), sum
 *   window   u8 coarse, n cells: ms of the first, then n differences; value;
 *            coarse: n events
 *   a sum or value is a byte, how many follow, and those, the lowest first */

static void write_decimal(struct buf *buf, decimal n)
{
    uint8_t bytes[SUM_BYTES];
    uint32_t width = sum_width(n);
    sum_put(bytes, width, n);
    buf_u8(buf, (uint8_t)width);
    buf_add(buf, bytes, width);
}

static decimal read_decimal(struct reader *reader)
{
    uint32_t width = reader_u8(reader);
    struct seg_text bytes = reader_bytes(reader, width);
    if (!width || width > SUM_BYTES)
        reader->failed = 1;
    return reader_failed(reader) ? 0
                                 : sum_get((const uint8_t *)bytes.bytes, width);
}

static void write_sum(const struct user *user, const struct feature *feature,
                      const struct item *item, struct buf *buf,
                      const uint8_t places[FEATURE_TOPICS])
{
    struct sum_row row = {.item = *item};
    (void)user;
    (void)places;
    if (is_ever(feature)) {
        struct total total = ever_read(feature, item);
        if (count_bytes(feature))
            buf_varint(buf, total.count);
        write_decimal(buf, total.sum);
        return;
    }
    sum_row_read(&row);
    buf_u8(buf, (uint8_t)item->coarse);
    buf_varint(buf, row.count);
    for (uint32_t i = 0; i < row.count; i++) {
        if (i)
            buf_varint(buf, (uint64_t)(sum_row_time(&row, i) -
                                       sum_row_time(&row, i - 1)));
        else
            buf_u64(buf, (uint64_t)sum_row_time(&row, i));
        write_decimal(buf, sum_row_value(&row, i));
        if (item->coarse)
            buf_varint(buf,
                       sum_row_events(&row, i + 1) - sum_row_events(&row, i));
    }
}

/* Whether CELL may stand behind LAST, which may be NULL. */
static int is_in_order(const struct feature *feature, int coarse,
                       const struct sum_cell *last, const struct sum_cell *cell)
{
    if (coarse && bucket_start(feature, cell->time_ms) != cell->time_ms)
        return 0;
    return !last || cell->time_ms > last->time_ms ||
           (!coarse && cell->time_ms == last->time_ms &&
            cell->value >= last->value);
}

static int read_cells(const struct feature *feature, struct reader *reader,
                      int coarse, uint32_t count, struct sum_cell *cells)
{
    for (uint32_t i = 0; i < count; i++) {
        struct sum_cell *cell = &cells[i];
        uint64_t difference = i ? reader_varint(reader) : 0;
        if (difference > TIMES_MS_MAX)
            return SEG_ERR_RECORD;
        cell->time_ms = i ? cells[i - 1].time_ms + (int64_t)difference
                          : times_read_ms(reader);
        cell->value = read_decimal(reader);
        cell->count = coarse ? reader_varint(reader) : 1;
        if (reader_failed(reader) || cell->time_ms > TIMES_MS_MAX ||
            !cell->count ||
            !is_in_order(feature, coarse, i ? cell - 1 : NULL, cell))
            return SEG_ERR_RECORD;
    }
    return 0;
}

static int read_window(struct store *store, struct user **user,
                       const struct feature *feature, struct reader *reader)
{
    struct sum_cell cells[SUM_CELLS_MAX];
    struct sum_row row;
    int coarse = reader_u8(reader);
    uint64_t count = reader_varint(reader);
    if (reader_failed(reader) || coarse > 1 || !count ||
        count > FEATURE_EXACT_MAX)
        return SEG_ERR_RECORD;
    int ret = read_cells(feature, reader, coarse, (uint32_t)count, cells);
    if (ret < 0)
        return ret;
    sum_row_find(*user, feature, &row);
    return sum_row_store(store, user, feature, cells, (uint32_t)count, coarse,
                         &row);
}

static int read_sum(struct store *store, struct user **user,
                    const struct feature *feature, struct reader *reader,
                    const uint8_t topics[FEATURE_TOPICS])
{
    struct item item;
    struct total total = {0};
    (void)topics;
    if (!is_ever(feature))
        return read_window(store, user, feature, reader);
    if (count_bytes(feature))
        total.count = reader_varint(reader);
    total.sum = read_decimal(reader);
    if (reader_failed(reader) || (count_bytes(feature) && !total.count) ||
        total.count > (uint64_t)INT64_MAX)
        return SEG_ERR_RECORD;
    item = user_item(*user, feature->item);
    return ever_write(store, user, feature, &total, &item);
}

const struct feature_ops sum_ops = {.fold = fold_sum,
                                    .measure = measure_sum,
                                    .next = next_sum,
                                    .events = sum_events,
                                    .write = write_sum,
                                    .read = read_sum};
const struct feature_ops avg_ops = {.fold = fold_sum,
                                    .measure = measure_avg,
                                    .next = next_sum,
                                    .events = sum_events,
                                    .write = write_sum,
                                    .read = read_sum};
