/* check_instant.c: instants and durations as text. */
#include "lib/base/instant.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/text.h"
#include "tests/support/suite.h"

static const struct {
    const char *text;
    int64_t ms;
} readable[] = {
    {"1970-01-01", 0},
    {"1970-01-01T00:00:00.000Z", 0},
    {"1969-12-31T23:59:59.999Z", -1},
    {"2026-01-02T03:04:05.678Z", 1767323045678},
    {"2026-01-02T03:04:05.678", 1767323045678},
    {"2026-01-02 03:04:05.678Z", 1767323045678},
    {"2026-01-02T03:04:05Z", 1767323045000},
    {"2026-01-02T03:04Z", 1767323040000},
    {"2026-01-02T03:04", 1767323040000},
    {"2026-01-02Z", 1767312000000},
    {"2026-01-02+01:00", 1767308400000},
    {"2026-01-02T03:04:05.6Z", 1767323045600},
    {"2026-01-02T03:04:05.67Z", 1767323045670},
    {"2026-01-02T03:04:05.6789Z", 1767323045678},
    {"2026-01-02T03:04:05.678999999999999999999Z", 1767323045678},
    {"2026-01-02T04:04:05.678+01:00", 1767323045678},
    {"2026-01-02T04:04:05.678+0100", 1767323045678},
    {"2026-01-01T21:34:05.678-05:30", 1767323045678},
    {"2026-01-02T03:04:05.678-00:00", 1767323045678},
    {"2026-01-03T03:03:05.678+23:59", 1767323045678},
    /* Leap days: every fourth year, not every hundredth, but every 400th. */
    {"2024-02-29", 1709164800000},
    {"2024-03-01", 1709251200000},
    {"2000-02-29T00:00:00.000Z", 951782400000},
    {"2000-03-01", 951868800000},
    {"1900-02-28", -2203977600000},
    {"1900-03-01", -2203891200000},
    {"2100-03-01T00:00:00.000Z", 4107542400000},
    {"2023-12-31T23:59:59.999Z", 1704067199999},
    {"0000-01-01T00:00:00.000Z", INSTANT_MIN},
    {"0000-02-29", -62162121600000},
    {"9999-12-31T23:59:59.999Z", INSTANT_MAX},
};

START_TEST(a_time_is_read)
{
    int64_t ms = 77;
    int got = instant_parse(text_of(readable[_i].text), &ms);
    ck_assert_msg(got == 0 && ms == readable[_i].ms,
                  "%s: got %d, %lld, want %lld", readable[_i].text, got,
                  (long long)ms, (long long)readable[_i].ms);
}
END_TEST

static const char *const unreadable[] = {
    "",
    "2026",
    "2026-01",
    "2026-1-2",
    "2026-01-0",
    "26-01-02",
    "+2026-01-02",
    "-001-01-01",
    "10000-01-01",
    "2026-00-01",
    "2026-13-01",
    "2026-01-00",
    "2026-01-32",
    "2026-04-31",
    "2023-02-29",
    "1900-02-29",
    "2100-02-29",
    "2100-02-29T00:00:00.000Z",
    "2026-00-02T03:04:05.678Z",
    "2026-13-02T03:04:05.678Z",
    "2026-01-00T03:04:05.678Z",
    "2026-01-32T03:04:05.678Z",
    "2026-01-02T24:04:05.678Z",
    "2026-01-02T03:60:05.678Z",
    "2026-01-02T03:04:60.678Z",
    "2026-01-02t03:04:05.678Z",
    "2026-01-02T03:04:05.678z",
    "2026-01-02T03:04:05,678Z",
    "2026-01-02T03:04:05.67:Z",
    "2026-01-02T03:04:05./78Z",
    "2026/01/02T03:04:05.678Z",
    "2026-01-02T03-04-05.678Z",
    "2026-01-02T03:04:05.678\xda",
    "\262026-01-02T03:04:05.678Z",
    "2026-01-02T03:04:05.Z",
    "2026-01-02T03:04:05.",
    "2026-01-02T03",
    "2026-01-02T",
    "2026-01-02 ",
    "2026-01-02  03:04",
    "2026-01-02T03:04:",
    "2026-01-02T03:04:5",
    "2026-01-02T3:04:05",
    "2026-01-02T03:04:05+1",
    "2026-01-02T03:04:05+01:",
    "2026-01-02T03:04:05+24:00",
    "2026-01-02T03:04:05+01:60",
    "2026-01-02T03:04:05+01:000",
    "2026-01-02T03:04:05ZZ",
    "2026-01-02T03:04:05 Z",
    "2026-01-02T03:04:05UTC",
    "2026-01-02T03:04Z05",
    " 2026-01-02",
    "2026-01-02\n",
    "now",
    "1767323045",
    "2026-W01-1",
    "2026-002",
    "20260102",
    "20260102T030405Z",
};

