/* parse_cond.c: conditions of a segment file. */
#include "lib/segment/parse_cond.h"

#include "lib/base/text.h"
#include "lib/segment/format.h"
#include "lib/segment/parse_did.h"
#include "lib/segment/parse_event.h"
#include "lib/segment/parse_habit.h"
#include "lib/segment/parse_measure.h"
#include "lib/segment/parse_path.h"
#include "lib/segment/parse_test.h"
#include "lib/segment/parse_value.h"

static struct rule_cond *parse_or(struct cursor *cursor);

struct rule_cond *parse_new_cond(struct cursor *cursor,
                                 enum rule_cond_kind kind)
{
    struct rule_cond *cond = cursor_alloc(cursor, sizeof(*cond));
    if (cond) {
        cond->kind = kind;
        cond->segment = -1;
        cond->pos = cursor_pos(cursor, cursor_peek(cursor, 0));
    }
    return cond;
}

/* ---- what people write instead ---------------------------------------- */

/* Whether what stands here goes on, by `and` or `or`, behind a predicate. */
static int goes_on(const struct cursor *cursor)
{
    return cursor->pred && (text_equal(cursor->last.source, text_of("and")) ||
                            text_equal(cursor->last.source, text_of("or")));
}

static int has_where(const struct rule_cond *pred)
{
    int found = pred->event.where != NULL;
    if (pred->kind == COND_SEQUENCE)
        for (int i = 0; i < pred->sequence->step_count; i++)
            found |= pred->sequence->steps[i].event.where != NULL;
    return found && (pred->kind == COND_DID || pred->kind == COND_SEQUENCE);
}

/* `did "A" where p = 1 and q = 2`: the second test is one of the event. */
static int wrong_second_test(struct cursor *cursor)
{
    if (!goes_on(cursor) || !has_where(cursor->pred))
        return 0;
    cursor_wrong_word(cursor, "condition", "");
    return cursor_suggest(cursor,
                          "several tests of one event stand in brackets: "
                          "`where (... %.*s ...)`",
                          (int)cursor->last.source.len,
                          cursor->last.source.bytes);
}

/* `user.p = "a" or "b"`, `user.p > 1 and < 5`, `did "A" where p = "a" or "b"`:
 * what is tested is left out. */
static int wrong_second_value(struct cursor *cursor)
{
    const struct rule_cond *pred = cursor->pred;
    int is_test = test_is_here(cursor);
    if (!goes_on(cursor) ||
        (pred->kind != COND_PATH && pred->kind != COND_MEASURE &&
         (is_test || !has_where(pred))))
        return 0;
    int differs = pred->test.op == OP_NE || pred->test.op == OP_NOT_IN;
    cursor_missing(cursor, "A condition");
    if (!is_test && (differs || pred->test.op == OP_EQ ||
                     pred->test.op == OP_IN || has_where(pred)))
        return cursor_suggest(cursor,
                              "several values stand in brackets: "
                              "`%s (\"a\", \"b\")`",
                              differs ? "not in" : "in");
    return cursor_suggest(cursor,
                          "what is tested is said each time: `user.x "
                          "> 1 %.*s user.x < 5`",
                          (int)cursor->last.source.len,
                          cursor->last.source.bytes);
}

/* `plan = "free"` or `usr.plan = "free"` instead of `user.plan = "free"`. */
static int wrong_path(struct cursor *cursor)
{
    if (wrong_second_test(cursor) < 0)
        return -1;
    if (cursor_at(cursor, 1, ".")) {
        cursor_wrong_word(cursor, "condition", "user|account");
        if (cursor_at_any(cursor, 0, "properties context event"))
            cursor_suggest(cursor, "what an event holds is tested in `did ... "
                                   "where ...`");
        return -1;
    }
    cursor_wrong_word(cursor, "condition", "");
    return cursor_instead(cursor, 0, "user.", "");
}

/* `average(...)`: no measure of that name. */
static int wrong_measure(struct cursor *cursor)
{
    static const char measures[] = "count|days|sum|avg|min|max|first|last|"
                                   "distinct|days_since|score|latest";
    static const char *const rows[][2] = {{"average", "avg"},
                                          {"mean", "avg"},
                                          {"total", "sum"},
                                          {"minimum", "min"},
                                          {"maximum", "max"},
                                          {"unique", "distinct"},
                                          {"uniq", "distinct"},
                                          {"number", "count"},
                                          {"times", "count"},
                                          {"newest", "last"},
                                          {"oldest", "first"},
                                          {"recency", "days_since"},
                                          {"count_distinct", "distinct"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!cursor_at(cursor, 0, rows[i][0]))
            continue;
        cursor_error(cursor, "`%s` is no condition.", rows[i][0]);
        return cursor_suggest(cursor, "did you mean `%s`?", rows[i][1]);
    }
    return cursor_wrong_word(cursor, "condition", measures);
}

