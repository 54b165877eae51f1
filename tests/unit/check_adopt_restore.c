/* check_adopt_restore.c: a catalogue that changes, and what a crash makes of
 * it.
 *
 * The users of small_world.h under its catalogue, then under another that
 * renames, narrows, widens, removes and adds. Whether the engine lived through
 * the change, was restored under the new catalogue, was killed in the middle of
 * the sweep or ran out of memory: all end the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/regime.h"
#include "tests/support/suite.h"

static const char after_text[] =
    "segment exporters {\n" /* Narrowed, and nobody is told. */
    "  when did \"Report Exported\" at least 5 times in 7d\n"
    "  on exit trigger \"come_back\"\n"
    "}\n"
    "segment often { when did \"Report Exported\" at least 2 times }\n" /* Ever.
                                                                         */
    "segment quiet { when did not \"Visited\" in 2d }\n"
    "segment silent { when did not any in 3d }\n"
    "segment not_silent { when not in segment silent }\n"
    "segment paying { when user.plan in (\"free\", \"pro\") }\n"
    "segment beta { when user.tags is set }\n"
    "segment oslo { when user.address.street is set }\n"
    "segment town { when account.town = \"Bergen\" }\n"
    "segment thirty { when user.age > 30 or user.vip = true }\n"
    "segment unhappy { when last(\"Answered\", score) in 3d <= 6 }\n"
    "segment by_mail { when first(\"Visited\", ref) = \"mail\" }\n"
    "segment fresh { when days_since(first \"Visited\") < 4 }\n"
    "segment stale { when days_since(last \"Report Exported\") >= 2 }\n"
    "segment busy { when in segment often and not in segment paying }\n"
    "segment left_lately { when left segment quiet in 9d }\n"
    "segment not_lately { when not entered segment quiet in 4d }\n"
    "segment friends { when in segment paying or count(\"Visited\") in 2d >= "
    "2\n"
    "  include (\"dan\") exclude (\"fay\") }\n";

static const char between_text[] =
    "segment lapsed { when did any at least 2 times from 4d to 2d ago }\n"
    "segment nick { when user.nick is set }\n";

static struct regime regime;
static struct seg_decoder *decoder;

static void teardown(void)
{
    regime_end(&regime);
}

/* ---- what a partition keeps --------------------------------------------- */

static struct kept {
    struct kept_record {
        char bytes[8192];
        size_t len;
    } users[16], catalogue;
    int user_count;
    int64_t clock_ms;
    int64_t positions[2]; /* Of the records. */
} kept;

static void keep(struct kept_record *to, struct seg_text text)
{
    ck_assert_uint_le(text.len, sizeof(to->bytes));
    memcpy(to->bytes, text.bytes, text.len);
    to->len = text.len;
}

static void keep_catalogue(void)
{
    struct seg_text text;
    ck_assert_int_eq(seg_engine_catalogue_record(regime.engine, &text), 0);
    keep(&kept.catalogue, text);
}

/* All users are written, and the catalogue record. */
static void flush(void)
{
    struct buf buf;
    buf_init(&buf);
    kept.user_count = (int)regime.engine->store.user_count;
    for (int i = 0; i < kept.user_count; i++) {
        buf_reset(&buf);
        snapshot_encode(regime.engine, store_at(&regime.engine->store, i),
                        regime.positions, &buf);
        keep(&kept.users[i], (struct seg_text){buf.bytes, buf.len});
    }
    memcpy(kept.positions, regime.positions, sizeof(kept.positions));
    kept.clock_ms = seg_engine_clock(regime.engine);
    buf_done(&buf);
    keep_catalogue();
}

/* ---- a story in steps --------------------------------------------------- */

static int64_t offsets[64]; /* Of the steps, each in its topic. */

static void begin(void)
{
    int64_t next[2] = {0, 0};
    regime_begin(&regime, small_world_text);
    for (int i = 0; i < small_world_step_count; i++)
        offsets[i] = next[small_world_steps[i].topic]++;
}

