/* extreme.c: the least, or the greatest, value of a property in a window.
 *
 * Values are kept as they came, integers and doubles, and compare exactly; a
 * double that is whole and fits 64 bits is kept as the integer it is equal to.
 * So the item does not depend on the order of events. A value that is no number
 * is left out and counted as a mismatch; one that is missing is left out.
 *
 * Ever, the item is one value (codec.h). Of a window it is a row of cells of
 * 16 bytes, oldest first: four times the time, plus 1 if the number is a double,
 * plus 2 if it is a *step*; and the number. Once an event is in the window it is
 * of no use after another, not older, that is at least as extreme; what is left
 * is a staircase:
 *
 *     max    9 |*                     the measure is its first step; each step
 *            7 |    .   *             holds until it leaves the window
 *            4 |  .   .    *
 *            1 |              *       . are gone for good
 *              +--+-+-+-+--+--+---> t
 *
 * Where a window ends in the past events wait behind the staircase until they
 * come in, of one instant the most extreme; each fold takes those that have
 * come in since the one before up into the staircase. To ask at another instant
 * is to look at the first step and at those that have come in since.
 *
 * When more than FEATURE_EXACT_MAX cells would be there the item becomes coarse:
 * one cell, the most extreme, for each bucket of window / FEATURE_BUCKETS, as if
 * it were at the bucket's start; so it enters and leaves early, by less than
 * that. Once empty it is exact again. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include <seg/error.h>

#include "lib/event/value.h"
#include "lib/user/codec.h"
#include "lib/user/feature.h"
#include "lib/user/times.h"

#define CELL_WORDS 4u
#define CELL_BYTES (CELL_WORDS * WORD_BYTES)
#define TWO_63     9223372036854775808.0
#define IS_DOUBLE  1
#define IS_STEP    2
#define TIME_SHIFT 2
#define WALK_MAX   8 /* Cells that next looks at; then it is a lower bound. */

struct cell {
    int64_t time_ms;
    struct seg_value value;
};

/* What is the same for all that is done in one fold. */
struct change {
    struct store *store;
    struct user **user;
    const struct feature *feature;
    struct item item;
};

/* ---- values -------------------------------------------------------------- */

/* VALUE as it is kept; returns 0 if it is no number. */
static int to_number(struct seg_value *value)
{
    double number = value->as.number;
    if (value->type != SEG_DOUBLE)
        return value->type == SEG_INT;
    if (number >= -TWO_63 && number < TWO_63 && number == floor(number)) {
        value->type = SEG_INT;
        value->as.integer = (int64_t)number;
    }
    return isfinite(number) != 0;
}

static int order_of(const struct seg_value *a, const struct seg_value *b)
{
    int order = 0;
    value_compare(a, b, &order);
    return order;
}

/* Above 0 if A is more extreme than B, below 0 if less. */
static int extremer(const struct feature *feature, const struct seg_value *a,
                    const struct seg_value *b)
{
    return feature->kind == FEATURE_MIN ? order_of(b, a) : order_of(a, b);
}

/* ---- the row ------------------------------------------------------------- */

static uint32_t row_count(const struct item *item)
{
    return item->bytes ? item->len / CELL_BYTES : 0;
}

static int64_t row_time(const struct item *item, uint32_t i)
{
    return codec_get_i64(item->words + i * CELL_WORDS) >> TIME_SHIFT;
}

static int row_is_step(const struct item *item, uint32_t i)
{
    return (codec_get_i64(item->words + i * CELL_WORDS) & IS_STEP) != 0;
}

static struct seg_value row_value(const struct item *item, uint32_t i)
{
    const word *words = item->words + i * CELL_WORDS;
    struct seg_value value = {
        .type = codec_get_i64(words) & IS_DOUBLE ? SEG_DOUBLE : SEG_INT};
    memcpy(&value.as, words + 2, sizeof(int64_t));
    return value;
}

