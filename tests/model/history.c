/* history.c: random histories: late, twice, out of order, at one instant, years
 * apart, from the future, without a time, with values of the wrong type. */
#include "tests/model/history.h"

#include <assert.h>
#include <seg/engine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "tests/model/catalogue_inside.h"

#define HOUR    INT64_C(3600000)
#define YEAR    (365 * DAY_MS)
#define IDS_MAX 1024

/* ---- one case in the making ---------------------------------------------- */

struct maker {
    struct history *history;
    struct world world;
    struct random *r;
    int64_t now_ms; /* Of arrival. */
    int64_t offsets[WORLD_TOPICS_MAX];
    int ahead;     /* Some records are dated ahead of the wall. */
    int walled;    /* The wall is told. */
    int restores;  /* Engines are replaced. */
    int changes;   /* Of catalogue. */
    int changed;   /* So far. */
    int id_count;  /* Message ids given. */
    struct given { /* To which message, from 1 on. */
        int user, topic;
        int64_t record_ms;
    } given[IDS_MAX];
};

static struct step *add_step(struct history *h, enum step_kind kind)
{
    if ((size_t)h->step_count == h->step_cap) {
        h->step_cap = h->step_cap ? 2 * h->step_cap : 64;
        h->steps = realloc(h->steps, h->step_cap * sizeof(*h->steps));
        assert(h->steps);
    }
    struct step *step = &h->steps[h->step_count++];
    *step = (struct step){.kind = kind, .wall_ms = SEG_NEVER};
    return step;
}

static int64_t gap(struct maker *m)
{
    struct random *r = m->r;
    int64_t unit = m->world.unit_ms, n = random_below(r, 1000);
    if (n < 200)
        return 0;
    if (n < 250)
        return 1;
    if (n < 350)
        return unit / 2;
    if (n < 600)
        return unit;
    if (n < 830)
        return unit * random_between(r, 2, 4);
    if (n < 930)
        return unit * random_between(r, 1, 4) + random_between(r, -1, 1);
    return n < 993 ? unit * random_between(r, 5, 20)
                   : YEAR * random_between(r, 1, 10);
}

/* What the kinds of history differ in. */
static const struct kind {
    int percent; /* Of all cases. */
    int messages_min, messages_max, segments_max, users_max;
    enum catalogue_kind catalogue;
    int changes;   /* Its catalogue may change. */
    int sequences; /* No user has more events than they are exact for. */
} kinds[HISTORY_KINDS_] = {
    [HISTORY_MIXED] = {74, 4, 45, 8, 4, CATALOGUE_ANY, 1, 1},
    [HISTORY_DEDUPE] = {5, 20, 200, 8, 2, CATALOGUE_ANY, 1, 0},
    [HISTORY_ORDER] = {9, 4, 40, 8, 4, CATALOGUE_ANY, 0, 1},
    [HISTORY_DENSE] = {2, 90, 900, 3, 1, CATALOGUE_COARSE, 0, 0},
    [HISTORY_LARGE] = {1, 270, 480, 4, 1, CATALOGUE_LARGE, 1, 0},
    [HISTORY_CROWD] = {1, 100, 400, 5, 300, CATALOGUE_ANY, 1, 1},
    [HISTORY_WIDE] = {2, 10, 60, CATALOGUE_SEGMENTS_MAX, 3, CATALOGUE_ANY, 1,
                      1},
    [HISTORY_TIGHT] = {3, 20, 80, 8, 2, CATALOGUE_ANY, 1, 0},
    [HISTORY_LATE] = {3, 10, 45, 4, 2, CATALOGUE_LATE, 0, 0},
};

static int is_kind(const struct maker *m, enum history_kind kind)
{
    return m->history->kind == kind;
}

/* Hundreds of events of one user: kept plain. */
static int is_many(const struct maker *m)
{
    return is_kind(m, HISTORY_DENSE) || is_kind(m, HISTORY_LARGE);
}

static int64_t dense_gap(struct maker *m)
{
    int64_t unit = m->world.unit_ms;
    return random_chance(m->r, 30) ? 0
                                   : random_below(m->r, 3) * unit + unit / 2;
}

static int64_t dedupe_gap(struct maker *m)
{
    return random_chance(m->r, 97) ? random_below(m->r, 4 * 60) * 1000 : gap(m);
}

