/* sim_world.h: workers, a group and a history around a simulated broker.
 *
 * A run is a seed: it draws an input (late, duplicate, bad, future records;
 * transactions of others), settings, and then one step after the other: a
 * broker writes a marker, the wall ticks, a worker takes one step of its
 * machine, crashes, is thrown out of the group, gives a partition back, gets
 * another catalogue. The code under test is the real one: commit machine,
 * restore, partition, engine. In the end the faults stop, the run settles, and
 * sim_judge.h compares. */
#ifndef TESTS_SUPPORT_SIM_WORLD_H
#define TESTS_SUPPORT_SIM_WORLD_H

#include <stdint.h>

#include "daemon/partition/partition.h"
#include "tests/support/sim_broker.h"

#define WORLD_WORKERS_MAX 2
#define WORLD_RECORDS_MAX 48
#define WORLD_USERS       2 /* Of one partition. */
#define WORLD_START_MS    INT64_C(1704067200000)

enum world_fault {
    WORLD_CRASH,
    WORLD_KICK,   /* Thrown out of the group; notices later. */
    WORLD_REVOKE, /* A partition is taken away in good order. */
    WORLD_DEPLOY, /* A process gets another catalogue. */
    WORLD_FAULTS
};

/* A record of the history, appended at REAL_MS. */
struct world_record {
    int64_t real_ms, timestamp_ms, time_ms; /* time: of the event. */
    int input, partition, user;
    char kind; /* 'A', 'B': the event; 'p', 'f': plan pro, free; '!': bad. */
    int id;    /* Of the message; 0: none. */
    int open;  /* In a transaction of somebody else, ... */
    int end;   /* ... or 1: its commit, 2: its abort. */
    int order; /* Among those of one instant. */
    int64_t offset; /* Where it was appended. */
};

struct world_worker {
    int alive, joined;
    struct sim_client client;
    struct commit *commit;
    struct ledger_options ledger; /* With the catalogue of this process. */
    const struct seg_catalogue *before; /* What that was; NULL. */
    struct partition_options options;
    struct backfill_pace pace;
    struct partition *partitions[SIM_PARTITIONS_MAX];
    int assigned[SIM_PARTITIONS_MAX]; /* As the worker believes. */
    int64_t skew_ms;
};

struct world {
    uint64_t seed;
    struct random random;
    struct sim sim;
    int deploys; /* Catalogues change; in the end that of `ledger` is in force.
                  */
    int fills;   /* What a later catalogue asks for is read again. */
    struct ledger_options ledger;
    struct ledger_input inputs[SIM_INPUTS_MAX];
    struct commit_options commit;
    struct partition_options partition;
    int worker_count;
    struct world_worker workers[WORLD_WORKERS_MAX];
    int owner[SIM_PARTITIONS_MAX]; /* As the group knows; -1: nobody. */
    struct world_record records[WORLD_RECORDS_MAX];
    int record_count, appended;
    int64_t end_ms;
    int budget[WORLD_FAULTS];
    int taste[16];
    int64_t handles; /* Records that were pushed and not released. */
    uint64_t steps;
    int trace;     /* Print every step. */
    char bad[512]; /* The first thing that was wrong. */
    /* What happened, for the report: a run in which nothing happens proves
     * nothing. */
    uint64_t crashes, kicks, revokes, warm, restores, redone, unknown, aborted,
        committed, lost, again, refused, deployed, cut_moves, cut_sweeps,
        warmed, traits, traits_exact, filled, cut_fills;
};

/* Run SEED. Returns 0, or -1 with world->bad. WORLD is to be done in any case.
 */
int world_run(struct world *world, uint64_t seed, int trace);
void world_done(struct world *world);

/* Write the JSON of RECORD into OUT of SIZE bytes. Returns its length. */
int world_json(const struct world_record *record, char *out, int size);

/* Remember the first thing that is wrong. */
void world_bad(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
