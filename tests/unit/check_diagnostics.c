/* check_diagnostics.c: how people see what is wrong. */
#include "lib/segment/diagnostics.h"

#include <string.h>

#include "lib/base/text.h"
#include "lib/segment/check.h"
#include "lib/segment/parse.h"
#include "tests/support/suite.h"

static struct seg_diagnostics *diagnostics;
static struct rules rules;

static void setup(void)
{
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    rules_init(&rules);
}

static void teardown(void)
{
    seg_diagnostics_free(diagnostics);
    rules_done(&rules);
}

static int parse(const char *name, const char *text)
{
    struct seg_source source = {name, text, strlen(text)};
    return parse_source(&rules, &source, diagnostics);
}

/* The one diagnostic of TEXT as people read it; caller frees. */
static char *shown(const char *text)
{
    ck_assert_int_eq(parse("goals.seg", text), SEG_ERR_SYNTAX);
    ck_assert_int_eq(seg_diagnostics_count(diagnostics), 1);
    char *all = seg_diagnostic_text(seg_diagnostics_at(diagnostics, 0));
    ck_assert_ptr_nonnull(all);
    return all;
}

static const struct {
    const char *name, *text, *want;
} shows[] = {
    {"the caret is as wide as the token, the suggestion below",
     "segment a {\n  when did \"Goal Used\" at laest 3 times\n}\n",
     "goals.seg:2:27: error: `least` or `most` is missing before `laest`.\n"
     "      when did \"Goal Used\" at laest 3 times\n"
     "                              ^~~~~\n"
     "    did you mean `least`?\n"},
    {"a tab is one column wide", "segment a {\n\twhen\tevryone\n}\n",
     "goals.seg:2:7: error: `evryone` is no condition.\n"
     "     when evryone\n"
     "          ^~~~~~~\n"
     "    did you mean `everyone`?\n"},
    {"columns are bytes, the caret stands under characters",
     "segment a { when user.x = \"\xc3\xa9\xe2\x82\xac\" und }",
     "goals.seg:1:35: error: `und` is no field of a segment.\n"
     "    segment a { when user.x = \"\xc3\xa9\xe2\x82\xac\" und }\n"
     "                                   ^~~\n"
     "    here may stand `title`, `owner`, `tags`, `docs`, `shadow`, `when`, "
     "`until`, `include`, "
     "`exclude` or `on`\n"},
    {"a carriage return at the end of the line is not shown",
     "segment a { when evryone\r\n}\r\n",
     "goals.seg:1:18: error: `evryone` is no condition.\n"
     "    segment a { when evryone\n"
     "                     ^~~~~~~\n"
     "    did you mean `everyone`?\n"},
    {"the end of the file is a place too", "list a =",
     "goals.seg:1:9: error: The values of a list stand in [ ].\n"
     "    list a =\n"
     "            ^\n"
     "    a list is written `list a = [\"a\", \"b\"]`\n"},
    {"what could move a terminal does not get there",
     "segment a { when \x1b[2J }",
     "goals.seg:1:18: error: A control character stands here.\n"
     "    segment a { when ?[2J }\n"
     "                     ^\n"},
    {"nor the second set of control characters, nor delete",
     "segment \"a\xc2\x9b\x7f\" { }",
     "goals.seg:1:9: error: A key is written a-z, 0-9 and _ without quotes and "
     "begins with a letter.\n"
     "    segment \"a???\" { }\n"
     "            ^~~~~~\n"
     "    did you mean `a___`?\n"},
};

START_TEST(a_mistake_is_shown)
{
    char *all = shown(shows[_i].text);
    ck_assert_msg(!strcmp(all, shows[_i].want), "%s: got\n%s\nwant\n%s",
                  shows[_i].name, all, shows[_i].want);
    free(all);
}
END_TEST

START_TEST(of_a_very_long_line_the_part_around_is_shown)
{
    static char text[20000];
    strcpy(text, "list a = [");
    for (int i = 0; i < 2000; i++)
        strcat(text, "\"\xc3\xa9\", ");
    size_t at = strlen(text);
    strcat(text, "oops");
    for (int i = 0; i < 500; i++)
        strcat(text, ", \"\xc3\xa9\"");
    strcat(text, "]");
    char *all = shown(text);
    const char *line = strchr(all, '\n') + 1, *caret = strchr(line, '\n') + 1;
    ck_assert_int_eq(seg_diagnostics_at(diagnostics, 0)->column, (int)at + 1);
    ck_assert_int_lt((int)(caret - line), 200);
    ck_assert_int_eq(strncmp(line, "    ...", 7), 0);
    ck_assert_int_eq(strncmp(caret - 4, "...\n", 4), 0);
    const char *oops = strstr(line, "oops");
    ck_assert(oops && oops < caret);
    int columns = 0;
    for (const char *c = line; c < oops; c++)
        columns += (*c & 0xc0) != 0x80;
    ck_assert_int_eq((int)strcspn(caret, "^"), columns);
    free(all);
}
END_TEST

