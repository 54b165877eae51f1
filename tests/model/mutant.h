/* mutant.h: the oracle with one mistake in it (mutant_table.h). */
#ifndef MODEL_MUTANT_H
#define MODEL_MUTANT_H

#include <stdint.h>

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

/* Which were asked for, since somebody cleared it; and whether that is what
 * runs are for now. */
extern char mutant_asked[MUTANT_COUNT_];
extern int mutant_recording;

static inline int mutant_is_on(enum mutant mutant)
{
    mutant_asked[mutant] = 1;
    return mutant_on == mutant;
}

/* Ask as late as can be: only where the answer makes a difference. */
#define MUTATED(name) mutant_is_on(MUTANT_##name)

/* "lt_le", and what it does. Static. */
const char *mutant_name(enum mutant mutant);
const char *mutant_what(enum mutant mutant);

/* By name; MUTANT_NONE if there is none. */
enum mutant mutant_find(const char *name);

/* Demand that CASES cases of SEED from FROM on notice each of them, or ONLY
 * one; say by which. Returns 0 if so. */
int mutants_run(uint64_t seed, uint64_t from, uint64_t cases, enum mutant only);

#endif
