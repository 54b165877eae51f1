/* arena.c: memory that is given back all at once. */
#include "lib/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 8192 /* The first; later ones double the last. */

struct arena_chunk {
    struct arena_chunk *older;
    size_t bytes;
    _Alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

void arena_done(struct arena *arena)
{
    while (arena->chunk) {
        struct arena_chunk *older = arena->chunk->older;
        free(arena->chunk);
        arena->chunk = older;
    }
    arena_init(arena);
}

/* The newest chunk is the largest: only it is kept. */
void arena_reset(struct arena *arena)
{
    struct arena_chunk *newest = arena->chunk;
    arena->failed = 0;
    if (!newest)
        return;
    arena->chunk = newest->older;
    arena_done(arena);
    newest->older = NULL;
    arena->chunk = newest;
    arena->next = newest->data;
    arena->end = newest->data + newest->bytes;
}

static void *fail(struct arena *arena)
{
    arena->failed = 1;
    return NULL;
}

void *arena_grow(struct arena *arena, size_t size)
{
    size_t bytes = arena->chunk ? arena->chunk->bytes * 2 : CHUNK_BYTES;
    if (size > SIZE_MAX / 4)
        return fail(arena);
    if (bytes <= size)
        bytes = size + _Alignof(max_align_t);
    struct arena_chunk *chunk = malloc(sizeof(*chunk) + bytes);
    if (!chunk)
        return fail(arena);
    chunk->older = arena->chunk;
    chunk->bytes = bytes;
    arena->chunk = chunk;
    arena->next = chunk->data;
    arena->end = chunk->data + bytes;
    return arena_alloc(arena, size);
}

void *arena_calloc(struct arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / 4 / size)
        return fail(arena);
    void *result = arena_alloc(arena, count * size);
    if (result)
        memset(result, 0, count * size);
    return result;
}

struct seg_text arena_text(struct arena *arena, struct seg_text text)
{
    char *copy = arena_alloc(arena, text.len + 1);
    if (!copy)
        return (struct seg_text){NULL, 0};
    if (text.len)
        memcpy(copy, text.bytes, text.len);
    copy[text.len] = 0;
    return (struct seg_text){copy, text.len};
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *result = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1);
    if (result)
        vsnprintf(result, (size_t)len + 1, format, again);
    va_end(again);
    return result;
}

int arena_value(struct arena *arena, const struct seg_value *value,
                struct seg_value *out)
{
    struct seg_value copy = *value;
    if (value->type == SEG_TEXT) {
        struct seg_text text =
            arena_text(arena, (struct seg_text){value->as.text, value->len});
        if (!text.bytes)
            return SEG_ERR_NOMEM;
        copy.as.text = text.bytes;
    } else if (value->type == SEG_LIST ||
               (value->type == SEG_OBJECT && value->len)) {
        struct seg_value *items =
            arena_calloc(arena, value->len, sizeof(*items));
        if (!items)
            return SEG_ERR_NOMEM;
        for (uint32_t i = 0; i < value->len; i++)
            if (arena_value(arena, &value->as.items[i], &items[i]) < 0)
                return SEG_ERR_NOMEM;
        copy.as.items = items;
    }
    *out = copy;
    return 0;
}
