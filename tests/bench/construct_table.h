/* construct_table.h: every construct of the language, for bench_construct.c.
 *
 *   X(name, step_min, names, text)
 *   step_min  minutes between two events of one user
 *   names     what his events are called, in turn; a letter each
 *   text      the catalogue, where $ stands for a number that grows with n, how
 *             many events the construct is to keep:
 *               $N  n             $W  n steps, as minutes   $L  2 n steps
 *               $H  n / 2         $V  n / 2 steps
 *
 * Nearly all segments are such that nobody enters or leaves: the cost is the
 * construct's own. What is true of a property is said in bench_construct.c. */
#ifndef TESTS_BENCH_CONSTRUCT_TABLE_H
#define TESTS_BENCH_CONSTRUCT_TABLE_H

#define S(text) "segment s { when " text " }"

#define CONSTRUCT_TABLE(X)                                                     \
    X("nothing", 60, "Z", S("did \"A\" in $W"))                                \
    X("did", 60, "A", S("did \"A\" in $W"))                                    \
    X("count", 60, "A", S("did \"A\" at least $N times in $L"))                \
    X("count, exactly", 60, "A", S("did \"A\" exactly $H times in $W"))        \
    X("count, one and many", 60, "A",                                          \
      S("did \"A\" in $V and did \"A\" at least $N times in $V"))              \
    X("count, two ends", 60, "A",                                              \
      S("did \"A\" at least $N times from $W to $V ago"))                      \
    X("count since", 60, "A",                                                  \
      S("did \"A\" at least $N times since 2020-01-01"))                       \
    X("count ever", 60, "A", S("did \"A\" at least 100000 times"))             \
    X("days", 1440, "A", S("days(\"A\") in $W > $N"))                          \
    X("days, two ends", 1440, "A", S("days(\"A\") from $W to $V ago > $N"))    \
    X("days, less than one", 1, "A",                                           \
      S("days(\"A\") from 18h to 12h ago > 2"))                                \
    X("days ever", 1440, "A", S("days(\"A\") > 100000"))                       \
    X("sum", 60, "A", S("sum(\"A\", total) in $W > 1000000000"))               \
    X("sum, near", 60, "A", S("sum(\"A\", total) in $W > $N00"))               \
    X("sum, two ends", 60, "A",                                                \
      S("sum(\"A\", total) from $W to $V ago > 1000000000"))                   \
    X("sum ever", 60, "A", S("sum(\"A\", total) > 1000000000"))                \
    X("avg", 60, "A", S("avg(\"A\", total) in $W > 1000000000"))               \
    X("avg, two ends", 60, "A",                                                \
      S("avg(\"A\", total) from $W to $V ago > 1000000000"))                   \
    X("min", 60, "A", S("min(\"A\", rising) in $W < 0"))                       \
    X("max", 60, "A", S("max(\"A\", total) in $W > 1000000000"))               \
    X("max, falling", 60, "A", S("max(\"A\", falling) in $W < 0"))             \
    X("max, two ends", 60, "A",                                                \
      S("max(\"A\", total) from $W to $V ago > 1000000000"))                   \
    X("max, two ends, falling", 60, "A",                                       \
      S("max(\"A\", falling) from $W to $V ago < 0"))                          \
    X("max ever", 60, "A", S("max(\"A\", total) > 1000000000"))                \
    X("first", 60, "A", S("first(\"A\", path) in $W = \"no\""))                \
    X("first, two ends", 60, "A",                                              \
      S("first(\"A\", path) from $W to $V ago = \"no\""))                      \
    X("first ever", 60, "A", S("first(\"A\", path) = \"no\""))                 \
    X("last", 60, "A", S("last(\"A\", path) in $W = \"no\""))                  \
    X("last, two ends", 60, "A",                                               \
      S("last(\"A\", path) from $W to $V ago = \"no\""))                       \
    X("latest", 60, "AAAB", S("latest(\"A\" or \"C\") was \"C\" in $W"))       \
    X("distinct", 60, "A", S("distinct(\"A\", path) in $W > 100000"))          \
    X("distinct, near", 60, "A", S("distinct(\"A\", path) in $W > $N"))        \
    X("distinct, two ends", 60, "A",                                           \
      S("distinct(\"A\", path) from $W to $V ago > 100000"))                   \
    X("distinct ever", 60, "A", S("distinct(\"A\", path) > 100000"))           \
    X("days_since", 60, "A", S("days_since(last \"A\") > 100"))                \
    X("score", 60, "A",                                                        \
      S("score(p) >= 1000000")                                                 \
          "score p half-life 7d { \"A\" 10, \"B\" 20 }")                       \
    X("habit, many days", 1440, "A",                                           \
      S("did \"A\" at least 2 times per day for $N days"))                     \
    X("habit, all of them", 1200, "A",                                         \
      S("did \"A\" at least 1 times per day for $N days"))                     \
    X("habit, many a day", 60, "A",                                            \
      S("did \"A\" at least $N times per week for 4 weeks"))                   \
    X("sequence", 60, "AAAB",                                                  \
      S("did \"A\" in $W then \"C\" within 1d"))                               \
    X("sequence, three steps", 60, "AAAB",                                     \
      S("did \"A\" in $W then \"B\" within 1d then \"C\" all within 7d"))      \
    X("sequence, many a day", 10, "AAAB",                                      \
      S("did \"A\" in $W then \"C\" within 1d"))                               \
    X("sequence, directly", 60, "AAAB",                                        \
      S("did \"A\" in $W then directly \"B\" then directly \"C\""))            \
    X("without", 60, "A", S("did \"A\" in $W without \"B\" within $L"))        \
    X("for the same", 60, "A",                                                 \
      S("did \"A\" in $W then \"B\" within $W for the same cart"))             \
    X("entered", 60, "A",                                                      \
      "segment t { when did \"A\" in 30m } " S("entered segment t in $W"))      \
    X("compare", 60, "A",                                                      \
      S("count(\"A\") in $W < 10% of count(\"A\") from $W to $V ago"))         \
    X("compare sums", 60, "A",                                                 \
      S("sum(\"A\", total) in $W < 10% of sum(\"A\", total) from $W to $V "    \
        "ago"))                                                                \
    X("has one", 60, "A",                                                      \
      S("did \"A\" where items has one where (kind = \"x\" and price >= 100) " \
        "at least $N times in $L"))                                            \
    X("regex", 60, "A",                                                        \
      S("did \"A\" where path matches regex \"^/p/[0-9]+$\" at least $N "      \
        "times in $L"))                                                        \
    X("until", 60, "A",                                                        \
      "segment s { when did \"A\" at least $N times in $W "                    \
      "until did \"A\" at least 100000 times }")                               \
    X("user in P%", 60, "A",                                                   \
      S("user in 10% by \"salt\" and did \"A\" at least $N times in $L"))      \
    X("trait", 60, "A",                                                        \
      "trait x = sum(\"A\", total) in $W " S("trait.x > 1000000000"))

#endif
