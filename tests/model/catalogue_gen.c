/* catalogue_gen.c: random segment files. One function per rule of the grammar;
 * only what the checker takes is written, so that an error is a bug. */
#include "tests/model/catalogue_gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/segment/op_table.h"

struct gen {
    struct world *world;
    struct random *r;
    struct buf *out;
    const char *const *keys; /* Segments that may be referred to. */
    int key_count;
    int windowless; /* Inside a measure without a window: dates after
                       `before` and `between` would be its window. */
};

void catalogue_gen_key(const struct world *world, int index,
                       char out[CATALOGUE_KEY_BYTES])
{
    int place = (index * 29 + world->shift) % 97; /* Distinct below 97. */
    snprintf(out, CATALOGUE_KEY_BYTES, "%s%d", place % 3 ? "seg_" : "s", place);
}

/* ---- values ---------------------------------------------------------- */

static void put_json(struct gen *g, json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    buf_str(g->out, text);
    free(text);
    json_decref(value);
}

static void put_value(struct gen *g, enum world_kind kind)
{
    put_json(g, world_value(g->world, kind, 0));
}

static void put_duration(struct gen *g, int64_t ms)
{
    duration_format(g->out, ms);
}

/* A DATE in one of its spellings. */
static void put_date(struct gen *g, int64_t ms)
{
    char text[25];
    instant_string(text, ms);
    if (ms % DAY_MS == 0 && random_chance(g->r, 50))
        text[10] = 0;
    else if (ms % 60000 == 0 && random_chance(g->r, 50))
        text[16] = 0;
    buf_str(g->out, text);
}

static int64_t some_date(struct gen *g)
{
    if (random_chance(g->r, 50))
        return RANDOM_OF(g->r, g->world->dates_ms);
    return world_instant(g->world,
                         g->world->start_ms +
                             random_between(g->r, 0, 8) * g->world->unit_ms);
}

static void put_fold(struct gen *g)
{
    if (random_chance(g->r, 40))
        buf_str(g->out, " ignoring case");
}

/* Case is ignored in lists of texts only. */
static void put_values(struct gen *g, enum world_kind kind)
{
    int64_t n = random_between(g->r, 1, 3);
    if (kind == WORLD_TEXT && random_chance(g->r, 20)) {
        int mixed = random_chance(g->r, 40);
        buf_str(g->out, mixed ? "@mixed" : "@words");
        if (!mixed)
            put_fold(g);
        return;
    }
    buf_char(g->out, '(');
    for (int64_t i = 0; i < n; i++) {
        buf_str(g->out, i ? ", " : "");
        put_value(g, kind);
    }
    buf_char(g->out, ')');
    if (kind == WORLD_TEXT)
        put_fold(g);
}

/* ---- tests ----------------------------------------------------------- */

static void put_set_test(struct gen *g)
{
    buf_str(g->out, random_chance(g->r, 50) ? "is set" : "is not set");
}

static const char *compare(struct gen *g)
{
    static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};
    return RANDOM_OF(g->r, signs);
}

/* Two values, the lesser first. */
static void put_number_range(struct gen *g)
{
    int64_t low = random_between(g->r, 0, 3);
    buf_printf(g->out, "between %lld and %lld", (long long)low,
               (long long)(low + random_between(g->r, 1, 3)));
}

static void put_text_range(struct gen *g)
{
    static const char *const ranges[] = {
        "between \"\" and \"pro\"", "between \"A\" and \"a*b\"",
        "between \"f\" and \"straße\"", "between \"pro\" and \"ünï\""};
    buf_str(g->out, RANDOM_OF(g->r, ranges));
}

static void put_text_test(struct gen *g)
{
    static const char *const words[] = {"contains", "starts with", "ends with"};
    switch (random_below(g->r, 7)) {
    case 0:
        buf_printf(g->out, "%s ", random_chance(g->r, 60) ? "=" : "!=");
        put_value(g, WORLD_TEXT);
        put_fold(g);
        return;
    case 1:
        buf_str(g->out, random_chance(g->r, 50) ? "in " : "not in ");
        put_values(g, WORLD_TEXT);
        return;
    case 2:
        buf_printf(g->out, "%s ", RANDOM_OF(g->r, words));
        put_json(g, json_string(random_chance(g->r, 50) ? "e" : "pro"));
        put_fold(g);
        return;
    case 3:
        buf_printf(g->out, "%s ", RANDOM_OF(g->r, words));
        put_value(g, WORLD_TEXT);
        put_fold(g);
        return;
    case 4:
        buf_str(g->out, "matches ");
        put_json(g, json_string(world_glob(g->world)));
        put_fold(g);
        return;
    case 5:
        put_text_range(g);
        return;
    default:
        buf_printf(g->out, "%s ", compare(g));
        put_value(g, WORLD_TEXT);
        return;
    }
}

