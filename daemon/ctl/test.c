/* test.c: segmentctl test.
 *
 * Results are printed as they come and, for JUnit, collected: its root element
 * holds the totals, so the file is written at the end. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/files.h"
#include "lib/base/buf.h"

struct results {
    int count, failed;
    struct buf cases; /* <testcase> elements. */
};

/* TEXT in an attribute or element. Characters that XML 1.0 cannot hold become
 * question marks. */
static void xml_text(struct buf *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '&')
            buf_str(out, "&amp;");
        else if (c == '<')
            buf_str(out, "&lt;");
        else if (c == '>')
            buf_str(out, "&gt;");
        else if (c == '"')
            buf_str(out, "&quot;");
        else if (c == '\n' || c == '\t')
            buf_printf(out, "&#%d;", c);
        else
            buf_char(out, c < 0x20 ? '?' : (char)c);
    }
}

static void xml_attribute(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, " %s=\"", name);
    xml_text(out, value);
    buf_char(out, '"');
}

static void xml_case(struct buf *out, const struct seg_test_result *result)
{
    buf_str(out, "    <testcase");
    xml_attribute(out, "classname", result->segment);
    xml_attribute(out, "name", result->name);
    xml_attribute(out, "file", result->file);
    buf_printf(out, " line=\"%d\"", result->line);
    if (result->passed) {
        buf_str(out, "/>\n");
        return;
    }
    buf_str(out, ">\n      <failure");
    xml_attribute(out, "message", result->message);
    buf_char(out, '>');
    xml_text(out, result->explain);
    buf_str(out, "</failure>\n    </testcase>\n");
}

/* EXPLAIN, a line for each part of the condition, indented. */
static void print_indented(const char *explain)
{
    while (*explain) {
        size_t line = strcspn(explain, "\n");
        printf("        %.*s\n", (int)line, explain);
        explain += line + (explain[line] == '\n');
    }
}

static void report(void *arg, const struct seg_test_result *result)
{
    struct results *results = arg;
    results->count++;
    results->failed += !result->passed;
    xml_case(&results->cases, result);
    printf("%-4s  %s \"%s\"\n", result->passed ? "ok" : "FAIL", result->segment,
           result->name);
    if (result->passed)
        return;
    printf("      %s:%d:%d: %s\n", result->file, result->line, result->column,
           result->message);
    print_indented(result->explain);
}

static int write_junit(const char *path, struct results *results)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return ctl_fail("%s: cannot be written", path);
    fprintf(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites tests=\"%d\" failures=\"%d\">\n"
        "  <testsuite name=\"segmentctl test\" tests=\"%d\" failures=\"%d\">\n",
        results->count, results->failed, results->count, results->failed);
    fwrite(results->cases.bytes, 1, results->cases.len, out);
    fputs("  </testsuite>\n</testsuites>\n", out);
    int bad = buf_failed(&results->cases) | ferror(out);
    if (fclose(out) || bad)
        return ctl_fail("%s: cannot be written", path);
    return CTL_GOOD;
}

static int test(const struct segment_files *files, const char *junit)
{
    struct seg_catalogue *catalogue;
    int status = files_compile(&catalogue, files);
    if (status != CTL_GOOD)
        return status;
    struct results results = {0};
    buf_init(&results.cases);
    int failed = seg_catalogue_test(catalogue, report, &results);
    if (failed < 0)
        status = ctl_fail("%s", seg_error_sentence(failed));
    else
        printf("%d test%s, %d failed\n", results.count,
               results.count == 1 ? "" : "s", results.failed);
    if (failed > 0)
        status = CTL_FAILED;
    if (junit && failed >= 0 && write_junit(junit, &results) != CTL_GOOD)
        status = CTL_FAILED;
    buf_done(&results.cases);
    seg_catalogue_free(catalogue);
    return status;
}

int ctl_test(int argc, char **argv)
{
    static const struct option options[] = {
        {"junit", required_argument, NULL, 'j'},
        {NULL, 0, NULL, 0},
    };
    int option;
    const char *junit = NULL;
    while ((option = ctl_option(argc, argv, options)) != -1) {
        if (option == '?')
            return CTL_USAGE;
        junit = optarg;
    }
    if (optind == argc)
        return ctl_usage("test", "which files?");
    struct segment_files files;
    int status = files_read(&files, argv + optind, argc - optind);
    if (status == CTL_GOOD)
        status = test(&files, junit);
    segment_files_done(&files);
    return status;
}
