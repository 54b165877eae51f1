/* check_value.c: comparing two values. */
#include "lib/event/value.h"

#include <math.h>
#include <string.h>

#include "lib/base/buf.h"
#include "tests/support/suite.h"

#define I(n)                               \
    {                                      \
        .type = SEG_INT, .as.integer = (n) \
    }
#define D(n)                                 \
    {                                        \
        .type = SEG_DOUBLE, .as.number = (n) \
    }
#define S(s)                                                   \
    {                                                          \
        .type = SEG_TEXT, .len = sizeof(s) - 1, .as.text = (s) \
    }
#define B(b)                                \
    {                                       \
        .type = SEG_BOOL, .as.boolean = (b) \
    }
#define NOTHING             \
    {                       \
        .type = SEG_MISSING \
    }
#define OBJECT             \
    {                      \
        .type = SEG_OBJECT \
    }
#define TWO_53    9007199254740992
#define NONE      2 /* Of another type. */
#define SAME      3 /* Equal, but without order. */
#define DIFFERENT 4

static const struct seg_value one = I(1);
#define LIST                                         \
    {                                                \
        .type = SEG_LIST, .len = 1, .as.items = &one \
    }

static const struct {
    struct seg_value a, b;
    int order; /* -1, 0, 1, or one of the above. */
} pairs[] = {
    {I(1), I(2), -1},
    {I(2), I(2), 0},
    {I(INT64_MIN), I(INT64_MAX), -1},
    {D(1.5), D(1.25), 1},
    {D(0.0), D(-0.0), 0},
    {D(0.1), D(0.1), 0},
    {I(1), D(1.0), 0},
    {I(0), D(-0.0), 0},
    {I(1), D(1.5), -1},
    {I(2), D(1.5), 1},
    {I(-1), D(-1.5), 1},
    {I(-2), D(-1.5), -1},
    {I(0), D(5e-324), -1},
    {I(0), D(-5e-324), 1},
    /* Integers that a double would round. */
    {I(TWO_53), D(TWO_53), 0},
    {I(TWO_53 + 1), D(TWO_53), 1},
    {I(TWO_53 - 1), D(TWO_53), -1},
    {I(TWO_53 + 1), I(TWO_53), 1},
    {I(-TWO_53 - 1), D(-TWO_53), -1},
    /* The ends of 64 bits: 2^63 is no int64_t, -2^63 is. */
    {I(INT64_MAX), D(9223372036854775808.0), -1},
    {I(INT64_MAX), D(9223372036854774784.0), 1},
    {I(INT64_MIN), D(-9223372036854775808.0), 0},
    {I(INT64_MIN + 1), D(-9223372036854775808.0), 1},
    {I(INT64_MIN), D(-9223372036854777856.0), 1},
    {I(INT64_MAX), D(1e300), -1},
    {I(INT64_MIN), D(-1e300), 1},
    /* Text goes by code point. */
    {S("a"), S("b"), -1},
    {S("a"), S("a"), 0},
    {S(""), S(""), 0},
    {S(""), S("a"), -1},
    {S("ab"), S("a"), 1},
    {S("Z"), S("a"), -1},
    {S("10"), S("9"), -1},
    {S("a\0b"), S("a\0c"), -1},
    {S("a\0b"), S("a"), 1},
    {S("\x7f"), S("\xc2\x80"), -1},
    {S("\xef\xbf\xbd"), S("\xf0\x9f\x98\x80"), -1},
    /* Booleans have no order. */
    {B(1), B(1), SAME},
    {B(0), B(0), SAME},
    {B(1), B(0), DIFFERENT},
    {B(7), B(1), SAME},
    /* Nothing is coerced. */
    {I(1), S("1"), NONE},
    {D(1), S("1"), NONE},
    {I(1), B(1), NONE},
    {D(0), B(0), NONE},
    {S("true"), B(1), NONE},
    {I(0), NOTHING, NONE},
    {S(""), NOTHING, NONE},
    {B(0), NOTHING, NONE},
    {NOTHING, NOTHING, NONE},
    {OBJECT, OBJECT, NONE},
    {LIST, LIST, NONE},
    {LIST, I(1), NONE},
    {OBJECT, NOTHING, NONE},
};

/* Both ways round. */
START_TEST(two_values_compare_as_the_table_says)
{
    int want = pairs[_i].order, orders = want >= -1 && want <= 1;
    for (int turn = 0; turn < 2; turn++) {
        const struct seg_value *a = turn ? &pairs[_i].b : &pairs[_i].a;
        const struct seg_value *b = turn ? &pairs[_i].a : &pairs[_i].b;
        int order = 9, got = value_compare(a, b, &order);
        order = (order > 0) - (order < 0);
        ck_assert_msg(got == orders, "row %d, turn %d: ordered %d", _i, turn,
                      got);
        ck_assert_msg(!orders || order == (turn ? -want : want),
                      "row %d, turn %d: order %d, want %d", _i, turn, order,
                      turn ? -want : want);
        ck_assert_msg(value_same_type(a, b) == (want != NONE), "row %d", _i);
        ck_assert_msg(value_equal(a, b) == (want == 0 || want == SAME),
                      "row %d, turn %d", _i, turn);
    }
}
END_TEST

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t next_random(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

/* Integers near powers of two, and doubles next to them. */
static struct seg_value random_number(void)
{
    uint64_t bits = next_random();
    int64_t n = (int64_t)((UINT64_C(1) << bits % 64) + (bits >> 8 & 3) - 2);
    double d = ldexp(1, (int)(bits % 66)) * (bits & 64 ? -1 : 1);
    switch (bits >> 10 & 3) {
    case 0:
        return (struct seg_value)I(bits & 64 ? n : -(n & INT64_MAX));
    case 1:
        return (struct seg_value)D(nextafter(d, 0));
    case 2:
        return (struct seg_value)D(nextafter(d, d * 2));
    default:
        return (struct seg_value)D(d);
    }
}

static long double wide(const struct seg_value *value)
{
    return value->type == SEG_INT ? (long double)value->as.integer
                                  : (long double)value->as.number;
}

START_TEST(numbers_compare_as_a_wider_type_does)
{
    _Static_assert(__LDBL_MANT_DIG__ >= 64, "not wider");
    for (int i = 0; i < 200000; i++) {
        struct seg_value a = random_number(), b = random_number();
        long double x = wide(&a), y = wide(&b);
        int order, want = (x > y) - (x < y);
        if (!value_compare(&a, &b, &order) || order != want)
            ck_abort_msg("%.25Lg, %.25Lg: want %d", x, y, want);
    }
}
END_TEST

START_TEST(values_have_one_hash_if_they_are_equal)
{
    for (int i = 0; i < COUNT(pairs); i++) {
        const struct seg_value *a = &pairs[i].a, *b = &pairs[i].b;
        uint64_t x = value_hash(a), y = value_hash(b);
        ck_assert_int_eq(x == 0, !value_same_type(a, a));
        ck_assert_int_eq(y == 0, !value_same_type(b, b));
        ck_assert_msg(!x || !y || (x == y) == value_equal(a, b), "row %d", i);
    }
    for (int i = 0; i < 200000; i++) {
        struct seg_value a = random_number(), b = random_number();
        ck_assert_int_eq(value_hash(&a) == value_hash(&b), value_equal(&a, &b));
    }
}
END_TEST

SUITE("value", NULL, NULL, TABLE(two_values_compare_as_the_table_says, pairs),
      TEST(numbers_compare_as_a_wider_type_does),
      TEST(values_have_one_hash_if_they_are_equal))
