/* check_no_memory.c: what the library does when memory runs out.
 *
 * Whatever it was doing is done again and again, with the first, the second,
 * the third ... allocation failing, until one run needs no more. Each of them
 * says SEG_ERR_NOMEM, leaks nothing (AddressSanitizer looks on), and leaves
 * everything as it was: then the same call succeeds, and ends where it would
 * have ended had there been memory all the time.
 *
 * (Check itself asks for memory in ck_assert: none of it while some may fail.)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

static struct seg_catalogue *catalogue;
static const enum fail_alloc_mode modes[] = {FAIL_ALLOC_ONE, FAIL_ALLOC_FROM};
static enum fail_alloc_mode mode;

static void setup(void)
{
    catalogue = small_world_catalogue();
}

static void teardown(void)
{
    seg_catalogue_free(catalogue);
}

/* ---- what an engine is ------------------------------------------------- */

/* A story is a row of calls on one engine. */
struct story {
    struct seg_engine *engine;
    struct seg_decoder *decoder;
    struct buf outputs; /* What happened, as lines. */
};

/* Whatever there is to say of the engine of STORY, as text and records. */
static void describe(struct story *story, struct buf *buf)
{
    struct seg_engine *engine = story->engine;
    struct seg_engine_stats stats;
    buf_reset(buf);
    seg_engine_stats(engine, &stats);
    buf_printf(
        buf, "%lld %u %llu %llu %llu %llu %llu\n",
        (long long)seg_engine_clock(engine), seg_engine_user_count(engine),
        (unsigned long long)stats.events, (unsigned long long)stats.entered,
        (unsigned long long)stats.exited, (unsigned long long)stats.triggers,
        (unsigned long long)stats.repairs);
    for (int i = 0; i < seg_catalogue_segment_count(catalogue); i++)
        buf_printf(buf, "%u ", seg_engine_segment_size(engine, i));
    buf_add(buf, story->outputs.bytes, story->outputs.len);
    small_world_outputs(engine, catalogue, buf);
    for (uint32_t i = 0; i < engine->store.user_count; i++) {
        const struct user *user = store_at(&engine->store, i);
        ck_assert(user_validate(user));
        ck_assert_uint_eq(store_index(&engine->store, user), i);
        ck_assert_ptr_eq(store_find(&engine->store, user_id(user),
                                    store_hash(&engine->store, user_id(user))),
                         user);
        small_world_record(engine, user, buf);
    }
    /* Nobody else has a timer, that of a user who was not born after all. */
    for (uint32_t i = engine->store.user_count; i < engine->timers.count; i++)
        ck_assert_int_eq(timers_at(&engine->timers, i), TIMERS_NEVER);
    ck_assert(!buf_failed(buf));
}

static void expect_same(const struct buf *got, const struct buf *want,
                        const char *what, long n)
{
    ck_assert_msg(got->len == want->len &&
                      !memcmp(got->bytes, want->bytes, got->len),
                  "%s, allocation %ld failed: not as it should be", what, n);
}

/* ---- engines --------------------------------------------------------- */

START_TEST(an_engine_is_made_or_not)
{
    struct seg_engine_options options = small_world_options(catalogue);
    for (long n = 1;; n++) {
        struct seg_engine *engine = NULL;
        struct seg_decoder *decoder = NULL;
        fail_alloc_begin(n, modes[_i]);
        int ret = seg_engine_new(&engine, &options);
        int decoding = seg_decoder_new(&decoder, catalogue);
        long failed = fail_alloc_end();
        ck_assert((ret == 0) == (engine != NULL));
        ck_assert((decoding == 0) == (decoder != NULL));
        ck_assert(ret == 0 || ret == SEG_ERR_NOMEM);
        ck_assert(decoding == 0 || decoding == SEG_ERR_NOMEM);
        ck_assert(!failed == (ret == 0 && decoding == 0));
        seg_engine_free(engine);
        seg_decoder_free(decoder);
        if (!failed)
            break;
    }
}
END_TEST

struct plot {
    int count;
    int (*call)(struct story *story, int i); /* Returns what the call did. */
    int (*atomic)(int i); /* Whether a failed call changes nothing at all. */
};

static void story_begin(struct story *story)
{
    story->engine = small_world_engine(catalogue);
    ck_assert_int_eq(seg_decoder_new(&story->decoder, catalogue), 0);
    buf_init(&story->outputs);
}

static void story_end(struct story *story)
{
    seg_engine_free(story->engine);
    seg_decoder_free(story->decoder);
    buf_done(&story->outputs);
}

static void tell(struct story *story, const struct plot *plot, int from, int to)
{
    for (int i = from; i < to; i++) {
        ck_assert_int_ge(plot->call(story, i), 0);
        small_world_outputs(story->engine, catalogue, &story->outputs);
        seg_engine_outputs_clear(story->engine);
    }
}

/* What ENGINE has in store for later calls is given back: they must ask for it
 * again. */
