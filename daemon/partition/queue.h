/* queue.h: records of one input that wait to be merged. A ring. */
#ifndef PARTITION_QUEUE_H
#define PARTITION_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/protocol/input.h"

struct queue {
    struct input_record *records;
    uint32_t head, count, cap; /* CAP is 0 or a power of two. */
    size_t bytes;              /* Of their values. */
};

/* Append RECORD. Returns 0 or SEG_ERR_NOMEM. A zeroed queue is empty. */
int queue_push(struct queue *queue, const struct input_record *record);

/* The first record, NULL if there is none; valid until the next push. */
const struct input_record *queue_first(const struct queue *queue);

/* The INDEX-th record, 0 = the first; INDEX is below the count. */
const struct input_record *queue_at(const struct queue *queue, uint32_t index);

/* Take the first record off. */
void queue_pop(struct queue *queue);

void queue_done(struct queue *queue);

#endif
