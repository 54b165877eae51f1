/* check_format.c: the one spelling of segment files. */
#include "lib/segment/format.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/lex.h"
#include "lib/base/text.h"
#include "lib/segment/check.h"
#include "lib/segment/parse.h"
#include "tests/support/random_rule.h"
#include "tests/support/rule_dump.h"
#include "tests/support/suite.h"

#define SEEDS 2000

static struct seg_diagnostics *diagnostics;
static struct rules rules;
static struct buf out;

static void setup(void)
{
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    rules_init(&rules);
    buf_init(&out);
}

static void teardown(void)
{
    seg_diagnostics_free(diagnostics);
    rules_done(&rules);
    buf_done(&out);
}

static const char *first_message(void)
{
    return seg_diagnostics_count(diagnostics)
               ? seg_diagnostics_at(diagnostics, 0)->message
               : "nothing said";
}

static int parse(struct rules *into, const char *text)
{
    struct seg_source source = {"x.seg", text, strlen(text)};
    return parse_source(into, &source, diagnostics);
}

/* The text of FORMAT_RULES of TEXT, in OUT. */
static const char *formatted(const char *text)
{
    struct rules file;
    rules_init(&file);
    int ret = parse(&file, text);
    ck_assert_msg(ret == 0, "%s in\n%.1000s", first_message(), text);
    buf_reset(&out);
    format_rules(&out, &file, 0);
    rules_done(&file);
    return buf_string(&out);
}

/* GOT from a little before its first difference to WANT. */
static const char *differing(const char *got, const char *want)
{
    size_t at = 0;
    while (got[at] && got[at] == want[at])
        at++;
    return got + (at > 100 ? at - 100 : 0);
}

/* ---- random trees ---------------------------------------------------- */

START_TEST(parsing_what_was_formatted_gives_the_tree_again)
{
    struct rules again;
    struct buf got, want;
    for (uint64_t seed = (uint64_t)_i * SEEDS + 1;
         seed <= (uint64_t)(_i + 1) * SEEDS; seed++) {
        rules_done(&rules);
        rules_init(&again);
        buf_init(&got);
        buf_init(&want);
        random_rules(&rules, seed);
        buf_reset(&out);
        format_rules(&out, &rules, 0);
        int ret = parse(&again, buf_string(&out));
        ck_assert_msg(ret == 0, "seed %llu: %s", (unsigned long long)seed,
                      first_message());
        dump_rules(&want, &rules);
        dump_rules(&got, &again);
        ck_assert_msg(!strcmp(buf_string(&got), buf_string(&want)),
                      "seed %llu: got\n%.300s\nwant\n%.300s",
                      (unsigned long long)seed,
                      differing(buf_string(&got), buf_string(&want)),
                      differing(buf_string(&want), buf_string(&got)));
        buf_reset(&got);
        format_rules(&got, &again, 0);
        ck_assert_msg(!strcmp(buf_string(&got), buf_string(&out)),
                      "seed %llu: again\n%.300s\nfirst\n%.300s",
                      (unsigned long long)seed,
                      differing(buf_string(&got), buf_string(&out)),
                      differing(buf_string(&out), buf_string(&got)));
        rules_done(&again);
        buf_done(&got);
        buf_done(&want);
    }
}
END_TEST

static uint64_t random_state;

static unsigned below(unsigned n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % n;
}

/* The tokens of TEXT with line ends and comments strewn between them. Returns
 * the number of comments. */
static int strew(struct buf *into, const char *text)
{
    struct arena arena;
    struct lexer lexer;
    struct token token;
    int comments = 0;
    arena_init(&arena);
    lex_init(&lexer, text_of(text), &arena);
    for (token = lex_next(&lexer); token.kind != TOKEN_END;
         token = lex_next(&lexer)) {
        buf_text(into, token.source);
        switch (below(12)) {
        case 0:
            buf_printf(into, "   # trailing %d\n", comments++);
            break;
        case 1:
            buf_printf(into, "\n\n  # own %d  \n", comments++);
            break;
        case 2:
            buf_str(into, "\r\n");
            break;
        default:
            buf_char(into, ' ');
        }
    }
    arena_done(&arena);
    return comments;
}

static int count_comments(const char *text)
{
    struct rules file;
    rules_init(&file);
    int ret = parse(&file, text);
    ck_assert_msg(ret == 0, "%s in\n%.1000s", first_message(), text);
    int count = file.comment_count;
    rules_done(&file);
    return count;
}

/* All of TEXT but its comments. */
static void dump_text(struct buf *into, const char *text)
{
    struct rules file;
    rules_init(&file);
    int ret = parse(&file, text);
    ck_assert_msg(ret == 0, "%s in\n%.1000s", first_message(), text);
    file.comment_count = 0;
    dump_rules(into, &file);
    rules_done(&file);
}

