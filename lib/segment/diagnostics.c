/* diagnostics.c: collecting what is wrong with segment files, and showing it.
 *
 *     goals.seg:3:24: error: `atleast` is not known here.
 *         when did "Goal Used" atleast 3 times
 *                              ^~~~~~~
 *         did you mean `at least`? */
#include "lib/segment/diagnostics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/utf8.h"

#define MESSAGE_BYTES_MAX 1000
#define SHOWN_COLUMNS_MAX 160 /* Of a source line under a message. */
#define INDENT            "    "

int seg_diagnostics_new(struct seg_diagnostics **ret)
{
    struct seg_diagnostics *diagnostics = calloc(1, sizeof(*diagnostics));
    if (!diagnostics)
        return SEG_ERR_NOMEM;
    arena_init(&diagnostics->arena);
    *ret = diagnostics;
    return 0;
}

void seg_diagnostics_free(struct seg_diagnostics *diagnostics)
{
    if (!diagnostics)
        return;
    arena_done(&diagnostics->arena);
    free(diagnostics->items);
    free(diagnostics);
}

int seg_diagnostics_count(const struct seg_diagnostics *diagnostics)
{
    return diagnostics->count;
}

int seg_diagnostics_errors(const struct seg_diagnostics *diagnostics)
{
    return diagnostics->errors;
}

int seg_diagnostics_warnings(const struct seg_diagnostics *diagnostics)
{
    return diagnostics->warnings;
}

const struct seg_diagnostic *
seg_diagnostics_at(const struct seg_diagnostics *diagnostics, int index)
{
    return index >= 0 && index < diagnostics->count ? &diagnostics->items[index]
                                                    : NULL;
}

int diagnostics_full(const struct seg_diagnostics *diagnostics)
{
    return diagnostics->errors >= SEG_DIAGNOSTICS_MAX || diagnostics->failed;
}

/* ---- texts without control bytes ------------------------------------- */

/* Replace what could move a terminal, C0, DEL and C1 (U+0080 to U+009F), and
 * what is not UTF-8, byte by byte. */
static void clean(char *at, size_t len)
{
    for (char *end = at + len; at < end;) {
        int n = utf8_len(at, end);
        unsigned char c = (unsigned char)*at;
        int control = c < 0x20 || c == 0x7f || !n ||
                      (c == 0xc2 && (unsigned char)at[1] < 0xa0);
        n = n ? n : 1;
        if (control)
            memset(at, c == '\t' ? ' ' : '?', (size_t)n);
        at += n;
    }
}

/* Bytes of UTF-8 in TEXT that can be kept: not half a character at its end. */
static size_t whole_len(const char *bytes, size_t len)
{
    size_t back = len;
    while (back > 0 && len - back < 4 && (bytes[back] & 0xc0) == 0x80)
        back--;
    return (bytes[back] & 0xc0) == 0x80 ? len : back;
}

static const char *store(struct seg_diagnostics *diagnostics, const char *bytes,
                         size_t len)
{
    struct seg_text copy =
        arena_text(&diagnostics->arena, (struct seg_text){bytes, len});
    if (!copy.bytes) {
        diagnostics->failed = 1;
        return "";
    }
    clean((char *)copy.bytes, len);
    return copy.bytes;
}

__attribute__((format(printf, 2, 0))) static const char *
store_format(struct seg_diagnostics *diagnostics, const char *format,
             va_list args)
{
    char text[MESSAGE_BYTES_MAX + 1];
    int len = vsnprintf(text, sizeof(text), format, args);
    if (len < 0)
        return "";
    if ((size_t)len >= sizeof(text))
        len = (int)whole_len(text, MESSAGE_BYTES_MAX - 1);
    return store(diagnostics, text, (size_t)len);
}

/* Line LINE of FILE without its end. */
static struct seg_text find_line(const struct rule_file *file, uint32_t line)
{
    const char *at = file->text.bytes, *end = at + file->text.len, *newline;
    while (line > 1 && (newline = memchr(at, '\n', (size_t)(end - at)))) {
        at = newline + 1;
        line--;
    }
    newline = memchr(at, '\n', (size_t)(end - at));
    end = newline ? newline : end;
    if (end > at && end[-1] == '\r')
        end--;
    return (struct seg_text){at, (size_t)(end - at)};
}

/* ---- adding ---------------------------------------------------------- */

static int is_kept(const struct seg_diagnostics *diagnostics,
                   enum seg_severity severity)
{
    if (diagnostics->failed)
        return 0;
    switch (severity) {
    case SEG_SEVERITY_ERROR:
        return diagnostics->errors < SEG_DIAGNOSTICS_MAX;
    case SEG_SEVERITY_WARNING:
        return diagnostics->warnings < DIAGNOSTIC_WARNINGS_MAX;
    case SEG_SEVERITY_NOTE:
        break;
    }
    return diagnostics->count - diagnostics->errors - diagnostics->warnings <
           DIAGNOSTIC_NOTES_MAX;
}

/* File name and source line of ITEM; shared with the one before on the same
 * line, as a file may be one long line. */
