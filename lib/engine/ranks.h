/* ranks.h: a set of small numbers that gives back the least first.
 *
 * A bit for each, and a bit above for each word that is not empty, so that an
 * almost empty set of 100 000 is searched in a few steps. */
#ifndef ENGINE_RANKS_H
#define ENGINE_RANKS_H

#include <stdint.h>

#define RANKS_NONE UINT32_MAX

struct ranks {
    uint64_t *words;
    uint64_t *above;
    uint32_t above_count;
};

/* An empty set of numbers below COUNT. Returns 0 or SEG_ERR_NOMEM. */
int ranks_init(struct ranks *ranks, uint32_t count);
void ranks_done(struct ranks *ranks);

static inline void ranks_add(struct ranks *ranks, uint32_t n)
{
    ranks->words[n / 64] |= UINT64_C(1) << n % 64;
    ranks->above[n / 4096] |= UINT64_C(1) << n / 64 % 64;
}

/* Take the least out; RANKS_NONE if the set is empty. */
uint32_t ranks_take(struct ranks *ranks);

void ranks_clear(struct ranks *ranks);

#endif
