/* decimal.c: numbers in units of 1e-9. */
#include "lib/base/decimal.h"

#include <assert.h>
#include <math.h>

#define MANTISSA_BITS 53
#define EXACT_MAX     (INT64_C(1) << MANTISSA_BITS) /* All up to it are doubles. */

/* M * 2^EXPONENT in units, to the nearest; |M| < 2^53, EXPONENT < 18. */
static decimal_bits units_of(uint64_t m, int exponent)
{
    decimal_bits product = (decimal_bits)m * DECIMAL_ONE;
    if (exponent >= 0)
        return product << exponent;
    if (exponent < -100) /* Less than 2^-17 units. */
        return 0;
    decimal_bits units = product >> -exponent;
    decimal_bits rest = product - (units << -exponent);
    decimal_bits half = (decimal_bits)1 << (-exponent - 1);
    return units + (rest > half || (rest == half && (units & 1)));
}

int decimal_of(const struct seg_value *value, decimal *ret)
{
    int exponent;
    if (value->type == SEG_INT) {
        *ret = (decimal)value->as.integer * DECIMAL_ONE;
        return 1;
    }
    if (value->type != SEG_DOUBLE ||
        !(fabs(value->as.number) <= DECIMAL_VALUE_MAX))
        return 0;
    double fraction = frexp(fabs(value->as.number), &exponent);
    decimal_bits units = units_of((uint64_t)ldexp(fraction, MANTISSA_BITS),
                                  exponent - MANTISSA_BITS);
    *ret = value->as.number < 0 ? -(decimal)units : (decimal)units;
    return 1;
}

/* The double nearest to N / D, both not 0, D < 2^94: the quotient's first bits
 * one by one, and behind them one that says whether there are more. */
static double quotient(decimal_bits n, decimal_bits d)
{
    decimal_bits q = n / d, rest = n % d;
    int scale = 0;
    for (; q < (decimal_bits)1 << (MANTISSA_BITS + 1); scale--) {
        rest <<= 1;
        q = q << 1 | (rest >= d);
        rest -= rest >= d ? d : 0;
    }
    int more = rest != 0;
    for (; q >> (MANTISSA_BITS + 2); scale++) {
        more |= (int)(q & 1);
        q >>= 1;
    }
    return ldexp((double)(uint64_t)(q << 1 | (unsigned)more), scale - 1);
}

double decimal_mean(decimal sum, uint64_t count)
{
    decimal_bits n = sum < 0 ? -(decimal_bits)sum : (decimal_bits)sum;
    decimal_bits d = (decimal_bits)count * DECIMAL_ONE;
    double result;
    assert(count && count <= UINT64_C(1) << 63);
    if (n <= EXACT_MAX && d <= EXACT_MAX)
        result = (double)(uint64_t)n / (double)(uint64_t)d;
    else
        result = quotient(n, d);
    return sum < 0 ? -result : result;
}

struct seg_value decimal_value(decimal n)
{
    struct seg_value value = {.type = SEG_INT};
    int64_t few = (int64_t)n; /* Dividing 64 bits is faster. */
    decimal whole = few == n ? few / DECIMAL_ONE : n / DECIMAL_ONE;
    value.as.integer = (int64_t)whole;
    if (value.as.integer == whole && whole * DECIMAL_ONE == n)
        return value;
    value.type = SEG_DOUBLE;
    value.as.number = decimal_mean(n, 1);
    return value;
}

static int order_of(decimal a, decimal b)
{
    return (a > b) - (a < b);
}

int decimal_compare(decimal n, const struct seg_value *literal, int *order)
{
    decimal other;
    double number = literal->as.number;
    if (literal->type != SEG_INT && literal->type != SEG_DOUBLE)
        return 0;
    if (!decimal_of(literal, &other)) {
        double nearest = decimal_mean(n, 1);
        *order = (nearest > number) - (nearest < number);
        return number == number;
    }
    *order = order_of(n, other);
    if (*order == 0 && literal->type == SEG_DOUBLE) {
        double nearest = decimal_mean(other, 1);
        *order = (nearest > number) - (nearest < number);
    }
    return 1;
}
