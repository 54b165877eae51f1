/* Traits: what is published of whom, when, to the millisecond. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "lib/engine/snapshot.h"
#include "lib/user/published.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/regime.h"
#include "tests/support/suite.h"

#define SECOND     INT64_C(1000)
#define DAY        (INT64_C(24) * 3600 * SECOND)
#define INTERVAL   (10 * SECOND) /* The default. */
#define RANDOM_RUN 12

static struct regime regime;
static struct buf said;

static const char many[] =
    "trait a = count(\"Order\") in 5m\n"
    "trait b = sum(\"Order\", total) from 4m to 1m ago\n"
    "trait c = avg(\"Order\", total) in 2m\n"
    "trait d = min(\"Order\", total) in 90s\n"
    "trait e = distinct(\"Order\", total) in 3m\n"
    "trait f = last(\"Order\", town) in 1m\n"
    "trait g = days(\"Order\")\n"
    "trait h = first(\"Order\", total) in 100s\n"
    "segment s { when trait.a >= 3 and trait.b < trait.c }\n";

static const char orders[] = "trait orders = count(\"Order\") in 1d\n"
                             "trait spent = sum(\"Order\", total) in 1d\n"
                             "trait best = max(\"Order\", total) in 1d\n";

static void setup(void)
{
    buf_init(&said);
}

static void teardown(void)
{
    buf_done(&said);
}

/* ---- what happens ------------------------------------------------------- */

/* Milliseconds after the start. */
static void pass(int64_t ms)
{
    int ret;
    while ((ret = seg_engine_advance(regime.engine, SMALL_WORLD_START_MS + ms,
                                     1000)))
        ck_assert_int_eq(ret, 1);
}

/* The message JSON at MS, told to ENGINE. */
static void tell(struct seg_engine *engine, int64_t ms, const char *json,
                 int64_t offset, int redo)
{
    const struct seg_origin origin = {0, offset, SMALL_WORLD_START_MS + ms};
    struct seg_decoder *decoder;
    struct seg_event event;
    ck_assert_int_eq(seg_decoder_new(&decoder, regime.catalogue), 0);
    ck_assert_int_eq(seg_decode(decoder, json, strlen(json), &event, NULL), 0);
    int ret = redo ? seg_engine_redo(engine, &event, &origin)
                   : seg_engine_apply(engine, &event, &origin);
    ck_assert_int_eq(ret, 0);
    seg_decoder_free(decoder);
}

static const char *order_of(const char *user, double total)
{
    static char json[200];
    snprintf(json, sizeof(json),
             "{\"type\":\"track\",\"userId\":\"%s\",\"event\":\"Order\","
             "\"properties\":{\"total\":%g,\"town\":\"of %g people\"}}",
             user, total, total);
    return json;
}

static void order(int64_t ms, const char *user, double total)
{
    pass(ms);
    tell(regime.engine, ms, order_of(user, total), regime.positions[0]++, 0);
}

static void did(int64_t ms, const char *user, const char *event)
{
    char json[200];
    snprintf(json, sizeof(json),
             "{\"type\":\"track\",\"userId\":\"%s\",\"event\":\"%s\"}", user,
             event);
    pass(ms);
    tell(regime.engine, ms, json, regime.positions[0]++, 0);
}

/* What was published since the last time: "<ms> <user> =a 1 b null". */
static void expect(const char *want)
{
    size_t count;
    const struct seg_output *outputs =
        seg_engine_outputs(regime.engine, &count);
    buf_reset(&said);
    for (size_t i = 0; i < count; i++) {
        if (outputs[i].kind != SEG_OUTPUT_TRAITS)
            continue;
        buf_printf(&said, "%" PRId64 " %.*s ",
                   outputs[i].at_ms - SMALL_WORLD_START_MS,
                   (int)outputs[i].user_id.len, outputs[i].user_id.bytes);
        small_world_traits(&outputs[i], &said);
        buf_char(&said, '\n');
    }
    seg_engine_outputs_clear(regime.engine);
    ck_assert_str_eq(buf_string(&said), want);
}

