/* check_plan.c: a catalogue as the engine sees it.
 *
 * What is shared, which counts matter, who is judged when, and what changes the
 * name of it all. */
#include "lib/segment/plan.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/segment/catalogue.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

static struct seg_catalogue *catalogue;
static const struct plan *plan;

static void setup(void)
{
}

static void teardown(void)
{
    seg_catalogue_free(catalogue);
    catalogue = NULL;
}

static void compile(const char *text)
{
    seg_catalogue_free(catalogue);
    catalogue = small_world_compile(text);
    plan = &catalogue->plan;
}

/* One segment with the condition WHEN. */
static void compile_when(const char *when)
{
    char text[4096];
    snprintf(text, sizeof(text), "segment s { when %s }\n", when);
    compile(text);
}

static uint32_t segment_of(const char *key)
{
    int index = seg_catalogue_segment_index(catalogue, key);
    ck_assert_int_ge(index, 0);
    return (uint32_t)index;
}

/* ---- thresholds ------------------------------------------------------ */

#define LIFE FEATURE_LIFETIME
#define ALL  FEATURE_KEEP_ALL

static const struct {
    const char *when;
    enum feature_kind kind;
    int64_t from_ms, to_ms;
    uint32_t keep;     /* Of a window. */
    uint32_t flips[4]; /* Up to the first 0. */
    int64_t shown_max;
} counts[] = {
    {"did \"E\" in 1d", FEATURE_WINDOW, DAY_MS, 0, 1, {1}, 1},
    {"did not \"E\" in 1d", FEATURE_WINDOW, DAY_MS, 0, 1, {1}, 1},
    {"did \"E\" at least 3 times in 1d", FEATURE_WINDOW, DAY_MS, 0, 3, {3}, 3},
    {"did \"E\" at most 3 times in 1d", FEATURE_WINDOW, DAY_MS, 0, 4, {4}, 4},
    {"did \"E\" exactly 3 times in 1d",
     FEATURE_WINDOW,
     DAY_MS,
     0,
     4,
     {3, 4},
     4},
    {"did \"E\" exactly 0 times in 1d", FEATURE_WINDOW, DAY_MS, 0, 1, {1}, 1},
    {"did \"E\" between 2 and 4 times in 1d",
     FEATURE_WINDOW,
     DAY_MS,
     0,
     5,
     {2, 5},
     5},
    {"did \"E\" at least 2 times", FEATURE_TALLY, LIFE, 0, 0, {2}, 2},
    {"did \"E\" from 4d to 2d ago",
     FEATURE_WINDOW,
     4 * DAY_MS,
     2 * DAY_MS,
     ALL,
     {1},
     1},
    {"count(\"E\") in 1d > 2", FEATURE_WINDOW, DAY_MS, 0, 3, {3}, 3},
    {"count(\"E\") in 1d >= 2", FEATURE_WINDOW, DAY_MS, 0, 2, {2}, 2},
    {"count(\"E\") in 1d < 2", FEATURE_WINDOW, DAY_MS, 0, 2, {2}, 2},
    {"count(\"E\") in 1d <= 2", FEATURE_WINDOW, DAY_MS, 0, 3, {3}, 3},
    {"count(\"E\") in 1d = 2", FEATURE_WINDOW, DAY_MS, 0, 3, {2, 3}, 3},
    {"count(\"E\") in 1d != 2", FEATURE_WINDOW, DAY_MS, 0, 3, {2, 3}, 3},
    {"count(\"E\") in 1d > 1.5", FEATURE_WINDOW, DAY_MS, 0, 2, {2}, 2},
    {"count(\"E\") in 1d between 1 and 2",
     FEATURE_WINDOW,
     DAY_MS,
     0,
     3,
     {1, 3},
     3},
    {"count(\"E\") in 1d in (1, 5)",
     FEATURE_WINDOW,
     DAY_MS,
     0,
     6,
     {1, 2, 5, 6},
     6},
};

