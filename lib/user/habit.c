/* habit.c: how many of the last blocks of time have as many events as wanted.
 *
 * Counted back from now, block i has the events of ages i P <= a < (i + 1) P;
 * it is *satisfied* if they are `low` to `high`. What is asked is whether all K
 * of them are, at any now: so every span of P within the last K P matters.
 *
 *        K P                2 P         P          now
 *   . . . [- - - -)- - - - -[- - - - - -[- - - - - -|
 *   gone   block K-1         block 1     block 0
 *
 * The item is a row of times (times.h). No more are needed than this: time is
 * also cut into fixed *cells* of P, and of each cell the `cap` oldest and the
 * `cap` newest events are kept, cap being the number beyond which more events
 * make no difference (low; high + 1 if there is a high). A span of P covers the
 * end of one cell and the beginning of the next, so what it holds of either is
 * counted right up to cap. In the cell where the last K P begin only the newest
 * are needed.
 *
 * Whether all K are satisfied is seen without counting any: a span of P has too
 * few events where an event and the `low`-th after it lie further apart than P,
 * too many where `high` + 1 lie closer together. Such a pair makes a block bad
 * from some instant to another, and again P later, K times:
 *
 *      event   more than P   event                 now is bad:
 *   -----x---------------------x-------------->    [-----)     [-----)
 *        |<------- P ------->|<>|                  i = 0       i = 1
 *
 * So all that is asked of the pairs is when, by the time of the period, block 0
 * was bad last: fewer than K periods ago? Of many events a dial says that at
 * once (habit_row.h); an event in order is the end of one pair, and a late one
 * makes all of it anew.
 *
 * Example: `at least 1 times per day for 3 days`, events on Monday at 8, 9 and
 * 20: 8 and 20 are kept. So K + 1 cells of 2 cap times are all that is ever
 * kept: exact, however many events there are. Only where that is beyond
 * HABIT_EXACT_MAX the item may become coarse: entries of three words, bucket
 * start and number (window.c), in buckets of P / 16; events count as if they
 * were at the start, until the item is empty. */
#include <seg/error.h>

#include "lib/user/habit.h"

#include <string.h>

#include "lib/user/habit_row.h"

/* ---- folding ------------------------------------------------------------ */

struct change {
    struct store *store;
    struct user **user;
    const struct feature *feature;
    const struct feature_habit *habit;
    struct habit_row of;
    struct row *row; /* of.row. */
};

static uint64_t cap_of(const struct feature_habit *habit)
{
    return habit->high == INT64_MAX ? (uint64_t)habit->low
                                    : (uint64_t)habit->high + 1;
}

static int64_t floor_to(int64_t time_ms, int64_t width_ms)
{
    return time_ms - ((time_ms % width_ms) + width_ms) % width_ms;
}

static int cut(struct change *to, uint32_t gone)
{
    return row_cut(to->store, to->user, to->feature, to->row, gone);
}

/* Insert TIME_MS into its cell, entries FROM to below END, or let it replace
 * one of them. */
static int add_to_cell(struct change *to, int64_t time_ms, uint32_t from,
                       uint32_t end)
{
    struct row *row = to->row;
    uint64_t cap = cap_of(to->habit);
    uint32_t id = to->feature->item,
             in = habit_row_after(row, time_ms, row->count);
    uint32_t out = in; /* Nothing. */
    int ret;
    if (end - from < 2 * cap) {
        ret = times_add(to->store, to->user, id, 0, in, time_ms, &row->item,
                        &row->times);
    } else {
        uint32_t newest = from + (uint32_t)cap; /* The first of these. */
        if (time_ms < row_time(row, newest - 1))
            out = newest - 1;
        else if (time_ms > row_time(row, newest))
            out = newest;
        else
            return 0;
        ret = times_move(to->store, to->user, id, out, in, time_ms, &row->item,
                         &row->times);
    }
    row->count = row->times.count;
    return ret;
}

/* Put an event at TIME_MS into the last of COUNT buckets at WORDS, or behind
 * it. Returns how many there are then. */
static uint32_t add_to_last(word *words, uint32_t count, int64_t start_ms)
{
    word *last = words + (count - 1) * BUCKET_WORDS;
    if (!count || codec_get_i64(last) != start_ms) {
        last = words + count++ * BUCKET_WORDS;
        codec_put_i64(last, start_ms);
        last[2] = 0;
    }
    last[2]++;
    return count;
}

static int64_t bucket_ms(const struct change *to)
{
    int64_t width = to->habit->period_ms / HABIT_BUCKETS;
    return width > 0 ? width : 1;
}

