/* feature_table.h: the kinds of features, one row and one file each.
 *
 *   X(name, ops, code)
 *   ops    what it can do: struct feature_ops <ops>, in the file of that name
 *   code   its number in user records (lib/engine/snapshot.h); never reused */
#ifndef USER_FEATURE_TABLE_H
#define USER_FEATURE_TABLE_H

#define FEATURE_TABLE(X)          \
    X(TALLY, tally_ops, 1)        \
    X(WINDOW, window_ops, 2)      \
    X(FIRST_TIME, first_time_ops, 3) \
    X(LAST_TIME, last_time_ops, 4)   \
    X(FIRST, first_ops, 5)        \
    X(LAST, last_ops, 6)

#endif
