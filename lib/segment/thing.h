/* thing.h: what a catalogue is made of, to be compared with another one.
 *
 * A *thing* has a name in its part and some fields, each as it is shown and as
 * it is compared. Of two fields that mean the same nobody asks how they are
 * written. */
#ifndef SEGMENT_THING_H
#define SEGMENT_THING_H

#include <seg/diff.h>

#include "lib/base/arena.h"
#include "lib/segment/catalogue.h"

#define THING_FIELDS_MAX 5

struct thing {
    const char *name;
    int field_count;
    struct thing_field {
        const char *name, *shown, *meaning;
    } fields[THING_FIELDS_MAX];
};

/* The things of one part of a catalogue, in its order. */
struct things {
    uint32_t count;
    struct thing *items;
};

/* All things of PART of CATALOGUE, in ARENA. Returns 0 or SEG_ERR_NOMEM. */
int things_of(struct things *ret, const struct seg_catalogue *catalogue,
              enum seg_diff_part part, struct arena *arena);

/* Features: the kept ones, then the watches; the source of number I. */
uint32_t thing_source(const struct seg_catalogue *catalogue,
                      enum seg_diff_part part, uint32_t i);

#endif
