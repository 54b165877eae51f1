/* log_json.c: a line of the log as a JSON object.
 *
 * A format is read directive by directive, because the text that printf makes
 * of all of it does not say any more where a value ends: quotes and blanks may
 * stand in values, too. Each directive is handed to snprintf alone, with the
 * argument that it takes. */
#include "daemon/base/log_json.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#define VALUE_BYTES   2048 /* Of one value; more does not fit a line anyway. */
#define CLOSING_BYTES 64   /* Kept for what stands at the end. */

struct line {
    char *bytes;
    int len, max; /* Room, less what is kept for the end. */
    int cut;
};

/* ---- JSON ---------------------------------------------------------------- */

/* Add LEN bytes at TEXT, all or nothing. */
static void put(struct line *line, const char *text, int len)
{
    if (line->cut || line->len + len > line->max) {
        line->cut = 1;
        return;
    }
    memcpy(line->bytes + line->len, text, (size_t)len);
    line->len += len;
}

/* Bytes of the UTF-8 character at TEXT; 0: there is none (RFC 3629). */
static int character(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    int len = c[0] < 0x80   ? 1
              : c[0] < 0xc2 ? 0
              : c[0] < 0xe0 ? 2
              : c[0] < 0xf0 ? 3
              : c[0] < 0xf5 ? 4
                            : 0;
    for (int i = 1; i < len; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
        (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
        return 0;
    return len;
}

/* TEXT as a string of JSON. A string is closed even where it has to end early.
 */
static void put_string(struct line *line, const char *text)
{
    char escape[8];
    put(line, "\"", 1);
    if (line->cut)
        return;
    while (*text && !line->cut) {
        int len = character(text);
        unsigned char c = (unsigned char)*text;
        if (!len)
            put(line, "\xef\xbf\xbd", 3); /* U+FFFD */
        else if (c == '"' || c == '\\')
            put(line, (char[]){'\\', *text}, 2);
        else if (c < 0x20 || c == 0x7f)
            put(line, escape, snprintf(escape, sizeof(escape), "\\u%04x", c));
        else
            put(line, text, len);
        text += len ? len : 1;
    }
    line->bytes[line->len++] = '"'; /* It has room among what closes. */
}

/* Begin the member NAME: its comma, its name, its colon. Returns 0 if there is
 * no room for it and a little of its value. */
static int put_name(struct line *line, const char *name, int len)
{
    if (line->cut || line->len + len + 32 > line->max) {
        line->cut = 1;
        return 0;
    }
    if (line->len > 1)
        put(line, ",", 1);
    put(line, "\"", 1);
    put(line, name, len);
    put(line, "\":", 2);
    return 1;
}

static void put_text(struct line *line, const char *name, const char *text)
{
    if (put_name(line, name, (int)strlen(name)))
        put_string(line, text);
}

/* ---- printf -------------------------------------------------------------- */

/* A va_list that functions may share. */
struct arguments {
    va_list list;
};

struct directive {
    char format[32]; /* Of it alone, widths filled in. */
    char length[3];
    char conversion;
};

/* Read the directive that begins at *AT, a %, and move past it. */
static void read_directive(const char **at, struct directive *out,
                           struct arguments *arguments)
{
    int len = 0, lengths = 0;
    const char *c = *at;
    *out = (struct directive){.conversion = 0};
    out->format[len++] = *c++;
    while (*c && strchr("-+ #0123456789.*", *c)) {
        assert(len < 20);
        if (*c == '*')
            len += snprintf(out->format + len, 8, "%d",
                            va_arg(arguments->list, int) % 1000000);
        else
            out->format[len++] = *c;
        c++;
    }
    while (*c && strchr("hlzjt", *c) && lengths < 2)
        out->length[lengths++] = out->format[len++] = *c++;
    out->conversion = out->format[len++] = *c;
    *at = c + (*c != '\0');
}

/* The whole number that DIRECTIVE takes, as wide as there is. */
static intmax_t signed_argument(const struct directive *directive,
                                struct arguments *arguments)
{
    const char *length = directive->length;
    if (!strcmp(length, "ll"))
        return va_arg(arguments->list, long long);
    if (!strcmp(length, "l"))
        return va_arg(arguments->list, long);
    if (!strcmp(length, "j"))
        return va_arg(arguments->list, intmax_t);
    if (!strcmp(length, "z"))
        return va_arg(arguments->list, ssize_t);
    if (!strcmp(length, "t"))
        return va_arg(arguments->list, ptrdiff_t);
    return va_arg(arguments->list, int);
}

/* The format of a directive is no literal here, but each was one where it came
 * from: the compiler has checked it against its argument. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

/* What DIRECTIVE prints, into the SIZE bytes at OUT. Returns its length. */
static int print(const struct directive *directive, struct arguments *arguments,
                 char *out, int size)
{
    const char *format = directive->format;
    size_t room = (size_t)size;
    int len = 0;
    if (strchr("di", directive->conversion)) {
        intmax_t number = signed_argument(directive, arguments);
        char wide[40];
        int bare = (int)(strlen(format) - strlen(directive->length)) - 1;
        snprintf(wide, sizeof(wide), "%.*sjd", bare, format);
        len = snprintf(out, room, wide, number);
    } else if (strchr("uxXo", directive->conversion)) {
        uintmax_t number = (uintmax_t)signed_argument(directive, arguments);
        char wide[40];
        int bare = (int)(strlen(format) - strlen(directive->length)) - 1;
        if (!directive->length[0] || directive->length[0] == 'h')
            number = (unsigned)number;
        snprintf(wide, sizeof(wide), "%.*sj%c", bare, format,
                 directive->conversion);
        len = snprintf(out, room, wide, number);
    } else if (strchr("feEgGaA", directive->conversion)) {
        len = snprintf(out, room, format, va_arg(arguments->list, double));
    } else if (directive->conversion == 's') {
        const char *text = va_arg(arguments->list, const char *);
        len = snprintf(out, room, format, text ? text : "(null)");
    } else if (directive->conversion == 'c') {
        len = snprintf(out, room, format, va_arg(arguments->list, int));
    } else if (directive->conversion == 'p') {
        len = snprintf(out, room, format, va_arg(arguments->list, void *));
    } else {
        assert(directive->conversion == '%');
        len = snprintf(out, room, "%%");
    }
    return len < 0 ? 0 : len < size ? len : size - 1;
}

#pragma GCC diagnostic pop

/* Print the value that begins at *AT, to the blank or the quote that ends it.
 * *IS_NUMBER: nothing but one directive for a whole number stands there. */
static void value(const char **at, struct arguments *arguments, char *out,
                  int *is_number)
{
    int quoted = **at == '"', len = 0, numbers = 0, others = quoted;
    const char *c = *at + quoted;
    while (*c && *c != (quoted ? '"' : ' ')) {
        if (*c != '%') {
            others = 1;
            if (len < VALUE_BYTES - 1)
                out[len++] = *c;
            c++;
            continue;
        }
        struct directive directive;
        read_directive(&c, &directive, arguments);
        int is_whole = strchr("diu", directive.conversion) != NULL &&
                       strlen(directive.format) == strlen(directive.length) + 2;
        numbers += is_whole;
        others |= !is_whole;
        len += print(&directive, arguments, out + len, VALUE_BYTES - len);
    }
    out[len] = '\0';
    *is_number = numbers == 1 && !others;
    *at = c + (quoted && *c);
}

/* Add all pairs of FORMAT. */
static void put_pairs(struct line *line, const char *format,
                      struct arguments *arguments)
{
    char text[VALUE_BYTES];
    int is_number;
    while (*(format += strspn(format, " "))) {
        size_t name = strcspn(format, "= ");
        const char *at = format + name;
        if (*at != '=') { /* A word that is no pair: nothing can be said. */
            format = at;
            continue;
        }
        at++;
        value(&at, arguments, text, &is_number);
        if (put_name(line, format, (int)name)) {
            if (is_number)
                put(line, text, (int)strlen(text));
            else
                put_string(line, text);
        }
        format = at;
    }
}

int log_json(char *out, int size, const struct log_entry *entry,
             const char *format, va_list args)
{
    struct line line = {.bytes = out, .max = size - CLOSING_BYTES};
    struct arguments arguments;
    assert(size >= 256);
    put(&line, "{", 1);
    put_text(&line, "time", entry->time);
    put_text(&line, "level", entry->level);
    put_text(&line, "message", entry->message);
    va_copy(arguments.list, args);
    put_pairs(&line, format, &arguments);
    va_end(arguments.list);
    if (line.cut)
        line.len +=
            snprintf(out + line.len, CLOSING_BYTES / 2, ",\"truncated\":true");
    if (entry->suppressed)
        line.len += snprintf(out + line.len, CLOSING_BYTES / 2 + 8,
                             ",\"suppressed\":%" PRId64, entry->suppressed);
    out[line.len++] = '}';
    out[line.len] = '\0';
    return line.len;
}
