/* check_block.c: what lists, scores, traits, segments and tests are as a whole.
 */
#include "lib/segment/checker.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/intern.h"
#include "lib/base/text.h"
#include "lib/segment/format.h"

/* ---- lists ----------------------------------------------------------- */

/* Warn of values that stand twice in LIST. */
static void check_twice(struct checker *checker, const struct rule_list *list)
{
    struct intern seen;
    struct buf key;
    uint32_t number;
    int new = 1;
    intern_init(&seen);
    buf_init(&key);
    for (int i = 0; i < list->values.count && new >= 0; i++) {
        const struct rule_value *value = &list->values.items[i];
        buf_reset(&key);
        buf_char(&key, value->is_date ? 'd' : 'v');
        buf_json_value(&key, &value->value);
        new = buf_failed(&key)
                  ? SEG_ERR_NOMEM
                  : intern_add(&seen, (struct seg_text){key.bytes, key.len},
                               &number);
        if (new == 0)
            check_warning(checker, value->pos,
                          "This value stands twice in the list `%s`.",
                          list->key.bytes);
    }
    if (new < 0)
        checker->diagnostics->failed = 1;
    buf_done(&key);
    intern_done(&seen);
}

void check_list(struct checker *checker, const struct rule_list *list)
{
    if (!list->used)
        check_warning(checker, list->pos, "The list `%s` is not used.",
                      list->key.bytes);
    check_twice(checker, list);
}

/* ---- scores ---------------------------------------------------------- */

void check_scores(struct checker *checker)
{
    for (int i = 0; i < checker->rules->score_count; i++) {
        const struct rule_score *score = &checker->rules->scores[i];
        for (int j = 0; j < score->weight_count; j++) {
            const struct rule_weight *weight = &score->weights[j];
            if (weight->event.where)
                check_where(checker, weight->event.where);
            if (!weight->weight)
                check_warning(checker, weight->pos,
                              "This line adds nothing to the score.");
        }
        check_exact_score(checker, score);
    }
}

/* ---- traits ---------------------------------------------------------- */

/* A trait that is a trait that is a trait ...: as many steps as there are
 * traits, and it goes round. */
static void check_round(struct checker *checker, int first)
{
    const struct rules *rules = checker->rules;
    const struct rule_trait *trait = &rules->traits[first];
    int at = first, steps = 0;
    do {
        const struct rule_measure *measure = &rules->traits[at].measure;
        at = measure->kind == MEASURE_TRAIT ? measure->definition : -1;
    } while (at >= 0 && at != first && steps++ < rules->trait_count);
    if (at != first)
        return;
    check_error(checker, trait->measure.pos,
                "The trait `%s` refers to itself%s.", trait->key.bytes,
                steps ? " through other traits" : "");
}

void check_traits(struct checker *checker)
{
    struct rules *rules = checker->rules;
    for (int i = 0; i < rules->trait_count; i++)
        check_definition(checker, &rules->traits[i].measure);
    for (int i = 0; i < rules->trait_count; i++)
        check_round(checker, i);
    for (int i = 0; i < rules->trait_count; i++)
        check_measure(checker, &rules->traits[i].measure, CHECK_ANY_NUMBER);
}

/* ---- segments -------------------------------------------------------- */

/* Ids of users: texts of the length that an id may have. */
static void check_ids(struct checker *checker, struct rule_values *values)
{
    check_resolve(checker, values);
    for (int i = 0; i < values->count; i++) {
        const struct rule_value *value = &values->items[i];
        const char *sentence =
            value->value.type != SEG_TEXT ? "The id of a user is a text in "
                                            "double quotes."
            : !value->value.len           ? "The id of a user is not empty."
            : value->value.len > SEG_ID_BYTES_MAX
                ? "The id of a user has at most 512 bytes."
                : NULL;
        if (!sentence)
            continue;
        check_error(checker, values->list.bytes ? values->pos : value->pos,
                    "%s", sentence);
        return;
    }
}

static void check_properties(struct checker *checker,
                             const struct rule_trigger *trigger)
{
    for (int i = 0; i < trigger->property_count; i++) {
        struct rule_measure *measure =
            (struct rule_measure *)trigger->properties[i].measure;
        if (!measure)
            continue;
        check_definition(checker, measure);
        check_measure(checker, measure, CHECK_ANY_NUMBER);
    }
}

