/* check_meta.c: the meta record, offset metadata and keys, byte by byte. */
#include "daemon/protocol/meta.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "tests/support/suite.h"

static struct meta meta, back;
static struct buf buf;

static void setup(void)
{
    buf_init(&buf);
    memset(&meta, 0, sizeof(meta));
    meta.incarnation = 0x1122334455667788;
    meta.offsets = (struct meta_offsets){77, -5, 0xfedcba9876543210};
    memcpy(meta.catalogue, "9f3a01c2", 9);
    meta.latest_ms = 0x0102030405060708;
    meta.swept = 1;
    meta.input_count = 2;
    meta.inputs[0] = (struct meta_input){
        text_of("clicks"), 100, {90, 88, 1700000000000, 0xabc}, {{0}, 0, 0, 0}};
    meta.inputs[1] = (struct meta_input){
        text_of("events"), 5, {5, -1, 0, 0}, {{0}, 0, 0, 0}};
    for (int i = 0; i < 13; i++)
        bad_note(&meta.inputs[0].bad, i % 3 == 0);
    for (int i = 0; i < META_OUTPUTS; i++)
        meta.outputs[i] = (struct meta_output){
            {10 + i, 9 + i, 1700000000000 + i, 0xdef}, 12 + i, (uint32_t)i};
}

static void teardown(void)
{
    buf_done(&buf);
}

static int read_back(void)
{
    return meta_read(&back, buf.bytes, buf.len, NULL);
}

static void check_mark(const struct meta_mark *got,
                       const struct meta_mark *want)
{
    ck_assert_int_eq(got->position, want->position);
    ck_assert_int_eq(got->witness, want->witness);
    ck_assert_int_eq(got->timestamp_ms, want->timestamp_ms);
    ck_assert_uint_eq(got->checksum, want->checksum);
}

START_TEST(what_is_written_is_read_back)
{
    meta_write(&buf, &meta);
    ck_assert_int_eq(read_back(), 0);
    ck_assert_uint_eq(back.incarnation, meta.incarnation);
    ck_assert_uint_eq(back.offsets.txn, 77);
    ck_assert_int_eq(back.offsets.clock_ms, -5);
    ck_assert_uint_eq(back.offsets.tag, meta.offsets.tag);
    ck_assert_str_eq(back.catalogue, "9f3a01c2");
    ck_assert(back.swept);
    ck_assert_int_eq(back.latest_ms, meta.latest_ms);
    ck_assert_int_eq(back.input_count, 2);
    for (int i = 0; i < 2; i++) {
        ck_assert(text_equal(back.inputs[i].topic, meta.inputs[i].topic));
        ck_assert_int_eq(back.inputs[i].offset, meta.inputs[i].offset);
        check_mark(&back.inputs[i].redo, &meta.inputs[i].redo);
        ck_assert_int_eq(back.inputs[i].bad.count, meta.inputs[i].bad.count);
        ck_assert_int_eq(back.inputs[i].bad.bad, meta.inputs[i].bad.bad);
        for (int n = 0; n < back.inputs[i].bad.count; n++)
            ck_assert_int_eq(bad_at(&back.inputs[i].bad, n),
                             bad_at(&meta.inputs[i].bad, n));
    }
    for (int i = 0; i < META_OUTPUTS; i++) {
        check_mark(&back.outputs[i].fold, &meta.outputs[i].fold);
        ck_assert_int_eq(back.outputs[i].tail, meta.outputs[i].tail);
        ck_assert_uint_eq(back.outputs[i].own, meta.outputs[i].own);
    }
}
END_TEST

/* The table at the head of meta.c. */
START_TEST(every_byte_is_where_the_table_says)
{
    static const unsigned char want[] = {
        1,    1,    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 77,
        0,    0,    0,    0,    0,    0,    0,    0xfb, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc,
        0xfe, '9',  'f',  '3',  'a',  '0',  '1',  'c',  '2',  0x08, 0x07,
        0x06, 5,    4,    3,    2,    1,    2,    0,    6,    0,    'c',
        'l',  'i',  'c',  'k',  's',  100,  0};

    meta.version = 1;
    meta_write(&buf, &meta);
    for (size_t i = 0; i < sizeof(want); i++)
        ck_assert_msg((unsigned char)buf.bytes[i] == want[i],
                      "byte %zu: got %02x, want %02x", i,
                      (unsigned char)buf.bytes[i], want[i]);
    size_t input = 2 + 6 + 8 + 32 + 2;
    size_t output = 32 + 8 + 4;
    ck_assert_uint_eq(buf.len, 52 + input + 2 + input + 1 + 3 * output + 8);
}
END_TEST

START_TEST(a_shorter_record_is_refused)
{
    meta_write(&buf, &meta);
    for (size_t len = 0; len < buf.len; len++)
        ck_assert_msg(meta_read(&back, buf.bytes, len, NULL) == SEG_ERR_RECORD,
                      "length %zu", len);
    ck_assert_int_eq(meta_read(&back, NULL, 0, NULL), SEG_ERR_RECORD);
}
END_TEST

START_TEST(a_changed_byte_is_refused)
{
    meta_write(&buf, &meta);
    for (size_t i = 0; i < buf.len; i++) {
        buf.bytes[i] ^= 0x20;
        ck_assert_msg(read_back() < 0, "byte %zu", i);
        buf.bytes[i] ^= 0x20;
    }
    ck_assert_int_eq(read_back(), 0);
}
END_TEST

/* Give BUF, edited, a checksum that is right. */
static void seal(void)
{
    uint64_t sum = hash_bytes(buf.bytes, buf.len - 8, 0);

    buf.len -= 8;
    buf_u64(&buf, sum);
}

