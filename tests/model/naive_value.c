/* naive_value.c: value tests, one function per family of rows. */
#include "tests/model/naive_value.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/mutant.h"
#include "tests/model/naive_text.h"

#define DAY 86400000

struct naive_value naive_value_of(const json_t *json)
{
    struct naive_value v = {.type = NAIVE_MISSING, .json = json};
    if (!json)
        return v;
    switch (json_typeof(json)) {
    case JSON_NULL:
        if (MUTATED(IS_SET_NULL))
            v.type = NAIVE_OBJECT;
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        v.type = NAIVE_BOOL;
        v.integer = json_is_true(json);
        break;
    case JSON_INTEGER:
        v.type = NAIVE_INT;
        v.integer = json_integer_value(json);
        break;
    case JSON_REAL:
        v.type = NAIVE_REAL;
        v.real = json_real_value(json);
        break;
    case JSON_STRING:
        v.type = NAIVE_TEXT;
        v.text = (struct seg_text){json_string_value(json),
                                   json_string_length(json)};
        break;
    case JSON_ARRAY:
        v.type = NAIVE_LIST;
        break;
    case JSON_OBJECT:
        v.type = NAIVE_OBJECT;
        break;
    }
    return v;
}

struct naive_value naive_value_int(int64_t integer)
{
    return (struct naive_value){.type = NAIVE_INT, .integer = integer};
}

struct naive_value naive_value_days(int64_t age_ms)
{
    if (MUTATED(DAYS_WHOLE))
        age_ms -= age_ms % DAY;
    return (struct naive_value){.type = NAIVE_DAYS, .integer = age_ms};
}

struct naive_value naive_value_text(struct seg_text text)
{
    return (struct naive_value){.type = text.bytes ? NAIVE_TEXT : NAIVE_MISSING,
                                .text = text};
}

/* ---- comparing ----------------------------------------------------------- */

/* Whether VALUE and OPERAND are of one type. */
static int comparable(const struct naive_value *value,
                      const struct rule_value *operand)
{
    int64_t ms;
    if (operand->is_date)
        return naive_value_instant(value, &ms);
    switch ((enum seg_value_type)operand->value.type) {
    case SEG_BOOL:
        return value->type == NAIVE_BOOL;
    case SEG_INT:
    case SEG_DOUBLE:
        if (MUTATED(COERCE) && value->type == NAIVE_TEXT)
            return 1;
        return naive_value_is_number(value) ||
               (MUTATED(BOOL_NUMBER) && value->type == NAIVE_BOOL);
    case SEG_TEXT:
        return value->type == NAIVE_TEXT;
    case SEG_MISSING:
    case SEG_LIST:
    case SEG_OBJECT:
        break;
    }
    return 0;
}

static int order(long double a, long double b)
{
    return a < b ? -1 : a > b;
}

static int order_units(naive_units a, naive_units b)
{
    return a < b ? -1 : a > b;
}

long double naive_value_days_ms(const struct rule_value *number)
{
    assert(number->spelling.bytes);
    long double ms = strtold(number->spelling.bytes, NULL) * DAY;
    return fabsl(ms - roundl(ms)) < 1e-6L ? roundl(ms) : ms;
}

naive_units naive_value_literal(const struct rule_value *number)
{
    if (number->value.type == SEG_INT)
        return (naive_units)number->value.as.integer * NAIVE_UNIT;
    return naive_units_of_real(number->value.as.number);
}

/* A long double holds every int64_t and every double exactly, where it has 64
 * bits of mantissa or more. */
