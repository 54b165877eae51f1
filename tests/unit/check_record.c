/* check_record.c: changes, triggers and dead letters as records, and back. */
#include "daemon/protocol/record.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/support/suite.h"

static const char segments[] =
    "segment buyers { title \"t\" when did \"Bought\"\n"
    "  on enter trigger \"thank you\" { goal.id = \"g1\", text = \"x\\ny\",\n"
    "                                  goal.size = 3, seq = 99 } once per 1d "
    "}\n"
    "segment quiet { when did not \"Bought\"\n"
    "  on exit trigger \"welcome\" once }\n";

static struct seg_catalogue *catalogue;
static struct record record;
static struct record_names names;

static void setup(void)
{
    struct seg_source source = {"t.seg", segments, sizeof(segments) - 1};
    struct seg_diagnostics *diagnostics;

    ck_assert_int_eq(seg_diagnostics_new(&diagnostics), 0);
    ck_assert_int_eq(seg_catalogue_compile(&catalogue, &source, 1, diagnostics),
                     0);
    seg_diagnostics_free(diagnostics);
    record_init(&record);
    names = (struct record_names){"app", "1.2.3", catalogue, 3, 300000};
}

static void teardown(void)
{
    record_done(&record);
    seg_catalogue_free(catalogue);
}

static int segment(const char *key)
{
    return seg_catalogue_segment_index(catalogue, key);
}

static int trigger(const char *name)
{
    struct seg_trigger_info info;

    for (int i = 0; i < seg_catalogue_trigger_count(catalogue); i++) {
        seg_catalogue_trigger(catalogue, i, &info);
        if (!strcmp(info.name, name))
            return i;
    }
    ck_abort_msg("no trigger %s", name);
}

/* A change of u1 into buyers, and the trigger that follows it. */
static void outputs_of_u1(struct seg_output out[2])
{
    static struct seg_evidence evidence[2];

    evidence[0] = (struct seg_evidence){"did \"Bought\"",
                                        {.type = SEG_INT, .as.integer = 1}};
    evidence[1] = (struct seg_evidence){"user.plan = \"pro\"", {0}};
    out[0] = (struct seg_output){.kind = SEG_OUTPUT_CHANGE,
                                 .member = 1,
                                 .cause = SEG_CAUSE_EVENT,
                                 .evidence_count = 2,
                                 .trigger_count = 1,
                                 .segment = segment("buyers"),
                                 .segment_key = text_of("buyers"),
                                 .trigger = -1,
                                 .seq = 42,
                                 .at_ms = 1769860800000,
                                 .entered_at_ms = 1769860800000,
                                 .user_id = text_of("u\"1\xc3\xa9"),
                                 .birth_topic = text_of("events"),
                                 .birth_offset = 17,
                                 .source_topic = text_of("events"),
                                 .source_offset = 991,
                                 .message_id = text_of("m-7"),
                                 .evidence = evidence};
    out[1] = out[0];
    out[1].kind = SEG_OUTPUT_TRIGGER;
    out[1].trigger = trigger("thank you");
    out[1].seq = 7;
}

static const char *value(void)
{
    static char text[65536];

    ck_assert(record.value_len < sizeof(text));
    memcpy(text, record.bytes.bytes, record.value_len);
    text[record.value_len] = 0;
    return text;
}

static const char *header(const char *name)
{
    static char text[1024];

    for (int i = 0; i < record.header_count; i++)
        if (!strcmp(record.headers[i].name, name)) {
            snprintf(text, sizeof(text), "%.*s", (int)record.headers[i].len,
                     record.bytes.bytes + record.headers[i].at);
            return text;
        }
    return NULL;
}

