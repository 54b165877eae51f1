/* check_sequence.c: sequences beside a search over all ways to match them.
 *
 * The oracle knows nothing of attempts: it tries every event for every step, as
 * the manual words it, and from each match gets the instants between which it
 * holds. */
#include <stdio.h>
#include <string.h>

#include <seg/error.h>

#include "lib/user/attempts.h"
#include "lib/user/sequence.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/one_user.h"
#include "tests/support/suite.h"

enum {
    STEPS_MAX = 6,
    EVENTS_MAX = 200,
    SPANS_MAX = 100000,
    NAMES = 3,
    LATENESS = 40,
    START = 5000,
};

/* An event of a history: NAME is played by the steps that ask for it. */
struct happened {
    int64_t time_ms;
    int64_t arrives_ms;
    uint64_t stamp;
    uint64_t same;
    uint32_t roles;
};

static struct one_user one;
static struct feature_step steps[STEPS_MAX];
static struct feature_sequence sequence;
static struct feature feature;
static int64_t scale; /* Of all times: 1, or hours. */

/* What was folded, in the order of events. */
static struct happened events[EVENTS_MAX];
static int count;

/* ---- the oracle --------------------------------------------------------- */

static struct {
    int64_t from_ms, to_ms;
} spans[SPANS_MAX];
static int span_count;
static int chosen[STEPS_MAX], chosen_count;

static int has_role(int event, uint32_t role)
{
    return events[event].roles >> role & 1;
}

/* Whether EVENT may be STEP of what is chosen so far. */
static int takes_part(int event, uint32_t step)
{
    return has_role(event, step) &&
           (!sequence.same ||
            (events[event].same &&
             (!chosen_count || events[event].same == events[chosen[0]].same)));
}

static int is_chosen(int event)
{
    for (int i = 0; i < chosen_count; i++)
        if (chosen[i] == event)
            return 1;
    return 0;
}

static int is_forbidden_between(void)
{
    if (sequence.no_between == FEATURE_NO_ROLE)
        return 0;
    for (int i = chosen[0]; i < chosen[chosen_count - 1]; i++)
        if (has_role(i, sequence.no_between) && !is_chosen(i))
            return 1;
    return 0;
}

/* Whether EVENT, of role 0, lies between the dates. */
static int is_dated(int event)
{
    return events[event].time_ms >= feature.after_ms &&
           events[event].time_ms <= feature.before_ms;
}

static void add_span(int64_t quiet_end_ms)
{
    int64_t first_ms = events[chosen[0]].time_ms;
    int64_t from_ms = first_ms + feature.to_ms;
    int64_t to_ms = feature.from_ms == FEATURE_LIFETIME
                        ? SEG_NEVER
                        : first_ms + feature.from_ms;
    ck_assert_int_lt(span_count, SPANS_MAX);
    spans[span_count].from_ms = from_ms > quiet_end_ms ? from_ms : quiet_end_ms;
    spans[span_count++].to_ms = to_ms;
}

/* The last chosen event was matched by the step before STEP: try the rest. */
static void search(uint32_t step)
{
    int last = chosen[chosen_count - 1];
    int64_t last_ms = events[last].time_ms, quiet_end_ms = last_ms;
    for (; step < sequence.step_count && steps[step].without; step++) {
        int64_t end_ms = last_ms + steps[step].within_ms;
        for (int i = last + 1; i < count; i++)
            if (takes_part(i, step) && events[i].time_ms < end_ms)
                return;
        quiet_end_ms = end_ms > quiet_end_ms ? end_ms : quiet_end_ms;
    }
    if (step == sequence.step_count) {
        if (!is_forbidden_between())
            add_span(quiet_end_ms);
        return;
    }
    for (int i = last + 1; i < count; i++) {
        int64_t gap_ms = events[i].time_ms - last_ms;
        if (!takes_part(i, step) || events[i].time_ms < quiet_end_ms ||
            gap_ms < steps[step].after_ms ||
            (steps[step].within_ms && gap_ms >= steps[step].within_ms) ||
            (steps[step].directly && i != last + 1))
            continue;
        if (sequence.all_within_ms &&
            events[i].time_ms - events[chosen[0]].time_ms >=
                sequence.all_within_ms)
            continue;
        chosen[chosen_count++] = i;
        search(step + 1);
        chosen_count--;
    }
}

