/* parse_test.h: tests of values and conditions on one event. */
#ifndef SEGMENT_PARSE_TEST_H
#define SEGMENT_PARSE_TEST_H

#include "lib/segment/parse_cursor.h"

/* A test of what stands before it, WHAT ("`user.plan`") in errors. 0 or -1. */
int parse_test(struct cursor *cursor, const char *what, struct rule_test *test);

/* What stands after the word `where`: one test, or a condition in brackets.
 * NULL after an error. */
struct rule_where *parse_where(struct cursor *cursor);

/* One level deeper into brackets or `not`; an error when it is too deep. */
int parse_deeper(struct cursor *cursor);

/* 0, or -1 after saying that the `&&`, `||` or comma here joins nothing. */
int parse_no_joint(struct cursor *cursor);

#endif
