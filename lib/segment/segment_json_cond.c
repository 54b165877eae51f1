/* segment_json_cond.c: conditions and measures from JSON.
 *
 * Groups may have fewer than two children here: one alone stands for itself,
 * none at all is true in `all` and false in `any`. A condition on a user has
 * words for that, one on an event has none: there such groups are worked out
 * first. */
#include <string.h>

#include "lib/segment/segment_json_inside.h"

/* ---- tests ----------------------------------------------------------- */

static json_put put_where;

/* The row of op_table.h whose words are the member `op`, OP_COUNT_ if none. */
static enum rule_op find_op(json_t *test)
{
    const char *words = json_string_value(json_object_get(test, "op"));
    int op = 0;
    while (op < OP_COUNT_ &&
           (!words || strcmp(words, rule_op_info((enum rule_op)op)->words)))
        op++;
    return (enum rule_op)op;
}

static int put_range(struct json_reader *r, json_t *value)
{
    if (json_array_size(value) != 2)
        return json_wrong(r, "two values are missing.");
    return json_each(r, value, " and ", json_put_value);
}

static int put_operand(struct json_reader *r, json_t *test, enum rule_op op)
{
    switch (rule_op_info(op)->operand) {
    case OPERAND_VALUE:
    case OPERAND_ORDERED:
    case OPERAND_STRING:
    case OPERAND_DATE:
        return json_member(r, test, "value", json_put_value);
    case OPERAND_RANGE:
        return json_member(r, test, "values", put_range);
    case OPERAND_VALUES:
        return json_member(r, test, "values", json_put_values);
    case OPERAND_DURATION:
        return json_member(r, test, "duration", json_put_duration);
    case OPERAND_WHERE:
        return json_member(r, test, "where", put_where);
    case OPERAND_NONE:
        break;
    }
    return 0;
}

static int put_test(struct json_reader *r, json_t *test)
{
    static const char *const names[] = {
        [OPERAND_VALUE] = "op|ignoring_case|value",
        [OPERAND_ORDERED] = "op|ignoring_case|value",
        [OPERAND_STRING] = "op|ignoring_case|value",
        [OPERAND_DATE] = "op|ignoring_case|value",
        [OPERAND_RANGE] = "op|ignoring_case|values",
        [OPERAND_VALUES] = "op|ignoring_case|values",
        [OPERAND_DURATION] = "op|ignoring_case|duration",
        [OPERAND_WHERE] = "op|ignoring_case|where",
        [OPERAND_NONE] = "op|ignoring_case",
    };
    enum rule_op op = find_op(test);
    if (op == OP_COUNT_)
        return json_wrong(r, "`op` is missing, such as \"=\" or \"is set\".");
    buf_printf(r->text, "%s ", rule_op_info(op)->words);
    if (json_known(r, test, names[rule_op_info(op)->operand]) < 0 ||
        put_operand(r, test, op) < 0)
        return -1;
    buf_str(r->text, op == OP_MORE_THAN ? " ago" : "");
    return json_flag(r, test, "ignoring_case", " ignoring case");
}

static int put_path_test(struct json_reader *r, json_t *object)
{
    if (json_known(r, object, "path|test") < 0 ||
        json_member(r, object, "path", json_put_path) < 0)
        return -1;
    buf_char(r->text, ' ');
    return json_member(r, object, "test", put_test);
}

/* ---- where ----------------------------------------------------------- */

/* 1 or 0 if WHERE is that whatever the event, else -1. */
static int constant(json_t *where)
{
    json_t *all = json_object_get(where, "all");
    json_t *list = all ? all : json_object_get(where, "any");
    json_t *not = json_object_get(where, "not");
    int left = 0, end = all ? 0 : 1; /* One such child decides. */
    if (json_object_size(where) != 1)
        return -1;
    if (not ) {
        int inner = constant(not );
        return inner < 0 ? -1 : !inner;
    }
    if (!json_is_array(list))
        return -1;
    for (size_t i = 0; i < json_array_size(list); i++) {
        int inner = constant(json_array_get(list, i));
        if (inner == end)
            return end;
        left += inner < 0;
    }
    return left ? -1 : !end;
}

