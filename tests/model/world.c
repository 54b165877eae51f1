/* world.c: words and values of a case. */
#include "tests/model/world.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/instant.h"

#define MINUTE 60000
#define HOUR   (60 * MINUTE)

static const char *const topics[] = {"alpha", "beta", "gamma"};
static const char *const users[] = {"u1", "u2", "ü 3", "user-four", "5", "u6"};
static const char *const events[] = {"Goal Used", "Order Placed",
                                     "Pricing Viewed", "Page Viewed",
                                     "Screen Viewed"};
static const char *const texts[] = {
    "free", "pro", "Pro", "prO ", "straße",  "STRASSE", "ﬁne",    "FINE",
    "",     "a*b", "axb", "a\\b", "ünïcode", "ÜNÏCODE", "profit", "5"};
static const char *const globs[] = {"pro*",  "*",       "?ro", "*e",    "a\\*b",
                                    "str*e", "?n?code", "a?b", "*r*o*", "\\?",
                                    "",      "a\\\\b",  "fre?"};
static const char *const regexes[] = {"^pro",   "[0-9]+$", "free|pro", "^.ro$",
                                      "a[*x]b", "[^a-z]",  "o.*t",     "^STRA",
                                      "e$",     "[A-Z]+",  "^$",       "ro?f",
                                      "a\\*b",  "n.c",     "x|^5$|ü"};
static const char *const versions[] = {
    "1.2.3",      "1.2.10",        "1.10.0",     "1.2.3-alpha",
    "1.2.3-beta", "1.2.3-alpha.1", "2.0.0",      "1.2.3+build.7",
    "1.2",        "v1.2.3",        "1.2.3-rc.2", "1.2.3-rc.10"};

static const struct world_path property_paths[] = {
    {"plan", {"plan"}, WORLD_TEXT},
    {"amount", {"amount"}, WORLD_NUMBER},
    {"properties.amount", {"amount"}, WORLD_NUMBER},
    {"ok", {"ok"}, WORLD_BOOL},
    {"due_at", {"due_at"}, WORLD_TIME},
    {"tags", {"tags"}, WORLD_LIST},
    {"release", {"release"}, WORLD_VERSION},
    {"goal.id", {"goal", "id"}, WORLD_TEXT},
    {"goal.size", {"goal", "size"}, WORLD_NUMBER},
    {"properties.\"first name\"", {"first name"}, WORLD_TEXT},
    {"name", {"name"}, WORLD_TEXT},
    {"items", {"items"}, WORLD_ITEMS},
};
static const struct world_path context_paths[] = {
    {"context.device.type", {"device", "type"}, WORLD_TEXT},
    {"context.app.version", {"app", "version"}, WORLD_VERSION},
    {"context.level", {"level"}, WORLD_NUMBER},
};
static const struct world_path event_paths[] = {
    {"event.name", {"name"}, WORLD_TEXT},
    {"event.type", {"type"}, WORLD_TEXT},
    {"event.id", {"id"}, WORLD_TEXT},
};
static const struct world_path user_paths[] = {
    {"user.plan", {"plan"}, WORLD_TEXT},
    {"user.age", {"age"}, WORLD_NUMBER},
    {"user.ok", {"ok"}, WORLD_BOOL},
    {"user.renews_at", {"renews_at"}, WORLD_TIME},
    {"user.langs", {"langs"}, WORLD_LIST},
    {"user.app", {"app"}, WORLD_VERSION},
    {"user.carts", {"carts"}, WORLD_ITEMS},
    {"user.address.city", {"address", "city"}, WORLD_TEXT},
    {"user.address.since", {"address", "since"}, WORLD_TIME},
    {"user.\"first name\"", {"first name"}, WORLD_TEXT},
};
static const struct world_path account_paths[] = {
    {"account.industry", {"industry"}, WORLD_TEXT},
    {"account.seats", {"seats"}, WORLD_NUMBER},
    {"account.renews_at", {"renews_at"}, WORLD_TIME},
    {"account.tags", {"tags"}, WORLD_LIST},
    {"account.size.people", {"size", "people"}, WORLD_NUMBER},
};

#define LENGTH(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* One of the four entries of POOL that this case uses. */
#define POOL_OF(world, pool)                                       \
    ((pool)[((world)->shift + random_below(&(world)->random, 4)) % \
            LENGTH(pool)])

