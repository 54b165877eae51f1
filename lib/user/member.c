/* member.c: the segments a user is in, and since when. */
#include "lib/user/member.h"

#include "lib/user/times.h"

#define LEAD 1

/* Index of the first membership of SEGMENT or a later one. */
static uint32_t lower_bound(const struct item *item, uint32_t segment)
{
    uint32_t low = 0, high = times_count(item, LEAD);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (*times_entry(item, LEAD, middle) < segment)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct item member_item(const struct user *user)
{
    return user_item(user, USER_ITEM_MEMBERS);
}

int member_in(const struct item *members, uint32_t segment)
{
    uint32_t i = lower_bound(members, segment);
    return i < times_count(members, LEAD) &&
           *times_entry(members, LEAD, i) == segment;
}

int member_find(const struct user *user, uint32_t segment, int64_t *entered_ms)
{
    struct item item = user_item(user, USER_ITEM_MEMBERS);
    uint32_t i = lower_bound(&item, segment);
    if (i == times_count(&item, LEAD) ||
        *times_entry(&item, LEAD, i) != segment)
        return 0;
    if (entered_ms)
        *entered_ms = times_get(user, &item, LEAD, i);
    return 1;
}

int member_add(struct store *store, struct user **user, uint32_t segment,
               int64_t entered_ms)
{
    struct item item = user_item(*user, USER_ITEM_MEMBERS);
    uint32_t i = lower_bound(&item, segment);
    int ret = times_insert(store, user, USER_ITEM_MEMBERS, i, entered_ms, &item);
    if (ret == 0)
        *times_entry(&item, LEAD, i) = segment;
    return ret;
}

void member_remove(struct store *store, struct user **user, uint32_t segment)
{
    struct item item = user_item(*user, USER_ITEM_MEMBERS);
    times_remove(store, user, USER_ITEM_MEMBERS, lower_bound(&item, segment), 1,
                 &item);
}

uint32_t member_count(const struct user *user)
{
    struct item item = user_item(user, USER_ITEM_MEMBERS);
    return times_count(&item, LEAD);
}

uint32_t member_at(const struct user *user, uint32_t index, int64_t *entered_ms)
{
    struct item item = user_item(user, USER_ITEM_MEMBERS);
    if (entered_ms)
        *entered_ms = times_get(user, &item, LEAD, index);
    return *times_entry(&item, LEAD, index);
}
