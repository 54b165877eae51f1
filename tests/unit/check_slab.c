/* check_slab.c: many blocks of few sizes. */
#include "lib/base/slab.h"

#include <stdint.h>
#include <string.h>

#include "tests/model/random.h"
#include "tests/support/effort.h"
#include "tests/support/suite.h"

static struct slab slab;

static void setup(void)
{
    slab_init(&slab);
}

static void teardown(void)
{
    slab_done(&slab);
}

START_TEST(sizes_grow_with_need_and_waste_no_more_than_a_ninth)
{
    int last = -1;
    for (size_t need = 0; need <= 4 * SLAB_CLASS_MAX; need++) {
        int class = slab_class(need);
        size_t size = slab_size(class);
        ck_assert_msg(size >= need && size % 8 == 0, "%zu gives %zu", need,
                      size);
        ck_assert_msg(class == last || class == last + 1,
                      "%zu is of class %d after %d", need, class, last);
        ck_assert_msg(need <= SLAB_MIN || size - need < 8 ||
                          (size - need) * 9 <= size,
                      "%zu wastes %zu", need, size - need);
        ck_assert_int_eq(slab_class(size), class);
        ck_assert_int_eq(class < SLAB_CLASSES, need <= SLAB_CLASS_MAX);
        last = class;
    }
}
END_TEST

START_TEST(every_size_up_to_four_gigabytes_has_a_class_of_8_bits)
{
    size_t most = (size_t)1 << 32;
    ck_assert_int_lt(slab_class(most), 256);
    ck_assert_uint_eq(slab_size(slab_class(most)), most);
    for (int class = 0; class < slab_class(most); class ++) {
        ck_assert_int_eq(slab_class(slab_size(class)), class);
        ck_assert_int_eq(slab_class(slab_size(class) + 1), class + 1);
    }
}
END_TEST

START_TEST(a_block_given_back_is_the_next_of_its_size_and_of_no_other)
{
    void *released[SLAB_CLASSES];
    for (int i = 0; i < SLAB_CLASSES; i++) {
        slab_alloc(&slab, i); /* Keeps the page in its class. */
        released[i] = slab_alloc(&slab, i);
        slab_release(&slab, released[i], i);
    }
    for (int i = SLAB_CLASSES; i-- > 0;)
        ck_assert_ptr_eq(slab_alloc(&slab, i), released[i]);
}
END_TEST

START_TEST(blocks_keep_their_bytes_while_others_come_and_go)
{
    enum { BLOCKS = 300 };
    struct random random = {5};
    unsigned char *blocks[BLOCKS] = {0};
    int classes[BLOCKS];
    for (int round = 0; round < EFFORT(4000); round++) {
        int i = (int)random_below(&random, BLOCKS);
        if (blocks[i]) {
            size_t size = slab_size(classes[i]);
            for (size_t n = 0; n < size; n++)
                ck_assert_uint_eq(blocks[i][n], (unsigned)(i & 0xff));
            slab_release(&slab, blocks[i], classes[i]);
            blocks[i] = NULL;
            continue;
        }
        classes[i] = slab_class((size_t)random_below(
            &random, random_chance(&random, 5) ? 3 * SLAB_CLASS_MAX : 700));
        blocks[i] = slab_alloc(&slab, classes[i]);
        ck_assert_ptr_nonnull(blocks[i]);
        ck_assert_uint_eq((uintptr_t)blocks[i] % 8, 0);
        memset(blocks[i], i & 0xff, slab_size(classes[i]));
    }
    for (int i = 0; i < BLOCKS; i++)
        if (blocks[i])
            slab_release(&slab, blocks[i], classes[i]);
    ck_assert_uint_eq(slab.bytes, 0);
}
END_TEST

START_TEST(bytes_are_what_is_in_use)
{
    ck_assert_uint_eq(slab.bytes, 0);
    int small_class = slab_class(64);
    void *small = slab_alloc(&slab, small_class);
    size_t page = slab.bytes;
    ck_assert_uint_gt(page, 64);
    void *large = slab_alloc(&slab, SLAB_CLASSES);
    ck_assert_uint_eq(slab.bytes, page + slab_size(SLAB_CLASSES));
    slab_release(&slab, large, SLAB_CLASSES);
    ck_assert_uint_eq(slab.bytes, page);
    slab_release(&slab, small, small_class);
    ck_assert_uint_eq(slab.bytes, 0);
}
END_TEST

/* Users who grow together: what they leave behind serves their new size. */
START_TEST(pages_of_blocks_that_went_away_serve_other_sizes)
{
    enum { BLOCKS = 20000 };
    static void *blocks[BLOCKS];
    int last = 0;
    for (int class = 0; class <= slab_class(640); class ++) {
        size_t size = slab_size(class);
        for (int i = 0; i < BLOCKS; i++) {
            void *larger = slab_alloc(&slab, class);
            ck_assert_ptr_nonnull(larger);
            if (blocks[i])
                slab_release(&slab, blocks[i], last);
            blocks[i] = larger;
        }
        last = class;
        ck_assert_msg(slab.bytes < BLOCKS * size * 11 / 10 + 300000,
                      "%d blocks of %zu take %zu bytes", BLOCKS, size,
                      slab.bytes);
    }
    for (int i = 0; i < BLOCKS; i++)
        slab_release(&slab, blocks[i], last);
    ck_assert_uint_eq(slab.bytes, 0);
    ck_assert_uint_le(slab.pool_count, 3 * 16); /* The rest was given back. */
}
END_TEST

/* Users who shrink each in their turn: those who keep their size are moved
 * together, so that pages become free. */
START_TEST(blocks_left_in_sparse_pages_are_moved_together)
{
    enum { BLOCKS = 20000, CLASS = 10 };
    static void *blocks[BLOCKS];
    size_t size = slab_size(CLASS), left = 0;
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = slab_alloc(&slab, CLASS);
    for (int i = 0; i < BLOCKS; i++)
        if (i % 4)
            slab_release(&slab, blocks[i], CLASS);
        else
            left++;
    for (int i = 0; i < BLOCKS; i += 4)
        if (slab_sparse(&slab, blocks[i], CLASS)) {
            void *other = slab_alloc(&slab, CLASS);
            slab_release(&slab, blocks[i], CLASS);
            blocks[i] = other;
        }
    ck_assert_msg(slab.bytes < left * size * 5 / 4 + 200000,
                  "%zu blocks of %zu take %zu bytes", left, size, slab.bytes);
    for (int i = 0; i < BLOCKS; i += 4)
        slab_release(&slab, blocks[i], CLASS);
    ck_assert_uint_eq(slab.bytes, 0);
}
END_TEST

SUITE("slab", setup, teardown,
      TEST(sizes_grow_with_need_and_waste_no_more_than_a_ninth),
      TEST(every_size_up_to_four_gigabytes_has_a_class_of_8_bits),
      TEST(a_block_given_back_is_the_next_of_its_size_and_of_no_other),
      TEST(blocks_keep_their_bytes_while_others_come_and_go),
      TEST(bytes_are_what_is_in_use),
      TEST(pages_of_blocks_that_went_away_serve_other_sizes),
      TEST(blocks_left_in_sparse_pages_are_moved_together))
