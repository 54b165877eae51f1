/* dedupe.c: message ids seen of a user. */
#include "lib/user/dedupe.h"

#include "lib/base/hash.h"
#include "lib/user/codec.h"
#include "lib/user/times.h"

#define LEAD 2

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
    struct item item = user_item(user, USER_ITEM_IDS);
    uint32_t count = times_count(&item, LEAD);
    for (uint32_t i = count; i-- > 0;) {
        if (codec_get_u64(times_entry(&item, LEAD, i)) != hash)
            continue;
        int64_t old = times_get(user, &item, LEAD, i);
        if (timestamp_ms - old < SEG_ID_WINDOW_MS &&
            old - timestamp_ms < SEG_ID_WINDOW_MS && !forgotten(old, now_ms))
            return 1;
    }
    return 0;
}

void dedupe_age(struct store *store, struct user **user, int64_t now_ms)
{
    struct item item = user_item(*user, USER_ITEM_IDS);
    uint32_t count = times_count(&item, LEAD), old = 0;
    while (old < count && forgotten(times_get(*user, &item, LEAD, old), now_ms))
        old++;
    times_remove(store, user, USER_ITEM_IDS, 0, old, &item);
}

int dedupe_add(struct store *store, struct user **user, uint64_t hash,
               int64_t timestamp_ms, int64_t now_ms)
{
    dedupe_age(store, user, now_ms);
    if (forgotten(timestamp_ms, now_ms))
        return 0;
    struct item item = user_item(*user, USER_ITEM_IDS);
    uint32_t count = times_count(&item, LEAD);
    if (count == SEG_IDS_MAX) {
        times_remove(store, user, USER_ITEM_IDS, 0, 1, &item);
        count--;
    }
    int ret = times_insert(store, user, USER_ITEM_IDS, count, timestamp_ms,
                           &item);
    if (ret == 0)
        codec_put_u64(times_entry(&item, LEAD, count), hash);
    return ret;
}

int64_t dedupe_next(const struct user *user)
{
    struct item item = user_item(user, USER_ITEM_IDS);
    uint32_t count = times_count(&item, LEAD);
    int64_t latest = INT64_MIN;
    for (uint32_t i = 0; i < count; i++) {
        int64_t timestamp_ms = times_get(user, &item, LEAD, i);
        latest = timestamp_ms > latest ? timestamp_ms : latest;
    }
    return count ? latest + DEDUPE_KEEP_MS : SEG_NEVER;
}

uint32_t dedupe_count(const struct user *user)
{
    struct item item = user_item(user, USER_ITEM_IDS);
    return times_count(&item, LEAD);
}

uint64_t dedupe_at(const struct user *user, uint32_t index,
                   int64_t *timestamp_ms)
{
    struct item item = user_item(user, USER_ITEM_IDS);
    *timestamp_ms = times_get(user, &item, LEAD, index);
    return codec_get_u64(times_entry(&item, LEAD, index));
}
