/* slab.h: many blocks of few sizes.
 *
 * Memory comes in spans of a megabyte, cut into pages; a page holds blocks of
 * one size class. A page whose blocks are all free goes back to a pool and may
 * serve another class, so that users who grow together do not leave their
 * former sizes behind. A block has no header: its owner knows its size, its
 * page is found by the address. A span whose pages are all free is given back,
 * but for one.
 *
 *   span   | page: head, block, block, ... | page | page | ...
 *
 * Classes are 8 bytes apart up to 512, then an eighth of their power of two, so
 * that a few bytes in a hundred are slack. They go on beyond SLAB_CLASS_MAX,
 * but such blocks come from malloc. */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>

#define SLAB_MIN       48
#define SLAB_CLASS_MAX 8192
#define SLAB_CLASSES   91 /* Of 48 to 8192 bytes. */

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

/* The class of blocks for NEED bytes, which may be up to 2^32: below 256. */
int slab_class(size_t need);

/* The size of the blocks of CLASS. */
size_t slab_size(int class);

/* A block of CLASS; 8-byte aligned, not cleared; NULL: no memory. */
void *slab_alloc(struct slab *slab, int class);

/* Give BLOCK of CLASS back. */
void slab_release(struct slab *slab, void *block, int class);

/* Whether BLOCK of CLASS had better be exchanged for a new one of its class:
 * its page is not nearly full, and another one of the class has room. */
int slab_sparse(const struct slab *slab, const void *block, int class);

#endif
