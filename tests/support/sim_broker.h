/* sim_broker.h: Kafka in one process, as far as the protocol sees it.
 *
 * Logs with open, committed and aborted records and markers that take an
 * offset; high watermark and last stable offset; offsets pending in a
 * transaction; a transaction that is decided first and whose markers follow one
 * by one, in any order; fencing by epoch (a new producer, a time-out) and by
 * group membership, the latter in send_offsets only; answers that are late,
 * lost, or repeated; an EndTxn that arrives long after its producer gave it up.
 *
 * One random generator decides everything, so that a run is its seed. What the
 * broker does by itself (markers, late requests, time-outs) are steps that the
 * driver takes. */
#ifndef TESTS_SUPPORT_SIM_BROKER_H
#define TESTS_SUPPORT_SIM_BROKER_H

#include <stdint.h>

#include "daemon/protocol/broker.h"
#include "tests/model/random.h"

#define SIM_INPUTS_MAX     3
#define SIM_PARTITIONS_MAX 3
#define SIM_CLIENTS_MAX    4
#define SIM_TOPICS_MAX     (BROKER_OUTPUTS + SIM_INPUTS_MAX)

enum sim_status { SIM_OPEN, SIM_COMMITTED, SIM_ABORTED };

struct sim_entry {
    int is_marker; /* Takes an offset and is never read. */
    int gone;      /* Compacted away. */
    enum sim_status status;
    int producer; /* Client, or -1: somebody else. */
    int64_t timestamp_ms;
    int64_t appended_ms;
    char *key, *value; /* NULL: none. */
    size_t key_len, value_len;
    char reason[32]; /* Of a dead letter, by its headers. */
    char topic[32];
    int64_t offset;
};

struct sim_log {
    struct sim_entry *entries;
    size_t count, cap;
    int64_t low; /* First offset that is still there. */
};

/* The transaction of one transactional id. */
struct sim_tx {
    enum { SIM_NONE, SIM_ONGOING, SIM_COMMITTING, SIM_ABORTING } state;
    int epoch;
    int64_t begun_ms;
    int in_flight; /* An EndTxn(commit) of this epoch is under way. */
    int flight_epoch;
    int touched[SIM_TOPICS_MAX]
               [SIM_PARTITIONS_MAX]; /* Markers to be written. */
    int offsets_set[SIM_PARTITIONS_MAX];
    struct broker_committed offsets[SIM_PARTITIONS_MAX][SIM_INPUTS_MAX];
};

/* How often, in percent, things go wrong. */
struct sim_faults {
    int again;  /* A call has to be called again. */
    int refuse; /* A call of a transaction answers ABORT. */
    int lose;   /* The answer of a commit, done or not, is lost. */
    int late;   /* A commit request stays on its way. */
    int fatal;  /* A call answers FATAL. */
};

struct sim {
    struct random random;
    int inputs, partitions;
    int64_t now_ms;
    int64_t transaction_timeout_ms;
    struct sim_log logs[SIM_TOPICS_MAX][SIM_PARTITIONS_MAX];
    struct broker_committed committed[SIM_PARTITIONS_MAX][SIM_INPUTS_MAX];
    struct sim_tx tx[SIM_CLIENTS_MAX];
    int member[SIM_CLIENTS_MAX]; /* Of the group, in its newest generation. */
    struct sim_faults faults;
    const char *bad; /* The core broke a rule of broker.h. */
};

/* A process's view: one struct broker. */
struct sim_client {
    struct broker broker;
    struct sim *sim;
    int id;
    int epoch; /* Of its producer; -1: none. */
    int begun;
    int used;      /* Something is in its transaction. */
    int in_commit; /* A commit was asked for and has not answered. */
    int fatal;     /* Every call of the producer fails until renew. */
    int64_t delivered[SIM_TOPICS_MAX][SIM_PARTITIONS_MAX];
    struct sim_question {
        uint64_t number;
        int64_t low, high; /* As of the question. */
    } questions[SIM_TOPICS_MAX][SIM_PARTITIONS_MAX];
    uint64_t committed_number[SIM_PARTITIONS_MAX];
    char reason[64];
    struct broker_header headers[3]; /* Of the dead letter read last. */
    char number[24];
};

void sim_init(struct sim *sim, uint64_t seed, int inputs, int partitions);
void sim_done(struct sim *sim);

/* CLIENT is a process with the transactional id ID, just started. */
void sim_client_init(struct sim_client *client, struct sim *sim, int id);

/* ---- inputs ---------------------------------------------------------- */

/* Append a record to an input: committed, or open until sim_foreign_end. */
void sim_append(struct sim *sim, int input, int partition, int64_t timestamp_ms,
                const char *key, const char *value, size_t value_len, int open);

/* End somebody else's transaction in PARTITION of INPUT with a marker. */
void sim_foreign_end(struct sim *sim, int input, int partition, int commit);

/* ---- steps of the broker --------------------------------------------- */

/* Write one marker that is due. Returns 0 if none is. */
int sim_step_marker(struct sim *sim);

/* Write the marker at place AT of the transaction of client ID: topic times
 * partitions plus partition, or SIM_TOPICS_MAX times partitions for that of the
 * offsets. Returns 0 if none is missing there. */
int sim_marker_at(struct sim *sim, int id, int at);

/* A late EndTxn arrives. Returns 0 if none is under way. */
int sim_step_deliver(struct sim *sim);

/* Transactions older than their time-out are aborted. Returns how many. */
int sim_step_expire(struct sim *sim);

/* The transaction of client ID is aborted as if it were older. Returns 0 if none
 * is open. */
int sim_expire(struct sim *sim, int id);

/* Nothing is open, no marker is missing, no request is under way. */
int sim_is_quiet(const struct sim *sim);

/* Retention: what was appended to PARTITION of TOPIC before is deleted. */
void sim_retain(struct sim *sim, int topic, int partition, int64_t before_ms);

/* Everything from offset END on is gone, as if it had never been. */
void sim_cut(struct sim *sim, int topic, int partition, int64_t end);

/* Compaction of the state topic's PARTITION. */
void sim_compact(struct sim *sim, int partition);

/* ---- looking ----------------------------------------------------------- */

static inline int64_t sim_end(const struct sim_log *log)
{
    return (int64_t)log->count;
}

/* The first offset that is undecided, or the end. */
int64_t sim_stable_end(const struct sim_log *log);

#endif
