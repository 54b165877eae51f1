/* proof.h: as of which instant nothing older of an input is unread.
 *
 * A watermark is asked for at wall instant w, read before the question is sent.
 * When everything below the answer has been applied, then whatever was appended
 * until w has been applied: the end of the input is proven as of w. */
#ifndef PARTITION_PROOF_H
#define PARTITION_PROOF_H

#include <stdint.h>

#include "daemon/protocol/broker.h"

struct proof {
    uint64_t question; /* 0: none is under way. */
    int64_t asked_ms;  /* When the last question was put; INT64_MIN. */
    int64_t as_of_ms;  /* w of the last answer; INT64_MIN: none yet. */
    int64_t high;      /* That answer. */
};

void proof_init(struct proof *proof);

/* Put a question at NOW_MS, unless one is under way. */
void proof_ask(struct proof *proof, struct broker *broker, int64_t now_ms);

/* See whether the answer about PARTITION of TOPIC is there. */
void proof_look(struct proof *proof, struct broker *broker, int topic,
                int partition);

/* The instant as of which the end is proven, when everything below POSITION has
 * been applied; INT64_MIN if none is. */
int64_t proof_instant(const struct proof *proof, int64_t position);

#endif
