/* first_last.c: the value of a property at the first or last event in a window.
 *
 * The last event of a window that ends now, and the first or last one ever, can
 * only be replaced by one further out: one entry is kept,
 *
 *     time (8 bytes)   stamp (8)   value (codec.h)
 *
 * In all other windows any entry may become the first or last in sight, so all
 * are kept, in the order of events (time, topic, offset). The item is a row of
 * them, and behind it where each ends, so that one is found by halving:
 *
 *     | base | entry 0 | entry 1 | entry 2 ... | end 0 | end 1 | end 2 ...
 *       4      time, stamp, value each           4 each
 *
 * An end is counted from the beginning of all entries that ever stood in front
 * of it, and base is where the first one that is there begins: so what leaves
 * is cut off at the front, and no end changes. An event in order goes behind
 * the others; for a late one what follows moves up.
 *
 * Beyond FEATURE_EXACT_MAX entries the item is coarse: of each bucket of window
 * / 64 only the one nearest the sought end is kept, until it is empty again. */
#include "lib/user/first_last.h"

#include <string.h>

#include <seg/error.h>

#include "lib/user/codec.h"

#define HEAD_WORDS 4 /* Of an entry: in front of its value. */
#define BASE_BYTES 4u
#define END_BYTES  WORD_BYTES

/* What is the same for all that is done in one fold. */
struct change {
    struct store *store;
    struct user **user;
    const struct feature *feature;
    struct item item;
};

static int wants_first(const struct feature *feature)
{
    return feature->kind == FEATURE_FIRST;
}

/* Whether one entry is all that is ever needed. */
static int keeps_one(const struct feature *feature)
{
    return feature->to_ms == 0 &&
           (feature->from_ms == FEATURE_LIFETIME || !wants_first(feature));
}

static int64_t bucket_of(const struct feature *feature, int64_t time_ms)
{
    int64_t width = feature_bucket_ms(feature);
    return (time_ms - ((time_ms % width) + width) % width) / width;
}

/* ---- the row ------------------------------------------------------------- */

/* Bytes of all entries: the last word says where they end. */
static uint32_t row_bytes(const struct item *item)
{
    return item->bytes
               ? item->words[item->len / WORD_BYTES - 1] - item->words[0]
               : 0;
}

static uint32_t row_count(const struct item *item)
{
    return item->bytes ? (item->len - BASE_BYTES - row_bytes(item)) / END_BYTES
                       : 0;
}

static word *row_ends(const struct item *item)
{
    return (word *)(item->bytes + BASE_BYTES + row_bytes(item));
}

/* Where entry I begins, in bytes from the first one; that after the last one:
 * where all end. */
static uint32_t row_begin(const struct item *item, uint32_t i)
{
    return i ? row_ends(item)[i - 1] - item->words[0] : 0;
}

static struct first_last_entry entry_at(const word *words)
{
    return (struct first_last_entry){
        codec_get_i64(words), codec_get_u64(words + 2), words + HEAD_WORDS};
}

static struct first_last_entry row_entry(const struct item *item, uint32_t i)
{
    return entry_at(item->words + 1 + row_begin(item, i) / WORD_BYTES);
}

static int is_after(const struct first_last_entry *entry, int64_t time_ms,
                    uint64_t stamp)
{
    return entry->time_ms != time_ms ? entry->time_ms > time_ms
                                     : entry->stamp > stamp;
}