/* Where the checksum is right, the values must be possible. */
static const struct {
    const char *what;
    size_t at;
    unsigned char byte;
    int want;
} edits[] = {
    {"a newer version", 0, SEG_STATE_VERSION + 1, SEG_ERR_RECORD_VERSION},
    {"version 0", 0, 0, SEG_ERR_RECORD},
    {"a flag nobody knows", 1, 2, SEG_ERR_RECORD},
    {"more inputs than there can be", 51, 1, SEG_ERR_RECORD},
    {"an input more than there is", 50, 3, SEG_ERR_RECORD},
    {"a negative position", 68 + 7, 0x80, SEG_ERR_RECORD},
    {"a redo position beyond the offset", 68, 101, SEG_ERR_RECORD},
    {"a witness at the position", 76, 90, SEG_ERR_RECORD},
    {"a window larger than it can be", 101, 4, SEG_ERR_RECORD},
    {"a bit of no record", 103, 0xf2, SEG_ERR_RECORD},
    {"nothing at all", 0, SEG_STATE_VERSION, 0},
};

START_TEST(impossible_values_are_refused)
{
    meta_write(&buf, &meta);
    buf.bytes[edits[_i].at] = (char)edits[_i].byte;
    seal();
    ck_assert_msg(read_back() == edits[_i].want, "%s: got %d, want %d",
                  edits[_i].what, read_back(), edits[_i].want);
}
END_TEST

START_TEST(the_most_inputs_fit)
{
    meta.input_count = SEG_TOPICS_MAX;
    for (int i = 0; i < SEG_TOPICS_MAX; i++) {
        meta.inputs[i] = meta.inputs[0];
        for (int n = 0; n < BAD_WINDOW + 7; n++)
            bad_note(&meta.inputs[i].bad, n & 1);
    }
    meta_write(&buf, &meta);
    ck_assert_int_eq(read_back(), 0);
    ck_assert_int_eq(back.input_count, SEG_TOPICS_MAX);
    ck_assert_int_eq(back.inputs[63].bad.count, BAD_WINDOW);
    ck_assert_int_eq(back.inputs[63].bad.bad, meta.inputs[63].bad.bad);
}
END_TEST

/* ---- metadata ----------------------------------------------------------- */

START_TEST(metadata_is_read_back)
{
    static const struct meta_offsets cases[] = {
        {0, 0, 0},
        {1, 1700000000000, 0xdeadbeef},
        {UINT64_MAX, INT64_MIN, UINT64_MAX},
        {9, INT64_MAX, 1}};
    char text[BROKER_METADATA_BYTES];
    struct meta_offsets got;

    for (int i = 0; i < COUNT(cases); i++) {
        meta_offsets_write(text, &cases[i]);
        ck_assert_msg(!meta_offsets_read(text, &got), "%s", text);
        ck_assert_uint_eq(got.txn, cases[i].txn);
        ck_assert_int_eq(got.clock_ms, cases[i].clock_ms);
        ck_assert_uint_eq(got.tag, cases[i].tag);
    }
    meta_offsets_write(text, &cases[1]);
    ck_assert_str_eq(text, "v1:1:1700000000000:00000000deadbeef");
}
END_TEST

static const char *const foreign[] = {
    "",
    "v1",
    "v1:1:2",
    "v1:1:2:3",
    "v2:1:2:0000000000000003",
    "v1:1:2:0000000000000003 ",
    "v1: 1:2:0000000000000003",
    "v1:+1:2:0000000000000003",
    "v1:-1:2:0000000000000003",
    "v1:01:2:0000000000000003",
    "v1:1:2:000000000000000A",
    "v1:1:2:00000000000000003",
    "v1:18446744073709551616:2:0000000000000003",
    "v1:1:9223372036854775808:0000000000000003",
    "segmentd was here",
};

START_TEST(metadata_of_others_is_not_read)
{
    struct meta_offsets got;

    ck_assert_msg(meta_offsets_read(foreign[_i], &got) == SEG_ERR_RECORD,
                  "\"%s\" was read", foreign[_i]);
}
END_TEST

START_TEST(keys_tell_users_from_meta_and_catalogue_records)
{
    struct seg_text id;

    ck_assert_int_eq(meta_key_read("\0", 1, &id), META_KEY_IS_META);
    ck_assert_int_eq(meta_key_read("\1u", 2, &id), META_KEY_IS_USER);
    ck_assert(text_equal(id, text_of("u")));
    ck_assert_int_eq(meta_key_read("\2", 1, &id), META_KEY_IS_CATALOGUE);
    ck_assert_int_eq(meta_key_read("\2u", 2, &id), META_KEY_IS_UNKNOWN);
    ck_assert_int_eq(meta_key_read("\1", 1, &id), META_KEY_IS_UNKNOWN);
    ck_assert_int_eq(meta_key_read("\0u", 2, &id), META_KEY_IS_UNKNOWN);
    ck_assert_int_eq(meta_key_read("u", 1, &id), META_KEY_IS_UNKNOWN);
    ck_assert_int_eq(meta_key_read(NULL, 0, &id), META_KEY_IS_UNKNOWN);
}
END_TEST

SUITE("meta", setup, teardown, TEST(what_is_written_is_read_back),
      TEST(every_byte_is_where_the_table_says),
      TEST(a_shorter_record_is_refused), TEST(a_changed_byte_is_refused),
      TABLE(impossible_values_are_refused, edits), TEST(the_most_inputs_fit),
      TEST(metadata_is_read_back),
      TABLE(metadata_of_others_is_not_read, foreign),
      TEST(keys_tell_users_from_meta_and_catalogue_records))
