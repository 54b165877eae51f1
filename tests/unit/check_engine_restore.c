/* check_engine_restore.c: putting the users of a partition together again.
 *
 * The restore of lib/engine, step by step, without a daemon: what is skipped,
 * what is refused, and that the whole of it ends where the first life ended. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "lib/user/fired.h"
#include "lib/user/member.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

static struct seg_catalogue *catalogue;
static struct seg_engine *engine;
static struct seg_decoder *decoder;
static struct seg_error detail;

static void setup(void)
{
    catalogue = small_world_catalogue();
    engine = small_world_engine(catalogue);
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
    detail = (struct seg_error){0};
}

static void teardown(void)
{
    seg_decoder_free(decoder);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
}

static int change(uint32_t seq, const char *segment, int member, int64_t at_ms)
{
    const struct seg_restored restored = {.user_id = text_of("u"),
                                          .segment = text_of(segment),
                                          .member = member,
                                          .seq = seq,
                                          .at_ms = at_ms,
                                          .entered_at_ms = at_ms};
    return seg_engine_restore_change(engine, &restored, &detail);
}

static int trigger(uint32_t seq, const char *segment, const char *name,
                   int member, int64_t at_ms)
{
    const struct seg_restored restored = {.user_id = text_of("u"),
                                          .segment = text_of(segment),
                                          .trigger = text_of(name),
                                          .member = member,
                                          .seq = seq,
                                          .at_ms = at_ms};
    return seg_engine_restore_trigger(engine, &restored, &detail);
}

static int in_segment(const char *key, int64_t *entered_ms)
{
    return member_find(small_world_user(engine, "u"),
                       (uint32_t)seg_catalogue_segment_index(catalogue, key),
                       entered_ms);
}

static struct seg_user_info info(void)
{
    struct seg_user_info info;
    seg_user_info(engine, seg_user_find(engine, text_of("u")), &info);
    return info;
}

/* ---- changes --------------------------------------------------------- */

START_TEST(changes_are_put_back_in_their_order)
{
    int64_t entered_ms;
    ck_assert_int_eq(change(1, "ever", 1, 100), 0);
    ck_assert_int_eq(change(2, "oslo", 1, 200), 0);
    ck_assert(in_segment("ever", &entered_ms));
    ck_assert_int_eq(entered_ms, 100);
    ck_assert_int_eq(change(3, "ever", 0, 300), 0);
    ck_assert(!in_segment("ever", NULL));
    ck_assert(in_segment("oslo", &entered_ms));
    ck_assert_int_eq(entered_ms, 200);
    ck_assert_uint_eq(info().seq, 3);
    ck_assert_int_eq(info().last_change_ms, 300);
}
END_TEST

START_TEST(a_change_that_is_there_already_is_skipped)
{
    ck_assert_int_eq(change(1, "ever", 1, 100), 0);
    ck_assert_int_eq(change(2, "ever", 0, 200), 0);
    ck_assert_int_eq(change(1, "ever", 1, 100), 0);
    ck_assert_int_eq(change(2, "nonsense", 1, 999), 0);
    ck_assert(!in_segment("ever", NULL));
    ck_assert_uint_eq(info().seq, 2);
    ck_assert_int_eq(info().last_change_ms, 200);
}
END_TEST

START_TEST(a_missing_change_is_a_gap_that_names_both_numbers)
{
    ck_assert_int_eq(change(1, "ever", 1, 100), 0);
    ck_assert_int_eq(change(3, "ever", 0, 100), SEG_ERR_SEQ_GAP);
    ck_assert_int_eq(detail.code, SEG_ERR_SEQ_GAP);
    ck_assert_str_eq(detail.message, "change 3 of a user follows change 1");
    ck_assert(in_segment("ever", NULL));
    ck_assert_uint_eq(info().seq, 1);
}
END_TEST

START_TEST(entering_twice_is_refused)
{
    ck_assert_int_eq(change(1, "ever", 1, 100), 0);
    ck_assert_int_eq(change(2, "ever", 1, 200), SEG_ERR_SEQ_GAP);
    ck_assert_int_eq(change(2, "oslo", 0, 200), SEG_ERR_SEQ_GAP);
    ck_assert_str_eq(detail.message,
                     "change 2 of a user repeats the one before");
    ck_assert_uint_eq(info().seq, 1);
}
END_TEST

