/* check_warming.c: what is not known yet, kind of feature by kind.
 *
 * In each row the user "old" lives before the catalogue in question, which is
 * observed since SINCE; "new" is born after that. Both do the same from then
 * on. Of new all is known; of old what comes out the same whatever he did
 * before. */
#include "lib/segment/warming.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/regime.h"
#include "tests/support/suite.h"

#define SINCE_HOURS 100
#define SINCE_MS    (SMALL_WORLD_START_MS + SINCE_HOURS * HOUR_MS)
#define F           SEG_FALSE
#define U           SEG_UNKNOWN
#define T           SEG_TRUE

static struct regime regime;

static void teardown(void)
{
    regime_end(&regime);
}

/* A catalogue of one segment, WHEN. */
static const char *catalogue_of(const char *when)
{
    static char text[512];
    snprintf(text, sizeof(text), "segment s { when %s }\n", when);
    return text;
}

static void adopt(const char *when)
{
    regime_pass(&regime, SINCE_HOURS);
    regime_adopt(&regime, catalogue_of(when), 10);
}

/* USER did X, property p being 5, arriving at HOURS after since and dated AT.
 */
static void did_x(const char *user, double hours, double at)
{
    char json[256], time[25];
    instant_string(time, SINCE_MS + (int64_t)(at * (double)HOUR_MS));
    snprintf(json, sizeof(json),
             "{\"type\":\"track\",\"userId\":\"%s\",\"event\":\"X\","
             "\"timestamp\":\"%s\",\"properties\":{\"p\":5}}",
             user, time);
    regime_send(&regime, SINCE_HOURS + hours, SINCE_HOURS + hours, 0, json);
}

static struct view view_at(const char *user, int64_t at_ms)
{
    arena_reset(&regime.engine->scratch);
    struct view view = engine_view(
        regime.engine, small_world_user(regime.engine, user), at_ms);
    ck_assert_ptr_nonnull(view.user);
    return view;
}

static int truth_at(const char *user, int64_t at_ms)
{
    struct view view = view_at(user, at_ms);
    return eval_segment(&view, 0);
}

/* The truth going by what was seen. */
static int seen_at(const char *user, int64_t at_ms)
{
    struct view view = view_at(user, at_ms);
    view.warming = NULL;
    return eval_segment(&view, 0);
}

/* ---- counts and values -------------------------------------------------- */

#define COUNTS(window, end_days)                                               \
    {"did \"X\"" window, end_days, {U, T, T, T, T}},                           \
        {"did \"X\" at least 2 times" window, end_days, {U, U, T, T, T}},      \
        {"did \"X\" at most 2 times" window, end_days, {U, U, U, F, F}},       \
        {"did \"X\" exactly 2 times" window, end_days, {U, U, U, F, F}},       \
        {"did \"X\" between 2 and 3 times" window, end_days, {U, U, U, U, F}}, \
        {"did not \"X\"" window, end_days, {U, F, F, F, F}},                   \
        {"not did \"X\" at least 2 times" window, end_days, {U, U, F, F, F}},  \
        {"count(\"X\")" window " >= 2", end_days, {U, U, T, T, T}},            \
        {"count(\"X\")" window " > 2", end_days, {U, U, U, T, T}},             \
        {"count(\"X\")" window " < 3", end_days, {U, U, U, F, F}},             \
        {"count(\"X\")" window " = 2", end_days, {U, U, U, F, F}},             \
        {"count(\"X\")" window " != 2", end_days, {U, U, U, T, T}},            \
        {"count(\"X\")" window " >= 0", end_days, {T, T, T, T, T}},            \
    {                                                                          \
        "count(\"X\")" window " between 1 and 2", end_days,                    \
        {                                                                      \
            U, U, U, F, F                                                      \
        }                                                                      \
    }

