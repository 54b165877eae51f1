/* parse_test.c: tests of values and conditions on one event.
 *
 * Which test it is, is read off op_table.h: the row most of whose words stand
 * here. A row's column `operand` says what is parsed after them. */
#include "lib/segment/parse_test.h"

#include <string.h>

#include "lib/base/text.h"
#include "lib/segment/format.h"
#include "lib/segment/parse_path.h"
#include "lib/segment/parse_value.h"

/* How many words of WORDS (separated by spaces) stand here, 0 if not all. */
static int words_here(struct cursor *cursor, const char *words)
{
    char word[32];
    int count = 0;
    while (*words) {
        size_t len = strcspn(words, " ");
        memcpy(word, words, len);
        word[len] = 0;
        if (!cursor_at(cursor, count, word))
            return 0;
        words += len + (words[len] == ' ');
        count++;
    }
    return count;
}

/* The test whose words stand here, *COUNT of them; OP_COUNT_ if none. */
static enum rule_op find_op(struct cursor *cursor, int *count)
{
    enum rule_op best = OP_COUNT_;
    *count = 0;
    for (int i = 0; i < OP_COUNT_; i++) {
        int words = words_here(cursor, rule_op_info((enum rule_op)i)->words);
        if (words > *count) {
            best = (enum rule_op)i;
            *count = words;
        }
    }
    return best;
}

/* ---- what people write instead --------------------------------------- */

static const struct habit {
    const char *written, *meant;
} habits[] = {
    {"==", "="},
    {"===", "="},
    {"!==", "!="},
    {"<>", "!="},
    {"=>", ">="},
    {"=<", "<="},
    {"is", "="},
    {"equals", "="},
    {"eq", "="},
    {"ne", "!="},
    {"lt", "<"},
    {"gt", ">"},
    {"gte", ">="},
    {"lte", "<="},
    {"like", "matches"},
    {"exists", "is set"},
    {"includes", "contains"},
    {"start", "starts with"},
    {"end", "ends with"},
    {"startswith", "starts with"},
    {"endswith", "ends with"},
    {"one", "in (...)"},
    {"newer", "within"},
    {"older", "more than ... ago"},
    {"since", "after"},
    {"until", "before"},
    {"less", "<"},
    {"greater", ">"},
    {"least", ">="},
    {"regex", "matches regex"},
    {"regexp", "matches regex"},
    {"~", "matches regex"},
};

static int suggest_habit(struct cursor *cursor, struct seg_text word)
{
    struct suggest suggest;
    for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++)
        if (text_equal(word, text_of(habits[i].written)))
            return cursor_suggest(cursor, "did you mean `%s`?",
                                  habits[i].meant);
    suggest_init(&suggest, word);
    suggest_offer_all(&suggest, "in|not|between|is|contains|starts|ends|matches"
                                "|has|within|more|before|after|version");
    if (suggest.best.bytes)
        cursor_suggest(cursor, "did you mean `%.*s`?", (int)suggest.best.len,
                       suggest.best.bytes);
    else
        cursor_suggest(cursor, "a test is, for example, `= \"pro\"`, `>= 3`, "
                               "`in (\"a\", \"b\")` or `is set`");
    return -1;
}

static int value_is_at(struct cursor *cursor, int ahead)
{
    enum token_kind kind = cursor_peek(cursor, ahead)->kind;
    return kind == TOKEN_STRING || kind == TOKEN_NUMBER || kind == TOKEN_DATE ||
           cursor_at(cursor, ahead, "true") ||
           cursor_at(cursor, ahead, "false");
}

/* Behind `is`: a value, or a word for none. */
static int wrong_is(struct cursor *cursor)
{
    int is_not = cursor_at(cursor, 0, "not");
    const char *meant = NULL;
    if (value_is_at(cursor, is_not))
        meant = is_not ? "!=" : "=";
    else if (cursor_at(cursor, is_not, "null") ||
             cursor_at(cursor, is_not, "missing"))
        meant = is_not ? "is set" : "is not set";
    else if (cursor_at(cursor, is_not, "empty"))
        meant = is_not ? "!= \"\"" : "= \"\"";
    if (!meant)
        return 0;
    cursor_missing(cursor, "`set` or `not set`");
    return cursor_suggest(cursor, "did you mean `%s`?", meant);
}

