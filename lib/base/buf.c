/* buf.c: a growing string of bytes, and JSON written into it. */
#include "lib/base/buf.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"

#define VARINT_BYTES_MAX 10 /* Of 64 bits, seven in each. */

void buf_init(struct buf *buf)
{
    *buf = (struct buf){0};
}

void buf_done(struct buf *buf)
{
    free(buf->bytes);
    buf_init(buf);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->failed = 0;
}

int buf_failed(const struct buf *buf)
{
    return buf->failed;
}

const char *buf_string(struct buf *buf)
{
    char *end = buf_reserve(buf, 1);
    if (!end || buf->failed)
        return "";
    *end = 0;
    return buf->bytes;
}

char *buf_take(struct buf *buf)
{
    char *end = buf_reserve(buf, 1);
    if (!end || buf->failed)
        return NULL;
    *end = 0;
    char *bytes = buf->bytes;
    buf_init(buf);
    return bytes;
}

char *buf_reserve(struct buf *buf, size_t len)
{
    if (buf->cap - buf->len < len) {
        void *bytes = buf->bytes;
        if (alloc_grow(&bytes, &buf->cap, buf->len + len, 1) < 0) {
            buf->failed = 1;
            return NULL;
        }
        buf->bytes = bytes;
    }
    return buf->bytes + buf->len;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    char *at = len ? buf_reserve(buf, len) : NULL;
    if (at) {
        memcpy(at, bytes, len);
        buf->len += len;
    }
}

void buf_text(struct buf *buf, struct seg_text text)
{
    buf_add(buf, text.bytes, text.len);
}

void buf_str(struct buf *buf, const char *string)
{
    buf_add(buf, string, strlen(string));
}

void buf_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *at = len < 0 ? NULL : buf_reserve(buf, (size_t)len + 1);
    if (at) {
        vsnprintf(at, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

void buf_int(struct buf *buf, int64_t number)
{
    char digits[20];
    int n = sizeof(digits);
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--n] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (number < 0)
        buf_char(buf, '-');
    buf_add(buf, digits + n, sizeof(digits) - (size_t)n);
}

static inline void little_endian(struct buf *buf, uint64_t n, int bytes)
{
    char *at = buf_reserve(buf, (size_t)bytes);
    if (!at)
        return;
    for (int i = 0; i < bytes; i++)
        at[i] = (char)(uint8_t)(n >> 8 * i);
    buf->len += (size_t)bytes;
}

void buf_u8(struct buf *buf, uint8_t n)
{
    little_endian(buf, n, 1);
}

void buf_u16(struct buf *buf, uint16_t n)
{
    little_endian(buf, n, 2);
}

void buf_u32(struct buf *buf, uint32_t n)
{
    little_endian(buf, n, 4);
}

void buf_u64(struct buf *buf, uint64_t n)
{
    little_endian(buf, n, 8);
}

void buf_varint(struct buf *buf, uint64_t n)
{
    char *at = buf_reserve(buf, VARINT_BYTES_MAX);
    size_t len = 0;
    if (!at)
        return;
    do {
        at[len++] = (char)(uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
        n >>= 7;
    } while (n);
    buf->len += len;
}

static void json_escape(struct buf *buf, unsigned char c)
{
    switch (c) {
    case '"':
        buf_str(buf, "\\\"");
        break;
    case '\\':
        buf_str(buf, "\\\\");
        break;
    case '\n':
        buf_str(buf, "\\n");
        break;
    case '\r':
        buf_str(buf, "\\r");
        break;
    case '\t':
        buf_str(buf, "\\t");
        break;
    default:
        buf_printf(buf, "\\u%04x", c);
    }
}

void buf_json_text(struct buf *buf, struct seg_text text)
{
    size_t from = 0;
    buf_char(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(buf, text.bytes + from, i - from);
        json_escape(buf, c);
        from = i + 1;
    }
    buf_add(buf, text.bytes + from, text.len - from);
    buf_char(buf, '"');
}

static void json_double(struct buf *buf, double number)
{
    char text[40];
    if (!isfinite(number)) {
        buf_str(buf, "null");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    buf_str(buf, text);
    if (!strpbrk(text, ".eE"))
        buf_str(buf, ".0");
}

void buf_json_value(struct buf *buf, const struct seg_value *value)
{
    switch ((enum seg_value_type)value->type) {
    case SEG_MISSING:
        buf_str(buf, "null");
        break;
    case SEG_BOOL:
        buf_str(buf, value->as.boolean ? "true" : "false");
        break;
    case SEG_INT:
        buf_int(buf, value->as.integer);
        break;
    case SEG_DOUBLE:
        json_double(buf, value->as.number);
        break;
    case SEG_TEXT:
        buf_json_text(buf, (struct seg_text){value->as.text, value->len});
        break;
    case SEG_LIST:
        buf_char(buf, '[');
        for (uint32_t i = 0; i < value->len; i++) {
            if (i)
                buf_char(buf, ',');
            buf_json_value(buf, &value->as.items[i]);
        }
        buf_char(buf, ']');
        break;
    case SEG_OBJECT:
        buf_char(buf, '{');
        for (uint32_t i = 0; i < value->len; i++) {
            if (i)
                buf_char(buf, i % 2 ? ':' : ',');
            buf_json_value(buf, &value->as.items[i]);
        }
        buf_char(buf, '}');
        break;
    }
}
