/* fail.c: failpoints.
 *
 * The table is filled once, before there are threads, and only counted up
 * afterwards. A barrier talks in files, because the one who waits on the other
 * side is a test in another process. */
#include "daemon/base/fail.h"

#ifdef SEGMENTD_FAILPOINTS

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <seg/error.h>

#define BARRIER_POLL_MS 1

enum action { NOTHING, KILL, STOP, SLEEP, ERROR, BARRIER };

static const char *const actions[] = {"",      "kill",  "stop",
                                      "sleep", "error", "barrier"};

static const char *const names[] = {
#define X(name, text, where) text,
    FAIL_TABLE(X)
#undef X
};

static struct point {
    enum action action;
    int sleep_ms;
    int nth; /* 0: every time. */
    atomic_int count;
} points[FAIL_COUNT];

static char folder[PATH_MAX];

static void sleep_ms(int ms)
{
    struct timespec left = {ms / 1000, ms % 1000 * 1000000L};
    while (nanosleep(&left, &left))
        ;
}

static int find(const char *const *words, int count, const char *word)
{
    for (int i = 0; i < count; i++)
        if (*words[i] && !strcmp(words[i], word))
            return i;
    return -1;
}

/* `name=action[ ms][@n]` */
static int read_point(const char *text)
{
    char name[64], action[64];
    int ms = 0, nth = 0, end = 0;
    if (sscanf(text, " %63[a-z_]=%63[a-z]%n", name, action, &end) != 2)
        return SEG_ERR_INVALID;
    int point = find(names, FAIL_COUNT, name);
    int what = find(actions, sizeof(actions) / sizeof(actions[0]), action);
    if (point < 0 || what < 0)
        return SEG_ERR_INVALID;
    int more = 0;
    if (what == SLEEP) {
        if (sscanf(text + end, " %9d%n", &ms, &more) != 1 || ms < 0)
            return SEG_ERR_INVALID;
        end += more;
    }
    if (text[end] == '@') {
        if (sscanf(text + end, "@%9d%n", &nth, &more) != 1 || nth < 1)
            return SEG_ERR_INVALID;
        end += more;
    }
    points[point].action = what;
    points[point].sleep_ms = ms;
    points[point].nth = nth;
    points[point].count = 0;
    return text[end] ? SEG_ERR_INVALID : 0;
}

int fail_open(const char *text, const char *barriers, char *wrong, int size)
{
    int err = 0;
    memset(points, 0, sizeof(points));
    snprintf(folder, sizeof(folder), "%s", barriers ? barriers : ".");
    char *copy = strdup(text ? text : ""), *rest = copy;
    if (!copy)
        return SEG_ERR_NOMEM;
    for (char *one; !err && (one = strsep(&rest, ","));)
        if (*one && (err = read_point(one)) < 0)
            snprintf(wrong, (size_t)size, "%s", one);
    free(copy);
    return err;
}

static void wait_at_barrier(const char *name)
{
    char reached[PATH_MAX + 80], go[PATH_MAX + 80];
    snprintf(reached, sizeof(reached), "%s/%s.reached", folder, name);
    snprintf(go, sizeof(go), "%s/%s.go", folder, name);
    int fd = open(reached, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd >= 0)
        close(fd);
    while (access(go, F_OK))
        sleep_ms(BARRIER_POLL_MS);
}

int fail_reach(enum fail_point number)
{
    struct point *point = &points[number];
    if (point->action == NOTHING ||
        (atomic_fetch_add(&point->count, 1) + 1 != point->nth && point->nth))
        return 0;
    switch (point->action) {
    case NOTHING:
        break;
    case KILL:
        raise(SIGKILL);
        break;
    case STOP:
        raise(SIGSTOP);
        break;
    case SLEEP:
        sleep_ms(point->sleep_ms);
        break;
    case ERROR:
        return 1;
    case BARRIER:
        wait_at_barrier(names[number]);
        break;
    }
    return 0;
}

#else

/* ISO C wants a declaration in every file. */
enum { FAIL_IS_COMPILED_OUT };

#endif
