/* rule_dump.c: syntax trees as text that leaves nothing out but positions. */
#include "tests/support/rule_dump.h"

#include <inttypes.h>

#define TEXT(t) ((t).bytes ? (t).bytes : "-")

static void dump_value(struct buf *buf, const struct rule_value *value)
{
    static const char *const types[] = {"?", "bool ", "",       "double ",
                                        "",  "list ", "object "};
    buf_str(buf, types[value->value.type]);
    if (value->is_date)
        buf_str(buf, "date ");
    buf_json_value(buf, &value->value);
    if (value->spelling.bytes)
        buf_printf(buf, "~%s", value->spelling.bytes);
}

static void dump_values(struct buf *buf, const struct rule_values *values)
{
    if (values->list.bytes)
        buf_printf(buf, " @%s", values->list.bytes);
    for (int i = 0; i < values->count; i++) {
        buf_str(buf, i ? ", " : " ");
        dump_value(buf, &values->items[i]);
    }
}

static void dump_names(struct buf *buf, const struct seg_text *names, int count)
{
    for (int i = 0; i < count; i++)
        buf_printf(buf, "%s[%s]", i ? "." : "", names[i].bytes);
}

static void dump_path(struct buf *buf, const struct path *path)
{
    static const char roots[] = "pceuam";
    buf_printf(buf, "%c:", roots[path->root]);
    dump_names(buf, path->names, path->count);
}

static void dump_where(struct buf *buf, const struct rule_where *where);

static void dump_test(struct buf *buf, const struct rule_test *test)
{
    static const char *const names[] = {
#define X(name, words, operand, of, fold) #name,
        OP_TABLE(X)
#undef X
    };
    buf_printf(buf, "(%s", names[test->op]);
    dump_values(buf, &test->values);
    if (test->duration_ms)
        buf_printf(buf, " %" PRId64, test->duration_ms);
    if (test->where) {
        buf_char(buf, ' ');
        dump_where(buf, test->where);
    }
    buf_str(buf, test->ignoring_case ? " folded)" : ")");
}

static void dump_where(struct buf *buf, const struct rule_where *where)
{
    static const char *const kinds[] = {"(and", "(or", "(not", "("};
    buf_str(buf, kinds[where->kind]);
    for (int i = 0; i < where->count; i++) {
        buf_char(buf, ' ');
        dump_where(buf, where->children[i]);
    }
    if (where->kind == WHERE_TEST) {
        dump_path(buf, &where->path);
        buf_char(buf, ' ');
        dump_test(buf, &where->test);
    }
    buf_char(buf, ')');
}

static void dump_event(struct buf *buf, const struct rule_event *event)
{
    buf_str(buf, event->any ? " any" : "");
    for (int i = 0; i < event->count; i++) {
        buf_char(buf, i ? '|' : ' ');
        buf_json_text(buf, event->names[i].text);
    }
    if (event->where) {
        buf_str(buf, " where ");
        dump_where(buf, event->where);
    }
}

static void dump_window(struct buf *buf, const struct rule_window *window)
{
    if (window->kind == WINDOW_IN)
        buf_printf(buf, " in %" PRId64, window->from_ms);
    if (window->kind == WINDOW_FROM_TO)
        buf_printf(buf, " from %" PRId64 " to %" PRId64, window->from_ms,
                   window->to_ms);
    if (window->kind <= WINDOW_FROM_TO)
        return;
    buf_printf(buf, " dates %" PRId64 "..%" PRId64, window->from_ms,
               window->to_ms);
    for (int i = 0; i < 2; i++)
        if (window->dates[i].spelling.bytes)
            buf_printf(buf, " %d~%s", i, window->dates[i].spelling.bytes);
}

static void dump_measure(struct buf *buf, const struct rule_measure *measure)
{
    static const char *const names[] = {
#define X(name, word, path, window, help) #name,
        MEASURE_TABLE(X)
#undef X
    };
    buf_str(buf, names[measure->kind]);
    dump_event(buf, &measure->event);
    if (measure->path.count) {
        buf_char(buf, ' ');
        dump_path(buf, &measure->path);
    }
    if (measure->key.bytes)
        buf_printf(buf, " %s", measure->key.bytes);
    dump_window(buf, &measure->window);
    buf_char(buf, ' ');
}

