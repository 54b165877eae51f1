/* metric_table.h: every metric, one row each.
 *
 *   SCOPE(field, name, type, unit, help)
 *   SCOPE  what it is kept for, and so its labels:
 *            PROCESS    the whole process; each thread counts in a struct of
 *                       its own, and the reader adds them up
 *            PARTITION  {partition}          of one that is owned now
 *            INPUT      {topic, partition}   of one that is owned now
 *            SEGMENT    {segment}            added up over the threads
 *            REASON     {reason}             of bad input, added up
 *            STATE      {state}              of partitions, added up
 *            WORKER     {worker}             of each
 *            VIEW       the thread that writes Redis; absent without Redis
 *            BUILD, CATALOGUE   their labels say it all, the value is 1
 *   field  member of struct metric_<scope>
 *   name   after the prefix segmentd_
 *   type   COUNTER (only grows; the name ends in _total), GAUGE, HISTOGRAM
 *   unit   ONE, or MS, US when the field is in milli- or microseconds: what is
 *          shown is in seconds; SINCE when it is the monotonic clock's
 *          millisecond of a beginning (0: there is none): what is shown is the
 *          seconds that have gone since, though its thread waits in a call
 *   help   what it is, and what a rise means to the one who is on call */
#ifndef BASE_METRIC_TABLE_H
#define BASE_METRIC_TABLE_H

