/* hash.c: XXH3. */
#define XXH_INLINE_ALL
#include "lib/base/hash.h"

#include <xxhash.h>

uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, len, seed);
}

uint64_t hash_salted(const void *salt, size_t salt_len, const void *bytes,
                     size_t len)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, salt, salt_len);
    XXH3_64bits_update(&state, "", 1);
    XXH3_64bits_update(&state, bytes, len);
    return XXH3_64bits_digest(&state);
}