START_TEST(comments_anywhere_are_kept_and_the_second_time_nothing_changes)
{
    struct buf text, once, got, want;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        buf_init(&text);
        buf_init(&once);
        buf_init(&got);
        buf_init(&want);
        rules_done(&rules);
        random_rules(&rules, seed);
        random_state = seed;
        format_rules(&once, &rules, 0);
        dump_text(&want, buf_string(&once));
        int comments = strew(&text, buf_string(&once));
        buf_reset(&once);
        buf_str(&once, formatted(buf_string(&text)));
        dump_text(&got, buf_string(&once));
        ck_assert_msg(!strcmp(buf_string(&got), buf_string(&want)),
                      "seed %llu: got\n%.300s\nwant\n%.300s",
                      (unsigned long long)seed,
                      differing(buf_string(&got), buf_string(&want)),
                      differing(buf_string(&want), buf_string(&got)));
        ck_assert_msg(count_comments(buf_string(&once)) == comments,
                      "seed %llu: %d comments became %d",
                      (unsigned long long)seed, comments,
                      count_comments(buf_string(&once)));
        ck_assert_msg(!strcmp(formatted(buf_string(&once)), buf_string(&once)),
                      "seed %llu: once\n%.300s\ntwice\n%.300s",
                      (unsigned long long)seed,
                      differing(buf_string(&once), buf_string(&out)),
                      differing(buf_string(&out), buf_string(&once)));
        buf_done(&text);
        buf_done(&once);
        buf_done(&got);
        buf_done(&want);
    }
}
END_TEST

/* ---- files ----------------------------------------------------------- */

static const struct {
    const char *name, *text, *want;
} files[] = {
    {"nothing", " \n\n", ""},
    {"only a comment", "\n  # alone  \n", "# alone\n"},
    {"fields come in one order",
     "segment a{when everyone docs \"d\" tags[\"x\",\"y\"] owner \"o\" "
     "title \"t\"}",
     "segment a {\n"
     "  title \"t\"\n"
     "  owner \"o\"\n"
     "  tags [\"x\", \"y\"]\n"
     "  docs \"d\"\n"
     "  when everyone\n"
     "}\n"},
    {"an empty line between definitions, lists keep together",
     "list a=[1]\nlist b=[2]\n\n\nlist c=[3]\nsegment d{}segment e{}",
     "list a = [1]\nlist b = [2]\n\nlist c = [3]\n\nsegment d {\n}\n\n"
     "segment e {\n}\n"},
    {"comments stay with what follows or with their line",
     "# file\n\n# about a\nsegment a { # open\n# about when\nwhen everyone # "
     "w\n"
     "# last\n} # close\n# end",
     "# file\n\n# about a\nsegment a {  # open\n  # about when\n"
     "  when everyone  # w\n  # last\n}  # close\n\n# end\n"},
    {"comments move with their field",
     "segment a {\n  # about when\n  when everyone # w\n  # about title\n"
     "  title \"t\" # t\n}\n",
     "segment a {\n  # about title\n  title \"t\"  # t\n  # about when\n"
     "  when everyone  # w\n}\n"},
    {"a long condition is broken at its outermost joint",
     "segment a { when did \"Checkout Started\" at least 10 times in 30d and "
     "(user.plan = \"free\" or user.plan = \"trial\") and not did any in 7d }",
     "segment a {\n"
     "  when did \"Checkout Started\" at least 10 times in 30d\n"
     "    and (user.plan = \"free\" or user.plan = \"trial\")\n"
     "    and not did any in 7d\n"
     "}\n"},
    {"and then inside",
     "segment a { when did \"Checkout Started\" at least 10 times in 30d and "
     "(user.plan = \"free\" or user.plan = \"trial\" or account.industry in "
     "(\"healthcare\", \"education\")) }",
     "segment a {\n"
     "  when did \"Checkout Started\" at least 10 times in 30d\n"
     "    and (user.plan = \"free\"\n"
     "      or user.plan = \"trial\"\n"
     "      or account.industry in (\"healthcare\", \"education\"))\n"
     "}\n"},
    {"a comment inside a condition breaks it",
     "segment a { when did \"A\" # one\n and did \"B\"\n # own\n or did \"C\" "
     "}",
     "segment a {\n"
     "  when (did \"A\"  # one\n"
     "      and did \"B\")\n"
     "    # own\n"
     "    or did \"C\"\n"
     "}\n"},
    {"a long list is filled",
     "list l = [\"aaaaaaaaaaaaaaaaaaaa\",\"bbbbbbbbbbbbbbbbbbbb\","
     "\"cccccccccccccccccccc\",\"dddddddddddddddddddd\"]",
     "list l = [\n"
     "  \"aaaaaaaaaaaaaaaaaaaa\", \"bbbbbbbbbbbbbbbbbbbb\", "
     "\"cccccccccccccccccccc\",\n"
     "  \"dddddddddddddddddddd\"\n"
     "]\n"},
    {"a list with comments has a line for each value",
     "list l = [1, # one\n2,3 # three\n# end\n]",
     "list l = [\n  1,  # one\n  2,\n  3  # three\n  # end\n]\n"},
    {"tests",
     "test a \"n\"{set user.plan=\"free\" at 1w event "
     "\"E\"{goal.id=\"g\",n=1.50}"
     "at 168h identify{a=[\"x\",2]}at 0d group \"g\" at 36h expect exit}",
     "test a \"n\" {\n"
     "  set user.plan = \"free\"\n"
     "  at 7d event \"E\" { goal.id = \"g\", n = 1.50 }\n"
     "  at 7d identify { a = [\"x\", 2] }\n"
     "  at 0d group \"g\"\n"
     "  at 1d12h expect exit\n"
     "}\n"},
    {"triggers",
     "segment a{when everyone on enter trigger \"t\"{x.y=2026-01-31}once per "
     "1w on exit trigger \"u\" once on exit trigger \"v\"}",
     "segment a {\n"
     "  when everyone\n"
     "  on enter trigger \"t\" { x.y = 2026-01-31 } once per 7d\n"
     "  on exit trigger \"u\" once\n"
     "  on exit trigger \"v\"\n"
     "}\n"},
};