static void search_all(void)
{
    span_count = chosen_count = 0;
    for (int i = 0; i < count; i++)
        if (takes_part(i, 0) && is_dated(i)) {
            chosen[0] = i;
            chosen_count = 1;
            search(1);
            chosen_count = 0;
        }
}

static int naive(int64_t now_ms)
{
    for (int i = 0; i < span_count; i++)
        if (spans[i].from_ms <= now_ms && now_ms < spans[i].to_ms)
            return 1;
    return 0;
}

/* The truth changes at no other instants than the ends of spans. */
static int64_t naive_next(int64_t now_ms)
{
    int64_t next_ms = SEG_NEVER;
    for (int i = 0; i < span_count; i++)
        for (int end = 0; end <= 1; end++) {
            int64_t at_ms = end ? spans[i].to_ms : spans[i].from_ms;
            if (at_ms > now_ms && at_ms < next_ms &&
                naive(at_ms) != naive(now_ms))
                next_ms = at_ms;
        }
    return next_ms;
}

/* ---- what is drawn ------------------------------------------------------ */

static int64_t draw_ms(struct random *random, int64_t low, int64_t high)
{
    return random_between(random, low, high) * scale;
}

static void draw_steps(struct random *random)
{
    sequence.step_count =
        2 + (uint32_t)random_below(random,
                                   random_between(random, 1, STEPS_MAX - 1));
    memset(steps, 0, sizeof(steps));
    for (uint32_t i = 1; i < sequence.step_count; i++) {
        struct feature_step *step = &steps[i];
        step->without = random_chance(random, 30);
        if (step->without || random_chance(random, 40))
            step->within_ms = draw_ms(random, 1, 25);
        if (!step->without && random_chance(random, 25))
            step->after_ms = draw_ms(random, 1, 15);
        step->directly = !step->without && random_chance(random, 20);
        if (step->directly)
            sequence.activity = FEATURE_ROLES - 1;
    }
    sequence_link(steps, sequence.step_count);
}

static void draw_feature(struct random *random)
{
    scale = random_chance(random, 30) ? 3600 * 1000 : 1;
    sequence = (struct feature_sequence){.steps = steps,
                                         .no_between = FEATURE_NO_ROLE,
                                         .activity = FEATURE_NO_ROLE,
                                         .same = random_chance(random, 30)};
    draw_steps(random);
    if (random_chance(random, 20))
        sequence.no_between = sequence.step_count;
    if (random_chance(random, 30))
        sequence.all_within_ms = draw_ms(random, 5, 60);
    feature = (struct feature){.kind = FEATURE_SEQUENCE,
                               .item = 5,
                               .from_ms = FEATURE_LIFETIME,
                               .after_ms = INT64_MIN,
                               .before_ms = INT64_MAX,
                               .of.sequence = &sequence};
    int window = (int)random_below(random, 5);
    if (window >= 2)
        feature.from_ms = draw_ms(random, 1, 60);
    if (window == 4) {
        feature.to_ms = feature.from_ms;
        feature.from_ms += draw_ms(random, 1, 30);
    }
    if (window == 1 && random_chance(random, 70))
        feature.after_ms = draw_ms(random, START, START + 60);
    if (window == 1 && random_chance(random, 70))
        feature.before_ms = draw_ms(random, START + 20, START + 90);
}

/* Which step asks for which name: steps may ask for the same. */
static uint32_t draw_names(struct random *random, int names[FEATURE_ROLES])
{
    uint32_t roles = sequence.step_count;
    roles += sequence.no_between != FEATURE_NO_ROLE;
    for (uint32_t i = 0; i < roles; i++)
        names[i] = (int)random_below(random, NAMES);
    return roles;
}

static int by_order(const void *a, const void *b)
{
    const struct happened *x = a, *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return (x->stamp > y->stamp) - (x->stamp < y->stamp);
}

static int by_arrival(const void *a, const void *b)
{
    const struct happened *x = a, *y = b;
    if (x->arrives_ms != y->arrives_ms)
        return x->arrives_ms < y->arrives_ms ? -1 : 1;
    return (x->stamp > y->stamp) - (x->stamp < y->stamp);
}

