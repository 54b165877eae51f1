/* mutant.c: names of the mutants. */
#include "tests/model/mutant.h"

#include <stddef.h>
#include <strings.h>

enum mutant mutant_on = MUTANT_NONE;
char mutant_asked[MUTANT_COUNT_];
int mutant_recording;

static const struct row {
    const char *name, *what;
} table[] = {{"none", "nothing wrong"},
#define X(name, what) {#name, what},
             MUTANT_TABLE(X)
#undef X
};

const char *mutant_name(enum mutant mutant)
{
    return table[mutant].name;
}

const char *mutant_what(enum mutant mutant)
{
    return table[mutant].what;
}

enum mutant mutant_find(const char *name)
{
    for (int i = 1; i < MUTANT_COUNT_; i++)
        if (!strcasecmp(table[i].name, name))
            return (enum mutant)i;
    return MUTANT_NONE;
}
