/* check_metric.c: counting, and reading it from another thread. */
#include "daemon/base/metric.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "tests/support/suite.h"

#define SEGMENTS "segment b { when everyone }\nsegment a { when everyone }\n"

static struct seg_catalogue *catalogue;
static struct metrics *metrics;
static struct buf out;

static void setup(void)
{
    struct seg_diagnostics *diagnostics;
    struct seg_source source = {"x.seg", SEGMENTS, strlen(SEGMENTS)};
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    ck_assert_int_eq(seg_catalogue_compile(&catalogue, &source, 1, diagnostics),
                     0);
    seg_diagnostics_free(diagnostics);
    ck_assert_int_eq(metrics_new(&metrics, catalogue), 0);
    buf_init(&out);
}

static void teardown(void)
{
    metrics_free(metrics);
    seg_catalogue_free(catalogue);
    buf_done(&out);
}

static const char *print(void)
{
    buf_reset(&out);
    ck_assert_int_eq(metrics_print(metrics, &out), 0);
    return buf_string(&out);
}

/* Whether LINE stands in what is printed, as a whole line. */
static void must_print(const char *line)
{
    char whole[300];
    snprintf(whole, sizeof(whole), "\n%s\n", line);
    ck_assert_msg(strstr(print(), whole) != NULL, "%s is not in\n%s", line,
                  buf_string(&out));
}

static void must_not_print(const char *text)
{
    ck_assert_msg(!strstr(print(), text), "%s is in\n%s", text,
                  buf_string(&out));
}

START_TEST(structs_of_threads_are_added_up)
{
    static struct metric_process one, two;
    metrics_add(metrics, METRIC_PROCESS, &one, 1, NULL);
    metrics_add(metrics, METRIC_PROCESS, &two, 1, NULL);
    metric_add(&one.events, 40);
    metric_add(&two.events, 2);
    metric_set(&two.wall_step_ms, -1500);
    metric_set(&one.cpu_us, 1500001);
    must_print("segmentd_events_total 42");
    must_print("segmentd_wall_step_seconds -1.500");
    must_print("segmentd_cpu_seconds_total 1.500001");
    must_print("# TYPE segmentd_events_total counter");
    metrics_remove(metrics, &two);
    must_print("segmentd_events_total 40");
    metrics_remove(metrics, &one);
    must_not_print("segmentd_events_total");
}
END_TEST

START_TEST(segments_are_added_up_by_their_keys_in_order)
{
    static struct metric_segment one[2], two[2];
    metrics_add(metrics, METRIC_SEGMENT, one, 2, NULL);
    metrics_add(metrics, METRIC_SEGMENT, two, 2, NULL);
    metric_add(&one[0].entered, 3);
    metric_add(&two[0].entered, 4);
    metric_add(&two[1].members, 9);
    must_print("segmentd_segment_entered_total{segment=\"a\"} 7");
    must_print("segmentd_segment_entered_total{segment=\"b\"} 0");
    must_print("segmentd_segment_members{segment=\"b\"} 9");
}
END_TEST

START_TEST(reasons_are_named_as_in_dead_letters)
{
    static struct metric_reason reasons[METRIC_REASON_COUNT];
    metrics_add(metrics, METRIC_REASON, reasons, METRIC_REASON_COUNT, NULL);
    metric_add(&reasons[metric_reason_index(SEG_ERR_JSON)].dead_letters, 5);
    ck_assert_int_eq(metric_reason_index(SEG_ERR_NOMEM), 0);
    ck_assert_int_eq(metric_reason_index(SEG_ERR_END_), METRIC_REASON_COUNT);
    must_print("segmentd_dead_letters_total{reason=\"bad_json\"} 5");
    must_print("segmentd_dead_letters_total{reason=\"wrong_partition\"} 0");
}
END_TEST

START_TEST(structs_with_labels_of_their_own_stand_by_themselves)
{
    static struct metric_partition three, four;
    static const char *const labels3[] = {"partition=\"3\""};
    static const char *const labels4[] = {"partition=\"4\""};
    metrics_add(metrics, METRIC_PARTITION, &three, 1, labels3);
    metrics_add(metrics, METRIC_PARTITION, &four, 1, labels4);
    metric_set(&three.users, 1);
    metric_set(&four.users, 2);
    must_print("segmentd_users{partition=\"3\"} 1");
    must_print("segmentd_users{partition=\"4\"} 2");
    metrics_remove(metrics, &three);
    must_not_print("partition=\"3\"");
    must_print("segmentd_users{partition=\"4\"} 2");
}
END_TEST

START_TEST(states_shared_by_threads_are_added_up)
{
    static struct metric_state one[2], two[2];
    static const char *const labels[] = {"state=\"running\"",
                                         "state=\"refused\""};
    metrics_add(metrics, METRIC_STATE, one, 2, labels);
    metrics_add(metrics, METRIC_STATE, two, 2, labels);
    metric_set(&one[0].partitions, 3);
    metric_set(&two[0].partitions, 4);
    must_print("segmentd_partitions{state=\"running\"} 7");
    must_print("segmentd_partitions{state=\"refused\"} 0");
}
END_TEST

