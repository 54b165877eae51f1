/* meaning.c: conditions as texts that are equal when their meanings are. */
#include "lib/segment/meaning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/segment/format.h"

struct meaning {
    const struct plan *plan;
    struct arena *arena;
};

/* Children of one `and` or `or`. */
struct parts {
    const char **items;
    size_t count, cap;
};

void meaning_of_source(struct buf *buf, const struct plan *plan,
                       uint32_t source)
{
    if (plan_is_watch(plan, source)) {
        uint32_t watch = source - plan_watch_source(plan, 0);
        buf_str(buf, "entries and exits of ");
        buf_text(buf, plan->segments[plan->watches[watch]].rule->key);
    } else if (plan_is_attribute(plan, source)) {
        format_path(buf, &plan->attributes[source - plan->feature_count].path);
    } else {
        buf_str(buf, plan->feature_texts[source]);
    }
}

/* ---- counts ---------------------------------------------------------- */

/* A count from LOW to HIGH: what `at least 3 times`, `>= 3` and `> 2` say. */
struct range {
    int64_t low, high;
};

/* Whether PREDICATE tests a count, of a trait too. */
static int is_count(const struct plan *plan, const struct predicate *predicate)
{
    return predicate->kind == PREDICATE_VALUE &&
           predicate->source < plan->feature_count &&
           feature_counts(plan->features[predicate->source].kind);
}

/* Operand I of TEST as a number that a count may have; 0 if it is none. */
static int operand(const struct rule_test *test, int i, double *number)
{
    const struct rule_value *value = &test->values.items[i];
    if (value->value.type != SEG_INT && value->value.type != SEG_DOUBLE)
        return 0;
    *number = value->value.type == SEG_INT ? (double)value->value.as.integer
                                           : value->value.as.number;
    return !value->is_date && *number >= 0 && *number < 9e15;
}

static int range_of_test(const struct rule_test *test, struct range *range)
{
    double low, high;
    if (!test->values.count || !operand(test, 0, &low))
        return 0;
    high = low;
    if (test->op == OP_BETWEEN && !operand(test, 1, &high))
        return 0;
    *range = (struct range){0, INT64_MAX};
    if (test->op == OP_GT)
        range->low = (int64_t)floor(low) + 1;
    else if (test->op == OP_GE || test->op == OP_EQ || test->op == OP_BETWEEN)
        range->low = (int64_t)ceil(low);
    if (test->op == OP_LT)
        range->high = (int64_t)ceil(high) - 1;
    else if (test->op == OP_LE || test->op == OP_EQ || test->op == OP_BETWEEN)
        range->high = (int64_t)floor(high);
    return test->op == OP_GT || test->op == OP_GE || test->op == OP_LT ||
           test->op == OP_LE || test->op == OP_EQ || test->op == OP_BETWEEN;
}

static int range_of(const struct plan *plan, const struct predicate *predicate,
                    struct range *range)
{
    if (predicate->kind == PREDICATE_RANGE) {
        *range = (struct range){predicate->low, predicate->high};
        return 1;
    }
    return is_count(plan, predicate) &&
           range_of_test(predicate->test.rule, range);
}

/* What is left beside RANGE, if that is one range. */
static int is_complement(struct range *range)
{
    if (range->low > 0 && range->high == INT64_MAX)
        *range = (struct range){0, range->low - 1};
    else if (range->low == 0 && range->high < INT64_MAX)
        *range = (struct range){range->high + 1, INT64_MAX};
    else
        return 0;
    return 1;
}

static void write_range(struct buf *buf, const struct plan *plan,
                        uint32_t source, const struct range *range)
{
    meaning_of_source(buf, plan, source);
    buf_printf(buf, " from %lld to %lld", (long long)range->low,
               (long long)range->high);
}

/* ---- leaves ---------------------------------------------------------- */

/* As the engine tests: with folded operands. */
static void write_test(struct buf *buf, const struct value_test *test)
{
    struct rule_test folded = *test->rule;
    if (test->rule->ignoring_case && folded.values.count)
        folded.values.items = test->operands;
    buf_char(buf, ' ');
    format_test(buf, &folded, FORMAT_LIST_SETS);
}

static void write_predicate(struct buf *buf, const struct plan *plan,
                            const struct predicate *predicate)
{
    struct range range;
    if (range_of(plan, predicate, &range)) {
        write_range(buf, plan, predicate->source, &range);
        return;
    }
    meaning_of_source(buf, plan, predicate->source);
    switch (predicate->kind) {
    case PREDICATE_RANGE:
        break;
    case PREDICATE_VALUE:
    case PREDICATE_DAYS:
    case PREDICATE_SCORE:
        write_test(buf, &predicate->test);
        break;
    case PREDICATE_COMPARE:
        buf_printf(buf, " %s %lld of ",
                   rule_op_info(predicate->rule->test.op)->words,
                   (long long)predicate->percent);
        meaning_of_source(buf, plan, predicate->other);
        break;
    case PREDICATE_ENTERED:
    case PREDICATE_LEFT:
        buf_printf(buf, " %s in %lld",
                   predicate->kind == PREDICATE_ENTERED ? "entered" : "left",
                   (long long)predicate->low);
        break;
    }
}

