/* parse_measure.c: measures of a user's events, and percents of them.
 *
 * Which measure it is, is read off measure_table.h: its word, with the bracket
 * or dot behind it. A row's column `operand` says what stands inside. */
#include "lib/segment/parse_measure.h"

#include <string.h>

#include "lib/segment/parse_event.h"
#include "lib/segment/parse_path.h"
#include "lib/segment/parse_value.h"

/* The part of a measure's word before its bracket, at most SIZE - 1 bytes, and
 * what stands behind the bracket ("first"), or "". */
static const char *split_word(const char *word, char *head, size_t size)
{
    size_t len = strcspn(word, "(");
    len = len < size ? len : size - 1;
    memcpy(head, word, len);
    head[len] = 0;
    return word[len] ? word + len + 1 : "";
}

enum rule_measure_kind measure_at(struct cursor *cursor, int ahead)
{
    char head[32];
    for (int i = 0; i < MEASURE_COUNT_; i++) {
        const char *word = rule_measure_info((enum rule_measure_kind)i)->word;
        const char *inner = split_word(word, head, sizeof(head));
        if (cursor_at(cursor, ahead, head) &&
            cursor_at(cursor, ahead + 1, i == MEASURE_TRAIT ? "." : "(") &&
            (!*inner || cursor_at(cursor, ahead + 2, inner)))
            return (enum rule_measure_kind)i;
    }
    return MEASURE_COUNT_;
}

static int parse_measure_path(struct cursor *cursor,
                              struct rule_measure *measure)
{
    const struct rule_measure_info *info = rule_measure_info(measure->kind);
    if (info->operand != MEASURED_EVENT_PATH)
        return 0;
    if (!cursor_accept(cursor, ",")) {
        cursor_error(cursor, "`%s` needs the property after a comma.",
                     info->word);
        return cursor_suggest(cursor,
                              "write, for example, `%s(\"Order "
                              "Placed\", total)`",
                              info->word);
    }
    return parse_event_path(cursor, &measure->path);
}

static int parse_measured_events(struct cursor *cursor,
                                 struct rule_measure *measure)
{
    if (parse_event(cursor, 1, &measure->event) < 0 ||
        parse_measure_path(cursor, measure) < 0)
        return -1;
    if (rule_measure_info(measure->kind)->operand == MEASURED_EVENT &&
        cursor_at(cursor, 0, ",")) {
        cursor_error(cursor, "`%s` looks at events alone, at no property.",
                     rule_measure_info(measure->kind)->word);
        return cursor_suggest(cursor, "different values of a property are "
                                      "counted by `distinct`, numbers added "
                                      "by `sum`");
    }
    return cursor_expect(cursor, ")");
}

static int parse_measured_key(struct cursor *cursor,
                              struct rule_measure *measure)
{
    if (measure->kind == MEASURE_TRAIT)
        return parse_key(cursor, "trait", &measure->key);
    if (cursor_peek(cursor, 0)->kind == TOKEN_STRING ||
        cursor_at(cursor, 0, "any")) {
        cursor_error(cursor, "In `score( )` stands the key of a score, which "
                             "is defined on its own.");
        return cursor_suggest(cursor, "write `score intent half-life 7d { "
                                      "\"Pricing Viewed\" 10 }`, then "
                                      "`score(intent)`");
    }
    return parse_key(cursor, "score", &measure->key) < 0
               ? -1
               : cursor_expect(cursor, ")");
}

static int parse_measure_window(struct cursor *cursor,
                                struct rule_measure *measure)
{
    if (rule_measure_info(measure->kind)->window)
        return parse_window(cursor, &measure->window);
    if (!window_is_here(cursor))
        return 0;
    if (measure->kind == MEASURE_TRAIT)
        return cursor_error(cursor, "A trait has the window of its measure, "
                                    "none here.");
    if (measure->kind == MEASURE_SCORE)
        return cursor_error(cursor, "A score has no window, its events fade "
                                    "by its half-life.");
    return cursor_error(cursor, "This measure has no window, it looks at all "
                                "events.");
}

int parse_measure(struct cursor *cursor, struct rule_measure *measure)
{
    char head[32];
    *measure = (struct rule_measure){
        .kind = measure_at(cursor, 0),
        .definition = -1,
        .pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    const struct rule_measure_info *info = rule_measure_info(measure->kind);
    const char *inner = split_word(info->word, head, sizeof(head));
    cursor_take(cursor);
    cursor_take(cursor);
    if (*inner)
        cursor_take(cursor);
    int ret = info->operand == MEASURED_KEY
                  ? parse_measured_key(cursor, measure)
                  : parse_measured_events(cursor, measure);
    if (ret < 0 || parse_measure_window(cursor, measure) < 0)
        return -1;
    measure->pos = cursor_span(cursor, measure->pos);
    return 0;
}

int parse_percent(struct cursor *cursor, int64_t max,
                  struct rule_percent *percent)
{
    const struct token *token = cursor_peek(cursor, 0);
    if (token->kind == TOKEN_NUMBER) {
        cursor_error(cursor, "A percentage is written with its sign.");
        return cursor_instead(cursor, 0, "", "%");
    }
    if (token->kind != TOKEN_PERCENT)
        return cursor_missing(cursor, "A percentage such as `10%%`");
    if (token->value.as.integer > max)
        return cursor_error(cursor, "A percentage here is at most %lld%%.",
                            (long long)max / 100);
    percent->hundredths = token->value.as.integer;
    struct seg_text spelling = token->source;
    spelling.len--;
    cursor_take(cursor);
    return cursor_copy(cursor, spelling, &percent->spelling);
}
