/* parse_property.h: properties of triggers and of events in tests. Each
 * function returns 0 or -1 as said in parse_cursor.h. */
#ifndef SEGMENT_PARSE_PROPERTY_H
#define SEGMENT_PARSE_PROPERTY_H

#include "lib/segment/parse_cursor.h"

/* In a trigger a path of the user or a measure may stand for the value. */
enum properties_of { PROPERTIES_OF_TRIGGER, PROPERTIES_OF_EVENT };

/* `{ name = value, ... }`, the brackets included. */
int parse_properties(struct cursor *cursor, enum properties_of of,
                     const struct rule_property **properties, int *count);

/* What a value of `set` or of a property is: a DATE is its text, and a list
 * `["a", "b"]` or `[{ a = 1 }, { a = 2, b.c = 3 }]` may stand. */
int parse_property_value(struct cursor *cursor, struct rule_value *value);

#endif
