/* drive.h: one case, run through the engine and the oracle side by side.
 *
 *   history ──┬─ seg_decode ─ seg_engine_* ──┐
 *             └─ oracle_apply, oracle_advance ┴─ compare after every step,
 *                                               and at edges -1, 0, +1
 *
 * The first difference ends the case and is said in words. */
#ifndef MODEL_DRIVE_H
#define MODEL_DRIVE_H

#include <seg/seg.h>

#include "tests/model/construct.h"
#include "tests/model/history.h"
#include "tests/model/oracle.h"

/* What a run has seen; plain, so that it can lie in shared memory. */
struct drive_stats {
    uint64_t cases, segments, users;
    uint64_t by_timer, by_event, by_attribute, attributes;
    uint64_t edges, compares, explained, permuted;
    uint64_t exports, redos, redone, halfway; /* Halfway through an advance. */
    uint64_t by_shadow;
    uint64_t by_sweep, mid_sweep; /* Restores before a sweep is done. */
    uint64_t across;           /* Restores from records older than a change. */
    uint64_t unknown, decided; /* Explanations; by what was seen. */
    uint64_t at_end;           /* Changes as soon as something was known. */
    uint64_t changes_down;     /* Of catalogue, while the engine was down. */
    uint64_t traits;           /* Outputs of them. */
    uint64_t backfills, backfills_cut, by_backfill; /* Changes. */
    uint64_t properties;                            /* Of triggers, measured. */
    uint64_t unsure; /* Ended early: see oracle_unsure. */
    uint64_t dense_checks, coarse_checks, refused;
    uint64_t late_checks, late_lost; /* Sequences of which some event came too
                                        late; matches not found for that. */
    struct oracle_stats oracle;
    struct construct_counts constructs;
};

enum drive_result {
    DRIVE_SAME,
    DRIVE_DIFFERENT,
    DRIVE_INVALID, /* The segment files do not check. */
};

#define DRIVE_FAILURE_BYTES 2000

/* Run HISTORY. STATS (may be NULL) is added to. FAILURE, of
 * DRIVE_FAILURE_BYTES, gets what differs first, "" if nothing does. */
enum drive_result drive_run(const struct history *history,
                            struct drive_stats *stats, char *failure);

#endif
