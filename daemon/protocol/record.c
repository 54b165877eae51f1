/* record.c: writing of records. Reading is in record_read.c.
 *
 * A change of a user:
 *
 *   key     u123
 *   value   {"type":"track","event":"Segment Entered","userId":"u123",
 *            "messageId":"9b0c...","timestamp":"2026-01-31T12:00:00.000Z",
 *            "properties":{"segment":"goals_weekly","member":true,
 *              "entered_at":"2026-01-31T12:00:00.000Z","cause":"event","seq":42,
 *              "catalogue":"9f3a01c2","triggers":["upgrade_modal"],
 *              "evidence":[{"condition":"did ...","value":3}]},
 *            "context":{"library":{"name":"segmentd","version":"0.3.0"},
 *              "source":{"topic":"events","partition":3,"offset":991,
 *                        "messageId":"m-7"}}}
 *   headers ce_specversion ce_type ce_source ce_id ce_subject ce_time
 *           content-type
 *
 * Traits are a Segment `identify`, which has all of them or null where one has
 * no value, and no event, properties or number:
 *
 *           {"type":"identify","userId":"u123","messageId":"...",
 *            "timestamp":"...","traits":{"orders_90d":120.5},"context":{...}}
 *
 * A trigger differs in event ("Message Triggered") and properties: trigger,
 * segment, on, seq (of the user's triggers), expires_at, and its own, of which
 * a first name that is one of ours is left out: what we read back must be ours.
 *
 * Written by hand into a buffer: this is a hot path, where building a tree
 * first would cost ten times as much. Sizes are bounded by limits of the
 * inputs: evidence is cut, ids are at most SEG_ID_BYTES_MAX long; only the
 * properties of a trigger are as large as its segment file makes them. */
#include "daemon/protocol/record.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/instant.h"
#include "lib/base/text.h"

void record_init(struct record *record)
{
    memset(record, 0, sizeof(*record));
    buf_init(&record->bytes);
}

void record_done(struct record *record)
{
    buf_done(&record->bytes);
}

static void begin(struct record *record)
{
    buf_reset(&record->bytes);
    record->value_len = 0;
    record->has_value = 1;
    record->header_count = 0;
}

/* The header whose value is all that was written since AT. */
static void header(struct record *record, const char *name, size_t at)
{
    assert(record->header_count < RECORD_HEADERS_MAX);
    record->headers[record->header_count++] =
        (struct record_header){name, at, record->bytes.len - at};
}

static void text_header(struct record *record, const char *name,
                        struct seg_text text)
{
    size_t at = record->bytes.len;

    buf_text(&record->bytes, text);
    header(record, name, at);
}

/* ---- message ids ------------------------------------------------------- */

static void hash_text(struct buf *buf, struct seg_text text)
{
    buf_u32(buf, (uint32_t)text.len);
    buf_text(buf, text);
}

/* What identifies OUTPUT, appended to BUF and taken off again. */
static void message_id(char id[RECORD_ID_BYTES + 1], struct buf *buf,
                       const char *app, const struct seg_output *output)
{
    size_t at = buf->len;
    uint64_t high = 0, low = 0;

    hash_text(buf, text_of(app));
    hash_text(buf, output->user_id);
    hash_text(buf, output->birth_topic);
    buf_u64(buf, (uint64_t)output->birth_offset);
    buf_u8(buf, output->kind);
    if (output->kind == SEG_OUTPUT_TRAITS)
        buf_u64(buf, (uint64_t)output->at_ms);
    else
        buf_u32(buf, output->seq);
    if (!buf_failed(buf)) {
        high = hash_bytes(buf->bytes + at, buf->len - at, 0);
        low = hash_bytes(buf->bytes + at, buf->len - at, 1);
        buf->len = at;
    }
    snprintf(id, RECORD_ID_BYTES + 1, "%016" PRIx64 "%016" PRIx64, high, low);
}

void record_message_id(char id[RECORD_ID_BYTES + 1], const char *app,
                       const struct seg_output *output)
{
    struct buf buf;

    buf_init(&buf);
    message_id(id, &buf, app, output);
    buf_done(&buf);
}

/* ---- values ------------------------------------------------------------ */

/* `,"name":"2026-..."`; COMMA_NAME comes with its punctuation. */
static void instant(struct buf *buf, const char *comma_name, int64_t ms)
{
    buf_str(buf, comma_name);
    buf_char(buf, '"');
    instant_format(buf, ms);
    buf_char(buf, '"');
}

/* TEXT as a JSON string, cut to RECORD_TEXT_BYTES at the end of a character. */
static void cut_text(struct buf *buf, struct seg_text text)
{
    if (text.len > RECORD_TEXT_BYTES) {
        text.len = RECORD_TEXT_BYTES;
        while (text.len && (text.bytes[text.len] & 0xC0) == 0x80)
            text.len--;
    }
    buf_json_text(buf, text);
}

