/* check_ledger.c: from a record to the outbox. */
#include "daemon/protocol/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/sim_catalogue.h"
#include "tests/support/sim_world.h"
#include "tests/support/suite.h"

static struct ledger_input inputs[1] = {{"a", PARTITIONER_MURMUR2, 0}};
static struct ledger_options options;
static struct ledger *ledger;
static int outputs_seen, bad_seen, cut_seen;

static void on_output(void *arg, const struct seg_output *output)
{
    (void)arg;
    (void)output;
    outputs_seen++;
}

static void on_bad(void *arg, int partition, int input, int error, int cut)
{
    (void)arg;
    ck_assert_int_eq(partition, 0);
    ck_assert_int_eq(input, 0);
    bad_seen = error;
    cut_seen = cut;
}

static void setup(void)
{
    options = (struct ledger_options){.catalogue = sim_catalogue(0),
                                      .app = "app",
                                      .version = "0",
                                      .inputs = inputs,
                                      .input_count = 1,
                                      .partition_count = 1,
                                      .clock_records = 1,
                                      .record_bytes_max = 1 << 20,
                                      .dead_letter_bytes = 1000,
                                      .on_output = on_output,
                                      .on_bad = on_bad};
    outputs_seen = bad_seen = 0;
}

static void make(void)
{
    const struct meta_mark zero[SEG_TOPICS_MAX] = {{0, -1, 0, 0}};

    ck_assert_int_eq(ledger_new(&ledger, &options, 0), 0);
    ck_assert_int_eq(ledger_reset(ledger, 0), 0);
    flush_start(ledger, zero, zero, 0);
}

static void teardown(void)
{
    ledger_free(ledger);
    ledger = NULL;
}

static int apply(const char *key, const char *value, size_t len, int64_t offset)
{
    struct seg_event event;
    struct broker_record record = {.topic = BROKER_INPUT(0),
                                   .offset = offset,
                                   .timestamp_ms = 0,
                                   .key = key,
                                   .key_len = key ? strlen(key) : 0,
                                   .value = value,
                                   .value_len = len};
    int reason;

    seg_decoder_reset(ledger->decoder);
    reason = ledger_decode(ledger, ledger->decoder, 0, value, len, &event);
    return ledger_apply(ledger, 0, &record, &event, reason, 55);
}

static int apply_text(const char *value, int64_t offset)
{
    return apply("k", value, strlen(value), offset);
}

static const char *header(const struct broker_record *record, const char *name)
{
    static char text[64];

    for (int i = 0; i < record->header_count; i++)
        if (!strcmp(record->headers[i].name, name)) {
            snprintf(text, sizeof(text), "%.*s", (int)record->headers[i].len,
                     record->headers[i].value);
            return text;
        }
    return "";
}

#define TRACK(user) \
    "{\"type\":\"track\",\"userId\":\"" user "\",\"event\":\"A\"}"

START_TEST(an_event_moves_the_position_and_says_what_it_changes)
{
    make();
    ck_assert_int_eq(apply_text(TRACK("u"), 41), 0);
    ck_assert_int_eq(ledger->inputs[0].position, 42);
    ck_assert_int_eq(ledger->inputs[0].witness, 41);
    ck_assert_int_eq(ledger->moved_ms, 55);
    ck_assert_uint_gt(ledger->outbox.topics[BROKER_CHANGES], 0);
    ck_assert_int_eq(outputs_seen, (int)ledger->outbox.count);
    ck_assert(ledger_has_news(ledger));
}
END_TEST

START_TEST(a_witness_is_taken_now_and_then)
{
    make();
    for (int i = 0; i < 200; i++)
        ck_assert_int_eq(apply_text(TRACK("u"), i), 0);
    ck_assert_int_eq(ledger->inputs[0].position, 200);
    ck_assert_int_eq(ledger->inputs[0].witness, 192);
}
END_TEST

static const struct {
    const char *value;
    int reason;
} poison[] = {
    {NULL, SEG_ERR_EMPTY},
    {"", SEG_ERR_EMPTY},
    {"{", SEG_ERR_JSON},
    {"[]", SEG_ERR_NOT_OBJECT},
    {"{\"type\":\"track\",\"event\":\"A\"}", SEG_ERR_USER_MISSING},
    {"{\"type\":\"dance\",\"userId\":\"u\"}", SEG_ERR_TYPE_UNKNOWN},
};