static const struct user *user_of(const char *id)
{
    return small_world_user(regime.engine, id);
}

/* ---- the interval ------------------------------------------------------- */

START_TEST(the_first_value_is_published_at_once_and_the_last_one_arrives)
{
    regime_begin(&regime, orders);
    order(5, "u", 3);
    expect("5 u =best 3 orders 1 spent 3\n");
    order(6, "u", 4);
    order(5 + INTERVAL - 1, "u", 0.5);
    expect("");
    pass(5 + INTERVAL - 1);
    expect("");
    pass(5 + INTERVAL);
    expect("10005 u =best 4 orders 3 spent 7.5\n");
    pass(DAY - 1);
    expect("");
    regime_end(&regime);
}
END_TEST

START_TEST(an_event_when_the_interval_is_over_publishes_at_once)
{
    struct seg_engine_stats stats;
    regime_begin(&regime, orders);
    order(0, "u", 1);
    order(INTERVAL, "u", 1);
    expect("0 u =best 1 orders 1 spent 1\n"
           "10000 u =best 1 orders 2 spent 2\n");
    order(INTERVAL + 1, "u", 1);
    order(INTERVAL + 2, "v", 1); /* Each user has an interval of his own. */
    expect("10002 v =best 1 orders 1 spent 1\n");
    seg_engine_stats(regime.engine, &stats);
    ck_assert_uint_eq(stats.traits, 3);
    ck_assert_uint_eq(stats.traits_throttled, 1);
    regime_end(&regime);
}
END_TEST

START_TEST(another_interval_is_kept_to_the_millisecond)
{
    struct seg_engine_options options;
    regime_begin(&regime, orders);
    seg_engine_free(regime.engine);
    options = small_world_options(regime.catalogue);
    options.trait_interval_ms = 7;
    ck_assert_int_eq(seg_engine_new(&regime.engine, &options), 0);
    for (int64_t ms = 100; ms < 110; ms++)
        order(ms, "u", 1);
    pass(200);
    expect("100 u =best 1 orders 1 spent 1\n"
           "107 u =best 1 orders 7 spent 7\n"
           "114 u =best 1 orders 10 spent 10\n");
    regime_end(&regime);
}
END_TEST

START_TEST(what_is_the_same_when_the_interval_is_over_is_not_said_again)
{
    regime_begin(&regime, "trait best = max(\"Order\", total)\n");
    order(0, "u", 9);
    order(1, "u", 4);
    pass(DAY);
    expect("0 u =best 9\n");
    regime_end(&regime);
}
END_TEST

/* ---- by time alone ------------------------------------------------------ */

START_TEST(a_value_leaves_its_window_at_that_millisecond)
{
    regime_begin(&regime, orders);
    order(0, "u", 3);
    order(60 * SECOND, "u", 5);
    expect("0 u =best 3 orders 1 spent 3\n"
           "60000 u =best 5 orders 2 spent 8\n");
    pass(DAY - 1);
    expect("");
    pass(DAY);
    expect("86400000 u =best 5 orders 1 spent 5\n");
    pass(DAY + 60 * SECOND);
    expect("86460000 u =best null orders 0 spent 0\n");
    pass(9 * DAY);
    expect("");
    regime_end(&regime);
}
END_TEST

START_TEST(two_that_leave_within_an_interval_are_said_twice_not_thrice)
{
    regime_begin(&regime, orders);
    for (int i = 0; i < 3; i++)
        order(i * SECOND, "u", 1);
    pass(DAY - 1);
    expect("0 u =best 1 orders 1 spent 1\n"
           "10000 u =best 1 orders 3 spent 3\n");
    pass(2 * DAY);
    expect("86400000 u =best 1 orders 2 spent 2\n"
           "86410000 u =best null orders 0 spent 0\n");
    regime_end(&regime);
}
END_TEST

