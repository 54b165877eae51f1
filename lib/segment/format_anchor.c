/* format_anchor.c: where comments of a file belong. */
#include "lib/segment/format_anchor.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

uint64_t anchor_of(struct rule_pos pos)
{
    return (uint64_t)pos.line << 32 | pos.column;
}

/* ---- collecting ------------------------------------------------------ */

static void add(struct anchors *anchors, struct rule_pos pos)
{
    void *items = anchors->items;
    if (alloc_grow(&items, &anchors->cap, anchors->count + 1,
                   sizeof(*anchors->items)) < 0) {
        anchors->failed = 1;
        return;
    }
    anchors->items = items;
    anchors->items[anchors->count++] = anchor_of(pos);
}

static void add_values(struct anchors *anchors,
                       const struct rule_values *values)
{
    if (values->list.bytes)
        return;
    for (int i = 0; i < values->count; i++)
        add(anchors, values->items[i].pos);
}

/* The first child of a group begins where the group does, that of `not` is no
 * place to break a line at. */
static void add_cond(struct anchors *anchors, const struct rule_cond *cond)
{
    if (cond->kind == COND_SEQUENCE)
        for (int i = 0; i < cond->sequence->step_count; i++)
            add(anchors, cond->sequence->steps[i].pos);
    for (int i = 0; i < cond->count; i++) {
        if (i)
            add(anchors, cond->children[i]->pos);
        add_cond(anchors, cond->children[i]);
    }
}

static void add_segment(struct anchors *anchors,
                        const struct rule_segment *segment)
{
    add(anchors, segment->pos);
    for (int i = 0; i < FIELD_ON; i++)
        if (segment->field_pos[i].line)
            add(anchors, segment->field_pos[i]);
    if (segment->when)
        add_cond(anchors, segment->when);
    if (segment->until)
        add_cond(anchors, segment->until);
    add_values(anchors, &segment->include);
    add_values(anchors, &segment->exclude);
    for (int i = 0; i < segment->trigger_count; i++)
        add(anchors, segment->triggers[i].pos);
    add(anchors, segment->end);
}

static void add_score(struct anchors *anchors, const struct rule_score *score)
{
    add(anchors, score->pos);
    for (int i = 0; i < score->weight_count; i++)
        add(anchors, score->weights[i].pos);
    add(anchors, score->end);
}

static void add_definitions(struct anchors *anchors, uint32_t file)
{
    const struct rules *rules = anchors->rules;
    for (int i = 0; i < rules->list_count; i++) {
        const struct rule_list *list = &rules->lists[i];
        if (list->pos.file != file)
            continue;
        add(anchors, list->pos);
        add_values(anchors, &list->values);
        add(anchors, list->end);
    }
    for (int i = 0; i < rules->score_count; i++)
        if (rules->scores[i].pos.file == file)
            add_score(anchors, &rules->scores[i]);
    for (int i = 0; i < rules->trait_count; i++)
        if (rules->traits[i].pos.file == file)
            add(anchors, rules->traits[i].pos);
    for (int i = 0; i < rules->segment_count; i++)
        if (rules->segments[i].pos.file == file)
            add_segment(anchors, &rules->segments[i]);
    for (int i = 0; i < rules->test_count; i++) {
        const struct rule_test_block *test = &rules->tests[i];
        if (test->pos.file != file)
            continue;
        add(anchors, test->pos);
        for (int j = 0; j < test->line_count; j++)
            add(anchors, test->lines[j].pos);
        add(anchors, test->end);
    }
}

static int order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void anchors_init(struct anchors *anchors, const struct rules *rules,
                  uint32_t file)
{
    *anchors = (struct anchors){.rules = rules};
    while (anchors->comment < rules->comment_count &&
           rules->comments[anchors->comment].pos.file != file)
        anchors->comment++;
    anchors->comment_end = anchors->comment;
    while (anchors->comment_end < rules->comment_count &&
           rules->comments[anchors->comment_end].pos.file == file)
        anchors->comment_end++;
    add_definitions(anchors, file);
    if (anchors->count)
        qsort(anchors->items, anchors->count, sizeof(*anchors->items), order);
}

void anchors_done(struct anchors *anchors)
{
    free(anchors->items);
}

/* ---- asking ---------------------------------------------------------- */

struct rule_pos anchor_last(const struct rule_cond *cond)
{
    struct rule_pos last = cond->pos;
    while (cond->count) {
        const struct rule_cond *child = cond->children[cond->count - 1];
        if (cond->kind != COND_NOT)
            last = child->pos;
        cond = child;
    }
    if (cond->kind == COND_SEQUENCE)
        last = cond->sequence->steps[cond->sequence->step_count - 1].pos;
    return last;
}

/* How many anchors stand before AT, AT itself included if INCLUDED. */
static size_t rank(const struct anchors *anchors, uint64_t at, int included)
{
    size_t low = 0, high = anchors->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (anchors->items[middle] < at ||
            (included && anchors->items[middle] == at))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first comment at or after AT. */
static int first_comment(const struct anchors *anchors, uint64_t at)
{
    int low = anchors->comment, high = anchors->comment_end;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (anchor_of(anchors->rules->comments[middle].pos) < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t anchor_after(const struct anchors *anchors, uint64_t at)
{
    size_t next = rank(anchors, at, 1);
    return next < anchors->count ? anchors->items[next] : ANCHOR_END;
}

void anchor_gap(const struct anchors *anchors, uint64_t at, int *first,
                int *end)
{
    size_t before = rank(anchors, at, 0);
    *first = first_comment(anchors, before ? anchors->items[before - 1] : 0);
    *end = first_comment(anchors, at);
}

const struct rule_comment *anchor_trailing(const struct anchors *anchors,
                                           uint64_t at)
{
    int first, end;
    anchor_gap(anchors, at, &first, &end);
    if (first == end || !rank(anchors, at, 0) ||
        anchors->rules->comments[first].own_line)
        return NULL;
    return &anchors->rules->comments[first];
}

int anchor_comments(const struct anchors *anchors, uint64_t from, uint64_t to)
{
    return first_comment(anchors, from) < first_comment(anchors, to);
}
