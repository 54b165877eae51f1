/* loop.c: the event loop of the main thread (libevent). */
#include "daemon/base/loop.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/time.h>

#include <seg/error.h>

#include "daemon/base/log.h"
#include "daemon/base/mailbox.h"

/* One event of libevent and whom to call. In a list, to be freed with the
 * loop. */
struct loop_timer {
    struct loop_timer *next, **link;
    struct event *event;
    void (*fn)(void *arg);
    void (*fn_signal)(void *arg, int number);
    void *arg;
};

struct loop {
    struct event_base *base;
    struct mailbox *box;
    struct event *posted;
    struct loop_timer *first;
};

static void on_posted(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct loop *loop = arg;
    mailbox_drain(loop->box, loop);
}

/* What libevent has to say goes where all else goes. */
static void on_log(int severity, const char *text)
{
    log_line(severity == EVENT_LOG_ERR    ? LOG_LEVEL_ERROR
             : severity == EVENT_LOG_WARN ? LOG_LEVEL_WARN
                                          : LOG_LEVEL_DEBUG,
             "libevent", "text=\"%s\"", text);
}

int loop_open(struct loop **ret)
{
    event_set_log_callback(on_log);
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return SEG_ERR_NOMEM;
    int err = mailbox_open(&loop->box);
    if (err < 0)
        goto done;
    err = SEG_ERR_NOMEM;
    loop->base = event_base_new();
    if (!loop->base)
        goto done;
    loop->posted = event_new(loop->base, mailbox_fd(loop->box),
                             EV_READ | EV_PERSIST, on_posted, loop);
    if (!loop->posted || event_add(loop->posted, NULL) < 0)
        goto done;
    *ret = loop;
    loop = NULL;
    err = 0;
done:
    loop_free(loop);
    return err;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    mailbox_free(loop->box);
    while (loop->first)
        loop_timer_free(loop->first);
    if (loop->posted)
        event_free(loop->posted);
    if (loop->base)
        event_base_free(loop->base);
    free(loop);
}

void loop_run(struct loop *loop)
{
    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_stop(struct loop *loop)
{
    event_base_loopbreak(loop->base);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

/* A closure of the box that calls a plain function. */
struct call {
    void (*fn)(void *arg);
    void *arg;
};

static void run_call(void *loop, void *arg)
{
    (void)loop;
    struct call call = *(struct call *)arg;
    free(arg);
    call.fn(call.arg);
}

int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    struct call *call = malloc(sizeof(*call));
    if (!call)
        return SEG_ERR_NOMEM;
    *call = (struct call){fn, arg};
    int err = mailbox_post(loop->box, run_call, call);
    if (err < 0)
        free(call);
    return err;
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *timer = arg;
    if (what & EV_SIGNAL)
        timer->fn_signal(timer->arg, (int)fd);
    else
        timer->fn(timer->arg);
}

static struct loop_timer *timer_new(struct loop *loop, int fd, short what,
                                    const struct timeval *after)
{
    struct loop_timer *timer = calloc(1, sizeof(*timer));
    if (!timer)
        return NULL;
    timer->event = event_new(loop->base, fd, what, on_event, timer);
    if (!timer->event || event_add(timer->event, after) < 0) {
        if (timer->event)
            event_free(timer->event);
        free(timer);
        return NULL;
    }
    timer->next = loop->first;
    timer->link = &loop->first;
    if (timer->next)
        timer->next->link = &timer->next;
    loop->first = timer;
    return timer;
}

void loop_timer_free(struct loop_timer *timer)
{
    if (!timer)
        return;
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    event_free(timer->event);
    free(timer);
}

static int add_timer(struct loop *loop, int64_t ms, short what,
                     struct loop_timer **ret, struct loop_timer made)
{
    struct timeval after = {.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    struct loop_timer *timer = timer_new(loop, -1, what, &after);
    if (!timer)
        return SEG_ERR_NOMEM;
    timer->fn = made.fn;
    timer->arg = made.arg;
    if (ret)
        *ret = timer;
    return 0;
}

int loop_every(struct loop *loop, int64_t interval_ms, void (*fn)(void *arg),
               void *arg, struct loop_timer **ret)
{
    return add_timer(loop, interval_ms, EV_PERSIST, ret,
                     (struct loop_timer){.fn = fn, .arg = arg});
}

int loop_after(struct loop *loop, int64_t delay_ms, void (*fn)(void *arg),
               void *arg, struct loop_timer **ret)
{
    return add_timer(loop, delay_ms, EV_TIMEOUT, ret,
                     (struct loop_timer){.fn = fn, .arg = arg});
}

int loop_signal(struct loop *loop, int number,
                void (*fn)(void *arg, int number), void *arg)
{
    struct loop_timer *timer =
        timer_new(loop, number, EV_SIGNAL | EV_PERSIST, NULL);
    if (!timer)
        return SEG_ERR_NOMEM;
    timer->fn_signal = fn;
    timer->arg = arg;
    return 0;
}
