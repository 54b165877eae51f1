/* check_feature_size.c: no feature takes more bytes than it is said to.
 *
 * Features of every kind and shape are filled with events, in order and out of
 * it, until they hold all that they ever will; what is said must be enough, and
 * not so much that it says nothing. */
#include <string.h>

#include "lib/base/instant.h"
#include "tests/model/random.h"
#include "tests/support/one_user.h"
#include "tests/support/suite.h"

#define NOW   INT64_C(1767225600123)
#define DAY   DAY_MS
#define EVER  FEATURE_LIFETIME
#define NEVER INT64_MAX

static const int64_t weights[] = {1, 5};
static const struct feature_score score = {7 * DAY, 2, weights};
static const struct feature_habit habit = {DAY, 14, 3, NEVER};
static const struct feature_habit rare = {7 * DAY, 4, 0, 2};
static const struct feature_habit busy = {DAY, 7, 2000, NEVER};
static struct feature_step then[] = {{0}, {.within_ms = DAY}};
static struct feature_step quiet[] = {{0},
                                      {.without = 1, .within_ms = 30 * DAY}};
static const struct feature_sequence chain = {
    2, then, 0, FEATURE_NO_ROLE, FEATURE_NO_ROLE, 0};
static const struct feature_sequence keyed = {
    2, then, 0, FEATURE_NO_ROLE, FEATURE_NO_ROLE, 1};
static const struct feature_sequence absent = {
    2, quiet, 0, FEATURE_NO_ROLE, FEATURE_NO_ROLE, 0};

static const struct row {
    const char *name;
    struct feature feature;
    int events;
    int percent; /* Of what is said is reached at least. */
} kinds[] = {
    {"count ever", {.kind = FEATURE_TALLY, .from_ms = EVER}, 10, 100},
    {"first time", {.kind = FEATURE_FIRST_TIME, .from_ms = EVER}, 10, 100},
    {"last time", {.kind = FEATURE_LAST_TIME, .from_ms = EVER}, 10, 100},
    {"3 in 7d",
     {.kind = FEATURE_WINDOW, .from_ms = 7 * DAY, .keep = 3},
     500,
     50},
    {"16 in 7d",
     {.kind = FEATURE_WINDOW, .from_ms = 7 * DAY, .keep = 16},
     500,
     50},
    {"256 in 365d",
     {.kind = FEATURE_WINDOW, .from_ms = 365 * DAY, .keep = 256},
     3000,
     80},
    {"all in 30d",
     {.kind = FEATURE_WINDOW, .from_ms = 30 * DAY, .keep = FEATURE_KEEP_ALL},
     3000,
     60},
    {"from 28d to 14d",
     {.kind = FEATURE_WINDOW,
      .from_ms = 28 * DAY,
      .to_ms = 14 * DAY,
      .keep = FEATURE_KEEP_ALL},
     3000,
     60},
    {"first ever", {.kind = FEATURE_FIRST, .from_ms = EVER}, 10, 100},
    {"last in 7d", {.kind = FEATURE_LAST, .from_ms = 7 * DAY}, 300, 100},
    {"first in 7d", {.kind = FEATURE_FIRST, .from_ms = 7 * DAY}, 3000, 90},
    {"sum ever", {.kind = FEATURE_SUM, .from_ms = EVER}, 10, 40},
    {"sum in 7d", {.kind = FEATURE_SUM, .from_ms = 7 * DAY}, 3000, 50},
    {"mean in 7d", {.kind = FEATURE_AVG, .from_ms = 7 * DAY}, 3000, 50},
    {"least ever", {.kind = FEATURE_MIN, .from_ms = EVER}, 10, 100},
    {"most from 7d to 1d",
     {.kind = FEATURE_MAX, .from_ms = 7 * DAY, .to_ms = DAY},
     3000,
     70},
    {"days in 28d", {.kind = FEATURE_DAYS, .from_ms = 28 * DAY}, 3000, 60},
    {"days from 60d to 30d",
     {.kind = FEATURE_DAYS, .from_ms = 60 * DAY, .to_ms = 30 * DAY},
     3000,
     60},
    {"days from 20h to 1h",
     {.kind = FEATURE_DAYS, .from_ms = DAY * 20 / 24, .to_ms = DAY / 24},
     3000,
     60},
    {"distinct ever", {.kind = FEATURE_DISTINCT, .from_ms = EVER}, 3000, 100},
    {"distinct in 7d",
     {.kind = FEATURE_DISTINCT, .from_ms = 7 * DAY},
     30000,
     30},
    {"distinct from 7d to 1d",
     {.kind = FEATURE_DISTINCT, .from_ms = 7 * DAY, .to_ms = DAY},
     30000,
     50},
    {"score",
     {.kind = FEATURE_SCORE, .from_ms = EVER, .of.score = &score},
     3000,
     60},
    /* A dial has hardly ever as many parts as there are times. */
    {"habit",
     {.kind = FEATURE_HABIT, .from_ms = 14 * DAY, .of.habit = &habit},
     3000,
     30},
    {"rare habit",
     {.kind = FEATURE_HABIT, .from_ms = 28 * DAY, .of.habit = &rare},
     3000,
     60},
    {"busy habit",
     {.kind = FEATURE_HABIT, .from_ms = 7 * DAY, .of.habit = &busy},
     40000,
     60},
    {"A then B",
     {.kind = FEATURE_SEQUENCE, .from_ms = 7 * DAY, .of.sequence = &chain},
     2000,
     15},
    {"A then B for the same p",
     {.kind = FEATURE_SEQUENCE, .from_ms = 7 * DAY, .of.sequence = &keyed},
     2000,
     20},
    {"A without B",
     {.kind = FEATURE_SEQUENCE, .from_ms = 60 * DAY, .of.sequence = &absent},
     2000,
     20},
};

