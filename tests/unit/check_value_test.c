/* check_value_test.c: one test of one value.
 *
 * Tests are written as in a segment file and compiled from it, values as in a
 * message: what the rows say is what people write. */
#include "lib/segment/value_test.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/segment/catalogue.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

/* 2024-01-10T00:00Z */
#define NOW_MS (SMALL_WORLD_START_MS + 9 * DAY_MS)

static struct seg_catalogue *catalogue;
static struct seg_decoder *decoder;
static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    seg_decoder_free(decoder);
    seg_catalogue_free(catalogue);
    arena_done(&arena);
    decoder = NULL;
    catalogue = NULL;
}

/* TEST of `user.x`, compiled. */
static const struct value_test *compile(const char *test)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "list many = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", "
             "\"h\", \"\"]\n"
             "segment s { when user.x %s }\n",
             test);
    catalogue = small_world_compile(text);
    ck_assert_uint_eq(catalogue->plan.predicate_count, 1);
    return &catalogue->plan.predicates[0].test;
}

/* The value that JSON says. */
static struct seg_value value_of(const char *json)
{
    char message[512];
    struct seg_event event;
    snprintf(message, sizeof(message),
             "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"x\":%s}}",
             json);
    ck_assert_int_eq(seg_decoder_new(&decoder, catalogue), 0);
    ck_assert_int_eq(
        seg_decode(decoder, message, strlen(message), &event, NULL), 0);
    ck_assert_uint_eq(event.trait_count, 1);
    return event.traits[0].value;
}

/* ---- what passes ----------------------------------------------------- */

#define YES      1
#define NO       0
#define MISMATCH 2 /* No, and counted: types that do not compare. */

