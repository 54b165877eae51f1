/* check_backfill.c: what a catalogue asks for and nobody watched before is read
 * again. Random histories are the model test's affair, crashes that of
 * check_protocol.c; here are the cases that neither has: a past of which only
 * the end is left, users who are only in the past, memory that runs out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/user/attribute.h"
#include "lib/user/dedupe.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/regime.h"
#include "tests/support/suite.h"

#define DAYS(n)  ((n)*24.0)
#define PAST_MAX 64

static struct regime regime;
static struct seg_engine *shadow;
static const int64_t all[SEG_TOPICS_MAX];

/* What the inputs hold: all that was sent, as often as it was. */
static struct past {
    double hours;
    int topic;
    int64_t offset;
    char json[256];
} past[PAST_MAX];
static int past_count;

static void setup(void)
{
    past_count = 0;
    shadow = NULL;
}

static void teardown(void)
{
    seg_engine_free(shadow);
    regime_end(&regime);
}

static void note(double hours, int topic, int64_t offset, const char *json)
{
    struct past *p = &past[past_count++];
    ck_assert_int_lt(past_count, PAST_MAX);
    *p = (struct past){.hours = hours, .topic = topic, .offset = offset};
    snprintf(p->json, sizeof(p->json), "%s", json);
}

static void send(double hours, int topic, const char *json)
{
    note(hours, topic, regime.positions[topic], json);
    regime_send(&regime, hours, hours, topic, json);
}

static void did(double hours, const char *user, const char *event)
{
    char json[160];
    snprintf(json, sizeof(json),
             "{\"type\":\"track\",\"userId\":\"%s\",\"event\":\"%s\"}", user,
             event);
    send(hours, 0, json);
}

static void city(double hours, const char *user, const char *city)
{
    char json[160];
    snprintf(json, sizeof(json),
             "{\"type\":\"identify\",\"userId\":\"%s\","
             "\"traits\":{\"address\":{\"city\":\"%s\"}}}",
             user, city);
    send(hours, 1, json);
}

static int64_t instant(double hours)
{
    return SMALL_WORLD_START_MS + (int64_t)(hours * (double)HOUR_MS);
}

/* The catalogue TEXT comes, and everybody is judged by it. */
static void change_to(const char *text)
{
    struct buf said;
    buf_init(&said);
    regime_said(&regime, &said);
    buf_reset(&said);
    regime_adopt(&regime, text, 1000);
    regime_sweep(&regime, 1000);
    regime_said(&regime, &said);
    buf_done(&said);
}

/* ---- the four strides ---------------------------------------------------- */

static void advance_shadow(int64_t to_ms)
{
    int64_t clock_ms = seg_engine_clock(regime.engine);
    int ret;
    to_ms = to_ms < clock_ms ? to_ms : clock_ms;
    while ((ret = seg_engine_backfill_advance(shadow, to_ms, 1)))
        ck_assert_int_eq(ret, 1);
}

static void fold_past(struct seg_decoder *decoder, const struct past *p)
{
    const struct seg_origin origin = {p->topic, p->offset, instant(p->hours)};
    struct seg_event event;
    advance_shadow(origin.timestamp_ms);
    ck_assert_int_eq(
        seg_decode(decoder, p->json, strlen(p->json), &event, NULL), 0);
    ck_assert_int_ge(
        seg_engine_backfill_fold(shadow, regime.engine, &event, &origin), 0);
}

/* The shadow reads from STARTS on. */
static void read_past(const int64_t *starts, int64_t since_ms)
{
    struct seg_decoder *decoder;
    shadow = regime_engine(regime.catalogue, 0);
    ck_assert_int_eq(
        seg_engine_backfill_begin(shadow, regime.engine, starts, since_ms), 0);
    ck_assert_int_eq(seg_decoder_new(&decoder, regime.catalogue), 0);
    for (int i = 0; i < past_count; i++)
        if (past[i].offset >= starts[past[i].topic])
            fold_past(decoder, &past[i]);
    seg_decoder_free(decoder);
}

static void swap(void)
{
    int ret;
    seg_engine_flushed(regime.engine, seg_engine_dirty_count(regime.engine));
    while ((ret = seg_engine_backfill_swap(regime.engine, shadow, 1)))
        ck_assert_int_eq(ret, 1);
    ck_assert_uint_eq(seg_engine_dirty_count(regime.engine),
                      seg_engine_user_count(shadow));
    seg_engine_free(shadow);
    shadow = NULL;
}

