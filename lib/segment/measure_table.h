/* measure_table.h: what can be measured of a user's events, one row each.
 *
 *   X(name, word, path, window)
 *   word    as written before the bracket
 *   path    1: takes `, path` after the events
 *   window  1: may have a window */
#ifndef SEGMENT_MEASURE_TABLE_H
#define SEGMENT_MEASURE_TABLE_H

#define MEASURE_TABLE(X)                                \
    X(COUNT, "count", 0, 1)                             \
    X(FIRST, "first", 1, 1)                             \
    X(LAST, "last", 1, 1)                               \
    X(DAYS_SINCE_FIRST, "days_since(first", 0, 0)       \
    X(DAYS_SINCE_LAST, "days_since(last", 0, 0)

#endif
