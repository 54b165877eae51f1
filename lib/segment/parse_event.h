/* parse_event.h: selectors of events, how often and when.
 * Each function returns 0 or -1 as said in parse_cursor.h. */
#ifndef SEGMENT_PARSE_EVENT_H
#define SEGMENT_PARSE_EVENT_H

#include "lib/segment/parse_cursor.h"

/* `"A"`, `any`, `("A" or "B")`, each with its where. INSIDE a measure the
 * brackets may be left out. */
int parse_event(struct cursor *cursor, int inside, struct rule_event *event);

/* Whether a window stands here; after a measure `in (` is a test. */
int window_is_here(struct cursor *cursor);

/* `in 7d`, `from 28d to 14d ago`, `since 2026-01-31` and its like, or nothing:
 * lifetime. */
int parse_window(struct cursor *cursor, struct rule_window *window);

/* `at least 3 times` and its like, with `per week for 4 weeks` behind or not;
 * or nothing: TIMES_NONE. */
int parse_times(struct cursor *cursor, struct rule_times *times);

#endif