static void step(int i)
{
    const struct small_step *s = &small_world_steps[i];
    regime_send(&regime, s->hours,
                (double)(small_world_clock(s) - SMALL_WORLD_START_MS) /
                    (double)HOUR_MS,
                s->topic, s->json);
}

static void steps(int from, int to)
{
    for (int i = from; i < to; i++)
        step(i);
}

static int redo(struct seg_engine *engine, int i)
{
    const struct small_step *s = &small_world_steps[i];
    const struct seg_origin origin = {
        s->topic, offsets[i],
        SMALL_WORLD_START_MS + (int64_t)(s->hours * (double)HOUR_MS)};
    struct seg_event event;
    ck_assert_int_eq(
        seg_decode(decoder, s->json, strlen(s->json), &event, NULL), 0);
    int ret = seg_engine_redo(engine, &event, &origin);
    seg_decoder_reset(decoder);
    return ret;
}

/* OUTPUTS of engine FROM are read back by TO. */
static void read_back(struct seg_engine *to, const struct seg_engine *from,
                      size_t first)
{
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(from, &count);
    for (size_t i = first; i < count; i++) {
        const struct seg_output *output = &outputs[i];
        struct seg_trigger_info trigger = {0};
        struct seg_restored back = {.user_id = output->user_id,
                                    .segment = output->segment_key,
                                    .member = output->member,
                                    .seq = output->seq,
                                    .at_ms = output->at_ms,
                                    .entered_at_ms = output->entered_at_ms};
        if (output->kind == SEG_OUTPUT_CHANGE) {
            ck_assert_int_eq(seg_engine_restore_change(to, &back, NULL), 0);
            continue;
        }
        seg_catalogue_trigger(seg_engine_catalogue(from), output->trigger,
                              &trigger);
        back.trigger = text_of(trigger.name);
        ck_assert_int_eq(seg_engine_restore_trigger(to, &back, NULL), 0);
    }
}

/* A new engine of CATALOGUE, and the users that were flushed. */
static struct seg_engine *read_users(const struct seg_catalogue *catalogue)
{
    struct seg_engine *engine = regime_engine(catalogue, kept.clock_ms);
    for (int i = 0; i < kept.user_count; i++)
        ck_assert_int_eq(seg_engine_restore_user(engine, kept.users[i].bytes,
                                                 kept.users[i].len, NULL),
                         0);
    ck_assert_int_eq(
        seg_engine_restore_catalogue(engine, kept.catalogue.bytes,
                                     kept.catalogue.len, regime.positions,
                                     seg_engine_latest(regime.engine), NULL),
        0);
    return engine;
}

static void finish(struct seg_engine *engine, int64_t clock_ms)
{
    size_t count;
    ck_assert_int_eq(seg_engine_restore_finish(engine, clock_ms, 100), 0);
    seg_engine_outputs(engine, &count);
    ck_assert_uint_eq(count, 0); /* No repairs. */
}

static void sweep(struct seg_engine *engine)
{
    int ret;
    while ((ret = seg_engine_sweep(engine, 1)))
        ck_assert_int_eq(ret, 1);
}

static void expect_same_life(struct seg_engine *got, struct seg_engine *want,
                             enum regime_timers timers)
{
    struct buf a, b;
    buf_init(&a);
    buf_init(&b);
    for (int days = 2; days < 20; days++) {
        int64_t to_ms = SMALL_WORLD_START_MS + days * DAY_MS;
        if (to_ms > seg_engine_clock(want)) {
            ck_assert_int_eq(seg_engine_advance(got, to_ms, 10000), 0);
            ck_assert_int_eq(seg_engine_advance(want, to_ms, 10000), 0);
        }
        buf_reset(&a);
        buf_reset(&b);
        regime_describe(got, timers, &a);
        regime_describe(want, timers, &b);
        regime_same(&a, &b);
    }
    buf_done(&a);
    buf_done(&b);
}

