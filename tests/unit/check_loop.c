/* check_loop.c: the event loop of the main thread. */
#include "daemon/base/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <seg/error.h>

#include "tests/support/suite.h"

static struct loop *loop;
static int ticks, posted, signals;

static void setup(void)
{
    ck_assert_int_eq(loop_open(&loop), 0);
    ticks = posted = signals = 0;
}

static void teardown(void)
{
    loop_free(loop);
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void count_post(void *arg)
{
    posted += *(int *)arg;
}

static void *post_from_a_thread(void *arg)
{
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(loop_post(loop, count_post, arg), 0);
    loop_post(loop, stop, NULL);
    return NULL;
}

START_TEST(what_other_threads_post_runs_in_the_loop)
{
    pthread_t thread;
    int one = 1;
    pthread_create(&thread, NULL, post_from_a_thread, &one);
    loop_run(loop);
    pthread_join(thread, NULL);
    ck_assert_int_eq(posted, 1000);
}
END_TEST

START_TEST(what_was_posted_before_the_end_runs)
{
    int one = 1;
    struct loop *other;
    ck_assert_int_eq(loop_open(&other), 0);
    ck_assert_int_eq(loop_post(other, count_post, &one), 0);
    loop_free(other);
    ck_assert_int_eq(posted, 1);
}
END_TEST

static void tick(void *arg)
{
    (void)arg;
    if (++ticks == 3)
        loop_stop(loop);
}

START_TEST(a_timer_comes_again_until_it_is_freed)
{
    struct loop_timer *timer, *later;
    ck_assert_int_eq(loop_every(loop, 1, tick, NULL, &timer), 0);
    loop_run(loop);
    ck_assert_int_eq(ticks, 3);
    loop_timer_free(timer);
    ck_assert_int_eq(loop_after(loop, 20, stop, NULL, &later), 0);
    loop_run(loop);
    ck_assert_int_eq(ticks, 3);
    loop_timer_free(later);
    loop_timer_free(NULL);
}
END_TEST

static void on_signal(void *arg, int number)
{
    (void)arg;
    signals += number == SIGTERM;
    loop_stop(loop);
}

START_TEST(a_signal_is_heard_in_the_loop)
{
    ck_assert_int_eq(loop_signal(loop, SIGTERM, on_signal, NULL), 0);
    raise(SIGTERM);
    ck_assert_int_eq(signals, 0);
    loop_run(loop);
    ck_assert_int_eq(signals, 1);
}
END_TEST

SUITE("loop", setup, teardown, TEST(what_other_threads_post_runs_in_the_loop),
      TEST(what_was_posted_before_the_end_runs),
      TEST(a_timer_comes_again_until_it_is_freed),
      TEST(a_signal_is_heard_in_the_loop))
