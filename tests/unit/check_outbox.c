/* check_outbox.c: records kept until they are committed. */
#include "daemon/protocol/outbox.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/support/suite.h"

static struct outbox outbox;
static struct record record;

static void setup(void)
{
    outbox_init(&outbox);
    record_init(&record);
}

static void teardown(void)
{
    outbox_done(&outbox);
    record_done(&record);
}

static void add_letter(int n, struct seg_text key)
{
    char value[32];
    struct record_letter letter = {"bad_json", "t", n, n, n, value, 0, 100};

    letter.len = (size_t)snprintf(value, sizeof(value), "value %d", n);
    ck_assert_int_eq(record_dead_letter(&record, &letter), 0);
    ck_assert_int_eq(
        outbox_add(&outbox, BROKER_DEAD_LETTERS, key, &record, 1000 + n), 0);
}

static void check_letter(size_t index, int n)
{
    struct broker_header headers[BROKER_HEADERS_MAX];
    struct broker_record got;
    char want[32];

    outbox_at(&outbox, index, &got, headers);
    snprintf(want, sizeof(want), "value %d", n);
    ck_assert_int_eq(got.topic, BROKER_DEAD_LETTERS);
    ck_assert_uint_eq(got.value_len, strlen(want));
    ck_assert(!memcmp(got.value, want, got.value_len));
    ck_assert_uint_eq(got.key_len, 3);
    ck_assert(!memcmp(got.key, "key", 3));
    ck_assert_int_eq(got.header_count, 6);
    snprintf(want, sizeof(want), "%d", n);
    ck_assert_str_eq(headers[3].name, "offset");
    ck_assert_uint_eq(headers[3].len, strlen(want));
    ck_assert(!memcmp(headers[3].value, want, headers[3].len));
}

START_TEST(records_come_out_as_they_went_in)
{
    for (int n = 0; n < 300; n++)
        add_letter(n, text_of("key"));
    for (int round = 0; round < 2; round++)
        for (int n = 0; n < 300; n++)
            check_letter((size_t)n, n);
    ck_assert_uint_eq(outbox.count, 300);
    ck_assert_uint_eq(outbox.topics[BROKER_DEAD_LETTERS], 300);
    ck_assert_int_eq(outbox.first_ms, 1000);
}
END_TEST

START_TEST(it_is_empty_after_a_clear)
{
    add_letter(1, text_of("key"));
    outbox_clear(&outbox);
    ck_assert_uint_eq(outbox.count, 0);
    ck_assert_uint_eq(outbox_bytes(&outbox), 0);
    ck_assert_uint_eq(outbox.topics[BROKER_DEAD_LETTERS], 0);
    add_letter(2, text_of("key"));
    check_letter(0, 2);
    ck_assert_int_eq(outbox.first_ms, 1002);
}
END_TEST

START_TEST(no_key_and_no_value_stay_none)
{
    struct record_letter letter = {"empty_value", "t", 0, 0, 0, NULL, 0, 100};
    struct broker_header headers[BROKER_HEADERS_MAX];
    struct broker_record got;

    ck_assert_int_eq(record_dead_letter(&record, &letter), 0);
    ck_assert_int_eq(outbox_add(&outbox, BROKER_DEAD_LETTERS,
                                (struct seg_text){0}, &record, 1),
                     0);
    ck_assert_int_eq(
        outbox_add(&outbox, BROKER_DEAD_LETTERS, text_of(""), &record, 1), 0);
    outbox_at(&outbox, 0, &got, headers);
    ck_assert_ptr_null(got.value);
    ck_assert_ptr_null(got.key);
    outbox_at(&outbox, 1, &got, headers);
    ck_assert_ptr_nonnull(got.key);
    ck_assert_uint_eq(got.key_len, 0);
}
END_TEST

SUITE("outbox", setup, teardown, TEST(records_come_out_as_they_went_in),
      TEST(it_is_empty_after_a_clear), TEST(no_key_and_no_value_stay_none))
