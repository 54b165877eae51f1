/* check_no_memory_files.c: segment files when memory runs out.
 *
 * Compiling, formatting and testing are done again and again, with the first,
 * the second, the third ... allocation failing: each says SEG_ERR_NOMEM, leaks
 * nothing, and whatever does succeed is right. */
#include <stdlib.h>
#include <string.h>

#include <seg/cost.h>
#include <seg/diff.h>

#include "lib/base/hash.h"
#include "lib/segment/catalogue.h"
#include "tests/support/everything.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

static struct seg_catalogue *catalogue;
static const enum fail_alloc_mode modes[] = {FAIL_ALLOC_ONE, FAIL_ALLOC_FROM};

static void setup(void)
{
    catalogue = small_world_catalogue();
}

static void teardown(void)
{
    seg_catalogue_free(catalogue);
}

static const char wrong_text[] =
    "segment a { when did \"E\" atleast 3 times }\n"
    "segment b { when in segment c and user.x = @nothing }\n";

/* A number for all that a plan found in its files. */
static uint64_t digest(const struct plan *plan)
{
    uint64_t sum = plan->hash;
    for (uint32_t i = 0; i < plan->feature_count; i++)
        sum = hash_bytes(plan->feature_texts[i], strlen(plan->feature_texts[i]),
                         sum);
    for (uint32_t i = 0; i < plan->predicate_count; i++) {
        const struct predicate *predicate = &plan->predicates[i];
        sum = hash_bytes(&predicate->source, sizeof(uint32_t), sum);
        sum = hash_bytes(predicate->text, strlen(predicate->text), sum);
        sum = hash_bytes(predicate->needed, strlen(predicate->needed), sum);
    }
    const uint32_t counts[] = {plan->selector_count,
                               plan->attribute_count,
                               plan->source_count,
                               plan->trigger_count,
                               plan->listed_ids.count,
                               plan->born.count,
                               (uint32_t)plan->spec.path_count};
    return hash_bytes(counts, sizeof(counts), sum);
}

/* What the catalogue made of TEXT is goes to SUM. */
static int compile(const char *text, uint64_t *sum)
{
    const struct seg_source source = {"world.seg", text, strlen(text)};
    struct seg_diagnostics *diagnostics;
    struct seg_catalogue *made = NULL;
    int ret = seg_diagnostics_new(&diagnostics);
    if (ret < 0)
        return ret;
    ret = seg_catalogue_compile(&made, &source, 1, diagnostics);
    if ((ret == 0) != (made != NULL))
        abort();
    if (made)
        *sum = digest(&made->plan);
    seg_catalogue_free(made);
    seg_diagnostics_free(diagnostics);
    return ret;
}

START_TEST(a_catalogue_is_compiled_or_not)
{
    const char *text = _i / 2 ? everything_text : small_world_text;
    uint64_t sum = 0, want = 0;
    ck_assert_int_eq(compile(text, &want), 0);
    for (long n = 1;; n++) {
        fail_alloc_begin(n, modes[_i % 2]);
        int ret = compile(text, &sum);
        long failed = fail_alloc_end();
        /* A buffer for what an error would say may do without. */
        ck_assert_msg(ret == 0 || (failed && ret == SEG_ERR_NOMEM),
                      "allocation %ld: %s", n, seg_error_name(ret));
        if (ret == 0)
            ck_assert_uint_eq(sum, want);
        if (!failed) {
            ck_assert_int_ge(n, 100);
            break;
        }
    }
}
END_TEST

/* A chunk of the rules' arena ends somewhere: with longer docs in front, each
 * time somewhere else. */
static const int docs_bytes[] = {100, 1100, 2300, 3700, 5100, 6700};