/* It is one that the catalogue has no more: a sweep will end it. */
START_TEST(a_change_of_a_segment_that_nobody_knows_is_kept)
{
    struct seg_membership in[2];
    ck_assert_int_eq(change(1, "gone", 1, 100), 0);
    ck_assert_int_eq(change(2, "gone", 1, 100), SEG_ERR_SEQ_GAP);
    ck_assert_int_eq(seg_user_memberships(
                         engine, seg_user_find(engine, text_of("u")), in, 2),
                     1);
    ck_assert_int_eq(in[0].segment, seg_catalogue_segment_count(catalogue));
    ck_assert(text_equal(in[0].key, text_of("gone")));
    ck_assert_int_eq(in[0].entered_at_ms, 100);
    ck_assert_int_eq(change(2, "gone", 0, 200), 0);
    ck_assert_int_eq(seg_user_memberships(
                         engine, seg_user_find(engine, text_of("u")), in, 2),
                     0);
    ck_assert_uint_eq(info().seq, 2);
}
END_TEST

static const struct {
    const char *segment, *trigger;
} unknown_triggers[] = {
    {"exporters", "gone"},
    {"exporters", "come_back"}, /* There is one, but it fires on exit. */
    {"ever", "upgrade"},
    {"gone", "upgrade"},
};

/* Its segment may come back, and then its cooldown holds. */
START_TEST(a_trigger_that_nobody_knows_is_kept)
{
    ck_assert_int_eq(trigger(1, unknown_triggers[_i].segment,
                             unknown_triggers[_i].trigger, 1, 100),
                     0);
    ck_assert_uint_eq(info().trigger_seq, 1);
    ck_assert_uint_eq(fired_count(small_world_user(engine, "u")), 1);
    ck_assert_int_eq(trigger(3, "exporters", "upgrade", 1, 100),
                     SEG_ERR_SEQ_GAP);
    ck_assert_int_eq(trigger(2, "exporters", "upgrade", 1, 100), 0);
    ck_assert_uint_eq(fired_count(small_world_user(engine, "u")), 2);
}
END_TEST

START_TEST(triggers_have_numbers_and_cooldowns_of_their_own)
{
    int64_t at_ms = SMALL_WORLD_START_MS + HOUR_MS;
    ck_assert_int_eq(trigger(1, "exporters", "upgrade", 1, at_ms), 0);
    ck_assert_int_eq(trigger(2, "exporters", "hello", 1, at_ms), 0);
    ck_assert_int_eq(trigger(1, "exporters", "upgrade", 1, at_ms), 0);
    ck_assert_int_eq(trigger(4, "exporters", "hello", 1, at_ms),
                     SEG_ERR_SEQ_GAP);
    ck_assert_str_eq(detail.message, "trigger 4 of a user follows trigger 2");
    ck_assert_uint_eq(info().trigger_seq, 2);
    ck_assert_uint_eq(info().seq, 0);
    ck_assert_int_eq(seg_engine_restore_finish(
                         engine, SMALL_WORLD_START_MS + 2 * HOUR_MS, 10),
                     0);
    seg_engine_outputs_clear(engine);
    /* "upgrade" is cooling, "hello" has no cooldown. */
    for (int i = 0; i < 3; i++)
        small_world_send(engine, catalogue, 3 + i,
                         "{\"type\":\"track\",\"userId\":\"u\","
                         "\"event\":\"Report Exported\"}",
                         i);
    ck_assert_uint_eq(info().trigger_seq, 3);
}
END_TEST

/* ---- input ----------------------------------------------------------- */

static int redo(double hours, int topic, int64_t offset, const char *json)
{
    const struct seg_origin origin = {topic, offset,
                                      SMALL_WORLD_START_MS +
                                          (int64_t)(hours * (double)HOUR_MS)};
    struct seg_event event;
    ck_assert_int_eq(seg_decode(decoder, json, strlen(json), &event, NULL), 0);
    return seg_engine_redo(engine, &event, &origin);
}

#define VISIT "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Visited\"}"

