/* check_store.c: the users of one engine, found by id. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seg/error.h>

#include "lib/base/text.h"
#include "lib/user/changes.h"
#include "tests/model/random.h"
#include "tests/support/suite.h"

#define SEED 11

static struct store store;

static void setup(void)
{
    store_init(&store, SEED);
}

static void teardown(void)
{
    store_done(&store);
}

static struct seg_text name_of(uint32_t number)
{
    static char name[32];
    snprintf(name, sizeof(name), "user-%u", number);
    return text_of(name);
}

/* ---- ids whose hashes meet ---------------------------------------------- */

#define HOME_BITS 10 /* Of the smallest table. */

/* All that a look-up sees of a hash before it compares ids. */
static uint64_t seen_of(uint64_t hash)
{
    uint64_t home = (1 << HOME_BITS) - 1;
    return (hash >> 32 & ~home) | (hash & home);
}

struct candidate {
    uint64_t seen;
    uint32_t number;
};

static int by_seen(const void *a, const void *b)
{
    uint64_t x = ((const struct candidate *)a)->seen;
    uint64_t y = ((const struct candidate *)b)->seen;
    return (x > y) - (x < y);
}

/* Up to MAX numbers in pairs that a look-up can tell apart by id alone; then
 * numbers that share one home. */
static int colliding(uint32_t *numbers, int max)
{
    enum { TRIED = 1200000 };
    struct candidate *all = malloc(TRIED * sizeof(*all));
    int count = 0;
    for (uint32_t i = 0; i < TRIED; i++)
        all[i] = (struct candidate){seen_of(store_hash(&store, name_of(i))), i};
    qsort(all, TRIED, sizeof(*all), by_seen);
    for (int i = 1; i < TRIED && count + 2 <= max / 2; i++)
        if (all[i].seen == all[i - 1].seen) {
            numbers[count++] = all[i - 1].number;
            numbers[count++] = all[i].number;
        }
    ck_assert_int_eq(count, max / 2);
    for (int i = 0; i < TRIED && count < max; i++)
        if ((all[i].seen & ((1 << HOME_BITS) - 1)) == (1 << HOME_BITS) - 1)
            numbers[count++] = all[i].number;
    free(all);
    return count;
}

/* ---- the store beside a set of numbers ---------------------------------- */

enum { USERS_MAX = 6000 };

static uint32_t numbers[USERS_MAX];
static int present[USERS_MAX];

static struct user *find(uint32_t number)
{
    struct seg_text id = name_of(number);
    return store_find(&store, id, store_hash(&store, id));
}

/* Each user carries his number as an item. */
static void add(int i)
{
    struct seg_text id = name_of(numbers[i]);
    struct user *user;
    struct item item;
    ck_assert_int_eq(store_add(&store, id, store_hash(&store, id), 0, &user),
                     0);
    item = user_item(user, 1);
    ck_assert_int_eq(user_resize(&store, &user, 1, WORD_BYTES, &item), 0);
    item.words[0] = numbers[i];
    present[i] = 1;
}

static void drop(int i)
{
    struct user *moved, *user = find(numbers[i]);
    uint32_t index = store_index(&store, user);
    store_remove(&store, user, &moved);
    present[i] = 0;
    if (moved)
        ck_assert_uint_eq(store_index(&store, moved), index);
}

static void check_one(int i)
{
    struct user *user = find(numbers[i]);
    ck_assert_msg((user != NULL) == present[i], "%u: got %p, want %d",
                  numbers[i], (void *)user, present[i]);
    if (!user)
        return;
    ck_assert(user_validate(user));
    ck_assert_ptr_eq(store_at(&store, store_index(&store, user)), user);
    ck_assert_uint_eq(user_item(user, 1).words[0], numbers[i]);
}

static void check_all(int count)
{
    uint32_t there = 0;
    for (int i = 0; i < count; i++) {
        check_one(i);
        there += (uint32_t)present[i];
    }
    ck_assert_uint_eq(store.user_count, there);
    for (uint32_t i = 0; i < store.user_count; i++)
        ck_assert_uint_eq(store_index(&store, store_at(&store, i)), i);
}

