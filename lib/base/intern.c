/* intern.c: texts to small numbers and back. */
#include "lib/base/intern.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"

void intern_init(struct intern *intern)
{
    *intern = (struct intern){0};
}

void intern_done(struct intern *intern)
{
    arena_done(&intern->arena);
    free(intern->texts);
    free(intern->slots);
    intern_init(intern);
}

/* The slot that holds TEXT of HASH, or the empty one where it belongs. */
static struct intern_slot *probe(const struct intern *intern,
                                 struct seg_text text, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & intern->mask;
    for (;; i = (i + 1) & intern->mask) {
        struct intern_slot *slot = &intern->slots[i];
        if (!slot->number_plus_1)
            return slot;
        if (slot->tag == (uint32_t)(hash >> 32) &&
            text_equal(intern->texts[slot->number_plus_1 - 1], text))
            return slot;
    }
}

uint32_t intern_find(const struct intern *intern, struct seg_text text)
{
    if (!intern->count)
        return INTERN_NONE;
    return probe(intern, text, hash_bytes(text.bytes, text.len, 0))
               ->number_plus_1 -
           1; /* 0 - 1 is INTERN_NONE. */
}

static int grow_slots(struct intern *intern)
{
    uint32_t size = intern->slots ? (intern->mask + 1) * 2 : 16;
    struct intern_slot *slots = calloc(size, sizeof(*slots));
    if (!slots)
        return SEG_ERR_NOMEM;
    free(intern->slots);
    intern->slots = slots;
    intern->mask = size - 1;
    for (uint32_t i = 0; i < intern->count; i++) {
        struct seg_text text = intern->texts[i];
        uint64_t hash = hash_bytes(text.bytes, text.len, 0);
        *probe(intern, text, hash) =
            (struct intern_slot){(uint32_t)(hash >> 32), i + 1};
    }
    return 0;
}

int intern_add(struct intern *intern, struct seg_text text, uint32_t *number)
{
    uint64_t hash = hash_bytes(text.bytes, text.len, 0);
    void *texts = intern->texts;
    if ((!intern->slots || intern->count >= intern->mask / 4 * 3) &&
        grow_slots(intern) < 0)
        return SEG_ERR_NOMEM;
    struct intern_slot *slot = probe(intern, text, hash);
    if (slot->number_plus_1) {
        *number = slot->number_plus_1 - 1;
        return 0;
    }
    if (alloc_grow(&texts, &intern->cap, intern->count + 1,
                   sizeof(*intern->texts)) < 0)
        return SEG_ERR_NOMEM;
    intern->texts = texts;
    struct seg_text copy = arena_text(&intern->arena, text);
    if (!copy.bytes)
        return SEG_ERR_NOMEM;
    intern->texts[intern->count] = copy;
    *number = intern->count++;
    *slot = (struct intern_slot){(uint32_t)(hash >> 32), intern->count};
    return 1;
}
