/* conf_read.c: the syntax of segmentd.conf.
 *
 *     file    := { setting | block }
 *     setting := name [ "=" ] value [ "," ]
 *     name    := WORD { "." WORD } | STRING              (the latter in kafka)
 *     value   := WORD | STRING | NUMBER | DURATION | DATE | size
 *              | "file" STRING                           (secrets, kafka)
 *              | "[" value { "," value } "]"             (paths)
 *     block   := head "{" { setting } "}"
 *     head    := "input" STRING | "kafka" | "redis" | "http"
 *
 * A wrong value is consumed and reading goes on behind it; after anything else
 * that is wrong it goes on at the next line, or behind the block. */
#include "daemon/base/conf_read.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <seg/catalogue.h>

#include "daemon/base/file.h"
#include "lib/base/suggest.h"
#include "lib/base/text.h"

static const char *const blocks[] = {"input", "kafka", "redis", "http"};
#define BLOCK_COUNT ((int)(sizeof(blocks) / sizeof(blocks[0])))

/* ---- tokens and complaints ------------------------------------------- */

static void next(struct conf_reader *reader)
{
    do
        reader->token = lex_next(&reader->lexer);
    while (reader->token.kind == TOKEN_COMMENT);
    reader->failed |= reader->lexer.failed;
}

static int is_mark(const struct token *token, const char *mark)
{
    return token->kind == TOKEN_MARK &&
           text_equal(token->source, text_of(mark));
}

static int is_word(const struct token *token, const char *word)
{
    return token->kind == TOKEN_WORD &&
           text_equal(token->source, text_of(word));
}

static int take_mark(struct conf_reader *reader, const char *mark)
{
    int found = is_mark(&reader->token, mark);
    if (found)
        next(reader);
    return found;
}

/* How much of LINE, LEN bytes, may be shown: up to a name of something secret,
 * misspelled as it may be. */
static size_t shown_bytes(const char *line, size_t len)
{
    static const char *const parts[] = {"pas",     "pwd",  "secret", "token",
                                        "key.pem", "jaas", "oauth"};
    size_t shown = len;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t part = strlen(parts[i]);
        const char *at = memmem(line, shown, parts[i], part);
        if (!at)
            continue;
        shown = (size_t)(at - line) + part;
        while (shown < len && !strchr(" \t={", line[shown]))
            shown++; /* The rest of the name. */
    }
    return shown;
}

/* The line that TOKEN stands in, terminated, in the arena; a control character,
 * which could move a terminal, as a question mark, what may be secret as stars.
 * *IS_SECRET becomes whether TOKEN is in what may be. */
static const char *source_line(struct conf_reader *reader,
                               const struct token *token, int *is_secret)
{
    const char *start = reader->text.bytes, *end = start + reader->text.len;
    const char *from = token->source.bytes, *to = from;
    while (from > start && from[-1] != '\n')
        from--;
    while (to < end && *to != '\n' && *to != '\r')
        to++;
    if (from > to)
        to = from;
    struct seg_text line = {from, (size_t)(to - from)};
    size_t shown = shown_bytes(line.bytes, line.len);
    *is_secret = token->source.bytes >= from + shown;
    char *copy = (char *)arena_text(&reader->conf->arena, line).bytes;
    for (size_t i = 0; copy && i < line.len; i++)
        if (i >= shown && !strchr(" \t={}", copy[i]))
            copy[i] = '*';
        else if (iscntrl((unsigned char)copy[i]) && copy[i] != '\t')
            copy[i] = '?';
    return copy ? copy : "";
}

/* Whether MESSAGE repeats TOKEN. */
static int repeats(const char *message, const struct token *token)
{
    return token->source.len && memmem(message, strlen(message),
                                       token->source.bytes, token->source.len);
}

void conf_complain(struct conf_reader *reader, const struct token *token,
                   const char *message, const char *better)
{
    int is_secret;
    if (reader->error_count++ >= SEG_DIAGNOSTICS_MAX)
        return;
    struct seg_diagnostic diagnostic = {
        .severity = SEG_SEVERITY_ERROR,
        .line = (int)token->line,
        .column = (int)token->column,
        .width = token->source.len ? (int)token->source.len : 1,
        .file = reader->path,
        .message = message ? message : "",
        .suggestion = better,
        .source = source_line(reader, token, &is_secret),
    };
    if (is_secret && repeats(diagnostic.message, token))
        diagnostic.message = "This is no setting; a secret stands in quotes.";
    if (is_secret && better && repeats(better, token))
        diagnostic.suggestion = NULL;
    char *text = seg_diagnostic_text(&diagnostic);
    reader->failed |= !text || !message;
    buf_str(reader->errors, text ? text : "");
    free(text);
}

#define complain(reader, token, better, ...) \
    conf_complain(reader, token,             \
                  arena_printf(&(reader)->conf->arena, __VA_ARGS__), better)

