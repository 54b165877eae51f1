/* top_sample.c: metrics as text, and what two looks at them say.
 *
 * A line is `segmentd_<name>{label="value",...} <number>`; all series of a name
 * are added up but for those whose labels are rows here. */
#include "daemon/ctl/top_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "lib/base/alloc.h"

#define PREFIX     "segmentd_"
#define PREFIX_LEN (sizeof(PREFIX) - 1)
#define LINE_BYTES 1024

/* Metrics that are one number. */
static const struct sum {
    const char *name;
    size_t at;   /* In struct top_sample. */
    int largest; /* Not the sum, but the largest. */
} sums[] = {
    {"events_total", offsetof(struct top_sample, events), 0},
    {"commits_total", offsetof(struct top_sample, commits), 0},
    {"aborts_total", offsetof(struct top_sample, aborts), 0},
    {"triggers_total", offsetof(struct top_sample, triggers), 0},
    {"dead_letters_total", offsetof(struct top_sample, dead_letters), 0},
    {"flushed_users_total", offsetof(struct top_sample, flushed), 0},
    {"input_lag_records", offsetof(struct top_sample, lag_records), 0},
    {"input_lag_seconds", offsetof(struct top_sample, lag_s), 1},
    {"input_paused", offsetof(struct top_sample, paused), 0},
    {"users", offsetof(struct top_sample, users), 0},
    {"user_bytes", offsetof(struct top_sample, user_bytes), 0},
    {"dirty_users", offsetof(struct top_sample, dirty), 0},
    {"resident_memory_bytes", offsetof(struct top_sample, memory), 0},
    {"uptime_seconds", offsetof(struct top_sample, uptime_s), 0},
    {"cpu_seconds_total", offsetof(struct top_sample, cpu_s), 0},
    {"redis_up", offsetof(struct top_sample, redis_up), 1},
    {"redis_lag_seconds", offsetof(struct top_sample, redis_lag_s), 1},
};
#define SUM_COUNT (sizeof(sums) / sizeof(sums[0]))

/* ---- reading ----------------------------------------------------------- */

/* One series. */
struct series {
    char name[TOP_NAME_BYTES]; /* Without the prefix. */
    const char *labels;        /* What stands in the braces; "" if none do. */
    double value;
};

/* The value of the label NAME in LABELS into the TOP_NAME_BYTES at OUT; "" if
 * it is not there. */
static void label_of(const char *labels, const char *name, char *out)
{
    size_t len = strlen(name), used = 0;
    out[0] = '\0';
    for (const char *at = strstr(labels, name); at; at = strstr(at + 1, name)) {
        if ((at != labels && at[-1] != ',') || strncmp(at + len, "=\"", 2))
            continue;
        for (at += len + 2; *at && *at != '"' && used + 1 < TOP_NAME_BYTES;
             at++) {
            at += *at == '\\' && at[1];
            out[used++] = *at;
        }
        out[used] = '\0';
        return;
    }
}

/* Returns 1 if LINE, which is cut up, is a series of segmentd's. */
static int read_series(struct series *series, char *line)
{
    char *value = strrchr(line, ' ');
    if (strncmp(line, PREFIX, PREFIX_LEN) || !value)
        return 0;
    *value++ = '\0';
    series->value = strtod(value, NULL);
    char *brace = strchr(line, '{');
    series->labels = brace ? brace + 1 : "";
    if (brace)
        *brace = '\0';
    snprintf(series->name, sizeof(series->name), "%.*s", TOP_NAME_BYTES - 1,
             line + PREFIX_LEN);
    return 1;
}

static void take_sum(struct top_sample *sample, const struct series *series)
{
    for (size_t i = 0; i < SUM_COUNT; i++) {
        double *number = (double *)((char *)sample + sums[i].at);
        if (strcmp(sums[i].name, series->name))
            continue;
        if (!sums[i].largest)
            *number += series->value;
        else if (series->value > *number)
            *number = series->value;
    }
}

