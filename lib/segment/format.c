/* format.c: conditions to their one spelling, on one line.
 *
 * Brackets stand around each group inside a group and after `not`, and nowhere
 * else. So parsing what is written here gives the same tree again. With
 * FORMAT_LIST_VALUES dates and numbers are spelled out too, since that text
 * names a meaning, not a spelling; there `and` inside `or` has no brackets.
 * FORMAT_LIST_SETS goes further: 1.0 is 1, and lists are in one order. */
#include "lib/segment/format.h"

#include <math.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/lex.h"
#include "lib/segment/format_sorted.h"
#include "lib/segment/parse_path.h"

static void format_duration(struct buf *buf, int64_t ms)
{
    if (ms > 0)
        duration_format(buf, ms);
    else
        buf_str(buf, "0d");
}

/* Doubles below are whole numbers without a gap. */
#define WHOLE_MAX 9007199254740992.0

/* ---- values ---------------------------------------------------------- */

static void format_value(struct buf *buf, const struct rule_value *value,
                         enum format_lists lists)
{
    if (value->spelling.bytes && lists == FORMAT_LIST_NAMES)
        buf_text(buf, value->spelling);
    else if (value->is_date)
        instant_format(buf, value->value.as.integer);
    else if (lists == FORMAT_LIST_SETS && value->value.type == SEG_DOUBLE &&
             fabs(value->value.as.number) < WHOLE_MAX &&
             floor(value->value.as.number) == value->value.as.number)
        buf_int(buf, (int64_t)value->value.as.number);
    else
        buf_json_value(buf, &value->value);
}

static void value_piece(struct buf *buf, const void *of, int i)
{
    format_value(buf, (const struct rule_value *)of + i, FORMAT_LIST_SETS);
}

void format_values(struct buf *buf, const struct rule_values *values,
                   enum format_lists lists)
{
    if (values->list.bytes && (lists == FORMAT_LIST_NAMES || !values->count)) {
        buf_char(buf, '@');
        buf_text(buf, values->list);
        return;
    }
    buf_char(buf, '(');
    if (lists == FORMAT_LIST_SETS)
        format_sorted(buf, values->count, ", ", value_piece, values->items);
    for (int i = 0; lists != FORMAT_LIST_SETS && i < values->count; i++) {
        if (i)
            buf_str(buf, ", ");
        format_value(buf, &values->items[i], lists);
    }
    buf_char(buf, ')');
}

static void format_names(struct buf *buf, const struct seg_text *names,
                         int count)
{
    for (int i = 0; i < count; i++) {
        if (i)
            buf_char(buf, '.');
        if (lex_is_name(names[i]))
            buf_text(buf, names[i]);
        else
            buf_json_text(buf, names[i]);
    }
}

void format_path(struct buf *buf, const struct path *path)
{
    static const char *const roots[] = {
        [PATH_PROPERTIES] = "properties.", [PATH_CONTEXT] = "context.",
        [PATH_EVENT] = "event.",           [PATH_USER] = "user.",
        [PATH_ACCOUNT] = "account.",       [PATH_ELEMENT] = ""};
    struct seg_text first = path->names[0];
    int bare = lex_is_name(first) && !path_is_reserved(first);
    if (path->root == PATH_ELEMENT && !bare) {
        buf_json_text(buf, first);
        if (path->count > 1)
            buf_char(buf, '.');
        format_names(buf, path->names + 1, path->count - 1);
        return;
    }
    if (path->root != PATH_PROPERTIES || !bare)
        buf_str(buf, roots[path->root]);
    format_names(buf, path->names, path->count);
}

static void format_plain(struct buf *buf, const struct seg_value *value);