START_TEST(a_catalogue_is_compiled_or_not_wherever_a_chunk_ends)
{
    struct buf text;
    long n = 0, failed;
    uint64_t sum = 0, want = 0;
    int bytes = docs_bytes[_i];
    buf_init(&text);
    buf_str(&text, "segment a { docs \"");
    for (int i = 0; i < bytes; i++)
        buf_char(&text, 'x');
    buf_str(&text, "\" when everyone }\n");
    buf_str(&text, small_world_text);
    const char *string = buf_string(&text);
    ck_assert_int_eq(compile(string, &want), 0);
    do {
        fail_alloc_begin(++n, FAIL_ALLOC_ONE);
        int ret = compile(string, &sum);
        failed = fail_alloc_end();
        ck_assert_msg(ret == 0 || (failed && ret == SEG_ERR_NOMEM),
                      "allocation %ld: %s", n, seg_error_name(ret));
        if (ret == 0)
            ck_assert_uint_eq(sum, want);
    } while (failed);
    buf_done(&text);
}
END_TEST

START_TEST(what_is_wrong_is_said_or_there_is_no_memory)
{
    uint64_t sum;
    for (long n = 1;; n++) {
        fail_alloc_begin(n, modes[_i]);
        int ret = compile(wrong_text, &sum);
        if (!fail_alloc_end()) {
            ck_assert_int_eq(ret, SEG_ERR_SYNTAX);
            break;
        }
        ck_assert(ret == SEG_ERR_NOMEM || ret == SEG_ERR_SYNTAX);
    }
}
END_TEST

/* The one spelling of the small world's text, or NULL. */
static char *format(void)
{
    const struct seg_source source = {"world.seg", small_world_text,
                                      strlen(small_world_text)};
    struct seg_diagnostics *diagnostics;
    char *text = NULL;
    int ret = seg_diagnostics_new(&diagnostics);
    if (ret < 0)
        return NULL;
    ret = seg_format(&text, &source, diagnostics);
    seg_diagnostics_free(diagnostics);
    if ((ret == 0) != (text != NULL) || (ret < 0 && ret != SEG_ERR_NOMEM))
        abort();
    return text;
}

START_TEST(a_file_is_formatted_or_not)
{
    char *want = format();
    ck_assert_ptr_nonnull(want);
    for (long n = 1;; n++) {
        fail_alloc_begin(n, modes[_i]);
        char *text = format();
        long failed = fail_alloc_end();
        ck_assert(text || failed);
        ck_assert(!text || !strcmp(text, want));
        free(text);
        if (!failed)
            break;
    }
    free(want);
}
END_TEST

/* All of the language, with what is wrong in some of it. */
static const char language_text[] =
    "list l = [\"a\", 2.50, 2026-01-31]\n"
    "score s half-life 7d { \"A\" or \"B\" where x = 1 10, \"C\" -3 }\n"
    "trait t = sum(\"A\", p.q) between 2026-01-01 and 2026-02-01\n"
    "segment a { title \"t\" tags [\"x\"] shadow\n"
    "  when (did \"A\" in 7d then directly (\"B\" or \"C\") after 1h within "
    "2d\n"
    "    without \"D\" within 1h all within 3d with no \"E\" between\n"
    "    for the same a.b and latest(\"A\" or \"B\") was \"A\" in 7d)\n"
    "    or count(any) in 7d < 70% of count(any) from 14d to 7d ago\n"
    "    or trait.t > score(s) or user in 12.5% by \"x\"\n"
    "  until did \"A\" at least 3 times per week for 4 weeks\n"
    "    and entered segment b in 7d and user.p in @l\n"
    "    and did any where p has one where (x = 1 or not y matches regex "
    "\"r\")\n"
    "  on enter trigger \"n\" { a.b = user.p, c = count(\"A\"), d = [1] } once "
    "per "
    "1d }\n"
    "segment b { when did \"a\" include (\"u\") }\n"
    "test b \"n\" { set user.p = 1 at 1d event \"A\" { x = 1 }\n"
    "  at 1d expect trait t >= 3.5 at 2d group \"g\" at 3d expect out }\n";

