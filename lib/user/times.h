/* times.h: a row of times, oldest first, in few bytes.
 *
 * A time alone is kept as its distance from the *base* of its user, the instant
 * at which he was born, rounded: four bytes reach 24 days either way, five 17
 * years. Of a row of up to TIMES_FEW only the first is kept so; each other one
 * is its difference from the one before, all in one width, that of the largest:
 *
 *   few     | head | first      | difference | difference | ...
 *             1      1-8 bytes    1-4 bytes of milliseconds or, if
 *                                 all are whole ones, of seconds
 *
 *   many    | head | anchor     | offset     | offset     | ...
 *             1      8            1-8 bytes of milliseconds after the anchor
 *
 * A row of many is read and changed in place, one of few as a whole. The head:
 *
 *     bit 7       1: many
 *     bits 5, 6   many: the owner's; 0 whenever the row is written anew
 *     bits 3-5    few: bytes of the first, less 1
 *     bits 0-2    few: bytes of a difference, less 1, plus 4 for seconds;
 *                 many: bytes of an offset, less 1
 *
 * Example: 08:00:00.250, 08:00:10.250 and 09:00:10.250 of a user born an hour
 * before are head 1d, four bytes of the first, 0a 00, 10 0e: nine bytes. */
#ifndef USER_TIMES_H
#define USER_TIMES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/reader.h"
#include "lib/user/user.h"

#define TIMES_FEW    16
#define TIMES_MANY   0x80u
#define TIMES_OWNERS 0x60u

/* A row as it was read; valid until something of its user changes. */
struct times {
    uint32_t count;
    uint32_t width;         /* Many: bytes of an offset. */
    const uint8_t *offsets; /* Many; NULL: few. */
    int64_t anchor_ms;
    int64_t few[TIMES_FEW + 1];
};

/* Least bytes that hold N, at least 1. */
static inline uint32_t times_width(uint64_t n)
{
    return n ? (71u - (uint32_t)__builtin_clzll(n)) / 8 : 1;
}

/* The number in the WIDTH bytes at BYTES, little-endian. They lie in a block,
 * behind its head: reading the eight bytes that end there is quick and safe. */
static inline uint64_t times_load(const uint8_t *bytes, uint32_t width)
{
    uint64_t n;
    memcpy(&n, bytes + width - sizeof(n), sizeof(n));
    return le64toh(n) >> (64 - 8 * width);
}

static inline void times_store(uint8_t *bytes, uint32_t width, uint64_t n)
{
    for (; width >= 4; width -= 4, n >>= 32) {
        uint32_t low = htole32((uint32_t)n);
        memcpy(bytes, &low, sizeof(low));
        bytes += sizeof(low);
    }
    for (; width; width--, n >>= 8)
        *bytes++ = (uint8_t)n;
}

#define TIMES_BASE_SHIFT 24 /* A base is a multiple of 2^24 ms, 4.7 hours, */
#define TIMES_BASE_MAX   ((1 << 20) - 1) /* up to 557 years around 1970. */

/* The base of a user born at TIME_MS. */
static inline int32_t times_base(int64_t time_ms)
{
    int64_t base = time_ms >> TIMES_BASE_SHIFT;
    return base < -TIMES_BASE_MAX  ? -TIMES_BASE_MAX
           : base > TIMES_BASE_MAX ? TIMES_BASE_MAX
                                   : (int32_t)base;
}

static inline uint64_t times_base_ms(const struct user *user)
{
    return (uint64_t)(int64_t)user->base << TIMES_BASE_SHIFT;
}

/* TIME_MS beside the base of USER, the smaller the nearer; and back. */
static inline uint64_t times_beside(const struct user *user, int64_t time_ms)
{
    uint64_t after = (uint64_t)time_ms - times_base_ms(user);
    return after << 1 ^ (after >> 63 ? UINT64_MAX : 0);
}

static inline int64_t times_from(const struct user *user, uint64_t beside)
{
    return (int64_t)(times_base_ms(user) +
                     (beside >> 1 ^ (beside & 1 ? UINT64_MAX : 0)));
}

/* Read the row of *ITEM; no item is an empty row. */
void times_read(const struct user *user, const struct item *item,
                struct times *times);

/* The time at INDEX. */
static inline int64_t times_at(const struct times *times, uint32_t index)
{
    if (!times->offsets)
        return times->few[index];
    return (int64_t)((uint64_t)times->anchor_ms +
                     times_load(times->offsets + index * times->width,
                                times->width));
}

/* Remove the first GONE times of item ID, then insert TIME_MS before the time
 * that is at INDEX now. The row stays in order: that is the caller's affair.
 * *ITEM must be as user_item gave it, *TIMES as times_read, nothing of USER
 * having changed since; they get the row as it is then. Returns 0, or
 * SEG_ERR_USER_BYTES, SEG_ERR_NOMEM with all as it was but for those removed.
 */
int times_add(struct store *store, struct user **user, uint32_t id,
              uint32_t gone, uint32_t index, int64_t time_ms, struct item *item,
              struct times *times);

/* Remove the first GONE times, likewise. It may fail as well: the time that is
 * the first then may take a byte or two more than before. */
int times_cut(struct store *store, struct user **user, uint32_t id,
              uint32_t gone, struct item *item, struct times *times);

/* Remove the time at OUT and insert TIME_MS before the one that is at IN now
 * (or after the last one), likewise. */
int times_move(struct store *store, struct user **user, uint32_t id,
               uint32_t out, uint32_t in, int64_t time_ms, struct item *item,
               struct times *times);

/* The first time later than TIME_MS. */
uint32_t times_after(const struct times *times, int64_t time_ms);

/* ---- in records (times_record.c) --------------------------------------- */

/* No instant of a record lies further from 1970, so that sums of two never
 * overflow. */
#define TIMES_MS_MAX (INT64_MAX / 4)

/* An instant; READER fails if it lies too far away. */
int64_t times_read_ms(struct reader *reader);

/* TIMES as n, the ms of the first, then n differences. */
void times_write(const struct times *times, struct buf *buf);

/* Read them into item ID, which is not there; they come in order. *ITEM and
 * *TIMES get what is there then. Returns 0, SEG_ERR_RECORD, SEG_ERR_USER_BYTES
 * or SEG_ERR_NOMEM. */
int times_read_row(struct store *store, struct user **user, uint32_t id,
                   struct reader *reader, struct item *item,
                   struct times *times);

#endif
