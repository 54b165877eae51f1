/* check_check.c: what is wrong with files that parse (lib/segment/check.c). */
#include "lib/segment/check.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/support/said.h"
#include "tests/support/suite.h"

static struct seg_diagnostics *diagnostics;
static struct rules rules;
static struct buf text, got;

static void setup(void)
{
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    rules_init(&rules);
    buf_init(&text);
    buf_init(&got);
}

static void teardown(void)
{
    seg_diagnostics_free(diagnostics);
    rules_done(&rules);
    buf_done(&text);
    buf_done(&got);
}

static int check(const char *file)
{
    struct seg_source source = {"x.seg", file, strlen(file)};
    return check_sources(&rules, &source, 1, diagnostics);
}

/* ---- conditions ------------------------------------------------------ */

/* What is said of a tested segment: its condition begins at 3:19. */
static const struct {
    const char *cond, *want;
} conds[] = {
    {"everyone", ""},
    /* names */
    {"in segment other", ""},
    {"in segment ohter",
     "3:19+16 There is no segment `ohter`. | did you mean `other`?\n"},
    {"in segment nothing_like_it",
     "3:19+26 There is no segment `nothing_like_it`.\n"},
    {"user.x in @ll", "3:29+3 There is no list `ll`. | did you mean `@l`?\n"},
    {"user.x in @wholly_else", "3:29+12 There is no list `wholly_else`.\n"},
    /* types that can never match */
    {"count(\"A\") contains \"x\"",
     "3:30+12 This measure is a number; `contains` is never true of it.\n"},
    {"count(\"A\") = \"three\"",
     "3:32+7 This measure is a number; it never matches another type.\n"},
    {"count(\"A\") in (1, true)",
     "3:37+4 This measure is a number; it never matches another type.\n"},
    {"count(\"A\") in @l",
     "3:33+2 This measure is a number; it never matches another type.\n"},
    {"count(\"A\") within 3d",
     "3:30+9 This measure is a number; `within` is never true of it.\n"},
    {"count(\"A\") is not set",
     "3:30+10 This measure is a number; `is not set` is never true of it.\n"},
    {"days_since(first \"A\") is not set", ""},
    {"days_since(last \"A\") version > \"1.0.0\"",
     "3:40+17 This measure is a number; `version >` is never true of it.\n"},
    {"last(\"A\", p) contains \"x\"", ""},
    {"user.x > true", "3:28+4 true and false have no order.\n"},
    {"user.x = true", ""},
    {"user.x between \"a\" and 5",
     "3:34+9 These two are of different types; nothing is between them.\n"},
    {"user.x between 5 and 3",
     "3:34+7 This range is empty: its first value is the greater one. | write "
     "the smaller value first\n"},
    {"user.x between 2026-02-01 and 2026-01-01",
     "3:34+25 This range is empty: its first value is the greater one. | write "
     "the smaller value first\n"},
    {"user.x between 3 and 3.0", ""},
    {"user.x between \"a\" and \"b\"", ""},
    {"user.x = 5 ignoring case",
     "3:28+1 `ignoring case` goes only with texts.\n"},
    {"user.x in (\"a\", 5) ignoring case",
     "3:35+1 `ignoring case` goes only with texts.\n"},
    {"user.x has any @l ignoring case", ""},
    {"user.x version >= \"abc\"",
     "3:37+5 This is no version (SemVer 2.0), so this is never true. | a "
     "version is, for example, \"4.2.0\" or \"4.2.0-beta.1\"\n"},
    {"user.x version >= \"4.2\"",
     "3:37+5 This is no version (SemVer 2.0), so this is never true. | a "
     "version is, for example, \"4.2.0\" or \"4.2.0-beta.1\"\n"},
    {"user.x version = \"4.2.0-rc.1+b\"", ""},
    {"did any where event.type = \"identify\"",
     "3:46+10 The type of an event is \"track\", \"page\" or \"screen\", "
     "nothing else.\n"},
    {"did any where event.type in (\"page\", \"screen\")", ""},
    {"did any where event.name = 5",
     "3:46+1 This is a text of the event; it never matches another type.\n"},
    {"did any where (x > true or y = 1)",
     "3:38+4 true and false have no order.\n"},
    {"count(\"A\" where x > true) > 1",
     "3:39+4 true and false have no order.\n"},
    /* contradictions */
    {"user.x = \"a\" and user.x = \"b\"",
     "3:36+12 warning: This is never true together with `user.x = \"a\"`.\n"},
    {"user.x = \"a\" and user.y = \"b\"", ""},
    {"user.x = \"a\" or user.x = \"b\"", ""},
    {"user.x = \"a\" and user.x = \"a\"",
     "3:36+12 warning: This says again `user.x = \"a\"`.\n"},
    {"user.x = 1 and user.x = 1.0", ""},
    {"user.x = \"a\" and user.x in (\"b\", \"c\")",
     "3:36+20 warning: This is never true together with `user.x = \"a\"`.\n"},
    {"user.x = \"a\" and user.x in (\"a\", \"c\")", ""},
    {"user.x = \"A\" ignoring case and user.x = \"a\"", ""},
    {"user.x = 2026-01-01 and user.x = \"2026-01-01\"", ""},
    {"user.x > 5 and user.x < 3",
     "3:34+10 warning: This is never true together with `user.x > 5`.\n"},
    {"user.x > 5 and user.x <= 5",
     "3:34+11 warning: This is never true together with `user.x > 5`.\n"},
    {"user.x >= 5 and user.x <= 5", ""},
    {"user.x > 5 and user.x between 1 and 4",
     "3:34+22 warning: This is never true together with `user.x > 5`.\n"},
    {"user.x > 5 and not user.x > 5",
     "3:34+14 warning: This is never true together with `user.x > 5`.\n"},
    {"user.x is set and user.x is not set",
     "3:37+17 warning: This is never true together with `user.x is set`.\n"},
    {"user.x != \"a\" and user.x is not set",
     "3:37+17 warning: This is never true together with `user.x != \"a\"`.\n"},
    {"not user.x = \"a\" and user.x is not set", ""},
    {"did \"A\" and did not \"A\"",
     "3:31+11 warning: This is never true together with `did \"A\"`.\n"},
    {"did \"A\" in 7d and did not \"A\"",
     ""}, /* True: but it takes two windows to see. */
    {"did \"A\" at most 3 times in 7d and did \"A\" at least 4 times in 7d",
     "3:53+30 warning: This is never true together with `did \"A\" at most 3 "
     "times in 7d`.\n"},
    {"did \"A\" at most 3 times and did \"A\" at least 3 times", ""},
    {"did \"A\" at most 3 times and did \"A\" at least 4 times in 7d", ""},
    {"count(\"A\") > 3 and did \"A\" at most 3 times",
     "3:38+23 warning: This is never true together with `count(\"A\") > 3`.\n"},
    {"did \"A\" and not did \"A\" at least 2 times", ""},
    {"did \"A\" at least 2 times and not did \"A\"",
     "3:48+11 warning: This is never true together with `did \"A\" at least 2 "
     "times`.\n"},
    {"did any where (x = 1 and x = 2)",
     "3:44+5 warning: This is never true together with `x = 1`.\n"},
    {"did any where (x = 1 or x = 2)", ""},
    {"did any where (not x = 1 and x = 1)",
     "3:48+5 warning: This is never true together with `not x = 1`.\n"},
    {"did \"A\" at most 2 times and not did \"A\" at most 3 times",
     "3:47+27 warning: This is never true together with `did \"A\" at most 2 "
     "times`.\n"},
    {"did \"A\" and did \"A\" and did \"A\" at least 2 times",
     "3:31+7 warning: This says again `did \"A\"`.\n"},
    {"user.x = \"a very long text, long enough that a message would not show "
     "all of it, as that helps nobody\" and user.x = \"b\"",
     "3:126+12 warning: This is never true together with the condition in line "
     "3.\n"},
    /* tautologies */
    {"did \"A\" or did not \"A\"",
     "3:30+11 warning: Always either this is true or `did \"A\"`.\n"},
    {"did \"A\" at most 3 times or did \"A\" at least 4 times",
     "3:46+24 warning: Always either this is true or `did \"A\" at most 3 "
     "times`.\n"},
    {"did \"A\" at most 3 times or did \"A\" at least 5 times", ""},
    {"user.x > 5 or user.x <= 5", ""}, /* It may be missing. */
    {"user.x > 5 or not user.x > 5",
     "3:33+14 warning: Always either this is true or `user.x > 5`.\n"},
    {"did \"A\" at least 0 times",
     "3:19+24 warning: This is always true: a count is a whole number from 0 "
     "on.\n"},
    {"count(\"A\") >= 0",
     "3:19+15 warning: This is always true: a count is a whole number from 0 "
     "on.\n"},
    {"count(\"A\") < 0",
     "3:19+14 warning: This is never true: a count is a whole number from 0 "
     "on.\n"},
    {"count(\"A\") between 1.2 and 1.8",
     "3:19+30 warning: This is never true: a count is a whole number from 0 "
     "on.\n"},
    {"did \"A\" at most 0 times", ""},
    /* windows beyond the exact limit */
    {"did any from 28d to 14d ago",
     "3:27+19 warning: A window with two ends is exact while a user has at "
     "most 256 such events in it; beyond that it may be off by a 64th of the "
     "window.\n"},
    {"first(\"A\", p) in 7d is set",
     "3:33+5 warning: `first` in a window is exact while a user has at most "
     "256 such events in it; beyond that it may be off by a 64th of the "
     "window.\n"},
    {"first(\"A\", p) is set", ""},
    {"last(\"A\", p) in 7d is set", ""},
    {"did \"A\" at least 256 times in 7d", ""},
    {"did \"A\" at least 257 times in 7d",
     "3:46+5 warning: This window is exact while a user has at most 256 such "
     "events in it; beyond that it may be off by a 64th of the window.\n"},
    {"did \"A\" at least 257 times", ""},
    {"count(\"A\") in 7d < 257",
     "3:30+5 warning: This window is exact while a user has at most 256 such "
     "events in it; beyond that it may be off by a 64th of the window.\n"},
    {"count(\"A\") in 7d > 300.5",
     "3:30+5 warning: This window is exact while a user has at most 256 such "
     "events in it; beyond that it may be off by a 64th of the window.\n"},
    {"count(\"A\") in 7d between 1 and 1000",
     "3:30+5 warning: This window is exact while a user has at most 256 such "
     "events in it; beyond that it may be off by a 64th of the window.\n"},
    /* circles */
    {"in segment s", "3:19+12 The segment `s` refers to itself.\n"},
};

