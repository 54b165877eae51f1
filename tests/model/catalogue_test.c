/* catalogue_test.c: values, tests of values, and which events. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/segment/op_table.h"
#include "tests/model/catalogue_inside.h"

/* ---- values -------------------------------------------------------------- */

void gen_json(struct gen *g, json_t *value)
{
    int large = fabs(json_number_value(value)) > 1e9;
    char *text = json_dumps(value, JSON_ENCODE_ANY |
                                       JSON_REAL_PRECISION(large ? 17 : 15));
    buf_str(g->out, text);
    free(text);
    json_decref(value);
}

void gen_value(struct gen *g, enum world_kind kind)
{
    gen_json(g, world_value(g->world, kind, 0));
}

void gen_duration(struct gen *g, int64_t ms)
{
    duration_format(g->out, ms);
}

/* A DATE in one of its spellings. */
void gen_date(struct gen *g, int64_t ms)
{
    char text[25];
    instant_string(text, ms);
    if (ms % DAY_MS == 0 && random_chance(g->r, 50))
        text[10] = 0;
    else if (ms % 60000 == 0 && random_chance(g->r, 50))
        text[16] = 0;
    buf_str(g->out, text);
}

int64_t gen_some_date(struct gen *g)
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
        gen_value(g, kind);
    }
    buf_char(g->out, ')');
    if (kind == WORLD_TEXT)
        put_fold(g);
}

/* ---- tests --------------------------------------------------------------- */

void gen_set_test(struct gen *g)
{
    buf_str(g->out, random_chance(g->r, 50) ? "is set" : "is not set");
}

const char *gen_sign(struct gen *g)
{
    static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};
    return RANDOM_OF(g->r, signs);
}

/* Two values, the lesser first. */
void gen_number_range(struct gen *g)
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
    switch (random_below(g->r, 8)) {
    case 0:
        buf_printf(g->out, "%s ", random_chance(g->r, 60) ? "=" : "!=");
        gen_value(g, WORLD_TEXT);
        put_fold(g);
        return;
    case 1:
        buf_str(g->out, random_chance(g->r, 50) ? "in " : "not in ");
        put_values(g, WORLD_TEXT);
        return;
    case 2:
        buf_printf(g->out, "%s ", RANDOM_OF(g->r, words));
        gen_json(g, json_string(random_chance(g->r, 50) ? "e" : "pro"));
        put_fold(g);
        return;
    case 3:
        buf_printf(g->out, "%s ", RANDOM_OF(g->r, words));
        gen_value(g, WORLD_TEXT);
        put_fold(g);
        return;
    case 4:
        buf_str(g->out, "matches ");
        gen_json(g, json_string(world_glob(g->world)));
        put_fold(g);
        return;
    case 5:
        put_text_range(g);
        return;
    case 7:
        buf_str(g->out, "matches regex ");
        gen_json(g, json_string(world_regex(g->world)));
        put_fold(g);
        return;
    default:
        buf_printf(g->out, "%s ", gen_sign(g));
        gen_value(g, WORLD_TEXT);
        return;
    }
}

void gen_number_test(struct gen *g)
{
    switch (random_below(g->r, 4)) {
    case 0:
        buf_str(g->out, random_chance(g->r, 50) ? "in " : "not in ");
        put_values(g, WORLD_NUMBER);
        return;
    case 1:
        gen_number_range(g);
        return;
    default:
        buf_printf(g->out, "%s ", gen_sign(g));
        gen_value(g, WORLD_NUMBER);
        return;
    }
}

static void put_time_test(struct gen *g)
{
    int64_t date = gen_some_date(g);
    switch (random_below(g->r, 9)) {
    case 0:
    case 1:
        buf_str(g->out, "within ");
        gen_duration(g, world_duration(g->world, 6));
        return;
    case 2:
    case 3:
        buf_str(g->out, "within next ");
        gen_duration(g, world_duration(g->world, 6));
        return;
    case 4:
        buf_str(g->out, "more than ");
        gen_duration(g, world_duration(g->world, 6));
        buf_str(g->out, " ago");
        return;
    case 5:
    case 8:
        buf_str(g->out, g->windowless || random_chance(g->r, 35) ? "after "
                                                                 : "before ");
        break;
    case 6:
        buf_printf(g->out, "%s ", gen_sign(g));
        break;
    default:
        if (g->windowless) {
            buf_str(g->out, "<= ");
            break;
        }
        buf_str(g->out, "between ");
        gen_date(g, date);
        buf_str(g->out, " and ");
        date += random_between(g->r, 1, 5) * g->world->unit_ms;
        break;
    }
    gen_date(g, date);
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
        gen_value(g, random_chance(g->r, 80) ? WORLD_TEXT : WORLD_NUMBER);
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
    buf_printf(g->out, "version %s \"%s\"", plain ? "=" : gen_sign(g),
               plain ? operands[0] : RANDOM_OF(g->r, operands));
}

