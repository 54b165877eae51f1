/* marks.h: how many distinct values there were in a window, roughly.
 *
 * A *mark* says that a register of a sketch (sketch.h) saw a rank at a time.
 *
 * A window that ends now needs of each register the marks that may become its
 * highest rank by others leaving: none for which there is one at least as late
 * with at least its rank. That is the sliding HyperLogLog of Chabchoub and
 * Hébrail (2010); which marks are kept depends on all events, not on their
 * order. In front stands what the whole of it says, so that most questions need
 * no look at the marks; before that MARKS_FRONT bytes that are the owner's:
 *
 *     front      leave      sketch      mark        mark        ...
 *                8 bytes    110         10: spot    10
 *                                       (2), time
 *                some mark's time, not later than that of the oldest one
 *
 * ordered by register, then time; ranks then descend.
 *
 * A window that ends in the past keeps of each register the highest rank of
 * each bucket of time, whose start is the mark's time: marks alone, ordered by
 * time, then register. */
#ifndef USER_MARKS_H
#define USER_MARKS_H

#include "lib/base/buf.h"
#include "lib/base/reader.h"
#include "lib/user/distinct.h"
#include "lib/user/user.h"

#define MARKS_FRONT (DISTINCT_KEPT * 16u)

/* The item in question; nothing of USER has changed since *item was found. */
struct marks {
    struct store *store;
    struct user **user;
    uint32_t id;
    struct item *item;
};

/* ---- a window that ends now --------------------------------------------- */

/* The item, which is a front alone, gets marks: none yet. Returns 0,
 * SEG_ERR_USER_BYTES or SEG_ERR_NOMEM, like all that follow. */
int marks_create(const struct marks *marks);

/* Note that SPOT was seen at TIME_MS. All that is not later than BEGIN_MS goes.
 */
int marks_add(const struct marks *marks, uint16_t spot, int64_t time_ms);
int marks_prune(const struct marks *marks, int64_t begin_ms);

/* How many values were seen after BEGIN_MS. */
uint64_t marks_count(const struct item *item, int64_t begin_ms);

/* A lower bound of the first time after BEGIN_MS of a mark; INT64_MAX if there
 * is none. */
int64_t marks_first(const struct item *item, int64_t begin_ms);

/* ---- a window that ends in the past ----------------------------------------
 * An item that is not there is created; one without marks goes. */

int past_marks_add(const struct marks *marks, uint16_t spot, int64_t time_ms);
int past_marks_prune(const struct marks *marks, int64_t begin_ms);

/* How many values were seen after BEGIN_MS, up to END_MS. */
uint64_t past_marks_count(const struct item *item, int64_t begin_ms,
                          int64_t end_ms);

/* The first time after AFTER_MS; INT64_MAX. */
int64_t past_marks_first(const struct item *item, int64_t after_ms);

/* ---- in records: n marks, each a u16 spot and ms ------------------------ */

void marks_write(const struct item *item, struct buf *buf);
void past_marks_write(const struct item *item, struct buf *buf);

/* The item is as for marks_create; not there. Returns 0, SEG_ERR_RECORD,
 * SEG_ERR_USER_BYTES or SEG_ERR_NOMEM. */
int marks_read(const struct marks *marks, struct reader *reader);
int past_marks_read(const struct marks *marks, struct reader *reader);

#endif
