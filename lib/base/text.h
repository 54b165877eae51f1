/* text.h: comparing and folding UTF-8. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <string.h>

#include <seg/event.h>

#include "lib/base/arena.h"

/* A literal or terminated string as a text. NULL is an absent one. */
static inline struct seg_text text_of(const char *string)
{
    return (struct seg_text){string, string ? strlen(string) : 0};
}

static inline int text_equal(struct seg_text a, struct seg_text b)
{
    return a.len == b.len && (!a.len || !memcmp(a.bytes, b.bytes, a.len));
}

/* Below 0, 0, above 0 by code point; in UTF-8 that is by byte. */
int text_compare(struct seg_text a, struct seg_text b);

/* TEXT under full Unicode case folding, in ARENA. *OUT is
 * TEXT itself if folding changes nothing. Returns 0 or SEG_ERR_NOMEM. */
int text_fold(struct arena *arena, struct seg_text text, struct seg_text *out);

/* Whether PATTERN matches the whole of TEXT: `*` any run, `?` one code point,
 * `\` takes the next character as it is. Time is at most len × len. */
int text_glob(struct seg_text pattern, struct seg_text text);

#endif