/* ---- restored under another catalogue ----------------------------------- */

/* Flushed after step _i; all the rest is read back, under the other catalogue.
 */
START_TEST(a_restore_under_another_catalogue_is_a_change_of_it)
{
    struct seg_catalogue *after = small_world_compile(after_text);
    size_t seen;
    ck_assert_int_eq(seg_decoder_new(&decoder, after), 0);
    begin();
    steps(0, _i);
    flush();
    seg_engine_outputs(regime.engine, &seen);
    steps(_i, small_world_step_count);
    struct seg_engine *restored = read_users(after);
    read_back(restored, regime.engine, seen);
    for (int i = 0; i < small_world_step_count; i++)
        ck_assert_int_ge(redo(restored, i), 0);
    finish(restored, seg_engine_clock(regime.engine));
    ck_assert(!seg_engine_swept(restored));
    regime_adopt(&regime, after_text, 3);
    sweep(restored);
    regime_sweep(&regime, 2);
    expect_same_life(restored, regime.engine, REGIME_TIMERS);
    seg_engine_free(restored);
    seg_decoder_free(decoder);
    seg_catalogue_free(after);
}
END_TEST

/* Nobody watched when ann left; of her there is no record, so that where she was
 * born is known from the input only. */
START_TEST(who_is_known_by_changes_alone_left_before_anybody_watched)
{
    static const char x[] = "{\"type\":\"track\",\"userId\":\"ann\","
                            "\"event\":\"X\"}";
    static const struct seg_origin origin = {1, 0, SMALL_WORLD_START_MS};
    struct seg_catalogue *after =
        small_world_compile("segment a { when did \"X\" in 1h }\n"
                            "segment b { when left segment a in 5d }\n");
    struct seg_event event;
    size_t count;
    regime_begin(&regime, "segment a { when did \"X\" in 1h }\n");
    flush();
    regime_send(&regime, 0, 0, 1, x);
    regime_pass(&regime, 2);
    struct seg_engine *restored = read_users(after);
    read_back(restored, regime.engine, 0);
    ck_assert_int_eq(seg_decoder_new(&decoder, after), 0);
    ck_assert_int_eq(seg_decode(decoder, x, strlen(x), &event, NULL), 0);
    ck_assert_int_eq(seg_engine_redo(restored, &event, &origin), SEG_APPLIED);
    finish(restored, seg_engine_clock(regime.engine));
    sweep(restored);
    seg_engine_outputs(restored, &count);
    ck_assert_uint_eq(count, 0);
    seg_engine_free(restored);
    seg_decoder_free(decoder);
    seg_catalogue_free(after);
}
END_TEST

/* He was born when it was watched already, which is known last; the catalogue is
 * observed only since later, as somebody's event was dated ahead. */
START_TEST(who_is_known_by_changes_alone_left_while_it_was_watched)
{
    static const char x[] = "{\"type\":\"track\",\"userId\":\"ann\","
                            "\"event\":\"X\"}";
    static const char ahead[] = "{\"type\":\"track\",\"userId\":\"bob\","
                                "\"event\":\"X\"}";
    static const struct seg_origin origin = {1, 0, SMALL_WORLD_START_MS};
    struct seg_event event;
    size_t seen, count;
    regime_begin(&regime, "segment a { when did \"X\" in 1h }\n");
    regime_send(&regime, 9, 0, 0, ahead);
    regime_adopt(&regime,
                 "segment a { when did \"X\" in 1h }\n"
                 "segment b { when left segment a in 5d }\n",
                 100);
    regime_sweep(&regime, 100);
    flush();
    seg_engine_outputs(regime.engine, &seen);
    regime_send(&regime, 0, 0, 1, x);
    regime_pass(&regime, 2);
    struct seg_engine *restored = read_users(regime.catalogue);
    read_back(restored, regime.engine, seen);
    ck_assert_int_eq(seg_decoder_new(&decoder, regime.catalogue), 0);
    ck_assert_int_eq(seg_decode(decoder, x, strlen(x), &event, NULL), 0);
    ck_assert_int_eq(seg_engine_redo(restored, &event, &origin), SEG_APPLIED);
    finish(restored, seg_engine_clock(regime.engine));
    seg_engine_outputs(restored, &count);
    ck_assert_uint_eq(count, 0);
    expect_same_life(restored, regime.engine, REGIME_NO_TIMERS);
    seg_engine_free(restored);
    seg_decoder_free(decoder);
}
END_TEST

