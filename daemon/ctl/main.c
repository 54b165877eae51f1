/* main.c: segmentctl, the verbs of verb_table.h and nothing else. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/version.h"
#include "daemon/ctl/ctl.h"

static const struct verb {
    const char *name, *arguments, *summary, *help;
    int (*run)(int argc, char **argv);
} verbs[] = {
#define X(name, arguments, summary, help) \
    {#name, arguments, summary, help, ctl_##name},
    VERB_TABLE(X)
#undef X
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

/* The name of VERB as it is typed, in a room that the next call uses again. */
static const char *typed(const struct verb *verb)
{
    static char name[32];
    size_t i = 0;
    for (; verb->name[i] && i + 1 < sizeof(name); i++)
        name[i] = verb->name[i] == '_' ? '-' : verb->name[i];
    name[i] = '\0';
    return name;
}

static const struct verb *find(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (!strcmp(typed(&verbs[i]), name))
            return &verbs[i];
    return NULL;
}

int ctl_option(int argc, char **argv, const struct option *options)
{
    int found = getopt_long(argc, argv, ":", options, NULL);
    if (found == '?')
        return ctl_usage(argv[0], "%s: no such option", argv[optind - 1]), '?';
    if (found == ':')
        return ctl_usage(argv[0], "%s: needs a value", argv[optind - 1]), '?';
    return found;
}

int ctl_usage(const char *verb, const char *format, ...)
{
    const struct verb *known = find(verb);
    va_list args;
    va_start(args, format);
    fprintf(stderr, "segmentctl %s: ", verb);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nusage: segmentctl %s %s\n", verb,
            known ? known->arguments : "");
    return CTL_USAGE;
}

int ctl_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("segmentctl: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return CTL_FAILED;
}

static void list(FILE *out)
{
    fputs("usage: segmentctl VERB ... | --help | --version\n\n", out);
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(out, "  %-12s  %s\n", typed(&verbs[i]), verbs[i].summary);
    fputs("  help          About a verb: segmentctl help VERB.\n\n"
          "Exit status: 0 good, 1 failed, 2 wrong usage.\n",
          out);
}

static int no_verb(const char *name)
{
    fprintf(stderr, "segmentctl: no verb %s\n", name);
    list(stderr);
    return CTL_USAGE;
}

static int help(int argc, char **argv)
{
    if (argc < 2) {
        list(stdout);
        return CTL_GOOD;
    }
    const struct verb *verb = find(argv[1]);
    if (!verb)
        return no_verb(argv[1]);
    printf("usage: segmentctl %s %s\n\n%s\n\n%s\n", typed(verb),
           verb->arguments, verb->summary, verb->help);
    return CTL_GOOD;
}

static int is_help(const char *word)
{
    return !strcmp(word, "--help") || !strcmp(word, "-h");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        list(stderr);
        return CTL_USAGE;
    }
    if (!strcmp(argv[1], "help") || is_help(argv[1]))
        return help(argc - 1, argv + 1);
    if (!strcmp(argv[1], "--version"))
        return printf("segmentctl %s\n", SEGMENTD_VERSION), CTL_GOOD;
    if (argc == 3 && is_help(argv[2]))
        return help(2, argv);
    const struct verb *verb = find(argv[1]);
    if (!verb)
        return no_verb(argv[1]);
    int status = verb->run(argc - 1, argv + 1);
    /* A full disk or a closed pipe must not pass for success. */
    if (fflush(stdout) || ferror(stdout))
        return ctl_fail("standard output: cannot be written");
    return status;
}
