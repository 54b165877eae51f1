/* check_fail.c: failpoints, in every build: the file is compiled in here. */
#ifndef SEGMENTD_FAILPOINTS
#define SEGMENTD_FAILPOINTS
#endif
#include "daemon/base/fail.c"

#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/base/clock.h"
#include "tests/support/suite.h"

static char wrong[100];

static void must_open(const char *text)
{
    ck_assert_msg(fail_open(text, NULL, wrong, sizeof(wrong)) == 0, "%s: %s",
                  text, wrong);
}

START_TEST(points_that_are_not_named_do_nothing)
{
    must_open("begin=error");
    for (int i = 0; i < FAIL_COUNT; i++)
        ck_assert_msg(fail_reach(i) == (i == FAIL_BEGIN), "%s", names[i]);
    must_open("");
    ck_assert_int_eq(FAIL_POINT(BEGIN), 0);
    must_open(NULL);
    ck_assert_int_eq(FAIL_POINT(BEGIN), 0);
}
END_TEST

START_TEST(a_numbered_point_fails_at_that_time_only)
{
    must_open("emit=error@3,flush=error@1");
    for (int i = 1; i <= 5; i++)
        ck_assert_int_eq(FAIL_POINT(EMIT), i == 3);
    ck_assert_int_eq(FAIL_POINT(FLUSH), 1);
    ck_assert_int_eq(FAIL_POINT(FLUSH), 0);
}
END_TEST

static const char *const mistakes[] = {
    "nowhere=kill",     "begin=explode",  "begin",         "begin=",
    "begin=kill@",      "begin=kill@0",   "begin=kill@x",  "begin=sleep",
    "begin=sleep -1",   "begin=kill 5",   "begin=kill@2x", "=kill",
    "begin=sleep 5 @2", "begin=error@-1",
};

START_TEST(a_mistake_is_an_error_that_shows_it)
{
    char text[100];
    snprintf(text, sizeof(text), "emit=error,%s", mistakes[_i]);
    int err = fail_open(text, NULL, wrong, sizeof(wrong));
    ck_assert_msg(err == SEG_ERR_INVALID && !strcmp(wrong, mistakes[_i]),
                  "%s: got %d, %s", text, err, wrong);
}
END_TEST

START_TEST(sleep_takes_its_time_at_every_visit)
{
    must_open("advance=sleep 3");
    int64_t before_us = clock_monotonic_us();
    ck_assert_int_eq(FAIL_POINT(ADVANCE), 0);
    ck_assert_int_eq(FAIL_POINT(ADVANCE), 0);
    ck_assert_int_ge(clock_monotonic_us() - before_us, 6000);
}
END_TEST

/* Run a child up to point BEGIN; its status as waitpid says. */
static int child_status(pid_t *pid)
{
    int status = 0;
    *pid = fork();
    if (!*pid) {
        fail_reach(FAIL_BEGIN);
        _exit(42);
    }
    ck_assert_int_eq(waitpid(*pid, &status, WUNTRACED), *pid);
    return status;
}

