/* dedupe.c: message ids seen of a user.
 *
 * The item is a row of entries, all of one width:
 *
 *     | width | hash | time  | hash | time  | ...
 *       1       8      width   8      width
 *
 * A time is kept beside the user's base (times.h). The width grows when a time
 * needs more, and shrinks only by all ids being forgotten. */
#include "lib/user/dedupe.h"

#include <string.h>

#include "lib/base/hash.h"
#include "lib/user/times.h"

#define HEAD_BYTES 1
#define HASH_BYTES 8

/* The ids of a user. */
struct ids {
    struct item item;
    uint32_t width; /* Of a time. */
    uint32_t count;
};

static uint32_t stride_of(uint32_t width)
{
    return HASH_BYTES + width;
}

static struct ids ids_of(const struct user *user)
{
    struct ids ids = {.item = user_item(user, USER_ITEM_IDS), .width = 1};
    if (ids.item.bytes) {
        ids.width = ids.item.bytes[0];
        ids.count = (ids.item.len - HEAD_BYTES) / stride_of(ids.width);
    }
    return ids;
}

static uint8_t *entry_of(const struct ids *ids, uint32_t index)
{
    return ids->item.bytes + HEAD_BYTES + index * stride_of(ids->width);
}

static uint64_t hash_at(const struct ids *ids, uint32_t index)
{
    uint64_t hash;
    memcpy(&hash, entry_of(ids, index), sizeof(hash));
    return hash;
}

static int64_t time_at(const struct user *user, const struct ids *ids,
                       uint32_t index)
{
    return times_from(
        user, times_load(entry_of(ids, index) + HASH_BYTES, ids->width));
}

uint64_t dedupe_hash(uint64_t topic_hash, struct seg_text message_id)
{
    return hash_bytes(message_id.bytes, message_id.len, topic_hash);
}

static int forgotten(int64_t timestamp_ms, int64_t now_ms)
{
    return timestamp_ms <= now_ms - DEDUPE_KEEP_MS;
}

int dedupe_seen(const struct user *user, uint64_t hash, int64_t timestamp_ms,
                int64_t now_ms)
{
    struct ids ids = ids_of(user);
    for (uint32_t i = ids.count; i-- > 0;) {
        if (hash_at(&ids, i) != hash)
            continue;
        int64_t old = time_at(user, &ids, i);
        if (timestamp_ms - old < SEG_ID_WINDOW_MS &&
            old - timestamp_ms < SEG_ID_WINDOW_MS && !forgotten(old, now_ms))
            return 1;
    }
    return 0;
}

/* Cut the first COUNT ids out, the head too if they are all. */
static void cut(struct store *store, struct user **user, uint32_t count,
                struct ids *ids)
{
    uint32_t len =
        count == ids->count ? ids->item.len : count * stride_of(ids->width);
    if (!count)
        return;
    user_splice(store, user, USER_ITEM_IDS,
                count == ids->count ? 0 : HEAD_BYTES, -(int32_t)len,
                &ids->item);
    ids->count -= count;
}

static void age(struct store *store, struct user **user, int64_t now_ms,
                struct ids *ids)
{
    uint32_t old = 0;
    while (old < ids->count && forgotten(time_at(*user, ids, old), now_ms))
        old++;
    cut(store, user, old, ids);
}

void dedupe_age(struct store *store, struct user **user, int64_t now_ms)
{
    struct ids ids = ids_of(*user);
    age(store, user, now_ms, &ids);
}

/* Make times WIDTH bytes wide; there is at least one entry. */
static int widen(struct store *store, struct user **user, uint32_t width,
                 struct ids *ids)
{
    struct ids old = *ids;
    uint32_t stride = stride_of(width), len = HEAD_BYTES + ids->count * stride;
    int ret = user_resize(store, user, USER_ITEM_IDS, len, &ids->item);
    if (ret < 0)
        return ret;
    ids->width = width;
    old.item.bytes = ids->item.bytes;
    for (uint32_t i = ids->count; i-- > 0;) {
        uint8_t *to = entry_of(ids, i);
        uint64_t time = times_load(entry_of(&old, i) + HASH_BYTES, old.width);
        memmove(to, entry_of(&old, i), HASH_BYTES);
        times_store(to + HASH_BYTES, width, time);
    }
    ids->item.bytes[0] = (uint8_t)width;
    return 0;
}

int dedupe_add(struct store *store, struct user **user, uint64_t hash,
               int64_t timestamp_ms, int64_t now_ms)
{
    struct ids ids = ids_of(*user);
    age(store, user, now_ms, &ids);
    if (forgotten(timestamp_ms, now_ms))
        return 0;
    if (ids.count == SEG_IDS_MAX)
        cut(store, user, 1, &ids);
    uint64_t beside = times_beside(*user, timestamp_ms);
    uint32_t width = times_width(beside);
    int ret = 0;
    if (!ids.count)
        ids.width = width;
    else if (width > ids.width)
        ret = widen(store, user, width, &ids);
    uint32_t len = ids.item.len + !ids.count + stride_of(ids.width);
    if (ret == 0)
        ret = user_resize(store, user, USER_ITEM_IDS, len, &ids.item);
    if (ret < 0)
        return ret;
    ids.item.bytes[0] = (uint8_t)ids.width;
    memcpy(entry_of(&ids, ids.count), &hash, sizeof(hash));
    times_store(entry_of(&ids, ids.count) + HASH_BYTES, ids.width, beside);
    return 0;
}

int64_t dedupe_next(const struct user *user)
{
    struct ids ids = ids_of(user);
    int64_t latest = INT64_MIN;
    for (uint32_t i = 0; i < ids.count; i++) {
        int64_t timestamp_ms = time_at(user, &ids, i);
        latest = timestamp_ms > latest ? timestamp_ms : latest;
    }
    return ids.count ? latest + DEDUPE_KEEP_MS : SEG_NEVER;
}

uint32_t dedupe_count(const struct user *user)
{
    return ids_of(user).count;
}

uint64_t dedupe_at(const struct user *user, uint32_t index,
                   int64_t *timestamp_ms)
{
    struct ids ids = ids_of(user);
    *timestamp_ms = time_at(user, &ids, index);
    return hash_at(&ids, index);
}
