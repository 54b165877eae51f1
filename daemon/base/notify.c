/* notify.c: telling systemd how we are. */
#include "daemon/base/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <seg/error.h>

int notify_send(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || (*path != '/' && *path != '@') ||
        strlen(path) >= sizeof(address.sun_path))
        return 0;
    size_t len = strlen(path);
    memcpy(address.sun_path, path, len);
    if (*path == '@') /* A name in the abstract namespace. */
        address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    ssize_t sent =
        sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
               (struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    int full = sent < 0 && errno == EAGAIN;
    close(fd);
    return full ? SEG_ERR_LIMIT : sent >= 0;
}

int notify_ready(void)
{
    return notify_send("READY=1");
}

void notify_reloading(void)
{
    char state[80];
    struct timespec now; /* It asks for this very clock. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    notify_send(state);
}

int64_t notify_watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    int64_t us = usec ? strtoll(usec, NULL, 10) : 0;
    if (us <= 0 || (pid && strtoll(pid, NULL, 10) != getpid()))
        return 0;
    return us < 3000 ? 1 : us / 3000;
}

void notify_status(const char *format, ...)
{
    char state[256] = "STATUS=";
    va_list args;
    va_start(args, format);
    vsnprintf(state + 7, sizeof(state) - 7, format, args);
    va_end(args);
    for (char *c = state; *c; c++) /* What others say must be no second line. */
        if ((unsigned char)*c < ' ')
            *c = ' ';
    notify_send(state);
}