/* Behind `not`: any other test than `in`. */
static int wrong_not(struct cursor *cursor)
{
    if (!test_is_here(cursor))
        return 0;
    cursor_error(cursor, "Of all tests only `in` has a `not` of its own.");
    return cursor_suggest(cursor, "`not` stands before what is tested: `not "
                                  "user.x contains \"a\"`");
}

/* The two words of a test of which only the first is right. */
static int suggest_second(struct cursor *cursor)
{
    static const char *const rows[][2] = {
        {"is", "set|not set"}, {"starts", "with"},
        {"ends", "with"},      {"more", "than"},
        {"not", "in"},         {"version", "=|!=|<|<=|>|>="}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!cursor_at(cursor, 0, rows[i][0]))
            continue;
        const struct token *second = cursor_peek(cursor, 1);
        if (i == 0 && second->kind != TOKEN_WORD)
            return 0;
        cursor_take(cursor);
        if ((i == 0 && wrong_is(cursor) < 0) ||
            (text_equal(cursor->last.source, text_of("not")) &&
             wrong_not(cursor) < 0))
            return -1;
        cursor_wrong_word(cursor, NULL, rows[i][1]);
        return -1;
    }
    return 0;
}

static int wrong_test(struct cursor *cursor, const char *what)
{
    if (suggest_second(cursor) < 0)
        return -1;
    cursor_missing(cursor, "A test of %s", what);
    return suggest_habit(cursor, cursor_peek(cursor, 0)->source);
}

/* ---- operands -------------------------------------------------------- */

/* `has ("a", "b")`, `contains any ("a", "b")`. */
static int wrong_values(struct cursor *cursor, const struct rule_test *test)
{
    int values = cursor_at_any(cursor, 0, "( [") ||
                 cursor_peek(cursor, 0)->kind == TOKEN_LIST;
    int any = cursor_at_any(cursor, 0, "any all none") &&
              (cursor_at(cursor, 1, "(") ||
               cursor_peek(cursor, 1)->kind == TOKEN_LIST);
    if (!(values && test->op == OP_HAS) && !(any && test->op == OP_CONTAINS))
        return 0;
    cursor_error(cursor, "One value stands here, no list.");
    return cursor_suggest(cursor, "did you mean `has any (...)` or `has all "
                                  "(...)`?");
}

static int parse_single(struct cursor *cursor, struct rule_test *test)
{
    if (wrong_values(cursor, test) < 0)
        return -1;
    struct rule_value *value = cursor_alloc(cursor, sizeof(*value));
    if (!value || parse_value(cursor, value) < 0)
        return -1;
    test->values =
        (struct rule_values){.count = 1, .items = value, .pos = value->pos};
    return 0;
}

static int parse_range(struct cursor *cursor, struct rule_test *test)
{
    struct rule_value *values = cursor_alloc(cursor, 2 * sizeof(*values));
    if (!values || parse_value(cursor, &values[0]) < 0 ||
        cursor_expect(cursor, "and") < 0 || parse_value(cursor, &values[1]) < 0)
        return -1;
    test->values =
        (struct rule_values){.count = 2, .items = values, .pos = values[0].pos};
    test->values.pos = cursor_span(cursor, test->values.pos);
    return 0;
}

/* One value that must be of KIND, which WHAT names. */
static int parse_kind(struct cursor *cursor, struct rule_test *test,
                      enum token_kind kind, const char *what)
{
    const struct token *token = cursor_peek(cursor, 0);
    if (token->kind == kind)
        return parse_single(cursor, test);
    if (wrong_values(cursor, test) < 0)
        return -1;
    cursor_error(cursor, "After `%s` stands %s.", rule_op_info(test->op)->words,
                 what);
    if (token->kind == TOKEN_STRING && kind == TOKEN_DATE)
        cursor_suggest(cursor, "a date has no quotes: 2026-01-31");
    else if (kind == TOKEN_STRING &&
             (token->kind == TOKEN_WORD || token->kind == TOKEN_NUMBER))
        cursor_instead(cursor, 0, "\"", "\"");
    return -1;
}

static int parse_span(struct cursor *cursor, struct rule_test *test)
{
    const char *words = rule_op_info(test->op)->words;
    int64_t least = test->op == OP_MORE_THAN ? 0 : 1;
    if (parse_duration(cursor, words, least, &test->duration_ms) < 0)
        return -1;
    return test->op == OP_MORE_THAN ? cursor_expect(cursor, "ago") : 0;
}

