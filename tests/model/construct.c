/* construct.c: which words of the language a segment uses. */
#include "tests/model/construct.h"

#include <stdio.h>

static const char *const words[] = {
    [CONSTRUCT_AND] = "and",
    [CONSTRUCT_OR] = "or",
    [CONSTRUCT_NOT] = "not",
    [CONSTRUCT_EVERYONE] = "everyone",
    [CONSTRUCT_IN_SEGMENT] = "in segment",
    [CONSTRUCT_USER] = "user.",
    [CONSTRUCT_ACCOUNT] = "account.",
    [CONSTRUCT_TIMES + TIMES_NONE] = "did",
    [CONSTRUCT_TIMES + TIMES_NOT] = "did not",
    [CONSTRUCT_TIMES + TIMES_AT_LEAST] = "did at least",
    [CONSTRUCT_TIMES + TIMES_AT_MOST] = "did at most",
    [CONSTRUCT_TIMES + TIMES_EXACTLY] = "did exactly",
    [CONSTRUCT_TIMES + TIMES_BETWEEN] = "did between",
    [CONSTRUCT_WINDOW + WINDOW_LIFETIME] = "no window",
    [CONSTRUCT_WINDOW + WINDOW_IN] = "in D",
    [CONSTRUCT_WINDOW + WINDOW_FROM_TO] = "from X to Y ago",
    [CONSTRUCT_WINDOW + WINDOW_SINCE] = "since D",
    [CONSTRUCT_WINDOW + WINDOW_BEFORE] = "before D",
    [CONSTRUCT_WINDOW + WINDOW_BETWEEN] = "between D and E",
#define X(name, word, path, window, help) \
    [CONSTRUCT_MEASURE + MEASURE_##name] = word,
    MEASURE_TABLE(X)
#undef X
        [CONSTRUCT_ANY] = "any",
    [CONSTRUCT_NAMES] = "events joined by or",
    [CONSTRUCT_WHERE_AND] = "and in where",
    [CONSTRUCT_WHERE_OR] = "or in where",
    [CONSTRUCT_WHERE_NOT] = "not in where",
    [CONSTRUCT_PROPERTY] = "a property",
    [CONSTRUCT_CONTEXT] = "context.",
    [CONSTRUCT_EVENT] = "event.",
    [CONSTRUCT_IGNORING_CASE] = "ignoring case",
    [CONSTRUCT_DATE] = "a date",
    [CONSTRUCT_LIST] = "@list",
    [CONSTRUCT_COMPARE] = "a measure beside another",
    [CONSTRUCT_PERCENT] = "percent of",
    [CONSTRUCT_LATEST] = "latest was",
    [CONSTRUCT_PER_DAY] = "per day",
    [CONSTRUCT_PER_WEEK] = "per week",
    [CONSTRUCT_THEN] = "then",
    [CONSTRUCT_DIRECTLY] = "then directly",
    [CONSTRUCT_AFTER] = "a step after D",
    [CONSTRUCT_STEP_WITHIN] = "a step within D",
    [CONSTRUCT_WITHOUT] = "without",
    [CONSTRUCT_ALL_WITHIN] = "all within",
    [CONSTRUCT_NO_BETWEEN] = "with no between",
    [CONSTRUCT_SAME] = "for the same",
    [CONSTRUCT_ENTERED] = "entered segment",
    [CONSTRUCT_LEFT] = "left segment",
    [CONSTRUCT_SHARE] = "user in percent",
    [CONSTRUCT_UNTIL] = "until",
    [CONSTRUCT_INCLUDE] = "include",
    [CONSTRUCT_EXCLUDE] = "exclude",
    [CONSTRUCT_ON_ENTER] = "on enter trigger",
    [CONSTRUCT_ON_EXIT] = "on exit trigger",
    [CONSTRUCT_ONCE] = "once",
    [CONSTRUCT_ONCE_PER] = "once per",
    [CONSTRUCT_SHADOW] = "shadow",
};

static const char *const ops[] = {
#define X(name, text, operand, of, fold) text,
    OP_TABLE(X)
#undef X
};

const char *construct_name(int construct)
{
    static char name[64];
    static const char *const where[] = {"where", "attribute", "measure"};
    int op = construct - CONSTRUCT_WHERE_OP;
    if (op < 0)
        return words[construct];
    snprintf(name, sizeof(name), "%s %s", where[op / OP_COUNT_],
             ops[op % OP_COUNT_]);
    return name;
}

static void see_where(const struct rule_where *where, char *seen);

static void see_test(const struct rule_test *test, int base, char *seen)
{
    seen[base + (int)test->op] = 1;
    if (test->where)
        see_where(test->where, seen);
    if (test->ignoring_case)
        seen[CONSTRUCT_IGNORING_CASE] = 1;
    if (test->values.list.bytes)
        seen[CONSTRUCT_LIST] = 1;
    for (int i = 0; i < test->values.count; i++)
        if (test->values.items[i].is_date)
            seen[CONSTRUCT_DATE] = 1;
}

static void see_path(const struct path *path, char *seen)
{
    static const int of_root[] = {
        [PATH_PROPERTIES] = CONSTRUCT_PROPERTY,
        [PATH_CONTEXT] = CONSTRUCT_CONTEXT,
        [PATH_EVENT] = CONSTRUCT_EVENT,
        [PATH_USER] = CONSTRUCT_USER,
        [PATH_ACCOUNT] = CONSTRUCT_ACCOUNT,
        [PATH_ELEMENT] = CONSTRUCT_PROPERTY,
    };
    seen[of_root[path->root]] = 1;
}

static void see_where(const struct rule_where *where, char *seen)
{
    static const int of_kind[] = {[WHERE_AND] = CONSTRUCT_WHERE_AND,
                                  [WHERE_OR] = CONSTRUCT_WHERE_OR,
                                  [WHERE_NOT] = CONSTRUCT_WHERE_NOT};
    if (where->kind == WHERE_TEST) {
        see_path(&where->path, seen);
        see_test(&where->test, CONSTRUCT_WHERE_OP, seen);
        return;
    }
    seen[of_kind[where->kind]] = 1;
    for (int i = 0; i < where->count; i++)
        see_where(where->children[i], seen);
}

static void see_event(const struct rule_event *event, char *seen)
{
    if (event->any)
        seen[CONSTRUCT_ANY] = 1;
    if (event->count > 1)
        seen[CONSTRUCT_NAMES] = 1;
    if (event->where)
        see_where(event->where, seen);
}

static void see_measure(const struct rule_measure *measure, char *seen)
{
    seen[CONSTRUCT_MEASURE + (int)measure->kind] = 1;
    if (rule_measure_info(measure->kind)->window)
        seen[CONSTRUCT_WINDOW + (int)measure->window.kind] = 1;
    see_event(&measure->event, seen);
}

static void see_step(const struct rule_step *step, char *seen)
{
    seen[step->without ? CONSTRUCT_WITHOUT : CONSTRUCT_THEN] = 1;
    if (step->directly)
        seen[CONSTRUCT_DIRECTLY] = 1;
    if (step->after_ms)
        seen[CONSTRUCT_AFTER] = 1;
    if (step->within_ms && !step->without)
        seen[CONSTRUCT_STEP_WITHIN] = 1;
    see_event(&step->event, seen);
}

static void see_sequence(const struct rule_sequence *sequence, char *seen)
{
    for (int i = 0; i < sequence->step_count; i++)
        see_step(&sequence->steps[i], seen);
    if (sequence->all_within_ms)
        seen[CONSTRUCT_ALL_WITHIN] = 1;
    if (sequence->no_between)
        seen[CONSTRUCT_NO_BETWEEN] = 1;
    if (sequence->same.count)
        seen[CONSTRUCT_SAME] = 1;
}

static void see_did(const struct rule_cond *leaf, char *seen)
{
    int64_t period_ms = leaf->times.period_ms;
    if (period_ms)
        seen[period_ms > 86400000 ? CONSTRUCT_PER_WEEK : CONSTRUCT_PER_DAY] = 1;
    else
        seen[CONSTRUCT_WINDOW + (int)leaf->window.kind] = 1;
    if (leaf->kind == COND_DID)
        seen[CONSTRUCT_TIMES + (int)leaf->times.kind] = 1;
    if (leaf->kind == COND_LATEST)
        seen[CONSTRUCT_LATEST] = 1;
    if (leaf->kind == COND_SEQUENCE)
        see_sequence(leaf->sequence, seen);
    see_event(&leaf->event, seen);
}

void construct_of_leaf(const struct rule_cond *leaf, char *seen)
{
    switch (leaf->kind) {
    case COND_AND:
    case COND_OR:
    case COND_NOT:
        return;
    case COND_EVERYONE:
        seen[CONSTRUCT_EVERYONE] = 1;
        return;
    case COND_DID:
    case COND_SEQUENCE:
    case COND_LATEST:
        see_did(leaf, seen);
        return;
    case COND_MEASURE:
        see_measure(&leaf->measure, seen);
        see_test(&leaf->test, CONSTRUCT_MEASURE_OP, seen);
        return;
    case COND_COMPARE:
        seen[CONSTRUCT_COMPARE] = 1;
        if (leaf->percent.spelling.bytes)
            seen[CONSTRUCT_PERCENT] = 1;
        see_measure(&leaf->measure, seen);
        see_measure(leaf->other, seen);
        return;
    case COND_ENTERED:
        seen[CONSTRUCT_ENTERED] = 1;
        return;
    case COND_LEFT:
        seen[CONSTRUCT_LEFT] = 1;
        return;
    case COND_SHARE:
        seen[CONSTRUCT_SHARE] = 1;
        return;
    case COND_PATH:
        see_path(&leaf->path, seen);
        see_test(&leaf->test, CONSTRUCT_ATTRIBUTE_OP, seen);
        return;
    case COND_IN_SEGMENT:
        seen[CONSTRUCT_IN_SEGMENT] = 1;
        return;
    }
}

static void see_cond(const struct rule_cond *cond, char *seen)
{
    static const int of_kind[] = {[COND_AND] = CONSTRUCT_AND,
                                  [COND_OR] = CONSTRUCT_OR,
                                  [COND_NOT] = CONSTRUCT_NOT};
    construct_of_leaf(cond, seen);
    if (cond->count)
        seen[of_kind[cond->kind]] = 1;
    for (int i = 0; i < cond->count; i++)
        see_cond(cond->children[i], seen);
}

void construct_of_segment(const struct rule_segment *segment, char *seen)
{
    if (segment->when)
        see_cond(segment->when, seen);
    if (segment->until) {
        seen[CONSTRUCT_UNTIL] = 1;
        see_cond(segment->until, seen);
    }
    if (segment->shadow)
        seen[CONSTRUCT_SHADOW] = 1;
    if (segment->include.count)
        seen[CONSTRUCT_INCLUDE] = 1;
    if (segment->exclude.count)
        seen[CONSTRUCT_EXCLUDE] = 1;
    for (int i = 0; i < segment->trigger_count; i++) {
        const struct rule_trigger *trigger = &segment->triggers[i];
        seen[trigger->on_enter ? CONSTRUCT_ON_ENTER : CONSTRUCT_ON_EXIT] = 1;
        if (trigger->once)
            seen[trigger->cooldown_ms ? CONSTRUCT_ONCE_PER : CONSTRUCT_ONCE] =
                1;
    }
}