/* Once something was seen it makes no difference whether it was more. */
#define VALUES(measure, window, end_days, seen_true, seen_false) \
    {measure "(\"X\", p)" window " = 5",                         \
     end_days,                                                   \
     {U, seen_true, seen_true, seen_true, seen_true}},           \
        {measure "(\"X\", p)" window " > 5",                     \
         end_days,                                               \
         {U, seen_false, seen_false, seen_false, seen_false}},   \
        {measure "(\"X\", p)" window " is set",                  \
         end_days,                                               \
         {U, seen_true, seen_true, seen_true, seen_true}},       \
    {                                                            \
        measure "(\"X\", p)" window " is not set", end_days,     \
        {                                                        \
            U, seen_false, seen_false, seen_false, seen_false    \
        }                                                        \
    }

/* After 0, 1, 2, 3, 4 events; decided for good END_DAYS after since, 0: never.
 */
static const struct {
    const char *when;
    int end_days;
    int want[5];
} measures[] = {
    COUNTS("", 0),
    COUNTS(" in 7d", 7),
    COUNTS(" from 3d to 1d ago", 3),
    VALUES("last", "", 0, T, F),
    VALUES("last", " in 7d", 7, T, F),
    VALUES("last", " from 3d to 1d ago", 3, U, U),
    VALUES("first", "", 0, U, U),
    VALUES("first", " in 7d", 7, U, U),
    VALUES("first", " from 3d to 1d ago", 3, U, U),
};

static void expect_row(int row, int count, int64_t end_ms)
{
    ck_assert_msg(truth_at("old", end_ms - 1) == measures[row].want[count],
                  "%s, %d seen: %d", measures[row].when, count,
                  truth_at("old", end_ms - 1));
    for (int64_t at_ms = end_ms - 1; at_ms <= end_ms + 1; at_ms++) {
        ck_assert_int_ne(truth_at("new", at_ms), U);
        ck_assert_int_eq(truth_at("new", at_ms), seen_at("new", at_ms));
        if (measures[row].end_days && at_ms >= end_ms)
            ck_assert_msg(truth_at("old", at_ms) == seen_at("old", at_ms),
                          "%s, %d seen: not decided at %+lld ms",
                          measures[row].when, count,
                          (long long)(at_ms - end_ms));
        else if (at_ms >= end_ms)
            ck_assert_int_eq(truth_at("old", at_ms), measures[row].want[count]);
    }
}

/* All that was seen lies within every window, a millisecond before its end. */
START_TEST(a_measure_is_known_when_what_was_before_does_not_matter)
{
    int days = measures[_i].end_days ? measures[_i].end_days : 4000;
    regime_begin(&regime, catalogue_of("did \"Never\""));
    regime_did(&regime, 1, "old", "X");
    adopt(measures[_i].when);
    regime_did(&regime, SINCE_HOURS + 0.5, "new", "Y");
    for (int count = 0; count <= 4; count++) {
        if (count) {
            did_x("old", count, count);
            did_x("new", count, count);
        }
        expect_row(_i, count, SINCE_MS + days * DAY_MS);
    }
}
END_TEST

/* ---- ages, and the last of all
 * ----------------------------------------------------------------------------
 */

#define NONE     -1000.0
#define D(hours) ((hours)*24.0)
#define MS       (1.0 / 3600000)

