/* check_adopt.c: a catalogue that changes while the engine runs.
 *
 * Small stories: some people did something, another catalogue came, and this is
 * what was said of it. What a restore makes of the same is
 * check_adopt_restore.c's affair, what is known and what not check_warming.c's.
 */
#include <stdio.h>
#include <string.h>

#include "tests/support/regime.h"
#include "tests/support/suite.h"

#define DAYS(n) ((n)*24.0)

static struct regime regime;

static void teardown(void)
{
    regime_end(&regime);
}

/* The catalogue TEXT comes, and everybody is judged by it. */
static void change_to(const char *text)
{
    regime_adopt(&regime, text, 1000);
    ck_assert(!seg_engine_swept(regime.engine));
    regime_expect(&regime, "");
    regime_sweep(&regime, 1000);
}

static void expect_size(const char *segment, uint32_t size)
{
    int index = seg_catalogue_segment_index(regime.catalogue, segment);
    ck_assert_uint_eq(seg_engine_segment_size(regime.engine, index), size);
}

/* ---- edits ------------------------------------------------------------- */

/* Ann did X three times at 0, 1 and 2 h, bob twice, cat once; all are premium.
 */
static const struct edit {
    const char *what, *before, *after, *said;
} edits[] = {
    {"renamed", "segment a { when did \"X\" at least 2 times }",
     "segment b { when did \"X\" at least 2 times }",
     "3.0 ann -a catalogue 2\n3.0 ann +b catalogue 3\n"
     "3.0 bob -a catalogue 2\n3.0 bob +b catalogue 3\n"},
    {"narrowed", "segment a { when did \"X\" at least 2 times }",
     "segment a { when did \"X\" at least 3 times }",
     "3.0 bob -a catalogue 2\n"},
    {"widened", "segment a { when did \"X\" at least 3 times }",
     "segment a { when did \"X\" at least 2 times }",
     "3.0 bob +a catalogue 1\n"},
    {"widened in a window",
     "segment a { when did \"X\" at least 3 times in 7d }",
     "segment a { when did \"X\" at least 2 times in 7d }",
     "3.0 bob +a catalogue 1\n"},
    {"removed",
     "segment a { when did \"X\" at least 2 times }\n"
     "segment b { when did \"X\" at least 3 times }",
     "segment b { when did \"X\" at least 3 times }",
     "3.0 ann -a catalogue 3\n3.0 bob -a catalogue 2\n"},
    {"added", "segment b { when did \"X\" at least 3 times }",
     "segment a { when did \"X\" }\n"
     "segment b { when did \"X\" at least 3 times }",
     "3.0 ann +a catalogue 2\n3.0 bob +a catalogue 1\n"
     "3.0 cat +a catalogue 1\n"},
    {"all for one of an attribute that nobody read",
     "segment a { when did \"X\" at least 2 times }",
     "segment b { when user.plan = \"premium\" }",
     "3.0 ann -a catalogue 2\n3.0 ann +b catalogue 3\n"
     "3.0 bob -a catalogue 2\n3.0 bob +b catalogue 3\n"
     "3.0 cat +b catalogue 1\n"},
    {"one that asks another", "segment a { when did \"X\" at least 2 times }",
     "segment a { when did \"X\" at least 2 times }\n"
     "segment b { when in segment a }\n"
     "segment c { when in segment b and not in segment d }\n"
     "segment d { when in segment a and did \"X\" at least 3 times }",
     "3.0 ann +b catalogue 2\n3.0 ann +d catalogue 3\n"
     "3.0 bob +b catalogue 2\n3.0 bob +c catalogue 3\n"},
    {"one that asks what is gone",
     "segment a { when did \"X\" at least 2 times }\n"
     "segment b { when in segment a }",
     "segment b { when did \"X\" at least 3 times }",
     "3.0 ann -a catalogue 3\n"
     "3.0 bob -a catalogue 3\n3.0 bob -b catalogue 4\n"},
    {"a list", "segment a { when did \"X\" at least 2 times }",
     "segment a { when did \"X\" at least 2 times include (\"cat\") "
     "exclude (\"ann\") }",
     "3.0 ann -a catalogue 2\n3.0 cat +a catalogue 1\n"},
    {"triggers", "segment a { when did \"X\" at least 3 times }",
     "segment a { when did \"X\" on enter trigger \"hello\" }\n"
     "segment b { when did \"X\" on enter trigger \"hello\" }",
     "3.0 ann +b catalogue 2\n"
     "3.0 bob +a catalogue 1\n3.0 bob +b catalogue 2\n"
     "3.0 cat +a catalogue 1\n3.0 cat +b catalogue 2\n"},
    {"all to nothing",
     "segment a { when did \"X\" at least 2 times }\n"
     "segment b { when did \"X\" }",
     "segment z { when user.plan = \"none\" }",
     "3.0 ann -a catalogue 3\n3.0 ann -b catalogue 4\n"
     "3.0 bob -a catalogue 3\n3.0 bob -b catalogue 4\n"
     "3.0 cat -b catalogue 2\n"},
};

