/* reader.c: reading a binary format, never beyond its end. */
#include "lib/base/reader.h"

void reader_init(struct reader *reader, struct seg_text bytes)
{
    reader->at = (const uint8_t *)bytes.bytes;
    reader->end = reader->at + bytes.len;
    reader->failed = 0;
}

int reader_failed(const struct reader *reader)
{
    return reader->failed;
}

size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static uint64_t fail(struct reader *reader)
{
    reader->failed = 1;
    reader->at = reader->end;
    return 0;
}

static uint64_t little_endian(struct reader *reader, size_t bytes)
{
    uint64_t n = 0;
    if (reader_left(reader) < bytes)
        return fail(reader);
    for (size_t i = 0; i < bytes; i++)
        n |= (uint64_t)reader->at[i] << 8 * i;
    reader->at += bytes;
    return n;
}

uint8_t reader_u8(struct reader *reader)
{
    return (uint8_t)little_endian(reader, 1);
}

uint16_t reader_u16(struct reader *reader)
{
    return (uint16_t)little_endian(reader, 2);
}

uint32_t reader_u32(struct reader *reader)
{
    return (uint32_t)little_endian(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
    return little_endian(reader, 8);
}

uint64_t reader_varint(struct reader *reader)
{
    uint64_t n = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t byte = reader_u8(reader);
        if (shift == 63 && byte > 1) /* More than 64 bits. */
            break;
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return reader->failed ? 0 : n;
    }
    return fail(reader);
}

struct seg_text reader_bytes(struct reader *reader, uint64_t len)
{
    if (reader_left(reader) < len) {
        fail(reader);
        return (struct seg_text){"", 0};
    }
    struct seg_text text = {(const char *)reader->at, (size_t)len};
    reader->at += len;
    return text;
}

struct seg_text reader_text(struct reader *reader)
{
    return reader_bytes(reader, reader_varint(reader));
}
