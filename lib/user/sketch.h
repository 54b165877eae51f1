/* sketch.h: HyperLogLog, the part that has no state.
 *
 * A value's hash names one of 2^bits registers by its top bits; its rank is the
 * place of the first one in the rest of them. A register is the highest rank
 * that it saw: a set of n values is known by how many registers hold each rank.
 *
 * Flajolet, Fusy, Gandouet, Meunier, HyperLogLog (2007); the estimator is that
 * of Ertl, New cardinality estimation algorithms for HyperLogLog sketches
 * (2017), section 4: no table of corrections, no change from one formula to
 * another, the same error for few values and many. It is computed in integers:
 * the same estimate on every machine. */
#ifndef USER_SKETCH_H
#define USER_SKETCH_H

#include <stdint.h>

#define SKETCH_RANK_MAX      54 /* Of 10 bits or fewer; higher ones are it. */
#define SKETCH_REGISTERS_MAX 1024

/* Where a value goes: register (10 bits), rank (6 bits, from 1). */
static inline uint16_t sketch_spot(uint64_t hash, int bits)
{
    uint64_t rest = hash << bits;
    int rank = rest ? __builtin_clzll(rest) + 1 : SKETCH_RANK_MAX;
    return (
        uint16_t)(hash >> (64 - bits) << 6 |
                  (uint64_t)(rank < SKETCH_RANK_MAX ? rank : SKETCH_RANK_MAX));
}

static inline uint32_t spot_register(uint16_t spot)
{
    return spot >> 6;
}

static inline uint32_t spot_rank(uint16_t spot)
{
    return spot & 63;
}

/* How many of the 2^BITS registers hold each rank; 0: nothing. */
struct sketch {
    uint16_t ranks[SKETCH_RANK_MAX + 1];
};

static inline void sketch_clear(struct sketch *sketch, int bits)
{
    *sketch = (struct sketch){.ranks = {(uint16_t)(1 << bits)}};
}

/* A register goes from rank OLD to rank NEW. */
static inline void sketch_raise(struct sketch *sketch, uint32_t old,
                                uint32_t new)
{
    sketch->ranks[old]--;
    sketch->ranks[new]++;
}

/* How many values SKETCH has seen, roughly. */
uint64_t sketch_estimate(const struct sketch *sketch, int bits);

#endif