/* To JSON and back, in *TEXT; 0 or an error. */
static int convert(char **text)
{
    struct seg_source source = {"all.seg", language_text,
                                strlen(language_text)};
    struct seg_diagnostics *diagnostics;
    char *json = NULL;
    int ret = seg_diagnostics_new(&diagnostics);
    if (ret < 0)
        return ret;
    ret = seg_to_json(&json, &source, diagnostics);
    if (ret == 0) {
        source = (struct seg_source){"all.json", json, strlen(json)};
        ret = seg_from_json(text, &source, diagnostics);
    }
    free(json);
    seg_diagnostics_free(diagnostics);
    return ret;
}

START_TEST(a_file_goes_to_json_and_back_or_not)
{
    char *want = NULL;
    ck_assert_int_eq(convert(&want), 0);
    for (long n = 1;; n++) {
        char *text = NULL;
        fail_alloc_begin(n, modes[_i]);
        int ret = convert(&text);
        long failed = fail_alloc_end();
        ck_assert_msg(ret == 0 || (failed && ret == SEG_ERR_NOMEM),
                      "allocation %ld: %s", n, seg_error_name(ret));
        ck_assert((ret == 0) == (text != NULL));
        ck_assert(!text || !strcmp(text, want));
        free(text);
        if (!failed)
            break;
    }
    free(want);
}
END_TEST

static int check(void)
{
    struct seg_source source = {"all.seg", language_text,
                                strlen(language_text)};
    struct seg_diagnostics *diagnostics;
    int ret = seg_diagnostics_new(&diagnostics);
    if (ret < 0)
        return ret;
    ret = seg_catalogue_check(&source, 1, diagnostics);
    seg_diagnostics_free(diagnostics);
    return ret;
}

START_TEST(all_of_the_language_is_checked_or_not)
{
    int want = check();
    for (long n = 1;; n++) {
        fail_alloc_begin(n, modes[_i]);
        int ret = check();
        long failed = fail_alloc_end();
        ck_assert_msg(ret == want || (failed && ret == SEG_ERR_NOMEM),
                      "allocation %ld: %s", n, seg_error_name(ret));
        if (!failed)
            break;
    }
}
END_TEST

static const char tested_text[] =
    "segment s {\n"
    "  when user.plan in (\"pro\", \"team\") and did \"E\" in 7d\n"
    "}\n"
    "test s \"enters and leaves\" {\n"
    "  set user.plan = \"pro\"\n"
    "  at 1d event \"E\" { a.b = [1, \"x\"] }\n"
    "  at 1d expect enter\n"
    "  at 2d identify { plan = \"free\" }\n"
    "  at 2d expect exit\n"
    "}\n"
    "test s \"is wrong\" {\n"
    "  at 1d expect in\n"
    "}\n";

struct tested {
    int passed, conditions, covered;
};

static void count_passed(void *arg, const struct seg_test_result *result)
{
    ((struct tested *)arg)->passed += result->passed;
}

static void count_covered(void *arg, const struct seg_coverage *coverage)
{
    struct tested *tested = arg;
    tested->conditions++;
    tested->covered += coverage->seen_true && coverage->seen_false;
}

START_TEST(a_test_block_is_run_or_not)
{
    struct seg_catalogue *all = small_world_compile(tested_text);
    for (long n = 1;; n++) {
        struct tested tested = {0};
        fail_alloc_begin(n, modes[_i]);
        int ret = seg_catalogue_test_coverage(all, count_passed, count_covered,
                                              &tested);
        if (!fail_alloc_end()) {
            ck_assert_int_eq(ret, 1);
            ck_assert_int_eq(tested.passed, 1);
            ck_assert_int_eq(tested.conditions, 2);
            ck_assert_int_eq(tested.covered, 2);
            break;
        }
        ck_assert_msg(ret == SEG_ERR_NOMEM, "allocation %ld: %d", n, ret);
    }
    seg_catalogue_free(all);
}
END_TEST

