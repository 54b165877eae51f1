/* op_table.h: the value tests of a segment file, one row each.
 *
 * From this table come the enum, the parser's choice by words, the formatter,
 * the check of operand types and the list in seg(5).
 *
 *   X(name, words, operand, of, fold)
 *   words    as written between path (or measure) and operand
 *   operand  what follows: VALUE one value, ORDERED a number, text or DATE,
 *            RANGE `value and value`, VALUES a list, STRING a text, DURATION,
 *            DATE, WHERE a condition on an element, NONE
 *   of       what is tested: ANY, TEXT, LIST, TIME
 *   fold     1: may end in `ignoring case` */
#ifndef SEGMENT_OP_TABLE_H
#define SEGMENT_OP_TABLE_H

#define OP_TABLE(X)                                   \
    X(EQ, "=", VALUE, ANY, 1)                         \
    X(NE, "!=", VALUE, ANY, 1)                        \
    X(LT, "<", ORDERED, ANY, 0)                       \
    X(LE, "<=", ORDERED, ANY, 0)                      \
    X(GT, ">", ORDERED, ANY, 0)                       \
    X(GE, ">=", ORDERED, ANY, 0)                      \
    X(IN, "in", VALUES, ANY, 1)                       \
    X(NOT_IN, "not in", VALUES, ANY, 1)               \
    X(BETWEEN, "between", RANGE, ANY, 0)              \
    X(IS_SET, "is set", NONE, ANY, 0)                 \
    X(IS_NOT_SET, "is not set", NONE, ANY, 0)         \
    X(CONTAINS, "contains", STRING, TEXT, 1)          \
    X(STARTS, "starts with", STRING, TEXT, 1)         \
    X(ENDS, "ends with", STRING, TEXT, 1)             \
    X(MATCHES, "matches", STRING, TEXT, 1)            \
    X(MATCHES_REGEX, "matches regex", STRING, TEXT, 1) \
    X(HAS, "has", VALUE, LIST, 0)                     \
    X(HAS_ANY, "has any", VALUES, LIST, 1)            \
    X(HAS_ALL, "has all", VALUES, LIST, 1)            \
    X(HAS_NONE, "has none", VALUES, LIST, 1)          \
    X(HAS_ONE, "has one", WHERE, LIST, 0)             \
    X(WITHIN, "within", DURATION, TIME, 0)            \
    X(WITHIN_NEXT, "within next", DURATION, TIME, 0)  \
    X(MORE_THAN, "more than", DURATION, TIME, 0)      \
    X(BEFORE, "before", DATE, TIME, 0)                \
    X(AFTER, "after", DATE, TIME, 0)                  \
    X(VERSION_EQ, "version =", STRING, TEXT, 0)       \
    X(VERSION_NE, "version !=", STRING, TEXT, 0)      \
    X(VERSION_LT, "version <", STRING, TEXT, 0)       \
    X(VERSION_LE, "version <=", STRING, TEXT, 0)      \
    X(VERSION_GT, "version >", STRING, TEXT, 0)       \
    X(VERSION_GE, "version >=", STRING, TEXT, 0)

#endif
