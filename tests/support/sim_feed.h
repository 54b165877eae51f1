/* sim_feed.h: the consumer of a simulated broker: from its inputs to a
 * partition. */
#ifndef TESTS_SUPPORT_SIM_FEED_H
#define TESTS_SUPPORT_SIM_FEED_H

#include "daemon/partition/partition.h"
#include "tests/support/sim_broker.h"

/* Push at most MAX records of INPUT to PARTITION, from where it wants to go on,
 * then say if that was the end. Records are handed over with themselves as
 * handle; *HANDLES counts them, and is counted down by sim_release. */
void sim_feed(struct sim *sim, struct partition *partition, int input, int max,
              int64_t *handles);

/* The release callback; ARG is HANDLES of sim_feed. */
void sim_release(void *arg, void *handle);

#endif