START_TEST(what_is_no_event_becomes_a_dead_letter)
{
    struct broker_header headers[BROKER_HEADERS_MAX];
    struct broker_record record;
    const char *value = poison[_i].value;

    make();
    ck_assert_int_eq(apply("k", value, value ? strlen(value) : 0, 7), 1);
    ck_assert_int_eq(ledger->inputs[0].position, 8);
    ck_assert_uint_eq(ledger->outbox.count, 1);
    ck_assert_uint_eq(ledger->outbox.topics[BROKER_DEAD_LETTERS], 1);
    outbox_at(&ledger->outbox, 0, &record, headers);
    ck_assert_str_eq(header(&record, "reason"),
                     seg_error_name(poison[_i].reason));
    ck_assert_str_eq(header(&record, "topic"), "a");
    ck_assert_str_eq(header(&record, "offset"), "7");
    ck_assert_int_eq(bad_seen, poison[_i].reason);
    ck_assert_uint_eq(record.key_len, 1);
    ck_assert_int_eq(ledger->bad[0].bad, 1);
    ck_assert_uint_eq(seg_engine_user_count(ledger->engine), 0);
}
END_TEST

START_TEST(a_user_of_another_partition_is_a_dead_letter)
{
    options.partition_count = 5;
    make();
    int own = 0, other = 0;
    for (int i = 0; i < 50; i++) {
        char text[100];
        int len = snprintf(text, sizeof(text),
                           "{\"type\":\"track\",\"userId\":\"u%d\","
                           "\"event\":\"A\"}",
                           i);
        char id[16];
        snprintf(id, sizeof(id), "u%d", i);
        int mine =
            !partitioner_partition(PARTITIONER_MURMUR2, id, strlen(id), 5);
        ck_assert_int_eq(apply("k", text, (size_t)len, i), !mine);
        own += mine;
        other += !mine;
    }
    ck_assert_int_gt(own, 0);
    ck_assert_int_gt(other, 0);
    ck_assert_int_eq(bad_seen, SEG_ERR_PARTITION);
    ck_assert_uint_eq(seg_engine_user_count(ledger->engine), (uint32_t)own);
}
END_TEST

START_TEST(a_user_who_grows_too_large_is_a_dead_letter)
{
    options.engine.user_bytes_max = 600;
    make();
    int bad = 0;
    for (int i = 0; i < 200 && !bad; i++) {
        char text[200];
        int len = snprintf(text, sizeof(text),
                           "{\"type\":\"track\",\"userId\":\"u\","
                           "\"event\":\"A\",\"messageId\":\"message %d\"}",
                           i);
        bad = apply("k", text, (size_t)len, i);
    }
    ck_assert_int_eq(bad, 1);
    ck_assert_int_eq(bad_seen, SEG_ERR_USER_BYTES);
}
END_TEST

START_TEST(a_large_original_is_cut_until_it_fits)
{
    static char value[3000], key[3000];
    struct broker_header headers[BROKER_HEADERS_MAX];
    struct broker_record record;

    options.record_bytes_max = 2000;
    options.dead_letter_bytes = 2500;
    make();
    memset(value, '{', sizeof(value));
    memset(key, 'k', sizeof(key) - 1);
    ck_assert_int_eq(apply("k", value, sizeof(value), 0), 1);
    ck_assert_int_eq(cut_seen, 1);
    ck_assert_int_eq(apply(key, value, sizeof(value), 1), 1);
    ck_assert_int_eq(cut_seen, 1);
    for (size_t i = 0; i < 2; i++) {
        outbox_at(&ledger->outbox, i, &record, headers);
        ck_assert_uint_gt(record.value_len, 500);
        ck_assert_uint_le(record.value_len + record.key_len, 2000 - 500);
        ck_assert_str_eq(header(&record, "original_bytes"), "3000");
    }
}
END_TEST

