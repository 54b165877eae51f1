/* parse_event.c: selectors of events, how often, when, and measures of them. */
#include "lib/segment/parse_event.h"

#include <string.h>

#include "lib/base/instant.h"
#include "lib/segment/parse_path.h"
#include "lib/segment/parse_test.h"
#include "lib/segment/parse_value.h"

/* ---- events ---------------------------------------------------------- */

static int parse_event_name(struct cursor *cursor)
{
    struct rule_name name = {.pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (cursor_at(cursor, 0, "any")) {
        cursor_error(cursor, "`any` stands alone, it is every event already.");
        return -1;
    }
    if (parse_string(cursor, "The name of an event", SEG_NAME_BYTES_MAX,
                     &name.text) < 0)
        return -1;
    if (!name.text.len)
        return cursor_error_at(cursor, name.pos,
                               "The name of an event is not empty.");
    return cursor_push(cursor, &name, sizeof(name));
}

/* "A" { or "B" } */
static int parse_event_names(struct cursor *cursor, struct rule_event *event)
{
    size_t from = cursor->stack_len;
    do {
        if (event->count == RULE_NAMES_MAX)
            return cursor_error(cursor, "An event has at most %d names.",
                                RULE_NAMES_MAX);
        if (parse_event_name(cursor) < 0)
            return -1;
        event->count++;
    } while (cursor_accept(cursor, "or"));
    event->names = cursor_pop(cursor, from);
    return event->names ? 0 : -1;
}

static int parse_selector(struct cursor *cursor, int inside,
                          struct rule_event *event)
{
    if (cursor_accept(cursor, "any")) {
        event->any = 1;
        return 0;
    }
    if (cursor_accept(cursor, "(")) {
        if (parse_event_names(cursor, event) < 0)
            return -1;
        if (cursor_at(cursor, 0, ",")) {
            cursor_error(cursor, "Names of events are joined by `or`.");
            return cursor_suggest(cursor, "did you mean `or`?");
        }
        return cursor_expect(cursor, ")");
    }
    if (inside)
        return parse_event_names(cursor, event);
    size_t from = cursor->stack_len;
    if (parse_event_name(cursor) < 0)
        return -1;
    event->count = 1;
    event->names = cursor_pop(cursor, from);
    return event->names ? 0 : -1;
}

int parse_event(struct cursor *cursor, int inside, struct rule_event *event)
{
    *event =
        (struct rule_event){.pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (parse_selector(cursor, inside, event) < 0)
        return -1;
    if (cursor_accept(cursor, "where") && !(event->where = parse_where(cursor)))
        return -1;
    event->pos = cursor_span(cursor, event->pos);
    return 0;
}

/* ---- how often ------------------------------------------------------- */

static int parse_number_of_times(struct cursor *cursor, int64_t *number)
{
    const struct token *token = cursor_peek(cursor, 0);
    if (token->kind != TOKEN_NUMBER || token->value.type != SEG_INT)
        return cursor_error(cursor, "A whole number is missing here.");
    if (token->value.as.integer < 0 || token->value.as.integer > RULE_TIMES_MAX)
        return cursor_error(cursor, "A number of times is from 0 to %d.",
                            RULE_TIMES_MAX);
    *number = cursor_take(cursor)->value.as.integer;
    return 0;
}

static int expect_times(struct cursor *cursor)
{
    if (cursor_accept(cursor, "times") || cursor_accept(cursor, "time"))
        return 0;
    return cursor_wrong_word(cursor, NULL, "times");
}

/* `> 3`, `3 times`, `more than 3 times`, `twice`: how it is written here. */
static int wrong_times(struct cursor *cursor)
{
    static const char *const rows[][2] = {
        {">=", "at least 3 times"},    {">", "at least 4 times"},
        {"<=", "at most 3 times"},     {"<", "at most 2 times"},
        {"=", "exactly 3 times"},      {"==", "exactly 3 times"},
        {"more", "at least 4 times"},  {"less", "at most 2 times"},
        {"fewer", "at most 2 times"},  {"atleast", "at least 3 times"},
        {"atmost", "at most 3 times"}, {"once", "exactly 1 time"},
        {"twice", "exactly 2 times"},  {"exact", "exactly 3 times"},
        {"never", "did not ..."},
    };
    if (cursor_peek(cursor, 0)->kind == TOKEN_NUMBER) {
        cursor_error(cursor, "How often is said by at least, at most, exactly "
                             "or between.");
        return cursor_instead(cursor, 0, "exactly ", " times");
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!cursor_at(cursor, 0, rows[i][0]))
            continue;
        cursor_error(cursor, "How often is said by at least, at most, exactly "
                             "or between.");
        return cursor_suggest(cursor, "write, for example, `%s`", rows[i][1]);
    }
    return 0;
}

static int parse_between_times(struct cursor *cursor, struct rule_times *times)
{
    times->kind = TIMES_BETWEEN;
    if (parse_number_of_times(cursor, &times->low) < 0 ||
        cursor_expect(cursor, "and") < 0 ||
        parse_number_of_times(cursor, &times->high) < 0 ||
        expect_times(cursor) < 0)
        return -1;
    if (times->low <= times->high)
        return 0;
    cursor_error_at(cursor, cursor_span(cursor, times->pos),
                    "This range is empty: %lld is more than %lld.",
                    (long long)times->low, (long long)times->high);
    return cursor_suggest(cursor, "did you mean `between %lld and %lld times`?",
                          (long long)times->high, (long long)times->low);
}

int parse_times(struct cursor *cursor, struct rule_times *times)
{
    *times =
        (struct rule_times){.pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (cursor_at(cursor, 0, "between") &&
        cursor_peek(cursor, 1)->kind == TOKEN_DATE)
        return 0;
    if (cursor_accept(cursor, "between"))
        return parse_between_times(cursor, times);
    if (cursor_accept(cursor, "exactly"))
        times->kind = TIMES_EXACTLY;
    else if (!cursor_accept(cursor, "at"))
        return wrong_times(cursor);
    else if (cursor_accept(cursor, "least"))
        times->kind = TIMES_AT_LEAST;
    else if (cursor_accept(cursor, "most"))
        times->kind = TIMES_AT_MOST;
    else
        return cursor_wrong_word(cursor, NULL, "least|most");
    if (parse_number_of_times(cursor, &times->low) < 0 ||
        expect_times(cursor) < 0)
        return -1;
    times->pos = cursor_span(cursor, times->pos);
    return 0;
}

/* ---- windows --------------------------------------------------------- */

int window_is_here(struct cursor *cursor)
{
    if (cursor_at(cursor, 0, "in"))
        return !cursor_at(cursor, 1, "(") &&
               cursor_peek(cursor, 1)->kind != TOKEN_LIST;
    if (cursor_at_any(cursor, 0, "before between"))
        return cursor_peek(cursor, 1)->kind == TOKEN_DATE;
    return cursor_at_any(cursor, 0, "from since");
}

static int check_from_to(struct cursor *cursor,
                         const struct rule_window *window)
{
    struct buf from, to;
    if (window->from_ms > window->to_ms)
        return 0;
    if (window->from_ms == window->to_ms)
        return cursor_error_at(cursor, window->pos, "This window is empty.");
    buf_init(&from);
    buf_init(&to);
    duration_format(&from, window->from_ms);
    duration_format(&to, window->to_ms);
    cursor_error_at(cursor, window->pos,
                    "This window is backwards: it begins "
                    "after it ends.");
    cursor_suggest(cursor, "did you mean `from %s to %s ago`?", buf_string(&to),
                   window->from_ms ? buf_string(&from) : "0d");
    buf_done(&from);
    buf_done(&to);
    return -1;
}

static int parse_from_to(struct cursor *cursor, struct rule_window *window)
{
    window->kind = WINDOW_FROM_TO;
    if (parse_duration(cursor, "from", 0, &window->from_ms) < 0 ||
        cursor_expect(cursor, "to") < 0 ||
        parse_duration(cursor, "to", 0, &window->to_ms) < 0 ||
        cursor_expect(cursor, "ago") < 0)
        return -1;
    window->pos = cursor_span(cursor, window->pos);
    return check_from_to(cursor, window);
}

int parse_window(struct cursor *cursor, struct rule_window *window)
{
    *window =
        (struct rule_window){.pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (!window_is_here(cursor))
        return 0;
    if (cursor_at_any(cursor, 0, "since before between"))
        return cursor_not_yet(cursor, "A window of dates");
    if (cursor_accept(cursor, "from"))
        return parse_from_to(cursor, window);
    cursor_take(cursor);
    window->kind = WINDOW_IN;
    if (parse_duration(cursor, "in", 1, &window->from_ms) < 0)
        return -1;
    window->pos = cursor_span(cursor, window->pos);
    return 0;
}

/* ---- measures -------------------------------------------------------- */

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

enum rule_measure_kind measure_here(struct cursor *cursor)
{
    char head[32];
    if (!cursor_at(cursor, 1, "("))
        return MEASURE_COUNT_;
    for (int i = 0; i < MEASURE_COUNT_; i++) {
        const char *word = rule_measure_info((enum rule_measure_kind)i)->word;
        const char *inner = split_word(word, head, sizeof(head));
        if (cursor_at(cursor, 0, head) &&
            (!*inner || cursor_at(cursor, 2, inner)))
            return (enum rule_measure_kind)i;
    }
    return MEASURE_COUNT_;
}

static int parse_measure_path(struct cursor *cursor,
                              struct rule_measure *measure)
{
    const struct rule_measure_info *info = rule_measure_info(measure->kind);
    if (!info->path)
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

static int parse_measure_window(struct cursor *cursor,
                                struct rule_measure *measure)
{
    if (rule_measure_info(measure->kind)->window)
        return parse_window(cursor, &measure->window);
    if (!window_is_here(cursor))
        return 0;
    return cursor_error(cursor, "This measure has no window, it looks at all "
                                "events.");
}

int parse_measure(struct cursor *cursor, struct rule_measure *measure)
{
    char head[32];
    *measure = (struct rule_measure){
        .kind = measure_here(cursor),
        .pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    const char *word = rule_measure_info(measure->kind)->word;
    const char *inner = split_word(word, head, sizeof(head));
    cursor_take(cursor);
    cursor_take(cursor);
    if (*inner)
        cursor_take(cursor);
    if (parse_event(cursor, 1, &measure->event) < 0 ||
        parse_measure_path(cursor, measure) < 0 ||
        cursor_expect(cursor, ")") < 0 ||
        parse_measure_window(cursor, measure) < 0)
        return -1;
    measure->pos = cursor_span(cursor, measure->pos);
    return 0;
}