static void take_state(struct top_sample *sample, const struct series *series)
{
    struct top_state *state = &sample->states[sample->state_count];
    if (sample->state_count == TOP_STATES_MAX)
        return;
    label_of(series->labels, "state", state->name);
    state->partitions = series->value;
    sample->state_count++;
}

static const struct top_segment *find(const struct top_sample *sample,
                                      const char *key, size_t guess)
{
    if (guess < sample->segment_count &&
        !strcmp(sample->segments[guess].key, key))
        return &sample->segments[guess];
    for (size_t i = 0; i < sample->segment_count; i++)
        if (!strcmp(sample->segments[i].key, key))
            return &sample->segments[i];
    return NULL;
}

/* A row for the segment KEY; NULL if there is no room. */
static struct top_segment *add_segment(struct top_sample *sample,
                                       const char *key)
{
    size_t count = sample->segment_count;
    if (count == TOP_SEGMENTS_MAX ||
        alloc_grow((void **)&sample->segments, &sample->segment_cap, count + 1,
                   sizeof(*sample->segments)) < 0)
        return NULL;
    struct top_segment *segment = &sample->segments[sample->segment_count++];
    *segment = (struct top_segment){.key = ""};
    snprintf(segment->key, sizeof(segment->key), "%s", key);
    return segment;
}

/* The row of SERIES. The first metric of segments makes the rows, each of its
 * series another one; the others are in the same order. */
static struct top_segment *segment_of(struct top_sample *sample,
                                      const struct series *series)
{
    char key[TOP_NAME_BYTES];
    label_of(series->labels, "segment", key);
    if (!*sample->first)
        snprintf(sample->first, sizeof(sample->first), "%s", series->name);
    if (!strcmp(sample->first, series->name))
        return add_segment(sample, key);
    const struct top_segment *found = find(sample, key, sample->guess);
    if (!found)
        return add_segment(sample, key);
    sample->guess = (size_t)(found - sample->segments) + 1;
    return &sample->segments[sample->guess - 1];
}

static void take_segment(struct top_sample *sample, const struct series *series)
{
    struct top_segment *segment = segment_of(sample, series);
    if (!segment)
        return;
    if (!strcmp(series->name, "segment_entered_total"))
        segment->entered += series->value;
    else if (!strcmp(series->name, "segment_exited_total"))
        segment->exited += series->value;
    else
        segment->members += series->value;
}

static void take(struct top_sample *sample, const struct series *series)
{
    if (!strncmp(series->name, "segment_", 8))
        take_segment(sample, series);
    else if (!strcmp(series->name, "partitions"))
        take_state(sample, series);
    else if (!strcmp(series->name, "build_info"))
        label_of(series->labels, "version", sample->version);
    else if (!strcmp(series->name, "catalogue_info"))
        label_of(series->labels, "hash", sample->catalogue);
    else
        take_sum(sample, series);
}

int top_sample_read(struct top_sample *sample, const char *text, size_t len,
                    double at_s)
{
    const char *end = text + len;
    int found = 0;
    *sample = (struct top_sample){.at_s = at_s, .redis_up = -1};
    while (text < end) {
        char line[LINE_BYTES];
        struct series series;
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t line_len = (size_t)((stop ? stop : end) - text);
        if (line_len < sizeof(line)) {
            memcpy(line, text, line_len);
            line[line_len] = '\0';
            if (read_series(&series, line)) {
                take(sample, &series);
                found = 1;
            }
        }
        text += line_len + 1;
    }
    return found ? 0 : SEG_ERR_INVALID;
}

void top_sample_done(struct top_sample *sample)
{
    free(sample->segments);
    sample->segments = NULL;
    sample->segment_count = 0;
}

/* ---- printing ---------------------------------------------------------- */

/* What is shown of a segment. */
struct row {
    const struct top_segment *segment;
    double entered, exited; /* Per second. */
};

