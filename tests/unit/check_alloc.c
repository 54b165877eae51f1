/* check_alloc.c: growing arrays. */
#include "lib/base/alloc.h"

#include <stdint.h>
#include <stdlib.h>

#include <seg/error.h>

#include "tests/support/fail_alloc.h"
#include "tests/support/suite.h"

static void *items;
static size_t cap;

static void setup(void)
{
    items = NULL;
    cap = 0;
}

static void teardown(void)
{
    free(items);
}

START_TEST(an_array_grows_by_half_and_keeps_what_is_in_it)
{
    size_t grown = 0, last = 0;
    for (size_t n = 0; n < 100000; n++) {
        ck_assert_int_eq(alloc_grow(&items, &cap, n + 1, sizeof(size_t)), 0);
        ck_assert_uint_gt(cap, n);
        if (cap != last) {
            ck_assert_uint_ge(cap, last + last / 2);
            grown++;
        }
        last = cap;
        ((size_t *)items)[n] = n;
    }
    for (size_t n = 0; n < 100000; n++)
        ck_assert_uint_eq(((size_t *)items)[n], n);
    ck_assert_uint_lt(grown, 30);
}
END_TEST

START_TEST(what_has_room_is_left_alone)
{
    ck_assert_int_eq(alloc_grow(&items, &cap, 100, 1), 0);
    void *before = items;
    size_t room = cap;
    for (size_t need = 0; need <= room; need++)
        ck_assert_int_eq(alloc_grow(&items, &cap, need, 1), 0);
    ck_assert_ptr_eq(items, before);
    ck_assert_uint_eq(cap, room);
}
END_TEST

static const struct {
    size_t need, size;
} impossible[] = {
    {SIZE_MAX, 1},
    {SIZE_MAX / 8, 16},
    {PTRDIFF_MAX / 8 + 1, 8},
    {(size_t)1 << 32, (size_t)1 << 32},
};

START_TEST(sizes_beyond_memory_are_refused_without_overflow)
{
    ck_assert_int_eq(alloc_grow(&items, &cap, 10, 1), 0);
    void *before = items;
    size_t room = cap;
    ck_assert_int_eq(
        alloc_grow(&items, &cap, impossible[_i].need, impossible[_i].size),
        SEG_ERR_NOMEM);
    ck_assert_ptr_eq(items, before);
    ck_assert_uint_eq(cap, room);
}
END_TEST

START_TEST(without_memory_all_stays_as_it_was)
{
    ck_assert_int_eq(alloc_grow(&items, &cap, 10, 1), 0);
    void *before = items;
    size_t room = cap;
    fail_alloc_begin(1, FAIL_ALLOC_ONE);
    int ret = alloc_grow(&items, &cap, room + 1, 1);
    long failed = fail_alloc_end();
    ck_assert_int_eq(failed, 1);
    ck_assert_int_eq(ret, SEG_ERR_NOMEM);
    ck_assert_ptr_eq(items, before);
    ck_assert_uint_eq(cap, room);
    ck_assert_int_eq(alloc_grow(&items, &cap, room + 1, 1), 0);
    ck_assert_uint_gt(cap, room);
}
END_TEST

SUITE("alloc", setup, teardown,
      TEST(an_array_grows_by_half_and_keeps_what_is_in_it),
      TEST(what_has_room_is_left_alone),
      TABLE(sizes_beyond_memory_are_refused_without_overflow, impossible),
      TEST(without_memory_all_stays_as_it_was))
