/* test_text.c: results of tests for people. */
#include <stdio.h>
#include <string.h>

#include "daemon/ctl/test_report.h"

void test_indented(const char *prefix, const char *text)
{
    while (*text) {
        size_t line = strcspn(text, "\n");
        printf("%s%.*s\n", prefix, (int)line, text);
        text += line + (text[line] == '\n');
    }
}

void test_text(const struct seg_test_result *result)
{
    printf("%-4s  %s \"%s\"\n", result->passed ? "ok" : "FAIL", result->segment,
           result->name);
    test_indented("      ", result->warnings);
    if (result->passed)
        return;
    printf("      %s:%d:%d: %s\n", result->file, result->line, result->column,
           result->message);
    test_indented("        ", result->explain);
}
