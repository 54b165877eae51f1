/* window.c: how many events there were in a window of time.
 *
 * The item is the times of the events that may count now or later, oldest first:
 *
 *         from                     to          now
 *   . . ---[----------------------)-------------|   ages to <= a < from count
 *   dropped  counted              yet to count
 *
 * For a window that ends now (to = 0) only the `keep` newest are needed: a count
 * is known up to the largest number a test compares with, and older events leave
 * first. For one that ends in the past all of them are. Beyond the exact limit
 * the item becomes coarse: entries of three words, bucket start (64 bits) and
 * number, in buckets of window / 64; a bucket counts as if all its events were
 * at its start, so people leave early by less than that. A coarse item is exact
 * again once it is empty. */
#include <assert.h>

#include <seg/error.h>

#include "lib/user/codec.h"
#include "lib/user/feature.h"
#include "lib/user/times.h"

#define BUCKET_WORDS 3

/* An item, exact or coarse, as a row of (time, weight). */
struct row {
    const struct user *user;
    struct item item;
    uint32_t count;
};

static struct row row_of(const struct user *user, const struct feature *feature)
{
    struct row row = {.user = user, .item = user_item(user, feature->item)};
    row.count = row.item.form == FORM_COARSE ? row.item.count / BUCKET_WORDS
                                             : times_count(&row.item, 0);
    return row;
}

static int64_t row_time(const struct row *row, uint32_t i)
{
    return row->item.form == FORM_COARSE
               ? codec_get_i64(row->item.words + i * BUCKET_WORDS)
               : times_get(row->user, &row->item, 0, i);
}

static uint32_t row_weight(const struct row *row, uint32_t i)
{
    return row->item.form == FORM_COARSE
               ? row->item.words[i * BUCKET_WORDS + 2]
               : 1;
}

/* The first entry later than TIME_MS. */
static uint32_t row_after(const struct row *row, int64_t time_ms)
{
    uint32_t low = 0, high = row->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (row_time(row, middle) > time_ms)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static uint64_t row_sum(const struct row *row, uint32_t from, uint32_t to)
{
    uint64_t sum = 0;
    if (row->item.form != FORM_COARSE)
        return to > from ? to - from : 0;
    for (uint32_t i = from; i < to; i++)
        sum += row_weight(row, i);
    return sum;
}

/* Drop the first GONE entries, which have left the window for good. */
static void prune(struct store *store, struct user **user,
                  const struct feature *feature, struct row *row, uint32_t gone)
{
    if (row->item.form != FORM_COARSE)
        times_remove(store, user, feature->item, 0, gone, &row->item);
    else
        user_splice(store, user, feature->item, FORM_COARSE, 0,
                    -(int32_t)(gone * BUCKET_WORDS), &row->item);
    row->user = *user;
    row->count -= gone;
}

static int add_to_bucket(struct store *store, struct user **user,
                         const struct feature *feature, int64_t time_ms,
                         struct row *row)
{
    int64_t width = feature_bucket_ms(feature);
    int64_t start = time_ms - ((time_ms % width) + width) % width;
    uint32_t i = row_after(row, start - 1);
    if (i == row->count || row_time(row, i) != start) {
        int ret = user_splice(store, user, feature->item, FORM_COARSE,
                              i * BUCKET_WORDS, BUCKET_WORDS, &row->item);
        if (ret < 0)
            return ret;
        row->user = *user;
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
    user_resize(store, user, feature->item, FORM_COARSE, 0, &row->item);
    row->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        row->item.form = FORM_COARSE;
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

static int add_time(struct store *store, struct user **user,
                    const struct feature *feature, int64_t time_ms,
                    struct row *row, struct folded *folded)
{
    uint32_t at = row_after(row, time_ms);
    if (bounded(feature) && row->count >= feature->keep) {
        /* More than needed: another catalogue asked for it. */
        uint32_t surplus = row->count - feature->keep;
        if (at <= surplus)
            return 0;
        prune(store, user, feature, row, surplus + 1);
        at -= surplus + 1;
    }
    int ret = times_insert(store, user, feature->item, at, time_ms, &row->item);
    if (ret < 0)
        return ret;
    row->user = *user;
    row->count++;
    if (bounded(feature) || row->count <= FEATURE_EXACT_MAX)
        return 0;
    folded->coarse = 1;
    return make_coarse(store, user, feature, row);
}

/* Entries [leave, enter) count at NOW_MS. */
struct span {
    uint32_t leave, enter;
};

static struct span span_at(const struct row *row,
                           const struct feature *feature, int64_t now_ms)
{
    return (struct span){row_after(row, now_ms - feature->from_ms),
                         feature->to_ms ? row_after(row, now_ms - feature->to_ms)
                                        : row->count};
}

/* Walk the instants at which entries come into the window and leave it until the
 * count has passed a flip. */
static int64_t next_flip(const struct row *row, const struct feature *feature,
                         struct span span, uint64_t count)
{
    uint32_t region = feature_region(feature, count);
    while (span.leave < row->count) {
        int64_t leaves_at = row_time(row, span.leave) + feature->from_ms;
        int64_t enters_at = span.enter < row->count
                                ? row_time(row, span.enter) + feature->to_ms
                                : SEG_NEVER;
        int64_t at = leaves_at < enters_at ? leaves_at : enters_at;
        for (; span.enter < row->count &&
               row_time(row, span.enter) + feature->to_ms == at;
             span.enter++)
            count += row_weight(row, span.enter);
        for (; span.leave < row->count &&
               row_time(row, span.leave) + feature->from_ms == at;
             span.leave++)
            count -= row_weight(row, span.leave);
        if (feature_region(feature, count) != region)
            return at;
    }
    return SEG_NEVER;
}

static int fold_window(struct store *store, struct user **user,
                       const struct feature *feature, const struct fold *fold,
                       int64_t now_ms, struct folded *folded)
{
    struct row row = row_of(*user, feature);
    struct span span = span_at(&row, feature, now_ms);
    int ret = 0;
    *folded = (struct folded){.before = row_sum(&row, span.leave, span.enter)};
    if (span.leave)
        prune(store, user, feature, &row, span.leave);
    if (now_ms - fold->time_ms >= feature->from_ms)
        ret = 0;
    else if (row.item.words && row.item.form == FORM_COARSE)
        ret = add_to_bucket(store, user, feature, fold->time_ms, &row);
    else
        ret = add_time(store, user, feature, fold->time_ms, &row, folded);
    if (ret < 0)
        return ret;
    span = span_at(&row, feature, now_ms);
    folded->after = row_sum(&row, span.leave, span.enter);
    folded->next_ms = next_flip(&row, feature, span, folded->after);
    return 0;
}

static int measure_window(const struct user *user,
                          const struct feature *feature, int64_t now_ms,
                          struct arena *arena, struct seg_value *value)
{
    struct row row = row_of(user, feature);
    struct span span = span_at(&row, feature, now_ms);
    (void)arena;
    *value = (struct seg_value){
        .type = SEG_INT,
        .as.integer = (int64_t)row_sum(&row, span.leave, span.enter)};
    return 0;
}

static int64_t next_window(const struct user *user,
                           const struct feature *feature, int64_t now_ms)
{
    struct row row = row_of(user, feature);
    struct span span = span_at(&row, feature, now_ms);
    return next_flip(&row, feature, span,
                     row_sum(&row, span.leave, span.enter));
}

const struct feature_ops window_ops = {fold_window, measure_window,
                                       next_window};
