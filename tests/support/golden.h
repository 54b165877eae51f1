/* golden.h: files of questions and the answers they must get.
 *
 *     ====
 *     segment a { ... }
 *     ----
 *     a.seg:1:13: error: ...
 *
 * What stands before the first question is a head for people. With WRITE_GOLDEN=1
 * in the environment the answers are written anew: read what changed. */
#ifndef TESTS_SUPPORT_GOLDEN_H
#define TESTS_SUPPORT_GOLDEN_H

#include "lib/base/buf.h"

#define GOLDEN_MAX 1000 /* Questions of one file. */

/* Append the answer to the LEN bytes at TEXT. */
typedef void golden_answer(struct buf *into, const char *text, size_t len);

/* Hold all answers of the file PATH, at least LEAST, against ANSWER; or write
 * them. An empty answer is a failure. */
void golden_check(const char *path, int least, golden_answer *answer);

#endif
