/* outside.h: rules of the protocol that libseg keeps, broken from outside:
 * libseg knows nothing of the protocol. Each stands in for the function it
 * calls. */
#ifndef TESTS_MUTANT_OUTSIDE_H
#define TESTS_MUTANT_OUTSIDE_H

#include <seg/engine.h>

struct user;

int outside_finish(struct seg_engine *engine, int64_t clock_ms, int work_max);
int outside_catalogue_record(struct seg_engine *engine,
                             struct seg_text *record);
int outside_adopt(struct seg_engine *engine, struct seg_engine *from,
                  const int64_t *positions, int work_max);

/* Inside of libseg. */
int outside_settle(struct seg_engine *engine);
uint64_t outside_hash(uint64_t topic_hash, struct seg_text message_id);
int outside_seen(const struct user *user, uint64_t hash, int64_t timestamp_ms,
                 int64_t now_ms);

#endif
