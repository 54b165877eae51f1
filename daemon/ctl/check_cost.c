/* check_cost.c: what segment files cost, as lines that people read.
 *
 *   goals_weekly  1 feature, 36 bytes, 1 timer: "Goal Used"
 *   "Goal Used"   2 features, 3 conditions of 2 segments */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <seg/cost.h>

#include "daemon/ctl/check.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"

#define EVENTS_SHOWN 3
#define COLUMN_MAX   40 /* A longer name pushes what follows. */
#define NAME_SPACE   2  /* Quotes. */
#define ANY_OTHER    "any other event"

static const char *plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_count(int64_t count, const char *what)
{
    printf("%" PRId64 " %s%s", count, what, plural(count));
}

static void print_bytes(uint64_t bytes)
{
    if (bytes < 10240)
        print_count((int64_t)bytes, "byte");
    else
        printf("%.0f KiB", (double)bytes / 1024);
}

/* TEXT as the file has it, then spaces to COLUMN. */
static void print_name(const char *text, int quoted, int column)
{
    struct buf buf;
    buf_init(&buf);
    if (quoted)
        buf_json_text(&buf, text_of(text));
    else
        buf_str(&buf, text);
    printf("  %-*s  ", column, buf_string(&buf));
    buf_done(&buf);
}

static int wider(int column, size_t len)
{
    return len > (size_t)column && len <= COLUMN_MAX ? (int)len : column;
}

/* ---- segments and traits --------------------------------------------- */

static void print_events(const struct seg_part_cost *part)
{
    struct buf buf;
    int shown =
        part->event_count > EVENTS_SHOWN + 1 ? EVENTS_SHOWN : part->event_count;
    buf_init(&buf);
    if (part->any_event)
        buf_str(&buf, "every event");
    for (int i = 0; i < shown && !part->any_event; i++) {
        if (i)
            buf_str(&buf, ", ");
        buf_json_text(&buf, text_of(part->events[i]));
    }
    if (shown < part->event_count && !part->any_event)
        buf_printf(&buf, " and %d more", part->event_count - shown);
    if (buf.len)
        printf(": %s", buf_string(&buf));
    buf_done(&buf);
}

static void print_part(const struct seg_part_cost *part, int column)
{
    print_name(part->key, 0, column);
    print_count(part->feature_count, "feature");
    if (part->shared_count)
        printf(" (%d shared)", part->shared_count);
    fputs(", ", stdout);
    print_bytes(part->bytes_max);
    if (part->text_count) {
        fputs(" and ", stdout);
        print_count(part->text_count, "text");
    }
    if (part->attribute_count) {
        fputs(", ", stdout);
        print_count(part->attribute_count, "attribute");
    }
    if (part->timed_count) {
        fputs(", ", stdout);
        print_count(part->timed_count, "timer");
    }
    print_events(part);
    putchar('\n');
}

static int has_traits(const struct seg_cost *cost)
{
    return cost->part_count && cost->parts[cost->part_count - 1].is_trait;
}

static void print_parts(const struct seg_cost *cost)
{
    int column = 0;
    for (int i = 0; i < cost->part_count; i++)
        column = wider(column, strlen(cost->parts[i].key));
    printf("a segment%s keeps of a user at most:\n",
           has_traits(cost) ? ", and a trait," : "");
    for (int i = 0; i < cost->part_count; i++)
        print_part(&cost->parts[i], column);
}

/* ---- events ---------------------------------------------------------- */

static void print_event(const struct seg_event_cost *event, int column)
{
    print_name(event->name ? event->name : ANY_OTHER, event->name != NULL,
               column);
    print_count(event->feature_count, "feature");
    fputs(", ", stdout);
    print_count(event->condition_count, "condition");
    fputs(" of ", stdout);
    print_count(event->segment_count, "segment");
    putchar('\n');
}

static void print_all_events(const struct seg_cost *cost)
{
    int column = sizeof(ANY_OTHER) - 1;
    for (int i = 0; i + 1 < cost->event_count; i++)
        column = wider(column, strlen(cost->events[i].name) + NAME_SPACE);
    puts("an event touches at most:");
    for (int i = 0; i < cost->event_count; i++)
        print_event(&cost->events[i], column);
}

void check_print_cost(const struct seg_cost *cost)
{
    if (!cost->part_count)
        return;
    print_parts(cost);
    print_all_events(cost);
    fputs("in all: ", stdout);
    print_count(cost->feature_count, "feature");
    fputs(", ", stdout);
    print_bytes(cost->bytes_max);
    fputs(" of a user at most, ", stdout);
    print_count(cost->attribute_count, "attribute");
    putchar('\n');
}
