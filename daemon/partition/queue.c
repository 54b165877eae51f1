/* queue.c: a ring that doubles. */
#include "daemon/partition/queue.h"

#include <assert.h>
#include <stdlib.h>

#include <seg/error.h>

static int grow(struct queue *queue)
{
    uint32_t cap = queue->cap ? 2 * queue->cap : 64;
    struct input_record *records = malloc(cap * sizeof(*records));

    if (!records)
        return SEG_ERR_NOMEM;
    for (uint32_t i = 0; i < queue->count; i++)
        records[i] = queue->records[(queue->head + i) & (queue->cap - 1)];
    free(queue->records);
    queue->records = records;
    queue->head = 0;
    queue->cap = cap;
    return 0;
}

int queue_push(struct queue *queue, const struct input_record *record)
{
    if (queue->count == queue->cap && grow(queue))
        return SEG_ERR_NOMEM;
    queue->records[(queue->head + queue->count++) & (queue->cap - 1)] = *record;
    queue->bytes += record->value_len;
    return 0;
}

const struct input_record *queue_first(const struct queue *queue)
{
    return queue->count ? &queue->records[queue->head] : NULL;
}

const struct input_record *queue_at(const struct queue *queue, uint32_t index)
{
    assert(index < queue->count);
    return &queue->records[(queue->head + index) & (queue->cap - 1)];
}

void queue_pop(struct queue *queue)
{
    assert(queue->count);
    queue->bytes -= queue->records[queue->head].value_len;
    queue->head = (queue->head + 1) & (queue->cap - 1);
    queue->count--;
}

void queue_done(struct queue *queue)
{
    free(queue->records);
    *queue = (struct queue){0};
}