/* The change happens at step _i, users were flushed before any of it, and all
 * is read back under the catalogue in force. */
START_TEST(a_restore_under_the_catalogue_in_force_repairs_nothing)
{
    begin();
    flush();
    steps(0, _i);
    struct seg_engine *first = regime.engine;
    struct seg_catalogue *before = regime.catalogue;
    struct seg_catalogue *after = small_world_compile(after_text);
    struct seg_engine *next =
        regime_engine(after, seg_engine_clock(regime.engine));
    ck_assert_int_eq(seg_engine_adopt(next, first, regime.positions, 100), 0);
    regime.engine = next;
    regime.catalogue = after;
    keep_catalogue();
    sweep(next);
    steps(_i, small_world_step_count);
    ck_assert_int_eq(seg_decoder_new(&decoder, after), 0);
    keep_catalogue(); /* Swept. */
    struct seg_engine *restored = read_users(after);
    read_back(restored, first, 0);
    read_back(restored, next, 0);
    for (int i = 0; i < small_world_step_count; i++)
        ck_assert_int_ge(redo(restored, i), 0);
    finish(restored, seg_engine_clock(next));
    ck_assert(seg_engine_swept(restored));
    expect_same_life(restored, next, REGIME_NO_TIMERS);
    seg_engine_free(restored);
    seg_engine_free(first);
    seg_catalogue_free(before);
    seg_decoder_free(decoder);
}
END_TEST

/* Records of two catalogues ago: what the one between did not read is stale. */
START_TEST(a_record_of_two_catalogues_ago_has_no_more_than_is_known)
{
    size_t seen;
    begin();
    steps(0, _i);
    flush();
    seg_engine_outputs(regime.engine, &seen);
    struct seg_engine *first = regime.engine;
    struct seg_catalogue *before = regime.catalogue;
    regime.catalogue = small_world_compile(between_text);
    regime.engine = regime_engine(regime.catalogue, seg_engine_clock(first));
    ck_assert_int_eq(
        seg_engine_adopt(regime.engine, first, regime.positions, 100), 0);
    sweep(regime.engine);
    steps(_i, small_world_step_count);
    keep_catalogue();
    struct seg_engine *restored = read_users(before);
    ck_assert_int_eq(seg_decoder_new(&decoder, before), 0);
    read_back(restored, first, seen);
    read_back(restored, regime.engine, 0);
    for (int i = 0; i < small_world_step_count; i++)
        ck_assert_int_ge(redo(restored, i), 0);
    finish(restored, seg_engine_clock(regime.engine));
    regime_adopt(&regime, small_world_text, 2);
    regime_sweep(&regime, 1);
    sweep(restored);
    expect_same_life(restored, regime.engine, REGIME_TIMERS);
    seg_engine_free(restored);
    seg_engine_free(first);
    seg_catalogue_free(before);
    seg_decoder_free(decoder);
}
END_TEST

/* ---- killed in the middle of a sweep ------------------------------------ */

