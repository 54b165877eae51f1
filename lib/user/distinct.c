/* distinct.c: how many distinct values a property had.
 *
 * A value goes by its hash (value.h): 1 and 1.0 are one value, lists, objects
 * and missing ones are none. What the item holds:
 *
 *            up to the limit                     beyond, the item is coarse
 *   EVER     the hashes, ascending               how many (8 bytes), then the
 *            (DISTINCT_EXACT_MAX)                registers of a HyperLogLog, 6
 *                                                bits each
 *   WINDOW   of each value the newest time:      the same of the DISTINCT_KEPT
 *            pairs (time, hash), ascending       newest values, and marks of a
 *            (DISTINCT_EXACT_MAX)                sliding HyperLogLog (marks.h);
 *                                                a value leaves it at the end of
 *                                                its bucket of window / 64
 *   PAST     pairs (time, hash), ascending       marks of a HyperLogLog of each
 *            (FEATURE_EXACT_MAX)                 bucket of window / 64: a value
 *                                                counts as if it were at the
 *                                                start of its bucket
 *
 * WINDOW ends now. As soon as one of the DISTINCT_KEPT pairs has left, all that
 * are in sight are among them: the item is exact again. So only what lies above
 * the limit is ever an estimate.
 *
 * PAST ends at some distance from now. Of all pairs of a value only these are
 * needed: time is cut into fixed cells as long as the span from one end to the
 * other; the span at any instant is the end of one cell and the beginning of
 * the next, so the oldest and the newest of each cell tell whether the value is
 * there (habit.c has the same idea). In the cell where the window begins the
 * newest is enough. A coarse item is exact again once it is empty.
 *
 * What is kept does not depend on the order of events. */
#include <seg/error.h>

#include "lib/user/distinct.h"

#include <string.h>

#include "lib/event/value.h"
#include "lib/user/bits.h"
#include "lib/user/pairs.h"
#include "lib/user/sketch.h"
#include "lib/user/times.h"

#define HASH_BYTES    8u
#define COUNT_BYTES   8u
#define REGISTERS     (1u << DISTINCT_BITS)
#define REGISTER_BITS 6u
#define EVER_BYTES    (COUNT_BYTES + REGISTERS * REGISTER_BITS / 8)

enum shape { EVER, WINDOW, PAST };

static enum shape shape_of(const struct feature *feature)
{
    return feature->from_ms == FEATURE_LIFETIME ? EVER
           : feature->to_ms                     ? PAST
                                                : WINDOW;
}

/* ---- ever --------------------------------------------------------------- */

static uint64_t hash_at(const struct item *item, uint32_t i)
{
    return codec_get_u64(item->words + 2 * i);
}

static uint32_t hash_count(const struct item *item)
{
    return item->bytes ? item->len / HASH_BYTES : 0;
}

static uint64_t count_ever(const struct item *item)
{
    return item->coarse ? codec_get_u64(item->words) : hash_count(item);
}

static uint32_t register_at(const struct item *item, uint32_t i)
{
    return (uint32_t)get_bits(item->bytes + COUNT_BYTES, i * REGISTER_BITS,
                              REGISTER_BITS);
}

/* Registers have changed. More values than are counted exactly there are. */
static void count_anew(struct item *item)
{
    struct sketch sketch;
    sketch_clear(&sketch, DISTINCT_BITS);
    for (uint32_t i = 0; i < REGISTERS; i++)
        sketch_raise(&sketch, 0, register_at(item, i));
    uint64_t count = sketch_estimate(&sketch, DISTINCT_BITS);
    codec_put_u64(item->words,
                  count > DISTINCT_EXACT_MAX ? count : DISTINCT_EXACT_MAX + 1);
}

/* Returns 1 if the register of HASH rises. */
static int raise_register(struct item *item, uint64_t hash)
{
    uint16_t spot = sketch_spot(hash, DISTINCT_BITS);
    uint32_t i = spot_register(spot);
    if (spot_rank(spot) <= register_at(item, i))
        return 0;
    set_bits(item->bytes + COUNT_BYTES, i * REGISTER_BITS, REGISTER_BITS,
             spot_rank(spot));
    return 1;
}