static void check_triggers(struct checker *checker,
                           const struct rule_segment *segment)
{
    for (int i = 0; i < segment->trigger_count; i++) {
        const struct rule_trigger *a = &segment->triggers[i], *b;
        check_properties(checker, a);
        if (!a->once) {
            check_warning(checker, a->pos,
                          "This trigger has no cooldown: it fires each time.");
            diagnostics_suggest(checker->diagnostics,
                                "add `once`, or `once per 30d`");
        }
        for (int j = 0; j < i; j++) {
            b = &segment->triggers[j];
            if (a->on_enter != b->on_enter || !text_equal(a->name, b->name))
                continue;
            check_error(checker, a->pos,
                        "This trigger stands already in line %u.", b->pos.line);
            break;
        }
    }
}

/* Whether A and B are written alike. */
static int is_alike(struct checker *checker, const struct rule_cond *a,
                    const struct rule_cond *b)
{
    struct buf left, right;
    buf_init(&left);
    buf_init(&right);
    format_cond(&left, a, FORMAT_LIST_NAMES);
    format_cond(&right, b, FORMAT_LIST_NAMES);
    int alike = !strcmp(buf_string(&left), buf_string(&right));
    if (buf_failed(&left) || buf_failed(&right))
        checker->diagnostics->failed = 1;
    buf_done(&left);
    buf_done(&right);
    return alike;
}

static void check_until(struct checker *checker, struct rule_segment *segment)
{
    struct rule_pos pos = segment->field_pos[FIELD_UNTIL];
    const struct rule_cond *until = segment->until;
    check_cond(checker, segment->until);
    if (!segment->when)
        check_error(checker, pos,
                    "`until` says how long `when` goes on, and there is no "
                    "`when`.");
    else if (until->kind == COND_EVERYONE ||
             is_alike(checker, until, segment->when))
        check_warning(checker, pos,
                      "Nobody can enter: `until` is true whenever `when` is.");
    else if (until->kind == COND_NOT &&
             is_alike(checker, until->children[0], segment->when))
        check_warning(checker, pos,
                      "Without `until` it is just so: who is in leaves when "
                      "`when` is not true any more.");
}

void check_segment(struct checker *checker, struct rule_segment *segment)
{
    if (segment->until)
        check_until(checker, segment);
    if (segment->when)
        check_cond(checker, segment->when);
    else if (!segment->include.count && !segment->include.list.bytes)
        check_warning(checker, segment->pos,
                      "Nobody can be in this segment: it has neither `when` "
                      "nor `include`.");
    check_ids(checker, &segment->include);
    check_ids(checker, &segment->exclude);
    check_triggers(checker, segment);
    if (!checker->tested[checker->segment])
        check_warning(checker, segment->pos, "The segment `%s` has no test.",
                      segment->key.bytes);
}

/* ---- tests ----------------------------------------------------------- */

static void check_target(struct checker *checker,
                         const struct rule_test_block *test)
{
    struct suggest suggest;
    int segment = check_find(checker, DEFINED_SEGMENT, test->segment);
    if (segment >= 0) {
        checker->tested[segment] = 1;
        return;
    }
    check_error(checker, test->pos, "There is no segment `%s` to test.",
                test->segment.bytes);
    suggest_init(&suggest, test->segment);
    for (int i = 0; i < checker->rules->segment_count; i++)
        suggest_offer(&suggest, checker->rules->segments[i].key);
    if (suggest.best.bytes)
        diagnostics_suggest(checker->diagnostics, "did you mean `%s`?",
                            suggest.best.bytes);
}

static void check_expect_trait(struct checker *checker,
                               const struct rule_line *line)
{
    struct rule_test test = {
        .op = line->op,
        .pos = line->value.pos,
        .values = {.count = 1, .items = &line->value, .pos = line->value.pos}};
    int found = check_refer(checker, DEFINED_TRAIT, line->name, line->pos, "");
    if (found < 0)
        return;
    const struct rule_measure *measure = &checker->rules->traits[found].measure;
    check_test(checker, check_subject_of(checker, measure), &test);
}

