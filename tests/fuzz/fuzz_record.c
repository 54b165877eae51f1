/* fuzz_record.c: what a restore reads: the meta record, offset metadata,
 * changes and triggers. Whatever is read is written again and must be the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/protocol/meta.h"
#include "daemon/protocol/record.h"
#include "lib/base/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_meta(const char *bytes, size_t len)
{
    static struct meta meta;
    struct seg_error detail;
    struct buf buf;

    if (meta_read(&meta, bytes, len, &detail))
        return;
    buf_init(&buf);
    meta_write(&buf, &meta);
    assert(buf.len == len && !memcmp(buf.bytes, bytes, len));
    buf_done(&buf);
}

/* The same with a checksum that is right, so that what is behind it is reached.
 */
static void fuzz_sealed(const char *bytes, size_t len)
{
    char *copy = malloc(len + 8);
    uint64_t sum = hash_bytes(bytes, len, 0);

    if (!copy)
        return;
    memcpy(copy, bytes, len);
    for (int i = 0; i < 8; i++)
        copy[len + (size_t)i] = (char)(sum >> 8 * i);
    fuzz_meta(copy, len + 8);
    free(copy);
}

static void fuzz_metadata(const char *bytes, size_t len)
{
    char text[BROKER_METADATA_BYTES], again[BROKER_METADATA_BYTES];
    struct meta_offsets offsets;

    if (len >= sizeof(text))
        len = sizeof(text) - 1;
    memcpy(text, bytes, len);
    text[len] = 0;
    if (meta_offsets_read(text, &offsets))
        return;
    meta_offsets_write(again, &offsets);
    assert(!strcmp(text, again));
}

static void fuzz_output(const char *bytes, size_t len)
{
    struct seg_error detail;
    struct record_back back;

    if (!record_read(&back, bytes, len, &detail)) {
        assert(back.restored.user_id.bytes && back.restored.segment.bytes);
        assert(back.restored.seq > 0);
    }
    record_back_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct seg_text id;

    if (size < 1)
        return 0;
    switch (data[0] % 4) {
    case 0:
        fuzz_meta(bytes + 1, size - 1);
        break;
    case 1:
        fuzz_sealed(bytes + 1, size - 1);
        break;
    case 2:
        fuzz_metadata(bytes + 1, size - 1);
        break;
    case 3:
        fuzz_output(bytes + 1, size - 1);
        break;
    }
    meta_key_read(bytes, size, &id);
    return 0;
}