static int64_t now_us;

static int64_t now(void)
{
    return now_us;
}

/* A worker that waits in a call counts nothing: the reader looks at the clock. */
START_TEST(an_age_grows_by_itself)
{
    static struct metric_worker one;
    static const char *const labels[] = {"worker=\"0\""};
    clock_source(now, now);
    clock_open();
    metrics_add(metrics, METRIC_WORKER, &one, 1, labels);
    now_us = 5000000;
    must_print("segmentd_transaction_age_seconds{worker=\"0\"} 0.000");
    metric_set(&one.transaction_since_ms, clock_monotonic_ms());
    now_us += 2500000;
    must_print("segmentd_transaction_age_seconds{worker=\"0\"} 2.500");
    metric_set(&one.transaction_since_ms, 0);
    must_print("segmentd_transaction_age_seconds{worker=\"0\"} 0.000");
    clock_source(NULL, NULL);
}
END_TEST

START_TEST(each_worker_stands_by_itself)
{
    static struct metric_worker one, two;
    static const char *const labels0[] = {"worker=\"0\""};
    static const char *const labels1[] = {"worker=\"1\""};
    metrics_add(metrics, METRIC_WORKER, &one, 1, labels0);
    metrics_add(metrics, METRIC_WORKER, &two, 1, labels1);
    metric_set(&two.backfill_remaining, 25);
    must_print("segmentd_backfill_remaining_records{worker=\"0\"} 0");
    must_print("segmentd_backfill_remaining_records{worker=\"1\"} 25");
}
END_TEST

static const struct {
    int64_t us;
    const char *first; /* The first bucket that has it. */
} durations[] = {
    {-5, "0.001"},   {0, "0.001"},       {1000, "0.001"},
    {1001, "0.002"}, {300000000, "300"}, {300000001, "+Inf"},
};

START_TEST(a_duration_counts_from_its_bucket_on)
{
    static struct metric_process one;
    char line[100];
    metrics_add(metrics, METRIC_PROCESS, &one, 1, NULL);
    metric_observe(&one.commit_us, durations[_i].us);
    snprintf(line, sizeof(line),
             "segmentd_commit_duration_seconds_bucket{le=\"%s\"} 1",
             durations[_i].first);
    must_print(line);
    char *first = strstr((char *)buf_string(&out), line);
    *first = 0; /* None before it. */
    ck_assert_ptr_null(strstr(buf_string(&out), "_bucket{le=\"0.001\"} 1"));
    must_print("segmentd_commit_duration_seconds_count 1");
}
END_TEST

START_TEST(the_sum_of_durations_is_in_seconds)
{
    static struct metric_process one, two;
    metrics_add(metrics, METRIC_PROCESS, &one, 1, NULL);
    metrics_add(metrics, METRIC_PROCESS, &two, 1, NULL);
    metric_observe(&one.commit_us, 1500);
    metric_observe(&two.commit_us, 2500000);
    must_print("segmentd_commit_duration_seconds_sum 2.501500");
    must_print("segmentd_commit_duration_seconds_count 2");
    must_print("segmentd_commit_duration_seconds_bucket{le=\"+Inf\"} 2");
}
END_TEST

START_TEST(labels_are_escaped_and_separated)
{
    struct buf label;
    buf_init(&label);
    metric_label(&label, "topic", "a\"b\\c\nd");
    metric_label(&label, "partition", "3");
    ck_assert_str_eq(buf_string(&label),
                     "topic=\"a\\\"b\\\\c\\nd\",partition=\"3\"");
    buf_done(&label);
}
END_TEST

/* ---- the table ------------------------------------------------------- */

static const struct {
    const char *name, *type, *help;
} table[] = {
#define X(field, name, type, unit, help) {name, #type, help},
    METRIC_TABLE(X, X, X, X, X, X, X, X, X, X)
#undef X
};

START_TEST(rows_are_unique_and_tell_what_they_mean)
{
    const char *name = table[_i].name, *help = table[_i].help;
    size_t len = strlen(name);
    int is_total = len > 6 && !strcmp(name + len - 6, "_total");
    for (int i = 0; i < _i; i++)
        ck_assert_msg(strcmp(name, table[i].name), "%s is there twice", name);
    ck_assert_msg(help[strlen(help) - 1] == '.', "%s: no full stop", name);
    ck_assert_msg(!strpbrk(help, "\\\n"), "%s: needs escapes", name);
    ck_assert_msg(is_total == !strcmp(table[_i].type, "COUNTER"),
                  "%s: only counters end in _total", name);
}
END_TEST

