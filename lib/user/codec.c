/* codec.c: values and 64-bit numbers in the words of an item. */
#include "lib/user/codec.h"

static uint32_t payload(enum seg_value_type type, uint32_t len)
{
    switch (type) {
    case SEG_INT:
    case SEG_DOUBLE:
        return 2;
    case SEG_TEXT:
        return (len + 3) / 4;
    case SEG_MISSING:
    case SEG_BOOL:
    case SEG_LIST:
    case SEG_OBJECT:
        return 0;
    }
    return 0;
}

/* Whether values of TYPE hold LEN others. */
static int has_items(uint32_t type)
{
    return type == SEG_LIST || type == SEG_OBJECT;
}

uint32_t codec_words(const struct seg_value *value)
{
    uint32_t words = 1 + payload(value->type, value->len);
    for (uint32_t i = 0; has_items(value->type) && i < value->len; i++)
        words += codec_words(&value->as.items[i]);
    return words;
}

uint32_t codec_put(word *words, const struct seg_value *value)
{
    uint32_t len = value->type == SEG_TEXT || has_items(value->type)
                       ? value->len
                   : value->type == SEG_BOOL ? (uint32_t)value->as.boolean
                                             : 0;
    uint32_t at = 1 + payload(value->type, len);
    words[0] = value->type | len << 8;
    if (value->type == SEG_INT) {
        codec_put_i64(words + 1, value->as.integer);
    } else if (value->type == SEG_DOUBLE) {
        memcpy(words + 1, &value->as.number, sizeof(double));
    } else if (value->type == SEG_TEXT && len) {
        words[at - 1] = 0;
        memcpy(words + 1, value->as.text, len);
    } else if (has_items(value->type)) {
        for (uint32_t i = 0; i < len; i++)
            at += codec_put(words + at, &value->as.items[i]);
    }
    return at;
}

uint32_t codec_len(const word *words)
{
    uint32_t type = words[0] & 0xff, len = words[0] >> 8;
    uint32_t at = 1 + payload(type, len);
    for (uint32_t i = 0; has_items(type) && i < len; i++)
        at += codec_len(words + at);
    return at;
}

static int get_list(const word *words, uint32_t len, struct arena *arena,
                    struct seg_value *value)
{
    struct seg_value *items;
    if (!arena) {
        value->type = SEG_OBJECT;
        return 0;
    }
    items = arena_calloc(arena, len, sizeof(*items));
    if (!items)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < len; i++) {
        if (codec_get(words, arena, &items[i]) < 0)
            return SEG_ERR_NOMEM;
        words += codec_len(words);
    }
    value->len = len;
    value->as.items = items;
    return 0;
}

int codec_get(const word *words, struct arena *arena, struct seg_value *value)
{
    uint32_t len = words[0] >> 8;
    *value = (struct seg_value){.type = (uint8_t)(words[0] & 0xff)};
    switch ((enum seg_value_type)value->type) {
    case SEG_BOOL:
        value->as.boolean = (int)len;
        break;
    case SEG_INT:
        value->as.integer = codec_get_i64(words + 1);
        break;
    case SEG_DOUBLE:
        memcpy(&value->as.number, words + 1, sizeof(double));
        break;
    case SEG_TEXT:
        value->len = len;
        value->as.text = (const char *)(words + 1);
        break;
    case SEG_LIST:
    case SEG_OBJECT:
        return get_list(words + 1, len, arena, value);
    case SEG_MISSING:
        break;
    }
    return 0;
}
