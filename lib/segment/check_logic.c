/* check_logic.c: contradictions and tautologies, as far as they are certain.
 *
 * Of each condition of a group that stands alone (no and, no or) a fact is
 * kept: its text, what it is about (the subject: a measure or a path, as text)
 * and what it says of it: an interval of numbers, or the values it may equal.
 * Two facts about one subject whose intervals, values or types do not meet
 * exclude each other. A count is a whole number from 0 on and never missing, so
 * of counts it is also known when one of two always holds. `did E at least 3
 * times in W` is a fact about count(E) in W, which is no more than count(E) in
 * any window that holds W. */
#include "lib/segment/checker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/event/value.h"
#include "lib/segment/format.h"

#define FACTS_MAX 64 /* Of one group that are compared, each with each. */

/* A part of a text buffer. */
struct part {
    size_t at, len;
};

/* Types of values, as bits. */
enum { TYPE_TEXT = 1, TYPE_NUMBER = 2, TYPE_TRUTH = 4, TYPE_LIST = 8 };

struct fact {
    struct rule_pos pos;
    struct part text, subject;
    struct part about; /* The subject without its window. */
    const struct rule_window *window;
    unsigned types; /* The value is of one of these; 0: of any. */
    int negated;    /* `not` stands before it. */
    int is_age;     /* A number from 0 on, or missing. */
    int is_count;   /* Whole, at least 0, never missing. */
    int has_range;
    double most;      /* Of a count: it is never more; 0: not known. */
    double low, high; /* Both inclusive unless open. */
    int low_open, high_open;
    const struct rule_values *values; /* Equals one of them; NULL: unknown. */
    int says_missing;                 /* `is not set`. */
    int says_set;                     /* False of what is missing. */
    int is_set;                       /* `is set`. */
};

struct facts {
    struct buf buf;
    int count;
    struct fact items[FACTS_MAX];
};

/* ---- what a test says ------------------------------------------------ */

static int as_number(const struct rule_value *value, double *number)
{
    if (value->is_date)
        return 0;
    if (value->value.type == SEG_INT)
        *number = (double)value->value.as.integer;
    else if (value->value.type == SEG_DOUBLE)
        *number = value->value.as.number;
    else
        return 0;
    /* Beyond 2^53 a double stands for several integers. */
    return fabs(*number) < 9007199254740992.0;
}

static void set_range(struct fact *fact, const struct rule_test *test)
{
    double a, b;
    const struct rule_value *items = test->values.items;
    fact->low = -INFINITY;
    fact->high = INFINITY;
    if (test->values.count < 1 || !as_number(&items[0], &a))
        return;
    b = a;
    if (test->op == OP_BETWEEN && !as_number(&items[1], &b))
        return;
    fact->has_range = 1;
    if (test->op == OP_EQ || test->op == OP_GE || test->op == OP_BETWEEN ||
        test->op == OP_GT)
        fact->low = a;
    if (test->op == OP_EQ || test->op == OP_LE || test->op == OP_BETWEEN ||
        test->op == OP_LT)
        fact->high = b;
    fact->low_open = test->op == OP_GT;
    fact->high_open = test->op == OP_LT;
}

/* A DATE equals texts and numbers that look different; so does a text when case
 * is ignored. */
static int is_plain(const struct rule_test *test)
{
    for (int i = 0; i < test->values.count; i++)
        if (test->values.items[i].is_date)
            return 0;
    return !test->ignoring_case;
}

static unsigned type_of(const struct rule_value *value)
{
    return value->is_date                  ? TYPE_TEXT | TYPE_NUMBER
           : value->value.type == SEG_TEXT ? TYPE_TEXT
           : value->value.type == SEG_BOOL ? TYPE_TRUTH
                                           : TYPE_NUMBER;
}

