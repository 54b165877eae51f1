/* reference.h: which lists, scores, traits and segments a definition names. */
#ifndef SEGMENT_REFERENCE_H
#define SEGMENT_REFERENCE_H

#include <seg/diff.h>

#include "lib/segment/rule.h"

/* Called with each reference; one that stands twice comes twice. */
struct reference_walk {
    void (*each)(void *arg, enum seg_diff_part part, struct seg_text key);
    void *arg;
};

void references_of_segment(const struct reference_walk *walk,
                           const struct rule_segment *segment);
void references_of_score(const struct reference_walk *walk,
                         const struct rule_score *score);
void references_of_measure(const struct reference_walk *walk,
                           const struct rule_measure *measure);
void references_of_trigger(const struct reference_walk *walk,
                           const struct rule_trigger *trigger);

#endif
