/* test_junit.c: results of tests as JUnit XML.
 *
 *   <testsuites>
 *     <testsuite name="segmentctl test">      properties: the coverage
 *       <testcase classname="goals" name="third use enters"/>
 *     <testsuite name="coverage">             if it was asked for: what is missed
 *       <testcase classname="goals" name="did &quot;Goal Used&quot; ...">
 *         <skipped message="never seen false"/>    a failure if it is too little
 */
#include <stdio.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/test_report.h"

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

void test_junit_case(struct test_junit *junit,
                     const struct seg_test_result *result)
{
    struct buf *out = &junit->cases;
    junit->count++;
    junit->failed += !result->passed;
    buf_str(out, "    <testcase");
    xml_attribute(out, "classname", result->segment);
    xml_attribute(out, "name", result->name);
    xml_attribute(out, "file", result->file);
    buf_printf(out, " line=\"%d\"", result->line);
    if (result->passed && !*result->warnings) {
        buf_str(out, "/>\n");
        return;
    }
    buf_str(out, ">\n");
    if (!result->passed) {
        buf_str(out, "      <failure");
        xml_attribute(out, "message", result->message);
        buf_char(out, '>');
        xml_text(out, result->explain);
        buf_str(out, "</failure>\n");
    }
    if (*result->warnings) {
        buf_str(out, "      <system-out>");
        xml_text(out, result->warnings);
        buf_str(out, "</system-out>\n");
    }
    buf_str(out, "    </testcase>\n");
}

/* ---- coverage -------------------------------------------------------- */

static void put_property(struct buf *out, const char *name, long value)
{
    buf_printf(out, "      <property name=\"coverage.%s\" value=\"%ld\"/>\n",
               name, value);
}

static void put_properties(struct buf *out,
                           const struct test_coverage *coverage)
{
    buf_str(out, "    <properties>\n");
    put_property(out, "conditions", coverage->count);
    put_property(out, "covered", coverage->covered);
    put_property(out, "percent", test_coverage_percent(coverage));
    buf_str(out, "    </properties>\n");
}

static void put_missed(struct buf *out, const struct seg_coverage *one,
                       int enough)
{
    buf_str(out, "    <testcase");
    xml_attribute(out, "classname", one->segment);
    xml_attribute(out, "name", one->condition);
    xml_attribute(out, "file", one->file);
    buf_printf(out,
               " line=\"%d\">\n      <%s message=\"never seen %s by the "
               "tests of its segment\"/>\n    </testcase>\n",
               one->line, enough ? "skipped" : "failure",
               one->seen_true    ? "false"
               : one->seen_false ? "true"
                                 : "true, never seen false");
}

static void put_coverage(struct buf *out, const struct test_junit *junit,
                         long missed, int enough)
{
    buf_printf(out,
               "  <testsuite name=\"coverage\" tests=\"%ld\" failures=\"%ld\" "
               "skipped=\"%ld\">\n",
               missed, enough ? 0 : missed, enough ? missed : 0);
    for (long i = 0; i < missed; i++)
        put_missed(out, &junit->coverage->missed[i], enough);
    buf_str(out, "  </testsuite>\n");
}

/* ---- all of it ------------------------------------------------------- */

static void put_all(struct buf *out, const struct test_junit *junit)
{
    const struct test_coverage *coverage = junit->coverage;
    long missed = coverage ? coverage->count - coverage->covered : 0;
    int enough = !coverage || test_coverage_enough(coverage, junit->least);
    buf_printf(out,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<testsuites tests=\"%ld\" failures=\"%ld\">\n"
               "  <testsuite name=\"segmentctl test\" tests=\"%d\" "
               "failures=\"%d\" skipped=\"0\">\n",
               junit->count + missed, junit->failed + (enough ? 0 : missed),
               junit->count, junit->failed);
    if (coverage)
        put_properties(out, coverage);
    buf_add(out, junit->cases.bytes, junit->cases.len);
    buf_str(out, "  </testsuite>\n");
    if (coverage)
        put_coverage(out, junit, missed, enough);
    buf_str(out, "</testsuites>\n");
}

int test_junit_write(const char *path, const struct test_junit *junit)
{
    struct buf all;
    FILE *out = fopen(path, "w");
    if (!out)
        return ctl_fail("%s: cannot be written", path);
    buf_init(&all);
    put_all(&all, junit);
    fwrite(all.bytes, 1, all.len, out);
    int bad = buf_failed(&all) || buf_failed(&junit->cases) || ferror(out);
    buf_done(&all);
    if (fclose(out) || bad)
        return ctl_fail("%s: cannot be written", path);
    return CTL_GOOD;
}
