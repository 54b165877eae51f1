/* check_notify.c: telling systemd how we are. */
#include "daemon/base/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <seg/error.h>

#include "tests/support/suite.h"

/* A socket as systemd has it, at PATH (@ for the abstract namespace). */
static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    strcpy(address.sun_path, path);
    if (*path == '@')
        address.sun_path[0] = 0;
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                                      strlen(path))),
                     0);
    return fd;
}

static const char *const prefixes[] = {"/tmp/", "@"};

START_TEST(states_reach_the_socket_that_is_named)
{
    char path[64], got[512] = "";
    snprintf(path, sizeof(path), "%scheck_notify.%d", prefixes[_i], getpid());
    int fd = listen_at(path);
    setenv("NOTIFY_SOCKET", path, 1);
    ck_assert_int_eq(notify_send("READY=1\nSTATUS=here"), 1);
    ck_assert_int_gt(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 0);
    ck_assert_str_eq(got, "READY=1\nSTATUS=here");
    memset(got, 0, sizeof(got));
    notify_status("%d partitions", 4);
    ck_assert_int_gt(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 0);
    ck_assert_str_eq(got, "STATUS=4 partitions");
    memset(got, 0, sizeof(got));
    notify_status("%s", "refused\nREADY=1");
    ck_assert_int_gt(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 0);
    ck_assert_str_eq(got, "STATUS=refused READY=1");
    memset(got, 0, sizeof(got));
    ck_assert_int_eq(notify_ready(), 1);
    ck_assert_int_gt(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 0);
    ck_assert_str_eq(got, "READY=1");
    close(fd);
    unlink(path);
}
END_TEST

static int64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

START_TEST(a_reload_is_told_with_the_instant_it_began)
{
    char path[64], got[512] = "";
    long long us = 0;
    snprintf(path, sizeof(path), "@check_notify.%d", getpid());
    int fd = listen_at(path);
    setenv("NOTIFY_SOCKET", path, 1);
    int64_t before_us = monotonic_us();
    notify_reloading();
    ck_assert_int_gt(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 0);
    ck_assert_int_eq(sscanf(got, "RELOADING=1\nMONOTONIC_USEC=%lld", &us), 1);
    ck_assert(us >= before_us && us <= monotonic_us());
    close(fd);
}
END_TEST

START_TEST(who_does_not_read_blocks_nobody)
{
    char path[64];
    int sent = 0, got;
    snprintf(path, sizeof(path), "@check_notify.%d", getpid());
    int fd = listen_at(path);
    setenv("NOTIFY_SOCKET", path, 1);
    while ((got = notify_send("STATUS=x")) == 1 && sent < 100000)
        sent++;
    ck_assert_int_eq(got, SEG_ERR_LIMIT);
    ck_assert_int_gt(sent, 0);
    close(fd);
}
END_TEST

START_TEST(without_systemd_nothing_is_sent)
{
    unsetenv("NOTIFY_SOCKET");
    ck_assert_int_eq(notify_send("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "/tmp/check_notify.nobody", 1);
    ck_assert_int_eq(notify_send("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "relative", 1);
    ck_assert_int_eq(notify_send("READY=1"), 0);
}
END_TEST

SUITE("notify", NULL, NULL,
      TABLE(states_reach_the_socket_that_is_named, prefixes),
      TEST(a_reload_is_told_with_the_instant_it_began),
      TEST(who_does_not_read_blocks_nobody),
      TEST(without_systemd_nothing_is_sent))
