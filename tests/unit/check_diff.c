/* check_diff.c: what another catalogue changes.
 *
 * Each difference is a line: its part, its kind, its name, then fields as
 * `name: before -> after`, what it comes through, who reads it, and when it is
 * decided, in days from the release. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/diff.h>

#include "lib/base/buf.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

#define DAY_MS     INT64_C(86400000)
#define RELEASE_MS (INT64_C(20000) * DAY_MS)

static struct seg_diff *diff;
static struct buf said;

static void setup(void)
{
    diff = NULL;
    buf_init(&said);
}

static void teardown(void)
{
    seg_diff_free(diff);
    buf_done(&said);
}

/* The texts are the diff's own: the catalogues are gone when it is read. */
static void compare(const char *before, const char *after)
{
    struct seg_catalogue *old = small_world_compile(before);
    struct seg_catalogue *new = small_world_compile(after);
    seg_diff_free(diff);
    ck_assert_int_eq(seg_catalogue_diff(&diff, old, new, RELEASE_MS), 0);
    seg_catalogue_free(old);
    seg_catalogue_free(new);
}

static void say_list(const char *before, const char *const *items, int count)
{
    for (int i = 0; i < count; i++)
        buf_printf(&said, "%s%s", i ? ", " : before, items[i]);
}

static void say(const struct seg_difference *of)
{
    static const char *const parts[] = {
        "list", "score", "trait", "segment", "trigger", "feature", "attribute"};
    static const char *const kinds[] = {"same", "added", "removed", "changed",
                                        "through"};
    buf_printf(&said, "%s %s %s", parts[of->part], kinds[of->kind], of->name);
    for (int i = 0; i < of->field_count; i++)
        buf_printf(&said, " | %s: %s -> %s", of->fields[i].name,
                   of->fields[i].before, of->fields[i].after);
    say_list(" | through ", of->through, of->through_count);
    say_list(" | for ", of->segments, of->segment_count);
    if (of->decides_ms != SEG_DIFF_NEVER)
        buf_printf(&said, " | at %gd",
                   (double)(of->decides_ms - RELEASE_MS) / (double)DAY_MS);
    buf_char(&said, '\n');
}

/* All that is not the same, of PART or, -1, of every part. */
static const char *differences(int part)
{
    buf_reset(&said);
    for (int i = 0; i < seg_diff_count(diff); i++)
        if (seg_diff_at(diff, i)->kind != SEG_DIFF_SAME &&
            (part < 0 || seg_diff_at(diff, i)->part == part))
            say(seg_diff_at(diff, i));
    return buf_string(&said);
}

/* ---- spelling and meaning ------------------------------------------------ */

static const struct {
    const char *before, *after;
} same[] = {
    {"did \"E\"", "did \"E\" at least 1 times"},
    {"did not \"E\"", "did \"E\" at most 0 times"},
    {"did \"E\" in 7d", "did \"E\" in 168h"},
    {"did \"E\" and user.a = 1", "user.a = 1 and did \"E\""},
    {"did \"E\" and user.a = 1", "(user.a = 1 and (did \"E\"))"},
    {"did \"E\" or user.a = 1 or user.b = 1",
     "(user.b = 1 or did \"E\") or user.a = 1"},
    {"user.a = 1 and user.a = 1", "user.a = 1"},
    {"user in 10% by \"x\"", "user in 10.00% by \"x\""},
    {"user.a in (1, 2)", "user.a in @l"},
    {"count(\"E\") in 1d > 3", "trait.t > 3"},
    {"user.a in (2, 1)", "user.a in @l"},
    {"user.a has any (1, 2)", "user.a has any (2, 1, 2)"},
    {"did \"A\" then \"B\" within 1d", "did \"A\" then \"B\" within 24h"},
    {"user.a = 1", "user.a = 1.0"},
    {"user.a in (1, 2.5)", "user.a in (2.50, 1e0)"},
    {"user.a = \"\u00c4b\" ignoring case",
     "user.a = \"\u00e4B\" ignoring case"},
    {"user.a has any (\"A\", \"b\") ignoring case",
     "user.a has any (\"B\", \"a\") ignoring case"},
    {"not did \"E\"", "did not \"E\""},
    {"not did \"E\" at least 3 times", "did \"E\" at most 2 times"},
    {"not not did \"E\"", "did \"E\""},
    {"not not (did \"E\" and user.a = 1)", "user.a = 1 and did \"E\""},
    {"count(\"E\") >= 3", "did \"E\" at least 3 times"},
    {"count(\"E\") > 2.5", "count(\"E\") >= 3"},
    {"not count(\"E\") in 7d < 2", "did \"E\" at least 2 times in 7d"},
    {"count(\"E\") = 2", "did \"E\" exactly 2 times"},
    {"days(\"E\") in 7d > 2", "days(\"E\") in 7d >= 3"},
};

