/* json.h: one JSON text, checked as a whole, read in parts.
 *
 * The text is seen as the list of its tokens. A value, a member or a bracket is
 * named by the number of its token, and every opening bracket knows the token
 * that closes it, so that what nobody reads is stepped over at once:
 *
 *     {"event":"Order Placed","properties":{"total":9.5}}
 *     ^^      ^^             ^^           ^^^      ^^  ^^
 *     0 1     2 3            4 5          6 7 8    9 10 11 12
 *
 *     partner[0] = 12, partner[7] = 11
 *
 * json_open checks the whole text, read or not, by RFC 8259: brackets, commas
 * and colons, keys, numbers, literals, escapes, UTF-8, nothing but white space
 * after the end. Its answer depends on nothing but the bytes: not on who reads
 * which field, not on the processor (tests/fuzz/fuzz_event.c holds it to a
 * naive reader). Brackets may be nested to any depth, at the same cost per
 * byte. After it has said yes reading cannot meet bad grammar.
 *
 * What it does not refuse: keys that are there twice (readers take the last),
 * halves of surrogate pairs (read as U+FFFD), numbers that no type can hold
 * (read as missing). */
#ifndef EVENT_JSON_H
#define EVENT_JSON_H

#include <stddef.h>
#include <stdint.h>

#include <seg/event.h>

#include "lib/base/arena.h"
#include "lib/event/event_json.h"

struct json {
    struct event_json *index;
    uint32_t *partner;       /* Of an opening bracket; else undefined. */
    struct arena *arena;     /* For what is read; borrowed. */
    const char *bytes, *end; /* The text. */
    const uint32_t *tokens;  /* Where each begins. */
    uint32_t count;
    int escapes; /* There is a backslash somewhere. */
};

/* Make JSON ready for texts of up to CAPACITY bytes; what is read from them
 * goes into ARENA. Returns 0 or SEG_ERR_NOMEM; json_done is right in either
 * case. */
int json_init(struct json *json, size_t capacity, struct arena *arena);
void json_done(struct json *json);

/* Check the LEN bytes at BYTES, and make them the text of JSON: they stay as
 * they are until the next call.
 *
 * Returns 0; SEG_ERR_NOT_OBJECT when the first byte that is not white space is
 * no brace; SEG_ERR_UTF8 or SEG_ERR_JSON. *AT gets the offset of the fault as
 * well as it is known. LEN is at most the capacity. */
int json_open(struct json *json, const char *bytes, size_t len, size_t *at);

/* The first byte of token TOKEN: one of {}[]:," or of a number or literal. */
static inline char json_byte(const struct json *json, uint32_t token)
{
    return json->bytes[json->tokens[token]];
}

/* The token behind the value that begins at TOKEN. */
static inline uint32_t json_after(const struct json *json, uint32_t token)
{
    char c = json_byte(json, token);
    return (c == '{' || c == '[' ? json->partner[token] : token) + 1;
}

/* Members and items: the first after the bracket OPEN, the next after the value
 * at TOKEN; 0 when there is none. A member begins with its key; its value is
 * two tokens on. */
static inline uint32_t json_first(const struct json *json, uint32_t open)
{
    return json->partner[open] == open + 1 ? 0 : open + 1;
}

static inline uint32_t json_next(const struct json *json, uint32_t token)
{
    uint32_t after = json_after(json, token);
    return json_byte(json, after) == ',' ? after + 1 : 0;
}

/* How many members the object OPEN has, or items the list; linear in them, but
 * at most LIMIT + 1 are counted. */
uint32_t json_count(const struct json *json, uint32_t open, uint32_t limit);

/* The bytes between the quotes of the string at TOKEN, escapes as they are. */
static inline struct seg_text json_raw(const struct json *json, uint32_t token)
{
    const char *from = json->bytes + json->tokens[token] + 1;
    const char *to = json->bytes + json->tokens[token + 1] - 1;
    while (*to != '"') /* White space. */
        to--;
    return (struct seg_text){from, (size_t)(to - from)};
}

/* What json_peek does when there may be escapes in TEXT. */
int json_unescape(const struct json *json, struct seg_text *text);

/* The string at TOKEN, unescaped, in the text itself if it has no escapes, else
 * in the arena: to look at while the text is there. Returns 0; 1 if half a
 * surrogate pair became U+FFFD; or SEG_ERR_NOMEM. */
static inline int json_peek(const struct json *json, uint32_t token,
                            struct seg_text *text)
{
    *text = json_raw(json, token);
    return json->escapes ? json_unescape(json, text) : 0;
}

/* Move TEXT, from json_peek, into the arena if it is not there. Returns 0 or
 * SEG_ERR_NOMEM. */
int json_keep(const struct json *json, struct seg_text *text);

/* Both: the string at TOKEN, unescaped, in the arena. */
static inline int json_text(const struct json *json, uint32_t token,
                            struct seg_text *text)
{
    int mended = json_peek(json, token, text);
    return mended < 0 || json_keep(json, text) < 0 ? SEG_ERR_NOMEM : mended;
}

/* The value at TOKEN, inside DEPTH brackets. Lists are read with all that is in
 * them, objects are not entered. Null, and a number beyond any double, is
 * SEG_MISSING. Returns 0; SEG_ERR_STRING_BYTES for a text that is longer than
 * SEG_STRING_BYTES_MAX; SEG_ERR_DEPTH for a list at a depth beyond
 * SEG_DEPTH_MAX; SEG_ERR_NOMEM. */
int json_value(const struct json *json, uint32_t token, int depth,
               struct seg_value *value);

/* The same, but objects in a list are read with all their members (event.h,
 * SEG_OBJECT). */
int json_value_whole(const struct json *json, uint32_t token, int depth,
                     struct seg_value *value);

#endif
