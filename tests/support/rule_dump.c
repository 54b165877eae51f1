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
    static const char roots[] = "pceua";
    buf_printf(buf, "%c:", roots[path->root]);
    dump_names(buf, path->names, path->count);
}

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
}

static void dump_measure(struct buf *buf, const struct rule_measure *measure)
{
    static const char *const names[] = {
#define X(name, word, path, window) #name,
        MEASURE_TABLE(X)
#undef X
    };
    buf_str(buf, names[measure->kind]);
    dump_event(buf, &measure->event);
    if (measure->path.count) {
        buf_char(buf, ' ');
        dump_path(buf, &measure->path);
    }
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
    dump_window(buf, &cond->window);
}

void dump_cond(struct buf *buf, const struct rule_cond *cond)
{
    static const char *const kinds[] = {
        [COND_AND] = "and", [COND_OR] = "or",
        [COND_NOT] = "not", [COND_EVERYONE] = "everyone",
        [COND_DID] = "",    [COND_MEASURE] = "",
        [COND_PATH] = "",   [COND_IN_SEGMENT] = "in segment "};
    buf_printf(buf, "(%s", kinds[cond->kind]);
    for (int i = 0; i < cond->count; i++) {
        buf_char(buf, ' ');
        dump_cond(buf, cond->children[i]);
    }
    if (cond->kind == COND_DID)
        dump_did(buf, cond);
    if (cond->kind == COND_MEASURE)
        dump_measure(buf, &cond->measure);
    if (cond->kind == COND_PATH) {
        dump_path(buf, &cond->path);
        buf_char(buf, ' ');
    }
    if (cond->kind == COND_MEASURE || cond->kind == COND_PATH)
        dump_test(buf, &cond->test);
    if (cond->kind == COND_IN_SEGMENT)
        buf_str(buf, cond->key.bytes);
    buf_char(buf, ')');
}

static void dump_properties(struct buf *buf,
                            const struct rule_property *properties, int count)
{
    for (int i = 0; i < count; i++) {
        buf_str(buf, i ? ", " : " {");
        dump_names(buf, properties[i].names, properties[i].name_count);
        buf_char(buf, '=');
        dump_value(buf, &properties[i].value);
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
    buf_str(buf, "\n  when ");
    if (segment->when)
        dump_cond(buf, segment->when);
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
    static const char *const kinds[] = {"set", "event", "identify", "group",
                                        "expect"};
    static const char *const expects[] = {"in", "out", "enter", "exit"};
    buf_printf(buf, "  %" PRId64 " %s ", line->at_ms, kinds[line->kind]);
    if (line->kind == LINE_EXPECT)
        buf_str(buf, expects[line->expect]);
    if (line->kind == LINE_SET) {
        dump_path(buf, &line->path);
        buf_char(buf, '=');
        dump_value(buf, &line->value);
    }
    buf_str(buf, TEXT(line->name));
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
