/* partitioner.h: to which partition a key belongs.
 *
 * As producers compute it, so that a record in the wrong partition is noticed:
 * its user's other events are elsewhere. */
#ifndef PROTOCOL_PARTITIONER_H
#define PROTOCOL_PARTITIONER_H

#include <stddef.h>

enum partitioner {
    PARTITIONER_TRUST,   /* Do not check. */
    PARTITIONER_MURMUR2, /* Java clients: murmur2 of the key. */
    PARTITIONER_CRC32, /* librdkafka's `consistent` ones: CRC-32 of the key. */
};

/* The partition, of COUNT > 0, of the LEN bytes at KEY; -1 with TRUST. */
int partitioner_partition(enum partitioner partitioner, const char *key,
                          size_t len, int count);

#endif
