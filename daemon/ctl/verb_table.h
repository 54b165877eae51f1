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
    X(check,                                                                   \
      "[--strict] [--quiet] [--url URL] [--conf FILE] [--token-file FILE] "    \
      "PATH...",                                                               \
      "Say what is wrong with segment files, and what they cost.",             \
      "PATH is a file, or a folder whose *.seg files are read, subfolders\n"   \
      "included. All files together are one catalogue. Up to 20 errors are\n"  \
      "shown in one run, each with file, line, column and a suggestion where\n"\
      "there is one, then warnings: what is likely a mistake, and conditions\n"\
      "that ask for more than is exact. Without errors follow, once each,\n"   \
      "notes: to what limit something is exact, what lies beyond, and where;\n"\
      "then the cost.\n"                                                       \
      "  of a segment  the features that it keeps of each user who does what\n"\
      "                it asks for (shared: others read them too), the bytes\n"\
      "                that they take of one user at most, how many\n"         \
      "                attributes it reads, how many of its conditions a timer\n"\
      "                may change, and the events that it reads\n"             \
      "  of an event   how many features it feeds at most, and how many\n"     \
      "                conditions are looked at then\n"                        \
      "Bytes are of a user who does it all day long; most take far less.\n"    \
      "  --strict           exit 1 also when there is a warning\n"             \
      "  --quiet            no notes and no cost\n"                            \
      "  --url URL          also ask a running segmentd which events came in\n"\
      "                     since it was started, and warn of one that did not;\n"\
      "                     so does --conf; see `segmentctl help explain`\n"   \
      "Exit 1 when there is an error.")                                        \
    X(convert, "--to json|seg PATH | -",                                       \
      "Turn a segment file into JSON, or JSON into a segment file.",           \
      "Reads one file, or - for standard input, and writes standard output.\n" \
      "  --to json  comments are left out, all else comes back as it was\n"    \
      "  --to seg   in the one spelling of `segmentctl fmt`\n"                 \
      "The JSON is what segments.json of the installed schemas describes.")    \
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
    X(explain,                                                                 \
      "[--json] [--conf FILE] [--url URL] [--token-file FILE] ID [SEGMENT]",   \
      "Why a user is, or is not, in a segment.",                               \
      "Asks the running segmentd for the condition of SEGMENT, or of every\n"  \
      "segment, as a tree: whether each part holds now, what was measured,\n"  \
      "what is needed, by which events (the newest come first; of an\n"        \
      "attribute, when it was set), how far a sequence is, and when it changes\n"\
      "by itself, to the millisecond.\n"                                       \
      "  --json             the same tree as JSON\n"                           \
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
      "state | changes | triggers | traits | offsets [--partition P] "         \
      "[--user ID] [--conf FILE]",                                                         \
      "What stands in Kafka, decoded.",                                        \
      "One JSON per line, in the order of each partition, up to the present\n" \
      "end.\n"                                                                 \
      "  state          meta records and users, as the state topic has them;\n"\
      "                 users are read with the segments of the configuration\n"\
      "  changes, triggers, traits   what was committed, with its place\n"     \
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
    X(plan,                                                                    \
      "[--events FILE [--until INSTANT]] [--state] [--at INSTANT] [--json] "             \
      "[--url URL] [--conf FILE] [--token-file FILE] OLD NEW",                 \
      "What new segment files change, before they are released.",              \
      "OLD and NEW are files or folders as for `segmentctl check`. Segments,\n"\
      "triggers, scores, traits and lists that are new (+), gone (-) or mean\n"\
      "something else (~) are listed: spelling, the order of conditions and of\n"\
      "values, and titles change nothing. Then the features, what is kept of\n"\
      "users: kept as they are (the same), dropped (-), or new (+), which\n"   \
      "means warming: what is new is not known of those who are there\n"       \
      "already, and changes nobody's membership, until it is decided. Another\n"\
      "order of the events that one condition names makes it a new feature.\n" \
      "  --at INSTANT       when NEW comes into force; else now\n"             \
      "  --events FILE      messages as for `segmentctl replay`, or -; of each\n"\
      "                     segment: members by OLD and by NEW, as if it had been\n"\
      "                     in force from the first message on, how many enter\n"\
      "                     and leave; and how many at once, if NEW takes the\n"\
      "                     place of OLD after the last one\n"                 \
      "  --until INSTANT    after the last one move the clock on\n"            \
      "  --state            of the users in the state topic: members by OLD, how\n"\
      "                     many enter and leave at once; of who was busy last\n"\
      "                     some events may be missing\n"                      \
      "  --url URL          also ask a running segmentd how many are in each\n"\
      "                     segment that changes; so does --conf without --state;\n"\
      "                     see `segmentctl help explain`\n"                   \
      "  --conf FILE        where both are; for --state else\n"                \
      "                     /etc/segmentd/segmentd.conf\n"                     \
      "  --json             one JSON document\n"                               \
      "Exit 1 when files do not check or cannot be read; differences are no\n" \
      "failure.")                                                              \
    X(replay,                                                                  \
      "--segments PATH [--until INSTANT] [--app NAME] [--traits] FILE | -",    \
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
      "  --app NAME         as in segmentd.conf; segmentd if not given\n"      \
      "  --traits           traits are written, too\n"                         \
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
      "[--segment KEY] [--user ID] [--triggers] [--traits] [--json] "          \
      "[--count N] "                                                           \
      "[--from earliest|latest|INSTANT | --positions FILE] [--conf FILE]",     \
      "Follow changes, triggers and traits as they come.",                             \
      "Prints a line for each committed change, until Ctrl-C.\n"               \
      "  --segment KEY     only of this segment\n"                             \
      "  --user ID         only of this user\n"                                \
      "  --triggers        triggers, too\n"                                    \
      "  --traits          traits, too\n"                                      \
      "  --json            as they stand in the topics, one per line\n"        \
      "  --count N         end after so many\n"                                \
      "  --from PLACE      where to begin: latest if not given\n"              \
      "  --positions FILE  where `segmentctl members` ended\n"                 \
      "  --conf FILE       else /etc/segmentd/segmentd.conf.")                 \
    X(test,                                                                    \
      "[--coverage] [--coverage-min PERCENT] [--tap] [--junit FILE] PATH...",  \
      "Run the test blocks of segment files.",                                 \
      "Each test has a user of its own and a virtual clock. A test that fails\n"\
      "says what was expected and explains the condition as it stood then.\n"  \
      "Events of a test that no segment asks for are named.\n"                 \
      "  --coverage         also print, of each condition of each segment,\n"  \
      "                     whether its tests saw it true and saw it false, at\n"\
      "                     their lines `expect in|out|enter|exit`; `everyone`\n"\
      "                     and `user in P% by` are none, no test can turn them\n"\
      "  --coverage-min PERCENT\n"                                             \
      "                     the same; exit 1 if fewer were seen both ways\n"   \
      "  --tap              write TAP instead\n"                               \
      "  --junit FILE       also write the results as JUnit XML, what no test\n"\
      "                     covered as skipped, or as failed if it is too little\n"\
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
