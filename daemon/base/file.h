/* file.h: whole files into memory. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <seg/event.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"

/* Read the file PATH of at most BYTES_MAX bytes into ARENA, terminated.
 *
 * Returns 0; SEG_ERR_NOT_FOUND if it cannot be read or SEG_ERR_LIMIT if it is
 * larger, with a line in ERRORS that names PATH; or SEG_ERR_NOMEM. */
int file_read(struct arena *arena, const char *path, size_t bytes_max,
              struct seg_text *text, struct buf *errors);

#endif
