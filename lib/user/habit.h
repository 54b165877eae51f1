/* habit.h: how good habits are counted. */
#ifndef USER_HABIT_H
#define USER_HABIT_H

/* A habit is exact as long as so many times are kept of a user; that many are
 * only if events times periods is beyond a quarter of it. Beyond, events count
 * as if they were up to a 16th of a period earlier. */
#define HABIT_EXACT_MAX 16384
#define HABIT_BUCKETS   16

/* From so many times on it is kept by the time of the period when there were
 * too few or too many last, instead of looking at all of them (habit_row.h). */
#define HABIT_DIAL_FROM 33

#endif
