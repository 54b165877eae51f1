/* slab.h: many blocks of few sizes.
 *
 * Memory comes in spans of a megabyte, cut into pages; a page holds blocks of one
 * size class. A page whose blocks are all free goes back to a pool and may serve
 * another class, so that users who grow together do not leave their former sizes
 * behind. A block has no header: its owner knows its size, its page is found by
 * the address. A span whose pages are all free is given back, but for one.
 *
 *   span   | page: head, block, block, ... | page | page | ...
 *
 * Classes grow by a quarter of their power of two (64 80 96 112 128 160 …), so
 * that on average a tenth is slack, and a growing block moves seldom. Blocks over
 * SLAB_CLASS_MAX come from malloc. */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>

#define SLAB_MIN 64
#define SLAB_CLASS_MAX 8192
#define SLAB_CLASSES 29 /* 64 to 8192, four for each doubling. */

struct slab_span;
struct slab_page;

struct slab {
    struct slab_span *spans;
    struct slab_page *pool;                  /* Pages of no class. */
    struct slab_page *partial[SLAB_CLASSES]; /* Pages with a free block. */
    size_t pool_count;
    size_t bytes; /* In use: pages that have a class, and larger blocks. */
};

void slab_init(struct slab *slab);

/* Give all memory back, except blocks over SLAB_CLASS_MAX: free those first. */
void slab_done(struct slab *slab);

/* The size that a block for NEED bytes really has. */
size_t slab_size(size_t need);

/* A block of SIZE bytes, which slab_size returned; 16-byte aligned, not cleared;
 * NULL: no memory. */
void *slab_alloc(struct slab *slab, size_t size);

/* Give BLOCK of SIZE bytes back. */
void slab_release(struct slab *slab, void *block, size_t size);

#endif
