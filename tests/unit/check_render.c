/* check_render.c: answers as JSON and as text. */
#include "daemon/http/render.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "tests/support/suite.h"

#define DAY   INT64_C(86400000)
#define START INT64_C(1767225600000) /* 2026-01-01 */

static const char segments[] =
    "segment goals { title \"Uses goals\" owner \"growth\" tags [\"a\", "
    "\"b\"]\n"
    "  when did \"Goal Used\" at least 2 times in 7d }\n"
    "segment pro { when user.plan = \"pro\" and account.tier >= 2 }\n";

static struct seg_catalogue *catalogue;
static struct seg_engine *engine;
static struct seg_decoder *decoder;
static int64_t offset;
static json_t *json;

static void open_engine(const char *text)
{
    struct seg_diagnostics *diagnostics;
    struct seg_source source = {"x.seg", text, strlen(text)};
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    ck_assert_int_eq(seg_catalogue_compile(&catalogue, &source, 1, diagnostics),
                     0);
    seg_diagnostics_free(diagnostics);
    struct seg_engine_options options = {.catalogue = catalogue,
                                         .topic_count = 1,
                                         .topics = (const char *[]){"in"},
                                         .hash_seed = 1};
    ck_assert_int_eq(seg_engine_new(&engine, &options), 0);
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
    offset = 0;
    json = NULL;
}

static void setup(void)
{
    open_engine(segments);
}

static void teardown(void)
{
    json_decref(json);
    seg_decoder_free(decoder);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
}

static void apply(int64_t at_ms, const char *text)
{
    struct seg_event event;
    struct seg_origin origin = {0, offset++, at_ms};
    ck_assert_int_eq(seg_decode(decoder, text, strlen(text), &event, NULL), 0);
    while (seg_engine_advance(engine, at_ms, 1000) > 0)
        ;
    ck_assert_int_ge(seg_engine_apply(engine, &event, &origin), 0);
    seg_decoder_reset(decoder);
}

static void apply_history(void)
{
    apply(START, "{\"type\":\"identify\",\"userId\":\"u/1\",\"traits\":"
                 "{\"plan\":\"pro\",\"age\":41,\"score\":0.5,\"ok\":true,"
                 "\"gone\":null,\"langs\":[\"de\",1]}}");
    apply(START, "{\"type\":\"group\",\"userId\":\"u/1\",\"groupId\":\"acme\","
                 "\"traits\":{\"tier\":1}}");
    apply(START + DAY,
          "{\"type\":\"track\",\"userId\":\"u/1\",\"event\":\"Goal Used\"}");
    apply(START + 2 * DAY,
          "{\"type\":\"track\",\"userId\":\"u/1\",\"event\":\"Goal Used\"}");
}

static struct render_user found(void)
{
    struct render_user user = {catalogue, engine, NULL, 3};
    user.user = seg_user_find(engine, text_of("u/1"));
    ck_assert_ptr_nonnull(user.user);
    return user;
}

/* TEXT, which is freed, as json. */
static void parse(char *text)
{
    json_decref(json);
    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    json = json_loads(text, 0, NULL);
    ck_assert_msg(json != NULL, "no JSON: %s", text);
    free(text);
}

/* The value at the path of names (or numbers of array items) as JSON text. */
static const char *at(const char *path)
{
    static char text[1000];
    char copy[100], *rest = copy;
    json_t *value = json;
    strcpy(copy, path);
    for (char *name; value && (name = strsep(&rest, "/"));)
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(name))
                                     : json_object_get(value, name);
    if (!value)
        return "(nothing)";
    size_t len = json_dumpb(value, text, sizeof(text) - 1,
                            JSON_ENCODE_ANY | JSON_COMPACT);
    text[len] = 0;
    return text;
}

struct row {
    const char *path, *want;
};

static void compare(const struct row *rows, int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_msg(!strcmp(at(rows[i].path), rows[i].want),
                      "%s: got %s want %s", rows[i].path, at(rows[i].path),
                      rows[i].want);
}

