/* meta.c: the formats, byte by byte.
 *
 * The meta record, little-endian. text = u16 length, bytes.
 * mark = i64 position, i64 witness, i64 timestamp, u64 checksum (32 bytes).
 *
 *   offset  type
 *        0  u8    version (SEG_STATE_VERSION of <seg/engine.h>)
 *        1  u8    flags: 1 = the sweep of the catalogue is done
 *        2  u64   incarnation
 *       10  u64   txn        \
 *       18  i64   clock, ms   } of the transaction that wrote this record
 *       26  u64   tag        /
 *       34  8     hash of the catalogue, ASCII hex digits
 *       42  i64   ms of the latest event so far
 *       50  u16   inputs, then for each, in the order of their names:
 *                   text  topic
 *                   i64   offset committed by the transaction
 *                   mark  from where a restore folds it again
 *                   u16   n, records in the window of bad ones (0 to 1000)
 *                   u8[]  (n + 7) / 8 bytes of bits, oldest record first,
 *                         lowest bit first, 1 = bad; unused bits are 0
 *           u8    outputs: 3, then for changes, triggers, dead letters:
 *                   mark  from where a restore folds it again
 *                   i64   tail: nothing of the transaction stands below
 *                   u32   own: records of the transaction
 *           u64   XXH3 of all bytes before
 *
 * The checksum is no protection against Kafka but against us: a record that was
 * cut or mixed up must not look like positions.
 *
 * A change of meaning raises the version; versions n and n - 1 are read, a
 * newer one is refused. */
#include "daemon/protocol/meta.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/hash.h"

enum { FLAG_SWEPT = 1 };

enum meta_key meta_key_read(const char *key, size_t len, struct seg_text *id)
{
    if (len == 1 && key[0] == META_KEY_META)
        return META_KEY_IS_META;
    if (len == 1 && key[0] == META_KEY_CATALOGUE)
        return META_KEY_IS_CATALOGUE;
    if (len < 2 || key[0] != META_KEY_USER)
        return META_KEY_IS_UNKNOWN;
    *id = (struct seg_text){key + 1, len - 1};
    return META_KEY_IS_USER;
}

/* ---- metadata of offsets ----------------------------------------------- */

void meta_offsets_write(char out[BROKER_METADATA_BYTES],
                        const struct meta_offsets *offsets)
{
    snprintf(out, BROKER_METADATA_BYTES,
             "v1:%" PRIu64 ":%" PRId64 ":%016" PRIx64, offsets->txn,
             offsets->clock_ms, offsets->tag);
}

int meta_offsets_read(const char *metadata, struct meta_offsets *offsets)
{
    char again[BROKER_METADATA_BYTES];
    struct meta_offsets read;

    if (sscanf(metadata, "v1:%" SCNu64 ":%" SCNd64 ":%" SCNx64, &read.txn,
               &read.clock_ms, &read.tag) != 3)
        return SEG_ERR_RECORD;
    /* Ours are written in one way only: no sign, space or overflow passes. */
    meta_offsets_write(again, &read);
    if (strcmp(again, metadata))
        return SEG_ERR_RECORD;
    *offsets = read;
    return 0;
}

/* ---- writing ----------------------------------------------------------- */

static void write_mark(struct buf *buf, const struct meta_mark *mark)
{
    buf_u64(buf, (uint64_t)mark->position);
    buf_u64(buf, (uint64_t)mark->witness);
    buf_u64(buf, (uint64_t)mark->timestamp_ms);
    buf_u64(buf, mark->checksum);
}

static void write_bad(struct buf *buf, const struct bad *bad)
{
    buf_u16(buf, bad->count);
    for (int i = 0; i < bad->count; i += 8) {
        unsigned byte = 0;
        for (int j = i; j < i + 8 && j < bad->count; j++)
            byte |= (unsigned)bad_at(bad, j) << (j - i);
        buf_u8(buf, (uint8_t)byte);
    }
}

static void write_input(struct buf *buf, const struct meta_input *input)
{
    buf_u16(buf, (uint16_t)input->topic.len);
    buf_text(buf, input->topic);
    buf_u64(buf, (uint64_t)input->offset);
    write_mark(buf, &input->redo);
    write_bad(buf, &input->bad);
}

void meta_write(struct buf *buf, const struct meta *meta)
{
    size_t start = buf->len;
    int version = meta->version ? meta->version : SEG_STATE_VERSION;

    buf_u8(buf, (uint8_t)version);
    buf_u8(buf, meta->swept ? FLAG_SWEPT : 0);
    buf_u64(buf, meta->incarnation);
    buf_u64(buf, meta->offsets.txn);
    buf_u64(buf, (uint64_t)meta->offsets.clock_ms);
    buf_u64(buf, meta->offsets.tag);
    buf_add(buf, meta->catalogue, 8);
    buf_u64(buf, (uint64_t)meta->latest_ms);
    buf_u16(buf, (uint16_t)meta->input_count);
    for (int i = 0; i < meta->input_count; i++)
        write_input(buf, &meta->inputs[i]);
    buf_u8(buf, META_OUTPUTS);
    for (int i = 0; i < META_OUTPUTS; i++) {
        write_mark(buf, &meta->outputs[i].fold);
        buf_u64(buf, (uint64_t)meta->outputs[i].tail);
        buf_u32(buf, meta->outputs[i].own);
    }
    if (version > 2)
        buf_u32(buf, SEG_STATE_TAIL);
    if (!buf_failed(buf))
        buf_u64(buf, hash_bytes(buf->bytes + start, buf->len - start, 0));
}