static void clear(void)
{
    struct buf said;
    buf_init(&said);
    regime_said(&regime, &said);
    buf_done(&said);
}

static void play(const char *before)
{
    regime_begin(&regime, before);
    for (int i = 0; i < 3; i++) {
        regime_did(&regime, i, "ann", "X");
        if (i < 2)
            regime_did(&regime, i + 0.1, "bob", "X");
        if (i < 1)
            regime_did(&regime, i + 0.2, "cat", "X");
    }
    regime_is(&regime, 3, "ann", "\"plan\":\"premium\"");
    regime_is(&regime, 3, "bob", "\"plan\":\"premium\"");
    regime_is(&regime, 3, "cat", "\"plan\":\"premium\"");
    clear();
}

/* How many are in segments of ENGINE's catalogue, by its counters and by
 * asking. */
static void expect_sizes_right(void)
{
    struct seg_membership in[8];
    uint32_t sizes[8] = {0};
    for (uint32_t u = 0; u < regime.engine->store.user_count; u++) {
        int count = seg_user_memberships(
            regime.engine,
            (const struct seg_user *)store_at(&regime.engine->store, u), in, 8);
        for (int i = 0; i < count; i++)
            sizes[in[i].segment]++;
    }
    for (int i = 0; i < seg_catalogue_segment_count(regime.catalogue); i++)
        ck_assert_uint_eq(seg_engine_segment_size(regime.engine, i), sizes[i]);
}

START_TEST(an_edit_changes_what_it_says_and_fires_nothing)
{
    play(edits[_i].before);
    change_to(edits[_i].after);
    regime_expect(&regime, edits[_i].said);
    expect_sizes_right();
    regime_adopt(&regime, edits[_i].after, 1);
    regime_expect(&regime, "");
}
END_TEST

START_TEST(the_size_of_a_slice_does_not_matter)
{
    play(edits[_i].before);
    regime_adopt(&regime, edits[_i].after, 1);
    ck_assert_int_eq(regime_sweep(&regime, 1), 3);
    regime_expect(&regime, edits[_i].said);
    expect_sizes_right();
}
END_TEST

/* An hour later all of them do X: what crosses nothing that is new is nobody's
 * affair, and the sweep finds the same as before. */
START_TEST(a_sweep_finds_nothing_the_second_time)
{
    play(edits[_i].before);
    change_to(edits[_i].after);
    regime_expect(&regime, edits[_i].said);
    regime.engine->observed.swept = 0;
    regime.engine->observed.swept_users = 0;
    regime_sweep(&regime, 1000);
    regime_expect(&regime, "");
}
END_TEST

