/* lex.c: text of segment files and of segmentd.conf to tokens.
 *
 * The only state between tokens is the place in the text. What begins with a
 * digit is decided by what follows it: 2026-01-31 is a date, 70% a percent, 7d
 * a duration, 1e5 a number, 7days an error that knows better. */
#include "lib/base/lex.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int is_word(char c)
{
    return is_letter(c) || is_digit(c);
}

/* The byte OFFSET bytes on; 0 behind the end (a text holds no 0). */
static char look(const struct lexer *lexer, ptrdiff_t offset)
{
    return lexer->end - lexer->at > offset ? lexer->at[offset] : 0;
}

/* The first byte that cannot be in a text: no UTF-8, a control character, or a
 * carriage return alone; NULL if there is none. */
static const char *find_bad_byte(const char *at, const char *end)
{
    int len;
    for (; at < end; at += len) {
        len = utf8_len(at, end);
        if (!len)
            return at;
        if ((unsigned char)*at >= 0x20 || *at == '\t' || *at == '\n')
            continue;
        if (*at != '\r' || at + 1 == end || at[1] != '\n')
            return at;
    }
    return NULL;
}

void lex_init(struct lexer *lexer, struct seg_text text, struct arena *arena)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *start = text.bytes ? text.bytes : "";
    const char *end = start + text.len;
    if (text.len >= 3 && !memcmp(start, mark, 3))
        start += 3;
    *lexer = (struct lexer){.at = start,
                            .end = end,
                            .line_start = start,
                            .bad = find_bad_byte(start, end),
                            .line = 1,
                            .starts_line = 1,
                            .arena = arena};
}

static void new_line(struct lexer *lexer)
{
    lexer->line_start = ++lexer->at;
    lexer->line++;
    lexer->starts_line = 1;
}

static void skip_space(struct lexer *lexer)
{
    for (;;) {
        char c = look(lexer, 0);
        if (c == '\n')
            new_line(lexer);
        else if (c == ' ' || c == '\t' || c == '\r')
            lexer->at++;
        else
            return;
    }
}

/* The LEN bytes at FROM are TOKEN's; the text goes on behind them. */
static void span(struct lexer *lexer, struct token *token, const char *from,
                 size_t len)
{
    token->source = token->text = (struct seg_text){from, len};
    token->column = (uint32_t)(from - lexer->line_start) + 1;
    lexer->at = from + len;
}

static void set_error(struct token *token, const char *sentence)
{
    token->kind = TOKEN_ERROR;
    token->error = sentence;
}

/* What to write instead of TOKEN, from FORMAT with TEXT cut to an int. */
static void set_better(struct lexer *lexer, struct token *token,
                       const char *before, struct seg_text text,
                       const char *after)
{
    if (text.len > 200)
        return;
    token->better = text_of(arena_printf(lexer->arena, "%s%.*s%s", before,
                                         (int)text.len, text.bytes, after));
}

static void lex_bad(struct lexer *lexer, struct token *token)
{
    while (lexer->at < lexer->bad)
        if (*lexer->at++ == '\n') {
            lexer->line_start = lexer->at;
            lexer->line++;
        }
    token->line = lexer->line;
    span(lexer, token, lexer->bad, 1);
    unsigned char c = (unsigned char)*lexer->bad;
    set_error(token,
              c >= 0x80   ? "This byte is not UTF-8; save the file as UTF-8."
              : c == '\r' ? "A carriage return stands here alone; end lines "
                            "with a line feed."
                          : "A control character stands here.");
    lexer->at = lexer->end;
    lexer->starts_line = 0;
    lexer->bad = NULL;
}

/* ---- strings --------------------------------------------------------- */

/* Decode BODY into TOKEN->text; escapes never take more room than they give.
 * A bad escape makes TOKEN an error at the place of the escape. */
