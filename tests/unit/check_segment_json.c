/* check_segment_json.c: segment files as JSON, and back. */
#include "lib/segment/segment_json.h"

#include <stdio.h>
#include <string.h>

#include "lib/segment/format.h"
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

/* ---- random trees ---------------------------------------------------- */

/* The JSON of the random tree of SEED. */
static void make_json(uint64_t seed)
{
    rules_done(&rules);
    random_rules(&rules, seed);
    buf_reset(&out);
    segment_json_write(&out, &rules, 0);
    ck_assert(!buf_failed(&out));
}

START_TEST(a_tree_comes_back_from_json_as_it_was)
{
    struct buf text, got, want;
    struct rules again;
    for (uint64_t seed = (uint64_t)_i * SEEDS + 1;
         seed <= (uint64_t)(_i + 1) * SEEDS; seed++) {
        buf_init(&text);
        buf_init(&got);
        buf_init(&want);
        rules_init(&again);
        make_json(seed);
        struct seg_source json = {"a.json", buf_string(&out), out.len};
        int ret = segment_json_read(&text, &json, diagnostics);
        ck_assert_msg(ret == 0, "seed %llu: %s", (unsigned long long)seed,
                      first_message());
        struct seg_source seg = {"a.seg", buf_string(&text), text.len};
        ret = parse_source(&again, &seg, diagnostics);
        ck_assert_msg(ret == 0, "seed %llu: %s", (unsigned long long)seed,
                      first_message());
        dump_rules(&want, &rules);
        dump_rules(&got, &again);
        ck_assert_msg(!strcmp(buf_string(&got), buf_string(&want)),
                      "seed %llu: got\n%s\nwant\n%s\njson\n%s",
                      (unsigned long long)seed, buf_string(&got),
                      buf_string(&want), buf_string(&out));
        buf_done(&text);
        buf_done(&got);
        buf_done(&want);
        rules_done(&again);
    }
}
END_TEST

/* For a validator in another language: FILE gets some of them, a line each. */
START_TEST(random_json_is_written_where_it_is_asked_for)
{
    const char *path = getenv("RANDOM_JSON");
    FILE *file = path ? fopen(path, "w") : NULL;
    ck_assert(!path == !file);
    for (uint64_t seed = 1; file && seed <= 150; seed++) {
        make_json(seed);
        for (const char *at = buf_string(&out); *at; at++)
            fputc(*at == '\n' ? ' ' : *at, file);
        fputc('\n', file);
    }
    if (file)
        fclose(file);
}
END_TEST

/* ---- what only JSON can say ------------------------------------------ */

static const struct {
    const char *json, *want; /* A condition, and how it is spelled. */
} conds[] = {
    {"{\"all\": []}", "everyone"},
    {"{\"any\": []}", "not everyone"},
    {"{\"not\": {\"all\": []}}", "not everyone"},
    {"{\"not\": {\"any\": []}}", "not not everyone"},
    {"{\"all\": [{\"in_segment\": \"b\"}]}", "in segment b"},
    {"{\"not\": {\"any\": [{\"all\": [{\"in_segment\": \"b\"}]}]}}",
     "not in segment b"},
    {"{\"all\": [{\"any\": []}, {\"in_segment\": \"b\"}]}",
     "not everyone and in segment b"},
    {"{\"did\": {\"any\": true, \"where\": {\"all\": []}}}", "did any"},
    {"{\"did\": {\"any\": true, \"where\": {\"any\": []}}}",
     "did any where (x is set and x is not set)"},
    {"{\"did\": {\"any\": true, \"where\": {\"any\": [{\"any\": []}, "
     "{\"path\": [\"properties\", \"a\"], \"test\": {\"op\": \"is set\"}}]}}}",
     "did any where a is set"},
    {"{\"did\": {\"any\": true, \"where\": {\"any\": [{\"all\": []}, "
     "{\"path\": [\"properties\", \"a\"], \"test\": {\"op\": \"is set\"}}]}}}",
     "did any"},
    {"{\"did\": {\"any\": true, \"where\": {\"not\": {\"all\": [{\"not\": "
     "{\"any\": []}}, {\"path\": [\"event\", \"id\"], \"test\": {\"op\": \"is "
     "set\"}}]}}}}",
     "did any where (not event.id is set)"},
    {"{\"path\": [\"user\", \"p\"], \"test\": {\"op\": \"has one\", \"where\": "
     "{\"all\": []}}}",
     "user.p has one where (x is set or x is not set)"},
    {"{\"path\": [\"user\", \"p\"], \"test\": {\"op\": \"=\", \"value\": "
     "1.50}}",
     "user.p = 1.5"},
    {"{\"path\": [\"user\", \"p q\", \"r\"], \"test\": {\"op\": \"=\", "
     "\"value\": {\"date\": \"2026-01-31\"}}}",
     "user.\"p q\".r = 2026-01-31"},
    {"{\"path\": [\"user\", \"p\"], \"test\": {\"op\": \"=\", \"value\": "
     "9223372036854775807}}",
     "user.p = 9223372036854775807"},
    {"{\"path\": [\"user\", \"p\"], \"test\": {\"op\": \"=\", \"value\": "
     "0.1, \"ignoring_case\": false}}",
     "user.p = 0.1"},
};