static int make_registers(struct slot *to)
{
    uint64_t hashes[DISTINCT_EXACT_MAX + 1];
    uint32_t count = hash_count(&to->item);
    memcpy(hashes, to->item.bytes, count * HASH_BYTES);
    int ret = user_resize(to->store, to->user, to->feature->item, EVER_BYTES,
                          &to->item);
    if (ret == 0)
        ret = user_set_coarse(to->store, to->user, &to->item, 1);
    if (ret < 0)
        return ret;
    memset(to->item.bytes, 0, EVER_BYTES);
    for (uint32_t i = 0; i < count; i++)
        raise_register(&to->item, hashes[i]);
    count_anew(&to->item);
    return 0;
}

static int add_ever(struct slot *to, uint64_t hash, struct folded *folded)
{
    uint32_t i = 0, count = hash_count(&to->item);
    if (to->item.coarse) {
        if (raise_register(&to->item, hash))
            count_anew(&to->item);
        return 0;
    }
    while (i < count && hash_at(&to->item, i) < hash)
        i++;
    if (i < count && hash_at(&to->item, i) == hash)
        return 0;
    int ret = slot_splice(to, i * HASH_BYTES, HASH_BYTES);
    if (ret < 0)
        return ret;
    codec_put_u64(to->item.words + 2 * i, hash);
    if (count < DISTINCT_EXACT_MAX)
        return 0;
    folded->coarse = 1;
    return make_registers(to);
}

/* ---- all of them -------------------------------------------------------- */

/* What is not later than that has left for good. */
static int64_t begin_of(const struct feature *feature, int64_t now_ms)
{
    return shape_of(feature) == EVER ? INT64_MIN : now_ms - feature->from_ms;
}

static uint64_t count_at(const struct item *item, const struct feature *feature,
                         int64_t now_ms)
{
    int64_t begin_ms = begin_of(feature, now_ms);
    if (!item->bytes)
        return 0;
    switch (shape_of(feature)) {
    case EVER:
        return count_ever(item);
    case WINDOW:
        return newest_count(item, feature, begin_ms);
    case PAST:
        break;
    }
    return past_values(item, begin_ms, now_ms - feature->to_ms);
}

static int64_t next_at(const struct item *item, const struct feature *feature,
                       int64_t now_ms)
{
    if (!item->bytes || shape_of(feature) == EVER)
        return SEG_NEVER;
    return shape_of(feature) == WINDOW ? newest_next(item, feature, now_ms)
                                       : past_next(item, feature, now_ms);
}

static int add(struct slot *to, const struct pair *pair, struct folded *folded)
{
    return shape_of(to->feature) == EVER ? add_ever(to, pair->hash, folded)
                                         : newest_add(to, pair, folded);
}

static int fold_distinct(struct store *store, struct user **user,
                         const struct feature *feature, const struct fold *fold,
                         int64_t now_ms, struct folded *folded)
{
    struct slot to = {store, user, feature, user_item(*user, feature->item)};
    const struct pair pair = {fold->time_ms, value_hash(&fold->value)};
    int64_t begin_ms = begin_of(feature, now_ms);
    *folded = (struct folded){.next_ms = SEG_NEVER};
    if (shape_of(feature) == PAST)
        return past_fold(&to, &pair, now_ms, folded);
    folded->before = count_at(&to.item, feature, now_ms);
    int ret = 0;
    if (to.item.bytes && shape_of(feature) == WINDOW)
        ret = newest_prune(&to, begin_ms);
    if (ret == 0 && pair.hash && fold->time_ms > begin_ms)
        ret = add(&to, &pair, folded);
    if (ret < 0)
        return ret;
    folded->after = count_at(&to.item, feature, now_ms);
    folded->next_ms = next_at(&to.item, feature, now_ms);
    return 0;
}

static int measure_distinct(const struct user *user,
                            const struct feature *feature, int64_t now_ms,
                            struct arena *arena, struct seg_value *value)
{
    struct item item = user_item(user, feature->item);
    (void)arena;
    *value = (struct seg_value){.type = SEG_INT,
                                .as.integer =
                                    (int64_t)count_at(&item, feature, now_ms)};
    return 0;
}

static int64_t next_distinct(const struct user *user,
                             const struct feature *feature, int64_t now_ms)
{
    struct item item = user_item(user, feature->item);
    return next_at(&item, feature, now_ms);
}