static double rate(double before, double now, double seconds)
{
    return seconds > 0 && now >= before ? (now - before) / seconds : 0;
}

/* Busiest first, then largest, then by name. */
static int compare(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    double busy_x = x->entered + x->exited, busy_y = y->entered + y->exited;
    if (busy_x != busy_y)
        return busy_x < busy_y ? 1 : -1;
    if (x->segment->members != y->segment->members)
        return x->segment->members < y->segment->members ? 1 : -1;
    return strcmp(x->segment->key, y->segment->key);
}

static void print_segments(struct buf *out, const struct top_sample *before,
                           const struct top_sample *now, double seconds,
                           int max)
{
    size_t count = now->segment_count;
    struct row *rows = calloc(count + 1, sizeof(*rows));
    for (size_t i = 0; rows && i < count; i++) {
        const struct top_segment *is = &now->segments[i];
        const struct top_segment *was = find(before, is->key, i);
        rows[i].segment = is;
        rows[i].entered = rate(was ? was->entered : 0, is->entered, seconds);
        rows[i].exited = rate(was ? was->exited : 0, is->exited, seconds);
    }
    if (rows)
        qsort(rows, count, sizeof(*rows), compare);
    buf_printf(out, "\n%12s %12s %12s  %s\n", "members", "entered/s",
               "exited/s", "segment");
    for (size_t i = 0; rows && i < count && (int)i < max; i++)
        buf_printf(out, "%12.0f %12.1f %12.1f  %s\n", rows[i].segment->members,
                   rows[i].entered, rows[i].exited, rows[i].segment->key);
    if ((int)count > max)
        buf_printf(out, "%12s %zu more\n", "...", count - (size_t)max);
    free(rows);
}

static void print_states(struct buf *out, const struct top_sample *now)
{
    int any = 0;
    buf_str(out, "partitions  ");
    for (int i = 0; i < now->state_count; i++) {
        if (!now->states[i].partitions)
            continue;
        buf_printf(out, "%s%.0f %s", any ? ", " : "", now->states[i].partitions,
                   now->states[i].name);
        any = 1;
    }
    buf_str(out, any ? "\n" : "none\n");
}

static void print_view(struct buf *out, const struct top_sample *now)
{
    if (now->redis_up < 0)
        buf_str(out, "no view\n");
    else if (now->redis_up > 0)
        buf_printf(out, "up, %.1f s behind\n", now->redis_lag_s);
    else
        buf_str(out, "away\n");
}

void top_print(struct buf *out, const struct top_sample *before,
               const struct top_sample *now, int ready, const char *reason,
               int rows)
{
    double s = now->at_s - before->at_s;
    buf_printf(out,
               "segmentd %s  catalogue %s  up %.0f s  cpu %.0f %%  memory %.0f "
               "MiB\n%s%s\n",
               now->version, now->catalogue, now->uptime_s,
               100 * rate(before->cpu_s, now->cpu_s, s), now->memory / 1048576,
               ready ? "ready" : "NOT READY: ", ready ? "" : reason);
    print_states(out, now);
    buf_printf(
        out,
        "events      %.0f/s, %.0f behind, the oldest %.1f s; %.0f inputs "
        "paused\n",
        rate(before->events, now->events, s), now->lag_records, now->lag_s,
        now->paused);
    buf_printf(out, "commits     %.1f/s, aborted %.1f/s\n",
               rate(before->commits, now->commits, s),
               rate(before->aborts, now->aborts, s));
    buf_printf(out, "outputs     %.1f triggers/s, %.1f dead letters/s\n",
               rate(before->triggers, now->triggers, s),
               rate(before->dead_letters, now->dead_letters, s));
    buf_printf(
        out,
        "users       %.0f in %.0f MiB, %.0f to be written, %.0f written/s\n",
        now->users, now->user_bytes / 1048576, now->dirty,
        rate(before->flushed, now->flushed, s));
    buf_str(out, "redis       ");
    print_view(out, now);
    print_segments(out, before, now, s, rows);
}