START_TEST(a_file_has_one_spelling)
{
    const char *got = formatted(files[_i].text);
    ck_assert_msg(!strcmp(got, files[_i].want), "%s: got\n%s\nwant\n%s",
                  files[_i].name, got, files[_i].want);
    got = formatted(files[_i].want);
    ck_assert_msg(!strcmp(got, files[_i].want), "%s: formatted again\n%s",
                  files[_i].name, got);
}
END_TEST

START_TEST(the_public_function_formats_and_refuses_a_wrong_file)
{
    char *text = NULL;
    struct seg_source good = {"good.seg", "list a=[1]", 10};
    struct seg_source bad = {"bad.seg", "list a=[1", 9};
    ck_assert_int_eq(seg_format(&text, &good, diagnostics), 0);
    ck_assert_str_eq(text, "list a = [1]\n");
    free(text);
    text = NULL;
    ck_assert_int_eq(seg_format(&text, &bad, diagnostics), SEG_ERR_SYNTAX);
    ck_assert_ptr_null(text);
    ck_assert_int_eq(seg_diagnostics_errors(diagnostics), 1);
}
END_TEST

/* ---- the text that names a meaning ----------------------------------- */

static const struct {
    const char *text, *names, *values;
} conds[] = {
    {"did \"Goal Used\" at least 3 times in 7d",
     "did \"Goal Used\" at least 3 times in 7d",
     "did \"Goal Used\" at least 3 times in 7d"},
    {"did \"A\" exactly 1 times in 168h", "did \"A\" exactly 1 time in 7d",
     "did \"A\" exactly 1 time in 7d"},
    {"did (\"A\") between 0 and 1 time in 1w",
     "did \"A\" between 0 and 1 times in 7d",
     "did \"A\" between 0 and 1 times in 7d"},
    {"user.title in @chiefs", "user.title in @chiefs",
     "user.title in (\"CFO\", \"VP Finance\")"},
    {"user.since > 2026-01-31T01:00+01:00",
     "user.since > 2026-01-31T01:00+01:00",
     "user.since > 2026-01-31T00:00:00.000Z"},
    {"user.n=1.50", "user.n = 1.50", "user.n = 1.5"},
    {"count((\"A\" or \"B\") where x=1)>=2",
     "count(\"A\" or \"B\" where x = 1) >= 2",
     "count(\"A\" or \"B\" where x = 1) >= 2"},
    {"days_since( first \"A\" ) > 3", "days_since(first \"A\") > 3",
     "days_since(first \"A\") > 3"},
    {"first(any, properties.\"x\") in 1d is set", "first(any, x) in 1d is set",
     "first(any, x) in 1d is set"},
    {"did any where (((x=1)))", "did any where x = 1", "did any where x = 1"},
    {"((everyone and (not (everyone))))", "everyone and not everyone",
     "everyone and not everyone"},
    {"did \"A\" from 336h to 1w ago", "did \"A\" from 14d to 7d ago",
     "did \"A\" from 14d to 7d ago"},
    {"did any where properties.user is not set",
     "did any where properties.user is not set",
     "did any where properties.user is not set"},
};

START_TEST(a_condition_has_one_spelling)
{
    struct buf text, values;
    buf_init(&text);
    buf_init(&values);
    buf_printf(&text,
               "list chiefs = [\"CFO\", \"VP Finance\"]\n"
               "segment s { when %s }",
               conds[_i].text);
    ck_assert_msg(parse(&rules, buf_string(&text)) == 0, "%s: %s",
                  conds[_i].text, first_message());
    ck_assert_int_eq(check_rules(&rules, diagnostics), 0);
    format_cond(&out, rules.segments[0].when, FORMAT_LIST_NAMES);
    format_cond(&values, rules.segments[0].when, FORMAT_LIST_VALUES);
    ck_assert_str_eq(buf_string(&out), conds[_i].names);
    ck_assert_str_eq(buf_string(&values), conds[_i].values);
    buf_done(&text);
    buf_done(&values);
}
END_TEST

SUITE("format", setup, teardown,
      {&(parsing_what_was_formatted_gives_the_tree_again), 5, 0},
      TEST(comments_anywhere_are_kept_and_the_second_time_nothing_changes),
      TABLE(a_file_has_one_spelling, files),
      TEST(the_public_function_formats_and_refuses_a_wrong_file),
      TABLE(a_condition_has_one_spelling, conds))
