/* check_eval.c: the truth of conditions about one user at one instant. */
#include "lib/segment/eval.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/engine/engine.h"
#include "tests/support/small_world.h"
#include "tests/support/suite.h"

static struct seg_catalogue *catalogue;
static struct seg_engine *engine;
static struct arena arena;
static int64_t offset;

static void setup(void)
{
    arena_init(&arena);
    offset = 0;
}

static void teardown(void)
{
    arena_done(&arena);
    seg_engine_free(engine);
    seg_catalogue_free(catalogue);
    engine = NULL;
    catalogue = NULL;
}

static void compile(const char *text)
{
    catalogue = small_world_compile(text);
    engine = small_world_engine(catalogue);
}

static void did(const char *event, double hours)
{
    char json[128];
    snprintf(json, sizeof(json),
             "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"%s\"}", event);
    small_world_send(engine, catalogue, hours, json, offset++);
}

static struct view view_of(const char *user, double hours)
{
    return (struct view){.plan = &catalogue->plan,
                         .user = small_world_user(engine, user),
                         .now_ms = SMALL_WORLD_START_MS +
                                   (int64_t)(hours * (double)HOUR_MS),
                         .scratch = &arena};
}

static uint32_t segment_of(const char *key)
{
    return (uint32_t)seg_catalogue_segment_index(catalogue, key);
}

/* ---- and, or, not ---------------------------------------------------- */

/* The user did T and not F. */
static const struct {
    const char *when;
    int truth;
} conditions[] = {
    {"did \"T\"", SEG_TRUE},
    {"did \"F\"", SEG_FALSE},
    {"not did \"T\"", SEG_FALSE},
    {"not did \"F\"", SEG_TRUE},
    {"did \"T\" and did \"T\"", SEG_TRUE},
    {"did \"T\" and did \"F\"", SEG_FALSE},
    {"did \"F\" and did \"T\"", SEG_FALSE},
    {"did \"T\" or did \"F\"", SEG_TRUE},
    {"did \"F\" or did \"F\"", SEG_FALSE},
    {"did \"F\" and did \"F\" or did \"T\"", SEG_TRUE},
    {"did \"F\" and (did \"F\" or did \"T\")", SEG_FALSE},
    {"not (did \"F\" or did \"T\")", SEG_FALSE},
    {"not (did \"F\" and did \"T\")", SEG_TRUE},
    {"not not did \"T\"", SEG_TRUE},
    {"everyone", SEG_TRUE},
    {"not everyone", SEG_FALSE},
};

START_TEST(conditions_join_as_they_read)
{
    char text[256];
    snprintf(text, sizeof(text), "segment s { when %s }\n",
             conditions[_i].when);
    compile(text);
    did("T", 1);
    struct view view = view_of("u", 1);
    ck_assert_msg(eval_segment(&view, 0) == conditions[_i].truth, "%s",
                  conditions[_i].when);
    ck_assert_int_eq(eval_cond(&view, catalogue->plan.segments[0].when),
                     conditions[_i].truth);
}
END_TEST

/* Include and exclude, and whether the condition holds of them. */
static const struct {
    const char *segment, *user;
    int truth, listed;
} lists[] = {
    {"both", "in", SEG_TRUE, 1},     {"both", "out", SEG_FALSE, 0},
    {"both", "twice", SEG_FALSE, 0}, {"both", "u", SEG_TRUE, -1},
    {"none", "in", SEG_TRUE, 1},     {"none", "u", SEG_FALSE, -1},
    {"plain", "in", SEG_TRUE, -1},
};

START_TEST(exclude_wins_over_include_and_both_over_the_condition)
{
    static const char *const users[] = {"in", "out", "twice", "u"};
    compile("segment both { when everyone\n"
            "  include (\"in\", \"twice\") exclude (\"out\", \"twice\") }\n"
            "segment none { include (\"in\") }\n"
            "segment plain { when everyone }\n");
    for (int i = 0; i < COUNT(users); i++) {
        char json[64];
        snprintf(json, sizeof(json),
                 "{\"type\":\"identify\",\"userId\":\"%s\"}", users[i]);
        small_world_send(engine, catalogue, 1, json, i);
    }
    struct view view = view_of(lists[_i].user, 1);
    ck_assert_int_eq(eval_segment(&view, segment_of(lists[_i].segment)),
                     lists[_i].truth);
    ck_assert_int_eq(eval_listed(&view, segment_of(lists[_i].segment)),
                     lists[_i].listed);
}
END_TEST

