/* check_top_sample.c: what segmentctl top makes of two looks at the metrics. */
#include "daemon/ctl/top_sample.h"

#include <string.h>

#include <seg/error.h>

#include "tests/support/suite.h"

static const char first[] =
    "# HELP segmentd_events_total Events.\n"
    "# TYPE segmentd_events_total counter\n"
    "segmentd_events_total 1000\n"
    "segmentd_commits_total 50\n"
    "segmentd_input_lag_records{topic=\"a\",partition=\"0\"} 3\n"
    "segmentd_input_lag_records{topic=\"a\",partition=\"1\"} 4\n"
    "segmentd_input_lag_seconds{topic=\"a\",partition=\"0\"} 1.5\n"
    "segmentd_input_lag_seconds{topic=\"a\",partition=\"1\"} 0.5\n"
    "segmentd_partitions{state=\"running\"} 2\n"
    "segmentd_partitions{state=\"restoring\"} 1\n"
    "segmentd_partitions{state=\"refused\"} 0\n"
    "segmentd_segment_entered_total{segment=\"quiet\"} 5\n"
    "segmentd_segment_entered_total{segment=\"busy\"} 7\n"
    "segmentd_segment_exited_total{segment=\"quiet\"} 0\n"
    "segmentd_segment_exited_total{segment=\"busy\"} 1\n"
    "segmentd_segment_members{segment=\"quiet\"} 500\n"
    "segmentd_segment_members{segment=\"busy\"} 6\n"
    "segmentd_commit_duration_seconds_bucket{le=\"+Inf\"} 50\n"
    "segmentd_build_info{version=\"1.2.3\",librdkafka=\"2.0.2\"} 1\n"
    "segmentd_catalogue_info{hash=\"9f3a01c2\"} 1\n"
    "segmentd_uptime_seconds 10\n"
    "process_open_fds 5\n"
    "nonsense\n"
    "segmentd_lonely";

static struct top_sample before, now;
static struct buf out;

static void read_text(struct top_sample *sample, const char *text, double at_s)
{
    ck_assert_int_eq(top_sample_read(sample, text, strlen(text), at_s), 0);
}

static void setup(void)
{
    buf_init(&out);
    read_text(&before, first, 100);
    read_text(&now, first, 102);
}

static void teardown(void)
{
    top_sample_done(&before);
    top_sample_done(&now);
    buf_done(&out);
}

static void is_shown(const char *part)
{
    ck_assert_msg(strstr(buf_string(&out), part) != NULL, "not there: %s\n%s",
                  part, buf_string(&out));
}

START_TEST(series_are_added_up_or_the_largest_is_taken)
{
    ck_assert(now.events == 1000 && now.lag_records == 7 && now.lag_s == 1.5);
    ck_assert_str_eq(now.version, "1.2.3");
    ck_assert_str_eq(now.catalogue, "9f3a01c2");
    ck_assert_int_eq(now.state_count, 3);
    ck_assert_uint_eq(now.segment_count, 2);
    ck_assert_str_eq(now.segments[1].key, "busy");
    ck_assert(now.segments[1].entered == 7 && now.segments[1].exited == 1 &&
              now.segments[1].members == 6);
    ck_assert(now.redis_up < 0);
}
END_TEST

START_TEST(rates_are_what_happened_in_between)
{
    now.events = 3000;
    now.commits = 51;
    now.segments[1].entered = 27;
    top_print(&out, &before, &now, 1, "", 10);
    is_shown("segmentd 1.2.3  catalogue 9f3a01c2  up 10 s");
    is_shown("\nready\npartitions  2 running, 1 restoring\n");
    is_shown("events      1000/s, 7 behind, the oldest 1.5 s;");
    is_shown("commits     0.5/s");
    is_shown("redis       no view\n");
    is_shown("           6         10.0          0.0  busy\n");
}
END_TEST

START_TEST(the_busiest_come_first_then_the_largest)
{
    top_print(&out, &before, &now, 1, "", 10);
    ck_assert(strstr(buf_string(&out), "quiet") <
              strstr(buf_string(&out), "busy"));
    buf_reset(&out);
    now.segments[1].exited = 2;
    top_print(&out, &before, &now, 1, "", 10);
    ck_assert(strstr(buf_string(&out), "busy") <
              strstr(buf_string(&out), "quiet"));
}
END_TEST

START_TEST(what_does_not_fit_is_counted)
{
    top_print(&out, &before, &now, 1, "", 1);
    is_shown("quiet\n         ... 1 more\n");
    ck_assert_ptr_null(strstr(buf_string(&out), "busy"));
}
END_TEST

START_TEST(a_daemon_that_was_restarted_has_no_negative_rates)
{
    now.events = 10;
    now.segments[0].entered = 0;
    top_print(&out, &before, &now, 0, "Partition 3 is restoring.", 10);
    is_shown("NOT READY: Partition 3 is restoring.\n");
    is_shown("events      0/s");
    ck_assert_ptr_null(strstr(buf_string(&out), "-"));
}
END_TEST

START_TEST(the_view_is_shown_when_there_is_one)
{
    now.redis_up = 1;
    now.redis_lag_s = 0.25;
    top_print(&out, &before, &now, 1, "", 10);
    is_shown("redis       up, 0.2 s behind\n");
    buf_reset(&out);
    now.redis_up = 0;
    top_print(&out, &before, &now, 1, "", 10);
    is_shown("redis       away\n");
}
END_TEST

START_TEST(labels_may_hold_anything)
{
    static const char text[] =
        "segmentd_segment_members{of=\"segment\",segment=\"a\\\"b,}\"} 3\n";
    top_sample_done(&now);
    read_text(&now, text, 0);
    ck_assert_str_eq(now.segments[0].key, "a\"b,}");
    ck_assert(now.segments[0].members == 3);
}
END_TEST

START_TEST(what_is_nothing_of_ours_is_refused)
{
    static const char text[] = "go_goroutines 5\n";
    top_sample_done(&now);
    ck_assert_int_eq(top_sample_read(&now, text, strlen(text), 0),
                     SEG_ERR_INVALID);
    ck_assert_int_eq(top_sample_read(&now, "", 0, 0), SEG_ERR_INVALID);
}
END_TEST

SUITE("top_sample", setup, teardown,
      TEST(series_are_added_up_or_the_largest_is_taken),
      TEST(rates_are_what_happened_in_between),
      TEST(the_busiest_come_first_then_the_largest),
      TEST(what_does_not_fit_is_counted),
      TEST(a_daemon_that_was_restarted_has_no_negative_rates),
      TEST(the_view_is_shown_when_there_is_one), TEST(labels_may_hold_anything),
      TEST(what_is_nothing_of_ours_is_refused))
