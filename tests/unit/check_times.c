/* check_times.c: rows of times in few bytes beside plain vectors of them. */
#include "lib/user/times.h"

#include <string.h>

#include <seg/error.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "tests/model/random.h"
#include "tests/support/suite.h"

static const uint32_t ids[] = {0, 7, 60000};

enum { IDS = COUNT(ids), TIMES_MAX = 300 };

static struct twin {
    uint32_t count;
    int64_t times[TIMES_MAX];
} twins[IDS];

static struct store store;
static struct user *user;

static void begin(int64_t born_ms)
{
    struct seg_text id = text_of("user");
    store_init(&store, 1);
    ck_assert_int_eq(
        store_add(&store, id, store_hash(&store, id), born_ms, &user), 0);
    memset(twins, 0, sizeof(twins));
}

static void end(void)
{
    store_done(&store);
}

static struct times read_row(int i, struct item *item)
{
    struct times times;
    *item = user_item(user, ids[i]);
    times_read(user, item, &times);
    return times;
}

static void must_be(int i, const struct times *times)
{
    ck_assert_uint_eq(times->count, twins[i].count);
    for (uint32_t n = 0; n < times->count; n++) {
        int64_t got = times_at(times, n), want = twins[i].times[n];
        if (got != want)
            ck_abort_msg("item %u, time %u of %u: got %lld, want %lld", ids[i],
                         n, times->count, (long long)got, (long long)want);
    }
}

static void compare(void)
{
    struct item item;
    ck_assert(user_validate(user));
    for (int i = 0; i < IDS; i++) {
        struct times times = read_row(i, &item);
        must_be(i, &times);
    }
}

/* Insert TIME_MS where it belongs, after the first GONE went. */
static int add(int i, uint32_t gone, int64_t time_ms)
{
    struct twin *twin = &twins[i];
    struct item item;
    struct times times = read_row(i, &item);
    uint32_t at = gone;
    while (at < twin->count && twin->times[at] <= time_ms)
        at++;
    int ret =
        times_add(&store, &user, ids[i], gone, at, time_ms, &item, &times);
    if (ret < 0)
        return ret;
    memmove(twin->times + at + 1, twin->times + at,
            (twin->count - at) * sizeof(int64_t));
    twin->times[at] = time_ms;
    twin->count -= gone;
    memmove(twin->times, twin->times + gone,
            (twin->count + 1) * sizeof(int64_t));
    twin->count++;
    must_be(i, &times);
    return 0;
}

static int cut(int i, uint32_t count)
{
    struct twin *twin = &twins[i];
    struct item item;
    struct times times = read_row(i, &item);
    int ret = times_cut(&store, &user, ids[i], count, &item, &times);
    if (ret < 0)
        return ret;
    twin->count -= count;
    memmove(twin->times, twin->times + count, twin->count * sizeof(int64_t));
    must_be(i, &times);
    return 0;
}

/* Take the time at OUT out and insert TIME_MS where it belongs. */
static int move(int i, uint32_t out, int64_t time_ms)
{
    struct twin *twin = &twins[i];
    struct item item;
    struct times times = read_row(i, &item);
    uint32_t in = times_after(&times, time_ms), to = in > out ? in - 1 : in;
    for (uint32_t n = 0; n < twin->count; n++)
        if ((twin->times[n] > time_ms) != (n >= in))
            ck_abort_msg("%u is not after", in);
    int ret =
        times_move(&store, &user, ids[i], out, in, time_ms, &item, &times);
    if (ret < 0)
        return ret;
    memmove(twin->times + out, twin->times + out + 1,
            (twin->count - out - 1) * sizeof(int64_t));
    memmove(twin->times + to + 1, twin->times + to,
            (twin->count - to - 1) * sizeof(int64_t));
    twin->times[to] = time_ms;
    must_be(i, &times);
    return 0;
}

/* How far a time lies from the one before: all widths of a difference. */
static const int64_t far[] = {1,      200,          300,
                              70000,  DAY_MS,       50 * DAY_MS,
                              100000, 400 * DAY_MS, INT64_C(100000) * DAY_MS};

/* In whole seconds, too, or all alike. */
static const int64_t units[] = {1, 1000, 1000000000};

static const int64_t starts[] = {0, INT64_C(1700000000000), INSTANT_MIN,
                                 INSTANT_MAX};

static void step(struct random *random, int64_t *now_ms, int64_t most)
{
    int i = (int)random_below(random, IDS);
    int64_t unit = units[i];
    uint32_t count = twins[i].count;
    uint32_t gone = (uint32_t)random_below(
        random, random_chance(random, 10) ? count + 1 : count / 16 + 1);
    if (random_chance(random, 10)) {
        ck_assert_int_eq(cut(i, gone), 0);
    } else if (count && random_chance(random, 20)) {
        int64_t time_ms = *now_ms - random_below(random, most);
        uint32_t out = (uint32_t)random_below(random, count);
        ck_assert_int_eq(move(i, out, time_ms / unit * unit), 0);
    } else if (count < TIMES_MAX - 1) {
        *now_ms += random_below(random, most);
        int64_t time_ms = *now_ms - random_below(random, most);
        if (gone && count && time_ms < twins[i].times[gone - 1])
            gone = 0;
        ck_assert_int_eq(add(i, gone, time_ms / unit * unit), 0);
    }
}

