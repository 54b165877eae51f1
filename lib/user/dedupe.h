/* dedupe.h: message ids seen of a user.
 *
 * The last SEG_IDS_MAX accepted ids, as 64-bit hashes of input topic and id,
 * with the timestamp of their record, in order of arrival. The same id within
 * SEG_ID_WINDOW_MS of record time is a duplicate. An id is forgotten
 * DEDUPE_KEEP_MS of clock after its record: that is the window, and as much
 * again for records that come `lateness` behind. */
#ifndef USER_DEDUPE_H
#define USER_DEDUPE_H

#include <stdint.h>

#include <seg/engine.h>

#include "lib/user/user.h"

#define DEDUPE_KEEP_MS (2 * SEG_ID_WINDOW_MS)

/* As NOW_MS: forget nothing. What a restore needs, whose clock is far ahead of
 * the records it reads again. */
#define DEDUPE_NEVER (INT64_MIN / 2)

/* The number that stands for MESSAGE_ID of the topic whose name hashes to
 * TOPIC_HASH. */
uint64_t dedupe_hash(uint64_t topic_hash, struct seg_text message_id);

/* Whether HASH, of a record of TIMESTAMP_MS, is a duplicate at NOW_MS. */
int dedupe_seen(const struct user *user, uint64_t hash, int64_t timestamp_ms,
                int64_t now_ms);

/* Remember HASH; the oldest goes when there are too many, and those forgotten
 * at NOW_MS, HASH itself perhaps. Returns 0, SEG_ERR_USER_BYTES or
 * SEG_ERR_NOMEM. */
int dedupe_add(struct store *store, struct user **user, uint64_t hash,
               int64_t timestamp_ms, int64_t now_ms);

/* Forget what is old at NOW_MS. */
void dedupe_age(struct store *store, struct user **user, int64_t now_ms);

/* When all ids will be forgotten; SEG_NEVER if there are none. */
int64_t dedupe_next(const struct user *user);

uint32_t dedupe_count(const struct user *user);

/* The INDEX-th id, oldest first. */
uint64_t dedupe_at(const struct user *user, uint32_t index,
                   int64_t *timestamp_ms);

#endif