START_TEST(a_condition_is_checked)
{
    buf_printf(&text,
               "list l = [\"CFO\"]\n"
               "segment other { when user.job in @l }\n"
               "segment s { when  %s }\n"
               "test s \"t\" { at 0d expect out }\n"
               "test other \"t\" { at 0d expect out }\n",
               conds[_i].cond);
    int ret = check(buf_string(&text));
    said(&got, diagnostics);
    ck_assert_msg(!strcmp(buf_string(&got), conds[_i].want),
                  "%s:\ngot  %s\nwant %s", conds[_i].cond, buf_string(&got),
                  conds[_i].want);
    ck_assert_int_eq(ret,
                     seg_diagnostics_errors(diagnostics) ? SEG_ERR_SYNTAX : 0);
}
END_TEST

/* ---- files ----------------------------------------------------------- */

static const struct {
    const char *name, *text, *want;
} files[] = {
    {"nothing", "", ""},
    {"twice",
     "segment a { when everyone }\nlist l = [1]\n"
     "segment a { when everyone }\nlist l = [2]\n"
     "test a \"t\" { at 0d expect in }\n"
     "test a \"t\" { at 0d expect in }\n",
     "2:6+1 warning: The list `l` is not used.\n"
     "3:9+1 The segment `a` is defined already at x.seg:1.\n"
     "3:9+1 warning: The segment `a` has no test.\n"
     "4:6+1 The list `l` is defined already at x.seg:2.\n"
     "4:6+1 warning: The list `l` is not used.\n"
     "6:6+1 There is already a test of that name of `a` in line 5.\n"},
    {"a list and a segment may share a key",
     "list a = [1]\nsegment a { when user.x in @a }\n"
     "test a \"t\" { at 0d expect out }\n",
     ""},
    {"no test", "segment a { when everyone }\n",
     "1:9+1 warning: The segment `a` has no test.\n"},
    {"a test of nothing",
     "segment goals { when everyone }\n"
     "test goal \"t\" { at 0d expect in }\n",
     "1:9+5 warning: The segment `goals` has no test.\n"
     "2:6+4 There is no segment `goal` to test. | did you mean `goals`?\n"},
    {"a test that expects nothing, or goes back",
     "segment a { when everyone }\n"
     "test a \"t\" { at 0d event \"A\" }\n"
     "test a \"u\" { at 2d event \"A\" at 1d expect in set user.x = 1 }\n",
     "2:6+1 warning: This test expects nothing.\n"
     "3:30+15 warning: This line is earlier than the one before it.\n"},
    {"a list with doubles",
     "list l = [1, \"1\", 1, true, true]\n"
     "segment a { when user.x in @l }\n"
     "test a \"t\" { at 0d expect out }\n",
     "1:19+1 warning: This value stands twice in the list `l`.\n"
     "1:28+4 warning: This value stands twice in the list `l`.\n"},
    {"triggers",
     "segment a { when everyone\n"
     "on enter trigger \"t\" { x = 1 }\n"
     "on exit trigger \"t\" once\n"
     "on enter trigger \"t\" once per 1d }\n"
     "test a \"t\" { at 0d expect in }\n",
     "2:1+30 warning: This trigger has no cooldown: it fires each time. | add "
     "`once`, or `once per 30d`\n"
     "4:1+32 This trigger stands already in line 2.\n"},
    {"nobody", "segment a { }\ntest a \"t\" { at 0d expect out }\n",
     "1:9+1 warning: Nobody can be in this segment: it has neither `when` nor "
     "`include`.\n"},
    {"only some",
     "list ids = [\"u1\"]\n"
     "segment a { include @ids exclude (\"u2\") }\n"
     "test a \"t\" { at 0d expect out }\n",
     ""},
    {"ids",
     "list ids = [1]\n"
     "segment a { include @ids exclude (\"\") }\n"
     "test a \"t\" { at 0d expect out }\n",
     "2:21+4 The id of a user is a text in double quotes.\n"
     "2:35+2 The id of a user is not empty.\n"},
    {"a circle of three",
     "segment c { when in segment a }\n"
     "segment a { when did \"A\" and in segment b }\n"
     "segment b { when in segment c or in segment d }\n"
     "segment d { when everyone }\n"
     "test a \"t\" { at 0d expect out }\n"
     "test b \"t\" { at 0d expect out }\n"
     "test c \"t\" { at 0d expect out }\n"
     "test d \"t\" { at 0d expect in }\n",
     "1:18+12 These segments refer to each other in a circle: a -> b -> c -> "
     "a.\n"},
    {"a file that does not parse is not checked further",
     "segment a { when in segment b }\nsegment b { when evryone }\n",
     "2:18+7 `evryone` is no condition. | did you mean `everyone`?\n"},
};

