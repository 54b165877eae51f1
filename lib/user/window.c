/* window.c: how many events there were in a window of time.
 *
 * The item is the times of the events that may count now or later, oldest
 * first:
 *
 *         from                     to          now
 *   . . ---[----------------------)-------------|   ages to <= a < from count
 *   dropped  counted              yet to count
 *
 * For a window that ends now (to = 0) only the `keep` newest are needed: a
 * count is known up to the largest number a test compares with, and older
 * events leave first. For one that ends in the past all of them are. Beyond the
 * exact limit the item becomes coarse: entries of three words, bucket start (64
 * bits) and number, in buckets of window / 64; a bucket counts as if all its
 * events were at its start, so people leave early by less than that. A coarse
 * item is exact again once it is empty. */
#include <assert.h>

#include <seg/error.h>

#include "lib/user/row.h"

#define JUMPS_MAX 4 /* Of next_flip; then it is a lower bound. */

/* The first entry later than TIME_MS. */
static uint32_t row_after(const struct row *row, int64_t time_ms)
{
    uint32_t high = row->count;
    if (!high || row_time(row, 0) > time_ms)
        return 0;
    if (row_time(row, high - 1) <= time_ms)
        return high;
    return row_search(row, time_ms, 0, high);
}

static int add_to_bucket(struct store *store, struct user **user,
                         const struct feature *feature, int64_t time_ms,
                         struct row *row)
{
    int64_t width = feature_bucket_ms(feature);
    int64_t start = time_ms - ((time_ms % width) + width) % width;
    uint32_t i = row_after(row, start - 1);
    if (i == row->count || row_time(row, i) != start) {
        int ret = user_splice(store, user, feature->item, i * BUCKET_BYTES,
                              BUCKET_BYTES, &row->item);
        if (ret < 0)
            return ret;
        ret = user_set_coarse(store, user, &row->item, 1);
        if (ret < 0)
            return ret;
        row->count++;
        codec_put_i64(row->item.words + i * BUCKET_WORDS, start);
        row->item.words[i * BUCKET_WORDS + 2] = 0;
    }
    row->item.words[i * BUCKET_WORDS + 2]++;
    return 0;
}

/* From times to buckets. */
static int make_coarse(struct store *store, struct user **user,
                       const struct feature *feature, struct row *row)
{
    int64_t times[FEATURE_KEPT_MAX + 1];
    uint32_t count = row->count;
    assert(count <= FEATURE_KEPT_MAX + 1);
    for (uint32_t i = 0; i < count; i++)
        times[i] = row_time(row, i);
    user_resize(store, user, feature->item, 0, &row->item);
    row->item.coarse = 1;
    row->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        int ret = add_to_bucket(store, user, feature, times[i], row);
        if (ret < 0)
            return ret;
    }
    return 0;
}

/* Whether all that is needed is kept exactly, however many events there are. */
static int bounded(const struct feature *feature)
{
    return feature->to_ms == 0 && feature->keep <= FEATURE_KEPT_MAX;
}

/* The first GONE entries have left the window. */
static int add_time(struct store *store, struct user **user,
                    const struct feature *feature, int64_t time_ms,
                    uint32_t gone, struct row *row, struct folded *folded)
{
    uint32_t at = row_after(row, time_ms);
    if (bounded(feature) && row->count - gone >= feature->keep) {
        /* More than needed: another catalogue asked for it. */
        uint32_t surplus = row->count - feature->keep;
        if (at <= surplus)
            return gone ? row_cut(store, user, feature, row, gone) : 0;
        gone = surplus + 1;
    }
    int ret = times_add(store, user, feature->item, gone, at, time_ms,
                        &row->item, &row->times);
    row->count = row->times.count;
    if (ret < 0 || bounded(feature) || row->count <= FEATURE_EXACT_MAX)
        return ret;
    folded->coarse = 1;
    return make_coarse(store, user, feature, row);
}

/* Entries [leave, enter) count at NOW_MS. */
struct span {
    uint32_t leave, enter;
};

static uint32_t enter_at(const struct row *row, const struct feature *feature,
                         int64_t now_ms)
{
    return feature->to_ms ? row_after(row, now_ms - feature->to_ms)
                          : row->count;
}

static struct span span_at(const struct row *row, const struct feature *feature,
                           int64_t now_ms)
{
    return (struct span){row_after(row, now_ms - feature->from_ms),
                         enter_at(row, feature, now_ms)};
}

static int64_t leaves_at(const struct row *row, const struct feature *feature,
                         uint64_t i)
{
    return i < row->count ? row_time(row, (uint32_t)i) + feature->from_ms
                          : SEG_NEVER;
}

static int64_t enters_at(const struct row *row, const struct feature *feature,
                         uint64_t i)
{
    return i < row->count ? row_time(row, (uint32_t)i) + feature->to_ms
                          : SEG_NEVER;
}

/* Of buckets: walk the instants at which they come in and leave until the count
 * is not in BOUNDS. */
static int64_t walk_buckets(const struct row *row,
                            const struct feature *feature, struct span span,
                            uint64_t count, struct feature_bounds bounds)
{
    while (span.leave < row->count) {
        int64_t leaves = leaves_at(row, feature, span.leave);
        int64_t enters = enters_at(row, feature, span.enter);
        int64_t at = leaves < enters ? leaves : enters;
        for (; enters_at(row, feature, span.enter) == at; span.enter++)
            count += row_weight(row, span.enter);
        for (; leaves_at(row, feature, span.leave) == at; span.leave++)
            count -= row_weight(row, span.leave);
        if (count < bounds.low || count >= bounds.high)
            return at;
    }
    return SEG_NEVER;
}

