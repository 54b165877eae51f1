/* parse_value.c: values, lists of them, durations. */
#include "lib/segment/parse_value.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/segment/parse_block.h"
#include "lib/segment/parse_measure.h"

/* Words that stand where a text was meant: `Goal Used` up to what cannot be
 * part of it. Only for a hint; nothing is taken. */
static int unquoted(struct cursor *cursor, char *out, size_t size)
{
    static const char stops[] =
        "|in|from|at|where|or|and|between|exactly|not|"
        "times|ignoring|ago|once|within|title|owner|tags|docs|when|"
        "include|exclude|on|then|without|after|with|all|for|per|until|"
        "shadow|was|by|";
    char word[80];
    size_t used = 0;
    for (int i = 0; i < CURSOR_LOOKAHEAD; i++) {
        const struct token *token = cursor_peek(cursor, i);
        if (token->kind != TOKEN_WORD || token->source.len > 60 ||
            (i && token->starts_line))
            break;
        snprintf(word, sizeof(word), "|%.*s|", (int)token->source.len,
                 token->source.bytes);
        if (strstr(stops, word))
            break;
        used +=
            (size_t)snprintf(out + used, size - used, "%s%.*s", i ? " " : "",
                             (int)token->source.len, token->source.bytes);
    }
    return used > 0;
}

static int suggest_quotes(struct cursor *cursor)
{
    char words[CURSOR_LOOKAHEAD * 64];
    if (unquoted(cursor, words, sizeof(words)))
        cursor_suggest(cursor, "did you mean `\"%s\"`?", words);
    return -1;
}

int parse_string(struct cursor *cursor, const char *what, size_t max,
                 struct seg_text *text)
{
    const struct token *token = cursor_peek(cursor, 0);
    if (token->kind != TOKEN_STRING) {
        cursor_error(cursor, "%s is a text in double quotes.", what);
        return suggest_quotes(cursor);
    }
    if (token->text.len > max)
        return cursor_error(cursor, "%s has at most %zu bytes, not %zu.", what,
                            max, token->text.len);
    *text = cursor_take(cursor)->text;
    return 0;
}

/* ---- keys ------------------------------------------------------------ */

static int is_key(struct seg_text text)
{
    if (!lex_is_name(text) || text.bytes[0] < 'a')
        return 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.bytes[i] >= 'A' && text.bytes[i] <= 'Z')
            return 0;
    return 1;
}

/* A key out of what was written: lower case, _ for what cannot be. */
static int suggest_key(struct cursor *cursor, struct seg_text text)
{
    char key[RULE_KEY_BYTES_MAX + 1];
    size_t used = 0;
    for (size_t i = 0; i < text.len && used < RULE_KEY_BYTES_MAX; i++) {
        char c = text.bytes[i];
        int upper = c >= 'A' && c <= 'Z';
        int good = upper || (c >= 'a' && c <= 'z') ||
                   (used && ((c >= '0' && c <= '9') || c == '_'));
        if (good || used)
            key[used++] = upper ? (char)(c | 0x20) : good ? c : '_';
    }
    key[used] = 0;
    return used ? cursor_suggest(cursor, "did you mean `%s`?", key) : -1;
}

int parse_key(struct cursor *cursor, const char *what, struct seg_text *key)
{
    const struct token *token = cursor_peek(cursor, 0);
    if (token->kind != TOKEN_WORD && token->kind != TOKEN_STRING) {
        return cursor_missing(cursor, "The key of the %s", what);
    }
    if (token->kind == TOKEN_STRING || !is_key(token->source)) {
        cursor_error(cursor, "A key is written a-z, 0-9 and _ without quotes "
                             "and begins with a letter.");
        return suggest_key(cursor, token->text);
    }
    if (token->source.len > RULE_KEY_BYTES_MAX)
        return cursor_error(cursor, "A key has at most %d bytes, not %zu.",
                            RULE_KEY_BYTES_MAX, token->source.len);
    return cursor_copy(cursor, cursor_take(cursor)->source, key);
}

/* ---- values ---------------------------------------------------------- */

