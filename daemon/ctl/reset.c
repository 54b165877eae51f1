/* reset.c: segmentctl reset: mending what segmentd refuses.
 *
 *     --input T --to PLACE   one input goes on elsewhere; all else must be
 *                            whole
 *     --accept-loss          go on with what there is
 *     --rebuild              features and attributes anew from the inputs
 *
 * mend.h says what each of them does and what it does not. Without --yes it
 * only says what it would do: everything is read, and nothing written. With
 * --yes each partition is one transaction, so that a reset that was interrupted
 * has mended some partitions and not touched the others; it may just be said
 * again.
 *
 * What it writes is what segmentd itself would have written with its next
 * commit: transaction number and tag follow on, so that a process that comes
 * back from the dead with older ones is rejected. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/segments.h"
#include "daemon/ctl/brokers.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/reset_partition.h"
#include "daemon/protocol/options.h"
#include "lib/base/instant.h"
#include "lib/base/text.h"

#define CHECK_MS      10000 /* For the brokers' first answer. */
#define PARTITION_MAX 1000000

struct options {
    const char *conf, *input, *to; /* NULL: not given. */
    int accept, rebuild, yes;
    int partition; /* -1: all. */
};

/* ---- options ------------------------------------------------------------- */

static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option long_options[] = {
        {"conf", required_argument, NULL, 'c'},
        {"input", required_argument, NULL, 'i'},
        {"to", required_argument, NULL, 't'},
        {"partition", required_argument, NULL, 'p'},
        {"accept-loss", no_argument, NULL, 'a'},
        {"rebuild", no_argument, NULL, 'r'},
        {"yes", no_argument, NULL, 'y'},
        {NULL, 0, NULL, 0},
    };
    *options = (struct options){.partition = -1};
    for (int option; (option = ctl_option(argc, argv, long_options)) != -1;) {
        if (option == '?')
            return CTL_USAGE;
        if (option == 'p' && (options->partition = (int)brokers_number(
                                  optarg, PARTITION_MAX)) < 0)
            return ctl_usage(argv[0], "--partition: a number from 0 on");
        options->conf = option == 'c' ? optarg : options->conf;
        options->input = option == 'i' ? optarg : options->input;
        options->to = option == 't' ? optarg : options->to;
        options->accept |= option == 'a';
        options->rebuild |= option == 'r';
        options->yes |= option == 'y';
    }
    if (optind != argc)
        return ctl_usage(argv[0], "%s: not expected", argv[optind]);
    if (!options->input != !options->to)
        return ctl_usage(argv[0], "--input and --to go together");
    if (!!options->input + options->accept + options->rebuild != 1)
        return ctl_usage(argv[0],
                         "one of --input, --accept-loss and --rebuild");
    return CTL_GOOD;
}

/* Where --input goes on. */
static int read_place(struct reset *reset, const struct options *options)
{
    const struct conf *conf = reset->conf;
    struct brokers_start start;

    reset->offset = -1;
    for (int i = 0; i < conf->input_count; i++)
        if (!strcmp(conf->inputs[i].topic, options->input))
            reset->input = i;
    if (reset->input < 0)
        return ctl_fail("%s: no such input in %s", options->input, conf->path);
    reset->offset = brokers_number(options->to, INT64_MAX);
    if (reset->offset >= 0)
        return options->partition >= 0
                   ? CTL_GOOD
                   : ctl_usage("reset",
                               "--to %s: an offset is one of a single "
                               "partition: say --partition",
                               options->to);
    if (brokers_start(&start, options->to))
        return ctl_usage("reset", "--to: earliest, latest, an offset, or an "
                                  "instant such as 2026-01-31T12:00Z");
    reset->to_ms = start.from == BROKERS_EARLIEST ? LEDGER_EARLIEST
                   : start.from == BROKERS_LATEST ? LEDGER_LATEST
                                                  : start.instant_ms;
    return CTL_GOOD;
}

/* ---- getting ready ------------------------------------------------------- */

static int compile(struct reset *reset)
{
    struct seg_catalogue *catalogue = NULL;
    struct buf errors;
    buf_init(&errors);
    int r = segments_compile(&catalogue, reset->conf->segments.items,
                             reset->conf->segments.count, &errors, NULL);
    fputs(buf_string(&errors), stderr);
    buf_done(&errors);
    reset->options.catalogue = catalogue;
    return r < 0 ? ctl_fail("users are judged by its segments, which are wrong")
                 : CTL_GOOD;
}