/* ---- reading ----------------------------------------------------------- */

/* What is left to be read. Reading beyond the end gives zeros and is
 * remembered. */
struct cursor {
    const unsigned char *at, *end;
    int failed;
};

static const unsigned char *take(struct cursor *c, size_t len)
{
    const unsigned char *at = c->at;

    if ((size_t)(c->end - c->at) < len) {
        c->failed = 1;
        return NULL;
    }
    c->at += len;
    return at;
}

/* A little-endian number of LEN bytes. */
static uint64_t number(struct cursor *c, size_t len)
{
    const unsigned char *p = take(c, len);
    uint64_t n = 0;

    for (size_t i = len; p && i-- > 0;)
        n = n << 8 | p[i];
    return n;
}

static void read_mark(struct cursor *c, struct meta_mark *mark)
{
    mark->position = (int64_t)number(c, 8);
    mark->witness = (int64_t)number(c, 8);
    mark->timestamp_ms = (int64_t)number(c, 8);
    mark->checksum = number(c, 8);
    c->failed |= mark->position < 0 || mark->witness < -1 ||
                 mark->witness >= mark->position;
}

static void read_bad(struct cursor *c, struct bad *bad)
{
    int count = (int)number(c, 2);
    const unsigned char *bits;

    if (count > BAD_WINDOW)
        c->failed = 1;
    bits = take(c, ((size_t)count + 7) / 8);
    for (int i = 0; bits && !c->failed && i < count; i++)
        bad_note(bad, bits[i / 8] >> i % 8 & 1);
    if (bits && count % 8 && bits[count / 8] >> count % 8)
        c->failed = 1;
}

static void read_input(struct cursor *c, struct meta_input *input)
{
    input->topic.len = (size_t)number(c, 2);
    input->topic.bytes = (const char *)take(c, input->topic.len);
    input->offset = (int64_t)number(c, 8);
    read_mark(c, &input->redo);
    read_bad(c, &input->bad);
    c->failed |= input->redo.position > input->offset;
}

static void read_body(struct cursor *c, struct meta *meta)
{
    const unsigned char *hash;
    unsigned flags = (unsigned)number(c, 1);

    meta->swept = flags & FLAG_SWEPT;
    c->failed |= (flags & ~(unsigned)FLAG_SWEPT) != 0;
    meta->incarnation = number(c, 8);
    meta->offsets.txn = number(c, 8);
    meta->offsets.clock_ms = (int64_t)number(c, 8);
    meta->offsets.tag = number(c, 8);
    if ((hash = take(c, 8)))
        memcpy(meta->catalogue, hash, 8);
    meta->latest_ms = (int64_t)number(c, 8);
    meta->input_count = (int)number(c, 2);
    if (meta->input_count > SEG_TOPICS_MAX) {
        c->failed = 1;
        return;
    }
    for (int i = 0; i < meta->input_count && !c->failed; i++)
        read_input(c, &meta->inputs[i]);
    c->failed |= number(c, 1) != META_OUTPUTS;
    for (int i = 0; i < META_OUTPUTS && !c->failed; i++) {
        read_mark(c, &meta->outputs[i].fold);
        meta->outputs[i].tail = (int64_t)number(c, 8);
        meta->outputs[i].own = (uint32_t)number(c, 4);
    }
    c->failed |= meta->version > 2 && number(c, 4) != SEG_STATE_TAIL;
}

int meta_read(struct meta *meta, const char *bytes, size_t len,
              struct seg_error *detail)
{
    struct cursor c = {(const unsigned char *)bytes, NULL, 0};
    struct cursor tail;

    memset(meta, 0, sizeof(*meta));
    if (!bytes || len < 9)
        return error_set(detail, SEG_ERR_RECORD,
                         "the meta record is too short");
    if ((unsigned char)bytes[0] > SEG_STATE_VERSION)
        return error_set(detail, SEG_ERR_RECORD_VERSION,
                         "the meta record is of version %d, this program "
                         "reads up to %d",
                         (unsigned char)bytes[0], SEG_STATE_VERSION);
    c.end = c.at + len - 8;
    tail = (struct cursor){c.end, c.end + 8, 0};
    if (number(&tail, 8) != hash_bytes(bytes, len - 8, 0) ||
        (meta->version = (int)number(&c, 1)) < SEG_STATE_VERSION_OLDEST)
        return error_set(detail, SEG_ERR_RECORD,
                         "the meta record is damaged (its checksum is wrong)");
    read_body(&c, meta);
    if (c.failed || c.at != c.end)
        return error_set(detail, SEG_ERR_RECORD,
                         "the meta record cannot be read");
    return 0;
}

uint64_t meta_checksum(const char *key, size_t key_len, const char *value,
                       size_t value_len)
{
    uint64_t sum = key ? hash_bytes(key, key_len, 1) : 0;

    return value ? hash_bytes(value, value_len, sum) : sum;
}
