/* check_user.c: the items of a user's block beside a map of vectors. */
#include "lib/user/user.h"

#include <string.h>

#include <seg/error.h>

#include "lib/base/text.h"
#include "tests/model/random.h"
#include "tests/support/suite.h"

/* Ids at both ends, and some that meet. */
static const uint32_t ids[] = {0,
                               1,
                               2,
                               40,
                               41,
                               59999,
                               60000,
                               USER_ITEM_SPECIAL - 1,
                               USER_ITEM_ACCOUNT,
                               USER_ITEM_SPARE,
                               USER_ITEM_PARKED};

enum { IDS = COUNT(ids), WORDS_MAX = 5000, BYTES_MAX = 40000 };

/* The naive twin: words of each item, and their forms. */
static struct twin {
    uint32_t count, form;
    uint32_t words[WORDS_MAX];
} twins[IDS];

static struct store store;
static struct user *user;
static uint32_t stamp; /* Of the next word written. */

static void begin(const char *id)
{
    struct seg_text text = text_of(id);
    store_init(&store, 7);
    store.user_bytes_max = BYTES_MAX;
    ck_assert_int_eq(
        store_add(&store, text, store_hash(&store, text), 0, &user), 0);
    memset(twins, 0, sizeof(twins));
}

static void end(void)
{
    store_done(&store);
}

static void compare(void)
{
    struct user_walk walk;
    uint32_t id;
    ck_assert(user_validate(user));
    ck_assert_ptr_eq(store.users[0], user);
    ck_assert_ptr_eq(
        store_find(&store, user_id(user), store_hash(&store, user_id(user))),
        user);
    user_walk_start(user, &walk);
    for (int i = 0; i < IDS; i++) {
        struct item item = user_item(user, ids[i]);
        ck_assert_uint_eq(item.count, twins[i].count);
        ck_assert((item.words != NULL) == (twins[i].count > 0));
        if (!item.words)
            continue;
        ck_assert_uint_eq(item.form, twins[i].form);
        ck_assert_mem_eq(item.words, twins[i].words, item.count * 4);
        struct item walked = user_walk_next(user, &walk, &id);
        ck_assert_uint_eq(id, ids[i]);
        ck_assert_ptr_eq(walked.words, item.words);
        ck_assert_uint_eq(walked.place, item.place);
    }
    ck_assert_ptr_null(user_walk_next(user, &walk, &id).words);
}

static uint32_t total_words(void)
{
    uint32_t total = 0;
    for (int i = 0; i < IDS; i++)
        total += twins[i].count;
    return total;
}

/* Words FROM to below TO of item I are new: fill both. */
static void fill(const struct item *item, int i, uint32_t from, uint32_t to)
{
    for (uint32_t n = from; n < to; n++)
        twins[i].words[n] = item->words[n] = ++stamp;
}

static void resize(int i, uint32_t form, uint32_t count)
{
    struct item item;
    struct twin *twin = &twins[i];
    int ret = user_resize(&store, &user, ids[i], form, count, &item);
    if (ret == SEG_ERR_USER_BYTES) {
        ck_assert_uint_gt((total_words() - twin->count + count) * 4,
                          BYTES_MAX - 300);
        ck_assert_uint_gt(count, twin->count);
        return;
    }
    ck_assert_int_eq(ret, 0);
    ck_assert_uint_eq(item.count, count);
    if (count > twin->count)
        fill(&item, i, twin->count, count);
    twin->count = count;
    twin->form = form;
}

static void splice(int i, uint32_t form, uint32_t at, int32_t count)
{
    struct twin *twin = &twins[i];
    struct item item = user_item(user, ids[i]);
    uint32_t then = (uint32_t)((int32_t)twin->count + count);
    int ret = user_splice(&store, &user, ids[i], form, at, count, &item);
    if (ret == SEG_ERR_USER_BYTES) {
        ck_assert_int_gt(count, 0);
        ck_assert_uint_gt((total_words() + (uint32_t)count) * 4,
                          BYTES_MAX - 300);
        return;
    }
    ck_assert_int_eq(ret, 0);
    ck_assert_uint_eq(item.count, then);
    if (!twin->count)
        twin->form = form;
    uint32_t cut = count < 0 ? (uint32_t)-count : 0;
    uint32_t put = count > 0 ? (uint32_t)count : 0;
    memmove(twin->words + at + put, twin->words + at + cut,
            (twin->count - at - cut) * 4);
    fill(&item, i, at, at + put);
    twin->count = then;
}

