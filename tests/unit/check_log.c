/* check_log.c: one line per thing that happened. */
#include "daemon/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "tests/support/suite.h"

#define LINES_MAX 64

static char lines[LINES_MAX][LOG_LINE_MAX + 1];
static int line_count;
static int64_t now_us;

static void keep(void *arg, const char *line)
{
    (void)arg;
    ck_assert_int_lt(line_count, LINES_MAX);
    strcpy(lines[line_count++], line);
}

static int64_t now(void)
{
    return now_us;
}

static void setup(void)
{
    now_us = 1767225600000000; /* 2026-01-01 */
    line_count = 0;
    unsetenv("JOURNAL_STREAM");
    clock_source(now, now);
    clock_open();
    log_open(LOG_LEVEL_INFO);
    log_set_format(LOG_FORMAT_TEXT);
    log_capture(keep, NULL);
}

static void teardown(void)
{
    log_capture(NULL, NULL);
    clock_source(NULL, NULL);
}

START_TEST(a_line_has_time_level_message_and_pairs)
{
    log_warn("redis is away", "address=%s since=%d", "r:1", 5);
    ck_assert_int_eq(line_count, 1);
    ck_assert_str_eq(lines[0], "2026-01-01T00:00:00.000Z warn: redis is away "
                               "address=r:1 since=5");
}
END_TEST

START_TEST(a_message_may_stand_alone)
{
    log_error("out of memory");
    ck_assert_str_eq(lines[0], "2026-01-01T00:00:00.000Z error: out of memory");
}
END_TEST