START_TEST(an_original_is_cut_beyond_the_limit_and_said_to_be)
{
    static char value[1002];
    struct broker_header headers[BROKER_HEADERS_MAX];
    struct broker_record record;

    make();
    memset(value, '{', sizeof(value));
    for (size_t i = 0; i < 3; i++) {
        size_t len = options.dead_letter_bytes - 1 + i;
        ck_assert_int_eq(apply("k", value, len, (int64_t)i), 1);
        outbox_at(&ledger->outbox, i, &record, headers);
        ck_assert_uint_eq(record.value_len,
                          i < 2 ? len : options.dead_letter_bytes);
        ck_assert_int_eq(cut_seen, i == 2);
    }
}
END_TEST

START_TEST(an_output_that_is_too_large_stops_the_partition)
{
    options.record_bytes_max = 700;
    make();
    ck_assert_int_eq(apply_text(TRACK("ada@example.com"), 41), 0);
    ck_assert_int_eq(ledger->broken.code, SEG_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(ledger->broken.message, "700"));
    /* It goes to the log: where it came from, not who it was. */
    ck_assert_ptr_nonnull(strstr(ledger->broken.message, "offset 41"));
    ck_assert_ptr_null(strstr(ledger->broken.message, "ada"));
    ck_assert_uint_eq(ledger->outbox.count, 0);
}
END_TEST

START_TEST(too_many_users_hold_the_record_up)
{
    options.engine.users_max = 1;
    make();
    ck_assert_int_eq(apply_text(TRACK("u"), 0), 0);
    ck_assert_int_eq(apply_text(TRACK("v"), 1), SEG_ERR_LIMIT);
    ck_assert_int_eq(ledger->inputs[0].position, 1);
    ck_assert_uint_eq(ledger->outbox.topics[BROKER_DEAD_LETTERS], 0);
}
END_TEST

START_TEST(a_redo_is_silent_and_agrees_about_what_is_bad)
{
    make();
    for (int i = 0; i < COUNT(poison); i++) {
        struct broker_record record = {.offset = i, .value = poison[i].value};
        record.value_len = record.value ? strlen(record.value) : 0;
        ck_assert_int_eq(ledger_redo(ledger, 0, &record), 1);
    }
    struct broker_record good = {
        .offset = 9, .value = TRACK("u"), .value_len = strlen(TRACK("u"))};
    ck_assert_int_eq(ledger_redo(ledger, 0, &good), 0);
    ck_assert_uint_eq(ledger->outbox.count, 0);
    ck_assert_uint_eq(seg_engine_user_count(ledger->engine), 1);
    ck_assert_int_eq(bad_seen, 0);
}
END_TEST

START_TEST(an_end_moves_the_position_but_is_no_news)
{
    make();
    ledger_reached(ledger, 0, 9);
    ck_assert_int_eq(ledger->inputs[0].position, 9);
    ck_assert(!ledger_has_news(ledger));
    ledger_reached(ledger, 0, 5);
    ck_assert_int_eq(ledger->inputs[0].position, 9);
}
END_TEST

START_TEST(timers_speak_through_the_outbox)
{
    make();
    ck_assert_int_eq(apply_text(TRACK("u"), 0), 0);
    size_t before = ledger->outbox.count;
    ck_assert_int_eq(ledger_advance(ledger, 100000, 1000, 55), 0);
    ck_assert_uint_gt(ledger->outbox.count, before);
    ck_assert_int_eq(seg_engine_clock(ledger->engine), 100000);
}
END_TEST

SUITE("ledger", setup, teardown,
      TEST(an_event_moves_the_position_and_says_what_it_changes),
      TEST(a_witness_is_taken_now_and_then),
      TABLE(what_is_no_event_becomes_a_dead_letter, poison),
      TEST(a_user_of_another_partition_is_a_dead_letter),
      TEST(a_user_who_grows_too_large_is_a_dead_letter),
      TEST(a_large_original_is_cut_until_it_fits),
      TEST(an_original_is_cut_beyond_the_limit_and_said_to_be),
      TEST(an_output_that_is_too_large_stops_the_partition),
      TEST(too_many_users_hold_the_record_up),
      TEST(a_redo_is_silent_and_agrees_about_what_is_bad),
      TEST(an_end_moves_the_position_but_is_no_news),
      TEST(timers_speak_through_the_outbox))