START_TEST(twenty_errors_are_shown_in_one_run)
{
    char text[2000] = "";
    for (int i = 0; i < SEG_DIAGNOSTICS_MAX + 5; i++)
        strcat(text, "segment a { when evryone }\n");
    ck_assert_int_eq(parse("a.seg", text), SEG_ERR_SYNTAX);
    ck_assert_int_eq(seg_diagnostics_count(diagnostics), SEG_DIAGNOSTICS_MAX);
    ck_assert_int_eq(seg_diagnostics_errors(diagnostics), SEG_DIAGNOSTICS_MAX);
    for (int i = 0; i < SEG_DIAGNOSTICS_MAX; i++) {
        const struct seg_diagnostic *one = seg_diagnostics_at(diagnostics, i);
        ck_assert_int_eq(one->line, i + 1);
        ck_assert_str_eq(one->suggestion, "did you mean `everyone`?");
    }
    ck_assert_ptr_null(seg_diagnostics_at(diagnostics, SEG_DIAGNOSTICS_MAX));
    ck_assert_ptr_null(seg_diagnostics_at(diagnostics, -1));
}
END_TEST

START_TEST(errors_of_several_files_name_their_file)
{
    ck_assert_int_eq(parse("a.seg", "list a = ["), SEG_ERR_SYNTAX);
    ck_assert_int_eq(parse("b.seg", "list b = [1]"), 0);
    ck_assert_int_eq(parse("c.seg", "list c = ["), SEG_ERR_SYNTAX);
    ck_assert_int_eq(rules.list_count, 1);
    ck_assert_str_eq(seg_diagnostics_at(diagnostics, 0)->file, "a.seg");
    ck_assert_str_eq(seg_diagnostics_at(diagnostics, 1)->file, "c.seg");
}
END_TEST

START_TEST(warnings_have_a_limit_of_their_own)
{
    for (int i = 0; i < DIAGNOSTIC_WARNINGS_MAX + 1; i++) {
        if (i == 0)
            ck_assert_int_eq(parse("a.seg", "list a = [1]"), 0);
        diagnostics_add(diagnostics, SEG_SEVERITY_WARNING, &rules,
                        (struct rule_pos){0, 1, 1, 1}, "warning %d", i);
        diagnostics_suggest(diagnostics, "hint %d", i);
    }
    int count = seg_diagnostics_count(diagnostics);
    ck_assert_int_eq(count, DIAGNOSTIC_WARNINGS_MAX);
    ck_assert_int_eq(seg_diagnostics_errors(diagnostics), 0);
    ck_assert_str_eq(seg_diagnostics_at(diagnostics, count - 1)->suggestion,
                     "hint 999");
    diagnostics_add(diagnostics, SEG_SEVERITY_ERROR, &rules,
                    (struct rule_pos){0, 1, 1, 1}, "an error");
    ck_assert_int_eq(seg_diagnostics_errors(diagnostics), 1);
    ck_assert(!diagnostics_full(diagnostics));
}
END_TEST

START_TEST(a_message_that_is_too_long_is_cut_at_a_character)
{
    static char longest[3001];
    for (int i = 0; i < 1000; i++)
        strcat(longest, "\xe2\x82\xac");
    ck_assert_int_eq(parse("a.seg", "list a = [1]"), 0);
    for (int skip = 0; skip < 3; skip++) {
        diagnostics_add(diagnostics, SEG_SEVERITY_ERROR, &rules,
                        (struct rule_pos){0, 1, 1, 1}, "%.*s%s", skip, "xx",
                        longest);
        const char *message = seg_diagnostics_at(diagnostics, skip)->message;
        size_t len = strlen(message);
        ck_assert_uint_le(len, 1000);
        ck_assert_uint_ge(len, 990);
        ck_assert_str_eq(message + len - 3, "\xe2\x82\xac");
    }
}
END_TEST

SUITE("diagnostics", setup, teardown, TABLE(a_mistake_is_shown, shows),
      TEST(of_a_very_long_line_the_part_around_is_shown),
      TEST(twenty_errors_are_shown_in_one_run),
      TEST(errors_of_several_files_name_their_file),
      TEST(warnings_have_a_limit_of_their_own),
      TEST(a_message_that_is_too_long_is_cut_at_a_character))
