/* check_view.c: the view in Redis, on a real redis-server.
 *
 * The world is ours: a change topic per partition is an array, and what a
 * worker would know is folded from it. Time is ours too, so pauses cost
 * nothing. What Redis holds is compared with the world key by key, both ways.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/redis/connection.h"
#include "daemon/redis/mirror.h"
#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "tests/support/redis_server.h"
#include "tests/support/suite.h"

#define PARTITIONS 3
#define USERS      40 /* Of one partition. */
#define SEGMENTS   4
#define LOG_MAX    20000
#define VIEWS      2
#define TURNS_MAX  5000 /* Until everything must have come to rest. */
#define MARKER_GAP 2    /* Offsets that a commit takes: the log has holes. */

struct world;

/* What one view sees of the world. */
struct eyes {
    struct world *world;
    uint64_t change;
    int owns[PARTITIONS];
    int64_t
        frozen[PARTITIONS]; /* A zombie's worker knows no more; 0: it lives. */
    int running;            /* A worker answers. */
    int slow;               /* Slices do not come back for now. */
    struct {
        int on;
        int64_t next;
        int at_end; /* The end was told. */
    } tail[PARTITIONS];
    struct slice *back; /* Slices that were filled. */
};

struct world {
    /* log[p]: offset -> what happened; user < 0: a marker of a commit. */
    struct fact {
        int user, segment, member;
    } log[PARTITIONS][LOG_MAX];
    int64_t low[PARTITIONS], end[PARTITIONS];
    int64_t now_ms;
    uint64_t incarnation;
    int slice_users; /* Users in a slice. */
    struct eyes eyes[VIEWS];
    char json[512];
};

static struct redis_server redis;
static struct world world;
static struct view *views[VIEWS];
static uint64_t seed;

/* ---- the world ----------------------------------------------------------- */

/* A name that murmur2 puts there. */
static const char *user_name(int partition, int user)
{
    static char name[48];
    for (int n = 0;; n++) {
        int len = snprintf(name, sizeof(name), "u%d-%d-%d", partition, user, n);
        if (partitioner_partition(PARTITIONER_MURMUR2, name, (size_t)len,
                                  PARTITIONS) == partition)
            return name;
    }
}

static const char *segment_name(int segment)
{
    static const char *const names[SEGMENTS] = {"lapsed", "regulars", "trial",
                                                "vip"};
    return names[segment];
}

static void happen(int partition, int user, int segment, int member)
{
    int64_t *end = &world.end[partition];
    ck_assert_int_lt(*end + MARKER_GAP, LOG_MAX);
    world.log[partition][(*end)++] = (struct fact){user, segment, member};
    for (int i = 0; i < MARKER_GAP - 1; i++)
        world.log[partition][(*end)++] = (struct fact){-1, 0, 0};
}

/* entered_at of the membership that the fact at OFFSET began. */
static int64_t entered_ms(int64_t offset)
{
    return INT64_C(1700000000000) + offset;
}

/* Where the membership stands before END: the offset of the change that began
 * it, or -1 if he is out. */
static int64_t membership(int partition, int user, int segment, int64_t end)
{
    for (int64_t offset = end - 1; offset >= 0; offset--) {
        const struct fact *fact = &world.log[partition][offset];
        if (fact->user == user && fact->segment == segment)
            return fact->member ? offset : -1;
    }
    return -1;
}

/* Users are known from their first change on. */
static int is_known(int partition, int user, int64_t end)
{
    for (int64_t offset = 0; offset < end; offset++)
        if (world.log[partition][offset].user == user)
            return 1;
    return 0;
}

/* ---- the feed ------------------------------------------------------------ */

static uint64_t feed_change(void *impl)
{
    return ((struct eyes *)impl)->change;
}

static int feed_owned(void *impl, int *out, int max)
{
    struct eyes *eyes = impl;
    int count = 0;
    for (int p = 0; p < PARTITIONS && count < max; p++)
        if (eyes->owns[p])
            out[count++] = p;
    return count;
}

