/* record_scan.c: one member after the other.
 *
 *     {"type":"track","event":"Segment Entered","userId":"u123",
 *      "messageId":"9b0c...","timestamp":"2026-01-31T12:00:00.000Z",
 *      "properties":{"segment":"goals_weekly","member":true,
 *        "entered_at":"2026-01-31T12:00:00.000Z","cause":"event","seq":42, ...
 *
 * A text with an escape in it is left to a real parser. */
#include "daemon/protocol/record_scan.h"

#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"

struct scan {
    const char *at, *end;
    int good;
};

/* Whether what comes next is LITERAL; goes past it. */
static int take(struct scan *scan, const char *literal)
{
    size_t len = strlen(literal);
    if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, literal, len))
        return 0;
    scan->at += len;
    return 1;
}

static void expect(struct scan *scan, const char *literal)
{
    if (scan->good)
        scan->good = take(scan, literal);
}

/* The text whose opening quote was taken, and its closing one. */
static struct seg_text text(struct scan *scan)
{
    struct seg_text found = {scan->at, 0};
    const char *quote =
        scan->good ? memchr(scan->at, '"', (size_t)(scan->end - scan->at))
                   : NULL;
    if (quote)
        found.len = (size_t)(quote - scan->at);
    scan->good = quote && !memchr(found.bytes, '\\', found.len);
    if (scan->good)
        scan->at = quote + 1;
    return found;
}

static int64_t instant(struct scan *scan)
{
    int64_t ms = 0;
    struct seg_text found = text(scan);
    if (scan->good)
        scan->good = instant_parse(found, &ms) == 0;
    return ms;
}

static uint32_t number(struct scan *scan)
{
    uint64_t n = 0;
    const char *first = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9' &&
           n <= UINT32_MAX)
        n = n * 10 + (uint64_t)(*scan->at++ - '0');
    scan->good = scan->good && n && *first != '0' && n <= UINT32_MAX;
    return (uint32_t)n;
}

int record_scan(struct record_back *back, const char *value, size_t len)
{
    struct scan scan = {value, value + len, 1};
    struct seg_restored change = {.member = 0};
    expect(&scan, "{\"type\":\"track\",\"event\":\"Segment ");
    if (!take(&scan, "Entered"))
        expect(&scan, "Exited");
    expect(&scan, "\",\"userId\":\"");
    change.user_id = text(&scan);
    expect(&scan, ",\"messageId\":\"");
    text(&scan);
    expect(&scan, ",\"timestamp\":\"");
    change.at_ms = instant(&scan);
    expect(&scan, ",\"properties\":{\"segment\":\"");
    change.segment = text(&scan);
    expect(&scan, ",\"member\":");
    change.member = take(&scan, "true");
    if (!change.member)
        expect(&scan, "false");
    expect(&scan, ",\"entered_at\":\"");
    change.entered_at_ms = instant(&scan);
    expect(&scan, ",\"cause\":\"");
    text(&scan);
    expect(&scan, ",\"seq\":");
    change.seq = number(&scan);
    expect(&scan, ",");
    if (!scan.good || value[len - 1] != '}')
        return 0;
    *back = (struct record_back){.kind = SEG_OUTPUT_CHANGE, .restored = change};
    return 1;
}
