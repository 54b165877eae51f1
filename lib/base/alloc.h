/* alloc.h: growing arrays.
 *
 * All memory of the library comes from malloc, realloc and free; tests make the
 * n-th call fail at link time (tests/support/fail_alloc.h). */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

/* Make room for NEED items of SIZE bytes in the array *ITEMS of capacity *CAP.
 * Grows by half at least. Returns 0, or SEG_ERR_NOMEM with all as it was. */
int alloc_grow(void **items, size_t *cap, size_t need, size_t size);

#endif