START_TEST(a_change_is_a_track_payload)
{
    struct seg_output out[2];

    outputs_of_u1(out);
    ck_assert_int_eq(record_output(&record, &names, out), 0);
    char want[2048], id[RECORD_ID_BYTES + 1];
    record_message_id(id, "app", out);
    snprintf(want, sizeof(want),
             "{\"type\":\"track\",\"event\":\"Segment Entered\","
             "\"userId\":\"u\\\"1\xc3\xa9\",\"messageId\":\"%s\","
             "\"timestamp\":\"2026-01-31T12:00:00.000Z\",\"properties\":{"
             "\"segment\":\"buyers\",\"member\":true,"
             "\"entered_at\":\"2026-01-31T12:00:00.000Z\",\"cause\":\"event\","
             "\"seq\":42,\"catalogue\":\"%s\",\"triggers\":[\"thank you\"],"
             "\"evidence\":[{\"condition\":\"did \\\"Bought\\\"\",\"value\":1},"
             "{\"condition\":\"user.plan = \\\"pro\\\"\"}]},"
             "\"context\":{\"library\":{\"name\":\"segmentd\","
             "\"version\":\"1.2.3\"},\"source\":{\"topic\":\"events\","
             "\"partition\":3,\"offset\":991,\"messageId\":\"m-7\"}}}",
             id, seg_catalogue_hash(catalogue));
    ck_assert_str_eq(value(), want);
}
END_TEST

START_TEST(a_change_is_a_cloud_event)
{
    struct seg_output out[2];
    char id[RECORD_ID_BYTES + 1];

    outputs_of_u1(out);
    ck_assert_int_eq(record_output(&record, &names, out), 0);
    record_message_id(id, "app", out);
    ck_assert_int_eq(record.header_count, 7);
    ck_assert_str_eq(header("ce_specversion"), "1.0");
    ck_assert_str_eq(header("ce_type"), "segmentd.segment.entered");
    ck_assert_str_eq(header("ce_source"), "/segmentd/app");
    ck_assert_str_eq(header("ce_id"), id);
    ck_assert_str_eq(header("ce_subject"), "u\"1\xc3\xa9");
    ck_assert_str_eq(header("ce_time"), "2026-01-31T12:00:00.000Z");
    ck_assert_str_eq(header("content-type"), "application/json");
    out[0].member = 0;
    ck_assert_int_eq(record_output(&record, &names, out), 0);
    ck_assert_str_eq(header("ce_type"), "segmentd.segment.exited");
    ck_assert_int_eq(record_output(&record, &names, out + 1), 0);
    ck_assert_str_eq(header("ce_type"), "segmentd.message.triggered");
}
END_TEST

START_TEST(a_change_by_timer_has_no_source)
{
    struct seg_output out[2];

    outputs_of_u1(out);
    out[0].cause = SEG_CAUSE_TIMER;
    out[0].member = 0;
    out[0].source_topic = (struct seg_text){0};
    out[0].message_id = (struct seg_text){0};
    ck_assert_int_eq(record_output(&record, &names, out), 0);
    ck_assert_ptr_null(strstr(value(), "source"));
    ck_assert_ptr_nonnull(strstr(value(), "\"cause\":\"timer\""));
    ck_assert_ptr_nonnull(strstr(value(), "\"event\":\"Segment Exited\""));
}
END_TEST

/* Own properties become nested objects; those that would hide ours do not. */
START_TEST(a_segment_that_the_catalogue_has_no_more_is_named)
{
    struct seg_output out[2];

    outputs_of_u1(out);
    out[0].member = 0;
    out[0].cause = SEG_CAUSE_CATALOGUE;
    out[0].segment = seg_catalogue_segment_count(catalogue) + 1;
    out[0].segment_key = text_of("gone");
    out[0].trigger_count = out[0].evidence_count = 0;
    ck_assert_int_eq(record_output(&record, &names, out), 0);
    ck_assert_ptr_nonnull(strstr(value(), "\"segment\":\"gone\","
                                          "\"member\":false"));
    ck_assert_ptr_nonnull(strstr(value(), "\"cause\":\"catalogue\""));
}
END_TEST

START_TEST(a_trigger_carries_its_properties)
{
    struct seg_output out[2];
    static const char want[] =
        "\"properties\":{\"trigger\":\"thank you\","
        "\"segment\":\"buyers\",\"on\":\"enter\",\"seq\":7,"
        "\"expires_at\":\"2026-01-31T12:05:00.000Z\","
        "\"goal\":{\"id\":\"g1\",\"size\":3},\"text\":\"x\\ny\"},";

    outputs_of_u1(out);
    ck_assert_int_eq(record_output(&record, &names, out + 1), 0);
    ck_assert_msg(strstr(value(), want) != NULL, "%s", value());
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
    struct seg_output out[2];
    struct record_back back;

    outputs_of_u1(out);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(record_output(&record, &names, out + i), 0);
        ck_assert_int_eq(
            record_read(&back, record.bytes.bytes, record.value_len, NULL), 0);
        ck_assert_int_eq(back.kind, out[i].kind);
        ck_assert(text_equal(back.restored.user_id, out[i].user_id));
        ck_assert(text_equal(back.restored.segment, text_of("buyers")));
        ck_assert_int_eq(back.restored.member, 1);
        ck_assert_uint_eq(back.restored.seq, out[i].seq);
        ck_assert_int_eq(back.restored.at_ms, out[i].at_ms);
        if (i == 0)
            ck_assert_int_eq(back.restored.entered_at_ms, out[i].entered_at_ms);
        else
            ck_assert(text_equal(back.restored.trigger, text_of("thank you")));
        record_back_done(&back);
    }
}
END_TEST

