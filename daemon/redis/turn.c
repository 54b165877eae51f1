/* turn.c: a turn of the view.
 *
 *     follow     mirrors for the partitions that are owned now
 *     gather     changes from the topic into links (the only wait for news)
 *     look       at a marker that is not known
 *     exchange   all links in one pipeline, then all answers
 *     scan       a page, when a rebuild is that far
 *     beat       the heartbeat, when all of the above is well
 *
 * Every step is bounded, so the thread hears soon that it is to stop, and does
 * what it can when the one before could do nothing. Within a turn calls to
 * Redis stop with the first CONNECTION_WAIT; the next turn asks for a new
 * connection. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "daemon/base/fail.h"
#include "daemon/base/log.h"
#include "daemon/protocol/record.h"
#include "daemon/redis/connection.h"
#include "daemon/redis/mirror.h"
#include "daemon/redis/rebuild.h"
#include "daemon/redis/traits.h"

#define PENDING_MAX     4000 /* Changes in links; bounds memory and a call. */
#define TICK_MS         1000 /* Between looks at the markers of quiet partitions. */
#define LOOK_AGAIN_MS   500  /* After brokers that do not answer. */
#define REBUILD_WAIT_MS 5    /* For news, while slices are under way. */
#define OWNED_MAX       4096 /* Partitions of one process. */
#define KEY_BYTES       300  /* Of a key without a user: app is at most 200. */

int turn_new(struct view **ret, const char *app,
             const struct connection_options *redis, const struct feed *feed)
{
    struct view *view = calloc(1, sizeof(*view));
    if (!view)
        return SEG_ERR_NOMEM;
    view->owned = malloc(OWNED_MAX * sizeof(*view->owned));
    if (!view->owned || connection_new(&view->connection, redis) < 0) {
        turn_free(view);
        return SEG_ERR_NOMEM;
    }
    view->app = app;
    view->heartbeat_ms = 10 * TICK_MS;
    view->partitioner = PARTITIONER_TRUST;
    view->feed = *feed;
    view->change = UINT64_MAX;
    *ret = view;
    return 0;
}

void turn_free(struct view *view)
{
    if (!view)
        return;
    if (view->count)
        mirror_replace(view, NULL, 0, 0);
    if (view->feed.close)
        view->feed.close(view->feed.impl);
    connection_free(view->connection);
    free(view->mirrors);
    free(view->owned);
    free(view);
}

static void follow(struct view *view, int64_t now_ms)
{
    uint64_t change = view->feed.change(view->feed.impl);
    if (change == view->change)
        return;
    int count = view->feed.owned(view->feed.impl, view->owned, OWNED_MAX);
    if (mirror_replace(view, view->owned, (size_t)count, now_ms) == 0)
        view->change = change;
}

/* ---- gather -------------------------------------------------------------- */

static void take_change(struct view *view, struct mirror *mirror,
                        const struct tail_record *record)
{
    struct record_back back;
    struct seg_error detail;
    size_t before = link_steps(&mirror->own);
    if (record_read(&back, record->value, record->len, &detail) < 0) {
        log_error("the change topic holds something else, left out",
                  "partition=%d offset=%" PRId64 " reason=\"%s\"",
                  record->partition, record->offset, detail.message);
    } else if (back.kind == SEG_OUTPUT_CHANGE) {
        const struct seg_restored *change = &back.restored;
        if (change->member)
            link_put(&mirror->own, change->user_id, change->segment,
                     change->entered_at_ms);
        else
            link_drop(&mirror->own, change->user_id, change->segment);
        if (mirror->oldest_ms == MIRROR_NONE)
            mirror->oldest_ms = record->timestamp_ms;
        view->pending += link_steps(&mirror->own) - before;
    }
    record_back_done(&back);
}