START_TEST(of_a_user_never_seen_counts_are_zero_and_the_rest_is_missing)
{
    struct seg_value value;
    compile("segment a { when did not \"E\" }\n"
            "segment b { when user.x is not set }\n"
            "segment c { when last(\"E\", p) is not set }\n"
            "segment d { when in segment a }\n");
    struct view view = view_of("nobody", 1);
    ck_assert_ptr_null(view.user);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_int_eq(eval_segment(&view, i), SEG_TRUE);
    ck_assert_int_eq(eval_segment(&view, 3), SEG_FALSE);
    eval_predicate(&view, &catalogue->plan.predicates[0], &value);
    ck_assert_int_eq(value.type, SEG_INT);
    ck_assert_int_eq(value.as.integer, 0);
    for (uint32_t i = 0; i < catalogue->plan.predicate_count; i++)
        ck_assert_int_eq(
            eval_predicate_next(&view, &catalogue->plan.predicates[i]),
            SEG_NEVER);
}
END_TEST

/* ---- what was measured ----------------------------------------------- */

static const struct {
    const char *when;
    int64_t shown; /* After five events. */
} shown[] = {
    {"did \"E\" in 7d", 1},
    {"did \"E\" at least 3 times in 7d", 3},
    {"did \"E\" at least 9 times in 7d", 5},
    {"did \"E\" at most 2 times in 7d", 3},
    {"did \"E\" exactly 2 times", 3},
    {"count(\"E\") in 7d > 2", 3},
    {"count(\"E\") > 100", 5},
};

START_TEST(a_count_is_shown_no_further_than_it_is_asked_for)
{
    char text[256];
    struct seg_value value;
    snprintf(text, sizeof(text), "segment s { when %s }\n", shown[_i].when);
    compile(text);
    for (int i = 0; i < 5; i++)
        did("E", 1 + i);
    struct view view = view_of("u", 6);
    eval_predicate(&view, &catalogue->plan.predicates[0], &value);
    ck_assert_int_eq(value.as.integer, shown[_i].shown);
}
END_TEST

START_TEST(a_memo_holds_until_it_is_told_to_forget)
{
    struct eval_memo memo;
    struct seg_value value;
    compile("segment s { when did \"E\" at least 9 times }\n");
    const struct predicate *predicate = &catalogue->plan.predicates[0];
    ck_assert_int_eq(eval_memo_init(&memo, &catalogue->plan), 0);
    did("E", 1);
    struct view view = view_of("u", 1);
    view.memo = &memo;
    eval_predicate(&view, predicate, &value);
    ck_assert_int_eq(value.as.integer, 1);
    did("E", 2);
    view.user = small_world_user(engine, "u");
    eval_predicate(&view, predicate, &value);
    ck_assert_int_eq(value.as.integer, 1);
    eval_memo_forget(&memo);
    eval_predicate(&view, predicate, &value);
    ck_assert_int_eq(value.as.integer, 2);
    eval_memo_done(&memo);
}
END_TEST

START_TEST(a_memo_forgets_four_billion_times_and_more)
{
    struct eval_memo memo;
    struct seg_value value;
    compile("segment s { when did \"E\" at least 9 times }\n");
    const struct predicate *predicate = &catalogue->plan.predicates[0];
    ck_assert_int_eq(eval_memo_init(&memo, &catalogue->plan), 0);
    did("E", 1);
    struct view view = view_of("u", 1);
    view.memo = &memo;
    eval_predicate(&view, predicate, &value); /* In epoch 1. */
    did("E", 2);
    view.user = small_world_user(engine, "u");
    memo.epoch = UINT32_MAX;
    for (int i = 0; i < 3; i++) {
        eval_memo_forget(&memo);
        ck_assert_uint_ne(memo.epoch, 0);
        eval_predicate(&view, predicate, &value);
        ck_assert_int_eq(value.as.integer, 2);
    }
    eval_memo_done(&memo);
}
END_TEST

/* ---- evidence -------------------------------------------------------- */

/* The conditions that decide WHEN for a user who did T and not F. */
static const struct {
    const char *when, *evidence;
} decisions[] = {
    {"did \"T\" and not did \"F\"", "did \"T\"=1 did \"F\"=0 "},
    {"did \"T\" and did \"F\"", "did \"F\"=0 "},
    {"did \"T\" or did \"F\"", "did \"T\"=1 "},
    {"did \"F\" or did \"F\" in 1d", "did \"F\"=0 did \"F\" in 1d=0 "},
    {"not (did \"F\" or did \"T\")", "did \"T\"=1 "},
    {"everyone", "everyone=null "},
    {"user.x is not set and user.x != 1", "user.x != 1=null "},
    {"in segment t", "in segment t=null "},
};

static void say_evidence(struct view *view, struct buf *buf)
{
    struct seg_evidence evidence[SEG_EVIDENCE_MAX];
    int count = eval_evidence(view, segment_of("s"), &arena, evidence);
    ck_assert_int_ge(count, 1);
    for (int i = 0; i < count; i++) {
        buf_printf(buf, "%s=", evidence[i].condition);
        buf_json_value(buf, &evidence[i].value);
        buf_char(buf, ' ');
    }
}

START_TEST(evidence_is_what_decided)
{
    char text[256];
    struct buf buf;
    buf_init(&buf);
    snprintf(text, sizeof(text),
             "segment s { when %s }\nsegment t { when did \"T\" }\n",
             decisions[_i].when);
    compile(text);
    did("T", 1);
    struct view view = view_of("u", 1);
    say_evidence(&view, &buf);
    ck_assert_str_eq(buf_string(&buf), decisions[_i].evidence);
    buf_done(&buf);
}
END_TEST

