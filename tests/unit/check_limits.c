/* check_limits.c: the limits that include/seg names, on both sides of each.
 *
 * Those of one message are in check_event, of a user record in
 * check_snapshot_limits, of segment files in check_parse and check_check, of
 * evidence in check_eval. */
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

static struct seg_catalogue *catalogue;
static struct seg_engine *engine;
static struct seg_decoder *decoder;
static struct seg_engine_options options;

static void setup(void)
{
    catalogue = small_world_catalogue();
    options = small_world_options(catalogue);
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
}

static void teardown(void)
{
    seg_decoder_free(decoder);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
    engine = NULL;
}

static int64_t offset; /* Of the next message. */

static void begin(void)
{
    seg_engine_free(engine);
    engine = NULL;
    offset = 0;
    ck_assert_int_eq(seg_engine_new(&engine, &options), 0);
}

/* Apply JSON that arrived AT_MS after the start. */
static int send(int64_t at_ms, const char *json)
{
    const struct seg_origin origin = {0, offset++,
                                      SMALL_WORLD_START_MS + at_ms};
    struct seg_event event;
    ck_assert_int_eq(seg_decode(decoder, json, strlen(json), &event, NULL), 0);
    ck_assert_int_eq(seg_engine_advance(engine, origin.timestamp_ms, 1000), 0);
    return seg_engine_apply(engine, &event, &origin);
}

static struct seg_engine_stats stats(void)
{
    struct seg_engine_stats stats;
    seg_engine_stats(engine, &stats);
    return stats;
}

/* ---- options --------------------------------------------------------- */

static const struct {
    int count, ret;
} topic_counts[] = {
    {-1, SEG_ERR_INVALID},
    {0, SEG_ERR_INVALID},
    {1, 0},
    {SEG_TOPICS_MAX - 1, 0},
    {SEG_TOPICS_MAX, 0},
    {SEG_TOPICS_MAX + 1, SEG_ERR_INVALID},
};

START_TEST(an_engine_has_one_to_so_many_topics)
{
    static char names[SEG_TOPICS_MAX + 1][16];
    const char *topics[SEG_TOPICS_MAX + 1];
    for (int i = 0; i <= SEG_TOPICS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "t%03d", i);
        topics[i] = names[i];
    }
    options.topics = topics;
    options.topic_count = topic_counts[_i].count;
    ck_assert_int_eq(seg_engine_new(&engine, &options), topic_counts[_i].ret);
    if (topic_counts[_i].ret < 0)
        return;
    /* An event of the last of them keeps its place. */
    static const char json[] =
        "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Visited\"}";
    const struct seg_origin origin = {
        options.topic_count - 1, (INT64_C(1) << 56) - 1, SMALL_WORLD_START_MS};
    struct seg_event event;
    size_t count;
    ck_assert_int_eq(seg_decode(decoder, json, strlen(json), &event, NULL), 0);
    ck_assert_int_eq(seg_engine_apply(engine, &event, &origin), 0);
    const struct seg_output *outputs = seg_engine_outputs(engine, &count);
    ck_assert_uint_gt(count, 0);
    ck_assert(text_equal(outputs[0].source_topic,
                         text_of(topics[options.topic_count - 1])));
    ck_assert_int_eq(outputs[0].birth_offset, (INT64_C(1) << 56) - 1);
}
END_TEST

START_TEST(topics_differ_and_a_catalogue_is_needed)
{
    static const char *const twice[] = {"app", "app"};
    options.topics = twice;
    ck_assert_int_eq(seg_engine_new(&engine, &options), SEG_ERR_INVALID);
    options = small_world_options(NULL);
    ck_assert_int_eq(seg_engine_new(&engine, &options), SEG_ERR_INVALID);
    ck_assert_ptr_null(engine);
}
END_TEST

/* ---- sizes ----------------------------------------------------------- */

#define IDENTIFY(user, traits) \
    "{\"type\":\"identify\",\"userId\":\"" user "\",\"traits\":{" traits "}}"

static const int around[] = {-1, 0, 1};