static int wrong_value_word(struct cursor *cursor)
{
    if (cursor_at_any(cursor, 0, "null nil None NULL undefined")) {
        cursor_error(cursor, "There is no null here.");
        return cursor_suggest(cursor, "use `is set` or `is not set`");
    }
    if (cursor_at_any(cursor, 0, "user account") && cursor_at(cursor, 1, "."))
        return cursor_error(cursor, "A value stands here; what a user has is "
                                    "compared only with values.");
    if (measure_at(cursor, 0) != MEASURE_COUNT_)
        return cursor_error(cursor, "A value stands here; only a measure is "
                                    "compared with a measure, by = != < <= > "
                                    "or >=.");
    cursor_error(cursor, "A value is a text in double quotes, a number, true, "
                         "false or a date.");
    if (cursor_at_any(cursor, 0, "True TRUE yes"))
        return cursor_suggest(cursor, "did you mean `true`?");
    if (cursor_at_any(cursor, 0, "False FALSE no"))
        return cursor_suggest(cursor, "did you mean `false`?");
    return suggest_quotes(cursor);
}

static int wrong_value(struct cursor *cursor)
{
    const struct token *token = cursor_peek(cursor, 0);
    if (token->kind == TOKEN_WORD)
        return wrong_value_word(cursor);
    if (token->kind == TOKEN_LIST) {
        cursor_error(cursor, "One value stands here, no list.");
        return cursor_instead(cursor, 0, "in ", "");
    }
    if (token->kind == TOKEN_DURATION) {
        cursor_error(cursor, "A value stands here, no duration.");
        return cursor_suggest(cursor, "how long ago is said by `within 3d` or "
                                      "`more than 3d ago`; days_since is a "
                                      "number of days");
    }
    if (token->kind == TOKEN_PERCENT) {
        cursor_error(cursor, "A value stands here, no percentage.");
        return cursor_suggest(cursor, "a percentage is of a measure: `count(A) "
                                      "in 14d < 70%% of count(A)`");
    }
    if (cursor_at_any(cursor, 0, "( [")) {
        cursor_error(cursor, "One value stands here, no list.");
        return cursor_suggest(cursor, "did you mean `in (...)`?");
    }
    return cursor_error(cursor, "A value is missing here: a text in double "
                                "quotes, a number, true, false or a date.");
}

static int is_truth(struct cursor *cursor)
{
    return cursor_at_any(cursor, 0, "true false");
}

int parse_value(struct cursor *cursor, struct rule_value *value)
{
    const struct token *token = cursor_peek(cursor, 0);
    *value = (struct rule_value){.pos = cursor_pos(cursor, token)};
    if (token->kind == TOKEN_STRING) {
        value->value = (struct seg_value){.type = SEG_TEXT,
                                          .len = (uint32_t)token->text.len,
                                          .as.text = token->text.bytes};
    } else if (token->kind == TOKEN_NUMBER || token->kind == TOKEN_DATE) {
        value->value = token->value;
        value->is_date = token->kind == TOKEN_DATE;
        if (value->is_date)
            value->value =
                (struct seg_value){.type = SEG_INT, .as.integer = token->ms};
        if (cursor_copy(cursor, token->source, &value->spelling) < 0)
            return -1;
    } else if (is_truth(cursor)) {
        value->value = (struct seg_value){.type = SEG_BOOL,
                                          .as.boolean = token->source.len == 4};
    } else {
        return wrong_value(cursor);
    }
    cursor_take(cursor);
    return 0;
}

/* Whether the next definition begins where a list goes on: it was left open,
 * and is told at its last word rather than where that shows. */
static int is_left_open(struct cursor *cursor, const char *closing)
{
    if (!definition_is_here(cursor) || !cursor_peek(cursor, 0)->starts_line)
        return 0;
    cursor_error_at(cursor, cursor_pos(cursor, &cursor->last),
                    "This list has no closing `%s`.", closing);
    return 1;
}

/* After a value: a comma (1), CLOSING (0), or what is wrong (-1). */
int next_item(struct cursor *cursor, const char *closing)
{
    if (cursor_accept(cursor, closing))
        return 0;
    if (!cursor_accept(cursor, ",")) {
        if (is_left_open(cursor, closing))
            return -1;
        cursor_error(cursor, "`,` or `%s` is missing after this value.",
                     closing);
        return -1;
    }
    if (cursor_at(cursor, 0, closing))
        return cursor_error_at(cursor, cursor_pos(cursor, &cursor->last),
                               "No comma stands after the last value.");
    return is_left_open(cursor, closing) ? -1 : 1;
}

