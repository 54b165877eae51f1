/* questions.h: what the brokers must be asked, asked in threads of its own.
 *
 * Watermarks, committed offsets, offsets by time, the state of the topics: each
 * takes a round trip, some wait for somebody's transaction to end. The worker
 * puts a question, goes on, and finds the answer in a later turn; the bell
 * rings when there is one. Numbers of questions are as in
 * daemon/protocol/broker.h.
 *
 * All functions but open and close answer as the calls of struct broker of the
 * same name, and belong to one thread, the worker's. */
#ifndef KAFKA_QUESTIONS_H
#define KAFKA_QUESTIONS_H

#include <stdint.h>

#include "daemon/kafka/admin.h"
#include "daemon/kafka/bell.h"
#include "daemon/kafka/client.h"
#include "daemon/protocol/broker.h"

struct questions;

struct questions_options {
    struct rd_kafka_s *reader;  /* CLIENT_READER: waits for pending offsets. */
    struct rd_kafka_s *watcher; /* CLIENT_WATCHER: sees open transactions. */
    const struct client *client;
    struct bell *bell;
    int embedded; /* The embedded broker answers fewer kinds of question. */
};

/* Start the threads. What OPTIONS points to is borrowed until questions_close.
 * Returns 0, SEG_ERR_NOMEM or SEG_ERR_LIMIT. */
int questions_open(struct questions **ret,
                   const struct questions_options *options);

/* End the threads; waits for the questions under way, about a second at most.
 */
void questions_close(struct questions *questions);

int questions_committed(struct questions *questions, uint64_t number,
                        int partition, struct broker_committed *out);

/* LOW may be NULL, which saves a request. */
int questions_watermarks(struct questions *questions, uint64_t number,
                         int topic, int partition, int64_t *low, int64_t *high);

int questions_start_offset(struct questions *questions, uint64_t number,
                           int topic, int partition, int64_t instant_ms,
                           int64_t *offset);

/* The end as of the last answer, -1 while there is none; asks again, so that
 * the next call knows better. Disturbs no question of questions_watermarks. */
int64_t questions_end(struct questions *questions, int topic, int partition);

/* All topics, see admin_check. OK (whatever the verdict) or AGAIN. */
int questions_check(struct questions *questions, uint64_t number,
                    struct admin_check *out);

/* What the last answer but OK was about: why it was refused, or why nobody has
 * answered yet, "" if nothing is known. Valid until the next question. */
const char *questions_reason(const struct questions *questions);

#endif
