/* meta.h: what the protocol remembers in Kafka, beside the users.
 *
 * Three small formats: the keys of the state topic, the metadata of committed
 * offsets, and the meta record of a partition. */
#ifndef PROTOCOL_META_H
#define PROTOCOL_META_H

#include <stddef.h>
#include <stdint.h>

#include <seg/engine.h>
#include <seg/error.h>

#include "daemon/protocol/bad.h"
#include "daemon/protocol/broker.h"
#include "lib/base/buf.h"

/* ---- keys of the state topic ------------------------------------------- */

#define META_KEY_META      '\0' /* The whole key of the meta record. */
#define META_KEY_USER      '\1' /* First byte of a user's key; his id follows. */
#define META_KEY_CATALOGUE '\2' /* The whole key of the catalogue record. */

enum meta_key {
    META_KEY_IS_META,
    META_KEY_IS_USER,
    META_KEY_IS_CATALOGUE,
    META_KEY_IS_UNKNOWN
};

/* What the LEN bytes at KEY name; *ID (of a user) borrows from KEY. */
enum meta_key meta_key_read(const char *key, size_t len, struct seg_text *id);

/* ---- metadata of committed offsets ------------------------------------- */

/* `v1:<txn>:<clock_ms>:<tag>`, ASCII; tag is 16 hex digits, lower case. */
struct meta_offsets {
    uint64_t txn; /* Committed transactions of the partition, this included. */
    int64_t clock_ms;
    uint64_t tag; /* Random, of one attempt to commit. */
};

/* At most BROKER_METADATA_BYTES with the NUL. */
void meta_offsets_write(char out[BROKER_METADATA_BYTES],
                        const struct meta_offsets *offsets);

/* Returns 0, or SEG_ERR_RECORD if METADATA is not ours. */
int meta_offsets_read(const char *metadata, struct meta_offsets *offsets);

/* ---- the meta record --------------------------------------------------- */

/* A place in a log, and the last record known before it: the witness, by which
 * a log that was deleted and made again is noticed. */
struct meta_mark {
    int64_t position;     /* Of the next record. */
    int64_t witness;      /* Offset of the witness, below position; -1: none. */
    int64_t timestamp_ms; /* Of the witness. */
    uint64_t checksum;    /* Of the witness: XXH3 of key, value. */
};

/* The outputs that a meta record speaks of: changes, triggers, dead letters. */
#define META_OUTPUTS 3

struct meta {
    int version;          /* Written as; 0: SEG_STATE_VERSION. */
    uint64_t incarnation; /* Drawn when the partition was first written. */
    /* Of the transaction that wrote the record. */
    struct meta_offsets offsets;
    char catalogue[9]; /* Its hash. */
    int swept;         /* 1: the sweep of that catalogue is done. */
    int64_t latest_ms; /* No event so far is dated later; INT64_MIN: there was
                          none. */
    int input_count;
    struct meta_input {
        struct seg_text topic; /* Borrowed, see meta_read. */
        int64_t offset;        /* Committed by the transaction. */
        struct meta_mark redo; /* From where the restore folds it again. */
        struct bad bad;        /* As of `offset`. */
    } inputs[SEG_TOPICS_MAX];
    struct meta_output {
        struct meta_mark fold; /* From where the restore folds it again. */
        int64_t tail; /* Nothing of the transaction stands below it ... */
        uint32_t own; /* ... and so many records of it stand from there on. */
    } outputs[META_OUTPUTS];
};

/* The index in `outputs` of the output TOPIC, not of the state topic. */
static inline int meta_output(int topic)
{
    return topic == BROKER_DEAD_LETTERS ? 2 : topic;
}

/* The opposite: the topic of output I. */
static inline int meta_topic(int i)
{
    return i == 2 ? BROKER_DEAD_LETTERS : i;
}

/* Append META to BUF (see buf_failed). */
void meta_write(struct buf *buf, const struct meta *meta);

/* Read the LEN bytes at BYTES, which META's texts borrow from. Returns 0;
 * SEG_ERR_RECORD; SEG_ERR_RECORD_VERSION if a newer program wrote it. */
int meta_read(struct meta *meta, const char *bytes, size_t len,
              struct seg_error *detail);

/* The checksum of a record, for a witness. */
uint64_t meta_checksum(const char *key, size_t key_len, const char *value,
                       size_t value_len);

#endif
