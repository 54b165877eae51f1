/* segments.c: segment files from the disk. */
#include "daemon/base/segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/file.h"
#include "lib/base/alloc.h"
#include "lib/base/text.h"

void segment_files_init(struct segment_files *files)
{
    *files = (struct segment_files){.count = 0};
    arena_init(&files->arena);
}

void segment_files_done(struct segment_files *files)
{
    free(files->sources);
    arena_done(&files->arena);
    segment_files_init(files);
}

static int add_file(struct segment_files *files, const char *path,
                    struct buf *errors)
{
    struct seg_text text;
    int err = file_read(&files->arena, path, SEG_FILE_BYTES_MAX, &text, errors);
    if (err < 0)
        return err;
    const char *name = arena_printf(&files->arena, "%s", path);
    if (!name ||
        alloc_grow((void **)&files->sources, &files->cap,
                   (size_t)files->count + 1, sizeof(*files->sources)) < 0)
        return SEG_ERR_NOMEM;
    files->sources[files->count++] =
        (struct seg_source){name, text.bytes, text.len};
    return 0;
}

static int is_segment_file(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && !strcmp(name + len - 4, ".seg");
}

static int add_path(struct segment_files *files, const char *path, int given,
                    struct buf *errors);

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct segment_files *files, const char *path,
                      struct buf *errors)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_shown, by_name), err = 0;
    if (count < 0) {
        buf_printf(errors, "%s: %s\n", path, strerror(errno));
        return errno == ENOMEM ? SEG_ERR_NOMEM : SEG_ERR_NOT_FOUND;
    }
    for (int i = 0; i < count; i++) {
        const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";
        char *below = arena_printf(&files->arena, "%s%s%s", path, slash,
                                   entries[i]->d_name);
        if (!err)
            err = below ? add_path(files, below, 0, errors) : SEG_ERR_NOMEM;
        free(entries[i]);
    }
    free(entries);
    return err;
}

/* GIVEN: named by the user, so it is a segment file whatever it is called. */
static int add_path(struct segment_files *files, const char *path, int given,
                    struct buf *errors)
{
    struct stat stat_;
    if (stat(path, &stat_) < 0) {
        buf_printf(errors, "%s: %s\n", path, strerror(errno));
        return SEG_ERR_NOT_FOUND;
    }
    if (S_ISDIR(stat_.st_mode))
        return add_folder(files, path, errors);
    return given || is_segment_file(path) ? add_file(files, path, errors) : 0;
}

int segment_files_add(struct segment_files *files, const char *path,
                      struct buf *errors)
{
    return add_path(files, path, 1, errors);
}

static int print_diagnostics(const struct seg_diagnostics *diagnostics,
                             enum seg_severity severity, struct buf *out)
{
    for (int i = 0; i < seg_diagnostics_count(diagnostics); i++) {
        const struct seg_diagnostic *one = seg_diagnostics_at(diagnostics, i);
        if (one->severity != (int)severity)
            continue;
        char *text = seg_diagnostic_text(one);
        if (!text)
            return SEG_ERR_NOMEM;
        buf_str(out, text);
        free(text);
    }
    return 0;
}

int segments_compile(struct seg_catalogue **ret, const char *const *paths,
                     int count, struct buf *errors, struct buf *warnings)
{
    struct segment_files files;
    struct seg_diagnostics *diagnostics = NULL;
    segment_files_init(&files);
    int err = seg_diagnostics_new(&diagnostics);
    for (int i = 0; i < count && !err; i++)
        err = segment_files_add(&files, paths[i], errors);
    if (err < 0)
        goto done;
    err = seg_catalogue_compile(ret, files.sources, files.count, diagnostics);
    int printed = print_diagnostics(diagnostics, SEG_SEVERITY_ERROR, errors);
    if (!printed && warnings)
        printed =
            print_diagnostics(diagnostics, SEG_SEVERITY_WARNING, warnings);
    if (!err && printed < 0) {
        seg_catalogue_free(*ret);
        err = printed;
    }
done:
    seg_diagnostics_free(diagnostics);
    segment_files_done(&files);
    return err;
}
