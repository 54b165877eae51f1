/* parse_block.h: the definitions of a segment file.
 *
 * Each function begins behind the word that introduces the definition, adds it
 * to the rules when it is whole, and returns 0; else -1, the cursor standing
 * where the error is. */
#ifndef SEGMENT_PARSE_BLOCK_H
#define SEGMENT_PARSE_BLOCK_H

#include "lib/segment/parse_cursor.h"

int parse_list(struct cursor *cursor);
int parse_score(struct cursor *cursor);
int parse_trait(struct cursor *cursor);
int parse_test_block(struct cursor *cursor);

/* A segment goes on after an error at its next field; -1 only when its end is
 * missing. */
int parse_segment(struct cursor *cursor);

/* Whether a definition begins here. */
int definition_is_here(struct cursor *cursor);

#endif