/* A word of the language in the wrong place. */
static int wrong_known_word(struct cursor *cursor)
{
    if (cursor_at(cursor, 0, "trait"))
        return cursor_error(cursor, "After `trait` stands `.` and the key of a "
                                    "trait.");
    if (cursor_at(cursor, 0, "score") && !cursor_at(cursor, 1, "(")) {
        cursor_error(cursor, "The key of a score stands in brackets.");
        return cursor_suggest(cursor, "write, for example, `score(intent) >= "
                                      "50`");
    }
    if (cursor_at(cursor, 0, "days_since")) {
        cursor_error(cursor, "In `days_since( )` stands `first` or `last` and "
                             "the event.");
        return cursor_suggest(cursor, "write, for example, `days_since(last "
                                      "\"A\") > 3`");
    }
    if (cursor_at_any(cursor, 0, "then without"))
        return cursor_error(cursor, "A step of a sequence stands behind its "
                                    "event, without `and` or `or`.");
    if (cursor_at(cursor, 0, "segment")) {
        cursor_missing(cursor, "`in`");
        return cursor_suggest(cursor, "did you mean `in segment`?");
    }
    return 0;
}

static int wrong_word(struct cursor *cursor)
{
    static const char predicates[] =
        "did|everyone|not|in|user|account|latest|entered|left";
    const struct token *token = cursor_peek(cursor, 0);
    struct suggest suggest;
    if (habit_said(cursor, HABIT_COND) < 0 || wrong_known_word(cursor) < 0 ||
        (test_is_here(cursor) && wrong_second_value(cursor) < 0))
        return -1;
    if (cursor_at(cursor, 1, "("))
        return wrong_measure(cursor);
    suggest_init(&suggest, token->source);
    suggest_offer_all(&suggest, predicates);
    if (!suggest.best.bytes &&
        cursor_at_any(cursor, 1,
                      ". = == != < <= > >= in not is has between "
                      "contains starts ends matches"))
        return wrong_path(cursor);
    return cursor_wrong_word(cursor, "condition", predicates);
}

static int wrong_pred(struct cursor *cursor)
{
    const struct token *token = cursor_peek(cursor, 0);
    if (token->kind == TOKEN_WORD)
        return wrong_word(cursor);
    if ((token->kind != TOKEN_MARK || test_is_here(cursor)) &&
        wrong_second_value(cursor) < 0)
        return -1;
    if (token->kind == TOKEN_STRING) {
        cursor_error(cursor, "A condition is missing before this text.");
        if (text_equal(cursor->last.source, text_of("or")))
            return cursor_suggest(cursor, "several events stand in brackets: "
                                          "did (\"A\" or \"B\")");
        return cursor_instead(cursor, 0, "did ", "");
    }
    if (cursor_at(cursor, 0, "!")) {
        cursor_missing(cursor, "A condition");
        return cursor_suggest(cursor, "did you mean `not`?");
    }
    if (token->kind == TOKEN_PERCENT) {
        cursor_missing(cursor, "A condition");
        return cursor_suggest(cursor, "a share of the users is `user in 10%% "
                                      "by \"spring-campaign\"`");
    }
    return cursor_wrong_word(cursor, "condition", "");
}

/* ---- the other predicates -------------------------------------------- */

/* Whether behind the comparison that stands here begins another measure. */
static int compare_is_here(struct cursor *cursor)
{
    return cursor_at_any(cursor, 0, "= != < <= > >=") &&
           (cursor_peek(cursor, 1)->kind == TOKEN_PERCENT ||
            measure_at(cursor, 1) != MEASURE_COUNT_);
}

/* The measure behind `70% of`. */
static int parse_of(struct cursor *cursor, struct rule_measure *other)
{
    if (measure_at(cursor, 0) != MEASURE_COUNT_)
        return parse_measure(cursor, other);
    cursor_missing(cursor, "A measure");
    return cursor_suggest(cursor, "a measure is, for example, `count(\"A\") in "
                                  "7d`");
}

