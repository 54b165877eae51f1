/* solo.h: one process with one partition on a simulated broker.
 *
 * Without faults of its own: a test does to it what it is about, between two
 * calls, and looks at what it makes of that. The catalogue is the first of
 * sim_catalogue.h. Times are milliseconds after WORLD_START_MS. */
#ifndef TESTS_SUPPORT_SOLO_H
#define TESTS_SUPPORT_SOLO_H

#include "daemon/partition/partition.h"
#include "tests/support/sim_broker.h"

struct solo {
    struct sim sim;
    struct ledger_input inputs[SIM_INPUTS_MAX];
    struct ledger_options ledger;
    struct partition_options options;
    struct commit_options commit_options;
    struct sim_client client;
    struct commit *commit;
    struct partition *partition;
    int64_t handles;
};

/* SOLO with INPUTS input topics ("a", "b", ...), not started. Options may be
 * changed before solo_start. */
void solo_init(struct solo *solo, int inputs);
void solo_done(struct solo *solo);

/* Start the process and assign it the partition, which is not restored yet. */
void solo_start(struct solo *solo);

/* End it as kill -9 does. */
void solo_kill(struct solo *solo);

/* Append `USER did EVENT at MS` to INPUT. */
void solo_track(struct solo *solo, int input, const char *user,
                const char *event, int64_t ms);

/* One step of each, in this order: broker, commit machine; or if that has
 * nothing to do, consumer and partition. Returns 0 if nothing moved. */
int solo_turn(struct solo *solo);

/* Go on until nothing moves any more: everything is applied, committed,
 * decided; or the partition is refused, or something is waited for. */
void solo_settle(struct solo *solo);

/* Committed records of an output TOPIC that are still there. */
int solo_count(const struct solo *solo, int topic);

const struct ledger *solo_ledger(const struct solo *solo);
int64_t solo_now(const struct solo *solo);

#endif
