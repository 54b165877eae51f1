/* test_tap.c: results of tests for whatever reads TAP.
 *
 *   not ok 2 - eager "once is not enough"
 *     ---
 *     message: "expected in at 1m, but the user is out"
 *     at: "eager.seg:16:3"
 *     explain: |
 *       not a member, at 2024-01-01T00:01:00.000Z
 *     ...
 *
 * The number of tests stands at the end, where it is known. */
#include <stdio.h>
#include <string.h>

#include "daemon/ctl/test_report.h"

/* TEXT on one line, so that no part of it is a directive. */
static void description(const char *text)
{
    for (; *text; text++) {
        if (*text == '#' || *text == '\\')
            putchar('\\');
        putchar((unsigned char)*text < 0x20 ? '?' : *text);
    }
}

/* A text in double quotes, as YAML takes it from JSON. */
static void member(const char *name, const char *text)
{
    struct buf json;
    buf_init(&json);
    buf_json_text(&json, (struct seg_text){text, strlen(text)});
    printf("  %s: %s\n", name, buf_string(&json));
    buf_done(&json);
}

void test_tap_begin(void)
{
    puts("TAP version 13");
}

void test_tap(const struct seg_test_result *result, int number)
{
    char line[32];
    printf("%sok %d - ", result->passed ? "" : "not ", number);
    description(result->segment);
    fputs(" \"", stdout);
    description(result->name);
    puts("\"");
    if (!result->passed) {
        snprintf(line, sizeof(line), ":%d:%d", result->line, result->column);
        struct buf at;
        buf_init(&at);
        buf_str(&at, result->file);
        buf_str(&at, line);
        puts("  ---");
        member("message", result->message);
        member("at", buf_string(&at));
        puts("  explain: |");
        test_indented("    ", result->explain);
        puts("  ...");
        buf_done(&at);
    }
    test_indented("# ", result->warnings);
}

void test_tap_end(int count)
{
    printf("1..%d\n", count);
}

void test_tap_abort(const char *error)
{
    printf("Bail out! %s\n", error);
}
