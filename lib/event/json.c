/* json.c: one JSON text, checked as a whole, read in parts. */
#include "lib/event/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/utf8.h"

#define NONE UINT32_MAX

int json_init(struct json *json, size_t capacity, struct arena *arena)
{
    *json = (struct json){.arena = arena};
    json->partner = malloc((capacity + 1) * sizeof(*json->partner));
    if (!json->partner)
        return SEG_ERR_NOMEM;
    return event_json_new(&json->index, capacity);
}

void json_done(struct json *json)
{
    event_json_free(json->index);
    free(json->partner);
    *json = (struct json){0};
}

/* ---- checking -------------------------------------------------------- */

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_digits(const char *at)
{
    while (is_digit(*at))
        at++;
    return at;
}

/* The end of the number at AT, or NULL. */
static const char *number_end(const char *at)
{
    const char *from;
    at += *at == '-';
    if (!is_digit(*at))
        return NULL;
    at = *at == '0' ? at + 1 : skip_digits(at);
    if (*at == '.') {
        from = at + 1;
        at = skip_digits(from);
        if (at == from)
            return NULL;
    }
    if (*at == 'e' || *at == 'E') {
        from = at + 1;
        from += *from == '+' || *from == '-';
        at = skip_digits(from);
        if (at == from)
            return NULL;
    }
    return at;
}

/* Whether a number or literal begins at AT and ends there: the index has no
 * token for what follows one without a gap. */
static int is_scalar(const char *at)
{
    if (*at == 't')
        at = at[1] == 'r' && at[2] == 'u' && at[3] == 'e' ? at + 4 : NULL;
    else if (*at == 'f')
        at = at[1] == 'a' && at[2] == 'l' && at[3] == 's' && at[4] == 'e'
                 ? at + 5
                 : NULL;
    else if (*at == 'n')
        at = at[1] == 'u' && at[2] == 'l' && at[3] == 'l' ? at + 4 : NULL;
    else
        at = number_end(at);
    return at && (*at == ',' || *at == '}' || *at == ']' || is_space(*at));
}

static int is_hex(char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* The first bad escape from the backslash AT on, or NULL. A backslash outside a
 * string is taken for one, too; as a token it was refused before. */
static const char *bad_escape(const char *at, const char *end)
{
    for (; at; at = memchr(at, '\\', (size_t)(end - at))) {
        if (at[1] == 'u') {
            if (!is_hex(at[2]) || !is_hex(at[3]) || !is_hex(at[4]) ||
                !is_hex(at[5]))
                return at;
            at += 6;
        } else if (at[1] && strchr("\"\\/bfnrt", at[1])) {
            at += 2;
        } else {
            return at;
        }
    }
    return NULL;
}

/* Walk over all tokens. While a bracket is open its partner is the one around
 * it: that is the stack. Returns whether all is well; else *BAD is the token
 * that does not fit.
 *
 * The first token opens an object and the last closes one. So whatever is read
 * from a token on, bytes or tokens, ends at the last token at the latest, which
 * fits nowhere but as a closing bracket. */
static int walk(struct json *json, uint32_t *bad)
{
    const char *bytes = json->bytes;
    const uint32_t *tokens = json->tokens;
    uint32_t *partner = json->partner, open = NONE, at = 0;
    char closing = 0;
    for (;;) {
        if (closing == '}') {
            if (bytes[tokens[at]] != '"' || bytes[tokens[at + 1]] != ':')
                break;
            at += 2;
        }
        char c = bytes[tokens[at]];
        if (c == '"') {
            at++;
        } else if (c == '{' || c == '[') {
            partner[at] = open;
            open = at++;
            closing = (char)(c + 2); /* In ASCII } and ] are two further. */
            if (bytes[tokens[at]] != closing)
                continue;
        } else if (is_scalar(bytes + tokens[at])) {
            at++;
        } else {
            break;
        }
        while (bytes[tokens[at]] == closing) {
            uint32_t outer = partner[open];
            partner[open] = at++;
            open = outer;
            if (open == NONE || at == json->count) {
                *bad = at;
                return open == NONE && at == json->count;
            }
            closing = (char)(bytes[tokens[open]] + 2);
        }
        if (bytes[tokens[at]] != ',')
            break;
        at++;
    }
    *bad = at;
    return 0;
}

/* What no object begins or ends with is turned away at once. What follows may
 * rely on the braces: whoever reads a token, an escape or a character of
 * several bytes stops at the last one. */
static int check_braces(struct json *json, size_t *at)
{
    const char *from = json->bytes, *to = json->end;
    while (from < to && is_space(*from))
        from++;
    while (from < to && is_space(to[-1]))
        to--;
    *at = (size_t)(from - json->bytes);
    if (from == to)
        return SEG_ERR_JSON;
    if (*from != '{')
        return SEG_ERR_NOT_OBJECT;
    *at = (size_t)(to - json->bytes);
    return to[-1] == '}' ? 0 : SEG_ERR_JSON;
}

int json_open(struct json *json, const char *bytes, size_t len, size_t *at)
{
    uint32_t bad;
    json->bytes = bytes;
    json->end = bytes + len;
    int result = check_braces(json, at);
    if (result < 0)
        return result;
    *at = 0;
    result = event_json_index(json->index, bytes, len, &json->tokens);
    if (result < 0)
        return result;
    json->count = (uint32_t)result;
    if (!walk(json, &bad)) {
        *at = bad < json->count ? json->tokens[bad] : len;
        return SEG_ERR_JSON;
    }
    const char *escape = memchr(bytes, '\\', len);
    json->escapes = escape != NULL;
    escape = bad_escape(escape, json->end);
    if (!escape)
        return 0;
    *at = (size_t)(escape - bytes);
    return SEG_ERR_JSON;
}

/* ---- reading --------------------------------------------------------- */

uint32_t json_count(const struct json *json, uint32_t open, uint32_t limit)
{
    uint32_t step = json_byte(json, open) == '{' ? 2 : 0, count = 0;
    for (uint32_t at = json_first(json, open); at && count <= limit;
         at = json_next(json, at + step))
        count++;
    return count;
}

static uint32_t hex4(const char *at)
{
    uint32_t n = 0;
    for (int i = 0; i < 4; i++)
        n = n << 4 | (uint32_t)(is_digit(at[i]) ? at[i] - '0'
                                                : (at[i] | 0x20) - 'a' + 10);
    return n;
}

#define REPLACEMENT 0xfffd

/* The escape \uXXXX at AT, two of them for a surrogate pair, into *C. Returns
 * where it ends. */
static const char *unicode_escape(const char *at, const char *end, uint32_t *c)
{
    *c = hex4(at + 2);
    at += 6;
    if (*c < 0xd800 || *c > 0xdfff)
        return at;
    if (*c < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        uint32_t low = hex4(at + 2);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
            return at + 6;
        }
    }
    *c = REPLACEMENT;
    return at;
}

