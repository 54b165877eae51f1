/* measure_table.h: what can be measured of a user's events, one row each.
 *
 *   X(name, word, operand, window, help)
 *   word     as written before the bracket (TRAIT: before the dot)
 *   operand  what stands inside: EVENT, EVENT_PATH (`, path` after the events),
 *            KEY (of a score, a trait)
 *   window   1: may have a window
 *   help     for seg(5) */
#ifndef SEGMENT_MEASURE_TABLE_H
#define SEGMENT_MEASURE_TABLE_H

#define MEASURE_TABLE(X)                                                       \
    X(COUNT, "count", EVENT, 1, "How many of these events there are.")         \
    X(DAYS, "days", EVENT, 1,                                                  \
      "On how many dates, as UTC has them, there was such an event.")          \
    X(SUM, "sum", EVENT_PATH, 1,                                               \
      "The sum of that property; what is no number is passed over.")           \
    X(AVG, "avg", EVENT_PATH, 1,                                               \
      "The average of that property; what is no number is passed over.")       \
    X(MIN, "min", EVENT_PATH, 1, "The least number that property has had.")    \
    X(MAX, "max", EVENT_PATH, 1, "The greatest number that property has had.") \
    X(FIRST, "first", EVENT_PATH, 1,                                           \
      "That property of the first of these events.")                           \
    X(LAST, "last", EVENT_PATH, 1,                                             \
      "That property of the last of these events.")                            \
    X(DISTINCT, "distinct", EVENT_PATH, 1,                                     \
      "How many different values that property has had; no lists or objects.") \
    X(DAYS_SINCE_FIRST, "days_since(first", EVENT, 0,                          \
      "Days, whole or not, since the first of these events.")                  \
    X(DAYS_SINCE_LAST, "days_since(last", EVENT, 0,                            \
      "Days, whole or not, since the last of these events.")                   \
    X(SCORE, "score", KEY, 0,                                                  \
      "The score of that key: its weights, halved again and again by age.")    \
    X(TRAIT, "trait", KEY, 0, "What the trait of that key measures.")

#endif