static void flush(void)
{
    ck_assert(!seg_engine_backfill_flushed(regime.engine));
    seg_engine_flushed(regime.engine, seg_engine_dirty_count(regime.engine));
    ck_assert(seg_engine_backfill_flushed(regime.engine));
}

static void publish_backfill(void)
{
    ck_assert_int_eq(seg_engine_backfill_publish(regime.engine), 0);
    ck_assert(!seg_engine_backfill_pending(regime.engine));
}

static void fill(const int64_t *starts, int64_t since_ms)
{
    ck_assert(seg_engine_backfill_wanted(regime.engine, starts, since_ms));
    read_past(starts, since_ms);
    swap();
    flush();
    publish_backfill();
}

static enum seg_truth truth(const char *user, const char *segment)
{
    int index = seg_catalogue_segment_index(regime.catalogue, segment);
    struct seg_explanation *why;
    ck_assert_int_eq(seg_explain(&why, regime.engine,
                                 seg_user_find(regime.engine, text_of(user)),
                                 index),
                     0);
    enum seg_truth found = (enum seg_truth)seg_explanation_at(why, 0)->truth;
    seg_explanation_free(why);
    return found;
}

/* ---- all of the past ----------------------------------------------------- */

static const char nothing[] = "segment a { when did \"A\" }\n";

/* Ann and bob did X and Y, and ann once more, for the new catalogue. */
static void live(const char *text)
{
    regime_begin(&regime, nothing);
    did(1, "ann", "X");
    did(2, "bob", "X");
    did(3, "ann", "Y");
    city(4, "ann", "Rome");
    did(5, "ann", "X");
    change_to(text);
    did(6, "ann", "X");
}

static const char *const conditions[] = {
    "did \"X\" at least 3 times in 7d",
    "did \"X\" exactly 3 times",
    "did not \"Y\" in 30d",
    "did not \"Z\"",
    "days_since(first \"X\") > 0",
    "did \"X\" then \"Y\" within 1d",
    "did \"X\" then \"Y\" with no \"Z\" between",
    "distinct(any, event.name) >= 2",
    "user.address.city = \"Rome\"",
    "count(\"X\") > 200% of count(\"Y\")",
    "did \"X\" in 7d without \"Y\" within 3h",
};

/* As it would be had the catalogue been there from the start. */
START_TEST(all_is_known_as_if_it_had_been_watched_from_the_start)
{
    char text[256];
    struct regime fresh;
    static const char *const users[] = {"ann", "bob"};
    snprintf(text, sizeof(text), "segment b { when %s }\n", conditions[_i]);
    live(text);
    fill(all, INT64_MIN);
    regime_sweep(&regime, 1);
    regime_begin(&fresh, text);
    for (int i = 0; i < past_count; i++)
        regime_send(&fresh, past[i].hours, past[i].hours, past[i].topic,
                    past[i].json);
    for (int u = 0; u < COUNT(users); u++) {
        struct seg_explanation *got, *want;
        seg_explain(&got, regime.engine,
                    seg_user_find(regime.engine, text_of(users[u])), 0);
        seg_explain(&want, fresh.engine,
                    seg_user_find(fresh.engine, text_of(users[u])), 0);
        char *a = seg_explanation_text(got), *b = seg_explanation_text(want);
        /* But for since when he is a member. */
        ck_assert_ptr_nonnull(strchr(a, '\n'));
        ck_assert_str_eq(strchr(a, '\n'), strchr(b, '\n'));
        free(a);
        free(b);
        seg_explanation_free(got);
        seg_explanation_free(want);
    }
    ck_assert_uint_eq(seg_engine_segment_size(regime.engine, 0),
                      seg_engine_segment_size(fresh.engine, 0));
    regime_end(&fresh);
}
END_TEST

