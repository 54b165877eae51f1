/* sim_feed.c: read_committed, with EOF events as librdkafka has them. */
#include "tests/support/sim_feed.h"

#include <assert.h>

static int is_readable(const struct sim_entry *entry)
{
    return !entry->is_marker && !entry->gone && entry->status == SIM_COMMITTED;
}

void sim_feed(struct sim *sim, struct partition *partition, int input, int max,
              int64_t *handles)
{
    const struct sim_log *log =
        &sim->logs[BROKER_INPUT(input)][partition_number(partition)];
    int64_t stable = sim_stable_end(log);
    int64_t at = partition_position(partition, input);
    uint32_t room = partition_room(partition, input);

    if (partition_state(partition) != PARTITION_RUNNING)
        return;
    for (; at < stable && room && max; at++) {
        struct sim_entry *entry = &log->entries[at];
        struct input_record record = {
            entry->key, entry->key_len,      entry->value, entry->value_len,
            at,         entry->timestamp_ms, entry};
        if (!is_readable(entry))
            continue;
        ++*handles;
        partition_push(partition, input, &record, 1);
        room--;
        max--;
    }
    while (at < stable && !is_readable(&log->entries[at]))
        at++;
    /* No EOF while a transaction is open in the log. */
    if (at == stable && at == sim_end(log))
        partition_eof(partition, input, at);
}

void sim_release(void *arg, void *handle)
{
    int64_t *handles = arg;

    assert(handle);
    --*handles;
}
