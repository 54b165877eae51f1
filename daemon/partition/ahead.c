/* ahead.c: decode some, ask for their memory, then hand them out. */
#include "daemon/partition/ahead.h"

#include <assert.h>

enum { USER_AHEAD = 4 }; /* Events between asking for a block and using it. */

static void decode_some(struct ahead *ahead, const struct ledger *ledger,
                        int input, const struct queue *queue)
{
    uint32_t count = queue->count < AHEAD_MAX ? queue->count : AHEAD_MAX;

    seg_decoder_reset(ahead->decoder);
    ahead->next = 0;
    ahead->count = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct input_record *record = queue_at(queue, i);
        ahead->reasons[i] =
            ledger_decode(ledger, ahead->decoder, input, record->value,
                          record->value_len, &ahead->events[i]);
        if (!ahead->reasons[i])
            seg_engine_prefetch(ledger->engine, &ahead->events[i]);
        if (ahead->reasons[i] == SEG_ERR_NOMEM) {
            ahead->count = i;
            break;
        }
    }
    for (uint32_t i = 0; i < ahead->count && i < USER_AHEAD; i++)
        if (!ahead->reasons[i])
            seg_engine_prefetch_user(ledger->engine, &ahead->events[i]);
}

int ahead_first(struct ahead *ahead, const struct ledger *ledger, int input,
                const struct queue *queue, const struct seg_event **event)
{
    uint32_t later;

    if (!ahead->decoder && seg_decoder_new(&ahead->decoder, ledger->catalogue))
        return SEG_ERR_NOMEM;
    if (ahead->next == ahead->count)
        decode_some(ahead, ledger, input, queue);
    if (ahead->next == ahead->count)
        return SEG_ERR_NOMEM;
    later = ahead->next + USER_AHEAD;
    if (later < ahead->count && !ahead->reasons[later])
        seg_engine_prefetch_user(ledger->engine, &ahead->events[later]);
    *event = &ahead->events[ahead->next];
    return ahead->reasons[ahead->next];
}

void ahead_pop(struct ahead *ahead)
{
    assert(ahead->next < ahead->count);
    ahead->next++;
}

void ahead_done(struct ahead *ahead)
{
    seg_decoder_free(ahead->decoder);
    ahead->decoder = NULL;
    ahead->next = ahead->count = 0;
}