/* Nobody is judged by the same meaning twice. */
START_TEST(a_title_is_no_edit)
{
    play("segment a { when did \"X\" at least 2 times }");
    regime_adopt(&regime,
                 "segment a { when did \"X\" at least 2 times title \"Two\" }",
                 1000);
    ck_assert(seg_engine_swept(regime.engine));
    ck_assert_uint_eq(regime.engine->observed.epoch, 1);
    expect_size("a", 2);
    regime_did(&regime, 4, "cat", "X");
    regime_expect(&regime, "4.0 cat +a event 1\n");
}
END_TEST

START_TEST(who_sits_in_a_segment_that_is_gone_is_asked_about_by_its_key)
{
    struct seg_membership in[2];
    play("segment a { when did \"X\" at least 2 times }");
    regime_adopt(&regime, "segment b { when did \"Y\" }", 10);
    const struct seg_user *ann =
        seg_user_find(regime.engine, (struct seg_text){"ann", 3});
    ck_assert_int_eq(seg_user_memberships(regime.engine, ann, in, 2), 1);
    ck_assert_int_eq(in[0].segment, 1);
    ck_assert_uint_eq(in[0].key.len, 1);
    ck_assert_mem_eq(in[0].key.bytes, "a", 1);
    regime_sweep(&regime, 10);
    ck_assert_int_eq(seg_user_memberships(regime.engine, ann, in, 2), 0);
}
END_TEST

/* ---- coming back -------------------------------------------------------- */

static const char with_a[] =
    "segment a { when did \"X\" at least 2 times in 7d }\n"
    "segment z { when did \"Z\" }";
static const char without_a[] = "segment z { when did \"Z\" }";

START_TEST(a_segment_brought_back_has_forgotten)
{
    play(with_a);
    change_to(without_a);
    regime_expect(&regime, "3.0 ann -a catalogue 2\n3.0 bob -a catalogue 2\n");
    regime_did(&regime, 4, "bob", "X"); /* Nobody looks. */
    regime_pass(&regime, 5);
    change_to(with_a);
    regime_expect(&regime, "");
    regime_did(&regime, 6, "bob", "X");
    regime_expect(&regime, "");
    regime_did(&regime, 7, "bob", "X");
    regime_expect(&regime, "7.0 bob +a event 3\n");
    regime_pass(&regime, DAYS(7) + 7);
    regime_expect(&regime, "174.0 bob -a timer 4\n");
}
END_TEST

/* Ann was told that she left. Bob was not, and may stay: whether he did X twice
 * is not known any more, but it may be, until five hours after that could be.
 */
START_TEST(a_segment_back_before_the_sweep_ended_keeps_who_was_not_told)
{
    play(with_a);
    regime_adopt(&regime, without_a, 1);
    ck_assert_int_eq(seg_engine_sweep(regime.engine, 1), 1);
    regime_expect(&regime, "3.0 ann -a catalogue 2\n");
    regime_pass(&regime, 5);
    change_to(with_a);
    regime_expect(&regime, "");
    expect_size("a", 1);
    regime_pass(&regime, DAYS(7) + 4.9);
    regime_expect(&regime, "");
    regime_pass(&regime, DAYS(7) + 5);
    regime_expect(&regime, "173.0 bob -a timer 2\n");
}
END_TEST

/* Another segment reads the same feature all the time: all is known. */
START_TEST(a_segment_back_of_which_all_is_known_takes_in_at_once)
{
    play("segment a { when did \"X\" at least 2 times in 7d }\n"
         "segment b { when did \"X\" at least 3 times in 7d }");
    regime_adopt(&regime, "segment b { when did \"X\" at least 3 times in 7d }",
                 1);
    ck_assert_int_eq(seg_engine_sweep(regime.engine, 1), 1);
    regime_expect(&regime, "3.0 ann -a catalogue 3\n");
    change_to("segment a { when did \"X\" at least 2 times in 7d }\n"
              "segment b { when did \"X\" at least 3 times in 7d }");
    regime_expect(&regime, "3.0 ann +a catalogue 4\n");
}
END_TEST

