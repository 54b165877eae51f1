/* check_parse_cursor.c: what is said when a text is no segment file. */
#include "lib/segment/parse_cursor.h"

#include <string.h>

#include "lib/segment/parse.h"
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

static int parse(const char *string)
{
    struct seg_source source = {"x.seg", string, strlen(string)};
    return parse_source(&rules, &source, diagnostics);
}

/* ---- mistakes -------------------------------------------------------- */

/* In conditions: what stands after `when `, which begins at column 18. */
static const struct {
    const char *cond, *want;
} mistakes[] = {
    {"did \"A\" atleast 3 times",
     "1:26+7 How often is said by at least, at most, exactly or between. | "
     "write, for example, `at least 3 times`\n"},
    {"did \"A\" at laest 3 times",
     "1:29+5 `least` or `most` is missing before `laest`. | did you mean "
     "`least`?\n"},
    {"did \"A\" at least 3 tmes",
     "1:37+4 `times` is missing before `tmes`. | did you mean `times`?\n"},
    {"did \"A\" at least 3", "1:37+1 `times` is missing before `}`.\n"},
    {"did \"A\" at least three times",
     "1:35+5 A whole number is missing here. | did you mean `3`?\n"},
    {"did \"A\" at least 3.5 times",
     "1:35+3 A whole number is missing here.\n"},
    {"did \"A\" at least -1 times",
     "1:35+2 A number of times is from 0 to 1000000000.\n"},
    {"did \"A\" at least 1000000001 times",
     "1:35+10 A number of times is from 0 to 1000000000.\n"},
    {"did \"A\" > 3",
     "1:26+1 How often is said by at least, at most, exactly or between. | "
     "write, for example, `at least 4 times`\n"},
    {"did \"A\" 3 times",
     "1:26+1 How often is said by at least, at most, exactly or between. | "
     "did you mean `exactly 3 times`?\n"},
    {"did \"A\" between 5 and 3 times",
     "1:26+21 This range is empty: 5 is more than 3. | did you mean `between "
     "3 and 5 times`?\n"},
    {"did \"A\" in 7d at least 3 times",
     "1:32+2 How often stands before the window. | write, for example, `at "
     "least 3 times in 7d`\n"},
    {"did not \"A\" at least 3 times",
     "1:30+2 After `did not` it is not said how often. | `did \"A\" at most 2 "
     "times` and `not did \"A\" at least 3 times` are possible\n"},
    {"did Goal Used at least 3 times",
     "1:22+4 The name of an event is a text in double quotes. | did you mean "
     "`\"Goal Used\"`?\n"},
    {"did \"Goal Used at least 3 times }",
     "1:22+31 The closing quote is missing.\n"},
    {"did 'Goal Used' in 7d",
     "1:22+11 Strings stand in plain double quotes. | did you mean "
     "`\"Goal Used\"`?\n"},
    {"did \xe2\x80\x9cGoal Used\xe2\x80\x9d in 7d",
     "1:22+15 Strings stand in plain double quotes. | did you mean "
     "`\"Goal Used\"`?\n"},
    {"did \"\"", "1:22+2 The name of an event is not empty.\n"},
    {"did \"A\" or \"B\"",
     "1:29+3 A condition is missing before this text. | several events stand "
     "in brackets: did (\"A\" or \"B\")\n"},
    {"did \"A\", \"B\"",
     "1:25+1 Events are joined by `or` in brackets. | write `did (\"A\" or "
     "\"B\")`\n"},
    {"did (\"A\", \"B\")",
     "1:26+1 Names of events are joined by `or`. | did you mean `or`?\n"},
    {"did (\"A\" or any)",
     "1:30+3 `any` stands alone, it is every event already.\n"},
    {"did \"A\" in 7 days",
     "1:29+1 After `in` stands a duration, such as 15m, 6h or 7d. | did you "
     "mean `7d`?\n"},
    {"did \"A\" in 7days",
     "1:29+5 This is no number, duration or date; durations are 500ms 90s 15m "
     "6h 7d 2w and sums of them, up to 36500d. | did you mean `7d`?\n"},
    {"did \"A\" in 7",
     "1:29+1 After `in` stands a duration, such as 15m, 6h or 7d. | did you "
     "mean `7d`?\n"},
    {"did \"A\" in 1 month",
     "1:29+1 After `in` stands a duration, such as 15m, 6h or 7d. | months and "
     "years differ in length; write days, such as 30d or 365d\n"},
    {"did \"A\" in 0d", "1:29+2 `in` needs a duration of at least 1ms.\n"},
    {"did \"A\" in 36501d", "1:29+6 A duration is at most 36500d.\n"},
    {"did \"A\" within 7d",
     "1:26+6 A window is written `in 7d` or `from 28d to 14d ago`. | did you "
     "mean `in 7d`?\n"},
    {"did \"A\" from 14d to 28d ago",
     "1:26+19 This window is backwards: it begins after it ends. | did you "
     "mean `from 28d to 14d ago`?\n"},
    {"did \"A\" from 0d to 2d ago",
     "1:26+17 This window is backwards: it begins after it ends. | did you "
     "mean `from 2d to 0d ago`?\n"},
    {"did \"A\" from 7d to 7d ago", "1:26+17 This window is empty.\n"},
    {"did \"A\" from 28d to 14d", "1:42+1 `ago` is missing before `}`.\n"},
    {"user.plan == \"free\"",
     "1:28+2 A test of `user.plan` is missing before `==`. | did you mean "
     "`=`?\n"},
    {"user.plan is \"free\"",
     "1:28+2 A test of `user.plan` is missing before `is`. | did you mean "
     "`=`?\n"},
    {"user.plan is nto set",
     "1:31+3 `set` or `not set` is missing before `nto`.\n"},
    {"user.plan contians \"x\"",
     "1:28+8 A test of `user.plan` is missing before `contians`. | did you "
     "mean `contains`?\n"},
    {"user.plan starts \"x\"", "1:35+3 `with` is missing before `\"x\"`.\n"},
    {"user.plan = free",
     "1:30+4 A value is a text in double quotes, a number, true, false or a "
     "date. | did you mean `\"free\"`?\n"},
    {"user.plan = null",
     "1:30+4 There is no null here. | use `is set` or `is not set`\n"},
    {"user.plan = @l",
     "1:30+2 One value stands here, no list. | did you mean `in @l`?\n"},
    {"user.plan = (\"a\", \"b\")",
     "1:30+1 One value stands here, no list. | did you mean `in (...)`?\n"},
    {"user.plan in [\"a\"]",
     "1:31+1 Values stand in ( ), or a list as @key.\n"},
    {"user.plan in \"a\"",
     "1:31+3 Values stand in ( ), or a list as @key. | did you mean "
     "`(\"a\")`?\n"},
    {"user.plan in ()", "1:32+1 A list has at least one value.\n"},
    {"user.plan in (\"a\",)", "1:35+1 No comma stands after the last value.\n"},
    {"user.plan in (\"a\" \"b\")",
     "1:36+3 `,` or `)` is missing after this value.\n"},
    {"did \"A\" at least 9223372036854775808 times",
     "1:35+19 A whole number is missing here.\n"},
    {"user.n = 1e999", "1:27+5 This number is too large.\n"},
    {"user.n = 007", "1:27+3 A number has no leading zeros.\n"},
    {"user.n = .5",
     "1:27+1 A value is missing here: a text in double quotes, a number, "
     "true, false or a date.\n"},
    {"user.n = 7d",
     "1:27+2 A value stands here, no duration. | how long ago is said by "
     "`within 3d` or `more than 3d ago`; days_since is a number of days\n"},
    {"user.d = 2026-02-30",
     "1:27+10 This is no date; dates are 2026-01-31, 2026-01-31T12:00Z or "
     "2026-01-31T12:00:00.000+02:00.\n"},
    {"user.d before \"2026-01-31\"",
     "1:32+12 After `before` stands a date. | a date has no quotes: "
     "2026-01-31\n"},
    {"user.d more than 3d", "1:38+1 `ago` is missing before `}`.\n"},
    {"user.s contains 5",
     "1:34+1 After `contains` stands a text in quotes. | did you mean "
     "`\"5\"`?\n"},
    {"user.n > 3 ignoring case",
     "1:29+8 `ignoring case` does not go with `>`.\n"},
    {"user.plan", "1:28+1 A test of `user.plan` is missing before `}`. | a "
                  "test is, for example, `= \"pro\"`, `>= 3`, `in (\"a\", "
                  "\"b\")` or `is set`\n"},
    {"plan = \"free\"", "1:18+4 `plan` is no condition. | did you mean "
                        "`user.plan`?\n"},
    {"usr.plan = \"free\"",
     "1:18+3 `usr` is no condition. | did you mean `user`?\n"},
    {"properties.x = 1",
     "1:18+10 `properties` is no condition. | what an event "
     "holds is tested in `did ... where ...`\n"},
    {"user = 1", "1:23+1 After `user` stands `.` and a name.\n"},
    {"user.first-name = 1",
     "1:23+10 A name with other characters than letters, digits and _ stands "
     "in quotes. | did you mean `\"first-name\"`?\n"},
    {"user.\"\" = 1", "1:23+2 A name has at least one character.\n"},
    {"did \"A\" where user.plan = 1",
     "1:32+4 Here stands a property of the event, nothing of the user. | a "
     "property of that name is written `properties.user`\n"},
    {"did \"A\" where event.foo = 1",
     "1:38+3 Of an event itself there are event.name, event.type and event.id. "
     "| a property is written without `event.`\n"},
    {"did \"A\" where event.tpye = 1",
     "1:38+4 Of an event itself there are event.name, event.type and event.id. "
     "| did you mean `event.type`?\n"},
    {"did \"A\" where \"x y\" = 1",
     "1:32+5 A property in quotes begins with `properties.`. | did you mean "
     "`properties.\"x y\"`?\n"},
    {"did \"A\" where not x = 1",
     "1:32+3 `not` after `where` stands in brackets. | did you mean `where "
     "(not ...)`?\n"},
    {"did \"A\" where (x = 1, y = 2)",
     "1:38+1 Conditions are joined by `and` or `or`. | did you mean `and`?\n"},
    {"did \"A\" where x in 7d",
     "1:37+2 Values stand in ( ), or a list as @key.\n"},
    {"did \"A\" && did \"B\"",
     "1:26+2 Conditions are joined by `and` or `or`. | did you mean `and`?\n"},
    {"did \"A\" || did \"B\"",
     "1:26+2 Conditions are joined by `and` or `or`. | did you mean `or`?\n"},
    {"did \"A\" AND did \"B\"",
     "1:26+3 Conditions are joined by `and` or `or`. | did you mean `and`?\n"},
    {"did \"A\" and", "1:30+1 A condition is missing before `}`.\n"},
    {"(did \"A\"", "1:27+1 `)` is missing before `}`.\n"},
    {"! did \"A\"",
     "1:18+1 A condition is missing before `!`. | did you mean `not`?\n"},
    {"\"A\"", "1:18+3 A condition is missing before this text. | did you mean "
              "`did \"A\"`?\n"},
    {"dd \"A\"", "1:18+2 `dd` is no condition. | did you mean "
                 "`did`?\n"},
    {"in goals", "1:21+5 `segment` is missing after `in`. | did you mean `in "
                 "segment goals`?\n"},
    {"in segmnt goals",
     "1:21+6 `segment` is missing before `segmnt`. | did you mean "
     "`segment`?\n"},
    {"in segment \"Goals Weekly\"",
     "1:29+14 A key is written a-z, 0-9 and _ without quotes and begins with a "
     "letter. | did you mean `goals_weekly`?\n"},
    {"in segment goals-weekly",
     "1:29+12 A key is written a-z, 0-9 and _ without quotes and begins with a "
     "letter. | did you mean `goals_weekly`?\n"},
    {"cuont(\"A\") > 3",
     "1:18+5 `cuont` is no condition. | did you mean `count`?\n"},
    {"count(\"A\")", "1:29+1 A test of this measure is missing before `}`. | a "
                     "test is, for example, `= \"pro\"`, `>= 3`, `in (\"a\", "
                     "\"b\")` or `is set`\n"},
    {"first(\"A\") > 3",
     "1:27+1 `first` needs the property after a comma. | write, for example, "
     "`first(\"Order Placed\", total)`\n"},
    {"days_since(\"A\") > 3", "1:18+10 In `days_since( )` stands `first` or "
                              "`last` and the event. | write, for example, "
                              "`days_since(last \"A\") > 3`\n"},
    {"days_since(first \"A\") in 7d > 3",
     "1:40+2 This measure has no window, it looks at all events.\n"},
    {"user.x = \"a\" ignoring cases",
     "1:40+5 `case` is missing before `cases`. | did you mean `case`?\n"},
    {"did any where context = 1",
     "1:40+1 After `context` stands `.` and a name. | a property of that name "
     "is written `properties.context`\n"},
    {"did any where 5 = 5", "1:32+1 A property is missing before `5`.\n"},
    {"did \"A\" in 2 years",
     "1:29+1 After `in` stands a duration, such as 15m, 6h or 7d. | months and "
     "years differ in length; write days, such as 30d or 365d\n"},
};

