/* check_parse.c: which tree a text is. What is said when it is none stands in
 * check_parse_cursor.c. */
#include "lib/segment/parse.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/support/rule_dump.h"
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

static int parse_bytes(const char *bytes, size_t len)
{
    struct seg_source source = {"x.seg", bytes, len};
    return parse_source(&rules, &source, diagnostics);
}

static int parse(const char *string)
{
    return parse_bytes(string, strlen(string));
}

/* ---- readings -------------------------------------------------------- */

/* Wherever a text looks as if it could be read in two ways, the reading. */
static const struct {
    const char *cond, *want;
} readings[] = {
    /* and, or, not, brackets */
    {"everyone and everyone or everyone and everyone",
     "(or (and (everyone) (everyone)) (and (everyone) (everyone)))"},
    {"everyone or everyone and everyone",
     "(or (everyone) (and (everyone) (everyone)))"},
    {"(everyone or everyone) and everyone",
     "(and (or (everyone) (everyone)) (everyone))"},
    {"not everyone and everyone", "(and (not (everyone)) (everyone))"},
    {"not (everyone and everyone)", "(not (and (everyone) (everyone)))"},
    {"not not everyone", "(not (not (everyone)))"},
    {"everyone and everyone and everyone",
     "(and (everyone) (everyone) (everyone))"},
    {"(everyone and everyone) and everyone",
     "(and (and (everyone) (everyone)) (everyone))"},
    {"((everyone))", "(everyone)"},
    /* not before did, after did, before and after a path */
    {"not did \"A\"", "(not (did \"A\"))"},
    {"did not \"A\"", "(did not \"A\")"},
    {"not did not \"A\"", "(not (did not \"A\"))"},
    {"not user.p in (1)", "(not (u:[p] (IN 1~1)))"},
    {"user.p not in (1)", "(u:[p] (NOT_IN 1~1))"},
    {"not user.p is not set", "(not (u:[p] (IS_NOT_SET)))"},
    {"user.not = 1", "(u:[not] (EQ 1~1))"},
    /* or between conditions, between names */
    {"did \"A\" or did \"B\"", "(or (did \"A\") (did \"B\"))"},
    {"did (\"A\" or \"B\")", "(did \"A\"|\"B\")"},
    {"did (\"A\" or \"B\") or did \"C\"", "(or (did \"A\"|\"B\") (did \"C\"))"},
    {"(did \"A\")", "(did \"A\")"},
    {"did (\"A\")", "(did \"A\")"},
    /* where ends after one test, or with its bracket */
    {"did \"A\" where x = 1 and did \"B\"",
     "(and (did \"A\" where (p:[x] (EQ 1~1))) (did \"B\"))"},
    {"did \"A\" where (x = 1 and y = 2) and did \"B\"",
     "(and (did \"A\" where (and (p:[x] (EQ 1~1)) (p:[y] (EQ 2~2)))) "
     "(did \"B\"))"},
    {"did \"A\" where (x = 1 or y = 2 and z = 3)",
     "(did \"A\" where (or (p:[x] (EQ 1~1)) (and (p:[y] (EQ 2~2)) "
     "(p:[z] (EQ 3~3)))))"},
    {"did \"A\" where (not x = 1)", "(did \"A\" where (not (p:[x] (EQ 1~1))))"},
    {"did \"A\" where ((not (x = 1)))",
     "(did \"A\" where (not (p:[x] (EQ 1~1))))"},
    {"did (\"A\" or \"B\") where x is set or everyone",
     "(or (did \"A\"|\"B\" where (p:[x] (IS_SET))) (everyone))"},
    /* in: a test in brackets or with @, else a window */
    {"did \"A\" where x in (1, 2) in 7d",
     "(did \"A\" where (p:[x] (IN 1~1, 2~2)) in 604800000)"},
    {"did \"A\" where x = 1 in 7d",
     "(did \"A\" where (p:[x] (EQ 1~1)) in 604800000)"},
    {"did \"A\" where in in (1)", "(did \"A\" where (p:[in] (IN 1~1)))"},
    {"count(\"A\") in 7d in (1, 2)",
     "(COUNT \"A\" in 604800000 (IN 1~1, 2~2))"},
    {"count(\"A\") in (1, 2)", "(COUNT \"A\" (IN 1~1, 2~2))"},
    {"count(\"A\") in 7d not in (1)",
     "(COUNT \"A\" in 604800000 (NOT_IN 1~1))"},
    {"first(\"A\", p) in (\"x\", \"y\")",
     "(FIRST \"A\" p:[p] (IN \"x\", \"y\"))"},
    {"first(\"A\", p) in @l", "(FIRST \"A\" p:[p] (IN @l))"},
    {"first(\"A\", p) in 7d in @l", "(FIRST \"A\" p:[p] in 604800000 (IN @l))"},
    {"in segment a and user.b in (1)", "(and (in segment a) (u:[b] (IN 1~1)))"},
    {"user.p in @l", "(u:[p] (IN @l))"},
    /* between: of values, of times */
    {"did \"A\" between 1 and 2 times and everyone",
     "(and (did \"A\" 1..2) (everyone))"},
    {"did \"A\" where x between 1 and 2 between 3 and 5 times",
     "(did \"A\" where (p:[x] (BETWEEN 1~1, 2~2)) 3..5)"},
    {"user.x between 1 and 2 and everyone",
     "(and (u:[x] (BETWEEN 1~1, 2~2)) (everyone))"},
    {"count(\"A\") between 1 and 2", "(COUNT \"A\" (BETWEEN 1~1, 2~2))"},
    {"user.d between 2026-01-01 and 2026-02-01",
     "(u:[d] (BETWEEN date 1767225600000~2026-01-01, "
     "date 1769904000000~2026-02-01))"},
    {"first(\"A\", p) in 7d between 2026-01-01 and 2026-02-01",
     "(FIRST \"A\" p:[p] in 604800000 (BETWEEN date "
     "1767225600000~2026-01-01, date 1769904000000~2026-02-01))"},
    {"first(\"A\", p) in 7d before 2026-01-01",
     "(FIRST \"A\" p:[p] in 604800000 (BEFORE date "
     "1767225600000~2026-01-01))"},
    {"user.d before 2026-01-01",
     "(u:[d] (BEFORE date 1767225600000~2026-01-01))"},
    {"did any where d before 2026-01-01 in 7d",
     "(did any where (p:[d] (BEFORE date 1767225600000~2026-01-01)) in "
     "604800000)"},
    /* within and more than are tests, in and from are windows */
    {"did \"A\" where t within 3d in 7d",
     "(did \"A\" where (p:[t] (WITHIN 259200000)) in 604800000)"},
    {"user.t within next 3d", "(u:[t] (WITHIN_NEXT 259200000))"},
    {"did \"A\" where t more than 3d ago from 7d to 1d ago",
     "(did \"A\" where (p:[t] (MORE_THAN 259200000)) from 604800000 to "
     "86400000)"},
    {"user.t more than 0d ago", "(u:[t] (MORE_THAN))"},
    /* names that are words of the language */
    {"did any where any = 1", "(did any where (p:[any] (EQ 1~1)))"},
    {"did \"any\"", "(did \"any\")"},
    {"last(\"A\", last) is set", "(LAST \"A\" p:[last] (IS_SET))"},
    {"last(\"A\" or \"B\" where x = 1, first) is set",
     "(LAST \"A\"|\"B\" where (p:[x] (EQ 1~1)) p:[first] (IS_SET))"},
    {"last((\"A\" or \"B\"), score) <= 6",
     "(LAST \"A\"|\"B\" p:[score] (LE 6~6))"},
    {"user.is is set", "(u:[is] (IS_SET))"},
    {"user.has has \"has\"", "(u:[has] (HAS \"has\"))"},
    {"user.has has any (\"any\")", "(u:[has] (HAS_ANY \"any\"))"},
    {"user.version version >= \"1.0.0\"",
     "(u:[version] (VERSION_GE \"1.0.0\"))"},
    {"user.a.\"b c\".d = true", "(u:[a].[b c].[d] (EQ bool true))"},
    {"did any where properties.a.b = 1",
     "(did any where (p:[a].[b] (EQ 1~1)))"},
    {"did any where a.b = 1", "(did any where (p:[a].[b] (EQ 1~1)))"},
    {"did any where context.app.version = \"1\"",
     "(did any where (c:[app].[version] (EQ \"1\")))"},
    {"did any where event.name = \"x\" ignoring case",
     "(did any where (e:[name] (EQ \"x\" folded)))"},
    {"did any where properties.event.name = \"x\"",
     "(did any where (p:[event].[name] (EQ \"x\")))"},
    /* numbers and durations */
    {"user.n = -5", "(u:[n] (EQ -5~-5))"},
    {"user.n = -5.0e0", "(u:[n] (EQ double -5.0~-5.0e0))"},
    {"did \"A\" exactly 1 times in 168h", "(did \"A\" =1 in 604800000)"},
    {"did \"A\" exactly 1 time in 1w", "(did \"A\" =1 in 604800000)"},
    {"did \"A\" in 1d12h", "(did \"A\" in 129600000)"},
    {"days_since(first \"A\") > 1.5",
     "(DAYS_SINCE_FIRST \"A\" (GT double 1.5~1.5))"},
    {"days_since(last \"A\" or \"B\") > 1",
     "(DAYS_SINCE_LAST \"A\"|\"B\" (GT 1~1))"},
    /* did, its window, then a step */
    {"did \"A\" in 7d then \"B\"",
     "(sequence did \"A\" in 604800000, then \"B\" after 0 within 0)"},
    {"did \"A\" where x = 1 in 7d then \"B\" where y within 1d within 2d",
     "(sequence did \"A\" where (p:[x] (EQ 1~1)) in 604800000, then \"B\" "
     "where (p:[y] (WITHIN 86400000)) after 0 within 172800000)"},
    {"did \"A\" then \"B\" where y is set after 1h within 2h and everyone",
     "(and (sequence did \"A\", then \"B\" where (p:[y] (IS_SET)) after "
     "3600000 within 7200000) (everyone))"},
    {"did \"A\" then \"B\" where y after 2026-01-01 after 1h",
     "(sequence did \"A\", then \"B\" where (p:[y] (AFTER date "
     "1767225600000~2026-01-01)) after 3600000 within 0)"},
    {"not did \"A\" then directly \"B\"",
     "(not (sequence did \"A\", then directly \"B\" after 0 within 0))"},
    {"did \"A\" then (\"B\" or \"C\") or did \"D\"",
     "(or (sequence did \"A\", then \"B\"|\"C\" after 0 within 0) (did "
     "\"D\"))"},
    {"did \"A\" then \"directly\" then directly \"then\"",
     "(sequence did \"A\", then \"directly\" after 0 within 0, then directly "
     "\"then\" after 0 within 0)"},
    {"did \"A\" in 7d without \"B\" within 1h without \"C\" within 2h",
     "(sequence did \"A\" in 604800000, without \"B\" after 0 within 3600000, "
     "without \"C\" after 0 within 7200000)"},
    {"did \"A\" then \"B\" within 1d all within 2d with no any where x = 1 "
     "between for the same p.q and everyone",
     "(and (sequence did \"A\", then \"B\" after 0 within 86400000, all within "
     "172800000, none of any where (p:[x] (EQ 1~1)), same p:[p].[q]) "
     "(everyone))"},
    {"did \"A\" then \"B\" with no \"C\" where x between 1 and 2 between",
     "(sequence did \"A\", then \"B\" after 0 within 0, none of \"C\" where "
     "(p:[x] (BETWEEN 1~1, 2~2)))"},
    {"did \"A\" then \"B\" for the same the",
     "(sequence did \"A\", then \"B\" after 0 within 0, same p:[the])"},
    {"did \"A\" since 2026-01-01 then \"B\"",
     "(sequence did \"A\" dates 1767225600000..9223372036854775807 "
     "0~2026-01-01, then \"B\" after 0 within 0)"},
    /* dates: a window behind did, latest and a measure, else a test */
    {"did \"A\" since 2026-01-01",
     "(did \"A\" dates 1767225600000..9223372036854775807 0~2026-01-01)"},
    {"did \"A\" before 2026-01-01",
     "(did \"A\" dates -9223372036854775808..1767225599999 1~2026-01-01)"},
    {"did \"A\" between 2026-01-01 and 2026-01-01T00:00:00.001 and everyone",
     "(and (did \"A\" dates 1767225600000..1767225600001 0~2026-01-01 "
     "1~2026-01-01T00:00:00.001) (everyone))"},
    {"did \"A\" between 1 and 2 times between 2026-01-01 and 2026-02-01",
     "(did \"A\" 1..2 dates 1767225600000..1769904000000 0~2026-01-01 "
     "1~2026-02-01)"},
    {"did \"A\" where x before 2026-01-01 before 2026-02-01",
     "(did \"A\" where (p:[x] (BEFORE date 1767225600000~2026-01-01)) dates "
     "-9223372036854775808..1769903999999 1~2026-02-01)"},
    {"did not \"A\" since 2026-01-01",
     "(did not \"A\" dates 1767225600000..9223372036854775807 0~2026-01-01)"},
    {"last(\"A\", p) before 2026-01-01 before 2026-02-01",
     "(LAST \"A\" p:[p] dates -9223372036854775808..1767225599999 1~2026-01-01 "
     "(BEFORE date 1769904000000~2026-02-01))"},
    {"last(\"A\", p) between 2026-01-01 and 2026-02-01 between 1 and 2",
     "(LAST \"A\" p:[p] dates 1767225600000..1769904000000 0~2026-01-01 "
     "1~2026-02-01 (BETWEEN 1~1, 2~2))"},
    {"last(\"A\", p) after 2026-01-01",
     "(LAST \"A\" p:[p] (AFTER date 1767225600000~2026-01-01))"},
    {"last(\"A\", p) within 3d", "(LAST \"A\" p:[p] (WITHIN 259200000))"},
    {"latest(\"A\" or \"B\" where x = 1) was \"A\" since 2026-01-01",
     "(latest \"A\"|\"B\" where (p:[x] (EQ 1~1)) dates "
     "1767225600000..9223372036854775807 0~2026-01-01 \"A\")"},
    {"latest(any) was \"A\" in 7d or everyone",
     "(or (latest any in 604800000 \"A\") (everyone))"},
    /* per week: no window, but another condition may follow */
    {"did \"A\" at least 3 times per week for 4 weeks and everyone",
     "(and (did \"A\" >=3 per 604800000 for 4) (everyone))"},
    {"did \"A\" between 1 and 2 times per day for 1 days",
     "(did \"A\" 1..2 per 86400000 for 1)"},
    /* measures: with values, with measures */
    {"count(\"A\") in 7d < 70% of count(\"A\") from 14d to 7d ago",
     "(compare COUNT \"A\" in 604800000 (LT)7000~70% COUNT \"A\" from "
     "1209600000 to 604800000 )"},
    {"count(\"A\") >= count(\"B\") in 7d and everyone",
     "(and (compare COUNT \"A\" (GE)COUNT \"B\" in 604800000 ) (everyone))"},
    {"count(\"A\") >= 3", "(COUNT \"A\" (GE 3~3))"},
    {"trait.count > score(count)", "(compare TRAIT count (GT)SCORE count )"},
    {"trait.x in (1, 2)", "(TRAIT x (IN 1~1, 2~2))"},
    {"trait.x not in @l", "(TRAIT x (NOT_IN @l))"},
    {"score(x) between 1 and 2 and everyone",
     "(and (SCORE x (BETWEEN 1~1, 2~2)) (everyone))"},
    {"sum(\"A\" or \"B\", p.q) since 2026-01-01 >= 1.5",
     "(SUM \"A\"|\"B\" p:[p].[q] dates 1767225600000..9223372036854775807 "
     "0~2026-01-01 (GE double 1.5~1.5))"},
    {"distinct(any, event.name) in 7d > 5",
     "(DISTINCT any e:[name] in 604800000 (GT 5~5))"},
    {"days(\"A\") in 28d >= 10", "(DAYS \"A\" in 2419200000 (GE 10~10))"},
    /* has one: one test or brackets, names of the element */
    {"did \"A\" where p has one where x = 1 in 7d",
     "(did \"A\" where (p:[p] (HAS_ONE (m:[x] (EQ 1~1)))) in 604800000)"},
    {"did \"A\" where (p has one where x = 1 and y = 2)",
     "(did \"A\" where (and (p:[p] (HAS_ONE (m:[x] (EQ 1~1)))) (p:[y] (EQ "
     "2~2))))"},
    {"did \"A\" where p has one where (x = 1 and y = 2)",
     "(did \"A\" where (p:[p] (HAS_ONE (and (m:[x] (EQ 1~1)) (m:[y] (EQ "
     "2~2))))))"},
    {"user.p has one where q has one where \"user\".r = 1",
     "(u:[p] (HAS_ONE (m:[q] (HAS_ONE (m:[user].[r] (EQ 1~1))))))"},
    {"user.p has \"one\"", "(u:[p] (HAS \"one\"))"},
    {"user.p matches regex \"a\" ignoring case",
     "(u:[p] (MATCHES_REGEX \"a\" folded))"},
    {"user.p matches \"regex\"", "(u:[p] (MATCHES \"regex\"))"},
    /* segments and shares: in, entered, user in */
    {"entered segment a in 7d and left segment b in 1h",
     "(and (entered a 604800000) (left b 3600000))"},
    {"user in 12.5% by \"x\" and user.in in (1)",
     "(and (share 1250~12.5%  \"x\") (u:[in] (IN 1~1)))"},
    /* lines and comments mean nothing */
    {"did\n\"A\" # c\nin\n7d", "(did \"A\" in 604800000)"},
};