START_TEST(a_user_is_shown_with_all_that_is_known)
{
    static const struct row want[] = {
        {"user", "\"u/1\""},
        {"partition", "3"},
        {"clock", "\"2026-01-03T00:00:00.000Z\""},
        {"account", "\"acme\""},
        {"seq", "1"},
        {"trigger_seq", "0"},
        {"last_change_at", "\"2026-01-03T00:00:00.000Z\""},
        {"memberships", "[{\"segment\":\"goals\",\"title\":\"Uses goals\","
                        "\"entered_at\":\"2026-01-03T00:00:00.000Z\"}]"},
        {"attributes/user/plan", "\"pro\""},
        {"attributes/user/age", "41"},
        {"attributes/user/score", "0.5"},
        {"attributes/user/ok", "true"},
        {"attributes/user/gone", "(nothing)"},
        {"attributes/account/tier", "1"},
    };
    apply_history();
    struct render_user user = found();
    parse(render_user(&user));
    compare(want, COUNT(want));
    ck_assert_int_eq(json_string_length(json_object_get(json, "catalogue")), 8);
    ck_assert_int_gt(json_integer_value(json_object_get(json, "bytes")), 0);
}
END_TEST

START_TEST(a_user_without_anything_is_shown_too)
{
    static const struct row want[] = {
        {"account", "null"},
        {"last_change_at", "null"},
        {"next_due_at", "null"},
        {"memberships", "[]"},
        {"attributes", "{\"user\":{},\"account\":{}}"},
    };
    apply(START, "{\"type\":\"track\",\"userId\":\"u/1\",\"event\":\"Other\"}");
    struct render_user user = found();
    parse(render_user(&user));
    compare(want, COUNT(want));
}
END_TEST

START_TEST(a_user_in_more_segments_than_usual_is_shown_with_all)
{
    struct buf text;
    buf_init(&text);
    for (int i = 0; i < 100; i++)
        buf_printf(&text, "segment s%03d { when everyone }\n", i);
    teardown();
    open_engine(buf_string(&text));
    apply(START, "{\"type\":\"track\",\"userId\":\"u/1\",\"event\":\"X\"}");
    struct render_user user = found();
    parse(render_user(&user));
    ck_assert_int_eq(json_array_size(json_object_get(json, "memberships")),
                     100);
    buf_done(&text);
}
END_TEST

START_TEST(an_explanation_is_the_condition_as_a_tree)
{
    static const struct row want[] = {
        {"segments/0/key", "\"pro\""},
        {"segments/0/member", "false"},
        {"segments/0/entered_at", "null"},
        {"segments/0/tree/condition", "\"all of\""},
        {"segments/0/tree/holds", "false"},
        {"segments/0/tree/children/0/condition", "\"user.plan = \\\"pro\\\"\""},
        {"segments/0/tree/children/0/holds", "true"},
        {"segments/0/tree/children/0/value", "\"pro\""},
        {"segments/0/tree/children/1/holds", "false"},
        {"segments/0/tree/children/1/value", "1"},
        {"segments/0/tree/children/1/children", "[]"},
        {"segments/0/tree/children/2", "(nothing)"},
        {"segments/1", "(nothing)"},
    };
    apply_history();
    struct render_user user = found();
    parse(render_explain(&user, seg_catalogue_segment_index(catalogue, "pro")));
    compare(want, COUNT(want));
}
END_TEST

START_TEST(an_explanation_says_since_when_and_when_it_changes)
{
    static const struct row want[] = {
        {"segments/0/key", "\"goals\""},
        {"segments/0/title", "\"Uses goals\""},
        {"segments/0/member", "true"},
        {"segments/0/entered_at", "\"2026-01-03T00:00:00.000Z\""},
        {"segments/0/tree/holds", "true"},
        {"segments/0/tree/value", "2"},
        {"segments/0/tree/changes_at", "\"2026-01-09T00:00:00.000Z\""},
        {"segments/1/key", "\"pro\""},
    };
    apply_history();
    struct render_user user = found();
    parse(render_explain(&user, -1));
    compare(want, COUNT(want));
}
END_TEST