START_TEST(a_user_known_by_changes_alone_is_born_by_his_first_event)
{
    ck_assert_int_eq(change(1, "ever", 1, 100), 0);
    ck_assert_int_eq(redo(1, 1, 77, VISIT), SEG_APPLIED);
    ck_assert_int_eq(redo(2, 0, 78, VISIT), SEG_APPLIED);
    ck_assert_uint_eq(user_birth(small_world_user(engine, "u")),
                      fold_stamp(1, 77));
}
END_TEST

/* A record of u with position 1000 in both topics. */
static void import_u(void)
{
    struct seg_engine *first = small_world_engine(catalogue);
    struct buf record;
    buf_init(&record);
    small_world_send(first, catalogue, 1, VISIT, 5);
    small_world_record(first, small_world_user(first, "u"), &record);
    ck_assert_int_eq(
        seg_engine_restore_user(engine, record.bytes, record.len, &detail), 0);
    buf_done(&record);
    seg_engine_free(first);
}

static int64_t visits(void)
{
    struct seg_explanation *why;
    int segment = seg_catalogue_segment_index(catalogue, "friends");
    int64_t visits = -1;
    ck_assert_int_eq(
        seg_explain(&why, engine, seg_user_find(engine, text_of("u")), segment),
        0);
    for (int i = 0; i < seg_explanation_count(why); i++)
        if (seg_explanation_at(why, i)->value.type == SEG_INT)
            visits = seg_explanation_at(why, i)->value.as.integer;
    seg_explanation_free(why);
    return visits;
}

static const struct {
    int64_t offset;
    int64_t visits; /* The record has one. */
} positions[] = {{0, 1}, {999, 1}, {1000, 2}, {1001, 2}};

START_TEST(an_event_before_the_position_of_the_record_is_in_it)
{
    seg_engine_advance(engine, SMALL_WORLD_START_MS + 3 * HOUR_MS, 10);
    import_u();
    ck_assert_int_eq(redo(2, 0, positions[_i].offset, VISIT), SEG_APPLIED);
    ck_assert_int_eq(visits(), positions[_i].visits);
    ck_assert_int_eq(redo(2, 1, positions[_i].offset, VISIT), SEG_APPLIED);
    ck_assert_int_eq(visits(), 2 * positions[_i].visits - 1);
}
END_TEST

START_TEST(each_user_has_the_positions_of_his_own_record)
{
    struct seg_engine *first = small_world_engine(catalogue);
    struct seg_text id, record;
    seg_engine_advance(engine, SMALL_WORLD_START_MS + 3 * HOUR_MS, 10);
    small_world_run(first, catalogue);
    /* Ada was read to 0, bob to 3, cid to 6 ... */
    for (uint32_t i = 0; i < seg_engine_dirty_count(first); i++) {
        int64_t row[] = {3 * i, 3 * i};
        ck_assert_int_eq(seg_engine_dirty_record(first, i, row, &id, &record),
                         0);
        ck_assert_int_eq(
            seg_engine_restore_user(engine, record.bytes, record.len, &detail),
            0);
    }
    import_u();
    ck_assert_int_eq(redo(2, 0, 999, VISIT), SEG_APPLIED);
    ck_assert_int_eq(visits(), 1);
    for (uint32_t i = 0; i < engine->store.user_count - 1; i++) {
        char json[128];
        struct user *user = store_at(&engine->store, i);
        snprintf(json, sizeof(json),
                 "{\"type\":\"track\",\"userId\":\"%.*s\",\"event\":\"Z\"}",
                 (int)user_id(user).len, user_id(user).bytes);
        ck_assert_int_eq(redo(2, 1, 3 * (int64_t)i - 1, json), SEG_APPLIED);
        ck_assert(!(store_at(&engine->store, i)->flags & USER_TOUCHED));
        ck_assert_int_eq(redo(2, 1, 3 * i, json), SEG_APPLIED);
        ck_assert(store_at(&engine->store, i)->flags & USER_TOUCHED);
    }
    seg_engine_free(first);
}
END_TEST

