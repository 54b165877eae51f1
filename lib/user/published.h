/* published.h: what was published of a user's traits last, and when.
 *
 * The item is an instant and the hash of what was said then (publish.c), 16
 * bytes; who has never had anything published has none. */
#ifndef USER_PUBLISHED_H
#define USER_PUBLISHED_H

#include <stdint.h>

#include "lib/user/user.h"

#define PUBLISHED_NEVER  INT64_MIN
#define PUBLISHED_BEFORE (INT64_MIN / 8) /* At some instant, long ago. */
#define PUBLISHED_DOUBT  0               /* The hash of nobody knows what. */

struct published {
    int64_t at_ms; /* PUBLISHED_NEVER: nothing was. */
    uint64_t hash;
};

struct published published_read(const struct user *user);

/* PUBLISHED, when something else may have been said since. */
struct published published_in_doubt(struct published published);

/* Let USER's item say PUBLISHED; there is none if that is never. Returns 0,
 * SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
int published_write(struct store *store, struct user **user,
                    const struct published *published);

#endif