/* All topics are there, set as they must be, and fit together. */
static int check_topics(struct reset *reset)
{
    uint64_t question = broker_question(reset->broker);
    int64_t until_ms = clock_monotonic_ms() + CHECK_MS;
    struct admin_check check;
    int answer;
    do {
        answer = kafka_broker_check(reset->kafka, question, &check);
        if (answer == BROKER_OK && check.verdict == ADMIN_AWAY)
            question = broker_question(reset->broker);
        else if (answer == BROKER_OK)
            break;
        bell_wait(&reset->bell, -1, 100);
    } while (clock_monotonic_ms() < until_ms);
    if (answer != BROKER_OK)
        return ctl_fail("the brokers do not answer");
    if (check.verdict != ADMIN_OK)
        return ctl_fail("%s", check.reason);
    reset->options.partition_count = check.partition_count;
    return CTL_GOOD;
}

static int connect_all(struct reset *reset)
{
    char why[CLIENT_WHY_BYTES] = "";
    if (bell_open(&reset->bell) < 0)
        return ctl_fail("there is no descriptor left");
    int r =
        kafka_broker_open(&reset->kafka, &reset->client, &reset->bell, 0, why);
    if (r < 0)
        return ctl_fail("%s", *why ? why : seg_error_sentence(r));
    reset->broker = kafka_broker_calls(reset->kafka);
    reset->options.engine.hash_seed =
        reset->broker->random(reset->broker->impl);
    return check_topics(reset);
}

/* ---- the verb ------------------------------------------------------------ */

/* All partitions asked for; a failure in one does not keep the others from it.
 */
static int mend_partitions(struct reset *reset, const struct options *options)
{
    int count = reset->options.partition_count, status = CTL_GOOD, open = 0;
    if (options->partition >= count)
        return ctl_fail("there are partitions 0 to %d", count - 1);
    for (int p = 0; p < count; p++)
        if ((options->partition < 0 || p == options->partition) &&
            reset_partition(reset, p, &open) != CTL_GOOD)
            status = CTL_FAILED;
    if (open)
        puts("Nothing was done. Say --yes to do it.");
    return status;
}

static int work(struct reset *reset, const struct options *options)
{
    char who[CLIENT_WHY_BYTES] = "";
    int status = options->input ? read_place(reset, options) : CTL_GOOD;
    if (status == CTL_GOOD)
        status = compile(reset);
    if (status != CTL_GOOD)
        return status;
    int members = admin_members(&reset->client, conf_group(reset->conf), who);
    if (members < 0)
        return ctl_fail("%s", who);
    if (members && options->yes)
        return ctl_fail("group %s has %d live members, the first is %s: stop "
                        "segmentd first (one that was killed counts until its "
                        "session ends). Nothing was done",
                        conf_group(reset->conf), members, who);
    if (members)
        fprintf(stderr,
                "segmentctl: group %s has %d live members, the first is "
                "%s: --yes will be refused\n",
                conf_group(reset->conf), members, who);
    status = connect_all(reset);
    return status == CTL_GOOD ? mend_partitions(reset, options) : status;
}

int ctl_reset(int argc, char **argv)
{
    struct options options;
    struct reset reset = {.input = -1, .bell.fd = -1};
    struct conf *conf = NULL;
    int status = read_options(&options, argc, argv);
    if (status != CTL_GOOD)
        return status;
    log_open(LOG_LEVEL_ERROR);
    clock_open();
    status = brokers_conf(&conf, options.conf);
    if (status == CTL_GOOD) {
        reset.conf = conf;
        reset.client = (struct client){.conf = conf, .worker = -1};
        reset.mode = options.input    ? MEND_MOVE
                     : options.accept ? MEND_ACCEPT
                                      : MEND_REBUILD;
        reset.yes = options.yes;
        ledger_options_init(&reset.options, reset.inputs, conf);
        status = work(&reset, &options);
    }
    sender_close(reset.sender);
    kafka_broker_close(reset.kafka);
    bell_close(&reset.bell);
    seg_catalogue_free((struct seg_catalogue *)reset.options.catalogue);
    conf_free(conf);
    return status;
}
