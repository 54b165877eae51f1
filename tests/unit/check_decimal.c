/* check_decimal.c: numbers in units of 1e-9. */
#include <math.h>
#include <string.h>

#include "lib/base/decimal.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/suite.h"

#define TWO_63 9223372036854775808.0

static struct seg_value value_of_double(double number)
{
    return (struct seg_value){.type = SEG_DOUBLE, .as.number = number};
}

static struct seg_value value_of_int(int64_t integer)
{
    return (struct seg_value){.type = SEG_INT, .as.integer = integer};
}

static decimal of(struct seg_value value)
{
    decimal n = -1;
    ck_assert_int_eq(decimal_of(&value, &n), 1);
    return n;
}

/* ---- into units ---------------------------------------------------------- */

static const struct {
    double number;
    int64_t units;
} roundings[] = {
    {0.0, 0},
    {-0.0, 0},
    {1.0, DECIMAL_ONE},
    {-1.5, -1500000000},
    {0.1, 100000000},
    {19.99, 19990000000},
    {1e-9, 1},
    {0.4e-9, 0},
    {0.6e-9, 1},
    {5e-324, 0},
    {1e-300, 0},
    /* Halves: multiples of 2^-10 are exact, x * 1e9 / 1024 ends in .5. */
    {1.0 / 1024, 976562},   /* 976562.5 */
    {3.0 / 1024, 2929688},  /* 2929687.5 */
    {-1.0 / 1024, -976562}, /* Away from and towards 0 alike. */
    {-3.0 / 1024, -2929688},
    {5.0 / 1024, 4882812}, /* 4882812.5 */
};

START_TEST(a_double_is_rounded_once_halves_to_even)
{
    decimal got = of(value_of_double(roundings[_i].number));
    ck_assert_msg(got == roundings[_i].units, "%.17g: got %lld, want %lld",
                  roundings[_i].number, (long long)got,
                  (long long)roundings[_i].units);
}
END_TEST

START_TEST(integers_are_exact_to_their_edges)
{
    static const int64_t edges[] = {0,         1,         -1,
                                    INT64_MAX, INT64_MIN, INT64_MAX - 1};
    for (int i = 0; i < COUNT(edges); i++) {
        decimal n = of(value_of_int(edges[i]));
        ck_assert(n == (decimal)edges[i] * DECIMAL_ONE);
        struct seg_value back = decimal_value(n);
        ck_assert_int_eq(back.type, SEG_INT);
        ck_assert_int_eq(back.as.integer, edges[i]);
    }
    /* One unit, and one whole, beyond what an integer holds. */
    decimal top = (decimal)INT64_MAX * DECIMAL_ONE;
    ck_assert_int_eq(decimal_value(top + 1).type, SEG_DOUBLE);
    ck_assert_int_eq(decimal_value(top + DECIMAL_ONE).type, SEG_DOUBLE);
    ck_assert_double_eq(decimal_value(top + DECIMAL_ONE).as.number, TWO_63);
    ck_assert(of(value_of_double(TWO_63)) == top + DECIMAL_ONE);
    ck_assert(of(value_of_double(-TWO_63)) == of(value_of_int(INT64_MIN)));
    decimal low = (decimal)INT64_MIN * DECIMAL_ONE;
    ck_assert_int_eq(decimal_value(low - DECIMAL_ONE).type, SEG_DOUBLE);
}
END_TEST

START_TEST(what_is_too_large_or_no_number_is_none)
{
    static const double none[] = {
        1.0000000000000002e21, -1.1e21, 1e300, INFINITY, -INFINITY, NAN};
    decimal n;
    for (int i = 0; i < COUNT(none); i++) {
        struct seg_value value = value_of_double(none[i]);
        ck_assert_msg(!decimal_of(&value, &n), "%g", none[i]);
    }
    for (int type = SEG_MISSING; type <= SEG_OBJECT; type++) {
        struct seg_value value = {.type = (uint8_t)type};
        ck_assert_int_eq(decimal_of(&value, &n),
                         type == SEG_INT || type == SEG_DOUBLE);
    }
    decimal most = of(value_of_double(DECIMAL_VALUE_MAX));
    ck_assert(most / DECIMAL_ONE / DECIMAL_ONE / DECIMAL_ONE == 1000);
    ck_assert_double_eq(decimal_mean(most, 1), DECIMAL_VALUE_MAX);
    ck_assert_double_eq(decimal_mean(-most, 1), -DECIMAL_VALUE_MAX);
}
END_TEST

