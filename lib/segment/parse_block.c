/* parse_block.c: lists, scores, traits and test blocks of a segment file. */
#include "lib/segment/parse_block.h"

#include "lib/base/alloc.h"
#include "lib/segment/parse_event.h"
#include "lib/segment/parse_habit.h"
#include "lib/segment/parse_measure.h"
#include "lib/segment/parse_path.h"
#include "lib/segment/parse_property.h"
#include "lib/segment/parse_test.h"
#include "lib/segment/parse_value.h"

int definition_is_here(struct cursor *cursor)
{
    enum token_kind next = cursor_peek(cursor, 1)->kind;
    return cursor_at_any(cursor, 0, "segment list test trait score") &&
           (next == TOKEN_WORD || next == TOKEN_STRING);
}

/* ---- lists ----------------------------------------------------------- */

static int add_list(struct cursor *cursor, const struct rule_list *list)
{
    struct rules *rules = cursor->rules;
    void *lists = rules->lists;
    if (rules->list_count == RULE_DEFINITIONS_MAX)
        return cursor_error_at(cursor, list->pos, "There are at most %d lists.",
                               RULE_DEFINITIONS_MAX);
    if (alloc_grow(&lists, &rules->list_cap, (size_t)rules->list_count + 1,
                   sizeof(*list)) < 0)
        return cursor_no_memory(cursor);
    rules->lists = lists;
    rules->lists[rules->list_count++] = *list;
    return 0;
}