static const char world[] = "list l = [1, 2]\n"
                            "trait t = count(\"E\") in 1d\n";

static void compare_when(const char *before, const char *after)
{
    char old[1024], new[1024];
    snprintf(old, sizeof(old), "%ssegment s { when %s }\n", world, before);
    snprintf(new, sizeof(new), "%ssegment s { title \"T\" when %s }\n", world,
             after);
    compare(old, new);
}

START_TEST(what_is_only_spelled_differently_is_the_same)
{
    compare_when(same[_i].before, same[_i].after);
    ck_assert_str_eq(differences(SEG_DIFF_SEGMENT), "");
}
END_TEST

static const struct {
    const char *before, *after;
} other[] = {
    {"did \"E\"", "did \"E\" at least 2 times"},
    {"did \"E\" in 7d", "did \"E\" in 8d"},
    {"did \"E\"", "did \"F\""},
    {"did \"E\"", "did not \"E\""},
    {"user.a = 1", "not user.a = 1"},
    {"did \"E\" and user.a = 1", "did \"E\" or user.a = 1"},
    {"user.a = 1", "user.a = 2"},
    {"user.a = 1", "user.a != 1"},
    {"user.a = \"A\"", "user.a = \"a\""},
    {"user.a = \"A\" ignoring case", "user.a = \"a\""},
    {"user.a matches regex \"A\" ignoring case",
     "user.a matches regex \"a\" ignoring case"},
    {"user.a > 2.5", "user.a >= 3"},
    {"user.a = 1", "user.a = 1.5"},
    {"sum(\"E\", x) > 2", "sum(\"E\", x) >= 3"},
    {"not did \"E\" exactly 2 times", "did \"E\" exactly 2 times"},
    {"not did \"E\" at least 3 times", "did \"E\" at most 3 times"},
    {"did \"E\" at least 3 times per day for 2 days",
     "not did \"E\" at least 3 times per day for 2 days"},
    {"user.a = \"x\"", "user.a = \"x\" ignoring case"},
    {"user.a = 1", "account.a = 1"},
    {"user in 10% by \"x\"", "user in 11% by \"x\""},
    {"user in 10% by \"x\"", "user in 10% by \"y\""},
    {"count(\"E\") > 3", "days(\"E\") > 3"},
    {"count(\"E\") > count(\"F\")", "count(\"E\") > 50% of count(\"F\")"},
    {"did \"A\" then \"B\"", "did \"A\" then directly \"B\""},
};

START_TEST(what_means_something_else_is_changed)
{
    char want[1024];
    compare_when(other[_i].before, other[_i].after);
    snprintf(want, sizeof(want), "segment changed s | when: %s -> %s\n",
             other[_i].before, other[_i].after);
    ck_assert_str_eq(differences(SEG_DIFF_SEGMENT), want);
}
END_TEST

/* ---- every part ---------------------------------------------------------- */

START_TEST(another_order_of_values_is_the_same)
{
    compare("list l = [1, 2, 3]\nsegment s { when user.a in @l }\n"
            "segment t { include (\"a\", \"b\") }\n",
            "list l = [3, 1, 2]\nsegment s { when user.a in @l }\n"
            "segment t { include (\"b\", \"a\") }\n");
    ck_assert_str_eq(differences(-1), "");
}
END_TEST

