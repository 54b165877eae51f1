/* client_table.h: properties of librdkafka that we set ourselves, one row each.
 *
 *   X(name, member, producer, reader, watcher, rule, hint)
 *   name      of the property (an alias has a row of its own)
 *   member    value for members of the group, producer for producers, and so on
 *             (enum client_kind); NULL: none, COMPUTED: see client.c
 *   rule      INITIAL: kafka { } in segmentd.conf may say otherwise
 *             DERIVED: likewise, but depends on other properties
 *             FIXED: it may not, the protocol depends on it
 *   hint      FIXED: what to do instead, a sentence; else why this value
 *
 * The reasons of INITIAL values were measured on a real broker with 2.0.2. */
#ifndef KAFKA_CLIENT_TABLE_H
#define KAFKA_CLIENT_TABLE_H

#define CLIENT_TABLE(X)                                                        \
    X("client.id", COMPUTED, COMPUTED, COMPUTED, COMPUTED, INITIAL,            \
      "Which worker it is: in the broker's log, and to other processes.")      \
    X("socket.nagle.disable", "true", "true", "true", "true", INITIAL,         \
      "With Nagle a commit over several partitions takes 52 ms.")              \
    X("reconnect.backoff.max.ms", "2000", "2000", "2000", "2000", INITIAL,     \
      "Back soon after an outage of minutes.")                                 \
    X("retry.backoff.ms", NULL, "2", NULL, NULL, INITIAL,                      \
      "Offsets sent right after a commit are retried after this time.")        \
    X("linger.ms", NULL, "100", NULL, NULL, INITIAL,                           \
      "A commit sends what waits at once; nothing leaves half full before.")   \
    X("heartbeat.interval.ms", "1000", NULL, NULL, NULL, INITIAL,              \
      "So soon a member hears that the group rebalances.")                     \
    X("compression.type", NULL, "lz4", NULL, NULL, INITIAL,                    \
      "Halves the cost of user records.")                                      \
    X("queue.buffering.max.messages", NULL, "1000000", NULL, NULL, INITIAL,    \
      "Room for the largest transaction.")                                     \
    X("queued.min.messages", "100000", NULL, "1000000", NULL, INITIAL,         \
      "A full queue stops fetching for up to a second: 100000 users were "     \
      "restored in 1.1 s, not in 0.2.")                                        \
    X("queued.max.messages.kbytes", "32768", NULL, "32768", NULL, INITIAL,     \
      "Of one partition; bounds the memory of a backlog.")                     \
    X("fetch.wait.max.ms", "100", NULL, "20", NULL, INITIAL,                   \
      "So long a partition that resumes may wait for the others' request.")    \
    X("fetch.queue.backoff.ms", "5", NULL, "5", NULL, INITIAL,                 \
      "From 2.2.0 on: instead of that second.")                                \
    X("statistics.interval.ms", "0", "0", "0", "0", FIXED,                     \
      "segmentd counts by itself, see /metrics.")                              \
    X("allow.auto.create.topics", "false", NULL, "false", "false", FIXED,      \
      "Topics are created by segmentctl topics create.")                       \
    X("group.id", COMPUTED, NULL, COMPUTED, COMPUTED, FIXED,                   \
      "Use the setting group.")                                                \
    X("group.instance.id", COMPUTED, NULL, NULL, NULL, FIXED,                  \
      "Use the setting instance_id.")                                          \
    X("group.protocol", NULL, NULL, NULL, NULL, FIXED,                         \
      "Only the classic protocol assigns equal partitions of all topics to "   \
      "one worker.")                                                           \
    X("group.remote.assignor", NULL, NULL, NULL, NULL, FIXED,                  \
      "Only the classic protocol assigns equal partitions of all topics to "   \
      "one worker.")                                                           \
    X("partition.assignment.strategy", "range", NULL, NULL, NULL, FIXED,       \
      "Only range assigns equal partitions of all topics to one worker.")      \
    X("enable.auto.commit", "false", NULL, "false", "false", FIXED,            \
      "Offsets are committed in transactions.")                                \
    X("auto.commit.enable", NULL, NULL, NULL, NULL, FIXED,                     \
      "Offsets are committed in transactions.")                                \
    X("enable.auto.offset.store", "false", NULL, "false", "false", FIXED,      \
      "Offsets are committed in transactions.")                                \
    X("auto.offset.reset", "error", NULL, "error", "error", FIXED,             \
      "Use the setting start of each input.")                                  \
    X("enable.partition.eof", "true", NULL, "true", "false", FIXED,            \
      "The end of a partition must be known.")                                 \
    X("isolation.level", "read_committed", NULL, "read_committed",             \
      "read_uncommitted", FIXED,                                               \
      "Only committed records may be read.")                                   \
    X("transactional.id", NULL, COMPUTED, NULL, NULL, FIXED,                   \
      "Use the settings app and process.")                                     \
    X("transaction.timeout.ms", NULL, COMPUTED, NULL, NULL, DERIVED,           \
      "Below the session timeout: a crashed owner's transaction ends first.")  \
    X("socket.timeout.ms", NULL, COMPUTED, NULL, NULL, DERIVED,                \
      "A commit slower than this costs the producer its place.")               \
    X("enable.idempotence", NULL, "true", NULL, NULL, FIXED,                   \
      "Transactions need it.")                                                 \
    X("acks", NULL, "all", NULL, NULL, FIXED, "Transactions need it.")         \
    X("request.required.acks", NULL, NULL, NULL, NULL, FIXED,                  \
      "Transactions need acks=all.")                                           \
    X("delivery.report.only.error", NULL, "false", NULL, NULL, FIXED,          \
      "Every delivery must be reported.")                                      \
    X("test.mock.num.brokers", NULL, NULL, NULL, NULL, FIXED,                  \
      "Start segmentd with --embedded.")

#endif
