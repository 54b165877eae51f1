/* hash.h: XXH3, the one hash of the project (https://xxhash.com, 64 bits).
 *
 * With a random SEED for tables keyed by what strangers send, with a fixed one
 * for whatever is stored or sent. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed);

/* XXH3-64 of SALT, a zero byte, and the LEN bytes at BYTES. */
uint64_t hash_salted(const void *salt, size_t salt_len, const void *bytes,
                     size_t len);

#endif