static void decode_string(struct lexer *lexer, struct token *token,
                          struct seg_text body)
{
    const char *at = body.bytes, *end = at + body.len;
    char *bytes = arena_alloc(lexer->arena, body.len + 1), *out = bytes;
    if (!bytes) {
        lexer->failed = 1;
        return;
    }
    while (at < end) {
        if (*at != '\\') {
            *out++ = *at++;
            continue;
        }
        const char *sentence = utf8_unescape(&at, end, &out);
        if (sentence) {
            const char *after = lexer->at;
            span(lexer, token, at, end - at > 1 && (at[1] & 0x80) == 0 ? 2 : 1);
            lexer->at = after;
            set_error(token, sentence);
            return;
        }
    }
    *out = 0;
    token->text = (struct seg_text){bytes, (size_t)(out - bytes)};
}

/* The end of the line that AT stands in. */
static const char *line_end(const struct lexer *lexer, const char *at)
{
    const char *end = memchr(at, '\n', (size_t)(lexer->end - at));
    end = end ? end : lexer->end;
    while (end > at && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return end;
}

static void lex_string(struct lexer *lexer, struct token *token)
{
    const char *start = lexer->at, *at = start + 1, *end = lexer->end;
    const char *tab = NULL;
    while (at < end && *at != '"' && *at != '\n') {
        if (*at == '\t' && !tab)
            tab = at;
        at += *at == '\\' && end - at > 1 && at[1] != '\n' ? 2 : 1;
    }
    if (at == end || *at == '\n') {
        at = line_end(lexer, start);
        span(lexer, token, start, (size_t)(at - start));
        set_error(token, "The closing quote is missing.");
        return;
    }
    span(lexer, token, start, (size_t)(at + 1 - start));
    token->kind = TOKEN_STRING;
    if (tab) {
        span(lexer, token, tab, 1);
        lexer->at = at + 1;
        set_error(token, "A tab inside quotes is written \\t.");
    } else if (at - start - 1 > SEG_STRING_BYTES_MAX) {
        set_error(token, "A string has at most 65536 bytes.");
    } else {
        decode_string(lexer, token,
                      (struct seg_text){start + 1, (size_t)(at - start - 1)});
    }
}

/* Bytes of a quote that is not ours at AT, 0 if there is none: ' and the curly
 * ones that word processors make (U+2018 to U+201F). */
static size_t foreign_quote(const char *at, const char *end)
{
    if (at < end && *at == '\'')
        return 1;
    return end - at >= 3 && !memcmp(at, "\xe2\x80", 2) &&
                   (unsigned char)at[2] >= 0x98 && (unsigned char)at[2] <= 0x9f
               ? 3
               : 0;
}

static void lex_foreign_string(struct lexer *lexer, struct token *token,
                               size_t quote_len)
{
    const char *start = lexer->at, *body = start + quote_len;
    const char *end = line_end(lexer, start), *at = body;
    size_t closing = 0;
    while (at < end && !(closing = foreign_quote(at, end)) && *at != '"')
        at++;
    span(lexer, token, start,
         closing ? (size_t)(at - start) + closing : quote_len);
    set_error(token, "Strings stand in plain double quotes.");
    if (closing)
        set_better(lexer, token, "\"",
                   (struct seg_text){body, (size_t)(at - body)}, "\"");
}

/* ---- what begins with a digit ---------------------------------------- */

const char *lex_unit(struct seg_text word)
{
    static const struct {
        const char *word, *unit;
    } rows[] = {
        {"day", "d"},   {"hour", "h"},   {"hr", "h"},
        {"week", "w"},  {"minute", "m"}, {"min", "m"},
        {"sec", "s"},   {"second", "s"}, {"millisecond", "ms"},
        {"msec", "ms"}, {"d", "d"},      {"h", "h"},
        {"w", "w"},     {"m", "m"},      {"s", "s"},
        {"ms", "ms"},
    };
    size_t len = word.len;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t row_len = strlen(rows[i].word);
        if (len >= row_len && !strncasecmp(word.bytes, rows[i].word, row_len) &&
            (len == row_len || (len == row_len + 1 && row_len > 1 &&
                                (word.bytes[row_len] | 0x20) == 's')))
            return rows[i].unit;
    }
    return NULL;
}

