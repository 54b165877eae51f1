/* parse_event.c: selectors of events, how often and when. */
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

/* `three`, `2.5`, or no number at all. */
static int wrong_number(struct cursor *cursor)
{
    static const char *const words[] = {"one", "two",   "three", "four", "five",
                                        "six", "seven", "eight", "nine", "ten"};
    cursor_error(cursor, "A whole number is missing here.");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (cursor_at(cursor, 0, words[i]))
            return cursor_suggest(cursor, "did you mean `%zu`?", i + 1);
    return -1;
}

static int parse_number_of_times(struct cursor *cursor, int64_t *number)
{
    const struct token *token = cursor_peek(cursor, 0);
    if (token->kind != TOKEN_NUMBER || token->value.type != SEG_INT)
        return wrong_number(cursor);
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
    times->pos = cursor_span(cursor, times->pos);
    if (times->low <= times->high)
        return 0;
    cursor_error_at(cursor, times->pos,
                    "This range is empty: %lld is more than %lld.",
                    (long long)times->low, (long long)times->high);
    return cursor_suggest(cursor, "did you mean `between %lld and %lld times`?",
                          (long long)times->high, (long long)times->low);
}

/* ---- per day, per week ----------------------------------------------- */

/* `for 4 weeks` behind `per week`: the number, then the same unit. */
static int parse_periods(struct cursor *cursor, struct rule_times *times,
                         const char *one, const char *many)
{
    const struct token *token;
    if (!cursor_accept(cursor, "for")) {
        cursor_missing(cursor, "`for`");
        return cursor_suggest(cursor, "write, for example, `per %s for 4 %s`",
                              one, many);
    }
    token = cursor_peek(cursor, 0);
    if (token->kind == TOKEN_DURATION) {
        cursor_error(cursor, "After `for` stands how many %s.", many);
        return cursor_suggest(cursor, "write, for example, `per %s for 4 %s`",
                              one, many);
    }
    if (token->kind != TOKEN_NUMBER || token->value.type != SEG_INT)
        return wrong_number(cursor);
    if (token->value.as.integer < 1 ||
        token->value.as.integer > RULE_PERIODS_MAX)
        return cursor_error(cursor, "A number of %s is from 1 to %d.", many,
                            RULE_PERIODS_MAX);
    times->periods = cursor_take(cursor)->value.as.integer;
    if (cursor_accept(cursor, many) ||
        (times->periods == 1 && cursor_accept(cursor, one)))
        return 0;
    if (cursor_at_any(cursor, 0, "day days week weeks"))
        cursor_error(cursor, "After `per %s` stands a number of %s.", one,
                     many);
    else
        return cursor_wrong_word(cursor, NULL, many);
    return cursor_suggest(cursor, "did you mean `%s`?", many);
}

static int wrong_period(struct cursor *cursor)
{
    if (cursor_at_any(cursor, 0, "month year hour quarter")) {
        cursor_error(cursor, "How often is said `per day` or `per week`.");
        return cursor_suggest(cursor, "did you mean `week`?");
    }
    return cursor_wrong_word(cursor, NULL, "day|week");
}

/* `per week for 4 weeks`, or nothing. */
static int parse_per(struct cursor *cursor, struct rule_times *times)
{
    if (cursor_at_any(cursor, 0, "daily weekly every each a")) {
        cursor_error(cursor, "How often is said `per day` or `per week`.");
        return cursor_suggest(cursor, "write, for example, `at least 3 times "
                                      "per week for 4 weeks`");
    }
    if (!cursor_accept(cursor, "per"))
        return 0;
    if (cursor_accept(cursor, "day")) {
        times->period_ms = DAY_MS;
        return parse_periods(cursor, times, "day", "days");
    }
    if (!cursor_accept(cursor, "week"))
        return wrong_period(cursor);
    times->period_ms = 7 * DAY_MS;
    return parse_periods(cursor, times, "week", "weeks");
}

/* ---- all of it ------------------------------------------------------- */