START_TEST(a_count_is_kept_and_shown_as_far_as_its_test_asks)
{
    compile_when(counts[_i].when);
    const struct feature *feature = &plan->features[0];
    const uint32_t *want = counts[_i].flips;
    ck_assert_uint_eq(plan->feature_count, 1);
    ck_assert_int_eq((int)feature->kind, (int)counts[_i].kind);
    ck_assert_int_eq(feature->from_ms, counts[_i].from_ms);
    ck_assert_int_eq(feature->to_ms, counts[_i].to_ms);
    if (feature->kind == FEATURE_WINDOW)
        ck_assert_uint_eq(feature->keep, counts[_i].keep);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_msg((i < feature->flip_count ? feature->flips[i] : 0) ==
                          want[i],
                      "%s: flip %u", counts[_i].when, i);
        if (want[i]) {
            ck_assert_uint_eq(plan->sources[0].flip_segments[i].count, 1);
        }
    }
    ck_assert_uint_le(feature->flip_count, 4);
    ck_assert_int_eq(plan->predicates[0].shown_max, counts[_i].shown_max);
}
END_TEST

/* Each flip names the segments whose truth changes there, and no other. */
START_TEST(segments_share_a_feature_but_not_its_flips)
{
    compile("segment a { when did \"E\" at least 2 times in 7d }\n"
            "segment b { when did \"E\" exactly 2 times in 7d }\n"
            "segment c { when did \"E\" at least 4 times in 168h }\n");
    static const struct {
        uint32_t flip, count, segments[2];
    } want[] = {{2, 2, {0, 1}}, {3, 1, {1}}, {4, 1, {2}}};
    const struct feature *feature = &plan->features[0];
    ck_assert_uint_eq(plan->feature_count, 1);
    ck_assert_uint_eq(plan->predicate_count, 3);
    ck_assert_uint_eq(feature->keep, 4);
    ck_assert_uint_eq(feature->flip_count, COUNT(want));
    for (int i = 0; i < COUNT(want); i++) {
        const struct number_list *list = &plan->sources[0].flip_segments[i];
        ck_assert_uint_eq(feature->flips[i], want[i].flip);
        ck_assert_uint_eq(list->count, want[i].count);
        for (uint32_t n = 0; n < list->count; n++)
            ck_assert_uint_eq(list->items[n], want[i].segments[n]);
    }
}
END_TEST

static const struct {
    const char *one, *other;
    uint32_t features;
} shares[] = {
    {"did \"E\" in 7d", "count(\"E\") in 1w > 5", 1},
    {"did \"E\" in 7d", "did \"E\" in 8d", 2},
    {"did \"E\" in 7d", "did \"F\" in 7d", 2},
    {"did (\"E\" or \"F\") in 7d", "did not (\"E\" or \"F\") in 7d", 1},
    {"did \"E\" in 7d", "did \"E\" where p = 1 in 7d", 2},
    {"did \"E\" where p = 1", "did \"E\" where (p = 1)", 1},
    {"last(\"E\", p) = 1", "last(\"E\", p) = 2", 1},
    {"last(\"E\", p) = 1", "first(\"E\", p) = 1", 2},
    {"last(\"E\", p) = 1", "last(\"E\", q) = 1", 2},
    {"latest(\"E\") was \"E\" in 7d", "last(\"E\", event.name) in 7d = \"F\"",
     1},
    {"count(\"E\") in 7d > count(\"F\")", "did \"E\" in 7d", 3},
    {"count(\"E\") in 7d > count(\"F\")",
     "count(\"F\") = 50% of count(\"E\") in 7d", 2},
    {"sum(\"E\", p) > 1", "avg(\"E\", p) > 1", 2},
    {"did \"E\" at least 2 times per day for 3 days",
     "did \"E\" at least 2 times per day for 4 days", 2},
    {"did \"E\" then \"F\" within 1d", "did \"E\" then \"F\" within 24h", 1},
    {"did \"E\" then \"F\"", "did \"E\" then directly \"F\"", 2},
    {"count(\"E\") since 2024-01-01 > 1", "did \"E\" since 2024-01-02", 2},
};

