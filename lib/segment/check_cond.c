/* check_cond.c: conditions: what they refer to, how exact they are. */
#include "lib/segment/checker.h"

#include <math.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/text.h"
#include "lib/segment/format.h"

/* ---- in segment ------------------------------------------------------ */

static void add_edge(struct checker *checker, const struct rule_cond *cond)
{
    void *edges = checker->edges;
    if (alloc_grow(&edges, &checker->edge_cap, checker->edge_count + 1,
                   sizeof(*checker->edges)) < 0) {
        checker->diagnostics->failed = 1;
        return;
    }
    checker->edges = edges;
    checker->edges[checker->edge_count++] =
        (struct check_edge){checker->segment, cond->segment, cond};
}

/* A published segment that depended on a shadow would publish it. */
static void check_shadow(struct checker *checker, const struct rule_cond *cond)
{
    const struct rule_segment *segments = checker->rules->segments;
    const struct rule_segment *from = &segments[checker->segment];
    const struct rule_segment *to = &segments[cond->segment];
    if (!to->shadow || from->shadow)
        return;
    check_error(checker, cond->pos,
                "The segment `%s` is a shadow; a segment that is published "
                "cannot refer to it.",
                to->key.bytes);
    diagnostics_suggest(checker->diagnostics,
                        "make `%s` a shadow too, or "
                        "publish `%s`",
                        from->key.bytes, to->key.bytes);
}

static void check_segment_key(struct checker *checker, struct rule_cond *cond)
{
    cond->segment =
        check_refer(checker, DEFINED_SEGMENT, cond->key, cond->pos, "");
    if (cond->segment < 0)
        return;
    add_edge(checker, cond);
    check_shadow(checker, cond);
}

/* ---- measures -------------------------------------------------------- */

#define NUMBER_MAX 1e15 /* No count comes so far. */

/* The greatest number that TEST compares with. */
static int64_t highest_number(const struct rule_test *test)
{
    int64_t highest = 0;
    for (int i = 0; i < test->values.count; i++) {
        const struct seg_value *value = &test->values.items[i].value;
        if (value->type == SEG_INT && value->as.integer > highest)
            highest = value->as.integer;
        if (value->type == SEG_DOUBLE && value->as.number > (double)highest)
            highest = value->as.number < NUMBER_MAX
                          ? (int64_t)ceil(value->as.number)
                          : (int64_t)NUMBER_MAX;
    }
    return highest;
}

static void check_measured(struct checker *checker, struct rule_cond *cond)
{
    check_definition(checker, &cond->measure);
    check_measure(checker, &cond->measure, highest_number(&cond->test));
    check_test(checker, check_subject_of(checker, &cond->measure), &cond->test);
}

/* Both sides through the formatter: a measure compared with itself. */
static int is_same(const struct rule_measure *a, const struct rule_measure *b,
                   int *failed)
{
    struct buf left, right;
    buf_init(&left);
    buf_init(&right);
    format_measure(&left, a, FORMAT_LIST_VALUES);
    format_measure(&right, b, FORMAT_LIST_VALUES);
    int same =
        left.len == right.len && !strcmp(buf_string(&left), buf_string(&right));
    *failed = buf_failed(&left) || buf_failed(&right);
    buf_done(&left);
    buf_done(&right);
    return same;
}

static void check_compare(struct checker *checker, struct rule_cond *cond)
{
    struct rule_measure *other = (struct rule_measure *)cond->other;
    enum rule_op op = cond->test.op;
    int failed;
    check_definition(checker, &cond->measure);
    check_definition(checker, other);
    check_measure(checker, &cond->measure, CHECK_ANY_NUMBER);
    check_measure(checker, other, CHECK_ANY_NUMBER);
    if (!cond->percent.spelling.bytes &&
        is_same(&cond->measure, other, &failed)) {
        if (failed)
            checker->diagnostics->failed = 1;
        check_warning(checker, cond->pos,
                      "A measure is compared with itself: this is %s.",
                      op == OP_EQ || op == OP_LE || op == OP_GE
                          ? "true whenever there is one"
                          : "never true");
    }
}

/* ---- did, latest ----------------------------------------------------- */

static void check_did(struct checker *checker, const struct rule_cond *cond)
{
    const struct rule_times *times = &cond->times;
    int64_t highest = times->high > times->low ? times->high : times->low;
    if (cond->event.where)
        check_where(checker, cond->event.where);
    check_exact_count(checker, &cond->window, NULL, highest);
    if (times->period_ms)
        check_exact_habit(checker, times);
}

/* `latest("A" or "B") was "C"` is never true. */
static void check_latest(struct checker *checker, const struct rule_cond *cond)
{
    const struct rule_event *event = &cond->event;
    struct suggest suggest;
    suggest_init(&suggest, cond->text);
    if (event->where)
        check_where(checker, event->where);
    check_exact_count(checker, &cond->window, NULL, 0);
    for (int i = 0; i < event->count; i++) {
        if (text_equal(event->names[i].text, cond->text)) {
            if (event->count == 1)
                check_warning(checker, cond->pos,
                              "The latest of one kind of event is always that "
                              "one: `did` says the same.");
            return;
        }
        suggest_offer(&suggest, event->names[i].text);
    }
    if (event->any)
        return;
    check_error(checker, cond->text_pos,
                "This is none of the events in `latest( )`, so it was never "
                "the latest.");
    if (suggest.best.bytes)
        diagnostics_suggest(checker->diagnostics, "did you mean `\"%s\"`?",
                            suggest.best.bytes);
}

static void check_share(struct checker *checker, const struct rule_cond *cond)
{
    if (cond->percent.hundredths == 0)
        check_warning(checker, cond->pos,
                      "This is never true: 0%% of the users "
                      "are nobody.");
    if (cond->percent.hundredths == 10000)
        check_warning(checker, cond->pos,
                      "This is always true: 100%% of the users are everyone.");
}

/* ---- all kinds ------------------------------------------------------- */

void check_cond(struct checker *checker, struct rule_cond *cond)
{
    for (int i = 0; i < cond->count; i++)
        check_cond(checker, cond->children[i]);
    switch (cond->kind) {
    case COND_DID:
        check_did(checker, cond);
        break;
    case COND_SEQUENCE:
        check_sequence(checker, cond);
        break;
    case COND_LATEST:
        check_latest(checker, cond);
        break;
    case COND_MEASURE:
        check_measured(checker, cond);
        break;
    case COND_COMPARE:
        check_compare(checker, cond);
        break;
    case COND_PATH:
        check_test(checker, SUBJECT_ANY, &cond->test);
        break;
    case COND_IN_SEGMENT:
    case COND_ENTERED:
    case COND_LEFT:
        check_segment_key(checker, cond);
        break;
    case COND_SHARE:
        check_share(checker, cond);
        break;
    case COND_AND:
    case COND_OR:
    case COND_NOT:
    case COND_EVERYONE:
        break;
    }
    check_group(checker, cond);
}