/* What OF says, a change a line. */
static void said_of(const struct seg_engine *of, size_t first, struct buf *buf)
{
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(of, &count);
    for (size_t i = first; i < count; i++)
        buf_printf(buf, "%.*s %c%.*s %d %u\n", (int)outputs[i].user_id.len,
                   outputs[i].user_id.bytes, outputs[i].member ? '+' : '-',
                   (int)outputs[i].segment_key.len,
                   outputs[i].segment_key.bytes, outputs[i].cause,
                   outputs[i].seq);
}

/* _i users were swept when it was killed, nothing of that was flushed. */
START_TEST(a_sweep_that_was_killed_is_done_again_without_doubles)
{
    struct buf got, want;
    size_t seen;
    buf_init(&got);
    buf_init(&want);
    begin();
    steps(0, small_world_step_count);
    flush();
    regime_adopt(&regime, after_text, 2);
    keep_catalogue();
    for (int i = 0; i < _i; i++)
        ck_assert_int_ge(seg_engine_sweep(regime.engine, 1), 0);
    said_of(regime.engine, 0, &got);
    struct seg_engine *restored = read_users(regime.catalogue);
    read_back(restored, regime.engine, 0);
    finish(restored, seg_engine_clock(regime.engine));
    ck_assert(!seg_engine_swept(restored));
    sweep(restored);
    said_of(restored, 0, &got);
    sweep(regime.engine);
    said_of(regime.engine, 0, &want);
    regime_same(&got, &want);
    seg_engine_outputs(regime.engine, &seen);
    ck_assert_uint_gt(seen, 20);
    expect_same_life(restored, regime.engine, REGIME_TIMERS);
    seg_engine_free(restored);
    buf_done(&got);
    buf_done(&want);
}
END_TEST

/* Killed, and now the catalogue of the beginning is back: a third one. */
START_TEST(a_sweep_that_was_killed_may_be_followed_by_another)
{
    begin();
    steps(0, small_world_step_count);
    flush();
    regime_adopt(&regime, after_text, 2);
    keep_catalogue();
    for (int i = 0; i < _i; i++)
        ck_assert_int_ge(seg_engine_sweep(regime.engine, 1), 0);
    struct seg_catalogue *before = small_world_compile(small_world_text);
    struct seg_engine *restored = read_users(before);
    read_back(restored, regime.engine, 0);
    finish(restored, seg_engine_clock(regime.engine));
    ck_assert_uint_eq(restored->observed.epoch, 3);
    sweep(restored);
    regime_adopt(&regime, small_world_text, 1);
    regime_sweep(&regime, 3);
    expect_same_life(restored, regime.engine, REGIME_TIMERS);
    seg_engine_free(restored);
    seg_catalogue_free(before);
}
END_TEST

/* ---- out of memory ------------------------------------------------------ */

static const enum fail_alloc_mode modes[] = {FAIL_ALLOC_ONE, FAIL_ALLOC_FROM};

/* Everything about the users of ENGINE, their records included. */
static void describe(struct seg_engine *engine, struct buf *buf)
{
    buf_reset(buf);
    regime_describe(engine, REGIME_TIMERS, buf);
    said_of(engine, 0, buf);
    for (uint32_t i = 0; i < engine->store.user_count; i++)
        small_world_record(engine, store_at(&engine->store, i), buf);
    buf_printf(buf, "%u %d", seg_engine_dirty_count(engine),
               seg_engine_swept(engine));
}

static void make_cold(struct seg_engine *engine)
{
    arena_done(&engine->scratch);
    buf_done(&engine->record);
    buf_done(&engine->observed.record);
    free(engine->saved.block);
    engine->saved.block = NULL;
    engine->saved.cap = 0;
    if (engine->output_count)
        return;
    arena_done(&engine->output_arena);
    free(engine->outputs);
    engine->outputs = NULL;
    engine->output_cap = 0;
}

/* Move users with allocation N of all failing. Returns whether there was one.
 */