/* Whether one of A and B is in the other, or both are one. */
static int path_overlaps(const struct path *a, const struct path *b)
{
    int count = a->count < b->count ? a->count : b->count;
    for (int i = 0; i < count; i++)
        if (!text_equal(a->names[i], b->names[i]))
            return 0;
    return a->root == b->root;
}

/* What line number I of TEST sets is set once: all of it is one message. */
static void check_set(struct checker *checker,
                      const struct rule_test_block *test, int i)
{
    const struct rule_line *line = &test->lines[i];
    for (int j = 0; j < i; j++) {
        const struct rule_line *before = &test->lines[j];
        if (before->kind != LINE_SET ||
            !path_overlaps(&before->path, &line->path))
            continue;
        check_error(checker, line->pos, "This is set already in line %u.",
                    before->pos.line);
        diagnostics_suggest(checker->diagnostics,
                            "what changes later is written `at 1d identify { "
                            "... }`");
        return;
    }
}

/* Names that begin with a word which stands before them elsewhere: `identify {
 * user.plan = "pro" }` is about user.user.plan. */
static void check_roots(struct checker *checker, const struct rule_line *line)
{
    const char *root = line->kind == LINE_IDENTIFY ? "user"
                       : line->kind == LINE_GROUP  ? "account"
                                                   : "properties";
    for (int i = 0; i < line->property_count; i++) {
        const struct rule_property *property = &line->properties[i];
        if (property->name_count < 2 ||
            !text_equal(property->names[0], text_of(root)))
            continue;
        check_warning(checker, property->pos,
                      "What stands here is of `%s` already: this is about "
                      "`%s.%s.%s`.",
                      root, root, root, property->names[1].bytes);
        diagnostics_suggest(checker->diagnostics, "did you mean `%s`?",
                            property->names[1].bytes);
    }
}

static void check_lines(struct checker *checker,
                        const struct rule_test_block *test)
{
    int64_t at_ms = 0;
    int expects = 0;
    for (int i = 0; i < test->line_count; i++) {
        const struct rule_line *line = &test->lines[i];
        expects += line->kind == LINE_EXPECT;
        if (line->kind == LINE_EXPECT && line->expect == EXPECT_TRAIT)
            check_expect_trait(checker, line);
        if (line->kind == LINE_SET) {
            check_set(checker, test, i);
            continue;
        }
        check_roots(checker, line);
        if (line->at_ms < at_ms)
            check_warning(checker, line->pos,
                          "This line is earlier than the one before it.");
        at_ms = line->at_ms;
    }
    if (!expects)
        check_warning(checker, test->pos, "This test expects nothing.");
}

static int order(const void *a, const void *b)
{
    const struct rule_test_block *x = *(struct rule_test_block *const *)a;
    const struct rule_test_block *y = *(struct rule_test_block *const *)b;
    int segments = text_compare(x->segment, y->segment);
    int names = segments ? segments : text_compare(x->name, y->name);
    return names ? names : (x > y) - (x < y);
}

/* Two tests of one segment with one name. */
static void check_names(struct checker *checker)
{
    size_t count = (size_t)checker->rules->test_count;
    const struct rule_test_block **tests = calloc(count + 1, sizeof(*tests));
    if (!tests) {
        checker->diagnostics->failed = 1;
        return;
    }
    for (size_t i = 0; i < count; i++)
        tests[i] = &checker->rules->tests[i];
    qsort(tests, count, sizeof(*tests), order);
    for (size_t i = 1; i < count; i++)
        if (text_equal(tests[i - 1]->segment, tests[i]->segment) &&
            text_equal(tests[i - 1]->name, tests[i]->name))
            check_error(checker, tests[i]->pos,
                        "There is already a test of that name of `%s` in line "
                        "%u.",
                        tests[i]->segment.bytes, tests[i - 1]->pos.line);
    free(tests);
}

void check_tests(struct checker *checker)
{
    check_names(checker);
    for (int i = 0; i < checker->rules->test_count; i++) {
        check_target(checker, &checker->rules->tests[i]);
        check_lines(checker, &checker->rules->tests[i]);
    }
}
