/* everything.h: segments of all kinds, and users who do what they ask for. */
#ifndef TESTS_SUPPORT_EVERYTHING_H
#define TESTS_SUPPORT_EVERYTHING_H

#include "lib/base/buf.h"
#include "tests/model/random.h"

extern const char everything_text[];

/* A message of user "u" or "v" whose record is of NOW_MS, perhaps late, into
 * JSON. */
void everything_message(struct random *dice, int64_t now_ms, struct buf *json);

/* How long until the next one: mostly short, now and then more than a day. */
int64_t everything_pause(struct random *dice);

#endif
