/* ctl.h: what the verbs of segmentctl share.
 *
 * A verb is a function that gets its own words, argv[0] being its name, and
 * returns the exit status. What was asked for goes to standard output, all
 * else to standard error. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <getopt.h>

#include "daemon/ctl/verb_table.h"

#define CTL_CONF_PATH "/etc/segmentd/segmentd.conf"

enum ctl_status {
    CTL_GOOD = 0,
    CTL_FAILED = 1, /* What was asked about is not good, or cannot be done. */
    CTL_USAGE = 2,  /* The command line makes no sense. */
};

#define X(name, arguments, summary, help) int ctl_##name(int argc, char **argv);
VERB_TABLE(X)
#undef X

/* The next option of a verb, as getopt_long: its `val`, or -1 when there are no
 * more and optind is the first argument, or '?' after a message about a wrong
 * one. OPTIONS ends with a row of zeros; an option with an argument leaves it
 * in optarg. */
int ctl_option(int argc, char **argv, const struct option *options);

/* Say what is wrong with the command line of VERB, and how it goes. Returns
 * CTL_USAGE. */
int ctl_usage(const char *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Say why it failed, as `segmentctl: ...`. Returns CTL_FAILED. */
int ctl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
