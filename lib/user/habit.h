/* habit.h: how good habits are counted. */
#ifndef USER_HABIT_H
#define USER_HABIT_H

/* A habit is exact as long as so many times are kept of a user; that many are
 * only if events times periods is beyond a quarter of it. Beyond, events count
 * as if they were up to a 16th of a period earlier. */
#define HABIT_EXACT_MAX 16384
#define HABIT_BUCKETS   16

#endif
