/* event.h: one message of the Segment spec, decoded.
 *
 * A decoder turns JSON bytes into a struct seg_event, picking in one pass only
 * the fields that some segment of its catalogue reads. Texts and values of an
 * event borrow from the decoder, or from its catalogue, and live until
 * seg_decoder_reset: a caller may decode a whole batch, then apply it.
 *
 *     identify  sets attributes of the user          (traits)
 *     group     sets the user's account (group_id) and attributes of it
 *     track, page, screen   are events: something the user did
 *
 * A page or screen message is the event "Page Viewed" or "Screen Viewed"; its
 * own name is the property `name`. */
#ifndef SEG_EVENT_H
#define SEG_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include <seg/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct seg_catalogue;

/* Limits of one message. Each is tested at limit - 1, limit, limit + 1. */
#define SEG_EVENT_BYTES_MAX  (1024 * 1024) /* A whole message. */
#define SEG_DEPTH_MAX        64            /* Nesting of what is visited. */
#define SEG_ID_BYTES_MAX     512           /* Of a user, a group, a message. */
#define SEG_NAME_BYTES_MAX   512           /* event. */
#define SEG_STRING_BYTES_MAX (64 * 1024)   /* A text that a segment reads. */
#define SEG_PROPERTIES_MAX   4096 /* Members of properties or traits. */

/* Bytes of UTF-8, not terminated. Absent text has bytes = NULL. */
struct seg_text {
    const char *bytes;
    size_t len;
};

enum seg_value_type {
    SEG_MISSING, /* Not there, or null; "" is there. */
    SEG_BOOL,
    SEG_INT,
    SEG_DOUBLE,
    SEG_TEXT,
    SEG_LIST,
    SEG_OBJECT, /* Set, but compares with nothing. Of one in a list that some
                   segment looks into: names and values in turn are its items.
                   */
};

/* One JSON value. Plain; list items and text are borrowed. */
struct seg_value {
    uint8_t type; /* enum seg_value_type. */
    uint32_t len; /* Bytes of a text, items of a list or object; else 0. */
    union {
        int boolean;
        int64_t integer;
        double number;
        const char *text;
        const struct seg_value *items;
    } as;
};

enum seg_event_type {
    SEG_TRACK,
    SEG_PAGE,
    SEG_SCREEN,
    SEG_IDENTIFY,
    SEG_GROUP
};

enum seg_time_state {
    SEG_TIME_GIVEN,
    SEG_TIME_MISSING,    /* No timestamp: the record's counts. */
    SEG_TIME_UNREADABLE, /* One that cannot be read: likewise, and counted. */
};

/* A value of the event at a path that the catalogue reads. */
struct seg_field {
    uint32_t path; /* Index into the catalogue's paths. */
    struct seg_value value;
};

/* A top-level member of `traits`. When two have one name the last holds and
 * the others are left out. A null is a trait with a SEG_MISSING value. */
struct seg_trait {
    struct seg_text name;
    struct seg_value value;
};

#define SEG_NAME_NONE UINT32_MAX

struct seg_event {
    uint8_t type;       /* enum seg_event_type. */
    uint8_t time_state; /* enum seg_time_state. */
    uint32_t name_id;   /* The catalogue's number of `name`, or SEG_NAME_NONE
                           when no segment names it. */
    int64_t time_ms;    /* Since 1970 UTC; only if SEG_TIME_GIVEN. */
    struct seg_text user_id;
    struct seg_text name;           /* Of track, page, screen. */
    struct seg_text message_id;     /* bytes = NULL: none. */
    struct seg_text group_id;       /* Of group; else absent. */
    const struct seg_field *fields; /* Sorted by path, no path twice. */
    uint32_t field_count;
    uint32_t trait_count;
    const struct seg_trait *traits; /* Of identify and group. */
};

struct seg_decoder;

/* Create a decoder for events of CATALOGUE (borrowed, must outlive it).
 * Returns 0, or SEG_ERR_NOMEM with *RET untouched. Not thread-safe: one each.
 */
int seg_decoder_new(struct seg_decoder **ret,
                    const struct seg_catalogue *catalogue);

/* End DECODER (may be NULL); its events are invalid afterwards. */
void seg_decoder_free(struct seg_decoder *decoder);

/* Decode the LEN bytes at JSON (may be NULL with LEN 0) into EVENT.
 *
 * Returns 0, or the reason why this is no event (the errors of one event in
 * error.h): EVENT then holds nothing to rely on. DETAIL may be NULL. JSON needs
 * no padding and is not kept. */
int seg_decode(struct seg_decoder *decoder, const char *json, size_t len,
               struct seg_event *event, struct seg_error *detail);

/* Forget all events decoded so far; their memory is used again. */
void seg_decoder_reset(struct seg_decoder *decoder);

#ifdef __cplusplus
}
#endif
#endif