static int put_where_inner(struct json_reader *r, json_t *where, int brackets);
static json_put look_at_all;

/* Look at WHERE, which adds nothing, as if it did. */
static int look_at(struct json_reader *r, json_t *where)
{
    static const char *const groups[] = {"all", "any"};
    size_t len = r->text->len;
    for (int i = 0; i < 2; i++)
        if (json_is_array(json_object_get(where, groups[i])))
            return json_member(r, where, groups[i], look_at_all);
    if (json_object_get(where, "not"))
        return json_member(r, where, "not", look_at);
    int ret = put_path_test(r, where);
    r->text->len = len < r->text->len ? len : r->text->len;
    return ret;
}

static int look_at_all(struct json_reader *r, json_t *list)
{
    return json_each(r, list, "", look_at);
}

/* Those children of LIST that are not constant; one alone without its group. */
static int put_where_group(struct json_reader *r, json_t *list,
                           const char *word, int brackets)
{
    size_t left = 0, put = 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        left += constant(json_array_get(list, i)) < 0;
    brackets = brackets && left > 1;
    buf_str(r->text, brackets ? "(" : "");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *child = json_array_get(list, i);
        int adds = constant(child) < 0;
        if (adds)
            buf_str(r->text, put++ ? word : "");
        size_t mark = json_enter(r, NULL, i);
        int ret =
            adds ? put_where_inner(r, child, left > 1) : look_at(r, child);
        json_leave(r, mark);
        if (ret < 0)
            return -1;
    }
    buf_str(r->text, brackets ? ")" : "");
    return 0;
}

static int put_where_not(struct json_reader *r, json_t *where)
{
    return put_where_inner(r, where, 1);
}

/* WHERE, which is not constant, in BRACKETS if it is a group. */
static int put_where_inner(struct json_reader *r, json_t *where, int brackets)
{
    static const char *const groups[][2] = {{"all", " and "}, {"any", " or "}};
    for (int i = 0; i < 2; i++) {
        json_t *list = json_object_get(where, groups[i][0]);
        if (!list)
            continue;
        if (json_known(r, where, groups[i][0]) < 0)
            return -1;
        size_t mark = json_enter(r, groups[i][0], 0);
        int ret = json_is_array(list)
                      ? put_where_group(r, list, groups[i][1], brackets)
                      : json_wrong(r, "a list is missing.");
        json_leave(r, mark);
        return ret;
    }
    if (!json_object_get(where, "not"))
        return put_path_test(r, where);
    buf_str(r->text, "not ");
    return json_known(r, where, "not") < 0
               ? -1
               : json_member(r, where, "not", put_where_not);
}

/* After the word `where`, or instead of it if there is nothing to ask. */
static int put_where(struct json_reader *r, json_t *where)
{
    int is = constant(where);
    if (is >= 0 && look_at(r, where) < 0)
        return -1;
    if (is >= 0) {
        buf_str(r->text, is ? " where (x is set or x is not set)"
                            : " where (x is set and x is not set)");
        return 0;
    }
    buf_str(r->text, " where (");
    int ret = put_where_inner(r, where, 0);
    buf_char(r->text, ')');
    return ret;
}

static int put_event_where(struct json_reader *r, json_t *where)
{
    return constant(where) == 1 ? look_at(r, where) : put_where(r, where);
}

/* ---- events, windows ------------------------------------------------- */

int json_put_event(struct json_reader *r, json_t *event)
{
    if (json_known(r, event, "names|any|where") < 0)
        return -1;
    if (json_object_get(event, "any")) {
        if (json_object_get(event, "names") ||
            !json_is_true(json_object_get(event, "any")))
            return json_wrong(r, "`any` is true, or there are `names`.");
        buf_str(r->text, "any");
    } else {
        buf_char(r->text, '(');
        size_t mark = json_enter(r, "names", 0);
        int ret = json_each(r, json_object_get(event, "names"), " or ",
                            json_put_text);
        json_leave(r, mark);
        if (ret < 0)
            return -1;
        buf_char(r->text, ')');
    }
    return json_if_there(r, event, "where", "", put_event_where);
}