/* ---- warming ------------------------------------------------------------ */

static const char any_x[] = "segment x { when did \"X\" }";
static const char quiet[] = "segment x { when did \"X\" }\n"
                            "segment quiet { when did not any in 14d }\n";

/* Deployed on day 10. Ann did nothing since; bob does something on day 12; cat
 * was born on day 11, after the catalogue: all of her is known. */
START_TEST(did_not_any_lets_nobody_in_at_once)
{
    regime_begin(&regime, any_x);
    regime_did(&regime, 0, "ann", "W");
    regime_did(&regime, 0, "bob", "W");
    regime_pass(&regime, DAYS(10));
    change_to(quiet);
    regime_expect(&regime, "");
    regime_did(&regime, DAYS(11), "cat", "W");
    regime_did(&regime, DAYS(12), "bob", "W");
    regime_expect(&regime, "");
    regime_pass(&regime, DAYS(24) - 1.0 / 3600000);
    regime_expect(&regime, "");
    regime_pass(&regime, DAYS(24));
    regime_expect(&regime, "576.0 ann +quiet timer 1\n");
    regime_pass(&regime, DAYS(25));
    regime_expect(&regime, "600.0 cat +quiet timer 1\n");
    regime_pass(&regime, DAYS(26));
    regime_expect(&regime, "624.0 bob +quiet timer 1\n");
    ck_assert_uint_eq(regime.engine->observed.warming.epoch_count, 0);
}
END_TEST

/* One day back all is known after a day; five days back is another question. */
START_TEST(a_longer_time_since_an_exit_is_not_known_at_once)
{
    static const char day[] = "segment a { when did \"X\" in 1h }\n"
                              "segment b { when not left segment a in 1d }\n";
    static const char days[] = "segment a { when did \"X\" in 1h }\n"
                               "segment b { when not left segment a in 5d }\n";
    regime_begin(&regime, "segment a { when did \"X\" in 1h }\n");
    regime_did(&regime, 0, "ann", "W");
    regime_pass(&regime, DAYS(1));
    change_to(day);
    regime_pass(&regime, DAYS(3));
    regime_expect(&regime, "48.0 ann +b timer 1\n");
    change_to(days);
    regime_expect(&regime, "");
    regime_did(&regime, DAYS(4), "ann", "X");
    regime_pass(&regime, DAYS(5));
    regime_expect(&regime, "96.0 ann +a event 2\n97.0 ann -a timer 3\n"
                           "97.0 ann -b timer 4\n");
    regime_pass(&regime, DAYS(10));
    regime_expect(&regime, "217.0 ann +b timer 5\n");
}
END_TEST

START_TEST(a_longer_time_since_an_exit_is_known_when_it_has_passed)
{
    regime_begin(&regime, "segment a { when did \"X\" in 1h }\n");
    regime_did(&regime, 0, "ann", "W");
    regime_pass(&regime, DAYS(1));
    change_to("segment a { when did \"X\" in 1h }\n"
              "segment b { when left segment a in 1d }\n");
    regime_pass(&regime, DAYS(3));
    change_to("segment a { when did \"X\" in 1h }\n"
              "segment c { when not left segment a in 5d }\n");
    regime_expect(&regime, "");
    regime_pass(&regime, DAYS(7));
    regime_expect(&regime, "144.0 ann +c timer 1\n");
}
END_TEST