START_TEST(what_is_measured_the_same_way_is_one_feature)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "segment a { when %s }\nsegment b { when %s }\n", shares[_i].one,
             shares[_i].other);
    compile(text);
    ck_assert_msg(plan->feature_count == shares[_i].features,
                  "%s, %s: %u features", shares[_i].one, shares[_i].other,
                  plan->feature_count);
    for (uint32_t i = 0; i < plan->feature_count; i++)
        ck_assert_uint_eq(
            plan_find(&plan->feature_hashes, plan->features[i].key), i);
    ck_assert_uint_eq(plan_find(&plan->feature_hashes, 0), PLAN_NONE);
}
END_TEST

/* ---- events ---------------------------------------------------------- */

/* Features fed by the selectors of LIST. */
static uint32_t fed_by(const struct number_list *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++)
        count += plan->selectors[list->items[i]].features.count;
    return count;
}

START_TEST(an_event_meets_the_selectors_of_its_name_and_values_only)
{
    compile("segment a { when did \"E\" in 1d }\n"
            "segment b { when did \"E\" where p = \"x\" }\n"
            "segment c { when did \"E\" where p in (\"x\", \"y\") }\n"
            "segment d { when did \"E\" where p contains \"z\" }\n"
            "segment e { when did \"F\" }\n"
            "segment f { when did any in 2d }\n"
            "segment g { when did (\"E\" or \"F\") in 3d }\n");
    uint32_t e = intern_find(&plan->spec.names, text_of("E"));
    uint32_t f = intern_find(&plan->spec.names, text_of("F"));
    const struct dispatch *dispatch = &plan->by_name[e];
    ck_assert_uint_eq(fed_by(&dispatch->always), 3);        /* a, d, g */
    ck_assert_uint_eq(fed_by(&plan->by_name[f].always), 2); /* e, g */
    ck_assert_uint_eq(fed_by(&plan->any.always), 1);        /* f */
    ck_assert_uint_eq(dispatch->switch_count, 1);
    const struct dispatch_switch *by = &dispatch->switches[0];
    uint32_t x = intern_find(&by->values, text_of("x"));
    uint32_t y = intern_find(&by->values, text_of("y"));
    ck_assert_uint_eq(fed_by(&by->lists[x]), 2); /* b, c */
    ck_assert_uint_eq(fed_by(&by->lists[y]), 1); /* c */
    ck_assert_uint_eq(intern_find(&by->values, text_of("z")), INTERN_NONE);
    ck_assert_uint_eq(intern_find(&plan->spec.names, text_of("G")),
                      INTERN_NONE);
}
END_TEST

START_TEST(attributes_are_found_by_their_top_level_name)
{
    compile("segment a { when user.plan = \"x\" and user.address.city = \"y\"\n"
            "  and user.address.zip = 1 and account.plan = \"z\" }\n");
    uint32_t address = intern_find(&plan->trait_names[0], text_of("address"));
    ck_assert_uint_eq(plan->attribute_count, 4);
    ck_assert_uint_eq(plan->source_count, 4);
    ck_assert_uint_eq(plan->trait_names[0].count, 2);
    ck_assert_uint_eq(plan->trait_names[1].count, 1);
    ck_assert_uint_eq(plan->trait_attributes[0][address].count, 2);
    ck_assert_uint_eq(plan->account_segments.count, 1);
}
END_TEST

/* ---- the order of judgement ------------------------------------------ */

START_TEST(a_segment_is_judged_after_those_it_asks_for)
{
    compile("segment a { when in segment c and not in segment b }\n"
            "segment b { when in segment d or did \"E\" }\n"
            "segment c { when in segment b }\n"
            "segment d { when everyone }\n");
    uint32_t a = segment_of("a"), b = segment_of("b"), c = segment_of("c"),
             d = segment_of("d");
    ck_assert_uint_lt(plan->segments[d].rank, plan->segments[b].rank);
    ck_assert_uint_lt(plan->segments[b].rank, plan->segments[c].rank);
    ck_assert_uint_lt(plan->segments[c].rank, plan->segments[a].rank);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_uint_eq(plan->segments[plan->by_rank[i]].rank, i);
    ck_assert_uint_eq(plan->segments[b].dependents.count, 2);
    ck_assert_uint_eq(plan->segments[d].dependents.count, 1);
    ck_assert_uint_eq(plan->segments[d].dependents.items[0], b);
    ck_assert_uint_eq(plan->segments[a].dependents.count, 0);
}
END_TEST