/* What is kept has the words for its key. */
START_TEST(another_order_of_events_is_another_feature)
{
    compare("segment s { when did (\"A\" or \"B\") in 7d }\n",
            "segment s { when did (\"B\" or \"A\") in 7d }\n");
    ck_assert_str_eq(
        differences(SEG_DIFF_FEATURE),
        "feature added count(\"B\" or \"A\") in 7d | for s | at 7d\n"
        "feature removed count(\"A\" or \"B\") in 7d | for s\n");
}
END_TEST

START_TEST(all_of_a_segment_is_compared)
{
    compare("segment a { when everyone }\n"
            "segment b { when everyone include (\"u1\") }\n"
            "segment gone { when did \"E\" }\n",
            "segment a { when everyone until did \"E\" exclude (\"u2\") }\n"
            "segment b { shadow when everyone include (\"u1\", \"u2\") }\n"
            "segment fresh { when did \"E\" }\n");
    ck_assert_str_eq(
        differences(SEG_DIFF_SEGMENT),
        "segment changed a | until:  -> did \"E\" | exclude:  -> (\"u2\")\n"
        "segment changed b | include: (\"u1\") -> (\"u1\", \"u2\")"
        " | shadow:  -> yes\n"
        "segment added fresh | when:  -> did \"E\"\n"
        "segment removed gone | when: did \"E\" -> \n");
}
END_TEST

START_TEST(what_a_segment_names_changes_it)
{
    const char *const segments =
        "segment base { when user.plan in @plans }\n"
        "segment next { when in segment base }\n"
        "segment last { when left segment next in 1d }\n"
        "segment warm { when score(heat) > 1 }\n"
        "segment busy { when trait.days > 1 }\n"
        "segment calm { when did \"E\" }\n";
    char before[1024], after[1024];
    snprintf(before, sizeof(before),
             "list plans = [\"pro\"]\n"
             "score heat half-life 7d { \"E\" 1 }\n"
             "trait days = days(\"E\") in 7d\n%s",
             segments);
    snprintf(after, sizeof(after),
             "list plans = [\"pro\", \"team\"]\n"
             "score heat half-life 8d { \"E\" 1 }\n"
             "trait days = days(\"E\") in 8d\n%s",
             segments);
    compare(before, after);
    buf_reset(&said);
    for (int i = 0; i < seg_diff_count(diff); i++)
        if (seg_diff_at(diff, i)->kind != SEG_DIFF_SAME &&
            seg_diff_at(diff, i)->part <= SEG_DIFF_SEGMENT)
            say(seg_diff_at(diff, i));
    ck_assert_str_eq(
        buf_string(&said),
        "list changed plans | values: (\"pro\") -> (\"pro\", \"team\")\n"
        "score changed heat | half-life: 7d -> 8d\n"
        "trait changed days | measure: days(\"E\") in 7d -> days(\"E\") in 8d\n"
        "segment through base | through list plans\n"
        "segment through busy | through trait days\n"
        "segment through last | through segment next\n"
        "segment through next | through segment base\n"
        "segment through warm | through score heat\n");
}
END_TEST

START_TEST(triggers_are_compared_by_segment_side_and_name)
{
    compare("segment s {\n when everyone\n"
            " on enter trigger \"a\" { x = 1 } once\n"
            " on enter trigger \"b\" once per 1d\n"
            " on exit trigger \"c\" once }\n",
            "segment s {\n when everyone\n"
            " on enter trigger \"a\" { x = 2 } once\n"
            " on enter trigger \"b\"\n"
            " on enter trigger \"c\" once }\n");
    ck_assert_str_eq(
        differences(SEG_DIFF_TRIGGER),
        "trigger changed s on enter \"a\" | properties: x = 1 -> x = 2\n"
        "trigger changed s on enter \"b\" | cooldown: once per 1d -> each "
        "time\n"
        "trigger added s on enter \"c\" | cooldown:  -> once\n"
        "trigger removed s on exit \"c\" | cooldown: once -> \n");
}
END_TEST

