/* topics.c: segmentctl topics create | verify. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/verify.h"
#include "daemon/kafka/admin.h"

#define PARTITIONS_MAX  100000
#define REPLICATION_MAX 100
#define SAMPLES         200 /* Records of a partition. */
#define SAMPLES_MAX     1000000

struct wishes {
    const char *conf;
    int partitions, replication; /* 0: as the inputs have. */
    int samples;
};

/* TEXT as a number from 1 to MAX, or 0. */
static int number_of(const char *text, int max)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    return errno || *end || end == text || number < 1 || number > max
               ? 0
               : (int)number;
}

static void report(void *arg, const char *topic, int partitions,
                   const char *error)
{
    (void)arg;
    if (error)
        printf("%s: %s\n", topic, error);
    else
        printf("%s: created, %d partition%s\n", topic, partitions,
               partitions == 1 ? "" : "s");
}

static int create(const struct wishes *wishes)
{
    struct conf_options how = {.embedded = 0};
    struct conf *conf = NULL;
    struct buf errors;
    char why[CLIENT_WHY_BYTES] = "";
    int status = CTL_GOOD;
    buf_init(&errors);
    log_open(LOG_LEVEL_ERROR); /* What goes wrong is told once, below. */
    if (conf_load(&conf, wishes->conf, &how, &errors) < 0) {
        fputs(buf_string(&errors), stderr);
        status = CTL_FAILED;
    } else {
        struct client client = {.conf = conf, .worker = -1};
        int got = admin_create(&client, wishes->partitions, wishes->replication,
                               report, NULL, why);
        if (got < 0)
            status = ctl_fail("%s", *why ? why : seg_error_sentence(got));
        else if (got > 0)
            status = ctl_fail("%d topic%s could not be created", got,
                              got == 1 ? "" : "s");
    }
    buf_done(&errors);
    conf_free(conf);
    return status;
}

int ctl_topics(int argc, char **argv)
{
    static const struct option options[] = {
        {"partitions", required_argument, NULL, 'p'},
        {"replication", required_argument, NULL, 'r'},
        {"samples", required_argument, NULL, 's'},
        {"conf", required_argument, NULL, 'c'},
        {NULL, 0, NULL, 0},
    };
    struct wishes wishes = {.conf = CTL_CONF_PATH, .samples = SAMPLES};
    for (int option; (option = ctl_option(argc, argv, options)) != -1;) {
        if (option == '?')
            return CTL_USAGE;
        if (option == 'c')
            wishes.conf = optarg;
        if (option == 'p' &&
            !(wishes.partitions = number_of(optarg, PARTITIONS_MAX)))
            return ctl_usage("topics", "--partitions: a number from 1 to %d",
                             PARTITIONS_MAX);
        if (option == 's' && !(wishes.samples = number_of(optarg, SAMPLES_MAX)))
            return ctl_usage("topics", "--samples: a number from 1 to %d",
                             SAMPLES_MAX);
        if (option == 'r' &&
            !(wishes.replication = number_of(optarg, REPLICATION_MAX)))
            return ctl_usage("topics", "--replication: a number from 1 to %d",
                             REPLICATION_MAX);
    }
    const char *task = argc - optind == 1 ? argv[optind] : "";
    if (!strcmp(task, "create"))
        return create(&wishes);
    if (!strcmp(task, "verify"))
        return verify_run(wishes.conf, wishes.samples);
    return ctl_usage("topics", "create or verify");
}
