/* distinct.h: how good counts of distinct values are. */
#ifndef USER_DISTINCT_H
#define USER_DISTINCT_H

/* In a window that ends now, or ever: a number up to this is exact, and one
 * beyond it is known to be beyond. */
#define DISTINCT_EXACT_MAX 64
#define DISTINCT_KEPT      (DISTINCT_EXACT_MAX + 1)

/* Beyond, how many there are is estimated by a sketch of 2^BITS registers. Its
 * standard error is 1.04 / the root of their number. Values leave it late by
 * less than a 64th of the window. */
#define DISTINCT_BITS  10
#define DISTINCT_ERROR "3.3%"

/* In a window that ends in the past FEATURE_EXACT_MAX pairs (time, value) are
 * counted exactly; beyond, values come and leave early by less than a 64th of
 * the window, and are counted by a smaller sketch for each such part of it. */
#define DISTINCT_PAST_BITS  8
#define DISTINCT_PAST_ERROR "6.5%"

#endif
