/* reader.h: reading a binary format, never beyond its end.
 *
 * The first read that does not fit marks the reader as failed; it and all later
 * ones give zeros. Ask reader_failed once at the end. */
#ifndef BASE_READER_H
#define BASE_READER_H

#include <stdint.h>

#include <seg/event.h>

struct reader {
    const uint8_t *at, *end;
    int failed;
};

void reader_init(struct reader *reader, struct seg_text bytes);
int reader_failed(const struct reader *reader);
size_t reader_left(const struct reader *reader);

/* Little-endian, as buf.h writes them. */
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
uint64_t reader_varint(struct reader *reader);

/* LEN bytes, borrowed. */
struct seg_text reader_bytes(struct reader *reader, uint64_t len);

/* A varint length and as many bytes. */
struct seg_text reader_text(struct reader *reader);

#endif
