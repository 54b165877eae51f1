/* days.c: on how many dates (UTC) there were events.
 *
 * Of a window the item is a row of times (times.h), of which each date has as
 * few as it takes; h = now - from is where the window begins, and what is not
 * later has left for good:
 *
 *            h                      now - to      now
 *   . . . . .(- - - - - - - - - - - - - -]- - - - -|
 *         ^                          ^
 *         a date is in sight until   and from where its oldest event
 *         its newest one has left    comes in
 *
 *   NEWEST  the window ends now: of each date its newest event
 *   BOTH    it ends in the past and lasts a day or more, so that its two ends
 *           never lie in one date: of each date its oldest and its newest
 *           event, always two times, which may be equal. Of a date in which h
 *           lies the oldest does not matter any more: it is the newest again
 *   ALL     it ends in the past and is shorter: all events, up to
 *           FEATURE_EXACT_MAX times. Beyond, the item is coarse: an event
 *           counts as if it were at the start of its bucket of window / 64, or
 *           of its date if that is later, until the item is empty. So it comes
 *           in and leaves early by less than a bucket
 *
 * NEWEST and BOTH are exact however many events there are. Of a lifetime (with
 * dates of calendar or without) the item is the set of all dates, exact for
 * ever: how many they are, then blocks of 32 dates in order:
 *
 *   number     | block      dates      | block ...     4 bytes each
 *              | date / 32  bit i: date 32 * block + i
 */
#include <seg/error.h>

#include "lib/base/instant.h"
#include "lib/user/feature.h"
#include "lib/user/times.h"

#define BLOCK_BITS  5
#define BLOCK_BYTES 8
#define HEAD_BYTES  4

/* Steps that next looks ahead; what it finds then is a lower bound. */
#define STEPS_MAX 4
#define JUMPS_MAX 4

/* Times lie within some million years of 1970; should they not, the outermost
 * dates are one. */
static int32_t day_of(int64_t time_ms)
{
    int64_t day = time_ms / DAY_MS - (time_ms % DAY_MS < 0);
    return day < INT32_MIN   ? INT32_MIN
           : day > INT32_MAX ? INT32_MAX
                             : (int32_t)day;
}

/* ---- a lifetime ---------------------------------------------------------- */

static int32_t block_at(const struct item *item, uint32_t i)
{
    return (int32_t)item->words[1 + 2 * i];
}

static uint32_t block_count(const struct item *item)
{
    return item->bytes ? (item->len - HEAD_BYTES) / BLOCK_BYTES : 0;
}

