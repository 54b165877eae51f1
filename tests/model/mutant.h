/* mutant.h: the oracle with one mistake in it (mutant_table.h). */
#ifndef MODEL_MUTANT_H
#define MODEL_MUTANT_H

#include "tests/model/mutant_table.h"

enum mutant {
    MUTANT_NONE,
#define X(name, what) MUTANT_##name,
    MUTANT_TABLE(X)
#undef X
        MUTANT_COUNT_
};

/* The mistake in force: one for the whole process. */
extern enum mutant mutant_on;

#define MUTATED(name) (mutant_on == MUTANT_##name)

/* "lt_le", and what it does. Static. */
const char *mutant_name(enum mutant mutant);
const char *mutant_what(enum mutant mutant);

/* By name; MUTANT_NONE if there is none. */
enum mutant mutant_find(const char *name);

#endif
