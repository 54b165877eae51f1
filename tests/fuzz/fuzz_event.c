/* fuzz_event.c: the decoder against a naive reading of the same bytes.
 *
 *   - what is JSON is decided by a recursive reader of RFC 8259, here;
 *   - what it means by jansson, wherever that can read it;
 *   - a decoder that reads nothing and one that reads much agree, save for what
 *     only the second one meets: depth and long texts.
 *
 * The implementation of simdjson is chosen by SIMDJSON_FORCE_IMPLEMENTATION. */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/event/decoder.h"

/* ---- is it JSON? ----------------------------------------------------- */

/* What is left to read; NULL after a fault. */
struct reader {
    const unsigned char *at, *end;
};

static int peek(const struct reader *reader)
{
    return reader->at < reader->end ? *reader->at : -1;
}

static int accept(struct reader *reader, int c)
{
    if (peek(reader) != c)
        return 0;
    reader->at++;
    return 1;
}

static void skip_space(struct reader *reader)
{
    while (accept(reader, ' ') || accept(reader, '\t') ||
           accept(reader, '\n') || accept(reader, '\r'))
        ;
}

static int accept_word(struct reader *reader, const char *word)
{
    for (; *word; word++)
        if (!accept(reader, *word))
            return 0;
    return 1;
}

static int digits(struct reader *reader)
{
    int count = 0;
    for (; peek(reader) >= '0' && peek(reader) <= '9'; reader->at++)
        count++;
    return count;
}

static int valid_number(struct reader *reader)
{
    accept(reader, '-');
    if (!accept(reader, '0') && !digits(reader))
        return 0;
    if (accept(reader, '.') && !digits(reader))
        return 0;
    if (accept(reader, 'e') || accept(reader, 'E')) {
        if (!accept(reader, '+'))
            accept(reader, '-');
        return digits(reader);
    }
    return 1;
}

static int valid_string(struct reader *reader)
{
    if (!accept(reader, '"'))
        return 0;
    while (!accept(reader, '"')) {
        int c = peek(reader);
        if (c < 0x20)
            return 0;
        reader->at++;
        if (c != '\\')
            continue;
        c = peek(reader);
        if (c < 0 || !strchr("\"\\/bfnrtu", c) || !c)
            return 0;
        reader->at++;
        for (int i = 0; c == 'u' && i < 4; i++, reader->at++)
            if (peek(reader) <= 0 ||
                !strchr("0123456789abcdefABCDEF", peek(reader)))
                return 0;
    }
    return 1;
}

static int valid_value(struct reader *reader);

static int valid_items(struct reader *reader, int close, int members)
{
    skip_space(reader);
    if (accept(reader, close))
        return 1;
    do {
        skip_space(reader);
        if (members) {
            if (!valid_string(reader))
                return 0;
            skip_space(reader);
            if (!accept(reader, ':'))
                return 0;
        }
        if (!valid_value(reader))
            return 0;
    } while (accept(reader, ','));
    return accept(reader, close);
}

static int valid_value(struct reader *reader)
{
    int valid;
    skip_space(reader);
    switch (peek(reader)) {
    case '{':
        reader->at++;
        valid = valid_items(reader, '}', 1);
        break;
    case '[':
        reader->at++;
        valid = valid_items(reader, ']', 0);
        break;
    case '"':
        valid = valid_string(reader);
        break;
    case 't':
        valid = accept_word(reader, "true");
        break;
    case 'f':
        valid = accept_word(reader, "false");
        break;
    case 'n':
        valid = accept_word(reader, "null");
        break;
    default:
        valid = valid_number(reader);
    }
    skip_space(reader);
    return valid;
}

/* One character of UTF-8; 0 if it is none. */
static size_t character(const unsigned char *at, size_t left)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = *at < 0x80   ? 1
                 : *at < 0xc0 ? 0
                 : *at < 0xe0 ? 2
                 : *at < 0xf0 ? 3
                 : *at < 0xf8 ? 4
                              : 0;
    if (len <= 1 || len > left)
        return len > left ? 0 : len;
    unsigned c = *at & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (at[i] & 0x3f);
    }
    return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0
                                                                         : len;
}