static void take_traits(struct view *view, struct mirror *mirror,
                        const struct tail_record *record)
{
    struct seg_error detail;
    size_t before = link_steps(&mirror->own);
    if (traits_take(&mirror->own, record->value, record->len, &detail) < 0)
        log_error("the traits topic holds something else, left out",
                  "partition=%d offset=%" PRId64 " reason=\"%s\"",
                  record->partition, record->offset, detail.message);
    else if (mirror->oldest_ms == MIRROR_NONE)
        mirror->oldest_ms = record->timestamp_ms;
    view->pending += link_steps(&mirror->own) - before;
}

/* Returns 0 when there was nothing within TIMEOUT_MS. */
static int take_record(struct view *view, int64_t now_ms, int timeout_ms)
{
    struct tail_record record;
    int answer = view->feed.next(view->feed.impl, timeout_ms, &record);
    if (answer == TAIL_NOTHING)
        return 0;
    struct mirror *mirror = mirror_find(view, record.partition);
    if (!mirror || mirror->state != MIRROR_TAILING)
        return 1;
    if (answer == TAIL_GONE) {
        mirror_look(view, mirror, now_ms, now_ms);
    } else if (answer == TAIL_END) {
        mirror->next = record.offset;
        mirror->fresh_ms = MIRROR_NONE;
    } else {
        if (view->kind == LINK_TRAITS)
            take_traits(view, mirror, &record);
        else
            take_change(view, mirror, &record);
        mirror->next = record.offset + 1;
        mirror->fresh_ms = record.timestamp_ms;
    }
    return 1;
}

/* How long to wait for news: not at all when there is something to do. */
static int wait_of(const struct view *view, int64_t now_ms, int wait_ms)
{
    if (!view->usable)
        return wait_ms;
    if (view->pending)
        return 0;
    for (size_t i = 0; i < view->count; i++) {
        const struct mirror *mirror = view->mirrors[i];
        if (mirror->state == MIRROR_LOOKING && mirror->due_ms <= now_ms)
            return 0;
        if (mirror->state != MIRROR_TAILING && wait_ms > REBUILD_WAIT_MS)
            wait_ms = REBUILD_WAIT_MS;
    }
    return wait_ms;
}

static void gather(struct view *view, int64_t now_ms, int wait_ms)
{
    wait_ms = wait_of(view, now_ms, wait_ms);
    if (view->pending >= PENDING_MAX)
        view->feed.rest(view->feed.impl, wait_ms);
    while (view->pending < PENDING_MAX && take_record(view, now_ms, wait_ms))
        wait_ms = 0;
}

/* ---- look ---------------------------------------------------------------- */

/* MARKER as a position; -1 if it is none. */
static int64_t position_of(const struct link_marker *marker)
{
    char *end;
    if (*marker->text < '0' || *marker->text > '9')
        return -1;
    long long position = strtoll(marker->text, &end, 10);
    return *end || strlen(marker->text) > 18 ? -1 : position;
}

/* Read the marker of MIRROR. One that cannot be ours is removed, which is as
 * good as none: no link could expect it. Returns 0 when Redis does not answer.
 */
static int read_marker(struct view *view, struct mirror *mirror, int64_t now_ms)
{
    char key[KEY_BYTES];
    redisReply *reply;
    link_marker_key(key, sizeof(key), view->app, view->kind, mirror->partition);
    connection_call(view->connection, 2, (const char *[]){"GET", key}, NULL);
    int answer = connection_answer(view->connection, now_ms, &reply);
    if (answer == CONNECTION_WRONG_TYPE ||
        (answer == CONNECTION_OK &&
         !link_marker_take(&mirror->marker, reply))) {
        *mirror->marker.text = 0;
        connection_call(view->connection, 2, (const char *[]){"DEL", key},
                        NULL);
        answer = connection_answer(view->connection, now_ms, &reply);
    }
    return answer == CONNECTION_OK;
}

/* The same for traits: where the marker is of no use, from the beginning. */
static void follow_traits(struct view *view, struct mirror *mirror,
                          int64_t now_ms)
{
    int64_t low, high;
    int64_t position = position_of(&mirror->marker);
    if (view->feed.bounds(view->feed.impl, mirror->partition, &low, &high) <
        0) {
        mirror->due_ms = now_ms + LOOK_AGAIN_MS;
        return;
    }
    if (position < low || position > high) {
        log_info("redis traits will be written anew",
                 "partition=%d marker=\"%s\"", mirror->partition,
                 mirror->marker.text);
        position = low;
    }
    mirror_tail(view, mirror, position);
}

