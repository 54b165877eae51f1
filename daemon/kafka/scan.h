/* scan.h: reading topics from outside the daemon, for segmentctl.
 *
 * No member of any group, and no offset is committed: whoever is scanned does
 * not notice. Partitions are added with a place to begin and, unless they are
 * to be followed for ever, a place to end; then records come, each partition's
 * in order.
 *
 * Calls block, up to their time-out; one thread. */
#ifndef KAFKA_SCAN_H
#define KAFKA_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/kafka/client.h"

#define SCAN_TIMEOUT_MS     10000     /* For questions. */
#define SCAN_FOLLOW         INT64_MAX /* An end that does not come. */
#define SCAN_HEADERS_MAX    32        /* Of one record; more are not shown. */
#define SCAN_METADATA_BYTES 128       /* What is longer is cut. */

struct scan;

/* Open a scan of the brokers of CLIENT. With COMMITTED 0 open and aborted
 * records are seen too. Returns 0, or SEG_ERR_INVALID or SEG_ERR_NOMEM with a
 * sentence in the CLIENT_WHY_BYTES at WHY, like all calls here. */
int scan_open(struct scan **ret, const struct client *client, int committed,
              char *why);
void scan_close(struct scan *scan);

/* Partitions of TOPIC, or SEG_ERR_NOT_FOUND if it is not there. */
int scan_partitions(struct scan *scan, const char *topic, char *why);

/* The first offset of a partition and the one after its last record that the
 * scan may see. */
int scan_bounds(struct scan *scan, const char *topic, int partition,
                int64_t *low, int64_t *high, char *why);

/* The offset of the first record not older than INSTANT_MS, or the end. */
int scan_offset_at(struct scan *scan, const char *topic, int partition,
                   int64_t instant_ms, int64_t *offset, char *why);

/* What GROUP committed of the first COUNT partitions of TOPIC: by partition the
 * offset, -1 if nothing, and its metadata, if METADATA is not NULL. */
int scan_committed(struct scan *scan, const char *group, const char *topic,
                   int count, int64_t *offsets,
                   char (*metadata)[SCAN_METADATA_BYTES], char *why);

/* Read TOPIC (borrowed until scan_close) from FROM on and below TO. Before the
 * first scan_next. */
int scan_add(struct scan *scan, const char *topic, int partition, int64_t from,
             int64_t to);

struct scan_header {
    const char *name;
    const char *value; /* Not terminated; NULL: none. */
    size_t len;
};

/* Everything is borrowed until the next call. */
struct scan_record {
    const char *topic; /* As added. */
    int partition;
    int64_t offset;
    int64_t timestamp_ms;
    const char *key; /* NULL: none. */
    size_t key_len;
    const char *value; /* NULL: none. */
    size_t len;
    int header_count;
    struct scan_header headers[SCAN_HEADERS_MAX];
};

enum scan_answer {
    SCAN_NOTHING, /* Within the time given. */
    SCAN_RECORD,
    SCAN_END, /* Every partition is read to where it was to end. */
};

/* What comes next. Returns enum scan_answer, or SEG_ERR_INVALID when a place is
 * not in the log any more. */
int scan_next(struct scan *scan, int timeout_ms, struct scan_record *out,
              char *why);

/* The header NAME of RECORD, or NULL. */
const struct scan_header *scan_header(const struct scan_record *record,
                                      const char *name);

#endif
