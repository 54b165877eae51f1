/* value.h: comparing two values.
 *
 * Nothing is coerced: numbers compare with numbers, exactly, be they integers
 * or doubles; texts with texts, by code point; booleans only with booleans and
 * only for equality. Lists, objects and missing values compare with nothing. */
#ifndef EVENT_VALUE_H
#define EVENT_VALUE_H

#include <seg/event.h>

/* Whether A and B are both numbers, both texts or both booleans. */
int value_same_type(const struct seg_value *a, const struct seg_value *b);

/* Whether A and B are of one type and the same. */
int value_equal(const struct seg_value *a, const struct seg_value *b);

/* Whether A and B have an order, that is are both numbers or both texts; *ORDER
 * is then below 0, 0 or above 0 as A is less, equal or greater. */
int value_compare(const struct seg_value *a, const struct seg_value *b,
                  int *order);

/* One number for all values that are equal, 64 bits of a hash; 0 for those that
 * compare with nothing. The same on every machine: it is stored. */
uint64_t value_hash(const struct seg_value *value);

#endif
