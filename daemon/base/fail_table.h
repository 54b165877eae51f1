/* fail_table.h: places where a test may make us die, stop, wait or fail.
 *
 *   X(name, text, where)
 *   text   as written in SEGMENTD_FAILPOINTS
 *   where  which instant it is */
#ifndef BASE_FAIL_TABLE_H
#define BASE_FAIL_TABLE_H

#define FAIL_TABLE(X)                                                          \
    X(INIT_TRANSACTIONS, "init_transactions",                                  \
      "Before init_transactions of a new producer.")                           \
    X(ASSIGN, "assign", "Partitions were assigned, nothing is done yet.")      \
    X(REVOKE, "revoke", "Partitions are to be given back.")                    \
    X(LOST, "lost", "Partitions were lost.")                                   \
    X(RESTORE_COMMITTED, "restore_committed",                                  \
      "Restore: the committed offsets are known.")                             \
    X(RESTORE_STATE_HALF, "restore_state_half",                                \
      "Restore: after some record of the state topic.")                        \
    X(RESTORE_STATE_END, "restore_state_end",                                  \
      "Restore: the state topic is read.")                                     \
    X(RESTORE_CHANGES, "restore_changes",                                      \
      "Restore: changes and triggers are read.")                               \
    X(RESTORE_REDO_HALF, "restore_redo_half",                                  \
      "Restore: after some record of the input.")                              \
    X(RESTORE_REDO_END, "restore_redo_end", "Restore: the input is read.")     \
    X(ADOPT_HALF, "adopt_half", "After some users moved to a new catalogue.")  \
    X(SWEEP_HALF, "sweep_half", "After some users were judged by it.")         \
    X(BACKFILL_FOLD, "backfill_fold",                                          \
      "After a record of the past was read again for a new catalogue.")        \
    X(BACKFILL_SWAP, "backfill_swap",                                          \
      "After some users got what was read again.")                             \
    X(BACKFILL_PUBLISH, "backfill_publish",                                    \
      "It comes into force with the next transaction.")                        \
    X(SEEK, "seek", "Before the consumer seeks to where work goes on.")        \
    X(BEGIN, "begin", "A transaction was begun.")                              \
    X(ADVANCE, "advance", "Timers fired; what they changed is in the outbox.") \
    X(EMIT, "emit", "After an output was produced.")                           \
    X(DEAD_LETTER, "dead_letter", "After a dead letter was produced.")         \
    X(FLUSH, "flush", "After a flush slice was produced.")                     \
    X(BEFORE_SEND_OFFSETS, "before_send_offsets",                              \
      "Before the offsets are sent to the transaction.")                       \
    X(AFTER_SEND_OFFSETS, "after_send_offsets", "After that.")                 \
    X(BEFORE_COMMIT, "before_commit", "Before the commit is asked for.")       \
    X(DURING_COMMIT, "during_commit",                                          \
      "Inside the call that commits, as far as the watchdog sees.")            \
    X(AFTER_COMMIT, "after_commit",                                            \
      "The broker answered; nothing of ours knows it yet.")                    \
    X(AFTER_ACK, "after_ack", "The outbox is empty and users are clean.")      \
    X(ABORT, "abort", "Before an abort.")                                      \
    X(RESEND, "resend", "Before the outbox is sent again.")                    \
    X(VIEW_BEFORE_APPLY, "view_before_apply",                                  \
      "View: before a batch goes to Redis.")                                   \
    X(VIEW_AFTER_APPLY, "view_after_apply", "View: Redis took the batch.")     \
    X(REBUILD_HALF, "rebuild_half", "View: after a slice of a rebuild.")       \
    X(CLOSE, "close", "Before the consumer is closed.")

#endif