static int compare_numbers(const struct naive_value *value,
                           const struct rule_value *operand)
{
    _Static_assert(__LDBL_MANT_DIG__ >= 64, "long double is too short");
    long double right = operand->value.type == SEG_INT
                            ? (long double)operand->value.as.integer
                            : (long double)operand->value.as.number;
    if (value->type == NAIVE_DAYS)
        return order(value->integer, naive_value_days_ms(operand));
    if (value->type == NAIVE_UNITS || value->type == NAIVE_SCORE)
        return order_units(value->units, naive_value_literal(operand));
    if (value->type == NAIVE_TEXT)
        return order(strtold(value->text.bytes, NULL), right);
    long double left = value->type == NAIVE_REAL ? (long double)value->real
                                                 : (long double)value->integer;
    if (MUTATED(INT_AS_DOUBLE))
        return order((double)left, (double)right);
    return order(left, right);
}

static int compare_texts(struct seg_text a, struct seg_text b, int fold)
{
    struct naive_text x, y;
    naive_text_init(&x, a, fold);
    naive_text_init(&y, b, fold);
    int result = naive_text_compare(&x, &y);
    naive_text_done(&x);
    naive_text_done(&y);
    return result;
}

static struct seg_text operand_text(const struct rule_value *operand)
{
    return (struct seg_text){operand->value.as.text, operand->value.len};
}

/* Order of two values that are comparable. */
static int compare(const struct naive_value *value,
                   const struct rule_value *operand, int fold)
{
    int64_t ms;
    if (operand->is_date)
        return naive_value_instant(value, &ms)
                   ? order(ms, operand->value.as.integer)
                   : -1;
    if (operand->value.type == SEG_BOOL)
        return order(value->integer, operand->value.as.boolean != 0);
    if (operand->value.type == SEG_TEXT)
        return compare_texts(value->text, operand_text(operand), fold);
    return compare_numbers(value, operand);
}

static int equal(const struct naive_value *value,
                 const struct rule_value *operand, int fold)
{
    return comparable(value, operand) && !compare(value, operand, fold);
}

static int equals_any(const struct naive_value *value,
                      const struct rule_test *test)
{
    for (int i = 0; i < test->values.count; i++)
        if (equal(value, &test->values.items[i], test->ignoring_case))
            return 1;
        else if (MUTATED(IN_FIRST))
            return 0;
    return 0;
}

/* ---- one value ----------------------------------------------------------- */

static int passes_equality(const struct naive_value *v,
                           const struct rule_test *test)
{
    const struct rule_value *operand = test->values.items;
    int same = equal(v, operand, test->ignoring_case);
    if (MUTATED(EQ_LIST) && v->type == NAIVE_LIST && json_array_size(v->json)) {
        struct naive_value item = naive_value_of(json_array_get(v->json, 0));
        same = equal(&item, operand, test->ignoring_case);
    }
    if (test->op == OP_EQ)
        return MUTATED(EQ_IS_NE) ? comparable(v, operand) && !same : same;
    if (v->type == NAIVE_MISSING)
        return MUTATED(NE_MISSING);
    return !same && (comparable(v, operand) || MUTATED(NE_TYPES));
}

static int passes_order(const struct naive_value *v,
                        const struct rule_test *test)
{
    const struct rule_value *operand = test->values.items;
    if (!comparable(v, operand) || v->type == NAIVE_BOOL)
        return 0;
    int c = compare(v, operand, MUTATED(ORDER_TEXT));
    if (test->op == OP_LT)
        return MUTATED(LT_LE) ? c <= 0 : c < 0;
    if (test->op == OP_LE)
        return MUTATED(LE_LT) ? c < 0 : c <= 0;
    if (test->op == OP_GT)
        return MUTATED(GT_GE) ? c >= 0 : c > 0;
    return MUTATED(GE_GT) ? c > 0 : c >= 0;
}

static int passes_membership(const struct naive_value *v,
                             const struct rule_test *test)
{
    if (test->op == OP_IN)
        return equals_any(v, test);
    if (v->type == NAIVE_MISSING)
        return MUTATED(NOT_IN_MISSING);
    int known_type = MUTATED(NOT_IN_TYPES);
    for (int i = 0; i < test->values.count; i++)
        known_type |= comparable(v, &test->values.items[i]);
    if (MUTATED(NOT_IN_ALL))
        return known_type &&
               !equal(v, &test->values.items[test->values.count - 1],
                      test->ignoring_case);
    return known_type && !equals_any(v, test);
}

