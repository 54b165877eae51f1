/* files.h: the segment files that a verb was given. */
#ifndef CTL_FILES_H
#define CTL_FILES_H

#include <stdio.h>

#include <seg/catalogue.h>

#include "daemon/base/segments.h"

/* Read the COUNT paths at PATHS into FILES, to be ended with segment_files_done
 * in any case. What cannot be read is said on standard error, as is finding no
 * segment file at all. Returns an exit status. */
int files_read(struct segment_files *files, char *const *paths, int count);

/* Compile FILES. Errors, and no warnings, go to standard error. Returns an exit
 * status; *RET is written only when it is CTL_GOOD. */
int files_compile(struct seg_catalogue **ret,
                  const struct segment_files *files);

/* Write those of DIAGNOSTICS that have SEVERITY, at most MAX, as people read
 * them to OUT. Returns how many. */
int files_print(FILE *out, const struct seg_diagnostics *diagnostics,
                enum seg_severity severity, int max);

#endif
