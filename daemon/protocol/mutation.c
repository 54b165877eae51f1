/* mutation.c: see mutation.h; empty in a build without mutations. */
#include "daemon/protocol/mutation.h"

#ifdef PROTOCOL_MUTATIONS

#include <string.h>

int protocol_mutation;

static const struct {
    const char *name, *text;
} table[MUTATION_COUNT] = {[MUTATION_NONE] = {"NONE", "no rule is broken"},
#define X(name, text) [MUTATION_##name] = {#name, text},
                           MUTATION_TABLE(X) MUTATION_TABLE_OUTSIDE(X)
#undef X
};

int mutation_find(const char *name)
{
    if (!name || !*name)
        return MUTATION_NONE;
    for (int i = 0; i < MUTATION_COUNT; i++)
        if (!strcmp(table[i].name, name))
            return i;
    return -1;
}

const char *mutation_name(int mutation)
{
    return table[mutation].name;
}

const char *mutation_text(int mutation)
{
    return table[mutation].text;
}

#endif
