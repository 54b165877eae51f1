/* verb_table.h: every verb of segmentctl, one row each, sorted by name.
 *
 *   X(name, arguments, summary, help)
 *   name       as typed; the function is ctl_<name>, the file <name>.c
 *   arguments  as shown in the usage line
 *   summary    one line for the list of verbs
 *   help       what `segmentctl help VERB` says below the usage line */
#ifndef CTL_VERB_TABLE_H
#define CTL_VERB_TABLE_H

#define VERB_TABLE(X)                                                          \
    X(check, "[--strict] PATH...",                                             \
      "Say what is wrong with segment files.",                                 \
      "PATH is a file, or a folder whose *.seg files are read, subfolders\n"   \
      "included. All files together are one catalogue. Up to 20 errors are\n"  \
      "shown in one run, each with file, line, column and a suggestion where\n"\
      "there is one. Exit 1 when there is an error, with --strict also when\n" \
      "there is a warning.")                                                   \
    X(explain, "[--conf FILE] [--url URL] [--token-file FILE] ID [SEGMENT]",   \
      "Why a user is, or is not, in a segment.",                               \
      "Asks the running segmentd for the condition of SEGMENT, or of every\n"  \
      "segment, as a tree: whether each part holds now, what was measured,\n"  \
      "what is needed, and when it changes by itself.\n"                       \
      "  --url URL          where segmentd listens; else `http` in its\n"      \
      "                     configuration\n"                                   \
      "  --conf FILE        that configuration; else\n"                        \
      "                     /etc/segmentd/segmentd.conf\n"                     \
      "  --token-file FILE  holds the token to send; else as configured.")     \
    X(fmt, "[--check] PATH... | -",                                            \
      "Write segment files in their one spelling.",                            \
      "Files are rewritten in place, and the name of each one that changed\n"  \
      "is printed; - reads standard input and writes standard output. A file\n"\
      "with errors is left alone. With --check nothing is written: exit 1\n"   \
      "when a file is spelled differently.")                                   \
    X(replay,                                                                  \
      "--segments PATH [--until INSTANT] [--app NAME] FILE | -",               \
      "Run the engine on a file of events, without Kafka.",                    \
      "FILE holds one message of the Segment spec per line, in order of\n"     \
      "arrival; - is standard input. A message arrives at its receivedAt,\n"   \
      "else at its timestamp; the clock is the latest arrival so far. Changes\n"\
      "and triggers are written to standard output, one JSON per line, as\n"   \
      "they would stand in the topics. A summary, and each line that is no\n"  \
      "event, go to standard error.\n"                                         \
      "  --segments PATH    segment file or folder; may be given again\n"      \
      "  --until INSTANT    at the end move the clock on, such as to\n"        \
      "                     2026-01-31T12:00Z: people leave by timer\n"        \
      "  --app NAME         as in segmentd.conf; segmentd if not given.\n"     \
      "Exit 1 when the segment files do not check, never for bad lines.")      \
    X(test, "[--junit FILE] PATH...",                                          \
      "Run the test blocks of segment files.",                                 \
      "Each test has a user of its own and a virtual clock. A test that fails\n"\
      "says what was expected and explains the condition as it stood then.\n"  \
      "  --junit FILE       also write the results as JUnit XML.\n"            \
      "Exit 1 when a test fails, or the files do not check.")                  \
    X(topics, "create [--partitions N] [--replication N] [--conf FILE]",       \
      "Create the topics that segmentd writes.",                               \
      "Creates <app>.changes, triggers, traits, state and dead-letters on the\n"\
      "brokers of the configuration, with the settings each one needs. Topics\n"\
      "that exist are left as they are.\n"                                     \
      "  --partitions N     else as many as the inputs have\n"                 \
      "  --replication N    else as many as the inputs have\n"                 \
      "  --conf FILE        else /etc/segmentd/segmentd.conf.")                \
    X(user, "[--conf FILE] [--url URL] [--token-file FILE] ID",                \
      "What segmentd knows of a user: segments, attributes.",                  \
      "Asks the running segmentd and prints its answer as JSON. How it is\n"   \
      "found: see `segmentctl help explain`.")

#endif
