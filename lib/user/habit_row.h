/* habit_row.h: the item of a habit, for the files of it.
 *
 * A row of times (row.h). Where it is long and exact, what its events say of
 * block 0 stands behind it, as a dial: when that was bad last, by the time of
 * the period. The owner's bits of the row say what there is:
 *
 *     | row of times | part ... | parts |     bit 5: a dial that has no parts, and
 *                      8 each     2                  nothing stands behind
 *                                             bit 6: one that has some
 *
 * A dial follows from the row, so that it is in no record and may be missing:
 * then the row is passed over instead. */
#ifndef USER_HABIT_ROW_H
#define USER_HABIT_ROW_H

#include "lib/user/dial.h"
#include "lib/user/habit.h"
#include "lib/user/row.h"

struct habit_row {
    struct row row;   /* Its item ends before the dial. */
    int has_dial;     /* It is known; */
    int given_up;     /* or it has too many parts. */
    struct dial dial; /* Its parts lie in the item, or in a habit_room. */
};

struct habit_room {
    uint8_t parts[(DIAL_MAX + 1) * DIAL_PART_BYTES];
};

void habit_row_find(const struct user *user, const struct feature *feature,
                    struct habit_row *row);

/* The first entry later than TIME_MS; END if none before that is. Quick if it
 * is near END. */
uint32_t habit_row_after(const struct row *row, int64_t time_ms, uint32_t end);

/* Take the dial out of the item into ROOM, so that what is left is a row as any
 * other. */
void habit_row_take(struct store *store, struct user **user,
                    const struct feature *feature, struct habit_row *row,
                    struct habit_room *room);

/* Make the dial that was taken right after a fold, IN_ORDER or not, and put it into
 * the item if there is to be one; without memory there is none. */
void habit_row_put(struct store *store, struct user **user,
                   const struct feature *feature, struct habit_row *row,
                   int in_order, int64_t now_ms);

/* Give ROW, just read from a record, the dial that it is to have, likewise. */
void habit_row_make(struct store *store, struct user **user,
                    const struct feature *feature, struct habit_row *row);

/* ---- asking (habit_ask.c) ----------------------------------------------- */

/* How many blocks are satisfied at NOW_MS. */
uint64_t habit_count(const struct row *row, const struct feature_habit *habit,
                     int64_t now_ms);

/* The same; if not all are, any smaller number. *NEXT_MS gets when that
 * changes, or a lower bound. */
uint64_t habit_rough_count(const struct habit_row *row,
                           const struct feature_habit *habit, int64_t now_ms,
                           int64_t *next_ms);

#endif
