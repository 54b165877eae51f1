/* check_poison.c: each row of the poison table is what it says. */
#include "lib/event/poison_table.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/event/decoder.h"
#include "tests/support/suite.h"

enum fate { DEAD_LETTER, VALUE_MISSING, ACCEPTED };
enum place { MESSAGE, FIELD, TIME, MESSAGE_ID };

#define SEG_ERR_OK SEG_OK

static const struct kind {
    const char *name;
    enum fate fate;
    int error;
    enum place place;
    const char *example;
    size_t len;
    const char *sentence;
} kinds[] = {
#define X(name, fate, error, place, example, sentence)                    \
    {#name,   fate, SEG_ERR_##error, place, example, sizeof(example) - 1, \
     sentence},
    POISON_TABLE(X)
#undef X
};

/* The example of ROW, REPEAT written out. */
static void write_example(struct buf *buf, const struct kind *row)
{
    const char *at = row->example, *end = at + row->len;
    while (at < end) {
        const char *text = at + 1, *number, *stop;
        if (*at != 1) {
            buf_char(buf, *at++);
            continue;
        }
        number = strchr(text, 2);
        stop = strchr(number, 3);
        for (long n = strtol(number + 1, NULL, 10); n > 0; n--)
            buf_add(buf, text, (size_t)(number - text));
        at = stop + 1;
    }
    ck_assert(!buf_failed(buf));
}

static const struct seg_text x = {"x", 1};
static const struct path path_x = {PATH_PROPERTIES, 1, &x};
static struct event_spec reads_x = {.path_count = 1, .paths = &path_x};
static struct event_spec reads_nothing;

struct outcome {
    int error;
    int time_given, has_message_id, has_x;
};

/* The bytes are decoded from memory that ends with them. */
static struct outcome decode(const struct buf *json,
                             const struct event_spec *spec)
{
    struct outcome outcome = {0};
    struct seg_decoder *decoder;
    struct seg_event event;
    struct seg_error detail = {0};
    char *exact = malloc(json->len ? json->len : 1);
    ck_assert_int_eq(decoder_new(&decoder, spec), 0);
    if (json->len)
        memcpy(exact, json->bytes, json->len);
    outcome.error = seg_decode(decoder, exact, json->len, &event, &detail);
    free(exact);
    if (outcome.error < 0) {
        ck_assert_int_eq(detail.code, outcome.error);
        ck_assert_int_gt(strlen(detail.message), 0);
    } else {
        outcome.time_given = event.time_state == SEG_TIME_GIVEN;
        outcome.has_message_id = event.message_id.bytes != NULL;
        outcome.has_x = event.field_count == 1;
    }
    seg_decoder_free(decoder);
    return outcome;
}

static void expect(const struct kind *row, const char *who,
                   const struct outcome *got, int error)
{
    ck_assert_msg(got->error == error, "%s, read by %s: got %s, want %s",
                  row->name, who, seg_error_name(got->error),
                  error ? seg_error_name(error) : "an event");
}

START_TEST(each_row_meets_its_fate)
{
    const struct kind *row = &kinds[_i];
    struct buf json;
    buf_init(&json);
    write_example(&json, row);
    struct outcome read = decode(&json, &reads_x);
    struct outcome unread = decode(&json, &reads_nothing);
    buf_done(&json);
    expect(row, "somebody", &read, row->error);
    expect(row, "nobody", &unread, row->place == FIELD ? 0 : row->error);
    if (row->fate == DEAD_LETTER)
        return;
    int there = row->place == FIELD        ? read.has_x
                : row->place == TIME       ? read.time_given
                : row->place == MESSAGE_ID ? read.has_message_id
                                           : 1;
    ck_assert_msg(there == (row->fate == ACCEPTED), "%s: the value is %s",
                  row->name, there ? "there" : "missing");
}
END_TEST

START_TEST(a_row_says_one_thing_in_a_sentence)
{
    const struct kind *row = &kinds[_i];
    size_t len = strlen(row->sentence);
    ck_assert_msg((row->fate == DEAD_LETTER) == (row->error < 0), "%s",
                  row->name);
    ck_assert_msg(len && row->sentence[len - 1] == '.', "%s", row->name);
    for (int i = 0; i < _i; i++)
        ck_assert_str_ne(row->name, kinds[i].name);
}
END_TEST

/* Errors of one event begin with EMPTY and, save two, end with STRING_BYTES. */
START_TEST(every_error_of_an_event_has_a_row)
{
    for (int error = SEG_ERR_EMPTY; error <= SEG_ERR_STRING_BYTES; error++) {
        int seen = 0;
        for (int i = 0; i < COUNT(kinds); i++)
            seen |= kinds[i].error == error;
        ck_assert_msg(seen, "%s has no row", seg_error_name(error));
    }
}
END_TEST

START_TEST(a_bad_event_leaves_the_decoder_fit_for_the_next)
{
    struct seg_decoder *decoder;
    struct seg_event event;
    ck_assert_int_eq(decoder_new(&decoder, &reads_x), 0);
    for (int i = 0; i < COUNT(kinds); i++) {
        struct buf json;
        buf_init(&json);
        write_example(&json, &kinds[i]);
        seg_decode(decoder, json.bytes, json.len, &event, NULL);
        buf_done(&json);
        const char good[] = WITH_X("5");
        int result = seg_decode(decoder, good, sizeof(good) - 1, &event, NULL);
        ck_assert_msg(result == 0 && event.field_count == 1 &&
                          event.fields[0].value.as.integer == 5,
                      "after %s: %s", kinds[i].name, seg_error_name(result));
        if (i % 7 == 0)
            seg_decoder_reset(decoder);
    }
    seg_decoder_free(decoder);
}
END_TEST

SUITE("poison", NULL, NULL, TABLE(each_row_meets_its_fate, kinds),
      TABLE(a_row_says_one_thing_in_a_sentence, kinds),
      TEST(every_error_of_an_event_has_a_row),
      TEST(a_bad_event_leaves_the_decoder_fit_for_the_next))
