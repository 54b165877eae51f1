/* fail_alloc.h: memory that runs out when a test wants it to.
 *
 * A program whose source includes this header is linked so that all calls of
 * malloc, calloc, realloc and aligned_alloc from our own objects come here
 * (Makefile, FAIL_ALLOC); libraries keep their own. Nothing fails until a test
 * says so, and what is allocated is given back with free as ever, so that
 * AddressSanitizer sees leaks.
 *
 *     for (long n = 1;; n++) {
 *         fail_alloc_begin(n, FAIL_ALLOC_ONE);
 *         ret = the_call_in_question();
 *         if (!fail_alloc_end())
 *             break;         // it needs fewer than n: all were tried
 *         ...                // the n-th failed: what must hold now?
 *     } */
#ifndef TESTS_SUPPORT_FAIL_ALLOC_H
#define TESTS_SUPPORT_FAIL_ALLOC_H

enum fail_alloc_mode {
    FAIL_ALLOC_ONE,  /* The N-th allocation fails, later ones do not. */
    FAIL_ALLOC_FROM, /* The N-th and all later ones fail. */
};

/* From now on the N-th allocation (from 1) fails. */
void fail_alloc_begin(long n, enum fail_alloc_mode mode);

/* No more failures. Returns how many allocations failed. */
long fail_alloc_end(void);

/* Allocations since the last begin. */
long fail_alloc_count(void);

#endif