static int valid_utf8(const unsigned char *at, size_t left)
{
    size_t len;
    for (; left; at += len, left -= len)
        if (!(len = character(at, left)))
            return 0;
    return 1;
}

/* The error that the form of the text earns; 0 if it is an object. */
static int judge(const unsigned char *bytes, size_t len)
{
    struct reader reader = {bytes, bytes + len};
    if (!len)
        return SEG_ERR_EMPTY;
    if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
        reader.at += 3;
    const unsigned char *from = reader.at;
    skip_space(&reader);
    if (peek(&reader) != '{')
        return peek(&reader) < 0 ? SEG_ERR_JSON : SEG_ERR_NOT_OBJECT;
    if (valid_value(&reader) && reader.at == reader.end)
        return valid_utf8(from, (size_t)(reader.end - from)) ? 0 : SEG_ERR_UTF8;
    return SEG_ERR_JSON;
}

/* ---- what does it mean? ---------------------------------------------- */

static const struct seg_text names[] = {
    {"x", 1}, {"y", 1}, {"name", 4}, {"type", 4}};
static const struct path paths[] = {
    {PATH_PROPERTIES, 1, names},     {PATH_PROPERTIES, 2, names},
    {PATH_PROPERTIES, 1, names + 2}, {PATH_CONTEXT, 1, names},
    {PATH_CONTEXT, 1, names + 1},
};
static const struct path trait_paths[] = {{PATH_USER, 2, names},
                                          {PATH_ACCOUNT, 2, names}};
static const struct event_spec reads_much = {
    .path_count = 5,
    .paths = paths,
    .trait_path_count = 2,
    .trait_paths = trait_paths,
};
static const struct event_spec reads_nothing;

static int same_text(const json_t *json, struct seg_text text)
{
    return json_is_string(json) &&
           text_equal(text, (struct seg_text){json_string_value(json),
                                              json_string_length(json)});
}

static void compare_value(const json_t *json, const struct seg_value *value)
{
    switch ((enum seg_value_type)value->type) {
    case SEG_MISSING:
        assert(!json || json_is_null(json));
        return;
    case SEG_BOOL:
        assert(json_is_boolean(json) &&
               json_is_true(json) == value->as.boolean);
        return;
    case SEG_INT:
        assert(json_is_integer(json) &&
               json_integer_value(json) == value->as.integer);
        return;
    case SEG_DOUBLE:
        assert(json_is_real(json) && json_real_value(json) == value->as.number);
        return;
    case SEG_TEXT:
        assert(same_text(json, (struct seg_text){value->as.text, value->len}));
        return;
    case SEG_OBJECT:
        assert(json_is_object(json));
        return;
    case SEG_LIST:
        assert(json_is_array(json) && json_array_size(json) == value->len);
        for (uint32_t i = 0; i < value->len; i++)
            compare_value(json_array_get(json, i), &value->as.items[i]);
        return;
    }
}

static const json_t *at_path(const json_t *root, const struct path *path)
{
    for (int i = 0; i < path->count; i++)
        root = json_object_get(root, path->names[i].bytes);
    return root;
}

static const struct seg_value *field(const struct seg_event *event,
                                     uint32_t path)
{
    static const struct seg_value missing = {.type = SEG_MISSING};
    for (uint32_t i = 0; i < event->field_count; i++)
        if (event->fields[i].path == path)
            return &event->fields[i].value;
    return &missing;
}

static void compare_fields(const json_t *json, const struct seg_event *event)
{
    const json_t *properties = json_object_get(json, "properties");
    const json_t *context = json_object_get(json, "context");
    for (uint32_t i = 0; i < 5; i++) {
        const json_t *want = at_path(i < 3 ? properties : context, &paths[i]);
        if (i == 2 && event->type != SEG_TRACK && (!want || json_is_null(want)))
            want = json_object_get(json, "name");
        compare_value(want, field(event, i));
    }
}