/* Whether WORD is a length of the calendar; `m` is a minute. */
static int is_calendar(struct seg_text word)
{
    static const char *const words[] = {"y",  "yr",  "yrs",   "year",  "years",
                                        "mo", "mon", "month", "months", "M"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (text_equal(word, text_of(words[i])))
            return 1;
    return 0;
}

/* Bytes of the longest start of the text that is a number of JSON; leading
 * zeros are taken too. WHOLE: neither fraction nor exponent. */
static size_t number_len(const struct lexer *lexer, int *whole)
{
    ptrdiff_t n = look(lexer, 0) == '-', more;
    while (is_digit(look(lexer, n)))
        n++;
    *whole = 1;
    if (look(lexer, n) == '.' && is_digit(look(lexer, n + 1))) {
        *whole = 0;
        for (n++; is_digit(look(lexer, n)); n++)
            ;
    }
    if ((look(lexer, n) | 0x20) == 'e') {
        more = n + 1;
        more += look(lexer, more) == '+' || look(lexer, more) == '-';
        if (is_digit(look(lexer, more))) {
            *whole = 0;
            for (n = more; is_digit(look(lexer, n)); n++)
                ;
        }
    }
    return (size_t)n;
}

static void read_double(struct token *token, const char *digits)
{
    double number = strtod(digits, NULL);
    if (isinf(number))
        set_error(token, "This number is too large.");
    token->value = (struct seg_value){.type = SEG_DOUBLE, .as.number = number};
}

/* As in an event: what does not fit into 64 bits is a double. */
static void read_integer(struct token *token, const char *digits)
{
    errno = 0;
    long long number = strtoll(digits, NULL, 10);
    if (errno)
        read_double(token, digits);
    else
        token->value =
            (struct seg_value){.type = SEG_INT, .as.integer = number};
}

static void lex_number(struct lexer *lexer, struct token *token, size_t len,
                       int whole)
{
    char digits[512];
    const char *first = lexer->at + (*lexer->at == '-');
    token->kind = TOKEN_NUMBER;
    span(lexer, token, lexer->at, len);
    if (len >= sizeof(digits)) {
        set_error(token, "A number has at most 511 digits.");
        return;
    }
    if (first[0] == '0' && first + 1 < lexer->at && is_digit(first[1])) {
        set_error(token, "A number has no leading zeros.");
        return;
    }
    memcpy(digits, token->source.bytes, len);
    digits[len] = 0;
    if (whole)
        read_integer(token, digits);
    else
        read_double(token, digits);
}

/* LEN bytes of digits with at most two decimals, then the %. */
static void lex_percent(struct lexer *lexer, struct token *token, size_t len)
{
    const char *at = lexer->at;
    size_t whole = 0, decimals = 0;
    int64_t hundredths = 0;
    for (; whole < len && is_digit(at[whole]); whole++)
        if (whole < 10)
            hundredths = hundredths * 10 + (at[whole] - '0');
    if (whole < len && at[whole] == '.')
        while (whole + 1 + decimals < len && is_digit(at[whole + 1 + decimals]))
            decimals++;
    token->kind = TOKEN_PERCENT;
    span(lexer, token, at, len + 1);
    if (!whole || whole > 9 || decimals > 2 ||
        len != whole + (decimals ? 1 + decimals : 0)) {
        set_error(token, "A percent is a number from 0 on with at most two "
                         "decimals.");
        return;
    }
    for (size_t i = 0; i < 2; i++)
        hundredths =
            hundredths * 10 + (i < decimals ? at[whole + 1 + i] - '0' : 0);
    token->value =
        (struct seg_value){.type = SEG_INT, .as.integer = hundredths};
}

/* 1.5d is 1d12h, if it comes out even. */
static void set_better_fraction(struct lexer *lexer, struct token *token)
{
    char text[32], *end, one[8];
    int64_t unit_ms;
    struct buf better;
    if (token->source.len >= sizeof(text))
        return;
    memcpy(text, token->source.bytes, token->source.len);
    text[token->source.len] = 0;
    double number = strtod(text, &end);
    const char *unit = lex_unit(text_of(end));
    if (!unit || !(number > 0 && number < 36500))
        return;
    snprintf(one, sizeof(one), "1%s", unit);
    duration_parse(text_of(one), &unit_ms);
    buf_init(&better);
    if (number * (double)unit_ms == floor(number * (double)unit_ms))
        duration_format(&better, (int64_t)(number * (double)unit_ms));
    lexer->failed |= buf_failed(&better);
    if (better.len && !lexer->failed)
        set_better(lexer, token, "",
                   (struct seg_text){better.bytes, better.len}, "");
    buf_done(&better);
}

/* TOKEN begins with a digit and is none of what may. */
static void wrong_duration(struct lexer *lexer, struct token *token)
{
    const char *start = token->source.bytes;
    size_t digits = 0;
    while (digits < token->source.len && is_digit(start[digits]))
        digits++;
    struct seg_text rest = {start + digits, token->source.len - digits};
    const char *unit = is_calendar(rest) ? NULL : lex_unit(rest);
    int is_written = unit && text_equal(rest, text_of(unit));
    set_error(token,
              *start == '-' ? "A duration is not negative."
              : is_calendar(rest)
                  ? "Months and years differ in length; write days, such as "
                    "30d or 365d."
              : is_written
                  ? "A duration is at most 36500d."
                  : "This is no number, duration or date; durations are 500ms "
                    "90s 15m 6h 7d 2w and sums of them, up to 36500d.");
    if (unit && digits < 6 && !is_written)
        set_better(lexer, token, "", (struct seg_text){start, digits}, unit);
    else if (rest.len && *rest.bytes == '.')
        set_better_fraction(lexer, token);
}

static void lex_duration(struct lexer *lexer, struct token *token)
{
    const char *start = lexer->at, *at = start;
    while (at < lexer->end && (is_word(*at) || *at == '.' || *at == '-'))
        at++;
    span(lexer, token, start, (size_t)(at - start));
    token->kind = TOKEN_DURATION;
    int len = duration_parse(token->source, &token->ms);
    if (len >= 0 && (size_t)len == token->source.len)
        return;
    wrong_duration(lexer, token);
}

static int is_date(const struct lexer *lexer)
{
    for (int i = 0; i < 4; i++)
        if (!is_digit(look(lexer, i)))
            return 0;
    return look(lexer, 4) == '-' && is_digit(look(lexer, 5));
}

static void lex_date(struct lexer *lexer, struct token *token)
{
    const char *start = lexer->at, *at = start;
    while (at < lexer->end && (is_word(*at) || strchr(":.+-", *at)))
        at++;
    span(lexer, token, start, (size_t)(at - start));
    token->kind = TOKEN_DATE;
    if (instant_parse(token->source, &token->ms) < 0)
        set_error(token, "This is no date; dates are 2026-01-31, "
                         "2026-01-31T12:00Z or 2026-01-31T12:00:00.000+02:00.");
}

static void lex_numeric(struct lexer *lexer, struct token *token)
{
    int whole;
    if (is_date(lexer)) {
        lex_date(lexer, token);
        return;
    }
    size_t len = number_len(lexer, &whole);
    char next = look(lexer, (ptrdiff_t)len);
    if (next == '%')
        lex_percent(lexer, token, len);
    else if (is_word(next))
        lex_duration(lexer, token);
    else
        lex_number(lexer, token, len, whole);
}

/* ---- words, marks, comments ------------------------------------------ */

int lex_is_name(struct seg_text text)
{
    if (!text.len || !is_letter(text.bytes[0]))
        return 0;
    for (size_t i = 1; i < text.len; i++)
        if (!is_word(text.bytes[i]))
            return 0;
    return 1;
}

static size_t word_len(const char *at, const char *end)
{
    const char *start = at;
    while (at < end &&
           (is_word(*at) || (*at == '-' && end - at > 1 && is_word(at[1]))))
        at++;
    return (size_t)(at - start);
}

static void lex_list(struct lexer *lexer, struct token *token)
{
    const char *start = lexer->at;
    size_t len = word_len(start + 1, lexer->end);
    span(lexer, token, start, 1 + len);
    token->kind = TOKEN_LIST;
    token->text = (struct seg_text){start + 1, len};
    if (!len)
        set_error(token, "The name of a list follows @ directly.");
}

static void lex_comment(struct lexer *lexer, struct token *token)
{
    const char *start = lexer->at;
    token->kind = TOKEN_COMMENT;
    span(lexer, token, start, (size_t)(line_end(lexer, start) - start));
}

/* Comments as other languages have them. */
static int is_foreign_comment(const struct lexer *lexer)
{
    char a = look(lexer, 0), b = look(lexer, 1);
    return (a == '/' && (b == '/' || b == '*')) || (a == '-' && b == '-');
}

static void lex_mark(struct lexer *lexer, struct token *token)
{
    static const char runs[] = "=!<>&|";
    const char *at = lexer->at;
    size_t len = 1;
    token->kind = TOKEN_MARK;
    if (strchr(runs, *at))
        while (look(lexer, (ptrdiff_t)len) &&
               strchr(runs, look(lexer, (ptrdiff_t)len)))
            len++;
    span(lexer, token, at, len);
}

static int is_stranger(const char *at, const char *end)
{
    return at < end && (*at & 0x80) && !foreign_quote(at, end);
}

/* Letters that are not ASCII, and what hangs together with them. */
static void lex_stranger(struct lexer *lexer, struct token *token)
{
    const char *at = lexer->at;
    while (at < lexer->end && (is_stranger(at, lexer->end) || is_word(*at)))
        at++;
    span(lexer, token, lexer->at, (size_t)(at - lexer->at));
    set_error(token, "This can stand only inside quotes.");
    set_better(lexer, token, "\"", token->source, "\"");
}

static void lex_word(struct lexer *lexer, struct token *token)
{
    size_t len = word_len(lexer->at, lexer->end);
    if (is_stranger(lexer->at + len, lexer->end)) {
        lex_stranger(lexer, token);
        return;
    }
    token->kind = TOKEN_WORD;
    span(lexer, token, lexer->at, len);
}

static void lex_any(struct lexer *lexer, struct token *token)
{
    char c = look(lexer, 0);
    size_t quote_len = foreign_quote(lexer->at, lexer->end);
    if (c == '#') {
        lex_comment(lexer, token);
    } else if (is_letter(c)) {
        lex_word(lexer, token);
    } else if (is_digit(c) || (c == '-' && is_digit(look(lexer, 1)))) {
        lex_numeric(lexer, token);
    } else if (c == '"') {
        lex_string(lexer, token);
    } else if (quote_len) {
        lex_foreign_string(lexer, token, quote_len);
    } else if (c == '@') {
        lex_list(lexer, token);
    } else if (is_foreign_comment(lexer)) {
        lex_comment(lexer, token);
        set_error(token, "Comments begin with #.");
    } else if (c & 0x80) {
        lex_stranger(lexer, token);
    } else {
        lex_mark(lexer, token);
    }
}

struct token lex_next(struct lexer *lexer)
{
    struct token token = {.kind = TOKEN_END};
    if (lexer->bad) {
        lex_bad(lexer, &token);
        return token;
    }
    skip_space(lexer);
    token.line = lexer->line;
    token.starts_line = lexer->starts_line;
    lexer->starts_line = 0;
    if (lexer->at < lexer->end && !lexer->failed)
        lex_any(lexer, &token);
    if (lexer->failed)
        token.kind = TOKEN_END;
    if (token.kind == TOKEN_END)
        span(lexer, &token, lexer->at, 0);
    return token;
}