static int feed_partition_count(void *impl)
{
    (void)impl;
    return PARTITIONS;
}

static int feed_start(void *impl, int partition, int64_t offset)
{
    struct eyes *eyes = impl;
    eyes->tail[partition].on = 1;
    eyes->tail[partition].next = offset;
    eyes->tail[partition].at_end = 0;
    return 0;
}

static void feed_stop(void *impl, int partition)
{
    struct eyes *eyes = impl;
    eyes->tail[partition].on = 0;
}

static const char *json_of(int partition, int64_t offset,
                           const struct fact *fact)
{
    char at[25];
    instant_string(at, entered_ms(offset));
    snprintf(world.json, sizeof(world.json),
             "{\"type\":\"track\",\"event\":\"Segment %s\",\"userId\":\"%s\","
             "\"timestamp\":\"%s\",\"properties\":{\"segment\":\"%s\","
             "\"member\":%s,\"entered_at\":\"%s\",\"seq\":1}}",
             fact->member ? "Entered" : "Exited",
             user_name(partition, fact->user), at, segment_name(fact->segment),
             fact->member ? "true" : "false", at);
    return world.json;
}

/* The next record of partition P, or what else there is to say of it. */
static int next_of(struct eyes *eyes, int p, struct tail_record *out)
{
    while (eyes->tail[p].next < world.end[p]) {
        int64_t offset = eyes->tail[p].next++;
        const struct fact *fact = &world.log[p][offset];
        eyes->tail[p].at_end = 0;
        if (fact->user < 0)
            continue;
        *out = (struct tail_record){.partition = p,
                                    .offset = offset,
                                    .timestamp_ms = world.now_ms,
                                    .value = json_of(p, offset, fact)};
        out->len = strlen(out->value);
        return TAIL_RECORD;
    }
    if (eyes->tail[p].at_end)
        return TAIL_NOTHING;
    eyes->tail[p].at_end = 1;
    *out = (struct tail_record){.partition = p, .offset = eyes->tail[p].next};
    return TAIL_END;
}

static int feed_next(void *impl, int timeout_ms, struct tail_record *out)
{
    struct eyes *eyes = impl;
    (void)timeout_ms;
    for (int p = 0; p < PARTITIONS; p++) {
        if (!eyes->tail[p].on)
            continue;
        if (eyes->tail[p].next < world.low[p]) {
            eyes->tail[p].on = 0;
            *out = (struct tail_record){.partition = p};
            return TAIL_GONE;
        }
        int answer = next_of(eyes, p, out);
        if (answer != TAIL_NOTHING)
            return answer;
    }
    return TAIL_NOTHING;
}

static int feed_bounds(void *impl, int partition, int64_t *low, int64_t *high)
{
    (void)impl;
    *low = world.low[partition];
    *high = world.end[partition];
    return 0;
}

static int feed_running(void *impl, int partition)
{
    struct eyes *eyes = impl;
    return eyes->running && eyes->owns[partition];
}

/* What slice_fill does with an engine. Each engine has an order of users of its
 * own; the cursor is a place in it. */
static void fill(struct slice *slice, int64_t end)
{
    int p = slice->partition, n = 0;
    for (; n < world.slice_users && slice->cursor < USERS; slice->cursor++) {
        int user = (int)((slice->cursor * 7 + world.incarnation * 11) % USERS);
        if (!is_known(p, user, end))
            continue;
        struct seg_text id = text_of(user_name(p, user));
        link_clear(&slice->link, id);
        slice->users =
            realloc(slice->users, (slice->count + 1) * sizeof(uint64_t));
        slice->users[slice->count++] = slice_hash(id);
        for (int s = 0; s < SEGMENTS; s++) {
            int64_t since = membership(p, user, s, end);
            if (since >= 0)
                link_put(&slice->link, id, text_of(segment_name(s)),
                         entered_ms(since));
        }
        n++;
    }
    slice->more = slice->cursor < USERS;
}

