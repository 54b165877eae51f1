/* convert.c: segmentctl convert.
 *
 * One file in, one text out; so the result of a conversion is looked at, or
 * goes where the shell sends it, and no file is overwritten. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/files.h"
#include "lib/base/buf.h"

typedef int conversion(char **ret, const struct seg_source *source,
                       struct seg_diagnostics *diagnostics);

/* SOURCE, through CONVERT, to standard output. */
static int print_converted(const struct seg_source *source, conversion *convert)
{
    struct seg_diagnostics *diagnostics = NULL;
    char *text = NULL;
    int got = seg_diagnostics_new(&diagnostics);
    if (got >= 0)
        got = convert(&text, source, diagnostics);
    if (got == SEG_ERR_SYNTAX)
        files_print(stderr, diagnostics, SEG_SEVERITY_ERROR, INT_MAX);
    else if (got < 0)
        ctl_fail("%s: %s", source->name, seg_error_sentence(got));
    else
        fputs(text, stdout);
    seg_diagnostics_free(diagnostics);
    free(text);
    return got < 0 ? CTL_FAILED : CTL_GOOD;
}

static int read_stream(FILE *file, struct buf *into)
{
    size_t got = 1;
    while (got && into->len <= SEG_FILE_BYTES_MAX) {
        char *room = buf_reserve(into, 65536);
        if (!room)
            return -1;
        got = fread(room, 1, 65536, file);
        into->len += got;
    }
    return buf_failed(into) || into->len > SEG_FILE_BYTES_MAX || ferror(file)
               ? -1
               : 0;
}

static int convert_file(const char *path, conversion *convert)
{
    int is_input = !strcmp(path, "-"), status = CTL_FAILED;
    FILE *file = is_input ? stdin : fopen(path, "r");
    struct buf in;
    buf_init(&in);
    if (!file || read_stream(file, &in) < 0)
        ctl_fail("%s: cannot be read, or is too large",
                 is_input ? "standard input" : path);
    else
        status = print_converted(
            &(struct seg_source){path, buf_string(&in), in.len}, convert);
    if (file && !is_input)
        fclose(file);
    buf_done(&in);
    return status;
}

int ctl_convert(int argc, char **argv)
{
    static const struct option options[] = {
        {"to", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    conversion *convert = NULL;
    int option;
    while ((option = ctl_option(argc, argv, options)) != -1) {
        if (option == '?')
            return CTL_USAGE;
        convert = !strcmp(optarg, "json")  ? seg_to_json
                  : !strcmp(optarg, "seg") ? seg_from_json
                                           : NULL;
        if (!convert)
            return ctl_usage("convert", "--to is json or seg");
    }
    if (!convert)
        return ctl_usage("convert", "to what?");
    if (optind + 1 != argc)
        return ctl_usage("convert", "which file?");
    return convert_file(argv[optind], convert);
}
