/* top.c: segmentctl top.
 *
 * On a terminal the picture is drawn anew every few seconds until Ctrl-C; else
 * it is printed once, of two looks a second apart. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <seg/error.h>

#include "daemon/base/clock.h"
#include "daemon/ctl/ask.h"
#include "daemon/ctl/brokers.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/top_sample.h"

#define INTERVAL_S   2
#define INTERVAL_MAX 3600
#define FIRST_MS     1000 /* Between the first two looks. */
#define ROWS         20   /* Segments, where no terminal says otherwise. */
#define LINES_ABOVE  10   /* Lines that are no segments. */
#define HOME         "\033[H\033[J" /* To the first line, and empty what follows. */

struct top {
    struct ask_options ask;
    int64_t interval_s;
    struct asker *asker;
    struct buf body;
    struct top_sample samples[2];
    int now; /* Which of them is the newer. */
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

/* Look at the metrics. Returns an exit status. */
static int look(struct top *top)
{
    int status = ask_get(top->asker, "/metrics", "text/plain", &top->body);
    struct top_sample *sample = &top->samples[!top->now];
    if (status != 200)
        return ask_complain(top->asker, status, &top->body);
    top_sample_done(sample);
    if (top_sample_read(sample, top->body.bytes, top->body.len,
                        (double)clock_monotonic_ms() / 1000) < 0)
        return ctl_fail("the answer is not segmentd's");
    top->now = !top->now;
    return CTL_GOOD;
}

static int rows_of_terminal(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 ||
        size.ws_row <= LINES_ABOVE + 1)
        return ROWS;
    return size.ws_row - LINES_ABOVE - 1;
}

static void print(struct top *top, int is_terminal)
{
    struct buf out;
    int status = ask_get(top->asker, "/readyz", "application/json", &top->body);
    json_t *json = json_loadb(top->body.bytes, top->body.len, 0, NULL);
    const char *reason = json_string_value(json_object_get(json, "reason"));
    buf_init(&out);
    if (is_terminal)
        buf_str(&out, HOME);
    top_print(&out, &top->samples[!top->now], &top->samples[top->now],
              status == 200, reason ? reason : "it does not say why",
              is_terminal ? rows_of_terminal() : ROWS);
    fputs(buf_string(&out), stdout);
    fflush(stdout);
    buf_done(&out);
    json_decref(json);
}

static void wait_ms(int64_t ms)
{
    struct timespec time = {(time_t)(ms / 1000), ms % 1000 * 1000000};
    nanosleep(&time, NULL); /* Ctrl-C ends it. */
}

static int run(struct top *top)
{
    int is_terminal = isatty(STDOUT_FILENO);
    int status = look(top);
    int64_t ms = FIRST_MS;
    do {
        if (status == CTL_GOOD)
            wait_ms(ms);
        if (status == CTL_GOOD && !stopped)
            status = look(top);
        if (status == CTL_GOOD && !stopped)
            print(top, is_terminal);
        ms = top->interval_s * 1000;
    } while (is_terminal && !stopped && status == CTL_GOOD);
    return status;
}

static int read_options(struct top *top, int argc, char **argv)
{
    static const struct option long_options[] = {
        ASK_OPTIONS,
        {"interval", required_argument, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    top->ask.verb = argv[0];
    top->interval_s = INTERVAL_S;
    for (int option; (option = ctl_option(argc, argv, long_options)) != -1;) {
        if (option == '?')
            return CTL_USAGE;
        if (ask_take(&top->ask, option))
            continue;
        top->interval_s = brokers_number(optarg, INTERVAL_MAX);
        if (top->interval_s < 1)
            return ctl_usage(argv[0], "--interval: seconds, from 1 to %d",
                             INTERVAL_MAX);
    }
    return optind < argc ? ctl_usage(argv[0], "what is %s?", argv[optind])
                         : CTL_GOOD;
}

int ctl_top(int argc, char **argv)
{
    struct top top = {.asker = NULL};
    struct sigaction action = {.sa_handler = stop};
    int status = read_options(&top, argc, argv);
    if (status != CTL_GOOD)
        return status;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    buf_init(&top.body);
    status = ask_open(&top.asker, &top.ask);
    if (status == CTL_GOOD)
        status = run(&top);
    top_sample_done(&top.samples[0]);
    top_sample_done(&top.samples[1]);
    buf_done(&top.body);
    ask_close(top.asker);
    return status;
}
