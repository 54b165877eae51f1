/* memory.h: how much memory the users of the process may take.
 *
 * Every worker says what its engines hold; together they may hold as much as
 * the setting memory_max says. From there on no partition takes records, until
 * they hold a twentieth less: because partitions went to another process, or
 * users shrank. Nobody is thrown out to make room, and nothing is lost: what is
 * not taken waits in its topic. */
#ifndef WORKER_MEMORY_H
#define WORKER_MEMORY_H

#include <stdint.h>

struct memory;

/* For workers 0 to WORKERS - 1. MAX_BYTES 0: there is no limit. Returns 0 or
 * SEG_ERR_NOMEM. */
int memory_new(struct memory **ret, int64_t max_bytes, int workers);
void memory_free(struct memory *memory);

/* The engines of WORKER hold BYTES. Returns why no records may be taken, one
 * sentence that lives as long as MEMORY; NULL: there is room. Any thread, one
 * at a time for each worker. */
const char *memory_note(struct memory *memory, int worker, int64_t bytes);

/* Any thread. */
int64_t memory_max_bytes(const struct memory *memory);
int memory_is_full(const struct memory *memory);

/* The limit that the setting MEMORY_MAX means: itself; 0: three quarters of
 * what the control group may take, or none. */
int64_t memory_limit(int64_t memory_max);

#endif