/* What the value must be for TEST to hold. */
static unsigned types_of(const struct rule_test *test)
{
    enum rule_operand operand = rule_op_info(test->op)->operand;
    unsigned types = 0;
    switch (rule_op_info(test->op)->of) {
    case OF_TEXT:
        return TYPE_TEXT;
    case OF_LIST:
        return TYPE_LIST;
    case OF_TIME:
        return TYPE_TEXT | TYPE_NUMBER;
    case OF_ANY:
        break;
    }
    for (int i = 0; operand != OPERAND_NONE && i < test->values.count; i++)
        types |= type_of(&test->values.items[i]);
    return types;
}

static void set_test(struct fact *fact, const struct rule_test *test)
{
    fact->types = types_of(test);
    fact->says_missing = test->op == OP_IS_NOT_SET;
    fact->says_set = !fact->says_missing;
    fact->is_set = test->op == OP_IS_SET;
    if (test->op == OP_EQ || test->op == OP_LT || test->op == OP_LE ||
        test->op == OP_GT || test->op == OP_GE || test->op == OP_BETWEEN)
        set_range(fact, test);
    if ((test->op == OP_EQ || test->op == OP_IN) && is_plain(test) &&
        test->values.count)
        fact->values = &test->values;
}

static void set_times(struct fact *fact, const struct rule_times *times)
{
    fact->has_range = fact->is_count = 1;
    fact->low = 0;
    fact->high = INFINITY;
    switch (times->kind) {
    case TIMES_NONE:
        fact->low = 1;
        break;
    case TIMES_NOT:
        fact->high = 0;
        break;
    case TIMES_AT_LEAST:
        fact->low = (double)times->low;
        break;
    case TIMES_AT_MOST:
        fact->high = (double)times->low;
        break;
    case TIMES_EXACTLY:
        fact->low = fact->high = (double)times->low;
        break;
    case TIMES_BETWEEN:
        fact->low = (double)times->low;
        fact->high = (double)times->high;
        break;
    }
}

/* A range of counts: whole numbers from 0 on. */
static void make_whole(struct fact *fact)
{
    double low = ceil(fact->low), high = floor(fact->high);
    low += fact->low_open && low == fact->low;
    high -= fact->high_open && high == fact->high;
    fact->low = low > 0 ? low : 0;
    fact->high = high;
    fact->low_open = fact->high_open = 0;
}

/* ---- facts of conditions --------------------------------------------- */

static struct part measure_text(struct facts *facts,
                                const struct rule_measure *measure)
{
    struct part part = {.at = facts->buf.len};
    format_measure(&facts->buf, measure, FORMAT_LIST_NAMES);
    part.len = facts->buf.len - part.at;
    return part;
}

static void set_measure(struct facts *facts, struct fact *fact,
                        const struct rule_cond *cond)
{
    struct rule_measure measure = cond->measure;
    fact->window = &cond->measure.window;
    if (cond->kind == COND_DID) {
        measure = (struct rule_measure){.kind = MEASURE_COUNT,
                                        .event = cond->event,
                                        .window = cond->window};
        fact->window = &cond->window;
    }
    fact->subject = measure_text(facts, &measure);
    measure.window = (struct rule_window){.kind = WINDOW_LIFETIME};
    fact->about = measure_text(facts, &measure);
}

static void set_subject(struct facts *facts, struct fact *fact,
                        const struct rule_cond *cond)
{
    if (cond->kind == COND_MEASURE ||
        (cond->kind == COND_DID && !cond->times.period_ms)) {
        set_measure(facts, fact, cond);
    } else if (cond->kind == COND_PATH) {
        fact->subject.at = facts->buf.len;
        format_path(&facts->buf, &cond->path);
        fact->subject.len = facts->buf.len - fact->subject.at;
    }
}

/* The next fact to fill in, or NULL: enough. */
static struct fact *next_fact(struct facts *facts, struct rule_pos pos,
                              int negated)
{
    if (facts->count == FACTS_MAX)
        return NULL;
    struct fact *fact = &facts->items[facts->count++];
    *fact = (struct fact){.pos = pos, .negated = negated};
    fact->text.at = facts->buf.len;
    return fact;
}

