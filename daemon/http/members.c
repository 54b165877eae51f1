/* members.c: one page of a list of members, from the request to the answer.
 *
 *     loop: cursor -> whose partition is it? -> worker, after a commit: users
 *           answer <- is there another one?  <-
 *
 * The worker copies ids and nothing else; JSON is made on the loop. */
#include "daemon/http/members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "daemon/base/log.h"
#include "daemon/http/cursor.h"
#include "daemon/http/render.h"
#include "lib/base/alloc.h"

#define JSON "application/json"

/* A page under way. The worker has it while its closure waits; the loop then
 * touches the request and the timer only. */
struct listing {
    struct routes *routes;
    struct request *request; /* NULL: answered. */
    struct loop_timer *timer;
    char *key;
    struct cursor cursor;
    size_t limit;
    int partition_count;
    /* What the worker found. */
    int worker_ended, failed, gone;
    const struct seg_engine *engine; /* While it is read. */
    int segment;
    int64_t looks;
    struct buf ids;
    struct render_member *members; /* Their ids are in `ids`, see set_ids. */
    size_t count, cap;
};

static void answer(struct listing *listing, int status, char *body)
{
    if (listing->request)
        request_answer(listing->request, status, JSON, body);
    else
        free(body);
    listing->request = NULL;
}

static void listing_free(struct listing *listing)
{
    listing->routes->listing--;
    loop_timer_free(listing->timer);
    buf_done(&listing->ids);
    free(listing->members);
    free(listing->key);
    free(listing);
}

/* The first partition from FROM on that is here; COUNT if none is. */
static int next_partition(const struct routes *routes, int from, int count)
{
    while (from < count && !workers_owner(routes->workers, from))
        from++;
    return from;
}

/* ---- on the worker's thread -------------------------------------------- */

/* Returns 1 when the page is full. */
static int look(void *arg, const struct seg_user *user)
{
    struct listing *listing = arg;
    struct seg_user_info info;
    int64_t entered_at_ms;
    listing->looks--;
    if (listing->segment < 0 ||
        !seg_user_is_member(listing->engine, user, listing->segment,
                            &entered_at_ms))
        return 0;
    if (alloc_grow((void **)&listing->members, &listing->cap,
                   listing->count + 1, sizeof(*listing->members)) < 0)
        return listing->failed = 1;
    seg_user_info(listing->engine, user, &info);
    buf_text(&listing->ids, info.id);
    listing->members[listing->count++] =
        (struct render_member){.id = {NULL, info.id.len},
                               .partition = listing->cursor.partition,
                               .entered_at_ms = entered_at_ms,
                               .seq = info.seq};
    return listing->count >= listing->limit;
}

/* The cursor stands at the beginning of HERE. */
static void begin_partition(struct listing *listing,
                            const struct worker_partition *here)
{
    struct cursor *cursor = &listing->cursor;
    cursor->incarnation = here->incarnation;
    cursor->place = 0;
    cursor->positions[cursor->count++] =
        (struct cursor_position){here->partition, here->changes_position};
}

/* Read on in HERE. Returns 1 if there is more in it than the page takes. */
static int read_partition(struct listing *listing,
                          const struct worker_partition *here)
{
    listing->engine = here->engine;
    /* It may not have gone over to the same catalogue as others yet. */
    listing->segment = seg_catalogue_segment_index(
        seg_engine_catalogue(here->engine), listing->key);
    if (seg_engine_users(here->engine, &listing->cursor.place,
                         (int)listing->looks, look, listing))
        return 1;
    listing->cursor.partition++;
    listing->cursor.incarnation = listing->cursor.place = 0;
    return 0;
}

/* Read on until the page is full, or a partition comes that WORKER does not
 * have; neighbours mostly belong to one worker. One that stands still is as
 * good as any: what its engine knows is committed. */
