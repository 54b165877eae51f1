/* check_explain.c: what is said of each construct of the language: as text, as
 * JSON, when a test fails, and when it changes by itself.
 *
 * tests/data/explain.txt holds segments with one test block each (golden.h). At
 * each of its lines `expect` stands in the answer what people read; at the last
 * one also the tree as JSON, and what becomes of it by time alone: the instant
 * that was told must be that of the change, to the millisecond. */
#include <seg/seg.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/http/render.h"
#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/engine/test_line.h"
#include "lib/segment/catalogue.h"
#include "tests/support/golden.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

#define LEAST       80
#define FOR_EVER_MS (3650 * DAY_MS)

struct asking {
    struct seg_catalogue *catalogue;
    const struct rule_test_block *block;
    struct seg_engine *engine;
    int segment;
    int64_t offset;
    char *text; /* What was said last. */
};

/* ---- the lines of a block ------------------------------------------------ */

static void send(struct asking *asking, const struct buf *json, int64_t at_ms)
{
    double hours = (double)(at_ms - TEST_START_MS) / (double)HOUR_MS;
    small_world_send(asking->engine, asking->catalogue, hours, json->bytes,
                     asking->offset++);
}

static void begin(struct asking *asking, struct buf *json)
{
    static const char *const topics[] = {"app"};
    const struct seg_engine_options options = {.catalogue = asking->catalogue,
                                               .topic_count = 1,
                                               .topics = topics,
                                               .clock_ms = TEST_START_MS};
    ck_assert_int_eq(seg_engine_new(&asking->engine, &options), 0);
    ck_assert_int_ge(test_line_settings(json, asking->block, PATH_USER), 0);
    buf_string(json);
    send(asking, json, TEST_START_MS);
    if (test_line_settings(json, asking->block, PATH_ACCOUNT) > 0) {
        buf_string(json);
        send(asking, json, TEST_START_MS);
    }
}

static const struct seg_user *user_of(const struct asking *asking)
{
    return seg_user_find(asking->engine, text_of(TEST_USER));
}

static void say(struct asking *asking, struct buf *into, int64_t at_ms)
{
    struct seg_explanation *why;
    seg_engine_advance(asking->engine, at_ms, INT32_MAX);
    ck_assert_int_eq(
        seg_explain(&why, asking->engine, user_of(asking), asking->segment), 0);
    free(asking->text);
    asking->text = seg_explanation_text(why);
    ck_assert_ptr_nonnull(asking->text);
    buf_str(into, asking->text);
    seg_explanation_free(why);
}

/* ---- JSON ---------------------------------------------------------------- */

static int json_truth(const json_t *holds)
{
    return json_is_null(holds)   ? SEG_UNKNOWN
           : json_is_true(holds) ? SEG_TRUE
                                 : SEG_FALSE;
}

/* That TREE and what is below it are the reasons from *INDEX on. */
static void compare_tree(const struct seg_explanation *why, const json_t *tree,
                         int *index)
{
    const struct seg_reason *reason = seg_explanation_at(why, (*index)++);
    const json_t *children = json_object_get(tree, "children");
    ck_assert_str_eq(json_string_value(json_object_get(tree, "condition")),
                     reason->condition);
    ck_assert_int_eq(json_truth(json_object_get(tree, "holds")), reason->truth);
    ck_assert_int_eq(json_array_size(json_object_get(tree, "events")),
                     reason->event_count);
    for (size_t i = 0; i < json_array_size(children); i++)
        compare_tree(why, json_array_get(children, i), index);
}

/* The object of the segment, without its text, which must be the one that was
 * said. */
static void put_json(const struct asking *asking, struct buf *into)
{
    const struct render_user found = {asking->catalogue, asking->engine,
                                      user_of(asking), 0};
    char *text = render_explain(&found, asking->segment);
    json_t *json = json_loads(text, 0, NULL);
    json_t *segment = json_array_get(json_object_get(json, "segments"), 0);
    struct seg_explanation *why;
    int index = 0;
    free(text);
    ck_assert_str_eq(json_string_value(json_object_get(segment, "text")),
                     asking->text);
    json_object_del(segment, "text");
    json_object_del(segment, "title");
    ck_assert_int_eq(
        seg_explain(&why, asking->engine, user_of(asking), asking->segment), 0);
    compare_tree(why, json_object_get(segment, "tree"), &index);
    ck_assert_int_eq(index, seg_explanation_count(why));
    seg_explanation_free(why);
    text = json_dumps(segment, JSON_COMPACT | JSON_REAL_PRECISION(15));
    buf_str(into, text);
    buf_char(into, '\n');
    free(text);
    json_decref(json);
}

