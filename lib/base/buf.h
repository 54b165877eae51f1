/* buf.h: a growing string of bytes, and JSON written into it.
 *
 * Running out of memory is remembered rather than returned: write it all, then
 * ask buf_failed once. What was written after the failure is missing. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include <seg/event.h>

struct buf {
    char *bytes; /* Not terminated, see buf_string. */
    size_t len, cap;
    int failed;
};

void buf_init(struct buf *buf);
void buf_done(struct buf *buf);

/* Empty it; memory and, unlike all else, `failed` are reset. */
void buf_reset(struct buf *buf);

/* Whether memory ran out since init or reset. */
int buf_failed(const struct buf *buf);

/* The content, terminated; "" if memory ran out. Valid until the next call. */
const char *buf_string(struct buf *buf);

/* The content as a heap string to free(), BUF is empty afterwards; NULL if
 * memory ran out. */
char *buf_take(struct buf *buf);

/* Room for LEN bytes to be written by the caller, who then adds to buf->len;
 * NULL: no memory. */
char *buf_reserve(struct buf *buf, size_t len);

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_text(struct buf *buf, struct seg_text text);
void buf_str(struct buf *buf, const char *string);
void buf_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buf_int(struct buf *buf, int64_t number);

/* Little-endian, for binary formats. */
void buf_u8(struct buf *buf, uint8_t n);
void buf_u16(struct buf *buf, uint16_t n);
void buf_u32(struct buf *buf, uint32_t n);
void buf_u64(struct buf *buf, uint64_t n);

/* LEB128, 1 to 10 bytes. */
void buf_varint(struct buf *buf, uint64_t n);

/* TEXT (valid UTF-8) as a JSON string with its quotes. */
void buf_json_text(struct buf *buf, struct seg_text text);

/* VALUE as JSON; SEG_MISSING as null, SEG_OBJECT with the members that are
 * known. Doubles in the shortest
 * form that reads back the same; what is not finite as null. */
void buf_json_value(struct buf *buf, const struct seg_value *value);

#endif