static void read_page(struct listing *listing, struct worker *worker)
{
    struct cursor *cursor = &listing->cursor;
    struct worker_partition here;
    while (listing->looks > 0 && listing->count < listing->limit) {
        int known = worker_partition(worker, cursor->partition, &here) >= 0 &&
                    here.engine;
        if (cursor->incarnation &&
            (!known || cursor->incarnation != here.incarnation))
            listing->gone = 1;
        if (!known || listing->gone ||
            (!cursor->incarnation && cursor->count == CURSOR_PARTITIONS_MAX))
            return;
        if (!cursor->incarnation)
            begin_partition(listing, &here);
        if (read_partition(listing, &here))
            return;
    }
}

static void on_page(void *arg);

/* WORKER is NULL if it ended before. */
static void run_page(struct worker *worker, void *arg)
{
    struct listing *listing = arg;
    listing->worker_ended = !worker;
    if (worker)
        read_page(listing, worker);
    /* Refused only by a loop that has ended: nobody waits for an answer. */
    if (loop_post(listing->routes->loop, on_page, listing) < 0)
        log_warn("an answer was lost");
}

/* ---- back on the loop -------------------------------------------------- */

/* The ids lie one after the other. */
static void set_ids(struct listing *listing)
{
    const char *at = listing->ids.bytes;
    for (size_t i = 0; i < listing->count; i++) {
        listing->members[i].id.bytes = at;
        at += listing->members[i].id.len;
    }
}

static char *render_page(struct listing *listing, int last)
{
    const struct routes *routes = listing->routes;
    const struct cursor *cursor = &listing->cursor;
    struct buf next;
    buf_init(&next);
    if (!last)
        cursor_write(&next, cursor, listing->key);
    set_ids(listing);
    struct render_members page = {.segment = listing->key,
                                  .catalogue =
                                      seg_catalogue_hash(routes->catalogue),
                                  .app = routes->app,
                                  .members = listing->members,
                                  .count = listing->count,
                                  .next = last ? NULL : buf_string(&next),
                                  .positions = cursor->positions,
                                  .position_count = cursor->count,
                                  .partition_count = listing->partition_count};
    char *body = buf_failed(&next) ? NULL : render_members(&page);
    buf_done(&next);
    return body;
}

static void answer_page(struct listing *listing)
{
    struct cursor *cursor = &listing->cursor;
    if (!cursor->incarnation)
        cursor->partition = next_partition(listing->routes, cursor->partition,
                                           listing->partition_count);
    int last = cursor->partition >= listing->partition_count;
    if (!last && !cursor->incarnation && cursor->count == CURSOR_PARTITIONS_MAX)
        answer(
            listing, 501,
            render_error("More partitions run here than one list can cover."));
    else
        answer(listing, 200, render_page(listing, last));
}

static void on_page(void *arg)
{
    struct listing *listing = arg;
    if (!listing->request || listing->worker_ended || !listing->routes->workers)
        answer(listing, 503, render_error("segmentd cannot answer now."));
    else if (listing->failed || buf_failed(&listing->ids))
        answer(listing, 503, NULL);
    else if (listing->gone)
        answer(
            listing, 410,
            render_error("The partition of this cursor moved or was restored "
                         "meanwhile; read the list from its beginning."));
    else
        answer_page(listing);
    listing_free(listing);
}

static void on_timeout(void *arg)
{
    struct listing *listing = arg;
    metric_add(&listing->routes->process->http_refused, 1);
    answer(listing, 503,
           render_error("No commit came about in time; try again."));
}

/* ---- asking ------------------------------------------------------------ */

/* The number in TEXT, from 1 to MAX, or 0. */
static size_t number_of(const char *text, long max)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    return errno || end == text || *end || number < 1 || number > max
               ? 0
               : (size_t)number;
}

/* Incarnations are counted anew in every process. */
static uint64_t boot_of(struct routes *routes)
{
    while (!routes->boot)
        if (getrandom(&routes->boot, sizeof(routes->boot), 0) < 0)
            break;
    return routes->boot;
}

/* Where LISTING begins, from the query. Returns 1; 0 when REQUEST was refused.
 */
