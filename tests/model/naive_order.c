/* naive_order.c: two measures, or the values of two events, against each other.
 *
 * Integers and sums are compared exactly; other numbers as doubles, and so is a
 * percentage of one. Texts have an order, but no percentages. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/model/mutant.h"
#include "tests/model/naive_text.h"
#include "tests/model/naive_value.h"

#define DAY   86400000
#define WHOLE 10000 /* 100 %, in hundredths of a percent. */

struct naive_value naive_value_units(naive_units units)
{
    return (struct naive_value){.type = NAIVE_UNITS, .units = units};
}

struct naive_value naive_value_real(double real)
{
    return (struct naive_value){.type = NAIVE_REAL, .real = real};
}

int naive_value_is_number(const struct naive_value *v)
{
    return v->type == NAIVE_INT || v->type == NAIVE_REAL ||
           v->type == NAIVE_DAYS || v->type == NAIVE_UNITS ||
           v->type == NAIVE_SCORE;
}

/* As text, which the C library rounds once. */
naive_units naive_units_of_real(double real)
{
    char text[64];
    naive_units units = 0;
    assert(fabs(real) < 1e28);
    snprintf(text, sizeof(text), "%.9f", real);
    for (const char *at = text; *at; at++)
        if (*at >= '0' && *at <= '9')
            units = units * 10 + (*at - '0');
    return text[0] == '-' ? -units : units;
}

/* The nearest double, likewise. */
double naive_units_nearest(naive_units units)
{
    char text[64];
    naive_units size = units < 0 ? -units : units, rest = size / NAIVE_UNIT;
    char *at = text + sizeof(text) - 16;
    snprintf(at, 16, ".%09d", (int)(size % NAIVE_UNIT));
    do
        *--at = (char)('0' + (int)(rest % 10));
    while ((rest /= 10));
    return units < 0 ? -strtod(at, NULL) : strtod(at, NULL);
}

naive_units naive_value_units_of(const struct naive_value *v)
{
    if (v->type == NAIVE_INT)
        return (naive_units)v->integer * NAIVE_UNIT;
    return v->type == NAIVE_REAL ? naive_units_of_real(v->real) : v->units;
}

static long double number_of(const struct naive_value *v)
{
    if (v->type == NAIVE_DAYS)
        return (double)v->integer / DAY;
    if (v->type == NAIVE_UNITS && v->units % NAIVE_UNIT == 0 &&
        v->units / NAIVE_UNIT >= INT64_MIN &&
        v->units / NAIVE_UNIT <= INT64_MAX)
        return (long double)(v->units / NAIVE_UNIT); /* An integer. */
    if (v->type == NAIVE_UNITS || v->type == NAIVE_SCORE)
        return naive_units_nearest(v->units);
    return v->type == NAIVE_REAL ? (long double)v->real
                                 : (long double)v->integer;
}

static int order_units(naive_units a, naive_units b)
{
    return a < b ? -1 : a > b;
}

static int order_numbers(const struct naive_value *a,
                         const struct naive_value *b, int64_t hundredths)
{
    int exact = (a->type == NAIVE_INT || a->type == NAIVE_UNITS) &&
                (b->type == NAIVE_INT || b->type == NAIVE_UNITS);
    if (exact)
        return order_units(naive_value_units_of(a) * WHOLE,
                           naive_value_units_of(b) * hundredths);
    long double x = number_of(a), y = number_of(b);
    if (hundredths != WHOLE) {
        x = (double)x;
        y = (double)y * ((double)hundredths / WHOLE);
    }
    return x < y ? -1 : x > y;
}

int naive_value_order(const struct naive_value *a, const struct naive_value *b,
                      int64_t hundredths, int *order)
{
    struct naive_text x, y;
    if (naive_value_is_number(a) && naive_value_is_number(b)) {
        *order = order_numbers(a, b, hundredths);
        return 1;
    }
    if (hundredths != WHOLE || a->type != NAIVE_TEXT || b->type != NAIVE_TEXT)
        return 0;
    naive_text_init(&x, a->text, 0);
    naive_text_init(&y, b->text, 0);
    *order = naive_text_compare(&x, &y);
    naive_text_done(&x);
    naive_text_done(&y);
    return 1;
}

int naive_value_same(const struct naive_value *a, const struct naive_value *b)
{
    int order;
    if (a->type == NAIVE_BOOL && b->type == NAIVE_BOOL)
        return a->integer == b->integer;
    if (MUTATED(SAME_TYPES) && naive_value_is_number(a) && a->type != b->type)
        return 0;
    return naive_value_order(a, b, WHOLE, &order) && !order;
}
