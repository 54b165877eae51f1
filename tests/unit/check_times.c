/* check_times.c: times of one width an item beside plain vectors of them. */
#include "lib/user/times.h"

#include <seg/error.h>

#include "lib/base/instant.h"
#include "lib/base/text.h"
#include "tests/model/random.h"
#include "tests/support/suite.h"

static const uint32_t ids[] = {0, 7, 60000, USER_ITEM_MEMBERS, USER_ITEM_IDS};

enum { IDS = COUNT(ids), ENTRIES_MAX = 700 };

static struct twin {
    uint32_t count;
    struct {
        int64_t time_ms;
        uint32_t lead[2];
    } entries[ENTRIES_MAX];
} twins[IDS];

static struct store store;
static struct user *user;
static uint32_t stamp;

static void begin(int64_t base_ms)
{
    struct seg_text id = text_of("user");
    store_init(&store, 1);
    ck_assert_int_eq(
        store_add(&store, id, store_hash(&store, id), base_ms, &user), 0);
    for (int i = 0; i < IDS; i++)
        twins[i].count = 0;
}

static void end(void)
{
    store_done(&store);
}

static void compare(void)
{
    ck_assert(user_validate(user));
    for (int i = 0; i < IDS; i++) {
        struct item item = user_item(user, ids[i]);
        uint32_t lead = times_lead(ids[i]);
        ck_assert_uint_eq(times_count(&item, lead), twins[i].count);
        for (uint32_t n = 0; n < twins[i].count; n++) {
            int64_t got = times_get(user, &item, lead, n);
            int64_t want = twins[i].entries[n].time_ms;
            if (got != want)
                ck_abort_msg("item %u, entry %u: got %lld, want %lld", ids[i], n,
                             (long long)got, (long long)want);
            for (uint32_t word = 0; word < lead; word++)
                if (times_entry(&item, lead, n)[word] !=
                    twins[i].entries[n].lead[word])
                    ck_abort_msg("item %u, entry %u: lead word %u", ids[i], n,
                                 word);
        }
    }
}

static int insert(int i, uint32_t index, int64_t time_ms)
{
    struct twin *twin = &twins[i];
    struct item item = user_item(user, ids[i]);
    uint32_t lead = times_lead(ids[i]);
    int ret = times_insert(&store, &user, ids[i], index, time_ms, &item);
    if (ret < 0)
        return ret;
    for (uint32_t n = twin->count++; n > index; n--)
        twin->entries[n] = twin->entries[n - 1];
    twin->entries[index].time_ms = time_ms;
    for (uint32_t word = 0; word < lead; word++)
        twin->entries[index].lead[word] =
            times_entry(&item, lead, index)[word] = ++stamp;
    return 0;
}

static void cut(int i, uint32_t index, uint32_t count)
{
    struct twin *twin = &twins[i];
    struct item item = user_item(user, ids[i]);
    times_remove(&store, &user, ids[i], index, count, &item);
    for (uint32_t n = index; n + count < twin->count; n++)
        twin->entries[n] = twin->entries[n + count];
    twin->count -= count;
    ck_assert_uint_eq(times_count(&item, times_lead(ids[i])), twin->count);
}

/* How far the next time lies beside now: within the narrow range, at its ends,
 * and beyond. */
static const int64_t far[] = {1000,
                              DAY_MS,
                              37 * DAY_MS,
                              49 * DAY_MS,
                              50 * DAY_MS,
                              400 * DAY_MS,
                              INT64_C(100000) * DAY_MS};

static const int64_t starts[] = {0, INT64_C(1700000000000), INSTANT_MIN,
                                 INSTANT_MAX};

static void step(struct random *random, int64_t *now_ms)
{
    int i = (int)random_below(random, IDS);
    uint32_t count = twins[i].count;
    if (random_chance(random, 30) && count) {
        uint32_t at = (uint32_t)random_below(random, count);
        uint32_t most = count - at;
        cut(i, at, (uint32_t)random_below(random, most + 1));
    } else if (count < ENTRIES_MAX) {
        int64_t beside = random_below(random, RANDOM_OF(random, far));
        if (random_chance(random, 10))
            *now_ms += beside % (60 * DAY_MS);
        int64_t time_ms =
            random_chance(random, 85) ? *now_ms - beside : *now_ms + beside;
        ck_assert_int_eq(
            insert(i, (uint32_t)random_below(random, count + 1), time_ms), 0);
    }
}

