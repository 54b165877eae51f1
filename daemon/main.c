/* main.c: segmentd from the command line to its end.
 *
 * What there is, in the order it comes up; it goes down in reverse:
 *
 *     configuration, catalogue      or exit 78
 *     log, clock, loop, metrics
 *     HTTP                          listens; answers once the loop runs
 *     embedded broker               --embedded only
 *     workers                       a thread each
 *     view                          a thread, if there is a Redis
 *
 * HTTP is early because of its port: a second process started by mistake ends
 * there, before its workers take the name of the first one's.
 *
 * The main thread then runs the loop. A signal, or a worker that cannot go on,
 * begins the end: the workers write what is dirty and leave the group; when the
 * last one has ended, so does the loop. Whatever hangs, the process is gone
 * after stop_timeout: nothing is lost by that, the next one reads it again. */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/conf.h"
#include "daemon/base/fail.h"
#include "daemon/base/log.h"
#include "daemon/base/loop.h"
#include "daemon/base/metric.h"
#include "daemon/base/notify.h"
#include "daemon/base/process.h"
#include "daemon/base/segments.h"
#include "daemon/base/version.h"
#include "daemon/base/watchdog.h"
#include "daemon/http/routes.h"
#include "daemon/http/server.h"
#include "daemon/kafka/client.h"
#include "daemon/kafka/consumer.h"
#include "daemon/kafka/embedded.h"
#include "daemon/kafka/library.h"
#include "daemon/kafka/owners.h"
#include "daemon/protocol/mutation.h"
#include "daemon/protocol/partitioner.h"
#include "daemon/redis/view.h"
#include "daemon/worker/reload.h"
#include "daemon/worker/workers.h"

#define CONF_PATH "/etc/segmentd/segmentd.conf"
#define TICK_MS   1000

/* Exit statuses, of sysexits.h and our own promise (segmentd(8)). */
enum { GOOD = 0, BROKEN = 1, NAME_TAKEN = 75, MISCONFIGURED = 78 };

static const char usage[] =
    "segmentd: who is in which segment, decided while events stream by\n"
    "\n"
    "usage: segmentd [-f FILE] [-t | -T] [--embedded] "
    "[--run-directory FOLDER]\n"
    "\n"
    "  -f FILE     the configuration; else " CONF_PATH "\n"
    "  -t          check it, and the segments it names, and end\n"
    "  -T          print every setting in force, secrets masked, and end\n"
    "  --embedded  with a small broker inside, for trying it out\n"
    "  --run-directory FOLDER  wins over run_directory\n"
    "  --version, --help\n"
    "\n"
    "SIGTERM or SIGINT ends it in good order within stop_timeout, a second\n"
    "one at once. Exit status: 0 ended when asked to; 75 another process uses\n"
    "this name; 78 the configuration or a segment is wrong; 1 anything else.\n";

struct command {
    const char *path;
    int check, print;
    struct conf_options options;
};

static struct app {
    struct conf *conf;
    struct reload reload; /* With the catalogue. */
    struct loop *loop;
    struct watchdog *watchdog;
    struct metrics *metrics;
    struct embedded *embedded;
    struct workers *workers;
    struct view *view, *traits_view; /* The second: once there are traits. */
    struct server *server;
    struct owners *owners;
    struct routes routes;
    /* Owned here, read by metrics. */
    struct metric_process process;
    struct metric_build build;
    char *build_label;
    /* The end. */
    int status;
    int stopping;
    int ready; /* systemd knows. */
    uint64_t shown_change;
} app;

/* ---- command line and configuration ------------------------------------ */

/* Print the version, or the usage because it was ASKED for or needed. */
static int tell(int version, int asked)
{
    if (version)
        printf("segmentd %s (librdkafka %s)\n", SEGMENTD_VERSION,
               library_version());
    else
        fputs(usage, asked ? stdout : stderr);
    return version || asked ? GOOD : MISCONFIGURED;
}

