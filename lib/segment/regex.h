/* regex.h: `matches regex`: RE2, seen from C.
 *
 * A pattern is searched for anywhere in a text, in time linear in the text; a
 * pattern that RE2 refuses (back references, too large) is an error of the
 * file. Case is ignored in RE2's own way.
 *
 * A compiled pattern takes REGEX_BYTES_MAX at most: of these two thirds for the
 * program, and a pattern whose program is larger is refused; the rest for what
 * searching learns about texts. When that is full it is thrown away and learnt
 * anew, or the search goes on without: more slowly, but with the same answer.
 * Where there is no memory at all functions say so; nothing is thrown. */
#ifndef SEGMENT_REGEX_H
#define SEGMENT_REGEX_H

#include <stddef.h>

#include <seg/event.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REGEX_BYTES_MAX (1 << 20)

struct regex;

/* Whether PATTERN is refused: 0 it is fine; 1 with RE2's reason in WHY, of SIZE
 * bytes; SEG_ERR_NOMEM. */
int regex_refused(struct seg_text pattern, int ignoring_case, char *why,
                  size_t size);

/* Compile PATTERN. Returns 0, SEG_ERR_INVALID if it is refused, or
 * SEG_ERR_NOMEM. */
int regex_new(struct regex **ret, struct seg_text pattern, int ignoring_case);
void regex_free(struct regex *regex);

/* Whether REGEX is found in TEXT, which is valid UTF-8: 0, 1 or SEG_ERR_NOMEM.
 * Any thread. */
int regex_found(const struct regex *regex, struct seg_text text);

#ifdef __cplusplus
}
#endif
#endif
