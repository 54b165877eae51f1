/* times.c: times in the items of a user's block, 4 or 8 bytes each. */
#include "lib/user/times.h"

#include <assert.h>

#include <seg/error.h>

#define NARROW_RANGE_MS (UINT64_C(1) << 32)

static int fits(int64_t base_ms, int64_t time_ms)
{
    return time_ms >= base_ms &&
           (uint64_t)time_ms - (uint64_t)base_ms < NARROW_RANGE_MS;
}

static int all_fit(const struct user *user, const struct item *item,
                   uint32_t lead, int64_t base_ms)
{
    for (uint32_t i = 0; i < times_count(item, lead); i++)
        if (!fits(base_ms, times_get(user, item, lead, i)))
            return 0;
    return 1;
}

/* Entry by entry from FROM's layout to TO's, which overlap: growing entries go
 * from the last, shrinking ones from the first. */
static void convert(const struct user *user, uint32_t lead,
                    const struct item *from, const struct item *to,
                    uint32_t count)
{
    int down = to->form == FORM_WIDE;
    for (uint32_t n = 0; n < count; n++) {
        uint32_t i = down ? count - 1 - n : n;
        int64_t time_ms = times_get(user, from, lead, i);
        memmove(times_entry(to, lead, i), times_entry(from, lead, i),
                lead * sizeof(uint32_t));
        times_put(user, to, lead, i, time_ms);
    }
}

/* Make item ID, narrow until now, wide. */
static int widen(struct store *store, struct user **user, uint32_t id,
                 struct item *item)
{
    uint32_t lead = times_lead(id), count;
    struct item narrow;
    *item = user_item(*user, id);
    count = times_count(item, lead);
    int ret = user_resize(store, user, id, FORM_WIDE, count * (lead + 2), item);
    if (ret < 0)
        return ret;
    narrow = *item;
    narrow.form = FORM_NARROW;
    convert(*user, lead, &narrow, item, count);
    return 0;
}

/* Make item ID, wide until now and all of whose times fit, narrow. */
static void narrow_down(struct store *store, struct user **user, uint32_t id)
{
    uint32_t lead = times_lead(id);
    struct item wide = user_item(*user, id), item = wide;
    uint32_t count = times_count(&wide, lead);
    item.form = FORM_NARROW;
    convert(*user, lead, &wide, &item, count);
    int ret = user_resize(store, user, id, FORM_NARROW, count * (lead + 1),
                          &item);
    assert(ret == 0);
    (void)ret;
}

/* Whether ITEM has times that stand in form FORM. */
static int has_form(const struct item *item, uint32_t form)
{
    return item->form == form;
}

/* The id of the first item at or after PLACE that is in FORM and whose times all
 * fit BASE_MS (FITTING 1) or do not (0); *FOUND says whether there is one. */
static uint32_t find_item(const struct user *user, uint32_t form, int fitting,
                          int64_t base_ms, int *found)
{
    struct user_walk walk;
    uint32_t id = 0;
    user_walk_start(user, &walk);
    for (;;) {
        struct item item = user_walk_next(user, &walk, &id);
        *found = item.words != NULL;
        if (!*found)
            return 0;
        if (has_form(&item, form) &&
            all_fit(user, &item, times_lead(id), base_ms) == fitting)
            return id;
    }
}

/* Move the base to BASE_MS: what does not fit becomes wide first, what stays
 * narrow is shifted, and what now fits becomes narrow. */
static int move_base(struct store *store, struct user **user, int64_t base_ms)
{
    struct item item;
    struct user_walk walk;
    uint32_t id;
    int found;
    for (;;) {
        id = find_item(*user, FORM_NARROW, 0, base_ms, &found);
        if (!found)
            break;
        int ret = widen(store, user, id, &item);
        if (ret < 0)
            return ret;
    }
    uint32_t shift = (uint32_t)base_ms - (uint32_t)(*user)->base_ms;
    user_walk_start(*user, &walk);
    for (;;) {
        item = user_walk_next(*user, &walk, &id);
        if (!item.words)
            break;
        uint32_t lead = times_lead(id);
        for (uint32_t i = 0;
             has_form(&item, FORM_NARROW) && i < times_count(&item, lead); i++)
            times_entry(&item, lead, i)[lead] -= shift;
    }
    (*user)->base_ms = base_ms;
    while (id = find_item(*user, FORM_WIDE, 1, base_ms, &found), found)
        narrow_down(store, user, id);
    return 0;
}

/* See that item ID can take TIME_MS: move the base if it is newer than the
 * narrow range, widen the item if that does not help. */
static int make_fit(struct store *store, struct user **user, uint32_t id,
                    int64_t time_ms, struct item *item)
{
    int ret;
    if (item->form != FORM_NARROW || fits((*user)->base_ms, time_ms))
        return 0;
    if (time_ms > (*user)->base_ms) {
        ret = move_base(store, user, times_base(time_ms));
        if (ret < 0)
            return ret;
        *item = user_item(*user, id);
        if (item->form == FORM_WIDE)
            return 0;
    } else if (item->words) {
        return widen(store, user, id, item);
    }
    return 0;
}

int times_insert(struct store *store, struct user **user, uint32_t id,
                 uint32_t index, int64_t time_ms, struct item *item)
{
    uint32_t lead = times_lead(id);
    int ret = make_fit(store, user, id, time_ms, item);
    if (ret < 0)
        return ret;
    uint32_t form = item->words ? item->form
                    : fits((*user)->base_ms, time_ms) ? FORM_NARROW : FORM_WIDE;
    uint32_t stride = lead + 1 + (form == FORM_WIDE);
    ret = user_splice(store, user, id, form, index * stride, (int32_t)stride,
                      item);
    if (ret < 0)
        return ret;
    times_put(*user, item, lead, index, time_ms);
    return 0;
}

void times_remove(struct store *store, struct user **user, uint32_t id,
                  uint32_t index, uint32_t count, struct item *item)
{
    uint32_t stride;
    if (!item->words || !count)
        return;
    stride = times_stride(item, times_lead(id));
    int ret = user_splice(store, user, id, item->form, index * stride,
                          -(int32_t)(count * stride), item);
    assert(ret == 0);
    (void)ret;
}
