/* fail.c: failpoints.
 *
 * The table is filled once, before there are threads; afterwards it is counted
 * up, and a point gets an order that a test left for it. Orders and barriers
 * are files, because the one on the other side is a test in another process. */
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
    atomic_int action; /* enum action; set last. */
    int sleep_ms;
    int nth; /* 0: every time. */
    atomic_int count;
} points[FAIL_COUNT];

static char folder[PATH_MAX];
static int takes_orders;

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
    points[point].sleep_ms = ms;
    points[point].nth = nth;
    points[point].count = 0;
    points[point].action = what;
    return text[end] ? SEG_ERR_INVALID : 0;
}

int fail_open(const char *text, const char *barriers, char *wrong, int size)
{
    int err = 0;
    memset(points, 0, sizeof(points));
    takes_orders = barriers != NULL;
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

static void path_of(char path[PATH_MAX + 80], const char *name, const char *end)
{
    snprintf(path, PATH_MAX + 80, "%s/%s.%s", folder, name, end);
}

/* Another order ends the waiting as well, whoever takes it, and then REACHED is
 * gone; it is obeyed the next time. */
static void wait_at_barrier(const struct point *point, const char *name)
{
    char reached[PATH_MAX + 80], go[PATH_MAX + 80], order[PATH_MAX + 80];
    path_of(reached, name, "reached");
    path_of(go, name, "go");
    path_of(order, name, "order");
    int fd = open(reached, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd >= 0)
        close(fd);
    while (access(go, F_OK)) {
        if (takes_orders &&
            (point->action != BARRIER || !access(order, F_OK))) {
            unlink(reached);
            break;
        }
        sleep_ms(BARRIER_POLL_MS);
    }
}

/* <folder>/<name>.order, if it is there: the first who renames it takes it. */
static void look_for_order(const char *name)
{
    char order[PATH_MAX + 80], taken[PATH_MAX + 80], text[160];
    path_of(order, name, "order");
    path_of(taken, name, "taken");
    if (access(order, F_OK) || rename(order, taken))
        return;
    int start = snprintf(text, sizeof(text), "%s=", name);
    int fd = open(taken, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text + start, 64);
    if (fd >= 0)
        close(fd);
    text[start + (len > 0 ? len : 0)] = '\0';
    if (len <= 0 || read_point(text) < 0)
        abort(); /* A test must not believe that it was obeyed. */
}

int fail_reach(enum fail_point number)
{
    struct point *point = &points[number];
    if (takes_orders)
        look_for_order(names[number]);
    if (point->action == NOTHING ||
        (atomic_fetch_add(&point->count, 1) + 1 != point->nth && point->nth))
        return 0;
    switch ((enum action)point->action) {
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
        wait_at_barrier(point, names[number]);
        break;
    }
    return 0;
}

#else

/* ISO C wants a declaration in every file. */
enum { FAIL_IS_COMPILED_OUT };

#endif
