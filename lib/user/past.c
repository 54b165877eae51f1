/* past.c: distinct values in a window that ends in the past (distinct.c, PAST).
 */
#include <seg/error.h>

#include "lib/user/pairs.h"
#include "lib/user/sketch.h"

static int64_t floor_to(int64_t time_ms, int64_t width_ms)
{
    return time_ms - ((time_ms % width_ms) + width_ms) % width_ms;
}

static int64_t cell_ms(const struct feature *feature)
{
    return feature->from_ms - feature->to_ms;
}

static int add_past_mark(struct slot *to, const struct pair *pair)
{
    const struct marks marks = slot_marks(to);
    return past_marks_add(
        &marks, sketch_spot(pair->hash, DISTINCT_PAST_BITS),
        floor_to(pair->time_ms, feature_bucket_ms(to->feature)));
}

static int make_past_marks(struct slot *to)
{
    struct pair pairs[FEATURE_EXACT_MAX + 1];
    uint32_t count = pair_count(&to->item);
    for (uint32_t i = 0; i < count; i++)
        pairs[i] = pair_at(&to->item, i);
    int ret = slot_splice(to, 0, -(int32_t)to->item.len);
    for (uint32_t i = 0; ret == 0 && i < count; i++)
        ret = add_past_mark(to, &pairs[i]);
    return ret;
}

/* The pairs of the value of PAIR in its cell: up to two in FOUND, in order.
 * Returns how many. */
static uint32_t find_in_cell(const struct slot *to, const struct pair *pair,
                             uint32_t found[2])
{
    const struct item *item = &to->item;
    int64_t width_ms = cell_ms(to->feature);
    int64_t begin_ms = floor_to(pair->time_ms, width_ms);
    uint32_t n = 0, count = pair_count(item);
    uint32_t end = pairs_after(item, count, begin_ms + width_ms - 1);
    for (uint32_t i = pairs_after(item, count, begin_ms - 1); i < end; i++)
        if (pair_at(item, i).hash == pair->hash && n < 2)
            found[n++] = i;
    return n;
}

/* Make room for PAIR among those of its value in its cell. Returns 1, or 0 if
 * it is not needed. */
static int may_add_past(struct slot *to, const struct pair *pair)
{
    uint32_t found[2], n = find_in_cell(to, pair, found);
    int64_t first = n ? pair_at(&to->item, found[0]).time_ms : 0;
    int64_t last = n ? pair_at(&to->item, found[n - 1]).time_ms : 0;
    if (n && (pair->time_ms == first || pair->time_ms == last))
        return 0;
    if (n < 2)
        return 1;
    if (pair->time_ms > first && pair->time_ms < last)
        return 0;
    pairs_remove(to, found[pair->time_ms > last]);
    return 1;
}

static int add(struct slot *to, const struct pair *pair, struct folded *folded)
{
    if (to->item.coarse)
        return add_past_mark(to, pair);
    if (!may_add_past(to, pair))
        return 0;
    uint32_t count = pair_count(&to->item);
    int ret = pairs_insert(to, pairs_find(&to->item, count, pair), pair);
    if (ret < 0 || count < FEATURE_EXACT_MAX)
        return ret;
    folded->coarse = 1;
    return make_past_marks(to);
}

/* The last instant of the cell of BEGIN_MS. */
static int64_t first_cell_end(const struct feature *feature, int64_t begin_ms)
{
    int64_t width_ms = cell_ms(feature);
    return floor_to(begin_ms, width_ms) + width_ms - 1;
}

/* In the cell of BEGIN_MS only the newest pair of a value is needed. */
static void thin_first_cell(struct slot *to, int64_t begin_ms)
{
    int64_t last_ms = first_cell_end(to->feature, begin_ms);
    uint32_t end = pairs_after(&to->item, pair_count(&to->item), last_ms);
    pairs_keep_newest(to, end);
}