START_TEST(a_mistake_in_a_condition_is_answered)
{
    buf_printf(&text, "segment s { when %s }", mistakes[_i].cond);
    ck_assert_int_eq(parse(buf_string(&text)), SEG_ERR_SYNTAX);
    said(&got, diagnostics);
    ck_assert_msg(!strcmp(buf_string(&got), mistakes[_i].want),
                  "%s:\ngot  %s\nwant %s", mistakes[_i].cond, buf_string(&got),
                  mistakes[_i].want);
}
END_TEST

static const struct {
    const char *text, *want;
} wrong_files[] = {
    {"segmnt a { when everyone }",
     "1:1+6 `segmnt` is no definition. | did you mean "
     "`segment`?\n"},
    {"Segment a { when everyone }",
     "1:1+7 `Segment` is no definition. | did you mean "
     "`segment`?\n"},
    {"segment { when everyone }",
     "1:9+1 The key of the segment is missing before `{`.\n"},
    {"segment Big_Fish { }",
     "1:9+8 A key is written a-z, 0-9 and _ without quotes and begins with a "
     "letter. | did you mean `big_fish`?\n"},
    {"segment a of account { }",
     "1:11+2 A segment of accounts is not supported yet by this version.\n"},
    {"segment a when everyone", "1:11+4 `{` is missing before `when`.\n"},
    {"segment a { when everyone",
     "1:9+1 The segment `a` has no closing `}`.\n"},
    {"segment a {\n  when everyone\n\nsegment b {\n}\n",
     "1:9+1 The segment `a` has no closing `}`.\n"},
    {"segment a { } }", "1:15+1 This `}` closes nothing.\n"},
    {"segment a { titel \"x\" when evryone }",
     "1:13+5 `titel` is no field of a segment. | did you mean "
     "`title`?\n"
     "1:28+7 `evryone` is no condition. | did you mean "
     "`everyone`?\n"},
    {"segment a {\n  title x\n  owner y\n  tags z\n  when evryone\n"
     "  include 3\n  on entr trigger \"t\"\n  docs 5\n}\nlist l = 5",
     "2:9+1 A title is a text in double quotes. | did you mean `\"x\"`?\n"
     "3:9+1 An owner is a text in double quotes. | did you mean `\"y\"`?\n"
     "4:8+1 `[` is missing before `z`.\n"
     "5:8+7 `evryone` is no condition. | did you mean `everyone`?\n"
     "6:11+1 Values stand in ( ), or a list as @key. | did you mean `(3)`?\n"
     "7:6+4 `enter` or `exit` is missing before `entr`. | did you mean "
     "`enter`?\n"
     "8:8+1 The text of docs is a text in double quotes.\n"
     "10:10+1 The values of a list stand in [ ]. | a list is written `list l = "
     "[\"a\", \"b\"]`\n"},
    {"segment a { title x owner \"o\" tags 1 when everyone include 3 on enter "
     "trigger 4 exclude 5 tags [6] docs 7 include (\"u\") }",
     "1:19+1 A title is a text in double quotes. | did you mean `\"x\"`?\n"
     "1:36+1 `[` is missing before `1`.\n"
     "1:60+1 Values stand in ( ), or a list as @key. | did you mean `(3)`?\n"
     "1:79+1 The name of a trigger is a text in double quotes.\n"
     "1:91+4 `tags` stands already in line 1.\n"
     "1:107+7 `include` stands already in line 1.\n"},
    {"segment a { and did \"A\" }", "1:13+3 A condition is missing before "
                                    "`and`.\n"},
    {"segment a { on enter trigger \"\" }",
     "1:30+2 The name of a trigger is not "
     "empty.\n"},
    {"test a \"x\" { at 0d event \"\" }", "1:26+2 The name of an event is not "
                                          "empty.\n"},
    {"test a \"x\" { at 0d group \"\" }", "1:26+2 The id of a group is not "
                                          "empty.\n"},
    {"test a \"x\" {\n at 0d event \"A\" {\n n = }\nsegment b { when x }",
     "3:6+1 A value is missing here: a text in double quotes, a number, true, "
     "false or a date.\n"
     "4:18+1 `x` is no condition. | here may stand `did`, `everyone`, `not`, "
     "`in`, `user`, `account`, `latest`, `entered` or `left`\n"},
    {"list a =", "1:9+1 The values of a list stand in [ ]. | a list is written "
                 "`list a = [\"a\", \"b\"]`\n"},
    {"list a", "1:7+1 `=` is missing before the end of the file.\n"},
    {"segment a { nobody_would_ever_use_a_word_as_long_as_this_one_here }",
     "1:13+53 `nobody_would_ever_use_a_word_as_long_as_...` is no field of a "
     "segment. | here may stand `title`, `owner`, `tags`, `docs`, "
     "`shadow`, `when`, `until`, `include`, `exclude` or `on`\n"},
    {"segment a { title x }",
     "1:19+1 A title is a text in double quotes. | did you mean `\"x\"`?\n"},
    {"segment a { title = \"x\" }",
     "1:19+1 Between a field and its text stands nothing.\n"},
    {"segment a { title \"x\"\n title \"y\" }",
     "2:2+5 `title` stands already in line 1.\n"},
    {"segment a { when everyone when everyone }",
     "1:27+4 `when` stands already in line 1.\n"},
    {"segment a { did \"A\" }",
     "1:13+3 A condition stands after `when`. | did you mean `when did "
     "...`?\n"},
    {"segment a { when everyone\n and did \"A\"\n or }",
     "3:5+1 A condition is missing before `}`.\n"},
    {"segment a { tags \"x\" }", "1:18+3 `[` is missing before `\"x\"`.\n"},
    {"segment a { on entr trigger \"t\" }",
     "1:16+4 `enter` or `exit` is missing before `entr`. | did you mean "
     "`enter`?\n"},
    {"segment a { on enter \"t\" }",
     "1:22+3 `trigger` is missing before `\"t\"`.\n"},
    {"segment a { on enter trigger \"t\" per 30d }",
     "1:34+3 `once` is missing before `per`. | write, for example, `once per "
     "30d`\n"},
    {"segment a { on enter trigger \"t\" { x: 1 } }",
     "1:37+1 A property is written name = value.\n"},
    {"segment a { on enter trigger \"t\" { x = 1, x = 2 } }",
     "1:43+1 This property stands already before in these brackets.\n"},
    {"segment a { on enter trigger \"t\" { x = 1, x.y = 2 } }",
     "1:43+3 This property stands already before in these brackets.\n"},
    {"segment a { on enter trigger \"t\" { } }", "1:36+1 A name is missing "
                                                 "before `}`.\n"},
    {"list a [\"x\"]",
     "1:8+1 `=` is missing after the key of the list. | a list is written "
     "`list a = [\"a\", \"b\"]`\n"},
    {"list a = (\"x\")",
     "1:10+1 The values of a list stand in [ ]. | a list is written `list a = "
     "[\"a\", \"b\"]`\n"},
    {"list a = []", "1:11+1 A list has at least one value.\n"},
    {"list a = [\"x\",\n\nsegment s { when everyone }",
     "1:14+1 This list has no closing `]`.\n"},
    {"list a = [\"x\"\nsegment s { when everyone }",
     "1:11+3 This list has no closing `]`.\n"},
    {"list a = [1,\nlist b = [2]", "1:12+1 This list has no closing `]`.\n"},
    {"list a = [\"x\"", "1:14+1 `,` or `]` is missing after this value.\n"},
    {"test a { }", "1:8+1 The name of a test is a text in double quotes.\n"},
    {"test a \"x\" {\n  at 0d evnt \"A\"\n  at 1d expect inn\n  sett user.x = "
     "1\n"
     "  at 1d expect in\n}",
     "2:9+4 `event`, `page`, `screen`, `expect`, `identify` or `group` is "
     "missing before `evnt`. | did you mean `event`?\n"
     "3:16+3 `in`, `out`, `enter`, `exit` or `trait` is missing before `inn`. "
     "| did you "
     "mean `in`?\n"
     "4:3+4 `sett` is no line of a test. | did you mean "
     "`set`?\n"},
    {"test a \"x\" { at 0d expect in", "1:6+1 This test has no closing `}`.\n"},
    {"test a \"x\" { set plan = 1 }",
     "1:18+4 `plan` is no path such as user.plan. | here may "
     "stand `user` or `account`\n"},
    {"// a comment\nsegment a { when everyone }",
     "1:1+12 Comments begin with #.\n"},
    {"/* a comment */\nlist a = 3",
     "1:1+15 Comments begin with #.\n"
     "2:10+1 The values of a list stand in [ ]. | a list is written `list a = "
     "[\"a\", \"b\"]`\n"},
    {"segment a { title \"x\\q\" }",
     "1:21+2 This escape is unknown; a backslash is written \\\\.\n"},
    {"segment a { title \"\\u12\" }", "1:20+2 \\u needs four hex digits.\n"},
    {"segment a { title \"\\ud800\" }",
     "1:20+2 This escape is no character.\n"},
    {"segment a { title \"\\u0000\" }",
     "1:20+2 This escape is no character.\n"},
    {"segment a { title \"x\ty\" }",
     "1:21+1 A tab inside quotes is written \\t.\n"},
    {"segment a { title \"x\n\" }", "1:19+2 The closing quote is missing.\n"},
    {"list a = [\"x\"]\nlist b = [caf\xc3\xa9]",
     "2:11+5 This can stand only inside quotes. | did you mean "
     "`\"caf\xc3\xa9\"`?\n"},
    {"list a = [1]\n\xff\xfe", "2:1+1 This byte is not UTF-8; save the file as "
                               "UTF-8.\n"},
    {"list a = [\"\xc0\x80\"]", "1:12+1 This byte is not UTF-8; save the file "
                                "as UTF-8.\n"},
    {"list a = [1]\n  \x01", "2:3+1 A control character stands here.\n"},
    {"list a = [1]\rlist b = [2]",
     "1:13+1 A carriage return stands here alone; end lines with a line "
     "feed.\n"},
};

START_TEST(a_mistake_in_a_file_is_answered)
{
    ck_assert_int_eq(parse(wrong_files[_i].text), SEG_ERR_SYNTAX);
    said(&got, diagnostics);
    ck_assert_msg(!strcmp(buf_string(&got), wrong_files[_i].want),
                  "%s:\ngot  %s\nwant %s", wrong_files[_i].text,
                  buf_string(&got), wrong_files[_i].want);
}
END_TEST

SUITE("parse_cursor", setup, teardown,
      TABLE(a_mistake_in_a_condition_is_answered, mistakes),
      TABLE(a_mistake_in_a_file_is_answered, wrong_files))
