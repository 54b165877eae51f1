/* check_type.c: tests that can never match, for the types of what is tested and
 * of what it is tested against. */
#include "lib/segment/checker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/event/value.h"
#include "lib/event/version.h"
#include "lib/segment/regex.h"

static int is_number(const struct rule_value *value)
{
    return !value->is_date &&
           (value->value.type == SEG_INT || value->value.type == SEG_DOUBLE);
}

static int is_text(const struct rule_value *value)
{
    return !value->is_date && value->value.type == SEG_TEXT;
}

static struct seg_text text_of_item(const struct rule_value *value)
{
    return (struct seg_text){value->value.as.text, value->value.len};
}

/* Where to point for item VALUE of TEST: at itself, or at the @list. */
static struct rule_pos place(const struct rule_test *test,
                             const struct rule_value *value)
{
    return test->values.list.bytes ? test->values.pos : value->pos;
}

/* All items must pass GOOD; else say FORMAT, a plain sentence. */
static void check_items(struct checker *checker, const struct rule_test *test,
                        int (*good)(const struct rule_value *),
                        const char *sentence)
{
    for (int i = 0; i < test->values.count; i++) {
        const struct rule_value *value = &test->values.items[i];
        if (good(value))
            continue;
        check_error(checker, place(test, value), "%s", sentence);
        return;
    }
}

static int is_text_or_date(const struct rule_value *value)
{
    return value->is_date || is_text(value);
}

static void check_number(struct checker *checker, const struct rule_test *test,
                         int always_set)
{
    const struct rule_op_info *info = rule_op_info(test->op);
    if (info->of != OF_ANY || (test->op == OP_IS_NOT_SET && always_set))
        check_error(checker, test->pos,
                    "This measure is a number; `%s` is never true of it.",
                    info->words);
    else if (test->op == OP_IS_SET && always_set)
        check_warning(checker, test->pos,
                      "This measure is always a number; `is set` is always "
                      "true of it.");
    else
        check_items(checker, test, is_number,
                    "This measure is a number; it never matches another type.");
}

/* ---- orders, ranges, cases, versions --------------------------------- */

static int has_order(const struct rule_value *value)
{
    return value->value.type != SEG_BOOL;
}

static int is_numeral(struct seg_text text)
{
    char *end;
    return text.len && strspn(text.bytes, "-.0123456789eE") == text.len &&
           strtod(text.bytes, &end) != HUGE_VAL && end == text.bytes + text.len;
}

/* Texts are in order of their characters, which is not that of what they
 * write: "9" comes after "18". */
static void check_text_order(struct checker *checker,
                             const struct rule_test *test)
{
    int64_t ms;
    int order;
    for (int i = 0; i < test->values.count; i++) {
        const struct rule_value *value = &test->values.items[i];
        struct seg_text text = text_of_item(value);
        if (!is_text(value))
            continue;
        int version = version_compare(text, text, &order);
        if (!version && !is_numeral(text) && instant_parse(text, &ms) < 0)
            continue;
        check_warning(checker, value->pos,
                      "Texts are in order of their characters: \"9\" comes "
                      "after \"18\".");
        if (version && test->op != OP_BETWEEN)
            diagnostics_suggest(checker->diagnostics,
                                "did you mean `version %s \"%s\"`?",
                                rule_op_info(test->op)->words, text.bytes);
        else if (!version)
            diagnostics_suggest(checker->diagnostics,
                                "a number or a date has no quotes: `%s`",
                                text.bytes);
        return;
    }
}

static void check_range(struct checker *checker, const struct rule_test *test)
{
    const struct rule_value *low = &test->values.items[0], *high = low + 1;
    int order;
    if (!has_order(low) || !has_order(high))
        return;
    if (low->is_date != high->is_date ||
        !value_compare(&low->value, &high->value, &order)) {
        check_error(checker, test->values.pos,
                    "These two are of different types; nothing is between "
                    "them.");
    } else if (order > 0) {
        check_error(checker, test->values.pos,
                    "This range is empty: its first value is the greater one.");
        diagnostics_suggest(checker->diagnostics,
                            "write the smaller value first");
    }
}

static void check_version(struct checker *checker, const struct rule_test *test)
{
    struct seg_text text = text_of_item(&test->values.items[0]);
    int order;
    if (version_compare(text, text, &order))
        return;
    check_error(checker, test->values.pos,
                "This is no version (SemVer 2.0), so this is never true.");
    diagnostics_suggest(checker->diagnostics,
                        "a version is, for example, \"4.2.0\" or "
                        "\"4.2.0-beta.1\"");
}

static void check_regex(struct checker *checker, const struct rule_test *test)
{
    char why[200];
    int ret = regex_refused(text_of_item(&test->values.items[0]),
                            test->ignoring_case, why, sizeof(why));
    if (ret < 0)
        checker->diagnostics->failed = 1;
    else if (ret)
        check_error(checker, test->values.pos,
                    "This is no regular expression of RE2: %s.", why);
}

void check_test(struct checker *checker, enum check_subject subject,
                struct rule_test *test)
{
    const struct rule_op_info *info = rule_op_info(test->op);
    check_resolve(checker, &test->values);
    if (subject >= SUBJECT_NUMBER)
        check_number(checker, test, subject > SUBJECT_NUMBER);
    if (subject == SUBJECT_TEXT)
        check_items(checker, test, is_text_or_date,
                    "This is a text of the event; it never matches another "
                    "type.");
    if (test->ignoring_case)
        check_items(checker, test, is_text,
                    "`ignoring case` goes only with texts.");
    if (info->operand == OPERAND_ORDERED || info->operand == OPERAND_RANGE)
        check_items(checker, test, has_order, "true and false have no order.");
    if (info->operand == OPERAND_ORDERED || info->operand == OPERAND_RANGE)
        check_text_order(checker, test);
    if (info->operand == OPERAND_RANGE)
        check_range(checker, test);
    if (test->op >= OP_VERSION_EQ && test->op <= OP_VERSION_GE)
        check_version(checker, test);
    if (test->op == OP_MATCHES_REGEX)
        check_regex(checker, test);
    if (test->op == OP_HAS_ONE)
        check_where(checker, (struct rule_where *)test->where);
}

/* ---- where ----------------------------------------------------------- */

static int is_type_of_event(const struct rule_value *value)
{
    struct seg_text text = text_of_item(value);
    return !is_text(value) || text_equal(text, text_of("track")) ||
           text_equal(text, text_of("page")) ||
           text_equal(text, text_of("screen"));
}

static void check_event_path(struct checker *checker,
                             const struct rule_where *where)
{
    const struct rule_test *test = &where->test;
    if (text_equal(where->path.names[0], text_of("type")) &&
        !test->ignoring_case && (test->op == OP_EQ || test->op == OP_IN))
        check_items(checker, test, is_type_of_event,
                    "The type of an event is \"track\", \"page\" or "
                    "\"screen\", nothing else.");
}

void check_where(struct checker *checker, struct rule_where *where)
{
    for (int i = 0; i < where->count; i++)
        check_where(checker, where->children[i]);
    if (where->kind != WHERE_TEST) {
        check_where_group(checker, where);
        return;
    }
    check_test(checker,
               where->path.root == PATH_EVENT ? SUBJECT_TEXT : SUBJECT_ANY,
               &where->test);
    if (where->path.root == PATH_EVENT)
        check_event_path(checker, where);
}