START_TEST(a_file_is_checked)
{
    check(files[_i].text);
    said(&got, diagnostics);
    ck_assert_msg(!strcmp(buf_string(&got), files[_i].want),
                  "%s:\ngot  %s\nwant %s", files[_i].name, buf_string(&got),
                  files[_i].want);
}
END_TEST

/* ---- what check leaves ----------------------------------------------- */

START_TEST(segments_are_sorted_and_references_resolved)
{
    ck_assert_int_eq(check("segment c { when in segment b }\n"
                           "segment a { when in segment c }\n"
                           "list l = [\"x\", \"y\"]\n"
                           "segment b { when did any where p in @l "
                           "include @l }\n"),
                     0);
    ck_assert_str_eq(rules.segments[0].key.bytes, "a");
    ck_assert_str_eq(rules.segments[1].key.bytes, "b");
    ck_assert_str_eq(rules.segments[2].key.bytes, "c");
    ck_assert_int_eq(rules.segments[0].when->segment, 2);
    ck_assert_int_eq(rules.segments[2].when->segment, 1);
    const struct rule_where *where = rules.segments[1].when->event.where;
    ck_assert_int_eq(where->test.values.count, 2);
    ck_assert_str_eq(where->test.values.items[1].value.as.text, "y");
    ck_assert_int_eq(rules.segments[1].include.count, 2);
    ck_assert_int_eq(rules.lists[0].used, 1);
}
END_TEST

