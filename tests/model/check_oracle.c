/* The oracle itself, against expectations made by hand. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/segment/check.h"
#include "lib/segment/parse.h"
#include "tests/model/history.h"
#include "tests/model/mutant.h"
#include "tests/model/oracle.h"
#include "tests/support/suite.h"

#define BASE INT64_C(1704067200000) /* 2024-01-01T00:00Z: instant 0 below. */

/* A story of user u. A line is
 *
 *     record time, event time or -, topic, what
 *
 *     t EVENT {properties}      p|s NAME {properties}
 *     i {traits}                g GROUP {traits}          and #ID at the end
 *
 * with ' for ". What is expected: +segment@ms, -segment@ms, !trigger@ms. */
struct story {
    const char *name, *segments, *lines;
    int64_t until;
    const char *want;
};

static const struct story stories[] = {
    {"an event leaves its window at exactly its age",
     "segment s { when did \"A\" in 1s }", "100 - 0 t A", 5000,
     "+s@100 -s@1100"},
    {"an event at the edge keeps him in", "segment s { when did \"A\" in 1s }",
     "100 - 0 t A\n1099 - 0 t A", 5000, "+s@100 -s@2099"},
    {"one a millisecond later comes too late",
     "segment s { when did \"A\" in 1s }", "100 - 0 t A\n1100 - 0 t A", 5000,
     "+s@100 -s@1100 +s@1100 -s@2100"},
    {"from X to Y ago is half-open",
     "segment s { when did \"A\" from 3s to 1s ago }", "0 - 0 t A", 9000,
     "+s@1000 -s@3000"},
    {"three times", "segment s { when did \"A\" at least 3 times in 1s }",
     "0 - 0 t A\n10 - 0 t A\n20 - 0 t A", 9000, "+s@20 -s@1000"},
    {"at most", "segment s { when did \"A\" at most 1 times in 1s }",
     "0 - 0 t A\n10 - 0 t A", 9000, "+s@0 -s@10 +s@1000"},
    {"exactly", "segment s { when did \"A\" exactly 2 times }",
     "0 - 0 t A\n10 - 0 t A\n20 - 0 t A", 9000, "+s@10 -s@20"},
    {"between times",
     "segment s { when did \"A\" between 2 and 3 times in 1s }",
     "0 - 0 t A\n10 - 0 t A\n20 - 0 t A\n30 - 0 t A", 9000,
     "+s@10 -s@30 +s@1000 -s@1020"},
    {"a late event counts at its own time",
     "segment s { when did \"A\" in 1s }", "500 0 0 t A", 9000,
     "+s@500 -s@1000"},
    {"one that is too late does not", "segment s { when did \"A\" in 1s }",
     "2000 1000 0 t A", 9000, ""},
    {"an event from the future is of its record's time",
     "segment s { when did \"A\" in 1s }", "500 800 0 t A", 9000,
     "+s@500 -s@1500"},
    {"any is no identify", "segment s { when did any }",
     "0 - 0 i {}\n1 - 0 g acme {}\n2 - 0 t X", 9, "+s@2"},
    {"a page is an event",
     "segment s { when did \"Page Viewed\" where name = \"p\" }",
     "0 - 0 p q\n1 - 0 p p", 9, "+s@1"},
    {"who is known at all has count 0", "segment s { when did not \"A\" }",
     "3 - 0 i {}", 9, "+s@3"},
    {"where looks into objects",
     "segment s { when did \"A\" where goal.id = 5 }",
     "0 - 0 t A {'goal':{'id':'5'}}\n1 - 0 t A {'goal':{'id':5.0}}", 9, "+s@1"},
    {"missing passes no test",
     "segment s { when did \"A\" where x != 1 }\n"
     "segment t { when did \"A\" where (not (x = 1)) }",
     "0 - 0 t A\n1 - 0 t A {'x':'1'}\n2 - 0 t A {'x':2}", 9, "+t@0 +s@2"},
    {"not in wants a listed type", "segment s { when user.x not in (1, 2) }",
     "0 - 0 i {'x':'3'}\n1 - 0 i {'x':3}\n2 - 0 i {'x':null}", 9, "+s@1 -s@2"},
    {"ignoring case folds fully",
     "segment s { when user.x = \"STRASSE\" ignoring case }",
     "0 - 0 i {'x':'straße'}", 9, "+s@0"},
    {"lists",
     "segment s { when user.x has all (\"a\", 1) }\n"
     "segment t { when user.x has none (\"a\") }",
     "0 - 0 i {'x':['a']}\n1 - 0 i {'x':['a',1,2]}\n2 - 0 i {'x':[]}", 9,
     "+s@1 -s@2 +t@2"},
    {"versions", "segment s { when user.x version < \"1.10.0\" }",
     "0 - 0 i {'x':'1.9.0'}\n1 - 0 i {'x':'1.10.0'}\n"
     "2 - 0 i {'x':'1.10.0-rc.1'}\n3 - 0 i {'x':'1.9'}",
     9, "+s@0 -s@1 +s@2 -s@3"},
    {"within and more than",
     "segment s { when user.d within 10ms }\n"
     "segment t { when user.d more than 10ms ago }",
     "0 - 0 i {'d':'2024-01-01T00:00:00.005Z'}", 99, "+s@5 -s@15 +t@15"},
    {"within next", "segment s { when user.d within next 10ms }",
     "0 - 0 i {'d':'2024-01-01T00:00:00.020Z'}", 99, "+s@10 -s@20"},
    {"a number below 1e11 is seconds",
     "segment s { when user.d after 2024-01-01 }",
     "0 - 0 i {'d':1704067200}\n1 - 0 i {'d':1704067201}", 9, "+s@1"},
    {"the last writer is the last by event time",
     "segment s { when user.x = 1 }",
     "100 100 0 i {'x':2}\n200 50 0 i {'x':1}\n300 100 1 i {'x':1}", 999,
     "+s@300"},
    {"at one time the greater topic is later", "segment s { when user.x = 1 }",
     "100 100 1 i {'x':2}\n200 100 0 i {'x':1}", 999, ""},
    {"an object is replaced as a whole", "segment s { when user.a.b = 1 }",
     "0 - 0 i {'a':{'b':1}}\n1 - 0 i {'a':{'c':1}}", 9, "+s@0 -s@1"},
    {"what another account wrote is not seen",
     "segment s { when account.x = 1 }",
     "0 - 0 g a {'x':1}\n1 - 0 g b {}\n2 - 0 g a {}\n3 - 0 g b {'x':2}\n"
     "4 - 0 g a {}",
     9, "+s@0 -s@1 +s@2 -s@3"},
    {"first and last go by event time",
     "segment s { when first(\"A\", x) = 1 }\n"
     "segment t { when last(\"A\", x) = 1 }",
     "10 10 0 t A {'x':2}\n20 5 0 t A {'x':1}\n30 15 0 t A {'x':1}\n"
     "40 40 0 t A",
     99, "+s@20 +t@30 -t@40"},
    {"days_since with its fraction",
     "segment s { when days_since(last \"A\") >= 0.5 }", "0 - 0 t A", 86400000,
     "+s@43200000"},
    {"days_since just above",
     "segment s { when days_since(first \"A\") > 0.5 }", "0 - 0 t A", 86400000,
     "+s@43200001"},
    {"count is a number", "segment s { when count(any) in 1s between 1 and 2 }",
     "0 - 0 t A\n1 - 0 t A\n2 - 0 t A", 9999, "+s@0 -s@2 +s@1000 -s@1002"},
    {"a segment of segments changes at the same instant",
     "segment z { when did \"A\" in 1s }\nsegment a { when in segment z }",
     "0 - 0 t A", 9999, "+z@0 +a@0 -z@1000 -a@1000"},
    {"exclude wins over include, include over when",
     "segment s { when did \"A\" exclude (\"u\") include (\"u\") }\n"
     "segment t { include (\"u\") }\nsegment v { include (\"w\") }",
     "0 - 0 t A", 9, "+t@0"},
    {"a duplicate within 24 h changes nothing",
     "segment s { when did \"A\" in 1s }",
     "0 - 0 t A #x\n86399999 - 0 t A #x\n86399999 - 1 t A #x", 86399999,
     "+s@0 -s@1000 +s@86399999"},
    {"after 24 h it is no duplicate", "segment s { when did \"A\" in 1s }",
     "0 - 0 t A #x\n86400000 - 0 t A #x", 86400000, "+s@0 -s@1000 +s@86400000"},
    {"a trigger once",
     "segment s { when did \"A\" in 1s on enter trigger \"x\" "
     "once on exit trigger \"y\" }",
     "0 - 0 t A\n5000 - 0 t A", 9999,
     "+s@0 !x@0 -s@1000 !y@1000 +s@5000 -s@6000 !y@6000"},
    {"a trigger cools down",
     "segment s { when did \"A\" in 1s on enter trigger \"x\" once per 5s }",
     "0 - 0 t A\n4999 - 0 t A\n6100 - 0 t A", 9999,
     "+s@0 !x@0 -s@1000 +s@4999 -s@5999 +s@6100 !x@6100 -s@7100"},
    {"since a date counts that instant",
     "segment s { when did \"A\" since 2024-01-01T00:00:00.010Z }",
     "9 - 0 t A\n"
     "10 - 0 t A",
     99, "+s@10"},
    {"before a date does not",
     "segment s { when did \"A\" at least 2 times before "
     "2024-01-01T00:00:00.010Z }",
     "8 - 0 t A\n"
     "10 - 0 t A\n"
     "11 9 0 t A",
     99, "+s@11"},
    {"between two dates counts both",
     "segment s { when count(\"A\") between 2024-01-01T00:00:00.010Z and "
     "2024-01-01T00:00:00.020Z >= 2 }",
     "9 - 0 t A\n"
     "10 - 0 t A\n"
     "20 - 0 t A\n"
     "21 - 0 t A",
     99, "+s@20"},
    {"days are dates of UTC", "segment s { when days(\"A\") >= 2 }",
     "0 - 0 t A\n"
     "86399999 - 0 t A\n"
     "86400000 - 0 t A",
     86400000, "+s@86400000"},
    {"a sum of decimals is exact, and what is left of it",
     "segment s { when sum(\"A\", x) in 1s = 0.3 }\n"
     "segment t { when sum(\"A\", x) in 1s = 0 }",
     "0 - 0 t A {'x':0.1}\n"
     "10 - 0 t A {'x':0.2}\n"
     "20 - 0 t A {'x':'9'}",
     9999, "+s@10 -s@1000 +t@1010"},
    {"avg passes over what is no number",
     "segment s { when avg(\"A\", x) = 2 }",
     "0 - 0 t A {'x':1}\n"
     "5 - 0 t A {'x':'7'}\n"
     "10 - 0 t A {'x':3.0}",
     99, "+s@10"},
    {"min and max of a window",
     "segment s { when min(\"A\", x) in 1s <= 1 }\n"
     "segment t { when max(\"A\", x) in 1s < 5 }",
     "0 - 0 t A {'x':1}\n"
     "10 - 0 t A {'x':5}",
     9999, "+s@0 +t@0 -t@10 -s@1000"},
    {"distinct goes by =", "segment s { when distinct(\"A\", x) >= 2 }",
     "0 - 0 t A {'x':1}\n"
     "1 - 0 t A {'x':1.0}\n"
     "2 - 0 t A {'x':[2]}\n"
     "3 - 0 t A {'x':'1'}",
     99, "+s@3"},
    {"a score halves, and is left just below its bound",
     "score w half-life 1s { \"A\" 10 }\n"
     "segment s { when score(w) >= 5 }",
     "0 - 0 t A", 9999, "+s@0 -s@1001"},
    {"a percentage of another count",
     "segment s { when count(\"A\") in 1s < 50% of count(\"B\") }",
     "0 - 0 t A\n"
     "10 - 0 t B\n"
     "20 - 0 t B\n"
     "30 - 0 t B",
     99, "+s@30"},
    {"an age beside a count",
     "segment s { when days_since(last \"A\") > count(\"A\") }", "0 - 0 t A",
     172800000, "+s@86400001"},
    {"a missing side compares with nothing",
     "segment s { when avg(\"A\", x) != count(\"A\") }",
     "0 - 0 t A\n"
     "1 - 0 t A {'x':9}",
     99, "+s@1"},
    {"latest is the last by event time",
     "segment s { when latest(\"A\" or \"B\") was \"B\" }",
     "0 - 0 t A\n"
     "10 - 0 t B\n"
     "20 5 0 t A\n"
     "30 - 0 t A",
     99, "+s@10 -s@30"},
    {"a habit counts blocks back from now",
     "segment s { when did \"A\" at least 1 time per day for 2 days }",
     "0 - 0 t A\n"
     "86400000 - 0 t A",
     345600000, "+s@86400000 -s@172800000"},
    {"then within D", "segment s { when did \"A\" then \"B\" within 10ms }",
     "0 - 0 t A\n"
     "10 - 0 t B\n"
     "20 - 0 t A\n"
     "29 - 0 t B",
     99, "+s@29"},
    {"a first step that comes late", "segment s { when did \"A\" then \"B\" }",
     "50 - 0 t B\n"
     "60 45 0 t A",
     99, "+s@60"},
    {"then after D", "segment s { when did \"A\" then \"B\" after 5ms }",
     "0 - 0 t A\n"
     "4 - 0 t B\n"
     "5 - 0 t B",
     99, "+s@5"},
    {"all within, from the first to the last",
     "segment s { when did \"A\" then \"B\" then \"C\" all within 10ms }",
     "0 - 0 t A\n"
     "5 - 0 t B\n"
     "10 - 0 t C\n"
     "12 - 0 t A\n"
     "13 - 0 t B\n"
     "21 - 0 t C",
     99, "+s@21"},
    {"the window is that of the first step",
     "segment s { when did \"A\" in 100ms then \"B\" }",
     "0 - 0 t A\n"
     "50 - 0 t B",
     999, "+s@50 -s@100"},
    {"without, by timer, and taken back by a late event",
     "segment s { when did \"A\" without \"B\" within 10ms }",
     "0 - 0 t A\n"
     "20 9 0 t B\n"
     "30 - 0 t A\n"
     "40 - 0 t B",
     99, "+s@10 -s@20 +s@40"},
    {"a step after without comes when the time is over",
     "segment s { when did \"A\" without \"B\" within 10ms then \"C\" }",
     "0 - 0 t A\n"
     "9 - 0 t C\n"
     "10 - 0 t C",
     99, "+s@10"},
    {"directly allows nothing between",
     "segment s { when did \"A\" then directly \"B\" }",
     "0 - 0 t A\n"
     "1 - 0 p x\n"
     "2 - 0 t B\n"
     "3 - 0 t A\n"
     "4 - 0 i {}\n"
     "5 - 0 t B",
     99, "+s@5"},
    {"with no between",
     "segment s { when did \"A\" then \"B\" then \"C\" with no \"X\" between }",
     "0 - 0 t A\n"
     "1 - 0 t X\n"
     "2 - 0 t B\n"
     "3 - 0 t C\n"
     "4 - 0 t A\n"
     "5 - 0 t B\n"
     "6 - 0 t C",
     99, "+s@6"},
    {"what is matched is not between",
     "segment s { when did \"A\" then \"B\" then \"C\" with no \"B\" between }",
     "0 - 0 t A\n"
     "1 - 0 t B\n"
     "2 - 0 t C",
     99, "+s@2"},
    {"for the same value",
     "segment s { when did \"A\" then \"B\" for the same k }",
     "0 - 0 t A {'k':1}\n"
     "1 - 0 t B {'k':2}\n"
     "2 - 0 t B\n"
     "3 - 0 t B {'k':1.0}",
     99, "+s@3"},
    {"entered and left, at the same instant",
     "segment s { when did \"A\" in 1s }\n"
     "segment t { when entered segment s in 5ms }\n"
     "segment u { when left segment s in 5ms }",
     "0 - 0 t A", 9999, "+s@0 +t@0 -t@5 -s@1000 +u@1000 -u@1005"},
    {"until keeps him in, and out",
     "segment s { when count(\"A\") in 1s >= 2 until did not \"A\" in 2s }\n"
     "segment t { when did \"A\" until did \"B\" in 5ms }",
     "0 - 0 t A\n"
     "1 - 0 t A\n"
     "10 - 0 t B",
     9999, "+t@0 +s@1 -t@10 +t@15 -s@2001"},
    {"one element passes all of it",
     "segment s { when did \"A\" where l has one where (a = 1 and b = 2) }",
     "0 - 0 t A {'l':[{'a':1},{'b':2}]}\n"
     "1 - 0 t A {'l':[3,{'a':1,'b':2}]}",
     99, "+s@1"},
    {"a regular expression",
     "segment s { when user.x matches regex \"^a[0-9]+$\" ignoring case }",
     "0 - 0 i {'x':'ba1'}\n"
     "1 - 0 i {'x':'A12'}\n"
     "2 - 0 i {'x':'a'}",
     99, "+s@1 -s@2"},
    {"a trait is what it measures",
     "trait n = count(\"A\") in 1s\n"
     "segment s { when trait.n >= 2 }",
     "0 - 0 t A\n"
     "10 - 0 t A",
     9999, "+s@10 -s@1000"},
};

