/* changes.h: how many changes of a user there were, and when the last one was.
 *
 * Most users have few, many none. The item, which is there once anything of it
 * differs from a new user's, has numbers of as few bytes as they take:
 *
 *   | widths | last | seq | trigger seq |
 *
 *   widths   bits 0-2: bytes of the last, less 1; bits 3-4: of seq, less 1;
 *            bits 5-7: of the trigger seq, 0 if that is 0
 *   last     beside the user's base (times.h)
 *
 * Example: two changes, the last one a millisecond after the base, are 00 02
 * 02. */
#ifndef USER_CHANGES_H
#define USER_CHANGES_H

#include <stdint.h>

#include "lib/user/times.h"
#include "lib/user/user.h"

#define CHANGES_NONE INT64_MIN /* last_at_ms of a user without changes. */

struct changes {
    int64_t last_at_ms; /* `at` of the last change. */
    uint32_t seq;       /* Of changes. */
    uint32_t trigger_seq;
};

struct changes changes_of(const struct user *user);

#define CHANGES_HEAD_BYTES 1

/* Bytes of the last in an item. */
static inline uint32_t changes_last_bytes(const uint8_t *item)
{
    return (item[0] & 7u) + 1;
}

/* Only when the last one was: what every event asks. */
static inline int64_t changes_last(const struct user *user)
{
    const uint8_t *item = user_lowest(user);
    return item ? times_from(user, times_load(item + CHANGES_HEAD_BYTES,
                                              changes_last_bytes(item)))
                : CHANGES_NONE;
}

/* Returns 0, SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
int changes_set(struct store *store, struct user **user,
                const struct changes *changes);

#endif
