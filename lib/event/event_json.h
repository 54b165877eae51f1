/* event_json.h: the vector code of simdjson, seen from C.
 *
 * Of simdjson only the first stage is used: one pass with vector instructions
 * over all bytes, which checks UTF-8 and strings and finds where each token of
 * the text begins. The walk over the tokens is ours (json.h). simdjson's own,
 * On-Demand, was tried and left:
 *
 *   - it checks the grammar only of what a caller visits: the same bytes would
 *     be an event under one catalogue and none under another;
 *   - it takes 80 ns beyond the first stage to read five texts of an event of
 *     300 bytes; all of seg_decode takes as much and has checked everything;
 *   - in 3.0.1, the version of Debian 12, get_double() reads decimals of more
 *     than 19 digits that begin with 0 as other numbers, without an error:
 *     0.12345678901234567890123 as 0.000048. */
#ifndef EVENT_EVENT_JSON_H
#define EVENT_EVENT_JSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_json;

/* Create an index for texts of up to CAPACITY bytes. Returns 0, or
 * SEG_ERR_NOMEM with *RET untouched. Not thread-safe: one each. */
int event_json_new(struct event_json **ret, size_t capacity);

/* JSON may be NULL. */
void event_json_free(struct event_json *json);

/* Find the tokens of the LEN bytes at BYTES, LEN at most the capacity. The last
 * byte that is not white space must be ASCII: simdjson asks for padding, but
 * needs it only for a character that is cut off.
 *
 * *TOKENS gets the offset of each { } [ ] : , and of the first byte of each
 * string, number and literal, in order; borrowed until the next call. Returns
 * their number; SEG_ERR_UTF8, or SEG_ERR_JSON for a string without end or with
 * a control character in it. Nothing else is checked. */
int event_json_index(struct event_json *json, const char *bytes, size_t len,
                     const uint32_t **tokens);

/* The JSON number at DIGITS, which is known to be one and to stop before END,
 * rounded to nearest; infinite if it is too large. */
double event_json_double(const char *digits, const char *end);

#ifdef __cplusplus
}
#endif
#endif
