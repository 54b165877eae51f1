/* utf8.h: UTF-8 (RFC 3629) and the escapes of JSON strings (RFC 8259). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdint.h>

/* Bytes of the character that begins at AT (before END), 1 to 4; 0: these bytes
 * are no UTF-8. */
int utf8_len(const char *at, const char *end);

/* Write the code point C (not a surrogate) at OUT. Returns the end, at most 4
 * bytes on. */
char *utf8_put(char *out, int32_t c);

/* Decode the escape that begins at *AT, a backslash before END, to *OUT; both
 * move on, *OUT by no more bytes than *AT. Returns NULL, or what is wrong with
 * the escape as one sentence (static), both as they were. \u0000 is refused. */
const char *utf8_unescape(const char **at, const char *end, char **out);

#endif
