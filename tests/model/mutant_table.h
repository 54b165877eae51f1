/* mutant_table.h: the mistakes that the model test must notice, one row each.
 *
 * Each is built into the oracle, not the engine: two twins differ whichever of
 * them is wrong. check_mutants switches on one after the other and demands that
 * a difference is found.
 *
 *   X(name, what the oracle then does) */
#ifndef MODEL_MUTANT_TABLE_H
#define MODEL_MUTANT_TABLE_H

#define MUTANT_TABLE(X)                                                        \
    /* Value tests. */                                                         \
    X(EQ_IS_NE, "= holds when the values differ")                              \
    X(EQ_LIST, "= looks into a list")                                          \
    X(NE_MISSING, "!= holds for a missing value")                              \
    X(NE_TYPES, "!= holds for values of two types")                            \
    X(LT_LE, "< holds for equal values")                                       \
    X(LE_LT, "<= fails for equal values")                                      \
    X(GT_GE, "> holds for equal values")                                       \
    X(GE_GT, ">= fails for equal values")                                      \
    X(ORDER_TEXT, "text orders without regard to case")                        \
    X(COERCE, "the text \"5\" equals the number 5")                            \
    X(BOOL_NUMBER, "true equals 1")                                            \
    X(INT_AS_DOUBLE, "integers compare as doubles")                            \
    X(IN_FIRST, "in looks at the first value only")                            \
    X(NOT_IN_MISSING, "not in holds for a missing value")                      \
    X(NOT_IN_TYPES, "not in holds for a value of no listed type")              \
    X(NOT_IN_ALL, "not in demands that the last value differs only")           \
    X(BETWEEN_LOW, "between excludes its lower end")                           \
    X(BETWEEN_HIGH, "between excludes its upper end")                          \
    X(IS_SET_TEXT, "\"\" is not set")                                          \
    X(IS_SET_LIST, "[] is not set")                                            \
    X(IS_SET_NULL, "null is set")                                              \
    X(IS_NOT_SET, "is not set fails")                                          \
    X(CONTAINS_STARTS, "contains is starts with")                              \
    X(STARTS_CONTAINS, "starts with is contains")                              \
    X(ENDS_CONTAINS, "ends with is contains")                                  \
    X(MATCHES_PART, "matches is content with the start of the text")           \
    X(GLOB_STAR, "* matches one character at least")                           \
    X(GLOB_QUESTION, "? matches one byte")                                     \
    X(GLOB_ESCAPE, "\\ is a character like any other")                         \
    X(FOLD_OFF, "ignoring case is not heard")                                  \
    X(FOLD_ASCII, "ignoring case knows A to Z only")                           \
    X(HAS_SCALAR, "has is = for what is no list")                              \
    X(HAS_FIRST, "has looks at the first element only")                        \
    X(HAS_ANY_ALL, "has any is has all")                                       \
    X(HAS_ALL_ANY, "has all is has any")                                       \
    X(HAS_NONE_MISSING, "has none holds for a missing list")                   \
    X(HAS_NONE_EMPTY, "has none fails for an empty list")                      \
    X(WITHIN_CLOSED, "within D holds at age D")                                \
    X(WITHIN_SHORT, "within D fails at age D - 1 ms")                          \
    X(WITHIN_FUTURE, "within D holds for a future date")                       \
    X(WITHIN_NOW, "within D fails at age 0")                                   \
    X(WITHIN_NEXT_OPEN, "within next D fails at date - D")                     \
    X(WITHIN_NEXT_EARLY, "within next D holds at date - D - 1 ms")             \
    X(WITHIN_NEXT_CLOSED, "within next D holds at the date")                   \
    X(WITHIN_NEXT_SHORT, "within next D fails 1 ms before the date")           \
    X(MORE_THAN_OPEN, "more than D ago fails at age D")                        \
    X(MORE_THAN_EARLY, "more than D ago holds at age D - 1 ms")                \
    X(BEFORE_CLOSED, "before holds at its date")                               \
    X(BEFORE_SHORT, "before fails 1 ms before its date")                       \
    X(AFTER_CLOSED, "after holds at its date")                                 \
    X(AFTER_SHORT, "after fails 1 ms after its date")                          \
    X(TIME_SECONDS, "a number is a time in milliseconds, never in seconds")    \
    X(TIME_ZONE, "the zone of a time is not heard")                            \
    X(VERSION_EQ_TEXT, "version = compares text")                              \
    X(VERSION_NE_BAD, "version != holds for what is no version")               \
    X(VERSION_LT_LE, "version < holds for equal versions")                     \
    X(VERSION_LE_LT, "version <= fails for equal versions")                    \
    X(VERSION_GT_GE, "version > holds for equal versions")                     \
    X(VERSION_GE_GT, "version >= fails for equal versions")                    \
    X(VERSION_TEXT, "version orders numbers as text")                          \
    X(VERSION_PRERELEASE, "version does not look at pre-releases")             \
    X(ONE_FIRST, "has one looks at the first object only")                     \
    X(ONE_SCALAR, "has one looks into what is no object")                      \
    X(ONE_PARTS, "has one is content with two elements")                       \
    X(REGEX_BEGIN, "^ in a regex matches anywhere")                            \
    X(REGEX_END, "$ in a regex matches anywhere")                              \
    X(REGEX_SEARCH, "a regex matches the beginning only")                      \
    X(REGEX_OR, "of a|b in a regex a counts only")                             \
    X(SAME_TYPES, "1 and 1.0 are two values")                                  \
    /* Windows and counts. */                                                  \
    X(IN_CLOSED, "in W counts age W")                                          \
    X(IN_SHORT, "in W leaves out age W - 1 ms")                                \
    X(IN_OPEN, "in W leaves out age 0")                                        \
    X(IN_FUTURE, "in W counts future events")                                  \
    X(LIFETIME_FUTURE, "without a window future events count")                 \
    X(FROM_CLOSED, "from X to Y counts age X")                                 \
    X(FROM_SHORT, "from X to Y leaves out age X - 1 ms")                       \
    X(TO_OPEN, "from X to Y leaves out age Y")                                 \
    X(TO_EARLY, "from X to Y counts age Y - 1 ms")                             \
    X(AT_LEAST_MORE, "at least n demands n + 1")                               \
    X(AT_LEAST_LESS, "at least n is content with n - 1")                       \
    X(AT_MOST_MORE, "at most n allows n + 1")                                  \
    X(AT_MOST_LESS, "at most n allows n - 1")                                  \
    X(EXACTLY_AT_LEAST, "exactly n allows more")                               \
    X(EXACTLY_AT_MOST, "exactly n allows less")                                \
    X(TIMES_LOW, "between m and n times excludes m")                           \
    X(TIMES_HIGH, "between m and n times excludes n")                          \
    X(TIMES_NOT, "did not is did at most once")                                \
    X(TIMES_NONE, "did is did at least twice")                                 \
    X(ANY_ALL, "any counts identify and group")                                \
    X(NAMES_FIRST, "of events joined by or the first counts only")             \
    X(WHERE_OFF, "where is not heard")                                         \
    X(WHERE_AND_OR, "and in where is or")                                      \
    X(WHERE_OR_AND, "or in where is and")                                      \
    X(WHERE_NOT, "not in where is not heard")                                  \
    X(PAGE_NAME, "a page message has no event name")                           \
    X(PAGE_PROPERTY, "a page's own name is not its property name")             \
    X(CONTEXT, "context. reads properties")                                    \
    X(EVENT_TYPE, "event.type of a page is track")                             \
    X(EVENT_ID, "event.id is missing")                                         \
    /* Measures. */                                                            \
    X(FIRST_LAST, "first is last")                                             \
    X(LAST_FIRST, "last is first")                                             \
    X(LAST_SET, "last skips events that lack the property")                    \
    X(FIRST_WINDOW, "first does not look at its window")                       \
    X(LAST_WINDOW, "last does not look at its window")                         \
    X(COUNT_WINDOW, "count does not look at its window")                       \
    X(DAYS_FIRST, "days_since(first) is days_since(last)")                     \
    X(DAYS_LAST, "days_since(last) is days_since(first)")                      \
    X(DAYS_WHOLE, "days_since counts whole days")                              \
    X(DAYS_ZERO, "days_since nothing is 0")                                    \
    X(SINCE_OPEN, "since D leaves out D")                                      \
    X(WINDOW_BEFORE_CLOSED, "the window before D counts D")                    \
    X(DATES_LOW, "the window between D and E leaves out D")                    \
    X(DATES_HIGH, "the window between D and E leaves out E")                   \
    X(DAYS_WINDOW, "days does not look at its window")                         \
    X(DATES_ZONE, "days counts dates of another zone")                         \
    X(SUM_WINDOW, "sum does not look at its window")                           \
    X(AVG_WINDOW, "avg does not look at its window")                           \
    X(MIN_WINDOW, "min does not look at its window")                           \
    X(MAX_WINDOW, "max does not look at its window")                           \
    X(SUM_WHOLE, "a sum is cut off to a whole number")                         \
    X(AVG_ALL, "avg counts what is no number")                                 \
    X(AVG_ZERO, "avg, min, max of nothing are 0")                              \
    X(MIN_MAX, "min is max")                                                   \
    X(DISTINCT_WINDOW, "distinct does not look at its window")                 \
    X(DISTINCT_MISSING, "distinct counts a missing value")                     \
    X(SCORE_LINEAR, "a score decays in a line")                                \
    X(SCORE_NEGATIVE, "negative weights are positive")                         \
    X(SCORE_ONCE, "each line of a score counts one event")                     \
    X(PERCENT_OFF, "PERCENT of is not heard")                                  \
    X(PERCENT_WHOLE, "a percentage is cut off to a whole one")                 \
    X(COMPARE_MISSING, "a missing side differs from every other")              \
    X(COMPARE_SWAPPED, "the sides of a comparison are swapped")                \
    X(LATEST_WINDOW, "latest does not look at its window")                     \
    X(LATEST_FIRST, "latest is the first")                                     \
    X(LATEST_NONE, "latest of nothing was anything")                           \
    X(HABIT_ANY, "one of the blocks of a habit is enough")                     \
    X(HABIT_MORE, "one block more of a habit is looked at")                    \
    X(TRAIT_FIRST, "every trait is the first one")                             \
    X(TRAIT_WARMING, "a trait is told while it is not known")                  \
    X(STEP_CLOSED, "a step within D may come at D")                            \
    X(STEP_SHORT, "a step within D must come 1 ms before")                     \
    X(STEP_FROM_FIRST, "within and after count from the first event")          \
    X(STEP_ITSELF, "an event may serve two steps")                             \
    X(AFTER_OPEN, "a step after D must come 1 ms later")                       \
    X(ALL_WITHIN_OFF, "all within is not heard")                               \
    X(ALL_WITHIN_CLOSED, "all within D holds at D")                            \
    X(DIRECTLY_OFF, "directly is not heard")                                   \
    X(BETWEEN_OFF, "with no between is not heard")                             \
    X(BETWEEN_STEPS, "a matched step may not be what with no forbids")         \
    X(SAME_OFF, "for the same is not heard")                                   \
    X(QUIET_CLOSED, "without E within D forbids E at D")                       \
    X(QUIET_SHORT, "without E within D allows E 1 ms before D")                \
    X(QUIET_EARLY, "without D is true 1 ms early")                             \
    X(QUIET_LATE, "without D is true 1 ms late")                               \
    X(WITHOUT_OFF, "without is not heard")                                     \
    X(SEQUENCE_WINDOW, "a sequence does not look at its window")               \
    /* Order and time. */                                                      \
    X(TIE_TOPIC, "at equal times the lesser topic is later")                   \
    X(TIE_OFFSET, "at equal times the lesser offset is later")                 \
    X(ORDER_ARRIVAL, "order is order of arrival")                              \
    X(ORDER_RECORD, "order goes by the record's timestamp")                    \
    X(CLAMP_OFF, "an event may be later than its record")                      \
    X(TIME_MISSING, "an event without time is of the clock")                   \
    X(TIME_FRACTION, "milliseconds of an event are cut off")                   \
    X(DEDUPE_OFF, "duplicates count")                                          \
    X(DEDUPE_CLOSED, "duplicates are known for 24 h and 1 ms")                 \
    X(DEDUPE_SHORT, "duplicates are known for 24 h less 1 ms")                 \
    X(DEDUPE_63, "duplicates are known among 63 ids")                          \
    X(DEDUPE_65, "duplicates are known among 65 ids")                          \
    X(DEDUPE_TOPIC, "duplicates are known across topics")                      \
    X(DEDUPE_REFRESH, "a duplicate is remembered anew")                        \
    X(DEDUPE_EVENT_TIME, "duplicates go by event time")                        \
    /* Attributes. */                                                          \
    X(ATTRIBUTE_FIRST, "the first writer of an attribute wins")                \
    X(ATTRIBUTE_MERGE, "objects of two identify messages are merged")          \
    X(ATTRIBUTE_NULL, "null does not remove an attribute")                     \
    X(ATTRIBUTE_GROUP, "group sets attributes of the user")                    \
    X(ACCOUNT_FIRST, "the account is that of the first group message")         \
    X(ACCOUNT_VISIBLE, "attributes of a former account stay visible")          \
    X(ACCOUNT_OWN, "each account keeps its own attributes")                    \
    /* Conditions, segments, changes. */                                       \
    X(AND_OR, "and is or")                                                     \
    X(OR_AND, "or is and")                                                     \
    X(NOT_OFF, "not is not heard")                                             \
    X(EVERYONE, "everyone is nobody")                                          \
    X(IN_SEGMENT_WHEN, "in segment does not look at include and exclude")      \
    X(INCLUDE_OFF, "include is not heard")                                     \
    X(EXCLUDE_OFF, "exclude is not heard")                                     \
    X(INCLUDE_WINS, "include wins over exclude")                               \
    X(TIMER_LATE, "timers due at a message's instant fire after it")           \
    X(TIMER_AT, "a timer's change is at the clock")                            \
    X(EXIT_ENTERED, "an exit does not know since when")                        \
    X(SEQ_SEGMENT, "seq counts per segment")                                   \
    X(RANK, "changes of one instant stand in order of keys")                   \
    X(TRIGGER_EXIT, "exit triggers fire on enter")                             \
    X(TRIGGER_ONCE, "once is not heard")                                       \
    X(COOLDOWN_CLOSED, "a cooldown lasts 1 ms longer")                         \
    X(COOLDOWN_SHORT, "a cooldown lasts 1 ms less")                            \
    X(COOLDOWN_REFRESH, "a trigger that is cooling starts its cooldown anew")  \
    X(TRIGGER_AGE_CLOSED, "a change of just the greatest age is suppressed")   \
    X(TRIGGER_TOLD, "a trigger tells nothing that is measured")                \
    X(TRIGGER_AGE_LONG, "a change 1 ms over the greatest age is not")          \
    X(UNTIL_OFF, "until is not heard")                                         \
    X(UNTIL_WHEN, "with until when is to go on")                               \
    X(UNTIL_ENTER, "who is out enters though until holds")                     \
    X(ENTERED_LEFT, "entered is left")                                         \
    X(WATCH_CLOSED, "entered in D holds at D")                                 \
    X(WATCH_NOTED, "a change before the watch began is noted")                 \
    X(WATCH_SHORT, "entered in D fails 1 ms before D")                         \
    X(SHADOW_SEQ, "a change of a shadow is counted")                           \
    X(SHADOW_TRIGGER, "a shadow fires triggers")                               \
    X(SHADOW_SAME, "members of a segment are members of its shadow")           \
    X(SHARE_SALT, "all shares are the same")                                   \
    X(SHARE_WHOLE, "a share has whole percents")                               \
    /* Catalogues that change. */                                              \
    X(CHANGE_FORGETS, "another catalogue ends all memberships")                \
    X(CHANGE_ENTERED, "another catalogue begins memberships anew")             \
    X(CHANGE_COOLDOWN, "another catalogue ends all cooldowns")                 \
    X(CHANGE_GONE, "a removed trigger that comes back has not fired yet")      \
    X(RETIRED_STAY, "members of removed segments stay")                        \
    X(SWEEP_TRIGGER, "a sweep fires triggers")                                 \
    X(SWEEP_TIMER, "the cause of a sweep's changes is a timer")                \
    X(WARM_OFF, "what was not read never happened")                            \
    X(WARM_BORN, "who is born later is not known either")                      \
    X(WARM_GREATER, "a count is kept beyond what was asked for")               \
    X(WARM_KEPT, "a greater number begins without what was kept")              \
    X(WARM_KEPT_ONE, "as many as are kept are all there were")                 \
    X(WARM_COUNT_ONE, "one hidden event at most is conceivable")               \
    X(WARM_END_EARLY, "a window is known 1 ms early")                          \
    X(WARM_END_LATE, "a window is known 1 ms late")                            \
    X(WARM_DAYS_SEEN, "an event that was seen is the first and the last")      \
    X(WARM_LAST, "the last is known if seen at the instant of the change")     \
    X(WARM_SCALAR, "attributes that nobody read are not kept")                 \
    X(WARM_LIST, "lists that nobody read are kept")                            \
    X(WARM_EXTREME, "a seen maximum does not decide")                          \
    X(WARM_WATCH, "entries are known 1 ms early")                              \
    X(WARM_SEQUENCE, "what was hidden forbids nothing")                        \
    X(WARM_SCORE, "a score is known after 32 half-lives")                      \
    X(WARM_HABIT, "a habit is known when its newest blocks are")               \
    X(WARM_COMPARE, "comparisons know what was not read")                      \
    X(WARM_AND, "unknown and false is unknown")                                \
    X(WARM_OR, "unknown or true is unknown")                                   \
    X(WARM_NOT, "not unknown is true")                                         \
    X(WARM_MEMBER, "in segment knows what the segment does not")

#endif