START_TEST(an_engine_has_so_many_users)
{
    char json[128];
    options.users_max = 100;
    begin();
    for (int i = 0; i < 100 + around[_i]; i++) {
        snprintf(json, sizeof(json),
                 "{\"type\":\"identify\",\"userId\":\"u%d\"}", i);
        ck_assert_int_eq(send(0, json), i < 100 ? 0 : SEG_ERR_LIMIT);
    }
    ck_assert_uint_eq(seg_engine_user_count(engine), _i ? 100 : 99);
    ck_assert_int_eq(send(1, "{\"type\":\"identify\",\"userId\":\"u0\"}"), 0);
}
END_TEST

/* He enters and leaves nothing by it: the block only grows. */
START_TEST(a_user_grows_to_his_bytes_and_not_beyond)
{
    static const char first[] = IDENTIFY("u", "\"nick\":\"a\"");
    static const char second[] =
        IDENTIFY("u", "\"nick\":\"of so many bytes that the block grows\"");
    begin();
    ck_assert_int_eq(send(0, first), 0);
    ck_assert_int_eq(send(1, second), 0);
    uint32_t used = small_world_user(engine, "u")->used;
    options.user_bytes_max = used + (uint32_t)around[_i];
    begin();
    ck_assert_int_eq(send(0, first), 0);
    struct seg_engine_stats before = stats();
    int ret = send(1, second);
    ck_assert_int_eq(ret, around[_i] < 0 ? SEG_ERR_USER_BYTES : 0);
    ck_assert_uint_eq(stats().events, before.events + (ret == 0));
    ck_assert(user_validate(small_world_user(engine, "u")));
    ck_assert_uint_le(small_world_user(engine, "u")->used,
                      options.user_bytes_max);
}
END_TEST

START_TEST(a_user_who_is_too_large_at_birth_is_not_born)
{
    options.user_bytes_max = 24;
    begin();
    ck_assert_int_eq(send(0, IDENTIFY("u", "\"plan\":\"free\"")),
                     SEG_ERR_USER_BYTES);
    ck_assert_uint_eq(seg_engine_user_count(engine), 0);
    ck_assert_ptr_null(seg_user_find(engine, text_of("u")));
    ck_assert_int_eq(seg_engine_next_due(engine), SEG_NEVER);
    ck_assert_uint_eq(seg_engine_dirty_count(engine), 0);
}
END_TEST

START_TEST(attributes_that_nobody_reads_have_their_bytes)
{
    static const char json[] = IDENTIFY("u", "\"a\":1,\"b\":2,\"c\":\"three\"");
    begin();
    ck_assert_int_eq(send(0, json), 0);
    struct item item =
        user_item(small_world_user(engine, "u"), USER_ITEM_SPARE);
    options.attribute_bytes = item.len + (uint32_t)around[_i];
    begin();
    ck_assert_int_eq(send(0, json), 0);
    ck_assert_uint_eq(stats().attributes_dropped, around[_i] < 0);
}
END_TEST

/* ---- instants -------------------------------------------------------- */

/* Options of 0 are their defaults, five minutes and a day. */
static const int64_t skews[][2] = {{0, 5 * 60 * 1000}, {1000, 1000}};

START_TEST(events_far_in_the_future_are_counted)
{
    options.future_skew_ms = skews[_i][0];
    for (int more = -1; more <= 1; more++) {
        char json[256], instant[25];
        begin();
        instant_string(instant, SMALL_WORLD_START_MS + skews[_i][1] + more);
        snprintf(json, sizeof(json),
                 "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\","
                 "\"timestamp\":\"%s\"}",
                 instant);
        ck_assert_int_eq(send(0, json), 0);
        ck_assert_uint_eq(stats().future_events, more > 0);
    }
}
END_TEST

static const int64_t latenesses[][2] = {{0, DAY_MS}, {1000, 1000}};

