/* times.c: a row of times, oldest first, in few bytes. */
#include "lib/user/times.h"

#include <string.h>

#include <seg/error.h>

#define SECONDS         4u /* In the code of a difference. */
#define HEAD_BYTES      1
#define MANY_HEAD_BYTES 9
#define DIFFERENCE_MAX  4
#define FEW_BYTES_MAX   (HEAD_BYTES + 8 + (TIMES_FEW - 1) * DIFFERENCE_MAX)

/* A row of many that shrinks becomes one of few only here, so that one that
 * comes and goes at the limit is not written anew each time. */
#define FEW_AGAIN (TIMES_FEW / 2)

/* ---- reading ------------------------------------------------------------ */

static void read_many(const struct item *item, struct times *times)
{
    times->width = (item->bytes[0] & 7u) + 1;
    times->offsets = item->bytes + MANY_HEAD_BYTES;
    times->anchor_ms = (int64_t)times_load(item->bytes + HEAD_BYTES, 8);
    times->count = (item->len - MANY_HEAD_BYTES) / times->width;
}

void times_read(const struct user *user, const struct item *item,
                struct times *times)
{
    times->offsets = NULL;
    times->count = 0;
    if (!item->bytes)
        return;
    uint32_t head = item->bytes[0];
    if (head & TIMES_MANY) {
        read_many(item, times);
        return;
    }
    uint32_t first = (head >> 3 & 7) + 1, width = (head & 3) + 1;
    uint32_t unit = head & SECONDS ? 1000 : 1, n = 0;
    const uint8_t *at = item->bytes + HEAD_BYTES,
                  *end = item->bytes + item->len;
    int64_t time_ms = times_from(user, times_load(at, first));
    times->few[n++] = time_ms;
    for (at += first; at < end; at += width) {
        time_ms += (int64_t)(times_load(at, width) * unit);
        times->few[n++] = time_ms;
    }
    times->count = n;
}

/* ---- few ---------------------------------------------------------------- */

static inline uint64_t in_unit(uint64_t difference_ms, int seconds)
{
    return seconds ? difference_ms / 1000 : difference_ms;
}

/* Write COUNT times to BYTES as a row of few; returns its length, 0 if a
 * difference is too large. */
static uint32_t put_few(const struct user *user, const int64_t *times,
                        uint32_t count, uint8_t *bytes)
{
    uint64_t most = 0, rest = 0;
    for (uint32_t i = 1; i < count; i++) {
        uint64_t difference = (uint64_t)times[i] - (uint64_t)times[i - 1];
        most = difference > most ? difference : most;
        rest |= difference % 1000;
    }
    int seconds = count > 1 && !rest;
    uint32_t width = times_width(in_unit(most, seconds));
    if (width > DIFFERENCE_MAX)
        return 0;
    uint64_t beside = times_beside(user, times[0]);
    uint32_t first = times_width(beside), at = HEAD_BYTES + first;
    bytes[0] =
        (uint8_t)((first - 1) << 3 | (seconds ? SECONDS : 0) | (width - 1));
    times_store(bytes + HEAD_BYTES, first, beside);
    for (uint32_t i = 1; i < count; i++, at += width)
        times_store(
            bytes + at, width,
            in_unit((uint64_t)times[i] - (uint64_t)times[i - 1], seconds));
    return at;
}

/* Make item ID the row of the COUNT times in times->few, of few or of many. */
static int write_few(struct store *store, struct user **user, uint32_t id,
                     uint32_t count, struct item *item, struct times *times)
{
    uint8_t bytes[FEW_BYTES_MAX];
    const int64_t *few = times->few;
    uint32_t len = count <= TIMES_FEW ? put_few(*user, few, count, bytes) : 0;
    uint32_t width = times_width((uint64_t)few[count - 1] - (uint64_t)few[0]);
    int ret = user_resize(store, user, id,
                          len ? len : MANY_HEAD_BYTES + count * width, item);
    if (ret < 0)
        return ret;
    times->count = count;
    if (len) {
        memcpy(item->bytes, bytes, len);
        times->offsets = NULL;
        return 0;
    }
    item->bytes[0] = (uint8_t)(TIMES_MANY | (width - 1));
    times_store(item->bytes + HEAD_BYTES, 8, (uint64_t)few[0]);
    for (uint32_t i = 0; i < count; i++)
        times_store(item->bytes + MANY_HEAD_BYTES + i * width, width,
                    (uint64_t)few[i] - (uint64_t)few[0]);
    read_many(item, times);
    return 0;
}

/* ---- many --------------------------------------------------------------- */

static int fits(const struct times *times, int64_t time_ms)
{
    return time_ms >= times->anchor_ms &&
           times_width((uint64_t)time_ms - (uint64_t)times->anchor_ms) <=
               times->width;
}

/* Move the anchor of *ITEM to the earlier of its first time and TIME_MS, and
 * make its offsets so wide that TIME_MS fits. */
