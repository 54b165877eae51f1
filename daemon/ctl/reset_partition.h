/* reset_partition.h: one partition is restored, mended and written. */
#ifndef CTL_RESET_PARTITION_H
#define CTL_RESET_PARTITION_H

#include "daemon/kafka/bell.h"
#include "daemon/kafka/broker.h"
#include "daemon/kafka/sender.h"
#include "daemon/protocol/ledger.h"
#include "daemon/protocol/mend.h"

/* What is the same for all partitions. */
struct reset {
    const struct conf *conf;
    struct client client;
    struct ledger_options options;
    struct ledger_input inputs[SEG_TOPICS_MAX];
    struct kafka_broker *kafka;
    struct broker *broker; /* Of kafka. */
    struct bell bell;
    struct sender *sender; /* NULL before the first. */
    enum mend_mode mode;
    int yes;
    /* MEND_MOVE. */
    int input;
    int64_t to_ms;  /* LEDGER_EARLIEST, LEDGER_LATEST, an instant; or */
    int64_t offset; /* unless -1. */
};

/* Mend PARTITION, or say what it would be. Returns an exit status; *OPEN grows
 * if there is something to be done that was not. */
int reset_partition(struct reset *reset, int partition, int *open);

#endif
