/* consumer.h: a worker's membership in the group, and the records it gets.
 *
 * Partition p of every input is assigned as one. Each input of it has a queue
 * of its own, from which the worker takes as much as it wants and when it
 * wants: what is not taken stays in the library, which stops fetching when
 * there is enough. So no input is paused because another one is behind.
 *
 *     assigned(p)   nothing is read yet
 *     consumer_start(p, offsets)
 *     consumer_take(p, input) ... as often as you like
 *     consumer_hold(p, input)     no more of this one
 *     revoked(p)    everything taken may still be used; nothing more comes
 *
 * One thread, the worker's. The events are called inside consumer_poll and
 * consumer_close. */
#ifndef KAFKA_CONSUMER_H
#define KAFKA_CONSUMER_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/kafka/bell.h"
#include "daemon/kafka/client.h"
#include "daemon/protocol/input.h"

struct consumer;

struct consumer_events {
    void *arg;
    void (*assigned)(void *arg, const int *partitions, int count);
    /* LOST: they are somebody else's already, nothing may be committed. */
    void (*revoked)(void *arg, const int *partitions, int count, int lost);
    /* Something stands in the way, TEXT says what; it is tried again. May be
     * NULL. */
    void (*troubled)(void *arg, const char *text);
};

/* Join the group. PARTITIONS is the number of partitions of every input. What
 * is passed is borrowed until the close, EVENTS is copied; the bell rings when
 * there is something to poll or take. Returns 0; SEG_ERR_INVALID with a
 * sentence in WHY (CLIENT_WHY_BYTES); SEG_ERR_NOMEM. */
int consumer_open(struct consumer **ret, const struct client *client,
                  struct bell *bell, int partitions,
                  const struct consumer_events *events, char *why);

/* Leave the group, if it can be done in TIMEOUT_MS, and end CONSUMER (NULL:
 * nothing). `revoked` is called for what is assigned still. A static member
 * does not say goodbye. Records that were taken must have been released.
 *
 * Returns 0; or 1 when the coordinator of the group does not answer, or there
 * is no time to ask it. The library is then not told to close, which can crash
 * before 2.14.2, `revoked` need not have been called, and memory is not given
 * back: whoever ends the process then does it by _exit. */
int consumer_close(struct consumer *consumer, int64_t timeout_ms);

/* How many consumers of this process ended that way. Any thread. */
int consumer_abandoned(void);

/* Serve rebalances and errors. Returns 0, or SEG_ERR_LIMIT when another process
 * has our instance id: nothing will come any more. Call it at least every few
 * seconds, also while nothing else is done: the group throws out who does not.
 */
int consumer_poll(struct consumer *consumer);

/* Read PARTITION from now on, each input from its element of OFFSETS. Also
 * after a consumer_hold. Returns 0, or 1: not possible yet, try again a little
 * later. Records of it taken before must not be used any more. */
int consumer_start(struct consumer *consumer, int partition,
                   const int64_t *offsets);

/* No more of INPUT of PARTITION until it is started again. */
void consumer_hold(struct consumer *consumer, int partition, int input);

/* What consumer_take found besides records. */
struct consumer_taken {
    size_t count;
    int64_t end; /* The input was read to its end, this offset: every record
                    below it was taken, now or before; -1: not so. */
    int gone; /* The offset to be read next is not in the log any more. Nothing
                 comes until the partition is started again. */
    int more; /* There may be more to take at once. */
};

/* Up to MAX records of INPUT of PARTITION into OUT, without waiting. Each
 * handle is to be released. Never a record below the offset expected next. */
void consumer_take(struct consumer *consumer, int partition, int input,
                   struct input_record *out, size_t max,
                   struct consumer_taken *taken);

/* Release the record HANDLE; also after the partition was revoked. */
void consumer_release(void *handle);

/* The end of INPUT of PARTITION as of the last answer of the broker, markers
 * included; -1: not known. Costs next to nothing. */
int64_t consumer_end(struct consumer *consumer, int partition, int input);

/* For kafka_broker_set_member. */
struct rd_kafka_s *consumer_handle(struct consumer *consumer);

#endif
