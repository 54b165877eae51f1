/* parse_did.c: what begins with `did`: an event, how often, its window, or the
 * steps of a sequence; and what people write there instead. */
#include "lib/segment/parse_did.h"

#include "lib/segment/parse_cond.h"
#include "lib/segment/parse_event.h"
#include "lib/segment/parse_sequence.h"
#include "lib/segment/parse_test.h"

/* What stands behind the steps of a sequence, where there are none. */
static int wrong_sequence(struct cursor *cursor)
{
    int all = cursor_at(cursor, 0, "all") && cursor_at(cursor, 1, "within");
    int between = cursor_at(cursor, 0, "with") && cursor_at(cursor, 1, "no");
    int same = cursor_at(cursor, 0, "for") &&
               (cursor_at(cursor, 1, "the") || cursor_at(cursor, 1, "same"));
    if (!all && !between && !same)
        return 0;
    cursor_error(cursor, "This belongs to a sequence; a step is missing before "
                         "it.");
    return cursor_suggest(cursor, "write, for example, `did \"A\" then \"B\" "
                                  "within 1d`");
}

/* `in 4 weeks` behind `per week`, and its like. */
static int wrong_after_periods(struct cursor *cursor)
{
    if (!window_is_here(cursor) || cursor_at(cursor, 1, "segment"))
        return 0;
    return cursor_error(cursor, "With `per day` or `per week` there is no "
                                "window, `for` says how long.");
}

/* `followed by "B"`, `after 2026-01-01`, `per week`. */
static int wrong_relation(struct cursor *cursor)
{
    enum token_kind next = cursor_peek(cursor, 1)->kind;
    if (cursor_at(cursor, 0, "per")) {
        cursor_error(cursor, "How often stands before `per`.");
        return cursor_suggest(cursor, "write, for example, `at least 1 times "
                                      "per week for 4 weeks`");
    }
    if (cursor_at_any(cursor, 0, "after before") && next == TOKEN_DATE) {
        cursor_error(cursor, "A window of dates begins with `since`, `before` "
                             "or `between`.");
        return cursor_suggest(cursor, "did you mean `since`?");
    }
    if (cursor_at_any(cursor, 0, "followed next later afterwards") ||
        (cursor_at_any(cursor, 0, "after before") && next == TOKEN_STRING)) {
        cursor_error(cursor, "What comes later is said by `then`.");
        return cursor_suggest(cursor, "write, for example, `did \"A\" then "
                                      "\"B\" within 1d`");
    }
    if (!cursor_at_any(cursor, 0, "after before"))
        return 0;
    cursor_error(cursor, "After `%s` stands a date, such as 2026-01-31.",
                 cursor_at(cursor, 0, "after") ? "after" : "before");
    return next == TOKEN_DURATION
               ? cursor_suggest(cursor, "a window that ends in the past is "
                                        "written `from 28d to 14d ago`")
               : -1;
}

/* A comma, of which there is none. */
static int wrong_comma(struct cursor *cursor, const struct rule_cond *cond)
{
    if (cond->window.kind != WINDOW_LIFETIME || cond->times.kind != TIMES_NONE)
        return parse_no_joint(cursor);
    if (!cond->event.where) {
        cursor_error(cursor, "Events are joined by `or` in brackets.");
        return cursor_suggest(cursor, "write `did (\"A\" or \"B\")`");
    }
    if (cursor->last.kind == TOKEN_NUMBER &&
        (cursor_peek(cursor, 1)->kind == TOKEN_NUMBER ||
         cursor_peek(cursor, 1)->kind == TOKEN_ERROR)) /* 1,000 */
        return cursor_error(cursor, "A number has no comma.");
    cursor_error(cursor, "Several tests of one event are joined by `and` in "
                         "brackets.");
    return cursor_suggest(cursor, "write, for example, `where (total > 3 and "
                                  "currency = \"EUR\")`");
}

/* What people write after `did ...`. */
static int wrong_after_did(struct cursor *cursor, const struct rule_cond *cond)
{
    if (wrong_sequence(cursor) < 0 || wrong_relation(cursor) < 0)
        return -1;
    if (cond->window.kind != WINDOW_LIFETIME &&
        cursor_at_any(cursor, 0, "at exactly between")) {
        cursor_error(cursor, "How often stands before the window.");
        return cursor_suggest(cursor, "write, for example, `at least 3 times "
                                      "in 7d`");
    }
    if (cursor_at(cursor, 0, ","))
        return wrong_comma(cursor, cond);
    if (cond->window.kind != WINDOW_LIFETIME ||
        !cursor_at_any(cursor, 0, "within during over last for the"))
        return 0;
    cursor_error(cursor, "A window is written `in 7d` or `from 28d to 14d "
                         "ago`.");
    if (cursor_peek(cursor, 1)->kind == TOKEN_DURATION)
        cursor_instead(cursor, 1, "in ", "");
    return -1;
}

static int check_did_not(struct cursor *cursor)
{
    if (!cursor_at_any(cursor, 0, "at exactly between") ||
        cursor_peek(cursor, 1)->kind == TOKEN_DATE)
        return 0;
    cursor_error(cursor, "After `did not` it is not said how often.");
    return cursor_suggest(cursor, "`did \"A\" at most 2 times` and `not did "
                                  "\"A\" at least 3 times` are possible");
}

/* What begins a sequence is a plain event. */
static int check_first(struct cursor *cursor, const struct rule_cond *cond)
{
    if (cond->times.kind == TIMES_NONE)
        return 0;
    if (cond->times.kind == TIMES_NOT) {
        cursor_error(cursor, "A sequence begins with an event that was done.");
        return cursor_suggest(cursor, "that it was not done is said before: "
                                      "`not did \"A\" then \"B\"`");
    }
    cursor_error(cursor, "In a sequence it is not said how often.");
    return cursor_suggest(cursor, "repeat the event: `did \"A\" then \"A\" "
                                  "then \"B\"`");
}

struct rule_cond *parse_did(struct cursor *cursor)
{
    struct rule_cond *cond = parse_new_cond(cursor, COND_DID);
    if (!cond)
        return NULL;
    cursor_take(cursor);
    struct rule_pos not = cursor_pos(cursor, cursor_peek(cursor, 0));
    int negated = cursor_accept(cursor, "not");
    if (parse_event(cursor, 0, &cond->event) < 0)
        return NULL;
    if (negated) {
        cond->times = (struct rule_times){.kind = TIMES_NOT, .pos = not };
        if (check_did_not(cursor) < 0)
            return NULL;
    } else if (parse_times(cursor, &cond->times) < 0) {
        return NULL;
    }
    if (cond->times.period_ms)
        return wrong_after_periods(cursor) < 0 ? NULL : cond;
    if (parse_window(cursor, &cond->window) < 0)
        return NULL;
    if (step_is_here(cursor))
        return check_first(cursor, cond) < 0 || parse_sequence(cursor, cond) < 0
                   ? NULL
                   : cond;
    return wrong_after_did(cursor, cond) < 0 ? NULL : cond;
}
