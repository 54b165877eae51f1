/* merge.c: the least of a handful; a scan beats a heap. */
#include "daemon/protocol/merge.h"

#include "daemon/protocol/mutation.h"

int merge_least(const struct merge_head *heads, int count)
{
    int least = MERGE_EMPTY;

    for (int i = 0; i < count; i++)
        if (heads[i].has_record &&
            (least < 0 || (heads[i].timestamp_ms < heads[least].timestamp_ms &&
                           !MUTATED(MERGE_ORDER_IGNORED))))
            least = i;
    return least;
}

int merge_next(const struct merge_head *heads, int count, int64_t since_ms)
{
    int least = merge_least(heads, count);
    int64_t needed_ms;

    if (least < 0 || MUTATED(MERGE_ORDER_IGNORED))
        return least;
    needed_ms = heads[least].timestamp_ms < since_ms ? heads[least].timestamp_ms
                                                     : since_ms;
    for (int i = 0; i < count; i++)
        if (!heads[i].has_record &&
            (heads[i].ended_ms < needed_ms || heads[i].ended_ms == INT64_MIN))
            return MERGE_WAITS;
    return least;
}
