/* slab.h: many blocks of few sizes.
 *
 * Blocks of one size class are cut from large chunks and recycled through a
 * free list; there is no header per block: the owner knows its size. Classes
 * grow by a quarter of their power of two (64 80 96 112 128 160 …), so that on
 * average a tenth is slack, and a growing block moves seldom. Blocks over
 * SLAB_CLASS_MAX come from malloc. */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>

#define SLAB_MIN 64
#define SLAB_CLASS_MAX 8192
#define SLAB_CLASSES 29 /* 64 to 8192, four for each doubling. */

struct slab_chunk;
struct slab_free;

struct slab {
    struct slab_chunk *chunks;
    char *next, *end; /* Uncut part of the newest chunk. */
    struct slab_free *free[SLAB_CLASSES];
    size_t bytes; /* Taken from malloc. */
};

void slab_init(struct slab *slab);

/* Give all memory back, except blocks over SLAB_CLASS_MAX: free those first. */
void slab_done(struct slab *slab);

/* The size that a block for NEED bytes really has. */
size_t slab_size(size_t need);

/* A block of SIZE bytes, which slab_size returned; 8-byte aligned, not cleared;
 * NULL: no memory. */
void *slab_alloc(struct slab *slab, size_t size);

/* Give BLOCK of SIZE bytes back. */
void slab_release(struct slab *slab, void *block, size_t size);

#endif