/* The first block from BLOCK on. */
static uint32_t find_block(const struct item *item, int32_t block)
{
    uint32_t low = 0, high = block_count(item);
    if (!high || block_at(item, high - 1) < block)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (block_at(item, middle) >= block)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static int insert_block(struct store *store, struct user **user, uint32_t id,
                        uint32_t i, int32_t block, struct item *item)
{
    int ret = 0;
    if (!item->bytes) {
        ret = user_resize(store, user, id, HEAD_BYTES, item);
        if (ret == 0)
            item->words[0] = 0;
    }
    if (ret == 0)
        ret = user_splice(store, user, id, HEAD_BYTES + i * BLOCK_BYTES,
                          BLOCK_BYTES, item);
    if (ret < 0)
        return ret;
    item->words[1 + 2 * i] = (uint32_t)block;
    item->words[2 + 2 * i] = 0;
    return 0;
}

static int fold_date(struct store *store, struct user **user,
                     const struct feature *feature, int64_t time_ms,
                     struct folded *folded)
{
    struct item item = user_item(*user, feature->item);
    int32_t day = day_of(time_ms), block = day >> BLOCK_BITS;
    uint32_t i = find_block(&item, block), bit = UINT32_C(1) << (day & 31);
    folded->before = item.bytes ? item.words[0] : 0;
    folded->next_ms = SEG_NEVER;
    if (i == block_count(&item) || block_at(&item, i) != block) {
        int ret = insert_block(store, user, feature->item, i, block, &item);
        if (ret < 0)
            return ret;
    }
    if (!(item.words[2 + 2 * i] & bit)) {
        item.words[2 + 2 * i] |= bit;
        item.words[0]++;
    }
    folded->after = item.words[0];
    return 0;
}

/* ---- a window ------------------------------------------------------------ */

struct row {
    struct item item;
    struct times times;
};

enum shape { LIFETIME, NEWEST, BOTH, ALL };

static enum shape shape_of(const struct feature *feature)
{
    if (feature->from_ms == FEATURE_LIFETIME)
        return LIFETIME;
    if (!feature->to_ms)
        return NEWEST;
    return feature->from_ms - feature->to_ms >= DAY_MS ? BOTH : ALL;
}

static void row_find(const struct user *user, const struct feature *feature,
                     struct row *row)
{
    row->item = user_item(user, feature->item);
    times_read(user, &row->item, &row->times);
}

static int32_t row_day(const struct row *row, uint32_t i)
{
    return day_of(times_at(&row->times, i));
}

static uint64_t count_at(const struct row *row, const struct feature *feature,
                         int64_t now_ms)
{
    uint32_t leave = times_after(&row->times, now_ms - feature->from_ms);
    uint32_t enter = feature->to_ms
                         ? times_after(&row->times, now_ms - feature->to_ms)
                         : row->times.count;
    if (shape_of(feature) == BOTH) { /* The second of two leaves, the first
                                        comes in. */
        leave = leave / 2;
        enter = (enter + 1) / 2;
    }
    if (enter <= leave)
        return 0;
    if (shape_of(feature) == ALL)
        return 1 + (row_day(row, leave) != row_day(row, enter - 1));
    return enter - leave;
}

/* ---- when it changes ---- */

/* When a time after NOW_MS comes in or leaves. */
static int64_t next_edge(const struct row *row, const struct feature *feature,
                         int64_t now_ms)
{
    uint32_t enter = times_after(&row->times, now_ms - feature->to_ms);
    uint32_t leave = times_after(&row->times, now_ms - feature->from_ms);
    int64_t next = SEG_NEVER;
    if (enter < row->times.count)
        next = times_at(&row->times, enter) + feature->to_ms;
    if (leave < row->times.count &&
        times_at(&row->times, leave) + feature->from_ms < next)
        next = times_at(&row->times, leave) + feature->from_ms;
    return next;
}

/* Dates leave one by one: the one that makes the count COUNT pass a flip. */
static int64_t next_newest(const struct row *row, const struct feature *feature,
                           int64_t now_ms, uint64_t count)
{
    uint32_t leave = times_after(&row->times, now_ms - feature->from_ms);
    uint32_t region = feature_region(feature, count), i = leave;
    if (!feature->every) {
        if (!region)
            return SEG_NEVER;
        i += (uint32_t)(count - feature->flips[region - 1]);
    }
    return i < row->times.count ? times_at(&row->times, i) + feature->from_ms
                                : SEG_NEVER;
}

/* Dates come in and leave one by one: as many must at least as the count lies
 * from the end of its region; or a lower bound. See window.c. */
static int64_t next_both(const struct row *row, const struct feature *feature,
                         int64_t now_ms)
{
    uint64_t dates = row->times.count / 2,
             count = count_at(row, feature, now_ms);
    struct feature_bounds bounds = feature_bounds(feature, count);
    for (int jump = 0; jump < JUMPS_MAX; jump++) {
        uint64_t left = times_after(&row->times, now_ms - feature->from_ms) / 2;
        uint64_t leaves = left + (count - bounds.low);
        uint64_t enters = left + count + (bounds.high - 1 - count);
        int64_t at = SEG_NEVER;
        if (bounds.low && leaves < dates)
            at = times_at(&row->times, 2 * (uint32_t)leaves + 1) +
                 feature->from_ms;
        if (bounds.high != UINT64_MAX && enters < dates &&
            times_at(&row->times, 2 * (uint32_t)enters) + feature->to_ms < at)
            at = times_at(&row->times, 2 * (uint32_t)enters) + feature->to_ms;
        if (at == SEG_NEVER)
            return at;
        now_ms = at;
        count = count_at(row, feature, at);
        if (count < bounds.low || count >= bounds.high)
            break;
    }
    return now_ms;
}

static int64_t next_of(const struct row *row, const struct feature *feature,
                       int64_t now_ms)
{
    uint64_t count = count_at(row, feature, now_ms);
    uint32_t region = feature_region(feature, count);
    if (shape_of(feature) == NEWEST)
        return next_newest(row, feature, now_ms, count);
    if (shape_of(feature) == BOTH)
        return next_both(row, feature, now_ms);
    int64_t at = now_ms;
    for (int step = 0; step < STEPS_MAX; step++) {
        at = next_edge(row, feature, at);
        if (at == SEG_NEVER)
            break;
        uint64_t then = count_at(row, feature, at);
        if (feature->every ? then != count
                           : feature_region(feature, then) != region)
            break;
    }
    return at;
}

/* ---- folding ---- */

struct change {
    struct store *store;
    struct user **user;
    const struct feature *feature;
    struct row row;
};

static int add(struct change *to, uint32_t i, int64_t time_ms)
{
    return times_add(to->store, to->user, to->feature->item, 0, i, time_ms,
                     &to->row.item, &to->row.times);
}

/* Put TIME_MS where that of I was. */
static int set(struct change *to, uint32_t i, int64_t time_ms)
{
    return times_move(to->store, to->user, to->feature->item, i, i, time_ms,
                      &to->row.item, &to->row.times);
}

/* Drop what has left for good. */
static int prune(struct change *to, int64_t begin_ms)
{
    uint32_t gone = times_after(&to->row.times, begin_ms);
    if (shape_of(to->feature) == BOTH)
        gone -= gone % 2;
    return times_cut(to->store, to->user, to->feature->item, gone,
                     &to->row.item, &to->row.times);
}

static int add_newest(struct change *to, int64_t time_ms)
{
    uint32_t i = times_after(&to->row.times, time_ms);
    int32_t day = day_of(time_ms);
    if (i < to->row.times.count && row_day(&to->row, i) == day)
        return 0;
    return i && row_day(&to->row, i - 1) == day ? set(to, i - 1, time_ms)
                                                : add(to, i, time_ms);
}

static int add_both(struct change *to, int64_t time_ms)
{
    uint32_t i = times_after(&to->row.times, time_ms);
    int32_t day = day_of(time_ms);
    if (i % 2)
        return 0; /* Between the two of one date. */
    if (i < to->row.times.count && row_day(&to->row, i) == day)
        return set(to, i, time_ms);
    if (i && row_day(&to->row, i - 1) == day)
        return set(to, i - 1, time_ms);
    int ret = add(to, i, time_ms);
    return ret < 0 ? ret : add(to, i, time_ms);
}

/* See BOTH above. */
static int forget_oldest(struct change *to, int64_t begin_ms)
{
    const struct times *times = &to->row.times;
    if (!times->count || day_of(begin_ms) < row_day(&to->row, 0) ||
        times_at(times, 0) == times_at(times, 1))
        return 0;
    return set(to, 0, times_at(times, 1));
}

static int64_t coarse_time(const struct feature *feature, int64_t time_ms)
{
    int64_t width = feature_bucket_ms(feature);
    int64_t bucket = time_ms - ((time_ms % width) + width) % width;
    int64_t date = time_ms - ((time_ms % DAY_MS) + DAY_MS) % DAY_MS;
    return bucket > date ? bucket : date;
}

/* Insert TIME_MS unless it is there. */
static int add_once(struct change *to, int64_t time_ms)
{
    uint32_t i = times_after(&to->row.times, time_ms);
    return i && times_at(&to->row.times, i - 1) == time_ms
               ? 0
               : add(to, i, time_ms);
}

static int make_coarse(struct change *to)
{
    int64_t times[FEATURE_EXACT_MAX + 1];
    uint32_t count = to->row.times.count;
    for (uint32_t i = 0; i < count; i++)
        times[i] = times_at(&to->row.times, i);
    int ret = times_cut(to->store, to->user, to->feature->item, count,
                        &to->row.item, &to->row.times);
    for (uint32_t i = 0; ret == 0 && i < count; i++)
        ret = add_once(to, coarse_time(to->feature, times[i]));
    if (ret == 0)
        ret = user_set_coarse(to->store, to->user, &to->row.item, 1);
    times_read(*to->user, &to->row.item, &to->row.times);
    return ret;
}

static int add_all(struct change *to, int64_t time_ms, struct folded *folded)
{
    if (to->row.item.coarse)
        return add_once(to, coarse_time(to->feature, time_ms));
    int ret = add_once(to, time_ms);
    if (ret < 0 || to->row.times.count <= FEATURE_EXACT_MAX)
        return ret;
    folded->coarse = 1;
    return make_coarse(to);
}

static int fold_time(struct change *to, int64_t time_ms, int64_t begin_ms,
                     struct folded *folded)
{
    int ret = prune(to, begin_ms);
    if (ret < 0 || time_ms <= begin_ms)
        return ret;
    switch (shape_of(to->feature)) {
    case NEWEST:
        return add_newest(to, time_ms);
    case BOTH:
        return add_both(to, time_ms);
    case ALL:
        return add_all(to, time_ms, folded);
    case LIFETIME:
        break;
    }
    return 0;
}

static int fold_days(struct store *store, struct user **user,
                     const struct feature *feature, const struct fold *fold,
                     int64_t now_ms, struct folded *folded)
{
    struct change to = {.store = store, .user = user, .feature = feature};
    *folded = (struct folded){.next_ms = SEG_NEVER};
    if (shape_of(feature) == LIFETIME)
        return fold_date(store, user, feature, fold->time_ms, folded);
    int64_t begin_ms = now_ms - feature->from_ms;
    row_find(*user, feature, &to.row);
    folded->before = count_at(&to.row, feature, now_ms);
    int ret = fold_time(&to, fold->time_ms, begin_ms, folded);
    if (ret == 0 && shape_of(feature) == BOTH)
        ret = forget_oldest(&to, begin_ms);
    if (ret < 0)
        return ret;
    folded->after = count_at(&to.row, feature, now_ms);
    folded->next_ms = next_of(&to.row, feature, now_ms);
    return 0;
}

static int measure_days(const struct user *user, const struct feature *feature,
                        int64_t now_ms, struct arena *arena,
                        struct seg_value *value)
{
    struct row row;
    (void)arena;
    *value = (struct seg_value){.type = SEG_INT};
    if (shape_of(feature) == LIFETIME) {
        row.item = user_item(user, feature->item);
        value->as.integer = row.item.bytes ? row.item.words[0] : 0;
        return 0;
    }
    row_find(user, feature, &row);
    value->as.integer = (int64_t)count_at(&row, feature, now_ms);
    return 0;
}

static int64_t next_days(const struct user *user, const struct feature *feature,
                         int64_t now_ms)
{
    struct row row;
    if (shape_of(feature) == LIFETIME)
        return SEG_NEVER;
    row_find(user, feature, &row);
    return next_of(&row, feature, now_ms);
}

/* The oldest and the newest of a date may be one. */
static void days_events(const struct user *user, const struct feature *feature,
                        int64_t now_ms, struct feature_events *events)
{
    struct row row;
    if (shape_of(feature) == LIFETIME)
        return;
    row_find(user, feature, &row);
    for (uint32_t i = row.item.coarse ? 0 : row.times.count; i > 0; i--) {
        int64_t time_ms = times_at(&row.times, i - 1);
        if (now_ms - time_ms >= feature->from_ms)
            return;
        if (now_ms - time_ms < feature->to_ms ||
            (events->count && events->times_ms[events->count - 1] == time_ms))
            continue;
        if (!feature_events_add(events, time_ms))
            return;
    }
}

/* ---- records ----------------------------------------------------------------
 *
 *   lifetime   n blocks: u32 block, u32 dates; in order
 *   window     u8 coarse, a row of times (times.h) */

static void write_days(const struct user *user, const struct feature *feature,
                       const struct item *item, struct buf *buf,
                       const uint8_t places[FEATURE_TOPICS])
{
    struct times times;
    (void)places;
    if (shape_of(feature) != LIFETIME) {
        times_read(user, item, &times);
        buf_u8(buf, (uint8_t)item->coarse);
        times_write(&times, buf);
        return;
    }
    buf_varint(buf, block_count(item));
    for (uint32_t i = 1; i < item->len / WORD_BYTES; i++)
        buf_u32(buf, item->words[i]);
}

static int read_dates(struct store *store, struct user **user,
                      const struct feature *feature, struct reader *reader)
{
    struct item item = user_item(*user, feature->item);
    uint64_t count = reader_varint(reader);
    if (count > reader_left(reader) / BLOCK_BYTES)
        return SEG_ERR_RECORD;
    for (uint32_t i = 0; i < count; i++) {
        int32_t block = (int32_t)reader_u32(reader);
        uint32_t dates = reader_u32(reader);
        if (reader_failed(reader) || !dates ||
            (i && block_at(&item, i - 1) >= block))
            return SEG_ERR_RECORD;
        int ret = insert_block(store, user, feature->item, i, block, &item);
        if (ret < 0)
            return ret;
        item.words[2 + 2 * i] = dates;
        item.words[0] += (uint32_t)__builtin_popcount(dates);
    }
    return reader_failed(reader) ? SEG_ERR_RECORD : 0;
}

/* Whether ROW is what folding makes of SHAPE. */
static int is_shaped(const struct row *row, enum shape shape)
{
    uint32_t count = row->times.count;
    if (shape == ALL)
        return row->item.coarse || count <= FEATURE_EXACT_MAX;
    if (row->item.coarse || (shape == BOTH && count % 2))
        return 0;
    for (uint32_t i = 1; i < count; i++) {
        int one_date = row_day(row, i - 1) == row_day(row, i);
        if (one_date != (shape == BOTH && i % 2))
            return 0;
    }
    return 1;
}

static int read_days(struct store *store, struct user **user,
                     const struct feature *feature, struct reader *reader,
                     const uint8_t topics[FEATURE_TOPICS])
{
    struct row row;
    (void)topics;
    if (shape_of(feature) == LIFETIME)
        return read_dates(store, user, feature, reader);
    int coarse = reader_u8(reader);
    int ret = times_read_row(store, user, feature->item, reader, &row.item,
                             &row.times);
    if (ret < 0)
        return ret;
    if (coarse && row.times.count)
        ret = user_set_coarse(store, user, &row.item, 1);
    if (ret < 0)
        return ret;
    times_read(*user, &row.item, &row.times);
    return is_shaped(&row, shape_of(feature)) ? 0 : SEG_ERR_RECORD;
}

const struct feature_ops days_ops = {.fold = fold_days,
                                     .measure = measure_days,
                                     .next = next_days,
                                     .events = days_events,
                                     .write = write_days,
                                     .read = read_days};