/* The first entry that comes after (TIME_MS, STAMP). */
static uint32_t row_after(const struct item *item, int64_t time_ms,
                          uint64_t stamp)
{
    uint32_t low = 0, high = row_count(item);
    struct first_last_entry entry;
    if (!high)
        return 0;
    entry = row_entry(item, high - 1);
    if (!is_after(&entry, time_ms, stamp))
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        entry = row_entry(item, middle);
        if (is_after(&entry, time_ms, stamp))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* The first entry that is later than TIME_MS. */
static uint32_t row_later(const struct item *item, int64_t time_ms)
{
    return row_after(item, time_ms, UINT64_MAX);
}

static void put_entry(word *words, const struct fold *fold)
{
    codec_put_i64(words, fold->time_ms);
    codec_put_u64(words + 2, fold->stamp);
    codec_put(words + HEAD_WORDS, &fold->value);
}

static uint32_t entry_bytes(const struct fold *fold)
{
    return (HEAD_WORDS + codec_words(&fold->value)) * WORD_BYTES;
}

static int splice(struct change *to, uint32_t at, int32_t len)
{
    return user_splice(to->store, to->user, to->feature->item, at, len,
                       &to->item);
}

/* Put FOLD before entry I. */
static int insert(struct change *to, uint32_t i, const struct fold *fold)
{
    struct item *item = &to->item;
    uint32_t count = row_count(item), bytes = row_bytes(item);
    uint32_t begin = row_begin(item, i), len = entry_bytes(fold);
    uint32_t base = count ? item->words[0] : 0;
    uint32_t more = (count ? 0 : BASE_BYTES) + len + END_BYTES;
    /* Room for all of it at the end, so that nothing is ever half done. */
    int ret = splice(to, item->len, (int32_t)more);
    if (ret < 0)
        return ret;
    uint8_t *first = item->bytes + BASE_BYTES;
    word *ends = (word *)(first + bytes + len);
    memmove(ends, first + bytes, count * END_BYTES);
    memmove(ends + i + 1, ends + i, (count - i) * END_BYTES);
    memmove(first + begin + len, first + begin, bytes - begin);
    item->words[0] = base;
    put_entry((word *)(first + begin), fold);
    ends[i] = base + begin;
    for (; i <= count; i++)
        ends[i] += len;
    return 0;
}

/* Take out COUNT entries from number AT on; cannot fail. */
static void cut(struct change *to, uint32_t at, uint32_t count)
{
    struct item *item = &to->item;
    uint32_t all = row_count(item), bytes = row_bytes(item);
    if (!count)
        return;
    if (count == all) {
        user_resize(to->store, to->user, to->feature->item, 0, item);
        return;
    }
    uint32_t begin = row_begin(item, at);
    uint32_t len = row_begin(item, at + count) - begin;
    word *ends = row_ends(item);
    if (!at) /* Where those in front began is no matter any more. */
        item->words[0] += len;
    for (uint32_t i = at + count; at && i < all; i++)
        ends[i] -= len;
    splice(to, BASE_BYTES + bytes + at * END_BYTES,
           -(int32_t)(count * END_BYTES));
    splice(to, BASE_BYTES + begin, -(int32_t)len);
}

/* ---- folding ------------------------------------------------------------- */

static int fold_one(struct change *to, const struct fold *fold)
{
    struct item *item = &to->item;
    if (item->bytes) {
        struct first_last_entry entry = entry_at(item->words);
        if (is_after(&entry, fold->time_ms, fold->stamp) !=
            wants_first(to->feature))
            return 0;
    }
    int ret = user_resize(to->store, to->user, to->feature->item,
                          entry_bytes(fold), item);
    if (ret == 0)
        put_entry(item->words, fold);
    return ret;
}

static int share_bucket(const struct change *to, uint32_t i)
{
    return bucket_of(to->feature, row_entry(&to->item, i).time_ms) ==
           bucket_of(to->feature, row_entry(&to->item, i + 1).time_ms);
}

/* Of neighbours I and I + 1, if they are in one bucket, the one further from
 * the sought end goes. */
static int thin(struct change *to, uint32_t i)
{
    if (i + 1 >= row_count(&to->item) || !share_bucket(to, i))
        return 0;
    cut(to, wants_first(to->feature) ? i + 1 : i, 1);
    return 1;
}

static int make_coarse(struct change *to)
{
    uint32_t i = 0;
    while (i + 1 < row_count(&to->item))
        i += !thin(to, i);
    return user_set_coarse(to->store, to->user, &to->item, 1);
}

static int fold_many(struct change *to, const struct fold *fold, int64_t now_ms,
                     struct folded *folded)
{
    cut(to, 0, row_later(&to->item, now_ms - to->feature->from_ms));
    int coarse = to->item.coarse;
    uint32_t i = row_after(&to->item, fold->time_ms, fold->stamp);
    int ret = insert(to, i, fold);
    if (ret < 0)
        return ret;
    if (coarse) { /* At most one neighbour shares its bucket. */
        if (!thin(to, i) && i)
            thin(to, i - 1);
        return 0;
    }
    if (row_count(&to->item) <= FEATURE_EXACT_MAX)
        return 0;
    folded->coarse = 1;
    return make_coarse(to);
}

static int is_expired(const struct feature *feature, int64_t time_ms,
                      int64_t now_ms)
{
    return feature->from_ms != FEATURE_LIFETIME &&
           now_ms - time_ms >= feature->from_ms;
}

static int64_t next_value(const struct user *user,
                          const struct feature *feature, int64_t now_ms);

static int fold_value(struct store *store, struct user **user,
                      const struct feature *feature, const struct fold *fold,
                      int64_t now_ms, struct folded *folded)
{
    struct change to = {store, user, feature, user_item(*user, feature->item)};
    int ret = 0;
    *folded = (struct folded){0};
    if (!is_expired(feature, fold->time_ms, now_ms))
        ret = keeps_one(feature) ? fold_one(&to, fold)
                                 : fold_many(&to, fold, now_ms, folded);
    folded->next_ms = ret == 0 ? next_value(*user, feature, now_ms) : SEG_NEVER;
    return ret;
}

/* ---- what is in sight ---------------------------------------------------- */

/* The sought entry at NOW_MS. Returns 0 if none is in sight. */
static int find(const struct item *item, const struct feature *feature,
                int64_t now_ms, struct first_last_entry *entry)
{
    if (!item->bytes)
        return 0;
    if (keeps_one(feature)) {
        *entry = entry_at(item->words);
        return !is_expired(feature, entry->time_ms, now_ms);
    }
    uint32_t leave = row_later(item, now_ms - feature->from_ms);
    uint32_t enter = row_later(item, now_ms - feature->to_ms);
    if (leave == enter)
        return 0;
    *entry = row_entry(item, wants_first(feature) ? leave : enter - 1);
    return 1;
}

static int measure_value(const struct user *user, const struct feature *feature,
                         int64_t now_ms, struct arena *arena,
                         struct seg_value *value)
{
    struct item item = user_item(user, feature->item);
    struct first_last_entry entry;
    *value = (struct seg_value){.type = SEG_MISSING};
    return find(&item, feature, now_ms, &entry)
               ? codec_get(entry.value, arena, value)
               : 0;
}

static void value_events(const struct user *user, const struct feature *feature,
                         int64_t now_ms, struct feature_events *events)
{
    struct item item = user_item(user, feature->item);
    struct first_last_entry entry;
    if (find(&item, feature, now_ms, &entry))
        feature_events_add(events, entry.time_ms);
}

/* The sought entry leaves, or another one comes in that is nearer to the sought
 * end. */
static int64_t next_value(const struct user *user,
                          const struct feature *feature, int64_t now_ms)
{
    struct item item = user_item(user, feature->item);
    struct first_last_entry entry;
    int64_t next = SEG_NEVER;
    int found = find(&item, feature, now_ms, &entry);
    if (found && feature->from_ms != FEATURE_LIFETIME)
        next = entry.time_ms + feature->from_ms;
    if (!feature->to_ms || (found && wants_first(feature)))
        return next;
    uint32_t enter = row_later(&item, now_ms - feature->to_ms);
    if (enter == row_count(&item))
        return next;
    int64_t enters_ms = row_entry(&item, enter).time_ms + feature->to_ms;
    return enters_ms < next ? enters_ms : next;
}

/* ---- in records ---------------------------------------------------------- */

uint32_t first_last_count(const struct feature *feature,
                          const struct item *item)
{
    return keeps_one(feature) ? item->bytes != NULL : row_count(item);
}

struct first_last_entry first_last_at(const struct feature *feature,
                                      const struct item *item, uint32_t i)
{
    return keeps_one(feature) ? entry_at(item->words) : row_entry(item, i);
}

int first_last_append(struct store *store, struct user **user,
                      const struct feature *feature, const struct fold *fold)
{
    struct change to = {store, user, feature, user_item(*user, feature->item)};
    if (!keeps_one(feature))
        return insert(&to, row_count(&to.item), fold);
    return to.item.bytes ? SEG_ERR_RECORD : fold_one(&to, fold);
}

const struct feature_ops first_ops = {.fold = fold_value,
                                      .measure = measure_value,
                                      .next = next_value,
                                      .events = value_events};
const struct feature_ops last_ops = {.fold = fold_value,
                                     .measure = measure_value,
                                     .next = next_value,
                                     .events = value_events};
