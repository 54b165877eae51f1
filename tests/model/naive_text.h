/* naive_text.h: what the language does with text, written the plain way: over
 * arrays of code points, without a thought of speed. */
#ifndef MODEL_NAIVE_TEXT_H
#define MODEL_NAIVE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include <seg/event.h>

/* Code points of a text. */
struct naive_text {
    int32_t *points;
    size_t count;
};

/* TEXT as code points, case folded if FOLD is not 0. Ends the program when
 * TEXT is not UTF-8: the parser and jansson let no such text through. */
void naive_text_init(struct naive_text *out, struct seg_text text, int fold);
void naive_text_done(struct naive_text *text);

/* Below 0, 0, above 0: by code point. */
int naive_text_compare(const struct naive_text *a, const struct naive_text *b);

/* Where PART stands in WHOLE from FROM on; -1 if it does not. */
long naive_text_find(const struct naive_text *whole,
                     const struct naive_text *part, size_t from);

/* Whether the glob PATTERN matches the whole of TEXT. */
int naive_text_glob(const struct naive_text *pattern,
                    const struct naive_text *text);

/* Whether the regular expression PATTERN, of the kind that naive_regex.c knows,
 * matches some part of TEXT. */
void naive_text_lower(struct naive_text *text); /* For one that ignores case. */
int naive_text_regex(const struct naive_text *pattern,
                     const struct naive_text *text);

/* Order of two SemVer 2.0 versions: -1, 0, 1; or 2 if one cannot be read. */
int naive_text_versions(struct seg_text a, struct seg_text b);

#endif