static double random_double(struct random *random, int low, int high)
{
    int64_t m = random_between(random, -(INT64_C(1) << 53), INT64_C(1) << 53);
    return ldexp((double)m, (int)random_between(random, low, high) - 53);
}

/* The rounding, by another way: a long double holds 64 bits of the product of
 * what is small; here its distance from the units is looked at. */
START_TEST(no_unit_is_nearer_than_the_one_taken)
{
    struct random random = {7};
    for (int i = 0; i < EFFORT(60000); i++) {
        double x = random_double(&random, -40, 30);
        decimal n = of(value_of_double(x));
        /* |n - x 1e9| <= 1/2: in units of 2^-93, all exact. */
        int exponent;
        int64_t m = (int64_t)ldexp(frexp(x, &exponent), 53);
        decimal exact = (decimal)m * DECIMAL_ONE;
        int shift = 53 - exponent;
        if (shift <= 0) {
            ck_assert(n == exact * ((decimal)1 << -shift));
            continue;
        }
        /* Twice the distance in units of 2^-shift. */
        decimal whole = shift < 90 ? n * ((decimal)1 << shift) : 0;
        decimal twice = 2 * (exact - whole);
        decimal one = (decimal)1 << (shift < 120 ? shift : 120);
        ck_assert_msg(twice <= one && -twice <= one, "%a", x);
        if (twice == one || -twice == one)
            ck_assert((n & 1) == 0);
    }
}
END_TEST

/* ---- out of units -------------------------------------------------------- */

/* Whether N / D is no nearer to a neighbour of X than to X. */
static int is_nearest(decimal n, decimal d, double x)
{
    for (int up = 0; up <= 1; up++) {
        double y = nextafter(x, up ? INFINITY : -INFINITY);
        int ex, ey;
        int64_t mx = (int64_t)ldexp(frexp(x, &ex), 53);
        int64_t my = (int64_t)ldexp(frexp(y, &ey), 53);
        int e = (ex < ey ? ex : ey) - 53;
        /* x + y = m 2^e; on which side of it is 2 n / d? */
        decimal m = (decimal)mx * ((decimal)1 << (ex - 53 - e)) +
                    (decimal)my * ((decimal)1 << (ey - 53 - e));
        decimal left = 2 * n, right = m * d;
        if (e < 0) {
            if (__builtin_mul_overflow(left, (decimal)1 << -e, &left))
                return -1;
        } else {
            right = right * ((decimal)1 << e);
        }
        if (up ? left > right : left < right)
            return 0;
    }
    return 1;
}

START_TEST(the_nearest_double_is_given)
{
    struct random random = {11};
    int looked_at = 0;
    for (int i = 0; i < EFFORT(60000); i++) {
        int bits = (int)random_between(&random, 1, 61);
        decimal n =
            random_between(&random, -(INT64_C(1) << bits), INT64_C(1) << bits);
        uint64_t count = (uint64_t)random_between(&random, 1, 300);
        if (!n)
            continue;
        int ok =
            is_nearest(n, (decimal)count * DECIMAL_ONE, decimal_mean(n, count));
        ck_assert_msg(ok, "%lld / %llu", (long long)n,
                      (unsigned long long)count);
        looked_at += ok > 0;
    }
    ck_assert_int_gt(looked_at, EFFORT(60000) / 4);
    ck_assert_double_eq(decimal_mean(0, 3), 0);
}
END_TEST

