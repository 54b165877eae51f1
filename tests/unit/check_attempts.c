/* check_attempts.c: attempts that stand in an item, of which only is read what an
 * event may change, beside the same ones of which each is looked at every time.
 *
 * What a sequence means is tested in check_sequence.c. */
#include <string.h>

#include "lib/user/attempts_inside.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/one_user.h"
#include "tests/support/suite.h"

#define FAR_MS (INT64_C(1) << 60)

enum { STEPS_MAX = 5, EVENTS = 400, FRONT = 64 };

static struct one_user one;
static struct feature_step steps[STEPS_MAX];
static struct feature_sequence sequence;
static struct feature feature;

/* The one twin is read and written around each event, the other never. */
static struct attempts stored, plain, copy;
static uint8_t item[2][FRONT + ATTEMPTS_BYTES];
static uint32_t item_len;
static int in_use;

/* ---- drawing ------------------------------------------------------------ */

static void draw_step(struct random *random, uint32_t i)
{
    struct feature_step *step = &steps[i];
    *step = (struct feature_step){.without = i && random_chance(random, 35)};
    if (step->without || random_chance(random, 50))
        step->within_ms = random_between(random, 5, 600);
    if (i && !step->without && random_chance(random, 25))
        step->after_ms = random_between(random, 1, 100);
    if (step->within_ms && step->after_ms >= step->within_ms)
        step->after_ms = 0;
    step->directly = i && !step->without && random_chance(random, 10);
}

static void draw_feature(struct random *random)
{
    sequence = (struct feature_sequence){
        .step_count = (uint32_t)random_between(random, 1, 4),
        .steps = steps,
        .no_between = FEATURE_NO_ROLE,
        .activity = FEATURE_NO_ROLE,
        .same = random_chance(random, 50)};
    for (uint32_t i = 0; i < sequence.step_count; i++)
        draw_step(random, i);
    for (uint32_t i = 0; i < sequence.step_count; i++)
        if (steps[i].directly)
            sequence.activity = sequence.step_count;
    if (random_chance(random, 10))
        sequence.no_between = sequence.step_count + 1;
    if (random_chance(random, 20))
        sequence.all_within_ms = random_between(random, 50, 2000);
    sequence_link(steps, sequence.step_count);
    feature = (struct feature){
        .kind = FEATURE_SEQUENCE,
        .from_ms = random_chance(random, 25) ? FEATURE_LIFETIME
                                             : random_between(random, 50, 4000),
        .of.sequence = &sequence};
    if (feature.from_ms != FEATURE_LIFETIME && random_chance(random, 20))
        feature.to_ms = feature.from_ms / 2;
}

/* Most begin something, as attempts pile up by that. */
static struct seen draw_seen(struct random *random, int64_t time_ms,
                             int64_t keys)
{
    struct seen seen = {.time_ms = time_ms, .roles = 1};
    if (random_chance(random, 20))
        seen.roles = (uint32_t)random_below(random, 1 << (STEPS_MAX + 1));
    seen.roles &= sequence_roles(&sequence);
    if (sequence.activity != FEATURE_NO_ROLE)
        seen.roles |= UINT32_C(1) << sequence.activity;
    if (sequence.same)
        seen.same = (uint64_t)random_between(random, 1, keys) *
                    UINT64_C(0x9e3779b97f4a7c15);
    return seen;
}

/* ---- the twins ---------------------------------------------------------- */

/* Bounds that exclude nothing. */
static void unbound(struct attempts *attempts)
{
    struct attempt_bounds *bounds = &attempts->bounds;
    bounds->count = attempts->count + 1;
    bounds->steps = (UINT32_C(1) << sequence.step_count) - 1;
    bounds->first_max_ms = bounds->length_max_ms = FAR_MS;
    for (uint32_t s = 0; s < sequence.step_count; s++) {
        bounds->at[s].first_ms = bounds->at[s].last_ms = -FAR_MS;
        bounds->at[s].last_max_ms = FAR_MS;
    }
}

static void write_item(void)
{
    uint8_t *begin = item[!in_use] + FRONT;
    item_len =
        (uint32_t)(attempts_put(begin, one.user, &feature, &stored) - begin);
    in_use = !in_use;
    attempts_clear(&stored);
    const uint8_t *end =
        attempts_get(item[in_use] + FRONT, one.user, &feature, &stored);
    ck_assert_ptr_eq(end, item[in_use] + FRONT + item_len);
}

