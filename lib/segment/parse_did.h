/* parse_did.h: what begins with `did`. */
#ifndef SEGMENT_PARSE_DID_H
#define SEGMENT_PARSE_DID_H

#include "lib/segment/parse_cursor.h"

/* The word `did` stands here. NULL after an error. */
struct rule_cond *parse_did(struct cursor *cursor);

#endif