START_TEST(a_text_has_one_reading)
{
    buf_printf(&text, "segment s { when %s }", readings[_i].cond);
    int ret = parse(buf_string(&text));
    said(&got, diagnostics);
    ck_assert_msg(ret == 0, "%s: %s", readings[_i].cond, buf_string(&got));
    buf_reset(&got);
    dump_cond(&got, rules.segments[0].when);
    ck_assert_msg(!strcmp(buf_string(&got), readings[_i].want),
                  "%s: got %s want %s", readings[_i].cond, buf_string(&got),
                  readings[_i].want);
}
END_TEST

/* Every row of both tables is reachable by its words. */
START_TEST(every_test_of_the_table_parses)
{
    static const char *const operands[] = {[OPERAND_VALUE] = "\"x\"",
                                           [OPERAND_ORDERED] = "3",
                                           [OPERAND_RANGE] = "1 and 2",
                                           [OPERAND_VALUES] = "(\"x\")",
                                           [OPERAND_STRING] = "\"1.0.0\"",
                                           [OPERAND_DURATION] = "3d",
                                           [OPERAND_DATE] = "2026-01-31",
                                           [OPERAND_WHERE] = "where a = 1",
                                           [OPERAND_NONE] = ""};
    const struct rule_op_info *info = rule_op_info((enum rule_op)_i);
    buf_printf(&text, "segment s { when user.x %s %s%s%s }", info->words,
               operands[info->operand], _i == OP_MORE_THAN ? " ago" : "",
               info->fold ? " ignoring case" : "");
    int ret = parse(buf_string(&text));
    said(&got, diagnostics);
    ck_assert_msg(ret == 0, "%s: %s", buf_string(&text), buf_string(&got));
    ck_assert_int_eq(rules.segments[0].when->test.op, _i);
    ck_assert_int_eq(rules.segments[0].when->test.ignoring_case, info->fold);
}
END_TEST

