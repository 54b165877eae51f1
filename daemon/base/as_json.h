/* as_json.h: values of libseg as JSON, the same wherever we answer in it. Each
 * returns a new json_t, or NULL when memory ran out. */
#ifndef BASE_AS_JSON_H
#define BASE_AS_JSON_H

#include <stdint.h>

#include <jansson.h>

#include <seg/event.h>

/* "2026-01-31T12:00:00.000Z"; null for INT64_MIN and SEG_NEVER: there is none. */
json_t *as_json_instant(int64_t ms);

/* An object is {}: what it holds is not kept. */
json_t *as_json_value(const struct seg_value *value);

#endif