/* When the count, now COUNT, is in another region; or a lower bound. Times come
 * in and leave one by one, so as many must at least as the count lies from the
 * end of its region: the instant of that one is looked up, and from there on it
 * goes on likewise. Where a window ends now that instant is the one. */
static int64_t next_flip(const struct row *row, const struct feature *feature,
                         struct span span, uint64_t count)
{
    struct feature_bounds bounds = feature_bounds(feature, count);
    int64_t at = SEG_NEVER;
    if (row->item.coarse)
        return walk_buckets(row, feature, span, count, bounds);
    for (int jump = 0; jump < JUMPS_MAX; jump++) {
        int64_t enters = SEG_NEVER;
        at = bounds.low
                 ? leaves_at(row, feature, span.leave + (count - bounds.low))
                 : SEG_NEVER;
        if (!feature->to_ms)
            break;
        if (bounds.high != UINT64_MAX)
            enters =
                enters_at(row, feature, span.enter + (bounds.high - 1 - count));
        at = at < enters ? at : enters;
        if (at == SEG_NEVER)
            break;
        span = span_at(row, feature, at);
        count = row_sum(row, span.leave, span.enter);
        if (count < bounds.low || count >= bounds.high)
            break;
    }
    return at;
}

/* Fold an event at TIME_MS into *ROW, whose first GONE entries have left. */
static int fold_row(struct store *store, struct user **user,
                    const struct feature *feature, int64_t time_ms,
                    uint32_t gone, struct row *row, struct folded *folded)
{
    if (row->item.coarse && gone) {
        int ret = row_cut(store, user, feature, row, gone);
        if (ret < 0)
            return ret;
        gone = 0;
    }
    return row->item.coarse
               ? add_to_bucket(store, user, feature, time_ms, row)
               : add_time(store, user, feature, time_ms, gone, row, folded);
}

static int fold_window(struct store *store, struct user **user,
                       const struct feature *feature, const struct fold *fold,
                       int64_t now_ms, struct folded *folded)
{
    struct row row;
    row_find(*user, feature, &row);
    struct span span = span_at(&row, feature, now_ms);
    int ret = 0;
    *folded = (struct folded){.before = row_sum(&row, span.leave, span.enter)};
    if (now_ms - fold->time_ms < feature->from_ms)
        ret = fold_row(store, user, feature, fold->time_ms, span.leave, &row,
                       folded);
    else if (span.leave)
        ret = row_cut(store, user, feature, &row, span.leave);
    if (ret < 0)
        return ret;
    /* Those that had left are gone, but a new bucket may have left already. */
    span.leave =
        row.item.coarse ? row_after(&row, now_ms - feature->from_ms) : 0;
    span.enter = enter_at(&row, feature, now_ms);
    folded->after = row_sum(&row, span.leave, span.enter);
    folded->next_ms = next_flip(&row, feature, span, folded->after);
    return 0;
}

static int measure_window(const struct user *user,
                          const struct feature *feature, int64_t now_ms,
                          struct arena *arena, struct seg_value *value)
{
    struct row row;
    (void)arena;
    *value = (struct seg_value){.type = SEG_INT};
    row_find(user, feature, &row);
    if (!row.count)
        return 0;
    struct span span = span_at(&row, feature, now_ms);
    value->as.integer = (int64_t)row_sum(&row, span.leave, span.enter);
    return 0;
}

int window_newest(const struct user *user, const struct feature *feature,
                  int64_t now_ms, int64_t until_ms, uint64_t rank,
                  int64_t *time_ms)
{
    struct row row;
    row_find(user, feature, &row);
    uint32_t leave = row_after(&row, now_ms - feature->from_ms);
    for (uint32_t i = row_after(&row, until_ms); i > leave; i--) {
        if (rank < row_weight(&row, i - 1)) {
            *time_ms = row_time(&row, i - 1);
            return 1;
        }
        rank -= row_weight(&row, i - 1);
    }
    return 0;
}

int window_trim(struct store *store, struct user **user,
                const struct feature *feature, uint32_t most)
{
    struct row row;
    row_find(*user, feature, &row);
    return row.item.coarse || row.count <= most
               ? 0
               : row_cut(store, user, feature, &row, row.count - most);
}

static int64_t next_window(const struct user *user,
                           const struct feature *feature, int64_t now_ms)
{
    struct row row;
    row_find(user, feature, &row);
    struct span span = span_at(&row, feature, now_ms);
    return next_flip(&row, feature, span,
                     row_sum(&row, span.leave, span.enter));
}

/* No more than are kept: what is there beyond that may be gone at any time. */
static void window_events(const struct user *user,
                          const struct feature *feature, int64_t now_ms,
                          struct feature_events *events)
{
    struct row row;
    row_find(user, feature, &row);
    struct span span = span_at(&row, feature, now_ms);
    if (row.item.coarse)
        return;
    if (span.enter - span.leave > feature->keep)
        span.leave = span.enter - feature->keep;
    for (uint32_t i = span.enter; i > span.leave; i--)
        if (!feature_events_add(events, row_time(&row, i - 1)))
            return;
}

const struct feature_ops window_ops = {.fold = fold_window,
                                       .measure = measure_window,
                                       .next = next_window,
                                       .events = window_events};
