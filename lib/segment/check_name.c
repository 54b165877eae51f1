/* check_name.c: definitions by their keys: sorted, once each, found again.
 *
 * Segments, scores and traits are sorted where they stand, as nothing points to
 * them yet; of lists a sorted array of pointers is kept. */
#include "lib/segment/checker.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

/* ---- sorting --------------------------------------------------------- */

static int order_places(struct rule_pos a, struct rule_pos b)
{
    return a.file != b.file   ? (a.file > b.file) - (a.file < b.file)
           : a.line != b.line ? (a.line > b.line) - (a.line < b.line)
                              : (a.column > b.column) - (a.column < b.column);
}

static int order(struct seg_text key_a, struct rule_pos a,
                 struct seg_text key_b, struct rule_pos b)
{
    int keys = text_compare(key_a, key_b);
    return keys ? keys : order_places(a, b);
}

static int order_segments(const void *a, const void *b)
{
    const struct rule_segment *x = a, *y = b;
    return order(x->key, x->pos, y->key, y->pos);
}

static int order_lists(const void *a, const void *b)
{
    const struct rule_list *x = *(struct rule_list *const *)a;
    const struct rule_list *y = *(struct rule_list *const *)b;
    return order(x->key, x->pos, y->key, y->pos);
}

static int order_scores(const void *a, const void *b)
{
    const struct rule_score *x = a, *y = b;
    return order(x->key, x->pos, y->key, y->pos);
}

static int order_traits(const void *a, const void *b)
{
    const struct rule_trait *x = a, *y = b;
    return order(x->key, x->pos, y->key, y->pos);
}

static void sort(void *items, int count, size_t size,
                 int (*compare)(const void *, const void *))
{
    if (count)
        qsort(items, (size_t)count, size, compare);
}

/* ---- keys, sorted ---------------------------------------------------- */

static struct seg_text key_of(const struct checker *checker,
                              enum check_definition kind, int i)
{
    switch (kind) {
    case DEFINED_SEGMENT:
        return checker->rules->segments[i].key;
    case DEFINED_LIST:
        return checker->lists[i]->key;
    case DEFINED_SCORE:
        return checker->rules->scores[i].key;
    case DEFINED_TRAIT:
        break;
    }
    return checker->rules->traits[i].key;
}

static struct rule_pos pos_of(const struct checker *checker,
                              enum check_definition kind, int i)
{
    switch (kind) {
    case DEFINED_SEGMENT:
        return checker->rules->segments[i].pos;
    case DEFINED_LIST:
        return checker->lists[i]->pos;
    case DEFINED_SCORE:
        return checker->rules->scores[i].pos;
    case DEFINED_TRAIT:
        break;
    }
    return checker->rules->traits[i].pos;
}

static int count_of(const struct checker *checker, enum check_definition kind)
{
    switch (kind) {
    case DEFINED_SEGMENT:
        return checker->rules->segment_count;
    case DEFINED_LIST:
        return checker->rules->list_count;
    case DEFINED_SCORE:
        return checker->rules->score_count;
    case DEFINED_TRAIT:
        break;
    }
    return checker->rules->trait_count;
}

static const char *const kind_names[] = {
    [DEFINED_SEGMENT] = "segment",
    [DEFINED_LIST] = "list",
    [DEFINED_SCORE] = "score",
    [DEFINED_TRAIT] = "trait",
};

static void say_twice(struct checker *checker, enum check_definition kind)
{
    const struct rules *rules = checker->rules;
    for (int i = 1; i < count_of(checker, kind); i++) {
        struct rule_pos first = pos_of(checker, kind, i - 1);
        struct seg_text key = key_of(checker, kind, i);
        if (text_equal(key_of(checker, kind, i - 1), key))
            check_error(checker, pos_of(checker, kind, i),
                        "The %s `%s` is defined already at %s:%u.",
                        kind_names[kind], key.bytes,
                        rules->files[first.file].name.bytes, first.line);
    }
}

int check_sort_names(struct checker *checker)
{
    struct rules *rules = checker->rules;
    checker->lists =
        calloc((size_t)rules->list_count + 1, sizeof(*checker->lists));
    if (!checker->lists)
        return SEG_ERR_NOMEM;
    for (int i = 0; i < rules->list_count; i++)
        checker->lists[i] = &rules->lists[i];
    sort(rules->segments, rules->segment_count, sizeof(*rules->segments),
         order_segments);
    sort(checker->lists, rules->list_count, sizeof(*checker->lists),
         order_lists);
    sort(rules->scores, rules->score_count, sizeof(*rules->scores),
         order_scores);
    sort(rules->traits, rules->trait_count, sizeof(*rules->traits),
         order_traits);
    say_twice(checker, DEFINED_SEGMENT);
    say_twice(checker, DEFINED_LIST);
    say_twice(checker, DEFINED_SCORE);
    say_twice(checker, DEFINED_TRAIT);
    return 0;
}

/* ---- finding --------------------------------------------------------- */

int check_find(const struct checker *checker, enum check_definition kind,
               struct seg_text key)
{
    int low = 0, count = count_of(checker, kind), high = count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (text_compare(key_of(checker, kind, middle), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && text_equal(key_of(checker, kind, low), key) ? low
                                                                      : -1;
}

/* Another kind of definition that has this key: `score(x)` of a trait x. */
static const char *found_as(const struct checker *checker, struct seg_text key)
{
    for (int kind = 0; kind <= DEFINED_TRAIT; kind++)
        if (check_find(checker, (enum check_definition)kind, key) >= 0)
            return kind_names[kind];
    return NULL;
}

int check_refer(struct checker *checker, enum check_definition kind,
                struct seg_text key, struct rule_pos pos, const char *before)
{
    struct suggest suggest;
    int found = check_find(checker, kind, key);
    if (found >= 0)
        return found;
    const char *other = found_as(checker, key);
    if (other) {
        check_error(checker, pos, "There is no %s `%s`, but a %s.",
                    kind_names[kind], key.bytes, other);
        return -1;
    }
    check_error(checker, pos, "There is no %s `%s`.", kind_names[kind],
                key.bytes);
    suggest_init(&suggest, key);
    for (int i = 0; i < count_of(checker, kind); i++)
        suggest_offer(&suggest, key_of(checker, kind, i));
    if (suggest.best.bytes)
        diagnostics_suggest(checker->diagnostics, "did you mean `%s%s`?",
                            before, suggest.best.bytes);
    return -1;
}

void check_resolve(struct checker *checker, struct rule_values *values)
{
    if (!values->list.bytes)
        return;
    int found =
        check_refer(checker, DEFINED_LIST, values->list, values->pos, "@");
    if (found < 0)
        return;
    checker->lists[found]->used = 1;
    values->count = checker->lists[found]->values.count;
    values->items = checker->lists[found]->values.items;
}
