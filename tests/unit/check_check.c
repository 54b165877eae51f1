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
/* How far each construct is exact. */
#define ROW(text) text "\n"
#define KEPT                                                           \
    "is exact while a user has at most 256 such events in it; beyond " \
    "that it may be off by a 64th of the window."
#define SPREAD                                                           \
    "`distinct` is exact while a user has at most 256 such events in "   \
    "the window; beyond that the number is an estimate with a standard " \
    "error of 6.5%."
#define BLOCKS                                                           \
    "This is exact while a user has at most 16384 such events in these " \
    "4 weeks; beyond that they may count up to a 16th of a week early."
#define LATE                                                              \
    "A late event finds its place among the newest 64 of this sequence; " \
    "one from before them may take a match back, but may make none."
#define OPEN                                                                 \
    "Of this sequence 64 open attempts of a user are followed; beyond that " \
    "the oldest are given up, and what would complete them is missed."

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
     "3:37+11 warning: This is never true together with `did \"A\" in 7d`.\n"},
    {"did \"A\" and did not \"A\" in 7d", ""},
    {"did \"A\" in 7d and did not \"A\" since 2026-01-01", ""},
    {"did \"A\" from 7d to 1d ago and did not \"A\" in 7d",
     ROW("3:27+17 note: A window with two ends " KEPT) ROW(
         "3:49+17 warning: This is never true together with `did \"A\" from 7d "
         "to 1d ago`.")},
    {"did \"A\" in 7d and did not \"B\" in 30d", ""},
    {"did \"A\" in 7d and did not \"A\" from 14d to 1d ago",
     ROW("3:49+18 note: A window with two ends " KEPT)},
    {"did \"A\" since 2026-02-01 and did not \"A\" since 2026-01-01",
     "3:48+28 warning: This is never true together with `did \"A\" since "
     "2026-02-01`.\n"},
    {"did \"A\" since 2026-01-01 and did not \"A\" since 2026-02-01", ""},
    {"distinct(\"A\", p) in 30d < 3 and distinct(\"A\", p) in 7d > 3",
     "3:51+26 warning: This is never true together with `distinct(\"A\", p) in "
     "30d < 3`.\n"},
    {"distinct(\"A\", p) in 30d < 3 and distinct(\"A\", q) in 7d > 3", ""},
    {"days(\"A\") in 30d < 3 and count(\"A\") in 7d > 3", ""},
    {"did \"A\" at most 3 times in 7d and did \"A\" at least 4 times in 7d",
     "3:53+30 warning: This is never true together with `did \"A\" at most 3 "
     "times in 7d`.\n"},
    {"did \"A\" at most 3 times and did \"A\" at least 3 times", ""},
    {"did \"A\" at most 3 times and did \"A\" at least 4 times in 7d",
     "3:47+30 warning: This is never true together with `did \"A\" at most 3 "
     "times`.\n"},
    {"did \"A\" at most 4 times and did \"A\" at least 4 times in 7d", ""},
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
    /* types that exclude each other */
    {"user.x = 1 and user.x contains \"a\"",
     "3:34+19 warning: This is never true together with `user.x = 1`.\n"},
    {"user.x = 1 or user.x contains \"a\"", ""},
    {"user.x != \"a\" and user.x != 1",
     "3:37+11 warning: This is never true together with `user.x != \"a\"`.\n"},
    {"user.x in (\"a\", 1) and user.x != 2", ""},
    {"user.x has \"a\" and user.x = \"a\"",
     "3:38+12 warning: This is never true together with `user.x has \"a\"`.\n"},
    {"user.x within 3d and user.x starts with \"2026\"", ""},
    {"user.x within 3d and user.x = true",
     "3:40+13 warning: This is never true together with `user.x within 3d`.\n"},
    {"user.x = 2026-01-31 and not user.x = true", ""},
    /* tautologies */
    {"everyone and did \"A\"",
     "3:19+8 warning: This is always true and adds nothing to an `and`.\n"},
    {"did \"A\" or everyone",
     "3:30+8 warning: This is always true, and so is all of this `or`.\n"},
    {"not everyone",
     "3:19+12 warning: This is never true: `everyone` is every user.\n"},
    {"did \"A\" in 7d or did not \"A\"", ""},
    {"did not \"A\" in 7d or did \"A\" in 14d",
     "3:40+14 warning: Always either this is true or `did not \"A\" in 7d`.\n"},
    {"days_since(last \"A\") > 0", ""},
    {"days_since(last \"A\") <= 0", ""},
    {"days_since(last \"A\") between -3 and -1",
     "3:19+38 warning: This is never true: what has happened was not in the "
     "future.\n"},
    {"days_since(last \"A\") > -1",
     "3:19+25 warning: This is true whenever it has happened: `did` says the "
     "same.\n"},
    {"user.x is set or user.x is not set",
     "3:36+17 warning: Always either this is true or `user.x is set`.\n"},
    {"user.x = 1 or user.x is not set", ""},
    {"user.x is set or not user.x is not set", ""},
    /* texts in order */
    {"user.x < \"b\"", ""},
    {"user.x = \"5\"", ""},
    {"user.x between \"1\" and \"5\"",
     "3:34+3 warning: Texts are in order of their characters: \"9\" comes "
     "after "
     "\"18\". | a number or a date has no quotes: `1`\n"},
    {"user.x between \"1.0.0\" and \"2.0.0\"",
     "3:34+7 warning: Texts are in order of their characters: \"9\" comes "
     "after "
     "\"18\".\n"},
    {"user.x > \"2026-01\"", ""},
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
     "3:27+19 note: A window with two ends is exact while a user has at "
     "most 256 such events in it; beyond that it may be off by a 64th of the "
     "window.\n"},
    {"first(\"A\", p) in 7d is set",
     "3:33+5 note: `first` in a window is exact while a user has at most "
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
    {"did \"A\" at least 257 times from 28d to 14d ago",
     ROW("3:46+19 warning: A window with two ends " KEPT)},
    {"count(\"A\") in 7d < count(\"A\")",
     ROW("3:30+5 note: This window " KEPT)},
    {"sum(\"A\", p) in 7d > 1000", ROW("3:31+5 note: This window " KEPT)},
    {"avg(\"A\", p) from 7d to 1d ago > 5",
     ROW("3:31+17 note: This window " KEPT)},
    {"min(\"A\", p) in 7d > 1000", ROW("3:31+5 note: This window " KEPT)},
    {"max(\"A\", p) in 7d > 1000", ROW("3:31+5 note: This window " KEPT)},
    {"sum(\"A\", p) since 2026-01-31 > 1000", ""},
    {"max(\"A\", p) > 1000", ""},
    {"last(\"A\", p) from 7d to 1d ago is set",
     ROW("3:32+17 note: A window with two ends " KEPT)},
    {"latest(\"A\" or \"B\") was \"A\" in 7d", ""},
    {"latest(\"A\" or \"B\") was \"A\" from 7d to 1d ago",
     ROW("3:46+17 note: A window with two ends " KEPT)},
    {"days(\"A\") in 365d >= 300", ""},
    {"days(\"A\") from 36h to 12h1ms ago >= 1",
     ROW("3:29+22 note: `days` in less than a day " KEPT)},
    {"days(\"A\") from 36h to 12h ago >= 1", ""},
    {"days_since(last \"A\") > 300", ""},
    {"distinct(\"A\", p) >= 64", ""},
    {"distinct(\"A\", p) in 7d >= 65",
     ROW("3:19+22 warning: `distinct` is exact up to 64 values of a user; "
         "beyond that it is an estimate with a standard error of 3.3%, and "
         "values may leave late by a 64th of the window.")},
    {"distinct(\"A\", p) >= 64.5",
     ROW("3:19+16 warning: `distinct` is exact up to 64 values of a user; "
         "beyond that it is an estimate with a standard error of 3.3%.")},
    {"distinct(\"A\", p) >= count(\"A\")",
     ROW("3:19+16 note: `distinct` is exact up to 64 values of a user; beyond "
         "that it is an estimate with a standard error of 3.3%.")},
    {"distinct(\"A\", p) from 7d to 1d ago >= 256",
     ROW("3:19+34 note: " SPREAD)},
    {"distinct(\"A\", p) from 7d to 1d ago >= 257",
     ROW("3:19+34 warning: " SPREAD)},
    {"did \"A\" at least 1638 times per week for 4 weeks", ""},
    {"did \"A\" at least 1639 times per week for 4 weeks",
     ROW("3:27+40 note: " BLOCKS)},
    {"did \"A\" at least 4096 times per week for 4 weeks",
     ROW("3:27+40 note: " BLOCKS)},
    {"did \"A\" at least 4097 times per week for 4 weeks",
     ROW("3:27+40 warning: " BLOCKS)},
    {"did \"A\" then \"B\" within 1d", ROW("3:19+26 note: " LATE)},
    {"did \"A\" then \"B\" after 1h",
     ROW("3:19+25 note: " LATE) ROW("3:19+25 note: " OPEN)},
    {"did \"A\" without \"B\" within 1d",
     ROW("3:19+29 note: " LATE) ROW("3:19+29 note: " OPEN)},
    {"did \"A\" then \"B\" for the same p",
     ROW("3:19+31 note: " LATE) ROW("3:19+31 note: " OPEN)},
    {"did \"A\" from 7d to 1d ago then \"B\"",
     ROW("3:19+34 note: " LATE) ROW("3:19+34 note: " OPEN)},
    {"user in 10% by \"x\"", ""},
    {"entered segment other in 7d", ""},
    {"user.trial_ends_at within next 3d", ""},
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
    {"what a trait is exact to stands with it, unless it is asked for more",
     "trait n = count(\"A\") in 7d\ntrait m = trait.n\n"
     "segment a { when trait.n >= 256 and trait.m >= 257 }\n"
     "test a \"t\" { at 0d expect out }\n",
     ROW("1:22+5 note: This window " KEPT)
         ROW("3:37+7 warning: This window " KEPT)},
    {"a score says how it is rounded, a trigger how far it is exact",
     "score x half-life 7d { \"A\" 1 }\n"
     "segment a { when score(x) > 3\n"
     "on enter trigger \"t\" { n = distinct(\"A\", p) } once }\n"
     "test a \"t\" { at 0d expect out }\n",
     ROW("1:7+1 note: A score is rounded to a billionth, from 8192 on to 44 "
         "binary digits; an event adds nothing once another is 64 half-lives "
         "newer.")
         ROW("3:28+16 note: `distinct` is exact up to 64 values of a user; "
             "beyond "
             "that it is an estimate with a standard error of 3.3%.")},
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
    {"what is set twice",
     "segment a { when everyone }\n"
     "test a \"t\" { set user.x.y = 1 set user.x.z = 1 set account.x = 1\n"
     "set user.x = 2 at 0d expect in }\n",
     "3:1+14 This is set already in line 2. | what changes later is written "
     "`at 1d identify { ... }`\n"},
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

static const struct shipped {
    const char *name;
} shipped[] = {
    {"config/segments/b2b-saas.seg"},
    {"config/segments/content.seg"},
    {"config/segments/demo.seg"},
    {"config/segments/ecommerce.seg"},
};

static struct seg_source read_shipped(const char *name)
{
    static char bytes[1 << 17];
    FILE *file = fopen(name, "rb");
    ck_assert_msg(file != NULL, "tests are run from the top of the tree");
    size_t len = fread(bytes, 1, sizeof(bytes) - 1, file);
    ck_assert(feof(file) && !ferror(file));
    fclose(file);
    bytes[len] = 0;
    return (struct seg_source){name, bytes, len};
}

/* "For sales: call within the hour." */
START_TEST(a_shipped_segment_says_for_whom_it_is_and_what_to_do)
{
    const char *name = shipped[_i].name;
    struct seg_source source = read_shipped(name);
    ck_assert_int_eq(check_sources(&rules, &source, 1, diagnostics), 0);
    ck_assert_int_ge(rules.segment_count, 10);
    for (int i = 0; i < rules.segment_count; i++) {
        const struct rule_segment *segment = &rules.segments[i];
        const char *key = segment->key.bytes, *docs = segment->docs.bytes;
        ck_assert_msg(segment->title.len && segment->owner.len, "%s: %s", name,
                      key);
        ck_assert_msg(docs && !strncmp(docs, "For ", 4) && strchr(docs, ':') &&
                          strlen(strchr(docs, ':')) > 20 &&
                          docs[segment->docs.len - 1] == '.',
                      "%s: %s: %s", name, key, docs ? docs : "no docs");
    }
}
END_TEST

START_TEST(a_shipped_file_checks_and_stands_in_its_one_spelling)
{
    const char *name = shipped[_i].name;
    char *spelling = NULL;
    struct seg_source source = read_shipped(name);
    const char *bytes = source.text;
    int ret = seg_catalogue_check(&source, 1, diagnostics);
    for (int i = 0; i < seg_diagnostics_count(diagnostics); i++) {
        const struct seg_diagnostic *one = seg_diagnostics_at(diagnostics, i);
        ck_assert_msg(one->severity == SEG_SEVERITY_NOTE, "%s: %s", name,
                      one->message);
    }
    ck_assert_int_eq(ret, 0);
    ck_assert_int_eq(seg_format(&spelling, &source, diagnostics), 0);
    ck_assert_msg(!strcmp(spelling, bytes), "%s", name);
    free(spelling);
}
END_TEST

SUITE("check", setup, teardown, TABLE(a_condition_is_checked, conds),
      TABLE(a_file_is_checked, files),
      TEST(segments_are_sorted_and_references_resolved),
      TEST(definitions_of_several_files_find_each_other),
      TEST(the_longest_chain_of_segments_is_no_circle),
      TABLE(a_shipped_segment_says_for_whom_it_is_and_what_to_do, shipped),
      TABLE(a_shipped_file_checks_and_stands_in_its_one_spelling, shipped))
