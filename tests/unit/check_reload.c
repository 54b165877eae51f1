/* check_reload.c: a worker gets another catalogue, and memory runs out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/base/log.h"
#include "daemon/worker/worker_inside.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/suite.h"

#define SEGMENTS 40 /* More than what allocators leave for free. */

static struct metrics *metrics;
static struct seg_catalogue *before, *after;
static struct worker *worker;
static struct buf out;
static int unheard; /* Lines in the log. */
static void count_line(void *arg, const char *line)
{
    (void)arg;
    unheard += strstr(line, "no memory for another catalogue") != NULL;
}

/* A catalogue of segments s0, s1 ... */
static struct seg_catalogue *catalogue_of(int count)
{
    struct seg_catalogue *catalogue;
    struct seg_diagnostics *diagnostics;
    struct buf text;
    buf_init(&text);
    for (int i = 0; i < count; i++)
        buf_printf(&text, "segment s%d { when everyone }\n", i);
    struct seg_source source = {"x.seg", buf_string(&text), text.len};
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    ck_assert_int_eq(seg_catalogue_compile(&catalogue, &source, 1, diagnostics),
                     0);
    seg_diagnostics_free(diagnostics);
    buf_done(&text);
    return catalogue;
}

static void setup(void)
{
    unheard = 0;
    log_capture(count_line, NULL);
    buf_init(&out);
    before = catalogue_of(2);
    after = catalogue_of(SEGMENTS);
    ck_assert_int_eq(metrics_new(&metrics, before), 0);
    ck_assert_int_eq(metrics_add_segments(metrics, after), 0);
    worker = calloc(1, sizeof(*worker));
    worker->options.metrics = metrics;
    worker->ledger.catalogue = before;
    intern_init(&worker->keys);
}

static void teardown(void)
{
    metrics_remove(metrics, worker->segments);
    free(worker->segments);
    free(worker->sizes);
    intern_done(&worker->keys);
    free(worker);
    metrics_free(metrics);
    seg_catalogue_free(before);
    seg_catalogue_free(after);
    buf_done(&out);
    log_capture(NULL, NULL);
}

static void must_print(const char *line)
{
    buf_reset(&out);
    ck_assert_int_eq(metrics_print(metrics, &out), 0);
    ck_assert_msg(strstr(buf_string(&out), line) != NULL, "%s is not in\n%s",
                  line, buf_string(&out));
}

static void enters(const char *key)
{
    struct seg_output output = {.kind = SEG_OUTPUT_CHANGE,
                                .member = 1,
                                .segment_key = {key, strlen(key)}};
    measure_output(worker, &output);
}

/* The round of a second: gauges of all segments, by no partition. */
static void measure(void)
{
    worker->consumer = (struct consumer *)worker; /* Asked nothing. */
    worker->now_ms += 1000;
    measure_all(worker);
}

START_TEST(a_catalogue_without_memory_for_it_leaves_what_was_counted)
{
    int refused = 0;
    ck_assert_int_eq(measure_catalogue(worker), 0);
    enters("s1");
    worker->ledger.catalogue = after;
    for (long n = 1;; n++) {
        fail_alloc_begin(n, FAIL_ALLOC_ONE);
        int r = measure_catalogue(worker);
        if (!fail_alloc_end())
            break;
        ck_assert_int_eq(r, SEG_ERR_NOMEM);
        refused++;
        measure();
        enters("s1");
        must_print("segmentd_segment_entered_total{segment=\"s1\"} ");
    }
    ck_assert_int_gt(refused, 2);
    enters("s39");
    measure();
    char line[80];
    snprintf(line, sizeof(line),
             "\nsegmentd_segment_entered_total{segment=\"s1\"} %d\n",
             refused + 1);
    must_print(line);
    must_print("\nsegmentd_segment_entered_total{segment=\"s39\"} 1\n");
    must_print("\nsegmentd_segment_members{segment=\"s39\"} 0\n");
}
END_TEST

START_TEST(a_worker_without_memory_takes_what_it_is_handed_again)
{
    int refused = 0;
    ck_assert_int_eq(measure_catalogue(worker), 0);
    seg_catalogue_share(before); /* The worker's own. */
    for (long n = 1;; n++) {
        fail_alloc_begin(n, FAIL_ALLOC_ONE);
        worker_set_catalogue(worker, after);
        if (!fail_alloc_end())
            break;
        ck_assert_ptr_eq(worker->ledger.catalogue, before);
        refused++;
        enters("s1");
        measure();
    }
    ck_assert_int_gt(refused, 2);
    ck_assert_int_eq(unheard, refused);
    ck_assert_ptr_eq(worker->ledger.catalogue, after);
    enters("s39");
    measure();
    must_print("\nsegmentd_segment_entered_total{segment=\"s39\"} 1\n");
    worker_set_catalogue(worker, after); /* It has it already. */
    ck_assert_ptr_eq(worker->ledger.catalogue, after);
    seg_catalogue_free(after); /* The worker's own. */
}
END_TEST

SUITE("reload", setup, teardown,
      TEST(a_catalogue_without_memory_for_it_leaves_what_was_counted),
      TEST(a_worker_without_memory_takes_what_it_is_handed_again))
