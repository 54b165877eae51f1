/* check_record_scan.c: the short way to read a change leads where the long one
 * does, or nowhere. */
#include "daemon/protocol/record_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/support/suite.h"

/* As record.c writes it; check_record.c holds that side. */
#define HEAD(event, user)                                                     \
    "{\"type\":\"track\",\"event\":\"Segment " event "\",\"userId\":\"" user  \
    "\",\"messageId\":\"4b541b08adc821a2\",\"timestamp\":\"2026-01-31T12:00:" \
    "01.250Z\",\"properties\":{\"segment\":\"goals_weekly\","
#define REST "\"entered_at\":\"2026-01-30T12:00:00.000Z\",\"cause\":\"event\","
#define TAIL                                                        \
    ",\"catalogue\":\"9f3a01c2\",\"triggers\":[],\"evidence\":[]}," \
    "\"context\":{}}"

static const struct {
    const char *json;
    int taken;
} changes[] = {
    {HEAD("Entered", "u1") "\"member\":true," REST "\"seq\":42" TAIL, 1},
    {HEAD("Exited", "ü/-1") "\"member\":false," REST "\"seq\":4294967295" TAIL,
     1},
    {HEAD("Entered", "") "\"member\":true," REST "\"seq\":1" TAIL, 1},
    /* Not of that form: the long way decides. */
    {HEAD("Entered", "u\\\"1") "\"member\":true," REST "\"seq\":42" TAIL, 0},
    {HEAD("Entered", "u1") "\"member\":1," REST "\"seq\":42" TAIL, 0},
    {HEAD("Entered", "u1") "\"member\":true, " REST "\"seq\":42" TAIL, 0},
    {HEAD("Entered", "u1") "\"member\":true," REST "\"seq\":0" TAIL, 0},
    {HEAD("Entered", "u1") "\"member\":true," REST "\"seq\":042" TAIL, 0},
    {HEAD("Entered", "u1") "\"member\":true," REST "\"seq\":-1" TAIL, 0},
    {HEAD("Entered", "u1") "\"member\":true," REST "\"seq\":4294967296" TAIL,
     0},
    {HEAD("Entered", "u1") "\"member\":true," REST "\"seq\":42" TAIL " ", 0},
    {HEAD("Left", "u1") "\"member\":true," REST "\"seq\":42" TAIL, 0},
    {"{\"type\":\"track\",\"event\":\"Message Triggered\"}", 0},
    {"{}", 0},
    {"", 0},
};

/* The long way: white space before it is nothing the short one takes. */
static int read_slowly(struct record_back *back, const char *json, size_t len)
{
    char copy[2048];
    ck_assert_int_lt(len, sizeof(copy) - 1);
    copy[0] = ' ';
    memcpy(copy + 1, json, len);
    return record_read(back, copy, len + 1, NULL);
}

static int same(const struct seg_restored *a, const struct seg_restored *b)
{
    return text_equal(a->user_id, b->user_id) &&
           text_equal(a->segment, b->segment) && a->member == b->member &&
           a->seq == b->seq && a->at_ms == b->at_ms &&
           a->entered_at_ms == b->entered_at_ms;
}

/* Returns whether the short way took it. */
static int compare(const char *json, size_t len)
{
    struct record_back quick, slow;
    /* A copy of its own: reading beyond its end is seen by ASan. */
    char *exact = malloc(len + !len);
    memcpy(exact, json, len);
    int taken = record_scan(&quick, exact, len);
    if (taken) {
        ck_assert_msg(read_slowly(&slow, json, len) == 0, "only quickly: %.*s",
                      (int)len, json);
        ck_assert_msg(same(&quick.restored, &slow.restored),
                      "differently: %.*s", (int)len, json);
        record_back_done(&slow);
    }
    free(exact);
    return taken;
}

START_TEST(what_is_taken_reads_the_same)
{
    int taken = compare(changes[_i].json, strlen(changes[_i].json));
    ck_assert_msg(taken == changes[_i].taken, "row %d: got %d, want %d", _i,
                  taken, changes[_i].taken);
}
END_TEST

/* Every byte up to the sequence number, in turn, becomes something else. */
START_TEST(a_damaged_change_is_left_to_the_long_way)
{
    static const char others[] = "\"\\x0,{}: \n";
    const char *json = changes[0].json;
    size_t len = strlen(json);
    size_t seen = (size_t)(strstr(json, "\"seq\":42") - json);
    char copy[2048];
    for (size_t i = 0; i < seen; i++)
        for (const char *other = others; *other; other++) {
            memcpy(copy, json, len);
            copy[i] = *other;
            if ((unsigned char)*other >= 0x20)
                compare(copy, len);
        }
    for (size_t cut = 0; cut < seen; cut++)
        ck_assert_int_eq(
            record_scan(&(struct record_back){.kind = 0}, json, cut), 0);
}
END_TEST

SUITE("record_scan", NULL, NULL, TABLE(what_is_taken_reads_the_same, changes),
      TEST(a_damaged_change_is_left_to_the_long_way))