/* The members of OBJECT below the DEPTH names, each with all its names. */
static void format_members(struct buf *buf, const struct seg_value *object,
                           struct seg_text names[RULE_NESTED_MAX], int depth)
{
    for (uint32_t i = 0; i < object->len; i += 2) {
        const struct seg_value *name = &object->as.items[i];
        if (i)
            buf_str(buf, ", ");
        names[depth] = (struct seg_text){name->as.text, name->len};
        if (name[1].type == SEG_OBJECT) {
            format_members(buf, &name[1], names, depth + 1);
            continue;
        }
        format_names(buf, names, depth + 1);
        buf_str(buf, " = ");
        format_plain(buf, &name[1]);
    }
}

/* What stands in a list, or a list. */
static void format_plain(struct buf *buf, const struct seg_value *value)
{
    struct seg_text names[RULE_NESTED_MAX];
    if (value->type == SEG_OBJECT) {
        buf_str(buf, "{ ");
        format_members(buf, value, names, 0);
        buf_str(buf, " }");
        return;
    }
    if (value->type != SEG_LIST) {
        buf_json_value(buf, value);
        return;
    }
    buf_char(buf, '[');
    for (uint32_t i = 0; i < value->len; i++) {
        if (i)
            buf_str(buf, ", ");
        format_plain(buf, &value->as.items[i]);
    }
    buf_char(buf, ']');
}

static void format_property_value(struct buf *buf,
                                  const struct rule_value *value)
{
    if (value->value.type == SEG_LIST)
        format_plain(buf, &value->value);
    else
        format_value(buf, value, FORMAT_LIST_NAMES);
}

static void format_property(struct buf *buf,
                            const struct rule_property *property,
                            enum format_lists lists)
{
    switch (property->kind) {
    case PROPERTY_VALUE:
        format_property_value(buf, &property->value);
        break;
    case PROPERTY_PATH:
        format_path(buf, &property->path);
        break;
    case PROPERTY_MEASURE:
        format_measure(buf, property->measure, lists);
        break;
    }
}

void format_properties(struct buf *buf, const struct rule_property *properties,
                       int count, enum format_lists lists)
{
    for (int i = 0; i < count; i++) {
        if (i)
            buf_str(buf, ", ");
        format_names(buf, properties[i].names, properties[i].name_count);
        buf_str(buf, " = ");
        format_property(buf, &properties[i], lists);
    }
}

/* ---- tests ----------------------------------------------------------- */

static void format_operand(struct buf *buf, const struct rule_test *test,
                           enum format_lists lists)
{
    switch (rule_op_info(test->op)->operand) {
    case OPERAND_VALUE:
    case OPERAND_ORDERED:
    case OPERAND_STRING:
    case OPERAND_DATE:
        buf_char(buf, ' ');
        format_value(buf, &test->values.items[0], lists);
        break;
    case OPERAND_RANGE:
        buf_char(buf, ' ');
        format_value(buf, &test->values.items[0], lists);
        buf_str(buf, " and ");
        format_value(buf, &test->values.items[1], lists);
        break;
    case OPERAND_VALUES:
        buf_char(buf, ' ');
        format_values(buf, &test->values, lists);
        break;
    case OPERAND_DURATION:
        buf_char(buf, ' ');
        format_duration(buf, test->duration_ms);
        if (test->op == OP_MORE_THAN)
            buf_str(buf, " ago");
        break;
    case OPERAND_WHERE:
        buf_char(buf, ' ');
        format_where(buf, test->where, lists);
        break;
    case OPERAND_NONE:
        break;
    }
}

void format_test(struct buf *buf, const struct rule_test *test,
                 enum format_lists lists)
{
    buf_str(buf, rule_op_info(test->op)->words);
    format_operand(buf, test, lists);
    if (test->ignoring_case)
        buf_str(buf, " ignoring case");
}

/* ---- where ----------------------------------------------------------- */

/* CHILD of a group of KIND (or of NOT). */
static void format_inner(struct buf *buf, const struct rule_where *where,
                         enum format_lists lists);

