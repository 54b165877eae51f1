/* check_arena.c: memory that is given back all at once. */
#include "lib/base/arena.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/model/random.h"
#include "tests/support/suite.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    arena_done(&arena);
}

/* Around the first chunk, its doubles, and what is larger than either. */
static const size_t sizes[] = {0,     1,     15,    16,    17,    8175,
                               8176,  8177,  8191,  8192,  8193,  16383,
                               16384, 16385, 65535, 65536, 100001};

START_TEST(blocks_are_aligned_and_do_not_overlap)
{
    enum { BLOCKS = 400 };
    struct random random = {(uint64_t)_i};
    unsigned char *blocks[BLOCKS];
    size_t lens[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        lens[i] = i % 8 ? (size_t)random_below(&random, 200)
                        : sizes[(_i + i / 8) % COUNT(sizes)];
        blocks[i] = arena_alloc(&arena, lens[i]);
        ck_assert_ptr_nonnull(blocks[i]);
        ck_assert_uint_eq((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        memset(blocks[i], i & 0xff, lens[i]);
    }
    for (int i = 0; i < BLOCKS; i++)
        for (size_t n = 0; n < lens[i]; n++)
            if (blocks[i][n] != (i & 0xff))
                ck_abort_msg("block %d of %zu bytes: byte %zu is %d", i,
                             lens[i], n, blocks[i][n]);
}
END_TEST

START_TEST(nothing_at_all_is_not_out_of_memory)
{
    ck_assert_ptr_nonnull(arena_alloc(&arena, 0));
    ck_assert_ptr_nonnull(arena_calloc(&arena, 0, 8));
    ck_assert_ptr_nonnull(arena_calloc(&arena, 8, 0));
}
END_TEST

START_TEST(what_cannot_be_is_refused_and_the_rest_goes_on)
{
    ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX));
    ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX - 20));
    ck_assert_ptr_null(arena_calloc(&arena, SIZE_MAX / 2, 4));
    ck_assert_ptr_null(arena_calloc(&arena, 4, SIZE_MAX / 2));
    ck_assert_ptr_nonnull(arena_alloc(&arena, 10));
}
END_TEST

START_TEST(a_reset_keeps_the_newest_chunk_for_the_same_again)
{
    for (int i = 0; i < 100; i++)
        arena_alloc(&arena, 1000);
    arena_reset(&arena);
    struct arena_chunk *chunk = arena.chunk;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 50; i++)
            arena_alloc(&arena, 1000);
        ck_assert_ptr_eq(arena.chunk, chunk);
        arena_reset(&arena);
    }
    arena_done(&arena);
    arena_reset(&arena); /* Also of an empty one. */
    ck_assert_ptr_nonnull(arena_alloc(&arena, 1));
}
END_TEST

START_TEST(cleared_memory_is_clear_though_it_was_used_before)
{
    for (int round = 0; round < 2; round++) {
        unsigned char *bytes = arena_calloc(&arena, 500, 3);
        for (int i = 0; i < 1500; i++)
            ck_assert_uint_eq(bytes[i], 0);
        memset(bytes, 0xff, 1500);
        arena_reset(&arena);
    }
}
END_TEST

START_TEST(texts_are_copied_and_terminated)
{
    char original[] = "a\0b";
    struct seg_text copy = arena_text(&arena, (struct seg_text){original, 3});
    original[0] = 'x';
    ck_assert_uint_eq(copy.len, 3);
    ck_assert_mem_eq(copy.bytes, "a\0b", 4);
    copy = arena_text(&arena, (struct seg_text){NULL, 0});
    ck_assert_uint_eq(copy.len, 0);
    ck_assert_str_eq(copy.bytes, "");
    ck_assert_str_eq(arena_printf(&arena, "%s-%d", "x", 7), "x-7");
    ck_assert_str_eq(arena_printf(&arena, "%9000d", 1) + 8999, "1");
}
END_TEST

START_TEST(values_are_copied_with_all_that_hangs_on_them)
{
    char word[] = "word";
    struct seg_value inner[] = {{.type = SEG_TEXT, .len = 4, .as.text = word},
                                {.type = SEG_INT, .as.integer = -5}};
    struct seg_value list = {.type = SEG_LIST, .len = 2, .as.items = inner};
    struct seg_value outer = {.type = SEG_LIST, .len = 1, .as.items = &list};
    struct seg_value copy;
    ck_assert_int_eq(arena_value(&arena, &outer, &copy), 0);
    memset(word, 'x', 4);
    memset(inner, 0xff, sizeof(inner));
    memset(&list, 0xff, sizeof(list));
    const struct seg_value *items = copy.as.items[0].as.items;
    ck_assert_uint_eq(copy.as.items[0].len, 2);
    ck_assert_uint_eq(items[0].len, 4);
    ck_assert_mem_eq(items[0].as.text, "word", 5);
    ck_assert_int_eq(items[1].as.integer, -5);
}
END_TEST

START_TEST(it_is_known_until_the_reset_that_something_found_no_memory)
{
    arena_reset(&arena);
    ck_assert(!arena_failed(&arena));
    ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX / 2));
    ck_assert_ptr_nonnull(arena_alloc(&arena, 10));
    ck_assert(arena_failed(&arena));
    arena_reset(&arena);
    ck_assert(!arena_failed(&arena));
    ck_assert_ptr_null(arena_calloc(&arena, SIZE_MAX / 2, 4));
    ck_assert(arena_failed(&arena));
    arena_done(&arena);
    ck_assert(!arena_failed(&arena));
}
END_TEST

SUITE("arena", setup, teardown,
      TABLE(blocks_are_aligned_and_do_not_overlap, sizes),
      TEST(nothing_at_all_is_not_out_of_memory),
      TEST(what_cannot_be_is_refused_and_the_rest_goes_on),
      TEST(a_reset_keeps_the_newest_chunk_for_the_same_again),
      TEST(cleared_memory_is_clear_though_it_was_used_before),
      TEST(texts_are_copied_and_terminated),
      TEST(values_are_copied_with_all_that_hangs_on_them),
      TEST(it_is_known_until_the_reset_that_something_found_no_memory))