/* `where` and a condition on an element of the list. */
static int parse_element(struct cursor *cursor, struct rule_test *test)
{
    if (!cursor_accept(cursor, "where")) {
        cursor_missing(cursor, "`where`");
        return cursor_suggest(cursor, "write, for example, `has one where "
                                      "(category = \"shoes\" and price >= "
                                      "100)`");
    }
    if (parse_deeper(cursor) < 0)
        return -1;
    cursor->element++;
    test->where = parse_where(cursor);
    cursor->element--;
    cursor->depth--;
    return test->where ? 0 : -1;
}

static int parse_operand(struct cursor *cursor, struct rule_test *test)
{
    switch (rule_op_info(test->op)->operand) {
    case OPERAND_VALUE:
    case OPERAND_ORDERED:
        return parse_single(cursor, test);
    case OPERAND_RANGE:
        return parse_range(cursor, test);
    case OPERAND_VALUES:
        return parse_values(cursor, &test->values);
    case OPERAND_STRING:
        return parse_kind(cursor, test, TOKEN_STRING, "a text in quotes");
    case OPERAND_DURATION:
        return parse_span(cursor, test);
    case OPERAND_DATE:
        return parse_kind(cursor, test, TOKEN_DATE, "a date");
    case OPERAND_WHERE:
        return parse_element(cursor, test);
    case OPERAND_NONE:
        return 0;
    }
    return -1;
}

static int parse_folding(struct cursor *cursor, struct rule_test *test)
{
    if (cursor_at_any(cursor, 0, "ignore ignores ignorecase nocase")) {
        cursor_error(cursor, "That case does not matter is said by `ignoring "
                             "case`.");
        return cursor_suggest(cursor, "did you mean `ignoring case`?");
    }
    if (!cursor_at(cursor, 0, "ignoring"))
        return 0;
    if (!cursor_at(cursor, 1, "case")) {
        cursor_take(cursor);
        return cursor_expect(cursor, "case");
    }
    if (!rule_op_info(test->op)->fold)
        return cursor_error(cursor, "`ignoring case` does not go with `%s`.",
                            rule_op_info(test->op)->words);
    cursor_take(cursor);
    cursor_take(cursor);
    test->ignoring_case = 1;
    return 0;
}

int test_is_here(struct cursor *cursor)
{
    int words;
    find_op(cursor, &words);
    return words > 0;
}

