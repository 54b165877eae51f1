/* files.c: reading and compiling segment files, complaints included. */
#include "daemon/ctl/files.h"

#include <limits.h>
#include <stdlib.h>

#include "daemon/ctl/ctl.h"

int files_read(struct segment_files *files, char *const *paths, int count)
{
    struct buf errors;
    int status = CTL_GOOD;
    buf_init(&errors);
    segment_files_init(files);
    for (int i = 0; i < count; i++)
        if (segment_files_add(files, paths[i], &errors) < 0)
            status = CTL_FAILED;
    fputs(buf_string(&errors), stderr);
    buf_done(&errors);
    if (status == CTL_GOOD && !files->count)
        status = ctl_fail("%s: no segment files (*.seg) there", paths[0]);
    return status;
}

int files_print(FILE *out, const struct seg_diagnostics *diagnostics,
                enum seg_severity severity, int max)
{
    int printed = 0;
    for (int i = 0; i < seg_diagnostics_count(diagnostics); i++) {
        const struct seg_diagnostic *one = seg_diagnostics_at(diagnostics, i);
        if (one->severity != (int)severity || printed == max)
            continue;
        char *text = seg_diagnostic_text(one);
        fputs(text ? text : one->message, out);
        free(text);
        printed++;
    }
    return printed;
}

int files_compile(struct seg_catalogue **ret, const struct segment_files *files)
{
    struct seg_diagnostics *diagnostics = NULL;
    int status = CTL_GOOD;
    int got = seg_diagnostics_new(&diagnostics);
    if (got >= 0)
        got = seg_catalogue_compile(ret, files->sources, files->count,
                                    diagnostics);
    if (got == SEG_ERR_SYNTAX) {
        files_print(stderr, diagnostics, SEG_SEVERITY_ERROR, INT_MAX);
        status = CTL_FAILED;
    } else if (got < 0) {
        status = ctl_fail("%s", seg_error_sentence(got));
    }
    seg_diagnostics_free(diagnostics);
    return status;
}
