/* check_process.c: what the kernel and we ourselves know of this process. */
#include "daemon/base/process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "tests/support/suite.h"

#define MIB (1024 * 1024)

static struct metric_process metrics;

static void ignore(void *arg, const char *line)
{
    (void)arg, (void)line;
}

START_TEST(memory_and_files_are_counted)
{
    process_measure(&metrics);
    int64_t bytes = metric_get(&metrics.resident_bytes);
    int64_t files = metric_get(&metrics.open_files);
    char *more = malloc(64 * MIB);
    memset(more, 1, 64 * MIB);
    int fd = open("/dev/null", O_RDONLY);
    process_measure(&metrics);
    ck_assert_int_ge(metric_get(&metrics.resident_bytes) - bytes, 60 * MIB);
    ck_assert_int_eq(metric_get(&metrics.open_files), files + 1);
    close(fd);
    free(more);
    process_measure(&metrics);
    ck_assert_int_eq(metric_get(&metrics.open_files), files);
}
END_TEST

/* Under AddressSanitizer it always may be, see process.h. */
START_TEST(it_can_be_said_whether_memory_may_be_dumped)
{
    process_set_dumpable(0);
    int off = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    process_measure(&metrics); /* It still sees itself. */
    ck_assert_int_gt(metric_get(&metrics.open_files), 2);
    process_set_dumpable(1);
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
#ifndef __SANITIZE_ADDRESS__
    ck_assert_int_eq(off, 0);
#else
    ck_assert_int_eq(off, 1);
#endif
}
END_TEST

START_TEST(cpu_time_grows_while_we_work)
{
    process_measure(&metrics);
    int64_t before_us = metric_get(&metrics.cpu_us);
    int64_t deadline_ms = clock_monotonic_ms() + 30000;
    do
        process_measure(&metrics);
    while (metric_get(&metrics.cpu_us) < before_us + 5000 &&
           clock_monotonic_ms() < deadline_ms);
    ck_assert_int_ge(metric_get(&metrics.cpu_us), before_us + 5000);
}
END_TEST

START_TEST(lines_of_the_log_are_counted)
{
    log_capture(ignore, NULL);
    process_measure(&metrics);
    int64_t errors = metric_get(&metrics.log_errors);
    int64_t warnings = metric_get(&metrics.log_warnings);
    log_error("e");
    log_warn("w");
    log_info("i");
    process_measure(&metrics);
    ck_assert_int_eq(metric_get(&metrics.log_errors), errors + 1);
    ck_assert_int_eq(metric_get(&metrics.log_warnings), warnings + 1);
    log_capture(NULL, NULL);
}
END_TEST

SUITE("process", NULL, NULL, TEST(memory_and_files_are_counted),
      TEST(it_can_be_said_whether_memory_may_be_dumped),
      TEST(it_can_be_said_whether_memory_may_be_dumped),
      TEST(cpu_time_grows_while_we_work), TEST(lines_of_the_log_are_counted))