static void format_where_child(struct buf *buf, enum rule_where_kind kind,
                               const struct rule_where *child,
                               enum format_lists lists)
{
    int brackets = child->kind == WHERE_OR ||
                   (child->kind == WHERE_AND &&
                    (kind != WHERE_OR || lists == FORMAT_LIST_NAMES));
    if (brackets)
        buf_char(buf, '(');
    format_inner(buf, child, lists);
    if (brackets)
        buf_char(buf, ')');
}

static void format_inner(struct buf *buf, const struct rule_where *where,
                         enum format_lists lists)
{
    switch (where->kind) {
    case WHERE_AND:
    case WHERE_OR:
        for (int i = 0; i < where->count; i++) {
            if (i)
                buf_str(buf, where->kind == WHERE_AND ? " and " : " or ");
            format_where_child(buf, where->kind, where->children[i], lists);
        }
        break;
    case WHERE_NOT:
        buf_str(buf, "not ");
        format_where_child(buf, WHERE_NOT, where->children[0], lists);
        break;
    case WHERE_TEST:
        format_path(buf, &where->path);
        buf_char(buf, ' ');
        format_test(buf, &where->test, lists);
        break;
    }
}

void format_where(struct buf *buf, const struct rule_where *where,
                  enum format_lists lists)
{
    buf_str(buf, where->kind == WHERE_TEST ? "where " : "where (");
    format_inner(buf, where, lists);
    if (where->kind != WHERE_TEST)
        buf_char(buf, ')');
}

/* ---- events ---------------------------------------------------------- */

void format_selector(struct buf *buf, const struct rule_event *event,
                     int brackets, enum format_lists lists)
{
    if (event->any)
        buf_str(buf, "any");
    if (brackets && event->count > 1)
        buf_char(buf, '(');
    for (int i = 0; i < event->count; i++) {
        if (i)
            buf_str(buf, " or ");
        buf_json_text(buf, event->names[i].text);
    }
    if (brackets && event->count > 1)
        buf_char(buf, ')');
    if (event->where) {
        buf_char(buf, ' ');
        format_where(buf, event->where, lists);
    }
}

void format_event(struct buf *buf, const struct rule_event *event,
                  enum format_lists lists)
{
    format_selector(buf, event, 1, lists);
}

void format_window(struct buf *buf, const struct rule_window *window,
                   enum format_lists lists)
{
    switch (window->kind) {
    case WINDOW_LIFETIME:
        break;
    case WINDOW_IN:
        buf_str(buf, "in ");
        format_duration(buf, window->from_ms);
        break;
    case WINDOW_FROM_TO:
        buf_str(buf, "from ");
        format_duration(buf, window->from_ms);
        buf_str(buf, " to ");
        format_duration(buf, window->to_ms);
        buf_str(buf, " ago");
        break;
    case WINDOW_SINCE:
        buf_str(buf, "since ");
        format_value(buf, &window->dates[0], lists);
        break;
    case WINDOW_BEFORE:
        buf_str(buf, "before ");
        format_value(buf, &window->dates[1], lists);
        break;
    case WINDOW_BETWEEN:
        buf_str(buf, "between ");
        format_value(buf, &window->dates[0], lists);
        buf_str(buf, " and ");
        format_value(buf, &window->dates[1], lists);
        break;
    }
}

/* The window after a space, if there is one. */
static void format_in_window(struct buf *buf, const struct rule_window *window,
                             enum format_lists lists)
{
    if (window->kind != WINDOW_LIFETIME)
        buf_char(buf, ' ');
    format_window(buf, window, lists);
}

void format_measure(struct buf *buf, const struct rule_measure *measure,
                    enum format_lists lists)
{
    const struct rule_measure_info *info = rule_measure_info(measure->kind);
    buf_str(buf, info->word);
    if (info->operand == MEASURED_KEY) {
        buf_char(buf, measure->kind == MEASURE_TRAIT ? '.' : '(');
        buf_text(buf, measure->key);
        buf_str(buf, measure->kind == MEASURE_TRAIT ? "" : ")");
        return;
    }
    buf_char(buf, strchr(info->word, '(') ? ' ' : '(');
    format_selector(buf, &measure->event, 0, lists);
    if (info->operand == MEASURED_EVENT_PATH) {
        buf_str(buf, ", ");
        format_path(buf, &measure->path);
    }
    buf_char(buf, ')');
    format_in_window(buf, &measure->window, lists);
}