static const struct {
    const char *test, *json;
    int result;
} verdicts[] = {
    {"= 1", "1", YES},
    {"= 1", "1.0", YES},
    {"= 1", "2", NO},
    {"= 1", "\"1\"", MISMATCH},
    {"= 1", "true", MISMATCH},
    {"= 1", "[1]", MISMATCH},
    {"= 1", "{}", MISMATCH},
    {"= 1", "null", NO},
    {"= true", "true", YES},
    {"= true", "false", NO},
    {"= true", "1", MISMATCH},
    {"= \"\"", "\"\"", YES},
    {"matches regex \"a+b\"", "\"xaabx\"", YES},
    {"matches regex \"^a+b$\"", "\"xaabx\"", NO},
    {"matches regex \"A+B\"", "\"aab\"", NO},
    {"matches regex \"A+B\" ignoring case", "\"xaabx\"", YES},
    {"matches regex \"^.$\"", "\"ß\"", YES},
    {"matches regex \"\"", "\"\"", YES},
    {"matches regex \"1\"", "1", MISMATCH},
    {"has one where a = 1", "[{\"a\":2},{\"a\":1}]", YES},
    {"has one where (a = 1 and b = 2)", "[{\"a\":1},{\"b\":2}]", NO},
    {"has one where (a = 1 and b = 2)", "[{\"b\":2,\"a\":1}]", YES},
    {"has one where (a = 1 or b = 2)", "[{\"a\":3},{\"b\":2}]", YES},
    {"has one where (not a = 1)", "[{\"a\":1}]", NO},
    {"has one where (not a = 1)", "[{\"b\":1}]", YES},
    {"has one where (not a = 1)", "[3,\"a\",[]]", NO},
    {"has one where a.b = \"x\"", "[{\"a\":{\"b\":\"x\"}}]", YES},
    {"has one where a.b = \"x\"", "[{\"a\":[{\"b\":\"x\"}]}]", NO},
    {"has one where a = 1", "[{\"a\":2,\"a\":1}]", YES},
    {"has one where a = 1", "[{\"a\":1,\"a\":2}]", NO},
    {"has one where a is not set", "[{\"a\":null}]", YES},
    {"has one where a is not set", "[]", NO},
    {"has one where a has one where b = 1", "[{\"a\":[{\"b\":1}]}]", YES},
    {"has one where a has \"x\"", "[{\"a\":[\"x\"]}]", YES},
    {"has one where a = 1", "{\"a\":1}", MISMATCH},
    {"has one where a = 1", "null", NO},
    {"= \"a\"", "\"A\"", NO},
    {"= \"STRASSE\" ignoring case", "\"straße\"", YES},
    {"!= 1", "2", YES},
    {"!= 1", "1", NO},
    {"!= 1", "\"1\"", MISMATCH},
    {"!= 1", "null", NO},
    {"!= \"A\" ignoring case", "\"a\"", NO},
    {"< 2", "1", YES},
    {"< 2", "2", NO},
    {"< 2", "1.999", YES},
    {"< 2", "\"1\"", MISMATCH},
    {"<= 2", "2", YES},
    {"<= 2", "2.001", NO},
    {"> 2", "2", NO},
    {"> 2", "3", YES},
    {">= 2", "2", YES},
    {">= 2", "1.9", NO},
    {"> \"b\"", "\"ba\"", YES},
    {"> \"b\"", "\"b\"", NO},
    {"> 9007199254740992", "9007199254740993", YES},
    {"between 2 and 4", "1", NO},
    {"between 2 and 4", "2", YES},
    {"between 2 and 4", "4", YES},
    {"between 2 and 4", "4.1", NO},
    {"between 2 and 4", "\"3\"", MISMATCH},
    {"in (1, \"a\")", "1", YES},
    {"in (1, \"a\")", "\"a\"", YES},
    {"in (1, \"a\")", "2", NO},
    {"in (1, \"a\")", "true", MISMATCH},
    {"in (1, \"a\")", "null", NO},
    {"not in (1, \"a\")", "2", YES},
    {"not in (1, \"a\")", "1", NO},
    {"not in (1, \"a\")", "true", MISMATCH},
    {"not in (1, \"a\")", "null", NO},
    {"in @many", "\"h\"", YES},
    {"in @many", "\"\"", YES},
    {"in @many", "\"i\"", NO},
    {"in @many", "1", MISMATCH},
    {"not in @many", "\"i\"", YES},
    {"not in @many", "1", MISMATCH},
    {"in @many ignoring case", "\"H\"", YES},
    {"is set", "null", NO},
    {"is set", "\"\"", YES},
    {"is set", "[]", YES},
    {"is set", "{}", YES},
    {"is set", "false", YES},
    {"is not set", "null", YES},
    {"is not set", "0", NO},
    {"contains \"lo\"", "\"hello\"", YES},
    {"contains \"\"", "\"\"", YES},
    {"contains \"LO\"", "\"hello\"", NO},
    {"contains \"LO\" ignoring case", "\"hello\"", YES},
    {"contains \"1\"", "1", MISMATCH},
    {"contains \"a\"", "[\"a\"]", MISMATCH},
    {"starts with \"he\"", "\"hello\"", YES},
    {"starts with \"hello!\"", "\"hello\"", NO},
    {"starts with \"ello\"", "\"hello\"", NO},
    {"ends with \"lo\"", "\"hello\"", YES},
    {"ends with \"hell\"", "\"hello\"", NO},
    {"ends with \"LO\" ignoring case", "\"hello\"", YES},
    {"matches \"h*o\"", "\"hello\"", YES},
    {"matches \"h?o\"", "\"hello\"", NO},
    {"matches \"ell\"", "\"hello\"", NO},
    {"matches \"H*\" ignoring case", "\"hello\"", YES},
    {"has 1", "[0, 1.0]", YES},
    {"has 1", "[\"1\"]", NO},
    {"has 1", "[]", NO},
    {"has 1", "1", MISMATCH},
    {"has 1", "null", NO},
    {"has any (1, 2)", "[2, 3]", YES},
    {"has any (1, 2)", "[3]", NO},
    {"has any (\"A\") ignoring case", "[\"a\"]", YES},
    {"has all (1, 2)", "[2, 1, 3]", YES},
    {"has all (1, 2)", "[1, 1]", NO},
    {"has none (1, 2)", "[3]", YES},
    {"has none (1, 2)", "[]", YES},
    {"has none (1, 2)", "[1]", NO},
    {"has none (1, 2)", "3", MISMATCH},
    {"within 1d", "\"2024-01-10T00:00:00Z\"", YES},
    {"within 1d", "\"2024-01-09T00:00:00.001Z\"", YES},
    {"within 1d", "\"2024-01-09T00:00:00Z\"", NO},
    {"within 1d", "\"2024-01-10T00:00:00.001Z\"", NO},
    {"within 1d", "1704844800", YES},
    {"within 1d", "1704844800000", YES},
    {"within 1d", "\"soon\"", MISMATCH},
    {"within 1d", "true", MISMATCH},
    {"within next 1d", "\"2024-01-10T00:00:00Z\"", NO},
    {"within next 1d", "\"2024-01-10T00:00:00.001Z\"", YES},
    {"within next 1d", "\"2024-01-11T00:00:00Z\"", YES},
    {"within next 1d", "\"2024-01-11T00:00:00.001Z\"", NO},
    {"more than 1d ago", "\"2024-01-09T00:00:00Z\"", YES},
    {"more than 1d ago", "\"2024-01-09T00:00:00.001Z\"", NO},
    {"more than 1d ago", "\"2025-01-01\"", NO},
    {"before 2024-01-10", "\"2024-01-09T23:59:59.999Z\"", YES},
    {"before 2024-01-10", "\"2024-01-10\"", NO},
    {"before 2024-01-10", "\"never\"", MISMATCH},
    {"after 2024-01-10", "\"2024-01-10T00:00:00.001Z\"", YES},
    {"after 2024-01-10", "\"2024-01-10\"", NO},
    {"= 2024-01-10", "\"2024-01-10T01:00+01:00\"", YES},
    {"= 2024-01-10", "1704844800", YES},
    {"!= 2024-01-10", "\"2024-01-11\"", YES},
    {"!= 2024-01-10", "\"a day\"", MISMATCH},
    {">= 2024-01-10", "\"2024-01-10\"", YES},
    {"version = \"1.2.0\"", "\"1.2.0\"", YES},
    {"version < \"1.10.0\"", "\"1.9.0\"", YES},
    {"version < \"1.0.0\"", "\"1.0.0-rc.1\"", YES},
    {"version >= \"2.0.0\"", "\"10.0.0\"", YES},
    {"version > \"2.0.0\"", "\"2.0.0\"", NO},
    {"version <= \"2.0.0\"", "\"2.0.0\"", YES},
    {"version != \"2.0.0\"", "\"2.0.1\"", YES},
    {"version != \"2.0.0\"", "\"new\"", MISMATCH},
    {"version >= \"2.0.0\"", "2", MISMATCH},
};

