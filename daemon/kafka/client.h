/* client.h: handles of librdkafka, configured.
 *
 * A worker has up to four: a member of the consumer group, a transactional
 * producer, a reader of committed records (restore) and a watcher, which reads
 * nothing but sees open transactions (watermarks). What they need is in
 * client_table.h; the rest is as kafka { } in segmentd.conf says.
 *
 * What librdkafka has to say goes to the log as `kafka client=... text="..."`.
 *
 * The library stays in the source files of daemon/kafka; no header of them asks
 * for its. */
#ifndef KAFKA_CLIENT_H
#define KAFKA_CLIENT_H

#include <stdint.h>

#include "daemon/base/conf.h"
#include "lib/base/buf.h"

struct watchdog_mark;

/* The library's own names of rd_kafka_t and rd_kafka_conf_t. */
struct rd_kafka_s;
struct rd_kafka_conf_s;

#define CLIENT_WHY_BYTES   512
#define CLIENT_TOPIC_BYTES 256 /* Kafka allows 249. */

enum client_kind {
    CLIENT_MEMBER,
    CLIENT_PRODUCER,
    CLIENT_READER,
    CLIENT_WATCHER,
};

/* Which brokers, and who we are. A plain value; CONF is borrowed. */
struct client {
    const struct conf *conf;
    const char *bootstrap; /* Of the embedded broker; NULL: see kafka { }. */
    int worker;            /* Number of the worker; -1: none of them. */
    /* Told of calls that may wait for brokers; NULL: nobody watches. */
    struct watchdog_mark *mark;
};

/* A configuration of KIND, to which the caller may add callbacks. NULL with a
 * sentence in the CLIENT_WHY_BYTES at WHY if a property is refused. */
struct rd_kafka_conf_s *client_conf(const struct client *client,
                                    enum client_kind kind, char *why);

/* A handle of CONF, which is taken in any case. NULL with a sentence in WHY. */
struct rd_kafka_s *client_new(struct rd_kafka_conf_s *conf,
                              enum client_kind kind, char *why);

/* Check kafka { } of CLIENT's configuration: every property known, within its
 * range, and not one that the protocol depends on; files of TLS readable. What is
 * wrong is appended to ERRORS, one line each. Returns 0 or SEG_ERR_SYNTAX. */
int client_check(const struct client *client, struct buf *errors);

/* The topic TOPIC (enum broker_topic, BROKER_INPUT(i)) by name, into the
 * CLIENT_TOPIC_BYTES at OUT, which is returned. */
char *client_topic(const struct conf *conf, int topic, char *out);

#endif