/* What a catalogue costs, and which of its events came in. */
START_TEST(costs_and_events_are_told_or_not)
{
    static const struct seg_text seen[] = {{"Order Placed", 12},
                                           {"goal used", 9}};
    struct seg_catalogue *all = small_world_compile(language_text);
    long failed = 1;
    for (long n = 1; failed; n++) {
        struct seg_diagnostics *said = NULL;
        struct seg_cost *cost = NULL;
        fail_alloc_begin(n, modes[_i]);
        int ret = seg_diagnostics_new(&said);
        if (ret == 0)
            ret = seg_catalogue_check_events(all, seen, COUNT(seen), said);
        if (ret == 0)
            ret = seg_catalogue_cost(&cost, all);
        failed = fail_alloc_end();
        ck_assert_msg(ret == 0 ? cost && cost->part_count == 3 &&
                                     seg_diagnostics_warnings(said) == 6
                               : failed && ret == SEG_ERR_NOMEM && !cost,
                      "allocation %ld: %d, %d parts, %d warnings", n, ret,
                      cost ? cost->part_count : 0,
                      said ? seg_diagnostics_warnings(said) : 0);
        seg_cost_free(cost);
        seg_diagnostics_free(said);
    }
    seg_catalogue_free(all);
}
END_TEST

/* A number for all that DIFF says. */
static uint64_t diff_digest(const struct seg_diff *diff)
{
    uint64_t sum = (uint64_t)seg_diff_count(diff);
    for (int i = 0; i < seg_diff_count(diff); i++) {
        const struct seg_difference *of = seg_diff_at(diff, i);
        sum = hash_bytes(of->name, strlen(of->name), sum + (uint64_t)of->kind);
        for (int f = 0; f < of->field_count; f++)
            sum = hash_bytes(of->fields[f].after, strlen(of->fields[f].after),
                             sum);
        for (int t = 0; t < of->through_count; t++)
            sum = hash_bytes(of->through[t], strlen(of->through[t]), sum);
        for (int s = 0; s < of->segment_count; s++)
            sum = hash_bytes(of->segments[s], strlen(of->segments[s]), sum);
    }
    return sum;
}

START_TEST(catalogues_are_compared_or_not)
{
    struct seg_catalogue *tested = small_world_compile(tested_text);
    struct seg_catalogue *language = small_world_compile(language_text);
    const struct seg_catalogue *pairs[][2] = {
        {tested, language}, {language, tested}, {language, language}};
    for (int p = 0; p < COUNT(pairs); p++) {
        struct seg_diff *diff = NULL;
        ck_assert_int_eq(seg_catalogue_diff(&diff, pairs[p][0], pairs[p][1], 0),
                         0);
        uint64_t want = diff_digest(diff);
        long failed = 1;
        for (long n = 1; failed; n++) {
            seg_diff_free(diff);
            diff = NULL;
            fail_alloc_begin(n, modes[_i]);
            int ret = seg_catalogue_diff(&diff, pairs[p][0], pairs[p][1], 0);
            failed = fail_alloc_end();
            ck_assert_msg(ret == 0 ? diff_digest(diff) == want
                                   : failed && ret == SEG_ERR_NOMEM && !diff,
                          "allocation %ld of pair %d: %d", n, p, ret);
        }
        seg_diff_free(diff);
    }
    seg_catalogue_free(tested);
    seg_catalogue_free(language);
}
END_TEST

SUITE("no_memory_files", setup, teardown,
      TIMES(a_catalogue_is_compiled_or_not, 2 * COUNT(modes)),
      TABLE(a_catalogue_is_compiled_or_not_wherever_a_chunk_ends, docs_bytes),
      TABLE(what_is_wrong_is_said_or_there_is_no_memory, modes),
      TABLE(a_file_is_formatted_or_not, modes),
      TABLE(a_file_goes_to_json_and_back_or_not, modes),
      TABLE(all_of_the_language_is_checked_or_not, modes),
      TABLE(a_test_block_is_run_or_not, modes),
      TABLE(costs_and_events_are_told_or_not, modes),
      TABLE(catalogues_are_compared_or_not, modes))