START_TEST(the_sweep_says_that_it_was_a_backfill_and_fires_nothing)
{
    live("segment b { when did \"X\" at least 3 times in 7d\n"
         "            on enter trigger \"hello\" }\n"
         "segment c { when did not \"Y\" in 30d }\n");
    regime_expect(&regime, "");
    fill(all, INT64_MIN);
    regime_expect(&regime, "");
    regime_sweep(&regime, 1);
    regime_expect(&regime, "6.0 ann +b backfill 1\n6.0 bob +c backfill 1\n");
    ck_assert_uint_eq(regime.engine->observed.warming.epoch_count &&
                          regime.engine->observed.warming.of_source[0],
                      0);
    ck_assert(!seg_engine_backfill_wanted(regime.engine, all, INT64_MIN));
    did(7, "bob", "X");
    did(8, "bob", "X");
    regime_expect(&regime, "8.0 bob +b event 2\n8.0 bob !hello 1\n");
}
END_TEST

/* Whoever restores between the swap and the end knows what the record says. */
START_TEST(before_it_is_published_nothing_is_said)
{
    struct seg_text record;
    struct seg_engine *again;
    live("segment c { when did not \"Y\" in 30d }\n");
    read_past(all, INT64_MIN);
    swap();
    ck_assert(seg_engine_backfill_pending(regime.engine));
    ck_assert(!seg_engine_swept(regime.engine));
    ck_assert_int_eq(truth("bob", "c"), SEG_UNKNOWN);
    ck_assert_int_eq(seg_engine_catalogue_record(regime.engine, &record), 0);
    again = regime_engine(regime.catalogue, seg_engine_clock(regime.engine));
    ck_assert_int_eq(seg_engine_restore_catalogue(again, record.bytes,
                                                  record.len, regime.positions,
                                                  INT64_MIN, NULL),
                     0);
    ck_assert(seg_engine_backfill_wanted(again, all, INT64_MIN));
    ck_assert(!seg_engine_swept(again));
    seg_engine_free(again);
    seg_engine_backfill_drop(regime.engine);
    regime_sweep(&regime, 10);
    regime_expect(&regime, "");
    ck_assert_int_eq(truth("bob", "c"), SEG_UNKNOWN);
    fill(all, INT64_MIN);
    regime_sweep(&regime, 10);
    regime_expect(&regime, "6.0 bob +c backfill 1\n");
}
END_TEST

/* X of ann, from the future. */
static void park(double hours)
{
    static const char json[] =
        "{\"type\":\"track\",\"userId\":\"ann\",\"event\":\"X\"}";
    note(hours, 0, regime.positions[0], json);
    regime_send(&regime, hours, 2, 0, json);
}

/* A build of before reads version 1 and knows of no backfill: it sweeps. */
START_TEST(whoever_restores_before_the_sweep_says_so_too)
{
    struct seg_text record;
    struct seg_engine *again;
    live("segment c { when did not \"Y\" in 30d }\n");
    fill(all, INT64_MIN);
    seg_engine_set_state_version(regime.engine, 2 - _i);
    ck_assert_int_eq(seg_engine_catalogue_record(regime.engine, &record), 0);
    again = regime_engine(regime.catalogue, seg_engine_clock(regime.engine));
    ck_assert_int_eq(seg_engine_restore_catalogue(again, record.bytes,
                                                  record.len, regime.positions,
                                                  INT64_MIN, NULL),
                     0);
    ck_assert(!seg_engine_swept(again));
    ck_assert_int_eq(again->observed.backfilled, !_i);
    ck_assert(!seg_engine_backfill_wanted(again, all, INT64_MIN));
    seg_engine_free(again);
}
END_TEST

/* One before, one after the catalogue came. */
START_TEST(what_is_parked_is_there_once)
{
    regime_begin(&regime, nothing);
    did(1, "ann", "X");
    park(9);
    change_to("segment b { when did \"X\" exactly 2 times }\n"
              "segment c { when did \"X\" exactly 3 times }\n");
    park(11);
    fill(all, INT64_MIN);
    regime_sweep(&regime, 1);
    regime_pass(&regime, 8.9);
    regime_expect(&regime, "");
    regime_pass(&regime, 12);
    regime_expect(&regime, "9.0 ann +b timer 1\n11.0 ann -b timer 2\n"
                           "11.0 ann +c timer 3\n");
}
END_TEST

