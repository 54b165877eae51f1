/* first_last.c: the value of a property at the first or last event in a window.
 *
 * The item is a row of entries, in the order of events (time, topic, offset):
 *
 *     time (2 words)   stamp (2)   value (codec.h)
 *
 * The last event of a window that ends now, and the first or last one ever, can
 * only be replaced by one further out: one entry is kept. In all other windows
 * any entry may become the first or last in sight, so all are kept, up to the
 * exact limit; then only the one nearest the sought end of each bucket of
 * window / 64 (the item is coarse), until the item is empty again. */
#include <seg/error.h>

#include "lib/user/codec.h"
#include "lib/user/feature.h"

#define HEAD_WORDS 4

struct entry {
    int64_t time_ms;
    uint64_t stamp;
    uint32_t at;    /* Word in the item. */
    uint32_t words; /* All of it. */
};

/* The entry at word AT of ITEM; 0 at the end. */
static int entry_at(const struct item *item, uint32_t at, struct entry *entry)
{
    if (!item->words || at >= item->len / WORD_BYTES)
        return 0;
    const word *words = item->words + at;
    *entry = (struct entry){codec_get_i64(words), codec_get_u64(words + 2), at,
                            HEAD_WORDS + codec_len(words + HEAD_WORDS)};
    return 1;
}

static int before(const struct entry *entry, const struct fold *fold)
{
    return entry->time_ms != fold->time_ms ? entry->time_ms < fold->time_ms
                                           : entry->stamp < fold->stamp;
}

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

static int expired(const struct feature *feature, int64_t time_ms,
                   int64_t now_ms)
{
    return feature->from_ms != FEATURE_LIFETIME &&
           now_ms - time_ms >= feature->from_ms;
}

static int64_t bucket_of(const struct feature *feature, int64_t time_ms)
{
    int64_t width = feature_bucket_ms(feature);
    return (time_ms - ((time_ms % width) + width) % width) / width;
}

static void cut(struct store *store, struct user **user,
                const struct feature *feature, const struct entry *entry,
                struct item *item)
{
    user_splice(store, user, feature->item, entry->at * WORD_BYTES,
                -(int32_t)(entry->words * WORD_BYTES), item);
}

static int insert(struct store *store, struct user **user,
                  const struct feature *feature, const struct fold *fold,
                  uint32_t at, struct item *item)
{
    uint32_t words = HEAD_WORDS + codec_words(&fold->value);
    int ret = user_splice(store, user, feature->item, at * WORD_BYTES,
                          (int32_t)(words * WORD_BYTES), item);
    if (ret < 0)
        return ret;
    codec_put_i64(item->words + at, fold->time_ms);
    codec_put_u64(item->words + at + 2, fold->stamp);
    codec_put(item->words + at + HEAD_WORDS, &fold->value);
    return 0;
}

static int fold_one(struct store *store, struct user **user,
                    const struct feature *feature, const struct fold *fold)
{
    struct item item = user_item(*user, feature->item);
    struct entry entry;
    if (entry_at(&item, 0, &entry)) {
        if (before(&entry, fold) == wants_first(feature))
            return 0;
        cut(store, user, feature, &entry, &item);
    }
    return insert(store, user, feature, fold, 0, &item);
}

/* Of two neighbours in one bucket the one further from the sought end goes. */
static void thin(struct store *store, struct user **user,
                 const struct feature *feature, struct item *item)
{
    struct entry entry, next;
    uint32_t at = 0;
    while (entry_at(item, at, &entry) &&
           entry_at(item, at + entry.words, &next)) {
        if (bucket_of(feature, entry.time_ms) !=
            bucket_of(feature, next.time_ms)) {
            at += entry.words;
            continue;
        }
        cut(store, user, feature, wants_first(feature) ? &next : &entry, item);
    }
}

static int fold_many(struct store *store, struct user **user,
                     const struct feature *feature, const struct fold *fold,
                     int64_t now_ms, struct folded *folded)
{
    struct item item = user_item(*user, feature->item);
    struct entry entry;
    uint32_t count = 0, at = 0;
    while (entry_at(&item, 0, &entry) &&
           expired(feature, entry.time_ms, now_ms))
        cut(store, user, feature, &entry, &item);
    for (uint32_t i = 0; entry_at(&item, i, &entry); i += entry.words) {
        at = before(&entry, fold) ? i + entry.words : at;
        count++;
    }
    int ret = insert(store, user, feature, fold, at, &item);
    if (ret < 0)
        return ret;
    int was_coarse = item.coarse;
    if (!was_coarse && count + 1 <= FEATURE_EXACT_MAX)
        return 0;
    ret = user_set_coarse(store, user, &item, 1);
    if (ret < 0)
        return ret;
    thin(store, user, feature, &item);
    folded->coarse = !was_coarse;
    return 0;
}

static int64_t next_value(const struct user *user,
                          const struct feature *feature, int64_t now_ms);

static int fold_value(struct store *store, struct user **user,
                      const struct feature *feature, const struct fold *fold,
                      int64_t now_ms, struct folded *folded)
{
    int ret = 0;
    *folded = (struct folded){0};
    if (!expired(feature, fold->time_ms, now_ms))
        ret = keeps_one(feature)
                  ? fold_one(store, user, feature, fold)
                  : fold_many(store, user, feature, fold, now_ms, folded);
    folded->next_ms = ret == 0 ? next_value(*user, feature, now_ms) : SEG_NEVER;
    return ret;
}

static int in_sight(const struct feature *feature, int64_t time_ms,
                    int64_t now_ms)
{
    return now_ms - time_ms >= feature->to_ms &&
           !expired(feature, time_ms, now_ms);
}

static int measure_value(const struct user *user, const struct feature *feature,
                         int64_t now_ms, struct arena *arena,
                         struct seg_value *value)
{
    struct item item = user_item(user, feature->item);
    struct entry entry;
    uint32_t at, found = UINT32_MAX;
    for (at = 0; entry_at(&item, at, &entry); at += entry.words) {
        if (!in_sight(feature, entry.time_ms, now_ms))
            continue;
        found = at;
        if (wants_first(feature))
            break;
    }
    *value = (struct seg_value){.type = SEG_MISSING};
    return found == UINT32_MAX
               ? 0
               : codec_get(item.words + found + HEAD_WORDS, arena, value);
}

static int64_t next_value(const struct user *user,
                          const struct feature *feature, int64_t now_ms)
{
    struct item item = user_item(user, feature->item);
    struct entry entry;
    int64_t next = SEG_NEVER;
    for (uint32_t at = 0; entry_at(&item, at, &entry); at += entry.words) {
        int64_t enters = entry.time_ms + feature->to_ms;
        if (enters > now_ms && enters < next)
            next = enters;
        if (feature->from_ms == FEATURE_LIFETIME)
            continue;
        int64_t leaves = entry.time_ms + feature->from_ms;
        if (leaves > now_ms && leaves < next)
            next = leaves;
    }
    return next;
}

const struct feature_ops first_ops = {fold_value, measure_value, next_value};
const struct feature_ops last_ops = {fold_value, measure_value, next_value};
