/* check_cycle.c: segments that refer to each other in a circle.
 *
 * A walk in depth over the edges `in segment` with a stack of its own, as a
 * chain may be as long as there are segments. Segments on the stack are OPEN;
 * an edge to one of them closes a circle. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/segment/checker.h"

#define NAMES_MAX 8 /* Of one circle, in a message. */

enum { NEW, OPEN, DONE };

struct walk {
    size_t *first; /* By segment: the first edge of it or of a later one. */
    size_t *next;  /* By segment: the edge to follow next. */
    int *stack;
    int depth;
    unsigned char *state;
};

/* The circle of the edge from the top of the stack down to segment TO. */
static void say_circle(struct checker *checker, const struct walk *walk,
                       const struct check_edge *edge)
{
    const struct rule_segment *segments = checker->rules->segments;
    struct buf path;
    int from = walk->depth - 1, count;
    while (walk->stack[from] != edge->to)
        from--;
    count = walk->depth - from;
    if (count == 1) {
        check_error(checker, edge->cond->pos,
                    "The segment `%s` refers to itself.",
                    segments[edge->to].key.bytes);
        return;
    }
    buf_init(&path);
    for (int i = 0; i < count; i++) {
        if (i < NAMES_MAX)
            buf_printf(&path, "%s -> ",
                       segments[walk->stack[from + i]].key.bytes);
        else if (i == NAMES_MAX)
            buf_str(&path, "... -> ");
    }
    buf_text(&path, segments[edge->to].key);
    check_error(checker, edge->cond->pos,
                "These segments refer to each other in a circle: %s.",
                buf_string(&path));
    buf_done(&path);
}

static void push(struct walk *walk, int segment)
{
    walk->state[segment] = OPEN;
    walk->stack[walk->depth++] = segment;
}

static void walk_from(struct checker *checker, struct walk *walk, int start)
{
    push(walk, start);
    while (walk->depth > 0) {
        int segment = walk->stack[walk->depth - 1];
        if (walk->next[segment] == walk->first[segment + 1]) {
            walk->state[segment] = DONE;
            walk->depth--;
            continue;
        }
        const struct check_edge *edge = &checker->edges[walk->next[segment]++];
        if (walk->state[edge->to] == NEW)
            push(walk, edge->to);
        else if (walk->state[edge->to] == OPEN)
            say_circle(checker, walk, edge);
    }
}

/* Edges are sorted by FROM: find where each segment's begin. */
static void find_first(const struct checker *checker, struct walk *walk,
                       size_t count)
{
    size_t edge = 0;
    for (size_t i = 0; i <= count; i++) {
        while (edge < checker->edge_count &&
               (size_t)checker->edges[edge].from < i)
            edge++;
        walk->first[i] = edge;
    }
    memcpy(walk->next, walk->first, (count + 1) * sizeof(*walk->next));
}

void check_cycles(struct checker *checker)
{
    size_t count = (size_t)checker->rules->segment_count;
    struct walk walk = {
        .first = calloc(count + 1, sizeof(*walk.first)),
        .next = calloc(count + 1, sizeof(*walk.next)),
        .stack = calloc(count + 1, sizeof(*walk.stack)),
        .state = calloc(count + 1, 1),
    };
    if (walk.first && walk.next && walk.stack && walk.state) {
        find_first(checker, &walk, count);
        for (size_t i = 0; i < count; i++)
            if (walk.state[i] == NEW)
                walk_from(checker, &walk, (int)i);
    } else {
        checker->diagnostics->failed = 1;
    }
    free(walk.first);
    free(walk.next);
    free(walk.stack);
    free(walk.state);
}