START_TEST(a_trait_that_a_segment_asks_for_is_told_at_each_change)
{
    regime_begin(&regime, "trait opens = count(\"Open\") from 2h to 1h ago\n"
                          "segment many { when trait.opens >= 3 }\n"
                          "segment few { when count(\"Open\") in 1d >= 2 }\n"
                          "trait daily = count(\"Open\") in 1d\n");
    did(0, "u", "Open");
    did(60 * SECOND, "u", "Open");
    expect("0 u =daily 1 opens 0\n60000 u =daily 2 opens 0\n");
    pass(DAY / 24 - 1);
    expect("");
    pass(DAY / 24 + 60 * SECOND);
    expect("3600000 u =daily 2 opens 1\n3660000 u =daily 2 opens 2\n");
    pass(3 * DAY);
    expect("7200000 u =daily 2 opens 1\n7260000 u =daily 2 opens 0\n"
           "86400000 u =daily 1 opens 0\n86460000 u =daily 0 opens 0\n");
    regime_end(&regime);
}
END_TEST

/* ---- what moves all the time --------------------------------------------- */

START_TEST(an_age_is_told_by_events_and_once_a_day)
{
    regime_begin(&regime, "trait quiet = days_since(last \"Order\")\n"
                          "segment s { when did \"Open\" in 1h }\n");
    did(0, "u", "Open"); /* No trait of it. */
    expect("");
    order(DAY / 2, "u", 1);
    did(DAY, "u", "Open");
    pass(DAY / 2 + DAY - 1);
    expect("43200000 u =quiet 0.0\n");
    pass(4 * DAY);
    expect("129600000 u =quiet 1.0\n216000000 u =quiet 2.0\n"
           "302400000 u =quiet 3.0\n");
    order(4 * DAY + 1, "u", 1);
    expect("345600001 u =quiet 0.0\n");
    pass(5 * DAY);
    expect("");
    regime_end(&regime);
}
END_TEST

START_TEST(a_score_is_told_once_a_day_until_nothing_is_left_of_it)
{
    size_t count;
    regime_begin(&regime, "score fit half-life 1d { \"Order\" 8 }\n"
                          "trait fit = score(fit)\n");
    order(0, "u", 1);
    pass(3 * DAY);
    expect("0 u =fit 8.0\n86400000 u =fit 4.0\n172800000 u =fit 2.0\n"
           "259200000 u =fit 1.0\n");
    pass(300 * DAY);
    const struct seg_output *outputs =
        seg_engine_outputs(regime.engine, &count);
    ck_assert_uint_gt(count, 10);
    ck_assert_uint_lt(count, 70);
    const struct seg_value *last = &outputs[count - 1].traits[0].value;
    ck_assert_int_eq(last->type, SEG_DOUBLE);
    ck_assert_double_eq(last->as.number, 0);
    regime_end(&regime);
}
END_TEST

/* ---- of whom nothing is said --------------------------------------------- */

START_TEST(who_never_had_a_value_is_not_published)
{
    regime_begin(&regime, orders);
    did(0, "u", "Open");
    tell(regime.engine, 0,
         "{\"type\":\"identify\",\"userId\":\"w\",\"traits\":{\"x\":1}}",
         regime.positions[0]++, 0);
    pass(9 * DAY);
    expect("");
    ck_assert_ptr_null(user_item(user_of("u"), USER_ITEM_PUBLISHED).bytes);
    regime_end(&regime);
}
END_TEST

START_TEST(without_traits_nothing_is_kept_and_nothing_written)
{
    struct seg_engine_stats stats;
    struct buf record;
    regime_begin(&regime,
                 "segment s { when did \"Order\" at least 2 times }\n");
    for (int i = 0; i < 5; i++)
        order(i, "u", 1);
    pass(9 * DAY);
    seg_engine_stats(regime.engine, &stats);
    ck_assert_uint_eq(stats.traits + stats.traits_throttled, 0);
    ck_assert_ptr_null(user_item(user_of("u"), USER_ITEM_PUBLISHED).bytes);
    ck_assert_int_eq(regime.catalogue->plan.state_version, 1);
    /* A record that ends as it did before there were traits. */
    buf_init(&record);
    small_world_record(regime.engine, user_of("u"), &record);
    ck_assert_uint_eq((uint8_t)record.bytes[record.len - 3], SECTION_PARKED);
    ck_assert_uint_eq((uint8_t)record.bytes[record.len - 1], SECTION_END);
    buf_done(&record);
    regime_end(&regime);
}
END_TEST

