/* check_merge.c: which record goes next. */
#include "daemon/protocol/merge.h"

#include "tests/support/suite.h"

#define RECORD(ms) \
    {              \
        1, ms, 0   \
    }
#define ENDED(ms) \
    {             \
        0, 0, ms  \
    }
#define UNKNOWN ENDED(INT64_MIN)
#define OVER    ENDED(INT64_MAX)

static const struct {
    const char *what;
    struct merge_head heads[3];
    int64_t since_ms;
    int want;
} table[] = {
    {"nothing at hand", {UNKNOWN, UNKNOWN, OVER}, 50, MERGE_EMPTY},
    {"the least goes", {RECORD(7), RECORD(5), RECORD(6)}, 50, 1},
    {"of equal ones the first topic", {RECORD(5), RECORD(5), RECORD(5)}, 50, 0},
    {"an unknown topic holds all up",
     {RECORD(5), UNKNOWN, OVER},
     50,
     MERGE_WAITS},
    {"one that is over does not", {RECORD(5), OVER, OVER}, 50, 0},
    {"ended before the record", {RECORD(5), ENDED(4), OVER}, 50, MERGE_WAITS},
    {"ended at its instant", {RECORD(5), ENDED(5), OVER}, 50, 0},
    {"a date ahead waits since it came, not for its date",
     {RECORD(500), ENDED(50), OVER},
     50,
     0},
    {"and not for less", {RECORD(500), ENDED(49), OVER}, 50, MERGE_WAITS},
    {"a record before all time",
     {RECORD(INT64_MIN), UNKNOWN, OVER},
     50,
     MERGE_WAITS},
};

START_TEST(the_least_record_goes_when_none_can_be_less)
{
    int got = merge_next(table[_i].heads, 3, table[_i].since_ms);

    ck_assert_msg(got == table[_i].want, "%s: got %d, want %d", table[_i].what,
                  got, table[_i].want);
}
END_TEST

SUITE("merge", NULL, NULL,
      TABLE(the_least_record_goes_when_none_can_be_less, table))