static void move_on(struct maker *m)
{
    int64_t ms = is_many(m)                   ? dense_gap(m)
                 : is_kind(m, HISTORY_DEDUPE) ? dedupe_gap(m)
                                              : gap(m);
    if (m->now_ms > INT64_C(4000000000000)) /* Year 2096. */
        ms = 0;
    m->now_ms += ms < 0 ? 0 : ms;
}

/* ---- messages ------------------------------------------------------------ */

/* VALUE at NAMES below OBJECT, taken. */
static void set_below(json_t *object, const char *const *names, json_t *value)
{
    for (; names[1]; names++) {
        json_t *below = json_object_get(object, names[0]);
        if (!json_is_object(below)) {
            below = json_object();
            json_object_set_new(object, names[0], below);
        }
        object = below;
    }
    json_object_set_new(object, names[0], value);
}

static json_t *some_values(struct maker *m, enum world_root root, int percent)
{
    int count;
    const struct world_path *paths = world_paths(root, &count);
    json_t *object = json_object();
    for (int i = 0; i < count; i++) {
        if (!random_chance(m->r, percent))
            continue;
        json_t *value = world_odd_value(&m->world, paths[i].kind, m->now_ms);
        if (paths[i].names[1] && random_chance(m->r, 6)) {
            const char *const top[] = {paths[i].names[0], NULL};
            set_below(object, top, value);
        } else {
            set_below(object, paths[i].names, value);
        }
    }
    return object;
}

static int64_t event_time(struct maker *m, int64_t record_ms)
{
    struct random *r = m->r;
    int64_t unit = m->world.unit_ms, n = random_below(r, 100);
    if (is_many(m))
        return n < 90 ? record_ms : record_ms - random_below(r, 200) * unit;
    if (is_kind(m, HISTORY_LATE) && n >= 60 && n < 85)
        return record_ms - random_between(r, 18, 70) * unit;
    if (n < 58)
        return record_ms;
    if (n < 72)
        return record_ms - random_between(r, 1, 5) * unit;
    if (n < 78)
        return record_ms - random_between(r, 1, 3) * unit +
               random_between(r, -1, 1);
    if (n < 88)
        return record_ms + random_between(r, 1, 3) * unit;
    if (m->world.punctual)
        return record_ms - random_below(r, DAY_MS);
    if (n < 97)
        return record_ms - random_between(r, 5, 40) * unit;
    return record_ms - YEAR * random_between(r, 1, 8);
}

static void put_time(struct maker *m, json_t *json, int64_t record_ms)
{
    static const char *const unreadable[] = {"\"yesterday\"",
                                             "true",
                                             "\"2024-13-01\"",
                                             "\"2024-02-30T10:00Z\"",
                                             "[]",
                                             "\"\"",
                                             "{}",
                                             "\"2024-01-01T24:00\"",
                                             "1e20",
                                             "false",
                                             "\"2024-1-1\""};
    static const char *const extreme[] = {"\"0000-01-01\"",
                                          "\"9999-12-31T23:59:59.999Z\"",
                                          "0",
                                          "-1",
                                          "99999999999",
                                          "100000000000",
                                          "-62167219200",
                                          "\"1969-12-31T23:59:59.9999-00:30\""};
    int64_t n = random_below(m->r, 100), ms = event_time(m, record_ms);
    if (m->world.punctual && ms < record_ms - DAY_MS)
        ms = record_ms - DAY_MS;
    if (n < 6) {
        if (n < 2)
            json_object_set_new(json, "timestamp", json_null());
        return;
    }
    const char *odd = n < 9 ? RANDOM_OF(m->r, unreadable)
                      : n < 10 && !m->world.punctual ? RANDOM_OF(m->r, extreme)
                                                     : NULL;
    json_object_set_new(json, "timestamp",
                        odd ? json_loads(odd, JSON_DECODE_ANY, NULL)
                            : world_time_json(&m->world, ms));
}

/* The number of the id that the next message has again; 0: it does not. */
static int repeated(struct maker *m)
{
    int dedupe = is_kind(m, HISTORY_DEDUPE);
    if (is_kind(m, HISTORY_ORDER) || !m->id_count ||
        !random_chance(m->r, dedupe ? 25 : 6))
        return 0;
    int64_t back = random_below(m->r, 6);
    if (dedupe && random_chance(m->r, 50))
        back = random_between(m->r, 62, 65);
    return back < m->id_count ? m->id_count - (int)back : 0;
}

