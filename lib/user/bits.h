/* bits.h: numbers of any width in the bytes of an item (member.c), lowest bits
 * first, and LEB128. */
#ifndef USER_BITS_H
#define USER_BITS_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "lib/user/times.h"

/* Bits that hold N: 0 for 0. */
static inline uint32_t bits_of(uint64_t n)
{
    return n ? 64u - (uint32_t)__builtin_clzll(n) : 0;
}

static inline uint64_t low_bits(uint64_t n, uint32_t count)
{
    return n & ((UINT64_C(1) << count) - 1);
}

/* COUNT bits at bit AT. */
static inline uint64_t get_bits(const uint8_t *bytes, uint32_t at,
                                uint32_t count)
{
    if (!count)
        return 0;
    if (count > 32)
        return get_bits(bytes, at, 32) | get_bits(bytes, at + 32, count - 32)
                                             << 32;
    return low_bits(
        times_load(bytes + at / 8, (at % 8 + count + 7) / 8) >> at % 8, count);
}

/* Bits one after the other: those read and not yet taken, or put and not yet
 * written. */
struct stream {
    uint8_t *at;
    uint64_t held;
    uint32_t count;
};

static inline uint64_t stream_take(struct stream *stream, uint32_t count)
{
    if (count > 32) {
        uint64_t low = stream_take(stream, 32);
        return low | stream_take(stream, count - 32) << 32;
    }
    for (; stream->count < count; stream->count += 8)
        stream->held |= (uint64_t)*stream->at++ << stream->count;
    uint64_t n = low_bits(stream->held, count);
    stream->held >>= count;
    stream->count -= count;
    return n;
}

static inline void stream_put(struct stream *stream, uint32_t count, uint64_t n)
{
    if (count > 32) {
        stream_put(stream, 32, low_bits(n, 32));
        n >>= 32;
        count -= 32;
    }
    stream->held |= n << stream->count;
    for (stream->count += count; stream->count >= 8; stream->count -= 8) {
        *stream->at++ = (uint8_t)stream->held;
        stream->held >>= 8;
    }
}

/* Where the bytes end. */
static inline uint8_t *stream_end(struct stream *stream)
{
    if (stream->count)
        *stream->at++ = (uint8_t)stream->held;
    return stream->at;
}

static inline uint32_t get_varint(const uint8_t **at)
{
    uint32_t n = 0, shift = 0;
    for (; **at & 0x80; shift += 7)
        n |= (uint32_t)(*(*at)++ & 0x7f) << shift;
    return n | (uint32_t) * (*at)++ << shift;
}

static inline uint8_t *put_varint(uint8_t *at, uint32_t n)
{
    for (; n >= 0x80; n >>= 7)
        *at++ = (uint8_t)(n | 0x80);
    *at++ = (uint8_t)n;
    return at;
}

static inline uint32_t varint_len(uint32_t n)
{
    return n < 0x80 ? 1 : (bits_of(n) + 6) / 7;
}

#define MOVED_BITS 56 /* At once: with 7 more they are 8 bytes. */

/* Write COUNT bits at bit AT of bytes in a block (times_load). */
static inline void set_bits(uint8_t *bytes, uint32_t at, uint32_t count,
                            uint64_t n)
{
    uint32_t end = (at + count + 7) / 8;
    uint32_t shift = at + 64 - end * 8;
    uint64_t held;
    memcpy(&held, bytes + end - sizeof(held), sizeof(held));
    held = le64toh(held) & ~(low_bits(UINT64_MAX, count) << shift);
    held = htole64(held | n << shift);
    memcpy(bytes + end - sizeof(held), &held, sizeof(held));
}

/* Move COUNT bits from bit FROM to bit TO. */
static inline void move_bits(uint8_t *bytes, uint32_t from, uint32_t to,
                             uint32_t count)
{
    for (uint32_t done = 0; done < count;) {
        uint32_t step = count - done < MOVED_BITS ? count - done : MOVED_BITS;
        uint32_t at = to > from ? count - done - step : done;
        uint32_t end = ((from + at) % 8 + step + 7) / 8;
        uint64_t bits = times_load(bytes + (from + at) / 8, end);
        set_bits(bytes, to + at, step, low_bits(bits >> (from + at) % 8, step));
        done += step;
    }
}

#endif
