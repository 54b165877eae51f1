/* test_line.h: lines of a `test` block as messages, in JSON.
 *
 * 0d is 2024-01-01T00:00Z, of one user known from then on. `set` is an identify,
 * or a group message for an account, at 0d, before all other lines. */
#ifndef ENGINE_TEST_LINE_H
#define ENGINE_TEST_LINE_H

#include "lib/base/buf.h"
#include "lib/segment/rule.h"

#define TEST_START_MS INT64_C(1704067200000) /* 2024-01-01T00:00Z */
#define TEST_USER     "test"
#define TEST_ACCOUNT  "test account"

/* The name of the event that LINE is, empty if it is none. */
struct seg_text test_line_event(const struct rule_line *line);

/* LINE, an event, page, screen, identify or group, at the instant AT_MS; JSON is
 * emptied first. */
void test_line_message(struct buf *json, const struct rule_line *line,
                       int64_t at_ms);

/* All `set` lines of BLOCK about the user, or about his account, as one message;
 * of the user even without any: it makes him known. Returns how many there are,
 * or SEG_ERR_NOMEM. */
int test_line_settings(struct buf *json, const struct rule_test_block *block,
                       enum path_root root);

/* VALUE as it stands in a message. */
void test_line_value(struct buf *json, const struct rule_value *value);

#endif
