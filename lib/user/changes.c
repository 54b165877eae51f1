/* changes.c: how many changes of a user there were, and when the last one was.
 */
#include "lib/user/changes.h"

#define SEQ_SHIFT     3
#define TRIGGER_SHIFT 5

_Static_assert(USER_ITEM_CHANGES == USER_ITEM_SPECIAL, "user_lowest");

struct changes changes_of(const struct user *user)
{
    const uint8_t *item = user_lowest(user);
    struct changes changes = {.last_at_ms = CHANGES_NONE};
    if (!item)
        return changes;
    uint32_t last = changes_last_bytes(item);
    uint32_t seq = (item[0] >> SEQ_SHIFT & 3u) + 1;
    uint32_t trigger = item[0] >> TRIGGER_SHIFT;
    const uint8_t *at = item + CHANGES_HEAD_BYTES;
    changes.last_at_ms = times_from(user, times_load(at, last));
    changes.seq = (uint32_t)times_load(at + last, seq);
    if (trigger)
        changes.trigger_seq = (uint32_t)times_load(at + last + seq, trigger);
    return changes;
}

int changes_set(struct store *store, struct user **user,
                const struct changes *changes)
{
    struct item item = user_item(*user, USER_ITEM_CHANGES);
    uint64_t beside = times_beside(*user, changes->last_at_ms);
    uint32_t last = times_width(beside), seq = times_width(changes->seq);
    uint32_t trigger =
        changes->trigger_seq ? times_width(changes->trigger_seq) : 0;
    int none = changes->last_at_ms == CHANGES_NONE && !changes->seq && !trigger;
    int ret = user_resize(store, user, USER_ITEM_CHANGES,
                          none ? 0 : CHANGES_HEAD_BYTES + last + seq + trigger,
                          &item);
    if (ret < 0 || none)
        return ret;
    uint8_t *at = item.bytes;
    *at++ = (uint8_t)((last - 1) | (seq - 1) << SEQ_SHIFT |
                      trigger << TRIGGER_SHIFT);
    times_store(at, last, beside);
    times_store(at + last, seq, changes->seq);
    times_store(at + last + seq, trigger, changes->trigger_seq);
    return 0;
}