static int feed_ask(void *impl, struct slice *slice)
{
    struct eyes *eyes = impl;
    if (!feed_running(impl, slice->partition))
        return 0;
    slice->gone = slice->incarnation && slice->incarnation != world.incarnation;
    slice->incarnation = world.incarnation;
    slice->position = eyes->frozen[slice->partition];
    if (!slice->position)
        slice->position = world.end[slice->partition];
    if (!slice->gone)
        fill(slice, slice->position);
    slice->after = eyes->back;
    eyes->back = slice;
    return 1;
}

static struct slice *feed_answer(void *impl)
{
    struct eyes *eyes = impl;
    struct slice *slice = eyes->slow ? NULL : eyes->back;
    if (slice)
        eyes->back = slice->after;
    return slice;
}

static void feed_rest(void *impl, int ms)
{
    (void)impl;
    (void)ms;
}

/* ---- views --------------------------------------------------------------- */

static struct connection_options redis_options = {
    .port = -1, .user = "", .password = "", .timeout_ms = 5000};

static void open_view(int i)
{
    struct feed feed = {
        .impl = &world.eyes[i],
        .change = feed_change,
        .owned = feed_owned,
        .partition_count = feed_partition_count,
        .start = feed_start,
        .stop = feed_stop,
        .next = feed_next,
        .bounds = feed_bounds,
        .running = feed_running,
        .ask = feed_ask,
        .answer = feed_answer,
        .rest = feed_rest,
    };
    redis_options.host = redis.socket;
    ck_assert_int_eq(turn_new(&views[i], "app", &redis_options, &feed), 0);
}

static void close_view(int i)
{
    struct slice *slice;
    world.eyes[i].slow = 0;
    while ((slice = feed_answer(&world.eyes[i])))
        slice_free(slice);
    turn_free(views[i]);
    views[i] = NULL;
    memset(world.eyes[i].tail, 0, sizeof(world.eyes[i].tail));
}

/* View I owns partitions FROM .. TO - 1, and nobody else does. */
static void own(int i, int from, int to)
{
    for (int v = 0; v < VIEWS; v++)
        for (int p = from; p < to; p++) {
            world.eyes[v].owns[p] = v == i;
            world.eyes[v].frozen[p] = 0;
            world.eyes[v].change++;
        }
    world.incarnation++;
}

static void step(int i)
{
    world.now_ms += 10;
    turn(views[i], world.now_ms, 0);
}

static int at_rest(int i)
{
    const struct eyes *eyes = &world.eyes[i];
    for (int p = 0; p < PARTITIONS; p++)
        if (eyes->owns[p] && (!eyes->tail[p].on || !eyes->tail[p].at_end ||
                              eyes->tail[p].next != world.end[p]))
            return 0;
    return turn_idle(views[i]);
}

/* Turns of view I until it is at rest and, by a tick, knows that it is right.
 */
static void settle(int i)
{
    int turns = 0;
    for (int pass = 0; pass < 3; pass++) {
        for (; !at_rest(i); turns++) {
            ck_assert_msg(turns < TURNS_MAX, "no rest, seed %" PRIu64, seed);
            step(i);
        }
        world.now_ms += 1100;
        step(i);
    }
    ck_assert_msg(at_rest(i), "no rest after a tick, seed %" PRIu64, seed);
}

