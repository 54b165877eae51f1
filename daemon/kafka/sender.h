/* sender.h: records and positions in one transaction, for segmentctl.
 *
 * What is sent and what is noted as done become visible together or not at all,
 * so that a tool that was killed, or is started twice, does nothing twice. */
#ifndef KAFKA_SENDER_H
#define KAFKA_SENDER_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/kafka/client.h"
#include "daemon/protocol/broker.h"

#define SENDER_TIMEOUT_MS     30000
#define SENDER_TRANSACTION_MS 120000 /* Of one that was killed, at most. */

struct sender;

/* Connect to the brokers of CLIENT and settle what a sender of the same name
 * left open. Returns 0, or SEG_ERR_INVALID or SEG_ERR_NOMEM with a sentence in
 * WHY, like all calls here. */
int sender_open(struct sender **ret, const struct client *client, char *why);
void sender_close(struct sender *sender);

int sender_begin(struct sender *sender, char *why);

struct sender_record {
    const char *topic;
    int partition;
    int64_t timestamp_ms;
    const char *key; /* NULL: none. */
    size_t key_len;
    const char *value; /* NULL: none. */
    size_t len;
    const struct broker_header *headers;
    int header_count;
};

/* Borrowed during the call, which waits while the queue is full. */
int sender_send(struct sender *sender, const struct sender_record *record,
                char *why);

/* Note OFFSET as the position of GROUP in a partition, with METADATA (NULL:
 * none) beside it. */
int sender_note(struct sender *sender, const char *group, const char *topic,
                int partition, int64_t offset, const char *metadata, char *why);

/* Until all of it stands in the topics; on an error it was taken back. */
int sender_commit(struct sender *sender, char *why);

/* Take all of it back. */
void sender_abort(struct sender *sender);

#endif
