/* check_query.c: what an engine knows of one user, and why: the very words. */
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

static struct seg_catalogue *catalogue;
static struct seg_engine *engine;
static struct buf said;

static void setup(void)
{
    catalogue = small_world_catalogue();
    engine = small_world_engine(catalogue);
    small_world_run(engine, catalogue);
    buf_init(&said);
}

static void teardown(void)
{
    buf_done(&said);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
}

/* ---- one user -------------------------------------------------------- */

START_TEST(whoever_sent_nothing_is_not_known)
{
    ck_assert_ptr_null(seg_user_find(engine, text_of("zoe")));
    ck_assert_ptr_null(seg_user_find(engine, text_of("")));
    ck_assert_ptr_null(seg_user_find(engine, text_of("adaa")));
    ck_assert_ptr_nonnull(seg_user_find(engine, text_of("ada")));
}
END_TEST

START_TEST(a_user_is_known_by_what_happened_to_him)
{
    struct seg_user_info info;
    seg_user_info(engine, seg_user_find(engine, text_of("ada")), &info);
    ck_assert(text_equal(info.id, text_of("ada")));
    /* That she joined "later" is dated after the clock. */
    ck_assert(text_equal(info.account, text_of("acme")));
    ck_assert_uint_gt(info.seq, 10);
    ck_assert_uint_eq(info.trigger_seq, 2);
    ck_assert_int_eq(info.last_change_ms, SMALL_WORLD_START_MS + 52 * HOUR_MS);
    ck_assert_int_gt(info.next_due_ms, seg_engine_clock(engine));
    ck_assert_uint_gt(info.bytes, 100);
    seg_user_info(engine, seg_user_find(engine, text_of("cid")), &info);
    ck_assert_ptr_null(info.account.bytes);
}
END_TEST

START_TEST(a_user_without_changes_has_no_last_one)
{
    struct seg_catalogue *of =
        small_world_compile("segment s { when user.x = 1 }\n");
    struct seg_engine *other = small_world_engine(of);
    struct seg_user_info info;
    struct seg_membership in[1];
    small_world_send(other, of, 1, "{\"type\":\"identify\",\"userId\":\"u\"}",
                     0);
    const struct seg_user *user = seg_user_find(other, text_of("u"));
    seg_user_info(other, user, &info);
    ck_assert_int_eq(info.last_change_ms, INT64_MIN);
    ck_assert_int_eq(info.next_due_ms, SEG_NEVER);
    ck_assert_uint_eq(info.seq, 0);
    ck_assert_int_eq(seg_user_memberships(other, user, in, 1), 0);
    seg_engine_free(other);
    seg_catalogue_free(of);
}
END_TEST

START_TEST(memberships_are_counted_even_where_there_is_no_room_for_them)
{
    const struct seg_user *user = seg_user_find(engine, text_of("ada"));
    struct seg_membership all[32], some[32] = {{0}};
    int count = seg_user_memberships(engine, user, all, 32);
    ck_assert_int_gt(count, 5);
    ck_assert_int_eq(seg_user_memberships(engine, user, NULL, 0), count);
    ck_assert_int_eq(seg_user_memberships(engine, user, some, 2), count);
    ck_assert_int_eq(some[1].segment, all[1].segment);
    ck_assert_int_eq(some[2].entered_at_ms, 0);
    for (int i = 1; i < count; i++)
        ck_assert_int_lt(all[i - 1].segment, all[i].segment);
}
END_TEST

START_TEST(more_users_take_more_bytes)
{
    size_t bytes = seg_engine_bytes(engine);
    struct seg_engine *empty = small_world_engine(catalogue);
    ck_assert_uint_gt(bytes, seg_engine_bytes(empty));
    ck_assert_uint_eq(seg_engine_user_count(empty), 0);
    ck_assert_uint_eq(seg_engine_user_count(engine), 6);
    seg_engine_free(empty);
}
END_TEST

/* ---- attributes ------------------------------------------------------ */

static void say_attribute(void *arg, const struct seg_attribute *attribute)
{
    (void)arg;
    buf_str(&said, attribute->account ? "account." : "user.");
    buf_text(&said, attribute->name);
    buf_str(&said, " ");
    buf_json_value(&said, &attribute->value);
    buf_char(&said, '\n');
}

static void expect_attributes(const char *user, const char *want)
{
    buf_reset(&said);
    seg_user_attributes(engine, seg_user_find(engine, text_of(user)),
                        say_attribute, NULL);
    ck_assert_str_eq(buf_string(&said), want);
}