START_TEST(every_measure_of_the_table_parses)
{
    const struct rule_measure_info *info =
        rule_measure_info((enum rule_measure_kind)_i);
    static const char *const operands[] = {[MEASURED_EVENT] = "\"A\")",
                                           [MEASURED_EVENT_PATH] = "\"A\", p)",
                                           [MEASURED_KEY] = "k)"};
    const char *bracket = _i == MEASURE_TRAIT       ? "."
                          : strchr(info->word, '(') ? " "
                                                    : "(";
    buf_printf(&text, "segment s { when %s%s%s%s > 3 }", info->word, bracket,
               _i == MEASURE_TRAIT ? "k" : operands[info->operand],
               info->window ? " in 7d" : "");
    int ret = parse(buf_string(&text));
    said(&got, diagnostics);
    ck_assert_msg(ret == 0, "%s: %s", buf_string(&text), buf_string(&got));
    ck_assert_int_eq(rules.segments[0].when->measure.kind, _i);
}
END_TEST

START_TEST(definitions_are_read_whole)
{
    static const char file[] =
        "\xef\xbb\xbf"
        "list l = [\"a\", 2, true]\r\n"
        "segment s {\n"
        "\ttitle \"T\" owner \"o\" tags [\"x\", \"y\"] docs \"d\\u00e9\"\n"
        "  when everyone include (\"u1\") exclude @l\n"
        "  on enter trigger \"t\" { a.b = 1, \"c d\" = [\"x\", 2026-01-31] } "
        "once per 30d\n"
        "  on exit trigger \"t\" once\n"
        "}\n"
        "test s \"n\" { set user.a = 2026-01-31 at 0d group \"g\" { b = 1 }\n"
        "at 1d identify { c = false } at 1w event \"E\" at 1w expect exit }\n";
    int ret = parse(file);
    said(&got, diagnostics);
    ck_assert_msg(ret == 0, "%s", buf_string(&got));
    buf_reset(&got);
    dump_rules(&got, &rules);
    ck_assert_str_eq(buf_string(&got),
                     "list l = \"a\", 2~2, bool true\n"
                     "segment s title=T owner=o docs=d\xc3\xa9 tags=[x].[y]\n"
                     "  when (everyone)\n"
                     "  include \"u1\"\n"
                     "  exclude @l\n"
                     "  enter t once=1 per=2592000000 {[a].[b]=1~1, "
                     "[c d]=list [\"x\",\"2026-01-31\"]}\n"
                     "  exit t once=1 per=0\n"
                     "test s n\n"
                     "  0 set u:[a]=\"2026-01-31\"~2026-01-31-\n"
                     "  0 group g {[b]=1~1}\n"
                     "  86400000 identify - {[c]=bool false}\n"
                     "  604800000 event E\n"
                     "  604800000 expect exit-\n");
}
END_TEST

