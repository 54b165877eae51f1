/* definition.c: what a file defines, in the order of the file. */
#include "lib/segment/definition.h"

#include <stdlib.h>

static int order(const void *a, const void *b)
{
    const struct definition *x = a, *y = b;
    if (x->pos.line != y->pos.line)
        return (x->pos.line > y->pos.line) - (x->pos.line < y->pos.line);
    return (x->pos.column > y->pos.column) - (x->pos.column < y->pos.column);
}

struct definition *definitions_of(const struct rules *rules, uint32_t file,
                                  size_t *count)
{
    size_t all = (size_t)rules->list_count + (size_t)rules->score_count +
                 (size_t)rules->trait_count + (size_t)rules->segment_count +
                 (size_t)rules->test_count;
    struct definition *items = calloc(all + 1, sizeof(*items));
    *count = 0;
    if (!items)
        return NULL;
    for (int i = 0; i < rules->list_count; i++)
        items[(*count)++] = (struct definition){.list = &rules->lists[i],
                                                .pos = rules->lists[i].pos,
                                                .end = rules->lists[i].end};
    for (int i = 0; i < rules->score_count; i++)
        items[(*count)++] = (struct definition){.score = &rules->scores[i],
                                                .pos = rules->scores[i].pos};
    for (int i = 0; i < rules->trait_count; i++)
        items[(*count)++] = (struct definition){.trait = &rules->traits[i],
                                                .pos = rules->traits[i].pos,
                                                .end = rules->traits[i].end};
    for (int i = 0; i < rules->segment_count; i++)
        items[(*count)++] = (struct definition){.segment = &rules->segments[i],
                                                .pos = rules->segments[i].pos};
    for (int i = 0; i < rules->test_count; i++)
        items[(*count)++] = (struct definition){.test = &rules->tests[i],
                                                .pos = rules->tests[i].pos};
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (items[i].pos.file == file)
            items[kept++] = items[i];
    *count = kept;
    qsort(items, kept, sizeof(*items), order);
    return items;
}
