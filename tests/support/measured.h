/* measured.h: what sums and extremes must both hold: that they and their next
 * changes are right at every edge, and that the order of arrival leaves no
 * trace in what is kept. */
#ifndef TESTS_SUPPORT_MEASURED_H
#define TESTS_SUPPORT_MEASURED_H

#include "tests/support/kind.h"

/* A feature: its kind and its window. */
struct measured {
    enum feature_kind kind;
    int64_t from_ms, to_ms;
};

/* KIND, whose naive() is set, is a feature of item 3 with no events. */
void measured_begin(struct kind *kind, enum feature_kind of, int64_t from_ms,
                    int64_t to_ms, int64_t now_ms);

/* A test's own: begin as above; fold an event whose value is told by CODE, and
 * compare. */
typedef void (*measured_begin_fn)(enum feature_kind of, int64_t from_ms,
                                  int64_t to_ms, int64_t now_ms);
typedef void (*measured_fold_fn)(int64_t time_ms, int64_t code, int64_t now_ms);

void measured_at_every_edge(struct kind *kind, const struct measured *measured,
                            measured_begin_fn begin, measured_fold_fn fold);
void measured_in_any_order(struct kind *kind, const struct measured *measured,
                           measured_begin_fn begin, measured_fold_fn fold);

#endif
