/* parse_test.h: tests of values and conditions on one event. */
#ifndef SEGMENT_PARSE_TEST_H
#define SEGMENT_PARSE_TEST_H

#include "lib/segment/parse_cursor.h"

/* Whether a test begins here. */
int test_is_here(struct cursor *cursor);

/* The words of a test alone; 0, or -1 with nothing said if there are none. */
int parse_operator(struct cursor *cursor, struct rule_test *test);

/* A test of what stands before it, WHAT ("`user.plan`") in errors. 0 or -1. */
int parse_test(struct cursor *cursor, const char *what, struct rule_test *test);

/* What stands after the word `where`: one test, or a condition in brackets.
 * NULL after an error. */
struct rule_where *parse_where(struct cursor *cursor);

/* One level deeper into brackets or `not`; an error when it is too deep. */
int parse_deeper(struct cursor *cursor);

/* Warn that an `and` without brackets, at POS, is part of an `or`. */
void parse_mixed(struct cursor *cursor, struct rule_pos pos);

/* 0, or -1 after saying that the `&&`, `||` or comma here joins nothing. */
int parse_no_joint(struct cursor *cursor);

#endif
