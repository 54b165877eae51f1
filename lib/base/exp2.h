/* exp2.h: powers of two by integers alone.
 *
 * The same bits on every machine and with every compiler: no double, no libm.
 * That is what a number needs that is stored, or that decides when something
 * happens.
 *
 *   2^x = 2^(i/8) * 2^(j/64) * 2^r      x = i/8 + j/64 + r, 0 <= r < 1/64
 *
 * The first two come from tables, the third from its Taylor series. */
#ifndef BASE_EXP2_H
#define BASE_EXP2_H

#include <stdint.h>

/* The error of exp2_fraction is below this many units of its last place. It is
 * hence monotone over arguments that lie at least EXP2_STEP apart. */
#define EXP2_ULP_MAX 8
#define EXP2_STEP    64

/* 2^(X / 2^64) in units of 2^-63: from 2^63 up to below 2^64. */
uint64_t exp2_fraction(uint64_t x);

#endif
