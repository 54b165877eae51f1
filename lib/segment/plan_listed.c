/* plan_listed.c: users whom some segment names in `include` or `exclude`. */
#include <stdlib.h>

#include <seg/error.h>

#include "lib/base/alloc.h"
#include "lib/segment/planner.h"

struct listing {
    struct listed_segment *items;
    size_t count, cap;
};

struct listings {
    struct listing *items;
    size_t cap;
};

static int list_user(struct planner *planner, struct listings *listings,
                     const struct seg_value *id, uint32_t segment, int include)
{
    uint32_t number;
    void *items = listings->items;
    if (id->type != SEG_TEXT)
        return 0;
    int ret = intern_add(&planner->plan->listed_ids,
                         (struct seg_text){id->as.text, id->len}, &number);
    if (ret < 0 || alloc_grow(&items, &listings->cap, number + 1ul,
                              sizeof(*listings->items)) < 0)
        return SEG_ERR_NOMEM;
    listings->items = items;
    struct listing *listing = &listings->items[number];
    if (ret == 1)
        *listing = (struct listing){0};
    void *segments = listing->items;
    if (alloc_grow(&segments, &listing->cap, listing->count + 1,
                   sizeof(*listing->items)) < 0)
        return SEG_ERR_NOMEM;
    listing->items = segments;
    listing->items[listing->count++] =
        (struct listed_segment){segment, include};
    return 0;
}

static int list_segment(struct planner *planner, struct listings *listings,
                        uint32_t segment)
{
    const struct rule_segment *rule = &planner->rules->segments[segment];
    int ret = 0;
    for (int i = 0; ret == 0 && i < rule->include.count; i++)
        ret = list_user(planner, listings, &rule->include.items[i].value,
                        segment, 1);
    for (int i = 0; ret == 0 && i < rule->exclude.count; i++)
        ret = list_user(planner, listings, &rule->exclude.items[i].value,
                        segment, 0);
    return ret;
}

int planner_listed(struct planner *planner)
{
    struct plan *plan = planner->plan;
    struct listings listings = {0};
    int ret = 0;
    for (uint32_t i = 0; ret == 0 && i < plan->segment_count; i++)
        ret = list_segment(planner, &listings, i);
    uint32_t count = plan->listed_ids.count;
    struct listed *made = arena_calloc(planner->arena, count, sizeof(*made));
    plan->listed = made;
    for (uint32_t i = 0; ret == 0 && made && i < count; i++) {
        made[i].count = (uint32_t)listings.items[i].count;
        made[i].segments =
            planner_keep(planner, listings.items[i].items, made[i].count,
                         sizeof(struct listed_segment));
        ret = made[i].segments ? 0 : SEG_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < count && i < listings.cap; i++)
        free(listings.items[i].items);
    free(listings.items);
    return made ? ret : SEG_ERR_NOMEM;
}