static void begin(void)
{
    attempts_clear(&stored);
    attempts_clear(&plain);
    write_item();
}

static void compare(uint64_t seed, int event)
{
    memcpy(&copy, &stored, sizeof(copy));
    attempts_read_all(&copy);
    if (copy.count != plain.count)
        ck_abort_msg("seed %llu, event %d: %u attempts, not %u",
                     (unsigned long long)seed, event, copy.count, plain.count);
    for (uint32_t i = 0; i < plain.count; i++) {
        const struct attempt *a = &copy.items[i], *b = &plain.items[i];
        if (a->first_ms != b->first_ms || a->last_ms != b->last_ms ||
            a->same != b->same || a->step != b->step)
            ck_abort_msg("seed %llu, event %d: attempt %u differs",
                         (unsigned long long)seed, event, i);
    }
}

/* What both say of NOW_MS. */
static void compare_answers(int64_t now_ms)
{
    unbound(&plain);
    memcpy(&copy, &stored, sizeof(copy));
    ck_assert_int_eq(attempts_hold(&copy, &feature, now_ms),
                     attempts_hold(&plain, &feature, now_ms));
    memcpy(&copy, &stored, sizeof(copy));
    unbound(&plain);
    ck_assert_int_eq(attempts_next(&copy, &feature, now_ms),
                     attempts_next(&plain, &feature, now_ms));
    memcpy(&copy, &stored, sizeof(copy));
    unbound(&plain);
    const struct attempt *a = attempts_final(&copy, &feature, now_ms);
    const struct attempt *b = attempts_final(&plain, &feature, now_ms);
    ck_assert_int_eq(a != NULL, b != NULL);
    if (a)
        ck_assert_int_eq(a->first_ms, b->first_ms);
}

static void see_with(struct attempts *attempts, const struct seen *seen,
                     int late, int64_t now_ms)
{
    int plainly = attempts == &plain;
    if (plainly)
        unbound(attempts);
    if (feature.from_ms != FEATURE_LIFETIME)
        attempts_expire(attempts, now_ms - feature.from_ms);
    if (plainly)
        unbound(attempts);
    if (late)
        attempts_see_late(attempts, &feature, seen);
    else
        attempts_see(attempts, &feature, seen);
    if (plainly)
        unbound(attempts);
    attempts_prune(attempts, &feature, now_ms, now_ms);
}

/* Bounds in an item are as narrow as they can be. */
static void check_bounds(void)
{
    const struct attempt_bounds bounds = stored.bounds;
    if (stored.count <= ATTEMPTS_FEW)
        return;
    memcpy(&copy, &stored, sizeof(copy));
    copy.bounds.count = UINT32_MAX;
    attempts_bound(&copy);
    ck_assert_uint_eq(copy.bounds.steps, bounds.steps);
    ck_assert_int_eq(copy.bounds.first_max_ms, bounds.first_max_ms);
    ck_assert_int_eq(copy.bounds.length_max_ms, bounds.length_max_ms);
    for (uint32_t steps_left = bounds.steps; steps_left;) {
        uint32_t s = take_step(&steps_left);
        ck_assert_int_eq(copy.bounds.at[s].first_ms, bounds.at[s].first_ms);
        ck_assert_int_eq(copy.bounds.at[s].last_ms, bounds.at[s].last_ms);
        ck_assert_int_eq(copy.bounds.at[s].last_max_ms,
                         bounds.at[s].last_max_ms);
    }
}

/* ---- tests -------------------------------------------------------------- */

