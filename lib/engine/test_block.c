/* test_block.c: `test` blocks of segment files, run under a virtual clock.
 *
 * Each line becomes a message, in JSON (test_line.h), so that a test goes the
 * whole way that an event of the real world goes: decode, apply, advance. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/engine/coverage.h"
#include "lib/engine/engine.h"
#include "lib/engine/test_line.h"
#include "lib/engine/unasked.h"
#include "lib/user/member.h"

struct running {
    const struct seg_catalogue *catalogue;
    const struct rule_test_block *block;
    struct seg_engine *engine;
    struct seg_decoder *decoder;
    struct buf json;
    struct coverage *coverage; /* NULL: nobody wants to know. */
    const struct unasked *unasked;
    seg_test_report *report;
    void *arg;
    int segment;
    int64_t offset;     /* Of the next message. */
    size_t seen;        /* Outputs before the present instant. */
    int64_t instant_ms; /* The present instant. */
};

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

/* What the trait NAME measures now. */
static struct seg_value trait_of(const struct running *run,
                                 struct seg_text name)
{
    const struct plan *plan = run->engine->plan;
    struct view view = engine_view(
        run->engine, (const struct user *)test_user(run), run->instant_ms);
    view.mismatches = NULL;
    for (uint32_t i = 0; i < plan->trait_count; i++)
        if (text_equal(plan->traits[i].rule->key, name))
            return eval_measured(&view, plan->traits[i].source).value;
    return (struct seg_value){.type = SEG_MISSING};
}

static int trait_holds(const struct running *run, const struct rule_line *line)
{
    const struct rule_test rule = {
        .op = line->op,
        .values = {.count = 1, .items = &line->value},
        .pos = line->pos};
    struct test_context context = {.now_ms = run->instant_ms,
                                   .scratch = &run->engine->scratch};
    struct seg_value value = trait_of(run, line->name);
    struct value_test test;
    int ret = value_test_init(&test, &run->engine->scratch, &rule);
    int passes = ret == 0 && value_test(&test, &value, &context);
    value_test_done(&test);
    return ret < 0 ? ret : passes;
}

static void note_coverage(const struct running *run)
{
    struct view view = engine_view(
        run->engine, (const struct user *)test_user(run), run->instant_ms);
    view.mismatches = NULL;
    if (run->coverage)
        coverage_note(run->coverage, &view, (uint32_t)run->segment);
}

static int holds(const struct running *run, const struct rule_line *line)
{
    if (line->expect != EXPECT_TRAIT)
        note_coverage(run);
    switch (line->expect) {
    case EXPECT_IN:
        return is_member(run);
    case EXPECT_OUT:
        return !is_member(run);
    case EXPECT_ENTER:
        return changed(run, 1);
    case EXPECT_EXIT:
        return changed(run, 0);
    case EXPECT_TRAIT:
        break;
    }
    return trait_holds(run, line);
}

