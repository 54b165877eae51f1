/* newest.c: distinct values in a window that ends now (distinct.c, WINDOW). */
#include <string.h>

#include <seg/error.h>

#include "lib/user/pairs.h"
#include "lib/user/sketch.h"

/* Marks later than this are in a window that begins at BEGIN_MS: they leave all
 * those of a 64th of the window at once, so that the sketch is made anew no more
 * often; a value late by less than that. */
static int64_t marks_begin(const struct feature *feature, int64_t begin_ms)
{
    int64_t width = feature_bucket_ms(feature);
    return begin_ms - ((begin_ms % width) + width) % width;
}

/* How many pairs there are in a window that ends now. */
static uint32_t kept_count(const struct item *item)
{
    return item->coarse ? DISTINCT_KEPT : pair_count(item);
}

static int add_mark(struct slot *to, const struct pair *pair)
{
    const struct marks marks = slot_marks(to);
    return marks_add(&marks, sketch_spot(pair->hash, DISTINCT_BITS),
                     pair->time_ms);
}

static int make_marks(struct slot *to)
{
    const struct marks marks = slot_marks(to);
    int ret = marks_create(&marks);
    for (uint32_t i = 0; ret == 0 && i < DISTINCT_KEPT; i++) {
        const struct pair pair = pair_at(&to->item, i);
        ret = add_mark(to, &pair);
    }
    return ret;
}

/* The pair at I becomes PAIR, which is later; COUNT there are. */
static void move_pair(struct item *item, uint32_t i, uint32_t count,
                      const struct pair *pair)
{
    uint32_t to = pairs_find(item, count, pair);
    uint8_t *at = item->bytes + i * PAIR_BYTES;
    memmove(at, at + PAIR_BYTES, (to - 1 - i) * PAIR_BYTES);
    pair_put(item, to - 1, pair);
}

int newest_add(struct slot *to, const struct pair *pair, struct folded *folded)
{
    struct item *item = &to->item;
    uint32_t i = 0, count = kept_count(item);
    while (i < count && pair_at(item, i).hash != pair->hash)
        i++;
    if (i == count && item->coarse)
        i = 0; /* Instead of the oldest one. */
    if (i < count) {
        struct pair old = pair_at(item, i);
        if (pair_before(&old, pair))
            move_pair(item, i, count, pair);
        return item->coarse ? add_mark(to, pair) : 0;
    }
    int ret = pairs_insert(to, pairs_find(item, count, pair), pair);
    if (ret < 0 || count < DISTINCT_EXACT_MAX)
        return ret;
    folded->coarse = 1;
    return make_marks(to);
}

/* Of a coarse item; GONE of its pairs have left. */
static int drop(struct slot *to, uint32_t gone, int64_t begin_ms)
{
    const struct marks marks = slot_marks(to);
    if (!gone)
        return marks_prune(&marks, marks_begin(to->feature, begin_ms));
    int ret =
        slot_splice(to, DISTINCT_KEPT * PAIR_BYTES,
                    -(int32_t)(to->item.len - DISTINCT_KEPT * PAIR_BYTES));
    if (ret == 0)
        ret = user_set_coarse(to->store, to->user, &to->item, 0);
    return ret == 0 ? slot_splice(to, 0, -(int32_t)(gone * PAIR_BYTES)) : ret;
}

uint64_t newest_count(const struct item *item, const struct feature *feature,
                      int64_t begin_ms)
{
    uint32_t count = kept_count(item);
    uint32_t gone = pairs_after(item, count, begin_ms);
    if (gone || !item->coarse)
        return count - gone;
    uint64_t estimate = marks_count(item, marks_begin(feature, begin_ms));
    return estimate > DISTINCT_KEPT ? estimate : DISTINCT_KEPT;
}

/* Whether a count of DISTINCT_KEPT and more is all the same to who asks. */
static int all_flips_low(const struct feature *feature)
{
    return !feature->every &&
           feature_region(feature, DISTINCT_KEPT) == feature->flip_count;
}

/* Values leave one by one: the one that makes the count pass a flip. Of an
 * estimate that matters a lower bound: when anything leaves. */
int64_t newest_next(const struct item *item, const struct feature *feature,
                    int64_t now_ms)
{
    int64_t begin_ms = now_ms - feature->from_ms;
    uint32_t kept = kept_count(item), i = pairs_after(item, kept, begin_ms);
    uint32_t count = kept - i, region = feature_region(feature, count);
    if (item->coarse && !i && !all_flips_low(feature)) {
        int64_t width = feature_bucket_ms(feature);
        int64_t first = marks_first(item, marks_begin(feature, begin_ms));
        first = marks_begin(feature, first + width - 1);
        int64_t oldest = pair_at(item, 0).time_ms;
        return (first < oldest ? first : oldest) + feature->from_ms;
    }
    if (!feature->every) {
        if (!region)
            return SEG_NEVER;
        i += count - feature->flips[region - 1];
    }
    return i < kept ? pair_at(item, i).time_ms + feature->from_ms : SEG_NEVER;
}

int newest_prune(struct slot *to, int64_t begin_ms)
{
    uint32_t gone = pairs_after(&to->item, kept_count(&to->item), begin_ms);
    return to->item.coarse ? drop(to, gone, begin_ms)
                           : slot_splice(to, 0, -(int32_t)(gone * PAIR_BYTES));
}

void newest_write(const struct item *item, struct buf *buf)
{
    pairs_write(item, kept_count(item), buf);
    if (item->coarse)
        marks_write(item, buf);
}

int newest_read(struct slot *to, int coarse, struct reader *reader)
{
    const struct marks marks = slot_marks(to);
    int ret = coarse ? pairs_read(to, DISTINCT_KEPT, DISTINCT_KEPT, reader)
                     : pairs_read(to, 0, DISTINCT_EXACT_MAX, reader);
    uint32_t count = pair_count(&to->item);
    if (ret == 0 && pairs_values(&to->item, 0, count) != count)
        return SEG_ERR_RECORD;
    return ret == 0 && coarse ? marks_read(&marks, reader) : ret;
}