/* Returns -1 to go on, else an exit status. */
static int read_command(struct command *command, int argc, char **argv)
{
    enum { EMBEDDED = 256, RUN_DIRECTORY, VERSION, HELP };
    static const struct option options[] = {
        {"embedded", no_argument, NULL, EMBEDDED},
        {"run-directory", required_argument, NULL, RUN_DIRECTORY},
        {"version", no_argument, NULL, VERSION},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    *command = (struct command){.path = CONF_PATH};
    for (int c; (c = getopt_long(argc, argv, "f:tT", options, NULL)) != -1;) {
        if (c == 'f')
            command->path = optarg;
        else if (c == 't')
            command->check = 1;
        else if (c == 'T')
            command->print = 1;
        else if (c == EMBEDDED)
            command->options.embedded = 1;
        else if (c == RUN_DIRECTORY)
            command->options.run_directory = optarg;
        else
            return tell(c == VERSION, c == HELP);
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "segmentd: what is %s? Try --help.\n", argv[optind]);
    return MISCONFIGURED;
}

static int read_configuration(const struct command *command, struct buf *errors)
{
    int err = conf_load(&app.conf, command->path, &command->options, errors);
    if (err < 0)
        return err;
    struct client client = {.conf = app.conf, .worker = -1};
    return client_check(&client, errors);
}

/* Returns -1 to go on, else an exit status. */
static int configure(const struct command *command)
{
    struct buf errors, warnings, out;
    buf_init(&errors);
    buf_init(&warnings);
    buf_init(&out);
    int status = -1;
    int err = read_configuration(command, &errors);
    if (!err && command->print) {
        conf_print(app.conf, &out);
        status = GOOD;
    } else if (!err) {
        err = segments_compile(&app.reload.catalogue, app.conf->segments.items,
                               app.conf->segments.count, &errors, &warnings);
    }
    fputs(buf_string(&errors), stderr);
    if (err < 0 && !errors.len)
        fprintf(stderr, "segmentd: %s\n", seg_error_sentence(err));
    if (err < 0)
        status = err == SEG_ERR_NOMEM ? BROKEN : MISCONFIGURED;
    if (!err && command->check) {
        fputs(buf_string(&warnings), stderr);
        int count = seg_catalogue_segment_count(app.reload.catalogue);
        buf_printf(&out, "%s: good, %d segment%s, catalogue %s\n",
                   command->path, count, count == 1 ? "" : "s",
                   seg_catalogue_hash(app.reload.catalogue));
        status = GOOD;
    }
    fputs(buf_string(&out), stdout);
    buf_done(&errors);
    buf_done(&warnings);
    buf_done(&out);
    return status;
}

/* ---- the end ------------------------------------------------------------- */

/* A thread: whatever hangs, hangs no longer than ARG ms. The configuration may
 * be gone when it begins. */
static void *end_anyway(void *arg)
{
    int64_t ms = (int64_t)(intptr_t)arg;
    struct timespec left = {(time_t)(ms / 1000), ms % 1000 * 1000000};
    while (nanosleep(&left, &left))
        ;
    log_warn("stop_timeout is over; the next process reads the rest again");
    _exit(app.status);
}

static void begin_the_end(int status, const char *why)
{
    pthread_t thread;
    void *timeout_ms = (void *)(intptr_t)app.conf->stop_timeout_ms;
    if (app.stopping)
        return;
    app.stopping = app.routes.stopping = app.reload.stopping = 1;
    app.status = status;
    log_info("segmentd is stopping", "why=\"%s\" stop_timeout=%llds", why,
             (long long)app.conf->stop_timeout_ms / 1000);
    notify_send("STOPPING=1\nSTATUS=stopping");
    if (pthread_create(&thread, NULL, end_anyway, timeout_ms))
        _exit(status);
    pthread_detach(thread);
    workers_stop(app.workers);
}

static int open_traits_view(void)
{
    struct view_options options = {
        .conf = app.conf,
        .bootstrap = app.embedded ? embedded_bootstrap(app.embedded) : NULL,
        .metrics = app.metrics,
        .workers = app.workers,
        .traits = 1};
    return *app.conf->redis_address.text && !app.traits_view &&
                   seg_catalogue_trait_count(app.reload.catalogue)
               ? view_open(&app.traits_view, &options)
               : 0;
}

static int reload(void *arg, struct buf *said)
{
    (void)arg;
    if (app.ready && !app.stopping)
        notify_reloading();
    int ret = reload_run(&app.reload, said);
    app.routes.catalogue = app.reload.catalogue;
    if (ret > 0 && open_traits_view() < 0)
        log_error("traits are not written to redis until the next reload");
    if (app.ready && !app.stopping)
        app.ready =
            notify_ready() >= 0; /* Else once more with the next tick. */
    return ret;
}

static void on_signal(void *arg, int number)
{
    struct buf said;
    (void)arg;
    if (number == SIGHUP) {
        buf_init(&said);
        reload(NULL, &said);
        buf_done(&said);
        return;
    }
    if (app.stopping) {
        log_warn("asked to stop a second time: ending at once");
        _exit(app.status);
    }
    begin_the_end(GOOD, number == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* In the loop: a worker cannot go on. */
static void on_failed(void *status)
{
    begin_the_end((int)(intptr_t)status, "a worker failed");
}

static void on_worker_failed(void *arg, int status)
{
    (void)arg;
    if (loop_post(app.loop, on_failed, (void *)(intptr_t)status) < 0)
        _exit(status);
}

static void on_ended(void *arg)
{
    (void)arg;
    if (!app.workers || !workers_ended(app.workers))
        return;
    if (!app.stopping)
        begin_the_end(BROKEN, "all workers ended");
    loop_stop(app.loop);
}

static void on_worker_ended(void *arg)
{
    (void)arg;
    if (loop_post(app.loop, on_ended, NULL) < 0)
        _exit(BROKEN);
}

/* ---- every second -------------------------------------------------------- */

static void measure(void *arg)
{
    (void)arg;
    process_measure(&app.process);
    metric_set(&app.process.http_connections, server_connections(app.server));
    metric_set(&app.process.wall_step_ms, clock_check());
    if (app.workers)
        workers_measure(app.workers, &app.process);
}

/* Ready means ready: `systemctl restart` returns when every partition runs, so
 * that the next host of a rolling restart may follow. As long as that takes,
 * systemd is asked for patience. */
static void tell_systemd(void)
{
    char reason[WORKERS_REASON_BYTES] = "";
    int ready = workers_ready(app.workers, reason);
    if (!app.ready && !ready)
        notify_send("EXTEND_TIMEOUT_USEC=60000000");
    if (!app.ready && ready && notify_ready() >= 0) {
        app.ready = 1;
        log_info("segmentd is ready", "partitions=%d",
                 workers_board(app.workers, NULL, 0));
    }
    uint64_t change = workers_change(app.workers);
    if (change != app.shown_change || !ready)
        notify_status("%s", ready ? "all partitions here are running" : reason);
    app.shown_change = change;
}

static void tick(void *arg)
{
    measure(arg);
    if (!app.stopping)
        tell_systemd();
}

/* ---- up, layer by layer -------------------------------------------------- */

static int open_metrics(void)
{
    struct buf label;
    int err = metrics_new(&app.metrics, app.reload.catalogue);
    if (err < 0)
        return err;
    buf_init(&label);
    metric_label(&label, "version", SEGMENTD_VERSION);
    metric_label(&label, "librdkafka", library_version());
    app.build_label = buf_take(&label);
    buf_done(&label);
    if (!app.build_label)
        return SEG_ERR_NOMEM;
    metric_set(&app.build.one, 1);
    app.reload.conf = app.conf;
    app.reload.metrics = app.metrics;
    app.reload.process = &app.process;
    err = metrics_add(app.metrics, METRIC_PROCESS, &app.process, 1, NULL);
    if (!err)
        err = metrics_add(app.metrics, METRIC_BUILD, &app.build, 1,
                          (const char *const *)&app.build_label);
    return err ? err : reload_open(&app.reload);
}

static int open_loop(void)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    signal(SIGPIPE, SIG_IGN);
    int err = loop_open(&app.loop);
    for (size_t i = 0; !err && i < sizeof(signals) / sizeof(signals[0]); i++)
        err = loop_signal(app.loop, signals[i], on_signal, NULL);
    if (!err)
        err = loop_every(app.loop, TICK_MS, tick, NULL, NULL);
    return err ? err : watchdog_open(&app.watchdog, app.loop, &app.process);
}

static int open_workers(void)
{
    struct workers_options options = {.conf = app.conf,
                                      .catalogue = app.reload.catalogue,
                                      .metrics = app.metrics,
                                      .embedded = app.embedded,
                                      .watchdog = app.watchdog,
                                      .failed = on_worker_failed,
                                      .ended = on_worker_ended};
    int err = workers_start(&app.workers, &options);
    app.routes.workers = app.reload.workers = app.workers;
    app.reload.embedded = app.embedded != NULL;
    return err;
}

static int open_owners(void)
{
    struct client client = {
        .conf = app.conf,
        .bootstrap = app.embedded ? embedded_bootstrap(app.embedded) : NULL,
        .worker = -1};
    int err = owners_open(&app.owners, &client);
    app.routes.owners = app.owners;
    app.routes.partitioner = partitioner_common(app.conf);
    return err;
}

static int open_view(void)
{
    struct view_options options = {
        .conf = app.conf,
        .bootstrap = app.embedded ? embedded_bootstrap(app.embedded) : NULL,
        .metrics = app.metrics,
        .workers = app.workers};
    int err =
        *app.conf->redis_address.text ? view_open(&app.view, &options) : 0;
    return err ? err : open_traits_view();
}

static int open_server(void)
{
    app.routes = (struct routes){.loop = app.loop,
                                 .metrics = app.metrics,
                                 .process = &app.process,
                                 .catalogue = app.reload.catalogue,
                                 .reload = reload,
                                 .app = app.conf->app,
                                 .measure = measure};
    struct server_options options = {.loop = app.loop,
                                     .host = app.conf->http_address.host,
                                     .port = app.conf->http_address.port,
                                     .token = app.conf->http_token.value,
                                     .metrics = &app.process,
                                     .handle = routes_handle,
                                     .arg = &app.routes};
    int err = server_open(&app.server, &options);
    if (err == SEG_ERR_INVALID) {
        log_error("cannot listen for HTTP", "address=\"%s\" error=\"%s\"",
                  app.conf->http_address.text, strerror(errno));
        /* An old process may just be ending: worth a restart. */
        err = errno == EADDRINUSE ? SEG_ERR_LIMIT : err;
    }
    if (!err)
        log_info("listening for HTTP", "address=\"%s\" port=%d",
                 app.conf->http_address.host, server_port(app.server));
    return err;
}

static void log_start(const struct command *command)
{
    char process[300];
    conf_process(app.conf, process, sizeof(process));
    log_info("segmentd starts",
             "version=%s conf=\"%s\" segments=%d catalogue=%s group=\"%s\" "
             "process=\"%s\"",
             SEGMENTD_VERSION, command->path,
             seg_catalogue_segment_count(app.reload.catalogue),
             seg_catalogue_hash(app.reload.catalogue), conf_group(app.conf),
             process);
#ifdef PROTOCOL_MUTATIONS
    if (protocol_mutation)
        log_warn("a rule of the protocol is broken, as was asked for",
                 "mutation=%s", mutation_name(protocol_mutation));
#endif
    library_log(app.conf);
}

static int up(const struct command *command)
{
    int err = open_loop();
    if (!err)
        err = open_metrics();
    if (!err)
        err = open_server();
    if (!err && command->options.embedded)
        err = embedded_open(&app.embedded, app.conf);
    if (!err)
        err = open_owners();
    if (!err)
        err = open_workers();
    if (!err)
        err = open_view();
    return err;
}

static void down(void)
{
    server_close(app.server);
    view_stop(app.view);
    view_stop(app.traits_view);
    workers_free(app.workers);
    app.workers = app.routes.workers = NULL;
    view_free(app.view);
    view_free(app.traits_view);
    owners_close(app.owners);
    embedded_close(app.embedded);
    watchdog_close(app.watchdog);
    loop_free(app.loop); /* Late answers of workers were posted to it. */
    reload_close(&app.reload);
    metrics_free(app.metrics);
    free(app.build_label);
}

/* Signals are the main thread's: threads started here never see them. */
static void set_signals(int how)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(how, &signals, NULL);
}

static int run(const struct command *command)
{
    clock_open();
    log_set_format((enum log_format)app.conf->log_format);
    log_open((enum log_level)app.conf->log_level);
    log_start(command);
    set_signals(SIG_BLOCK);
    int err = up(command);
    set_signals(SIG_UNBLOCK);
    if (!err) {
        loop_run(app.loop);
    } else {
        log_error("segmentd cannot start", "code=%s", seg_error_name(err));
        app.status = err == SEG_ERR_INVALID ? MISCONFIGURED : BROKEN;
        if (app.workers)
            begin_the_end(app.status, "it cannot start");
    }
    down();
    log_info("segmentd ended", "status=%d", app.status);
    if (command->options.embedded || consumer_abandoned())
        _exit(app.status); /* See embedded.h, consumer_close. */
    return app.status;
}

int main(int argc, char **argv)
{
    struct command command;
    int status = read_command(&command, argc, argv);
    if (status >= 0)
        return status;
#ifdef SEGMENTD_FAILPOINTS
    char wrong[100];
    if (fail_open(getenv("SEGMENTD_FAILPOINTS"), getenv("SEGMENTD_BARRIERS"),
                  wrong, sizeof(wrong)) < 0) {
        fprintf(stderr, "segmentd: no such failpoint: %s\n", wrong);
        return MISCONFIGURED;
    }
    if (getenv("SEGMENTD_CLOCK") && clock_shift(getenv("SEGMENTD_CLOCK")) < 0) {
        perror("segmentd: SEGMENTD_CLOCK cannot be mapped");
        return MISCONFIGURED;
    }
#endif
#ifdef PROTOCOL_MUTATIONS
    protocol_mutation = mutation_find(getenv("SEGMENTD_MUTATION"));
    if (protocol_mutation < 0) {
        fprintf(stderr, "segmentd: no such mutation: %s\n",
                getenv("SEGMENTD_MUTATION"));
        return MISCONFIGURED;
    }
#endif
    process_set_dumpable(0); /* The configuration holds passwords. */
    status = configure(&command);
    if (status < 0 && app.conf->core_dumps == CONF_CORE_DUMPS_ON)
        process_set_dumpable(1);
    if (status < 0)
        status = run(&command);
    seg_catalogue_free(app.reload.catalogue);
    conf_free(app.conf);
    return status;
}
