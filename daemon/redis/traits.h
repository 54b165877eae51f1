/* traits.h: a record of the traits topic as steps of a link. */
#ifndef REDIS_TRAITS_H
#define REDIS_TRAITS_H

#include <stddef.h>

#include <seg/error.h>

#include "daemon/redis/link.h"

/* Replace the hash of the user of the LEN bytes at VALUE in LINK. Returns 0, or
 * SEG_ERR_RECORD with what is wrong in DETAIL: nothing is added then. */
int traits_take(struct link *link, const char *value, size_t len,
                struct seg_error *detail);

#endif