START_TEST(message_ids_differ_in_every_part)
{
    struct seg_output out[8];
    char ids[8][RECORD_ID_BYTES + 1];

    outputs_of_u1(out);
    for (int i = 2; i < 8; i++)
        out[i] = out[0];
    out[2].seq++;
    out[3].birth_offset++;
    out[4].birth_topic = text_of("event");
    out[5].user_id = text_of("u2");
    out[6].at_ms++; /* No part of it: a repair may be made at another time. */
    for (int i = 0; i < 7; i++)
        record_message_id(ids[i], i == 7 ? "b" : "app", &out[i]);
    record_message_id(ids[7], "ap", &out[0]);
    ck_assert_str_eq(ids[0], ids[6]);
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < i; j++)
            if (i != 6)
                ck_assert_msg(strcmp(ids[i], ids[j]), "%d and %d: %s", i, j,
                              ids[i]);
    ck_assert_uint_eq(strlen(ids[0]), RECORD_ID_BYTES);
}
END_TEST

/* The format is a promise to everyone who dedupes by it. */
START_TEST(a_message_id_never_changes)
{
    struct seg_output out = {.user_id = text_of("u1"),
                             .birth_topic = text_of("events"),
                             .birth_offset = 5,
                             .seq = 3};
    char id[RECORD_ID_BYTES + 1];

    record_message_id(id, "segmentd", &out);
    ck_assert_str_eq(id, "caf760ef51554b11b751bafbb6a1e233");
}
END_TEST

/* Long evidence is cut between characters, a long list is left out. */
START_TEST(evidence_is_bounded)
{
    static const int lengths[] = {RECORD_TEXT_BYTES - 1, RECORD_TEXT_BYTES,
                                  RECORD_TEXT_BYTES + 1};
    struct seg_output out[2];
    char text[RECORD_TEXT_BYTES + 8];
    struct seg_value items[400];
    struct seg_evidence evidence = {"c", {.type = SEG_TEXT}};

    outputs_of_u1(out);
    out[0].evidence = &evidence;
    out[0].evidence_count = 1;
    for (int i = 0; i < COUNT(lengths); i++) {
        memset(text, 'x', sizeof(text));
        /* The last character has two bytes. */
        memcpy(text + lengths[i] - 2, "\xc3\xa9", 2);
        evidence.value.as.text = text;
        evidence.value.len = (uint32_t)lengths[i];
        ck_assert_int_eq(record_output(&record, &names, out), 0);
        const char *at = strstr(value(), "\"value\":\"");
        size_t got = strcspn(at + 9, "\"");
        size_t want = lengths[i] > RECORD_TEXT_BYTES ? RECORD_TEXT_BYTES - 1
                                                     : (size_t)lengths[i];
        ck_assert_msg(got == want, "length %d: got %zu, want %zu", lengths[i],
                      got, want);
    }
    for (int i = 0; i < 400; i++)
        items[i] = (struct seg_value){.type = SEG_INT, .as.integer = 100};
    evidence.value =
        (struct seg_value){.type = SEG_LIST, .len = 400, .as.items = items};
    ck_assert_int_eq(record_output(&record, &names, out), 0);
    ck_assert_ptr_null(strstr(value(), "\"value\""));
    evidence.value.len = 200;
    ck_assert_int_eq(record_output(&record, &names, out), 0);
    ck_assert_ptr_nonnull(strstr(value(), "\"value\":[100,100"));
}
END_TEST