START_TEST(events_that_come_late_are_counted)
{
    options.lateness_ms = latenesses[_i][0];
    for (int more = -1; more <= 1; more++) {
        char json[256], instant[25];
        begin();
        instant_string(instant,
                       SMALL_WORLD_START_MS - latenesses[_i][1] - more);
        snprintf(json, sizeof(json),
                 "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\","
                 "\"timestamp\":\"%s\"}",
                 instant);
        ck_assert_int_eq(send(0, json), 0);
        ck_assert_uint_eq(stats().late_events, more > 0);
    }
}
END_TEST

START_TEST(times_that_are_missing_or_unreadable_are_counted)
{
    begin();
    send(0, "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\"}");
    ck_assert_uint_eq(stats().time_missing, 1);
    ck_assert_uint_eq(stats().time_unreadable, 0);
    send(1, "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\","
            "\"timestamp\":\"yesterday\"}");
    ck_assert_uint_eq(stats().time_missing, 1);
    ck_assert_uint_eq(stats().time_unreadable, 1);
}
END_TEST

#define EXPORT \
    "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Report Exported\"}"

START_TEST(a_change_that_is_too_old_fires_no_trigger)
{
    options.trigger_max_age_ms = skews[_i][0];
    for (int more = -1; more <= 1; more++) {
        begin();
        send(0, EXPORT);
        send(1, EXPORT);
        seg_engine_set_wall(engine,
                            SMALL_WORLD_START_MS + 2 + skews[_i][1] + more);
        send(2, EXPORT);
        ck_assert_uint_eq(stats().triggers, more > 0 ? 0 : 2);
        ck_assert_uint_eq(stats().triggers_suppressed, more > 0 ? 2 : 0);
    }
}
END_TEST

/* "upgrade" fires once per 30 days. */
START_TEST(a_trigger_cools_for_exactly_its_time)
{
    for (int more = -1; more <= 1; more++) {
        begin();
        for (int i = 0; i < 3; i++)
            send(i, EXPORT);
        ck_assert_uint_eq(stats().triggers, 2);
        for (int i = 0; i < 3; i++)
            send(30 * DAY_MS + more + i, EXPORT);
        /* "hello" again, "come_back" between, and "upgrade" if it may. */
        ck_assert_uint_eq(stats().triggers, 4 + (more >= 0));
        ck_assert_uint_eq(stats().triggers_cooling, more < 0);
    }
}
END_TEST

/* Change the catalogue. */
static void compile(const char *text)
{
    seg_engine_free(engine);
    engine = NULL;
    seg_decoder_free(decoder);
    seg_catalogue_free(catalogue);
    catalogue = small_world_compile(text);
    options.catalogue = catalogue;
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
}

/* A byte does not count them. */
START_TEST(a_change_has_so_many_triggers)
{
    enum { TRIGGERS = 300 };
    char text[TRIGGERS * 48 + 64];
    size_t len = (size_t)sprintf(text, "segment s {\n when did \"E\"\n"), count;
    for (int i = 0; i < TRIGGERS; i++)
        len += (size_t)sprintf(text + len, " on enter trigger \"%d\"\n", i);
    strcpy(text + len, "}\n");
    compile(text);
    begin();
    send(0, "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\"}");
    const struct seg_output *outputs = seg_engine_outputs(engine, &count);
    ck_assert_uint_eq(count, 1 + TRIGGERS);
    ck_assert_uint_eq(outputs[0].trigger_count, TRIGGERS);
}
END_TEST

/* His timer is due when 1970 begins; then something half a second before. */
START_TEST(a_timer_comes_earlier_before_1970_too)
{
    size_t count;
    compile("segment a { when did \"A\" in 10s }\n"
            "segment b { when did \"B\" in 1s }\n");
    options.clock_ms = -20000;
    begin();
    send(-SMALL_WORLD_START_MS - 10000,
         "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"A\"}");
    send(-SMALL_WORLD_START_MS - 1500,
         "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"B\"}");
    ck_assert_int_eq(seg_engine_advance(engine, 1000, 1000), 0);
    const struct seg_output *outputs = seg_engine_outputs(engine, &count);
    ck_assert_uint_eq(count, 4);
    ck_assert_int_eq(outputs[2].at_ms, -500);
    ck_assert_int_eq(outputs[3].at_ms, 0);
}
END_TEST