/* An event dated DATED hours after since arrives at 1 h; the truth AT hours. */
static const struct {
    const char *when;
    double dated, at;
    int want;
} ages[] = {
    {"days_since(last \"X\") < 3", NONE, D(3) - MS, U},
    {"days_since(last \"X\") < 3", NONE, D(3), F},
    {"days_since(last \"X\") <= 3", NONE, D(3), U},
    {"days_since(last \"X\") <= 3", NONE, D(3) + MS, F},
    {"days_since(last \"X\") = 3", NONE, D(3), U},
    {"days_since(last \"X\") = 3", NONE, D(3) + MS, F},
    {"days_since(last \"X\") between 1 and 3", NONE, 2, U},
    {"days_since(last \"X\") between 1 and 3", NONE, D(3), U},
    {"days_since(last \"X\") between 1 and 3", NONE, D(3) + MS, F},
    {"days_since(last \"X\") in (1, 2.5)", NONE, D(2.5), U},
    {"days_since(last \"X\") in (1, 2.5)", NONE, D(2.5) + MS, F},
    {"days_since(last \"X\") >= 3", NONE, D(400), U},
    {"days_since(last \"X\") > 3", NONE, D(400), U},
    {"days_since(last \"X\") != 3", NONE, D(400), U},
    {"days_since(last \"X\") not in (3)", NONE, D(400), U},
    {"days_since(last \"X\") is set", NONE, D(400), U},
    {"days_since(last \"X\") is not set", NONE, D(400), U},
    {"not days_since(last \"X\") < 3", NONE, D(3), T},
    /* Seen after since: known. */
    {"days_since(last \"X\") < 3", 1, 2, T},
    {"days_since(last \"X\") < 3", 1, D(3) + 1, F},
    {"days_since(last \"X\") >= 3", 1, D(3), F},
    {"days_since(last \"X\") >= 3", 1, D(3) + 1, T},
    {"days_since(last \"X\") is set", 1, 2, T},
    {"days_since(last \"X\") is not set", 1, 2, F},
    /* Late: there is one, but one that was not seen may have come after it. */
    {"days_since(last \"X\") < 3", -5, 2, T}, /* It is no older than that. */
    {"days_since(last \"X\") < 3", -5, D(3) - 5 - MS, T},
    {"days_since(last \"X\") < 3", -5, D(3) - 5, U},
    {"days_since(last \"X\") < 3", -5, D(3) - MS, U},
    {"days_since(last \"X\") < 3", -5, D(3), F},
    {"days_since(last \"X\") >= 3", -5, D(3) - 5 - MS, F},
    {"days_since(last \"X\") >= 3", -5, D(3) - 5, U},
    {"days_since(last \"X\") >= 3", -5, D(3) - MS, U},
    {"days_since(last \"X\") >= 3", -5, D(3), T},
    {"days_since(last \"X\") > 3", -5, D(3), U},
    {"days_since(last \"X\") > 3", -5, D(3) + MS, T},
    {"days_since(last \"X\") is set", -5, 2, T},
    {"days_since(last \"X\") is not set", -5, 2, F},
    {"days_since(last \"X\") between 1 and 3", -5, 30, U},
    {"last(\"X\", p) = 5", -5, 2, U},
    {"last(\"X\", p) = 5", 0, 2, U}, /* At since is not after it. */
    {"last(\"X\", p) = 5", 1, 2, T},
    {"last(\"X\", p) in 7d = 5", -5, 2, U},
    {"last(\"X\", p) in 7d = 5", -5, D(7), F},
    {"last(\"X\", p) in 7d = 5", 1, 2, T},
    /* The first: it may have been long before. */
    {"days_since(first \"X\") < 3", NONE, D(3) - MS, U},
    {"days_since(first \"X\") < 3", NONE, D(3), F},
    {"days_since(first \"X\") >= 3", NONE, D(400), U},
    {"days_since(first \"X\") is set", NONE, D(400), U},
    {"days_since(first \"X\") < 3", 1, D(3) + 1 - MS, U},
    {"days_since(first \"X\") < 3", 1, D(3) + 1, F},
    {"days_since(first \"X\") >= 3", 1, D(3) + 1 - MS, U},
    {"days_since(first \"X\") >= 3", 1, D(3) + 1, T},
    {"days_since(first \"X\") > 3", 1, D(3) + 1 + MS, T},
    {"days_since(first \"X\") = 3", 1, D(3) + 1, U},
    {"days_since(first \"X\") = 3", 1, D(3) + 1 + MS, F},
    {"days_since(first \"X\") is set", 1, 2, T},
    {"days_since(first \"X\") is not set", 1, 2, F},
    {"days_since(first \"X\") < 3", -5, D(3) - 5 - MS, U},
    {"days_since(first \"X\") < 3", -5, D(3) - 5, F},
};

static int64_t hours_after(double hours)
{
    return SINCE_MS +
           (int64_t)(hours * (double)HOUR_MS + (hours < 0 ? -.5 : .5));
}