static void set_source(struct seg_diagnostics *diagnostics,
                       struct seg_diagnostic *item,
                       const struct rule_file *file)
{
    const struct seg_diagnostic *before = diagnostics->count ? item - 1 : NULL;
    if (before && !strcmp(before->file, file->name.bytes)) {
        item->file = before->file;
        if (before->line == item->line) {
            item->source = before->source;
            return;
        }
    } else {
        item->file = store(diagnostics, file->name.bytes, file->name.len);
    }
    struct seg_text line = find_line(file, (uint32_t)item->line);
    item->source = store(diagnostics, line.bytes, line.len);
}

void diagnostics_add(struct seg_diagnostics *diagnostics,
                     enum seg_severity severity, const struct rules *rules,
                     struct rule_pos pos, const char *format, ...)
{
    void *items = diagnostics->items;
    diagnostics->dropped = !is_kept(diagnostics, severity);
    if (diagnostics->dropped)
        return;
    if (alloc_grow(&items, &diagnostics->cap, (size_t)diagnostics->count + 1,
                   sizeof(*diagnostics->items)) < 0) {
        diagnostics->failed = diagnostics->dropped = 1;
        return;
    }
    diagnostics->items = items;
    struct seg_diagnostic *item = &diagnostics->items[diagnostics->count];
    *item = (struct seg_diagnostic){.severity = severity,
                                    .line = (int)pos.line,
                                    .column = (int)pos.column,
                                    .width = pos.width ? (int)pos.width : 1};
    set_source(diagnostics, item, &rules->files[pos.file]);
    va_list args;
    va_start(args, format);
    item->message = store_format(diagnostics, format, args);
    va_end(args);
    diagnostics->count++;
    diagnostics->errors += severity == SEG_SEVERITY_ERROR;
    diagnostics->warnings += severity == SEG_SEVERITY_WARNING;
}

void diagnostics_suggest(struct seg_diagnostics *diagnostics,
                         const char *format, ...)
{
    if (diagnostics->dropped)
        return;
    va_list args;
    va_start(args, format);
    diagnostics->items[diagnostics->count - 1].suggestion =
        store_format(diagnostics, format, args);
    va_end(args);
}

static int order(const void *a, const void *b)
{
    const struct seg_diagnostic *x = a, *y = b;
    int files = x->file == y->file ? 0 : strcmp(x->file, y->file);
    if (files)
        return files;
    return x->line != y->line ? (x->line > y->line) - (x->line < y->line)
           : x->column != y->column
               ? (x->column > y->column) - (x->column < y->column)
           : x->severity != y->severity ? x->severity - y->severity
                                        : strcmp(x->message, y->message);
}

void diagnostics_sort(struct seg_diagnostics *diagnostics, int from)
{
    if (diagnostics->count > from + 1)
        qsort(diagnostics->items + from, (size_t)(diagnostics->count - from),
              sizeof(*diagnostics->items), order);
}

/* ---- showing --------------------------------------------------------- */

static int is_continuation(char c)
{
    return (c & 0xc0) == 0x80;
}

/* Move AT, inside the LEN bytes at LINE, to the first byte of a character. */
static size_t align(const char *line, size_t at)
{
    while (at > 0 && is_continuation(line[at]))
        at--;
    return at;
}

static void add_columns(struct buf *buf, const char *from, const char *to,
                        char c)
{
    for (; from < to; from++)
        if (!is_continuation(*from))
            buf_char(buf, c);
}

/* The line with the caret under it; of a very long line the part around. */
static void show_source(struct buf *buf, const struct seg_diagnostic *item)
{
    const char *line = item->source;
    size_t len = strlen(line), at = (size_t)item->column - 1;
    size_t start = 0, end = len;
    at = at > len ? len : at;
    if (at > SHOWN_COLUMNS_MAX / 2 && len > SHOWN_COLUMNS_MAX)
        start = align(line, at - SHOWN_COLUMNS_MAX / 2);
    if (end - start > SHOWN_COLUMNS_MAX)
        end = align(line, start + SHOWN_COLUMNS_MAX);
    size_t to = at + (size_t)item->width;
    to = to > end ? end : to;
    buf_printf(buf, INDENT "%s%.*s%s\n" INDENT "%s", start ? "..." : "",
               (int)(end - start), line + start, end < len ? "..." : "",
               start ? "   " : "");
    add_columns(buf, line + start, line + at, ' ');
    buf_char(buf, '^');
    if (to > at + 1)
        add_columns(buf, line + at + 1, line + to, '~');
    buf_char(buf, '\n');
}

char *seg_diagnostic_text(const struct seg_diagnostic *diagnostic)
{
    static const char *const words[] = {[SEG_SEVERITY_ERROR] = "error",
                                        [SEG_SEVERITY_WARNING] = "warning",
                                        [SEG_SEVERITY_NOTE] = "note"};
    struct buf buf;
    buf_init(&buf);
    buf_printf(&buf, "%s:%d:%d: %s: %s\n", diagnostic->file, diagnostic->line,
               diagnostic->column, words[diagnostic->severity],
               diagnostic->message);
    if (diagnostic->severity != SEG_SEVERITY_NOTE)
        show_source(&buf, diagnostic);
    if (diagnostic->suggestion)
        buf_printf(&buf, INDENT "%s\n", diagnostic->suggestion);
    char *text = buf_take(&buf);
    buf_done(&buf);
    return text;
}