/* N events, in the order in which they arrive: each no later than lateness. */
static int draw_history(struct random *random, struct happened *history, int n)
{
    int names[FEATURE_ROLES], kept = 0;
    uint32_t roles = draw_names(random, names);
    int64_t span = random_between(random, 1, 120);
    for (int i = 0; i < n; i++) {
        struct happened h = {
            .time_ms = START * scale + draw_ms(random, 0, span),
            .stamp = fold_stamp((int)random_below(random, 3), 1000 + i),
            .same = (uint64_t)random_below(random, 3)};
        int name = (int)random_below(random, NAMES);
        for (uint32_t r = 0; r < roles; r++)
            h.roles |= (uint32_t)(names[r] == name) << r;
        if (sequence.activity != FEATURE_NO_ROLE)
            h.roles |= UINT32_C(1) << sequence.activity;
        h.arrives_ms = h.time_ms;
        if (random_chance(random, 40))
            h.arrives_ms += draw_ms(random, 0, LATENESS);
        if (h.roles)
            history[kept++] = h;
    }
    qsort(history, (size_t)kept, sizeof(*history), by_arrival);
    return kept;
}

/* ---- folding and comparing ---------------------------------------------- */

static void setup(void)
{
    one_user_begin(&one, START);
}

static void teardown(void)
{
    one_user_end(&one);
}

/* From now on nothing is known of the user. */
static void clear(void)
{
    struct item item = user_item(one.user, feature.item);
    ck_assert_int_eq(user_resize(&one.store, &one.user, feature.item, 0, &item),
                     0);
}

static void begin(void)
{
    clear();
    one.store.user_bytes_max = STORE_USER_BYTES_MAX;
    one.store.lateness_ms = LATENESS * scale;
    count = span_count = 0;
}

static struct fold fold_of(const struct happened *h)
{
    return (struct fold){.time_ms = h->time_ms,
                         .stamp = h->stamp,
                         .roles = h->roles,
                         .same = h->same};
}

static void add_event(const struct happened *h)
{
    ck_assert_int_lt(count, EVENTS_MAX);
    events[count++] = *h;
    qsort(events, (size_t)count, sizeof(*events), by_order);
}

static void compare_at(int64_t now_ms, uint64_t seed)
{
    struct seg_value got = one_user_measure(&one, &feature, now_ms);
    int64_t next_ms = one_user_next(&one, &feature, now_ms);
    ck_assert_msg(got.as.integer == naive(now_ms),
                  "seed %llu at %lld: got %lld, want %d",
                  (unsigned long long)seed, (long long)now_ms,
                  (long long)got.as.integer, naive(now_ms));
    ck_assert_msg(next_ms == naive_next(now_ms),
                  "seed %llu at %lld: next %lld, want %lld",
                  (unsigned long long)seed, (long long)now_ms,
                  (long long)next_ms, (long long)naive_next(now_ms));
}

/* At the instant of each change, and a millisecond before. */
static void compare_from(int64_t now_ms, uint64_t seed)
{
    compare_at(now_ms, seed);
    for (int64_t ms; (ms = naive_next(now_ms)) != SEG_NEVER; now_ms = ms) {
        if (ms - 1 > now_ms)
            compare_at(ms - 1, seed);
        compare_at(ms, seed);
    }
}

static void fold_and_compare(const struct happened *h, uint64_t seed)
{
    struct fold fold = fold_of(h);
    int before = naive(h->arrives_ms);
    one_user_fold_event(&one, &feature, &fold, h->arrives_ms);
    add_event(h);
    search_all();
    ck_assert_msg((int)one.folded.before == before &&
                      (int)one.folded.after == naive(h->arrives_ms),
                  "seed %llu at %lld: from %d to %d, want %d to %d",
                  (unsigned long long)seed, (long long)h->arrives_ms,
                  (int)one.folded.before, (int)one.folded.after, before,
                  naive(h->arrives_ms));
    compare_from(h->arrives_ms, seed);
}