static const char *did_you_mean(struct conf_reader *reader,
                                struct seg_text word)
{
    return word.bytes ? arena_printf(&reader->conf->arena, "did you mean %.*s?",
                                     (int)word.len, word.bytes)
                      : NULL;
}

/* Go on at the next line or, when a bracket was opened, behind its end. */
static void skip(struct conf_reader *reader)
{
    int depth = 0;
    while (reader->token.kind != TOKEN_END) {
        int closes = is_mark(&reader->token, "}");
        depth += is_mark(&reader->token, "{") - closes;
        if (depth < 0)
            return;
        next(reader);
        if (depth == 0 && (closes || reader->token.starts_line))
            return;
    }
}

/* ---- values ---------------------------------------------------------- */

/* 64KiB is no token of the lexer, but one here. */
static int is_size(struct seg_text text)
{
    size_t i = 0;
    while (i < text.len && isdigit((unsigned char)text.bytes[i]))
        i++;
    return i > 0 && i < text.len && text.bytes[text.len - 1] == 'B';
}

/* Whether TOKEN hangs together with what ended at END, and should not. */
static int is_glued(const struct token *token, const char *end)
{
    return token->source.bytes == end && token->kind != TOKEN_END &&
           !(token->kind == TOKEN_MARK && strchr(",]}", *token->source.bytes));
}

/* What begins with TOKEN should stand in quotes: say so, go on behind it. */
static void complain_unquoted(struct conf_reader *reader, struct token token)
{
    const char *end = token.source.bytes + token.source.len;
    if (reader->token.source.bytes == token.source.bytes)
        next(reader);
    while (is_glued(&reader->token, end)) {
        end += reader->token.source.len;
        next(reader);
    }
    token.source.len = (size_t)(end - token.source.bytes);
    complain(reader, &token,
             arena_printf(&reader->conf->arena, "did you mean \"%.*s\"?",
                          (int)token.source.len, token.source.bytes),
             "A value like this stands in quotes.");
}

/* The text of one value; bytes = NULL after a complaint. */
static struct seg_text take_value(struct conf_reader *reader)
{
    struct seg_text text = {NULL, 0};
    struct token token = reader->token;
    switch (token.kind) {
    case TOKEN_STRING:
        text = token.text;
        break;
    case TOKEN_WORD:
    case TOKEN_NUMBER:
    case TOKEN_DURATION:
    case TOKEN_DATE:
        next(reader);
        if (!is_glued(&reader->token, token.source.bytes + token.source.len))
            return token.source;
        complain_unquoted(reader, token);
        return text;
    case TOKEN_ERROR:
        if (is_size(token.source))
            text = token.source;
        else
            complain(reader, &token, did_you_mean(reader, token.better), "%s",
                     token.error);
        break;
    case TOKEN_MARK:
        if (!strchr("{}[],=", *token.source.bytes)) {
            complain_unquoted(reader, token);
            return text;
        }
        /* fall through */
    case TOKEN_END:
    case TOKEN_COMMENT:
    case TOKEN_PERCENT:
    case TOKEN_LIST:
        complain(reader, &token, NULL, "Here a value is missing.");
        return text;
    }
    next(reader);
    return text;
}

const char *conf_resolve(struct conf_reader *reader, struct seg_text path)
{
    const char *slash = path.len && *path.bytes == '/' ? "" : reader->folder;
    return arena_printf(&reader->conf->arena, "%s%.*s", slash, (int)path.len,
                        path.bytes ? path.bytes : "");
}

/* The content of the file named by the next token, without the newline at its
 * end; bytes = NULL after a complaint. *FILE gets its path. */
static struct seg_text take_file(struct conf_reader *reader, const char **file)
{
    struct token token = reader->token;
    struct seg_text content = {NULL, 0};
    struct buf why;
    if (token.kind != TOKEN_STRING) {
        complain(reader, &token, NULL, "Behind file stands a path in quotes.");
        if (token.kind != TOKEN_MARK)
            next(reader);
        return content;
    }
    next(reader);
    *file = conf_resolve(reader, token.text);
    buf_init(&why);
    int err = *file ? file_read(&reader->conf->arena, *file, CONF_BYTES_MAX,
                                &content, &why)
                    : SEG_ERR_NOMEM;
    while (!err && content.len &&
           strchr("\r\n", content.bytes[content.len - 1]))
        content.len--;
    if (why.len)
        why.len--; /* The newline. */
    if (err == SEG_ERR_NOMEM)
        reader->failed = 1;
    else if (err < 0)
        complain(reader, &token, NULL, "%s.", buf_string(&why));
    else if (!content.len)
        complain(reader, &token, NULL, "This file is empty.");
    buf_done(&why);
    return err < 0 || !content.len ? (struct seg_text){NULL, 0} : content;
}