static int passes_between(const struct naive_value *v,
                          const struct rule_test *test)
{
    const struct rule_value *low = &test->values.items[0];
    const struct rule_value *high = &test->values.items[1];
    if (!comparable(v, low) || !comparable(v, high) || v->type == NAIVE_BOOL)
        return 0;
    int above = compare(v, low, 0), below = -compare(v, high, 0);
    return (MUTATED(BETWEEN_LOW) ? above > 0 : above >= 0) &&
           (MUTATED(BETWEEN_HIGH) ? below > 0 : below >= 0);
}

static int is_set(const struct naive_value *v)
{
    if (MUTATED(IS_SET_TEXT) && v->type == NAIVE_TEXT && !v->text.len)
        return 0;
    if (MUTATED(IS_SET_LIST) && v->type == NAIVE_LIST &&
        !json_array_size(v->json))
        return 0;
    return v->type != NAIVE_MISSING;
}

/* ---- text ---------------------------------------------------------------- */

static int text_test(enum rule_op op, const struct naive_text *text,
                     const struct naive_text *part)
{
    int starts = naive_text_find(text, part, 0) == 0;
    int contains = naive_text_find(text, part, 0) >= 0;
    if (op == OP_CONTAINS)
        return MUTATED(CONTAINS_STARTS) ? starts : contains;
    if (op == OP_STARTS)
        return MUTATED(STARTS_CONTAINS) ? contains : starts;
    if (op == OP_MATCHES)
        return naive_text_glob(part, text);
    if (op == OP_MATCHES_REGEX)
        return naive_text_regex(part, text);
    if (MUTATED(ENDS_CONTAINS))
        return contains;
    return text->count >= part->count &&
           naive_text_find(text, part, text->count - part->count) >= 0;
}

static int passes_text(const struct naive_value *v,
                       const struct rule_test *test)
{
    struct naive_text text, part;
    if (v->type != NAIVE_TEXT)
        return 0;
    int regex = test->op == OP_MATCHES_REGEX, fold = test->ignoring_case;
    naive_text_init(&text, v->text, fold && !regex);
    naive_text_init(&part, operand_text(test->values.items), fold && !regex);
    if (fold && regex) {
        naive_text_lower(&text);
        naive_text_lower(&part);
    }
    int result = text_test(test->op, &text, &part);
    naive_text_done(&text);
    naive_text_done(&part);
    return result;
}

static int passes_version(const struct naive_value *v,
                          const struct rule_test *test)
{
    struct seg_text operand = operand_text(test->values.items);
    if (v->type != NAIVE_TEXT)
        return 0;
    int c = naive_text_versions(v->text, operand);
    if (c == 2)
        return test->op == OP_VERSION_NE && MUTATED(VERSION_NE_BAD);
    if (test->op == OP_VERSION_EQ)
        return MUTATED(VERSION_EQ_TEXT) ? !compare_texts(v->text, operand, 0)
                                        : c == 0;
    if (test->op == OP_VERSION_NE)
        return c != 0;
    if (test->op == OP_VERSION_LT)
        return MUTATED(VERSION_LT_LE) ? c <= 0 : c < 0;
    if (test->op == OP_VERSION_LE)
        return MUTATED(VERSION_LE_LT) ? c < 0 : c <= 0;
    if (test->op == OP_VERSION_GT)
        return MUTATED(VERSION_GT_GE) ? c >= 0 : c > 0;
    return MUTATED(VERSION_GE_GT) ? c > 0 : c >= 0;
}

/* ---- lists --------------------------------------------------------------- */

