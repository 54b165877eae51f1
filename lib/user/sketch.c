/* sketch.c: the estimate of a HyperLogLog (sketch.h).
 *
 *   estimate = a m^2 / z     a = 1 / (2 ln 2), m registers
 *   z = sum over ranks k of c(k) / 2^k, plus m s(c(0) / m)
 *   s(x) = x + x^2 + 2 x^4 + 4 x^8 + ...
 *
 * z is kept in units of 2^-64. */
#include "lib/user/sketch.h"

#define A_40 UINT64_C(793129986396) /* 1 / (2 ln 2) in units of 2^-40. */

typedef unsigned __int128 wide;

/* s(EMPTY / 2^BITS), EMPTY < 2^BITS. */
static wide of_empty(uint32_t empty, int bits)
{
    uint64_t x = (uint64_t)empty << (64 - bits);
    wide sum = x;
    for (int k = 0; x; k++) {
        x = (uint64_t)((wide)x * x >> 64);
        sum += (wide)x << k;
    }
    return sum;
}

uint64_t sketch_estimate(const struct sketch *sketch, int bits)
{
    if (sketch->ranks[0] == 1 << bits)
        return 0;
    wide z = of_empty(sketch->ranks[0], bits) << bits;
    for (int k = 1; k <= SKETCH_RANK_MAX; k++)
        if (sketch->ranks[k])
            z += (wide)sketch->ranks[k] << (64 - k);
    wide top = (wide)A_40 << (2 * bits + 24);
    wide estimate = (top + z / 2) / z;
    return estimate < INT64_MAX ? (uint64_t)estimate : INT64_MAX;
}