START_TEST(a_test_passes_what_it_should)
{
    uint64_t mismatches = 0;
    const struct value_test *test = compile(verdicts[_i].test);
    struct seg_value value = value_of(verdicts[_i].json);
    struct test_context context = {NOW_MS, &arena, &mismatches};
    int passes = value_test(test, &value, &context);
    ck_assert_msg(passes == (verdicts[_i].result == YES), "x %s, of %s: %d",
                  verdicts[_i].test, verdicts[_i].json, passes);
    ck_assert_msg(mismatches == (verdicts[_i].result == MISMATCH),
                  "x %s, of %s: %d mismatches", verdicts[_i].test,
                  verdicts[_i].json, (int)mismatches);
    context.mismatches = NULL; /* Nobody counts. */
    ck_assert_int_eq(value_test(test, &value, &context), passes);
}
END_TEST

START_TEST(every_kind_of_test_has_a_row)
{
    int seen[OP_COUNT_] = {0};
    for (int i = 0; i < COUNT(verdicts); i++) {
        seen[compile(verdicts[i].test)->rule->op] = 1;
        seg_catalogue_free(catalogue);
        catalogue = NULL;
    }
    for (int op = 0; op < OP_COUNT_; op++)
        ck_assert_msg(seen[op], "%s", rule_op_info((enum rule_op)op)->words);
}
END_TEST

/* ---- when it changes by itself --------------------------------------- */

/* Instants in milliseconds after NOW_MS; NEVER if there is none. */
#define NEVER SEG_NEVER

