/* decimal.h: numbers in units of 1e-9, in 128 bits.
 *
 * A value becomes a decimal once, exactly if it is an integer; if it is a
 * double its exact binary value is rounded to the nearest unit, halves to the
 * even one. From then on all is integer arithmetic: sums depend on no order,
 * and what was added can be taken away again.
 *
 *     0.1 + 0.2 = 100000000 + 200000000 units = 0.3, the double nearest to it
 *
 * A value whose magnitude is over DECIMAL_VALUE_MAX, or no finite number, is
 * none. A sum is exact as long as it stays below 1.7e29, that is for 1.7e8
 * values of the largest kind; arithmetic wraps around at 2^128, so that a sum
 * that was beyond and comes back is right again. */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdint.h>

#include <seg/event.h>

__extension__ typedef __int128 decimal;
__extension__ typedef unsigned __int128 decimal_bits;

#define DECIMAL_ONE       1000000000 /* Units in 1. */
#define DECIMAL_VALUE_MAX 1e21

/* VALUE as a decimal in *RET. Returns 1, or 0 if it is none. */
int decimal_of(const struct seg_value *value, decimal *ret);

static inline decimal decimal_plus(decimal a, decimal b)
{
    return (decimal)((decimal_bits)a + (decimal_bits)b);
}

static inline decimal decimal_minus(decimal a, decimal b)
{
    return (decimal)((decimal_bits)a - (decimal_bits)b);
}

/* The double nearest to SUM / COUNT, COUNT from 1 to 2^63; halfway between two,
 * the even one. */
double decimal_mean(decimal sum, uint64_t count);

/* N as a value: an integer if it is one, else the nearest double. */
struct seg_value decimal_value(decimal n);

/* The order of N against LITERAL, below 0, 0 or above, in *ORDER. A double is
 * taken as the decimal of up to nine digits that it is nearest to, as its
 * writer meant it, or if there is none as what it is. Returns 0 if LITERAL is
 * no number. */
int decimal_compare(decimal n, const struct seg_value *literal, int *order);

#endif
