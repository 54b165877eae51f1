/* fail.h: failpoints.
 *
 * In a build with -DSEGMENTD_FAILPOINTS the environment variable
 * SEGMENTD_FAILPOINTS holds `name=action[@n]`, comma-separated:
 *
 *     kill      SIGKILL ourselves
 *     stop      SIGSTOP ourselves; goes on after SIGCONT
 *     sleep MS  sleep for MS milliseconds
 *     error     FAIL_POINT is 1: the caller takes its error path
 *     barrier   make the file <folder>/<name>.reached and wait until
 *               <name>.go is there; the folder is SEGMENTD_BARRIERS
 *
 * @n: at the n-th time only, else every time. While we run a point gets another
 * action from a file <folder>/<name>.order with the text `action[@n]`, put
 * there whole (by rename); it is gone when it is obeyed, and n counts from then
 * on; so only if SEGMENTD_BARRIERS is set. It also ends the waiting at a
 * barrier. In other builds FAIL_POINT is the constant 0 and nothing of this
 * exists.
 *
 *     if (FAIL_POINT(BEFORE_COMMIT))
 *         return BROKER_RETRY; */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include "daemon/base/fail_table.h"

enum fail_point {
#define X(name, text, where) FAIL_##name,
    FAIL_TABLE(X)
#undef X
        FAIL_COUNT
};

#ifdef SEGMENTD_FAILPOINTS
#define FAIL_POINT(name) fail_reach(FAIL_##name)

/* Read SEGMENTD_FAILPOINTS; call before there are threads. Returns 0, or
 * SEG_ERR_INVALID with what is wrong in the SIZE bytes at WRONG. */
int fail_open(const char *text, const char *barriers, char *wrong, int size);
int fail_reach(enum fail_point point);
#else
#define FAIL_POINT(name) 0
#endif

#endif
