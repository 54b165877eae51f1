/* check.c: what is wrong with segment files beyond their syntax: the order of
 * things. Segments and lists are sorted first, so that names are found; then
 * each segment is looked at on its own, then what they are to each other. */
#include "lib/segment/check.h"

#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/segment/checker.h"
#include "lib/segment/parse.h"

static int order_places(struct rule_pos a, struct rule_pos b)
{
    return a.file != b.file   ? (a.file > b.file) - (a.file < b.file)
           : a.line != b.line ? (a.line > b.line) - (a.line < b.line)
                              : (a.column > b.column) - (a.column < b.column);
}

static int order_segments(const void *a, const void *b)
{
    const struct rule_segment *x = a, *y = b;
    int keys = text_compare(x->key, y->key);
    return keys ? keys : order_places(x->pos, y->pos);
}

static int order_lists(const void *a, const void *b)
{
    const struct rule_list *x = *(struct rule_list *const *)a;
    const struct rule_list *y = *(struct rule_list *const *)b;
    int keys = text_compare(x->key, y->key);
    return keys ? keys : order_places(x->pos, y->pos);
}

/* The line and file of POS, for a message. */
static void say_twice(struct checker *checker, const char *what,
                      struct seg_text key, struct rule_pos first,
                      struct rule_pos second)
{
    const struct rules *rules = checker->rules;
    check_error(checker, second, "The %s `%s` is defined already at %s:%u.",
                what, key.bytes, rules->files[first.file].name.bytes,
                first.line);
}

static void sort_segments(struct checker *checker)
{
    struct rules *rules = checker->rules;
    if (rules->segment_count)
        qsort(rules->segments, (size_t)rules->segment_count,
              sizeof(*rules->segments), order_segments);
    for (int i = 1; i < rules->segment_count; i++) {
        const struct rule_segment *a = &rules->segments[i - 1], *b = a + 1;
        if (text_equal(a->key, b->key))
            say_twice(checker, "segment", b->key, a->pos, b->pos);
    }
}

static int sort_lists(struct checker *checker)
{
    struct rules *rules = checker->rules;
    size_t count = (size_t)rules->list_count;
    checker->lists = calloc(count + 1, sizeof(*checker->lists));
    if (!checker->lists)
        return SEG_ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        checker->lists[i] = &rules->lists[i];
    qsort(checker->lists, count, sizeof(*checker->lists), order_lists);
    for (size_t i = 1; i < count; i++) {
        const struct rule_list *a = checker->lists[i - 1];
        const struct rule_list *b = checker->lists[i];
        if (text_equal(a->key, b->key))
            say_twice(checker, "list", b->key, a->pos, b->pos);
    }
    return 0;
}

int check_find_segment(const struct checker *checker, struct seg_text key)
{
    int low = 0, high = checker->rules->segment_count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (text_compare(checker->rules->segments[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < checker->rules->segment_count &&
                   text_equal(checker->rules->segments[low].key, key)
               ? low
               : -1;
}

static struct rule_list *find_list(const struct checker *checker,
                                   struct seg_text key)
{
    int low = 0, high = checker->rules->list_count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (text_compare(checker->lists[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < checker->rules->list_count &&
                   text_equal(checker->lists[low]->key, key)
               ? checker->lists[low]
               : NULL;
}

void check_resolve(struct checker *checker, struct rule_values *values)
{
    struct suggest suggest;
    if (!values->list.bytes)
        return;
    struct rule_list *list = find_list(checker, values->list);
    if (list) {
        list->used = 1;
        values->count = list->values.count;
        values->items = list->values.items;
        return;
    }
    check_error(checker, values->pos, "There is no list `%s`.",
                values->list.bytes);
    suggest_init(&suggest, values->list);
    for (int i = 0; i < checker->rules->list_count; i++)
        suggest_offer(&suggest, checker->lists[i]->key);
    if (suggest.best.bytes)
        diagnostics_suggest(checker->diagnostics, "did you mean `@%s`?",
                            suggest.best.bytes);
}

static int check_all(struct checker *checker)
{
    struct rules *rules = checker->rules;
    sort_segments(checker);
    checker->tested = calloc((size_t)rules->segment_count + 1, 1);
    if (!checker->tested || sort_lists(checker) < 0)
        return SEG_ERR_NOMEM;
    check_tests(checker);
    for (int i = 0; i < rules->segment_count; i++) {
        checker->segment = i;
        check_segment(checker, &rules->segments[i]);
    }
    check_cycles(checker);
    for (int i = 0; i < rules->list_count; i++)
        check_list(checker, &rules->lists[i]);
    return 0;
}

int check_rules(struct rules *rules, struct seg_diagnostics *diagnostics)
{
    struct checker checker = {.rules = rules, .diagnostics = diagnostics};
    int count = diagnostics->count, errors = diagnostics->errors;
    int ret = check_all(&checker);
    diagnostics_sort(diagnostics, count);
    if (diagnostics->failed)
        ret = SEG_ERR_NOMEM;
    else if (ret == 0 && diagnostics->errors > errors)
        ret = SEG_ERR_SYNTAX;
    free(checker.lists);
    free(checker.edges);
    free(checker.tested);
    return ret;
}

int check_sources(struct rules *rules, const struct seg_source *sources,
                  int count, struct seg_diagnostics *diagnostics)
{
    int result = 0;
    for (int i = 0; i < count && !diagnostics_full(diagnostics); i++) {
        int ret = parse_source(rules, &sources[i], diagnostics);
        if (ret == SEG_ERR_NOMEM)
            return ret;
        result = ret < 0 && result >= 0 ? ret : result;
    }
    return result < 0 ? result : check_rules(rules, diagnostics);
}

int seg_catalogue_check(const struct seg_source *sources, int count,
                        struct seg_diagnostics *diagnostics)
{
    struct rules rules;
    rules_init(&rules);
    int ret = check_sources(&rules, sources, count, diagnostics);
    rules_done(&rules);
    return ret;
}
