/* member.h: the segments a user is in, and since when.
 *
 * Entries of one word, the segment's number, and the time entered (times.h),
 * sorted by segment. */
#ifndef USER_MEMBER_H
#define USER_MEMBER_H

#include <stdint.h>

#include "lib/user/user.h"

/* Whether USER is in SEGMENT; *ENTERED_MS (may be NULL) gets since when. */
int member_find(const struct user *user, uint32_t segment,
                int64_t *entered_ms);

/* The memberships of USER, for several questions of the second kind; valid until
 * something of USER changes. */
struct item member_item(const struct user *user);
int member_in(const struct item *members, uint32_t segment);

/* Put USER into SEGMENT, in which he is not, since ENTERED_MS. Returns 0,
 * SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
int member_add(struct store *store, struct user **user, uint32_t segment,
               int64_t entered_ms);

/* Take USER out of SEGMENT, in which he is. */
void member_remove(struct store *store, struct user **user, uint32_t segment);

uint32_t member_count(const struct user *user);

/* The INDEX-th of them, in order of segments. */
uint32_t member_at(const struct user *user, uint32_t index,
                   int64_t *entered_ms);

#endif
