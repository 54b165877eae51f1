/* check_join.c: every construct of the language in an engine.
 *
 * Users do at random what some segment of each kind asks about, late things
 * too, while time passes in steps of all sizes. At every instant that is looked
 * at whoever is in a segment is one of whom it is true: a timer that is missing
 * or late shows. The same must come out when all are written down half way and
 * read back into another engine. */
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "lib/user/member.h"
#include "tests/support/effort.h"
#include "tests/support/everything.h"
#include "tests/support/regime.h"
#include "tests/support/suite.h"

static struct seg_catalogue *catalogue;
static struct seg_decoder *decoder;
static struct seg_engine *engine;
static struct buf json, said;
static struct random dice;
static int64_t offset;

static void setup(void)
{
    catalogue = small_world_compile(everything_text);
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
    engine = small_world_engine(catalogue);
    buf_init(&json);
    buf_init(&said);
    offset = 0;
}

static void teardown(void)
{
    buf_done(&said);
    buf_done(&json);
    seg_engine_free(engine);
    seg_decoder_free(decoder);
    seg_catalogue_free(catalogue);
}

/* ---- what users do ------------------------------------------------------- */

static void send_by(struct seg_decoder *by, struct seg_engine *to,
                    int64_t now_ms)
{
    const struct seg_origin origin = {0, offset, now_ms};
    struct seg_event event;
    seg_decoder_reset(by);
    ck_assert_int_eq(seg_decode(by, json.bytes, json.len, &event, NULL), 0);
    ck_assert_int_eq(seg_engine_advance(to, now_ms, 1000000), 0);
    ck_assert_int_eq(seg_engine_apply(to, &event, &origin), 0);
}

static void send(struct seg_engine *to, int64_t now_ms)
{
    send_by(decoder, to, now_ms);
}

/* ---- what is so ---------------------------------------------------------- */

static void expect_truth_of(const struct user *user)
{
    struct view view = engine_view(engine, user, engine_now(engine, user));
    arena_reset(&engine->scratch);
    for (uint32_t s = 0; s < engine->plan->segment_count; s++) {
        int truth = eval_segment(&view, s);
        int member = member_find(user, s, NULL);
        ck_assert_msg((truth == SEG_TRUE) == member,
                      "%.*s at %+.6f h: truth %d, member %d: %s",
                      (int)user_id(user).len, user_id(user).bytes,
                      (double)(view.now_ms - SMALL_WORLD_START_MS) /
                          (double)HOUR_MS,
                      truth, member, engine->plan->segments[s].rule->key.bytes);
    }
}

static void expect_truth(void)
{
    for (uint32_t i = 0; i < engine->store.user_count; i++) {
        ck_assert(user_validate(store_at(&engine->store, i)));
        expect_truth_of(store_at(&engine->store, i));
    }
}

START_TEST(whoever_is_in_is_so_at_every_instant)
{
    int64_t now_ms = SMALL_WORLD_START_MS;
    dice.state = (uint64_t)_i;
    for (int i = 0; i < 60; i++, offset++) {
        everything_message(&dice, now_ms, &json);
        send(engine, now_ms);
        expect_truth();
        for (int slices = (int)random_below(&dice, 4); slices; slices--) {
            now_ms += everything_pause(&dice);
            ck_assert_int_eq(seg_engine_advance(engine, now_ms, 1000000), 0);
            expect_truth();
        }
    }
}
END_TEST

/* A change by timer is dated at the first millisecond at which it is so. */
START_TEST(a_timer_fires_at_the_first_millisecond)
{
    size_t count, seen = 0;
    int64_t now_ms = SMALL_WORLD_START_MS;
    dice.state = 1000 + (uint64_t)_i;
    for (int i = 0; i < 25; i++, offset++) {
        everything_message(&dice, now_ms, &json);
        send(engine, now_ms);
        now_ms += everything_pause(&dice);
    }
    const struct seg_output *outputs = seg_engine_outputs(engine, &count);
    seen = count;
    int64_t next;
    while ((next = seg_engine_next_due(engine)) < now_ms + 4 * DAY_MS) {
        ck_assert_int_eq(seg_engine_advance(engine, next - 1, 1000000), 0);
        expect_truth();
        outputs = seg_engine_outputs(engine, &count);
        for (; seen < count; seen++) /* Nothing happens in between. */
            ck_assert_int_ge(outputs[seen].at_ms, next);
        ck_assert_int_eq(seg_engine_advance(engine, next, 1000000), 0);
        expect_truth();
        seg_engine_outputs(engine, &count);
        seen = count;
    }
}
END_TEST

/* ---- written down and read back ------------------------------------------ */

