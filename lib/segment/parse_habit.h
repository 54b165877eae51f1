/* parse_habit.h: words that people write out of habit where the language has
 * others: what to tell them. */
#ifndef SEGMENT_PARSE_HABIT_H
#define SEGMENT_PARSE_HABIT_H

#include "lib/segment/parse_cursor.h"

/* Where something is to begin. */
enum habit_place {
    HABIT_COND,       /* A condition. */
    HABIT_AFTER_COND, /* What stands behind one. */
    HABIT_FIELD,      /* A field of a segment. */
    HABIT_STEP,       /* The event behind `then`. */
    HABIT_LINE,       /* A line of a test. */
    HABIT_AT,         /* What happens, behind `at 1d`. */
    HABIT_EXPECT      /* What is expected. */
};

/* Say what stands here instead in PLACE: -1 after that, 0 if it is no habit. */
int habit_said(struct cursor *cursor, enum habit_place place);

#endif
