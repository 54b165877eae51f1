/* construct.h: what a run has seen of each construct of the language.
 *
 * A catalogue in which nothing happens proves nothing: for every word of the
 * language the model test counts how often a segment that uses it was entered
 * and exited, and how often the predicate that uses it decided the change. */
#ifndef MODEL_CONSTRUCT_H
#define MODEL_CONSTRUCT_H

#include <stdint.h>

#include "lib/segment/rule.h"

enum construct {
    CONSTRUCT_AND,
    CONSTRUCT_OR,
    CONSTRUCT_NOT,
    CONSTRUCT_EVERYONE,
    CONSTRUCT_IN_SEGMENT,
    CONSTRUCT_USER,
    CONSTRUCT_ACCOUNT,
    CONSTRUCT_TIMES, /* enum rule_times_kind follows, and so on. */
    CONSTRUCT_WINDOW = CONSTRUCT_TIMES + TIMES_BETWEEN + 1,
    CONSTRUCT_MEASURE = CONSTRUCT_WINDOW + WINDOW_BETWEEN + 1,
    CONSTRUCT_ANY = CONSTRUCT_MEASURE + MEASURE_COUNT_,
    CONSTRUCT_NAMES,
    CONSTRUCT_WHERE_AND,
    CONSTRUCT_WHERE_OR,
    CONSTRUCT_WHERE_NOT,
    CONSTRUCT_PROPERTY,
    CONSTRUCT_CONTEXT,
    CONSTRUCT_EVENT,
    CONSTRUCT_IGNORING_CASE,
    CONSTRUCT_DATE,
    CONSTRUCT_LIST,
    CONSTRUCT_COMPARE,
    CONSTRUCT_PERCENT,
    CONSTRUCT_LATEST,
    CONSTRUCT_PER_DAY,
    CONSTRUCT_PER_WEEK,
    CONSTRUCT_THEN,
    CONSTRUCT_DIRECTLY,
    CONSTRUCT_AFTER,
    CONSTRUCT_STEP_WITHIN,
    CONSTRUCT_WITHOUT,
    CONSTRUCT_ALL_WITHIN,
    CONSTRUCT_NO_BETWEEN,
    CONSTRUCT_SAME,
    CONSTRUCT_ENTERED,
    CONSTRUCT_LEFT,
    CONSTRUCT_SHARE,
    CONSTRUCT_INCLUDE,
    CONSTRUCT_UNTIL,
    CONSTRUCT_EXCLUDE,
    CONSTRUCT_ON_ENTER,
    CONSTRUCT_ON_EXIT,
    CONSTRUCT_ONCE,
    CONSTRUCT_ONCE_PER,
    CONSTRUCT_SHADOW,
    CONSTRUCT_WHERE_OP, /* enum rule_op follows. */
    CONSTRUCT_ATTRIBUTE_OP = CONSTRUCT_WHERE_OP + OP_COUNT_,
    CONSTRUCT_MEASURE_OP = CONSTRUCT_ATTRIBUTE_OP + OP_COUNT_,
    CONSTRUCT_COUNT_ = CONSTRUCT_MEASURE_OP + OP_COUNT_,
};

struct construct_counts {
    uint64_t entered[CONSTRUCT_COUNT_]; /* Segments that use it. */
    uint64_t exited[CONSTRUCT_COUNT_];
    uint64_t decided[CONSTRUCT_COUNT_]; /* Predicates that use it. */
    /* Changes of segments that use both, the lesser one first. */
    uint64_t pairs[CONSTRUCT_COUNT_][CONSTRUCT_COUNT_];
};

/* "where starts with". Static buffer of the last call. */
const char *construct_name(int construct);

/* Set the SEEN flags of all that SEGMENT uses; of all that the predicate LEAF
 * uses. SEEN has CONSTRUCT_COUNT_ items. */
void construct_of_segment(const struct rule_segment *segment, char *seen);
void construct_of_leaf(const struct rule_cond *leaf, char *seen);

#endif