START_TEST(an_age_is_known_when_what_was_before_is_too_old)
{
    int64_t at_ms = hours_after(ages[_i].at);
    regime_begin(&regime, catalogue_of("did \"Never\""));
    regime_did(&regime, 1, "old", "X");
    adopt(ages[_i].when);
    regime_did(&regime, SINCE_HOURS + 0.5, "new", "Y");
    if (ages[_i].dated > NONE) {
        did_x("old", 1, ages[_i].dated);
        did_x("new", 1, ages[_i].dated);
    }
    ck_assert_msg(truth_at("old", at_ms) == ages[_i].want,
                  "%s, %g h, at %g h: %d", ages[_i].when, ages[_i].dated,
                  ages[_i].at, truth_at("old", at_ms));
    ck_assert_int_eq(truth_at("new", at_ms), seen_at("new", at_ms));
}
END_TEST

/* As time passes a timer is there for each change of what is known. */
START_TEST(there_is_a_timer_for_whatever_time_decides)
{
    int64_t at_ms = hours_after(ages[_i].at);
    regime_begin(&regime, catalogue_of("did \"Never\""));
    regime_did(&regime, 1, "old", "X");
    adopt(ages[_i].when);
    regime_sweep(&regime, 1);
    if (ages[_i].dated > NONE)
        did_x("old", 1, ages[_i].dated);
    int before = seg_engine_segment_size(regime.engine, 0) == 1;
    ck_assert_int_eq(seg_engine_advance(regime.engine, at_ms, 1000), 0);
    int member = seg_engine_segment_size(regime.engine, 0) == 1;
    if (ages[_i].want != U)
        ck_assert_int_eq(member, ages[_i].want == T);
    else
        ck_assert_int_eq(member, before);
}
END_TEST

/* ---- attributes --------------------------------------------------------- */

#define IDENTIFY(traits) \
    "{\"type\":\"identify\",\"userId\":\"old\",\"traits\":{" traits "}}"
#define GROUP(id, traits)                                            \
    "{\"type\":\"group\",\"userId\":\"old\",\"groupId\":\"" id "\"," \
    "\"traits\":{" traits "}}"
#define X100                                             \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X500 X100 X100 X100 X100 X100

/* What was said before and after since. */
static const struct {
    const char *before, *after;
    const char *when;
    int want;
} attributes[] = {
    {NULL, NULL, "user.plan = \"pro\"", F},
    {NULL, NULL, "user.plan is not set", T},
    {IDENTIFY("\"plan\":\"pro\""), NULL, "user.plan = \"pro\"", T},
    {IDENTIFY("\"plan\":\"pro\""), NULL, "user.plan != \"pro\"", F},
    {IDENTIFY("\"plan\":null"), NULL, "user.plan is not set", T},
    {IDENTIFY("\"n\":12.5"), NULL, "user.n > 12", T},
    {IDENTIFY("\"vip\":true"), NULL, "user.vip = true", T},
    {IDENTIFY("\"tags\":[1]"), NULL, "user.tags has 1", U},
    {IDENTIFY("\"tags\":[1]"), NULL, "not user.tags has 1", U},
    {IDENTIFY("\"tags\":[1]"), IDENTIFY("\"tags\":[1]"), "user.tags has 1", T},
    {IDENTIFY("\"tags\":[1]"), IDENTIFY("\"tags\":2"), "user.tags has 1", F},
    {IDENTIFY("\"tags\":[1]"), IDENTIFY("\"tags\":null"), "user.tags has 1", F},
    {IDENTIFY("\"a\":{\"b\":1}"), NULL, "user.a.b = 1", U},
    {IDENTIFY("\"a\":1"), NULL, "user.a.b = 1", U},
    {IDENTIFY("\"a\":null"), NULL, "user.a.b = 1", U},
    {NULL, NULL, "user.a.b = 1", U},
    {NULL, IDENTIFY("\"a\":1"), "user.a.b = 1", F},
    {IDENTIFY("\"a\":{\"b\":1}"), IDENTIFY("\"a\":{\"b\":1}"), "user.a.b = 1",
     T},
    {IDENTIFY("\"a\":{\"b\":1}"), IDENTIFY("\"a\":{\"c\":1}"), "user.a.b = 1",
     F},
    {IDENTIFY("\"a\":{\"b\":1}"), IDENTIFY("\"a\":{\"b\":{}}"),
     "user.a.b is set", T},
    /* So much was said that some of it could not be kept. */
    {IDENTIFY("\"t\":\"" X500 "\",\"u\":\"" X500 "\",\"v\":\"" X500 "\""), NULL,
     "user.t is set", T},
    {IDENTIFY("\"t\":\"" X500 "\",\"u\":\"" X500 "\",\"v\":\"" X500 "\""), NULL,
     "user.v is set", U},
    {IDENTIFY("\"t\":\"" X500 "\",\"u\":\"" X500 "\",\"" X500 "\":1"), NULL,
     "user.w is set", U},
    {IDENTIFY("\"t\":\"" X500 "\",\"u\":\"" X500 "\",\"" X500 "\":1"),
     IDENTIFY("\"w\":null"), "user.w is set", F},
    {GROUP("acme", "\"size\":300"), NULL, "account.size = 300", T},
    {GROUP("acme", "\"size\":[300]"), NULL, "account.size has 300", U},
    {GROUP("acme", "\"size\":300"), GROUP("zen", "\"x\":1"),
     "account.size is set", F},
};

