/* fmt.c: segmentctl fmt.
 *
 * A file is replaced by renaming a new one over it: whoever reads it meanwhile,
 * or a full disk, finds either the old text or the new one. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/files.h"
#include "lib/base/buf.h"

/* The one spelling of SOURCE as a heap string; NULL, and its errors said, if it
 * has any. */
static char *spelled(const struct seg_source *source)
{
    struct seg_diagnostics *diagnostics = NULL;
    char *text = NULL;
    int got = seg_diagnostics_new(&diagnostics);
    if (got >= 0)
        got = seg_format(&text, source, diagnostics);
    if (got == SEG_ERR_SYNTAX)
        files_print(stderr, diagnostics, SEG_SEVERITY_ERROR, INT_MAX);
    else if (got < 0)
        ctl_fail("%s: %s", source->name, seg_error_sentence(got));
    seg_diagnostics_free(diagnostics);
    return got < 0 ? NULL : text;
}

/* Write TEXT to the open DESCRIPTOR and to the disk. Returns 0 or errno. */
static int write_all(int descriptor, const char *text, size_t len)
{
    while (len) {
        ssize_t done = write(descriptor, text, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno;
        text += done;
        len -= (size_t)done;
    }
    return fsync(descriptor) ? errno : 0;
}

/* Replace the file PATH, or what it links to, by TEXT; mode and, where we may,
 * owner stay. */
static int replace(const char *path, const char *text)
{
    char target[4096], made[4096 + 16];
    struct stat old;
    if (!realpath(path, target) || stat(target, &old))
        return ctl_fail("%s: %s", path, strerror(errno));
    snprintf(made, sizeof(made), "%s.XXXXXX", target);
    int descriptor = mkstemp(made);
    if (descriptor < 0)
        return ctl_fail("%s: %s", made, strerror(errno));
    int wrong = write_all(descriptor, text, strlen(text));
    if (!wrong && fchown(descriptor, old.st_uid, old.st_gid) && errno != EPERM)
        wrong = errno;
    if (!wrong && fchmod(descriptor, old.st_mode & 07777))
        wrong = errno;
    close(descriptor);
    if (!wrong && rename(made, target))
        wrong = errno;
    if (!wrong)
        return CTL_GOOD;
    unlink(made);
    return ctl_fail("%s: %s", path, strerror(wrong));
}

/* One file; prints its name if it is spelled differently. */
static int format(const struct seg_source *source, int check)
{
    char *text = spelled(source);
    if (!text)
        return CTL_FAILED;
    int status = CTL_GOOD;
    size_t len = strlen(text);
    if (len != source->len || memcmp(text, source->text, len)) {
        status = check ? CTL_FAILED : replace(source->name, text);
        if (check || status == CTL_GOOD)
            printf("%s\n", source->name);
    }
    free(text);
    return status;
}

/* Standard input to standard output. */
static int filter(int check)
{
    struct buf in;
    char *text = NULL;
    int status = CTL_FAILED;
    size_t got = 1;
    buf_init(&in);
    while (got && in.len <= SEG_FILE_BYTES_MAX) {
        char *room = buf_reserve(&in, 65536);
        if (!room)
            break;
        got = fread(room, 1, 65536, stdin);
        in.len += got;
    }
    if (buf_failed(&in) || in.len > SEG_FILE_BYTES_MAX || ferror(stdin)) {
        ctl_fail("standard input: cannot be read, or is too large");
        goto done;
    }
    text = spelled(&(struct seg_source){"-", buf_string(&in), in.len});
    if (!text)
        goto done;
    status = CTL_GOOD;
    if (!check)
        fputs(text, stdout);
    else if (strlen(text) != in.len || memcmp(text, in.bytes, in.len))
        status = CTL_FAILED;
done:
    free(text);
    buf_done(&in);
    return status;
}

int ctl_fmt(int argc, char **argv)
{
    static const struct option options[] = {
        {"check", no_argument, NULL, 'c'},
        {NULL, 0, NULL, 0},
    };
    int option, check = 0;
    while ((option = ctl_option(argc, argv, options)) != -1) {
        if (option == '?')
            return CTL_USAGE;
        check = 1;
    }
    if (optind == argc)
        return ctl_usage("fmt", "which files?");
    if (argc - optind == 1 && !strcmp(argv[optind], "-"))
        return filter(check);
    struct segment_files files;
    int status = files_read(&files, argv + optind, argc - optind);
    for (int i = 0; i < files.count; i++)
        if (format(&files.sources[i], check) != CTL_GOOD)
            status = CTL_FAILED;
    segment_files_done(&files);
    return status;
}