/* A message that came twice counts once, and is known when it comes again. */
START_TEST(ids_are_those_of_each)
{
    static const char json[] =
        "{\"type\":\"track\",\"userId\":\"ann\",\"event\":\"X\","
        "\"messageId\":\"m\"}";
    regime_begin(&regime, nothing);
    send(1, 0, json);
    send(2, 0, json);
    change_to("segment b { when did \"X\" exactly 1 times }\n"
              "segment c { when did \"X\" exactly 2 times }\n");
    fill(all, INT64_MIN);
    regime_sweep(&regime, 1);
    regime_expect(&regime, "2.0 ann +b backfill 1\n");
    ck_assert_uint_eq(dedupe_count(small_world_user(regime.engine, "ann")), 1);
    send(3, 0, json);
    regime_expect(&regime, "");
}
END_TEST

/* One that was dated ahead takes the clock along, wherever it stands: ids are
 * not old for that. */
START_TEST(ids_are_as_old_as_their_records)
{
    static const char ahead[] =
        "{\"type\":\"track\",\"userId\":\"bob\",\"event\":\"Y\"}";
    static const char json[] =
        "{\"type\":\"track\",\"userId\":\"ann\",\"event\":\"X\","
        "\"messageId\":\"m\"}";
    regime_begin(&regime, nothing);
    for (int i = 0; i < 3; i++) {
        if (i != _i) {
            send(2 + i, 0, json);
            continue;
        }
        note(DAYS(9), 0, regime.positions[0], ahead);
        regime_send(&regime, DAYS(9), 1, 0, ahead);
    }
    did(DAYS(10), "bob", "Y");
    change_to("segment b { when did \"X\" exactly 1 times }\n"
              "segment c { when did \"X\" exactly 2 times }\n");
    fill(all, INT64_MIN);
    regime_sweep(&regime, 1);
    regime_expect(&regime, "240.0 ann +b backfill 1\n");
}
END_TEST

/* ---- what is left of the past -------------------------------------------- */

/* X at days 1, 11, 21, 31 by ann; at days 2, 12 by bob. */
static void live_long(const char *before, const char *after)
{
    regime_begin(&regime, before);
    did(DAYS(1), "ann", "X");
    did(DAYS(2), "bob", "X");
    did(DAYS(11), "ann", "X");
    did(DAYS(12), "bob", "X");
    did(DAYS(21), "ann", "X");
    did(DAYS(31), "ann", "X");
    change_to(after);
}

static int64_t since_of(const char *segment)
{
    const struct seg_engine *engine = regime.engine;
    const struct warming *warming = &engine->observed.warming;
    int index = seg_catalogue_segment_index(regime.catalogue, segment);
    const struct segment *s = &engine->plan->segments[index];
    for (uint32_t f = 0; f < engine->plan->feature_count; f++)
        for (uint32_t i = 0; i < engine->plan->sources[f].segments.count; i++)
            if (&engine->plan->segments[engine->plan->sources[f]
                                            .segments.items[i]] == s &&
                warming->epoch_count && warming->of_source[f])
                return warming->epochs[warming->of_source[f] - 1].since_ms;
    return 0;
}

/* Offsets 0 and 1 are gone: the first record that is left is of day 11. */
START_TEST(what_reaches_back_before_that_is_still_warming)
{
    static const int64_t starts[SEG_TOPICS_MAX] = {2, 0};
    live_long(nothing, "segment week { when did not \"X\" in 15d }\n"
                       "segment long { when did not \"Z\" in 40d }\n"
                       "segment ever { when did not \"Z\" }\n"
                       "segment three { when did \"X\" at least 3 times }\n");
    fill(starts, instant(DAYS(11)));
    regime_sweep(&regime, 10);
    regime_expect(&regime, "744.0 ann +three backfill 1\n"
                           "744.0 bob +week backfill 1\n");
    ck_assert_int_eq(truth("ann", "long"), SEG_UNKNOWN);
    ck_assert_int_eq(truth("ann", "ever"), SEG_UNKNOWN);
    ck_assert_int_eq(truth("bob", "three"), SEG_UNKNOWN);
    ck_assert_int_eq(since_of("long"), instant(DAYS(11)));
    observed_prune(regime.engine);
    ck_assert_int_eq(since_of("week"), 0);
    regime_pass(&regime, DAYS(51) - 0.01);
    regime_expect(&regime, "1104.0 ann +week timer 2\n");
    regime_pass(&regime, DAYS(51));
    regime_expect(&regime, "1224.0 ann +long timer 3\n"
                           "1224.0 bob +long timer 2\n");
}
END_TEST

