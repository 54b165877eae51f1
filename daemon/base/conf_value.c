/* conf_value.c: one row of the table of settings, and its value as text.
 *
 * Each type is one function that reads and one that prints; both go by the same
 * words, so that what -T prints can be read again. */
#include "daemon/base/conf_value.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"

static const struct conf_row rows[CONF_ROW_COUNT] = {
#define CONF(field, name, type, initial, range, help) \
    {name, initial, range, help, CONF_##type, 0, offsetof(struct conf, field)},
#define INPUT(field, name, type, initial, range, help) \
    {name,                                             \
     initial,                                          \
     range,                                            \
     help,                                             \
     CONF_##type,                                      \
     1,                                                \
     offsetof(struct conf_input, field)},
    CONF_TABLE(CONF, INPUT)
#undef CONF
#undef INPUT
};

const struct conf_row *conf_row(int index)
{
    return index < CONF_ROW_COUNT ? &rows[index] : NULL;
}

int conf_row_find(struct seg_text name)
{
    for (int i = 0; i < CONF_ROW_COUNT; i++)
        if (text_equal(name, text_of(rows[i].name)))
            return i;
    return -1;
}

/* A sentence about ROW; "" when memory ran out. */
#define sentence(arena, ...) or_nothing(arena_printf(arena, __VA_ARGS__))

static const char *or_nothing(const char *text)
{
    return text ? text : "";
}

/* ---- numbers with units ---------------------------------------------- */

static const struct unit {
    const char *name;
    int64_t bytes;
} units[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}};
#define UNIT_COUNT ((int)(sizeof(units) / sizeof(units[0])))

/* The digits at the start of TEXT, at most 18; returns how many. */
static size_t read_digits(struct seg_text text, int64_t *number)
{
    size_t n = 0;
    *number = 0;
    for (; n < text.len && n < 18; n++) {
        if (text.bytes[n] < '0' || text.bytes[n] > '9')
            break;
        *number = *number * 10 + (text.bytes[n] - '0');
    }
    return n;
}

static int read_size(struct seg_text text, int64_t *bytes)
{
    size_t digits = read_digits(text, bytes);
    struct seg_text rest = {text.bytes + digits, text.len - digits};
    for (int i = 0; i < UNIT_COUNT && digits; i++)
        if (text_equal(rest, text_of(units[i].name)) &&
            *bytes <= INT64_MAX / units[i].bytes) {
            *bytes *= units[i].bytes;
            return 0;
        }
    return SEG_ERR_INVALID;
}

static int read_scalar(enum conf_type type, struct seg_text text,
                       int64_t *value)
{
    size_t len;
    if (type == CONF_SIZE)
        return read_size(text, value);
    if (type == CONF_NUMBER)
        len = read_digits(text, value);
    else
        len = (size_t)duration_parse(text, value);
    return text.len && len == text.len ? 0 : SEG_ERR_INVALID;
}

static const char *range_most(const struct conf_row *row)
{
    return strstr(row->range, "..") + 2;
}

static struct seg_text range_least(const struct conf_row *row)
{
    return (struct seg_text){row->range,
                             (size_t)(range_most(row) - 2 - row->range)};
}

static const char *scalar_read(struct arena *arena, const struct conf_row *row,
                               struct seg_text text, void *field)
{
    static const char *const what[] = {
        [CONF_NUMBER] = "a number",
        [CONF_DURATION] = "a duration such as 500ms, 30s, 5m, 1h30m or 7d",
        [CONF_SIZE] = "a size such as 512B, 64KiB, 16MiB or 1GiB",
    };
    int64_t value, least, most;
    struct seg_text first = range_least(row);
    if (read_scalar(row->type, text, &value) < 0)
        return sentence(arena, "%s is %s.", row->name, what[row->type]);
    read_scalar(row->type, first, &least);
    read_scalar(row->type, text_of(range_most(row)), &most);
    if (value < least || value > most)
        return sentence(arena, "%s goes from %.*s to %s.", row->name,
                        (int)first.len, first.bytes, range_most(row));
    *(int64_t *)field = value;
    return NULL;
}

static void number_print(struct buf *out, const void *field)
{
    buf_int(out, *(const int64_t *)field);
}

