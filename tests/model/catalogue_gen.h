/* catalogue_gen.h: random segment files, as text. */
#ifndef MODEL_CATALOGUE_GEN_H
#define MODEL_CATALOGUE_GEN_H

#include "lib/base/buf.h"
#include "tests/model/world.h"

#define CATALOGUE_SEGMENTS_MAX 48

/* Which sort of conditions to write. */
enum catalogue_kind {
    CATALOGUE_ANY,
    CATALOGUE_COARSE, /* One measure in a two-ended window each. */
    CATALOGUE_LATE,   /* One sequence each. */
    CATALOGUE_LARGE,  /* One large count each, which the engine has exactly. */
};

/* Append one segment named KEY to OUT; it may refer to the COUNT segments of
 * KEYS. */
void catalogue_gen_segment(struct world *world, struct buf *out,
                           enum catalogue_kind kind, const char *key,
                           const char *const *keys, int count);

#define CATALOGUE_SHADOW "  shadow\n" /* Its first line, if it is one. */

/* Append a condition that may refer to the COUNT segments of KEYS. */
void catalogue_gen_cond(struct world *world, struct buf *out,
                        const char *const *keys, int count);

/* Append the lists that segments may name. */
void catalogue_gen_lists(struct world *world, struct buf *out);

/* Append a trait that nobody asks for. */
void catalogue_gen_trait(struct world *world, struct buf *out);

/* The INDEX-th key, into OUT: keys are not in the order of their indexes. */
#define CATALOGUE_KEY_BYTES 16
void catalogue_gen_key(const struct world *world, int index,
                       char out[CATALOGUE_KEY_BYTES]);

#endif
