/* parse_cursor.c: where the parser of segment files stands. */
#include "lib/segment/parse_cursor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/text.h"

#define SHOWN_BYTES_MAX   40 /* Of a token in a message. */
#define INSTEAD_BYTES_MAX 80 /* Of a token in a hint, never cut. */

void cursor_init(struct cursor *cursor, struct rules *rules, uint32_t file,
                 struct seg_diagnostics *diagnostics)
{
    *cursor = (struct cursor){
        .rules = rules, .file = file, .diagnostics = diagnostics};
    lex_init(&cursor->lexer, rules->files[file].text, &rules->arena);
}

void cursor_done(struct cursor *cursor)
{
    free(cursor->stack);
}

/* ---- tokens ---------------------------------------------------------- */

struct rule_pos cursor_pos(const struct cursor *cursor,
                           const struct token *token)
{
    size_t len = token->source.len;
    return (struct rule_pos){.file = cursor->file,
                             .line = token->line,
                             .column = token->column,
                             .width = len ? (uint32_t)len : 1};
}

struct rule_pos cursor_span(const struct cursor *cursor, struct rule_pos pos)
{
    const struct token *last = &cursor->last;
    if (last->line == pos.line && last->column >= pos.column)
        pos.width = last->column - pos.column + (uint32_t)last->source.len;
    return pos;
}

static int keep_comment(struct cursor *cursor, const struct token *token)
{
    struct rules *rules = cursor->rules;
    void *comments = rules->comments;
    if (alloc_grow(&comments, &rules->comment_cap,
                   (size_t)rules->comment_count + 1,
                   sizeof(*rules->comments)) < 0)
        return cursor_no_memory(cursor);
    rules->comments = comments;
    struct rule_comment *comment = &rules->comments[rules->comment_count];
    *comment = (struct rule_comment){.own_line = token->starts_line,
                                     .pos = cursor_pos(cursor, token)};
    if (cursor_copy(cursor, token->source, &comment->text) < 0)
        return -1;
    rules->comment_count++;
    return 0;
}

/* The next token of the file; comments are put aside. */
static struct token read_token(struct cursor *cursor)
{
    struct token token = lex_next(&cursor->lexer);
    while (token.kind == TOKEN_COMMENT && keep_comment(cursor, &token) == 0)
        token = lex_next(&cursor->lexer);
    if (cursor->lexer.failed)
        cursor_no_memory(cursor);
    return token;
}

const struct token *cursor_peek(struct cursor *cursor, int ahead)
{
    while (cursor->filled <= ahead) {
        int slot = (cursor->head + cursor->filled) % CURSOR_LOOKAHEAD;
        cursor->ring[slot] = read_token(cursor);
        cursor->filled++;
    }
    struct token *token =
        &cursor->ring[(cursor->head + ahead) % CURSOR_LOOKAHEAD];
    if (cursor->stop)
        token->kind = TOKEN_END;
    return token;
}

const struct token *cursor_take(struct cursor *cursor)
{
    const struct token *token = cursor_peek(cursor, 0);
    if (token->kind == TOKEN_END)
        return token;
    cursor->last = *token;
    cursor->taken++;
    cursor->braces += cursor_at(cursor, 0, "{") - cursor_at(cursor, 0, "}");
    cursor->head = (cursor->head + 1) % CURSOR_LOOKAHEAD;
    cursor->filled--;
    return &cursor->last;
}

int cursor_at(struct cursor *cursor, int ahead, const char *text)
{
    const struct token *token = cursor_peek(cursor, ahead);
    return (token->kind == TOKEN_WORD || token->kind == TOKEN_MARK) &&
           text_equal(token->source, text_of(text));
}

int cursor_at_any(struct cursor *cursor, int ahead, const char *words)
{
    const struct token *token = cursor_peek(cursor, ahead);
    if (token->kind != TOKEN_WORD && token->kind != TOKEN_MARK)
        return 0;
    for (size_t len; *words; words += len + (words[len] == ' ')) {
        len = strcspn(words, " ");
        if (text_equal(token->source, (struct seg_text){words, len}))
            return 1;
    }
    return 0;
}

int cursor_accept(struct cursor *cursor, const char *text)
{
    if (!cursor_at(cursor, 0, text))
        return 0;
    cursor_take(cursor);
    return 1;
}

int cursor_expect(struct cursor *cursor, const char *text)
{
    if (cursor_accept(cursor, text))
        return 0;
    return cursor_wrong_word(cursor, NULL, text);
}

/* ---- complaints ------------------------------------------------------ */

/* Say it. The error said last is closed to hints when it was dropped. */
static void say(struct cursor *cursor, struct rule_pos pos, const char *text)
{
    cursor->said++;
    cursor->hinted = 0;
    diagnostics_add(cursor->diagnostics, SEG_SEVERITY_ERROR, cursor->rules, pos,
                    "%s", text);
    if (cursor->diagnostics->failed)
        cursor_no_memory(cursor);
    else if (diagnostics_full(cursor->diagnostics))
        cursor->stop = SEG_ERR_SYNTAX;
}

__attribute__((format(printf, 3, 0))) static void
say_format(struct cursor *cursor, struct rule_pos pos, const char *format,
           va_list args)
{
    char text[1024];
    cursor->hinted = 1;
    if (cursor->stop)
        return;
    vsnprintf(text, sizeof(text), format, args);
    say(cursor, pos, text);
}

/* The lexer's own hint is nearer to the mistake than what the parser adds. */
static int say_token(struct cursor *cursor, const struct token *token)
{
    cursor_error_at(cursor, cursor_pos(cursor, token), "%s", token->error);
    if (token->better.bytes)
        cursor_suggest(cursor, "did you mean `%s`?", token->better.bytes);
    cursor->hinted = 1;
    return -1;
}