/* The same with another catalogue: lines `c` (it comes into force) and `w` (the
 * sweep comes to u). */
static const struct change_story {
    struct story story;
    const char *next;
} change_stories[] = {
    {{"who was seen less than enough is unknown until the window has passed",
      "segment a { when did \"B\" }", "0 - 0 t A\n100 - 0 c\n101 - 0 w", 5000,
      "+s@1100"},
     "segment s { when did not \"A\" in 1s }"},
    {{"a number that was seen decides", "segment a { when did \"B\" }",
      "0 - 0 t A\n100 - 0 c\n101 - 0 w\n200 - 0 t A\n300 - 0 t A", 5000,
      "+s@300 -s@1200"},
     "segment s { when did \"A\" at least 2 times in 1s }"},
    {{"at most is decided by one more", "segment s { when did \"B\" }",
      "0 - 0 t B\n100 - 0 c\n101 - 0 w\n200 - 0 t A\n300 - 0 t A", 1000,
      "+s@0 -s@300"},
     "segment s { when did \"A\" at most 1 times }"},
    {{"who is born later is known", "segment a { when did \"B\" }",
      "0 - 0 c\n1 - 0 t B", 5000, "+s@1"},
     "segment s { when did not \"A\" in 1s }"},
    {{"what was read before is known, and the sweep says so",
      "segment a { when did not \"A\" in 1s }",
      "0 - 0 t A\n100 - 0 c\n150 - 0 w", 5000, "+s@150 -s@1000"},
     "segment s { when did \"A\" in 1s }"},
    {{"a removed segment is left at the sweep",
      "segment a { when did \"A\" } segment b { when did \"A\" }",
      "0 - 0 t A\n100 - 0 c\n150 - 0 w", 5000, "+a@0 +b@0 -a@150"},
     "segment b { when did \"A\" }"},
    {{"a greater number goes by what was kept",
      "segment s { when did \"A\" at least 2 times in 1s }",
      "0 - 0 t A\n10 - 0 t A\n20 - 0 t A\n100 - 0 c\n150 - 0 w\n200 - 0 t A",
      5000, "+s@10 -s@1010"},
     "segment s { when did \"A\" at least 4 times in 1s }"},
    {{"a greater number is known where none was left out",
      "segment s { when did \"A\" at least 2 times in 1s }",
      "0 - 0 t A\n100 - 0 c\n150 - 0 w\n200 - 0 t A\n250 - 0 t A", 5000,
      "+s@250 -s@1000"},
     "segment s { when did \"A\" at least 3 times in 1s }"},
    {{"the age of the last is known once even one at the change is too old",
      "segment s { when did \"B\" }", "0 - 0 t B\n100 - 0 c\n150 - 0 w",
      86400000, "+s@0 -s@43200100"},
     "segment s { when days_since(last \"A\") < 0.5 }"},
    {{"a scalar was kept, a list was not", "segment a { when did \"B\" }",
      "0 - 0 i {'x':1,'y':[1]}\n100 - 0 c\n150 - 0 w\n200 - 0 i {'y':[1]}", 999,
      "+t@200"},
     "segment s { when user.x != 1 } segment t { when user.y has 1 }"},
    {{"in segment is unknown while the segment is",
      "segment a { when did \"B\" }", "0 - 0 t A\n100 - 0 c\n150 - 0 w", 5000,
      "+z@1100"},
     "segment y { when did \"A\" in 1s }\nsegment z { when not (in segment y) "
     "}"},
};

