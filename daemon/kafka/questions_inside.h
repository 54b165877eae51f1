/* questions_inside.h: questions to the brokers, for the files questions*.c. */
#ifndef KAFKA_QUESTIONS_INSIDE_H
#define KAFKA_QUESTIONS_INSIDE_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include "daemon/kafka/questions.h"

#define QUESTIONS_REASON_BYTES 512
#define QUESTIONS_TOPICS_MAX   (BROKER_OUTPUTS + CONF_INPUTS_MAX)

/* In the order in which they are asked; the first two in one request. */
enum kind { WATERMARKS, END, START_OFFSET, CHECK, COMMITTED };

enum stage { OPEN, ANSWERED };

struct question {
    enum kind kind;
    enum stage stage;
    uint64_t number;
    int topic, partition;
    int want_low;
    int64_t instant_ms;
    int tries; /* Times it was asked and not answered. */
    /* The answer. */
    int answer;       /* enum broker_answer. */
    int64_t asked_ms; /* Monotonic: when it was put, or put again. */
    int64_t low, high, offset;
    char reason[QUESTIONS_REASON_BYTES];
    struct broker_committed *committed; /* One per input; owned. */
    struct admin_check *check;          /* Owned. */
};

/* A thread and what it asks. */
struct lane {
    struct questions *questions;
    int committed; /* Committed offsets only; else all the rest. */
    pthread_t thread;
};

struct questions {
    struct questions_options options;
    struct lane lanes[2];
    int lane_count; /* Started. */
    pthread_mutex_t lock;
    pthread_cond_t work;
    int stop;
    struct question **items; /* Never taken out: a place stays where it is. */
    size_t count, cap;
    char reason[QUESTIONS_REASON_BYTES];
    rd_kafka_topic_t **known; /* The reader's, see find_leaders; of one lane. */
};

/* Ask the brokers the COUNT questions at LIST, in order of their kinds, and
 * note the answers there. On the thread of a lane. */
void questions_ask(const struct questions *questions, struct question **list,
                   int count);

#endif