static struct seg_engine *restored(int64_t now_ms)
{
    struct seg_engine *other = small_world_engine(catalogue);
    struct buf record;
    buf_init(&record);
    for (uint32_t i = 0; i < engine->store.user_count; i++) {
        const int64_t positions[] = {offset, 0};
        buf_reset(&record);
        snapshot_encode(engine, store_at(&engine->store, i), positions,
                        &record);
        ck_assert_int_eq(
            seg_engine_restore_user(other, record.bytes, record.len, NULL), 0);
    }
    buf_done(&record);
    ck_assert_int_eq(seg_engine_restore_finish(other, now_ms, 1000), 0);
    return other;
}

START_TEST(a_restored_engine_goes_on_as_if_nothing_was)
{
    int64_t now_ms = SMALL_WORLD_START_MS;
    struct buf other_said;
    buf_init(&other_said);
    dice.state = 2000 + (uint64_t)_i;
    for (int i = 0; i < 30; i++, offset++, now_ms += everything_pause(&dice)) {
        everything_message(&dice, now_ms, &json);
        send(engine, now_ms);
    }
    ck_assert_int_eq(seg_engine_advance(engine, now_ms, 1000000), 0);
    seg_engine_outputs_clear(engine);
    struct seg_engine *other = restored(now_ms);
    for (int i = 0; i < 30; i++, offset++, now_ms += everything_pause(&dice)) {
        everything_message(&dice, now_ms, &json);
        send(engine, now_ms);
        send(other, now_ms);
    }
    ck_assert_int_eq(seg_engine_advance(engine, now_ms, 1000000), 0);
    ck_assert_int_eq(seg_engine_advance(other, now_ms, 1000000), 0);
    small_world_outputs(engine, catalogue, &said);
    small_world_outputs(other, catalogue, &other_said);
    regime_same(&other_said, &said);
    buf_done(&other_said);
    seg_engine_free(other);
}
END_TEST

/* ---- a catalogue that comes later --------------------------------------- */

static const char nothing[] = "segment hot { when did \"Z\" }\n";

/* The engine of `everything` that takes the place of OLD at NOW_MS. */
static struct seg_engine *adopted(struct seg_engine *old, int64_t now_ms)
{
    const int64_t positions[] = {offset, 0};
    struct seg_engine_options options = small_world_options(catalogue);
    struct seg_engine *to;
    options.clock_ms = now_ms;
    ck_assert_int_eq(seg_engine_new(&to, &options), 0);
    ck_assert_int_eq(seg_engine_adopt(to, old, positions, 1000), 0);
    ck_assert_int_eq(seg_engine_sweep(to, 1000), 0);
    return to;
}

/* What is known of USER by LATER is what ENGINE, which was there from the
 * start, says; and whoever is known to belong to a segment is in it. */
static void expect_known(struct seg_engine *later, const struct user *user,
                         int *unknown)
{
    const struct user *same =
        (const struct user *)seg_user_find(engine, user_id(user));
    int64_t now_ms = engine_now(later, user);
    struct view view = engine_view(later, user, now_ms);
    struct view all = engine_view(engine, same, now_ms);
    struct seg_value value, want;
    arena_reset(&later->scratch);
    arena_reset(&engine->scratch);
    for (uint32_t p = 0; p < later->plan->predicate_count; p++) {
        const struct predicate *predicate = &later->plan->predicates[p];
        if (predicate->kind == PREDICATE_ENTERED ||
            predicate->kind == PREDICATE_LEFT)
            continue; /* Who is let in by a sweep enters then. */
        int truth = eval_predicate(&view, predicate, &value);
        int wanted = eval_predicate(&all, &engine->plan->predicates[p], &want);
        *unknown += truth == SEG_UNKNOWN;
        ck_assert_msg(truth == SEG_UNKNOWN || truth == wanted,
                      "%s at %+.6f h: %d, want %d", predicate->text,
                      (double)(now_ms - SMALL_WORLD_START_MS) / (double)HOUR_MS,
                      truth, wanted);
    }
    for (uint32_t s = 0; s < later->plan->segment_count; s++) {
        int truth = eval_segment(&view, s);
        ck_assert_msg(truth == SEG_UNKNOWN ||
                          (truth == SEG_TRUE) == member_find(user, s, NULL),
                      "%s: %d", later->plan->segments[s].rule->key.bytes,
                      truth);
    }
}

