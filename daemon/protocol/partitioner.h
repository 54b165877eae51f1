/* partitioner.h: to which partition a key belongs.
 *
 * As producers compute it, so that a record in the wrong partition is noticed:
 * its user's other events are elsewhere. */
#ifndef PROTOCOL_PARTITIONER_H
#define PROTOCOL_PARTITIONER_H

#include <stddef.h>

#include "daemon/base/conf.h"

enum partitioner {
    PARTITIONER_TRUST,   /* Do not check. */
    PARTITIONER_MURMUR2, /* Java clients: murmur2 of the key. */
    PARTITIONER_CRC32, /* librdkafka's `consistent` ones: CRC-32 of the key. */
};

/* The partition, of COUNT > 0, of the LEN bytes at KEY; -1 with TRUST. */
int partitioner_partition(enum partitioner partitioner, const char *key,
                          size_t len, int count);

/* By what records of INPUT are where they are. */
enum partitioner partitioner_of(const struct conf_input *input);

/* By what the partition of a user follows from his id: that of all inputs;
 * TRUST if they differ, as he may then be anywhere. */
enum partitioner partitioner_common(const struct conf *conf);

#endif