/* ---- did ------------------------------------------------------------- */

static void format_times(struct buf *buf, const struct rule_times *times)
{
    static const char *const words[] = {[TIMES_AT_LEAST] = " at least ",
                                        [TIMES_AT_MOST] = " at most ",
                                        [TIMES_EXACTLY] = " exactly ",
                                        [TIMES_BETWEEN] = " between "};
    if (times->kind == TIMES_NONE || times->kind == TIMES_NOT)
        return;
    buf_str(buf, words[times->kind]);
    buf_int(buf, times->low);
    if (times->kind == TIMES_BETWEEN) {
        buf_str(buf, " and ");
        buf_int(buf, times->high);
    }
    buf_str(buf, times->low == 1 && times->kind != TIMES_BETWEEN ? " time"
                                                                 : " times");
    if (times->period_ms) {
        const char *unit = times->period_ms == DAY_MS ? "day" : "week";
        buf_printf(buf, " per %s for %lld %ss", unit, (long long)times->periods,
                   unit);
    }
}

static void format_did(struct buf *buf, const struct rule_cond *cond,
                       enum format_lists lists)
{
    buf_str(buf, cond->times.kind == TIMES_NOT ? "did not " : "did ");
    format_event(buf, &cond->event, lists);
    format_times(buf, &cond->times);
    format_in_window(buf, &cond->window, lists);
}

/* ---- sequences ------------------------------------------------------- */

void format_step(struct buf *buf, const struct rule_step *step,
                 enum format_lists lists)
{
    buf_str(buf, step->without    ? "without "
                 : step->directly ? "then directly "
                                  : "then ");
    format_event(buf, &step->event, lists);
    if (step->after_ms) {
        buf_str(buf, " after ");
        duration_format(buf, step->after_ms);
    }
    if (step->within_ms) {
        buf_str(buf, " within ");
        duration_format(buf, step->within_ms);
    }
}

void format_sequence_start(struct buf *buf, const struct rule_cond *cond,
                           enum format_lists lists)
{
    buf_str(buf, "did ");
    format_event(buf, &cond->event, lists);
    format_in_window(buf, &cond->window, lists);
}

void format_sequence_end(struct buf *buf, const struct rule_sequence *sequence,
                         enum format_lists lists)
{
    if (sequence->all_within_ms) {
        buf_str(buf, " all within ");
        duration_format(buf, sequence->all_within_ms);
    }
    if (sequence->no_between) {
        buf_str(buf, " with no ");
        format_event(buf, sequence->no_between, lists);
        buf_str(buf, " between");
    }
    if (sequence->same.count) {
        buf_str(buf, " for the same ");
        format_path(buf, &sequence->same);
    }
}

static void format_sequence(struct buf *buf, const struct rule_cond *cond,
                            enum format_lists lists)
{
    format_sequence_start(buf, cond, lists);
    for (int i = 0; i < cond->sequence->step_count; i++) {
        buf_char(buf, ' ');
        format_step(buf, &cond->sequence->steps[i], lists);
    }
    format_sequence_end(buf, cond->sequence, lists);
}

/* ---- the other predicates -------------------------------------------- */

/* As written, or, where the meaning is named, without what adds nothing. */
static void format_percent(struct buf *buf, const struct rule_percent *percent,
                           enum format_lists lists)
{
    int64_t whole = percent->hundredths / 100, rest = percent->hundredths % 100;
    if (lists == FORMAT_LIST_NAMES && percent->spelling.bytes)
        buf_text(buf, percent->spelling);
    else if (rest % 10)
        buf_printf(buf, "%lld.%02lld", (long long)whole, (long long)rest);
    else if (rest)
        buf_printf(buf, "%lld.%lld", (long long)whole, (long long)rest / 10);
    else
        buf_int(buf, whole);
    buf_char(buf, '%');
}