/* ---- telling a story ----------------------------------------------------- */

static void add_member(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, ",\"%s\":%s", key, value);
}

/* "t A {'x':1} #id" as members of a message. */
static void put_what(struct buf *out, char *what)
{
    static const struct {
        char letter;
        const char *type, *key, *section;
    } types[] = {{'t', "track", "event", "properties"},
                 {'p', "page", "name", "properties"},
                 {'s', "screen", "name", "properties"},
                 {'i', "identify", NULL, "traits"},
                 {'g', "group", "groupId", "traits"}};
    char *id = strchr(what, '#'), *object = strchr(what, '{');
    char letter = *what;
    if (id)
        buf_printf(out, ",\"messageId\":\"%s\"", id + 1);
    for (char *c = what; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].letter != letter)
            continue;
        char name[32] = "";
        sscanf(what + 1, " %31[^ {#]", name);
        buf_printf(out, ",\"type\":\"%s\"", types[i].type);
        if (types[i].key)
            buf_printf(out, ",\"%s\":\"%s\"", types[i].key, name);
        if (id && object)
            id[-1] = 0;
        if (object)
            add_member(out, types[i].section, object);
    }
}

static void tell_line(struct oracle *oracle, const struct rules *next,
                      const char *line, int64_t offset)
{
    char event[32], what[256];
    int64_t record;
    int topic;
    struct buf json;
    ck_assert_int_eq(sscanf(line, "%" SCNd64 " %31s %d %255[^\n]", &record,
                            event, &topic, what),
                     4);
    if (what[0] == 'c' || what[0] == 'w') {
        oracle_advance(oracle, BASE + record);
        if (what[0] == 'c')
            oracle_change_catalogue(oracle, next);
        else
            oracle_sweep(oracle, text_of("u"));
        return;
    }
    buf_init(&json);
    buf_str(&json, "{\"userId\":\"u\"");
    if (event[0] != '-')
        buf_printf(&json, ",\"timestamp\":%lld",
                   (long long)(BASE + strtoll(event, NULL, 10)));
    put_what(&json, what);
    buf_char(&json, '}');
    oracle_advance(oracle, BASE + record);
    int result = oracle_apply(oracle, json.bytes, json.len, topic, offset,
                              BASE + record);
    ck_assert_msg(result >= 0, "%s: %s", buf_string(&json),
                  seg_error_name(result));
    buf_done(&json);
}