START_TEST(definitions_of_several_files_find_each_other)
{
    static const struct seg_source sources[] = {
        {"b.seg", "segment b { when in segment a }", 31},
        {"a.seg", "segment a { when user.x in @l }", 31},
        {"l.seg", "list l = [1] list l = [2]", 25},
    };
    ck_assert_int_eq(seg_catalogue_check(sources, 3, diagnostics),
                     SEG_ERR_SYNTAX);
    said(&got, diagnostics);
    ck_assert_str_eq(buf_string(&got),
                     "1:9+1 warning: The segment `a` has no test.\n"
                     "1:9+1 warning: The segment `b` has no test.\n"
                     "1:19+1 The list `l` is defined already at l.seg:1.\n"
                     "1:19+1 warning: The list `l` is not used.\n");
}
END_TEST

/* A chain as long as there may be segments: no recursion may be as deep. */
START_TEST(the_longest_chain_of_segments_is_no_circle)
{
    for (int i = 0; i < SEG_SEGMENTS_MAX; i++)
        buf_printf(&text, "segment s%d { when in segment s%d }\n", i, i + 1);
    buf_printf(&text, "segment s%d { when everyone }\n", SEG_SEGMENTS_MAX);
    /* One too many. */
    ck_assert_int_eq(check(buf_string(&text)), SEG_ERR_SYNTAX);
    said(&got, diagnostics);
    ck_assert_str_eq(buf_string(&got),
                     "100001:9+7 There are at most 100000 segments.\n");
    teardown();
    setup();
    for (int i = 1; i < SEG_SEGMENTS_MAX; i++)
        buf_printf(&text, "segment s%d { when in segment s%d }\n", i, i + 1);
    size_t open = text.len;
    buf_printf(&text, "segment s%d { when everyone }\n", SEG_SEGMENTS_MAX);
    ck_assert_int_eq(check(buf_string(&text)), 0);
    ck_assert_int_eq(rules.segment_count, SEG_SEGMENTS_MAX);
    text.len = open;
    seg_diagnostics_free(diagnostics);
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    rules_done(&rules);
    buf_printf(&text, "segment s%d { when in segment s1 }\n", SEG_SEGMENTS_MAX);
    ck_assert_int_eq(check(buf_string(&text)), SEG_ERR_SYNTAX);
    ck_assert_int_eq(seg_diagnostics_errors(diagnostics), 1);
}
END_TEST

