/* parse_sequence.h: what follows the first event of a sequence. */
#ifndef SEGMENT_PARSE_SEQUENCE_H
#define SEGMENT_PARSE_SEQUENCE_H

#include "lib/segment/parse_cursor.h"

/* Whether a step stands here. */
int step_is_here(struct cursor *cursor);

/* The steps that stand here and what follows them, into COND, which becomes a
 * SEQUENCE. 0 or -1 as said in parse_cursor.h. */
int parse_sequence(struct cursor *cursor, struct rule_cond *cond);

#endif
