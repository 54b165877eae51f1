/* check.c: segmentctl check. See check.h for who does what. */
#include "daemon/ctl/check.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/files.h"

#define WARNINGS_BESIDE_ERRORS 3

struct options {
    struct ask_options ask;
    int strict;
    int quiet;
};

/* "2 files: 1 error, no warnings", the end of every run. */
static void closing_line(int files, int errors, int warnings)
{
    printf("%d file%s: ", files, files == 1 ? "" : "s");
    if (errors >= SEG_DIAGNOSTICS_MAX)
        printf("%d errors, and maybe more", errors);
    else if (errors)
        printf("%d error%s", errors, errors == 1 ? "" : "s");
    else
        fputs("no errors", stdout);
    if (warnings)
        printf(", %d warning%s", warnings, warnings == 1 ? "" : "s");
    putchar('\n');
}

/* Errors first: beside them most warnings would only be in the way. */
static void print(const struct seg_diagnostics *diagnostics, int errors,
                  int warnings)
{
    files_print(stdout, diagnostics, SEG_SEVERITY_ERROR, INT_MAX);
    int shown = files_print(stdout, diagnostics, SEG_SEVERITY_WARNING,
                            errors ? WARNINGS_BESIDE_ERRORS : INT_MAX);
    if (shown < warnings)
        printf("(%d more warning%s when the errors are mended)\n",
               warnings - shown, warnings - shown == 1 ? "" : "s");
}

static int is_note(const struct seg_diagnostic *one)
{
    return one->severity == SEG_SEVERITY_NOTE;
}

/* Whether a note before INDEX says the same. */
static int is_said(const struct seg_diagnostics *diagnostics, int index)
{
    const struct seg_diagnostic *one = seg_diagnostics_at(diagnostics, index);
    for (int i = 0; i < index; i++) {
        const struct seg_diagnostic *before =
            seg_diagnostics_at(diagnostics, i);
        if (is_note(before) && !strcmp(before->message, one->message))
            return 1;
    }
    return 0;
}

/* Each note once, with all its places: a line for each file. */
static void print_notes(const struct seg_diagnostics *diagnostics)
{
    int count = seg_diagnostics_count(diagnostics);
    for (int i = 0; i < count; i++) {
        const struct seg_diagnostic *one = seg_diagnostics_at(diagnostics, i);
        const char *file = "";
        if (!is_note(one) || is_said(diagnostics, i))
            continue;
        printf("note: %s", one->message);
        for (int j = i; j < count; j++) {
            const struct seg_diagnostic *same =
                seg_diagnostics_at(diagnostics, j);
            if (!is_note(same) || strcmp(same->message, one->message))
                continue;
            if (strcmp(same->file, file))
                printf("\n  %s:%d:%d", same->file, same->line, same->column);
            else
                printf(", %d:%d", same->line, same->column);
            file = same->file;
        }
        putchar('\n');
    }
}

/* What costs nothing to say once nothing is wrong: limits and costs. */
static int print_more(const struct seg_diagnostics *diagnostics,
                      const struct seg_catalogue *catalogue)
{
    struct seg_cost *cost;
    print_notes(diagnostics);
    int ret = seg_catalogue_cost(&cost, catalogue);
    if (ret < 0)
        return ctl_fail("%s", seg_error_sentence(ret));
    check_print_cost(cost);
    seg_cost_free(cost);
    return CTL_GOOD;
}

/* Warn of events that never came in, if that can be told. */
static int check_seen(const struct seg_catalogue *catalogue,
                      const struct ask_options *options,
                      struct seg_diagnostics *diagnostics)
{
    struct check_seen seen = {.since = ""};
    intern_init(&seen.names);
    int status = check_ask_seen(&seen, options);
    const char *why = check_not_all(&seen);
    if (status == CTL_GOOD && why)
        fprintf(stderr, "segmentctl: %s\n", why);
    if (status == CTL_GOOD && !why &&
        seg_catalogue_check_events(catalogue, seen.names.texts,
                                   (int)seen.names.count, diagnostics) < 0)
        status = ctl_fail("%s", seg_error_sentence(SEG_ERR_NOMEM));
    if (status == CTL_GOOD && !why)
        printf("events that came in since %s: %u names\n", seen.since,
               seen.names.count);
    intern_done(&seen.names);
    return status;
}

static int print_all(const struct segment_files *files,
                     const struct options *options,
                     const struct seg_catalogue *catalogue,
                     const struct seg_diagnostics *diagnostics)
{
    int errors = seg_diagnostics_errors(diagnostics);
    int warnings = seg_diagnostics_warnings(diagnostics);
    int status = CTL_GOOD;
    print(diagnostics, errors, warnings);
    if (catalogue && !options->quiet)
        status = print_more(diagnostics, catalogue);
    closing_line(files->count, errors, warnings);
    return errors || (options->strict && warnings) ? CTL_FAILED : status;
}

static int check(const struct segment_files *files,
                 const struct options *options)
{
    struct seg_diagnostics *diagnostics = NULL;
    struct seg_catalogue *catalogue = NULL;
    int status = CTL_GOOD;
    int got = seg_diagnostics_new(&diagnostics);
    if (got >= 0)
        got = seg_catalogue_compile(&catalogue, files->sources, files->count,
                                    diagnostics);
    if (got < 0 && got != SEG_ERR_SYNTAX)
        status = ctl_fail("%s", seg_error_sentence(got));
    else if (catalogue && (options->ask.url || options->ask.conf))
        status = check_seen(catalogue, &options->ask, diagnostics);
    if (status == CTL_GOOD)
        status = print_all(files, options, catalogue, diagnostics);
    seg_diagnostics_free(diagnostics);
    seg_catalogue_free(catalogue);
    return status;
}

int ctl_check(int argc, char **argv)
{
    static const struct option known[] = {
        {"strict", no_argument, NULL, 's'},
        {"quiet", no_argument, NULL, 'q'},
        ASK_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    struct options options = {.ask = {.verb = "check"}};
    for (int found; (found = ctl_option(argc, argv, known)) != -1;) {
        if (found == '?')
            return CTL_USAGE;
        options.strict |= found == 's';
        options.quiet |= found == 'q';
        ask_take(&options.ask, found);
    }
    if (optind == argc)
        return ctl_usage("check", "which files?");
    struct segment_files files;
    int status = files_read(&files, argv + optind, argc - optind);
    if (status == CTL_GOOD)
        status = check(&files, &options);
    segment_files_done(&files);
    return status;
}