static int prune(struct slot *to, int64_t begin_ms)
{
    const struct marks marks = slot_marks(to);
    if (to->item.coarse)
        return past_marks_prune(&marks, begin_ms);
    uint32_t gone = pairs_after(&to->item, pair_count(&to->item), begin_ms);
    int ret = slot_splice(to, 0, -(int32_t)(gone * PAIR_BYTES));
    if (ret == 0)
        thin_first_cell(to, begin_ms);
    return ret;
}

uint64_t past_values(const struct item *item, int64_t begin_ms, int64_t end_ms)
{
    if (item->coarse)
        return past_marks_count(item, begin_ms, end_ms);
    uint32_t count = pair_count(item);
    return pairs_values(item, pairs_after(item, count, begin_ms),
                        pairs_after(item, count, end_ms));
}

/* Of an estimate: when something comes in or leaves. */
static int64_t next_mark(const struct item *item, const struct feature *feature,
                         int64_t now_ms)
{
    int64_t leaves = past_marks_first(item, now_ms - feature->from_ms);
    int64_t enters = past_marks_first(item, now_ms - feature->to_ms);
    if (leaves != INT64_MAX)
        leaves += feature->from_ms;
    if (enters != INT64_MAX)
        enters += feature->to_ms;
    return leaves < enters ? leaves : enters;
}

/* Of COUNT values at NOW_MS, a lower bound: with each pair that comes in or
 * leaves the count changes by one at most, so as many must as it lies from the
 * end of its region. */
static int64_t next_of(const struct item *item, const struct feature *feature,
                       int64_t now_ms, uint64_t count)
{
    if (item->coarse)
        return next_mark(item, feature, now_ms);
    uint32_t all = pair_count(item);
    uint32_t leave = pairs_after(item, all, now_ms - feature->from_ms);
    uint32_t enter = pairs_after(item, all, now_ms - feature->to_ms);
    struct feature_bounds bounds = feature_bounds(feature, count);
    uint64_t leaves = leave + (count - bounds.low);
    uint64_t enters = enter + (bounds.high - 1 - count);
    int64_t at = SEG_NEVER;
    if (bounds.low && leaves < all)
        at = pair_at(item, (uint32_t)leaves).time_ms + feature->from_ms;
    if (bounds.high != UINT64_MAX && enters < all) {
        int64_t enters_ms =
            pair_at(item, (uint32_t)enters).time_ms + feature->to_ms;
        at = enters_ms < at ? enters_ms : at;
    }
    return at;
}

int64_t past_next(const struct item *item, const struct feature *feature,
                  int64_t now_ms)
{
    uint64_t count = item->coarse ? 0
                                  : past_values(item, now_ms - feature->from_ms,
                                                now_ms - feature->to_ms);
    return next_of(item, feature, now_ms, count);
}

/* ---- folding ------------------------------------------------------------ */

/* Whether PAIR, which was added, is in the window at END_MS. */
static int is_in(const struct slot *to, const struct pair *pair, int64_t end_ms)
{
    int64_t time_ms = pair->time_ms;
    if (to->item.coarse)
        time_ms = floor_to(time_ms, feature_bucket_ms(to->feature));
    return time_ms <= end_ms;
}

/* As a rule an event is not in the window yet: then the values are counted
 * once, and of the first cell nothing has changed. */
int past_fold(struct slot *to, const struct pair *pair, int64_t now_ms,
              struct folded *folded)
{
    const struct feature *feature = to->feature;
    int64_t begin_ms = now_ms - feature->from_ms;
    int64_t end_ms = now_ms - feature->to_ms;
    int adds = pair->hash && pair->time_ms > begin_ms;
    folded->before = past_values(&to->item, begin_ms, end_ms);
    int ret = prune(to, begin_ms);
    if (ret == 0 && adds)
        ret = add(to, pair, folded);
    if (ret == 0 && adds &&
        (to->item.coarse || pair->time_ms <= first_cell_end(feature, begin_ms)))
        ret = prune(to, begin_ms);
    if (ret < 0)
        return ret;
    folded->after = folded->before;
    if (folded->coarse || (adds && is_in(to, pair, end_ms)))
        folded->after = past_values(&to->item, begin_ms, end_ms);
    folded->next_ms = next_of(&to->item, feature, now_ms, folded->after);
    return 0;
}