static void put_message(struct running *run, const struct rule_line *line)
{
    static const char *const words[] = {[EXPECT_IN] = "in",
                                        [EXPECT_OUT] = "out",
                                        [EXPECT_ENTER] = "enter",
                                        [EXPECT_EXIT] = "exit",
                                        [EXPECT_TRAIT] = "trait"};
    struct buf *text = &run->json;
    struct seg_value value;
    buf_reset(text);
    buf_printf(text, "expected %s ", words[line->expect]);
    if (line->expect == EXPECT_TRAIT) {
        buf_text(text, line->name);
        buf_printf(text, " %s ", rule_op_info(line->op)->words);
        test_line_value(text, &line->value);
        buf_char(text, ' ');
    }
    buf_str(text, "at ");
    if (line->at_ms)
        duration_format(text, line->at_ms);
    else
        buf_str(text, "0d");
    if (line->expect == EXPECT_TRAIT) {
        value = trait_of(run, line->name);
        buf_str(text, ", but it is ");
        buf_json_value(text, &value);
        return;
    }
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
static int report_block(struct running *run, const struct rule_line *failed)
{
    const struct rule_pos *pos = failed ? &failed->pos : &run->block->pos;
    const struct rules *rules = &run->catalogue->rules;
    char *explain = failed ? explain_now(run) : NULL;
    struct buf warnings;
    buf_init(&warnings);
    buf_reset(&run->json);
    if (failed)
        put_message(run, failed);
    unasked_write(run->unasked, run->block, &warnings);
    const struct seg_test_result result = {
        .segment = run->block->segment.bytes,
        .name = run->block->name.bytes,
        .file = rules->files[pos->file].name.bytes,
        .line = (int)pos->line,
        .column = (int)pos->column,
        .passed = !failed,
        .message = failed ? buf_string(&run->json) : "",
        .explain = explain ? explain : "",
        .warnings = warnings.len ? buf_string(&warnings) : "",
    };
    int bad =
        buf_failed(&run->json) || buf_failed(&warnings) || (failed && !explain);
    if (!bad)
        run->report(run->arg, &result);
    free(explain);
    buf_done(&warnings);
    return bad ? SEG_ERR_NOMEM : 0;
}

static int run_line(struct running *run, const struct rule_line *line)
{
    int ret = move_to(run, TEST_START_MS + line->at_ms);
    if (ret < 0)
        return ret;
    if (line->kind == LINE_EXPECT)
        return holds(run, line);
    test_line_message(&run->json, line, run->instant_ms);
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
        ret = test_line_settings(&run->json, run->block, PATH_USER);
    if (ret >= 0)
        ret = send(run);
    if (ret >= 0)
        ret = test_line_settings(&run->json, run->block, PATH_ACCOUNT);
    if (ret > 0)
        ret = send(run);
    return ret;
}

/* Returns 1 if the block passed, 0 if not, or an error. */
static int run_block(const struct running *all,
                     const struct rule_test_block *block)
{
    struct running run = *all;
    const struct rule_line *failed = NULL;
    const struct rule_line **lines =
        calloc((size_t)block->line_count + 1, sizeof(*lines));
    run.block = block;
    int ret = lines ? start(&run) : SEG_ERR_NOMEM;
    if (ret >= 0)
        ret = run_lines(&run, lines, &failed);
    if (ret >= 0 && report_block(&run, failed) < 0)
        ret = SEG_ERR_NOMEM;
    free(lines);
    seg_engine_free(run.engine);
    seg_decoder_free(run.decoder);
    buf_done(&run.json);
    return ret;
}

/* Run the blocks of what ALL says of all of them. */
static int run_blocks(const struct running *all)
{
    const struct rules *rules = &all->catalogue->rules;
    int failed = 0;
    for (int i = 0; i < rules->test_count; i++) {
        int ret = run_block(all, &rules->tests[i]);
        if (ret < 0)
            return ret;
        failed += ret == 0;
    }
    return failed;
}

int seg_catalogue_test_coverage(const struct seg_catalogue *catalogue,
                                seg_test_report *report,
                                seg_coverage_report *covered, void *arg)
{
    struct coverage coverage;
    struct unasked unasked;
    const struct running all = {.catalogue = catalogue,
                                .coverage = covered ? &coverage : NULL,
                                .unasked = &unasked,
                                .report = report,
                                .arg = arg};
    int ret = coverage_init(&coverage, &catalogue->plan);
    int err = unasked_init(&unasked, catalogue);
    ret = ret < 0 ? ret : err < 0 ? err : run_blocks(&all);
    if (ret >= 0 && covered)
        coverage_report(&coverage, catalogue, covered, arg);
    coverage_done(&coverage);
    unasked_done(&unasked);
    return ret;
}

int seg_catalogue_test(const struct seg_catalogue *catalogue,
                       seg_test_report *report, void *arg)
{
    return seg_catalogue_test_coverage(catalogue, report, NULL, arg);
}
