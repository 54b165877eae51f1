/* parse_sequence.c: what follows the first event of a sequence.
 *
 *     did "Trial Started" in 60d            first event, its window
 *       then directly "Report Exported"     steps
 *         after 1h within 7d
 *       without "Cancelled" within 1d
 *       all within 14d                      then these three, in this order
 *       with no "Ticket Opened" between
 *       for the same project_id
 *
 * All of it stands in one order, so the messages are mostly about what was
 * written out of it. */
#include "lib/segment/parse_sequence.h"

#include "lib/segment/parse_event.h"
#include "lib/segment/parse_habit.h"
#include "lib/segment/parse_path.h"
#include "lib/segment/parse_value.h"

int step_is_here(struct cursor *cursor)
{
    return cursor_at_any(cursor, 0, "then without");
}

/* ---- steps ----------------------------------------------------------- */

/* `then not "B"`, `then did "B"`, `then "A", then "B"`. */
static int wrong_step(struct cursor *cursor, const struct rule_step *step)
{
    if (cursor_at(cursor, 0, "not") && !step->without) {
        cursor_error(cursor, "That an event does not follow is said by "
                             "`without`.");
        return cursor_suggest(cursor, "write, for example, `without \"Order "
                                      "Placed\" within 1h`");
    }
    if (cursor_at(cursor, 0, "did")) {
        cursor_error(cursor, "After `%s` stands the event, without `did`.",
                     step->without ? "without" : "then");
        return cursor_suggest(cursor,
                              "write, for example, `%s \"Order "
                              "Placed\" within 1h`",
                              step->without ? "without" : "then");
    }
    return 0;
}

static int parse_after(struct cursor *cursor, struct rule_step *step)
{
    if (!cursor_at(cursor, 0, "after"))
        return 0;
    cursor_take(cursor);
    return parse_duration(cursor, "after", 1, &step->after_ms);
}

static int parse_within(struct cursor *cursor, struct rule_step *step)
{
    if (!cursor_at(cursor, 0, "within"))
        return 0;
    cursor_take(cursor);
    return parse_duration(cursor, "within", 1, &step->within_ms);
}

/* Behind a step: what people write instead of `within 1d`. */
static int wrong_after_step(struct cursor *cursor, const struct rule_step *step)
{
    if (cursor_at(cursor, 0, "after") && !step->without) {
        cursor_error(cursor, "`after` stands once, before `within`.");
        return cursor_suggest(cursor, "write, for example, `after 1h within "
                                      "1d`");
    }
    if (window_is_here(cursor) && !cursor_at(cursor, 1, "segment")) {
        cursor_error(cursor, "The window of a sequence stands after its first "
                             "event.");
        if (cursor_peek(cursor, 1)->kind == TOKEN_DURATION)
            cursor_instead(cursor, 1, "within ", "");
        return -1;
    }
    if (cursor_at(cursor, 0, "between") && !step->without) {
        cursor_error(cursor, "How long after the step before it comes is said "
                             "by `after` and `within`.");
        return cursor_suggest(cursor, "write, for example, `after 1h within "
                                      "2h`");
    }
    if (cursor_at_any(cursor, 0, "at exactly")) {
        cursor_error(cursor, "A step happens once, it is not said how often.");
        return cursor_suggest(cursor, "repeat the step: `then \"A\" then "
                                      "\"A\"`");
    }
    return 0;
}

static int parse_then(struct cursor *cursor, struct rule_step *step)
{
    cursor_take(cursor);
    step->directly = cursor_accept(cursor, "directly");
    if (wrong_step(cursor, step) < 0 || habit_said(cursor, HABIT_STEP) < 0 ||
        parse_event(cursor, 0, &step->event) < 0 ||
        parse_after(cursor, step) < 0)
        return -1;
    return parse_within(cursor, step);
}

