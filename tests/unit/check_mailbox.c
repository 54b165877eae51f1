/* check_mailbox.c: asking another thread to do something. */
#include "daemon/base/mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include <seg/error.h>

#include "tests/support/suite.h"

#define THREADS 4
#define POSTS   2000

static struct mailbox *box;
static int order[16], order_count;
static int gone; /* Closures run with a NULL context. */

static void setup(void)
{
    ck_assert_int_eq(mailbox_open(&box), 0);
    order_count = gone = 0;
}

static void teardown(void)
{
    mailbox_free(box);
}

static int is_readable(void)
{
    struct pollfd poll_fd = {.fd = mailbox_fd(box), .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 1;
}

static void note(void *context, void *arg)
{
    gone += !context;
    order[order_count++] = (int)(intptr_t)arg;
}

static void post(int number)
{
    ck_assert_int_eq(mailbox_post(box, note, (void *)(intptr_t)number), 0);
}

START_TEST(closures_run_in_the_order_they_were_posted)
{
    int context;
    for (int i = 0; i < 5; i++)
        post(i);
    ck_assert_int_eq(mailbox_drain(box, &context), 5);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(order[i], i);
    ck_assert_int_eq(mailbox_drain(box, &context), 0);
    ck_assert_int_eq(gone, 0);
}
END_TEST

START_TEST(the_descriptor_is_readable_exactly_while_something_waits)
{
    int context;
    ck_assert(!is_readable());
    post(1);
    post(2);
    ck_assert(is_readable());
    mailbox_drain(box, &context);
    ck_assert(!is_readable());
    post(3);
    ck_assert(is_readable());
}
END_TEST

static void post_again(void *context, void *arg)
{
    (void)context, (void)arg;
    post(7);
}

START_TEST(what_a_closure_posts_runs_the_next_time)
{
    int context;
    mailbox_post(box, post_again, NULL);
    ck_assert_int_eq(mailbox_drain(box, &context), 1);
    ck_assert_int_eq(order_count, 0);
    ck_assert(is_readable());
    ck_assert_int_eq(mailbox_drain(box, &context), 1);
    ck_assert_int_eq(order[0], 7);
}
END_TEST

START_TEST(closing_runs_what_waits_with_nobody_and_refuses_the_rest)
{
    int context;
    post(1);
    post(2);
    mailbox_close(box);
    ck_assert_int_eq(gone, 2);
    ck_assert_int_eq(mailbox_post(box, note, NULL), SEG_ERR_NOT_FOUND);
    mailbox_close(box);
    ck_assert_int_eq(mailbox_drain(box, &context), 0);
    ck_assert_int_eq(order_count, 2);
}
END_TEST

/* Posting from many threads: each posts POSTS numbers, in order. */
struct sender {
    pthread_t thread;
    int number;
};

static int next_of[THREADS];
static int received;

static void receive(void *context, void *arg)
{
    (void)context;
    int value = (int)(intptr_t)arg, sender = value % THREADS;
    ck_assert_int_eq(value / THREADS, next_of[sender]);
    next_of[sender]++;
    received++;
}

static void *send_all(void *arg)
{
    struct sender *sender = arg;
    for (int i = 0; i < POSTS; i++)
        mailbox_post(box, receive,
                     (void *)(intptr_t)(i * THREADS + sender->number));
    return NULL;
}

START_TEST(nothing_is_lost_between_threads)
{
    struct sender senders[THREADS];
    int context;
    received = 0;
    for (int i = 0; i < THREADS; i++) {
        next_of[i] = 0;
        senders[i].number = i;
        pthread_create(&senders[i].thread, NULL, send_all, &senders[i]);
    }
    while (received < THREADS * POSTS) {
        struct pollfd poll_fd = {.fd = mailbox_fd(box), .events = POLLIN};
        ck_assert_int_eq(poll(&poll_fd, 1, 30000), 1);
        mailbox_drain(box, &context);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(senders[i].thread, NULL);
    ck_assert(!is_readable());
}
END_TEST

SUITE("mailbox", setup, teardown,
      TEST(closures_run_in_the_order_they_were_posted),
      TEST(the_descriptor_is_readable_exactly_while_something_waits),
      TEST(what_a_closure_posts_runs_the_next_time),
      TEST(closing_runs_what_waits_with_nobody_and_refuses_the_rest),
      TEST(nothing_is_lost_between_threads))