#define METRIC_TABLE(PROCESS, PARTITION, INPUT, SEGMENT, REASON, STATE,        \
                     WORKER, VIEW, BUILD, CATALOGUE)                           \
    /* Intake. */                                                              \
    INPUT(records, "input_records_total", COUNTER, ONE,                        \
      "Records read since the partition came here. No rise while lag grows: "  \
      "the partition stands still, see partitions.")                      \
    INPUT(bytes, "input_bytes_total", COUNTER, ONE,                            \
      "Bytes of the values of these records.")                                 \
    INPUT(bad, "input_bad_records_total", COUNTER, ONE,                        \
      "Records that were no event. A rise: a producer writes something else, " \
      "see dead_letters_total for what.")                                      \
    INPUT(lag_records, "input_lag_records", GAUGE, ONE,                        \
      "Records between what is applied and the end of the topic, markers "     \
      "included. A steady rise: too few workers, or a partition that stands "  \
      "still.")                                                                \
    INPUT(lag_ms, "input_lag_seconds", GAUGE, MS,                              \
      "Age of the newest applied record while there are more to read, else "   \
      "0. A rise: users enter segments later by this much.")                   \
    INPUT(paused, "input_paused", GAUGE, ONE,                                  \
      "1 when this input is paused because more than half of its last "        \
      "records were bad. Somebody must mend the producer.")                    \
    PARTITION(clock_behind_ms, "clock_behind_seconds", GAUGE, MS,              \
      "The wall less the clock of the partition. It rises while nothing "      \
      "comes in and no timer is due: see timer_late_seconds.")                 \
    PARTITION(timer_late_ms, "timer_late_seconds", GAUGE, MS,                  \
      "For how long a timer has been due that did not fire. A rise: people "   \
      "leave segments later by this much; a producer's open transaction, a "   \
      "paused input, or brokers that do not answer.")                          \
    PARTITION(merge_stalled_ms, "merge_stalled_seconds", GAUGE, MS,            \
      "For how long a record has been waiting for another input of its "       \
      "partition to prove that nothing older comes. A rise: an open "          \
      "transaction of a producer, or a broker that does not answer.")          \
    STATE(partitions, "partitions", GAUGE, ONE,                                \
      "Partitions owned, by state. Anything but running for long: see "        \
      "/readyz for the reason.")                                               \
                                                                               \
    /* The engine. */                                                          \
    PROCESS(events, "events_total", COUNTER, ONE,                              \
      "Events applied, duplicates included.")                                  \
    PROCESS(duplicates, "duplicate_events_total", COUNTER, ONE,                \
      "Events ignored because their message id was there already. A rise: a "  \
      "producer sends again.")                                                 \
    PROCESS(time_missing, "events_without_time_total", COUNTER, ONE,           \
      "Events without a timestamp: the record's was taken.")                   \
    PROCESS(time_unreadable, "events_with_bad_time_total", COUNTER, ONE,       \
      "Events whose timestamp could not be read: the record's was taken. A "   \
      "rise: a producer writes times in another form.")                        \
    PROCESS(future_events, "future_events_total", COUNTER, ONE,                \
      "Events dated after their record by more than future_skew. A rise: "     \
      "clocks of producers are wrong.")                                        \
    PROCESS(late_events, "late_events_total", COUNTER, ONE,                    \
      "Events more than lateness behind the clock. A rise: somebody loads "    \
      "history; it counts where what is kept allows.")                         \
    PROCESS(type_mismatches, "type_mismatches_total", COUNTER, ONE,            \
      "Comparisons of values of different types, which are false, and values " \
      "left out of a sum, mean or extreme as they are no numbers. A rise: a "  \
      "property changed its type.")                                            \
    PROCESS(attributes_dropped, "attributes_dropped_total", COUNTER, ONE,      \
      "Attributes no segment reads that did not fit into attribute_bytes.")    \
    PROCESS(coarse_features, "coarse_features_total", COUNTER, ONE,            \
      "Features of users that went beyond the exact limit: from then on "      \
      "early or late by window/64 at most.")                                   \
    PROCESS(timers, "timers_total", COUNTER, ONE,                              \
      "Timers fired.")                                                         \
    SEGMENT(entered, "segment_entered_total", COUNTER, ONE,                    \
      "Users who entered the segment. A sudden rise: look at what changed in " \
      "its file or in its events.")                                            \
    SEGMENT(exited, "segment_exited_total", COUNTER, ONE,                      \
      "Users who exited the segment.")                                         \
    SEGMENT(members, "segment_members", GAUGE, ONE,                            \
      "Members of the segment in the partitions owned.")                       \
    PROCESS(triggers, "triggers_total", COUNTER, ONE,                          \
      "Triggers written.")                                                     \
    PROCESS(triggers_suppressed, "triggers_suppressed_total", COUNTER, ONE,    \
      "Triggers not written because their change was older than "              \
      "trigger_max_age. A rise: we are catching up.")                          \
    PROCESS(triggers_cooling, "triggers_cooling_total", COUNTER, ONE,          \
      "Triggers not written because of their cooldown.")                       \
    PROCESS(traits, "traits_total", COUNTER, ONE,                              \
      "Records of traits written, each with all of a user. A steep rise: a "   \
      "measure that every event moves; a longer trait_interval makes fewer.")  \
    PROCESS(traits_throttled, "traits_throttled_total", COUNTER, ONE,          \
      "Events of traits of a user whose trait_interval was not over: what "    \
      "they made of him is published when it is.")                             \
    REASON(dead_letters, "dead_letters_total", COUNTER, ONE,                   \
      "Records written to the dead letters, by reason. A rise: see the "       \
      "topic's headers for where they come from.")                             \
    PROCESS(dead_letters_cut, "dead_letters_cut_total", COUNTER, ONE,          \
      "Dead letters that hold only the beginning of their record, which is "   \
      "longer than dead_letter_bytes.")                                        \
                                                                               \
    /* State. */                                                               \
    PARTITION(users, "users", GAUGE, ONE,                                      \
      "Users known in the partition.")                                         \
    PARTITION(user_bytes, "user_bytes", GAUGE, ONE,                            \
      "Memory held for them: blocks, index and timers.")                       \
    PARTITION(dirty_users, "dirty_users", GAUGE, ONE,                          \
      "Users not yet written to the state topic since they changed.")          \
    PARTITION(dirty_age_ms, "dirty_age_seconds", GAUGE, MS,                    \
      "Age of the oldest change not yet written. Above flush_interval: "       \
      "flushing cannot keep up, raise flush_users.")                           \
    PARTITION(redo_records, "redo_records", GAUGE, ONE,                        \
      "Input records a restore would have to read again.")                     \
    PROCESS(flushed_users, "flushed_users_total", COUNTER, ONE,                \
      "User records written to the state topic.")                              \
                                                                               \
    /* Transactions. */                                                        \
    PROCESS(commits, "commits_total", COUNTER, ONE,                            \
      "Transactions committed.")                                               \
    PROCESS(commit_us, "commit_duration_seconds", HISTOGRAM, US,               \
      "Time of one commit: last deliveries, offsets, decision. A rise: the "   \
      "brokers are slow.")                                                     \
    PROCESS(commit_wait_us, "output_wait_seconds", HISTOGRAM, US,              \
      "Age of a transaction's first output at its commit: what linger and "    \
      "commit add before readers can see it.")                                 \
    PROCESS(aborts, "aborts_total", COUNTER, ONE,                              \
      "Transactions aborted; their content is sent again. A rise: rebalances " \
      "or brokers that come and go.")                                          \
    PROCESS(undecided_commits, "undecided_commits", GAUGE, ONE,                \
      "Workers whose last commit has no known outcome yet. Above 0 for more "  \
      "than seconds: the transaction coordinator does not answer.")            \
    PROCESS(resolved_commits, "resolved_commits_total", COUNTER, ONE,          \
      "Commits whose outcome had to be looked up.")                            \
    PROCESS(producers, "producers_total", COUNTER, ONE,                        \
      "Producers made, the first one of each worker included. A rise: fatal "  \
      "errors or slow commits, see the log.")                                  \
    WORKER(transaction_since_ms, "transaction_age_seconds", GAUGE, SINCE,      \
      "For how long the worker has been at the present transaction, its "      \
      "repetitions included; 0: it is at none. A rise: the brokers do not "    \
      "take it, and nothing is applied meanwhile.")                            \
    PARTITION(txn, "partition_txn", GAUGE, ONE,                                \
      "Number of the partition's last committed transaction.")                 \
                                                                               \
    /* Life of a partition. */                                                 \
    PROCESS(assignments, "assignments_total", COUNTER, ONE,                    \
      "Times partitions were assigned to a worker. A rise: rebalances.")       \
    PROCESS(revocations, "revocations_total", COUNTER, ONE,                    \
      "Times partitions were taken from a worker in good order.")              \
    PROCESS(losses, "losses_total", COUNTER, ONE,                              \
      "Times a worker was thrown out of the group. A rise: it was stopped or " \
      "blocked for longer than the session timeout.")                          \
    PROCESS(warm_hits, "warm_hits_total", COUNTER, ONE,                        \
      "Partitions that came back with their state still valid here.")          \
    PROCESS(restores, "restores_total", COUNTER, ONE,                          \
      "Restores finished.")                                                    \
    PROCESS(restore_us, "restore_duration_seconds", HISTOGRAM, US,             \
      "Time of one restore. A rise: shorten flush_interval or compact the "    \
      "state topic more often.")                                               \
    PROCESS(restored_records, "restored_records_total", COUNTER, ONE,          \
      "Records read by restores: state, outputs and input.")                   \
    PROCESS(repairs, "restore_repairs_total", COUNTER, ONE,                    \
      "Memberships that a restore found other than written. Must stay 0; "     \
      "anything else is a bug worth reporting.")                               \
    PROCESS(backfill_records, "backfill_records_total", COUNTER, ONE,          \
      "Records read again for what new segments ask for. See backfill_rate.")  \
    PROCESS(backfills, "backfills_total", COUNTER, ONE,                        \
      "Partitions whose new features were filled from the past.")              \
    PROCESS(backfills_dropped, "backfills_dropped_total", COUNTER, ONE,        \
      "Backfills given up; most begin anew after a minute. A rise: see the "   \
      "log for why.")                                                          \
    WORKER(backfill_remaining, "backfill_remaining_records", GAUGE, ONE,       \
      "Records that the backfill of one partition has yet to read; others "    \
      "wait for it. Steady: backfill_rate is below what comes in.")            \
    PROCESS(refusals, "refusals_total", COUNTER, ONE,                          \
      "Partitions refused because going on would lose or double something. "   \
      "The log says what to do.")                                              \
                                                                               \
    /* The view in Redis. */                                                   \
    VIEW(up, "redis_up", GAUGE, ONE,                                           \
      "1 while Redis answers. 0: readers see old memberships; Kafka goes on.") \
    VIEW(lag_ms, "redis_lag_seconds", GAUGE, MS,                               \
      "Age of the oldest change not yet shown in Redis, 0 if there is none. "  \
      "A rise: Redis is away, slow or refuses to write.")                      \
    VIEW(changes, "redis_changes_total", COUNTER, ONE,                         \
      "Changes shown in Redis.")                                               \
    VIEW(batches, "redis_batches_total", COUNTER, ONE,                         \
      "Batches sent to Redis.")                                                \
    VIEW(errors, "redis_errors_total", COUNTER, ONE,                           \
      "Batches refused or not answered; they are sent again. A rise: see the " \
      "log for Redis's own words.")                                            \
    VIEW(resyncs, "redis_resyncs_total", COUNTER, ONE,                         \
      "Times the marker in Redis was not where we left it. A rise: Redis was " \
      "restored, failed over, or somebody else writes to it.")                 \
    VIEW(rebuilds, "redis_rebuilds_total", COUNTER, ONE,                       \
      "Times the memberships of a partition were written anew from our "       \
      "state, because Redis was empty or too old.")                            \
                                                                               \
    /* The process. */                                                         \
    PROCESS(wall_step_ms, "wall_step_seconds", GAUGE, MS,                      \
      "The system's clock less ours. Away from 0: the clock was set while we " \
      "ran; we keep ours until a restart.")                                    \
    PROCESS(http_requests, "http_requests_total", COUNTER, ONE,                \
      "HTTP requests answered.")                                               \
    PROCESS(http_refused, "http_refused_total", COUNTER, ONE,                  \
      "HTTP requests refused: no token, a web page that wants to change "       \
      "something, too many at once, or no answer in time; and connections "    \
      "closed for being too many, or too slow.")                               \
    PROCESS(http_connections, "http_connections", GAUGE, ONE,                  \
      "Open HTTP connections. At 256 for long: somebody does not close his.")  \
    PROCESS(log_errors, "log_errors_total", COUNTER, ONE,                      \
      "Lines logged as error. A rise: somebody must act.")                     \
    PROCESS(log_warnings, "log_warnings_total", COUNTER, ONE,                  \
      "Lines logged as warning: something was lost or delayed.")               \
    PROCESS(log_suppressed, "log_suppressed_total", COUNTER, ONE,              \
      "Lines not written because the same was said just before.")              \
    PROCESS(cpu_us, "cpu_seconds_total", COUNTER, US,                          \
      "CPU time of the process, user and system.")                             \
    PROCESS(resident_bytes, "resident_memory_bytes", GAUGE, ONE,               \
      "Memory of the process. A rise without users rising: a leak.")           \
    PROCESS(memory_max, "memory_max_bytes", GAUGE, ONE,                        \
      "What the users of the process may take, see user_bytes; 0: there is no "\
      "limit.")                                                                \
    PROCESS(memory_paused, "memory_paused", GAUGE, ONE,                        \
      "1 while no records are taken because memory_max is reached. Add a "     \
      "process, or raise it.")                                                 \
    PROCESS(hung_workers, "hung_workers", GAUGE, ONE,                          \
      "Workers that have not turned for 10 s, or have been inside one call of " \
      "librdkafka for 5 minutes. Above 0: systemd is about to start us again.") \
    PROCESS(reloads, "reloads_total", COUNTER, ONE,                            \
      "Segment files read anew, SIGHUP or POST /-/reload, and accepted.")      \
    PROCESS(reload_failures, "reload_failures_total", COUNTER, ONE,            \
      "Likewise, but refused: the catalogue before stays in force.")           \
    PROCESS(reload_failed, "last_reload_failed", GAUGE, ONE,                   \
      "1 if the last one was refused: what is on the disk is not in force.")   \
    PROCESS(sweeping, "sweeping_partitions", GAUGE, ONE,                       \
      "Partitions here where users are still to be judged by a new catalogue.") \
    PROCESS(open_files, "open_files", GAUGE, ONE,                              \
      "Open file descriptors.")                                                \
    PROCESS(uptime_ms, "uptime_seconds", GAUGE, MS,                            \
      "Time since the start. A fall: the process was restarted.")              \
    BUILD(one, "build_info", GAUGE, ONE,                                       \
      "Version of segmentd and of the librdkafka it runs with.")               \
    CATALOGUE(one, "catalogue_info", GAUGE, ONE,                               \
      "Hash of the catalogue in force. Two values among processes of one "     \
      "group: they decide by different segments.")

#endif