START_TEST(truth_and_every_change_are_those_of_a_search)
{
    struct happened history[EVENTS_MAX];
    uint64_t held = 0, all = 0;
    for (uint64_t seed = (uint64_t)_i * 1000000;
         seed < (uint64_t)_i * 1000000 + EFFORT(8000); seed++) {
        struct random random = {seed};
        draw_feature(&random);
        int n =
            draw_history(&random, history, (int)random_between(&random, 1, 20));
        begin();
        for (int i = 0; i < n; i++) {
            fold_and_compare(&history[i], seed);
            held += one.folded.after;
            all++;
        }
        ck_assert(!one.folded.coarse);
    }
    /* Neither always nor never. */
    ck_assert_uint_gt(held, all / 20);
    ck_assert_uint_lt(held, all - all / 20);
}
END_TEST

/* ---- order of arrival --------------------------------------------------- */

/* HISTORY arrives in another order, none later than lateness; the last one
 * stays the last, so that both end at one instant. */
static void shuffle(struct random *random, struct happened *history, int n)
{
    for (int i = 0; i + 1 < n; i++)
        history[i].arrives_ms =
            history[i].time_ms + draw_ms(random, 0, LATENESS);
    for (int i = 0; i + 1 < n; i++)
        if (history[i].arrives_ms > history[n - 1].arrives_ms)
            history[i].arrives_ms = history[n - 1].arrives_ms;
    if (n)
        qsort(history, (size_t)n - 1, sizeof(*history), by_arrival);
}

static void fold_all(const struct happened *history, int n)
{
    begin();
    for (int i = 0; i < n; i++) {
        struct fold fold = fold_of(&history[i]);
        one_user_fold_event(&one, &feature, &fold, history[i].arrives_ms);
        add_event(&history[i]);
    }
    search_all();
}

/* The item of the user, copied to BYTES. */
static uint32_t item_bytes(uint8_t bytes[8192])
{
    struct item item = user_item(one.user, feature.item);
    ck_assert_uint_le(item.len, 8192);
    if (item.bytes)
        memcpy(bytes, item.bytes, item.len);
    return item.len;
}

/* Of a window that ends in the past, what is kept may differ, but not what it
 * says: of three matches the middle one may be needed or not while the first
 * one is in the window. */
START_TEST(the_order_of_arrival_leaves_no_trace)
{
    static uint8_t bytes[8192], others[8192];
    struct happened history[EVENTS_MAX];
    for (uint64_t seed = 0; seed < EFFORT(20000); seed++) {
        struct random random = {seed};
        draw_feature(&random);
        int n =
            draw_history(&random, history, (int)random_between(&random, 2, 20));
        fold_all(history, n);
        uint32_t len = item_bytes(bytes);
        shuffle(&random, history, n);
        fold_all(history, n);
        compare_from(n ? history[n - 1].arrives_ms : 0, seed);
        ck_assert_msg(feature.to_ms || (len == item_bytes(others) &&
                                        !memcmp(bytes, others, len)),
                      "seed %llu: %u bytes became %u", (unsigned long long)seed,
                      len, item_bytes(others));
    }
}
END_TEST

/* A restore folds again, at its own instant, what came after the record. */
START_TEST(a_later_clock_reads_the_same_again)
{
    struct happened history[EVENTS_MAX];
    for (uint64_t seed = 0; seed < EFFORT(10000); seed++) {
        struct random random = {seed};
        draw_feature(&random);
        int n =
            draw_history(&random, history, (int)random_between(&random, 2, 20));
        int64_t end_ms = (START + 400) * scale;
        for (int i = (int)random_below(&random, n + 1); i < n; i++)
            history[i].arrives_ms = end_ms;
        fold_all(history, n);
        compare_from(end_ms, seed);
    }
}
END_TEST

/* ---- the record --------------------------------------------------------- */

static int read_back(const struct buf *record, struct one_user *to,
                     const uint8_t topics[FEATURE_TOPICS])
{
    struct reader reader;
    reader_init(&reader, (struct seg_text){record->bytes, record->len});
    int ret =
        sequence_ops.read(&to->store, &to->user, &feature, &reader, topics);
    if (ret == 0)
        ck_assert_uint_eq(reader_left(&reader), 0);
    return ret;
}

