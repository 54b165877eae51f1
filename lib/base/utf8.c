/* utf8.c: UTF-8 and the escapes of JSON strings. */
#include "lib/base/utf8.h"

#include <stddef.h>
#include <string.h>

static int sequence_len(const unsigned char *at, const unsigned char *end)
{
    static const struct {
        unsigned char first, last, second_low, second_high;
        int len;
    } rows[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    if (*at < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (*at < rows[i].first || *at > rows[i].last)
            continue;
        if (end - at < rows[i].len || at[1] < rows[i].second_low ||
            at[1] > rows[i].second_high)
            return 0;
        for (int j = 2; j < rows[i].len; j++)
            if (at[j] < 0x80 || at[j] > 0xbf)
                return 0;
        return rows[i].len;
    }
    return 0;
}

int utf8_len(const char *at, const char *end)
{
    return sequence_len((const unsigned char *)at, (const unsigned char *)end);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four hex digits at AT, or -1. */
static int32_t hex4(const char *at, const char *end)
{
    int32_t n = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        n = n * 16 + digit;
    }
    return n;
}

char *utf8_put(char *out, int32_t c)
{
    int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    *out++ = (char)(first[more] | c >> 6 * more);
    while (more--)
        *out++ = (char)(0x80 | (c >> 6 * more & 0x3f));
    return out;
}

/* The code point of \uXXXX or of a pair of them at *AT, which moves on; -1 if
 * it is none, 0 if it is no character. */
static int32_t unicode_escape(const char **at, const char *end)
{
    int32_t c = hex4(*at + 2, end), low;
    if (c < 0)
        return -1;
    *at += 6;
    if (c < 0xd800 || c > 0xdfff)
        return c;
    if (c > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return 0;
    low = hex4(*at + 2, end);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *at += 6;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

const char *utf8_unescape(const char **at, const char *end, char **out)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *from = *at;
    char letter = end - from > 1 ? from[1] : 0;
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found) {
        *(*out)++ = meant[found - letters];
        *at += 2;
        return NULL;
    }
    if (letter != 'u')
        return "This escape is unknown; a backslash is written \\\\.";
    int32_t c = unicode_escape(at, end);
    if (c > 0) {
        *out = utf8_put(*out, c);
        return NULL;
    }
    *at = from;
    return c < 0 ? "\\u needs four hex digits."
                 : "This escape is no character.";
}