static int parse_compare(struct cursor *cursor, struct rule_cond *cond)
{
    struct rule_measure *other = cursor_alloc(cursor, sizeof(*other));
    if (!other || parse_operator(cursor, &cond->test) < 0)
        return -1;
    cond->kind = COND_COMPARE;
    cond->other = other;
    if (cursor_peek(cursor, 0)->kind == TOKEN_PERCENT &&
        (parse_percent(cursor, RULE_PERCENT_MAX, &cond->percent) < 0 ||
         cursor_expect(cursor, "of") < 0))
        return -1;
    return parse_of(cursor, other);
}

/* `last("A", p) before 2026-01-31`: a window, where a test was meant. */
static int wrong_dates(struct cursor *cursor,
                       const struct rule_measure *measure)
{
    if (measure->window.kind != WINDOW_BEFORE &&
        measure->window.kind != WINDOW_BETWEEN)
        return 0;
    cursor_error(cursor, "A test of this measure is missing; the dates are its "
                         "window.");
    return cursor_suggest(cursor, "to test the value itself write a window "
                                  "before: `since 1970-01-01 before "
                                  "2026-01-31`");
}

/* `last("A", plan) was "pro"`. */
static int wrong_was(struct cursor *cursor)
{
    if (!cursor_at(cursor, 0, "was"))
        return 0;
    cursor_error(cursor, "`was` goes with `latest`, which asks for an event.");
    return cursor_suggest(cursor,
                          "a value is tested by `last(\"A\", plan) = \"pro\"`");
}

/* `sum("A", x) > 3 in 7d`, `count("A") < 70 of count("B")`. */
static int wrong_after_measure(struct cursor *cursor)
{
    if (cursor_at(cursor, 0, "of") || cursor_at(cursor, 0, "percent") ||
        cursor_at(cursor, 0, "%")) {
        cursor_error_at(cursor, cursor_pos(cursor, &cursor->last),
                        "A percentage is written with its sign.");
        return cursor_suggest(cursor, "write, for example, `70%% of "
                                      "count(\"A\")`");
    }
    if (!window_is_here(cursor) || cursor_at(cursor, 1, "segment"))
        return 0;
    cursor_error(cursor, "The window of a measure stands before the test.");
    return cursor_suggest(cursor, "write, for example, `count(\"A\") in 7d >= "
                                  "3`");
}

static struct rule_cond *parse_measured(struct cursor *cursor)
{
    struct rule_cond *cond = parse_new_cond(cursor, COND_MEASURE);
    if (!cond || parse_measure(cursor, &cond->measure) < 0)
        return NULL;
    if (compare_is_here(cursor))
        return parse_compare(cursor, cond) < 0 ? NULL : cond;
    if (!test_is_here(cursor) && wrong_dates(cursor, &cond->measure) < 0)
        return NULL;
    if (wrong_was(cursor) < 0 ||
        parse_test(cursor, "this measure", &cond->test) < 0 ||
        wrong_after_measure(cursor) < 0)
        return NULL;
    return cond;
}

/* Behind `latest(...)` something else than `was "A"`. */
static int wrong_latest(struct cursor *cursor)
{
    if (window_is_here(cursor))
        return cursor_error(cursor, "The window of `latest` stands behind `was "
                                    "\"...\"`.");
    cursor_missing(cursor, "`was`");
    return cursor_suggest(cursor, "write, for example, `latest(\"A\" or \"B\") "
                                  "was \"A\" in 30d`");
}

static struct rule_cond *parse_latest(struct cursor *cursor)
{
    struct rule_cond *cond = parse_new_cond(cursor, COND_LATEST);
    if (!cond)
        return NULL;
    cursor_take(cursor);
    cursor_take(cursor);
    if (parse_event(cursor, 1, &cond->event) < 0)
        return NULL;
    if (cursor_at(cursor, 0, ",")) {
        cursor_error(cursor, "`latest` asks for the name of an event alone.");
        cursor_suggest(cursor, "a property of the last one is `last(\"A\", "
                               "total)`");
        return NULL;
    }
    if (cursor_expect(cursor, ")") < 0 ||
        (!cursor_at(cursor, 0, "was") && wrong_latest(cursor) < 0))
        return NULL;
    cursor_take(cursor);
    if (cursor_at(cursor, 0, "not")) {
        cursor_error(cursor, "After `was` stands the name of an event.");
        cursor_suggest(cursor, "write `not latest(...) was \"A\"`");
        return NULL;
    }
    cond->text_pos = cursor_pos(cursor, cursor_peek(cursor, 0));
    if (parse_string(cursor, "The name of an event", SEG_NAME_BYTES_MAX,
                     &cond->text) < 0 ||
        parse_window(cursor, &cond->window) < 0)
        return NULL;
    return cond;
}