/* `at least 2` became `at least 3`: two events are kept, and may be older than
 * what is left. */
START_TEST(what_was_kept_is_worth_more_than_half_a_window)
{
    static const int64_t late[SEG_TOPICS_MAX] = {4, 0};
    int64_t since_ms = instant(DAYS(_i ? 20 : 21));
    live_long("segment b { when did \"X\" at least 2 times in 25d }\n",
              _i ? "segment b { when did \"X\" at least 3 times in 11d }\n"
                 : "segment b { when did \"X\" at least 3 times in 25d }\n");
    if (!_i) {
        ck_assert(!seg_engine_backfill_wanted(regime.engine, late, since_ms));
        ck_assert(seg_engine_backfill_wanted(regime.engine, all, since_ms));
        return;
    }
    /* Another window is another feature: of that nothing was kept. */
    fill(late, since_ms);
    ck_assert_int_eq(truth("ann", "b"), SEG_FALSE);
}
END_TEST

/* What was at the same instant and is gone may stand between: of ann, who was
 * there before, that is not known. */
START_TEST(nothing_begins_with_the_first_instant_that_is_left)
{
    static const int64_t starts[SEG_TOPICS_MAX] = {1, 0};
    regime_begin(&regime, nothing);
    did(1, "ann", "Z");
    did(5, "ann", "X");
    did(5, "bob", "X");
    did(6, "ann", "Y");
    did(6, "bob", "Y");
    change_to("segment b { when did \"X\" then directly \"Y\" }\n");
    fill(starts, instant(5));
    regime_sweep(&regime, 1);
    ck_assert_int_eq(truth("ann", "b"), SEG_UNKNOWN);
    ck_assert_int_eq(truth("bob", "b"), SEG_TRUE);
}
END_TEST

static const struct {
    const char *what;
    int64_t starts[2];
    int since_day; /* 0: not known. */
    int wanted;
} wants[] = {
    {"all of it", {0, 0}, 0, 1},
    {"some of it", {2, 0}, 11, 1},
    {"nothing, but not when", {6, 0}, 0, 0},
    {"nothing before the epoch", {6, 0}, 31, 0},
    {"less than is known", {7, 0}, 31, 0},
    {"some, but not of before the epoch", {5, 0}, 31, 0},
    {"more than there is of one", {2, 1}, 11, 0},
};

START_TEST(it_is_wanted_if_it_reaches_back_before_the_epoch)
{
    live_long(nothing, "segment b { when did \"X\" at least 3 times }\n");
    ck_assert_msg(seg_engine_backfill_wanted(
                      regime.engine, wants[_i].starts,
                      wants[_i].since_day ? instant(DAYS(wants[_i].since_day))
                                          : INT64_MIN) == wants[_i].wanted,
                  "%s", wants[_i].what);
}
END_TEST

START_TEST(what_is_known_wants_nothing)
{
    regime_begin(&regime, nothing);
    did(1, "ann", "A");
    ck_assert(!seg_engine_backfill_wanted(regime.engine, all, INT64_MIN));
    change_to("segment a { when entered segment b in 7d }\n"
              "segment b { when did \"A\" }\n");
    ck_assert(!seg_engine_backfill_wanted(regime.engine, all, INT64_MIN));
}
END_TEST

static size_t bytes_of(const struct seg_engine *engine, const char *id)
{
    struct seg_user_info info;
    seg_user_info(engine, seg_user_find(engine, text_of(id)), &info);
    return info.bytes;
}

#define LIVES_THERE                                                      \
    "segment a { when user.address.city = 1 or user.address.b = 1 or "   \
    "user.address.c = 1 or user.address.d = 1 or user.address.e = 1 or " \
    "user.address.f = 1 or user.address.g = 1 or user.address.h = 1 }\n"

/* Ann says where she lives, bob does not; she is no larger for that. */
START_TEST(what_is_known_takes_no_room_in_the_shadow)
{
    regime_begin(&regime, LIVES_THERE);
    city(1, "ann", "Oslo");
    did(2, "ann", "X");
    did(2, "bob", "X");
    change_to(LIVES_THERE "segment b { when did \"X\" }\n");
    ck_assert_uint_gt(bytes_of(regime.engine, "ann"),
                      bytes_of(regime.engine, "bob"));
    read_past(all, INT64_MIN);
    ck_assert_uint_eq(bytes_of(shadow, "ann"), bytes_of(shadow, "bob"));
}
END_TEST