void world_init(struct world *world, uint64_t seed)
{
    static const int64_t units[] = {
        1,      7,      1000,       MINUTE,      HOUR,        6 * HOUR,
        DAY_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 365 * DAY_MS};
    *world = (struct world){.random = {seed}};
    struct random *r = &world->random;
    world->unit_ms = RANDOM_OF(r, units);
    world->start_ms = INT64_C(1000000000000) + random_below(r, 9000) * DAY_MS +
                      random_below(r, 2) * random_below(r, DAY_MS);
    world->shift = (int)random_below(r, 1000);
    world->odd_percent = (int)random_below(r, 25);
    world->user_count = (int)random_between(r, 1, 4);
    world->topic_count = (int)random_between(r, 1, WORLD_TOPICS_MAX);
    for (int i = 0; i < LENGTH(world->dates_ms); i++)
        world->dates_ms[i] =
            world->start_ms + random_between(r, 0, 20) * world->unit_ms;
}

const char *world_topic(int index)
{
    return topics[index];
}

const char *world_user(int index)
{
    static char name[32];
    if (index < LENGTH(users))
        return users[index];
    snprintf(name, sizeof(name), "crowd-%d", index);
    return name;
}

const char *world_event(struct world *world)
{
    int most = random_chance(&world->random, 80) ? 3 : LENGTH(events);
    return events[random_below(&world->random, most)];
}

const struct world_path *world_paths(enum world_root root, int *count)
{
    static const struct {
        const struct world_path *paths;
        int count;
    } roots[WORLD_ROOTS_] = {
        [WORLD_PROPERTIES] = {property_paths, LENGTH(property_paths)},
        [WORLD_CONTEXT] = {context_paths, LENGTH(context_paths)},
        [WORLD_EVENT] = {event_paths, LENGTH(event_paths)},
        [WORLD_USER] = {user_paths, LENGTH(user_paths)},
        [WORLD_ACCOUNT] = {account_paths, LENGTH(account_paths)},
    };
    *count = roots[root].count;
    return roots[root].paths;
}

/* ---- time ---------------------------------------------------------------- */

int64_t world_duration(struct world *world, int most)
{
    struct random *r = &world->random;
    int64_t ms = random_between(r, 1, most) * world->unit_ms;
    if (random_below(r, 300) == 0)
        return 36500 * DAY_MS; /* The longest there is. */
    if (random_chance(r, 4))
        ms += random_chance(r, 50) ? 1 : -1;
    return ms < 1 ? 1 : ms;
}

int64_t world_instant(struct world *world, int64_t around_ms)
{
    struct random *r = &world->random;
    int64_t ms = around_ms + random_between(r, -5, 5) * world->unit_ms;
    int shared = random_chance(r, 30);
    if (shared)
        ms = RANDOM_OF(r, world->dates_ms);
    if (random_chance(r, shared ? 40 : 15))
        ms += random_between(r, -1, 1);
    return ms;
}

static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);
    assert(json);
    return json;
}

json_t *world_time_json(struct world *world, int64_t ms)
{
    struct random *r = &world->random;
    char text[40], zoned[40];
    instant_string(text, ms);
    switch (random_below(r, 8)) {
    case 0:
        if (ms >= INT64_C(100000000000))
            return json_integer(ms);
        break;
    case 1:
        if (ms % 1000 == 0 && ms / 1000 < INT64_C(100000000000))
            return json_integer(ms / 1000);
        break;
    case 2:
        return json_real((double)ms / 1000);
    case 3:
        instant_string(zoned, ms + 90 * MINUTE);
        snprintf(text, sizeof(text), "%.23s+01:30", zoned);
        break;
    case 4:
        instant_string(zoned, ms - 5 * HOUR);
        snprintf(text, sizeof(text), "%.23s-0500", zoned);
        text[10] = ' ';
        break;
    case 5:
        memcpy(text + 23, "987", 4);
        break;
    case 6:
        if (ms % DAY_MS == 0)
            text[10] = 0;
        else if (ms % MINUTE == 0)
            text[16] = 0;
        break;
    default:
        break;
    }
    return text_json(text);
}

/* ---- values -------------------------------------------------------------- */

