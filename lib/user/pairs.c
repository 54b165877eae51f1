/* pairs.c: rows of (time, hash). */
#include "lib/user/pairs.h"

#include <string.h>

#include <seg/error.h>

#include "lib/user/times.h"

uint32_t pairs_find(const struct item *item, uint32_t count,
                    const struct pair *pair)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct pair at = pair_at(item, middle);
        if (pair_before(&at, pair))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t pairs_after(const struct item *item, uint32_t count, int64_t time_ms)
{
    const struct pair end = {time_ms + 1, 0};
    return pairs_find(item, count, &end);
}

int pairs_insert(struct slot *to, uint32_t i, const struct pair *pair)
{
    int ret = slot_splice(to, i * PAIR_BYTES, PAIR_BYTES);
    if (ret == 0)
        pair_put(&to->item, i, pair);
    return ret;
}

void pairs_remove(struct slot *to, uint32_t i)
{
    slot_splice(to, i * PAIR_BYTES, -(int32_t)PAIR_BYTES);
}

/* A small set of hashes, at most FEATURE_EXACT_MAX: room for COUNT of them.
 * Returns its size. */
static uint32_t seen_clear(uint64_t *seen, uint32_t count)
{
    uint32_t size = 2;
    while (size < 2 * count)
        size *= 2;
    memset(seen, 0, size * sizeof(*seen));
    return size;
}

/* Returns 1 if HASH was not there. */
static int seen_add(uint64_t *seen, uint32_t size, uint64_t hash)
{
    uint32_t slot = (uint32_t)hash & (size - 1);
    while (seen[slot] && seen[slot] != hash)
        slot = (slot + 1) & (size - 1);
    int added = !seen[slot];
    seen[slot] = hash;
    return added;
}

uint64_t pairs_values(const struct item *item, uint32_t from, uint32_t to)
{
    uint64_t seen[2 * FEATURE_EXACT_MAX], count = 0;
    uint32_t size = seen_clear(seen, to > from ? to - from : 0);
    for (uint32_t i = from; i < to; i++)
        count += (uint64_t)seen_add(seen, size, pair_at(item, i).hash);
    return count;
}

void pairs_keep_newest(struct slot *to, uint32_t end)
{
    uint64_t seen[2 * FEATURE_EXACT_MAX];
    uint32_t size = seen_clear(seen, end);
    for (uint32_t i = end; i-- > 0;)
        if (!seen_add(seen, size, pair_at(&to->item, i).hash))
            pairs_remove(to, i);
}

void pairs_write(const struct item *item, uint32_t count, struct buf *buf)
{
    buf_varint(buf, count);
    for (uint32_t i = 0; i < count; i++) {
        buf_u64(buf, (uint64_t)pair_at(item, i).time_ms);
        buf_u64(buf, pair_at(item, i).hash);
    }
}

int pairs_read(struct slot *to, uint32_t least, uint32_t most,
               struct reader *reader)
{
    uint64_t count = reader_varint(reader);
    if (count < least || count > most)
        return SEG_ERR_RECORD;
    for (uint32_t i = 0; i < count; i++) {
        int64_t time_ms = times_read_ms(reader);
        const struct pair pair = {time_ms, reader_u64(reader)};
        struct pair last = i ? pair_at(&to->item, i - 1) : pair;
        if (reader_failed(reader) || !pair.hash ||
            (i && !pair_before(&last, &pair)))
            return SEG_ERR_RECORD;
        int ret = pairs_insert(to, i, &pair);
        if (ret < 0)
            return ret;
    }
    return reader_failed(reader) ? SEG_ERR_RECORD : 0;
}
