/* record_read.c: changes and triggers read back in a restore.
 *
 * Only what the fold needs is looked at. Whatever else stands in a record may
 * change from version to version. Members are read strictly: a change that we
 * cannot read is one we would lose. */
#include "daemon/protocol/record.h"

#include <jansson.h>
#include <string.h>

#include "daemon/protocol/record_scan.h"
#include "lib/base/error.h"
#include "lib/base/instant.h"
#include "lib/base/text.h"

static int fault(struct seg_error *detail, const char *member)
{
    return error_set(detail, SEG_ERR_RECORD, "%s is missing or of a wrong type",
                     member);
}

static int get_text(const json_t *object, const char *name,
                    struct seg_text *text, struct seg_error *detail)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_string(value))
        return fault(detail, name);
    *text =
        (struct seg_text){json_string_value(value), json_string_length(value)};
    return 0;
}

static int get_instant(const json_t *object, const char *name, int64_t *ms,
                       struct seg_error *detail)
{
    struct seg_text text;

    if (get_text(object, name, &text, detail) || instant_parse(text, ms))
        return fault(detail, name);
    return 0;
}

static int get_seq(const json_t *properties, uint32_t *seq,
                   struct seg_error *detail)
{
    const json_t *value = json_object_get(properties, "seq");
    json_int_t number = json_integer_value(value);

    if (!json_is_integer(value) || number < 1 || number > UINT32_MAX)
        return fault(detail, "seq");
    *seq = (uint32_t)number;
    return 0;
}

static int read_change(const json_t *properties, struct seg_restored *restored,
                       struct seg_error *detail)
{
    const json_t *member = json_object_get(properties, "member");

    if (!json_is_boolean(member))
        return fault(detail, "member");
    restored->member = json_is_true(member);
    return get_instant(properties, "entered_at", &restored->entered_at_ms,
                       detail);
}

static int read_trigger(const json_t *properties, struct seg_restored *restored,
                        struct seg_error *detail)
{
    struct seg_text on;

    if (get_text(properties, "trigger", &restored->trigger, detail) ||
        get_text(properties, "on", &on, detail))
        return SEG_ERR_RECORD;
    restored->member = text_equal(on, text_of("enter"));
    return restored->member || text_equal(on, text_of("exit"))
               ? 0
               : fault(detail, "on");
}

static int read_members(struct record_back *back, const json_t *root,
                        struct seg_error *detail)
{
    const json_t *properties = json_object_get(root, "properties");
    struct seg_restored *restored = &back->restored;
    struct seg_text event;

    if (!json_is_object(properties))
        return fault(detail, "properties");
    if (get_text(root, "event", &event, detail) ||
        get_text(root, "userId", &restored->user_id, detail) ||
        get_instant(root, "timestamp", &restored->at_ms, detail) ||
        get_text(properties, "segment", &restored->segment, detail) ||
        get_seq(properties, &restored->seq, detail))
        return SEG_ERR_RECORD;
    if (text_equal(event, text_of("Message Triggered"))) {
        back->kind = SEG_OUTPUT_TRIGGER;
        return read_trigger(properties, restored, detail);
    }
    if (!text_equal(event, text_of("Segment Entered")) &&
        !text_equal(event, text_of("Segment Exited")))
        return fault(detail, "event");
    back->kind = SEG_OUTPUT_CHANGE;
    return read_change(properties, restored, detail);
}

int record_read(struct record_back *back, const char *bytes, size_t len,
                struct seg_error *detail)
{
    json_error_t error;
    json_t *root;

    memset(back, 0, sizeof(*back));
    if (!bytes)
        return error_set(detail, SEG_ERR_RECORD, "the record has no value");
    if (record_scan(back, bytes, len))
        return 0;
    root =
        json_loadb(bytes, len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    back->json = root;
    if (!root)
        return error_set(detail, SEG_ERR_RECORD, "no JSON: %s", error.text);
    return read_members(back, root, detail);
}

void record_back_done(struct record_back *back)
{
    json_decref(back->json);
    back->json = NULL;
}
