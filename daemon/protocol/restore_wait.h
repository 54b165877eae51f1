/* restore_wait.h: what a restore that waits has asked the brokers. */
#ifndef PROTOCOL_RESTORE_WAIT_H
#define PROTOCOL_RESTORE_WAIT_H

#include <stdint.h>

#include "daemon/protocol/broker.h"

enum restore_asked {
    RESTORE_ASKED_NOTHING,   /* It is not the brokers that it waits for. */
    RESTORE_ASKED_COMMITTED, /* Committed offsets, of all inputs. */
    RESTORE_ASKED_ENDS,      /* The first offset and the end of a topic. */
    RESTORE_ASKED_START,     /* An offset by time. */
    RESTORE_ASKED_RECORDS
};

#define RESTORE_WHY_BYTES 200

/* A plain value; zero: nothing was asked. */
struct restore_wait {
    enum restore_asked asked;
    int topic;           /* enum broker_topic; not of committed offsets. */
    int64_t from, until; /* Offsets, of records. */
    int answer;          /* The last one: enum broker_answer. */
    char why[RESTORE_WHY_BYTES]; /* What the brokers said last; "": nothing. */
    int noted;                   /* In this turn. */
};

/* WAIT is for what was ASKED about TOPIC, which BROKER just did not give: its
 * ANSWER. Of several things in one turn the first is kept, unless there is more
 * to tell of a later one. */
void restore_wait_note(struct restore_wait *wait, struct broker *broker,
                       enum restore_asked asked, int topic, int answer);

#endif
