/* check_buf.c: a growing string of bytes, and JSON written into it. */
#include "lib/base/buf.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "lib/base/text.h"
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

START_TEST(what_is_added_stands_there_in_order)
{
    buf_str(&buf, "ab");
    buf_char(&buf, 'c');
    buf_add(&buf, NULL, 0);
    buf_text(&buf, (struct seg_text){NULL, 0});
    buf_text(&buf, text_of("de"));
    buf_printf(&buf, "%03d", 7);
    ck_assert_str_eq(buf_string(&buf), "abcde007");
    ck_assert_uint_eq(buf.len, 8);
    buf_printf(&buf, "%s", "");
    for (int i = 0; i < 5000; i++)
        buf_char(&buf, 'x');
    ck_assert_uint_eq(buf.len, 5008);
    ck_assert_uint_eq(strlen(buf_string(&buf)), 5008);
    ck_assert(!buf_failed(&buf));
}
END_TEST

START_TEST(an_empty_one_is_an_empty_string)
{
    ck_assert_str_eq(buf_string(&buf), "");
    char *taken = buf_take(&buf);
    ck_assert_str_eq(taken, "");
    free(taken);
}
END_TEST

START_TEST(a_taken_string_leaves_it_empty)
{
    buf_str(&buf, "one");
    char *taken = buf_take(&buf);
    buf_str(&buf, "two");
    ck_assert_str_eq(taken, "one");
    ck_assert_str_eq(buf_string(&buf), "two");
    free(taken);
}
END_TEST

START_TEST(no_memory_is_remembered_until_the_reset)
{
    buf_str(&buf, "before");
    ck_assert_ptr_null(buf_reserve(&buf, SIZE_MAX - 100));
    buf_str(&buf, "after");
    ck_assert(buf_failed(&buf));
    ck_assert_str_eq(buf_string(&buf), "");
    ck_assert_ptr_null(buf_take(&buf));
    buf_reset(&buf);
    ck_assert(!buf_failed(&buf));
    buf_str(&buf, "again");
    ck_assert_str_eq(buf_string(&buf), "again");
}
END_TEST

static const struct {
    int64_t number;
    const char *text;
} integers[] = {{0, "0"},
                {7, "7"},
                {-7, "-7"},
                {10, "10"},
                {INT64_MAX, "9223372036854775807"},
                {INT64_MIN, "-9223372036854775808"}};

START_TEST(integers_are_written_in_full)
{
    buf_int(&buf, integers[_i].number);
    ck_assert_str_eq(buf_string(&buf), integers[_i].text);
}
END_TEST

static const struct {
    const char *text;
    size_t len;
    const char *json;
} texts[] = {
    {"", 0, "\"\""},
    {NULL, 0, "\"\""},
    {"plain", 5, "\"plain\""},
    {"\"\\/", 3, "\"\\\"\\\\/\""},
    {"\n\r\t\b\f", 5, "\"\\n\\r\\t\\u0008\\u000c\""},
    {"a\0b", 3, "\"a\\u0000b\""},
    {"\x01\x1f\x7f", 3, "\"\\u0001\\u001f\x7f\""},
    {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", 11,
     "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\""},
};

START_TEST(texts_are_escaped_as_json_wants)
{
    buf_json_text(&buf, (struct seg_text){texts[_i].text, texts[_i].len});
    ck_assert_str_eq(buf_string(&buf), texts[_i].json);
}
END_TEST

START_TEST(any_text_reads_back_as_it_was)
{
    struct random random = {1};
    for (int round = 0; round < 2000; round++) {
        char text[40];
        size_t len = (size_t)random_below(&random, sizeof(text));
        for (size_t i = 0; i < len; i++)
            text[i] = (char)random_below(&random, 128);
        buf_reset(&buf);
        buf_json_text(&buf, (struct seg_text){text, len});
        json_t *read = json_loadb(buf.bytes, buf.len,
                                  JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        ck_assert_msg(read != NULL, "not JSON: %s", buf_string(&buf));
        ck_assert_uint_eq(json_string_length(read), len);
        ck_assert_mem_eq(json_string_value(read), text, len);
        json_decref(read);
    }
}
END_TEST

static const char *number_json(double number)
{
    struct seg_value value = {.type = SEG_DOUBLE, .as.number = number};
    buf_reset(&buf);
    buf_json_value(&buf, &value);
    return buf_string(&buf);
}

static const struct {
    double number;
    const char *json;
} doubles[] = {
    {0.0, "0.0"},
    {-0.0, "-0.0"},
    {1.0, "1.0"},
    {0.1, "0.1"},
    {1.5, "1.5"},
    {-2.25, "-2.25"},
    {1e21, "1e+21"},
    {1e-7, "1e-07"},
    {100000.0, "100000.0"},
    {1e15, "1e+15"},
    {0.3, "0.3"},
    {0.1 + 0.2, "0.30000000000000004"},
    {5e-324, "4.94065645841247e-324"},
    {2.5, "2.5"},
    {9007199254740993.0, "9007199254740992.0"},
};

START_TEST(doubles_are_short_and_stay_doubles)
{
    ck_assert_str_eq(number_json(doubles[_i].number), doubles[_i].json);
}
END_TEST

START_TEST(any_double_reads_back_as_it_was)
{
    struct random random = {2};
    for (int round = 0; round < 100000; round++) {
        uint64_t bits = random_bits(&random), again;
        double number, read;
        memcpy(&number, &bits, sizeof(number));
        if (!isfinite(number))
            continue;
        read = strtod(number_json(number), NULL);
        memcpy(&again, &read, sizeof(again));
        ck_assert_msg(bits == again, "%a was written %s", number,
                      buf_string(&buf));
    }
}
END_TEST

START_TEST(what_is_no_number_is_null)
{
    ck_assert_str_eq(number_json(NAN), "null");
    ck_assert_str_eq(number_json(HUGE_VAL), "null");
    ck_assert_str_eq(number_json(-HUGE_VAL), "null");
}
END_TEST

START_TEST(values_nest)
{
    const struct seg_value inner[] = {{.type = SEG_INT, .as.integer = 1},
                                      {.type = SEG_MISSING}};
    const struct seg_value items[] = {
        {.type = SEG_BOOL, .as.boolean = 1},
        {.type = SEG_BOOL},
        {.type = SEG_TEXT, .len = 1, .as.text = "x"},
        {.type = SEG_OBJECT},
        {.type = SEG_LIST, .len = 2, .as.items = inner},
        {.type = SEG_LIST},
    };
    const struct seg_value list = {
        .type = SEG_LIST, .len = COUNT(items), .as.items = items};
    buf_json_value(&buf, &list);
    ck_assert_str_eq(buf_string(&buf), "[true,false,\"x\",{},[1,null],[]]");
}
END_TEST

SUITE("buf", setup, teardown, TEST(what_is_added_stands_there_in_order),
      TEST(an_empty_one_is_an_empty_string),
      TEST(a_taken_string_leaves_it_empty),
      TEST(no_memory_is_remembered_until_the_reset),
      TABLE(integers_are_written_in_full, integers),
      TABLE(texts_are_escaped_as_json_wants, texts),
      TEST(any_text_reads_back_as_it_was),
      TABLE(doubles_are_short_and_stay_doubles, doubles),
      TEST(any_double_reads_back_as_it_was), TEST(what_is_no_number_is_null),
      TEST(values_nest))
