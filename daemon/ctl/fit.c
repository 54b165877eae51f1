/* fit.c: which partitioner a topic was written with. */
#include "daemon/ctl/fit.h"

void fit_add(struct fit *fit, int partition, struct seg_text id)
{
    fit->sampled++;
    if (!id.bytes || !id.len) {
        fit->without_id++;
        return;
    }
    fit->murmur2 += partitioner_partition(PARTITIONER_MURMUR2, id.bytes, id.len,
                                          fit->partitions) == partition;
    fit->crc32 += partitioner_partition(PARTITIONER_CRC32, id.bytes, id.len,
                                        fit->partitions) == partition;
}

int64_t fit_right(const struct fit *fit, enum partitioner partitioner)
{
    switch (partitioner) {
    case PARTITIONER_MURMUR2:
        return fit->murmur2;
    case PARTITIONER_CRC32:
        return fit->crc32;
    case PARTITIONER_TRUST:
        break;
    }
    return fit->sampled - fit->without_id;
}

enum fit_verdict fit_judge(const struct fit *fit)
{
    int64_t judged = fit->sampled - fit->without_id;
    int64_t best = fit->murmur2 >= fit->crc32 ? fit->murmur2 : fit->crc32;
    if (fit->partitions == 1)
        return FIT_ANY;
    if (!judged || (fit->murmur2 == fit->crc32 && best == judged))
        return FIT_UNKNOWN;
    if (best * 100 < judged * FIT_PERCENT)
        return FIT_NONE;
    return fit->murmur2 == best ? FIT_MURMUR2 : FIT_CRC32;
}