/* What large numbers become is known by heart: powers of two, and halves. */
START_TEST(large_quotients_are_rounded_once)
{
    const decimal one = DECIMAL_ONE;
    const decimal two54 = (decimal)1 << 54;
    ck_assert_double_eq(decimal_mean((two54 + 2) * one, 1), 0x1p54); /* Even. */
    ck_assert_double_eq(decimal_mean((two54 + 2) * one + 1, 1), 0x1p54 + 4);
    ck_assert_double_eq(decimal_mean((two54 + 6) * one, 1), 0x1p54 + 8);
    ck_assert_double_eq(decimal_mean((two54 + 6) * one - 1, 1), 0x1p54 + 4);
    ck_assert_double_eq(decimal_mean(-(two54 + 2) * one - 1, 1), -0x1p54 - 4);
    const decimal two70 = (decimal)1 << 70, two17 = (decimal)1 << 17;
    ck_assert_double_eq(decimal_mean((two70 + two17) * one, 1), 0x1p70);
    ck_assert_double_eq(decimal_mean((two70 + two17 + 1) * one, 1),
                        0x1p70 + 0x1p18);
    ck_assert_double_eq(decimal_mean(one, UINT64_C(1) << 63), 0x1p-63);
    ck_assert_double_eq(decimal_mean(1, 1), 1e-9);
    ck_assert_double_eq(decimal_mean(one, 3), 1.0 / 3);
    ck_assert_double_eq(decimal_mean((decimal)((decimal_bits)1 << 127), 1),
                        -0x1p127 / 1e9);
}
END_TEST

START_TEST(decimals_of_nine_digits_come_back)
{
    struct random random = {13};
    for (int i = 0; i < EFFORT(100000); i++) {
        decimal n =
            random_between(&random, -(INT64_C(1) << 52), INT64_C(1) << 52);
        struct seg_value value = value_of_double(decimal_mean(n, 1));
        ck_assert(of(value) == n);
    }
}
END_TEST

/* ---- order --------------------------------------------------------------- */

static const struct {
    decimal n;
    double literal;
    int order;
} orders[] = {
    {300000000, 0.3, 0},
    {300000001, 0.3, 1},
    {299999999, 0.3, -1},
    {0, 1e-10, -1}, /* Rounds to 0, and is more. */
    {0, -1e-10, 1},
    {1, 1e-10, 1},
    {1, 1.4e-9, -1},
    {1, 0.6e-9, 1},
    {0, 1e300, -1},
    {0, -INFINITY, 1},
    {(decimal)10000000 * DECIMAL_ONE + 1, 1e7, 1}, /* As doubles the same. */
    {(decimal)10000000 * DECIMAL_ONE - 1, 1e7, -1},
};

START_TEST(a_literal_is_the_decimal_it_was_written_as)
{
    int order;
    struct seg_value literal = value_of_double(orders[_i].literal);
    ck_assert(decimal_compare(orders[_i].n, &literal, &order));
    ck_assert_int_eq(order, orders[_i].order);
}
END_TEST

START_TEST(integers_compare_exactly_and_others_not_at_all)
{
    int order;
    struct seg_value literal = value_of_int(INT64_MAX);
    decimal n = (decimal)INT64_MAX * DECIMAL_ONE;
    for (int more = -1; more <= 1; more++) {
        ck_assert(decimal_compare(n + more, &literal, &order));
        ck_assert_int_eq(order, more);
    }
    literal = value_of_double(NAN);
    ck_assert(!decimal_compare(n, &literal, &order));
    literal = (struct seg_value){.type = SEG_TEXT, .len = 1, .as.text = "1"};
    ck_assert(!decimal_compare(n, &literal, &order));
}
END_TEST

START_TEST(what_went_beyond_comes_back)
{
    decimal most = (decimal)(~(decimal_bits)0 >> 1);
    decimal beyond = decimal_plus(decimal_plus(most, 5), DECIMAL_ONE);
    ck_assert(beyond < 0);
    ck_assert(decimal_minus(decimal_minus(beyond, DECIMAL_ONE), 5) == most);
}
END_TEST

SUITE("decimal", NULL, NULL,
      TABLE(a_double_is_rounded_once_halves_to_even, roundings),
      TEST(integers_are_exact_to_their_edges),
      TEST(what_is_too_large_or_no_number_is_none),
      TEST(no_unit_is_nearer_than_the_one_taken),
      TEST(the_nearest_double_is_given), TEST(large_quotients_are_rounded_once),
      TEST(decimals_of_nine_digits_come_back),
      TABLE(a_literal_is_the_decimal_it_was_written_as, orders),
      TEST(integers_compare_exactly_and_others_not_at_all),
      TEST(what_went_beyond_comes_back))