/* ---- the output ---------------------------------------------------------- */

START_TEST(an_output_says_which_event_it_comes_from)
{
    size_t count;
    regime_begin(&regime, orders);
    order(7, "u", 1);
    order(8, "u", 1);
    pass(DAY / 2);
    const struct seg_output *outputs =
        seg_engine_outputs(regime.engine, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(outputs[0].cause, SEG_CAUSE_EVENT);
    ck_assert_int_eq(outputs[0].source_offset, 0);
    ck_assert_ptr_nonnull(outputs[0].source_topic.bytes);
    ck_assert_int_eq(outputs[1].cause, SEG_CAUSE_TIMER);
    ck_assert_ptr_null(outputs[1].source_topic.bytes);
    ck_assert_int_eq(outputs[1].trigger, -1);
    ck_assert_int_eq(outputs[1].segment, -1);
    regime_end(&regime);
}
END_TEST

/* An event of a user, then a timer, for which there is no memory, never were. */
START_TEST(without_memory_nothing_is_half_published)
{
    struct seg_decoder *decoder;
    struct seg_event event;
    struct seg_engine_stats stats;
    int failed = 0, ret = SEG_ERR_NOMEM;
    size_t count;
    regime_begin(&regime, many);
    pass(1001);
    ck_assert_int_eq(seg_decoder_new(&decoder, regime.catalogue), 0);
    const char *json = order_of("b", 3);
    ck_assert_int_eq(seg_decode(decoder, json, strlen(json), &event, NULL), 0);
    const struct seg_origin origin = {0, 9, SMALL_WORLD_START_MS + 1001};
    for (long n = 1; ret < 0; n++, failed += ret < 0) {
        fail_alloc_begin(n, FAIL_ALLOC_FROM);
        ret = seg_engine_apply(regime.engine, &event, &origin);
        fail_alloc_end();
        seg_engine_outputs(regime.engine, &count);
        seg_engine_stats(regime.engine, &stats);
        ck_assert_uint_eq(count, ret == 0);
        ck_assert_uint_eq(stats.traits, ret == 0);
    }
    ck_assert_int_gt(failed, 3);
    expect("1001 b =a 1 b 0 c 3.0 d 3 e 1 f \"of 3 people\" g 1 h 3\n");
    order(1002, "b", 2); /* Waits for the timer. */
    ret = SEG_ERR_NOMEM;
    for (long n = 1; ret < 0; n++, failed += ret < 0) {
        fail_alloc_begin(n, FAIL_ALLOC_FROM);
        ret = seg_engine_advance(regime.engine,
                                 SMALL_WORLD_START_MS + 1001 + INTERVAL, 9);
        fail_alloc_end();
    }
    expect("11001 b =a 2 b 0 c 2.5 d 2 e 2 f \"of 2 people\" g 1 h 3\n");
    seg_decoder_free(decoder);
    regime_end(&regime);
}
END_TEST

/* ---- restore ------------------------------------------------------------- */

/* The engine as it is restored at MS from RECORD and the orders of `u` at the
 * COUNT instants at REDONE. */
static void restore(const struct buf *record, const int64_t *redone, int count,
                    int64_t ms)
{
    struct seg_engine *engine =
        regime_engine(regime.catalogue, SMALL_WORLD_START_MS + ms);
    size_t outputs;
    ck_assert_int_eq(
        seg_engine_restore_user(engine, record->bytes, record->len, NULL), 0);
    for (int i = 0; i < count; i++)
        tell(engine, redone[i], order_of("u", 1), 1000 + i, 1);
    ck_assert_int_eq(
        seg_engine_restore_finish(engine, SMALL_WORLD_START_MS + ms, 1000), 0);
    seg_engine_outputs(engine, &outputs);
    ck_assert_uint_eq(outputs, 0); /* Nothing is published in a restore. */
    seg_engine_free(regime.engine);
    regime.engine = engine;
}

static void flush(struct buf *record)
{
    buf_init(record);
    small_world_record(regime.engine, user_of("u"), record);
}

START_TEST(what_a_restore_finds_is_published_when_the_interval_is_over)
{
    static const int64_t redone[] = {2000, 3000};
    struct buf record;
    regime_begin(&regime, orders);
    order(1000, "u", 1);
    flush(&record);
    expect("1000 u =best 1 orders 1 spent 1\n");
    restore(&record, redone, 2, 3000);
    pass(1000 + INTERVAL - 1);
    expect("");
    pass(1000 + INTERVAL);
    expect("11000 u =best 1 orders 3 spent 3\n");
    buf_done(&record);
    regime_end(&regime);
}
END_TEST

START_TEST(what_a_restore_finds_late_is_published_at_the_clock)
{
    static const int64_t redone[] = {2000};
    struct buf record;
    regime_begin(&regime, orders);
    order(1000, "u", 1);
    flush(&record);
    expect("1000 u =best 1 orders 1 spent 1\n");
    restore(&record, redone, 1, 60 * SECOND);
    pass(60 * SECOND + 1);
    expect("60001 u =best 1 orders 2 spent 2\n");
    buf_done(&record);
    regime_end(&regime);
}
END_TEST

START_TEST(what_was_published_before_the_flush_is_not_published_again)
{
    struct buf record;
    regime_begin(&regime, orders);
    order(0, "u", 1);
    order(1, "u", 1);
    pass(60 * SECOND);
    flush(&record);
    seg_engine_outputs_clear(regime.engine);
    restore(&record, NULL, 0, 60 * SECOND);
    pass(DAY - 1);
    expect("");
    pass(DAY);
    expect("86400000 u =best 1 orders 1 spent 1\n");
    buf_done(&record);
    regime_end(&regime);
}
END_TEST

START_TEST(what_waits_for_the_interval_waits_after_a_restore_too)
{
    struct buf record;
    regime_begin(&regime, orders);
    order(0, "u", 1);
    order(1, "u", 1);
    flush(&record);
    expect("0 u =best 1 orders 1 spent 1\n");
    restore(&record, NULL, 0, 2);
    pass(INTERVAL);
    expect("10000 u =best 1 orders 2 spent 2\n");
    buf_done(&record);
    regime_end(&regime);
}
END_TEST

START_TEST(what_came_and_went_since_the_flush_is_taken_back)
{
    static const int64_t redone[] = {DAY + 2000};
    struct buf record;
    regime_begin(&regime, "trait orders = count(\"Order\") in 1d\n");
    did(1000, "u", "Open");
    flush(&record);
    restore(&record, NULL, 0, 2000);
    pass(3000);
    expect("");
    /* Said after the flush, and lost: {"orders":1}; now it is over. */
    restore(&record, redone, 1, DAY + DAY + 2000);
    pass(3 * DAY);
    expect("172802001 u =orders 0\n");
    buf_done(&record);
    regime_end(&regime);
}
END_TEST

START_TEST(what_time_brought_and_took_since_the_flush_is_taken_back)
{
    struct buf record;
    regime_begin(&regime, "trait late = count(\"Order\") from 2h to 1h ago\n"
                          "trait orders = count(\"Order\")\n");
    order(0, "u", 1);
    flush(&record);
    expect("0 u =late 0 orders 1\n");
    restore(&record, NULL, 0, DAY);
    pass(DAY + 1);
    expect("86400001 u =late 0 orders 1\n");
    pass(2 * DAY);
    expect("");
    buf_done(&record);
    regime_end(&regime);
}
END_TEST

START_TEST(reading_all_inputs_again_publishes_once_more)
{
    struct buf record;
    regime_begin(&regime, orders);
    order(1000, "u", 1);
    flush(&record);
    struct seg_engine *engine =
        regime_engine(regime.catalogue, SMALL_WORLD_START_MS);
    ck_assert_int_eq(
        seg_engine_restore_user(engine, record.bytes, record.len, NULL), 0);
    seg_engine_forget_inputs(engine);
    tell(engine, 1000, order_of("u", 1), 0, 1);
    ck_assert_int_eq(
        seg_engine_restore_finish(engine, SMALL_WORLD_START_MS + 2000, 1000),
        0);
    seg_engine_free(regime.engine);
    regime.engine = engine;
    pass(DAY / 2);
    expect("11000 u =best 1 orders 1 spent 1\n");
    buf_done(&record);
    regime_end(&regime);
}
END_TEST

/* ---- another catalogue --------------------------------------------------- */

START_TEST(the_sweep_of_another_catalogue_publishes_what_is_new)
{
    regime_begin(&regime, "trait orders = count(\"Order\") in 1d\n"
                          "segment s { when count(\"Open\") in 1d > "
                          "count(\"Order\") in 1d }\n");
    order(0, "u", 1);
    did(0, "v", "Open");
    expect("0 u =orders 1\n");
    pass(60 * SECOND);
    /* Added, of what is watched all along. */
    regime_adopt(&regime,
                 "trait orders = count(\"Order\") in 1d\n"
                 "trait opens = count(\"Open\") in 1d\n",
                 1);
    pass(61 * SECOND);
    expect("");
    regime_sweep(&regime, 1);
    expect("61000 u =opens 0 orders 1\n61000 v =opens 1 orders 0\n");
    regime_end(&regime);
}
END_TEST

/* What USER's record says was published last. */
static struct published recorded(const char *user)
{
    struct seg_engine *reader = regime_engine(regime.catalogue, 0);
    struct seg_error detail;
    struct buf record;
    buf_init(&record);
    small_world_record(regime.engine, user_of(user), &record);
    ck_assert_int_eq(
        seg_engine_restore_user(reader, record.bytes, record.len, &detail), 0);
    const struct published found =
        published_read(small_world_user(reader, user));
    buf_done(&record);
    seg_engine_free(reader);
    return found;
}

/* The sweep will publish, and whoever dies then has only such a record. */
START_TEST(a_record_from_before_the_sweep_is_in_doubt)
{
    regime_begin(&regime, "trait orders = count(\"Order\") in 1d\n");
    order(0, "u", 1);
    did(0, "v", "Open");
    expect("0 u =orders 1\n");
    pass(60 * SECOND);
    ck_assert_uint_ne(recorded("u").hash, PUBLISHED_DOUBT);
    regime_adopt(&regime, "trait bought = count(\"Order\") in 1d\n", 7);
    ck_assert_uint_eq(recorded("u").hash, PUBLISHED_DOUBT);
    ck_assert_int_eq(recorded("v").at_ms, PUBLISHED_NEVER);
    /* Who lives knows better. */
    ck_assert_uint_ne(published_read(user_of("u")).hash, PUBLISHED_DOUBT);
    regime_sweep(&regime, 7);
    ck_assert_uint_ne(recorded("u").hash, PUBLISHED_DOUBT);
    regime_end(&regime);
}
END_TEST

START_TEST(a_trait_that_is_called_otherwise_is_published_anew)
{
    regime_begin(&regime, "trait orders = count(\"Order\") in 1d\n");
    order(0, "u", 1);
    did(0, "v", "Open");
    pass(60 * SECOND);
    expect("0 u =orders 1\n");
    regime_adopt(&regime, "trait bought = count(\"Order\") in 1d\n", 7);
    regime_sweep(&regime, 7);
    expect("60000 u =bought 1\n");
    pass(DAY);
    expect("86400000 u =bought 0\n");
    regime_end(&regime);
}
END_TEST

START_TEST(the_sweep_keeps_to_the_interval)
{
    regime_begin(&regime, "trait orders = count(\"Order\") in 1d\n");
    order(0, "u", 1);
    expect("0 u =orders 1\n");
    pass(SECOND);
    regime_adopt(&regime, "trait bought = count(\"Order\") in 1d\n", 7);
    regime_sweep(&regime, 7);
    expect("");
    pass(INTERVAL);
    expect("10000 u =bought 1\n");
    regime_end(&regime);
}
END_TEST

START_TEST(a_catalogue_without_traits_says_so_once)
{
    regime_begin(&regime, orders);
    order(0, "u", 1);
    did(0, "v", "Open");
    pass(60 * SECOND);
    expect("0 u =best 1 orders 1 spent 1\n");
    regime_adopt(&regime, "segment s { when did \"Order\" }\n", 7);
    ck_assert_ptr_nonnull(user_item(user_of("u"), USER_ITEM_PUBLISHED).bytes);
    regime_sweep(&regime, 7);
    expect("60000 u =\n");
    ck_assert_ptr_null(user_item(user_of("u"), USER_ITEM_PUBLISHED).bytes);
    order(DAY, "u", 1);
    pass(9 * DAY);
    expect("");
    regime_end(&regime);
}
END_TEST

START_TEST(a_trait_that_is_warming_is_left_out_until_it_is_known)
{
    regime_begin(&regime, "trait orders = count(\"Order\") in 1d\n");
    order(0, "u", 1);
    expect("0 u =orders 1\n");
    pass(DAY / 2);
    regime_adopt(&regime,
                 "trait orders = count(\"Order\") in 1d\n"
                 "trait spent = sum(\"Order\", total) in 1d\n",
                 7);
    regime_sweep(&regime, 7);
    expect(""); /* Nothing new is known of him. */
    order(DAY / 2 + 60 * SECOND, "u", 5);
    expect("43260000 u =orders 2\n");
    order(DAY / 2 + 120 * SECOND, "new", 7); /* Not of who is born now. */
    expect("43320000 new =orders 1 spent 7\n");
    pass(DAY);
    expect("86400000 u =orders 1\n");
    pass(DAY / 2 + DAY);
    expect("129600000 u =orders 1 spent 5\n");
    regime_end(&regime);
}
END_TEST

/* ---- anything at all ----------------------------------------------------- */

/* What is published of user U, and when. */
static struct {
    int64_t at_ms;
    struct buf text;
} last[4];

static int number_of(struct seg_text id)
{
    return id.bytes[0] - 'a';
}

/* Take what was published; nothing comes within the interval. */
static void take_published(void)
{
    size_t count;
    const struct seg_output *outputs =
        seg_engine_outputs(regime.engine, &count);
    for (size_t i = 0; i < count; i++) {
        if (outputs[i].kind != SEG_OUTPUT_TRAITS)
            continue;
        int u = number_of(outputs[i].user_id);
        buf_reset(&said);
        small_world_traits(&outputs[i], &said);
        ck_assert_msg(!last[u].at_ms ||
                          outputs[i].at_ms >= last[u].at_ms + INTERVAL,
                      "within the interval: %" PRId64 " after %" PRId64,
                      outputs[i].at_ms, last[u].at_ms);
        ck_assert_msg(!last[u].text.len ||
                          strcmp(buf_string(&said), buf_string(&last[u].text)),
                      "said again: %s", buf_string(&said));
        last[u].at_ms = outputs[i].at_ms;
        buf_reset(&last[u].text);
        buf_text(&last[u].text, (struct seg_text){said.bytes, said.len});
    }
    seg_engine_outputs_clear(regime.engine);
}

/* Who is not held back has had his present traits published. */
static void expect_published(int64_t now_ms)
{
    for (uint32_t i = 0; i < regime.engine->store.user_count; i++) {
        const struct user *user = store_at(&regime.engine->store, i);
        const struct plan *plan = regime.engine->plan;
        int u = number_of(user_id(user));
        struct view view = engine_view(regime.engine, user, now_ms);
        if (last[u].at_ms && now_ms < last[u].at_ms + INTERVAL)
            continue;
        arena_reset(&regime.engine->scratch);
        buf_reset(&said);
        for (uint32_t t = 0; t < plan->trait_count; t++) {
            struct seg_value value =
                eval_measured(&view, plan->traits[t].source).value;
            buf_str(&said, t ? " " : "=");
            buf_text(&said, plan->traits[t].rule->key);
            buf_char(&said, ' ');
            buf_json_value(&said, &value);
        }
        ck_assert_str_eq(buf_string(&last[u].text), buf_string(&said));
    }
}

START_TEST(the_last_that_was_published_is_what_is_so)
{
    struct random dice = {.state = 77 + (uint64_t)_i};
    int64_t ms = 1000;
    regime_begin(&regime, many);
    for (int u = 0; u < COUNT(last); u++) {
        last[u].at_ms = 0;
        buf_init(&last[u].text);
    }
    for (int i = 0; i < 300; i++) {
        char user[] = {(char)('a' + random_below(&dice, COUNT(last))), 0};
        order(ms, user, (double)random_below(&dice, 6) / 2);
        take_published();
        expect_published(SMALL_WORLD_START_MS + ms);
        ms += random_below(&dice, 3) ? random_below(&dice, 5000)
                                     : random_below(&dice, 200000);
        for (int64_t next; (next = seg_engine_next_due(regime.engine)) <=
                           SMALL_WORLD_START_MS + ms;) {
            pass(next - SMALL_WORLD_START_MS - 1);
            take_published();
            expect_published(next - 1);
            pass(next - SMALL_WORLD_START_MS);
            take_published();
            expect_published(next);
        }
        pass(ms);
        take_published();
    }
    for (int u = 0; u < COUNT(last); u++)
        buf_done(&last[u].text);
    regime_end(&regime);
}
END_TEST

int main(void)
{
    static const struct suite_row rows[] = {
        TEST(the_first_value_is_published_at_once_and_the_last_one_arrives),
        TEST(an_event_when_the_interval_is_over_publishes_at_once),
        TEST(another_interval_is_kept_to_the_millisecond),
        TEST(what_is_the_same_when_the_interval_is_over_is_not_said_again),
        TEST(a_value_leaves_its_window_at_that_millisecond),
        TEST(two_that_leave_within_an_interval_are_said_twice_not_thrice),
        TEST(a_trait_that_a_segment_asks_for_is_told_at_each_change),
        TEST(an_age_is_told_by_events_and_once_a_day),
        TEST(a_score_is_told_once_a_day_until_nothing_is_left_of_it),
        TEST(who_never_had_a_value_is_not_published),
        TEST(without_traits_nothing_is_kept_and_nothing_written),
        TEST(an_output_says_which_event_it_comes_from),
        TEST(without_memory_nothing_is_half_published),
        TEST(what_a_restore_finds_is_published_when_the_interval_is_over),
        TEST(what_a_restore_finds_late_is_published_at_the_clock),
        TEST(what_was_published_before_the_flush_is_not_published_again),
        TEST(what_waits_for_the_interval_waits_after_a_restore_too),
        TEST(what_came_and_went_since_the_flush_is_taken_back),
        TEST(what_time_brought_and_took_since_the_flush_is_taken_back),
        TEST(reading_all_inputs_again_publishes_once_more),
        TEST(the_sweep_of_another_catalogue_publishes_what_is_new),
        TEST(a_record_from_before_the_sweep_is_in_doubt),
        TEST(a_trait_that_is_called_otherwise_is_published_anew),
        TEST(the_sweep_keeps_to_the_interval),
        TEST(a_catalogue_without_traits_says_so_once),
        TEST(a_trait_that_is_warming_is_left_out_until_it_is_known),
        TIMES(the_last_that_was_published_is_what_is_so, EFFORT(RANDOM_RUN)),
    };
    return suite_run("publish", setup, teardown, rows, COUNT(rows));
}