/* The newest of each value; of a window that ends in the past also others. */
static void distinct_events(const struct user *user,
                            const struct feature *feature, int64_t now_ms,
                            struct feature_events *events)
{
    struct item item = user_item(user, feature->item);
    enum shape shape = shape_of(feature);
    uint32_t count = item.coarse ? DISTINCT_KEPT : pair_count(&item);
    if (shape == EVER || (shape == PAST && item.coarse))
        return;
    for (uint32_t i = count; i > 0; i--) {
        int64_t time_ms = pair_at(&item, i - 1).time_ms;
        if (now_ms - time_ms >= feature->from_ms)
            return;
        if (now_ms - time_ms >= feature->to_ms &&
            !feature_events_add(events, time_ms))
            return;
    }
}

/* ---- records ----------------------------------------------------------------
 *
 *   u8 coarse, then  exact   ever: n hashes, u64 each; else n pairs: ms, u64
 *                            hash; in order
 *                    coarse  ever: 768 bytes, the registers, 6 bits each;
 *                            window: pairs as above, then marks (marks.h);
 *                            past: marks */

static void write_ever(const struct item *item, struct buf *buf)
{
    if (item->coarse) {
        buf_add(buf, item->bytes + COUNT_BYTES, EVER_BYTES - COUNT_BYTES);
        return;
    }
    buf_varint(buf, hash_count(item));
    for (uint32_t i = 0; i < hash_count(item); i++)
        buf_u64(buf, hash_at(item, i));
}

static void write_distinct(const struct user *user,
                           const struct feature *feature,
                           const struct item *item, struct buf *buf,
                           const uint8_t places[FEATURE_TOPICS])
{
    (void)user;
    (void)places;
    buf_u8(buf, (uint8_t)item->coarse);
    switch (shape_of(feature)) {
    case EVER:
        write_ever(item, buf);
        return;
    case WINDOW:
        newest_write(item, buf);
        return;
    case PAST:
        break;
    }
    if (item->coarse)
        past_marks_write(item, buf);
    else
        pairs_write(item, pair_count(item), buf);
}

static int read_registers(struct slot *to, struct reader *reader)
{
    struct seg_text bytes = reader_bytes(reader, EVER_BYTES - COUNT_BYTES);
    if (reader_failed(reader))
        return SEG_ERR_RECORD;
    int ret = user_resize(to->store, to->user, to->feature->item, EVER_BYTES,
                          &to->item);
    if (ret == 0)
        ret = user_set_coarse(to->store, to->user, &to->item, 1);
    if (ret < 0)
        return ret;
    memcpy(to->item.bytes + COUNT_BYTES, bytes.bytes, bytes.len);
    for (uint32_t i = 0; i < REGISTERS; i++)
        if (register_at(&to->item, i) > SKETCH_RANK_MAX)
            return SEG_ERR_RECORD;
    count_anew(&to->item);
    return 0;
}

static int read_hashes(struct slot *to, struct reader *reader)
{
    uint64_t count = reader_varint(reader), last = 0;
    if (count > DISTINCT_EXACT_MAX)
        return SEG_ERR_RECORD;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t hash = reader_u64(reader);
        if (reader_failed(reader) || hash <= last)
            return SEG_ERR_RECORD;
        int ret = slot_splice(to, i * HASH_BYTES, HASH_BYTES);
        if (ret < 0)
            return ret;
        codec_put_u64(to->item.words + 2 * i, hash);
        last = hash;
    }
    return reader_failed(reader) ? SEG_ERR_RECORD : 0;
}

static int read_distinct(struct store *store, struct user **user,
                         const struct feature *feature, struct reader *reader,
                         const uint8_t topics[FEATURE_TOPICS])
{
    struct slot to = {store, user, feature, user_item(*user, feature->item)};
    const struct marks marks = slot_marks(&to);
    int coarse = reader_u8(reader);
    (void)topics;
    switch (shape_of(feature)) {
    case EVER:
        return coarse ? read_registers(&to, reader) : read_hashes(&to, reader);
    case WINDOW:
        return newest_read(&to, coarse, reader);
    case PAST:
        break;
    }
    return coarse ? past_marks_read(&marks, reader)
                  : pairs_read(&to, 0, FEATURE_EXACT_MAX, reader);
}

const struct feature_ops distinct_ops = {.fold = fold_distinct,
                                         .measure = measure_distinct,
                                         .next = next_distinct,
                                         .events = distinct_events,
                                         .write = write_distinct,
                                         .read = read_distinct};
