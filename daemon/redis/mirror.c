/* mirror.c: states of a mirror, and the list of all of them. */
#include "daemon/redis/mirror.h"

#include <inttypes.h>
#include <stdlib.h>

#include <seg/error.h>

#include "daemon/base/log.h"
#include "daemon/redis/rebuild.h"

struct link *mirror_link(struct mirror *mirror)
{
    link_reset(&mirror->own);
    link_guard(&mirror->own, mirror->partition, &mirror->marker);
    mirror->oldest_ms = MIRROR_NONE;
    return &mirror->own;
}

void mirror_unlink(struct view *view, struct mirror *mirror)
{
    if (mirror->state == MIRROR_TAILING)
        view->pending -= link_steps(&mirror->own);
    mirror->link = NULL;
    mirror_link(mirror);
}

/* ---- states -------------------------------------------------------------- */

static void enter(struct view *view, struct mirror *mirror, int64_t now_ms,
                  int state)
{
    if (mirror->state == MIRROR_TAILING) {
        view->feed.stop(view->feed.impl, mirror->partition);
        mirror->behind_ms =
            mirror->oldest_ms < now_ms ? mirror->oldest_ms : now_ms;
    }
    mirror_unlink(view, mirror);
    rebuild_reset(mirror);
    mirror->state = state;
}

void mirror_look(struct view *view, struct mirror *mirror, int64_t now_ms,
                 int64_t due_ms)
{
    enter(view, mirror, now_ms, MIRROR_LOOKING);
    mirror->due_ms = due_ms;
}

void mirror_begin(struct view *view, struct mirror *mirror, int64_t now_ms,
                  const char *why)
{
    log_info("redis view will be rebuilt",
             "partition=%d marker=\"%s\" reason=\"%s\"", mirror->partition,
             mirror->marker.text, why);
    enter(view, mirror, now_ms, MIRROR_BEGINNING);
    mirror->due_ms = now_ms;
}

void mirror_tail(struct view *view, struct mirror *mirror, int64_t position)
{
    enter(view, mirror, mirror->behind_ms, MIRROR_LOOKING);
    /* Without memory for it: again in the next turn, from the marker. */
    if (view->feed.start(view->feed.impl, mirror->partition, position) < 0)
        return;
    mirror->state = MIRROR_TAILING;
    mirror->next = position;
    mirror->fresh_ms = 0;
}

/* ---- the list ------------------------------------------------------------ */

struct mirror *mirror_find(const struct view *view, int partition)
{
    size_t low = 0, high = view->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (view->mirrors[middle]->partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low < view->count && view->mirrors[low]->partition == partition
               ? view->mirrors[low]
               : NULL;
}

static struct mirror *mirror_new(const struct view *view, int partition,
                                 int64_t now_ms)
{
    struct mirror *mirror = calloc(1, sizeof(*mirror));
    if (!mirror)
        return NULL;
    mirror->partition = partition;
    mirror->behind_ms = now_ms;
    link_init(&mirror->own, view->app, view->kind);
    mirror_link(mirror);
    return mirror;
}

static void mirror_free(struct mirror *mirror)
{
    rebuild_reset(mirror);
    link_done(&mirror->own);
    free(mirror);
}

/* The same mirror is in the list of COUNT MIRRORS, ascending. */
static int is_kept(struct mirror *const *mirrors, size_t count,
                   const struct mirror *mirror)
{
    for (size_t i = 0; i < count; i++)
        if (mirrors[i] == mirror)
            return 1;
    return 0;
}

int mirror_replace(struct view *view, const int *owned, size_t count,
                   int64_t now_ms)
{
    struct mirror **mirrors = calloc(count + 1, sizeof(*mirrors));
    int got = mirrors ? 0 : SEG_ERR_NOMEM;
    for (size_t i = 0; i < count && got == 0; i++) {
        mirrors[i] = mirror_find(view, owned[i]);
        if (!mirrors[i])
            mirrors[i] = mirror_new(view, owned[i], now_ms);
        if (!mirrors[i])
            got = SEG_ERR_NOMEM;
    }
    if (got < 0) {
        for (size_t i = 0; mirrors && i < count && mirrors[i]; i++)
            if (!mirror_find(view, owned[i]))
                mirror_free(mirrors[i]);
        free(mirrors);
        return got;
    }
    for (size_t i = 0; i < view->count; i++)
        if (!is_kept(mirrors, count, view->mirrors[i])) {
            enter(view, view->mirrors[i], now_ms, MIRROR_LOOKING);
            mirror_free(view->mirrors[i]);
        }
    free(view->mirrors);
    view->mirrors = mirrors;
    view->count = count;
    return 0;
}