static int put_between(struct json_reader *r, json_t *value)
{
    if (json_array_size(value) != 2)
        return json_wrong(r, "two dates are missing.");
    return json_each(r, value, " and ", json_put_date);
}

static int put_window(struct json_reader *r, json_t *window)
{
    if (json_object_get(window, "from")) {
        if (json_known(r, window, "from|to") < 0)
            return -1;
        buf_str(r->text, " from ");
        if (json_member(r, window, "from", json_put_duration) < 0)
            return -1;
        buf_str(r->text, " to ");
        if (json_member(r, window, "to", json_put_duration) < 0)
            return -1;
        buf_str(r->text, " ago");
        return 0;
    }
    if (json_object_size(window) != 1)
        return json_wrong(r, "one of `in`, `from` and `to`, `since`, `before` "
                             "and `between` is missing.");
    if (json_known(r, window, "in|since|before|between") < 0 ||
        json_if_there(r, window, "in", " in ", json_put_duration) < 0 ||
        json_if_there(r, window, "since", " since ", json_put_date) < 0 ||
        json_if_there(r, window, "before", " before ", json_put_date) < 0)
        return -1;
    return json_if_there(r, window, "between", " between ", put_between);
}

/* ---- measures -------------------------------------------------------- */

/* The measure of OBJECT, MEASURE_COUNT_ if none, by the member it has. */
static enum rule_measure_kind find_measure(json_t *object, char name[32])
{
    for (int i = 0; i < MEASURE_COUNT_; i++) {
        const char *word = rule_measure_info((enum rule_measure_kind)i)->word;
        size_t len = strlen(word);
        memcpy(name, word, len + 1);
        if (strchr(name, '('))
            *strchr(name, '(') = '_';
        if (json_object_get(object, name))
            return (enum rule_measure_kind)i;
    }
    return MEASURE_COUNT_;
}

int json_put_measure(struct json_reader *r, json_t *object)
{
    char name[32], names[64];
    enum rule_measure_kind kind = find_measure(object, name);
    if (kind == MEASURE_COUNT_)
        return json_wrong(r, "a measure is missing, such as `count`.");
    const struct rule_measure_info *info = rule_measure_info(kind);
    int has_path = info->operand == MEASURED_EVENT_PATH;
    snprintf(names, sizeof(names), "%s%s%s", name, has_path ? "|path" : "",
             info->window ? "|window" : "");
    if (json_known(r, object, names) < 0)
        return -1;
    buf_str(r->text, info->word);
    buf_char(r->text, kind == MEASURE_TRAIT     ? '.'
                      : strchr(info->word, '(') ? ' '
                                                : '(');
    if (json_member(r, object, name,
                    info->operand == MEASURED_KEY ? json_put_key
                                                  : json_put_event) < 0)
        return -1;
    if (has_path) {
        buf_str(r->text, ", ");
        if (json_member(r, object, "path", json_put_path) < 0)
            return -1;
    }
    buf_str(r->text, kind == MEASURE_TRAIT ? "" : ")");
    return json_if_there(r, object, "window", "", put_window);
}

static int put_compare(struct json_reader *r, json_t *object)
{
    enum rule_op op = find_op(object);
    if (json_known(r, object, "op|percent|measure") < 0)
        return -1;
    if (op > OP_GE)
        return json_wrong(r, "`op` is missing: = != < <= > or >=.");
    buf_printf(r->text, " %s ", rule_op_info(op)->words);
    if (json_object_get(object, "percent")) {
        if (json_member(r, object, "percent", json_put_percent) < 0)
            return -1;
        buf_str(r->text, " of ");
    }
    return json_member(r, object, "measure", json_put_measure);
}

static int put_measured(struct json_reader *r, json_t *cond)
{
    if (json_known(r, cond,
                   json_object_get(cond, "compare") ? "measure|compare"
                                                    : "measure|test") < 0 ||
        json_member(r, cond, "measure", json_put_measure) < 0)
        return -1;
    buf_char(r->text, ' ');
    return json_object_get(cond, "compare")
               ? json_member(r, cond, "compare", put_compare)
               : json_member(r, cond, "test", put_test);
}

/* ---- did ------------------------------------------------------------- */