static void compare_traits(const json_t *json, const struct seg_event *event)
{
    json_t *traits = json_object_get(json, "traits");
    uint32_t below = event->type == SEG_GROUP;
    assert(event->trait_count == json_object_size(traits));
    for (uint32_t i = 0; i < event->trait_count; i++) {
        struct seg_text name = event->traits[i].name;
        char *key = strndup(name.bytes, name.len);
        assert(json_object_get(traits, key));
        compare_value(json_object_get(traits, key), &event->traits[i].value);
        free(key);
    }
    compare_value(at_path(traits, &trait_paths[below]),
                  field(event, 5 + below));
    assert(field(event, 6 - below)->type == SEG_MISSING);
}

static void compare_time(const json_t *json, const struct seg_event *event)
{
    const json_t *time = json_object_get(json, "timestamp");
    assert((event->time_state == SEG_TIME_MISSING) ==
           (!time || json_is_null(time)));
    if (event->time_state == SEG_TIME_GIVEN && json_is_string(time)) {
        int64_t ms;
        assert(instant_parse(text_of(json_string_value(time)), &ms) == 0);
        assert(ms == event->time_ms);
    }
}

/* EVENT is what the decoder made of what jansson read as JSON. */
static void compare(const json_t *json, const struct seg_event *event)
{
    const json_t *user = json_object_get(json, "userId");
    if (!user || json_is_null(user) || !json_string_length(user))
        user = json_object_get(json, "anonymousId");
    assert(same_text(user, event->user_id));
    compare_time(json, event);
    if (event->type == SEG_TRACK)
        assert(same_text(json_object_get(json, "event"), event->name));
    if (event->message_id.bytes)
        assert(
            same_text(json_object_get(json, "messageId"), event->message_id));
    if (event->type == SEG_GROUP)
        assert(same_text(json_object_get(json, "groupId"), event->group_id));
    if (event->type == SEG_IDENTIFY || event->type == SEG_GROUP)
        compare_traits(json, event);
    else
        compare_fields(json, event);
}

/* ---- the target ------------------------------------------------------ */

static struct seg_decoder *much, *nothing;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned seed);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return decoder_new(&much, &reads_much) ||
           decoder_new(&nothing, &reads_nothing);
}

/* Decode from memory that ends with the text and is gone afterwards. */
static int decode(struct seg_decoder *decoder, const uint8_t *data, size_t size,
                  struct seg_event *event)
{
    struct seg_error detail = {0};
    char *copy = malloc(size ? size : 1);
    assert(copy);
    memcpy(copy, data, size);
    int result = seg_decode(decoder, copy, size, event, &detail);
    free(copy);
    assert(result <= 0 && detail.code == result);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seg_event event, other;
    json_error_t ignored;
    json_t *json = NULL;
    int form = judge(data, size);
    int a = decode(much, data, size, &event);
    int b = decode(nothing, data, size, &other);
    if (form)
        assert(a == b &&
               (a == form || (a == SEG_ERR_UTF8 && form == SEG_ERR_JSON)));
    else
        assert(a == b ||
               (!b && (a == SEG_ERR_DEPTH || a == SEG_ERR_STRING_BYTES)));
    assert(a != SEG_ERR_UTF8 || !valid_utf8(data, size));
    if (!a)
        json = json_loadb((const char *)data, size, JSON_ALLOW_NUL, &ignored);
    if (json)
        compare(json, &event);
    json_decref(json);
    seg_decoder_reset(much);
    seg_decoder_reset(nothing);
    return 0;
}

/* ---- messages to begin with ------------------------------------------ */

struct writer {
    char bytes[2048];
    size_t len;
    unsigned seed;
};

static unsigned choose(struct writer *writer, unsigned count)
{
    writer->seed = writer->seed * 1664525 + 1013904223;
    return (writer->seed >> 16) % count;
}

static void put(struct writer *writer, const char *text)
{
    size_t len = strlen(text);
    if (writer->len + len < sizeof(writer->bytes)) {
        memcpy(writer->bytes + writer->len, text, len);
        writer->len += len;
    }
}

#define PUT_ONE(writer, ...)                                         \
    do {                                                             \
        static const char *const of[] = {__VA_ARGS__};               \
        put(writer, of[choose(writer, sizeof(of) / sizeof(of[0]))]); \
    } while (0)