/* A list of objects. */
static void put_items_test(struct gen *g)
{
    static const char *const paths[] = {"sku", "price", "size.label"};
    static const enum world_kind kinds[] = {WORLD_TEXT, WORLD_NUMBER,
                                            WORLD_TEXT};
    int64_t parts = random_between(g->r, 1, 2);
    const char *word = random_chance(g->r, 75) ? " and " : " or ";
    buf_printf(g->out, "has one where %s(",
               parts == 1 && random_chance(g->r, 20) ? "(not " : "(");
    for (int64_t i = 0; i < parts; i++) {
        int64_t n = random_below(g->r, 3);
        buf_printf(g->out, "%s%s ", i ? word : "", paths[n]);
        gen_test(g, kinds[n]);
    }
    buf_str(g->out, "))");
}

void gen_test(struct gen *g, enum world_kind kind)
{
    if (random_chance(g->r, 8)) {
        gen_set_test(g);
        return;
    }
    switch (kind) {
    case WORLD_TEXT:
        put_text_test(g);
        return;
    case WORLD_NUMBER:
        gen_number_test(g);
        return;
    case WORLD_BOOL:
        buf_printf(g->out, "%s ", random_chance(g->r, 60) ? "=" : "!=");
        gen_value(g, WORLD_BOOL);
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
    case WORLD_ITEMS:
        put_items_test(g);
        return;
    case WORLD_KINDS_:
        break;
    }
}

const struct world_path *gen_path(struct gen *g, enum world_root root)
{
    int count;
    const struct world_path *paths = world_paths(root, &count);
    return &paths[random_below(g->r, count)];
}

void gen_path_test(struct gen *g, enum world_root root)
{
    const struct world_path *path = gen_path(g, root);
    enum world_kind kind = path->kind;
    if (random_chance(g->r, 5))
        kind = (enum world_kind)random_below(g->r, WORLD_KINDS_);
    buf_printf(g->out, "%s ", path->text);
    if (root != WORLD_EVENT) {
        gen_test(g, kind);
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

/* ---- events -------------------------------------------------------------- */

enum world_root gen_where_root(struct gen *g)
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
        gen_path_test(g, gen_where_root(g));
    }
}

void gen_where(struct gen *g)
{
    if (!random_chance(g->r, 40))
        return;
    buf_str(g->out, " where ");
    if (random_chance(g->r, 60)) {
        gen_path_test(g, gen_where_root(g));
        return;
    }
    buf_char(g->out, '(');
    put_where_cond(g, 2);
    buf_char(g->out, ')');
}

void gen_event(struct gen *g)
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
    gen_where(g);
}

static void put_dates(struct gen *g)
{
    int64_t date = gen_some_date(g);
    switch (random_below(g->r, 4)) {
    case 0:
    case 1:
        buf_str(g->out, " since ");
        gen_date(g, date);
        return;
    case 2:
        buf_str(g->out, " before ");
        gen_date(g, date);
        return;
    default:
        buf_str(g->out, " between ");
        gen_date(g, date);
        buf_str(g->out, " and ");
        gen_date(g, date + random_between(g->r, 0, 8) * g->world->unit_ms);
        return;
    }
}

int gen_window(struct gen *g)
{
    int64_t from = world_duration(g->world, 8);
    if (random_chance(g->r, 25))
        return 0;
    if (random_chance(g->r, 15)) {
        put_dates(g);
        return 1;
    }
    if (random_chance(g->r, 65)) {
        buf_str(g->out, " in ");
        gen_duration(g, from);
        return 1;
    }
    int64_t to = random_below(g->r, 8) * g->world->unit_ms;
    if (to >= from)
        to = from / 2;
    if (!to || to == from) {
        buf_str(g->out, " in ");
        gen_duration(g, from);
        return 1;
    }
    buf_str(g->out, " from ");
    gen_duration(g, from);
    buf_str(g->out, " to ");
    gen_duration(g, to);
    buf_str(g->out, " ago");
    return 1;
}