static int put_between_times(struct json_reader *r, json_t *value)
{
    if (json_array_size(value) != 2)
        return json_wrong(r, "two numbers are missing.");
    return json_each(r, value, " and ", json_put_integer);
}

static int put_unit(struct json_reader *r, json_t *value)
{
    const char *unit = json_string_value(value);
    if (!unit || (strcmp(unit, "day") && strcmp(unit, "week")))
        return json_wrong(r, "\"day\" or \"week\" is missing.");
    buf_str(r->text, unit);
    return 0;
}

static int put_times(struct json_reader *r, json_t *times)
{
    static const char *const kinds[][2] = {{"at_least", "at least "},
                                           {"at_most", "at most "},
                                           {"exactly", "exactly "},
                                           {"between", "between "}};
    char names[32];
    int i = 0;
    while (i < 4 && !json_object_get(times, kinds[i][0]))
        i++;
    if (i == 4)
        return json_wrong(r, "one of `at_least`, `at_most`, `exactly` and "
                             "`between` is missing.");
    snprintf(names, sizeof(names), "%s|per|for", kinds[i][0]);
    buf_str(r->text, kinds[i][1]);
    if (json_known(r, times, names) < 0 ||
        json_member(r, times, kinds[i][0],
                    i == 3 ? put_between_times : json_put_integer) < 0)
        return -1;
    buf_str(r->text, " times");
    if (!json_object_get(times, "per"))
        return json_known(r, times, kinds[i][0]);
    buf_str(r->text, " per ");
    if (json_member(r, times, "per", put_unit) < 0)
        return -1;
    buf_str(r->text, " for ");
    if (json_member(r, times, "for", json_put_integer) < 0)
        return -1;
    buf_printf(r->text, " %ss",
               json_string_value(json_object_get(times, "per")));
    return 0;
}

static int put_step(struct json_reader *r, json_t *step)
{
    int without = json_object_get(step, "without") != NULL;
    if (json_known(r, step,
                   without ? "without|within" : "then|directly|after|within") <
        0)
        return -1;
    buf_str(r->text, without ? "without " : "then ");
    if (json_flag(r, step, "directly", "directly ") < 0 ||
        json_member(r, step, without ? "without" : "then", json_put_event) <
            0 ||
        json_if_there(r, step, "after", " after ", json_put_duration) < 0)
        return -1;
    return json_if_there(r, step, "within", " within ", json_put_duration);
}

static int put_steps(struct json_reader *r, json_t *steps)
{
    if (json_array_size(steps) == 0)
        return json_wrong(r, "a list of steps is missing.");
    return json_each(r, steps, " ", put_step);
}

static int put_did(struct json_reader *r, json_t *cond)
{
    int steps = json_object_get(cond, "steps") != NULL;
    if (json_known(r, cond,
                   steps ? "did|window|steps|all_within|with_no|same"
                         : "did|times|window") < 0)
        return -1;
    buf_str(r->text, "did ");
    if (json_member(r, cond, "did", json_put_event) < 0 ||
        json_if_there(r, cond, "times", " ", put_times) < 0 ||
        json_if_there(r, cond, "window", "", put_window) < 0 ||
        json_if_there(r, cond, "steps", " ", put_steps) < 0 ||
        json_if_there(r, cond, "all_within", " all within ",
                      json_put_duration) < 0 ||
        json_if_there(r, cond, "with_no", " with no ", json_put_event) < 0)
        return -1;
    buf_str(r->text, json_object_get(cond, "with_no") ? " between" : "");
    return json_if_there(r, cond, "same", " for the same ", json_put_path);
}

static int put_did_not(struct json_reader *r, json_t *cond)
{
    buf_str(r->text, "did not ");
    return json_known(r, cond, "did_not|window") < 0 ||
                   json_member(r, cond, "did_not", json_put_event) < 0
               ? -1
               : json_if_there(r, cond, "window", "", put_window);
}

static int put_latest(struct json_reader *r, json_t *cond)
{
    buf_str(r->text, "latest(");
    if (json_known(r, cond, "latest|was|window") < 0 ||
        json_member(r, cond, "latest", json_put_event) < 0)
        return -1;
    buf_str(r->text, ") was ");
    return json_member(r, cond, "was", json_put_text) < 0
               ? -1
               : json_if_there(r, cond, "window", "", put_window);
}

