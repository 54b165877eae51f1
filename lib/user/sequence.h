/* sequence.h: whether a user did one thing, then another.
 *
 * The kind SEQUENCE counts 1 while some match is complete and its first event
 * in the window, else 0. What there is beside feature_ops is for `explain`. */
#ifndef USER_SEQUENCE_H
#define USER_SEQUENCE_H

#include <stdint.h>

#include "lib/user/feature.h"

/* How far the attempt is that has come furthest; of several the one with the
 * latest first event. */
struct sequence_progress {
    uint32_t matched; /* Steps that must be matched, and are. */
    uint32_t steps;   /* How many there are. */
    int64_t since_ms; /* The last one was matched then. */
    /* When time alone decides about it: all are matched, and a quiet time ends;
     * or the next one comes too late. SEG_NEVER: at no time. */
    int64_t until_ms;
};

/* Fill *PROGRESS for USER (may be NULL) at NOW_MS; matched = 0 if nothing is
 * open, or all is known that ever will be: it holds for ever. */
void sequence_progress(const struct user *user, const struct feature *feature,
                       int64_t now_ms, struct sequence_progress *progress);

#endif
