/* check_user.c: the items of a user's block beside a map of vectors. */
#include "lib/user/user.h"

#include <string.h>

#include <seg/error.h>

#include "lib/base/text.h"
#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/suite.h"

/* In the order of a block: special ones, then ids at both ends, some that meet,
 * and some whose gap is just short or too long for an entry of two bytes. */
static const uint32_t ids[] = {USER_ITEM_ACCOUNT,
                               USER_ITEM_PARKED,
                               USER_ITEM_MEMBERS,
                               0,
                               1,
                               2,
                               65,
                               129,
                               59999,
                               60000,
                               USER_ITEM_SPECIAL - 1};

enum { IDS = COUNT(ids), LEN_MAX = 5000, BYTES_MAX = 20000 };

/* The naive twin: the bytes of each item. */
static struct twin {
    uint32_t len;
    int coarse;
    uint8_t bytes[LEN_MAX];
} twins[IDS];

static struct store store;
static struct user *user;
static uint8_t stamp; /* Of the next byte written. */

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

static void must_walk(struct user_walk *walk, uint32_t want,
                      const struct item *item)
{
    uint32_t id;
    struct item walked = user_walk_next(user, walk, &id);
    ck_assert_uint_eq(id, want);
    ck_assert_ptr_eq(walked.bytes, item->bytes);
    ck_assert_uint_eq(walked.len, item->len);
    ck_assert_uint_eq(walked.place, item->place);
    ck_assert_uint_eq(walked.before, item->before);
}

static void compare(void)
{
    struct user_walk walk, catalogue;
    uint64_t bits = 0;
    uint32_t id;
    ck_assert(user_validate(user));
    ck_assert_ptr_eq(store_at(&store, 0), user);
    ck_assert_ptr_eq(
        store_find(&store, user_id(user), store_hash(&store, user_id(user))),
        user);
    user_walk_all(user, &walk);
    user_walk_start(user, &catalogue);
    for (int i = 0; i < IDS; i++) {
        struct item item = user_item(user, ids[i]);
        ck_assert_uint_eq(item.len, twins[i].len);
        ck_assert((item.bytes != NULL) == (twins[i].len > 0));
        if (!item.bytes)
            continue;
        ck_assert_int_eq(item.coarse, twins[i].coarse);
        ck_assert_mem_eq(item.bytes, twins[i].bytes, item.len);
        must_walk(&walk, ids[i], &item);
        if (ids[i] >= USER_ITEM_SPECIAL)
            continue;
        must_walk(&catalogue, ids[i], &item);
        bits |= UINT64_C(1) << ids[i] % 64;
    }
    ck_assert_uint_eq(user_bits(user), bits);
    ck_assert_ptr_null(user_walk_next(user, &walk, &id).bytes);
    ck_assert_ptr_null(user_walk_next(user, &catalogue, &id).bytes);
}

static uint32_t total(void)
{
    uint32_t sum = 0;
    for (int i = 0; i < IDS; i++)
        sum += twins[i].len;
    return sum;
}

/* Bytes FROM to below TO of item I are new: fill both. */
static void fill(const struct item *item, int i, uint32_t from, uint32_t to)
{
    for (uint32_t n = from; n < to; n++)
        twins[i].bytes[n] = item->bytes[n] = ++stamp;
}

#define OVERHEAD_MAX 300 /* Head, id, directory, lengths. */

static void resize(int i, uint32_t len)
{
    struct item item = user_item(user, ids[i]);
    struct twin *twin = &twins[i];
    int ret = user_resize(&store, &user, ids[i], len, &item);
    if (ret == SEG_ERR_USER_BYTES) {
        ck_assert_uint_gt(total() - twin->len + len, BYTES_MAX - OVERHEAD_MAX);
        ck_assert_uint_gt(len, twin->len);
        return;
    }
    ck_assert_int_eq(ret, 0);
    ck_assert_uint_eq(item.len, len);
    if (len > twin->len)
        fill(&item, i, twin->len, len);
    twin->coarse &= len > 0;
    twin->len = len;
}

