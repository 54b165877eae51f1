/* outbox.c: all bytes in one buffer, two arrays that point into it. Nothing is
 * allocated once it has seen its largest transaction. */
#include "daemon/protocol/outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"

struct outbox_entry {
    size_t at; /* Value, key, values of headers, one after the other. */
    uint32_t value_len, key_len;
    uint32_t header; /* Index of the first. */
    uint8_t header_count;
    uint8_t topic;
    uint8_t has_value, has_key;
};

struct outbox_header {
    const char *name; /* Static. */
    size_t at;
    size_t len;
};

void outbox_init(struct outbox *outbox)
{
    memset(outbox, 0, sizeof(*outbox));
    buf_init(&outbox->bytes);
}

void outbox_done(struct outbox *outbox)
{
    buf_done(&outbox->bytes);
    free(outbox->entries);
    free(outbox->headers);
}

void outbox_clear(struct outbox *outbox)
{
    buf_reset(&outbox->bytes);
    outbox->count = 0;
    outbox->header_count = 0;
    memset(outbox->topics, 0, sizeof(outbox->topics));
}

static int make_room(struct outbox *outbox, size_t bytes, size_t headers)
{
    char *room = buf_reserve(&outbox->bytes, bytes);
    size_t len = outbox->bytes.len;

    if (!room) {
        /* The failure is told here; what was there before is still good. */
        outbox->bytes.failed = 0;
        assert(outbox->bytes.len == len);
        return SEG_ERR_NOMEM;
    }
    if (alloc_grow((void **)&outbox->entries, &outbox->cap, outbox->count + 1,
                   sizeof(*outbox->entries)) ||
        alloc_grow((void **)&outbox->headers, &outbox->header_cap,
                   outbox->header_count + headers, sizeof(*outbox->headers)))
        return SEG_ERR_NOMEM;
    return 0;
}

int outbox_add(struct outbox *outbox, int topic, struct seg_text key,
               const struct record *record, int64_t now_ms)
{
    size_t at = outbox->bytes.len;
    struct outbox_entry *entry;

    assert(topic >= 0 && topic < BROKER_OUTPUTS);
    if (make_room(outbox, record->bytes.len + key.len,
                  (size_t)record->header_count))
        return SEG_ERR_NOMEM;
    if (!outbox->count)
        outbox->first_ms = now_ms;
    entry = &outbox->entries[outbox->count++];
    *entry =
        (struct outbox_entry){.at = at,
                              .value_len = (uint32_t)record->value_len,
                              .key_len = (uint32_t)key.len,
                              .header = (uint32_t)outbox->header_count,
                              .header_count = (uint8_t)record->header_count,
                              .topic = (uint8_t)topic,
                              .has_value = (uint8_t)record->has_value,
                              .has_key = key.bytes != NULL};
    buf_add(&outbox->bytes, record->bytes.bytes, record->bytes.len);
    buf_text(&outbox->bytes, key);
    for (int i = 0; i < record->header_count; i++)
        outbox->headers[outbox->header_count++] = (struct outbox_header){
            record->headers[i].name, at + record->headers[i].at,
            record->headers[i].len};
    outbox->topics[topic]++;
    return 0;
}

void outbox_at(const struct outbox *outbox, size_t index,
               struct broker_record *record, struct broker_header *headers)
{
    const struct outbox_entry *entry = &outbox->entries[index];
    const struct outbox_header *header = &outbox->headers[entry->header];
    const char *bytes = outbox->bytes.bytes;
    size_t end = entry->at + entry->value_len;

    assert(index < outbox->count);
    for (int i = 0; i < entry->header_count; i++) {
        headers[i] = (struct broker_header){
            header[i].name, bytes + header[i].at, header[i].len};
        end = header[i].at + header[i].len;
    }
    memset(record, 0, sizeof(*record));
    record->topic = entry->topic;
    record->key = entry->has_key ? bytes + end : NULL;
    record->key_len = entry->key_len;
    record->value = entry->has_value ? bytes + entry->at : NULL;
    record->value_len = entry->value_len;
    record->headers = headers;
    record->header_count = entry->header_count;
}