START_TEST(nobody_is_judged_before_the_end)
{
    size_t count;
    seg_engine_advance(engine, SMALL_WORLD_START_MS + 3 * HOUR_MS, 10);
    ck_assert_int_eq(redo(1, 0, 1, VISIT), SEG_APPLIED);
    ck_assert_int_eq(redo(2, 0, 2, VISIT), SEG_APPLIED);
    seg_engine_outputs(engine, &count);
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 0);
    ck_assert_int_eq(seg_engine_restore_finish(
                         engine, SMALL_WORLD_START_MS + 3 * HOUR_MS, 10),
                     0);
    seg_engine_outputs(engine, &count);
    ck_assert_uint_gt(count, 0);
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 1);
}
END_TEST

START_TEST(a_message_read_twice_is_a_duplicate)
{
    static const char json[] = "{\"type\":\"track\",\"userId\":\"u\","
                               "\"messageId\":\"m\",\"event\":\"Visited\"}";
    ck_assert_int_eq(redo(1, 0, 1, json), SEG_APPLIED);
    ck_assert_int_eq(redo(2, 0, 2, json), SEG_APPLIED_DUPLICATE);
    ck_assert_int_eq(redo(2, 1, 2, json), SEG_APPLIED);
}
END_TEST

/* ---- the end --------------------------------------------------------- */

/* The lines of what ENGINE put out. The caller frees them. */
static char *outputs_of(const struct seg_engine *of)
{
    struct buf buf;
    buf_init(&buf);
    small_world_outputs(of, catalogue, &buf);
    char *text = buf_take(&buf);
    ck_assert_ptr_nonnull(text);
    return text;
}

START_TEST(whoever_is_due_is_judged_in_slices)
{
    struct seg_engine *first = small_world_engine(catalogue);
    struct buf record;
    int slices = 0, ret;
    buf_init(&record);
    small_world_run(first, catalogue);
    for (uint32_t i = 0; i < first->store.user_count; i++) {
        buf_reset(&record);
        small_world_record(first, store_at(&first->store, i), &record);
        ck_assert_int_eq(
            seg_engine_restore_user(engine, record.bytes, record.len, &detail),
            0);
    }
    do {
        ret = seg_engine_restore_finish(engine,
                                        SMALL_WORLD_START_MS + 10 * DAY_MS, 2);
        ck_assert_int_ge(ret, 0);
        slices++;
    } while (ret);
    ck_assert_int_eq(slices, (int)(first->store.user_count + 1) / 2);
    ck_assert_int_eq(seg_engine_clock(engine),
                     SMALL_WORLD_START_MS + 10 * DAY_MS);
    /* Time alone makes the first engine's users leave as well: same sizes. */
    ck_assert_int_eq(
        seg_engine_advance(first, SMALL_WORLD_START_MS + 10 * DAY_MS, 1000), 0);
    for (int i = 0; i < seg_catalogue_segment_count(catalogue); i++)
        ck_assert_uint_eq(seg_engine_segment_size(engine, i),
                          seg_engine_segment_size(first, i));
    size_t count;
    const struct seg_output *outputs = seg_engine_outputs(engine, &count);
    ck_assert_uint_gt(count, 0);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(outputs[i].cause, SEG_CAUSE_REPAIR);
        ck_assert_int_eq(outputs[i].kind, SEG_OUTPUT_CHANGE);
        ck_assert_ptr_null(outputs[i].source_topic.bytes);
    }
    buf_done(&record);
    seg_engine_free(first);
}
END_TEST

static void restore_output(const struct seg_output *output)
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
    int is_trigger = output->kind == SEG_OUTPUT_TRIGGER;
    if (is_trigger) {
        seg_catalogue_trigger(catalogue, output->trigger, &trigger);
        restored.trigger = text_of(trigger.name);
    }
    ck_assert_int_eq(
        is_trigger ? seg_engine_restore_trigger(engine, &restored, &detail)
                   : seg_engine_restore_change(engine, &restored, &detail),
        0);
}

/* Records taken after step _i, changes and input read back since: the second
 * life goes on as the first. */
