/* exp2.c: powers of two by integers alone. */
#include "lib/base/exp2.h"

#define TOP_BITS 3 /* Of i, and of j. */

/* 2^(i/8) and 2^(j/64), in units of 2^-63, to the nearest. */
static const uint64_t eighths[] = {
    UINT64_C(0x8000000000000000), UINT64_C(0x8b95c1e3ea8bd6e7),
    UINT64_C(0x9837f0518db8a96f), UINT64_C(0xa5fed6a9b15138ea),
    UINT64_C(0xb504f333f9de6484), UINT64_C(0xc5672a115506dadd),
    UINT64_C(0xd744fccad69d6af4), UINT64_C(0xeac0c6e7dd24392f),
};
static const uint64_t sixtyfourths[] = {
    UINT64_C(0x8000000000000000), UINT64_C(0x8164d1f3bc030773),
    UINT64_C(0x82cd8698ac2ba1d7), UINT64_C(0x843a28c3acde4046),
    UINT64_C(0x85aac367cc487b15), UINT64_C(0x871f61969e8d1010),
    UINT64_C(0x88980e8092da8527), UINT64_C(0x8a14d575496efd9a),
};

/* ln(2)^k / k! in units of 2^-64, k from 8 down to 1: what is left out is below
 * one unit while r < 1/64. */
static const uint64_t taylor[] = {
    UINT64_C(0x0000162c0223a5c8), UINT64_C(0x0000ffe5fe2c4586),
    UINT64_C(0x000a184897c363c4), UINT64_C(0x005761ff9e299cc4),
    UINT64_C(0x0276556df749cee5), UINT64_C(0x0e35846b82505fc6),
    UINT64_C(0x3d7f7bff058b1d51), UINT64_C(0xb17217f7d1cf79ac),
};

#define TERMS ((int)(sizeof(taylor) / sizeof(taylor[0])))

static inline uint64_t multiply(uint64_t a, uint64_t b, int shift)
{
    return (uint64_t)((unsigned __int128)a * b >> shift);
}

uint64_t exp2_fraction(uint64_t x)
{
    uint64_t i = x >> (64 - TOP_BITS), j = x << TOP_BITS >> (64 - TOP_BITS);
    uint64_t r = x << 2 * TOP_BITS >> 2 * TOP_BITS, more = 0;
    for (int k = 0; k < TERMS; k++)
        more = multiply(more + taylor[k], r, 64); /* 2^r - 1, in 2^-64. */
    uint64_t high = multiply(eighths[i], sixtyfourths[j], 63);
    return high + multiply(high, more, 64);
}
