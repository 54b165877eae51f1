/* catalogue_sequence.c: `did A then B …`, only such as can be at all. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "tests/model/catalogue_inside.h"

/* A time that leaves room for a longer one. */
static int64_t short_time(struct gen *g)
{
    int64_t ms;
    do
        ms = world_duration(g->world, 4);
    while (ms > 2000 * DAY_MS);
    return ms;
}

/* Returns its quiet time. */
static int64_t put_without(struct gen *g)
{
    int64_t ms = short_time(g);
    buf_str(g->out, " without ");
    gen_event(g);
    buf_str(g->out, " within ");
    gen_duration(g, ms);
    return ms;
}

/* Where an event stands in what is written: the first that follows. */
struct place {
    size_t from, to;
};

static void put_event(struct gen *g, struct place *place)
{
    place->from = g->out->len;
    gen_event(g);
    place->to = g->out->len;
}

/* Returns how long after the step before it it comes at least: QUIET or more. */
static int64_t put_then(struct gen *g, int64_t quiet, struct place *place)
{
    int64_t least = quiet;
    buf_str(g->out, random_chance(g->r, 15) ? " then directly " : " then ");
    put_event(g, place->to ? &(struct place){0, 0} : place);
    if (random_chance(g->r, 20)) {
        int64_t after = short_time(g);
        least = after > least ? after : least;
        buf_str(g->out, " after ");
        gen_duration(g, after);
    }
    if (random_chance(g->r, 55)) {
        buf_str(g->out, " within ");
        gen_duration(g, least + short_time(g));
    }
    return least;
}

/* The event at PLACE once more. */
static void put_again(struct gen *g, const struct place *place)
{
    size_t len = place->to - place->from;
    char *text = malloc(len + 1);
    assert(text);
    memcpy(text, g->out->bytes + place->from, len);
    text[len] = 0;
    buf_str(g->out, text);
    free(text);
}

static void put_rest(struct gen *g, int64_t least, const struct place *step)
{
    static const char *const same[] = {"plan", "amount", "goal.id",
                                       "context.device.type", "ok"};
    if (random_chance(g->r, 30)) {
        buf_str(g->out, " all within ");
        gen_duration(g, least + short_time(g));
    }
    if (random_chance(g->r, 20)) {
        buf_str(g->out, " with no ");
        if (step->to && random_chance(g->r, 40))
            put_again(g, step);
        else
            gen_event(g);
        buf_str(g->out, " between");
    }
    if (random_chance(g->r, 20))
        buf_printf(g->out, " for the same %s", RANDOM_OF(g->r, same));
}

void gen_sequence(struct gen *g)
{
    int64_t steps = random_chance(g->r, 60) ? 1 : random_between(g->r, 2, 3);
    int64_t quiet = 0, least = 0;
    struct place place = {0, 0};
    buf_str(g->out, "did ");
    gen_event(g);
    gen_window(g);
    for (int64_t i = 0; i < steps; i++) {
        if (random_chance(g->r, 30)) {
            int64_t ms = put_without(g);
            quiet = ms > quiet ? ms : quiet;
            continue;
        }
        least += put_then(g, quiet, &place);
        quiet = 0;
    }
    put_rest(g, least, &place);
}
