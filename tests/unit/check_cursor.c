/* check_cursor.c: how far a list of members was read, as a word. */
#include "daemon/http/cursor.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/http/server.h"
#include "tests/model/random.h"
#include "tests/support/suite.h"

static struct buf text;
static struct cursor cursor, back;

static void setup(void)
{
    buf_init(&text);
    memset(&cursor, 0, sizeof(cursor));
    memset(&back, 0xee, sizeof(back));
}

static void teardown(void)
{
    buf_done(&text);
}

static void fill(struct random *random, int count)
{
    cursor.boot = random_bits(random);
    cursor.partition = (int)random_below(random, 100000);
    cursor.incarnation = random_bits(random) >> random_below(random, 64);
    cursor.place = random_bits(random) >> random_below(random, 64);
    cursor.count = count;
    for (int i = 0; i < count; i++)
        cursor.positions[i] = (struct cursor_position){
            (int)random_below(random, 100000),
            (int64_t)(random_bits(random) >> (1 + random_below(random, 62)))};
}

static const char *write_it(void)
{
    buf_reset(&text);
    cursor_write(&text, &cursor, "goals");
    return buf_string(&text);
}

START_TEST(a_cursor_reads_back_as_it_was_written)
{
    struct random random = {7};
    for (int round = 0; round < 2000; round++) {
        fill(&random, (int)random_below(&random, 40));
        ck_assert_int_eq(cursor_read(&back, write_it(), "goals"), 0);
        ck_assert_uint_eq(back.boot, cursor.boot);
        ck_assert_int_eq(back.partition, cursor.partition);
        ck_assert_uint_eq(back.incarnation, cursor.incarnation);
        ck_assert_uint_eq(back.place, cursor.place);
        ck_assert_int_eq(back.count, cursor.count);
        for (int i = 0; i < back.count; i++) {
            ck_assert_int_eq(back.positions[i].partition,
                             cursor.positions[i].partition);
            ck_assert_int_eq(back.positions[i].position,
                             cursor.positions[i].position);
        }
    }
}
END_TEST

START_TEST(it_needs_no_escapes_in_a_url)
{
    struct random random = {8};
    for (int round = 0; round < 200; round++) {
        fill(&random, 3);
        const char *word = write_it();
        ck_assert_uint_eq(strspn(word,
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
                                 "pqrstuvwxyz0123456789-_"),
                          strlen(word));
    }
}
END_TEST

START_TEST(any_other_word_is_refused)
{
    struct random random = {9};
    fill(&random, 4);
    char *word = strdup(write_it());
    size_t len = strlen(word);
    ck_assert_int_eq(cursor_read(&back, word, "goal"), SEG_ERR_INVALID);
    for (size_t i = 0; i + 1 < len; i++) { /* The last digit has spare bits. */
        char was = word[i];
        word[i] = was == 'A' ? 'B' : 'A';
        ck_assert_msg(cursor_read(&back, word, "goals") == SEG_ERR_INVALID,
                      "digit %zu", i);
        word[i] = '=';
        ck_assert_int_eq(cursor_read(&back, word, "goals"), SEG_ERR_INVALID);
        word[i] = was;
    }
    for (size_t i = 0; i < len; i++) {
        char was = word[i];
        word[i] = '\0';
        ck_assert_msg(cursor_read(&back, word, "goals") == SEG_ERR_INVALID,
                      "cut at %zu", i);
        word[i] = was;
    }
    ck_assert_int_eq(cursor_read(&back, word, "goals"), 0);
    free(word);
}
END_TEST

/* Numbers of partitions on both sides of the limit. */
static const int counts[] = {CURSOR_PARTITIONS_MAX - 1, CURSOR_PARTITIONS_MAX};

START_TEST(the_largest_fits_into_a_request)
{
    cursor.boot = cursor.incarnation = cursor.place = UINT64_MAX;
    cursor.partition = 100000;
    cursor.count = counts[_i];
    for (int i = 0; i < cursor.count; i++) /* A million million changes each. */
        cursor.positions[i] =
            (struct cursor_position){i, INT64_C(1000000000000) + i};
    ck_assert_int_lt(strlen(write_it()), SERVER_HEADER_BYTES_MAX - 2048);
    ck_assert_int_eq(cursor_read(&back, write_it(), "goals"), 0);
    ck_assert_int_eq(back.positions[counts[_i] - 1].position,
                     INT64_C(1000000000000) + counts[_i] - 1);
}
END_TEST

SUITE("cursor", setup, teardown, TEST(a_cursor_reads_back_as_it_was_written),
      TEST(it_needs_no_escapes_in_a_url), TEST(any_other_word_is_refused),
      TABLE(the_largest_fits_into_a_request, counts))