static void put_cell(struct item *item, uint32_t i, const struct cell *cell)
{
    word *words = item->words + i * CELL_WORDS;
    codec_put_i64(words, cell->time_ms * (1 << TIME_SHIFT) +
                             (cell->value.type == SEG_DOUBLE ? IS_DOUBLE : 0));
    memcpy(words + 2, &cell->value.as, sizeof(int64_t));
}

/* The first cell later than TIME_MS. */
static uint32_t row_after(const struct item *item, int64_t time_ms)
{
    uint32_t low = 0, high = row_count(item);
    if (!high || row_time(item, 0) > time_ms)
        return 0;
    if (row_time(item, high - 1) <= time_ms)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (row_time(item, middle) > time_ms)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Put CELL in the place of COUNT cells from number AT on; only if there are
 * none may it fail. */
static int replace(struct change *to, uint32_t at, uint32_t count,
                   const struct cell *cell)
{
    uint32_t begin = at * CELL_BYTES;
    int32_t len = (int32_t)CELL_BYTES * (1 - (int32_t)count);
    int ret = user_splice(to->store, to->user, to->feature->item, begin, len,
                          &to->item);
    if (ret == 0)
        put_cell(&to->item, at, cell);
    return ret;
}

static void cut(struct change *to, uint32_t at, uint32_t count)
{
    user_splice(to->store, to->user, to->feature->item, at * CELL_BYTES,
                -(int32_t)(count * CELL_BYTES), &to->item);
}

/* ---- folding into a row -------------------------------------------------- */

static int64_t bucket_start(const struct feature *feature, int64_t time_ms)
{
    int64_t width = feature_bucket_ms(feature);
    return time_ms - ((time_ms % width) + width) % width;
}

/* CELL becomes number I. */
static void put_step(struct item *item, uint32_t i, const struct cell *cell)
{
    put_cell(item, i, cell);
    item->words[i * CELL_WORDS] |= IS_STEP;
}

/* How many of the first COUNT cells, a staircase, are more extreme than VALUE.
 */
static uint32_t steps_above(const struct change *to, uint32_t count,
                            const struct seg_value *value)
{
    while (count) {
        struct seg_value other = row_value(&to->item, count - 1);
        if (extremer(to->feature, &other, value) > 0)
            break;
        count--;
    }
    return count;
}

/* Take those of the first END cells that are no steps up into the staircase:
 * each goes back to where it is a step. Returns how many steps there are. */
static uint32_t make_steps(struct change *to, uint32_t end)
{
    uint32_t first = end;
    while (first && !row_is_step(&to->item, first - 1))
        first--;
    uint32_t steps = first;
    for (uint32_t i = first; i < end; i++) {
        const struct cell cell = {row_time(&to->item, i),
                                  row_value(&to->item, i)};
        steps = steps_above(to, steps, &cell.value);
        put_step(&to->item, steps++, &cell);
    }
    cut(to, steps, end - steps);
    return steps;
}

/* CELL, which is in the window, among the first STEPS. */
static int add_step(struct change *to, const struct cell *cell, uint32_t steps)
{
    uint32_t at = row_after(&to->item, cell->time_ms - 1), begin;
    if (at < steps) {
        struct seg_value other = row_value(&to->item, at);
        if (extremer(to->feature, &other, &cell->value) >= 0)
            return 0;
    }
    begin = steps_above(to, at, &cell->value);
    at += at < steps && row_time(&to->item, at) == cell->time_ms;
    int ret = replace(to, begin, at - begin, cell);
    if (ret == 0)
        put_step(&to->item, begin, cell);
    return ret;
}

/* CELL, which is to wait: of those of one instant the most extreme. */
static int add_waiting(struct change *to, const struct cell *cell)
{
    uint32_t at = row_after(&to->item, cell->time_ms);
    if (!at || row_time(&to->item, at - 1) != cell->time_ms)
        return replace(to, at, 0, cell);
    struct seg_value other = row_value(&to->item, at - 1);
    return extremer(to->feature, &other, &cell->value) >= 0
               ? 0
               : replace(to, at - 1, 1, cell);
}

/* Where a window ends now nothing waits, whatever NOW_MS is: a restore folds at
 * the clock of what it reads again, and a record may be ahead of that. */
static int add_cell(struct change *to, const struct cell *cell, int64_t now_ms)
{
    int64_t in_ms =
        to->feature->to_ms ? now_ms - to->feature->to_ms : INT64_MAX;
    uint32_t steps = make_steps(to, row_after(&to->item, in_ms));
    return cell->time_ms <= in_ms ? add_step(to, cell, steps)
                                  : add_waiting(to, cell);
}

/* Put the cells of a row that is too long into buckets. */
static int make_coarse(struct change *to)
{
    uint32_t count = row_count(&to->item), kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct cell cell = {bucket_start(to->feature, row_time(&to->item, i)),
                            row_value(&to->item, i)};
        while (kept && row_time(&to->item, kept - 1) == cell.time_ms) {
            struct seg_value other = row_value(&to->item, kept - 1);
            if (extremer(to->feature, &other, &cell.value) > 0)
                cell.value = other;
            kept--;
        }
        put_cell(&to->item, kept++, &cell);
    }
    cut(to, kept, count - kept);
    return user_set_coarse(to->store, to->user, &to->item, 1);
}