int parse_list(struct cursor *cursor)
{
    struct rule_list list = {.pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (parse_key(cursor, "list", &list.key) < 0)
        return -1;
    if (cursor_at_any(cursor, 0, "{ [")) {
        cursor_error(cursor, "`=` is missing after the key of the list.");
        return cursor_suggest(cursor,
                              "a list is written `list %s = [\"a\", "
                              "\"b\"]`",
                              list.key.bytes);
    }
    if (cursor_expect(cursor, "=") < 0)
        return -1;
    list.values.pos = cursor_pos(cursor, cursor_peek(cursor, 0));
    if (!cursor_accept(cursor, "[")) {
        cursor_error(cursor, "The values of a list stand in [ ].");
        return cursor_suggest(cursor,
                              "a list is written `list %s = [\"a\", "
                              "\"b\"]`",
                              list.key.bytes);
    }
    if (parse_items(cursor, "]", &list.values) < 0)
        return -1;
    list.end = cursor_pos(cursor, &cursor->last);
    return add_list(cursor, &list);
}

/* ---- scores ---------------------------------------------------------- */

static int add_score(struct cursor *cursor, const struct rule_score *score)
{
    struct rules *rules = cursor->rules;
    void *scores = rules->scores;
    if (rules->score_count == RULE_DEFINITIONS_MAX)
        return cursor_error_at(cursor, score->pos,
                               "There are at most %d scores.",
                               RULE_DEFINITIONS_MAX);
    if (alloc_grow(&scores, &rules->score_cap, (size_t)rules->score_count + 1,
                   sizeof(*score)) < 0)
        return cursor_no_memory(cursor);
    rules->scores = scores;
    rules->scores[rules->score_count++] = *score;
    return 0;
}

/* event INTEGER */
static int parse_weight(struct cursor *cursor, struct rule_weight *weight)
{
    const struct token *token;
    *weight =
        (struct rule_weight){.pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (parse_event(cursor, 1, &weight->event) < 0)
        return -1;
    if (cursor_at_any(cursor, 0, ": = + ->"))
        return cursor_error(cursor, "Between an event and its weight stands "
                                    "nothing.");
    token = cursor_peek(cursor, 0);
    if (token->kind != TOKEN_NUMBER || token->value.type != SEG_INT) {
        cursor_error(cursor, "A whole number is missing here, the weight of "
                             "the event.");
        return cursor_suggest(cursor, "write, for example, `\"Pricing Viewed\" "
                                      "10`");
    }
    if (token->value.as.integer < -RULE_WEIGHT_MAX ||
        token->value.as.integer > RULE_WEIGHT_MAX)
        return cursor_error(cursor, "A weight is from -%d to %d.",
                            RULE_WEIGHT_MAX, RULE_WEIGHT_MAX);
    weight->weight = cursor_take(cursor)->value.as.integer;
    weight->pos = cursor_span(cursor, weight->pos);
    return 0;
}

static int parse_weights(struct cursor *cursor, struct rule_score *score)
{
    size_t from = cursor->stack_len;
    struct rule_weight weight;
    int more = 1;
    if (cursor_at(cursor, 0, "}"))
        return cursor_error(cursor, "A score has at least one event.");
    do {
        if (score->weight_count == RULE_WEIGHTS_MAX)
            return cursor_error(cursor, "A score has at most %d lines.",
                                RULE_WEIGHTS_MAX);
        if (parse_weight(cursor, &weight) < 0 ||
            cursor_push(cursor, &weight, sizeof(weight)) < 0)
            return -1;
        score->weight_count++;
        if (cursor_at(cursor, 0, ",") && cursor_at(cursor, 1, "}"))
            cursor_take(cursor);
        more = next_item(cursor, "}");
    } while (more > 0);
    if (more < 0)
        return -1;
    score->weights = cursor_pop(cursor, from);
    return score->weights ? 0 : -1;
}

int parse_score(struct cursor *cursor)
{
    struct rule_score score = {.pos =
                                   cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (parse_key(cursor, "score", &score.key) < 0)
        return -1;
    if (!cursor_accept(cursor, "half-life")) {
        cursor_wrong_word(cursor, NULL, "half-life");
        return cursor_suggest(cursor,
                              "write, for example, `score %s half-life "
                              "7d { ... }`",
                              score.key.bytes);
    }
    if (parse_duration(cursor, "half-life", 1, &score.half_life_ms) < 0 ||
        cursor_expect(cursor, "{") < 0 || parse_weights(cursor, &score) < 0)
        return -1;
    score.end = cursor_pos(cursor, &cursor->last);
    return add_score(cursor, &score);
}

/* ---- traits ---------------------------------------------------------- */

static int add_trait(struct cursor *cursor, const struct rule_trait *trait)
{
    struct rules *rules = cursor->rules;
    void *traits = rules->traits;
    if (rules->trait_count == RULE_DEFINITIONS_MAX)
        return cursor_error_at(cursor, trait->pos,
                               "There are at most %d traits.",
                               RULE_DEFINITIONS_MAX);
    if (alloc_grow(&traits, &rules->trait_cap, (size_t)rules->trait_count + 1,
                   sizeof(*trait)) < 0)
        return cursor_no_memory(cursor);
    rules->traits = traits;
    rules->traits[rules->trait_count++] = *trait;
    return 0;
}

/* No measure behind `trait KEY =`, or something behind the measure. */
static int wrong_trait(struct cursor *cursor)
{
    cursor_missing(cursor, "A measure");
    return cursor_suggest(cursor, "write, for example, `trait orders = "
                                  "count(\"Order Placed\") in 90d`");
}

int parse_trait(struct cursor *cursor)
{
    struct rule_trait trait = {.pos =
                                   cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (parse_key(cursor, "trait", &trait.key) < 0)
        return -1;
    if (cursor_at(cursor, 0, "{"))
        return cursor_error(cursor, "A trait is written `trait %s = measure`.",
                            trait.key.bytes);
    if (cursor_expect(cursor, "=") < 0)
        return -1;
    if (measure_at(cursor, 0) == MEASURE_COUNT_)
        return wrong_trait(cursor);
    cursor->depth = 0;
    if (parse_measure(cursor, &trait.measure) < 0)
        return -1;
    if (cursor_peek(cursor, 0)->kind != TOKEN_END &&
        !cursor_peek(cursor, 0)->starts_line && !definition_is_here(cursor)) {
        cursor_error(cursor, "A trait is a measure alone, nothing stands "
                             "behind it.");
        if (cursor_at_any(cursor, 0, "= != < <= > >="))
            cursor_suggest(cursor,
                           "a condition on it stands in a segment: "
                           "`when trait.%s >= 3`",
                           trait.key.bytes);
        return -1;
    }
    trait.end = cursor_pos(cursor, &cursor->last);
    return add_trait(cursor, &trait);
}

/* ---- lines of a test ------------------------------------------------- */

static int parse_set(struct cursor *cursor, struct rule_line *line)
{
    line->kind = LINE_SET;
    if (parse_user_path(cursor, &line->path) < 0)
        return -1;
    if (cursor_expect(cursor, "=") < 0)
        return -1;
    return parse_property_value(cursor, &line->value);
}

static int parse_happening(struct cursor *cursor, struct rule_line *line)
{
    line->kind = LINE_EVENT;
    if (parse_string(cursor, "The name of an event", SEG_NAME_BYTES_MAX,
                     &line->name) < 0)
        return -1;
    if (!line->name.len)
        return cursor_error_at(cursor, cursor_pos(cursor, &cursor->last),
                               "The name of an event is not empty.");
    return cursor_at(cursor, 0, "{")
               ? parse_properties(cursor, PROPERTIES_OF_EVENT,
                                  &line->properties, &line->property_count)
               : 0;
}

/* What follows `page` or `screen`: its name, if it has one, and properties. */
static int parse_look(struct cursor *cursor, enum rule_line_kind kind,
                      struct rule_line *line)
{
    line->kind = kind;
    if (cursor_peek(cursor, 0)->kind == TOKEN_STRING) {
        if (parse_string(cursor, "The name of a page", SEG_STRING_BYTES_MAX,
                         &line->name) < 0)
            return -1;
        if (!line->name.len)
            return cursor_error_at(cursor, cursor_pos(cursor, &cursor->last),
                                   "The name of a page is not empty.");
    }
    return cursor_at(cursor, 0, "{")
               ? parse_properties(cursor, PROPERTIES_OF_EVENT,
                                  &line->properties, &line->property_count)
               : 0;
}

static int parse_group(struct cursor *cursor, struct rule_line *line)
{
    line->kind = LINE_GROUP;
    if (parse_string(cursor, "The id of a group", SEG_ID_BYTES_MAX,
                     &line->name) < 0)
        return -1;
    if (!line->name.len)
        return cursor_error_at(cursor, cursor_pos(cursor, &cursor->last),
                               "The id of a group is not empty.");
    return cursor_at(cursor, 0, "{")
               ? parse_properties(cursor, PROPERTIES_OF_EVENT,
                                  &line->properties, &line->property_count)
               : 0;
}

/* KEY compare value */
static int parse_expect_trait(struct cursor *cursor, struct rule_line *line)
{
    struct rule_test test;
    line->expect = EXPECT_TRAIT;
    if (parse_key(cursor, "trait", &line->name) < 0)
        return -1;
    if (!cursor_at_any(cursor, 0, "= != < <= > >="))
        return cursor_wrong_word(cursor, NULL, "=|!=|<|<=|>|>=");
    if (parse_operator(cursor, &test) < 0)
        return -1;
    line->op = test.op;
    return parse_value(cursor, &line->value);
}

static int parse_expect(struct cursor *cursor, struct rule_line *line)
{
    static const char *const words[] = {"in", "out", "enter", "exit"};
    line->kind = LINE_EXPECT;
    for (int i = 0; i < 4; i++)
        if (cursor_accept(cursor, words[i])) {
            line->expect = (enum rule_expect)i;
            return 0;
        }
    if (cursor_accept(cursor, "trait"))
        return parse_expect_trait(cursor, line);
    return habit_said(cursor, HABIT_EXPECT) < 0
               ? -1
               : cursor_wrong_word(cursor, NULL, "in|out|enter|exit|trait");
}

static int parse_at(struct cursor *cursor, struct rule_line *line)
{
    if (parse_duration(cursor, "at", 0, &line->at_ms) < 0)
        return -1;
    if (cursor_accept(cursor, "event"))
        return parse_happening(cursor, line);
    if (cursor_accept(cursor, "page"))
        return parse_look(cursor, LINE_PAGE, line);
    if (cursor_accept(cursor, "screen"))
        return parse_look(cursor, LINE_SCREEN, line);
    if (cursor_accept(cursor, "expect"))
        return parse_expect(cursor, line);
    if (cursor_accept(cursor, "group"))
        return parse_group(cursor, line);
    if (cursor_accept(cursor, "identify")) {
        line->kind = LINE_IDENTIFY;
        return parse_properties(cursor, PROPERTIES_OF_EVENT, &line->properties,
                                &line->property_count);
    }
    return habit_said(cursor, HABIT_AT) < 0
               ? -1
               : cursor_wrong_word(cursor, NULL,
                                   "event|page|screen|expect|identify|group");
}

static int parse_line(struct cursor *cursor)
{
    struct rule_line line = {.pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    int ret;
    if (cursor_accept(cursor, "set"))
        ret = parse_set(cursor, &line);
    else if (cursor_accept(cursor, "at"))
        ret = parse_at(cursor, &line);
    else
        ret = habit_said(cursor, HABIT_LINE) < 0
                  ? -1
                  : cursor_wrong_word(cursor, "line of a test", "at|set");
    if (ret < 0)
        return -1;
    line.pos = cursor_span(cursor, line.pos);
    return cursor_push(cursor, &line, sizeof(line));
}

/* ---- test blocks ----------------------------------------------------- */

static int add_test(struct cursor *cursor, const struct rule_test_block *test)
{
    struct rules *rules = cursor->rules;
    void *tests = rules->tests;
    if (rules->test_count == RULE_DEFINITIONS_MAX)
        return cursor_error_at(cursor, test->pos, "There are at most %d tests.",
                               RULE_DEFINITIONS_MAX);
    if (alloc_grow(&tests, &rules->test_cap, (size_t)rules->test_count + 1,
                   sizeof(*test)) < 0)
        return cursor_no_memory(cursor);
    rules->tests = tests;
    rules->tests[rules->test_count++] = *test;
    return 0;
}

/* To the next line of the test, or what ends it: a `}` when there are no more
 * than BRACES to close. */
static void skip_line(struct cursor *cursor, int braces)
{
    for (; cursor_peek(cursor, 0)->kind != TOKEN_END; cursor_take(cursor)) {
        int starts_line = cursor_peek(cursor, 0)->starts_line;
        if (starts_line && definition_is_here(cursor))
            return;
        if (cursor->braces <= braces &&
            (starts_line || cursor_at(cursor, 0, "}")))
            return;
    }
}

static int parse_lines(struct cursor *cursor, struct rule_test_block *test)
{
    size_t from = cursor->stack_len;
    int wrong = 0, braces = cursor->braces;
    while (!cursor_at(cursor, 0, "}")) {
        size_t line_from = cursor->stack_len;
        int taken = cursor->taken;
        if (cursor_peek(cursor, 0)->kind == TOKEN_END ||
            definition_is_here(cursor))
            return wrong ? -1
                         : cursor_error_at(cursor, test->pos,
                                           "This test has no closing `}`.");
        if (test->line_count == RULE_DEFINITIONS_MAX)
            return cursor_error(cursor, "A test has at most %d lines.",
                                RULE_DEFINITIONS_MAX);
        if (parse_line(cursor) == 0) {
            test->line_count++;
            continue;
        }
        wrong = 1;
        cursor->stack_len = line_from;
        if (cursor->taken == taken)
            cursor_take(cursor);
        skip_line(cursor, braces);
    }
    test->end = cursor_pos(cursor, cursor_take(cursor));
    test->lines = cursor_pop(cursor, from);
    return wrong || !test->lines ? -1 : 0;
}

int parse_test_block(struct cursor *cursor)
{
    struct rule_test_block test = {
        .pos = cursor_pos(cursor, cursor_peek(cursor, 0))};
    if (parse_key(cursor, "segment", &test.segment) < 0 ||
        parse_string(cursor, "The name of a test", SEG_NAME_BYTES_MAX,
                     &test.name) < 0 ||
        cursor_expect(cursor, "{") < 0 || parse_lines(cursor, &test) < 0)
        return -1;
    return add_test(cursor, &test);
}