static void write_record(struct buf *record)
{
    uint8_t places[FEATURE_TOPICS];
    struct item item = user_item(one.user, feature.item);
    for (int i = 0; i < FEATURE_TOPICS; i++)
        places[i] = (uint8_t)(255 - i);
    sequence_ops.write(one.user, &feature, &item, record, places);
    ck_assert(!buf_failed(record));
}

START_TEST(a_record_reads_back_the_same)
{
    static uint8_t bytes[8192], others[8192];
    struct happened history[EVENTS_MAX];
    uint8_t topics[FEATURE_TOPICS];
    for (int i = 0; i < FEATURE_TOPICS; i++)
        topics[i] = (uint8_t)(255 - i);
    for (uint64_t seed = 0; seed < EFFORT(4000); seed++) {
        struct random random = {seed};
        struct buf record;
        buf_init(&record);
        draw_feature(&random);
        int n =
            draw_history(&random, history, (int)random_between(&random, 2, 20));
        fold_all(history, n);
        uint32_t len = item_bytes(bytes);
        if (len) {
            write_record(&record);
            clear();
            ck_assert_int_eq(read_back(&record, &one, topics), 0);
            ck_assert_uint_eq(item_bytes(others), len);
            ck_assert_int_eq(memcmp(bytes, others, len), 0);
            compare_from(history[n - 1].arrives_ms, seed);
        }
        buf_done(&record);
    }
}
END_TEST

/* Bytes that are wrong are an error or some state that can be asked. */
START_TEST(no_record_is_believed)
{
    struct happened history[EVENTS_MAX];
    uint8_t topics[FEATURE_TOPICS] = {0};
    int refused = 0, taken = 0;
    for (uint64_t seed = 0; seed < EFFORT(8000); seed++) {
        struct random random = {seed};
        struct buf record;
        buf_init(&record);
        draw_feature(&random);
        int n = draw_history(&random, history, 10);
        fold_all(history, n);
        if (user_item(one.user, feature.item).bytes)
            write_record(&record);
        else
            buf_u8(&record, 0);
        clear();
        if (random_chance(&random, 20))
            record.len = (size_t)random_below(&random, (int64_t)record.len);
        for (int i = 0; record.len && i < 2; i++)
            record.bytes[random_below(&random, (int64_t)record.len)] ^=
                (char)(1 << random_below(&random, 8));
        struct reader reader;
        reader_init(&reader, (struct seg_text){record.bytes, record.len});
        int ret =
            sequence_ops.read(&one.store, &one.user, &feature, &reader, topics);
        ck_assert(ret == 0 || ret == SEG_ERR_RECORD);
        ck_assert(user_validate(one.user));
        refused += ret != 0;
        taken += ret == 0;
        for (int i = 0; ret == 0 && i < n; i++) {
            struct fold fold = fold_of(&history[i]);
            ck_assert_int_eq(sequence_ops.fold(&one.store, &one.user, &feature,
                                               &fold, history[i].arrives_ms,
                                               &one.folded),
                             0);
            one_user_measure(&one, &feature, history[i].arrives_ms);
        }
        buf_done(&record);
    }
    ck_assert_int_gt(refused, 100);
    ck_assert_int_gt(taken, 100);
}
END_TEST

/* ---- by hand ------------------------------------------------------------ */

enum { A = 1, B = 2, C = 4 };

/* A, then the steps from 1 on. */
static void begin_steps(const struct feature_step *rest, uint32_t n,
                        int64_t window_ms)
{
    scale = 1;
    memset(steps, 0, sizeof(steps));
    memcpy(steps + 1, rest, n * sizeof(*rest));
    sequence_link(steps, n + 1);
    sequence = (struct feature_sequence){.step_count = n + 1,
                                         .steps = steps,
                                         .no_between = FEATURE_NO_ROLE,
                                         .activity = FEATURE_NO_ROLE};
    feature = (struct feature){.kind = FEATURE_SEQUENCE,
                               .item = 5,
                               .from_ms = window_ms,
                               .after_ms = INT64_MIN,
                               .before_ms = INT64_MAX,
                               .of.sequence = &sequence};
    begin();
}

static void happens(int64_t time_ms, uint32_t roles, uint64_t same,
                    int64_t now_ms)
{
    struct happened h = {.time_ms = time_ms,
                         .arrives_ms = now_ms,
                         .stamp = fold_stamp(0, count),
                         .roles = roles,
                         .same = same};
    struct fold fold = fold_of(&h);
    one_user_fold_event(&one, &feature, &fold, now_ms);
    add_event(&h);
    search_all();
}