START_TEST(anything_else_is_no_time)
{
    int64_t ms = 77;
    int got = instant_parse(text_of(unreadable[_i]), &ms);
    ck_assert_msg(got == SEG_ERR_INVALID && ms == 77, "%s: got %d, %lld",
                  unreadable[_i], got, (long long)ms);
}
END_TEST

/* The usual form has a path of its own: every one of its bytes, with every
 * value, must be judged as on the long path, which the same time takes when its
 * fraction has one digit more. */
START_TEST(the_fast_path_reads_what_the_long_one_does)
{
    for (int place = 0; place < 23; place++) {
        for (int byte = 0; byte < 256; byte++) {
            char fast[] = "2024-02-29T23:59:58.123Z";
            char slow[] = "2024-02-29T23:59:58.1230Z";
            int64_t fast_ms = 0, slow_ms = 0;
            fast[place] = slow[place] = (char)byte;
            int a = instant_parse((struct seg_text){fast, 24}, &fast_ms);
            int b = instant_parse((struct seg_text){slow, 25}, &slow_ms);
            if (a != b || fast_ms != slow_ms)
                ck_abort_msg("byte %d is 0x%02x: %d, %d", place, byte, a, b);
        }
    }
}
END_TEST

static void check_day(int64_t day)
{
    int64_t ms = day * DAY_MS + DAY_MS - 1, back;
    time_t seconds = (time_t)(day * 86400 + 86399);
    struct tm tm;
    char got[25], want[64];
    gmtime_r(&seconds, &tm);
    snprintf(want, sizeof(want), "%04d-%02d-%02dT23:59:59.999Z",
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    instant_string(got, ms);
    if (strcmp(got, want) || instant_parse(text_of(got), &back) || back != ms)
        ck_abort_msg("got %s, want %s", got, want);
}

/* The calendar repeats itself after 400 years, here from 1970 on; and the ends
 * of what is allowed. */
START_TEST(the_calendar_is_that_of_the_c_library)
{
    const int64_t first = INSTANT_MIN / DAY_MS, last = INSTANT_MAX / DAY_MS;
    for (int64_t day = -400; day < 146097; day++)
        check_day(day);
    for (int64_t day = 0; day < 1500; day++) {
        check_day(first + day);
        check_day(last - day);
    }
}
END_TEST

START_TEST(what_is_written_stays_within_the_years_0_to_9999)
{
    char got[25];
    instant_string(got, INSTANT_MIN);
    ck_assert_str_eq(got, "0000-01-01T00:00:00.000Z");
    instant_string(got, INSTANT_MIN - 1);
    ck_assert_str_eq(got, "0000-01-01T00:00:00.000Z");
    instant_string(got, INT64_MIN);
    ck_assert_str_eq(got, "0000-01-01T00:00:00.000Z");
    instant_string(got, INSTANT_MAX);
    ck_assert_str_eq(got, "9999-12-31T23:59:59.999Z");
    instant_string(got, INT64_MAX);
    ck_assert_str_eq(got, "9999-12-31T23:59:59.999Z");
}
END_TEST

#define I(n)                               \
    {                                      \
        .type = SEG_INT, .as.integer = (n) \
    }
#define D(n)                                 \
    {                                        \
        .type = SEG_DOUBLE, .as.number = (n) \
    }
#define NO INT64_MIN

static const struct {
    struct seg_value value;
    int64_t ms; /* NO: unreadable. */
} values[] = {
    {{.type = SEG_TEXT, .len = 10, .as.text = "1970-01-02"}, DAY_MS},
    {{.type = SEG_TEXT, .len = 0, .as.text = ""}, NO},
    {{.type = SEG_TEXT, .len = 1, .as.text = "1"}, NO},
    {{.type = SEG_MISSING}, NO},
    {{.type = SEG_BOOL, .as.boolean = 1}, NO},
    {{.type = SEG_LIST}, NO},
    {{.type = SEG_OBJECT}, NO},
    {I(0), 0},
    {I(1), 1000},
    {I(-1), -1000},
    {I(1767323045), 1767323045000},
    {I(99999999999), 99999999999000},
    {I(100000000000), 100000000000},
    {I(1767323045678), 1767323045678},
    {I(INSTANT_MAX), INSTANT_MAX},
    {I(INSTANT_MAX + 1), NO},
    {I(INSTANT_MIN / 1000), INSTANT_MIN},
    {I(INSTANT_MIN / 1000 - 1), NO},
    {I(INT64_MAX), NO},
    {I(INT64_MIN), NO},
    {D(0.5), 500},
    {D(1.001), 1001}, /* As a double a little less. */
    {D(1767323045.678), 1767323045678},
    {D(99999999999.5), 99999999999500},
    {D(1e11), 100000000000},
    {D(1767323045678.4), 1767323045678},
    {D(1767323045678.5), 1767323045679},
    {D(0.0004), 0},
    {D(0.0005), 1},    /* As a double a little more; */
    {D(1.0005), 1000}, /* a little less. */
    {D(-1.5), -1500},
    {D(-0.0005), -1},
    {D(253402300799999.4), INSTANT_MAX},
    {D(253402300799999.6), NO},
    {D(-62167219200.0004), INSTANT_MIN},
    {D(-62167219200.001), NO},
    {D(1e300), NO},
    {D(-1e300), NO},
};

START_TEST(a_value_is_read_as_a_time)
{
    int64_t ms = 77, want = values[_i].ms;
    int got = instant_of_value(&values[_i].value, &ms);
    ck_assert_msg(want == NO ? got == SEG_ERR_INVALID && ms == 77
                             : got == 0 && ms == want,
                  "row %d: got %d, %lld, want %lld", _i, got, (long long)ms,
                  (long long)want);
}
END_TEST

static const struct {
    const char *text;
    int64_t ms; /* NO: unreadable. */
    int len;
} durations[] = {
    {"500ms", 500, 5},
    {"90s", 90000, 3},
    {"15m", 900000, 3},
    {"6h", 21600000, 2},
    {"7d", 7 * DAY_MS, 2},
    {"2w", 14 * DAY_MS, 2},
    {"1d12h", 36 * 3600000, 5},
    {"1d12h30m15s250ms", 131415250, 16},
    {"1m1ms", 60001, 5},
    {"36500d", 36500 * DAY_MS, 6},
    {"36501d", NO, 0},
    {"36500d1ms", NO, 0},
    {"5214w2d", 36500 * DAY_MS, 7},
    {"99999999999999999999d", NO, 0},
    {"7d ago", 7 * DAY_MS, 2},
    {"7d)", 7 * DAY_MS, 2},
    {"", NO, 0},
    {"7", NO, 0},
    {"d", NO, 0},
    {"7x", NO, 0},
    {"7d3", NO, 0},
    {"-7d", NO, 0},
};

START_TEST(a_duration_is_read)
{
    int64_t ms = 77, want = durations[_i].ms;
    int got = duration_parse(text_of(durations[_i].text), &ms);
    ck_assert_msg(want == NO ? got == SEG_ERR_INVALID && ms == 77
                             : got == durations[_i].len && ms == want,
                  "%s: got %d, %lld", durations[_i].text, got, (long long)ms);
}
END_TEST

static const struct {
    int64_t ms;
    const char *want;
} written[] = {
    {1, "1ms"},
    {1000, "1s"},
    {60000, "1m"},
    {3600000, "1h"},
    {DAY_MS, "1d"},
    {14 * DAY_MS, "14d"},
    {131415250, "1d12h30m15s250ms"},
    {36500 * DAY_MS, "36500d"},
    {59999, "59s999ms"},
};

START_TEST(a_duration_is_written_so_that_it_reads_back)
{
    struct buf buf;
    int64_t back = 0;
    buf_init(&buf);
    duration_format(&buf, written[_i].ms);
    ck_assert_str_eq(buf_string(&buf), written[_i].want);
    ck_assert_int_gt(duration_parse(text_of(buf_string(&buf)), &back), 0);
    ck_assert_int_eq(back, written[_i].ms);
    buf_done(&buf);
}
END_TEST

SUITE("instant", NULL, NULL, TABLE(a_time_is_read, readable),
      TABLE(anything_else_is_no_time, unreadable),
      TEST(the_fast_path_reads_what_the_long_one_does),
      TEST(the_calendar_is_that_of_the_c_library),
      TEST(what_is_written_stays_within_the_years_0_to_9999),
      TABLE(a_value_is_read_as_a_time, values),
      TABLE(a_duration_is_read, durations),
      TABLE(a_duration_is_written_so_that_it_reads_back, written))
