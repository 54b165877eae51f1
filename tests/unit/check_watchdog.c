/* check_watchdog.c: whether the threads that must turn still turn. */
#include "daemon/base/watchdog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/loop.h"
#include "daemon/base/metric.h"
#include "daemon/base/notify.h"
#include "tests/support/suite.h"

#define LINES_MAX 8

static int64_t now_ms;
static struct loop *loop;
static struct watchdog *watchdog;
static struct watchdog_mark one, two;
static struct metric_process metrics;
static char lines[LINES_MAX][LOG_LINE_MAX + 1];
static int line_count, systemd;

static int64_t now_us(void)
{
    return now_ms * 1000;
}

static void keep(void *arg, const char *line)
{
    (void)arg;
    ck_assert_int_lt(line_count, LINES_MAX);
    strcpy(lines[line_count++], line);
}

/* The socket that systemd would have. */
static void listen_as_systemd(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[64];
    snprintf(name, sizeof(name), "@check_watchdog.%d", getpid());
    setenv("NOTIFY_SOCKET", name, 1);
    strcpy(address.sun_path, name);
    address.sun_path[0] = 0;
    systemd = socket(AF_UNIX, SOCK_DGRAM, 0);
    ck_assert_int_eq(
        bind(systemd, (struct sockaddr *)&address,
             (socklen_t)(sizeof(address.sun_family) + strlen(name))),
        0);
}

/* Whether it was fed since the last call. */
static int is_fed(void)
{
    char got[100];
    int fed = 0;
    for (ssize_t n;
         (n = recv(systemd, got, sizeof(got) - 1, MSG_DONTWAIT)) > 0;) {
        got[n] = 0;
        fed |= !strcmp(got, "WATCHDOG=1");
    }
    return fed;
}

static void setup(void)
{
    now_ms = 1000000;
    line_count = 0;
    one = two = (struct watchdog_mark){0};
    clock_source(now_us, now_us);
    clock_open();
    log_capture(keep, NULL);
    listen_as_systemd();
    ck_assert_int_eq(loop_open(&loop), 0);
    ck_assert_int_eq(watchdog_open(&watchdog, loop, &metrics), 0);
    watchdog_add(watchdog, &one, 0);
    watchdog_add(watchdog, &two, 1);
}

static void teardown(void)
{
    watchdog_remove(&one);
    watchdog_remove(&two);
    watchdog_close(watchdog);
    loop_free(loop);
    close(systemd);
    log_capture(NULL, NULL);
    clock_source(NULL, NULL);
}

/* How many hang, as everybody is told who is. */
static int look(void)
{
    watchdog_look(watchdog); /* After a leap of the clock nobody is judged. */
    is_fed();
    int hung = watchdog_look(watchdog);
    ck_assert_int_eq(is_fed(), !hung);
    ck_assert_int_eq(metric_get(&metrics.hung_workers), hung);
    return hung;
}

START_TEST(who_was_stopped_himself_blames_nobody)
{
    watchdog_turn(&one);
    ck_assert_int_eq(look(), 0);
    now_ms += 3 * WATCHDOG_TURN_MS;
    ck_assert_int_eq(watchdog_look(watchdog), 0);
    ck_assert_int_eq(is_fed(), 0);
    watchdog_turn(&one);
    now_ms += 1000;
    ck_assert_int_eq(watchdog_look(watchdog), 0);
    ck_assert_int_eq(is_fed(), 1);
}
END_TEST

START_TEST(who_has_not_begun_or_has_ended_does_not_hang)
{
    ck_assert_int_eq(look(), 0);
    watchdog_turn(&one);
    watchdog_end(&one);
    now_ms += 2 * WATCHDOG_CALL_MS;
    ck_assert_int_eq(look(), 0);
}
END_TEST

static void begin_call(struct watchdog_mark *mark)
{
    watchdog_enter(mark);
}

static void come_back(struct watchdog_mark *mark)
{
    watchdog_enter(mark);
    watchdog_turn(mark);
}

static const struct {
    void (*begin)(struct watchdog_mark *mark);
    int64_t limit_ms;
    const char *where;
} places[] = {
    {watchdog_turn, WATCHDOG_TURN_MS, " in=turn"},
    {come_back, WATCHDOG_TURN_MS, " in=turn"},
    {begin_call, WATCHDOG_CALL_MS, " in=kafka"},
};

