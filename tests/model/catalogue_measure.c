/* catalogue_measure.c: measures, their tests, and two against each other. */
#include <stdio.h>
#include <string.h>

#include "lib/base/instant.h"
#include "tests/model/catalogue_inside.h"

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
    gen_event(g);
    buf_str(g->out, ") ");
    if (random_chance(g->r, 10)) {
        buf_str(g->out, random_chance(g->r, 50) ? "is set" : "is not set");
    } else if (random_chance(g->r, 25)) {
        buf_str(g->out, "between ");
        put_days(g, 0);
        buf_str(g->out, " and ");
        put_days(g, 6);
    } else {
        buf_printf(g->out, "%s ", gen_sign(g));
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
        gen_number_range(g);
        return;
    default:
        buf_printf(g->out, "%s %lld%s", gen_sign(g), (long long)n, half);
        return;
    }
}

/* ---- numbers ------------------------------------------------------------- */

/* A path below which mostly numbers are. */
static const struct world_path *number_path(struct gen *g)
{
    const struct world_path *path = gen_path(g, gen_where_root(g));
    while (path->kind != WORLD_NUMBER && random_chance(g->r, 92))
        path = gen_path(g, gen_where_root(g));
    return path;
}

/* What sums of a few values come to. */
static void put_number(struct gen *g, int64_t low, int64_t high)
{
    static const char *const parts[] = {"", "", "", ".5", ".25", ".01", ".1"};
    int64_t n = random_between(g->r, low, high);
    buf_printf(g->out, "%lld%s", (long long)n, RANDOM_OF(g->r, parts));
}

static void put_amount_test(struct gen *g, int64_t high)
{
    int64_t low = random_between(g->r, -2, high);
    switch (random_below(g->r, 6)) {
    case 0:
        buf_printf(g->out, "between %lld and ", (long long)low);
        put_number(g, low + 1, low + 4);
        return;
    case 1:
        buf_printf(g->out, "%s (%lld, ",
                   random_chance(g->r, 50) ? "in" : "not in", (long long)low);
        put_number(g, low + 1, low + 3);
        buf_char(g->out, ')');
        return;
    default:
        buf_printf(g->out, "%s ", gen_sign(g));
        put_number(g, -2, high);
        return;
    }
}

/* sum, avg, min or max without a test. */
static const char *put_of_numbers(struct gen *g)
{
    static const char *const words[] = {"sum", "sum", "avg", "min", "max"};
    const char *word = RANDOM_OF(g->r, words);
    buf_printf(g->out, "%s(", word);
    gen_event(g);
    buf_printf(g->out, ", %s)", number_path(g)->text);
    gen_window(g);
    return word;
}

static void put_tested_number(struct gen *g)
{
    const char *word = put_of_numbers(g);
    buf_char(g->out, ' ');
    if (*word != 's' && random_chance(g->r, 10))
        gen_set_test(g);
    else
        put_amount_test(g, *word == 's' ? 12 : 5);
}

static void put_counted(struct gen *g)
{
    buf_str(g->out, "count(");
    gen_event(g);
    buf_char(g->out, ')');
    gen_window(g);
}

static void put_days_active(struct gen *g)
{
    buf_str(g->out, "days(");
    gen_event(g);
    buf_char(g->out, ')');
    gen_window(g);
}

static void put_distinct(struct gen *g)
{
    buf_str(g->out, "distinct(");
    gen_event(g);
    buf_printf(g->out, ", %s)",
               g->world->many ? "plan" : gen_path(g, gen_where_root(g))->text);
    gen_window(g);
}

static void put_score(struct gen *g)
{
    buf_printf(g->out, "score(score_%d)",
               (int)random_below(g->r, CATALOGUE_SCORES));
}

/* Whole fractions of weights: reached at whole half-lives, to the millisecond.
 */
static void put_score_test(struct gen *g)
{
    static const char *const bounds[] = {"5", "2.5",  "4", "2",  "1",    "0.5",
                                         "3", "7.25", "0", "-1", "0.01", "8"};
    if (random_chance(g->r, 15)) {
        buf_str(g->out, "between 0.5 and ");
        buf_str(g->out, random_chance(g->r, 50) ? "4" : "3.3");
        return;
    }
    buf_printf(g->out, "%s %s", gen_sign(g), RANDOM_OF(g->r, bounds));
}