/* ---- limits ---------------------------------------------------------- */

/* A condition of BEFORE, then COUNT times EACH, AFTER, COUNT times CLOSE. */
struct limit {
    const char *name;
    int max;
    const char *before, *each, *after, *close, *message;
};

static const struct limit limits[] = {
    {"brackets", RULE_DEPTH_MAX, "segment s { when ", "(", "everyone", ")",
     "Brackets and `not` are nested more than 200 deep."},
    {"nots", RULE_DEPTH_MAX, "segment s { when ", "not ", "everyone", "",
     "Brackets and `not` are nested more than 200 deep."},
    {"brackets of where", RULE_DEPTH_MAX, "segment s { when did any where ",
     "(", "x = 1", ")", "Brackets and `not` are nested more than 200 deep."},
    {"names of an event", RULE_NAMES_MAX, "segment s { when did (", "\"A\" or ",
     "\"A\")", "", "An event has at most 1000 names."},
    {"names of a path", RULE_PATH_NAMES_MAX, "segment s { when user.", "a.",
     "a = 1", "", "A path has at most 32 names."},
    {"values", RULE_VALUES_MAX, "segment s { when user.x in (", "1,", "1)", "",
     "A list has at most 100000 values."},
    {"bytes of a key", RULE_KEY_BYTES_MAX, "segment s { when in segment ", "a",
     "a", "", "A key has at most 128 bytes, not 129."},
    {"bytes of a name", SEG_NAME_BYTES_MAX, "segment s { when did \"", "a",
     "a\"", "", "The name of an event has at most 512 bytes, not 513."},
    {"bytes of a property", SEG_NAME_BYTES_MAX, "segment s { when user.", "a",
     "a = 1", "", "A name has at most 512 bytes, not 513."},
    {"bytes of a title", SEG_STRING_BYTES_MAX, "segment s { title \"", "a",
     "a\"", "", "A string has at most 65536 bytes."},
    {"steps", RULE_STEPS_MAX, "segment s { when did \"A\" ", "then \"B\" ",
     "then \"C\"", "", "A sequence has at most 16 steps."},
    {"has one", RULE_DEPTH_MAX, "segment s { when user.x ", "has one where x ",
     "= 1", "", "Brackets and `not` are nested more than 200 deep."},
    {"objects in lists", RULE_NESTED_MAX / 2 - 1,
     "test s \"t\" { set user.a = ", "[{ a = ", "1", " }]",
     "Names and lists are nested more than 48 deep."},
    {"lines of a score", RULE_WEIGHTS_MAX, "score s half-life 7d { ",
     "\"A\" 1,", "\"A\" 1", "", "A score has at most 1000 lines."},
    {"tags", RULE_NAMES_MAX, "segment s { tags [", "\"a\",", "\"a\"]", "",
     "Here stand at most 1000 texts."},
};