static int64_t holds(int64_t now_ms)
{
    return one_user_measure(&one, &feature, now_ms).as.integer;
}

/* `did A in 7d without B within 1h`, in days and hours of 24 and 1. */
START_TEST(a_quiet_time_ends_by_itself_and_is_taken_back)
{
    const struct feature_step quiet = {.without = 1, .within_ms = 10};
    begin_steps(&quiet, 1, 100);
    happens(START, A, 0, START);
    ck_assert_int_eq(holds(START + 9), 0);
    ck_assert_int_eq(holds(START + 10), 1);
    ck_assert_int_eq(one.folded.next_ms, START + 10);
    ck_assert_int_eq(one_user_next(&one, &feature, START + 10), START + 100);
    happens(START + 10, B, 0, START + 12); /* Too late to matter. */
    ck_assert_int_eq(holds(START + 12), 1);
    happens(START + 9, B, 0, START + 20); /* Late, and dated inside. */
    ck_assert_int_eq(one.folded.before, 1);
    ck_assert_int_eq(one.folded.after, 0);
}
END_TEST

START_TEST(one_open_attempt_takes_few_bytes)
{
    const struct feature_step quiet = {.without = 1, .within_ms = 3600 * 1000};
    begin_steps(&quiet, 1, INT64_C(7) * 24 * 3600 * 1000);
    one.store.lateness_ms = 24 * 3600 * 1000;
    struct fold fold = {.time_ms = START + 3600 * 1000,
                        .stamp = fold_stamp(0, 123456789),
                        .roles = A};
    one_user_fold_event(&one, &feature, &fold, fold.time_ms);
    ck_assert_uint_le(user_item(one.user, feature.item).len, 12);
}
END_TEST

START_TEST(what_holds_for_ever_takes_a_byte)
{
    const struct feature_step then = {.within_ms = 10};
    begin_steps(&then, 1, FEATURE_LIFETIME);
    happens(START, A, 0, START);
    happens(START + 9, B, 0, START + 9);
    happens(START + 50, A, 0, START + 50);
    ck_assert_uint_eq(user_item(one.user, feature.item).len, 1);
    ck_assert_int_eq(holds(START + 1000000), 1);
    ck_assert_int_eq(one_user_next(&one, &feature, START + 50), SEG_NEVER);
}
END_TEST

/* What cannot be taken back any more makes all before it unnecessary: so what
 * piles up is only what waits. */
START_TEST(what_is_final_leaves_one_attempt)
{
    const struct feature_step quiet = {.without = 1, .within_ms = 10};
    begin_steps(&quiet, 1, 1000000);
    sequence.same = _i;
    for (int i = 0; i < 3 * SEQUENCE_ATTEMPTS_MAX; i++) {
        happens(START + 20 * i, A, (uint64_t)i + 1, START + 20 * i);
        ck_assert(!user_item(one.user, feature.item).coarse);
        ck_assert_uint_le(user_item(one.user, feature.item).len, 64);
    }
}
END_TEST

/* One attempt per key: all are followed up to the limit, and as many again as
 * there is room for; then the oldest are not. */
START_TEST(beyond_the_limit_the_oldest_attempts_are_given_up)
{
    const struct feature_step then = {.within_ms = 20000};
    int open = SEQUENCE_ATTEMPTS_ROOM - 1 + _i;
    int lost = _i > 1 ? open - SEQUENCE_ATTEMPTS_MAX : 0;
    for (int key = 1; key <= open; key += 9) {
        begin_steps(&then, 1, 40000);
        sequence.same = 1;
        for (int i = 1; i <= open; i++)
            happens(START + 50 * i, A, (uint64_t)i, START + 50 * i);
        ck_assert_int_eq(user_item(one.user, feature.item).coarse, lost > 0);
        happens(START + 9000, B, (uint64_t)key, START + 9000);
        ck_assert_int_eq(naive(START + 9000), 1);
        ck_assert_int_eq(one.folded.after, key > lost);
    }
}
END_TEST

