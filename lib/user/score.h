/* score.h: when a score crosses a bound. */
#ifndef USER_SCORE_H
#define USER_SCORE_H

#include "lib/user/feature.h"

/* Events are forgotten when a newer one is at least so many half-lives later:
 * all they could add is less than a weight / 2^64. */
#define SCORE_HALF_LIVES 64

/* Without events a score moves towards 0. The first instant after NOW_MS at
 * which that of FEATURE comes to BOUND or beyond it; if PAST is not 0, beyond
 * it. SEG_NEVER if it never does, or has done so by NOW_MS. */
int64_t score_reaches(const struct user *user, const struct feature *feature,
                      double bound, int past, int64_t now_ms);

#endif