/* RAW without its escapes to OUT, where as many bytes are free. *LEN gets the
 * length. Returns whether half a surrogate pair was replaced. */
static int unescape(struct seg_text raw, char *out, size_t *len)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = raw.bytes, *end = at + raw.len;
    char *start = out;
    int mended = 0;
    while (at < end) {
        if (*at != '\\') {
            *out++ = *at++;
        } else if (at[1] == 'u') {
            uint32_t c, half = hex4(at + 2);
            at = unicode_escape(at, end, &c);
            mended |= c == REPLACEMENT && half != REPLACEMENT;
            out = utf8_put(out, (int32_t)c);
        } else {
            *out++ = to[strchr(from, at[1]) - from];
            at += 2;
        }
    }
    *len = (size_t)(out - start);
    return mended;
}

int json_unescape(const struct json *json, struct seg_text *text)
{
    struct seg_text raw = *text;
    if (!memchr(raw.bytes, '\\', raw.len))
        return 0;
    char *out = arena_alloc(json->arena, raw.len);
    if (!out)
        return SEG_ERR_NOMEM;
    text->bytes = out;
    return unescape(raw, out, &text->len);
}

/* Short texts are copied as so many bytes, which takes no call and no loop. */
#define SHORT 32

int json_keep(const struct json *json, struct seg_text *text)
{
    const char *from = text->bytes;
    size_t len = text->len;
    if ((uintptr_t)from - (uintptr_t)json->bytes >=
        (uintptr_t)json->end - (uintptr_t)json->bytes)
        return 0;
    char *copy = arena_alloc(json->arena, len < SHORT ? SHORT : len);
    if (!copy)
        return SEG_ERR_NOMEM;
    if (len <= SHORT && json->end - from >= SHORT)
        memcpy(copy, from, SHORT);
    else
        memcpy(copy, from, len);
    text->bytes = copy;
    return 0;
}

/* A number of up to 19 digits; `cut` says that it has more than fit. */
struct decimal {
    uint64_t digits;
    int64_t exponent; /* The number is digits × 10 ^ exponent. */
    int negative, fraction, cut;
};

static const char *read_digits(const char *at, struct decimal *decimal)
{
    for (; is_digit(*at); at++) {
        if (decimal->digits >= UINT64_MAX / 10 - 1)
            decimal->cut = 1;
        else
            decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
    }
    return at;
}

static void read_decimal(const char *at, struct decimal *decimal)
{
    *decimal = (struct decimal){.negative = *at == '-'};
    at = read_digits(at + decimal->negative, decimal);
    if (*at == '.') {
        const char *from = at + 1;
        at = read_digits(from, decimal);
        decimal->exponent = from - at;
        decimal->fraction = 1;
    }
    if ((*at | 0x20) == 'e') {
        int negative = at[1] == '-';
        int64_t exponent = 0;
        at += 1 + (at[1] == '-' || at[1] == '+');
        for (; is_digit(*at) && exponent < 100000; at++)
            exponent = exponent * 10 + (*at - '0');
        decimal->exponent += negative ? -exponent : exponent;
        decimal->fraction = 1;
    }
}