/* A chain as long as there may be segments: no recursion may be as deep. */
START_TEST(a_chain_may_be_as_long_as_there_are_segments)
{
    struct buf text;
    buf_init(&text);
    for (int i = 1; i < SEG_SEGMENTS_MAX; i++)
        buf_printf(&text, "segment s%d { when in segment s%d }\n", i, i + 1);
    buf_printf(&text, "segment s%d { when everyone }\n", SEG_SEGMENTS_MAX);
    compile(buf_string(&text));
    buf_done(&text);
    ck_assert_uint_eq(plan->segments[segment_of("s1")].rank,
                      SEG_SEGMENTS_MAX - 1);
    ck_assert_uint_eq(plan->segments[segment_of("s2")].rank,
                      SEG_SEGMENTS_MAX - 2);
}
END_TEST

static const struct {
    const char *when;
    int born; /* May a user be in of whom nothing is known? */
} newborns[] = {
    {"everyone", 1},
    {"not everyone", 0},
    {"did \"E\"", 0},
    {"did not \"E\" in 1d", 1},
    {"did \"E\" at most 3 times", 1},
    {"did \"E\" at least 0 times", 1},
    {"count(\"E\") < 1", 1},
    {"count(\"E\") > 0", 0},
    {"user.x = 1", 0},
    {"not user.x = 1", 1},
    {"user.x != 1", 0},
    {"user.x is not set", 1},
    {"user.x is set", 0},
    {"did \"E\" at most 1 time per day for 2 days", 1},
    {"did \"E\" at least 1 time per day for 2 days", 0},
    {"count(\"E\") <= count(\"F\")", 1},
    {"count(\"E\") < count(\"F\")", 0},
    {"sum(\"E\", p) = 0", 1},
    {"avg(\"E\", p) = 0", 0},
    {"distinct(\"E\", p) < 2", 1},
    {"user in 10% by \"x\"", 1},
    {"did \"E\" then \"F\"", 0},
    {"days_since(last \"E\") > 3", 0},
    {"last(\"E\", p) is not set", 1},
    {"user.x = 1 or did not \"E\"", 1},
    {"user.x = 1 and did not \"E\"", 0},
    {"in segment t and user.x = 1", 0},
    {"in segment t", 1},
};

START_TEST(a_newborn_is_judged_for_what_he_may_be_in)
{
    char text[512];
    int found = 0;
    snprintf(text, sizeof(text),
             "segment s { when %s }\nsegment t { when user.y = 2 }\n",
             newborns[_i].when);
    compile(text);
    for (uint32_t i = 0; i < plan->born.count; i++)
        found |= plan->born.items[i] == segment_of("s");
    ck_assert_msg(found == newborns[_i].born, "%s", newborns[_i].when);
}
END_TEST

/* ---- the name of it all ---------------------------------------------- */

#define BASE "segment s { when did \"E\" at least 3 times in 7d }\n"

static const struct {
    const char *text;
    int same; /* Does it mean the same as BASE? */
} meanings[] = {
    {BASE, 1},
    {"# a comment\n" BASE, 1},
    {"segment s {\n title \"T\" owner \"o\" docs \"d\" tags [\"t\"]\n"
     "when did \"E\" at least 3 times in 168h }\n",
     1},
    {BASE "test s \"t\" { at 1d expect out }\n", 1},
    {BASE "list unused = [1]\n", 1},
    {"segment s2 { when did \"E\" at least 3 times in 7d }\n", 0},
    {"segment s { when did \"E\" at least 4 times in 7d }\n", 0},
    {"segment s { when did \"E\" at least 3 times in 8d }\n", 0},
    {"segment s { when did \"F\" at least 3 times in 7d }\n", 0},
    {BASE "segment t { when everyone }\n", 0},
    {"segment s { when did \"E\" at least 3 times in 7d include (\"u\") }\n",
     0},
    {"segment s { when did \"E\" at least 3 times in 7d exclude (\"u\") }\n",
     0},
    {"segment s { when did \"E\" at least 3 times in 7d\n"
     "on enter trigger \"t\" }\n",
     0},
    {"segment s { when did \"E\" at least 3 times in 7d until did \"F\" }\n",
     0},
    {BASE "trait n = count(\"E\")\n", 0},
};