START_TEST(a_segment_that_is_asked_for_says_since_when_he_is_in_it)
{
    static const struct row want[] = {
        {"segments/0/tree/children/0/condition", "\"in segment goals\""},
        {"segments/0/tree/children/0/holds", "true"},
        {"segments/0/tree/children/0/needed", "\"membership\""},
        {"segments/0/tree/children/0/member_since",
         "\"2026-01-03T00:00:00.000Z\""},
        {"segments/0/tree/children/0/changes_at",
         "\"2026-01-09T00:00:00.000Z\""},
        {"segments/0/tree/children/1/member_since", "null"},
        {"segments/0/tree/children/2/member_since", "(nothing)"},
    };
    struct buf text;
    buf_init(&text);
    buf_printf(&text,
               "%s segment best { when in segment goals or in segment pro or "
               "user.vip = true }\n",
               segments);
    teardown();
    open_engine(buf_string(&text));
    buf_done(&text);
    apply_history();
    struct render_user user = found();
    parse(
        render_explain(&user, seg_catalogue_segment_index(catalogue, "best")));
    compare(want, COUNT(want));
}
END_TEST

START_TEST(an_explanation_as_text_begins_with_the_answer)
{
    apply_history();
    struct render_user user = found();
    char *text = render_explain_text(&user, -1);
    static const char first[] =
        "goals (Uses goals): member since 2026-01-03T00:00:00.000Z, at ";
    ck_assert_msg(!strncmp(text, first, strlen(first)), "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "\n\npro: not a member, at "));
    ck_assert_ptr_nonnull(strstr(text, "account.tier >= 2"));
    free(text);
}
END_TEST

START_TEST(segments_are_listed_with_what_they_are_and_their_sizes)
{
    static const int64_t members[] = {7, 0};
    static const struct render_backfill backfills[] = {
        {3, "reads", NULL, 10, 32}, {4, "rests", "there is a reason", 0, 0}};
    const struct render_sizes sizes = {.catalogue = catalogue,
                                       .members = members,
                                       .backfills = backfills,
                                       .backfill_count = 2};
    static const struct row want[] = {
        {"partitions", "{\"here\":2,\"total\":8}"},
        {"backfills/0", "{\"partition\":3,\"step\":\"reads\",\"reason\":null,"
                        "\"read\":10,\"remaining\":32}"},
        {"backfills/1/reason", "\"there is a reason\""},
        {"segments/0/key", "\"goals\""},
        {"segments/0/title", "\"Uses goals\""},
        {"segments/0/owner", "\"growth\""},
        {"segments/0/tags", "[\"a\",\"b\"]"},
        {"segments/0/docs", "null"},
        {"segments/0/condition",
         "\"did \\\"Goal Used\\\" at least 2 times in 7d\""},
        {"segments/0/members", "7"},
        {"segments/1/key", "\"pro\""},
        {"segments/1/members", "0"},
        {"segments/2", "(nothing)"},
    };
    parse(render_segments(&sizes, &(struct render_here){2, 8, NULL}));
    compare(want, COUNT(want));
}
END_TEST

START_TEST(readiness_names_what_is_not_running)
{
    static const struct render_partition partitions[] = {
        {3, "restoring", "Reads the \"state\" topic."}};
    static const struct row not_ready[] = {
        {"ready", "false"},
        {"reason", "\"why\""},
        {"partitions/0/partition", "3"},
        {"partitions/0/state", "\"restoring\""},
        {"partitions/0/reason", "\"Reads the \\\"state\\\" topic.\""},
    };
    static const struct row ready[] = {
        {"ready", "true"}, {"reason", "null"}, {"partitions", "[]"}};
    parse(render_ready(0, "why", partitions, 1));
    compare(not_ready, COUNT(not_ready));
    parse(render_ready(1, "", NULL, 0));
    compare(ready, COUNT(ready));
}
END_TEST

START_TEST(errors_are_one_member)
{
    parse(render_error("A \"quoted\" one."));
    ck_assert_str_eq(at("error"), "\"A \\\"quoted\\\" one.\"");
    ck_assert_int_eq(json_object_size(json), 1);
}
END_TEST

SUITE("render", setup, teardown, TEST(a_user_is_shown_with_all_that_is_known),
      TEST(a_user_without_anything_is_shown_too),
      TEST(a_user_in_more_segments_than_usual_is_shown_with_all),
      TEST(an_explanation_is_the_condition_as_a_tree),
      TEST(an_explanation_says_since_when_and_when_it_changes),
      TEST(a_segment_that_is_asked_for_says_since_when_he_is_in_it),
      TEST(an_explanation_as_text_begins_with_the_answer),
      TEST(segments_are_listed_with_what_they_are_and_their_sizes),
      TEST(readiness_names_what_is_not_running), TEST(errors_are_one_member))