static void put_id(json_t *json, int number)
{
    char id[32];
    snprintf(id, sizeof(id), "id-%d", number);
    json_object_set_new(json, "messageId", json_string(id));
}

/* A number for the message of STEP, 0 if it has none. */
static int new_id(struct maker *m, int user, const struct step *step)
{
    int dedupe = is_kind(m, HISTORY_DEDUPE);
    if (is_kind(m, HISTORY_ORDER) || m->id_count == IDS_MAX - 1 ||
        !random_chance(m->r, dedupe ? 95 : 50))
        return 0;
    m->given[++m->id_count] =
        (struct given){user, step->topic, step->record_ms};
    return m->id_count;
}

static void put_event(struct maker *m, json_t *json, const char *type)
{
    json_object_set_new(json, "type", json_string(type));
    if (!strcmp(type, "track"))
        json_object_set_new(json, "event", json_string(world_event(&m->world)));
    else if (random_chance(m->r, 70))
        json_object_set_new(json, "name",
                            world_odd_value(&m->world, WORLD_TEXT, 0));
    if (is_many(m)) {
        json_object_set_new(
            json, "properties",
            json_pack("{s:i}", "amount", m->history->step_count));
        return;
    }
    json_object_set_new(json, "properties",
                        some_values(m, WORLD_PROPERTIES, 45));
    json_object_set_new(json, "context", some_values(m, WORLD_CONTEXT, 40));
}

static void put_group(struct maker *m, json_t *json)
{
    static const char *const groups[] = {"acme", "beta corp", "ünïted"};
    json_object_set_new(json, "type", json_string("group"));
    json_object_set_new(json, "groupId", json_string(RANDOM_OF(m->r, groups)));
    if (random_chance(m->r, 80))
        json_object_set_new(json, "traits", some_values(m, WORLD_ACCOUNT, 40));
}

static void put_identify(struct maker *m, json_t *json)
{
    json_object_set_new(json, "type", json_string("identify"));
    json_object_set_new(json, "traits", some_values(m, WORLD_USER, 35));
}

static void put_type(struct maker *m, json_t *json)
{
    int64_t n = random_below(m->r, 100);
    if (is_many(m))
        n %= 70;
    if (n < 62)
        put_event(m, json, "track");
    else if (n < 70)
        put_event(m, json, "page");
    else if (n < 75)
        put_event(m, json, "screen");
    else if (n < 89)
        put_identify(m, json);
    else
        put_group(m, json);
}

