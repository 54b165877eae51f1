/* catalogue_edit.h: what people do to a catalogue: the next one. */
#ifndef MODEL_CATALOGUE_EDIT_H
#define MODEL_CATALOGUE_EDIT_H

#include "tests/model/catalogue_gen.h"

struct catalogue_text {
    int count;
    char *segments[CATALOGUE_SEGMENTS_MAX]; /* Owned texts, one each. */
};

/* Make ALL[COUNT] from those before it: the last one with a few segments
 * renamed, narrowed, widened, compared with another number, given another
 * condition, removed, added, or brought back from an earlier catalogue. A
 * segment still refers only to those before it. */
void catalogue_edit(struct world *world, struct catalogue_text *all, int count);

void catalogue_text_done(struct catalogue_text *catalogue);

/* Segments that are published may not ask for shadows: they do not. */
void catalogue_publish(struct catalogue_text *catalogue);

#endif
