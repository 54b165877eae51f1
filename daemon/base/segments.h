/* segments.h: segment files from the disk.
 *
 * A path is a file, or a folder: then all files below it whose names end in
 * .seg, in the order of their paths. Hidden files and folders are left out. */
#ifndef BASE_SEGMENTS_H
#define BASE_SEGMENTS_H

#include <seg/catalogue.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"

struct segment_files {
    struct seg_source *sources;
    int count;
    size_t cap;
    struct arena arena;
};

void segment_files_init(struct segment_files *files);
void segment_files_done(struct segment_files *files);

/* Add what is at PATH. Returns 0; SEG_ERR_NOT_FOUND if it, or something below
 * it, cannot be read, SEG_ERR_LIMIT for a file over SEG_FILE_BYTES_MAX, with a
 * line in ERRORS; or SEG_ERR_NOMEM. A folder without segment files is fine. */
int segment_files_add(struct segment_files *files, const char *path,
                      struct buf *errors);

/* Read the COUNT paths at PATHS and compile them. Errors, as people read them,
 * go to ERRORS; warnings to WARNINGS, which may be NULL. Returns as
 * segment_files_add and seg_catalogue_compile. */
int segments_compile(struct seg_catalogue **ret, const char *const *paths,
                     int count, struct buf *errors, struct buf *warnings);

#endif
