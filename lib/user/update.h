/* update.h: what one message does to a user, step by step; and what is parked.
 *
 * A message becomes a few updates: a fold into a feature, a write of an
 * attribute. One dated after the clock (its record is ahead of the wall) must
 * not count early, so its updates are *parked* in the user's block and happen
 * when the clock gets there: no feature ever sees the future. */
#ifndef USER_UPDATE_H
#define USER_UPDATE_H

#include <stdint.h>

#include <seg/event.h>

#include "lib/base/arena.h"
#include "lib/user/user.h"

enum update_kind {
    UPDATE_FEATURE,   /* target: feature number; value: what it picks. */
    UPDATE_ATTRIBUTE, /* target: attribute number; owner, value. */
    UPDATE_ACCOUNT,   /* value: the group id. */
    UPDATE_SPARE,     /* target 1: of the account; name, owner, value. */
};

struct update {
    enum update_kind kind;
    uint32_t target;
    int64_t time_ms;
    uint64_t stamp;
    uint64_t owner;
    struct seg_text name;
    struct seg_value value;
    uint32_t keep; /* FEATURE: keep no more events; 0: as many as it says. */
};

/* Park UPDATE. Returns 0, SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
int parked_add(struct store *store, struct user **user,
               const struct update *update);

/* Whether there is a parked update of the same attribute, spare or not, as
 * UPDATE is one, of the same message. */
int parked_has(const struct user *user, const struct update *update);

/* The instant of the earliest parked update; SEG_NEVER if there is none. */
int64_t parked_next(const struct user *user);

/* Take out one parked update due at or before NOW_MS, in order of arrival; its
 * texts and values are copied to ARENA. Returns 1, 0 if there is none, or
 * SEG_ERR_NOMEM. */
int parked_take(struct store *store, struct user **user, int64_t now_ms,
                struct arena *arena, struct update *update);

/* Take out all parked updates that DROP, called with ARG, says yes to; of those
 * it is shown, only kind and target are set. */
void parked_drop(struct store *store, struct user **user,
                 int (*drop)(const void *arg, const struct update *update),
                 const void *arg);

/* The parked update at word *AT (start with 0), *AT moves on. Returns 0 at the
 * end. Texts borrow from the block, lists are put in ARENA. */
int parked_at(const struct user *user, uint32_t *at, struct arena *arena,
              struct update *update);

#endif