static int fold_cell(struct change *to, struct cell *cell, int64_t now_ms,
                     int *coarse)
{
    int was_coarse = to->item.coarse;
    if (was_coarse)
        cell->time_ms = bucket_start(to->feature, cell->time_ms);
    int ret = add_cell(to, cell, now_ms);
    if (ret < 0 || was_coarse || row_count(&to->item) <= FEATURE_EXACT_MAX)
        return ret;
    *coarse = 1;
    return make_coarse(to);
}

/* ---- what is in sight ---------------------------------------------------- */

/* Cells [leave, enter) are in the window. */
struct span {
    uint32_t leave, enter;
};

static struct span span_at(const struct item *item,
                           const struct feature *feature, int64_t now_ms)
{
    return (struct span){row_after(item, now_ms - feature->from_ms),
                         feature->to_ms
                             ? row_after(item, now_ms - feature->to_ms)
                             : row_count(item)};
}

/* The first cell that is no step. */
static uint32_t first_waiting(const struct item *item)
{
    uint32_t low = 0, high = row_count(item);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (row_is_step(item, middle))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The newest of the most extreme cells of SPAN, which is not empty: its first
 * step, or one that came in since the staircase was made. */
static uint32_t find_extreme(const struct item *item,
                             const struct feature *feature, struct span span)
{
    uint32_t found = span.leave, i = first_waiting(item);
    struct seg_value best = row_value(item, found), other;
    for (i = i > found ? i : found + 1; i < span.enter; i++) {
        other = row_value(item, i);
        if (extremer(feature, &other, &best) >= 0) {
            best = other;
            found = i;
        }
    }
    return found;
}

/* The next instant at which the extreme may leave the window, or something more
 * extreme, or after an empty window anything, enters it; or a lower bound. */
static int64_t next_change(const struct item *item,
                           const struct feature *feature, int64_t now_ms)
{
    struct span span = span_at(item, feature, now_ms);
    int64_t next = SEG_NEVER;
    struct seg_value best = {.type = SEG_MISSING};
    if (span.leave < span.enter) {
        uint32_t found = find_extreme(item, feature, span);
        best = row_value(item, found);
        next = row_time(item, found) + feature->from_ms;
    }
    for (uint32_t i = span.enter; i < row_count(item); i++) {
        struct seg_value other = row_value(item, i);
        int64_t enters_ms = row_time(item, i) + feature->to_ms;
        if (enters_ms >= next)
            break;
        if (best.type == SEG_MISSING || i == span.enter + WALK_MAX ||
            extremer(feature, &other, &best) > 0)
            return enters_ms;
    }
    return next;
}

static int fold_window(struct change *to, struct cell *cell, int64_t now_ms,
                       struct folded *folded)
{
    int64_t begin_ms = now_ms - to->feature->from_ms;
    int ret = 0;
    cut(to, 0, row_after(&to->item, begin_ms));
    if (cell->time_ms > begin_ms)
        ret = fold_cell(to, cell, now_ms, &folded->coarse);
    if (ret == 0)
        folded->next_ms = next_change(&to->item, to->feature, now_ms);
    return ret;
}

/* ---- ever, and both ------------------------------------------------------ */

static int is_ever(const struct feature *feature)
{
    return feature->from_ms == FEATURE_LIFETIME;
}

static int write_ever(struct change *to, const struct seg_value *value)
{
    int ret = user_resize(to->store, to->user, to->feature->item,
                          codec_words(value) * WORD_BYTES, &to->item);
    if (ret == 0)
        codec_put(to->item.words, value);
    return ret;
}

static int fold_ever(struct change *to, const struct seg_value *value)
{
    struct seg_value known;
    if (to->item.bytes) {
        codec_get(to->item.words, NULL, &known);
        if (extremer(to->feature, &known, value) >= 0)
            return 0;
    }
    return write_ever(to, value);
}

static int64_t next_extreme(const struct user *user,
                            const struct feature *feature, int64_t now_ms)
{
    struct item item;
    if (is_ever(feature))
        return SEG_NEVER;
    item = user_item(user, feature->item);
    return next_change(&item, feature, now_ms);
}

static int fold_extreme(struct store *store, struct user **user,
                        const struct feature *feature, const struct fold *fold,
                        int64_t now_ms, struct folded *folded)
{
    struct change to = {store, user, feature, user_item(*user, feature->item)};
    struct cell cell = {fold->time_ms, fold->value};
    *folded = (struct folded){.next_ms = SEG_NEVER};
    if (!to_number(&cell.value)) {
        folded->mismatch = fold->value.type != SEG_MISSING;
        folded->next_ms = next_extreme(*user, feature, now_ms);
        return 0;
    }
    return is_ever(feature) ? fold_ever(&to, &cell.value)
                            : fold_window(&to, &cell, now_ms, folded);
}

static int measure_extreme(const struct user *user,
                           const struct feature *feature, int64_t now_ms,
                           struct arena *arena, struct seg_value *value)
{
    struct item item = user_item(user, feature->item);
    *value = (struct seg_value){.type = SEG_MISSING};
    if (!item.bytes)
        return 0;
    if (is_ever(feature))
        return codec_get(item.words, arena, value);
    struct span span = span_at(&item, feature, now_ms);
    if (span.leave < span.enter)
        *value = row_value(&item, find_extreme(&item, feature, span));
    return 0;
}

static void extreme_events(const struct user *user,
                           const struct feature *feature, int64_t now_ms,
                           struct feature_events *events)
{
    struct item item = user_item(user, feature->item);
    if (!item.bytes || item.coarse || is_ever(feature))
        return;
    struct span span = span_at(&item, feature, now_ms);
    if (span.leave < span.enter)
        feature_events_add(events,
                           row_time(&item, find_extreme(&item, feature, span)));
}

/* ---- records ----------------------------------------------------------------
 *
 *   ever     number
 *   window   u8 coarse, n cells: ms of the first, then n differences; number
 *   a number is u8 1 if it is a double, 8 bytes */

static void write_number(struct buf *buf, const struct seg_value *value)
{
    int64_t bits;
    memcpy(&bits, &value->as, sizeof(bits));
    buf_u8(buf, value->type == SEG_DOUBLE);
    buf_u64(buf, (uint64_t)bits);
}

/* A number as it is kept; READER fails if it is another one. */
static struct seg_value read_number(struct reader *reader)
{
    int type = reader_u8(reader);
    uint64_t bits = reader_u64(reader);
    struct seg_value value = {.type = type ? SEG_DOUBLE : SEG_INT}, kept;
    memcpy(&value.as, &bits, sizeof(bits));
    kept = value;
    if (type > 1 || !to_number(&kept) || kept.type != value.type)
        reader->failed = 1;
    return value;
}

static void write_extreme(const struct user *user,
                          const struct feature *feature,
                          const struct item *item, struct buf *buf,
                          const uint8_t places[FEATURE_TOPICS])
{
    struct seg_value value;
    (void)user;
    (void)places;
    if (is_ever(feature)) {
        codec_get(item->words, NULL, &value);
        write_number(buf, &value);
        return;
    }
    buf_u8(buf, (uint8_t)item->coarse);
    buf_varint(buf, row_count(item));
    for (uint32_t i = 0; i < row_count(item); i++) {
        if (i)
            buf_varint(buf,
                       (uint64_t)(row_time(item, i) - row_time(item, i - 1)));
        else
            buf_u64(buf, (uint64_t)row_time(item, i));
        value = row_value(item, i);
        write_number(buf, &value);
    }
}

/* Whether CELL may be the next of TO. */
static int is_in_order(const struct change *to, int coarse,
                       const struct cell *cell)
{
    const struct feature *feature = to->feature;
    uint32_t count = row_count(&to->item);
    if (coarse && bucket_start(feature, cell->time_ms) != cell->time_ms)
        return 0;
    if (!count)
        return 1;
    struct seg_value last = row_value(&to->item, count - 1);
    int later = cell->time_ms > row_time(&to->item, count - 1);
    if (!feature->to_ms)
        return later && extremer(feature, &last, &cell->value) > 0;
    return later || (!coarse && order_of(&last, &cell->value) <= 0);
}

static int read_cells(struct change *to, struct reader *reader, int coarse,
                      uint64_t count)
{
    struct cell cell = {0};
    for (uint64_t i = 0; i < count; i++) {
        uint64_t difference = i ? reader_varint(reader) : 0;
        if (difference > TIMES_MS_MAX)
            return SEG_ERR_RECORD;
        cell.time_ms =
            i ? cell.time_ms + (int64_t)difference : times_read_ms(reader);
        cell.value = read_number(reader);
        if (reader_failed(reader) || cell.time_ms > TIMES_MS_MAX ||
            !is_in_order(to, coarse, &cell))
            return SEG_ERR_RECORD;
        int ret = replace(to, (uint32_t)i, 0, &cell);
        if (ret < 0)
            return ret;
    }
    return user_set_coarse(to->store, to->user, &to->item, coarse);
}

static int read_extreme(struct store *store, struct user **user,
                        const struct feature *feature, struct reader *reader,
                        const uint8_t topics[FEATURE_TOPICS])
{
    struct change to = {store, user, feature, user_item(*user, feature->item)};
    (void)topics;
    if (is_ever(feature)) {
        struct seg_value value = read_number(reader);
        return reader_failed(reader) ? SEG_ERR_RECORD : write_ever(&to, &value);
    }
    int coarse = reader_u8(reader);
    uint64_t count = reader_varint(reader);
    if (reader_failed(reader) || coarse > 1 || !count ||
        count > FEATURE_EXACT_MAX)
        return SEG_ERR_RECORD;
    return read_cells(&to, reader, coarse, count);
}

const struct feature_ops min_ops = {.fold = fold_extreme,
                                    .measure = measure_extreme,
                                    .next = next_extreme,
                                    .events = extreme_events,
                                    .write = write_extreme,
                                    .read = read_extreme};
const struct feature_ops max_ops = {.fold = fold_extreme,
                                    .measure = measure_extreme,
                                    .next = next_extreme,
                                    .events = extreme_events,
                                    .write = write_extreme,
                                    .read = read_extreme};
