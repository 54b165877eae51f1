/* bell.c: waking a worker that waits.
 *
 * `rung` is set by the first who rings and only he writes to the eventfd; the
 * worker takes both back before it looks. Whoever rings after that writes
 * again, so nothing is missed. */
#include "daemon/kafka/bell.h"

#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <seg/error.h>

int bell_open(struct bell *bell)
{
    atomic_init(&bell->rung, 0);
    bell->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return bell->fd < 0 ? SEG_ERR_LIMIT : 0;
}

void bell_close(struct bell *bell)
{
    if (bell->fd >= 0)
        close(bell->fd);
    bell->fd = -1;
}

void bell_ring(struct bell *bell)
{
    uint64_t one = 1;
    if (!atomic_exchange(&bell->rung, 1) &&
        write(bell->fd, &one, sizeof(one)) < 0)
        return; /* The counter is full: readable already. */
}

void bell_wait(struct bell *bell, int fd, int64_t timeout_ms)
{
    struct pollfd fds[] = {{.fd = bell->fd, .events = POLLIN},
                           {.fd = fd, .events = POLLIN}};
    uint64_t count;
    if (timeout_ms > INT_MAX)
        timeout_ms = INT_MAX;
    poll(fds, 2, timeout_ms < 0 ? 0 : (int)timeout_ms);
    if (read(bell->fd, &count, sizeof(count)) > 0)
        atomic_store(&bell->rung, 0);
}
