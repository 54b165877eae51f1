/* check_cost.c: what a catalogue costs. */
#include <seg/cost.h>

#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "tests/support/suite.h"

static struct seg_diagnostics *diagnostics;
static struct seg_catalogue *catalogue;
static struct seg_cost *cost;
static struct buf said;

static void setup(void)
{
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    buf_init(&said);
}

static void teardown(void)
{
    seg_cost_free(cost);
    seg_catalogue_free(catalogue);
    seg_diagnostics_free(diagnostics);
    buf_done(&said);
    cost = NULL;
    catalogue = NULL;
}

static void take(const char *text)
{
    struct seg_source source = {"a.seg", text, strlen(text)};
    int ret = seg_catalogue_compile(&catalogue, &source, 1, diagnostics);
    ck_assert_msg(ret == 0, "%s", seg_diagnostics_at(diagnostics, 0)->message);
    ck_assert_int_eq(seg_catalogue_cost(&cost, catalogue), 0);
}

/* All of it, a line for each part and each event. */
static const char *tell(void)
{
    for (int i = 0; i < cost->part_count; i++) {
        const struct seg_part_cost *part = &cost->parts[i];
        buf_printf(&said, "%s%s: f%d s%d a%d t%d c%d timed%d", part->key,
                   part->is_trait ? " (trait)" : "", part->feature_count,
                   part->shared_count, part->attribute_count, part->text_count,
                   part->condition_count, part->timed_count);
        if (part->any_event)
            buf_str(&said, " any");
        for (int j = 0; j < part->event_count; j++)
            buf_printf(&said, " %s", part->events[j]);
        buf_char(&said, '\n');
    }
    for (int i = 0; i < cost->event_count; i++) {
        const struct seg_event_cost *event = &cost->events[i];
        buf_printf(&said, "%s: f%d c%d s%d\n", event->name ? event->name : "-",
                   event->feature_count, event->condition_count,
                   event->segment_count);
    }
    buf_printf(&said, "f%d a%d\n", cost->feature_count, cost->attribute_count);
    return buf_string(&said);
}

static const struct row {
    const char *name, *text, *want;
} catalogues[] = {
    {"nothing", "", "-: f0 c0 s0\nf0 a0\n"},
    {"one segment of one event",
     "segment a { when did \"A\" at least 3 times in 7d }",
     "a: f1 s0 a0 t0 c1 timed1 A\nA: f1 c1 s1\n-: f0 c0 s0\nf1 a0\n"},
    {"what never leaves has no timer", "segment a { when did \"A\" }",
     "a: f1 s0 a0 t0 c1 timed0 A\nA: f1 c1 s1\n-: f0 c0 s0\nf1 a0\n"},
    {"what two segments and a trait read is kept once",
     "segment a { when days(\"A\") in 7d > 3 }\n"
     "segment b { when days(\"A\") in 168h > 5 or user.x = 1 }\n"
     "trait t = days(\"A\") in 7d",
     "a: f1 s1 a0 t0 c1 timed1 A\nb: f1 s1 a1 t0 c2 timed1 A\n"
     "t (trait): f1 s1 a0 t0 c0 timed0 A\nA: f1 c2 s2\n-: f0 c0 s0\nf1 a1\n"},
    {"an event that is any event, and one more",
     "segment a { when did any in 7d and did \"A\" where x = \"y\" }",
     "a: f2 s0 a0 t0 c2 timed1 any A\nA: f2 c2 s1\n-: f1 c1 s1\nf2 a0\n"},
    {"one feature of many names, by the value of a property",
     "segment a { when did (\"A\" or \"B\") where x in (\"y\", \"z\") }\n"
     "segment b { when did \"B\" where x = \"y\" }",
     "a: f1 s0 a0 t0 c1 timed0 A B\nb: f1 s0 a0 t0 c1 timed0 B\n"
     "A: f1 c1 s1\nB: f2 c2 s2\n-: f0 c0 s0\nf2 a0\n"},
    {"a trigger is of its segment",
     "segment a { when user.x = 1\n"
     "on enter trigger \"t\" { n = last(\"A\", p), m = user.y } }",
     "a: f1 s0 a2 t1 c1 timed0 A\nA: f1 c0 s0\n-: f0 c0 s0\nf1 a2\n"},
    {"a score, a sequence, a comparison, another segment",
     "score s half-life 7d { \"A\" 1, \"B\" 2 }\n"
     "segment a { when score(s) > 3 and did \"A\" then \"B\" within 1d }\n"
     "segment b { when count(\"A\") > 50% of count(\"B\") and in segment a }\n"
     "segment c { when did \"A\" without \"B\" within 1d\n"
     "until entered segment a in 7d }",
     "a: f2 s0 a0 t0 c2 timed1 A B\nb: f2 s0 a0 t0 c1 timed0 A B\n"
     "c: f1 s0 a0 t0 c2 timed2 A B\nA: f4 c4 s3\nB: f4 c4 s3\n"
     "-: f0 c0 s0\nf5 a0\n"},
    {"dates and days",
     "segment a { when user.t within next 3d and days_since(last \"A\") > 3 }",
     "a: f1 s0 a1 t0 c2 timed2 A\nA: f1 c1 s1\n-: f0 c0 s0\nf1 a1\n"},
    {"what costs nothing", "segment a { when everyone or user in 1% by \"x\" }",
     "a: f0 s0 a0 t0 c0 timed0\n-: f0 c0 s0\nf0 a0\n"},
};

START_TEST(a_catalogue_has_its_cost)
{
    take(catalogues[_i].text);
    ck_assert_msg(!strcmp(tell(), catalogues[_i].want), "%s: got\n%s\nwant\n%s",
                  catalogues[_i].name, buf_string(&said), catalogues[_i].want);
}
END_TEST

/* Features are added up once, whoever reads them. */
START_TEST(bytes_are_of_all_features)
{
    take("segment a { when did \"A\" and did \"B\" in 7d }\n"
         "segment b { when did \"A\" at least 2 times }\n"
         "segment c { when entered segment a in 1d }");
    ck_assert_uint_eq(cost->parts[1].bytes_max, 8 + 2);
    ck_assert_uint_eq(cost->parts[2].bytes_max, 16 + 2);
    ck_assert_uint_eq(cost->bytes_max,
                      cost->parts[0].bytes_max + cost->parts[2].bytes_max);
}
END_TEST

SUITE("cost", setup, teardown, TABLE(a_catalogue_has_its_cost, catalogues),
      TEST(bytes_are_of_all_features))
