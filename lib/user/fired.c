/* fired.c: when each trigger was last fired for a user. */
#include "lib/user/fired.h"

#include "lib/user/codec.h"

#define ENTRY_WORDS 3
#define ENTRY_BYTES (ENTRY_WORDS * WORD_BYTES)

uint32_t fired_count(const struct user *user)
{
    struct item item = user_item(user, USER_ITEM_FIRED);
    return item.len / ENTRY_BYTES;
}

uint32_t fired_at(const struct user *user, uint32_t index, int64_t *at_ms)
{
    struct item item = user_item(user, USER_ITEM_FIRED);
    const word *entry = item.words + index * ENTRY_WORDS;
    *at_ms = codec_get_i64(entry + 1);
    return entry[0];
}

/* The index of TRIGGER, or the count. */
static uint32_t find(const struct user *user, uint32_t trigger, int64_t *at_ms)
{
    uint32_t i = 0, count = fired_count(user);
    while (i < count && fired_at(user, i, at_ms) != trigger)
        i++;
    return i;
}

int fired_find(const struct user *user, uint32_t trigger, int64_t *at_ms)
{
    return find(user, trigger, at_ms) < fired_count(user);
}

int fired_set(struct store *store, struct user **user, uint32_t trigger,
              int64_t at_ms)
{
    int64_t old;
    uint32_t i = find(*user, trigger, &old), count = fired_count(*user);
    struct item item = user_item(*user, USER_ITEM_FIRED);
    if (i == count) {
        int ret = user_resize(store, user, USER_ITEM_FIRED,
                              (count + 1) * ENTRY_BYTES, &item);
        if (ret < 0)
            return ret;
    }
    item.words[i * ENTRY_WORDS] = trigger;
    codec_put_i64(item.words + i * ENTRY_WORDS + 1, at_ms);
    return 0;
}