static void duration_print(struct buf *out, const void *field)
{
    int64_t ms = *(const int64_t *)field;
    if (ms)
        duration_format(out, ms);
    else
        buf_str(out, "0s");
}

static void size_print(struct buf *out, const void *field)
{
    int64_t bytes = *(const int64_t *)field;
    int i = 0;
    while (!bytes ? i < UNIT_COUNT - 1 : bytes % units[i].bytes != 0)
        i++;
    buf_int(out, bytes / units[i].bytes);
    buf_str(out, units[i].name);
}

/* ---- words ----------------------------------------------------------- */

/* The word at *REST up to a bar, which is skipped; bytes = NULL at the end. */
static struct seg_text next_word(const char **rest)
{
    const char *start = *rest;
    if (!*start)
        return (struct seg_text){NULL, 0};
    size_t len = strcspn(start, "|");
    *rest = start + len + (start[len] == '|');
    return (struct seg_text){start, len};
}

/* "clock is wall or records." */
static const char *choice_sentence(struct arena *arena,
                                   const struct conf_row *row)
{
    struct buf words;
    const char *rest = row->range;
    buf_init(&words);
    for (struct seg_text word; (word = next_word(&rest)).bytes;) {
        buf_str(&words, words.len ? *rest ? ", " : " or " : "");
        buf_text(&words, word);
    }
    const char *text =
        sentence(arena, "%s is %s.", row->name, buf_string(&words));
    buf_done(&words);
    return text;
}

static const char *choice_read(struct arena *arena, const struct conf_row *row,
                               struct seg_text text, void *field)
{
    const char *rest = row->range;
    struct seg_text word;
    for (int i = 0; (word = next_word(&rest)).bytes; i++)
        if (text_equal(word, text)) {
            *(int *)field = i;
            return NULL;
        }
    return choice_sentence(arena, row);
}

static void choice_print(struct buf *out, const struct conf_row *row,
                         const void *field)
{
    const char *rest = row->range;
    for (int i = *(const int *)field; i > 0; i--)
        next_word(&rest);
    buf_text(out, next_word(&rest));
}

static const char *start_read(struct arena *arena, const struct conf_row *row,
                              struct seg_text text, void *field)
{
    struct conf_start start = {CONF_EARLIEST, 0};
    if (text_equal(text, text_of("latest")))
        start.kind = CONF_LATEST;
    else if (!text_equal(text, text_of("earliest")))
        start.kind = CONF_INSTANT;
    if (start.kind == CONF_INSTANT &&
        instant_parse(text, &start.instant_ms) < 0)
        return sentence(arena,
                        "%s is earliest, latest or an instant such as "
                        "2026-01-31 or 2026-01-31T12:00Z.",
                        row->name);
    *(struct conf_start *)field = start;
    return NULL;
}

static void start_print(struct buf *out, const void *field)
{
    const struct conf_start *start = field;
    if (start->kind == CONF_INSTANT)
        instant_format(out, start->instant_ms);
    else
        buf_str(out, start->kind == CONF_LATEST ? "latest" : "earliest");
}

/* ---- texts ----------------------------------------------------------- */

static int is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/* TEXT kept in ARENA, checked against the most bytes ROW may have. */
static const char *keep(struct arena *arena, const struct conf_row *row,
                        struct seg_text text, const char **field)
{
    if (text.len > strtoul(row->range, NULL, 10))
        return sentence(arena, "%s has at most %s bytes.", row->name,
                        row->range);
    if (text.len && memchr(text.bytes, 0, text.len))
        return sentence(arena, "%s cannot contain \\u0000.", row->name);
    *field = arena_text(arena, text).bytes;
    return *field ? NULL : "";
}

static const char *name_read(struct arena *arena, const struct conf_row *row,
                             struct seg_text text, void *field)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_name_char(text.bytes[i]))
            return sentence(arena,
                            "%s is made of letters, digits, dots, dashes and "
                            "underscores.",
                            row->name);
    return keep(arena, row, text, field);
}

