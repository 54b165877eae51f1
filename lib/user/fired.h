/* fired.h: when each trigger was last fired for a user: cooldowns.
 *
 * Entries of trigger number (1 word) and instant (2). */
#ifndef USER_FIRED_H
#define USER_FIRED_H

#include <stdint.h>

#include "lib/user/user.h"

/* Whether TRIGGER was fired before; *AT_MS gets when. */
int fired_find(const struct user *user, uint32_t trigger, int64_t *at_ms);

/* TRIGGER fired at AT_MS. Returns 0, SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
int fired_set(struct store *store, struct user **user, uint32_t trigger,
              int64_t at_ms);

uint32_t fired_count(const struct user *user);
uint32_t fired_at(const struct user *user, uint32_t index, int64_t *at_ms);

#endif
