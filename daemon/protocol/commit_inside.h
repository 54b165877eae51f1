/* commit_inside.h: the commit machine, for commit.c and commit_share.c only. */
#ifndef PROTOCOL_COMMIT_INSIDE_H
#define PROTOCOL_COMMIT_INSIDE_H

#include "daemon/protocol/commit.h"
#include "daemon/protocol/share.h"

enum commit_phase {
    RENEW, /* The first. */
    RESOLVE,
    IDLE,
    BEGIN,
    PRODUCE,
    OFFSETS,
    COMMIT,
    SETTLE,
    ABORT,
    BACKOFF,
    SUSPECT, /* Fenced: by whom? */
    FENCED
};

struct commit {
    struct commit_options options;
    struct broker *broker;
    struct commit_stats stats;
    enum commit_phase phase;
    struct share *shares;
    size_t count, cap;
    size_t turn; /* Whose users are written next. */
    int all;     /* Write all dirty users. */

    /* Of the attempt. */
    size_t share_at, record_at; /* Next to be produced. */
    int open;        /* Begun and not ended: something may be in it. */
    int asked;       /* Commit was called. */
    int unsettled;   /* Its outcome is not known. */
    int lost;        /* The group has thrown us out, ... */
    int told;        /* ... and that is to be told. */
    int slow;        /* A call of it was slow. */
    int again;       /* The last call has not finished, ... */
    int64_t call_ms; /* ... it began then; SEG_NEVER. */
    int64_t retry_ms, retry_at_ms;
    uint64_t question;
    struct share_room room;
    struct broker_offset *offsets;
    char (*metadata)[BROKER_METADATA_BYTES];
    size_t offsets_cap, metadata_cap;
};

/* Go to PHASE: the call before has finished. */
void commit_enter(struct commit *commit, enum commit_phase phase);

/* Nobody knows whether the transaction was committed, or it does not matter any
 * more: a new producer. */
void commit_unknown(struct commit *commit);

/* Whether any share takes part in the transaction. */
int commit_any_in(const struct commit *commit);

/* Remove SHARE from the list. */
void commit_take_out(struct commit *commit, struct share *share);

#endif