START_TEST(kill_ends_the_process_at_once)
{
    pid_t pid;
    must_open("begin=kill");
    int status = child_status(&pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

START_TEST(a_stopped_process_goes_on_when_told)
{
    pid_t pid;
    must_open("begin=stop");
    int status = child_status(&pid);
    ck_assert(WIFSTOPPED(status));
    kill(pid, SIGCONT);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}
END_TEST

START_TEST(a_barrier_says_it_is_reached_and_waits_for_the_go)
{
    char dir[] = "/tmp/check_fail.XXXXXX", reached[64], go[64];
    int status;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(reached, sizeof(reached), "%s/begin.reached", dir);
    snprintf(go, sizeof(go), "%s/begin.go", dir);
    ck_assert_int_eq(fail_open("begin=barrier", dir, wrong, sizeof(wrong)), 0);
    pid_t pid = fork();
    if (!pid) {
        fail_reach(FAIL_BEGIN);
        _exit(42);
    }
    int64_t deadline_ms = clock_monotonic_ms() + 30000;
    while (access(reached, F_OK) && clock_monotonic_ms() < deadline_ms)
        sleep_ms(1);
    ck_assert_int_eq(access(reached, F_OK), 0);
    ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
    close(open(go, O_CREAT | O_WRONLY, 0600));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    unlink(reached);
    unlink(go);
    rmdir(dir);
}
END_TEST

static void leave_order(const char *dir, const char *text)
{
    char path[64], order[64];
    snprintf(path, sizeof(path), "%s/emit.new", dir);
    snprintf(order, sizeof(order), "%s/emit.order", dir);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
    ck_assert_int_eq(rename(path, order), 0);
}

START_TEST(an_order_is_obeyed_and_counted_from_then_on)
{
    char dir[] = "/tmp/check_fail.XXXXXX", order[64], taken[64];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(order, sizeof(order), "%s/emit.order", dir);
    snprintf(taken, sizeof(taken), "%s/emit.taken", dir);
    ck_assert_int_eq(fail_open("emit=error@2", dir, wrong, sizeof(wrong)), 0);
    ck_assert_int_eq(FAIL_POINT(EMIT), 0);
    leave_order(dir, "error@3");
    for (int i = 1; i <= 5; i++)
        ck_assert_int_eq(FAIL_POINT(EMIT), i == 3);
    ck_assert_int_ne(access(order, F_OK), 0);
    leave_order(dir, "sleep 0");
    ck_assert_int_eq(FAIL_POINT(EMIT), 0);
    /* Who does not say where orders lie gets none. */
    ck_assert_int_eq(fail_open("", NULL, wrong, sizeof(wrong)), 0);
    leave_order(dir, "error");
    ck_assert_int_eq(FAIL_POINT(EMIT), 0);
    unlink(order);
    unlink(taken);
    rmdir(dir);
}
END_TEST

START_TEST(an_order_ends_the_waiting_at_a_barrier)
{
    char dir[] = "/tmp/check_fail.XXXXXX", reached[64], path[64];
    int status;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(reached, sizeof(reached), "%s/emit.reached", dir);
    ck_assert_int_eq(fail_open("emit=barrier", dir, wrong, sizeof(wrong)), 0);
    pid_t pid = fork();
    if (!pid) {
        fail_reach(FAIL_EMIT);
        _exit(access(reached, F_OK) ? 42 : 1);
    }
    int64_t deadline_ms = clock_monotonic_ms() + 30000;
    while (access(reached, F_OK) && clock_monotonic_ms() < deadline_ms)
        sleep_ms(1);
    leave_order(dir, "sleep 0");
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    snprintf(path, sizeof(path), "%s/emit.order", dir);
    unlink(path);
    rmdir(dir);
}
END_TEST

START_TEST(names_are_unique_and_explained)
{
    static const char *const where[] = {
#define X(name, text, help) help,
        FAIL_TABLE(X)
#undef X
    };
    for (int i = 0; i < FAIL_COUNT; i++) {
        ck_assert_msg(find(names, FAIL_COUNT, names[i]) == i, "%s", names[i]);
        ck_assert_msg(where[i][strlen(where[i]) - 1] == '.', "%s", names[i]);
    }
}
END_TEST

/* A point that no code reaches would make tests wait for nothing. */
START_TEST(every_point_is_reached_somewhere)
{
    static const char *const enums[] = {
#define X(name, text, where) #name,
        FAIL_TABLE(X)
#undef X
    };
    char command[200];
    snprintf(command, sizeof(command),
             "grep -rqs 'FAIL_POINT(%s)' daemon --include='*.c'", enums[_i]);
    ck_assert_msg(system(command) == 0, "nothing reaches %s", enums[_i]);
}
END_TEST

SUITE("fail", NULL, NULL, TEST(points_that_are_not_named_do_nothing),
      TEST(a_numbered_point_fails_at_that_time_only),
      TABLE(a_mistake_is_an_error_that_shows_it, mistakes),
      TEST(sleep_takes_its_time_at_every_visit),
      TEST(kill_ends_the_process_at_once),
      TEST(a_stopped_process_goes_on_when_told),
      TEST(a_barrier_says_it_is_reached_and_waits_for_the_go),
      TEST(an_order_is_obeyed_and_counted_from_then_on),
      TEST(an_order_ends_the_waiting_at_a_barrier),
      TEST(names_are_unique_and_explained),
      TABLE(every_point_is_reached_somewhere, names))