static int read_query(struct listing *listing, struct request *request)
{
    const char *after = request_query(request, "after");
    const char *limit = request_query(request, "limit");
    uint64_t boot = boot_of(listing->routes);
    listing->limit =
        limit ? number_of(limit, MEMBERS_LIMIT_MAX) : MEMBERS_LIMIT;
    listing->cursor.boot = boot;
    if (!listing->limit)
        routes_fail(request, 400, "`limit` is a number from 1 to 10000.");
    else if (after && cursor_read(&listing->cursor, after, listing->key) < 0)
        routes_fail(request, 400,
                    "`after` is no `next` of an earlier page of this segment.");
    else if (listing->cursor.boot != boot)
        routes_fail(
            request, 410,
            "This cursor is from another process, or from before a restart; "
            "read the list from its beginning.");
    else
        return 1;
    return 0;
}

/* Whether there is nothing to list, and nothing to wait for: others have all
 * the partitions. */
static int is_idle(const struct listing *listing)
{
    char reason[WORKERS_REASON_BYTES];
    return listing->partition_count &&
           workers_ready(listing->routes->workers, reason);
}

/* Whom to ask; NULL when REQUEST was answered. */
static struct worker *find_worker(struct listing *listing,
                                  struct request *request)
{
    struct routes *routes = listing->routes;
    struct cursor *cursor = &listing->cursor;
    int count = routes->workers ? workers_partition_count(routes->workers) : 0;
    listing->partition_count = count;
    if (!cursor->incarnation)
        cursor->partition =
            routes->workers ? next_partition(routes, cursor->partition, count)
                            : count;
    struct worker *worker =
        cursor->partition < count
            ? workers_owner(routes->workers, cursor->partition)
            : NULL;
    if (!worker && cursor->count)
        routes_fail(
            request, 410,
            "The partition of this cursor is not here any more; read the list "
            "from its beginning.");
    else if (!worker && is_idle(listing))
        request_answer(request, 200, JSON, render_page(listing, 1));
    else if (!worker)
        routes_fail(request, 503, "No partition runs here now.");
    return worker;
}

static int listing_new(struct listing **ret, struct routes *routes,
                       struct seg_text key)
{
    struct listing *listing = calloc(1, sizeof(*listing));
    if (!listing)
        return SEG_ERR_NOMEM;
    routes->listing++;
    listing->routes = routes;
    listing->looks = MEMBERS_LOOKS_MAX;
    buf_init(&listing->ids);
    listing->key = strndup(key.bytes, key.len);
    *ret = listing;
    return listing->key ? 0 : SEG_ERR_NOMEM;
}

/* LISTING is taken, and with it REQUEST. */
static void ask(struct listing *listing, struct request *request)
{
    struct worker *worker = NULL;
    if (read_query(listing, request))
        worker = find_worker(listing, request);
    if (!worker) {
        listing_free(listing);
        return;
    }
    listing->request = request;
    if (loop_after(listing->routes->loop, ROUTES_WAIT_MS, on_timeout, listing,
                   &listing->timer) == 0 &&
        worker_post(worker, WORKER_AFTER_COMMIT, run_page, listing) == 0)
        return;
    answer(listing, 503, render_error("segmentd cannot answer now."));
    listing_free(listing);
}

void members_answer(struct routes *routes, struct request *request)
{
    struct seg_text key = request_part(request, 2);
    struct listing *listing = NULL;
    if (strlen(key.bytes) != key.len ||
        seg_catalogue_segment_index(routes->catalogue, key.bytes) < 0)
        routes_fail(request, 404, "There is no segment of this key.");
    else if (routes->listing >= MEMBERS_AT_ONCE)
        routes_fail(request, 503,
                    "Too many pages of members are under way; try again.");
    else if (listing_new(&listing, routes, key) == 0)
        ask(listing, request);
    else {
        request_answer(request, 503, JSON, NULL);
        if (listing)
            listing_free(listing);
    }
}