/* ---- users, segments ------------------------------------------------- */

static struct rule_cond *parse_share(struct cursor *cursor)
{
    struct rule_cond *cond = parse_new_cond(cursor, COND_SHARE);
    if (!cond)
        return NULL;
    cursor_take(cursor);
    cursor_take(cursor);
    if (cursor_at(cursor, 0, "segment")) {
        cursor_error(cursor, "`in segment` stands without `user`.");
        cursor_suggest(cursor, "did you mean `in segment`?");
        return NULL;
    }
    if (parse_percent(cursor, 10000, &cond->percent) < 0)
        return NULL;
    if (!cursor_accept(cursor, "by")) {
        cursor_missing(cursor, "`by` and a text");
        cursor_suggest(cursor, "the text decides who is among them, such as "
                               "`by \"spring-campaign\"`");
        return NULL;
    }
    cond->text_pos = cursor_pos(cursor, cursor_peek(cursor, 0));
    if (parse_string(cursor, "What stands after `by`", SEG_NAME_BYTES_MAX,
                     &cond->text) < 0)
        return NULL;
    return cond;
}

static struct rule_cond *parse_attribute(struct cursor *cursor)
{
    struct rule_cond *cond = parse_new_cond(cursor, COND_PATH);
    struct buf name;
    if (!cond || parse_user_path(cursor, &cond->path) < 0)
        return NULL;
    buf_init(&name);
    buf_char(&name, '`');
    format_path(&name, &cond->path);
    buf_char(&name, '`');
    int ret = parse_test(cursor, buf_string(&name), &cond->test);
    buf_done(&name);
    return ret < 0 ? NULL : cond;
}

static struct rule_cond *parse_in_segment(struct cursor *cursor)
{
    struct rule_cond *cond = parse_new_cond(cursor, COND_IN_SEGMENT);
    if (!cond)
        return NULL;
    cursor_take(cursor);
    if (cursor_peek(cursor, 0)->kind == TOKEN_WORD &&
        !cursor_at(cursor, 0, "segment") &&
        cursor_peek(cursor, 1)->kind != TOKEN_WORD) {
        cursor_error(cursor, "`segment` is missing after `in`.");
        cursor_instead(cursor, 0, "in segment ", "");
        return NULL;
    }
    if (cursor_expect(cursor, "segment") < 0 ||
        parse_key(cursor, "segment", &cond->key) < 0)
        return NULL;
    if (cursor_at(cursor, 0, "in") &&
        cursor_peek(cursor, 1)->kind == TOKEN_DURATION) {
        cursor_error(cursor, "`in segment` is about now and has no window.");
        cursor_suggest(cursor, "write, for example, `entered segment %s in 7d`",
                       cond->key.bytes);
        return NULL;
    }
    return cond;
}

/* entered|left segment KEY in DURATION */
static struct rule_cond *parse_entered(struct cursor *cursor)
{
    int entered = cursor_at(cursor, 0, "entered");
    struct rule_cond *cond =
        parse_new_cond(cursor, entered ? COND_ENTERED : COND_LEFT);
    if (!cond)
        return NULL;
    cursor_take(cursor);
    if (cursor_expect(cursor, "segment") < 0 ||
        parse_key(cursor, "segment", &cond->key) < 0)
        return NULL;
    if (!cursor_accept(cursor, "in")) {
        cursor_missing(cursor, "`in` and a duration");
        cursor_suggest(cursor, "write, for example, `%s segment %s in 7d`",
                       entered ? "entered" : "left", cond->key.bytes);
        return NULL;
    }
    return parse_duration(cursor, "in", 1, &cond->duration_ms) < 0 ? NULL
                                                                   : cond;
}

static struct rule_cond *parse_everyone(struct cursor *cursor)
{
    struct rule_cond *cond = parse_new_cond(cursor, COND_EVERYONE);
    cursor_take(cursor);
    return cond;
}