static void live(int count, int steps, uint64_t seed)
{
    struct random random = {seed};
    for (int n = 0; n < steps; n++) {
        int i = (int)random_below(&random, count);
        struct user *user = find(numbers[i]);
        if (!user)
            add(i);
        else if (random_chance(&random, 60))
            drop(i);
        else
            ck_assert_int_eq(
                store_grow(&store, &user,
                           user->used + (size_t)random_below(&random, 12000)),
                0);
        check_one(i);
        if (n % 500 == 0)
            check_all(count);
    }
    check_all(count);
}

START_TEST(users_come_go_grow_and_are_found)
{
    for (int i = 0; i < USERS_MAX; i++) {
        numbers[i] = (uint32_t)i;
        present[i] = 0;
    }
    live(USERS_MAX, 30000, 1);
}
END_TEST

START_TEST(users_whose_hashes_meet_are_told_apart)
{
    enum { MET = 400 };
    ck_assert_int_eq(colliding(numbers, MET), MET);
    memset(present, 0, sizeof(present));
    live(MET, 20000, 3);
}
END_TEST

START_TEST(an_empty_store_knows_nobody)
{
    ck_assert_ptr_null(find(1));
    store_prefetch(&store, 1);
    store_prefetch_user(&store, 1);
    ck_assert_uint_eq(store_bytes(&store), 0);
}
END_TEST

START_TEST(a_new_user_is_blank)
{
    struct user *user;
    struct seg_text id = {"a\0b", 3};
    ck_assert_int_eq(store_add(&store, id, store_hash(&store, id), 5000, &user),
                     0);
    ck_assert_uint_eq(user->directory_len, 0);
    ck_assert_int_eq(changes_of(user).last_at_ms, CHANGES_NONE);
    ck_assert_uint_eq(changes_of(user).seq, 0);
    ck_assert_uint_eq(user->flags, 0);
    ck_assert_uint_eq(user_birth(user), 0);
    ck_assert(text_equal(user_id(user), id));
    ck_assert(user_validate(user));
    ck_assert_ptr_null(store_find(&store, (struct seg_text){"a\0c", 3},
                                  store_hash(&store, id)));
    for (int i = 0; i < 5000; i++) {
        store_prefetch(&store, (uint64_t)i);
        store_prefetch_user(&store, (uint64_t)i);
    }
}
END_TEST

START_TEST(there_are_users_max_users_and_no_more)
{
    store.users_max = 100;
    for (int i = 0; i < 100; i++) {
        numbers[i] = (uint32_t)i;
        add(i);
    }
    struct user *user;
    struct seg_text id = text_of("one more");
    ck_assert_int_eq(store_add(&store, id, store_hash(&store, id), 0, &user),
                     SEG_ERR_LIMIT);
    check_all(100);
    drop(50);
    ck_assert_int_eq(store_add(&store, id, store_hash(&store, id), 0, &user),
                     0);
}
END_TEST

START_TEST(a_block_is_exchanged_for_the_smallest_that_will_do)
{
    numbers[0] = 1;
    add(0);
    struct user *user = find(1);
    struct item item = user_item(user, 2);
    user_resize(&store, &user, 2, 3000, &item);
    ck_assert_int_gt(user->class, slab_class(user->used)); /* He may grow. */
    store_fit(&store, &user);
    ck_assert_int_eq(user->class, slab_class(user->used));
    ck_assert_uint_gt(user->used, 3000);
    item = user_item(user, 2);
    user_resize(&store, &user, 2, 0, &item);
    store_fit(&store, &user);
    ck_assert_int_eq(user->class, slab_class(user->used));
    ck_assert_uint_lt(user->used, 100);
    check_all(1);
}
END_TEST

SUITE("store", setup, teardown, TEST(users_come_go_grow_and_are_found),
      TEST(users_whose_hashes_meet_are_told_apart),
      TEST(an_empty_store_knows_nobody), TEST(a_new_user_is_blank),
      TEST(there_are_users_max_users_and_no_more),
      TEST(a_block_is_exchanged_for_the_smallest_that_will_do))