static void put_number_test(struct gen *g)
{
    switch (random_below(g->r, 4)) {
    case 0:
        buf_str(g->out, random_chance(g->r, 50) ? "in " : "not in ");
        put_values(g, WORLD_NUMBER);
        return;
    case 1:
        put_number_range(g);
        return;
    default:
        buf_printf(g->out, "%s ", compare(g));
        put_value(g, WORLD_NUMBER);
        return;
    }
}

static void put_time_test(struct gen *g)
{
    int64_t date = some_date(g);
    switch (random_below(g->r, 9)) {
    case 0:
    case 1:
        buf_str(g->out, "within ");
        put_duration(g, world_duration(g->world, 6));
        return;
    case 2:
    case 3:
        buf_str(g->out, "within next ");
        put_duration(g, world_duration(g->world, 6));
        return;
    case 4:
        buf_str(g->out, "more than ");
        put_duration(g, world_duration(g->world, 6));
        buf_str(g->out, " ago");
        return;
    case 5:
    case 8:
        buf_str(g->out, g->windowless || random_chance(g->r, 35) ? "after "
                                                                 : "before ");
        break;
    case 6:
        buf_printf(g->out, "%s ", compare(g));
        break;
    default:
        if (g->windowless) {
            buf_str(g->out, "<= ");
            break;
        }
        buf_str(g->out, "between ");
        put_date(g, date);
        buf_str(g->out, " and ");
        date += random_between(g->r, 1, 5) * g->world->unit_ms;
        break;
    }
    put_date(g, date);
}

static void put_list_test(struct gen *g)
{
    static const char *const words[] = {"has any ", "has all ", "has none "};
    if (random_chance(g->r, 15)) {
        put_text_test(g);
        return;
    }
    if (random_chance(g->r, 30)) {
        buf_str(g->out, "has ");
        put_value(g, random_chance(g->r, 80) ? WORLD_TEXT : WORLD_NUMBER);
        return;
    }
    buf_str(g->out, RANDOM_OF(g->r, words));
    if (random_chance(g->r, 15)) {
        put_values(g, WORLD_NUMBER);
        return;
    }
    put_values(g, WORLD_TEXT);
}

static void put_version_test(struct gen *g)
{
    static const char *const operands[] = {"1.2.3", "1.2.10", "1.2.3-alpha",
                                           "1.2.3-rc.2", "1.10.0"};
    int plain = random_chance(g->r, 30);
    buf_printf(g->out, "version %s \"%s\"", plain ? "=" : compare(g),
               plain ? operands[0] : RANDOM_OF(g->r, operands));
}

static void put_test(struct gen *g, enum world_kind kind)
{
    if (random_chance(g->r, 8)) {
        put_set_test(g);
        return;
    }
    switch (kind) {
    case WORLD_TEXT:
        put_text_test(g);
        return;
    case WORLD_NUMBER:
        put_number_test(g);
        return;
    case WORLD_BOOL:
        buf_printf(g->out, "%s ", random_chance(g->r, 60) ? "=" : "!=");
        put_value(g, WORLD_BOOL);
        return;
    case WORLD_TIME:
        put_time_test(g);
        return;
    case WORLD_LIST:
        put_list_test(g);
        return;
    case WORLD_VERSION:
        put_version_test(g);
        return;
    case WORLD_KINDS_:
        break;
    }
}

static const struct world_path *some_path(struct gen *g, enum world_root root)
{
    int count;
    const struct world_path *paths = world_paths(root, &count);
    return &paths[random_below(g->r, count)];
}

