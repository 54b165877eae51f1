/* compare.c: two measures against each other. */
#include "lib/segment/compare.h"

#include "lib/event/value.h"

struct measured measured_of(struct seg_value value)
{
    struct measured measured = {.value = value, .exact = value.type == SEG_INT};
    if (measured.exact)
        measured.units = (decimal)value.as.integer * DECIMAL_ONE;
    return measured;
}

static int is_number(const struct seg_value *value)
{
    return value->type == SEG_INT || value->type == SEG_DOUBLE;
}

static double to_double(const struct seg_value *value)
{
    return value->type == SEG_INT ? (double)value->as.integer
                                  : value->as.number;
}

static int order_doubles(const struct measured *left,
                         const struct measured *right, int64_t percent)
{
    double a = to_double(&left->value);
    double b =
        to_double(&right->value) * ((double)percent / (double)COMPARE_WHOLE);
    return (a > b) - (a < b);
}

/* Sums beyond 1e22 or so may be too large for a percentage of them to be
 * exact. */
static int order_units(const struct measured *left,
                       const struct measured *right, int64_t percent)
{
    decimal a, b;
    if (percent == COMPARE_WHOLE)
        return (left->units > right->units) - (left->units < right->units);
    if (__builtin_mul_overflow(left->units, (decimal)COMPARE_WHOLE, &a) ||
        __builtin_mul_overflow(right->units, (decimal)percent, &b))
        return order_doubles(left, right, percent);
    return (a > b) - (a < b);
}

int compare_order(const struct measured *left, const struct measured *right,
                  int64_t percent, int *order)
{
    if (left->exact && right->exact)
        *order = order_units(left, right, percent);
    else if (percent == COMPARE_WHOLE)
        return value_compare(&left->value, &right->value, order);
    else if (is_number(&left->value) && is_number(&right->value))
        *order = order_doubles(left, right, percent);
    else
        return 0;
    return 1;
}

int compare_measured(const struct predicate *predicate,
                     const struct measured *left, const struct measured *right,
                     uint64_t *mismatches)
{
    enum rule_op op = predicate->test.rule->op;
    int order;
    if (left->value.type == SEG_MISSING || right->value.type == SEG_MISSING)
        return 0;
    if (predicate->percent == COMPARE_WHOLE && left->value.type == SEG_BOOL &&
        right->value.type == SEG_BOOL && (op == OP_EQ || op == OP_NE))
        return value_equal(&left->value, &right->value) == (op == OP_EQ);
    if (!compare_order(left, right, predicate->percent, &order)) {
        if (mismatches)
            ++*mismatches;
        return 0;
    }
    return op == OP_EQ   ? order == 0
           : op == OP_NE ? order != 0
           : op == OP_LT ? order < 0
           : op == OP_LE ? order <= 0
           : op == OP_GT ? order > 0
                         : order >= 0;
}

static int all_numbers(const struct value_test *test)
{
    for (int i = 0; i < test->rule->values.count; i++)
        if (test->operands[i].is_date || !is_number(&test->operands[i].value))
            return 0;
    return 1;
}

static int order_of(const struct value_test *test, decimal sum, int operand)
{
    int order = 0;
    decimal_compare(sum, &test->operands[operand].value, &order);
    return order;
}

static int is_listed(const struct value_test *test, decimal sum)
{
    for (int i = 0; i < test->rule->values.count; i++)
        if (order_of(test, sum, i) == 0)
            return 1;
    return 0;
}

int compare_sum(const struct value_test *test, decimal sum, int *passes)
{
    enum rule_op op = test->rule->op;
    if (!test->rule->values.count || !all_numbers(test))
        return 0;
    int order = order_of(test, sum, 0);
    if (op == OP_EQ)
        *passes = order == 0;
    else if (op == OP_NE)
        *passes = order != 0;
    else if (op == OP_LT)
        *passes = order < 0;
    else if (op == OP_LE)
        *passes = order <= 0;
    else if (op == OP_GT)
        *passes = order > 0;
    else if (op == OP_GE)
        *passes = order >= 0;
    else if (op == OP_BETWEEN)
        *passes = order >= 0 && order_of(test, sum, 1) <= 0;
    else if (op == OP_IN || op == OP_NOT_IN)
        *passes = is_listed(test, sum) == (op == OP_IN);
    else
        return 0;
    return 1;
}
