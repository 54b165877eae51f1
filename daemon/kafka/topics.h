/* topics.h: what topics are like, for segmentctl.
 *
 * admin.h judges for the daemon and stops at the first thing that is wrong;
 * here everything is told, and whoever asked judges. */
#ifndef KAFKA_TOPICS_H
#define KAFKA_TOPICS_H

#include <stdint.h>

#include "daemon/kafka/client.h"

#define TOPICS_CLEANUP_BYTES 64
#define TOPICS_TIMEOUT_MS    10000

struct topics_info {
    char name[CLIENT_TOPIC_BYTES]; /* Asked for. */
    int partitions;                /* 0: it is not there, see `error`. */
    int replicas;                  /* Of the partition that has fewest. */
    int leaderless;                /* Partitions that nobody leads. */
    /* The settings; cleanup is "" when we may not see them, see `error`. */
    char cleanup[TOPICS_CLEANUP_BYTES];
    int64_t retention_ms, retention_bytes; /* -1: without bound. */
    int64_t message_bytes;                 /* Of the largest batch. */
    char error[CLIENT_WHY_BYTES];          /* "" if all is known. */
};

/* Fill in all but the names of COUNT rows. Returns 0, or SEG_ERR_INVALID with a
 * sentence in WHY if the brokers do not answer. */
int topics_describe(const struct client *client, struct topics_info *rows,
                    int count, char *why);

#endif
