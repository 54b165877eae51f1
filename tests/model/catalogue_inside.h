/* catalogue_inside.h: what the files that write catalogues share.
 *
 *   catalogue_gen.c       conditions, segments, scores, traits
 *   catalogue_measure.c   measures, and two against each other
 *   catalogue_sequence.c  steps
 *   catalogue_test.c      values, tests, events, windows */
#ifndef MODEL_CATALOGUE_INSIDE_H
#define MODEL_CATALOGUE_INSIDE_H

#include "tests/model/catalogue_gen.h"

struct gen {
    struct world *world;
    struct random *r;
    struct buf *out;
    const char *const *keys; /* Segments that may be referred to. */
    int key_count;
    int windowless; /* Inside a measure without a window: dates after
                       `before` and `between` would be its window. */
};

#define CATALOGUE_SCORES 3 /* score_0 ... */
#define CATALOGUE_TRAITS 3 /* trait_0 ... */

/* ---- catalogue_test.c ---- */

void gen_json(struct gen *g, json_t *value);
void gen_value(struct gen *g, enum world_kind kind);
void gen_duration(struct gen *g, int64_t ms);
void gen_date(struct gen *g, int64_t ms);
int64_t gen_some_date(struct gen *g);
const char *gen_sign(struct gen *g);
void gen_number_range(struct gen *g);
void gen_number_test(struct gen *g);
void gen_set_test(struct gen *g);

/* A test of a value that is mostly of KIND. */
void gen_test(struct gen *g, enum world_kind kind);
void gen_path_test(struct gen *g, enum world_root root);
const struct world_path *gen_path(struct gen *g, enum world_root root);
enum world_root gen_where_root(struct gen *g);
void gen_event(struct gen *g);
void gen_where(struct gen *g);

/* Returns whether there is one. */
int gen_window(struct gen *g);

/* ---- catalogue_measure.c ---- */

/* A measure with its test; two that are compared; one alone. */
void gen_measure(struct gen *g);
void gen_comparison(struct gen *g);
void gen_number_measure(struct gen *g, int may_move);
void gen_scores(struct gen *g);

/* ---- catalogue_sequence.c ---- */

void gen_sequence(struct gen *g);

#endif
