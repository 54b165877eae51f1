/* mutation.h: rules of the protocol that a test may break.
 *
 * Each name stands for one rule of the protocol (commit.c); where the rule is
 * kept, the code asks MUTATED(name). In the daemon that is the constant 0.
 *
 * Built with PROTOCOL_MUTATIONS, one rule at a time can be broken, and a test
 * must fail then: one that cannot see a broken rule proves nothing about the
 * rule. The simulation does so with every one of MUTATION_TABLE (tests/mutant);
 * against a real broker a segmentd made by `make MUTATIONS=1` breaks the rule
 * that the environment's SEGMENTD_MUTATION names. */
#ifndef PROTOCOL_MUTATION_H
#define PROTOCOL_MUTATION_H

/* X(name, what is broken) */
#define MUTATION_TABLE(X)                                                      \
    X(RESTORE_STOPS_AT_LSO, "a restore stops at the last stable offset")       \
    X(TIMERS_WITHOUT_OFFSETS, "a timer-only transaction sends no offsets")     \
    X(REDO_SKIPPED, "step (4) folds nothing")                                  \
    X(OUTBOX_DROPPED_ON_ABORT, "an aborted transaction's outbox is forgotten") \
    X(CHANGE_FOLD_SKIPPED, "step (3) leaves the changes out")                  \
    X(TRIGGER_FOLD_SKIPPED, "step (3) leaves the triggers out")                \
    X(TAG_NOT_COMPARED, "mine = same txn, whatever the tag")                   \
    X(TXN_NOT_COMPARED, "an unknown outcome is taken for a commit")            \
    X(WARM_NOT_COMPARED, "what was kept is used, whoever committed since")     \
    X(CLOCK_AHEAD_OF_TIMERS, "the stored clock is ahead of the timers fired")  \
    X(STEP5_AT_META_CLOCK, "step (5) judges at the meta record's clock")       \
    X(STEP5_ONLY_REDO_USERS, "step (5) judges only users who were read back")  \
    X(WALL_WITHOUT_PROOF, "the wall moves the clock without proof")            \
    X(PROOF_BY_FETCHED, "proof: fetched is taken for applied")                 \
    X(RECORDS_CAPPED, "the wall caps the clock that follows the records")      \
    X(CACHED_AFTER_LOST, "a lost partition's state is cached")                 \
    X(LOST_IS_FINISHED, "a lost partition's transaction is finished and "      \
                        "committed")                                           \
    X(FAILED_FINISH_KEEPS_OLD_TAG, "an unfinished transaction's state is "     \
                                   "cached under the last committed tag")      \
    X(BOUNDS_TAKEN_AFTER, "bounds of the meta record taken after the apply")   \
    X(TIMER_NOT_DIRTY, "changes by timer do not make the user dirty")          \
    X(RESTORED_DIRTY_SINCE_NOW, "restored users are dirty since the restore")  \
    X(NO_META_BEFORE_FIRST_FLUSH, "the first transaction has no meta record")  \
    X(MERGE_ORDER_IGNORED, "topics are read one after the other")              \
    X(STALE_END_OF_INPUT, "an end of an input is believed without proof")      \
    X(PRODUCER_NOT_REPLACED, "after a slow commit the producer goes on")       \
    X(RESTORE_NOT_RECHECKED, "step (6) is left out")                           \
    X(APPLIES_WHILE_UNDECIDED, "records are applied while a commit is open")   \
    X(LOST_RECORDS_STAY, "records of a lost partition stay in the outbox")     \
    X(FLUSHED_BEFORE_COMMIT, "users are clean before the commit is known")     \
    X(QUIET_META_AGES,                                                         \
      "on a quiet partition retention passes the meta record")                 \
    X(DEDUPE_IGNORED, "message ids are not looked at")                         \
    X(DEDUPE_NOT_PERSISTED, "message ids are not written to user records")     \
    X(DEDUPE_ACROSS_TOPICS, "a message id is one across topics")               \
    X(REFUSED_FOLDED, "step (4) folds what was refused for its user's size")   \
    X(SWEEP_NOT_RESTARTED, "a restore takes a sweep cut short for done")       \
    X(UNSWEPT_REPAIRED, "step (5) judges although a sweep is due")             \
    X(SWEPT_KEEP_OLD_TIMERS, "restored users keep timers of the catalogue "    \
                             "before")                                         \
    X(CATALOGUE_NOT_WRITTEN, "a move is committed without its record")         \
    X(SWEPT_TOO_EARLY, "swept is said before all changes are out")             \
    X(RETIRED_STAY, "nobody leaves a removed segment")                         \
    X(RETIRED_KEYS_LOST, "the catalogue record leaves removed segments out")   \
    X(WARMING_IGNORED, "a new feature is believed to know the past")           \
    X(WARMING_FROM_CLOCK, "a feature is observed since the clock, though "     \
                          "later events were folded")                          \
    X(MOVED_FROM_START, "a move begins at 0, not at the positions applied")    \
    X(TAKEN_OVER_FROM_START, "a catalogue taken over begins at 0")             \
    X(TAKEN_OVER_FROM_REDO, "... or where the redo begins")                    \
    X(APPLIES_WHILE_MOVING, "records are applied while users move")            \
    X(DIRTY_NOT_MOVED, "a move forgets who is dirty")                          \
    X(SWAPPED_IS_SWEPT, "a backfill is swept before it is published")          \
    X(BACKFILL_EPOCH_NOT_WRITTEN, "a backfill's users come before its epoch")  \
    X(PUBLISHED_BEFORE_FLUSHED, "a backfill is published before it is "        \
                                "written")

/* Those the simulation has no eyes for: there is no Redis in it. */
#define MUTATION_TABLE_OUTSIDE(X) \
    X(REDIS_MARKER_IGNORED, "Redis is written whatever its marker says")

enum mutation {
    MUTATION_NONE,
#define X(name, text) MUTATION_##name,
    MUTATION_TABLE(X) MUTATION_SIMULATED, /* Those before it. */
    MUTATION_BEFORE_OUTSIDE = MUTATION_SIMULATED - 1,
    MUTATION_TABLE_OUTSIDE(X)
#undef X
        MUTATION_COUNT
};

#ifdef PROTOCOL_MUTATIONS
extern int protocol_mutation; /* enum mutation; set before there are threads. */
#define MUTATED(name) (protocol_mutation == MUTATION_##name)

/* The number of NAME, MUTATION_NONE for "" and NULL; -1: there is none. */
int mutation_find(const char *name);

const char *mutation_name(int mutation); /* Static. */
const char *mutation_text(int mutation);
#else
#define MUTATED(name) 0
#endif

#endif