static void print_changes(const struct oracle *oracle,
                          const struct rules *rules, struct buf *out)
{
    size_t count;
    const struct oracle_change *changes = oracle_changes(oracle, &count);
    uint32_t seq = 0;
    for (size_t i = 0; i < count; i++) {
        const struct oracle_change *c = &changes[i];
        const char *name =
            c->trigger < 0
                ? c->key.bytes
                : rules->segments[c->segment].triggers[c->trigger].name.bytes;
        buf_printf(out, "%s%c%s@%lld", i ? " " : "",
                   c->trigger >= 0 ? '!'
                   : c->member     ? '+'
                                   : '-',
                   name, (long long)(c->at_ms - BASE));
        if (c->trigger < 0)
            ck_assert_uint_eq(c->seq, ++seq);
    }
}

static void load(struct rules *rules, const char *text)
{
    struct seg_diagnostics *diagnostics;
    struct seg_source source = {"story.seg", text, strlen(text)};
    rules_init(rules);
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    int result = parse_source(rules, &source, diagnostics);
    if (!result)
        result = check_rules(rules, diagnostics);
    for (int i = 0; i < seg_diagnostics_count(diagnostics); i++) {
        const struct seg_diagnostic *one = seg_diagnostics_at(diagnostics, i);
        if (one->severity == SEG_SEVERITY_ERROR)
            fprintf(stderr, "%d: %s: %s\n", one->line, one->message,
                    one->source);
    }
    ck_assert_msg(!result, "does not check: %s", text);
    seg_diagnostics_free(diagnostics);
}