static const struct {
    const char *test, *json;
    int64_t next_ms;
} nexts[] = {
    {"within 1d", "\"2024-01-10\"", DAY_MS},
    {"within 1d", "\"2024-01-09T00:00:00.001Z\"", 1},
    {"within 1d", "\"2024-01-09\"", NEVER},
    {"within 1d", "\"2024-01-12\"", 2 * DAY_MS},
    {"within next 1d", "\"2024-01-12\"", DAY_MS},
    {"within next 1d", "\"2024-01-11\"", DAY_MS},
    {"within next 1d", "\"2024-01-10\"", NEVER},
    {"more than 1d ago", "\"2024-01-10\"", DAY_MS},
    {"more than 1d ago", "\"2024-01-09\"", NEVER},
    {"more than 1d ago", "\"2024-01-11\"", 2 * DAY_MS},
    {"within 1d", "\"soon\"", NEVER},
    {"within 1d", "null", NEVER},
    {"before 2024-01-11", "\"2024-01-10\"", NEVER},
    {"= 1", "1", NEVER},
};

START_TEST(a_test_of_time_says_when_it_changes)
{
    const struct value_test *test = compile(nexts[_i].test);
    struct seg_value value = value_of(nexts[_i].json);
    struct test_context context = {NOW_MS, &arena, NULL};
    int64_t want = nexts[_i].next_ms;
    int64_t next = value_test_next(test, &value, NOW_MS);
    ck_assert_int_eq(next == SEG_NEVER ? SEG_NEVER : next - NOW_MS, want);
    if (next == SEG_NEVER)
        return;
    /* Nothing changes before, and it does change then. */
    int now = value_test(test, &value, &context);
    context.now_ms = next - 1;
    ck_assert_int_eq(value_test(test, &value, &context), now);
    context.now_ms = next;
    ck_assert_int_eq(value_test(test, &value, &context), !now);
}
END_TEST

START_TEST(only_tests_of_age_are_timed)
{
    int timed = 0;
    for (int i = 0; i < COUNT(verdicts); i++) {
        const struct value_test *test = compile(verdicts[i].test);
        enum rule_op op = test->rule->op;
        ck_assert_int_eq(value_test_timed(test), op == OP_WITHIN ||
                                                     op == OP_WITHIN_NEXT ||
                                                     op == OP_MORE_THAN);
        timed += value_test_timed(test);
        seg_catalogue_free(catalogue);
        catalogue = NULL;
    }
    ck_assert_int_gt(timed, 0);
}
END_TEST

static const char *const days[] = {
    "< 3",      "<= 3", "> 3",   ">= 3",
    "= 3",      "!= 3", "< 0.5", "between 1 and 2",
    "in (1, 4)"};

/* Walk from one instant said to the next: in between the truth is one. */
START_TEST(a_test_of_days_changes_only_where_it_says)
{
    const struct value_test *test = compile(days[_i]);
    struct test_context context = {0, &arena, NULL};
    int64_t at_ms = NOW_MS;
    int changes = 0, last = -1;
    for (int steps = 0; at_ms < NOW_MS + 6 * DAY_MS; steps++) {
        int64_t next = value_test_next_days(test, NOW_MS, at_ms);
        int64_t looks[] = {at_ms, at_ms + (next - at_ms) / 2, next - 1};
        ck_assert_int_lt(steps, 100);
        ck_assert_int_gt(next, at_ms);
        for (int i = 0; i < COUNT(looks); i++) {
            struct seg_value value = {.type = SEG_DOUBLE,
                                      .as.number = (double)(looks[i] - NOW_MS) /
                                                   (double)DAY_MS};
            if (next == SEG_NEVER && i)
                break;
            int passes = value_test(test, &value, &context);
            ck_assert_msg(!i || passes == last, "%s changes at %lld", days[_i],
                          (long long)(looks[i] - NOW_MS));
            changes += last >= 0 && passes != last;
            last = passes;
        }
        if (next == SEG_NEVER)
            break;
        at_ms = next;
    }
    ck_assert_int_gt(changes, 0);
}
END_TEST

SUITE("value_test", setup, teardown,
      TABLE(a_test_passes_what_it_should, verdicts),
      TEST(every_kind_of_test_has_a_row),
      TABLE(a_test_of_time_says_when_it_changes, nexts),
      TEST(only_tests_of_age_are_timed),
      TABLE(a_test_of_days_changes_only_where_it_says, days))
