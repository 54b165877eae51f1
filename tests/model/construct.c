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
#define X(name, word, path, window) [CONSTRUCT_MEASURE + MEASURE_##name] = word,
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
    [CONSTRUCT_INCLUDE] = "include",
    [CONSTRUCT_EXCLUDE] = "exclude",
    [CONSTRUCT_ON_ENTER] = "on enter trigger",
    [CONSTRUCT_ON_EXIT] = "on exit trigger",
    [CONSTRUCT_ONCE] = "once",
    [CONSTRUCT_ONCE_PER] = "once per",
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

static void see_test(const struct rule_test *test, int base, char *seen)
{
    seen[base + (int)test->op] = 1;
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

static void see_measure(const struct rule_cond *leaf, char *seen)
{
    const struct rule_measure *measure = &leaf->measure;
    seen[CONSTRUCT_MEASURE + (int)measure->kind] = 1;
    seen[CONSTRUCT_WINDOW + (int)measure->window.kind] = 1;
    see_event(&measure->event, seen);
    see_test(&leaf->test, CONSTRUCT_MEASURE_OP, seen);
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
        seen[CONSTRUCT_TIMES + (int)leaf->times.kind] = 1;
        seen[CONSTRUCT_WINDOW + (int)leaf->window.kind] = 1;
        see_event(&leaf->event, seen);
        return;
    case COND_MEASURE:
        see_measure(leaf, seen);
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
