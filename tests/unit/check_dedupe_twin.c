/* check_dedupe_twin.c: message ids of a user beside a plain array of them. */
#include "lib/user/dedupe.h"

#include <string.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "lib/user/times.h"
#include "tests/model/random.h"
#include "tests/support/suite.h"

static struct store store;
static struct user *user;

static struct twin {
    uint32_t count;
    uint64_t hashes[SEG_IDS_MAX + 1];
    int64_t times[SEG_IDS_MAX + 1];
} twin;

static void begin(int64_t born_ms)
{
    struct seg_text id = text_of("user");
    store_init(&store, 1);
    ck_assert_int_eq(
        store_add(&store, id, store_hash(&store, id), born_ms, &user), 0);
    twin.count = 0;
}

static void end(void)
{
    store_done(&store);
}

static void forget(uint32_t gone)
{
    twin.count -= gone;
    memmove(twin.hashes, twin.hashes + gone, twin.count * sizeof(uint64_t));
    memmove(twin.times, twin.times + gone, twin.count * sizeof(int64_t));
}

static void age(int64_t now_ms)
{
    uint32_t old = 0;
    while (old < twin.count && twin.times[old] <= now_ms - DEDUPE_KEEP_MS)
        old++;
    forget(old);
}

static void add(uint64_t hash, int64_t time_ms, int64_t now_ms)
{
    ck_assert_int_eq(dedupe_add(&store, &user, hash, time_ms, now_ms), 0);
    age(now_ms);
    if (time_ms <= now_ms - DEDUPE_KEEP_MS)
        return;
    twin.hashes[twin.count] = hash;
    twin.times[twin.count++] = time_ms;
    if (twin.count > SEG_IDS_MAX)
        forget(1);
}

static int seen(uint64_t hash, int64_t time_ms, int64_t now_ms)
{
    for (uint32_t i = 0; i < twin.count; i++) {
        int64_t apart = time_ms - twin.times[i];
        if (twin.hashes[i] == hash && apart < SEG_ID_WINDOW_MS &&
            -apart < SEG_ID_WINDOW_MS &&
            twin.times[i] > now_ms - DEDUPE_KEEP_MS)
            return 1;
    }
    return 0;
}

static void compare(void)
{
    int64_t time_ms, latest = INT64_MIN;
    ck_assert(user_validate(user));
    ck_assert_uint_eq(dedupe_count(user), twin.count);
    for (uint32_t i = 0; i < twin.count; i++) {
        ck_assert_uint_eq(dedupe_at(user, i, &time_ms), twin.hashes[i]);
        ck_assert_int_eq(time_ms, twin.times[i]);
        latest = time_ms > latest ? time_ms : latest;
    }
    ck_assert_int_eq(dedupe_next(user),
                     twin.count ? latest + DEDUPE_KEEP_MS : SEG_NEVER);
}

/* Between events: all ids stay, some go, all go, times need more bytes. */
static const int64_t steps[] = {60000, 3600000, 2 * DAY_MS, 30 * DAY_MS};

START_TEST(ids_are_what_an_array_would_be)
{
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct random random = {seed};
        int64_t now_ms = INT64_C(1764112000000);
        begin(now_ms);
        for (int n = 0; n < 1500; n++) {
            now_ms += random_below(&random, steps[_i]);
            int64_t time_ms = now_ms - random_below(&random, 2 * steps[_i]);
            uint64_t hash = (uint64_t)random_below(&random, 100) << 56 | 1;
            ck_assert_int_eq(dedupe_seen(user, hash, time_ms, now_ms),
                             seen(hash, time_ms, now_ms));
            if (random_chance(&random, 10)) {
                dedupe_age(&store, &user, now_ms);
                age(now_ms);
            }
            add(hash, time_ms,
                random_chance(&random, 20) ? DEDUPE_NEVER : now_ms);
            compare();
        }
        end();
    }
}
END_TEST

/* From a record nobody can vouch for. */
START_TEST(times_at_the_ends_of_64_bits_are_kept)
{
    static const int64_t times[] = {0, INT64_MAX - DEDUPE_KEEP_MS, 5,
                                    INT64_MIN / 4, 1};
    begin(0);
    for (int i = 0; i < COUNT(times); i++) {
        add((uint64_t)i, times[i], DEDUPE_NEVER);
        compare();
    }
    end();
}
END_TEST

SUITE("dedupe_twin", NULL, NULL, TABLE(ids_are_what_an_array_would_be, steps),
      TEST(times_at_the_ends_of_64_bits_are_kept))
