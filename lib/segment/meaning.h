/* meaning.h: conditions as texts that are equal when their meanings are.
 *
 * Of what can be written in several ways nothing is left: a predicate is its
 * source's canonical text and the numbers it is compared with, so `did E` and
 * `did E at least 1 times` are one; lists stand with their values, traits and
 * scores as what they measure; the conditions of an `and` or `or` are sorted,
 * and one that stands twice stands once. (Not all that is logically equal is
 * found equal: that is not the aim.) The texts are for comparing, not for
 * people. */
#ifndef SEGMENT_MEANING_H
#define SEGMENT_MEANING_H

#include "lib/base/arena.h"
#include "lib/segment/plan.h"

/* The meaning of COND, in ARENA; "" of NULL; NULL: no memory. */
const char *meaning_of_cond(const struct plan *plan, const struct cond *cond,
                            struct arena *arena);

/* Append the name of SOURCE. */
void meaning_of_source(struct buf *buf, const struct plan *plan,
                       uint32_t source);

#endif
