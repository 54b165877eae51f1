/* catalogue_gen.c: random segment files. One function per rule of the grammar;
 * only what the checker takes is written, so that an error is a bug. */
#include "tests/model/catalogue_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/segment/op_table.h"

void catalogue_gen_key(const struct world *world, int index,
                       char out[CATALOGUE_KEY_BYTES])
{
    int place = (index * 29 + world->shift) % 97; /* Distinct below 97. */
    snprintf(out, CATALOGUE_KEY_BYTES, "%s%d", place % 3 ? "seg_" : "s", place);
}

/* ---- conditions ---------------------------------------------------------- */

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
    gen_event(g);
    if (!not &&random_chance(g->r, 70))
        put_times(g);
    gen_window(g);
}

/* `per day`, `per week`: blocks that the history's unit of time can reach. */
static void put_habit(struct gen *g)
{
    int64_t n = random_between(g->r, 1, 3);
    int week = g->world->unit_ms > DAY_MS || random_chance(g->r, 20);
    buf_str(g->out, "did ");
    gen_event(g);
    if (random_chance(g->r, 60))
        put_times(g);
    else
        buf_str(g->out, " at least 1 time");
    buf_printf(g->out, " per %s for %lld %s", week ? "week" : "day",
               (long long)n, week ? "weeks" : "days");
}

/* The name is one of those that are looked at. */
static void put_latest(struct gen *g)
{
    const char *name = world_event(g->world), *other = world_event(g->world);
    if (random_chance(g->r, 15))
        buf_str(g->out, "latest(any");
    else if (!strcmp(name, other))
        buf_printf(g->out, "latest(\"%s\"", name);
    else
        buf_printf(g->out, "latest(\"%s\" or \"%s\"", other, name);
    gen_where(g);
    buf_printf(g->out, ") was \"%s\"", name);
    gen_window(g);
}

static void put_watched(struct gen *g)
{
    buf_printf(g->out, "%s segment %s in ",
               random_chance(g->r, 50) ? "entered" : "left",
               g->keys[random_below(g->r, g->key_count)]);
    gen_duration(g, world_duration(g->world, 6));
}

static void put_share(struct gen *g)
{
    static const char *const shares[] = {"50", "33.33", "10", "75.5", "99.99"};
    buf_printf(g->out, "user in %s%% by \"salt-%d\"", RANDOM_OF(g->r, shares),
               (int)random_below(g->r, 4));
}

/* Words that stand alone. */
static void put_word(struct gen *g, int64_t n)
{
    if (n < 6)
        put_latest(g);
    else if (n < 11 && g->key_count)
        put_watched(g);
    else if (n < 15)
        put_share(g);
    else
        put_habit(g);
}

