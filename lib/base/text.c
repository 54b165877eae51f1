/* text.c: comparing and folding UTF-8. */
#include "lib/base/text.h"

#include <stdlib.h>
#include <utf8proc.h>

int text_compare(struct seg_text a, struct seg_text b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.bytes, b.bytes, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int is_lower_ascii(struct seg_text text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if (c >= 0x80 || (c >= 'A' && c <= 'Z'))
            return 0;
    }
    return 1;
}

/* Folding a code point yields at most three, of at most four bytes each. */
#define FOLDED_BYTES_MAX 12

int text_fold(struct arena *arena, struct seg_text text, struct seg_text *out)
{
    if (is_lower_ascii(text)) {
        *out = text;
        return 0;
    }
    uint8_t *folded = arena_alloc(arena, text.len * FOLDED_BYTES_MAX + 1);
    if (!folded)
        return SEG_ERR_NOMEM;
    size_t len = 0;
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text.bytes;
    utf8proc_ssize_t left = (utf8proc_ssize_t)text.len, n;
    utf8proc_int32_t c, run[4];
    for (; left > 0; at += n, left -= n) {
        n = utf8proc_iterate(at, left, &c);
        if (n < 1) { /* Not UTF-8: keep the byte. */
            folded[len++] = *at;
            n = 1;
            continue;
        }
        int boundary = 0;
        utf8proc_ssize_t count =
            utf8proc_decompose_char(c, run, 4, UTF8PROC_CASEFOLD, &boundary);
        for (utf8proc_ssize_t i = 0; i < count && i < 4; i++)
            len += (size_t)utf8proc_encode_char(run[i], folded + len);
    }
    *out = (struct seg_text){(const char *)folded, len};
    return 0;
}

static size_t code_point_len(unsigned char c)
{
    return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* Greedy with one point of return: a later star makes earlier ones moot. */
int text_glob(struct seg_text pattern, struct seg_text text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, back = 0;
    while (t < text.len) {
        char c = p < pattern.len ? pattern.bytes[p] : 0;
        if (p < pattern.len && c == '*') {
            star = ++p;
            back = t;
            continue;
        }
        if (p < pattern.len && c == '?') {
            p++;
            t += code_point_len((unsigned char)text.bytes[t]);
            continue;
        }
        size_t literal = p + (p + 1 < pattern.len && c == '\\');
        if (p < pattern.len && pattern.bytes[literal] == text.bytes[t]) {
            p = literal + 1;
            t++;
            continue;
        }
        if (star == SIZE_MAX)
            return 0;
        p = star;
        back += code_point_len((unsigned char)text.bytes[back]);
        t = back;
    }
    while (p < pattern.len && pattern.bytes[p] == '*')
        p++;
    return p == pattern.len && t == text.len;
}
