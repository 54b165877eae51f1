/* intern.h: texts to small numbers and back.
 *
 * Numbers are given in order of arrival, from 0. Lookup is one hash and one
 * compare. Also serves as a map from text to an index of an array beside it. */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include <stdint.h>

#include <seg/event.h>

#include "lib/base/arena.h"

#define INTERN_NONE UINT32_MAX

struct intern {
    struct arena arena;
    struct seg_text *texts; /* By number; terminated copies. */
    uint32_t count;
    size_t cap;
    struct intern_slot {
        uint32_t tag; /* High half of the hash. */
        uint32_t number_plus_1;
    } * slots; /* Open addressing, size a power of two. */
    uint32_t mask;
};

void intern_init(struct intern *intern);
void intern_done(struct intern *intern);

/* The number of TEXT, or INTERN_NONE. */
uint32_t intern_find(const struct intern *intern, struct seg_text text);

/* The number of TEXT, a new one if it was not there. *NUMBER gets it. Returns 1
 * if it is new, 0 if not, or SEG_ERR_NOMEM. */
int intern_add(struct intern *intern, struct seg_text text, uint32_t *number);

#endif
