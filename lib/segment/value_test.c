/* value_test.c: one test of one value.
 *
 * A missing value passes nothing but `is not set`. Values of types that do not
 * compare make every comparison false, `!=` and `not in` too. A DATE operand
 * compares by instant with whatever can be read as one. */
#include "lib/segment/value_test.h"

#include <math.h>
#include <stdlib.h>

#include <seg/engine.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/event/value.h"
#include "lib/event/version.h"
#include "lib/segment/element_test.h"
#include "lib/segment/regex.h"

#define SET_MIN 8 /* Values from which on a set is faster than a search. */

static struct seg_text text_of_value(const struct seg_value *value)
{
    return (struct seg_text){value->as.text, value->len};
}

/* ---- compiling -------------------------------------------------------- */

static int fold_value(struct arena *arena, struct seg_value *value)
{
    struct seg_text folded;
    if (value->type != SEG_TEXT)
        return 0;
    if (text_fold(arena, text_of_value(value), &folded) < 0)
        return SEG_ERR_NOMEM;
    value->as.text = folded.bytes;
    value->len = (uint32_t)folded.len;
    return 0;
}

static int fold_operands(struct value_test *test, struct arena *arena)
{
    int count = test->rule->values.count;
    struct rule_value *operands =
        arena_calloc(arena, (size_t)count, sizeof(*operands));
    if (!operands)
        return SEG_ERR_NOMEM;
    for (int i = 0; i < count; i++) {
        operands[i] = test->rule->values.items[i];
        if (!operands[i].is_date && fold_value(arena, &operands[i].value) < 0)
            return SEG_ERR_NOMEM;
    }
    test->operands = operands;
    return 0;
}

static int all_texts(const struct value_test *test)
{
    for (int i = 0; i < test->rule->values.count; i++)
        if (test->operands[i].value.type != SEG_TEXT)
            return 0;
    return 1;
}

static int make_set(struct value_test *test, struct arena *arena)
{
    uint32_t number;
    struct intern *set = arena_alloc(arena, sizeof(*set));
    if (!set)
        return SEG_ERR_NOMEM;
    intern_init(set);
    test->set = set;
    for (int i = 0; i < test->rule->values.count; i++)
        if (intern_add(set, text_of_value(&test->operands[i].value), &number) <
            0)
            return SEG_ERR_NOMEM;
    return 0;
}

static int make_where(struct value_test *test, struct arena *arena)
{
    struct element_test *where = arena_calloc(arena, 1, sizeof(*where));
    if (!where)
        return SEG_ERR_NOMEM;
    test->where = where;
    return element_test_init(where, arena, test->rule->where);
}

int value_test_init(struct value_test *test, struct arena *arena,
                    const struct rule_test *rule)
{
    *test = (struct value_test){.rule = rule, .operands = rule->values.items};
    if (rule->ignoring_case && rule->op != OP_MATCHES_REGEX &&
        fold_operands(test, arena) < 0)
        return SEG_ERR_NOMEM;
    if (rule->op == OP_HAS_ONE)
        return make_where(test, arena);
    if (rule->op == OP_MATCHES_REGEX)
        return regex_new(&test->regex,
                         text_of_value(&rule->values.items->value),
                         rule->ignoring_case);
    if ((rule->op == OP_IN || rule->op == OP_NOT_IN) &&
        rule->values.count >= SET_MIN && all_texts(test))
        return make_set(test, arena);
    return 0;
}

void value_test_done(struct value_test *test)
{
    if (test->set)
        intern_done((struct intern *)test->set);
    if (test->where)
        element_test_done(test->where);
    regex_free(test->regex);
}

/* ---- testing ---------------------------------------------------------- */

static void count_mismatch(const struct test_context *context)
{
    if (context->mismatches)
        ++*context->mismatches;
}