/* So many events in lateness keep their order, of more the oldest do not: an A
 * that comes before them is too late for the B among them. */
START_TEST(beyond_the_limit_a_late_event_is_too_late)
{
    const struct feature_step rest[] = {{.within_ms = 30}, {.within_ms = 30}};
    begin_steps(rest, 2, 1000);
    for (int i = 0; i < SEQUENCE_TAIL_MAX - 1 + _i; i++)
        happens(START + 2 + i / 4, i ? C : B, 0, START + 30);
    happens(START + 1, A, 0, START + 31);
    ck_assert_int_eq(naive(START + 31), 1);
    ck_assert_int_eq(one.folded.after, _i <= 1);
    ck_assert_int_eq(user_item(one.user, feature.item).coarse, _i > 0);
}
END_TEST

/* As late as it may be, at the instant of another: its offset decides. */
START_TEST(what_is_just_in_time_finds_its_place)
{
    const struct feature_step then = {.within_ms = 1000};
    begin_steps(&then, 1, 10000);
    struct fold first = {.time_ms = START, .stamp = 10, .roles = A};
    one_user_fold_event(&one, &feature, &first, START);
    happens(START + LATENESS, C, 0, START + LATENESS);
    struct fold before = {.time_ms = START, .stamp = 9, .roles = B};
    one_user_fold_event(&one, &feature, &before, START + LATENESS);
    ck_assert_uint_eq(one.folded.after, 0);
    struct fold after = {.time_ms = START, .stamp = 11, .roles = B};
    one_user_fold_event(&one, &feature, &after, START + LATENESS);
    ck_assert_uint_eq(one.folded.after, 1);
}
END_TEST

/* An event later than lateness takes back, but makes no match of a sequence in
 * which something is forbidden. */
START_TEST(what_comes_too_late_takes_back_only)
{
    const struct feature_step quiet = {.without = 1, .within_ms = 10};
    begin_steps(&quiet, 1, 1000);
    happens(START + 100, A, 0, START + 100);
    happens(START + 100 + LATENESS + 1, B, 0, START + 100 + LATENESS + 1);
    happens(START + 5, A, 0, START + 200); /* B may have been at START + 6. */
    ck_assert_int_eq(holds(START + 200), 1);
    happens(START + 105, B, 0, START + 200);
    ck_assert_int_eq(holds(START + 200), 0);
}
END_TEST

/* Between steps that were matched, too: at that instant the others. */
START_TEST(what_comes_too_late_takes_back_what_went_on)
{
    const struct feature_step rest[] = {{.without = 1, .within_ms = 10},
                                        {.within_ms = 0}};
    begin_steps(rest, 2, 10000);
    happens(START + 100, A, 0, START + 100);
    happens(START + 110, C, 0, START + 110);
    happens(START + 111 + LATENESS, C, 0, START + 111 + LATENESS);
    ck_assert_int_eq(holds(START + 111 + LATENESS), 1);
    happens(START + 105, B, 0, START + 112 + LATENESS);
    ck_assert_int_eq(holds(START + 112 + LATENESS), 0);
}
END_TEST

START_TEST(what_comes_too_late_counts_if_nothing_is_forbidden)
{
    const struct feature_step then = {.after_ms = 10};
    begin_steps(&then, 1, 1000);
    happens(START + 100, A, 0, START + 100);
    happens(START + 180, A, 0, START + 180);
    happens(START + 120, B, 0, START + 200);
    ck_assert_int_eq(holds(START + 200), 1);
}
END_TEST

START_TEST(explain_sees_the_attempt_that_came_furthest)
{
    const struct feature_step rest[] = {
        {.within_ms = 30}, {.without = 1, .within_ms = 20}, {.within_ms = 50}};
    struct sequence_progress progress;
    begin_steps(rest, 3, 100);
    sequence_progress(NULL, &feature, START, &progress);
    ck_assert_uint_eq(progress.matched, 0);
    ck_assert_uint_eq(progress.steps, 3);
    happens(START, A, 0, START);
    sequence_progress(one.user, &feature, START, &progress);
    ck_assert_uint_eq(progress.matched, 1);
    ck_assert_int_eq(progress.until_ms, START + 30);
    happens(START + 5, B, 0, START + 5);
    happens(START + 6, A, 0, START + 6);
    sequence_progress(one.user, &feature, START + 6, &progress);
    ck_assert_uint_eq(progress.matched, 2);
    ck_assert_int_eq(progress.since_ms, START + 5);
    ck_assert_int_eq(progress.until_ms, START + 55);
    happens(START + 30, 8, 0, START + 30);
    sequence_progress(one.user, &feature, START + 30, &progress);
    ck_assert_uint_eq(progress.matched, 3);
    ck_assert_int_eq(progress.until_ms, START + 100);
}
END_TEST

