/* ahead.c: decode some, ask for their memory, then hand them out. */
#include "daemon/partition/ahead.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/partition/names.h"

enum { USER_AHEAD = 4 }; /* Events between asking for a block and using it. */

/* Room for name ID. Without memory it is looked up each time. */
static int is_first(struct ahead *ahead, uint32_t id)
{
    if (id >= ahead->seen_cap) {
        size_t cap = id < 64 ? 64 : 2 * (size_t)id;
        unsigned char *seen = realloc(ahead->seen, cap);
        if (!seen)
            return 1;
        memset(seen + ahead->seen_cap, 0, cap - ahead->seen_cap);
        ahead->seen = seen;
        ahead->seen_cap = cap;
    }
    int first = !ahead->seen[id];
    ahead->seen[id] = 1;
    return first;
}

static void note_name(struct ahead *ahead, struct names *names,
                      const struct seg_event *event)
{
    if (names && event->name.bytes &&
        (event->name_id == SEG_NAME_NONE || is_first(ahead, event->name_id)))
        names_see(names, event);
}

static void decode_some(struct ahead *ahead, const struct ledger *ledger,
                        int input, const struct queue *queue,
                        struct names *names)
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
        if (!ahead->reasons[i]) {
            seg_engine_prefetch(ledger->engine, &ahead->events[i]);
            note_name(ahead, names, &ahead->events[i]);
        }
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
                const struct queue *queue, struct names *names,
                const struct seg_event **event)
{
    uint32_t later;

    if (!ahead->decoder && seg_decoder_new(&ahead->decoder, ledger->catalogue))
        return SEG_ERR_NOMEM;
    if (ahead->next == ahead->count)
        decode_some(ahead, ledger, input, queue, names);
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
    free(ahead->seen);
    ahead->decoder = NULL;
    ahead->seen = NULL;
    ahead->seen_cap = 0;
    ahead->next = ahead->count = 0;
}
