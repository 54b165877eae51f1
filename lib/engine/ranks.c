/* ranks.c: a set of small numbers that gives back the least first. */
#include "lib/engine/ranks.h"

#include <stdlib.h>

#include <seg/error.h>

int ranks_init(struct ranks *ranks, uint32_t count)
{
    *ranks = (struct ranks){.above_count = count / 4096 + 1};
    ranks->words = calloc(ranks->above_count * 64ul, sizeof(uint64_t));
    ranks->above = calloc(ranks->above_count, sizeof(uint64_t));
    return ranks->words && ranks->above ? 0 : SEG_ERR_NOMEM;
}

void ranks_done(struct ranks *ranks)
{
    free(ranks->words);
    free(ranks->above);
    *ranks = (struct ranks){0};
}

uint32_t ranks_take(struct ranks *ranks)
{
    for (uint32_t i = 0; i < ranks->above_count; i++) {
        if (!ranks->above[i])
            continue;
        uint32_t word = i * 64 + (uint32_t)__builtin_ctzll(ranks->above[i]);
        uint64_t bits = ranks->words[word];
        uint32_t n = word * 64 + (uint32_t)__builtin_ctzll(bits);
        ranks->words[word] = bits & (bits - 1);
        if (!ranks->words[word])
            ranks->above[i] &= ranks->above[i] - 1;
        return n;
    }
    return RANKS_NONE;
}

void ranks_clear(struct ranks *ranks)
{
    while (ranks_take(ranks) != RANKS_NONE)
        ;
}
