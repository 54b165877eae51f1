/* library_table.h: what is known to be wrong with versions of librdkafka.
 *
 *   X(name, first, last, level, if_mechanism, text)
 *   name          enum library_fault_name
 *   first, last   versions that have it, as LIBRARY_VERSION
 *   level         of the line in the log
 *   if_mechanism  it only matters to those whose sasl.mechanism begins so; NULL:
 *                 to everybody
 *   text          what happens, what to do: a sentence without its full stop
 *
 * What the code works around is not here but where it does so. */
#ifndef KAFKA_LIBRARY_TABLE_H
#define KAFKA_LIBRARY_TABLE_H

#define LIBRARY_TABLE(X)                                                       \
    X(SLOW_COMMIT, LIBRARY_VERSION(0, 0, 0), LIBRARY_VERSION(2, 3, 255),       \
      LOG_LEVEL_INFO, NULL,                                                    \
      "librdkafka before 2.4.0 takes about 2 ms more CPU for each "            \
      "transaction")                                                          \
    X(SCRAM, LIBRARY_VERSION(0, 0, 0), LIBRARY_VERSION(2, 6, 0),               \
      LOG_LEVEL_WARN, "SCRAM",                                                 \
      "librdkafka before 2.6.1 cannot log in to brokers of Kafka 4.0 and "     \
      "later by SCRAM, however right the password is: use a newer one")       \
    X(TELEMETRY, LIBRARY_VERSION(2, 5, 0), LIBRARY_VERSION(2, 5, 0),           \
      LOG_LEVEL_WARN, NULL,                                                    \
      "librdkafka 2.5.0 ends the process when a broker asks for telemetry: "   \
      "use another version")                                                  \
    X(BOOTSTRAP, LIBRARY_VERSION(2, 10, 0), LIBRARY_VERSION(2, 10, 0),         \
      LOG_LEVEL_WARN, NULL,                                                    \
      "librdkafka 2.10.0 may connect again and again: use another version")

#endif
