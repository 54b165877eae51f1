/* instant.h: instants and durations as text.
 *
 * Instants are int64_t milliseconds since 1970 UTC, years 0000 to 9999 of the
 * proleptic Gregorian calendar, without leap seconds. */
#ifndef BASE_INSTANT_H
#define BASE_INSTANT_H

#include <stdint.h>

#include <seg/event.h>

#include "lib/base/buf.h"

#define DAY_MS      INT64_C(86400000)
#define INSTANT_MIN INT64_C(-62167219200000) /* 0000-01-01T00:00Z */
#define INSTANT_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* Read TEXT: 2026-01-31 [T or one space 12:00 [:00 [.fraction]]] [Z | ±hh:mm].
 * No zone is UTC, a date alone is 00:00; a fraction beyond milliseconds is cut.
 * Returns 0, or SEG_ERR_INVALID with *MS untouched. */
int instant_parse(struct seg_text text, int64_t *ms);

/* Write MS as 2026-01-31T12:00:00.000Z (24 bytes). Outside the years 0 to 9999
 * the nearest one inside is written. */
void instant_format(struct buf *buf, int64_t ms);

/* The same into 25 bytes at OUT, terminated. */
void instant_string(char out[25], int64_t ms);

/* VALUE as an instant: text as above, or a number (below 1e11 seconds, else
 * milliseconds). Returns 0 or SEG_ERR_INVALID. */
int instant_of_value(const struct seg_value *value, int64_t *ms);

/* Write MS > 0 as a sum of units, largest first: 1d12h, 7d, 2w as 14d. */
void duration_format(struct buf *buf, int64_t ms);

/* Read 500ms 90s 15m 6h 7d 2w and sums, up to 36500d, from the start of TEXT.
 * Returns the bytes read, or SEG_ERR_INVALID. */
int duration_parse(struct seg_text text, int64_t *ms);

#endif