START_TEST(a_limit_is_the_last_that_is_good)
{
    const struct limit *limit = &limits[_i];
    /* `after` is one more itself, except inside brackets. */
    int base = *limit->close || strstr(limit->each, "not") ||
                       strstr(limit->each, "has one")
                   ? 0
                   : 1;
    for (int over = -1; over <= 1; over++) {
        int count = limit->max + over - base;
        teardown();
        setup();
        buf_str(&text, limit->before);
        for (int i = 0; i < count; i++)
            buf_str(&text, limit->each);
        buf_str(&text, limit->after);
        for (int i = 0; i < count; i++)
            buf_str(&text, limit->close);
        buf_str(&text, " }");
        int ret = parse(buf_string(&text));
        ck_assert_msg(ret == (over > 0 ? SEG_ERR_SYNTAX : 0), "%s %+d: %d",
                      limit->name, over, ret);
        if (over > 0)
            ck_assert_str_eq(seg_diagnostics_at(diagnostics, 0)->message,
                             limit->message);
    }
}
END_TEST

static const struct {
    const char *before;
    long long max;
    const char *after, *message;
} numbers[] = {
    {"segment s { when did \"A\" at least ", RULE_TIMES_MAX, " times }",
     "A number of times is from 0 to 1000000000."},
    {"segment s { when did \"A\" at least 1 times per week for ",
     RULE_PERIODS_MAX, " weeks }", "A number of weeks is from 1 to 5300."},
    {"score s half-life 7d { \"A\" ", RULE_WEIGHT_MAX, " }",
     "A weight is from -1000000000 to 1000000000."},
    {"segment s { when user in ", 100, "% by \"x\" }",
     "A percentage here is at most 100%."},
    {"segment s { when count(any) > ", RULE_PERCENT_MAX / 100,
     "% of count(any) }", "A percentage here is at most 100000%."},
};

