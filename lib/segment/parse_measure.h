/* parse_measure.h: measures of a user's events, and percents of them. Each
 * function returns 0 or -1 as said in parse_cursor.h. */
#ifndef SEGMENT_PARSE_MEASURE_H
#define SEGMENT_PARSE_MEASURE_H

#include "lib/segment/parse_cursor.h"

/* The measure that begins at the token AHEAD (at most 1), MEASURE_COUNT_ if
 * none. */
enum rule_measure_kind measure_at(struct cursor *cursor, int ahead);

/* The measure that stands here, as measure_at has found, with its window. */
int parse_measure(struct cursor *cursor, struct rule_measure *measure);

/* A PERCENT of at most MAX hundredths of a percent. */
int parse_percent(struct cursor *cursor, int64_t max,
                  struct rule_percent *percent);

#endif