static void put_at(struct gen *g)
{
    const struct world_path *path = gen_path(g, gen_where_root(g));
    int64_t n = random_below(g->r, 100);
    enum world_kind wanted = n < 54   ? WORLD_TIME
                             : n < 79 ? WORLD_VERSION
                                      : WORLD_LIST;
    if (random_chance(g->r, 60)) /* Those with the most tests. */
        while (path->kind != wanted)
            path = gen_path(g, gen_where_root(g));
    buf_printf(g->out, "%s(", random_chance(g->r, 50) ? "first" : "last");
    gen_event(g);
    buf_printf(g->out, ", %s)", path->text);
    g->windowless = !gen_window(g);
    buf_char(g->out, ' ');
    gen_test(g, path->kind);
    g->windowless = 0;
}

static void put_trait(struct gen *g)
{
    buf_printf(g->out, "trait.trait_%d ",
               (int)random_below(g->r, CATALOGUE_TRAITS));
    put_amount_test(g, 8);
}

void gen_measure(struct gen *g)
{
    int64_t n = random_below(g->r, 100);
    if (n < 17) {
        put_days_since(g);
    } else if (n < 27) {
        put_counted(g);
        buf_char(g->out, ' ');
        put_count_test(g);
    } else if (n < 54) {
        put_at(g);
    } else if (n < 61) {
        put_days_active(g);
        buf_char(g->out, ' ');
        put_count_test(g);
    } else if (n < 69) {
        put_distinct(g);
        buf_char(g->out, ' ');
        put_count_test(g);
    } else if (n < 78) {
        put_score(g);
        buf_char(g->out, ' ');
        put_score_test(g);
    } else if (n < 82) {
        put_trait(g);
    } else {
        put_tested_number(g);
    }
}

/* ---- two measures -------------------------------------------------------- */

static void put_moving(struct gen *g)
{
    if (random_chance(g->r, 50)) {
        put_score(g);
        return;
    }
    buf_printf(g->out, "days_since(%s ",
               random_chance(g->r, 50) ? "first" : "last");
    gen_event(g);
    buf_char(g->out, ')');
}

void gen_number_measure(struct gen *g, int may_move)
{
    int64_t n = random_below(g->r, 10);
    if (may_move && n < 2)
        put_moving(g);
    else if (n < 5)
        put_counted(g);
    else if (n < 6)
        put_days_active(g);
    else if (n < 7)
        put_distinct(g);
    else
        put_of_numbers(g);
}

static void put_value_of(struct gen *g, const char *path)
{
    buf_printf(g->out, "%s(", random_chance(g->r, 50) ? "first" : "last");
    gen_event(g);
    buf_printf(g->out, ", %s)", path);
    gen_window(g);
}

static void put_percent(struct gen *g)
{
    static const char *const percents[] = {"50",  "70",   "100", "12.5",
                                           "200", "33.3", "150", "99.99"};
    if (random_chance(g->r, 45))
        buf_printf(g->out, "%s%% of ", RANDOM_OF(g->r, percents));
}

/* One side moves with time at most: two scores could turn at any number of
 * instants, as each is rounded. */
void gen_comparison(struct gen *g)
{
    static const char *const texts[] = {"plan", "goal.id", "event.name"};
    int64_t n = random_below(g->r, 10);
    if (n < 1) {
        put_value_of(g, RANDOM_OF(g->r, texts));
        buf_printf(g->out, " %s ", gen_sign(g));
        put_value_of(g, RANDOM_OF(g->r, texts));
    } else if (n < 3) {
        put_value_of(g, "amount");
        buf_printf(g->out, " %s ", gen_sign(g));
        put_percent(g);
        gen_number_measure(g, 0);
    } else {
        int left = random_chance(g->r, 50);
        gen_number_measure(g, left);
        buf_printf(g->out, " %s ", gen_sign(g));
        put_percent(g);
        gen_number_measure(g, !left);
    }
}

/* ---- scores and traits --------------------------------------------------- */

void gen_scores(struct gen *g)
{
    static const int weights[] = {8, 8, 4, 5, 2, 1, -4, -2, 9};
    for (int i = 0; i < CATALOGUE_SCORES; i++) {
        int64_t lines = random_between(g->r, 1, 3);
        int64_t half_life = world_duration(g->world, 6);
        if (half_life > 30 * DAY_MS)
            half_life = random_between(g->r, 1, 14) * DAY_MS;
        buf_printf(g->out, "score score_%d half-life ", i);
        gen_duration(g, half_life);
        buf_str(g->out, " {\n");
        for (int64_t line = 0; line < lines; line++) {
            buf_str(g->out, "  ");
            gen_event(g);
            buf_printf(g->out, " %d,\n", RANDOM_OF(g->r, weights));
        }
        buf_str(g->out, "}\n");
    }
    for (int i = 0; i < CATALOGUE_TRAITS; i++) {
        buf_printf(g->out, "trait trait_%d = ", i);
        gen_number_measure(g, 0);
        buf_char(g->out, '\n');
    }
}