/* A value, or `file` and a path. */
static struct seg_text take_secret(struct conf_reader *reader,
                                   struct conf_secret *secret)
{
    if (!is_word(&reader->token, "file"))
        return take_value(reader);
    next(reader);
    return take_file(reader, &secret->file);
}

static void read_value(struct conf_reader *reader, const struct conf_row *row,
                       void *field)
{
    struct token token = reader->token;
    struct suggest suggest;
    struct seg_text text = row->type == CONF_SECRET ? take_secret(reader, field)
                                                    : take_value(reader);
    suggest_init(&suggest, text);
    if (!text.bytes)
        return;
    if (row->type == CONF_CHOICE || row->type == CONF_START)
        suggest_offer_all(&suggest, row->range);
    if ((row->type == CONF_PATHS || row->type == CONF_PATH) && text.len)
        text = text_of(conf_resolve(reader, text));
    const char *wrong = conf_value_read(&reader->conf->arena, row, text, field);
    if (wrong && *wrong)
        conf_complain(reader, &token, wrong,
                      did_you_mean(reader, suggest.best));
    reader->failed |= wrong && !*wrong;
}

static void read_paths(struct conf_reader *reader, const struct conf_row *row,
                       struct conf_paths *paths)
{
    *paths = (struct conf_paths){0, NULL}; /* The initial one goes. */
    if (!take_mark(reader, "[")) {
        read_value(reader, row, paths);
        return;
    }
    while (reader->token.kind == TOKEN_STRING) {
        read_value(reader, row, paths);
        take_mark(reader, ",");
    }
    if (!take_mark(reader, "]")) {
        complain(reader, &reader->token, NULL,
                 "A list is [\"one\", \"two\"]: here a path in quotes or a ] "
                 "is missing.");
        skip(reader);
    }
}

/* ---- settings -------------------------------------------------------- */

/* `word.word.word`, without space between them; bytes = NULL after a
 * complaint. *AT gets the whole of it, for more complaints. */
static struct seg_text take_name(struct conf_reader *reader, struct token *at)
{
    *at = reader->token;
    if (at->kind != TOKEN_WORD) {
        const char *sentence =
            at->kind == TOKEN_ERROR ? at->error : "Here a name is missing.";
        complain(reader, at, NULL, "%s", sentence);
        skip(reader);
        return (struct seg_text){NULL, 0};
    }
    next(reader);
    const char *end = at->source.bytes + at->source.len;
    while (reader->token.source.bytes == end &&
           (is_mark(&reader->token, ".") ||
            (end[-1] == '.' && reader->token.kind == TOKEN_WORD))) {
        end += reader->token.source.len;
        next(reader);
    }
    at->source.len = (size_t)(end - at->source.bytes);
    return at->source;
}

/* Whether a value follows the name AT on its line. */
static int has_value(struct conf_reader *reader, const struct token *at)
{
    take_mark(reader, "=");
    if (!reader->token.starts_line && reader->token.kind != TOKEN_END)
        return 1;
    complain(reader, at, NULL, "%.*s has no value on its line.",
             (int)at->source.len, at->source.bytes);
    return 0;
}

static void complain_unknown(struct conf_reader *reader, const char *block,
                             const struct token *at)
{
    struct suggest suggest;
    size_t len = strlen(block);
    suggest_init(&suggest, at->source);
    for (int i = 0; conf_row(i); i++)
        if (!strncmp(conf_row(i)->name, block, len))
            suggest_offer(&suggest, text_of(conf_row(i)->name + len));
    for (int i = 0; !len && i < BLOCK_COUNT; i++)
        suggest_offer(&suggest, text_of(blocks[i]));
    complain(reader, at, did_you_mean(reader, suggest.best),
             "There is no setting %s%.*s.", block, (int)at->source.len,
             at->source.bytes);
}

/* One `name value` of BLOCK ("", "http.", ...). INPUT: index of the input, -1
 * outside of inputs. */
static void read_setting(struct conf_reader *reader, const char *block,
                         int input)
{
    struct token at;
    struct seg_text name = take_name(reader, &at);
    if (!name.bytes)
        return;
    const char *whole = arena_printf(&reader->conf->arena, "%s%.*s", block,
                                     (int)name.len, name.bytes);
    int index = whole ? conf_row_find(text_of(whole)) : -1;
    const struct conf_row *row = index < 0 ? NULL : conf_row(index);
    if (!row || row->input != (input >= 0)) {
        complain_unknown(reader, block, &at);
        if (!reader->token.starts_line)
            skip(reader);
        return;
    }
    int before = input < 0 ? reader->set[index].kind != TOKEN_END
                           : reader->input_set[input][index];
    if (before)
        complain(reader, &at, NULL, "%s is set twice.", row->name);
    if (!has_value(reader, &at))
        return;
    char *base =
        input < 0 ? (char *)reader->conf : (char *)&reader->conf->inputs[input];
    if (input < 0)
        reader->set[index] = reader->token;
    else
        reader->input_set[input][index] = 1;
    if (row->type == CONF_PATHS)
        read_paths(reader, row, (void *)(base + row->offset));
    else
        read_value(reader, row, base + row->offset);
}

