/* embedded.h: a Kafka broker inside the process, for people without one.
 *
 * librdkafka's mock cluster. It has topics, groups, records, and answers OK to
 * transactions; but it shows open and aborted records, fences nobody and
 * forgets the offsets of a transaction. Good to look at segmentd, worthless as
 * proof of anything. Nothing is kept: all is gone with the process, which must
 * end by _exit once this was opened. */
#ifndef KAFKA_EMBEDDED_H
#define KAFKA_EMBEDDED_H

#include "daemon/base/conf.h"

#define EMBEDDED_PARTITIONS 4 /* Of every topic. */

/* Name of the file in the run directory that holds the address. */
#define EMBEDDED_FILE "broker"

struct embedded;

/* Start it, make all topics of CONF (borrowed during the call), and write its
 * address into the run directory. Returns 0; SEG_ERR_INVALID, logged, if the
 * configuration asks for what it cannot do or it cannot be started;
 * SEG_ERR_NOMEM. */
int embedded_open(struct embedded **ret, const struct conf *conf);

/* host:port, for struct client and everybody else. Lives as long as EMBEDDED.
 */
const char *embedded_bootstrap(const struct embedded *embedded);

/* Take the address out of the run directory (NULL: nothing). The broker itself
 * ends with the process. */
void embedded_close(struct embedded *embedded);

#endif