START_TEST(times_are_kept_whatever_their_width_and_wherever_the_base_goes)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct random random = {seed * 4 + (uint64_t)_i};
        int64_t now_ms = starts[_i];
        begin(now_ms);
        for (int n = 0; n < 1500; n++) {
            step(&random, &now_ms);
            compare();
        }
        end();
    }
}
END_TEST

static const struct {
    int64_t behind_ms; /* The base of a new user lies so far behind. */
    int narrow;
} widths[] = {
    {(INT64_C(3) << 30) + 1, 0},
    {INT64_C(3) << 30, 1},
    {0, 1},
    {-(INT64_C(1) << 30) + 1, 1},
};

START_TEST(a_time_within_49_days_of_the_base_is_narrow)
{
    begin(0);
    insert(0, 0, -widths[_i].behind_ms);
    ck_assert_uint_eq(user_item(user, ids[0]).form,
                      widths[_i].narrow ? FORM_NARROW : FORM_WIDE);
    compare();
    end();
}
END_TEST

START_TEST(the_base_follows_and_what_is_old_becomes_wide)
{
    begin(0);
    int64_t base_ms = user->base_ms;
    insert(0, 0, 0);
    insert(1, 0, -30 * DAY_MS);
    insert(3, 0, 0);
    insert(0, 1, 20 * DAY_MS); /* Beyond the range: the base moves. */
    ck_assert_int_gt(user->base_ms, base_ms);
    ck_assert_uint_eq(user_item(user, ids[0]).form, FORM_NARROW);
    ck_assert_uint_eq(user_item(user, ids[1]).form, FORM_WIDE);
    ck_assert_uint_eq(user_item(user, ids[3]).form, FORM_NARROW);
    compare();
    cut(1, 0, 1);
    insert(1, 0, 21 * DAY_MS);
    ck_assert_uint_eq(user_item(user, ids[1]).form, FORM_NARROW);
    compare();
    end();
}
END_TEST

START_TEST(what_is_wide_becomes_narrow_when_the_base_comes_near)
{
    begin(0);
    insert(0, 0, 400 * DAY_MS); /* New: moves the base. */
    insert(0, 0, 0);            /* Old: all of it is wide. */
    ck_assert_uint_eq(user_item(user, ids[0]).form, FORM_WIDE);
    cut(0, 0, 1);
    insert(1, 0, 430 * DAY_MS);
    ck_assert_uint_eq(user_item(user, ids[0]).form, FORM_NARROW);
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
        store.user_bytes_max = 2000;
        for (int n = 0; n < 1000; n++) {
            int i = (int)random_below(&random, IDS);
            uint32_t count = twins[i].count;
            int64_t time_ms = n * DAY_MS / 4 - random_below(&random, 90 * DAY_MS);
            int ret = insert(i, (uint32_t)random_below(&random, count + 1),
                             time_ms);
            ck_assert(ret == 0 || ret == SEG_ERR_USER_BYTES);
            refused += ret < 0;
            compare();
            if (ret < 0 && count)
                cut(i, 0, (count + 1) / 2);
        }
        ck_assert_int_gt(refused, 10);
        end();
    }
}
END_TEST

/* From a record nobody can vouch for. */
START_TEST(times_at_the_ends_of_64_bits_are_kept)
{
    static const int64_t times[] = {INT64_MAX, INT64_MIN, 0, INT64_MAX - 1,
                                    INT64_MIN + 1};
    for (int start = 0; start < COUNT(times); start++) {
        begin(times[start]);
        for (int i = 0; i < IDS; i++)
            for (int n = 0; n < COUNT(times); n++) {
                ck_assert_int_eq(insert(i, (uint32_t)n, times[n]), 0);
                compare();
            }
        end();
    }
}
END_TEST

SUITE("times", NULL, NULL,
      TABLE(times_are_kept_whatever_their_width_and_wherever_the_base_goes,
            starts),
      TABLE(a_time_within_49_days_of_the_base_is_narrow, widths),
      TEST(the_base_follows_and_what_is_old_becomes_wide),
      TEST(what_is_wide_becomes_narrow_when_the_base_comes_near),
      TEST(at_the_limit_nothing_is_lost_and_cutting_still_works),
      TEST(times_at_the_ends_of_64_bits_are_kept))