/* Where to go on with MIRROR, whose marker is known. */
static void follow_marker(struct view *view, struct mirror *mirror,
                          int64_t now_ms)
{
    int64_t low, high;
    int64_t position = position_of(&mirror->marker);
    if (view->kind == LINK_TRAITS) {
        follow_traits(view, mirror, now_ms);
        return;
    }
    if (position < 0) {
        mirror_begin(view, mirror, now_ms,
                     *mirror->marker.text ? "a rebuild was not finished"
                                          : "there is no marker");
        return;
    }
    if (view->feed.bounds(view->feed.impl, mirror->partition, &low, &high) < 0)
        mirror->due_ms = now_ms + LOOK_AGAIN_MS;
    else if (position < low)
        mirror_begin(view, mirror, now_ms,
                     "the topic does not reach back so far");
    else if (position > high)
        mirror_begin(view, mirror, now_ms, "the marker is ahead of the topic");
    else
        mirror_tail(view, mirror, position);
}

/* One at a time: the brokers are asked, and may take their time. Returns 0 when
 * Redis does not answer. */
static int look(struct view *view, int64_t now_ms)
{
    for (size_t i = 0; i < view->count; i++) {
        struct mirror *mirror = view->mirrors[i];
        if (mirror->state != MIRROR_LOOKING || mirror->due_ms > now_ms)
            continue;
        if (!read_marker(view, mirror, now_ms))
            return 0;
        follow_marker(view, mirror, now_ms);
        return 1;
    }
    return 1;
}

/* ---- exchange ------------------------------------------------------------ */

static void done(struct view *view, struct mirror *mirror, int64_t now_ms)
{
    (void)FAIL_POINT(VIEW_AFTER_APPLY);
    mirror->marker = mirror->link->next;
    metric_add(&view->metric.batches, 1);
    if (mirror->state == MIRROR_TAILING)
        metric_add(&view->metric.changes, (int64_t)link_steps(mirror->link));
    mirror_unlink(view, mirror);
    if (mirror->state != MIRROR_TAILING)
        rebuild_linked(view, mirror, now_ms);
}

static void elsewhere(struct view *view, struct mirror *mirror, int64_t now_ms,
                      const struct link_marker *where)
{
    int rebuild = mirror->state != MIRROR_TAILING;
    log_info("redis marker is not where we left it, following it",
             "partition=%d left=\"%s\" found=\"%s\"", mirror->partition,
             mirror->marker.text, where->text);
    metric_add(&view->metric.resyncs, 1);
    mirror_look(view, mirror, now_ms,
                rebuild && *where->text
                    ? now_ms + REBUILD_PAUSE_MS +
                          (int64_t)(mirror->number % REBUILD_PAUSE_MS)
                    : now_ms);
}

/* A key of a user is not ours: what it was nobody knows. Or the marker itself,
 * which looking removes; in a rebuild it can be nothing else. */
static void wrong_type(struct view *view, struct mirror *mirror, int64_t now_ms)
{
    if (mirror->state == MIRROR_TAILING && view->kind == LINK_MEMBERSHIPS)
        mirror_begin(view, mirror, now_ms, "a key is of another type");
    else
        mirror_look(view, mirror, now_ms, now_ms);
}

/* Send what there is of MIRROR. Returns 1 if there is an answer to wait for. */
static int send_link(struct view *view, struct mirror *mirror, int64_t now_ms,
                     int tick)
{
    if (mirror->state == MIRROR_TAILING &&
        (tick || link_steps(&mirror->own) || mirror->own.failed)) {
        mirror->link = &mirror->own;
        snprintf(mirror->own.next.text, sizeof(mirror->own.next.text),
                 "%" PRId64, mirror->next);
    }
    if (!mirror->link)
        return 0;
    if (!mirror->link->failed &&
        link_send(mirror->link, &view->script, view->connection) == 0)
        return 1;
    log_error("no memory for the redis view, trying again", "partition=%d",
              mirror->partition);
    mirror_look(view, mirror, now_ms, now_ms + LOOK_AGAIN_MS);
    return 0;
}