static void splice(int i, uint32_t at, int32_t len)
{
    struct twin *twin = &twins[i];
    struct item item = user_item(user, ids[i]);
    uint32_t then = twin->len + (uint32_t)len;
    int ret = user_splice(&store, &user, ids[i], at, len, &item);
    if (ret == SEG_ERR_USER_BYTES) {
        ck_assert_int_gt(len, 0);
        ck_assert_uint_gt(total() + (uint32_t)len, BYTES_MAX - OVERHEAD_MAX);
        return;
    }
    ck_assert_int_eq(ret, 0);
    ck_assert_uint_eq(item.len, then);
    uint32_t cut = len < 0 ? (uint32_t)-len : 0;
    uint32_t put = len > 0 ? (uint32_t)len : 0;
    memmove(twin->bytes + at + put, twin->bytes + at + cut,
            twin->len - at - cut);
    fill(&item, i, at, at + put);
    twin->coarse &= then > 0;
    twin->len = then;
}

static void set_coarse(int i, int coarse)
{
    struct item item = user_item(user, ids[i]);
    int ret = user_set_coarse(&store, &user, &item, coarse);
    if (ret == SEG_ERR_USER_BYTES) {
        ck_assert(coarse && !twins[i].coarse);
        ck_assert_uint_eq(user->used, BYTES_MAX);
        return;
    }
    ck_assert_int_eq(ret, 0);
    ck_assert_int_eq(item.coarse, coarse);
    twins[i].coarse = coarse;
}

/* Lengths around where the entry's seven and eight bits end. */
static uint32_t random_len(struct random *random)
{
    static const uint32_t edges[] = {0,   1,   2,   126, 127, 128, 129, 253,
                                     254, 255, 256, 257, 258, 259, 510, 511};
    return random_chance(random, 25)
               ? RANDOM_OF(random, edges)
               : (uint32_t)random_below(random,
                                        random_chance(random, 5) ? 3000 : 40);
}

static void step(struct random *random)
{
    int i = (int)random_below(random, IDS);
    uint32_t len = random_len(random), now = twins[i].len;
    if (random_chance(random, 40)) {
        resize(i, len);
    } else if (now && random_chance(random, 20)) {
        set_coarse(i, random_chance(random, 50));
    } else if (now && random_chance(random, 50)) {
        uint32_t at = (uint32_t)random_below(random, now + 1);
        uint32_t most = now - at;
        splice(i, at, -(int32_t)(len < most ? len : most));
    } else if (now + len <= LEN_MAX) {
        splice(i, (uint32_t)random_below(random, now + 1), (int32_t)len);
    }
}

static const char *const user_ids[] = {"", "u", "user",
                                       "a user id of 23 bytes.."};

