/* rebuild.c: begin, slices, scan, end. */
#include "daemon/redis/rebuild.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <seg/error.h>

#include "daemon/base/fail.h"
#include "daemon/base/log.h"
#include "daemon/redis/connection.h"
#include "lib/base/alloc.h"

#define SCAN_PAGE    "1000" /* Keys per call, about a millisecond of Redis. */
#define ASK_AGAIN_MS 200    /* When no worker runs the partition. */
#define PREFIX_BYTES 300

static int under_rebuild(const struct mirror *mirror)
{
    return mirror->state == MIRROR_BEGINNING ||
           mirror->state == MIRROR_SLICING || mirror->state == MIRROR_SLICED;
}

void rebuild_reset(struct mirror *mirror)
{
    if (mirror->slice && mirror->link == &mirror->slice->link)
        mirror->link = NULL;
    slice_free(mirror->slice);
    mirror->slice = NULL;
    free(mirror->users);
    mirror->users = NULL;
    mirror->user_count = mirror->user_cap = 0;
    mirror->cursor = mirror->incarnation = mirror->links = 0;
    mirror->asked = mirror->last = 0;
}

/* The marker after the next link of MIRROR's chain. */
static void name_next(struct mirror *mirror, struct link *link)
{
    snprintf(link->next.text, sizeof(link->next.text),
             "R%016" PRIx64 ".%" PRIu64, mirror->number, mirror->links++);
}

/* Each chain has a random name of its own: a marker of an earlier one, come
 * back with an older copy of Redis, must not be taken for a link of this one.
 */
static void begin(struct mirror *mirror)
{
    struct link *link = mirror_link(mirror);
    rebuild_reset(mirror);
    if (getrandom(&mirror->number, sizeof(mirror->number), 0) !=
        (ssize_t)sizeof(mirror->number))
        return;
    name_next(mirror, link);
    mirror->link = link;
}

/* The users of MIRROR cannot be had now: all over again, later. */
static void pause_mirror(struct mirror *mirror, int64_t now_ms)
{
    mirror->state = MIRROR_BEGINNING;
    mirror->due_ms = now_ms + ASK_AGAIN_MS;
}

/* ---- slices ------------------------------------------------------------ */

static void ask(struct view *view, struct mirror *mirror, int64_t now_ms)
{
    struct slice *slice;
    if (slice_new(&slice, view->app, mirror->partition) < 0)
        return;
    slice->cursor = mirror->cursor;
    slice->incarnation = mirror->incarnation;
    link_guard(&slice->link, mirror->partition, &mirror->marker);
    mirror->asked = view->feed.ask(view->feed.impl, slice);
    if (mirror->asked)
        return;
    slice_free(slice);
    pause_mirror(mirror, now_ms);
}

/* SLICE came back for MIRROR, which waited for it. */
static void receive(struct mirror *mirror, struct slice *slice, int64_t now_ms)
{
    mirror->asked = 0;
    if (slice->gone || slice->link.failed ||
        (mirror->incarnation && slice->incarnation != mirror->incarnation)) {
        slice_free(slice);
        pause_mirror(mirror, now_ms);
        return;
    }
    if (!mirror->incarnation)
        mirror->start = slice->position;
    mirror->incarnation = slice->incarnation;
    mirror->cursor = slice->cursor;
    mirror->last = !slice->more;
    mirror->slice = slice;
    name_next(mirror, &slice->link);
    mirror->link = &slice->link;
}

static void receive_all(struct view *view, int64_t now_ms)
{
    struct slice *slice;
    while ((slice = view->feed.answer(view->feed.impl))) {
        struct mirror *mirror = mirror_find(view, slice->partition);
        /* Asked for by a rebuild that is over: the guard is another one. */
        if (mirror && mirror->asked && mirror->state == MIRROR_SLICING &&
            !strcmp(slice->link.guards[0].text, mirror->marker.text))
            receive(mirror, slice, now_ms);
        else
            slice_free(slice);
    }
}