static const char score_text[] = "score a half-life %s { \"E\" 1 }\n"
                                 "segment s { when score(a) > 1 }\n";

START_TEST(what_a_score_means_is_part_of_the_name)
{
    char text[256];
    snprintf(text, sizeof(text), score_text, "7d");
    compile(text);
    uint64_t hash = plan->hash, key = plan->features[0].key;
    snprintf(text, sizeof(text), score_text, "1w");
    compile(text);
    ck_assert_uint_eq(plan->hash, hash);
    ck_assert_uint_eq(plan->features[0].key, key);
    snprintf(text, sizeof(text), score_text, "8d");
    compile(text);
    ck_assert_uint_ne(plan->hash, hash);
    ck_assert_uint_ne(plan->features[0].key, key);
}
END_TEST

/* Feature NUMBER, whose canonical text is TEXT, keeps KEEP events. */
static void check_keeps(uint32_t number, const char *text, uint32_t keep)
{
    ck_assert_uint_lt(number, plan->feature_count);
    ck_assert_str_eq(plan->feature_texts[number], text);
    ck_assert_uint_eq(plan->features[number].keep, keep);
}

/* What is shown or compared is kept whole, beyond the exact limit in buckets;
 * a test up to that limit stays exact beside it. */
START_TEST(a_count_is_kept_whole_where_it_is_not_only_tested)
{
    static const char e[] = "count(\"E\") in 7d";
    static const char all_of_e[] = "all of count(\"E\") in 7d";
    compile("segment a { when did \"E\" in 7d on enter trigger \"t\" "
            "{ n = count(\"E\") in 7d } }\n");
    ck_assert_uint_eq(plan->feature_count, 2);
    check_keeps(0, e, 1);
    check_keeps(1, all_of_e, FEATURE_KEEP_ALL);
    ck_assert(!plan->features[1].every);
    compile("trait n = count(\"E\") in 7d\n"
            "segment a { when did \"E\" in 7d }\n"
            "segment b { when trait.n >= 2 }\n"
            "segment c { when count(\"E\") from 7d to 0d ago >= 300 }\n"
            "segment d { when did \"E\" at most 256 times in 7d }\n"
            "segment e { when did \"E\" at most 257 times in 7d }\n");
    ck_assert_uint_eq(plan->feature_count, 3);
    check_keeps(0, e, 257);
    check_keeps(1, "all of count(\"E\") from 7d to 0d ago", 300);
    check_keeps(2, all_of_e, FEATURE_KEEP_ALL);
    compile("segment a { when did \"E\" in 7d }\n"
            "segment b { when count(\"E\") in 7d > count(\"F\") in 7d }\n");
    ck_assert_uint_eq(plan->feature_count, 3);
    check_keeps(0, e, 1);
    for (int f = 1; f < 3; f++) {
        ck_assert_uint_eq(plan->features[f].keep, FEATURE_KEEP_ALL);
        ck_assert(plan->features[f].every);
        ck_assert_uint_eq(plan->sources[f].every.count, 1);
        ck_assert_uint_eq(plan->sources[f].every.items[0], segment_of("b"));
    }
}
END_TEST

