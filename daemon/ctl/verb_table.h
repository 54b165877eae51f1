/* verb_table.h: every verb of segmentctl, one row each, sorted by name.
 *
 *   X(name, arguments, summary, help)
 *   name       as typed, but that a dash is an underscore here; the function is
 *              ctl_<name>, the file <name>.c
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
    X(dead_letters,                                                            \
      "list | show | replay [--reason R] [--topic T] [--limit N] [--yes] "     \
      "[--again] [--conf FILE]",                                               \
      "Records that were no event: count, see, replay them.",                  \
      "Reads <app>.dead-letters on the brokers of the configuration.\n"        \
      "  list        how many there are, by reason, topic and partition\n"     \
      "  show        each as a JSON line, with its headers and its value\n"    \
      "  replay      writes the originals back into their inputs, with their\n"\
      "              keys and timestamps; one that was in the wrong partition\n"\
      "              goes to the right one. Says what it would do; --yes does\n"\
      "              it. What was replayed is noted in the same transaction:\n"\
      "              nothing is replayed twice, unless --again is given.\n"    \
      "              Letters that were cut short cannot be replayed.\n"        \
      "  --reason R  only those, such as bad_json; --topic T only of that input\n"\
      "  --limit N   at most so many\n"                                        \
      "  --conf FILE else /etc/segmentd/segmentd.conf.")                       \
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
    X(inspect,                                                                 \
      "state | changes | triggers | offsets [--partition P] [--user ID] "      \
      "[--conf FILE]",                                                         \
      "What stands in Kafka, decoded.",                                        \
      "One JSON per line, in the order of each partition, up to the present\n" \
      "end.\n"                                                                 \
      "  state          meta records and users, as the state topic has them;\n"\
      "                 users are read with the segments of the configuration\n"\
      "  changes, triggers   what was committed, with its place\n"             \
      "  offsets        what is committed of the inputs, the partition's\n"    \
      "                 clock and transaction, and where the inputs end\n"     \
      "  --partition P  only this one\n"                                       \
      "  --user ID      only of this user\n"                                   \
      "  --conf FILE    else /etc/segmentd/segmentd.conf.")                    \
    X(members,                                                                 \
      "[--csv] [--positions FILE] [--part] [--conf FILE] [--url URL]... "      \
      "[--token-file FILE] SEGMENT",                                           \
      "Who is in a segment, and where to follow on from.",                     \
      "Asks the running segmentd for all pages of the list, then writes one\n" \
      "member per line: user, since when, and the number of changes of him so\n"\
      "far. Afterwards come the places in the change topic from which to\n"    \
      "follow on: take every change of the segment as it is, but skip those of\n"\
      "a listed user whose seq is not above the listed one.\n"                 \
      "  --csv             else JSON lines\n"                                  \
      "  --positions FILE  the places go there (`segmentctl tap` reads it); else\n"\
      "                    they are the last line, with --csv on standard error\n"\
      "  --url URL         of a process, or of several; those that they name are\n"\
      "                    asked for the rest (see http.advertise)\n"          \
      "  --part            only what the processes named here have; else it is\n"\
      "                    exit 1 if partitions are missing in the end\n"      \
      "How segmentd is found: see `segmentctl help explain`.")                 \
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
    X(reset,                                                                   \
      "--input T --to PLACE | --accept-loss | --rebuild [--partition P] "      \
      "[--yes] [--conf FILE]",                                                 \
      "Mend what segmentd refuses; move an input.",                            \
      "Says for each partition what would be lost, written and committed; with\n"\
      "--yes does it, one transaction for each partition. No segmentd of the\n"\
      "group may run then.\n"                                                  \
      "  --input T --to PLACE  T goes on at earliest, latest, an instant or, of\n"\
      "                  one partition, an offset. What lies between is left out;\n"\
      "                  what is read again counts again, unless its message id\n"\
      "                  is remembered.\n"                                       \
      "  --accept-loss   after topics were truncated or made again and offsets\n"\
      "                  were set or deleted: keeps what is known, goes on from\n"\
      "                  where it is possible\n"                                 \
      "  --rebuild       features and attributes are thrown away and read again\n"\
      "                  from the inputs, as far back as they reach (or `start`,\n"\
      "                  if that is an instant); memberships and what was put\n"\
      "                  out stay. Mends a state topic that was deleted.\n"      \
      "  --partition P   only this one\n"                                       \
      "  --conf FILE     else /etc/segmentd/segmentd.conf\n"                    \
      "Where something is lost everybody is judged by what is left, and what\n"\
      "differs is put out with cause repair; no trigger fires. If changes are\n"\
      "lost the numbers of everybody's changes leap, so that none is used\n"   \
      "twice.")                                                                \
    X(tap,                                                                     \
      "[--segment KEY] [--user ID] [--triggers] [--json] [--count N] "         \
      "[--from earliest|latest|INSTANT | --positions FILE] [--conf FILE]",     \
      "Follow changes and triggers as they come.",                             \
      "Prints a line for each committed change, until Ctrl-C.\n"               \
      "  --segment KEY     only of this segment\n"                             \
      "  --user ID         only of this user\n"                                \
      "  --triggers        triggers, too\n"                                    \
      "  --json            as they stand in the topics, one per line\n"        \
      "  --count N         end after so many\n"                                \
      "  --from PLACE      where to begin: latest if not given\n"              \
      "  --positions FILE  where `segmentctl members` ended\n"                 \
      "  --conf FILE       else /etc/segmentd/segmentd.conf.")                 \
    X(test, "[--junit FILE] PATH...",                                          \
      "Run the test blocks of segment files.",                                 \
      "Each test has a user of its own and a virtual clock. A test that fails\n"\
      "says what was expected and explains the condition as it stood then.\n"  \
      "  --junit FILE       also write the results as JUnit XML.\n"            \
      "Exit 1 when a test fails, or the files do not check.")                  \
    X(top,                                                                     \
      "[--interval SECONDS] [--conf FILE] [--url URL] [--token-file FILE]",    \
      "How busy segmentd is: events, lag, commits, segments.",                 \
      "On a terminal the picture is drawn anew every 2 s, or --interval, until\n"\
      "Ctrl-C; else it is printed once. The segments that most users entered\n"\
      "and exited come first.\n"                                               \
      "How segmentd is found: see `segmentctl help explain`.")                 \
    X(topics,                                                                  \
      "create [--partitions N] [--replication N] | verify [--samples N] "      \
      "[--conf FILE]",                                                         \
      "Create the topics that segmentd writes; check all of them.",            \
      "create makes <app>.changes, triggers, traits, state and dead-letters on\n"\
      "the brokers of the configuration, with the settings each one needs.\n"  \
      "Topics that exist are left as they are.\n"                              \
      "  --partitions N     else as many as the inputs have\n"                 \
      "  --replication N    else as many as the inputs have\n"                 \
      "verify looks at these topics and at the inputs: whether they are there,\n"\
      "their partitions, cleanup, retention and size of records; and by some\n"\
      "records of each partition which `partitioner` fits. Whatever is wrong\n"\
      "comes with the command that mends it, and exit 1.\n"                    \
      "  --samples N        records of each partition; else 200\n"             \
      "  --conf FILE        else /etc/segmentd/segmentd.conf.")                \
    X(user, "[--conf FILE] [--url URL] [--token-file FILE] ID",                \
      "What segmentd knows of a user: segments, attributes.",                  \
      "Asks the running segmentd and prints its answer as JSON. How it is\n"   \
      "found: see `segmentctl help explain`.")

#endif
