/* parse_value.h: the small things of a segment file: values, lists of them,
 * durations. Each function returns 0 or -1 as said in
 * parse_cursor.h. */
#ifndef SEGMENT_PARSE_VALUE_H
#define SEGMENT_PARSE_VALUE_H

#include "lib/segment/parse_cursor.h"

/* A STRING of at most MAX bytes; WHAT ("The title") names it in errors. */
int parse_string(struct cursor *cursor, const char *what, size_t max,
                 struct seg_text *text);

/* A KEY of WHAT ("segment"), a terminated copy. */
int parse_key(struct cursor *cursor, const char *what, struct seg_text *key);

/* STRING, NUMBER, true, false or DATE. */
int parse_value(struct cursor *cursor, struct rule_value *value);

/* `(a, b)` or `@key`. */
int parse_values(struct cursor *cursor, struct rule_values *values);

/* `a, b` up to CLOSING, which is taken. At least one. */
int parse_items(struct cursor *cursor, const char *closing,
                struct rule_values *values);

/* `["a", "b"]` of at most MAX bytes each. */
int parse_strings(struct cursor *cursor, const char *what, size_t max,
                  struct seg_text const **texts, int *count);

/* A DURATION of at least LEAST_MS. BEFORE is what is written before it, for
 * errors: "in". */
int parse_duration(struct cursor *cursor, const char *before, int64_t least_ms,
                   int64_t *ms);

/* After a value: 1 behind a comma, 0 behind CLOSING, or -1. */
int next_item(struct cursor *cursor, const char *closing);

#endif
