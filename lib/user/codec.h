/* codec.h: values and 64-bit numbers in the words of an item.
 *
 *   word 0   type (low 8 bits), bytes of a text or items of a list (high 24)
 *   then     bool, missing, object: nothing    int, double: 2 words
 *            text: its bytes, padded to a word with zeros
 *            list, object: its items, one after the other */
#ifndef USER_CODEC_H
#define USER_CODEC_H

#include <stdint.h>
#include <string.h>

#include <seg/event.h>

#include "lib/base/arena.h"

/* A word of an item, which may lie at any address. */
typedef uint32_t word __attribute__((aligned(1)));

#define WORD_BYTES 4u

#define CODEC_LEN_MAX ((1u << 24) - 1)

static inline int64_t codec_get_i64(const word *words)
{
    int64_t n;
    memcpy(&n, words, sizeof(n));
    return n;
}

static inline void codec_put_i64(word *words, int64_t n)
{
    memcpy(words, &n, sizeof(n));
}

static inline uint64_t codec_get_u64(const word *words)
{
    return (uint64_t)codec_get_i64(words);
}

static inline void codec_put_u64(word *words, uint64_t n)
{
    codec_put_i64(words, (int64_t)n);
}

/* Words that VALUE takes. */
uint32_t codec_words(const struct seg_value *value);

/* Write VALUE at WORDS; returns the words taken. */
uint32_t codec_put(word *words, const struct seg_value *value);

/* Words taken by the value at WORDS. */
uint32_t codec_len(const word *words);

/* Read the value at WORDS; text borrows from it, the items of a list are put in
 * ARENA (NULL: a list is read as SEG_OBJECT). Returns 0 or SEG_ERR_NOMEM. */
int codec_get(const word *words, struct arena *arena, struct seg_value *value);

#endif