START_TEST(what_is_known_while_warming_is_right)
{
    struct seg_catalogue *first = small_world_compile(nothing);
    struct seg_engine *old = small_world_engine(first), *later = NULL;
    struct seg_decoder *by;
    int64_t now_ms = SMALL_WORLD_START_MS;
    int unknown = 0, at_last = 0;
    ck_assert_int_eq(seg_decoder_new(&by, first), 0);
    dice.state = 3000 + (uint64_t)_i;
    for (int i = 0; i < 50; i++, offset++, now_ms += everything_pause(&dice)) {
        if (i == 20) {
            ck_assert_int_eq(seg_engine_advance(old, now_ms, 1000000), 0);
            later = adopted(old, now_ms);
        }
        everything_message(&dice, now_ms, &json);
        send(engine, now_ms);
        send_by(later ? decoder : by, later ? later : old, now_ms);
        for (uint32_t u = 0; later && u < later->store.user_count; u++)
            expect_known(later, store_at(&later->store, u), &unknown);
    }
    ck_assert_int_gt(unknown, 0);
    /* All that forgets is known once what went before is forgotten. */
    now_ms += 200 * DAY_MS;
    ck_assert_int_eq(seg_engine_advance(engine, now_ms, 1000000), 0);
    ck_assert_int_eq(seg_engine_advance(later, now_ms, 1000000), 0);
    for (uint32_t u = 0; u < later->store.user_count; u++)
        expect_known(later, store_at(&later->store, u), &at_last);
    ck_assert_int_le(at_last, 20);
    seg_engine_free(later);
    seg_engine_free(old);
    seg_decoder_free(by);
    seg_catalogue_free(first);
}
END_TEST

/* ---- triggers ------------------------------------------------------------ */

START_TEST(a_trigger_says_what_was_measured_when_it_fired)
{
    struct seg_catalogue *of = small_world_compile(
        "segment s {\n"
        "  when did \"E\" at least 2 times\n"
        "  on enter trigger \"t\" { n = count(\"E\"), sum = sum(\"E\", v) in "
        "7d,"
        " plan = user.plan, none = account.size, fixed = \"x\" }\n"
        "}\n");
    struct seg_engine *to = small_world_engine(of);
    size_t count;
    small_world_send(to, of, 0,
                     "{\"type\":\"identify\",\"userId\":\"u\","
                     "\"traits\":{\"plan\":\"pro\"}}",
                     0);
    for (int i = 1; i <= 2; i++)
        small_world_send(to, of, i,
                         "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\","
                         "\"properties\":{\"v\":0.1}}",
                         i);
    const struct seg_output *outputs = seg_engine_outputs(to, &count);
    ck_assert_uint_eq(count, 2);
    for (int i = 0; i < 5; i++) {
        buf_json_value(&said, &outputs[1].properties[i].value);
        buf_char(&said, ' ');
    }
    ck_assert_str_eq(buf_string(&said), "2 0.2 \"pro\" null \"x\" ");
    seg_engine_free(to);
    seg_catalogue_free(of);
}
END_TEST

/* ---- shadows ------------------------------------------------------------- */

static const char published[] =
    "segment s { when did \"E\" in 2h on enter trigger \"t\" }\n"
    "segment p { when did \"E\" in 3h }\n";
static const char shadowed[] =
    "segment s { shadow when did \"E\" in 2h on enter trigger \"t\" }\n"
    "segment p { when did \"E\" in 3h }\n";

/* What happened since the last time, a line each: "~" before what nobody is to
 * hear of. */
static void expect_said(struct regime *regime, const char *want)
{
    size_t count;
    const struct seg_output *outputs =
        seg_engine_outputs(regime->engine, &count);
    buf_reset(&said);
    for (size_t i = 0; i < count; i++)
        buf_printf(&said, "%s%c%.*s %u ", outputs[i].shadow ? "~" : "",
                   outputs[i].trigger >= 0 ? '!'
                   : outputs[i].member     ? '+'
                                           : '-',
                   (int)outputs[i].segment_key.len,
                   outputs[i].segment_key.bytes, outputs[i].seq);
    seg_engine_outputs_clear(regime->engine);
    ck_assert_str_eq(buf_string(&said), want);
}

START_TEST(a_shadow_is_judged_and_not_published)
{
    struct regime regime;
    regime_begin(&regime, published);
    regime_did(&regime, 0, "u", "E");
    expect_said(&regime, "+p 1 +s 2 !s 1 ");
    regime_adopt(&regime, shadowed, 1); /* Those who were told of it hear that
                                           it is no more. */
    regime_sweep(&regime, 1);
    expect_said(&regime, "-s 3 ~+s 0 ");
    regime_pass(&regime, 4);
    expect_said(&regime, "~-s 0 -p 4 ");
    regime_did(&regime, 5, "u", "E");
    expect_said(&regime, "+p 5 ~+s 0 ");
    regime_adopt(&regime, published, 1); /* Promoted. */
    regime_sweep(&regime, 1);
    expect_said(&regime, "~-s 0 +s 6 ");
    ck_assert_uint_eq(seg_engine_segment_size(regime.engine, 1), 1);
    regime_end(&regime);
}
END_TEST

SUITE("join", setup, teardown,
      TIMES(whoever_is_in_is_so_at_every_instant, EFFORT(50)),
      TIMES(a_timer_fires_at_the_first_millisecond, EFFORT(15)),
      TIMES(a_restored_engine_goes_on_as_if_nothing_was, EFFORT(15)),
      TIMES(what_is_known_while_warming_is_right, EFFORT(25)),
      TEST(a_shadow_is_judged_and_not_published),
      TEST(a_trigger_says_what_was_measured_when_it_fired))
