/* test_block.c: `test` blocks of segment files, run under a virtual clock.
 *
 * 0d is 2024-01-01T00:00Z, of one user known from then on.
 * Each line becomes a message, in JSON, so that a test goes the whole way that
 * an event of the real world goes: decode, apply, advance. `set` is an
 * identify, or a group message for an account, at 0d, before all other lines.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "lib/user/member.h"

#define TEST_START_MS INT64_C(1704067200000) /* 2024-01-01T00:00Z */
#define TEST_USER     "test"
#define TEST_ACCOUNT  "test account"

struct running {
    const struct seg_catalogue *catalogue;
    const struct rule_test_block *block;
    struct seg_engine *engine;
    struct seg_decoder *decoder;
    struct buf json;
    int segment;
    int64_t offset;     /* Of the next message. */
    size_t seen;        /* Outputs before the present instant. */
    int64_t instant_ms; /* The present instant. */
};

/* ---- a line as JSON -------------------------------------------------- */

static void put_value(struct buf *buf, const struct rule_value *value)
{
    if (value->is_date)
        buf_json_text(buf, value->spelling);
    else
        buf_json_value(buf, &value->value);
}

static int same_prefix(const struct rule_property *a,
                       const struct rule_property *b, int names)
{
    if (a->name_count < names || b->name_count < names)
        return 0;
    for (int i = 0; i < names; i++)
        if (!text_equal(a->names[i], b->names[i]))
            return 0;
    return 1;
}

/* Whether a property before I shares its first NAMES names. */
static int is_repeated(const struct rule_property *properties, int i, int names)
{
    for (int j = 0; j < i; j++)
        if (same_prefix(&properties[j], &properties[i], names))
            return 1;
    return 0;
}

/* The members, below those that share the first DEPTH names with LIKE, of the
 * object that dotted names make: goal.id and goal.name are one goal. */
static void put_object(struct buf *buf, const struct rule_property *properties,
                       int count, const struct rule_property *like, int depth)
{
    int members = 0;
    buf_char(buf, '{');
    for (int i = 0; i < count; i++) {
        const struct rule_property *property = &properties[i];
        if ((like && !same_prefix(property, like, depth)) ||
            property->name_count <= depth ||
            is_repeated(properties, i, depth + 1))
            continue;
        if (members++)
            buf_char(buf, ',');
        buf_json_text(buf, property->names[depth]);
        buf_char(buf, ':');
        if (property->name_count == depth + 1)
            put_value(buf, &property->value);
        else
            put_object(buf, properties, count, property, depth + 1);
    }
    buf_char(buf, '}');
}

static void begin_message(struct running *run, const char *type, int64_t at_ms)
{
    buf_reset(&run->json);
    buf_printf(&run->json,
               "{\"type\":\"%s\",\"userId\":\"" TEST_USER "\",\"timestamp\":\"",
               type);
    instant_format(&run->json, at_ms);
    buf_char(&run->json, '"');
}

static void put_line(struct running *run, const struct rule_line *line,
                     int64_t at_ms)
{
    struct buf *json = &run->json;
    const char *types[] = {[LINE_EVENT] = "track",
                           [LINE_IDENTIFY] = "identify",
                           [LINE_GROUP] = "group"};
    begin_message(run, types[line->kind], at_ms);
    if (line->kind != LINE_IDENTIFY) {
        buf_str(json,
                line->kind == LINE_EVENT ? ",\"event\":" : ",\"groupId\":");
        buf_json_text(json, line->name);
    }
    buf_str(json,
            line->kind == LINE_EVENT ? ",\"properties\":" : ",\"traits\":");
    put_object(json, line->properties, line->property_count, NULL, 0);
    buf_char(json, '}');
}

/* All `set` lines of the user, or of his account, as one message; an identify
 * even without any: it makes the user known. */