/* The same for who asks `in segment quiet`, one way or the other. */
START_TEST(what_asks_the_unknown_is_unknown)
{
    regime_begin(&regime, any_x);
    regime_did(&regime, 0, "ann", "W");
    regime_did(&regime, 0, "bob", "W");
    regime_pass(&regime, DAYS(10));
    change_to("segment quiet { when did not any in 14d }\n"
              "segment loud { when not in segment quiet }\n"
              "segment sleepy { when in segment quiet }\n"
              "segment never { when in segment quiet and in segment loud }\n"
              "segment other { when not in segment never }\n");
    regime_expect(&regime, "");
    regime_did(&regime, DAYS(12), "bob", "W");
    regime_expect(&regime, "288.0 bob +loud event 1\n"
                           "288.0 bob +other event 2\n");
    regime_pass(&regime, DAYS(24));
    regime_expect(&regime, "576.0 ann +quiet timer 1\n"
                           "576.0 ann +sleepy timer 2\n"
                           "576.0 ann +other timer 3\n");
    regime_pass(&regime, DAYS(26));
    regime_expect(&regime, "624.0 bob +quiet timer 3\n"
                           "624.0 bob -loud timer 4\n"
                           "624.0 bob +sleepy timer 5\n");
}
END_TEST

/* Who needs what is warming is not passed over when another count rises. */
START_TEST(a_rise_counts_though_something_needed_was_not_seen)
{
    regime_begin(&regime, any_x);
    regime_did(&regime, 0, "ann", "Y");
    change_to("segment x { when did \"X\" }\n"
              "segment both { when did \"X\" at least 1 times and "
              "did \"Y\" at least 1 times in 7d }\n"
              "segment not_both { when not in segment both }\n");
    regime_expect(&regime, "0.0 ann +not_both catalogue 1\n");
    regime_did(&regime, 1, "ann", "X"); /* Y is not known: stays as he is. */
    regime_expect(&regime, "1.0 ann +x event 2\n");
    regime_did(&regime, 2, "ann", "Y");
    regime_expect(&regime, "2.0 ann +both event 3\n"
                           "2.0 ann -not_both event 4\n");
}
END_TEST

/* Nor is he if he is in, from before, and leaves by that rise. */
START_TEST(a_rise_ends_a_membership_though_something_needed_was_not_seen)
{
    play("segment few { when did \"X\" at most 2 times }");
    change_to("segment few { when did \"X\" at most 2 times and did \"Y\" }");
    regime_expect(&regime, "");
    regime_did(&regime, 4, "bob", "X");
    regime_expect(&regime, "4.0 bob -few event 2\n");
}
END_TEST

START_TEST(a_new_threshold_that_is_seen_lets_in_while_warming)
{
    regime_begin(&regime, any_x);
    regime_did(&regime, 0, "ann", "Y");
    change_to("segment y { when did \"Y\" at least 2 times in 7d }");
    regime_expect(&regime, "");
    regime_did(&regime, 1, "ann", "Y"); /* The second, but who knows. */
    regime_expect(&regime, "");
    regime_did(&regime, 2, "ann", "Y");
    regime_expect(&regime, "2.0 ann +y event 1\n");
}
END_TEST

/* ---- thresholds that rise ----------------------------------------------- */

/* Of `at least 2` the two newest were kept. Whoever did less than that is
 * known; of the others it is not known whether there was a third until the
 * older of the two has left the window. */
START_TEST(
    a_higher_threshold_in_a_window_is_known_for_whom_nothing_was_left_out)
{
    play("segment a { when did \"X\" at least 2 times in 7d }\n"
         "segment few { when not did \"X\" at least 2 times in 7d }");
    change_to("segment a { when did \"X\" at least 3 times in 7d }\n"
              "segment few { when not did \"X\" at least 3 times in 7d }");
    regime_expect(&regime, "");
    regime_did(&regime, 4, "cat", "X");
    regime_expect(&regime, "");
    regime_did(&regime, 5, "cat", "X");
    regime_expect(&regime, "5.0 cat +a event 2\n5.0 cat -few event 3\n");
    regime_did(&regime, 6, "bob", "X"); /* Three seen: decided. */
    regime_expect(&regime, "");
    regime_pass(&regime, DAYS(7) + 0.1); /* His first leaves: two are left. */
    regime_expect(&regime, "168.1 bob -a timer 4\n168.1 bob +few timer 5\n");
    regime_pass(&regime, DAYS(7) + 0.9);
    regime_expect(&regime, "168.2 cat -a timer 4\n168.2 cat +few timer 5\n");
    /* Of ann 1 h and 2 h were kept. */
    regime_pass(&regime, DAYS(7) + 1);
    regime_expect(&regime, "169.0 ann -a timer 4\n169.0 ann +few timer 5\n");
}
END_TEST