/* ---- what comes by itself ------------------------------------------------ */

static int is_member(const struct asking *asking)
{
    return seg_user_is_member(asking->engine, user_of(asking), asking->segment,
                              NULL);
}

/* The first instant that the tree names. */
static int64_t next_change(const struct asking *asking)
{
    struct seg_explanation *why;
    int64_t next = SEG_NEVER;
    ck_assert_int_eq(
        seg_explain(&why, asking->engine, user_of(asking), asking->segment), 0);
    for (int i = 0; i < seg_explanation_count(why); i++)
        if (seg_explanation_at(why, i)->changes_at_ms < next)
            next = seg_explanation_at(why, i)->changes_at_ms;
    seg_explanation_free(why);
    return next;
}

static void put_next(struct asking *asking, struct buf *into)
{
    int64_t next = next_change(asking);
    int before = is_member(asking);
    if (next == SEG_NEVER) {
        int64_t due;
        while ((due = seg_engine_next_due(asking->engine)) <
               TEST_START_MS + FOR_EVER_MS) {
            seg_engine_advance(asking->engine, due, INT32_MAX);
            ck_assert_msg(is_member(asking) == before,
                          "it changed by itself:\n%s", buf_string(into));
        }
        buf_str(into, "by itself never\n");
        return;
    }
    buf_str(into, "by itself at ");
    instant_format(into, next);
    seg_engine_advance(asking->engine, next - 1, INT32_MAX);
    ck_assert_msg(is_member(asking) == before, "it changed before %s",
                  buf_string(into));
    seg_engine_advance(asking->engine, next, INT32_MAX);
    ck_assert_msg(is_member(asking) != before, "it did not change at %s",
                  buf_string(into));
    buf_str(into, before ? " exit\n" : " enter\n");
}

/* ---- a test that fails --------------------------------------------------- */

static void failing(void *arg, const struct seg_test_result *result)
{
    ck_assert(!result->passed);
    ck_assert_str_eq(result->explain, arg);
}

/* The last line is made to expect what is not: the same tree is printed. */
static void fail_last(const struct asking *asking, int member)
{
    struct rule_line *line = (struct rule_line *)&asking->block
                                 ->lines[asking->block->line_count - 1];
    for (int i = 0; i < asking->block->line_count - 1; i++)
        if (asking->block->lines[i].kind == LINE_EXPECT)
            return;
    line->expect = member ? EXPECT_OUT : EXPECT_IN;
    ck_assert_int_eq(
        seg_catalogue_test(asking->catalogue, failing, asking->text), 1);
}

/* ---- all of it ---------------------------------------------------------- */

static void answer(struct buf *into, const char *text, size_t len)
{
    struct buf copy, json;
    int member = 0;
    buf_init(&copy);
    buf_init(&json);
    buf_add(&copy, text, len);
    struct asking asking = {.catalogue =
                                small_world_compile(buf_string(&copy))};
    ck_assert_int_eq(asking.catalogue->rules.test_count, 1);
    asking.block = asking.catalogue->rules.tests;
    asking.segment = seg_catalogue_segment_index(asking.catalogue,
                                                 asking.block->segment.bytes);
    begin(&asking, &json);
    for (int i = 0; i < asking.block->line_count; i++) {
        const struct rule_line *line = &asking.block->lines[i];
        int64_t at_ms = TEST_START_MS + line->at_ms;
        if (line->kind == LINE_EXPECT) {
            say(&asking, into, at_ms);
        } else if (line->kind != LINE_SET) {
            test_line_message(&json, line, at_ms);
            buf_string(&json);
            send(&asking, &json, at_ms);
        }
    }
    member = is_member(&asking);
    put_json(&asking, into);
    fail_last(&asking, member);
    put_next(&asking, into);
    free(asking.text);
    seg_engine_free(asking.engine);
    seg_catalogue_free(asking.catalogue);
    buf_done(&copy);
    buf_done(&json);
}