/* NEXT: the other catalogue, NULL if there is none. */
static void tell(const struct story *story, const struct rules *next)
{
    struct rules rules;
    struct buf got;
    int64_t offset = 0;
    load(&rules, story->segments);
    struct oracle_options options = {&rules, 1000, 1, 0};
    struct oracle *oracle = oracle_new(&options);
    for (const char *line = story->lines; line && *line; offset++) {
        tell_line(oracle, next, line, offset);
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    oracle_advance(oracle, BASE + story->until);
    buf_init(&got);
    print_changes(oracle, &rules, &got);
    ck_assert_msg(!strcmp(buf_string(&got), story->want),
                  "%s:\n  got  %s\n  want %s", story->name, buf_string(&got),
                  story->want);
    buf_done(&got);
    oracle_free(oracle);
    rules_done(&rules);
}

START_TEST(a_story_ends_as_told)
{
    tell(&stories[_i], NULL);
}
END_TEST

START_TEST(a_change_ends_as_told)
{
    struct rules next;
    load(&next, change_stories[_i].next);
    tell(&change_stories[_i].story, &next);
    rules_done(&next);
}
END_TEST

/* A message of the future is there, but does nothing until its time. */
START_TEST(the_future_comes_by_timer)
{
    static const char text[] = "{\"type\":\"track\",\"event\":\"A\","
                               "\"userId\":\"u\"}";
    struct rules rules;
    struct buf got;
    load(&rules, "segment s { when did \"A\" }\n"
                 "segment t { when did not \"A\" }");
    struct oracle_options options = {&rules, 1000, 1, 0};
    struct oracle *oracle = oracle_new(&options);
    oracle_advance(oracle, BASE);
    oracle_apply(oracle, text, strlen(text), 0, 0, BASE + 10);
    oracle_advance(oracle, BASE + 20);
    buf_init(&got);
    print_changes(oracle, &rules, &got);
    ck_assert_str_eq(buf_string(&got), "+t@0 +s@10 -t@10");
    buf_done(&got);
    oracle_free(oracle);
    rules_done(&rules);
}
END_TEST

/* The probe of oracle_new looks between edges; it ends the program if a truth
 * changes there. */
START_TEST(nothing_changes_between_edges)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct history history;
        struct rules rules;
        struct buf text;
        history_init(&history, seed);
        buf_init(&text);
        history_catalogue(&history, 0, &text);
        load(&rules, buf_string(&text));
        struct oracle_options options = {&rules, 1000, 1, 0};
        struct oracle *oracle = oracle_new(&options);
        for (int i = 0; i < history.step_count; i++) {
            const struct step *step = &history.steps[i];
            oracle_advance(oracle, step->clock_ms);
            if (step->kind == STEP_MESSAGE)
                oracle_apply(oracle, step->text, strlen(step->text),
                             step->topic, step->offset, step->record_ms);
        }
        oracle_free(oracle);
        rules_done(&rules);
        buf_done(&text);
        history_done(&history);
    }
}
END_TEST

SUITE("oracle", NULL, NULL, TABLE(a_story_ends_as_told, stories),
      TABLE(a_change_ends_as_told, change_stories),
      TEST(the_future_comes_by_timer), TEST(nothing_changes_between_edges))
