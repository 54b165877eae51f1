/* top_sample.h: what `segmentctl top` shows, from two looks at a segmentd. */
#ifndef CTL_TOP_SAMPLE_H
#define CTL_TOP_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

#define TOP_NAME_BYTES   128
#define TOP_STATES_MAX   16
#define TOP_SEGMENTS_MAX 10000 /* The rest is not looked at. */

/* Numbers of a segment, or by state. */
struct top_segment {
    char key[TOP_NAME_BYTES];
    double entered, exited, members;
};

struct top_state {
    char name[TOP_NAME_BYTES];
    double partitions;
};

/* One look at /metrics. */
struct top_sample {
    double at_s; /* Monotonic, when it was taken. */
    double events, commits, aborts, triggers, dead_letters, flushed;
    double lag_records, lag_s, users, user_bytes, dirty, memory, uptime_s,
        cpu_s;
    double redis_up, redis_lag_s; /* redis_up below 0: there is no view. */
    double paused;                /* Inputs. */
    char version[TOP_NAME_BYTES], catalogue[TOP_NAME_BYTES];
    struct top_state states[TOP_STATES_MAX];
    int state_count;
    struct top_segment *segments;
    size_t segment_count, segment_cap;
    /* While it is read. */
    char first[TOP_NAME_BYTES]; /* Metric of segments. */
    size_t guess;               /* Index of the next one's segment. */
};

/* Read the LEN bytes at TEXT, as /metrics writes them, into SAMPLE, which is
 * done with top_sample_done in any case. Returns 0; SEG_ERR_INVALID if it is
 * nothing of segmentd's; or SEG_ERR_NOMEM. */
int top_sample_read(struct top_sample *sample, const char *text, size_t len,
                    double at_s);
void top_sample_done(struct top_sample *sample);

/* Append what happened between BEFORE and NOW, and how things stand: some
 * lines, with the ROWS busiest segments. READY and REASON are as of /readyz. */
void top_print(struct buf *out, const struct top_sample *before,
               const struct top_sample *now, int ready, const char *reason,
               int rows);

#endif