/* `not` of a count is a count again if it leaves one range. */
static void negate(struct fact *fact)
{
    fact->values = NULL;
    fact->says_missing = fact->says_set = fact->is_set = 0;
    fact->types = 0;
    if (fact->is_count && fact->has_range && isinf(fact->high)) {
        fact->high = fact->low - 1;
        fact->low = 0;
    } else if (fact->is_count && fact->has_range && fact->low == 0) {
        fact->low = fact->high + 1;
        fact->high = INFINITY;
    } else {
        fact->has_range = 0;
    }
}

/* How many dates a window of DAYS can touch; infinity if there is no telling.
 */
static double most_days(const struct rule_measure *measure)
{
    const struct rule_window *window = &measure->window;
    int64_t ms = window->from_ms - window->to_ms;
    if (measure->kind != MEASURE_DAYS ||
        (window->kind != WINDOW_IN && window->kind != WINDOW_FROM_TO))
        return INFINITY;
    return ms < 2 ? 1 : (double)((ms - 2) / DAY_MS + 2);
}

static int is_counted(enum rule_measure_kind kind)
{
    return kind == MEASURE_COUNT || kind == MEASURE_DAYS ||
           kind == MEASURE_DISTINCT;
}

static void add_cond(struct facts *facts, const struct rule_cond *cond)
{
    int negated = cond->kind == COND_NOT;
    struct rule_pos pos = cond->pos;
    if (negated)
        cond = cond->children[0];
    if (cond->count)
        return;
    struct fact *fact = next_fact(facts, pos, negated);
    if (!fact)
        return;
    format_cond(&facts->buf, cond, FORMAT_LIST_NAMES);
    fact->text.len = facts->buf.len - fact->text.at;
    set_subject(facts, fact, cond);
    if (cond->kind == COND_DID)
        set_times(fact, &cond->times);
    if (cond->kind == COND_MEASURE || cond->kind == COND_PATH)
        set_test(fact, &cond->test);
    if (cond->kind == COND_MEASURE && is_counted(cond->measure.kind)) {
        fact->is_count = 1;
        fact->most = most_days(&cond->measure);
        if (fact->has_range)
            make_whole(fact);
    }
    fact->is_age = cond->kind == COND_MEASURE &&
                   (cond->measure.kind == MEASURE_DAYS_SINCE_FIRST ||
                    cond->measure.kind == MEASURE_DAYS_SINCE_LAST);
    if (negated)
        negate(fact);
}

static void add_where(struct facts *facts, const struct rule_where *where)
{
    int negated = where->kind == WHERE_NOT;
    struct rule_pos pos = where->pos;
    if (negated)
        where = where->children[0];
    if (where->count)
        return;
    struct fact *fact = next_fact(facts, pos, negated);
    if (!fact)
        return;
    fact->subject.at = facts->buf.len;
    format_path(&facts->buf, &where->path);
    fact->subject.len = facts->buf.len - fact->subject.at;
    buf_char(&facts->buf, ' ');
    format_test(&facts->buf, &where->test, FORMAT_LIST_NAMES);
    fact->text.len = facts->buf.len - fact->text.at;
    set_test(fact, &where->test);
    if (negated)
        negate(fact);
}

/* ---- two facts ------------------------------------------------------- */

static int same(const struct facts *facts, struct part a, struct part b)
{
    return a.len && a.len == b.len &&
           !memcmp(facts->buf.bytes + a.at, facts->buf.bytes + b.at, a.len);
}

static int ranges_meet(const struct fact *a, const struct fact *b)
{
    double low = a->low > b->low ? a->low : b->low;
    double high = a->high < b->high ? a->high : b->high;
    if (low != high)
        return low < high;
    return !(a->low == low && a->low_open) && !(b->low == low && b->low_open) &&
           !(a->high == high && a->high_open) &&
           !(b->high == high && b->high_open);
}

