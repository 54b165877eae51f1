/* sim_explore.c: the search, see sim_explore.h. */
#include "tests/support/sim_explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/sim_explore_world.h"

enum { WAY_MAX = 512 };

const struct explore_options explore_configurations[] = {
    {.name = "crash", .records = 2, .faults = {[EXPLORE_CRASH] = 1}},
    {.name = "lose", .records = 2, .faults = {[EXPLORE_LOSE] = 1}},
    {.name = "late", .records = 2, .faults = {[EXPLORE_LATE] = 1}},
    {.name = "fatal", .records = 2, .faults = {[EXPLORE_FATAL] = 1}},
    {.name = "redo",
     .records = 2,
     .flush_interval_ms = 30000,
     .faults = {[EXPLORE_CRASH] = 1}},
    {.name = "zombie",
     .records = 1,
     .states_max = 30000,
     .faults = {[EXPLORE_KICK] = 1}},
    {.name = "warm",
     .records = 1,
     .flush_interval_ms = 30000,
     .states_max = 30000,
     .faults = {[EXPLORE_REVOKE] = 2}},
    {.name = "pingpong",
     .records = 1,
     .by_hand = 1,
     .faults = {[EXPLORE_KICK] = 1, [EXPLORE_FATAL] = 1}},
    {.name = "timers",
     .records = 3,
     .by_hand = 1,
     .flush_interval_ms = 30000,
     .faults = {[EXPLORE_CRASH] = 1}},
    {.name = "large",
     .records = 4,
     .by_hand = 1,
     .each_marker = 1,
     .flush_interval_ms = 30000,
     .faults = {[EXPLORE_CRASH] = 1,
                [EXPLORE_KICK] = 1,
                [EXPLORE_REVOKE] = 1,
                [EXPLORE_LOSE] = 1,
                [EXPLORE_LATE] = 1,
                [EXPLORE_FATAL] = 1,
                [EXPLORE_TIMEOUT] = 1}},
    {0}};

struct node {
    uint64_t hash;
    uint32_t parent;
    uint16_t depth;
    uint8_t step; /* From its parent to it. */
    uint8_t complete;
    explore_steps enabled, free;
};

struct search {
    const struct explore_options *options;
    struct explore_result *result;
    struct solo undisturbed;
    struct explore_world world;
    struct node *nodes; /* In the order in which they were found. */
    uint32_t count, cap;
    uint32_t *table; /* By hash: number of a node + 1. */
    uint32_t table_cap;
};

/* ---- states that were seen ------------------------------------------------ */

static uint32_t *slot(struct search *s, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (s->table_cap - 1);

    while (s->table[at] && s->nodes[s->table[at] - 1].hash != hash)
        at = (at + 1) & (s->table_cap - 1);
    return &s->table[at];
}

static void grow(struct search *s)
{
    s->cap = s->cap ? 2 * s->cap : 1 << 12;
    s->table_cap = 4 * s->cap;
    s->nodes = realloc(s->nodes, s->cap * sizeof(*s->nodes));
    free(s->table);
    s->table = calloc(s->table_cap, sizeof(*s->table));
    if (!s->nodes || !s->table)
        abort();
    for (uint32_t i = 0; i < s->count; i++)
        *slot(s, s->nodes[i].hash) = i + 1;
}

/* The number of the state that the world is in, which STEP led to from node
 * PARENT; a new node if it was never seen. */
static uint32_t reach(struct search *s, uint32_t parent, int step)
{
    struct explore_world *w = &s->world;
    uint64_t hash = explore_hash(w);
    uint32_t *at;
    struct node *node;

    if (s->count == s->cap)
        grow(s);
    at = slot(s, hash);
    if (*at)
        return *at - 1;
    node = &s->nodes[s->count];
    *node =
        (struct node){.hash = hash, .parent = parent, .step = (uint8_t)step};
    node->depth = (uint16_t)(s->count ? s->nodes[parent].depth + 1 : 0);
    node->enabled = explore_enabled(w, &node->free);
    node->complete = (uint8_t)explore_is_complete(w);
    if (node->complete)
        explore_check_end(w);
    *at = ++s->count;
    return s->count - 1;
}

/* ---- ways ----------------------------------------------------------------- */

static int way_to(const struct search *s, uint32_t number, uint8_t way[WAY_MAX])
{
    int len = s->nodes[number].depth;

    if (len > WAY_MAX)
        abort();
    for (int i = len; i-- > 0; number = s->nodes[number].parent)
        way[i] = s->nodes[number].step;
    return len;
}

/* Bring a new world into the state of node NUMBER. */
static void go_to(struct search *s, uint32_t number)
{
    uint8_t way[WAY_MAX];
    int len = way_to(s, number, way);

    explore_world_init(&s->world, s->options, &s->undisturbed);
    for (int i = 0; i < len; i++)
        explore_take(&s->world, way[i]);
}

static void print_way(const struct search *s, uint32_t number, int last)
{
    uint8_t way[WAY_MAX + 1];
    int len = way_to(s, number, way);
    char name[64];

    if (last >= 0)
        way[len++] = (uint8_t)last;
    for (int i = 0; i < len; i++) {
        explore_step_name(name, sizeof(name), way[i]);
        printf("  %3d  %s\n", i + 1, name);
    }
}

/* ---- the search ----------------------------------------------------------- */

/* Take every step that is enabled in node NUMBER. Returns 0, or 1 when
 * something failed: its step in *LAST. */
static int expand(struct search *s, uint32_t number, int *last)
{
    explore_steps steps = s->nodes[number].enabled;
    explore_steps free_steps = s->nodes[number].free;
    int goes_on = 0;

    for (int step = 0; steps >> step; step++) {
        uint32_t to;
        if (!(steps >> step & 1))
            continue;
        go_to(s, number);
        explore_take(&s->world, step);
        s->result->transitions++;
        to = s->world.bad[0] ? number : reach(s, number, step);
        goes_on |= to != number && (free_steps >> step & 1);
        memcpy(s->result->bad, s->world.bad, sizeof(s->world.bad));
        explore_world_done(&s->world);
        *last = step;
        if (s->result->bad[0])
            return 1;
    }
    *last = -1;
    if (!goes_on && !s->nodes[number].complete) {
        snprintf(s->result->bad, sizeof(s->result->bad), "stuck");
        return 1;
    }
    s->result->ends += !goes_on;
    return 0;
}

void explore(const struct explore_options *options,
             struct explore_result *result, int trace)
{
    static struct search search;
    struct search *s = &search;
    int last = -1;

    memset(s, 0, sizeof(*s));
    memset(result, 0, sizeof(*result));
    s->options = options;
    s->result = result;
    explore_undisturbed(&s->undisturbed, options);
    grow(s);
    explore_world_init(&s->world, options, &s->undisturbed);
    reach(s, 0, 0);
    explore_world_done(&s->world);
    for (uint32_t i = 0; i < s->count; i++) {
        if (options->states_max && s->count >= options->states_max) {
            result->cut = 1;
            break;
        }
        if (expand(s, i, &last)) {
            result->depth = s->nodes[i].depth + 1;
            if (trace)
                print_way(s, i, last);
            break;
        }
        result->depth = s->nodes[i].depth;
    }
    result->states = s->count;
    solo_done(&s->undisturbed);
    free(s->nodes);
    free(s->table);
}