/* ---- life goes on ------------------------------------------------------- */

/* Between two slices anything may happen, and the end is the same. */
START_TEST(events_and_timers_between_slices_find_the_same_truth)
{
    static const char before[] = "segment a { when did \"X\" in 1d }";
    static const char after[] =
        "segment a { when did \"X\" at least 2 times in 1d }\n"
        "segment b { when user.plan = \"premium\" }\n"
        "segment c { when in segment a or did \"Z\" }\n";
    play(before);
    regime_adopt(&regime, after, 2);
    ck_assert_int_eq(seg_engine_sweep(regime.engine, 1), 1);
    regime_expect(&regime, "3.0 ann +b catalogue 2\n");
    regime_did(&regime, 4, "bob", "Z");
    regime_expect(&regime, "4.0 bob +c event 2\n");
    regime_did(&regime, 5, "dan", "Z"); /* Born during the sweep. */
    regime_expect(&regime, "5.0 dan +c event 1\n");
    ck_assert_int_eq(seg_engine_sweep(regime.engine, 1), 1);
    regime_expect(&regime, "5.0 bob +b catalogue 3\n");
    regime_pass(&regime, 25);
    regime_sweep(&regime, 1);
    regime_did(&regime, 26, "cat", "Z");
    struct buf got, want;
    buf_init(&got);
    buf_init(&want);
    regime_said(&regime, &got);
    regime_describe(regime.engine, REGIME_TIMERS, &want);
    buf_reset(&got);
    regime.engine->observed.swept = 0;
    regime.engine->observed.swept_users = 0;
    regime_sweep(&regime, 100);
    regime_expect(&regime, "");
    regime_describe(regime.engine, REGIME_TIMERS, &got);
    regime_same(&got, &want);
    buf_done(&got);
    buf_done(&want);
}
END_TEST

/* ---- cooldowns ---------------------------------------------------------- */

static const char with_trigger[] =
    "segment a { when did \"X\" in 1d on enter trigger \"t\" once per 30d }\n";

START_TEST(a_cooldown_holds_though_its_segment_was_gone_for_a_while)
{
    regime_begin(&regime, with_trigger);
    regime_did(&regime, 0, "u", "X");
    regime_expect(&regime, "0.0 u +a event 1\n0.0 u !t 1\n");
    change_to(any_x);
    regime_expect(&regime, "0.0 u -a catalogue 2\n");
    change_to(with_trigger);
    regime_did(&regime, 2, "u", "X");
    regime_expect(&regime, "2.0 u +a event 3\n");
    regime_did(&regime, DAYS(29), "u", "X");
    regime_expect(&regime, "26.0 u -a timer 4\n696.0 u +a event 5\n");
    regime_did(&regime, DAYS(31), "u", "X");
    regime_expect(&regime,
                  "720.0 u -a timer 6\n744.0 u +a event 7\n744.0 u !t 2\n");
}
END_TEST

/* ---- the queue of dirty users ------------------------------------------- */