START_TEST(who_stays_longer_than_he_may_hangs)
{
    for (int over = -1; over <= 1; over++) {
        places[_i].begin(&one);
        now_ms += places[_i].limit_ms + over;
        watchdog_turn(&two);
        ck_assert_msg(look() == (over > 0), "%s, over by %d", places[_i].where,
                      over);
    }
    ck_assert_int_eq(line_count, 1);
    ck_assert_msg(strstr(lines[0], "a worker hangs") &&
                      strstr(lines[0], " worker=0 ") &&
                      strstr(lines[0], places[_i].where),
                  "%s", lines[0]);
}
END_TEST

START_TEST(it_is_told_once_and_again_when_it_is_over)
{
    watchdog_turn(&one);
    watchdog_turn(&two);
    now_ms += WATCHDOG_TURN_MS + 1;
    ck_assert_int_eq(look(), 2);
    ck_assert_int_eq(look(), 2);
    watchdog_turn(&one);
    ck_assert_int_eq(look(), 1);
    watchdog_turn(&two);
    ck_assert_int_eq(look(), 0);
    ck_assert_int_eq(line_count, 2);
    ck_assert_ptr_nonnull(strstr(lines[1], "no worker hangs any more"));
}
END_TEST

START_TEST(who_was_taken_out_is_not_looked_at)
{
    watchdog_turn(&one);
    watchdog_remove(&one);
    watchdog_remove(&one);
    now_ms += WATCHDOG_TURN_MS + 1;
    ck_assert_int_eq(look(), 0);
    watchdog_turn(&two);
    now_ms += WATCHDOG_TURN_MS + 1;
    ck_assert_int_eq(look(), 1);
}
END_TEST

START_TEST(nobody_may_be_watched)
{
    watchdog_turn(NULL);
    watchdog_enter(NULL);
    watchdog_turn(NULL);
    watchdog_end(NULL);
    struct watchdog_mark mark = {0};
    watchdog_add(NULL, &mark, 3);
    watchdog_remove(&mark);
}
END_TEST

/* ---- how often ---------------------------------------------------------- */

static const struct {
    const char *usec, *pid; /* "self": ours. */
    int64_t want_ms;
} wishes[] = {
    {NULL, NULL, 0},
    {"30000000", NULL, 10000},
    {"30000000", "self", 10000},
    {"30000000", "1", 0},
    {"1500000", NULL, 500},
    {"1", NULL, 1},
    {"0", NULL, 0},
    {"-5", NULL, 0},
    {"word", NULL, 0},
};

static void set(const char *name, const char *value)
{
    char self[32];
    snprintf(self, sizeof(self), "%d", getpid());
    if (value)
        setenv(name, strcmp(value, "self") ? value : self, 1);
    else
        unsetenv(name);
}

START_TEST(systemd_says_how_often_it_is_to_be_fed)
{
    set("WATCHDOG_USEC", wishes[_i].usec);
    set("WATCHDOG_PID", wishes[_i].pid);
    ck_assert_int_eq(notify_watchdog_ms(), wishes[_i].want_ms);
}
END_TEST

static void stop(void *arg)
{
    loop_stop(arg);
}

START_TEST(the_loop_feeds_by_itself)
{
    struct watchdog *other;
    struct metric_process its = {0};
    setenv("WATCHDOG_USEC", "3000", 1);
    ck_assert_int_eq(watchdog_open(&other, loop, &its), 0);
    clock_source(NULL, NULL);
    ck_assert_int_eq(loop_after(loop, 100, stop, loop, NULL), 0);
    loop_run(loop);
    ck_assert(is_fed());
    watchdog_close(other);
    unsetenv("WATCHDOG_USEC");
}
END_TEST

SUITE("watchdog", setup, teardown, TEST(who_was_stopped_himself_blames_nobody),
      TEST(who_has_not_begun_or_has_ended_does_not_hang),
      TABLE(who_stays_longer_than_he_may_hangs, places),
      TEST(it_is_told_once_and_again_when_it_is_over),
      TEST(who_was_taken_out_is_not_looked_at), TEST(nobody_may_be_watched),
      TABLE(systemd_says_how_often_it_is_to_be_fed, wishes),
      TEST(the_loop_feeds_by_itself))