START_TEST(a_dead_letter_says_why_and_where)
{
    struct record_letter letter = {"bad_json",    "events",   3, 991,
                                   1769860800000, "{\"a\": ", 6, 4};

    ck_assert_int_eq(record_dead_letter(&record, &letter), 0);
    ck_assert_int_eq(record.has_value, 1);
    ck_assert_str_eq(value(), "{\"a\"");
    ck_assert_str_eq(header("reason"), "bad_json");
    ck_assert_str_eq(header("topic"), "events");
    ck_assert_str_eq(header("partition"), "3");
    ck_assert_str_eq(header("offset"), "991");
    ck_assert_str_eq(header("timestamp"), "1769860800000");
    ck_assert_str_eq(header("original_bytes"), "6");
    letter.value = NULL;
    letter.len = 0;
    ck_assert_int_eq(record_dead_letter(&record, &letter), 0);
    ck_assert_int_eq(record.has_value, 0);
    ck_assert_str_eq(header("original_bytes"), "0");
}
END_TEST

#define HEAD "{\"event\":\"Segment Entered\",\"userId\":\"u\","
#define TIME "\"timestamp\":\"2026-01-31T12:00:00.000Z\","
#define REST "\"member\":true,\"entered_at\":\"2026-01-31T12:00:00.000Z\","

static const struct {
    const char *value, *want;
} unreadable[] = {
    {NULL, "value"},
    {"", "no JSON"},
    {"{", "no JSON"},
    {"[]", "properties"},
    {"{\"event\":\"Segment Entered\"}", "properties"},
    {HEAD TIME "\"properties\":{}}", "segment"},
    {HEAD TIME "\"properties\":{\"segment\":\"s\"}}", "seq"},
    {HEAD TIME "\"properties\":{\"segment\":\"s\",\"seq\":0}}", "seq"},
    {HEAD TIME "\"properties\":{\"segment\":\"s\",\"seq\":4294967296}}", "seq"},
    {HEAD TIME "\"properties\":{\"segment\":\"s\",\"seq\":1.0}}", "seq"},
    {HEAD TIME "\"properties\":{\"segment\":\"s\",\"seq\":1}}", "member"},
    {HEAD TIME "\"properties\":{\"segment\":\"s\",\"seq\":1,\"member\":true}}",
     "entered_at"},
    {HEAD "\"timestamp\":\"noon\",\"properties\":{" REST
          "\"segment\":\"s\",\"seq\":1}}",
     "timestamp"},
    {"{\"event\":\"Bought\",\"userId\":\"u\"," TIME "\"properties\":{" REST
     "\"segment\":\"s\",\"seq\":1}}",
     "event"},
    {"{\"event\":\"Message Triggered\",\"userId\":\"u\"," TIME
     "\"properties\":{\"segment\":\"s\",\"seq\":1}}",
     "trigger"},
    {"{\"event\":\"Message Triggered\",\"userId\":\"u\"," TIME
     "\"properties\":{\"segment\":\"s\",\"seq\":1,\"trigger\":\"t\","
     "\"on\":\"leave\"}}",
     "on"},
    {HEAD TIME "\"properties\":{" REST
               "\"segment\":\"s\",\"seq\":1,\"seq\":2}}",
     "no JSON"},
};

START_TEST(what_is_not_ours_is_not_read)
{
    struct record_back back;
    struct seg_error error = {0};
    const char *text = unreadable[_i].value;
    int ret = record_read(&back, text, text ? strlen(text) : 0, &error);

    ck_assert_int_eq(ret, SEG_ERR_RECORD);
    ck_assert_msg(strstr(error.message, unreadable[_i].want) != NULL,
                  "row %d: got \"%s\", want %s", _i, error.message,
                  unreadable[_i].want);
    record_back_done(&back);
}
END_TEST

SUITE("record", setup, teardown, TEST(a_change_is_a_track_payload),
      TEST(a_change_is_a_cloud_event), TEST(a_change_by_timer_has_no_source),
      TEST(a_segment_that_the_catalogue_has_no_more_is_named),
      TEST(a_trigger_carries_its_properties),
      TEST(what_is_written_is_read_back),
      TEST(message_ids_differ_in_every_part), TEST(a_message_id_never_changes),
      TEST(evidence_is_bounded), TEST(a_dead_letter_says_why_and_where),
      TABLE(what_is_not_ours_is_not_read, unreadable))
