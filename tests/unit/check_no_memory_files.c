/* check_no_memory_files.c: segment files when memory runs out.
 *
 * Compiling, formatting and testing are done again and again, with the first,
 * the second, the third ... allocation failing: each says SEG_ERR_NOMEM, leaks
 * nothing, and whatever does succeed is right. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/segment/catalogue.h"
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
    uint64_t sum = 0, want = digest(&catalogue->plan);
    for (long n = 1;; n++) {
        fail_alloc_begin(n, modes[_i]);
        int ret = compile(small_world_text, &sum);
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

static void count_passed(void *arg, const struct seg_test_result *result)
{
    *(int *)arg += result->passed;
}

START_TEST(a_test_block_is_run_or_not)
{
    struct seg_catalogue *tested = small_world_compile(tested_text);
    for (long n = 1;; n++) {
        int passed = 0;
        fail_alloc_begin(n, modes[_i]);
        int ret = seg_catalogue_test(tested, count_passed, &passed);
        if (!fail_alloc_end()) {
            ck_assert_int_eq(ret, 1);
            ck_assert_int_eq(passed, 1);
            break;
        }
        ck_assert_msg(ret == SEG_ERR_NOMEM, "allocation %ld: %d", n, ret);
    }
    seg_catalogue_free(tested);
}
END_TEST

SUITE("no_memory_files", setup, teardown,
      TABLE(a_catalogue_is_compiled_or_not, modes),
      TABLE(a_catalogue_is_compiled_or_not_wherever_a_chunk_ends, docs_bytes),
      TABLE(what_is_wrong_is_said_or_there_is_no_memory, modes),
      TABLE(a_file_is_formatted_or_not, modes),
      TABLE(a_test_block_is_run_or_not, modes))