static void put_path_test(struct gen *g, enum world_root root)
{
    const struct world_path *path = some_path(g, root);
    enum world_kind kind = path->kind;
    if (random_chance(g->r, 5))
        kind = (enum world_kind)random_below(g->r, WORLD_KINDS_);
    buf_printf(g->out, "%s ", path->text);
    if (root != WORLD_EVENT) {
        put_test(g, kind);
        return;
    }
    static const char *const of_type[] = {
        "= \"track\"", "= \"page\"", "!= \"screen\"",
        "in (\"page\", \"screen\")", "not in (\"screen\", \"track\")"};
    static const char *const of_text[] = {"= \"id-1\"",
                                          "starts with \"Page\"",
                                          "contains \"e\"",
                                          "matches \"*d*\"",
                                          "is set",
                                          "is not set",
                                          "in (\"id-2\", \"Goal Used\")"};
    buf_str(g->out, !strcmp(path->names[0], "type") ? RANDOM_OF(g->r, of_type)
                                                    : RANDOM_OF(g->r, of_text));
}

/* ---- events ---------------------------------------------------------- */

static enum world_root where_root(struct gen *g)
{
    int64_t n = random_below(g->r, 10);
    return n < 7 ? WORLD_PROPERTIES : n < 9 ? WORLD_CONTEXT : WORLD_EVENT;
}

static void put_where_cond(struct gen *g, int depth)
{
    int64_t n = depth ? random_below(g->r, 10) : 9;
    if (n < 1) {
        buf_str(g->out, "not (");
        put_where_cond(g, depth - 1);
        buf_char(g->out, ')');
    } else if (n < 4) {
        buf_char(g->out, '(');
        put_where_cond(g, depth - 1);
        buf_str(g->out, random_chance(g->r, 50) ? " and " : " or ");
        put_where_cond(g, depth - 1);
        buf_char(g->out, ')');
    } else {
        put_path_test(g, where_root(g));
    }
}

static void put_where(struct gen *g)
{
    if (!random_chance(g->r, 40))
        return;
    buf_str(g->out, " where ");
    if (random_chance(g->r, 60)) {
        put_path_test(g, where_root(g));
        return;
    }
    buf_char(g->out, '(');
    put_where_cond(g, 2);
    buf_char(g->out, ')');
}

static void put_event(struct gen *g)
{
    if (random_chance(g->r, 20)) {
        buf_str(g->out, "any");
    } else if (random_chance(g->r, 20)) {
        const char *a = world_event(g->world), *b = world_event(g->world);
        if (strcmp(a, b))
            buf_printf(g->out, "(\"%s\" or \"%s\")", a, b);
        else
            buf_printf(g->out, "\"%s\"", a);
    } else {
        buf_printf(g->out, "\"%s\"", world_event(g->world));
    }
    put_where(g);
}

/* Returns whether it is one. */
static int put_window(struct gen *g)
{
    int64_t from = world_duration(g->world, 8);
    if (random_chance(g->r, 25))
        return 0;
    if (random_chance(g->r, 65)) {
        buf_str(g->out, " in ");
        put_duration(g, from);
        return 1;
    }
    int64_t to = random_below(g->r, 8) * g->world->unit_ms;
    if (to >= from)
        to = from / 2;
    if (!to || to == from) {
        buf_str(g->out, " in ");
        put_duration(g, from);
        return 1;
    }
    buf_str(g->out, " from ");
    put_duration(g, from);
    buf_str(g->out, " to ");
    put_duration(g, to);
    buf_str(g->out, " ago");
    return 1;
}

/* ---- conditions ------------------------------------------------------ */

static void put_times(struct gen *g)
{
    static const char *const words[] = {"at least", "at most", "exactly"};
    int64_t n = random_chance(g->r, 85) ? random_between(g->r, 0, 3)
                                        : random_between(g->r, 4, 10);
    if (random_chance(g->r, 25)) {
        buf_printf(g->out, " between %lld and %lld times", (long long)n,
                   (long long)(n + random_between(g->r, 1, 3)));
        return;
    }
    const char *word = RANDOM_OF(g->r, words);
    if (*word == 'a' && word[3] == 'l' && !n)
        n = 1;
    buf_printf(g->out, " %s %lld %s", word, (long long)n,
               n == 1 ? "time" : "times");
}

static void put_did(struct gen *g)
{
    int not = random_chance(g->r, 20);
    buf_str(g->out, not ? "did not " : "did ");
    put_event(g);
    if (!not &&random_chance(g->r, 70))
        put_times(g);
    put_window(g);
}