static json_t *number(struct world *world)
{
    struct random *r = &world->random;
    static const int64_t large[] = {INT64_C(9007199254740992),
                                    INT64_C(9007199254740993), INT64_MAX,
                                    INT64_MIN + 1, -1};
    int percent = world->shift % 8 ? 4 : 70; /* A world of large numbers. */
    if (random_chance(r, percent))
        return json_integer(large[random_below(r, percent < 70 ? 5 : 2)]);
    if (random_chance(r, percent / 2))
        return json_real(9007199254740992.0);
    if (random_chance(r, 20))
        return json_real((double)random_between(r, -2, 8) / 2);
    if (random_chance(r, 15)) /* -3.00 to 9.00: sums come to nothing again. */
        return json_real((double)random_between(r, -12, 36) * 25 / 100);
    if (random_chance(r, 15))
        return json_real((double)random_between(r, -300, 900) / 100);
    if (random_chance(r, 10))
        return json_integer(random_between(r, -5, -1));
    return json_integer(random_between(r, 0, 5));
}

/* Some thousand bytes: on both sides of what a short length can say. */
static json_t *long_text(struct world *world)
{
    static char text[6000];
    int64_t len = random_chance(&world->random, 50)
                      ? random_between(&world->random, 4070, 4110)
                      : random_between(&world->random, 100, 5999);
    memset(text, 'x', (size_t)len);
    memcpy(text, "pro", 3);
    text[len] = 0;
    return text_json(text);
}

static json_t *list(struct world *world)
{
    json_t *json = json_array();
    int64_t n = random_below(&world->random, 4);
    for (int64_t i = 0; i < n; i++) {
        enum world_kind kind =
            random_chance(&world->random, 80) ? WORLD_TEXT : WORLD_NUMBER;
        json_array_append_new(json, world_value(world, kind, 0));
    }
    return json;
}

/* Elements like {"sku": "pro", "price": 3, "size": {"label": "free"}}. */
static json_t *items(struct world *world)
{
    struct random *r = &world->random;
    json_t *json = json_array();
    int64_t n = random_below(r, 4);
    for (int64_t i = 0; i < n; i++) {
        json_t *item = json_object();
        if (random_chance(r, 85))
            json_object_set_new(item, "sku", world_value(world, WORLD_TEXT, 0));
        if (random_chance(r, 85))
            json_object_set_new(item, "price",
                                world_odd_value(world, WORLD_NUMBER, 0));
        if (random_chance(r, 40))
            json_object_set_new(
                item, "size",
                json_pack("{s:o}", "label", world_value(world, WORLD_TEXT, 0)));
        if (random_chance(r, 90))
            json_array_append_new(json, item);
        else
            json_decref(item);
        if (random_chance(r, 10))
            json_array_append_new(json, world_value(world, WORLD_TEXT, 0));
    }
    return json;
}

json_t *world_value(struct world *world, enum world_kind kind,
                    int64_t around_ms)
{
    switch (kind) {
    case WORLD_TEXT:
        if (random_chance(&world->random, world->long_percent))
            return long_text(world);
        return text_json(POOL_OF(world, texts));
    case WORLD_NUMBER:
        return number(world);
    case WORLD_BOOL:
        return json_boolean(random_below(&world->random, 2));
    case WORLD_TIME:
        return world_time_json(world, world_instant(world, around_ms));
    case WORLD_LIST:
        return list(world);
    case WORLD_VERSION:
        return text_json(POOL_OF(world, versions));
    case WORLD_ITEMS:
        return items(world);
    case WORLD_KINDS_:
        break;
    }
    assert(!"a value of no kind");
    return NULL;
}

json_t *world_odd_value(struct world *world, enum world_kind kind,
                        int64_t around_ms)
{
    struct random *r = &world->random;
    if (!random_chance(r, world->odd_percent))
        return world_value(world, kind, around_ms);
    int64_t odd = random_below(r, WORLD_KINDS_ + 4);
    if (odd == WORLD_KINDS_ || odd == WORLD_KINDS_ + 3)
        return json_null();
    if (odd == WORLD_KINDS_ + 1)
        return json_object();
    if (odd == WORLD_KINDS_ + 2)
        return text_json("");
    return world_value(world, (enum world_kind)odd, around_ms);
}

const char *world_glob(struct world *world)
{
    return RANDOM_OF(&world->random, globs);
}

const char *world_regex(struct world *world)
{
    return RANDOM_OF(&world->random, regexes);
}
