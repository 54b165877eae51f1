/* readers.h: committed records of single partitions, for a restore.
 *
 * Each open reader is a partition assigned to one handle (CLIENT_READER) that
 * is no member of the group, with a queue of its own. */
#ifndef KAFKA_READERS_H
#define KAFKA_READERS_H

#include <stdint.h>

#include "daemon/kafka/bell.h"
#include "daemon/kafka/client.h"
#include "daemon/protocol/broker.h"

struct readers;

/* RK, CLIENT and BELL are borrowed until readers_free; the bell rings when an
 * empty reader has something. Returns 0 or SEG_ERR_NOMEM. */
int readers_new(struct readers **ret, struct rd_kafka_s *rk,
                const struct client *client, struct bell *bell);
void readers_free(struct readers *readers);

/* As the calls `read` and `stop` of struct broker. Never blocks on a record. */
int readers_read(struct readers *readers, int topic, int partition,
                 int64_t from, struct broker_read *out);
void readers_stop(struct readers *readers, int topic, int partition);

/* What the last GONE or REFUSED was about. */
const char *readers_reason(const struct readers *readers);

#endif
