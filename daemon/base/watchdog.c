/* watchdog.c: whether the threads that must turn still turn. */
#include "daemon/base/watchdog.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/loop.h"
#include "daemon/base/metric.h"
#include "daemon/base/notify.h"

/* Between two looks where systemd does not want to hear of us more often. */
#define LOOK_MS 1000

struct watchdog {
    struct metric_process *metrics;
    struct loop_timer *timer;
    struct watchdog_mark *first;
    int hung;          /* As of the last look. */
    int64_t looked_ms; /* The last time; 0: never. */
};

/* ---- the thread that is watched ------------------------------------------ */

static void set(struct watchdog_mark *mark, int64_t instant)
{
    if (mark)
        atomic_store_explicit(&mark->instant, instant, memory_order_relaxed);
}

void watchdog_turn(struct watchdog_mark *mark)
{
    set(mark, clock_monotonic_ms());
}

void watchdog_enter(struct watchdog_mark *mark)
{
    set(mark, -clock_monotonic_ms());
}

void watchdog_end(struct watchdog_mark *mark)
{
    set(mark, 0);
}

/* ---- the other ----------------------------------------------------------- */

static int64_t instant_of(const struct watchdog_mark *mark)
{
    return atomic_load_explicit(&mark->instant, memory_order_relaxed);
}

int64_t watchdog_hangs_ms(const struct watchdog_mark *mark, int64_t now_ms)
{
    int64_t instant = instant_of(mark);
    int64_t limit_ms = instant < 0 ? WATCHDOG_CALL_MS : WATCHDOG_TURN_MS;
    int64_t for_ms = now_ms - (instant < 0 ? -instant : instant);
    return instant && for_ms > limit_ms ? for_ms : 0;
}

/* Tell, once, of the first that hangs. */
static void tell(const struct watchdog *watchdog, int64_t now_ms)
{
    const struct watchdog_mark *mark = watchdog->first;
    while (mark && !watchdog_hangs_ms(mark, now_ms))
        mark = mark->next;
    if (mark)
        log_error("a worker hangs: systemd hears no longer that we live, and "
                  "will start us again",
                  "worker=%d seconds=%lld in=%s", mark->number,
                  (long long)watchdog_hangs_ms(mark, now_ms) / 1000,
                  instant_of(mark) < 0 ? "kafka" : "turn");
    else
        log_warn("no worker hangs any more");
}

int watchdog_look(struct watchdog *watchdog)
{
    int64_t now_ms = clock_monotonic_ms(), before_ms = watchdog->looked_ms;
    int hung = 0;
    watchdog->looked_ms = now_ms;
    /* Who was stopped himself must not blame the workers, who were as well. */
    if (before_ms && now_ms - before_ms > WATCHDOG_TURN_MS / 2)
        return watchdog->hung;
    for (struct watchdog_mark *m = watchdog->first; m; m = m->next)
        hung += watchdog_hangs_ms(m, now_ms) > 0;
    if (!hung != !watchdog->hung)
        tell(watchdog, now_ms);
    watchdog->hung = hung;
    metric_set(&watchdog->metrics->hung_workers, hung);
    if (!hung)
        notify_send("WATCHDOG=1");
    return hung;
}

static void on_timer(void *watchdog)
{
    watchdog_look(watchdog);
}

int watchdog_open(struct watchdog **ret, struct loop *loop,
                  struct metric_process *metrics)
{
    int64_t wanted_ms = notify_watchdog_ms();
    struct watchdog *watchdog = calloc(1, sizeof(*watchdog));
    if (!watchdog)
        return SEG_ERR_NOMEM;
    watchdog->metrics = metrics;
    int err =
        loop_every(loop, wanted_ms && wanted_ms < LOOK_MS ? wanted_ms : LOOK_MS,
                   on_timer, watchdog, &watchdog->timer);
    if (err)
        watchdog_close(watchdog);
    else
        *ret = watchdog;
    return err;
}

void watchdog_close(struct watchdog *watchdog)
{
    if (!watchdog)
        return;
    loop_timer_free(watchdog->timer);
    free(watchdog);
}

void watchdog_add(struct watchdog *watchdog, struct watchdog_mark *mark,
                  int number)
{
    if (!watchdog)
        return;
    mark->number = number;
    mark->next = watchdog->first;
    mark->link = &watchdog->first;
    if (mark->next)
        mark->next->link = &mark->next;
    watchdog->first = mark;
}

void watchdog_remove(struct watchdog_mark *mark)
{
    if (!mark->link)
        return;
    *mark->link = mark->next;
    if (mark->next)
        mark->next->link = mark->link;
    mark->link = NULL;
}
