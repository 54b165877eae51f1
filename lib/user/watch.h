/* watch.h: when a user entered and left a segment last.
 *
 * Kept for segments of which some other asks `entered` or `left`. The item is
 * two instants; WATCH_NEVER: he did not, as far as is known. */
#ifndef USER_WATCH_H
#define USER_WATCH_H

#include "lib/user/user.h"

#define WATCH_NEVER INT64_MIN

struct watch {
    int64_t entered_ms, left_ms;
};

/* What item ID of USER says; both are WATCH_NEVER if he has none. */
struct watch watch_read(const struct user *user, uint32_t id);

/* Let item ID of USER say WATCH. Returns 0, SEG_ERR_USER_BYTES or
 * SEG_ERR_NOMEM. */
int watch_write(struct store *store, struct user **user, uint32_t id,
                const struct watch *watch);

/* He entered (MEMBER) or left at AT_MS, which is not before what is known.
 * Returns as watch_write. */
int watch_note(struct store *store, struct user **user, uint32_t id, int member,
               int64_t at_ms);

#endif
