/* memory.c: how much memory the users of the process may take. */
#include "daemon/worker/memory.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <seg/error.h>

#include "daemon/base/log.h"
#include "daemon/base/process.h"

#define ROOM_PART 20 /* So much less than the limit is room again. */

struct memory {
    int64_t max_bytes;
    int workers;
    atomic_int full;
    _Atomic int64_t *bytes; /* By worker. */
    char reason[160];
};

int memory_new(struct memory **ret, int64_t max_bytes, int workers)
{
    struct memory *memory = calloc(1, sizeof(*memory));
    if (!memory)
        return SEG_ERR_NOMEM;
    memory->max_bytes = max_bytes;
    memory->workers = workers;
    memory->bytes = calloc((size_t)workers, sizeof(*memory->bytes));
    if (!memory->bytes) {
        memory_free(memory);
        return SEG_ERR_NOMEM;
    }
    snprintf(memory->reason, sizeof(memory->reason),
             "The users of this process fill memory_max (%" PRId64
             " bytes): no records are taken. Add a process, or raise it.",
             max_bytes);
    *ret = memory;
    return 0;
}

void memory_free(struct memory *memory)
{
    if (!memory)
        return;
    free(memory->bytes);
    free(memory);
}

/* It became full, or is not any more: who notices says so. */
static void change(struct memory *memory, int full, int64_t bytes)
{
    if (atomic_exchange(&memory->full, full) == full)
        return;
    if (full)
        log_error("memory_max is reached: no records are taken",
                  "bytes=%" PRId64 " memory_max=%" PRId64
                  " fix=\"add a process, or raise memory_max\"",
                  bytes, memory->max_bytes);
    else
        log_info("there is memory again: records are taken",
                 "bytes=%" PRId64 " memory_max=%" PRId64, bytes,
                 memory->max_bytes);
}

const char *memory_note(struct memory *memory, int worker, int64_t bytes)
{
    int64_t all = 0, max = memory->max_bytes;
    if (!max)
        return NULL;
    atomic_store_explicit(&memory->bytes[worker], bytes, memory_order_relaxed);
    for (int i = 0; i < memory->workers; i++)
        all += atomic_load_explicit(&memory->bytes[i], memory_order_relaxed);
    int full = atomic_load(&memory->full);
    if (all >= max || (full && all <= max - max / ROOM_PART))
        change(memory, full = all >= max, all);
    return full ? memory->reason : NULL;
}

int64_t memory_max_bytes(const struct memory *memory)
{
    return memory->max_bytes;
}

int memory_is_full(const struct memory *memory)
{
    return atomic_load(&memory->full);
}

int64_t memory_limit(int64_t memory_max)
{
    if (memory_max)
        return memory_max;
    return process_memory_max("/proc/self/cgroup", "/sys/fs/cgroup") / 4 * 3;
}
