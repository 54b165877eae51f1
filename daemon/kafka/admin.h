/* admin.h: topics: do they exist, do they fit together, are they set as we
 * need.
 *
 * Partition p of every input and of every topic of ours belong together, so all
 * have the same number of partitions. Outputs must be kept long enough for a
 * restore to read them again, the state must be compacted and nothing else.
 *
 * Calls block, up to their time-out. */
#ifndef KAFKA_ADMIN_H
#define KAFKA_ADMIN_H

#include <stdint.h>

#include "daemon/kafka/client.h"

#define ADMIN_REASON_BYTES 512

enum admin_verdict {
    ADMIN_OK,
    ADMIN_AWAY,    /* The brokers do not answer. */
    ADMIN_MISSING, /* A topic does not exist, or we may not see it. */
    ADMIN_DIFFER,  /* Numbers of partitions differ. */
    ADMIN_CONFIG,  /* A topic is not set as it must be. */
};

struct admin_check {
    int verdict;                     /* enum admin_verdict. */
    char reason[ADMIN_REASON_BYTES]; /* One sentence, with the fix; "" if OK. */
    int partition_count;             /* Of all topics; if OK or CONFIG. */
    int traits_missing;   /* The topic of traits is not there, which is a fault
                           only with a catalogue that has some. */
    int compacted;        /* An input is: it does not hold its history. */
    int64_t retention_ms; /* The shortest of the changes, the triggers and the
                             inputs; if OK. */
};

/* Look at all topics of CLIENT's configuration through the consumer RK.
 *
 * FLUSH_INTERVAL and the like are taken from the configuration. With EMBEDDED
 * settings are not looked at. What is only unwise is logged as a warning. Each
 * question to the brokers takes at most TIMEOUT_MS; the first that is not
 * answered ends the check. */
void admin_check(struct rd_kafka_s *rk, const struct client *client,
                 int embedded, int timeout_ms, struct admin_check *check);

/* With a catalogue that has traits their topic must be there: if CHECK is good
 * otherwise, it is not if that is missing. */
void admin_need_traits(struct admin_check *check, const struct conf *conf);

/* Whether the topic of traits is there, asked now: within TIMEOUT_MS. Returns 0
 * or SEG_ERR_INVALID with a sentence in WHY (CLIENT_WHY_BYTES). */
int admin_find_traits(const struct client *client, int timeout_ms, char *why);

/* How many live members GROUP has; the first one, and its host, into the
 * CLIENT_WHY_BYTES at WHO. SEG_ERR_INVALID with a sentence there if nobody
 * answers. */
int admin_members(const struct client *client, const char *group, char *who);

/* How admin_create tells of one topic. ERROR is NULL when it was made now. */
typedef void admin_report(void *arg, const char *topic, int partitions,
                          const char *error);

/* Make the topics of ours that do not exist.
 *
 * PARTITIONS 0: as many as the inputs have. REPLICATION 0: as many replicas as
 * the input that has fewest. REPORT is called for every topic; one that exists
 * already is told as an error but does not count as one. Returns how many could
 * not be made, or SEG_ERR_INVALID with a sentence in WHY (CLIENT_WHY_BYTES):
 * nothing was done. */
int admin_create(const struct client *client, int partitions, int replication,
                 admin_report *report, void *arg, char *why);

#endif
