/* check_clock.c: the only place that asks what time it is. */
#include "daemon/base/clock.h"

#include <string.h>
#include <time.h>

#include "daemon/base/log.h"
#include "tests/support/suite.h"

#define START_US INT64_C(1767225600000000) /* 2026-01-01 */

static int64_t real_us, boot_us;
static int warnings;

static int64_t real(void)
{
    return real_us;
}

static int64_t boot(void)
{
    return boot_us;
}

static void count(void *arg, const char *line)
{
    (void)arg;
    warnings += strstr(line, "clock was set") != NULL;
}

static void setup(void)
{
    real_us = START_US;
    boot_us = 5000000;
    warnings = 0;
    clock_source(real, boot);
    clock_open();
    log_capture(count, NULL);
}

static void teardown(void)
{
    clock_source(NULL, NULL);
    log_capture(NULL, NULL);
}

static void pass(int64_t ms)
{
    real_us += ms * 1000;
    boot_us += ms * 1000;
}

START_TEST(the_wall_starts_as_the_system_and_goes_on)
{
    ck_assert_int_eq(clock_wall_ms(), START_US / 1000);
    pass(90000);
    ck_assert_int_eq(clock_wall_ms(), START_US / 1000 + 90000);
    ck_assert_int_eq(clock_check(), 0);
    ck_assert_int_eq(warnings, 0);
}
END_TEST

static const struct {
    int64_t step_ms;
    int warnings;
} steps[] = {
    {-86400000, 1}, {-1001, 1}, {-1000, 0}, {1000, 0}, {1001, 1}, {86400000, 1},
};

START_TEST(a_step_is_logged_once_and_not_followed)
{
    real_us += steps[_i].step_ms * 1000;
    for (int i = 0; i < 3; i++) {
        int64_t got = clock_check();
        ck_assert_msg(got == steps[_i].step_ms, "got %lld want %lld",
                      (long long)got, (long long)steps[_i].step_ms);
    }
    ck_assert_msg(warnings == steps[_i].warnings, "%lld ms: %d warnings",
                  (long long)steps[_i].step_ms, warnings);
    ck_assert_int_eq(clock_wall_ms(), START_US / 1000);
}
END_TEST

START_TEST(a_step_back_is_logged_as_another_step)
{
    real_us += 60000000;
    clock_check();
    real_us -= 60000000;
    ck_assert_int_eq(clock_check(), 0);
    ck_assert_int_eq(warnings, 2);
}
END_TEST

START_TEST(durations_come_from_the_clock_that_never_steps)
{
    int64_t before = clock_monotonic_us();
    real_us -= 3600000000;
    pass(7);
    ck_assert_int_eq(clock_monotonic_us() - before, 7000);
    ck_assert_int_eq(clock_monotonic_ms(), boot_us / 1000);
    ck_assert_int_eq(clock_uptime_ms(), 7);
}
END_TEST

START_TEST(by_default_it_is_the_clock_of_the_system)
{
    struct timespec now;
    clock_source(NULL, NULL);
    clock_open();
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t apart =
        clock_wall_ms() - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    ck_assert_msg(apart >= 0 && apart < 10000, "%lld ms", (long long)apart);
}
END_TEST

SUITE("clock", setup, teardown, TEST(the_wall_starts_as_the_system_and_goes_on),
      TABLE(a_step_is_logged_once_and_not_followed, steps),
      TEST(a_step_back_is_logged_as_another_step),
      TEST(durations_come_from_the_clock_that_never_steps),
      TEST(by_default_it_is_the_clock_of_the_system))