static int put_settings(struct running *run, enum path_root root)
{
    const struct rule_test_block *block = run->block;
    struct rule_property *set =
        calloc((size_t)block->line_count + 1, sizeof(*set));
    int count = 0;
    if (!set)
        return SEG_ERR_NOMEM;
    for (int i = 0; i < block->line_count; i++) {
        const struct rule_line *line = &block->lines[i];
        if (line->kind == LINE_SET && line->path.root == root)
            set[count++] = (struct rule_property){
                line->path.count, line->path.names, line->value, line->pos};
    }
    begin_message(run, root == PATH_USER ? "identify" : "group", TEST_START_MS);
    if (root == PATH_ACCOUNT)
        buf_str(&run->json, ",\"groupId\":\"" TEST_ACCOUNT "\"");
    buf_str(&run->json, ",\"traits\":");
    put_object(&run->json, set, count, NULL, 0);
    buf_char(&run->json, '}');
    free(set);
    return count;
}

/* ---- running --------------------------------------------------------- */

static int send(struct running *run)
{
    struct seg_event event;
    struct seg_origin origin = {0, run->offset++, run->instant_ms};
    if (buf_failed(&run->json))
        return SEG_ERR_NOMEM;
    seg_decoder_reset(run->decoder);
    int ret =
        seg_decode(run->decoder, run->json.bytes, run->json.len, &event, NULL);
    return ret < 0 ? ret : seg_engine_apply(run->engine, &event, &origin);
}

/* Move to the instant AT_MS of the next line; its changes are those after
 * run->seen that are dated so. */
static int move_to(struct running *run, int64_t at_ms)
{
    if (at_ms > run->instant_ms)
        seg_engine_outputs(run->engine, &run->seen);
    run->instant_ms = at_ms;
    return seg_engine_advance(run->engine, at_ms, INT32_MAX);
}

static int changed(const struct running *run, int member)
{
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(run->engine, &count);
    for (size_t i = run->seen; i < count; i++)
        if (outputs[i].kind == SEG_OUTPUT_CHANGE &&
            outputs[i].segment == run->segment && outputs[i].member == member &&
            outputs[i].at_ms == run->instant_ms)
            return 1;
    return 0;
}

static const struct seg_user *test_user(const struct running *run)
{
    return seg_user_find(run->engine, text_of(TEST_USER));
}

static int is_member(const struct running *run)
{
    return member_find((const struct user *)test_user(run),
                       (uint32_t)run->segment, NULL);
}

static int holds(const struct running *run, enum rule_expect expect)
{
    switch (expect) {
    case EXPECT_IN:
        return is_member(run);
    case EXPECT_OUT:
        return !is_member(run);
    case EXPECT_ENTER:
        return changed(run, 1);
    case EXPECT_EXIT:
        break;
    }
    return changed(run, 0);
}

static void put_message(struct running *run, const struct rule_line *line)
{
    static const char *const words[] = {[EXPECT_IN] = "in",
                                        [EXPECT_OUT] = "out",
                                        [EXPECT_ENTER] = "enter",
                                        [EXPECT_EXIT] = "exit"};
    struct buf *text = &run->json;
    buf_reset(text);
    buf_printf(text, "expected %s at ", words[line->expect]);
    if (line->at_ms)
        duration_format(text, line->at_ms);
    else
        buf_str(text, "0d");
    buf_printf(text, ", but the user is %s", is_member(run) ? "in" : "out");
    if (line->expect == EXPECT_ENTER || line->expect == EXPECT_EXIT)
        buf_printf(text, " and did not %s at that instant",
                   words[line->expect]);
}

/* Why the user is in the segment or not, as a heap string; NULL: no memory. */
static char *explain_now(const struct running *run)
{
    struct seg_explanation *explanation;
    if (seg_explain(&explanation, run->engine, test_user(run), run->segment) <
        0)
        return NULL;
    char *text = seg_explanation_text(explanation);
    seg_explanation_free(explanation);
    return text;
}