/* ---- what is shipped ------------------------------------------------- */

START_TEST(the_shipped_segments_check_and_stand_in_their_one_spelling)
{
    static char bytes[1 << 16];
    char *spelling = NULL;
    FILE *file = fopen("config/segments/examples.seg", "rb");
    ck_assert_msg(file != NULL, "tests are run from the top of the tree");
    size_t len = fread(bytes, 1, sizeof(bytes) - 1, file);
    fclose(file);
    struct seg_source source = {"examples.seg", bytes, len};
    ck_assert_int_eq(seg_catalogue_check(&source, 1, diagnostics), 0);
    for (int i = 0; i < seg_diagnostics_count(diagnostics); i++) {
        const char *message = seg_diagnostics_at(diagnostics, i)->message;
        ck_assert_msg(strstr(message, "two ends") != NULL, "%s", message);
    }
    ck_assert_int_eq(seg_format(&spelling, &source, diagnostics), 0);
    ck_assert(!strcmp(spelling, bytes));
    free(spelling);
}
END_TEST

SUITE("check", setup, teardown, TABLE(a_condition_is_checked, conds),
      TABLE(a_file_is_checked, files),
      TEST(segments_are_sorted_and_references_resolved),
      TEST(definitions_of_several_files_find_each_other),
      TEST(the_longest_chain_of_segments_is_no_circle),
      TEST(the_shipped_segments_check_and_stand_in_their_one_spelling))