/* ---- users and segments ---------------------------------------------- */

static int put_everyone(struct json_reader *r, json_t *cond)
{
    if (json_known(r, cond, "everyone") < 0)
        return -1;
    if (!json_is_true(json_object_get(cond, "everyone")))
        return json_wrong(r, "`everyone` is true.");
    buf_str(r->text, "everyone");
    return 0;
}

static int put_in_segment(struct json_reader *r, json_t *cond)
{
    buf_str(r->text, "in segment ");
    return json_known(r, cond, "in_segment") < 0
               ? -1
               : json_member(r, cond, "in_segment", json_put_key);
}

static int put_changed(struct json_reader *r, json_t *cond, const char *name,
                       const char *names)
{
    if (json_known(r, cond, names) < 0 ||
        json_member(r, cond, name, json_put_key) < 0)
        return -1;
    buf_str(r->text, " in ");
    return json_member(r, cond, "in", json_put_duration);
}

static int put_entered(struct json_reader *r, json_t *cond)
{
    buf_str(r->text, "entered segment ");
    return put_changed(r, cond, "entered_segment", "entered_segment|in");
}

static int put_left(struct json_reader *r, json_t *cond)
{
    buf_str(r->text, "left segment ");
    return put_changed(r, cond, "left_segment", "left_segment|in");
}

static int put_share(struct json_reader *r, json_t *cond)
{
    buf_str(r->text, "user in ");
    if (json_known(r, cond, "user_in_percent|by") < 0 ||
        json_member(r, cond, "user_in_percent", json_put_percent) < 0)
        return -1;
    buf_str(r->text, " by ");
    return json_member(r, cond, "by", json_put_text);
}

/* ---- groups ---------------------------------------------------------- */

static int put_inner(struct json_reader *r, json_t *cond, int brackets);

static int put_child(struct json_reader *r, json_t *cond)
{
    return put_inner(r, cond, 1);
}

static int put_not(struct json_reader *r, json_t *cond)
{
    buf_str(r->text, "not ");
    return json_known(r, cond, "not") < 0
               ? -1
               : json_member(r, cond, "not", put_child);
}

/* {"all": […]} or {"any": […]}, in BRACKETS if it is more than one. */
static int put_group(struct json_reader *r, json_t *cond, const char *name,
                     int brackets)
{
    json_t *list = json_object_get(cond, name);
    int all = !strcmp(name, "all");
    if (json_known(r, cond, name) < 0)
        return -1;
    size_t mark = json_enter(r, name, 0);
    int ret = 0;
    if (json_is_array(list) && json_array_size(list) == 0) {
        buf_str(r->text, all ? "everyone" : "not everyone");
    } else if (json_array_size(list) == 1) {
        size_t inner = json_enter(r, NULL, 0);
        ret = put_inner(r, json_array_get(list, 0), brackets);
        json_leave(r, inner);
    } else {
        buf_str(r->text, brackets ? "(" : "");
        ret = json_each(r, list, all ? " and " : " or ", put_child);
        buf_str(r->text, brackets ? ")" : "");
    }
    json_leave(r, mark);
    return ret;
}

static int put_inner(struct json_reader *r, json_t *cond, int brackets)
{
    static const struct {
        const char *name;
        json_put *put;
    } rows[] = {{"not", put_not},
                {"everyone", put_everyone},
                {"did", put_did},
                {"did_not", put_did_not},
                {"latest", put_latest},
                {"measure", put_measured},
                {"path", put_path_test},
                {"in_segment", put_in_segment},
                {"entered_segment", put_entered},
                {"left_segment", put_left},
                {"user_in_percent", put_share}};
    if (json_object_get(cond, "all"))
        return put_group(r, cond, "all", brackets);
    if (json_object_get(cond, "any"))
        return put_group(r, cond, "any", brackets);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (json_object_get(cond, rows[i].name))
            return rows[i].put(r, cond);
    return json_wrong(r, "a condition is missing, such as `did` or `all`.");
}

int json_put_cond(struct json_reader *r, json_t *cond)
{
    return put_inner(r, cond, 0);
}
