/* check_exp2.c: powers of two beside libm's in long double. */
#include "lib/base/exp2.h"

#include <math.h>

#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/suite.h"

/* How far exp2_fraction(X) is off, in units of its last place. */
static long double off_at(uint64_t x)
{
    long double exact = ldexpl(exp2l(ldexpl((long double)x, -64)), 63);
    return fabsl(exact - (long double)exp2_fraction(x));
}

START_TEST(powers_are_right_to_a_few_units)
{
    struct random random = {1};
    long double worst = 0;
    for (int i = 0; i < EFFORT(400000); i++) {
        /* Everywhere, and around the seams of the tables. */
        uint64_t x = random_bits(&random);
        if (i % 4 == 0)
            x = (x >> 58 << 58) + (uint64_t)random_between(&random, -3, 3);
        long double off = off_at(x);
        worst = off > worst ? off : worst;
    }
    ck_assert_msg(worst < EXP2_ULP_MAX, "off by %Lg", worst);
}
END_TEST

START_TEST(powers_do_not_decrease)
{
    struct random random = {2};
    for (int i = 0; i < EFFORT(400000); i++) {
        uint64_t x = random_bits(&random);
        if (i % 2)
            x = (x >> 58 << 58) + (uint64_t)random_between(&random, -300, 300);
        if (x <= UINT64_MAX - EXP2_STEP &&
            exp2_fraction(x) > exp2_fraction(x + EXP2_STEP))
            ck_abort_msg("at %llx", (unsigned long long)x);
    }
}
END_TEST

/* They are stored: another build must give the very same ones. */
static const struct {
    uint64_t x, power;
} stored[] = {
    {UINT64_C(0x0000000000000000), UINT64_C(0x8000000000000000)},
    {UINT64_C(0x0000000000000001), UINT64_C(0x8000000000000000)},
    {UINT64_C(0x0400000000000000), UINT64_C(0x8164d1f3bc030773)},
    {UINT64_C(0x03ffffffffffffff), UINT64_C(0x8164d1f3bc030773)},
    {UINT64_C(0x8000000000000000), UINT64_C(0xb504f333f9de6484)},
    {UINT64_C(0x5555555555555555), UINT64_C(0xa14517cc6b94570f)},
    {UINT64_C(0x123456789abcdef0), UINT64_C(0x86779e2e891910a1)},
    {UINT64_C(0xfedcba9876543210), UINT64_C(0xff366abaddf5b349)},
    {UINT64_C(0xffffffffffffffff), UINT64_C(0xfffffffffffffffe)},
};

START_TEST(powers_are_the_same_on_every_machine)
{
    ck_assert_msg(exp2_fraction(stored[_i].x) == stored[_i].power, "got 0x%llx",
                  (unsigned long long)exp2_fraction(stored[_i].x));
}
END_TEST

SUITE("exp2", NULL, NULL, TEST(powers_are_right_to_a_few_units),
      TEST(powers_do_not_decrease),
      TABLE(powers_are_the_same_on_every_machine, stored))
