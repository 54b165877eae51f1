/* times.h: times in the items of a user's block, 4 or 8 bytes each.
 *
 * An item with times is a row of entries of one size: LEAD words of its owner's,
 * then a time. Narrow times are milliseconds after the block's base (49 days),
 * wide ones int64_t. All times of an item have one width. When a time beyond the
 * narrow range arrives the base moves (every 12 days at most) and each item is
 * made narrow or wide as its times then need.
 *
 *     item          entry                          lead
 *     a window      time                           0
 *     memberships   segment, time entered          1
 *     message ids   hash (2 words), record time    2 */
#ifndef USER_TIMES_H
#define USER_TIMES_H

#include <stdint.h>
#include <string.h>

#include "lib/user/user.h"

/* The base for a user at TIME_MS: narrow times then reach 37 days back and 12
 * ahead. */
static inline int64_t times_base(int64_t time_ms)
{
    const int64_t behind_ms = INT64_C(3) << 30;
    return time_ms < INT64_MIN + behind_ms ? INT64_MIN : time_ms - behind_ms;
}

/* Words before the time in an entry of item ID. */
static inline uint32_t times_lead(uint32_t id)
{
    return id == USER_ITEM_MEMBERS ? 1 : id == USER_ITEM_IDS ? 2 : 0;
}

static inline uint32_t times_stride(const struct item *item, uint32_t lead)
{
    return lead + 1 + (item->form == FORM_WIDE);
}

/* Entries of ITEM; 0 if it is not there. */
static inline uint32_t times_count(const struct item *item, uint32_t lead)
{
    return item->words ? item->count / times_stride(item, lead) : 0;
}

static inline uint32_t *times_entry(const struct item *item, uint32_t lead,
                                    uint32_t index)
{
    return item->words + index * times_stride(item, lead);
}

static inline int64_t times_get(const struct user *user,
                                const struct item *item, uint32_t lead,
                                uint32_t index)
{
    const uint32_t *at = times_entry(item, lead, index) + lead;
    int64_t wide;
    if (item->form == FORM_NARROW)
        return user->base_ms + *at;
    memcpy(&wide, at, sizeof(wide));
    return wide;
}

/* Set the time of an entry; it must fit the item's form (times_insert sees to
 * that). */
static inline void times_put(const struct user *user, const struct item *item,
                             uint32_t lead, uint32_t index, int64_t time_ms)
{
    uint32_t *at = times_entry(item, lead, index) + lead;
    if (item->form == FORM_NARROW)
        *at = (uint32_t)(time_ms - user->base_ms);
    else
        memcpy(at, &time_ms, sizeof(time_ms));
}

/* Insert an entry with TIME_MS before entry INDEX of item ID; its lead words are
 * the caller's to set, at times_entry. *ITEM must be as user_item gave it, and
 * gets the item as it is then. Returns 0, or
 * SEG_ERR_USER_BYTES, SEG_ERR_NOMEM with nothing lost. */
int times_insert(struct store *store, struct user **user, uint32_t id,
                 uint32_t index, int64_t time_ms, struct item *item);

/* Remove COUNT entries from entry INDEX on, *ITEM likewise. Cannot fail. */
void times_remove(struct store *store, struct user **user, uint32_t id,
                  uint32_t index, uint32_t count, struct item *item);

#endif
