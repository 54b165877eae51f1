/* names.h: the names of events that have come in.
 *
 * For `segmentctl check --url`: a segment that asks for an event that nobody
 * ever sent is a typing mistake, and what was sent tells the right name. One
 * table for each worker, filled as records are decoded and never emptied:
 *
 *   wanted    some segment names it: always noted, each once
 *   stranger  no segment does: noted while there are fewer than
 *             NAMES_STRANGERS_MAX, so that names made of ids cannot fill
 *             memory; then the table is not whole any more
 *
 * A wanted name costs a look at a byte (ahead.c): it is a small number already.
 * A stranger is looked up here each time. */
#ifndef PARTITION_NAMES_H
#define PARTITION_NAMES_H

#include <seg/event.h>

#include "lib/base/intern.h"

#define NAMES_STRANGERS_MAX 1000
#define NAMES_WANTED_MAX    100000 /* Of all catalogues there were. */

struct names {
    struct intern all;
    uint32_t strangers;
    uint32_t wanted;
    int full;         /* Some name was left out. */
    int64_t since_ms; /* Since when names are noted. */
};

void names_init(struct names *names, int64_t now_ms);
void names_done(struct names *names);

/* EVENT, a track, page or screen message, has come in. For want of memory its
 * name is left out. */
void names_see(struct names *names, const struct seg_event *event);

/* Put all names of FROM into TO, which is as good as the worse one of them.
 * Returns 0 or
 * SEG_ERR_NOMEM. */
int names_merge(struct names *to, const struct names *from);

#endif