int parse_items(struct cursor *cursor, const char *closing,
                struct rule_values *values)
{
    size_t from = cursor->stack_len;
    struct rule_value value;
    int more;
    if (cursor_at(cursor, 0, closing))
        return cursor_error(cursor, "A list has at least one value.");
    values->count = 0;
    do {
        if (values->count == RULE_VALUES_MAX)
            return cursor_error(cursor, "A list has at most %d values.",
                                RULE_VALUES_MAX);
        if (parse_value(cursor, &value) < 0 ||
            cursor_push(cursor, &value, sizeof(value)) < 0)
            return -1;
        values->count++;
        more = next_item(cursor, closing);
    } while (more > 0);
    if (more < 0)
        return -1;
    values->items = cursor_pop(cursor, from);
    return values->items ? 0 : -1;
}

int parse_values(struct cursor *cursor, struct rule_values *values)
{
    const struct token *token = cursor_peek(cursor, 0);
    *values = (struct rule_values){.pos = cursor_pos(cursor, token)};
    if (token->kind == TOKEN_LIST) {
        cursor_take(cursor);
        return cursor_copy(cursor, cursor->last.text, &values->list);
    }
    if (!cursor_accept(cursor, "(")) {
        cursor_error(cursor, "Values stand in ( ), or a list as @key.");
        if (token->kind == TOKEN_STRING || token->kind == TOKEN_NUMBER)
            cursor_instead(cursor, 0, "(", ")");
        return -1;
    }
    return parse_items(cursor, ")", values);
}

int parse_strings(struct cursor *cursor, const char *what, size_t max,
                  struct seg_text const **texts, int *count)
{
    size_t from = cursor->stack_len;
    struct seg_text text;
    int more;
    if (cursor_expect(cursor, "[") < 0)
        return -1;
    *count = 0;
    do {
        if (*count == RULE_NAMES_MAX)
            return cursor_error(cursor, "Here stand at most %d texts.",
                                RULE_NAMES_MAX);
        if (parse_string(cursor, what, max, &text) < 0 ||
            cursor_push(cursor, &text, sizeof(text)) < 0)
            return -1;
        ++*count;
        more = next_item(cursor, "]");
    } while (more > 0);
    if (more < 0)
        return -1;
    *texts = cursor_pop(cursor, from);
    return *texts ? 0 : -1;
}

/* ---- durations ------------------------------------------------------- */

/* `the last 7 days`, `last 7d`, `day`. */
static int suggest_duration(struct cursor *cursor)
{
    int at = 0;
    while (at < 2 && cursor_at_any(cursor, at, "the last past previous"))
        at++;
    const struct token *token = cursor_peek(cursor, at);
    const char *letter = at ? lex_unit(cursor_peek(cursor, at + 1)->source)
                            : lex_unit(token->source);
    if (at && token->kind == TOKEN_DURATION)
        return cursor_instead(cursor, at, "", "");
    if (at && token->kind == TOKEN_NUMBER && letter)
        return cursor_instead(cursor, at, "", letter);
    return !at && token->kind == TOKEN_WORD && letter
               ? cursor_suggest(cursor, "did you mean `1%s`?", letter)
               : -1;
}

/* `7 days`, `7`, `"7d"`, `the last 7 days`, `1 month`. */
static int wrong_duration(struct cursor *cursor, const char *before)
{
    const struct token *token = cursor_peek(cursor, 0);
    int number = token->kind == TOKEN_NUMBER;
    const struct token *unit = cursor_peek(cursor, 1);
    const char *letter =
        number && unit->kind == TOKEN_WORD ? lex_unit(unit->source) : NULL;
    cursor_error(cursor, "After `%s` stands a duration, such as 15m, 6h or 7d.",
                 before);
    if (letter)
        return cursor_instead(cursor, 0, "", letter);
    if (number && (unit->kind == TOKEN_WORD) &&
        (!strncmp(unit->source.bytes, "month", 5) ||
         !strncmp(unit->source.bytes, "year", 4)))
        return cursor_suggest(cursor, "months and years differ in length; "
                                      "write days, such as 30d or 365d");
    return number ? cursor_instead(cursor, 0, "", "d")
                  : suggest_duration(cursor);
}

int parse_duration(struct cursor *cursor, const char *before, int64_t least_ms,
                   int64_t *ms)
{
    if (cursor_peek(cursor, 0)->kind != TOKEN_DURATION)
        return wrong_duration(cursor, before);
    if (cursor_peek(cursor, 0)->ms < least_ms)
        return cursor_error(cursor, "`%s` needs a duration of at least 1ms.",
                            before);
    *ms = cursor_take(cursor)->ms;
    return 0;
}