void rebuild_turn(struct view *view, int64_t now_ms)
{
    receive_all(view, now_ms);
    for (size_t i = 0; i < view->count; i++) {
        struct mirror *mirror = view->mirrors[i];
        if (mirror->link)
            continue;
        if (mirror->state == MIRROR_BEGINNING && now_ms >= mirror->due_ms &&
            !view->scan.on &&
            view->feed.running(view->feed.impl, mirror->partition))
            begin(mirror);
        if (mirror->state == MIRROR_SLICING && !mirror->asked)
            ask(view, mirror, now_ms);
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The users of MIRROR's slice are in Redis. */
static int note_users(struct mirror *mirror)
{
    const struct slice *slice = mirror->slice;
    if (alloc_grow((void **)&mirror->users, &mirror->user_cap,
                   mirror->user_count + slice->count,
                   sizeof(*mirror->users)) < 0)
        return SEG_ERR_NOMEM;
    if (slice->count)
        memcpy(mirror->users + mirror->user_count, slice->users,
               slice->count * sizeof(*slice->users));
    mirror->user_count += slice->count;
    return 0;
}

void rebuild_linked(struct view *view, struct mirror *mirror, int64_t now_ms)
{
    if (mirror->state == MIRROR_BEGINNING) {
        mirror->state = MIRROR_SLICING;
    } else if (mirror->state == MIRROR_SLICING) {
        int noted = note_users(mirror);
        slice_free(mirror->slice);
        mirror->slice = NULL;
        if (noted < 0)
            mirror_look(view, mirror, now_ms, now_ms + REBUILD_PAUSE_MS);
        else if (mirror->last) {
            if (mirror->user_count)
                qsort(mirror->users, mirror->user_count, sizeof(*mirror->users),
                      by_value);
            mirror->state = MIRROR_SLICED;
        }
        (void)FAIL_POINT(REBUILD_HALF);
    } else if (*mirror->marker.text != 'R') {
        log_info("redis view rebuilt", "partition=%d users=%zu position=%s",
                 mirror->partition, mirror->user_count, mirror->marker.text);
        metric_add(&view->metric.rebuilds, 1);
        mirror_tail(view, mirror, mirror->start);
    }
}

/* ---- scan -------------------------------------------------------------- */

static int knows(const struct mirror *mirror, uint64_t user)
{
    return mirror->user_count &&
           bsearch(&user, mirror->users, mirror->user_count,
                   sizeof(*mirror->users), by_value);
}

/* Mirrors of this rebuild: all users of these are written. */
static int sliced_count(const struct view *view)
{
    int count = 0;
    for (size_t i = 0; i < view->count; i++)
        count += view->mirrors[i]->state == MIRROR_SLICED;
    return count;
}

/* Whether they are all partitions there are. */
static int covers_all(const struct view *view)
{
    int count = view->feed.partition_count(view->feed.impl);
    return count > 0 && sliced_count(view) == count;
}

/* The mirror that may remove USER, of whom it says that nobody knows him. NULL:
 * somebody does, or might. */
static struct mirror *judge(struct view *view, struct seg_text user)
{
    uint64_t hash = slice_hash(user);
    int count = view->feed.partition_count(view->feed.impl);
    if (view->partitioner != PARTITIONER_TRUST && count > 0) {
        struct mirror *mirror = mirror_find(
            view, partitioner_partition(view->partitioner, user.bytes, user.len,
                                        count));
        return mirror && mirror->state == MIRROR_SLICED && !knows(mirror, hash)
                   ? mirror
                   : NULL;
    }
    for (size_t i = 0; i < view->count; i++)
        if (knows(view->mirrors[i], hash))
            return NULL;
    return covers_all(view) ? view->mirrors[0] : NULL;
}

/* The link by which MIRROR removes keys. When it speaks for all partitions, all
 * of their chains must hold. */
static struct link *removal(struct view *view, struct mirror *mirror)
{
    if (mirror->link)
        return mirror->link;
    mirror->link = mirror_link(mirror);
    name_next(mirror, mirror->link);
    if (view->partitioner == PARTITIONER_TRUST)
        for (size_t i = 1; i < view->count; i++)
            link_guard(mirror->link, view->mirrors[i]->partition,
                       &view->mirrors[i]->marker);
    return mirror->link;
}

/* Take the keys of one page: steps for those of users nobody knows. */
static void take_page(struct view *view, const redisReply *keys)
{
    char prefix[PREFIX_BYTES];
    size_t prefix_len = link_user_prefix(prefix, sizeof(prefix), view->app);
    for (size_t i = 0; i < keys->elements; i++) {
        const redisReply *key = keys->element[i];
        if (key->type != REDIS_REPLY_STRING || key->len < prefix_len ||
            memcmp(key->str, prefix, prefix_len))
            continue;
        struct seg_text user = {key->str + prefix_len, key->len - prefix_len};
        struct mirror *mirror = judge(view, user);
        if (mirror)
            link_clear(removal(view, mirror), user);
    }
}

static void scan_page(struct view *view, int64_t now_ms)
{
    char pattern[PREFIX_BYTES + 1];
    redisReply *reply;
    size_t len = link_user_prefix(pattern, PREFIX_BYTES, view->app);
    memcpy(pattern + len, "*", 2);
    connection_call(view->connection, 6,
                    (const char *[]){"SCAN", view->scan.cursor, "MATCH",
                                     pattern, "COUNT", SCAN_PAGE},
                    NULL);
    if (connection_answer(view->connection, now_ms, &reply) != CONNECTION_OK ||
        reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[0]->len >= sizeof(view->scan.cursor))
        return;
    memcpy(view->scan.cursor, reply->element[0]->str,
           reply->element[0]->len + 1);
    view->scan.ended = !strcmp(view->scan.cursor, "0");
    take_page(view, reply->element[1]);
}

/* Everything is written: the markers say so. */
static void end(struct view *view)
{
    if (view->partitioner == PARTITIONER_TRUST && !covers_all(view))
        log_warn(
            "users whom nobody knows any more may have stayed in redis",
            "reason=\"partitioner trust, and not all partitions are here\"");
    for (size_t i = 0; i < view->count; i++) {
        struct mirror *mirror = view->mirrors[i];
        if (mirror->state != MIRROR_SLICED)
            continue;
        mirror->link = mirror_link(mirror);
        snprintf(mirror->link->next.text, sizeof(mirror->link->next.text),
                 "%" PRId64, mirror->start);
    }
    view->scan.on = 0;
}

/* Some users are not written yet, or something is under way. */
static int must_wait(const struct view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct mirror *mirror = view->mirrors[i];
        if ((under_rebuild(mirror) && mirror->link) ||
            mirror->state == MIRROR_SLICING)
            return 1;
    }
    return 0;
}

void rebuild_scan(struct view *view, int64_t now_ms)
{
    uint64_t connection = connection_number(view->connection);
    if (!sliced_count(view))
        view->scan.on = 0;
    if (!sliced_count(view) || must_wait(view))
        return;
    if (!view->scan.on || view->scan.connection != connection) {
        view->scan.on = 1;
        view->scan.ended = 0;
        view->scan.connection = connection;
        memcpy(view->scan.cursor, "0", 2);
    }
    if (view->scan.ended)
        end(view);
    else
        scan_page(view, now_ms);
}