START_TEST(attributes_are_those_that_are_set_and_visible)
{
    expect_attributes("ada", "user.tags [\"beta\",\"Loud\",3,2.5,true,null]\n"
                             "account.industry \"health\"\n"
                             "account.size 11\n"
                             "user.address.city \"Oslo\"\n"
                             "user.plan \"team\"\n"
                             "user.trial_ends_at \"2024-01-06T00:00:00Z\"\n"
                             "user.age 36\n"
                             "user.rate 0.25\n"
                             "user.vip true\n"
                             "account.town \"Bergen\"\n");
    expect_attributes("cid", "");
    expect_attributes("dan", "user.plan \"pro\"\n");
    seg_engine_advance(engine, SMALL_WORLD_START_MS + 54 * HOUR_MS, 100);
    /* She has joined "later", of which less is known. */
    expect_attributes("ada", "user.tags [\"beta\",\"Loud\",3,2.5,true,null]\n"
                             "account.industry \"mines\"\n"
                             "user.address.city \"Oslo\"\n"
                             "user.plan \"team\"\n"
                             "user.trial_ends_at \"2024-01-06T00:00:00Z\"\n"
                             "user.age 36\n"
                             "user.rate 0.25\n"
                             "user.vip true\n"
                             "account.odd false\n");
}
END_TEST

/* ---- all users ------------------------------------------------------- */

static int say_user(void *arg, const struct seg_user *user)
{
    struct seg_user_info info;
    seg_user_info(engine, user, &info);
    buf_text(&said, info.id);
    buf_char(&said, ' ');
    return arg && text_equal(info.id, text_of(arg));
}

START_TEST(all_users_are_seen_in_slices)
{
    uint64_t cursor = 0;
    int slices = 1;
    while (seg_engine_users(engine, &cursor, 2, say_user, NULL))
        slices++;
    ck_assert_int_eq(slices, 3);
    ck_assert_str_eq(buf_string(&said), "ada bob cid dan eve fay ");
    ck_assert_int_eq(seg_engine_users(engine, &cursor, 2, say_user, NULL), 0);
}
END_TEST

START_TEST(a_walk_may_stop_and_go_on_where_it_stopped)
{
    uint64_t cursor = 0;
    char stop[] = "bob";
    ck_assert_int_eq(seg_engine_users(engine, &cursor, 100, say_user, stop), 1);
    ck_assert_str_eq(buf_string(&said), "ada bob ");
    small_world_send(engine, catalogue, 53,
                     "{\"type\":\"identify\",\"userId\":\"new\"}", 99);
    ck_assert_int_eq(seg_engine_users(engine, &cursor, 100, say_user, stop), 0);
    ck_assert_str_eq(buf_string(&said), "ada bob cid dan eve fay new ");
}
END_TEST

/* ---- why ------------------------------------------------------------- */

static const struct {
    const char *user, *segment, *text;
} explanations[] = {
    {"ada", "exporters",
     "member since 2024-01-02T02:00:00.000Z, at "
     "2024-01-03T04:30:00.000Z\n"
     "yes did \"Report Exported\" at least 3 times in 7d  -- is 3, "
     "needs at least 3, by 2024-01-02T02:00:00.000Z, "
     "2024-01-01T03:00:00.000Z, 2024-01-01T02:00:00.000Z, may change at "
     "2024-01-08T02:00:00.000Z\n"},
    {"bob", "exporters",
     "not a member, at 2024-01-03T04:30:00.000Z\n"
     "no  did \"Report Exported\" at least 3 times in 7d  -- is 1, "
     "needs at least 3, by 2024-01-01T05:00:00.000Z\n"},
    {"ada", "busy_free",
     "not a member, at 2024-01-03T04:30:00.000Z\n"
     "no  all of\n"
     "yes   in segment exporters  -- member since "
     "2024-01-02T02:00:00.000Z, needs membership, may change at "
     "2024-01-08T02:00:00.000Z\n"
     "no    not\n"
     "yes     in segment paying  -- member since "
     "2024-01-03T04:00:00.000Z, needs membership\n"},
    {"ada", "health",
     "member since 2024-01-01T04:00:00.000Z, at "
     "2024-01-03T04:30:00.000Z\n"
     "yes all of\n"
     "yes   account.industry = \"health\"  -- is \"health\", needs = "
     "\"health\", set at 2024-01-01T04:00:00.000Z\n"
     "yes   account.size > 10  -- is 11, needs > 10, set at "
     "2024-01-01T04:00:00.000Z\n"},
    {"ada", "unhappy",
     "member since 2024-01-02T06:00:00.000Z, at "
     "2024-01-03T04:30:00.000Z\n"
     "yes last(\"Answered\", score) <= 6  -- is 4.5, needs <= 6, by "
     "2024-01-02T06:00:00.000Z\n"},
    {"ada", "shouting",
     "not a member, at 2024-01-03T04:30:00.000Z\n"
     "no  user.nick contains \"LOUD\" ignoring case  -- is not set, "
     "needs contains \"LOUD\" ignoring case\n"},
    {"fay", "friends",
     "member since 2024-01-02T10:00:00.000Z, at "
     "2024-01-03T04:30:00.000Z\n"
     "yes include names this user\n"},
    {"eve", "friends",
     "not a member, at 2024-01-03T04:30:00.000Z\n"
     "no  exclude names this user\n"},
    {"zoe", "friends",
     "not a member, at 2024-01-03T04:30:00.000Z\n"
     "no  any of\n"
     "no    in segment paying  -- not a member, needs membership\n"
     "no    count(\"Visited\") in 2d >= 4  -- is 0, needs >= 4\n"},
    {"zoe", "quiet",
     "not a member, at 2024-01-03T04:30:00.000Z\n"
     "yes did not \"Visited\" in 1d  -- is 0, needs at most 0\n"},
    {"ada", "trial",
     "member since 2024-01-03T00:00:00.000Z, at "
     "2024-01-03T04:30:00.000Z\n"
     "yes user.trial_ends_at within next 3d  -- is "
     "\"2024-01-06T00:00:00Z\", needs within next 3d, set at "
     "2024-01-02T16:00:00.000Z, may change at 2024-01-06T00:00:00.000Z\n"},
    {"ada", "fresh",
     "member since 2024-01-01T01:00:00.000Z, at "
     "2024-01-03T04:30:00.000Z\n"
     "yes days_since(first \"Visited\") < 3  -- is 2.1458333333333335, "
     "needs < 3, by 2024-01-01T01:00:00.000Z, may change at "
     "2024-01-04T01:00:00.000Z\n"},
};

