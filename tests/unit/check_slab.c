/* check_slab.c: many blocks of few sizes. */
#include "lib/base/slab.h"

#include <stdint.h>
#include <string.h>

#include "tests/model/random.h"
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

START_TEST(sizes_grow_with_need_and_waste_no_more_than_a_fifth)
{
    size_t last = 0, classes = 0;
    for (size_t need = 0; need <= 4 * SLAB_CLASS_MAX; need++) {
        size_t size = slab_size(need);
        ck_assert_msg(size >= need && size >= last && size % 8 == 0,
                      "%zu gives %zu after %zu", need, size, last);
        ck_assert_msg(need <= SLAB_MIN || (size - need) * 5 <= size,
                      "%zu wastes %zu", need, size - need);
        ck_assert_uint_eq(slab_size(size), size);
        classes += size != last && size <= SLAB_CLASS_MAX;
        last = size;
    }
    ck_assert_uint_eq(classes, SLAB_CLASSES);
}
END_TEST

START_TEST(a_block_given_back_is_the_next_of_its_size_and_of_no_other)
{
    void *released[SLAB_CLASSES];
    size_t sizes[SLAB_CLASSES];
    int count = 0;
    for (size_t need = 1; need <= SLAB_CLASS_MAX; need = sizes[count - 1] + 1) {
        sizes[count] = slab_size(need);
        slab_alloc(&slab, sizes[count]); /* Keeps the page in its class. */
        released[count] = slab_alloc(&slab, sizes[count]);
        slab_release(&slab, released[count], sizes[count]);
        count++;
    }
    ck_assert_int_eq(count, SLAB_CLASSES);
    while (count-- > 0)
        ck_assert_ptr_eq(slab_alloc(&slab, sizes[count]), released[count]);
}
END_TEST

START_TEST(blocks_keep_their_bytes_while_others_come_and_go)
{
    enum { BLOCKS = 300 };
    struct random random = {5};
    unsigned char *blocks[BLOCKS] = {0};
    size_t sizes[BLOCKS];
    for (int round = 0; round < 4000; round++) {
        int i = (int)random_below(&random, BLOCKS);
        if (blocks[i]) {
            for (size_t n = 0; n < sizes[i]; n++)
                ck_assert_uint_eq(blocks[i][n], (unsigned)(i & 0xff));
            slab_release(&slab, blocks[i], sizes[i]);
            blocks[i] = NULL;
            continue;
        }
        sizes[i] = slab_size((size_t)random_below(
            &random, random_chance(&random, 5) ? 3 * SLAB_CLASS_MAX : 700));
        blocks[i] = slab_alloc(&slab, sizes[i]);
        ck_assert_ptr_nonnull(blocks[i]);
        ck_assert_uint_eq((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], i & 0xff, sizes[i]);
    }
    for (int i = 0; i < BLOCKS; i++)
        if (blocks[i])
            slab_release(&slab, blocks[i], sizes[i]);
    ck_assert_uint_eq(slab.bytes, 0);
}
END_TEST

START_TEST(bytes_are_what_is_in_use)
{
    ck_assert_uint_eq(slab.bytes, 0);
    void *small = slab_alloc(&slab, 64);
    size_t page = slab.bytes;
    ck_assert_uint_gt(page, 64);
    size_t size = slab_size(SLAB_CLASS_MAX + 1);
    void *large = slab_alloc(&slab, size);
    ck_assert_uint_eq(slab.bytes, page + size);
    slab_release(&slab, large, size);
    ck_assert_uint_eq(slab.bytes, page);
    slab_release(&slab, small, 64);
    ck_assert_uint_eq(slab.bytes, 0);
}
END_TEST

/* Users who grow together: what they leave behind serves their new size. */
START_TEST(pages_of_blocks_that_went_away_serve_other_sizes)
{
    enum { BLOCKS = 20000 };
    static void *blocks[BLOCKS];
    size_t most = 0;
    for (size_t size = 64; size <= 640; size = slab_size(size + 1)) {
        for (int i = 0; i < BLOCKS; i++) {
            void *larger = slab_alloc(&slab, size);
            ck_assert_ptr_nonnull(larger);
            if (blocks[i])
                slab_release(&slab, blocks[i], most);
            blocks[i] = larger;
        }
        most = size;
        ck_assert_msg(slab.bytes < BLOCKS * size * 11 / 10 + 300000,
                      "%d blocks of %zu take %zu bytes", BLOCKS, size,
                      slab.bytes);
    }
    for (int i = 0; i < BLOCKS; i++)
        slab_release(&slab, blocks[i], most);
    ck_assert_uint_eq(slab.bytes, 0);
    ck_assert_uint_le(slab.pool_count, 3 * 16); /* The rest was given back. */
}
END_TEST

SUITE("slab", setup, teardown,
      TEST(sizes_grow_with_need_and_waste_no_more_than_a_fifth),
      TEST(a_block_given_back_is_the_next_of_its_size_and_of_no_other),
      TEST(blocks_keep_their_bytes_while_others_come_and_go),
      TEST(bytes_are_what_is_in_use),
      TEST(pages_of_blocks_that_went_away_serve_other_sizes))