/* Whether an element of LIST equals OPERAND. */
static int list_has(const json_t *list, const struct rule_value *operand,
                    int fold)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct naive_value item = naive_value_of(json_array_get(list, i));
        if (equal(&item, operand, fold))
            return 1;
        if (MUTATED(HAS_FIRST))
            return 0;
    }
    return 0;
}

static struct naive_value member_of(const json_t *element,
                                    const struct path *path)
{
    const json_t *json = element;
    for (int i = 0; i < path->count && json; i++)
        json = json_object_getn(json, path->names[i].bytes, path->names[i].len);
    return naive_value_of(json);
}

/* Whether ELEMENT, an object, passes WHERE. */
static int element_passes(const json_t *element, const struct rule_where *where,
                          int64_t now)
{
    struct naive_value value;
    switch (where->kind) {
    case WHERE_AND:
        for (int i = 0; i < where->count; i++)
            if (!element_passes(element, where->children[i], now))
                return 0;
        return 1;
    case WHERE_OR:
        for (int i = 0; i < where->count; i++)
            if (element_passes(element, where->children[i], now))
                return 1;
        return 0;
    case WHERE_NOT:
        return !element_passes(element, where->children[0], now);
    case WHERE_TEST:
        break;
    }
    value = member_of(element, &where->path);
    return naive_value_passes(&value, &where->test, now);
}

/* One element, an object, passes all of it: not one this part, another that. */
static int has_one(const json_t *list, const struct rule_where *where,
                   int64_t now)
{
    int parts = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *element = json_array_get(list, i);
        if (!json_is_object(element) && !MUTATED(ONE_SCALAR))
            continue;
        if (element_passes(element, where, now))
            return 1;
        if (MUTATED(ONE_FIRST))
            return 0;
    }
    for (int c = 0;
         MUTATED(ONE_PARTS) && where->kind == WHERE_AND && c < where->count;
         c++)
        parts += has_one(list, where->children[c], now);
    return parts && parts == where->count;
}

static int passes_list(const struct naive_value *v,
                       const struct rule_test *test, int64_t now)
{
    int found = 0, all = test->values.count;
    if (v->type == NAIVE_MISSING)
        return test->op == OP_HAS_NONE && MUTATED(HAS_NONE_MISSING);
    if (v->type != NAIVE_LIST)
        return MUTATED(HAS_SCALAR) && equal(v, test->values.items, 0);
    if (test->op == OP_HAS_ONE)
        return has_one(v->json, test->where, now);
    for (int i = 0; i < all; i++)
        found += list_has(v->json, &test->values.items[i], test->ignoring_case);
    if (test->op == OP_HAS_ANY)
        return MUTATED(HAS_ANY_ALL) ? found == all : found > 0;
    if (test->op == OP_HAS_ALL)
        return MUTATED(HAS_ALL_ANY) ? found > 0 : found == all;
    if (test->op == OP_HAS_NONE)
        return !found &&
               !(MUTATED(HAS_NONE_EMPTY) && !json_array_size(v->json));
    return found > 0;
}

/* ---- time ---------------------------------------------------------------- */

static int passes_within(int64_t age, int64_t d)
{
    if (MUTATED(WITHIN_FUTURE) && age < 0)
        return 1;
    if (MUTATED(WITHIN_CLOSED) && age == d)
        return 1;
    if (MUTATED(WITHIN_SHORT) && age == d - 1)
        return 0;
    if (MUTATED(WITHIN_NOW) && age == 0)
        return 0;
    return 0 <= age && age < d;
}

static int passes_within_next(int64_t ahead, int64_t d)
{
    if (MUTATED(WITHIN_NEXT_OPEN) && ahead == d)
        return 0;
    if (MUTATED(WITHIN_NEXT_EARLY) && ahead == d + 1)
        return 1;
    if (MUTATED(WITHIN_NEXT_CLOSED) && ahead == 0)
        return 1;
    if (MUTATED(WITHIN_NEXT_SHORT) && ahead == 1)
        return 0;
    return 0 < ahead && ahead <= d;
}

