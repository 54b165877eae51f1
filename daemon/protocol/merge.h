/* merge.h: which of several inputs goes next.
 *
 * Records of one partition of several topics are merged by (record timestamp,
 * topic name, offset): the least goes next, once every topic has a record at
 * hand or is known to have ended. Live and in a restore the same function. */
#ifndef PROTOCOL_MERGE_H
#define PROTOCOL_MERGE_H

#include <stdint.h>

#define MERGE_EMPTY (-1) /* No input has a record at hand. */
#define MERGE_WAITS (-2) /* One has, but a lesser one may still come. */

struct merge_head {
    int has_record;
    int64_t timestamp_ms; /* Of the record at hand. */
    /* Without one: the instant as of which it is proven that every record of
     * the topic has been taken. INT64_MIN: not at all. INT64_MAX: none will
     * come. */
    int64_t ended_ms;
};

/* The index of the head that goes next, of COUNT heads in the order of their
 * topics' names; or MERGE_EMPTY or MERGE_WAITS.
 *
 * A topic without a record at hand must have ended as of the record's timestamp
 * or SINCE_MS, whichever is earlier: the instant from which on the record has
 * been waiting, so that one dated into the future does not wait for its date.
 */
int merge_next(const struct merge_head *heads, int count, int64_t since_ms);

/* The index of the least head, or MERGE_EMPTY. */
int merge_least(const struct merge_head *heads, int count);

#endif