/* All scopes with a number in each, as Prometheus' own checker sees them. */
START_TEST(promtool_finds_nothing_to_say)
{
    static struct metric_process process;
    static struct metric_partition partition;
    static struct metric_input input;
    static struct metric_segment segments[2];
    static struct metric_reason reasons[METRIC_REASON_COUNT];
    static struct metric_state states[1];
    static struct metric_worker worker;
    static struct metric_view view;
    static struct metric_build build;
    static struct metric_catalogue info;
    static const char *const in[] = {"topic=\"a\\\"\",partition=\"3\""};
    static const char *const at[] = {"partition=\"3\""};
    static const char *const state[] = {"state=\"running\""};
    static const char *const first[] = {"worker=\"0\""};
    static const char *const version[] = {"version=\"1\",librdkafka=\"2\""};
    static const char *const hash[] = {"hash=\"9f3a01c2\""};
    metrics_add(metrics, METRIC_PROCESS, &process, 1, NULL);
    metrics_add(metrics, METRIC_PARTITION, &partition, 1, at);
    metrics_add(metrics, METRIC_INPUT, &input, 1, in);
    metrics_add(metrics, METRIC_SEGMENT, segments, 2, NULL);
    metrics_add(metrics, METRIC_REASON, reasons, METRIC_REASON_COUNT, NULL);
    metrics_add(metrics, METRIC_STATE, states, 1, state);
    metrics_add(metrics, METRIC_WORKER, &worker, 1, first);
    metrics_add(metrics, METRIC_VIEW, &view, 1, NULL);
    metrics_add(metrics, METRIC_BUILD, &build, 1, version);
    metrics_add(metrics, METRIC_CATALOGUE, &info, 1, hash);
    metric_observe(&process.commit_us, 5000);
    for (int i = 0; i < COUNT(table); i++) {
        char type[100];
        snprintf(type, sizeof(type), "# TYPE segmentd_%s ", table[i].name);
        ck_assert_msg(strstr(print(), type) != NULL, "no %s", table[i].name);
    }
    FILE *promtool = popen("promtool check metrics 1>&2", "w");
    ck_assert_ptr_nonnull(promtool);
    fputs(print(), promtool);
    ck_assert_int_eq(pclose(promtool), 0);
}
END_TEST

static void *count_up(void *arg)
{
    struct metric_process *process = arg;
    for (int i = 0; i < 100000; i++)
        metric_add(&process->events, 1);
    return NULL;
}

START_TEST(a_reader_never_sees_a_counter_fall)
{
    static struct metric_process process;
    pthread_t thread;
    long long last = 0, seen = 0;
    metrics_add(metrics, METRIC_PROCESS, &process, 1, NULL);
    pthread_create(&thread, NULL, count_up, &process);
    for (int i = 0; i < 50; i++) {
        const char *at = strstr(print(), "\nsegmentd_events_total ");
        ck_assert_int_eq(sscanf(at, " segmentd_events_total %lld", &seen), 1);
        ck_assert_int_ge(seen, last);
        last = seen;
    }
    pthread_join(thread, NULL);
    must_print("segmentd_events_total 100000");
}
END_TEST

START_TEST(an_array_takes_the_place_of_another)
{
    static struct metric_segment one[2], two[2], more[2];
    metrics_replace(metrics, METRIC_SEGMENT, NULL, one, 2);
    metrics_replace(metrics, METRIC_SEGMENT, NULL, two, 2);
    metric_add(&one[0].entered, 40);
    metric_add(&two[0].entered, 2);
    metric_add(&more[0].entered, 50);
    must_print("segmentd_segment_entered_total{segment=\"a\"} 42");
    metrics_replace(metrics, METRIC_SEGMENT, one, more, 2);
    must_print("segmentd_segment_entered_total{segment=\"a\"} 52");
    metrics_remove(metrics, one);
    must_print("segmentd_segment_entered_total{segment=\"a\"} 52");
    metrics_remove(metrics, more);
    must_print("segmentd_segment_entered_total{segment=\"a\"} 2");
}
END_TEST

SUITE("metric", setup, teardown, TEST(structs_of_threads_are_added_up),
      TEST(segments_are_added_up_by_their_keys_in_order),
      TEST(reasons_are_named_as_in_dead_letters),
      TEST(structs_with_labels_of_their_own_stand_by_themselves),
      TEST(states_shared_by_threads_are_added_up), TEST(an_age_grows_by_itself),
      TEST(each_worker_stands_by_itself),
      TABLE(a_duration_counts_from_its_bucket_on, durations),
      TEST(the_sum_of_durations_is_in_seconds),
      TEST(labels_are_escaped_and_separated),
      TABLE(rows_are_unique_and_tell_what_they_mean, table),
      TEST(promtool_finds_nothing_to_say),
      TEST(a_reader_never_sees_a_counter_fall),
      TEST(an_array_takes_the_place_of_another))