/* Days that are a whole number of units, as a decimal. */
static void put_days(struct gen *g, int64_t least)
{
    int64_t ms = (least + random_between(g->r, 0, 5)) * g->world->unit_ms;
    if (ms * 1000 % DAY_MS)
        buf_printf(g->out, "%.12f", (double)ms / (double)DAY_MS);
    else
        buf_printf(g->out, "%.10g", (double)ms / (double)DAY_MS);
}

static void put_days_since(struct gen *g)
{
    buf_printf(g->out, "days_since(%s ",
               random_chance(g->r, 50) ? "first" : "last");
    put_event(g);
    buf_str(g->out, ") ");
    if (random_chance(g->r, 10)) {
        buf_str(g->out, random_chance(g->r, 50) ? "is set" : "is not set");
    } else if (random_chance(g->r, 25)) {
        buf_str(g->out, "between ");
        put_days(g, 0);
        buf_str(g->out, " and ");
        put_days(g, 6);
    } else {
        buf_printf(g->out, "%s ", compare(g));
        put_days(g, 1);
    }
}

static void put_count_test(struct gen *g)
{
    int64_t n = random_between(g->r, 0, 5);
    const char *half = random_chance(g->r, 15) ? ".5" : "";
    switch (random_below(g->r, 5)) {
    case 0:
        buf_printf(g->out, "%s (%lld%s, %lld)",
                   random_chance(g->r, 50) ? "in" : "not in", (long long)n,
                   half, (long long)n + 2);
        return;
    case 1:
        put_number_range(g);
        return;
    default:
        buf_printf(g->out, "%s %lld%s", compare(g), (long long)n, half);
        return;
    }
}

static void put_measure(struct gen *g)
{
    int64_t n = random_below(g->r, 10);
    if (n < 3) {
        put_days_since(g);
        return;
    }
    if (n < 5) {
        buf_str(g->out, "count(");
        put_event(g);
        buf_char(g->out, ')');
        put_window(g);
        buf_char(g->out, ' ');
        put_count_test(g);
        return;
    }
    const struct world_path *path = some_path(g, where_root(g));
    while (path->kind != WORLD_TIME && random_chance(g->r, 20))
        path = some_path(g, where_root(g));
    buf_printf(g->out, "%s(", random_chance(g->r, 50) ? "first" : "last");
    put_event(g);
    buf_printf(g->out, ", %s)", path->text);
    g->windowless = !put_window(g);
    buf_char(g->out, ' ');
    put_test(g, path->kind);
    g->windowless = 0;
}

static void put_pred(struct gen *g)
{
    int64_t n = random_below(g->r, 100);
    if (n < 2) {
        buf_str(g->out, "everyone");
    } else if (n < 12 && g->key_count) {
        buf_printf(g->out, "in segment %s",
                   g->keys[random_below(g->r, g->key_count)]);
    } else if (n < 26) {
        put_path_test(g, WORLD_USER);
    } else if (n < 34) {
        put_path_test(g, WORLD_ACCOUNT);
    } else if (n < 62) {
        put_measure(g);
    } else {
        put_did(g);
    }
}

static void put_cond(struct gen *g, int depth)
{
    int64_t n = depth ? random_below(g->r, 100) : 99;
    if (n < 12) {
        buf_str(g->out, "not (");
        put_cond(g, depth - 1);
        buf_char(g->out, ')');
    } else if (n < 50) {
        const char *word = random_chance(g->r, 50) ? " and " : " or ";
        int64_t parts = random_between(g->r, 2, 3);
        for (int64_t i = 0; i < parts; i++) {
            buf_str(g->out, i ? word : "");
            buf_char(g->out, '(');
            put_cond(g, depth - 1);
            buf_char(g->out, ')');
        }
    } else {
        put_pred(g);
    }
}

/* ---- segments -------------------------------------------------------- */

static void put_ids(struct gen *g, const char *word)
{
    int64_t n = random_between(g->r, 1, 2);
    buf_printf(g->out, "  %s (", word);
    for (int64_t i = 0; i < n; i++)
        buf_printf(g->out, "%s\"%s\"", i ? ", " : "",
                   world_user((int)random_below(g->r, 6)));
    buf_str(g->out, ")\n");
}