/* Whole numbers and fractions, hardly one of them twice. */
static struct seg_value random_value(struct random *r)
{
    uint64_t bits = random_bits(r);
    if (bits & 1)
        return value_of_int((int64_t)(bits >> 24));
    return (struct seg_value){.type = SEG_DOUBLE,
                              .as.number = (double)(bits >> 24) / 1000};
}

static struct feature begin(const struct row *row, struct one_user *one)
{
    struct feature feature = row->feature;
    one_user_begin(one, NOW);
    one->store.lateness_ms = DAY;
    feature.item = 3;
    feature.after_ms = INT64_MIN;
    feature.before_ms = INT64_MAX;
    if (!feature.keep)
        feature.keep = FEATURE_KEEP_ALL;
    sequence_link(then, 2);
    sequence_link(quiet, 2);
    return feature;
}

START_TEST(a_feature_takes_no_more_than_is_said)
{
    const struct row *row = &kinds[_i];
    struct one_user one;
    struct random r = {(uint64_t)_i};
    struct feature feature = begin(row, &one);
    int64_t span_ms =
        feature.from_ms == EVER ? 3650 * DAY : 2 * feature.from_ms;
    uint64_t said = feature_bytes_max(&feature), most = 0;
    int64_t now_ms = NOW;
    for (int i = 0; i < row->events; i++) {
        now_ms += random_below(&r, 2 * span_ms / row->events);
        struct fold fold = {.time_ms = now_ms - random_below(&r, DAY / 2),
                            .stamp = (uint64_t)i,
                            .value = random_value(&r),
                            .role = (uint32_t)random_below(&r, 2),
                            .roles = random_chance(&r, 1) ? 2 : 1,
                            .same = random_bits(&r)};
        int ret = feature_ops_of(feature.kind)
                      ->fold(&one.store, &one.user, &feature, &fold, now_ms,
                             &one.folded);
        ck_assert_int_eq(ret, 0);
        uint64_t len = user_item(one.user, feature.item).len;
        most = len > most ? len : most;
    }
    ck_assert_msg(most <= said && most * 100 >= said * (uint64_t)row->percent,
                  "%s: %llu bytes said, %llu taken", row->name,
                  (unsigned long long)said, (unsigned long long)most);
    one_user_end(&one);
}
END_TEST

SUITE("feature_size", NULL, NULL,
      TABLE(a_feature_takes_no_more_than_is_said, kinds))