/* `,"value":...`, left out if there is none or a list of it would be long. */
static void evidence_value(struct buf *buf, const struct seg_value *value)
{
    size_t at = buf->len;

    if (value->type == SEG_MISSING)
        return;
    buf_str(buf, ",\"value\":");
    if (value->type == SEG_TEXT) {
        cut_text(buf, (struct seg_text){value->as.text, value->len});
        return;
    }
    buf_json_value(buf, value);
    if (!buf_failed(buf) && buf->len - at > RECORD_TEXT_BYTES)
        buf->len = at;
}

/* A trait's value: null where there is none, or a list would be long. */
static void trait_value(struct buf *buf, const struct seg_value *value)
{
    size_t at = buf->len;

    if (value->type == SEG_TEXT) {
        cut_text(buf, (struct seg_text){value->as.text, value->len});
        return;
    }
    if (value->type != SEG_MISSING)
        buf_json_value(buf, value);
    if (!buf_failed(buf) && buf->len - at > RECORD_TEXT_BYTES)
        buf->len = at;
    if (buf->len == at)
        buf_str(buf, "null");
}

static void traits(struct buf *buf, const struct seg_output *output)
{
    buf_str(buf, ",\"traits\":{");
    for (uint32_t i = 0; i < output->trait_count; i++) {
        buf_str(buf, i ? "," : "");
        buf_json_text(buf, output->traits[i].name);
        buf_char(buf, ':');
        trait_value(buf, &output->traits[i].value);
    }
}

static void evidence(struct buf *buf, const struct seg_output *output)
{
    buf_str(buf, ",\"evidence\":[");
    for (int i = 0; i < output->evidence_count; i++) {
        buf_str(buf, i ? ",{\"condition\":" : "{\"condition\":");
        cut_text(buf, text_of(output->evidence[i].condition));
        evidence_value(buf, &output->evidence[i].value);
        buf_char(buf, '}');
    }
    buf_char(buf, ']');
}

static void trigger_info(const struct record_names *names, int trigger,
                         struct seg_trigger_info *info)
{
    assert(trigger >= 0);
    seg_catalogue_trigger(names->catalogue, trigger, info);
}

static void change_properties(struct buf *buf, const struct record_names *names,
                              const struct seg_output *change)
{
    struct seg_trigger_info info;

    buf_str(buf, "\"segment\":");
    buf_json_text(buf, change->segment_key);
    buf_str(buf, change->member ? ",\"member\":true" : ",\"member\":false");
    instant(buf, ",\"entered_at\":", change->entered_at_ms);
    buf_str(buf, ",\"cause\":\"");
    buf_str(buf, seg_cause_name(change->cause));
    buf_str(buf, "\",\"seq\":");
    buf_int(buf, change->seq);
    buf_str(buf, ",\"catalogue\":\"");
    buf_str(buf, seg_catalogue_hash(names->catalogue));
    buf_str(buf, "\",\"triggers\":[");
    for (int i = 0; i < change->trigger_count; i++) {
        trigger_info(names, change[1 + i].trigger, &info);
        buf_str(buf, i ? "," : "");
        buf_json_text(buf, text_of(info.name));
    }
    buf_char(buf, ']');
    evidence(buf, change);
}

/* ---- the own properties of a trigger ----------------------------------- */

static int is_ours(struct seg_text name)
{
    static const char *const ours[] = {"trigger", "segment", "on", "seq",
                                       "expires_at"};

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (text_equal(name, text_of(ours[i])))
            return 1;
    return 0;
}

/* Whether the first DEPTH names of A and B are the same. */
static int same_path(const struct seg_trigger_property *a,
                     const struct seg_trigger_property *b, int depth)
{
    if (a->name_count < depth || b->name_count < depth)
        return 0;
    for (int i = 0; i < depth; i++)
        if (!text_equal(a->names[i], b->names[i]))
            return 0;
    return 1;
}

/* The first of the COUNT properties whose first DEPTH names are those of P. */
static int first_of_path(const struct seg_trigger_property *all, int count,
                         const struct seg_trigger_property *p, int depth)
{
    for (int i = 0; i < count; i++)
        if (same_path(&all[i], p, depth))
            return i;
    return count;
}

/* The members of the object named by the first DEPTH names of P: each name at
 * its first appearance, with all that is below it. */
static void members(struct buf *buf, const struct seg_trigger_info *info,
                    const struct seg_trigger_property *p, int depth, int comma)
{
    const struct seg_trigger_property *all = info->properties;

    for (int i = 0; i < info->property_count; i++) {
        if (all[i].name_count <= depth || !same_path(&all[i], p, depth) ||
            first_of_path(all, info->property_count, &all[i], depth + 1) != i ||
            (depth == 0 && is_ours(all[i].names[0])))
            continue;
        buf_str(buf, comma ? "," : "");
        comma = 1;
        buf_json_text(buf, all[i].names[depth]);
        buf_char(buf, ':');
        if (all[i].name_count == depth + 1) {
            buf_json_value(buf, &all[i].value);
            continue;
        }
        buf_char(buf, '{');
        members(buf, info, &all[i], depth + 1, 0);
        buf_char(buf, '}');
    }
}