START_TEST(a_condition_of_json_has_a_spelling)
{
    struct buf json;
    char want[300], *text = NULL;
    buf_init(&json);
    buf_printf(&json, "{\"definitions\": [{\"segment\": \"a\", \"when\": %s}]}",
               conds[_i].json);
    struct seg_source source = {"a.json", buf_string(&json), json.len};
    int ret = seg_from_json(&text, &source, diagnostics);
    ck_assert_msg(ret == 0, "%s: %s", conds[_i].json, first_message());
    snprintf(want, sizeof(want), "segment a {\n  when %s\n}\n", conds[_i].want);
    ck_assert_str_eq(text, want);
    free(text);
    buf_done(&json);
}
END_TEST

/* ---- what is wrong --------------------------------------------------- */

#define SEGMENT(rest) "{\"definitions\": [{\"segment\": \"a\"" rest "}]}"
#define WHEN(cond)    SEGMENT(", \"when\": " cond)
#define TEST_OF(test) WHEN("{\"path\": [\"user\", \"p\"], \"test\": " test "}")

static const struct {
    const char *json, *want;
} wrong[] = {
    {"", "This is no JSON: '[' or '{' expected near end of file."},
    {"{\"a\": 1, \"a\": 2}",
     "This is no JSON: duplicate object key near '\"a\"'."},
    {"[]", "In all: an object is missing."},
    {"{}", "In all: `definitions` is missing."},
    {"{\"definitions\": [], \"x\": 1}",
     "In all: the member `x` is not known here."},
    {"{\"definitions\": {}}", "In definitions: a list is missing."},
    {"{\"definitions\": [{}]}",
     "In definitions[0]: one of `segment`, `list`, `score`, `trait` and `test` "
     "is missing."},
    {"{\"definitions\": [{\"segment\": \"a { when everyone } segment b\"}]}",
     "In definitions[0].segment: a key is missing: a-z, 0-9 and _."},
    {SEGMENT(", \"titel\": \"x\""),
     "In definitions[0]: the member `titel` is not known here."},
    {SEGMENT(", \"segment|title\": \"x\""),
     "In definitions[0]: the member `segment|title` is not known here."},
    {SEGMENT(", \"title\": 5"), "In definitions[0].title: a text is missing."},
    {SEGMENT(", \"shadow\": 1"), "In definitions[0]: true is missing."},
    {WHEN("{}"), "In definitions[0].when: a condition is missing, such as "
                 "`did` or `all`."},
    {WHEN("{\"all\": {}}"), "In definitions[0].when.all: a list is missing."},
    {WHEN("{\"all\": [{\"not\": {\"in_segment\": 3}}]}"),
     "In definitions[0].when.all[0].not.in_segment: a key is missing: a-z, 0-9 "
     "and _."},
    {WHEN("{\"everyone\": false}"),
     "In definitions[0].when: `everyone` is true."},
    {WHEN("{\"did\": \"A\"}"),
     "In definitions[0].when.did: an object is missing."},
    {WHEN("{\"did\": {\"names\": \"A\"}}"),
     "In definitions[0].when.did.names: a list is missing."},
    {WHEN("{\"did\": {\"any\": true}, \"window\": {\"in\": \"7 days\"}}"),
     "In definitions[0].when.window.in: a duration is missing, such as "
     "\"7d\"."},
    {WHEN("{\"did\": {\"any\": true}, \"window\": {\"since\": \"2026\"}}"),
     "In definitions[0].when.window.since: a date is missing, such as "
     "\"2026-01-31\"."},
    {WHEN("{\"did\": {\"any\": true}, \"times\": {\"least\": 3}}"),
     "In definitions[0].when.times: one of `at_least`, `at_most`, `exactly` "
     "and `between` is missing."},
    {WHEN("{\"user_in_percent\": \"10% by 3\", \"by\": \"x\"}"),
     "In definitions[0].when.user_in_percent: a percentage is missing, such as "
     "\"12.5\"."},
    {TEST_OF("{\"op\": \"==\", \"value\": 1}"),
     "In definitions[0].when.test: `op` is missing, such as \"=\" or \"is "
     "set\"."},
    {TEST_OF("{\"op\": \"=\"}"),
     "In definitions[0].when.test: `value` is missing."},
    {TEST_OF("{\"op\": \"=\", \"value\": null}"),
     "In definitions[0].when.test.value: a value is missing: a text, a number, "
     "true or false."},
    {TEST_OF("{\"op\": \"=\", \"value\": {\"number\": \"1 and everyone\"}}"),
     "In definitions[0].when.test.value.number: a number is missing, such as "
     "\"1.50\"."},
    {TEST_OF("{\"op\": \"is set\", \"value\": 1}"),
     "In definitions[0].when.test: the member `value` is not known here."},
    {WHEN("{\"path\": [\"usr\", \"p\"], \"test\": {\"op\": \"is set\"}}"),
     "In definitions[0].when.path: a path is missing, such as [\"user\", "
     "\"plan\"]."},
    /* What the text of it would be is judged as a segment file. */
    {TEST_OF("{\"op\": \"=\", \"value\": {\"date\": \"2026-02-30\"}}"),
     "This is no date; dates are 2026-01-31, 2026-01-31T12:00Z or "
     "2026-01-31T12:00:00.000+02:00."},
    {TEST_OF("{\"op\": \">\", \"value\": 1, \"ignoring_case\": true}"),
     "`ignoring case` does not go with `>`."},
    {WHEN("{\"did\": {\"any\": true}, \"window\": {\"from\": \"1d\", \"to\": "
          "\"2d\"}}"),
     "This window is backwards: it begins after it ends."},
    {WHEN("{\"did\": {\"names\": [\"A\"], \"where\": {\"path\": [\"user\", "
          "\"p\"], \"test\": {\"op\": \"is set\"}}}}"),
     "Here stands a property of the event, nothing of the user."},
};

START_TEST(what_is_no_segment_file_is_refused_with_its_place)
{
    char *text = NULL;
    struct seg_source source = {"a.json", wrong[_i].json,
                                strlen(wrong[_i].json)};
    ck_assert_int_eq(seg_from_json(&text, &source, diagnostics),
                     SEG_ERR_SYNTAX);
    ck_assert_ptr_null(text);
    ck_assert_int_ge(seg_diagnostics_errors(diagnostics), 1);
    ck_assert_str_eq(first_message(), wrong[_i].want);
}
END_TEST

SUITE("segment_json", setup, teardown,
      TIMES(a_tree_comes_back_from_json_as_it_was, 5),
      TEST(random_json_is_written_where_it_is_asked_for),
      TABLE(a_condition_of_json_has_a_spelling, conds),
      TABLE(what_is_no_segment_file_is_refused_with_its_place, wrong))
