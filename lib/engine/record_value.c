/* record_value.c: a value in a user record. */
#include "lib/engine/record_value.h"

#include <math.h>
#include <string.h>

#include "lib/user/codec.h"

#define NESTING_MAX 64
#define MEMBERS     (SEG_OBJECT + 1) /* Type of an object with members. */

void record_value_encode(struct buf *buf, const struct seg_value *value)
{
    uint64_t bits;
    buf_u8(buf,
           value->type == SEG_OBJECT && value->len ? MEMBERS : value->type);
    switch ((enum seg_value_type)value->type) {
    case SEG_BOOL:
        buf_u8(buf, value->as.boolean != 0);
        break;
    case SEG_INT:
        bits = (uint64_t)value->as.integer;
        buf_varint(buf, bits << 1 ^ (value->as.integer < 0 ? UINT64_MAX : 0));
        break;
    case SEG_DOUBLE:
        memcpy(&bits, &value->as.number, sizeof(bits));
        buf_u64(buf, bits);
        break;
    case SEG_TEXT:
        buf_varint(buf, value->len);
        buf_add(buf, value->as.text, value->len);
        break;
    case SEG_LIST:
    case SEG_OBJECT:
        if (value->type == SEG_LIST || value->len)
            buf_varint(buf, value->len);
        for (uint32_t i = 0; i < value->len; i++)
            record_value_encode(buf, &value->as.items[i]);
        break;
    case SEG_MISSING:
        break;
    }
}

static int decode(struct reader *reader, struct arena *arena,
                  struct seg_value *value, int depth);

/* Names and values in turn. */
static int is_object(const struct seg_value *value)
{
    for (uint32_t i = 0; i < value->len; i += 2)
        if (value->as.items[i].type != SEG_TEXT)
            return 0;
    return value->len % 2 == 0;
}

static int decode_list(struct reader *reader, struct arena *arena,
                       struct seg_value *value, int depth)
{
    uint64_t count = reader_varint(reader);
    if (count > reader_left(reader) || count > CODEC_LEN_MAX ||
        depth == NESTING_MAX)
        return SEG_ERR_RECORD;
    struct seg_value *items = arena_calloc(arena, count, sizeof(*items));
    if (!items)
        return SEG_ERR_NOMEM;
    for (uint64_t i = 0; i < count; i++) {
        int ret = decode(reader, arena, &items[i], depth + 1);
        if (ret < 0)
            return ret;
    }
    value->len = (uint32_t)count;
    value->as.items = items;
    return value->type == SEG_LIST || is_object(value) ? 0 : SEG_ERR_RECORD;
}

static int decode(struct reader *reader, struct arena *arena,
                  struct seg_value *value, int depth)
{
    uint64_t bits;
    struct seg_text text;
    *value = (struct seg_value){.type = reader_u8(reader)};
    switch (value->type) {
    case SEG_BOOL:
        value->as.boolean = reader_u8(reader) != 0;
        break;
    case SEG_INT:
        bits = reader_varint(reader);
        value->as.integer = (int64_t)(bits >> 1 ^ (0 - (bits & 1)));
        break;
    case SEG_DOUBLE:
        bits = reader_u64(reader);
        memcpy(&value->as.number, &bits, sizeof(bits));
        if (!isfinite(value->as.number)) /* No JSON has it. */
            return SEG_ERR_RECORD;
        break;
    case SEG_TEXT:
        text = reader_text(reader);
        if (text.len > CODEC_LEN_MAX)
            return SEG_ERR_RECORD;
        value->len = (uint32_t)text.len;
        value->as.text = text.bytes;
        break;
    case MEMBERS:
        value->type = SEG_OBJECT;
        /* fall through */
    case SEG_LIST:
        return decode_list(reader, arena, value, depth);
    case SEG_MISSING:
    case SEG_OBJECT:
        break;
    default:
        return SEG_ERR_RECORD;
    }
    return reader_failed(reader) ? SEG_ERR_RECORD : 0;
}

int record_value_decode(struct reader *reader, struct arena *arena,
                        struct seg_value *value)
{
    return decode(reader, arena, value, 0);
}