static int parse_how_often(struct cursor *cursor, struct rule_times *times)
{
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
    if (parse_number_of_times(cursor, &times->low) < 0)
        return -1;
    return expect_times(cursor);
}

int parse_times(struct cursor *cursor, struct rule_times *times)
{
    *times =
        (struct rule_times){.pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (cursor_at(cursor, 0, "between") &&
        cursor_peek(cursor, 1)->kind == TOKEN_DATE)
        return 0;
    if (parse_how_often(cursor, times) < 0)
        return -1;
    if (times->kind != TIMES_NONE && parse_per(cursor, times) < 0)
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
    if (parse_duration(cursor, "from", 0, &window->from_ms) < 0)
        return -1;
    if (cursor_at(cursor, 0, "ago")) {
        cursor_error(cursor, "`ago` stands once, at the end of the window.");
        return cursor_suggest(cursor, "write, for example, `from 28d to 14d "
                                      "ago`");
    }
    if (cursor_expect(cursor, "to") < 0 ||
        parse_duration(cursor, "to", 0, &window->to_ms) < 0 ||
        cursor_expect(cursor, "ago") < 0)
        return -1;
    window->pos = cursor_span(cursor, window->pos);
    return check_from_to(cursor, window);
}

/* A DATE behind the word taken last. */
static int parse_date(struct cursor *cursor, struct rule_value *date)
{
    const struct token *token = cursor_peek(cursor, 0);
    if (token->kind == TOKEN_DATE)
        return parse_value(cursor, date);
    cursor_error(cursor, "Here stands a date, such as 2026-01-31.");
    if (token->kind == TOKEN_STRING)
        cursor_suggest(cursor, "a date has no quotes: 2026-01-31");
    if (token->kind == TOKEN_DURATION)
        cursor_instead(cursor, 0, "in ", "");
    return -1;
}

static int check_between(struct cursor *cursor,
                         const struct rule_window *window)
{
    const struct rule_value *dates = window->dates;
    if (window->from_ms <= window->to_ms)
        return 0;
    cursor_error_at(cursor, window->pos,
                    "This window is backwards: it begins after it ends.");
    return cursor_suggest(cursor, "did you mean `between %s and %s`?",
                          dates[1].spelling.bytes, dates[0].spelling.bytes);
}

static int parse_dates(struct cursor *cursor, struct rule_window *window)
{
    window->from_ms = INT64_MIN;
    window->to_ms = INT64_MAX;
    window->kind = cursor_at(cursor, 0, "since")    ? WINDOW_SINCE
                   : cursor_at(cursor, 0, "before") ? WINDOW_BEFORE
                                                    : WINDOW_BETWEEN;
    cursor_take(cursor);
    if (window->kind != WINDOW_BEFORE) {
        if (parse_date(cursor, &window->dates[0]) < 0)
            return -1;
        window->from_ms = window->dates[0].value.as.integer;
    }
    if (window->kind == WINDOW_BETWEEN && cursor_expect(cursor, "and") < 0)
        return -1;
    if (window->kind != WINDOW_SINCE) {
        if (parse_date(cursor, &window->dates[1]) < 0)
            return -1;
        window->to_ms =
            window->dates[1].value.as.integer - (window->kind == WINDOW_BEFORE);
    }
    window->pos = cursor_span(cursor, window->pos);
    return check_between(cursor, window);
}

int parse_window(struct cursor *cursor, struct rule_window *window)
{
    *window =
        (struct rule_window){.pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (!window_is_here(cursor))
        return 0;
    if (cursor_at_any(cursor, 0, "since before between"))
        return parse_dates(cursor, window);
    if (cursor_accept(cursor, "from"))
        return parse_from_to(cursor, window);
    cursor_take(cursor);
    window->kind = WINDOW_IN;
    if (parse_duration(cursor, "in", 1, &window->from_ms) < 0)
        return -1;
    window->pos = cursor_span(cursor, window->pos);
    return 0;
}