static void trigger_properties(struct buf *buf,
                               const struct record_names *names,
                               const struct seg_output *trigger)
{
    struct seg_trigger_info info;

    trigger_info(names, trigger->trigger, &info);
    if (trigger->properties)
        info.properties = trigger->properties;
    buf_str(buf, "\"trigger\":");
    buf_json_text(buf, text_of(info.name));
    buf_str(buf, ",\"segment\":");
    buf_json_text(buf, trigger->segment_key);
    buf_str(buf, info.on_enter ? ",\"on\":\"enter\"" : ",\"on\":\"exit\"");
    buf_str(buf, ",\"seq\":");
    buf_int(buf, trigger->seq);
    instant(buf,
            ",\"expires_at\":", trigger->at_ms + names->trigger_max_age_ms);
    if (info.property_count)
        members(buf, &info, info.properties, 0, 1);
}

/* ---- whole records ----------------------------------------------------- */

static void source(struct buf *buf, const struct record_names *names,
                   const struct seg_output *output)
{
    if (!output->source_topic.bytes)
        return;
    buf_str(buf, ",\"source\":{\"topic\":");
    buf_json_text(buf, output->source_topic);
    buf_str(buf, ",\"partition\":");
    buf_int(buf, names->partition);
    buf_str(buf, ",\"offset\":");
    buf_int(buf, output->source_offset);
    if (output->message_id.bytes) {
        buf_str(buf, ",\"messageId\":");
        buf_json_text(buf, output->message_id);
    }
    buf_char(buf, '}');
}

static const char *event_name(const struct seg_output *output)
{
    if (output->kind == SEG_OUTPUT_TRIGGER)
        return "Message Triggered";
    return output->member ? "Segment Entered" : "Segment Exited";
}

static const char *cloud_type(const struct seg_output *output)
{
    if (output->kind == SEG_OUTPUT_TRIGGER)
        return "segmentd.message.triggered";
    if (output->kind == SEG_OUTPUT_TRAITS)
        return "segmentd.traits.updated";
    return output->member ? "segmentd.segment.entered"
                          : "segmentd.segment.exited";
}

static void properties(struct buf *buf, const struct record_names *names,
                       const struct seg_output *output)
{
    buf_str(buf, ",\"properties\":{");
    if (output->kind == SEG_OUTPUT_TRIGGER)
        trigger_properties(buf, names, output);
    else
        change_properties(buf, names, output);
}

static void value(struct buf *buf, const struct record_names *names,
                  const struct seg_output *output, const char *id)
{
    if (output->kind == SEG_OUTPUT_TRAITS) {
        buf_str(buf, "{\"type\":\"identify");
    } else {
        buf_str(buf, "{\"type\":\"track\",\"event\":\"");
        buf_str(buf, event_name(output));
    }
    buf_str(buf, "\",\"userId\":");
    buf_json_text(buf, output->user_id);
    buf_str(buf, ",\"messageId\":\"");
    buf_str(buf, id);
    instant(buf, "\",\"timestamp\":", output->at_ms);
    if (output->kind == SEG_OUTPUT_TRAITS)
        traits(buf, output);
    else
        properties(buf, names, output);
    buf_str(buf,
            "},\"context\":{\"library\":{\"name\":\"segmentd\",\"version\":");
    buf_json_text(buf, text_of(names->version));
    buf_char(buf, '}');
    source(buf, names, output);
    buf_str(buf, "}}");
}

int record_output(struct record *record, const struct record_names *names,
                  const struct seg_output *output)
{
    struct buf *buf = &record->bytes;
    char id[RECORD_ID_BYTES + 1];
    size_t at;

    begin(record);
    message_id(id, buf, names->app, output);
    value(buf, names, output, id);
    record->value_len = buf->len;
    text_header(record, "ce_specversion", text_of("1.0"));
    text_header(record, "ce_type", text_of(cloud_type(output)));
    at = buf->len;
    buf_str(buf, "/segmentd/");
    buf_str(buf, names->app);
    header(record, "ce_source", at);
    text_header(record, "ce_id", text_of(id));
    text_header(record, "ce_subject", output->user_id);
    at = buf->len;
    instant_format(buf, output->at_ms);
    header(record, "ce_time", at);
    text_header(record, "content-type", text_of("application/json"));
    return buf_failed(buf) ? SEG_ERR_NOMEM : 0;
}

static void number_header(struct record *record, const char *name,
                          int64_t number)
{
    size_t at = record->bytes.len;

    buf_int(&record->bytes, number);
    header(record, name, at);
}

int record_dead_letter(struct record *record,
                       const struct record_letter *letter)
{
    size_t kept =
        letter->len < letter->bytes_max ? letter->len : letter->bytes_max;

    begin(record);
    record->has_value = letter->value != NULL;
    if (letter->value)
        buf_add(&record->bytes, letter->value, kept);
    record->value_len = record->bytes.len;
    text_header(record, "reason", text_of(letter->reason));
    text_header(record, "topic", text_of(letter->topic));
    number_header(record, "partition", letter->partition);
    number_header(record, "offset", letter->offset);
    number_header(record, "timestamp", letter->timestamp_ms);
    number_header(record, "original_bytes", (int64_t)letter->len);
    return buf_failed(&record->bytes) ? SEG_ERR_NOMEM : 0;
}
