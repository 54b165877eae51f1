/* check.c: what is wrong with segment files beyond their syntax: the order of
 * things. Definitions are sorted first, so that names are found; then
 * each segment is looked at on its own, then what they are to each other. */
#include "lib/segment/check.h"

#include <stdlib.h>

#include "lib/segment/checker.h"
#include "lib/segment/parse.h"

static int check_all(struct checker *checker)
{
    struct rules *rules = checker->rules;
    checker->tested = calloc((size_t)rules->segment_count + 1, 1);
    if (!checker->tested || check_sort_names(checker) < 0)
        return SEG_ERR_NOMEM;
    check_traits(checker);
    check_scores(checker);
    check_tests(checker);
    for (int i = 0; i < rules->segment_count; i++) {
        checker->segment = i;
        check_segment(checker, &rules->segments[i]);
    }
    check_cycles(checker);
    check_event_names(checker);
    for (int i = 0; i < rules->list_count; i++)
        check_list(checker, &rules->lists[i]);
    for (int i = 0; i < rules->score_count; i++)
        if (!rules->scores[i].used)
            check_warning(checker, rules->scores[i].pos,
                          "The score `%s` is not used.",
                          rules->scores[i].key.bytes);
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
    int result = 0, from = diagnostics->count;
    for (int i = 0; i < count && !diagnostics_full(diagnostics); i++) {
        int ret = parse_source(rules, &sources[i], diagnostics);
        if (ret == SEG_ERR_NOMEM)
            return ret;
        result = ret < 0 && result >= 0 ? ret : result;
    }
    if (result < 0)
        return result;
    result = check_rules(rules, diagnostics);
    diagnostics_sort(diagnostics, from);
    return result;
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
