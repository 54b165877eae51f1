/* value.c: comparing two values. */
#include "lib/event/value.h"

#include "lib/base/hash.h"
#include "lib/base/text.h"

static int is_number(const struct seg_value *value)
{
    return value->type == SEG_INT || value->type == SEG_DOUBLE;
}

int value_same_type(const struct seg_value *a, const struct seg_value *b)
{
    if (is_number(a))
        return is_number(b);
    return a->type == b->type && (a->type == SEG_TEXT || a->type == SEG_BOOL);
}

#define TWO_63 9223372036854775808.0 /* One more than any int64_t. */

/* Exact: neither side is rounded to the type of the other. */
static int compare_mixed(int64_t integer, double number)
{
    if (number >= TWO_63)
        return -1;
    if (number < -TWO_63)
        return 1;
    int64_t whole = (int64_t)number; /* Towards 0. */
    if (integer != whole)
        return integer < whole ? -1 : 1;
    return (number < (double)whole) - (number > (double)whole);
}

static int compare_numbers(const struct seg_value *a, const struct seg_value *b)
{
    if (a->type == SEG_INT && b->type == SEG_INT)
        return (a->as.integer > b->as.integer) -
               (a->as.integer < b->as.integer);
    if (a->type == SEG_INT)
        return compare_mixed(a->as.integer, b->as.number);
    if (b->type == SEG_INT)
        return -compare_mixed(b->as.integer, a->as.number);
    return (a->as.number > b->as.number) - (a->as.number < b->as.number);
}

int value_compare(const struct seg_value *a, const struct seg_value *b,
                  int *order)
{
    if (!value_same_type(a, b) || a->type == SEG_BOOL)
        return 0;
    *order = a->type == SEG_TEXT
                 ? text_compare((struct seg_text){a->as.text, a->len},
                                (struct seg_text){b->as.text, b->len})
                 : compare_numbers(a, b);
    return 1;
}

int value_equal(const struct seg_value *a, const struct seg_value *b)
{
    int order;
    if (a->type == SEG_BOOL && b->type == SEG_BOOL)
        return !a->as.boolean == !b->as.boolean;
    return value_compare(a, b, &order) && order == 0;
}

/* Numbers that are equal are one double or, beyond what doubles tell apart, one
 * integer: a double that is whole and fits is taken as that integer. */
static uint64_t hash_number(const struct seg_value *value)
{
    double number = value->as.number;
    int64_t whole = value->as.integer;
    if (value->type == SEG_DOUBLE) {
        if (!(number >= -TWO_63 && number < TWO_63) ||
            number != (double)(int64_t)number)
            return hash_bytes(&number, sizeof(number), SEG_DOUBLE);
        whole = (int64_t)number;
    }
    return hash_bytes(&whole, sizeof(whole), SEG_INT);
}

uint64_t value_hash(const struct seg_value *value)
{
    uint64_t hash = 0;
    uint8_t truth;
    switch ((enum seg_value_type)value->type) {
    case SEG_INT:
    case SEG_DOUBLE:
        hash = hash_number(value);
        break;
    case SEG_TEXT:
        hash = hash_bytes(value->as.text, value->len, SEG_TEXT);
        break;
    case SEG_BOOL:
        truth = value->as.boolean != 0;
        hash = hash_bytes(&truth, 1, SEG_BOOL);
        break;
    case SEG_MISSING:
    case SEG_LIST:
    case SEG_OBJECT:
        return 0;
    }
    return hash ? hash : 1;
}