static int parse_without(struct cursor *cursor, struct rule_step *step)
{
    cursor_take(cursor);
    step->without = 1;
    if (wrong_step(cursor, step) < 0 ||
        parse_event(cursor, 0, &step->event) < 0 ||
        parse_within(cursor, step) < 0)
        return -1;
    if (step->within_ms)
        return 0;
    cursor_missing(cursor, "`within` and a duration");
    if (cursor_at(cursor, 0, "between"))
        return cursor_suggest(cursor, "that none comes in between is said "
                                      "behind all steps: `with no \"A\" "
                                      "between`");
    return cursor_suggest(cursor, "for how long there is none is said: "
                                  "`without \"Order Placed\" within 1h`");
}

static int parse_step(struct cursor *cursor)
{
    struct rule_step step = {.pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    int ret = cursor_at(cursor, 0, "then") ? parse_then(cursor, &step)
                                           : parse_without(cursor, &step);
    if (ret < 0)
        return -1;
    step.pos = cursor_span(cursor, step.pos);
    if (wrong_after_step(cursor, &step) < 0)
        return -1;
    return cursor_push(cursor, &step, sizeof(step));
}

static int parse_steps(struct cursor *cursor, struct rule_sequence *sequence)
{
    size_t from = cursor->stack_len;
    do {
        if (sequence->step_count == RULE_STEPS_MAX)
            return cursor_error(cursor, "A sequence has at most %d steps.",
                                RULE_STEPS_MAX);
        if (parse_step(cursor) < 0)
            return -1;
        sequence->step_count++;
    } while (step_is_here(cursor));
    sequence->steps = cursor_pop(cursor, from);
    return sequence->steps ? 0 : -1;
}

/* ---- behind the steps ------------------------------------------------ */

static int parse_all_within(struct cursor *cursor,
                            struct rule_sequence *sequence)
{
    if (!cursor_accept(cursor, "all"))
        return 0;
    if (cursor_expect(cursor, "within") < 0)
        return -1;
    return parse_duration(cursor, "all within", 1, &sequence->all_within_ms);
}

static int parse_no_between(struct cursor *cursor,
                            struct rule_sequence *sequence)
{
    struct rule_event *event;
    if (!cursor_accept(cursor, "with"))
        return 0;
    if (cursor_at_any(cursor, 0, "same the")) {
        cursor_missing(cursor, "`no`");
        return cursor_suggest(cursor, "that all have the same value is said "
                                      "by `for the same cart_id`");
    }
    event = cursor_alloc(cursor, sizeof(*event));
    if (!event || cursor_expect(cursor, "no") < 0 ||
        parse_event(cursor, 0, event) < 0)
        return -1;
    sequence->no_between = event;
    return cursor_expect(cursor, "between");
}

static int parse_same(struct cursor *cursor, struct rule_sequence *sequence)
{
    if (!cursor_accept(cursor, "for"))
        return 0;
    if (cursor_at(cursor, 0, "same")) {
        cursor_missing(cursor, "`the`");
        return cursor_suggest(cursor, "did you mean `for the same`?");
    }
    if (cursor_expect(cursor, "the") < 0 || cursor_expect(cursor, "same") < 0)
        return -1;
    return parse_event_path(cursor, &sequence->same);
}

static int check_order(struct cursor *cursor)
{
    if (step_is_here(cursor))
        return cursor_error(cursor, "All steps stand before `all within`, "
                                    "`with no` and `for the same`.");
    if (cursor_at_any(cursor, 0, "all with for")) {
        cursor_error(cursor, "`all within`, `with no ... between` and `for the "
                             "same` stand once each, in this order.");
        return -1;
    }
    return 0;
}

int parse_sequence(struct cursor *cursor, struct rule_cond *cond)
{
    struct rule_sequence *sequence = cursor_alloc(cursor, sizeof(*sequence));
    if (!sequence || parse_steps(cursor, sequence) < 0 ||
        parse_all_within(cursor, sequence) < 0 ||
        parse_no_between(cursor, sequence) < 0 ||
        parse_same(cursor, sequence) < 0)
        return -1;
    cond->kind = COND_SEQUENCE;
    cond->sequence = sequence;
    return check_order(cursor);
}
