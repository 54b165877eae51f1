/* coverage.c: which conditions the tests of a catalogue have seen both ways. */
#include "lib/engine/coverage.h"

#include <stdlib.h>

#define COVERAGE_TRUE  1
#define COVERAGE_FALSE 2

/* Call EACH with every leaf below COND. */
static void walk(const struct cond *cond,
                 void (*each)(void *arg, const struct cond *leaf), void *arg)
{
    if (cond->op == OP_PREDICATE || cond->op == OP_MEMBER)
        each(arg, cond);
    for (uint32_t i = 0; i < cond->count; i++)
        walk(&cond->children[i], each, arg);
}

static void walk_segment(const struct segment *segment,
                         void (*each)(void *arg, const struct cond *leaf),
                         void *arg)
{
    if (segment->when)
        walk(segment->when, each, arg);
    if (segment->until)
        walk(segment->until, each, arg);
}

static void count_leaf(void *arg, const struct cond *leaf)
{
    (void)leaf;
    ++*(uint32_t *)arg;
}

int coverage_init(struct coverage *coverage, const struct plan *plan)
{
    uint32_t leaves = 0;
    coverage->seen = NULL;
    coverage->first = calloc(plan->segment_count + 1ul, sizeof(uint32_t));
    if (!coverage->first)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        coverage->first[i] = leaves;
        walk_segment(&plan->segments[i], count_leaf, &leaves);
    }
    coverage->first[plan->segment_count] = leaves;
    coverage->seen = calloc(leaves + 1ul, 1);
    return coverage->seen ? 0 : SEG_ERR_NOMEM;
}

void coverage_done(struct coverage *coverage)
{
    free(coverage->first);
    free(coverage->seen);
}

struct noting {
    const struct view *view;
    unsigned char *seen; /* Of the next leaf. */
};

static void note_leaf(void *arg, const struct cond *leaf)
{
    struct noting *noting = arg;
    int truth = eval_cond(noting->view, leaf);
    *noting->seen++ |= truth == SEG_TRUE    ? COVERAGE_TRUE
                       : truth == SEG_FALSE ? COVERAGE_FALSE
                                            : 0;
}

void coverage_note(struct coverage *coverage, const struct view *view,
                   uint32_t segment)
{
    struct noting noting = {view, coverage->seen + coverage->first[segment]};
    walk_segment(&view->plan->segments[segment], note_leaf, &noting);
}

struct reporting {
    const struct seg_catalogue *catalogue;
    seg_coverage_report *report;
    void *arg;
    const unsigned char *seen; /* Of the next leaf. */
    const char *segment;
};

static void report_leaf(void *arg, const struct cond *leaf)
{
    struct reporting *to = arg;
    const struct plan *plan = &to->catalogue->plan;
    const struct predicate *predicate =
        leaf->op == OP_PREDICATE ? &plan->predicates[leaf->number] : NULL;
    const struct rule_pos *pos =
        predicate ? &predicate->rule->pos : &leaf->rule->pos;
    const struct seg_coverage coverage = {
        .segment = to->segment,
        .condition = predicate ? predicate->text : leaf->text,
        .file = to->catalogue->rules.files[pos->file].name.bytes,
        .line = (int)pos->line,
        .column = (int)pos->column,
        .seen_true = (*to->seen & COVERAGE_TRUE) != 0,
        .seen_false = (*to->seen & COVERAGE_FALSE) != 0,
    };
    to->seen++;
    to->report(to->arg, &coverage);
}

void coverage_report(const struct coverage *coverage,
                     const struct seg_catalogue *catalogue,
                     seg_coverage_report *report, void *arg)
{
    struct reporting to = {catalogue, report, arg, coverage->seen, NULL};
    for (uint32_t i = 0; i < catalogue->plan.segment_count; i++) {
        to.segment = catalogue->plan.segments[i].rule->key.bytes;
        walk_segment(&catalogue->plan.segments[i], report_leaf, &to);
    }
}