static int make_coarse(struct change *to)
{
    struct row *row = to->row;
    struct buf *scratch = &to->store->scratch;
    uint32_t count = 0;
    buf_reset(scratch);
    char *room = buf_reserve(scratch, row->count * BUCKET_BYTES);
    if (!room)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < row->count; i++)
        count = add_to_last((word *)room, count,
                            floor_to(row_time(row, i), bucket_ms(to)));
    int ret = user_resize(to->store, to->user, to->feature->item,
                          count * BUCKET_BYTES, &row->item);
    if (ret == 0)
        ret = user_set_coarse(to->store, to->user, &row->item, 1);
    if (ret < 0)
        return ret;
    memcpy(row->item.bytes, room, count * BUCKET_BYTES);
    row->count = count;
    return 0;
}

static int add_to_bucket(struct change *to, int64_t time_ms)
{
    struct row *row = to->row;
    int64_t start_ms = floor_to(time_ms, bucket_ms(to));
    uint32_t i = habit_row_after(row, start_ms - 1, row->count);
    if (i == row->count || row_time(row, i) != start_ms) {
        int ret = user_splice(to->store, to->user, to->feature->item,
                              i * BUCKET_BYTES, BUCKET_BYTES, &row->item);
        if (ret < 0)
            return ret;
        row->count++;
        codec_put_i64(row->item.words + i * BUCKET_WORDS, start_ms);
        row->item.words[i * BUCKET_WORDS + 2] = 0;
    }
    row->item.words[i * BUCKET_WORDS + 2]++;
    return 0;
}

static int add(struct change *to, int64_t time_ms, struct folded *folded)
{
    struct row *row = to->row;
    int64_t cell_ms = floor_to(time_ms, to->habit->period_ms);
    if (row->item.coarse)
        return add_to_bucket(to, time_ms);
    uint32_t end =
        habit_row_after(row, cell_ms + to->habit->period_ms - 1, row->count);
    uint32_t from = habit_row_after(row, cell_ms - 1, end);
    int ret = add_to_cell(to, time_ms, from, end);
    if (ret < 0 || row->count <= HABIT_EXACT_MAX)
        return ret;
    folded->coarse = 1;
    return make_coarse(to);
}

/* Drop what has left for good, and of the cell in which BEGIN_MS lies all but
 * the newest. */
static int prune(struct change *to, int64_t begin_ms)
{
    struct row *row = to->row;
    uint64_t cap = cap_of(to->habit);
    uint32_t gone = habit_row_after(row, begin_ms, row->count);
    if (!row->item.coarse) {
        int64_t cell_ms = floor_to(begin_ms, to->habit->period_ms);
        uint32_t end = habit_row_after(row, cell_ms + to->habit->period_ms - 1,
                                       row->count);
        if (end - gone > cap)
            gone = end - (uint32_t)cap;
    }
    return gone ? cut(to, gone) : 0;
}

/* Let FOLD happen to the row. */
static int fold_row(struct change *to, const struct fold *fold, int64_t now_ms,
                    struct folded *folded)
{
    const struct feature_habit *habit = to->habit;
    int64_t begin_ms = now_ms - habit->period_ms * habit->periods;
    int ret = prune(to, begin_ms);
    if (ret == 0 && fold->time_ms > begin_ms && cap_of(habit)) {
        ret = add(to, fold->time_ms, folded);
        if (ret == 0)
            ret = prune(to, begin_ms);
    }
    return ret;
}

static int fold_habit(struct store *store, struct user **user,
                      const struct feature *feature, const struct fold *fold,
                      int64_t now_ms, struct folded *folded)
{
    const struct feature_habit *habit = feature->of.habit;
    struct change to = {.store = store,
                        .user = user,
                        .feature = feature,
                        .habit = habit,
                        .row = &to.of.row};
    struct habit_room room;
    habit_row_find(*user, feature, &to.of);
    uint32_t count = to.row->count;
    int in_order = !count || fold->time_ms >= row_time(to.row, count - 1);
    *folded = (struct folded){.rough = 1};
    folded->before = habit_rough_count(&to.of, habit, now_ms, &folded->next_ms);
    habit_row_take(store, user, feature, &to.of, &room);
    int ret = fold_row(&to, fold, now_ms, folded);
    if (ret < 0)
        return ret;
    habit_row_put(store, user, feature, &to.of, in_order, now_ms);
    folded->after = habit_rough_count(&to.of, habit, now_ms, &folded->next_ms);
    return 0;
}

