/* alloc.c: growing arrays. */
#include "lib/base/alloc.h"

#include <stdint.h>
#include <stdlib.h>

#include <seg/error.h>

int alloc_grow(void **items, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return 0;
    size_t want = *cap + *cap / 2 + 8;
    if (want < need)
        want = need;
    if (want > PTRDIFF_MAX / size)
        return SEG_ERR_NOMEM;
    void *grown = realloc(*items, want * size);
    if (!grown)
        return SEG_ERR_NOMEM;
    *items = grown;
    *cap = want;
    return 0;
}