/* What reads the predicate that begins here, NULL if none does. */
static struct rule_cond *(*pred_here(struct cursor *cursor))(struct cursor *)
{
    if (cursor_at(cursor, 0, "did"))
        return parse_did;
    if (cursor_at(cursor, 0, "everyone"))
        return parse_everyone;
    if (cursor_at(cursor, 0, "in"))
        return parse_in_segment;
    if (cursor_at(cursor, 0, "user") && cursor_at(cursor, 1, "in"))
        return parse_share;
    if (cursor_at_any(cursor, 0, "user account"))
        return parse_attribute;
    if (cursor_at_any(cursor, 0, "entered left"))
        return parse_entered;
    if (cursor_at(cursor, 0, "latest") && cursor_at(cursor, 1, "("))
        return parse_latest;
    return measure_at(cursor, 0) != MEASURE_COUNT_ ? parse_measured : NULL;
}

static struct rule_cond *parse_pred(struct cursor *cursor)
{
    struct rule_cond *(*parse)(struct cursor *) = pred_here(cursor);
    if (!parse) {
        wrong_pred(cursor);
        return NULL;
    }
    struct rule_cond *cond = parse(cursor);
    if (cond)
        cond->pos = cursor_span(cursor, cond->pos);
    cursor->pred = cond;
    return cond;
}

/* ---- and, or, not ---------------------------------------------------- */

/* KIND over the COUNT children that were pushed on the stack above FROM. */
static struct rule_cond *join(struct cursor *cursor, enum rule_cond_kind kind,
                              size_t from, int count)
{
    struct rule_cond *const *children = cursor_pop(cursor, from);
    struct rule_cond *cond = parse_new_cond(cursor, kind);
    if (!children || !cond)
        return NULL;
    cond->count = count;
    cond->children = children;
    cond->pos = children[0]->pos;
    cursor->bare = kind == COND_AND ? cond : NULL;
    return cond;
}

static struct rule_cond *parse_unary(struct cursor *cursor)
{
    struct rule_cond *cond;
    size_t from = cursor->stack_len;
    struct rule_pos pos = cursor_pos(cursor, cursor_peek(cursor, 0));
    if (cursor_at(cursor, 0, "not")) {
        if (parse_deeper(cursor) < 0)
            return NULL;
        cursor_take(cursor);
        cond = parse_unary(cursor);
        cursor->depth--;
        if (!cond || cursor_push(cursor, &cond, sizeof(cond)) < 0 ||
            !(cond = join(cursor, COND_NOT, from, 1)))
            return NULL;
        cond->pos = cursor_span(cursor, pos);
        return cond;
    }
    if (!cursor_at(cursor, 0, "("))
        return parse_pred(cursor);
    if (parse_deeper(cursor) < 0)
        return NULL;
    cursor_take(cursor);
    cond = parse_or(cursor);
    cursor->depth--;
    cursor->bare = NULL;
    return cond && cursor_expect(cursor, ")") == 0 ? cond : NULL;
}

/* One or more of PARSE, joined by WORD. */
static struct rule_cond *
parse_joined(struct cursor *cursor, const char *word, enum rule_cond_kind kind,
             struct rule_cond *(*parse)(struct cursor *))
{
    size_t from = cursor->stack_len;
    struct rule_cond *cond;
    const struct rule_cond *mixed = NULL;
    int count = 0;
    do {
        cond = parse(cursor);
        if (!cond || cursor_push(cursor, &cond, sizeof(cond)) < 0)
            return NULL;
        mixed = cursor->bare == cond ? cond : mixed;
        count++;
    } while (cursor_accept(cursor, word));
    if (count > 1 && mixed)
        parse_mixed(cursor, mixed->pos);
    if (count > 1)
        return join(cursor, kind, from, count);
    cursor->stack_len = from;
    return cond;
}

static struct rule_cond *parse_and(struct cursor *cursor)
{
    return parse_joined(cursor, "and", COND_AND, parse_unary);
}

static struct rule_cond *parse_or(struct cursor *cursor)
{
    struct rule_cond *cond = parse_joined(cursor, "or", COND_OR, parse_and);
    return cond && parse_no_joint(cursor) == 0 ? cond : NULL;
}

struct rule_cond *parse_cond(struct cursor *cursor)
{
    cursor->depth = 0;
    cursor->pred = NULL;
    return parse_or(cursor);
}
