/* reason.c: why a partition does not run, in a sentence for people.
 *
 * What a restore waits for is written down now and then: who asks for it may do
 * so from a board that is looked at in every turn. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/partition/partition_inside.h"

enum {
    TELL_MS = 1000, /* What a restore waits for is told so often ... */
    LONG_MS = 10000 /* ... and is worth a warning after so long. */
};

/* ---- a restore ----------------------------------------------------------- */

static const char *step_reason(int step)
{
    static const char *const steps[] = {
        "It is about to be restored.",
        "It is being restored: its committed offsets are asked for.",
        "It is being restored: its state is read.",
        "It is being restored: its changes and triggers are read.",
        "It is being restored: its inputs are read once more.",
        "It is being restored: its users are judged.",
        "It is being restored: its committed offsets are asked for again.",
    };

    return steps[step];
}

/* For how long the restore has not got further, as of the last turn. */
static int64_t waits_ms(const struct partition *partition,
                        struct restore_waits *waits)
{
    if (!partition->restore || partition->state != PARTITION_RESTORING)
        return 0;
    restore_waits(partition->restore, waits);
    return waits->since_ms == INT64_MIN ? 0
                                        : partition->turn_ms - waits->since_ms;
}

void reason_tell(struct partition *partition, int64_t now_ms)
{
    struct restore_waits waits;
    char offsets[64] = "";
    int64_t ms;

    if (now_ms - partition->told_ms < TELL_MS)
        return;
    ms = waits_ms(partition, &waits);
    partition->told_ms = now_ms;
    partition->waiting[0] = '\0';
    if (ms < TELL_MS)
        return;
    if (waits.until)
        snprintf(offsets, sizeof(offsets), " from %" PRId64 " to %" PRId64,
                 waits.from, waits.until);
    snprintf(partition->waiting, sizeof(partition->waiting),
             "%s For %" PRId64 " s it has waited for: %s%s, topic %s; last "
             "answer: %s.%s%s",
             step_reason(waits.step), ms / 1000, waits.asked, offsets,
             waits.topic, waits.answer, waits.why[0] ? " " : "", waits.why);
}

int partition_waits(const struct partition *partition,
                    struct restore_waits *waits)
{
    return waits_ms(partition, waits) >= LONG_MS;
}

/* ---- all of it ----------------------------------------------------------- */

/* Why the record that goes next is not applied. */
static const char *held_reason(const struct partition *partition)
{
    switch (partition->held) {
    case SEG_ERR_NOMEM:
        return "There is no memory.";
    case SEG_ERR_LIMIT:
        return "The limit of users is reached.";
    default:
        return "The next record is bad, and on_bad_input is stop.";
    }
}

/* How far a restore is, and what it waits for if that takes long. */
static const char *restoring_reason(const struct partition *partition)
{
    struct restore_stats stats = {.step = 0};
    struct restore_waits waits;

    if (partition->held)
        return held_reason(partition);
    if (partition->waiting[0] && waits_ms(partition, &waits) >= TELL_MS)
        return partition->waiting;
    if (partition->restore)
        restore_stats(partition->restore, &stats);
    return step_reason(stats.step);
}

const char *partition_reason(const struct partition *partition)
{
    const char *full = partition->options->full;

    switch (partition->state) {
    case PARTITION_RESTORING:
        if (full)
            return full;
        return restoring_reason(partition);
    case PARTITION_WAITING:
        return "Its stored clock is ahead of the wall.";
    case PARTITION_REFUSED:
        return partition->ledger->broken.message;
    case PARTITION_WARM:
        return "It is not ours.";
    case PARTITION_RUNNING:
        break;
    }
    if (partition->held)
        return held_reason(partition);
    for (int i = 0; i < partition->input_count; i++)
        if (partition_alarm(partition, i))
            return "More than half of the last 1000 records of an input are "
                   "bad; POST /-/resume lets it go on.";
    return full ? full : "";
}

int partition_stands(const struct partition *partition)
{
    return partition->state == PARTITION_RESTORING
               ? partition->held
               : partition->state == PARTITION_RUNNING &&
                     partition_reason(partition)[0] &&
                     partition_reason(partition) != partition->options->full;
}