/* Lengths around where the directory's ten bits end. */
static uint32_t random_count(struct random *random)
{
    static const uint32_t edges[] = {0,    1,    2,    1021, 1022,
                                     1023, 1024, 1025, 2046, 2047};
    return random_chance(random, 25)
               ? RANDOM_OF(random, edges)
               : (uint32_t)random_below(random,
                                        random_chance(random, 5) ? 3000 : 20);
}

static void step(struct random *random)
{
    int i = (int)random_below(random, IDS);
    uint32_t form = (uint32_t)random_below(random, 4);
    uint32_t count = random_count(random), now = twins[i].count;
    if (random_chance(random, 40)) {
        resize(i, form, count);
    } else if (now && random_chance(random, 50)) {
        uint32_t at = (uint32_t)random_below(random, now + 1);
        uint32_t most = now - at;
        splice(i, form, at, -(int32_t)(count < most ? count : most));
    } else if (now + count <= WORDS_MAX) {
        splice(i, form, (uint32_t)random_below(random, now + 1),
               (int32_t)count);
    }
}

static const char *const user_ids[] = {"", "u", "user", "a user id of 23 bytes.."};

START_TEST(items_are_what_a_map_of_vectors_would_be)
{
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct random random = {seed * 10 + (uint64_t)_i};
        begin(user_ids[_i]);
        for (int n = 0; n < 1500; n++) {
            step(&random);
            compare();
        }
        ck_assert(text_equal(user_id(user), text_of(user_ids[_i])));
        end();
    }
}
END_TEST

/* Where the length leaves the directory entry, and comes back. */
START_TEST(an_item_crosses_1023_words_either_way_one_by_one)
{
    begin("u");
    resize(0, FORM_PLAIN, 5);
    resize(3, FORM_PLAIN, 5);
    resize(1, FORM_PLAIN, 1015);
    for (int n = 0; n < 20; n++) {
        splice(1, FORM_PLAIN, (uint32_t)n, 1);
        compare();
    }
    for (int n = 0; n < 20; n++) {
        splice(1, FORM_PLAIN, (uint32_t)(1014 - n), -1);
        compare();
    }
    splice(1, FORM_PLAIN, 0, -1015);
    compare();
    end();
}
END_TEST

static const int over[] = {-1, 0, 1};

START_TEST(the_limit_is_exact_and_leaves_all_as_it_was)
{
    begin("u");
    resize(0, FORM_PLAIN, 3);
    /* What is used, the new entry, the length word of a long item. */
    uint32_t room = (BYTES_MAX - user->used) / 4 - 2, used = user->used;
    struct item item = user_item(user, ids[1]);
    uint32_t count = (uint32_t)((int)room + over[_i]);
    int ret = user_splice(&store, &user, ids[1], FORM_PLAIN, 0, (int32_t)count,
                          &item);
    ck_assert_int_eq(ret, over[_i] <= 0 ? 0 : SEG_ERR_USER_BYTES);
    if (ret < 0) {
        ck_assert_uint_eq(user->used, used);
        compare();
    }
    ck_assert(user_validate(user));
    end();
}
END_TEST

START_TEST(a_form_can_be_set_alone)
{
    begin("u");
    resize(4, FORM_NARROW, 1500);
    struct item item = user_item(user, ids[4]);
    user_set_form(user, &item, FORM_COARSE);
    twins[4].form = FORM_COARSE;
    ck_assert_uint_eq(item.form, FORM_COARSE);
    compare();
    end();
}
END_TEST

START_TEST(a_broken_block_does_not_validate)
{
    begin("u");
    resize(0, FORM_PLAIN, 3);
    resize(1, FORM_PLAIN, 3);
    ck_assert(user_validate(user));
    uint32_t entry = user->words[0];
    user->words[0] = user->words[1]; /* Out of order. */
    ck_assert(!user_validate(user));
    user->words[0] = entry;
    user->used += 4;
    ck_assert(!user_validate(user));
    user->used -= 4;
    ck_assert(user_validate(user));
    end();
}
END_TEST

SUITE("user", NULL, NULL,
      TABLE(items_are_what_a_map_of_vectors_would_be, user_ids),
      TEST(an_item_crosses_1023_words_either_way_one_by_one),
      TABLE(the_limit_is_exact_and_leaves_all_as_it_was, over),
      TEST(a_form_can_be_set_alone), TEST(a_broken_block_does_not_validate))