/* Whether a value is among both; long lists are not looked through. */
static int values_meet(const struct rule_values *a, const struct rule_values *b)
{
    if ((int64_t)a->count * b->count > 10000)
        return 1;
    for (int i = 0; i < a->count; i++)
        for (int j = 0; j < b->count; j++)
            if (value_equal(&a->items[i].value, &b->items[j].value))
                return 1;
    return 0;
}

/* Whether all of the window INNER is in OUTER, at any time. */
static int is_inside(const struct rule_window *inner,
                     const struct rule_window *outer)
{
    int rolls = inner->kind == WINDOW_IN || inner->kind == WINDOW_FROM_TO;
    int outer_rolls = outer->kind == WINDOW_IN || outer->kind == WINDOW_FROM_TO;
    if (outer->kind == WINDOW_LIFETIME)
        return 1;
    if (inner->kind == WINDOW_LIFETIME || rolls != outer_rolls)
        return 0;
    return rolls ? inner->from_ms <= outer->from_ms &&
                       inner->to_ms >= outer->to_ms
                 : inner->from_ms >= outer->from_ms &&
                       inner->to_ms <= outer->to_ms;
}

/* Whether A counts what B counts, or a part of it. */
static int is_part(const struct facts *facts, const struct fact *a,
                   const struct fact *b)
{
    return a->is_count && b->is_count && a->has_range && b->has_range &&
           same(facts, a->about, b->about) && is_inside(a->window, b->window);
}

static int exclude(const struct facts *facts, const struct fact *a,
                   const struct fact *b)
{
    if (same(facts, a->text, b->text))
        return a->negated != b->negated;
    if ((is_part(facts, a, b) && a->low > b->high) ||
        (is_part(facts, b, a) && b->low > a->high))
        return 1;
    if (!same(facts, a->subject, b->subject))
        return 0;
    if (a->has_range && b->has_range && !ranges_meet(a, b))
        return 1;
    if (a->types && b->types && !(a->types & b->types))
        return 1;
    if (a->values && b->values && !values_meet(a->values, b->values))
        return 1;
    return !a->is_count && ((a->says_missing && b->says_set) ||
                            (b->says_missing && a->says_set));
}

/* Whether A begins at 0 and B goes on, without a gap, to the end: whatever is
 * more than A allows is no less in the window of B. */
static int covers(const struct facts *facts, const struct fact *a,
                  const struct fact *b)
{
    return is_part(facts, a, b) && a->low == 0 && isinf(b->high) &&
           b->low <= a->high + 1;
}

static int exhaust(const struct facts *facts, const struct fact *a,
                   const struct fact *b)
{
    if (same(facts, a->text, b->text))
        return a->negated != b->negated;
    if (same(facts, a->subject, b->subject) &&
        ((a->says_missing && b->is_set) || (b->says_missing && a->is_set)))
        return 1;
    return covers(facts, a, b) || covers(facts, b, a);
}

/* The shown part of the text of FACT, with its `not`. */
static void say_pair(struct checker *checker, const struct facts *facts,
                     const struct fact *a, const struct fact *b,
                     const char *what)
{
    int len = a->text.len < 100 ? (int)a->text.len : 0;
    if (!len)
        check_warning(checker, b->pos, "%s the condition in line %u.", what,
                      a->pos.line);
    else
        check_warning(checker, b->pos, "%s `%s%.*s`.", what,
                      a->negated ? "not " : "", len,
                      facts->buf.bytes + a->text.at);
}

