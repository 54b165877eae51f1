/* clock.c: the only place that asks what time it is.
 *
 *     realtime  |--start------------.      (step)   .------
 *     boottime  |--start------------+---------------+------
 *     wall      = realtime at start + boottime since: no step in it */
#include "daemon/base/clock.h"

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#ifdef SEGMENTD_FAILPOINTS
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "daemon/base/log.h"

static int64_t system_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_realtime_us(void)
{
    return system_us(CLOCK_REALTIME);
}

static int64_t system_boottime_us(void)
{
    return system_us(CLOCK_BOOTTIME);
}

static int64_t (*realtime_us)(void) = system_realtime_us;
static int64_t (*boottime_us)(void) = system_boottime_us;

/* Wall less boottime, fixed by clock_open. Atomic for those who log before. */
static _Atomic int64_t anchor_us;
static int64_t opened_us;    /* Boottime of clock_open. */
static int64_t last_step_ms; /* What clock_check found last. */

void clock_source(int64_t (*realtime)(void), int64_t (*boottime)(void))
{
    realtime_us = realtime ? realtime : system_realtime_us;
    boottime_us = boottime ? boottime : system_boottime_us;
}

void clock_open(void)
{
    opened_us = boottime_us();
    anchor_us = realtime_us() - opened_us;
    last_step_ms = 0;
}

int64_t clock_wall_ms(void)
{
    int64_t anchor = anchor_us;
    return (anchor ? anchor + boottime_us() : realtime_us()) / 1000;
}

int64_t clock_monotonic_us(void)
{
    return boottime_us();
}

int64_t clock_monotonic_ms(void)
{
    return boottime_us() / 1000;
}

int64_t clock_uptime_ms(void)
{
    return (boottime_us() - opened_us) / 1000;
}

int64_t clock_check(void)
{
    int64_t step_ms = realtime_us() / 1000 - clock_wall_ms();
    int64_t moved_ms = step_ms - last_step_ms;
    if (moved_ms > CLOCK_STEP_MS || moved_ms < -CLOCK_STEP_MS) {
        log_warn("the system's clock was set; keeping ours until a restart",
                 "step=%.3fs difference=%.3fs", (double)moved_ms / 1000,
                 (double)step_ms / 1000);
        last_step_ms = step_ms;
    }
    return step_ms;
}

#ifdef SEGMENTD_FAILPOINTS
static const volatile int64_t *shift_ms;

static int64_t shifted_realtime_us(void)
{
    return system_realtime_us() + shift_ms[0] * 1000;
}

static int64_t shifted_boottime_us(void)
{
    return system_boottime_us() + shift_ms[1] * 1000;
}

int clock_shift(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    void *map = mmap(NULL, 2 * sizeof(*shift_ms), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return -1;
    shift_ms = map;
    clock_source(shifted_realtime_us, shifted_boottime_us);
    return 0;
}
#endif
