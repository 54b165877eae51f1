/* record.h: changes, triggers, traits and dead letters as records of their
 * topics.
 *
 * A change is at once a Segment `track` payload (the value) and a CloudEvent in
 * binary mode (the headers); so is a trigger. Both are read back in a restore.
 * Traits are a Segment `identify` payload, with the same headers; they are read
 * by the view of Redis. A dead letter is the original with the reason in its headers.
 *
 * Free of the rest of the protocol: segmentctl replay writes its output with
 * it. JSON Schemas of all four are under config/. */
#ifndef PROTOCOL_RECORD_H
#define PROTOCOL_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include <seg/catalogue.h>
#include <seg/engine.h>

#include "lib/base/buf.h"

#define RECORD_HEADERS_MAX 8
#define RECORD_TEXT_BYTES \
    1024                   /* Of a condition or value shown as evidence. \
                            */
#define RECORD_ID_BYTES 32 /* A message id: hex digits. */

/* What is the same in all records of one partition. All borrowed. */
struct record_names {
    const char *app;     /* Prefix of the topics: "segmentd". */
    const char *version; /* Of the program: "0.3.0". */
    const struct seg_catalogue *catalogue;
    int partition;              /* Of the input, shown as context.source. */
    int64_t trigger_max_age_ms; /* A trigger expires so long after its `at`. */
};

/* One record being made. Its memory is used again by the next. */
struct record {
    struct buf bytes; /* The value, then the values of the headers. */
    size_t value_len;
    int has_value; /* 0: no value at all, as in a tombstone. */
    int header_count;
    struct record_header {
        const char *name; /* Static. */
        size_t at, len;   /* In `bytes`. */
    } headers[RECORD_HEADERS_MAX];
};

void record_init(struct record *record);
void record_done(struct record *record);

/* Make RECORD the one of OUTPUT, a change, a trigger or traits. Its key is the
 * user id.
 *
 * A change must stand in its array of outputs: the triggers that follow it are
 * named in it. Returns 0 or SEG_ERR_NOMEM (RECORD then holds nothing of use).
 */
int record_output(struct record *record, const struct record_names *names,
                  const struct seg_output *output);

/* The message id of OUTPUT: a hash of application, user, birth of the user,
 * kind and sequence number (of traits: instant), so that a record made again has
 * it again. Writes RECORD_ID_BYTES digits and a NUL to ID. */
void record_message_id(char id[RECORD_ID_BYTES + 1], const char *app,
                       const struct seg_output *output);

/* A record that is no event, or none that can be used. All borrowed. */
struct record_letter {
    const char *reason; /* Short name of the error: "bad_json". */
    const char *topic;
    int partition;
    int64_t offset;
    int64_t timestamp_ms;
    const char *value; /* NULL: the record had none. */
    size_t len;
    size_t bytes_max; /* More of the value is cut off. */
};

/* Make RECORD the dead letter LETTER; its key is that of the original. Headers:
 * reason, topic, partition, offset, timestamp (milliseconds since 1970),
 * original_bytes, all as text. Returns 0 or SEG_ERR_NOMEM. */
int record_dead_letter(struct record *record,
                       const struct record_letter *letter);

/* ---- reading back ------------------------------------------------------ */

/* A change or trigger read back. Its texts live until record_back_done, and no
 * longer than what it was read from. */
struct record_back {
    int kind; /* enum seg_output_kind. */
    struct seg_restored restored;
    void *json;
};

/* Read the LEN bytes at VALUE into BACK. Returns 0, or SEG_ERR_RECORD with the
 * member at fault in DETAIL (may be NULL); BACK is to be done in both cases. */
int record_read(struct record_back *back, const char *value, size_t len,
                struct seg_error *detail);
void record_back_done(struct record_back *back);

#endif
