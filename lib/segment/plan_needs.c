/* plan_needs.c: what a user must have for a segment to hold.
 *
 * `did "A" at least 3 times in 7d and did "B" in 7d` is false for whoever has
 * no "A" within reach, which is nearly everybody who does "B". A segment's
 * *needs* are counting features whose count of 0 makes it false:
 *
 *     predicate   its feature, if the count 0 fails
 *     and         the needs of all children
 *     or          those that all children have
 *     else        none
 *
 * Of a segment with an `until` there are none: who is in stays though `when` is
 * false, and a count that rises may make him leave.
 *
 * When a count rises, a segment that needs another feature of which the user
 * has nothing stays false, and need not be judged (candidates_add_crossed). The
 * feature that comes last finds the others there. Who is included or excluded
 * by name is so whatever he does. Two needs are kept: one that rises and
 * another one. */
#include "lib/segment/planner.h"

struct needs {
    uint32_t items[SEGMENT_NEEDS];
    uint32_t count;
};

static int has(const struct needs *needs, uint32_t feature)
{
    for (uint32_t i = 0; i < needs->count; i++)
        if (needs->items[i] == feature)
            return 1;
    return 0;
}

static void add(struct needs *needs, const struct needs *more)
{
    for (uint32_t i = 0; i < more->count; i++)
        if (needs->count < SEGMENT_NEEDS && !has(needs, more->items[i]))
            needs->items[needs->count++] = more->items[i];
}

static void keep_common(struct needs *needs, const struct needs *others)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < needs->count; i++)
        if (has(others, needs->items[i]))
            needs->items[kept++] = needs->items[i];
    needs->count = kept;
}

static struct needs needs_of_predicate(const struct plan *plan, uint32_t number)
{
    const struct predicate *predicate = &plan->predicates[number];
    struct needs needs = {.count = 0};
    if (plan->sources[predicate->source].counts &&
        predicate->kind != PREDICATE_COMPARE &&
        !predicate_passes(predicate, plan_empty_count(plan, predicate->source)))
        needs.items[needs.count++] = predicate->source;
    return needs;
}

static struct needs needs_of(const struct plan *plan, const struct cond *cond)
{
    struct needs needs = {.count = 0}, child;
    if (cond->op == OP_PREDICATE)
        return needs_of_predicate(plan, cond->number);
    if (cond->op != OP_AND && cond->op != OP_OR)
        return needs;
    for (uint32_t i = 0; i < cond->count; i++) {
        child = needs_of(plan, &cond->children[i]);
        if (cond->op == OP_AND || i == 0)
            add(&needs, &child);
        else
            keep_common(&needs, &child);
    }
    return needs;
}

void planner_needs(const struct planner *planner, struct segment *segments)
{
    const struct plan *plan = planner->plan;
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        struct needs needs = {.count = 0};
        if (segments[i].when && !segments[i].until)
            needs = needs_of(plan, segments[i].when);
        for (uint32_t n = 0; n < SEGMENT_NEEDS; n++)
            segments[i].needs[n] = n < needs.count ? needs.items[n] : PLAN_NONE;
    }
}