START_TEST(an_attribute_is_known_as_far_as_it_was_kept)
{
    static char json[4096];
    regime_begin(&regime, catalogue_of("did \"Never\""));
    regime_did(&regime, 1, "old", "Y");
    if (attributes[_i].before) {
        snprintf(json, sizeof(json), "%s", attributes[_i].before);
        regime_send(&regime, 2, 2, 0, json);
    }
    adopt(attributes[_i].when);
    if (attributes[_i].after) {
        snprintf(json, sizeof(json), "%s", attributes[_i].after);
        regime_send(&regime, SINCE_HOURS + 1, SINCE_HOURS + 1, 0, json);
    }
    int truth = truth_at("old", SINCE_MS + 2 * HOUR_MS);
    ck_assert_msg(truth == attributes[_i].want, "%s: %d", attributes[_i].when,
                  truth);
}
END_TEST

/* ---- and, or, not, in segment ------------------------------------------- */

#define UNKNOWN "did \"X\" in 7d"
#define YES     "everyone"
#define NO      "user.none = 1"

static const struct {
    const char *when;
    int want;
} kleene[] = {
    {UNKNOWN, U},
    {"not " UNKNOWN, U},
    {UNKNOWN " and " YES, U},
    {UNKNOWN " and " NO, F},
    {NO " and " UNKNOWN, F},
    {UNKNOWN " and not " UNKNOWN, U},
    {UNKNOWN " or " YES, T},
    {YES " or " UNKNOWN, T},
    {UNKNOWN " or " NO, U},
    {"not (" UNKNOWN " and " NO ")", T},
    {"not (" UNKNOWN " or " YES ")", F},
    {"in segment u", U},
    {"not in segment u", U},
    {"in segment u and in segment y", U},
    {"in segment u and in segment n", F},
    {"in segment u or in segment y", T},
    {"in segment u or in segment n", U},
    {"not in segment m", U},
    {"in segment m or in segment y", T},
    {"in segment l", T}, /* Listed: nothing is asked. */
    {"in segment k", F},
};