static void ignore(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

static void setup(void)
{
    memset(&world, 0, sizeof(world));
    world.now_ms = INT64_C(1700000000000);
    world.incarnation = 1;
    world.slice_users = 7;
    for (int i = 0; i < VIEWS; i++)
        world.eyes[i].world = &world, world.eyes[i].running = 1;
    /* As in the view's thread. */
    signal(SIGPIPE, SIG_IGN);
    redis_server_start(&redis);
    open_view(0);
    own(0, 0, PARTITIONS);
    log_capture(ignore, NULL);
}

static void teardown(void)
{
    for (int i = 0; i < VIEWS; i++)
        if (views[i])
            close_view(i);
    redis_server_end(&redis);
}

/* ---- comparing ----------------------------------------------------------- */

/* Every membership of the world stands in Redis. Returns how many there are. */
static int compare_memberships(void)
{
    int count = 0;
    for (int p = 0; p < PARTITIONS; p++)
        for (int u = 0; u < USERS; u++)
            for (int s = 0; s < SEGMENTS; s++) {
                int64_t since = membership(p, u, s, world.end[p]);
                redisReply *got =
                    redis_server_ask(&redis, "HGET app:user:%s %s",
                                     user_name(p, u), segment_name(s));
                char want[32] = "";
                if (since >= 0)
                    snprintf(want, sizeof(want), "%" PRId64, entered_ms(since));
                ck_assert_msg(!strcmp(got->str ? got->str : "", want),
                              "%s %s: got %s, want %s, seed %" PRIu64,
                              user_name(p, u), segment_name(s),
                              got->str ? got->str : "", want, seed);
                freeReplyObject(got);
                count += since >= 0;
            }
    return count;
}

/* And nothing else does. */
static void compare(void)
{
    int count = compare_memberships(), fields = 0;
    redisReply *keys = redis_server_ask(&redis, "KEYS *");
    for (size_t i = 0; i < keys->elements; i++) {
        const char *key = keys->element[i]->str;
        if (strncmp(key, "app:user:", 9)) {
            ck_assert_msg(!strncmp(key, "app:position:", 13) ||
                              !strcmp(key, "app:heartbeat"),
                          "a key %s, seed %" PRIu64, key, seed);
            continue;
        }
        redisReply *len = redis_server_ask(&redis, "HLEN %s", key);
        fields += (int)len->integer;
        freeReplyObject(len);
    }
    freeReplyObject(keys);
    ck_assert_msg(fields == count,
                  "%d memberships in Redis, %d in the world, seed %" PRIu64,
                  fields, count, seed);
}

static int64_t number_of(const char *key)
{
    redisReply *reply = redis_server_ask(&redis, "GET %s", key);
    int64_t number = reply->str && *reply->str != 'R' ? atoll(reply->str) : -1;
    freeReplyObject(reply);
    return number;
}

static int count_keys(const char *pattern)
{
    redisReply *keys = redis_server_ask(&redis, "KEYS %s", pattern);
    int count = (int)keys->elements;
    freeReplyObject(keys);
    return count;
}

/* Some life in every partition. */
static void live(int changes)
{
    static int n;
    for (int i = 0; i < changes; i++, n++) {
        int p = n % PARTITIONS, user = n / 3 * 11 % (USERS - 5),
            segment = n / 7 % SEGMENTS;
        int in = membership(p, user, segment, world.end[p]) >= 0;
        happen(p, user, segment, !in);
    }
}

/* ---- tests: the chain ---------------------------------------------------- */

START_TEST(changes_are_shown_and_the_marker_follows)
{
    live(100);
    settle(0);
    compare();
    ck_assert_int_eq(number_of("app:position:0"), world.end[0]);
    live(100);
    settle(0);
    compare();
    ck_assert_int_eq(number_of("app:position:2"), world.end[2]);
    ck_assert_int_eq(metric_get(&views[0]->metric.lag_ms), 0);
    ck_assert_int_eq(metric_get(&views[0]->metric.up), 1);
}
END_TEST

START_TEST(a_new_view_goes_on_from_the_marker)
{
    live(100);
    settle(0);
    close_view(0);
    live(100);
    open_view(0);
    world.eyes[0].running = 0; /* No worker could help. */
    settle(0);
    compare();
    ck_assert_int_eq(metric_get(&views[0]->metric.rebuilds), 0);
    ck_assert_int_eq(metric_get(&views[0]->metric.changes), 100);
}
END_TEST

START_TEST(a_link_whose_answer_is_lost_is_not_applied_twice)
{
    redis_options.timeout_ms = 50;
    close_view(0);
    open_view(0);
    redis_options.timeout_ms = 5000;
    live(50);
    settle(0);
    /* The server sleeps, reads the link from its socket when it wakes up, and
     * finds nobody to answer to. */
    int64_t shown = metric_get(&views[0]->metric.changes), end = world.end[0];
    live(10);
    redis_server_start_sleep(&redis, "0.3");
    step(0);
    ck_assert_int_eq(metric_get(&views[0]->metric.errors), 1);
    redis_server_end_sleep(&redis);
    for (int i = 0; i < 10000 && number_of("app:position:0") == end; i++)
        ;
    ck_assert_int_gt(number_of("app:position:0"), end);
    settle(0);
    compare();
    ck_assert_int_eq(metric_get(&views[0]->metric.changes), shown + 10);
    ck_assert_int_eq(metric_get(&views[0]->metric.resyncs), 0);
}
END_TEST

START_TEST(two_views_of_one_partition_end_right)
{
    live(60);
    settle(0);
    open_view(1);
    for (int round = 0; round < 30; round++) {
        live(20);
        for (int p = 0; p < PARTITIONS; p++) /* A zombie believes it owns. */
            world.eyes[1].owns[p] = world.eyes[0].owns[p] = 1;
        world.eyes[1].change++;
        step(round % 2);
        step(round % 3 == 0);
    }
    settle(1);
    settle(0);
    compare();
}
END_TEST

START_TEST(a_partition_that_moves_is_followed_by_its_owner_only)
{
    live(60);
    settle(0);
    open_view(1);
    own(1, 1, PARTITIONS);
    live(60);
    settle(0);
    settle(1);
    compare();
    ck_assert_int_eq(world.eyes[0].tail[1].on, 0);
    ck_assert_int_eq(world.eyes[1].tail[1].on, 1);
    ck_assert_int_eq(metric_get(&views[1]->metric.rebuilds), 0);
}
END_TEST

/* ---- tests: what becomes of Redis ---------------------------------------- */

static void flush_all(void)
{
    redis_server_do(&redis, "FLUSHALL");
}

static void restart_empty(void)
{
    redis_server_restart(&redis);
}

static void lose_script(void)
{
    redis_server_do(&redis, "SCRIPT FLUSH");
}

static void lose_marker(void)
{
    redis_server_do(&redis, "DEL app:position:1");
}

static void marker_of_wrong_type(void)
{
    redis_server_do(&redis, "DEL app:position:1");
    redis_server_do(&redis, "RPUSH app:position:1 a b");
}

static void marker_ahead(void)
{
    redis_server_do(&redis, "SET app:position:1 %d", LOG_MAX * 2);
}

static void marker_is_nonsense(void)
{
    redis_server_do(&redis, "SET app:position:1 12monkeys");
}

static void marker_too_long(void)
{
    char marker[LINK_MARKER_BYTES];
    memset(marker, '1', sizeof(marker));
    redis_server_do(&redis, "SET app:position:1 %b", marker, sizeof(marker));
}

static void marker_with_a_zero(void)
{
    redis_server_do(&redis, "SET app:position:1 %b", "7\0x", (size_t)3);
}

static void marker_of_a_dead_rebuild(void)
{
    redis_server_do(&redis, "SET app:position:1 R00.3");
}

static void marker_too_old(void)
{
    redis_server_do(&redis, "SET app:position:1 2");
    world.low[1] = 4;
}

/* Of somebody whose next change will come. */
static void user_of_wrong_type(void)
{
    for (int user = 0; user < USERS; user++) {
        if (!is_known(1, user, world.end[1]))
            continue;
        redis_server_do(&redis, "DEL app:user:%s", user_name(1, user));
        redis_server_do(&redis, "SET app:user:%s x", user_name(1, user));
    }
}

static void strangers(void)
{
    flush_all();
    redis_server_do(&redis, "HSET app:user:ghost vip 1");
    redis_server_do(&redis, "SET app:user:ghost2 x");
    for (int i = 0; i < 5000; i++)
        redis_server_do(&redis, "HSET app:user:ghost-%d vip 1", i);
}

static const struct {
    const char *name;
    void (*strike)(void);
    int rebuilds; /* Partitions that must be rebuilt. */
} blows[] = {
    {"FLUSHALL", flush_all, 3},
    {"restarted empty", restart_empty, 3},
    {"script gone", lose_script, 0},
    {"one marker gone", lose_marker, 1},
    {"marker of another type", marker_of_wrong_type, 1},
    {"marker ahead of the topic", marker_ahead, 1},
    {"marker is nonsense", marker_is_nonsense, 1},
    {"marker too long", marker_too_long, 1},
    {"marker with a zero", marker_with_a_zero, 1},
    {"marker of a dead rebuild", marker_of_a_dead_rebuild, 1},
    {"marker older than the topic", marker_too_old, 1},
    {"users of another type", user_of_wrong_type, 1},
    {"users whom nobody knows", strangers, 3},
};

START_TEST(the_view_recovers)
{
    live(200);
    settle(0);
    compare();
    int64_t before = metric_get(&views[0]->metric.rebuilds);
    blows[_i].strike();
    live(30);
    settle(0);
    compare();
    ck_assert_msg(
        metric_get(&views[0]->metric.rebuilds) - before == blows[_i].rebuilds,
        "%s: got %" PRId64 " rebuilds, want %d", blows[_i].name,
        metric_get(&views[0]->metric.rebuilds) - before, blows[_i].rebuilds);
}
END_TEST

static int all_sliced(void)
{
    for (int p = 0; p < PARTITIONS; p++)
        if (mirror_find(views[0], p)->state != MIRROR_SLICED)
            return 0;
    return 1;
}

/* Removing users whom nobody knows, when all partitions seem to be here. */
START_TEST(a_zombie_removes_nobody)
{
    live(200);
    settle(0);
    strangers();
    open_view(1);
    world.now_ms += 1100;
    while (!all_sliced())
        step(0);
    ck_assert_int_eq(views[0]->scan.on, 1);
    int64_t end = world.end[2];
    own(1, 2, 3);
    world.eyes[0].owns[2] = 1;
    world.eyes[0].frozen[2] = end;
    for (int user = 0; user < USERS; user++)
        if (!is_known(2, user, end))
            for (int s = 0; s < SEGMENTS; s++)
                happen(2, user, s, 1);
    settle(1); /* Its own rebuild, while the other has not looked yet. */
    int keys = count_keys("app:user:u2-*");
    for (int i = 0; i < 50; i++)
        step(0);
    ck_assert_int_eq(count_keys("app:user:u2-*"), keys);
}
END_TEST

/* A process that has some partitions removes users of those, no others. */
START_TEST(only_users_of_own_partitions_are_removed)
{
    views[0]->partitioner = PARTITIONER_MURMUR2;
    live(200);
    settle(0);
    own(1, 2, 3);
    step(0);
    redis_server_do(&redis, "DEL app:position:0 app:position:1");
    for (int p = 0; p < PARTITIONS; p++)
        redis_server_do(&redis, "HSET app:user:%s vip 1", user_name(p, USERS));
    settle(0);
    ck_assert_int_eq(metric_get(&views[0]->metric.rebuilds), 5);
    ck_assert_int_eq(count_keys("app:user:u0-40-*"), 0);
    ck_assert_int_eq(count_keys("app:user:u1-40-*"), 0);
    ck_assert_int_eq(count_keys("app:user:u2-40-*"), 1);
}
END_TEST

START_TEST(a_loss_is_seen_though_nothing_changes)
{
    live(200);
    settle(0);
    flush_all();
    world.now_ms += 1100;
    step(0);
    ck_assert_int_eq(turn_idle(views[0]), 0);
    redisReply *beat = redis_server_ask(&redis, "EXISTS app:heartbeat");
    ck_assert_msg(beat->integer == 0, "readers are told that all is well");
    freeReplyObject(beat);
    settle(0);
    compare();
    beat = redis_server_ask(&redis, "EXISTS app:heartbeat");
    ck_assert_int_eq(beat->integer, 1);
    freeReplyObject(beat);
}
END_TEST

START_TEST(redis_away_is_waited_out)
{
    live(100);
    settle(0);
    redis_server_kill(&redis);
    live(30);
    for (int i = 0; i < 50; i++)
        step(0);
    ck_assert_int_eq(metric_get(&views[0]->metric.up), 0);
    ck_assert_int_ge(metric_get(&views[0]->metric.lag_ms), 400);
    redis_server_restart(&redis);
    settle(0);
    compare();
    ck_assert_int_eq(metric_get(&views[0]->metric.up), 1);
    ck_assert_int_eq(metric_get(&views[0]->metric.lag_ms), 0);
}
END_TEST

/* A server that answers, but does not take writes: the cure, and what it says.
 */
static const struct {
    const char *name, *set, *cure;
} refusals[] = {
    {"OOM", "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"},
    {"READONLY", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"},
    {"NOAUTH", "CONFIG SET requirepass x", "CONFIG SET requirepass \"\""},
    {"NOPERM", "ACL SETUSER default -eval -evalsha",
     "ACL SETUSER default +@all"},
};

static void command(const char *line)
{
    char copy[200], *argv[16];
    int argc = 0;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = strcmp(word, "\"\"") ? word : (char *)"";
    redisReply *reply =
        redisCommandArgv(redis.client, argc, (const char **)argv, NULL);
    ck_assert_ptr_nonnull(reply);
    freeReplyObject(reply);
}

START_TEST(a_server_that_refuses_is_waited_out)
{
    live(100);
    settle(0);
    command(refusals[_i].set);
    /* An open connection of ours would still be good for NOAUTH. */
    redis_server_do(&redis, "CLIENT KILL TYPE normal SKIPME yes");
    live(30);
    for (int i = 0; i < 300; i++)
        step(0);
    ck_assert_msg(metric_get(&views[0]->metric.up) == 0, "%s: it is used",
                  refusals[_i].name);
    command(refusals[_i].cure);
    world.now_ms += CONNECTION_PAUSE_MAX_MS;
    settle(0);
    compare();
}
END_TEST

/* ---- all of it, at random ------------------------------------------------ */

#define STEPS      400
#define COPIES_MAX 4096

/* An older state of Redis, kept key by key. */
static struct {
    int count;
    struct {
        char *key, *bytes;
        size_t len;
    } keys[COPIES_MAX];
} copy;

static void forget_copy(void)
{
    while (copy.count) {
        free(copy.keys[--copy.count].key);
        free(copy.keys[copy.count].bytes);
    }
}

static void take_copy(void)
{
    forget_copy();
    redisReply *keys = redis_server_ask(&redis, "KEYS *");
    for (size_t i = 0; i < keys->elements && copy.count < COPIES_MAX; i++) {
        redisReply *dump =
            redis_server_ask(&redis, "DUMP %s", keys->element[i]->str);
        copy.keys[copy.count].key = strdup(keys->element[i]->str);
        copy.keys[copy.count].bytes = malloc(dump->len + 1);
        memcpy(copy.keys[copy.count].bytes, dump->str, dump->len);
        copy.keys[copy.count++].len = dump->len;
        freeReplyObject(dump);
    }
    freeReplyObject(keys);
}

/* A fail-over to a replica that is behind. */
static void roll_back(void)
{
    flush_all();
    for (int i = 0; i < copy.count; i++)
        redis_server_do(&redis, "RESTORE %s 0 %b", copy.keys[i].key,
                        copy.keys[i].bytes, copy.keys[i].len);
}

static uint64_t draws;

static int draw(int below)
{
    draws =
        draws * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((draws >> 33) % (uint64_t)below);
}

/* A fail-over that loses the last moments. */
static void fail_over(void)
{
    take_copy();
    for (int i = draw(6); i >= 0; i--)
        step(draw(2));
    roll_back();
}

static void cut_connections(void)
{
    redis_server_do(&redis, "CLIENT KILL TYPE normal SKIPME yes");
}

static void truncate_topic(void)
{
    int p = draw(PARTITIONS);
    world.low[p] += draw((int)(world.end[p] - world.low[p]) + 1);
}

/* The other view gets some partitions; this one may not know it for a while. */
static void move(void)
{
    int from = draw(PARTITIONS), to = from + 1 + draw(PARTITIONS - from);
    int winner = draw(2), zombie = draw(2);
    int64_t ends[PARTITIONS];
    memcpy(ends, world.end, sizeof(ends));
    own(winner, from, to);
    for (int p = from; p < to && zombie; p++) {
        world.eyes[!winner].owns[p] = 1;
        world.eyes[!winner].frozen[p] = ends[p];
    }
}

static void zombies_learn(void)
{
    for (int v = 0; v < VIEWS; v++)
        for (int p = 0; p < PARTITIONS; p++)
            if (world.eyes[v].frozen[p]) {
                world.eyes[v].frozen[p] = world.eyes[v].owns[p] = 0;
                world.eyes[v].change++;
            }
}

static void worker_restores(void)
{
    world.incarnation++;
}

static void workers_toggle(void)
{
    int v = draw(VIEWS);
    world.eyes[v].running = draw(2);
    world.eyes[v].slow = draw(2);
}

static void view_restarts(void)
{
    int v = draw(VIEWS);
    close_view(v);
    open_view(v);
}

static void time_passes(void)
{
    world.now_ms += draw(3000);
}

static void (*const nemeses[])(void) = {
    flush_all,
    restart_empty,
    lose_script,
    lose_marker,
    marker_ahead,
    marker_is_nonsense,
    marker_too_long,
    marker_with_a_zero,
    marker_of_a_dead_rebuild,
    marker_of_wrong_type,
    user_of_wrong_type,
    take_copy,
    take_copy,
    roll_back,
    fail_over,
    fail_over,
    fail_over,
    cut_connections,
    truncate_topic,
    move,
    move,
    move,
    zombies_learn,
    worker_restores,
    workers_toggle,
    workers_toggle,
    view_restarts,
    time_passes,
    time_passes,
    time_passes,
};

START_TEST(a_rebuild_that_loses_a_slice_begins_anew)
{
    live(200);
    settle(0);
    flush_all();
    world.now_ms += 1100;
    world.slice_users = 3;
    struct mirror *mirror = mirror_find(views[0], 1);
    while (mirror->state != MIRROR_SLICING || mirror->user_count < 9)
        step(0);
    take_copy();
    while (mirror->user_count < 15)
        step(0);
    roll_back();
    settle(0);
    compare();
    forget_copy();
}
END_TEST

START_TEST(whatever_happens_the_view_converges)
{
    draws = seed = (uint64_t)_i + 1;
    open_view(1);
    world.slice_users = 1 + draw(20);
    for (int i = 0; i < STEPS; i++) {
        if (draw(3) == 0)
            live(draw(10));
        if (draw(8) == 0)
            nemeses[draw(COUNT(nemeses))]();
        step(draw(2));
    }
    zombies_learn();
    for (int v = 0; v < VIEWS; v++)
        world.eyes[v].running = 1, world.eyes[v].slow = 0;
    world.now_ms += CONNECTION_PAUSE_MAX_MS;
    live(20);
    settle(0);
    settle(1);
    compare();
    forget_copy();
}
END_TEST

SUITE("view", setup, teardown, TEST(changes_are_shown_and_the_marker_follows),
      TEST(a_new_view_goes_on_from_the_marker),
      TEST(a_link_whose_answer_is_lost_is_not_applied_twice),
      TEST(two_views_of_one_partition_end_right),
      TEST(a_partition_that_moves_is_followed_by_its_owner_only),
      TABLE(the_view_recovers, blows), TEST(a_zombie_removes_nobody),
      TEST(only_users_of_own_partitions_are_removed),
      TEST(a_loss_is_seen_though_nothing_changes),
      TEST(redis_away_is_waited_out),
      TABLE(a_server_that_refuses_is_waited_out, refusals),
      TEST(a_rebuild_that_loses_a_slice_begins_anew),
      TIMES(whatever_happens_the_view_converges, 30))
