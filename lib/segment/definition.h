/* definition.h: what a file defines, in the order of the file. */
#ifndef SEGMENT_DEFINITION_H
#define SEGMENT_DEFINITION_H

#include "lib/segment/rule.h"

/* One of the five is set. */
struct definition {
    const struct rule_list *list;
    const struct rule_score *score;
    const struct rule_trait *trait;
    const struct rule_segment *segment;
    const struct rule_test_block *test;
    struct rule_pos pos, end; /* END only of lists and traits. */
};

/* The definitions of file FILE of RULES in its order, *COUNT of them, as an
 * array to free(); NULL: no memory. */
struct definition *definitions_of(const struct rules *rules, uint32_t file,
                                  size_t *count);

#endif
