/* fit.h: which partitioner a topic was written with, judged by some of its
 * records.
 *
 * A record is in the right partition when the partitioner of its input puts its
 * user id there. Of n partitions a wrong partitioner is right once in n by
 * chance, so a few records tell. */
#ifndef CTL_FIT_H
#define CTL_FIT_H

#include <stdint.h>

#include <seg/event.h>

#include "daemon/protocol/partitioner.h"

/* So many of a hundred records must be where the partitioner puts them: some
 * may be strays of another producer, which become dead letters. */
#define FIT_PERCENT 90

struct fit {
    int partitions;
    int64_t sampled;
    int64_t without_id;     /* No event, or of nobody. */
    int64_t murmur2, crc32; /* In the partition where it puts them. */
};

/* A record of PARTITION, of the user ID (bytes = NULL: none). */
void fit_add(struct fit *fit, int partition, struct seg_text id);

enum fit_verdict {
    FIT_UNKNOWN, /* Nothing to judge by. */
    FIT_ANY,     /* One partition: any will do. */
    FIT_MURMUR2,
    FIT_CRC32,
    FIT_NONE, /* Not keyed by the user id. */
};

enum fit_verdict fit_judge(const struct fit *fit);

/* Records of FIT that PARTITIONER puts where they are, of those with an id. */
int64_t fit_right(const struct fit *fit, enum partitioner partitioner);

#endif
