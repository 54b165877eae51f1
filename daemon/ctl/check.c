/* check.c: segmentctl check. */
#include <limits.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/files.h"

#define WARNINGS_BESIDE_ERRORS 3

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

static int check(const struct segment_files *files, int strict)
{
    struct seg_diagnostics *diagnostics = NULL;
    int got = seg_diagnostics_new(&diagnostics);
    if (got >= 0)
        got = seg_catalogue_check(files->sources, files->count, diagnostics);
    if (got < 0 && got != SEG_ERR_SYNTAX) {
        seg_diagnostics_free(diagnostics);
        return ctl_fail("%s", seg_error_sentence(got));
    }
    int errors = seg_diagnostics_errors(diagnostics);
    int warnings = seg_diagnostics_count(diagnostics) - errors;
    print(diagnostics, errors, warnings);
    closing_line(files->count, errors, warnings);
    seg_diagnostics_free(diagnostics);
    return errors || (strict && warnings) ? CTL_FAILED : CTL_GOOD;
}

int ctl_check(int argc, char **argv)
{
    static const struct option options[] = {
        {"strict", no_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int option, strict = 0;
    while ((option = ctl_option(argc, argv, options)) != -1) {
        if (option == '?')
            return CTL_USAGE;
        strict = 1;
    }
    if (optind == argc)
        return ctl_usage("check", "which files?");
    struct segment_files files;
    int status = files_read(&files, argv + optind, argc - optind);
    if (status == CTL_GOOD)
        status = check(&files, strict);
    segment_files_done(&files);
    return status;
}
