/* bell.h: waking a worker that waits.
 *
 * Anything that has something for the worker rings: a queue of librdkafka that
 * was empty, an answer to a question. Between two waits ringing costs one
 * atomic operation, however often it is done. */
#ifndef KAFKA_BELL_H
#define KAFKA_BELL_H

#include <stdatomic.h>
#include <stdint.h>

struct bell {
    int fd;
    atomic_int rung;
};

/* Returns 0, or SEG_ERR_LIMIT without a descriptor left. */
int bell_open(struct bell *bell);
void bell_close(struct bell *bell);

/* Any thread. */
void bell_ring(struct bell *bell);

/* Wait until somebody rang since the last wait, FD is readable, or TIMEOUT_MS
 * passed. What was rung about is to be looked at after the return. */
void bell_wait(struct bell *bell, int fd, int64_t timeout_ms);

#endif
