/* producer.h: the transactional producer of one worker.
 *
 * The functions named as calls of struct broker (daemon/protocol/broker.h) do
 * what is said there; the rules there hold. One thread, the worker's. */
#ifndef KAFKA_PRODUCER_H
#define KAFKA_PRODUCER_H

#include <stdint.h>

#include "daemon/kafka/client.h"
#include "daemon/protocol/broker.h"

struct producer;

/* Without a handle of the library yet: producer_renew comes first. CLIENT is
 * borrowed. EMBEDDED: the embedded broker forgets offsets of transactions, they
 * are committed once more. Returns 0 or SEG_ERR_NOMEM. */
int producer_new(struct producer **ret, const struct client *client,
                 int embedded);

/* End it (NULL: nothing), not waiting for what is not delivered. */
void producer_free(struct producer *producer);

/* The consumer whose membership fences the offsets; NULL: none. Borrowed. */
void producer_set_member(struct producer *producer, struct rd_kafka_s *member);

int producer_renew(struct producer *producer);
int producer_begin(struct producer *producer);
int producer_produce(struct producer *producer,
                     const struct broker_record *record);
int producer_send_offsets(struct producer *producer,
                          const struct broker_offset *offsets, int count);
int producer_commit(struct producer *producer);
int producer_abort(struct producer *producer);
int64_t producer_delivered(const struct producer *producer, int topic,
                           int partition);

/* Serve delivery reports, without waiting. */
void producer_serve(struct producer *producer);

/* What the last bad answer was about. */
const char *producer_reason(const struct producer *producer);

#endif
