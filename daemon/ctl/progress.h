/* progress.h: a bar on a terminal for work that takes a while. */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stdint.h>

struct progress {
    int64_t total; /* Bytes; 0: not known. */
    int64_t next_us;
    int shown; /* Something stands on the line. */
    int on;    /* Standard error is a terminal. */
};

void progress_init(struct progress *progress, int64_t total);

/* Show that DONE bytes and COUNT messages are done, RATE per second; at most
 * ten times a second at NOW_US. */
void progress_show(struct progress *progress, int64_t now_us, int64_t done,
                   int64_t count, double rate);

/* Take the bar away, for other lines. */
void progress_clear(struct progress *progress);

#endif