/* Take the answer to MIRROR's link. Returns 0 when Redis cannot be used: the
 * other answers will not come. */
static int receive_answer(struct view *view, struct mirror *mirror,
                          int64_t now_ms)
{
    struct link_marker where;
    mirror->sent = 0;
    switch (link_answer(mirror->link, &view->script, view->connection, now_ms,
                        &where)) {
    case LINK_DONE:
        done(view, mirror, now_ms);
        break;
    case LINK_ELSEWHERE:
        elsewhere(view, mirror, now_ms, &where);
        break;
    case LINK_WRONG_TYPE:
        wrong_type(view, mirror, now_ms);
        break;
    case LINK_AGAIN:
        break;
    case LINK_WAIT:
        metric_add(&view->metric.errors, 1);
        return 0;
    }
    return 1;
}

/* All links out, all answers in. Returns 0 when Redis cannot be used. */
static int exchange(struct view *view, int64_t now_ms, int tick)
{
    int usable = 1;
    (void)FAIL_POINT(VIEW_BEFORE_APPLY);
    for (size_t i = 0; i < view->count; i++)
        view->mirrors[i]->sent =
            send_link(view, view->mirrors[i], now_ms, tick);
    for (size_t i = 0; i < view->count; i++)
        if (usable && view->mirrors[i]->sent)
            usable = receive_answer(view, view->mirrors[i], now_ms);
    return usable;
}

/* ---- the turn ------------------------------------------------------------ */

int turn_idle(const struct view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->mirrors[i]->state != MIRROR_TAILING || view->mirrors[i]->link)
            return 0;
    return view->pending == 0;
}

/* What readers see is at most as old as the heartbeat lives. */
static int is_current(const struct view *view, int64_t now_ms)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->mirrors[i]->fresh_ms < now_ms - view->heartbeat_ms)
            return 0;
    return view->count && turn_idle(view);
}

static void beat(struct view *view, int64_t now_ms)
{
    char key[KEY_BYTES], now[24], life[24];
    redisReply *reply;
    snprintf(key, sizeof(key), "%s:heartbeat", view->app);
    snprintf(now, sizeof(now), "%" PRId64, now_ms);
    snprintf(life, sizeof(life), "%" PRId64, view->heartbeat_ms);
    connection_call(view->connection, 5,
                    (const char *[]){"SET", key, now, "PX", life}, NULL);
    connection_answer(view->connection, now_ms, &reply);
}

static void measure(struct view *view, int64_t now_ms)
{
    int64_t since_ms = now_ms;
    for (size_t i = 0; i < view->count; i++) {
        const struct mirror *mirror = view->mirrors[i];
        int64_t ms = mirror->state == MIRROR_TAILING ? mirror->oldest_ms
                                                     : mirror->behind_ms;
        if (ms < since_ms)
            since_ms = ms;
    }
    metric_set(&view->metric.up, view->usable);
    metric_set(&view->metric.lag_ms, now_ms - since_ms);
}

void turn(struct view *view, int64_t now_ms, int wait_ms)
{
    follow(view, now_ms);
    gather(view, now_ms, wait_ms);
    view->usable = connection_ready(view->connection, now_ms) &&
                   link_script_ready(&view->script, view->connection, now_ms);
    if (view->usable) {
        int tick = now_ms >= view->tick_ms;
        rebuild_turn(view, now_ms);
        view->usable = look(view, now_ms) && exchange(view, now_ms, tick);
        if (view->usable && tick) {
            view->tick_ms = now_ms + TICK_MS;
            if (view->kind == LINK_MEMBERSHIPS && is_current(view, now_ms))
                beat(view, now_ms);
        }
        if (view->usable)
            rebuild_scan(view, now_ms);
    }
    measure(view, now_ms);
}