static int passes_more_than(int64_t age, int64_t d)
{
    if (MUTATED(MORE_THAN_OPEN) && age == d)
        return 0;
    if (MUTATED(MORE_THAN_EARLY) && age == d - 1)
        return 1;
    return age >= d;
}

static int passes_time(const struct naive_value *v,
                       const struct rule_test *test, int64_t now)
{
    int64_t t;
    if (!naive_value_instant(v, &t))
        return 0;
    if (test->op == OP_WITHIN)
        return passes_within(now - t, test->duration_ms);
    if (test->op == OP_WITHIN_NEXT)
        return passes_within_next(t - now, test->duration_ms);
    if (test->op == OP_MORE_THAN)
        return passes_more_than(now - t, test->duration_ms);
    int64_t date = test->values.items[0].value.as.integer;
    if (test->op == OP_BEFORE)
        return MUTATED(BEFORE_CLOSED)  ? t <= date
               : MUTATED(BEFORE_SHORT) ? t < date - 1
                                       : t < date;
    return MUTATED(AFTER_CLOSED)  ? t >= date
           : MUTATED(AFTER_SHORT) ? t > date + 1
                                  : t > date;
}

/* ---- all ----------------------------------------------------------------- */

int naive_value_passes(const struct naive_value *v,
                       const struct rule_test *test, int64_t now)
{
    switch (test->op) {
    case OP_EQ:
    case OP_NE:
        return passes_equality(v, test);
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
        return passes_order(v, test);
    case OP_IN:
    case OP_NOT_IN:
        return passes_membership(v, test);
    case OP_BETWEEN:
        return passes_between(v, test);
    case OP_IS_SET:
        return is_set(v);
    case OP_IS_NOT_SET:
        return !is_set(v) && !MUTATED(IS_NOT_SET);
    case OP_CONTAINS:
    case OP_STARTS:
    case OP_ENDS:
    case OP_MATCHES:
    case OP_MATCHES_REGEX:
        return passes_text(v, test);
    case OP_HAS:
    case OP_HAS_ANY:
    case OP_HAS_ALL:
    case OP_HAS_NONE:
    case OP_HAS_ONE:
        return passes_list(v, test, now);
    case OP_WITHIN:
    case OP_WITHIN_NEXT:
    case OP_MORE_THAN:
    case OP_BEFORE:
    case OP_AFTER:
        return passes_time(v, test, now);
    case OP_VERSION_EQ:
    case OP_VERSION_NE:
    case OP_VERSION_LT:
    case OP_VERSION_LE:
    case OP_VERSION_GT:
    case OP_VERSION_GE:
        return passes_version(v, test);
    case OP_COUNT_:
        break;
    }
    assert(!"a test without an operator");
    return 0;
}

static void element_edges(const json_t *element, const struct rule_where *where,
                          void (*edge)(void *arg, int64_t ms), void *arg)
{
    struct naive_value value;
    for (int i = 0; i < where->count; i++)
        element_edges(element, where->children[i], edge, arg);
    if (where->kind != WHERE_TEST)
        return;
    value = member_of(element, &where->path);
    naive_value_edges(&value, &where->test, edge, arg);
}

void naive_value_edges(const struct naive_value *v,
                       const struct rule_test *test,
                       void (*edge)(void *arg, int64_t ms), void *arg)
{
    int64_t t;
    if (test->op == OP_HAS_ONE && v->type == NAIVE_LIST)
        for (size_t i = 0; i < json_array_size(v->json); i++)
            element_edges(json_array_get(v->json, i), test->where, edge, arg);
    if (test->op != OP_WITHIN && test->op != OP_WITHIN_NEXT &&
        test->op != OP_MORE_THAN)
        return;
    if (!naive_value_instant(v, &t))
        return;
    edge(arg, t);
    edge(arg, t + test->duration_ms);
    edge(arg, t - test->duration_ms);
}
