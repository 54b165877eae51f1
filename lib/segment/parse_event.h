/* parse_event.h: selectors of events, how often, when, and measures of them.
 * Each function returns 0 or -1 as said in parse_cursor.h. */
#ifndef SEGMENT_PARSE_EVENT_H
#define SEGMENT_PARSE_EVENT_H

#include "lib/segment/parse_cursor.h"

/* `"A"`, `any`, `("A" or "B")`, each with its where. INSIDE a measure the
 * brackets may be left out. */
int parse_event(struct cursor *cursor, int inside, struct rule_event *event);

/* Whether a window stands here; after a measure `in (` is a test. */
int window_is_here(struct cursor *cursor);

/* `in 7d`, `from 28d to 14d ago`, or nothing: lifetime. */
int parse_window(struct cursor *cursor, struct rule_window *window);

/* `at least 3 times` and its like, or nothing: TIMES_NONE. */
int parse_times(struct cursor *cursor, struct rule_times *times);

/* The measure that stands here, MEASURE_COUNT_ if none. */
enum rule_measure_kind measure_here(struct cursor *cursor);

/* The measure that measure_here has found, with its window. */
int parse_measure(struct cursor *cursor, struct rule_measure *measure);

#endif
