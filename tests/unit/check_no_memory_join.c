/* check_no_memory_join.c: segments of all kinds when memory runs out.
 *
 * Each message and each advance is tried with the first, the second, the third
 * ... allocation failing until it succeeds: what fails leaves the users as they
 * were, and in the end all is as in an engine that never lacked anything. */
#include "lib/engine/engine.h"
#include "tests/support/everything.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/regime.h"
#include "tests/support/suite.h"

static struct seg_catalogue *catalogue;
static struct seg_decoder *decoder;
static struct seg_engine *engine, *twin;
static struct buf json, got, want;

static void setup(void)
{
    catalogue = small_world_compile(everything_text);
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
    engine = small_world_engine(catalogue);
    twin = small_world_engine(catalogue);
    buf_init(&json);
    buf_init(&got);
    buf_init(&want);
}

static void teardown(void)
{
    buf_done(&want);
    buf_done(&got);
    buf_done(&json);
    seg_engine_free(twin);
    seg_engine_free(engine);
    seg_decoder_free(decoder);
    seg_catalogue_free(catalogue);
}

/* All that is known of the users of OF. */
static void describe(struct seg_engine *of, struct buf *buf)
{
    buf_reset(buf);
    small_world_outputs(of, catalogue, buf);
    for (uint32_t i = 0; i < of->store.user_count; i++) {
        ck_assert(user_validate(store_at(&of->store, i)));
        small_world_record(of, store_at(&of->store, i), buf);
    }
}

/* What is allocated once and kept is not there: nothing hides a failure. */
static void forget_scratch(void)
{
    arena_done(&engine->scratch);
    buf_done(&engine->content);
}

static void advance(int64_t now_ms)
{
    int ret = SEG_ERR_NOMEM;
    for (long n = 1; ret < 0; n++) {
        forget_scratch();
        fail_alloc_begin(n, FAIL_ALLOC_ONE);
        ret = seg_engine_advance(engine, now_ms, 1000000);
        long failed = fail_alloc_end();
        ck_assert(ret == 0 || (failed && ret == SEG_ERR_NOMEM));
    }
    ck_assert_int_eq(seg_engine_advance(twin, now_ms, 1000000), 0);
}

static long apply(const struct seg_event *event,
                  const struct seg_origin *origin)
{
    long n = 1, failed = 0;
    int ret = SEG_ERR_NOMEM;
    for (; ret < 0; n++) {
        uint32_t users = engine->store.user_count;
        forget_scratch();
        describe(engine, &want);
        forget_scratch();
        fail_alloc_begin(n, FAIL_ALLOC_ONE);
        ret = seg_engine_apply(engine, event, origin);
        failed = fail_alloc_end();
        if (ret == 0)
            break;
        ck_assert(failed && ret == SEG_ERR_NOMEM);
        ck_assert_uint_eq(engine->store.user_count, users);
        describe(engine, &got);
        regime_same(&got, &want);
    }
    ck_assert_int_eq(seg_engine_apply(twin, event, origin), 0);
    return n;
}

START_TEST(whatever_lacks_memory_is_as_if_it_had_not_been_tried)
{
    struct random dice = {(uint64_t)_i};
    int64_t now_ms = SMALL_WORLD_START_MS;
    long tries = 0;
    for (int i = 0; i < 40; i++, now_ms += everything_pause(&dice)) {
        const struct seg_origin origin = {0, i, now_ms};
        struct seg_event event;
        everything_message(&dice, now_ms, &json);
        seg_decoder_reset(decoder);
        ck_assert_int_eq(
            seg_decode(decoder, json.bytes, json.len, &event, NULL), 0);
        advance(now_ms);
        tries += apply(&event, &origin);
    }
    ck_assert_int_gt(tries, 45);
    describe(engine, &got);
    describe(twin, &want);
    regime_same(&got, &want);
}
END_TEST

SUITE("no_memory_join", setup, teardown,
      TIMES(whatever_lacks_memory_is_as_if_it_had_not_been_tried, 20))
