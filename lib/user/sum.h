/* sum.h: sums to be compared exactly. */
#ifndef USER_SUM_H
#define USER_SUM_H

#include "lib/base/decimal.h"
#include "lib/user/feature.h"

/* The sum that FEATURE, a SUM, has of USER at NOW_MS, exactly; its measure is
 * that as a value. */
decimal sum_units(const struct user *user, const struct feature *feature,
                  int64_t now_ms);

#endif
