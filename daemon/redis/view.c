/* view.c: the thread, and what of the configuration it needs. */
#include "daemon/redis/view.h"

#include <signal.h>
#include <stdlib.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/base/conf.h"
#include "daemon/base/log.h"
#include "daemon/protocol/partitioner.h"
#include "daemon/redis/connection.h"
#include "daemon/redis/mirror.h"

#define WAIT_MS 100 /* For news; so long it takes until a stop is heard. */

static void *run(void *arg)
{
    struct view *view = arg;
    while (!atomic_load(&view->stop))
        turn(view, clock_wall_ms(), WAIT_MS);
    return NULL;
}

/* Signals are the main thread's; a connection that Redis closes is an error to
 * be read, not a signal. */
static int start_thread(struct view *view)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    view->running = pthread_create(&view->thread, NULL, run, view) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return view->running ? 0 : SEG_ERR_LIMIT;
}

int view_open(struct view **ret, const struct view_options *options)
{
    const struct conf *conf = options->conf;
    struct connection_options redis = {
        .host = conf->redis_address.host,
        .port = conf->redis_address.port,
        .user = conf->redis_user,
        .password = conf->redis_password.value,
        .database = conf->redis_database,
        .timeout_ms = conf->redis_timeout_ms,
    };
    struct view *view = NULL;
    struct feed feed;
    int got = feed_open(&feed, conf, options->bootstrap, options->workers,
                        options->traits ? "traits" : "changes");
    if (got < 0)
        return got;
    got = turn_new(&view, conf->app, &redis, &feed);
    if (got < 0) {
        feed.close(feed.impl);
        return got;
    }
    view->heartbeat_ms = conf->redis_heartbeat_ms;
    view->partitioner = partitioner_common(conf);
    view->kind = options->traits ? LINK_TRAITS : LINK_MEMBERSHIPS;
    if (!options->traits)
        got =
            metrics_add(options->metrics, METRIC_VIEW, &view->metric, 1, NULL);
    if (got >= 0 && !options->traits)
        view->metrics = options->metrics;
    if (got >= 0)
        got = start_thread(view);
    if (got < 0) {
        view_free(view);
        return got;
    }
    *ret = view;
    return 0;
}

void view_stop(struct view *view)
{
    if (!view || !view->running)
        return;
    atomic_store(&view->stop, 1);
    pthread_join(view->thread, NULL);
    view->running = 0;
}

void view_free(struct view *view)
{
    if (!view)
        return;
    view_stop(view);
    if (view->metrics)
        metrics_remove(view->metrics, &view->metric);
    turn_free(view);
}