static void make_cold(struct seg_engine *engine)
{
    arena_done(&engine->scratch);
    buf_done(&engine->record);
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

/* The engine before call AT, in BUF. */
static void describe_before(const struct plot *plot, int at, struct buf *buf)
{
    struct story story;
    story_begin(&story);
    tell(&story, plot, 0, at);
    describe(&story, buf);
    story_end(&story);
}

/* The story with allocation N of call AT failing. Returns whether there was
 * one. */
static long fail_once(const struct plot *plot, int at, long n,
                      const struct buf *before, const struct buf *end)
{
    struct story story;
    struct buf now;
    char what[64];
    buf_init(&now);
    snprintf(what, sizeof(what), "call %d", at);
    story_begin(&story);
    tell(&story, plot, 0, at);
    make_cold(story.engine);
    fail_alloc_begin(n, mode);
    int ret = plot->call(&story, at);
    long failed = fail_alloc_end();
    ck_assert_msg(ret >= 0 || (failed && ret == SEG_ERR_NOMEM),
                  "%s, allocation %ld: %s", what, n, seg_error_name(ret));
    describe(&story, &now);
    if (ret < 0 && plot->atomic(at))
        expect_same(&now, before, what, n);
    tell(&story, plot, ret < 0 ? at : at + 1, plot->count);
    describe(&story, &now);
    expect_same(&now, end, "the end", n);
    story_end(&story);
    buf_done(&now);
    return failed;
}

static void fail_everywhere(const struct plot *plot)
{
    struct buf before, end;
    long failures = 0;
    buf_init(&before);
    buf_init(&end);
    describe_before(plot, plot->count, &end);
    for (int at = 0; at < plot->count; at++) {
        describe_before(plot, at, &before);
        for (long n = 1; fail_once(plot, at, n, &before, &end); n++)
            failures++;
    }
    ck_assert_int_gt(failures, plot->count / 4); /* Else nothing was tried. */
    buf_done(&before);
    buf_done(&end);
}

/* ---- people do things, time passes ----------------------------------- */

static const int later_days[] = {3, 5, 6, 8, 9, 12, 40};

static int live(struct story *story, int i)
{
    int steps = 2 * small_world_step_count;
    if (i >= steps)
        return seg_engine_advance(
            story->engine,
            SMALL_WORLD_START_MS + later_days[i - steps] * DAY_MS, 1000);
    const struct small_step *step = &small_world_steps[i / 2];
    if (i % 2 == 0)
        return seg_engine_advance(story->engine, small_world_clock(step), 1000);
    return small_world_apply(story->engine, story->decoder, step, i / 2);
}

/* Of an advance some timers may have fired already. */
static int is_apply(int i)
{
    return i < 2 * small_world_step_count && i % 2 == 1;
}

START_TEST(an_event_is_applied_or_not_and_timers_fire_in_the_end)
{
    const struct plot plot = {2 * small_world_step_count + COUNT(later_days),
                              live, is_apply};
    mode = modes[_i];
    fail_everywhere(&plot);
}
END_TEST

/* ---- records --------------------------------------------------------- */

/* The records of the users of a small world, as they were flushed. */
static struct {
    char bytes[8192];
    size_t len;
} records[16];
static int record_count;

/* Export them, with allocation N failing in each (0: none). */
static long export_records(struct seg_engine *engine, long n)
{
    static const int64_t positions[] = {1000, 1000};
    struct seg_text id, record;
    long failures = 0;
    record_count = (int)seg_engine_dirty_count(engine);
    ck_assert_int_le(record_count, COUNT(records));
    for (int i = 0; i < record_count; i++) {
        make_cold(engine);
        fail_alloc_begin(n, mode);
        int ret = seg_engine_dirty_record(engine, (uint32_t)i, positions, &id,
                                          &record);
        long failed = fail_alloc_end();
        ck_assert_int_eq(ret, failed ? SEG_ERR_NOMEM : 0);
        failures += failed;
        if (failed)
            ck_assert_int_eq(seg_engine_dirty_record(engine, (uint32_t)i,
                                                     positions, &id, &record),
                             0);
        ck_assert_uint_le(record.len, sizeof(records[i].bytes));
        if (n)
            ck_assert(record.len == records[i].len &&
                      !memcmp(record.bytes, records[i].bytes, record.len));
        memcpy(records[i].bytes, record.bytes, record.len);
        records[i].len = record.len;
    }
    return failures;
}

START_TEST(a_record_is_written_whole_or_not_at_all)
{
    struct seg_engine *engine = small_world_engine(catalogue);
    long n = 0;
    mode = modes[_i];
    small_world_run(engine, catalogue);
    export_records(engine, 0);
    while (export_records(engine, ++n))
        ;
    ck_assert_int_gt(n, 3);
    seg_engine_free(engine);
}
END_TEST

/* The users are read, then judged ten days later. */
static int restore(struct story *story, int i)
{
    if (i < record_count)
        return seg_engine_restore_user(story->engine, records[i].bytes,
                                       records[i].len, NULL);
    return seg_engine_restore_finish(story->engine,
                                     SMALL_WORLD_START_MS + 10 * DAY_MS, 1000);
}

static int never(int i)
{
    (void)i;
    return 0;
}

START_TEST(users_are_restored_in_the_end)
{
    struct seg_engine *engine = small_world_engine(catalogue);
    mode = modes[_i];
    small_world_run(engine, catalogue);
    export_records(engine, 0);
    seg_engine_free(engine);
    const struct plot plot = {record_count + 1, restore, never};
    fail_everywhere(&plot);
}
END_TEST

/* ---- changes and inputs read back ------------------------------------ */

static struct seg_engine *told; /* Its outputs are read back. */

static int restore_output(struct seg_engine *engine,
                          const struct seg_output *output)
{
    struct seg_segment_info segment;
    struct seg_trigger_info trigger;
    seg_catalogue_segment(catalogue, output->segment, &segment);
    struct seg_restored restored = {.user_id = output->user_id,
                                    .segment = text_of(segment.key),
                                    .member = output->member,
                                    .seq = output->seq,
                                    .at_ms = output->at_ms,
                                    .entered_at_ms = output->entered_at_ms};
    if (output->kind == SEG_OUTPUT_CHANGE)
        return seg_engine_restore_change(engine, &restored, NULL);
    seg_catalogue_trigger(catalogue, output->trigger, &trigger);
    restored.trigger = text_of(trigger.name);
    return seg_engine_restore_trigger(engine, &restored, NULL);
}

static int redo(struct story *story, int i)
{
    struct seg_event event;
    if (i == small_world_step_count)
        return seg_engine_restore_finish(
            story->engine, SMALL_WORLD_START_MS + 10 * DAY_MS, 1000);
    const struct small_step *step = &small_world_steps[i];
    const struct seg_origin origin = {
        step->topic, i,
        SMALL_WORLD_START_MS + (int64_t)(step->hours * (double)HOUR_MS)};
    int ret = seg_decode(story->decoder, step->json, strlen(step->json), &event,
                         NULL);
    if (ret == 0)
        ret = seg_engine_redo(story->engine, &event, &origin);
    seg_decoder_reset(story->decoder);
    return ret;
}

static int read_back(struct story *story, int i)
{
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(told, &count);
    return (size_t)i < count ? restore_output(story->engine, &outputs[i])
                             : redo(story, i - (int)count);
}

START_TEST(what_is_read_back_is_there_in_the_end)
{
    size_t count;
    told = small_world_engine(catalogue);
    mode = modes[_i];
    small_world_run(told, catalogue);
    seg_engine_outputs(told, &count);
    const struct plot plot = {(int)count + small_world_step_count + 1,
                              read_back, never};
    fail_everywhere(&plot);
    seg_engine_free(told);
}
END_TEST

/* Nobody is known of whom the input tells. */
START_TEST(what_is_born_again_is_there_in_the_end)
{
    const struct plot plot = {small_world_step_count + 1, redo, never};
    mode = modes[_i];
    fail_everywhere(&plot);
}
END_TEST

/* ---- questions ------------------------------------------------------- */

/* What is explained of USER and segment I, or NULL. */
static char *explain(const struct seg_engine *engine, const char *user, int i)
{
    struct seg_explanation *why = NULL;
    int ret =
        seg_explain(&why, engine, seg_user_find(engine, text_of(user)), i);
    if ((ret == 0) != (why != NULL) || (ret < 0 && ret != SEG_ERR_NOMEM))
        abort();
    char *text = ret == 0 ? seg_explanation_text(why) : NULL;
    seg_explanation_free(why);
    return text;
}

static void count_set(void *arg, const struct seg_attribute *attribute)
{
    *(int *)arg += attribute->value.type != SEG_MISSING;
}

START_TEST(an_answer_is_right_or_there_is_none)
{
    struct seg_engine *engine = small_world_engine(catalogue);
    int attributes = 0;
    small_world_run(engine, catalogue);
    for (int i = 0; i < seg_catalogue_segment_count(catalogue); i++) {
        char *want = explain(engine, "ada", i);
        ck_assert_ptr_nonnull(want);
        for (long n = 1;; n++) {
            make_cold(engine);
            fail_alloc_begin(n, modes[_i]);
            char *text = explain(engine, "ada", i);
            long failed = fail_alloc_end();
            ck_assert((text != NULL) == !failed);
            ck_assert(!text || !strcmp(text, want));
            free(text);
            if (!failed)
                break;
        }
        free(want);
    }
    make_cold(engine);
    fail_alloc_begin(1, modes[_i]);
    seg_user_attributes(engine, seg_user_find(engine, text_of("ada")),
                        count_set, &attributes);
    ck_assert_int_gt(fail_alloc_end(), 0);
    seg_engine_free(engine);
}
END_TEST

SUITE("no_memory", setup, teardown, TABLE(an_engine_is_made_or_not, modes),
      TABLE(an_event_is_applied_or_not_and_timers_fire_in_the_end, modes),
      TABLE(a_record_is_written_whole_or_not_at_all, modes),
      TABLE(users_are_restored_in_the_end, modes),
      TABLE(what_is_read_back_is_there_in_the_end, modes),
      TABLE(what_is_born_again_is_there_in_the_end, modes),
      TABLE(an_answer_is_right_or_there_is_none, modes))
