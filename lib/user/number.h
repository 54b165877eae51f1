/* number.h: numbers of up to 64 bits as 7 bits a byte, the lowest first. */
#ifndef USER_NUMBER_H
#define USER_NUMBER_H

#include <stdint.h>

#define NUMBER_BYTES 10 /* At most. */

static inline uint8_t *put_number(uint8_t *to, uint64_t n)
{
    for (; n > 0x7f; n >>= 7)
        *to++ = (uint8_t)(n | 0x80);
    *to++ = (uint8_t)n;
    return to;
}

static inline const uint8_t *get_number(const uint8_t *from, uint64_t *n)
{
    uint64_t byte = *from++;
    *n = byte & 0x7f;
    for (int shift = 7; byte & 0x80; shift += 7) {
        byte = *from++;
        *n |= (byte & 0x7f) << shift;
    }
    return from;
}

#endif