static int move_anchor(struct store *store, struct user **user, uint32_t id,
                       int64_t time_ms, struct item *item, struct times *times)
{
    int64_t first = times_at(times, 0),
            last = times_at(times, times->count - 1);
    int64_t anchor = time_ms < first ? time_ms : first;
    struct times old = *times;
    uint32_t width = times_width((uint64_t)(time_ms > last ? time_ms : last) -
                                 (uint64_t)anchor);
    width = width > times->width ? width : times->width;
    int ret = user_resize(store, user, id,
                          MANY_HEAD_BYTES + times->count * width, item);
    if (ret < 0)
        return ret;
    old.offsets = item->bytes + MANY_HEAD_BYTES;
    for (uint32_t i = old.count; i-- > 0;)
        times_store(item->bytes + MANY_HEAD_BYTES + i * width, width,
                    (uint64_t)times_at(&old, i) - (uint64_t)anchor);
    item->bytes[0] = (uint8_t)(TIMES_MANY | (width - 1));
    times_store(item->bytes + HEAD_BYTES, 8, (uint64_t)anchor);
    read_many(item, times);
    return 0;
}

static int add_many(struct store *store, struct user **user, uint32_t id,
                    uint32_t index, int64_t time_ms, struct item *item,
                    struct times *times)
{
    int ret = 0;
    if (!fits(times, time_ms))
        ret = move_anchor(store, user, id, time_ms, item, times);
    uint32_t width = times->width, at = MANY_HEAD_BYTES + index * width;
    if (ret == 0)
        ret = user_splice(store, user, id, at, (int32_t)width, item);
    read_many(item, times);
    if (ret < 0)
        return ret;
    times_store(item->bytes + at, width,
                (uint64_t)time_ms - (uint64_t)times->anchor_ms);
    return 0;
}

/* Likewise, where one goes. */
static int move_many(struct store *store, struct user **user, uint32_t id,
                     uint32_t out, uint32_t in, int64_t time_ms,
                     struct item *item, struct times *times)
{
    if (!fits(times, time_ms)) {
        int ret = move_anchor(store, user, id, time_ms, item, times);
        if (ret < 0)
            return ret;
    }
    uint32_t width = times->width, to = in > out ? in - 1 : in;
    uint8_t *offsets = item->bytes + MANY_HEAD_BYTES;
    if (to < out)
        memmove(offsets + (to + 1) * width, offsets + to * width,
                (out - to) * width);
    else
        memmove(offsets + out * width, offsets + (out + 1) * width,
                (to - out) * width);
    times_store(offsets + to * width, width,
                (uint64_t)time_ms - (uint64_t)times->anchor_ms);
    return 0;
}

/* ---- both --------------------------------------------------------------- */

int times_add(struct store *store, struct user **user, uint32_t id,
              uint32_t gone, uint32_t index, int64_t time_ms, struct item *item,
              struct times *times)
{
    if (times->offsets) {
        int ret = times_cut(store, user, id, gone, item, times);
        if (ret < 0)
            return ret;
        if (times->offsets)
            return add_many(store, user, id, index - gone, time_ms, item,
                            times);
        index -= gone;
        gone = 0;
    }
    int64_t *few = times->few;
    memmove(few, few + gone, (index - gone) * sizeof(*few));
    memmove(few + index - gone + 1, few + index,
            (times->count - index) * sizeof(*few));
    few[index - gone] = time_ms;
    int ret = write_few(store, user, id, times->count - gone + 1, item, times);
    if (ret < 0)
        times_read(*user, item, times);
    return ret;
}

int times_cut(struct store *store, struct user **user, uint32_t id,
              uint32_t gone, struct item *item, struct times *times)
{
    uint32_t left = times->count - gone;
    int ret;
    if (!gone)
        return 0;
    if (!left) {
        ret = user_resize(store, user, id, 0, item);
    } else if (times->offsets && left > FEW_AGAIN) {
        ret = user_splice(store, user, id, MANY_HEAD_BYTES,
                          -(int32_t)(gone * times->width), item);
    } else {
        const struct times old = *times;
        for (uint32_t i = 0; i < left; i++)
            times->few[i] = times_at(&old, gone + i);
        ret = write_few(store, user, id, left, item, times);
        if (ret == 0)
            return 0;
    }
    times_read(*user, item, times);
    return ret;
}

int times_move(struct store *store, struct user **user, uint32_t id,
               uint32_t out, uint32_t in, int64_t time_ms, struct item *item,
               struct times *times)
{
    if (times->offsets)
        return move_many(store, user, id, out, in, time_ms, item, times);
    int64_t *few = times->few;
    uint32_t to = in > out ? in - 1 : in;
    if (to < out)
        memmove(few + to + 1, few + to, (out - to) * sizeof(*few));
    else
        memmove(few + out, few + out + 1, (to - out) * sizeof(*few));
    few[to] = time_ms;
    int ret = write_few(store, user, id, times->count, item, times);
    if (ret < 0)
        times_read(*user, item, times);
    return ret;
}

uint32_t times_after(const struct times *times, int64_t time_ms)
{
    uint32_t low = 0, high = times->count;
    if (!high || times_at(times, high - 1) <= time_ms)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (times_at(times, middle) > time_ms)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