/* Returns 0 or SEG_ERR_NOMEM with nothing reported. */
static int report_line(struct running *run, const struct rule_pos *pos,
                       seg_test_report *report, void *arg,
                       const struct rule_line *failed)
{
    const struct rules *rules = &run->catalogue->rules;
    char *explain = failed ? explain_now(run) : NULL;
    buf_reset(&run->json);
    if (failed)
        put_message(run, failed);
    if (buf_failed(&run->json) || (failed && !explain)) {
        free(explain);
        return SEG_ERR_NOMEM;
    }
    const struct seg_test_result result = {
        .segment = run->block->segment.bytes,
        .name = run->block->name.bytes,
        .file = rules->files[pos->file].name.bytes,
        .line = (int)pos->line,
        .column = (int)pos->column,
        .passed = !failed,
        .message = buf_string(&run->json),
        .explain = explain ? explain : "",
    };
    report(arg, &result);
    free(explain);
    return 0;
}

static int run_line(struct running *run, const struct rule_line *line)
{
    int ret = move_to(run, TEST_START_MS + line->at_ms);
    if (ret < 0)
        return ret;
    if (line->kind == LINE_EXPECT)
        return holds(run, line->expect);
    put_line(run, line, run->instant_ms);
    ret = send(run);
    return ret < 0 ? ret : 1;
}

/* Lines in order of their instants, those of one instant as written. */
static int by_instant(const void *a, const void *b)
{
    const struct rule_line *x = *(const struct rule_line *const *)a;
    const struct rule_line *y = *(const struct rule_line *const *)b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* The first line of LINES that fails in *FAILED. Returns 1 if there is none. */
static int run_lines(struct running *run, const struct rule_line **lines,
                     const struct rule_line **failed)
{
    int count = 0;
    for (int i = 0; i < run->block->line_count; i++)
        if (run->block->lines[i].kind != LINE_SET)
            lines[count++] = &run->block->lines[i];
    qsort(lines, (size_t)count, sizeof(*lines), by_instant);
    for (int i = 0; i < count; i++) {
        int ret = run_line(run, lines[i]);
        if (ret == 0)
            *failed = lines[i];
        if (ret <= 0)
            return ret;
    }
    return 1;
}

static int start(struct running *run)
{
    static const char *const topics[] = {"test"};
    const struct seg_engine_options options = {
        .catalogue = run->catalogue,
        .topic_count = 1,
        .topics = topics,
        .clock_ms = TEST_START_MS,
    };
    run->instant_ms = TEST_START_MS;
    run->segment =
        seg_catalogue_segment_index(run->catalogue, run->block->segment.bytes);
    int ret = seg_engine_new(&run->engine, &options);
    if (ret == 0)
        ret = seg_decoder_new(&run->decoder, run->catalogue);
    if (ret == 0)
        ret = put_settings(run, PATH_USER);
    if (ret >= 0)
        ret = send(run);
    if (ret >= 0)
        ret = put_settings(run, PATH_ACCOUNT);
    if (ret > 0)
        ret = send(run);
    return ret;
}

/* Returns 1 if the block passed, 0 if not, or an error. */
static int run_block(const struct seg_catalogue *catalogue,
                     const struct rule_test_block *block,
                     seg_test_report *report, void *arg)
{
    struct running run = {.catalogue = catalogue, .block = block};
    const struct rule_line *failed = NULL;
    const struct rule_line **lines =
        calloc((size_t)block->line_count + 1, sizeof(*lines));
    int ret = lines ? start(&run) : SEG_ERR_NOMEM;
    if (ret >= 0)
        ret = run_lines(&run, lines, &failed);
    if (ret >= 0 && report_line(&run, failed ? &failed->pos : &block->pos,
                                report, arg, failed) < 0)
        ret = SEG_ERR_NOMEM;
    free(lines);
    seg_engine_free(run.engine);
    seg_decoder_free(run.decoder);
    buf_done(&run.json);
    return ret;
}

int seg_catalogue_test(const struct seg_catalogue *catalogue,
                       seg_test_report *report, void *arg)
{
    int failed = 0;
    for (int i = 0; i < catalogue->rules.test_count; i++) {
        int ret = run_block(catalogue, &catalogue->rules.tests[i], report, arg);
        if (ret < 0)
            return ret;
        failed += ret == 0;
    }
    return failed;
}
