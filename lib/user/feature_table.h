/* feature_table.h: the kinds of features, one row and one file each.
 *
 *   X(name, ops, code, counts)
 *   ops    what it can do: struct feature_ops <ops>, in the file of that name
 *   code   its number in user records (lib/engine/snapshot.h); never reused
 *   counts 1: it measures a number of something, and tests of it flip at some
 *          numbers (feature.h, flips) */
#ifndef USER_FEATURE_TABLE_H
#define USER_FEATURE_TABLE_H

#define FEATURE_TABLE(X)                \
    X(TALLY, tally_ops, 1, 1)           \
    X(WINDOW, window_ops, 2, 1)         \
    X(FIRST_TIME, first_time_ops, 3, 0) \
    X(LAST_TIME, last_time_ops, 4, 0)   \
    X(FIRST, first_ops, 5, 0)           \
    X(LAST, last_ops, 6, 0)             \
    X(SUM, sum_ops, 7, 0)               \
    X(AVG, avg_ops, 8, 0)               \
    X(MIN, min_ops, 9, 0)               \
    X(MAX, max_ops, 10, 0)              \
    X(DAYS, days_ops, 11, 1)            \
    X(DISTINCT, distinct_ops, 12, 1)    \
    X(SCORE, score_ops, 13, 0)          \
    X(HABIT, habit_ops, 14, 1)          \
    X(SEQUENCE, sequence_ops, 15, 1)

/* Kinds up to this code are written as snapshot.h says, each in its own way;
 * those above with their length in front. */
#define FEATURE_CODE_FIRST_MAX 6

#endif
