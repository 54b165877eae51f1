/* progress.c: one line, written over and over. */
#include "daemon/ctl/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define WIDTH 30

void progress_init(struct progress *progress, int64_t total)
{
    *progress = (struct progress){.total = total, .on = isatty(2)};
}

void progress_show(struct progress *progress, int64_t now_us, int64_t done,
                   int64_t count, double rate)
{
    if (!progress->on || now_us < progress->next_us)
        return;
    progress->next_us = now_us + 100000;
    progress->shown = 1;
    fputs("\r\033[K", stderr);
    if (progress->total > 0) {
        int64_t filled = done * WIDTH / progress->total;
        for (int i = 0; i < WIDTH; i++)
            fputs(i < filled ? "█" : "░", stderr);
        fprintf(stderr, " %3" PRId64 " %%", done * 100 / progress->total);
    }
    fprintf(stderr, "  %" PRId64 " messages, %.0f/s", count, rate);
    fflush(stderr);
}

void progress_clear(struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = 0;
}
