/* parse_cond.h: conditions of a segment file. */
#ifndef SEGMENT_PARSE_COND_H
#define SEGMENT_PARSE_COND_H

#include "lib/segment/parse_cursor.h"

/* What stands after `when`; NULL after an error. */
struct rule_cond *parse_cond(struct cursor *cursor);

/* A condition of KIND that begins here; NULL: no memory. */
struct rule_cond *parse_new_cond(struct cursor *cursor,
                                 enum rule_cond_kind kind);

#endif
