/* record_value.h: a value in a user record (snapshot.c has the format). */
#ifndef ENGINE_RECORD_VALUE_H
#define ENGINE_RECORD_VALUE_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/reader.h"

void record_value_encode(struct buf *buf, const struct seg_value *value);

/* Read a value; texts borrow from the record, items of a list are put in ARENA.
 * Returns 0, SEG_ERR_RECORD or SEG_ERR_NOMEM. */
int record_value_decode(struct reader *reader, struct arena *arena,
                        struct seg_value *value);

#endif
