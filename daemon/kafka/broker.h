/* broker.h: struct broker of daemon/protocol with librdkafka behind it.
 *
 * One for each worker: a transactional producer, a handle for readers and one
 * for watermarks, and the thread that asks questions. The rules of the calls
 * are in daemon/protocol/broker.h. */
#ifndef KAFKA_BROKER_H
#define KAFKA_BROKER_H

#include <stdint.h>

#include "daemon/kafka/admin.h"
#include "daemon/kafka/bell.h"
#include "daemon/kafka/client.h"
#include "daemon/protocol/broker.h"

struct kafka_broker;

/* Open what stands behind the calls; the producer is made by their `renew`.
 * CLIENT and BELL are borrowed until the close; the bell rings when a question
 * is answered or a reader has records. Returns 0; SEG_ERR_INVALID with a
 * sentence in WHY (CLIENT_WHY_BYTES); SEG_ERR_NOMEM or SEG_ERR_LIMIT. */
int kafka_broker_open(struct kafka_broker **ret, const struct client *client,
                      struct bell *bell, int embedded, char *why);

/* End it (NULL: nothing) without waiting for what is not delivered. */
void kafka_broker_close(struct kafka_broker *broker);

/* The calls. They live as long as BROKER. */
struct broker *kafka_broker_calls(struct kafka_broker *broker);

/* The consumer whose membership fences the offsets we send; NULL: none, offsets
 * are refused as LOST. Borrowed until replaced. */
void kafka_broker_set_member(struct kafka_broker *broker,
                             struct rd_kafka_s *member);

/* Ask about all topics, see questions_check. QUESTION is drawn like others. */
int kafka_broker_check(struct kafka_broker *broker, uint64_t question,
                       struct admin_check *check);

/* The read_uncommitted end of PARTITION of TOPIC for who only wants to know how
 * much there is, see questions_end. */
int64_t kafka_broker_end(struct kafka_broker *broker, int topic, int partition);

/* Serve delivery reports; to be called now and then while records are produced,
 * so that the producer's queue does not fill. Not needed before a commit. */
void kafka_broker_serve(struct kafka_broker *broker);

/* transaction.timeout.ms and socket.timeout.ms of the producer; if it was not
 * made yet, of the one to be made. */
int64_t kafka_broker_transaction_ms(const struct kafka_broker *broker);
int64_t kafka_broker_socket_ms(const struct kafka_broker *broker);

#endif