START_TEST(unknown_is_the_third_of_kleenes_values)
{
    char text[1024];
    regime_begin(&regime, catalogue_of("did \"Never\""));
    regime_did(&regime, 1, "old", "Y");
    regime_pass(&regime, SINCE_HOURS);
    snprintf(text, sizeof(text),
             "segment a { when %s }\n"
             "segment k { when " UNKNOWN " exclude (\"old\") }\n"
             "segment l { when " UNKNOWN " include (\"old\") }\n"
             "segment m { when in segment u }\n"
             "segment n { when " NO " }\n"
             "segment u { when " UNKNOWN " }\n"
             "segment y { when " YES " }\n",
             kleene[_i].when);
    regime_adopt(&regime, text, 10);
    regime_sweep(&regime, 10);
    ck_assert_int_eq(truth_at("old", SINCE_MS), kleene[_i].want);
    ck_assert_uint_eq(seg_engine_segment_size(regime.engine, 0),
                      kleene[_i].want == T);
    /* When it is known it is false, as nothing was seen. */
    regime_pass(&regime, SINCE_HOURS + D(7));
    ck_assert_int_eq(truth_at("old", SINCE_MS + 7 * DAY_MS),
                     seen_at("old", SINCE_MS + 7 * DAY_MS));
    ck_assert_uint_eq(seg_engine_segment_size(regime.engine, 0),
                      seen_at("old", SINCE_MS + 7 * DAY_MS) == T);
}
END_TEST

/* Each asks the one before three times: along all ways that is 3^40. */
START_TEST(a_segment_is_asked_once_however_many_ask)
{
    struct buf text;
    buf_init(&text);
    buf_str(&text, "segment s00 { when " UNKNOWN " }\n");
    for (int i = 1; i < 40; i++)
        buf_printf(&text,
                   "segment s%02d { when in segment s%02d and\n"
                   "  (in segment s%02d or not in segment s%02d) }\n",
                   i, i - 1, i - 1, i - 1);
    regime_begin(&regime, catalogue_of("did \"Never\""));
    regime_did(&regime, 1, "old", "Y");
    regime_pass(&regime, SINCE_HOURS);
    buf_char(&text, 0);
    regime_adopt(&regime, text.bytes, 10);
    regime_sweep(&regime, 10);
    for (int i = 0; i < 40; i++) {
        struct seg_explanation *why;
        ck_assert_int_eq(seg_explain(&why, regime.engine,
                                     seg_user_find(regime.engine,
                                                   (struct seg_text){"old", 3}),
                                     i),
                         0);
        ck_assert_int_eq(seg_explanation_at(why, 0)->truth, U);
        seg_explanation_free(why);
    }
    regime_did(&regime, SINCE_HOURS + 1, "old", "X");
    ck_assert_uint_eq(seg_engine_segment_size(regime.engine, 39), 1);
    buf_done(&text);
}
END_TEST

/* ---- thresholds that rise ----------------------------------------------- */

/* Old did X at the HOURS before since (0 ends them), under `at least 2`; now 3
 * are asked for. Known at since? If not, until the hours after. */
static const struct {
    double hours[4];
    int want;
    double end;
} raised[] = {
    {{0}, F, 0},
    {{5}, F, 0},
    {{9, 5}, U, D(7) - 9},
    {{20, 9, 5}, U, D(7) - 9}, /* The first was not kept. */
    {{99, 9, 5}, U, D(7) - 9},
};

START_TEST(of_whom_fewer_events_were_kept_than_could_be_all_is_known)
{
    const double *hours = raised[_i].hours;
    regime_begin(&regime, catalogue_of("did \"X\" at least 2 times in 7d"));
    regime_did(&regime, 0.5, "old", "Y");
    for (int i = 0; i < 4 && hours[i] > 0; i++)
        did_x("old", -hours[i], -hours[i]);
    adopt("did \"X\" at least 3 times in 7d");
    ck_assert_int_eq(truth_at("old", SINCE_MS), raised[_i].want);
    if (raised[_i].want != U)
        return;
    int64_t end_ms = hours_after(raised[_i].end);
    ck_assert_int_eq(truth_at("old", end_ms - 1), U);
    ck_assert_int_eq(truth_at("old", end_ms), F);
    ck_assert_int_eq(truth_at("old", end_ms + 1), F);
    ck_assert_uint_eq(seg_engine_segment_size(regime.engine, 0), 1);
    regime_sweep(&regime, 1);
    ck_assert_int_eq(seg_engine_advance(regime.engine, end_ms - 1, 100), 0);
    ck_assert_uint_eq(seg_engine_segment_size(regime.engine, 0), 1);
    ck_assert_int_eq(seg_engine_advance(regime.engine, end_ms, 100), 0);
    ck_assert_uint_eq(seg_engine_segment_size(regime.engine, 0), 0);
}
END_TEST