static void put_trigger(struct gen *g, int index)
{
    buf_printf(g->out, "  on %s trigger \"t%d\"",
               random_chance(g->r, 60) ? "enter" : "exit", index);
    if (random_chance(g->r, 40))
        buf_str(g->out, " { offer = \"pro\", goal.id = 5 }");
    if (random_chance(g->r, 70)) {
        buf_str(g->out, " once");
        if (random_chance(g->r, 75)) {
            buf_str(g->out, " per ");
            put_duration(g, world_duration(g->world, 5));
        }
    }
    buf_char(g->out, '\n');
}

/* A measure over a two-ended window that will hold more than is exact. */
static void put_coarse(struct gen *g)
{
    static const int thresholds[] = {20, 100, 255, 256, 257, 300};
    static const char *const measures[] = {
        "count(any)", "count(\"Goal Used\")", "first(any, amount)",
        "last(any, amount)", "first(\"Goal Used\", amount)"};
    int64_t to = g->world->unit_ms * random_between(g->r, 40, 300);
    int64_t from = to + g->world->unit_ms * random_between(g->r, 100, 900);
    buf_printf(g->out, "%s from ", RANDOM_OF(g->r, measures));
    put_duration(g, from);
    buf_str(g->out, " to ");
    put_duration(g, to);
    buf_printf(g->out, " ago %s %d", random_chance(g->r, 50) ? ">=" : "<",
               RANDOM_OF(g->r, thresholds));
}

/* Up to 256 in a window that ends now, and any number ever. */
static void put_large(struct gen *g)
{
    static const int exact[] = {1, 10, 63, 64, 65, 200, 255, 256};
    static const int ever[] = {100, 255, 256, 257, 400, 512};
    static const char *const words[] = {"at least", "at most", "exactly"};
    int lifetime = random_chance(g->r, 30), word = (int)random_below(g->r, 4);
    int n = lifetime ? RANDOM_OF(g->r, ever) : RANDOM_OF(g->r, exact);
    buf_printf(g->out, "did %s ",
               random_chance(g->r, 50) ? "any" : "\"Goal Used\"");
    if (word == 3)
        buf_printf(g->out, "between %d and %d times", n / 2, n);
    else
        buf_printf(g->out, "%s %d times", words[word], n);
    if (lifetime)
        return;
    buf_str(g->out, " in ");
    put_duration(g, g->world->unit_ms * random_between(g->r, 1, 600));
}

static void put_when(struct gen *g, enum catalogue_kind kind)
{
    buf_str(g->out, "  when ");
    if (kind == CATALOGUE_COARSE)
        put_coarse(g);
    else if (kind == CATALOGUE_LARGE)
        put_large(g);
    else
        put_cond(g, (int)random_below(g->r, 3));
    buf_char(g->out, '\n');
}

void catalogue_gen_segment(struct world *world, struct buf *out,
                           enum catalogue_kind kind, const char *key,
                           const char *const *keys, int count)
{
    struct gen g = {world, &world->random, out, keys, count, 0};
    buf_printf(out, "segment %s {\n", key);
    int when = kind != CATALOGUE_ANY || !random_chance(g.r, 2);
    if (when)
        put_when(&g, kind);
    if (!when || (kind == CATALOGUE_ANY && random_chance(g.r, 7)))
        put_ids(&g, "include");
    if (kind == CATALOGUE_ANY && random_chance(g.r, 7))
        put_ids(&g, "exclude");
    int64_t triggers = random_chance(g.r, 35) ? random_between(g.r, 1, 3) : 0;
    for (int64_t i = 0; i < triggers; i++)
        put_trigger(&g, (int)i);
    buf_str(out, "}\n");
}

void catalogue_gen_cond(struct world *world, struct buf *out,
                        const char *const *keys, int count)
{
    struct gen g = {world, &world->random, out, keys, count, 0};
    put_cond(&g, (int)random_below(g.r, 2));
}

void catalogue_gen_lists(struct world *world, struct buf *out)
{
    struct gen g = {world, &world->random, out, NULL, 0, 0};
    buf_str(out, "list words = [");
    put_value(&g, WORLD_TEXT);
    buf_str(out, ", ");
    put_value(&g, WORLD_TEXT);
    buf_str(out, "]\nlist mixed = [");
    put_value(&g, WORLD_TEXT);
    buf_str(out, ", ");
    put_value(&g, WORLD_NUMBER);
    buf_str(out, "]\n");
}
