/* slice.h: some users of a partition, as a link that writes them anew.
 *
 * For a rebuild (mirror.h) the memberships of a whole partition come from the
 * worker's own engine, some users at a time. A slice is filled on the worker's
 * thread, at a moment when all that the engine knows is committed, and applied
 * by the view. */
#ifndef REDIS_SLICE_H
#define REDIS_SLICE_H

#include <stddef.h>
#include <stdint.h>

#include <seg/engine.h>

#include "daemon/redis/link.h"

#define SLICE_USERS_MAX 1000  /* About a millisecond of the worker's time. */
#define SLICE_STEPS_MAX 50000 /* A slice ends with the user who reaches it. */

struct slice {
    int partition;
    uint64_t incarnation; /* Of the engine; 0: any. Set when it was filled. */
    uint64_t cursor;      /* Of seg_engine_users; 0 at first. */
    struct link link;     /* Guarded by the view; the worker adds the steps. */
    uint64_t *users;      /* slice_hash of every user in it. */
    size_t count, cap;

    int gone; /* The partition is not here, or not with that engine. */
    int more; /* There are more users. */
    int64_t
        position; /* In the change topic: what the engine knows ends here. */

    const struct seg_engine *engine; /* While it is filled. */
    struct slice *after;             /* In the list of whoever holds it. */
};

/* Returns 0 or SEG_ERR_NOMEM. APP is borrowed. */
int slice_new(struct slice **ret, const char *app, int partition);
void slice_free(struct slice *slice);

/* Add the next users of ENGINE from the cursor on. */
void slice_fill(struct slice *slice, const struct seg_engine *engine);

/* Users are told apart by this: two of one partition are taken for each other
 * once in 2^64 / users, and then a hash of nobody stays in Redis. */
uint64_t slice_hash(struct seg_text user);

#endif