/* What is left knows of Oslo, what was kept that something came later. */
START_TEST(of_an_attribute_the_later_write_holds)
{
    regime_begin(&regime, nothing);
    city(1, "ann", "Rome");
    city(2, "bob", "Rome");
    city(3, "ann", "Oslo");
    change_to("segment b { when user.address.city = \"Oslo\" }\n");
    ck_assert_int_eq(truth("ann", "b"), SEG_UNKNOWN);
    city(4, "bob", "Oslo");
    fill(all, INT64_MIN);
    regime_sweep(&regime, 10);
    regime_expect(&regime, "4.0 bob +b attribute 1\n4.0 ann +b backfill 1\n");
}
END_TEST

/* The engine began to read with the fourth message. */
START_TEST(who_is_only_in_the_past_becomes_known)
{
    struct seg_user_info info;
    regime_begin(&regime, nothing);
    note(1, 0, 0, "{\"type\":\"track\",\"userId\":\"ann\",\"event\":\"Y\"}");
    note(1, 0, 1, "{\"type\":\"track\",\"userId\":\"old\",\"event\":\"X\"}");
    note(2, 0, 2, "{\"type\":\"track\",\"userId\":\"ann\",\"event\":\"X\"}");
    regime.positions[0] = 3;
    did(3, "ann", "X");
    change_to("segment b { when did \"X\" exactly 2 times in 7d }\n"
              "segment c { when did not \"A\" }\n"
              "segment d { when did \"X\" include (\"old\") }\n");
    ck_assert_ptr_null(seg_user_find(regime.engine, text_of("old")));
    fill(all, INT64_MIN);
    regime_sweep(&regime, 10);
    ck_assert_ptr_nonnull(seg_user_find(regime.engine, text_of("old")));
    seg_user_info(regime.engine, seg_user_find(regime.engine, text_of("old")),
                  &info);
    regime_expect(&regime, "3.0 ann +b backfill 2\n3.0 ann +d backfill 3\n"
                           "3.0 old +c backfill 1\n3.0 old +d backfill 2\n");
    /* Ann was known from the start: that she did no A is, too. */
    ck_assert_uint_eq(
        stamp_offset(user_birth(small_world_user(regime.engine, "old"))), 1);
    ck_assert_uint_eq(
        stamp_offset(user_birth(small_world_user(regime.engine, "ann"))), 3);
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

static const enum fail_alloc_mode modes[] = {FAIL_ALLOC_ONE, FAIL_ALLOC_FROM};

static void describe(struct buf *buf)
{
    buf_init(buf);
    regime_describe(regime.engine, REGIME_TIMERS, buf);
}

/* Dropped, the engine is as one that has swapped what it has swapped: read once
 * more, all is there. */
static long swap_failing(long n, enum fail_alloc_mode mode)
{
    int ret;
    live("segment b { when did \"X\" at least 3 times in 7d }\n"
         "segment c { when user.address.city = \"Rome\" }\n"
         "segment d { when did \"X\" then \"Y\" within 1d }\n");
    read_past(all, INT64_MIN);
    fail_alloc_begin(n, mode);
    while ((ret = seg_engine_backfill_swap(regime.engine, shadow, 1)) == 1)
        ;
    if (ret == 0)
        ret = seg_engine_backfill_publish(regime.engine);
    long failed = fail_alloc_end();
    ck_assert(ret == 0 || (failed && ret == SEG_ERR_NOMEM));
    seg_engine_free(shadow);
    shadow = NULL;
    if (ret < 0) {
        seg_engine_backfill_drop(regime.engine);
        read_past(all, INT64_MIN);
        swap();
        publish_backfill();
    }
    regime_sweep(&regime, 10);
    return failed;
}

START_TEST(memory_that_runs_out_in_the_swap_leaves_nobody_half_done)
{
    struct buf want, got;
    swap_failing(1000000, modes[_i]);
    describe(&want);
    for (long n = 1;; n++) {
        regime_end(&regime);
        past_count = 0;
        long failed = swap_failing(n, modes[_i]);
        describe(&got);
        regime_same(&got, &want);
        buf_done(&got);
        if (!failed)
            break;
    }
    buf_done(&want);
}
END_TEST

START_TEST(memory_that_runs_out_while_reading_leaves_the_shadow_as_it_was)
{
    struct seg_decoder *decoder;
    struct seg_event event;
    live("segment b { when did \"X\" at least 3 times in 7d }\n");
    ck_assert_int_eq(seg_decoder_new(&decoder, regime.catalogue), 0);
    for (long n = 1, failed = 1; failed; n++) {
        shadow = regime_engine(regime.catalogue, 0);
        fail_alloc_begin(n, modes[_i]);
        int ret =
            seg_engine_backfill_begin(shadow, regime.engine, all, INT64_MIN);
        failed = fail_alloc_end();
        ck_assert_int_eq(ret, failed ? SEG_ERR_NOMEM : 0);
        if (failed) {
            seg_engine_free(shadow);
            shadow = NULL;
        }
    }
    for (int i = 0; i < past_count; i++) {
        const struct past *p = &past[i];
        const struct seg_origin origin = {p->topic, p->offset,
                                          instant(p->hours)};
        advance_shadow(origin.timestamp_ms);
        ck_assert_int_eq(
            seg_decode(decoder, p->json, strlen(p->json), &event, NULL), 0);
        for (long n = 1;; n++) {
            uint32_t users = seg_engine_user_count(shadow);
            fail_alloc_begin(n, modes[_i]);
            int ret = seg_engine_backfill_fold(shadow, regime.engine, &event,
                                               &origin);
            long failed = fail_alloc_end();
            if (ret == 0)
                break;
            ck_assert(failed && ret == SEG_ERR_NOMEM);
            ck_assert_uint_eq(seg_engine_user_count(shadow), users);
        }
    }
    seg_decoder_free(decoder);
    swap();
    flush();
    publish_backfill();
    regime_sweep(&regime, 10);
    regime_expect(&regime, "6.0 ann +b backfill 1\n");
}
END_TEST

START_TEST(users_max_holds_for_those_of_the_past)
{
    regime_begin(&regime, nothing);
    note(1, 0, 0, "{\"type\":\"track\",\"userId\":\"old\",\"event\":\"X\"}");
    regime.positions[0] = 1;
    did(2, "ann", "X");
    change_to("segment b { when did \"X\" }\n");
    read_past(all, INT64_MIN);
    regime.engine->store.users_max = 1;
    int ret;
    while ((ret = seg_engine_backfill_swap(regime.engine, shadow, 1)) == 1)
        ;
    ck_assert_int_eq(ret, SEG_ERR_LIMIT);
    seg_engine_backfill_drop(regime.engine);
    ck_assert_uint_eq(seg_engine_user_count(regime.engine), 1);
    regime_sweep(&regime, 10);
    ck_assert(seg_engine_swept(regime.engine));
}
END_TEST

SUITE("backfill", setup, teardown,
      TABLE(all_is_known_as_if_it_had_been_watched_from_the_start, conditions),
      TEST(the_sweep_says_that_it_was_a_backfill_and_fires_nothing),
      TEST(before_it_is_published_nothing_is_said),
      TIMES(whoever_restores_before_the_sweep_says_so_too, 2),
      TEST(what_is_parked_is_there_once), TEST(ids_are_those_of_each),
      TIMES(ids_are_as_old_as_their_records, 3),
      TEST(what_reaches_back_before_that_is_still_warming),
      TIMES(what_was_kept_is_worth_more_than_half_a_window, 2),
      TEST(nothing_begins_with_the_first_instant_that_is_left),
      TABLE(it_is_wanted_if_it_reaches_back_before_the_epoch, wants),
      TEST(what_is_known_wants_nothing),
      TEST(what_is_known_takes_no_room_in_the_shadow),
      TEST(of_an_attribute_the_later_write_holds),
      TEST(who_is_only_in_the_past_becomes_known),
      TABLE(memory_that_runs_out_in_the_swap_leaves_nobody_half_done, modes),
      TABLE(memory_that_runs_out_while_reading_leaves_the_shadow_as_it_was,
            modes),
      TEST(users_max_holds_for_those_of_the_past))
