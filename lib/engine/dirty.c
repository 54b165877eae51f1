/* dirty.c: which users must be written, oldest first.
 *
 * A ring of (user, generation). A user stands in it once, however often he
 * changes; he keeps the generation in which he became dirty, so that lower
 * bounds noted for a generation hold for all users of it and of later ones. */
#include <stdlib.h>

#include "lib/engine/engine.h"

/* Dirty users lie anywhere in memory: so many records before one is written, so
 * much of its user is asked for. */
#define PREFETCH_AHEAD 4
#define PREFETCH_BYTES 256

int dirty_reserve(struct seg_engine *engine)
{
    if (engine->dirty_count < engine->dirty_cap)
        return 0;
    uint32_t cap = engine->dirty_cap ? engine->dirty_cap * 2 : 256;
    struct dirty_user *ring = malloc(cap * sizeof(*ring));
    if (!ring)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < engine->dirty_count; i++)
        ring[i] =
            engine->dirty[(engine->dirty_head + i) & (engine->dirty_cap - 1)];
    free(engine->dirty);
    engine->dirty = ring;
    engine->dirty_head = 0;
    engine->dirty_cap = cap;
    return 0;
}

static struct dirty_user *at(const struct seg_engine *engine, uint32_t index)
{
    return &engine
                ->dirty[(engine->dirty_head + index) & (engine->dirty_cap - 1)];
}

void dirty_mark(struct seg_engine *engine, struct user *user)
{
    if (user->flags & USER_DIRTY)
        return;
    user->flags |= USER_DIRTY;
    *at(engine, engine->dirty_count++) = (struct dirty_user){
        store_index(&engine->store, user), (uint32_t)engine->generation};
}

uint64_t seg_engine_generation(struct seg_engine *engine)
{
    return ++engine->generation;
}

uint64_t seg_engine_dirty_since(const struct seg_engine *engine, uint32_t skip)
{
    if (skip >= engine->dirty_count)
        return 0;
    /* The low half is kept; the high half is that of now, or one less. */
    uint32_t low = at(engine, skip)->generation;
    uint64_t high = engine->generation >> 32;
    return (high - (low > (uint32_t)engine->generation)) << 32 | low;
}

uint32_t seg_engine_dirty_count(const struct seg_engine *engine)
{
    return engine->dirty_count;
}

int seg_engine_dirty_record(struct seg_engine *engine, uint32_t index,
                            const int64_t *positions, struct seg_text *id,
                            struct seg_text *record)
{
    if (index >= engine->dirty_count)
        return SEG_ERR_NOT_FOUND;
    const struct user *user = store_at(&engine->store, at(engine, index)->user);
    if (index + PREFETCH_AHEAD < engine->dirty_count) {
        const char *block = (const char *)store_at(
            &engine->store, at(engine, index + PREFETCH_AHEAD)->user);
        for (int i = 0; i < PREFETCH_BYTES; i += 64)
            __builtin_prefetch(block + i);
    }
    buf_reset(&engine->record);
    snapshot_encode(engine, user, positions, &engine->record);
    if (buf_failed(&engine->record))
        return SEG_ERR_NOMEM;
    *id = user_id(user);
    *record = (struct seg_text){engine->record.bytes, engine->record.len};
    return 0;
}

void seg_engine_flushed(struct seg_engine *engine, uint32_t count)
{
    for (uint32_t i = 0; i < count && engine->dirty_count; i++) {
        struct user *user = store_at(&engine->store, at(engine, 0)->user);
        user->flags &= (uint8_t)~USER_DIRTY;
        engine->dirty_head = (engine->dirty_head + 1) & (engine->dirty_cap - 1);
        engine->dirty_count--;
    }
}
