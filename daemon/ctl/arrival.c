/* arrival.c: finding one member of a JSON object without parsing the rest.
 *
 * Most messages do not hold the word at all, which one search tells. In the
 * others it may also stand inside a text or deeper down: a walk over the bytes
 * keeps count of quotes and brackets and takes it only as a name of the
 * outermost object. When it is there twice the last one holds. */
#include "daemon/ctl/arrival.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"

#define NAME         "\"receivedAt\""
#define NAME_LEN     (sizeof(NAME) - 1)
#define NUMBER_BYTES 32 /* Longer ones are no instants. */

/* Past the text that starts at AT with its quote. */
static const char *skip_text(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && strchr(" \t\r\n", *at) && *at)
        at++;
    return at;
}

/* The text or number at AT as an instant. */
static int read_value(const char *at, const char *end, int64_t *ms)
{
    struct seg_value value = {.type = SEG_TEXT};
    char copy[NUMBER_BYTES] = "", *rest;
    if (at < end && *at == '"') {
        const char *past = skip_text(at, end);
        value.as.text = at + 1;
        value.len = (uint32_t)(past - at - 2);
        return instant_of_value(&value, ms) == 0;
    }
    for (int i = 0; i < NUMBER_BYTES - 1 && at < end && *at &&
                    strchr("+-.0123456789eE", *at);)
        copy[i++] = *at++;
    value.type = strpbrk(copy, ".eE") ? SEG_DOUBLE : SEG_INT;
    if (value.type == SEG_INT)
        value.as.integer = strtoll(copy, &rest, 10);
    else
        value.as.number = strtod(copy, &rest);
    return *copy && !*rest && instant_of_value(&value, ms) == 0;
}

int arrival_received_at(struct seg_text json, int64_t *ms)
{
    const char *at = json.bytes, *end = at + json.len;
    int depth = 0, found = 0;
    if (!memmem(at, json.len, NAME, NAME_LEN))
        return 0;
    while (at < end) {
        if (*at == '"') {
            const char *name = at;
            at = skip_blanks(skip_text(at, end), end);
            if (depth != 1 || at == end || *at != ':' ||
                (size_t)(end - name) < NAME_LEN || memcmp(name, NAME, NAME_LEN))
                continue;
            at = skip_blanks(at + 1, end);
            found = read_value(at, end, ms);
            continue;
        }
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        at++;
    }
    return found;
}

int64_t arrival_of(const struct seg_event *event, struct seg_text json,
                   int64_t clock_ms)
{
    int64_t ms;
    if (arrival_received_at(json, &ms))
        return ms;
    return event->time_state == SEG_TIME_GIVEN ? event->time_ms : clock_ms;
}
