/* check_reader.c: reading a binary format, never beyond its end. */
#include "lib/base/reader.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "tests/model/random.h"
#include "tests/support/suite.h"

static struct buf buf;

static void setup(void)
{
    buf_init(&buf);
}

static void teardown(void)
{
    buf_done(&buf);
}

static struct reader start(void)
{
    struct reader reader;
    reader_init(&reader, (struct seg_text){buf.bytes, buf.len});
    return reader;
}

START_TEST(numbers_read_back_as_they_were_written)
{
    struct random random = {3};
    for (int round = 0; round < 20000; round++) {
        uint64_t n = random_bits(&random) >> random_below(&random, 64);
        buf_reset(&buf);
        buf_u8(&buf, (uint8_t)n);
        buf_u16(&buf, (uint16_t)n);
        buf_u32(&buf, (uint32_t)n);
        buf_u64(&buf, n);
        buf_varint(&buf, n);
        struct reader reader = start();
        ck_assert_uint_eq(reader_u8(&reader), (uint8_t)n);
        ck_assert_uint_eq(reader_u16(&reader), (uint16_t)n);
        ck_assert_uint_eq(reader_u32(&reader), (uint32_t)n);
        ck_assert_uint_eq(reader_u64(&reader), n);
        ck_assert_uint_eq(reader_varint(&reader), n);
        ck_assert(!reader_failed(&reader));
        ck_assert_uint_eq(reader_left(&reader), 0);
    }
}
END_TEST

static const struct {
    uint64_t number;
    size_t bytes;
} varints[] = {{0, 1},     {127, 1},        {128, 2},       {16383, 2},
               {16384, 3}, {UINT32_MAX, 5}, {INT64_MAX, 9}, {UINT64_MAX, 10}};

START_TEST(a_varint_takes_as_many_bytes_as_it_needs)
{
    buf_varint(&buf, varints[_i].number);
    ck_assert_uint_eq(buf.len, varints[_i].bytes);
    struct reader reader = start();
    ck_assert_uint_eq(reader_varint(&reader), varints[_i].number);
    ck_assert(!reader_failed(&reader));
}
END_TEST

static const struct {
    const char *bytes;
    size_t len;
} bad_varints[] = {
    {"", 0},
    {"\x80", 1},
    {"\xff\xff\xff", 3},
    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10}, /* 2^64 and more. */
    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
    {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 12},
};

START_TEST(after_a_varint_that_is_none_there_are_zeros)
{
    struct reader reader;
    char bytes[40];
    memset(bytes, 1, sizeof(bytes));
    memcpy(bytes, bad_varints[_i].bytes, bad_varints[_i].len);
    size_t len = _i < 3 ? bad_varints[_i].len : sizeof(bytes);
    reader_init(&reader, (struct seg_text){bytes, len});
    ck_assert_uint_eq(reader_varint(&reader), 0);
    ck_assert(reader_failed(&reader));
    ck_assert_uint_eq(reader_u8(&reader), 0);
    ck_assert_uint_eq(reader_left(&reader), 0);
}
END_TEST

START_TEST(a_text_is_borrowed)
{
    buf_varint(&buf, 3);
    buf_str(&buf, "abcd");
    struct reader reader = start();
    struct seg_text text = reader_text(&reader);
    ck_assert_ptr_eq(text.bytes, buf.bytes + 1);
    ck_assert_uint_eq(text.len, 3);
    text = reader_bytes(&reader, 0);
    ck_assert_uint_eq(text.len, 0);
    ck_assert_uint_eq(reader_left(&reader), 1);
    ck_assert(!reader_failed(&reader));
}
END_TEST

static const uint64_t lengths[] = {2, 3, 1000, UINT32_MAX, UINT64_MAX};

START_TEST(a_text_longer_than_what_is_left_is_none)
{
    buf_varint(&buf, lengths[_i]);
    buf_char(&buf, 'x');
    struct reader reader = start();
    struct seg_text text = reader_text(&reader);
    ck_assert_uint_eq(text.len, 0);
    ck_assert_ptr_nonnull(text.bytes);
    ck_assert(reader_failed(&reader));
    ck_assert_uint_eq(reader_left(&reader), 0);
}
END_TEST

START_TEST(nothing_at_all_can_be_read)
{
    struct reader reader;
    reader_init(&reader, (struct seg_text){NULL, 0});
    ck_assert_uint_eq(reader_left(&reader), 0);
    ck_assert(!reader_failed(&reader));
    ck_assert_uint_eq(reader_u64(&reader), 0);
    ck_assert(reader_failed(&reader));
}
END_TEST

/* In a block of its own size, so that a sanitizer sees a byte too much. */
START_TEST(random_reads_of_random_bytes_stay_inside)
{
    struct random random = {4};
    for (int round = 0; round < 20000; round++) {
        size_t len = (size_t)random_below(&random, 24);
        uint8_t *bytes = malloc(len + !len);
        struct reader reader;
        int failed = 0;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(random_bits(&random) |
                                 (random_chance(&random, 30) ? 0x80 : 0));
        reader_init(&reader, (struct seg_text){(char *)bytes, len});
        while (!failed) {
            size_t left = reader_left(&reader);
            switch (random_below(&random, 6)) {
            case 0:
                reader_u8(&reader);
                break;
            case 1:
                reader_u16(&reader);
                break;
            case 2:
                reader_u32(&reader);
                break;
            case 3:
                reader_u64(&reader);
                break;
            case 4:
                reader_varint(&reader);
                break;
            default:
                reader_text(&reader);
            }
            failed = reader_failed(&reader);
            ck_assert(failed ? reader_left(&reader) == 0
                             : reader_left(&reader) < left);
        }
        free(bytes);
    }
}
END_TEST

SUITE("reader", setup, teardown, TEST(numbers_read_back_as_they_were_written),
      TABLE(a_varint_takes_as_many_bytes_as_it_needs, varints),
      TABLE(after_a_varint_that_is_none_there_are_zeros, bad_varints),
      TEST(a_text_is_borrowed),
      TABLE(a_text_longer_than_what_is_left_is_none, lengths),
      TEST(nothing_at_all_can_be_read),
      TEST(random_reads_of_random_bytes_stay_inside))
