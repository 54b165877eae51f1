/* check_codec.c: values in the words of an item. */
#include "lib/user/codec.h"

#include <string.h>

#include "lib/base/buf.h"
#include "tests/support/suite.h"

#define I(n)                               \
    {                                      \
        .type = SEG_INT, .as.integer = (n) \
    }
#define D(n)                                 \
    {                                        \
        .type = SEG_DOUBLE, .as.number = (n) \
    }
#define S(s)                                                   \
    {                                                          \
        .type = SEG_TEXT, .len = sizeof(s) - 1, .as.text = (s) \
    }
#define B(b)                                \
    {                                       \
        .type = SEG_BOOL, .as.boolean = (b) \
    }
#define L(a)                                               \
    {                                                      \
        .type = SEG_LIST, .len = COUNT(a), .as.items = (a) \
    }

static const struct seg_value pair[] = {I(1), S("two")};
static const struct seg_value nested[] = {
    B(1), L(pair), {.type = SEG_MISSING}, {.type = SEG_OBJECT}, D(0.1), S("")};
static char long_text[1 << 16];

static const struct {
    struct seg_value value;
    uint32_t words;
} values[] = {
    {{.type = SEG_MISSING}, 1},
    {{.type = SEG_OBJECT}, 1},
    {B(0), 1},
    {B(1), 1},
    {I(0), 3},
    {I(INT64_MIN), 3},
    {I(INT64_MAX), 3},
    {D(-0.0), 3},
    {D(1e308), 3},
    {S(""), 1},
    {S("a"), 2},
    {S("abcd"), 2},
    {S("abcde"), 3},
    {S("with\0zero"), 4},
    {L(pair), 1 + 3 + 2},
    {L(nested), 1 + 1 + 6 + 1 + 1 + 3 + 1},
    {{.type = SEG_LIST}, 1},
    {{.type = SEG_TEXT, .len = sizeof(long_text), .as.text = long_text},
     1 + sizeof(long_text) / 4},
};

static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
    memset(long_text, 'x', sizeof(long_text));
}

static void teardown(void)
{
    arena_done(&arena);
}

static int same(const struct seg_value *a, const struct seg_value *b)
{
    if (a->type != b->type || a->len != b->len)
        return 0;
    for (uint32_t i = 0; a->type == SEG_LIST && i < a->len; i++)
        if (!same(&a->as.items[i], &b->as.items[i]))
            return 0;
    switch ((enum seg_value_type)a->type) {
    case SEG_BOOL:
        return a->as.boolean == b->as.boolean;
    case SEG_INT:
        return a->as.integer == b->as.integer;
    case SEG_DOUBLE:
        return !memcmp(&a->as.number, &b->as.number, sizeof(double));
    case SEG_TEXT:
        return !memcmp(a->as.text, b->as.text, a->len);
    case SEG_MISSING:
    case SEG_LIST:
    case SEG_OBJECT:
        break;
    }
    return 1;
}

START_TEST(a_value_comes_back_as_it_was)
{
    static uint32_t words[1 << 15];
    uint32_t want = values[_i].words;
    struct seg_value value;
    memset(words, 0xa5, sizeof(words));
    ck_assert_uint_eq(codec_words(&values[_i].value), want);
    ck_assert_uint_eq(codec_put(words, &values[_i].value), want);
    ck_assert_uint_eq(words[want], 0xa5a5a5a5);
    ck_assert_uint_eq(codec_len(words), want);
    ck_assert_int_eq(codec_get(words, &arena, &value), 0);
    ck_assert(same(&value, &values[_i].value));
}
END_TEST

/* So that equal values have equal words: blocks and records are compared. */
START_TEST(the_padding_of_a_text_is_zero)
{
    uint32_t words[3];
    struct seg_value value = S("abcde");
    memset(words, 0xa5, sizeof(words));
    codec_put(words, &value);
    ck_assert_mem_eq(words + 1, "abcde\0\0\0", 8);
}
END_TEST

START_TEST(without_an_arena_a_list_is_only_set)
{
    uint32_t words[16];
    struct seg_value value = L(pair);
    codec_put(words, &value);
    ck_assert_int_eq(codec_get(words, NULL, &value), 0);
    ck_assert_int_eq(value.type, SEG_OBJECT);
}
END_TEST

START_TEST(numbers_stand_at_any_word)
{
    uint32_t words[5] = {0};
    for (int at = 0; at < 3; at++) {
        codec_put_i64(words + at, INT64_MIN + at);
        ck_assert_int_eq(codec_get_i64(words + at), INT64_MIN + at);
        codec_put_u64(words + at, UINT64_MAX - (uint64_t)at);
        ck_assert_uint_eq(codec_get_u64(words + at), UINT64_MAX - (uint64_t)at);
    }
}
END_TEST

SUITE("codec", setup, teardown, TABLE(a_value_comes_back_as_it_was, values),
      TEST(the_padding_of_a_text_is_zero),
      TEST(without_an_arena_a_list_is_only_set),
      TEST(numbers_stand_at_any_word))