static void dump_did(struct buf *buf, const struct rule_cond *cond)
{
    static const char *const times[] = {"", " not", " >=", " <=", " =", " "};
    enum rule_times_kind kind = cond->times.kind;
    buf_str(buf, kind == TIMES_NOT ? "did not" : "did");
    dump_event(buf, &cond->event);
    if (kind > TIMES_NOT)
        buf_printf(buf, "%s%" PRId64, times[kind], cond->times.low);
    if (kind == TIMES_BETWEEN)
        buf_printf(buf, "..%" PRId64, cond->times.high);
    if (cond->times.period_ms)
        buf_printf(buf, " per %" PRId64 " for %" PRId64, cond->times.period_ms,
                   cond->times.periods);
    dump_window(buf, &cond->window);
}

static void dump_sequence(struct buf *buf, const struct rule_cond *cond)
{
    const struct rule_sequence *sequence = cond->sequence;
    buf_str(buf, "did");
    dump_event(buf, &cond->event);
    dump_window(buf, &cond->window);
    for (int i = 0; i < sequence->step_count; i++) {
        const struct rule_step *step = &sequence->steps[i];
        buf_str(buf, step->without ? ", without" : ", then");
        buf_str(buf, step->directly ? " directly" : "");
        dump_event(buf, &step->event);
        buf_printf(buf, " after %" PRId64 " within %" PRId64, step->after_ms,
                   step->within_ms);
    }
    if (sequence->all_within_ms)
        buf_printf(buf, ", all within %" PRId64, sequence->all_within_ms);
    if (sequence->no_between) {
        buf_str(buf, ", none of");
        dump_event(buf, sequence->no_between);
    }
    if (sequence->same.count) {
        buf_str(buf, ", same ");
        dump_path(buf, &sequence->same);
    }
}

static void dump_percent(struct buf *buf, const struct rule_percent *percent)
{
    if (percent->spelling.bytes)
        buf_printf(buf, "%" PRId64 "~%s%% ", percent->hundredths,
                   percent->spelling.bytes);
}

static void dump_text(struct buf *buf, struct seg_text text)
{
    if (text.bytes) {
        buf_char(buf, ' ');
        buf_json_text(buf, text);
    }
}

/* What only some kinds have, each but once. */
static void dump_leaf(struct buf *buf, const struct rule_cond *cond)
{
    if (cond->kind == COND_DID)
        dump_did(buf, cond);
    if (cond->kind == COND_SEQUENCE)
        dump_sequence(buf, cond);
    if (cond->kind == COND_LATEST) {
        dump_event(buf, &cond->event);
        dump_window(buf, &cond->window);
    }
    if (cond->kind == COND_MEASURE || cond->kind == COND_COMPARE)
        dump_measure(buf, &cond->measure);
    if (cond->kind == COND_PATH) {
        dump_path(buf, &cond->path);
        buf_char(buf, ' ');
    }
    if (cond->kind == COND_MEASURE || cond->kind == COND_PATH ||
        cond->kind == COND_COMPARE)
        dump_test(buf, &cond->test);
    dump_percent(buf, &cond->percent);
    if (cond->kind == COND_COMPARE)
        dump_measure(buf, cond->other);
    buf_str(buf, cond->key.bytes ? cond->key.bytes : "");
    if (cond->duration_ms)
        buf_printf(buf, " %" PRId64, cond->duration_ms);
    dump_text(buf, cond->text);
}

void dump_cond(struct buf *buf, const struct rule_cond *cond)
{
    static const char *const kinds[] = {[COND_AND] = "and",
                                        [COND_OR] = "or",
                                        [COND_NOT] = "not",
                                        [COND_EVERYONE] = "everyone",
                                        [COND_DID] = "",
                                        [COND_MEASURE] = "",
                                        [COND_PATH] = "",
                                        [COND_IN_SEGMENT] = "in segment ",
                                        [COND_SEQUENCE] = "sequence ",
                                        [COND_LATEST] = "latest",
                                        [COND_COMPARE] = "compare ",
                                        [COND_ENTERED] = "entered ",
                                        [COND_LEFT] = "left ",
                                        [COND_SHARE] = "share "};
    buf_printf(buf, "(%s", kinds[cond->kind]);
    for (int i = 0; i < cond->count; i++) {
        buf_char(buf, ' ');
        dump_cond(buf, cond->children[i]);
    }
    dump_leaf(buf, cond);
    buf_char(buf, ')');
}

