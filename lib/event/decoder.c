/* decoder.c: from the bytes of a record to a struct seg_event.
 *
 * The bytes are looked at where they are; whatever an event keeps of them is
 * copied into the arena, which holds all events since the last reset. */
#include "lib/event/decoder.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/error.h"
#include "lib/event/json.h"
#include "lib/event/mapping.h"

struct seg_decoder {
    struct arena arena;
    struct json json;
    struct mapping mapping;
};

int decoder_new(struct seg_decoder **ret, const struct event_spec *spec)
{
    struct seg_decoder *decoder = calloc(1, sizeof(*decoder));
    if (!decoder)
        return SEG_ERR_NOMEM;
    arena_init(&decoder->arena);
    if (json_init(&decoder->json, SEG_EVENT_BYTES_MAX, &decoder->arena) < 0 ||
        mapping_init(&decoder->mapping, spec) < 0) {
        seg_decoder_free(decoder);
        return SEG_ERR_NOMEM;
    }
    *ret = decoder;
    return 0;
}

void seg_decoder_free(struct seg_decoder *decoder)
{
    if (!decoder)
        return;
    mapping_done(&decoder->mapping);
    json_done(&decoder->json);
    arena_done(&decoder->arena);
    free(decoder);
}

void seg_decoder_reset(struct seg_decoder *decoder)
{
    arena_reset(&decoder->arena);
}

/* A byte order mark is allowed to be ignored (RFC 8259, section 8.1), and files
 * from Windows begin with one. */
static size_t byte_order_mark(const char *json, size_t len)
{
    return len >= 3 && !memcmp(json, "\xef\xbb\xbf", 3) ? 3 : 0;
}

int seg_decode(struct seg_decoder *decoder, const char *json, size_t len,
               struct seg_event *event, struct seg_error *detail)
{
    size_t mark, at = 0;
    int result;
    if (!len)
        return error_set(detail, SEG_ERR_EMPTY, "The record has no value.");
    if (len > SEG_EVENT_BYTES_MAX)
        return error_set(detail, SEG_ERR_EVENT_BYTES,
                         "The event has %zu bytes, more than %d.", len,
                         SEG_EVENT_BYTES_MAX);
    mark = byte_order_mark(json, len);
    result = json_open(&decoder->json, json + mark, len - mark, &at);
    if (result == SEG_ERR_JSON)
        return error_set(detail, result, "Not valid JSON at byte %zu of %zu.",
                         mark + at, len);
    if (result >= 0)
        result = mapping_decode(&decoder->mapping, &decoder->json, event);
    if (result < 0)
        error_set(detail, result, "%s", seg_error_sentence(result));
    return result < 0 ? result : 0;
}