START_TEST(a_second_life_goes_on_as_the_first)
{
    struct seg_engine *first = small_world_engine(catalogue);
    struct seg_decoder *reader;
    struct buf record;
    size_t seen, count;
    buf_init(&record);
    ck_assert_int_eq(seg_decoder_new(&reader, catalogue), 0);
    for (int i = 0; i < _i; i++)
        ck_assert_int_ge(
            small_world_apply(first, reader, &small_world_steps[i], i), 0);
    for (uint32_t i = 0; i < first->store.user_count; i++) {
        static int64_t row[2];
        row[0] = row[1] = _i;
        buf_reset(&record);
        snapshot_encode(first, store_at(&first->store, i), row, &record);
        ck_assert_int_eq(
            seg_engine_restore_user(engine, record.bytes, record.len, &detail),
            0);
    }
    seg_engine_outputs(first, &seen);
    for (int i = _i; i < small_world_step_count; i++)
        ck_assert_int_ge(
            small_world_apply(first, reader, &small_world_steps[i], i), 0);
    const struct seg_output *outputs = seg_engine_outputs(first, &count);
    for (size_t i = seen; i < count; i++)
        restore_output(&outputs[i]);
    engine->clock_ms = seg_engine_clock(first);
    for (int i = 0; i < small_world_step_count; i++)
        ck_assert_int_ge(redo(small_world_steps[i].hours,
                              small_world_steps[i].topic, i,
                              small_world_steps[i].json),
                         0);
    ck_assert_int_eq(
        seg_engine_restore_finish(engine, seg_engine_clock(first), 100), 0);
    char *repaired = outputs_of(engine);
    ck_assert_str_eq(repaired, "");
    free(repaired);
    seg_engine_outputs_clear(first);
    for (int days = 3; days < 50; days += 7) {
        seg_engine_advance(first, SMALL_WORLD_START_MS + days * DAY_MS, 1000);
        seg_engine_advance(engine, SMALL_WORLD_START_MS + days * DAY_MS, 1000);
    }
    for (uint32_t i = 0; i < first->store.user_count; i++) {
        const char *const names[] = {"ada", "bob", "cid", "dan", "eve", "fay"};
        const struct user *a = small_world_user(first, names[i]);
        const struct user *b = small_world_user(engine, names[i]);
        struct changes x = changes_of(a), y = changes_of(b);
        ck_assert_uint_eq(x.seq, y.seq);
        ck_assert_uint_eq(x.trigger_seq, y.trigger_seq);
        ck_assert_int_eq(x.last_at_ms, y.last_at_ms);
        ck_assert_uint_eq(user_birth(a), user_birth(b));
    }
    seg_engine_outputs(first, &count);
    ck_assert_uint_gt(count, 0);
    seg_engine_outputs(engine, &seen);
    ck_assert_uint_eq(seen, count);
    seg_decoder_free(reader);
    seg_engine_free(first);
    buf_done(&record);
}
END_TEST

/* Beyond the exact limit what is kept goes by what was left at the time. (Of
 * sequences more is kept when they are read again: nothing is late then.) */
static const char *const limited[] = {
    "did \"A\" at least 3 times from 8d to 4d ago",
    "did \"A\" at most 300 times in 8d",
    "days(\"A\") from 8d to 4d ago >= 2",
    "distinct(\"A\", x) in 8d >= 2",
    "distinct(\"A\", x) from 8d to 4d ago >= 2",
    "max(\"A\", x) from 8d to 4d ago >= 2",
    "min(\"A\", x) in 8d >= 2",
    "last(\"A\", x) from 8d to 4d ago >= 2",
    "first(\"A\", x) in 8d >= 2",
    "sum(\"A\", x) in 8d >= 2",
    "avg(\"A\", x) from 8d to 4d ago >= 2",
    "did \"A\" at least 2 times per day for 8 days",
};

/* A visit every 20 minutes for five days, and one when most have left. */
static void many_visits(int (*visit)(double hours, int64_t offset,
                                     const char *json))
{
    char json[200];
    for (int i = 0; i <= 360; i++) {
        snprintf(json, sizeof(json),
                 "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"A\","
                 "\"properties\":{\"x\":%d}}",
                 i);
        ck_assert_int_ge(visit(i < 360 ? i / 3.0 : 12 * 24, i, json), 0);
    }
}

static struct seg_engine *living;

static int live_through(double hours, int64_t offset, const char *json)
{
    const struct seg_origin origin = {
        0, offset, SMALL_WORLD_START_MS + (int64_t)(hours * (double)HOUR_MS)};
    struct seg_event event;
    ck_assert_int_eq(seg_decode(decoder, json, strlen(json), &event, NULL), 0);
    seg_engine_advance(living, origin.timestamp_ms, INT_MAX);
    return seg_engine_apply(living, &event, &origin);
}