int cursor_error(struct cursor *cursor, const char *format, ...)
{
    const struct token *token = cursor_peek(cursor, 0);
    va_list args;
    if (token->kind == TOKEN_ERROR)
        return say_token(cursor, token);
    va_start(args, format);
    say_format(cursor, cursor_pos(cursor, token), format, args);
    va_end(args);
    return -1;
}

int cursor_error_at(struct cursor *cursor, struct rule_pos pos,
                    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_format(cursor, pos, format, args);
    va_end(args);
    return -1;
}

void cursor_warning(struct cursor *cursor, struct rule_pos pos,
                    const char *sentence)
{
    cursor->hinted = 1;
    if (cursor->stop)
        return;
    cursor->hinted = 0;
    diagnostics_add(cursor->diagnostics, SEG_SEVERITY_WARNING, cursor->rules,
                    pos, "%s", sentence);
    if (cursor->diagnostics->failed)
        cursor_no_memory(cursor);
}

int cursor_suggest(struct cursor *cursor, const char *format, ...)
{
    char text[512];
    va_list args;
    if (cursor->hinted)
        return -1;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    diagnostics_suggest(cursor->diagnostics, "%s", text);
    return -1;
}

/* TOKEN as messages show it. */
static void show(const struct token *token, char out[SHOWN_BYTES_MAX + 8])
{
    size_t len = token->source.len;
    if (token->kind == TOKEN_END) {
        strcpy(out, "the end of the file");
        return;
    }
    if (len > SHOWN_BYTES_MAX) {
        len = SHOWN_BYTES_MAX;
        while (len > 0 && (token->source.bytes[len] & 0xc0) == 0x80)
            len--;
    }
    snprintf(out, SHOWN_BYTES_MAX + 8, "`%.*s%s`", (int)len,
             token->source.bytes, len < token->source.len ? "..." : "");
}

/* WORDS as `a`, `b` or `c`. */
static void join(const char *words, char *out, size_t size)
{
    size_t used = 0;
    while (*words && used < size) {
        size_t len = strcspn(words, "|");
        const char *next = words + len + (words[len] == '|');
        int last = *next && !strchr(next, '|');
        used += (size_t)snprintf(out + used, size - used, "`%.*s`%s", (int)len,
                                 words,
                                 !*next ? ""
                                 : last ? " or "
                                        : ", ");
        words = next;
    }
}

int cursor_missing(struct cursor *cursor, const char *format, ...)
{
    char what[400], shown[SHOWN_BYTES_MAX + 8];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    show(cursor_peek(cursor, 0), shown);
    return cursor_error(cursor, "%s is missing before %s.", what, shown);
}

int cursor_instead(struct cursor *cursor, int ahead, const char *before,
                   const char *after)
{
    struct seg_text source = cursor_peek(cursor, ahead)->source;
    if (source.len > INSTEAD_BYTES_MAX)
        return -1;
    return cursor_suggest(cursor, "did you mean `%s%.*s%s`?", before,
                          (int)source.len, source.bytes, after);
}

static void say_no(struct cursor *cursor, const struct token *token,
                   const char *what)
{
    char shown[SHOWN_BYTES_MAX + 8];
    show(token, shown);
    cursor_error(cursor, "%s is no %s.", shown, what);
}

int cursor_wrong_word(struct cursor *cursor, const char *what,
                      const char *words)
{
    char joined[400] = "";
    const struct token *token = cursor_peek(cursor, 0);
    struct suggest suggest;
    join(words, joined, sizeof(joined));
    if (!what)
        cursor_missing(cursor, "%s", joined);
    else if (token->kind == TOKEN_WORD)
        say_no(cursor, token, what);
    else
        cursor_missing(cursor, "A %s", what);
    suggest_init(&suggest, token->source);
    if (token->kind == TOKEN_WORD || token->kind == TOKEN_MARK)
        suggest_offer_all(&suggest, words);
    if (suggest.best.bytes)
        cursor_suggest(cursor, "did you mean `%.*s`?", (int)suggest.best.len,
                       suggest.best.bytes);
    else if (what && *words)
        cursor_suggest(cursor, "here may stand %s", joined);
    return -1;
}

int cursor_not_yet(struct cursor *cursor, const char *what)
{
    char shown[SHOWN_BYTES_MAX + 8];
    show(cursor_peek(cursor, 0), shown);
    return cursor_error(cursor, "%s is not supported yet by this version.",
                        what ? what : shown);
}

int cursor_no_memory(struct cursor *cursor)
{
    cursor->stop = SEG_ERR_NOMEM;
    return -1;
}

/* ---- memory ---------------------------------------------------------- */

void *cursor_alloc(struct cursor *cursor, size_t size)
{
    void *result = arena_calloc(&cursor->rules->arena, 1, size);
    if (!result)
        cursor_no_memory(cursor);
    return result;
}

int cursor_copy(struct cursor *cursor, struct seg_text text,
                struct seg_text *out)
{
    *out = arena_text(&cursor->rules->arena, text);
    return out->bytes ? 0 : cursor_no_memory(cursor);
}

int cursor_push(struct cursor *cursor, const void *item, size_t size)
{
    void *stack = cursor->stack;
    if (alloc_grow(&stack, &cursor->stack_cap, cursor->stack_len + size, 1) < 0)
        return cursor_no_memory(cursor);
    cursor->stack = stack;
    memcpy(cursor->stack + cursor->stack_len, item, size);
    cursor->stack_len += size;
    return 0;
}

void *cursor_pop(struct cursor *cursor, size_t from)
{
    size_t len = cursor->stack_len - from;
    void *result = cursor_alloc(cursor, len);
    if (result && len)
        memcpy(result, cursor->stack + from, len);
    cursor->stack_len = from;
    return result;
}
