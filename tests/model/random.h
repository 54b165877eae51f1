/* random.h: a small seeded generator, so that a case is its number. */
#ifndef MODEL_RANDOM_H
#define MODEL_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* splitmix64 (Steele, Lea, Flood 2014): any seed is a good one. */
struct random {
    uint64_t state;
};

static inline uint64_t random_bits(struct random *r)
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 to N - 1; N at least 1. */
static inline int64_t random_below(struct random *r, int64_t n)
{
    return (int64_t)(random_bits(r) % (uint64_t)n);
}

/* LOW to HIGH, both inclusive. */
static inline int64_t random_between(struct random *r, int64_t low,
                                     int64_t high)
{
    return low + random_below(r, high - low + 1);
}

/* True PERCENT times in a hundred. */
static inline int random_chance(struct random *r, int percent)
{
    return random_below(r, 100) < percent;
}

/* One item of an array. */
#define RANDOM_OF(r, array) \
    ((array)[random_below((r), (int64_t)(sizeof(array) / sizeof((array)[0])))])

/* Put the N things of SIZE bytes at THINGS in any order. */
static inline void random_shuffle(struct random *r, void *things, int n,
                                  size_t size)
{
    char *at = (char *)things;
    for (int i = n - 1; i > 0; i--) {
        char *one = at + (size_t)i * size;
        char *other = at + (size_t)random_below(r, i + 1) * size;
        for (size_t b = 0; b < size; b++) {
            char swapped = one[b];
            one[b] = other[b];
            other[b] = swapped;
        }
    }
}

#endif
