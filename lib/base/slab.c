/* slab.c: many blocks of few sizes. */
#include "lib/base/slab.h"

#include <stdlib.h>

#define CHUNK_BYTES ((size_t)256 * 1024)

struct slab_chunk {
    struct slab_chunk *older;
    char pad[8]; /* Blocks start 16-byte aligned. */
};

struct slab_free {
    struct slab_free *next;
};

/* Class of a size: two bits below the highest one, counted from SLAB_MIN. */
static int class_of(size_t size)
{
    int high = 63 - __builtin_clzll(size);
    return (high - 6) * 4 + (int)(size >> (high - 2) & 3);
}

size_t slab_size(size_t need)
{
    if (need <= SLAB_MIN)
        return SLAB_MIN;
    int high = 63 - __builtin_clzll(need - 1);
    size_t step = (size_t)1 << (high - 2);
    return (need + step - 1) / step * step;
}

void slab_init(struct slab *slab)
{
    *slab = (struct slab){0};
}

void slab_done(struct slab *slab)
{
    while (slab->chunks) {
        struct slab_chunk *older = slab->chunks->older;
        free(slab->chunks);
        slab->chunks = older;
    }
    slab_init(slab);
}

static int add_chunk(struct slab *slab)
{
    struct slab_chunk *chunk = malloc(CHUNK_BYTES);
    if (!chunk)
        return 0;
    chunk->older = slab->chunks;
    slab->chunks = chunk;
    slab->next = (char *)(chunk + 1);
    slab->end = (char *)chunk + CHUNK_BYTES;
    slab->bytes += CHUNK_BYTES;
    return 1;
}

void *slab_alloc(struct slab *slab, size_t size)
{
    if (size > SLAB_CLASS_MAX) {
        void *block = malloc(size);
        slab->bytes += block ? size : 0;
        return block;
    }
    struct slab_free **list = &slab->free[class_of(size)];
    if (*list) {
        void *block = *list;
        *list = (*list)->next;
        return block;
    }
    if ((size_t)(slab->end - slab->next) < size && !add_chunk(slab))
        return NULL;
    void *block = slab->next;
    slab->next += size;
    return block;
}

void slab_release(struct slab *slab, void *block, size_t size)
{
    if (size > SLAB_CLASS_MAX) {
        slab->bytes -= size;
        free(block);
        return;
    }
    struct slab_free *entry = block;
    struct slab_free **list = &slab->free[class_of(size)];
    entry->next = *list;
    *list = entry;
}
