/* compare.h: two measures against each other.
 *
 *     count(any) in 14d < 70% of count(any) from 28d to 14d ago
 *
 * Counts and sums are exact numbers, in units of 1e-9, and are compared as
 * such, the percentage too; where one side is a double (an average, an age in
 * days, a score, a property) both are doubles. Texts have an order, without a
 * percentage. Whatever else does not compare, a missing value above all, makes
 * every comparison false. */
#ifndef SEGMENT_COMPARE_H
#define SEGMENT_COMPARE_H

#include <stdint.h>

#include "lib/base/decimal.h"
#include "lib/segment/plan.h"

#define COMPARE_WHOLE 10000 /* 100 %, in hundredths of a percent. */

/* What one side measures. */
struct measured {
    struct seg_value value;
    int exact; /* It is UNITS, exactly. */
    decimal units;
};

/* VALUE as one side: exact if it is an integer. */
struct measured measured_of(struct seg_value value);

/* *ORDER of LEFT against PERCENT hundredths of a percent of RIGHT: below, 0,
 * above. Returns 0 if they do not compare. */
int compare_order(const struct measured *left, const struct measured *right,
                  int64_t percent, int *order);

/* Whether PREDICATE, a COMPARE, holds; what does not compare is counted in
 * *MISMATCHES, which may be NULL, unless something is missing. */
int compare_measured(const struct predicate *predicate,
                     const struct measured *left, const struct measured *right,
                     uint64_t *mismatches);

/* Whether SUM, exactly, passes TEST in *PASSES. Returns 0 if TEST does not
 * compare it with numbers: then any other test of its value will do. */
int compare_sum(const struct value_test *test, decimal sum, int *passes);

#endif
