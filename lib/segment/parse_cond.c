/* parse_cond.c: conditions of a segment file. */
#include "lib/segment/parse_cond.h"

#include "lib/base/text.h"
#include "lib/segment/format.h"
#include "lib/segment/parse_event.h"
#include "lib/segment/parse_path.h"
#include "lib/segment/parse_test.h"
#include "lib/segment/parse_value.h"

static struct rule_cond *parse_or(struct cursor *cursor);

static struct rule_cond *new_cond(struct cursor *cursor,
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

/* ---- what people write instead, and what is to come ------------------ */

/* What begins a condition of the whole language, but not of this version. */
static int say_later(struct cursor *cursor)
{
    int measure =
        cursor_at_any(cursor, 0, "latest sum avg min max distinct days score");
    int change = cursor_at_any(cursor, 0, "entered left");
    if ((measure && cursor_at(cursor, 1, "(")) ||
        (change && cursor_at(cursor, 1, "segment")) ||
        (cursor_at(cursor, 0, "trait") && cursor_at(cursor, 1, ".")))
        return cursor_not_yet(cursor, NULL);
    return 0;
}

/* `plan = "free"` or `usr.plan = "free"` instead of `user.plan = "free"`. */
static int wrong_path(struct cursor *cursor)
{
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

static int wrong_word(struct cursor *cursor)
{
    static const char predicates[] = "did|everyone|not|in|user|account";
    static const char measures[] = "count|first|last|days_since";
    const struct token *token = cursor_peek(cursor, 0);
    struct suggest suggest;
    if (say_later(cursor) < 0)
        return -1;
    if (cursor_at(cursor, 0, "days_since")) {
        cursor_error(cursor, "In `days_since( )` stands `first` or `last` and "
                             "the event.");
        return cursor_suggest(cursor, "write, for example, `days_since(last "
                                      "\"A\") > 3`");
    }
    if (cursor_at(cursor, 1, "("))
        return cursor_wrong_word(cursor, "condition", measures);
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
    return cursor_wrong_word(cursor, "condition", "");
}

/* ---- did ------------------------------------------------------------- */

/* What may follow `did ...` in the whole language. */
static int say_later_of_did(struct cursor *cursor)
{
    if (cursor_at_any(cursor, 0, "then without"))
        return cursor_not_yet(cursor, "A sequence of events");
    if (cursor_at(cursor, 0, "per"))
        return cursor_not_yet(cursor, "`per day` or `per week`");
    if (cursor_at(cursor, 0, "for") && cursor_at(cursor, 1, "the"))
        return cursor_not_yet(cursor, "`for the same`");
    if (cursor_at(cursor, 0, "with") && cursor_at(cursor, 1, "no"))
        return cursor_not_yet(cursor, "`with no ... between`");
    if (cursor_at(cursor, 0, "all") && cursor_at(cursor, 1, "within"))
        return cursor_not_yet(cursor, "`all within`");
    return 0;
}

/* What people write after `did ...`. */
static int wrong_after_did(struct cursor *cursor, const struct rule_cond *cond)
{
    if (say_later_of_did(cursor) < 0)
        return -1;
    if (cond->window.kind != WINDOW_LIFETIME &&
        cursor_at_any(cursor, 0, "at exactly between")) {
        cursor_error(cursor, "How often stands before the window.");
        return cursor_suggest(cursor, "write, for example, `at least 3 times "
                                      "in 7d`");
    }
    if (cursor_at(cursor, 0, ",")) {
        cursor_error(cursor, "Events are joined by `or` in brackets.");
        return cursor_suggest(cursor, "write `did (\"A\" or \"B\")`");
    }
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

static struct rule_cond *parse_did(struct cursor *cursor)
{
    struct rule_cond *cond = new_cond(cursor, COND_DID);
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
    if (parse_window(cursor, &cond->window) < 0 ||
        wrong_after_did(cursor, cond) < 0)
        return NULL;
    return cond;
}

/* ---- the other predicates -------------------------------------------- */

/* After a measure and a comparison, what only the whole language has. */
static int say_later_of_measure(struct cursor *cursor)
{
    const struct token *next = cursor_peek(cursor, 1);
    int is_measure =
        next->kind == TOKEN_PERCENT ||
        (next->kind == TOKEN_WORD && cursor_at(cursor, 2, "(")) ||
        (cursor_at(cursor, 1, "trait") && cursor_at(cursor, 2, "."));
    if (!is_measure || !cursor_at_any(cursor, 0, "= != < <= > >="))
        return 0;
    cursor_take(cursor);
    return cursor_not_yet(cursor, "A comparison with another measure");
}

static struct rule_cond *parse_measured(struct cursor *cursor)
{
    struct rule_cond *cond = new_cond(cursor, COND_MEASURE);
    if (!cond || parse_measure(cursor, &cond->measure) < 0 ||
        say_later_of_measure(cursor) < 0 ||
        parse_test(cursor, "this measure", &cond->test) < 0)
        return NULL;
    return cond;
}

static struct rule_cond *parse_attribute(struct cursor *cursor)
{
    struct rule_cond *cond = new_cond(cursor, COND_PATH);
    struct buf name;
    if (cursor_at(cursor, 0, "user") && cursor_at(cursor, 1, "in")) {
        cursor_not_yet(cursor, "`user in ... by ...`");
        return NULL;
    }
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
    struct rule_cond *cond = new_cond(cursor, COND_IN_SEGMENT);
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
    return cond;
}

static struct rule_cond *parse_pred(struct cursor *cursor)
{
    struct rule_cond *cond;
    if (cursor_at(cursor, 0, "did")) {
        cond = parse_did(cursor);
    } else if (cursor_at(cursor, 0, "everyone")) {
        cond = new_cond(cursor, COND_EVERYONE);
        cursor_take(cursor);
    } else if (cursor_at(cursor, 0, "in")) {
        cond = parse_in_segment(cursor);
    } else if (cursor_at_any(cursor, 0, "user account")) {
        cond = parse_attribute(cursor);
    } else if (measure_here(cursor) != MEASURE_COUNT_) {
        cond = parse_measured(cursor);
    } else {
        wrong_pred(cursor);
        return NULL;
    }
    if (cond)
        cond->pos = cursor_span(cursor, cond->pos);
    return cond;
}

/* ---- and, or, not ---------------------------------------------------- */

/* KIND over the COUNT children that were pushed on the stack above FROM. */
static struct rule_cond *join(struct cursor *cursor, enum rule_cond_kind kind,
                              size_t from, int count)
{
    struct rule_cond *const *children = cursor_pop(cursor, from);
    struct rule_cond *cond = new_cond(cursor, kind);
    if (!children || !cond)
        return NULL;
    cond->count = count;
    cond->children = children;
    cond->pos = children[0]->pos;
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
    return cond && cursor_expect(cursor, ")") == 0 ? cond : NULL;
}

/* One or more of PARSE, joined by WORD. */
static struct rule_cond *
parse_joined(struct cursor *cursor, const char *word, enum rule_cond_kind kind,
             struct rule_cond *(*parse)(struct cursor *))
{
    size_t from = cursor->stack_len;
    struct rule_cond *cond;
    int count = 0;
    do {
        cond = parse(cursor);
        if (!cond || cursor_push(cursor, &cond, sizeof(cond)) < 0)
            return NULL;
        count++;
    } while (cursor_accept(cursor, word));
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
    return parse_or(cursor);
}