START_TEST(who_was_dirty_is_dirty_in_the_same_order)
{
    static const int64_t positions[2];
    struct seg_text id, record;
    play(any_x);
    seg_engine_flushed(regime.engine, 1);
    uint64_t generation = seg_engine_generation(regime.engine);
    regime_did(&regime, 4, "ann", "X");
    uint64_t since = seg_engine_dirty_since(regime.engine, 0);
    regime_adopt(&regime, "segment y { when did \"Y\" }", 1);
    ck_assert_uint_eq(seg_engine_dirty_count(regime.engine), 3);
    ck_assert_uint_eq(seg_engine_dirty_since(regime.engine, 0), since);
    ck_assert_uint_eq(seg_engine_dirty_since(regime.engine, 2), generation);
    static const char *const order[] = {"bob", "cat", "ann"};
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_int_eq(
            seg_engine_dirty_record(regime.engine, i, positions, &id, &record),
            0);
        ck_assert_mem_eq(id.bytes, order[i], 3);
    }
    seg_engine_flushed(regime.engine, 3);
    regime_sweep(&regime, 10); /* All leave x. */
    ck_assert_uint_eq(seg_engine_dirty_count(regime.engine), 3);
    ck_assert_uint_gt(seg_engine_generation(regime.engine), generation);
}
END_TEST

/* Between two slices users may be flushed; who changes after it is dirty again.
 */
START_TEST(who_is_flushed_while_users_move_is_not_dirty)
{
    struct seg_catalogue *next;
    struct seg_engine *engine;
    int slices = 0;
    play(any_x);
    ck_assert_uint_eq(seg_engine_dirty_count(regime.engine), 3);
    next = small_world_compile("segment x { when did \"X\" }\n"
                               "segment y { when did \"Y\" }");
    engine = regime_engine(next, seg_engine_clock(regime.engine));
    while (seg_engine_adopt(engine, regime.engine, regime.positions, 1) == 1)
        if (++slices == 5) /* Three are moved, two have their timers. */
            seg_engine_flushed(regime.engine, 2);
    ck_assert_int_eq(slices, 6 - 1);
    regime_end(&regime);
    regime.engine = engine;
    regime.catalogue = next;
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 1);
    regime_did(&regime, 4, "ann", "X");
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 2);
    regime_did(&regime, 4, "cat", "X");
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 2);
}
END_TEST

START_TEST(a_catalogue_without_users_is_swept_at_once)
{
    regime_begin(&regime, any_x);
    ck_assert(seg_engine_swept(regime.engine));
    regime_adopt(&regime, quiet, 1);
    ck_assert(!seg_engine_swept(regime.engine));
    ck_assert_int_eq(regime_sweep(&regime, 1), 1);
}
END_TEST

SUITE(
    "adopt", NULL, teardown,
    TABLE(an_edit_changes_what_it_says_and_fires_nothing, edits),
    TABLE(the_size_of_a_slice_does_not_matter, edits),
    TABLE(a_sweep_finds_nothing_the_second_time, edits),
    TEST(a_title_is_no_edit),
    TEST(who_sits_in_a_segment_that_is_gone_is_asked_about_by_its_key),
    TEST(a_segment_brought_back_has_forgotten),
    TEST(a_segment_back_before_the_sweep_ended_keeps_who_was_not_told),
    TEST(a_segment_back_of_which_all_is_known_takes_in_at_once),
    TEST(did_not_any_lets_nobody_in_at_once),
    TEST(what_asks_the_unknown_is_unknown),
    TEST(a_longer_time_since_an_exit_is_not_known_at_once),
    TEST(a_longer_time_since_an_exit_is_known_when_it_has_passed),
    TEST(a_rise_counts_though_something_needed_was_not_seen),
    TEST(a_rise_ends_a_membership_though_something_needed_was_not_seen),
    TEST(a_new_threshold_that_is_seen_lets_in_while_warming),
    TEST(a_higher_threshold_in_a_window_is_known_for_whom_nothing_was_left_out),
    TEST(events_and_timers_between_slices_find_the_same_truth),
    TEST(a_cooldown_holds_though_its_segment_was_gone_for_a_while),
    TEST(who_was_dirty_is_dirty_in_the_same_order),
    TEST(who_is_flushed_while_users_move_is_not_dirty),
    TEST(a_catalogue_without_users_is_swept_at_once))
