/* tail.h: following some partitions of a topic as they grow.
 *
 * Committed records only, each partition in order from where it was started, no
 * group and no offsets committed: who reads knows where he is. One thread. */
#ifndef KAFKA_TAIL_H
#define KAFKA_TAIL_H

#include <stddef.h>
#include <stdint.h>

struct conf;
struct tail;

/* Follow TOPIC on the brokers of CONF, or on BOOTSTRAP if that is not NULL;
 * both are borrowed for the call, TOPIC as long as the tail lives. Connects in
 * the background. Returns 0; SEG_ERR_NOMEM; SEG_ERR_INVALID (logged). */
int tail_open(struct tail **ret, const struct conf *conf, const char *bootstrap,
              const char *topic);
void tail_free(struct tail *tail);

/* Read PARTITION from OFFSET on; a partition that is read already moves there.
 * Nothing that was fetched before is returned any more. Returns 0 or
 * SEG_ERR_NOMEM. */
int tail_start(struct tail *tail, int partition, int64_t offset);
void tail_stop(struct tail *tail, int partition);

enum tail_answer {
    TAIL_NOTHING, /* Within the time given. */
    TAIL_RECORD,
    TAIL_END,  /* All committed records below `offset` were returned and, now,
                  nothing is above. It moves over markers and aborted records. */
    TAIL_GONE, /* What is to be read is not in the log; PARTITION is stopped. */
};

struct tail_record {
    int partition;
    int64_t offset;
    int64_t timestamp_ms;
    const char *value; /* NULL: none. Borrowed until the next call. */
    size_t len;
};

/* What comes next, of any partition; waits up to TIMEOUT_MS for it. */
int tail_next(struct tail *tail, int timeout_ms, struct tail_record *out);

/* The first offset of PARTITION, and the one after the last record that is
 * decided. Returns 0; SEG_ERR_NOT_FOUND if the brokers do not say within
 * TIMEOUT_MS. */
int tail_bounds(struct tail *tail, int partition, int timeout_ms, int64_t *low,
                int64_t *high);

#endif
