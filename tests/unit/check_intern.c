/* check_intern.c: texts to small numbers and back. */
#include "lib/base/intern.h"

#include <stdio.h>

#include "lib/base/text.h"
#include "tests/support/suite.h"

static struct intern intern;

static void setup(void)
{
    intern_init(&intern);
}

static void teardown(void)
{
    intern_done(&intern);
}

static struct seg_text name_of(int i)
{
    static char name[32];
    snprintf(name, sizeof(name), "name %d", i * i);
    return text_of(name);
}

START_TEST(numbers_are_given_in_order_of_arrival)
{
    enum { NAMES = 20000 };
    uint32_t number;
    for (int i = 0; i < NAMES; i++) {
        ck_assert_uint_eq(intern_find(&intern, name_of(i)), INTERN_NONE);
        ck_assert_int_eq(intern_add(&intern, name_of(i), &number), 1);
        ck_assert_uint_eq(number, (uint32_t)i);
    }
    ck_assert_uint_eq(intern.count, NAMES);
    for (int i = NAMES; i-- > 0;) {
        ck_assert_int_eq(intern_add(&intern, name_of(i), &number), 0);
        ck_assert_uint_eq(number, (uint32_t)i);
        ck_assert_uint_eq(intern_find(&intern, name_of(i)), (uint32_t)i);
        ck_assert(text_equal(intern.texts[i], name_of(i)));
        ck_assert_int_eq(intern.texts[i].bytes[intern.texts[i].len], 0);
    }
    ck_assert_uint_eq(intern_find(&intern, text_of("name 2")), INTERN_NONE);
}
END_TEST

START_TEST(an_empty_one_has_nothing)
{
    ck_assert_uint_eq(intern_find(&intern, text_of("x")), INTERN_NONE);
    ck_assert_uint_eq(intern_find(&intern, text_of("")), INTERN_NONE);
}
END_TEST

START_TEST(texts_differ_by_every_byte_and_by_length)
{
    const struct seg_text texts[] = {{"", 0},    {"a", 1},    {"b", 1},
                                     {"a\0", 2}, {"a\0b", 3}, {"a\0c", 3},
                                     {"A", 1},   {"aa", 2}};
    uint32_t number;
    for (int i = 0; i < COUNT(texts); i++)
        ck_assert_int_eq(intern_add(&intern, texts[i], &number), 1);
    for (int i = 0; i < COUNT(texts); i++)
        ck_assert_uint_eq(intern_find(&intern, texts[i]), (uint32_t)i);
    ck_assert_uint_eq(intern_find(&intern, (struct seg_text){NULL, 0}), 0);
}
END_TEST

START_TEST(it_keeps_a_copy)
{
    char name[] = "first";
    uint32_t number;
    intern_add(&intern, text_of(name), &number);
    name[0] = 'F';
    ck_assert_uint_eq(intern_find(&intern, text_of("first")), 0);
    ck_assert_uint_eq(intern_find(&intern, text_of(name)), INTERN_NONE);
}
END_TEST

SUITE("intern", setup, teardown, TEST(numbers_are_given_in_order_of_arrival),
      TEST(an_empty_one_has_nothing),
      TEST(texts_differ_by_every_byte_and_by_length), TEST(it_keeps_a_copy))