/* Up to here both the digits and the power of ten are exact doubles, and one
 * operation on them rounds once (Clinger, 1990). */
#define EXACT_DIGITS (UINT64_C(1) << 53)
#define EXACT_POWER  22

static double decimal_double(const char *at, const char *end,
                             const struct decimal *decimal)
{
    static const double power[EXACT_POWER + 1] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (decimal->cut || decimal->digits > EXACT_DIGITS ||
        decimal->exponent < -EXACT_POWER || decimal->exponent > EXACT_POWER)
        return event_json_double(at, end);
    double number = (double)decimal->digits;
    number = decimal->exponent < 0 ? number / power[-decimal->exponent]
                                   : number * power[decimal->exponent];
    return decimal->negative ? -number : number;
}

static void read_number(const char *at, const char *end,
                        struct seg_value *value)
{
    struct decimal decimal;
    read_decimal(at, &decimal);
    if (!decimal.fraction && !decimal.cut &&
        decimal.digits <= (uint64_t)INT64_MAX + (uint64_t)decimal.negative) {
        value->type = SEG_INT;
        value->as.integer =
            (int64_t)(decimal.negative ? 0 - decimal.digits : decimal.digits);
        return;
    }
    value->as.number = decimal_double(at, end, &decimal);
    value->type = isinf(value->as.number) ? SEG_MISSING : SEG_DOUBLE;
}

static int read_text(const struct json *json, uint32_t token,
                     struct seg_value *value)
{
    struct seg_text text;
    if (json_text(json, token, &text) < 0)
        return SEG_ERR_NOMEM;
    if (text.len > SEG_STRING_BYTES_MAX)
        return SEG_ERR_STRING_BYTES;
    value->type = SEG_TEXT;
    value->len = (uint32_t)text.len;
    value->as.text = text.bytes;
    return 0;
}

static int read_whole(const struct json *json, uint32_t token, int depth,
                      struct seg_value *value);

static int read_list(const struct json *json, uint32_t token, int depth,
                     int whole, struct seg_value *value)
{
    uint32_t count, n = 0;
    struct seg_value *items = NULL;
    int result = 0;
    if (depth >= SEG_DEPTH_MAX)
        return SEG_ERR_DEPTH;
    count = json_count(json, token, NONE - 1);
    if (count && !(items = arena_alloc(json->arena, count * sizeof(*items))))
        return SEG_ERR_NOMEM;
    for (uint32_t at = json_first(json, token); at && !result;
         at = json_next(json, at))
        result = whole ? read_whole(json, at, depth + 1, &items[n++])
                       : json_value(json, at, depth + 1, &items[n++]);
    value->type = SEG_LIST;
    value->len = count;
    value->as.items = items;
    return result;
}

int json_value(const struct json *json, uint32_t token, int depth,
               struct seg_value *value)
{
    *value = (struct seg_value){.type = SEG_MISSING};
    switch (json_byte(json, token)) {
    case '"':
        return read_text(json, token, value);
    case '[':
        return read_list(json, token, depth, 0, value);
    case '{':
        value->type = SEG_OBJECT;
        return 0;
    case 't':
    case 'f':
        value->type = SEG_BOOL;
        value->as.boolean = json_byte(json, token) == 't';
        return 0;
    case 'n':
        return 0;
    default:
        read_number(json->bytes + json->tokens[token], json->end, value);
        return 0;
    }
}

/* An object as names and values in turn; of one name several times, all. */
static int read_members(const struct json *json, uint32_t token, int depth,
                        struct seg_value *value)
{
    uint32_t count = json_count(json, token, NONE / 2 - 1), n = 0;
    int result = 0;
    if (depth >= SEG_DEPTH_MAX)
        return SEG_ERR_DEPTH;
    struct seg_value *items =
        arena_alloc(json->arena, (count * 2ul + 1) * sizeof(*items));
    if (!items)
        return SEG_ERR_NOMEM;
    for (uint32_t at = json_first(json, token); at && result >= 0;
         at = json_next(json, at + 2)) {
        result = read_text(json, at, &items[n++]);
        if (result >= 0)
            result = read_whole(json, at + 2, depth + 1, &items[n++]);
    }
    value->type = SEG_OBJECT;
    value->len = n;
    value->as.items = items;
    return result < 0 ? result : 0;
}

/* A value inside a list that is read as a whole. */
static int read_whole(const struct json *json, uint32_t token, int depth,
                      struct seg_value *value)
{
    *value = (struct seg_value){.type = SEG_MISSING};
    switch (json_byte(json, token)) {
    case '[':
        return read_list(json, token, depth, 1, value);
    case '{':
        return read_members(json, token, depth, value);
    default:
        return json_value(json, token, depth, value);
    }
}

int json_value_whole(const struct json *json, uint32_t token, int depth,
                     struct seg_value *value)
{
    return json_byte(json, token) == '['
               ? read_list(json, token, depth, 1, value)
               : json_value(json, token, depth, value);
}