static const int conjuncts[] = {SEG_EVIDENCE_MAX - 1, SEG_EVIDENCE_MAX,
                                SEG_EVIDENCE_MAX + 1};

START_TEST(evidence_is_no_more_than_its_limit)
{
    struct seg_evidence evidence[SEG_EVIDENCE_MAX];
    struct buf text;
    int want =
        conjuncts[_i] < SEG_EVIDENCE_MAX ? conjuncts[_i] : SEG_EVIDENCE_MAX;
    buf_init(&text);
    buf_str(&text, "segment s { when ");
    for (int i = 0; i < conjuncts[_i]; i++)
        buf_printf(&text, "%sdid not \"E%d\"", i ? " and " : "", i);
    buf_str(&text, " }\n");
    compile(buf_string(&text));
    did("T", 1);
    struct view view = view_of("u", 1);
    ck_assert_int_eq(eval_evidence(&view, 0, &arena, evidence), want);
    ck_assert_str_eq(evidence[want - 1].condition,
                     catalogue->plan.predicates[want - 1].text);
    buf_done(&text);
}
END_TEST

/* ---- shares ------------------------------------------------------------ */

START_TEST(a_share_of_all_users_is_told_by_a_hash)
{
    struct buf salted;
    int in = 0;
    buf_init(&salted);
    compile("segment s { when user in 12.5% by \"spring\" }\n");
    for (int i = 0; i < 4000; i++) {
        char id[24], json[128];
        snprintf(id, sizeof(id), "user-%d", i);
        snprintf(json, sizeof(json),
                 "{\"type\":\"identify\",\"userId\":\"%s\"}", id);
        small_world_send(engine, catalogue, 1, json, i);
        buf_reset(&salted);
        buf_str(&salted, "spring");
        buf_char(&salted, '\0');
        buf_str(&salted, id);
        int want = hash_bytes(salted.bytes, salted.len, 0) % 10000 < 1250;
        struct view view = view_of(id, 1);
        ck_assert_int_eq(eval_segment(&view, 0) == SEG_TRUE, want);
        ck_assert_int_eq(eval_is_member(&view, 0), want);
        in += want;
    }
    ck_assert_int_gt(in, 400);
    ck_assert_int_lt(in, 600);
    buf_done(&salted);
}
END_TEST

/* ---- what changes by itself ------------------------------------------ */

/* The user did E at 1 h and 2 h; it is 3 h. In hours; 0: never. */
static const struct {
    const char *when;
    double next;
} nexts[] = {
    {"did \"E\" in 1d", 26},
    {"did \"E\" at least 2 times in 1d", 25},
    {"did \"E\" at least 3 times in 1d", 0},
    {"did \"E\" from 1d to 12h ago", 13},
    {"did \"E\"", 0},
    {"days_since(last \"E\") > 1", 26},
    {"user.x = 1", 0},
};

START_TEST(the_next_instant_is_the_first_at_which_something_changes)
{
    char text[256];
    snprintf(text, sizeof(text), "segment s { when %s }\n", nexts[_i].when);
    compile(text);
    did("E", 1);
    did("E", 2);
    struct view view = view_of("u", 3);
    const struct predicate *predicate = &catalogue->plan.predicates[0];
    int64_t next = eval_predicate_next(&view, predicate);
    ck_assert_int_le(eval_source_next(&view, 0), next);
    if (nexts[_i].next > 0) {
        /* More than a day is one a millisecond later. */
        int64_t want =
            SMALL_WORLD_START_MS + (int64_t)(nexts[_i].next * (double)HOUR_MS);
        ck_assert_int_ge(next, want);
        ck_assert_int_le(next, want + 1);
        struct seg_value value;
        view.now_ms = next - 1;
        int before = eval_predicate(&view, predicate, &value);
        view.now_ms = next;
        ck_assert_int_ne(eval_predicate(&view, predicate, &value), before);
    } else {
        ck_assert_int_eq(next, SEG_NEVER);
    }
}
END_TEST

SUITE("eval", setup, teardown, TABLE(conditions_join_as_they_read, conditions),
      TABLE(exclude_wins_over_include_and_both_over_the_condition, lists),
      TEST(of_a_user_never_seen_counts_are_zero_and_the_rest_is_missing),
      TABLE(a_count_is_shown_no_further_than_it_is_asked_for, shown),
      TEST(a_memo_holds_until_it_is_told_to_forget),
      TEST(a_memo_forgets_four_billion_times_and_more),
      TABLE(evidence_is_what_decided, decisions),
      TABLE(evidence_is_no_more_than_its_limit, conjuncts),
      TEST(a_share_of_all_users_is_told_by_a_hash),
      TABLE(the_next_instant_is_the_first_at_which_something_changes, nexts))