START_TEST(the_journal_gets_a_priority_and_no_time)
{
    static const char *const want[] = {"<3>e", "<4>w", "<6>i", "<7>d"};
    char stream[64];
    struct stat stat;
    fstat(STDERR_FILENO, &stat);
    snprintf(stream, sizeof(stream), "%llu:%llu",
             (unsigned long long)stat.st_dev, (unsigned long long)stat.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open(LOG_LEVEL_DEBUG);
    log_error("e");
    log_warn("w");
    log_info("i");
    log_debug("d");
    for (int i = 0; i < COUNT(want); i++)
        ck_assert_str_eq(lines[i], want[i]);
}
END_TEST

START_TEST(a_stream_that_is_not_the_journal_is_not_taken_for_it)
{
    setenv("JOURNAL_STREAM", "1:1", 1);
    log_open(LOG_LEVEL_INFO);
    log_info("i");
    ck_assert_str_eq(lines[0], "2026-01-01T00:00:00.000Z info: i");
}
END_TEST

START_TEST(lines_below_the_level_are_not_written)
{
    log_debug("d");
    ck_assert_int_eq(line_count, 0);
    log_open(LOG_LEVEL_ERROR);
    log_warn("w");
    log_error("e");
    ck_assert_int_eq(line_count, 1);
    ck_assert(log_enabled(LOG_LEVEL_ERROR) && !log_enabled(LOG_LEVEL_WARN));
}
END_TEST

START_TEST(control_characters_never_make_a_second_line)
{
    log_info("m", "text=\"%s\"", "a\nb\x1b[2Jc\x7f");
    ck_assert_str_eq(lines[0] + 31, "m text=\"a b [2Jc \"");
}
END_TEST

START_TEST(a_line_too_long_is_cut)
{
    char text[LOG_LINE_MAX + 2];
    for (int over = -1; over <= 1; over++) {
        memset(text, 'x', sizeof(text));
        text[LOG_LINE_MAX - 1 - 33 + over] = 0; /* Time, level, "m ". */
        log_info("m", "%s", text);
        size_t want = (size_t)(LOG_LINE_MAX - 1 + (over < 0 ? over : 0));
        ck_assert_msg(strlen(lines[line_count - 1]) == want,
                      "over by %d: got %zu want %zu", over,
                      strlen(lines[line_count - 1]), want);
    }
}
END_TEST

static void repeat(int count)
{
    for (int i = 0; i < count; i++)
        log_warn("again", "n=%d", i);
}

START_TEST(repeats_are_suppressed_and_counted)
{
    struct log_counts before = log_counts();
    repeat(LOG_REPEAT_MAX + 7);
    ck_assert_int_eq(line_count, LOG_REPEAT_MAX);
    log_warn("something else");
    ck_assert_int_eq(line_count, LOG_REPEAT_MAX + 1);
    now_us += LOG_REPEAT_MS * 1000 - 1;
    repeat(1);
    ck_assert_int_eq(line_count, LOG_REPEAT_MAX + 1);
    now_us += 1;
    repeat(1);
    ck_assert_int_eq(line_count, LOG_REPEAT_MAX + 2);
    ck_assert_ptr_nonnull(strstr(lines[line_count - 1], "n=0 suppressed=8"));
    struct log_counts after = log_counts();
    ck_assert_int_eq(after.suppressed - before.suppressed, 8);
    ck_assert_int_eq(after.warnings - before.warnings, LOG_REPEAT_MAX + 2);
    ck_assert_int_eq(after.errors, before.errors);
}
END_TEST

START_TEST(after_a_quiet_window_nothing_is_said_of_suppression)
{
    repeat(LOG_REPEAT_MAX);
    now_us += LOG_REPEAT_MS * 1000;
    repeat(1);
    ck_assert_ptr_null(strstr(lines[line_count - 1], "suppressed"));
}
END_TEST

static void say(enum log_level level, const char *kind)
{
    log_kind(level, "kafka", kind, "facility=%s", kind);
}

START_TEST(only_lines_of_one_kind_and_level_are_repeats)
{
    for (int i = 0; i < LOG_REPEAT_MAX + 3; i++)
        say(LOG_LEVEL_WARN, "REQTMOUT");
    ck_assert_int_eq(line_count, LOG_REPEAT_MAX);
    say(LOG_LEVEL_WARN, "FAIL");
    say(LOG_LEVEL_ERROR, "REQTMOUT");
    ck_assert_int_eq(line_count, LOG_REPEAT_MAX + 2);
    ck_assert_ptr_nonnull(strstr(lines[line_count - 2], "facility=FAIL"));
    ck_assert_ptr_nonnull(strstr(lines[line_count - 1], "error: kafka"));
    now_us += LOG_REPEAT_MS * 1000;
    say(LOG_LEVEL_WARN, "FAIL");
    ck_assert_ptr_null(strstr(lines[line_count - 1], "suppressed"));
    say(LOG_LEVEL_WARN, "REQTMOUT");
    ck_assert_ptr_nonnull(strstr(lines[line_count - 1], "suppressed=3"));
}
END_TEST

/* ---- JSON --------------------------------------------------------------- */

#define HEAD \
    "{\"time\":\"2026-01-01T00:00:00.000Z\",\"level\":\"warn\",\"message\":"

/* The last line, which must be JSON whatever stands in it. */
static json_t *parsed(void)
{
    const char *line = lines[line_count - 1];
    json_error_t error;
    json_t *json = json_loads(line + (*line == '<' ? 3 : 0),
                              JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(json != NULL, "%s: %s", error.text, line);
    return json;
}

START_TEST(a_line_of_json_has_a_member_for_each_pair)
{
    log_set_format(LOG_FORMAT_JSON);
    log_warn("redis is away", "address=%s since=%d error=\"%s\" left=%llds",
             "r:1", 5, "no \"route\" a=b", 25LL);
    ck_assert_str_eq(lines[0], HEAD
                     "\"redis is away\",\"address\":\"r:1\",\"since\":5,"
                     "\"error\":\"no \\\"route\\\" a=b\",\"left\":\"25s\"}");
    log_warn("out of memory");
    ck_assert_str_eq(lines[1], HEAD "\"out of memory\"}");
}
END_TEST

START_TEST(every_directive_takes_its_own_argument)
{
    log_set_format(LOG_FORMAT_JSON);
    log_warn("m",
             "a=%u b=%zu c=%lld d=%" PRId64 " e=%.2f f=%.*s g=%c h=%08x i=%d%% "
             "j=%5d k=%s l=\"%s %d\" m=%hhd n=%ld o=%" PRIu64 " p=%.3s",
             4000000000u, (size_t)7, -8LL, INT64_MIN, 1.5, 2, "xyz", 'q', 255,
             50, 3, "", "t", 9, (signed char)44, 12L, UINT64_MAX, "abcdef");
    ck_assert_str_eq(
        lines[0] + strlen(HEAD "\"m\","),
        "\"a\":4000000000,\"b\":7,\"c\":-8,\"d\":-9223372036854775808,"
        "\"e\":\"1.50\",\"f\":\"xy\",\"g\":\"q\",\"h\":\"000000ff\",\"i\":"
        "\"50%\",\"j\":\"    3\",\"k\":\"\",\"l\":\"t 9\",\"m\":44,\"n\":12,"
        "\"o\":18446744073709551615,\"p\":\"abc\"}");
}
END_TEST

static const struct {
    const char *text, *want; /* NULL: as it is. */
} values[] = {
    {"a\nb\x1b[2J\x7f\"\\", NULL},
    {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", NULL},
    {"a\xffz", "a\xef\xbf\xbdz"},
    {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"\",\"level\":\"error", NULL},
};

START_TEST(a_value_comes_back_whatever_stands_in_it)
{
    const char *want = values[_i].want ? values[_i].want : values[_i].text;
    log_set_format(LOG_FORMAT_JSON);
    log_warn("m", "text=\"%s\" word=%s end=%d", values[_i].text,
             values[_i].text, 7);
    json_t *json = parsed();
    ck_assert_str_eq(json_string_value(json_object_get(json, "text")), want);
    ck_assert_str_eq(json_string_value(json_object_get(json, "word")), want);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "end")), 7);
    ck_assert_str_eq(json_string_value(json_object_get(json, "level")), "warn");
    ck_assert_ptr_null(strchr(lines[0], '\n'));
    json_decref(json);
}
END_TEST