static int read_again(double hours, int64_t offset, const char *json)
{
    return redo(hours, 0, offset, json);
}

/* From now on there are two engines of a segment that asks CONDITION. */
static void ask(const char *condition)
{
    struct buf text;
    buf_init(&text);
    teardown();
    buf_printf(&text, "segment s { when %s }", condition);
    catalogue = small_world_compile(buf_string(&text));
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
    living = small_world_engine(catalogue);
    engine = small_world_engine(catalogue);
    buf_done(&text);
}

static void must_be_alike(void)
{
    ck_assert_int_eq(
        seg_engine_restore_finish(engine, seg_engine_clock(living), 1000), 0);
    for (uint32_t i = 0; i < engine->plan->feature_count; i++) {
        uint32_t item = engine->plan->features[i].item;
        struct item a = user_item(small_world_user(living, "u"), item);
        struct item b = user_item(small_world_user(engine, "u"), item);
        ck_assert_uint_eq(a.coarse, b.coarse);
        ck_assert_uint_eq(a.len, b.len);
        if (a.len)
            ck_assert_mem_eq(a.bytes, b.bytes, a.len);
    }
}

START_TEST(what_went_beyond_the_exact_limit_does_so_again)
{
    ask(limited[_i]);
    many_visits(live_through);
    engine->clock_ms = seg_engine_clock(living);
    many_visits(read_again);
    must_be_alike();
    seg_engine_free(living);
}
END_TEST

/* What is read again may be older than what the record has: of another producer,
 * or of an input that lags. */
START_TEST(a_record_may_be_ahead_of_what_is_read_again)
{
    static const struct small_step steps[] = {
        {20, 0, "7"}, {15, 0, "5"}, {16, 0, "9"}, {14, 0, "8"}};
    static const int64_t position[] = {1, 0};
    struct buf record;
    char json[200];
    ask(limited[_i]);
    buf_init(&record);
    for (int i = 0; i < 4; i++) {
        snprintf(json, sizeof(json),
                 "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"A\","
                 "\"properties\":{\"x\":%s}}",
                 steps[i].json);
        ck_assert_int_ge(live_through(steps[i].hours, i, json), 0);
        if (i == 0) {
            snapshot_encode(living, small_world_user(living, "u"), position,
                            &record);
            engine->clock_ms = seg_engine_clock(living);
            ck_assert_int_eq(seg_engine_restore_user(engine, record.bytes,
                                                     record.len, &detail),
                             0);
        } else {
            ck_assert_int_ge(redo(steps[i].hours, 0, i, json), 0);
        }
    }
    must_be_alike();
    /* And who restores that does not refuse it. */
    buf_reset(&record);
    small_world_record(engine, small_world_user(engine, "u"), &record);
    seg_engine_free(living);
    living = small_world_engine(catalogue);
    ck_assert_int_eq(
        seg_engine_restore_user(living, record.bytes, record.len, &detail), 0);
    seg_engine_free(living);
    buf_done(&record);
}
END_TEST

SUITE("engine_restore", setup, teardown,
      TEST(changes_are_put_back_in_their_order),
      TEST(a_change_that_is_there_already_is_skipped),
      TEST(a_missing_change_is_a_gap_that_names_both_numbers),
      TEST(entering_twice_is_refused),
      TEST(a_change_of_a_segment_that_nobody_knows_is_kept),
      TABLE(a_trigger_that_nobody_knows_is_kept, unknown_triggers),
      TEST(triggers_have_numbers_and_cooldowns_of_their_own),
      TEST(a_user_known_by_changes_alone_is_born_by_his_first_event),
      TABLE(an_event_before_the_position_of_the_record_is_in_it, positions),
      TEST(each_user_has_the_positions_of_his_own_record),
      TEST(nobody_is_judged_before_the_end),
      TEST(a_message_read_twice_is_a_duplicate),
      TEST(whoever_is_due_is_judged_in_slices),
      TABLE(what_went_beyond_the_exact_limit_does_so_again, limited),
      TABLE(a_record_may_be_ahead_of_what_is_read_again, limited),
      TIMES(a_second_life_goes_on_as_the_first, 23))