START_TEST(what_an_event_cannot_change_need_not_be_read)
{
    int many = 0, unread = 0, dropped = 0;
    one_user_begin(&one, 0);
    for (uint64_t seed = 0; seed < EFFORT(400); seed++) {
        struct random random = {seed};
        int64_t now_ms = random_below(&random, 2000) - 1000;
        int64_t keys = random_between(&random, 2, 300);
        int64_t pause = random_between(&random, 1, 12);
        draw_feature(&random);
        begin();
        for (int i = 0; i < EVENTS; i++) {
            int late = random_chance(&random, 3);
            now_ms += random_below(&random, pause);
            int64_t at_ms = late ? now_ms - random_below(&random, 300) : now_ms;
            struct seen seen = draw_seen(&random, at_ms, keys);
            see_with(&plain, &seen, late, now_ms);
            see_with(&stored, &seen, late, now_ms);
            many += stored.count > ATTEMPTS_FEW;
            unread += stored.unread > 0;
            dropped += stored.dropped;
            stored.dropped = plain.dropped = 0;
            compare(seed, i);
            write_item();
            compare(seed, i);
            check_bounds();
            compare_answers(now_ms);
        }
    }
    /* Where they are such that new ones do not replace old ones, most need not. */
    ck_assert_int_gt(many, 0);
    ck_assert_int_gt(unread, many / 5);
    ck_assert_int_gt(dropped, 0);
    one_user_end(&one);
}
END_TEST

/* `A without B within 100`: A at 1, 2, 3 ... */
static void open_attempts(int64_t attempts)
{
    sequence = (struct feature_sequence){.step_count = 2,
                                         .steps = steps,
                                         .no_between = FEATURE_NO_ROLE,
                                         .activity = FEATURE_NO_ROLE};
    steps[0] = (struct feature_step){0};
    steps[1] = (struct feature_step){.without = 1, .within_ms = 100};
    sequence_link(steps, 2);
    feature = (struct feature){
        .kind = FEATURE_SEQUENCE, .from_ms = 1000, .of.sequence = &sequence};
    begin();
    for (int64_t at = 1; at <= attempts; at++) {
        const struct seen seen = {.time_ms = at, .roles = 1};
        attempts_see(&stored, &feature, &seen);
        attempts_prune(&stored, &feature, at, at);
        write_item();
    }
}

START_TEST(few_are_read_at_once_and_of_many_none)
{
    one_user_begin(&one, 0);
    open_attempts(ATTEMPTS_FEW);
    ck_assert_uint_eq(stored.unread, 0);
    open_attempts(ATTEMPTS_FEW + 1);
    ck_assert_uint_eq(stored.unread, ATTEMPTS_FEW + 1);
    ck_assert_int_eq(attempts_hold(&stored, &feature, 100), 0);
    ck_assert_int_eq(attempts_next(&stored, &feature, 100), 101);
    ck_assert_uint_eq(stored.unread, ATTEMPTS_FEW + 1);
    ck_assert_int_eq(attempts_hold(&stored, &feature, 101), 1);
    ck_assert_uint_eq(stored.unread, 0);
    one_user_end(&one);
}
END_TEST

START_TEST(what_is_forbidden_ends_all_that_are_open)
{
    const struct seen forbidden = {.time_ms = 60, .roles = 2};
    one_user_begin(&one, 0);
    open_attempts(50);
    ck_assert_uint_eq(stored.unread, 50);
    attempts_see(&stored, &feature, &forbidden);
    ck_assert_uint_eq(stored.count, 0);
    /* Some are a hundred old by then. */
    open_attempts(50);
    const struct seen later = {.time_ms = 120, .roles = 2};
    attempts_see(&stored, &feature, &later);
    ck_assert_uint_eq(stored.count, 20);
    one_user_end(&one);
}
END_TEST

/* One that lasts longer than all before takes wider numbers, of all. */
START_TEST(an_attempt_that_does_not_fit_writes_all_anew)
{
    one_user_begin(&one, 0);
    open_attempts(20);
    uint32_t narrow = item_len;
    const struct attempt wide = {1, 1000000, 0, 0, 0};
    attempts_append(&stored, &wide);
    ck_assert_uint_eq(stored.unread, 20);
    write_item();
    ck_assert_uint_gt(item_len, narrow + 20 * 2);
    attempts_read_all(&stored);
    for (int64_t i = 0; i < 20; i++)
        ck_assert_int_eq(stored.items[i].first_ms, i + 1);
    ck_assert_int_eq(stored.items[20].last_ms, 1000000);
    /* Without it they are narrow again. */
    stored.count--;
    write_item();
    ck_assert_uint_eq(item_len, narrow);
    one_user_end(&one);
}
END_TEST

SUITE("attempts", NULL, NULL,
      TEST(what_an_event_cannot_change_need_not_be_read),
      TEST(few_are_read_at_once_and_of_many_none),
      TEST(what_is_forbidden_ends_all_that_are_open),
      TEST(an_attempt_that_does_not_fit_writes_all_anew))
