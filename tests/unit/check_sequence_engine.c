/* check_sequence_engine.c: sequences in an engine: what is dispatched to them,
 * what is parked and recorded, what explain says. */
#include <stdio.h>
#include <string.h>

#include <seg/seg.h>

#include "lib/base/buf.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

static const char text[] =
    "segment cart {\n"
    "  when did \"Started\" without \"Ordered\" within 2h for the same cart\n"
    "}\n"
    "segment funnel {\n"
    "  when did \"A\" in 7d then \"B\" within 10h then directly \"C\"\n"
    "    with no \"X\" between\n"
    "}\n"
    "segment twice {\n"
    "  when did \"A\" then (\"A\" or \"B\") then \"B\" all within 1d\n"
    "}\n";

static struct seg_catalogue *catalogue;
static struct seg_engine *engine;
static struct seg_decoder *decoder;
static int64_t offset;

static void setup(void)
{
    catalogue = small_world_compile(text);
    engine = small_world_engine(catalogue);
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
    offset = 0;
}

static void teardown(void)
{
    seg_decoder_free(decoder);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
}

static int64_t at(double hours)
{
    return SMALL_WORLD_START_MS + (int64_t)(hours * HOUR_MS);
}

/* Give TAKE an event NAME of u, dated and recorded at HOURS, with PROPERTIES;
 * the clock stays where it is. */
static void give(int (*take)(struct seg_engine *, const struct seg_event *,
                             const struct seg_origin *),
                 double hours, const char *name, const char *properties)
{
    char json[300];
    struct seg_event event;
    const struct seg_origin origin = {0, offset++, at(hours)};
    snprintf(json, sizeof(json),
             "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"%s\","
             "\"properties\":{%s}}",
             name, properties);
    ck_assert_int_eq(seg_decode(decoder, json, strlen(json), &event, NULL), 0);
    ck_assert_int_eq(take(engine, &event, &origin), SEG_APPLIED);
    seg_decoder_reset(decoder);
}

static void apply(double hours, const char *name, const char *properties)
{
    give(seg_engine_apply, hours, name, properties);
}

static void redo(double hours, const char *name, const char *properties)
{
    give(seg_engine_redo, hours, name, properties);
}

static void advance(double hours)
{
    ck_assert_int_eq(seg_engine_advance(engine, at(hours), 1000), 0);
}

static void happens(double hours, const char *name, const char *properties)
{
    advance(hours);
    apply(hours, name, properties);
}

static void expect(const char *want)
{
    struct buf got;
    buf_init(&got);
    small_world_outputs(engine, catalogue, &got);
    ck_assert_str_eq(buf_string(&got), want);
    buf_done(&got);
}

START_TEST(one_event_plays_all_its_roles_at_once)
{
    happens(1, "A", "");
    happens(2, "A", "");
    happens(3, "B", "");
    expect("3.0 u +twice event 1\n");
}
END_TEST

START_TEST(one_event_serves_one_step)
{
    happens(1, "A", "");
    happens(2, "B", "");
    happens(3, "C", "");
    expect("3.0 u +funnel event 1\n");
}
END_TEST

START_TEST(any_event_of_the_user_stands_between)
{
    happens(1, "A", "");
    happens(2, "B", "");
    happens(3, "Unknown to all", "");
    happens(4, "C", "");
    expect("");
    happens(5, "B", "");
    happens(6, "C", "");
    expect("5.0 u +twice event 1\n6.0 u +funnel event 2\n");
    advance(169);
    expect("5.0 u +twice event 1\n6.0 u +funnel event 2\n"
           "169.0 u -funnel timer 3\n");
}
END_TEST

/* The record of u, and an engine that has nothing but that. */
static void begin_again(double hours)
{
    struct buf record;
    struct seg_engine_options options = small_world_options(catalogue);
    buf_init(&record);
    small_world_record(engine, small_world_user(engine, "u"), &record);
    seg_engine_free(engine);
    options.clock_ms = at(hours);
    ck_assert_int_eq(seg_engine_new(&engine, &options), 0);
    ck_assert_int_eq(
        seg_engine_restore_user(engine, record.bytes, record.len, NULL), 0);
    buf_done(&record);
    ck_assert_int_eq(seg_engine_restore_finish(engine, at(hours), 1000), 0);
}

/* Dated after the clock, they happen when it is there: their roles and keys as
 * well, also when they were written down in between. */
START_TEST(events_from_the_future_keep_roles_and_keys)
{
    happens(1, "Other", "");
    apply(3, "Started", "\"cart\": 1");
    apply(4, "Ordered", "\"cart\": 2");
    apply(3, "A", "");
    apply(3.5, "B", "");
    expect("");
    if (_i)
        begin_again(1);
    advance(4.9);
    expect("");
    apply(6, "C", "");
    advance(6);
    expect("5.0 u +cart timer 1\n");
}
END_TEST

START_TEST(a_record_goes_on_where_it_was_written)
{
    happens(1, "A", "");
    happens(2, "Started", "\"cart\": \"c\"");
    happens(3, "B", "");
    begin_again(3);
    happens(3.5, "C", "");
    advance(4);
    expect("3.5 u +funnel event 1\n4.0 u +cart timer 2\n");
}
END_TEST

/* In a restore one from the future is folded before what came after it and was
 * not late then. */
START_TEST(a_restore_takes_no_event_for_late)
{
    struct seg_engine_options options = small_world_options(catalogue);
    seg_engine_free(engine);
    options.clock_ms = at(500);
    ck_assert_int_eq(seg_engine_new(&engine, &options), 0);
    redo(300, "Ordered", "\"cart\": 2");
    redo(10, "Started", "\"cart\": 1");
    ck_assert_int_eq(seg_engine_restore_finish(engine, at(500), 1000), 0);
    expect("500.0 u +cart repair 1\n");
    apply(400, "Started", "\"cart\": 3");
    apply(400.5, "Ordered", "\"cart\": 1");
    expect("500.0 u +cart repair 1\n");
}
END_TEST

static void explained(const char *key, const char *want)
{
    struct seg_explanation *why;
    ck_assert_int_eq(
        seg_explain(&why, engine,
                    seg_user_find(engine, (struct seg_text){"u", 1}),
                    seg_catalogue_segment_index(catalogue, key)),
        0);
    char *got = seg_explanation_text(why);
    ck_assert_msg(strstr(got, want) != NULL, "%s", got);
    free(got);
    seg_explanation_free(why);
}

START_TEST(explain_says_how_far_it_is)
{
    happens(1, "A", "");
    explained("funnel", "1 of 3 steps matched, the last at "
                        "2024-01-01T01:00:00.000Z, the next before "
                        "2024-01-01T11:00:00.000Z");
    happens(2, "B", "");
    explained("funnel", "2 of 3 steps matched, the last at "
                        "2024-01-01T02:00:00.000Z");
    happens(3, "Started", "\"cart\": 1");
    explained("cart", "1 of 1 step matched, the last at "
                      "2024-01-01T03:00:00.000Z, a quiet time until "
                      "2024-01-01T05:00:00.000Z");
}
END_TEST

SUITE("sequence_engine", setup, teardown,
      TEST(one_event_plays_all_its_roles_at_once),
      TEST(one_event_serves_one_step),
      TEST(any_event_of_the_user_stands_between),
      TIMES(events_from_the_future_keep_roles_and_keys, 2),
      TEST(a_record_goes_on_where_it_was_written),
      TEST(a_restore_takes_no_event_for_late), TEST(explain_says_how_far_it_is))