/* ---- message ids ----------------------------------------------------- */

static int send_id(int64_t at_ms, int id)
{
    char json[128];
    snprintf(json, sizeof(json),
             "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"E\","
             "\"messageId\":\"%d\"}",
             id);
    return send(at_ms, json);
}

START_TEST(the_last_ids_of_a_user_are_known)
{
    int others = SEG_IDS_MAX - 1 + around[_i];
    begin();
    ck_assert_int_eq(send_id(0, 0), SEG_APPLIED);
    for (int i = 1; i <= others; i++)
        ck_assert_int_eq(send_id(0, i), SEG_APPLIED);
    ck_assert_int_eq(send_id(0, 0),
                     around[_i] > 0 ? SEG_APPLIED : SEG_APPLIED_DUPLICATE);
    ck_assert_uint_eq(stats().duplicates, around[_i] <= 0);
    ck_assert_uint_eq(stats().events, (uint64_t)others + 2);
}
END_TEST

START_TEST(an_id_is_known_for_a_day)
{
    begin();
    ck_assert_int_eq(send_id(0, 0), SEG_APPLIED);
    ck_assert_int_eq(send_id(SEG_ID_WINDOW_MS + around[_i], 0),
                     around[_i] < 0 ? SEG_APPLIED_DUPLICATE : SEG_APPLIED);
}
END_TEST

/* ---- catalogues ------------------------------------------------------ */

/* Compile COUNT conditions, a thousand a segment: BEFORE, a number, AFTER. */
static void compile_many(const char *before, const char *after, int count,
                         int want)
{
    struct seg_diagnostics *diagnostics;
    struct seg_catalogue *made = NULL;
    struct buf text;
    buf_init(&text);
    for (int i = 0; i < count; i++) {
        if (i % 1000 == 0)
            buf_printf(&text, "%ssegment s%d { when ", i ? " }\n" : "", i);
        buf_printf(&text, "%s%s%d%s", i % 1000 ? " or " : "", before, i, after);
    }
    buf_str(&text, " }\n");
    const struct seg_source source = {"many.seg", text.bytes, text.len};
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    ck_assert_int_eq(seg_catalogue_compile(&made, &source, 1, diagnostics),
                     want);
    ck_assert((made != NULL) == (want == 0));
    seg_catalogue_free(made);
    seg_diagnostics_free(diagnostics);
    buf_done(&text);
}

START_TEST(a_catalogue_has_so_many_features)
{
    compile_many("did \"E", "\"", SEG_FEATURES_MAX + around[_i],
                 around[_i] > 0 ? SEG_ERR_LIMIT : 0);
}
END_TEST

START_TEST(a_catalogue_reads_so_many_attributes)
{
    compile_many("user.a", " is set", SEG_ATTRIBUTES_MAX + around[_i],
                 around[_i] > 0 ? SEG_ERR_LIMIT : 0);
}
END_TEST

SUITE("limits", setup, teardown,
      TABLE(an_engine_has_one_to_so_many_topics, topic_counts),
      TEST(topics_differ_and_a_catalogue_is_needed),
      TABLE(an_engine_has_so_many_users, around),
      TABLE(a_user_grows_to_his_bytes_and_not_beyond, around),
      TEST(a_user_who_is_too_large_at_birth_is_not_born),
      TABLE(attributes_that_nobody_reads_have_their_bytes, around),
      TABLE(events_far_in_the_future_are_counted, skews),
      TABLE(events_that_come_late_are_counted, latenesses),
      TEST(times_that_are_missing_or_unreadable_are_counted),
      TABLE(a_change_that_is_too_old_fires_no_trigger, skews),
      TEST(a_trigger_cools_for_exactly_its_time),
      TEST(a_change_has_so_many_triggers),
      TEST(a_timer_comes_earlier_before_1970_too),
      TABLE(the_last_ids_of_a_user_are_known, around),
      TABLE(an_id_is_known_for_a_day, around),
      TABLE(a_catalogue_has_so_many_features, around),
      TABLE(a_catalogue_reads_so_many_attributes, around))