START_TEST(a_number_has_a_limit)
{
    for (int over = -1; over <= 1; over++) {
        teardown();
        setup();
        buf_printf(&text, "%s%lld%s", numbers[_i].before,
                   numbers[_i].max + over, numbers[_i].after);
        ck_assert_int_eq(parse(buf_string(&text)),
                         over > 0 ? SEG_ERR_SYNTAX : 0);
        if (over > 0)
            ck_assert_str_eq(seg_diagnostics_at(diagnostics, 0)->message,
                             numbers[_i].message);
    }
}
END_TEST

START_TEST(a_trigger_has_a_limit_of_properties)
{
    for (int over = -1; over <= 1; over++) {
        teardown();
        setup();
        buf_str(&text, "segment s { on enter trigger \"t\" { ");
        for (int i = 0; i < RULE_PROPERTIES_MAX + over; i++)
            buf_printf(&text, "%sp%d = 1", i ? ", " : "", i);
        buf_str(&text, " } }");
        ck_assert_int_eq(parse(buf_string(&text)),
                         over > 0 ? SEG_ERR_SYNTAX : 0);
    }
}
END_TEST

START_TEST(a_file_has_a_limit_of_bytes)
{
    for (int over = -1; over <= 1; over++) {
        teardown();
        setup();
        char *bytes = buf_reserve(&text, SEG_FILE_BYTES_MAX + 1);
        ck_assert_ptr_nonnull(bytes);
        memset(bytes, ' ', SEG_FILE_BYTES_MAX + 1);
        int ret = parse_bytes(bytes, (size_t)(SEG_FILE_BYTES_MAX + over));
        ck_assert_int_eq(ret, over > 0 ? SEG_ERR_LIMIT : 0);
        ck_assert_int_eq(seg_diagnostics_count(diagnostics), over > 0);
    }
}
END_TEST

START_TEST(a_text_of_nothing_is_a_file)
{
    ck_assert_int_eq(parse_bytes(NULL, 0), 0);
    ck_assert_int_eq(rules.file_count, 1);
}
END_TEST

SUITE("parse", setup, teardown, TABLE(a_text_has_one_reading, readings),
      {&(every_test_of_the_table_parses), OP_COUNT_, 0},
      {&(every_measure_of_the_table_parses), MEASURE_COUNT_, 0},
      TEST(definitions_are_read_whole),
      TABLE(a_limit_is_the_last_that_is_good, limits),
      TABLE(a_number_has_a_limit, numbers),
      TEST(a_trigger_has_a_limit_of_properties),
      TEST(a_file_has_a_limit_of_bytes), TEST(a_text_of_nothing_is_a_file))