static void compare_facts(struct checker *checker, const struct facts *facts,
                          int is_and)
{
    for (int i = 1; i < facts->count; i++)
        for (int j = 0; j < i; j++) {
            const struct fact *a = &facts->items[j], *b = &facts->items[i];
            const char *what =
                same(facts, a->text, b->text) && a->negated == b->negated
                    ? "This says again"
                : is_and && exclude(facts, a, b)
                    ? "This is never true together with"
                : !is_and && exhaust(facts, a, b)
                    ? "Always either this is true or"
                    : NULL;
            if (!what)
                continue;
            say_pair(checker, facts, a, b, what);
            break;
        }
}

/* ---- entry ----------------------------------------------------------- */

/* A time since something happened is never negative. */
static void check_age(struct checker *checker, const struct fact *fact)
{
    if (fact->high < 0 || (fact->high == 0 && fact->high_open))
        check_warning(checker, fact->pos,
                      "This is never true: what has happened was not in the "
                      "future.");
    else if (isinf(fact->high) &&
             (fact->low < 0 || (fact->low == 0 && !fact->low_open)))
        check_warning(checker, fact->pos,
                      "This is true whenever it has happened: `did` says the "
                      "same.");
}

/* One number alone: whether it says nothing, or nothing can be so. */
static void check_alone(struct checker *checker, const struct fact *fact)
{
    if (fact->is_age && fact->has_range)
        check_age(checker, fact);
    if (!fact->is_count || !fact->has_range)
        return;
    if (fact->most && fact->low > fact->most)
        check_warning(checker, fact->pos,
                      "This is never true: such a window touches at most %.0f "
                      "dates.",
                      fact->most);
    else if (fact->low > fact->high)
        check_warning(checker, fact->pos,
                      "This is never true: a count is a "
                      "whole number from 0 on.");
    else if (fact->low == 0 && isinf(fact->high))
        check_warning(checker, fact->pos,
                      "This is always true: a count is a "
                      "whole number from 0 on.");
}

/* `everyone` beside other conditions, or with `not`. */
static void check_everyone(struct checker *checker,
                           const struct rule_cond *cond)
{
    for (int i = 0; i < cond->count; i++) {
        if (cond->children[i]->kind != COND_EVERYONE)
            continue;
        if (cond->kind == COND_NOT)
            check_warning(checker, cond->pos,
                          "This is never true: `everyone` is every user.");
        else if (cond->kind == COND_OR)
            check_warning(checker, cond->children[i]->pos,
                          "This is always true, and so is all of this `or`.");
        else
            check_warning(checker, cond->children[i]->pos,
                          "This is always true and adds nothing to an `and`.");
    }
}

void check_group(struct checker *checker, const struct rule_cond *cond)
{
    struct facts *facts;
    int is_group = cond->kind == COND_AND || cond->kind == COND_OR;
    check_everyone(checker, cond);
    if (cond->kind == COND_NOT)
        return;
    facts = calloc(1, sizeof(*facts));
    if (!facts) {
        checker->diagnostics->failed = 1;
        return;
    }
    buf_init(&facts->buf);
    for (int i = 0; i < cond->count; i++)
        add_cond(facts, cond->children[i]);
    if (!is_group)
        add_cond(facts, cond);
    if (buf_failed(&facts->buf))
        checker->diagnostics->failed = 1;
    else if (is_group)
        compare_facts(checker, facts, cond->kind == COND_AND);
    else if (facts->count)
        check_alone(checker, &facts->items[0]);
    buf_done(&facts->buf);
    free(facts);
}

void check_where_group(struct checker *checker, const struct rule_where *where)
{
    struct facts *facts;
    if (where->kind != WHERE_AND && where->kind != WHERE_OR)
        return;
    facts = calloc(1, sizeof(*facts));
    if (!facts) {
        checker->diagnostics->failed = 1;
        return;
    }
    buf_init(&facts->buf);
    for (int i = 0; i < where->count; i++)
        add_where(facts, where->children[i]);
    if (buf_failed(&facts->buf))
        checker->diagnostics->failed = 1;
    else
        compare_facts(checker, facts, where->kind == WHERE_AND);
    buf_done(&facts->buf);
    free(facts);
}