/* Now and then a message is none, for one of many reasons. */
static void spoil(struct maker *m, json_t *json)
{
    static const char *const fields[] = {"type", "userId", "anonymousId",
                                         "event", "groupId"};
    static const char *const values[] = {"null", "\"\"",         "7",
                                         "[]",   "\"a\\u0000\"", "\"alias\"",
                                         "{}",   "\"Track\""};
    const char *field = RANDOM_OF(m->r, fields);
    if (random_chance(m->r, 30))
        json_object_del(json, field);
    else
        json_object_set_new(json, field,
                            json_loads(RANDOM_OF(m->r, values),
                                       JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
}

/* The text of the message of STEP, from USER, with id NUMBER. */
static char *message(struct maker *m, const struct step *step, int user,
                     int number)
{
    json_t *json = json_object();
    json_object_set_new(json,
                        random_chance(m->r, 85) ? "userId" : "anonymousId",
                        json_string(world_user(user)));
    put_type(m, json);
    if (number)
        put_id(json, number);
    put_time(m, json, step->record_ms);
    if (random_chance(m->r, 2))
        spoil(m, json);
    char *text = json_dumps(json, random_chance(m->r, 80)
                                      ? JSON_COMPACT
                                      : JSON_ENSURE_ASCII | JSON_INDENT(1));
    assert(text);
    json_decref(json);
    if (random_below(m->r, 400) == 0)
        text[random_below(m->r, (int64_t)strlen(text))] = 0;
    return text;
}

/* ---- steps --------------------------------------------------------------- */

static void set_wall(struct maker *m, struct step *step)
{
    int64_t age = m->history->trigger_max_age_ms, n = random_below(m->r, 5);
    if (m->walled)
        step->wall_ms = m->now_ms + (n < 3 ? age + n - 1 : n < 4 ? 0 : 3 * age);
}

/* When the next record is dated. */
static int64_t next_record(struct maker *m)
{
    struct random *r = m->r;
    int64_t unit = m->world.unit_ms;
    move_on(m);
    if (m->ahead && random_chance(r, 40))
        return m->now_ms + random_between(r, 1, 4) * unit;
    if (is_kind(m, HISTORY_MIXED) && !m->world.punctual && random_chance(r, 1))
        return m->now_ms - random_between(r, 1, 100) * DAY_MS;
    if (!m->world.punctual && random_chance(r, 8))
        return m->now_ms -
               random_between(r, 0, 3) * (unit < HOUR ? unit : HOUR);
    return m->now_ms;
}

/* A message that comes again mostly does so in its topic, and now and then just
 * 24 h later. */
static void repeat(struct maker *m, struct step *step, int *user, int number)
{
    const struct given *old = &m->given[number];
    int64_t day_after = old->record_ms + DAY_MS + random_between(m->r, -1, 1);
    if (random_chance(m->r, 85))
        step->topic = old->topic;
    if (random_chance(m->r, 90))
        *user = old->user;
    if (day_after > m->now_ms && random_chance(m->r, 20))
        step->record_ms = m->now_ms = day_after;
}

static void add_message(struct maker *m)
{
    int64_t record_ms = next_record(m);
    int user = (int)random_below(m->r, m->world.user_count);
    int number = repeated(m);
    struct step *step = add_step(m->history, STEP_MESSAGE);
    step->topic = (int)random_below(m->r, m->world.topic_count);
    step->record_ms = record_ms;
    if (record_ms < m->now_ms - DAY_MS)
        number = 0; /* Duplicates are known for records of the last day. */
    else if (number)
        repeat(m, step, &user, number);
    else
        number = new_id(m, user, step);
    step->offset = m->offsets[step->topic] += random_chance(m->r, 90) ? 1 : 3;
    step->clock_ms = step->record_ms < m->now_ms ? step->record_ms : m->now_ms;
    step->variant = (uint32_t)random_bits(m->r);
    step->text = message(m, step, user, number);
    set_wall(m, step);
}

static void add_other(struct maker *m)
{
    int64_t n = random_below(m->r, 100);
    enum step_kind kind = n < 55 ? STEP_ADVANCE : STEP_FLUSH;
    if (m->restores && n >= 80)
        kind = n < 86 ? STEP_EXPORT : STEP_REDO;
    if (m->changed && random_chance(m->r, 40))
        /* What is read again is read by the dates of the records: one that is
         * dated ahead comes behind what it came before. */
        kind =
            !m->ahead && random_chance(m->r, 40) ? STEP_BACKFILL : STEP_SWEEP;
    if (kind == STEP_ADVANCE)
        move_on(m);
    struct step *step = add_step(m->history, kind);
    step->clock_ms = m->now_ms;
    step->variant = (uint32_t)random_bits(m->r);
    set_wall(m, step);
}

static void add_sweep(struct maker *m, uint32_t users)
{
    struct step *step = add_step(m->history, STEP_SWEEP);
    step->clock_ms = m->now_ms;
    step->variant = users;
}

/* The next catalogue comes into force. */
static void add_change(struct maker *m)
{
    struct step *step = add_step(m->history, STEP_CHANGE);
    step->clock_ms = m->now_ms;
    step->variant = (uint32_t)random_bits(m->r);
    if (!m->restores)
        step->variant &= ~(uint32_t)STEP_WHILE_DOWN;
    step->catalogue = ++m->changed;
    if (random_chance(m->r, 60))
        add_sweep(m, (uint32_t)random_below(m->r, 5));
}

static void add_last_advance(struct maker *m, int64_t units)
{
    struct step *step;
    m->now_ms += units * m->world.unit_ms + 2;
    step = add_step(m->history, STEP_ADVANCE);
    step->clock_ms = m->now_ms;
    step->variant = (uint32_t)random_bits(m->r);
    set_wall(m, step);
}

/* The first catalogue, and those that come later. */
static void make_catalogues(struct maker *m)
{
    struct history *h = m->history;
    struct catalogue_text *first = &h->catalogues[0];
    char names[CATALOGUE_SEGMENTS_MAX][CATALOGUE_KEY_BYTES];
    const char *keys[CATALOGUE_SEGMENTS_MAX];
    struct buf buf;
    int count = (int)random_between(m->r, 1, kinds[h->kind].segments_max);
    buf_init(&buf);
    catalogue_gen_lists(&m->world, &buf);
    h->lists = buf_take(&buf);
    catalogue_gen_trait(&m->world, &buf);
    h->later = buf_take(&buf);
    for (int i = 0; i < count; i++) {
        catalogue_gen_key(&m->world, i, names[i]);
        keys[i] = names[i];
        catalogue_gen_segment(&m->world, &buf, kinds[h->kind].catalogue,
                              keys[i], keys, i);
        first->segments[first->count++] = buf_take(&buf);
    }
    buf_done(&buf);
    catalogue_publish(first);
    h->catalogue_count = 1 + m->changes;
    for (int i = 1; i < h->catalogue_count; i++)
        catalogue_edit(&m->world, h->catalogues, i);
}

static void make_steps(struct maker *m)
{
    const struct kind *kind = &kinds[m->history->kind];
    int64_t n = random_between(m->r, kind->messages_min, kind->messages_max);
    for (int64_t i = 0; i < n; i++) {
        while (m->changed < m->changes &&
               random_below(m->r, n) < 2 * m->changes)
            add_change(m);
        if (!is_kind(m, HISTORY_ORDER) && random_chance(m->r, 22) &&
            (!is_many(m) || i % 16 == 0))
            add_other(m);
        add_message(m);
    }
    if (m->changed)
        add_sweep(m, (uint32_t)random_below(m->r, 4));
    add_last_advance(m, is_many(m) ? 400 : 12);
    if (m->changed)
        add_sweep(m, UINT32_MAX);
    add_last_advance(m, is_many(m) ? 1000 : 40);
}

static enum history_kind kind_of(struct random *r)
{
    int64_t n = random_below(r, 100);
    for (int kind = HISTORY_KINDS_ - 1; kind; kind--) {
        if (n < kinds[kind].percent)
            return (enum history_kind)kind;
        n -= kinds[kind].percent;
    }
    return HISTORY_MIXED;
}

/* What the kind changes in the world. */
static void adapt(struct maker *m)
{
    struct world *w = &m->world;
    struct history *h = m->history;
    int most = kinds[h->kind].users_max;
    w->user_count = (int)(most < 300 ? random_between(m->r, 1, most)
                                     : random_between(m->r, 20, most));
    w->punctual = is_kind(m, HISTORY_ORDER) ||
                  (kinds[h->kind].sequences && random_chance(m->r, 50));
    if (is_kind(m, HISTORY_ORDER) && w->unit_ms > HOUR)
        w->unit_ms = HOUR;
    if (is_kind(m, HISTORY_DEDUPE))
        w->unit_ms = RANDOM_OF(m->r, ((const int64_t[]){60000, HOUR}));
    if (is_kind(m, HISTORY_DEDUPE) && random_chance(m->r, 70))
        w->user_count = 1;
    w->many = !kinds[h->kind].sequences;
    if (is_many(m))
        w->unit_ms = RANDOM_OF(m->r, ((const int64_t[]){1000, HOUR}));
    if (is_kind(m, HISTORY_LATE))
        w->unit_ms = HOUR;
    if (is_kind(m, HISTORY_TIGHT))
        h->user_bytes_max = (uint32_t)random_between(m->r, 300, 2500);
    w->long_percent =
        is_kind(m, HISTORY_MIXED) && random_chance(m->r, 5) ? 12 : 0;
    if (kinds[h->kind].changes && random_chance(m->r, 38))
        m->changes = (int)random_between(m->r, 1, HISTORY_CATALOGUES_MAX - 1);
}

void history_init(struct history *h, uint64_t seed)
{
    struct maker m = {.history = h};
    *h = (struct history){.seed = seed};
    world_init(&m.world, seed);
    m.r = &m.world.random;
    h->kind = kind_of(m.r);
    adapt(&m);
    h->topic_count = m.world.topic_count;
    h->trigger_max_age_ms = 2 * m.world.unit_ms;
    m.now_ms = m.world.start_ms;
    m.restores = random_chance(m.r, 60);
    m.ahead = h->kind == HISTORY_MIXED && random_chance(m.r, 15);
    m.walled = !m.ahead && random_chance(m.r, 25);
    m.world.shadows = !m.restores;
    make_catalogues(&m);
    make_steps(&m);
}