START_TEST(an_explanation_says_what_is_what_is_needed_and_until_when)
{
    struct seg_explanation *why;
    int segment =
        seg_catalogue_segment_index(catalogue, explanations[_i].segment);
    ck_assert_int_ge(segment, 0);
    const struct seg_user *user =
        seg_user_find(engine, text_of(explanations[_i].user));
    ck_assert_int_eq(seg_explain(&why, engine, user, segment), 0);
    char *text = seg_explanation_text(why);
    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(text, explanations[_i].text);
    free(text);
    seg_explanation_free(why);
}
END_TEST

START_TEST(an_explanation_knows_who_is_a_member_and_since_when)
{
    static const char *const users[] = {"ada", "bob", "zoe"};
    int segment = seg_catalogue_segment_index(catalogue, "exporters");
    for (int i = 0; i < COUNT(users); i++) {
        struct seg_explanation *why;
        int64_t since_ms = -1;
        int member = i == 0;
        ck_assert_int_eq(seg_explain(&why, engine,
                                     seg_user_find(engine, text_of(users[i])),
                                     segment),
                         0);
        ck_assert_int_eq(seg_explanation_member(why, &since_ms), member);
        ck_assert_int_eq(seg_explanation_member(why, NULL), member);
        ck_assert_int_eq(since_ms,
                         member ? SMALL_WORLD_START_MS + 26 * HOUR_MS : -1);
        ck_assert_int_eq(seg_explanation_count(why), 1);
        ck_assert_int_eq(seg_explanation_at(why, 0)->depth, 0);
        seg_explanation_free(why);
    }
    seg_explanation_free(NULL);
}
END_TEST

START_TEST(a_segment_that_others_ask_for_is_looked_into_once)
{
    struct seg_explanation *why;
    struct buf text;
    buf_init(&text);
    /* Every way down to the event is one of 2^40. */
    buf_str(&text, "segment s0 { when did \"A\" in 1h }\n");
    for (int i = 1; i <= 40; i++)
        buf_printf(&text,
                   "segment s%d { when in segment s%d or not in segment s%d }"
                   "\n",
                   i, i - 1, i - 1);
    struct seg_catalogue *of = small_world_compile(buf_string(&text));
    struct seg_engine *other = small_world_engine(of);
    small_world_send(other, of, 1,
                     "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"A\"}",
                     0);
    ck_assert_int_eq(seg_explain(&why, other,
                                 seg_user_find(other, text_of("u")),
                                 seg_catalogue_segment_index(of, "s40")),
                     0);
    ck_assert_int_eq(seg_explanation_count(why), 4);
    const struct seg_reason *reason = seg_explanation_at(why, 1);
    ck_assert_str_eq(reason->condition, "in segment s39");
    ck_assert_int_eq(reason->segment, seg_catalogue_segment_index(of, "s39"));
    ck_assert_int_eq(reason->since_ms, SMALL_WORLD_START_MS + HOUR_MS);
    ck_assert_int_eq(reason->changes_at_ms, SMALL_WORLD_START_MS + 2 * HOUR_MS);
    ck_assert_int_eq(seg_explanation_at(why, 0)->segment, -1);
    seg_explanation_free(why);
    seg_engine_free(other);
    seg_catalogue_free(of);
    buf_done(&text);
}
END_TEST

SUITE("query", setup, teardown, TEST(whoever_sent_nothing_is_not_known),
      TEST(a_user_is_known_by_what_happened_to_him),
      TEST(a_user_without_changes_has_no_last_one),
      TEST(memberships_are_counted_even_where_there_is_no_room_for_them),
      TEST(more_users_take_more_bytes),
      TEST(attributes_are_those_that_are_set_and_visible),
      TEST(all_users_are_seen_in_slices),
      TEST(a_walk_may_stop_and_go_on_where_it_stopped),
      TABLE(an_explanation_says_what_is_what_is_needed_and_until_when,
            explanations),
      TEST(an_explanation_knows_who_is_a_member_and_since_when),
      TEST(a_segment_that_others_ask_for_is_looked_into_once))