static void dump_properties(struct buf *buf,
                            const struct rule_property *properties, int count)
{
    for (int i = 0; i < count; i++) {
        buf_str(buf, i ? ", " : " {");
        dump_names(buf, properties[i].names, properties[i].name_count);
        buf_char(buf, '=');
        if (properties[i].kind == PROPERTY_VALUE)
            dump_value(buf, &properties[i].value);
        if (properties[i].kind == PROPERTY_PATH)
            dump_path(buf, &properties[i].path);
        if (properties[i].kind == PROPERTY_MEASURE)
            dump_measure(buf, properties[i].measure);
    }
    if (count)
        buf_char(buf, '}');
}

static void dump_segment(struct buf *buf, const struct rule_segment *segment)
{
    buf_printf(buf,
               "segment %s title=%s owner=%s docs=%s tags=", segment->key.bytes,
               TEXT(segment->title), TEXT(segment->owner), TEXT(segment->docs));
    dump_names(buf, segment->tags, segment->tag_count);
    buf_str(buf, segment->shadow ? " shadow\n  when " : "\n  when ");
    if (segment->when)
        dump_cond(buf, segment->when);
    if (segment->until) {
        buf_str(buf, "\n  until ");
        dump_cond(buf, segment->until);
    }
    buf_str(buf, "\n  include");
    dump_values(buf, &segment->include);
    buf_str(buf, "\n  exclude");
    dump_values(buf, &segment->exclude);
    for (int i = 0; i < segment->trigger_count; i++) {
        const struct rule_trigger *trigger = &segment->triggers[i];
        buf_printf(buf, "\n  %s %s once=%d per=%" PRId64,
                   trigger->on_enter ? "enter" : "exit", trigger->name.bytes,
                   trigger->once, trigger->cooldown_ms);
        dump_properties(buf, trigger->properties, trigger->property_count);
    }
    buf_char(buf, '\n');
}

static void dump_line(struct buf *buf, const struct rule_line *line)
{
    static const char *const kinds[] = {"set",  "event",  "identify", "group",
                                        "page", "screen", "expect"};
    static const char *const expects[] = {"in", "out", "enter", "exit",
                                          "trait "};
    buf_printf(buf, "  %" PRId64 " %s ", line->at_ms, kinds[line->kind]);
    if (line->kind == LINE_EXPECT)
        buf_str(buf, expects[line->expect]);
    if (line->kind == LINE_SET) {
        dump_path(buf, &line->path);
        buf_char(buf, '=');
        dump_value(buf, &line->value);
    }
    buf_str(buf, TEXT(line->name));
    if (line->kind == LINE_EXPECT && line->expect == EXPECT_TRAIT) {
        buf_printf(buf, " %s ", rule_op_info(line->op)->words);
        dump_value(buf, &line->value);
    }
    dump_properties(buf, line->properties, line->property_count);
    buf_char(buf, '\n');
}

void dump_rules(struct buf *buf, const struct rules *rules)
{
    for (int i = 0; i < rules->list_count; i++) {
        buf_printf(buf, "list %s =", rules->lists[i].key.bytes);
        dump_values(buf, &rules->lists[i].values);
        buf_char(buf, '\n');
    }
    for (int i = 0; i < rules->score_count; i++) {
        const struct rule_score *score = &rules->scores[i];
        buf_printf(buf, "score %s %" PRId64, score->key.bytes,
                   score->half_life_ms);
        for (int j = 0; j < score->weight_count; j++) {
            dump_event(buf, &score->weights[j].event);
            buf_printf(buf, " %" PRId64 ",", score->weights[j].weight);
        }
        buf_char(buf, '\n');
    }
    for (int i = 0; i < rules->trait_count; i++) {
        buf_printf(buf, "trait %s = ", rules->traits[i].key.bytes);
        dump_measure(buf, &rules->traits[i].measure);
        buf_char(buf, '\n');
    }
    for (int i = 0; i < rules->segment_count; i++)
        dump_segment(buf, &rules->segments[i]);
    for (int i = 0; i < rules->test_count; i++) {
        const struct rule_test_block *test = &rules->tests[i];
        buf_printf(buf, "test %s %s\n", test->segment.bytes, test->name.bytes);
        for (int j = 0; j < test->line_count; j++)
            dump_line(buf, &test->lines[j]);
    }
    for (int i = 0; i < rules->comment_count; i++)
        buf_printf(buf, "%s\n", rules->comments[i].text.bytes);
}
