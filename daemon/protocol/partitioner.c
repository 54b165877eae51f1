/* partitioner.c: the two hashes in use.
 *
 * murmur2: MurmurHash2, 32 bits, seed 0x9747b28c, as in
 * org.apache.kafka.common.utils.Utils.murmur2. Java's int is signed and its
 * DefaultPartitioner clears the sign bit before the modulo ("toPositive").
 *
 * crc32: the CRC-32 of zlib (polynomial 0xEDB88320, reflected, inverted at both
 * ends), unsigned modulo, as librdkafka's rd_kafka_msg_partitioner_consistent.
 */
#include "daemon/protocol/partitioner.h"

#include <assert.h>
#include <stdint.h>

static uint32_t little_endian(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static uint32_t murmur2(const char *key, size_t len)
{
    const uint32_t m = 0x5bd1e995;
    const unsigned char *p = (const unsigned char *)key;
    uint32_t h = 0x9747b28c ^ (uint32_t)len;

    for (; len >= 4; p += 4, len -= 4) {
        uint32_t k = little_endian(p) * m;
        k = (k ^ k >> 24) * m;
        h = h * m ^ k;
    }
    if (len > 2)
        h ^= (uint32_t)p[2] << 16;
    if (len > 1)
        h ^= (uint32_t)p[1] << 8;
    if (len > 0)
        h = (h ^ p[0]) * m;
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}

/* Four bits at a time: 16 numbers instead of a table made at start. */
static uint32_t crc32(const char *key, size_t len)
{
    static const uint32_t nibble[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)key[i];
        crc = crc >> 4 ^ nibble[crc & 15];
        crc = crc >> 4 ^ nibble[crc & 15];
    }
    return ~crc;
}

int partitioner_partition(enum partitioner partitioner, const char *key,
                          size_t len, int count)
{
    assert(count > 0);
    switch (partitioner) {
    case PARTITIONER_TRUST:
        break;
    case PARTITIONER_MURMUR2:
        return (int)((murmur2(key, len) & 0x7fffffff) % (uint32_t)count);
    case PARTITIONER_CRC32:
        return (int)(crc32(key, len) % (uint32_t)count);
    }
    return -1;
}

enum partitioner partitioner_of(const struct conf_input *input)
{
    static const enum partitioner partitioners[] = {
        [CONF_PARTITIONER_MURMUR2] = PARTITIONER_MURMUR2,
        [CONF_PARTITIONER_CRC32] = PARTITIONER_CRC32,
        [CONF_PARTITIONER_TRUST] = PARTITIONER_TRUST,
    };

    return partitioners[input->partitioner];
}

enum partitioner partitioner_common(const struct conf *conf)
{
    for (int i = 1; i < conf->input_count; i++)
        if (conf->inputs[i].partitioner != conf->inputs[0].partitioner)
            return PARTITIONER_TRUST;
    return partitioner_of(&conf->inputs[0]);
}
