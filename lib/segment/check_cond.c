/* check_cond.c: conditions: what they refer to, how exact they are. */
#include "lib/segment/checker.h"

#include "lib/base/alloc.h"
#include "lib/user/feature.h"

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

static void check_in_segment(struct checker *checker, struct rule_cond *cond)
{
    struct suggest suggest;
    cond->segment = check_find_segment(checker, cond->key);
    if (cond->segment >= 0) {
        add_edge(checker, cond);
        return;
    }
    check_error(checker, cond->pos, "There is no segment `%s`.",
                cond->key.bytes);
    suggest_init(&suggest, cond->key);
    for (int i = 0; i < checker->rules->segment_count; i++)
        suggest_offer(&suggest, checker->rules->segments[i].key);
    if (suggest.best.bytes)
        diagnostics_suggest(checker->diagnostics, "did you mean `%s`?",
                            suggest.best.bytes);
}

/* ---- exactness ------------------------------------------------------- */

static void warn_window(struct checker *checker, struct rule_pos pos,
                        const char *what)
{
    check_warning(checker, pos,
                  "%s is exact while a user has at most %d such events in it; "
                  "beyond that it may be off by a 64th of the window.",
                  what, FEATURE_EXACT_MAX);
}

/* The count of events in WINDOW is compared with numbers up to HIGHEST. */
static void check_count_window(struct checker *checker,
                               const struct rule_window *window,
                               int64_t highest)
{
    if (window->kind == WINDOW_FROM_TO)
        warn_window(checker, window->pos, "A window with two ends");
    else if (window->kind == WINDOW_IN && highest > FEATURE_EXACT_MAX)
        warn_window(checker, window->pos, "This window");
}

/* The greatest number that TEST compares with. */
static int64_t highest_number(const struct rule_test *test)
{
    int64_t highest = 0;
    for (int i = 0; i < test->values.count; i++) {
        const struct seg_value *value = &test->values.items[i].value;
        if (value->type == SEG_INT && value->as.integer > highest)
            highest = value->as.integer;
        if (value->type == SEG_DOUBLE && value->as.number > FEATURE_EXACT_MAX)
            highest = FEATURE_EXACT_MAX + 1;
    }
    return highest;
}

static void check_measure(struct checker *checker, struct rule_cond *cond)
{
    struct rule_measure *measure = &cond->measure;
    enum check_subject subject = SUBJECT_ANY;
    if (measure->event.where)
        check_where(checker, measure->event.where);
    switch (measure->kind) {
    case MEASURE_COUNT:
        subject = SUBJECT_COUNT;
        check_count_window(checker, &measure->window,
                           highest_number(&cond->test));
        break;
    case MEASURE_FIRST:
        if (measure->window.kind != WINDOW_LIFETIME)
            warn_window(checker, measure->window.pos, "`first` in a window");
        break;
    case MEASURE_LAST:
        check_count_window(checker, &measure->window, 0);
        break;
    case MEASURE_DAYS_SINCE_FIRST:
    case MEASURE_DAYS_SINCE_LAST:
        subject = SUBJECT_NUMBER;
        break;
    case MEASURE_COUNT_:
        break;
    }
    check_test(checker, subject, &cond->test);
}

/* ---- all kinds ------------------------------------------------------- */

void check_cond(struct checker *checker, struct rule_cond *cond)
{
    const struct rule_times *times = &cond->times;
    for (int i = 0; i < cond->count; i++)
        check_cond(checker, cond->children[i]);
    switch (cond->kind) {
    case COND_DID:
        if (cond->event.where)
            check_where(checker, cond->event.where);
        check_count_window(checker, &cond->window,
                           times->high > times->low ? times->high : times->low);
        break;
    case COND_MEASURE:
        check_measure(checker, cond);
        break;
    case COND_PATH:
        check_test(checker, SUBJECT_ANY, &cond->test);
        break;
    case COND_IN_SEGMENT:
        check_in_segment(checker, cond);
        break;
    case COND_AND:
    case COND_OR:
    case COND_NOT:
    case COND_EVERYONE:
        break;
    }
    check_group(checker, cond);
}