/* *ORDER of VALUE against OPERAND; 0 if they do not compare. */
static int compare(const struct seg_value *value,
                   const struct rule_value *operand,
                   const struct test_context *context, int *order)
{
    int64_t ms;
    if (operand->is_date && instant_of_value(value, &ms) == 0) {
        *order =
            (ms > operand->value.as.integer) - (ms < operand->value.as.integer);
        return 1;
    }
    if (!operand->is_date && value_compare(value, &operand->value, order))
        return 1;
    count_mismatch(context);
    return 0;
}

/* 1 equal, 0 different, -1 of types that do not compare. */
static int equality(const struct seg_value *value,
                    const struct rule_value *operand)
{
    int64_t ms;
    if (operand->is_date)
        return instant_of_value(value, &ms) < 0
                   ? -1
                   : ms == operand->value.as.integer;
    if (!value_same_type(value, &operand->value))
        return -1;
    return value_equal(value, &operand->value);
}

static int test_equal(const struct value_test *test,
                      const struct seg_value *value, int want,
                      const struct test_context *context)
{
    int equal = equality(value, &test->operands[0]);
    if (equal < 0)
        count_mismatch(context);
    return equal == want;
}

static int test_order(const struct value_test *test,
                      const struct seg_value *value,
                      const struct test_context *context)
{
    int order;
    if (!compare(value, &test->operands[0], context, &order))
        return 0;
    switch (test->rule->op) {
    case OP_LT:
    case OP_BEFORE:
        return order < 0;
    case OP_LE:
        return order <= 0;
    case OP_GT:
    case OP_AFTER:
        return order > 0;
    default:
        return order >= 0;
    }
}

static int test_between(const struct value_test *test,
                        const struct seg_value *value,
                        const struct test_context *context)
{
    int low, high;
    return compare(value, &test->operands[0], context, &low) &&
           compare(value, &test->operands[1], context, &high) && low >= 0 &&
           high <= 0;
}

/* Whether VALUE is one of the operands: 1, 0, or -1 if it compares with none.
 */
static int is_listed(const struct value_test *test,
                     const struct seg_value *value)
{
    int result = -1;
    if (test->set)
        return value->type == SEG_TEXT
                   ? intern_find(test->set, text_of_value(value)) != INTERN_NONE
                   : -1;
    for (int i = 0; i < test->rule->values.count; i++) {
        int equal = equality(value, &test->operands[i]);
        if (equal > 0)
            return 1;
        result = equal == 0 ? 0 : result;
    }
    return result;
}

static int test_listed(const struct value_test *test,
                       const struct seg_value *value, int want,
                       const struct test_context *context)
{
    int listed = is_listed(test, value);
    if (listed < 0)
        count_mismatch(context);
    return listed == want;
}

/* How many operands are equal to some item of the list VALUE; -1: no list. */
static int count_held(const struct value_test *test,
                      const struct seg_value *value,
                      const struct test_context *context)
{
    int held = 0;
    if (value->type != SEG_LIST) {
        count_mismatch(context);
        return -1;
    }
    for (int i = 0; i < test->rule->values.count; i++)
        for (uint32_t j = 0; j < value->len; j++)
            if (equality(&value->as.items[j], &test->operands[i]) > 0) {
                held++;
                break;
            }
    return held;
}

static int contains(struct seg_text text, struct seg_text part)
{
    return !part.len || memmem(text.bytes, text.len, part.bytes, part.len);
}

static int test_text(const struct value_test *test,
                     const struct seg_value *value,
                     const struct test_context *context)
{
    struct seg_text text = text_of_value(value);
    struct seg_text part = text_of_value(&test->operands[0].value);
    if (value->type != SEG_TEXT) {
        count_mismatch(context);
        return 0;
    }
    switch (test->rule->op) {
    case OP_CONTAINS:
        return contains(text, part);
    case OP_STARTS:
        return text.len >= part.len &&
               text_equal((struct seg_text){text.bytes, part.len}, part);
    case OP_ENDS:
        return text.len >= part.len &&
               text_equal((struct seg_text){text.bytes + text.len - part.len,
                                            part.len},
                          part);
    default:
        return text_glob(part, text);
    }
}

