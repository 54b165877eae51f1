/* sim_catalogue.h: the catalogues of the simulated runs, and what they mean.
 *
 * The first is the one of runs in which nobody changes it. The others keep some
 * of its segments and rename, remove, narrow or widen the rest, or ask for what
 * nobody has watched before. Each segment is told twice: as text, for the
 * engine, and as counts of events, for the judge, who remembers all events and
 * has no need of an engine. */
#ifndef TESTS_SUPPORT_SIM_CATALOGUE_H
#define TESTS_SUPPORT_SIM_CATALOGUE_H

#include <stdint.h>

#include <seg/catalogue.h>

#define SIM_CATALOGUES 5
#define SIM_ALWAYS     INT64_MAX /* The window of a count of all events ever. */

/* Between LEAST and MOST events KIND in the last WINDOW_MS. */
struct sim_term {
    char kind; /* 0: no term. */
    int64_t window_ms;
    int least, most;
};

/* A segment that holds when all its terms do. */
struct sim_truth {
    const char *key;
    struct sim_term terms[2];
};

/* Number NUMBER of SIM_CATALOGUES; made once. */
const struct seg_catalogue *sim_catalogue(int number);

/* The number of the catalogue whose hash the 8 digits at HASH are; -1. */
int sim_catalogue_number(const char *hash);

/* What segment KEY means in it; NULL if that is no matter of counts alone. */
const struct sim_truth *sim_catalogue_truth(int number, const char *key);

/* The catalogue of SOURCE, the text of one file; ends the program if there is
 * something wrong with it. */
struct seg_catalogue *sim_compile(const char *text);

#endif