START_TEST(a_watch_is_a_source_behind_the_attributes)
{
    compile("segment a { when user.x = 1 and did \"E\" }\n"
            "segment b { when entered segment a in 1d or left segment c in 2d "
            "}\n"
            "segment c { when left segment a in 3d }\n");
    ck_assert_uint_eq(plan->watch_count, 2);
    ck_assert_uint_eq(plan->source_count, 4);
    uint32_t a = plan->segments[segment_of("a")].watch;
    uint32_t c = plan->segments[segment_of("c")].watch;
    ck_assert(plan_is_watch(plan, a) && plan_is_watch(plan, c) && a != c);
    ck_assert_uint_eq(plan->segments[segment_of("b")].watch, PLAN_NONE);
    ck_assert(plan_is_attribute(plan, 1) && !plan_is_watch(plan, 1));
    ck_assert_uint_eq(plan->sources[a].predicate_count, 2);
    /* Judged after what they ask about. */
    ck_assert_uint_eq(plan->segments[segment_of("a")].rank, 0);
    ck_assert_uint_eq(plan->segments[segment_of("c")].rank, 1);
    ck_assert_uint_eq(plan->segments[segment_of("b")].rank, 2);
    ck_assert_int_eq(plan->state_version, 2);
    compile("segment a { when user.x = 1 and did \"E\" in 1d }\n");
    ck_assert_int_eq(plan->state_version, 1);
}
END_TEST

/* ---- needs ------------------------------------------------------------ */

/* A and B are features 0 and 1, in the order in which they are named. */
static const struct {
    const char *when;
    uint32_t needs[SEGMENT_NEEDS];
} needs[] = {
    {"did \"A\" in 1d", {0, PLAN_NONE}},
    {"did \"A\" in 1d and did \"B\" in 1d", {0, 1}},
    {"did \"A\" in 1d and did \"B\" in 1d and did \"C\" in 1d", {0, 1}},
    {"did \"A\" in 1d or did \"B\" in 1d", {PLAN_NONE, PLAN_NONE}},
    {"did \"A\" in 1d and (did \"B\" in 1d or did \"A\" in 1d)",
     {0, PLAN_NONE}},
    {"(did \"A\" in 1d and did \"B\" in 1d) or did \"B\" in 1d",
     {1, PLAN_NONE}},
    {"did not \"A\" in 1d", {PLAN_NONE, PLAN_NONE}},
    {"did \"A\" at most 2 times and did \"B\"", {1, PLAN_NONE}},
    {"not did \"A\" in 1d", {PLAN_NONE, PLAN_NONE}},
    {"count(\"A\") > 0", {0, PLAN_NONE}},
    {"count(\"A\") != 3", {PLAN_NONE, PLAN_NONE}},
    {"days_since(last \"A\") < 3 and user.x = 1", {PLAN_NONE, PLAN_NONE}},
    {"count(\"A\") > count(\"B\")", {PLAN_NONE, PLAN_NONE}},
    {"did \"A\" then \"B\" and days(\"C\") >= 2", {0, 1}},
    {"did \"A\" at least 1 time per day for 2 days", {0, PLAN_NONE}},
    {"did \"A\" at most 1 time per day for 2 days", {PLAN_NONE, PLAN_NONE}},
    {"sum(\"A\", p) > 1", {PLAN_NONE, PLAN_NONE}},
    {"did \"A\" until did \"B\"", {PLAN_NONE, PLAN_NONE}},
};

START_TEST(a_segment_needs_what_it_cannot_hold_without)
{
    compile_when(needs[_i].when);
    for (int i = 0; i < SEGMENT_NEEDS; i++)
        ck_assert_msg(plan->segments[0].needs[i] == needs[_i].needs[i],
                      "%s: %d is %u", needs[_i].when, i,
                      plan->segments[0].needs[i]);
}
END_TEST

START_TEST(a_catalogue_is_named_by_what_it_means)
{
    char name[9];
    compile(BASE);
    memcpy(name, seg_catalogue_hash(catalogue), sizeof(name));
    ck_assert_uint_eq(strlen(name), 8);
    ck_assert_uint_eq(strspn(name, "0123456789abcdef"), 8);
    compile(meanings[_i].text);
    int same = strcmp(name, seg_catalogue_hash(catalogue)) == 0;
    ck_assert_msg(same == meanings[_i].same, "%s", meanings[_i].text);
}
END_TEST