/* ---- no memory
 * ---------------------------------------------------------------
 */

START_TEST(without_memory_all_is_as_it_was)
{
    const struct feature_step quiet = {.without = 1, .within_ms = 1000};
    static uint8_t bytes[8192], others[8192];
    int failed = 0;
    begin_steps(&quiet, 1, 100000);
    one.store.lateness_ms = 100000;
    sequence.same = 1;
    /* So large a block is not of the slab: it is allocated to grow. */
    struct item other = user_item(one.user, 900);
    ck_assert_int_eq(
        user_resize(&one.store, &one.user, 900, SLAB_CLASS_MAX + 900, &other),
        0);
    memset(other.bytes, 0, other.len);
    store_fit(&one.store, &one.user);
    for (int i = 0; i < 150; i++) {
        struct fold fold = {.time_ms = START + 10 * i,
                            .stamp = fold_stamp(0, 1000 * i),
                            .roles = A,
                            .same = (uint64_t)i + 1};
        uint32_t len = item_bytes(bytes);
        fail_alloc_begin(1, FAIL_ALLOC_FROM);
        int ret = sequence_ops.fold(&one.store, &one.user, &feature, &fold,
                                    fold.time_ms, &one.folded);
        long failures = fail_alloc_end();
        ck_assert_int_eq(ret, failures ? SEG_ERR_NOMEM : 0);
        ck_assert(user_validate(one.user));
        if (ret == 0)
            continue;
        failed++;
        ck_assert_uint_eq(item_bytes(others), len);
        ck_assert_int_eq(memcmp(bytes, others, len), 0);
        one_user_fold_event(&one, &feature, &fold, fold.time_ms);
    }
    ck_assert_int_gt(failed, 0);
}
END_TEST

/* The limit of a user's bytes: likewise. */
START_TEST(beyond_user_bytes_all_is_as_it_was)
{
    const struct feature_step quiet = {.without = 1, .within_ms = 1000};
    begin_steps(&quiet, 1, 100000);
    one.store.lateness_ms = 100000;
    happens(START, A, 0, START);
    one.store.user_bytes_max = one.user->used;
    struct fold fold = {
        .time_ms = START + 1, .stamp = fold_stamp(0, 1), .roles = A};
    ck_assert_int_eq(sequence_ops.fold(&one.store, &one.user, &feature, &fold,
                                       START + 1, &one.folded),
                     SEG_ERR_USER_BYTES);
    compare_from(START + 1, 0);
}
END_TEST

SUITE("sequence", setup, teardown,
      TIMES(truth_and_every_change_are_those_of_a_search, 5),
      TEST(the_order_of_arrival_leaves_no_trace),
      TEST(a_later_clock_reads_the_same_again),
      TEST(a_record_reads_back_the_same), TEST(no_record_is_believed),
      TEST(a_quiet_time_ends_by_itself_and_is_taken_back),
      TEST(one_open_attempt_takes_few_bytes),
      TEST(what_holds_for_ever_takes_a_byte),
      TIMES(what_is_final_leaves_one_attempt, 2),
      TIMES(beyond_the_limit_the_oldest_attempts_are_given_up, 3),
      TIMES(beyond_the_limit_a_late_event_is_too_late, 3),
      TEST(what_is_just_in_time_finds_its_place),
      TEST(what_comes_too_late_takes_back_only),
      TEST(what_comes_too_late_takes_back_what_went_on),
      TEST(what_comes_too_late_counts_if_nothing_is_forbidden),
      TEST(explain_sees_the_attempt_that_came_furthest),
      TEST(without_memory_all_is_as_it_was),
      TEST(beyond_user_bytes_all_is_as_it_was))
