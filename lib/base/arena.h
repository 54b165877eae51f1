/* arena.h: memory that is given back all at once.
 *
 * Chunks in a list; allocation moves a pointer. Reset keeps the largest chunk,
 * so that a batch of the usual size allocates nothing. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include <seg/event.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* Newest first. */
    char *next, *end;          /* Free part of the newest. */
    int failed;                /* See arena_failed. */
};

void arena_init(struct arena *arena);

/* Give everything back. ARENA may be used again as after init. */
void arena_done(struct arena *arena);

/* Forget all allocations. */
void arena_reset(struct arena *arena);

/* Whether some allocation since the last reset found no memory. For what cannot
 * say so where it happens: ask once, at the end, and do not use the result. */
static inline int arena_failed(const struct arena *arena)
{
    return arena->failed;
}

/* What arena_alloc does when the newest chunk is full. */
void *arena_grow(struct arena *arena, size_t size);

/* SIZE bytes (0 is fine) aligned for anything, not cleared; NULL: no memory. */
static inline void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    size_t left = (size_t)(arena->end - arena->next);
    if (size >= left || (size = (size + align - 1) / align * align) >= left)
        return arena_grow(arena, size);
    void *result = arena->next;
    arena->next += size;
    return result;
}

/* The same, cleared; COUNT items of SIZE. */
void *arena_calloc(struct arena *arena, size_t count, size_t size);

/* A terminated copy of TEXT; bytes = NULL if there is no memory. */
struct seg_text arena_text(struct arena *arena, struct seg_text text);

/* A terminated string made by FORMAT; NULL: no memory. */
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A deep copy of VALUE into OUT. Returns 0 or SEG_ERR_NOMEM. */
int arena_value(struct arena *arena, const struct seg_value *value,
                struct seg_value *out);

#endif