static long adopt_failing(const struct seg_catalogue *after, long n,
                          enum fail_alloc_mode mode, struct seg_engine **next)
{
    int ret;
    *next = regime_engine(after, seg_engine_clock(regime.engine));
    make_cold(regime.engine);
    fail_alloc_begin(n, mode);
    do
        ret = seg_engine_adopt(*next, regime.engine, regime.positions, 2);
    while (ret == 1);
    long failed = fail_alloc_end();
    ck_assert_int_eq(ret, failed ? SEG_ERR_NOMEM : 0);
    return failed;
}

START_TEST(who_cannot_be_moved_stays)
{
    struct seg_catalogue *after = small_world_compile(after_text);
    struct seg_engine *next, *clean;
    struct buf before, now, want;
    long n;
    buf_init(&before);
    buf_init(&now);
    buf_init(&want);
    begin();
    steps(0, small_world_step_count);
    describe(regime.engine, &before);
    for (n = 1; adopt_failing(after, n, modes[_i], &next); n++) {
        seg_engine_free(next);
        describe(regime.engine, &now);
        regime_same(&now, &before);
    }
    ck_assert_int_gt(n, 10);
    sweep(next);
    describe(next, &now);
    seg_engine_free(next);
    regime_end(&regime);
    begin();
    steps(0, small_world_step_count);
    ck_assert(!adopt_failing(after, 100000, FAIL_ALLOC_ONE, &clean));
    sweep(clean);
    describe(clean, &want);
    regime_same(&now, &want);
    seg_engine_free(clean);
    seg_catalogue_free(after);
    buf_done(&before);
    buf_done(&now);
    buf_done(&want);
}
END_TEST

/* One user is swept, allocation N failing: done, or as if it had not begun. */
static long sweep_failing(long n, enum fail_alloc_mode mode, struct buf *before,
                          struct buf *now)
{
    describe(regime.engine, before);
    make_cold(regime.engine);
    fail_alloc_begin(n, mode);
    int ret = seg_engine_sweep(regime.engine, 1);
    long failed = fail_alloc_end();
    ck_assert_msg(ret == 0 || ret == 1 || (failed && ret == SEG_ERR_NOMEM),
                  "allocation %ld: %d", n, ret);
    if (ret == SEG_ERR_NOMEM) {
        describe(regime.engine, now);
        regime_same(now, before);
    }
    seg_engine_outputs_clear(regime.engine);
    return ret < 0;
}

START_TEST(who_cannot_be_judged_is_judged_again)
{
    struct buf before, now;
    int failures = 0;
    buf_init(&before);
    buf_init(&now);
    begin();
    steps(0, small_world_step_count);
    regime_adopt(&regime, after_text, 100);
    while (!seg_engine_swept(regime.engine))
        for (long n = 1; sweep_failing(n, modes[_i], &before, &now); n++)
            failures++;
    ck_assert_int_gt(failures, 10);
    describe(regime.engine, &now);
    regime_end(&regime);
    begin();
    steps(0, small_world_step_count);
    regime_adopt(&regime, after_text, 1);
    regime_sweep(&regime, 100);
    seg_engine_outputs_clear(regime.engine);
    describe(regime.engine, &before);
    regime_same(&now, &before);
    buf_done(&before);
    buf_done(&now);
}
END_TEST

SUITE("adopt_restore", NULL, teardown,
      TIMES(a_restore_under_another_catalogue_is_a_change_of_it, 23),
      TEST(who_is_known_by_changes_alone_left_while_it_was_watched),
      TEST(who_is_known_by_changes_alone_left_before_anybody_watched),
      TIMES(a_restore_under_the_catalogue_in_force_repairs_nothing, 23),
      TIMES(a_record_of_two_catalogues_ago_has_no_more_than_is_known, 23),
      TIMES(a_sweep_that_was_killed_is_done_again_without_doubles, 8),
      TIMES(a_sweep_that_was_killed_may_be_followed_by_another, 8),
      TABLE(who_cannot_be_moved_stays, modes),
      TABLE(who_cannot_be_judged_is_judged_again, modes))