static void format_latest(struct buf *buf, const struct rule_cond *cond,
                          enum format_lists lists)
{
    buf_str(buf, "latest(");
    format_selector(buf, &cond->event, 0, lists);
    buf_str(buf, ") was ");
    buf_json_text(buf, cond->text);
    format_in_window(buf, &cond->window, lists);
}

static void format_compare(struct buf *buf, const struct rule_cond *cond,
                           enum format_lists lists)
{
    format_measure(buf, &cond->measure, lists);
    buf_printf(buf, " %s ", rule_op_info(cond->test.op)->words);
    if (cond->percent.spelling.bytes) {
        format_percent(buf, &cond->percent, lists);
        buf_str(buf, " of ");
    }
    format_measure(buf, cond->other, lists);
}

static void format_change(struct buf *buf, const struct rule_cond *cond)
{
    buf_printf(buf, "%s segment ",
               cond->kind == COND_ENTERED ? "entered" : "left");
    buf_text(buf, cond->key);
    buf_str(buf, " in ");
    duration_format(buf, cond->duration_ms);
}

static void format_share(struct buf *buf, const struct rule_cond *cond,
                         enum format_lists lists)
{
    buf_str(buf, "user in ");
    format_percent(buf, &cond->percent, lists);
    buf_str(buf, " by ");
    buf_json_text(buf, cond->text);
}

/* ---- conditions ------------------------------------------------------ */

int format_needs_brackets(enum rule_cond_kind parent,
                          const struct rule_cond *child,
                          enum format_lists lists)
{
    return child->kind == COND_OR ||
           (child->kind == COND_AND &&
            (parent != COND_OR || lists == FORMAT_LIST_NAMES));
}

static void format_child(struct buf *buf, enum rule_cond_kind parent,
                         const struct rule_cond *child, enum format_lists lists)
{
    int brackets = format_needs_brackets(parent, child, lists);
    if (brackets)
        buf_char(buf, '(');
    format_cond(buf, child, lists);
    if (brackets)
        buf_char(buf, ')');
}

void format_cond(struct buf *buf, const struct rule_cond *cond,
                 enum format_lists lists)
{
    switch (cond->kind) {
    case COND_AND:
    case COND_OR:
        for (int i = 0; i < cond->count; i++) {
            if (i)
                buf_str(buf, cond->kind == COND_AND ? " and " : " or ");
            format_child(buf, cond->kind, cond->children[i], lists);
        }
        break;
    case COND_NOT:
        buf_str(buf, "not ");
        format_child(buf, COND_NOT, cond->children[0], lists);
        break;
    case COND_EVERYONE:
        buf_str(buf, "everyone");
        break;
    case COND_DID:
        format_did(buf, cond, lists);
        break;
    case COND_MEASURE:
        format_measure(buf, &cond->measure, lists);
        buf_char(buf, ' ');
        format_test(buf, &cond->test, lists);
        break;
    case COND_PATH:
        format_path(buf, &cond->path);
        buf_char(buf, ' ');
        format_test(buf, &cond->test, lists);
        break;
    case COND_IN_SEGMENT:
        buf_str(buf, "in segment ");
        buf_text(buf, cond->key);
        break;
    case COND_SEQUENCE:
        format_sequence(buf, cond, lists);
        break;
    case COND_LATEST:
        format_latest(buf, cond, lists);
        break;
    case COND_COMPARE:
        format_compare(buf, cond, lists);
        break;
    case COND_ENTERED:
    case COND_LEFT:
        format_change(buf, cond);
        break;
    case COND_SHARE:
        format_share(buf, cond, lists);
        break;
    }
}
