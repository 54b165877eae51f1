/* conf_table.h: every setting of segmentd.conf, one row each.
 *
 *   CONF(field, name, type, initial, range, help)
 *   INPUT(...)   the same, of one input
 *   field    member of struct conf or conf_input; durations end in _ms, sizes
 *            in _bytes
 *   name     as written; `http.address` is `address` in the block `http { }`
 *   type     what may stand there and what the field is, see conf.h
 *   initial  the value when it is not set, spelled as in the file; NULL: it
 *            must be set
 *   range    least..most of numbers, durations and sizes; the words of a CHOICE
 *            in the order of their enum; of texts the most bytes
 *   help     one or more sentences: what it is for, what to think of
 *
 * The block `kafka { }` is not here: it takes any property of librdkafka.
 * config/segmentd.conf is the manual; a test holds it to this table. */
#ifndef BASE_CONF_TABLE_H
#define BASE_CONF_TABLE_H

#include <seg/engine.h>

#define CONF_STRING_OF(x) #x
#define CONF_STRING(x) CONF_STRING_OF(x)

#define CONF_TABLE(CONF, INPUT)                                                \
    CONF(app, "app", NAME, "segmentd", "200",                                  \
      "Prefix of the topics written, of the Redis keys and of the "            \
      "transactional ids.")                                                    \
    CONF(group, "group", NAME, "", "200",                                      \
      "Consumer group; empty means the same as app.")                          \
    CONF(process, "process", NAME, "", "200",                                  \
      "Name of this process, the same after every restart: of two live "       \
      "processes with one name the older is thrown out. Empty means "          \
      "instance_id, else the host name and the HTTP port.")                    \
    CONF(instance_id, "instance_id", NAME, "", "200",                          \
      "Makes the workers static members of the group: a restart within the "   \
      "session timeout moves no partition, but a stopped process is replaced " \
      "only after that timeout. Empty means off.")                             \
    CONF(workers, "workers", NUMBER, "0", "0..256",                            \
      "Worker threads, each with partitions of its own; 0 means one per "      \
      "processor, and one alone with --embedded.")                                                            \
    CONF(clock, "clock", CHOICE, "wall", "wall|records",                       \
      "What moves the clock of a partition: records and, while none wait, "    \
      "the wall; or, for replays and tests, records alone.")                   \
    CONF(segments, "segments", PATHS, "segments", "4096",                      \
      "Segment files, and folders whose *.seg files are read, subfolders "     \
      "included. Relative to the folder of this file.")                        \
    CONF(run_directory, "run_directory", PATH, "/run/segmentd", "4096",        \
      "Folder for what others may want to know of the running process: with "  \
      "--embedded the address of the broker.")                                 \
    CONF(log_level, "log_level", CHOICE, "info", "error|warn|info|debug",      \
      "The least important lines that are written. User ids appear at debug "  \
      "only, payloads never.")                                                 \
    CONF(log_format, "log_format", CHOICE, "text", "text|json",                \
      "How lines of the log look: as people read them, or as one JSON object " \
      "each, for programs.")                                                   \
    CONF(core_dumps, "core_dumps", CHOICE, "off", "off|on",                    \
      "Whether a crash may leave a core dump, and debuggers of the same user "  \
      "may attach: passwords and users are in that memory. With on, "          \
      "LimitCORE of the unit has to be raised as well.")                       \
                                                                               \
    CONF(future_skew_ms, "future_skew", DURATION, "5m", "1ms..24h",            \
      "How far an event may be dated after its record before it counts as "    \
      "from the future. It is clamped to the record's time in any case.")      \
    CONF(lateness_ms, "lateness", DURATION, "24h", "1ms..365d",                \
      "Events at most this far behind the clock count as if they had come in " \
      "time; older ones count where what is kept allows.")                     \
    CONF(trigger_max_age_ms, "trigger_max_age", DURATION, "5m",                \
      "1ms..365d",                                                             \
      "Changes decided later than this after they were true fire no trigger: " \
      "nobody is shown a message for last week.")                              \
    CONF(trait_interval_ms, "trait_interval", DURATION, "10s", "1ms..365d",    \
      "The traits of a user are published at most once within this; the last " \
      "value always arrives.")                                                 \
    CONF(on_bad_input, "on_bad_input", CHOICE, "dead-letter",                  \
      "dead-letter|stop",                                                      \
      "What becomes of a record that is no event: it goes to the dead "        \
      "letters, or its partition stops until somebody looks at it.")           \
    CONF(backfill, "backfill", CHOICE, "on", "on|off",                         \
      "What new segments ask for and nobody counted before: the inputs are "   \
      "read again beside the live events, as far back as they are kept, or "   \
      "it is unknown until its window has passed.")                            \
    CONF(backfill_rate, "backfill_rate", NUMBER, "50000", "1..10000000",       \
      "Records that a worker reads again for that in a second, at most.")      \
                                                                               \
    CONF(flush_interval_ms, "flush_interval", DURATION, "30s", "0s..1h",       \
      "A changed user is written to the state topic after at most this time. " \
      "Longer costs a longer restore, shorter costs CPU; 0s writes him with "  \
      "every transaction.")                                                    \
    CONF(stop_timeout_ms, "stop_timeout", DURATION, "25s", "1s..10m",          \
      "Longest time from SIGTERM to the end of the process; half of it for "   \
      "writing changed users.")                                                \
    CONF(linger_idle_ms, "linger_idle", DURATION, "0s", "0s..1s",              \
      "How long an output waits for others before the commit while hardly "    \
      "anything comes in.")                                                    \
    CONF(linger_busy_ms, "linger_busy", DURATION, "20ms", "0s..10s",           \
      "The same while records keep coming.")                                   \
    CONF(linger_behind_ms, "linger_behind", DURATION, "250ms", "0s..10s",      \
      "The same while a backlog is worked off: fewer, larger transactions.")   \
    CONF(transaction_age_ms, "transaction_age", DURATION, "1s",                \
      "1ms..10s",                                                              \
      "A transaction of this age is committed though no reader waits for it.") \
    CONF(transaction_events, "transaction_events", NUMBER, "100000",           \
      "1..10000000",                                                           \
      "Records after which a transaction is committed, whatever its age.")     \
    CONF(transaction_bytes, "transaction_bytes", SIZE, "16MiB",                \
      "64KiB..1GiB",                                                           \
      "Bytes of outputs after which a transaction is committed: they stay in " \
      "memory until the commit is known to have succeeded.")                   \
    CONF(batch_events, "batch_events", NUMBER, "4096", "1..1000000",           \
      "Records a worker takes in one turn.")                                   \
    CONF(batch_timers, "batch_timers", NUMBER, "10000", "1..1000000",          \
      "Timers that fire in one turn; the next record waits for the rest.")     \
    CONF(flush_users, "flush_users", NUMBER, "10000", "1..100000",              \
      "Users written to the state topic in one transaction.")                  \
    CONF(state_version, "state_version", NUMBER, "0",                          \
         "0.." CONF_STRING(SEG_STATE_VERSION),                                 \
      "Version of the records written to the state topic. 0 means the one "    \
      "found there, or the newest if there is none: after an upgrade the old " \
      "version still can take over. Raised to a new version when no process "  \
      "of an older one will come back: there is no way back, an older one "    \
      "refuses to read what is written then. Segments that use what an older " \
      "version has no room for raise it by themselves.")                       \
                                                                               \
    CONF(dead_letter_bytes, "dead_letter_bytes", SIZE, "256KiB",               \
      "0B..900KiB",                                                            \
      "So much of the original stands in a dead letter.")                      \
    CONF(user_bytes, "user_bytes", SIZE, "256KiB", "4KiB..900KiB",             \
      "An event that would make the record of its user larger is a dead "      \
      "letter.")                                                               \
    CONF(attribute_bytes, "attribute_bytes", SIZE, "1KiB", "1B..64KiB",        \
      "Attributes no segment reads are kept, for later segments, up to this "  \
      "many bytes per user.")                                                  \
    CONF(users_max, "users_max", NUMBER, "0", "0..2147483648",                 \
      "Users of one partition; beyond it the partition stops and says so. "    \
      "0 means as many as there is memory for.")                               \
    CONF(memory_max_bytes, "memory_max", SIZE, "0B", "0B..1024GiB",            \
      "Memory that the users of this process may take; from there on it takes "\
      "no records and is not ready, until there is room again. 0B means three "\
      "quarters of memory.max where the process runs in a control group with " \
      "one, else no limit.")                                                   \
                                                                               \
    INPUT(partitioner, "input.partitioner", CHOICE, NULL,                      \
      "murmur2|crc32|trust",                                                   \
      "How the producers of this topic turn a user id into a partition: "      \
      "murmur2 (Java clients), crc32 (librdkafka and what is built on it), "   \
      "trust (some other way; the records are not checked).")                  \
    INPUT(start, "input.start", START, NULL,                                   \
      "earliest|latest|INSTANT",                                               \
      "Where a partition that was never read begins: with all that is there, " \
      "with what comes from now on, or with an instant such as 2026-01-31.")   \
                                                                               \
    CONF(redis_address, "redis.address", ADDRESS, "", "4096",                  \
      "Redis that shows the memberships: host:port, or the path of a socket. " \
      "Empty means none.")                                                     \
    CONF(redis_user, "redis.user", TEXT, "", "512",                            \
      "User for Redis 6 and later; empty means the default user.")             \
    CONF(redis_password, "redis.password", SECRET, "", "4096",                 \
      "Password for Redis; better file \"PATH\" than the word itself.")        \
    CONF(redis_database, "redis.database", NUMBER, "0", "0..1000000",          \
      "Number of the Redis database.")                                         \
    CONF(redis_timeout_ms, "redis.timeout", DURATION, "1s", "10ms..1m",        \
      "Redis not answering for this long counts as away.")                     \
    CONF(redis_heartbeat_ms, "redis.heartbeat", DURATION, "10s",               \
      "1s..10m",                                                               \
      "Life time of the key <app>:heartbeat, renewed while the view is "       \
      "current: a reader who finds it gone knows that he reads old news.")     \
                                                                               \
    CONF(http_address, "http.address", ADDRESS, "127.0.0.1:7070", "4096",      \
      "Address and port of metrics, health and queries; port 0 takes any "     \
      "free one. Anything but loopback needs a token from a file.")            \
    CONF(http_advertise, "http.advertise", ADDRESS, "", "255",                 \
      "Address and port at which the other processes of the group, and whoever " \
      "asks them, find this one: they name it when they are asked for a user " \
      "of its partitions. Empty means address, unless that is loopback or "    \
      "any address: then nothing is told.")                                    \
    CONF(http_token, "http.token", SECRET, "", "4096",                         \
      "Who asks must send it as Authorization: Bearer TOKEN; to be given as "  \
      "file \"PATH\".")

#endif
