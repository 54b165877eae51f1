/* first_last.h: the values that a FIRST or a LAST has of a user, for records. */
#ifndef USER_FIRST_LAST_H
#define USER_FIRST_LAST_H

#include "lib/user/feature.h"

struct first_last_entry {
    int64_t time_ms;
    uint64_t stamp;
    const word *value; /* codec.h */
};

/* How many there are in ITEM of FEATURE, and number I of them, in their order.
 */
uint32_t first_last_count(const struct feature *feature,
                          const struct item *item);
struct first_last_entry first_last_at(const struct feature *feature,
                                      const struct item *item, uint32_t i);

/* Put FOLD behind all of them; of a feature that keeps one there must be none.
 * Returns 0, SEG_ERR_RECORD, SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
int first_last_append(struct store *store, struct user **user,
                      const struct feature *feature, const struct fold *fold);

#endif
