/* coverage.h: which conditions the tests of a catalogue have seen both ways.
 *
 * A *leaf* is one condition where it stands in the `when` or `until` of a
 * segment, without those that no test can turn: `everyone`, and `user in P% by`,
 * which goes by the id of the one user that tests have. Leaves are numbered as
 * they stand, segment after segment. A test counts for its own segment only, and
 * only at its lines `expect in|out|enter|exit`: what nobody looked at was not
 * tested. All leaves are looked at then, also those on which nothing depends. */
#ifndef ENGINE_COVERAGE_H
#define ENGINE_COVERAGE_H

#include "lib/segment/catalogue.h"
#include "lib/segment/eval.h"

struct coverage {
    uint32_t *first;     /* Leaf of each segment, and their number behind. */
    unsigned char *seen; /* By leaf: COVERAGE_TRUE, COVERAGE_FALSE. */
};

/* Returns 0 or SEG_ERR_NOMEM; COVERAGE is to be ended in any case. */
int coverage_init(struct coverage *coverage, const struct plan *plan);
void coverage_done(struct coverage *coverage);

/* A test of SEGMENT expects something of the user of VIEW. */
void coverage_note(struct coverage *coverage, const struct view *view,
                   uint32_t segment);

/* Call REPORT with ARG for every leaf of CATALOGUE. */
void coverage_report(const struct coverage *coverage,
                     const struct seg_catalogue *catalogue,
                     seg_coverage_report *report, void *arg);

#endif
