/* arrival.h: when a message of a file arrived.
 *
 * A Kafka record has a timestamp of its own. In a file the message's
 * `receivedAt` stands for it, which Segment's servers add to what a client
 * sends; a message without one arrived at its `timestamp`. */
#ifndef CTL_ARRIVAL_H
#define CTL_ARRIVAL_H

#include <stdint.h>

#include <seg/event.h>

/* The `receivedAt` of the message JSON, which must have been decoded without an
 * error. Returns 1 and sets *MS; 0 if it has none, or none that can be read. */
int arrival_received_at(struct seg_text json, int64_t *ms);

/* The arrival of EVENT, decoded from JSON; CLOCK_MS, the latest arrival so far,
 * if it says no time at all. */
int64_t arrival_of(const struct seg_event *event, struct seg_text json,
                   int64_t clock_ms);

#endif