START_TEST(each_construct_is_explained)
{
    golden_check("tests/data/explain.txt", LEAST, answer);
}
END_TEST

/* KEY of TEXT changes when ada's only event is a day old. */
static void ends_after_a_day(struct buf *text, const char *key)
{
    struct seg_explanation *why;
    struct seg_catalogue *catalogue = small_world_compile(buf_string(text));
    struct seg_engine *engine = small_world_engine(catalogue);
    small_world_send(engine, catalogue, 0,
                     "{\"type\":\"track\",\"userId\":\"ada\","
                     "\"event\":\"Used\"}",
                     0);
    const struct seg_user *ada = seg_user_find(engine, text_of("ada"));
    int segment = seg_catalogue_segment_index(catalogue, key);
    ck_assert_int_eq(seg_explain(&why, engine, ada, segment), 0);
    ck_assert_int_eq(seg_explanation_at(why, 0)->changes_at_ms,
                     SMALL_WORLD_START_MS + DAY_MS);
    seg_explanation_free(why);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
    buf_done(text);
}

/* More often than a byte counts, and than there are segments. */
START_TEST(a_segment_that_is_asked_often_is_asked_once)
{
    enum { OFTEN = 1200 };
    struct buf text;
    buf_init(&text);
    buf_str(&text, "segment staff { when did \"Used\" in 1d }\n");
    for (int i = 0; i < OFTEN; i++)
        buf_printf(&text, "segment s%d { when not in segment staff }\n", i);
    buf_str(&text, "segment all { when in segment s0");
    for (int i = 1; i < OFTEN; i++)
        buf_printf(&text, " and in segment s%d", i);
    buf_str(&text, " }\nsegment any { when in segment all }\n");
    ends_after_a_day(&text, "any");
}
END_TEST

/* Of two that ask the same one each tells. */
START_TEST(whoever_asks_a_segment_tells_when_it_changes)
{
    struct seg_explanation *why;
    struct seg_catalogue *catalogue = small_world_compile(
        "segment a { when did \"Used\" in 1d }\n"
        "segment b { when in segment a }\n"
        "segment c { when in segment a and not in segment b }\n");
    struct seg_engine *engine = small_world_engine(catalogue);
    small_world_send(engine, catalogue, 0,
                     "{\"type\":\"track\",\"userId\":\"ada\","
                     "\"event\":\"Used\"}",
                     0);
    int segment = seg_catalogue_segment_index(catalogue, "c");
    const struct seg_user *ada = seg_user_find(engine, text_of("ada"));
    ck_assert_int_eq(seg_explain(&why, engine, ada, segment), 0);
    int asking = 0;
    for (int i = 0; i < seg_explanation_count(why); i++) {
        const struct seg_reason *reason = seg_explanation_at(why, i);
        if (reason->segment < 0)
            continue;
        ck_assert_int_eq(reason->changes_at_ms, SMALL_WORLD_START_MS + DAY_MS);
        asking++;
    }
    ck_assert_int_eq(asking, 2);
    seg_explanation_free(why);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
}
END_TEST

/* How deep segments refer to each other is up to the catalogue. */
START_TEST(the_end_of_the_longest_chain_tells_when_it_changes)
{
    struct buf text;
    buf_init(&text);
    for (int i = 1; i < SEG_SEGMENTS_MAX; i++)
        buf_printf(&text, "segment s%d { when in segment s%d }\n", i, i + 1);
    buf_printf(&text, "segment s%d { when did not \"Used\" in 1d }\n",
               SEG_SEGMENTS_MAX);
    ends_after_a_day(&text, "s1");
}
END_TEST

SUITE("explain", NULL, NULL, TEST(each_construct_is_explained),
      TEST(a_segment_that_is_asked_often_is_asked_once),
      TEST(whoever_asks_a_segment_tells_when_it_changes),
      TEST(the_end_of_the_longest_chain_tells_when_it_changes))