static void put_pred(struct gen *g)
{
    int64_t n = random_below(g->r, 100);
    if (n < 2) {
        buf_str(g->out, "everyone");
    } else if (n < 10 && g->key_count) {
        buf_printf(g->out, "in segment %s",
                   g->keys[random_below(g->r, g->key_count)]);
    } else if (n < 20) {
        gen_path_test(g, WORLD_USER);
    } else if (n < 27) {
        gen_path_test(g, WORLD_ACCOUNT);
    } else if (n < 55) {
        gen_measure(g);
    } else if (n < 60) {
        gen_comparison(g);
    } else if (n < 74 && g->world->punctual) {
        gen_sequence(g);
    } else if (n < 82) {
        put_word(g, random_below(g->r, 20));
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

/* ---- segments ------------------------------------------------------------ */

static void put_ids(struct gen *g, const char *word)
{
    int64_t n = random_between(g->r, 1, 2);
    buf_printf(g->out, "  %s (", word);
    for (int64_t i = 0; i < n; i++)
        buf_printf(g->out, "%s\"%s\"", i ? ", " : "",
                   world_user((int)random_below(g->r, 6)));
    buf_str(g->out, ")\n");
}

static void put_told(struct gen *g)
{
    buf_printf(g->out, " { offer = \"pro\", who.is = %s, n = ",
               gen_path(g, WORLD_USER)->text);
    gen_number_measure(g, 1);
    buf_str(g->out, " }");
}

static void put_trigger(struct gen *g, int index)
{
    buf_printf(g->out, "  on %s trigger \"t%d\"",
               random_chance(g->r, 60) ? "enter" : "exit", index);
    if (random_chance(g->r, 30))
        put_told(g);
    else if (random_chance(g->r, 40))
        buf_str(g->out, " { offer = \"pro\", goal.id = 5 }");
    if (random_chance(g->r, 70)) {
        buf_str(g->out, " once");
        if (random_chance(g->r, 75)) {
            buf_str(g->out, " per ");
            gen_duration(g, world_duration(g->world, 5));
        }
    }
    buf_char(g->out, '\n');
}

/* A measure over a two-ended window that will hold more than is exact. */
static void put_coarse(struct gen *g)
{
    static const int thresholds[] = {20, 100, 255, 256, 257, 300};
    static const char *const measures[] = {"count(any)",
                                           "count(\"Goal Used\")",
                                           "first(any, amount)",
                                           "last(any, amount)",
                                           "first(\"Goal Used\", amount)",
                                           "sum(any, amount)",
                                           "sum(\"Goal Used\", amount)",
                                           "avg(any, amount)",
                                           "min(any, amount)",
                                           "max(any, amount)",
                                           "min(\"Goal Used\", amount)",
                                           "distinct(any, amount)",
                                           "days(any)"};
    const char *measure = RANDOM_OF(g->r, measures);
    int64_t to = g->world->unit_ms * random_between(g->r, 40, 300);
    int64_t from = to + g->world->unit_ms * random_between(g->r, 100, 900);
    buf_printf(g->out, "%s from ", measure);
    gen_duration(g, from);
    buf_str(g->out, " to ");
    gen_duration(g, to);
    buf_printf(g->out, " ago %s %d", random_chance(g->r, 50) ? ">=" : "<",
               RANDOM_OF(g->r, thresholds) * (*measure == 's' ? 100 : 1));
}

/* Up to 256 in a window that ends now, and any number ever. */
static void put_large(struct gen *g)
{
    static const int exact[] = {1, 10, 63, 64, 65, 200, 255, 256};
    static const int ever[] = {100, 255, 256, 257, 400, 512};
    static const char *const words[] = {"at least", "at most", "exactly"};
    static const char *const numbers[] = {
        "sum(any, amount) >= 20000",
        "avg(\"Goal Used\", amount) > 100",
        "max(\"Goal Used\", amount) <= 90",
        "max(any, amount) > 301.5",
        "did any at least 3 times per day for 2 days",
        "did \"Goal Used\" between 1 and 9 times per day for 1 days"};
    int lifetime = random_chance(g->r, 30), word = (int)random_below(g->r, 4);
    if (random_chance(g->r, 25)) {
        buf_str(g->out, RANDOM_OF(g->r, numbers));
        return;
    }
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
    gen_duration(g, g->world->unit_ms * random_between(g->r, 1, 600));
}

static void put_when(struct gen *g, enum catalogue_kind kind)
{
    buf_str(g->out, "  when ");
    if (kind == CATALOGUE_COARSE)
        put_coarse(g);
    else if (kind == CATALOGUE_LARGE)
        put_large(g);
    else if (kind == CATALOGUE_LATE)
        gen_sequence(g);
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
    if (world->shadows && kind == CATALOGUE_ANY && random_chance(g.r, 15))
        buf_str(out, CATALOGUE_SHADOW);
    int when = kind != CATALOGUE_ANY || !random_chance(g.r, 2);
    if (when)
        put_when(&g, kind);
    if (!when || (kind == CATALOGUE_ANY && random_chance(g.r, 7)))
        put_ids(&g, "include");
    if (kind == CATALOGUE_ANY && random_chance(g.r, 7))
        put_ids(&g, "exclude");
    if (when && kind == CATALOGUE_ANY && random_chance(g.r, 10)) {
        buf_str(out, "  until ");
        put_cond(&g, (int)random_below(g.r, 2));
        buf_char(out, '\n');
    }
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
    gen_value(&g, WORLD_TEXT);
    buf_str(out, ", ");
    gen_value(&g, WORLD_TEXT);
    buf_str(out, "]\nlist mixed = [");
    gen_value(&g, WORLD_TEXT);
    buf_str(out, ", ");
    gen_value(&g, WORLD_NUMBER);
    buf_str(out, "]\n");
    gen_scores(&g);
}

void catalogue_gen_trait(struct world *world, struct buf *out)
{
    struct gen g = {world, &world->random, out, NULL, 0, 0};
    buf_str(out, "trait later = ");
    gen_number_measure(&g, 0);
    buf_char(out, '\n');
}