/* One property of librdkafka. */
static void read_property(struct conf_reader *reader, const char *block,
                          int input)
{
    (void)block, (void)input;
    struct conf *conf = reader->conf;
    struct token at = reader->token;
    struct conf_property property = {.name = NULL};
    struct seg_text name = at.text;
    if (at.kind == TOKEN_STRING)
        next(reader);
    else
        name = take_name(reader, &at);
    if (!name.bytes)
        return;
    for (int i = 0; i < conf->property_count; i++)
        if (text_equal(name, text_of(conf->properties[i].name)))
            complain(reader, &at, NULL, "%.*s is set twice.", (int)name.len,
                     name.bytes);
    if (conf->property_count == CONF_PROPERTIES_MAX) {
        complain(reader, &at, NULL, "There are more than %d properties.",
                 CONF_PROPERTIES_MAX);
        skip(reader);
        return;
    }
    if (!has_value(reader, &at))
        return;
    struct seg_text value = take_secret(reader, &property.value);
    if (!value.bytes)
        return;
    property.name = arena_text(&conf->arena, name).bytes;
    property.value.value = arena_text(&conf->arena, value).bytes;
    if (!property.name || !property.value.value)
        reader->failed = 1;
    else
        conf->properties[conf->property_count++] = property;
}

/* ---- blocks ---------------------------------------------------------- */

typedef void read_one(struct conf_reader *reader, const char *block, int input);

static void read_block(struct conf_reader *reader, const char *block, int input,
                       read_one *read)
{
    struct token open = reader->token;
    if (!take_mark(reader, "{")) {
        complain(reader, &open, NULL, "Here a { is missing.");
        skip(reader);
        return;
    }
    while (!is_mark(&reader->token, "}")) {
        if (reader->token.kind == TOKEN_END) {
            complain(reader, &open, NULL, "This { is not closed.");
            return;
        }
        read(reader, block, input);
        take_mark(reader, ",");
    }
    next(reader);
}

/* The index of a new input, or -1 after a complaint. */
static int add_input(struct conf_reader *reader)
{
    struct conf *conf = reader->conf;
    struct token *topic = &reader->token;
    const char *wrong = NULL;
    if (topic->kind != TOKEN_STRING || !topic->text.len ||
        memchr(topic->text.bytes, 0, topic->text.len))
        wrong = "Behind input stands the name of a topic, in quotes.";
    else if (conf->input_count == CONF_INPUTS_MAX)
        wrong = "There are more than 64 inputs.";
    for (int i = 0; !wrong && i < conf->input_count; i++)
        if (text_equal(topic->text, text_of(conf->inputs[i].topic)))
            wrong = "This topic is an input already.";
    if (wrong) {
        conf_complain(reader, topic, wrong, NULL);
        return -1;
    }
    int index = conf->input_count++;
    reader->topics[index] = *topic;
    conf->inputs[index] = (struct conf_input){.topic = topic->text.bytes};
    next(reader);
    return index;
}

static void read_input(struct conf_reader *reader)
{
    int index = add_input(reader);
    if (index < 0)
        skip(reader);
    else
        read_block(reader, "input.", index, read_setting);
}

void conf_read(struct conf_reader *reader)
{
    struct conf *conf = reader->conf;
    conf->inputs =
        arena_calloc(&conf->arena, CONF_INPUTS_MAX, sizeof(*conf->inputs));
    conf->properties = arena_calloc(&conf->arena, CONF_PROPERTIES_MAX,
                                    sizeof(*conf->properties));
    reader->failed = !conf->inputs || !conf->properties;
    lex_init(&reader->lexer, reader->text, &conf->arena);
    next(reader);
    while (!reader->failed && reader->token.kind != TOKEN_END) {
        struct token token = reader->token;
        int block = 0;
        while (block < BLOCK_COUNT && !is_word(&token, blocks[block]))
            block++;
        if (is_mark(&token, "}")) {
            complain(reader, &token, NULL, "There is no { for this.");
            next(reader);
            continue;
        }
        if (block == BLOCK_COUNT) {
            read_setting(reader, "", -1);
            take_mark(reader, ",");
            continue;
        }
        next(reader);
        if (is_word(&token, "input"))
            read_input(reader);
        else if (is_word(&token, "kafka"))
            read_block(reader, "kafka.", -1, read_property);
        else
            read_block(reader, is_word(&token, "redis") ? "redis." : "http.",
                       -1, read_setting);
    }
}