/* ---- ends
 * ---------------------------------------------------------------------------------
 */

START_TEST(ends_are_in_order_and_concern_those_born_before)
{
    regime_begin(&regime, catalogue_of("did \"Never\""));
    regime_did(&regime, 1, "old", "Y");
    regime_pass(&regime, SINCE_HOURS);
    regime_adopt(&regime,
                 "segment a { when did \"X\" in 7d and did \"Y\" in 2d }\n"
                 "segment b { when did \"X\" and first(\"X\", p) = 1 }\n"
                 "segment c { when days_since(last \"X\") < 3 }\n",
                 1);
    regime_did(&regime, SINCE_HOURS + 1, "new", "Y");
    const struct warming *warming = &regime.engine->observed.warming;
    const struct plan *plan = regime.engine->plan;
    const struct user *old = small_world_user(regime.engine, "old");
    const struct user *born = small_world_user(regime.engine, "new");
    for (uint32_t i = 1; i < warming->end_count; i++)
        ck_assert_int_le(warming->ends[i - 1].at_ms, warming->ends[i].at_ms);
    ck_assert_int_eq(warming->ends[0].at_ms, SINCE_MS + 2 * DAY_MS);
    ck_assert_int_eq(warming->ends[warming->end_count - 1].at_ms,
                     SINCE_MS + 7 * DAY_MS);
    ck_assert_int_eq(warming_next(warming, plan, old, SINCE_MS),
                     SINCE_MS + 2 * DAY_MS);
    ck_assert_int_ge(warming_next(warming, plan, old, SINCE_MS + 2 * DAY_MS),
                     SINCE_MS + 3 * DAY_MS - 1);
    ck_assert_int_eq(warming_next(warming, plan, old, SINCE_MS + 4 * DAY_MS),
                     SINCE_MS + 7 * DAY_MS);
    ck_assert_int_eq(warming_next(warming, plan, old, SINCE_MS + 7 * DAY_MS),
                     SEG_NEVER);
    ck_assert_int_eq(warming_next(warming, plan, born, SINCE_MS), SEG_NEVER);
}
END_TEST

/* Born at the position at which the epoch begins, before it, in the other
 * topic. */
static const struct {
    int topic;
    int64_t offset;
    int known;
} births[] = {{0, 6, 0}, {0, 7, 1}, {0, 8, 1}, {1, 2, 0}, {1, 3, 1}, {1, 4, 1}};

START_TEST(who_is_born_behind_the_positions_is_known_from_the_start)
{
    regime_begin(&regime, catalogue_of("did \"Never\""));
    regime.positions[0] = 7;
    regime.positions[1] = 3;
    adopt("did \"X\"");
    regime.positions[births[_i].topic] = births[_i].offset;
    regime_send(&regime, SINCE_HOURS + 1, SINCE_HOURS + 1, births[_i].topic,
                "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Y\"}");
    ck_assert_int_eq(truth_at("u", SINCE_MS + DAY_MS),
                     births[_i].known ? F : U);
}
END_TEST

SUITE("warming", NULL, teardown,
      TABLE(a_measure_is_known_when_what_was_before_does_not_matter, measures),
      TABLE(an_age_is_known_when_what_was_before_is_too_old, ages),
      TABLE(there_is_a_timer_for_whatever_time_decides, ages),
      TABLE(an_attribute_is_known_as_far_as_it_was_kept, attributes),
      TABLE(unknown_is_the_third_of_kleenes_values, kleene),
      TEST(a_segment_is_asked_once_however_many_ask),
      TABLE(of_whom_fewer_events_were_kept_than_could_be_all_is_known, raised),
      TEST(ends_are_in_order_and_concern_those_born_before),
      TABLE(who_is_born_behind_the_positions_is_known_from_the_start, births))
