/* cursor.c: how far a list of members was read, as a word. */
#include "daemon/http/cursor.h"

#include <limits.h>
#include <string.h>

#include <seg/error.h>

#include "lib/base/hash.h"
#include "lib/base/reader.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static uint32_t seal(const char *bytes, size_t len, const char *key)
{
    return (uint32_t)hash_bytes(bytes, len, hash_bytes(key, strlen(key), 0));
}

/* ---- writing ----------------------------------------------------------- */

/* The LEN bytes at BYTES as base64url, without padding. */
static void write_digits(struct buf *out, const char *bytes, size_t len)
{
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | (uint8_t)bytes[i];
        for (held += 8; held >= 6; held -= 6)
            buf_char(out, digits[bits >> (held - 6) & 63]);
    }
    if (held)
        buf_char(out, digits[bits << (6 - held) & 63]);
}

void cursor_write(struct buf *out, const struct cursor *cursor, const char *key)
{
    struct buf bytes;
    buf_init(&bytes);
    buf_varint(&bytes, cursor->boot);
    buf_varint(&bytes, (uint64_t)cursor->partition);
    buf_varint(&bytes, cursor->incarnation);
    buf_varint(&bytes, cursor->place);
    buf_varint(&bytes, (uint64_t)cursor->count);
    for (int i = 0; i < cursor->count; i++) {
        buf_varint(&bytes, (uint64_t)cursor->positions[i].partition);
        buf_varint(&bytes, (uint64_t)cursor->positions[i].position);
    }
    if (!buf_failed(&bytes))
        buf_u32(&bytes, seal(bytes.bytes, bytes.len, key));
    if (buf_failed(&bytes))
        out->failed = 1;
    else
        write_digits(out, bytes.bytes, bytes.len);
    buf_done(&bytes);
}

/* ---- reading ----------------------------------------------------------- */

/* Returns 0, or SEG_ERR_INVALID for a digit that is none. */
static int read_digits(struct buf *out, const char *text)
{
    uint32_t bits = 0;
    int held = 0;
    for (; *text; text++) {
        const char *digit = strchr(digits, *text);
        if (!digit)
            return SEG_ERR_INVALID;
        bits = bits << 6 | (uint32_t)(digit - digits);
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        buf_u8(out, (uint8_t)(bits >> held));
    }
    return 0;
}

static int read_int(struct reader *reader)
{
    uint64_t n = reader_varint(reader);
    if (n > INT_MAX)
        reader->failed = 1;
    return n > INT_MAX ? 0 : (int)n;
}

static int read_fields(struct cursor *cursor, struct seg_text bytes)
{
    struct reader reader;
    reader_init(&reader, bytes);
    cursor->boot = reader_varint(&reader);
    cursor->partition = read_int(&reader);
    cursor->incarnation = reader_varint(&reader);
    cursor->place = reader_varint(&reader);
    cursor->count = read_int(&reader);
    if (cursor->count > CURSOR_PARTITIONS_MAX)
        return SEG_ERR_INVALID;
    for (int i = 0; i < cursor->count; i++) {
        cursor->positions[i].partition = read_int(&reader);
        cursor->positions[i].position = (int64_t)reader_varint(&reader);
    }
    return reader_failed(&reader) || reader_left(&reader) ? SEG_ERR_INVALID : 0;
}

/* The seal is no secret; it keeps mistakes out. */
static int read_sealed(struct cursor *cursor, struct seg_text bytes,
                       const char *key)
{
    struct reader end;
    if (bytes.len < sizeof(uint32_t))
        return SEG_ERR_INVALID;
    bytes.len -= sizeof(uint32_t);
    reader_init(&end,
                (struct seg_text){bytes.bytes + bytes.len, sizeof(uint32_t)});
    if (reader_u32(&end) != seal(bytes.bytes, bytes.len, key))
        return SEG_ERR_INVALID;
    return read_fields(cursor, bytes);
}

int cursor_read(struct cursor *cursor, const char *text, const char *key)
{
    struct buf bytes;
    buf_init(&bytes);
    int err = read_digits(&bytes, text);
    if (!err && buf_failed(&bytes))
        err = SEG_ERR_NOMEM;
    if (!err)
        err =
            read_sealed(cursor, (struct seg_text){bytes.bytes, bytes.len}, key);
    buf_done(&bytes);
    return err;
}