START_TEST(a_line_of_json_that_is_cut_is_still_json)
{
    char text[LOG_LINE_MAX + 200];
    int cut = 0, whole = 0;
    log_set_format(LOG_FORMAT_JSON);
    for (size_t n = LOG_LINE_MAX - 250; n < sizeof(text); n++) {
        memset(text, n % 2 ? 'x' : '\n', sizeof(text));
        text[n % 2 ? n : n / 6] = 0;
        line_count = 0;
        now_us += LOG_REPEAT_MS * 1000;
        log_warn("m", "text=%s more=%d", text, 1234567890);
        ck_assert_int_le(strlen(lines[0]), LOG_LINE_MAX);
        json_t *json = parsed();
        if (json_is_true(json_object_get(json, "truncated")))
            cut++;
        else
            whole +=
                json_integer_value(json_object_get(json, "more")) == 1234567890;
        json_decref(json);
    }
    ck_assert(cut > 50 && whole > 50);
}
END_TEST

START_TEST(json_in_the_journal_has_its_priority)
{
    char stream[64];
    struct stat stat;
    fstat(STDERR_FILENO, &stat);
    snprintf(stream, sizeof(stream), "%llu:%llu",
             (unsigned long long)stat.st_dev, (unsigned long long)stat.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open(LOG_LEVEL_INFO);
    log_set_format(LOG_FORMAT_JSON);
    for (int i = 0; i < LOG_REPEAT_MAX + 3; i++)
        log_warn("m");
    now_us += LOG_REPEAT_MS * 1000;
    log_warn("m");
    ck_assert_msg(!strncmp(lines[0], "<4>{", 4), "%s", lines[0]);
    json_t *json = parsed();
    ck_assert_int_eq(json_integer_value(json_object_get(json, "suppressed")),
                     3);
    json_decref(json);
}
END_TEST

START_TEST(errno_survives_a_line)
{
    errno = ENOSPC;
    log_info("m");
    ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

START_TEST(without_a_capture_a_line_goes_to_standard_error)
{
    int pipes[2], saved = dup(STDERR_FILENO);
    char got[100] = "";
    ck_assert_int_eq(pipe(pipes), 0);
    dup2(pipes[1], STDERR_FILENO);
    log_capture(NULL, NULL);
    log_info("m", "a=%d", 1);
    dup2(saved, STDERR_FILENO);
    close(pipes[1]);
    ck_assert_int_gt(read(pipes[0], got, sizeof(got) - 1), 0);
    ck_assert_str_eq(got, "2026-01-01T00:00:00.000Z info: m a=1\n");
    close(pipes[0]);
    close(saved);
}
END_TEST

SUITE("log", setup, teardown, TEST(a_line_has_time_level_message_and_pairs),
      TEST(a_message_may_stand_alone),
      TEST(the_journal_gets_a_priority_and_no_time),
      TEST(a_stream_that_is_not_the_journal_is_not_taken_for_it),
      TEST(lines_below_the_level_are_not_written),
      TEST(control_characters_never_make_a_second_line),
      TEST(a_line_too_long_is_cut), TEST(repeats_are_suppressed_and_counted),
      TEST(after_a_quiet_window_nothing_is_said_of_suppression),
      TEST(only_lines_of_one_kind_and_level_are_repeats),
      TEST(a_line_of_json_has_a_member_for_each_pair),
      TEST(every_directive_takes_its_own_argument),
      TABLE(a_value_comes_back_whatever_stands_in_it, values),
      TEST(a_line_of_json_that_is_cut_is_still_json),
      TEST(json_in_the_journal_has_its_priority), TEST(errno_survives_a_line),
      TEST(without_a_capture_a_line_goes_to_standard_error))