static const char *const triggers[] = {
    "on enter trigger \"t\"",
    "on exit trigger \"t\"",
    "on enter trigger \"u\"",
    "on enter trigger \"t\" once",
    "on enter trigger \"t\" once per 1d",
    "on enter trigger \"t\" once per 2d",
    "on enter trigger \"t\" { a = 1 }",
    "on enter trigger \"t\" { a = 2 }",
    "on enter trigger \"t\" { a.b = 1 }",
    "on enter trigger \"t\" { a = \"1\" }",
};

START_TEST(every_property_of_a_trigger_is_part_of_the_name)
{
    uint64_t hashes[COUNT(triggers)];
    char text[256];
    for (int i = 0; i < COUNT(triggers); i++) {
        snprintf(text, sizeof(text), "segment s { when did \"E\" %s }\n",
                 triggers[i]);
        compile(text);
        hashes[i] = plan->hash;
        for (int j = 0; j < i; j++)
            ck_assert_msg(hashes[i] != hashes[j], "%s and %s", triggers[i],
                          triggers[j]);
    }
}
END_TEST

START_TEST(files_are_one_catalogue_in_whatever_order)
{
    static const struct seg_source files[] = {
        {"a", "segment a { when in segment b }", 31},
        {"b", "segment b { when everyone }", 27},
    };
    const struct seg_source swapped[] = {files[1], files[0]};
    struct seg_diagnostics *diagnostics;
    struct seg_catalogue *one, *two;
    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    ck_assert_int_eq(seg_catalogue_compile(&one, files, 2, diagnostics), 0);
    ck_assert_int_eq(seg_catalogue_compile(&two, swapped, 2, diagnostics), 0);
    ck_assert_str_eq(seg_catalogue_hash(one), seg_catalogue_hash(two));
    ck_assert_int_eq(seg_catalogue_segment_index(one, "b"), 1);
    ck_assert_int_eq(seg_catalogue_segment_index(two, "b"), 1);
    seg_catalogue_free(one);
    seg_catalogue_free(two);
    seg_diagnostics_free(diagnostics);
}
END_TEST

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* All keys of three characters. */
START_TEST(no_segment_has_the_hash_of_the_shadow_of_another)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    static uint64_t hashes[2 * 26 * 37 * 37];
    size_t count = 0;
    char key[3];
    for (int a = 0; a < 26; a++)
        for (int b = 0; b < 37; b++)
            for (int c = 0; c < 37; c++)
                for (int shadow = 0; shadow < 2; shadow++) {
                    key[0] = letters[a];
                    key[1] = letters[b];
                    key[2] = letters[c];
                    hashes[count++] =
                        plan_segment_hash((struct seg_text){key, 3}, shadow);
                }
    qsort(hashes, count, sizeof(*hashes), by_number);
    for (size_t i = 1; i < count; i++)
        ck_assert_msg(hashes[i] != hashes[i - 1], "%zu", i);
}
END_TEST

SUITE("plan", setup, teardown,
      TABLE(a_count_is_kept_and_shown_as_far_as_its_test_asks, counts),
      TEST(segments_share_a_feature_but_not_its_flips),
      TABLE(what_is_measured_the_same_way_is_one_feature, shares),
      TEST(an_event_meets_the_selectors_of_its_name_and_values_only),
      TEST(attributes_are_found_by_their_top_level_name),
      TEST(a_segment_is_judged_after_those_it_asks_for),
      TEST(a_chain_may_be_as_long_as_there_are_segments),
      TABLE(a_newborn_is_judged_for_what_he_may_be_in, newborns),
      TABLE(a_segment_needs_what_it_cannot_hold_without, needs),
      TABLE(a_catalogue_is_named_by_what_it_means, meanings),
      TEST(every_property_of_a_trigger_is_part_of_the_name),
      TEST(what_a_score_means_is_part_of_the_name),
      TEST(a_count_is_kept_whole_where_it_is_not_only_tested),
      TEST(a_watch_is_a_source_behind_the_attributes),
      TEST(files_are_one_catalogue_in_whatever_order),
      TEST(no_segment_has_the_hash_of_the_shadow_of_another))