START_TEST(rows_are_what_vectors_would_be)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct random random = {seed * 4 + (uint64_t)_i};
        int64_t now_ms = starts[_i], most = far[seed % COUNT(far)];
        begin(now_ms);
        for (int n = 0; n < 1500; n++) {
            if (random_chance(&random, 2))
                most = RANDOM_OF(&random, far);
            step(&random, &now_ms, most);
            compare();
        }
        end();
    }
}
END_TEST

static const struct {
    int64_t times[6];
    uint32_t count, bytes;
} sizes[] = {
    {{0}, 1, 2},
    {{100000}, 1, 4},
    {{10 * DAY_MS}, 1, 5},
    {{-10 * DAY_MS}, 1, 5},
    {{30 * DAY_MS}, 1, 6},
    {{10 * DAY_MS, 10 * DAY_MS + 255}, 2, 6},
    {{10 * DAY_MS, 10 * DAY_MS + 256}, 2, 7},
    {{10 * DAY_MS, 10 * DAY_MS + 255000}, 2, 6},
    {{10 * DAY_MS, 10 * DAY_MS + 255001}, 2, 8},
    /* Five of a day, and five whole seconds of one. */
    {{DAY_MS, DAY_MS + 9000001, DAY_MS + 18000000, DAY_MS + 27000000,
      DAY_MS + 36000000},
     5,
     17},
    {{DAY_MS + 7, DAY_MS + 9000007, DAY_MS + 18000007, DAY_MS + 27000007,
      DAY_MS + 36000007},
     5,
     13},
    /* 4 bytes of ms are not enough, then not of seconds either. */
    {{0, INT64_C(4294967295)}, 2, 6},
    {{0, INT64_C(4294968000)}, 2, 5},
    {{0, INT64_C(4294967296)}, 2, 19},
    {{0, INT64_C(4294967295000)}, 2, 6},
    {{0, INT64_C(4294967296000)}, 2, 21},
};

START_TEST(a_row_takes_no_more_bytes_than_it_must)
{
    begin(0);
    for (uint32_t i = 0; i < sizes[_i].count; i++)
        ck_assert_int_eq(add(0, 0, sizes[_i].times[i]), 0);
    ck_assert_uint_eq(user_item(user, ids[0]).len, sizes[_i].bytes);
    compare();
    end();
}
END_TEST

START_TEST(a_row_of_many_becomes_one_of_few_again)
{
    struct item item;
    begin(0);
    for (int n = 0; n < TIMES_FEW; n++)
        add(0, 0, n * DAY_MS);
    ck_assert_ptr_null(read_row(0, &item).offsets);
    add(0, 0, TIMES_FEW * DAY_MS);
    ck_assert_ptr_nonnull(read_row(0, &item).offsets);
    cut(0, 1);
    ck_assert_ptr_nonnull(read_row(0, &item).offsets);
    cut(0, TIMES_FEW / 2);
    ck_assert_ptr_null(read_row(0, &item).offsets);
    compare();
    end();
}
END_TEST

START_TEST(at_the_limit_nothing_is_lost_and_cutting_still_works)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct random random = {seed};
        int refused = 0;
        begin(0);
        store.user_bytes_max = 600;
        for (int n = 0; n < 1000; n++) {
            int i = (int)random_below(&random, IDS);
            int64_t time_ms =
                n * DAY_MS / 4 - random_below(&random, 90 * DAY_MS);
            int ret = twins[i].count < TIMES_MAX - 1 ? add(i, 0, time_ms) : 0;
            ck_assert(ret == 0 || ret == SEG_ERR_USER_BYTES);
            refused += ret < 0;
            compare();
            if (ret < 0)
                ck_assert_int_eq(cut(i, (twins[i].count + 1) / 2), 0);
        }
        ck_assert_int_gt(refused, 10);
        end();
    }
}
END_TEST

/* From a record nobody can vouch for. */
START_TEST(times_at_the_ends_of_64_bits_are_kept)
{
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, 0, INT64_MAX - 1,
                                    INT64_MAX};
    for (int born = 0; born < COUNT(times); born++) {
        begin(times[born]);
        for (int n = 0; n < COUNT(times); n++) {
            ck_assert_int_eq(add(0, 0, times[n]), 0);
            ck_assert_int_eq(add(1, 0, times[COUNT(times) - 1 - n]), 0);
            compare();
        }
        for (int n = 0; n < COUNT(times); n++) {
            ck_assert_int_eq(cut(0, 1), 0);
            compare();
        }
        end();
    }
}
END_TEST

SUITE("times", NULL, NULL, TABLE(rows_are_what_vectors_would_be, starts),
      TABLE(a_row_takes_no_more_bytes_than_it_must, sizes),
      TEST(a_row_of_many_becomes_one_of_few_again),
      TEST(at_the_limit_nothing_is_lost_and_cutting_still_works),
      TEST(times_at_the_ends_of_64_bits_are_kept))