int parse_operator(struct cursor *cursor, struct rule_test *test)
{
    int words;
    *test =
        (struct rule_test){.op = find_op(cursor, &words),
                           .pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (!words)
        return -1;
    for (int i = 0; i < words; i++)
        cursor_take(cursor);
    return 0;
}

int parse_test(struct cursor *cursor, const char *what, struct rule_test *test)
{
    if (parse_operator(cursor, test) < 0)
        return wrong_test(cursor, what);
    if (parse_operand(cursor, test) < 0 || parse_folding(cursor, test) < 0)
        return -1;
    test->pos = cursor_span(cursor, test->pos);
    return 0;
}

/* ---- where ----------------------------------------------------------- */

int parse_deeper(struct cursor *cursor)
{
    if (++cursor->depth <= RULE_DEPTH_MAX)
        return 0;
    return cursor_error(cursor,
                        "Brackets and `not` are nested more than %d "
                        "deep.",
                        RULE_DEPTH_MAX);
}

int parse_no_joint(struct cursor *cursor)
{
    static const char *const rows[][2] = {
        {"&&", "and"}, {"&", "and"}, {"AND", "and"}, {",", "and"},
        {"||", "or"},  {"|", "or"},  {"OR", "or"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!cursor_at(cursor, 0, rows[i][0]))
            continue;
        cursor_error(cursor, "Conditions are joined by `and` or `or`.");
        return cursor_suggest(cursor, "did you mean `%s`?", rows[i][1]);
    }
    return 0;
}

void parse_mixed(struct cursor *cursor, struct rule_pos pos)
{
    cursor_warning(cursor, pos, "`and` and `or` are mixed; `and` binds first.");
    cursor_suggest(cursor, "brackets say it: `(A and B) or C`, or `A and (B or "
                           "C)`");
}

static struct rule_where *parse_where_or(struct cursor *cursor);

static struct rule_where *new_where(struct cursor *cursor,
                                    enum rule_where_kind kind)
{
    struct rule_where *where = cursor_alloc(cursor, sizeof(*where));
    if (where) {
        where->kind = kind;
        where->pos = cursor_pos(cursor, cursor_peek(cursor, 0));
    }
    return where;
}

static struct rule_where *parse_where_test(struct cursor *cursor)
{
    struct rule_where *where = new_where(cursor, WHERE_TEST);
    struct buf name;
    if (!where || parse_event_path(cursor, &where->path) < 0)
        return NULL;
    buf_init(&name);
    buf_char(&name, '`');
    format_path(&name, &where->path);
    buf_char(&name, '`');
    int ret = parse_test(cursor, buf_string(&name), &where->test);
    buf_done(&name);
    where->pos = cursor_span(cursor, where->pos);
    return ret < 0 ? NULL : where;
}

/* KIND over the COUNT children that were pushed on the stack above FROM. */
static struct rule_where *join_where(struct cursor *cursor,
                                     enum rule_where_kind kind, size_t from,
                                     int count)
{
    struct rule_where *const *children = cursor_pop(cursor, from);
    struct rule_where *where = new_where(cursor, kind);
    if (!children || !where)
        return NULL;
    where->count = count;
    where->children = children;
    where->pos = children[0]->pos;
    cursor->bare = kind == WHERE_AND ? where : NULL;
    return where;
}

static struct rule_where *parse_where_unary(struct cursor *cursor)
{
    struct rule_where *where;
    size_t from = cursor->stack_len;
    struct rule_pos pos = cursor_pos(cursor, cursor_peek(cursor, 0));
    if (cursor_at(cursor, 0, "not")) {
        if (parse_deeper(cursor) < 0)
            return NULL;
        cursor_take(cursor);
        where = parse_where_unary(cursor);
        cursor->depth--;
        if (!where || cursor_push(cursor, &where, sizeof(where)) < 0 ||
            !(where = join_where(cursor, WHERE_NOT, from, 1)))
            return NULL;
        where->pos = cursor_span(cursor, pos);
        return where;
    }
    if (!cursor_at(cursor, 0, "("))
        return parse_where_test(cursor);
    if (parse_deeper(cursor) < 0)
        return NULL;
    cursor_take(cursor);
    where = parse_where_or(cursor);
    cursor->depth--;
    cursor->bare = NULL;
    return where && cursor_expect(cursor, ")") == 0 ? where : NULL;
}

/* One or more of PARSE, joined by WORD. */
static struct rule_where *
parse_where_joined(struct cursor *cursor, const char *word,
                   enum rule_where_kind kind,
                   struct rule_where *(*parse)(struct cursor *))
{
    size_t from = cursor->stack_len;
    struct rule_where *where;
    const struct rule_where *mixed = NULL;
    int count = 0;
    do {
        where = parse(cursor);
        if (!where || cursor_push(cursor, &where, sizeof(where)) < 0)
            return NULL;
        mixed = cursor->bare == where ? where : mixed;
        count++;
    } while (cursor_accept(cursor, word));
    if (count > 1 && mixed)
        parse_mixed(cursor, mixed->pos);
    if (count > 1)
        return join_where(cursor, kind, from, count);
    cursor->stack_len = from;
    return where;
}

static struct rule_where *parse_where_and(struct cursor *cursor)
{
    return parse_where_joined(cursor, "and", WHERE_AND, parse_where_unary);
}

static struct rule_where *parse_where_or(struct cursor *cursor)
{
    struct rule_where *where =
        parse_where_joined(cursor, "or", WHERE_OR, parse_where_and);
    return where && parse_no_joint(cursor) == 0 ? where : NULL;
}

struct rule_where *parse_where(struct cursor *cursor)
{
    if (cursor_at(cursor, 0, "("))
        return parse_where_unary(cursor);
    if (cursor_at(cursor, 0, "not")) {
        cursor_error(cursor, "`not` after `where` stands in brackets.");
        cursor_suggest(cursor, "did you mean `where (not ...)`?");
        return NULL;
    }
    return parse_where_test(cursor);
}