START_TEST(equal_catalogues_differ_in_nothing)
{
    const char *const text = "list l = [1]\n"
                             "score c half-life 1d { \"E\" 1 }\n"
                             "trait t = count(\"E\")\n"
                             "segment s { when user.a in @l and score(c) > 1\n"
                             " on enter trigger \"a\" { x = trait.t } once }\n";
    compare(text, text);
    ck_assert_str_eq(differences(-1), "");
    /* A list, score, trait, segment, trigger; features of score and trait; an
     * attribute. */
    ck_assert_int_eq(seg_diff_count(diff), 8);
}
END_TEST

/* ---- what is kept, and when it is decided -------------------------------- */

static const struct {
    const char *when, *want;
} kept[] = {
    {"did \"E\" in 7d", "feature added count(\"E\") in 7d | for s | at 7d\n"},
    {"did \"E\"", "feature added count(\"E\") | for s\n"},
    {"count(\"E\") from 30d to 7d ago > 1",
     "feature added count(\"E\") from 30d to 7d ago | for s | at 30d\n"},
    {"days_since(last \"E\") > 3",
     "feature added days_since(last \"E\") | for s | at 3d\n"},
    {"count(\"E\") since 2100-01-01 > 1",
     "feature added count(\"E\") since 2100-01-01T00:00:00.000Z | for s | at "
     "0d\n"},
    {"user.a = 1", "attribute added user.a | for s\n"},
    {"entered segment base in 5d",
     "feature added entries and exits of base | for s | at 5d\n"},
};

START_TEST(a_new_feature_says_when_it_is_decided)
{
    char before[256], after[256];
    const char *const base = "segment base { when everyone }\n";
    snprintf(before, sizeof(before), "%ssegment s { when everyone }\n", base);
    snprintf(after, sizeof(after), "%ssegment s { when %s }\n", base,
             kept[_i].when);
    compare(before, after);
    differences(SEG_DIFF_FEATURE);
    char *features = buf_take(&said);
    char both[512];
    snprintf(both, sizeof(both), "%s%s", features,
             differences(SEG_DIFF_ATTRIBUTE));
    free(features);
    ck_assert_str_eq(both, kept[_i].want);
}
END_TEST

START_TEST(a_raised_threshold_keeps_the_feature_but_wants_more_of_it)
{
    compare("segment a { when did \"E\" at least 3 times in 7d }\n"
            "segment b { when did \"F\" in 7d }\n",
            "segment a { when did \"E\" at least 5 times in 7d }\n"
            "segment b { when did \"F\" in 7d }\n");
    ck_assert_str_eq(differences(SEG_DIFF_FEATURE),
                     "feature changed count(\"E\") in 7d | events kept: 3 -> 5"
                     " | for a | at 7d\n");
    compare("segment a { when did \"E\" at least 5 times in 7d }\n",
            "segment a { when did \"E\" at least 3 times in 7d }\n");
    ck_assert_str_eq(differences(SEG_DIFF_FEATURE), "");
}
END_TEST

START_TEST(what_nobody_reads_any_more_is_removed)
{
    compare("segment a { when did \"E\" in 7d and user.a = 1 }\n"
            "segment b { when did \"E\" in 7d }\n",
            "segment b { when did \"F\" in 7d }\n");
    ck_assert_str_eq(
        differences(-1),
        "segment changed b | when: did \"E\" in 7d -> did \"F\" in 7d\n"
        "segment removed a | when: did \"E\" in 7d and user.a = 1 -> \n"
        "feature added count(\"F\") in 7d | for b | at 7d\n"
        "feature removed count(\"E\") in 7d | for a, b\n"
        "attribute removed user.a | for a\n");
}
END_TEST

SUITE("diff", setup, teardown,
      TABLE(what_is_only_spelled_differently_is_the_same, same),
      TABLE(what_means_something_else_is_changed, other),
      TEST(another_order_of_values_is_the_same),
      TEST(another_order_of_events_is_another_feature),
      TEST(all_of_a_segment_is_compared), TEST(what_a_segment_names_changes_it),
      TEST(triggers_are_compared_by_segment_side_and_name),
      TEST(equal_catalogues_differ_in_nothing),
      TABLE(a_new_feature_says_when_it_is_decided, kept),
      TEST(a_raised_threshold_keeps_the_feature_but_wants_more_of_it),
      TEST(what_nobody_reads_any_more_is_removed))