static void write_leaf(struct buf *buf, const struct plan *plan,
                       const struct cond *cond)
{
    if (cond->op == OP_PREDICATE) {
        write_predicate(buf, plan, &plan->predicates[cond->number]);
    } else if (cond->op == OP_SHARE) {
        buf_printf(buf, "share %lld by ",
                   (long long)cond->rule->percent.hundredths);
        buf_json_text(buf, cond->rule->text);
    } else {
        buf_str(buf, cond->text);
    }
}

/* What BUF, which ends, holds; NULL: no memory. */
static const char *keep(const struct meaning *meaning, struct buf *buf)
{
    const char *text = NULL;
    if (!buf_failed(buf))
        text =
            arena_text(meaning->arena, (struct seg_text){buf->bytes, buf->len})
                .bytes;
    buf_done(buf);
    return text;
}

static const char *leaf_text(const struct meaning *meaning,
                             const struct cond *cond)
{
    struct buf buf;
    buf_init(&buf);
    write_leaf(&buf, meaning->plan, cond);
    return keep(meaning, &buf);
}

static const char *text_of_cond(const struct meaning *meaning,
                                const struct cond *cond);

/* Add the texts of what is below COND, an `and` in an `and` as its children. */
static int gather(const struct meaning *meaning, const struct cond *cond,
                  struct parts *parts)
{
    for (uint32_t i = 0; i < cond->count; i++) {
        const struct cond *child = &cond->children[i];
        void *items = parts->items;
        if (child->op == cond->op && cond->op != OP_NOT) {
            if (gather(meaning, child, parts) < 0)
                return SEG_ERR_NOMEM;
            continue;
        }
        const char *text = text_of_cond(meaning, child);
        if (!text || alloc_grow(&items, &parts->cap, parts->count + 1,
                                sizeof(*parts->items)) < 0)
            return SEG_ERR_NOMEM;
        parts->items = items;
        parts->items[parts->count++] = text;
    }
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sort the parts; what stands twice stands once. */
static void settle(struct parts *parts)
{
    size_t kept = 0;
    qsort(parts->items, parts->count, sizeof(*parts->items), by_text);
    for (size_t i = 0; i < parts->count; i++)
        if (!kept || strcmp(parts->items[kept - 1], parts->items[i]) != 0)
            parts->items[kept++] = parts->items[i];
    parts->count = kept;
}

static const char *join(const struct meaning *meaning, enum cond_op op,
                        struct parts *parts)
{
    struct buf buf;
    settle(parts);
    if (parts->count == 1 && op != OP_NOT)
        return parts->items[0];
    buf_init(&buf);
    buf_str(&buf, op == OP_NOT ? "not (" : op == OP_AND ? "all (" : "any (");
    for (size_t i = 0; i < parts->count; i++) {
        buf_str(&buf, i ? "; " : "");
        buf_str(&buf, parts->items[i]);
    }
    buf_char(&buf, ')');
    return keep(meaning, &buf);
}

/* Whether `not (NEGATED)` is a plain condition; *TEXT is then its text, or NULL:
 * no memory. */
static int is_plain_not(const struct meaning *meaning,
                        const struct cond *negated, const char **text)
{
    const struct plan *plan = meaning->plan;
    struct range range;
    struct buf buf;
    if (negated->op == OP_NOT) {
        *text = text_of_cond(meaning, &negated->children[0]);
        return 1;
    }
    if (negated->op != OP_PREDICATE ||
        !range_of(plan, &plan->predicates[negated->number], &range) ||
        !is_complement(&range))
        return 0;
    buf_init(&buf);
    write_range(&buf, plan, plan->predicates[negated->number].source, &range);
    *text = keep(meaning, &buf);
    return 1;
}

static const char *text_of_cond(const struct meaning *meaning,
                                const struct cond *cond)
{
    struct parts parts = {0};
    const char *text = NULL;
    if (!cond->count)
        return leaf_text(meaning, cond);
    if (cond->op == OP_NOT && is_plain_not(meaning, &cond->children[0], &text))
        return text;
    if (gather(meaning, cond, &parts) == 0)
        text = join(meaning, cond->op, &parts);
    free(parts.items);
    return text;
}

const char *meaning_of_cond(const struct plan *plan, const struct cond *cond,
                            struct arena *arena)
{
    const struct meaning meaning = {plan, arena};
    return cond ? text_of_cond(&meaning, cond) : "";
}