START_TEST(items_are_what_a_map_of_vectors_would_be)
{
    for (uint64_t seed = 0; seed < EFFORT(4); seed++) {
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
START_TEST(an_item_crosses_255_bytes_either_way_one_by_one)
{
    begin("u");
    resize(3, 5);
    resize(5, 5);
    resize(4, 245);
    for (int n = 0; n < 20; n++) {
        splice(4, (uint32_t)n, 1);
        compare();
    }
    for (int n = 0; n < 20; n++) {
        splice(4, (uint32_t)(244 - n), -1);
        compare();
    }
    splice(4, 0, -245);
    compare();
    end();
}
END_TEST

static const int over[] = {-1, 0, 1};

START_TEST(the_limit_is_exact_and_leaves_all_as_it_was)
{
    begin("u");
    resize(3, 3);
    /* What is used, the new entry, the length of a long item. */
    uint32_t room = BYTES_MAX - user->used - 6, used = user->used;
    struct item item = user_item(user, ids[4]);
    uint32_t len = (uint32_t)((int)room + over[_i]);
    int ret = user_splice(&store, &user, ids[4], 0, (int32_t)len, &item);
    ck_assert_int_eq(ret, over[_i] <= 0 ? 0 : SEG_ERR_USER_BYTES);
    if (ret < 0) {
        ck_assert_uint_eq(user->used, used);
        compare();
    }
    ck_assert(user_validate(user));
    end();
}
END_TEST

/* Fill the directory from ID downwards (each is found at once), the first
 * SPACED items in pairs of neighbours, 62 numbers between them. Returns how
 * many there are. */
static uint32_t fill_directory(uint32_t id, uint32_t spaced)
{
    struct item item;
    uint32_t count = 0;
    begin("u");
    store.user_bytes_max = STORE_USER_BYTES_MAX;
    for (;; id -= count < spaced && count % 2 ? 63 : 1) {
        item = user_item(user, id);
        int ret = user_resize(&store, &user, id, 2, &item);
        if (ret < 0) {
            ck_assert_int_eq(ret, SEG_ERR_USER_BYTES);
            return count;
        }
        item.bytes[0] = (uint8_t)id;
        count++;
    }
}

/* Half of what two bytes can count. */
START_TEST(a_directory_that_is_full_takes_no_more_items)
{
    uint32_t count = fill_directory(40000, 0);
    /* The first one's number takes five bytes more. */
    ck_assert_uint_eq(count, UINT16_MAX / 6 * 3 - 5);
    ck_assert(user_validate(user));
    ck_assert_uint_eq(user_item(user, 40000).bytes[0], (uint8_t)40000);
    end();
}
END_TEST

/* An entry of two bytes and one of one become one of six. */
START_TEST(a_full_directory_may_lose_items_and_grow)
{
    enum { SPACED = 1000, FIRST = 100000 };
    struct item item;
    uint32_t count = fill_directory(FIRST, SPACED);
    uint32_t len = user->directory_len;
    for (uint32_t i = 0; i < SPACED / 2; i++) {
        uint32_t id = FIRST - 63 - i * 64;
        item = user_item(user, id);
        ck_assert_ptr_nonnull(item.bytes);
        user_resize(&store, &user, id, 0, &item);
    }
    ck_assert_uint_eq(user->directory_len, len + SPACED / 2 * 3);
    ck_assert(user_validate(user));
    ck_assert_uint_gt(count, SPACED);
    ck_assert_uint_eq(user_item(user, FIRST).bytes[0], (uint8_t)FIRST);
    end();
}
END_TEST

START_TEST(a_directory_entry_takes_one_byte_or_two)
{
    static const uint8_t want[] = {0x8f, 11,   0x83, 17, 5, 0xc0, 9, 0x80,
                                   128,  0xbf, 1,    86, 0, 0,    0};
    static const struct {
        uint32_t id, len;
        int coarse;
    } items[] = {{USER_ITEM_MEMBERS, 11, 0},
                 {3, 17, 0},
                 {4, 5, 0},
                 {5, 9, 1},
                 {6, 128, 0},
                 {86 - 16, 1, 0}};
    struct item item;
    begin("u");
    for (int i = COUNT(items); i-- > 0;) {
        item = user_item(user, items[i].id);
        user_resize(&store, &user, items[i].id, items[i].len, &item);
        user_set_coarse(&store, &user, &item, items[i].coarse);
    }
    ck_assert_uint_eq(user->directory_len, sizeof(want));
    ck_assert_mem_eq(user->bytes, want, sizeof(want));
    end();
}
END_TEST

START_TEST(a_broken_block_does_not_validate)
{
    begin("u");
    resize(3, 3);
    resize(4, 3);
    ck_assert(user_validate(user));
    user->used += 1;
    ck_assert(!user_validate(user));
    user->used -= 1;
    user->bytes[1]++; /* A length. */
    ck_assert(!user_validate(user));
    user->bytes[1] = 0;
    ck_assert(!user_validate(user));
    user->bytes[1] = 3;
    ck_assert(user_validate(user));
    end();
}
END_TEST

SUITE("user", NULL, NULL,
      TABLE(items_are_what_a_map_of_vectors_would_be, user_ids),
      TEST(an_item_crosses_255_bytes_either_way_one_by_one),
      TABLE(the_limit_is_exact_and_leaves_all_as_it_was, over),
      TEST(a_directory_that_is_full_takes_no_more_items),
      TEST(a_full_directory_may_lose_items_and_grow),
      TEST(a_directory_entry_takes_one_byte_or_two),
      TEST(a_broken_block_does_not_validate))
