/* fail_alloc.c: see fail_alloc.h. */
#include "tests/support/fail_alloc.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>

/* What the linker makes of malloc and its like: --wrap=malloc. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

static long first = LONG_MAX, last = LONG_MAX; /* To fail. */
static long seen, failed;

void fail_alloc_begin(long n, enum fail_alloc_mode mode)
{
    first = n;
    last = mode == FAIL_ALLOC_ONE ? n : LONG_MAX;
    seen = failed = 0;
}

long fail_alloc_end(void)
{
    long result = failed;
    first = last = LONG_MAX;
    failed = 0;
    return result;
}

long fail_alloc_count(void)
{
    return seen;
}

static int fails(void)
{
    seen++;
    if (seen < first || seen > last)
        return 0;
    failed++;
    errno = ENOMEM;
    return 1;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(align, size);
}