static int measure_habit(const struct user *user, const struct feature *feature,
                         int64_t now_ms, struct arena *arena,
                         struct seg_value *value)
{
    struct habit_row row;
    (void)arena;
    habit_row_find(user, feature, &row);
    *value = (struct seg_value){.type = SEG_INT,
                                .as.integer = (int64_t)habit_count(
                                    &row.row, feature->of.habit, now_ms)};
    return 0;
}

static int64_t next_habit(const struct user *user,
                          const struct feature *feature, int64_t now_ms)
{
    struct habit_row row;
    int64_t next_ms;
    habit_row_find(user, feature, &row);
    habit_rough_count(&row, feature->of.habit, now_ms, &next_ms);
    return next_ms;
}

static void habit_events(const struct user *user, const struct feature *feature,
                         int64_t now_ms, struct feature_events *events)
{
    const struct feature_habit *habit = feature->of.habit;
    struct habit_row of;
    const struct row *row = &of.row;
    habit_row_find(user, feature, &of);
    uint32_t from = habit_row_after(
        row, now_ms - habit->period_ms * habit->periods, row->count);
    if (row->item.coarse)
        return;
    for (uint32_t i = row->count; i > from; i--)
        if (!feature_events_add(events, row_time(row, i - 1)))
            return;
}

/* ---- records ----------------------------------------------------------------
 *
 *   u8 coarse, then a row of times (times.h) or n buckets: ms, n events */

static void write_habit(const struct user *user, const struct feature *feature,
                        const struct item *item, struct buf *buf,
                        const uint8_t places[FEATURE_TOPICS])
{
    struct habit_row of;
    const struct row *row = &of.row;
    (void)places;
    habit_row_find(user, feature, &of);
    buf_u8(buf, (uint8_t)item->coarse);
    if (!item->coarse) {
        times_write(&row->times, buf);
        return;
    }
    buf_varint(buf, row->count);
    for (uint32_t i = 0; i < row->count; i++) {
        buf_u64(buf, (uint64_t)row_time(row, i));
        buf_varint(buf, row_weight(row, i));
    }
}

static int read_buckets(struct change *to, struct reader *reader)
{
    struct item *item = &to->row->item;
    uint64_t count = reader_varint(reader);
    int64_t last = INT64_MIN;
    *item = user_item(*to->user, to->feature->item);
    if (count > reader_left(reader) / (sizeof(int64_t) + 1))
        return SEG_ERR_RECORD;
    for (uint32_t i = 0; i < count; i++) {
        int64_t start = times_read_ms(reader);
        uint64_t number = reader_varint(reader);
        if (reader_failed(reader) || start <= last || !number ||
            number > INT32_MAX)
            return SEG_ERR_RECORD;
        int ret = user_splice(to->store, to->user, to->feature->item, item->len,
                              BUCKET_BYTES, item);
        if (ret == 0)
            ret = user_set_coarse(to->store, to->user, item, 1);
        if (ret < 0)
            return ret;
        codec_put_i64(item->words + i * BUCKET_WORDS, start);
        item->words[i * BUCKET_WORDS + 2] = (uint32_t)number;
        last = start;
    }
    return reader_failed(reader) ? SEG_ERR_RECORD : 0;
}

/* Whether no cell has more times than folding leaves in it. */
static int cells_fit(const struct change *to)
{
    const struct row *row = to->row;
    int64_t period_ms = to->habit->period_ms;
    uint64_t in_cell = 0;
    for (uint32_t i = 0; i < row->count; i++) {
        int same = i && floor_to(row_time(row, i - 1), period_ms) ==
                            floor_to(row_time(row, i), period_ms);
        in_cell = same ? in_cell + 1 : 1;
        if (in_cell > 2 * cap_of(to->habit))
            return 0;
    }
    return row->count <= HABIT_EXACT_MAX;
}

static int read_habit(struct store *store, struct user **user,
                      const struct feature *feature, struct reader *reader,
                      const uint8_t topics[FEATURE_TOPICS])
{
    struct change to = {.store = store,
                        .user = user,
                        .feature = feature,
                        .habit = feature->of.habit,
                        .row = &to.of.row};
    (void)topics;
    if (reader_u8(reader))
        return read_buckets(&to, reader);
    int ret = times_read_row(store, user, feature->item, reader, &to.row->item,
                             &to.row->times);
    if (ret < 0)
        return ret;
    to.row->count = to.row->times.count;
    if (!cells_fit(&to))
        return SEG_ERR_RECORD;
    habit_row_make(store, user, feature, &to.of);
    return 0;
}

const struct feature_ops habit_ops = {.fold = fold_habit,
                                      .measure = measure_habit,
                                      .next = next_habit,
                                      .events = habit_events,
                                      .write = write_habit,
                                      .read = read_habit};
