/* format.c: conditions to their one spelling, on one line.
 *
 * Brackets stand only where the tree needs them: around a group inside a group
 * of the same kind or inside `and`, and after `not`. So parsing what is written
 * here gives the same tree again. With FORMAT_LIST_VALUES dates and numbers are
 * spelled out too, since that text names a meaning, not a spelling. */
#include "lib/segment/format.h"

#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/lex.h"
#include "lib/segment/parse_path.h"

static void format_duration(struct buf *buf, int64_t ms)
{
    if (ms > 0)
        duration_format(buf, ms);
    else
        buf_str(buf, "0d");
}

/* ---- values ---------------------------------------------------------- */

static void format_value(struct buf *buf, const struct rule_value *value,
                         enum format_lists lists)
{
    if (value->spelling.bytes && lists == FORMAT_LIST_NAMES)
        buf_text(buf, value->spelling);
    else if (value->is_date)
        instant_format(buf, value->value.as.integer);
    else
        buf_json_value(buf, &value->value);
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
    for (int i = 0; i < values->count; i++) {
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
    static const char *const roots[] = {[PATH_PROPERTIES] = "properties.",
                                        [PATH_CONTEXT] = "context.",
                                        [PATH_EVENT] = "event.",
                                        [PATH_USER] = "user.",
                                        [PATH_ACCOUNT] = "account."};
    struct seg_text first = path->names[0];
    int bare = path->root == PATH_PROPERTIES && lex_is_name(first) &&
               !path_is_reserved(first);
    if (!bare)
        buf_str(buf, roots[path->root]);
    format_names(buf, path->names, path->count);
}

/* A list as the value of a property. */
static void format_property_value(struct buf *buf,
                                  const struct rule_value *value)
{
    const struct seg_value *list = &value->value;
    if (list->type != SEG_LIST) {
        format_value(buf, value, FORMAT_LIST_NAMES);
        return;
    }
    buf_char(buf, '[');
    for (uint32_t i = 0; i < list->len; i++) {
        if (i)
            buf_str(buf, ", ");
        buf_json_value(buf, &list->as.items[i]);
    }
    buf_char(buf, ']');
}

void format_properties(struct buf *buf, const struct rule_property *properties,
                       int count)
{
    for (int i = 0; i < count; i++) {
        if (i)
            buf_str(buf, ", ");
        format_names(buf, properties[i].names, properties[i].name_count);
        buf_str(buf, " = ");
        format_property_value(buf, &properties[i].value);
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
    int brackets = (child->kind == WHERE_AND && kind != WHERE_OR) ||
                   child->kind == WHERE_OR;
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

static void format_selector(struct buf *buf, const struct rule_event *event,
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

void format_window(struct buf *buf, const struct rule_window *window)
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
    }
}

/* The window after a space, if there is one. */
static void format_in_window(struct buf *buf, const struct rule_window *window)
{
    if (window->kind != WINDOW_LIFETIME)
        buf_char(buf, ' ');
    format_window(buf, window);
}

void format_measure(struct buf *buf, const struct rule_measure *measure,
                    enum format_lists lists)
{
    const struct rule_measure_info *info = rule_measure_info(measure->kind);
    buf_str(buf, info->word);
    buf_char(buf, strchr(info->word, '(') ? ' ' : '(');
    format_selector(buf, &measure->event, 0, lists);
    if (info->path) {
        buf_str(buf, ", ");
        format_path(buf, &measure->path);
    }
    buf_char(buf, ')');
    format_in_window(buf, &measure->window);
}

/* ---- conditions ------------------------------------------------------ */

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
}

static void format_did(struct buf *buf, const struct rule_cond *cond,
                       enum format_lists lists)
{
    buf_str(buf, cond->times.kind == TIMES_NOT ? "did not " : "did ");
    format_event(buf, &cond->event, lists);
    format_times(buf, &cond->times);
    format_in_window(buf, &cond->window);
}

int format_needs_brackets(enum rule_cond_kind parent,
                          const struct rule_cond *child)
{
    return child->kind == COND_OR ||
           (child->kind == COND_AND && parent != COND_OR);
}

static void format_child(struct buf *buf, enum rule_cond_kind parent,
                         const struct rule_cond *child, enum format_lists lists)
{
    int brackets = format_needs_brackets(parent, child);
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
    }
}