static void put_value(struct writer *writer, int depth)
{
    unsigned n = choose(writer, 3);
    switch (choose(writer, depth > 4 ? 4 : 6)) {
    case 0:
        PUT_ONE(writer, "\"\"", "\"a\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"",
                "\"\\\"\\\\\"", "\"\xc3\xa9\"", "\"{}[]:,\"", "\"2026-01-02\"");
        return;
    case 1:
        PUT_ONE(writer, "0", "-0", "1", "-17", "9223372036854775807", "1.5",
                "1e3", "-2.5E-3", "0.1234567890123456789012", "1767323045");
        return;
    case 2:
        PUT_ONE(writer, "true", "false", "null");
        return;
    case 3:
        PUT_ONE(writer, "{}", "[]", " [ ] ", "[1,\"a\",null]");
        return;
    case 4:
        put(writer, "[");
        put_value(writer, depth + 1);
        for (; n; n--) {
            PUT_ONE(writer, ",", " , ");
            put_value(writer, depth + 1);
        }
        put(writer, "]");
        return;
    default:
        put(writer, "{");
        for (n++; n; n--) {
            PUT_ONE(writer, "\"x\":", "\"y\" : ", "\"name\":", "\"\\u0078\":",
                    "\"z\":");
            put_value(writer, depth + 1);
            put(writer, n > 1 ? "," : "}");
        }
    }
}

static void put_message(struct writer *writer)
{
    put(writer, "{");
    PUT_ONE(writer, "\"type\":\"track\"", "\"type\":\"page\"",
            "\"type\":\"screen\"", "\"type\":\"identify\"",
            "\"type\":\"group\"");
    put(writer, ",\"event\":\"E\",\"userId\":\"u\",\"groupId\":\"g\"");
    for (unsigned n = choose(writer, 7); n; n--) {
        PUT_ONE(writer, ",\"properties\":", ",\"context\":", ",\"traits\":",
                ",\"timestamp\":", ",\"name\":", ",\"messageId\":",
                ",\"anonymousId\":", ",\"other\":");
        put_value(writer, 0);
    }
    put(writer, "}");
}

/* Sometimes a new message; half of the time a piece of JSON is put in
 * somewhere, or something is cut out. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned seed)
{
    static const char *const pieces[] = {
        "\"type\":\"track\",",
        "\"type\":\"page\",",
        "\"type\":\"identify\",",
        "\"type\":\"group\",",
        "\"event\":\"E\",",
        "\"userId\":\"u\",",
        "\"anonymousId\":\"a\",",
        "\"groupId\":\"g\",",
        "\"messageId\":\"m\",",
        "\"timestamp\":\"2026-01-02T03:04:05.678Z\",",
        "\"timestamp\":1e9,",
        "\"name\":\"n\",",
        "\"properties\":{\"x\":1},",
        "\"context\":{\"x\":{\"y\":2}},",
        "\"traits\":{\"x\":{\"y\":[3]}},",
        "\"x\":",
        "\"y\":",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "null",
        "true",
        "false",
        "-0",
        "1.5e3",
        "9223372036854775808",
        "\\u0000",
        "\\ud83d",
        "\\ude00",
        "\xc3\xa9",
        " ",
        "{}",
        "[]",
        "[1,2]",
        "\"\""};
    const char *piece = pieces[seed / 4 % (sizeof(pieces) / sizeof(pieces[0]))];
    size_t len = strlen(piece), at = seed / 1024 % (size + 1);
    if (seed / 64 % 16 == 0) {
        struct writer writer = {.seed = seed};
        put_message(&writer);
        size = writer.len < max_size ? writer.len : max_size;
        memcpy(data, writer.bytes, size);
        return size;
    }
    if (seed % 4 < 2 || size + len > max_size)
        return LLVMFuzzerMutate(data, size, max_size);
    if (seed % 4 == 3) {
        len = len < size - at ? len : size - at;
        memmove(data + at, data + at + len, size - at - len);
        return size - len;
    }
    memmove(data + at + len, data + at, size - at);
    memcpy(data + at, piece, len);
    return size + len;
}