static const char *paths_read(struct arena *arena, const struct conf_row *row,
                              struct seg_text text, void *field)
{
    struct conf_paths *paths = field;
    size_t count = (size_t)paths->count;
    const char **items = arena_calloc(arena, count + 1, sizeof(*items));
    if (!items)
        return "";
    for (size_t i = 0; i < count; i++)
        items[i] = paths->items[i];
    const char *wrong = keep(arena, row, text, &items[count]);
    if (!wrong)
        *paths = (struct conf_paths){paths->count + 1, items};
    return wrong;
}

static void quote(struct buf *out, const char *text)
{
    buf_json_text(out, text_of(text));
}

static void paths_print(struct buf *out, const void *field)
{
    const struct conf_paths *paths = field;
    buf_char(out, '[');
    for (int i = 0; i < paths->count; i++) {
        buf_str(out, i ? ", " : "");
        quote(out, paths->items[i]);
    }
    buf_char(out, ']');
}

void conf_secret_print(struct buf *out, const struct conf_secret *secret)
{
    if (secret->file)
        buf_str(out, "file ");
    quote(out, secret->file ? secret->file : *secret->value ? "********" : "");
}

/* host:port, [host]:port, or the path of a socket. */
static const char *address_read(struct arena *arena, const struct conf_row *row,
                                struct seg_text text, void *field)
{
    struct conf_address address = {.port = -1};
    const char *wrong = keep(arena, row, text, &address.text);
    if (wrong)
        return wrong;
    address.host = address.text;
    if (*address.text && *address.text != '/') {
        const char *colon = strrchr(address.text, ':');
        struct seg_text host = {address.text,
                                colon ? (size_t)(colon - address.text) : 0};
        int64_t port = -1;
        if (host.len > 2 && host.bytes[0] == '[' &&
            host.bytes[host.len - 1] == ']')
            host = (struct seg_text){host.bytes + 1, host.len - 2};
        if (!host.len ||
            read_scalar(CONF_NUMBER, text_of(colon + 1), &port) < 0 ||
            port > 65535)
            return sentence(arena, "%s is host:port, as in \"%s\".", row->name,
                            *row->initial ? row->initial : "127.0.0.1:6379");
        address.host = arena_text(arena, host).bytes;
        address.port = (int)port;
    }
    *(struct conf_address *)field = address;
    return address.host ? NULL : "";
}

int conf_address_is_loopback(const struct conf_address *address)
{
    return !strncmp(address->host, "127.", 4) ||
           !strcmp(address->host, "::1") || !strcmp(address->host, "localhost");
}

/* ---- all types ------------------------------------------------------- */

const char *conf_value_read(struct arena *arena, const struct conf_row *row,
                            struct seg_text text, void *field)
{
    switch (row->type) {
    case CONF_TEXT:
    case CONF_PATH:
    case CONF_SECRET: /* Its first member is its value. */
        return keep(arena, row, text, field);
    case CONF_NAME:
        return name_read(arena, row, text, field);
    case CONF_PATHS:
        return paths_read(arena, row, text, field);
    case CONF_ADDRESS:
        return address_read(arena, row, text, field);
    case CONF_START:
        return start_read(arena, row, text, field);
    case CONF_NUMBER:
    case CONF_DURATION:
    case CONF_SIZE:
        return scalar_read(arena, row, text, field);
    case CONF_CHOICE:
        return choice_read(arena, row, text, field);
    }
    return "";
}

void conf_value_print(struct buf *out, const struct conf_row *row,
                      const void *field)
{
    switch (row->type) {
    case CONF_TEXT:
    case CONF_NAME:
    case CONF_PATH:
        quote(out, *(const char *const *)field);
        break;
    case CONF_PATHS:
        paths_print(out, field);
        break;
    case CONF_SECRET:
        conf_secret_print(out, field);
        break;
    case CONF_ADDRESS:
        quote(out, ((const struct conf_address *)field)->text);
        break;
    case CONF_START:
        start_print(out, field);
        break;
    case CONF_NUMBER:
        number_print(out, field);
        break;
    case CONF_DURATION:
        duration_print(out, field);
        break;
    case CONF_SIZE:
        size_print(out, field);
        break;
    case CONF_CHOICE:
        choice_print(out, row, field);
        break;
    }
}