static int test_regex(const struct value_test *test,
                      const struct seg_value *value,
                      const struct test_context *context)
{
    if (value->type != SEG_TEXT) {
        count_mismatch(context);
        return 0;
    }
    int found = regex_found(test->regex, text_of_value(value));
    if (found < 0 && context->scratch) /* Whoever asks looks at that. */
        context->scratch->failed = 1;
    return found > 0;
}

static int test_one(const struct value_test *test,
                    const struct seg_value *value,
                    const struct test_context *context)
{
    if (value->type != SEG_LIST) {
        count_mismatch(context);
        return 0;
    }
    for (uint32_t i = 0; i < value->len; i++)
        if (value->as.items[i].type == SEG_OBJECT &&
            element_test(test->where, &value->as.items[i], context))
            return 1;
    return 0;
}

static int test_version(const struct value_test *test,
                        const struct seg_value *value,
                        const struct test_context *context)
{
    int order;
    if (value->type != SEG_TEXT ||
        !version_compare(text_of_value(value),
                         text_of_value(&test->operands[0].value), &order)) {
        count_mismatch(context);
        return 0;
    }
    switch (test->rule->op) {
    case OP_VERSION_EQ:
        return order == 0;
    case OP_VERSION_NE:
        return order != 0;
    case OP_VERSION_LT:
        return order < 0;
    case OP_VERSION_LE:
        return order <= 0;
    case OP_VERSION_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static int test_age(const struct value_test *test,
                    const struct seg_value *value,
                    const struct test_context *context)
{
    int64_t ms, age, duration_ms = test->rule->duration_ms;
    if (instant_of_value(value, &ms) < 0) {
        count_mismatch(context);
        return 0;
    }
    age = context->now_ms - ms;
    switch (test->rule->op) {
    case OP_WITHIN:
        return age >= 0 && age < duration_ms;
    case OP_WITHIN_NEXT:
        return age < 0 && age >= -duration_ms;
    default:
        return age >= duration_ms;
    }
}

/* VALUE with its texts folded, in the scratch arena. */
static int fold_measured(struct arena *scratch, const struct seg_value *value,
                         struct seg_value *out)
{
    *out = *value;
    if (value->type != SEG_LIST)
        return fold_value(scratch, out);
    struct seg_value *items = arena_calloc(scratch, value->len, sizeof(*items));
    if (!items)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < value->len; i++) {
        items[i] = value->as.items[i];
        if (fold_value(scratch, &items[i]) < 0)
            return SEG_ERR_NOMEM;
    }
    out->as.items = items;
    return 0;
}

static int test_set_value(const struct value_test *test,
                          const struct seg_value *value,
                          const struct test_context *context)
{
    int count = test->rule->values.count;
    switch (test->rule->op) {
    case OP_EQ:
        return test_equal(test, value, 1, context);
    case OP_NE:
        return test_equal(test, value, 0, context);
    case OP_IN:
        return test_listed(test, value, 1, context);
    case OP_NOT_IN:
        return test_listed(test, value, 0, context);
    case OP_BETWEEN:
        return test_between(test, value, context);
    case OP_HAS:
    case OP_HAS_ANY:
        return count_held(test, value, context) > 0;
    case OP_HAS_ALL:
        return count_held(test, value, context) == count;
    case OP_HAS_NONE:
        return count_held(test, value, context) == 0;
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
    case OP_BEFORE:
    case OP_AFTER:
        return test_order(test, value, context);
    case OP_CONTAINS:
    case OP_STARTS:
    case OP_ENDS:
    case OP_MATCHES:
        return test_text(test, value, context);
    case OP_WITHIN:
    case OP_WITHIN_NEXT:
    case OP_MORE_THAN:
        return test_age(test, value, context);
    case OP_VERSION_EQ:
    case OP_VERSION_NE:
    case OP_VERSION_LT:
    case OP_VERSION_LE:
    case OP_VERSION_GT:
    case OP_VERSION_GE:
        return test_version(test, value, context);
    case OP_MATCHES_REGEX:
        return test_regex(test, value, context);
    case OP_HAS_ONE:
        return test_one(test, value, context);
    case OP_IS_SET:
    case OP_IS_NOT_SET:
    case OP_COUNT_:
        break;
    }
    return 0;
}

int value_test(const struct value_test *test, const struct seg_value *value,
               const struct test_context *context)
{
    struct seg_value folded;
    int set = value->type != SEG_MISSING;
    if (test->rule->op == OP_IS_SET || test->rule->op == OP_IS_NOT_SET)
        return set == (test->rule->op == OP_IS_SET);
    if (!set)
        return 0;
    if (test->rule->ignoring_case && !test->regex) {
        if (fold_measured(context->scratch, value, &folded) < 0)
            return 0;
        value = &folded;
    }
    return test_set_value(test, value, context);
}

/* ---- when it changes by itself ---------------------------------------- */

int value_test_timed(const struct value_test *test)
{
    if (test->where)
        return element_test_timed(test->where);
    return test->rule->op == OP_WITHIN || test->rule->op == OP_WITHIN_NEXT ||
           test->rule->op == OP_MORE_THAN;
}

static void consider(int64_t at_ms, int64_t now_ms, int64_t *next_ms)
{
    if (at_ms > now_ms && at_ms < *next_ms)
        *next_ms = at_ms;
}

static int64_t next_one(const struct value_test *test,
                        const struct seg_value *value, int64_t now_ms)
{
    int64_t next = SEG_NEVER;
    for (uint32_t i = 0; value->type == SEG_LIST && i < value->len; i++)
        consider(element_test_next(test->where, &value->as.items[i], now_ms),
                 now_ms, &next);
    return next;
}

int64_t value_test_next(const struct value_test *test,
                        const struct seg_value *value, int64_t now_ms)
{
    int64_t ms, next = SEG_NEVER, duration_ms = test->rule->duration_ms;
    if (test->where)
        return next_one(test, value, now_ms);
    if (!value_test_timed(test) || instant_of_value(value, &ms) < 0)
        return SEG_NEVER;
    if (test->rule->op == OP_WITHIN_NEXT)
        consider(ms - duration_ms, now_ms, &next);
    else
        consider(ms + duration_ms, now_ms, &next);
    if (test->rule->op != OP_MORE_THAN)
        consider(ms, now_ms, &next);
    return next;
}

/* A number N flips a test of days at N, or just after: at the first millisecond
 * of age whose quotient by a day reaches or passes it. The neighbours of that
 * millisecond cover the rounding. */
int64_t value_test_next_days(const struct value_test *test, int64_t since_ms,
                             int64_t now_ms)
{
    int64_t next = SEG_NEVER;
    for (int i = 0; i < test->rule->values.count; i++) {
        const struct seg_value *value = &test->operands[i].value;
        double days = value->type == SEG_INT      ? (double)value->as.integer
                      : value->type == SEG_DOUBLE ? value->as.number
                                                  : -1;
        double age = floor(days * (double)DAY_MS);
        if (!(age >= -1 && age < 1e15))
            continue;
        for (int64_t ms = -1; ms <= 2; ms++)
            consider(since_ms + (int64_t)age + ms, now_ms, &next);
    }
    return next;
}

int value_test_days(const struct value_test *test, int64_t age_ms)
{
    struct seg_value days = {.type = SEG_DOUBLE,
                             .as.number = (double)age_ms / (double)DAY_MS};
    struct test_context context = {0};
    return value_test(test, &days, &context);
}

int value_test_days_stays(const struct value_test *test)
{
    return test->rule->op == OP_GT || test->rule->op == OP_GE ||
           test->rule->op == OP_IS_SET;
}

int64_t value_test_days_past(const struct value_test *test)
{
    int64_t past_ms = 0, at_ms = -1;
    if (value_test_days(test, INT64_MAX / 4))
        return SEG_NEVER;
    while ((at_ms = value_test_next_days(test, 0, at_ms)) != SEG_NEVER)
        if (value_test_days(test, at_ms))
            past_ms = at_ms + 1;
    return past_ms;
}
